/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* say: a sentence for a person, wrapped to the terminal, made harmless before it is printed. */
#ifndef AMPARO_SAY_H
#define AMPARO_SAY_H

#include <stdio.h>

#define SAY_MAX 900

/*
 * f       in: stdout or stderr
 * indent  in: columns before every line
 * What is formatted in may come from strangers (names): it goes through term_safe.  Longer
 * than SAY_MAX bytes it is cut.
 */
void say(FILE *f, unsigned indent, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#endif
