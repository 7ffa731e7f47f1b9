#!/usr/bin/env bash
# SPDX-License-Identifier: AGPL-3.0-or-later
# Goal: an interview is corrected after it was sealed, by people whose phones kept nothing of
# it; two corrections that differ are shown to both holders alike, one holder settles them,
# and lists, tables and the case as JSON follow.
. tests/e2e/lib.sh

claim "an organisation with two holders" found s1
claim "a volunteer" enrol vera "Vera Soto" volunteer
claim "another volunteer" enrol vito "Vito Paz" volunteer
F="--form raid-intake"
code=$(submit vera 01)
short=$(echo "$code" | tr 'A-Z' 'a-z' | tr -d -)
claim "the interview is sent" as vera sync
claim "a release" as ruth release

# ---- by a phone that kept nothing ------------------------------------------------------------
amend() { local who=$1; shift; printf '%s\n' "$1" >"$work/corrections"; shift
	as "$who" amend "$@" --from "$work/corrections"; }
wrong=${code%?}$([ "${code: -1}" = 0 ] && echo 1 || echo 0)
refused 1 "a mistyped code is refused" amend vera '/data/person/age = 7' "$wrong" $F
grep -q mistyped "$work/err" && ok "and it says so" || fail "and it says so"
refused 1 "each wrong line is named, and nothing is sealed" amend vera \
	$'/data/person/age = old\n/data/nobody = 1\n/data/children/alone = perhaps\n3000 = x\nclear /data\nnonsense' "$code" $F
same "six faults" "$(grep -c '^ *- line' "$work/err")" 6
waiting() { as "$1" outbox --json | sed 's/.*"submissions":\([0-9]*\).*/\1/'; }
same "nothing waits" "$(waiting vera)" 0
claim "a correction, by the code in another spelling" amend vera \
	$'# as the aunt told it\n/data/person/name = Xhunik Mateo\n/data/person/home_town=San Juan\nclear /data/person/aliases\n/data/person/age = 39\n/data/children/alone = yes\nadd /data/children/family/member[+1]\n/data/children/family/member[+1]/name = Luz\nremove /data/children/family/member[3]\n/data/children/family/member[2]/age = 10' "$short" $F
claim "the same person, once more" amend vera '/data/person/home_town = San Juan Ixcoy' "$code" $F
claim "somebody else, who heard otherwise" amend vito \
	$'/data/person/name = Juan Mateo Sunún\n/data/arrest/town = Morton' "$code" $F
refused 2 "an answer in the command line is not taken" as vera amend "$code" $F extra
for who in vera vito; do claim "$who sends" as $who sync; done
same "nothing of it stays with the volunteer" "$(as vera drafts --json)" '{"drafts":[]}'
claim "a release of the corrections" as ruth release
for who in ana ben; do claim "$who fetches" as $who sync; done

