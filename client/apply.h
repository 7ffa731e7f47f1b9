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
#include "signed.h"

struct applied {
	bool changed;                    /* false: its effect is there already, or why is set */
	char why[256];                   /* not possible upon this roster: a sentence; else "" */
	uint8_t *link;                   /* new link of the chain: doc_free; or NULL */
	size_t link_len;
};

/*
 * c->field, c->staff, c->admin are changed, nothing is stored.  When why is set nothing was
 * changed.  After an error (PERR_NOMEM, …) memory may be half changed: client_reload.
 */
PERR_MUST_CHECK enum perr apply_op(struct client *c, const struct pending_op *o,
                                  struct applied *done);

/* is this desk listed? */
PERR_MUST_CHECK enum perr apply_desk_listed(const struct client *c, const uint8_t id[32],
                                           bool *is);
/* sign a link with this administrator's key and encode it; out: for doc_free */
PERR_MUST_CHECK enum perr apply_sign_link(struct client *c, struct signed_doc *link,
                                         uint8_t **out, size_t *len);

#endif
