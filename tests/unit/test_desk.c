/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "desk.h"

#include "docs_vec.h"
#include "docs_org.h"

/* version 0: 2 of h i j; version 1: 2 of h i k */
static void make(struct doc_bytes chain[2], struct desk *d)
{
	struct charter_signed c0 = kit_charter(NULL, "Mesa", 2, "hij", "hij");
	struct charter_signed c1 = kit_charter(&c0, "Mesa", 2, "hik", "hj");

	chain[0] = kit_pack(&c0);
	chain[1] = kit_pack(&c1);
	charter_signed_free(&c0);
	charter_signed_free(&c1);
	assert_int_equal(desk_verify(d, chain, 2, NULL), PERR_OK);
}

static void a_chain_signed_by_its_holders_holds(void **state)
{
	struct doc_bytes chain[2];
	struct desk d;

	(void)state;
	make(chain, &d);
	assert_memory_equal(d.id, d.hashes[0], 32);
	assert_int_equal(d.n_hashes, 2);
	assert_int_equal(d.now.version, 1);
	assert_false(d.own_signed);
	kit_free(chain, 2);
}

static void version_0_without_one_holders_signature_is_refused(void **state)
{
	struct charter_signed c = kit_charter(NULL, "Mesa", 2, "hij", "hi");
	struct doc_bytes b = kit_pack(&c);
	struct desk d;

	(void)state;
	assert_int_equal(desk_verify(&d, &b, 1, NULL), PERR_SIGS);
	assert_int_equal(d.n_hashes, 0);
	kit_free(&b, 1);
	charter_signed_free(&c);
}

static void a_later_version_needs_the_old_threshold(void **state)
{
	static const struct { const char *signers; enum perr want; } cases[] = {
		{ "h", PERR_SIGS }, { "hk", PERR_SIGS }, { "kz", PERR_SIGS }, { "ij", PERR_OK },
		{ "hhh", PERR_SIGS }, { "hij", PERR_OK },
	};
	struct charter_signed c0 = kit_charter(NULL, "Mesa", 2, "hij", "hij");
	struct doc_bytes chain[2];
	struct desk d;

	(void)state;
	chain[0] = kit_pack(&c0);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct charter_signed c1 = kit_charter(&c0, "Mesa", 2, "hik", cases[i].signers);

		chain[1] = kit_pack(&c1);
		assert_int_equal(desk_verify(&d, chain, 2, NULL), cases[i].want);
		kit_free(&chain[1], 1);
		charter_signed_free(&c1);
	}
	kit_free(chain, 1);
	charter_signed_free(&c0);
}

static void a_chain_with_a_gap_or_out_of_order_is_refused(void **state)
{
	struct doc_bytes chain[2], other[2];
	struct desk d;

	(void)state;
	make(chain, &d);
	assert_int_equal(desk_verify(&d, chain + 1, 1, NULL), PERR_CHAIN);
	other[0] = chain[1];
	other[1] = chain[0];
	assert_int_equal(desk_verify(&d, other, 2, NULL), PERR_CHAIN);
	other[0] = chain[0];
	assert_int_equal(desk_verify(&d, other, 2, NULL), PERR_CHAIN);
	assert_int_equal(desk_verify(&d, chain, 0, NULL), PERR_FORMAT);
	kit_free(chain, 2);
}

static void ones_own_signature_is_seen(void **state)
{
	struct doc_bytes chain[2];
	struct desk d;
	uint8_t ids[3][32];

	(void)state;
	make(chain, &d);
	kit_ids(ids, "ikz");
	assert_int_equal(desk_verify(&d, chain, 2, ids[0]), PERR_OK);
	assert_true(d.own_signed);
	assert_int_equal(desk_verify(&d, chain, 2, ids[1]), PERR_OK);
	assert_false(d.own_signed);              /* k is named a holder and signed nothing */
	assert_int_equal(desk_verify(&d, chain, 2, ids[2]), PERR_OK);
	assert_false(d.own_signed);
	kit_free(chain, 2);
}

