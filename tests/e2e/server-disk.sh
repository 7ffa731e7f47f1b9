#!/usr/bin/env bash
# SPDX-License-Identifier: AGPL-3.0-or-later
# Goal: a full disk costs nobody an acknowledged cell: refused while nearly full, no answer
# at all when a write fails, and everything there after a restart.  On a small disk of its own,
# filled to the reserve: cells are refused, erasures and releases go on, then it resumes.
set -u
b=${B:-build}
cases=10
[ "${AMPARO_TEST_MODE:-short}" = long ] && cases=200
dir=$(mktemp -d) || exit 2
trap 'umount "$dir/small" 2>/dev/null; rm -rf "$dir"' EXIT
bad=0
"$b/tests/tools/server_disk" "$dir/server" $cases "$@" || { tail -n 20 "$dir/server.log"; bad=1; }
mkdir "$dir/small"
if mount -t tmpfs -o size=56m,mode=0700 tmpfs "$dir/small" 2>/dev/null; then
	"$b/tests/tools/server_disk" "$dir/small/server" small || { tail -n 20 "$dir/small/server.log"; bad=1; }
else
	echo "SKIP no tmpfs can be mounted here (root is needed): no small disk was filled"
fi
exit $bad
