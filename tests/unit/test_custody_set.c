/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* custody.c: what is read of a custody statement, and what is refused. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "custody.h"

#define N 300

struct sample {
	uint8_t elements[N][CUSTODY_ELEMENT];
	uint8_t ranges[4][CUSTODY_RANGE];
	uint8_t erased[3][CUSTODY_RECORD];
	struct custody k;
};

static int by_bytes(const void *a, const void *b)
{
	return memcmp(a, b, CUSTODY_ELEMENT);
}

static void put(struct sample *s, size_t i, uint32_t first, uint32_t last, uint32_t count)
{
	struct custody_range r = { .first = first, .last = last, .count = count };

	memset(r.digest, (int)i, sizeof r.digest);
	custody_put_range(s->ranges[i], &r);
}

static struct sample *sample(void)
{
	struct sample *s = calloc(1, sizeof *s);

	assert_non_null(s);
	randombytes_buf(s->elements, sizeof s->elements);
	qsort(s->elements, N, CUSTODY_ELEMENT, by_bytes);
	put(s, 0, 0, 99, 7);
	put(s, 1, 100, 100, N);
	put(s, 2, 102, 109, 2);
	put(s, 3, 200, UINT32_MAX, 1);
	memset(s->erased[1], 1, CUSTODY_RECORD);
	memset(s->erased[2], 2, CUSTODY_RECORD);
	s->k.n_held = 7 + N + 2 + 1;
	s->k.ranges = doc_bytes_of(s->ranges, sizeof s->ranges);
	s->k.n_lists = 1;
	s->k.lists[0] = (struct custody_list){ .first = 100, .last = 101, .low = 0, .high = 255,
		.elements = doc_bytes_of(s->elements, sizeof s->elements) };
	s->k.erased = doc_bytes_of(s->erased, sizeof s->erased);
	assert_true(custody_is_sound(&s->k));
	return s;
}

static void ranges_and_lists_are_found_by_day(void **state)
{
	struct sample *s = sample();
	struct custody_range r;
	uint8_t other[CUSTODY_HASH] = { 0x80, 1 };
	uint64_t missing, expected = 0;

	(void)state;
	assert_true(custody_range_of(&s->k, 0, &r));
	assert_int_equal(r.count, 7);
	assert_true(custody_range_of(&s->k, 109, &r));
	assert_int_equal(r.first, 102);
	assert_true(custody_range_of(&s->k, UINT32_MAX, &r));
	assert_false(custody_range_of(&s->k, 101, &r));
	assert_false(custody_range_of(&s->k, 199, &r));
	for (int i = 0; i < N; i++) {
		expected = 0;
		for (int b = 0; b < 8; b++)
			expected = expected << 8 | s->elements[i][CUSTODY_HASH + b];
		assert_int_equal(custody_listed(&s->k, 100, s->elements[i], &missing), CUSTODY_LISTED);
		assert_true(missing == expected);
		assert_int_equal(custody_listed(&s->k, 102, s->elements[i], &missing),
		                 CUSTODY_NOT_LISTED);
	}
	assert_int_equal(custody_listed(&s->k, 101, other, &missing), CUSTODY_LACKED);
	/* a list of some first bytes says nothing about the others */
	s->k.lists[0].elements.len = 0;
	s->k.lists[0].high = 0x7f;
	assert_int_equal(custody_listed(&s->k, 101, other, &missing), CUSTODY_NOT_LISTED);
	assert_true(custody_says_erased(&s->k, s->erased[0]));
	assert_true(custody_says_erased(&s->k, s->erased[2]));
	s->erased[2][15]++;
	other[0] = 2;
	assert_false(custody_says_erased(&s->k, other));
	free(s);
}

static void what_is_out_of_order_is_refused(void **state)
{
	struct sample *s = sample();
	struct custody k = s->k;

	(void)state;
	k.n_held++;                              /* the ranges do not add up */
	assert_false(custody_is_sound(&k));
	k = s->k;
	k.ranges.len--;
	assert_false(custody_is_sound(&k));
	k = s->k;
	put(s, 2, 100, 109, 2);                  /* overlap */
	assert_false(custody_is_sound(&k));
	put(s, 2, 109, 102, 2);                  /* ends before it begins */
	assert_false(custody_is_sound(&k));
	put(s, 2, 102, 109, 0);                  /* nothing is not listed */
	k.n_held -= 2;
	assert_false(custody_is_sound(&k));
	put(s, 2, 102, 109, 2);
	k = s->k;
	k.lists[0].low = 255;                    /* an element outside of low..high */
	assert_false(custody_is_sound(&k));
	k = s->k;
	k.lists[0].first = 102;
	assert_false(custody_is_sound(&k));
	k = s->k;
	memcpy(s->elements[1], s->elements[0], CUSTODY_HASH);    /* one statement twice */
	assert_false(custody_is_sound(&k));
	k.n_lists = 0;
	assert_true(custody_is_sound(&k));
	memcpy(s->erased[1], s->erased[0], CUSTODY_RECORD);
	assert_false(custody_is_sound(&k));
	free(s);
}

/* 2^28 statements in two ranges: the sum does not run over */
static void counts_that_overflow_are_refused(void **state)
{
	struct sample *s = sample();

	(void)state;
	put(s, 0, 0, 99, UINT32_MAX);
	put(s, 1, 100, 100, 2);
	s->k.ranges.len = 2 * CUSTODY_RANGE;
	s->k.n_held = 1;
	assert_false(custody_is_sound(&s->k));
	free(s);
}

static void the_digest_tells_any_difference(void **state)
{
	struct sample *s = sample();
	uint8_t whole[CUSTODY_DIGEST], other[CUSTODY_DIGEST];
	unsigned differ = 0;

	(void)state;
	custody_digest(whole, (const uint8_t (*)[CUSTODY_ELEMENT])s->elements, N);
	custody_digest(other, (const uint8_t (*)[CUSTODY_ELEMENT])s->elements, N);
	assert_memory_equal(whole, other, CUSTODY_DIGEST);
	for (int i = 0; i < N; i++) {
		s->elements[i][CUSTODY_ELEMENT - 1] ^= 1;        /* one attachment more or less */
		custody_digest(other, (const uint8_t (*)[CUSTODY_ELEMENT])s->elements, N);
		differ += memcmp(whole, other, CUSTODY_DIGEST) != 0;
		s->elements[i][CUSTODY_ELEMENT - 1] ^= 1;
	}
	assert_int_equal(differ, N);
	custody_digest(other, (const uint8_t (*)[CUSTODY_ELEMENT])s->elements, N - 1);
	assert_memory_not_equal(whole, other, CUSTODY_DIGEST);
	free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranges_and_lists_are_found_by_day),
		cmocka_unit_test(what_is_out_of_order_is_refused),
		cmocka_unit_test(counts_that_overflow_are_refused),
		cmocka_unit_test(the_digest_tells_any_difference),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
