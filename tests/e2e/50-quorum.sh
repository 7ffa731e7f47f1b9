#!/usr/bin/env bash
# SPDX-License-Identifier: AGPL-3.0-or-later
# Goal: three administrators, two of whom must sign.  What one does is a proposal that stands
# nowhere; it travels over the servers' boards and as a file; the one who signs sees what would
# change, worked out on their own device; whoever signs last publishes.  A form, a member, an order to
# the servers, the threshold, and a removal of an administrator who is not asked.
. tests/e2e/lib.sh

# said TEXT COMMAND…: must succeed; has TEXT PATTERN: what it said, line ends made blanks
said() { local what=$1; shift; if "$@" >"$work/said" 2>&1; then ok "$what"; else
	fail "$what (exit $?)"; sed 's/^/    /' "$work/said"; fi; }
has() { if tr -s ' \n' ' ' <"$work/said" | grep -q -- "$2"; then ok "$1"; else
	fail "$1"; sed 's/^/    /' "$work/said"; fi; }

# what is signed is counted: by number, or from a file
eval "$(declare -f as | sed 's/^as /as_plain /')"
as() {
	as_plain "$@" || return $?
	[ "${2:-} ${3:-}" = "admin sign" ] || return 0
	if [ -f "${4:-}" ]; then echo file; else echo board; fi >>"$work/signatures"
}

person ruth "correct horse battery staple orange violet"
for s in s1 s2; do server_init $s && server_start $s || { fail "server $s"; finish; }; done
claim "an organisation is founded" as ruth org create "Pine Belt Legal Aid" --name "Ruth Alvarez" --light
for s in s1 s2; do claim "server $s is set up" as ruth server add --card-file "$work/$s.card"; done
for p in "ana:Ana Ruiz" "ben:Ben Carter"; do
	claim "${p#*:} joins as an attorney" enrol "${p%%:*}" "${p#*:}" attorney
done
said "ruth looks" as ruth status
has "the status advises a second administrator" "a second administrator"
for p in "sol:Sol Ortiz" "tom:Tom Baker"; do
	claim "${p#*:} joins as an administrator" enrol "${p%%:*}" "${p#*:}" administrator
done
said "ruth looks again" as ruth status
has "with three, the status advises that no one publishes alone" "amparo admin threshold 2"
claim "ruth releases" as ruth release

json() { as "$1" admin --json | sed -n "s/.*\"$2\":\([0-9]*\).*/\1/p"; }
waiting() { as "$1" admin --json | sed -n 's/.*"wait_for_me":\([0-9]*\).*/\1/p'; }
# round WHO…: a release, and each of them syncs
round() { as "${R:-ruth}" release >/dev/null 2>&1; for w in "$@"; do as $w sync >"$work/sync.$w" 2>&1 || return 1; done; }

# ---- the threshold ------------------------------------------------------------------------
said "ruth raises the threshold" as ruth admin threshold 2
has "and is told that it is only proposed" "this is proposed and not in force"
same "nothing has changed" "$(json ruth threshold)" 1
claim "after a release sol sees it" round sol
claim "the sync says so" grep -q "1 proposal waits for your signature" "$work/sync.sol"
said "sol looks at it" as sol admin proposals
has "what it changes stands there" "A change then takes the signatures of 2 of 3 administrators; now it is 1 of 3"
said "sol looks at the status" as sol status
has "it asks for the signature" "Ruth Alvarez proposed has your signature"
refused 1 "without a yes nothing is signed" as sol admin sign </dev/null
said "sol signs" as sol admin sign --yes
has "it is in force" "Enough have signed"
claim "everybody has it" round ruth tom
for w in ruth sol tom; do same "$w: two must sign" "$(json $w threshold)" 2; done

# ---- a desk, a form of 97 KB, over the boards ------------------------------------------------
claim "ruth proposes who reads" as ruth desk create Intake --holders "Ana Ruiz,Ben Carter"
round ana ben
for i in ana ben; do claim "$i signs the charter" as $i desk sign Intake; done
round ruth
claim "ruth lists the desk" as ruth desk publish Intake
same "it is not listed yet" "$(as ruth desk list --json | grep -c '"listed":true')" 0
claim "tom sees it after a release" round tom
said "tom signs" as tom admin sign --yes
has "who would read was named before" "! The desk Intake is listed: its intakes are read by"
claim "ruth has it" as ruth sync
same "the desk is listed" "$(as ruth desk list --json | grep -c '"listed":true')" 1
said "ruth publishes a form" as ruth form publish docs/forms/raid-intake.xml --desk Intake
has "that is proposed" "is proposed"
claim "sol sees it after a release" round sol
said "sol signs" as sol admin sign --yes
has "the form was named before" "The form raid-intake"
round ana ben ruth
claim "a holder has the form from the server" sh -c "AMPARO_HOME=$work/home/ana $BIN/amparo form list --json --passphrase-file $work/pass.ana | grep -q raid-intake"
round ruth

