/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Seasons and access keys that change under phones that are away, servers that are down and
 * stores that fail: nothing sealed is lost, and whoever was revoked opens nothing that was
 * sealed afterwards.  Two administrators at once: sim_rotate_two.
 */
#include "rotate_kit.h"

/* ---- phones that are away ------------------------------------------------------------------ */

/* two rotations of everything, 20 days apart: the overlap of both is over */
static void a_phone_that_was_away_for_weeks_sends_its_queue_in_one_sync(void **state)
{
	struct world *w = world_full(seed);

	(void)state;
	world_submit(w, VOLUNTEER0, SMALL, 1, NULL);
	for (unsigned round = 0; round < 2; round++) {
		OK(rotate_season(of(w, ADMIN)));
		OK(rotate_access(of(w, ADMIN), 10));
		assert_int_equal(bring(w, ADMIN), 2);
		world_day(w, 20);
		world_submit(w, VOLUNTEER0, SMALL, 2 + round, NULL);
		holders_sync(w);
		world_sync(w, ADMIN);
	}
	assert_int_equal(of(w, ADMIN)->field->n_seasons, 3);
	assert_int_equal(of(w, VOLUNTEER0)->field->n_seasons, 1);
	world_sync(w, VOLUNTEER0);
	assert_int_equal(w->last.n_complete, 2);
	assert_int_equal(world_waiting(w, VOLUNTEER0), 0);
	assert_int_equal(of(w, VOLUNTEER0)->field->n_seasons, 3);
	world_submit(w, VOLUNTEER0, SMALL, 4, NULL);
	world_sync(w, VOLUNTEER0);
	all_read(w, 4);
	world_free(w);
}

/* within the overlap the phone needs no second connection */
static void within_the_overlap_the_old_key_lets_in(void **state)
{
	struct world *w = world_full(seed);

	(void)state;
	OK(rotate_access(of(w, ADMIN), ROTATE_OVERLAP_DAYS));
	assert_int_equal(bring(w, ADMIN), 2);
	world_day(w, 25);
	world_submit(w, VOLUNTEER0, SMALL, 1, NULL);
	world_sync(w, VOLUNTEER0);
	assert_int_equal(w->last.servers[0].scope, RPC_FIELD);
	assert_int_equal(world_waiting(w, VOLUNTEER0), 0);
	all_read(w, 1);
	world_free(w);
}

/* a year, thirteen rotations (four in the short run): a guest's key still reaches the bulletin */
static void a_phone_finds_its_way_after_a_year_of_rotations(void **state)
{
	struct world *w = world_full(seed);
	unsigned rounds = is_long() ? 13 : 4;

	(void)state;
	for (unsigned round = 0; round < rounds; round++) {
		OK(rotate_access(of(w, ADMIN), ROTATE_OVERLAP_DAYS));
		world_day(w, 28);
		OK(rotate_season(of(w, ADMIN)));
		assert_int_equal(bring(w, ADMIN), 2);
		holders_sync(w);
		world_sync(w, ADMIN);
	}
	assert_int_equal(of(w, ADMIN)->field->n_seasons, is_long() ? SEASONS_ORDINARY : 1 + rounds);
	assert_true(of(w, ADMIN)->admin->n_guests <= ROSTER_GUESTS_MAX);
	world_sync(w, VOLUNTEER0);
	assert_int_equal(w->last.n_complete, 2);
	world_submit(w, VOLUNTEER0, SMALL, 1, NULL);
	world_sync(w, VOLUNTEER0);
	all_read(w, 1);
	world_free(w);
}

struct hunt {
	uint8_t psk[32];
	unsigned found;
};

static enum perr hunt_one(void *arg, const char *name, const uint8_t *value, size_t len)
{
	struct hunt *h = arg;

	(void)name;
	for (size_t i = 0; len >= 32 && i <= len - 32; i++)
		h->found += memcmp(value + i, h->psk, 32) == 0 ? 1 : 0;
	return PERR_OK;
}

static unsigned holds(struct world *w, enum world_who who, const uint8_t psk[32])
{
	struct hunt h = { .found = 0 };

	memcpy(h.psk, psk, 32);
	OK(kv_each(w->p[who].kv, "", hunt_one, &h));
	return h.found;
}

