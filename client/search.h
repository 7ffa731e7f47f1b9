/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * search: cases in whose answers, notes and codes all words of a query occur.
 *
 * Case, accents and glottal marks do not matter (fold.h); a word may be part of a longer
 * one.  A number of six digits or more is also found when it was written with other blanks,
 * hyphens or brackets than in the query: alien numbers and telephone numbers are.
 *
 * In the store: text/<first byte of the record id, hex>, the folded texts of all cases whose
 * id begins so, each as record id[16] | u32 length | text.  256 large values instead of one
 * small one for each case: reading them all is what a search costs.
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

/* Keep, replace or (len 0) drop the text of a case; inside a batch of the caller's. */
PERR_MUST_CHECK enum perr search_put(struct client *c,
                                    const uint8_t record[STATEMENT_RECORD_SIZE],
                                    const char *text, size_t len);

/*
 * The text of a case, from its texts: a buffer that grows; wiped by search_text_free.
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
