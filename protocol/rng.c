/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "rng.h"

#include <sodium.h>
#include <string.h>

static void fill_system(void *ctx, uint8_t *out, size_t len)
{
	(void)ctx;
	randombytes_buf(out, len);
}

struct rng rng_system(void)
{
	return (struct rng){ .fill = fill_system, .ctx = NULL };
}

/*
 * Byte n of the stream is the same however the draws before it were cut, so a vector says
 * which bytes it uses and not by how many calls.
 */
static void fill_seeded(void *ctx, uint8_t *out, size_t len)
{
	static const uint8_t nonce[crypto_stream_chacha20_NONCEBYTES] = { 0 };
	struct rng_seeded *st = ctx;

	while (len > 0) {
		uint8_t block[64] = { 0 };
		size_t skip = (size_t)(st->drawn % sizeof block);
		size_t take = sizeof block - skip < len ? sizeof block - skip : len;

		crypto_stream_chacha20_xor_ic(block, block, sizeof block, nonce,
		                              st->drawn / sizeof block, st->seed);
		memcpy(out, block + skip, take);
		sodium_memzero(block, sizeof block);
		st->drawn += take;
		out += take;
		len -= take;
	}
}

struct rng rng_seeded(struct rng_seeded *state, const uint8_t seed[32])
{
	memcpy(state->seed, seed, sizeof state->seed);
	state->drawn = 0;
	return (struct rng){ .fill = fill_seeded, .ctx = state };
}
