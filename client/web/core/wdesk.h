/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * wdesk: what the attorney's ops share: who may call them, ids in hex, people and rows as the
 * page reads them (app/ops_desk.ts), and what is kept from one call to the next.
 */
#ifndef AMPARO_WDESK_H
#define AMPARO_WDESK_H

#include "case.h"
#include "case_list.h"
#include "web.h"

/* longest texts of arguments, in bytes */
#define WDESK_REASON_MAX 1024
#define WDESK_LANG_MAX   64
#define WDESK_CASES_MAX  100000          /* of one export */

struct wdesk_export;

/* WEB_PART_DESK */
struct wdesk {
	/* the list: all of it, and what was chosen last */
	struct case_list *list;
	unsigned long stamp;                     /* of the rows when it was loaded */
	unsigned long version;                   /* rises when it became another one */
	struct case_pick *picks;                 /* NULL: nothing was chosen of this list yet */
	size_t n_picks, n_urgent, n_overdue;
	struct case_filter filter;               /* of the choice; desk and hits: not used */
	uint8_t desk[32];
	bool has_desk;
	char *text;                              /* of the search; NULL: none */
	struct wdesk_export *export;             /* op_export.c */
};
/* made when it is first asked for; PERR_STATE: this member reads no cases (yet) */
PERR_MUST_CHECK enum perr wdesk_open(struct web *w, struct wdesk **d);
/* for wdesk_open's owner: wipes; NULL is harmless */
void wdesk_export_free(struct wdesk_export *x);

/* ---- arguments ------------------------------------------------------------------------------ */

/* an id in lower-case hex, len bytes of it; false: nil (only if may_be_nil) or an error */
bool wdesk_arg_id(struct web_args *a, const char *name, uint8_t *id, size_t len,
                  bool may_be_nil);
/* lower-case hex of len bytes; out: 2 * len + 1 */
PERR_MUST_CHECK enum perr wdesk_unhex(uint8_t *id, size_t len, const char *hex, size_t hex_len);
/* a language; NULL for "" */
const char *wdesk_arg_lang(struct web_args *a);

/* ---- answers ------------------------------------------------------------------------------- */

void wdesk_put_id(struct web_out *o, const char *name, const uint8_t *id, size_t len);
/* Who, without closing the map */
void wdesk_begin_who(struct web *w, struct web_out *o, const char *name, const uint8_t key[32]);
void wdesk_put_who(struct web *w, struct web_out *o, const char *name, const uint8_t key[32]);
/* CasePerson */
void wdesk_put_person(struct web *w, struct web_out *o, const char *name,
                      const struct assigned *p);
/* "offered"; static */
const char *wdesk_person_state(enum assigned_state s);
const char *wdesk_role(enum statement_role r);
/* a desk's name; "" if it is not listed (any more) */
void wdesk_put_desk_name(struct web *w, struct web_out *o, const char *name,
                         const uint8_t desk[32]);
/* Due; a deadline of the case */
void wdesk_put_due(struct web *w, struct web_out *o, const char *name,
                   const struct marks_deadline *d);
/* CaseRow.  due  in: the number of the deadline the row is about; -1: none */
PERR_MUST_CHECK enum perr wdesk_put_row(struct web *w, struct web_out *o, const char *name,
                                        const struct case_summary *s, int due);

/* PERR_REFUSED with this Refusal as its `why` */
enum perr wdesk_refuse(struct web_out *o, const char *refusal);
/*
 * The case opened, unless this member recused themselves (PERR_REFUSED, "recused").
 * f  out: for case_close
 */
PERR_MUST_CHECK enum perr wdesk_case(struct web *w, struct web_out *o,
                                     const uint8_t record[STATEMENT_RECORD_SIZE],
                                     struct case_file **f);

#endif
