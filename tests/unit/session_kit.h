/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * session_kit: a session over a host made here, which answers at once or keeps what it is
 * asked; and its client.
 */
#ifndef AMPARO_TEST_SESSION_KIT_H
#define AMPARO_TEST_SESSION_KIT_H

#include "session.h"

#include <malloc.h>
#include <stdlib.h>

#include "hex.h"

/* ---- a host ------------------------------------------------------------------------------ */

static struct fake {
	struct session_host host;
	uint8_t sk[32], pk[32], derived[5][32];
	bool seen, gone;         /* answers of admit, still */
	bool hold;               /* keep calls instead of answering them */
	struct session_call *held[128];
	size_t n_held;
	unsigned requests, commits, cells_out, cells_max;
	enum rpc_method last;
	uint8_t status;          /* enum store_status of every put */
	unsigned woken;
	int freed_data;
} fake;

static struct rng_seeded rng_state;

static inline size_t on_keys(void *ctx, const uint8_t (**derived)[32])
{
	*derived = (const uint8_t (*)[32])fake.derived;
	return 5;
}

static inline bool on_admit(void *ctx, size_t which, const uint8_t e[32], uint32_t *serial,
                     enum rpc_scope *scope)
{
	*serial = 77;
	*scope = (enum rpc_scope)(which + 1);
	return !fake.seen;
}

static inline bool on_still(void *ctx, uint32_t serial)
{
	assert_int_equal(serial, 77);
	return !fake.gone;
}

static inline uint8_t *on_take(void *ctx, size_t held)
{
	if (fake.cells_out == fake.cells_max)
		return NULL;
	fake.cells_out++;
	return malloc(STORE_CELL);
}

static inline void on_give(void *ctx, uint8_t *cell)
{
	fake.cells_out--;
	free(cell);
}

static inline void keep(struct session_call *call)
{
	assert_true(fake.n_held < 128);
	fake.held[fake.n_held++] = call;
}

static inline void finish(struct session_call *call)
{
	size_t i;

	if (call->method == RPC_COMMIT) {
		for (i = 0; i < call->batch->n_cells; i++)
			call->batch->cells[i].status = (enum store_status)fake.status;
		for (i = 0; i < call->batch->n_erases; i++)
			call->batch->erases[i].status = (enum store_status)fake.status;
		session_committed(call, RPC_OK);
	} else {
		struct rpc_msg m;

		memset(&m, 0, sizeof m);
		session_answer(call, &m);
	}
}

static inline void on_commit(void *ctx, struct session_call *call)
{
	fake.commits++;
	fake.last = RPC_COMMIT;
	if (fake.hold)
		keep(call);
	else
		finish(call);
}

static inline void on_request(void *ctx, struct session_call *call, const struct rpc_msg *m,
                       void **data)
{
	fake.requests++;
	fake.last = m->method;
	if (*data == NULL)
		*data = &fake.freed_data;
	if (fake.hold)
		keep(call);
	else
		finish(call);
}

static inline void on_closed(void *ctx, void *data)
{
	if (data != NULL)
		fake.freed_data++;
}

static inline void on_wake(void *user)
{
	fake.woken++;
}

static inline void fake_reset(void)
{
	int i;

	memset(&fake, 0, sizeof fake);
	for (i = 0; i < 5; i++)
		memset(fake.derived[i], 0x10 + i, 32);
	memset(fake.sk, 0x42, sizeof fake.sk);
	assert_int_equal(crypto_scalarmult_base(fake.pk, fake.sk), 0);
	fake.cells_max = 1000;
	fake.host.rng = rng_seeded(&rng_state, fake.sk);
	fake.host.server_sk = fake.sk;
	fake.host.server_pk = fake.pk;
	fake.host.puts_per_commit = 8;
	fake.host.out_max = 64u << 20;
	fake.host.keys = on_keys;
	fake.host.admit = on_admit;
	fake.host.still = on_still;
	fake.host.cell_take = on_take;
	fake.host.cell_give = on_give;
	fake.host.commit = on_commit;
	fake.host.request = on_request;
	fake.host.closed = on_closed;
}

/* ---- a client ---------------------------------------------------------------------------- */

struct pair {
	struct session *s;
	struct channel ch;
	uint8_t first[NOISE_MSG_SIZE];
	struct rpc_msg m;        /* last message from the server */
	uint8_t frame[FRAME_SIZE];
	unsigned messages;
};

static struct rng_seeded client_state;

