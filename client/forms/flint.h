/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * flint: what the author of a form should mend before it is published.
 *
 * xform_parse refuses what cannot work; this finds what works and is probably wrong:
 * translations that are missing, choices and questions nobody can reach, questions that
 * say who somebody is before anybody agreed to it, and features that are ignored here.
 */
#ifndef AMPARO_FLINT_H
#define AMPARO_FLINT_H

#include "xform.h"

struct faults;

/*
 * Adds one FAULT_LINT a finding, in the order of the form; each one sentence that names
 * the question by number and label (in the form's default language).
 * PERR_NOMEM.
 */
enum perr flint_check(const struct xform *f, struct faults *faults);

#endif
