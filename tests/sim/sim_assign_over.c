/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Cases that are over for a member, and the way to it: taken back, recused, held, unanswered,
 * revoked, in any order; nothing stays behind, and all devices end in the same state.
 */
#include "assign_kit.h"

/* ---- what is over -------------------------------------------------------------------------------- */

static void what_is_taken_back_before_it_was_fetched_never_stays(void **state)
{
	struct world *w = world_full(seed);
	uint8_t record[STATEMENT_RECORD_SIZE];
	struct assign_done done;

	(void)state;
	one_case(w, PHOTO, 1, record);
	give(w, HOLDER0, record, COUNSEL);
	world_sync(w, HOLDER0);
	world_release(w);
	OK(withdraw(w, HOLDER0, record, COUNSEL));
	world_sync(w, HOLDER0);
	world_release(w);
	world_sync(w, COUNSEL);
	assert_false(has_case(w, COUNSEL, record));
	assert_int_equal(world_count(w, COUNSEL, "stmt/"), 0);
	assert_int_equal(world_count(w, COUNSEL, "blob/"), 0);
	assert_int_equal(world_count(w, COUNSEL, "want/"), 0);
	assert_int_equal(world_count(w, COUNSEL, "cell/"), 0);
	assert_int_equal(world_count(w, COUNSEL, "chunks/"), 0);
	assert_int_equal(world_count(w, COUNSEL, "left/"), 1);
	/* her copies are asked to be erased; the desk's stay */
	world_sync(w, COUNSEL);
	days(w, 4);
	world_sync(w, HOLDER1);
	assert_true(world_has(w, HOLDER1, PHOTO, 1));
	/* a new turn brings it back, with everything */
	OK(try_give(w, HOLDER1, record, COUNSEL, ASSIGN_BY_POLICY, NULL, &done));
	ROUND(w, HOLDER1, COUNSEL);
	assert_true(has_case(w, COUNSEL, record));
	assert_true(world_has(w, COUNSEL, PHOTO, 1));
	world_free(w);
}

static void who_recused_themselves_gets_nothing_of_it_again(void **state)
{
	struct world *w = world_full(seed);
	uint8_t record[STATEMENT_RECORD_SIZE];
	struct assign_done done;
	struct assign_told told;
	char why[DISPATCH_WHY];
	unsigned n;

	(void)state;
	one_case(w, PHOTO, 1, record);
	give(w, HOLDER0, record, COUNSEL);
	ROUND(w, HOLDER0, HOLDER1, COUNSEL);
	assert_true(has_case(w, COUNSEL, record));
	OK(assign_recuse(of(w, COUNSEL), record, "", &told, why));
	OK(leave_tidy(of(w, COUNSEL), &n));
	assert_int_equal(n, 1);
	assert_false(has_case(w, COUNSEL, record));
	/* a holder who does not know yet takes it back and asks again: nothing of it is taken in */
	OK(withdraw(w, HOLDER1, record, COUNSEL));
	OK(try_give(w, HOLDER1, record, COUNSEL, ASSIGN_BY_POLICY, NULL, &done));
	ROUND(w, HOLDER1, COUNSEL, HOLDER0);
	ROUND(w, HOLDER1, COUNSEL, HOLDER0);
	assert_false(has_case(w, COUNSEL, record));
	assert_int_equal(world_count(w, COUNSEL, "stmt/"), 0);
	assert_int_equal(state_at(w, HOLDER1, record, COUNSEL), ASSIGNED_RECUSED);
	assert_int_equal(try_give(w, HOLDER1, record, COUNSEL, 7, NULL, &done), PERR_REFUSED);
	assert_int_equal(try_give(w, HOLDER0, record, COUNSEL, 7, NULL, &done), PERR_REFUSED);
	assert_int_equal(summary(w, HOLDER0, record)->state, CASE_RETURNED);
	world_free(w);
}

