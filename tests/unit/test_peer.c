/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "channel.h"
#include "peer.h"
#include "rpc.h"

/* ---- the other side, as little as is needed -------------------------------------------------- */

#define WIRE_MAX (4u << 20)

struct fake {
	struct channel ch;
	uint8_t sk[32], pk[32], access[32], derived[1][32];
	uint8_t *out;
	size_t out_len;
	struct rpc_msg seen[256];        /* requests and notifications, fields without pointers */
	size_t n_seen;
	bool lies_with_cells;            /* one cell more than was asked */
	bool is_mute;                    /* reads, and answers nothing */
	enum rpc_error refuse;
};

static struct rng rng;

static void fake_begin(struct fake *f)
{
	memset(f, 0, sizeof *f);
	f->out = malloc(WIRE_MAX);
	rng_fill(rng, f->sk, 32);
	crypto_scalarmult_base(f->pk, f->sk);
	rng_fill(rng, f->access, 32);
	channel_access(f->derived[0], f->access, f->pk);
	channel_listen(&f->ch);
}

static void fake_end(struct fake *f)
{
	channel_kill(&f->ch);
	free(f->out);
}

static void fake_send(struct fake *f, const struct rpc_msg *m)
{
	uint8_t buf[FRAME_MSG_MAX];
	size_t len;

	assert_int_equal(rpc_encode(buf, &len, m), PERR_OK);
	assert_true(f->out_len + FRAME_SIZE <= WIRE_MAX);
	assert_int_equal(channel_send(&f->ch, f->out + f->out_len, buf, len), PERR_OK);
	f->out_len += FRAME_SIZE;
}

static void fake_cells(struct fake *f, uint32_t msgid, uint32_t n)
{
	uint8_t cell[CELL_SIZE];
	uint32_t i;

	for (i = 0; i < n; i++) {
		struct rpc_msg m = { .type = RPC_NOTIFY, .method = RPC_CELL, .msgid = msgid };

		memset(cell, (int)(i + 1), sizeof cell);
		m.cell = cell;
		fake_send(f, &m);
	}
}

static void fake_message(struct fake *f, const uint8_t *in, size_t len)
{
	struct rpc_msg q, a = { .type = RPC_RESPONSE };
	static const uint8_t statuses[64];

	assert_int_equal(rpc_decode_request(&q, in, len), PERR_OK);
	if (f->n_seen < 256)
		f->seen[f->n_seen++] = q;
	if (f->is_mute || q.type == RPC_NOTIFY)
		return;
	a.msgid = q.msgid;
	a.method = q.method;
	a.error = f->refuse;
	if (q.method == RPC_HELLO) {
		a.hello.day = 20000;
	} else if (q.method == RPC_PULL) {
		fake_cells(f, q.msgid, q.n + (f->lies_with_cells ? 1 : 0));
		a.n = q.n;
	} else if (q.method == RPC_COMMIT) {
		a.bytes = statuses;
		a.bytes_len = 1;
	}
	fake_send(f, &a);
}

static void fake_recv(struct fake *f, const uint8_t *in, size_t in_len)
{
	for (;;) {
		const uint8_t *msg;
		size_t used, len, which;
		enum channel_state before = f->ch.state;
		enum perr err = channel_recv(&f->ch, in, in_len, &used, &msg, &len);

		in += used;
		in_len -= used;
		if (err == PERR_MORE)
			return;
		if (err != PERR_OK)
			return;
		if (before == CHANNEL_AWAIT_1) {
			assert_int_equal(channel_accept(&f->ch, f->out + f->out_len, &which, f->sk,
			                 f->pk, (const uint8_t (*)[32])f->derived, 1, rng), PERR_OK);
			f->out_len += NOISE_MSG_SIZE;
		} else {
			fake_message(f, msg, len);
		}
	}
}

