#!/usr/bin/env bash
# SPDX-License-Identifier: AGPL-3.0-or-later
# Goal: every sentence that the code quotes from docs/PROTOCOL.md still stands there, in
# the section named.  In code:  /* PROTOCOL 7.2: "threshold < n, except n = 1 …" */
set -eu
cd "$(dirname "$0")/.."
exec awk '
function flat(s) { gsub(/[ \t\n]+/, " ", s); return s }
# first file: the protocol, by section
FILENAME ~ /PROTOCOL\.md$/ {
	if (match($0, /^#+ +[0-9]+(\.[0-9]+)?/)) {
		h = $0; sub(/^#+ +/, "", h); sub(/[^0-9.].*$/, "", h); sub(/\.$/, "", h); sec = h
	}
	text[sec] = text[sec] " " $0
	split(sec, part, "."); if (part[1] != sec) text[part[1]] = text[part[1]] " " $0
	next
}
FNR == 1 { flush_quote() ; prev = FILENAME }
{
	line = $0
	sub(/^[ \t]*\/?\*+\/?[ \t]?/, "", line)
	if (open == "" && match(line, /PROTOCOL [0-9]+(\.[0-9]+)?: "/)) {
		open = substr(line, RSTART); where = FILENAME ":" FNR
	} else if (open != "") open = open " " line
	if (open != "") {
		q = open; sub(/^PROTOCOL [0-9.]+: "/, "", q)
		if (index(q, "\"")) {
			s = open; sub(/^PROTOCOL /, "", s); sub(/:.*/, "", s)
			n = index(q, "\""); q = substr(q, 1, n - 1)
			check(s, q); open = ""
		}
	}
}
function flush_quote() { if (open != "") { print "FAIL " where ": a quote of the protocol without its end"; bad++; open = "" } }
function check(s, q,   t, k) {
	t = flat(text[s]); q = flat(q); gsub(/`/, "", t); gsub(/\*\*/, "", t); gsub(/`/, "", q); gsub(/\*\*/, "", q)
	k++; quotes++
	if (!index(t, q)) { print "FAIL " where ": section " s " does not say: " q; bad++ }
}
END {
	flush_quote()
	if (quotes == 0) { print "FAIL no quote of the protocol was found in the code"; exit 1 }
	print "figure: quotes of docs/PROTOCOL.md in the code: " quotes ", not there any more: " bad + 0
	if (!bad) print "ok every quoted sentence stands in the protocol"
	exit bad > 0
}' docs/PROTOCOL.md $(git ls-files 'protocol/*.[ch]' 'server/*.[ch]' 'client/*.[ch]')
