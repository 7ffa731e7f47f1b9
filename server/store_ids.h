/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * store_ids: which ids are there, and where.  A hash table in memory, 16 bytes a slot: 96 bits
 * of a SipHash of the id under a key drawn at start, and a u32 saying where the cell is.
 *
 * Senders choose ids (they can try many cells), so slots come from a keyed hash: nobody can
 * aim at one chain.  Two different ids are taken for one with a chance of n^2 / 2^97: for
 * a million cells less than one in 10^17, and it cannot be aimed at either.
 *
 * At most 3/4 full, doubled when needed: 21 to 43 bytes per id.  One thread.
 */
#ifndef AMPARO_STORE_IDS_H
#define AMPARO_STORE_IDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "perr.h"

struct store_ids;

struct store_ids *store_ids_new(void);          /* NULL: no memory */
void store_ids_free(struct store_ids *set);     /* NULL is harmless */
size_t store_ids_count(const struct store_ids *set);

/* where: may be NULL. */
bool store_ids_get(const struct store_ids *set, const uint8_t id[32], uint32_t *where);

/* Add, or change where.  PERR_NOMEM: not added. */
PERR_MUST_CHECK enum perr store_ids_put(struct store_ids *set, const uint8_t id[32],
                                        uint32_t where);

/* Add if it is not there; PERR_EXISTS: it is, unchanged.  PERR_NOMEM: not added. */
PERR_MUST_CHECK enum perr store_ids_add(struct store_ids *set, const uint8_t id[32],
                                        uint32_t where);

void store_ids_del(struct store_ids *set, const uint8_t id[32]);

/* Visit every entry; keep() may change *where and says whether the entry stays. */
void store_ids_filter(struct store_ids *set, bool (*keep)(void *arg, uint32_t *where),
                      void *arg);

#endif
