/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * fexport: filled instances as tables and as JSON.
 *
 * Tables follow what ODK Central hands out, so that what an office already does with such
 * files goes on working: the main table has one row a case, column names are the names of
 * groups and questions joined by "-", a place has four columns, every repeat is a table of
 * its own whose rows point to their parent row.  KEY of the main table is the instanceID;
 * of a repeat's row the parent's key with "/group/child[2]" behind it, and PARENT_KEY is
 * the parent's.  SubmissionDate stays empty: nobody here knows when a case arrived.
 *
 * Answers whose question is not in the form have no column: write cases of an older
 * version with its own form, or look at them with render or JSON.
 *
 * A spreadsheet that opens a table takes a field beginning with = + - @ for a formula;
 * FEXPORT_SAFE writes such text with an apostrophe before it (numbers are left alone).
 */
#ifndef AMPARO_FEXPORT_H
#define AMPARO_FEXPORT_H

#include <stddef.h>
#include <stdint.h>

#include "instance.h"

struct fexport;

enum fexport_flags {
	FEXPORT_SAFE = 1,
	FEXPORT_LABELS = 2,             /* labels of choices in the language, not their values */
	FEXPORT_SPLIT = 4               /* a column of 0 and 1 for each choice of a select */
};

/*
 * A table set for one form; rows are added one instance at a time.
 * lang   for FEXPORT_LABELS; NULL: the form's default
 * NULL: out of memory.
 */
struct fexport *fexport_new(const struct xform *f, unsigned flags, const char *lang);
void fexport_free(struct fexport *x);           /* wipes */

/*
 * key   the case's key where the instance has no instanceID; may be NULL
 * PERR_STATE: the instance was parsed with another form.  PERR_NOMEM, PERR_LIMIT.
 */
enum perr fexport_add(struct fexport *x, const struct instance *in, const char *key);

/* Tables: 0 is the main one, then the repeats in the form's order. */
size_t fexport_n_tables(const struct fexport *x);
/* "raid.csv", "raid-children-child.csv": a plain file name; borrowed */
const char *fexport_name(const struct fexport *x, size_t i);
/* The table as it is now, header first; borrowed until the next call on x. */
const uint8_t *fexport_bytes(const struct fexport *x, size_t i, size_t *len);

/*
 * One instance as a JSON object: {"form", "version", "instanceID", "answers": {…}}.
 * Groups are objects, repeats arrays, numbers numbers, selects arrays; what is empty is
 * left out.  Answers without a question in the form are strings.
 * The caller wipes and frees *json.  PERR_NOMEM.
 */
enum perr fexport_json(const struct instance *in, uint8_t **json, size_t *len);

#endif
