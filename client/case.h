/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * case: the statements of one record, merged: what is listed, shown, searched, exported.
 *
 * The summary is worked out from the statements alone, in the order of (day, author,
 * number, hash), so every reader with the same statements has the same summary, whatever
 * the order of arrival.  Nothing is overwritten: an answer after an answer is one more line.
 *
 * Everything here first merges what came in since (case_refresh), in batches of its own:
 * never call it inside one.
 *
 * In the store: case/<record hex>, the summary; reviewed, the header hash under which pending
 * statements were looked at last; and the texts of search.h.
 */
#ifndef AMPARO_CASE_H
#define AMPARO_CASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "assigned.h"
#include "case_code.h"
#include "client.h"
#include "envelope.h"
#include "marks.h"
#include "perr.h"
#include "record.h"
#include "statement.h"

#define CASE_PEOPLE_MAX 32

/* of attorneys; who interprets does not change it */
enum case_state {
	CASE_OPEN = 1,               /* nobody has it */
	CASE_ASSIGNED = 2,           /* somebody was asked */
	CASE_ACCEPTED = 3,           /* somebody said yes */
	CASE_RETURNED = 4,           /* everybody asked said no, or nothing */
	CASE_HELD = 5,
	CASE_CLOSED = 6
};
const char *case_state_text(enum case_state s);         /* "assigned"; static */

struct case_summary {
	uint8_t record[STATEMENT_RECORD_SIZE];
	char code[CASE_CODE_LEN + 1];    /* canonical */
	char form_id[65], form_version[33], language[17];
	char title[MARKS_TITLE_MAX + 1]; /* the code where nobody is named */
	uint8_t author[32];
	uint8_t desk[32];
	uint32_t day;                    /* of the interview */
	uint32_t received_day;
	uint32_t deadline;               /* day; 0: none; as on the day of the interview */
	uint32_t n_deadlines;
	struct marks_deadline deadlines[MARKS_DEADLINES_MAX];    /* by day */
	enum case_state state;
	bool urgent;
	bool pending;                    /* a statement's author is not in the roster (yet) */
	bool hidden;                     /* there is nothing yet that may be shown */
	bool conflict;                   /* several interviews under one record id */
	bool is_mine;                    /* assigned to this member, answered or not */
	bool unanswered;                 /* returned because somebody did not answer in time */
	bool copies_due;                 /* not everything is known to be passed on (forward.h) */
	uint32_t n_statements, n_attachments, n_notes, n_corrections;
	bool is_alone;                   /* a correction whose interview has not arrived */
	uint32_t n_conflicts;            /* answers on which corrections differ (case_merge.h) */
	uint32_t n_people;               /* whoever was asked or recused themselves */
	struct assigned people[CASE_PEOPLE_MAX];     /* as assigned_merge; states of today */
};

/* is no attorney working on it: open, or everybody asked said no or nothing? */
bool case_is_unassigned(const struct case_summary *s);
/* what this person has to do with the record; NULL: nothing */
const struct assigned *case_person(const struct case_summary *s, const uint8_t key[32]);

/* the deadline to look at on the day `today` (marks_next); NULL where there is none */
const struct marks_deadline *case_deadline(const struct case_summary *s, uint32_t today);

PERR_MUST_CHECK enum perr case_refresh(struct client *c);

typedef enum perr case_fn(void *arg, const struct case_summary *s);
/* all but hidden ones.  n_hidden out: those; may be NULL */
PERR_MUST_CHECK enum perr case_each(struct client *c, case_fn *fn, void *arg, unsigned *n_hidden);
/* PERR_NOTFOUND */
PERR_MUST_CHECK enum perr case_summary(struct client *c,
                                      const uint8_t record[STATEMENT_RECORD_SIZE],
                                      struct case_summary *s);

/*
 * Which case is meant: a code as people type it, its first four characters or more if only
 * one case begins so, or "id:" and the first eight or more hex digits of the record id.
 * n  out: how many fit; may be NULL
 * PERR_NOTFOUND.  PERR_EXISTS: several.  PERR_FORMAT: not a code.  PERR_AUTH: a whole code
 * whose check does not fit: mistyped.
 */
PERR_MUST_CHECK enum perr case_find(struct client *c, const char *text,
                                   uint8_t record[STATEMENT_RECORD_SIZE], unsigned *n);

/* ---- the whole file ----------------------------------------------------------------------- */

/* one statement as it is stored */
struct case_statement {
	char name[96];                   /* in the store */
	uint8_t *raw;                    /* owned */
	size_t raw_len;
	struct envelope env;             /* borrows raw; keys of attachments: wiped by case_close */
	struct statement st;             /* borrows raw; of a copy of something that was said: that */
	struct statement *copy;          /* the copy it came in; owned; NULL: it came itself */
	struct statement *via;           /* the referral that an assignment passed on; owned or NULL */
	struct statement *original;      /* of an assignment, referral, or copy of an interview or
	                                    correction; owned; else NULL */
	uint8_t hash[32];
	uint32_t number;                 /* of the sequence; 0: not opened */
	uint32_t received_day;
	unsigned flags;                  /* enum record_flag */
	bool is_unknown;                 /* of a later version: only its head is filled */
};
/* an interview or correction, received itself or passed on by an assignment */
struct case_source {
	const struct statement *st;      /* kind 1 or 2 */
	struct doc_bytes bytes;
	const uint8_t *sig;
	uint8_t hash[32];
	/* what passes it on to somebody: itself, or the referral by which this desk has it */
	struct doc_bytes pass;
	const uint8_t *pass_sig;
	const uint8_t *desk;             /* by which it is here: its own, or that it was referred to */
	const struct case_statement *by; /* what it came in */
};
struct case_attachment {
	const struct statement_attachment *a;
	const struct case_source *of;
	bool is_here;                    /* the content is in the store */
};

struct case_file {
	struct case_summary s;
	size_t n;
	struct case_statement **at;      /* merged order */
	size_t n_interviews, n_corrections;
	struct case_source *interviews;  /* the first one is the case's */
	struct case_source *corrections;
	size_t n_attachments;
	struct case_attachment *attachments;
};
/* the referral by which a statement brought a record to a desk; NULL: it did not */
const struct statement *case_referral(const struct case_statement *s);
/* out: for case_close.  PERR_NOTFOUND also: hidden */
PERR_MUST_CHECK enum perr case_open(struct client *c,
                                   const uint8_t record[STATEMENT_RECORD_SIZE],
                                   struct case_file **out);
void case_close(struct case_file *f);            /* wipes; NULL is harmless */

/* an attachment's content, for kv_free.  PERR_NOTFOUND: not here yet */
PERR_MUST_CHECK enum perr case_content(struct client *c, const struct case_attachment *a,
                                      uint8_t **data, size_t *len);

#endif
