/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * tagmap: from 32 bytes (a cell's T, an id) to numbers, in memory; one key may have several.
 *
 * Chains under a keyed hash: the keys are chosen by whoever seals a cell, and many cells of
 * one T must cost only the lookup of that T.  Keys themselves are not kept: two that agree
 * in 64 bits of the hash are taken for one, which nobody can bring about without its key.
 */
#ifndef AMPARO_TAGMAP_H
#define AMPARO_TAGMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "perr.h"

#define TAGMAP_NONE UINT32_MAX
#define TAGMAP_MAX  (UINT32_MAX / 4)     /* entries */

struct tagmap_entry {
	uint64_t hash, value;
	uint32_t next;
};
struct tagmap {
	uint8_t key[16];
	struct tagmap_entry *e;
	uint32_t n, cap;
	uint32_t *buckets;
	uint32_t n_buckets;              /* a power of two */
};

PERR_MUST_CHECK enum perr tagmap_init(struct tagmap *m);
void tagmap_free(struct tagmap *m);
/* room for so many more.  PERR_LIMIT, PERR_NOMEM */
PERR_MUST_CHECK enum perr tagmap_reserve(struct tagmap *m, size_t more);
/* into the room reserved */
void tagmap_add(struct tagmap *m, const uint8_t tag[32], uint64_t value);
/* index of an entry of this key, then of the next; TAGMAP_NONE: no more */
uint32_t tagmap_first(const struct tagmap *m, const uint8_t tag[32]);
uint32_t tagmap_next(const struct tagmap *m, uint32_t at);
static inline bool tagmap_has(const struct tagmap *m, const uint8_t tag[32])
{
	return tagmap_first(m, tag) != TAGMAP_NONE;
}
static inline uint64_t tagmap_value(const struct tagmap *m, uint32_t at)
{
	return m->e[at].value;
}
/* keep only the entries for which keep() is true; indices change */
void tagmap_filter(struct tagmap *m, bool (*keep)(void *arg, uint64_t value), void *arg);

#endif
