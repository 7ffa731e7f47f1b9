/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "decoys.h"
#include "fixture_org.h"
#include "kv_mem.h"
#include "outbox.h"
#include "roster.h"

/* ---- sizes -------------------------------------------------------------------------------------- */

static void every_upload_has_one_of_few_sizes(void **state)
{
	/* the last three: of a single submission that is larger than the largest size */
	static const uint32_t sizes[] = { 18, 72, 144, 288, 576, 1152, 4608, 18432,
	                                  36864, 55296, 65535 };
	uint32_t n, k = 0;

	(void)state;
	assert_int_equal(decoys_size(0), 0);
	for (n = 1; n < OUTBOX_GROUP_MAX; n++) {
		k += n > sizes[k] ? 1 : 0;
		assert_int_equal(decoys_size(n), sizes[k]);
	}
}

/* holders × statement, chunks of so many photographs of 256 KiB, a long form spilled */
static uint32_t cells_of(uint32_t photos)
{
	return 2 + photos * ((262144 + CELL_PAYLOAD_MAX - 1) / CELL_PAYLOAD_MAX) + 2;
}

static void what_topping_up_costs(void **state)
{
	uint32_t k, real = 0, sent = 0;
	char line[256] = "";

	(void)state;
	/* one photograph as large as the default limit allows must not cost a size */
	assert_int_equal(decoys_size(cells_of(1)), 72);
	assert_int_equal(decoys_size(cells_of(2)), 144);
	assert_int_equal(decoys_size(cells_of(4)), 288);
	assert_int_equal(decoys_size(cells_of(8)), 576);
	for (k = 0; k <= 8; k++) {
		uint32_t n = cells_of(k);

		snprintf(line + strlen(line), sizeof line - strlen(line), "%s%u: %u→%u",
		         k == 0 ? "" : ", ", k, n, decoys_size(n));
		real += n;
		sent += decoys_size(n);
	}
	printf("figure: cells of an intake for two holders by photographs of 256 KiB: %s; all nine: "
	       "%.2f times as many\n", line, (double)sent / real);
}

/* ---- the day's decoys ---------------------------------------------------------------------------- */

static struct rng seeded(struct rng_seeded *st, uint8_t n)
{
	uint8_t seed[32];

	memset(seed, n, sizeof seed);
	return rng_seeded(st, seed);
}

#define DAYS 4000

/*
 * How far numbers of decoys a day are from a geometric distribution of this mean: the
 * greatest distance of the two distribution functions, times the square root of DAYS.
 */
static double from_geometric(const uint32_t *days, double mean)
{
	double worst = 0, p = mean / (1 + mean);
	uint32_t x, top = (uint32_t)(12 * mean);
	unsigned i;

	for (x = 0; x < top; x++) {
		unsigned below = 0;
		double d;

		for (i = 0; i < DAYS; i++)
			below += days[i] <= x ? 1 : 0;
		d = fabs((double)below / DAYS - (1 - pow(p, x + 1.0)));
		worst = d > worst ? d : worst;
	}
	return worst * sqrt(DAYS);
}

static void a_day_is_geometric_however_often_one_syncs(void **state)
{
	static uint32_t days[DAYS];
	struct rng_seeded st;
	struct rng rng = seeded(&st, 7);
	static const unsigned syncs[] = { 1, 5, 24 };
	double mean = 40, worst = 0;
	unsigned s, i, k;

	(void)state;
	for (s = 0; s < 3; s++) {
		double sum = 0;

		for (i = 0; i < DAYS; i++) {
			days[i] = 0;
			for (k = 0; k < syncs[s]; k++)
				days[i] += decoys_draw(rng, mean, 1.0 / syncs[s]);
			sum += days[i];
		}
		/* the standard deviation is mean as well: 4 sigma */
		assert_true(fabs(sum / DAYS - mean) < 4 * mean / sqrt(DAYS));
		/* Kolmogorov: 1.95 once in a thousand runs (and less for steps) */
		assert_true(from_geometric(days, mean) < 1.95);
		worst = fmax(worst, from_geometric(days, mean));
	}
	/* controls: the same number every day, and Poisson's, whose mean alone is right */
	for (i = 0; i < DAYS; i++)
		days[i] = (uint32_t)mean;
	assert_true(from_geometric(days, mean) > 1.95);
	for (i = 0; i < DAYS; i++) {
		double t = 0;

		for (days[i] = 0; days[i] < 500; days[i]++) {
			t += -log((randombytes_uniform(1u << 30) + 0.5) / (1u << 30));
			if (t > mean)
				break;
		}
	}
	assert_true(from_geometric(days, mean) > 1.95);
	printf("figure: decoys of %d days at 1, 5 and 24 syncs a day: greatest distance from "
	       "geometric %.2f (bound 1.95); even and Poisson caught 2/2\n", DAYS, worst);
}

