#!/bin/sh
# SPDX-License-Identifier: AGPL-3.0-or-later
# Checks this folder against itself: a planted string that is nowhere in the data would make every search for it
# come out clean.  Usage: check.sh [FORM.xml]; 0 if all is well, 1 and a line for each fault otherwise.
set -u
LC_ALL=C
export LC_ALL
here=$(cd "$(dirname "$0")" && pwd)
form=${1:-$here/../../../docs/forms/raid-intake.xml}
tab=$(printf '\t')
bad=0
strings=0
photos=0
forms=0

fault() {
	printf 'check: %s\n' "$*" >&2
	bad=$((bad + 1))
}

# Where each kind must be found: in the answers, in the form, in a photograph's bytes, or as a file's name.
found() {
	case $1 in
	form)      grep -qF -e "$2" "$form" ;;
	photo)     grep -qaF -e "$2" "$here"/*.jpg ;;
	file-name) [ -f "$here/$2" ] && grep -qF -e "<photo>$2</photo>" "$here"/intake-*.xml ;;
	*)         grep -qF -e "$2" "$here"/intake-*.xml ;;
	esac
}

while IFS=$tab read -r kind string; do
	strings=$((strings + 1))
	[ "${#string}" -ge 8 ] || fault "shorter than 8 bytes: $string"
	found "$kind" "$string" || fault "not in the data: $kind: $string"
done <"$here/canaries.txt"

# The control: a string that is in no file must not be found, or the search above proves nothing.
for kind in form photo file-name name; do
	! found "$kind" "$(printf 'nowhere-%s' 7f3a19c2e4)" || fault "control found as $kind"
done

twice=$(cut -f2 "$here/canaries.txt" | sort | uniq -d)
[ -z "$twice" ] || fault "listed twice: $twice"

# manifest.tsv: instance, language, then the photographs its answers name.
while IFS= read -r line; do
	instance=${line%%"$tab"*}
	forms=$((forms + 1))
	grep -qF 'id="raid-intake" version="2026112401"' "$here/$instance" || fault "$instance: not this form"
	named=$(grep -o '<photo>[^<]*</photo>' "$here/$instance" | sed 's/<[^>]*>//g')
	listed=$(printf '%s\n' "$line" | cut -f3- -s | tr '\t' '\n')
	[ "$named" = "$listed" ] || fault "$instance: its photographs are not those of manifest.tsv"
done <"$here/manifest.tsv"
[ "$forms" -eq "$(ls "$here"/intake-*.xml | wc -l)" ] || fault 'manifest.tsv does not list every instance'

for photo in "$here"/*.jpg; do
	photos=$((photos + 1))
	[ "$(wc -c <"$photo")" -le 262144 ] || fault "more than 256 KiB: $photo"
done

if command -v xmllint >/dev/null; then
	for xml in "$form" "$here"/intake-*.xml; do
		xmllint --nonet --noout "$xml" || fault "not well-formed: $xml"
	done
else
	echo 'check: xmllint is not installed; well-formedness was not checked' >&2
fi

echo "check: $strings strings, $forms instances, $photos photographs, $bad faults"
[ "$bad" -eq 0 ]
