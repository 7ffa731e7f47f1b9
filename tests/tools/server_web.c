/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * server_web DIR: a browser's connection does what one over TCP does, within the same bounds,
 * costs little more while it waits, and ends at the first frame that is not as it should be.
 * What outsiders meet is server_outsiders' part.
 */
#include <poll.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "server_kit.h"
#include "web_client.h"

#define ORIGIN "https://forms.example.org"
#define IDLE   500

/* what a sanitizer keeps of freed memory is not the server's */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define CLAIM_MEMORY(ok, text) ((void)(ok))
#else
#define CLAIM_MEMORY(ok, text) CLAIM(ok, text)
#endif

static bool open_as(struct client *c, const char *origin)
{
	return client_dial(c, d.port, NULL, 10) &&
	       web_shake(c, d.pk, org.access[RPC_COUNSEL], origin);
}

static void must_open(struct client *c)
{
	if (!open_as(c, ORIGIN)) {
		printf("FAIL a member is not let in: %s\n", c->why);
		exit(1);
	}
}

static void gone(struct client *c)
{
	client_close(c);
	web_forget(c);
}

/* ---- what works -------------------------------------------------------------------------- */

static size_t n_pulled;

static void on_cell(void *arg, const uint8_t *cell)
{
	(void)arg;
	(void)cell;
	n_pulled++;
}

static void day(struct client *c)
{
	static const char *const origins[] = { ORIGIN, "null", "file://", "http://localhost:8000" };
	struct rpc_segment seg[8];
	struct rpc_msg hello = { .method = RPC_HELLO };
	unsigned i, n = 0;
	uint32_t released;
	size_t k, segments = 0;
	uint64_t t;
	double web, tcp;

	for (i = 0; i < 4; i++) {
		n += open_as(c, origins[i]) && client_call(c, &hello) && client_bye(c);
		web_forget(c);
	}
	CLAIM(n == 4, "each origin of the list is let in");
	must_open(c);
	CLAIM(kit_put(c, 21, 0, 60) && client_commit(c) && with_status(c, RPC_STORED) == 60,
	      "cells are stored");
	CLAIM(client_bye(c), "goodbye is said on both sides");
	web_forget(c);
	if (!daemon_release(&d, &org, &released))
		abort();
	must_open(c);
	t = test_now_us();
	for (i = 0; i < 50; i++)
		if (!kit_put(c, 21, 1000 + i * 60, 60) || !client_commit(c) || with_status(c, RPC_STORED) != 60)
			break;
	CLAIM(i == 50, "3,000 more are stored");
	web = 3000e6 / (double)(test_now_us() - t);
	gone(c);
	if (!client_open(c, d.port, d.pk, org.access[RPC_COUNSEL]))
		abort();
	t = test_now_us();
	for (i = 0; i < 50; i++)
		if (!kit_put(c, 21, 100000 + i * 60, 60) || !client_commit(c))
			break;
	tcp = 3000e6 / (double)(test_now_us() - t);
	client_close(c);
	if (!daemon_release(&d, &org, &released))
		abort();
	must_open(c);
	CLAIM(client_segments(c, seg, 8, &segments) && segments == 2, "segments are listed");
	for (k = 0; k < segments; k++)
		if (!client_pull(c, &seg[k], on_cell, NULL))
			break;
	CLAIM(k == segments && n_pulled == 6060, "every cell comes back");
	CLAIM(client_bye(c), "and goodbye again");
	web_forget(c);
	printf("figure: cells stored per second by one client: WebSocket %.0f, TCP %.0f\n", web, tcp);
}

/* ---- frames ------------------------------------------------------------------------------ */

static uint8_t bytes[70000];

