#!/usr/bin/env bash
# SPDX-License-Identifier: AGPL-3.0-or-later
# Goal: a server is taken away.  It is dropped, members follow, nothing is lost; its disk opens no
# other server, and whoever stands in its place meets nobody.  Then the last one is taken, too,
# and a file from hand to hand shows the way to a new one.
. tests/e2e/lib.sh
keys() { "$BIN/tests/tools/seized_keys" "$@"; }
count() { wc -l <"$work/visitors"; }
# false_server NAME: somebody listens where this server was
false_server() {
	mkfifo "$work/false.ready"
	"$BIN/tests/tools/seized_keys" --count "$(cat "$work/$1.port")" "$work/visitors" >"$work/false.ready" &
	echo $! >"$work/false.pid"
	head -n 1 "$work/false.ready" >/dev/null
	rm "$work/false.ready"
}
waiting() { as "$1" outbox --json | grep -o '"submissions":[0-9]*' | cut -d: -f2; }
n_cases() { as "$1" cases --json | grep -o '"code"' | wc -l; }
address() { echo "127.0.0.1:$(cat "$work/$1.port")"; }

claim "an organisation with two servers" found s1 s2 || finish
for i in 1 2; do claim "volunteer $i joins" enrol v$i "Volunteer $i" volunteer; done
as ruth invite --role volunteer --count 2 2>&1 | grep '^amparo:' >"$work/slips"
submit v1 02 >/dev/null
claim "an intake goes to both servers" as v1 sync
server_kill s2
submit v1 07 >/dev/null
as v1 sync >/dev/null 2>&1
same "an intake that only the first server has waits for the second" "$(waiting v1)" 1
server_start s2

# ---- the raid ----------------------------------------------------------------------------
server_kill s1
mv "$work/s1" "$work/image"
refused 1 "a server is not dropped without a yes" as ruth server drop "$(address s1)"
tr -s ' \n' '  ' <"$work/err" >"$work/said"
for word in "each submission is kept on 1" "nothing that opens" "none has to be changed" \
            "sent to the others" "1 open invitation made here" "amparo server notice"; do
	claim "it says first: $word" grep -q "$word" "$work/said"
done
refused 1 "a server that is not listed is refused" as ruth server drop nowhere.example:1
claim "it is dropped" as ruth server drop "$(address s1)" --yes
refused 1 "the last one is not" as ruth server drop "$(address s2)" --yes
claim "the volunteer syncs with the one that is left" as v1 sync
same "what only the lost one had was sent again" "$(waiting v1)" 0
claim "a release" as ruth release
claim "ana syncs" as ana sync --yes
same "ana has both records" "$(n_cases ana)" 2

# ---- the disk in other hands -----------------------------------------------------------------
claim "nothing on the seized disk is let in at the other server" keys "$work/image" "$work/s1.card" \
	"$(cat "$work/s2.port")" "$work/home/ruth" "$work/pass.ruth"
sed 's/^/figure: /' "$work/out"
false_server s1
claim "a member who follows syncs" as v1 sync
same "and does not go where the seized server was" "$(count)" 0
claim "the other volunteer syncs" as v2 sync
before=$(count)
claim "one who has not heard of it goes there (control)" [ "$before" -gt 0 ]
claim "once more" as v2 sync
same "and never goes there again" "$(count)" "$before"
kill "$(cat "$work/false.pid")" && rm "$work/false.pid"

# ---- slips that name it ------------------------------------------------------------------------
person v3 "meadow lantern copper thistle marble fiddle"
(umask 077; sed -n 1p "$work/slips" >"$work/slip")
refused 3 "a slip that names it leads nowhere" \
	as v3 join --name "Volunteer 3" --invitation-file "$work/slip" --light
claim "the slips are shown again" as ruth invitations --show
sort "$work/slips" >"$work/old"
grep '^amparo:' "$work/out" | sort >"$work/new"
same "one of the two for another server" "$(comm -12 "$work/old" "$work/new" | wc -l)" 1

# ---- the last server goes, too -----------------------------------------------------------------
submit v1 03 >/dev/null
server_kill s2
rm -rf "$work/s2"
server_init s3 && server_start s3
claim "a new one takes its place" as ruth server replace "$(address s2)" --card-file "$work/s3.card" --yes
refused 3 "a volunteer knows only the one that is gone" as v1 sync
claim "ruth writes a file" as ruth server notice "$work/notice"
head -c 3000 "$work/notice" >"$work/half"
refused 1 "half a file is refused with a sentence" as v1 follow "$work/half"
cp "$work/notice" "$work/notice.bad"
printf '\377' | dd of="$work/notice.bad" bs=1 seek=120 conv=notrunc 2>/dev/null
refused 1 "an altered one too" as v1 follow "$work/notice.bad"
claim "no address and no name is in it" sh -c "! grep -qaE '127\.0\.0\.1|Pine Belt|Ruth' '$work/notice'"
claim "v1 follows it" as v1 follow "$work/notice"
same "and what waited is sent" "$(waiting v1)" 0
claim "ana follows it" as ana follow "$work/notice"
claim "taken twice it is no harm" as ana follow "$work/notice"
claim "a release there" as ruth release
claim "ana syncs there" as ana sync --yes
same "ana has the new record" "$(n_cases ana)" 3
finish
