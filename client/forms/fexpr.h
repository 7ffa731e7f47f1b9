/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * fexpr: the expressions of forms, parsed.
 *
 * The grammar is XPath 1.0 with the axes ODK uses: child, parent, self, attribute and "//".
 * Everything that can be known without answers is checked here: syntax, functions and
 * their number of arguments, paths to nodes the form does not have.  feval.h evaluates.
 */
#ifndef AMPARO_FEXPR_H
#define AMPARO_FEXPR_H

#include "xform_int.h"

#define FEXPR_LENGTH_MAX 65536
#define FEXPR_DEPTH_MAX 60              /* nested parentheses and arguments */

enum fop {
	FOP_NUMBER, FOP_STRING, FOP_PATH, FOP_CALL,
	FOP_OR, FOP_AND, FOP_EQ, FOP_NE, FOP_LT, FOP_LE, FOP_GT, FOP_GE,
	FOP_ADD, FOP_SUB, FOP_MUL, FOP_DIV, FOP_MOD, FOP_NEG, FOP_UNION
};

enum faxis { FAXIS_CHILD, FAXIS_PARENT, FAXIS_SELF, FAXIS_ATTRIBUTE, FAXIS_DESCENDANT };

struct fstep {
	enum faxis axis;
	const char *name;               /* without prefix; NULL: any */
	struct fexpr *predicates;       /* list by next */
	struct fstep *next;
};

enum fstart { FSTART_ROOT, FSTART_CONTEXT, FSTART_EXPR };

struct ffunc;

struct fexpr {
	enum fop op;
	double number;
	const char *string;
	const struct ffunc *func;
	struct fexpr *args;             /* operands or arguments, list by next */
	unsigned n_args;
	enum fstart start;              /* FOP_PATH */
	struct fstep *steps;
	struct fexpr *predicates;       /* FOP_PATH of FSTART_EXPR: of the expression itself */
	bool is_volatile;               /* of a whole expression: uuid(), random(), now() are in it */
	const struct fdef *def;         /* FOP_PATH into the primary instance: what it leads to */
	struct fexpr *next;
};

/*
 * context   whose expression it is: paths are checked from there
 * what      for the sentence: "the relevance of /data/q"
 * 0, or -1 with p->why and p->err set
 */
int fexpr_compile(struct xparse *p, struct fexpr **out, const char *source,
                  const struct fdef *context, const char *what);

/* All expressions of the form, and what can only be checked when they are known. */
int fexpr_compile_form(struct xparse *p);

/* Calls fn for every node of the primary instance the expression reads. */
void fexpr_reads(const struct fexpr *e, void (*fn)(void *ctx, const struct fdef *def), void *ctx);

/* The functions, in ffunc.c */
struct feval;
struct fval;
struct ffunc {
	const char *name;
	short min, max;                 /* arguments; max -1: any number */
	void (*eval)(struct feval *ev, const struct fexpr *e, struct fval *out);
};
const struct ffunc *ffunc_find(const char *name);       /* NULL: unknown */

#endif
