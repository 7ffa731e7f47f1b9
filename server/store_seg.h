/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * store_seg: one file of released cells.  An LMDB file, id → cell, written in id order in one
 * transaction with a map size that follows from the count: so its bytes are a function of the
 * set of cells alone.  LMDB with rising keys fills leaves completely, takes pages in order and
 * leaves none free; the file's only other fields are the count of pages and transaction 1.
 *
 * A cell's position is its index in id order.
 */
#ifndef AMPARO_STORE_SEG_H
#define AMPARO_STORE_SEG_H

#include <stdint.h>

#include "perr.h"
#include "store.h"

/* ---- writing ---- */

/* One cell to be written; where is the builder's caller's own. */
struct store_seg_item {
	uint8_t id[STORE_ID];
	uint64_t where;
};

/* Sort by id. */
void store_seg_sort(struct store_seg_item *items, size_t n);

/* BLAKE2b-256 over the ids, in this order. */
void store_seg_digest(const struct store_seg_item *items, size_t n, uint8_t digest[STORE_ID]);

/* Bytes of disk a segment of n cells may take; never less than it does. */
uint64_t store_seg_bytes(uint64_t n);

/*
 * Write n >= 1 sorted, distinct items to the new file `path` and sync it.  fetch() lends each
 * cell until its next call; an error from it ends the build.  After an error a file may be
 * left behind, to be retired.
 */
PERR_MUST_CHECK enum perr store_seg_build(const char *path, const struct store_seg_item *items,
                                          size_t n,
                                          enum perr (*fetch)(void *arg,
                                                             const struct store_seg_item *item,
                                                             const uint8_t **cell),
                                          void *arg);

/* ---- reading ---- */

struct store_seg;

/*
 * Open and walk a segment: all ids in order, each entry STORE_CELL long.
 *
 * dfd, name  in: where it is
 * each       in: if not NULL called with every id in order; an error ends the opening
 *
 * PERR_CORRUPT: its tree is damaged.  Cells are checked when they are read.  The result may
 * be read by any number of threads at once.
 */
PERR_MUST_CHECK enum perr store_seg_open(struct store_seg **out, int dfd, const char *name,
                                         enum perr (*each)(void *arg, uint32_t pos,
                                                           const uint8_t *id),
                                         void *arg);
void store_seg_close(struct store_seg *seg);    /* NULL is harmless */

uint32_t store_seg_count(const struct store_seg *seg);
const uint8_t *store_seg_ids_digest(const struct store_seg *seg);

/*
 * Copy n cells at the given positions (each < count; rising runs are read in one go) and check
 * each: by its hash the first time since the opening, later by a keyed checksum of what hashed
 * right.  A damaged cell is zeroed, the others are there: PERR_CORRUPT.
 */
PERR_MUST_CHECK enum perr store_seg_read(const struct store_seg *seg, const uint32_t *positions,
                                         uint32_t n, uint8_t *cells);

/* Position of an id.  PERR_NOTFOUND. */
PERR_MUST_CHECK enum perr store_seg_find(const struct store_seg *seg,
                                         const uint8_t id[STORE_ID], uint32_t *pos);

#endif
