/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * server_outsiders DIR: everything a stranger may try at the port, all at once; not one byte
 * may come back, and all must be treated alike: closed at the handshake's end, by FIN.
 * The control: a member gets its 48 bytes.
 */
#include <errno.h>
#include <poll.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon.h"

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
	static char arg1[] = "--handshake-seconds", arg2[] = "1";
	char *const extra[] = { arg1, arg2, NULL };
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
	control = spend(spent);
	try_everything(spent);
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
	printf("figure: outsiders: %zu ways; bytes sent to outsiders: %zu; closed otherwise than "
	       "the others: %zu; control (a member is answered): %s\n", n_ways, bytes,
	       resets + early + late, control ? "fired" : "SILENT");
	printf("%s no byte is sent to an outsider\n", bytes == 0 && control ? "ok" : "FAIL");
	printf("%s all outsiders are treated alike\n", resets + early + late == 0 ? "ok" : "FAIL");
	bad = bytes != 0 || !control || resets + early + late != 0;
	code = daemon_stop(&d);
	printf("%s the server goes on and stops in order\n", code == 0 ? "ok" : "FAIL");
	return bad || code != 0;
}
