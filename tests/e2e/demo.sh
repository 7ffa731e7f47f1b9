#!/usr/bin/env bash
# SPDX-License-Identifier: AGPL-3.0-or-later
# Goal: the main job, told for a person, in under two minutes, on real parts: `make demo`.
# Ends with a hunt through the server's folder; the exit code says whether it found anything.
cd "$(dirname "$0")/../.." || exit 2
. tests/e2e/lib.sh

if [ -t 1 ]; then bold=$(printf '\033[1m') dim=$(printf '\033[2m') off=$(printf '\033[0m'); else bold= dim= off=; fi
start=$SECONDS
part() { printf '\n%s%s%s\n' "$bold" "$*" "$off"; }
say()  { printf '%s\n' "$*"; }
# run NAME COMMAND…: shows the command and what it prints; anything wrong ends the demo
run() {
	local who=$1 rc arg
	shift
	printf '%s%s$ amparo' "$dim" "$who"
	for arg in "$@"; do case $arg in *[!A-Za-z0-9./:=_-]*) printf ' "%s"' "$arg" ;; *) printf ' %s' "$arg" ;; esac; done
	printf '%s\n' "$off"
	as "$who" "$@" >"$work/out" 2>&1
	rc=$?
	sed 's/^/  /' "$work/out"
	[ $rc -eq 0 ] || { say "demo: this step failed (exit $rc)."; exit 1; }
}
quiet() { "$@" >"$work/out" 2>&1 || { cat "$work/out"; say "demo: $* failed."; exit 1; }; }

say "Amparo: sealed intake for people who help immigrants."
say "Everything below is real: two servers, seven people, each with a folder of their own, on this machine."

part "1. Two servers, and an organisation"
quiet server_init one
quiet server_init two
quiet server_start one
quiet server_start two
say "  amparod init printed a card for each server: address, key, a one-time setup key."
person ruth "correct horse battery staple orange violet"
run ruth org create "Pine Belt Legal Aid" --name "Ruth Alvarez" --light
quiet as ruth server add --card-file "$work/one.card"
run ruth server add --card-file "$work/two.card"

part "2. Two intake attorneys join and sign the charter of their desk"
quiet as ruth invite --role attorney --count 2
grep '^amparo:' "$work/out" >"$work/inv"
say "  Ruth made two invitations.  One of them, as text: $(head -c 40 "$work/inv")…"
person ana "meadow kettle anchor violin pepper candle"
person ben "gravel window ribbon thunder apple forest"
quiet join_as ana "Ana Ruiz" "$(sed -n 1p "$work/inv")" --light --lang es,en
sed 's/^/  /' "$work/join.ana"
quiet join_as ben "Ben Carter" "$(sed -n 2p "$work/inv")" --light --lang en
say "  On the telephone Ana says: $(cat "$work/words.ana")."
run ruth confirm "Ana Ruiz" --words "$(cat "$work/words.ana")"
quiet confirm_as ruth ben "Ben Carter"
for i in ana ben; do quiet as $i sync; done
quiet as ruth release
quiet as ruth sync
run ruth desk create Intake --holders "Ana Ruiz,Ben Carter"
quiet as ruth release
for i in ana ben; do quiet as $i sync; done
run ana desk sign Intake
quiet as ben desk sign Intake
quiet as ruth release
quiet as ruth sync
run ruth desk publish Intake
run ruth form publish docs/forms/raid-intake.xml --desk Intake
for i in ana ben; do quiet as $i sync; done
quiet as ruth release

part "3. One pro bono attorney and three volunteers join"
quiet as ruth invite --role volunteer --count 3 --sheet "$work/slips.html"
say "  (slips to print were written: $(wc -c <"$work/slips.html") bytes of HTML with QR codes)"
quiet enrol carla "Carla Reyes" attorney
for i in 1 2 3; do quiet enrol "v$i" "Volunteer $i" volunteer; done
quiet as ruth release
run v1 about

part "4. A church hall, no network: twelve intakes are sealed on three devices"
declare -A code
for n in 01 02 03 04 05 06 07 08 09 10 11 12; do
	code[$n]=$(submit v$((10#$n % 3 + 1)) $n)
	[ -n "${code[$n]}" ] || { say "demo: intake $n was not taken."; exit 1; }
done
say "  The family of the first one gets a slip with its case code: ${code[01]}"
run v1 outbox

part "5. A network again: two volunteers sync"
run v1 sync
quiet as v2 sync
run v1 outbox

part "6. One server is raided: killed, and its folder gone"
server_kill two
rm -rf "$work/two"
say "  Server two is gone.  The third volunteer syncs now:"
as v3 sync >"$work/out" 2>&1
sed 's/^/  /' "$work/out"
as ruth release >"$work/out" 2>&1
sed 's/^/  /' "$work/out"

part "7. An attorney of the desk reads"
run ana sync --yes
run ana cases
run ana cases --search "xhunik tzunun"
run ana show "${code[01]}" --lang es
run ana assign "${code[01]}" "Carla Reyes" --reason "speaks Mam" --words-checked
run ana note "${code[01]}" "Called the facility: visit on Monday."
quiet as ana sync --yes
as ruth release >/dev/null 2>&1

part "8. The pro bono attorney sees what was assigned to her, and nothing else"
run carla sync --yes
run carla cases
run carla attachments "${code[01]}" --to "$work/files"
cmp "tests/e2e/data/nta-tzunun-hoja1.jpg" "$work/files/nta-tzunun-hoja1.jpg" || exit 1
say "  The photographs are byte for byte those of the church hall."

part "9. The administrator, with every key he has"
quiet as ruth sync --yes
server_stop one
quiet "$BIN/tests/tools/tryall" "$work/home/ruth" "$work/pass.ruth" "$work/one" "$work/home/ana" "$work/pass.ana"
sed 's/^/  /' "$work/out"

part "10. What the raid finds on the server"
(cd "$work/one" && find . -type f -printf '  %P  %s bytes\n' | sort)
cp tests/e2e/data/canaries.txt "$work/canaries"
printf 'name\t%s\n' "Ruth Alvarez" "Ana Ruiz" "Ben Carter" "Carla Reyes" "Volunteer 1" \
	"Pine Belt Legal Aid" "Called the facility" "speaks Mam" >>"$work/canaries"
for n in "${!code[@]}"; do printf 'code\t%s\n' "${code[$n]}" "${code[$n]/-/}"; done >>"$work/canaries"
"$BIN/tests/tools/hunt" --plant 40 "$work/canaries" "$work/one" "$work/one.log" >"$work/out" 2>&1
rc=$?
sed 's/^/  /' "$work/out"
n=$(sed -n 's/^found: [0-9]* of \([0-9]*\) strings.*/\1/p' "$work/out")
x=$(sed -n 's/^found: \([0-9]*\) of.*/\1/p' "$work/out")
say
say "It took $((SECONDS - start)) seconds."
if [ $rc -eq 3 ]; then say "demo: the planted control was not found, so the hunt proves nothing"; exit 1; fi
say "demo: ${x:-?} of ${n:-?} planted strings found on the server (control found)"
[ $rc -eq 0 ]
