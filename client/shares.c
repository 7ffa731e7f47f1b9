/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "shares.h"

#include <libgfshare.h>
#include <sodium.h>
#include <string.h>

static void fill(unsigned char *buf, unsigned int len)
{
	randombytes_buf(buf, len);
}

/*
 * The library calls this pointer for the coefficients of a split, and again when it gives any
 * context back, to overwrite what it held: it must be set before either.
 */
static void use_our_randomness(void)
{
	gfshare_fill_rand = fill;
}

static bool are_numbers(const uint8_t *index, unsigned n)
{
	/* the share of number 0 would be the seed itself; twice the same divides by zero */
	for (unsigned i = 0; i < n; i++) {
		if (index[i] < 1 || index[i] > PAPER_SHARES_MAX)
			return false;
		for (unsigned j = 0; j < i; j++)
			if (index[j] == index[i])
				return false;
	}
	return true;
}

enum perr shares_split(uint8_t (*shares)[PAPER_SEED_SIZE], const uint8_t seed[PAPER_SEED_SIZE],
                       unsigned need, unsigned of)
{
	uint8_t index[PAPER_SHARES_MAX], copy[PAPER_SEED_SIZE];
	gfshare_ctx *g;

	if (need < 2 || need > of || of > PAPER_SHARES_MAX)
		return PERR_RANGE;
	for (unsigned i = 0; i < of; i++)
		index[i] = (uint8_t)(i + 1);
	use_our_randomness();
	g = gfshare_ctx_init_enc(index, of, (unsigned char)need, PAPER_SEED_SIZE);
	if (g == NULL)
		return PERR_NOMEM;
	memcpy(copy, seed, sizeof copy);
	gfshare_ctx_enc_setsecret(g, copy);
	for (unsigned i = 0; i < of; i++)
		gfshare_ctx_enc_getshare(g, (unsigned char)i, shares[i]);
	gfshare_ctx_free(g);
	sodium_memzero(copy, sizeof copy);
	return PERR_OK;
}

enum perr shares_join(uint8_t seed[PAPER_SEED_SIZE], const uint8_t (*shares)[PAPER_SEED_SIZE],
                      const uint8_t *index, unsigned n)
{
	uint8_t numbers[PAPER_SHARES_MAX], copy[PAPER_SEED_SIZE];
	gfshare_ctx *g;

	sodium_memzero(seed, PAPER_SEED_SIZE);
	if (n < 2 || n > PAPER_SHARES_MAX || !are_numbers(index, n))
		return PERR_RANGE;
	memcpy(numbers, index, n);
	use_our_randomness();
	g = gfshare_ctx_init_dec(numbers, n, PAPER_SEED_SIZE);
	if (g == NULL)
		return PERR_NOMEM;
	for (unsigned i = 0; i < n; i++) {
		memcpy(copy, shares[i], sizeof copy);
		gfshare_ctx_dec_giveshare(g, (unsigned char)i, copy);
	}
	gfshare_ctx_dec_extract(g, seed);
	gfshare_ctx_free(g);
	sodium_memzero(copy, sizeof copy);
	return PERR_OK;
}
