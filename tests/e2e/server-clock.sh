#!/usr/bin/env bash
# SPDX-License-Identifier: AGPL-3.0-or-later
# Goal: a wrong clock destroys nothing that nobody has read.
set -u
b=${B:-build}
dir=$(mktemp -d) || exit 2
trap 'rm -rf "$dir"' EXIT
AMPAROD=$b/tests/tools/amparod_clock "$b/tests/tools/server_clock" "$dir/server" ||
	{ tail -n 20 "$dir/server.log"; exit 1; }