static void nothing_falls_due_without_a_target_or_time(void **state)
{
	struct rng_seeded st;
	struct rng rng = seeded(&st, 8);

	(void)state;
	assert_int_equal(decoys_draw(rng, 0, 10), 0);
	assert_int_equal(decoys_draw(rng, 1000, 0), 0);
	assert_int_equal(decoys_draw(rng, NAN, NAN), 0);
	assert_int_equal(decoys_draw(rng, 1e300, 7), DECOYS_LARGEST);
}

/* ---- a member ------------------------------------------------------------------------------------ */

static struct roster_server servers[2];
static struct roster_field field;
static struct roster_member members[3];
static struct roster_staff staff;
static struct identity me;
static struct season season;
static struct client c;
static int64_t now;

static int64_t clock_now(void *ctx)
{
	(void)ctx;
	return now;
}

static int begin(void **state)
{
	static const uint8_t psk[32] = { 1 };

	(void)state;
	memset(&c, 0, sizeof c);
	memset(&field, 0, sizeof field);
	memset(&staff, 0, sizeof staff);
	memset(&me, 0, sizeof me);
	servers[0].pk[0] = 1;
	servers[1].pk[0] = 2;
	field.servers = servers;
	field.n_servers = 2;
	field.limits.copies = 2;
	members[0].role = ROSTER_ATTORNEY;
	members[1].role = ROSTER_ADMINISTRATOR;
	members[2].role = ROSTER_ATTORNEY;
	staff.members = members;
	staff.n_members = 3;
	staff.decoys_per_day = 40;
	me.state = CLIENT_MEMBER;
	me.role = ROLE_ATTORNEY;
	season_init(&season, 1, psk);
	c.kv = kv_mem_new();
	c.field = &field;
	c.staff = &staff;
	c.me = &me;
	c.seasons = &season;
	c.n_seasons = 1;
	c.env.rng = rng_system();
	c.env.now = clock_now;
	now = 20000 * 86400ll;
	return c.kv == NULL;
}

static int end(void **state)
{
	(void)state;
	kv_mem_free(c.kv);
	return 0;
}

static void submit(size_t n)
{
	uint8_t *cells = malloc(n * CELL_SIZE);
	uint32_t group;

	randombytes_buf(cells, n * CELL_SIZE);
	assert_int_equal(kv_begin(c.kv), PERR_OK);
	assert_int_equal(outbox_add(&c, cells, n, &group), PERR_OK);
	assert_int_equal(kv_commit(c.kv), PERR_OK);
	free(cells);
}

static unsigned to_send(void)
{
	struct outbox_counts k;

	assert_int_equal(outbox_counts(&c, &k), PERR_OK);
	return k.to_send;
}

/* what a sync does about decoys; reached: a server took the upload's first cell */
static struct decoys sync_once(bool reached)
{
	struct decoys d, was;

	assert_int_equal(decoys_make(&c, &d), PERR_OK);
	was = d;
	if (reached)
		assert_int_equal(decoys_mix(&c, &d), PERR_OK);
	decoys_free(&d);
	return was;
}

static void an_upload_is_topped_up_once_however_often_it_is_tried(void **state)
{
	(void)state;
	staff.decoys_per_day = 0;
	submit(2);
	sync_once(false);
	sync_once(false);
	assert_int_equal(to_send(), 2);
	submit(5);
	sync_once(true);
	assert_int_equal(to_send(), 18);
	sync_once(true);
	sync_once(true);
	assert_int_equal(to_send(), 18);
	submit(19);
	sync_once(true);
	assert_int_equal(to_send(), 18 + 72);
}

static void nothing_to_send_stays_nothing(void **state)
{
	(void)state;
	staff.decoys_per_day = 0;
	sync_once(true);
	assert_int_equal(to_send(), 0);
	c.field = NULL;
	sync_once(true);
	assert_int_equal(to_send(), 0);
}

