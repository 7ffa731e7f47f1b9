#!/usr/bin/env bash
# SPDX-License-Identifier: AGPL-3.0-or-later
# Goal: the program as a person meets it: help of every command, exit codes, prompts on a real
# terminal, no environment at all, staying unlocked, slips to print, and what `make
# install` puts where.
. tests/e2e/lib.sh

# ---- help and exit codes -----------------------------------------------------------------
"$BIN/amparo" --help >"$work/help" 2>&1
same "amparo --help ends well" $? 0
commands=$(sed -n 's/^  \([a-z]\+\( [a-z]\+\)\?\)  .*/\1/p' "$work/help")
n=0
while IFS= read -r c; do
	n=$((n + 1))
	# shellcheck disable=SC2086
	if "$BIN/amparo" $c --help >"$work/one" 2>&1 && grep -q "^Use: amparo $c" "$work/one"; then :; else
		fail "amparo $c --help"; fi
	grep -q "Cm $c" docs/man/amparo.1 || fail "the manual does not name: $c"
done <<<"$commands"
same "every command has help and stands in the manual ($n)" "$([ "$n" -ge 28 ] && echo yes)" yes
refused 2 "an unknown command" "$BIN/amparo" frobnicate
refused 2 "an unknown option" "$BIN/amparo" sync --frobnicate
refused 1 "a command without a vault says how to get one" "$BIN/amparo" cases --home "$work/nobody"
claim "amparo --version" "$BIN/amparo" --version
claim "amparod --version" "$BIN/amparod" --version
claim "amparod --help" "$BIN/amparod" --help

# ---- without any environment ----------------------------------------------------------------
bare() { # bare NAME COMMAND…
	local who=$1
	shift
	env -i "$BIN/amparo" "$@" --home "$work/home/$who" --passphrase-file "$work/pass.$who"
}
claim "an organisation is set up" found s1 || finish
person zoe "paper lantern harbor violet kettle crown"
as ruth invite --role volunteer 2>&1 | grep '^amparo:' >"$work/invitation"
claim "join works under env -i, with a name in Q'anjob'al" bare zoe join --light \
	--invitation-file "$work/invitation" --name "Xhepel Q'anjobʼal Ñáñez"
spoken_words <"$work/out" >"$work/words.zoe"
claim "an intake can be taken before the confirmation" bare zoe intake submit \
	--instance tests/e2e/data/intake-09.xml --attach tests/e2e/data/carta-poder-yesenia.jpg --lang es
claim "and sent" bare zoe sync
claim "a wrong word enrols nobody" sh -c "! AMPARO_HOME=$work/home/ruth $BIN/amparo confirm \"Xhepel Q'anjobʼal Ñáñez\" --words 'abacus abacus abacus abacus' --passphrase-file $work/pass.ruth"
claim "a release" as ruth release
claim "the holder syncs under env -i" bare ana sync --yes
bare ana cases >"$work/cases" 2>&1
claim "the intake of somebody not enrolled yet is kept and shown as such" grep -qi "pending\|not enrolled" "$work/cases"
claim "the words confirm" bare ruth confirm "Xhepel Q'anjobʼal Ñáñez" --words "$(cat "$work/words.zoe")"
claim "the holder syncs again" bare ana sync --yes
bare ana cases >"$work/cases" 2>&1
claim "now it is an ordinary case" sh -c "! grep -qi 'pending\|not enrolled' '$work/cases'"
claim "the volunteer is a member" sh -c "$BIN/amparo sync --home $work/home/zoe --passphrase-file $work/pass.zoe >/dev/null && $BIN/amparo status --home $work/home/zoe --passphrase-file $work/pass.zoe | grep -q ', volunteer'"
bare ruth members >"$work/members"
claim "the name survived" grep -q "Xhepel Q'anjobʼal Ñáñez" "$work/members"

