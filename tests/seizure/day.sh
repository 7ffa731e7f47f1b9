#!/usr/bin/env bash
# SPDX-License-Identifier: AGPL-3.0-or-later
# Goal: one compressed life of a server, its seizure at three moments, and what was found.
#   tests/seizure/day.sh WORK KIND SIZE      (by drill.sh, inside namespaces of its own)
# WORK  an empty folder     KIND  of file system, lib.sh     SIZE  short or long
. tests/seizure/lib.sh
work=$1 kind=$2 size=$3
seed=${SEED:?}
export SEIZURE_CELLS=$((seed)) SEIZURE_NOW
SEIZURE_NOW=$(date +%s)
D=$S/server
if [ "$size" = long ]; then n=400 intakes=6 people=8; else n=120 intakes=2 people=6; fi
last=$((n - 1))

ip link set lo up
ip -6 addr show dev lo 2>/dev/null | grep -q '::1' && v6=1 || v6=
# as guide-operator says; the control of decoy 40 turns it off for a moment
echo 1 >/proc/sys/net/ipv4/tcp_no_metrics_save

"$S/plan" "$seed" tests/seizure/intake.template.xml "$work" $people $intakes || exit 1
"$S/decoy" "$seed" plan >>"$work/plan" || exit 1
people
emit() { "$S/decoy" "$seed" emit "$1"; }
decoy_env=$(emit 34)

# ---- founding ------------------------------------------------------------------------------
# half a year ahead of the kernel's clock, and noon: no release by schedule comes between
set_clock $((185 * 86400 + 43200 - SEIZURE_NOW % 86400))
disk_make main "$kind" || stop "a file system of kind $kind"
must "amparod init" server_init main "$D"
"$S/vault" card "$work/main.card" >>"$work/plan" || stop "the card"
"$S/vault" server "$work/main.fs/data" >>"$work/plan" || stop "the server's key"
must "amparod starts" server_start main "$D"
must "an organisation is founded" founded
must "releases are rare" as ruth server schedule --every 1440
volunteers=$(cut -f1 "$work/people" | grep '^v')
must "attorney and volunteers join" eval 'invited attorney carla && invited volunteer $volunteers'
if [ -n "$(full dora)" ]; then must "another attorney joins" invited attorney dora; fi
for who in carla $volunteers; do must "$who syncs" as "$who" sync; done
must "a release" as ruth release

# ---- a day ---------------------------------------------------------------------------------
take() { # intakes FROM..TO, sent, released, read by ana
	local i v=($volunteers)
	for i in $(seq "$1" "$2"); do
		must "intake $i" intake "${v[$((i % ${#v[@]}))]}" "$i"
	done
	for who in $volunteers; do must "$who syncs" as "$who" sync; done
	must "a release" as ruth release
	must "ana syncs" as ana sync --yes
}
take 1 $((intakes / 2))
must "a case is assigned" as ana assign "$(cat "$work/code.1")" "$(full carla)" \
	--reason "$(word reason)" --words-checked
must "a note" as ana note "$(cat "$work/code.1")" "$(word note)"
must "ana syncs" as ana sync --yes
must "a release" as ruth release
must "carla syncs" as carla sync --yes
must "carla answers" as carla accept "$(cat "$work/code.1")"
must "carla syncs" as carla sync --yes
must "the keys of the organisation" eval 'vault keys ruth >"$work/main.keys"'

put_two() { # put_two BASE: two releases of n/2 cells each, from several addresses
	local k b
	for k in 0 1 2 3; do
		address
		must "cells are uploaded" visitor main put "$from" $(($1 + k * n / 4)) $((n / 4)) 7
		[ $((k % 2)) -eq 0 ] || must "a release" as ruth release
	done
}
address
must "handshakes fail" visitor main fail "$from"
address
# a kill in the middle of a commit; the sender comes again
begin crash visitor main crash "$from" 0 $((n / 4)) || stop "an upload before the crash"
server_kill
end crash
must "it starts after kill -9" server_start main "$D"
put_two 0
address
must "an erasure is asked for" visitor main erase "$from" 3 20 expired
address
must "a reader pulls" visitor main pull "$from"

