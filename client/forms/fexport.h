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
 * Several versions of one form stand in one table set.  As in Central's export "with
 * fields not in the published form", the columns are those of the newest version, in its
 * order; behind them, within each group, those that only older versions have.  A column's
 * name is its path, so one question has one column whatever the version; FormVersion says
 * which one a row was taken with.  A path that was a text and is a place (or a group, or a
 * repeat) has the columns of both.
 *
 * What no version has a column for (a version that is not at hand, a node nobody knows) is
 * put into one column at the end, OtherAnswers, as a JSON object of path and answer:
 * nothing that somebody said is left out.
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
	FEXPORT_SPLIT = 4,              /* a column of 0 and 1 for each choice of a select */
	FEXPORT_OTHER = 8               /* the column OtherAnswers */
};

/*
 * A table set for one form; rows are added one instance at a time.
 * lang   for FEXPORT_LABELS; NULL: the form's default
 * NULL: out of memory.
 */
struct fexport *fexport_new(const struct xform *f, unsigned flags, const char *lang);
/*
 * The same for several versions of one form.
 * id      the form's, for the names of the tables
 * forms   newest first; each outlives x.  n_forms 0: none is at hand
 */
struct fexport *fexport_new_versions(const char *id, const struct xform *const *forms,
                                     size_t n_forms, unsigned flags, const char *lang);
/* Columns of the caller's at the end of the main table; before the first row.  Borrowed. */
void fexport_more(struct fexport *x, const char *const *names, size_t n);
void fexport_free(struct fexport *x);           /* wipes */

/*
 * key   the case's key where the instance has no instanceID, or one that another row of
 *       these tables has (then behind it and "~"); may be NULL
 * PERR_STATE: the instance was parsed with another form, or, without FEXPORT_OTHER,
 * without one.  PERR_LIMIT; PERR_NOMEM: no memory; either way x is of no more use.
 */
enum perr fexport_add(struct fexport *x, const struct instance *in, const char *key);
/* more   one text for each column of fexport_more */
enum perr fexport_add_with(struct fexport *x, const struct instance *in, const char *key,
                           const char *const *more);

/* Tables: 0 is the main one, then the repeats in the form's order. */
size_t fexport_n_tables(const struct fexport *x);
/* "raid.csv", "raid-children-child.csv": a plain file name; borrowed */
const char *fexport_name(const struct fexport *x, size_t i);
/* The table as it is now, header first; borrowed until the next call on x. */
const uint8_t *fexport_bytes(struct fexport *x, size_t i, size_t *len);

/*
 * One instance as a JSON object: {"form", "version", "instanceID", "answers": {…}}.
 * Groups are objects, repeats arrays, numbers numbers, selects arrays; what is empty is
 * left out.  Answers without a question in the form are strings.
 * The caller wipes and frees *json.  PERR_NOMEM.
 */
enum perr fexport_json(const struct instance *in, uint8_t **json, size_t *len);

#endif
