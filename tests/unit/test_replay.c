/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What was seen before (replay.h). */
#include "replay.h"

#include "hex.h"

static struct rng_seeded rng_state;
static uint8_t key[REPLAY_KEY];
static struct replay *fresh(void)
{
	static const uint8_t seed[32] = { 2 };
	struct replay *r;

	assert_int_equal(replay_new(&r, key, rng_seeded(&rng_state, seed)), PERR_OK);
	return r;
}

static const uint8_t *e(uint32_t n)
{
	static uint8_t out[32];

	memset(out, 0, sizeof out);
	memcpy(out, &n, sizeof n);
	return out;
}

static void replay_knows_what_it_saw(void **state)
{
	struct replay *r = fresh();

	assert_false(replay_seen(r, e(1)));
	assert_true(replay_seen(r, e(1)));
	assert_false(replay_seen(r, e(2)));
	assert_true(replay_seen(r, e(1)));
	replay_free(r);
	replay_free(NULL);
}

static void replay_refuses_for_a_whole_generation_at_least(void **state)
{
	struct replay *r = fresh();
	uint32_t i, wrong = 0, missed = 0;

	for (i = 0; i < 4 * REPLAY_GENERATION; i++) {
		wrong += replay_seen(r, e(i));
		/* the one as far back as is promised */
		if (i >= REPLAY_GENERATION - 1 && i % 97 == 0)
			missed += !replay_seen(r, e(i - (REPLAY_GENERATION - 1)));
	}
	printf("figure: handshakes remembered: at least %d; honest ones refused: %u of %u\n",
	       REPLAY_GENERATION, wrong, i);
	assert_int_equal(missed, 0);
	assert_int_equal(wrong, 0);
	replay_free(r);
}

static void replay_of_another_start_has_another_key(void **state)
{
	struct replay *a = fresh(), *b;
	static const uint8_t seed[32] = { 3 };
	static uint8_t other_key[REPLAY_KEY];
	struct rng_seeded other;

	assert_int_equal(replay_new(&b, other_key, rng_seeded(&other, seed)), PERR_OK);
	assert_false(replay_seen(a, e(5)));
	assert_false(replay_seen(b, e(5)));
	replay_free(a);
	replay_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(replay_knows_what_it_saw),
		cmocka_unit_test(replay_refuses_for_a_whole_generation_at_least),
		cmocka_unit_test(replay_of_another_start_has_another_key),
	};

	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
