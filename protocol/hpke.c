/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "hpke.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

#define MODE_BASE 0
#define MODE_PSK  1
#define NH        32             /* output of HKDF-SHA256's hash */

/* RFC 9180 sections 4.1 and 5.1: the domains of the KEM and of the whole suite */
static const uint8_t kem_id[] = { 'K', 'E', 'M', 0x00, 0x20 };
static const uint8_t hpke_id[] = { 'H', 'P', 'K', 'E', 0x00, 0x20, 0x00, 0x01, 0x00, 0x03 };

struct suite {
	const uint8_t *id;
	size_t id_len;
};

static const struct suite in_kem = { kem_id, sizeof kem_id };
static const struct suite in_hpke = { hpke_id, sizeof hpke_id };
static const uint8_t no_salt[1]; /* libsodium wants a pointer with length 0 too */

/* HKDF-SHA256 with HPKE's labels (section 4); libsodium 1.0.18 offers the HMAC only. */

static void mac_label(crypto_auth_hmacsha256_state *st, const struct suite *suite,
                      const char *label)
{
	crypto_auth_hmacsha256_update(st, (const uint8_t *)"HPKE-v1", 7);
	crypto_auth_hmacsha256_update(st, suite->id, suite->id_len);
	crypto_auth_hmacsha256_update(st, (const uint8_t *)label, strlen(label));
}

static void labeled_extract(uint8_t prk[NH], const struct suite *suite, const uint8_t *salt,
                            size_t salt_len, const char *label,
                            const uint8_t *ikm, size_t ikm_len)
{
	crypto_auth_hmacsha256_state st;

	crypto_auth_hmacsha256_init(&st, salt, salt_len);
	mac_label(&st, suite, label);
	crypto_auth_hmacsha256_update(&st, ikm, ikm_len);
	crypto_auth_hmacsha256_final(&st, prk);
	sodium_memzero(&st, sizeof st);
}

/* out_len <= 255 * NH: one byte counts the blocks */
static void labeled_expand(uint8_t *out, size_t out_len, const struct suite *suite,
                           const uint8_t prk[NH], const char *label,
                           const uint8_t *info, size_t info_len)
{
	crypto_auth_hmacsha256_state st;
	uint8_t block[NH];
	uint8_t be_len[2] = { (uint8_t)(out_len >> 8), (uint8_t)out_len };
	uint8_t count = 0;

	assert(out_len <= HPKE_EXPORT_MAX * NH);
	while (out_len > 0) {
		size_t take = out_len < NH ? out_len : NH;

		crypto_auth_hmacsha256_init(&st, prk, NH);
		if (count > 0)
			crypto_auth_hmacsha256_update(&st, block, NH);
		crypto_auth_hmacsha256_update(&st, be_len, sizeof be_len);
		mac_label(&st, suite, label);
		crypto_auth_hmacsha256_update(&st, info, info_len);
		count++;
		crypto_auth_hmacsha256_update(&st, &count, 1);
		crypto_auth_hmacsha256_final(&st, block);
		memcpy(out, block, take);
		out += take;
		out_len -= take;
	}
	sodium_memzero(&st, sizeof st);
	sodium_memzero(block, sizeof block);
}

/* What is the same for every message. */

static void params_context(struct hpke_params *p, uint8_t mode, const uint8_t *info,
                           size_t info_len, const uint8_t *psk_id, size_t psk_id_len)
{
	p->mode = mode;
	p->context[0] = mode;
	labeled_extract(p->context + 1, &in_hpke, no_salt, 0, "psk_id_hash", psk_id, psk_id_len);
	labeled_extract(p->context + 1 + NH, &in_hpke, no_salt, 0, "info_hash", info, info_len);
}

void hpke_params_base(struct hpke_params *p, const uint8_t *info, size_t info_len)
{
	sodium_memzero(p, sizeof *p);
	params_context(p, MODE_BASE, info, info_len, NULL, 0);
}