static void frames(struct client *c)
{
	static const struct {
		const char *text;
		uint8_t first;
		bool mask;
		size_t len;
	} wrong[] = {
		{ "a text message", 0x81, true, FRAME_SIZE },
		{ "the first part of a message", 0x02, true, FRAME_SIZE },
		{ "a further part without a first", 0x80, true, FRAME_SIZE },
		{ "a compressed message", 0xc2, true, FRAME_SIZE },
		{ "a message that is not masked", 0x82, false, FRAME_SIZE },
		{ "a message one byte short", 0x82, true, FRAME_SIZE - 1 },
		{ "a message one byte long", 0x82, true, FRAME_SIZE + 1 },
		{ "an empty message", 0x82, true, 0 },
		{ "two frames in one message", 0x82, true, 2 * FRAME_SIZE },
		{ "a message of 70,000 bytes", 0x82, true, 70000 },
		{ "an unknown kind of control", 0x8b, true, 0 },
		{ "an unknown kind of message", 0x83, true, FRAME_SIZE },
		{ "a ping that is not masked", 0x89, false, 4 },
		{ "a ping of 126 bytes", 0x89, true, 126 },
		{ "a ping in parts", 0x09, true, 4 },
		{ "a close with half a status", 0x88, true, 1 },
		{ "a frame that does not open", 0x82, true, FRAME_SIZE },
	};
	uint8_t pong[125];
	size_t i, got, len, silent = 0;
	struct rpc_msg hello = { .method = RPC_HELLO };
	bool ok = true;

	for (i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		bool over;

		must_open(c);
		(void)web_send(c, wrong[i].first, wrong[i].mask, bytes, wrong[i].len);
		over = ends(c, 3000, &got);
		if (!over || got != 0)
			printf("  %s: %s, %zu bytes\n", wrong[i].text, over ? "closed" : "open", got);
		silent += over && got == 0;
		gone(c);
	}
	printf("figure: frames that end a connection: %zu of %zu, without a word\n", silent, i);
	CLAIM(silent == i, "whatever is no message of one frame ends the connection");
	must_open(c);
	for (i = 0; ok && i < 40; i++)
		ok = web_send(c, 0x89, true, bytes, i * 3) &&
		     web_control(c, pong, &len) == 0x0a && len == i * 3 &&
		     memcmp(pong, bytes, len) == 0;
	CLAIM(ok && client_call(c, &hello), "pings are answered, and the session goes on");
	for (i = 0; i < 40; i++)
		(void)web_send(c, i % 2 ? 0x89 : 0x8a, true, bytes, 0);
	CLAIM(ends(c, 3000, &got), "more than 60 in a minute end the connection");
	gone(c);
}

/* ---- ends -------------------------------------------------------------------------------- */

static void open_from(struct client *c, const char *from)
{
	if (!client_dial(c, d.port, from, 10) ||
	    !web_shake(c, d.pk, org.access[RPC_COUNSEL], ORIGIN)) {
		printf("FAIL a member is not let in: %s\n", c->why);
		exit(1);
	}
}

/* bye and Close, as a browser says them; true: both were answered */
static bool say_both(struct client *c)
{
	struct rpc_msg bye = { .type = RPC_NOTIFY, .method = RPC_BYE };
	uint8_t status[125];
	size_t len;

	return client_queue(c, &bye) && client_flush(c) && client_next(c, RPC_HELLO) &&
	       c->m.method == RPC_BYE && web_send(c, 0x88, true, (const uint8_t *)"\x03\xe8", 2) &&
	       web_control(c, status, &len) == 0x08 && len == 2 &&
	       memcmp(status, "\x03\xe8", 2) == 0;
}

/* this end is the first one */
static void end_first(struct client *c)
{
	gone(c);
	none_open();
}

static void closes(struct client *c)
{
	struct pollfd p = { .events = POLLIN | POLLRDHUP };
	size_t got;
	uint64_t t;

	none_open();
	open_from(c, "127.0.0.81");
	CLAIM(say_both(c), "after both goodbyes a close is answered");
	p.fd = c->fd;
	CLAIM(poll(&p, 1, 2300) == 0, "and the browser is left to end the stream first");
	end_first(c);
	CLAIM(!daemon_remembers(d.port, "127.0.0.81"),
	      "the kernel remembers nobody who ended it himself");
	open_from(c, "127.0.0.82");
	if (!say_both(c))
		abort();
	t = test_now_us();
	/* and whatever else it says is not heard */
	(void)web_send(c, 0x89, true, bytes, 4);
	(void)web_send(c, 0x82, true, bytes, FRAME_SIZE);
	(void)web_send(c, 0x88, true, NULL, 0);
	CLAIM(ends(c, 8000, &got) && got == 0, "one who never ends it is ended");
	printf("figure: after the closes a browser has %.1f s to end the stream\n",
	       (double)(test_now_us() - t) / 1e6);
	gone(c);
	CLAIM(daemon_remembers(d.port, "127.0.0.82"), "control: him the kernel remembers");
	/* a tab that goes in the middle */
	open_from(c, "127.0.0.83");
	CLAIM(kit_put(c, 21, 9000, 3) && client_flush(c) && web_send(c, 0x88, true, NULL, 0) &&
	      (p.fd = c->fd, poll(&p, 1, 1000) == 0), "a close before the goodbye is not answered");
	end_first(c);
	CLAIM(!daemon_remembers(d.port, "127.0.0.83"), "nor is who said it remembered");
	open_from(c, "127.0.0.83");
	CLAIM(kit_put(c, 21, 9000, 3) && client_commit(c) && with_status(c, RPC_STORED) == 3,
	      "what came before it was not stored");
	gone(c);
}

