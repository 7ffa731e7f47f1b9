#!/usr/bin/env bash
# SPDX-License-Identifier: AGPL-3.0-or-later
# Goal: the season, the access keys and prekeys change by one command or by none, a phone that was
# away for five weeks sends its queue in one sync, and whoever is revoked is told so in one
# sentence, keeps what waits, and gets in nowhere.
. tests/e2e/lib.sh

# ---- days go by (as in 50-erase.sh) ---------------------------------------------------------
AMPAROD=tests/tools/amparod_clock
now=0
set_clock() { now=$1; echo "$now" >"$work/clock.s1"; echo "$now" >"$work/clock.s2"; }
set_clock 0
eval "$(declare -f server_start | sed 's/^server_start /server_start_plain /')"
server_start() { AMPAROD_TEST_CLOCK=$work/clock.$1 server_start_plain "$@"; }
as() {
	local who=$1
	shift
	AMPARO_TEST_CLOCK=$now AMPARO_HOME=$work/home/$who "$BIN/tests/tools/amparo_clock" "$@" \
		--passphrase-file "$work/pass.$who"
}
days() { # days N: two at a time, a release on each
	local i
	for i in $(seq $((($1 + 1) / 2))); do set_clock $((now + 172800)); as ruth release >/dev/null || return 1; done
}
waiting() { as "$1" outbox --json | sed -n 's/.*"submissions":\([0-9]*\).*/\1/p'; }
seasons() { as "$1" rotate --json | sed -n 's/.*"seasons_kept":\([0-9]*\).*/\1/p'; }
says() { local what=$1 text=$2; shift 2; if grep -q -- "$text" "$@"; then ok "$what"; else fail "$what: no \"$text\""; sed 's/^/    /' "$@"; fi; }
cases() { as "$1" cases --json | grep -o '"code"' | wc -l; }

claim "an organisation with two servers" found s1 s2 || finish
for i in 1 2 3; do claim "volunteer $i joins" enrol v$i "Volunteer $i" volunteer; done
claim "an attorney joins" enrol carla "Carla Nuñez" attorney
claim "a release" as ruth release

# ---- by command, and from then on by none -----------------------------------------------------
as ruth rotate >"$work/plan" 2>&1
says "without a plan that is said, and how to make one" "amparo rotate season --every 30d" "$work/plan"
refused 2 "a plan of three days is refused" as ruth rotate season --every 3d
refused 2 "a lemon cannot be rotated" as ruth rotate lemon
refused 1 "a volunteer rotates nothing" as v1 rotate season
code1=$(submit v1 02)
same "volunteer 1 seals an intake and has no network for five weeks" "$(waiting v1)" 1
claim "a new season, from now on every 30 days" as ruth rotate season --every 30d
says "  and it says from when on" "every 30 days by itself, next on " "$work/out"
claim "new access keys, from now on every 30 days" as ruth rotate access --every 30d
same "two seasons are kept" "$(seasons ruth)" 2
for i in ana ben; do claim "$i syncs" as $i sync; done
as ruth status >"$work/status" 2>&1
says "the status says until when the old keys let in" "older access keys still let in, the last until" "$work/status"
claim "five weeks" days 36
claim "the administrator only syncs" as ruth sync
same "the planned rotation was made without a command" "$(seasons ruth)" 3
for i in ana ben; do claim "$i syncs" as $i sync; done
claim "a release" as ruth release
t0=$(date +%s%N)
claim "volunteer 1 is back: one sync" as v1 sync
echo "figure: back after 36 days, the old key past its overlap: one sync, $((($(date +%s%N) - t0) / 1000000)) ms"
same "  and nothing waits any more" "$(waiting v1)" 0
claim "a release" as ruth release
for i in ana ben; do claim "$i syncs" as $i sync --yes; same "  and has the intake" "$(cases $i)" 1; done
claim "the plan ends" as ruth rotate season --every off
claim "the plan ends" as ruth rotate access --every off

# ---- prekeys -------------------------------------------------------------------------------
claim "ana starts a new batch at once" as ana rotate prekeys
says "  and it says when others use it" "^Batch 2 is made" "$work/out"
refused 1 "a volunteer has no such keys" as v1 rotate prekeys
refused 1 "the administrator is asked before Ben's are refused" as ruth rotate prekeys "Ben Carter" </dev/null
says "  and told what happens meanwhile" "Nobody can seal anything to Ben Carter" "$work/err"
claim "Ben's keys do not count any more" as ruth rotate prekeys "Ben Carter" --yes
as ruth status >"$work/status" 2>&1
says "  the status counts it" "Ben Carter has not renewed keys" "$work/status"
claim "Ben only syncs" as ben sync
claim "a release" as ruth release
claim "the administrator syncs" as ruth sync
as ruth status >"$work/status" 2>&1
if grep -q "has not renewed" "$work/status"; then fail "the status still counts it"; else ok "  and it is done"; fi

