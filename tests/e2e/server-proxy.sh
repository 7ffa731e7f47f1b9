#!/usr/bin/env bash
# SPDX-License-Identifier: AGPL-3.0-or-later
# Goal: the examples under docs/examples work as they stand there but for names, ports and paths:
# nginx before a record server takes browsers and native clients at one port, answers strangers
# nothing and writes no address anywhere; the page's host serves its files with the headers they
# need; tor takes the onion service's configuration.
#   Debian's nginx and tor are used if they are installed, else unpacked below the build folder
#   (nothing is installed or started).  The network is not used but for fetching them.
set -u
b=${B:-build}
examples=docs/examples

# ---- as a script of server_proxy: start nginx before the port in $1 -----------------------------
ready() { # ready PORT: somebody listens there
	local i
	for i in $(seq 200); do
		(exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null && return 0
		read -rt 0.05 <> <(:)
	done
	return 1
}
free_port() { local p; for _ in $(seq 50); do p=$((10000 + (RANDOM * 32768 + RANDOM) % 22000))
	(exec 3<>"/dev/tcp/127.0.0.1/$p") 2>/dev/null || { echo $p; return; }; done; return 1; }
# fit FILE: an example with this test's names, ports and paths
fit() {
	sed -e "s,/etc/letsencrypt/live/[a-z.]*/fullchain.pem,$dir/cert.pem,
		s,/etc/letsencrypt/live/[a-z.]*/privkey.pem,$dir/key.pem,; s,/run/nginx.pid,$dir/nginx.pid,
		s,include /etc/nginx/modules-enabled/\*\.conf;,load_module $stream;,
		/^user /d; /listen \[::\]/d; s,worker_processes auto,worker_processes 1,
		s,\<443\>,$front,; s,127\.0\.0\.1:4712,127.0.0.1:$inner,; s,127\.0\.0\.1:4711,127.0.0.1:$server,
		s,listen 80;,listen 127.0.0.1:$plain;,; s,listen \([0-9]\),listen 127.0.0.1:\1,; s,127.0.0.1:127,127,
		s,/srv/amparo,$dir/page,; s,worker_rlimit_nofile 20000,worker_rlimit_nofile 1024,; s,worker_connections [0-9]*,worker_connections 512," "$1"
}
if [ "${AMPARO_PROXY_DIR:-}" ]; then
	dir=$AMPARO_PROXY_DIR stream=$AMPARO_PROXY_STREAM server=$1
	# between the look for a port and the start another program may take it
	for try in 1 2 3 4 5; do
		front=$(free_port) inner=$(free_port) plain=0
		fit $examples/nginx-server.conf >"$dir/nginx.conf"
		# the control: the same, but it writes errors
		[ "${AMPARO_PROXY_LOG:-}" ] && sed -i "s,error_log /dev/null emerg,error_log $dir/run/error.log info," "$dir/nginx.conf"
		"$AMPARO_PROXY_NGINX" -t -p "$dir/run" -c "$dir/nginx.conf" >"$dir/nginx.t" 2>&1 || { cat "$dir/nginx.t" >&2; exit 1; }
		"$AMPARO_PROXY_NGINX" -p "$dir/run" -c "$dir/nginx.conf" >/dev/null 2>"$dir/run/stderr" || continue
		ready "$front" && echo "$front" && exit
		break
	done
	echo "nginx did not start, try $try: $(cat "$dir/run/stderr")" >&2
	exit 1
fi

dir=$(mktemp -d) || exit 2
chmod 755 "$dir"
mkdir -p "$dir/run/logs" "$dir/page"
end_nginx() { [ -s "$dir/nginx.pid" ] && kill -QUIT "$(cat "$dir/nginx.pid")" 2>/dev/null
	local i; for i in $(seq 100); do [ -e "$dir/nginx.pid" ] || return 0; read -rt 0.05 <> <(:); done
	kill -9 "$(cat "$dir/nginx.pid")" 2>/dev/null; }
trap 'end_nginx; rm -rf "$dir"' EXIT
bad=0
claim() { local text=$1; shift; if "$@"; then echo "ok $text"; else echo "FAIL $text"; bad=1; fi; }

# ---- the programs -------------------------------------------------------------------------------
deb=$b/debian
nginx=$(command -v nginx || command -v /usr/sbin/nginx) tor=$(command -v tor || command -v /usr/sbin/tor)
stream=$(ls /usr/lib/nginx/modules/ngx_stream_module.so 2>/dev/null)
if [ -n "${AMPARO_UNPACK:-}" ] || [ -z "$nginx" ] || [ -z "$stream" ] || [ -z "$tor" ]; then
	if ! [ -e "$deb/done" ]; then
		mkdir -p "$deb/packages"
		(cd "$deb/packages" && apt-get download nginx libnginx-mod-stream tor libevent-2.1-7 >../log 2>&1) ||
			{ cat "$deb/log"; echo "FAIL nginx, libnginx-mod-stream and tor are not installed and could not be fetched"; exit 1; }
		for p in "$deb"/packages/*.deb; do dpkg -x "$p" "$deb/root" || exit 1; done
		: >"$deb/done"
	fi
	nginx=$PWD/$deb/root/usr/sbin/nginx tor=$PWD/$deb/root/usr/bin/tor
	[ -x "$tor" ] || tor=$PWD/$deb/root/usr/sbin/tor
	stream=$PWD/$deb/root/usr/lib/nginx/modules/ngx_stream_module.so
	LD_LIBRARY_PATH=$(echo "$PWD/$deb"/root/usr/lib/*-linux-gnu)
	export LD_LIBRARY_PATH
fi
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=cells.example.org \
	-addext subjectAltName=DNS:cells.example.org,DNS:forms.example.org \
	-keyout "$dir/key.pem" -out "$dir/cert.pem" >"$dir/openssl" 2>&1 || { cat "$dir/openssl"; exit 1; }

# ---- before the record server -------------------------------------------------------------------
export AMPARO_PROXY_DIR=$dir AMPARO_PROXY_NGINX=$nginx AMPARO_PROXY_STREAM=$stream
"$b/tests/tools/server_proxy" "$dir/server" "$0" "$dir/cert.pem" || bad=1
end_nginx
# addresses FOLDER: how many lines of nginx's name one of the visitors
addresses() { cat "$1"/logs/* "$1"/*.log "$1"/stderr 2>/dev/null | grep -c '127\.0\.0\.7[6-9]'; }
named=$(addresses "$dir/run")
claim "nginx has written down nobody's address" test "$named" -eq 0
rm -rf "$dir/run" "$dir/server"; mkdir -p "$dir/run/logs"
AMPARO_PROXY_LOG=1 "$b/tests/tools/server_proxy" "$dir/server" "$0" "$dir/cert.pem" >"$dir/again" || { cat "$dir/again"; bad=1; }
end_nginx
control=$(addresses "$dir/run")
claim "control: with a log of errors it would" test "$control" -gt 0
# counts ADDRESS: as whose connection one from there counts
inner=$(free_port)
{ echo "load_module $stream; pid $dir/nginx.pid; error_log /dev/null emerg; events {} stream { access_log off;"
	sed -n '/^\tmap $remote_addr/,/^\t}/p' $examples/nginx-server.conf
	echo "server { listen 127.0.0.1:$inner proxy_protocol; set_real_ip_from 127.0.0.1; return \$source; } }"; } >"$dir/count.conf"
"$nginx" -p "$dir/run" -c "$dir/count.conf" 2>"$dir/run/stderr" && ready "$inner" || bad=1
counts() { local fam=TCP6; case $1 in *:*) ;; *) fam=TCP4 ;; esac
	exec 4<>"/dev/tcp/127.0.0.1/$inner"; printf 'PROXY %s %s %s 4711 443\r\n' $fam "$1" "$1" >&4; cat <&4; exec 4<&-; }
while read -r address as; do
	got=$(counts "$address")
	claim "a connection from $address counts as one of $as" test "$got" = "$as"
done <<'E'
192.0.2.7 192.0.2.7
2001:db8:1:2:3:4:5:6 2001:db8:1:2
2001:db8:1:2::6 2001:db8:1:2
2001:db8:1:2:ffff:: 2001:db8:1:2
2001:db8:1:3::6 2001:db8:1:3
2001:db8::6 2001:db8
::1 ::1
E
end_nginx
echo "figure: lines of nginx that name a visitor: $named; control: $control"

# ---- the page's host ----------------------------------------------------------------------------
unset AMPARO_PROXY_DIR
front=$(free_port) plain=$(free_port) inner=0 server=0
printf '<!doctype html><title>page</title>' >"$dir/page/amparo.html"
printf 'x' >"$dir/page/sw.js"
printf '{}' >"$dir/page/manifest.webmanifest"
mkdir "$dir/outside"; printf 'secret' >"$dir/secret.html"
fit $examples/nginx-page.conf >"$dir/nginx.conf"
rm -rf "$dir/run"; mkdir -p "$dir/run/logs"
claim "nginx takes the page's configuration" "$nginx" -q -t -p "$dir/run" -c "$dir/nginx.conf"
"$nginx" -p "$dir/run" -c "$dir/nginx.conf" 2>"$dir/run/stderr"
ready "$front" || bad=1
# get PATH: the whole answer over TLS
get() { printf 'GET %s HTTP/1.1\r\nHost: forms.example.org\r\nConnection: close\r\n\r\n' "$1" |
	timeout 10 openssl s_client -quiet -ign_eof -verify_return_error -CAfile "$dir/cert.pem" -servername forms.example.org \
		-verify_hostname forms.example.org -connect "127.0.0.1:$front" 2>/dev/null | tr -d '\r'; }
get /amparo.html >"$dir/answer"
says() { grep -qiF -- "$1" "$dir/answer" || { echo "  missing: $1"; return 1; }; }
for line in 'HTTP/1.1 200' 'content-type: text/html; charset=utf-8' "content-security-policy: frame-ancestors 'none'" \
	'referrer-policy: no-referrer' 'x-content-type-options: nosniff' 'strict-transport-security: max-age=63072000' \
	'cross-origin-opener-policy: same-origin' 'cache-control: no-cache' '<title>page</title>'; do
	claim "the page comes with: $line" says "$line"
done
claim "no version is told, no cookie is set" bash -c "! grep -qiE '^(server: nginx/|set-cookie)' '$dir/answer'"
get /sw.js >"$dir/answer"; claim "its worker is a script" says 'content-type: text/javascript'
get /manifest.webmanifest >"$dir/answer"; claim "its manifest is one" says 'content-type: application/manifest+json'
get / >"$dir/answer"; claim "the name alone leads to the page" says '/amparo.html'
for path in /../secret.html /nothing /outside/; do
	get $path >"$dir/answer"
	claim "nothing else is served: $path" grep -qE '^HTTP/1.1 40[0-9]' "$dir/answer"
done
claim "nothing was written" test -z "$(find "$dir/run" -name '*.log' -size +0)"
end_nginx

# ---- the onion service --------------------------------------------------------------------------
mkdir -m 700 "$dir/tor"
sed "s,/var/lib/tor/amparo/,$dir/tor/amparo/,; s,Log warn syslog,Log warn stderr," $examples/torrc >"$dir/torrc"
takes() { "$tor" -f "$1" --defaults-torrc /dev/null --DataDirectory "$dir/tor" --verify-config >"$dir/tor.out" 2>&1; }
claim "tor takes the onion service's configuration" takes "$dir/torrc"
# it warns of being root here, and of nothing else
claim "and warns of nothing in it" bash -c "! grep '\[warn\]' '$dir/tor.out' | grep -v 'as root'"
echo 'HiddenServicePortt 1' >>"$dir/torrc"
claim "control: a mistyped one it does not take" bash -c "! '$tor' -f '$dir/torrc' --DataDirectory '$dir/tor' --verify-config >/dev/null 2>&1"
exit $bad
