/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * reboard: after the board key or the season changed, the charters that this device has on the
 * board are sealed anew; of prekeys prekeys_repost does the same.
 *
 * Members still open what stands under a board key of before (notices.h), so nothing is missing
 * meanwhile; but so does whoever was revoked, and what is new is to be none of theirs.
 *
 * In the store: reboard, which board key and season that was done for last.
 */
#ifndef AMPARO_REBOARD_H
#define AMPARO_REBOARD_H

#include <stdbool.h>

#include "client.h"
#include "perr.h"

/* The duty; one batch, or none.  more out: set if something was queued */
PERR_MUST_CHECK enum perr reboard(struct client *c, bool *more);

#endif