static void who_left_a_desk_is_known_as_such(void **state)
{
	struct charter_signed c0 = kit_charter(NULL, "Mesa", 2, "hij", "hij");
	struct charter_signed c1 = kit_charter(&c0, "Mesa", 1, "hk", "ij");
	struct charter_signed c2 = kit_charter(&c1, "Mesa", 1, "jk", "k");
	struct doc_bytes chain[3];
	uint8_t ids[5][32];
	struct desk d;

	(void)state;
	chain[0] = kit_pack(&c0);
	chain[1] = kit_pack(&c1);
	chain[2] = kit_pack(&c2);
	kit_ids(ids, "hijkz");
	assert_int_equal(desk_verify(&d, chain, 3, NULL), PERR_OK);
	assert_int_equal(d.n_former, 2);         /* h and i; j came back */
	for (int i = 0; i < 4; i++)
		assert_true(desk_had_holder(&d, ids[i]));
	assert_false(desk_had_holder(&d, ids[4]));
	assert_false(charter_has_holder(&d.now, ids[0]));
	assert_true(charter_has_holder(&d.now, ids[2]));
	kit_free(chain, 3);
	charter_signed_free(&c0);
	charter_signed_free(&c1);
	charter_signed_free(&c2);
}

static enum desk_trust judge_one(const struct desk *d, const struct doc_bytes *first,
                                 const struct desk_pin *pins, size_t n_pins, const uint8_t *own,
                                 enum perr *err)
{
	struct desk_verdict v;

	assert_int_equal(desk_judge(&v, d, first, 1, NULL, pins, n_pins, own), PERR_OK);
	*err = v.err;
	return v.trust;
}

static void a_desk_that_nothing_pins_is_unknown(void **state)
{
	struct doc_bytes chain[2];
	struct desk d;
	enum perr err;

	(void)state;
	make(chain, &d);
	assert_int_equal(judge_one(&d, chain, NULL, 0, NULL, &err), DESK_UNKNOWN);
	assert_int_equal(err, PERR_OK);
	kit_free(chain, 2);
}

static void a_holder_pins_only_by_his_own_signature(void **state)
{
	struct doc_bytes chain[2];
	struct desk d;
	uint8_t ids[3][32];
	enum perr err;

	(void)state;
	make(chain, &d);
	kit_ids(ids, "hkj");
	assert_int_equal(desk_verify(&d, chain, 2, ids[0]), PERR_OK);
	assert_int_equal(judge_one(&d, chain, NULL, 0, ids[0], &err), DESK_PINNED_HOLDER);
	assert_int_equal(desk_verify(&d, chain, 2, ids[1]), PERR_OK);
	assert_int_equal(judge_one(&d, chain, NULL, 0, ids[1], &err), DESK_UNKNOWN);
	/* j signed, but left the desk */
	assert_int_equal(desk_verify(&d, chain, 2, ids[2]), PERR_OK);
	assert_int_equal(judge_one(&d, chain, NULL, 0, ids[2], &err), DESK_UNKNOWN);
	kit_free(chain, 2);
}

static void a_pinned_desk_is_followed_and_never_back(void **state)
{
	struct doc_bytes chain[2];
	struct desk d, old;
	struct desk_pin pin;
	enum perr err;

	(void)state;
	make(chain, &d);
	assert_int_equal(desk_verify(&old, chain, 1, NULL), PERR_OK);
	desk_pin_of(&pin, &old, DESK_PINNED_WORDS);
	assert_int_equal(judge_one(&d, chain, &pin, 1, NULL, &err), DESK_PINNED_WORDS);
	assert_int_equal(desk_pin_follow(&pin, &d), PERR_OK);
	assert_int_equal(pin.version, 1);
	assert_int_equal(pin.trust, DESK_PINNED_WORDS);
	assert_int_equal(judge_one(&old, chain, &pin, 1, NULL, &err), DESK_UNKNOWN);
	assert_int_equal(err, PERR_OLD);
	assert_int_equal(desk_pin_follow(&pin, &old), PERR_OLD);
	kit_free(chain, 2);
}

static void a_second_history_of_a_pinned_desk_is_a_fork(void **state)
{
	struct charter_signed c0 = kit_charter(NULL, "Mesa", 2, "hij", "hij");
	struct charter_signed other = kit_charter(&c0, "Mesa", 1, "hz", "hi");
	struct doc_bytes chain[2], fork[2];
	struct desk d, forked;
	struct desk_pin pin;
	enum perr err;

	(void)state;
	make(chain, &d);
	desk_pin_of(&pin, &d, DESK_PINNED_ANCHOR);
	fork[0] = kit_pack(&c0);
	fork[1] = kit_pack(&other);
	assert_int_equal(desk_verify(&forked, fork, 2, NULL), PERR_OK);
	assert_int_equal(judge_one(&forked, fork, &pin, 1, NULL, &err), DESK_UNKNOWN);
	assert_int_equal(err, PERR_FORK);
	assert_int_equal(desk_pin_follow(&pin, &forked), PERR_FORK);
	kit_free(chain, 2);
	kit_free(fork, 2);
	charter_signed_free(&c0);
	charter_signed_free(&other);
}

