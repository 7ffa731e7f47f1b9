/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * holders: charters of desks in the making, signed over the board.  PROTOCOL sections 7.2
 * and 7.3.
 *
 * A charter is proposed by anybody who can write to the board (a future holder, or an
 * administrator who will not be one); each holder looks at it, sees its words, and signs.
 * Nothing but the holders' signatures makes it count.
 */
#ifndef AMPARO_HOLDERS_H
#define AMPARO_HOLDERS_H

#include <stdbool.h>

#include "charter.h"
#include "client.h"
#include "desk.h"
#include "perr.h"

/*
 * Propose version 0 of a desk's charter and put it on the board; signed at once if this
 * member is one of the holders.
 * desk_id  out: may be NULL
 * PERR_RANGE: names, holders or threshold (below n, or 1 of 1).  PERR_STATE: no roster yet.
 */
PERR_MUST_CHECK enum perr holders_propose(struct client *c, const char *name,
                                         const char *organisation, uint32_t threshold,
                                         const uint8_t (*holders)[32], uint32_t n,
                                         uint8_t desk_id[32]);
/*
 * Sign a charter seen on the board, and pin the desk.
 * PERR_NOTFOUND: no such charter.  PERR_KEY: this member is not one of its holders.
 */
PERR_MUST_CHECK enum perr holders_sign(struct client *c, const uint8_t desk_id[32]);

/* a desk, listed in the roster or still collecting signatures */
struct holders_desk {
	uint8_t id[32];
	const struct charter *charter;   /* in force, or proposed; borrowed */
	bool listed;
	uint32_t n_signed, n_needed;     /* of a proposal */
	bool signed_by_me;               /* of a proposal */
	const struct signed_sigs *sigs;  /* of a proposal; NULL otherwise */
};
typedef enum perr holders_fn(void *arg, const struct holders_desk *d);
/* all desks: those of the roster first */
PERR_MUST_CHECK enum perr holders_each(struct client *c, holders_fn *fn, void *arg);
/*
 * The one desk of this name (exact), or the only desk there is when name is NULL.
 * PERR_NOTFOUND: none.  PERR_EXISTS: several have it; the id decides.
 */
PERR_MUST_CHECK enum perr holders_find(struct client *c, const char *name, bool only_listed,
                                      uint8_t desk_id[32]);

#endif
