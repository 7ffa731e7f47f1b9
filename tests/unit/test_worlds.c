/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * The statistics of tests/worlds/ against answers worked out by hand, and its reading of a
 * data folder against a file whose insides are known.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../worlds/classify.h"
#include "../worlds/feature.h"
#include "../worlds/image.h"
#include "../worlds/permute.h"
#include "../worlds/rank.h"
#include "cell.h"
#include "store_seg.h"

#define NEAR(a, b, eps) assert_true(fabs((double)(a) - (double)(b)) <= (eps))

/* ---- ranks ---- */

static void equal_numbers_share_the_mean_of_their_places(void **state)
{
	const float x[4] = { 3, 1, 3, 2 };
	uint32_t twice[4];

	rank_twice(x, 4, twice);
	assert_int_equal(twice[0], 7);          /* places 3 and 4 */
	assert_int_equal(twice[1], 2);
	assert_int_equal(twice[2], 7);
	assert_int_equal(twice[3], 4);
}

static void auc_is_the_chance_of_being_larger(void **state)
{
	/* 2 and 3 against 1 and 2: 2>1, 2=2, 3>1, 3>2: three and a half of four */
	const float x[4] = { 1, 2, 2, 3 };
	const uint8_t side[4] = { 0, 1, 0, 1 }, other[4] = { 1, 0, 1, 0 }, one[4] = { 1, 1, 1, 1 };
	const float same[4] = { 7, 7, 7, 7 };

	NEAR(rank_auc(x, side, 4), 0.875, 1e-12);
	NEAR(rank_auc(x, other, 4), 0.125, 1e-12);
	NEAR(rank_auc(same, side, 4), 0.5, 1e-12);
	NEAR(rank_auc(x, one, 4), 0.5, 1e-12);
}

static void correlation_is_that_of_the_places(void **state)
{
	/* Spearman: 1 - 6·4 / (5·24) */
	const float x[5] = { 1, 2, 3, 4, 50 }, y[5] = { 2, 1, 4, 3, 5 };
	const float back[5] = { 5, 4, 3, 2, 1 };
	const float same[5] = { 1, 1, 1, 1, 1 };

	NEAR(rank_correlation(x, y, 5), 0.8, 1e-12);
	NEAR(rank_correlation(x, back, 5), -1, 1e-12);
	NEAR(rank_correlation(x, same, 5), 0, 1e-12);
	NEAR(rank_correlation(x, y, 0), 0, 1e-12);
}

/* ---- permutations ---- */

static void every_naming_is_equally_likely(void **state)
{
	unsigned seen[16] = { 0 }, i, n_kinds = 0;
	uint64_t bits[PERMUTE_RUNS_MAX / 64];
	struct permute_rng r;

	permute_seed(&r, 5);
	for (i = 0; i < 60000; i++) {
		permute_draw(&r, 4, 2, bits);
		assert_true(bits[0] < 16);
		seen[bits[0]]++;
	}
	for (i = 0; i < 16; i++) {
		assert_true(seen[i] == 0 || __builtin_popcount(i) == 2);
		n_kinds += seen[i] > 0;
		/* 10,000 each, standard deviation 91 */
		if (seen[i] > 0)
			NEAR(seen[i], 10000, 400);
	}
	assert_int_equal(n_kinds, 6);
}

static void a_draw_names_as_many_as_asked_for_in_any_size(void **state)
{
	static const size_t sizes[] = { 2, 40, 63, 64, 65, 128, 400, 512 };
	uint64_t bits[PERMUTE_RUNS_MAX / 64];
	struct permute_rng r;
	size_t i, j, n, many;

	permute_seed(&r, 6);
	for (i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		n = sizes[i];
		permute_draw(&r, n, n / 2, bits);
		for (j = 0, many = 0; j < (n + 63) / 64; j++)
			many += (size_t)__builtin_popcountll(bits[j]);
		assert_int_equal(many, n / 2);
		if (n % 64 != 0)
			assert_true(bits[n / 64] >> n % 64 == 0);
	}
}

