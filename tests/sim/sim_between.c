/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * What a person does while a sync runs: between any two pieces of bytes the same client is
 * used for something else, locked, or given another roster.
 */
#include "world.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "assign.h"
#include "draft.h"
#include "outbox.h"
#include "outbox_file.h"
#include "roster.h"
#include "statement.h"
#include "sync_run.h"

#define OK(x) assert_int_equal((x), PERR_OK)
#define INTAKES    6
#define ATTACHMENT 9000
/* its cells are more than what is under way at once: an upload that is filled as it goes */
#define LARGE      700000

static unsigned seed = 1, rounds = 2;

/* the person whose device it is, and what happened so far */
static struct {
	enum world_who who;
	struct rng_seeded seed;
	struct rng rng;
	unsigned sealed, drafts, reloads, saves, notes, steps;
	unsigned leave_at;               /* lock at this step; 0: never */
	unsigned join_at;                /* the roster changes at this step; 0: never */
	unsigned adopted;
	size_t first;                    /* bytes of the first intake's attachment */
	bool no_files;                   /* a file mixes what is fresh with its decoys at once */
} it;

static uint32_t below(uint32_t n)
{
	uint32_t r;

	rng_fill(it.rng, (uint8_t *)&r, sizeof r);
	return r % n;
}

static void begin(enum world_who who, unsigned n)
{
	uint8_t s[32] = { 'b', (uint8_t)n, (uint8_t)(n >> 8), (uint8_t)seed };

	memset(&it, 0, sizeof it);
	it.who = who;
	it.first = ATTACHMENT;
	it.rng = rng_seeded(&it.seed, s);
}

static void seal(struct world *w)
{
	if (it.sealed == INTAKES)
		return;
	it.sealed++;
	world_submit(w, it.who, it.sealed == 1 ? it.first : ATTACHMENT, it.sealed, NULL);
}

static void save_draft(struct world *w)
{
	struct draft *d = draft_new();
	char answers[24];

	assert_non_null(d);
	d->head.day = client_day(w->p[it.who].c);
	snprintf(d->head.form_id, sizeof d->head.form_id, "raid");
	snprintf(d->head.form_version, sizeof d->head.form_version, "1");
	snprintf(answers, sizeof answers, "draft %u", it.drafts++);
	OK(draft_save(w->p[it.who].kv, d, (const uint8_t *)answers, strlen(answers)));
	draft_free(d);
}

static enum perr no_file(void *arg, const uint8_t piece[OUTFILE_PIECE])
{
	(void)arg;
	(void)piece;
	return PERR_OK;
}

static void save_outbox(struct world *w)
{
	struct outbox_save s;
	enum perr err = outbox_save(w->p[it.who].c, no_file, NULL, &s);

	assert_true(err == PERR_OK || err == PERR_NOTFOUND);
	if (err == PERR_OK)
		OK(outbox_saved(w->p[it.who].c, s.last_group));
	it.saves += err == PERR_OK;
}

static void volunteers_deed(struct world *w)
{
	if (below(3) != 0)
		return;
	switch (below(4)) {
	case 0:
		/* seldom: some of them in the middle of a long upload */
		if (below(12) == 0)
			seal(w);
		return;
	case 1:
		save_draft(w);
		return;
	case 2:
		if (!it.no_files)
			save_outbox(w);
		return;
	default:
		/* every pointer into the roster that somebody kept is a wrong one now */
		OK(client_reload(w->p[it.who].c));
		it.reloads++;
	}
}

static void volunteer_between(struct world *w)
{
	w->between = NULL;
	it.steps++;
	volunteers_deed(w);
	w->between = volunteer_between;
}

/* decoys_size's are multiples of this: whatever else a server got had none */
static void assert_sizes_say_nothing(const struct world *w)
{
	for (unsigned i = 0; i < w->last.n_servers; i++)
		assert_int_equal(w->last.servers[i].uploaded % 18, 0);
}

static void sync_with(struct world *w, void (*between)(struct world *w))
{
	w->between = between;
	world_sync(w, it.who);
	w->between = NULL;
	assert_sizes_say_nothing(w);
}

static unsigned drafts_of(struct world *w, enum world_who who)
{
	return world_count(w, who, "draft/");
}

/* the first ones all, then ever fewer of them; AMPARO_LONG: closer together */
static unsigned next_moment(unsigned at)
{
	return at + 1 + at / (getenv("AMPARO_LONG") != NULL ? 8 : 3);
}

