/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * fmark: what an answer means to the office, by the markings of the project's namespace.
 *
 * On a <bind>, with xmlns:amparo="urn:amparo:forms:1" (in an XLSForm: a namespaces setting
 * and a column bind::amparo:urgent):
 *
 *   amparo:urgent="EXPR"     true: the case comes before the others
 *   amparo:deadline="EXPR"   true(): the answer is a day by which something must be done;
 *                            else the expression gives that day
 *   amparo:identity="EXPR"   true(): the answer says who somebody is
 *   amparo:stat="EXPR"       true(): the answer may be counted
 *
 * Expressions are evaluated at the node, as in its constraint; irrelevant nodes have no
 * marks.
 */
#ifndef AMPARO_FMARK_H
#define AMPARO_FMARK_H

#include "instance.h"

struct fmark {
	enum xform_mark mark;
	const char *path, *label;       /* of the question, in the language */
	const char *value, *shown;      /* the answer; see render.h */
	int64_t day;                    /* XFORM_DEADLINE: days since 1970-01-01, local */
};

/* Borrowed for the time of the call; false stops. */
typedef bool fmark_fn(void *ctx, const struct fmark *m);

/* PERR_STATE: parsed without a form.  PERR_LIMIT: an expression computes without end. */
enum perr fmark_each(struct instance *in, const char *lang, const struct fclock *now,
                     fmark_fn *fn, void *ctx);

#endif
