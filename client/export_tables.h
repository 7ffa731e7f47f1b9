/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * export_tables: cases as tables, for a spreadsheet or a statistician.
 *
 *	<form>.csv              one row a case, columns as ODK Central's
 *	<form>-<repeat>.csv     one row for each instance of a repeat, with its parent's key
 *	corrections.csv         what was corrected afterwards; the rows above say what was
 *	                        answered at the interview
 *
 * All versions of a form stand in one table (fexport.h).  Behind the form's columns stand
 * what the office added: CaseCode, InterviewDay, Language, Desk, Author, State, AssignedTo,
 * Urgent, Deadline, AttachmentsPresent, AttachmentsExpected, Edits.
 *
 * Forms are found by cache.h; a case whose form is not on this device has all its answers
 * in the column OtherAnswers.
 */
#ifndef AMPARO_EXPORT_TABLES_H
#define AMPARO_EXPORT_TABLES_H

#include "case.h"
#include "client.h"
#include "export.h"
#include "perr.h"

struct export_tables;

/*
 * flags: of enum fexport_flags; lang: for its labels, NULL: each form's default; borrowed until
 * export_tables_free
 */
PERR_MUST_CHECK enum perr export_tables_new(struct export_tables **out, struct client *c,
                                           unsigned flags, const char *lang);
void export_tables_free(struct export_tables *x);       /* wipes; NULL is harmless */

/*
 * One case: a row for each interview, a line for each change of its corrections.
 * n_unreadable  out: interviews that are no XML and so are in no table
 */
PERR_MUST_CHECK enum perr export_tables_add(struct export_tables *x, const struct case_file *f,
                                           unsigned *n_unreadable);

/* Writes the tables into the sink's top folder; n_files out: how many. */
PERR_MUST_CHECK enum perr export_tables_write(struct export_tables *x,
                                             const struct export_sink *sink, unsigned *n_files);

#endif
