/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * What shares promise, measured against arithmetic of the test's own: fewer than k say nothing,
 * any k give the seed, and nothing of a seed stays in memory that was given back.
 */
#include "shares.h"

#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <libgfshare.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

/* ---- GF(2^8) as PROTOCOL 7.4 has it, by shifts --------------------------------------------- */

static uint8_t times(uint8_t a, uint8_t b)
{
	unsigned x = a, r = 0;

	for (; b != 0; b >>= 1) {
		if (b & 1)
			r ^= x;
		x <<= 1;
		if (x & 0x100)
			x ^= 0x11d;
	}
	return (uint8_t)r;
}

static uint8_t inverse(uint8_t a)
{
	for (unsigned b = 1; b < 256; b++)
		if (times(a, (uint8_t)b) == 1)
			return (uint8_t)b;
	return 0;
}

/* the value at `where` of the polynomial through n points */
static uint8_t at(uint8_t where, const uint8_t *x, const uint8_t *y, unsigned n)
{
	uint8_t sum = 0;

	for (unsigned i = 0; i < n; i++) {
		uint8_t term = y[i];

		for (unsigned j = 0; j < n; j++)
			if (j != i)
				term = times(term, times(where ^ x[j], inverse(x[i] ^ x[j])));
		sum ^= term;
	}
	return sum;
}

/* ---- memory that is given back ------------------------------------------------------------- */

/* the sanitizer has a free of its own: the plain build looks */
#ifndef __SANITIZE_ADDRESS__
static const uint8_t *sought;        /* PAPER_SEED_SIZE bytes; NULL: do not look */
static unsigned found, looked;
extern void __libc_free(void *p);

/* the whole program's, the library's included */
void free(void *p)
{
	if (p != NULL && sought != NULL) {
		size_t n = malloc_usable_size(p);

		looked++;
		for (size_t i = 0; i + 8 <= n; i++)
			if (memcmp((uint8_t *)p + i, sought, 8) == 0) {
				found++;
				break;
			}
	}
	__libc_free(p);
}
#endif

/* ---- claims -------------------------------------------------------------------------------- */

static void make(uint8_t (*shares)[PAPER_SEED_SIZE], uint8_t seed[PAPER_SEED_SIZE], unsigned need,
                 unsigned of)
{
	randombytes_buf(seed, PAPER_SEED_SIZE);
	assert_int_equal(shares_split(shares, (const uint8_t *)seed, need, of), PERR_OK);
}

/* 3 of 5: each choice of three, in each of its six orders; and 2 of 2, 16 of 16 */
static void any_k_in_any_order_give_the_seed(void **state)
{
	uint8_t shares[PAPER_SHARES_MAX][PAPER_SEED_SIZE], seed[PAPER_SEED_SIZE], back[PAPER_SEED_SIZE];
	uint8_t few[PAPER_SHARES_MAX][PAPER_SEED_SIZE], index[PAPER_SHARES_MAX];
	unsigned n = 0;

	(void)state;
	make(shares, seed, 3, 5);
	for (uint8_t a = 1; a <= 5; a++)
		for (uint8_t b = 1; b <= 5; b++)
			for (uint8_t c = 1; c <= 5; c++) {
				const uint8_t order[3] = { a, b, c };

				if (a == b || b == c || a == c)
					continue;
				for (unsigned i = 0; i < 3; i++) {
					index[i] = order[i];
					memcpy(few[i], shares[order[i] - 1], PAPER_SEED_SIZE);
				}
				assert_int_equal(shares_join(back, (const uint8_t (*)[PAPER_SEED_SIZE])few,
				                             index, 3), PERR_OK);
				assert_memory_equal(back, seed, sizeof seed);
				n++;
			}
	assert_int_equal(n, 60);
	for (uint8_t i = 0; i < PAPER_SHARES_MAX; i++)
		index[i] = i + 1;
	make(shares, seed, 2, 2);
	assert_int_equal(shares_join(back, (const uint8_t (*)[PAPER_SEED_SIZE])shares, index, 2), PERR_OK);
	assert_memory_equal(back, seed, sizeof seed);
	make(shares, seed, 16, 16);
	assert_int_equal(shares_join(back, (const uint8_t (*)[PAPER_SEED_SIZE])shares, index, 16), PERR_OK);
	assert_memory_equal(back, seed, sizeof seed);
}