/* eight are kept; the oldest goes when nothing sealed under it can be on a server any more */
static void a_season_that_is_over_is_forgotten_and_none_before(void **state)
{
	struct world *w = world_full(seed);
	uint8_t first[32];
	uint32_t from;

	(void)state;
	of(w, ADMIN)->field->limits.retention_days = 7;
	of(w, ADMIN)->field->limits.grace_days = 2;
	OK(org_publish(of(w, ADMIN)));
	memcpy(first, of(w, ADMIN)->field->seasons[0].psk, 32);
	for (unsigned i = 1; i < SEASONS_ORDINARY; i++)
		OK(rotate_season(of(w, ADMIN)));
	assert_int_equal(of(w, ADMIN)->field->n_seasons, SEASONS_ORDINARY);
	assert_int_equal(rotate_season(of(w, ADMIN)), PERR_LIMIT);
	from = rotate_room(of(w, ADMIN));
	assert_int_equal(from, 20000 + 7 + 3 + 2 + 1);
	assert_int_equal(of(w, ADMIN)->field->n_seasons, SEASONS_ORDINARY);
	bring(w, ADMIN);
	holders_sync(w);
	world_sync(w, VOLUNTEER0);
	/* a revocation has room all the same */
	revoke_one(w, ADMIN, VOLUNTEER1);
	assert_int_equal(of(w, ADMIN)->field->n_seasons, SEASONS_ORDINARY + 1);
	bring(w, ADMIN);
	world_day(w, (int)(from - 20000) - 1);
	assert_int_equal(rotate_season(of(w, ADMIN)), PERR_LIMIT);
	world_day(w, 1);
	holders_sync(w);
	world_sync(w, VOLUNTEER0);
	assert_true(holds(w, HOLDER0, first) > 0);       /* control */
	assert_true(holds(w, ADMIN, first) > 0);
	OK(rotate_season(of(w, ADMIN)));
	assert_int_equal(of(w, ADMIN)->field->n_seasons, SEASONS_ORDINARY);
	bring(w, ADMIN);
	world_sync(w, HOLDER0);
	world_sync(w, VOLUNTEER0);
	assert_int_equal(holds(w, HOLDER0, first), 0);
	assert_int_equal(holds(w, VOLUNTEER0, first), 0);
	assert_int_equal(holds(w, ADMIN, first), 0);
	world_free(w);
}

/* ---- servers that are down ------------------------------------------------------------------ */

static void a_server_that_slept_is_reached_by_the_keys_it_knows(void **state)
{
	struct world *w = world_full(seed);
	struct bring_result r;

	(void)state;
	world_stop(w, 1);
	for (unsigned round = 0; round < 2; round++) {
		OK(rotate_season(of(w, ADMIN)));
		OK(rotate_access(of(w, ADMIN), ROTATE_OVERLAP_DAYS));
		assert_int_equal(bring(w, ADMIN), 1);
		world_submit(w, VOLUNTEER0, SMALL, 1 + round, NULL);
		world_sync(w, VOLUNTEER0);
		assert_true(world_waiting(w, VOLUNTEER0) > 0);   /* one copy is not enough */
		holders_sync(w);
		world_day(w, 20);
	}
	world_start(w, 1);
	/* before any administrator was there */
	world_sync(w, VOLUNTEER0);
	assert_int_equal(w->last.n_complete, 2);
	assert_int_equal(world_waiting(w, VOLUNTEER0), 0);
	world_sync(w, HOLDER0);
	assert_int_equal(w->last.n_complete, 2);
	/* the steward's key of before the first of them brings it both */
	OK(bring_all(of(w, ADMIN), &w->net, STEWARD_PUSH, &r));
	assert_int_equal(r.done, 2);
	assert_true(r.server[0].policy_put || r.server[1].policy_put);
	world_sync(w, VOLUNTEER1);
	assert_int_equal(w->last.n_complete, 2);
	all_read(w, 2);
	world_free(w);
}

/* ---- stores that fail: at each write, then once more ---------------------------------------- */

typedef enum perr act_fn(struct world *w);

static enum perr act_season(struct world *w)
{
	return rotate_season(of(w, ADMIN));
}

static enum perr act_access(struct world *w)
{
	return rotate_access(of(w, ADMIN), ROTATE_OVERLAP_DAYS);
}

static enum perr act_revoke(struct world *w)
{
	const struct roster_enrolled *e = revoke_find(of(w, ADMIN), of(w, VOLUNTEER1)->me->name);
	uint8_t key[1][32];

	if (e == NULL)
		return PERR_OK;
	memcpy(key[0], e->key, 32);
	return revoke_members(of(w, ADMIN), (const uint8_t (*)[32])key, 1);
}

