#!/usr/bin/env bash
# SPDX-License-Identifier: AGPL-3.0-or-later
# Goal: a member's folder, taken as it lies there, tells what docs/THREATS.md section 5 and 7
# list and nothing else; and a volunteer's folder with its passphrase, together with every
# server's whole disk, links nothing that was sent.
#   tests/seizure/device.sh           AMPARO_TEST_MODE=long: 40 intakes, every form
cd "$(dirname "$0")/../.." || exit 2
. tests/e2e/lib.sh
probe=$BIN/tests/tools/device_probe
hunt=$BIN/tests/tools/hunt
if [ "${AMPARO_TEST_MODE:-short}" = long ]; then many=40; else many=8; fi
all="ruth ana ben carla iris v0 v1"

# ---- a working organisation ---------------------------------------------------------------

found one two || { fail "an organisation is founded"; finish; }
enrol carla "Carla Reyes" attorney
enrol iris "Iris Xicay" interpreter
for v in "v0 Nadia Ocampo" "v1 Tomas Vicente"; do
	enrol "${v%% *}" "${v#* }" volunteer
done
as ruth release >/dev/null
for p in carla iris v0 v1; do as $p sync --yes >/dev/null; done
as ruth release >/dev/null
for p in ana ben v0 v1; do as $p sync --yes >/dev/null; done

# unlocked while they work, as people do; both of the two that are compared below
for p in v0 v1; do as $p unlock >/dev/null 2>&1; done
from=$(date +%s)
codes=()
for i in $(seq $many); do
	n=$(printf %02d $(((i - 1) % 12 + 1)))
	codes+=("$(submit v1 "$n")")
	[ -n "${codes[-1]}" ] || fail "intake $n is taken"
done
as v1 sync >/dev/null
as v0 sync >/dev/null
to=$(date +%s)
as ruth release >/dev/null
as ana sync --yes >/dev/null
as ana assign "${codes[0]}" "Carla Reyes" --reason "habla mam, turno de noche" --words-checked >/dev/null
as ana assign "${codes[1]}" "Iris Xicay" --reason "interpreta el lunes" --words-checked >/dev/null
as ana note "${codes[0]}" "Llamar a la hermana antes del traslado" >/dev/null
as ana sync --yes >/dev/null
as ruth release >/dev/null
for p in ben carla iris; do as $p sync --yes >/dev/null; done
as carla accept "${codes[0]}" >/dev/null
as carla attachments "${codes[0]}" --to "$work/files" >/dev/null
as iris note "${codes[1]}" "El audio no se entiende bien" >/dev/null
for p in carla iris; do as $p sync --yes >/dev/null; done
as ruth release >/dev/null
for p in ruth ana ben carla iris; do as $p sync --yes >/dev/null; done
# what is on the servers and not released
submit v1 03 >"$work/late"
as v1 sync >/dev/null
codes+=("$(cat "$work/late")")

[ -S "$work/home/v1/agent.sock" ] && ok "an agent listens in the folder while it is unlocked" ||
	fail "an agent listens in the folder while it is unlocked"
for p in v0 v1; do as $p lock >/dev/null 2>&1; done

# ---- locked: what lies there --------------------------------------------------------------

cp tests/e2e/data/canaries.txt "$work/canaries"
{
	printf 'member\t%s\n' "Ruth Alvarez" "Ana Ruiz" "Ben Carter" "Carla Reyes" "Iris Xicay" \
		"Nadia Ocampo" "Tomas Vicente"
	printf 'organisation\t%s\n' "Pine Belt Legal Aid"
	printf 'passphrase\t%s\n' "correct horse battery" "meadow kettle anchor" "violet kettle harbor"
	printf 'server\t127.0.0.1:%s\n' "$(cat "$work/one.port")" "$(cat "$work/two.port")"
	printf 'note\t%s\n' "habla mam, turno" "interpreta el lunes" "Llamar a la hermana" \
		"El audio no se entiende"
	printf 'form\t%s\n' "raid-intake" "Intake" "interview"
	# what the database of a reader or of a volunteer would be called, were it in the clear
	printf 'record\t%s\n' "outbox/" "outack/" "outlast" "prekey/" "roster/" "server/"
	for c in "${codes[@]}"; do printf 'code\t%s\n' "$c" "${c/-/}"; done
} >>"$work/canaries"

homes=()
for p in $all; do homes+=("$work/home/$p"); done
"$hunt" --plant 40 "$work/canaries" "${homes[@]}" >"$work/hunted" 2>&1
same "no planted string is in any locked folder, and all controls are found" $? 0
grep -a '^FOUND' "$work/hunted" | sed 's/^/    /'
echo "figure: locked folders of ${#homes[@]} members: $(sed -n 's/^found: //p' "$work/hunted"); $(grep '^control' "$work/hunted")"

# names, lengths and modes: exactly these
listing() { (cd "$work/home/$1" && find . -printf '%y %m %P\n' | sed 's,spool/[0-9]*$,spool/DAY,' | sort -u); }
reader=$'d 700 \nd 700 spool\nf 600 spool/DAY\nf 600 vault.lock\nf 600 vault.mdb'
unlocked=$'d 700 \nd 700 spool\nf 600 agent.lock\nf 600 vault.lock\nf 600 vault.mdb'
sender=$'d 700 \nd 700 spool\nf 600 vault.lock\nf 600 vault.mdb'
for p in $all; do
	case $p in ruth) want=$sender ;; v?) want=$unlocked ;; *) want=$reader ;; esac
	same "the folder of $p has these files and no other" "$(listing $p)" "$want"
	same "  its lock files are empty" "$(cat "$work/home/$p/"*.lock | wc -c)" 0
