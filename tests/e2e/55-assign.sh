#!/usr/bin/env bash
# SPDX-License-Identifier: AGPL-3.0-or-later
# Goal: who has a case, by the real programs: given to attorneys and interpreters, several at
# once, taken back, passed to somebody else with everything, answered, declined, recused,
# unanswered; every refusal a sentence.  One server.
. tests/e2e/lib.sh

claim "an organisation, a server, a desk of two holders and a form are set up" found s1 || finish
claim "carol, an attorney, joins" enrol carol "Carol Diaz" attorney
claim "iris, an interpreter, joins" enrol iris "Iris Xol" interpreter
claim "a volunteer joins" enrol v1 "Vera Uno" volunteer
claim "a release shows their keys" as ruth release
for i in ana ben carol iris v1; do claim "$i syncs" as $i sync; done

# a round: everybody named sends, the server releases, everybody named receives
round() {
	local i
	for i in "$@"; do as "$i" sync --yes >"$work/sync.$i" 2>&1; done
	as ruth release >/dev/null
	for i in "$@"; do as "$i" sync --yes >>"$work/sync.$i" 2>&1; done
}
# with_clock DAYS NAME COMMAND…: as NAME, on a device whose clock is so many days ahead
with_clock() {
	local days=$1 who=$2
	shift 2
	AMPARO_TEST_CLOCK=$((days * 86400)) AMPARO_HOME=$work/home/$who \
		"$BIN/tests/tools/amparo_clock" "$@" --passphrase-file "$work/pass.$who"
}
n_cases() { as "$1" cases --json "${@:2}" | grep -o '{"code"' | wc -l; }
# says WHO PATTERN COMMAND…: the command's output has the pattern
says() { local pattern=$1; shift; "$@" 2>&1 | grep -q -- "$pattern"; }
# said TEXT PATTERN: what the last command said
said() { if grep -q -- "$2" "$work/err" "$work/out"; then ok "$1"; else
	fail "$1"; sed 's/^/    /' "$work/out" "$work/err"; fi; }

for n in 01 02 03 04 05 06; do eval "code$n=\$(submit v1 $n)"; done
round v1 ana ben
same "six intakes reach ana" "$(n_cases ana)" 6
claim "dan, an attorney, joins late" enrol dan "Dan Okoro" attorney
claim "ana knows of him" as ana sync

# ---- refusals ------------------------------------------------------------------------------------
refused 1 "nobody of that name" as ana assign "$code01" Zacarias --words-checked
said "  says so" 'no attorney or interpreter is called "Zacarias"'
refused 1 "who has no keys yet" as ana assign "$code01" dan --words-checked
said "  says so" "Dan Okoro has not published keys yet"
refused 1 "the first time, words are compared" as ana assign "$code01" carol </dev/null
said "  says so" "If the words were others, assign nothing to this name"
refused 1 "who holds nothing assigns nothing" as carol assign "$code01" dan --words-checked
refused 2 "without a name" as ana assign "$code01"
refused 2 "with days that are none" as ana assign "$code01" carol --answer-days soon
refused 1 "a case nobody has is not taken back" as ana unassign "$code01" carol
said "  says so" "this person does not have it"

# ---- given, answered, shown ----------------------------------------------------------------------
claim "ana gives carol a case, and iris for interpreting" \
	as ana assign "$code01" carol iris --words-checked --reason "speaks Mam"
said "  carol is asked by a day" "assigned to Carol Diaz.*to answer by 20"
said "  iris visibly interprets" "assigned for interpreting to Iris Xol"
refused 1 "who was asked is not asked again" as ana assign "$code01" carol
said "  says so" "Carol Diaz was asked already and has not answered yet"
claim "three cases at once" as ana assign --to carol "$code02" "$code03" "$code04"
same "  are three sentences" "$(grep -c 'assigned to Carol Diaz' "$work/out")" 3
claim "ben, who knows nothing of it yet, notes something" as ben note "$code01" "la tía tiene la llave"
round ana ben
round ana ben carol iris
same "carol has four" "$(n_cases carol)" 4
same "iris has one" "$(n_cases iris)" 1
claim "carol's status says what waits for her" says "4 cases wait for your answer" as carol status
claim "ben's note is with carol" says "la tía tiene la llave" as carol show "$code01"
claim "carol sees that iris interprets" says "assigned to Iris Xol for interpreting" as carol show "$code01"
claim "and why she was asked" says "speaks Mam" as carol show "$code01"
claim "the case of an interpreter alone waits for an attorney" as ana assign "$code05" iris
claim "  in the list" says "$code05.*Iris Xol (interpreter): asked" as ana cases --waiting
claim "carol accepts" as carol accept "$code01" --reason "tomorrow at nine"
claim "iris accepts too" as iris accept "$code01"
refused 1 "twice is refused" as carol accept "$code01"
said "  says so" "you accepted it already"
claim "iris notes something" as iris note "$code01" "prefers Mam of Todos Santos"
round carol iris
round ana ben carol iris
claim "ana sees who has it since when" says "$code01.*Carol Diaz: accepted 20" as ana cases
claim "  and who interprets" says "$code01.*Iris Xol (interpreter): accepted 20" as ana cases
claim "so does ben" says "$code01.*Carol Diaz: accepted" as ben cases
claim "what iris noted reached carol" says "Todos Santos" as carol show "$code01"
claim "what carol said reached iris" says "tomorrow at nine" as iris show "$code01"
same "once" "$(as carol show "$code01" | grep -c "Todos Santos")" 1
same "carol's own list" "$(n_cases carol --mine)" 4
refused 1 "who has it is not asked again" as ben assign "$code01" carol --words-checked
said "  says so" "Carol Diaz has it already and accepted it"