# ---- rotation, and days that pass ------------------------------------------------------------
must "secrets of the vaults" secrets ruth ana ben carla $volunteers
must "a new batch of prekeys" vault renew ana
must "ana syncs" as ana sync --yes
later 3 main
address
must "a release names the day" visitor main release "$from" "$(today)"
later 70 main
address
must "what is old expires" visitor main release "$from" "$(today)"
sed "s/^[0-9]* \(.*\)/id of an expired cell\thex\t\1/" "$work/main.cells" >>"$work/plan"

take $((intakes / 2 + 1)) "$intakes"
put_two 100000
address
must "an erasure is asked for" visitor main erase "$from" 100005 20 erased
later 3 main
address
must "erased and settled" visitor main release "$from" "$(today)"

# ---- a member is revoked; access keys, season and policy are new -------------------------------
must "the old access keys" eval 'vault access ruth "access key out of force, derived" >>"$work/plan"'
gone=$(echo $volunteers | awk '{ print $NF }')
must "a member is revoked" vault revoke ruth "$(full "$gone")"
must "the servers are told" as ruth sync
must "the new access keys" eval 'vault access ruth "access key in force, derived" >>"$work/plan"'
must "the keys of the organisation" eval 'vault keys ruth >"$work/main.keys"'
address
must "a release" visitor main release "$from" 0
# cells that nobody released yet
address
must "an invitation that nobody answers" as ruth invite --role volunteer
grep '^amparo:' "$work/out" "$work/err" -h | while read -r line; do plan_line invitation text "$line"; done
must "the servers are told" as ruth sync
must "cells that wait" visitor main put "$from" 200000 $((n / 2)) 7
must "secrets of the vaults" secrets ruth ana ben carla $volunteers

# ---- forty decoys ----------------------------------------------------------------------------
"$S/decoy" "$seed" disk "$work/main.fs" >"$work/journal" || stop "decoys on the disk"
printf 'amparod: %s\n' "$(emit 36)" "$(emit 37)" >>"$work/main.log"
file=$work/$(emit 38)
: >"$file"
echo 0 >/proc/sys/net/ipv4/tcp_no_metrics_save
"$S/decoy" "$seed" visit "$(cat "$work/main.port")" || stop "a decoy's visit"
echo 1 >/proc/sys/net/ipv4/tcp_no_metrics_save

# ---- running ---------------------------------------------------------------------------------
address6 || { address; from6=$from; }
address
begin holder visitor main hold "$from" "$from6" 300000 8 || stop "open connections"
begin helper "$S/decoy" "$seed" hold "$file" "$(cat "$work/main.port")" "$(emit 35)" || stop "the helper"
"$S/memory" "$helper_pid" "$work/helper" >/dev/null || stop "the helper's memory"
capture main running "helper=$work/helper/memory" "kernel=$work/helper/kernel" \
	"command line=$work/helper/command-line" || stop "the image of the running server"
end helper

# ---- a minute after the last session -------------------------------------------------------------
end holder || stop "the open connections end"
sed -i "s/ of an open \(session\|connection\)\t/ of an ended \1\t/" "$work/plan"
sed -i "s/^cell in a frame\t/cell in a frame of an ended connection\t/" "$work/plan"
minute_over main "$size" || stop "the minute after does not end"
capture main minute || stop "the image a minute after"

# ---- stopped ---------------------------------------------------------------------------------------
must "it stops in order" server_stop
capture main stopped || stop "the image of the stopped server"

# ---- order and deleted cells -----------------------------------------------------------------------
carve() { "$S/carve" "$work/main.cells" "$@"; }
present=100000-100004,100025-$((100000 + last))
carve "0-$last,100005-100024" "$present" "$work/main.img" >"$work/carve" || stop "carving"
carve - "200000-$((200000 + n / 2 - 1))" "$work/main.img" >"$work/carve.pool" || stop "carving"
for when in running minute; do
	carve "0-$last,100005-100024" "$present" "$work/$when/memory" >"$work/carve.$when" || stop "carving"
done
umount "$work/main.fs"
exit $((failures > 0))
