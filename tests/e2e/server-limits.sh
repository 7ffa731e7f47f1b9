#!/usr/bin/env bash
# SPDX-License-Identifier: AGPL-3.0-or-later
# Goal: no source, connection or scope takes more than its share, nobody wastes a place for
# long, and a server that stops says goodbye.
set -u
b=${B:-build}
dir=$(mktemp -d) || exit 2
trap 'rm -rf "$dir"' EXIT
"$b/tests/tools/server_limits" "$dir/server" || { tail -n 20 "$dir/server.log"; exit 1; }
