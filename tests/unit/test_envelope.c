/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "envelope.h"

#include "docs_vec.h"
#include "docs_statement.h"

static struct statement st, seen;
static struct envelope env;

static void sample_refs(struct blob_ref refs[2])
{
	memset(refs, 0, 2 * sizeof *refs);
	memset(refs[0].sk, 0xb0, 32);
	refs[0].size = 1;
	memset(refs[0].hash, 0xa2, 32);          /* the second attachment */
	memset(refs[1].sk, 0xb1, 32);
	refs[1].size = 200000;
	memset(refs[1].hash, 0xa1, 32);
}

/* an intake in its envelope, by the volunteer of the samples, number 7 */
static uint8_t *made(size_t *len, uint8_t hash[32])
{
	struct rng_seeded state;
	struct blob_ref refs[2];
	struct sign_key k;
	uint8_t *out;

	kit_key(&k, 0x51);
	sample_refs(refs);
	kit_statement(&st, STATEMENT_INTAKE);
	assert_int_equal(envelope_make(&out, len, hash, &st, 7, refs, 2, &k, kit_rng(&state, 9)),
	                 PERR_OK);
	return out;
}

static enum perr open_envelope(const uint8_t *in, size_t len)
{
	return envelope_open(&env, &seen, in, len);
}

static void what_is_made_opens(void **state)
{
	uint8_t hash[32], again[32];
	size_t len;
	uint8_t *in = made(&len, hash);

	(void)state;
	assert_int_equal(envelope_open(&env, &seen, in, len), PERR_OK);
	assert_int_equal(seen.kind, STATEMENT_INTAKE);
	assert_true(env.has_opening);
	assert_int_equal(env.number, 7);
	assert_int_equal(env.n_refs, 2);
	statement_hash(again, env.statement.p, env.statement.len);
	assert_memory_equal(again, hash, 32);
	doc_free(in, len);
}

static void truncated_or_followed_by_more_it_is_refused(void **state)
{
	size_t len;
	uint8_t *in = made(&len, NULL);

	(void)state;
	kit_refuses_truncation(open_envelope, in, len);
	kit_refuses_trailing(open_envelope, in, len);
	doc_free(in, len);
}

/* the references are not signed: a blob's own hash and key protect them */
static void any_flipped_bit_before_the_references_is_refused(void **state)
{
	size_t len;
	uint8_t *in = made(&len, NULL);
	size_t end = len - 2 * 70 - 1;

	(void)state;
	for (size_t i = 0; i < 8 * end; i++) {
		in[i / 8] ^= (uint8_t)(1u << i % 8);
		assert_int_not_equal(open_envelope(in, len), PERR_OK);
		in[i / 8] ^= (uint8_t)(1u << i % 8);
	}
	assert_int_equal(open_envelope(in, len), PERR_OK);
	doc_free(in, len);
}

static void an_opening_of_another_number_is_refused(void **state)
{
	size_t len, out_len;
	uint8_t *out, *in = made(&len, NULL);

	(void)state;
	assert_int_equal(envelope_decode(&env, in, len), PERR_OK);
	env.number = 8;
	assert_int_equal(envelope_encode(&out, &out_len, &env), PERR_OK);
	assert_int_equal(open_envelope(out, out_len), PERR_AUTH);
	doc_free(out, out_len);
	env.number = 0;
	assert_int_equal(envelope_encode(&out, &out_len, &env), PERR_RANGE);
	doc_free(in, len);
}

static void stripped_it_opens_and_says_nothing_of_the_number(void **state)
{
	struct envelope whole;
	size_t len, out_len;
	uint8_t *out, *in = made(&len, NULL);

	(void)state;
	assert_int_equal(envelope_decode(&env, in, len), PERR_OK);
	whole = env;
	envelope_strip_opening(&env);
	assert_int_equal(envelope_encode(&out, &out_len, &env), PERR_OK);
	for (size_t i = 0; i + sizeof whole.salt <= out_len; i++)
		assert_memory_not_equal(out + i, whole.salt, sizeof whole.salt);
	assert_int_equal(open_envelope(out, out_len), PERR_OK);
	assert_false(env.has_opening);
	assert_int_equal(env.number, 0);
	doc_free(out, out_len);
	doc_free(in, len);
}

