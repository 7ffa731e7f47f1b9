#!/usr/bin/env bash
# SPDX-License-Identifier: AGPL-3.0-or-later
# Goal: a real organisation for the tests of the page, made by the native programs as
# tests/e2e makes its own: a server, ruth (administrator), ana and ben (attorneys, holders of
# the desk Intake), a form.  Once it stands, lines are read from standard input and executed
# one after the other with everything of tests/e2e/lib.sh at hand; what a line printed lies in
# $work/reply, and its exit code is answered on standard output.  The end of the input ends it.
#
#	tests/web/organisation.sh [--bare]      bare: no organisation yet, only the functions
. tests/e2e/lib.sh

# the servers' way into the browser: whoever starts a server lets the pages of the tests in
web_origins="http://127.0.0.1:${SITE_PORT:-0}, http://localhost:${SITE_PORT:-0}, null"
server_start_native=$(declare -f server_start)
eval "${server_start_native/server_start/server_start_plain}"
server_start() { local name=$1; shift; server_start_plain "$name" --web-origins "$web_origins" "$@"; }

# invitation ROLE: an invitation's text for a page to join by; the person confirms with words
invitation() { as ruth invite --role "$1" 2>&1 | grep '^amparo:'; }

if [ "${1:-}" != --bare ]; then
	found s1 >"$work/found.log" 2>&1 || { cat "$work/found.log" >&2; exit 1; }
fi
printf 'ready %s\n' "$work"
while IFS= read -r line; do
	eval "$line" >"$work/reply" 2>&1 </dev/null
	printf '%s\n' "$?"
done
