#!/usr/bin/env bash
# SPDX-License-Identifier: AGPL-3.0-or-later
# Goal: the commands of amparod(8) say what they do, refuse what they do not know, and end
# with the documented exit status.
set -u
b=${B:-build}
d=$b/amparod
dir=$(mktemp -d) || exit 2
pid=
trap '[ -n "$pid" ] && kill "$pid" 2>/dev/null; rm -rf "$dir"' EXIT
bad=0
claim() { # claim TEXT COMMAND…
	local text=$1
	shift
	if "$@"; then echo "ok $text"; else echo "FAIL $text"; bad=1; fi
}
code() { # code WANTED COMMAND…: output in $dir/out
	local want=$1 got
	shift
	"$@" >"$dir/out" 2>&1
	got=$?
	[ $got -eq "$want" ] || { echo "  exit $got instead of $want: $*"; cat "$dir/out"; return 1; }
}
says() { grep -q -- "$1" "$dir/out" || { echo "  \"$1\" is missing in:"; cat "$dir/out"; return 1; }; }
start() { # start ARGS…: runs until stop; waits for the ready byte
	mkfifo "$dir/ready"
	"$d" run "$@" --ready-fd 7 7>"$dir/ready" 2>"$dir/err" &
	pid=$!
	head -c 1 <"$dir/ready" >/dev/null
	rm "$dir/ready"
	port=$(sed -n 's/.*listening on 127.0.0.1:\([0-9]*\)$/\1/p' "$dir/err")
}
stop() { kill -TERM "$pid"; wait "$pid"; rc=$?; pid=; return $rc; }

claim "help ends with 0 and names every command" code 0 "$d" --help
claim "  init, run, check, status" says "status  ask"
claim "version" code 0 "$d" --version
claim "no command is wrong usage" code 2 "$d"
claim "an unknown command is wrong usage" code 2 "$d" frobnicate
claim "an unknown flag is wrong usage" code 2 "$d" run --frobnicate
claim "init without a folder is wrong usage" code 2 "$d" init --address 127.0.0.1:1
claim "init without an address is wrong usage" code 2 "$d" init --data "$dir/s"
claim "init makes a server" code 0 "$d" init --data "$dir/s" --address example.org:4711
claim "  prints the card" says '^amparo-server:'
claim "  says what comes next" says 'amparo server add'
cp "$dir/out" "$dir/card"
claim "init twice changes nothing" code 1 "$d" init --data "$dir/s" --address example.org:4711
claim "  and says why" says 'already'
claim "  and shows no second card" bash -c "! grep -q amparo-server: '$dir/out'"
claim "the folder is for its owner only" test "$(stat -c %a "$dir/s")" = 700
claim "every file in it too" test -z "$(find "$dir/s" -type f ! -perm 600)"
card=$(sed -n 's/^amparo-server://p' "$dir/card")
claim "the setup key is not on the disk" bash -c "! grep -rqF '$card' '$dir/s'"

printf '[server]\ndata = %s\nlisten = 127.0.0.1:0\nmax-conections = 5\n' "$dir/s" >"$dir/bad.conf"
claim "an unknown key is refused" code 2 "$d" run --config "$dir/bad.conf"
claim "  by name and line" says 'line 4: unknown key "max-conections"'
claim "a server that is not there" code 1 "$d" run --data "$dir/none" --listen 127.0.0.1:0
claim "  is named" says 'amparod init'
claim "an address that is not here" code 3 "$d" run --data "$dir/s" --listen 192.0.2.1:4711
claim "status without a server" code 1 "$d" status --data "$dir/s"

printf '; amparod.conf(5)\ndata = %s\nlisten = 127.0.0.1:0\n' "$dir/s" >"$dir/good.conf"
start --config "$dir/good.conf"
claim "it listens on a free port and says which" test "${port:-0}" -gt 0
claim "status answers" code 0 "$d" status --data "$dir/s"
claim "  for people" says 'cells waiting for release *0'
claim "status --json answers" code 0 "$d" status --data "$dir/s" --json
claim "  for programs" says '^{"day": [0-9]*, .*"policy": false, .*"connections": 0, .*}$'
claim "its local socket is for its owner only" test "$(stat -c %a "$dir/s/status.sock")" = 600
claim "a second one on the same folder is refused" code 1 "$d" run --data "$dir/s" --listen 127.0.0.1:0
claim "  with the reason" says 'another process'
claim "check wants the server stopped" code 1 "$d" check --data "$dir/s"
claim "  and says so" says 'stop it first'
claim "no core file can hold its keys" grep -q 'Max core file size *0 *0' "/proc/$pid/limits"
claim "SIGTERM ends it with 0" stop
claim "  and takes its socket along" test ! -e "$dir/s/status.sock"
claim "the log names no peer" bash -c "! grep -qE '127\.0\.0\.1:[0-9]+' <(grep -v 'listening on' '$dir/err')"
claim "check finds nothing wrong" code 0 "$d" check --data "$dir/s"

start --data "$dir/s" --listen 127.0.0.1:0
kill -9 "$pid"; wait "$pid" 2>/dev/null; pid=
claim "check after kill -9 finds nothing wrong" code 0 "$d" check --data "$dir/s"
dd if=/dev/urandom of="$dir/s/state.mdb" bs=512 seek=9 count=8 conv=notrunc 2>/dev/null
claim "check notices damage" code 5 "$d" check --data "$dir/s"
exit $bad