static void p_is_the_share_of_namings_that_go_as_far(void **state)
{
	/* 1 2 3 against 4 5 6: of the 20 namings these and the opposite ones: p = 0.1 */
	const float x[6] = { 1, 2, 3, 4, 5, 6 };
	const uint8_t side[6] = { 0, 0, 0, 1, 1, 1 };
	double p, auc, tried = 0;
	unsigned i;

	for (i = 0; i < 400; i++) {
		permute_all(x, 1, side, 6, 100000, i + 1, &p, &auc);
		NEAR(auc, 1, 1e-12);
		tried += PERMUTE_ENOUGH / p;
	}
	/* the tenth success comes after 100 namings on average, standard deviation 30 */
	NEAR(tried / 400, 100, 6);
}

static void p_goes_as_low_as_there_were_namings(void **state)
{
	float x[80], same[80];
	uint8_t side[80];
	double p, auc;
	unsigned i;

	for (i = 0; i < 80; i++) {
		side[i] = i % 2;
		x[i] = (float)(i % 2 * 100 + i);
		same[i] = 3;
	}
	assert_int_equal(permute_all(x, 1, side, 80, 20000, 1, &p, &auc), 20000);
	NEAR(p, 1 / 20001.0, 1e-12);
	assert_int_equal(permute_all(same, 1, side, 80, 20000, 1, &p, &auc), 0);
	NEAR(p, 1, 1e-12);
	/* few enough to be counted: 2 of 137,846,528,820 namings are as good */
	permute_all(x, 1, side, 40, 20000, 1, &p, &auc);
	NEAR(p * 137846528820.0, 2, 1e-6);
}

static void all_namings_are_counted_exactly(void **state)
{
	const float x[6] = { 1, 2, 3, 4, 5, 6 }, tied[4] = { 1, 1, 2, 2 };
	const uint8_t side[6] = { 0, 0, 0, 1, 1, 1 }, pair[4] = { 0, 0, 1, 1 };
	struct permute_rng r;
	unsigned round, m, i;

	NEAR(permute_exact(x, side, 6), 0.1, 1e-12);
	/* ranks 1.5 1.5 3.5 3.5: two of six namings take both of a pair */
	NEAR(permute_exact(tied, pair, 4), 1 / 3.0, 1e-12);
	/* against every naming one by one */
	permute_seed(&r, 3);
	for (round = 0; round < 20; round++) {
		uint8_t s[9] = { 0, 1, 0, 1, 0, 1, 0, 1, 0 }, other[9];
		double as_far = 0, all = 0;
		float y[9];

		for (i = 0; i < 9; i++)
			y[i] = (float)permute_below(&r, 6);
		for (m = 0; m < 512; m++) {
			if (__builtin_popcount(m) != 4)
				continue;
			for (i = 0; i < 9; i++)
				other[i] = m >> i & 1;
			all++;
			as_far += fabs(rank_auc(y, other, 9) - 0.5) >=
			          fabs(rank_auc(y, s, 9) - 0.5) - 1e-9;
		}
		NEAR(permute_exact(y, s, 9), as_far / all, 1e-9);
	}
}

static void chance_alone_gives_p_below_a_twentieth_one_time_in_twenty(void **state)
{
	enum { N = 4000, RUNS = 24 };
	float *x = calloc(N * RUNS, sizeof *x);
	double *p = calloc(N, sizeof *p), *auc = calloc(N, sizeof *auc), low = 0, half = 0;
	uint8_t side[RUNS];
	struct permute_rng r;
	unsigned i;

	assert_true(x != NULL && p != NULL && auc != NULL);
	permute_seed(&r, 77);
	for (i = 0; i < N * RUNS; i++)
		x[i] = (float)permute_below(&r, 50);    /* with ties */
	for (i = 0; i < RUNS; i++)
		side[i] = i % 2;
	permute_all(x, N, side, RUNS, 1 << 16, 8, p, auc);
	for (i = 0; i < N; i++) {
		low += p[i] <= 0.05;
		half += p[i] <= 0.5;
	}
	/* standard deviations 0.0034 and 0.0079 */
	NEAR(low / N, 0.05, 0.014);
	NEAR(half / N, 0.5, 0.04);
	free(x);
	free(p);
	free(auc);
}

