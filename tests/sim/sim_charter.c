/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Who holds a desk changes while phones are offline, devices are killed and connections
 * break: nothing becomes unreadable that should be read, nothing readable that should not.
 */
#include "world.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cache.h"
#include "charters.h"
#include "desk.h"
#include "dispatch.h"
#include "holders.h"
#include "kv_mem.h"
#include "late.h"
#include "org.h"
#include "prekeys.h"
#include "record_gaps.h"
#include "trust.h"
#include "vouch.h"

#define OK(call) assert_int_equal((call), PERR_OK)
#define PHOTO 9000

static unsigned seed = 1;
static const enum world_who staff[4] = { HOLDER0, HOLDER1, COUNSEL, INTERPRETER };

static struct client *of(struct world *w, enum world_who who)
{
	return w->p[who].c;
}

static const uint8_t *key(struct world *w, enum world_who who)
{
	return of(w, who)->me->sign_pk;
}

/* the same with an interpreter, who may hold a desk too */
static struct world *begin(unsigned s)
{
	struct world *w = world_full(s);

	world_join(w, INTERPRETER, w->desk);
	for (unsigned i = 0; i < 4; i++)
		world_sync(w, staff[i]);
	world_release(w);
	for (enum world_who i = ADMIN; i < WORLD_PEOPLE; i++)
		world_sync(w, i);
	return w;
}

static enum perr propose(struct world *w, enum world_who by, int add, int remove)
{
	uint8_t a[1][32], r[1][32];
	struct charters_wish wish = { .add = (const uint8_t (*)[32])a,
	                              .remove = (const uint8_t (*)[32])r };
	char why[CHARTERS_WHY];

	if (add >= 0)
		memcpy(a[wish.n_add++], key(w, (enum world_who)add), 32);
	if (remove >= 0)
		memcpy(r[wish.n_remove++], key(w, (enum world_who)remove), 32);
	return charters_propose(of(w, by), w->desk, &wish, NULL, why);
}

/* what the proposer signed reaches the board, the administrator lists it, some hear of it */
static void make_known(struct world *w, enum world_who by, const enum world_who *to, unsigned n)
{
	world_sync(w, by);
	world_release(w);
	world_sync(w, ADMIN);
	world_push(w);
	for (unsigned i = 0; i < n; i++)
		world_sync(w, to[i]);
	/* keys of who is new go where volunteers look for them */
	world_release(w);
	for (unsigned i = 0; i < n; i++)
		world_sync(w, to[i]);
}

static const struct desk *desk_of(struct world *w, enum world_who who)
{
	const struct desk *d;

	OK(cache_desk(of(w, who), w->desk, &d));
	return d;
}

/* ---- keys and cells ------------------------------------------------------------------------ */

struct cells {
	uint8_t *at;
	size_t n;
};

static enum perr take_cells(void *arg, const char *name, const uint8_t *value, size_t len)
{
	struct cells *k = arg;

	(void)name;
	assert_int_equal(len % CELL_SIZE, 0);
	k->at = realloc(k->at, k->n * CELL_SIZE + len + 1);
	assert_non_null(k->at);
	memcpy(k->at + k->n * CELL_SIZE, value, len);
	k->n += len / CELL_SIZE;
	return PERR_OK;
}

/* everything that waits in somebody's outbox */
static struct cells waiting(struct world *w, enum world_who who)
{
	struct cells k = { 0 };

	OK(kv_each(w->p[who].kv, "outbox/", take_cells, &k));
	return k;
}

/* how many of them open with any key of this person */
static unsigned opened(struct world *w, enum world_who who, const struct cells *k)
{
	struct client *c = of(w, who);
	struct reader_key *keys;
	size_t n_keys, a, b;
	unsigned n = 0;

	OK(prekeys_readers(c, true, &keys, &n_keys));
	for (size_t i = 0; i < k->n; i++)
		n += cell_trial(&a, &b, NULL, k->at + i * CELL_SIZE, keys, n_keys, c->seasons,
		                c->n_seasons) == PERR_OK;
	prekeys_drop(keys);
	return n;
}

/* ---- one case after the other ----------------------------------------------------------------- */