# ---- an invitation: the slip opens when it is in force, and as a file it goes faster -----------------
said "ruth makes an invitation" as ruth invite --desk Intake
has "and is told when it opens" "An invitation opens only when it is in force"
inv=$(grep '^amparo:[A-Za-z0-9_-]*$' "$work/said")
person vera "passphrase of vera violet kettle harbor"
as ruth admin save "$work/proposal" >"$work/out" 2>&1
claim "it is saved as a file" test -s "$work/proposal"
same "in which nothing can be read" "$(grep -c -a 'Pine Belt\|volunteer\|Ruth' "$work/proposal")" 0
cp "$work/proposal" "$work/damaged"
printf 'x' | dd of="$work/damaged" bs=1 seek=3000 conv=notrunc 2>/dev/null
refused 1 "a damaged one is refused" as tom admin sign "$work/damaged" --yes
claim "tom signs the file" as tom admin sign "$work/proposal" --yes
claim "somebody joins with the slip at once" join_as vera "Vera Uno" "$inv" --light
claim "ruth proposes to enrol her" confirm_as ruth vera "Vera Uno"
same "she is no member yet" "$(as ruth members --json | grep -c 'Vera Uno')" 0
round sol
said "sol signs" as sol admin sign --yes
has "and saw her, and the four words of her answer" "Vera Uno is enrolled as volunteer. The words of the answer are: $(cat "$work/words.vera")"
claim "Vera is enrolled" as vera sync
same "at sol's" "$(as sol members --json | grep -c 'Vera Uno')" 1

# ---- refused, withdrawn; two at once -------------------------------------------------------------------
as ruth server schedule --every 33 >/dev/null 2>&1
as sol settings --decoys-per-day 100 >/dev/null 2>&1
round tom ruth sol
same "two wait for tom" "$(waiting tom)" 2
refused 1 "which of them has to be said" as tom admin sign --yes
n=$(as tom admin proposals --json | grep -o '"number":[0-9]*,"by":"Sol Ortiz"' | grep -o '[0-9]*')
claim "tom refuses one" as tom admin refuse "$n"
claim "and signs the other, the only one left" as tom admin sign --yes
round sol ruth tom
claim "sol's was made again upon it and waits" sh -c "AMPARO_HOME=$work/home/sol $BIN/amparo admin proposals --json --passphrase-file $work/pass.sol | grep -q '\"mine\":true,\"signed_here\":true,\"stale\":false'"
claim "sol withdraws it" as sol admin withdraw
round ruth tom
same "it waits for nobody" "$(waiting ruth)$(waiting tom)" 00

# ---- orders -------------------------------------------------------------------------------------------------
said "voiding erasures is proposed" as ruth erasures void --all
has "it says whom it needs" "1 more administrator"
claim "sol sees it after a release" round sol
same "the servers' part, and the vaults'" "$(waiting sol)" 2
n=$(as sol admin proposals --json | grep -o '"number":[0-9]*,[^{]*"orders":true' | grep -o '^"number":[0-9]*' | cut -d: -f2)
said "sol signs the order" as sol admin sign "$n" --yes
has "and saw what is ordered" "Every erasure that waits on the servers is voided"
same "both servers took it" "$(grep -c 'took the order' "$work/said")" 2
said "and what concerns the vaults" as sol admin sign --yes
has "which is said as well" "Erasures in members' vaults that were ordered before are not carried out"
claim "ruth syncs" as ruth sync
claim "clearing the boards likewise" as ruth board clear
as ruth admin save "$work/order" >/dev/null
said "by a file" as tom admin sign "$work/order" --yes
same "both servers took it" "$(grep -c 'took the order' "$work/said")" 2
claim "everybody syncs" round ruth sol tom ana ben

# ---- one administrator goes -------------------------------------------------------------------------------------
claim "sol removes ruth" as sol admin remove "Ruth Alvarez" --yes
as sol admin save "$work/removal" >/dev/null
refused 1 "ruth cannot open it" as ruth admin sign "$work/removal" --yes
said "tom signs" as tom admin sign "$work/removal" --yes
has "two are left" "Enough have signed"
claim "sol syncs" as sol sync
same "two administrators" "$(as sol admin --json | grep -o '"administrators":\[.*\]' | grep -o '"[A-Z][a-z]* [A-Z][a-z]*"' | tr -d '\n')" "$(as tom admin --json | grep -o '"administrators":\[.*\]' | grep -o '"[A-Z][a-z]* [A-Z][a-z]*"' | tr -d '\n')"
refused 1 "ruth can do nothing more" as ruth invite --desk Intake
refused 1 "two of two: nobody else can go" as sol admin remove "Tom Baker" --yes
claim "the threshold is lowered by both" as sol admin threshold 1
R=sol
claim "tom sees it" round tom
claim "tom signs" as tom admin sign --yes
claim "sol syncs" as sol sync
same "one signs alone again" "$(json sol threshold)" 1
claim "sol invites alone" as sol invite --desk Intake
claim "a volunteer still finds everything" as vera sync
claim "and an attorney" as ana sync
echo "figure: administrators: 3, threshold 2; signed over the boards: $(grep -c board "$work/signatures"), from files: $(grep -c file "$work/signatures")"
finish
