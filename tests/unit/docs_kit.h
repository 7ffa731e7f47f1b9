/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * docs_kit: what the tests of documents share: fixed keys, and attacks on any decoder.
 * Their vectors are in docs_vec.h.
 */
#ifndef AMPARO_TEST_DOCS_KIT_H
#define AMPARO_TEST_DOCS_KIT_H

#include <stdlib.h>

#include "doc.h"
#include "hex.h"
#include "rng.h"
#include "signed.h"

/* ---- fixed inputs ------------------------------------------------------------------------ */

/* the signing key whose seed is 32 times this byte */
static inline void kit_key(struct sign_key *k, uint8_t byte)
{
	uint8_t seed[32];

	memset(seed, byte, sizeof seed);
	signed_key_from_seed(k, seed);
}

/* the stream of rng_seeded whose seed is 32 times this byte */
static inline struct rng kit_rng(struct rng_seeded *state, uint8_t byte)
{
	uint8_t seed[32];

	memset(seed, byte, sizeof seed);
	return rng_seeded(state, seed);
}

/* ---- attacks on any decoder -------------------------------------------------------------- */

/* PERR_OK: taken.  What it allocates it must free itself */
typedef enum perr kit_open(const uint8_t *in, size_t len);

/* on a copy of exactly len bytes, so that a sanitizer sees a byte read behind them */
static inline enum perr kit_try(kit_open *open, const uint8_t *in, size_t len)
{
	uint8_t *copy = malloc(len > 0 ? len : 1);
	enum perr err;

	assert_non_null(copy);
	if (len > 0)
		memcpy(copy, in, len);
	err = open(copy, len);
	free(copy);
	return err;
}

static inline void kit_refuses_truncation(kit_open *open, const uint8_t *in, size_t len)
{
	assert_int_equal(kit_try(open, in, len), PERR_OK);
	for (size_t n = 0; n < len; n++)
		if (kit_try(open, in, n) == PERR_OK)
			fail_msg("taken with %zu of %zu bytes", n, len);
}

static inline void kit_refuses_any_flip(kit_open *open, const uint8_t *in, size_t len)
{
	uint8_t *copy = malloc(len);

	assert_non_null(copy);
	memcpy(copy, in, len);
	for (size_t i = 0; i < 8 * len; i++) {
		copy[i / 8] ^= (uint8_t)(1u << i % 8);
		if (kit_try(open, copy, len) == PERR_OK)
			fail_msg("taken with bit %zu flipped", i);
		copy[i / 8] ^= (uint8_t)(1u << i % 8);
	}
	free(copy);
}

static inline void kit_refuses_trailing(kit_open *open, const uint8_t *in, size_t len)
{
	uint8_t *more = malloc(len + 1);

	assert_non_null(more);
	memcpy(more, in, len);
	more[len] = 0xc0;
	assert_int_not_equal(kit_try(open, more, len + 1), PERR_OK);
	free(more);
}

#endif
