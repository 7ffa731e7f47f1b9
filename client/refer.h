/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * refer: pass a record on to the holders of another desk, with the client's recorded consent.
 * PROTOCOL 4.2 kind 9.
 *
 * What travels: every interview and correction of the record with its signature, attachments
 * sealed anew, the reason, the consent.  What does not: notes, who has the case and what they
 * said, and the sequence numbers by which only the first desk counts its senders.  The
 * referring desk keeps the record; its co-holders are told, with the consent (kind 6, state 8).
 *
 * Later corrections reach the desk to which the interview was made.  It refers once more to
 * pass them on: what the other desk has already it passes over.  Who was referred a record
 * assigns it with the referral as its proof (assign.h), and does not refer it further: the
 * family spoke with the first desk.
 *
 * why  out, everywhere: after an error a sentence that says what to do, or ""
 */
#ifndef AMPARO_REFER_H
#define AMPARO_REFER_H

#include <stdbool.h>
#include <stdint.h>

#include "client.h"
#include "dispatch.h"
#include "perr.h"
#include "statement.h"

#define REFER_TEXT_MAX 1024      /* bytes of the consent, and of the reason */
#define REFER_BY_MAX   128

/* what the client agreed to */
struct refer_consent {
	const char *text;                /* 1..REFER_TEXT_MAX; never made up by the program */
	uint32_t day;                    /* on which the client was asked; not in the future */
	const char *by;                  /* 1..REFER_BY_MAX: who asked and wrote it down */
	const char *language;            /* 0..16: in which the client was asked */
};

/* what a referral would pass on, to be read out before it is asked for */
struct refer_plan {
	uint8_t to[32];
	char from_name[CHARTER_NAME_MAX + 1], to_name[CHARTER_NAME_MAX + 1];
	char to_organisation[CHARTER_NAME_MAX + 1];
	uint32_t n_interviews, n_corrections;
	uint32_t n_attachments, n_missing;       /* those not in this vault: not passed on */
	uint32_t n_staying;              /* notes, assignments, answers: they stay here */
	uint32_t n_readers, n_without;   /* holders over there with keys, and without */
	uint32_t before;                 /* day of the last referral to the same desk; 0: none */
	char language[17];               /* of the interview: how the client was asked, likely */
};
/*
 * PERR_REFUSED: this member does not hold the record's desk, the other desk is not trusted
 * here, is the same, or the record was itself referred to this desk.  PERR_NOTFOUND: no such
 * case or desk, or none of its holders has published keys.
 */
PERR_MUST_CHECK enum perr refer_look(struct client *c,
                                    const uint8_t record[STATEMENT_RECORD_SIZE],
                                    const uint8_t desk[32], struct refer_plan *plan,
                                    char why[DISPATCH_WHY]);

struct refer_done {
	uint32_t n_attachments, n_missing;
	uint32_t n_readers, n_without;   /* of the other desk */
	uint32_t n_told, n_untold;       /* co-holders */
	uint32_t group;
};
/*
 * partial  in: also if attachments are missing here
 * PERR_REFUSED also: no consent, or one of tomorrow; attachments are missing.
 * PERR_RANGE: a text is too long.  Else as refer_look.
 */
PERR_MUST_CHECK enum perr refer_record(struct client *c,
                                      const uint8_t record[STATEMENT_RECORD_SIZE],
                                      const uint8_t desk[32], const char *reason,
                                      const struct refer_consent *consent, bool partial,
                                      struct refer_done *done, char why[DISPATCH_WHY]);

#endif