static void references_are_found_by_hash_and_size(void **state)
{
	const struct statement_attachments *as;
	struct statement_attachment other;
	size_t len;
	uint8_t *in = made(&len, NULL);

	(void)state;
	assert_int_equal(open_envelope(in, len), PERR_OK);
	as = envelope_attachments(&seen);
	assert_non_null(as);
	assert_int_equal(envelope_ref_for(&env, &as->at[0])->sk[0], 0xb1);
	assert_int_equal(envelope_ref_for(&env, &as->at[1])->sk[0], 0xb0);
	other = as->at[0];
	other.size++;
	assert_null(envelope_ref_for(&env, &other));
	kit_statement(&st, STATEMENT_NOTE);
	assert_null(envelope_attachments(&st));
	doc_free(in, len);
}

static void a_statement_signed_by_another_key_is_refused(void **state)
{
	struct sign_key k;
	size_t len, out_len;
	uint8_t *out, *in = made(&len, NULL);

	(void)state;
	assert_int_equal(envelope_decode(&env, in, len), PERR_OK);
	kit_key(&k, 0x53);
	assert_int_equal(statement_sign(env.sig, &k, env.statement.p, env.statement.len), PERR_OK);
	assert_int_equal(envelope_encode(&out, &out_len, &env), PERR_OK);
	assert_int_equal(open_envelope(out, out_len), PERR_AUTH);
	doc_free(out, out_len);
	doc_free(in, len);
}

static void too_many_or_too_large_references_are_refused(void **state)
{
	static uint8_t buf[70 * 70];
	static const uint8_t ref[BLOB_REF_SIZE], sig[64];
	uint8_t large[BLOB_REF_SIZE] = { 0 };
	struct mp_writer w;
	size_t len;

	(void)state;
	for (uint32_t n = 64; n <= 65; n++) {
		mp_writer_init(&w, buf, sizeof buf);
		mp_put_array(&w, 4);
		mp_put_bin(&w, sig, 1);
		mp_put_bin(&w, sig, 64);
		mp_put_nil(&w);
		mp_put_array(&w, n);
		for (uint32_t i = 0; i < n; i++)
			mp_put_bin(&w, ref, sizeof ref);
		assert_int_equal(mp_written(&w, &len), PERR_OK);
		assert_int_equal(envelope_decode(&env, buf, len),
		                 n == 64 ? PERR_OK : PERR_FORMAT);
	}
	doc_u32(large + 32, BLOB_SIZE_MAX + 1);
	mp_writer_init(&w, buf, sizeof buf);
	mp_put_array(&w, 4);
	mp_put_bin(&w, sig, 1);
	mp_put_bin(&w, sig, 64);
	mp_put_nil(&w);
	mp_put_array(&w, 1);
	mp_put_bin(&w, large, sizeof large);
	assert_int_equal(mp_written(&w, &len), PERR_OK);
	assert_int_equal(envelope_decode(&env, buf, len), PERR_FORMAT);
}

static void vectors(void)
{
	uint8_t hash[32];
	size_t len, stripped_len;
	uint8_t *stripped, *out = made(&len, hash);

	vec_note("the sample intake of docs_statement.txt, but its sequence commitment: number 7,");
	vec_note("salt the first 16 bytes of rng_seeded(09); two references, of the blob keys");
	vec_note("32 x b0 (size 1, hash 32 x a2) and 32 x b1 (size 200000, hash 32 x a1)");
	assert_int_equal(envelope_decode(&env, out, len), PERR_OK);
	vec("salt", env.salt, sizeof env.salt);
	vec("statement", env.statement.p, env.statement.len);
	vec("signature", env.sig, 64);
	vec("hash", hash, 32);
	vec("envelope", out, len);
	kit_corpus("envelope", "intake", out, len);
	envelope_strip_opening(&env);
	assert_int_equal(envelope_encode(&stripped, &stripped_len, &env), PERR_OK);
	vec("without_opening", stripped, stripped_len);
	kit_corpus("envelope", "stripped", stripped, stripped_len);
	doc_free(stripped, stripped_len);
	doc_free(out, len);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_layout_has_its_vector),
		cmocka_unit_test(what_is_made_opens),
		cmocka_unit_test(truncated_or_followed_by_more_it_is_refused),
		cmocka_unit_test(any_flipped_bit_before_the_references_is_refused),
		cmocka_unit_test(an_opening_of_another_number_is_refused),
		cmocka_unit_test(stripped_it_opens_and_says_nothing_of_the_number),
		cmocka_unit_test(references_are_found_by_hash_and_size),
		cmocka_unit_test(a_statement_signed_by_another_key_is_refused),
		cmocka_unit_test(too_many_or_too_large_references_are_refused),
	};

	if (kit_written(argc, argv, "envelope"))
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
