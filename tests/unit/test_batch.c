/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "batch.h"

#include "docs_vec.h"

static struct batch b, back;
static uint8_t sks[BATCH_KEYS_MAX][32];

/* n keys of 14 days each from day 20782 on */
static void make(uint32_t n)
{
	struct rng_seeded state;
	struct sign_key k;

	kit_key(&k, 0x52);
	assert_int_equal(batch_make(&b, sks, k.id, 3, 20782, 14, n, kit_rng(&state, 0x61)),
	                 PERR_OK);
}

static uint8_t *signed_batch(size_t *len, uint32_t n)
{
	struct sign_key k;
	uint8_t *out;

	make(n);
	kit_key(&k, 0x52);
	assert_int_equal(batch_sign(&out, len, &b, &k), PERR_OK);
	return out;
}

static enum perr open_batch(const uint8_t *in, size_t len)
{
	return batch_open(&back, in, len);
}

static void a_signed_batch_opens_as_it_was(void **state)
{
	(void)state;
	for (uint32_t n = 1; n <= BATCH_KEYS_MAX; n += 21) {
		size_t len;
		uint8_t *in = signed_batch(&len, n);

		assert_int_equal(open_batch(in, len), PERR_OK);
		assert_memory_equal(&back, &b, sizeof b);
		doc_free(in, len);
	}
}

static void each_public_key_belongs_to_its_private_half(void **state)
{
	uint8_t pk[32];

	(void)state;
	make(5);
	for (int i = 0; i < 5; i++) {
		crypto_scalarmult_base(pk, sks[i]);
		assert_memory_equal(pk, b.keys[i], 32);
	}
}

static void any_change_breaks_it(void **state)
{
	size_t len;
	uint8_t *in = signed_batch(&len, 2);

	(void)state;
	kit_refuses_truncation(open_batch, in, len);
	kit_refuses_trailing(open_batch, in, len);
	kit_refuses_any_flip(open_batch, in, len);
	doc_free(in, len);
}

static void only_its_owner_can_sign_it(void **state)
{
	struct signed_sigs sigs = { 0 };
	struct sign_key owner, other;
	uint8_t *doc, *in, *out;
	size_t doc_len, len, out_len;

	(void)state;
	kit_key(&owner, 0x52);
	kit_key(&other, 0x53);
	make(2);
	assert_int_equal(batch_sign(&out, &out_len, &b, &other), PERR_KEY);
	assert_null(out);
	assert_int_equal(batch_encode(&doc, &doc_len, &b), PERR_OK);
	assert_int_equal(signed_add(&sigs, &other, BATCH_CONTEXT, doc, doc_len), PERR_OK);
	assert_int_equal(signed_pack(&in, &len, doc, doc_len, &sigs), PERR_OK);
	assert_int_equal(open_batch(in, len), PERR_SIGS);
	doc_free(in, len);
	/* nor beside him somebody else: it would be another encoding of the same batch */
	assert_int_equal(signed_add(&sigs, &owner, BATCH_CONTEXT, doc, doc_len), PERR_OK);
	assert_int_equal(signed_pack(&in, &len, doc, doc_len, &sigs), PERR_OK);
	assert_int_equal(open_batch(in, len), PERR_SIGS);
	doc_free(in, len);
	doc_free(doc, doc_len);
}

static void keys_that_cannot_be_sealed_to_are_refused(void **state)
{
	static const char *const wrong[] = {
		"0000000000000000000000000000000000000000000000000000000000000000",
		"0100000000000000000000000000000000000000000000000000000000000000",
		"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
		"5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"0900000000000000000000000000000000000000000000000000000000000080",
	};
	uint8_t *out;
	size_t len;

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		uint8_t *in;
		size_t in_len;

		make(2);
		assert_int_equal(batch_encode(&in, &in_len, &b), PERR_OK);
		unhex(in + in_len - 32, 32, wrong[i]);
		assert_int_equal(batch_decode(&back, in, in_len), PERR_FORMAT);
		unhex(b.keys[1], 32, wrong[i]);
		assert_int_equal(batch_encode(&out, &len, &b), PERR_RANGE);
		doc_free(in, in_len);
	}
}

static void limits_are_kept(void **state)
{
	struct rng_seeded st;
	struct rng rng = kit_rng(&st, 1);
	uint8_t owner[32] = { 1 };

	(void)state;
	assert_int_equal(batch_make(&b, sks, owner, 1, 1, 14, 0, rng), PERR_RANGE);
	assert_int_equal(batch_make(&b, sks, owner, 1, 1, 14, 65, rng), PERR_RANGE);
	assert_int_equal(batch_make(&b, sks, owner, 1, 1, 0, 1, rng), PERR_RANGE);
	assert_int_equal(batch_make(&b, sks, owner, 1, 1, 91, 1, rng), PERR_RANGE);
}

