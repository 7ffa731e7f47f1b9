/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* How much a connection, a source, a scope may do (quota.h), with time made here. */
#include "quota.h"

#include "hex.h"

static struct rng_seeded rng_state;

static struct rng test_rng(void)
{
	static const uint8_t seed[32] = { 1 };

	return rng_seeded(&rng_state, seed);
}

static void quota_gives_the_burst_and_then_the_rate(void **state)
{
	struct quota_bucket b = { 0 };
	uint64_t now = 1000;
	int i, got = 0;

	for (i = 0; i < 100; i++)
		got += quota_take(&b, 60, 10, now);
	assert_int_equal(got, 10);
	/* one a second comes back */
	for (got = 0, i = 0; i < 3000; i++)
		got += quota_take(&b, 60, 10, now += 10);
	assert_in_range(got, 29, 30);
	/* after a long rest the burst, never more */
	now += 86400000;
	for (got = 0, i = 0; i < 100; i++)
		got += quota_take(&b, 60, 10, now);
	assert_int_equal(got, 10);
	assert_false(quota_is_full(&b, 60, now));
	assert_true(quota_is_full(&b, 60, now + 10000));
}

static void quota_without_a_limit_never_refuses(void **state)
{
	struct quota_bucket b = { 0 };
	int i;

	for (i = 0; i < 100000; i++)
		assert_true(quota_take(&b, 0, 0, 5));
}

static void quota_survives_the_largest_numbers(void **state)
{
	struct quota_bucket b = { 0 };

	assert_true(quota_take(&b, UINT32_MAX, UINT32_MAX, 0));
	assert_true(quota_take(&b, UINT32_MAX, UINT32_MAX, UINT64_MAX));
	/* a clock that stands still or runs backwards gives nothing */
	assert_true(quota_take(&b, 1, 2, UINT64_MAX));
	(void)quota_take(&b, 1, 2, 5);
	assert_false(quota_take(&b, 1, 2, 5));
}

static uint8_t key[QUOTA_KEY];

static void quota_keeps_its_key_where_it_is_told_and_wipes_it(void **state)
{
	struct quota_sources *s;

	sodium_memzero(key, sizeof key);
	assert_int_equal(quota_sources_new(&s, 64, key, test_rng()), PERR_OK);
	assert_false(sodium_is_zero(key, sizeof key));
	quota_sources_free(s);
	assert_true(sodium_is_zero(key, sizeof key));
}

static void quota_counts_connections_of_a_source(void **state)
{
	struct quota_sources *s;
	struct quota_source *e[4], *other;
	static const uint8_t a[4] = { 192, 0, 2, 1 }, b[4] = { 192, 0, 2, 2 };
	int i;

	assert_int_equal(quota_sources_new(&s, 100, key, test_rng()), PERR_OK);
	for (i = 0; i < 3; i++)
		assert_true(quota_source_enter(s, &e[i], a, 4, 3, 0, 1));
	assert_false(quota_source_enter(s, &e[3], a, 4, 3, 0, 1));
	assert_null(e[3]);
	assert_true(quota_source_enter(s, &other, b, 4, 3, 0, 1));
	quota_source_leave(s, e[0]);
	assert_true(quota_source_enter(s, &e[3], a, 4, 3, 0, 1));
	quota_source_leave(s, NULL);
	quota_sources_free(s);
}

static void quota_counts_new_connections_in_a_minute(void **state)
{
	struct quota_sources *s;
	struct quota_source *e;
	static const uint8_t a[4] = { 192, 0, 2, 1 };
	int i, got = 0;

	assert_int_equal(quota_sources_new(&s, 100, key, test_rng()), PERR_OK);
	/* leaving does not give the allowance back */
	for (i = 0; i < 50; i++)
		if (quota_source_enter(s, &e, a, 4, 0, 20, 1000)) {
			got++;
			quota_source_leave(s, e);
		}
	assert_int_equal(got, 20);
	assert_true(quota_source_enter(s, &e, a, 4, 0, 20, 4001));
	quota_sources_free(s);
}

static void quota_takes_one_subscriber_of_ipv6_as_one_source(void **state)
{
	struct quota_sources *s;
	struct quota_source *e;
	uint8_t a[16] = { 0x20, 0x01, 0x0d, 0xb8, 0, 1, 0, 7 };

	assert_int_equal(quota_sources_new(&s, 100, key, test_rng()), PERR_OK);
	assert_true(quota_source_enter(s, &e, a, 16, 1, 0, 1));
	a[15] = 9;
	assert_false(quota_source_enter(s, &e, a, 16, 1, 0, 1));
	a[7] = 8;
	assert_true(quota_source_enter(s, &e, a, 16, 1, 0, 1));
	quota_sources_free(s);
}

static void quota_survives_more_sources_than_it_can_keep(void **state)
{
	struct quota_sources *s;
	struct quota_source *e;
	uint32_t i;
	unsigned unknown = 0;

	assert_int_equal(quota_sources_new(&s, 64, key, test_rng()), PERR_OK);
	for (i = 0; i < 100000; i++) {
		assert_true(quota_source_enter(s, &e, (const uint8_t *)&i, 4, 1, 1, 1));
		unknown += e == NULL;
	}
	assert_true(unknown > 0);
	quota_sources_free(s);
}

static void quota_slows_a_scope_and_tells_once_an_hour(void **state)
{
	struct quota_meter m = { 0 };

	assert_int_equal(quota_count(&m, 100, 100, 10), QUOTA_FINE);
	assert_int_equal(quota_count(&m, 100, 1, 20), QUOTA_SLOW_AND_TELL);
	assert_int_equal(quota_count(&m, 100, 1, 30), QUOTA_SLOW);
	assert_int_equal(quota_count(&m, 100, 1, 3600010), QUOTA_FINE);
	assert_int_equal(quota_count(&m, 100, 200, 3600011), QUOTA_SLOW_AND_TELL);
	assert_int_equal(quota_count(&m, 0, 1000000, 3600012), QUOTA_FINE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quota_gives_the_burst_and_then_the_rate),
		cmocka_unit_test(quota_without_a_limit_never_refuses),
		cmocka_unit_test(quota_survives_the_largest_numbers),
		cmocka_unit_test(quota_keeps_its_key_where_it_is_told_and_wipes_it),
		cmocka_unit_test(quota_counts_connections_of_a_source),
		cmocka_unit_test(quota_counts_new_connections_in_a_minute),
		cmocka_unit_test(quota_takes_one_subscriber_of_ipv6_as_one_source),
		cmocka_unit_test(quota_survives_more_sources_than_it_can_keep),
		cmocka_unit_test(quota_slows_a_scope_and_tells_once_an_hour),
	};

	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
