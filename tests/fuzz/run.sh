#!/usr/bin/env bash
# SPDX-License-Identifier: AGPL-3.0-or-later
# Goal: every parser under libFuzzer with ASan and UBSan, each for so many seconds, beginning
# with its corpus; then one line of figures.  Ends with 1 if anything was found.
#   FUZZ_SECONDS=60     for each target (also: tests/fuzz/run.sh SECONDS)
#   FUZZ_TARGETS="…"    only these, e.g. "fuzz_rpc fuzz_mp"
#   FUZZ_MERGE=1        add what reached new code to tests/fuzz/corpus, made small
#   FUZZ_MALLOC_MB=64   no single request for memory may be larger
# What is found lies in build/fuzz/found/TARGET/; the control is a planted bug that must be.
set -u
cd "$(dirname "$0")/../.." || exit 2
seconds=${1:-${FUZZ_SECONDS:-60}}
B=build/fuzz
targets=${FUZZ_TARGETS:-$FUZZERS}
mb=${FUZZ_MALLOC_MB:-64}
jobs=${JOBS:-$(nproc)}
command -v clang-14 >/dev/null || { echo "FAIL clang-14 is missing (apt-get install clang-14)"; exit 1; }
export ASAN_OPTIONS=detect_leaks=1:abort_on_error=1:allocator_may_return_null=1
export LSAN_OPTIONS=suppressions=$PWD/tests/lsan.supp:print_suppressions=0
export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1

bins=()
for t in $targets fuzz_control; do bins+=("$B/fuzz/$t"); done
${MAKE:-make} --no-print-directory -s -j"$jobs" Q=@ B=$B CC=clang-14 SAN=address,undefined \
	CFLAGS="-O1 -g -Wno-unknown-warning-option -fsanitize=fuzzer-no-link" "${bins[@]}" || { echo "FAIL the fuzzers do not build"; exit 1; }
mkdir -p $B/log $B/found

# one TARGET SECONDS: its log in $B/log/TARGET.log
one() {
	local t=$1 s=$2 dir=$B/inputs/$1 corpus=tests/fuzz/corpus/${1#fuzz_}
	mkdir -p "$dir" "$B/found/$t"
	[ -d "$corpus" ] || corpus=
	# shellcheck disable=SC2086
	"$B/fuzz/$t" -max_total_time="$s" -malloc_limit_mb="$mb" -rss_limit_mb=2048 -timeout=25 \
		-max_len=65536 -print_final_stats=1 -artifact_prefix="$B/found/$t/" "$dir" $corpus \
		>"$B/log/$t.log" 2>&1
	echo $? >"$B/log/$t.rc"
}

n=0 inputs=0 crashes=0 bad=0
for t in $targets; do
	one "$t" "$seconds"
	rc=$(cat "$B/log/$t.rc")
	did=$(sed -n 's/^stat::number_of_executed_units: *//p' "$B/log/$t.log" | tail -n 1)
	n=$((n + 1))
	inputs=$((inputs + ${did:-0}))
	if [ "$rc" -ne 0 ]; then
		crashes=$((crashes + 1))
		echo "FAIL $t: $(grep -m1 -E 'SUMMARY|ERROR: ' "$B/log/$t.log"); see $B/log/$t.log"
	elif [ "${did:-0}" -eq 0 ]; then
		bad=$((bad + 1))
		echo "FAIL $t ran nothing"
	else
		echo "ok $t: $did inputs"
	fi
	if [ "${FUZZ_MERGE:-0}" = 1 ] && [ "$rc" -eq 0 ]; then
		mkdir -p "tests/fuzz/corpus/${t#fuzz_}"
		"$B/fuzz/$t" -merge=1 "tests/fuzz/corpus/${t#fuzz_}" "$B/inputs/$t" >>"$B/log/$t.log" 2>&1
	fi
done

# the control: a bug that only a fuzzer finds
rm -rf $B/inputs/fuzz_control
one fuzz_control 60
if grep -q "planted" $B/log/fuzz_control.log && [ "$(cat $B/log/fuzz_control.rc)" -ne 0 ]; then
	echo "ok the planted bug is found"
else
	bad=$((bad + 1))
	echo "FAIL the planted bug is not found: this run proves nothing"
fi
largest=$(sed -n 's/^figure: largest allocation before authentication: \([0-9]*\) bytes.*/\1/p' \
	$B/log/fuzz_session.log 2>/dev/null | tail -n 1)
echo "figure: targets: $n; inputs: $inputs; crashes: $crashes; largest allocation before authentication: $(
	[ -n "$largest" ] && awk "BEGIN { printf \"%.1f KB\", $largest / 1024 }" || echo "not measured")"
[ $crashes -eq 0 ] && [ $bad -eq 0 ]
