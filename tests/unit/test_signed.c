/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "signed.h"

#include "docs_vec.h"

static const char context[] = "amparo/1 test";
static const uint8_t doc[] = "a document";
#define DOC doc, sizeof doc - 1

/* signatures of the keys whose bytes are given */
static void sign_all(struct signed_sigs *s, const char *bytes)
{
	memset(s, 0, sizeof *s);
	for (; *bytes != '\0'; bytes++) {
		struct sign_key k;

		kit_key(&k, (uint8_t)*bytes);
		assert_int_equal(signed_add(s, &k, context, DOC), PERR_OK);
	}
}

static void keys_of(uint8_t (*out)[32], const char *bytes)
{
	for (size_t i = 0; bytes[i] != '\0'; i++) {
		struct sign_key k;

		kit_key(&k, (uint8_t)bytes[i]);
		memcpy(out[i], k.id, 32);
	}
}

static uint32_t count(const struct signed_sigs *s, const char *allowed)
{
	uint8_t keys[8][32];
	uint32_t n;

	keys_of(keys, allowed);
	assert_int_equal(signed_count(&n, s, context, DOC, keys, strlen(allowed)), PERR_OK);
	return n;
}

static void a_signature_holds_only_for_its_key_context_and_document(void **state)
{
	struct sign_key a, b;
	uint8_t sig[64], other[sizeof doc];

	(void)state;
	kit_key(&a, 'a');
	kit_key(&b, 'b');
	assert_int_equal(signed_make(sig, &a, context, DOC), PERR_OK);
	assert_int_equal(signed_verify(a.id, sig, context, DOC), PERR_OK);
	assert_int_equal(signed_verify(b.id, sig, context, DOC), PERR_AUTH);
	assert_int_equal(signed_verify(a.id, sig, "amparo/1 tesT", DOC), PERR_AUTH);
	for (size_t i = 0; i < 8 * (sizeof doc - 1); i++) {
		memcpy(other, doc, sizeof doc);
		other[i / 8] ^= (uint8_t)(1u << i % 8);
		assert_int_equal(signed_verify(a.id, sig, context, other, sizeof doc - 1),
		                 PERR_AUTH);
	}
	for (size_t i = 0; i < 512; i++) {
		sig[i / 8] ^= (uint8_t)(1u << i % 8);
		assert_int_equal(signed_verify(a.id, sig, context, DOC), PERR_AUTH);
		sig[i / 8] ^= (uint8_t)(1u << i % 8);
	}
	assert_int_equal(signed_verify(a.id, sig, context, DOC), PERR_OK);
}

static void each_allowed_key_counts_once(void **state)
{
	struct signed_sigs s;

	(void)state;
	sign_all(&s, "abca");
	assert_int_equal(s.n, 3);
	assert_int_equal(count(&s, "abc"), 3);
	assert_int_equal(count(&s, "ad"), 1);
	assert_int_equal(count(&s, "aaa"), 1);
	assert_int_equal(count(&s, "def"), 0);
}

static void a_set_with_one_signer_twice_is_no_set(void **state)
{
	struct signed_sigs s;
	uint8_t keys[1][32];
	uint32_t n;

	(void)state;
	sign_all(&s, "a");
	s.at[1] = s.at[0];
	s.n = 2;
	keys_of(keys, "a");
	assert_int_equal(signed_count(&n, &s, context, DOC, keys, 1), PERR_FORMAT);
}

static void a_threshold_of_zero_is_never_reached(void **state)
{
	struct signed_sigs s;
	uint8_t keys[2][32];

	(void)state;
	keys_of(keys, "ab");
	sign_all(&s, "ab");
	assert_int_equal(signed_check(&s, 0, context, DOC, keys, 2), PERR_SIGS);
	assert_int_equal(signed_check(&s, 2, context, DOC, keys, 2), PERR_OK);
	assert_int_equal(signed_check(&s, 3, context, DOC, keys, 2), PERR_SIGS);
}

static void merging_takes_the_right_signature_even_if_a_wrong_one_came_first(void **state)
{
	struct signed_sigs mine, theirs;
	uint8_t keys[3][32];

	(void)state;
	keys_of(keys, "abc");
	sign_all(&mine, "ab");
	for (uint32_t i = 0; i < mine.n; i++)
		if (memcmp(mine.at[i].key, keys[1], 32) == 0)
			mine.at[i].sig[0] ^= 1;
	assert_int_equal(count(&mine, "abc"), 1);
	sign_all(&theirs, "bcd");
	assert_int_equal(signed_merge(&mine, &theirs, context, DOC, keys, 3), PERR_OK);
	assert_int_equal(count(&mine, "abc"), 3);
	/* d was not allowed, and is not carried along */
	assert_int_equal(mine.n, 3);
	/* and a wrong one never replaces a right one */
	theirs.at[0].sig[5] ^= 1;
	theirs.at[1].sig[5] ^= 1;
	assert_int_equal(signed_merge(&mine, &theirs, context, DOC, keys, 3), PERR_OK);
	assert_int_equal(count(&mine, "abc"), 3);
}

