# SPDX-License-Identifier: AGPL-3.0-or-later
# What the seizure drill's days are made of: a server on a file system of its own, people
# with addresses, visitors, and the taking of images.  Sourced by day.sh; see drill.sh.
set -u
umask 077
B=${B:-build}
T=$PWD/$B/tests
S=$T/seizure
failures=0

say()  { printf '%s\n' "$*"; }
ok()   { say "ok $*"; }
fail() { say "FAIL $*"; failures=$((failures + 1)); }
stop() { say "FAIL $*"; exit 1; }
# must TEXT COMMAND…: a step of the day; without it the drill proves nothing
must() { local what=$1; shift; "$@" >"$work/out" 2>"$work/err" || {
	sed 's/^/    /' "$work/out" "$work/err" | tail -n 12; stop "$what (exit $?)"; }; }

now_us() { local t=${EPOCHREALTIME/[.,]/}; echo "$t"; }

# ---- the disk ------------------------------------------------------------------------------

# disk_make NAME KIND: an image, mounted at $work/NAME.fs; KIND as in kinds()
disk_make() {
	local img=$work/$1.img mnt=$work/$1.fs opts=loop
	rm -f "$img"
	truncate -s 1G "$img"
	case $2 in
	ext4)         mkfs.ext4 -q -F "$img" ;;
	ext4-lazytime) mkfs.ext4 -q -F "$img"; opts=loop,lazytime ;;
	ext4-journal) mkfs.ext4 -q -F "$img"; opts=loop,data=journal ;;
	xfs)          mkfs.xfs -q "$img" ;;
	*)            return 1 ;;
	esac || return 1
	mkdir -p "$mnt" && mount -o "$opts" "$img" "$mnt"
}
# everything that has been written is on the raw blocks
disk_settle() { sync -f "$work/$1.fs"; }

# ---- servers -------------------------------------------------------------------------------

# the server's clock and everybody's: seconds off the kernel's, so that a moment that a
# server wrote down cannot be taken for one that the file system wrote
set_clock() { clock_s=$1; echo "$1" >"$work/clock"; }
# later DAYS NAME: returns when the server has noticed, and with it released by schedule what
# waited
later() {
	local i
	set_clock $((clock_s + $1 * 86400))
	for i in $(seq 400); do
		grep -q "^drill: the clock is $clock_s s off" "$work/$2.log" && return
		sleep 0.05               # asks again; nothing depends on how long
	done
	stop "the server does not notice its clock"
}
today() { echo $((($(date +%s) + clock_s) / 86400)); }

server_init() { # server_init NAME PROGRAM
	local port
	port=$((20000 + RANDOM % 20000))         # nobody else listens in this network namespace
	echo "$port" >"$work/$1.port"
	AMPAROD_TEST_CLOCK=$work/clock "$2" init --data "$work/$1.fs/data" \
		--address "127.0.0.1:$port" >"$work/$1.init" || return 1
	grep -o 'amparo-server:[A-Za-z0-9_-]*' "$work/$1.init" >"$work/$1.card"
}
server_start() { # server_start NAME PROGRAM
	local name=$1 port line
	port=$(cat "$work/$1.port")
	rm -f "$work/$name.ready"
	mkfifo "$work/$name.ready"
	env -i PATH="$PATH" AMPAROD_TEST_CLOCK="$work/clock" ${decoy_env:+"DECOY=$decoy_env"} \
		"$2" run --data "$work/$name.fs/data" --listen "127.0.0.1:$port" \
		${v6:+--listen "[::1]:$port"} --ready-fd 9 9>"$work/$name.ready" 2>>"$work/$name.log" &
	pid=$!
	line=$(head -c 1 "$work/$name.ready" | od -An -tx1)
	[ -n "$line" ] || { tail -n 5 "$work/$name.log"; return 1; }
}
server_stop() { kill "$pid" && wait "$pid"; }
server_kill() { kill -9 "$pid"; wait "$pid" 2>/dev/null; return 0; }

# ---- people --------------------------------------------------------------------------------

plan_line() { printf '%s\t%s\t%s\n' "$@" >>"$work/plan"; }
word() { sed -n "s/^$1\t//p" "$work/words"; }
full() { awk -F'\t' -v l="$1" '$1 == l { print $2 }' "$work/people"; }
home() { echo "$work/home/$1"; }

