#!/usr/bin/env bash
# SPDX-License-Identifier: AGPL-3.0-or-later
# Goal: both programs are built with everything the compiler and the linker offer against
# somebody who found a bug: position-independent, read-only relocations bound at start, canaries,
# checked copies, no executable stack, no search path, notes for the processor's checks of jumps.
# Control: a program built without each is noticed for each.
set -u
cd "$(dirname "$0")/.." || exit 2
b=${B:-build}
tmp=$(mktemp -d) || exit 2
trap 'rm -rf "$tmp"' EXIT
bad=0

case $(readelf -h "$b/amparod" | sed -n 's/.*Machine: *//p') in
*X86-64*) cet=yes ;;
*) cet=
	echo "SKIP the notes of this processor's checks are not known to this test" ;;
esac
props="pie relro now stack canary fortify path text${cet:+ ibt shstk}"

# has PROPERTY FILE
has() {
	case $1 in
	pie)     readelf -hW "$2" | grep -q 'Type: *DYN' && readelf -dW "$2" | grep -q 'FLAGS_1.*PIE' ;;
	relro)   readelf -lW "$2" | grep -q 'GNU_RELRO' ;;
	now)     readelf -dW "$2" | grep -q 'BIND_NOW' ;;
	stack)   readelf -lW "$2" | grep -q 'GNU_STACK.* RW *0x' ;;
	canary)  readelf -sW --dyn-syms "$2" | grep -q '__stack_chk_fail' ;;
	fortify) [ "$(readelf -sW --dyn-syms "$2" | grep -o '__[a-z]*_chk' | sort -u | grep -vc stack)" -ge 3 ] ;;
	path)    ! readelf -dW "$2" | grep -qE 'RPATH|RUNPATH' ;;
	text)    ! readelf -dW "$2" | grep -q 'TEXTREL' ;;
	ibt)     readelf -nW "$2" | grep -q 'x86 feature:.*IBT' ;;
	shstk)   readelf -nW "$2" | grep -q 'x86 feature:.*SHSTK' ;;
	esac
}
name() {
	case $1 in
	pie) echo "position-independent" ;; relro) echo "read-only relocations" ;;
	now) echo "bound at start" ;; stack) echo "no executable stack" ;;
	canary) echo "stack canaries" ;; fortify) echo "checked copies" ;;
	path) echo "no search path of its own" ;; text) echo "no relocations in the code" ;;
	ibt) echo "jumps are checked (IBT)" ;; shstk) echo "returns are checked (SHSTK)" ;;
	esac
}

n=0 good=0
for f in amparo amparod; do
	for p in $props; do
		n=$((n + 1))
		if has "$p" "$b/$f"; then good=$((good + 1)); echo "ok $f: $(name "$p")"; else
			echo "FAIL $f: $(name "$p")"; bad=1; fi
	done
done

# the linker was told; every object of ours must have earned it
objects=0 without=0
if [ -n "$cet" ]; then
	for o in $(find "$b/protocol" "$b/server" "$b/client" -name '*.o'); do
		objects=$((objects + 1))
		if ! { has ibt "$o" && has shstk "$o"; }; then
			without=$((without + 1)); echo "  no note: $o"; fi
	done
	if [ $objects -gt 50 ] && [ $without -eq 0 ]; then
		echo "ok every object of ours is compiled for checked jumps and returns"
	else echo "FAIL $without of $objects objects are not compiled for checked jumps and returns"; bad=1; fi
fi

# ---- control: each lack is noticed ----------------------------------------------------------
cat >"$tmp/c.c" <<'C'
#include <stdio.h>
#include <string.h>
int main(int argc, char **argv)
{
	char a[64], b[64];
	snprintf(a, sizeof a, "%s", argv[argc - 1]);
	memcpy(b, a, (size_t)argc + 10);
	printf("%s%s", a, b);
	fprintf(stderr, "%s", b);
	return 0;
}
C
cc=${CC:-cc}
weak() { $cc -O2 -w "$@" "$tmp/c.c" -o "$tmp/weak" 2>"$tmp/cc"; }
caught=0 tried=0
for p in $props; do
	[ "$p" = text ] && continue      # a linker of today does not make any
	tried=$((tried + 1))
	case $p in
	pie)     weak -no-pie ;;
	relro)   weak -Wl,-z,norelro ;;
	now)     weak -Wl,-z,lazy ;;
	stack)   weak -z execstack ;;
	canary)  weak -fno-stack-protector ;;
	fortify) weak -U_FORTIFY_SOURCE ;;
	path)    weak -Wl,-rpath,/tmp ;;
	ibt|shstk) weak -fcf-protection=none ;;
	esac || { cat "$tmp/cc"; continue; }
	if has "$p" "$tmp/weak"; then echo "  not noticed: $p"; else caught=$((caught + 1)); fi
done
echo "figure: hardening: $good of $n properties of two programs; objects for checked jumps: $((objects - without))/$objects; controls noticed: $caught/$tried"
if [ $caught -eq $tried ]; then echo "ok control: a program without one of them is noticed"; else
	echo "FAIL control: only $caught of $tried"; bad=1; fi
exit $bad
