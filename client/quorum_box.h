/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * quorum_box: where proposals, sheets and their parts lie in the store, and on which board slots
 * this device publishes its own.  Inside of quorum.h.
 *
 *	quorum/p/<proposal hash hex>      a proposal, signed by its proposer
 *	quorum/s/<first 16 digits of it>.<signer, 16 digits>   a sheet about it
 *	quorum/d/<proposal hash hex>      its orders have all signatures: they are being brought
 *	quorum/f/<part name hex>          content of a form that a proposal publishes
 *	quorum/in/<proposer, 16 digits>.<kind>.<place>  parts from the board, until all are there
 *	quorum/r/<proposer hex>.<kind>    the highest revision seen
 *	quorum/last                       the last revision of this device's own
 *	quorum/posted.<kind>              the revision that is on its way over the boards; 0: none
 *
 * Board slots (post.h): quorum/m<kind>/<place> parts of this device's own proposal,
 * quorum/s/<16 digits> its sheet about one, quorum/policies its sheet about policies.
 * They are sealed to a key that only administrators can derive.
 */
#ifndef AMPARO_QUORUM_BOX_H
#define AMPARO_QUORUM_BOX_H

#include "client.h"
#include "perr.h"
#include "proposal.h"

#define BOX_SHEETS_MAX 256

/* the private key of the administrators' part of the board: H(inbox key, "amparo/1 admin board") */
void box_board_sk(uint8_t sk[32], const uint8_t inbox_sk[32]);

struct box_entry {
	uint8_t hash[32];
	uint8_t *bytes;                  /* signed */
	size_t len;
	struct proposal p;               /* borrows from bytes */
};
void box_entry_free(struct box_entry *e);
/* *out: the caller's, box_entry_free.  PERR_NOTFOUND */
PERR_MUST_CHECK enum perr box_get(struct client *c, const uint8_t hash[32],
                                 struct box_entry **out);
typedef enum perr box_fn(void *arg, const struct box_entry *e);
PERR_MUST_CHECK enum perr box_each(struct client *c, box_fn *fn, void *arg);
/* the newest of this proposer and kind.  PERR_NOTFOUND */
PERR_MUST_CHECK enum perr box_of(struct client *c, const uint8_t proposer[32],
                                enum proposal_kind kind, struct box_entry **out);

/* do its orders have all signatures already? */
PERR_MUST_CHECK enum perr box_is_done(struct client *c, const uint8_t hash[32], bool *is);

struct box_sheets {
	uint32_t n;
	struct proposal_sheet at[ADMINS_MAX];
};
/* sheets about a proposal of those who are administrators now.  *out: free() */
PERR_MUST_CHECK enum perr box_sheets(struct client *c, const uint8_t hash[32],
                                    struct box_sheets **out);
const struct proposal_sheet *box_sheet_of(const struct box_sheets *s, const uint8_t signer[32]);

/* ---- inside a batch of the caller's ------------------------------------------------------- */

/*
 * Keep a proposal in the place of the proposer's older one of this kind.  An older revision than
 * one seen before is passed over: is_new false.
 */
PERR_MUST_CHECK enum perr box_put(struct client *c, const uint8_t *bytes, size_t len,
                                 bool *is_new);
/* it is over: with its sheets and forms; this device's posts about it come off the board */
PERR_MUST_CHECK enum perr box_drop(struct client *c, const struct box_entry *e);
/* its orders have all signatures; its sheets stay, so that others learn of it */
PERR_MUST_CHECK enum perr box_done(struct client *c, const uint8_t hash[32]);
/* keep a sheet, unless the signer's signatures are there already */
PERR_MUST_CHECK enum perr box_put_sheet(struct client *c, const uint8_t *bytes, size_t len,
                                       const struct proposal_sheet *s, bool *is_new);
/* signed sheets as they came, for a bundle; called for each.  Slices die with the call */
typedef enum perr box_bytes_fn(void *arg, const uint8_t *bytes, size_t len);
PERR_MUST_CHECK enum perr box_each_sheet(struct client *c, const uint8_t hash[32],
                                        box_bytes_fn *fn, void *arg);
/* sheets about proposals that are not here and are not on their way are dropped */
PERR_MUST_CHECK enum perr box_tidy(struct client *c);

/* a part from the board.  all out: for doc_free; the sealed bundle once every part is there */
PERR_MUST_CHECK enum perr box_put_part(struct client *c, const struct proposal_part *p,
                                      uint8_t **all, size_t *all_len);
/*
 * A part of this device's own on a board.  A restored vault may have numbered again from
 * below: numbers go on above this one, and what was proposed below it is proposed anew.
 */
PERR_MUST_CHECK enum perr box_saw_own(struct client *c, enum proposal_kind kind,
                                     uint32_t revision);
/* the number of the next own proposal */
PERR_MUST_CHECK enum perr box_revision(struct client *c, uint32_t *revision);

/* publish a sealed bundle of this device's; sealed NULL: nothing of this kind any more.
 * PERR_RANGE: too large for the board */
PERR_MUST_CHECK enum perr box_post(struct client *c, enum proposal_kind kind, uint32_t revision,
                                  const uint8_t *sealed, size_t len);
PERR_MUST_CHECK enum perr box_post_sheet(struct client *c, const char *slot,
                                        const uint8_t *bytes, size_t len);
/* "quorum/s/<16 digits>" */
void box_sheet_slot(char slot[40], const uint8_t hash[32]);

#endif
