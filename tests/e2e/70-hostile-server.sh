#!/usr/bin/env bash
# SPDX-License-Identifier: AGPL-3.0-or-later
# Goal: a server lies in every way it can; each lie is noticed where docs/THREATS.md says so
# and told in one sentence, nothing false is taken in, no key is lost, and once the truth is
# told every record is there.
. tests/e2e/lib.sh

eval "$(declare -f server_start | sed 's/^server_start /server_start_plain /')"
server_start() {
	case $1 in s1) AMPAROD=tests/tools/amparod_liar AMPAROD_LIE=$work/lie \
		AMPAROD_TEST_CLOCK=$work/clock server_start_plain "$@" ;;
	*) AMPAROD=tests/tools/amparod_clock AMPAROD_TEST_CLOCK=$work/clock server_start_plain "$@" ;; esac
}
# everybody's clock stands on the same day
as() {
	local who=$1
	shift
	AMPARO_TEST_CLOCK=$(cat "$work/clock") AMPARO_HOME=$work/home/$who "$BIN/tests/tools/amparo_clock" \
		"$@" --passphrase-file "$work/pass.$who"
}
days() { echo $(($1 * 86400)) >"$work/clock"; }
days 0
# the server holds the file open, so it is written in place
tell() { echo "$1" >"$work/lie"; }
n_cases() { as "$1" cases --json | grep -o '"code"' | wc -l; }
lies=0 told=0 sent=0
tell truth
claim "an organisation on one server, which will lie" found s1 || finish
claim "a volunteer" enrol vera "Vera Quist" volunteer
next=1
# one intake more, on the server and released
take() {
	submit vera "$(printf %02d $((next % 12 + 1)))" >"$work/code" && [ -s "$work/code" ] || return 1
	next=$((next + 1))
	as vera sync >/dev/null && as ruth release >/dev/null && sent=$((sent + 1))
}
# lied WHO LIE SENTENCE: WHO syncs while the lie is told, and is told the sentence
lied() {
	local who=$1 lie=$2 sentence=$3
	lies=$((lies + 1))
	tell "$lie"
	as "$who" sync --yes >"$work/out" 2>&1
	tell truth
	if grep -q -- "$sentence" "$work/out"; then told=$((told + 1)); ok "$lie: \"$sentence\""
	else fail "$lie: $who was not told \"$sentence\""; sed 's/^/    /' "$work/out"; fi
}
# after a lie: everything is there, everything is sound
healed() {
	as "$1" sync --yes >"$work/out" 2>&1
	same "$2: afterwards all $sent cases are there" "$(n_cases "$1")" "$sent"
}

# ---- to those who read ------------------------------------------------------------------
claim "one honest day" take
claim "ana reads it" as ana sync --yes
same "one case" "$(n_cases ana)" 1
announced="it gave other cells than it had announced"
claim "an intake arrives" take
for lie in miss alter swap repeat foreign many contradict; do lied ana "$lie" "$announced"; done
healed ana "all of these"
lied ana shrink "it no longer shows segments that it showed before"
claim "an intake arrives" take
lied ana round "could not list what it holds"
healed ana round

# ---- the roster -------------------------------------------------------------------------
behind="its bulletin is older than the one already known"
lied ana old-roster "$behind"
lied ana no-roster "$behind"
lied ana new-roster "its bulletin does not verify"
claim "the roster changes" as ruth invite --role volunteer
lied ana bad-part "its bulletin does not verify"
lied vera endless "its bulletin does not verify"
claim "vera has the true one afterwards" as vera sync
claim "ana too" as ana sync --yes
version() { as "$1" status | sed -n 's/.*roster version \([0-9]*\).*/\1/p'; }
same "both know the newest roster" "$(version ana) $(version vera)" "$(version ruth) $(version ruth)"

# ---- the date ---------------------------------------------------------------------------
keys() { "$BIN/tests/tools/tryall" --keys "$work/home/$1" "$work/pass.$1"; }
before=$(keys ana)
lied ana future "its date is more than a day from"
claim "a second visit into the future" as ana sync --yes
same "no private key died of it, and none was made for a false day" "$(keys ana)" "$before"
claim "there were keys" test "$before" -gt 5
lied ana past "its date is more than a day from"
lied vera future "its date is more than a day from"
tell future
claim "an interview is sealed in a false future" take
tell truth
healed ana "future"

# ---- to those who send ------------------------------------------------------------------
waiting() { as "$1" outbox --json | sed -n 's/.*"cells":\([0-9]*\).*/\1/p'; }
for l in "refuse/it refused a cell for good" "full/its disk is full" "later/it takes no more for now" \
	"short/answered for other cells than were sent"; do
	submit vera 05 >/dev/null
	cells=$(waiting vera)
	claim "cells wait" test "$cells" -gt 0
	lied vera "${l%%/*}" "${l#*/}"
	same "${l%%/*}: nothing was forgotten here" "$(waiting vera)" "$cells"
	claim "they are sent to whoever takes them" as vera sync
	same "${l%%/*}: nothing waits any more" "$(waiting vera)" 0
	as ruth release >/dev/null
	sent=$((sent + 1))
done
healed ana "refusals"

