/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * host_kit: the server without its sockets: sessions, host, writer and a real store in a
 * temporary folder; a clock made here; what is offloaded runs at once.  And a client of it.
 */
#ifndef AMPARO_TEST_HOST_KIT_H
#define AMPARO_TEST_HOST_KIT_H

#include "host.h"

#include <ftw.h>
#include <lmdb.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

#include "org.h"

#define DAY0 20000

static struct world {
	char dir[64];
	struct host *h;
	struct host_env env;
	int64_t unix_s;
	uint64_t now_ms;
	struct org org;
	uint8_t pk[32], setup[32];
	char logged[4096];
	sem_t notified;
} w;

static inline int64_t env_unix_s(void *ctx)
{
	return w.unix_s;
}

static inline uint64_t env_now_ms(void *ctx)
{
	return w.now_ms;
}

static inline enum perr env_offload(void *ctx, struct host_work *work)
{
	work->run(work);
	work->done(work);
	return PERR_OK;
}

static inline void env_hurry(void *ctx)
{
}

static inline void env_notify(void *ctx)
{
	sem_post(&w.notified);
}

/* until the writer has something, then take it */
static inline void collect(void)
{
	struct timespec until;

	(void)clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 20;
	assert_int_equal(sem_timedwait(&w.notified, &until), 0);
	host_collect(w.h);
}

static inline void env_log(void *ctx, const char *line)
{
	strncat(w.logged, line, sizeof w.logged - strlen(w.logged) - 2);
	strcat(w.logged, "\n");
}

static inline int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	return remove(path);
}

static inline void open_host(void)
{
	struct host_config cfg = { .cells_max = 0 };
	const char *why;

	assert_int_equal(host_open(&w.h, w.dir, &cfg, &w.env, &why), PERR_OK);
}

static inline void world_new(void)
{
	memset(&w, 0, sizeof w);
	(void)sem_init(&w.notified, 0, 0);
	strcpy(w.dir, "/tmp/amparo-host-XXXXXX");
	assert_non_null(mkdtemp(w.dir));
	w.unix_s = (int64_t)DAY0 * 86400 + 1000;
	w.now_ms = 1000000;
	w.env.unix_s = env_unix_s;
	w.env.now_ms = env_now_ms;
	w.env.offload = env_offload;
	w.env.hurry = env_hurry;
	w.env.notify = env_notify;
	w.env.log = env_log;
	w.env.rng = rng_system();
	org_init(&w.org, 1);
	assert_int_equal(host_create(w.dir, w.unix_s, rng_system(), w.pk, w.setup), PERR_OK);
	open_host();
}

