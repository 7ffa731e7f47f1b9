/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * A desk with two or three holders, two servers, volunteers whose phones are offline for
 * days, holders who are away for days; weeks pass, cells expire, private halves die.  Any
 * one vault or any one server vanishes at a random moment, and nothing acknowledged is lost.
 *
 * What is held against it from outside: at the death of each private half another vault has
 * every statement it could open (none dies before its time), and in the end every holder's
 * vault has every record, whole.
 *
 * Controls: halves destroyed without asking the co-holders; a co-holder's custody statement
 * that lies.  Both must be caught by just these checks.
 */
#include "world.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "batch.h"
#include "covault.h"
#include "custody_say.h"
#include "envelope.h"
#include "holding.h"
#include "kv_mem.h"
#include "prekeys.h"
#include "record.h"
#include "roster.h"
#include "statement.h"

#define OK(call) assert_int_equal((call), PERR_OK)
#define RETENTION 24
#define GRACE     12
#define PERIOD    14
#define RECORDS   256
#define HALVES    256

static unsigned seed = 1;

enum control { HONEST, WITHOUT_CUSTODY, LYING };
enum loss { LOSE_NOTHING, LOSE_VAULT, LOSE_SERVER };

struct half {
	char name[32];
	uint32_t end;                    /* last day + grace */
};

struct holder {
	enum world_who who;
	uint32_t away_until;
	uint32_t lost;                   /* day; 0: never */
	struct half at[HALVES];
	unsigned n;
};

struct story {
	struct world *w;
	enum control control;
	unsigned n_holders;
	struct holder h[3];
	struct { uint8_t record[16]; enum world_who by; bool acknowledged; } rec[RECORDS];
	unsigned n_records;
	uint32_t phone_off[2];           /* until this day */
	unsigned dead_server;            /* WORLD_SERVERS: none */
	unsigned died, before_time, lost, missing, late;

};

static uint32_t pick(struct story *s, uint32_t n)
{
	uint8_t b[4];

	rng_fill(s->w->rng, b, sizeof b);
	return ((uint32_t)b[0] << 16 | (uint32_t)b[1] << 8 | b[2]) % n;
}

static uint32_t today(const struct story *s)
{
	return (uint32_t)(s->w->now / 86400);
}

static struct client *client_of(const struct story *s, const struct holder *h)
{
	return s->w->p[h->who].c;
}

/* ---- private halves, looked at from outside --------------------------------------------- */

struct looking {
	struct holder *h;
	struct batch b;
};

static enum perr look_one(void *arg, const char *name, const uint8_t *value, size_t len)
{
	struct looking *l = arg;
	struct half *half;
	unsigned long i;

	if (strlen(name) != strlen("prekey/00000001/07")) {
		OK(batch_open(&l->b, value, len));
		return PERR_OK;
	}
	i = strtoul(name + strlen(name) - 2, NULL, 10);
	assert_true(l->h->n < HALVES);
	half = &l->h->at[l->h->n++];
	snprintf(half->name, sizeof half->name, "%s", name);
	half->end = l->b.first_day + (uint32_t)(i + 1) * l->b.period - 1 + GRACE;
	return PERR_OK;
}

static void look(struct story *s, struct holder *h)
{
	struct looking *l = calloc(1, sizeof *l);

	assert_non_null(l);
	l->h = h;
	h->n = 0;
	OK(kv_each(s->w->p[h->who].kv, "prekey/", look_one, l));
	free(l);
}

/* is this statement, whole, in another holder's vault? */
static bool is_elsewhere(struct holding *const *others, unsigned n, const struct holding_item *it)
{
	for (unsigned k = 0; k < n; k++)
		for (size_t i = holding_from(others[k], it->day);
		     i < others[k]->n && others[k]->at[i].day == it->day; i++)
			if (memcmp(others[k]->at[i].hash, it->hash, CUSTODY_HASH) == 0 &&
			    others[k]->at[i].missing == 0)
				return true;
	return false;
}

/* a vault that was lost had them when it said so: of what it said nothing can be held against */
static void judge_statements(struct story *s, struct holder *h, uint32_t end)
{
	struct holding *own, *others[3];
	unsigned n = 0;
	bool any_lost = false;

	for (unsigned k = 0; k < s->n_holders; k++) {
		if (&s->h[k] == h)
			continue;
		OK(holding_load(client_of(s, &s->h[k]), s->w->desk, &others[n++]));
		any_lost |= s->h[k].lost != 0;
	}
	OK(holding_load(client_of(s, h), s->w->desk, &own));
	for (size_t i = 0; i < own->n && !any_lost; i++)
		s->before_time += own->at[i].day <= end && !is_elsewhere(others, n, &own->at[i]);
	for (unsigned k = 0; k < n; k++)
		holding_free(others[k]);
	holding_free(own);
}

