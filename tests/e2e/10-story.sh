#!/usr/bin/env bash
# SPDX-License-Identifier: AGPL-3.0-or-later
# Goal: the main job from end to end: real sockets, separate processes, homes and files.  An
# organisation with two servers, two holders, a pro bono attorney and three volunteers; a
# server is killed and its folder destroyed on the way; who should read reads everything,
# and nobody else anything.
. tests/e2e/lib.sh

claim "an organisation, two servers, a desk signed by its holders and a form are set up" found s1 s2 || finish
claim "a pro bono attorney joins by invitation" enrol carla "Carla Reyes" attorney
claim "a second pro bono attorney joins" enrol dora "Dora Webb" attorney
for i in 1 2 3; do claim "volunteer $i joins by invitation" enrol "v$i" "Volunteer $i" volunteer; done
claim "the attorneys' keys appear at a release" as ruth release

# ---- offline ---------------------------------------------------------------------------
declare -A code
for n in 01 02 03 04 05 06 07 08 09 10 11 12; do
	who=v$((10#$n % 3 + 1))
	code[$n]=$(submit $who $n)
	if [[ ${code[$n]} =~ ^[0-9A-HJKMNP-TV-Z]{5}-?[0-9A-HJKMNP-TV-Z]{5}$ ]]; then
		ok "intake $n is sealed offline and has a case code"
	else fail "intake $n has no case code: '${code[$n]}'"; fi
done
refused 1 "an instance of an unknown form is refused with a sentence" \
	as v1 intake submit --instance docs/forms/raid-intake.xml
sed 's/<consent/<consentx/;s/<\/consent>/<\/consentx>/' tests/e2e/data/intake-02.xml >"$work/bad.xml"
refused 1 "an unknown node is refused with a sentence" as v1 intake submit --instance "$work/bad.xml"
refused 1 "a missing photograph is refused with a sentence" \
	as v1 intake submit --instance tests/e2e/data/intake-01.xml
waiting() { as "$1" outbox --json | grep -o '"submissions":[0-9]*' | cut -d: -f2; }
same "four submissions wait at volunteer 1" "$(waiting v1)" 4
refused 1 "a volunteer's device can list no cases" as v1 cases
refused 1 "a volunteer's device knows no members" as v1 members

# ---- sync, and the loss of a server -------------------------------------------------------
claim "volunteer 1 syncs with both servers" as v1 sync
claim "volunteer 2 syncs with both servers" as v2 sync
same "nothing waits at volunteer 1" "$(waiting v1)" 0
claim "a release on both" as ruth release
claim "ben syncs before the raid" as ben sync --yes
server_kill s2
rm -rf "$work/s2"
ok "server 2 was killed and its folder destroyed"
as v3 sync >"$work/out" 2>&1
same "volunteer 3 reaches one server" "$(grep -c 'up to date' "$work/out")" 1
same "his submissions still wait for a second copy" "$(waiting v3)" 4
as ruth release >/dev/null 2>&1
claim "ana syncs from the server that is left" as ana sync --yes
claim "ben syncs from the server that is left" as ben sync --yes

# ---- reading ------------------------------------------------------------------------------
n_cases() { as "$1" cases --json | grep -o '"code"' | wc -l; }
same "ana holds every acknowledged record" "$(n_cases ana)" 12
same "ben holds every acknowledged record" "$(n_cases ben)" 12
found_by() { as ana cases --search "$1" --json | grep -o '"code":"[0-9A-Z-]*"' | cut -d'"' -f4; }
same "search folds case, accents and glottal marks" "$(found_by "xhunik mateo tzunun")" "${code[01]}"
as ana show "${code[01]}" --lang es >"$work/show.es" 2>&1
claim "show has the name" grep -q "Xhunik Mateo Tzʼunun Palax" "$work/show.es"
claim "show has no raw XML" sh -c "! grep -q '</' '$work/show.es'"
as ana show "${code[01]}" --lang en >"$work/show.en" 2>&1
claim "show in English differs from Spanish" sh -c "! cmp -s '$work/show.es' '$work/show.en'"

claim "ana assigns one case to carla" as ana assign "${code[01]}" "Carla Reyes" --reason "speaks Mam" --words-checked
claim "ana writes a note" as ana note "${code[01]}" "Called the facility: she may be seen on Monday."
claim "ana sends it" as ana sync --yes
as ruth release >/dev/null 2>&1
claim "carla syncs" as carla sync --yes
claim "dora syncs" as dora sync --yes
same "carla sees exactly the case assigned to her" \
	"$(as carla cases --json | grep -o '"code":"[0-9A-Z-]*"' | cut -d'"' -f4)" "${code[01]}"
same "dora sees nothing" "$(n_cases dora)" 0
claim "carla gets the photographs" as carla attachments "${code[01]}" --to "$work/carla-files"
for p in nta-tzunun-hoja1.jpg nta-tzunun-hoja2.jpg dpi-frente-palax.jpg; do
	claim "carla's $p is byte-identical" cmp "tests/e2e/data/$p" "$work/carla-files/$p"
done
claim "carla exports it" as carla export "${code[01]}" --to "$work/carla-export"
claim "the exported instance is byte-identical" \
	sh -c "cmp tests/e2e/data/intake-01.xml $work/carla-export/*/submission.xml"
claim "ben syncs once more" as ben sync --yes
claim "ben sees whom it was assigned to" sh -c "AMPARO_HOME=$work/home/ben $BIN/amparo show ${code[01]} --passphrase-file $work/pass.ben | grep -q 'Carla Reyes'"
claim "ben exports everything" as ben export --all --to "$work/ben-export"
same "twelve instances were exported" "$(ls "$work"/ben-export/*/submission.xml 2>/dev/null | wc -l)" 12
for n in 01 02 03 04 05 06 07 08 09 10 11 12; do
	hit=
	for f in "$work"/ben-export/*/submission.xml; do cmp -s "tests/e2e/data/intake-$n.xml" "$f" && hit=1; done
	same "instance $n came through byte for byte" "$hit" 1
done

# ---- who must not read ----------------------------------------------------------------------
claim "ruth, the administrator, syncs" as ruth sync --yes
refused 1 "the administrator has no cases" as ruth show "${code[01]}"
server_stop s1
claim "no key in the administrator's vault opens a record; a holder's does (control)" \
	"$BIN/tests/tools/tryall" "$work/home/ruth" "$work/pass.ruth" "$work/s1" "$work/home/ana" "$work/pass.ana"
sed 's/^/figure: /' "$work/out"
claim "no key in a volunteer's vault opens a record" \
	"$BIN/tests/tools/tryall" "$work/home/v1" "$work/pass.v1" "$work/s1"
cp tests/e2e/data/canaries.txt "$work/canaries"
printf 'name\t%s\n' "Ruth Alvarez" "Carla Reyes" "Volunteer 1" "Pine Belt Legal Aid" \
	"Called the facility" "speaks Mam" >>"$work/canaries"
for n in 01 02 03; do printf 'code\t%s\n' "${code[$n]}" "${code[$n]/-/}"; done >>"$work/canaries"
claim "nothing that was entered is found on the server (40 planted controls are)" \
	"$BIN/tests/tools/hunt" --plant 40 "$work/canaries" "$work/s1" "$work/s1.log"
sed 's/^/figure: /' "$work/out"
claim "nothing is found in a volunteer's vault at rest" \
	"$BIN/tests/tools/hunt" --plant 40 "$work/canaries" "$work/home/v1"
claim "the servers' logs have only lines of docs/LOGS.md" tests/check-logs.sh "$work"/s?.log
claim "the server's folder is sound" "$BIN/amparod" check --data "$work/s1"
finish
