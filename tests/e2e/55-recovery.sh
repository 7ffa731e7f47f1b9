#!/usr/bin/env bash
# SPDX-License-Identifier: AGPL-3.0-or-later
# Goal: a desk gets a holder that is paper, at a ceremony whose every sheet is read back; the
# shares are rehearsed; then every vault of the desk is destroyed, and a new attorney with three
# of five sheets gets back everything that the servers hold.  A sheet that is wrong is named, and
# two are not enough.
. tests/e2e/lib.sh

claim "an organisation, two servers, a desk and a form are set up" found s1 s2 || finish
for i in 1 2; do claim "volunteer $i joins by invitation" enrol "v$i" "Volunteer $i" volunteer; done
early=$(submit v1 02)
claim "volunteer 1 sends an intake before the ceremony" as v1 sync

# ---- the ceremony ----------------------------------------------------------------------------
cat >"$work/trustees" <<'X'
Ines Prado, Pine Belt Legal Aid
Tom Baker, First Church
Lucia Mena, Workers Centre
Sam Okoro, First Church
Rosa Diaz, Hattiesburg Clinic
X
# the words of a sheet, as somebody types them, a row a line
rows() { sed -n 's/^<tr><th>[0-9]*<\/th>\(.*\)<\/tr>$/\1/p' "$1" | sed 's/<td>//g;s/<\/td>/ /g'; }
# what was printed, wrapped for a terminal, holds this; $1: said (stdout) or why (stderr)
heard() { tr -s '\n ' ' ' <"$work/$1" | grep -q "$2"; }
# answers after the Enter of "all are printed": the sheets are there by then
answers() { local i; for i in $(seq 600); do [ -e "$work/sheets/list.html" ] && break; read -r -t 0.05 <> <(:) || :; done
	mkdir -p "$work/paper"; cp "$work"/sheets/share-*.html "$work/sheets/list.html" "$work/paper"
	echo; "$@"; }
setup() { as ana recovery setup --need 3 --of 5 --sheets "$work/sheets" --trustees-file "$work/trustees"; }

sed 's/First Church/Pine Belt Legal Aid/' "$work/trustees" >"$work/one-org"
refused 1 "one organisation with enough sheets alone is refused" \
	as ana recovery setup --need 3 --of 5 --sheets "$work/sheets" --trustees-file "$work/one-org"
refused 1 "an administrator cannot give a desk a paper holder" \
	as ruth recovery setup --need 3 --of 5 --trustees-file "$work/trustees"
two_only() { rows "$work/paper/share-1.html"; rows "$work/paper/share-2.html"; }
answers two_only | setup >"$work/said" 2>"$work/why"
same "a ceremony whose sheets are not all read back ends" "${PIPESTATUS[1]}" 1
claim "it says that nothing was published" heard why "nothing was published"
same "its files are gone" "$(ls "$work/sheets" 2>/dev/null | wc -l)" 0
as ana desk show Intake >"$work/show" 2>&1
same "and the desk has no paper holder" "$(grep -c 'paper holder' "$work/show")" 0
rm -rf "$work/paper" "$work/sheets"

# sheet 2 with a wrong word first; sheet 4 in the place of 3
all_read() {
	rows "$work/paper/share-1.html"
	rows "$work/paper/share-2.html" | sed '2s/^[a-z]*/zebra/'
	rows "$work/paper/share-2.html"
	rows "$work/paper/share-4.html"; rows "$work/paper/share-3.html"
	rows "$work/paper/share-4.html"; rows "$work/paper/share-5.html"
}
answers all_read | setup >"$work/said" 2>"$work/why"
same "a ceremony whose every sheet was read back is published" "${PIPESTATUS[1]}" 0
sed 's/^/    /' "$work/why"
claim "the wrong word is named by its place" heard said 'word 5 is "[a-z]*", "zebra" was typed' 
claim "the swapped sheet is named" heard said "this is the sheet of share 4, and share 3 is asked for"
same "no file with a share is left" "$(ls "$work/sheets" 2>/dev/null | wc -l)" 0
same "five sheets differ in every row" "$(for i in 1 2 3 4 5; do rows "$work/paper/share-$i.html" | tail -n 7; done | sort -u | wc -l)" 35
claim "a sheet says for whom it is, and not to photograph it" \
	sh -c "grep -q 'Tom Baker' '$work/paper/share-2.html' && grep -q photograph '$work/paper/share-2.html' && ! grep -q 'Rosa Diaz' '$work/paper/share-2.html'"
claim "the list has the trustees and no share" \
	sh -c "grep -q 'Rosa Diaz' '$work/paper/list.html' && ! grep -q '<svg' '$work/paper/list.html'"
claim "release" as ruth release
claim "an administrator's sync lists the new holder" as ruth sync
as ana sync >/dev/null 2>&1
as ben sync >/dev/null 2>&1
as ana desk show Intake >"$work/show" 2>&1
claim "the desk has a paper holder" grep -q "paper holder" "$work/show"
as ben status >"$work/status" 2>&1
claim "the other holder's status says so" grep -q "paper holder of desk Intake: 3 of 5 shares" "$work/status"
for v in v1 v2; do as $v sync >/dev/null 2>&1; done

# ---- intakes, as always ------------------------------------------------------------------------
declare -A code
n=0
for i in 01 03 04 05 06 07 08; do
	n=$((n + 1)); who=v$((n % 2 + 1)); code[$i]=$(submit $who $i)
done
for v in v1 v2; do claim "$v sends the intakes" as $v sync; done
claim "release" as ruth release
claim "ana takes them in" as ana sync --yes
claim "ana writes a note" as ana note "${code[01]}" "Hearing on Monday"
claim "and sends it" as ana sync --yes