/* what died since the last look, and whether it might */
static void judge(struct story *s, struct holder *h)
{
	struct holder before = *h;
	uint32_t scanned, end = 0;

	look(s, h);
	for (unsigned i = 0; i < before.n; i++) {
		unsigned k = 0;

		while (k < h->n && strcmp(h->at[k].name, before.at[i].name) != 0)
			k++;
		if (k < h->n)
			continue;
		s->died++;
		end = before.at[i].end > end ? before.at[i].end : end;
	}
	if (end == 0)
		return;
	OK(sync_scanned_through(client_of(s, h), &scanned));
	s->before_time += scanned < end || s->dead_server < WORLD_SERVERS;
	judge_statements(s, h, end);
}

/* ---- the two controls ------------------------------------------------------------------- */

static void retire_without_custody(struct story *s, struct holder *h)
{
	uint32_t scanned;
	unsigned n;

	OK(sync_scanned_through(client_of(s, h), &scanned));
	OK(prekeys_retire(client_of(s, h), scanned, 0, UINT32_MAX, &n));
}

/* in the vault of h: each co-holder says that she holds all that h holds */
static void plant_lies(struct story *s, struct holder *h)
{
	struct client *c = client_of(s, h);
	struct statement *st = calloc(1, sizeof *st);

	assert_non_null(st);
	for (unsigned k = 0; k < s->n_holders; k++) {
		struct custody_body body;
		enum take_result result;
		struct sign_key key;
		struct covaults *v;
		uint8_t *env;
		size_t len;

		if (&s->h[k] == h)
			continue;
		if (c->field == NULL)
			continue;        /* her vault was lost: she knows of no desk yet */
		OK(covaults_load(c, s->w->desk, &v));
		OK(custody_body_make(&body, v, today(s)));
		memset(st, 0, sizeof *st);
		st->kind = STATEMENT_CUSTODY;
		st->day = today(s);
		memcpy(st->to, s->w->desk, 32);
		st->body.custody = body.k;
		client_sign_key(client_of(s, &s->h[k]), &key);
		OK(envelope_make(&env, &len, NULL, st, today(s) * 24 + 23, NULL, 0, &key,
		                 c->env.rng));
		signed_key_wipe(&key);
		OK(kv_begin(c->kv));
		OK(record_take(c, env, len, &result));
		OK(kv_commit(c->kv));
		doc_free(env, len);
		custody_body_free(&body);
		covaults_free(v);
	}
	free(st);
}

/* ---- days ------------------------------------------------------------------------------- */

static void holder_syncs(struct story *s, struct holder *h)
{
	look(s, h);
	if (s->control == LYING)
		plant_lies(s, h);
	world_sync_on(s->w, h->who);
	if (s->control == WITHOUT_CUSTODY)
		retire_without_custody(s, h);
	judge(s, h);
}

static void submit(struct story *s, enum world_who by)
{
	assert_true(s->n_records < RECORDS);
	world_submit(s->w, by, 1 + pick(s, 6000), 1000 + s->n_records, NULL);
	memcpy(s->rec[s->n_records].record, s->w->record, 16);
	s->rec[s->n_records++].by = by;
}

static void phone_syncs(struct story *s, enum world_who by)
{
	world_sync(s->w, by);
	for (unsigned i = 0; i < s->n_records; i++)
		s->rec[i].acknowledged |= s->rec[i].by == by;
}

/* a phone stays offline up to the days of grace: what it brings then must still open */
static void phones(struct story *s, bool all)
{
	for (unsigned i = 0; i < 2; i++) {
		enum world_who by = i == 0 ? VOLUNTEER0 : VOLUNTEER1;

		if (!all && pick(s, 3) == 0)
			submit(s, by);
		if (!all && s->phone_off[i] > today(s))
			continue;
		phone_syncs(s, by);
		if (pick(s, 3) == 0) {
			s->phone_off[i] = today(s) + GRACE / 2 + pick(s, GRACE / 2);
			s->late++;
		}
	}
}

