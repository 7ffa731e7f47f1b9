/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Keys that change by the hands of two administrators, by plan, and in any order: every season
 * stays, whoever was revoked is let in nowhere, and nothing sealed is lost.
 */
#include "rotate_kit.h"

/* ---- two administrators ------------------------------------------------------------------- */

/* a server that only one of them reaches, and the other way round */
static void only_server(struct world *w, unsigned server)
{
	for (unsigned i = 0; i < WORLD_SERVERS; i++) {
		if (i == server && w->s[i].host == NULL)
			world_start(w, i);
		if (i != server && w->s[i].host != NULL)
			world_stop(w, i);
	}
}

static void both_servers(struct world *w)
{
	for (unsigned i = 0; i < WORLD_SERVERS; i++)
		if (w->s[i].host == NULL)
			world_start(w, i);
}

static void come_together(struct world *w, bool second_first)
{
	for (unsigned round = 0; round < 3; round++) {
		bring(w, second_first ? SECOND : ADMIN);
		bring(w, second_first ? ADMIN : SECOND);
	}
	assert_memory_equal(of(w, SECOND)->header_hash, of(w, ADMIN)->header_hash, 32);
}

static void two_who_rotate_at_once_keep_both_seasons(void **state)
{
	struct world *w = world_full(seed);

	(void)state;
	second_administrator(w);
	only_server(w, 0);
	OK(rotate_season(of(w, ADMIN)));
	OK(rotate_access(of(w, ADMIN), ROTATE_OVERLAP_DAYS));
	bring(w, ADMIN);
	world_sync(w, VOLUNTEER0);
	world_submit(w, VOLUNTEER0, SMALL, 1, NULL);
	world_sync(w, VOLUNTEER0);
	only_server(w, 1);
	OK(rotate_season(of(w, SECOND)));
	OK(rotate_access(of(w, SECOND), ROTATE_OVERLAP_DAYS));
	bring(w, SECOND);
	world_sync(w, VOLUNTEER1);
	world_submit(w, VOLUNTEER1, SMALL, 2, NULL);
	world_sync(w, VOLUNTEER1);
	both_servers(w);
	come_together(w, false);
	assert_int_equal(of(w, ADMIN)->field->n_seasons, 3);
	world_sync(w, VOLUNTEER0);
	world_sync(w, VOLUNTEER1);
	assert_int_equal(world_waiting(w, VOLUNTEER0) + world_waiting(w, VOLUNTEER1), 0);
	all_read(w, 2);
	world_free(w);
}

static bool knows_newest_season(struct world *w, enum world_who who)
{
	const struct roster_field *f = of(w, ADMIN)->field, *his = of(w, who)->field;

	for (uint32_t i = 0; i < his->n_seasons; i++)
		if (memcmp(his->seasons[i].psk, f->seasons[f->n_seasons - 1].psk, 32) == 0)
			return true;
	return false;
}

/*
 * One revokes where the other does not see it and rotates: the one who is revoked reads the
 * other's version.  Whatever comes together then holds keys that this person cannot have.
 */
static void a_rotation_beside_a_revocation_gives_the_revoked_nothing(void **state)
{
	(void)state;
	/* in the short run each administrator once */
	for (unsigned order = 1; order < 5; order += is_long() ? 1 : 2) {
		struct world *w = world_full(seed + order);
		bool by_second = (order & 2) != 0;

		second_administrator(w);
		only_server(w, 0);
		revoke_one(w, by_second ? SECOND : ADMIN, VOLUNTEER1);
		bring(w, by_second ? SECOND : ADMIN);
		only_server(w, 1);
		OK(rotate_season(of(w, by_second ? ADMIN : SECOND)));
		OK(rotate_access(of(w, by_second ? ADMIN : SECOND), ROTATE_OVERLAP_DAYS));
		bring(w, by_second ? ADMIN : SECOND);
		world_sync(w, VOLUNTEER1);
		world_sync(w, VOLUNTEER0);
		world_submit(w, VOLUNTEER0, SMALL, 1, NULL);     /* under the season both know */
		assert_true(admitted(w, VOLUNTEER1, RPC_FIELD) > 0);     /* control */
		both_servers(w);
		come_together(w, (order & 1) != 0);
		assert_int_equal(admitted(w, VOLUNTEER1, RPC_FIELD), 0);
		assert_false(knows_newest_season(w, VOLUNTEER1));
		assert_null(roster_admin_find(of(w, ADMIN)->admin, of(w, VOLUNTEER1)->me->sign_pk));
		world_sync(w, VOLUNTEER0);
		assert_int_equal(world_waiting(w, VOLUNTEER0), 0);
		all_read(w, 1);
		world_free(w);
	}
}

