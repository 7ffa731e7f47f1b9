/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Who has a record, from what was said: the table of PROTOCOL 4.7, and its order of arrival. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "assigned.h"

#define MAX_SAID 24

static struct assigned_said said[MAX_SAID];
static size_t n_said;
static struct assigned out[8];

static void begin(void)
{
	n_said = 0;
	memset(out, 0xee, sizeof out);
}

static struct assigned_said *say(uint8_t who, enum assigned_word word, uint32_t turn,
                                 uint32_t day)
{
	struct assigned_said *s = &said[n_said++];

	memset(s, 0, sizeof *s);
	memset(s->whom, who, 32);
	s->word = word;
	s->turn = turn;
	s->day = day;
	return s;
}

static void offer(uint8_t who, uint32_t turn, uint32_t day, uint32_t answer_by)
{
	struct assigned_said *s = say(who, ASSIGNED_OFFER, turn, day);

	s->role = STATEMENT_ATTORNEY;
	s->answer_by = answer_by;
}

static const struct assigned *person(uint8_t who)
{
	size_t n = assigned_merge(said, n_said, out, 8);

	for (size_t i = 0; i < n; i++)
		if (out[i].key[0] == who)
			return &out[i];
	return NULL;
}

static enum assigned_state state_on(uint8_t who, uint32_t today)
{
	const struct assigned *a = person(who);

	assert_non_null(a);
	return assigned_on(a, today);
}

/* ---- the table ------------------------------------------------------------------------------- */

static void an_offer_waits_until_its_last_day_and_is_silence_afterwards(void **state)
{
	(void)state;
	begin();
	offer('a', 1, 100, 107);
	assert_int_equal(state_on('a', 100), ASSIGNED_OFFERED);
	assert_int_equal(state_on('a', 107), ASSIGNED_OFFERED);
	assert_int_equal(state_on('a', 108), ASSIGNED_SILENT);
	begin();
	offer('a', 1, 100, 0);
	assert_int_equal(state_on('a', 9999), ASSIGNED_OFFERED);
	/* two holders asked at once: the more generous one counts */
	begin();
	offer('a', 1, 100, 103);
	offer('a', 1, 101, 107);
	assert_int_equal(state_on('a', 105), ASSIGNED_OFFERED);
	assert_int_equal(person('a')->since, 101);
	offer('a', 1, 101, 0);
	assert_int_equal(state_on('a', 9999), ASSIGNED_OFFERED);
}

static void within_a_turn_the_last_of_the_list_stands(void **state)
{
	static const enum assigned_word words[] = { ASSIGNED_OFFER, ASSIGNED_ACCEPT,
	                                            ASSIGNED_DECLINE, ASSIGNED_WITHDRAW };
	static const enum assigned_state states[] = { ASSIGNED_OFFERED, ASSIGNED_ACCEPTED,
	                                              ASSIGNED_DECLINED, ASSIGNED_WITHDRAWN };

	(void)state;
	for (int a = 0; a < 4; a++)
		for (int b = 0; b < 4; b++) {
			begin();
			offer('a', 1, 100, 107);
			if (a > 0)
				say('a', words[a], 1, 102);
			if (b > 0)
				say('a', words[b], 1, 101);
			assert_int_equal(state_on('a', 103), states[a > b ? a : b]);
		}
}

static void only_the_last_turn_counts(void **state)
{
	(void)state;
	begin();
	say('a', ASSIGNED_WITHDRAW, 1, 105);
	say('a', ASSIGNED_ACCEPT, 1, 104);
	offer('a', 1, 100, 107);
	assert_int_equal(state_on('a', 106), ASSIGNED_WITHDRAWN);
	offer('a', 2, 105, 112);
	assert_int_equal(state_on('a', 106), ASSIGNED_OFFERED);
	assert_int_equal(person('a')->turn, 2);
	assert_false(person('a')->had_accepted);
	/* an answer to a turn that was never offered is no answer */
	say('a', ASSIGNED_ACCEPT, 3, 106);
	assert_int_equal(state_on('a', 106), ASSIGNED_OFFERED);
	begin();
	say('a', ASSIGNED_ACCEPT, 1, 106);
	assert_null(person('a'));
}

static void a_recusal_stands_in_every_turn(void **state)
{
	(void)state;
	begin();
	say('a', ASSIGNED_RECUSE, 0, 101);
	assert_int_equal(state_on('a', 101), ASSIGNED_RECUSED);
	for (uint32_t turn = 1; turn < 4; turn++) {
		offer('a', turn, 100 + turn, 0);
		say('a', ASSIGNED_ACCEPT, turn, 100 + turn);
		say('a', ASSIGNED_WITHDRAW, turn, 100 + turn);
		assert_int_equal(state_on('a', 105), ASSIGNED_RECUSED);
	}
	assert_int_equal(person('a')->since, 101);
}

