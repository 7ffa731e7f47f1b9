/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * case_list: which cases a person sees, in which order: what `amparo cases` prints and a
 * page's list shows.
 *
 * case_list_load walks through the store once and keeps what the choice needs, 120 bytes for a
 * case; case_list_pick then chooses and sorts without the store, so that a page of a long list
 * costs only its rows.  A list is as of the day and the store it was loaded from: load it anew
 * after either changed.
 */
#ifndef AMPARO_CASE_LIST_H
#define AMPARO_CASE_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "case.h"
#include "client.h"
#include "perr.h"

struct case_entry {
	uint8_t record[STATEMENT_RECORD_SIZE];
	uint8_t desk[32];
	char code[CASE_CODE_LEN + 1];
	uint32_t day;                    /* of the interview */
	uint32_t n_statements;           /* rises with whatever is said of it */
	enum case_state state;
	bool urgent, unanswered, is_mine;
	bool is_recused;                 /* this member is out of it for good */
	bool is_unassigned;              /* case_is_unassigned */
	uint8_t n_deadlines;
	uint32_t deadlines[MARKS_DEADLINES_MAX];
};

struct case_list {
	uint32_t today;                  /* client_day, when it was loaded */
	size_t n;
	struct case_entry *at;
	unsigned n_hidden;               /* kept aside (case_each) */
};
/* out: for case_list_free; NULL after an error.  Not inside a batch.  Errors of case_each */
PERR_MUST_CHECK enum perr case_list_load(struct client *c, struct case_list **out);
void case_list_free(struct case_list *l);        /* wipes; NULL is harmless */

struct case_hits {
	size_t n;
	uint8_t (*at)[STATEMENT_RECORD_SIZE];    /* in rising order; owned */
};
/*
 * What is listed: what all of these say.  The order: urgent ones first, then by the next
 * deadline, then the newest; closed ones last.
 */
struct case_filter {
	bool mine;                       /* assigned to this member, answered or not */
	/*
	 * What waits for an attorney, and first of it what nobody answered in time, then what was
	 * given back, then what nobody has, then what somebody was asked to take.
	 */
	bool waiting;
	bool unassigned;                 /* the same without the last */
	/*
	 * A line for each deadline up to the day `until`, earliest first; none of closed cases.
	 * Each by itself: one that has passed must not hide the next.
	 */
	bool by_due;
	uint32_t until;
	enum case_state state;           /* only these; 0: all */
	const uint8_t *desk;             /* only of this one; NULL: all */
	/*
	 * Only what a search found; NULL: no search.  What this member recused themselves from
	 * is left out: holder or not, they are not to come upon it.
	 */
	const struct case_hits *hits;
};
/* one line of the list */
struct case_pick {
	const struct case_entry *e;      /* of the list */
	int due;                         /* number of the deadline this line is about; -1: none */
	uint32_t due_day;                /* 0: none */
	uint32_t rank, next;             /* for this module */
};
/* out: n of them, to be freed; NULL after an error.  PERR_NOMEM */
PERR_MUST_CHECK enum perr case_list_pick(const struct case_list *l, const struct case_filter *f,
                                         struct case_pick **out, size_t *n);

/* search_run's finds.  hits out: for case_hits_free, in any case.  PERR_RANGE as search_run */
PERR_MUST_CHECK enum perr case_list_search(struct client *c, const char *query,
                                           struct case_hits *hits);
void case_hits_free(struct case_hits *hits);

#endif
