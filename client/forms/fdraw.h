/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * fdraw: what nobody could answer, however it is drawn: refused when a form is published.
 *
 * Not part of xform_parse: a form that was published once must stay readable with its cases.
 */
#ifndef AMPARO_FDRAW_H
#define AMPARO_FDRAW_H

#include <stdbool.h>

#include "xform.h"

/*
 * - a scale whose ends or step are no numbers, or whose step is nothing
 * - a file of a kind that no device takes: photographs, recordings, films, text and PDF are
 *
 * why  out: one sentence that names the first such question by number and label, in the
 *      form's default language
 * false: there is one.
 */
bool fdraw_check(const struct xform *f, char why[XFORM_WHY_SIZE]);

#endif