static void a_phone_away_for_two_changes_reaches_who_holds_the_desk_now(void **state)
{
	const enum world_who all[5] = { HOLDER0, HOLDER1, COUNSEL, INTERPRETER, VOLUNTEER0 };
	struct world *w = begin(seed);
	unsigned wait, handed;

	/* the phone of volunteer 1 knows the first two holders, and nothing later */
	OK(propose(w, HOLDER1, COUNSEL, HOLDER0));
	make_known(w, HOLDER1, all, 5);
	OK(propose(w, COUNSEL, INTERPRETER, HOLDER1));
	make_known(w, COUNSEL, all, 5);
	assert_int_equal(desk_of(w, VOLUNTEER0)->now.version, 2);
	assert_int_equal(desk_of(w, VOLUNTEER1)->now.version, 0);
	world_submit(w, VOLUNTEER1, PHOTO, 1, NULL);
	world_sync(w, VOLUNTEER1);
	world_release(w);
	/* without those who left nobody could read it (control) */
	for (unsigned i = 2; i < 4; i++) {
		world_sync(w, staff[i]);
		assert_int_equal(world_count(w, staff[i], "stmt/"), 0);
	}
	/* they are not shown it: their devices seal it on */
	for (unsigned i = 0; i < 2; i++) {
		world_sync(w, staff[i]);
		assert_int_equal(world_count(w, staff[i], "stmt/"), 0);
		OK(late_count(of(w, staff[i]), &wait, &handed));
		assert_int_equal(wait + handed, 1);
		world_sync(w, staff[i]);
		OK(late_count(of(w, staff[i]), &wait, &handed));
		assert_int_equal(handed, 1);
		world_sync(w, staff[i]);         /* and nothing more: it is not sealed on for ever */
		assert_int_equal(world_waiting(w, staff[i]), 0);
	}
	world_release(w);
	for (unsigned i = 2; i < 4; i++) {
		world_sync(w, staff[i]);
		world_sync(w, staff[i]);
		assert_int_equal(world_count(w, staff[i], "stmt/"), 1);
		assert_true(world_has(w, staff[i], PHOTO, 1));
	}
	print_message("figure: a phone away for two changes: its intake in 2 of 2 present vaults, in 0 of "
	              "2 of those who left\n");
	world_free(w);
}

/* everything that is to be done in so many days, by everybody */
static void days(struct world *w, int n)
{
	for (; n > 0; n--) {
		for (enum world_who i = ADMIN; i < WORLD_PEOPLE; i++)
			world_sync(w, i);
		world_push(w);
		world_release(w);
		world_day(w, 1);
	}
}

/* careless: a control, devices that think they have handed over what they have */
static unsigned both_leave_within_a_day(unsigned from, bool careless)
{
	static const uint8_t done[25] = { 1 };
	const enum world_who all[5] = { HOLDER0, HOLDER1, COUNSEL, INTERPRETER, VOLUNTEER0 };
	struct world *w = begin(from);
	unsigned n = 0;
	char name[96];

	world_submit(w, VOLUNTEER0, PHOTO, 7, NULL);
	world_sync(w, VOLUNTEER0);
	world_release(w);
	for (unsigned i = 0; i < 2; i++) {
		world_sync(w, staff[i]);
		world_sync(w, staff[i]);
		assert_true(world_has(w, staff[i], PHOTO, 7));
	}
	for (unsigned i = 0; i < 2; i++) {
		if (careless) {
			client_key_name(name, "parted/", w->desk, 32);
			OK(kv_begin(w->p[staff[i]].kv));
			OK(kv_put(w->p[staff[i]].kv, name, done, sizeof done));
			OK(kv_commit(w->p[staff[i]].kv));
		}
		OK(propose(w, i == 0 ? HOLDER1 : COUNSEL, staff[2 + i], staff[i]));
		make_known(w, i == 0 ? HOLDER1 : COUNSEL, all, 5);
	}
	days(w, 8);
	for (unsigned i = 2; i < 4; i++)
		n += world_count(w, staff[i], "stmt/") == 1 && world_has(w, staff[i], PHOTO, 7);
	world_free(w);
	return n;
}

