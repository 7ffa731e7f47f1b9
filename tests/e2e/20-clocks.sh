#!/usr/bin/env bash
# SPDX-License-Identifier: AGPL-3.0-or-later
# Goal: clocks are wrong, and nothing suffers: a phone a week off in either direction, a
# laptop two hours off, a server two hours off.
. tests/e2e/lib.sh

# with_clock SECONDS NAME COMMAND…: as NAME, on a device whose clock is off
with_clock() {
	local off=$1 who=$2
	shift 2
	AMPARO_TEST_CLOCK=$off AMPARO_HOME=$work/home/$who "$BIN/tests/tools/amparo_clock" "$@" \
		--passphrase-file "$work/pass.$who"
}
week=$((7 * 86400)) hours=7200

# both servers are two hours off, one ahead and one behind
AMPAROD=tests/tools/amparod_clock
echo $hours >"$work/clock.s1"
echo -$hours >"$work/clock.s2"
eval "$(declare -f server_start | sed 's/^server_start /server_start_plain /')"
server_start() { AMPAROD_TEST_CLOCK=$work/clock.$1 server_start_plain "$@"; }

claim "an organisation with two servers whose clocks are two hours off" found s1 s2 || finish
person fast "meadow kettle anchor violin pepper candle"
person slow "gravel window ribbon thunder apple forest"
as ruth invite --role volunteer --count 2 2>&1 | grep '^amparo:' >"$work/inv"

join_off() { # join_off SECONDS NAME "FULL NAME" INVITATION
	(umask 077; printf '%s\n' "$4" >"$work/invitation.$2")
	with_clock "$1" "$2" join --name "$3" --invitation-file "$work/invitation.$2" --light \
		>"$work/join.$2" 2>&1
	local rc=$?
	spoken_words <"$work/join.$2" >"$work/words.$2"
	cat "$work/join.$2"
	return $rc
}
claim "a phone a week ahead joins" join_off $week fast "Fast Phone" "$(sed -n 1p "$work/inv")"
claim "a phone a week behind joins" join_off -$week slow "Slow Phone" "$(sed -n 2p "$work/inv")"
claim "the one ahead is confirmed" confirm_as ruth fast "Fast Phone"
claim "the one behind is confirmed" confirm_as ruth slow "Slow Phone"
claim "the one ahead syncs" with_clock $week fast sync
claim "the one behind syncs" with_clock -$week slow sync

take() { # take SECONDS NAME NUMBER
	with_clock "$1" "$2" intake submit --instance "tests/e2e/data/intake-$3.xml" --lang es --json \
		| grep -q '"code"'
}
claim "the one ahead takes an intake" take $week fast 04
claim "the one behind takes an intake" take -$week slow 07
claim "the one ahead sends it" with_clock $week fast sync
claim "the one behind sends it" with_clock -$week slow sync
claim "a release" as ruth release
claim "a laptop two hours ahead syncs" with_clock $hours ana sync --yes
claim "a laptop two hours behind syncs" with_clock -$hours ben sync --yes
n_cases() { as "$1" cases --json | grep -o '"code"' | wc -l; }
same "both intakes opened on the laptop ahead" "$(n_cases ana)" 2
same "both intakes opened on the laptop behind" "$(n_cases ben)" 2
as ana cases --json >"$work/cases"
claim "no record bears a day a week away" sh -c "! grep -q '$(date -u -d '+7 days' +%Y-%m-%d)\|$(date -u -d '-7 days' +%Y-%m-%d)' '$work/cases'"
finish
