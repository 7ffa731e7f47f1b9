/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * The insides of a form, for the files of the forms library only.
 *
 * Three trees meet in struct fdef, "what the form says about one path": the primary
 * instance (struct fnode), the body (struct fctl) and the binds, which become fields.
 * All of it lies in the form's arena and never changes after xform_parse, but for
 * secondary instances that xform_supply fills.
 */
#ifndef AMPARO_XFORM_INT_H
#define AMPARO_XFORM_INT_H

#include "farena.h"
#include "fault.h"
#include "fmap.h"
#include "ftree.h"
#include "xform.h"

#define NS_XFORMS "http://www.w3.org/2002/xforms"
#define NS_JR     "http://openrosa.org/javarosa"

struct fexpr;

enum ftype {
	FTYPE_STRING, FTYPE_INT, FTYPE_DECIMAL, FTYPE_BOOLEAN, FTYPE_DATE, FTYPE_TIME,
	FTYPE_DATETIME, FTYPE_GEOPOINT, FTYPE_GEOTRACE, FTYPE_GEOSHAPE, FTYPE_BINARY,
	FTYPE_SELECT
};

enum fslot {
	FSLOT_RELEVANT, FSLOT_REQUIRED, FSLOT_CONSTRAINT, FSLOT_CALCULATE, FSLOT_READONLY,
	FSLOT_N
};

enum fctl_kind {
	FCTL_GROUP, FCTL_REPEAT, FCTL_INPUT, FCTL_SELECT1, FCTL_SELECT, FCTL_RANK, FCTL_RANGE,
	FCTL_UPLOAD, FCTL_TRIGGER
};

/* A piece of a label: literal text, or an <output>. */
struct ftext_part {
	const char *literal;            /* NULL: an output */
	const char *output;
	struct fexpr *expr;
	struct ftext_part *next;
};

/* A label, a hint, a message: parts of its own, or an entry of the itext block. */
struct ftext {
	struct ftext_part *parts;
	const struct fitext *itext;
};

struct fitext {
	const char *id;
	struct ftext_part **plain;      /* [n_langs]; NULL entry: this language lacks it */
	struct ftext_part **guidance;   /* [n_langs] */
	struct fitext *next;
	bool has_media;
};

struct fchoice {
	const char *value;
	struct ftext label;
	struct fchoice *next;
};

/* Choices taken from a secondary instance, or from repeats already filled in. */
struct fitemset {
	const char *nodeset, *value_ref, *label_ref;
	struct fexpr *nodeset_expr, *value_expr, *label_expr;
	bool label_is_itext;
	struct finst *inst;             /* NULL: nodes of the primary instance */
	struct fmap by_value;           /* value -> struct fnode, whatever the filter says */
};

struct finst {
	const char *id, *src;
	const char *file;               /* "cities.csv"; NULL: internal */
	bool is_csv, is_geojson;
	struct fnode *root;             /* the document element; NULL: not supplied */
	struct finst *next;
};

enum fevent { FEVENT_FIRST_LOAD = 1, FEVENT_NEW_REPEAT = 2, FEVENT_CHANGED = 4 };

struct faction {
	unsigned events;
	struct fdef *target;
	const char *literal;            /* NULL: the value of an expression */
	const char *src;
	struct fexpr *expr;
	struct faction *next;
};

struct fdef {
	const char *name, *path;
	struct fdef *parent, *first, *last, *next;
	unsigned depth;                 /* 0: the root */
	enum ftype type;
	bool is_repeat, is_meta;
	struct fnode *node;             /* first one in the primary instance */
	struct fnode *tmpl;             /* repeats: what a new instance looks like */
	struct fctl *ctl;
	struct fdef *repeat;            /* nearest repeat around or at it; NULL: none */
	const char *src[FSLOT_N];
	struct fexpr *expr[FSLOT_N];
	struct ftext *required_msg, *constraint_msg;
	const char *preload, *preload_params;
	const char *mark[XFORM_N_MARKS];
	struct fexpr *mark_expr[XFORM_N_MARKS];
	bool is_bound;                  /* a bind was seen */
};

