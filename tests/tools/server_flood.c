/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * server_flood DIR [SILENT]: how honest clients fare while thousands of connections say
 * nothing, dribble bytes, send garbage, come and go, and members pull without reading.
 */
#include <errno.h>
#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "daemon.h"

#define HONEST       4
#define ROUNDS       250         /* commits of each honest client in each phase */
#define DRIBBLERS    200
#define GARBAGE      200
#define NEVER_READ   24
#define OWN_SEGMENT  2000        /* cells that the never-reading ask for */

static struct daemon d;
static struct org org;
static atomic_bool stopping;
static atomic_ulong opened, garbage_bytes_back;

static void pause_us(long us)
{
	struct timespec ts = { .tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000 };

	(void)nanosleep(&ts, NULL);
}

/* 127.1.x.y: another source for each */
static int stranger(void)
{
	static atomic_uint next;
	unsigned n = next++;
	struct client *c = malloc(sizeof *c);
	char from[32];
	int fd = -1;

	snprintf(from, sizeof from, "127.1.%u.%u", n / 250 % 250, 1 + n % 250);
	if (client_dial(c, d.port, from, 5)) {
		fd = c->fd;
		opened++;
	}
	free(c);
	return fd;
}

/* ---- honest ------------------------------------------------------------------------------ */

struct honest {
	pthread_t thread;
	struct client c;
	uint64_t number;
	unsigned failed;
	double ms[ROUNDS];
};
static struct honest honest[HONEST];

