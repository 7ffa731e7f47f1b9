#!/bin/sh
# SPDX-License-Identifier: AGPL-3.0-or-later
# Goal: every Debian package that a target needs is there, or one line says what to run.
#   tests/deps.sh build|test|seizure|bench|web
# Nothing missing: apt is not called.  Root: installs.  Not root: prints the line, exits 3.
set -eu

build="gcc libc6-dev make pkg-config libsodium-dev libmsgpack-dev liblmdb-dev libuv1-dev
	libxml2-dev libqrencode-dev libinih-dev libzxcvbn-dev libseccomp-dev
	libgfshare-dev libwslay-dev libhttp-parser-dev libmd-dev"
test="$build libcmocka-dev libxml2-utils git strace binutils systemd valgrind iproute2 e2fsprogs mount
	openssl procps python3"
seizure="$test xfsprogs"
bench="$test postgresql libpq-dev"
web="$build chromium minisign poppler-utils procps python3 qrencode"

case "${1:-build}" in
build) want=$build ;;
test)  want=$test ;;
seizure) want=$seizure ;;
bench) want=$bench ;;
web)   want=$web ;;
*)     echo "usage: tests/deps.sh build|test|seizure|bench|web" >&2; exit 2 ;;
esac

missing=
for p in $want; do
	s=$(dpkg-query -W -f='${db:Status-Status}' "$p" 2>/dev/null) || s=
	[ "$s" = installed ] || missing="$missing $p"
done
[ -n "$missing" ] || exit 0
# a compiler from elsewhere is as good as Debian's
case "$missing" in *" gcc"*)
	if command -v cc >/dev/null 2>&1; then
		missing=$(printf '%s' "$missing" | sed 's/ gcc\( \|$\)/\1/')
	fi ;;
esac
[ -n "$missing" ] || exit 0

if [ "$(id -u)" -ne 0 ]; then
	echo "Packages are missing.  Please run this once, then try again:" >&2
	echo "  sudo apt-get update && sudo apt-get install -y$missing" >&2
	exit 3
fi
echo "Installing from Debian:$missing" >&2
log=$(mktemp)
export DEBIAN_FRONTEND=noninteractive
if ! { apt-get update && apt-get install -y --no-install-recommends $missing; } \
	>"$log" 2>&1 </dev/null; then
	tail -n 15 "$log" >&2
	echo "apt could not install the packages above; please mend that and try again." >&2
	rm -f "$log"
	exit 3
fi
rm -f "$log"
