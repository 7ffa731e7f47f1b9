/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * search: cases in whose answers, notes and codes all words of a query occur.
 *
 * Case, accents and glottal marks do not matter (fold.h); a word may be part of a longer
 * one.  A number of six digits or more is also found when it was written with other blanks,
 * hyphens or brackets than in the query: alien numbers and telephone numbers are.
 */
#ifndef AMPARO_SEARCH_H
#define AMPARO_SEARCH_H

#include <stddef.h>
#include <stdint.h>

#include "client.h"
#include "perr.h"
#include "statement.h"

#define SEARCH_QUERY_MAX 1024    /* bytes */
#define SEARCH_WORDS_MAX 32

typedef enum perr search_fn(void *arg, const uint8_t record[STATEMENT_RECORD_SIZE]);
/* PERR_RANGE: nothing to search for, or more than the limits above */
PERR_MUST_CHECK enum perr search_run(struct client *c, const char *query, search_fn *fn,
                                    void *arg);

/*
 * The text kept for a case, from its texts: a buffer that grows; wiped by search_text_free.
 * Zero-initialised at first.
 */
struct search_text {
	char *p;
	size_t len, size;
	enum perr err;                   /* the first error; later calls do nothing */
};
void search_text_add(struct search_text *t, const char *text, size_t len);
void search_text_free(struct search_text *t);

#endif
