/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * revoked: this device learnt that its owner is no member any more.
 *
 * It is told in its own slot, in a bulletin that the administrators signed (PROTOCOL 8.3): a server
 * that keeps the newest bulletin back, or shows one from before the enrolment, cannot make a
 * member believe it.  What waits in the outbox stays: sealed cells can be saved to a file and
 * carried by somebody else.
 *
 * In the store: revoked, the day (u32) and the version (u32) of the bulletin that said so; it goes
 * when a slot of this member opens again.
 */
#ifndef AMPARO_REVOKED_H
#define AMPARO_REVOKED_H

#include <stdint.h>

#include "client.h"
#include "perr.h"

/* the day on which the membership ended; 0: this device knows of nothing of the kind */
PERR_MUST_CHECK enum perr revoked_since(struct client *c, uint32_t *day);
/* a bulletin says so.  A batch of its own */
PERR_MUST_CHECK enum perr revoked_note(struct client *c, uint32_t day, uint32_t version);
/* a slot of one's own opened (inside a batch of the caller's) */
PERR_MUST_CHECK enum perr revoked_clear(struct client *c);

#endif
