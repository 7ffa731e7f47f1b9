/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * table: aligned columns for people.  Cells are made harmless with term_safe, so
 * untrusted text may be given as it is.
 */
#ifndef AMPARO_TABLE_H
#define AMPARO_TABLE_H

#include <stdio.h>

#include "perr.h"

#define TABLE_COLUMNS_MAX 16

struct table;

/*
 * heads   in: n_cols titles (1..TABLE_COLUMNS_MAX), copied.  A title beginning with '>' aligns
 *         its column to the right, one with '!' is never cut (codes, numbers); the
 *         mark is not shown.
 * NULL if there is no memory.  To be given to table_free.
 */
struct table *table_new(unsigned n_cols, const char *const *heads);

/* One row, copied; NULL cells are empty. */
PERR_MUST_CHECK enum perr table_row(struct table *t, const char *const *cells);

/* How many rows so far. */
unsigned table_rows(const struct table *t);

/*
 * Print head, rule and rows within `width` columns (0: uncut).  The widest columns
 * are cut first, with "…".  Prints nothing if there are no rows.
 */
void table_print(const struct table *t, FILE *f, unsigned width);

/* NULL is harmless. */
void table_free(struct table *t);

#endif
