/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * A member turns, with all the keys of his vault, and speaks to the real server with a
 * program of his own.  docs/THREATS.md, section "A member who turns": each line there names
 * a claim here.
 */
#include "world.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "assign.h"
#include "board.h"
#include "bulletin.h"
#include "charter.h"
#include "desk.h"
#include "dispatch.h"
#include "notices.h"
#include "org.h"
#include "post.h"
#include "prekeys.h"
#include "roster.h"
#include "signed.h"
#include "statement.h"
#include "steward.h"

#define OK(x) assert_int_equal((x), PERR_OK)
#define ALL_MAX 4096

static unsigned seed = 1;

/* ---- a program of one's own ------------------------------------------------------------ */

struct raw {
	struct peer *p;
	bool answered, refused;
	enum rpc_error error;
	struct rpc_msg m;                /* without what it borrows */
	uint8_t bytes[RPC_STATUSES_MAX];
	size_t n_bytes;
	uint8_t (*cells)[CELL_SIZE];     /* of pulls, in order */
	size_t n_cells;
};

static void raw_answer(void *ud, enum perr err, const struct rpc_msg *m)
{
	struct raw *r = ud;

	r->answered = m != NULL;
	r->refused = err != PERR_OK;
	if (m == NULL)
		return;
	r->m = *m;
	r->error = m->error;
	if (m->bytes != NULL && m->bytes_len <= sizeof r->bytes) {
		memcpy(r->bytes, m->bytes, m->bytes_len);
		r->n_bytes = m->bytes_len;
	}
}

static void raw_cell(void *ud, const uint8_t cell[CELL_SIZE])
{
	struct raw *r = ud;

	assert_true(r->n_cells < ALL_MAX);
	memcpy(r->cells[r->n_cells++], cell, CELL_SIZE);
}

static void raw_open(struct raw *r, struct world *w, const uint8_t key[32])
{
	memset(r, 0, sizeof *r);
	r->cells = calloc(ALL_MAX, CELL_SIZE);
	assert_non_null(r->cells);
	OK(peer_new(&r->p, w->s[0].pk, key, w->rng));
}

static void raw_run(struct raw *r, struct world *w)
{
	char why[200] = "";

	peer_bye(r->p);
	(void)!w->net.run(w->net.ctx, w->s[0].address, r->p, why, sizeof why);
	peer_free(r->p);
	r->p = NULL;
}

static void raw_close(struct raw *r)
{
	free(r->cells);
}

/* one request on a connection of its own */
static void ask(struct raw *r, struct world *w, const uint8_t key[32], const struct rpc_msg *m)
{
	raw_open(r, w, key);
	OK(peer_call(r->p, m, raw_answer, r));
	raw_run(r, w);
}

/* n cells and a commit; the statuses are in r->bytes */
static void put(struct raw *r, struct world *w, const uint8_t key[32],
                const uint8_t (*cells)[CELL_SIZE], size_t n)
{
	static struct rpc_msg m;

	raw_open(r, w, key);
	for (size_t i = 0; i < n; i++) {
		memset(&m, 0, sizeof m);
		m.method = RPC_PUT;
		m.cell = cells[i];
		OK(peer_notify(r->p, &m));
	}
	memset(&m, 0, sizeof m);
	m.method = RPC_COMMIT;
	OK(peer_call(r->p, &m, raw_answer, r));
	raw_run(r, w);
}

/* n times `id | ds` and a commit */
static void erase(struct raw *r, struct world *w, const uint8_t key[32], const uint8_t *pairs,
                  size_t n)
{
	static struct rpc_msg m;

	raw_open(r, w, key);
	for (size_t at = 0; at < n; at += 64) {
		memset(&m, 0, sizeof m);
		m.method = RPC_ERASE;
		m.bytes = pairs + at * 64;
		m.bytes_len = 64 * (n - at < 64 ? n - at : 64);
		OK(peer_notify(r->p, &m));
	}
	memset(&m, 0, sizeof m);
	m.method = RPC_COMMIT;
	OK(peer_call(r->p, &m, raw_answer, r));
	raw_run(r, w);
}