static void holm_multiplies_by_what_is_left_and_never_falls(void **state)
{
	const double p[5] = { 0.01, 0.04, 0.03, 0.005, 0.9 };
	double out[5];

	permute_holm(p, 5, out);
	NEAR(out[3], 0.025, 1e-12);             /* 5 × 0.005 */
	NEAR(out[0], 0.04, 1e-12);              /* 4 × 0.01 */
	NEAR(out[2], 0.09, 1e-12);              /* 3 × 0.03 */
	NEAR(out[1], 0.09, 1e-12);              /* 2 × 0.04 is less than the one before */
	NEAR(out[4], 0.9, 1e-12);
}

/* ---- the classifier ---- */

static void equations_are_solved(void **state)
{
	double a[4] = { 4, 2, 2, 3 }, b[4] = { 2, 8, 5, 8 };
	double bad[4] = { 1, 2, 2, 1 }, c[2] = { 1, 1 };

	/* 4x + 2y = 2, 2x + 3y = 5: -1/2 and 2; and for 8, 8: 1 and 2 */
	assert_int_equal(classify_solve(a, 2, b, 2), 0);
	NEAR(b[0], -0.5, 1e-12);
	NEAR(b[2], 2, 1e-12);
	NEAR(b[1], 1, 1e-12);
	NEAR(b[3], 2, 1e-12);
	assert_int_equal(classify_solve(bad, 2, c, 1), -1);
}

enum { CLASS_RUNS = 40, CLASS_FEATURES = 3000 };

/* lean: how much each feature of group 0 differs, in standard deviations of a uniform one */
static struct classify_result learn(double lean, double plain)
{
	float *x = calloc((CLASS_FEATURES + 1) * CLASS_RUNS, sizeof *x);
	uint8_t side[CLASS_RUNS], group[CLASS_FEATURES + 1] = { 0 };
	struct classify_result out;
	struct permute_rng r;
	unsigned i, f;

	assert_non_null(x);
	permute_seed(&r, 31);
	for (i = 0; i < CLASS_RUNS; i++)
		side[i] = i % 2;
	for (f = 0; f <= CLASS_FEATURES; f++) {
		double sign = permute_next(&r) & 1 ? 1 : -1;

		for (i = 0; i < CLASS_RUNS; i++)
			x[f * CLASS_RUNS + i] = (float)(permute_below(&r, 1000) / 288.7 +
			    (f == CLASS_FEATURES ? plain : lean) * sign * side[i]);
	}
	group[CLASS_FEATURES] = 1;
	out = classify(x, group, 2, CLASS_FEATURES + 1, side, CLASS_RUNS, 5, 0.5, 500, 9);
	free(x);
	return out;
}

static void nothing_is_learnt_from_chance(void **state)
{
	struct classify_result r = learn(0, 0);

	NEAR(r.accuracy, 0.5, 0.25);
	assert_true(r.p > 0.02);
}

static void what_is_faint_everywhere_is_learnt(void **state)
{
	struct classify_result r = learn(0.4, 0);

	assert_true(r.best >= 0.9);
	assert_int_equal(r.best_group, 0);
	NEAR(r.p, 1 / 501.0, 1e-9);
}

static void what_is_plain_in_one_place_is_learnt(void **state)
{
	struct classify_result r = learn(0, 5);

	assert_true(r.best >= 0.99);
	assert_true(r.accuracy >= 0.9);
	NEAR(r.p, 1 / 501.0, 1e-9);
}

