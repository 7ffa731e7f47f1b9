/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * server_kill DIR KILLS [SEED]: kill -9 at random moments while several clients upload and
 * an administrator orders releases; restart; at the end everything acknowledged must be
 * readable, exactly once, and nothing that was never sent.
 *
 * The control: acknowledgements that were never sent are looked for as well and must be
 * missed.
 */
#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "daemon.h"

#define CLIENTS 4
#define CELLS_MAX 200000u        /* of each client */

static struct daemon d;
static struct org org;
static atomic_bool stopping;
static uint64_t seed;

struct uploader {
	pthread_t thread;
	uint64_t base;           /* its cells are base, base + 1, … */
	uint32_t sent;           /* numbers below this went out at least once */
	uint8_t *acked;          /* by number: the server said stored or already there */
	uint32_t n_acked;
	struct client c;
};

static struct uploader ups[CLIENTS];

static void pause_us(long us)
{
	struct timespec ts = { .tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000 };

	(void)nanosleep(&ts, NULL);
}

/* one commit of numbers; true when it was answered */
static bool upload(struct uploader *u, const uint32_t *numbers, size_t n)
{
	uint8_t cell[CELL_SIZE];
	size_t i;

	for (i = 0; i < n; i++) {
		client_cell(cell, seed, u->base + numbers[i]);
		if (numbers[i] >= u->sent)
			u->sent = numbers[i] + 1;
		if (!client_put(&u->c, cell))
			return false;
	}
	if (!client_commit(&u->c) || u->c.m.bytes_len != n)
		return false;
	for (i = 0; i < n; i++) {
		uint8_t st = u->c.m.bytes[i];

		if (st != RPC_STORED && st != RPC_ALREADY)
			continue;
		if (!u->acked[numbers[i]])
			u->n_acked++;
		u->acked[numbers[i]] = 1;
	}
	return true;
}

static void *uploading(void *arg)
{
	struct uploader *u = arg;
	uint32_t numbers[20], next = 0;

	while (!stopping && next + 20 < CELLS_MAX) {
		if (!daemon_open(&d, &org, RPC_FIELD, &u->c)) {
			pause_us(2000);
			continue;
		}
		while (!stopping && next + 20 < CELLS_MAX) {
			size_t n = 1 + randombytes_uniform(16), i;

			for (i = 0; i < n; i++)
				numbers[i] = next + (uint32_t)i;
			/* and some that are there already, as after a lost answer */
			if (next > 0 && n < 16)
				numbers[n++] = randombytes_uniform(next);
			if (!upload(u, numbers, n))
				break;
			next += (uint32_t)n;
		}
		client_close(&u->c);
		/* what was under way is sent again: next did not move */
	}
	return NULL;
}

static void *releasing(void *arg)
{
	uint32_t n;

	while (!stopping) {
		pause_us(30000 + (long)randombytes_uniform(60000));
		(void)daemon_release(&d, &org, &n);
	}
	return NULL;
}

/* ---- what can be read at the end --------------------------------------------------------- */

struct seen {
	uint8_t (*ids)[32];
	size_t n, max;
};

static void see(void *arg, const uint8_t *cell)
{
	struct seen *s = arg;

	if (s->n == s->max) {
		s->max = s->max * 2 + 1024;
		s->ids = realloc(s->ids, s->max * 32);
		if (s->ids == NULL)
			abort();
	}
	cell_id(s->ids[s->n++], cell);
}

static int by_bytes(const void *a, const void *b)
{
	return memcmp(a, b, 32);
}

static bool has(const struct seen *s, uint64_t number)
{
	uint8_t cell[CELL_SIZE], id[32];

	client_cell(cell, seed, number);
	cell_id(id, cell);
	return bsearch(id, s->ids, s->n, 32, by_bytes) != NULL;
}

static bool read_all(struct seen *s)
{
	struct client *c = malloc(sizeof *c);
	struct rpc_segment *seg = malloc(4096 * sizeof *seg);
	size_t n = 0, i;
	bool ok;

	ok = daemon_open(&d, &org, RPC_COUNSEL, c) && client_segments(c, seg, 4096, &n);
	for (i = 0; ok && i < n; i++)
		ok = client_pull(c, &seg[i], see, s);
	if (!ok)
		fprintf(stderr, "reading back: %s\n", c->why);
	if (c->fd >= 0)
		client_close(c);
	free(seg);
	free(c);
	qsort(s->ids, s->n, 32, by_bytes);
	return ok;
}

