#!/usr/bin/env bash
# SPDX-License-Identifier: AGPL-3.0-or-later
# Goal: a family withdraws its consent.  A volunteer asks by the slip, a holder orders; what
# rests can be stopped and voided; afterwards neither holder's vault has a byte of the case,
# not even in pages that were freed, and a legal hold keeps one copy of another.
. tests/e2e/lib.sh
PROBE=$BIN/tests/tools/device_probe

# ---- days go by ------------------------------------------------------------------------------
AMPAROD=tests/tools/amparod_clock
now=0
set_clock() { now=$1; echo "$now" >"$work/clock.s1"; }
set_clock 0
eval "$(declare -f server_start | sed 's/^server_start /server_start_plain /')"
server_start() { AMPAROD_TEST_CLOCK=$work/clock.$1 server_start_plain "$@"; }
as() {
	local who=$1
	shift
	AMPARO_TEST_CLOCK=$now AMPARO_HOME=$work/home/$who "$BIN/tests/tools/amparo_clock" "$@" \
		--passphrase-file "$work/pass.$who"
}
day() { set_clock $((now + 86400)); as ruth release >/dev/null; }
# what the vault of NAME holds, freed pages too, has of the family's words
words() { "$PROBE" dump "$work/home/$1" "$work/pass.$1" "$work/dump" >/dev/null 2>&1 || return 1
	grep -aoiE 'Tzʼunun Palax|tzunun|Yulaqʼanil|Tallahoma Springs Elementary' "$work/dump" | wc -l; }

claim "an organisation with two holders" found s1 || finish
claim "a volunteer" enrol vera "Vera Soto" volunteer
code=$(submit vera 01)
other=$(submit vera 02)
claim "two interviews with photographs are sent" as vera sync
claim "a release" as ruth release
for who in ana ben; do claim "$who reads them" as $who sync --yes; done
for who in ana ben; do
	n=$(words $who)
	[ "${n:-0}" -gt 0 ] && ok "the hunt finds the family in ${who}'s opened vault (control): $n" || fail "control: $n"
done

# ---- asked, and answered no -----------------------------------------------------------------------
refused 1 "a mistyped code asks nothing" as vera erase "${code%?}$([ "${code: -1}" = 0 ] && echo 1 || echo 0)" --yes
claim "the volunteer asks by the slip" as vera erase "$code" --reason "the mother called" --yes
claim "and sends it" as vera sync
day
for who in ana ben; do claim "$who fetches" as $who sync; done
as ana status >"$work/status"
grep -q "1 family asks to have a case erased" "$work/status" && ok "status says that somebody asks" || fail "status: $(cat "$work/status")"
claim "the list says who" sh -c "AMPARO_TEST_CLOCK=$now AMPARO_HOME=$work/home/ana $BIN/tests/tools/amparo_clock erase --passphrase-file $work/pass.ana | grep -q 'asked for by volunteer 1'"
claim "nothing follows from it" as ana show "$code"
refused 1 "an order that is not agreed to is none" sh -c "echo no | AMPARO_TEST_CLOCK=$now AMPARO_HOME=$work/home/ana $BIN/tests/tools/amparo_clock erase $code --passphrase-file $work/pass.ana"

# ---- ordered, and stopped; ordered, and voided --------------------------------------------------------
claim "a holder orders it" as ana erase "$code" --reason "asked on Friday" --yes
claim "and sends it" as ana sync
day
claim "her colleague hears of it" as ben sync
as ben show "$code" | grep -q "To be erased from" && ok "the case says so" || fail "the case says so"
claim "he stops it" as ben erase "$code" --stop --reason "they were asked again"
claim "and sends it" as ben sync
for i in 1 2 3 4 5; do day; as ana sync >/dev/null; as ben sync >/dev/null; done
claim "it stays with her" as ana show "$code"
claim "and with him" as ben show "$code"
claim "she orders both" as ana erase "$code" --yes
claim "  the other one too" as ana erase "$other" --yes
claim "and sends it" as ana sync
day
claim "the administrator voids what was ordered" as ruth erasures void --all --by "Ana Ruiz"
for i in 1 2 3 4 5; do day; as ana sync >/dev/null; as ben sync >/dev/null; done
for who in ana ben; do claim "both stay with $who" sh -c "[ \$(AMPARO_TEST_CLOCK=$now AMPARO_HOME=$work/home/$who $BIN/tests/tools/amparo_clock cases --json --passphrase-file $work/pass.$who | grep -o '\"code\"' | wc -l) = 2 ]"; done

# ---- ordered, and carried out; one of them held -----------------------------------------------------
claim "a court holds the other one on ben's device" as ben hold "$other" --reason "order of 3 December"
claim "she orders both anew" as ana erase "$code" --yes
claim "  the other one too" as ana erase "$other" --yes
claim "and sends it" as ana sync
for i in 1 2 3 4 5; do day; as ana sync >/dev/null; done
refused 1 "it is gone from her device" as ana show "$code"
as ana erase >"$work/list"
grep -q "waiting for: Ben Carter" "$work/list" && ok "she sees who is waited for" || { fail "she sees who is waited for"; cat "$work/list"; }
claim "he was away, and complies at his next sync" as ben sync
refused 1 "it is gone from his device" as ben show "$code"
as ben show "$other" | grep -q "kept here under the hold" && ok "what is held is kept, and says so" || fail "what is held is kept"
refused 1 "nothing of it is passed on" as ben note "$other" "for all"
as ben export --all --to "$work/out.ben" >"$work/exported" 2>&1
grep -q "left out: erased elsewhere" "$work/exported" && ok "nor is it among all that is exported" || { fail "nor is it exported"; cat "$work/exported"; }
for who in ana ben; do same "words of the family in ${who}'s opened vault, freed pages too" "$(words $who)" 0; done
day
claim "she fetches what he said" as ana sync
as ana erase >"$work/list"
grep -q "erased at 2 of 2 readers" "$work/list" && ok "the first one is gone everywhere" || { fail "the first one is gone everywhere"; cat "$work/list"; }
grep -q "kept under a legal hold by: Ben Carter" "$work/list" && ok "of the other she sees who holds it" || { fail "of the other she sees who holds it"; cat "$work/list"; }
claim "the hold ends" as ben unhold "$other"
claim "and the next sync erases it" as ben sync
refused 1 "it is gone too" as ben show "$other"
finish