/* every released cell, as the counsel scope may pull them */
static void pull_all(struct raw *all, struct world *w, const uint8_t key[32])
{
	static struct rpc_msg m, list;
	struct raw r;

	memset(&m, 0, sizeof m);
	m.method = RPC_SEGMENTS;
	m.n = 64;
	ask(&r, w, key, &m);
	assert_true(r.answered && !r.refused && r.m.n < 64);
	list = r.m;
	raw_close(&r);
	raw_open(all, w, key);
	for (uint32_t i = 0; i < list.n; i++) {
		for (uint32_t at = 0; at < list.segments[i].count; at += 64) {
			memset(&m, 0, sizeof m);
			m.method = RPC_PULL;
			m.day = list.segments[i].day;
			m.release = list.segments[i].release;
			m.from = at;
			m.n = list.segments[i].count - at < 64 ? list.segments[i].count - at : 64;
			OK(peer_call_cells(all->p, &m, raw_cell, raw_answer, all));
		}
	}
	raw_run(all, w);
	assert_true(all->n_cells > 0);
}

static const uint8_t *field_key(struct world *w, enum world_who who)
{
	return w->p[who].c->field->field_access;
}

static const uint8_t *counsel_key(struct world *w, enum world_who who)
{
	assert_non_null(w->p[who].c->staff);
	return w->p[who].c->staff->counsel_access;
}

static uint32_t erasures_waiting(struct world *w)
{
	struct steward_server r;

	OK(steward_visit(w->p[ADMIN].c, &w->net, 0, STEWARD_STATUS, &r));
	return r.st.erasures;
}

/* ---- each scope ends where the table ends ------------------------------------------------ */

static void nothing_is_answered_beyond_ones_scope(void **state)
{
	struct world *w = world_full(seed);
	static const struct { enum rpc_method m; enum rpc_scope lowest; } asked[] = {
		{ RPC_SEGMENTS, RPC_COUNSEL }, { RPC_PEEK, RPC_COUNSEL },
		{ RPC_JOIN_LIST, RPC_STEWARD }, { RPC_STATUS, RPC_STEWARD },
		{ RPC_BULLETIN_COMMIT, RPC_STEWARD }, { RPC_BULLETIN_PART, RPC_STEWARD },
		{ RPC_RELEASE, RPC_STEWARD }, { RPC_ERASE_VOID, RPC_STEWARD },
		{ RPC_BOARD_CLEAR, RPC_STEWARD }, { RPC_POLICY_PUT, RPC_STEWARD },
	};
	const struct { const uint8_t *key; enum rpc_scope scope; } keys[] = {
		{ w->p[VOLUNTEER0].c->me->guest_key, RPC_GUEST },
		{ field_key(w, VOLUNTEER0), RPC_FIELD },
		{ counsel_key(w, COUNSEL), RPC_COUNSEL },
	};
	static struct rpc_msg m;
	unsigned refused = 0;

	for (size_t k = 0; k < 3; k++) {
		for (size_t i = 0; i < sizeof asked / sizeof asked[0]; i++) {
			struct raw r;

			if (keys[k].scope >= asked[i].lowest)
				continue;
			memset(&m, 0, sizeof m);
			m.method = asked[i].m;
			m.n = 1;
			m.total = 1;
			m.bytes = (const uint8_t *)"x";
			m.bytes_len = 1;
			ask(&r, w, keys[k].key, &m);
			assert_true(!r.answered || (r.refused && r.error == RPC_SCOPE));
			refused++;
			raw_close(&r);
		}
	}
	assert_int_equal(refused, 28);
	/* the control: with the right key the same program is answered */
	{
		struct raw r;

		memset(&m, 0, sizeof m);
		m.method = RPC_SEGMENTS;
		m.n = 1;
		ask(&r, w, counsel_key(w, COUNSEL), &m);
		assert_true(r.answered && !r.refused);
		raw_close(&r);
	}
	/* and a level's keys are not worked out from the one below */
	{
		uint8_t key[32];

		assert_int_equal(client_access(w->p[VOLUNTEER0].c, RPC_COUNSEL, key), PERR_NOTFOUND);
		assert_int_equal(client_access(w->p[COUNSEL].c, RPC_STEWARD, key), PERR_NOTFOUND);
		assert_null(w->p[VOLUNTEER0].c->staff);
		assert_null(w->p[COUNSEL].c->admin);
	}
	world_free(w);
}

