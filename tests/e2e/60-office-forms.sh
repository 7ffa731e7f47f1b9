#!/usr/bin/env bash
# SPDX-License-Identifier: AGPL-3.0-or-later
# Goal: what an office does with its forms, on a real server: check one, publish it with the
# file it takes choices from, print it, publish a second version, read and export the cases
# of both, see what is urgent and what is due.
. tests/e2e/lib.sh
data=tests/e2e/data/office
in5=$(date -u -d '5 days' +%F)
ago2=$(date -u -d '2 days ago' +%F)
in40=$(date -u -d '40 days' +%F)
today=$(date -u +%F)
# dates FILE: with the days of this run
dates() { sed "s/@IN5@/$in5/g; s/@AGO2@/$ago2/g; s/@IN40@/$in40/g; s/@TODAY@/$today/g" "$1"; }
# says WHAT TEXT: the command before said it
says() { if grep -qF -- "$2" "$work/out" "$work/err"; then ok "$1"; else
	fail "$1: no \"$2\" in:"; sed 's/^/    /' "$work/out" "$work/err"; fi; }

# ---- check, without a vault -----------------------------------------------------------------
nobody() { env -i "$BIN/amparo" "$@" --home "$work/home/nobody"; }
claim "form check takes a form with its file" nobody form check $data/office-1.xml --file $data/towns.csv
says "and says what it is" "office, version 1: 8 questions, in en, es"
refused 1 "without its file it would be refused" nobody form check $data/office-1.xml
says "which names the file" "towns.csv; give it with --file"
refused 1 "a file the form does not name" nobody form check tests/forms/skip.form.xml --file $data/towns.csv
says "is named" "towns.csv"
n=0
for f in tests/forms/refused/*.form.xml; do
	nobody form check "$f" >"$work/out" 2>"$work/err"
	if [ $? -eq 1 ] && [ "$(grep -c '^amparo: .* would be refused: ' "$work/err")" = 1 ]; then n=$((n + 1)); else
		fail "form check of $f"; cat "$work/out" "$work/err"; fi
done
same "form check refuses every form that cannot work, each in one sentence" "$n" \
	"$(ls tests/forms/refused/*.form.xml | wc -l)"
sed 's/<text id="town"><value>Pueblo.*//; s/ relevant="[^"]*" amparo:identity/ amparo:identity/' \
	$data/office-1.xml >"$work/poor.xml"
claim "a form that works badly passes" nobody form check "$work/poor.xml" --file $data/towns.csv
says "the missing translation is found" 'has no label in es'
says "and the name asked for whatever was answered about consent" 'is asked whatever is answered to the question for consent'
nobody form check "$work/poor.xml" --file $data/towns.csv --json >"$work/list"
claim "also as JSON" grep -q '"refused":null,"findings":\[{"question":' "$work/list"
head -c 1100000 /dev/zero | tr '\0' 'a' >"$work/towns.csv"
refused 1 "a file that no part of the bulletin can hold" nobody form check $data/office-1.xml --file "$work/towns.csv"

# ---- print ------------------------------------------------------------------------------------
claim "form print of a file" nobody form print $data/office-1.xml --file $data/towns.csv --lang es --paper a4 -o "$work/paper.html"
html() { grep -qF -- "$1" "$work/paper.html"; }
claim "in Spanish" html '<h1>Visita a la oficina</h1>'
claim "on A4" html '@page{size:A4'
claim "with the choices of its file" html 'Forest, Scott County'
claim "conditions are instructions" html '→ vaya al final'
claim "a slip with an empty case code" html 'Clave del caso'
claim "and room for signatures" html 'Persona voluntaria'
claim "nothing is fetched and nothing runs" sh -c "! grep -qiE 'http|<script|url\(' '$work/paper.html'"
refused 1 "a language the form does not have" nobody form print $data/office-1.xml --lang mam -o "$work/no.html"
says "is answered with those it has" "it has en, es"
nobody form print docs/forms/raid-intake.xml >"$work/paper.html"
claim "to a pipe without -o" html '</html>'
claim "jumps of the intake form" html '→ go to 31'

