/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * forward: a holder's device passes on what came in since a record was assigned: corrections
 * by a volunteer, what another assignee said, attachments that were missing.  PROTOCOL 4.7.
 *
 * Each thing is passed on once, not by every holder: those of the charter in force stand in an
 * order of their own for each thing and person, and the first of it does it.  When no receipt
 * came for FORWARD_WAIT_DAYS (a phone is off, an attorney on holiday) the second does, then
 * the third.  A holder who left the charter is in no order any more.  What reaches a person
 * twice all the same is one thing there.
 */
#ifndef AMPARO_FORWARD_H
#define AMPARO_FORWARD_H

#include <stdbool.h>
#include <stdint.h>

#include "client.h"
#include "perr.h"

#define FORWARD_WAIT_DAYS 2

/*
 * n  out: records of which something was queued; each is one batch
 * Errors of the own store end it; what was done before stays done.
 */
PERR_MUST_CHECK enum perr forward_run(struct client *c, unsigned *n);

/*
 * The place of a holder in the order for one thing and person, from 0.
 * holders  in: n of the charter in force, as they stand there
 * at       in: whose place
 */
uint32_t forward_rank(const uint8_t (*holders)[32], uint32_t n, uint32_t at,
                      const uint8_t hash[32], const uint8_t whom[32]);

#endif