# ---- revoking a volunteer ---------------------------------------------------------------------
refused 1 "nobody of that name" as ruth revoke "Nobody"
refused 1 "not oneself" as ruth revoke "Ruth Alvarez" --yes
refused 1 "an attorney revokes nobody" as ana revoke "Volunteer 1" --yes
code2=$(submit v2 03)
refused 1 "it asks first" as ruth revoke "Volunteer 2" </dev/null
cp "$work/err" "$work/preview"
for text in "^Cut off:" "^What this person had" "^Changes in the same step:" "^Who must act:"; do
	says "  what it says before" "$text" "$work/preview"
done
echo no | AMPARO_TEST_CLOCK=$now AMPARO_HOME=$work/home/ruth "$BIN/tests/tools/ontty" --columns 40 \
	"$BIN/tests/tools/amparo_clock" revoke "Volunteer 2" --passphrase-file "$work/pass.ruth" >"$work/tty" 2>&1
same "  on a terminal of 40 columns it asks" "$(grep -c 'Revoke this membership?' "$work/tty")" 1
same "  and no line is longer" "$(tr -d '\r' <"$work/tty" | grep -v '^amparo:' | awk 'length > 40' | wc -l)" 0
same "  nothing was changed" "$(as ruth members --json | grep -c '"name":"Volunteer 2"')" 1
server_stop s2
claim "revoked while one server is away" as ruth revoke "Volunteer 2" --yes
as ruth status >"$work/status" 2>&1
says "  the status counts the servers" "Volunteer 2\|volunteer 2 is no member since .*: 1 of 2 servers" "$work/status"
says "  of two" "1 of 2 servers have the policy" "$work/status"
server_start s2
claim "the administrator syncs" as ruth sync
as ruth status >"$work/status" 2>&1
says "  and both have it" "2 of 2 servers have the policy" "$work/status"
t0=$(date +%s%N)
refused 1 "the revoked phone is told" as v2 sync
echo "figure: revoked, and told so: one sync, $((($(date +%s%N) - t0) / 1000000)) ms"
says "  in one sentence" "^amparo: you are no member any more since .* 1 sealed submission waits here" "$work/err"
same "  once" "$(grep -c '^amparo:' "$work/err")" 1
same "  and keeps its queue" "$(waiting v2)" 1
refused 1 "  the next time as well" as v2 sync
as v2 status >"$work/status" 2>&1
says "  its status says so" "you are no member any more since" "$work/status"
claim "another volunteer goes on" as v3 sync
code3=$(submit v3 04)
claim "  and sends" as v3 sync
claim "volunteer 1, who was away when it happened, too" as v1 sync
claim "a release" as ruth release
for i in ana ben; do claim "$i syncs" as $i sync --yes; same "  and has both" "$(cases $i)" 2; done
claim "the revoked one writes what waits to a file" as v2 outbox save "$work/queue"
claim "volunteer 3 carries it" as v3 outbox carry "$work/queue"
claim "  and syncs" as v3 sync
claim "a release" as ruth release
claim "ana syncs" as ana sync --yes
same "  and has what the revoked one had sealed before" "$(cases ana)" 3
as ana cases --json >"$work/cases"
if grep -q '"pending":true' "$work/cases"; then fail "an intake of before is shown as of somebody unknown"; else ok "no intake is shown as of somebody unknown"; fi

# ---- revoking a holder ------------------------------------------------------------------------
claim "Ben, a holder, is revoked" as ruth revoke "Ben Carter" --yes
says "  his co-holder is named what to do" 'amparo desk change "Intake"' "$work/err"
refused 1 "he is told" as ben sync
claim "ana syncs" as ana sync
as ana status >"$work/status" 2>&1
says "  her status says that the charter still names him" "the charter of desk Intake still names Ben Carter" "$work/status"
claim "volunteer 3 syncs" as v3 sync
code4=$(submit v3 05)
claim "  and sends to who is left" as v3 sync
claim "a release" as ruth release
claim "ana syncs" as ana sync --yes
same "  and has it" "$(cases ana)" 4
claim "she signs a charter without him" as ana desk change Intake --remove "Ben Carter" --yes
claim "ana syncs" as ana sync
claim "a release" as ruth release
claim "the administrator's sync lists it" as ruth sync
as ruth status >"$work/status" 2>&1
if grep -q "still names Ben Carter" "$work/status"; then fail "the status still counts the charter"; else ok "the status counts the charter no more"; fi
finish