/* move bytes until both sides are quiet; at most `limit` of the server's bytes arrive */
static size_t shuttle(struct peer *p, struct fake *f, size_t limit)
{
	size_t moved = 0;

	for (;;) {
		const uint8_t *out;
		size_t n = peer_pending(p, &out);

		if (n > 0) {
			size_t some = n > 1000 ? 1000 : n;

			fake_recv(f, out, some);
			peer_sent(p, some);
			continue;
		}
		n = f->out_len < limit - moved ? f->out_len : limit - moved;
		if (n > 777)
			n = 777;
		if (n == 0)
			return moved;
		(void)!peer_recv(p, f->out, n);
		moved += n;
		memmove(f->out, f->out + n, f->out_len - n);
		f->out_len -= n;
	}
}

/* ---- what came back --------------------------------------------------------------------------- */

struct got {
	unsigned calls, cells;
	enum perr err;
	enum rpc_error refused;
	uint32_t n;
	bool in_order;
};

static void on_answer(void *ud, enum perr err, const struct rpc_msg *m)
{
	struct got *g = ud;

	g->calls++;
	g->err = err;
	if (err == PERR_OK || err == PERR_REFUSED) {
		assert_non_null(m);
		g->n = m->n;
		g->refused = m->error;
	} else {
		assert_null(m);
	}
}

static void on_cell(void *ud, const uint8_t cell[CELL_SIZE])
{
	struct got *g = ud;

	g->in_order = (g->cells == 0 || g->in_order) && cell[0] == (uint8_t)(g->cells + 1);
	g->cells++;
}

static struct peer *peer_to(struct fake *f)
{
	struct peer *p;

	assert_int_equal(peer_new(&p, f->pk, f->access, rng), PERR_OK);
	return p;
}

static void ask(struct peer *p, enum rpc_method method, struct got *g)
{
	struct rpc_msg m = { .method = method };

	m.n = method == RPC_PULL ? 5 : 0;
	assert_int_equal(peer_call_cells(p, &m, method == RPC_PULL ? on_cell : NULL,
	                                 on_answer, g), PERR_OK);
}

/* ---- claims ----------------------------------------------------------------------------------- */

static void an_answer_reaches_its_callback(void **state)
{
	struct fake f;
	struct got hello = { 0 }, pull = { 0 };
	struct peer *p;

	fake_begin(&f);
	p = peer_to(&f);
	ask(p, RPC_HELLO, &hello);               /* before the channel is open */
	ask(p, RPC_PULL, &pull);
	shuttle(p, &f, WIRE_MAX);
	assert_int_equal(peer_state(p), PEER_OPEN);
	assert_int_equal(hello.calls, 1);
	assert_int_equal(hello.err, PERR_OK);
	assert_int_equal(pull.calls, 1);
	assert_int_equal(pull.cells, 5);
	assert_true(pull.in_order);
	assert_int_equal(pull.n, 5);
	assert_int_equal(peer_round_trips(p), 2);
	peer_bye(p);
	shuttle(p, &f, WIRE_MAX);
	assert_int_equal(peer_state(p), PEER_ENDED);
	assert_true(peer_done(p));
	assert_int_equal(f.seen[f.n_seen - 1].method, RPC_BYE);
	peer_free(p);
	fake_end(&f);
}

static void a_refusal_is_told_with_its_reason(void **state)
{
	struct fake f;
	struct got g = { 0 };
	struct peer *p;

	fake_begin(&f);
	f.refuse = RPC_LATER;
	p = peer_to(&f);
	ask(p, RPC_HELLO, &g);
	shuttle(p, &f, WIRE_MAX);
	assert_int_equal(g.err, PERR_REFUSED);
	assert_int_equal(g.refused, RPC_LATER);
	assert_int_equal(peer_state(p), PEER_OPEN);
	peer_free(p);
	fake_end(&f);
}

static void at_most_32_requests_are_under_way(void **state)
{
	struct fake f;
	struct got g[100];
	struct peer *p;
	unsigned i;

	memset(g, 0, sizeof g);
	fake_begin(&f);
	f.is_mute = true;
	p = peer_to(&f);
	for (i = 0; i < 100; i++)
		ask(p, RPC_HELLO, &g[i]);
	shuttle(p, &f, WIRE_MAX);
	assert_int_equal(f.n_seen, RPC_INFLIGHT_MAX);
	assert_int_equal(peer_waiting(p), 100);
	peer_free(p);
	for (i = 0; i < 100; i++) {
		assert_int_equal(g[i].calls, 1);
		assert_int_equal(g[i].err, PERR_STATE);
	}
	fake_end(&f);

	memset(g, 0, sizeof g);
	fake_begin(&f);
	p = peer_to(&f);
	for (i = 0; i < 100; i++)
		ask(p, RPC_HELLO, &g[i]);
	shuttle(p, &f, WIRE_MAX);
	for (i = 0; i < 100; i++)
		assert_int_equal(g[i].err, PERR_OK);
	assert_int_equal(peer_waiting(p), 0);
	peer_free(p);
	fake_end(&f);
}

