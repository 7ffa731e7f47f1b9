/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * A family withdraws its consent: a case goes from every reader's device and from the servers,
 * whoever was off complies when they come back, a kill at any moment is completed; one stolen
 * holder's vault that orders it for everything is voided, and nothing is lost; a legal hold
 * keeps one copy.
 */
#include "world.h"

#include <ftw.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "assign.h"
#include "case.h"
#include "dispatch.h"
#include "erasing.h"
#include "gone.h"
#include "kv_mem.h"
#include "org.h"
#include "steward.h"

#define OK(call) assert_int_equal((call), PERR_OK)
#define PHOTO  20000
#define CANARY "Canaria Quetzalli"
#define IDS    4096

static unsigned seed = 1;
static const enum world_who readers[] = { HOLDER0, HOLDER1, COUNSEL };
#define N_READERS 3

static struct client *of(struct world *w, enum world_who who)
{
	return w->p[who].c;
}

static void days(struct world *w, int n)
{
	while (n-- > 0) {
		world_day(w, 1);
		world_release(w);
	}
}

/* one release a day, and everybody who is on syncs twice: what one queues the next one gets */
static void live(struct world *w, int n, unsigned on)
{
	while (n-- > 0) {
		days(w, 1);
		for (unsigned i = 0; i < N_READERS; i++)
			if ((on >> i & 1) != 0)
				world_sync_on(w, readers[i]);
	}
}
#define ALL 7u

/* ---- what there is -------------------------------------------------------------------- */

struct ids {
	uint8_t at[IDS][32];
	unsigned n;
};

static void add_id(struct ids *l, const uint8_t id[32])
{
	for (unsigned i = 0; i < l->n; i++)
		if (memcmp(l->at[i], id, 32) == 0)
			return;
	assert_true(l->n < IDS);
	memcpy(l->at[l->n++], id, 32);
}

static enum perr one_cell(void *arg, const char *name, const uint8_t *value, size_t len)
{
	(void)name;
	assert_true(len >= 64);
	add_id(arg, value);
	return PERR_OK;
}

static enum perr one_list(void *arg, const char *name, const uint8_t *value, size_t len)
{
	(void)name;
	/* id and erase secret of each chunk; the id is not known before it came */
	for (size_t i = 0; i + 64 <= len; i += 64)
		if (!sodium_is_zero(value + i, 32))
			add_id(arg, value + i);
	return PERR_OK;
}

/* the cells that brought everything this person has */
static void cells_of(struct world *w, enum world_who who, struct ids *l)
{
	OK(kv_each(w->p[who].kv, "cell/", one_cell, l));
	OK(kv_each(w->p[who].kv, "chunks/", one_list, l));
}

static struct ids *wanted;
static unsigned n_seen;
static bool seen[IDS];

static int look_in(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	const char *name = strrchr(path, '/');
	uint8_t *bytes;
	FILE *f;
	size_t n;

	(void)ftw;
	/* segments and the pool hold cells; state.mdb holds what was erased as well */
	if (type != FTW_F || name == NULL || strcmp(name, "/state.mdb") == 0)
		return 0;
	bytes = malloc((size_t)st->st_size + 1);
	f = fopen(path, "rb");
	assert_non_null(bytes);
	assert_non_null(f);
	n = fread(bytes, 1, (size_t)st->st_size, f);
	fclose(f);
	for (unsigned i = 0; i < wanted->n; i++)
		if (!seen[i] && memmem(bytes, n, wanted->at[i], 32) != NULL) {
			seen[i] = true;
			n_seen++;
		}
	free(bytes);
	return 0;
}

/* how many of these cells some server's files have */
static unsigned on_servers(struct world *w, struct ids *l)
{
	wanted = l;
	n_seen = 0;
	memset(seen, 0, sizeof seen);
	for (unsigned i = 0; i < WORLD_SERVERS; i++)
		nftw(w->s[i].dir, look_in, 16, FTW_PHYS);
	return n_seen;
}

static enum perr one_value(void *arg, const char *name, const uint8_t *value, size_t len)
{
	unsigned *n = arg;

	(void)name;
	*n += memmem(value, len, CANARY, sizeof CANARY - 1) != NULL ||
	      memmem(value, len, "canaria quetzalli", sizeof CANARY - 1) != NULL;
	return PERR_OK;
}

/* records of this vault in which the family's name stands */
static unsigned canaries(struct world *w, enum world_who who)
{
	unsigned n = 0;

	OK(kv_each(w->p[who].kv, "", one_value, &n));
	return n;
}

struct only {
	struct case_summary s;
	unsigned n;
};

