/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Who has a case, between devices that are off, die and come back: what was assigned reaches
 * the assignee whole, and what came later follows once.  What is over: sim_assign_over.
 */
#include "assign_kit.h"

/* ---- attachments --------------------------------------------------------------------------------- */

static void attachments_reach_who_joined_after_the_servers_forgot_them(void **state)
{
	struct world *w = world_full(seed);
	uint8_t record[STATEMENT_RECORD_SIZE];

	(void)state;
	one_case(w, PHOTO, 1, record);
	assert_true(world_has(w, HOLDER0, PHOTO, 1));
	/* the intake's cells expire, on both servers */
	days(w, 70);
	assert_int_equal(world_cells(w, 0), 0);
	assert_int_equal(world_cells(w, 1), 0);
	world_join_as(w, SECOND, ROLE_ATTORNEY, w->desk);
	world_sync(w, SECOND);
	ROUND(w, HOLDER0, HOLDER1, SECOND);
	assert_int_equal(give(w, HOLDER0, record, SECOND).n_missing, 0);
	ROUND(w, HOLDER0, SECOND);
	assert_true(has_case(w, SECOND, record));
	assert_true(world_has(w, SECOND, PHOTO, 1));
	world_free(w);
}

static void what_the_assigner_lacks_follows_from_a_co_holder(void **state)
{
	struct world *w = world_full(seed);
	uint8_t record[STATEMENT_RECORD_SIZE];
	unsigned later = 0;

	(void)state;
	one_case(w, PHOTO, 1, record);
	days(w, 70);
	/* as if her device had been off while the chunks were there */
	OK(kv_begin(w->p[HOLDER0].kv));
	OK(kv_each_name(w->p[HOLDER0].kv, "blob/", drop, w->p[HOLDER0].kv));
	OK(kv_commit(w->p[HOLDER0].kv));
	assert_false(world_has(w, HOLDER0, PHOTO, 1));
	ROUND(w, HOLDER0, HOLDER1, COUNSEL);
	assert_int_equal(give(w, HOLDER0, record, COUNSEL).n_missing, 1);
	ROUND(w, HOLDER0, COUNSEL);
	/* the interview is with her at once, without it */
	assert_true(has_case(w, COUNSEL, record));
	assert_false(world_has(w, COUNSEL, PHOTO, 1));
	while (!world_has(w, COUNSEL, PHOTO, 1)) {
		assert_true(later++ < 8);
		ROUND(w, HOLDER1, HOLDER0, COUNSEL);
		days(w, 1);
	}
	printf("figure: an attachment that the assigner lacked came from the co-holder after %u "
	       "days\n", later - 1);
	world_free(w);
}

/* ---- what is said later -------------------------------------------------------------------------- */

static void corrections_notes_and_answers_follow_once(void **state)
{
	struct world *w = world_full(seed);
	uint8_t record[STATEMENT_RECORD_SIZE];
	unsigned from0, from1;
	struct case_file *f;

	(void)state;
	world_join(w, INTERPRETER, w->desk);
	world_sync(w, INTERPRETER);
	one_case(w, 0, 1, record);
	ROUND(w, HOLDER0, HOLDER1, COUNSEL, INTERPRETER);
	give(w, HOLDER0, record, COUNSEL);
	give(w, HOLDER0, record, INTERPRETER);
	ROUND(w, HOLDER0, HOLDER1, COUNSEL, INTERPRETER);
	assert_int_equal(summary(w, HOLDER1, record)->n_people, 2);
	OK(answer(w, COUNSEL, record, STATEMENT_ACCEPT));
	OK(note(w, COUNSEL, record, "uno"));
	OK(note(w, INTERPRETER, record, "dos"));
	OK(note(w, HOLDER1, record, "tres"));
	correct(w, VOLUNTEER1, record);
	world_sync(w, VOLUNTEER1);
	for (int i = 0; i < 5; i++) {
		ROUND(w, HOLDER0, HOLDER1, COUNSEL, INTERPRETER);
		days(w, 1);
	}
	for (int i = 0; i < 4; i++) {
		enum world_who who = (enum world_who[]){ HOLDER0, HOLDER1, COUNSEL, INTERPRETER }[i];

		OK(case_open(of(w, who), record, &f));
		assert_int_equal(f->s.n_notes, 3);
		assert_int_equal(f->n_corrections, 1);
		assert_int_equal(f->s.state, CASE_ACCEPTED);
		case_close(f);
	}
	/* COUNSEL: two notes, the correction, that INTERPRETER was asked.  INTERPRETER: two notes,
	 * the answer, the correction, and that COUNSEL was asked came with the offer */
	assert_int_equal(copies_at(w, COUNSEL, NULL), 4);
	assert_int_equal(copies_at(w, INTERPRETER, NULL), 5);
	from0 = copies_at(w, COUNSEL, key_of(w, HOLDER0)) + copies_at(w, INTERPRETER,
	                                                              key_of(w, HOLDER0));
	from1 = copies_at(w, COUNSEL, key_of(w, HOLDER1)) + copies_at(w, INTERPRETER,
	                                                              key_of(w, HOLDER1));
	printf("figure: copies for two assignees: 9, of them by one holder %u, by the other %u\n",
	       from0, from1);
	/* what is passed on is known: nothing is due any more, and nothing goes again */
	assert_false(summary(w, HOLDER0, record)->copies_due);
	assert_false(summary(w, HOLDER1, record)->copies_due);
	world_free(w);
}

