/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * ledger: what of a record was passed on to whom, as the receipts in its file say, and what
 * is still to be.  PROTOCOL 4.7.
 *
 * Everything that is passed on has a mark: the hash of the statement, or of an attachment's
 * content.  A receipt names person, turn and marks; so each holder knows from the statements
 * alone what any of them has done, and nothing is written down beside them.
 */
#ifndef AMPARO_LEDGER_H
#define AMPARO_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

#include "case.h"

/* does a receipt say that this was passed on to this person in this turn? */
bool ledger_has(const struct case_file *f, const uint8_t whom[32], uint32_t turn,
                const uint8_t hash[32]);
/*
 * Is this statement, a word about the record, for this person?  Of one who has the record,
 * everything that others said; of one who did not answer, or too late, only who has it and
 * that it is to be erased; of one it was withdrawn from, only that.
 */
bool ledger_wants(const struct case_file *f, const struct assigned *p,
                  const struct case_statement *s);
/* are interviews, corrections and attachments for this person? */
bool ledger_wants_sources(const struct assigned *p);
/* is there anything that no receipt mentions?  For holders of the record's desk */
bool ledger_is_due(struct client *c, const struct case_file *f);

#endif