people() { # writes passphrase files
	local login full pass addr
	mkdir -p "$work/home"
	while IFS=$'\t' read -r login full pass addr; do
		printf '%s\n' "$pass" >"$work/pass.$login"
		echo "$addr" >"$work/addr.$login"
	done <"$work/people"
}
# as LOGIN COMMAND…: from that person's address, by the drill's clock.  A server that is busy
# says so (exit code 3), and is asked again
as() {
	local who=$1 t0 rc i
	shift
	t0=$(now_us)
	for i in $(seq 50); do
		LD_PRELOAD=$S/from.so SEIZURE_FROM=$(cat "$work/addr.$who") \
			AMPARO_TEST_CLOCK=$clock_s AMPARO_HOME=$(home "$who") \
			"$T/tools/amparo_clock" "$@" --passphrase-file "$work/pass.$who"
		rc=$?
		[ $rc -eq 3 ] || break
		sleep 0.1
	done
	case $1 in sync|join)
		visit_line "$t0" "$(now_us)" ;;
	esac
	return $rc
}
visit_line() {
	plan_line "visit, kernel's clock" time "$1 $2"
	[ "$clock_s" -eq 0 ] ||
		plan_line "visit, server's clock" time "$(($1 + clock_s * 1000000)) $(($2 + clock_s * 1000000))"
}
vault() { # vault WHAT LOGIN [ARG]
	local what=$1 who=$2
	shift 2
	AMPARO_TEST_CLOCK=$clock_s "$S/vault" "$what" "$(home "$who")" "$work/pass.$who" "$@"
}
secrets() { # secrets LOGIN…: what their vaults hold now
	local who
	for who in "$@"; do vault secrets "$who" >>"$work/plan" || return 1; done
}
invited() { # invited ROLE LOGIN…: invitations, answers, confirmations
	local role=$1 who i=0 words
	shift
	as ruth invite --role "$role" --count $# 2>&1 | grep '^amparo:' >"$work/inv" || return 1
	while read -r line; do plan_line invitation text "$line"; done <"$work/inv"
	for who in "$@"; do
		i=$((i + 1))
		sed -n "${i}p" "$work/inv" >"$work/inv.one"
		as "$who" join --name "$(full "$who")" --invitation-file "$work/inv.one" --light \
			>"$work/join.out" 2>&1 || { cat "$work/join.out"; return 1; }
		secrets "$who" || return 1
		words=$(sed -n 's/^    \([a-z]*\)  \([a-z]*\)  \([a-z]*\)  \([a-z]*\)$/\1 \2 \3 \4/p' \
			"$work/join.out" | head -n 1)
		as ruth confirm "$(full "$who")" --words "$words" >/dev/null || return 1
	done
}
founded() { # the organisation, its desk, its form: holders ana and ben
	local i
	as ruth org create "$(word organisation)" --name "$(full ruth)" --light >/dev/null || return 1
	as ruth server add --card-file "$work/main.card" >/dev/null || return 1
	invited attorney ana ben || return 1
	for i in ana ben; do as $i sync >/dev/null || return 1; done
	as ruth release >/dev/null && as ruth sync >/dev/null || return 1
	as ruth desk create "$(word desk)" --holders "$(full ana),$(full ben)" >/dev/null || return 1
	as ruth release >/dev/null || return 1
	for i in ana ben; do
		as $i sync >/dev/null && as $i desk sign "$(word desk)" >/dev/null || return 1
	done
	as ruth release >/dev/null && as ruth sync >/dev/null || return 1
	as ruth desk publish "$(word desk)" >/dev/null || return 1
	as ruth form publish docs/forms/raid-intake.xml --desk "$(word desk)" >/dev/null || return 1
	for i in ana ben; do as $i sync >/dev/null || return 1; done
	as ruth release >/dev/null
}
intake() { # intake LOGIN NUMBER: sealed; its code in $work/code.NUMBER
	local code
	code=$(as "$1" intake submit --instance "$work/intake-$2.xml" \
		--attach "$work/$(cat "$work/intake-$2.file")" --lang es --json |
		sed -n 's/.*"code":"\([0-9A-Z-]*\)".*/\1/p')
	[ -n "$code" ] || return 1
	echo "$code" >"$work/code.$2"
	plan_line "case code" text "$code"
	plan_line "case code" text "${code/-/}"
}

# ---- visitors ------------------------------------------------------------------------------

# an address nobody else has; the same in a run of the same seed
n_address=0
address() {
	n_address=$((n_address + 1))
	from=$(printf '%s address %d' "$seed" $n_address | md5sum |
		sed 's/\(..\)\(..\)\(..\).*/0x\1 0x\2 0x\3/' | {
		read -r a b c
		echo "127.$((33 + a % 200)).$((b % 254 + 1)).$((c % 254 + 1))"; })
}
address6() {
	n_address=$((n_address + 1))
	from6=$(printf '%s address %d' "$seed" $n_address | md5sum |
		sed 's/..\(..\)....\(...\).\(...\).\(...\).\(...\).*/fd\1:1\2:1\3:1\4::1\5/')
	ip -6 addr add "$from6/128" dev lo nodad 2>/dev/null
}
visitor() { # visitor NAME ACTION…: at the server NAME
	local name=$1
	shift
	SEIZURE_CLOCK=$clock_s "$S/visitor" "$work/$name.keys" "$work/plan" "$work/$name.cells" "$@"
}

