/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * spool: the cells pulled lately, as the server holds them.
 *
 * A statement names its attachments by a key; the chunks' tags follow from that key, so
 * they can be found only once the statement was opened.  Segments come in the order of
 * ids, and chunks may lie in an earlier release than their statement: so whole releases
 * are kept for some days and looked through by T.
 *
 * What it tells a raid.  ALL pulled cells are appended, as ciphertext, own ones too, in the
 * order in which every reader pulls them: the files say which days' cells this device
 * pulled and how many the server had (what a raid on the server finds as well), and when it
 * last synced; not which are its own.  They open for nobody without the keys in the vault,
 * but they do outlive an erasure on the server by the days below.  So: a day's file is
 * unlinked SPOOL_DAYS after its day once no attachment is missing, after SPOOL_DAYS_MAX in
 * any case, and earlier if all of them exceed SPOOL_BYTES_MAX (oldest first).  Nothing is
 * overwritten before unlinking: it was never more than ciphertext.
 *
 * It is a cache: losing it, or a torn end after a power cut, costs a rescan, no record.
 * Nothing in it is trusted; a chunk counts only when its seal and the blob's hash are right.
 *
 * Storage is behind struct spool_store: files (spool_dir.h), memory (here), a browser's own.
 */
#ifndef AMPARO_SPOOL_H
#define AMPARO_SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cell.h"
#include "perr.h"

#define SPOOL_DAYS      3
#define SPOOL_DAYS_MAX  14
#define SPOOL_BYTES_MAX ((uint64_t)2 << 30)

/* whole cells of one day, appended and read by position */
struct spool_store {
	/* the days that have cells, in any order; at most max, *n says how many */
	enum perr (*days)(struct spool_store *s, uint32_t *days, size_t max, size_t *n);
	/* how many whole cells this day has */
	enum perr (*count)(struct spool_store *s, uint32_t day, uint32_t *n);
	/* append behind the last whole cell; need not be durable */
	enum perr (*append)(struct spool_store *s, uint32_t day, const uint8_t *cells, size_t n);
	/* only E and T of n cells from a position: n * CELL_HEAD_SIZE bytes */
	enum perr (*heads)(struct spool_store *s, uint32_t day, uint32_t from, uint32_t n,
	                   uint8_t *heads);
	enum perr (*read)(struct spool_store *s, uint32_t day, uint32_t at,
	                  uint8_t cell[CELL_SIZE]);
	enum perr (*drop)(struct spool_store *s, uint32_t day);
	void (*free)(struct spool_store *s);
};

/* in memory, for tests and small devices; NULL: no memory */
struct spool_store *spool_mem_new(void);

struct spool;

/*
 * Read what is there and index it by T.  The store belongs to the spool from here on, also
 * after an error (it is freed then).
 */
PERR_MUST_CHECK enum perr spool_open(struct spool **out, struct spool_store *store);
void spool_free(struct spool *s);
/*
 * Hold at most so many bytes, also while cells are added: the oldest days go first, the day of
 * now last.  For a store in memory; without it the bound is kept by spool_tidy alone.
 */
void spool_bound(struct spool *s, uint64_t bytes);

/* Keep n cells of this day.  A cell already there is kept twice; that is harmless. */
PERR_MUST_CHECK enum perr spool_add(struct spool *s, uint32_t day, const uint8_t *cells,
                                   size_t n);
bool spool_has(const struct spool *s, const uint8_t tag[CELL_TAG_SIZE]);
/*
 * The nth cell (from 0) with this T: anybody may seal a cell with a T that was seen, so
 * the caller tries one after the other.  PERR_NOTFOUND: no more.
 */
PERR_MUST_CHECK enum perr spool_find(struct spool *s, const uint8_t tag[CELL_TAG_SIZE],
                                    unsigned nth, uint8_t cell[CELL_SIZE]);
uint64_t spool_cells(const struct spool *s);
/* Drop what the rules above allow.  is_wanted: attachments are still missing. */
PERR_MUST_CHECK enum perr spool_tidy(struct spool *s, uint32_t today, bool is_wanted);
/* Drop everything. */
PERR_MUST_CHECK enum perr spool_clear(struct spool *s);

#endif