# ---- on a terminal ------------------------------------------------------------------------------
tty() { "$BIN/tests/tools/ontty" "$BIN/amparo" "$@"; }
cat "$work/pass.ruth" | tty status --home "$work/home/ruth" >"$work/tty" 2>&1
same "a passphrase typed at the terminal opens the vault" $? 0
claim "and the answer is there" grep -q "Ruth Alvarez, administrator" "$work/tty"
claim "it is not shown" sh -c "! grep -q 'correct horse' '$work/tty'"
echo "wrong passphrase" | tty status --home "$work/home/ruth" >"$work/tty" 2>&1
same "a wrong one opens nothing" $? 4
claim "and is refused in one sentence" grep -q "^amparo: " "$work/tty"
as ruth invite --role volunteer 2>&1 | grep '^amparo:' >"$work/invitation"
{ cat "$work/invitation"; echo "Tomás Juan"; echo "12345678"; echo "12345678"
  echo "amber saddle kitten prairie walnut echo"; echo "amber saddle kitten prairie walnut echo"
} | tty join --light --home "$work/home/tomas" >"$work/tty" 2>&1
same "joining at the terminal, a weak passphrase refused on the way" $? 0
claim "shows the four words" sh -c "sed 's/\r//' '$work/tty' | grep -q '^    [a-z]*  [a-z]*  [a-z]*  [a-z]*$'"
claim "the passphrase was not shown" sh -c "! grep -q 'saddle kitten' '$work/tty'"

# ---- staying unlocked ----------------------------------------------------------------------------
claim "unlock" as ruth unlock --for 5m
claim "the next command does not ask" env -i "$BIN/amparo" members --home "$work/home/ruth"
same "the socket is the owner's alone" "$(stat -c %a "$work/home/ruth/agent.sock" 2>/dev/null)" 600
claim "lock" "$BIN/amparo" lock --home "$work/home/ruth"
env -i "$BIN/amparo" members --home "$work/home/ruth" </dev/null >"$work/one" 2>&1
same "after it the vault is closed" $? 4

# ---- slips, schedule, watch, passphrase -----------------------------------------------------------
claim "slips to print" as ruth invite --count 3 --sheet "$work/slips.html"
# a slip that could not be written is not lost
full=$work/full
mkdir "$full"
if mount -t tmpfs -o size=4k none "$full" 2>/dev/null; then
	head -c 4096 /dev/zero >"$full/fill" 2>/dev/null
	refused 1 "slips on a full disk are refused" as ruth invite --count 2 --for "full disk" --sheet "$full/slips.html"
	umount "$full"
else
	refused 1 "slips in a folder that cannot be written are refused" as ruth invite --count 2 --for "full disk" --sheet "$work/nowhere/slips.html"
fi
same "the two are listed" "$(as ruth invitations --json | grep -o '"here":true,"moved":false,"note":"full disk"' | wc -l)" 2
numbers=$(as ruth invitations --json | grep -o '"number":[0-9]*,"role":"[a-z]*","day":"[0-9-]*","answered":[a-z]*,"here":true,"moved":false,"note":"full disk"' | cut -d: -f2 | cut -d, -f1 | tr '\n' ' ')
# shellcheck disable=SC2086
claim "and can be shown again" sh -c "AMPARO_HOME=$work/home/ruth $BIN/amparo invitations $numbers --show --passphrase-file $work/pass.ruth >$work/again"
same "both" "$(grep -c '^amparo:' "$work/again")" 2
# shellcheck disable=SC2086
claim "and written as slips" as ruth invitations $numbers --sheet "$work/again.html"
same "two slips" "$(grep -c '<svg' "$work/again.html")" "2"
as ruth invite --for "closed pipe" >/dev/full 2>"$work/devfull"
same "an invitation that could not be printed ends with 1" $? 1
claim "and says that it is kept" grep -q "they are kept" "$work/devfull"
same "it is there" "$(as ruth invitations --json | grep -c '"here":true,"moved":false,"note":"closed pipe"')" 1
# a damaged vault ends in one sentence, never in a signal
said=0
signals=0
for page in $(seq 0 24); do
	rm -rf "$work/home/hurt"
	cp -r "$work/home/ruth" "$work/home/hurt"
	rm -f "$work/home/hurt/agent.sock"
	dd if=/dev/zero of="$work/home/hurt/vault.mdb" bs=512 seek=$((page * 8)) count=1 conv=notrunc 2>/dev/null
	AMPARO_HOME=$work/home/hurt "$BIN/amparo" members --passphrase-file "$work/pass.ruth" >/dev/null 2>"$work/hurt.err"
	rc=$?
	[ $rc -ge 128 ] && signals=$((signals + 1))
	[ $rc -eq 5 ] && [ "$(grep -c '^amparo: ' "$work/hurt.err")" = 1 ] && said=$((said + 1))
	[ $rc -ne 0 ] && [ $rc -ne 5 ] && fail "a page of zeros ends with $rc"
