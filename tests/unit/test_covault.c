/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* covault.c, custody_body.c, reseal.c: what two vaults find out about each other. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "covault.h"
#include "custody_say.h"
#include "reseal.h"

#define OK(call) assert_int_equal((call), PERR_OK)
#define TODAY    20000u

/* ---- two vaults, by hand -------------------------------------------------------------- */

struct vault {
	struct covaults v;
	struct holding h;
	struct custody_body body;        /* what it said last */
};

static void put(struct vault *a, unsigned n, uint32_t day, uint32_t received, uint64_t missing)
{
	struct holding_item *it;
	uint8_t id[4] = { (uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n };

	if ((a->h.n & (a->h.n - 1)) == 0) {
		a->h.at = realloc(a->h.at, (2 * a->h.n + 1) * sizeof *a->h.at);
		assert_non_null(a->h.at);
	}
	it = &a->h.at[a->h.n++];
	memset(it, 0, sizeof *it);
	crypto_generichash(it->hash, sizeof it->hash, id, sizeof id, NULL, 0);
	memcpy(it->record, it->hash, sizeof it->record);
	it->day = day;
	it->received = received;
	it->missing = missing;
}

static int by_day(const void *a, const void *b)
{
	const struct holding_item *x = a, *y = b;

	return x->day != y->day ? x->day < y->day ? -1 : 1 : memcmp(x->hash, y->hash, CUSTODY_HASH);
}

static struct vault *vault_new(uint8_t key)
{
	struct vault *a = calloc(1, sizeof *a);

	assert_non_null(a);
	a->v.own = &a->h;
	a->v.today = TODAY;
	a->v.retention = 60;
	a->v.n = 1;
	memset(a->v.at[0].key, key, 32);
	return a;
}

static void ready(struct vault *a)
{
	if (a->h.n > 0)
		qsort(a->h.at, a->h.n, sizeof *a->h.at, by_day);
	a->v.at[0].words = calloc(a->h.n + 1, sizeof *a->v.at[0].words);
	assert_non_null(a->v.at[0].words);
}

static void vault_free(struct vault *a)
{
	custody_body_free(&a->body);
	free(a->v.at[0].words);
	free(a->v.at[0].dirty);
	free(a->h.at);
	free(a->h.gone);
	free(a);
}

/* a says what it has, b hears it */
static void say(struct vault *a, struct vault *b)
{
	struct covault *co = &b->v.at[0];

	custody_body_free(&a->body);
	OK(custody_body_make(&a->body, &a->v, TODAY - 1));
	assert_true(custody_is_sound(&a->body.k));
	free(co->dirty);
	co->dirty = NULL;
	co->n_dirty = 0;
	co->differs = false;
	co->has_said = true;
	co->day = TODAY;
	co->said = a->body.k;
	OK(covault_compare(co, &b->h));
}

static bool has(const struct vault *a, const struct holding_item *it, uint64_t *missing)
{
	for (size_t i = 0; i < a->h.n; i++)
		if (memcmp(a->h.at[i].hash, it->hash, CUSTODY_HASH) == 0) {
			*missing = a->h.at[i].missing;
			return true;
		}
	return false;
}

/* ---- finding differences ---------------------------------------------------------------- */

static uint32_t below(uint32_t n)
{
	return randombytes_uniform(n);
}

/* two vaults with much in common; days as they come, and some that are false */
static void random_pair(struct vault *a, struct vault *b)
{
	unsigned n = 1 + below(400), both = below(100);

	for (unsigned i = 0; i < n; i++) {
		uint32_t day = below(20) == 0 ? (uint32_t)randombytes_random()
		    : TODAY - below(below(2) ? 30 : 3000);
		uint64_t mask = below(8) == 0 ? (uint64_t)1 << below(64) : 0;

		if (below(100) <= both || below(2))
			put(a, i, day, TODAY - 20, mask);
		if (below(100) <= both || below(2))
			put(b, i, day, TODAY - 20, below(8) == 0 ? mask ^ 5 : mask);
	}
	ready(a);
	ready(b);
}

/*
 * a and b say what they have, and once more: now each knows of every statement, but of days
 * that are not scanned yet, whether the other one lacks something of it.
 */
static void every_difference_is_found_in_two_exchanges(void **state)
{
	unsigned pairs = 300, differences = 0, none = 0;

	(void)state;
	for (unsigned p = 0; p < pairs; p++) {
		struct vault *a = vault_new(1), *b = vault_new(2);

		random_pair(a, b);
		say(a, b);
		say(b, a);
		say(a, b);
		say(b, a);
		for (size_t i = 0; i < a->h.n; i++) {
			const struct holding_item *it = &a->h.at[i];
			const struct covault_word *w = &a->v.at[0].words[i];
			uint64_t missing = 0;
			bool there = has(b, it, &missing);
			bool needs = !there || (missing & ~it->missing) != 0;

			/* what is listed only when both have scanned it */
			if (w->says == COVAULT_UNKNOWN && it->day >= TODAY && it->day <= TODAY + 1)
				continue;
			assert_int_equal(w->says == COVAULT_HOLDS, there);
			assert_int_equal(w->says == COVAULT_LACKS, !there);
			assert_true(!there || w->missing == missing);
			assert_int_equal(covault_needs(&a->v.at[0], &a->h, i), needs);
			differences += needs;
			none += !needs;
		}
		vault_free(a);
		vault_free(b);
	}
	assert_true(differences > 1000 && none > 1000);
	print_message("figure: pairs of vaults: %u; lacks found: %u of %u; false ones: 0 of %u\n",
	              pairs, differences, differences, none);
}

static void equal_vaults_say_so_at_once(void **state)
{
	struct vault *a = vault_new(1), *b = vault_new(2);

	(void)state;
	for (unsigned i = 0; i < 2000; i++) {
		put(a, i, TODAY - i % 700, TODAY, 0);
		put(b, i, TODAY - i % 700, TODAY, 0);
	}
	ready(a);
	ready(b);
	say(a, b);
	assert_false(b->v.at[0].differs);
	assert_int_equal(b->v.at[0].n_dirty, 0);
	for (size_t i = 0; i < b->h.n; i++)
		assert_true(covaults_in_two(&b->v, i, true));
	assert_int_equal(covaults_through(&b->v, TODAY - 1), UINT32_MAX);
	/* words that are too old count for a person, and destroy nothing */
	b->v.at[0].day = TODAY - 31;
	assert_true(covaults_in_two(&b->v, 0, false));
	assert_false(covaults_in_two(&b->v, 0, true));
	assert_int_equal(covaults_through(&b->v, TODAY - 1), b->h.at[0].day - 1);
	/* years of days in one cell: the statement with its envelope takes some 300 bytes more */
	assert_true(a->body.k.ranges.len <= 3000);
	assert_int_equal(a->body.k.n_lists, 0);
	vault_free(a);
	vault_free(b);
}

/* an empty vault is known to lack everything from its first words */
static void an_empty_vault_needs_everything(void **state)
{
	struct vault *a = vault_new(1), *b = vault_new(2);

	(void)state;
	for (unsigned i = 0; i < 300; i++)
		put(a, i, TODAY - i, TODAY - 2, 0);
	ready(a);
	ready(b);
	say(b, a);
	for (size_t i = 0; i < a->h.n; i++) {
		assert_true(covault_needs(&a->v.at[0], &a->h, i));
		assert_false(covaults_in_two(&a->v, i, false));
	}
	vault_free(a);
	vault_free(b);
}

/* more statements on one day than a list holds: part by part, on different days */
static void a_day_too_large_for_a_list_is_told_in_parts(void **state)
{
	struct vault *a = vault_new(1), *b = vault_new(2);
	size_t n = 0;

	(void)state;
	for (unsigned i = 0; i < 40000; i++) {
		put(a, i, TODAY - 9, TODAY - 9, 0);
		if (i != 12345)
			put(b, i, TODAY - 9, TODAY - 9, 0);
	}
	ready(a);
	ready(b);
	bool found = false;
	for (unsigned day = 0; day < 12 && !found; day++) {
		a->v.today = b->v.today = TODAY + day;
		say(a, b);
		say(b, a);
		assert_int_equal(b->body.k.n_lists, 1);
		n = b->body.k.lists[0].elements.len / CUSTODY_ELEMENT;
		assert_true(n > 0 && n <= CUSTODY_ELEMENTS);
		for (size_t i = 0; i < a->h.n; i++)
			found |= covault_needs(&a->v.at[0], &a->h, i);
	}
	assert_true(found);
	vault_free(a);
	vault_free(b);
}

/* ---- what was erased ---------------------------------------------------------------------- */

static void what_was_erased_is_not_lacked(void **state)
{
	struct vault *a = vault_new(1), *b = vault_new(2);

	(void)state;
	for (unsigned i = 0; i < 20; i++) {
		put(a, i, TODAY - 5, TODAY - 5, 0);
		if (i != 3)
			put(b, i, TODAY - 5, TODAY - 5, 0);
	}
	ready(a);
	ready(b);
	b->h.gone = calloc(1, sizeof *b->h.gone);
	assert_non_null(b->h.gone);
	b->h.n_gone = 1;
	for (size_t i = 0; i < a->h.n; i++) {
		uint64_t missing;

		if (!has(b, &a->h.at[i], &missing))
			memcpy(b->h.gone[0].record, a->h.at[i].record, CUSTODY_RECORD);
	}
	say(b, a);
	for (size_t i = 0; i < a->h.n; i++)
		assert_false(covault_needs(&a->v.at[0], &a->h, i));
	/* and a lists the day, so that b is sure of all the rest */
	say(a, b);
	for (size_t i = 0; i < b->h.n; i++)
		assert_true(covaults_in_two(&b->v, i, true));
	vault_free(a);
	vault_free(b);
}

/* ---- when is it enough --------------------------------------------------------------------- */

static void one_day_in_one_vault_stops_the_keys_of_that_day(void **state)
{
	struct vault *a = vault_new(1), *b = vault_new(2);
	struct covaults_sum sum;

	(void)state;
	for (unsigned i = 0; i < 50; i++) {
		put(a, i, TODAY - 90 + i, TODAY - 40, 0);
		if (i != 20)
			put(b, i, TODAY - 90 + i, TODAY - 40, i == 30 ? 1 : 0);
	}
	ready(a);
	ready(b);
	say(a, b);
	say(b, a);
	say(a, b);
	say(b, a);
	assert_int_equal(covaults_through(&a->v, TODAY - 1), TODAY - 90 + 20 - 1);
	OK(covaults_sum(&a->v, &sum));
	assert_int_equal(sum.records, 50);
	assert_int_equal(sum.in_one, 2);         /* one lacked, one without its photograph */
	assert_int_equal(sum.in_one_old, 2);
	/* a co-holder who never said anything, or is paper, is no vault */
	a->v.at[0].has_said = false;
	assert_int_equal(covaults_through(&a->v, TODAY - 1), TODAY - 91);
	/* received before its date: a sender's clock is not believed further than one's own */
	a->v.at[0].has_said = true;
	a->h.at[20].received = TODAY - 95;
	assert_int_equal(covaults_through(&a->v, TODAY - 1), TODAY - 96);
	/* the only holder: what no server can have any more needs no key */
	a->v.is_alone = true;
	a->v.n = 0;
	assert_int_equal(covaults_through(&a->v, TODAY - 1),
	                 TODAY - 1 - 60 - COVAULT_EXPIRY_SLACK);
	vault_free(a);
	vault_free(b);
}

/* a photograph that no server can have any more, and neither vault has, stops nothing */
static void what_nobody_can_have_counts_no_longer(void **state)
{
	struct vault *a = vault_new(1), *b = vault_new(2);

	(void)state;
	put(a, 1, TODAY - 64, TODAY - 64, 1);
	put(b, 1, TODAY - 64, TODAY - 64, 1);
	ready(a);
	ready(b);
	say(b, a);
	assert_false(covaults_in_two(&a->v, 0, true));
	a->v.today++;
	assert_true(covaults_in_two(&a->v, 0, true));
	/* what she has and this one lacks comes yet */
	a->h.at[0].missing = 3;
	say(b, a);
	assert_false(covaults_in_two(&a->v, 0, true));
	vault_free(a);
	vault_free(b);
}

/* ---- whose turn it is ------------------------------------------------------------------------ */

static void each_statement_has_one_who_is_first(void **state)
{
	uint8_t keys[5][32], hash[CUSTODY_HASH];
	unsigned first[5] = { 0 };

	(void)state;
	randombytes_buf(keys, sizeof keys);
	for (unsigned i = 0; i < 2000; i++) {
		unsigned n_first = 0;

		randombytes_buf(hash, sizeof hash);
		for (unsigned a = 0; a < 5; a++) {
			unsigned before = 0;

			for (unsigned b = 0; b < 5; b++) {
				if (a == b)
					continue;
				before += reseal_is_before(hash, keys[b], keys[a]);
				assert_int_not_equal(reseal_is_before(hash, keys[b], keys[a]),
				                     reseal_is_before(hash, keys[a], keys[b]));
			}
			n_first += before == 0;
			first[a] += before == 0;
		}
		assert_int_equal(n_first, 1);
	}
	for (unsigned a = 0; a < 5; a++)
		assert_in_range(first[a], 300, 500);     /* and nobody does it all: 400 each */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_difference_is_found_in_two_exchanges),
		cmocka_unit_test(equal_vaults_say_so_at_once),
		cmocka_unit_test(an_empty_vault_needs_everything),
		cmocka_unit_test(a_day_too_large_for_a_list_is_told_in_parts),
		cmocka_unit_test(what_was_erased_is_not_lacked),
		cmocka_unit_test(one_day_in_one_vault_stops_the_keys_of_that_day),
		cmocka_unit_test(what_nobody_can_have_counts_no_longer),
		cmocka_unit_test(each_statement_has_one_who_is_first),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