/* ---- plans -------------------------------------------------------------------------------- */

static void what_is_planned_is_done_once_by_whoever_is_there(void **state)
{
	struct world *w = world_full(seed);
	uint32_t before, version;
	enum world_who first = ADMIN, other = SECOND;

	(void)state;
	second_administrator(w);
	bring(w, ADMIN);
	if (memcmp(of(w, ADMIN)->me->sign_pk, of(w, SECOND)->me->sign_pk, 32) > 0) {
		first = SECOND;
		other = ADMIN;
	}
	OK(rotate_plan(of(w, ADMIN), ROSTER_PLAN_SEASON, 30));
	OK(rotate_plan(of(w, ADMIN), ROSTER_PLAN_ACCESS, 30));
	assert_int_equal(rotate_plan(of(w, ADMIN), ROSTER_PLAN_ACCESS, 6), PERR_RANGE);
	bring(w, ADMIN);
	world_sync(w, SECOND);
	before = of(w, ADMIN)->field->n_seasons;
	version = client_bulletin(of(w, ADMIN))->version;
	world_day(w, 29);
	world_sync(w, ADMIN);
	world_sync(w, SECOND);
	assert_int_equal(client_bulletin(of(w, ADMIN))->version, version);       /* not due */
	world_day(w, 1);
	holders_sync(w);
	world_sync(w, other);                    /* not this one's turn */
	assert_int_equal(of(w, other)->field->n_seasons, before);
	world_sync(w, first);
	world_sync(w, other);                    /* both at once: nothing was brought yet */
	assert_int_equal(of(w, first)->field->n_seasons, before + 1);
	bring(w, first);
	world_sync(w, other);
	world_sync(w, first);
	assert_int_equal(of(w, other)->field->n_seasons, before + 1);
	assert_int_equal(of(w, first)->admin->n_retired, 3);
	/* the first one is on holiday: a day later the other does it */
	world_day(w, 31);
	holders_sync(w);
	world_sync(w, other);
	bring(w, other);
	assert_int_equal(of(w, other)->field->n_seasons, before + 2);
	world_sync(w, first);
	assert_int_equal(of(w, first)->field->n_seasons, before + 2);
	OK(rotate_plan(of(w, first), ROSTER_PLAN_SEASON, 0));
	OK(rotate_plan(of(w, first), ROSTER_PLAN_ACCESS, 0));
	bring(w, first);
	world_day(w, 60);
	holders_sync(w);
	world_sync(w, first);
	assert_int_equal(of(w, first)->field->n_seasons, before + 2);
	world_free(w);
}

/* what `amparo sync` does for an administrator */
static void turn(struct world *w, enum world_who who)
{
	world_sync(w, who);
	bring(w, who);
	if (w->last.more)
		world_sync(w, who);
}

static void both_turn(struct world *w)
{
	for (unsigned i = 0; i < 2; i++) {
		turn(w, ADMIN);
		turn(w, SECOND);
		world_release(w);
	}
}

struct to_sign {
	struct quorum_view v;
	bool any;
};

static enum perr to_sign(void *arg, const struct quorum_view *v)
{
	struct to_sign *s = arg;

	if (v->is_mine || v->signed_here || v->is_stale)
		return PERR_OK;
	s->v = *v;
	s->any = true;
	return PERR_OK;
}

/* signs what waits for this administrator; false: nothing does */
static bool sign_what_waits(struct world *w, enum world_who who)
{
	struct to_sign s = { .any = false };
	bool in_force;

	OK(quorum_each(of(w, who), to_sign, &s));
	if (!s.any)
		return false;
	OK(quorum_sign(of(w, who), s.v.hash, &in_force));
	assert_true(in_force);
	bring(w, who);
	return true;
}

