/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * quorum_int: between the files of quorum.h.
 *
 *	quorum.c       proposing, looking, signing, travelling
 *	quorum_docs.c  the documents of a proposal, made from this device's own roster
 *	quorum_done.c  with enough signatures: into force; around visits
 */
#ifndef AMPARO_QUORUM_INT_H
#define AMPARO_QUORUM_INT_H

#include "apply.h"
#include "policies.h"
#include "quorum.h"
#include "quorum_box.h"

/* one document that administrators sign, with the signatures so far */
struct quorum_doc {
	const char *context;
	const uint8_t *bytes;
	size_t len;
	struct signed_sigs *sigs;
};
struct quorum_docs {
	uint8_t hash[32];                /* of the proposal */
	uint8_t *bytes;                  /* signed proposal */
	size_t bytes_len;
	struct proposal *p;              /* borrows from bytes */
	struct pending_op *ops;          /* p->n_changes of them */
	unsigned n_unseen;
	struct press *press;             /* changes */
	struct policy_order *orders;     /* p->n_orders of them */
	uint32_t n;
	struct quorum_doc at[PROPOSAL_DOCS_MAX];
	/* those that are not the press's own */
	uint32_t n_own;
	struct {
		uint8_t *bytes;
		size_t len;
		struct signed_sigs sigs;
	} own[PROPOSAL_SERVERS_MAX];
};

/*
 * Make them.  For changes what stands in memory is the version afterwards, so that it can be
 * adopted: client_reload otherwise, also after an error.
 * trust  in: this device wrote it: no bound is checked
 */
PERR_MUST_CHECK enum perr quorum_docs_make(struct client *c, const uint8_t *bytes, size_t len,
                                          bool trust, struct quorum_docs **out);
/* this administrator's signatures of all of them.  PERR_AUTH: would not count in it.  out: doc_free */
PERR_MUST_CHECK enum perr quorum_own_sheet(struct client *c, struct quorum_docs *d,
                                          struct proposal_sheet *s, uint8_t **out,
                                          size_t *len);
/* sealed to those who are administrators before and after, with sheets and forms */
PERR_MUST_CHECK enum perr quorum_bundle(struct client *c, const struct quorum_docs *d,
                                       uint8_t **out, size_t *len);
/* content of a form that came with a proposal: kept if it is what the proposal names */
PERR_MUST_CHECK enum perr quorum_keep_form(struct client *c, const struct proposal *p,
                                          const struct proposal_form *f);
/* is this device's proposal not on its way over the boards? */
PERR_MUST_CHECK enum perr quorum_is_too_large(struct client *c, enum proposal_kind kind,
                                             bool *is);
/*
 * If it has enough signatures: changes are adopted, orders are kept to be brought, and the
 * proposal is gone.  done, adopted  out
 */
PERR_MUST_CHECK enum perr quorum_complete(struct client *c, const uint8_t hash[32], bool *done,
                                         bool *adopted);

#endif