/* some days on which nobody did anything, and one on which many did */
static void one_step(struct story *s, bool all)
{
	for (uint32_t n = all ? 1 : 1 + pick(s, 4); n > 0; n--) {
		world_day(s->w, 1);
		if (n > 1)
			world_release(s->w);
	}
	phones(s, all);
	world_release(s->w);
	for (unsigned i = 0; i < s->n_holders; i++) {
		struct holder *h = &s->h[i];

		if (!all && (h->away_until > today(s) || pick(s, 3) == 0))
			continue;
		holder_syncs(s, h);
		/* away, but back before the servers forget */
		if (!all && pick(s, 6) == 0)
			h->away_until = today(s) + 1 + pick(s, RETENTION - 8);
	}
}

static void lose(struct story *s, enum loss what)
{
	if (what == LOSE_VAULT) {
		struct holder *h = &s->h[pick(s, s->n_holders)];

		world_lose_vault(s->w, h->who);
		h->lost = today(s);
		h->n = 0;
		h->away_until = 0;       /* she begins anew the same day or soon */
	} else if (what == LOSE_SERVER) {
		s->dead_server = pick(s, WORLD_SERVERS);
		world_stop(s->w, s->dead_server);
	}
}

/* ---- in the end ------------------------------------------------------------------------- */

static bool holds(struct holding *h, const uint8_t record[16])
{
	for (size_t i = 0; i < h->n; i++)
		if (memcmp(h->at[i].record, record, 16) == 0 && h->at[i].missing == 0)
			return true;
	return false;
}

static void count_up(struct story *s)
{
	struct holding *h[3];

	for (unsigned k = 0; k < s->n_holders; k++)
		OK(holding_load(client_of(s, &s->h[k]), s->w->desk, &h[k]));
	for (unsigned i = 0; i < s->n_records; i++) {
		unsigned n = 0;

		for (unsigned k = 0; k < s->n_holders; k++)
			n += holds(h[k], s->rec[i].record);
		if (!s->rec[i].acknowledged)
			continue;
		s->lost += n == 0;
		s->missing += s->n_holders - n;
		if (s->control == HONEST && n < s->n_holders)
			print_message("record %u is in %u of %u vaults\n", i, n, s->n_holders);
	}
	for (unsigned k = 0; k < s->n_holders; k++)
		holding_free(h[k]);
}

/* nothing is left to be told: every holder sees every record in two vaults */
static void all_is_said(struct story *s)
{
	for (unsigned k = 0; k < s->n_holders; k++) {
		struct covaults_sum sum;
		struct covaults *v;

		OK(covaults_load(client_of(s, &s->h[k]), s->w->desk, &v));
		OK(covaults_sum(v, &sum));
		assert_int_equal(sum.records, s->n_records);
		assert_int_equal(sum.in_one, 0);
		covaults_free(v);
	}
}

static struct story *story_new(unsigned n, enum control control, unsigned holders)
{
	static const enum world_who who[] = { HOLDER0, HOLDER1, COUNSEL };
	struct story *s = calloc(1, sizeof *s);
	struct roster_limits limits;

	assert_non_null(s);
	roster_limits_default(&limits);
	limits.retention_days = RETENTION;
	limits.grace_days = GRACE;
	limits.period_days = PERIOD;
	s->w = world_desk(n, holders, &limits);
	assert_int_equal(s->w->p[VOLUNTEER1].c->field->limits.grace_days, GRACE);
	s->control = control;
	s->n_holders = holders;
	s->dead_server = WORLD_SERVERS;
	for (unsigned i = 0; i < holders; i++)
		s->h[i].who = who[i];
	return s;
}

static void story_free(struct story *s)
{
	world_free(s->w);
	free(s);
}

static struct story *tell(unsigned n, enum control control, enum loss what, unsigned steps)
{
	struct story *s = story_new(n, control, 2 + n % 2);
	unsigned at = 4 + pick(s, steps - 8);

	/* away past the last day of a half and its grace: what must stop its death */
	if (control == WITHOUT_CUSTODY)
		s->h[1].away_until = today(s) + PERIOD + GRACE + 14;
	for (unsigned i = 0; i < steps; i++) {
		if (i == at)
			lose(s, what);
		one_step(s, false);
	}
	for (unsigned i = 0; i < 9; i++)
		one_step(s, true);
	count_up(s);
	return s;
}