# ---- publish ----------------------------------------------------------------------------------
claim "an organisation is set up" found s1 || finish
claim "a volunteer joins" enrol v1 "Volunteer 1" volunteer
refused 1 "publishing without the file" as ruth form publish $data/office-1.xml --desk Intake
claim "published nothing" sh -c "! AMPARO_HOME=$work/home/ruth $BIN/amparo form list --json --passphrase-file $work/pass.ruth | grep -q office"
refused 1 "publishing what cannot work" as ruth form publish tests/forms/refused/circle.form.xml --desk Intake
claim "version 1 with its file" as ruth form publish $data/office-1.xml --desk Intake --file $data/towns.csv
says "says so" "8 questions, 1 file"
claim "the volunteer gets it" as v1 sync
claim "and prints it" as v1 form print office --lang en -o "$work/paper.html"
claim "with the organisation and the choices" sh -c "grep -q 'Pine Belt Legal Aid' $work/paper.html && grep -q 'Canton, Madison County' $work/paper.html"
sub() { # sub NAME: seals it, its code to $work/code.NAME
	dates "$data/$1.xml" >"$work/$1.xml"
	as v1 intake submit --instance "$work/$1.xml" --lang es --json | sed -n 's/.*"code":"\([0-9A-Z-]*\)".*/\1/p' >"$work/code.$1"
	[ -s "$work/code.$1" ]
}
claim "an intake with a town of the file" sub ana
claim "an urgent intake" sub beto
claim "version 2, its findings shown" as ruth form publish $data/office-2.xml --desk Intake --file $data/towns.csv
as ruth form list --json >"$work/list"
same "both versions are listed" "$(grep -o '"id":"office","version":"[12]"' "$work/list" | wc -l)" 2
same "one is in use" "$(grep -o '"id":"office"[^}]*"active":[a-z]*' "$work/list" | grep -o '"version":"."\|[a-z]*$' | tr '\n' ' ')" \
	'"version":"1" false "version":"2" true '
refused 1 "the same version twice" as ruth form publish $data/office-2.xml --desk Intake --file $data/towns.csv
claim "the volunteer gets version 2" as v1 sync
claim "an intake that is overdue" sub carla
claim "and one that is due much later" sub dora
claim "the volunteer syncs" as v1 sync
claim "a release" as ruth release
claim "a holder syncs" as ana sync --yes
code() { cat "$work/code.$1"; }

