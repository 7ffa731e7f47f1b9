#!/usr/bin/env bash
# SPDX-License-Identifier: AGPL-3.0-or-later
# Goal: holders' vaults find out by themselves what they hold.  `amparo status` says how many
# records are in one vault only; a device that is lost is replaced, its desk changes hands by
# signature, and the new vault is filled up by the one that is left, photographs and all; a
# co-holder who is silent for half of the retention is named, with what to do.
. tests/e2e/lib.sh

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
days() { # days N: a release on each
	local i
	for i in $(seq "$1"); do set_clock $((now + 86400)); as ruth release >/dev/null || return 1; done
}
round() { # round NAME…: each syncs, then a release
	local i
	for i in "$@"; do as "$i" sync --yes >/dev/null 2>&1 || return 1; done
	as ruth release >/dev/null
}
in_one() { as "$1" status | sed -n 's/.*in one vault only: \([0-9]*\).*/\1/p'; }
n_cases() { as "$1" cases --json | grep -o '"code"' | wc -l; }

set_clock $(($(date +%s) / 86400 * 86400 + 3600))
claim "an organisation with a server, and a desk of two holders" found s1 || finish
claim "a volunteer joins" enrol v1 "Volunteer 1" volunteer
code=$(submit v1 01)
submit v1 02 >/dev/null
claim "two intakes are sent" as v1 sync
claim "a release" as ruth release

# ---- two vaults ------------------------------------------------------------------------------
claim "ana syncs" as ana sync --yes
same "nothing says yet that anybody else has them" "$(in_one ana)" 2
claim "ben syncs" round ben
claim "a day later each tells what her vault has" days 1
claim "  at the next sync" round ana ben
claim "  and sees what the other one told at the one after it" round ana ben
same "in one vault only, says ana's: none" "$(in_one ana)" 0
same "in one vault only, says ben's: none" "$(in_one ben)" 0
day=$(date -u -d "@$now" +%Y-%m-%d)
same "ben's last sign of life is of this day" "$(as ana status | grep -c "Ben Carter's vault was last heard of on $day")" 1
same "nothing is to be done about it" "$(as ana status | grep -c '\[x\] in one vault only: 0 of 2 records')" 1

# ---- a device is lost ------------------------------------------------------------------------
rm -rf "$work/home/ben"
ok "ben's device is gone, with his keys"
claim "he joins anew on another one" enrol ben2 "Ben Carter again" attorney
claim "a release shows his keys" as ruth release
claim "ana and ruth see them" round ana ruth
claim "ana puts him in the place of his old key" \
	as ana desk change Intake --add "Ben Carter again" --remove "Ben Carter" --yes --words-checked
claim "ana's change reaches the board" round ana
claim "ruth's sync lists it" as ruth sync
claim "both holders follow" round ana ben2
same "the old vault counts no more" "$(in_one ana)" 2
same "the new one has nothing" "$(n_cases ben2)" 0
same "it was not heard of yet" "$(as ana status | grep -c "Ben Carter again's vault \(has not been heard of yet\|was last heard of\)")" 1
n=0
while [ "$(n_cases ben2)" -lt 2 ] && [ $n -lt 6 ]; do
	days 1
	round ben2 ana || break
	n=$((n + 1))
done
claim "the last cells are fetched" as ben2 sync --yes
same "ben's new vault has both records" "$(n_cases ben2)" 2
echo "figure: a new holder's vault was filled up after $n days of one sync a day"
claim "he takes out the photographs" as ben2 attachments "$code" --to "$work/files"
for p in nta-tzunun-hoja1.jpg nta-tzunun-hoja2.jpg dpi-frente-palax.jpg; do
	claim "  $p is byte-identical" cmp "tests/e2e/data/$p" "$work/files/$p"
done
days 1
claim "he tells that he has them" round ben2 ana
same "in one vault only, says ana's: none" "$(in_one ana)" 0
same "nothing is missing by its numbers" "$(as ben2 status | grep -c 'did not arrive\|have not arrived\|used for two')" 0

# ---- half of the retention ---------------------------------------------------------------------
claim "the volunteer's phone hears of the new holder" as v1 sync
submit v1 03 >/dev/null
claim "another intake is sent" as v1 sync
claim "a release" as ruth release
claim "ana syncs, and ben does not" round ana
claim "31 days go by" days 31
claim "ana syncs" as ana sync --yes
as ana status >"$work/status"
claim "status warns of the record that is in her vault only" \
	grep -q '\[ \] in one vault only: 1 of 3 records (desk Intake), 1 of them for more than 30 days' "$work/status"
claim "  and of the vault that is silent" grep -q "too long ago to count on it" "$work/status"
as ana status --json >"$work/status"
claim "  and says what to do" grep -q '"next":"call a co-holder of the desk Intake' "$work/status"
claim "ben comes back before the servers forget" round ben2
days 1
claim "and tells" round ben2 ana
same "in one vault only, says ana's: none" "$(in_one ana)" 0
finish