static void what_only_those_who_left_have_is_handed_over(void **state)
{
	unsigned n = both_leave_within_a_day(seed + 5, false);
	unsigned control = both_leave_within_a_day(seed + 5, true);

	(void)state;
	print_message("figure: both holders left within a day: their records are in %u of 2 present vaults; "
	              "without handing over in %u (control)\n", n, control);
	assert_int_equal(n, 2);
	assert_int_equal(control, 0);
}

static void what_is_sealed_after_a_change_opens_for_nobody_who_left(void **state)
{
	const enum world_who all[5] = { HOLDER0, HOLDER1, COUNSEL, INTERPRETER, VOLUNTEER0 };
	struct world *w = begin(seed + 1);
	struct cells before, after;
	unsigned control;

	world_submit(w, VOLUNTEER0, PHOTO, 2, NULL);
	before = waiting(w, VOLUNTEER0);
	control = opened(w, HOLDER0, &before);
	assert_int_equal(control, 1);            /* as long as they hold it, it does open */
	assert_int_equal(opened(w, COUNSEL, &before), 0);
	world_sync(w, VOLUNTEER0);
	OK(propose(w, HOLDER1, COUNSEL, HOLDER0));
	make_known(w, HOLDER1, all, 5);
	world_submit(w, VOLUNTEER0, PHOTO, 3, NULL);
	after = waiting(w, VOLUNTEER0);
	assert_int_equal(opened(w, HOLDER0, &after), 0);
	assert_int_equal(opened(w, HOLDER1, &after), 1);
	assert_int_equal(opened(w, COUNSEL, &after), 1);
	print_message("figure: cells of an intake after a change: %zu; opened by who left: 0; before it: "
	              "%u (control)\n", after.n, control);
	free(before.at);
	free(after.at);
	world_free(w);
}

static void an_intake_before_the_keys_of_who_is_new_are_known_goes_to_the_others(void **state)
{
	struct world *w = begin(seed + 2);

	OK(propose(w, HOLDER1, COUNSEL, HOLDER0));
	world_sync(w, HOLDER1);
	world_release(w);
	world_sync(w, ADMIN);
	world_push(w);
	/* counsel's device has not heard of it, so its keys are still under the staff's board key */
	world_sync(w, VOLUNTEER0);
	w->readers = 1;
	world_submit(w, VOLUNTEER0, PHOTO, 4, NULL);
	w->readers = 0;
	world_sync(w, VOLUNTEER0);
	world_release(w);
	world_sync(w, HOLDER1);
	assert_int_equal(world_count(w, HOLDER1, "stmt/"), 1);
	world_free(w);
}

static enum perr no_vouch(void *arg, const struct vouch *v)
{
	*(bool *)arg = v->listed;
	return PERR_OK;
}

static enum perr any_gap(void *arg, const struct record_gap *g)
{
	(void)g;
	(*(unsigned *)arg)++;
	return PERR_OK;
}