/* ---- bounds ------------------------------------------------------------------------------ */

/* byte by byte, as slowly as is allowed */
static void slowly(struct client *c)
{
	static char request[WEB_REQUEST_MAX];
	uint8_t first[NOISE_MSG_SIZE], derived[32], buf[16];
	struct pollfd p;
	uint64_t t = test_now_us();
	size_t len, i;
	ssize_t n = 1;

	if (!client_dial(c, d.port, NULL, 10))
		abort();
	channel_access(derived, org.access[RPC_COUNSEL], d.pk);
	if (channel_connect(&c->ch, first, d.pk, derived, rng_system()) != PERR_OK)
		abort();
	len = web_request(request, first, ORIGIN, "");
	p = (struct pollfd){ .fd = c->fd, .events = POLLIN };
	for (i = 0; i < len && test_now_us() - t < 8000000; i++) {
		if (send(c->fd, request + i, 1, MSG_NOSIGNAL) != 1)
			break;
		if (poll(&p, 1, 20) == 1) {
			n = recv(c->fd, buf, sizeof buf, 0);
			break;
		}
	}
	t = test_now_us() - t;
	CLAIM(n <= 0 && i < len && t > 1900000 && t < 4000000,
	      "a request that comes byte by byte is closed when its time is over");
	printf("figure: a slow request was closed after %.1f s and %zu of %zu bytes\n",
	       (double)t / 1e6, i, len);
	client_close(c);
	/* the same in a few pieces arrives in time: cuts as such do no harm */
	if (!client_dial(c, d.port, NULL, 10))
		abort();
	for (i = 0; i < len; i += 7) {
		(void)send(c->fd, request + i, len - i < 7 ? len - i : 7, MSG_NOSIGNAL);
		(void)poll(NULL, 0, 1);
	}
	CLAIM(recv(c->fd, buf, sizeof buf, 0) == sizeof buf && memcmp(buf, "HTTP/1.1 101", 12) == 0,
	      "control: in pieces of 7 bytes it is answered");
	client_close(c);
}

static void places(struct client *c)
{
	size_t got;

	must_open(c);
	CLAIM(client_next(c, RPC_HELLO) && c->m.method == RPC_BYE && ends(c, 4000, &got),
	      "an idle connection gets a goodbye");
	gone(c);
	/* a ping is no work */
	must_open(c);
	{
		uint64_t t = test_now_us();
		struct pollfd p = { .fd = c->fd, .events = POLLIN };
		uint8_t buf[FRAME_SIZE + 4];
		bool bye = false;

		while (!bye && test_now_us() - t < 7000000) {
			(void)web_send(c, 0x8a, true, NULL, 0);
			if (poll(&p, 1, 250) == 1)
				bye = recv(c->fd, buf, sizeof buf, MSG_WAITALL) == sizeof buf;
		}
		CLAIM(bye, "pongs do not keep an idle connection");
	}
	gone(c);
	must_open(c);
	CLAIM(kit_put(c, 21, 5000, 3) && client_flush(c) && ends(c, 5000, &got),
	      "an upload left lying is dropped with its connection");
	gone(c);
	/* half a frame: nothing is promised, and the place is given back */
	must_open(c);
	(void)send(c->fd, "\x82\xfe\x10\x60\1\2\3\4half", 12, MSG_NOSIGNAL);
	CLAIM(ends(c, 8000, &got), "half a frame does not keep a place");
	gone(c);
}

