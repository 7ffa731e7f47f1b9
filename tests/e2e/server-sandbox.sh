#!/usr/bin/env bash
# SPDX-License-Identifier: AGPL-3.0-or-later
# Goal: the running server has given up what it does not need; its keys are in one locked slab;
# it says how much memory that takes; and what a machine lacks is said, or is a reason to stop.
set -u
b=${B:-build}
d=$PWD/$b/amparod
dir=$(mktemp -d) || exit 2
pid=
trap '[ -n "$pid" ] && kill -9 "$pid" 2>/dev/null; rm -rf "$dir"' EXIT
bad=0
claim() { # claim TEXT COMMAND…
	local text=$1
	shift
	if "$@"; then echo "ok $text"; else echo "FAIL $text"; bad=1; fi
}
says() { grep -q -- "$1" "$dir/err" || { echo "  \"$1\" is missing in:"; cat "$dir/err"; return 1; }; }
says_not() { ! grep -q -- "$1" "$dir/err" || { cat "$dir/err"; return 1; }; }
code() { # code WANTED COMMAND…: its words in $dir/err
	local want=$1 got
	shift
	timeout -k 5 20 "$@" >"$dir/out" 2>"$dir/err"
	got=$?
	[ $got -eq "$want" ] || { echo "  exit $got instead of $want: $*"; cat "$dir/err"; return 1; }
}
# start COMMAND…: in the background, until the ready byte; empty if it died
start() {
	rm -f "$dir/ready"
	mkfifo "$dir/ready"
	"$@" --ready-fd 7 7>"$dir/ready" 2>"$dir/err" &
	pid=$!
	[ -n "$(head -c 1 "$dir/ready" | od -An -tx1)" ]
}
stop() { [ -n "$pid" ] || return 1; kill -TERM "$pid"; wait "$pid"; local rc=$?; pid=; return $rc; }

# ---- the acts, and the server from outside ------------------------------------------------------
mkdir "$dir/acts"
timeout 100 "$b/tests/tools/sandbox_acts" "$dir/acts" || bad=1
timeout 100 "$b/tests/tools/server_sealed" "$dir/sealed" || { tail -n 20 "$dir/sealed.log"; bad=1; }

# ---- nobody else may look into it ---------------------------------------------------------------
"$d" init --data "$dir/s" --address 127.0.0.1:4711 >/dev/null || exit 1
run=("$d" run --data "$dir/s" --listen 127.0.0.1:0 --max-connections 100)
built=yes
start "${run[@]}" || exit 1
grep -q 'NO SANDBOX: this build' "$dir/err" && built=
if [ -n "$built" ]; then
	if grep -q 'SANDBOX INCOMPLETE' "$dir/err"; then
		echo "SKIP THIS MACHINE DOES NOT GRANT THE WHOLE SANDBOX:"
		sed 's/^/    /' "$dir/err"
	else
		claim "the start says what was given up" says 'sandbox: no file outside the data folder (Landlock ABI [0-9]*), [0-9]* system calls'
	fi
fi
claim "no core file" grep -q 'Max core file size *0 *0' "/proc/$pid/limits"
stop
if [ "$(id -u)" -eq 0 ]; then
	# the server and a stranger under one user, who is not root
	chmod 711 "$dir"
	cp "$d" "$dir/amparod"
	chmod 755 "$dir/amparod"
	chown -R 65534:65534 "$dir/s"
	as=(setpriv --reuid 65534 --regid 65534 --clear-groups)
	claim "it runs as a user without rights" start "${as[@]}" "$dir/amparod" "${run[@]:1}"
	look() { "${as[@]}" head -c 1 "/proc/$1/environ" >/dev/null 2>&1; }
	claim "another process of its user cannot look into it" bash -c "! ${as[*]} head -c 1 /proc/$pid/environ >/dev/null 2>&1"
	"${as[@]}" sleep 100 &
	other=$!
	until grep -q '^Name:.*sleep' "/proc/$other/status" 2>/dev/null; do :; done
	claim "control: into another one it can" look "$other"
	kill "$other"
	stop
	free=(setpriv --bounding-set=-ipc_lock,-sys_resource)
	chown -R 0:0 "$dir/s"
else
	claim "it starts again" start "${run[@]}"
	claim "another process of its user cannot look into it" bash -c "! head -c 1 /proc/$pid/environ >/dev/null 2>&1"
	claim "control: into another one it can" bash -c "head -c 1 /proc/$$/environ >/dev/null"
	stop
	free=()
fi

