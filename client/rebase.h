/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * rebase: take over another administrator's roster without losing what this one did: the
 * newest is adopted as it is, and the pending changes (pending.h) are made again upon it,
 * one by one.  What cannot be made again (the name was given away, the invitation withdrawn)
 * is dropped alone, with a sentence (pending_say).
 */
#ifndef AMPARO_REBASE_H
#define AMPARO_REBASE_H

#include "bulletin.h"
#include "client.h"
#include "perr.h"

enum rebase_how {
	REBASE_ADOPTED,          /* theirs stands here now, with what was pending made again */
	REBASE_KEPT,             /* ours contains theirs and stays */
	REBASE_APART             /* ours stays: theirs lacks changes that only others can make again */
};
/*
 * An administrator's client met a bulletin at a server.
 *
 * r, version, hash  in: the opened roster, its header's version and hash
 * redone  out: changes made again: what stands here now is newer than what that server has
 * PERR_CHAIN, PERR_SIGS, PERR_FORMAT: as client_adopt; nothing changes then.
 * PERR_FORK: the same changes and the same version, differently signed.
 */
PERR_MUST_CHECK enum perr rebase_adopt(struct client *c, const struct roster_bytes *r,
                                      uint32_t version, const uint8_t hash[32],
                                      enum rebase_how *how, unsigned *redone);
/* what another version is held against: the newest that others can have, too */
PERR_MUST_CHECK enum perr rebase_known(struct client *c, struct bulletin_known *known);
/*
 * Make the pending changes that the roster here does not hold: what a kill in the middle left
 * over; or propose them, where this administrator's signature is not enough.  Nothing is done, quickly, if nothing is missing.
 */
PERR_MUST_CHECK enum perr rebase_settle(struct client *c, unsigned *redone);

#endif