# ---- what both holders see --------------------------------------------------------------------
page() { as "$1" show "$code"; }
for who in ana ben; do page $who >"$work/page.$who"; done
claim "both holders see the same" cmp "$work/page.ana" "$work/page.ben"
has() { if grep -qF -- "$2" "${3:-$work/page.ana}"; then ok "$1"; else fail "$1: no \"$2\""; cat "${3:-$work/page.ana}"; fi; }
has "it is urgent now: a child is alone" "URGENT"
has "two people differ on the name" "Corrections differ on 1 answer"
has "one of them" "- Xhunik Mateo ("
has "and the other" "- Juan Mateo Sunún ("
has "what was answered at the interview" "at the interview: Xhunik Mateo Tzʼunun Palax"
has "the later word of one person is the answer" ": San Juan Ixcoy"
has "who corrected it" "corrected "
has "what was taken away" "Taken away or left blank by corrections"
has "the new child" "Luz"
has "what the corrections leave open" "With the corrections the form would say"
as ana show "$code" --json >"$work/case.json"
claim "the case as JSON says so too" python3 - "$work/case.json" <<'P'
import json, sys
case = json.load(open(sys.argv[1]))
assert case["conflicts"] == 1
rows = {r["path"]: r for r in case["interviews"][0]["answers"]}
name = rows["/data/person/name"]
assert name["conflict"] and len(name["corrected"]) == 2 and all(s["stands"] for s in name["corrected"])
town = rows["/data/person/home_town"]
assert not town["conflict"] and [s["stands"] for s in town["corrected"]] == [False, True]
assert "/data/person/aliases" not in rows
members = [m.get("name") for m in case["interviews"][0]["data"]["answers"]["children"]["family"]["member"]]
assert members[-1] == "Luz" and "Xhuxhep" not in members, members
assert rows["/data/children/family/member[2]/age"]["value"] == "10"
states = [c["state"] for k in case["corrections"] for c in k["changes"]]
assert states.count("conflict") == 2 and states.count("replaced") == 1, states
P
claim "tables" as ana export --csv --to "$work/tables"
claim "their rows are corrected, and name what is" python3 - "$work/tables" <<'P'
import csv, glob, sys
row = list(csv.DictReader(open(sys.argv[1] + "/raid-intake.csv")))[0]
assert row["person-home_town"] == "San Juan Ixcoy", row["person-home_town"]
assert row["Conflicts"] == "/data/person/name" and "/data/person/home_town" in row["Corrected"]
changes = list(csv.DictReader(open(sys.argv[1] + "/corrections.csv")))
assert {c["State"] for c in changes} == {"counts", "conflict", "replaced"}
assert [c["Change"] for c in changes].count("taken away") == 2
P

# ---- a holder settles it, at the terminal ------------------------------------------------------
printf '%s\n' '.list' 'nobody has such words' '500' 'family says' >"$work/typed"
num=$(as ana amend "$code" <"$work/typed" 2>&1 | tee "$work/asked" | sed -n 's/^ *\([0-9]*\)\. .*the family says.*/\1/p' | head -1)
has "a few words are enough for one question" "Question $num" "$work/asked"
[ -n "$num" ] && ok "questions are found by their words" || { fail "questions are found by their words"; cat "$work/asked"; }
printf '%s\n' "$num" 'Xhunik Mateo' >"$work/typed"
as ana amend "$code" <"$work/typed" >"$work/asked" 2>&1
same "the input ended: interrupted" "$?" 3
has "the question shows what differs" "- Juan Mateo Sunún (" "$work/asked"
has "the correction is kept" "amparo amend --resume 1" "$work/asked"
has "drafts name it" "correction" <(as ana drafts)
refused 1 "it is no interview" as ana intake fill --resume 1
printf '%s\n' '.review' 's' >"$work/typed"
claim "taken up again and sealed" as ana amend --resume 1 <"$work/typed"
same "the draft is gone" "$(as ana drafts --json)" '{"drafts":[]}'
claim "she sends it" as ana sync
claim "a third release" as ruth release
claim "her colleague fetches" as ben sync
for who in ana ben; do page $who >"$work/page.$who"; done
claim "both see the same again" cmp "$work/page.ana" "$work/page.ben"
grep -q CONFLICT "$work/page.ana" && fail "nothing differs any more" || ok "nothing differs any more"
has "the answer that was chosen" ": Xhunik Mateo"

# ---- at the terminal of a phone that kept nothing ------------------------------------------------
# which of the two questions "Edad en años" is the one of the family
num=$(echo .lista | as vito amend "$code" $F --lang es 2>&1 | sed -n 's/^ *\([0-9]*\)\. Edad en años.*/\1/p' | tail -1)
printf '%s\n' 'edad en años' '.eliminar' 'no' "$num" 2 'once' 11 '.revisar' 1 "$num" '- 1' 'sí' "$num" + 3 \
	.revisar s >"$work/typed"
as vito amend "$code" $F --lang es <"$work/typed" >"$work/asked" 2>&1
rc=$?
[ $rc -eq 0 ] && ok "in Spanish, with a child taken out" || { fail "in Spanish, with a child taken out: $rc"; cat "$work/asked"; }
has "nothing of the interview is shown to him" "no se pueden mostrar" "$work/asked"
grep -q 'Luz\|Palas' "$work/asked" && fail "no name is" || ok "no name is"
finish
