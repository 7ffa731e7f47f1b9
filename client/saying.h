/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * saying: what every statement about a record has in common, and how it reaches all who are
 * to have it.  PROTOCOL 4.7.
 *
 * A member says something to the record's desk.  A holder's device passes it on at once to
 * whom the record is assigned, as copies, and leaves a receipt with the co-holders; what
 * others say is passed on by a holder's next sync (forward.h).
 *
 *	saying_begin       nothing is touched yet
 *	pass_plan …        (pass.h) attachments are sealed: the slow part
 *	dispatch_begin     of s->d
 *	saying_next, saying_to_desk, pass_send, saying_copies, saying_receipt …
 *	dispatch_commit
 *	saying_end         wipes
 */
#ifndef AMPARO_SAYING_H
#define AMPARO_SAYING_H

#include <stdbool.h>
#include <stdint.h>

#include "case.h"
#include "client.h"
#include "dispatch.h"
#include "perr.h"
#include "statement.h"

/* marks of what was passed on to one person, for the receipt */
struct saying_list {
	uint8_t whom[32];
	uint32_t turn;
	uint8_t *things;                 /* n × STATEMENT_THING_SIZE; owned */
	size_t n;
};

struct saying {
	struct client *c;
	struct case_file *file;
	struct dispatch *d;
	struct statement *st;            /* large: not on the stack */
	struct dispatch_readers desk;    /* its holders, this member left out */
	bool is_holder;                  /* of the record's desk, by the charter in force */
	char *why;                       /* DISPATCH_WHY bytes, the caller's */
	struct saying_list *lists;       /* for the receipt */
	size_t n_lists;
	uint32_t n_copied, n_unreached;  /* people who got a copy; who have no prekey */
};

/*
 * Open the record.  s is to be given to saying_end in any case.
 * PERR_REFUSED: with a sentence in why.  PERR_NOTFOUND: no such record, or nobody to seal to.
 */
PERR_MUST_CHECK enum perr saying_begin(struct saying *s, struct client *c,
                                      const uint8_t record[STATEMENT_RECORD_SIZE],
                                      char why[DISPATCH_WHY]);
void saying_end(struct saying *s);

/* s->st anew: kind, day, to and record are set */
void saying_next(struct saying *s, enum statement_kind kind, const uint8_t to[32]);
/*
 * Send s->st to the desk and keep it; then, from a holder, copies to everybody for whom
 * ledger_wants it.
 * also  in: somebody who gets a copy too, whatever stands in the file: the person that the
 *       statement withdraws the record from.  NULL: nobody
 */
PERR_MUST_CHECK enum perr saying_to_desk(struct saying *s, const struct assigned *also);
/* one copy: a statement as it is signed, to one person */
PERR_MUST_CHECK enum perr saying_copy(struct saying *s, const uint8_t whom[32], uint32_t turn,
                                     struct doc_bytes bytes, const uint8_t *sig,
                                     const struct blob_ref *refs, size_t n_refs,
                                     const struct dispatch_readers *r);
/* note for the receipt that this was passed on */
PERR_MUST_CHECK enum perr saying_passed(struct saying *s, const uint8_t whom[32], uint32_t turn,
                                       const uint8_t hash[32]);
/* to the co-holders, what was passed on since the last one; nothing if there is nothing */
PERR_MUST_CHECK enum perr saying_receipt(struct saying *s);

/*
 * May anything be sealed to this person: still a member, not this one, no holder of the desk?
 * PERR_NOTFOUND: no, or no prekey of theirs is known: s->why says it where a person asked.
 */
PERR_MUST_CHECK enum perr saying_reach(struct saying *s, const uint8_t whom[32],
                                      struct dispatch_readers *r);

#endif
