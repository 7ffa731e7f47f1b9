#!/usr/bin/env bash
# SPDX-License-Identifier: AGPL-3.0-or-later
# Goal: a browser's connection does what one over TCP does, within the same bounds, costs little
# more while it waits, and ends without a word at the first frame that is not as it should be.
set -u
b=${B:-build}
dir=$(mktemp -d) || exit 2
trap 'rm -rf "$dir"' EXIT
"$b/tests/tools/server_web" "$dir/server" || { tail -n 20 "$dir/server.log"; exit 1; }
