#!/usr/bin/env bash
# SPDX-License-Identifier: AGPL-3.0-or-later
# Goal: every test of the page, one file after the other (a browser takes both cores), with
# their figures and a closing line "N passed, N failed".
#
#	tests/web/run.sh [FILE.test.mjs…]       all of tests/web if none is named
set -u
cd "$(dirname "$0")/../.."
B=${B:-build}
export B
mkdir -p "$B/tests/web"
[ $# -gt 0 ] || set -- tests/web/*.test.mjs
passed=0
failed=0
for f in "$@"; do
	name=$(basename "$f" .test.mjs)
	log=$B/tests/web/$name.tap
	start=$SECONDS
	timeout "${WEB_TEST_LIMIT:-900}" node --test --test-concurrency=1 --test-reporter=tap \
		"$f" >"$log" 2>"$log.err" </dev/null
	rc=$?
	p=$(sed -n 's/^# pass \([0-9]*\)$/\1/p' "$log" | tail -n 1)
	# what was skipped, cancelled or left to do was not shown: it counts as failed
	n=$(sed -n 's/^# tests \([0-9]*\)$/\1/p' "$log" | tail -n 1)
	p=${p:-0}
	n=${n:-0}
	bad=$((n - p))
	# a file that ended badly without a failed test, or that holds none
	if [ "$rc" -ne 0 ] && [ "$bad" -eq 0 ]; then bad=1; fi
	if [ "$n" -eq 0 ]; then bad=1; fi
	passed=$((passed + p))
	failed=$((failed + bad))
	if [ "$bad" -eq 0 ]; then
		printf 'ok %s: %d tests, %d s\n' "$name" "$p" $((SECONDS - start))
	else
		printf 'FAIL %s: %d of %d tests, %d s\n' "$name" "$bad" "$n" $((SECONDS - start))
		grep -vE '^ *(ok |duration_ms|type:|\.\.\.|---)' "$log" | head -n 80
		head -n 20 "$log.err"
	fi
	sed -n 's/^ *#* *\(figure: .*\)/\1/p' "$log"
done
printf '%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
