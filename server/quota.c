/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "quota.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define MICRO     1000000u
#define MINUTE_MS 60000u
#define HOUR_MS   3600000u

/* ---- an allowance that refills ----------------------------------------------------------- */

static uint64_t used_now(const struct quota_bucket *b, uint32_t per_minute, uint64_t now_ms)
{
	uint64_t gone = now_ms > b->at_ms ? now_ms - b->at_ms : 0;
	uint64_t back;

	if (gone > 60 * MINUTE_MS)
		return 0;        /* an hour refills anything, and keeps the product small */
	back = gone * per_minute * (MICRO / 1000) / (MINUTE_MS / 1000);
	return back >= b->used_micro ? 0 : b->used_micro - back;
}

bool quota_take(struct quota_bucket *b, uint32_t per_minute, uint32_t burst, uint64_t now_ms)
{
	if (per_minute == 0)
		return true;
	b->used_micro = used_now(b, per_minute, now_ms);
	b->at_ms = now_ms;
	if (b->used_micro + MICRO > (uint64_t)burst * MICRO)
		return false;
	b->used_micro += MICRO;
	return true;
}

bool quota_is_full(const struct quota_bucket *b, uint32_t per_minute, uint64_t now_ms)
{
	return per_minute == 0 || used_now(b, per_minute, now_ms) == 0;
}

/* ---- sources ----------------------------------------------------------------------------- */

struct quota_source {
	uint64_t hash;                   /* 0 = free */
	uint32_t connections;
	uint32_t per_minute;             /* as last asked, to know when it is whole again */
	struct quota_bucket opened;
};

struct quota_sources {
	uint8_t *key;                    /* the caller's */
	size_t n_slots;                  /* a power of two */
	struct quota_source *slots;
};

_Static_assert(crypto_shorthash_KEYBYTES == QUOTA_KEY, "a key of the hash");

/* how far from its place an entry may lie: bounds what a crafted crowd can cost */
#define PROBES 32

enum perr quota_sources_new(struct quota_sources **out, size_t max,
                            uint8_t key[QUOTA_KEY], struct rng rng)
{
	struct quota_sources *s = calloc(1, sizeof *s);

	*out = NULL;
	if (s == NULL)
		return PERR_NOMEM;
	s->n_slots = 64;
	while (s->n_slots < 2 * max)
		s->n_slots *= 2;
	s->slots = calloc(s->n_slots, sizeof *s->slots);
	if (s->slots == NULL) {
		free(s);
		return PERR_NOMEM;
	}
	s->key = key;
	rng_fill(rng, s->key, QUOTA_KEY);
	*out = s;
	return PERR_OK;
}

void quota_sources_free(struct quota_sources *s)
{
	if (s == NULL)
		return;
	sodium_memzero(s->slots, s->n_slots * sizeof *s->slots);
	free(s->slots);
	sodium_memzero(s->key, QUOTA_KEY);
	free(s);
}

static uint64_t hash_of(const struct quota_sources *s, const uint8_t *addr, size_t len)
{
	uint8_t hash[crypto_shorthash_BYTES], in[8] = { 0 };
	uint64_t v;

	/* IPv6 hands every subscriber a /64: more bits would be a limit for nobody */
	memcpy(in, addr, len < sizeof in ? len : sizeof in);
	crypto_shorthash(hash, in, sizeof in, s->key);
	memcpy(&v, hash, sizeof v);
	return v == 0 ? 1 : v;
}

/* the entry of v, or one that may be taken for it; NULL: all in reach are in use */
static struct quota_source *find(struct quota_sources *s, uint64_t v, uint64_t now_ms)
{
	struct quota_source *spare = NULL;
	size_t i;

	for (i = 0; i < PROBES; i++) {
		struct quota_source *e = &s->slots[((size_t)v + i) & (s->n_slots - 1)];

		if (e->hash == v)
			return e;
		if (spare == NULL && (e->hash == 0 || (e->connections == 0 &&
		                      quota_is_full(&e->opened, e->per_minute, now_ms))))
			spare = e;
	}
	if (spare != NULL) {
		memset(spare, 0, sizeof *spare);
		spare->hash = v;
	}
	return spare;
}

bool quota_source_enter(struct quota_sources *s, struct quota_source **out,
                         const uint8_t *addr, size_t addr_len, uint32_t max_connections,
                         uint32_t per_minute, uint64_t now_ms)
{
	struct quota_source *e = find(s, hash_of(s, addr, addr_len), now_ms);

	*out = NULL;
	if (e == NULL)
		return true;     /* too many sources to tell apart: the connection limit holds */
	e->per_minute = per_minute;
	if (max_connections != 0 && e->connections >= max_connections)
		return false;
	/* a client opens a few connections at once and then none for long */
	if (!quota_take(&e->opened, per_minute, per_minute, now_ms))
		return false;
	e->connections++;
	*out = e;
	return true;
}

uint64_t quota_source_tag(const struct quota_source *src)
{
	return src == NULL ? 0 : src->hash;
}

void quota_source_leave(struct quota_sources *s, struct quota_source *src)
{
	(void)s;
	if (src != NULL && src->connections > 0)
		src->connections--;
}

/* ---- scopes ------------------------------------------------------------------------------ */

enum quota_verdict quota_count(struct quota_meter *m, uint32_t per_hour, size_t n,
                                 uint64_t now_ms)
{
	uint64_t hour = now_ms / HOUR_MS;

	if (hour != m->hour) {
		m->hour = hour;
		m->cells = 0;
		m->told = false;
	}
	m->cells += n;
	if (per_hour == 0 || m->cells <= per_hour)
		return QUOTA_FINE;
	if (m->told)
		return QUOTA_SLOW;
	m->told = true;
	return QUOTA_SLOW_AND_TELL;
}
