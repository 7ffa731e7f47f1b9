#!/usr/bin/env bash
# SPDX-License-Identifier: AGPL-3.0-or-later
# Goal: what waits on a device that reaches no server goes out by a file and somebody else's
# device; a bad file takes nothing with it; what the file tells a raid is its size.
. tests/e2e/lib.sh
waiting() { as "$1" outbox --json | grep -o '"submissions":[0-9]*' | cut -d: -f2; }
n_cases() { as "$1" cases --json | grep -o '"code"' | wc -l; }
sealed() { head -c "$1" "$work/out.amparo"; }

claim "an organisation with two servers" found s1 s2 || finish
for i in 1 2; do claim "volunteer $i joins" enrol v$i "Volunteer $i" volunteer; done
refused 1 "an empty outbox is not saved" as v1 outbox save "$work/out.amparo"
code1=$(submit v1 02) code2=$(submit v1 07)
as v1 outbox >"$work/list"
claim "the list says how many wait, and since when" \
	grep -q "2 submissions wait here, since $(date -u +%Y-%m-%d); each goes to 2 servers" "$work/list"
same "and which servers lack them" "$(grep -c ' lacks 2$' "$work/list")" 2
refused 1 "nothing is cleared that is in no file" as v1 outbox clear --yes
claim "v1 saves it" as v1 outbox save "$work/out.amparo"
size=$(stat -c %s "$work/out.amparo")
same "its size is a power of two" "$((size & (size - 1)))" 0
same "only its owner may read it" "$(stat -c %a "$work/out.amparo")" 600
printf 'code\t%s\n' "$code1" "$code2" "${code1/-/}" "${code2/-/}" >"$work/canaries"
printf 'name\t%s\n' "Volunteer 1" "Pine Belt Legal Aid" "127.0.0.1" >>"$work/canaries"
cat tests/e2e/data/canaries.txt >>"$work/canaries"
mkdir "$work/pocket" && cp "$work/out.amparo" "$work/pocket"
claim "nothing that was entered stands in it" "$BIN/tests/tools/hunt" --plant 40 "$work/canaries" "$work/pocket"
sed 's/^/figure: /' "$work/out"
same "what waits stays until it is cleared" "$(waiting v1)" 2

# ---- bad files -----------------------------------------------------------------------------
sealed $((size / 2)) >"$work/bad"
refused 1 "half a file is refused with a sentence" as v2 outbox carry "$work/bad"
sealed $((size - 1)) >"$work/bad"
refused 1 "one byte less, too" as v2 outbox carry "$work/bad"
cp "$work/out.amparo" "$work/bad"
printf '\377' | dd of="$work/bad" bs=1 seek=$((size - 100)) conv=notrunc 2>/dev/null
refused 1 "one that was altered at its end, too" as v2 outbox carry "$work/bad"
refused 1 "a photograph, too" as v2 outbox carry tests/e2e/data/dpi-frente-palax.jpg
refused 1 "a file that is not there, too" as v2 outbox carry "$work/nothing"
same "nothing was taken from them" "$(waiting v2)" 0

# ---- carried ---------------------------------------------------------------------------------
submit v2 03 >/dev/null
claim "v2 carries it, with what waits there" as v2 outbox carry "$work/out.amparo"
cp "$work/out" "$work/said"
claim "and is told that the file is not needed any more" grep -q "not needed any more" "$work/said"
same "nothing waits at v2" "$(waiting v2)" 0
claim "carried twice it is no harm" as v2 outbox carry "$work/out.amparo"
claim "a release" as ruth release
claim "ana syncs" as ana sync --yes
same "ana has the three records, each once" "$(n_cases ana)" 3
claim "v1 clears" as v1 outbox clear --yes
same "nothing waits at v1" "$(waiting v1)" 0
claim "v1 syncs when there is a network again" as v1 sync
claim "a release" as ruth release
claim "ana syncs" as ana sync --yes
same "there are three still" "$(n_cases ana)" 3
finish
