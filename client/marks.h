/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * marks: what the marks of a form (docs/forms/README.md) make of a filled instance: its
 * line in a list, whether it is urgent, which date must not pass.
 *
 * A condition is about the answer it stands at: comparisons of "." with a text or a
 * number, selected(., 'x'), string-length(.), count-selected(.), not(), and, or,
 * parentheses.  A condition of another kind counts as true where the question was answered:
 * a case too many at the top of a list does less harm than one too few.
 */
#ifndef AMPARO_MARKS_H
#define AMPARO_MARKS_H

#include <stdbool.h>
#include <stdint.h>

#include "instance.h"
#include "xform.h"

#define MARKS_TITLE_MAX 200

struct marks {
	char title[MARKS_TITLE_MAX + 1]; /* "" where nobody is named */
	bool urgent;
	uint32_t deadline;               /* day; 0: none */
};

/*
 * day  in: of the interview.  The deadline is the first one on or after it, else the last
 *      one before it.
 */
void marks_read(struct marks *m, const struct xform *form, const struct instance *in,
                uint32_t day);

/* does the condition hold for this answer?  1, 0, or -1: not a condition of this kind */
int marks_condition(const char *condition, const char *answer);

#endif