static void what_is_planned_is_proposed_once_where_two_must_sign(void **state)
{
	struct world *w = world_full(seed);
	uint32_t before;
	unsigned n[2];

	(void)state;
	second_administrator(w);
	OK(rotate_plan(of(w, ADMIN), ROSTER_PLAN_SEASON, 30));
	bring(w, ADMIN);
	OK(org_admin_threshold(of(w, ADMIN), 2));
	both_turn(w);
	assert_true(sign_what_waits(w, SECOND));
	both_turn(w);
	assert_int_equal(client_admins(of(w, ADMIN))->last.threshold, 2);
	before = of(w, ADMIN)->field->n_seasons;
	world_day(w, 30);
	holders_sync(w);
	both_turn(w);
	both_turn(w);
	world_day(w, 1);                 /* the other one's turn: it is proposed already */
	both_turn(w);
	assert_int_equal(of(w, ADMIN)->field->n_seasons, before);
	OK(quorum_waiting(of(w, ADMIN), &n[0]));
	OK(quorum_waiting(of(w, SECOND), &n[1]));
	assert_int_equal(n[0] + n[1], 1);
	/* one of them proposed it, the other has it to sign */
	if (!sign_what_waits(w, SECOND))
		assert_true(sign_what_waits(w, ADMIN));
	both_turn(w);
	assert_int_equal(of(w, ADMIN)->field->n_seasons, before + 1);
	assert_false(sign_what_waits(w, SECOND));
	assert_false(sign_what_waits(w, ADMIN));
	both_turn(w);
	assert_int_equal(of(w, SECOND)->field->n_seasons, before + 1);
	/* a revocation likewise: nothing changes before the second signature */
	revoke_one(w, ADMIN, VOLUNTEER1);
	assert_non_null(roster_admin_find(of(w, ADMIN)->admin, of(w, VOLUNTEER1)->me->sign_pk));
	both_turn(w);
	assert_true(admitted(w, VOLUNTEER1, RPC_FIELD) > 0);     /* control */
	assert_true(sign_what_waits(w, SECOND));
	both_turn(w);
	assert_int_equal(admitted(w, VOLUNTEER1, RPC_FIELD), 0);
	world_submit(w, VOLUNTEER0, SMALL, 1, NULL);
	world_sync(w, VOLUNTEER0);
	all_read(w, 1);
	world_free(w);
}

/* ---- any order ------------------------------------------------------------------------------ */

static unsigned pick(struct world *w, unsigned n)
{
	uint8_t b[4];

	rng_fill(w->rng, b, sizeof b);
	return ((unsigned)b[0] << 16 | (unsigned)b[1] << 8 | b[2]) % n;
}

struct sum {
	unsigned intakes, rotations, days, failed, lost;
};

static enum perr outcome(struct world *w, enum world_who who, enum perr err, struct sum *sum)
{
	kv_mem_fail_commit(w->p[who].kv, 0);
	if (err == PERR_IO) {
		sum->failed++;
		world_reopen(w, who);
	}
	return err;
}

/* the control: a season is gone as soon as there is a newer one */
static void forget_older(struct world *w, enum world_who who)
{
	struct roster_field *f = of(w, who)->field;

	f->seasons += f->n_seasons - 1;
	f->n_seasons = 1;
	OK(org_publish(of(w, who)));
}

/* of the control's two rosters neither is everywhere; a server that was down doubts its clock */
static void release_by_anybody(struct world *w)
{
	struct steward_server r;

	for (size_t i = 0; i < WORLD_SERVERS; i++)
		if (steward_visit(of(w, ADMIN), &w->net, i, STEWARD_RELEASE, &r) != PERR_OK)
			(void)!steward_visit(of(w, SECOND), &w->net, i, STEWARD_RELEASE, &r);
}