/* ---- a volunteer ------------------------------------------------------------------------- */

static void to_holder(struct world *w, enum world_who from, unsigned holder, uint8_t *cell,
                      enum cell_form form, const uint8_t *payload, size_t len)
{
	struct client *c = w->p[from].c;
	uint8_t pk[32];

	OK(prekey_for(c, w->p[HOLDER0 + holder].c->me->sign_pk, client_day(c), pk));
	OK(cell_seal(cell, NULL, form, payload, len, pk, &c->seasons[c->n_seasons - 1], w->rng));
}

/* well-sealed nonsense of every form, to the real keys of the holders */
static void garbage_of_a_volunteer_hides_no_honest_record(void **state)
{
	struct world *w = world_full(seed);
	uint8_t (*cells)[CELL_SIZE] = calloc(60, CELL_SIZE);
	uint8_t payload[CELL_PAYLOAD_MAX];
	unsigned i, bad = 0;
	struct raw r;

	assert_non_null(cells);
	for (i = 0; i < 60; i++) {
		size_t len = 1 + randombytes_uniform(CELL_PAYLOAD_MAX);

		randombytes_buf(payload, sizeof payload);
		if (i % 5 == 1) {                /* a reference to 64 MiB that are nowhere */
			struct blob_ref ref = { .size = BLOB_SIZE_MAX };

			randombytes_buf(ref.sk, 32);
			blob_ref_encode(payload, &ref);
			len = BLOB_REF_SIZE;
		}
		to_holder(w, VOLUNTEER0, i % 2, cells[i], (enum cell_form)(i % 5), payload, len);
	}
	put(&r, w, field_key(w, VOLUNTEER0), (const uint8_t (*)[CELL_SIZE])cells, 60);
	assert_int_equal(r.n_bytes, 60);
	raw_close(&r);
	world_submit(w, VOLUNTEER1, 9000, 3, NULL);
	world_sync(w, VOLUNTEER1);
	world_release(w);
	world_sync(w, HOLDER0);
	for (i = 0; i < w->last.n_servers; i++)
		bad += w->last.servers[i].taken.bad;
	assert_true(bad > 0);
	assert_true(world_has(w, HOLDER0, 9000, 3));
	assert_int_equal(world_count(w, HOLDER0, "stmt/"), 1);
	world_sync(w, HOLDER1);
	assert_true(world_has(w, HOLDER1, 9000, 3));
	/* and syncs go on working, also the search for what never comes */
	world_day(w, 5);
	world_sync(w, HOLDER0);
	world_submit(w, VOLUNTEER1, 100, 4, NULL);
	world_sync(w, VOLUNTEER1);
	world_release(w);
	world_sync(w, HOLDER0);
	assert_true(world_has(w, HOLDER0, 100, 4));
	free(cells);
	world_free(w);
}

static void a_replay_makes_no_second_record(void **state)
{
	struct world *w = world_full(seed);
	struct raw all, r;
	size_t i;

	world_submit(w, VOLUNTEER0, 100, 5, NULL);
	world_sync(w, VOLUNTEER0);
	world_release(w);
	world_sync(w, HOLDER0);
	assert_int_equal(world_count(w, HOLDER0, "stmt/"), 1);
	/* an attorney has all cells; she puts every one of them again, now and a release later */
	pull_all(&all, w, counsel_key(w, COUNSEL));
	put(&r, w, field_key(w, VOLUNTEER1), (const uint8_t (*)[CELL_SIZE])all.cells,
	    all.n_cells < 60 ? all.n_cells : 60);
	for (i = 0; i < r.n_bytes; i++)
		assert_int_equal(r.bytes[i], RPC_ALREADY);
	assert_true(i > 0);
	raw_close(&r);
	raw_close(&all);
	world_release(w);
	world_sync(w, HOLDER0);
	assert_int_equal(world_count(w, HOLDER0, "stmt/"), 1);
	world_free(w);
}

