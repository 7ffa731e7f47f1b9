#!/bin/sh
# SPDX-License-Identifier: AGPL-3.0-or-later
# Goal: the compiler for WebAssembly is there, and the sources of the libraries that go into
# the page lie unpacked, patched by Debian, under $1/src (build/web/src).
#
# The sources are Debian 12's own source packages; apt checks Debian's signatures over them,
# and this script the SHA-256 of each upstream archive (sources.lock).  Lists and archives of
# apt are kept under $1/apt: the system's own are left alone, and no root is needed for them.
# DEBIAN_MIRROR and DEBIAN_SECURITY name other mirrors.
set -eu

out=${1:?usage: client/web/sources.sh build/web}
here=$(cd "$(dirname "$0")" && pwd)
lock=$here/sources.lock
mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}
security=${DEBIAN_SECURITY:-http://deb.debian.org/debian-security}

# ---- the compiler, and what unpacks a source package -----------------------------------------
missing=
for p in clang-14 lld-14 llvm-14 wasi-libc libclang-rt-14-dev-wasm32 dpkg-dev; do
	s=$(dpkg-query -W -f='${db:Status-Status}' "$p" 2>/dev/null) || s=
	[ "$s" = installed ] || missing="$missing $p"
done
if [ -n "$missing" ]; then
	if [ "$(id -u)" -ne 0 ]; then
		echo "Packages are missing.  Please run this once, then try again:" >&2
		echo "  sudo apt-get update && sudo apt-get install -y$missing" >&2
		exit 3
	fi
	echo "Installing from Debian:$missing" >&2
	log=$(mktemp)
	if ! { DEBIAN_FRONTEND=noninteractive apt-get update &&
	       DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing; } \
	     >"$log" 2>&1 </dev/null; then
		tail -n 15 "$log" >&2
		echo "apt could not install the packages above; please mend that and try again." >&2
		rm -f "$log"
		exit 3
	fi
	rm -f "$log"
fi

# ---- the sources --------------------------------------------------------------------------------
[ ! -e "$out/src/ready" ] || [ "$lock" -nt "$out/src/ready" ] || exit 0
rm -rf "$out/src" "$out/apt"
mkdir -p "$out/src" "$out/apt/lists/partial" "$out/apt/cache/archives/partial"
out=$(cd "$out" && pwd)
key='[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]'
cat >"$out/apt/sources.list" <<LIST
deb-src $key $mirror bookworm main
deb-src $key $mirror bookworm-updates main
deb-src $key $security bookworm-security main
LIST
quiet() {
	if ! "$@" >"$out/apt/log" 2>&1 </dev/null; then
		tail -n 15 "$out/apt/log" >&2
		echo "Debian's source packages could not be fetched; DEBIAN_MIRROR names another mirror." >&2
		exit 3
	fi
}
apt() {
	quiet apt-get -o Dir::Etc::SourceList="$out/apt/sources.list" -o Dir::Etc::SourceParts=- \
	    -o Dir::State::Lists="$out/apt/lists" -o Dir::Cache="$out/apt/cache" \
	    -o APT::Sandbox::User="$(id -un)" "$@"
}
apt update
cd "$out/src"
# awk keeps the lines that are no remarks
awk '!/^#/ && NF' "$lock" | while read -r name version sum; do
	apt source --download-only --only-source "$name"
	dsc=$(echo "$name"_*.dsc)
	orig=$(echo "$name"_*.orig.tar.*)
	if ! echo "$sum  $orig" | sha256sum --check --status; then
		echo "$orig is not what $lock names; nothing is built from it." >&2
		exit 3
	fi
	got=${dsc#"$name"_}
	got=${got%.dsc}
	case "$version" in
	*":"*) version=${version#*:} ;;
	esac
	if [ "$got" != "$version" ]; then
		echo "Debian has $name $got, newer than $version: this page has its repairs, and another SHA-256 than the release's." >&2
	fi
	dpkg-source --no-check -x "$dsc" "$name" >"$out/apt/log" 2>&1 || {
		tail -n 5 "$out/apt/log" >&2
		exit 3
	}
	echo "$name $got"
done >"$out/sources.txt"

# ---- what their own configure scripts would have written ------------------------------------------
cp libsodium/builds/msvc/version.h libsodium/src/libsodium/include/sodium/version.h
sed -e 's/@MSGPACK_ENDIAN_BIG_BYTE@/0/; s/@MSGPACK_ENDIAN_LITTLE_BYTE@/1/' \
    msgpack-c/cmake/sysdep.h.in >msgpack-c/include/msgpack/sysdep.h
sed -e 's/@MSGPACK_ENDIAN_BIG_BYTE@/0/; s/@MSGPACK_ENDIAN_LITTLE_BYTE@/1/' \
    msgpack-c/cmake/pack_template.h.in >msgpack-c/include/msgpack/pack_template.h
# of libxml2 a parser that is fed, and the tree; no files, network, catalogs, threads, encodings
sed -e 's/@VERSION@/2.9.14/; s/@LIBXML_VERSION_NUMBER@/20914/; s/@LIBXML_VERSION_EXTRA@//' \
    -e 's/@WITH_TREE@/1/; s/@WITH_PUSH@/1/; s/@WITH_[A-Z0-9_]*@/0/; s/@MODULE_EXTENSION@//' \
    libxml2/include/libxml/xmlversion.h.in >libxml2/include/libxml/xmlversion.h
cat >libxml2/config.h <<'CONFIG'
#define HAVE_CTYPE_H 1
#define HAVE_ERRNO_H 1
#define HAVE_LIMITS_H 1
#define HAVE_MATH_H 1
#define HAVE_STDARG_H 1
#define HAVE_STDINT_H 1
#define HAVE_STDLIB_H 1
#define HAVE_STRING_H 1
#define HAVE_VA_COPY 1
#define ICONV_CONST
CONFIG
rm -f ./*.tar.* ./*.dsc
rm -rf "$out/apt"
touch ready
