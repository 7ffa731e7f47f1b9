#!/usr/bin/env bash
# SPDX-License-Identifier: AGPL-3.0-or-later
# Goal: everything that changes keys at once, with phones offline and every program killed
# again and again: a season, access keys and the charter change while two phones are away with
# full queues, an attorney is revoked in the middle, a server is seized and replaced.  In the
# end every interview that got a case code can be read by both holders, and by nobody else.
# AMPARO_STORY_KILLS: how many kills at least (20; 200 in the long run).  SEED: of all chances.
. tests/e2e/lib.sh
kills_wanted=${AMPARO_STORY_KILLS:-$([ "${LIMIT:-0}" -ge 3600 ] && echo 200 || echo 20)}
SEED=${SEED:-$(($(date +%s) % 32768))}
RANDOM=$SEED
queue=2                  # interviews of a phone that is away
[ "$kills_wanted" -gt 100 ] && queue=8
T=$BIN/tests/tools
AMPAROD=tests/tools/amparod_clock
eval "$(declare -f server_start | sed '1s/server_start/server_start_plain/')"
now=0
set_clock() { now=$1; for s in s1 s2 s3; do echo "$now" >"$work/clock.$s"; done; }
set_clock 0
server_start() { AMPAROD_TEST_CLOCK=$work/clock.$1 server_start_plain "$@"; }
as() {
	local who=$1
	shift
	if [ -S "$work/home/$who/agent.sock" ]; then
		AMPARO_TEST_CLOCK=$now AMPARO_HOME=$work/home/$who "$T/amparo_clock" "$@"
	else
		AMPARO_TEST_CLOCK=$now AMPARO_HOME=$work/home/$who "$T/amparo_clock" "$@" \
			--passphrase-file "$work/pass.$who"
	fi
}

# ---- kills -----------------------------------------------------------------------------------
kills=0 begun=0
declare -A takes         # milliseconds that a command took when it was let end
# cut WHO COMMAND…: begun, and killed at a random moment of the time it takes
cut_short() {
	local who=$1 pid at
	shift
	at=${takes[$1]:-100}
	at=$((RANDOM % at))
	as "$who" "$@" >/dev/null 2>&1 </dev/null &
	pid=$!
	sleep "$(printf '%d.%03d' $((at / 1000)) $((at % 1000)))"
	# as is a function: the program is the child of the shell that runs it
	pkill -9 -P "$pid" 2>/dev/null
	wait "$pid" 2>/dev/null
	[ $? -eq 137 ] && kills=$((kills + 1))
	begun=$((begun + 1))
}
# killed WHO COMMAND…: cut short a few times, then let end; its exit code
killed() {
	local n=$((1 + RANDOM % 3)) t rc
	[ $((kills * 3)) -ge $((kills_wanted * 4)) ] && n=0
	while [ $n -gt 0 ]; do cut_short "$@"; n=$((n - 1)); done
	t=$(date +%s%N)
	as "$@"
	rc=$?
	takes[$2]=$((($(date +%s%N) - t) / 1000000 + 1))
	return $rc
}
# reached TEXT WHO PATTERN COMMAND… -- COMMAND…: the first command is killed and repeated; a cut
# one may have done its work already, so what counts is what the second one then shows
reached() {
	local what=$1 who=$2 pattern=$3 first=() second=()
	shift 3
	while [ "$1" != -- ]; do first+=("$1"); shift; done
	shift
	killed "$who" "${first[@]}" >"$work/out" 2>"$work/err" </dev/null
	as "$who" "$@" >"$work/seen" 2>&1
	if grep -qE -- "$pattern" "$work/seen"; then ok "$what"; else
		fail "$what: '$pattern' is not shown"; sed 's/^/    /' "$work/out" "$work/err" "$work/seen"; fi
}

# ---- interviews --------------------------------------------------------------------------------
n=0
: >"$work/codes"         # CODE MARK, of those that were acknowledged with a code
# interview WHO: sealed by a program that is killed and begun again
interview() {
	local code mark
	n=$((n + 1))
	mark=Zacualpa$SEED$n
	sed "s/<name>Lucrecia[^<]*</<name>$mark</" tests/e2e/data/intake-02.xml >"$work/$n.xml"
	killed "$1" intake submit --instance "$work/$n.xml" \
		--attach tests/e2e/data/insulina-caja-lucrecia.jpg --lang en --json >"$work/sealed" 2>"$work/err"
	code=$(sed -n 's/.*"code":"\([0-9A-Z-]*\)".*/\1/p' "$work/sealed")
	[ -n "$code" ] || { fail "interview $n of $1 got no case code"; sed 's/^/    /' "$work/err"; return; }
	echo "$code $mark" >>"$work/codes"
}
waiting() { as "$1" outbox --json | grep -o '"submissions":[0-9]*' | cut -d: -f2; }
n_read() { # n_read WHO: how many of the acknowledged ones this one can read
	local k=0 code mark
	while read -r code mark; do
		as "$1" show "$code" 2>/dev/null | grep -q "$mark" && k=$((k + 1))
	done <"$work/codes"
	echo $k
}
# opens WHO FOLDER: how many cells of records the keys of a vault open there
opens() { AMPARO_TEST_CLOCK=$now "$T/tryall" "$work/home/$1" "$work/pass.$1" "$2" |
	sed -n 's/.*: \([0-9]*\) records opened.*/\1/p'; }
release() { as ruth release >/dev/null 2>&1; }
day_passes() { set_clock $((now + 86400)); release; }

