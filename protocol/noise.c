/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "noise.h"

#include <sodium.h>
#include <stdbool.h>
#include <string.h>

static const char protocol_name[] = "Noise_NKpsk0_25519_ChaChaPoly_SHA512";
_Static_assert(sizeof protocol_name - 1 <= NOISE_HASH_SIZE, "the name is padded, not hashed");

/* Symmetric state (section 5.2). */

static void hmac(uint8_t out[64], const uint8_t key[64], const uint8_t *a, size_t a_len,
                 uint8_t count)
{
	crypto_auth_hmacsha512_state st;

	crypto_auth_hmacsha512_init(&st, key, 64);
	crypto_auth_hmacsha512_update(&st, a, a_len);
	if (count != 0)
		crypto_auth_hmacsha512_update(&st, &count, 1);
	crypto_auth_hmacsha512_final(&st, out);
	sodium_memzero(&st, sizeof st);
}

/* section 4.3; c may be NULL when two outputs are enough */
static void hkdf(uint8_t a[64], uint8_t b[64], uint8_t *c, const uint8_t ck[64],
                 const uint8_t *ikm, size_t ikm_len)
{
	uint8_t prk[64], chain[64];

	hmac(prk, ck, ikm, ikm_len, 0);
	hmac(a, prk, ikm, 0, 1);
	memcpy(chain, a, 64);
	hmac(b, prk, chain, 64, 2);
	if (c != NULL) {
		memcpy(chain, b, 64);
		hmac(c, prk, chain, 64, 3);
	}
	sodium_memzero(prk, sizeof prk);
	sodium_memzero(chain, sizeof chain);
}

static void mix_hash(struct noise *ns, const uint8_t *p, size_t len)
{
	crypto_hash_sha512_state st;

	crypto_hash_sha512_init(&st);
	crypto_hash_sha512_update(&st, ns->h, sizeof ns->h);
	crypto_hash_sha512_update(&st, p, len);
	crypto_hash_sha512_final(&st, ns->h);
}

static void mix_key(struct noise *ns, const uint8_t ikm[32])
{
	uint8_t ck[64], k[64];

	hkdf(ck, k, NULL, ns->ck, ikm, 32);
	memcpy(ns->ck, ck, sizeof ns->ck);
	memcpy(ns->key, k, sizeof ns->key);
	sodium_memzero(ck, sizeof ck);
	sodium_memzero(k, sizeof k);
}

static void mix_key_and_hash(struct noise *ns, const uint8_t psk[32])
{
	uint8_t ck[64], h[64], k[64];

	hkdf(ck, h, k, ns->ck, psk, 32);
	memcpy(ns->ck, ck, sizeof ns->ck);
	mix_hash(ns, h, sizeof h);
	memcpy(ns->key, k, sizeof ns->key);
	sodium_memzero(ck, sizeof ck);
	sodium_memzero(h, sizeof h);
	sodium_memzero(k, sizeof k);
}

static const uint8_t nonce_zero[12];

static void encrypt_and_hash(struct noise *ns, uint8_t *out, const uint8_t *pt, size_t len)
{
	crypto_aead_chacha20poly1305_ietf_encrypt(out, NULL, pt, len, ns->h, sizeof ns->h, NULL,
	                                          nonce_zero, ns->key);
	mix_hash(ns, out, len + NOISE_TAG_SIZE);
}

/* ct_len >= NOISE_TAG_SIZE; with pt NULL only the tag is checked */
static bool decrypt(const struct noise *ns, uint8_t *pt, const uint8_t *ct, size_t ct_len)
{
	return crypto_aead_chacha20poly1305_ietf_decrypt(pt, NULL, NULL, ct, ct_len, ns->h,
	                                                 sizeof ns->h, nonce_zero,
	                                                 ns->key) == 0;
}

/* Handshake (sections 5.3, 7.4 and 9). */

