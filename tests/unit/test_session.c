/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The server's side of one connection (PROTOCOL sections 5 and 6), over a host made here. */
#include "session_kit.h"

/* ---- the table --------------------------------------------------------------------------- */

enum state {
	FRESH,           /* before the handshake */
	SILENT,          /* after a first message that failed */
	OPEN,
	WITH_PUTS,       /* puts lie there uncommitted */
	ONE_COMMIT,      /* a commit is under way */
	FULL,            /* 32 requests are under way */
	RETIRED,         /* its key left the policy */
	LEAVING,         /* it said bye, an answer is still owed */
	DONE,            /* both byes are said */
	DEAD,            /* a frame did not open */
	N_STATES
};

enum outcome {
	ANSWERED,        /* reached the host, answered */
	STARTED,         /* reached the host, which still works on it */
	TAKEN,           /* kept for the commit; no answer */
	REFUSED,         /* error 2, not in this scope */
	GOODBYE,         /* bye, nothing reached the host */
	SWALLOWED,       /* no effect at all */
	BLOCKED          /* not even taken */
};

/* section 6, typed anew: who may send what */
static const char *const rows[RPC_N_METHODS] = {
	[RPC_HELLO] = "gfcsu", [RPC_BULLETIN_GET] = "gfcs", [RPC_JOIN_PUT] = "g",
	[RPC_BOARD_GET] = "fc", [RPC_BOARD_PUT] = "c", [RPC_PUT] = "fc", [RPC_ERASE] = "c",
	[RPC_COMMIT] = "fc", [RPC_SEGMENTS] = "c", [RPC_PULL] = "c", [RPC_FETCH] = "c",
	[RPC_PEEK] = "c", [RPC_CELL] = "", [RPC_JOIN_LIST] = "s", [RPC_BULLETIN_PART] = "s",
	[RPC_BULLETIN_COMMIT] = "s", [RPC_POLICY_PUT] = "su", [RPC_RELEASE] = "s",
	[RPC_ERASE_VOID] = "s", [RPC_BOARD_CLEAR] = "s", [RPC_STATUS] = "s", [RPC_BYE] = "gfcsu"
};

/* beyond the methods: what is no method at all */
enum { EMPTY_FRAME = RPC_N_METHODS, A_RESPONSE, UNKNOWN_METHOD, NOISE_BYTES, N_MESSAGES };

static bool allowed(int msg, enum rpc_scope scope)
{
	return msg < RPC_N_METHODS && strchr(rows[msg], "gfcsu"[scope - 1]) != NULL;
}

static bool is_notify(int msg)
{
	return msg == RPC_PUT || msg == RPC_ERASE || msg == RPC_BYE;
}

static enum outcome expected(int msg, enum state st, enum rpc_scope scope)
{
	switch (st) {
	case FRESH: case SILENT: case LEAVING: case DONE: case DEAD:
		return SWALLOWED;
	case FULL:
		return BLOCKED;
	case RETIRED:
		/* even what is allowed only earns a goodbye */
		return GOODBYE;
	case OPEN: case WITH_PUTS: case ONE_COMMIT: case N_STATES:
		break;
	}
	if (msg >= RPC_N_METHODS || msg == RPC_CELL || msg == RPC_BYE)
		return st == ONE_COMMIT && msg == RPC_BYE ? SWALLOWED : GOODBYE;
	if (!allowed(msg, scope))
		return is_notify(msg) ? GOODBYE : REFUSED;
	if (is_notify(msg))
		return TAKEN;
	return st == ONE_COMMIT ? STARTED : ANSWERED;
}

static bool state_exists(enum state st, enum rpc_scope scope)
{
	bool writes = scope == RPC_FIELD || scope == RPC_COUNSEL;

	return writes || (st != WITH_PUTS && st != ONE_COMMIT);
}