static unsigned runs(unsigned few)
{
	const char *mode = getenv("AMPARO_TEST_MODE");

	return mode != NULL && strcmp(mode, "long") == 0 ? 20 * few : few;
}

static void any_vault_or_server_may_vanish(void **state)
{
	unsigned records = 0, died = 0, late = 0, n = runs(2);

	(void)state;
	for (unsigned i = 0; i < n; i++) {
		struct story *s = tell(seed + i, HONEST, i % 3 == 0 ? LOSE_VAULT
		                       : i % 3 == 1 ? LOSE_SERVER : LOSE_NOTHING, 26);

		if (s->lost + s->before_time + s->missing > 0)
			fail_msg("seed %u: %u lost, %u missing in a vault, %u halves died too soon", seed + i,
			         s->lost, s->missing, s->before_time);
		all_is_said(s);
		records += s->n_records;
		died += s->died;
		late += s->late;
		story_free(s);
	}
	assert_true(records > 0 && died > 0 && late > 0);
	print_message("figure: histories with a vault, a server or nothing lost: %u; records: %u; "
	              "phones offline for 6 to 11 of 12 days of grace: %u; private halves that died: %u, "
	              "before their time: 0; records lost: 0, missing in any vault: 0\n", n, records,
	              late, died);
}

/* with the real numbers of days: asked on the first day, filled on the second, said on the third */
static void a_lost_vault_is_filled_up(void **state)
{
	struct world *w = world_full(seed);
	struct covaults_sum sum;
	struct covaults *v;
	unsigned days = 0;

	(void)state;
	for (unsigned i = 0; i < 5; i++)
		world_submit(w, VOLUNTEER0, 9000, 1 + i, NULL);
	world_sync(w, VOLUNTEER0);
	world_release(w);
	world_sync_on(w, HOLDER0);
	world_sync_on(w, HOLDER1);
	for (unsigned i = 0; i < 3; i++) {
		world_day(w, 1);
		world_release(w);
		world_sync_on(w, HOLDER0);
		world_sync_on(w, HOLDER1);
	}
	OK(covaults_load(w->p[HOLDER0].c, w->desk, &v));
	OK(covaults_sum(v, &sum));
	assert_int_equal(sum.records, 5);
	assert_int_equal(sum.in_one, 0);
	covaults_free(v);
	world_lose_vault(w, HOLDER1);
	assert_int_equal(world_count(w, HOLDER1, "stmt/"), 0);
	for (days = 0; days < 9 && world_count(w, HOLDER1, "blob/") < 5; days++) {
		world_sync_on(w, HOLDER1);
		world_release(w);
		world_sync_on(w, HOLDER0);
		world_release(w);
		world_day(w, 1);
	}
	assert_int_equal(world_count(w, HOLDER1, "stmt/"), 5);
	for (unsigned i = 0; i < 5; i++)
		assert_true(world_has(w, HOLDER1, 9000, 1 + i));
	print_message("figure: a lost vault with 5 records was full again after %u days\n", days);
	world_free(w);
}

/* a sync of a holder whose store fails at its n-th commit; true: it had fewer */
static bool sync_killed_at(struct world *w, enum world_who who, unsigned commit)
{
	enum perr err;

	kv_mem_fail_commit(w->p[who].kv, commit);
	err = world_try(w, who);
	if (err == PERR_OK && w->last.more)
		err = world_try(w, who);
	kv_mem_fail_commit(w->p[who].kv, 0);
	world_reopen(w, who);
	if (err != PERR_OK)
		assert_int_equal(err, PERR_IO);
	return err == PERR_OK;
}

/*
 * The one who fills up and the one who is filled up are killed at each commit of their syncs
 * (every fourth in the short run), and go on as if nothing had been.
 */
