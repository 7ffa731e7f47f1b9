/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * digest: BLAKE2b over what each of libsodium's primitives that Amparo uses answers to 64
 * fixed inputs.  The native library and the one in the page must agree.
 */
#ifndef AMPARO_WEB_DIGEST_H
#define AMPARO_WEB_DIGEST_H

#include <sodium.h>
#include <string.h>

static void sodium_digest(uint8_t out[32])
{
	crypto_generichash_state all;
	uint8_t seed[32] = { 0 }, in[1024], buf[2048], pk[64], sk[64], x[64];
	unsigned long long len;

	crypto_generichash_init(&all, NULL, 0, 32);
	for (unsigned i = 0; i < 64; i++) {
		size_t n = 16 * i;

		seed[0] = (uint8_t)i;
		randombytes_buf_deterministic(in, sizeof in, seed);
		crypto_hash_sha256(x, in, n);
		crypto_generichash_update(&all, x, 32);
		crypto_hash_sha512(x, in, n);
		crypto_generichash_update(&all, x, 64);
		crypto_auth_hmacsha512(x, in, n, seed);
		crypto_generichash_update(&all, x, 64);
		crypto_sign_seed_keypair(pk, sk, seed);
		crypto_sign_detached(x, &len, in, n, sk);
		crypto_generichash_update(&all, x, 64);
		crypto_scalarmult_base(x, in);
		crypto_generichash_update(&all, x, 32);
		if (crypto_scalarmult(x, seed, pk) == 0)
			crypto_generichash_update(&all, x, 32);
		crypto_aead_chacha20poly1305_ietf_encrypt(buf, &len, in, n, in, 12, NULL, in, seed);
		crypto_generichash_update(&all, buf, len);
		crypto_aead_xchacha20poly1305_ietf_encrypt(buf, &len, in, n, in, 12, NULL, in, seed);
		crypto_generichash_update(&all, buf, len);
		crypto_kdf_derive_from_key(x, 32, i, "vectors_", seed);
		crypto_generichash_update(&all, x, 32);
		crypto_shorthash(x, in, n, seed);
		crypto_generichash_update(&all, x, 8);
		if (i < 2 && crypto_pwhash(x, 32, (const char *)in, 16, in, 2, 1 << 20,
		                           crypto_pwhash_ALG_ARGON2ID13) == 0)
			crypto_generichash_update(&all, x, 32);
	}
	crypto_generichash_final(&all, out, 32);
}

#endif