# ---- urgent, due --------------------------------------------------------------------------------
as ana cases >"$work/list"
same "the urgent case leads the list" "$(sed -n 2,3p "$work/list" | grep -o '[0-9A-Z]\{5\}-[0-9A-Z]\{5\}' | head -n 1)" "$(code beto)"
as ana cases --json >"$work/list"
same "also as JSON" "$(grep -o '"code":"[^"]*"' "$work/list" | head -n 1)" "\"code\":\"$(code beto)\""
as ana cases --search "scott" --json >"$work/list"
same "the search finds labels of the file, urgent ones first" \
	"$(grep -o '"code":"[^"]*"' "$work/list" | cut -d'"' -f4 | tr '\n' ' ')" "$(code beto) $(code ana) "
as ana status >"$work/list"
claim "the status begins with the urgent case" sh -c "sed -n 2p $work/list | grep -q 'URGENT: case $(code beto), Beto Lukʼas: nobody has it'"
claim "and says what comes next" grep -q "Next: run .amparo show $(code beto)" "$work/list"
claim "what is due and overdue is counted" grep -q "1 deadline within 14 days, 1 overdue" "$work/list"
as ana cases --due 14d >"$work/list"
same "due within 14 days, earliest first" \
	"$(grep -o '[0-9A-Z]\{5\}-[0-9A-Z]\{5\}' "$work/list" | tr '\n' ' ')" "$(code carla) $(code ana) "
claim "overdue is marked" grep -q "$(code carla).*$ago2 overdue.*Court day" "$work/list"
claim "the next one says how many days" grep -q "$(code ana).*$in5 in 5 d.*Court day" "$work/list"
same "within 6 weeks there is one more" "$(as ana cases --due 6w --json | grep -c '"due":{')" 3
claim "JSON names what is due" sh -c "AMPARO_HOME=$work/home/ana $BIN/amparo cases --due 6w --json --passphrase-file $work/pass.ana | grep -q '\"due\":{\"day\":\"$ago2\",\"what\":\"Court day\",\"overdue\":true}'"
refused 2 "a time that is none" as ana cases --due soon

# ---- show -----------------------------------------------------------------------------------------
claim "a case of version 1" as ana show "$(code ana)" --lang es
says "names its deadline" "Deadline $in5, in 5 days: Día de la audiencia"
says "shows the question version 2 dropped" "Apodo: =HYPERLINK"
says "and the label of the file" "Pueblo: Morton, Scott County"
claim "the urgent case" as ana show "$(code beto)"
says "says why" "Urgent: Is a child alone tonight?: Yes"
claim "a case of version 2" as ana show "$(code carla)"
says "says what is overdue" "Deadline $ago2, overdue: Court day"

# ---- tables, JSON -----------------------------------------------------------------------------------
codes=
for n in ana beto carla dora; do codes="$codes;s/@$n@/$(code $n)/g"; done
claim "export --csv" as ana export --csv --to "$work/tables"
for t in office office-child; do
	dates $data/expected/$t.csv | sed "${codes#;}" >"$work/expected.$t"
	same "$t.csv: the header" "$(head -n 1 "$work/tables/$t.csv")" "$(head -n 1 "$work/expected.$t")"
	same "$t.csv: the rows" "$(tail -n +2 "$work/tables/$t.csv" | LC_ALL=C sort)" "$(tail -n +2 "$work/expected.$t" | LC_ALL=C sort)"
done
same "every file is its owner's alone" "$(stat -c %a "$work"/tables/* | sort -u)" 600
claim "the same export again is no obstacle" as ana export --csv --to "$work/tables"
claim "with labels, split, and nothing disarmed" as ana export --csv --labels --lang es --split --raw --to "$work/labels"
claim "labels in the language" grep -q '"Morton, Scott County"' "$work/labels/office.csv"
claim "the answer as it was given" grep -q ',"=HYPERLINK(""x"")",' "$work/labels/office.csv"
claim "one case" as ana export "$(code dora)" --csv --to "$work/one"
same "one row" "$(tail -n +2 "$work/one/office.csv" | wc -l)" 1
claim "export --json" sh -c "AMPARO_HOME=$work/home/ana $BIN/amparo export --json --passphrase-file $work/pass.ana >$work/all.json"
same "all cases" "$(grep -o '"data":{"form":"office"' "$work/all.json" | wc -l)" 4
claim "with their answers and types" grep -qF "$(dates $data/expected/ana.json)" "$work/all.json"
claim "and with the label of a question that is gone" grep -qF '"path":"/data/nickname","question":"Nickname"' "$work/all.json"
refused 2 "tables without a folder" as ana export --csv
claim "export --all says it too" as ana export --all --to "$work/all"
claim "in the index" grep -q "\"$(code carla)\".*\"$ago2\"" "$work/all/index.csv"

# ---- a assigned case ------------------------------------------------------------------------
claim "an urgent case is given to somebody" as ana assign "$(code beto)" "Ben Carter" --words-checked
as ana status >"$work/list"
claim "the status says so" grep -q "\[x\] URGENT: case $(code beto), Beto Lukʼas: assigned" "$work/list"
# ---- an interview with the form as the bulletin has it ---------------------------------------
printf '%s\n' 1 'Fela Ramírez' 3 2 '' '' '' 2 send '' >"$work/answers"
AMPARO_HOME=$work/home/v1 "$BIN/tests/tools/ontty" --columns 80 --silence 20 --head Question --head Add --head Review \
	--head Sealed "$BIN/amparo" intake fill --form office --lang en --passphrase-file "$work/pass.v1" \
	<"$work/answers" >"$work/fill" 2>&1
same "an interview with the form from the bulletin is sealed" $? 0
claim "and offered the towns of its file" grep -q '3.*Canton, Madison County' "$work/fill"
tr -d '\r' <"$work/fill" | grep -o '[0-9A-Z]\{5\}-[0-9A-Z]\{5\}' | head -n 1 >"$work/code.fela"
claim "the volunteer syncs" as v1 sync
claim "a release" as ruth release
claim "the holder syncs" as ana sync --yes
as ana show "$(code fela)" >"$work/shown"
claim "with the town's label" grep -q 'Canton, Madison County' "$work/shown"

finish