/* a court's order binds whoever has the papers, also when somebody else has the case by now */
static void what_is_under_a_legal_hold_stays_where_it_is_until_the_hold_ends(void **state)
{
	struct world *w = world_full(seed);
	uint8_t record[STATEMENT_RECORD_SIZE];

	(void)state;
	one_case(w, PHOTO, 1, record);
	give(w, HOLDER0, record, COUNSEL);
	ROUND(w, HOLDER0, HOLDER1, COUNSEL);
	OK(erasing_hold(of(w, COUNSEL), record, "subpoena"));
	OK(withdraw(w, HOLDER0, record, COUNSEL));
	ROUND(w, HOLDER0, HOLDER1, COUNSEL);
	ROUND(w, HOLDER0, HOLDER1, COUNSEL);
	assert_true(has_case(w, COUNSEL, record));
	assert_true(world_has(w, COUNSEL, PHOTO, 1));
	OK(erasing_unhold(of(w, COUNSEL), record));
	world_sync(w, COUNSEL);
	assert_false(has_case(w, COUNSEL, record));
	world_free(w);
}

/* each commit of it fails once; what is left over is completed by the next sync */
static void a_kill_while_a_case_leaves_leaves_nothing_behind(void **state)
{
	struct world *w = world_full(seed);
	uint8_t record[STATEMENT_RECORD_SIZE];
	unsigned kills = 0, n;
	enum perr err = PERR_IO;

	(void)state;
	one_case(w, 3000, 1, record);
	give(w, HOLDER0, record, COUNSEL);
	ROUND(w, HOLDER0, HOLDER1, COUNSEL);
	OK(answer(w, COUNSEL, record, STATEMENT_DECLINE));
	for (unsigned at = 1; err != PERR_OK; at++) {
		assert_true(at < 20);
		kv_mem_fail_commit(w->p[COUNSEL].kv, at);
		err = leave_tidy(of(w, COUNSEL), &n);
		kv_mem_fail_commit(w->p[COUNSEL].kv, 0);
		world_reopen(w, COUNSEL);
		if (err == PERR_OK)
			break;
		kills++;
		/* whole: the record with its attachment, and nobody is told yet that it left */
		assert_true(has_case(w, COUNSEL, record));
		assert_true(world_has(w, COUNSEL, 3000, 1));
		assert_int_equal(world_count(w, COUNSEL, "left/"), 0);
	}
	assert_true(kills >= 2);
	assert_int_equal(world_count(w, COUNSEL, "stmt/"), 0);
	assert_int_equal(world_count(w, COUNSEL, "blob/"), 0);
	assert_int_equal(world_count(w, COUNSEL, "code/"), 0);
	ROUND(w, COUNSEL, HOLDER0);
	assert_int_equal(state_at(w, HOLDER0, record, COUNSEL), ASSIGNED_DECLINED);
	world_free(w);
}

/* an attachment that another case has too stays with that */
static void what_two_cases_share_stays_with_the_other(void **state)
{
	struct world *w = world_full(seed);
	uint8_t one[STATEMENT_RECORD_SIZE], two[STATEMENT_RECORD_SIZE];

	(void)state;
	one_case(w, 3000, 1, one);
	one_case(w, 3000, 1, two);
	give(w, HOLDER0, one, COUNSEL);
	give(w, HOLDER0, two, COUNSEL);
	ROUND(w, HOLDER0, COUNSEL);
	OK(withdraw(w, HOLDER0, one, COUNSEL));
	ROUND(w, HOLDER0, COUNSEL);
	assert_false(has_case(w, COUNSEL, one));
	assert_true(has_case(w, COUNSEL, two));
	assert_true(world_has(w, COUNSEL, 3000, 1));
	OK(withdraw(w, HOLDER0, two, COUNSEL));
	ROUND(w, HOLDER0, COUNSEL);
	assert_false(world_has(w, COUNSEL, 3000, 1));
	world_free(w);
}