# ---- before --------------------------------------------------------------------------------------
claim "an organisation with two servers is set up" found s1 s2 || finish
claim "an attorney who will be a holder joins" enrol carla "Carla Reyes" attorney
claim "an attorney who will be revoked joins" enrol dora "Dora Webb" attorney
for v in v1 v2 v3; do claim "volunteer $v joins" enrol $v "Volunteer ${v#v}" volunteer; done
release
# a passphrase takes longer than most of what is to be killed
for who in ruth ana ben carla dora v1 v2 v3; do as $who unlock --for 6h >/dev/null 2>&1 || fail "$who unlocks"; done
for who in ana ben carla dora v1 v2 v3; do as $who sync --yes >/dev/null 2>&1; done
interview v3
killed v3 sync >/dev/null 2>&1
release
killed ana sync --yes >/dev/null 2>&1
given=$(head -n 1 "$work/codes" | cut -d' ' -f1)
reached "a case is given to dora" ana "Dora Webb" assign "$given" "Dora Webb" --words-checked -- show "$given"
killed ana sync --yes >/dev/null 2>&1
release
reached "dora reads it" dora "Zacualpa" sync --yes -- show "$given"

# two phones go away, full
for i in $(seq $queue); do interview v1; interview v2; done
same "what the first phone sealed waits" "$([ "$(waiting v1)" -ge $queue ] && echo yes)" yes

# ---- the night of changes ----------------------------------------------------------------------
day_passes
reached "the season and the access keys change" ruth "." rotate season --yes -- rotate
reached "the access keys change" ruth "." rotate access --yes -- rotate
reached "dora is revoked" ruth "." revoke "Dora Webb" --yes -- status
refused_member() { as ruth members | grep -q "Dora Webb" && return 1; return 0; }
claim "she is no member any more" refused_member
cp -r "$work/s2" "$work/seized"
server_kill s2
server_init s3 >/dev/null && server_start s3 || fail "a third server does not start"
old=127.0.0.1:$(cat "$work/s2.port") new=127.0.0.1:$(cat "$work/s3.port")
reached "the seized server is replaced" ruth "$new" server replace "$old" --card-file "$work/s3.card" --yes -- server list
claim "it is gone from the list" sh -c "! grep -q '$old' '$work/seen'"
interview v3
release
for who in ana ben carla; do killed $who sync --yes >/dev/null 2>&1; done
reached "a holder is added, another one removed" ana "Carla Reyes" \
	desk change Intake --add "Carla Reyes" --remove "Ben Carter" --words-checked --yes -- desk show Intake
for i in 1 2; do
	release
	for who in ben ana carla ruth; do killed $who sync --yes >/dev/null 2>&1; done
done
as v3 sync >/dev/null 2>&1
as ana desk show Intake >"$work/seen" 2>&1
held() { # ana and carla read, ben once did
	sed -n '/are read by:/,/was held by:/p' "$work/seen" >"$work/readers"
	grep -q 'Ana Ruiz' "$work/readers" && grep -q 'Carla Reyes' "$work/readers" &&
		! grep -q 'Ben Carter' "$work/readers" && return 0
	cat "$work/seen"
	return 1
}
claim "the desk is held by ana and carla" held
interview v3
killed v3 sync >/dev/null 2>&1
release

# ---- the phones come back -----------------------------------------------------------------------
day_passes
for v in v1 v2; do
	for i in 1 2 3 4; do killed $v sync >/dev/null 2>&1; [ "$(waiting $v)" = 0 ] && break; done
	same "nothing waits at $v any more" "$(waiting $v)" 0
done
told() { as dora sync >"$work/seen" 2>&1; grep -qi 'no member any more' "$work/seen" && return 0; cat "$work/seen"; return 1; }
claim "dora is told that she is no member any more" told
release
for i in 1 2; do for who in ana carla ben ruth; do killed $who sync --yes >/dev/null 2>&1; done; day_passes; done
while [ $kills -lt "$kills_wanted" ] && [ $begun -lt $((kills_wanted * 4)) ]; do
	interview v3
	for who in v3 ana carla; do killed $who sync --yes >/dev/null 2>&1; done
	[ $((n % 4)) -eq 0 ] && day_passes
done
# custody brings the new holder what was before her time, a few days each time
for i in 1 2 3 4; do
	day_passes
	for who in ana carla; do as $who sync --yes >/dev/null 2>&1; done
done

# ---- who reads --------------------------------------------------------------------------------------
total=$(wc -l <"$work/codes")
r_ana=$(n_read ana) r_carla=$(n_read carla)
same "ana reads every interview that got a code" "$r_ana" "$total"
same "and so does carla, who became a holder" "$r_carla" "$total"

# what comes now is for ana and carla: nobody else's keys open a cell more than before
others="ruth ben dora v1"
[ "$kills_wanted" -gt 100 ] && others="$others v2 v3"
declare -A before after
as v1 sync >/dev/null 2>&1
server_stop s1
for who in $others ana; do before[$who]=$(opens $who "$work/s1"); done
server_start s1 || fail "the server does not start again"
interview v1
as v1 sync >/dev/null 2>&1
release
server_stop s1
strangers=0
for who in $others ana; do after[$who]=$(opens $who "$work/s1"); done
for who in $others; do
	more=$((after[$who] - before[$who]))
	[ $more -gt 0 ] && { strangers=$((strangers + more)); echo "    $who opens $more"; }
done
same "nobody else's keys open what comes after" $strangers 0
same "control: a holder's keys do" "$([ $((after[ana] - before[ana])) -ge 1 ] && echo yes)" yes
for who in ruth v1; do
	same "the keys of $who open nothing, on the server that was seized neither" \
		"${after[$who]} $(opens $who "$work/seized")" "0 0"
done
claim "kills: $kills of at least $kills_wanted" [ "$kills" -ge "$kills_wanted" ]
echo "figure: a night of changes (seed $SEED): kills $kills; records readable by whom they should be: $((r_ana + r_carla))/$((2 * total)); by anyone else: $strangers"
finish