static void all_arrived(struct world *w, unsigned n)
{
	world_release(w);
	world_sync(w, HOLDER0);
	assert_int_equal(world_count(w, HOLDER0, "stmt/"), n);
	for (unsigned i = 1; i <= n; i++)
		assert_true(world_has(w, HOLDER0, i == 1 ? it.first : ATTACHMENT, i));
}

static void a_volunteer_works_on_while_it_syncs(void **state)
{
	unsigned n, steps = 0, sealed = 0, drafts = 0, reloads = 0, saves = 0;

	(void)state;
	for (n = 0; n < rounds; n++) {
		struct world *w = world_full(seed + n);
		unsigned tries;

		begin(VOLUNTEER0, n);
		it.first = n % 2 == 0 ? LARGE : ATTACHMENT;
		it.no_files = n % 4 == 0;
		seal(w);
		/* an intake without decoys would be seen by its size */
		assert_int_not_equal(world_waiting(w, VOLUNTEER0) % 18, 0);
		sync_with(w, volunteer_between);
		for (tries = 0; world_waiting(w, VOLUNTEER0) > 0 && tries < 9; tries++)
			sync_with(w, volunteer_between);
		sync_with(w, NULL);
		assert_int_equal(world_waiting(w, VOLUNTEER0), 0);
		assert_int_equal(drafts_of(w, VOLUNTEER0), it.drafts);
		all_arrived(w, it.sealed);
		steps += it.steps;
		sealed += it.sealed;
		drafts += it.drafts;
		reloads += it.reloads;
		saves += it.saves;
		world_free(w);
	}
	assert_true(sealed > rounds && drafts > 0 && reloads > 0 && saves > 0);
	print_message("figure: %u steps of syncs; between them %u intakes sealed, %u drafts and %u "
	              "files saved, %u reloads; lost: 0\n", steps, sealed, drafts, saves, reloads);
}

/* ---- an attorney ------------------------------------------------------------------------------ */

static void attorney_between(struct world *w)
{
	char why[DISPATCH_WHY] = "";
	struct assign_told told;
	enum perr err;

	w->between = NULL;
	it.steps++;
	if (below(4) == 0 && it.notes < 4) {
		/* the record of the last intake may not be here yet */
		err = assign_note(w->p[it.who].c, w->record, "in the middle", &told, why);
		if (err != PERR_OK && err != PERR_NOTFOUND)
			fail_msg("%s: %s", perr_name(err), why);
		it.notes += err == PERR_OK;
	} else if (below(4) == 0) {
		OK(client_reload(w->p[it.who].c));
		it.reloads++;
	}
	w->between = attorney_between;
}

static void an_attorney_works_on_while_it_syncs(void **state)
{
	unsigned n, steps = 0, notes = 0, reloads = 0;

	(void)state;
	for (n = 0; n < rounds; n++) {
		struct world *w = world_full(seed + n);
		unsigned i, tries;

		begin(VOLUNTEER0, n);
		for (i = 0; i < INTAKES; i++)
			seal(w);
		world_sync(w, VOLUNTEER0);
		world_release(w);
		begin(HOLDER0, n);
		for (tries = 0; tries < 3; tries++)
			sync_with(w, attorney_between);
		for (i = 1; i <= INTAKES; i++)
			assert_true(world_has(w, HOLDER0, ATTACHMENT, i));
		sync_with(w, NULL);
		world_release(w);
		world_sync_on(w, HOLDER1);
		/* the intakes, and each note once */
		assert_int_equal(world_count(w, HOLDER1, "stmt/"), INTAKES + it.notes);
		steps += it.steps;
		notes += it.notes;
		reloads += it.reloads;
		world_free(w);
	}
	assert_true(notes > 0 && reloads > 0);
	print_message("figure: %u steps; between them %u notes, %u reloads; lost: 0\n", steps, notes,
	              reloads);
}

/* ---- another roster ---------------------------------------------------------------------------- */

static void roster_between(struct world *w)
{
	w->between = NULL;
	if (++it.steps == it.join_at) {
		struct client *c = w->p[it.who].c;
		uint32_t was = c->field->n_forms + c->field->n_servers;
		uint8_t hash[32];
		struct sync_server r;

		memcpy(hash, c->header_hash, 32);
		world_join(w, INTERPRETER, NULL);
		OK(sync_roster(c, &w->net, w->s[1].address, w->s[1].pk, &r));
		it.adopted += memcmp(hash, c->header_hash, 32) != 0;
		assert_int_equal(c->field->n_forms + c->field->n_servers, was);
	}
	w->between = roster_between;
}

