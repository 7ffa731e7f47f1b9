#!/usr/bin/env bash
# SPDX-License-Identifier: AGPL-3.0-or-later
# Goal: whoever holds no access key gets not one byte and cannot tell one failure from another,
# nor whether the server speaks WebSocket.
set -u
b=${B:-build}
dir=$(mktemp -d) || exit 2
trap 'rm -rf "$dir"' EXIT
bad=0
"$b/tests/tools/server_outsiders" "$dir/server" || { tail -n 20 "$dir/server.log"; bad=1; }
"$b/tests/tools/server_outsiders" "$dir/web" web || { tail -n 20 "$dir/web.log"; bad=1; }
exit $bad