static void enter(struct pair *p, enum state st, enum rpc_scope scope)
{
	uint8_t garbage[NOISE_MSG_SIZE] = { 9 };
	int i;

	if (st == FRESH) {
		pair_new(p, scope);
		/* so that the frame below can be sealed at all */
		p->ch.state = CHANNEL_OPEN;
		return;
	}
	if (st == SILENT) {
		pair_new(p, scope);
		(void)session_recv(p->s, garbage, sizeof garbage, 1);
		assert_int_equal(session_state(p->s), SESSION_SILENT);
		p->ch.state = CHANNEL_OPEN;
		return;
	}
	pair_open(p, scope);
	switch (st) {
	case WITH_PUTS:
		(void)send_method(p, RPC_PUT);
		break;
	case ONE_COMMIT:
		fake.hold = true;
		(void)send_method(p, RPC_PUT);
		(void)send_method(p, RPC_COMMIT);
		break;
	case FULL:
		fake.hold = true;
		for (i = 0; i < RPC_INFLIGHT_MAX; i++)
			(void)send_method(p, RPC_HELLO);
		break;
	case RETIRED:
		fake.gone = true;
		break;
	case LEAVING:
		fake.hold = true;
		(void)send_method(p, RPC_HELLO);
		(void)send_method(p, RPC_BYE);
		assert_int_equal(session_state(p->s), SESSION_LEAVING);
		break;
	case DONE:
		(void)send_method(p, RPC_BYE);
		(void)drain(p, RPC_HELLO);
		assert_int_equal(session_state(p->s), SESSION_DONE);
		break;
	case DEAD:
		memset(p->frame, 1, sizeof p->frame);
		(void)session_recv(p->s, p->frame, sizeof p->frame, 1);
		assert_int_equal(session_state(p->s), SESSION_DEAD);
		break;
	case FRESH: case SILENT: case OPEN: case N_STATES:
		break;
	}
}

static size_t send_any(struct pair *p, int msg, enum rpc_scope scope)
{
	static const uint8_t response[] = { 0x94, 1, 5, 4, 0xc0 };
	static const uint8_t unknown[] = { 0x94, 0, 1, 0xa5, 'd','r','a','i','n', 0x90 };

	switch (msg) {
	case EMPTY_FRAME:    return send_raw(p, some, 0);
	case A_RESPONSE:     return send_raw(p, response, sizeof response);
	case UNKNOWN_METHOD: return send_raw(p, unknown, sizeof unknown);
	case NOISE_BYTES:    return send_raw(p, some, FRAME_MSG_MAX);
	default:             return send_method(p, (enum rpc_method)msg);
	}
}

static enum outcome observe(struct pair *p, int msg, enum rpc_scope scope)
{
	unsigned reached = fake.requests + fake.commits;
	size_t holds = session_holds(p->s), used = send_any(p, msg, scope), said;

	if (used == 0)
		return BLOCKED;
	assert_int_equal(used, FRAME_SIZE);
	reached = fake.requests + fake.commits - reached;
	p->messages = 0;
	said = drain(p, msg < RPC_N_METHODS && !is_notify(msg) && msg != RPC_CELL ?
	             (enum rpc_method)msg : RPC_HELLO);
	if (reached > 0)
		return said > 0 ? ANSWERED : STARTED;
	if (said == 0)
		return session_holds(p->s) > holds ? TAKEN : SWALLOWED;
	assert_int_equal(p->messages, 1);
	if (p->m.type == RPC_NOTIFY && p->m.method == RPC_BYE) {
		assert_int_equal(session_state(p->s), SESSION_DONE);
		return GOODBYE;
	}
	assert_int_equal(p->m.error, RPC_SCOPE);
	return REFUSED;
}

static void session_does_what_the_table_says_and_nothing_else(void **state)
{
	unsigned pairs = 0, right = 0, beyond = 0;
	int msg, st, scope;

	for (scope = RPC_GUEST; scope <= RPC_SETUP; scope++)
		for (st = 0; st < N_STATES; st++)
			for (msg = 0; msg < N_MESSAGES; msg++) {
				struct pair p;
				enum outcome got, want;

				if (!state_exists((enum state)st, (enum rpc_scope)scope))
					continue;
				fake_reset();
				enter(&p, (enum state)st, (enum rpc_scope)scope);
				want = expected(msg, (enum state)st, (enum rpc_scope)scope);
				got = observe(&p, msg, (enum rpc_scope)scope);
				pairs++;
				right += got == want;
				if (got != want)
					printf("  message %d, state %d, scope %d: %d, not %d\n", msg, st,
					       scope, got, want);
				beyond += (got == ANSWERED || got == STARTED || got == TAKEN) &&
				          want != got;
				pair_close(&p);
			}
	printf("figure: state/message pairs: %u/%u as specified; accepted beyond the table: %u\n",
	       right, pairs, beyond);
	assert_int_equal(right, pairs);
	assert_int_equal(beyond, 0);
}

/* ---- handshake --------------------------------------------------------------------------- */

static void session_is_silent_to_any_flipped_bit(void **state)
{
	struct pair p;
	unsigned i, bit, n = 0;

	for (i = 0; i < NOISE_MSG_SIZE; i++)
		for (bit = 0; bit < 8; bit++) {
			fake_reset();
			pair_new(&p, RPC_FIELD);
			p.first[i] ^= (uint8_t)(1u << bit);
			assert_int_equal(session_recv(p.s, p.first, sizeof p.first, 1),
			                 sizeof p.first);
			assert_int_equal(session_state(p.s), SESSION_SILENT);
			assert_null(session_take(p.s));
			/* and stays so */
			assert_int_equal(session_recv(p.s, some, sizeof some, 1), sizeof some);
			assert_null(session_take(p.s));
			pair_close(&p);
			n++;
		}
	printf("figure: flipped first messages: %u; answered: 0\n", n);
}

