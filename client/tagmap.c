/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "tagmap.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(crypto_shorthash_KEYBYTES == 16, "tagmap: key of the hash");

static uint64_t hash_of(const struct tagmap *m, const uint8_t tag[32])
{
	uint8_t out[crypto_shorthash_BYTES];
	uint64_t h;

	crypto_shorthash(out, tag, 32, m->key);
	memcpy(&h, out, sizeof h);
	return h;
}

static void chain(struct tagmap *m, uint32_t i)
{
	uint32_t *b = &m->buckets[m->e[i].hash & (m->n_buckets - 1)];

	m->e[i].next = *b;
	*b = i;
}

static void chain_all(struct tagmap *m)
{
	uint32_t i;

	memset(m->buckets, 0xff, (size_t)m->n_buckets * sizeof *m->buckets);
	for (i = 0; i < m->n; i++)
		chain(m, i);
}

enum perr tagmap_init(struct tagmap *m)
{
	memset(m, 0, sizeof *m);
	crypto_shorthash_keygen(m->key);
	return tagmap_reserve(m, 1);
}

void tagmap_free(struct tagmap *m)
{
	free(m->e);
	free(m->buckets);
	memset(m, 0, sizeof *m);
}

enum perr tagmap_reserve(struct tagmap *m, size_t more)
{
	size_t cap = m->cap == 0 ? 1024 : m->cap;
	struct tagmap_entry *e;
	uint32_t *b;

	if (more > TAGMAP_MAX - m->n)
		return PERR_LIMIT;
	while (cap < m->n + more)
		cap *= 2;
	if (cap == m->cap)
		return PERR_OK;
	e = realloc(m->e, cap * sizeof *e);
	if (e == NULL)
		return PERR_NOMEM;
	m->e = e;
	b = malloc(cap * sizeof *b);
	if (b == NULL)
		return PERR_NOMEM;
	free(m->buckets);
	m->buckets = b;
	m->cap = m->n_buckets = (uint32_t)cap;
	chain_all(m);
	return PERR_OK;
}

void tagmap_add(struct tagmap *m, const uint8_t tag[32], uint64_t value)
{
	m->e[m->n].hash = hash_of(m, tag);
	m->e[m->n].value = value;
	chain(m, m->n);
	m->n++;
}

static uint32_t match(const struct tagmap *m, uint64_t hash, uint32_t i)
{
	while (i != TAGMAP_NONE && m->e[i].hash != hash)
		i = m->e[i].next;
	return i;
}

uint32_t tagmap_first(const struct tagmap *m, const uint8_t tag[32])
{
	uint64_t hash = hash_of(m, tag);

	return match(m, hash, m->buckets[hash & (m->n_buckets - 1)]);
}

uint32_t tagmap_next(const struct tagmap *m, uint32_t at)
{
	return match(m, m->e[at].hash, m->e[at].next);
}

void tagmap_filter(struct tagmap *m, bool (*keep)(void *arg, uint64_t value), void *arg)
{
	uint32_t i, n = 0;

	for (i = 0; i < m->n; i++)
		if (keep(arg, m->e[i].value))
			m->e[n++] = m->e[i];
	m->n = n;
	chain_all(m);
}