done
# the databases inside, seen without a passphrase
for p in $all; do
	claim "the vault of $p: keys of one length, keys and values even" "$probe" sealed "$work/home/$p"
	cp "$work/out" "$work/sealed.$p"
done
for k in names text; do
	"$probe" forge "$work/forged" $k >/dev/null
	"$probe" sealed "$work/forged" >/dev/null && fail "a vault with $k in the clear is noticed" ||
		ok "a vault with $k in the clear is noticed (control)"
	rm -rf "$work/forged"
done

# sent nothing, sent much: the same file but for the bytes that differ anyway
for p in v0 v1; do as $p sync >/dev/null; "$probe" sealed "$work/home/$p" >"$work/sealed.$p"; done
same "vaults that sent 0 and $((many + 1)) intakes: the same records by size, the same commits" \
	"$(grep -v '^pages' "$work/sealed.v1")" "$(grep -v '^pages' "$work/sealed.v0")"
apart=$(($(stat -c %s "$work/home/v1/vault.mdb") - $(stat -c %s "$work/home/v0/vault.mdb")))
[ ${apart#-} -le 8192 ] && ok "  and files of one length, but for a page or two of the random keys' tree" ||
	fail "  and files of one length: $apart bytes apart"

# the spool: what the server has, own and foreign alike
cells=$("$BIN/amparod" status --data "$work/one" --json 2>/dev/null | sed -n 's/.*"cells_released": *\([0-9]*\).*/\1/p')
for p in ben carla iris; do
	same "the spool of $p has the cells of the holder's, and no other" \
		"$("$probe" cells "$work/home/$p/spool")" "$("$probe" cells "$work/home/ana/spool")"
done
same "  which are all that were released" \
	"$("$probe" cells "$work/home/ana/spool" | sed 's/ .*//')" "$cells"
same "  in files of nothing but cells" $(($(cat "$work/home/ana/spool/"* | wc -c) % 4080)) 0

# ---- opened -------------------------------------------------------------------------------

for p in $all; do
	"$probe" dump "$work/home/$p" "$work/pass.$p" "$work/dump.$p" >"$work/dumped.$p" 2>&1 ||
		fail "the vault of $p opens: $(cat "$work/dumped.$p")"
	# not the spool: a reader's vault names cells of her own there
	"$probe" plain "$work/dump.$p" "$work/home/$p/"*.* >"$work/plain.$p" 2>&1
	rc=$?
	same "nothing of the opened vault of $p stands in its folder in the clear" $rc 0
	[ $rc -ne 0 ] && sed 's/^/    /' "$work/plain.$p"
done
for p in v0 v1; do
	same "no record of before opens in the pages of $p" \
		"$(sed -n 's/.*still open: \([0-9]*\).*/\1/p' "$work/dumped.$p")" 0
done
grep -v -e '^member' -e '^organisation' -e '^server' -e '^form	' -e '^record' -e '^passphrase' \
	"$work/canaries" >"$work/canaries.sent"
mkdir "$work/opened" && cp "$work/dump.v1" "$work/opened/"
claim "a volunteer's opened vault has nothing of what was sent" "$hunt" --plant 40 "$work/canaries.sent" "$work/opened"
sed -n 's/^found: \(.*\)/figure: a volunteer'"'"'s opened vault: found \1/p' "$work/out"
printf 'member\tTomas Vicente\n' >"$work/own"
"$hunt" "$work/own" "$work/opened" >/dev/null && fail "  while the own name is there (control)" ||
	ok "  while the own name is there (control)"

# ---- together with every server's disk ------------------------------------------------------

server_kill one
server_kill two
claim "a volunteer's opened vault and the servers' whole disks link nothing" \
	"$probe" link "$work/dump.v1" "$work/dump.v0" "$work/one" "$work/two"
sed -n 's/^\(searched\|link\): /figure: \1: /p' "$work/out"
claim "no moment of the upload is in the vault" "$probe" times "$work/dump.v1" "$from" "$to"
sed -n 's/^times: /figure: times: /p' "$work/out"
[ "${AMPARO_TEST_MODE:-short}" = long ] && claim "none of its keys opens a cell" \
	"$BIN/tests/tools/tryall" "$work/home/v1" "$work/pass.v1" "$work/one" "$work/home/ana" "$work/pass.ana"
# the control: what waits for a second server is linked by its bytes
"$probe" sealed "$work/home/v0" | grep -v '^pages' >"$work/sealed.v0"
submit v0 04 >/dev/null
"$probe" sealed "$work/home/v0" | grep -v '^pages' | cmp -s - "$work/sealed.v0" &&
	fail "a vault that waits to send differs from one that does not (control)" ||
	ok "a vault that waits to send differs from one that does not (control)"
server_start one
as v0 sync >/dev/null 2>&1
server_kill one
"$probe" dump "$work/home/v0" "$work/pass.v0" "$work/dump.waits" >/dev/null
"$probe" link "$work/dump.waits" "$work/dump.v0" "$work/one" "$work/two" >"$work/out" 2>&1
same "while cells that wait for the second server are found on the first (control)" $? 1
finish