/* ---- silence ------------------------------------------------------------------------------------- */

static void silence_returns_a_case_and_a_late_yes_is_weighed(void **state)
{
	struct world *w = world_full(seed);
	uint8_t one[STATEMENT_RECORD_SIZE], two[STATEMENT_RECORD_SIZE];
	struct assign_done done;

	(void)state;
	world_join_as(w, SECOND, ROLE_ATTORNEY, w->desk);
	world_sync(w, SECOND);
	one_case(w, 0, 1, one);
	one_case(w, 0, 2, two);
	ROUND(w, HOLDER0, HOLDER1, COUNSEL, SECOND);
	OK(try_give(w, HOLDER0, one, COUNSEL, 3, NULL, &done));
	OK(try_give(w, HOLDER0, two, COUNSEL, 3, NULL, &done));
	ROUND(w, HOLDER0, HOLDER1, COUNSEL);
	days(w, 3);
	assert_int_equal(summary(w, HOLDER0, one)->state, CASE_ASSIGNED);
	days(w, 1);
	/* nobody said anything, and both holders know */
	for (int i = 0; i < 2; i++) {
		assert_int_equal(summary(w, i == 0 ? HOLDER0 : HOLDER1, one)->state, CASE_RETURNED);
		assert_true(summary(w, i == 0 ? HOLDER0 : HOLDER1, one)->unanswered);
	}
	/* one is given to somebody else; COUNSEL's yes to both comes a day later, not knowing it */
	OK(try_give(w, HOLDER1, one, SECOND, 3, NULL, &done));
	world_sync(w, HOLDER1);
	days(w, 1);
	OK(answer(w, COUNSEL, one, STATEMENT_ACCEPT));
	OK(answer(w, COUNSEL, two, STATEMENT_ACCEPT));
	ROUND(w, COUNSEL, HOLDER0, HOLDER1, SECOND);
	ROUND(w, COUNSEL, HOLDER0, HOLDER1, SECOND);
	assert_int_equal(state_at(w, HOLDER0, one, COUNSEL), ASSIGNED_LATE);
	assert_int_equal(state_at(w, HOLDER1, one, COUNSEL), ASSIGNED_LATE);
	assert_int_equal(state_at(w, HOLDER0, one, SECOND), ASSIGNED_OFFERED);
	assert_int_equal(state_at(w, HOLDER0, two, COUNSEL), ASSIGNED_ACCEPTED);
	/* she is told, and has the one that is hers */
	assert_false(has_case(w, COUNSEL, one));
	assert_true(has_case(w, COUNSEL, two));
	assert_int_equal(world_count(w, COUNSEL, "left/"), 1);
	world_free(w);
}

/* ---- reassigning --------------------------------------------------------------------------------- */

static void revoke(struct world *w, enum world_who who)
{
	struct bring_result r;
	uint8_t key[1][32];

	memcpy(key[0], key_of(w, who), 32);
	OK(revoke_members(of(w, ADMIN), (const uint8_t (*)[32])key, 1));
	OK(bring_all(of(w, ADMIN), &w->net, STEWARD_PUSH, &r));
}