/* everything the session has to say: opened one by one; returns how many bytes there were */
static inline size_t drain(struct pair *p, enum rpc_method asked)
{
	struct session_out *o = session_take(p->s), *next;
	size_t total = 0;

	for (; o != NULL; o = next) {
		size_t at = 0;

		next = o->next;
		while (at < o->len) {
			size_t used, len;
			const uint8_t *msg;
			enum rpc_type type;
			uint32_t id;

			if (channel_recv(&p->ch, o->bytes + at, o->len - at, &used, &msg, &len) !=
			    PERR_OK)
				fail_msg("the client cannot open what the server sent");
			at += used;
			if (msg == NULL)
				continue;        /* the handshake */
			p->messages++;
			assert_int_equal(rpc_peek(&type, &id, msg, len), PERR_OK);
			if (type == RPC_NOTIFY)
				assert_int_equal(rpc_decode_notify(&p->m, msg, len), PERR_OK);
			else
				assert_int_equal(rpc_decode_response(&p->m, asked, msg, len), PERR_OK);
		}
		total += o->len;
		free(o);
	}
	session_written(p->s, total);
	return total;
}

static inline size_t discard(struct pair *p)
{
	struct session_out *o = session_take(p->s), *next;
	size_t total = 0;

	for (; o != NULL; o = next) {
		next = o->next;
		total += o->len;
		free(o);
	}
	session_written(p->s, total);
	return total;
}

static inline void pair_new(struct pair *p, enum rpc_scope scope)
{
	memset(p, 0, sizeof *p);
	assert_int_equal(session_new(&p->s, &fake.host, on_wake, p), PERR_OK);
	assert_int_equal(channel_connect(&p->ch, p->first, fake.pk, fake.derived[scope - 1],
	                                 rng_seeded(&client_state, fake.pk)), PERR_OK);
}

static inline void pair_open(struct pair *p, enum rpc_scope scope)
{
	pair_new(p, scope);
	assert_int_equal(session_recv(p->s, p->first, sizeof p->first, 1), sizeof p->first);
	assert_int_equal(session_state(p->s), SESSION_OPEN);
	assert_int_equal(drain(p, RPC_HELLO), NOISE_MSG_SIZE);
	assert_int_equal(p->ch.state, CHANNEL_OPEN);
}

static inline void pair_close(struct pair *p)
{
	size_t i;

	session_free(p->s);
	for (i = 0; i < fake.n_held; i++)
		session_drop(fake.held[i]);      /* answers to nobody */
	fake.n_held = 0;
	channel_kill(&p->ch);
	assert_int_equal(fake.cells_out, 0);
	assert_int_equal(fake.host.out_now, 0);
}

static uint8_t cell[CELL_SIZE], some[FRAME_MSG_MAX];

/* what the table admits as this method's params */
static inline void params(struct rpc_msg *m, enum rpc_method method)
{
	memset(m, 0, sizeof *m);
	m->method = method;
	m->type = method == RPC_PUT || method == RPC_ERASE || method == RPC_CELL ||
	          method == RPC_BYE ? RPC_NOTIFY : RPC_REQUEST;
	m->msgid = m->type == RPC_REQUEST ? 500 : 0;
	m->cell = cell;
	m->ticket = some;
	m->n = 1;
	m->total = 10;
	m->bytes = some;
	m->bytes_len = method == RPC_ERASE ? 64 : method == RPC_FETCH ? 4 : 10;
}

static inline size_t send_raw(struct pair *p, const uint8_t *msg, size_t len)
{
	assert_int_equal(channel_send(&p->ch, p->frame, msg, len), PERR_OK);
	return session_recv(p->s, p->frame, FRAME_SIZE, 1);
}

static inline size_t send_msg(struct pair *p, const struct rpc_msg *m)
{
	uint8_t buf[FRAME_MSG_MAX];
	size_t len;

	assert_int_equal(rpc_encode(buf, &len, m), PERR_OK);
	return send_raw(p, buf, len);
}

static inline size_t send_method(struct pair *p, enum rpc_method method)
{
	struct rpc_msg m;

	params(&m, method);
	return send_msg(p, &m);
}

/* before the tests of a program; false: no libsodium */
static inline bool session_begin(void)
{
	size_t i;

	if (sodium_init() < 0)
		return false;
	for (i = 0; i < sizeof cell; i++)
		cell[i] = (uint8_t)(i * 7 + 3);
	cell[31] &= 0x7f;
	memset(some, 0xc1, sizeof some);         /* 0xc1 is nothing in MessagePack */
	return true;
}

#endif
