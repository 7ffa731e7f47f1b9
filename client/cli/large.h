/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* large: a case code in letters that can be read from across a table. */
#ifndef AMPARO_LARGE_H
#define AMPARO_LARGE_H

#include <stdio.h>

/*
 * Print the characters of `text` (those of case codes and "-", others are left out) as
 * letters five columns wide and five lines high, after 4 spaces; at most 6 fit 40 columns.
 */
void large_print(FILE *f, const char *text, size_t len);

#endif
