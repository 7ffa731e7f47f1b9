/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * apply_rotate: the changes of rotate.h and revoke.h, made in the roster in memory (apply.h).
 *
 * A change may be made upon another administrator's roster after a version that held it was
 * already shown to members by some server.  Therefore
 *
 *	seasons       keep number and PSK wherever they are made again: cells may be sealed
 *	              under them
 *	what is new   must be unknown to everybody who was revoked: if the roster holds a
 *	              revocation that the change was made without, the one who was revoked may have
 *	              read the version with the change's keys.  Access keys and board keys are then
 *	              drawn anew, and a fresh season is put above the change's own
 *
 * Days are the change's own, draws are from c->env.rng: what comes out is the same on every
 * administrator's device (apply.h).
 */
#ifndef AMPARO_APPLY_ROTATE_H
#define AMPARO_APPLY_ROTATE_H

#include "apply.h"

/* kinds PENDING_SEASON .. PENDING_REVOKE; otherwise as apply_op */
PERR_MUST_CHECK enum perr apply_rotate(struct client *c, const struct pending_op *o,
                                      struct applied *done);

/* seasons that a rotation may fill; the rest of the list is for revocations and for those of
 * two administrators that come together */
#define SEASONS_ORDINARY 8
#define SEASONS_FOR_REVOKE (ROSTER_SEASONS_MAX - 2)

/* a number for a season made on this day, above the newest one's: PROTOCOL 8.1 */
uint32_t season_number(struct client *c, uint32_t day);
/* the day on which season i of the roster was superseded; 0: it is the newest */
uint32_t season_superseded(const struct roster_field *f, uint32_t i);
/*
 * Days after which nothing sealed under a superseded season can be on a server any more: who
 * sealed it was not longer without a network than prekeys are waited for (grace), and the cell
 * expired (retention and its jitter).
 */
uint32_t season_days(const struct roster_field *f);
/* the first day on which one more season fits; 0: today */
uint32_t season_room_from(const struct roster_field *f, uint32_t day, uint32_t limit);

#endif