# ---- a holder takes one --------------------------------------------------------------------------
claim "ana takes a case herself" as ana assign "$code06" me
claim "  and has it" says "$code06.*Ana Ruiz: accepted" as ana cases --mine

# ---- declined, recused ---------------------------------------------------------------------------
photo=$(as carol show "$code02" --json | grep -o '"attachments":\[[^]]' | head -c 40)
refused 1 "without a yes nothing is declined" as carol decline "$code02" </dev/null
claim "carol declines one" as carol decline "$code02" --reason "in court until Friday" --yes
said "  and it is gone from her device" "no longer on this device"
refused 1 "  she cannot open it" as carol show "$code02"
claim "carol recuses herself from one" as carol recuse "$code03" --yes
refused 1 "  she cannot open it" as carol show "$code03"
same "  nor find it" "$(n_cases carol)" 2
round carol ana ben
claim "the holders see why it came back" says "in court until Friday" as ben show "$code02"
claim "  in the list of what waits" says "$code02.*returned.*Carol Diaz: declined" as ben cases --waiting
claim "  and the other, for good" says "$code03.*Carol Diaz: recused" as ben cases --waiting
refused 1 "she is never asked again" as ben assign "$code03" carol
said "  says why" "a conflict of interest that does not end"
claim "what was declined may be assigned again" as ben assign "$code02" carol
round ben carol
claim "  and is there again" says "Case $code02" as carol show "$code02"
same "  with its attachments" "$(as carol show "$code02" --json | grep -o '"attachments":\[[^]]' | head -c 40)" "$photo"
refused 1 "a recused case does not come back" as carol show "$code03"

# ---- taken back ----------------------------------------------------------------------------------
claim "ana takes one back" as ana unassign "$code04" carol --reason "on leave"
refused 1 "  once" as ana unassign "$code04" carol
said "  says so" "taken back from this person already"
round ana carol ben
claim "carol is told, by the code alone" grep -q "Case $code04 was taken back by the desk; it is no longer on this device." "$work/sync.carol"
same "  once" "$(cat "$work/sync.carol" <(as carol sync 2>&1) | grep -c 'was taken back')" 1
refused 1 "  she cannot open it" as carol show "$code04"
claim "ruth looks at the server" as ruth sync
claim "carol's copies are asked to be erased there" test "$(as ruth status --json | grep -o '"erasures":[0-9]*' | cut -d: -f2)" -gt 0
claim "the desk has it as before" as ana show "$code04"
claim "its history says so in words" says "taken back from Carol Diaz" as ben show "$code04"

# ---- not answered --------------------------------------------------------------------------------
claim "ana asks dan, for two days" as ana assign "$code04" dan --answer-days 2 --words-checked
round ana dan ben
claim "two days later he is still asked" says "$code04.*assigned.*Dan Okoro: asked" with_clock 2 ana cases --waiting
claim "three days later it is back at the desk, first in the list" test -n "$(with_clock 3 ana cases --waiting | sed -n 3p | grep "$code04.*returned.*Dan Okoro: no answer")"
claim "  status says so" says "1 case is back at the desk: nobody answered in time" with_clock 3 ben status
claim "he can still say yes" with_clock 3 dan accept "$code04"
round dan ana ben
claim "  which counts" says "$code04.*accepted.*Dan Okoro: accepted" with_clock 4 ana cases

# ---- reassigned ----------------------------------------------------------------------------------
refused 2 "from nobody" as ana reassign --to dan --all
refused 1 "from somebody who was never there" as ana reassign --from Zacarias --to dan --all
refused 1 "from who has none" as ana reassign --from ben --to dan --all
refused 1 "without a yes" as ana reassign --from carol --to dan --all --words-checked </dev/null
said "  it lists first" "2 cases from Carol Diaz to Dan Okoro"
claim "her cases go to dan" as ana reassign --from "Carol Diaz" --to dan --all --yes
said "  both" "2 cases are reassigned"
refused 1 "again there is nothing to do" as ana reassign --from "Carol Diaz" --to dan --all --yes
round ana ben dan
claim "dan has what carol accepted, with its notes" says "Todos Santos" as dan show "$code01"
claim "the history knows her name" says "taken back from Carol Diaz" as ben show "$code01"

# ---- closed --------------------------------------------------------------------------------------
claim "a case is closed" as ben close "$code05" --reason "reunited"
refused 1 "  once" as ben close "$code05"
refused 1 "  and is not assigned" as ben assign "$code05" dan --words-checked
same "  it waits for nobody" "$(as ben cases --waiting | grep -c "$code05")" 0
claim "and opened again" as ben reopen "$code05"
refused 1 "dan, who holds nothing, closes nothing" as dan close "$code01"

# ---- 40 columns ----------------------------------------------------------------------------------
AMPARO_HOME=$work/home/ana "$BIN/tests/tools/ontty" --columns 40 "$BIN/amparo" cases \
	--passphrase-file "$work/pass.ana" </dev/null >"$work/tty" 2>&1
claim "at 40 columns no line is longer" test "$(tr -d '\r' <"$work/tty" | LC_ALL=C.UTF-8 wc -L)" -le 40
claim "  and each case is there" test "$(grep -c -e "$code01" -e "$code02" -e "$code04" "$work/tty")" -eq 3
finish
