/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * server_outsiders DIR [web]: everything a stranger may try at the port, all at once; not one
 * byte may come back, and all must be treated alike: closed at the handshake's end, by FIN.
 * The control: a member gets its 48 bytes.  web: the server speaks WebSocket too, so a member's
 * request is answered (another control), and whatever is wrong with one is not; without it, the
 * same requests are what a stranger tries, the right one included.
 */
#include <errno.h>
#include <poll.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon.h"
#include "web_client.h"

#define WAYS_MAX 512
#define GARBAGE  100000

static struct daemon d;
static struct org org;

static struct way {
	const char *name;
	int fd;
	size_t got;
	bool reset;
	double closed_ms;
} ways[WAYS_MAX];
static size_t n_ways;
static uint64_t started;

static void try(const char *name, const uint8_t *p, size_t len)
{
	static struct client c;
	struct way *w = &ways[n_ways];

	if (n_ways == WAYS_MAX || !client_dial(&c, d.port, NULL, 5))
		abort();
	while (len > 0) {
		ssize_t n = send(c.fd, p, len, MSG_NOSIGNAL);

		if (n <= 0)
			abort();
		p += n;
		len -= (size_t)n;
	}
	w->name = name;
	w->fd = c.fd;
	n_ways++;
}

static void first_message(uint8_t out[NOISE_MSG_SIZE], const uint8_t pk[32],
                          const uint8_t access[32])
{
	struct channel ch;
	uint8_t derived[32];

	channel_access(derived, access, pk);
	if (channel_connect(&ch, out, pk, derived, rng_system()) != PERR_OK)
		abort();
	channel_kill(&ch);
}

/* points of small order and their neighbours, RFC 7748 and the usual list */
static const char *const points[] = {
	"0000000000000000000000000000000000000000000000000000000000000000",
	"0100000000000000000000000000000000000000000000000000000000000000",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
	"5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
	"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
};

/* a message that authenticates, spent by its owner; false: the control failed */
static bool spend(uint8_t first[NOISE_MSG_SIZE])
{
	static struct client c;
	uint8_t back[NOISE_MSG_SIZE];
	size_t got = 0;

	if (!client_dial(&c, d.port, NULL, 5))
		return false;
	first_message(first, d.pk, org.access[RPC_FIELD]);
	if (send(c.fd, first, NOISE_MSG_SIZE, MSG_NOSIGNAL) != NOISE_MSG_SIZE)
		return false;
	while (got < sizeof back) {
		ssize_t n = recv(c.fd, back + got, sizeof back - got, 0);

		if (n <= 0)
			return false;
		got += (size_t)n;
	}
	(void)close(c.fd);
	return true;
}

