/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "hex.h"

#include "../vectors/hpke.h"
#include "hpke.h"

static unsigned passed, of;

#define FIGURE(check) do { of++; check; passed++; } while (0)

static void params_of(struct hpke_params *p, const struct hpke_vector *v)
{
	uint8_t info[64], psk[64], psk_id[64];
	size_t info_len = unhex(info, sizeof info, v->info);
	size_t psk_len = unhex(psk, sizeof psk, v->psk);
	size_t psk_id_len = unhex(psk_id, sizeof psk_id, v->psk_id);

	if (v->mode == 0)
		hpke_params_base(p, info, info_len);
	else
		assert_int_equal(hpke_params_psk(p, info, info_len, psk, psk_len,
		                                 psk_id, psk_id_len), PERR_OK);
}

static void check_schedule(const struct hpke *ctx, const struct hpke_vector *v)
{
	FIGURE(assert_hex(ctx->key, 32, v->key));
	FIGURE(assert_hex(ctx->base_nonce, 12, v->base_nonce));
	FIGURE(assert_hex(ctx->exporter_secret, 32, v->exporter_secret));
	assert_int_equal(ctx->seq, 0);
}

static void check_message(struct hpke *s, struct hpke *r, const struct hpke_vector_message *m)
{
	uint8_t pt[64], aad[16], ct[80], back[64];
	size_t pt_len = unhex(pt, sizeof pt, m->pt);
	size_t aad_len = unhex(aad, sizeof aad, m->aad);

	s->seq = m->seq;
	r->seq = m->seq;
	assert_int_equal(hpke_seal(s, ct, aad, aad_len, pt, pt_len), PERR_OK);
	FIGURE(assert_hex(ct, pt_len + HPKE_TAG_SIZE, m->ct));
	assert_int_equal(hpke_open(r, back, aad, aad_len, ct, pt_len + HPKE_TAG_SIZE), PERR_OK);
	FIGURE(assert_memory_equal(back, pt, pt_len));
	assert_int_equal(s->seq, m->seq + 1);
	assert_int_equal(r->seq, m->seq + 1);
}

static void published_vectors_pass(void **state)
{
	size_t i, j;

	(void)state;
	for (i = 0; i < sizeof hpke_vectors / sizeof hpke_vectors[0]; i++) {
		const struct hpke_vector *v = &hpke_vectors[i];
		struct hpke_params p;
		struct hpke s, r;
		uint8_t eph_sk[32], reader_sk[32], reader_pk[32], pk[32], enc[32], shared[32];

		params_of(&p, v);
		FIGURE(assert_hex(p.context, sizeof p.context, v->context));
		unhex(eph_sk, 32, v->eph_sk);
		unhex(reader_sk, 32, v->reader_sk);
		unhex(reader_pk, 32, v->reader_pk);
		crypto_scalarmult_base(pk, reader_sk);
		FIGURE(assert_memory_equal(pk, reader_pk, 32));

		assert_int_equal(hpke_setup_s_with(&s, enc, &p, reader_pk, eph_sk), PERR_OK);
		FIGURE(assert_hex(enc, 32, v->eph_pk));
		assert_int_equal(hpke_decap(shared, enc, reader_sk, reader_pk), PERR_OK);
		FIGURE(assert_hex(shared, 32, v->shared_secret));
		assert_int_equal(hpke_setup_r(&r, enc, &p, reader_sk, reader_pk), PERR_OK);
		check_schedule(&s, v);
		check_schedule(&r, v);
		for (j = 0; j < 6; j++)
			check_message(&s, &r, &v->messages[j]);
		for (j = 0; j < 3; j++) {
			const struct hpke_vector_export *e = &v->exports[j];
			uint8_t context[32], out[32], trial[32];
			size_t context_len = unhex(context, sizeof context, e->context);

			assert_int_equal(hpke_export(&r, out, e->len, context, context_len),
			                 PERR_OK);
			FIGURE(assert_hex(out, e->len, e->value));
			hpke_trial_export(trial, &p, shared, context, context_len);
			FIGURE(assert_hex(trial, 32, e->value));
		}
	}
	printf("figure: hpke %u/%u\n", passed, of);
}

/* a pair of contexts for one reader, under mode psk */
static void pair(struct hpke *s, struct hpke *r)
{
	struct hpke_params p;
	uint8_t sk[32], pk[32], enc[32], psk[32];

	randombytes_buf(sk, sizeof sk);
	randombytes_buf(psk, sizeof psk);
	crypto_scalarmult_base(pk, sk);
	assert_int_equal(hpke_params_psk(&p, (const uint8_t *)"i", 1, psk, 32,
	                                 (const uint8_t *)"n", 1), PERR_OK);
	assert_int_equal(hpke_setup_s(s, enc, &p, pk, rng_system()), PERR_OK);
	assert_int_equal(hpke_setup_r(r, enc, &p, sk, pk), PERR_OK);
}

