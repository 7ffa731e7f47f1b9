/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * render: a filled instance as rows that a screen or a page prints, and as text to search.
 *
 * Rows come in the order of the form's body, once for each instance of a repeat; then,
 * under them, what the body does not show: calculated values, and answers whose question
 * the form does not have (any more).  Nothing that was answered is left out.
 */
#ifndef AMPARO_RENDER_H
#define AMPARO_RENDER_H

#include <stdbool.h>
#include <stddef.h>

#include "instance.h"

enum render_kind {
	RENDER_GROUP,           /* label of a group; value is "" */
	RENDER_REPEAT,          /* one instance of a repeat; index says which, of how many */
	RENDER_QUESTION,
	RENDER_NOTE,            /* text the form shows; value may be "" */
	RENDER_HIDDEN,          /* calculated or recorded, without a question */
	RENDER_UNKNOWN          /* no such question in this form; label is the node's name */
};

/* All texts are UTF-8, never NULL, and borrowed for the time of the call. */
struct render_row {
	enum render_kind kind;
	unsigned depth;         /* 0 at the top */
	unsigned index, n_of;   /* RENDER_REPEAT: index from 1, of n_of */
	unsigned number;        /* RENDER_QUESTION: the question's number */
	const char *label;      /* in the language asked for */
	const char *value;      /* as it stands in the document */
	const char *shown;      /* for people: labels of the choices, dates in words */
	const char *path;       /* "/data/child[2]/age" */
	bool is_attachment;     /* value is the name of an attached file */
};

enum render_flags {
	RENDER_EMPTY = 1,       /* also questions without an answer */
	RENDER_META = 2         /* also the form's meta block (instanceID and the like) */
};

/* Returns false to stop. */
typedef bool render_fn(void *ctx, const struct render_row *row);

/*
 * lang    the form's default when NULL or not there
 * flags   of enum render_flags, 0 for none
 * PERR_OK also when fn stopped it.  PERR_NOMEM.
 */
enum perr render_rows(const struct instance *in, const char *lang, unsigned flags,
                      render_fn *fn, void *ctx);

/*
 * A value as it would be shown if it were the answer at a path ("/data/child[2]/age").
 * out  out: zero-ended; the caller wipes and frees it.  A path that is not there: the value
 * PERR_NOMEM.
 */
enum perr render_shown(const struct instance *in, const char *path, const char *value, size_t len,
                       const char *lang, char **out);

/*
 * All answers, and the labels of chosen choices in every language, one a line: what a
 * search looks through (fold it first).  The meta block and attachments' names are left
 * out.
 *
 * out   out: zero-ended, *len bytes without the zero; the caller wipes and frees it
 * PERR_NOMEM.
 */
enum perr render_text(const struct instance *in, char **out, size_t *len);

#endif
