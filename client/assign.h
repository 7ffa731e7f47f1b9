/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * assign: what readers of a case say: pass it on, answer, add a note.  PROTOCOL 4.2 kinds
 * 3 to 6.
 *
 * why  out, everywhere: after an error a sentence that says what to do, or ""
 */
#ifndef AMPARO_ASSIGN_H
#define AMPARO_ASSIGN_H

#include <stdbool.h>
#include <stdint.h>

#include "client.h"
#include "dispatch.h"
#include "perr.h"
#include "statement.h"
#include "words.h"

#define ASSIGN_WORDS 6

/*
 * Which attorney or interpreter is meant: the whole name, else without regard to case,
 * accents and glottal marks, else the one name that begins so.
 * PERR_NOTFOUND.  PERR_EXISTS: several.  PERR_STATE: no list of names is known here.
 */
PERR_MUST_CHECK enum perr assign_find(struct client *c, const char *name, uint8_t key[32]);

/* the words of a signing key, to be compared by voice */
void assign_words(char out[WORDS_PHRASE_SIZE(ASSIGN_WORDS)], const uint8_t key[32]);

struct assign_done {
	uint32_t n_attachments;          /* sealed for the reader */
	uint32_t n_missing;              /* not in this vault yet, so not passed on */
	uint32_t n_told;                 /* co-holders */
	uint32_t n_untold;               /* co-holders without a prekey */
	uint32_t group;
};

/*
 * Pass a record on: the original statements with their signatures, attachments sealed anew;
 * and tell the co-holders.
 *
 * partial  in: also if attachments are missing here
 *
 * PERR_REFUSED: this member is no holder of its desk, or attachments are missing.
 * PERR_NOTFOUND: no such case, or the reader has not published keys.
 */
PERR_MUST_CHECK enum perr assign_record(struct client *c,
                                       const uint8_t record[STATEMENT_RECORD_SIZE],
                                       const uint8_t reader[32], const char *reason,
                                       bool partial, struct assign_done *done,
                                       char why[DISPATCH_WHY]);

struct assign_told {
	uint32_t n_readers;              /* sealed to */
	uint32_t n_without;              /* readers without a prekey: they do not get it */
	uint32_t group;
};
/*
 * A note to the readers of a record: to the desk's holders and, from a holder, to everybody
 * it is assigned to.  PERR_RANGE: empty, or over 65,536 bytes.  Others as above.
 */
PERR_MUST_CHECK enum perr assign_note(struct client *c,
                                     const uint8_t record[STATEMENT_RECORD_SIZE],
                                     const char *text, struct assign_told *told,
                                     char why[DISPATCH_WHY]);
/* An assignee's yes or no, to the desk.  PERR_REFUSED: not assigned to this member. */
PERR_MUST_CHECK enum perr assign_answer(struct client *c,
                                       const uint8_t record[STATEMENT_RECORD_SIZE],
                                       enum statement_decision decision, const char *reason,
                                       struct assign_told *told, char why[DISPATCH_WHY]);

#endif