/* what an outsider can make the server keep: measured where malloc is the C library's */
static void session_costs_little_before_it_authenticates(void **state)
{
	struct pair p;
	size_t before, after;
	uint8_t garbage[FRAME_SIZE] = { 7 };

	fake_reset();
	before = mallinfo2().uordblks;
	pair_new(&p, RPC_FIELD);
	(void)session_recv(p.s, garbage, NOISE_MSG_SIZE - 1, 1);
	after = mallinfo2().uordblks;
	printf("figure: allocated for a connection before it authenticates: %zu bytes\n",
	       after - before);
	assert_true(after - before < 8192);
	(void)session_recv(p.s, garbage, sizeof garbage, 1);
	assert_true(mallinfo2().uordblks - before < 8192);
	pair_close(&p);
}

static void session_is_silent_to_a_replay(void **state)
{
	struct pair p;

	fake_reset();
	fake.seen = true;
	pair_new(&p, RPC_COUNSEL);
	(void)session_recv(p.s, p.first, sizeof p.first, 1);
	assert_int_equal(session_state(p.s), SESSION_SILENT);
	assert_null(session_take(p.s));
	pair_close(&p);
}

/* ---- frames ------------------------------------------------------------------------------ */

static void session_takes_input_cut_anywhere(void **state)
{
	struct pair p;
	uint8_t in[NOISE_MSG_SIZE + 4 * FRAME_SIZE];
	struct rpc_msg m;
	uint8_t buf[FRAME_MSG_MAX];
	size_t len, i, step;
	static const enum rpc_method say[] = { RPC_HELLO, RPC_PUT, RPC_COMMIT, RPC_BYE };

	for (step = 1; step < 5000; step = step * 3 + 1) {
		fake_reset();
		pair_new(&p, RPC_FIELD);
		/* the client's side of the same handshake, ahead of the server's answer, is not
		 * possible: so the handshake first, then everything else cut in pieces */
		for (i = 0; i < NOISE_MSG_SIZE; i++)
			assert_int_equal(session_recv(p.s, p.first + i, 1, 1), 1);
		assert_int_equal(drain(&p, RPC_HELLO), NOISE_MSG_SIZE);
		for (i = 0; i < 4; i++) {
			params(&m, say[i]);
			assert_int_equal(rpc_encode(buf, &len, &m), PERR_OK);
			assert_int_equal(channel_send(&p.ch, in + i * FRAME_SIZE, buf, len), PERR_OK);
		}
		for (i = 0; i < 4 * FRAME_SIZE; i += step) {
			len = 4 * FRAME_SIZE - i < step ? 4 * FRAME_SIZE - i : step;
			assert_int_equal(session_recv(p.s, in + i, len, 1), len);
		}
		assert_int_equal(session_state(p.s), SESSION_DONE);
		assert_int_equal(discard(&p), 3 * FRAME_SIZE);
		assert_int_equal(fake.requests, 1);
		assert_int_equal(fake.commits, 1);
		pair_close(&p);
	}
}

static void session_dies_on_a_replayed_frame_and_drops_its_calls(void **state)
{
	struct pair p;
	uint8_t again[FRAME_SIZE];

	fake_reset();
	fake.hold = true;
	pair_open(&p, RPC_COUNSEL);
	(void)send_method(&p, RPC_STATUS);       /* refused: not in this scope */
	(void)send_method(&p, RPC_HELLO);
	memcpy(again, p.frame, sizeof again);
	assert_int_equal(fake.n_held, 1);
	(void)session_recv(p.s, again, sizeof again, 1);
	assert_int_equal(session_state(p.s), SESSION_DEAD);
	assert_null(session_take(p.s));
	assert_null(fake.held[0]->session);
	finish(fake.held[0]);
	fake.n_held = 0;
	assert_null(session_take(p.s));
	pair_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(session_does_what_the_table_says_and_nothing_else),
		cmocka_unit_test(session_is_silent_to_any_flipped_bit),
		cmocka_unit_test(session_costs_little_before_it_authenticates),
		cmocka_unit_test(session_is_silent_to_a_replay),
		cmocka_unit_test(session_takes_input_cut_anywhere),
		cmocka_unit_test(session_dies_on_a_replayed_frame_and_drops_its_calls),
	};

	if (!session_begin())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