static void the_key_of_the_day_is_used_and_after_the_end_the_last(void **state)
{
	(void)state;
	make(3);
	assert_int_equal(batch_index(&b, 0), 0);
	assert_int_equal(batch_index(&b, 20781), 0);
	assert_int_equal(batch_index(&b, 20782), 0);
	assert_int_equal(batch_index(&b, 20795), 0);
	assert_int_equal(batch_index(&b, 20796), 1);
	assert_int_equal(batch_index(&b, 20810), 2);
	assert_int_equal(batch_index(&b, 20824), 2);
	assert_int_equal(batch_index(&b, UINT32_MAX), 2);
	assert_ptr_equal(batch_key(&b, 20796), b.keys[1]);
}

static void private_halves_die_after_their_grace_but_never_the_last(void **state)
{
	uint32_t from, to;

	(void)state;
	make(4);
	/* key 0: days 20782..20795, with 30 days of grace to 20825 */
	batch_in_use(&b, 20782, 30, &from, &to);
	assert_int_equal(from, 0);
	assert_int_equal(to, 2);
	batch_in_use(&b, 20825, 30, &from, &to);
	assert_int_equal(from, 0);
	assert_int_equal(to, 4);
	assert_int_equal(batch_n_dead(&b, 20825, 30), 0);
	assert_int_equal(batch_n_dead(&b, 20826, 30), 1);
	batch_in_use(&b, 20826, 30, &from, &to);
	assert_int_equal(from, 1);
	assert_int_equal(batch_n_dead(&b, UINT32_MAX, 30), 3);
	batch_in_use(&b, UINT32_MAX, UINT32_MAX, &from, &to);
	assert_true(from < to && to == 4);
	/* a day before the batch begins: its first key and the next one */
	batch_in_use(&b, 0, 30, &from, &to);
	assert_int_equal(from, 0);
	assert_int_equal(to, 2);
}

static void every_day_has_its_key_among_those_in_use(void **state)
{
	(void)state;
	make(7);
	for (uint32_t day = 20700; day < 21000; day++)
		for (uint32_t late = 0; late <= 30; late++) {
			uint32_t from, to, i = batch_index(&b, day);

			batch_in_use(&b, day + late, 30, &from, &to);
			assert_true(i >= from && i < to);
		}
}

static void the_higher_number_counts_unless_it_is_below_the_floor(void **state)
{
	struct batch a;

	(void)state;
	make(1);
	a = b;
	a.number = 4;
	assert_true(batch_supersedes(&a, &b, 0));
	assert_false(batch_supersedes(&b, &a, 0));
	assert_false(batch_supersedes(&b, &b, 0));
	assert_true(batch_supersedes(&b, NULL, 3));
	assert_false(batch_supersedes(&b, NULL, 4));
	a.owner[0] ^= 1;
	assert_false(batch_supersedes(&a, &b, 0));
}

static void vectors(void)
{
	struct sign_key k;
	size_t len;
	uint8_t *out;

	vec_note("owner: Ed25519 seed 32 x 52; number 3, first day 20782, period 14, three keys,");
	vec_note("their private halves the first 96 bytes of rng_seeded(61)");
	kit_key(&k, 0x52);
	vec("owner.key_id", k.id, 32);
	make(3);
	vec("private_halves", sks, 96);
	vec("public_halves", b.keys, 96);
	assert_int_equal(batch_encode(&out, &len, &b), PERR_OK);
	vec("batch", out, len);
	kit_corpus("batch", "three", out, len);
	doc_free(out, len);
	out = signed_batch(&len, 3);
	vec("signed", out, len);
	doc_free(out, len);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_layout_has_its_vector),
		cmocka_unit_test(a_signed_batch_opens_as_it_was),
		cmocka_unit_test(each_public_key_belongs_to_its_private_half),
		cmocka_unit_test(any_change_breaks_it),
		cmocka_unit_test(only_its_owner_can_sign_it),
		cmocka_unit_test(keys_that_cannot_be_sealed_to_are_refused),
		cmocka_unit_test(limits_are_kept),
		cmocka_unit_test(the_key_of_the_day_is_used_and_after_the_end_the_last),
		cmocka_unit_test(private_halves_die_after_their_grace_but_never_the_last),
		cmocka_unit_test(every_day_has_its_key_among_those_in_use),
		cmocka_unit_test(the_higher_number_counts_unless_it_is_below_the_floor),
	};

	if (kit_written(argc, argv, "batch"))
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