static int judge(unsigned kills, double longest_ms)
{
	struct seen s = { 0 };
	size_t i, lost = 0, twice = 0, acked = 0, sent = 0, invented = 0;
	uint32_t n, k;
	int bad = 0;

	if (!daemon_release(&d, &org, &n) || !read_all(&s)) {
		printf("FAIL the last release or the reading back\n");
		return 1;
	}
	for (i = 1; i < s.n; i++)
		twice += memcmp(s.ids[i - 1], s.ids[i], 32) == 0;
	for (i = 0; i < CLIENTS; i++) {
		acked += ups[i].n_acked;
		sent += ups[i].sent;
		for (k = 0; k < ups[i].sent; k++)
			lost += ups[i].acked[k] && !has(&s, ups[i].base + k);
		/* control: these were never sent */
		for (k = 0; k < 10; k++)
			invented += has(&s, ups[i].base + CELLS_MAX + k);
	}
	printf("figure: kills: %u; acknowledged: %zu; acknowledged lost: %zu; duplicates for "
	       "readers: %zu; longest restart: %.0f ms; controls missed as they must: %zu/%d\n",
	       kills, acked, lost, twice, longest_ms, 10 * CLIENTS - invented, 10 * CLIENTS);
	bad += lost != 0;
	printf("%s an acknowledged cell survives kill -9\n", lost == 0 ? "ok" : "FAIL");
	bad += twice != 0;
	printf("%s no reader gets a cell twice\n", twice == 0 ? "ok" : "FAIL");
	bad += acked < kills || invented != 0;
	printf("%s the clients did upload, and what was not sent is not found\n",
	       acked >= kills && invented == 0 ? "ok" : "FAIL");
	bad += s.n > sent;
	printf("%s nothing is there that nobody sent\n", s.n <= sent ? "ok" : "FAIL");
	free(s.ids);
	return bad != 0;
}

int main(int argc, char **argv)
{
	unsigned kills, i;
	double longest = 0;
	pthread_t releaser;
	int rc;

	if (argc < 3 || sodium_init() < 0)
		return 2;
	kills = (unsigned)atoi(argv[2]);
	seed = argc > 3 ? strtoull(argv[3], NULL, 10) : randombytes_random();
	printf("seed %llu\n", (unsigned long long)seed);
	daemon_remove(argv[1]);
	if (!org_init(&org, 1) || !daemon_init(&d, argv[1]) || !daemon_start(&d, NULL) ||
	    !daemon_setup(&d, &org)) {
		printf("FAIL the server could not be set up\n");
		return 1;
	}
	for (i = 0; i < CLIENTS; i++) {
		ups[i].base = (uint64_t)i << 32;
		ups[i].acked = calloc(CELLS_MAX, 1);
		ups[i].c.fd = -1;
		if (pthread_create(&ups[i].thread, NULL, uploading, &ups[i]) != 0)
			return 1;
	}
	/* its refused orders are part of the game and would drown everything else */
	if (freopen("/dev/null", "w", stderr) == NULL ||
	    pthread_create(&releaser, NULL, releasing, NULL) != 0)
		return 1;
	for (i = 0; i < kills; i++) {
		uint64_t t;

		pause_us(10000 + (long)randombytes_uniform(70000));
		t = test_now_us();
		daemon_kill(&d);
		if (!daemon_start(&d, NULL)) {
			printf("FAIL no start after kill %u\n", i + 1);
			return 1;
		}
		t = test_now_us() - t;
		if ((double)t / 1000 > longest)
			longest = (double)t / 1000;
	}
	stopping = true;
	for (i = 0; i < CLIENTS; i++)
		pthread_join(ups[i].thread, NULL);
	pthread_join(releaser, NULL);
	rc = judge(kills, longest);
	i = (unsigned)daemon_stop(&d);
	printf("%s it stops in order at the end\n", i == 0 ? "ok" : "FAIL");
	return rc != 0 || i != 0;
}