static enum perr take_one(void *arg, const struct case_summary *s)
{
	struct only *o = arg;

	o->s = *s;
	o->n++;
	return PERR_OK;
}

static unsigned cases(struct world *w, enum world_who who, struct case_summary *s)
{
	static struct only o;

	o.n = 0;
	OK(case_each(of(w, who), take_one, &o, NULL));
	if (s != NULL)
		*s = o.s;
	return o.n;
}

/* ---- the story's beginning ------------------------------------------------------------- */

/* a correction by the code; the world's roster lists no form */
static void amend_as(struct world *w, enum world_who who, const struct case_summary *s)
{
	struct client *c = of(w, who);
	struct dispatch *d = dispatch_new(c);
	struct statement *st = calloc(1, sizeof *st);
	struct statement_amendment *am;
	struct dispatch_readers r;
	char why[DISPATCH_WHY];

	assert_non_null(d);
	assert_non_null(st);
	am = &st->body.amendment;
	st->kind = STATEMENT_AMENDMENT;
	st->day = client_day(c);
	memcpy(st->to, w->desk, 32);
	rng_fill(c->env.rng, st->record, sizeof st->record);
	memcpy(am->code, s->code, sizeof am->code);
	am->form_id = doc_text_of(s->form_id);
	am->form_version = doc_text_of(s->form_version);
	am->n_changes = 1;
	am->changes[0].path = doc_text_of("/data/person/name");
	am->changes[0].value = doc_text_of(CANARY);
	OK(dispatch_desk(c, w->desk, false, &r, why));
	OK(dispatch_begin(d));
	OK(dispatch_send(d, st, NULL, 0, &r, false));
	OK(dispatch_commit(d, NULL));
	dispatch_free(d);
	free(st);
}

/* an interview with a photograph, corrected by a phone, assigned to the attorney, with a note */
static void a_case(struct world *w, struct case_summary *s, struct ids *l)
{
	const struct assign_what what = { .reader = of(w, COUNSEL)->me->sign_pk, .reason = "because" };
	struct assign_done done;
	struct assign_told told;
	char why[DISPATCH_WHY];

	/* keys are published and read */
	live(w, 1, ALL);
	world_submit(w, VOLUNTEER0, PHOTO, 1, NULL);
	world_sync(w, VOLUNTEER0);
	world_release(w);
	world_sync_on(w, HOLDER0);
	assert_int_equal(cases(w, HOLDER0, s), 1);
	amend_as(w, VOLUNTEER1, s);
	world_sync(w, VOLUNTEER1);
	OK(assign_record(of(w, HOLDER0), s->record, &what, &done, why));
	OK(assign_note(of(w, HOLDER0), s->record, "said " CANARY, &told, why));
	live(w, 2, ALL);
	for (unsigned i = 0; i < N_READERS; i++) {
		assert_int_equal(cases(w, readers[i], s), 1);
		assert_true(canaries(w, readers[i]) > 0);
		if (l != NULL)
			cells_of(w, readers[i], l);
	}
}

static uint32_t order(struct world *w, enum world_who who, const uint8_t *record)
{
	struct erasing_told told;
	char why[DISPATCH_WHY];

	OK(erasing_say(of(w, who), record, STATEMENT_ERASE_ORDER, "they asked", &told, why));
	return told.due;
}

static void is_gone(struct world *w, enum world_who who)
{
	assert_int_equal(cases(w, who, NULL), 0);
	assert_int_equal(canaries(w, who), 0);
	assert_int_equal(world_count(w, who, "stmt/"), 0);
	assert_int_equal(world_count(w, who, "blob/"), 0);
	assert_int_equal(world_count(w, who, "want/"), 0);
	assert_int_equal(world_count(w, who, "code/"), 0);
	assert_int_equal(world_count(w, who, "cell/"), 0);
	assert_int_equal(world_count(w, who, "chunks/"), 0);
}

/* ---- tests -------------------------------------------------------------------------------- */