static void tell(unsigned from, bool careless, struct sum *sum)
{
	static const enum world_who people[] = { VOLUNTEER0, VOLUNTEER1, HOLDER0, HOLDER1, ADMIN,
	                                         SECOND };
	struct world *w = world_full(from);
	unsigned n = 0, since = 0, has;
	struct bring_result r;

	second_administrator(w);
	bring(w, ADMIN);
	for (unsigned i = 0; i < 45; i++) {
		enum world_who who = people[pick(w, 6)], boss = pick(w, 2) == 0 ? ADMIN : SECOND;
		unsigned days = 0;

		if (!careless && pick(w, 4) == 0)
			kv_mem_fail_commit(w->p[who].kv, 1 + pick(w, 8));
		switch (pick(w, 8)) {
		case 0: case 1:
			kv_mem_fail_commit(w->p[who].kv, 0);
			world_submit(w, pick(w, 2) == 0 ? VOLUNTEER0 : VOLUNTEER1, SMALL, ++n, NULL);
			break;
		case 2:
			if (outcome(w, boss, rotate_season(of(w, boss)), sum) == PERR_OK) {
				sum->rotations++;
				if (careless)
					forget_older(w, boss);
			}
			break;
		case 3:
			sum->rotations += outcome(w, boss, rotate_access(of(w, boss), 1 + pick(w, 5)),
			                          sum) == PERR_OK;
			break;
		case 4:
			(void)outcome(w, boss, bring_all(of(w, boss), &w->net, STEWARD_PUSH, &r), sum);
			break;
		case 5:
			days = 1 + pick(w, 6);
			break;
		case 6:
			has = pick(w, WORLD_SERVERS);
			if (w->s[has].host == NULL)
				world_start(w, has);
			else
				world_stop(w, has);
			break;
		default:
			(void)outcome(w, who, world_try(w, who), sum);
			break;
		}
		for (unsigned k = 0; k < 6; k++)
			kv_mem_fail_commit(w->p[people[k]].kv, 0);
		world_day(w, (int)days);
		sum->days += days;
		since += days;
		/* readers look in from time to time, with both servers there */
		if (since > 20 && !careless) {
			both_servers(w);
			world_day(w, 1);         /* what its start left to do */
			come_together(w, false);
			world_sync(w, HOLDER0);
			world_sync(w, HOLDER1);
			release_by_anybody(w);
			since = 0;
		}
	}
	both_servers(w);
	world_day(w, 1);
	for (unsigned round = 0; round < 3; round++) {
		(void)!bring_all(of(w, ADMIN), &w->net, STEWARD_PUSH, &r);
		(void)!bring_all(of(w, SECOND), &w->net, STEWARD_PUSH, &r);
	}
	for (unsigned k = 0; k < 2; k++) {
		(void)!world_try(w, VOLUNTEER0);
		(void)!world_try(w, VOLUNTEER1);
		release_by_anybody(w);
		(void)!world_try(w, HOLDER0);
		(void)!world_try(w, HOLDER1);
	}
	has = has_how_many(w, HOLDER0, n) < has_how_many(w, HOLDER1, n)
	    ? has_how_many(w, HOLDER0, n) : has_how_many(w, HOLDER1, n);
	if (has < n && !careless)
		print_message("story %u: %u of %u intakes lost\n", from, n - has, n);
	sum->lost += n - has;
	sum->intakes += n;
	world_free(w);
}

static void nothing_sealed_is_lost_in_any_order(void **state)
{
	unsigned stories = is_long() ? 150 : 2, controls = is_long() ? 3 : 2, caught = 0;
	struct sum sum = { 0 };

	(void)state;
	for (unsigned i = 0; i < stories; i++)
		tell(seed * 1000 + i, false, &sum);
	for (unsigned i = 0; i < controls; i++) {
		struct sum s = { 0 };

		tell(seed * 1000 + i, true, &s);
		caught += s.lost > 0;
	}
	print_message("figure: stories: %u; rotations: %u; days: %u; failed writes: %u; intakes: %u; "
	              "lost: %u; controls that lost some: %u/%u\n", stories, sum.rotations, sum.days,
	              sum.failed, sum.intakes, sum.lost, caught, controls);
	assert_int_equal(sum.lost, 0);
	assert_true(sum.rotations > 0 && (sum.failed > 0 || !is_long()));
	assert_true(caught > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_who_rotate_at_once_keep_both_seasons),
		cmocka_unit_test(a_rotation_beside_a_revocation_gives_the_revoked_nothing),
		cmocka_unit_test(what_is_planned_is_done_once_by_whoever_is_there),
		cmocka_unit_test(what_is_planned_is_proposed_once_where_two_must_sign),
		cmocka_unit_test(nothing_sealed_is_lost_in_any_order),
	};

	if (!rotate_begin())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