static void they_are_what_the_protocol_says(void **state)
{
	uint8_t shares[5][PAPER_SEED_SIZE], seed[PAPER_SEED_SIZE];

	(void)state;
	make(shares, seed, 3, 5);
	for (unsigned byte = 0; byte < PAPER_SEED_SIZE; byte++) {
		const uint8_t x[3] = { 1, 4, 5 };
		const uint8_t y[3] = { shares[0][byte], shares[3][byte], shares[4][byte] };

		assert_int_equal(at(0, x, y, 3), seed[byte]);
		assert_int_equal(at(2, x, y, 3), shares[1][byte]);
		assert_int_equal(at(3, x, y, 3), shares[2][byte]);
	}
}

/* with two of three needed shares, every value of a byte of the seed is met by exactly one value
 * of the third share: none is likelier than another */
static void k_minus_one_leave_every_seed_possible(void **state)
{
	uint8_t shares[5][PAPER_SEED_SIZE], seed[PAPER_SEED_SIZE], back[PAPER_SEED_SIZE];
	uint8_t few[3][PAPER_SEED_SIZE];
	const uint8_t index[3] = { 2, 5, 3 };

	(void)state;
	make(shares, seed, 3, 5);
	memcpy(few[0], shares[1], PAPER_SEED_SIZE);
	memcpy(few[1], shares[4], PAPER_SEED_SIZE);
	for (unsigned byte = 0; byte < PAPER_SEED_SIZE; byte++) {
		bool hit[256] = { false };
		unsigned n = 0;

		for (unsigned guess = 0; guess < 256; guess++) {
			memset(few[2], (int)guess, PAPER_SEED_SIZE);
			assert_int_equal(shares_join(back, (const uint8_t (*)[PAPER_SEED_SIZE])few, index,
			                             3), PERR_OK);
			n += hit[back[byte]] ? 0 : 1;
			hit[back[byte]] = true;
		}
		assert_int_equal(n, 256);
	}
	/* and the two put together as if two were enough give something else */
	assert_int_equal(shares_join(back, (const uint8_t (*)[PAPER_SEED_SIZE])few, index, 2), PERR_OK);
	assert_memory_not_equal(back, seed, sizeof seed);
}

/*
 * Over 2,000 splits of one seed the same two shares, taken byte by byte, have no value more often
 * than chance allows.  The control, a "split" whose coefficients are the clock's, is caught.
 */
static double chi_square(void (*split)(uint8_t (*)[PAPER_SEED_SIZE], const uint8_t *))
{
	unsigned count[256] = { 0 };
	uint8_t shares[5][PAPER_SEED_SIZE], seed[PAPER_SEED_SIZE];
	double chi = 0, want = 2000.0 * PAPER_SEED_SIZE / 256;

	memset(seed, 0x2a, sizeof seed);
	for (unsigned i = 0; i < 2000; i++) {
		split(shares, seed);
		for (unsigned j = 0; j < PAPER_SEED_SIZE; j++)
			count[shares[1][j] ^ times(3, shares[2][j])]++;
	}
	for (unsigned v = 0; v < 256; v++)
		chi += (count[v] - want) * (count[v] - want) / want;
	return chi;
}

static void honest(uint8_t (*shares)[PAPER_SEED_SIZE], const uint8_t *seed)
{
	assert_int_equal(shares_split(shares, seed, 3, 5), PERR_OK);
}

static void careless(uint8_t (*shares)[PAPER_SEED_SIZE], const uint8_t *seed)
{
	static uint8_t tick;

	tick = (uint8_t)((tick + 1) % 100);
	for (uint8_t i = 1; i <= 5; i++)
		for (unsigned j = 0; j < PAPER_SEED_SIZE; j++)
			shares[i - 1][j] = seed[j] ^ times(tick, i) ^ times(7, times(i, i));
}

static void shares_look_like_noise(void **state)
{
	(void)state;
	/* 255 degrees of freedom: above 400 once in 10^8 */
	assert_true(chi_square(honest) < 400);
	assert_true(chi_square(careless) > 400);
}

