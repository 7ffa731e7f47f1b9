#!/bin/sh
# SPDX-License-Identifier: AGPL-3.0-or-later
# A PostgreSQL cluster of the benchmark's own: tests/bench/pg.sh start|stop DIR
# Never the system's: its own folder, a socket in it, no TCP.  As root it runs as postgres,
# which refuses to be root.
set -eu
dir=$2
bin=
for b in /usr/lib/postgresql/*/bin; do [ -x "$b/initdb" ] && bin=$b; done
[ -n "$bin" ] || { echo "PostgreSQL is not installed" >&2; exit 1; }
as() { if [ "$(id -u)" -eq 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi; }
cd /
case $1 in
start)
	mkdir -p "$dir"
	[ "$(id -u)" -ne 0 ] || chown postgres "$dir"
	as "$bin/initdb" -D "$dir/data" -U postgres -A trust -E UTF8 --no-locale >"$dir.log" 2>&1
	as "$bin/pg_ctl" -D "$dir/data" -w -l "$dir/server.log" \
		-o "-c listen_addresses= -c unix_socket_directories=$dir -c max_connections=40" \
		start >>"$dir.log" 2>&1 ;;
stop)
	[ ! -f "$dir/data/postmaster.pid" ] || as "$bin/pg_ctl" -D "$dir/data" -w -m immediate stop \
		>>"$dir.log" 2>&1 ;;
*)	exit 2 ;;
esac