/* a statement of one's own, made with dispatch, but in the name of somebody else */
static void words_in_anothers_name_are_dropped(void **state)
{
	struct world *w = world_full(seed);
	struct client *c = w->p[VOLUNTEER0].c;
	struct identity honest = *c->me;
	unsigned i, bad = 0;

	/* he says he is the other volunteer; the signature is his own */
	memcpy(c->me->sign_pk, w->p[VOLUNTEER1].c->me->sign_pk, 32);
	world_submit(w, VOLUNTEER0, 10, 6, NULL);
	*c->me = honest;
	sodium_memzero(&honest, sizeof honest);
	world_sync(w, VOLUNTEER0);
	world_release(w);
	world_sync(w, HOLDER0);
	for (i = 0; i < w->last.n_servers; i++)
		bad += w->last.servers[i].taken.bad;
	assert_true(bad > 0);
	assert_int_equal(world_count(w, HOLDER0, "stmt/"), 0);
	world_free(w);
}

/* ---- whoever may pull: attorney, interpreter ----------------------------------------------- */

/*
 * How many cells open with any 32 bytes of this vault taken for a private key: records, not
 * board documents.
 */
struct candidates {
	struct reader_key k[2048];
	size_t n;
};

static void candidate(struct candidates *c, const uint8_t *sk)
{
	if (sodium_is_zero(sk, 32) || c->n == 2048)
		return;
	memcpy(c->k[c->n].sk, sk, 32);
	if (crypto_scalarmult_base(c->k[c->n].pk, sk) == 0)
		c->n++;
}

static enum perr gather(void *arg, const char *name, const uint8_t *v, size_t len)
{
	if (strncmp(name, "outbox/", 7) == 0 || strncmp(name, "blob/", 5) == 0 ||
	    strncmp(name, "form/", 5) == 0)
		return PERR_OK;
	if (len == 32)
		candidate(arg, v);
	for (size_t i = 0; i + 34 <= len; i++)
		if (v[i] == 0xc4 && (v[i + 1] == 32 || v[i + 1] == 64))
			candidate(arg, v + i + 2);
	return PERR_OK;
}

static unsigned opens(struct world *w, enum world_who who, const struct raw *all)
{
	struct candidates *c = calloc(1, sizeof *c);
	unsigned n = 0;

	assert_non_null(c);
	OK(kv_each(w->p[who].kv, "", gather, c));
	for (size_t i = 0; i < all->n_cells; i++) {
		uint8_t payload[CELL_PAYLOAD_MAX];
		size_t k, s, len;
		enum cell_form form;

		if (cell_trial(&k, &s, NULL, all->cells[i], c->k, c->n, w->p[who].c->seasons,
		               w->p[who].c->n_seasons) == PERR_OK &&
		    cell_open(&form, payload, &len, all->cells[i], &c->k[k],
		              &w->p[who].c->seasons[s]) == PERR_OK && form != CELL_BOARD)
			n++;
	}
	free(c);
	return n;
}

static enum perr first_name(void *arg, const char *name)
{
	char *out = arg;

	if (out[0] == '\0')
		snprintf(out, 96, "%s", name);
	return PERR_OK;
}

/* the record id of the first statement in a vault */
static void first_record(struct world *w, enum world_who who,
                         uint8_t record[STATEMENT_RECORD_SIZE])
{
	char name[96] = "";

	OK(kv_each_name(w->p[who].kv, "stmt/", first_name, name));
	assert_int_equal(sodium_hex2bin(record, STATEMENT_RECORD_SIZE, name + 5, 32, NULL, NULL,
	                                NULL), 0);
}

