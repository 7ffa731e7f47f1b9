#!/usr/bin/env bash
# SPDX-License-Identifier: AGPL-3.0-or-later
# Goal: what a raid finds on a server.  Lives a compressed day on real parts, takes what a raid
# takes (raw blocks, all memory, the kernel's view, logs) at three moments, hunts everything
# that was entered in every shape, and holds what is found against the residue table of
# docs/THREATS.md: anything more is red, and so is anything less, since the table says it is
# found.  Forty decoys must be found; a careless server must be caught.
#   tests/seizure/drill.sh short|long        SEED=n repeats a run
# Needs root, loop mounts, network namespaces: all it makes is gone when it ends.
cd "$(dirname "$0")/../.." || exit 2
size=${1:-short}
B=${B:-build}
SEED=${SEED:-$((RANDOM * 32768 + RANDOM))}
export B SEED

skip() { echo "SKIP a seized server reveals nothing: $*"; exit 0; }
if [ -z "${SEIZURE_INSIDE:-}" ]; then
	[ "$(id -u)" -eq 0 ] || skip "this needs root, for raw images and other processes' memory"
	for t in mkfs.ext4 losetup ip ss unshare; do
		command -v $t >/dev/null || skip "$t is missing"
	done
	# a network, mounts and processes of its own: nothing of the machine is touched or seen
	unshare -m -n -p -f --mount-proc --kill-child true 2>/dev/null ||
		skip "namespaces cannot be made here"
	losetup -f >/dev/null 2>&1 || skip "there are no loop devices here"
	export SEIZURE_INSIDE=$PWD
	unshare -m -n -p -f --mount-proc --kill-child bash "$0" "$size"
	exit $?
fi

work=$(mktemp -d "${TMPDIR:-/tmp}/amparo-seizure.XXXXXX")
# in memory: it is faster, and what is planted never reaches this machine's disk
mount -t tmpfs -o size=12g,mode=700 tmpfs "$work" || exit 2
trap 'umount -R "$work" 2>/dev/null; umount -l "$work" 2>/dev/null; rmdir "$work"' EXIT
truncate -s 16M "$work/probe"
mkfs.ext4 -q -F "$work/probe" && mkdir "$work/p" && mount -o loop "$work/probe" "$work/p" 2>/dev/null ||
	skip "loop devices cannot be mounted here"
umount "$work/p"
rm "$work/probe"

. tests/seizure/lib.sh
say "seed $SEED"

# ---- one day, judged -------------------------------------------------------------------------
rows=$work/rows          # KIND CLASS SHAPES WHERE WHEN CANARIES COUNT STATUS, for the report
: >"$rows"
total_bytes=0 n_found=0 canaries=0 patterns=0 decoys=0
r_all= deleted= rho_all= p_all= pool_rho= waiting=
residue >"$work/residue" && [ -s "$work/residue" ] || stop "docs/THREATS.md has no residue table"

judge_hits() { # judge_hits KIND DAY: what was found, against what may be
	local kind=$1 day=$2 when
	for when in running minute stopped; do
		awk -F'\t' -v kind="$kind" -v when="$when" '
			$1 == "hit" && $2 !~ /^decoy/ && $5 != "helper" {
				k = $2 "\t" $5
				if (!((k, $3) in one)) { one[k, $3]; n[k]++ }
				if (!((k, $4) in sh)) { sh[k, $4]; shapes[k] = shapes[k] (shapes[k] ? ", " : "") $4 }
				c[k] += $6 }
			END { for (k in n) { split(k, p, "\t")
				print kind "\t" p[1] "\t" p[2] "\t" when "\t" n[k] "\t" c[k] "\t" shapes[k] } }' \
			"$day/$when.hits"
	done | sort >"$day/hits"
	awk -F'\t' -v OFS='\t' '
		NR == FNR { listed[$1, $2, $3] = $4; next }
		{ seen[$2, $3, $4]; print $0, ((($2, $3, $4) in listed) ? "listed" : "LEAK") }
		END { for (k in listed) if (listed[k] == "always" && !(k in seen)) {
			split(k, p, SUBSEP); print "'"$kind"'", p[1], p[2], p[3], 0, 0, "", "MISSING" } }' \
		"$work/residue" "$day/hits" >"$day/judged"
	cat "$day/judged" >>"$rows"
}
figure_of() { awk -F'\t' -v k="$2" -v f="$3" '$1 == k { print $f; exit }' "$1"; }

