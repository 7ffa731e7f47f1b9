/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * reseal: seal to a co-holder what her vault lacks: the original envelopes, attachments as
 * fresh chunks.  PROTOCOL 4.4.
 *
 * Not everybody does it at once: of those who hold a statement one is first, and the others
 * take over three days apart.  Nothing is sealed whose own cell may still be on its way.
 *
 * What is in one vault only after half of the retention is sealed anew to co-holders who have
 * been silent since it came, and again after another half, for half a year: whoever is away
 * for months finds it on the servers all the same.
 *
 * A vault that lost everything is filled over some days: so many cells a day, the newest
 * statements first.
 *
 * In the store: reseal/<desk, 8 bytes hex>/<co-holder, 8 bytes hex>/<hash, 20 bytes hex>:
 * u32 day on which the lack was seen ‖ u32 day on which it was sealed last, or 0.
 */
#ifndef AMPARO_RESEAL_H
#define AMPARO_RESEAL_H

#include <stdint.h>

#include "client.h"
#include "covault.h"
#include "dispatch.h"
#include "perr.h"

#define RESEAL_TURN_DAYS   3
#define RESEAL_CELLS       4608          /* of one sync */
#define RESEAL_CELLS_DAY   18432         /* of one day and desk: 75 MB */

struct reseal_done {
	uint32_t statements;             /* sealed now */
	uint32_t cells;
	uint32_t left;                   /* lacked, this vault's turn, and no room for today */
	bool changed;                    /* something was written into the store */
};

/*
 * Inside a batch of d's (dispatch_begin); the cells go into d.
 * max  in: cells; one statement may go beyond it
 */
PERR_MUST_CHECK enum perr reseal_lacking(struct client *c, struct dispatch *d,
                                        const struct covaults *v, uint32_t max,
                                        struct reseal_done *done);

/*
 * One statement of this vault, its attachments as fresh chunks, to these readers; an attachment
 * that is not here stays out.  Inside a batch of d's.  it: of holding.h
 * PERR_RANGE: too much for one upload
 */
PERR_MUST_CHECK enum perr reseal_item(struct client *c, struct dispatch *d,
                                     const struct holding_item *it,
                                     const struct dispatch_readers *to);

/* is `a` before `b` in taking care of this statement? */
bool reseal_is_before(const uint8_t hash[CUSTODY_HASH], const uint8_t a[32],
                      const uint8_t b[32]);

#endif
