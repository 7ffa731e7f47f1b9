#!/usr/bin/env bash
# SPDX-License-Identifier: AGPL-3.0-or-later
# Goal: two administrators on two devices change the roster at the same time, behind each
# other, without a network and across two servers, and nothing that one of them did vanishes
# because the other one published.
. tests/e2e/lib.sh

claim "an organisation, two servers, a desk and a form are set up" found s1 s2 || finish
person sol "quiet river lantern maple orbit saddle"
as ruth invite --role administrator 2>&1 | grep '^amparo:' >"$work/inv"
claim "a second administrator joins by invitation" join_as sol "Sol Ortiz" "$(cat "$work/inv")" --light
claim "the first one enrols her" confirm_as ruth sol "Sol Ortiz"
claim "she syncs and is an administrator" as sol sync
same "she is one" "$(as sol members --json | grep -o '"name":"Sol Ortiz","role":"[a-z]*"' | cut -d'"' -f8)" administrator

n_open() { as "$1" status --json | grep -o '[0-9]* invitations* \(is\|are\) not answered' | cut -d' ' -f1; }
member() { as "$1" members --json | grep -c "\"name\":\"$2\""; }
invite_by() { as "$1" invite --role "${2:-volunteer}" --desk Intake 2>"$work/err" | grep '^amparo:'; }

# ---- behind: each command asks for the newest roster first --------------------------------
inv1=$(invite_by ruth)
inv2=$(invite_by sol)
same "the second one's invitation stands beside the first one's" "$(n_open sol)" 2
for i in 1 2; do person v$i "passphrase of v$i violet kettle harbor"; done
claim "somebody answers the first administrator's invitation" join_as v1 "Vera Uno" "$inv1" --light
claim "somebody answers the second one's" join_as v2 "Vicente Dos" "$inv2" --light
claim "each can enrol who answered the other: sol enrols Vera" confirm_as sol v1 "Vera Uno"
claim "ruth, who did not sync, enrols Vicente" confirm_as ruth v2 "Vicente Dos"
claim "ruth syncs" as ruth sync
claim "sol syncs" as sol sync
for who in ruth sol; do
	same "$who has Vera" "$(member $who "Vera Uno")" 1
	same "$who has Vicente" "$(member $who "Vicente Dos")" 1
done
for i in 1 2; do claim "volunteer $i is enrolled" as v$i sync; done
same "Vera can send an intake" "$(submit v1 02 | wc -c)" 12
claim "and it goes out" as v1 sync

# ---- no server: the change is made all the same, and put beside the other's later ------------
server_stop s1
server_stop s2
as ruth invite --desk Intake >"$work/offline" 2>"$work/offline.err"
same "without a server an invitation is made, to be brought later" $? 3
claim "and it is said upon which roster" grep -q "no server could be reached to ask for a newer roster" "$work/offline.err"
inv3=$(grep '^amparo:' "$work/offline")
server_start s1
server_start s2
inv4=$(invite_by sol)
claim "ruth's sync puts hers beside sol's" as ruth sync
claim "sol syncs" as sol sync
same "both invitations are open at ruth's" "$(n_open ruth)" 2
same "both invitations are open at sol's" "$(n_open sol)" 2
for i in 3 4; do person v$i "passphrase of v$i violet kettle harbor"; done
claim "ruth's offline invitation is accepted" join_as v3 "Violeta Tres" "$inv3" --light
claim "sol's is accepted" join_as v4 "Victor Cuatro" "$inv4" --light

# ---- the same moment: both compose upon the same roster ---------------------------------------
# the servers are stopped while both confirm, so that neither can see the other
claim "ruth fetches the answers" as ruth confirm
claim "sol fetches the answers" as sol confirm
server_stop s1
server_stop s2
as ruth confirm "Violeta Tres" --words "$(cat "$work/words.v3")" >"$work/out" 2>"$work/err"
same "ruth enrols Violeta offline" $? 3
as sol confirm "Victor Cuatro" --words "$(cat "$work/words.v4")" >"$work/out" 2>"$work/err"
same "sol enrols Victor offline" $? 3
server_start s1
server_start s2
claim "ruth's comes first" as ruth sync
as sol sync >"$work/out" 2>"$work/err"
same "sol's sync works" $? 0
same "no alarm of two histories" "$(cat "$work/out" "$work/err" | grep -c "two histories")" 0
claim "ruth takes over sol's" as ruth sync
for who in ruth sol; do
	same "$who has Violeta" "$(member $who "Violeta Tres")" 1
	same "$who has Victor" "$(member $who "Victor Cuatro")" 1
