/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * case_merge: the answers of a case as they stand after all amendments, and where each of
 * them comes from.  PROTOCOL 4.5; merge.h decides, fpatch.h carries out.
 *
 * The same statements give the same answers on every reader's device, byte for byte.  The
 * interview as it was sent stays beside them (case_file.interviews).
 */
#ifndef AMPARO_CASE_MERGE_H
#define AMPARO_CASE_MERGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "case.h"
#include "client.h"
#include "fpatch.h"
#include "instance.h"
#include "marks.h"
#include "merge.h"
#include "perr.h"

/* why an amendment is shown and not merged */
enum case_left {
	CASE_LEFT_NOT,               /* it is merged */
	CASE_LEFT_PENDING,           /* its author is in no roster (yet) */
	CASE_LEFT_FORM,              /* it is for another form than the interview's */
	CASE_LEFT_MANY               /* more than MERGE_MAX of them */
};

/* interview number `which` of a case with the amendments of its code */
struct case_merged {
	const struct xform *form;        /* borrowed; NULL: not here */
	struct instance *in;             /* the answers; NULL: they are no XML, why says so */
	char why[INSTANCE_WHY_SIZE];
	struct merge *m;                 /* never NULL */
	struct fpatch *patch;            /* one for each field, in their order */
	enum case_left *left;            /* one for each of the case's corrections */
	uint32_t n_conflicts, n_left;
	bool is_endless;                 /* a calculation has no end: stored values stand */
	struct merge_in *given;          /* for this module */
};
/*
 * f    in: of case_open; outlives the result
 * out  out: for case_merged_free; NULL after an error
 * PERR_RANGE: no interview of this number.  PERR_NOMEM.
 */
PERR_MUST_CHECK enum perr case_merge(struct client *c, const struct case_file *f, size_t which,
                                    struct case_merged **out);
void case_merged_free(struct case_merged *m);    /* wipes; NULL is harmless */

/* the field whose answer stands at a path of the merged answers (render.h); NULL: none */
const struct merge_field *case_merged_at(const struct case_merged *m, const char *path);
const struct fpatch *case_merged_patch(const struct case_merged *m, const struct merge_field *f);
/* the correction a field's change came in */
const struct statement *case_merged_by(const struct case_merged *m, const struct merge_said *s);

/* what became of one change of a correction */
enum case_change {
	CASE_CHANGE_COUNTS,          /* it is the answer */
	CASE_CHANGE_CONFLICT,        /* it stands, and so does another one */
	CASE_CHANGE_REPLACED,        /* a later word replaced it */
	CASE_CHANGE_UNKNOWN,         /* the interview's form has no such question */
	CASE_CHANGE_COMPUTED,        /* a calculated value */
	CASE_CHANGE_NO_PLACE,        /* the interview has no such child, paper … */
	CASE_CHANGE_TAKEN_OUT,       /* … or it was taken out */
	CASE_CHANGE_WAITING,         /* … or what adds it is not here; or the interview is not */
	CASE_CHANGE_PENDING, CASE_CHANGE_FORM, CASE_CHANGE_MANY      /* as enum case_left */
};
/*
 * Of change `nth` of correction `which` of the case.
 * merged  in: of the first interview; NULL: there is none
 */
enum case_change case_change_of(const struct case_file *f, const struct case_merged *merged,
                                size_t which, uint32_t nth);
/* "counts", "conflict", "replaced", …: for tables; static */
const char *case_change_text(enum case_change c);
/* what a person is told of it, as a sentence without a full stop; "" where it counts */
const char *case_change_why(enum case_change c);

/*
 * What the answers make of the case.  Where two people said different things it is urgent if
 * it would be by any of them, and the deadlines of all are listed: who has to look at a
 * conflict must not find it at the end of the list.
 * lang  in: as marks_read
 */
PERR_MUST_CHECK enum perr case_marks(const struct case_file *f, const struct case_merged *merged,
                                    const char *lang, struct marks *m);

#endif
