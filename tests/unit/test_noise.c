/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "hex.h"

#include "../vectors/noise.h"
#include "noise.h"

static unsigned passed, of;

#define FIGURE(check) do { of++; check; passed++; } while (0)

/* an rng that gives one key, once */
static void fill_fixed(void *ctx, uint8_t *out, size_t len)
{
	assert_int_equal(len, 32);
	memcpy(out, ctx, len);
}

static struct rng fixed(uint8_t sk[32])
{
	return (struct rng){ .fill = fill_fixed, .ctx = sk };
}

static void published_vectors_pass(void **state)
{
	const struct noise_vector *v = &noise_vectors[0];
	uint8_t prologue[32], psk[1][32], ie[32], re[32], s_sk[32], s_pk[32], pk[32];
	uint8_t payload[64], msg[128], back[64], hash[2][64];
	struct noise ini, res;
	struct noise_cipher tx[2], rx[2];  /* [0] to the server, [1] to the client */
	size_t prologue_len = unhex(prologue, sizeof prologue, v->prologue);
	size_t len, which = 9, i;

	(void)state;
	unhex(psk[0], 32, v->psk);
	unhex(ie, 32, v->init_e_sk);
	unhex(re, 32, v->resp_e_sk);
	unhex(s_sk, 32, v->resp_s_sk);
	unhex(s_pk, 32, v->resp_s_pk);
	crypto_scalarmult_base(pk, s_sk);
	FIGURE(assert_memory_equal(pk, s_pk, 32));

	len = unhex(payload, sizeof payload, v->messages[0].payload);
	assert_int_equal(noise_write_1(&ini, msg, prologue, prologue_len, s_pk, psk[0], payload,
	                               len, fixed(ie)), PERR_OK);
	FIGURE(assert_hex(msg, len + NOISE_MSG_SIZE, v->messages[0].ct));
	assert_int_equal(noise_read_1(&res, &which, back, msg, len + NOISE_MSG_SIZE, prologue,
	                              prologue_len, s_sk, s_pk, (const uint8_t (*)[32])psk, 1),
	                 PERR_OK);
	assert_int_equal(which, 0);
	FIGURE(assert_memory_equal(back, payload, len));

	len = unhex(payload, sizeof payload, v->messages[1].payload);
	assert_int_equal(noise_write_2(&res, msg, payload, len, fixed(re)), PERR_OK);
	FIGURE(assert_hex(msg, len + NOISE_MSG_SIZE, v->messages[1].ct));
	assert_int_equal(noise_read_2(&ini, back, msg, len + NOISE_MSG_SIZE), PERR_OK);
	FIGURE(assert_memory_equal(back, payload, len));

	noise_split(&ini, &tx[0], &rx[1], hash[0]);
	noise_split(&res, &rx[0], &tx[1], hash[1]);
	FIGURE(assert_hex(hash[0], 64, v->hash));
	FIGURE(assert_hex(hash[1], 64, v->hash));
	for (i = 2; i < 6; i++) {
		len = unhex(payload, sizeof payload, v->messages[i].payload);
		assert_int_equal(noise_encrypt(&tx[i % 2], msg, payload, len), PERR_OK);
		FIGURE(assert_hex(msg, len + NOISE_TAG_SIZE, v->messages[i].ct));
		assert_int_equal(noise_decrypt(&rx[i % 2], back, msg, len + NOISE_TAG_SIZE),
		                 PERR_OK);
		FIGURE(assert_memory_equal(back, payload, len));
	}
	printf("figure: noise %u/%u\n", passed, of);
}

struct server {
	uint8_t sk[32], pk[32];
	uint8_t psks[4][32];
};

static void server_new(struct server *s)
{
	randombytes_buf(s, sizeof *s);
	crypto_scalarmult_base(s->pk, s->sk);
}

static enum perr first(struct noise *ns, uint8_t out[NOISE_MSG_SIZE], const struct server *s,
                       size_t psk)
{
	return noise_write_1(ns, out, (const uint8_t *)"p", 1, s->pk, s->psks[psk], NULL, 0,
	                     rng_system());
}

static enum perr answer(struct noise *ns, size_t *which, const struct server *s,
                        const uint8_t *in, size_t len)
{
	uint8_t room[64];

	return noise_read_1(ns, which, room, in, len, (const uint8_t *)"p", 1, s->sk, s->pk,
	                    s->psks, 4);
}