# ---- locked memory ------------------------------------------------------------------------------
# to BYTES: sets `limited`, the server with so much memory to lock and no right to lock more
to() { limited=("${free[@]}" prlimit "--memlock=$1:$1" -- "${run[@]}"); }
to 4096
little=("${limited[@]}")
claim "too little memory to lock: it does not start" code 1 "${little[@]}"
need=$(sed -n 's/.*set LimitMEMLOCK=\([0-9]*\) .*/\1/p' "$dir/err")
claim "  and names the limit to set" test "${need:-0}" -gt 4096
claim "  in one sentence" test "$(wc -l <"$dir/err")" -eq 1
to $((need - 4096))
claim "one page less than that is too little" code 1 "${limited[@]}"
to "$need"
claim "with just that it starts" start "${limited[@]}"
locked=$(awk '/^VmLck/ { print $2 * 1024 }' "/proc/$pid/status")
claim "  and has locked it" test "$locked" = "$need"
stop
claim "wanted, not required: it starts all the same" start "${little[@]}" --lock-memory wanted
claim "  and says so in capitals" says 'KEYS MAY REACH THE SWAP'
echo "figure: locked memory: named $need bytes, locked $locked; without leave $(awk '/^VmLck/ { print $2 * 1024 }' "/proc/$pid/status")"
stop

# ---- switched off, required ---------------------------------------------------------------------
if [ -n "$built" ]; then
	claim "it can be switched off, and says so" start "${run[@]}" --sandbox off
	claim "  in capitals" says 'NO SANDBOX: switched off'
	claim "control: then the kernel says so too" grep -q '^Seccomp:.*0' "/proc/$pid/status"
	stop
	claim "required and granted" start "${run[@]}" --require-sandbox
	claim "  nothing is missing" says_not 'INCOMPLETE'
	stop
	# strace makes a kernel without Landlock, and one without seccomp
	if command -v strace >/dev/null && strace -qq -e trace=none true 2>/dev/null; then
		landlock=(strace -f -qq -o /dev/null -e inject=landlock_create_ruleset:error=ENOSYS)
		seccomp=(strace -f -qq -o /dev/null -e inject=seccomp:error=EINVAL)
		claim "a kernel without Landlock: it says what is missing" start "${landlock[@]}" "${run[@]}"
		claim "  in capitals" says 'SANDBOX INCOMPLETE: no Landlock'
		kill -TERM $(cat "/proc/$pid/task/$pid/children"); wait "$pid"; pid=
		claim "  and does not start when it is required" code 1 "${landlock[@]}" "${run[@]}" --require-sandbox
		claim "  with the reason" says 'requires the whole sandbox'
		claim "a kernel without seccomp filters: it says what is missing" start "${seccomp[@]}" "${run[@]}"
		claim "  in capitals" says 'SANDBOX INCOMPLETE: no seccomp'
		kill -TERM $(cat "/proc/$pid/task/$pid/children"); wait "$pid"; pid=
		claim "  and does not start when it is required" code 1 "${seccomp[@]}" "${run[@]}" --require-sandbox
	else
		echo "SKIP strace cannot trace here: a kernel without Landlock is not tested"
	fi
else
	claim "a sanitizer's build refuses to be required to have one" code 1 "${run[@]}" --require-sandbox
	claim "  with the reason" says 'requires the whole sandbox'
fi

# ---- a local socket elsewhere -------------------------------------------------------------------
mkdir "$dir/run"
away=("${run[@]}" --status-socket "$dir/run/s")
answers() { "$d" status --status-socket "$dir/run/s" >/dev/null; }
claim "the local socket can be outside the data folder" start "${away[@]}"
claim "  and answers" answers
kill -9 "$pid"; wait "$pid" 2>/dev/null; pid=
claim "what a killed server left of it is replaced" start "${away[@]}"
claim "  and answers" answers
claim "  it stops in order" stop
claim "what an ended server left of it is replaced" start "${away[@]}"
claim "  and answers" answers
claim "a second server does not take it away" code 1 "${away[@]}"
claim "  the first one still answers" answers
stop
rm -f "$dir/run/s"; echo kept >"$dir/run/s"
claim "a file that stands there is no socket of ours: it does not start" code 1 "${away[@]}"
claim "  and says where" says "cannot make the local socket $dir/run/s"
claim "  and leaves it alone" grep -q kept "$dir/run/s"
claim "not even in its own folder" code 1 "${run[@]}" --status-socket "$dir/s/state.mdb"
claim "  the store is still whole" code 0 "$d" check --data "$dir/s"

# ---- what may go wrong inside it ----------------------------------------------------------------
# the short commands are confined as well, and still work (server-command.sh says more)
claim "check works in its own sandbox" code 0 "$d" check --data "$dir/s" --require-sandbox
exit $bad
