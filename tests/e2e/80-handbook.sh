#!/usr/bin/env bash
# SPDX-License-Identifier: AGPL-3.0-or-later
# Goal: what stands in the administrator's handbook works.  Every block of commands is taken from
# the page and run, in the page's order, by the person it names, on loopback; what the page says
# is printed has to be printed.  Every command and option that it mentions has to exist.
#
# The page (docs/guide-administrator.md) is read so:
#   ```sh … ```        a block; its first line names who runs it: "# Ana, then Ben"; "found" in
#                      that line means the device that was lost
#   answer: `…`        the next line typed; "the invitation for NAME", "the four words of NAME",
#                      "every sheet, row by row" and "three sheets, row by row" stand for those
#   prints: `…`        is in what the block before printed, to each who ran it
#   refused: `…`       the same, and the block ends with exit code 1
#   <!-- meanwhile: … -->   something that happens and that nobody types; see meanwhile() below
# Names of servers, case codes and files stand for real ones: see stand_in() below.
# HANDBOOK=FILE runs another page, without the controls.
. tests/e2e/lib.sh
BOOK=${HANDBOOK:-docs/guide-administrator.md}
steps=$work/steps
desk=$work/desk            # the folder in which everybody types
mkdir -p "$steps" "$desk" "$work/home" "$work/bin"
chmod 700 "$work/home"
ln -s "$BIN/tests/tools/amparo_clock" "$work/bin/amparo"

# ---- days go by (as in 50-rotate.sh) ---------------------------------------------------------
AMPAROD=tests/tools/amparod_clock
set_clock() { now=$1; for s in s1 s2 s3 s4; do echo "$now" >"$work/clock.$s"; done; }
set_clock 0
eval "$(declare -f server_start | sed 's/^server_start /server_start_plain /')"
server_start() { AMPAROD_TEST_CLOCK=$work/clock.$1 server_start_plain "$@"; }
as() {
	local who=$1
	shift
	AMPARO_TEST_CLOCK=$now AMPARO_HOME=$work/home/$who "$BIN/tests/tools/amparo_clock" "$@" \
		--passphrase-file "$work/pass.$who"
}

# ---- the page, in steps --------------------------------------------------------------------
# a folder a step: page, line, block | meanwhile, answers, prints, refused
awk -v out="$steps" '
	function tell(what, text) { print text >> (at "/" what); close(at "/" what) }
	function begin(what) { at = sprintf("%s/%04d", out, ++n); system("mkdir -p " at)
		tell("page", page); tell("line", NR); tell("kind", what) }
	function marks(line, word,    s, rest) {
		while ((s = index(line, word ": `")) > 0) {
			rest = substr(line, s + length(word) + 3)
			if (at != "" && index(rest, "`") > 1) tell(word, substr(rest, 1, index(rest, "`") - 1))
			line = rest
		}
	}
	/^```/ && inside { inside = 0; next }
	inside { tell("block", $0); next }
	/^```sh$/ { begin("block"); inside = 1; has[page]++; next }
	/^## / { page = substr($0, 4); at = ""; pages[++m] = page; next }
	/^<!-- meanwhile: .* -->$/ { begin("meanwhile"); gsub(/^<!-- meanwhile: | -->$/, "")
		tell("meanwhile", $0); at = ""; next }
	{ marks($0, "answer"); marks($0, "prints"); marks($0, "refused") }
	END { for (i = 1; i <= m; i++) print (has[pages[i]] + 0) "\t" pages[i] > (out "/pages")
		if (inside) print "0\ta block that does not end" > (out "/pages") }
' "$BOOK"
n_blocks=$(cat "$steps"/*/kind 2>/dev/null | grep -c '^block')
same "the handbook has no page without a block" "$(sed -n 's/^0\t//p' "$steps/pages")" ""
[ $failures -eq 0 ] || finish

# ---- every command that is mentioned exists, with its options --------------------------------
tr '\n' ' ' <"$BOOK" | grep -o '`amparo [^`]*`' | tr -d '`' | sed 's/  */ /g' >"$work/mentioned"
sed -n '/^```sh$/,/^```$/p' "$BOOK" | sed -e :a -e '/\\$/N; s/\\\n *//; ta' |
	grep '^amparo ' >>"$work/mentioned"
unknown=
sort -u "$work/mentioned" | sed 's/"[^"]*"/TEXT/g' >"$work/mentions"
while read -r _ one two rest; do
	case "$one" in -*) continue ;; esac
	if ! "$BIN/amparo" "$one" ${two:+"$two"} --help >"$work/help" 2>/dev/null </dev/null &&
	   ! "$BIN/amparo" "$one" --help >"$work/help" 2>/dev/null </dev/null; then
		unknown="$unknown [$one $two]"
		continue
	fi
	for word in $two $rest; do
		case "$word" in
		--help) ;;
		--*) grep -q -- "$word" "$work/help" || unknown="$unknown [$one $two: $word]" ;;
		esac
	done
