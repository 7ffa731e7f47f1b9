#!/usr/bin/env bash
# SPDX-License-Identifier: AGPL-3.0-or-later
# Goal: honest clients go on working while thousands of connections waste the server's time,
# and nothing of it remains afterwards.
set -u
b=${B:-build}
silent=3000
[ "${AMPARO_TEST_MODE:-short}" = long ] && silent=10000
dir=$(mktemp -d) || exit 2
trap 'rm -rf "$dir"' EXIT
"$b/tests/tools/server_flood" "$dir/server" $silent || { tail -n 20 "$dir/server.log"; exit 1; }