static void responder_finds_whichever_psk_was_used(void **state)
{
	struct server s;
	size_t i, which;

	(void)state;
	server_new(&s);
	for (i = 0; i < 4; i++) {
		struct noise ini, res;
		struct noise_cipher a, b, c, d;
		uint8_t m1[NOISE_MSG_SIZE], m2[NOISE_MSG_SIZE], h1[64], h2[64];

		assert_int_equal(first(&ini, m1, &s, i), PERR_OK);
		assert_int_equal(answer(&res, &which, &s, m1, sizeof m1), PERR_OK);
		assert_int_equal(which, i);
		assert_int_equal(noise_write_2(&res, m2, NULL, 0, rng_system()), PERR_OK);
		assert_int_equal(noise_read_2(&ini, NULL, m2, sizeof m2), PERR_OK);
		noise_split(&ini, &a, &b, h1);
		noise_split(&res, &c, &d, h2);
		assert_memory_equal(h1, h2, 64);
		assert_memory_equal(a.key, c.key, 32);
		assert_memory_equal(b.key, d.key, 32);
		assert_memory_not_equal(a.key, b.key, 32);
	}
}

/* a later psk that does not fit must not wipe what an earlier one opened */
static void payload_survives_the_trial_of_later_psks(void **state)
{
	struct server s;
	size_t i, which;

	(void)state;
	server_new(&s);
	for (i = 0; i < 4; i++) {
		struct noise ini, res;
		uint8_t m1[NOISE_MSG_SIZE + 5], got[5] = { 0 };

		assert_int_equal(noise_write_1(&ini, m1, NULL, 0, s.pk, s.psks[i],
		                               (const uint8_t *)"hello", 5, rng_system()), PERR_OK);
		assert_int_equal(noise_read_1(&res, &which, got, m1, sizeof m1, NULL, 0, s.sk, s.pk,
		                              (const uint8_t (*)[32])s.psks, 4), PERR_OK);
		assert_int_equal(which, i);
		assert_memory_equal(got, "hello", 5);
	}
}

static void message_1_refuses_flips_truncation_and_strangers(void **state)
{
	struct server s, other;
	struct noise ini, res;
	uint8_t m1[NOISE_MSG_SIZE];
	size_t i, which = 77;

	(void)state;
	server_new(&s);
	server_new(&other);
	assert_int_equal(first(&ini, m1, &s, 2), PERR_OK);
	for (i = 0; i < 8 * sizeof m1; i++) {
		m1[i / 8] ^= (uint8_t)(1u << i % 8);
		memset(&res, 0xee, sizeof res);
		assert_int_equal(answer(&res, &which, &s, m1, sizeof m1), PERR_AUTH);
		assert_zero((const uint8_t *)&res, sizeof res);
		m1[i / 8] ^= (uint8_t)(1u << i % 8);
	}
	for (i = 0; i < sizeof m1; i++)
		assert_int_equal(answer(&res, &which, &s, m1, i), PERR_AUTH);
	assert_int_equal(answer(&res, &which, &other, m1, sizeof m1), PERR_AUTH);
	/* right server, psk of another */
	memcpy(other.sk, s.sk, 32);
	memcpy(other.pk, s.pk, 32);
	assert_int_equal(answer(&res, &which, &other, m1, sizeof m1), PERR_AUTH);
	assert_int_equal(noise_read_1(&res, &which, NULL, m1, sizeof m1, (const uint8_t *)"q", 1,
	                              s.sk, s.pk, (const uint8_t (*)[32])s.psks, 4), PERR_AUTH);
	assert_int_equal(noise_read_1(&res, &which, NULL, m1, sizeof m1, (const uint8_t *)"p", 1,
	                              s.sk, s.pk, (const uint8_t (*)[32])s.psks, 0), PERR_AUTH);
	assert_int_equal(which, 77);
	assert_int_equal(answer(&res, &which, &s, m1, sizeof m1), PERR_OK);
	assert_int_equal(which, 2);
}