# begin NAME COMMAND…: runs beside the rest; returns when it has said one line
begin() {
	local name=$1 in out line
	shift
	rm -f "$work/$name.in" "$work/$name.out"
	mkfifo "$work/$name.in" "$work/$name.out"
	"$@" <"$work/$name.in" >"$work/$name.out" 2>"$work/$name.err" &
	printf -v "${name}_pid" %d $!
	exec {in}>"$work/$name.in" {out}<"$work/$name.out"
	printf -v "${name}_in" %d "$in"
	printf -v "${name}_out" %d "$out"
	read -r line <&"$out" || { cat "$work/$name.err"; return 1; }
}
# its standard input ends, and then it
end() {
	local in=${1}_in out=${1}_out id=${1}_pid
	eval "exec ${!in}>&-"
	wait "${!id}"
	local rc=$?
	eval "exec ${!out}<&-"
	return $rc
}

# minute_over NAME SIZE: nobody is connected any more and a minute has gone by for the kernel.
# The minute is that of TIME_WAIT; the long drill waits for it, the short one ends it.
minute_over() {
	local port i
	port=$(cat "$work/$1.port")
	for i in $(seq 400); do
		"$D" status --data "$work/$1.fs/data" --json 2>/dev/null |
			grep -q '"connections": 0[,}]' && break
		sleep 0.05               # asks again; nothing depends on how long
	done
	time_wait() { ss -tan state time-wait "sport = :$port" 2>/dev/null | tail -n +2 | grep -c .; }
	waiting=$(time_wait)
	if [ "$2" = long ]; then
		for i in $(seq 700); do [ "$(time_wait)" -eq 0 ] && break; sleep 0.1; done
	else
		ss -K state time-wait "sport = :$port" >/dev/null 2>&1
	fi
	[ "$(time_wait)" -eq 0 ]
}

# ---- images --------------------------------------------------------------------------------

# capture NAME WHEN PLACE=PATH…: hits go to $work/WHEN.hits; a server that runs is read too
capture() {
	local name=$1 when=$2 dir=$work/$2 now
	shift 2
	mkdir -p "$dir"
	disk_settle "$name"
	now=$(now_us)
	set -- "$@" "disk=$work/$name.img" "logs=$work/$name.log"
	if [ "$when" != stopped ]; then
		"$S/memory" "$pid" "$dir" >"$dir/figures" || return 1
		network "$name" >"$dir/network"
		set -- "$@" "memory=$dir/memory" "kernel=$dir/kernel" "kernel=$dir/network" \
			"environment=$dir/environment" "command line=$dir/command-line"
	fi
	printf '%s\n' "$@" | sort -t= -k1,1 -s >"$dir/places"
	mapfile -t places <"$dir/places"
	# who was there in these two seconds was there now, and a clock's present second stands on
	# any stack
	sort -u "$work/plan" | awk -F'\t' -v now="$now" -v off="$clock_s" '
		$2 == "time" && $1 !~ /^decoy/ { split($3, t, " ")
			if (t[2] > now - 2000000 + ($1 ~ /server/ ? off * 1000000 : 0)) next }
		{ print }' >"$dir/plan"
	"$S/hunt" "$dir/plan" "${places[@]}" >"$work/$when.hits"
}
# the server's side of the kernel's tables: clients live in the same kernel here
network() {
	local port hex
	port=$(cat "$work/$1.port")
	hex=$(printf '%04X' "$port")
	awk -v p=":$hex\$" '$2 ~ p' /proc/net/tcp /proc/net/tcp6 2>/dev/null
	ss -tanpeimo "sport = :$port" 2>/dev/null | tail -n +2
	ip tcp_metrics show 2>/dev/null | grep -v '^127\.0\.0\.1 \|^::1 '
	ip neigh show 2>/dev/null
	cat /proc/net/nf_conntrack 2>/dev/null
	# a sandbox may forbid it; what cannot be read here is not read by a raid either
	dmesg 2>/dev/null | tail -n 2000 | grep -a "amparo" || true
}

# ---- what was found ------------------------------------------------------------------------

# the residue table of docs/THREATS.md, one moment a line: CLASS, WHERE, WHEN, always|sometimes
residue() {
	sed -n '/<!-- residue -->/,/<!-- end of residue -->/p' docs/THREATS.md |
		awk -F' *[|] *' 'NF >= 6 && $2 != "what" && $2 !~ /^-/ {
			n = split($3, where, ", *"); m = split($4, when, ", *")
			for (i = 1; i <= n; i++) for (k = 1; k <= m; k++)
				print $2 "\t" where[i] "\t" when[k] "\t" $5 }' | sort
}
searched() { awk -F'\t' '$1 == "searched" { n += $3 } END { printf "%.0f\n", n }' "$work"/*.hits; }
