/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * feval: the expressions of a form, evaluated over the answers of one person.
 *
 * Values have JavaRosa's types.  An answer counts by the type of its question: a date is
 * a date, an int a number; text compares with a number or a date by being read as one.
 * An absolute path inside a repeat means the instance it is evaluated in.  Irrelevant
 * nodes are not there.
 *
 * Relevance and calculations are computed when they are first asked for and remembered
 * until feval_forget, so their order never matters.  One that asks for itself is
 * relevant, or keeps its value, and sets is_circular.
 *
 * Work is bounded: fuel is spent by every node visited, depth by every nested evaluation;
 * when either ends, `why` says so and all further results are empty.
 */
#ifndef AMPARO_FEVAL_H
#define AMPARO_FEVAL_H

#include "fdate.h"
#include "fexpr.h"

#define FEVAL_FUEL 30000000u
#define FEVAL_DEPTH_MAX 2000
#define FEVAL_WHY_SIZE 256

/* fnode.relevant and fnode.calculated */
enum feval_memory { FEVAL_UNKNOWN, FEVAL_BUSY, FEVAL_YES, FEVAL_NO };

/* n random bytes; the library has no source of its own */
typedef void feval_random_fn(void *ctx, uint8_t *out, size_t n);

struct feval {
	const struct xform *form;
	struct farena *answers;         /* arena of the tree below root: calculated values */
	struct fnode *root;
	struct farena *scratch;
	struct fclock now;
	size_t lang;
	const char *lang_code;
	bool is_es;                     /* our own sentences in Spanish, else in English */
	feval_random_fn *random;        /* NULL: uuid() and random() give "" and 0 */
	void *random_ctx;
	bool do_calculate;              /* else stored values stand: a submission is checked */
	/*
	 * uuid(), random() and now() run again only when an answer they read has changed:
	 * this one.  A value nobody asked to change must not change.
	 */
	const struct fdef *changed;
	/* the context of what is evaluated now */
	const struct fnode *node, *current;
	size_t position;                /* in a predicate, from 1; 0 outside */
	const struct fnode *candidate;  /* whose value is replaced by candidate_text: see fill */
	const char *candidate_text;
	unsigned fuel, depth;
	/*
	 * Of other answers nothing is known: every node is relevant, choices are not filtered,
	 * and a constraint that reads other answers is not asked; was_unchecked says so.
	 */
	bool is_blind, was_unchecked, no_filter;
	bool is_circular;
	bool is_starved;                /* stopped because the device had no memory */
	char why[FEVAL_WHY_SIZE];       /* "" while all is well */
};

enum fval_kind { FVAL_STRING, FVAL_NUMBER, FVAL_BOOLEAN, FVAL_DATE, FVAL_NODES };

struct fval {
	enum fval_kind kind;
	bool boolean, has_time;
	double number;                  /* also FVAL_DATE: days, see fdate.h */
	const char *string;
	const struct fnode **nodes;
	size_t n_nodes;
};

/* Forgets relevance and calculations below n: call when an answer has changed. */
void feval_forget(struct feval *ev, struct fnode *n);

/* Values in *out live in ev->scratch. */
void feval_expr(struct feval *ev, const struct fexpr *e, struct fval *out);

/* At a node: the expression is the node's own (its bind's). */
void feval_at(struct feval *ev, const struct fexpr *e, const struct fnode *n, struct fval *out);
bool feval_is_true(struct feval *ev, const struct fexpr *e, const struct fnode *n);
/* Text in scratch, never NULL. */
const char *feval_text_at(struct feval *ev, const struct fexpr *e, const struct fnode *n);

bool feval_relevant(struct feval *ev, const struct fnode *n);
/* Computes the calculations below n; 0, or -1: no memory. */
void feval_calculate(struct feval *ev, struct fnode *n);

/* The answer as text, calculated first where it is calculated. */
const char *feval_node_text(struct feval *ev, const struct fnode *n);

/* Conversions of XPath, with JavaRosa's extensions; on nodes they take the first one. */
double fval_number(struct feval *ev, const struct fval *v);
const char *fval_string(struct feval *ev, const struct fval *v);
bool fval_boolean(struct feval *ev, const struct fval *v);
/* A moment: false when it is none. */
bool fval_date(struct feval *ev, const struct fval *v, double *days, bool *has_time);
/* A set of nodes becomes the value of its first one, "" when it is empty. */
void fval_unpack(struct feval *ev, struct fval *v);
/* "12", "0.5", "NaN": the shortest text that reads back as the same number */
const char *fval_number_text(struct feval *ev, double v);
/* What is stored for a value in a node of this type. */
const char *fval_store(struct feval *ev, const struct fval *v, const struct fdef *def);

void fval_set_string(struct fval *out, const char *s);
void fval_set_number(struct fval *out, double v);
void fval_set_boolean(struct fval *out, bool v);

/* One choice of a list as the answers make it now. */
struct foption {
	const char *value, *label;      /* label in the language; never NULL */
};
/*
 * The choices a question at node n offers now, in their order.  In scratch.
 * -1: no memory or no fuel.
 */
int feval_options(struct feval *ev, const struct fctl *ctl, const struct fnode *n,
                  struct foption **out, size_t *n_out);

/* A label with its outputs filled in, at a node.  In scratch; never NULL. */
const char *feval_label(struct feval *ev, const struct ftext *t, const struct fnode *n);

/* For functions: spends fuel; false when there is no more. */
bool feval_spend(struct feval *ev, size_t n);
void feval_stop(struct feval *ev, const char *why);
/* the same because memory was not to be had: from arena a (NULL: not from one) */
void feval_lacks(struct feval *ev, const struct farena *a, const char *why);
/* PERR_OK; PERR_NOMEM: the device had no memory; PERR_LIMIT: the form asks for too much (why) */
PERR_MUST_CHECK enum perr feval_error(const struct feval *ev);

#endif