# ---- the rehearsal --------------------------------------------------------------------------
three() { for i in "$@"; do rows "$work/paper/share-$i.html"; done; }
three 2 5 | as ana recovery rehearse >"$work/said" 2>"$work/why"
same "two shares are not enough" "${PIPESTATUS[1]}" 1
{ three 5; rows "$work/paper/share-1.html" | sed '3s/ [a-z]* / zebra /'; echo yes; three 5 3; } |
	as ana recovery rehearse >"$work/said" 2>"$work/why"
same "three shares in any order rehearse" "${PIPESTATUS[1]}" 0
claim "a misread word is named by its place and mended" heard said 'Word 10 is not what the sheet says: "zebra"' 
claim "a share that comes twice is named" heard said "share 5 is there already"
claim "the shares are proven and the canary opened" \
	heard said "Rehearsed: 3 of 5 shares of desk Intake proven, canary opened"
# on a terminal: what one trustee typed stands nowhere when the next one sits down
three 1 2 4 >"$work/typed"
as_tty() { AMPARO_HOME=$work/home/ana "$BIN/tests/tools/ontty" --silence 20 "$BIN/amparo" recovery rehearse \
	--passphrase-file "$work/pass.ana" <"$work/typed" >"$work/screen" 2>&1; }
claim "it can be rehearsed on a terminal" as_tty
first_screen() { tr -d '\r' <"$work/screen" | tr '\n' '~' | sed 's/\x1b\[?1049h[^\x1b]*\x1b\[2J\x1b\[H[^\x1b]*\x1b\[2J\x1b\[3J\x1b\[H\x1b\[?1049l/<second>/g' | tr '~' '\n'; }
same "each share is typed on a second screen, which is cleared" "$(first_screen | grep -o '<second>' | wc -l)" 3
left() { first_screen | grep -cF "$(head -n 1 "$work/typed" | sed 's/ *$//')"; }
same "none of its words is left on the first one" "$(left)" 0
same "they were typed (the control: the whole of what the terminal got)" \
	"$(grep -cF "$(head -n 1 "$work/typed" | sed 's/ *$//')" "$work/screen")" 1
claim "release" as ruth release
claim "the other holder syncs" as ben sync --yes
as ben status >"$work/status" 2>&1
claim "her status says when it was rehearsed" grep -q "rehearsed on 20" "$work/status"

# ---- the raid on the office -------------------------------------------------------------------
rm -rf "$work/home/ana" "$work/home/ben"
ok "every vault of the desk was destroyed"
late=$(submit v2 09)
claim "an attorney who was not there before joins" enrol carla "Carla Reyes" attorney
same "she has no cases" "$(as carla cases --json | grep -o '"code"' | wc -l)" 0
refused 1 "an administrator cannot restore" as ruth recovery run
{ three 1 4 2; echo no; } | as carla recovery run >"$work/said" 2>"$work/why"
same "somebody who says no changes nothing" "${PIPESTATUS[1]}" 1
same "she still has no cases" "$(as carla cases --json | grep -o '"code"' | wc -l)" 0
three 1 4 2 | as carla recovery run --yes >"$work/said" 2>"$work/why"
same "three sheets restore the desk" "${PIPESTATUS[1]}" 0
sed 's/^/    /' "$work/why"
grep '^Restored' "$work/said" | sed 's/^/figure: /'
same "every intake since the ceremony is there" "$(as carla cases --json | grep -o '"code"' | wc -l)" 7
# the ninth, by the numbers, is the intake of before the ceremony
claim "what the servers held is restored whole, and what is missing counted" heard said "Restored 8 of 9 entries that were sent to desk Intake: 7 cases"
as carla show "${code[01]}" >"$work/show" 2>&1
claim "a holder's note is among it" grep -q "Hearing on Monday" "$work/show"
claim "she exports it" as carla export "${code[01]}" --to "$work/export"
claim "the instance is byte-identical" sh -c "cmp tests/e2e/data/intake-01.xml $work/export/*/submission.xml"
claim "the photograph is byte-identical" sh -c "cmp tests/e2e/data/nta-tzunun-hoja1.jpg $work/export/*/nta-tzunun-hoja1.jpg"
claim "the intake of before the ceremony is not" sh -c "! AMPARO_HOME=$work/home/carla $BIN/amparo show $early --passphrase-file $work/pass.carla"

# ---- and afterwards ---------------------------------------------------------------------------
claim "release" as ruth release
claim "the administrator's sync lists her as the holder" as ruth sync
claim "she syncs" as carla sync --yes
claim "the volunteer, who has done nothing, sends what he sealed before" as v2 sync
claim "release" as ruth release
claim "she syncs" as carla sync --yes
same "what was sealed before the change is not hers to open" "$(as carla cases --json | grep -c "$late")" 0
three 5 3 4 | as carla recovery run --yes >"$work/said" 2>"$work/why"
same "the old sheets are run once more" "${PIPESTATUS[1]}" 0
same "and it is there" "$(as carla cases --json | grep -c "$late")" 1
claim "release" as ruth release
claim "a volunteer syncs" as v1 sync
after=$(submit v1 10)
claim "an intake of after the change is sealed to her" as v1 sync
claim "release" as ruth release
claim "she syncs" as carla sync --yes
same "she reads it with her own keys" "$(as carla cases --json | grep -c "$after")" 1
three 5 3 4 | as carla recovery rehearse >"$work/said" 2>"$work/why"
same "the used set is not rehearsed" "${PIPESTATUS[1]}" 1
claim "because it was replaced" heard why "that was replaced"
finish