static void cases_of_who_was_revoked_go_to_another_over_kills(void **state)
{
	struct world *w = world_full(seed);
	uint8_t record[3][STATEMENT_RECORD_SIZE], from[32];
	struct assign_done done;
	unsigned kills = 0;

	(void)state;
	world_join_as(w, SECOND, ROLE_ATTORNEY, w->desk);
	world_sync(w, SECOND);
	for (unsigned i = 0; i < 3; i++)
		one_case(w, 3000, i + 1, record[i]);
	ROUND(w, HOLDER0, HOLDER1, COUNSEL, SECOND);
	for (unsigned i = 0; i < 3; i++)
		give(w, HOLDER0, record[i], COUNSEL);
	ROUND(w, HOLDER0, HOLDER1, COUNSEL);
	OK(answer(w, COUNSEL, record[0], STATEMENT_ACCEPT));
	OK(note(w, COUNSEL, record[0], "what she found out"));
	ROUND(w, COUNSEL, HOLDER0, HOLDER1);
	memcpy(from, key_of(w, COUNSEL), 32);
	revoke(w, COUNSEL);
	ROUND(w, HOLDER0, HOLDER1, SECOND);
	/* each commit fails once: before or after, and the repeat does the rest */
	for (unsigned i = 0; i < 3; i++) {
		for (unsigned at = 1; at < 20; at++) {
			enum perr err;

			kv_mem_fail_commit(w->p[HOLDER0].kv, at);
			err = try_give(w, HOLDER0, record[i], SECOND, 7, from, &done);
			kv_mem_fail_commit(w->p[HOLDER0].kv, 0);
			world_reopen(w, HOLDER0);
			if (err == PERR_OK)
				break;
			kills++;
			assert_int_equal(err, PERR_IO);
			assert_false(assigned_is_over(state_at(w, HOLDER0, record[i], COUNSEL)));
			assert_null(case_person(summary(w, HOLDER0, record[i]), key_of(w, SECOND)));
		}
		assert_int_equal(state_at(w, HOLDER0, record[i], COUNSEL), ASSIGNED_WITHDRAWN);
	}
	ROUND(w, HOLDER0, HOLDER1, SECOND);
	ROUND(w, HOLDER0, HOLDER1, SECOND);
	assert_true(kills >= 3);
	for (unsigned i = 0; i < 3; i++) {
		assert_true(has_case(w, SECOND, record[i]));
		assert_true(world_has(w, SECOND, 3000, i + 1));
		assert_int_equal(state_at(w, HOLDER1, record[i], SECOND), ASSIGNED_OFFERED);
		assert_int_equal(state_at(w, SECOND, record[i], COUNSEL), ASSIGNED_WITHDRAWN);
	}
	assert_int_equal(summary(w, SECOND, record[0])->n_notes, 1);
	/* nothing waits for who is no member any more */
	assert_int_equal(world_waiting(w, HOLDER0), 0);
	assert_int_equal(world_waiting(w, HOLDER1), 0);
	printf("figure: kills while reassigning: %u; cases lost or left between two: 0\n", kills);
	world_free(w);
}

/* ---- anything, in any order ---------------------------------------------------------------------- */

static uint32_t below(struct world *w, uint32_t n)
{
	uint32_t r;

	rng_fill(w->rng, (uint8_t *)&r, sizeof r);
	return r % n;
}

static void one_act(struct world *w, uint8_t (*record)[STATEMENT_RECORD_SIZE], unsigned n)
{
	static const enum world_who desk[] = { HOLDER0, HOLDER1 }, others[] = { COUNSEL, SECOND };
	enum world_who h = desk[below(w, 2)], a = others[below(w, 2)];
	const uint8_t *r = record[below(w, n)];
	struct assign_done done;
	struct assign_told told;
	char why[DISPATCH_WHY];
	enum perr err = PERR_OK;

	switch (below(w, 12)) {
	case 0:
	case 1:
	case 2:
		err = try_give(w, h, r, a, below(w, 3), NULL, &done);
		break;
	case 3:
		err = withdraw(w, h, r, a);
		break;
	case 4:
	case 5:
		err = answer(w, a, r, STATEMENT_ACCEPT);
		break;
	case 6:
		err = answer(w, a, r, STATEMENT_DECLINE);
		break;
	case 7:
		if (below(w, 4) == 0)
			err = assign_recuse(of(w, a), r, "", &told, why);
		break;
	case 8:
		err = note(w, below(w, 2) == 0 ? h : a, r, "palabra");
		break;
	case 9:
		world_day(w, 1);
		break;
	default:
		world_sync(w, below(w, 2) == 0 ? h : a);
		break;
	}
	assert_true(err == PERR_OK || err == PERR_REFUSED || err == PERR_NOTFOUND);
	if (below(w, 3) == 0)
		world_release(w);
}