static inline void world_free(void)
{
	host_close(w.h);
	org_free(&w.org);
	(void)nftw(w.dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* ---- a client ---------------------------------------------------------------------------- */

struct peer {
	struct session *s;
	struct channel ch;
	struct rpc_msg m;                /* the last answer */
	uint8_t kept[FRAME_SIZE];        /* what m borrows from */
	uint8_t cells[64][CELL_SIZE];    /* of a pull */
	uint32_t n_cells, next_id;
	bool bye;
};

static inline void on_wake(void *user)
{
}

/* swallow the session's output; true: an answer (or bye) is in p->m */
static inline bool listen(struct peer *p, enum rpc_method asked)
{
	struct session_out *o = session_take(p->s), *next;
	bool answered = false;
	size_t total = 0;

	for (; o != NULL; o = next) {
		size_t at = 0;

		next = o->next;
		while (at < o->len) {
			const uint8_t *msg;
			size_t used, len;
			enum rpc_type type;
			uint32_t id;

			assert_int_equal(channel_recv(&p->ch, o->bytes + at, o->len - at, &used,
			                              &msg, &len), PERR_OK);
			at += used;
			if (msg == NULL)
				continue;
			memcpy(p->kept, msg, len);
			assert_int_equal(rpc_peek(&type, &id, p->kept, len), PERR_OK);
			if (type == RPC_RESPONSE) {
				assert_int_equal(rpc_decode_response(&p->m, asked, p->kept, len),
				                 PERR_OK);
				answered = true;
				continue;
			}
			assert_int_equal(rpc_decode_notify(&p->m, p->kept, len), PERR_OK);
			if (p->m.method == RPC_BYE)
				p->bye = answered = true;
			else
				memcpy(p->cells[p->n_cells++], p->m.cell, CELL_SIZE);
		}
		total += o->len;
		free(o);
	}
	session_written(p->s, total);
	return answered;
}

/* false: silence */
static inline bool peer_new(struct peer *p, const uint8_t access[32])
{
	uint8_t first[NOISE_MSG_SIZE], derived[32];

	memset(p, 0, sizeof *p);
	channel_access(derived, access, w.pk);
	assert_int_equal(session_new(&p->s, host_sessions(w.h), on_wake, p), PERR_OK);
	assert_int_equal(channel_connect(&p->ch, first, w.pk, derived, rng_system()), PERR_OK);
	(void)session_recv(p->s, first, sizeof first, w.now_ms);
	(void)listen(p, RPC_HELLO);
	return session_state(p->s) == SESSION_OPEN;
}

static inline void peer_open(struct peer *p, enum rpc_scope scope)
{
	assert_true(peer_new(p, w.org.access[scope]));
}

static inline void peer_close(struct peer *p)
{
	session_free(p->s);
	channel_kill(&p->ch);
}

static inline void tell(struct peer *p, const struct rpc_msg *m)
{
	uint8_t frame[FRAME_SIZE];
	size_t len;

	assert_int_equal(rpc_encode(frame + 2, &len, m), PERR_OK);
	assert_int_equal(channel_send(&p->ch, frame, frame + 2, len), PERR_OK);
	assert_int_equal(session_recv(p->s, frame, sizeof frame, w.now_ms), sizeof frame);
}

/* RPC_OK or the error; the answer is in p->m */
static inline enum rpc_error ask(struct peer *p, struct rpc_msg *m)
{
	unsigned tries;

	m->type = RPC_REQUEST;
	m->msgid = ++p->next_id;
	p->n_cells = 0;
	tell(p, m);
	for (tries = 0; !listen(p, m->method); tries++) {
		assert_true(tries < 100);
		collect();
	}
	return p->m.error;
}

static inline enum rpc_error simple(struct peer *p, enum rpc_method method)
{
	struct rpc_msg m = { .method = method };

	return ask(p, &m);
}

static inline enum rpc_error upload(struct peer *p, const uint8_t *hash, const uint8_t *bytes,
                             size_t len)
{
	struct rpc_msg m = { .method = hash != NULL ? RPC_BULLETIN_PART : RPC_POLICY_PUT };
	size_t at = 0;
	enum rpc_error err = RPC_OK;

	m.total = (uint32_t)len;
	if (hash != NULL)
		memcpy(m.hash, hash, 32);
	while (at < len && err == RPC_OK) {
		m.offset = (uint32_t)at;
		m.bytes = bytes + at;
		m.bytes_len = len - at < RPC_PART_PUT ? len - at : RPC_PART_PUT;
		err = ask(p, &m);
		if (err == RPC_OK)
			at = p->m.total;
	}
	return err;
}

static inline enum rpc_error put_policy(const uint8_t access[32], uint32_t counter, unsigned scopes,
                                 unsigned tickets, unsigned signers)
{
	struct peer p;
	uint8_t *bytes;
	size_t len;
	enum rpc_error err;

	assert_true(peer_new(&p, access));
	org_policy(&w.org, w.pk, counter, scopes, tickets, signers, &bytes, &len);
	err = upload(&p, NULL, bytes, len);
	doc_free(bytes, len);
	peer_close(&p);
	return err;
}

static inline void world_with_policy(void)
{
	world_new();
	assert_int_equal(put_policy(w.setup, 1, 0x1e, 2, 2), RPC_OK);
}

static inline enum rpc_error order(enum rpc_method method, enum policy_order_kind kind, uint32_t counter,
                            const uint8_t *id, unsigned signers, uint32_t *n)
{
	struct peer p;
	struct rpc_msg m = { .method = method };
	uint8_t *bytes;
	enum rpc_error err;

	peer_open(&p, RPC_STEWARD);
	org_order(&w.org, w.pk, counter, kind, DAY0, id, signers, &bytes, &m.bytes_len);
	m.bytes = bytes;
	err = ask(&p, &m);
	if (n != NULL)
		*n = p.m.n;
	free(bytes);
	peer_close(&p);
	return err;
}

static inline void make_cell(uint8_t cell[CELL_SIZE], uint8_t ds[32], uint32_t number)
{
	uint8_t seed[32] = { 0 };

	memcpy(seed, &number, sizeof number);
	randombytes_buf_deterministic(cell, CELL_SIZE, seed);
	cell[31] &= 0x7f;
	memset(ds, (int)number + 1, 32);
	cell_tag(cell + CELL_TAG_AT, ds);
}

static inline uint8_t commit_one(struct peer *p, uint32_t number)
{
	uint8_t cell[CELL_SIZE], ds[32];
	struct rpc_msg m = { .type = RPC_NOTIFY, .method = RPC_PUT, .cell = cell };

	make_cell(cell, ds, number);
	tell(p, &m);
	assert_int_equal(simple(p, RPC_COMMIT), RPC_OK);
	assert_int_equal(p->m.bytes_len, 1);
	return p->m.bytes[0];
}

#endif
