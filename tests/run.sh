#!/usr/bin/env bash
# SPDX-License-Identifier: AGPL-3.0-or-later
# Goal: run the suites, print each one's time beside its budget and each figure, and close
# with "N passed, N failed, N skipped".
#   tests/run.sh short|long|asan|tsan|stories
# A test is a program.  cmocka's lines are counted claim by claim; scripts print
# "ok …", "FAIL …" or "SKIP …" a claim.  A program that dies or ends non-zero without
# having said FAIL counts as one failure.  AMPARO_NO_SKIP=1: a skipped claim fails.
set -u
cd "$(dirname "$0")/.." || exit 2
mode=${1:-short}
export AMPARO_TEST_MODE=$mode
export ASAN_OPTIONS=detect_leaks=1:abort_on_error=0:exitcode=99
export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
export LSAN_OPTIONS=suppressions=$PWD/tests/lsan.supp:print_suppressions=0
export TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1
# forms of other people, where they are at hand
if [ -z "${AMPARO_SHARED_FORMS:-}" ] && [ -d ../shared/forms ]; then
	AMPARO_SHARED_FORMS=$(cd ../shared/forms && pwd)
	export AMPARO_SHARED_FORMS
fi
jobs=${JOBS:-$(nproc)}
passed=0 failed=0 skipped=0
failures=

now() { date +%s; }

log_of() { echo "$2/log/$(echo "$1" | tr '/ ' '__').log"; }
# run_one NAME BUILD COMMAND…: run it into its log, its exit code beside it
run_one() {
	local name=$1 b=$2 log
	shift 2
	mkdir -p "$b/log"
	log=$(log_of "$name" "$b")
	B=$b timeout -k 5 "${LIMIT:-240}" "$@" >"$log" 2>&1 </dev/null
	echo $? >"$log.rc"
}
export -f run_one log_of
# count_one NAME BUILD: count its claims, show its figures
count_one() {
	local name=$1 b=$2 rc ok run skip bad log
	log=$(log_of "$name" "$b")
	rc=$(cat "$log.rc" 2>/dev/null || echo 1)
	run=$(grep -ac '^\[ RUN  ' "$log")
	if [ "$run" -gt 0 ]; then
		ok=$(grep -ac '\[       OK \]' "$log")
		# cmocka names a skipped claim twice; its sum stands once
		skip=$(sed -n 's/^\[  SKIPPED \] \([0-9]*\) test(s).*/\1/p' "$log" | tail -n 1)
		skip=${skip:-0}
		bad=$((run - ok - skip))
		[ "$bad" -lt 0 ] && bad=0
	else
		ok=$(grep -ac '^ok ' "$log")
		skip=$(grep -ac '^SKIP ' "$log")
		bad=$(grep -ac '^FAIL ' "$log")
	fi
	if [ $rc -ne 0 ] && [ "$bad" -eq 0 ]; then bad=1; fi
	if [ $rc -eq 0 ] && [ $((ok + skip + bad)) -eq 0 ]; then bad=1; echo "  $name asserted nothing"; fi
	# other people's forms are not part of the project and promise nothing about secrecy
	case $name in test_form_xform|30-forms.sh) ;; *)
		if [ -n "${AMPARO_NO_SKIP:-}" ] && [ "$skip" -gt 0 ]; then
			bad=$((bad + skip)); skip=0
		fi ;;
	esac
	passed=$((passed + ok)) failed=$((failed + bad)) skipped=$((skipped + skip))
	grep -aE '^figure: ' "$log" | sed 's/^figure: /    /'
	if [ "$bad" -gt 0 ]; then
		failures="$failures $name"
		echo "  FAILED $name ($bad of $((ok + bad + skip)), exit $rc); the end of $log:"
		grep -avE '^\[ (RUN|      OK)|^ok ' "$log" | tail -n 25 | sed 's/^/    | /'
	fi
}

one() { run_one "$@"; count_one "$1" "$2"; }

# suite TITLE BUDGET_SECONDS FUNCTION ARGS…
suite() {
	local title=$1 budget=$2 t0 t p0=$passed f0=$failed mark=
	shift 2
	t0=$(now)
	echo "== $title"
	"$@"
	t=$(($(now) - t0))
	[ $t -gt "$budget" ] && mark='  OVER ITS BUDGET'
	echo "== $title: $((passed - p0)) passed, $((failed - f0)) failed; $t s of $budget s$mark"
}

build() { # build B SAN GOALS…
	local b=$1 san=$2
	shift 2
	# sanitizers make -O2 slow to compile and win little by it
	[ -n "$san" ] && set -- "$@" CFLAGS="-O1 -g1"
	if ! make --no-print-directory -s -j"$jobs" Q=@ B="$b" SAN="$san" "$@" >"build/make-$(basename "$b").log" 2>&1; then
		echo "  the build in $b failed:"
		grep -aE 'error|Error|undefined|warning' "build/make-$(basename "$b").log" | head -n 20 | sed 's/^/    | /'
		failed=$((failed + 1)) failures="$failures build:$b"
		return 1
	fi
}

# several at a time: each has its own temporary files
units()  { rm -f "$1"/log/test_*.rc
	printf '%s\n' $UNIT_TESTS | xargs -P "$jobs" -I{} bash -c 'run_one {} "$0" "$0/tests/{}"' "$1"
	for t in $UNIT_TESTS; do count_one "$t" "$1"; done; }
# one more than there are cores: they wait for the disk
sims()   { printf '%s\n' $SIM_TESTS | xargs -P $((jobs + 1)) -I{} bash -c 'run_one {} "$0" "$0/tests/{}"' "$1"
	for t in $SIM_TESTS; do count_one "$t" "$1"; done; }
