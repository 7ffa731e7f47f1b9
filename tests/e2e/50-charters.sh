#!/usr/bin/env bash
# SPDX-License-Identifier: AGPL-3.0-or-later
# Goal: who holds a desk changes by the signatures of those who hold it, and by nothing else;
# desks of two organisations in one roster stay apart; a desk vouches for another; a record is
# referred with the client's recorded consent.  Real programs, one server.
. tests/e2e/lib.sh

claim "an organisation, a server, a desk of two holders and a form are set up" found s1 || finish
claim "carol, an attorney, joins" enrol carol "Carol Diaz" attorney
claim "dan, an attorney of another organisation, joins" enrol dan "Dan Okoro" attorney
claim "eva, an attorney, joins" enrol eva "Eva Lim" attorney
claim "fay, an attorney who holds nothing, joins" enrol fay "Fay Gold" attorney
claim "a volunteer of the first desk joins" enrol v1 "Vera Uno" volunteer
claim "a release shows their keys" as ruth release
for i in ana ben carol dan eva fay v1 ruth; do claim "$i syncs" as $i sync; done

n_cases() { as "$1" cases --json | grep -o '"code"' | wc -l; }
# a round: everybody named sends, the server releases, everybody named receives
round() {
	local i
	for i in "$@"; do as "$i" sync --yes >/dev/null 2>"$work/err" || cat "$work/err"; done
	as ruth release >/dev/null
	for i in "$@"; do as "$i" sync --yes >/dev/null 2>"$work/err" || cat "$work/err"; done
}

# ---- a second holder's signature is not asked for: threshold 1 ----------------------------------
refused 1 "without comparing words nobody is added" as ana desk change Intake --add "Carol Diaz" --yes </dev/null
refused 1 "who holds no desk proposes nothing" as carol desk change Intake --add "Carol Diaz" --yes --words-checked
refused 1 "nor does an administrator" as ruth desk change Intake --add "Carol Diaz" --yes --words-checked
refused 1 "an administrator is no holder" as ana desk change Intake --add "Ruth Alvarez" --yes --words-checked
refused 1 "all cannot leave at once" as ana desk change Intake --add "Carol Diaz" --remove "Ana Ruiz" --remove "Ben Carter" --yes --words-checked
refused 1 "a threshold as high as the number is refused" as ana desk change Intake --add "Carol Diaz" --threshold 3 --yes --words-checked
refused 1 "without a yes nothing is signed" as ana desk change Intake --add "Carol Diaz" --words-checked </dev/null
words1=$(as v1 about | grep -A1 '^Desk Intake' | tail -n 1)
as ana desk change Intake --add "Carol Diaz" --threshold 2 --yes --words-checked >"$work/said" 2>&1
same "ana adds carol; two must sign from then on" $? 0
claim "one signature is what the first charter asks for" grep -q "signatures it needs" "$work/said"
claim "a release" as ruth release
claim "ruth's sync lists it, without a command" as ruth sync
for i in ana ben carol v1; do claim "$i syncs, and is asked nothing" as $i sync </dev/null; done
same "carol holds it for ruth" "$(as ruth desk show Intake | grep -c '^  Carol Diaz$')" 1
same "the words of the training sheet are the same" "$(as v1 about | grep -A1 '^Desk Intake' | tail -n 1)" "$words1"
about() { as "$1" about | grep -A2 'Its holders changed' | tail -n 2 | head -n 1; }
claim "about shows the words of who holds it now" test -n "$(about v1)"
same "the same on another device" "$(about v1)" "$(about ben)"
round ana ben carol v1 ruth
code1=$(submit v1 02)
round v1 ana ben carol
for i in ana ben carol; do same "the new intake reaches $i" "$(n_cases $i)" 1; done

