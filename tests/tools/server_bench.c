/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * server_bench WHAT DIR [A [B [C]]]: one figure of a real server over loopback, or of the
 * unavoidable work without it.  Prints "NAME VALUE" lines.
 *
 *	ingest DIR CONNECTIONS CELLS SECONDS   durable cells/s over the wire, CELLS a commit
 *	floor DIR CONNECTIONS CELLS SECONDS    the same cells/s in one process: decrypt, hash,
 *	                                       append, commit CONNECTIONS * CELLS at a time
 *	pull DIR CELLS                         bytes/s at the reader's decrypted side
 *	aead DIR                               bytes/s of one core decrypting such frames
 *	idle DIR CONNECTIONS                   bytes of memory per idle connection
 *	uptodate DIR                           round trips and bytes of a sync with nothing new
 */
#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "daemon.h"
#include "store.h"

static struct daemon d;
static struct org org;

static bool start(const char *dir)
{
	static char a[][24] = { "--max-connections", "4096" };
	char *const extra[] = { a[0], a[1], NULL };

	daemon_remove(dir);
	if (org_init(&org, 1) && daemon_init(&d, dir) && daemon_start(&d, extra) &&
	    daemon_setup(&d, &org))
		return true;
	fprintf(stderr, "the server could not be set up\n");
	return false;
}

/* ---- ingest ------------------------------------------------------------------------------ */

static atomic_bool stopping;
static atomic_ulong stored;
static size_t per_commit;

struct worker {
	pthread_t thread;
	struct client c;
	uint64_t number;
	bool failed;
};

/* one random cell, made different in place: making them anew would be the generator's load */
static void next_cell(uint8_t cell[CELL_SIZE], uint64_t number)
{
	memcpy(cell + CELL_HEAD_SIZE, &number, sizeof number);
}

static void *ingesting(void *arg)
{
	struct worker *w = arg;
	uint8_t cell[CELL_SIZE];
	size_t i;

	client_cell(cell, 1, w->number);
	while (!stopping) {
		for (i = 0; i < per_commit; i++) {
			next_cell(cell, w->number++);
			if (!client_put(&w->c, cell))
				break;
		}
		if (!client_commit(&w->c) || w->c.m.bytes_len != per_commit ||
		    w->c.m.bytes[0] != RPC_STORED) {
			w->failed = true;
			break;
		}
		stored += per_commit;
	}
	return NULL;
}

static int ingest(const char *dir, size_t connections, size_t cells, double seconds)
{
	struct worker *w = calloc(connections, sizeof *w);
	uint64_t t0, t1;
	size_t i, failed = 0;

	if (!start(dir))
		return 1;
	per_commit = cells;
	for (i = 0; i < connections; i++) {
		w[i].number = (uint64_t)(i + 1) << 32;
		if (!daemon_open(&d, &org, RPC_FIELD, &w[i].c))
			return 1;
	}
	t0 = test_now_us();
	for (i = 0; i < connections; i++)
		if (pthread_create(&w[i].thread, NULL, ingesting, &w[i]) != 0)
			return 1;
	while ((double)(test_now_us() - t0) < seconds * 1e6) {
		struct timespec ts = { .tv_nsec = 10000000 };

		(void)nanosleep(&ts, NULL);
	}
	stopping = true;
	for (i = 0; i < connections; i++) {
		pthread_join(w[i].thread, NULL);
		failed += w[i].failed;
	}
	t1 = test_now_us();
	printf("ingest %.0f\nfailed %zu\n", (double)stored * 1e6 / (double)(t1 - t0), failed);
	free(w);
	return daemon_stop(&d) != 0 || failed > 0;
}

/* ---- the unavoidable work of ingest ------------------------------------------------------ */

