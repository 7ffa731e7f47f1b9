/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "day.h"

#define DAY(d) ((int64_t)(d) * DAY_SECONDS)

static void day_follows_the_clock_within_two_days(void **state)
{
	assert_int_equal(day_of(DAY(20782) + 86399), 20782);
	assert_int_equal(day_of(-1), 0);
	assert_int_equal(day_now(20782, DAY(20782) + 5), 20782);
	assert_int_equal(day_now(20782, DAY(20783)), 20783);
	assert_int_equal(day_now(20782, DAY(20784) + 86399), 20784);
	assert_false(day_is_frozen(20782, DAY(20784) + 86399));
}

static void day_never_goes_back(void **state)
{
	int64_t t;

	for (t = DAY(0); t < DAY(20783); t += DAY(1) / 2) {
		assert_int_equal(day_now(20782, t), 20782);
		assert_false(day_is_frozen(20782, t));
	}
}

static void day_freezes_when_the_clock_jumps(void **state)
{
	int d;

	for (d = 3; d < 400; d++) {
		assert_true(day_is_frozen(20782, DAY(20782 + d)));
		assert_int_equal(day_now(20782, DAY(20782 + d)), 20782);
	}
	assert_true(day_is_frozen(20782, INT64_MAX));
	assert_int_equal(day_now(20782, INT64_MAX), 20782);
}

static void day_order_names_a_day_between_recorded_and_clock(void **state)
{
	assert_true(day_order_ok(20782, DAY(20872), 20872));
	assert_true(day_order_ok(20782, DAY(20872), 20800));
	assert_true(day_order_ok(20782, DAY(20872), 20782));
	assert_false(day_order_ok(20782, DAY(20872), 20781));
	assert_false(day_order_ok(20782, DAY(20872), 20873));
	/* The clock is behind: only the recorded day can be meant. */
	assert_true(day_order_ok(20782, DAY(20700), 20782));
	assert_false(day_order_ok(20782, DAY(20700), 20700));
	assert_false(day_order_ok(20782, DAY(20700), 20783));
}

static void day_expiry_has_a_jitter_that_every_mirror_finds(void **state)
{
	uint8_t seed[32] = { 7 }, other[32] = { 8 };
	unsigned seen[DAY_JITTER_MAX + 1] = { 0 }, differ = 0;
	uint32_t d, e;

	for (d = 20000; d < 21000; d++) {
		e = day_expiry(d, 60, seed);
		assert_in_range(e, d + 60, d + 60 + DAY_JITTER_MAX);
		assert_int_equal(e, day_expiry(d, 60, seed));
		seen[e - d - 60]++;
		differ += e != day_expiry(d, 60, other);
	}
	for (d = 0; d <= DAY_JITTER_MAX; d++)
		assert_in_range(seen[d], 180, 320);
	assert_in_range(differ, 600, 900);
	assert_int_equal(day_expiry(20000, UINT32_MAX, seed), UINT32_MAX);
}

static void day_erasure_rests_its_hours_whole(void **state)
{
	assert_int_equal(day_erase_due(100, 0), 100);
	assert_int_equal(day_erase_due(100, 1), 102);
	assert_int_equal(day_erase_due(100, 24), 102);
	assert_int_equal(day_erase_due(100, 25), 103);
	/* 48 h asked in the last second of day 100 end in the last second of day 102. */
	assert_int_equal(day_erase_due(100, 48), 103);
}

static void day_releases_stand_on_whole_intervals(void **state)
{
	struct day_schedule sch = { .interval_min = 60 };
	int64_t t;

	for (t = 0; t < 3 * 3600; t += 7) {
		int64_t next = day_next_release(&sch, t);

		assert_true(next > t && next <= t + 3600 && next % 3600 == 0);
	}
	assert_int_equal(day_next_release(&sch, 3600), 7200);
	sch.surge_interval_min = 10;
	sch.surge_until_s = 7200;
	assert_int_equal(day_next_release(&sch, 3600), 4200);
	assert_int_equal(day_next_release(&sch, 7199), 7200);
	assert_int_equal(day_next_release(&sch, 7200), 10800);
	sch.interval_min = 0;
	assert_int_equal(day_next_release(&sch, 7200), 10800);
	/* A surge that is slower than the schedule slows nothing down. */
	sch = (struct day_schedule){ 10, 60, INT64_MAX };
	assert_int_equal(day_next_release(&sch, 0), 600);
	assert_int_equal(day_next_release(&sch, -5), 600);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(day_follows_the_clock_within_two_days),
		cmocka_unit_test(day_never_goes_back),
		cmocka_unit_test(day_freezes_when_the_clock_jumps),
		cmocka_unit_test(day_order_names_a_day_between_recorded_and_clock),
		cmocka_unit_test(day_expiry_has_a_jitter_that_every_mirror_finds),
		cmocka_unit_test(day_erasure_rests_its_hours_whole),
		cmocka_unit_test(day_releases_stand_on_whole_intervals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