static void leave(struct world *w, enum world_who who)
{
	client_free(w->p[who].c);
	spool_free(w->p[who].spool);
	kv_mem_free(w->p[who].kv);
	memset(&w->p[who], 0, sizeof w->p[who]);
}

/* returns at how many writes it was killed: at each, or at every third */
static unsigned killed_at_each_write(struct world *w, act_fn *act, unsigned *n, bool rejoin)
{
	unsigned kills = 0, step = is_long() ? 1 : 3;

	bool whole = false;

	for (unsigned cut = 1 + seed % step; !whole; cut += step) {
		enum perr err;
		struct bring_result r;

		world_submit(w, VOLUNTEER0, SMALL, ++*n, NULL);
		kv_mem_fail_commit(w->p[ADMIN].kv, cut);
		err = act(w);
		if (err == PERR_OK)
			err = bring_all(of(w, ADMIN), &w->net, STEWARD_PUSH, &r);
		whole = err == PERR_OK;
		if (!whole)
			assert_int_equal(err, PERR_IO);
		kills += whole ? 0 : 1;
		kv_mem_fail_commit(w->p[ADMIN].kv, 0);
		world_reopen(w, ADMIN);
		/* whoever meets a half of it: the phone, a holder */
		world_sync(w, VOLUNTEER0);
		world_sync(w, HOLDER0);
		OK(act(w));
		assert_int_equal(bring(w, ADMIN), 2);
		world_sync(w, VOLUNTEER0);
		assert_int_equal(world_waiting(w, VOLUNTEER0), 0);
		all_read(w, *n);
		world_day(w, 35);
		holders_sync(w);
		if (rejoin) {
			assert_int_not_equal(world_try(w, VOLUNTEER1), PERR_OK);
			leave(w, VOLUNTEER1);
			world_join(w, VOLUNTEER1, w->desk);
		}
	}
	return kills;
}

static void a_kill_at_any_write_leaves_it_undone_or_done(void **state)
{
	static act_fn *const acts[] = { act_season, act_access, act_revoke };
	unsigned kills = 0, n = 0;

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		struct world *w = world_full(seed + i);

		n = 0;
		kills += killed_at_each_write(w, acts[i], &n, acts[i] == act_revoke);
		world_free(w);
	}
	print_message("figure: kills at writes of a rotation or revocation: %u; intakes lost: 0\n",
	              kills);
	assert_true(kills >= 4);
}

/* the phone's store fails at each write while it meets the new keys */
static void a_phone_killed_at_any_write_sends_everything_all_the_same(void **state)
{
	struct world *w = world_full(seed);
	unsigned n = 0, kills = 0, step = is_long() ? 1 : 3;
	bool whole = false;

	(void)state;
	for (unsigned cut = 1 + seed % step; !whole; cut += step) {
		enum perr err;

		OK(rotate_season(of(w, ADMIN)));
		OK(rotate_access(of(w, ADMIN), 1));      /* over when the phone comes */
		assert_int_equal(bring(w, ADMIN), 2);
		world_submit(w, VOLUNTEER0, SMALL, ++n, NULL);
		world_day(w, 14);
		holders_sync(w);
		kv_mem_fail_commit(w->p[VOLUNTEER0].kv, cut);
		err = world_try(w, VOLUNTEER0);
		whole = err == PERR_OK && world_waiting(w, VOLUNTEER0) == 0;
		kills += whole ? 0 : 1;
		kv_mem_fail_commit(w->p[VOLUNTEER0].kv, 0);
		world_reopen(w, VOLUNTEER0);
		world_sync(w, VOLUNTEER0);
		assert_int_equal(world_waiting(w, VOLUNTEER0), 0);
		all_read(w, n);
	}
	print_message("figure: kills at writes of a phone that meets new keys: %u; intakes lost: 0\n",
	              kills);
	assert_true(kills >= 2);
	world_free(w);
}

/* ---- prekeys ------------------------------------------------------------------------------ */

