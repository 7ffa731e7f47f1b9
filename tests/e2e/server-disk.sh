#!/usr/bin/env bash
# SPDX-License-Identifier: AGPL-3.0-or-later
# Goal: a full disk costs nobody an acknowledged cell: refused while nearly full, no answer
# at all when a write fails, and everything there after a restart.
set -u
b=${B:-build}
cases=10
[ "${AMPARO_TEST_MODE:-short}" = long ] && cases=200
dir=$(mktemp -d) || exit 2
trap 'rm -rf "$dir"' EXIT
"$b/tests/tools/server_disk" "$dir/server" $cases "$@" || { tail -n 20 "$dir/server.log"; exit 1; }