static void who_is_away_is_stood_in_for_and_does_not_repeat(void **state)
{
	struct world *w = world_full(seed);
	uint8_t record[STATEMENT_RECORD_SIZE];
	unsigned first, waited = 0;

	(void)state;
	one_case(w, 0, 1, record);
	give(w, HOLDER0, record, COUNSEL);
	ROUND(w, HOLDER0, HOLDER1, COUNSEL);
	for (unsigned i = 0; i < 6; i++)
		correct(w, VOLUNTEER0, record);
	world_sync(w, VOLUNTEER0);
	world_release(w);
	/* HOLDER1 alone: its own share at once, the rest when nobody else did it */
	world_sync(w, HOLDER1);
	world_sync(w, HOLDER1);          /* as the program does when a duty asks for it */
	world_release(w);
	world_sync(w, COUNSEL);
	first = copies_at(w, COUNSEL, NULL);
	while (copies_at(w, COUNSEL, NULL) < 6) {
		assert_true(waited++ < 4);
		days(w, 1);
		world_sync(w, HOLDER1);
		world_sync(w, HOLDER1);
		world_release(w);
		world_sync(w, COUNSEL);
	}
	assert_int_equal(waited, first == 6 ? 0 : FORWARD_WAIT_DAYS);
	/* HOLDER0 comes back, and sees that it is done */
	ROUND(w, HOLDER0, HOLDER1, COUNSEL);
	ROUND(w, HOLDER0, HOLDER1, COUNSEL);
	assert_int_equal(copies_at(w, COUNSEL, NULL), 6);
	printf("figure: of 6 corrections one holder alone passed on %u at once, all after %u days\n",
	       first, waited);
	world_free(w);
}

/* of those in an order each is first for its share, and a leaver changes only its own */
static void each_holder_has_a_share_and_a_leaver_leaves_the_others_theirs(void **state)
{
	uint8_t holders[5][32], hash[32], whom[32];
	unsigned first[5] = { 0 }, moved = 0, n = 2000;

	(void)state;
	for (int i = 0; i < 5; i++)
		memset(holders[i], i + 1, 32);
	memset(whom, 'w', 32);
	for (unsigned k = 0; k < n; k++) {
		unsigned seen = 0, before = 5, after = 5;

		crypto_generichash(hash, 32, (const uint8_t *)&k, sizeof k, NULL, 0);
		for (uint32_t i = 0; i < 5; i++) {
			uint32_t r = forward_rank((const uint8_t (*)[32])holders, 5, i, hash, whom);

			assert_true(r < 5);
			seen |= 1u << r;
			first[i] += r == 0;
			before = r == 0 ? i : before;
		}
		assert_int_equal(seen, 31);      /* a permutation */
		for (uint32_t i = 0; i < 4; i++)
			if (forward_rank((const uint8_t (*)[32])holders, 4, i, hash, whom) == 0)
				after = i;
		assert_true(before == 4 || after == before);
		moved += before != after;
	}
	for (int i = 0; i < 5; i++)
		assert_in_range(first[i], n / 5 - 120, n / 5 + 120);
	assert_int_equal(moved, first[4]);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(attachments_reach_who_joined_after_the_servers_forgot_them),
		cmocka_unit_test(what_the_assigner_lacks_follows_from_a_co_holder),
		cmocka_unit_test(corrections_notes_and_answers_follow_once),
		cmocka_unit_test(who_is_away_is_stood_in_for_and_does_not_repeat),
		cmocka_unit_test(each_holder_has_a_share_and_a_leaver_leaves_the_others_theirs),
	};

	if (!assign_begin(argc, argv))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
