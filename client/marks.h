/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * marks: what the marks of a form (docs/forms/README.md) make of a filled instance: its
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

struct marks {
	char title[MARKS_TITLE_MAX + 1]; /* "" where nobody is named */
	bool urgent;
	uint32_t deadline;               /* day; 0: none */
};

/*
 * day  in: of the interview.  The deadline is the first one on or after it, else the last
 *      one before it; and it is what today() means in a mark, so that all readers of a case
 *      get the same whenever they look.
 *
 * Marks that compute without end make a case urgent: somebody has to look at it.
 * PERR_NOMEM.  PERR_STATE: in was parsed without its form.
 */
PERR_MUST_CHECK enum perr marks_read(struct marks *m, const struct xform *form,
                                    struct instance *in, uint32_t day);

#endif