static void a_case_goes_everywhere_and_who_was_off_complies_on_coming_back(void **state)
{
	struct world *w = world_full(seed);
	struct ids *l = calloc(1, sizeof *l);
	struct erasing *e = calloc(1, sizeof *e);
	struct case_summary s;
	unsigned before, i;

	a_case(w, &s, l);
	before = on_servers(w, l);
	assert_true(before > 10);
	order(w, HOLDER0, s.record);
	world_sync_on(w, HOLDER0);
	/* the attorney is on holiday; within the rest nothing happens to anybody */
	live(w, 2, 3);
	for (i = 0; i < 2; i++) {
		assert_int_equal(cases(w, readers[i], NULL), 1);
		assert_true(canaries(w, readers[i]) > 0);
	}
	assert_int_equal(on_servers(w, l), before);
	live(w, 3, 3);
	is_gone(w, HOLDER0);
	is_gone(w, HOLDER1);
	assert_true(canaries(w, COUNSEL) > 0);   /* the control: nobody came yet */
	/* a second copy from a phone, a new correction by the code: they stay out */
	amend_as(w, VOLUNTEER1, &s);
	world_sync(w, VOLUNTEER1);
	live(w, 1, 3);
	is_gone(w, HOLDER0);
	is_gone(w, HOLDER1);
	/* the requester sees who is waited for */
	OK(erasing_get(of(w, HOLDER0), s.record, e));
	assert_int_equal(e->state, ERASING_DONE);
	assert_int_equal(e->n_readers, 2);
	for (i = 0; i < 2; i++)
		assert_int_equal(e->readers[i].step,
		                 memcmp(e->readers[i].key, of(w, COUNSEL)->me->sign_pk, 32) == 0
		                 ? 0 : STATEMENT_ERASE_DONE);
	/* back from holiday: one sync */
	world_sync_on(w, COUNSEL);
	is_gone(w, COUNSEL);
	live(w, 6, ALL);
	printf("figure: cells of the record on servers before %u, after all complied %u; vaults with its "
	       "name before 3, after 0\n", before, on_servers(w, l));
	assert_int_equal(on_servers(w, l), 0);
	OK(erasing_get(of(w, HOLDER0), s.record, e));
	for (i = 0; i < e->n_readers; i++)
		assert_int_equal(e->readers[i].step, STATEMENT_ERASE_DONE);
	/* and nothing of it comes back by custody */
	live(w, 4, ALL);
	for (i = 0; i < N_READERS; i++)
		is_gone(w, readers[i]);
	free(l);
	free(e);
	world_free(w);
}

static void a_kill_at_any_write_is_completed_by_the_next_sync(void **state)
{
	struct world *w = world_full(seed + 1);
	struct case_summary s;
	unsigned kills = 0, n;
	enum perr err = PERR_IO;

	a_case(w, &s, NULL);
	order(w, HOLDER0, s.record);
	world_sync_on(w, HOLDER0);
	live(w, 2, 3);
	days(w, 2);
	for (unsigned at = 1; err != PERR_OK; at++) {
		assert_true(at < 20);
		kv_mem_fail_commit(w->p[HOLDER1].kv, at);
		err = erasing_run(of(w, HOLDER1), true, &n);
		kv_mem_fail_commit(w->p[HOLDER1].kv, 0);
		world_reopen(w, HOLDER1);
		if (err == PERR_OK)
			break;
		kills++;
		/* whole, or gone */
		if (cases(w, HOLDER1, NULL) == 1)
			assert_true(world_has(w, HOLDER1, PHOTO, 1));
		else
			is_gone(w, HOLDER1);
	}
	is_gone(w, HOLDER1);
	printf("figure: kills while a case is erased: %u; neither whole nor gone afterwards: 0\n", kills);
	assert_true(kills >= 3);
	world_free(w);
}

static enum perr order_one(void *arg, const struct case_summary *s)
{
	struct ids *l = arg;
	uint8_t id[32] = { 0 };

	memcpy(id, s->record, STATEMENT_RECORD_SIZE);
	add_id(l, id);
	return PERR_OK;
}

enum answer { NOBODY_ACTS, STEWARDS_VOID, A_HOLDER_STOPS };

