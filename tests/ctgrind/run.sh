#!/usr/bin/env bash
# SPDX-License-Identifier: AGPL-3.0-or-later
# Goal: no branch and no address of ours depends on a secret: handshake, trial, open, look-up of
# keys and codes, run under valgrind with the secrets undefined.  What is accepted stands in
# tests/ctgrind/accepted.supp with its reason, and nothing there is superfluous.
#   tests/ctgrind/run.sh COMPILER-LEVEL…      gcc-O0 gcc-O2 clang-O3 …
# Controls: leaks made on purpose, and the same targets with the accepted decisions taken back.
set -u
cd "$(dirname "$0")/../.." || exit 2
b=${B:-build}
supp=tests/ctgrind/accepted.supp
tmp=$(mktemp -d) || exit 2
trap 'rm -rf "$tmp"' EXIT
bad=0
claim() { if [ "$2" -eq 0 ]; then echo "ok $1"; else echo "FAIL $1"; bad=1; fi; }

if ! command -v valgrind >/dev/null; then
	echo "SKIP THERE IS NO valgrind HERE: WHETHER SECRETS STEER TIMING IS NOT TESTED"
	exit 0
fi
[ $# -gt 0 ] || set -- gcc-O0 gcc-O2
make --no-print-directory -s Q=@ B="$b" "${@/#/$b/ctgrind/}" || { echo "FAIL the programs could not be built"; exit 1; }

one() {
	valgrind -v --error-limit=no --suppressions=$supp --log-file="$tmp/$1.log" \
		"$b/ctgrind/$1" >"$tmp/$1.out" 2>"$tmp/$1.err"
	echo $? >"$tmp/$1.rc"
}
for level; do
	while [ "$(jobs -rp | wc -l)" -ge "$(nproc)" ]; do wait -n; done
	one "$level" &
done
wait

targets=0 found=0 lost=0 controls=0 fired=0
for level; do
	out=$tmp/$level.out
	if [ "$(cat "$tmp/$level.rc")" -ne 0 ] || grep '^wrong' "$out"; then
		echo "FAIL $level: the program did not do what it should"
		tail -n 20 "$tmp/$level.log" "$tmp/$level.err"
		bad=1
	fi
	n=$(sed -n 's/^target .*: \([0-9]*\) [a-z]*$/\1/p' "$out" | awk '{ s += $1 } END { print s + 0 }')
	targets=$((targets + $(grep -c '^target ' "$out")))
	found=$((found + n))
	lost=$((lost + $(grep -c '^target .* lost$' "$out")))
	controls=$((controls + $(grep -c '^control ' "$out")))
	fired=$((fired + $(grep -cE '^control .*: [1-9][0-9]*$' "$out")))
	if [ "$n" -gt 0 ]; then
		grep -vE ': 0 reached$' "$out" | grep '^target' | sed 's/^/  /'
		sed '/controls: what follows/,$d' "$tmp/$level.log" |
			grep -A 6 -E 'Conditional jump|Use of uninit|points to uninit' | head -n 60
	fi
	grep -E '^target .* lost$' "$out" | sed "s/^/  $level: the secret got lost: /"
	grep -E '^control .*: 0$' "$out" | sed "s/^/  $level: did not fire: /"
done
[ $found -eq 0 ] && [ $targets -eq $((13 * $#)) ]
claim "no branch and no address depends on a secret, beyond the accepted list" $?
[ $lost -eq 0 ]
claim "in every target the secret gets to the end" $?
[ $fired -eq $controls ] && [ $controls -eq $((17 * $#)) ]
claim "control: each leak made on purpose is found" $?

# an entry of the list that nothing needs is a hole somebody forgot
listed=0 needed=0
while read -r name; do
	listed=$((listed + 1))
	if grep -hqE "^accepted $name [1-9]" "$tmp"/*.out; then needed=$((needed + 1)); else
		echo "  nothing needs: declassify $name"; fi
done < <(sed -n 's/^# declassify \([a-z0-9_]*\):.*/\1/p' $supp)
while IFS= read -r name; do
	listed=$((listed + 1))
	if grep -hqF "$name $supp" "$tmp"/*.log; then needed=$((needed + 1)); else
		echo "  nothing needs: $name"; fi
done < <(awk '/^\{/ { getline; sub(/^ */, ""); print }' $supp)
# and a wrapper that is not in it would accept in secret
[ "$(sed -n 's/^# declassify \([a-z0-9_]*\): .*/\1/p' $supp | sort)" = \
  "$(sed -n 's/^accepted \([a-z0-9_]*\) .*/\1/p' "$tmp/$1.out" | sort)" ]
claim "each accepted decision stands in the list with its reason" $?
[ $listed -gt 0 ] && [ $needed -eq $listed ]
claim "nothing in the list is superfluous" $?
echo "figure: secret-dependent branches: $found beyond the accepted list ($listed entries, all needed: $needed); targets: $targets at $*; controls fired: $fired/$controls"
exit $bad
