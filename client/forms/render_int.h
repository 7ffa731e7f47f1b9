/* SPDX-License-Identifier: AGPL-3.0-or-later */
#ifndef AMPARO_RENDER_INT_H
#define AMPARO_RENDER_INT_H

#include "render.h"
#include "xform_int.h"

/*
 * An answer for people: labels of choices, dates in words.  In arena a or borrowed; NULL:
 * out of memory.
 */
const char *render_value(struct farena *a, const struct xform *f, const struct fdef *def,
                         const char *value, size_t lang, const char *lang_code);

#endif