static void a_version_below_the_rosters_floor_is_not_used(void **state)
{
	struct doc_bytes chain[2];
	struct desk d, old;
	struct desk_pin pin;
	struct desk_verdict v;
	uint32_t lowest = 1;

	(void)state;
	make(chain, &d);
	assert_int_equal(desk_verify(&old, chain, 1, NULL), PERR_OK);
	desk_pin_of(&pin, &old, DESK_PINNED_ANCHOR);
	assert_int_equal(desk_judge(&v, &old, chain, 1, &lowest, &pin, 1, NULL), PERR_OK);
	assert_int_equal(v.trust, DESK_UNKNOWN);
	assert_int_equal(v.err, PERR_OLD);
	assert_int_equal(desk_judge(&v, &d, chain, 1, &lowest, &pin, 1, NULL), PERR_OK);
	assert_int_equal(v.trust, DESK_PINNED_ANCHOR);
	kit_free(chain, 2);
}

/* desk 0 is pinned; 1 is countersigned by 0, 2 by 1, 3 by one holder of 0 only, 4 by nobody */
static void vouching_needs_a_threshold_and_reaches_further(void **state)
{
	struct doc_bytes firsts[5];
	struct desk desks[5];
	struct desk_verdict v[5];
	struct desk_pin pin;
	struct charter_signed c;

	(void)state;
	firsts[0] = kit_desk(&desks[0], "Uno", 2, "hij");
	c = kit_charter(NULL, "Dos", 1, "kl", "kl");
	kit_countersign(&c, desks[0].id, "hj");
	firsts[1] = kit_pack(&c);
	charter_signed_free(&c);
	assert_int_equal(desk_verify(&desks[1], &firsts[1], 1, NULL), PERR_OK);
	c = kit_charter(NULL, "Tres", 1, "mn", "mn");
	kit_countersign(&c, desks[1].id, "k");
	firsts[2] = kit_pack(&c);
	charter_signed_free(&c);
	assert_int_equal(desk_verify(&desks[2], &firsts[2], 1, NULL), PERR_OK);
	c = kit_charter(NULL, "Cuatro", 1, "op", "op");
	kit_countersign(&c, desks[0].id, "hz");
	firsts[3] = kit_pack(&c);
	charter_signed_free(&c);
	assert_int_equal(desk_verify(&desks[3], &firsts[3], 1, NULL), PERR_OK);
	firsts[4] = kit_desk(&desks[4], "Cinco", 1, "qr");

	desk_pin_of(&pin, &desks[0], DESK_PINNED_ANCHOR);
	assert_int_equal(desk_judge(v, desks, firsts, 5, NULL, &pin, 1, NULL), PERR_OK);
	assert_int_equal(v[0].trust, DESK_PINNED_ANCHOR);
	assert_int_equal(v[1].trust, DESK_PINNED_COUNTERSIGNED);
	assert_int_equal(v[2].trust, DESK_PINNED_COUNTERSIGNED);
	assert_int_equal(v[3].trust, DESK_UNKNOWN);
	assert_int_equal(v[4].trust, DESK_UNKNOWN);
	/* nobody pinned, nobody vouches */
	assert_int_equal(desk_judge(v, desks, firsts, 5, NULL, NULL, 0, NULL), PERR_OK);
	for (int i = 0; i < 5; i++)
		assert_int_equal(v[i].trust, DESK_UNKNOWN);
	/* firsts that belong to other desks are noticed */
	assert_int_equal(desk_judge(v, desks, firsts + 1, 4, NULL, &pin, 1, NULL), PERR_FORMAT);
	kit_free(firsts, 5);
}