static void a_holder_whose_batch_is_refused_makes_the_next_one_by_herself(void **state)
{
	struct world *w = world_full(seed);
	uint32_t number;

	(void)state;
	world_sync(w, ADMIN);
	OK(rotate_prekeys_of(of(w, ADMIN), of(w, HOLDER1)->me->sign_pk, &number));
	assert_int_equal(bring(w, ADMIN), 2);
	world_sync(w, VOLUNTEER0);
	w->readers = 1;                  /* nobody seals to her meanwhile */
	world_submit(w, VOLUNTEER0, SMALL, 1, NULL);
	world_sync(w, HOLDER1);
	world_sync(w, HOLDER1);          /* the new batch goes out with the next visit at the latest */
	world_release(w);
	world_sync(w, VOLUNTEER0);
	w->readers = 2;
	world_submit(w, VOLUNTEER0, SMALL, 2, NULL);
	world_sync(w, VOLUNTEER0);
	world_release(w);
	world_sync(w, HOLDER0);
	world_sync(w, HOLDER1);
	assert_int_equal(has_how_many(w, HOLDER0, 2), 2);
	assert_true(world_has(w, HOLDER1, SMALL, 2));
	/* asked for again before she came: nothing more happens */
	world_sync(w, ADMIN);
	OK(rotate_prekeys_of(of(w, ADMIN), of(w, HOLDER1)->me->sign_pk, &number));
	assert_true(number > 1);
	world_free(w);
}

/* ---- revoking ------------------------------------------------------------------------------ */

static void a_revoked_volunteer_is_told_and_keeps_the_queue(void **state)
{
	struct world *w = world_full(seed);
	unsigned waiting;
	uint32_t day;

	(void)state;
	world_submit(w, VOLUNTEER1, SMALL, 1, NULL);
	waiting = world_waiting(w, VOLUNTEER1);
	assert_true(waiting > 0);
	assert_true(admitted(w, VOLUNTEER1, RPC_FIELD) == 2);    /* control */
	revoke_one(w, ADMIN, VOLUNTEER1);
	assert_int_equal(bring(w, ADMIN), 2);
	assert_int_equal(admitted(w, VOLUNTEER1, RPC_FIELD), 0);
	assert_int_not_equal(world_try(w, VOLUNTEER1), PERR_OK);
	assert_true((w->last.servers[0].notes & SYNC_N_REVOKED) != 0);
	OK(revoked_since(of(w, VOLUNTEER1), &day));
	assert_int_equal(day, (uint32_t)(w->now / 86400));
	assert_int_equal(world_waiting(w, VOLUNTEER1), waiting);
	world_reopen(w, VOLUNTEER1);
	assert_int_not_equal(world_try(w, VOLUNTEER1), PERR_OK);
	assert_int_equal(world_waiting(w, VOLUNTEER1), waiting);
	/* a year later it is still told */
	world_day(w, is_long() ? 380 : 60);
	holders_sync(w);
	world_sync(w, ADMIN);
	OK(org_publish(of(w, ADMIN)));
	bring(w, ADMIN);
	assert_int_not_equal(world_try(w, VOLUNTEER1), PERR_OK);
	OK(revoked_since(of(w, VOLUNTEER1), &day));
	assert_int_equal(day, 20000);
	/* the other one, who was away all the time, is not */
	world_sync(w, VOLUNTEER0);
	OK(revoked_since(of(w, VOLUNTEER0), &day));
	assert_int_equal(day, 0);
	world_free(w);
}

/* what a server alone can do: keep the newest back, show one of before the enrolment */
static void no_server_can_make_a_member_believe_it(void **state)
{
	struct world *w = world_full(seed);
	uint32_t day;

	(void)state;
	/* honestly signed, newer, and none of its slots is this member's */
	OK(org_publish(of(w, ADMIN)));
	bring(w, ADMIN);
	of(w, VOLUNTEER1)->me->slot.sk[7] ^= 1;
	(void)!world_try(w, VOLUNTEER1);
	assert_true((w->last.servers[0].notes & SYNC_N_NO_SLOT) != 0);
	OK(revoked_since(of(w, VOLUNTEER1), &day));
	assert_int_equal(day, 0);
	world_submit(w, VOLUNTEER1, SMALL, 1, NULL);
	of(w, VOLUNTEER1)->me->slot.sk[7] ^= 1;
	world_sync(w, VOLUNTEER1);
	assert_int_equal(of(w, VOLUNTEER1)->me->state, CLIENT_MEMBER);
	world_free(w);
}

/* cells that this device opened at the last sync, and how many it saw */
static uint64_t opened(struct world *w, uint64_t *pulled)
{
	uint64_t own = 0;

	*pulled = 0;
	for (unsigned i = 0; i < w->last.n_servers; i++) {
		own += w->last.servers[i].own;
		*pulled += w->last.servers[i].pulled;
	}
	return own;
}