enum perr hpke_params_psk(struct hpke_params *p, const uint8_t *info, size_t info_len,
                          const uint8_t *psk, size_t psk_len,
                          const uint8_t *psk_id, size_t psk_id_len)
{
	sodium_memzero(p, sizeof *p);
	/* section 5.1.2: a psk of fewer than 32 bytes could be found by search */
	if (psk_len < HPKE_PSK_MIN || psk_len > sizeof p->psk || psk_id_len == 0)
		return PERR_RANGE;
	params_context(p, MODE_PSK, info, info_len, psk_id, psk_id_len);
	memcpy(p->psk, psk, psk_len);
	p->psk_len = psk_len;
	return PERR_OK;
}

void hpke_params_wipe(struct hpke_params *p)
{
	sodium_memzero(p, sizeof *p);
}

/* KEM. */

static void extract_and_expand(uint8_t shared[32], const uint8_t dh[32], const uint8_t enc[32],
                               const uint8_t reader_pk[32])
{
	uint8_t prk[NH], context[64];

	memcpy(context, enc, 32);
	memcpy(context + 32, reader_pk, 32);
	labeled_extract(prk, &in_kem, no_salt, 0, "eae_prk", dh, 32);
	labeled_expand(shared, 32, &in_kem, prk, "shared_secret", context, sizeof context);
	sodium_memzero(prk, sizeof prk);
}

enum perr hpke_decap(uint8_t shared[32], const uint8_t enc[HPKE_ENC_SIZE],
                     const uint8_t reader_sk[HPKE_SK_SIZE],
                     const uint8_t reader_pk[HPKE_PK_SIZE])
{
	enum perr err = PERR_KEY;
	uint8_t dh[32];

	/* fails on the all-zero result, which section 7.1.4 demands to be refused */
	if (crypto_scalarmult(dh, reader_sk, enc) != 0)
		goto out;
	extract_and_expand(shared, dh, enc, reader_pk);
	err = PERR_OK;
out:
	if (err != PERR_OK)
		sodium_memzero(shared, 32);
	sodium_memzero(dh, sizeof dh);
	return err;
}

/* Key schedule (section 5.1). */

static void schedule_secret(uint8_t secret[NH], const struct hpke_params *p,
                            const uint8_t shared[32])
{
	labeled_extract(secret, &in_hpke, shared, 32, "secret", p->psk, p->psk_len);
}

static void schedule_exporter(uint8_t exporter[NH], const struct hpke_params *p,
                              const uint8_t secret[NH])
{
	labeled_expand(exporter, NH, &in_hpke, secret, "exp", p->context, sizeof p->context);
}

void hpke_schedule(struct hpke *ctx, const struct hpke_params *p, const uint8_t shared[32])
{
	uint8_t secret[NH];

	schedule_secret(secret, p, shared);
	labeled_expand(ctx->key, sizeof ctx->key, &in_hpke, secret, "key",
	               p->context, sizeof p->context);
	labeled_expand(ctx->base_nonce, sizeof ctx->base_nonce, &in_hpke, secret, "base_nonce",
	               p->context, sizeof p->context);
	schedule_exporter(ctx->exporter_secret, p, secret);
	ctx->seq = 0;
	sodium_memzero(secret, sizeof secret);
}

void hpke_trial_export(uint8_t out[32], const struct hpke_params *p, const uint8_t shared[32],
                       const uint8_t *exporter_context, size_t exporter_context_len)
{
	uint8_t secret[NH], exporter[NH];

	schedule_secret(secret, p, shared);
	schedule_exporter(exporter, p, secret);
	labeled_expand(out, 32, &in_hpke, exporter, "sec", exporter_context, exporter_context_len);
	sodium_memzero(secret, sizeof secret);
	sodium_memzero(exporter, sizeof exporter);
}