static void begin(struct noise *ns, const uint8_t *prologue, size_t prologue_len,
                  const uint8_t server_pk[32], const uint8_t psk[32])
{
	sodium_memzero(ns, sizeof *ns);
	memcpy(ns->h, protocol_name, sizeof protocol_name - 1);
	memcpy(ns->ck, ns->h, sizeof ns->ck);
	mix_hash(ns, prologue, prologue_len);
	mix_hash(ns, server_pk, 32);
	memcpy(ns->rs_pk, server_pk, 32);
	mix_key_and_hash(ns, psk);
}

/* section 9.2: with a psk in use, e enters the key as well as the hash */
static void mix_e(struct noise *ns, const uint8_t e_pk[32])
{
	mix_hash(ns, e_pk, 32);
	mix_key(ns, e_pk);
}

/* an all-zero result, which crypto_scalarmult reports, would be a secret everyone knows */
static enum perr mix_dh(struct noise *ns, const uint8_t sk[32], const uint8_t pk[32])
{
	uint8_t dh[32];
	enum perr err = PERR_KEY;

	if (crypto_scalarmult(dh, sk, pk) != 0)
		goto out;
	mix_key(ns, dh);
	err = PERR_OK;
out:
	sodium_memzero(dh, sizeof dh);
	return err;
}

static void fresh_e(struct noise *ns, uint8_t *out, struct rng rng)
{
	rng_fill(rng, ns->e_sk, sizeof ns->e_sk);
	crypto_scalarmult_base(ns->e_pk, ns->e_sk);
	memcpy(out, ns->e_pk, 32);
	mix_e(ns, ns->e_pk);
}

enum perr noise_write_1(struct noise *ns, uint8_t *out, const uint8_t *prologue,
                        size_t prologue_len, const uint8_t server_pk[32], const uint8_t psk[32],
                        const uint8_t *payload, size_t payload_len, struct rng rng)
{
	enum perr err;

	begin(ns, prologue, prologue_len, server_pk, psk);
	fresh_e(ns, out, rng);
	err = mix_dh(ns, ns->e_sk, server_pk);
	if (err != PERR_OK)
		goto out;
	encrypt_and_hash(ns, out + 32, payload, payload_len);
out:
	if (err != PERR_OK) {
		noise_wipe(ns);
		sodium_memzero(out, payload_len + NOISE_MSG_SIZE);
	}
	return err;
}

enum perr noise_read_1(struct noise *ns, size_t *which, uint8_t *payload, const uint8_t *in,
                       size_t in_len, const uint8_t *prologue, size_t prologue_len,
                       const uint8_t server_sk[32], const uint8_t server_pk[32],
                       const uint8_t (*psks)[32], size_t n_psks)
{
	enum perr err = PERR_AUTH;
	struct noise one;
	uint8_t dh[32];
	size_t i, found = 0;
	bool any = false;

	sodium_memzero(ns, sizeof *ns);
	sodium_memzero(&one, sizeof one);
	sodium_memzero(dh, sizeof dh);
	if (in_len < NOISE_MSG_SIZE)
		goto out;
	if (crypto_scalarmult(dh, server_sk, in) != 0) {
		err = PERR_KEY;
		goto out;
	}
	for (i = 0; i < n_psks; i++) {
		begin(&one, prologue, prologue_len, server_pk, psks[i]);
		mix_e(&one, in);
		mix_key(&one, dh);
		if (decrypt(&one, NULL, in + 32, in_len - 32)) {
			*ns = one;
			found = i;
			any = true;
		}
	}
	if (!any)
		goto out;
	memcpy(ns->re_pk, in, 32);
	if (in_len > NOISE_MSG_SIZE && !decrypt(ns, payload, in + 32, in_len - 32))
		goto out;
	mix_hash(ns, in + 32, in_len - 32);
	*which = found;
	err = PERR_OK;
out:
	if (err != PERR_OK) {
		noise_wipe(ns);
		if (in_len > NOISE_MSG_SIZE)
			sodium_memzero(payload, in_len - NOISE_MSG_SIZE);
	}
	noise_wipe(&one);
	sodium_memzero(dh, sizeof dh);
	return err;
}

