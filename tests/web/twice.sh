#!/usr/bin/env bash
# SPDX-License-Identifier: AGPL-3.0-or-later
# Goal: the page is reproducible: the sources copied into two folders of different names and
# built from nothing give the same bytes as the page that lies in the build folder.
set -eu
cd "$(dirname "$0")/../.."
B=${B:-build}
work=$(mktemp -d "${TMPDIR:-/tmp}/amparo-twice.XXXXXX")
trap 'rm -rf "$work"' EXIT
for name in one another/folder/deep; do
	mkdir -p "$work/$name"
	git ls-files -z | xargs -0 cp --parents -t "$work/$name" 2>/dev/null
	# other dates of the files, another time zone and language: none of it may get in
	find "$work/$name" -type f -exec touch -d "2001-01-0${#name}" {} + 2>/dev/null || :
	(cd "$work/$name" && TZ=Asia/Tokyo LC_ALL=C.UTF-8 make -s web B=out >make.log 2>&1) ||
		{ tail -n 20 "$work/$name/make.log"; echo "twice: the page could not be built in $name"; exit 1; }
	(cd "$work/$name/out/web/site" && find . -type f ! -name 'SHA256SUMS*' -print0 | LC_ALL=C sort -z | xargs -0 sha256sum) >"$work/sums.${name%%/*}"
done
(cd "$B/web/site" && find . -type f ! -name 'SHA256SUMS*' -print0 | LC_ALL=C sort -z | xargs -0 sha256sum) >"$work/sums.here"
cmp "$work/sums.one" "$work/sums.another" && cmp "$work/sums.one" "$work/sums.here" || {
	echo "twice: the same sources gave different bytes:"
	diff "$work/sums.one" "$work/sums.another" || diff "$work/sums.one" "$work/sums.here" || :
	exit 1
}
cat "$work/sums.one"
echo "three builds, the same bytes"
