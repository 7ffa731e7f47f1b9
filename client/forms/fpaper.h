/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * fpaper: a form to print, for visits where no phone is allowed.
 *
 * One HTML document without scripts and without anything fetched: numbered questions as
 * on the screen, boxes for characters, circles for one choice and squares for several,
 * relevance as instructions ("go to 14", "only if question 4 is Yes"), room for several
 * people in a repeat, signatures, and a slip with an empty case code to cut off for the
 * family.  It prints in black on Letter or A4, each page with the form's name, version and
 * its number.  The heading is the form's text "title" in the language, where it has one.
 */
#ifndef AMPARO_FPAPER_H
#define AMPARO_FPAPER_H

#include <stddef.h>
#include <stdint.h>

#include "xform.h"

enum fpaper_size { FPAPER_LETTER, FPAPER_A4 };

struct fpaper_options {
	enum fpaper_size size;
	const char *lang;               /* NULL: the form's default */
	const char *organisation;       /* printed at the head and on the slip; NULL: none */
	const char *contact;            /* where the family can ask, on the slip; NULL: lines */
	unsigned n_repeats;             /* empty copies of each repeat; 0: three */
};

/* The caller frees *html (it holds no answers).  PERR_NOMEM. */
enum perr fpaper_html(const struct xform *f, const struct fpaper_options *o, uint8_t **html,
                      size_t *len);

#endif
