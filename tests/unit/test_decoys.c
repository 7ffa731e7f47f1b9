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
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests_name("decoys", tests, NULL, NULL);
}
