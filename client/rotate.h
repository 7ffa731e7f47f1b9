/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * rotate: administrators change the season, the access keys, and which prekeys still count.
 * DESIGN 11, PROTOCOL 8.1.
 *
 * Each is one change of the roster (org_change): one version, signed once, holds the new keys,
 * and every server's policy follows from it (policies.h).  Nothing goes dark meanwhile:
 *
 *	seasons   the old ones stay in the roster until nothing sealed under them can be on a
 *	          server (apply_rotate.h); the newest one is used to seal
 *	access    the old key is admitted for ROTATE_OVERLAP_DAYS more, a guest's for 400 days:
 *	          with it a phone that was away for months reaches the bulletin, its slot, the
 *	          new key, and then sends (sync.c)
 *	prekeys   the owner's device makes the next batch at its next sync; meanwhile nobody can
 *	          seal to that person
 *
 * Every one of them, made by two administrators at once, is made twice and harms nobody.
 */
#ifndef AMPARO_ROTATE_H
#define AMPARO_ROTATE_H

#include <stdbool.h>
#include <stdint.h>

#include "client.h"
#include "perr.h"
#include "roster.h"

#define ROTATE_OVERLAP_DAYS 30
#define ROTATE_NO_BATCH     UINT32_MAX   /* as lowest batch: none of this owner's counts */

/*
 * What the changes carry (pending.h):
 *	PENDING_SEASON  key; numbers: the season's, revocations known then
 *	PENDING_ACCESS  bytes: keys of guest, field, counsel, steward; numbers: scopes as bits
 *	                (1 << scope), revocations, 0, days of overlap
 *	PENDING_LOWEST  id; numbers: the lowest that counts
 *	PENDING_PLAN    numbers: enum roster_plan_what, every so many days (0: none)
 *	PENDING_REVOKE  id, key; numbers: of the season, revocations known then; bytes: keys of
 *	                field, counsel, steward, field board, staff board, inbox
 */
#define ROTATE_ACCESS_SIZE  128
#define ROTATE_REVOKE_SIZE  192

/* does somebody of this role hold the access key of this scope (rpc.h)?  Of guest: everybody */
bool rotate_has_scope(enum roster_role role, uint32_t scope);

/*
 * A new season.
 * PERR_LIMIT: too many are kept that may still be needed; see rotate_room.
 */
PERR_MUST_CHECK enum perr rotate_season(struct client *c);
/* the first day on which rotate_season works again; 0: today */
uint32_t rotate_room(const struct client *c);
/* New access keys of all four scopes; the old ones are admitted for so many days more.
 * PERR_RANGE: overlap_days is 0 or above 400 */
PERR_MUST_CHECK enum perr rotate_access(struct client *c, uint32_t overlap_days);
/*
 * Batches of this owner up to the newest one known here do not count any more.
 * number  out: from which on they do; may be NULL
 * PERR_NOTFOUND: no batch of theirs is known here (sync first).
 */
PERR_MUST_CHECK enum perr rotate_prekeys_of(struct client *c, const uint8_t owner[32],
                                           uint32_t *number);

/*
 * Rotate every so many days from now on, at any administrator's sync; 0 ends the plan.
 * PERR_RANGE: not 0, and outside ROSTER_EVERY_MIN..MAX.  PERR_OK also if it is so already.
 */
PERR_MUST_CHECK enum perr rotate_plan(struct client *c, enum roster_plan_what what,
                                     uint32_t every);
/* the day on which the next planned one is due; 0: there is no plan */
uint32_t rotate_next(const struct client *c, enum roster_plan_what what);
/*
 * The duty: do what is due.  The administrators take turns by their place in the chain, a day
 * each, so that two devices that sync at once do not both do it.
 * Where several must sign, it is proposed (quorum.h), once.
 * n  out: rotations made or proposed
 * PERR_OK also when it cannot be done here: no administrator, no room for a season.  `status`
 * says so.
 */
PERR_MUST_CHECK enum perr rotate_due(struct client *c, unsigned *n);

#endif