static void open_refuses_any_flipped_bit(void **state)
{
	struct hpke s, r;
	uint8_t pt[40] = "who was taken, and where", ct[56], aad[8] = "tag", out[40];
	size_t bit;

	(void)state;
	pair(&s, &r);
	assert_int_equal(hpke_seal(&s, ct, aad, 8, pt, 40), PERR_OK);
	for (bit = 0; bit < 8 * sizeof ct; bit++) {
		memset(out, 0xee, sizeof out);
		ct[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_equal(hpke_open(&r, out, aad, 8, ct, sizeof ct), PERR_AUTH);
		assert_zero(out, sizeof out);
		assert_int_equal(r.seq, 0);
		ct[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	for (bit = 0; bit < 8 * sizeof aad; bit++) {
		aad[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_equal(hpke_open(&r, out, aad, 8, ct, sizeof ct), PERR_AUTH);
		aad[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	assert_int_equal(hpke_open(&r, out, aad, 8, ct, sizeof ct), PERR_OK);
	assert_memory_equal(out, pt, 40);
}

static void open_refuses_truncation_at_every_byte(void **state)
{
	struct hpke s, r;
	uint8_t pt[40] = { 1 }, ct[56], out[56];
	size_t len;

	(void)state;
	pair(&s, &r);
	assert_int_equal(hpke_seal(&s, ct, NULL, 0, pt, 40), PERR_OK);
	for (len = 0; len < sizeof ct; len++)
		assert_int_equal(hpke_open(&r, out, NULL, 0, ct, len), PERR_AUTH);
}

static void open_refuses_replay_and_reordering(void **state)
{
	struct hpke s, r;
	uint8_t ct[2][20], out[4];

	(void)state;
	pair(&s, &r);
	assert_int_equal(hpke_seal(&s, ct[0], NULL, 0, (const uint8_t *)"one ", 4), PERR_OK);
	assert_int_equal(hpke_seal(&s, ct[1], NULL, 0, (const uint8_t *)"two ", 4), PERR_OK);
	assert_int_equal(hpke_open(&r, out, NULL, 0, ct[1], 20), PERR_AUTH);
	assert_int_equal(hpke_open(&r, out, NULL, 0, ct[0], 20), PERR_OK);
	assert_int_equal(hpke_open(&r, out, NULL, 0, ct[0], 20), PERR_AUTH);
	assert_int_equal(hpke_open(&r, out, NULL, 0, ct[1], 20), PERR_OK);
	assert_memory_equal(out, "two ", 4);
}

static void seal_and_open_work_in_place(void **state)
{
	struct hpke s, r;
	uint8_t buf[20] = "four";

	(void)state;
	pair(&s, &r);
	assert_int_equal(hpke_seal(&s, buf, NULL, 0, buf, 4), PERR_OK);
	assert_int_equal(hpke_open(&r, buf, NULL, 0, buf, 20), PERR_OK);
	assert_memory_equal(buf, "four", 4);
}

static void sequence_number_never_wraps(void **state)
{
	struct hpke s, r;
	uint8_t ct[20], out[4];

	(void)state;
	pair(&s, &r);
	s.seq = r.seq = UINT64_MAX - 1;
	assert_int_equal(hpke_seal(&s, ct, NULL, 0, (const uint8_t *)"last", 4), PERR_OK);
	assert_int_equal(hpke_open(&r, out, NULL, 0, ct, 20), PERR_OK);
	assert_int_equal(hpke_seal(&s, ct, NULL, 0, (const uint8_t *)"more", 4), PERR_LIMIT);
	assert_int_equal(hpke_open(&r, out, NULL, 0, ct, 20), PERR_LIMIT);
	assert_int_equal(s.seq, UINT64_MAX);
}

static void wrong_psk_id_info_or_mode_gives_other_keys(void **state)
{
	struct hpke_params p, q[4];
	struct hpke a, b;
	uint8_t sk[32], pk[32], enc[32], psk[32] = { 7 }, other[32] = { 8 };
	size_t i;

	(void)state;
	randombytes_buf(sk, sizeof sk);
	crypto_scalarmult_base(pk, sk);
	assert_int_equal(hpke_params_psk(&p, (const uint8_t *)"i", 1, psk, 32,
	                                 (const uint8_t *)"n", 1), PERR_OK);
	assert_int_equal(hpke_params_psk(&q[0], (const uint8_t *)"i", 1, other, 32,
	                                 (const uint8_t *)"n", 1), PERR_OK);
	assert_int_equal(hpke_params_psk(&q[1], (const uint8_t *)"i", 1, psk, 32,
	                                 (const uint8_t *)"m", 1), PERR_OK);
	assert_int_equal(hpke_params_psk(&q[2], (const uint8_t *)"j", 1, psk, 32,
	                                 (const uint8_t *)"n", 1), PERR_OK);
	hpke_params_base(&q[3], (const uint8_t *)"i", 1);
	assert_int_equal(hpke_setup_s(&a, enc, &p, pk, rng_system()), PERR_OK);
	for (i = 0; i < 4; i++) {
		assert_int_equal(hpke_setup_r(&b, enc, &q[i], sk, pk), PERR_OK);
		assert_memory_not_equal(a.key, b.key, 32);
		assert_memory_not_equal(a.exporter_secret, b.exporter_secret, 32);
	}
}

static void weak_psk_and_empty_id_are_refused(void **state)
{
	struct hpke_params p;
	uint8_t psk[65] = { 1 };

	(void)state;
	assert_int_equal(hpke_params_psk(&p, NULL, 0, psk, 31, psk, 1), PERR_RANGE);
	assert_zero((const uint8_t *)&p, sizeof p);
	assert_int_equal(hpke_params_psk(&p, NULL, 0, psk, 65, psk, 1), PERR_RANGE);
	assert_int_equal(hpke_params_psk(&p, NULL, 0, psk, 32, psk, 0), PERR_RANGE);
	assert_int_equal(hpke_params_psk(&p, NULL, 0, psk, 32, psk, 1), PERR_OK);
	assert_int_equal(hpke_params_psk(&p, NULL, 0, psk, 64, psk, 1), PERR_OK);
}

/* RFC 7748 section 6.1 and RFC 9180 section 7.1.4: their shared secret is all zero */
static void small_order_points_are_refused(void **state)
{
	static const char *const points[] = {
		"0000000000000000000000000000000000000000000000000000000000000000",
		"0100000000000000000000000000000000000000000000000000000000000000",
		"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
		"5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	};
	struct hpke_params p;
	struct hpke ctx;
	uint8_t sk[32], pk[32], bad[32], enc[32], shared[32];
	size_t i;
	unsigned top;

	(void)state;
	hpke_params_base(&p, NULL, 0);
	randombytes_buf(sk, sizeof sk);
	crypto_scalarmult_base(pk, sk);
	for (i = 0; i < sizeof points / sizeof points[0]; i++) {
		unhex(bad, 32, points[i]);
		for (top = 0; top < 2; top++) {
			bad[31] |= (uint8_t)(top << 7);
			memset(&ctx, 0xee, sizeof ctx);
			assert_int_equal(hpke_setup_s(&ctx, enc, &p, bad, rng_system()), PERR_KEY);
			assert_zero((const uint8_t *)&ctx, sizeof ctx);
			assert_zero(enc, 32);
			memset(&ctx, 0xee, sizeof ctx);
			assert_int_equal(hpke_setup_r(&ctx, bad, &p, sk, pk), PERR_KEY);
			assert_zero((const uint8_t *)&ctx, sizeof ctx);
			memset(shared, 0xee, sizeof shared);
			assert_int_equal(hpke_decap(shared, bad, sk, pk), PERR_KEY);
			assert_zero(shared, sizeof shared);
		}
	}
}

static void export_has_the_length_limit_of_hkdf(void **state)
{
	struct hpke s, r;
	static uint8_t a[HPKE_EXPORT_MAX * 32 + 1], b[HPKE_EXPORT_MAX * 32];

	(void)state;
	pair(&s, &r);
	assert_int_equal(hpke_export(&s, a, sizeof a, NULL, 0), PERR_RANGE);
	assert_int_equal(hpke_export(&s, a, sizeof b, NULL, 0), PERR_OK);
	assert_int_equal(hpke_export(&r, b, sizeof b, NULL, 0), PERR_OK);
	assert_memory_equal(a, b, sizeof b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(published_vectors_pass),
		cmocka_unit_test(open_refuses_any_flipped_bit),
		cmocka_unit_test(open_refuses_truncation_at_every_byte),
		cmocka_unit_test(open_refuses_replay_and_reordering),
		cmocka_unit_test(seal_and_open_work_in_place),
		cmocka_unit_test(sequence_number_never_wraps),
		cmocka_unit_test(wrong_psk_id_info_or_mode_gives_other_keys),
		cmocka_unit_test(weak_psk_and_empty_id_are_refused),
		cmocka_unit_test(small_order_points_are_refused),
		cmocka_unit_test(export_has_the_length_limit_of_hkdf),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests_name("hpke", tests, NULL, NULL);
}
