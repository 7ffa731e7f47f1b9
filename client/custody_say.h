/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * custody_say: what this vault tells co-holders of itself, and what it does about what they
 * told: the duty of a holder after each sync.  PROTOCOL 4.4.
 *
 * At most once a day for each desk it says what is held, if that changed, if a co-holder's
 * newest words differ from it, or if the last time is CUSTODY_SIGN_DAYS ago: a sign of life.
 * What co-holders lack is sealed to them in the same batch (reseal.h).
 *
 * In the store: keep/<first 8 bytes of the desk id, hex>: when and what was said last.
 */
#ifndef AMPARO_CUSTODY_SAY_H
#define AMPARO_CUSTODY_SAY_H

#include <stdbool.h>
#include <stdint.h>

#include "client.h"
#include "covault.h"
#include "custody.h"
#include "perr.h"

#define CUSTODY_SIGN_DAYS  7

/*
 * For every desk this member holds.  One batch for each desk, or none.
 *
 * fresh  in: the sync brought something; without it, it looks once a day only
 * more   out: set if cells were queued; else left alone
 */
PERR_MUST_CHECK enum perr custody_say(struct client *c, bool fresh, bool *more);

/*
 * Scanned through, as a custody statement says it: the day up to which some server of the
 * roster was read whole.  (A server that is gone stops nobody from being filled up.)
 */
PERR_MUST_CHECK enum perr custody_scanned(struct client *c, uint32_t *day);

/* ---- for the tests ------------------------------------------------------------------- */

/* what was worked out to be said; k points into the rest */
struct custody_body {
	struct custody k;
	uint8_t *ranges, *elements, *erased;
	uint8_t state[CUSTODY_DIGEST];   /* of all that is held: has anything changed? */
};
/* Pure.  b out: for custody_body_free, also after an error.  PERR_NOMEM */
PERR_MUST_CHECK enum perr custody_body_make(struct custody_body *b, const struct covaults *v,
                                           uint32_t scanned_through);
void custody_body_free(struct custody_body *b);

#endif