static void a_late_yes_counts_unless_another_was_asked_meanwhile(void **state)
{
	(void)state;
	begin();
	offer('a', 1, 100, 107);
	say('a', ASSIGNED_ACCEPT, 1, 110);
	assert_int_equal(state_on('a', 111), ASSIGNED_ACCEPTED);
	/* asked at the same time, or after the yes: not meanwhile */
	offer('b', 1, 100, 107);
	offer('c', 1, 111, 118);
	assert_int_equal(state_on('a', 111), ASSIGNED_ACCEPTED);
	offer('b', 2, 109, 116);
	assert_int_equal(state_on('a', 111), ASSIGNED_LATE);
	assert_int_equal(state_on('b', 111), ASSIGNED_OFFERED);
	/* who interprets takes nobody's place */
	begin();
	offer('a', 1, 100, 107);
	say('a', ASSIGNED_ACCEPT, 1, 110);
	offer('b', 1, 109, 116);
	said[n_said - 1].role = STATEMENT_INTERPRETER;
	assert_int_equal(state_on('a', 111), ASSIGNED_ACCEPTED);
	/* and in time is in time */
	begin();
	offer('a', 1, 100, 107);
	say('a', ASSIGNED_ACCEPT, 1, 107);
	offer('b', 1, 108, 115);
	assert_int_equal(state_on('a', 111), ASSIGNED_ACCEPTED);
}

static void too_many_people_leave_out_those_who_have_nothing(void **state)
{
	(void)state;
	begin();
	for (uint8_t i = 1; i <= 12; i++) {
		offer(i, 1, 100, 107);
		if (i <= 6)
			say(i, i == 3 ? ASSIGNED_RECUSE : ASSIGNED_DECLINE, 1, 101);
	}
	assert_int_equal(assigned_merge(said, n_said, out, 8), 8);
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(out[i].state, ASSIGNED_OFFERED);
	assert_int_equal(out[6].state, ASSIGNED_RECUSED);
	assert_int_equal(out[7].state, ASSIGNED_DECLINED);
	assert_int_equal(out[7].key[0], 1);
}

/* ---- any order of arrival -------------------------------------------------------------------- */

static uint64_t rng_state;

static uint32_t below(uint32_t n)
{
	rng_state = rng_state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(rng_state >> 33) % n;
}

static size_t draw(struct assigned_said *s)
{
	size_t n = 1 + below(MAX_SAID - 1);

	memset(s, 0, n * sizeof *s);
	for (size_t i = 0; i < n; i++) {
		memset(s[i].whom, 'a' + (int)below(4), 32);
		s[i].word = below(12) == 0 ? ASSIGNED_RECUSE : (enum assigned_word)below(4);
		s[i].turn = 1 + below(3);
		s[i].day = 100 + below(12);
		if (s[i].word == ASSIGNED_OFFER) {
			s[i].role = below(3) == 0 ? STATEMENT_INTERPRETER : STATEMENT_ATTORNEY;
			s[i].answer_by = below(4) == 0 ? 0 : s[i].day + below(8);
		}
	}
	return n;
}

static void shuffle(struct assigned_said *s, size_t n)
{
	for (size_t i = n; i > 1; i--) {
		size_t j = below((uint32_t)i);
		struct assigned_said t = s[i - 1];

		s[i - 1] = s[j];
		s[j] = t;
	}
}

/* the control: what comes last is what stands, as if arrival were an order */
static size_t merge_by_arrival(struct assigned_said *s, size_t n, struct assigned *o, size_t max)
{
	size_t n_out = 0;

	for (uint8_t who = 'a'; who < 'e' && n_out < max; who++) {
		bool any = false;

		memset(&o[n_out], 0, sizeof *o);
		memset(o[n_out].key, who, 32);
		for (size_t i = 0; i < n; i++)
			if (s[i].whom[0] == who) {
				o[n_out].state = (enum assigned_state)s[i].word;
				any = true;
			}
		n_out += any;
	}
	return n_out;
}

typedef size_t merge_fn(struct assigned_said *, size_t, struct assigned *, size_t);

/* sets of which some order of arrival, or a repeat, gave another result */
static unsigned differing(merge_fn *merge, unsigned sets, unsigned *orders)
{
	unsigned bad = 0;

	rng_state = 20261124;
	for (unsigned k = 0; k < sets; k++) {
		static struct assigned first[8], again[8];
		struct assigned_said base[MAX_SAID], s[MAX_SAID + 4];
		size_t n = draw(base), n_first, n_again;
		bool same = true;

		memset(first, 0, sizeof first);
		memcpy(s, base, n * sizeof *s);
		n_first = merge(s, n, first, 8);
		for (unsigned i = 0; i < 20; i++) {
			size_t more = n + below(4);      /* some come twice */

			memcpy(s, base, n * sizeof *s);
			for (size_t at = n; at < more; at++)
				s[at] = base[below((uint32_t)n)];
			shuffle(s, more);
			memset(again, 0, sizeof again);
			n_again = merge(s, more, again, 8);
			same = same && n_again == n_first &&
			       memcmp(first, again, sizeof first) == 0;
			(*orders)++;
		}
		bad += !same;
	}
	return bad;
}

static void any_order_of_arrival_gives_the_same(void **state)
{
	unsigned orders = 0, ignored = 0, caught;

	(void)state;
	assert_int_equal(differing(assigned_merge, 5000, &orders), 0);
	caught = differing(merge_by_arrival, 5000, &ignored);
	printf("figure: assignments: 5000 sets of statements in %u orders: other results: 0; control "
	       "that goes by arrival: %u sets caught\n", orders, caught);
	assert_true(caught > 2500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_offer_waits_until_its_last_day_and_is_silence_afterwards),
		cmocka_unit_test(within_a_turn_the_last_of_the_list_stands),
		cmocka_unit_test(only_the_last_turn_counts),
		cmocka_unit_test(a_recusal_stands_in_every_turn),
		cmocka_unit_test(a_late_yes_counts_unless_another_was_asked_meanwhile),
		cmocka_unit_test(too_many_people_leave_out_those_who_have_nothing),
		cmocka_unit_test(any_order_of_arrival_gives_the_same),
	};

	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