/* they were drawn and sealed before; a submission comes in between from another process */
static void what_becomes_fresh_in_between_is_topped_up_too(void **state)
{
	struct decoys d;

	(void)state;
	staff.decoys_per_day = 0;
	submit(10);
	assert_int_equal(decoys_make(&c, &d), PERR_OK);
	assert_int_equal(d.n, 8);
	submit(40);
	assert_int_equal(decoys_mix(&c, &d), PERR_OK);
	assert_int_equal(to_send(), 72);
	decoys_free(&d);
}

static void a_queue_beyond_the_largest_size_is_several_uploads(void **state)
{
	(void)state;
	staff.decoys_per_day = 0;
	submit(DECOYS_LARGEST - 5);
	submit(10);
	submit(10);
	sync_once(true);
	assert_int_equal(to_send(), DECOYS_LARGEST + 72);
}

static void attorneys_share_the_target(void **state)
{
	double sum = 0;
	unsigned i, days = 200;

	(void)state;
	sync_once(true);                         /* the clock begins to run */
	assert_int_equal(to_send(), 0);
	for (i = 0; i < days; i++) {
		struct decoys d;

		now += 86400;
		d = sync_once(true);
		sum += d.due;
		/* topped up with what is sent, also where nothing real is */
		assert_int_equal(d.n, decoys_size(d.due));
	}
	/* 40 by two attorneys */
	assert_true(fabs(sum / days - 20) < 5 * 20 / sqrt(days));
	/* no volunteer, no interpreter, nobody who is not confirmed */
	me.role = ROLE_INTERPRETER;
	now += 86400;
	assert_int_equal(sync_once(true).due, 0);
	me.role = ROLE_ATTORNEY;
	me.state = CLIENT_JOINING;
	assert_int_equal(sync_once(true).due, 0);
	me.state = CLIENT_MEMBER;
	c.staff = NULL;
	assert_int_equal(sync_once(true).due, 0);
}

static void what_is_due_waits_for_a_server_and_is_drawn_once(void **state)
{
	uint32_t due = 0, more;

	(void)state;
	sync_once(true);
	while (due == 0) {
		now += 86400;
		due = sync_once(false).due;
	}
	/* no time passed: the same ones */
	assert_int_equal(sync_once(false).due, due);
	assert_int_equal(sync_once(false).due, due);
	now += 3600;
	more = sync_once(false).due;
	assert_true(more >= due);
	assert_int_equal(sync_once(true).due, more);
	assert_int_equal(sync_once(true).due, 0);
	assert_int_equal(to_send(), decoys_size(more));
	/* a clock set back, and an absence of a year */
	now -= 30 * 86400;
	assert_int_equal(sync_once(true).due, 0);
	now += 365 * 86400ll;
	assert_true(sync_once(true).due <= DECOYS_LARGEST);
}

static void a_failing_store_is_reported(void **state)
{
	struct decoys d;
	unsigned n, failed = 0;

	(void)state;
	sync_once(true);
	for (n = 1; n <= 2; n++) {
		enum perr err;

		submit(3);
		now += 86400;
		kv_mem_fail_commit(c.kv, n);
		err = decoys_make(&c, &d);
		if (err == PERR_OK)
			err = decoys_mix(&c, &d);
		failed += err == PERR_IO;
		decoys_free(&d);
		kv_mem_fail_commit(c.kv, 0);
	}
	assert_int_equal(failed, 2);
	sync_once(true);
	assert_int_equal(decoys_size(to_send()), to_send());
}

/* ---- decoys of a real upload ---------------------------------------------------------------------- */

#define CLASS_MAX 1200

/* the cells of one class of an upload, and where they stood */
struct class {
	uint8_t (*cells)[CELL_SIZE];
	size_t at[CLASS_MAX], n;
};

static uint8_t (*known)[CELL_SIZE];
static size_t n_known;
static struct class real, decoy;

static enum perr keep_known(void *arg, uint64_t number, const uint8_t cell[CELL_SIZE])
{
	(void)arg;
	(void)number;
	assert_true(n_known < CLASS_MAX);
	memcpy(known[n_known++], cell, CELL_SIZE);
	return PERR_OK;
}

static enum perr sort_out(void *arg, uint64_t number, const uint8_t cell[CELL_SIZE])
{
	size_t *at = arg, i;
	struct class *k = &decoy;

	(void)number;
	for (i = 0; i < n_known; i++)
		if (memcmp(known[i], cell, CELL_SIZE) == 0)
			k = &real;
	assert_true(k->n < CLASS_MAX);
	memcpy(k->cells[k->n], cell, CELL_SIZE);
	k->at[k->n++] = (*at)++;
	return PERR_OK;
}