static void a_kill_at_any_write_loses_and_doubles_nothing(void **state)
{
	struct world *w = world_full(seed);
	unsigned n = 0, kills = 0, step = runs(1) > 1 ? 1 : 4;
	bool whole = false;

	(void)state;
	for (unsigned cut = 1 + seed % step; !whole; cut += step) {
		struct covaults_sum sum;
		struct covaults *v;

		world_submit(w, VOLUNTEER0, 5000, ++n, NULL);
		world_sync(w, VOLUNTEER0);
		world_release(w);
		world_sync_on(w, HOLDER0);
		world_day(w, 1);
		world_lose_vault(w, HOLDER1);
		for (unsigned day = 0; day < 5; day++) {
			world_day(w, 1);
			whole = sync_killed_at(w, HOLDER1, cut);
			kills += !whole;
			world_release(w);
			whole &= sync_killed_at(w, HOLDER0, cut);
			kills += !whole;
			world_sync_on(w, HOLDER0);
			world_release(w);
			world_sync_on(w, HOLDER1);
			world_release(w);
		}
		world_day(w, 1);
		world_sync_on(w, HOLDER1);
		world_release(w);
		world_sync_on(w, HOLDER0);
		assert_int_equal(world_count(w, HOLDER1, "stmt/"), n);
		assert_int_equal(world_count(w, HOLDER1, "blob/"), n);
		for (unsigned i = 1; i <= n; i++)
			assert_true(world_has(w, HOLDER1, 5000, i));
		/* what is done needs no marks */
		assert_int_equal(world_count(w, HOLDER0, "reseal/"), 0);
		OK(covaults_load(w->p[HOLDER0].c, w->desk, &v));
		OK(covaults_sum(v, &sum));
		assert_int_equal(sum.in_one, 0);
		covaults_free(v);
	}
	assert_true(kills > 3);
	print_message("figure: kills of holders who fill up or are filled up: %u; records lost or "
	              "doubled: 0\n", kills);
	world_free(w);
}

/*
 * With the real numbers of days: she is away for a hundred days, her own cells expire, and the
 * only vault that had the record is lost on the ninetieth.
 */
static void a_long_holiday_loses_nothing(void **state)
{
	struct world *w = world_full(seed);
	unsigned expired;

	(void)state;
	world_day(w, 1);
	world_submit(w, VOLUNTEER0, 9000, 1, NULL);
	world_sync(w, VOLUNTEER0);
	world_release(w);
	for (unsigned day = 0; day < 90; day++) {
		if (day % 5 == 0)
			world_sync_on(w, HOLDER0);
		world_release(w);
		world_day(w, 1);
	}
	world_lose_vault(w, HOLDER0);
	for (unsigned day = 90; day < 100; day++) {
		world_release(w);
		world_day(w, 1);
	}
	expired = world_count(w, HOLDER1, "stmt/");
	world_sync_on(w, HOLDER1);
	assert_int_equal(expired, 0);
	assert_true(world_has(w, HOLDER1, 9000, 1));
	/* and from her the vault that was begun anew */
	for (unsigned day = 0; day < 6; day++) {
		world_sync_on(w, HOLDER0);
		world_sync_on(w, HOLDER1);
		world_release(w);
		world_day(w, 1);
	}
	world_sync_on(w, HOLDER0);
	assert_true(world_has(w, HOLDER0, 9000, 1));
	world_free(w);
}

static void halves_that_die_without_custody_are_caught(void **state)
{
	unsigned caught = 0, n = runs(1);

	(void)state;
	for (unsigned i = 0; i < n; i++) {
		struct story *s = tell(seed + 100 + i, WITHOUT_CUSTODY, LOSE_NOTHING, 20);

		caught += s->before_time > 0 || s->lost > 0;
		story_free(s);
	}
	assert_int_equal(caught, n);
	print_message("figure: controls caught, halves that die without custody: %u/%u\n", caught,
	              n);
}

static void a_digest_that_lies_is_caught(void **state)
{
	unsigned caught = 0, n = runs(1);

	(void)state;
	for (unsigned i = 0; i < n; i++) {
		struct story *s = tell(seed + 200 + i, LYING, LOSE_VAULT, 12);

		caught += s->before_time > 0 || s->lost > 0 || s->missing > 0;
		story_free(s);
	}
	assert_int_equal(caught, n);
	print_message("figure: controls caught, custody that lies: %u/%u\n", caught, n);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_vault_or_server_may_vanish),
		cmocka_unit_test(a_lost_vault_is_filled_up),
		cmocka_unit_test(a_kill_at_any_write_loses_and_doubles_nothing),
		cmocka_unit_test(a_long_holiday_loses_nothing),
		cmocka_unit_test(halves_that_die_without_custody_are_caught),
		cmocka_unit_test(a_digest_that_lies_is_caught),
	};

	if (sodium_init() < 0)
		return 1;
	if (getenv("AMPARO_SEED") != NULL)
		seed = (unsigned)strtoul(getenv("AMPARO_SEED"), NULL, 10);
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	print_message("seed: %u\n", seed);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