/*
 * Somebody gives the revoked device the access key of today, so that it sees every cell; and it
 * does not listen to what its slot says.
 */
static void with_todays_key(struct world *w, enum world_who who)
{
	memset(of(w, who)->me->slot.sk + 8, 7, 8);
	memcpy(of(w, who)->staff->counsel_access, of(w, ADMIN)->staff->counsel_access, 32);
	(void)!world_try(w, who);
}

static void a_revoked_holder_opens_nothing_that_was_sealed_afterwards(void **state)
{
	struct world *w = world_full(seed);
	uint64_t own, pulled;

	(void)state;
	world_submit(w, VOLUNTEER0, SMALL, 1, NULL);
	world_sync(w, VOLUNTEER0);
	world_release(w);
	world_sync(w, HOLDER1);
	assert_true(opened(w, &pulled) > 0);             /* control: a member opens */
	revoke_one(w, ADMIN, HOLDER1);
	assert_int_equal(bring(w, ADMIN), 2);
	assert_int_equal(admitted(w, HOLDER1, RPC_COUNSEL), 0);
	assert_int_equal(admitted(w, HOLDER1, RPC_FIELD), 0);
	assert_true(admitted(w, HOLDER0, RPC_COUNSEL) == 0);     /* has to sync, as everybody */
	world_submit(w, VOLUNTEER1, SMALL, 3, NULL);     /* has not heard of it */
	world_sync(w, VOLUNTEER0);
	w->readers = 1;
	world_submit(w, VOLUNTEER0, SMALL, 2, NULL);
	world_sync(w, VOLUNTEER0);
	world_release(w);
	world_sync(w, HOLDER0);
	assert_true(world_has(w, HOLDER0, SMALL, 2));
	with_todays_key(w, HOLDER1);
	own = opened(w, &pulled);
	assert_true(pulled > 0);
	assert_int_equal(own, 0);
	/* control: what a phone sealed that had not heard of it does open, if it can be fetched */
	world_sync(w, VOLUNTEER1);
	world_release(w);
	with_todays_key(w, HOLDER1);
	assert_true(opened(w, &pulled) > 0);
	print_message("figure: cells seen by the revoked holder's device after the revocation: %llu, "
	              "opened: %llu; of a phone that had not heard: opened (control)\n",
	              (unsigned long long)pulled, (unsigned long long)own);
	world_sync(w, HOLDER0);
	assert_true(world_has(w, HOLDER0, SMALL, 3));
	world_free(w);
}

/* a new volunteer, while a holder is on holiday whose keys stand under the board key of before */
static void who_joins_after_a_revocation_finds_the_holder_who_is_away(void **state)
{
	struct world *w = world_full(seed);

	(void)state;
	revoke_one(w, ADMIN, COUNSEL);
	assert_int_equal(bring(w, ADMIN), 2);
	world_sync(w, HOLDER0);
	world_release(w);
	leave(w, VOLUNTEER1);
	revoke_name(w, "Q’anil Méndez");
	bring(w, ADMIN);
	world_join(w, VOLUNTEER1, w->desk);
	world_sync(w, VOLUNTEER1);
	w->readers = 2;
	world_submit(w, VOLUNTEER1, SMALL, 1, NULL);
	world_sync(w, VOLUNTEER1);
	all_read(w, 1);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_phone_that_was_away_for_weeks_sends_its_queue_in_one_sync),
		cmocka_unit_test(within_the_overlap_the_old_key_lets_in),
		cmocka_unit_test(a_phone_finds_its_way_after_a_year_of_rotations),
		cmocka_unit_test(a_season_that_is_over_is_forgotten_and_none_before),
		cmocka_unit_test(a_server_that_slept_is_reached_by_the_keys_it_knows),
		cmocka_unit_test(a_kill_at_any_write_leaves_it_undone_or_done),
		cmocka_unit_test(a_phone_killed_at_any_write_sends_everything_all_the_same),
		cmocka_unit_test(a_holder_whose_batch_is_refused_makes_the_next_one_by_herself),
		cmocka_unit_test(a_revoked_volunteer_is_told_and_keeps_the_queue),
		cmocka_unit_test(no_server_can_make_a_member_believe_it),
		cmocka_unit_test(a_revoked_holder_opens_nothing_that_was_sealed_afterwards),
		cmocka_unit_test(who_joins_after_a_revocation_finds_the_holder_who_is_away),
	};

	if (!rotate_begin())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
