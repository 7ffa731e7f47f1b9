/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * scrub: `amparod check`.  Reads every byte that is alive and says what is damaged.  LMDB has
 * no checksums, so this is the only place that sees a rotten sector before a reader does.
 *
 * Checked: every record of the state against its checksum; every cell of pool and segments
 * against its id; counts and digests against the list; each segment byte for byte against one
 * built anew from its cells (so nothing hides in unused bytes of a page); bulletin parts
 * against their hash; and that no file is there that does not belong.
 */
#ifndef AMPARO_SCRUB_H
#define AMPARO_SCRUB_H

#include <stdint.h>

#include "perr.h"

enum scrub_kind {
	SCRUB_STATE,         /* state.mdb or a record in it */
	SCRUB_POOL,          /* pool.mdb */
	SCRUB_CELL,          /* a cell does not have its id */
	SCRUB_SEGMENT,       /* a segment is missing, unreadable or differs from the list */
	SCRUB_NOT_CANONICAL, /* cells are right, the file's other bytes are not */
	SCRUB_PART,          /* a bulletin part is missing or damaged */
	SCRUB_STRAY          /* a file that does not belong there */
};

struct scrub_finding {
	enum scrub_kind kind;
	char file[80];       /* relative to the folder, or "" */
	uint32_t position;   /* SCRUB_CELL in a segment; else 0 */
	const char *text;    /* static clause; no id in it */
};

struct scrub_totals {
	uint64_t files, cells, bytes;
	uint64_t findings;
};

/*
 * Check the folder `dir`, which no process may have open.
 *
 * found    in: called for each finding, before the next thing is looked at
 * totals   out
 *
 * PERR_OK: nothing found.  PERR_CORRUPT: something was.  PERR_NOTFOUND: no store there.
 * PERR_STATE: in use.  PERR_NOMEM, PERR_FULL, PERR_IO: it could not be finished.  A half-done
 * release is finished or dropped first, as by store_open.  Building a segment anew takes a
 * temporary file of its size beside it, one at a time, overwritten afterwards.
 */
PERR_MUST_CHECK enum perr scrub(const char *dir,
                                void (*found)(void *arg, const struct scrub_finding *f),
                                void *arg, struct scrub_totals *totals);

#endif