/* records of which two devices that read them differ */
static unsigned differences(struct world *w, uint8_t (*record)[STATEMENT_RECORD_SIZE], unsigned n)
{
	static const enum world_who others[] = { COUNSEL, SECOND };
	unsigned bad = 0;

	for (unsigned i = 0; i < n; i++) {
		struct case_summary a = *summary(w, HOLDER0, record[i]);
		struct case_summary *b = summary(w, HOLDER1, record[i]);
		bool silent = false, same = a.n_people == b->n_people && a.state == b->state &&
		            a.n_notes == b->n_notes &&
		            memcmp(a.people, b->people, a.n_people * sizeof a.people[0]) == 0;

		for (int k = 0; k < 2; k++) {
			const struct assigned *p = case_person(&a, key_of(w, others[k]));
			bool has = has_case(w, others[k], record[i]);

			silent = silent || (p != NULL && p->state == ASSIGNED_SILENT);
			if (p == NULL || assigned_is_over(p->state))
				same = same && !has;
			else if (assigned_has_it(p->state))
				same = same && has &&
				       summary(w, others[k], record[i])->n_notes == a.n_notes &&
				       state_at(w, others[k], record[i], others[k]) == p->state;
		}
		/* of who did not answer it is not known that nothing more will be due */
		same = same && (silent || (!a.copies_due && !summary(w, HOLDER1, record[i])->copies_due));
		bad += !same;
	}
	return bad;
}

static void whatever_happens_all_devices_end_in_the_same_state(void **state)
{
	const char *mode = getenv("AMPARO_TEST_MODE");
	unsigned stories = mode != NULL && strcmp(mode, "long") == 0 ? 25 : 2, caught = 0, n = 2;

	(void)state;
	for (unsigned k = 0; k < stories; k++) {
		struct world *w = world_full(seed + 100 + k);
		uint8_t record[2][STATEMENT_RECORD_SIZE];

		world_join_as(w, SECOND, ROLE_ATTORNEY, w->desk);
		world_sync(w, SECOND);
		for (unsigned i = 0; i < n; i++)
			one_case(w, 500, i + 1, record[i]);
		ROUND(w, HOLDER0, HOLDER1, COUNSEL, SECOND);
		for (unsigned i = 0; i < 60; i++)
			one_act(w, record, n);
		/* the control: before they have talked, some differ */
		caught += differences(w, record, n) > 0;
		for (int i = 0; i < 6; i++) {
			ROUND(w, HOLDER0, HOLDER1, COUNSEL, SECOND);
			world_day(w, 1);
		}
		ROUND(w, HOLDER0, HOLDER1, COUNSEL, SECOND);
		if (differences(w, record, n) != 0)
			fail_msg("seed %u: devices differ", seed + 100 + k);
		world_free(w);
	}
	printf("figure: stories of 60 acts: %u; records on which devices differed at the end: 0; "
	       "control before the last rounds: %u stories\n", stories, caught);
	assert_true(caught > 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_taken_back_before_it_was_fetched_never_stays),
		cmocka_unit_test(who_recused_themselves_gets_nothing_of_it_again),
		cmocka_unit_test(what_is_under_a_legal_hold_stays_where_it_is_until_the_hold_ends),
		cmocka_unit_test(a_kill_while_a_case_leaves_leaves_nothing_behind),
		cmocka_unit_test(what_two_cases_share_stays_with_the_other),
		cmocka_unit_test(silence_returns_a_case_and_a_late_yes_is_weighed),
		cmocka_unit_test(cases_of_who_was_revoked_go_to_another_over_kills),
		cmocka_unit_test(whatever_happens_all_devices_end_in_the_same_state),
	};

	if (!assign_begin(argc, argv))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