static void two_desks_of_two_organisations_stay_apart(void **state)
{
	const enum world_who all[6] = { HOLDER0, HOLDER1, COUNSEL, INTERPRETER, VOLUNTEER0, VOLUNTEER1 };
	struct world *w = begin(seed + 4);
	uint8_t first[32], second[32], ids[2][32];
	struct cells own, other;
	bool listed = false;
	enum trust_how how;
	unsigned gaps = 0;

	memcpy(first, w->desk, 32);
	memcpy(ids[0], key(w, COUNSEL), 32);
	memcpy(ids[1], key(w, INTERPRETER), 32);
	OK(holders_propose(of(w, COUNSEL), "Mesa Sur", "Otra Casa", 1, (const uint8_t (*)[32])ids, 2,
	                   second));
	world_sync(w, COUNSEL);
	world_release(w);
	world_sync(w, INTERPRETER);
	OK(holders_sign(of(w, INTERPRETER), second));
	world_sync(w, INTERPRETER);
	world_release(w);
	world_sync(w, ADMIN);
	OK(org_desk_list(of(w, ADMIN), second));
	world_push(w);
	for (unsigned i = 0; i < 6; i++)
		world_sync(w, all[i]);
	OK(trust_desk(of(w, VOLUNTEER0), second, &how));
	assert_int_equal(how, TRUST_UNKNOWN);    /* an administrator listed it: that is nothing */
	OK(vouch_sign(of(w, HOLDER0), second, first));
	assert_int_equal(vouch_sign(of(w, COUNSEL), second, first), PERR_KEY);
	assert_int_equal(vouch_sign(of(w, HOLDER0), first, first), PERR_RANGE);
	make_known(w, HOLDER0, all, 6);
	OK(vouch_each(of(w, HOLDER1), no_vouch, &listed));
	assert_true(listed);
	OK(trust_desk(of(w, VOLUNTEER0), second, &how));
	assert_int_equal(how, TRUST_COUNTERSIGNED);

	world_submit(w, VOLUNTEER0, PHOTO, 5, NULL);
	own = waiting(w, VOLUNTEER0);
	world_sync(w, VOLUNTEER0);
	memcpy(w->desk, second, 32);
	world_submit(w, VOLUNTEER1, PHOTO, 6, NULL);
	other = waiting(w, VOLUNTEER1);
	world_sync(w, VOLUNTEER1);
	for (unsigned i = 0; i < 4; i++) {
		bool is_first = i < 2;

		assert_int_equal(opened(w, staff[i], is_first ? &other : &own), 0);
		assert_int_equal(opened(w, staff[i], is_first ? &own : &other), 1);      /* control */
	}
	world_release(w);
	for (unsigned i = 0; i < 4; i++) {
		world_sync(w, staff[i]);
		assert_int_equal(world_count(w, staff[i], "stmt/"), 1);
		assert_true(world_has(w, staff[i], PHOTO, i < 2 ? 5 : 6));
		assert_false(world_has(w, staff[i], PHOTO, i < 2 ? 6 : 5));
		OK(record_gaps(of(w, staff[i]), any_gap, &gaps));
	}
	assert_int_equal(gaps, 0);
	print_message("figure: two desks: cells of the other one opened: 0 of %zu; of the own one: 4 (control)\n",
	              own.n + other.n);
	free(own.at);
	free(other.at);
	world_free(w);
}

/* ---- a kill at every commit --------------------------------------------------------------------- */

/* fn is done with a store that fails at its n-th commit, then again: how many there are */
static unsigned at_every_commit(struct world *w, enum world_who who,
                                enum perr (*fn)(struct world *w, enum world_who who))
{
	unsigned n;

	for (n = 1; n < 200; n++) {
		enum perr err;

		kv_mem_fail_commit(w->p[who].kv, n);
		err = fn(w, who);
		kv_mem_fail_commit(w->p[who].kv, 0);
		world_reopen(w, who);
		if (err == PERR_OK)
			break;
		assert_int_equal(err, PERR_IO);
	}
	assert_true(n < 200);
	return n - 1;
}

static enum perr propose_it(struct world *w, enum world_who who)
{
	return propose(w, who, COUNSEL, HOLDER0);
}

static enum perr list_it(struct world *w, enum world_who who)
{
	bool more = false;

	return charters_duty(of(w, who), &more);
}

static enum perr sync_it(struct world *w, enum world_who who)
{
	return world_try(w, who);
}

static void a_kill_at_any_commit_leaves_before_or_after(void **state)
{
	struct world *w = begin(seed + 3);
	bool more = false;
	unsigned n = 0;

	n += at_every_commit(w, HOLDER1, propose_it);
	assert_int_equal(world_count(w, HOLDER1, "charter/"), 2);
	n += at_every_commit(w, HOLDER1, sync_it);
	world_release(w);
	/* on the administrator's device: taken from the board, then listed, each cut everywhere */
	n += at_every_commit(w, ADMIN, sync_it);
	n += at_every_commit(w, ADMIN, list_it);
	world_push(w);
	n += at_every_commit(w, VOLUNTEER0, sync_it);
	n += at_every_commit(w, COUNSEL, sync_it);
	world_sync(w, HOLDER0);
	assert_int_equal(desk_of(w, VOLUNTEER0)->now.version, 1);
	assert_true(charter_has_holder(&desk_of(w, COUNSEL)->now, key(w, COUNSEL)));
	assert_int_equal(desk_of(w, HOLDER0)->n_former, 1);
	/* done again it is done already */
	OK(charters_duty(of(w, ADMIN), &more));
	assert_false(more);
	print_message("figure: commits cut: %u; changes half made: 0\n", n);
	world_free(w);
}