done
rm -rf "$work/home/hurt"
same "no damaged vault ends in a signal" "$signals" 0
claim "damaged ones are said to be, with exit code 5" [ $said -gt 3 ]
person fay "ladder copper meadow signal winter"
claim "who gets it can join" join_as fay "Fay Full" "$(sed -n 1p "$work/again")" --light
claim "and is enrolled" confirm_as ruth fay "Fay Full"
same "then it is not open any more" "$(as ruth invitations --json | grep -o '"note":"full disk"' | wc -l)" 1
same "three slips with a QR code each" "$(grep -c '<svg' "$work/slips.html")" 3
claim "with the words of the desk" grep -q "Palabras de la mesa" "$work/slips.html"
same "only their owner may read the file" "$(stat -c %a "$work/slips.html")" 600
claim "a surge" as ruth server schedule --surge-for 12
same "no decoys a day at first" "$(as ruth settings --json)" '{"decoys_per_day":0,"answer_days":7}'
claim "a number of decoys for a day" as ruth settings --decoys-per-day 1000
same "  which is kept" "$(as ruth settings --json)" '{"decoys_per_day":1000,"answer_days":7}'
claim "days for an answer" as ruth settings --answer-days 3
same "  which are kept" "$(as ruth settings --json)" '{"decoys_per_day":1000,"answer_days":3}'
refused 2 "  at most a year" as ruth settings --answer-days 366
for n in -1 100001 many ""; do
	refused 2 "  \"$n\" is no number of decoys" as ruth settings --decoys-per-day "$n"
done
refused 1 "only administrators set it" as ana settings --decoys-per-day 5
claim "watch, once" as ana watch --times 1
(umask 077; echo "copper violin meadow lantern orbit river" >"$work/pass.new")
claim "a new passphrase" as ben passphrase --new-passphrase-file "$work/pass.new" --light
as ben status >"$work/one" 2>&1
same "the old one opens nothing" $? 4
cp "$work/pass.new" "$work/pass.ben"
claim "the new one does" as ben status
refused 1 "a card that is none" sh -c "echo nonsense >$work/card; AMPARO_HOME=$work/home/ruth $BIN/amparo server add --card-file $work/card --passphrase-file $work/pass.ruth"
refused 1 "an invitation with a wrong character" sh -c "sed 's/.\$/x/;s/x\$/y/' $work/invitation >$work/bad; $BIN/amparo join --home $work/home/eve --name Eve --invitation-file $work/bad --passphrase-file $work/pass.zoe"

# ---- install -----------------------------------------------------------------------------------------
if [ "$B" = build ]; then
	claim "make install" make -s B="$B" install DESTDIR="$work/root" PREFIX=/usr
	for f in bin/amparo sbin/amparod share/man/man1/amparo.1 share/man/man8/amparod.8 \
		share/man/man5/amparod.conf.5 lib/systemd/system/amparod.service \
		share/amparo/forms/raid-intake.xml share/doc/amparo/PROTOCOL.md; do
		claim "installs $f" test -s "$work/root/usr/$f"
	done
	claim "the unit starts the installed program" grep -q "/usr/sbin/amparod run" \
		"$work/root/usr/lib/systemd/system/amparod.service"
	claim "make uninstall" make -s B="$B" uninstall DESTDIR="$work/root" PREFIX=/usr
	same "nothing stays" "$(find "$work/root" -type f | wc -l)" 0
fi
finish