# ---- now two of three sign; who is removed gets nothing new --------------------------------------
as ana desk change Intake --remove "Ben Carter" --add "Eva Lim" --yes --words-checked >"$work/said" 2>&1
same "ana proposes that eva takes ben's place" $? 0
claim "which is one of two signatures" grep -q "1 of 2 signatures" "$work/said"
claim "a release" as ruth release
claim "ruth's sync lists nothing yet" as ruth sync
same "ben still holds it" "$(as ruth desk show Intake | grep -c '^  Ben Carter$')" 1
same "ruth sees what is proposed" "$(as ruth status | grep -c 'desk Intake is to change: Eva Lim joins; Ben Carter leaves (1 of 2 signatures)')" 1
claim "carol syncs" as carol sync
same "carol is told" "$(as carol status | grep -c 'desk Intake is to change: Eva Lim joins; Ben Carter leaves (1 of 2 signatures)')" 1
refused 1 "without a yes she signs nothing" as carol desk sign Intake </dev/null
claim "she signs" as carol desk sign Intake --yes --words-checked
claim "a release" as ruth release
claim "ruth's sync lists it" as ruth sync
round ana ben carol eva v1
same "ben holds it no more" "$(as ruth desk show Intake | grep -A9 '^It was held by' | grep -c '^  Ben Carter$')" 1
code2=$(submit v1 03)
round v1 ana ben carol eva
same "a new intake reaches ana" "$(n_cases ana)" 2
same "and carol" "$(n_cases carol)" 2
claim "and eva, who is new" test "$(n_cases eva)" -ge 1
same "and not ben" "$(n_cases ben)" 1
refused 1 "ben can propose nothing any more" as ben desk change Intake --add "Ben Carter" --yes --words-checked

# ---- two proposals for one version: one is listed -------------------------------------------------
claim "ana proposes to add ben again" as ana desk change Intake --add "Ben Carter" --yes --words-checked
claim "carol, who does not know, proposes to add dan" as carol desk change Intake --add "Dan Okoro" --yes --words-checked
claim "a release" as ruth release
for i in ana carol; do claim "$i syncs" as $i sync; done
refused 1 "ana is asked which of them" as ana desk sign Intake --number 2 --yes --words-checked
claim "she signs carol's as well" as ana desk sign Intake --yes --words-checked
claim "a release" as ruth release
claim "ruth lists the complete one" as ruth sync
claim "ana syncs" as ana sync
same "dan holds it" "$(as ana desk show Intake | grep -c '^  Dan Okoro$')" 1
same "ana is told that hers was overtaken" "$(as ana status | grep -c 'a change of desk Intake that you signed was not listed')" 1
claim "it is taken back by two signatures" as ana desk change Intake --remove "Dan Okoro" --yes
claim "a release" as ruth release
claim "carol syncs" as carol sync
claim "carol signs it" as carol desk sign Intake --yes
claim "a release" as ruth release
claim "ruth lists it" as ruth sync
round ana carol dan v1

# ---- a desk of another organisation ----------------------------------------------------------------
claim "ruth proposes a desk of another organisation" as ruth desk create Delta --holders "Dan Okoro,Ben Carter" --org "Delta Defense"
claim "a release" as ruth release
for i in dan ben; do
	claim "$i syncs" as $i sync
	claim "$i signs" as $i desk sign Delta
done
claim "a release" as ruth release
claim "ruth syncs" as ruth sync
claim "ruth lists it" as ruth desk publish Delta
sed 's/raid-intake/delta-intake/g' docs/forms/raid-intake.xml >"$work/delta.xml"
claim "its form is published" as ruth form publish "$work/delta.xml" --desk Delta
round dan ben ana carol v1
sed 's/raid-intake/delta-intake/g' tests/e2e/data/intake-04.xml >"$work/delta-04.xml"
refused 1 "v1's device seals nothing to a desk that nothing vouches for" \
	as v1 intake submit --instance "$work/delta-04.xml" --lang en
same "to ana's device it is unknown" "$(as ana desk show Delta | grep -c '^Trust: unknown')" 1
claim "ana vouches for it, as a holder of Intake" as ana desk countersign Delta --yes
refused 1 "dan cannot vouch for his own desk" as dan desk countersign Delta --yes
claim "a release" as ruth release
claim "ruth's sync lists nothing yet: two must sign" as ruth sync
claim "carol syncs" as carol sync
same "carol is told" "$(as carol status | grep -c 'desk Intake vouches for desk Delta: 1 of 2 signatures')" 1
claim "v1 syncs" as v1 sync
same "v1's device still does not trust it" "$(as v1 desk show Delta | grep -c '^Trust: unknown')" 1
claim "carol vouches too" as carol desk countersign Delta --yes
claim "a release" as ruth release
claim "ruth's sync lists it, without a command" as ruth sync
claim "v1 syncs, and is asked nothing" as v1 sync </dev/null
same "v1's device trusts it" "$(as v1 desk show Delta | grep -c '^Trust: pinned by the signatures of a desk')" 1
code3=$(as v1 intake submit --instance "$work/delta-04.xml" --lang en --json | sed -n 's/.*"code":"\([0-9A-Z-]*\)".*/\1/p')
claim "an intake for it is sealed" test -n "$code3"
round v1 ana ben carol dan
same "dan has it" "$(n_cases dan)" 1
same "ben has it, beside the old one" "$(n_cases ben)" 2
same "ana has her two and not this one" "$(n_cases ana)" 2
refused 1 "ana cannot show it" as ana show "$code3"