/* ---- features ---- */

static void bytes_are_counted_by_position(void **state)
{
	/* three pieces of two bytes, four apart */
	const uint8_t pieces[12] = { 1, 7, 99, 99, 3, 7, 99, 99, 0, 9, 99, 99 };
	struct features f;

	feature_init(&f, 1);
	feature_bits(&f, pieces, 3, 2, 4, "x");
	assert_int_equal(f.n, 16);
	NEAR(f.v[0], 2, 0);                     /* 1 and 3 have bit 0 */
	NEAR(f.v[1], 1, 0);                     /* 3 has bit 1 */
	NEAR(f.v[8], 3, 0);
	NEAR(f.v[11], 1, 0);                    /* 9 has bit 3 */
	assert_string_equal(f.names[11].text, "x: byte 1 bit 3 set");
	f.n = 0;
	feature_values(&f, pieces, 3, 2, 4, "x");
	assert_int_equal(f.n, 4);
	NEAR(f.v[0], 3, 0);                     /* three values once */
	NEAR(f.v[1], 1, 0);
	NEAR(f.v[2], 5, 0);                     /* one twice, one once */
	NEAR(f.v[3], 2, 0);
	f.n = 0;
	feature_means(&f, pieces, 3, 2, 4, 2, "x");
	assert_int_equal(f.n, 2);
	NEAR(f.v[0], 27, 0);
	NEAR(f.v[1], 5, 0);                     /* not zero */
	feature_free(&f);
}

static void order_is_told_by_eighths(void **state)
{
	float arrival[16], place[16];
	struct features f;
	int i;

	for (i = 0; i < 16; i++) {
		arrival[i] = (float)i;
		place[i] = (float)(100 - i);
	}
	feature_init(&f, 0);
	feature_order(&f, arrival, place, 16, "x");
	assert_int_equal(f.n, 9);
	NEAR(f.v[0], -1, 1e-6);
	NEAR(f.v[1], 31, 1e-6);                 /* twice the mean of places 16 and 15 */
	NEAR(f.v[8], 3, 1e-6);
	feature_free(&f);
}

/* ---- a folder ---- */

#define CELLS 100u
static uint8_t cells[CELLS][CELL_SIZE];

static enum perr fetch(void *arg, const struct store_seg_item *item, const uint8_t **cell)
{
	*cell = cells[item->where];
	return PERR_OK;
}

static float value_of(const struct features *f, const char *name)
{
	size_t i;

	for (i = 0; i < f->n; i++)
		if (strcmp(f->names[i].text, name) == 0)
			return f->v[i];
	fail_msg("no feature is called %s", name);
	return 0;
}

