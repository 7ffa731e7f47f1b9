#!/bin/sh
# SPDX-License-Identifier: AGPL-3.0-or-later
# Goal: the module's exports and imports are those of exports.txt and imports.txt, and its
# memory has a bound.  Read by llvm's own tool, so that no node is needed to build.
#	client/web/check-wasm.sh build/web/amparo.wasm
set -eu
here=$(dirname "$0")
wasm=${1:?usage: client/web/check-wasm.sh FILE.wasm}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
obj2yaml-14 "$wasm" >"$work/yaml"
# one line for each entry of a section: its fields in the order they stand in
entries() {
	awk -v section="$1" '
		/^  - Type:/ { inside = ($3 == section); next }
		!inside { next }
		/^      - / { if (line != "") print line; line = $3; next }
		/^        (Field|Kind):/ { line = line " " $2 }
		END { if (line != "") print line }' "$work/yaml" |
	awk '{ $NF = tolower($NF); print }' | sort
}
wanted() {
	awk -v n="$2" '!/^#/ && NF { line = $1; for (i = 2; i <= n; i++) line = line " " $i; print line }' "$here/$1" | sort
}
bad=0
for kind in "EXPORT exports.txt 2" "IMPORT imports.txt 3"; do
	set -- $kind
	entries "$1" >"$work/is"
	wanted "$2" "$3" >"$work/wanted"
	if ! cmp -s "$work/is" "$work/wanted"; then
		echo "$wasm: not what client/web/$2 says (< only in the module, > only in the list):" >&2
		diff "$work/is" "$work/wanted" | grep '^[<>]' >&2 || true
		bad=1
	fi
done
if ! grep -q '^ *Maximum: ' "$work/yaml"; then
	echo "$wasm: its memory has no bound" >&2
	bad=1
fi
exit $bad
