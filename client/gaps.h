/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * gaps: statements towards a desk whose numbers say that they were made, and that are not
 * here.  DESIGN 6: "A desk's holders see gaps and repeats, and rescan with all keys before
 * they report one".
 *
 * A gap is first only noted; a day later the servers are looked through once more with all
 * keys (fetch.c); what is missing after that is reported: a server withholds it, or it was
 * lost before two servers had it.
 *
 * In the store: gaps, what was missing at the last look and since when.
 */
#ifndef AMPARO_GAPS_H
#define AMPARO_GAPS_H

#include <stdbool.h>
#include <stdint.h>

#include "client.h"
#include "perr.h"
#include "record_gaps.h"

/*
 * Look at the numbers again, after a sync.  A gap that is new, or larger, counts from today.
 * One batch of the store, or none.  Does nothing for those who hold no desk.
 */
PERR_MUST_CHECK enum perr gaps_look(struct client *c);

/* The day since which the gaps of the last look are there; 0: there are none. */
PERR_MUST_CHECK enum perr gaps_since(struct client *c, uint32_t *day);

struct gaps_report {
	struct record_gap gap;
	uint32_t since;                  /* day */
	bool searched;                   /* every server was looked through since, in vain */
};
typedef enum perr gaps_fn(void *arg, const struct gaps_report *r);
/* the gaps and repeats of now, with their authors.  PERR_NOMEM, PERR_CORRUPT, PERR_IO */
PERR_MUST_CHECK enum perr gaps_each(struct client *c, gaps_fn *fn, void *arg);

#endif