replay() { for t in $FUZZERS; do
		one "replay_$t" "$1" "$1/tests/replay_$t" "tests/fuzz/corpus/${t#fuzz_}"; done; }
# What waits more than it works goes side by side, in the Makefile's order: the longest first.
# What measures how fast a server answers goes alone, and so does what has to be let in within a
# handshake's time through two programs.
alone=" server-flood.sh server-limits.sh server-proxy.sh "
e2es()   { local b=$1 t together=() apart=(); shift
	export LIMIT=${LIMIT:-300}
	for t in "$@"; do
		case $alone in *" $t "*) apart+=("$t") ;; *) together+=("$t") ;; esac
	done
	printf '%s\n' "${together[@]}" | xargs -P $((jobs + 1)) -I{} bash -c 'run_one {} "$0" bash tests/e2e/{}' "$b"
	for t in "${together[@]}"; do count_one "$t" "$b"; done
	for t in "${apart[@]}"; do one "$t" "$b" bash "tests/e2e/$t"; done; }
spec()   { one check-spec build tests/check-spec.sh
	one check-threats build tests/check-threats.sh
	one check-forms build tests/check-forms.sh
	one check-hardening build tests/check-hardening.sh
	one check-logs build tests/check-logs.sh
	one check-unit build tests/check-unit.sh; }
# the simulator beside the story: one core each
both()   { printf '%s\n' $SIM_TESTS | xargs -P 1 -I{} bash -c 'run_one {} "$0" "$0/tests/{}"' "$1" &
	e2es "$1" $E2E_ASAN
	wait
	for t in $SIM_TESTS; do count_one "$t" "$1"; done; }
# Two that leave each other alone.  The short form of the worlds has a fixed seed: a chance in a
# thousand is not to be met by whoever changes a comment.
apart()  { local worlds=(--runs 20 --seed 2019)
	[ "$mode" = long ] && worlds=(--runs 200)
	run_one two-worlds build build/tests/worlds/two_worlds "${worlds[@]}" &
	run_one device.sh "$1" bash tests/seizure/device.sh
	wait
	count_one two-worlds build
	count_one device.sh "$1"; }
ctgrind() { one ctgrind build tests/ctgrind/run.sh gcc-O0 gcc-O2; }
seize()  { one "seizure drill" "$1" tests/seizure/drill.sh "$mode"; }

# the planted race must be found, and the same work without it must be clean
race_is_found() {
	if "$1/tests/tools/race" 2>&1 | grep -q "data race"; then echo "ok the planted race is found"
	else echo "FAIL the planted race is not found: this run proves nothing"; fi
	if "$1/tests/tools/race" sound >/dev/null 2>&1; then echo "ok without it there is none"
	else echo "FAIL the same work without the race is called one"; fi
}
export -f race_is_found

mkdir -p build/log
case $mode in
short|long)
	E2E_ASAN=${E2E_ASAN:-10-story.sh}
	SIM_ASAN=${SIM_ASAN:-sim_sync}
	[ "$mode" = long ] && export LIMIT=3600 AMPARO_LONG=1
	t_all=$(now)
	suite "build" 120 build build "" build unit-bins tools worlds-bins ctgrind-bins seizure-bins || true
	suite "documents against code" 10 spec
	suite "unit tests and vectors" 80 units build
	suite "secrets and time" 20 ctgrind
	suite "simulator" 100 sims build
	suite "fuzz corpus" 30 replay build
	suite "end to end over loopback" 180 e2es build $E2E_TESTS
	suite "two worlds, a seized device" 30 apart build
	suite "seizure drill" 30 seize build
	few=
	[ "$mode" = short ] && few="SIM_TESTS=$SIM_ASAN"
	suite "build with ASan and UBSan" 120 build build/asan address,undefined build unit-bins own-tools \
		${few:+"$few"} || true
	suite "unit tests, ASan and UBSan" 150 units build/asan
	# the rest of the simulator under the sanitizers is `make asan`
	[ "$mode" = short ] && SIM_TESTS=$SIM_ASAN
	suite "fuzz corpus, ASan and UBSan" 40 replay build/asan
	suite "simulator and end to end, ASan and UBSan" 100 both build/asan
	echo "== all: $(($(now) - t_all)) s of 600 s"
	;;
asan)
	build build/asan address,undefined build unit-bins tools
	suite "unit tests" 100 units build/asan
	suite "simulator" 60 sims build/asan
	suite "fuzz corpus" 60 replay build/asan
	suite "end to end" 300 e2es build/asan $E2E_TESTS
	;;
tsan)
	# what has threads; the rest of the program has one (agents and commands are processes)
	export LIMIT=900
	build build/tsan thread build tools $(for t in $THREADED sim_sync; do echo "build/tsan/tests/$t"; done)
	suite "the control" 20 one race build/tsan race_is_found build/tsan
	UNIT_TESTS=$THREADED
	suite "the server's threads" 200 units build/tsan
	SIM_TESTS=sim_sync
	suite "the client's threads" 90 sims build/tsan
	suite "both over loopback" 300 e2es build/tsan ${E2E_TSAN:-10-story.sh}
	;;
stories)
	# the same stories as in `short`, with as many kills as in `long`
	export LIMIT=3600
	build build "" build tools
	suite "stories over loopback" 1200 e2es build $(for t in $E2E_TESTS; do case $t in [0-9]*) echo "$t" ;; esac; done)
	;;
*)	echo "usage: tests/run.sh short|long|asan|tsan|stories" >&2; exit 2 ;;
esac
[ -n "$failures" ] && echo "failed:$failures"
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed -eq 0 ]
