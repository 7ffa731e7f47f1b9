#!/usr/bin/env bash
# SPDX-License-Identifier: AGPL-3.0-or-later
# Goal: docs/FORMS.md says of every feature that is supported or refused which test holds it,
# and every test it names exists.
set -u
cd "$(dirname "$0")/.." || exit 2

exists() { # exists NAME: a form, a script, a program or a function of the tests
	case $1 in
	refused/*) [ -f "tests/forms/$1.form.xml" ] ;;
	*.form) [ -f "tests/forms/$1.xml" ] ;;
	*.sh) [ -f "tests/e2e/$1" ] || [ -f "$1" ] ;;
	test_*) [ -f "tests/unit/$1.c" ] ;;
	*) grep -qE "^static void $1\(void \*\*state\)" tests/unit/*.c ;;
	esac
}

# check FILE: prints what is wrong; rows and names are counted in $rows and $names
check() {
	local line cells name bad=0
	rows=0 names=0
	while IFS= read -r line; do
		case $line in
		'| '*'| supported'*|'| '*'| refused'*)
			# of three columns; a feature that is only told of has no row
			cells=$(grep -o '|' <<<"${line//\\|/}" | wc -l)
			[ "$cells" -eq 4 ] || continue
			rows=$((rows + 1))
			name=${line%|*} name=${name##*|}
			grep -q '`' <<<"$name" || { echo "no test: $line"; bad=1; } ;;
		esac
	done <"$1"
	# names of tests: in the last column, or in brackets within a sentence
	while IFS= read -r name; do
		names=$((names + 1))
		exists "$name" || { echo "no such test: $name"; bad=1; }
	done < <({ grep -E '^\|.*\|.*\|.*\|$' "$1" | sed 's/|$//; s/.*|//'; tr '\n' ' ' <"$1" | grep -oE '\(`[^()]*`\)'; } \
		| grep -oE '`[^`]+`' | tr -d '`' | grep -E '^(refused/[a-z-]+|[a-z-]+\.form|[0-9]+-[a-z-]+\.sh|test_[a-z_]+|[a-z0-9]+(_[a-z0-9]+){2,})$' | sort -u)
	return $bad
}

if check docs/FORMS.md; then
	[ "$rows" -gt 50 ] && [ "$names" -gt 60 ] || { echo "FAIL docs/FORMS.md is not read as it is written"; exit 1; }
	echo "figure: rows of docs/FORMS.md held by a test: $rows; tests it names: $names"
	echo "ok every supported row of docs/FORMS.md names tests that exist"
else
	echo "FAIL docs/FORMS.md names no test, or one that does not exist"
	exit 1
fi
# the controls: a row without a test, and a test nobody wrote
tmp=$(mktemp)
trap 'rm -f "$tmp"' EXIT
sed 's/^\(| rank | supported |\).*/\1 |/' docs/FORMS.md >"$tmp"
check "$tmp" >/dev/null && { echo "FAIL a row without a test is not noticed"; exit 1; }
sed 's/^\(| rank | supported |\).*/\1 `fill_ranks_what_nobody_tested` |/' docs/FORMS.md >"$tmp"
check "$tmp" >/dev/null && { echo "FAIL a test that does not exist is not noticed"; exit 1; }
echo "ok a row without a test and a test that does not exist are noticed"
