/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "bare.h"

#include <fcntl.h>
#include <lmdb.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "load.h"

struct bare {
	MDB_env *env;
	MDB_dbi dbi;
	uint64_t next;
};

static void put64(uint8_t *p, uint64_t v)
{
	int i;

	for (i = 7; i >= 0; i--, v >>= 8)
		p[i] = (uint8_t)v;
}

static void must(int rc, const char *what)
{
	if (rc != 0)
		bench_broke("%s: %s", what, mdb_strerror(rc));
}

static void bare_open(struct bare *b, const char *path, size_t bytes)
{
	static const uint8_t zeros[1 << 20];
	MDB_txn *txn;
	size_t at;
	int fd;

	memset(b, 0, sizeof *b);
	(void)unlink(path);
	must(mdb_env_create(&b->env), "mdb_env_create");
	must(mdb_env_set_mapsize(b->env, (size_t)4 << 30), "mdb_env_set_mapsize");
	must(mdb_env_open(b->env, path, MDB_NOSUBDIR | MDB_NOLOCK | MDB_NOTLS | MDB_NORDAHEAD,
	                  0600), path);
	must(mdb_txn_begin(b->env, NULL, 0, &txn), "mdb_txn_begin");
	must(mdb_dbi_open(txn, NULL, 0, &b->dbi), "mdb_dbi_open");
	must(mdb_txn_commit(txn), "mdb_txn_commit");
	must(mdb_env_get_fd(b->env, &fd), "mdb_env_get_fd");
	for (at = 3 * 4096; at < bytes; at += sizeof zeros)
		if (pwrite(fd, zeros, sizeof zeros, (off_t)at) != sizeof zeros)
			bench_broke("%s cannot be written", path);
	if (fsync(fd) != 0)
		bench_broke("%s cannot be synced", path);
}

/* the client's and the server's end of one connection in memory */
static void join(struct channel *client, struct channel *server)
{
	uint8_t pk[32], sk[32], derived[1][32], one[NOISE_MSG_SIZE], two[NOISE_MSG_SIZE];
	const uint8_t *msg;
	size_t used, len, which;

	(void)crypto_box_keypair(pk, sk);
	randombytes_buf(derived, sizeof derived);
	channel_listen(server);
	if (channel_connect(client, one, pk, derived[0], rng_system()) != PERR_OK ||
	    channel_recv(server, one, sizeof one, &used, &msg, &len) != PERR_OK ||
	    channel_accept(server, two, &which, sk, pk, (const uint8_t (*)[32])derived, 1,
	                   rng_system()) != PERR_OK ||
	    channel_recv(client, two, sizeof two, &used, &msg, &len) != PERR_OK)
		bench_broke("a handshake in memory failed");
}

static void seal_frames(struct channel *client, uint8_t *frames, size_t n)
{
	struct rpc_msg m = { .type = RPC_NOTIFY, .method = RPC_PUT };
	uint8_t cell[CELL_SIZE];
	size_t i, len;

	m.cell = cell;
	for (i = 0; i < n; i++) {
		uint8_t *frame = frames + i * FRAME_SIZE;

		load_cell(cell);
		if (rpc_encode(frame + 2, &len, &m) != PERR_OK ||
		    channel_send(client, frame, frame + 2, len) != PERR_OK)
			bench_broke("a frame cannot be sealed");
	}
}

/* where the cell lies in a put's message: the last bytes of it */
static void open_frame(struct channel *server, const uint8_t *frame, uint8_t id[32],
                       uint8_t cell[CELL_SIZE])
{
	const uint8_t *msg;
	size_t used, len;

	if (channel_recv(server, frame, FRAME_SIZE, &used, &msg, &len) != PERR_OK ||
	    len < CELL_SIZE)
		bench_broke("a frame cannot be opened");
	memcpy(cell, msg + len - CELL_SIZE, CELL_SIZE);
	cell_id(id, cell);
}

static void commit(struct bare *b, const uint8_t *cells, const uint8_t (*ids)[32], size_t n)
{
	MDB_txn *txn;
	size_t i;

	must(mdb_txn_begin(b->env, NULL, 0, &txn), "mdb_txn_begin");
	for (i = 0; i < n; i++) {
		uint8_t k[40];
		MDB_val key = { sizeof k, k };
		MDB_val val = { CELL_SIZE, (void *)(uintptr_t)(cells + i * CELL_SIZE) };

		put64(k, ++b->next);
		memcpy(k + 8, ids[i], 32);
		must(mdb_put(txn, b->dbi, &key, &val, MDB_APPEND), "mdb_put");
	}
	must(mdb_txn_commit(txn), "mdb_txn_commit");
}

double bare_run(enum bare_how how, unsigned batches, unsigned cells)
{
	struct bare b;
	struct channel *ch = calloc(2, sizeof *ch);
	uint8_t *frames = malloc((size_t)batches * cells * FRAME_SIZE);
	uint8_t *plain = malloc((size_t)cells * CELL_SIZE);
	uint8_t (*ids)[32] = malloc((size_t)cells * sizeof *ids);
	const char *path = bench_path("bare.mdb");
	double t;
	unsigned i, k;

	if (ch == NULL || frames == NULL || plain == NULL || ids == NULL)
		bench_broke("out of memory");
	join(&ch[0], &ch[1]);
	seal_frames(&ch[0], frames, (size_t)batches * cells);
	for (k = 0; k < cells; k++) {
		load_cell(plain + (size_t)k * CELL_SIZE);
		cell_id(ids[k], plain + (size_t)k * CELL_SIZE);
	}
	bare_open(&b, path, (size_t)batches * cells * 4096 * 51 / 50 + (1 << 20));
	t = bench_now();
	for (i = 0; i < batches; i++) {
		for (k = 0; how == BARE_WORK && k < cells; k++)
			open_frame(&ch[1], frames + ((size_t)i * cells + k) * FRAME_SIZE,
			           ids[k], plain + (size_t)k * CELL_SIZE);
		commit(&b, plain, (const uint8_t (*)[32])ids, cells);
	}
	t = bench_now() - t;
	mdb_env_close(b.env);
	(void)unlink(path);
	free(ids);
	free(plain);
	free(frames);
	free(ch);
	return t;
}