done <"$work/mentions"
same "every command and option that it mentions exists" "$unknown" ""
[ $failures -eq 0 ] || finish

# ---- who and what stands in the page ----------------------------------------------------------
PEOPLE="ruth sol ana ben carla vera vito"
for i in $PEOPLE; do person "$i" "passphrase of $i violet kettle harbor"; done
cp docs/forms/raid-intake.xml "$desk/intake.xml"
: >"$work/names"           # placeholder, blank, what it stands for
stand_in() { printf '%s %s\n' "$1" "$2" >>"$work/names"; }
server_names=(first second third fourth)
# set_up N: a server of its own; somebody else may take its port between init and start
set_up() {
	local try
	for try in 1 2 3; do
		rm -rf "${work:?}/s$1"
		server_init "s$1" && server_start "s$1" && break
		[ "$try" -lt 3 ] || return 1
	done
	cp "$work/s$1.card" "$desk/card-$1.txt"
	stand_in "${server_names[$1 - 1]}.example.org:4711" "127.0.0.1:$(cat "$work/s$1.port")"
}
# from the page's names to the real ones, and back; blanks and line ends are one
real() { awk 'NR == FNR { name[$1] = $2; next } { for (i in name) while ((s = index($0, i)) > 0)
	$0 = substr($0, 1, s - 1) name[i] substr($0, s + length(i)); print }' "$work/names" -; }
as_printed() { tr -s ' \n' '  ' | awk 'NR == FNR { name[$2] = $1; next } { for (i in name)
	while ((s = index($0, i)) > 0) $0 = substr($0, 1, s - 1) name[i] substr($0, s + length(i)); print }' \
	"$work/names" -; }

# ---- what is typed -----------------------------------------------------------------------------
: >"$work/open"           # invitations that were shown last
rows() { sed -n 's/^<tr><th>[0-9]*<\/th>\(.*\)<\/tr>$/\1/p' "$1" | sed 's/<td>//g;s/<\/td>/ /g'; }
home_of() { echo "$1" | cut -d' ' -f1 | tr '[:upper:]' '[:lower:]'; }
feed() { # feed FILE: its answers
	local a i
	while IFS= read -r a; do
		case "$a" in
		"the invitation for "*)
			head -n 1 "$work/open"
			sed -i 1d "$work/open" ;;
		"the four words of "*) cat "$work/words.$(home_of "${a#the four words of }")" ;;
		"every sheet, row by row")
			while [ ! -e "$desk/sheets/list.html" ]; do read -r -t 0.05 <> <(:) || :; done
			mkdir -p "$work/paper"
			cp "$desk"/sheets/share-*.html "$work/paper"
			echo
			for i in 1 2 3 4 5; do rows "$work/paper/share-$i.html"; done ;;
		"three sheets, row by row") for i in 4 1 3; do rows "$work/paper/share-$i.html"; done ;;
		Enter) echo ;;
		*) printf '%s\n' "$a" | real ;;
		esac
	done <"$1" 2>/dev/null
}
# what a person's shell knows: the passphrase is typed for them, and derived in less memory
cat >"$work/shell" <<'X'
set -eu -o pipefail
amparo() {
	local light= one= line= try rc
	case "$1 ${2-}" in
	join\ *|"org create"|"vault backup") light=--light ;;
	# a program reads ahead in a pipe: where a block asks one question each, it gets one line
	confirm\ ?*|server\ drop|server\ replace)
		read -r line
		one=1 ;;
	esac
	# who is told that a server is busy tries again, as the page says
	for try in 1 2 3 4 5; do
		rc=0
		if [ -n "$one" ]; then
			command amparo "$@" --passphrase-file "$PASS" <<<"$line" >"$SAID" 2>&1 || rc=$?
		else
			command amparo "$@" $light --passphrase-file "$PASS" >"$SAID" 2>&1 || rc=$?
		fi
		[ $rc -eq 3 ] && grep -q "the server is busy" "$SAID" || break
		read -r -t 1 <> <(:) || :
	done
	cat "$SAID"
	return $rc
}
X
# run_block STEP WHO HOME
run_block() {
	local s=$1 who=$2 home=$3 rc text where
	where="$(cat "$s/page"), line $(cat "$s/line"), $who"
	{ cat "$work/shell"; real <"$s/block"; } >"$work/script"
	touch "$s/answer"
	feed "$s/answer" 2>/dev/null | (cd "$desk" && PATH="$work/bin:$PATH" PASS="$work/pass.$who" SAID="$work/said" AMPARO_TEST_CLOCK="$now" \
		AMPARO_HOME="$home" timeout -k 5 100 bash "$work/script") >"$work/out" 2>&1
	rc=${PIPESTATUS[1]}
	as_printed <"$work/out" >"$work/flat"
	if [ $rc -ne 0 ] && ! { [ $rc -eq 1 ] && [ -e "$s/refused" ]; }; then
		fail "$where: exit $rc"
	elif [ $rc -eq 0 ] && [ -e "$s/refused" ]; then
		fail "$where: nothing was refused"
	else
		ok "$where"
	fi
	for text in prints refused; do
		[ -e "$s/$text" ] || continue
		while IFS= read -r line; do
			grep -qF -- "$line" "$work/flat" || fail "$where: \"$line\" is not printed"
		done <"$s/$text"
	done
	if [ $failures -gt 0 ]; then sed 's/^/    /' "$s/block" "$work/out"; finish; fi
	# what a person keeps of it
	grep -q '^amparo join' "$s/block" && spoken_words <"$work/out" >"$work/words.$who"
	grep '^amparo:[A-Za-z0-9_-]*$' "$work/out" >"$work/shown" && mv "$work/shown" "$work/open"
	return 0
}
# what happens between the pages
meanwhile() {
	local code day
	case "$1" in
	"server "*" is set up")
		set -- $1
		set_up "$2" ;;
	"server "*" is seized")
		set -- $1
		server_kill "s$2"
		mv "$work/s$2" "$work/seized.$2" ;;
	"Vera takes an interview: "*)
		code=$(submit vera 02) && [ -n "$code" ] && stand_in "${1#*: }" "$code" ;;
	"Vito takes an interview: "*)
		code=$(submit vito 07) && [ -n "$code" ] && stand_in "${1#*: }" "$code" ;;
	"a device asks for an erasure: "*)
		"$BIN/tests/tools/erase_case" ask "$work/home/ana" "$work/pass.ana" \
			"$(echo "${1#*: }" | real)" >/dev/null && as ana sync --yes >/dev/null ;;
	*" days go by in which everybody syncs")
		for day in $(seq "${1%% *}"); do
			set_clock $((now + 86400))
			for code in ruth sol ana ben vito; do
				# sol may be gone by then
				as "$code" sync --yes >"$work/sync.$code" 2>&1 || [ "$code" = sol ] ||
					{ cat "$work/sync.$code"; return 1; }
			done
			as ruth release >/dev/null || return 1
		done ;;
	*" loses the phone")
		code=$(home_of "$1")
		mv "$work/home/$code" "$work/home/$code.lost" ;;
	*) echo "nobody knows how \"$1\" happens"; return 1 ;;
	esac
}