enum perr noise_write_2(struct noise *ns, uint8_t *out, const uint8_t *payload,
                        size_t payload_len, struct rng rng)
{
	enum perr err;

	fresh_e(ns, out, rng);
	err = mix_dh(ns, ns->e_sk, ns->re_pk);
	if (err != PERR_OK)
		goto out;
	encrypt_and_hash(ns, out + 32, payload, payload_len);
out:
	if (err != PERR_OK) {
		noise_wipe(ns);
		sodium_memzero(out, payload_len + NOISE_MSG_SIZE);
	}
	return err;
}

enum perr noise_read_2(struct noise *ns, uint8_t *payload, const uint8_t *in, size_t in_len)
{
	enum perr err = PERR_AUTH;

	if (in_len < NOISE_MSG_SIZE)
		goto out;
	memcpy(ns->re_pk, in, 32);
	mix_e(ns, ns->re_pk);
	err = mix_dh(ns, ns->e_sk, ns->re_pk);
	if (err != PERR_OK)
		goto out;
	if (!decrypt(ns, in_len > NOISE_MSG_SIZE ? payload : NULL, in + 32, in_len - 32)) {
		err = PERR_AUTH;
		goto out;
	}
	mix_hash(ns, in + 32, in_len - 32);
out:
	if (err != PERR_OK) {
		noise_wipe(ns);
		if (in_len > NOISE_MSG_SIZE)
			sodium_memzero(payload, in_len - NOISE_MSG_SIZE);
	}
	return err;
}

void noise_split(const struct noise *ns, struct noise_cipher *to_server,
                 struct noise_cipher *to_client, uint8_t hash[NOISE_HASH_SIZE])
{
	uint8_t a[64], b[64];

	hkdf(a, b, NULL, ns->ck, ns->h, 0);
	memcpy(to_server->key, a, NOISE_KEY_SIZE);
	memcpy(to_client->key, b, NOISE_KEY_SIZE);
	to_server->n = 0;
	to_client->n = 0;
	memcpy(hash, ns->h, NOISE_HASH_SIZE);
	sodium_memzero(a, sizeof a);
	sodium_memzero(b, sizeof b);
}

void noise_wipe(struct noise *ns)
{
	sodium_memzero(ns, sizeof *ns);
}

/* Transport (section 5.1). */

static void transport_nonce(uint8_t nonce[12], uint64_t n)
{
	unsigned i;

	memset(nonce, 0, 4);
	for (i = 0; i < 8; i++)
		nonce[4 + i] = (uint8_t)(n >> (8 * i));
}

enum perr noise_encrypt(struct noise_cipher *c, uint8_t *ct, const uint8_t *pt, size_t len)
{
	uint8_t nonce[12];

	if (c->n == UINT64_MAX)
		return PERR_STATE;
	transport_nonce(nonce, c->n);
	crypto_aead_chacha20poly1305_ietf_encrypt(ct, NULL, pt, len, NULL, 0, NULL, nonce,
	                                          c->key);
	c->n++;
	return PERR_OK;
}

enum perr noise_decrypt(struct noise_cipher *c, uint8_t *pt, const uint8_t *ct, size_t ct_len)
{
	uint8_t nonce[12];

	if (ct_len < NOISE_TAG_SIZE)
		return PERR_AUTH;
	if (c->n == UINT64_MAX) {
		sodium_memzero(pt, ct_len - NOISE_TAG_SIZE);
		return PERR_STATE;
	}
	transport_nonce(nonce, c->n);
	if (crypto_aead_chacha20poly1305_ietf_decrypt(pt, NULL, NULL, ct, ct_len, NULL, 0,
	                                              nonce, c->key) != 0) {
		sodium_memzero(pt, ct_len - NOISE_TAG_SIZE);
		return PERR_AUTH;
	}
	c->n++;
	return PERR_OK;
}
