/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * apply: make one change (pending.h) in the roster that stands in memory: the first time,
 * and again upon another administrator's roster.
 */
#ifndef AMPARO_APPLY_H
#define AMPARO_APPLY_H

#include "client.h"
#include "pending.h"
#include "perr.h"
#include "roster.h"

struct applied {
	bool changed;                    /* false: its effect is there already, or why is set */
	char why[256];                   /* not possible upon this roster: a sentence; else "" */
};

/*
 * c->field, c->staff, c->admin and c->threshold are changed, nothing is stored.  What comes out
 * follows from them, from o and from c->env.rng alone, whoever's device it is: with a threshold
 * above one every administrator makes a change again before signing it (quorum.h).  So nothing is
 * read from the store here, and nothing of who this client is or of its clock.
 *
 * When why is set nothing was changed.  After an error (PERR_NOMEM, …) memory may be half
 * changed: client_reload.
 */
PERR_MUST_CHECK enum perr apply_op(struct client *c, const struct pending_op *o,
                                  struct applied *done);

/* may this member go?  false, and why is set: an administrator, and the rest could not sign */
bool apply_admin_may_go(struct client *c, const struct roster_enrolled *e, struct applied *d);

/* is this desk listed? */
PERR_MUST_CHECK enum perr apply_desk_listed(const struct client *c, const uint8_t id[32],
                                           bool *is);

#endif