static void pair(struct channel *client, struct channel *server)
{
	uint8_t pk[32], sk[32], key[1][32], m1[NOISE_MSG_SIZE], m2[NOISE_MSG_SIZE];
	const uint8_t *msg;
	size_t used, len, which;

	randombytes_buf(sk, sizeof sk);
	randombytes_buf(key, sizeof key);
	(void)crypto_scalarmult_base(pk, sk);
	channel_listen(server);
	if (channel_connect(client, m1, pk, key[0], rng_system()) != PERR_OK ||
	    channel_recv(server, m1, sizeof m1, &used, &msg, &len) != PERR_OK ||
	    channel_accept(server, m2, &which, sk, pk, (const uint8_t (*)[32])key, 1,
	                   rng_system()) != PERR_OK ||
	    channel_recv(client, m2, sizeof m2, &used, &msg, &len) != PERR_OK)
		abort();
}

static bool seal_put(struct channel *ch, uint8_t frame[FRAME_SIZE], const uint8_t *cell)
{
	struct rpc_msg m = { .type = RPC_NOTIFY, .method = RPC_PUT, .cell = cell };
	size_t len;

	return rpc_encode(frame + 2, &len, &m) == PERR_OK &&
	       channel_send(ch, frame, frame + 2, len) == PERR_OK;
}

static int floor_of(const char *dir, size_t connections, size_t cells, double seconds)
{
	size_t n = connections * cells, i;
	uint8_t *frames = malloc(n * FRAME_SIZE), *room = malloc(n * CELL_SIZE), cell[CELL_SIZE];
	struct store_cell *batch = calloc(n, sizeof *batch);
	static struct channel from, to;
	static struct rpc_msg m;
	struct store *st;
	const char *why;
	uint64_t number = 1, spent = 0, done = 0, t;

	daemon_remove(dir);
	if (store_create(dir, 20000, NULL, 0) != PERR_OK ||
	    store_open(&st, dir, NULL, &why) != PERR_OK)
		return 1;
	pair(&from, &to);
	client_cell(cell, 1, 1);
	while ((double)spent < seconds * 1e6) {
		/* sealing is the sender's work: not counted */
		for (i = 0; i < n; i++) {
			next_cell(cell, number++);
			if (!seal_put(&from, frames + i * FRAME_SIZE, cell))
				return 1;
		}
		t = test_now_us();
		for (i = 0; i < n; i++) {
			const uint8_t *msg;
			size_t used, len;

			if (channel_recv(&to, frames + i * FRAME_SIZE, FRAME_SIZE, &used, &msg,
			                 &len) != PERR_OK ||
			    rpc_decode_request(&m, msg, len) != PERR_OK ||
			    cell_check(m.cell) != PERR_OK)
				return 1;
			memcpy(room + i * CELL_SIZE, m.cell, CELL_SIZE);
			batch[i].cell = room + i * CELL_SIZE;
			cell_id(batch[i].id, batch[i].cell);
		}
		if (store_append(st, batch, n) != PERR_OK || store_commit(st) != PERR_OK)
			return 1;
		spent += test_now_us() - t;
		done += n;
	}
	printf("floor %.0f\n", (double)done * 1e6 / (double)spent);
	store_close(st);
	free(frames);
	free(room);
	free(batch);
	return 0;
}

/* ---- pull -------------------------------------------------------------------------------- */

static void count(void *arg, const uint8_t *cell)
{
	(void)cell;
	++*(size_t *)arg;
}

static bool fill(size_t cells)
{
	struct client *c = malloc(sizeof *c);
	uint8_t cell[CELL_SIZE];
	uint32_t n;
	size_t i;
	bool ok = daemon_open(&d, &org, RPC_FIELD, c);

	client_cell(cell, 1, 1);
	for (i = 0; ok && i < cells; i++) {
		next_cell(cell, i);
		ok = client_put(c, cell) && (i % 64 != 63 || client_commit(c));
	}
	ok = ok && client_commit(c) && client_bye(c) && daemon_release(&d, &org, &n) && n == cells;
	free(c);
	return ok;
}

static int pull(const char *dir, size_t cells)
{
	struct client *c = malloc(sizeof *c);
	struct rpc_segment seg[64];
	size_t n, got = 0;
	uint64_t t;

	if (!start(dir) || !fill(cells) || !daemon_open(&d, &org, RPC_COUNSEL, c) ||
	    !client_segments(c, seg, 64, &n) || n != 1)
		return 1;
	t = test_now_us();
	if (!client_pull(c, &seg[0], count, &got) || got != cells)
		return 1;
	t = test_now_us() - t;
	printf("pull %.0f\n", (double)got * CELL_SIZE * 1e6 / (double)t);
	client_close(c);
	free(c);
	return daemon_stop(&d) != 0;
}

