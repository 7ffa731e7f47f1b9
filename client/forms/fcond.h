/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * fcond: what can be said about a condition without answers.
 *
 * For paper, where nobody evaluates: the condition in words ("question 4 is Yes"), and
 * whether one answer settles it ("if No, go to 14").  For the lint: whether it can ever
 * hold.
 */
#ifndef AMPARO_FCOND_H
#define AMPARO_FCOND_H

#include "fexpr.h"

enum fcond_truth { FCOND_UNKNOWN, FCOND_TRUE, FCOND_FALSE };

/*
 * The condition when the answer to def is value and nothing else is known; def NULL:
 * nothing at all is known.
 */
enum fcond_truth fcond_given(const struct fexpr *e, const struct fdef *def, const char *value);

/*
 * The same for a node, its groups included: FALSE when one of them is.
 */
enum fcond_truth fcond_relevance_given(const struct fdef *node, const struct fdef *def,
                                       const char *value);

/*
 * The condition in words of the language; NULL: it cannot be put into words (or no
 * memory).  In arena a.
 */
const char *fcond_words(struct farena *a, const struct xform *f, const struct fexpr *e,
                        size_t lang);

/*
 * Calls fn for each comparison of a question that has inline choices with a value it does
 * not offer: the condition compares with nothing anybody can choose.
 */
void fcond_impossible(const struct xform *f, const struct fexpr *e,
                      void (*fn)(void *ctx, const struct fdef *def, const char *value), void *ctx);

#endif