# ---- what one server alone can hide, until a number is missing -----------------------------
claim "ana is up to date" as ana sync --yes
claim "an intake arrives" take
lies=$((lies + 1))
tell withhold
claim "the end of the list is withheld: nothing can be seen" as ana sync --yes
same "it is not there" "$(n_cases ana)" $((sent - 1))
tell truth
healed ana withhold
claim "two intakes in two releases" take
claim "and the second" take
tell hole
claim "the older of two releases is left out" as ana sync --yes
lies=$((lies + 1))
tell truth
as ana status >"$work/out" 2>&1
if grep -q "messages by volunteer .* have not arrived yet" "$work/out"; then told=$((told + 1)); ok "hole: the holder sees a gap"
else fail "hole: no gap is shown"; cat "$work/out"; fi
# a day later the holder's own program looks through everything once more
days 1
claim "a day later ana syncs" as ana sync --yes
same "hole: the servers were looked through once more" "$(n_cases ana)" "$sent"
as ana status >"$work/out" 2>&1
claim "hole: no gap is left" sh -c "! grep -q 'messages by' '$work/out'"
submit vera 06 >/dev/null
tell forget
lies=$((lies + 1))
claim "a server that throws away what it says it stored is believed, when it is the only one" as vera sync
tell truth
same "the phone has forgotten it" "$(waiting vera)" 0
claim "the next one arrives" take
as ana sync --yes >/dev/null 2>&1
as ana status >"$work/out" 2>&1
if grep -q "1 of .* messages by volunteer .* have not arrived yet" "$work/out"; then told=$((told + 1)); ok "forget: the number that is missing is shown"
else fail "forget: no gap is shown"; cat "$work/out"; fi
# no more than two days between releases, or the server doubts its own clock
days 3
claim "a release" as ruth release
days 5
claim "days later ana syncs" as ana sync --yes
as ana status >"$work/out" 2>&1
if grep -q "1 of .* did not arrive, and no server has them" "$work/out"; then ok "forget: after a search in vain it says so"
else fail "forget: what was searched for in vain is not named"; cat "$work/out"; fi

# ---- with a second server the same lies lose nothing -----------------------------------------
claim "a second server" server_init s2
claim "starts" server_start s2
claim "and is listed" as ruth server add --card-file "$work/s2.card"
claim "ruth brings it everything" as ruth sync
claim "vera learns of it" as vera sync
sent=$(n_cases ana)
for lie in forget withhold; do
	submit vera 07 >/dev/null
	tell $lie
	lies=$((lies + 1))
	as vera sync >/dev/null 2>&1
	as ruth release >/dev/null 2>&1
	as ana sync --yes >/dev/null 2>&1
	sent=$((sent + 1))
	if [ "$(n_cases ana)" = "$sent" ]; then told=$((told + 1)); ok "$lie beside an honest server: the record is there"
	else fail "$lie beside an honest server: $(n_cases ana) of $sent"; fi
	tell truth
done

# ---- another server's key, an old state, two histories ---------------------------------------
server_stop s2
server_init other >/dev/null
cp "$work/s2.port" "$work/other.port"
claim "another server answers at the second one's address" server_start other
lies=$((lies + 1))
as ana sync --yes >"$work/out" 2>&1
if grep -q "or it is another server" "$work/out"; then told=$((told + 1)); ok "another key: said"
else fail "another key"; cat "$work/out"; fi
server_stop other
claim "the true one is back" server_start s2
claim "ana syncs" as ana sync --yes

# the state of a week ago is put back: roster, segments, counters
server_stop s2
cp -a "$work/s2" "$work/s2.old"
server_start s2
submit vera 08 >/dev/null
as vera sync >/dev/null 2>&1
as ruth invite --role volunteer >/dev/null 2>&1
as ruth release >/dev/null 2>&1
as ana sync --yes >/dev/null 2>&1
sent=$((sent + 1))
server_stop s2
mv "$work/s2" "$work/s2.new" && mv "$work/s2.old" "$work/s2"
server_start s2
lies=$((lies + 1))
as ana sync --yes >"$work/out" 2>&1
if grep -q "$behind" "$work/out" && grep -q "no longer shows segments" "$work/out"; then
	told=$((told + 1)); ok "an old state: roster and segments are missed"
else fail "an old state"; cat "$work/out"; fi
claim "ruth's next sync brings it the newest roster" as ruth sync
as ana sync --yes >"$work/out" 2>&1
claim "ana is content with its roster" sh -c "! grep -q '$behind' '$work/out'"
same "no case was lost" "$(n_cases ana)" "$sent"

# a turned administrator signs two rosters of one version, one for each server
cp -a "$work/home/ruth" "$work/home/mole"
cp "$work/pass.ruth" "$work/pass.mole"
server_stop s2
as ruth invite --role volunteer --count 2 >/dev/null 2>&1
server_stop s1
server_start s2
as mole invite --role attorney >/dev/null 2>&1
server_start s1
lies=$((lies + 1))
as ana sync --yes >"$work/out" 2>&1
if grep -q "two histories exist" "$work/out"; then told=$((told + 1)); ok "two rosters of one version: said"
else fail "two rosters of one version"; cat "$work/out"; fi
same "no case was lost of all that" "$(n_cases ana)" "$sent"
server_stop s1
claim "the liar's own folder is sound" "$BIN/amparod" check --data "$work/s1"
echo "figure: lies of a server: $lies; noticed or made good: $told; not to be noticed by anybody: $((lies - told)) (the end of a list, withheld by an only server)"
same "only the withheld end of an only server's list goes unseen" $((lies - told)) 1
finish
