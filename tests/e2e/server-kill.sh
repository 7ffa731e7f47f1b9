#!/usr/bin/env bash
# SPDX-License-Identifier: AGPL-3.0-or-later
# Goal: a server killed at random moments under load loses nothing it acknowledged and
# gives no reader a cell twice.
set -u
b=${B:-build}
kills=100
[ "${AMPARO_TEST_MODE:-short}" = long ] && kills=1000
dir=$(mktemp -d) || exit 2
trap 'rm -rf "$dir"' EXIT
"$b/tests/tools/server_kill" "$dir/server" $kills "$@" || { tail -n 20 "$dir/server.log"; exit 1; }