static void a_full_set_says_so(void **state)
{
	struct signed_sigs s = { 0 };
	struct sign_key k;

	(void)state;
	for (int i = 0; i < SIGNED_SIGS_MAX; i++) {
		kit_key(&k, (uint8_t)(i + 1));
		assert_int_equal(signed_add(&s, &k, context, DOC), PERR_OK);
	}
	assert_int_equal(signed_add(&s, &k, context, DOC), PERR_OK);
	kit_key(&k, 200);
	assert_int_equal(signed_add(&s, &k, context, DOC), PERR_LIMIT);
}

static enum perr open_signed(const uint8_t *in, size_t len)
{
	struct signed_doc d;
	enum perr err = signed_decode(&d, in, len);

	if (err != PERR_OK)
		assert_null(d.bytes);
	signed_doc_free(&d);
	return err;
}

static uint8_t *packed(size_t *len, const char *signers)
{
	struct signed_sigs s;
	uint8_t *out;

	sign_all(&s, signers);
	assert_int_equal(signed_pack(&out, len, DOC, &s), PERR_OK);
	return out;
}

static void a_signed_document_survives_the_round_trip(void **state)
{
	struct signed_doc d;
	uint8_t *in, *out;
	size_t in_len, out_len;

	(void)state;
	in = packed(&in_len, "abc");
	assert_int_equal(signed_decode(&d, in, in_len), PERR_OK);
	assert_int_equal(d.len, sizeof doc - 1);
	assert_memory_equal(d.bytes, doc, d.len);
	assert_int_equal(count(&d.sigs, "abc"), 3);
	assert_int_equal(signed_encode(&out, &out_len, &d), PERR_OK);
	assert_int_equal(out_len, in_len);
	assert_memory_equal(out, in, in_len);
	signed_doc_free(&d);
	doc_free(in, in_len);
	doc_free(out, out_len);
}

static void truncation_and_trailing_bytes_are_refused(void **state)
{
	size_t len;
	uint8_t *in = packed(&len, "ab");

	(void)state;
	kit_refuses_truncation(open_signed, in, len);
	kit_refuses_trailing(open_signed, in, len);
	doc_free(in, len);
}

static void unsorted_or_repeated_signers_are_refused(void **state)
{
	struct signed_sigs s;
	struct signed_sig swap;
	uint8_t *out;
	size_t len;

	(void)state;
	sign_all(&s, "ab");
	swap = s.at[0];
	s.at[0] = s.at[1];
	s.at[1] = swap;
	assert_int_equal(signed_pack(&out, &len, DOC, &s), PERR_OK);
	assert_int_equal(open_signed(out, len), PERR_FORMAT);
	doc_free(out, len);
	s.at[1] = s.at[0];
	assert_int_equal(signed_pack(&out, &len, DOC, &s), PERR_OK);
	assert_int_equal(open_signed(out, len), PERR_FORMAT);
	doc_free(out, len);
}

static void more_than_32_signatures_are_refused(void **state)
{
	uint8_t buf[8192];
	struct mp_writer w;
	size_t len;

	(void)state;
	mp_writer_init(&w, buf, sizeof buf);
	mp_put_array(&w, 2);
	mp_put_bin(&w, DOC);
	mp_put_array(&w, 33);
	for (uint8_t i = 0; i < 33; i++) {
		uint8_t sig[64] = { 0 };

		sig[0] = i;
		mp_put_array(&w, 2);
		mp_put_bin(&w, sig, 32);
		mp_put_bin(&w, sig, 64);
	}
	assert_int_equal(mp_written(&w, &len), PERR_OK);
	assert_int_equal(open_signed(buf, len), PERR_FORMAT);
}

static void vectors(void)
{
	struct signed_sigs s;
	struct sign_key k;
	uint8_t *out;
	size_t len;

	vec_note("the document \"a document\" under the context \"amparo/1 test\",");
	vec_note("signed by the Ed25519 keys of the seeds 32 x 61 and 32 x 62");
	vec("document", DOC);
	for (const char *who = "ab"; *who != '\0'; who++) {
		char name[32];

		kit_key(&k, (uint8_t)*who);
		sign_all(&s, (char[]){ *who, '\0' });
		snprintf(name, sizeof name, "%c.seed", *who);
		vec(name, k.sk, 32);
		snprintf(name, sizeof name, "%c.key_id", *who);
		vec(name, k.id, 32);
		snprintf(name, sizeof name, "%c.signature", *who);
		vec(name, s.at[0].sig, 64);
	}
	out = packed(&len, "ab");
	vec("signed", out, len);
	kit_corpus("signed", "two", out, len);
	doc_free(out, len);
	out = packed(&len, "");
	vec("unsigned", out, len);
	kit_corpus("signed", "none", out, len);
	doc_free(out, len);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_layout_has_its_vector),
		cmocka_unit_test(a_signature_holds_only_for_its_key_context_and_document),
		cmocka_unit_test(each_allowed_key_counts_once),
		cmocka_unit_test(a_set_with_one_signer_twice_is_no_set),
		cmocka_unit_test(a_threshold_of_zero_is_never_reached),
		cmocka_unit_test(merging_takes_the_right_signature_even_if_a_wrong_one_came_first),
		cmocka_unit_test(a_full_set_says_so),
		cmocka_unit_test(a_signed_document_survives_the_round_trip),
		cmocka_unit_test(truncation_and_trailing_bytes_are_refused),
		cmocka_unit_test(unsorted_or_repeated_signers_are_refused),
		cmocka_unit_test(more_than_32_signatures_are_refused),
	};

	if (kit_written(argc, argv, "signed"))
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