static void *working(void *arg)
{
	struct honest *h = arg;
	uint8_t cell[CELL_SIZE];
	unsigned i;

	for (i = 0; i < ROUNDS; i++) {
		uint64_t t = test_now_us();

		/* every tenth round as somebody who just arrives */
		if (i % 10 == 0) {
			client_close(&h->c);
			if (!daemon_open(&d, &org, RPC_FIELD, &h->c)) {
				h->failed++;
				h->ms[i] = 1e6;
				continue;
			}
		}
		client_cell(cell, 99, h->number++);
		if (!client_put(&h->c, cell) || !client_commit(&h->c) ||
		    h->c.m.bytes_len != 1 || h->c.m.bytes[0] != RPC_STORED)
			h->failed++;
		h->ms[i] = (double)(test_now_us() - t) / 1000;
	}
	return NULL;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* p99 of all rounds; failures counted */
static double phase(unsigned *failed)
{
	static double all[HONEST * ROUNDS];
	unsigned i;

	for (i = 0; i < HONEST; i++)
		if (pthread_create(&honest[i].thread, NULL, working, &honest[i]) != 0)
			abort();
	*failed = 0;
	for (i = 0; i < HONEST; i++) {
		pthread_join(honest[i].thread, NULL);
		memcpy(all + i * ROUNDS, honest[i].ms, sizeof honest[i].ms);
		*failed += honest[i].failed;
		honest[i].failed = 0;
	}
	qsort(all, HONEST * ROUNDS, sizeof all[0], by_value);
	return all[HONEST * ROUNDS * 99 / 100];
}

/* ---- flood ------------------------------------------------------------------------------- */

static size_t n_silent;

static void *silent(void *arg)
{
	int *fds = malloc(n_silent * sizeof *fds);
	uint8_t byte;
	size_t i;

	for (i = 0; i < n_silent; i++)
		fds[i] = -1;
	while (!stopping) {
		for (i = 0; i < n_silent && !stopping; i++) {
			if (fds[i] >= 0 && recv(fds[i], &byte, 1, MSG_DONTWAIT) < 0 &&
			    errno == EAGAIN)
				continue;
			if (fds[i] >= 0)
				(void)close(fds[i]);
			fds[i] = stranger();
		}
		pause_us(20000);
	}
	for (i = 0; i < n_silent; i++)
		if (fds[i] >= 0)
			(void)close(fds[i]);
	free(fds);
	return NULL;
}

static void *dribbling(void *arg)
{
	int fds[DRIBBLERS], i;
	uint8_t byte;

	for (i = 0; i < DRIBBLERS; i++)
		fds[i] = stranger();
	while (!stopping) {
		for (i = 0; i < DRIBBLERS; i++) {
			randombytes_buf(&byte, 1);
			if (fds[i] >= 0 && send(fds[i], &byte, 1, MSG_NOSIGNAL) == 1)
				continue;
			if (fds[i] >= 0)
				(void)close(fds[i]);
			fds[i] = stranger();
		}
		pause_us(20000);
	}
	for (i = 0; i < DRIBBLERS; i++)
		if (fds[i] >= 0)
			(void)close(fds[i]);
	return NULL;
}

static void *throwing(void *arg)
{
	int fds[GARBAGE], i;
	uint8_t buf[8192];

	for (i = 0; i < GARBAGE; i++)
		fds[i] = -1;
	while (!stopping) {
		for (i = 0; i < GARBAGE && !stopping; i++) {
			ssize_t n;

			if (fds[i] >= 0) {
				n = recv(fds[i], buf, sizeof buf, MSG_DONTWAIT);
				if (n > 0)
					garbage_bytes_back += (unsigned long)n;
				(void)close(fds[i]);
			}
			fds[i] = stranger();
			randombytes_buf(buf, sizeof buf);
			if (fds[i] >= 0)
				(void)!send(fds[i], buf, sizeof buf, MSG_NOSIGNAL | MSG_DONTWAIT);
		}
		pause_us(50000);
	}
	for (i = 0; i < GARBAGE; i++)
		if (fds[i] >= 0)
			(void)close(fds[i]);
	return NULL;
}

/* members who ask for everything and read nothing */
static void *never_reading(void *arg)
{
	struct client *c = calloc(NEVER_READ, sizeof *c);
	struct rpc_segment *seg = malloc(64 * sizeof *seg);
	size_t n, i, k;

	for (i = 0; i < NEVER_READ; i++) {
		struct rpc_msg m = { .type = RPC_REQUEST, .method = RPC_PULL, .n = RPC_BATCH };
		int small = 4096;

		if (!daemon_open(&d, &org, RPC_COUNSEL, &c[i]))
			continue;
		(void)setsockopt(c[i].fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
		if (!client_segments(&c[i], seg, 64, &n) || n == 0)
			continue;
		m.day = seg[0].day;
		m.release = seg[0].release;
		for (k = 0; k < RPC_INFLIGHT_MAX; k++) {
			m.msgid = c[i].next_id++;
			m.from = (uint32_t)(k * RPC_BATCH) % seg[0].count;
			(void)client_queue(&c[i], &m);
		}
		(void)client_flush(&c[i]);
	}
	while (!stopping)
		pause_us(20000);
	for (i = 0; i < NEVER_READ; i++)
		client_close(&c[i]);
	free(seg);
	free(c);
	return NULL;
}

static bool fill(void)
{
	struct client *c = malloc(sizeof *c);
	uint8_t cell[CELL_SIZE];
	uint32_t i, n;
	bool ok = daemon_open(&d, &org, RPC_FIELD, c);

	for (i = 0; ok && i < OWN_SEGMENT; i++) {
		client_cell(cell, 5, i);
		ok = client_put(c, cell) && (i % 64 != 63 || client_commit(c));
	}
	ok = ok && client_commit(c) && client_bye(c) && daemon_release(&d, &org, &n);
	free(c);
	return ok;
}

static void ignore(void *arg, const uint8_t *cell)
{
	(void)arg;
	(void)cell;
}

/* the segment is read once, so that its file is open, and everybody has left again */
static bool warm(void)
{
	struct client *c = malloc(sizeof *c);
	uint64_t until = test_now_us() + 10000000;
	struct rpc_segment seg;
	size_t n;
	bool ok = daemon_open(&d, &org, RPC_COUNSEL, c);

	ok = ok && client_segments(c, &seg, 1, &n) && n == 1 &&
	     client_pull(c, &seg, ignore, NULL) && client_bye(c);
	while (ok && daemon_figure(&d, "connections") != 0 && test_now_us() < until)
		pause_us(5000);
	free(c);
	return ok;
}

/* until as many descriptors are open as before, or ten seconds */
static int settle(int base)
{
	uint64_t until = test_now_us() + 10000000;
	int n;

	while ((n = daemon_files(&d)) != base && test_now_us() < until)
		pause_us(20000);
	return n;
}

int main(int argc, char **argv)
{
	static char args[][24] = { "--handshake-seconds", "2", "--stall-seconds", "2",
	                           "--max-connections", "2048" };
	char *const extra[] = { args[0], args[1], args[2], args[3], args[4], args[5], NULL };
	static void *(*const floods[])(void *) = { silent, dribbling, throwing, never_reading };
	const char *mode = getenv("AMPARO_TEST_MODE");
	pthread_t t[4];
	struct rlimit lim;
	unsigned failed_calm, failed_flood, i;
	double calm, flood, mb;
	int base, after, code, bad;

	if (argc < 2 || sodium_init() < 0)
		return 2;
	n_silent = argc > 2 ? strtoul(argv[2], NULL, 10) : 3000;
	if (getrlimit(RLIMIT_NOFILE, &lim) == 0) {
		lim.rlim_cur = lim.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &lim);
	}
	daemon_remove(argv[1]);
	if (!org_init(&org, 1) || !daemon_init(&d, argv[1]) || !daemon_start(&d, extra) ||
	    !daemon_setup(&d, &org) || !fill() || !warm()) {
		printf("FAIL the server could not be set up\n");
		return 1;
	}
	for (i = 0; i < HONEST; i++) {
		honest[i].number = (uint64_t)i << 32;
		honest[i].c.fd = -1;
	}
	base = daemon_files(&d);
	calm = phase(&failed_calm);
	for (i = 0; i < 4; i++)
		if (pthread_create(&t[i], NULL, floods[i], NULL) != 0)
			return 1;
	while (opened < n_silent / 2)
		pause_us(10000);
	flood = phase(&failed_flood);
	mb = (double)daemon_memory(&d, "VmHWM") / 1024;
	stopping = true;
	for (i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	for (i = 0; i < HONEST; i++)
		client_close(&honest[i].c);
	after = settle(base);
	printf("figure: flood: %lu strangers came; honest p99 calm %.1f ms, under flood %.1f ms; "
	       "peak memory %.0f MB; descriptors %d, base %d; bytes to strangers %lu\n",
	       (unsigned long)opened, calm, flood, mb, after, base,
	       (unsigned long)garbage_bytes_back);
	bad = 0;
#define CLAIM(ok, text) (bad += !(ok), printf("%s %s\n", (ok) ? "ok" : "FAIL", text))
	CLAIM(failed_calm == 0, "calm: every honest commit succeeds");
	CLAIM(failed_flood == 0, "under the flood every honest commit succeeds");
	CLAIM(flood < 2000, "hardly anybody honest waits longer than two seconds");
	/* a sanitizer keeps what was freed */
	CLAIM(mb < (mode != NULL && strcmp(mode, "asan") == 0 ? 1000 : 200),
	      "memory stays bounded");
	CLAIM(after == base, "descriptors are back to base");
	CLAIM(garbage_bytes_back == 0, "strangers get no byte");
	code = daemon_stop(&d);
	CLAIM(code == 0, "the server stops in order");
	return bad != 0;
}