static void two_splits_of_one_seed_have_nothing_in_common(void **state)
{
	uint8_t a[5][PAPER_SEED_SIZE], b[5][PAPER_SEED_SIZE], seed[PAPER_SEED_SIZE], back[PAPER_SEED_SIZE];
	uint8_t mixed[3][PAPER_SEED_SIZE];
	const uint8_t index[3] = { 1, 2, 3 };

	(void)state;
	make(a, seed, 3, 5);
	assert_int_equal(shares_split(b, seed, 3, 5), PERR_OK);
	for (unsigned i = 0; i < 5; i++)
		for (unsigned j = 0; j < 5; j++)
			assert_memory_not_equal(a[i], b[j], PAPER_SEED_SIZE);
	memcpy(mixed, a, sizeof mixed);
	memcpy(mixed[2], b[2], PAPER_SEED_SIZE);
	assert_int_equal(shares_join(back, (const uint8_t (*)[PAPER_SEED_SIZE])mixed, index, 3), PERR_OK);
	assert_memory_not_equal(back, seed, sizeof seed);
}

static void numbers_that_give_the_seed_away_are_refused(void **state)
{
	uint8_t shares[PAPER_SHARES_MAX + 1][PAPER_SEED_SIZE] = { { 0 } }, seed[PAPER_SEED_SIZE] = { 1 };
	static const uint8_t bad[][3] = { { 0, 1, 2 }, { 1, 2, 2 }, { 3, 17, 1 }, { 5, 5, 5 } };
	const uint8_t good[3] = { 1, 2, 3 };

	(void)state;
	assert_int_equal(shares_split(shares, seed, 1, 5), PERR_RANGE);
	assert_int_equal(shares_split(shares, seed, 0, 0), PERR_RANGE);
	assert_int_equal(shares_split(shares, seed, 6, 5), PERR_RANGE);
	assert_int_equal(shares_split(shares, seed, 3, 17), PERR_RANGE);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_int_equal(shares_join(seed, (const uint8_t (*)[PAPER_SEED_SIZE])shares, bad[i], 3),
		                 PERR_RANGE);
	assert_int_equal(shares_join(seed, (const uint8_t (*)[PAPER_SEED_SIZE])shares, good, 1),
	                 PERR_RANGE);
}

static void the_library_never_uses_its_own_randomness(void **state)
{
	uint8_t shares[2][PAPER_SEED_SIZE], seed[PAPER_SEED_SIZE];

	(void)state;
	gfshare_fill_rand = gfshare_bad_idea_but_fill_rand_using_random;
	make(shares, seed, 2, 2);
	assert_true(gfshare_fill_rand != gfshare_bad_idea_but_fill_rand_using_random);
}

#ifndef __SANITIZE_ADDRESS__
/* the library works in plain memory: what it gives back must hold neither seed nor share */
static void nothing_of_a_seed_stays_in_memory_given_back(void **state)
{
	uint8_t shares[5][PAPER_SEED_SIZE], seed[PAPER_SEED_SIZE], back[PAPER_SEED_SIZE];
	const uint8_t index[3] = { 1, 2, 3 };
	uint8_t *volatile p;             /* or the compiler sees that nobody reads the copy */

	(void)state;
	randombytes_buf(seed, sizeof seed);
	found = looked = 0;
	sought = seed;
	assert_int_equal(shares_split(shares, seed, 3, 5), PERR_OK);
	assert_int_equal(shares_join(back, (const uint8_t (*)[PAPER_SEED_SIZE])shares, index, 3), PERR_OK);
	sought = shares[1];
	assert_int_equal(shares_join(back, (const uint8_t (*)[PAPER_SEED_SIZE])shares, index, 3), PERR_OK);
	assert_true(looked >= 3);
	assert_int_equal(found, 0);
	/* the control: a copy that nobody wiped */
	p = malloc(64);
	assert_non_null(p);
	memcpy(p + 9, shares[1], PAPER_SEED_SIZE);
	free(p);
	sought = NULL;
	assert_int_equal(found, 1);
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_k_in_any_order_give_the_seed),
		cmocka_unit_test(they_are_what_the_protocol_says),
		cmocka_unit_test(k_minus_one_leave_every_seed_possible),
		cmocka_unit_test(shares_look_like_noise),
		cmocka_unit_test(two_splits_of_one_seed_have_nothing_in_common),
		cmocka_unit_test(numbers_that_give_the_seed_away_are_refused),
		cmocka_unit_test(the_library_never_uses_its_own_randomness),
#ifndef __SANITIZE_ADDRESS__
		cmocka_unit_test(nothing_of_a_seed_stays_in_memory_given_back),
#endif
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
