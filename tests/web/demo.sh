#!/usr/bin/env bash
# SPDX-License-Identifier: AGPL-3.0-or-later
# Goal: the page with a whole organisation behind it, on this machine, to try by hand: `make
# demo-web`.  Prints what to open, enrols whoever joins in the page, and releases every few
# seconds, so that what a volunteer sends is with the attorneys at once.  Ctrl-C ends it, and
# everything it made goes.
#
#	tests/web/demo.sh [--once]      once: end as soon as everything stands (for the tests)
cd "$(dirname "$0")/../.." || exit 2
. tests/e2e/lib.sh

quiet() { "$@" >"$work/out" 2>&1 || { cat "$work/out"; echo "demo-web: $* failed."; exit 1; }; }
invitation() { as ruth invite --role "$1" 2>&1 | grep '^amparo:'; }

echo "Amparo in a browser.  An organisation is being founded…"
page_port=$(free_port) || exit 1
server_start_native=$(declare -f server_start)
eval "${server_start_native/server_start/server_start_plain}"
server_start() { local name=$1; shift; server_start_plain "$name" --web-origins "http://127.0.0.1:$page_port, null" "$@"; }
quiet found one

coproc HOST { exec node tests/web/host.mjs "$page_port"; }
echo "$HOST_PID" >"$work/host.pid"
read -r page <&"${HOST[0]}"
[ -n "$page" ] || { echo "demo-web: the page's host did not start."; exit 1; }

cat <<END

Open in a browser on this machine, each in a profile or private window of its own:

  a volunteer:   $page#$(invitation volunteer)

  an attorney:   $page#$(invitation attorney)

Or from the disk, with the invitation pasted:  file://$PWD/$B/web/site/amparo.html

The page shows four words when somebody has joined.  In life they are said by telephone.
Here: type them at the prompt below, and the administrator enrols whoever they belong to.
What a volunteer sends reaches the holders of the desk Intake, Ana Ruiz and Ben Carter, whose devices are native:

  AMPARO_HOME=$work/home/ana $B/amparo sync --passphrase-file $work/pass.ana
  AMPARO_HOME=$work/home/ana $B/amparo cases --passphrase-file $work/pass.ana

An attorney in the page sees a case once it is assigned to them (\`amparo assign CODE "NAME" --words-checked\`).
END
[ "${1:-}" = --once ] && finish

echo
[ -t 0 ] || echo "There is no terminal here to type the four words at: whoever joins waits for them, and can interview meanwhile."
echo "Waiting (Ctrl-C ends the demo)."
while kill -0 "$HOST_PID" 2>/dev/null; do
	as ruth sync >/dev/null 2>&1
	as ruth release >/dev/null 2>&1
	for i in ana ben; do as $i sync >/dev/null 2>&1; done
	words=
	if [ -t 0 ]; then
		read -rt 5 -p "four words, or Enter: " words || echo
	else
		# nothing comes from the page's host: this is only the wait
		read -rt 5 words <&"${HOST[0]}"
		words=
	fi
	[ -n "$words" ] || continue
	as ruth confirm 2>&1 | sed 's/^/  /'
	read -rp "whose words are these (the name as above)? " name
	as ruth confirm "$name" --words "$words" 2>&1 | sed 's/^/  /'
done
