# SPDX-License-Identifier: AGPL-3.0-or-later
# What the end-to-end tests share: servers, people, claims.  Sourced by bash scripts that
# stand in the top folder of the project.  Everything happens below one temporary folder
# and on loopback; when the script ends, so does every process it began.
set -u
B=${B:-build}
BIN=$PWD/$B
work=$(mktemp -d "${TMPDIR:-/tmp}/amparo-e2e.XXXXXX")
chmod 700 "$work"
failures=0
# two thirds of a story's work were the same passphrases again; a sanitizer must come first, so
# its build computes each of them
if [ -f "$BIN/tests/tools/pwhash_once.so" ] && ! grep -q __asan_init "$BIN/amparo"; then
	mkdir "$work/pwhash"
	export PWHASH_ONCE=$work/pwhash LD_PRELOAD=$BIN/tests/tools/pwhash_once.so
fi

cleanup() {
	local p
	for p in "$work"/*.pid; do
		[ -f "$p" ] && kill -9 "$(cat "$p")" 2>/dev/null
	done
	for p in "$work"/home/*; do
		[ -S "$p/agent.sock" ] && "$BIN/amparo" lock --home "$p" >/dev/null 2>&1
	done
	wait 2>/dev/null
	if [ -n "${KEEP:-}" ]; then echo "kept: $work"; else rm -rf "$work"; fi
}
trap cleanup EXIT
trap 'exit 130' INT TERM

ok()   { echo "ok $*"; }
fail() { echo "FAIL $*"; failures=$((failures + 1)); }
# claim TEXT COMMAND…: the command must succeed
claim() { local what=$1; shift; if "$@" >"$work/out" 2>"$work/err"; then ok "$what"; else
	fail "$what (exit $?)"; sed 's/^/    /' "$work/out" "$work/err"; fi; }
# refused CODE TEXT COMMAND…: the command must end with this code and say one sentence
refused() { local code=$1 what=$2 rc; shift 2; "$@" >"$work/out" 2>"$work/err"; rc=$?
	if [ $rc -eq "$code" ] && grep -q '^amparod\?: ' "$work/err"; then ok "$what"; else
	fail "$what (exit $rc, wanted $code)"; sed 's/^/    /' "$work/out" "$work/err"; fi; }
same() { if [ "$2" = "$3" ]; then ok "$1"; else fail "$1: got '$2', wanted '$3'"; fi; }
finish() { [ $failures -eq 0 ]; exit $?; }

# ---- servers ---------------------------------------------------------------------------

# a port nobody listens on, below those that the kernel gives to connections: one of these may
# be taken between the look and the start.  Two scripts may still meet, so the range is wide
free_port() {
	local p i
	for i in $(seq 50); do
		p=$((10000 + (RANDOM * 32768 + RANDOM) % 22000))
		if ! (exec 3<>"/dev/tcp/127.0.0.1/$p") 2>/dev/null; then echo "$p"; return 0; fi
	done
	return 1
}

# server_init NAME: a new server; its card in $work/NAME.card, its port in $work/NAME.port
server_init() {
	local port
	port=$(free_port) || return 1
	echo "$port" >"$work/$1.port"
	"$BIN/amparod" init --data "$work/$1" --address "127.0.0.1:$port" >"$work/$1.init" || return 1
	grep -o 'amparo-server:[A-Za-z0-9_-]*' "$work/$1.init" >"$work/$1.card"
}

# server_start NAME [OPTIONS…]: returns when it listens
server_start() {
	local name=$1 line
	shift
	rm -f "$work/$name.ready"
	mkfifo "$work/$name.ready"
	"$BIN/${AMPAROD:-amparod}" run --data "$work/$name" --listen "127.0.0.1:$(cat "$work/$name.port")" \
		--ready-fd 9 "$@" 9>"$work/$name.ready" 2>>"$work/$name.log" &
	echo $! >"$work/$name.pid"
	# one byte when it listens; end of file at once if it died
	line=$(head -c 1 "$work/$name.ready" | od -An -tx1)
	[ -n "$line" ] || { echo "the server $name did not start:"; tail -5 "$work/$name.log"; return 1; }
}
server_stop() { kill "$(cat "$work/$1.pid")" 2>/dev/null; wait "$(cat "$work/$1.pid")" 2>/dev/null; rm -f "$work/$1.pid"; }
server_kill() { kill -9 "$(cat "$work/$1.pid")" 2>/dev/null; wait "$(cat "$work/$1.pid")" 2>/dev/null; rm -f "$work/$1.pid"; }

# ---- people: each has a home and a passphrase file; nobody shares a file ------------------

person() { # person NAME PASSPHRASE
	mkdir -p "$work/home"
	chmod 700 "$work/home"
	(umask 077; printf '%s\n' "$2" >"$work/pass.$1")
}
# as NAME COMMAND…
as() {
	local who=$1
	shift
	AMPARO_HOME=$work/home/$who "$BIN/amparo" "$@" --passphrase-file "$work/pass.$who"
}
# the four words that `amparo join` or `amparo status` shows, one line
spoken_words() { sed -n 's/^    \([a-z]*\)  \([a-z]*\)  \([a-z]*\)  \([a-z]*\)$/\1 \2 \3 \4/p' | head -n 1; }

# join_as NAME "FULL NAME" INVITATION [OPTIONS…]: joins; the words go to $work/words.NAME
join_as() {
	local who=$1 full=$2 inv=$3
	shift 3
	(umask 077; printf '%s\n' "$inv" >"$work/invitation.$who")
	as "$who" join --name "$full" --invitation-file "$work/invitation.$who" "$@" \
		>"$work/join.$who" 2>&1 || { cat "$work/join.$who"; return 1; }
	rm -f "$work/invitation.$who"
	spoken_words <"$work/join.$who" >"$work/words.$who"
	[ -s "$work/words.$who" ] || { cat "$work/join.$who"; return 1; }
}
# confirm_as ADMIN NAME "FULL NAME"
confirm_as() { as "$1" confirm "$3" --words "$(cat "$work/words.$2")"; }

# found NAME…: an organisation "Pine Belt Legal Aid" with administrator ruth, the servers
# named, holders ana and ben, desk Intake, the raid-intake form
found() {
	local s i
	person ruth "correct horse battery staple orange violet"
	person ana "meadow kettle anchor violin pepper candle"
	person ben "gravel window ribbon thunder apple forest"
	for s in "$@"; do server_init "$s" && server_start "$s" || return 1; done
	as ruth org create "Pine Belt Legal Aid" --name "Ruth Alvarez" --light >/dev/null || return 1
	for s in "$@"; do as ruth server add --card-file "$work/$s.card" >/dev/null || return 1; done
	as ruth invite --role attorney --count 2 2>&1 | grep '^amparo:' >"$work/inv" || return 1
	join_as ana "Ana Ruiz" "$(sed -n 1p "$work/inv")" --light --lang es,en || return 1
	join_as ben "Ben Carter" "$(sed -n 2p "$work/inv")" --light --lang en || return 1
	confirm_as ruth ana "Ana Ruiz" >/dev/null || return 1
	confirm_as ruth ben "Ben Carter" >/dev/null || return 1
	for i in ana ben; do as $i sync >/dev/null || return 1; done
	as ruth release >/dev/null && as ruth sync >/dev/null || return 1
	as ruth desk create Intake --holders "Ana Ruiz,Ben Carter" >/dev/null || return 1
	as ruth release >/dev/null || return 1
	for i in ana ben; do
		as $i sync >/dev/null && as $i desk sign Intake >/dev/null || return 1
	done
	as ruth release >/dev/null && as ruth sync >/dev/null && as ruth desk publish Intake >/dev/null || return 1
	as ruth form publish "${FORM:-docs/forms/raid-intake.xml}" --desk Intake >/dev/null || return 1
	# holders' keys move to the board that volunteers read
	for i in ana ben; do as $i sync >/dev/null || return 1; done
	as ruth release >/dev/null || return 1
}
# enrol NAME "FULL NAME" ROLE: invited, joined, confirmed, synced
enrol() {
	person "$1" "passphrase of $1 violet kettle harbor"
	as ruth invite --role "$3" 2>&1 | grep '^amparo:' >"$work/inv" || return 1
	join_as "$1" "$2" "$(cat "$work/inv")" --light || return 1
	confirm_as ruth "$1" "$2" >/dev/null || return 1
	as "$1" sync >/dev/null
}
# photo NAME: its file.  A name beyond ASCII is given to a copy: in the tree such bytes are "_"
photo() {
	local plain
	plain=$(LC_ALL=C tr -c ' -~\n' _ <<<"$1")
	if [ "$plain" = "$1" ]; then echo "tests/e2e/data/$1"; return; fi
	cp -n "tests/e2e/data/$plain" "$work/$1"
	echo "$work/$1"
}
# submit NAME NUMBER: intake number of tests/e2e/data with its photographs; prints the code
submit() {
	local who=$1 n=$2 f lang photos=() p
	f=tests/e2e/data/intake-$n.xml
	while IFS= read -r p; do [ -n "$p" ] && photos+=(--attach "$(photo "$p")"); done < <(
		grep "^intake-$n.xml" tests/e2e/data/manifest.tsv | cut -f3- | tr '\t' '\n')
	lang=$(grep "^intake-$n.xml" tests/e2e/data/manifest.tsv | cut -f2)
	as "$who" intake submit --instance "$f" "${photos[@]}" --lang "$lang" --json \
		| sed -n 's/.*"code":"\([0-9A-Z-]*\)".*/\1/p'
}