struct fctl {
	enum fctl_kind kind;
	struct fdef *def;               /* NULL: a group without a node of its own */
	struct fctl *parent, *first, *last, *next;
	struct ftext *label, *hint;
	const char *appearance;
	struct fchoice *choices;
	struct fitemset *itemset;
	const char *mediatype;
	const char *start, *end, *step; /* range */
	const char *count;              /* repeat */
	struct fexpr *count_expr;
	bool no_add_remove, is_note;
	unsigned number;                /* questions: from 1; else 0 */
	struct faction *actions;
};

struct xform {
	struct farena *arena;
	const char *id, *version, *title;
	const char **langs;
	const char **lang_codes;
	size_t n_langs, default_lang;
	struct fitext *itexts;
	struct fmap itext_by_id;
	struct fnode *primary;
	struct fdef *root;
	struct fmap def_by_name;        /* (parent fdef, name) -> fdef */
	struct finst *insts;
	struct fctl *body;              /* a group that holds the top-level controls */
	struct fctl **questions;        /* [n_questions] */
	unsigned n_questions;
	struct faction *actions;        /* of the model */
};

/* A child definition; NULL: none. */
struct fdef *xform_def_child(const struct xform *f, const struct fdef *parent, const char *name);

/* Resolve "/data/a/b", "b", "../c" from a definition; NULL: no such node. */
struct fdef *xform_resolve(const struct xform *f, const struct fdef *from, const char *ref);

struct finst *xform_inst(const struct xform *f, const char *id);

/* The parts of a text in a language, after the fallbacks; NULL: there is none at all. */
const struct ftext_part *ftext_parts(const struct xform *f, const struct ftext *t, size_t lang);

/* Text of an <output>; borrowed; never NULL.  part->expr is what to evaluate. */
typedef const char *ftext_output(void *ctx, const struct ftext_part *part);

/* The text in a language; outputs by fn, or "…" where fn is NULL.  NULL: out of memory. */
char *ftext_show(struct farena *a, const struct xform *f, const struct ftext *t, size_t lang,
                 ftext_output *fn, void *ctx);

/* "Español (es)" -> "es", "English" -> "English"; "en" for a form without languages. */
/* Whether sentences of our own about a form in this language (NULL: its default) are Spanish. */
bool xform_says_es(const struct xform *f, const char *lang);

/*
 * How faults name a question: its label, cut, or its node's name.  In arena a; "?" when
 * memory runs out.
 */
const char *xform_name(struct farena *a, const struct xform *f, const struct fdef *def,
                       size_t lang);

/* Label of a choice by value, the filter of an itemset left aside; NULL: no such choice. */
const char *xform_choice_label(struct farena *a, const struct xform *f, const struct fctl *ctl,
                               const char *value, size_t len, size_t lang);

/* Whether a column or property can be asked for by this name. */
bool xform_is_name(const char *s);
/*
 * xform_geojson.c: a collection of features as <root><item>…</item>…</root>.
 * NULL: why says what is wrong with it.
 */
struct fnode *xform_read_geojson(struct farena *a, const char *s, size_t len,
                                 char why[XFORM_WHY_SIZE]);

/* xform_body.c: controls of the body.  0, or -1 with why set and *err. */
struct xparse {
	struct xform *f;
	char *why;
	enum perr err;
	struct fmap bind_by_id;
	unsigned n_chain;               /* operators of the expression being parsed */
};
int xparse_body(struct xparse *p, const struct fnode *body);
int xparse_itext(struct xparse *p, const struct fnode *model);
int xparse_fail(struct xparse *p, enum perr err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
int xparse_nomem(struct xparse *p);
/* A label-like element to a text: ref="jr:itext('id')", a path, or its own content. */
int xparse_text(struct xparse *p, struct ftext **out, const struct fnode *n,
                const struct fdef *def);
/* A message attribute: "text" or "jr:itext('id')". */
int xparse_message(struct xparse *p, struct ftext **out, const char *value);
/* Labels by value for the choices of every secondary instance that is there; may run again. */
int xform_index_choices(struct xparse *p);
int xparse_action(struct xparse *p, struct faction **list, const struct fnode *n,
                  const struct fdef *context);
bool xparse_is_action(const struct fnode *n);

#endif
