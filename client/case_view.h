/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * case_view: what a case looks like to a person, apart from the paper or screen it is drawn
 * on: which answers are shown where, what corrections did to them, what happened since.  The
 * command line and the page draw the same.
 */
#ifndef AMPARO_CASE_VIEW_H
#define AMPARO_CASE_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "case.h"
#include "case_merge.h"
#include "client.h"
#include "fault.h"
#include "perr.h"
#include "xform.h"

/*
 * A question's label by the path of an answer in it, positions left aside; "" where the form
 * has none of it (form NULL: it is not here).  out: XFORM_LABEL_SIZE
 */
void case_view_label(const struct xform *form, const char *path, size_t len, const char *lang,
                     char *out);

/* what corrections made of an answer */
enum case_view_how {
	CASE_VIEW_CORRECTED,
	CASE_VIEW_ADDED,             /* one of a repeat that a correction adds */
	CASE_VIEW_CONFLICT,          /* they differ */
	CASE_VIEW_DOUBT              /* one takes it out, another corrects something in it */
};
enum case_view_how case_view_how(const struct merge_field *f);

/* a word about an answer as people read it; out: zero-ended, to be wiped and freed; NULL where
 * it is taken away, "" where it is left blank.  PERR_NOMEM */
PERR_MUST_CHECK enum perr case_view_said(const struct case_merged *m, const struct merge_field *f,
                                         const struct merge_said *s, const char *lang,
                                         char **out);
/* the same of the answer at the interview; "": there was none */
PERR_MUST_CHECK enum perr case_view_before(const struct case_merged *m,
                                           const struct merge_field *f, const char *lang,
                                           char **out);

/* has field number i of the merge no row among the answers any more? */
bool case_view_is_taken(const struct case_merged *m, uint32_t i);

/*
 * What the form says of the answers of interview `which` with its corrections.
 * m    in: of that interview
 * out  out: for faults_free; NULL after an error, and where nothing was corrected or it
 *      cannot be told
 */
PERR_MUST_CHECK enum perr case_view_faults(const struct case_file *f, size_t which,
                                           const struct case_merged *m, const char *lang,
                                           struct faults **out);

/* something that happened to the case: not what it consists of, nor how that was passed on */
bool case_view_is_event(const struct case_statement *s);

/* whose case is this to open?  false: this member recused themselves from it */
bool case_view_may_open(const struct client *c, const struct case_summary *s);

#endif