/* the thief has a holder's device, unlocked, and orders everything */
static void steal(enum answer answer, bool expect_loss)
{
	struct world *w = world_full(seed + 2);
	struct ids *l = calloc(1, sizeof *l), *records = calloc(1, sizeof *records);
	struct erasing_told told;
	char why[DISPATCH_WHY];
	unsigned before, blobs, i;

	for (i = 0; i < 4; i++)
		world_submit(w, i % 2 == 0 ? VOLUNTEER0 : VOLUNTEER1, PHOTO, i, NULL);
	world_sync(w, VOLUNTEER0);
	world_sync(w, VOLUNTEER1);
	world_release(w);
	live(w, 1, 3);
	for (i = 0; i < 2; i++) {
		assert_int_equal(cases(w, readers[i], NULL), 4);
		cells_of(w, readers[i], l);
	}
	before = on_servers(w, l);
	blobs = world_count(w, HOLDER1, "blob/");
	OK(case_each(of(w, HOLDER0), order_one, records, NULL));
	for (i = 0; i < records->n; i++)
		order(w, HOLDER0, records->at[i]);
	world_sync_on(w, HOLDER0);
	live(w, 1, 2);
	assert_int_equal(world_count(w, HOLDER1, "erasing/"), 4);
	if (answer == STEWARDS_VOID) {
		struct steward_server r;

		for (i = 0; i < WORLD_SERVERS; i++)
			OK(steward_void(of(w, ADMIN), &w->net, i, NULL, 0, &r));
		OK(org_void_erasures(of(w, ADMIN), NULL, 0));
		world_push(w);
	} else if (answer == A_HOLDER_STOPS) {
		for (i = 0; i < records->n; i++)
			OK(erasing_say(of(w, HOLDER1), records->at[i], STATEMENT_ERASE_STOP, "it was not her",
			               &told, why));
	}
	live(w, 9, 3);
	if (!expect_loss) {
		assert_int_equal(on_servers(w, l), before);
		assert_int_equal(cases(w, HOLDER1, NULL), 4);
		assert_int_equal(world_count(w, HOLDER1, "blob/"), blobs);
		assert_int_equal(cases(w, HOLDER0, NULL), 4);
	} else {
		assert_int_equal(on_servers(w, l), 0);
		is_gone(w, HOLDER1);
		is_gone(w, HOLDER0);
	}
	printf("figure: one stolen vault orders all of 4 cases, %s: cells %u of %u, cases in the other "
	       "vault %u\n", answer == NOBODY_ACTS ? "nobody acts (control)" : answer == STEWARDS_VOID
	       ? "the stewards void it" : "a co-holder stops it", on_servers(w, l), before,
	       cases(w, HOLDER1, NULL));
	free(l);
	free(records);
	world_free(w);
}

static void a_mass_erasure_by_one_stolen_vault_is_voided(void **state)
{
	steal(STEWARDS_VOID, false);
	steal(A_HOLDER_STOPS, false);
	steal(NOBODY_ACTS, true);
}

/* an order dated back to before it could be seen by anybody rests all the same */
static void nobody_dates_an_order_back(void **state)
{
	struct world *w = world_full(seed + 3);
	struct erasing *e = calloc(1, sizeof *e);
	struct client *thief = of(w, HOLDER0);
	struct dispatch *d = dispatch_new(thief);
	struct statement *st = calloc(1, sizeof *st);
	struct dispatch_readers r;
	struct case_summary s;
	char why_not[DISPATCH_WHY];
	uint8_t author[32];
	const char *why;
	uint32_t today;

	a_case(w, &s, NULL);
	st->kind = STATEMENT_ERASE;
	st->day = client_day(thief) - 30;
	memcpy(st->to, w->desk, 32);
	memcpy(st->record, s.record, sizeof st->record);
	st->body.erase.reason = doc_text_of("");
	st->body.erase.step = STATEMENT_ERASE_ORDER;
	OK(dispatch_desk(thief, w->desk, false, &r, why_not));
	OK(dispatch_begin(d));
	OK(dispatch_send(d, st, NULL, 0, &r, false));
	OK(dispatch_commit(d, NULL));
	dispatch_free(d);
	world_sync_on(w, HOLDER0);
	days(w, 1);
	today = client_day(of(w, HOLDER1));
	world_sync_on(w, HOLDER1);
	OK(erasing_get(of(w, HOLDER1), s.record, e));
	assert_int_equal(e->state, ERASING_ORDERED);
	assert_true(erasing_due(of(w, HOLDER1), e, author, &why) >= today + ERASING_REST_DAYS - 1);
	assert_int_equal(cases(w, HOLDER1, NULL), 1);
	/* the control: by the day it says itself it would be due since long */
	assert_true(st->day + ERASING_REST_DAYS < today);
	free(st);
	free(e);
	world_free(w);
}

static enum perr one_asked(void *arg, const struct erasing *e)
{
	*(unsigned *)arg += e->state == ERASING_ASKED;
	return PERR_OK;
}

static unsigned asked(struct world *w, enum world_who who)
{
	unsigned n = 0;

	OK(erasing_each(of(w, who), one_asked, &n));
	return n;
}