/* ---- any order --------------------------------------------------------------------------------- */

#define INTAKES 24

struct story {
	struct world *w;
	unsigned n_changes, n_signed, n_intakes, n_cut, n_killed, n_refused;
	struct {
		bool for_staff[4];       /* holders in the charter its sender knew */
		struct cells cells;
	} made[INTAKES];
	unsigned reached, leaks;
};

static unsigned pick(struct world *w, unsigned n)
{
	uint8_t b[4];

	rng_fill(w->rng, b, sizeof b);
	return ((unsigned)b[0] << 16 | (unsigned)b[1] << 8 | b[2]) % n;
}

static bool holds(struct world *w, enum world_who knows, enum world_who who)
{
	return charter_has_holder(&desk_of(w, knows)->now, key(w, who));
}

static enum perr first_to_sign(void *arg, const struct charters_change *ch)
{
	if (!ch->may_sign || ch->signed_by_me)
		return PERR_OK;
	memcpy(arg, ch->hash, 32);
	return PERR_EXISTS;
}

static void after(struct story *s, enum world_who who, enum perr err)
{
	kv_mem_fail_commit(s->w->p[who].kv, 0);
	if (err == PERR_IO) {
		s->n_killed++;
		world_reopen(s->w, who);
	}
}

static void submit(struct story *s, enum world_who who)
{
	struct world *w = s->w;
	struct dispatch_readers r;
	char why[DISPATCH_WHY];
	struct cells all, old = waiting(w, who);

	if (s->n_intakes == INTAKES || dispatch_desk(of(w, who), w->desk, true, &r, why) != PERR_OK) {
		free(old.at);
		return;
	}
	w->readers = r.n;
	world_submit(w, who, 500, 100 + s->n_intakes, NULL);
	w->readers = 0;
	all = waiting(w, who);
	/* groups come in order: what is new stands behind */
	memmove(all.at, all.at + old.n * CELL_SIZE, (all.n - old.n) * CELL_SIZE);
	all.n -= old.n;
	free(old.at);
	s->made[s->n_intakes].cells = all;
	for (unsigned i = 0; i < 4; i++)
		s->made[s->n_intakes].for_staff[i] = holds(w, who, staff[i]);
	s->n_intakes++;
}

static void act(struct story *s)
{
	struct world *w = s->w;
	enum world_who who = staff[pick(w, 4)];
	uint8_t hash[32];
	enum perr err = PERR_OK;

	switch (pick(w, 12)) {
	case 0: case 1:
		/* who holds it tends to change it */
		for (unsigned k = 0; k < 4 && !holds(w, who, who); k++)
			who = staff[pick(w, 4)];
		if (pick(w, 3) == 0)
			kv_mem_fail_commit(w->p[who].kv, 1);
		err = propose(w, who, pick(w, 3) > 0 ? (int)staff[pick(w, 4)] : -1,
		              pick(w, 2) > 0 ? (int)staff[pick(w, 4)] : -1);
		s->n_changes += err == PERR_OK;
		s->n_refused += err == PERR_REFUSED;
		after(s, who, err);
		break;
	case 2: case 3:
		if (charters_each(of(w, who), first_to_sign, hash) != PERR_EXISTS)
			break;
		if (pick(w, 3) == 0)
			kv_mem_fail_commit(w->p[who].kv, 1);
		err = charters_sign(of(w, who), hash);
		s->n_signed += err == PERR_OK;
		after(s, who, err);
		break;
	case 4: case 5:
		submit(s, pick(w, 2) > 0 ? VOLUNTEER0 : VOLUNTEER1);
		break;
	case 6:
		world_release(w);
		if (pick(w, 2) > 0 && world_try(w, ADMIN) == PERR_OK)
			world_push(w);
		break;
	case 7:
		who = ADMIN;
		/* fall through */
	default:
		if (who != ADMIN && pick(w, 3) == 0)
			who = pick(w, 2) > 0 ? VOLUNTEER0 : VOLUNTEER1;
		if (pick(w, 4) == 0)
			w->cut_at = 4000 + pick(w, 200000);
		if (pick(w, 6) == 0)
			kv_mem_fail_commit(w->p[who].kv, 1 + pick(w, 8));
		w->was_cut = false;
		err = world_try(w, who);
		s->n_cut += w->was_cut;
		w->cut_at = WORLD_NO_CUT;
		after(s, who, err);
		if (who == ADMIN && of(w, ADMIN)->admin != NULL)
			world_push(w);
	}
}

