/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * marks: what the marks of a form (docs/FORMS.md) make of a filled instance: its
 * line in a list, whether it is urgent, which date must not pass.
 */
#ifndef AMPARO_MARKS_H
#define AMPARO_MARKS_H

#include <stdbool.h>
#include <stdint.h>

#include "instance.h"
#include "perr.h"
#include "xform.h"

#define MARKS_TITLE_MAX 200
#define MARKS_LABEL_MAX 120
#define MARKS_DEADLINES_MAX 8

struct marks_deadline {
	uint32_t day;
	char label[MARKS_LABEL_MAX + 1]; /* of the question */
};

struct marks {
	char title[MARKS_TITLE_MAX + 1]; /* "" where nobody is named */
	bool urgent;
	uint32_t deadline;               /* day; 0: none */
	uint32_t n_deadlines;
	struct marks_deadline deadlines[MARKS_DEADLINES_MAX];    /* by day */
};

/*
 * day   in: of the interview.  The deadline is the first one on or after it, else the last
 *       one before it; and it is what today() means in a mark, so that all readers of a case
 *       get the same whenever they look.  Where there are more deadlines than fit, those
 *       before it are dropped first, then the latest.
 * lang  in: of the labels; NULL: the form's default
 *
 * Marks that compute without end make a case urgent: somebody has to look at it.
 * PERR_NOMEM.  PERR_STATE: in was parsed without its form.
 */
PERR_MUST_CHECK enum perr marks_read(struct marks *m, const struct xform *form,
                                    struct instance *in, uint32_t day, const char *lang);

/*
 * Of n deadlines in order of day the one to look at on the day `today`: the next one, else
 * the last that has passed; NULL where there are none.
 */
const struct marks_deadline *marks_next(const struct marks_deadline *at, uint32_t n,
                                        uint32_t today);

#endif