static void who_reads_a_cell_cannot_be_probed(void **state)
{
	struct world *w = world_full(seed);
	uint8_t record[STATEMENT_RECORD_SIZE];
	struct assign_what what = { .reason = "", .answer_days = ASSIGN_BY_POLICY };
	struct assign_done done;
	char why[DISPATCH_WHY] = "";
	struct raw all;

	world_join(w, INTERPRETER, w->desk);
	world_sync(w, COUNSEL);
	world_sync(w, INTERPRETER);
	world_release(w);
	world_submit(w, VOLUNTEER0, 9000, 7, NULL);
	world_submit(w, VOLUNTEER0, 9000, 8, NULL);
	world_sync(w, VOLUNTEER0);
	world_release(w);
	world_sync(w, HOLDER0);
	pull_all(&all, w, counsel_key(w, COUNSEL));
	assert_int_equal(opens(w, COUNSEL, &all), 0);
	assert_int_equal(opens(w, INTERPRETER, &all), 0);
	assert_int_equal(opens(w, ADMIN, &all), 0);
	assert_int_equal(opens(w, VOLUNTEER0, &all), 0);
	assert_int_equal(opens(w, HOLDER0, &all), 2 + 1);        /* the control; one is custody */
	raw_close(&all);
	/* one of the two is assigned to the attorney: she opens that, the interpreter nothing */
	first_record(w, HOLDER0, record);
	what.reader = w->p[COUNSEL].c->me->sign_pk;
	if (assign_record(w->p[HOLDER0].c, record, &what, &done, why) != PERR_OK)
		fail_msg("not assigned: %s", why);
	world_sync(w, HOLDER0);
	world_release(w);
	pull_all(&all, w, counsel_key(w, INTERPRETER));
	assert_int_equal(opens(w, COUNSEL, &all), 1);
	assert_int_equal(opens(w, INTERPRETER, &all), 0);
	raw_close(&all);
	world_free(w);
}

/*
 * Erasing needs the cell's own secret.  The answers to a wrong one are the same for every
 * cell, whoever it is for.
 */
static void others_cells_cannot_be_erased(void **state)
{
	struct world *w = world_full(seed);
	struct raw all, r;
	uint8_t *pairs;

	world_submit(w, VOLUNTEER0, 9000, 9, NULL);
	world_sync(w, VOLUNTEER0);
	world_release(w);
	pull_all(&all, w, counsel_key(w, COUNSEL));
	pairs = calloc(all.n_cells, 64);
	assert_non_null(pairs);
	for (unsigned guess = 0; guess < 4; guess++) {
		for (size_t i = 0; i < all.n_cells; i++) {
			uint8_t *p = pairs + i * 64;

			cell_id(p, all.cells[i]);
			if (guess == 0)
				randombytes_buf(p + 32, 32);
			else if (guess == 1)     /* T itself */
				memcpy(p + 32, all.cells[i] + CELL_TAG_AT, 32);
			else if (guess == 2)     /* E */
				memcpy(p + 32, all.cells[i], 32);
			else                     /* the id */
				memcpy(p + 32, p, 32);
		}
		erase(&r, w, counsel_key(w, COUNSEL), pairs, all.n_cells);
		assert_int_equal(r.n_bytes, all.n_cells);
		for (size_t i = 0; i < r.n_bytes; i++)
			assert_int_equal(r.bytes[i], r.bytes[0]);
		assert_true(r.bytes[0] != RPC_STORED && r.bytes[0] != RPC_ACCEPTED &&
		            r.bytes[0] != RPC_ALREADY);
		raw_close(&r);
	}
	assert_int_equal(erasures_waiting(w), 0);
	raw_close(&all);
	free(pairs);
	world_sync(w, HOLDER0);
	assert_true(world_has(w, HOLDER0, 9000, 9));
	world_free(w);
}