/* by days: co-holders tell each other what they hold once a day, and take turns */
static void settle(struct story *s)
{
	days(s->w, 24);
}

/* is it in the vault of everybody who holds the desk now, whoever it was sealed to? */
static bool is_kept(struct story *s, unsigned intake)
{
	for (unsigned i = 0; i < 4; i++)
		if (holds(s->w, ADMIN, staff[i]) && !world_has(s->w, staff[i], 500, 100 + intake)) {
			print_message("holder %u lacks intake %u\n", i, intake);
			return false;
		}
	return true;
}

static void look(struct story *s)
{
	struct world *w = s->w;

	for (enum world_who i = HOLDER0; i < WORLD_PEOPLE; i++)
		assert_memory_equal(desk_of(w, i)->hashes[desk_of(w, i)->n_hashes - 1],
		                    desk_of(w, ADMIN)->hashes[desk_of(w, ADMIN)->n_hashes - 1], 32);
	for (unsigned k = 0; k < s->n_intakes; k++) {
		s->reached += is_kept(s, k);
		for (unsigned i = 0; i < 4; i++) {
			unsigned n = opened(w, staff[i], &s->made[k].cells);

			/* sealed with knowledge of a charter: to its holders and nobody else */
			s->leaks += !s->made[k].for_staff[i] && n > 0;
		}
		free(s->made[k].cells.at);
	}
}

static void any_order_of_changes_syncs_cuts_and_kills(void **state)
{
	const char *mode = getenv("AMPARO_TEST_MODE");
	unsigned n = mode != NULL && strcmp(mode, "long") == 0 ? 60 : 1;
	struct story sum = { 0 };
	unsigned intakes = 0, reached = 0, versions = 0;

	for (unsigned i = 0; i < n; i++) {
		struct story *s = calloc(1, sizeof *s);

		assert_non_null(s);
		print_message("seed %u\n", seed + 10 + i);
		s->w = begin(seed + 10 + i);
		for (unsigned k = 0; k < 90; k++)
			act(s);
		settle(s);
		look(s);
		assert_int_equal(s->reached, s->n_intakes);
		assert_int_equal(s->leaks, 0);
		versions += desk_of(s->w, ADMIN)->now.version;
		intakes += s->n_intakes;
		reached += s->reached;
		sum.n_changes += s->n_changes;
		sum.n_cut += s->n_cut;
		sum.n_killed += s->n_killed;
		world_free(s->w);
		free(s);
	}
	print_message("figure: stories: %u; proposals: %u; listed: %u; cuts: %u; kills: %u; intakes: %u; in "
	              "every present vault: %u; opened by somebody the sender's charter did not name: 0\n", n,
	              sum.n_changes, versions, sum.n_cut, sum.n_killed, intakes, reached);
	assert_true(versions > 0 && intakes > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_phone_away_for_two_changes_reaches_who_holds_the_desk_now),
		cmocka_unit_test(what_only_those_who_left_have_is_handed_over),
		cmocka_unit_test(what_is_sealed_after_a_change_opens_for_nobody_who_left),
		cmocka_unit_test(an_intake_before_the_keys_of_who_is_new_are_known_goes_to_the_others),
		cmocka_unit_test(two_desks_of_two_organisations_stay_apart),
		cmocka_unit_test(a_kill_at_any_commit_leaves_before_or_after),
		cmocka_unit_test(any_order_of_changes_syncs_cuts_and_kills),
	};

	if (sodium_init() < 0)
		return 1;
	if (getenv("AMPARO_SEED") != NULL)
		seed = (unsigned)strtoul(getenv("AMPARO_SEED"), NULL, 10);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
