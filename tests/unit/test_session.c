/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The server's side of one connection (PROTOCOL sections 5 and 6), over a host made here. */
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

static size_t on_keys(void *ctx, const uint8_t (**derived)[32])
{
	*derived = (const uint8_t (*)[32])fake.derived;
	return 5;
}

static bool on_admit(void *ctx, size_t which, const uint8_t e[32], uint32_t *serial,
                     enum rpc_scope *scope)
{
	*serial = 77;
	*scope = (enum rpc_scope)(which + 1);
	return !fake.seen;
}

static bool on_still(void *ctx, uint32_t serial)
{
	assert_int_equal(serial, 77);
	return !fake.gone;
}

static uint8_t *on_take(void *ctx, size_t held)
{
	if (fake.cells_out == fake.cells_max)
		return NULL;
	fake.cells_out++;
	return malloc(STORE_CELL);
}

static void on_give(void *ctx, uint8_t *cell)
{
	fake.cells_out--;
	free(cell);
}

static void keep(struct session_call *call)
{
	assert_true(fake.n_held < 128);
	fake.held[fake.n_held++] = call;
}

static void finish(struct session_call *call)
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

static void on_commit(void *ctx, struct session_call *call)
{
	fake.commits++;
	fake.last = RPC_COMMIT;
	if (fake.hold)
		keep(call);
	else
		finish(call);
}