static void another_roster_comes_in_the_middle(void **state)
{
	unsigned at, adopted = 0, tried = 0;
	bool passed = false;

	(void)state;
	for (at = 1; !passed && at < 400; at = next_moment(at)) {
		struct world *w = world_full(seed);

		begin(VOLUNTEER0, at);
		seal(w);
		seal(w);
		world_sync(w, VOLUNTEER0);
		world_release(w);
		begin(HOLDER0, at);
		it.join_at = at;
		w->between = roster_between;
		(void)world_try(w, HOLDER0);
		w->between = NULL;
		passed = it.steps < at;
		adopted += it.adopted;
		tried += passed ? 0 : 1;
		world_sync(w, HOLDER0);
		world_sync(w, HOLDER0);
		assert_int_equal(world_count(w, HOLDER0, "stmt/"), 2);
		assert_true(world_has(w, HOLDER0, ATTACHMENT, 1));
		assert_true(world_has(w, HOLDER0, ATTACHMENT, 2));
		world_free(w);
	}
	assert_true(passed);
	assert_true(tried > 3);
	assert_int_equal(adopted, tried);
	print_message("figure: a roster adopted at %u moments of a visit; lost: 0\n", adopted);
}

/* ---- a lock ------------------------------------------------------------------------------------ */

static void leave_between(struct world *w)
{
	if (++it.steps == it.leave_at)
		w->leaves = true;
}

/* the device is locked at that step.  false: the sync was over before */
static bool sync_until_locked(struct world *w)
{
	struct sync_run *r;
	struct sync_want want;
	bool locked;

	w->between = leave_between;
	OK(sync_run_new(&r, w->p[it.who].c, w->p[it.who].spool, NULL));
	while (!w->leaves) {
		enum perr err;

		OK(sync_run_next(r, &want));
		if (want.peer == NULL)
			break;
		err = w->net.run(w->net.ctx, want.address, want.peer, (char[200]){ "" }, 200);
		if (!w->leaves)
			sync_run_over(r, err, "");
	}
	if (w->leaves)
		assert_int_equal(sync_run_summary(r, &w->last), PERR_MORE);
	sync_run_free(r);
	world_reopen(w, it.who);
	locked = w->leaves;
	w->leaves = false;
	w->between = NULL;
	return locked;
}

static void a_lock_at_any_moment_loses_nothing(void **state)
{
	unsigned at, moments = 0;
	bool locked = true;

	(void)state;
	for (at = 1; locked && at < 2000; at = next_moment(at)) {
		struct world *w = world_full(seed);

		begin(VOLUNTEER0, at);
		seal(w);
		seal(w);
		it.leave_at = at;
		locked = sync_until_locked(w);
		moments += locked ? 1 : 0;
		world_sync(w, VOLUNTEER0);
		assert_int_equal(world_waiting(w, VOLUNTEER0), 0);
		assert_int_equal(world_cells(w, 0), world_cells(w, 1));
		world_release(w);
		begin(HOLDER0, at);
		it.leave_at = at;
		locked |= sync_until_locked(w);
		world_sync(w, HOLDER0);
		all_arrived(w, 2);
		world_free(w);
	}
	assert_false(locked);
	assert_true(moments > 5);
	print_message("figure: locked at %u moments of a sync; lost: 0\n", moments);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_volunteer_works_on_while_it_syncs),
		cmocka_unit_test(an_attorney_works_on_while_it_syncs),
		cmocka_unit_test(another_roster_comes_in_the_middle),
		cmocka_unit_test(a_lock_at_any_moment_loses_nothing),
	};

	(void)argc;
	(void)argv;
	if (sodium_init() < 0)
		return 1;
	if (getenv("AMPARO_SEED") != NULL)
		seed = (unsigned)strtoul(getenv("AMPARO_SEED"), NULL, 10);
	if (getenv("AMPARO_LONG") != NULL)
		rounds = 60;
	if (getenv("AMPARO_ROUNDS") != NULL)
		rounds = (unsigned)strtoul(getenv("AMPARO_ROUNDS"), NULL, 10);
	print_message("seed %u\n", seed);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