static void never_reading(struct client *c)
{
	struct rpc_msg m = { .type = RPC_REQUEST, .method = RPC_PULL, .n = RPC_BATCH };
	struct rpc_segment seg[8];
	uint64_t until;
	size_t n = 0, i;
	long now = -1, before, most = 0;
	int small = 4096;

	none_open();
	before = daemon_memory(&d, "VmRSS");
	if (!client_dial(c, d.port, NULL, 10))
		abort();
	(void)setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
	if (!web_shake(c, d.pk, org.access[RPC_COUNSEL], ORIGIN) ||
	    !client_segments(c, seg, 8, &n) || n < 2)
		abort();
	m.day = seg[1].day;
	m.release = seg[1].release;
	for (i = 0; i < 2 * RPC_INFLIGHT_MAX; i++) {
		m.msgid = c->next_id++;
		if (!client_queue(c, &m))
			abort();
	}
	(void)client_flush(c);
	CLAIM(daemon_figure(&d, "connections") == 1, "who does not read is kept for a while");
	for (until = test_now_us() + 8000000; test_now_us() < until; (void)usleep(20000)) {
		long rss = daemon_memory(&d, "VmRSS");

		most = rss > most ? rss : most;
		if ((now = daemon_figure(&d, "connections")) == 0)
			break;
	}
	CLAIM(now == 0, "and then closed");
	printf("figure: %u answers of 64 cells asked for and not read: %ld KiB more memory (all of "
	       "them: %u KiB)\n", 2 * RPC_INFLIGHT_MAX, most - before,
	       2 * RPC_INFLIGHT_MAX * 65 * FRAME_SIZE / 1024);
	CLAIM_MEMORY(most - before < 3000, "meanwhile the answers made ahead are bounded");
	gone(c);
}

/* ---- what is not kept -------------------------------------------------------------------- */

/* how often a text stands in the server's memory; -1: it cannot be looked at (not root) */
static long in_memory(const char *text)
{
	static uint8_t page[(1u << 20) + 64];
	const size_t len = strlen(text), step = 1u << 20;
	char path[64], line[400];
	unsigned long from, to, at;
	FILE *maps, *mem;
	long n = 0;

	snprintf(path, sizeof path, "/proc/%d/maps", (int)d.pid);
	maps = fopen(path, "r");
	snprintf(path, sizeof path, "/proc/%d/mem", (int)d.pid);
	mem = fopen(path, "r");
	if (maps == NULL || mem == NULL) {
		if (maps != NULL)
			fclose(maps);
		return -1;
	}
	while (fgets(line, sizeof line, maps) != NULL) {
		if (sscanf(line, "%lx-%lx rw", &from, &to) != 2 || strstr(line, " rw") == NULL ||
		    to - from > 1ul << 30)
			continue;
		for (at = from; at < to; at += step) {
			/* pieces overlap by what a text could be cut by */
			size_t want = to - at < step + len ? to - at : step + len, got;
			uint8_t *p = page, *end;

			if (fseek(mem, (long)at, SEEK_SET) != 0)
				break;
			got = fread(page, 1, want, mem);
			for (end = page + got; (p = memmem(p, (size_t)(end - p), text, len)) != NULL; p++)
				n++;
		}
	}
	fclose(maps);
	fclose(mem);
	return n;
}

/* a proxy that names for whom it asks: a member's request, one with a wrong key, a wrong one */
static void forwarded(struct client *c)
{
	static char request[WEB_REQUEST_MAX];
	uint8_t first[NOISE_MSG_SIZE], derived[32];
	static const char *const who[] = {
		"a member", "a wrong key", "a wrong page", "a wrong page, in two pieces",
		"a line of a proxy's protocol"
	};
	static const char named[] =
		"X-Forwarded-For: 198.51.100.237\r\nForwarded: for=198.51.100.237\r\n"
		"X-Real-IP: 198.51.100.237\r\nCookie: who=198.51.100.237\r\n";
	static const char line[] = "PROXY TCP4 198.51.100.237 198.51.100.1 56324 443\r\n";
	char back[12];
	size_t len, at;
	long canary = -1, control = -1;
	int i, k;

	for (i = 0; i < 5; i++) {
		if (!client_dial(c, d.port, NULL, 1))
			abort();
		channel_access(derived, org.access[RPC_COUNSEL], d.pk);
		derived[0] ^= i == 1;
		if (channel_connect(&c->ch, first, d.pk, derived, rng_system()) != PERR_OK)
			abort();
		len = web_request(request, first, i == 2 || i == 3 ? "https://evil.example" : ORIGIN,
		                  named);
		/* refused before the rest arrives */
		at = i == 3 ? len - strlen(named) - 2 : 0;
		if (i == 4)
			(void)send(c->fd, line, strlen(line), MSG_NOSIGNAL);
		if (at > 0 && send(c->fd, request, at, MSG_NOSIGNAL) > 0)
			(void)usleep(50000);
		(void)send(c->fd, request + at, len - at, MSG_NOSIGNAL);
		if ((recv(c->fd, back, sizeof back, MSG_WAITALL) == sizeof back) != (i == 0))
			abort();
		/* the answer may be here before the buffer is wiped */
		for (k = 0; k < 20 && (canary = in_memory("198.51.100.237")) > 0; k++)
			(void)usleep(10000);
		control = in_memory(ORIGIN);
		if (canary != 0) {
			printf("  %s: found\n", who[i]);
			break;
		}
		client_close(c);
	}
	if (canary < 0) {
		printf("SKIP THE SERVER'S MEMORY CANNOT BE LOOKED AT WITHOUT ROOT\n");
		return;
	}
	printf("figure: an address that a proxy names, in the server's memory right after: %ld "
	       "times; control, an origin of the configuration: %ld\n", canary, control);
	CLAIM(canary == 0, "whom a proxy names is not kept, not even in a buffer");
	CLAIM_MEMORY(control > 0, "control: what the server does keep is found");
}