# ---- a record is referred, with consent or not at all -----------------------------------------------
code4=$(submit v1 01)
round v1 ana carol eva
as ana note "$code4" "Only for us: her brother is in another facility." >/dev/null
refused 1 "without consent nothing is referred" as ana refer "$code4" --to Delta --yes </dev/null
refused 1 "nor with an empty one" as ana refer "$code4" --to Delta --consent " " --yes
refused 1 "nor with one of tomorrow" as ana refer "$code4" --to Delta --consent "Yes" --consent-day 2100-01-01 --yes
refused 1 "nor without a yes" as ana refer "$code4" --to Delta --consent "Yes" </dev/null
refused 1 "nobody else refers it" as dan refer "$code4" --to Delta --consent "Yes" --yes
refused 1 "a case of the desk itself is not referred to it" as ana refer "$code4" --to Intake --consent "Yes" --yes
printf '%s\n' "Yes, to Delta for the bond hearing, not to anybody else" "2026-01-05" "Vera Uno" "es" y |
	as ana refer "$code4" --to Delta --reason "They speak Mam" >"$work/said" 2>"$work/err"
same "asked one by one, she refers it" $? 0
claim "what travels was said before" grep -q "1 interview with its signature" "$work/said"
claim "and what stays" grep -q "Not: notes, answers and assignments" "$work/said"
round ana carol dan ben
as ana show "$code4" >"$work/here"
as carol show "$code4" >"$work/here2"
as dan show "$code4" --lang es >"$work/there"
claim "ana's case says where it went" grep -q "Referred to the desk Delta on 2" "$work/here"
claim "her co-holder's says so too" grep -q "Referred to the desk Delta on 2" "$work/here2"
claim "with the consent" grep -q "bond hearing, not to anybody else" "$work/here2"
claim "dan's says where it came from" grep -q "Referred on 2.* by Ana Ruiz of the desk Intake" "$work/there"
claim "with the consent" grep -q "bond hearing, not to anybody else" "$work/there"
claim "who recorded it, when and in which language" grep -q "recorded on 2026-01-05 by Vera Uno, asked in es" "$work/there"
claim "the answers are there" grep -q "Xhunik Mateo Tzʼunun Palax" "$work/there"
claim "the note is not" sh -c "! grep -q 'another facility' '$work/there'"
claim "ana has the note (control)" grep -q "another facility" "$work/here"
claim "dan gets the photographs" as dan attachments "$code4" --to "$work/dan-files"
for p in nta-tzunun-hoja1.jpg nta-tzunun-hoja2.jpg dpi-frente-palax.jpg; do
	claim "dan's $p is byte-identical" cmp "tests/e2e/data/$p" "$work/dan-files/$p"
done
claim "ben, who holds Delta too, has it" as ben show "$code4"
same "nothing is missing in the count of anybody's messages" "$(as dan status | grep -c 'have not arrived')" 0
refused 1 "dan does not refer it further" as dan refer "$code4" --to Intake --consent "Yes" --yes
claim "dan assigns it to fay, who holds nothing" as dan assign "$code4" "Fay Gold" --words-checked
round dan fay
as fay show "$code4" >"$work/fay"
claim "she has it with the consent" grep -q "bond hearing, not to anybody else" "$work/fay"
claim "and the desk it came from" grep -q "by Ana Ruiz of the desk Intake" "$work/fay"
claim "her answer goes to dan's desk" as fay accept "$code4"
round fay dan
claim "dan has her answer" sh -c "AMPARO_HOME=$work/home/dan $BIN/amparo show $code4 --passphrase-file $work/pass.dan | grep -q 'Fay Gold (accepted'"
finish
