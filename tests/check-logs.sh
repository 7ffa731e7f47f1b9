#!/usr/bin/env bash
# SPDX-License-Identifier: AGPL-3.0-or-later
# Goal: docs/LOGS.md lists every line that amparod can write to standard error, and nothing else;
# none of them can hold a peer's address, an id or a key; a real run writes only listed lines.
#   tests/check-logs.sh [LOG…]    more logs of amparod to hold against the table
# Controls: a line planted in the sources, a row taken out of the table, a call that would
# log an id and a foreign line in a log are each noticed.
set -u
cd "$(dirname "$0")/.." || exit 2
b=${B:-build}
tmp=$(mktemp -d) || exit 2
pid=
trap '[ -n "$pid" ] && kill -9 "$pid" 2>/dev/null; rm -rf "$tmp"' EXIT
bad=0
claim() { if [ "$2" -eq 0 ]; then echo "ok $1"; else echo "FAIL $1"; bad=1; fi; }

# sources FILE…: one line for each text that can be written, as "TEXT<tab>FILE"; what varies is <>
cat >"$tmp/sources.pl" <<'P'
use strict;
sub whole { # from the bracket at pos to its partner, strings skipped
	my ($t, $at) = @_;
	my ($depth, $i) = (0, $at);
	while ($i < length $t) {
		my $c = substr $t, $i, 1;
		if ($c eq '"') { pos($t) = $i; $t =~ /\G"(?:[^"\\]|\\.)*"/gs or last; $i = pos $t; next }
		$depth++ if $c eq '('; $depth-- if $c eq ')';
		$i++;
		return substr $t, $at, $i - $at if $depth == 0;
	}
	return substr $t, $at;
}
sub texts { # neighbouring literals are one text
	my @out;
	while ($_[0] =~ /((?:"(?:[^"\\]|\\.)*"\s*)+)/gs) {
		my $s = join '', $1 =~ /"((?:[^"\\]|\\.)*)"/gs;
		$s =~ s/\\n$//; $s =~ s/\\"/"/g; $s =~ s/^amparod: //;
		$s =~ s/%[-0-9.]*(?:ll|z|l)?[a-z]/<>/g;
		push @out, $s unless $s eq '' || $s eq '<>';
	}
	return @out;
}
my $check_ids = ($ENV{CHECK} // '') eq 'ids';
for my $f (@ARGV) {
	local $/; open my $h, '<', $f or die; my $t = <$h>; close $h;
	$t =~ s{("(?:[^"\\]|\\.)*")|/\*.*?\*/|//[^\n]*}{$1 // ' '}gse;
	my $raw = $t;
	while ($t =~ /\b(?:say|host_log|cannot_listen|wrong|host_die|store_die|fprintf\s*(?=\(\s*stderr)|snprintf\s*(?=\(\s*(?:why|l->why)\b))\s*(?=\()/g) {
		my $call = whole($t, pos $t);
		if ($check_ids) {
			(my $args = $call) =~ s/"(?:[^"\\]|\\.)*"//gs;
			# words that name somebody, something stored, or a secret
			print "$f: $call\n" if $call =~ /%[-0-9.]*(?:hh)?[xX]/ ||
			    $args =~ /\b(?:ids?|hash|digest|addr|ss|peer\w*|source|sources|sk|pk|key_?\w*|ticket\w*|derived|ds|tag|bin2hex|inet_ntop|getpeername)\b(?!\s*=)/
			    && $args !~ /^\(\s*(?:why|l->why)\b/;
			next;
		}
		print "$_\t$f\n" for texts($call);
	}
	next if $check_ids;
	print "$_\t$f\n" for map { texts($_) } $t =~ /\b(?:why|dead)\s*=\s*([^;]*;)/g;
}
P
sources() { perl "$tmp/sources.pl" "$@"; }
# table FILE: the first cell of each row, <what varies> as <>
table() { sed -n 's/^| `\(.*\)` |.*|.*|$/\1/p' "$1" | sed 's/<[^>]*>/<>/g'; }
# diff_of SOURCES… : what one side has and the other has not; empty if they agree
diff_of() { # diff_of TABLE FILE…
	local t=$1
	shift
	table "$t" | sort -u >"$tmp/told"
	sources "$@" | cut -f1 | sort -u >"$tmp/written"
	comm -13 "$tmp/told" "$tmp/written" | sed 's/^/  not in docs\/LOGS.md: /'
	comm -23 "$tmp/told" "$tmp/written" | sed 's/^/  in no source: /'
}

files=(server/*.c)
diff_of docs/LOGS.md "${files[@]}" >"$tmp/diff"
cat "$tmp/diff"
n=$(wc -l <"$tmp/written")
[ ! -s "$tmp/diff" ] && [ "$n" -gt 50 ]
claim "docs/LOGS.md and the sources have the same lines" $?
[ "$(table docs/LOGS.md | wc -l)" -eq "$(table docs/LOGS.md | sort -u | wc -l)" ]
claim "no line stands there twice" $?

# ---- no other way out ---------------------------------------------------------------------------
others() { grep -nE '\b(perror|psignal|syslog|vsyslog|dprintf|vfprintf|errx?|warnx?|sd_journal_\w+)[ \t]*\(|STDERR_FILENO|\bwrite\(2\b|f(puts|putc|write)\([^;]*stderr|set(v?buf|linebuf)\(stderr' "$@"; }
others server/*.c protocol/*.c
[ $? -eq 1 ]
claim "the server writes by no other call" $?
! grep -nE '\b(stderr|stdout|printf|puts)\b' protocol/*.c | grep -v snprintf
claim "what it shares with the client writes nothing" $?

# ---- nobody's name ------------------------------------------------------------------------------
CHECK=ids sources "${files[@]}" >"$tmp/ids"
cat "$tmp/ids"
[ ! -s "$tmp/ids" ]
claim "no call has an address, an id, a hash or a key among what it writes" $?

# ---- a real run ---------------------------------------------------------------------------------
# foreign LOG: its lines that no row allows
foreign() {
	# a number is a number, and only what a running server says is expected
	sed -n '/^## A running/,/^## Reasons/s/^| `\(.*\)` |.*|.*|$/\1/p' docs/LOGS.md |
		sed 's/[][\\.*^$+?(){}|]/\\&/g; s/<n>/[0-9]+/g; s/<[^>]*>/.*/g; s/^/^amparod: /; s/$/$/' >"$tmp/patterns"
	# two texts may stand in one line: the tail of "started"
	sed 's/; no policy yet, only the setup key of the card is admitted$//' "$1" | grep -vE -f "$tmp/patterns"
}
mkdir "$tmp/logs"
"$b/amparod" init --data "$tmp/s" --address 127.0.0.1:4711 >/dev/null || exit 1
mkfifo "$tmp/ready"
"$b/amparod" run --data "$tmp/s" --listen 127.0.0.1:0 --ready-fd 7 7>"$tmp/ready" 2>"$tmp/logs/run" &
pid=$!
head -c 1 "$tmp/ready" >/dev/null
kill -TERM "$pid"; wait "$pid"; pid=
lines=0 strange=0
for f in "$tmp/logs/run" "$@"; do
	lines=$((lines + $(wc -l <"$f")))
	foreign "$f" >"$tmp/foreign"
	strange=$((strange + $(wc -l <"$tmp/foreign")))
	sed 's/^/  in no row: /' "$tmp/foreign"
done
[ $strange -eq 0 ] && [ $lines -ge 5 ]
claim "a running server writes only lines of the table" $?

# ---- controls -----------------------------------------------------------------------------------
caught=0
sed 's/say("stopped");/say("stopped"); say("a planted line");/' server/listener.c >"$tmp/listener.c"
diff_of docs/LOGS.md "$tmp/listener.c" $(ls server/*.c | grep -v listener) | grep -q 'not in docs/LOGS.md: a planted line' && caught=$((caught + 1))
grep -v '^| `stopped`' docs/LOGS.md >"$tmp/LOGS.md"
diff_of "$tmp/LOGS.md" "${files[@]}" | grep -q 'not in docs/LOGS.md: stopped$' && caught=$((caught + 1))
{ cat docs/LOGS.md; echo '| `a row of nothing` | | |'; } >"$tmp/LOGS.md"
diff_of "$tmp/LOGS.md" "${files[@]}" | grep -q 'in no source: a row of nothing' && caught=$((caught + 1))
printf 'void f(void) { host_log(h, "cell %%s", c->id); }\nvoid g(void) { host_log(h, "%%02x", b[0]); }\nvoid g(void) { say(inet_ntop(0, &ss, x, 1)); }\n' >"$tmp/ids.c"
[ "$(CHECK=ids sources "$tmp/ids.c" | wc -l)" -eq 3 ] && caught=$((caught + 1))
printf 'void f(void) { perror("x"); }\n' >"$tmp/other.c"
others "$tmp/other.c" >/dev/null && caught=$((caught + 1))
echo 'amparod: 192.0.2.7 connected' >"$tmp/logs/foreign"
[ -n "$(foreign "$tmp/logs/foreign")" ] && caught=$((caught + 1))
[ $caught -eq 6 ]
claim "control: what is wrong on purpose is noticed" $?
echo "figure: lines a server can write: $n, in docs/LOGS.md: $(table docs/LOGS.md | wc -l), differences: $(wc -l <"$tmp/diff"); lines of real logs: $lines, in no row: $strange; controls noticed: $caught/6"
exit $bad
