/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * store_pool: cells that wait for the next release.  An LMDB file, u64 arrival number (big
 * endian) ‖ id → cell, only ever appended to, one transaction a batch.  The id stands in the
 * key so that a rotten cell is noticed, and so that starting needs no hashing.
 *
 * Each pool has a serial number; the state records the last one released.  That decides after
 * a kill whether an old pool's cells are in a segment already.
 *
 * The file is written with zeros ahead of its use: a commit then changes neither length nor
 * allocation, and what is overwritten later are the same blocks.
 */
#ifndef AMPARO_STORE_POOL_H
#define AMPARO_STORE_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "perr.h"
#include "store.h"
#include "store_seg.h"

struct MDB_env;

struct store_pool {
	struct MDB_env *env;    /* NULL: closed */
	unsigned dbi;
	uint64_t serial;
	uint64_t count;         /* cells */
	uint64_t next;          /* arrival number of the next one */
	uint64_t map_bytes, max_bytes;
	/* by id, of all cells when it was last asked for: store_pool_find */
	struct store_seg_item *index;
	size_t n_index;
};

/* Make a new pool file, zeros included, synced and closed. */
PERR_MUST_CHECK enum perr store_pool_create(const char *path, uint64_t serial,
                                            uint64_t prewrite_bytes);

PERR_MUST_CHECK enum perr store_pool_open(struct store_pool *pool, const char *path,
                                          uint64_t max_bytes);
void store_pool_close(struct store_pool *pool);

/* Bytes a pool of n cells takes, never less than it does. */
uint64_t store_pool_bytes(uint64_t n);

/*
 * Add n cells in one commit.  PERR_FULL: max_bytes reached, nothing added, the pool is as
 * before.  Anything else but PERR_OK: whether they are there is unknown; the store is dead.
 */
PERR_MUST_CHECK enum perr store_pool_append(struct store_pool *pool,
                                            struct store_cell *const *cells, size_t n);

/* Write up to `step` zeros so that `ahead` bytes behind the last page are allocated. */
PERR_MUST_CHECK enum perr store_pool_prewrite(struct store_pool *pool, uint64_t ahead,
                                              uint64_t step, bool *has_more);

/*
 * All cells in order of arrival; where = page of the cell.  items: malloc'd, the caller frees;
 * read with pread, so a bad sector is an error and not a signal.
 */
PERR_MUST_CHECK enum perr store_pool_items(const struct store_pool *pool,
                                           struct store_seg_item **items, size_t *n);

/*
 * The item of one id.  The first one after an append reads the tree, the others look it up
 * in memory (40 bytes a cell until the pool is closed): erasures name cells of the pool by the
 * thousand.  PERR_NOTFOUND, else as store_pool_items.
 */
PERR_MUST_CHECK enum perr store_pool_find(struct store_pool *pool, const uint8_t id[STORE_ID],
                                          struct store_seg_item *item);

/* Read the cell of an item and hash it.  PERR_CORRUPT: it has rotted. */
PERR_MUST_CHECK enum perr store_pool_cell(const struct store_pool *pool,
                                          const struct store_seg_item *item,
                                          uint8_t cell[STORE_CELL]);

#endif
