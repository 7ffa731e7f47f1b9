/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * store_page: a bounds-checked, read-only look at an LMDB file (data format 1, as written by
 * 0.9.x on a 64-bit little-endian machine), with pread only.
 *
 * Why not LMDB itself: it trusts its pages.  A flipped bit in a branch or leaf page sends it
 * outside the map or into abort(), and a bad sector under its map is a SIGBUS; a server that
 * dies whenever a reader asks for a rotten segment is worse than one that says so.  So
 *   - every file is walked here before LMDB opens it, and
 *   - segments, which are many and never change, are read through here altogether.
 * Files are written by LMDB only, and mdb_dump reads them.
 */
#ifndef AMPARO_STORE_PAGE_H
#define AMPARO_STORE_PAGE_H

#include <stddef.h>
#include <stdint.h>

#include "perr.h"

#define STORE_PAGE 4096u
#define STORE_PAGE_HDR 16u

struct store_tree {
	uint64_t root;              /* UINT64_MAX: empty */
	uint64_t entries;
	uint16_t depth;
};

struct store_pages {
	int fd;                     /* borrowed */
	uint64_t last_page, size, txnid;
	struct store_tree free_tree, main_tree;
};

/* One entry of a leaf; pointers go into the page. */
struct store_node {
	const uint8_t *key;
	uint32_t key_len, val_len;
	const uint8_t *val;         /* NULL: on overflow pages from `page` on */
	uint64_t page;
};

/*
 * Read the meta pages.  PERR_CORRUPT: not an LMDB file, or it is shorter than it says.
 * PERR_IO, PERR_UNKNOWN (page size).
 */
PERR_MUST_CHECK enum perr store_pages_open(struct store_pages *ps, int fd);

/* Read one leaf and check every length and pointer in it.  n: its entries. */
PERR_MUST_CHECK enum perr store_pages_leaf(const struct store_pages *ps, uint64_t pgno,
                                           uint8_t page[STORE_PAGE], uint32_t *n);

/* The i-th entry of a leaf that store_pages_leaf has checked. */
void store_pages_node(const uint8_t page[STORE_PAGE], uint32_t i, struct store_node *out);

/*
 * Visit every leaf of a tree in key order.  Everything is checked before the callback sees
 * it: page numbers, types, bounds, and that no page is visited twice as often as there are
 * pages.  With is_sorted also that keys rise as byte strings.  The number of entries must be
 * what the meta page says.  An error of the callback ends the walk and is passed on.
 */
PERR_MUST_CHECK enum perr store_pages_walk(const struct store_pages *ps,
                                           const struct store_tree *tree, int is_sorted,
                                           enum perr (*leaf)(void *arg, uint64_t pgno,
                                                             const uint8_t *page, uint32_t n),
                                           void *arg);

/*
 * Check that LMDB may open this file: both trees, and, if values may be freed again, the
 * headers of overflow pages, which LMDB then believes.
 */
PERR_MUST_CHECK enum perr store_pages_check(int fd, int with_overflow);

/* Check the header of an overflow run of n pages. */
int store_pages_is_overflow(const uint8_t hdr[STORE_PAGE_HDR], uint64_t pgno, uint32_t n);

#endif
