#!/usr/bin/env bash
# SPDX-License-Identifier: AGPL-3.0-or-later
# Goal: the built page with a list of hashes that is signed, so that everybody can check whose it is.
#
#	client/web/sign.sh --key FILE [--dir DIR]
#
# Writes DIR/SHA256SUMS and DIR/SHA256SUMS.minisig (minisign; docs/guide-page.md).  DIR is
# build/web/site unless it is named.  The key stays where it is; minisign asks for its passphrase.
set -eu

usage() { sed -n '5s/^#\t/usage: /p' "$0" >&2; exit 2; }

key=
dir=$(dirname "$0")/../../build/web/site
while [ $# -gt 0 ]; do
	case $1 in
	--key) [ $# -ge 2 ] || usage; key=$2; shift 2 ;;
	--dir) [ $# -ge 2 ] || usage; dir=$2; shift 2 ;;
	--help) sed -n '3,8s/^# \{0,1\}//p' "$0"; exit 0 ;;
	*) usage ;;
	esac
done
[ -n "$key" ] || usage
command -v minisign >/dev/null 2>&1 || {
	echo "sign.sh: minisign is not installed; install it (apt-get install minisign) and try again." >&2
	exit 3
}
[ -f "$key" ] || { echo "sign.sh: there is no key $key; make one with minisign -G (docs/guide-page.md)." >&2; exit 1; }
[ -f "$dir/amparo.html" ] || { echo "sign.sh: there is no page in $dir; build it with make web." >&2; exit 1; }

key=$(readlink -f "$key")
version=$(sed -n 's/^\t"version": "\([0-9A-Za-z.-]*\)",$/\1/p' "$(dirname "$0")/package.json")
[ -n "$version" ] || { echo "sign.sh: package.json has no version." >&2; exit 1; }
cd "$dir"
# every file that is published, in one order everywhere
find . -type f ! -name 'SHA256SUMS*' -printf '%P\n' | LC_ALL=C sort | xargs -d '\n' sha256sum >SHA256SUMS
minisign -S -s "$key" -m SHA256SUMS -t "Amparo page $version, signed $(date -u +%Y-%m-%d)"
cat SHA256SUMS