enum perr hpke_setup_s_with(struct hpke *ctx, uint8_t enc[HPKE_ENC_SIZE],
                            const struct hpke_params *p,
                            const uint8_t reader_pk[HPKE_PK_SIZE],
                            const uint8_t eph_sk[HPKE_SK_SIZE])
{
	enum perr err = PERR_KEY;
	uint8_t dh[32], shared[32];

	if (crypto_scalarmult_base(enc, eph_sk) != 0 ||
	    crypto_scalarmult(dh, eph_sk, reader_pk) != 0)
		goto out;
	extract_and_expand(shared, dh, enc, reader_pk);
	hpke_schedule(ctx, p, shared);
	err = PERR_OK;
out:
	if (err != PERR_OK) {
		hpke_wipe(ctx);
		sodium_memzero(enc, HPKE_ENC_SIZE);
	}
	sodium_memzero(dh, sizeof dh);
	sodium_memzero(shared, sizeof shared);
	return err;
}

enum perr hpke_setup_s(struct hpke *ctx, uint8_t enc[HPKE_ENC_SIZE], const struct hpke_params *p,
                       const uint8_t reader_pk[HPKE_PK_SIZE], struct rng rng)
{
	uint8_t eph_sk[32];
	enum perr err;

	rng_fill(rng, eph_sk, sizeof eph_sk);
	err = hpke_setup_s_with(ctx, enc, p, reader_pk, eph_sk);
	sodium_memzero(eph_sk, sizeof eph_sk);
	return err;
}

enum perr hpke_setup_r(struct hpke *ctx, const uint8_t enc[HPKE_ENC_SIZE],
                       const struct hpke_params *p,
                       const uint8_t reader_sk[HPKE_SK_SIZE],
                       const uint8_t reader_pk[HPKE_PK_SIZE])
{
	uint8_t shared[32];
	enum perr err = hpke_decap(shared, enc, reader_sk, reader_pk);

	if (err == PERR_OK)
		hpke_schedule(ctx, p, shared);
	else
		hpke_wipe(ctx);
	sodium_memzero(shared, sizeof shared);
	return err;
}

/* Messages (section 5.2) and exports (section 5.3). */

static void message_nonce(uint8_t nonce[12], const struct hpke *ctx)
{
	unsigned i;

	memcpy(nonce, ctx->base_nonce, 12);
	for (i = 0; i < 8; i++)
		nonce[11 - i] ^= (uint8_t)(ctx->seq >> (8 * i));
}

enum perr hpke_seal(struct hpke *ctx, uint8_t *ct, const uint8_t *aad, size_t aad_len,
                    const uint8_t *pt, size_t pt_len)
{
	uint8_t nonce[12];

	if (ctx->seq == UINT64_MAX)
		return PERR_LIMIT;
	message_nonce(nonce, ctx);
	crypto_aead_chacha20poly1305_ietf_encrypt(ct, NULL, pt, pt_len, aad, aad_len, NULL,
	                                          nonce, ctx->key);
	ctx->seq++;
	return PERR_OK;
}

enum perr hpke_open(struct hpke *ctx, uint8_t *pt, const uint8_t *aad, size_t aad_len,
                    const uint8_t *ct, size_t ct_len)
{
	uint8_t nonce[12];

	if (ct_len < HPKE_TAG_SIZE)
		return PERR_AUTH;
	if (ctx->seq == UINT64_MAX) {
		sodium_memzero(pt, ct_len - HPKE_TAG_SIZE);
		return PERR_LIMIT;
	}
	message_nonce(nonce, ctx);
	if (crypto_aead_chacha20poly1305_ietf_decrypt(pt, NULL, NULL, ct, ct_len, aad, aad_len,
	                                              nonce, ctx->key) != 0) {
		sodium_memzero(pt, ct_len - HPKE_TAG_SIZE);
		return PERR_AUTH;
	}
	ctx->seq++;
	return PERR_OK;
}

enum perr hpke_export(const struct hpke *ctx, uint8_t *out, size_t out_len,
                      const uint8_t *exporter_context, size_t exporter_context_len)
{
	if (out_len > HPKE_EXPORT_MAX * NH)
		return PERR_RANGE;
	labeled_expand(out, out_len, &in_hpke, ctx->exporter_secret, "sec",
	               exporter_context, exporter_context_len);
	return PERR_OK;
}

void hpke_wipe(struct hpke *ctx)
{
	sodium_memzero(ctx, sizeof *ctx);
}
