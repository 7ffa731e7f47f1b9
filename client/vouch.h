/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * vouch: the holders of one desk vouch for another: they countersign its first charter, over
 * the board, and an administrator's device lists the countersignature when it has the
 * threshold of theirs.  PROTOCOL sections 7.2 and 7.3.
 *
 * Clients that trust the desk that vouches then trust the other one without typing words.  It
 * counts by the vouching desk's charter in force: after a change of its holders those who hold
 * it now sign anew, so that nobody who left speaks for it; clients that trusted the other desk
 * before go on trusting it.
 *
 * In the store: counter/<desk id hex>   a listed desk's first charter with the
 *                                       countersignatures that are on their way
 */
#ifndef AMPARO_VOUCH_H
#define AMPARO_VOUCH_H

#include <stdbool.h>
#include <stdint.h>

#include "charter.h"
#include "client.h"
#include "notices.h"
#include "perr.h"

/*
 * Countersign the first charter of `desk` in the name of desk `by`, which this member holds.
 * PERR_NOTFOUND: one of the two is not listed.  PERR_KEY: `by` is not held by this member.
 * PERR_RANGE: a desk for itself.  PERR_LIMIT: eight desks vouch for it already.
 */
PERR_MUST_CHECK enum perr vouch_sign(struct client *c, const uint8_t desk[32],
                                    const uint8_t by[32]);

/* a countersignature, complete or not */
struct vouch {
	uint8_t desk[32], by[32];
	char desk_name[CHARTER_NAME_MAX + 1], by_name[CHARTER_NAME_MAX + 1];
	uint32_t n_signed, n_needed;     /* by the holders that `by` has now */
	bool listed;                     /* the roster has it with enough signatures */
	bool may_sign, signed_by_me;     /* this member holds `by` */
};
typedef enum perr vouch_fn(void *arg, const struct vouch *v);
/* those in the roster and those on their way */
PERR_MUST_CHECK enum perr vouch_each(struct client *c, vouch_fn *fn, void *arg);

/*
 * A copy of a listed desk's first charter came over the board (inside the batch of notices.c):
 * what is new and of holders in force is kept.
 */
PERR_MUST_CHECK enum perr vouch_take(struct client *c, const struct charter_signed *ch,
                                    enum notices_taken *taken);

/* the duty: an administrator's device lists what is complete.  more out: set if something was */
PERR_MUST_CHECK enum perr vouch_duty(struct client *c, bool *more);

/* for reboard.h, as charters_repost: own countersignatures that are on the board */
PERR_MUST_CHECK enum perr vouch_repost(struct client *c, unsigned *n);

/*
 * For apply.h: the roster's first charter of a desk with the countersignatures of `more` that
 * are complete, each with the signatures of holders in force only.
 * out, len  out: encoded, for doc_free; NULL where nothing would change
 * PERR_LIMIT: eight desks vouch for it already.
 */
PERR_MUST_CHECK enum perr vouch_merge(const struct client *c, uint32_t at,
                                     const struct charter_signed *more, uint8_t **out,
                                     size_t *len);

#endif
