/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * parting: the last duty of a holder who left a desk: what no present holder is known to have
 * is sealed to all of them.
 *
 * Custody fills up whoever is new from whoever stays, but takes days; the holders may change
 * twice before it is through, and a record that only those who left have would be lost to the
 * desk.  Nobody tells a former holder what the present ones hold: so it goes by what they
 * said while it held the desk, and by nothing else.  What they have after all they pass over.
 *
 * In the store: parted/<desk id hex>: how far it is through.
 */
#ifndef AMPARO_PARTING_H
#define AMPARO_PARTING_H

#include <stdbool.h>

#include "client.h"
#include "perr.h"

/* for every desk this member held; some cells a sync.  more out: something is queued */
PERR_MUST_CHECK enum perr parting_duty(struct client *c, bool *more);
/* desks that were left and not handed over whole yet: their holders' keys are not known, or
 * it goes on at the next sync */
PERR_MUST_CHECK enum perr parting_count(struct client *c, unsigned *n);

#endif
