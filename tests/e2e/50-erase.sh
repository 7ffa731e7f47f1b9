#!/usr/bin/env bash
# SPDX-License-Identifier: AGPL-3.0-or-later
# Goal: a family withdraws its consent.  A holder's device asks both servers to forget the
# record; the erasures rest, the administrator sees and voids them; asked for again they rest
# anew and are applied at the release after the delay; a late duplicate is refused, and the
# raw disk, unlinked blocks and all, shows nothing of the cells any more.
. tests/e2e/lib.sh
T=$BIN/tests/tools/erase_case

# ---- a disk of our own, looked at as raw blocks ---------------------------------------------
raw=
mkdir -p "$work/s1"
# larger than the reserve a policy keeps, and empty for the most part
if truncate -s 420M "$work/disk.img" && mkfs.ext4 -q -F "$work/disk.img" >/dev/null 2>&1 &&
   mount -o loop "$work/disk.img" "$work/s1" 2>/dev/null; then
	raw=1
	rmdir "$work/s1/lost+found"
	eval "$(declare -f cleanup | sed 's/^cleanup /cleanup_plain /')"
	cleanup() {
		local p
		for p in "$work"/*.pid; do [ -f "$p" ] && kill -9 "$(cat "$p")" 2>/dev/null; done
		wait 2>/dev/null
		umount "$work/s1" 2>/dev/null
		cleanup_plain
	}
else
	rm -f "$work/disk.img"
	echo "SKIP no loop mount here (root and /dev/loop are needed): the files are hunted in, not the raw disk"
fi
unmount_disk() { [ -z "$raw" ] || umount "$work/s1"; }
mount_disk() { [ -z "$raw" ] || mount -o loop "$work/disk.img" "$work/s1"; }
# hunt CELLS: how many of them the disk of server 1 shows; the server is stopped
hunt() {
	if [ -n "$raw" ]; then
		unmount_disk || return 1
		"$T" hunt "$1" "$work/disk.img" >"$work/hunted"
		mount_disk || return 1
	else
		find "$work/s1" -type f -print0 | xargs -0 "$T" hunt "$1" >"$work/hunted"
	fi
	sed 's/^/figure: hunted: /' "$work/hunted"
}
figure_of() { sed -n "s/.*$1 \([0-9]*\).*/\1/p" "${2:-$work/out}"; }

# ---- days go by ------------------------------------------------------------------------------
AMPAROD=tests/tools/amparod_clock
now=0
set_clock() { now=$1; echo "$now" >"$work/clock.s1"; echo "$now" >"$work/clock.s2"; }
set_clock 0
eval "$(declare -f server_start | sed 's/^server_start /server_start_plain /')"
server_start() { AMPAROD_TEST_CLOCK=$work/clock.$1 server_start_plain "$@"; }
as() {
	local who=$1
	shift
	AMPARO_TEST_CLOCK=$now AMPARO_HOME=$work/home/$who "$BIN/tests/tools/amparo_clock" "$@" \
		--passphrase-file "$work/pass.$who"
}
days() { # days N: a release on each
	local i
	for i in $(seq "$1"); do set_clock $((now + 86400)); as ruth release >/dev/null || return 1; done
}
# what a server says of itself
server_says() { "$BIN/amparod" status --data "$work/$1" --json | sed -n "s/.*\"$2\": \([0-9a-z]*\).*/\1/p"; }

claim "an organisation with two servers, one on a disk of its own" found s1 s2 || finish
claim "a volunteer joins" enrol v1 "Volunteer 1" volunteer
withdrawn=$(submit v1 01)
kept=$(submit v1 02)
claim "two intakes with photographs are sent" as v1 sync
claim "a release" as ruth release
claim "ana reads them" as ana sync --yes
claim "ben reads them" as ben sync --yes

# ---- asked for, and voided ---------------------------------------------------------------------
ask() { AMPARO_TEST_CLOCK=$now "$T" ask "$work/home/ana" "$work/pass.ana" "$withdrawn"; }
claim "ana's device asks for the erasure" ask
sed 's/^/figure: asked: /' "$work/out"
n=$(figure_of cells)
[ "${n:-0}" -gt 10 ] || { fail "the record has only '$n' cells"; finish; }
same "no statement of the record is without its cell" "$(figure_of untraced)" 0
same "no chunk is without its id" "$(figure_of unnamed)" 0
server_stop s1
cp -a "$work/s1" "$work/copy"
claim "the server holds every one of these cells" \
	"$T" cells "$work/home/ana" "$work/pass.ana" "$work/copy" "$work/cells"
same "  all of them" "$(figure_of found)" "$n"
rm -rf "$work/copy"
claim "a file that is only unlinked is planted" "$T" plant "$work/s1" "$work/planted"
claim "the disk is hunted" hunt "$work/cells"
same "the hunt finds the cells before (control)" "$(figure_of found "$work/hunted")" "$n"
claim "the disk is hunted for the planted file" hunt "$work/planted"
if [ -n "$raw" ]; then
	same "the hunt finds what was only unlinked (control)" "$(figure_of found "$work/hunted")" 64
fi
server_start s1
claim "ana's sync takes it to the servers" as ana sync --yes
claim "  and says so" test "$(grep -c "^  $n cells are to be erased there after the delay" "$work/out")" = 2
for s in s1 s2; do same "$n erasures rest on $s" "$(server_says $s erasures_waiting)" "$n"; done
claim "the administrator sees them" as ruth erasures
cp "$work/out" "$work/listed"
claim "  how many, on both" test "$(grep -c " $n  " "$work/listed")" = 2
from=$(date -u -d "@$(($(server_says s1 erase_day) * 86400))" +%Y-%m-%d)
claim "  and from when the next is applied" test "$(grep -c "$from" "$work/listed")" = 2
as ruth sync >/dev/null 2>&1
claim "status shows an administrator what waits" sh -c "AMPARO_TEST_CLOCK=$now AMPARO_HOME=$work/home/ruth \
	$BIN/tests/tools/amparo_clock status --passphrase-file $work/pass.ruth | grep -q '$n erasures wait, the next is applied from $from on'"
as ruth status --json >"$work/status"
claim "  for programs too" grep -q "\"erasures\":$n,\"applied_from\":\"$from\",.*\"refused_for_limits\":0,\"refused_for_space\":0,\"alerts\":0,\"disk_full\":false" "$work/status"
refused 1 "a holder voids nothing" as ana erasures void --all
refused 2 "void wants to be told what" as ruth erasures void
refused 2 "an id has 64 digits" as ruth erasures void 1234
before=$(server_says s1 cells_released)
claim "a day goes by" days 1
same "they still rest" "$(server_says s1 cells_released)" "$before"
claim "the administrator voids them" as ruth erasures void --all
claim "  on both servers" test "$(grep -c ": $n erasures voided, 0 still wait" "$work/out")" = 2
claim "three days go by" days 3
same "nothing was erased" "$(server_says s1 cells_released)" "$before"
claim "ana's next sync does not ask by itself" as ana sync --yes
same "nothing waits" "$(server_says s1 erasures_waiting)" 0
claim "what she told her co-holder meanwhile is released" days 1
before=$(server_says s1 cells_released)

# ---- asked for again ---------------------------------------------------------------------------
claim "it is asked for again" ask
claim "ana's sync takes it to the servers" as ana sync --yes
same "they rest again" "$(server_says s2 erasures_waiting)" "$n"
claim "a day goes by" days 1
same "nothing is erased yet" "$(server_says s1 cells_released)" "$before"
claim "the delay goes by" days 2
for s in s1 s2; do
	same "$s holds $n cells less" "$(server_says $s cells_released)" $((before - n))
	same "and remembers their ids" "$(server_says $s tombstones)" "$n"
done
claim "late duplicates are sent to server 1" env AMPARO_TEST_CLOCK="$now" "$T" put "$work/home/ana" "$work/pass.ana" "$work/cells" 0
same "  each is refused" "$(figure_of erased)" "$n"
claim "late duplicates are sent to server 2" env AMPARO_TEST_CLOCK="$now" "$T" put "$work/home/ana" "$work/pass.ana" "$work/cells" 1
same "  each is refused" "$(figure_of erased)" "$n"
claim "void comes too late" as ruth erasures void --all
claim "  and says so" test "$(grep -c ": 0 erasures voided, 0 still wait" "$work/out")" = 2

# ---- what is left -------------------------------------------------------------------------------
server_stop s1
claim "the disk is hunted" hunt "$work/cells"
same "the raw disk shows none of the $n cells" "$(figure_of found "$work/hunted")" 0
claim "the server's folder is sound" "$BIN/amparod" check --data "$work/s1"
server_start s1
claim "a late reader still gets the other family's record" as ben sync --yes
claim "ben's vault still has both: no server can take a record away" \
	test "$(as ben cases --json | grep -o '"code"' | wc -l)" = 2
claim "the other record's cells are all there" \
	env AMPARO_TEST_CLOCK="$now" "$T" ask "$work/home/ben" "$work/pass.ben" "$kept"
m=$(figure_of cells)
server_stop s1
cp -a "$work/s1" "$work/copy"
"$T" cells "$work/home/ben" "$work/pass.ben" "$work/copy" "$work/cells.kept" >"$work/out"
same "  every one of them" "$(figure_of found)" "$m"
finish