static void only_holders_order(void **state)
{
	struct world *w = world_full(seed + 4);
	struct case_summary s;
	struct erasing_told told;
	char why[DISPATCH_WHY];

	a_case(w, &s, NULL);
	assert_int_equal(erasing_say(of(w, COUNSEL), s.record, STATEMENT_ERASE_ORDER, "", &told, why),
	                 PERR_REFUSED);
	OK(erasing_say(of(w, COUNSEL), s.record, STATEMENT_ERASE_ASK, "", &told, why));
	/* and a volunteer by the code */
	OK(erasing_ask(of(w, VOLUNTEER0), s.code, w->desk, "the mother called", &told, why));
	world_sync(w, VOLUNTEER0);
	live(w, 8, ALL);
	for (unsigned i = 0; i < N_READERS; i++)
		assert_int_equal(cases(w, readers[i], NULL), 1);
	assert_true(world_count(w, HOLDER0, "erasing/") >= 2);
	/* an order by one who may not give it hides no asking */
	{
		struct statement *st = calloc(1, sizeof *st);
		struct dispatch *d = dispatch_new(of(w, COUNSEL));
		struct dispatch_readers r;

		st->kind = STATEMENT_ERASE;
		st->day = client_day(of(w, COUNSEL));
		memcpy(st->to, w->desk, 32);
		memcpy(st->record, s.record, sizeof st->record);
		st->body.erase.reason = doc_text_of("");
		st->body.erase.step = STATEMENT_ERASE_ORDER;
		st->body.erase.has_code = true;
		memcpy(st->body.erase.code, s.code, sizeof st->body.erase.code);
		OK(dispatch_desk(of(w, COUNSEL), w->desk, false, &r, why));
		OK(dispatch_begin(d));
		OK(dispatch_send(d, st, NULL, 0, &r, false));
		OK(dispatch_commit(d, NULL));
		dispatch_free(d);
		free(st);
	}
	live(w, 8, ALL);
	for (unsigned i = 0; i < N_READERS; i++)
		assert_int_equal(cases(w, readers[i], NULL), 1);
	assert_int_equal(asked(w, HOLDER0), 2);
	assert_int_equal(asked(w, HOLDER1), 2);
	/* a no ends both askings */
	OK(erasing_say(of(w, HOLDER0), s.record, STATEMENT_ERASE_STOP, "they changed their mind", &told,
	               why));
	live(w, 2, ALL);
	assert_int_equal(asked(w, HOLDER0), 0);
	assert_int_equal(asked(w, HOLDER1), 0);
	world_free(w);
}

static void a_legal_hold_keeps_one_copy_and_no_cell(void **state)
{
	struct world *w = world_full(seed + 5);
	struct ids *l = calloc(1, sizeof *l);
	struct erasing *e = calloc(1, sizeof *e);
	struct case_summary s;
	struct erasing_told told;
	char why[DISPATCH_WHY];
	enum gone gone;

	a_case(w, &s, l);
	OK(erasing_hold(of(w, HOLDER1), s.record, "a court's order"));
	order(w, HOLDER0, s.record);
	live(w, 11, ALL);
	is_gone(w, HOLDER0);
	is_gone(w, COUNSEL);
	assert_int_equal(on_servers(w, l), 0);
	assert_int_equal(cases(w, HOLDER1, NULL), 1);
	assert_true(world_has(w, HOLDER1, PHOTO, 1));
	OK(gone_of(of(w, HOLDER1), s.record, &gone));
	assert_int_equal(gone, GONE_KEPT);
	/* nothing of it is passed on */
	assert_int_equal(erasing_say(of(w, HOLDER1), s.record, STATEMENT_ERASE_STOP, "", &told, why),
	                 PERR_REFUSED);
	/* the others know */
	OK(erasing_get(of(w, HOLDER0), s.record, e));
	for (uint32_t i = 0; i < e->n_readers; i++)
		if (memcmp(e->readers[i].key, of(w, HOLDER1)->me->sign_pk, 32) == 0)
			assert_int_equal(e->readers[i].step, STATEMENT_ERASE_KEPT);
	/* the hold ends */
	OK(erasing_unhold(of(w, HOLDER1), s.record));
	live(w, 2, ALL);
	is_gone(w, HOLDER1);
	free(l);
	free(e);
	world_free(w);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_case_goes_everywhere_and_who_was_off_complies_on_coming_back),
		cmocka_unit_test(a_kill_at_any_write_is_completed_by_the_next_sync),
		cmocka_unit_test(a_mass_erasure_by_one_stolen_vault_is_voided),
		cmocka_unit_test(nobody_dates_an_order_back),
		cmocka_unit_test(only_holders_order),
		cmocka_unit_test(a_legal_hold_keeps_one_copy_and_no_cell),
	};

	if (argc > 1)
		seed = (unsigned)strtoul(argv[1], NULL, 10);
	if (sodium_init() < 0)
		return 1;
	printf("seed: %u\n", seed);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