/* what an adversary measures; each is a number of standard deviations or like one */
enum feature { TOP_BIT, REFUSED, BIT, BYTES_E, BYTES_T, BYTES_CT, BYTES_MAC, PLACE, FEATURES };
static const char *const feature_names[FEATURES] = {
	"top bit of E", "E refused", "one bit", "bytes of E", "bytes of T", "bytes of ct",
	"bytes of mac", "place"
};
/*
 * Of 32,639 bits the greatest deviation is 4.3 on average, 6.5 once in 3e5; of the rest 5 is
 * once in 1e6.
 */
static const double bounds[FEATURES] = { 0.5, 0.5, 6.5, 5, 5, 5, 5, 5 };

static double two_bytes(const struct class *a, const struct class *b, size_t from, size_t end)
{
	double n[2] = { 0 }, count[2][256] = { { 0 } }, chi = 0;
	size_t i, k;

	for (i = 0; i < a->n; i++)
		for (k = from; k < end; k++, n[0]++)
			count[0][a->cells[i][k]]++;
	for (i = 0; i < b->n; i++)
		for (k = from; k < end; k++, n[1]++)
			count[1][b->cells[i][k]]++;
	for (k = 0; k < 256; k++) {
		double all = count[0][k] + count[1][k];

		for (i = 0; i < 2 && all > 0; i++) {
			double e = all * n[i] / (n[0] + n[1]);

			chi += (count[i][k] - e) * (count[i][k] - e) / e;
		}
	}
	return (chi - 255) / sqrt(2 * 255);
}

static double one_bit(const struct class *a, const struct class *b)
{
	double worst = 0;
	size_t bit, i;

	for (bit = 0; bit < 8 * CELL_SIZE; bit++) {
		double n[2] = { 0 }, p, z;

		for (i = 0; i < a->n; i++)
			n[0] += a->cells[i][bit / 8] >> (bit % 8) & 1;
		for (i = 0; i < b->n; i++)
			n[1] += b->cells[i][bit / 8] >> (bit % 8) & 1;
		p = (n[0] + n[1]) / (double)(a->n + b->n);
		if (p <= 0 || p >= 1)
			continue;
		z = fabs(n[0] / (double)a->n - n[1] / (double)b->n) /
		    sqrt(p * (1 - p) * (1.0 / (double)a->n + 1.0 / (double)b->n));
		worst = z > worst ? z : worst;
	}
	return worst;
}

static double in_place(const struct class *a, const struct class *b)
{
	double wins = 0, m = (double)a->n, n = (double)b->n;
	size_t i, k;

	for (i = 0; i < a->n; i++)
		for (k = 0; k < b->n; k++)
			wins += a->at[i] < b->at[k];
	return fabs(wins / (m * n) - 0.5) / sqrt((m + n + 1) / (12 * m * n));
}

static void measure(double f[FEATURES])
{
	size_t i;

	memset(f, 0, FEATURES * sizeof *f);
	for (i = 0; i < decoy.n; i++) {
		f[TOP_BIT] += decoy.cells[i][31] >> 7;
		f[REFUSED] += cell_check(decoy.cells[i]) != PERR_OK;
	}
	f[BIT] = one_bit(&real, &decoy);
	f[BYTES_E] = two_bytes(&real, &decoy, 0, 31);
	f[BYTES_T] = two_bytes(&real, &decoy, 32, 64);
	f[BYTES_CT] = two_bytes(&real, &decoy, 64, 4064);
	f[BYTES_MAC] = two_bytes(&real, &decoy, 4064, CELL_SIZE);
	f[PLACE] = in_place(&real, &decoy);
}

static unsigned outside(const double f[FEATURES])
{
	unsigned n = 0, i;

	for (i = 0; i < FEATURES; i++)
		n += f[i] > bounds[i];
	return n;
}

