/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Between case.c (what is stored and looked up) and case_file.c (statements in order). */
#ifndef AMPARO_CASE_INT_H
#define AMPARO_CASE_INT_H

#include "case.h"
#include "search.h"

/*
 * Records under one case code that are looked at: one interview and its corrections, each
 * a record of its own.  More are somebody's attack.
 */
#define CASE_SAME_CODE_MAX 256

/* the record id at the end of a name in the store.  PERR_CORRUPT */
PERR_MUST_CHECK enum perr case_record_of(const char *name, uint8_t record[STATEMENT_RECORD_SIZE]);

/*
 * Statements of a record, in merged order, with what follows from them: interviews,
 * corrections, attachments (is_here not asked yet).  The summary holds the record id only.
 */
PERR_MUST_CHECK enum perr case_load(struct client *c,
                                   const uint8_t record[STATEMENT_RECORD_SIZE],
                                   struct case_file **out);
/* f->s from f's statements */
PERR_MUST_CHECK enum perr case_summarise(struct client *c, struct case_file *f);
/* everything a search looks through */
void case_text(struct client *c, const struct case_file *f, struct search_text *t);

#endif