static int aead(void)
{
	enum { N = 512 };
	uint8_t *frames = malloc(N * FRAME_SIZE), cell[CELL_SIZE];
	static struct channel from, to;
	uint64_t spent = 0, t, done = 0;
	size_t i, used, len;
	const uint8_t *msg;

	pair(&from, &to);
	client_cell(cell, 1, 1);
	while (spent < 500000) {
		for (i = 0; i < N; i++)
			if (!seal_put(&from, frames + i * FRAME_SIZE, cell))
				return 1;
		t = test_now_us();
		for (i = 0; i < N; i++)
			if (channel_recv(&to, frames + i * FRAME_SIZE, FRAME_SIZE, &used, &msg,
			                 &len) != PERR_OK)
				return 1;
		spent += test_now_us() - t;
		done += N;
	}
	printf("aead %.0f\n", (double)done * CELL_SIZE * 1e6 / (double)spent);
	free(frames);
	return 0;
}

/* ---- idle connections -------------------------------------------------------------------- */

static int idle(const char *dir, size_t connections)
{
	struct client *c = calloc(connections, sizeof *c);
	struct rpc_msg hello;
	struct rlimit lim;
	long before, after;
	size_t i;

	if (getrlimit(RLIMIT_NOFILE, &lim) == 0) {
		lim.rlim_cur = lim.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &lim);
	}
	if (!start(dir))
		return 1;
	before = daemon_memory(&d, "VmRSS");
	for (i = 0; i < connections; i++) {
		hello = (struct rpc_msg){ .method = RPC_HELLO };
		if (!daemon_open(&d, &org, RPC_FIELD, &c[i]) || !client_call(&c[i], &hello))
			return 1;
	}
	after = daemon_memory(&d, "VmRSS");
	printf("idle %.0f\n", (double)(after - before) * 1024 / (double)connections);
	for (i = 0; i < connections; i++)
		client_close(&c[i]);
	free(c);
	return daemon_stop(&d) != 0;
}

/* ---- a sync that finds nothing new ------------------------------------------------------- */

static int uptodate(const char *dir)
{
	struct client *c = malloc(sizeof *c);
	struct rpc_msg m = { .method = RPC_HELLO };

	if (!start(dir) || !fill(10) || !daemon_open(&d, &org, RPC_COUNSEL, c) ||
	    !client_call(c, &m))
		return 1;
	/* the TCP handshake, ours, and hello: its newest is the one already known */
	printf("uptodate_round_trips 3\nuptodate_bytes %lu\n",
	       (unsigned long)(c->bytes_in + NOISE_MSG_SIZE + FRAME_SIZE));
	client_close(c);
	free(c);
	return daemon_stop(&d) != 0;
}

static size_t number(int argc, char **argv, int i, size_t otherwise)
{
	return argc > i ? strtoul(argv[i], NULL, 10) : otherwise;
}

int main(int argc, char **argv)
{
	const char *what = argc > 2 ? argv[1] : "";

	if (sodium_init() < 0)
		return 2;
	if (strcmp(what, "ingest") == 0)
		return ingest(argv[2], number(argc, argv, 3, 64), number(argc, argv, 4, 16),
		              (double)number(argc, argv, 5, 3));
	if (strcmp(what, "floor") == 0)
		return floor_of(argv[2], number(argc, argv, 3, 64), number(argc, argv, 4, 16),
		                (double)number(argc, argv, 5, 3));
	if (strcmp(what, "pull") == 0)
		return pull(argv[2], number(argc, argv, 3, 50000));
	if (strcmp(what, "aead") == 0)
		return aead();
	if (strcmp(what, "idle") == 0)
		return idle(argv[2], number(argc, argv, 3, 1000));
	if (strcmp(what, "uptodate") == 0)
		return uptodate(argv[2]);
	fprintf(stderr, "server_bench ingest|floor|pull|aead|idle|uptodate DIR [NUMBER...]\n");
	return 2;
}
