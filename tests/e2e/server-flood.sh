#!/usr/bin/env bash
# SPDX-License-Identifier: AGPL-3.0-or-later
# Goal: honest clients go on working while thousands of connections waste the server's time,
# and nothing of it remains afterwards; one member who floods with all the connections he may
# have slows the others and stops nobody.
set -u
b=${B:-build}
silent=3000
[ "${AMPARO_TEST_MODE:-short}" = long ] && silent=10000
seconds=2
[ "${AMPARO_TEST_MODE:-short}" = long ] && seconds=20
dir=$(mktemp -d) || exit 2
trap 'rm -rf "$dir"' EXIT
bad=0
"$b/tests/tools/server_flood" "$dir/server" $silent || { tail -n 20 "$dir/server.log"; bad=1; }
rm -rf "$dir/server"
"$b/tests/tools/server_member" "$dir/member" $seconds || { tail -n 20 "$dir/member.log"; bad=1; }
exit $bad
