/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * decoys: cells that say nothing, so that the number of cells says little.  PROTOCOL 3.7.
 *
 * TOPPING UP.  An upload is all submissions of which no cell went to any server yet.
 * Before its first cell is put, it is topped up with decoys to one of a few sizes and mixed
 * (outbox.h).  A server, which sees how many cells a connection puts, learns the size
 * class; whoever opens the device learns no more than what waits.  What was left of an
 * earlier upload by a cut is sent as it is: the same cells again, decoys among them.
 *
 * THE DAY'S DECOYS.  The staff body may name a number of decoys for a day (settings of the
 * organisation).  Attorneys' clients share it.  For each of them they fall due in bursts at
 * random moments, the number of a whole day being geometric: however many decoys somebody
 * sees, the next one is as likely as before.  Due ones go with the next sync's upload, real
 * or not, and are topped up with it.
 *
 * They are sealed before a connection is opened: sealing takes time, and a server that
 * watched a pause between two requests would read the number off it.  (In the visit only:
 * those of a queue longer than the largest size, from its second upload on.)
 *
 * In the store: decoys, while a target is set: until when they were drawn, how many are due.
 */
#ifndef AMPARO_DECOYS_H
#define AMPARO_DECOYS_H

#include <stddef.h>
#include <stdint.h>

#include "client.h"
#include "perr.h"

#define DECOYS_LARGEST  18432    /* the largest size; a longer queue is several uploads */
#define DECOYS_DAYS_MAX 7        /* what a member who was away longer makes good */

/*
 * The size of an upload of n cells (n < OUTBOX_GROUP_MAX): 0 for none, else the first that
 * is at least n of 18, 72, 144, 288, 576, 1152, 4608, 18432; above that a multiple of 18432,
 * or the 65535 that a group holds.
 */
uint32_t decoys_size(uint32_t n);

/*
 * How many decoys fall due within so many days, when mean are expected in one.  A process
 * without memory: halves of a day added are a day.
 * mean, days  in: not negative.  At most DECOYS_LARGEST are returned.
 */
uint32_t decoys_draw(struct rng rng, double mean, double days);

struct decoys {
	uint8_t *cells;          /* n × CELL_SIZE */
	size_t n;
	uint32_t due;            /* of them: the day's, before topping up */
};

/*
 * Seal what the upload of now will need, and note what fell due.  One batch, or none.
 * d  out: decoys_free it, also after an error
 */
PERR_MUST_CHECK enum perr decoys_make(struct client *c, struct decoys *d);
/*
 * Top up and mix what is fresh, with d's decoys (more are sealed if more became fresh since).
 * One batch, or none.  Uses d up.
 */
PERR_MUST_CHECK enum perr decoys_mix(struct client *c, struct decoys *d);
void decoys_free(struct decoys *d);

#endif
