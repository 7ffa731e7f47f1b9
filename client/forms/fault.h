/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * fault: what is wrong with a form or with a filled instance, one sentence each.
 *
 * A list owns its texts.  It holds at most FAULTS_MAX entries; further ones are counted
 * only, so that a hostile document cannot make it grow.
 */
#ifndef AMPARO_FAULT_H
#define AMPARO_FAULT_H

#include <stdbool.h>
#include <stddef.h>

#define FAULTS_MAX 1000

enum fault_kind {
	FAULT_XML,              /* not a document at all */
	FAULT_FORM,             /* belongs to another form or version, or the form is refused */
	FAULT_UNKNOWN,          /* an answer to a question the form does not have */
	FAULT_REPEATED,         /* a question that may stand once stands twice */
	FAULT_FILE,             /* an attachment's name */
	FAULT_REQUIRED, FAULT_CONSTRAINT, FAULT_IRRELEVANT, FAULT_CHOICE, FAULT_TYPE,
	FAULT_COUNT,            /* fewer or more repeats than the form asks for */
	FAULT_EXPRESSION,       /* an expression of the form cannot be evaluated */
	FAULT_LINT              /* worth changing, but no reason to refuse */
};

struct fault {
	enum fault_kind kind;
	unsigned number;        /* the question's number, 0: it has none */
	const char *path;       /* "/data/child[2]/age", "" where there is none */
	const char *label;      /* the question's label, "" where there is none */
	const char *text;       /* one sentence, naming the question */
};

struct faults;

struct faults *faults_new(void);        /* NULL: out of memory */
void faults_free(struct faults *l);     /* wipes the texts; NULL is harmless */

/* Copies all texts, each made one line without control characters.  A list that ran out of memory says so in faults_is_broken. */
void faults_add(struct faults *l, enum fault_kind kind, unsigned number, const char *path,
                const char *label, const char *fmt, ...) __attribute__((format(printf, 6, 7)));

size_t faults_count(const struct faults *l);            /* entries that can be read */
size_t faults_total(const struct faults *l);            /* also those only counted */
bool faults_is_broken(const struct faults *l);
/* i < faults_count; borrowed until the list is freed */
const struct fault *faults_at(const struct faults *l, size_t i);

#endif