static void a_commit_never_overtakes_its_puts(void **state)
{
	struct fake f;
	struct got g[40];
	uint8_t cell[CELL_SIZE] = { 0 };
	struct rpc_msg put = { .method = RPC_PUT, .cell = cell };
	struct peer *p;
	unsigned i;

	memset(g, 0, sizeof g);
	fake_begin(&f);
	p = peer_to(&f);
	for (i = 0; i < 40; i++) {
		assert_int_equal(peer_notify(p, &put), PERR_OK);
		ask(p, RPC_COMMIT, &g[i]);
	}
	shuttle(p, &f, WIRE_MAX);
	assert_int_equal(f.n_seen, 80);
	for (i = 0; i < 80; i++)
		assert_int_equal(f.seen[i].method, i % 2 == 0 ? RPC_PUT : RPC_COMMIT);
	peer_free(p);
	fake_end(&f);
}

static void the_queue_has_a_bound(void **state)
{
	struct fake f;
	uint8_t cell[CELL_SIZE] = { 0 };
	struct rpc_msg put = { .method = RPC_PUT, .cell = cell };
	struct peer *p;
	unsigned i;

	fake_begin(&f);
	p = peer_to(&f);
	for (i = 0; i < PEER_QUEUE_MAX; i++)
		assert_int_equal(peer_notify(p, &put), PERR_OK);
	assert_int_equal(peer_notify(p, &put), PERR_LIMIT);
	peer_free(p);
	fake_end(&f);
}

/* every cut of a short exchange: each callback once, with the same error, never twice */
static void an_end_without_bye_is_a_truncation(void **state)
{
	size_t total = NOISE_MSG_SIZE + 7 * FRAME_SIZE, cut, failed = 0;

	for (cut = 0; cut <= total; cut += cut < 64 || cut > total - 64 ? 1 : 311) {
		struct fake f;
		struct got hello = { 0 }, pull = { 0 };
		struct peer *p;
		bool whole;

		fake_begin(&f);
		p = peer_to(&f);
		ask(p, RPC_HELLO, &hello);
		ask(p, RPC_PULL, &pull);
		whole = shuttle(p, &f, cut) == total;
		peer_eof(p);
		assert_int_equal(hello.calls, 1);
		assert_int_equal(pull.calls, 1);
		assert_int_equal(peer_state(p), PEER_FAILED);
		assert_int_equal(peer_error(p), cut < NOISE_MSG_SIZE ? PERR_AUTH : PERR_TRUNCATED);
		if (!whole) {
			assert_int_equal(pull.err, peer_error(p));
			failed++;
		}
		peer_free(p);
		assert_int_equal(pull.calls, 1);
		fake_end(&f);
	}
	assert_true(failed > 100);
}

static void a_flipped_bit_ends_it(void **state)
{
	size_t at;

	for (at = 0; at < NOISE_MSG_SIZE + FRAME_SIZE; at += at < 60 ? 1 : 97) {
		struct fake f;
		struct got g = { 0 };
		struct peer *p;
		const uint8_t *out;
		size_t n;

		fake_begin(&f);
		p = peer_to(&f);
		ask(p, RPC_HELLO, &g);
		n = peer_pending(p, &out);
		fake_recv(&f, out, n);
		peer_sent(p, n);
		if (at >= NOISE_MSG_SIZE)
			shuttle(p, &f, NOISE_MSG_SIZE);
		f.out[at >= NOISE_MSG_SIZE ? at - NOISE_MSG_SIZE : at] ^= 0x10;
		shuttle(p, &f, WIRE_MAX);
		assert_int_equal(peer_state(p), PEER_FAILED);
		assert_true(peer_done(p));
		assert_int_equal(g.calls, 1);
		assert_true(g.err == PERR_AUTH || g.err == PERR_KEY || g.err == PERR_FORMAT);
		peer_free(p);
		fake_end(&f);
	}
}