/* all that a holder can open she can have erased; it rests, and the stewards void it */
static void a_mass_erasure_rests_and_is_voided(void **state)
{
	struct world *w = world_full(seed);
	struct candidates *c = calloc(1, sizeof *c);
	struct raw all, r;
	uint8_t *pairs;
	size_t n = 0;
	uint64_t before;

	assert_non_null(c);
	for (unsigned i = 0; i < 5; i++)
		world_submit(w, VOLUNTEER0, 100, 10 + i, NULL);
	world_sync(w, VOLUNTEER0);
	world_release(w);
	pull_all(&all, w, counsel_key(w, HOLDER0));
	pairs = calloc(all.n_cells, 64);
	assert_non_null(pairs);
	OK(kv_each(w->p[HOLDER0].kv, "", gather, c));
	for (size_t i = 0; i < all.n_cells; i++) {
		size_t k, s;

		if (cell_trial(&k, &s, pairs + n * 64 + 32, all.cells[i], c->k, c->n,
		               w->p[HOLDER0].c->seasons, w->p[HOLDER0].c->n_seasons) != PERR_OK)
			continue;
		cell_id(pairs + n * 64, all.cells[i]);
		n++;
	}
	assert_true(n >= 5);
	before = world_cells(w, 0);
	erase(&r, w, counsel_key(w, HOLDER0), pairs, n);
	assert_int_equal(r.n_bytes, n);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(r.bytes[i], RPC_ACCEPTED);
	raw_close(&r);
	raw_close(&all);
	free(c);
	assert_int_equal(erasures_waiting(w), n);
	world_release(w);
	assert_int_equal(world_cells(w, 0), before);     /* it rests: 48 hours */
	{
		struct steward_server s;

		OK(steward_void(w->p[ADMIN].c, &w->net, 0, NULL, 0, &s));
		assert_int_equal(s.voided, n);
	}
	world_day(w, 1);
	world_release(w);
	world_day(w, 1);
	world_release(w);
	world_day(w, 1);
	world_release(w);
	world_sync(w, HOLDER1);
	for (unsigned i = 0; i < 5; i++)
		assert_true(world_has(w, HOLDER1, 100, 10 + i));
	assert_true(world_cells(w, 0) >= before);
	/* the control: not voided, the same requests do erase */
	erase(&r, w, counsel_key(w, HOLDER0), pairs, n);
	raw_close(&r);
	for (unsigned i = 0; i < 4; i++) {
		world_day(w, 1);
		world_release(w);
	}
	assert_int_equal(world_cells(w, 0), before - n);
	free(pairs);
	world_free(w);
}

/* ---- the board ----------------------------------------------------------------------------- */

/* put n cells of nonsense on the board; how many were taken */
static unsigned stuff(struct world *w, const uint8_t key[32], unsigned n)
{
	struct client *c = w->p[COUNSEL].c;
	static struct rpc_msg m;
	unsigned taken = 0;

	for (unsigned i = 0; i < n; i++) {
		uint8_t cell[CELL_SIZE];
		struct raw r;

		OK(cell_seal_decoy(cell, &c->seasons[c->n_seasons - 1], w->rng));
		memset(&m, 0, sizeof m);
		m.method = RPC_BOARD_PUT;
		m.cell = cell;
		ask(&r, w, key, &m);
		taken += r.answered && !r.refused && r.m.status == RPC_ACCEPTED;
		raw_close(&r);
	}
	return taken;
}

static void a_stuffed_board_is_cleared_and_filled_again(void **state)
{
	struct world *w = world_full(seed);
	struct steward_server s;
	struct raw r;
	static struct rpc_msg m;
	unsigned taken = stuff(w, counsel_key(w, COUNSEL), 600);
	bool everywhere;

	assert_true(taken > 400 && taken <= 512);        /* "at most 512 ordinary cells" */
	world_release(w);
	/* somebody else's entry is not replaced: its secret is not known */
	{
		uint8_t cell[CELL_SIZE], ds[32];

		randombytes_buf(ds, sizeof ds);
		OK(cell_seal_decoy(cell, &w->p[COUNSEL].c->seasons[0], w->rng));
		memset(&m, 0, sizeof m);
		m.method = RPC_BOARD_PUT;
		m.cell = cell;
		m.ds = ds;
		ask(&r, w, counsel_key(w, COUNSEL), &m);
		assert_true(r.answered && r.m.status != RPC_ACCEPTED && r.m.status != RPC_STORED);
		raw_close(&r);
	}
	/* whoever has an entry keeps it, and his next batch takes its place */
	OK(prekeys_renew(w->p[HOLDER0].c, true, NULL));
	world_sync(w, HOLDER0);
	OK(post_is_everywhere(w->p[HOLDER0].c, "batch", &everywhere));
	assert_true(everywhere);
	/* somebody new finds no room … */
	world_join(w, INTERPRETER, w->desk);
	(void)!world_try(w, INTERPRETER);
	OK(post_is_everywhere(w->p[INTERPRETER].c, "batch", &everywhere));
	assert_false(everywhere);
	/* … until the stewards clear the board, and everybody puts theirs again */
	OK(steward_board_clear(w->p[ADMIN].c, &w->net, 0, &s));
	assert_true(s.cleared >= 512);
	for (unsigned i = 0; i < 2; i++) {
		world_sync(w, HOLDER0);
		world_sync(w, HOLDER1);
		world_sync(w, INTERPRETER);
		world_release(w);
	}
	OK(post_is_everywhere(w->p[HOLDER0].c, "batch", &everywhere));
	assert_true(everywhere);
	OK(post_is_everywhere(w->p[INTERPRETER].c, "batch", &everywhere));
	assert_true(everywhere);
	world_sync(w, VOLUNTEER0);
	world_submit(w, VOLUNTEER0, 100, 20, NULL);
	world_sync(w, VOLUNTEER0);
	world_release(w);
	world_sync(w, HOLDER0);
	world_sync(w, HOLDER1);
	assert_true(world_has(w, HOLDER0, 100, 20));
	assert_true(world_has(w, HOLDER1, 100, 20));
	world_free(w);
}