static void message_2_refuses_flips_truncation_and_reflection(void **state)
{
	struct server s;
	struct noise ini, res, copy;
	uint8_t m1[NOISE_MSG_SIZE], m2[NOISE_MSG_SIZE];
	size_t i, which;

	(void)state;
	server_new(&s);
	assert_int_equal(first(&ini, m1, &s, 0), PERR_OK);
	assert_int_equal(answer(&res, &which, &s, m1, sizeof m1), PERR_OK);
	assert_int_equal(noise_write_2(&res, m2, NULL, 0, rng_system()), PERR_OK);
	for (i = 0; i < 8 * sizeof m2; i++) {
		copy = ini;
		m2[i / 8] ^= (uint8_t)(1u << i % 8);
		assert_int_equal(noise_read_2(&copy, NULL, m2, sizeof m2), PERR_AUTH);
		assert_zero((const uint8_t *)&copy, sizeof copy);
		m2[i / 8] ^= (uint8_t)(1u << i % 8);
	}
	for (i = 0; i < sizeof m2; i++) {
		copy = ini;
		assert_int_equal(noise_read_2(&copy, NULL, m2, i), PERR_AUTH);
	}
	copy = ini;
	assert_int_equal(noise_read_2(&copy, NULL, m1, sizeof m1), PERR_AUTH);
	copy = ini;
	assert_int_equal(noise_read_2(&copy, NULL, m2, sizeof m2), PERR_OK);
}

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
	struct server s;
	struct noise ini, res;
	uint8_t m[NOISE_MSG_SIZE], bad[32];
	size_t i, which;

	(void)state;
	server_new(&s);
	for (i = 0; i < sizeof points / sizeof points[0]; i++) {
		unhex(bad, 32, points[i]);
		/* as the server's key */
		memset(&ini, 0xee, sizeof ini);
		memset(m, 0xee, sizeof m);
		assert_int_equal(noise_write_1(&ini, m, NULL, 0, bad, s.psks[0], NULL, 0,
		                               rng_system()), PERR_KEY);
		assert_zero((const uint8_t *)&ini, sizeof ini);
		assert_zero(m, sizeof m);
		/* as e of either message */
		memset(m, 0, sizeof m);
		memcpy(m, bad, 32);
		assert_int_equal(answer(&res, &which, &s, m, sizeof m), PERR_KEY);
		assert_zero((const uint8_t *)&res, sizeof res);
		assert_int_equal(first(&ini, m, &s, 0), PERR_OK);
		memcpy(m, bad, 32);
		assert_int_equal(noise_read_2(&ini, NULL, m, sizeof m), PERR_KEY);
		assert_zero((const uint8_t *)&ini, sizeof ini);
	}
}

static void transport_refuses_flips_replay_reordering_truncation(void **state)
{
	struct noise_cipher tx = { .key = { 1 } }, rx = { .key = { 1 } };
	uint8_t ct[2][24], pt[24];
	size_t i;

	(void)state;
	assert_int_equal(noise_encrypt(&tx, ct[0], (const uint8_t *)"message1", 8), PERR_OK);
	assert_int_equal(noise_encrypt(&tx, ct[1], (const uint8_t *)"message2", 8), PERR_OK);
	assert_int_equal(noise_decrypt(&rx, pt, ct[1], 24), PERR_AUTH);
	for (i = 0; i < 24; i++)
		assert_int_equal(noise_decrypt(&rx, pt, ct[0], i), PERR_AUTH);
	for (i = 0; i < 8 * 24; i++) {
		ct[0][i / 8] ^= (uint8_t)(1u << i % 8);
		memset(pt, 0xee, sizeof pt);
		assert_int_equal(noise_decrypt(&rx, pt, ct[0], 24), PERR_AUTH);
		assert_zero(pt, 8);
		ct[0][i / 8] ^= (uint8_t)(1u << i % 8);
	}
	assert_int_equal(rx.n, 0);
	assert_int_equal(noise_decrypt(&rx, pt, ct[0], 24), PERR_OK);
	assert_int_equal(noise_decrypt(&rx, pt, ct[0], 24), PERR_AUTH);
	assert_int_equal(noise_decrypt(&rx, pt, ct[1], 24), PERR_OK);
	assert_memory_equal(pt, "message2", 8);
}

/* section 5.1: the value 2^64 - 1 is reserved */
static void nonce_stops_at_its_limit(void **state)
{
	struct noise_cipher tx = { .key = { 1 } }, rx = { .key = { 1 } };
	uint8_t ct[17], pt[1] = { 0xee };

	(void)state;
	tx.n = rx.n = UINT64_MAX - 1;
	assert_int_equal(noise_encrypt(&tx, ct, (const uint8_t *)"x", 1), PERR_OK);
	assert_int_equal(noise_decrypt(&rx, pt, ct, 17), PERR_OK);
	memset(ct, 0xee, sizeof ct);
	assert_int_equal(noise_encrypt(&tx, ct, (const uint8_t *)"x", 1), PERR_STATE);
	assert_int_equal(ct[0], 0xee);
	assert_int_equal(noise_decrypt(&rx, pt, ct, 17), PERR_STATE);
	assert_int_equal(pt[0], 0);
	assert_int_equal(tx.n, UINT64_MAX);
	assert_int_equal(rx.n, UINT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(published_vectors_pass),
		cmocka_unit_test(responder_finds_whichever_psk_was_used),
		cmocka_unit_test(payload_survives_the_trial_of_later_psks),
		cmocka_unit_test(message_1_refuses_flips_truncation_and_strangers),
		cmocka_unit_test(message_2_refuses_flips_truncation_and_reflection),
		cmocka_unit_test(small_order_points_are_refused),
		cmocka_unit_test(transport_refuses_flips_replay_reordering_truncation),
		cmocka_unit_test(nonce_stops_at_its_limit),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests_name("noise", tests, NULL, NULL);
}