static void more_cells_than_asked_end_it(void **state)
{
	struct fake f;
	struct got g = { 0 };
	struct peer *p;

	fake_begin(&f);
	f.lies_with_cells = true;
	p = peer_to(&f);
	ask(p, RPC_PULL, &g);
	shuttle(p, &f, WIRE_MAX);
	assert_int_equal(g.cells, 5);
	assert_int_equal(g.err, PERR_FORMAT);
	peer_free(p);
	fake_end(&f);
}

static void answers_to_nothing_end_it(void **state)
{
	struct fake f;
	struct got g = { 0 };
	struct peer *p;
	struct rpc_msg a = { .type = RPC_RESPONSE, .method = RPC_COMMIT, .msgid = 7 };

	fake_begin(&f);
	p = peer_to(&f);
	ask(p, RPC_HELLO, &g);
	shuttle(p, &f, WIRE_MAX);
	fake_send(&f, &a);
	shuttle(p, &f, WIRE_MAX);
	assert_int_equal(peer_error(p), PERR_FORMAT);
	peer_free(p);
	fake_end(&f);

	/* a cell for a request that brings none */
	fake_begin(&f);
	f.is_mute = true;
	p = peer_to(&f);
	memset(&g, 0, sizeof g);
	ask(p, RPC_HELLO, &g);
	shuttle(p, &f, WIRE_MAX);
	fake_cells(&f, 0, 1);
	shuttle(p, &f, WIRE_MAX);
	assert_int_equal(g.err, PERR_FORMAT);
	peer_free(p);
	fake_end(&f);
}

static void a_server_that_leaves_early_is_not_an_answer(void **state)
{
	struct fake f;
	struct got g = { 0 };
	struct peer *p;
	struct rpc_msg bye = { .type = RPC_NOTIFY, .method = RPC_BYE };

	fake_begin(&f);
	f.is_mute = true;
	p = peer_to(&f);
	ask(p, RPC_HELLO, &g);
	shuttle(p, &f, WIRE_MAX);
	fake_send(&f, &bye);
	shuttle(p, &f, WIRE_MAX);
	assert_int_equal(g.calls, 1);
	assert_int_equal(g.err, PERR_NET);
	peer_free(p);
	fake_end(&f);
}

static void nothing_is_taken_after_the_end(void **state)
{
	struct fake f;
	struct rpc_msg m = { .method = RPC_HELLO };
	struct got g = { 0 };
	struct peer *p;

	fake_begin(&f);
	p = peer_to(&f);
	peer_bye(p);
	assert_int_equal(peer_call(p, &m, on_answer, &g), PERR_STATE);
	shuttle(p, &f, WIRE_MAX);
	assert_int_equal(peer_state(p), PEER_ENDED);
	assert_int_equal(peer_call(p, &m, on_answer, &g), PERR_STATE);
	assert_int_equal(peer_notify(p, &m), PERR_STATE);
	peer_eof(p);
	assert_int_equal(peer_state(p), PEER_ENDED);
	peer_free(p);
	fake_end(&f);
	assert_int_equal(g.calls, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_reaches_its_callback),
		cmocka_unit_test(a_refusal_is_told_with_its_reason),
		cmocka_unit_test(at_most_32_requests_are_under_way),
		cmocka_unit_test(a_commit_never_overtakes_its_puts),
		cmocka_unit_test(the_queue_has_a_bound),
		cmocka_unit_test(an_end_without_bye_is_a_truncation),
		cmocka_unit_test(a_flipped_bit_ends_it),
		cmocka_unit_test(more_cells_than_asked_end_it),
		cmocka_unit_test(answers_to_nothing_end_it),
		cmocka_unit_test(a_server_that_leaves_early_is_not_an_answer),
		cmocka_unit_test(nothing_is_taken_after_the_end),
	};

	if (sodium_init() < 0)
		return 1;
	rng = rng_system();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
