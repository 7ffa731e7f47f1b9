#!/usr/bin/env bash
# SPDX-License-Identifier: AGPL-3.0-or-later
# Goal: a vault in one file and back; what the file tells whoever finds it; an attorney who lost
# the laptop goes on, and gets back what the backup lacks; two devices with one key are noticed.
. tests/e2e/lib.sh
n_cases() { as "$1" cases --json | grep -o '"code"' | wc -l; }

claim "an organisation with a server" found s1 || finish
claim "a volunteer joins" enrol v1 "Volunteer 1" volunteer
code=$(submit v1 02)
claim "an intake is sent" as v1 sync
claim "a release" as ruth release
for i in ana ben; do claim "$i syncs" as $i sync --yes; done

# ---- the file ------------------------------------------------------------------------------
refused 4 "another passphrase than the vault's is refused" \
	env AMPARO_HOME="$work/home/ana" "$BIN/amparo" vault backup "$work/b" --light --passphrase-file "$work/pass.ben"
refused 1 "a holder with co-holders puts no private keys in" as ana vault backup "$work/b" --with-keys
claim "ana's vault is backed up" as ana vault backup "$work/ana.amparo" --light
size=$(stat -c %s "$work/ana.amparo")
same "its size is a power of two" "$((size & (size - 1)))" 0
same "only its owner may read it" "$(stat -c %a "$work/ana.amparo")" 600
mkdir "$work/pocket" && cp "$work/ana.amparo" "$work/pocket"
cp tests/e2e/data/canaries.txt "$work/canaries"
printf 'name\t%s\n' "Ana Ruiz" "Ben Carter" "Pine Belt Legal Aid" "127.0.0.1" >>"$work/canaries"
printf 'code\t%s\n' "$code" "${code/-/}" >>"$work/canaries"
claim "nothing that was entered stands in it" "$BIN/tests/tools/hunt" --plant 40 "$work/canaries" "$work/pocket"
sed 's/^/figure: /' "$work/out"

# ---- bad files, other places ------------------------------------------------------------------
person new "meadow kettle anchor violin pepper candle"
cp "$work/pass.ana" "$work/pass.new"
head -c $((size / 2)) "$work/ana.amparo" >"$work/half"
refused 1 "no file at all is refused" as new vault restore "$work/nothing"
refused 4 "half a file is refused with a sentence" as new vault restore "$work/half"
cp "$work/ana.amparo" "$work/bad"
printf '\377' | dd of="$work/bad" bs=1 seek=$((size - 100)) conv=notrunc 2>/dev/null
refused 1 "an altered one, too" as new vault restore "$work/bad"
refused 1 "a vault that belongs to somebody is not written over" \
	env AMPARO_HOME="$work/home/ben" "$BIN/amparo" vault restore "$work/ana.amparo" --passphrase-file "$work/pass.ana"
claim "there is no vault from all that" [ ! -e "$work/home/new/vault.mdb" ]
person other "gravel window ribbon thunder apple forest"
refused 4 "another passphrase opens nothing" as other vault restore "$work/ana.amparo"

# ---- the laptop is lost --------------------------------------------------------------------------
submit v1 07 >/dev/null
claim "another intake is sent" as v1 sync
claim "a release" as ruth release
claim "ana's vault comes back in another place" as new vault restore "$work/ana.amparo" --light
cp "$work/out" "$work/said"
claim "it says whose it is, and of when" \
	grep -q "^Ana Ruiz, Pine Belt Legal Aid: the vault as it was on $(date -u +%Y-%m-%d), with 1 case" "$work/said"
same "no private key is in it" "$("$BIN/tests/tools/tryall" --keys "$work/home/new" "$work/pass.new")" 0
mv "$work/home/ana" "$work/home/lost"
cp "$work/pass.ana" "$work/pass.lost"
claim "it syncs, and publishes keys" as new sync --yes
claim "new private keys are there" [ "$("$BIN/tests/tools/tryall" --keys "$work/home/new" "$work/pass.new")" -gt 0 ]
same "no alarm" "$(as new status 2>&1 | grep -c ALARM)" 0
claim "a release" as ruth release
for i in v1 ben ruth; do claim "$i syncs" as $i sync --yes; done
code3=$(submit v1 03)
claim "an intake to the new keys is sent" as v1 sync
claim "a release" as ruth release
claim "it syncs" as new sync --yes
as new cases --json >"$work/cases"
claim "it reads what was sealed to the new keys" grep -q "$code3" "$work/cases"

# ---- the old one turns up ---------------------------------------------------------------------
claim "the lost device syncs" as lost sync --yes
as lost status >"$work/said" 2>&1
tr "\n" " " <"$work/said" >"$work/said1"
claim "and is told that the vault lives twice" grep -q "ALARM.*two devices" "$work/said1"
finish
