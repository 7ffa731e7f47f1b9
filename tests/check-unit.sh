#!/usr/bin/env bash
# SPDX-License-Identifier: AGPL-3.0-or-later
# Goal: the systemd unit shuts out what it can (systemd's own figure, at most 1.5), and lets
# the server do all it does: each system call it makes or may make is allowed there, its limits
# suffice for the default configuration.
set -u
cd "$(dirname "$0")/.." || exit 2
b=${B:-build}
unit=server/amparod.service
tmp=$(mktemp -d) || exit 2
pid=
trap '[ -n "$pid" ] && kill -9 "$pid" 2>/dev/null; rm -rf "$tmp"' EXIT
bad=0
claim() { if [ "$2" -eq 0 ]; then echo "ok $1"; else echo "FAIL $1"; bad=1; fi; }

if ! command -v systemd-analyze >/dev/null || ! systemd-analyze syscall-filter @default >/dev/null 2>&1; then
	echo "SKIP THERE IS NO systemd-analyze HERE: THE UNIT IS NOT CHECKED"
	exit 0
fi

# ---- exposure -----------------------------------------------------------------------------------
figure() { systemd-analyze security --offline=true --no-pager "$1" 2>/dev/null |
	sed -n 's/.*Overall exposure level for [^:]*: \([0-9.]*\).*/\1/p'; }
within() { systemd-analyze security --offline=true --threshold=15 --no-pager "$1" >/dev/null 2>&1; }
now=$(figure $unit)
within $unit
claim "exposure by systemd-analyze security is at most 1.5" $?
mkdir "$tmp/open"
grep -vE '^(Protect|Private|Restrict|System|Capab|NoNew|Memory|Lock|Proc)' $unit >"$tmp/open/amparod.service"
! within "$tmp/open/amparod.service"
claim "control: without its protections it is above" $?
open=$(figure "$tmp/open/amparod.service")

# ---- system calls -------------------------------------------------------------------------------
expand() { # a name or a @group, its calls one a line
	case $1 in
	@*) systemd-analyze syscall-filter "$1" | sed -n '2,$s/^ *\([^# ][^ ]*\)$/\1/p' |
		while read -r x; do expand "$x"; done ;;
	*) echo "$1" ;;
	esac
}
# the unit's SystemCallFilter= lines in order: a list that grows and shrinks
allowed() {
	: >"$tmp/set"
	sed -n 's/^SystemCallFilter=//p' "$1" | while read -r line; do
		case $line in
		~*) for x in ${line#\~}; do expand "$x"; done | sort -u >"$tmp/less"
			comm -23 "$tmp/set" "$tmp/less" >"$tmp/next" ;;
		*) { cat "$tmp/set"; for x in $line; do expand "$x"; done; } | sort -u >"$tmp/next" ;;
		esac
		mv "$tmp/next" "$tmp/set"
	done
}
# what the server leaves itself once it listens
sed -n 's/SCMP_SYS(\([a-z0-9_]*\))/\n\1\n/gp' server/sandbox.c | grep -xE '[a-z0-9_]+' | sort -u >"$tmp/own"
# what it does from its start to its end, with somebody who asks
if command -v strace >/dev/null && strace -qq -e trace=none true 2>/dev/null; then
	"$b/amparod" init --data "$tmp/s" --address 127.0.0.1:4711 >/dev/null || exit 1
	mkfifo "$tmp/ready"
	strace -f -qq -o "$tmp/trace" "$b/amparod" run --data "$tmp/s" --listen 127.0.0.1:0 \
		--ready-fd 7 7>"$tmp/ready" 2>"$tmp/log" &
	pid=$!
	head -c 1 "$tmp/ready" >/dev/null
	port=$(sed -n 's/.*listening on 127.0.0.1:\([0-9]*\)$/\1/p' "$tmp/log")
	"$b/amparod" status --data "$tmp/s" >/dev/null
	(exec 5<>"/dev/tcp/127.0.0.1/$port" && head -c 48 /dev/zero >&5) 2>/dev/null
	kill -TERM "$(cat "/proc/$pid/task/$pid/children")"
	wait "$pid"
	pid=
	sed -n 's/^[0-9]* *\([a-z0-9_]*\)(.*/\1/p' "$tmp/trace" | sort -u >"$tmp/seen"
else
	echo "SKIP strace cannot trace here: only the server's own list is held against the unit"
	: >"$tmp/seen"
fi
sort -u "$tmp/own" "$tmp/seen" >"$tmp/need"
allowed $unit
missing=$(comm -23 "$tmp/need" "$tmp/set" | tr '\n' ' ')
[ -z "$missing" ] || echo "  the unit forbids: $missing"
[ -z "$missing" ] && [ "$(wc -l <"$tmp/need")" -gt 80 ]
claim "the unit allows every system call the server makes" $?
claim "the server's own list has no execve, ptrace, socket or connect" \
	"$(grep -cxE 'execve|execveat|ptrace|socket|connect|bind|clone|clone3|fork|kill' "$tmp/own")"
grep -v landlock $unit >"$tmp/open/less.service"
allowed "$tmp/open/less.service"
[ "$(comm -23 "$tmp/need" "$tmp/set" | grep -c landlock)" -eq 3 ]
claim "control: a unit that forbids Landlock is noticed" $?
for f in AF_INET AF_INET6 AF_UNIX; do
	grep -q "^RestrictAddressFamilies=.*\b$f\b" $unit; claim "the unit lets it listen on $f" $?
done

# ---- limits of the default configuration --------------------------------------------------------
value() { sed -n "s/^$1=//p" $unit; }
bytes() { echo "$1" | sed 's/K$/*1024/; s/M$/*1048576/' | { read -r x; echo $((x)); }; }
"$b/amparod" init --data "$tmp/m" --address 127.0.0.1:4711 >/dev/null || exit 1
small=()
[ "$(id -u)" -eq 0 ] && small=(setpriv --bounding-set=-ipc_lock,-sys_resource)
"${small[@]}" prlimit --memlock=4096:4096 -- timeout 20 "$b/amparod" run --data "$tmp/m" \
	--listen 127.0.0.1:0 2>"$tmp/log"
need=$(sed -n 's/.*set LimitMEMLOCK=\([0-9]*\) .*/\1/p' "$tmp/log")
[ "${need:-0}" -gt 0 ] && [ "$need" -le "$(bytes "$(value LimitMEMLOCK)")" ]
claim "LimitMEMLOCK suffices for the default number of connections" $?
[ "$(value LimitNOFILE)" -ge $((4096 + 96)) ]
claim "LimitNOFILE suffices for the default number of connections" $?
[ "$(value MemorySwapMax)" = 0 ] && [ "$(value LimitCORE)" = 0 ]
claim "nothing of it may be swapped or left in a core file" $?
echo "figure: unit: exposure $now (at most 1.5; control $open); system calls: $(wc -l <"$tmp/seen") seen, $(wc -l <"$tmp/own") in the server's list, forbidden by the unit: $(echo "$missing" | wc -w); locked memory needed: ${need:-?} of $(value LimitMEMLOCK)"
exit $bad