/* an attorney publishes the next charter of a desk, with herself in it, signed by herself */
static void a_false_charter_gives_nobody_the_desk(void **state)
{
	struct world *w = world_full(seed);
	struct client *c = w->p[COUNSEL].c;
	const struct roster_desk *d = &c->field->desks[0];
	struct charter_signed now = { 0 }, next = { 0 };
	struct sign_key key;
	struct dispatch_readers readers;
	uint8_t cell[CELL_SIZE], ds[CELL_DS_SIZE], holders[3][32], *bytes = NULL;
	char why[DISPATCH_WHY] = "";
	static struct rpc_msg m;
	size_t len = 0;
	struct raw r;

	OK(charter_signed_decode(&now, d->charters[0].p, d->charters[0].len));
	memcpy(holders, now.body.holders, 64);
	memcpy(holders[2], c->me->sign_pk, 32);
	OK(charter_make(&next, now.body.name, now.body.organisation, 1,
	                (const uint8_t (*)[32])holders, 3, &now));
	client_sign_key(c, &key);
	OK(charter_sign(&next, &key));
	OK(charter_signed_encode(&bytes, &len, &next));
	OK(notices_seal(c, false, BOARD_CHARTER, bytes, len, cell, ds));
	memset(&m, 0, sizeof m);
	m.method = RPC_BOARD_PUT;
	m.cell = cell;
	ask(&r, w, counsel_key(w, COUNSEL), &m);
	assert_int_equal(r.m.status, RPC_ACCEPTED);
	raw_close(&r);
	world_release(w);
	for (enum world_who who = ADMIN; who <= VOLUNTEER1; who++)
		world_sync(w, who);
	OK(dispatch_desk(w->p[VOLUNTEER0].c, w->desk, true, &readers, why));
	assert_int_equal(readers.n, 2);
	assert_int_equal(readers.n_holders, 2);
	world_submit(w, VOLUNTEER0, 100, 21, NULL);
	world_sync(w, VOLUNTEER0);
	world_release(w);
	world_sync(w, COUNSEL);
	assert_int_equal(world_count(w, COUNSEL, "stmt/"), 0);
	signed_key_wipe(&key);
	doc_free(bytes, len);
	charter_signed_free(&now);
	charter_signed_free(&next);
	world_free(w);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_answered_beyond_ones_scope),
		cmocka_unit_test(garbage_of_a_volunteer_hides_no_honest_record),
		cmocka_unit_test(a_replay_makes_no_second_record),
		cmocka_unit_test(words_in_anothers_name_are_dropped),
		cmocka_unit_test(who_reads_a_cell_cannot_be_probed),
		cmocka_unit_test(others_cells_cannot_be_erased),
		cmocka_unit_test(a_mass_erasure_rests_and_is_voided),
		cmocka_unit_test(a_stuffed_board_is_cleared_and_filled_again),
		cmocka_unit_test(a_false_charter_gives_nobody_the_desk),
	};

	if (argc > 1)
		seed = (unsigned)strtoul(argv[1], NULL, 10);
	else if (getenv("SEED") != NULL)
		seed = (unsigned)strtoul(getenv("SEED"), NULL, 10);
	printf("seed: %u\n", seed);
	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