done
for i in 3 4; do claim "volunteer $i is enrolled" as v$i sync; done

# ---- each reaches another server ---------------------------------------------------------------
server_stop s2
claim "ruth publishes on server 1" as ruth invite --desk Intake
server_start s2
server_stop s1
claim "sol publishes on server 2" as sol invite --desk Intake
server_start s1
claim "sol brings both together" as sol sync
claim "ruth takes it" as ruth sync
same "both invitations are open at ruth's" "$(n_open ruth)" 2
same "both invitations are open at sol's" "$(n_open sol)" 2

# ---- what cannot be done any more is said and dropped alone -------------------------------------
inv5=$(invite_by ruth)
inv6=$(invite_by sol)
for i in 5 6; do person v$i "passphrase of v$i violet kettle harbor"; done
claim "Zoe joins" join_as v5 "Zoe" "$inv5" --light
claim "another Zoe joins" join_as v6 "Zoe Other" "$inv6" --light
claim "ruth fetches the answers" as ruth confirm
claim "sol fetches the answers" as sol confirm
server_stop s1
server_stop s2
as ruth confirm "Zoe" --words "$(cat "$work/words.v5")" >/dev/null 2>&1
same "ruth enrols Zoe offline" $? 3
as sol confirm "Zoe Other" --as "Zoe" --words "$(cat "$work/words.v6")" >/dev/null 2>&1
same "sol enrols the other one under the same name" $? 3
as sol server schedule --every 45 >/dev/null 2>&1
same "and changes the schedule" $? 3
server_start s1
server_start s2
claim "ruth's comes first" as ruth sync
as sol sync >"$work/out" 2>"$work/err"
same "one sentence says what could not be done" "$(grep -c '^amparo: Zoe was not enrolled: another administrator gave this name' "$work/err")" 1
claim "sol enrols the other one under her own name" as sol confirm "Zoe Other" --words "$(cat "$work/words.v6")"
claim "ruth syncs" as ruth sync
same "ruth has Zoe" "$(member ruth "Zoe")" 1
same "ruth has the other one" "$(member ruth "Zoe Other")" 1

# ---- desks and forms -----------------------------------------------------------------------------
claim "a second desk is proposed" as ruth desk create Clinic --holders "Ana Ruiz,Ben Carter"
claim "a release" as ruth release
for i in ana ben; do
	claim "$i syncs" as $i sync
	claim "$i signs" as $i desk sign Clinic
done
claim "a release" as sol release
claim "sol syncs" as sol sync
claim "ruth syncs" as ruth sync
server_stop s1
server_stop s2
as sol desk publish Clinic >/dev/null 2>&1
same "sol lists the desk offline" $? 3
sed 's/version="[0-9]*"/version="2099010101"/' docs/forms/raid-intake.xml >"$work/next.xml"
as ruth form publish "$work/next.xml" --desk Intake >/dev/null 2>&1
same "ruth publishes a form offline" $? 3
server_start s1
server_start s2
claim "sol's comes first" as sol sync
claim "ruth's is put beside it" as ruth sync
claim "sol syncs" as sol sync
for who in ruth sol; do
	same "$who has the desk" "$(as $who desk list --json | grep -o '"name":"Clinic"[^}]*"listed":true' | wc -l)" 1
	same "$who has the form" "$(as $who form list --json | grep -c '"version":"2099010101"[^}]*"active":true')" 1
done
claim "a volunteer gets the form" as v2 sync
same "it is there" "$(as v2 form list --json | grep -c '"version":"2099010101"')" 1

# ---- racing: both at once, without waiting for each other --------------------------------------------
before=$(n_open ruth)
for i in 1 2 3 4; do
	as ruth invite --desk Intake >"$work/race.r$i" 2>&1 &
	r=$!
	as sol invite --desk Intake >"$work/race.s$i" 2>&1 &
	s=$!
	wait $r $s
done
claim "ruth syncs" as ruth sync
claim "sol syncs" as sol sync
same "eight invitations made in four races are open" "$(n_open sol)" $((before + 8))
claim "ruth syncs" as ruth sync
same "at both" "$(n_open ruth)" $((before + 8))
echo "figure: administrators: 2; races: 4; invitations made in them: 8; lost: $((before + 8 - $(n_open ruth)))"
finish