static void try_everything(const uint8_t spent[NOISE_MSG_SIZE])
{
	static uint8_t garbage[GARBAGE];
	uint8_t m[NOISE_MSG_SIZE], key[32];
	size_t i;

	randombytes_buf(garbage, sizeof garbage);
	randombytes_buf(key, sizeof key);
	started = test_now_us();
	try("nothing", NULL, 0);
	for (i = 1; i < NOISE_MSG_SIZE; i++)
		try("a short first message", garbage, i);
	try("48 bytes of garbage", garbage, 48);
	try("one frame of garbage", garbage, FRAME_SIZE);
	try("much garbage", garbage, sizeof garbage);
	try("HTTP", (const uint8_t *)"GET / HTTP/1.1\r\nHost: x\r\n\r\n", 27);
	try("TLS", (const uint8_t *)"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11);
	try("SSH", (const uint8_t *)"SSH-2.0-OpenSSH_9.2\r\n", 21);
	first_message(m, d.pk, key);
	try("another access key", m, sizeof m);
	first_message(m, d.pk, d.setup);
	try("the setup key, used up", m, sizeof m);
	(void)crypto_scalarmult_base(key, garbage);
	first_message(m, key, org.access[RPC_FIELD]);
	try("another server's key", m, sizeof m);
	try("a replay", spent, NOISE_MSG_SIZE);
	try("a replay, again", spent, NOISE_MSG_SIZE);
	for (i = 0; i < NOISE_MSG_SIZE; i++) {
		first_message(m, d.pk, org.access[RPC_FIELD]);
		m[i] ^= (uint8_t)(1u << randombytes_uniform(i == 31 ? 7 : 8));
		try("one bit flipped", m, sizeof m);
	}
	for (i = 0; i < sizeof points / sizeof points[0]; i++) {
		first_message(m, d.pk, org.access[RPC_FIELD]);
		if (sodium_hex2bin(m, 32, points[i], 64, NULL, NULL, NULL) != 0)
			abort();
		try("a point of small order", m, sizeof m);
	}
}

/* ---- requests ---------------------------------------------------------------------------- */

#define ORIGIN "https://forms.example.org"

static char request[WEB_REQUEST_MAX];

/* a member's request as it should be; returns its length */
static size_t right(const char *origin, const char *more)
{
	uint8_t m[NOISE_MSG_SIZE];

	first_message(m, d.pk, org.access[RPC_FIELD]);
	return web_request(request, m, origin, more);
}

/* the right one with one thing exchanged */
static const struct {
	const char *name, *from, *to;
} wrong[] = {
	{ "another method", "GET / ", "POST / " },
	{ "a method in small letters", "GET / ", "get / " },
	{ "two blanks", "GET / ", "GET  / " },
	{ "another path", "GET / ", "GET /x " },
	{ "a path with a question", "GET / ", "GET /?x " },
	{ "a whole URL as path", "GET / ", "GET http://127.0.0.1/ " },
	{ "HTTP/1.0", "HTTP/1.1", "HTTP/1.0" },
	{ "HTTP/2.0", "HTTP/1.1", "HTTP/2.0" },
	{ "HTTP/0.9", " HTTP/1.1", "" },
	{ "no Upgrade", "Upgrade: websocket\r\n", "" },
	{ "another Upgrade", "Upgrade: websocket", "Upgrade: h2c" },
	{ "two Upgrades in one line", "Upgrade: websocket", "Upgrade: websocket, h2c" },
	{ "two lines Upgrade", "Upgrade: websocket\r\n",
	  "Upgrade: websocket\r\nUpgrade: websocket\r\n" },
	{ "no Connection", "Connection: Upgrade\r\n", "" },
	{ "another Connection", "Connection: Upgrade", "Connection: keep-alive" },
	{ "another version", "Version: 13", "Version: 8" },
	{ "no version", "Sec-WebSocket-Version: 13\r\n", "" },
	{ "no key", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", "" },
	{ "a short key", "dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25j" },
	{ "a key of other characters", "dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub2!jZQ==" },
	{ "no subprotocol", "Sec-WebSocket-Protocol: ", "X-Protocol: " },
	{ "two subprotocols", "Sec-WebSocket-Protocol: ", "Sec-WebSocket-Protocol: chat, " },
	{ "a subprotocol too long", "Sec-WebSocket-Protocol: ", "Sec-WebSocket-Protocol: A" },
	{ "two lines of subprotocols", "Sec-WebSocket-Protocol: ",
	  "Sec-WebSocket-Protocol: chat\r\nSec-WebSocket-Protocol: " },
	{ "no origin", "Origin: " ORIGIN "\r\n", "" },
	{ "another origin", "Origin: " ORIGIN, "Origin: https://forms.example.com" },
	{ "an origin that begins the same", "Origin: " ORIGIN, "Origin: " ORIGIN ".evil.example" },
	{ "the origin in large letters", "Origin: " ORIGIN, "Origin: HTTPS://FORMS.EXAMPLE.ORG" },
	{ "the origin with a path", "Origin: " ORIGIN, "Origin: " ORIGIN "/" },
	{ "the origin twice", "Origin: " ORIGIN, "Origin: " ORIGIN "\r\nOrigin: " ORIGIN },
	{ "origin null", "Origin: " ORIGIN, "Origin: null" },
	{ "a body", "Pragma: no-cache", "Content-Length: 4" },
	{ "a body of no length", "Pragma: no-cache", "Content-Length: 0" },
	{ "a body in chunks", "Pragma: no-cache", "Transfer-Encoding: chunked" },
	{ "a line without a colon", "Pragma: no-cache", "Pragma no-cache" },
	{ "a zero in a line", "Pragma: no-cache", "Pragma: no\1cache" },
};

static void try_wrong(const char *name, const char *from, const char *to)
{
	static char made[2 * WEB_REQUEST_MAX];
	size_t len = right(ORIGIN, "");
	char *at = strstr(request, from);
	size_t head = at != NULL ? (size_t)(at - request) : 0;

	if (at == NULL)
		abort();
	memcpy(made, request, head);
	memcpy(made + head, to, strlen(to));
	memcpy(made + head + strlen(to), at + strlen(from), len - head - strlen(from));
	try(name, (const uint8_t *)made, len - strlen(from) + strlen(to));
}

static void try_requests(bool web, const uint8_t spent[NOISE_MSG_SIZE])
{
	static char more[WEB_REQUEST_MAX - 1000];
	uint8_t m[NOISE_MSG_SIZE], key[32];
	size_t i, len, n;

	randombytes_buf(key, sizeof key);
	for (i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		try_wrong(wrong[i].name, wrong[i].from, wrong[i].to);
	first_message(m, d.pk, key);
	len = web_request(request, m, ORIGIN, "");
	try("a request with another access key", (uint8_t *)request, len);
	randombytes_buf(m, sizeof m);
	len = web_request(request, m, ORIGIN, "");
	try("a request with garbage", (uint8_t *)request, len);
	len = web_request(request, spent, ORIGIN, "");
	try("a request with what came over TCP before", (uint8_t *)request, len);
	len = right(ORIGIN, "");
	request[len] = 'x';
	try("a request with a byte behind it", (uint8_t *)request, len + 1);
	for (i = 1; i < len; i += 37)
		try("a request cut short", (uint8_t *)request, i);
	for (n = i = 0; i < 60; i++)
		n += (size_t)snprintf(more + n, sizeof more - n, "X-%zu: y\r\n", i);
	len = right(ORIGIN, more);
	try("a request of too many lines", (uint8_t *)request, len);
	memset(more, 'y', 8000);
	memcpy(more, "X: ", 3);
	memcpy(more + 8000, "\r\n", 3);
	len = right(ORIGIN, more);
	try("a request too large", (uint8_t *)request, len);
	if (web)
		return;
	len = right(ORIGIN, "");
	try("a right request where none is served", (uint8_t *)request, len);
}

/* the other control */
static bool web_member(void)
{
	static char more[WEB_REQUEST_MAX - 1000];
	static struct client c;
	bool ok = client_dial(&c, d.port, NULL, 5) &&
	          web_shake(&c, d.pk, org.access[RPC_FIELD], ORIGIN) && client_bye(&c);
	size_t i, n, len;
	char back[12];

	/* as large and with as many lines as is allowed; whom a proxy names is nobody's business */
	n = (size_t)snprintf(more, sizeof more, "X-Forwarded-For: 192.0.2.7\r\n");
	for (i = 0; i < 50; i++)
		n += (size_t)snprintf(more + n, sizeof more - n, "X-%zu: y\r\n", i);
	len = right(ORIGIN, more);
	ok = ok && client_dial(&c, d.port, NULL, 5) &&
	     send(c.fd, request, len, MSG_NOSIGNAL) == (ssize_t)len &&
	     recv(c.fd, back, sizeof back, MSG_WAITALL) == sizeof back &&
	     memcmp(back, "HTTP/1.1 101", sizeof back) == 0;
	client_close(&c);
	return ok;
}

static void wait_for_all(void)
{
	size_t left = n_ways, i;
	uint8_t buf[256];

	while (left > 0 && test_now_us() - started < 20000000) {
		struct pollfd p[WAYS_MAX];

		for (i = 0; i < n_ways; i++) {
			p[i].fd = ways[i].fd;
			p[i].events = POLLIN;
		}
		(void)poll(p, n_ways, 1000);
		for (i = 0; i < n_ways; i++) {
			ssize_t n;

			if (ways[i].fd < 0 || p[i].revents == 0)
				continue;
			n = recv(ways[i].fd, buf, sizeof buf, MSG_DONTWAIT);
			if (n > 0) {
				ways[i].got += (size_t)n;
				continue;
			}
			if (n < 0 && (errno == EAGAIN || errno == EINTR))
				continue;
			ways[i].reset = n < 0;
			ways[i].closed_ms = (double)(test_now_us() - started) / 1000;
			(void)close(ways[i].fd);
			ways[i].fd = -1;
			left--;
		}
	}
	for (i = 0; i < n_ways; i++)
		if (ways[i].fd >= 0)
			ways[i].closed_ms = 1e9;
}

int main(int argc, char **argv)
{
	static char arg1[] = "--handshake-seconds", arg2[] = "1", arg3[] = "--web-origins",
	            arg4[] = ORIGIN;
	bool web = argc > 2 && strcmp(argv[2], "web") == 0;
	char *const extra[] = { arg1, arg2, web ? arg3 : NULL, arg4, NULL };
	uint8_t spent[NOISE_MSG_SIZE];
	size_t i, bytes = 0, resets = 0, early = 0, late = 0;
	bool control;
	int bad, code;

	if (argc < 2 || sodium_init() < 0)
		return 2;
	daemon_remove(argv[1]);
	if (!org_init(&org, 1) || !daemon_init(&d, argv[1]) || !daemon_start(&d, extra) ||
	    !daemon_setup(&d, &org)) {
		printf("FAIL the server could not be set up\n");
		return 1;
	}
	control = spend(spent) && (!web || web_member());
	try_everything(spent);
	try_requests(web, spent);
	wait_for_all();
	for (i = 0; i < n_ways; i++) {
		bytes += ways[i].got;
		resets += ways[i].reset;
		early += ways[i].closed_ms < 950;
		late += ways[i].closed_ms > 5000;
		if (ways[i].got > 0 || ways[i].reset || ways[i].closed_ms < 950 ||
		    ways[i].closed_ms > 5000)
			printf("  %s: %zu bytes, %s after %.0f ms\n", ways[i].name, ways[i].got,
			       ways[i].reset ? "reset" : "closed", ways[i].closed_ms);
	}
	printf("figure: outsiders%s: %zu ways; bytes sent to outsiders: %zu; closed otherwise than "
	       "the others: %zu; control (a member is answered): %s\n",
	       web ? " where browsers may come" : "", n_ways, bytes,
	       resets + early + late, control ? "fired" : "SILENT");
	printf("%s no byte is sent to an outsider\n", bytes == 0 && control ? "ok" : "FAIL");
	printf("%s all outsiders are treated alike\n", resets + early + late == 0 ? "ok" : "FAIL");
	bad = bytes != 0 || !control || resets + early + late != 0;
	code = daemon_stop(&d);
	printf("%s the server goes on and stops in order\n", code == 0 ? "ok" : "FAIL");
	return bad || code != 0;
}