# ---- the book -------------------------------------------------------------------------------------
for s in "$steps"/[0-9]*; do
	if [ "$(cat "$s/kind")" = meanwhile ]; then
		meanwhile "$(cat "$s/meanwhile")" </dev/null || { fail "$(cat "$s/meanwhile")"; finish; }
		continue
	fi
	who=
	first=$(head -n 1 "$s/block" | tr '[:upper:]' '[:lower:]')
	case "$first" in "# "*) ;; *) first= ;; esac
	for w in $(echo "$first" | tr -c 'a-z\n' ' '); do
		case " $PEOPLE " in *" $w "*) who="$who $w" ;; esac
	done
	[ -n "$who" ] || { fail "$(cat "$s/page"), line $(cat "$s/line"): nobody is named who runs it"; finish; }
	for w in $who; do
		home=$work/home/$w
		case "$first" in *" found"*) home=$home.lost ;; esac
		run_block "$s" "$w" "$home"
	done
done
echo "figure: pages: $(wc -l <"$steps/pages"); blocks: $n_blocks; lines announced as printed: $(cat "$steps"/*/prints "$steps"/*/refused | wc -l)"

# ---- controls: a page that is wrong is caught ---------------------------------------------------
[ -z "${HANDBOOK:-}" ] || finish
# caught TEXT SED: the page so changed must fail, and for this reason
caught() {
	local what=$1 why=$2
	sed "$3" "$BOOK" >"$work/wrong.md"
	if cmp -s "$BOOK" "$work/wrong.md"; then fail "$what: the control changes nothing"; return; fi
	if HANDBOOK=$work/wrong.md bash tests/e2e/80-handbook.sh >"$work/caught" 2>&1 </dev/null; then
		fail "$what: not caught"
	elif grep -q "^FAIL .*$why" "$work/caught"; then ok "$what is caught"; else
		fail "$what: caught for another reason"; sed 's/^/    /' "$work/caught"; fi
}
caught "a command that is misspelt (control)" 'exists: got.*desk chagne' 's/^amparo desk change/amparo desk chagne/'
caught "a command that fails (control)" 'founding.*exit' 's/^amparo org create ".*" --name/amparo org create "" --name/'
caught "a line that is not printed (control)" 'is not printed' '0,/prints: `/s//prints: `zebra /'
caught "a page without a block (control)" 'no page without a block' '$a\## An empty page\nNothing.'
finish
