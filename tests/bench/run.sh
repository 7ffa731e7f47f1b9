#!/usr/bin/env bash
# SPDX-License-Identifier: AGPL-3.0-or-later
# Goal: every figure beside its limit, as a table and in build/bench.json.
#   tests/bench/run.sh short|long [NAME…]
# A missed aim is told and fails nothing; a measurement that breaks ends the run with 1.
# NAME: only these programs (bench_pull …).  BENCH_TMP: where servers and vaults are put
# while it runs (default /var/tmp); PostgreSQL's cluster is there too, on the same disk.
set -u
cd "$(dirname "$0")/../.." || exit 2
mode=${1:-short}
case $mode in short|long) ;; *) echo "usage: tests/bench/run.sh short|long [NAME…]" >&2; exit 2 ;; esac
shift
B=${B:-build}
all="bench_ingest bench_pg bench_pull bench_trial bench_decoys bench_uptodate bench_night bench_idle bench_grow bench_search bench_forms"
want=${*:-$all}

mkdir -p "$B"
if ! make --no-print-directory -s -j"${JOBS:-$(nproc)}" Q=@ B="$B" build bench-bins >"$B/make-bench.log" 2>&1; then
	echo "the build failed; the end of $B/make-bench.log:"
	tail -n 20 "$B/make-bench.log"
	exit 1
fi
dir=$(mktemp -d "${BENCH_TMP:-/var/tmp}/amparo-bench.XXXXXX") || exit 1
# PostgreSQL runs as another person than root and must reach its own folder below
chmod 711 "$dir"
cleanup() {
	tests/bench/pg.sh stop "$dir/pg" >/dev/null 2>&1
	rm -rf "$dir"
}
trap cleanup EXIT
trap 'exit 130' INT TERM
export BENCH_DIR=$dir BENCH_OUT=$dir/figures AMPAROD
case $B in /*) AMPAROD=$B/amparod ;; *) AMPAROD=$PWD/$B/amparod ;; esac
: >"$BENCH_OUT"

wants() { case " $want " in *" $1 "*) return 0 ;; esac; return 1; }
broken=
one() { # one PROGRAM ARGS…
	local name=$1
	wants "$name" || return 0
	shift
	if ! timeout -k 5 "${LIMIT:-240}" "$B/tests/bench/$name" "$@"; then
		echo "BROKEN: $name"
		broken="$broken $name"
	fi
}

t0=$SECONDS
echo "$(nproc) cores, load $(cut -d' ' -f1-3 /proc/loadavg), disk $(stat -f -c %T "$dir")"
one bench_ingest
if wants bench_pg; then
	if tests/bench/pg.sh start "$dir/pg"; then
		one bench_pg "$dir/pg"
		tests/bench/pg.sh stop "$dir/pg"
	else
		echo "BROKEN: PostgreSQL could not be started"
		broken="$broken bench_pg"
	fi
fi
one bench_pull
one bench_trial
one bench_decoys
one bench_uptodate
one bench_night
one bench_idle
if [ "$mode" = long ]; then
	LIMIT=3600 one bench_grow 10000 100000 1000000
else
	one bench_grow 10000 100000
fi
one bench_search
one bench_forms

awk 'BEGIN { print "{" } NR > 1 { print prev "," } { prev = "  " $0 } END { if (NR) print prev; print "}" }' \
	"$BENCH_OUT" >"$B/bench.json"
echo "$(wc -l <"$BENCH_OUT") figures in $B/bench.json; $((SECONDS - t0)) s"
[ -z "$broken" ] || { echo "broken:$broken"; exit 1; }