static void on_request(void *ctx, struct session_call *call, const struct rpc_msg *m,
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

static void on_closed(void *ctx, void *data)
{
	if (data != NULL)
		fake.freed_data++;
}

static void on_wake(void *user)
{
	fake.woken++;
}

static void fake_reset(void)
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
static size_t drain(struct pair *p, enum rpc_method asked)
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

static size_t discard(struct pair *p)
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

static void pair_new(struct pair *p, enum rpc_scope scope)
{
	memset(p, 0, sizeof *p);
	assert_int_equal(session_new(&p->s, &fake.host, on_wake, p), PERR_OK);
	assert_int_equal(channel_connect(&p->ch, p->first, fake.pk, fake.derived[scope - 1],
	                                 rng_seeded(&client_state, fake.pk)), PERR_OK);
}

static void pair_open(struct pair *p, enum rpc_scope scope)
{
	pair_new(p, scope);
	assert_int_equal(session_recv(p->s, p->first, sizeof p->first, 1), sizeof p->first);
	assert_int_equal(session_state(p->s), SESSION_OPEN);
	assert_int_equal(drain(p, RPC_HELLO), NOISE_MSG_SIZE);
	assert_int_equal(p->ch.state, CHANNEL_OPEN);
}

static void pair_close(struct pair *p)
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
static void params(struct rpc_msg *m, enum rpc_method method)
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

static size_t send_raw(struct pair *p, const uint8_t *msg, size_t len)
{
	assert_int_equal(channel_send(&p->ch, p->frame, msg, len), PERR_OK);
	return session_recv(p->s, p->frame, FRAME_SIZE, 1);
}

static size_t send_msg(struct pair *p, const struct rpc_msg *m)
{
	uint8_t buf[FRAME_MSG_MAX];
	size_t len;

	assert_int_equal(rpc_encode(buf, &len, m), PERR_OK);
	return send_raw(p, buf, len);
}

static size_t send_method(struct pair *p, enum rpc_method method)
{
	struct rpc_msg m;

	params(&m, method);
	return send_msg(p, &m);
}

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

/* ---- order and bounds -------------------------------------------------------------------- */

static void session_answers_commits_in_order(void **state)
{
	struct pair p;
	struct rpc_msg m;

	fake_reset();
	fake.hold = true;
	pair_open(&p, RPC_FIELD);
	(void)send_method(&p, RPC_PUT);
	params(&m, RPC_COMMIT);
	m.msgid = 1;
	(void)send_msg(&p, &m);
	m.msgid = 2;
	assert_int_equal(send_msg(&p, &m), FRAME_SIZE);
	/* two are under way: a third is not even read */
	m.msgid = 3;
	assert_int_equal(send_msg(&p, &m), 0);
	assert_true(session_is_blocked(p.s));
	assert_int_equal(fake.n_held, 2);
	finish(fake.held[1]);                    /* the second is ready first: it waits */
	assert_int_equal(drain(&p, RPC_COMMIT), 0);
	finish(fake.held[0]);
	assert_int_equal(fake.woken, 2);
	fake.n_held = 0;
	assert_int_equal(drain(&p, RPC_COMMIT), 2 * FRAME_SIZE);
	assert_int_equal(p.m.msgid, 2);
	assert_false(session_is_blocked(p.s));
	/* the frame that waited is taken now */
	assert_int_equal(session_recv(p.s, p.frame, FRAME_SIZE, 1), FRAME_SIZE);
	finish(fake.held[0]);
	fake.n_held = 0;
	assert_int_equal(drain(&p, RPC_COMMIT), FRAME_SIZE);
	assert_int_equal(p.m.msgid, 3);
	assert_int_equal(p.m.bytes_len, 0);
	pair_close(&p);
}

static void session_reports_every_status_in_its_place(void **state)
{
	static const uint8_t cell_want[] = { RPC_STORED, RPC_ALREADY, RPC_ERASED, RPC_DISK_FULL };
	static const uint8_t erase_want[] = { RPC_ACCEPTED, RPC_ALREADY, RPC_NOT_KNOWN,
	                                      RPC_OVER_LIMIT, RPC_NOT_KNOWN };
	struct pair p;
	struct rpc_msg m;
	uint8_t bad[CELL_SIZE];
	int st;

	for (st = STORE_STORED; st <= STORE_NOTFOUND; st++) {
		fake_reset();
		fake.status = (uint8_t)st;
		fake.cells_max = 2;
		pair_open(&p, RPC_COUNSEL);
		memset(bad, 0xff, sizeof bad);   /* E not canonical */
		params(&m, RPC_PUT);
		(void)send_msg(&p, &m);
		m.cell = bad;
		(void)send_msg(&p, &m);
		params(&m, RPC_ERASE);
		m.bytes_len = 3 * 64;
		(void)send_msg(&p, &m);
		params(&m, RPC_PUT);
		(void)send_msg(&p, &m);
		(void)send_msg(&p, &m);          /* no buffer is left for this one */
		(void)send_method(&p, RPC_COMMIT);
		assert_int_equal(drain(&p, RPC_COMMIT), FRAME_SIZE);
		assert_int_equal(p.m.bytes_len, 7);
		if (st < 4) {
			assert_int_equal(p.m.bytes[0], cell_want[st]);
			assert_int_equal(p.m.bytes[5], cell_want[st]);
		}
		assert_int_equal(p.m.bytes[1], RPC_NOT_A_CELL);
		assert_int_equal(p.m.bytes[2], erase_want[st]);
		assert_int_equal(p.m.bytes[4], erase_want[st]);
		assert_int_equal(p.m.bytes[6], RPC_OVER_LIMIT);
		pair_close(&p);
	}
}

static void session_ends_when_more_is_put_than_announced(void **state)
{
	struct pair p;
	int i;

	fake_reset();
	pair_open(&p, RPC_FIELD);
	for (i = 0; i < 8; i++)
		(void)send_method(&p, RPC_PUT);
	assert_int_equal(session_state(p.s), SESSION_OPEN);
	assert_int_equal(fake.cells_out, 8);
	(void)send_method(&p, RPC_PUT);
	assert_int_equal(session_state(p.s), SESSION_DONE);
	assert_int_equal(fake.cells_out, 0);     /* nothing of it is kept */
	assert_int_equal(fake.commits, 0);
	(void)drain(&p, RPC_HELLO);
	pair_close(&p);

	/* erasures: at most what the answer has room for */
	fake_reset();
	pair_open(&p, RPC_COUNSEL);
	for (i = 0; i < 64; i++) {
		struct rpc_msg m;

		params(&m, RPC_ERASE);
		m.bytes_len = 4096;
		(void)send_msg(&p, &m);
	}
	assert_int_equal(session_state(p.s), SESSION_OPEN);
	(void)send_method(&p, RPC_ERASE);
	assert_int_equal(session_state(p.s), SESSION_DONE);
	(void)drain(&p, RPC_HELLO);
	pair_close(&p);
}

static void session_refuses_puts_over_the_minutes_allowance(void **state)
{
	struct pair p;

	fake_reset();
	fake.host.puts_per_minute = 3;
	pair_open(&p, RPC_FIELD);
	(void)send_method(&p, RPC_PUT);
	(void)send_method(&p, RPC_PUT);
	(void)send_method(&p, RPC_PUT);
	(void)send_method(&p, RPC_PUT);
	(void)send_method(&p, RPC_COMMIT);
	(void)drain(&p, RPC_COMMIT);
	assert_int_equal(p.m.bytes[2], RPC_STORED);
	assert_int_equal(p.m.bytes[3], RPC_OVER_LIMIT);
	assert_int_equal(fake.host.n_refused, 1);
	pair_close(&p);
}

static void session_holds_erasures_to_the_same_allowance(void **state)
{
	struct pair p;
	struct rpc_msg m;
	unsigned i;

	fake_reset();
	fake.host.puts_per_minute = 40;
	pair_open(&p, RPC_COUNSEL);
	params(&m, RPC_ERASE);
	m.bytes_len = 64 * 64;
	(void)send_msg(&p, &m);
	/* refused erasures are no puts: eight more fit the batch */
	for (i = 0; i < 8; i++)
		(void)send_method(&p, RPC_PUT);
	assert_int_equal(session_state(p.s), SESSION_OPEN);
	(void)send_method(&p, RPC_COMMIT);
	(void)drain(&p, RPC_COMMIT);
	assert_int_equal(p.m.bytes_len, 64 + 8);
	for (i = 0; i < 64; i++)
		assert_int_equal(p.m.bytes[i], i < 40 ? RPC_ACCEPTED : RPC_OVER_LIMIT);
	for (; i < 72; i++)
		assert_int_equal(p.m.bytes[i], RPC_OVER_LIMIT);
	assert_int_equal(fake.host.n_refused, 24 + 8);
	pair_close(&p);
}

static void session_stops_reading_while_answers_are_not_read(void **state)
{
	struct pair p;
	struct rpc_msg m;
	struct session_out *o, *next;
	size_t waiting = 0;
	unsigned taken = 0;

	fake_reset();
	pair_open(&p, RPC_COUNSEL);
	while (send_method(&p, RPC_HELLO) == FRAME_SIZE)
		assert_true(++taken < 1000);
	assert_true(session_is_blocked(p.s));
	assert_true(fake.host.out_now <= SESSION_OUT_HIGH + FRAME_SIZE);
	for (o = session_take(p.s); o != NULL; o = next) {
		next = o->next;
		waiting += o->len;
		free(o);
	}
	assert_int_equal(waiting, fake.host.out_now);
	/* taken is not sent: still blocked */
	assert_true(session_is_blocked(p.s));
	session_written(p.s, waiting);
	assert_false(session_is_blocked(p.s));
	pair_close(&p);

	/* what a pull will say counts before it is said */
	fake_reset();
	fake.hold = true;
	pair_open(&p, RPC_COUNSEL);
	params(&m, RPC_PULL);
	m.n = 64;
	taken = 0;
	while (send_msg(&p, &m) == FRAME_SIZE)
		taken++;
	assert_true(fake.host.out_reserved > SESSION_OUT_HIGH);
	assert_true(fake.host.out_reserved <= SESSION_OUT_HIGH + 65 * FRAME_SIZE);
	assert_int_equal(fake.host.out_reserved, taken * 65 * FRAME_SIZE);
	pair_close(&p);
	assert_int_equal(fake.host.out_reserved, 0);

	/* and all sessions together have a bound */
	fake_reset();
	fake.host.out_max = 100000;
	pair_open(&p, RPC_COUNSEL);
	(void)send_msg(&p, &m);
	assert_int_equal(drain(&p, RPC_PULL), FRAME_SIZE);
	assert_int_equal(p.m.error, RPC_LATER);
	assert_int_equal(fake.requests, 0);
	pair_close(&p);
}

static void session_passes_cells_before_the_answer(void **state)
{
	struct pair p;
	struct rpc_msg m;
	int i;

	fake_reset();
	fake.hold = true;
	pair_open(&p, RPC_COUNSEL);
	params(&m, RPC_PULL);
	m.n = 3;
	(void)send_msg(&p, &m);
	for (i = 0; i < 3; i++)
		session_cell(fake.held[0], cell);
	memset(&m, 0, sizeof m);
	m.n = 3;
	session_answer(fake.held[0], &m);
	fake.n_held = 0;
	assert_int_equal(drain(&p, RPC_PULL), 4 * FRAME_SIZE);
	assert_int_equal(p.messages, 4);
	assert_int_equal(p.m.n, 3);
	pair_close(&p);
}

static void session_finishes_what_was_asked_before_its_bye(void **state)
{
	struct pair p;

	fake_reset();
	fake.hold = true;
	pair_open(&p, RPC_FIELD);
	(void)send_method(&p, RPC_PUT);
	(void)send_method(&p, RPC_COMMIT);
	(void)send_method(&p, RPC_PUT);          /* never committed: forgotten */
	(void)send_method(&p, RPC_BYE);
	assert_int_equal(drain(&p, RPC_COMMIT), 0);
	assert_int_equal(fake.cells_out, 1);
	finish(fake.held[0]);
	fake.n_held = 0;
	assert_int_equal(drain(&p, RPC_COMMIT), 2 * FRAME_SIZE);
	assert_int_equal(p.m.method, RPC_BYE);
	assert_int_equal(session_state(p.s), SESSION_DONE);
	pair_close(&p);
}

static void session_that_is_gone_makes_late_answers_harmless(void **state)
{
	struct pair p;
	struct session_call *one, *two;

	fake_reset();
	fake.hold = true;
	pair_open(&p, RPC_COUNSEL);
	(void)send_method(&p, RPC_PULL);
	(void)send_method(&p, RPC_PUT);
	(void)send_method(&p, RPC_COMMIT);
	one = fake.held[0];
	two = fake.held[1];
	fake.n_held = 0;
	session_free(p.s);
	assert_int_equal(fake.freed_data, 1);
	assert_int_equal(fake.cells_out, 1);     /* the writer still needs it */
	session_cell(one, cell);
	finish(one);
	finish(two);
	assert_int_equal(fake.cells_out, 0);
	assert_int_equal(fake.host.out_now, 0);
	channel_kill(&p.ch);
}

static void session_tells_nobody_anything_when_the_disk_failed(void **state)
{
	struct pair p;

	fake_reset();
	fake.hold = true;
	pair_open(&p, RPC_FIELD);
	(void)send_method(&p, RPC_PUT);
	(void)send_method(&p, RPC_COMMIT);
	session_drop(fake.held[0]);
	fake.n_held = 0;
	assert_int_equal(session_state(p.s), SESSION_DEAD);
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
		cmocka_unit_test(session_answers_commits_in_order),
		cmocka_unit_test(session_reports_every_status_in_its_place),
		cmocka_unit_test(session_ends_when_more_is_put_than_announced),
		cmocka_unit_test(session_refuses_puts_over_the_minutes_allowance),
		cmocka_unit_test(session_holds_erasures_to_the_same_allowance),
		cmocka_unit_test(session_stops_reading_while_answers_are_not_read),
		cmocka_unit_test(session_passes_cells_before_the_answer),
		cmocka_unit_test(session_finishes_what_was_asked_before_its_bye),
		cmocka_unit_test(session_that_is_gone_makes_late_answers_harmless),
		cmocka_unit_test(session_tells_nobody_anything_when_the_disk_failed),
	};
	size_t i;

	if (sodium_init() < 0)
		return 1;
	for (i = 0; i < sizeof cell; i++)
		cell[i] = (uint8_t)(i * 7 + 3);
	cell[31] &= 0x7f;
	memset(some, 0xc1, sizeof some);         /* 0xc1 is nothing in MessagePack */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
