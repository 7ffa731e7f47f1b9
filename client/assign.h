/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * assign: what readers of a case say: give it to somebody, take it back, answer, recuse
 * oneself, add a note, close it.  PROTOCOL 4.2 kinds 3 to 6, and 4.7.
 *
 * Each is one batch of the store: after a kill all of it was said, or nothing.
 *
 * why  out, everywhere: after an error a sentence that says what to do, or ""
 */
#ifndef AMPARO_ASSIGN_H
#define AMPARO_ASSIGN_H

#include <stdbool.h>
#include <stdint.h>

#include "case.h"
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
/*
 * The same among all staff and those who left (the roster's former members); also "key:" and the first eight or more hex digits of a key.
 */
PERR_MUST_CHECK enum perr assign_find_ever(struct client *c, const char *name, uint8_t key[32]);

/* the words of a signing key, to be compared by voice */
void assign_words(char out[WORDS_PHRASE_SIZE(ASSIGN_WORDS)], const uint8_t key[32]);

#define ASSIGN_BY_POLICY UINT32_MAX
struct assign_what {
	const uint8_t *reader;           /* 32 bytes: to whom; this member too */
	const char *reason;
	uint32_t answer_days;            /* until it returns to the desk; 0: never */
	const uint8_t *from;             /* NULL, or from whom it is taken in the same batch */
};
struct assign_done {
	uint32_t n_attachments;          /* sealed for the reader */
	uint32_t n_missing;              /* not in this vault yet: they follow (forward.h) */
	uint32_t n_told;                 /* co-holders */
	uint32_t n_untold;               /* co-holders without a prekey */
	uint32_t answer_by;              /* day; 0: no end */
	bool is_interpreter;             /* asked as */
	uint32_t group;
};

/*
 * Pass a record on: the original statements with their signatures, attachments sealed anew,
 * what was said since; and tell the co-holders.
 *
 * PERR_REFUSED: this member is no holder of its desk; the reader has it, recused themselves,
 * or is no member; it is closed.  PERR_NOTFOUND: no such case, or the reader has not
 * published keys.
 */
PERR_MUST_CHECK enum perr assign_record(struct client *c,
                                       const uint8_t record[STATEMENT_RECORD_SIZE],
                                       const struct assign_what *what, struct assign_done *done,
                                       char why[DISPATCH_WHY]);

/*
 * The same, and taken from what->from in the same batch.  Who has it already only sees the
 * other one lose it: done is zeros then.
 */
PERR_MUST_CHECK enum perr assign_move(struct client *c,
                                     const uint8_t record[STATEMENT_RECORD_SIZE],
                                     const struct assign_what *what, struct assign_done *done,
                                     char why[DISPATCH_WHY]);

struct assign_told {
	uint32_t n_readers;              /* sealed to */
	uint32_t n_without;              /* readers without a prekey: they do not get it yet */
	uint32_t group;
};
/*
 * Take it back: whom's device drops it at its next sync.  whom may be revoked by now.
 * PERR_REFUSED: this member is no holder, or whom does not have it.
 */
PERR_MUST_CHECK enum perr assign_withdraw(struct client *c,
                                         const uint8_t record[STATEMENT_RECORD_SIZE],
                                         const uint8_t whom[32], const char *reason,
                                         struct assign_told *told, char why[DISPATCH_WHY]);
/*
 * A note to the readers of a record: to the desk's holders and, from a holder, to everybody
 * it is assigned to.  PERR_RANGE: empty, or over 65,536 bytes.  Others as above.
 */
PERR_MUST_CHECK enum perr assign_note(struct client *c,
                                     const uint8_t record[STATEMENT_RECORD_SIZE],
                                     const char *text, struct assign_told *told,
                                     char why[DISPATCH_WHY]);
/*
 * An assignee's yes or no, to the desk.  PERR_REFUSED: not assigned to this member, said
 * already, withdrawn, or too late and given to another one.
 * After a no, leave_tidy (leave.h) takes the record off this device.
 */
PERR_MUST_CHECK enum perr assign_answer(struct client *c,
                                       const uint8_t record[STATEMENT_RECORD_SIZE],
                                       enum statement_decision decision, const char *reason,
                                       struct assign_told *told, char why[DISPATCH_WHY]);
/* Never: a conflict of interest.  Also from a holder, assigned or not.  Then as above. */
PERR_MUST_CHECK enum perr assign_recuse(struct client *c,
                                       const uint8_t record[STATEMENT_RECORD_SIZE],
                                       const char *reason, struct assign_told *told,
                                       char why[DISPATCH_WHY]);
/* The desk's word on the record as a whole: STATEMENT_CLOSED or STATEMENT_OPEN */
PERR_MUST_CHECK enum perr assign_close(struct client *c,
                                      const uint8_t record[STATEMENT_RECORD_SIZE],
                                      enum statement_state state, const char *reason,
                                      struct assign_told *told, char why[DISPATCH_WHY]);

#endif