/* ---- what waiting costs ------------------------------------------------------------------ */

static double idle_bytes(struct client *c, bool web)
{
	long before, after;
	size_t i;

	none_open();
	before = daemon_memory(&d, "VmRSS");
	for (i = 0; i < IDLE; i++) {
		struct rpc_msg hello = { .method = RPC_HELLO };
		bool ok = client_dial(c, d.port, NULL, 20) &&
		          (web ? web_shake(c, d.pk, org.access[RPC_COUNSEL], ORIGIN) :
		           client_shake(c, d.pk, org.access[RPC_COUNSEL])) &&
		          client_call(c, &hello);

		if (!ok)
			abort();
		/* the socket stays open, the test's own memory is used again */
		if (web)
			web_forget(c);
		c->fd = -1;
	}
	after = daemon_memory(&d, "VmRSS");
	CLAIM(daemon_figure(&d, "connections") == IDLE, "all wait at once");
	for (i = 3; i < IDLE + 64; i++)
		(void)close((int)i);
	return (double)(after - before) * 1024 / IDLE;
}

static void farewell(struct client *c)
{
	int status = -1;

	must_open(c);
	(void)kill(d.pid, SIGTERM);
	CLAIM(client_next(c, RPC_HELLO) && c->m.method == RPC_BYE,
	      "a server that stops says goodbye to a browser too");
	gone(c);
	(void)waitpid(d.pid, &status, 0);
	CLAIM(WIFEXITED(status) && WEXITSTATUS(status) == 0, "and ends with 0");
}

int main(int argc, char **argv)
{
	static char args[][64] = { "--idle-seconds", "2", "--stall-seconds", "1",
	                           "--handshake-seconds", "2", "--web-origins",
	                           ORIGIN ", null http://localhost:8000", "--idle-seconds", "60" };
	char *const quick[] = { args[0], args[1], args[2], args[3], args[4], args[5], args[6],
	                        args[7], NULL };
	char *const slow[] = { args[6], args[7], args[8], args[9], NULL };
	struct client *c = calloc(1, sizeof *c);
	struct rlimit lim = { 4096, 4096 };
	double tcp, web;

	if (argc < 2 || sodium_init() < 0)
		return 2;
	(void)setrlimit(RLIMIT_NOFILE, &lim);
	randombytes_buf(bytes, sizeof bytes);
	daemon_remove(argv[1]);
	if (!org_init(&org, 1))
		return 1;
	org.limits = (struct policy_limits){ .puts_per_minute = 0, .connections_per_source = 2000,
	                                     .alert_cells_per_hour = 0, .reserve_mib = 1 };
	if (!daemon_init(&d, argv[1]) || !daemon_start(&d, quick) || !daemon_setup(&d, &org)) {
		printf("FAIL the server could not be set up\n");
		return 1;
	}
	CLAIM(log_says("SOURCE LIMITS ARE ON"), "that all come from this machine is said at the start");
	day(c);
	frames(c);
	closes(c);
	slowly(c);
	forwarded(c);
	places(c);
	never_reading(c);
	CLAIM(daemon_stop(&d) == 0 && daemon_start(&d, slow), "the server starts anew");
	/* each kind once before it is measured: memory that the allocator already has */
	(void)idle_bytes(c, true);
	CLAIM(daemon_stop(&d) == 0 && daemon_start(&d, slow), "the server starts anew");
	tcp = idle_bytes(c, false);
	CLAIM(daemon_stop(&d) == 0 && daemon_start(&d, slow), "the server starts anew");
	web = idle_bytes(c, true);
	printf("figure: %d idle connections, bytes of memory each: TCP %.0f, WebSocket %.0f\n",
	       IDLE, tcp, web);
	CLAIM_MEMORY(web < tcp + 1024, "a WebSocket that waits costs less than a kilobyte more");
	farewell(c);
	free(c);
	return bad != 0;
}