one_day() { # one_day KIND
	local kind=$1 day=$work/$1 leaks missing d
	mkdir -p "$day"
	tests/seizure/day.sh "$day" "$kind" "$size" || { fail "the day on $kind could not be lived"; return; }
	judge_hits "$kind" "$day"
	leaks=$(grep -c '	LEAK$' "$day/judged")
	missing=$(grep -c '	MISSING$' "$day/judged")
	n_found=$((n_found + leaks))
	total_bytes=$((total_bytes + $(work=$day searched)))
	patterns=$(figure_of "$day/running.hits" plan 3) shapes=$(figure_of "$day/running.hits" plan 4)
	sort -u "$day/running/plan" "$day/plan" >"$day/plans"
	canaries=$(grep -vc '^decoy' "$day/plans")
	"$S/decoy" "$SEED" judge "$day/running.hits" >"$day/decoys"
	d=$(figure_of "$day/decoys" decoys 2)
	decoys=$d
	if [ "$d" -eq 40 ]; then ok "$kind: all 40 decoys are found"; else
		fail "$kind: only $d of 40 decoys are found, the hunt proves nothing"; cat "$day/decoys"; fi
	if [ "$leaks" -eq 0 ]; then ok "$kind: nothing is found beyond docs/THREATS.md"; else
		fail "$kind: found what docs/THREATS.md does not list"
		awk -F'\t' '$8 == "LEAK" { printf "    %s, %s, %s: %d canaries, %d places (%s)\n", $2, $3, $4, $5, $6, $7 }' "$day/judged"
		places_of "$day"; fi
	if [ "$missing" -eq 0 ]; then ok "$kind: what docs/THREATS.md lists is found (control)"; else
		fail "$kind: docs/THREATS.md lists what is not found"
		awk -F'\t' '$8 == "MISSING" { printf "    %s, %s, %s\n", $2, $3, $4 }' "$day/judged"; fi
	judge_carve "$kind" "$day"
	case $kind in ext4) keep_figures "$day" ;; esac
	rm -f "$day"/*.img "$day"/*/memory
}
# where a leak lies: the block of an ext4 image and whose it is; in memory the mapping and what
# stands around
places_of() {
	local when
	for when in running minute; do
		awk -F'\t' '$1 == "hit" && $5 == "memory" { print $2 "\t" $8 }' "$1/$when.hits" |
			while IFS=$'\t' read -r class at; do
				grep -q "	$class	memory	$when	.*	LEAK$" "$1/judged" || continue
				echo "    $class: $(while read -r off _ len what; do
					[ $((16#$off)) -le "$at" ] && [ "$at" -lt $((16#$off + 16#$len)) ] && echo "$what"
				done <"$1/$when/memory.map")"
				od -A d -t x8 -v -j $((at > 128 ? (at - 128) / 8 * 8 : 0)) -N 256 "$1/$when/memory" | sed 's/^/        /'
			done
	done | head -n 60
	awk -F'\t' '$1 == "hit" && $5 == "disk" { print $2 "\t" $8 }' "$1"/running.hits "$1"/stopped.hits |
		while IFS=$'\t' read -r class at; do
			grep -q "	$class	disk	.*	LEAK$" "$1/judged" || continue
			echo "    $class: block $((at / 4096)): $(debugfs -R "icheck $((at / 4096))" "$1/main.img" 2>/dev/null | tail -n 1)"
		done | sort -u | head -n 20
}
# judge_carve KIND DAY
judge_carve() {
	local kind=$1 day=$2 f what
	set_carve "$day/carve"
	if [ "$seen" -ne "$n_present" ]; then fail "$kind: the carver sees $seen of $n_present cells that are there"
	elif [ "$recovered" -eq 0 ]; then ok "$kind: no deleted cell can be carved from the image"
	else fail "$kind: $recovered of $n_gone deleted cells, $second second copies"; fi
	if is_chance; then ok "$kind: the image does not order released cells"; else
		fail "$kind: released cells can be ordered by $feature (|rho| $rho, p $p)"; fi
	for f in running minute; do
		what="the memory, $f"
		set_carve "$day/carve.$f"
		if [ "$gone" -eq 0 ]; then ok "$kind: $what: no deleted cell"; else
			fail "$kind: $what: $gone of $n_gone deleted cells"; fi
		if is_chance; then ok "$kind: $what: does not order released cells"; else
			fail "$kind: $what: orders released cells by $feature (|rho| $rho, p $p)"; fi
	done
	set_carve "$day/carve.pool"
	[ "$kind" = xfs ] || pool_rho=$rho
	if ! is_chance && [ "$seen" -eq "$n_present" ]; then
		ok "$kind: cells that wait for a release are ordered, as docs/THREATS.md says (control)"
	else fail "$kind: the order of the pool is not seen (|rho| $rho, p $p): the method proves nothing"; fi
}
# set_carve FILE: gone n_gone seen n_present second recovered; rho p feature
set_carve() {
	IFS=$'\t' read -r _ gone n_gone seen n_present second _ < <(grep '^carve' "$1")
	IFS=$'\t' read -r _ rho p feature _ < <(grep '^order' "$1")
	# the pool's own file may still be written behind an arrival: only whole second copies count
	recovered=$((gone + second))
}
is_chance() { awk -v p="$p" 'BEGIN { exit !(p >= 0.001) }'; }
keep_figures() {
	set_carve "$1/carve"
	deleted=$((n_gone + n_present)) r_all=$recovered rho_all=$rho p_all=$p
	is_chance && ordered=chance || ordered="by $feature"
}

# ---- controls: stores that do leak ------------------------------------------------------------
# careless KIND PROGRAM NAME: a small day on it; the same carver must find and order
control() {
	local kind=$1 program=$2 name=$3 day=$work/control.$3
	mkdir -p "$day"
	(
		work=$day n=200
		export SEIZURE_CELLS=$SEED
		set_clock 0
		ip link set lo up
		disk_make main "$kind" && server_init main "$program" && server_start main "$program" || exit 1
		visitor main found "$work/main.card" || exit 1
		visitor main put 127.40.1.1 0 $((n / 2)) 7 && visitor main put 127.40.1.2 $((n / 2)) $((n / 2)) 7 &&
			visitor main release 127.40.1.3 0 && visitor main erase 127.40.1.4 3 20 erased &&
			visitor main release 127.40.1.3 0 >/dev/null || exit 1
		server_stop >/dev/null
		disk_settle main
		"$S/carve" "$work/main.cells" 3-22 "0-2,23-$((n - 1))" "$work/main.img" >"$work/carve" || exit 1
		umount "$work/main.fs"
	) >"$day/out" 2>&1 || { sed 's/^/    /' "$day/out"; fail "the control $name could not be run"; return; }
	set_carve "$day/carve"
	rm -f "$day"/*.img
}

# ---- all of it ------------------------------------------------------------------------------------
kinds=ext4
if [ "$size" = long ]; then
	if command -v mkfs.xfs >/dev/null; then kinds="ext4 xfs"; else
		echo "not tried: xfs (apt-get install xfsprogs)"; fi
fi
for kind in $kinds; do one_day "$kind"; done

controls=0 n_controls=1
control ext4 "$S/careless" careless
if [ "${recovered:-0}" -gt 0 ] && ! is_chance; then
	ok "control: a server that does not overwrite is caught: recovered $recovered of $((n_gone + n_present)), |rho| $rho, p $p"
	controls=$((controls + 1))
else fail "control: a server that does not overwrite is not caught"; fi
careless="$recovered of $((n_gone + n_present)), |rho| $rho, p $p"
if [ "$size" = long ]; then
	n_controls=2
	control ext4-journal "$S/server" journal
	if [ "${recovered:-0}" -gt 0 ]; then
		ok "control: a file system that journals data keeps cells: recovered $recovered of $((n_gone + n_present)), |rho| $rho, p $p"
		controls=$((controls + 1))
	else fail "control: a file system that journals data keeps cells, and none was seen"; fi
fi

# ---- what, where, when --------------------------------------------------------------------------
[ "$canaries" -gt 0 ] || exit 1
say
say "canaries found, of $canaries sought (what x where x when)"
awk -F'\t' -v plan="$work/ext4/plans" '
	BEGIN { while ((getline line < plan) > 0) { split(line, f, "\t"); if (f[1] !~ /^decoy/) n[f[1]]++ } }
	$1 == "ext4" { v[$2, $3, $4] = $5; what[$2]; place[$2, $3] }
	END { fmt = "  %-51s %-7s %8s %8s %8s\n"
		printf fmt, "what (planted)", "where", "running", "minute", "stopped"
		for (w in n) if (!(w in what)) { zero[++z] = w }
		for (k in place) { split(k, p, SUBSEP); r = ""
			printf fmt, p[1] " (" n[p[1]] ")", p[2], v[p[1], p[2], "running"] + 0,
				v[p[1], p[2], "minute"] + 0,
				p[2] == "memory" || p[2] == "kernel" ? "-" : v[p[1], p[2], "stopped"] + 0 | "sort" }
		close("sort")
		printf "  nothing anywhere of:"
		m = 0; for (i = 1; i <= z; i++) list = list (i > 1 ? ", " : " ") zero[i] " (" n[zero[i]] ")"
		print list }' "$rows" | fold -s -w 110
say
say "figure: canaries: $canaries x $shapes encodings ($patterns patterns); image bytes: $total_bytes; found: $n_found; self-check: ${decoys:-0}/40"
say "figure: recovered: ${r_all:-?} of ${deleted:-?}; ordered: ${ordered:-?} (|rho| ${rho_all:-?}, p ${p_all:-?}); controls: careless server recovered $careless; waiting cells |rho| ${pool_rho:-?}; $controls/$n_controls"

json() {
	printf '{"seed":%s,"size":"%s","canaries":%s,"patterns":%s,"image_bytes":%s,"found":%s,"self_check":[%s,40],' \
		"$SEED" "$size" "$canaries" "$patterns" "$total_bytes" "$n_found" "${decoys:-0}"
	printf '"recovered":[%s,%s],"rho":%s,"p":%s,"controls":[%s,%s],"failures":%s,"table":[' \
		"${r_all:-null}" "${deleted:-null}" "${rho_all:-null}" "${p_all:-null}" "$controls" "$n_controls" "$failures"
	awk -F'\t' '{ printf "%s{\"file_system\":\"%s\",\"what\":\"%s\",\"where\":\"%s\",\"when\":\"%s\",\"canaries\":%d,\"places\":%d,\"shapes\":\"%s\",\"status\":\"%s\"}",
		(NR > 1 ? "," : ""), $1, $2, $3, $4, $5, $6, $7, tolower($8) } END { print "]}" }' "$rows"
}
mkdir -p build
json >build/seizure.json
[ $failures -eq 0 ]
