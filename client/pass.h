/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * pass: a record's interviews, corrections, attachments and what was said about it, on their
 * way to one person.  PROTOCOL 4.7.
 *
 * Attachments are sealed anew from this vault, as fresh chunks under fresh keys: each reader
 * erases only their own copy, and whether the chunks they once came in are still on a server
 * makes no difference.  One that is not here yet is left out and has no receipt, so that it
 * follows by itself, from here or from a co-holder (forward.h).
 */
#ifndef AMPARO_PASS_H
#define AMPARO_PASS_H

#include <stdbool.h>
#include <stdint.h>

#include "saying.h"

struct pass_item {
	const struct case_source *src;   /* an interview or correction, or … */
	const struct case_statement *word;       /* … something that was said */
	struct blob_ref *refs;           /* of the attachments sealed for it; secret */
	size_t n_refs;
};
struct pass {
	struct pass_item *items;
	size_t n;
	uint32_t n_attachments;          /* sealed */
	uint32_t n_missing;              /* asked for, and not in this vault yet */
};

/* is this to be passed on?  hash: of a statement, or of an attachment's content */
typedef bool pass_wanted_fn(void *arg, const uint8_t hash[32], const struct case_statement *by);
/*
 * What of s->file is for this person, with its attachments sealed: before the batch.
 * wanted  in: NULL: everything
 * p       out: for pass_free in any case
 */
PERR_MUST_CHECK enum perr pass_plan(struct pass *p, struct saying *s, const struct assigned *to,
                                   pass_wanted_fn *wanted, void *arg);
/*
 * Seal it, inside the batch: with offer as assignments, without as copies; and note it for the
 * receipt.
 */
struct pass_offer {
	const char *reason;
	enum statement_role role;
	uint32_t answer_by;
};
PERR_MUST_CHECK enum perr pass_send(struct pass *p, struct saying *s, const struct assigned *to,
                                   const struct dispatch_readers *r,
                                   const struct pass_offer *offer);
void pass_free(struct pass *p);

#endif
