#!/usr/bin/env bash
# SPDX-License-Identifier: AGPL-3.0-or-later
# Goal: whoever holds no access key gets not one byte and cannot tell one failure from another.
set -u
b=${B:-build}
dir=$(mktemp -d) || exit 2
trap 'rm -rf "$dir"' EXIT
"$b/tests/tools/server_outsiders" "$dir/server" || { tail -n 20 "$dir/server.log"; exit 1; }