/* intakes with photographs by a real client, for two holders; then its own topping up */
static void a_real_upload(void)
{
	struct fixture *f = fixture_new();
	struct client *v = fix(f, FIX_VOLUNTEER0);
	struct decoys d;
	unsigned which;
	size_t at = 0;

	for (which = 1; which <= 9; which++) {
		struct intake_file files[4];
		struct intake in = { .xml = f->xml[which - 1], .xml_len = f->xml_len[which - 1],
		                     .files = files, .language = "es" };
		struct intake_receipt r;
		char why[DISPATCH_WHY];
		static uint8_t photo[4][60000];
		unsigned k;

		for (k = 0; k < 4 && fixture_photos(which)[k] != NULL; k++) {
			randombytes_buf(photo[k], sizeof photo[k]);
			files[k] = (struct intake_file){ .name = fixture_photos(which)[k],
			                                 .data = photo[k], .len = sizeof photo[k] };
		}
		in.n_files = k;
		assert_int_equal(intake_seal(v, &in, &r, why), PERR_OK);
	}
	n_known = real.n = decoy.n = 0;
	assert_int_equal(outbox_next(v, v->field->n_servers > 0 ? v->field->servers[0].pk : real.cells[0],
	                             0, CLASS_MAX, keep_known, NULL), PERR_OK);
	assert_int_equal(decoys_make(v, &d), PERR_OK);
	assert_int_equal(decoys_mix(v, &d), PERR_OK);
	decoys_free(&d);
	assert_int_equal(outbox_next(v, v->field->n_servers > 0 ? v->field->servers[0].pk : real.cells[0],
	                             0, CLASS_MAX, sort_out, &at), PERR_OK);
	assert_int_equal(real.n, n_known);
	assert_int_equal(real.n + decoy.n, decoys_size((uint32_t)n_known));
	fixture_free(f);
}

static void decoys_of_a_real_upload_cannot_be_told_from_its_cells(void **state)
{
	double f[FEATURES], worst = 0;
	unsigned i, caught = 0;
	size_t k;

	(void)state;
	known = calloc(CLASS_MAX, CELL_SIZE);
	real.cells = calloc(CLASS_MAX, CELL_SIZE);
	decoy.cells = calloc(CLASS_MAX, CELL_SIZE);
	assert_true(known != NULL && real.cells != NULL && decoy.cells != NULL);
	a_real_upload();
	assert_true(decoy.n > 40 && real.n > 100);
	measure(f);
	for (i = 0; i < FEATURES; i++) {
		if (f[i] > bounds[i])
			fail_msg("decoys stand out by %s: %.1f (bound %.1f)", feature_names[i], f[i],
			         bounds[i]);
		worst = fmax(worst, f[i] / bounds[i]);
	}
	/* controls, one after the other: places behind the rest, a bit of T, bytes in ct that
	   lean, random bytes in the place of E */
	for (i = 0; i < 4; i++) {
		uint8_t (*kept)[CELL_SIZE] = calloc(CLASS_MAX, CELL_SIZE);
		size_t places[CLASS_MAX];

		assert_non_null(kept);
		memcpy(kept, decoy.cells, CLASS_MAX * (size_t)CELL_SIZE);
		memcpy(places, decoy.at, sizeof places);
		for (k = 0; k < decoy.n; k++) {
			if (i == 0)
				decoy.at[k] += 10000;
			if (i == 1)
				decoy.cells[k][40] |= 4;
			if (i == 2 && k % 8 == 0)
				memset(decoy.cells[k] + 200, 0, 200);
			if (i == 3)
				randombytes_buf(decoy.cells[k], 32);
		}
		measure(f);
		caught += outside(f) > 0;
		memcpy(decoy.cells, kept, CLASS_MAX * (size_t)CELL_SIZE);
		memcpy(decoy.at, places, sizeof places);
		free(kept);
	}
	assert_int_equal(caught, 4);
	printf("figure: an upload of %zu cells and %zu decoys: %d features, the worst at %.2f of its "
	       "bound; decoys made wrongly caught %u/4\n", real.n, decoy.n, FEATURES, worst, caught);
	free(known);
	free(real.cells);
	free(decoy.cells);
}

#define CLAIM(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_upload_has_one_of_few_sizes),
		cmocka_unit_test(what_topping_up_costs),
		cmocka_unit_test(a_day_is_geometric_however_often_one_syncs),
		cmocka_unit_test(nothing_falls_due_without_a_target_or_time),
		CLAIM(an_upload_is_topped_up_once_however_often_it_is_tried),
		CLAIM(nothing_to_send_stays_nothing),
		CLAIM(what_becomes_fresh_in_between_is_topped_up_too),
		CLAIM(a_queue_beyond_the_largest_size_is_several_uploads),
		CLAIM(attorneys_share_the_target),
		CLAIM(what_is_due_waits_for_a_server_and_is_drawn_once),
		CLAIM(a_failing_store_is_reported),
		cmocka_unit_test(decoys_of_a_real_upload_cannot_be_told_from_its_cells),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests_name("decoys", tests, NULL, NULL);
}