static void a_countersignature_for_one_desk_is_none_for_another(void **state)
{
	struct charter_signed c = kit_charter(NULL, "Dos", 1, "kl", "kl");
	struct charter_signed sock = kit_charter(NULL, "Dos", 1, "yz", "yz");
	struct doc_bytes firsts[2];
	struct desk desks[2];
	struct desk_verdict v[2];
	struct desk_pin pin;

	(void)state;
	firsts[0] = kit_desk(&desks[0], "Uno", 2, "hij");
	kit_countersign(&c, desks[0].id, "hj");
	/* the signatures made for c, carried over */
	kit_countersign(&sock, desks[0].id, "y");
	sock.counter[0].sigs = c.counter[0].sigs;
	firsts[1] = kit_pack(&sock);
	assert_int_equal(desk_verify(&desks[1], &firsts[1], 1, NULL), PERR_OK);
	desk_pin_of(&pin, &desks[0], DESK_PINNED_ANCHOR);
	assert_int_equal(desk_judge(v, desks, firsts, 2, NULL, &pin, 1, NULL), PERR_OK);
	assert_int_equal(v[1].trust, DESK_UNKNOWN);
	kit_free(firsts, 2);
	charter_signed_free(&c);
	charter_signed_free(&sock);
}

static void two_words_are_asked_at_different_places(void **state)
{
	struct rng_seeded st;
	struct rng rng = kit_rng(&st, 1);
	unsigned seen[DESK_WORDS][DESK_WORDS] = { { 0 } };

	(void)state;
	for (int i = 0; i < 3000; i++) {
		unsigned at[DESK_WORDS_ASK];

		desk_words_ask(at, rng);
		assert_true(at[0] < DESK_WORDS && at[1] < DESK_WORDS && at[0] != at[1]);
		seen[at[0]][at[1]]++;
	}
	for (int a = 0; a < DESK_WORDS; a++)
		for (int b = 0; b < DESK_WORDS; b++)
			assert_true(a == b ? seen[a][b] == 0 : seen[a][b] > 50);
}

static void both_words_must_be_right(void **state)
{
	uint8_t id[32] = { 1 };
	uint16_t words[DESK_WORDS];
	unsigned at[2] = { 4, 1 };

	(void)state;
	desk_words(words, id);
	assert_true(desk_words_match(id, at, (uint16_t[]){ words[4], words[1] }));
	assert_false(desk_words_match(id, at, (uint16_t[]){ words[1], words[4] }));
	assert_false(desk_words_match(id, at, (uint16_t[]){ words[4], (uint16_t)(words[1] ^ 1) }));
	assert_false(desk_words_match(id, (unsigned[]){ 4, 4 },
	                              (uint16_t[]){ words[4], words[4] }));
	assert_false(desk_words_match(id, (unsigned[]){ 6, 1 }, (uint16_t[]){ 0, words[1] }));
	id[31] ^= 1;
	assert_false(desk_words_match(id, at, (uint16_t[]){ words[4], words[1] }));
}

static void vectors(void)
{
	struct doc_bytes chain[2];
	struct desk d;
	uint16_t words[DESK_WORDS];

	vec_note("the chain: 2 of seeds 68 69 6a signed by all, then 2 of 68 69 6b signed by 68 and 6a");
	make(chain, &d);
	vec("chain.0", chain[0].p, chain[0].len);
	vec("chain.1", chain[1].p, chain[1].len);
	vec("desk_id", d.id, 32);
	vec("in_force", d.hashes[1], 32);
	vec_note("the numbers of its six words");
	desk_words(words, d.id);
	for (int i = 0; i < DESK_WORDS; i++) {
		char name[16];

		snprintf(name, sizeof name, "word.%d", i);
		vec_u32(name, words[i]);
	}
	kit_free(chain, 2);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_layout_has_its_vector),
		cmocka_unit_test(a_chain_signed_by_its_holders_holds),
		cmocka_unit_test(version_0_without_one_holders_signature_is_refused),
		cmocka_unit_test(a_later_version_needs_the_old_threshold),
		cmocka_unit_test(a_chain_with_a_gap_or_out_of_order_is_refused),
		cmocka_unit_test(ones_own_signature_is_seen),
		cmocka_unit_test(who_left_a_desk_is_known_as_such),
		cmocka_unit_test(a_desk_that_nothing_pins_is_unknown),
		cmocka_unit_test(a_holder_pins_only_by_his_own_signature),
		cmocka_unit_test(a_pinned_desk_is_followed_and_never_back),
		cmocka_unit_test(a_second_history_of_a_pinned_desk_is_a_fork),
		cmocka_unit_test(a_version_below_the_rosters_floor_is_not_used),
		cmocka_unit_test(vouching_needs_a_threshold_and_reaches_further),
		cmocka_unit_test(a_countersignature_for_one_desk_is_none_for_another),
		cmocka_unit_test(two_words_are_asked_at_different_places),
		cmocka_unit_test(both_words_must_be_right),
	};

	if (kit_written(argc, argv, "desk"))
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
