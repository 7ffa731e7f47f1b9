#!/usr/bin/env bash
# SPDX-License-Identifier: AGPL-3.0-or-later
# Goal: docs/THREATS.md says what holds it.  Every test it names exists; every row of a table
# with a column "test" and every paragraph of a numbered section up to 9 names one, or says in
# so many words that there is none.
#   tests/check-threats.sh [FILE]
set -u
cd "$(dirname "$0")/.." || exit 2
tmp=$(mktemp -d) || exit 2
trap 'rm -rf "$tmp"' EXIT

# what can be named: claims of the units, programs, scripts, goals of the Makefile
{
	grep -rhoE '(cmocka_unit_test(_[a-z_]+)?|\<T|CLAIM)\([a-z0-9_]+' tests --include='*.c' | sed 's/.*(//'
	sed -n 's/^ *\(\(test\|sim\|replay\|fuzz\)_[a-z0-9_]*\)\( *\\\)\{0,1\}$/\1/p' Makefile
	sed -n 's/^ *\(fuzz_[a-z0-9_]*\)\( *\\\)\{0,1\}$/replay_\1/p' Makefile
	git ls-files tests | sed -n 's#.*/\([^/]*\.sh\)$#\1#p'
	git ls-files tests | grep '\.sh$'
	git ls-files tests | sed -n 's#\(.*\)\.c$#\1#p'
	git ls-files tests/ctgrind
	git ls-files tests/web | sed -n 's#.*/\([^/]*\.test\.mjs\)$#\1#p'
	sed -n 's/^\([a-z][a-z-]*\):.*/make \1/p' Makefile
	sed -n '/^\.PHONY/,/[^\\]$/p' Makefile | tr -s ' \\\n\t' '\n' | sed 's/^/make /'
	grep -oE '^[a-z_-]+\(\) *\{ one [a-z-]+' tests/run.sh | sed 's/.* //'
	grep -oE 'one [a-z]+-[a-z]+ ' tests/run.sh | sed 's/one //; s/ *$//'
} | sort -u >"$tmp/known"

check() { # check FILE: a line for each fault
	awk -v known="$tmp/known" '
	BEGIN { while ((getline k < known) > 0) is[k] = 1 }
	# which of the names between backquotes are names of tests, and do they exist
	function names(s,   n, part, i, t, good) {
		good = 0
		n = split(s, part, "`")
		for (i = 2; i <= n; i += 2) {
			t = part[i]
			sub(/ [A-Z]+=.*$/, "", t)
			# a tool called with an argument: the first word is the program
			if (t !~ /^make / && t ~ / /) sub(/ .*/, "", t)
			if (is[t] || is["tests/tools/" t]) good++
			else if (t ~ /^(test|sim|replay|fuzz)_/ || t ~ /\.sh$/ || t ~ /^make / ||
			         t ~ /^tests\// || t ~ /^[a-z]+(_[a-z0-9]+)(_[a-z0-9]+)+$/)
				if (!(t in figure)) print FILENAME ":" at ": no such test: " t
		}
		return good
	}
	function held(s) { return names(s) > 0 || s ~ /(^|[ (|])[Nn]o(ne| test|t promised)[ :,.|)]/ }
	function paragraph() {
		if (text != "" && text !~ /:$/ && section >= 1 && section <= 9 && !held(text))
			print FILENAME ":" at ": names no test: " substr(text, 1, 70)
		else if (text != "") names(text)
		text = ""
	}
	BEGIN { figure["decoys_seconds"]; figure["decoys_bytes"]; figure["night_decoys"] }
	/^#/ { paragraph(); if (match($0, /[0-9]+/)) section = substr($0, RSTART, RLENGTH) + 0; column = 0; next }
	/^<!--/ { paragraph(); residue = /<!-- residue/; next }
	/^\|/ {
		paragraph(); at = FNR
		n = split($0, cell, "|")
		if (!table) {
			table = 1; column = 0
			for (i = 1; i <= n; i++) if (cell[i] ~ /^ *test *$/) column = i
			next
		}
		if ($0 ~ /^\|[-|]*$/ || residue) next
		if (column && cell[column] !~ /the table above/ && !held(cell[column]))
			print FILENAME ":" FNR ": the row names no test: " substr($0, 1, 70)
		next
	}
	{ table = 0 }
	/^$/ { paragraph(); next }
	/^- / { paragraph() }
	{ if (text == "") at = FNR; text = text " " $0 }
	END { paragraph() }' "$1"
}

file=${1:-docs/THREATS.md}
check "$file" >"$tmp/faults"
sed 's/^/FAIL /' "$tmp/faults"
[ -s "$tmp/faults" ] || echo "ok docs/THREATS.md names for each row and paragraph what holds it, and all of that exists"

# the controls: a name that does not exist, a row without, a paragraph without
printf '## 1. x\n\nHeld by `test_nothing_of_the_kind`.\n\n| what | test |\n|---|---|\n| a | `test_store` |\n| b | |\n\nProse.\n' \
	>"$tmp/bad.md"
got=$(check "$tmp/bad.md" | wc -l)
if [ "$got" -eq 4 ]; then echo "ok control: four planted faults are found"
else echo "FAIL control: of four planted faults $got were found"; fi
echo "figure: tests named in docs/THREATS.md: $(grep -oE '`[^`]*`' "$file" | tr -d '`' | sort -u | grep -cxFf "$tmp/known")"
[ ! -s "$tmp/faults" ] && [ "$got" -eq 4 ]