static void a_segment_is_read_without_lmdb(void **state)
{
	struct store_seg_item items[CELLS];
	char dir[] = "/tmp/amparo-worlds-XXXXXX", path[64], sub[48];
	struct image_arrivals a = { 0 };
	struct features f;
	struct image im;
	uint8_t *copies, id[32];
	size_t n, i;
	FILE *out;

	assert_non_null(mkdtemp(dir));
	snprintf(sub, sizeof sub, "%s/segments", dir);
	assert_int_equal(mkdir(sub, 0700), 0);
	snprintf(path, sizeof path, "%s/20000.01.mdb", sub);
	for (i = 0; i < CELLS; i++) {
		randombytes_buf(cells[i], CELL_SIZE);
		cell_id(items[i].id, cells[i]);
		items[i].where = i;
		image_arrived(&a, items[i].id);
	}
	store_seg_sort(items, CELLS);
	assert_int_equal(store_seg_build(path, items, CELLS, fetch, NULL), PERR_OK);
	/* a page behind it that no tree leads to */
	out = fopen(path, "ab");
	assert_non_null(out);
	for (i = 0; i < 4096; i++)
		fputc(0xaa, out);
	fclose(out);

	image_read(&im, dir);
	assert_int_equal(im.n, 1);
	assert_string_equal(im.v[0].name, "segments/20000.01.mdb");
	feature_init(&f, 1);
	image_structure(&f, &im.v[0], &a, "s");
	NEAR(value_of(&f, "s: cells"), CELLS, 0);
	NEAR(value_of(&f, "s: overflow pages"), CELLS, 0);
	NEAR(value_of(&f, "s: meta pages"), 2, 0);
	NEAR(value_of(&f, "s: leaf pages"), 2, 0);
	NEAR(value_of(&f, "s: branch pages"), 1, 0);
	NEAR(value_of(&f, "s: other pages"), 1, 0);
	NEAR(value_of(&f, "s: bytes in the slack"), 0, 0);
	NEAR(value_of(&f, "s: free list entries"), 0, 0);
	NEAR(value_of(&f, "s, meta 1: entries"), CELLS, 0);
	NEAR(value_of(&f, "s, meta 1: overflow"), CELLS, 0);
	NEAR(value_of(&f, "s, meta 1: transaction"), 1, 0);
	NEAR(value_of(&f, "s, pages by key: arrival against place"), 1, 1e-6);
	assert_true(fabsf(value_of(&f, "s, cells by page: arrival against place")) < 0.5f);

	copies = image_cells(&im, &n);
	assert_int_equal(n, CELLS);
	for (i = 0; i < n; i++) {
		cell_id(id, copies + i * CELL_SIZE);
		assert_memory_equal(id, items[i].id, 32);       /* page order is id order */
	}
	free(copies);
	feature_free(&f);
	image_free(&im);
	image_arrivals_free(&a);
	unlink(path);
	rmdir(sub);
	rmdir(dir);
}

static void hostile_pages_end_nothing(void **state)
{
	uint8_t page[4 * 4096];
	struct image_file file = { .name = "state.mdb", .bytes = page, .len = sizeof page };
	struct image_arrivals a = { 0 };
	struct features f;
	unsigned round, i;

	/* leaf, branch and overflow pages full of noise, behind plausible headers */
	for (round = 0; round < 200; round++) {
		randombytes_buf(page, sizeof page);
		for (i = 0; i < 4; i++) {
			memset(page + i * 4096, 0, 12);
			page[i * 4096] = (uint8_t)i;
			page[i * 4096 + 10] = (uint8_t)(1u << randombytes_uniform(4));
			page[i * 4096 + 13] &= 0x1f;
			page[i * 4096 + 15] &= 0x1f;
		}
		feature_init(&f, 0);
		image_structure(&f, &file, &a, "x");
		image_pages(&f, &file, 64, "x");
		assert_true(f.n > 128);
		feature_free(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_numbers_share_the_mean_of_their_places),
		cmocka_unit_test(auc_is_the_chance_of_being_larger),
		cmocka_unit_test(correlation_is_that_of_the_places),
		cmocka_unit_test(every_naming_is_equally_likely),
		cmocka_unit_test(a_draw_names_as_many_as_asked_for_in_any_size),
		cmocka_unit_test(p_is_the_share_of_namings_that_go_as_far),
		cmocka_unit_test(p_goes_as_low_as_there_were_namings),
		cmocka_unit_test(all_namings_are_counted_exactly),
		cmocka_unit_test(chance_alone_gives_p_below_a_twentieth_one_time_in_twenty),
		cmocka_unit_test(holm_multiplies_by_what_is_left_and_never_falls),
		cmocka_unit_test(equations_are_solved),
		cmocka_unit_test(nothing_is_learnt_from_chance),
		cmocka_unit_test(what_is_faint_everywhere_is_learnt),
		cmocka_unit_test(what_is_plain_in_one_place_is_learnt),
		cmocka_unit_test(bytes_are_counted_by_position),
		cmocka_unit_test(order_is_told_by_eighths),
		cmocka_unit_test(a_segment_is_read_without_lmdb),
		cmocka_unit_test(hostile_pages_end_nothing)
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
