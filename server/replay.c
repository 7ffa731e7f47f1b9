/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "replay.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS 65536u             /* a power of two, well above REPLAY_GENERATION */

_Static_assert(REPLAY_GENERATION < SLOTS * 4 / 5, "probing stays short");
_Static_assert(crypto_shorthash_KEYBYTES == REPLAY_KEY, "a key of the hash");
_Static_assert(crypto_shorthash_BYTES == 8, "an entry is one hash");

struct replay {
	uint8_t *key;
	uint64_t *young, *old;   /* 0 = free */
	size_t n_young;
};

enum perr replay_new(struct replay **out, uint8_t key[REPLAY_KEY], struct rng rng)
{
	struct replay *r = calloc(1, sizeof *r);

	*out = NULL;
	if (r == NULL)
		return PERR_NOMEM;
	r->young = calloc(SLOTS, sizeof *r->young);
	r->old = calloc(SLOTS, sizeof *r->old);
	if (r->young == NULL || r->old == NULL) {
		replay_free(r);
		return PERR_NOMEM;
	}
	r->key = key;
	rng_fill(rng, r->key, REPLAY_KEY);
	*out = r;
	return PERR_OK;
}

void replay_free(struct replay *r)
{
	if (r == NULL)
		return;
	if (r->young != NULL)
		sodium_memzero(r->young, SLOTS * sizeof *r->young);
	if (r->old != NULL)
		sodium_memzero(r->old, SLOTS * sizeof *r->old);
	free(r->young);
	free(r->old);
	if (r->key != NULL)
		sodium_memzero(r->key, REPLAY_KEY);
	free(r);
}

/* the slot that holds v, or the free one where it belongs */
static uint64_t *slot(uint64_t *table, uint64_t v)
{
	size_t i = (size_t)v & (SLOTS - 1);

	while (table[i] != 0 && table[i] != v)
		i = (i + 1) & (SLOTS - 1);
	return &table[i];
}

bool replay_seen(struct replay *r, const uint8_t e[32])
{
	uint8_t hash[crypto_shorthash_BYTES];
	uint64_t v, *at;

	crypto_shorthash(hash, e, 32, r->key);
	memcpy(&v, hash, sizeof v);
	if (v == 0)
		v = 1;
	if (*slot(r->old, v) == v)
		return true;
	at = slot(r->young, v);
	if (*at == v)
		return true;
	if (r->n_young == REPLAY_GENERATION) {
		uint64_t *t = r->old;

		memset(t, 0, SLOTS * sizeof *t);
		r->old = r->young;
		r->young = t;
		r->n_young = 0;
		at = slot(r->young, v);
	}
	*at = v;
	r->n_young++;
	return false;
}
