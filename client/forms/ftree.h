/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * ftree: XML bytes to a tree of our own, within bounds.
 *
 * libxml2 only tokenises; nothing is fetched, no entity but the five of XML itself is
 * known, and a document type declaration of any kind ends the parse at its first
 * letter: without one there are no entities to multiply and none to fetch.  Size, depth
 * and number of nodes are bounded before memory is taken for them.
 */
#ifndef AMPARO_FTREE_H
#define AMPARO_FTREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "perr.h"

struct farena;
struct fdef;

struct fattr {
	const char *ns;                 /* namespace URI, "" for none */
	const char *name, *value;
	struct fattr *next;
};

/*
 * An element, or (only in trees parsed with mixed) a run of text between elements: then
 * name is NULL.  text of an element is all text directly in it, never NULL.
 */
struct fnode {
	const char *ns, *name;
	const char *text;
	size_t text_cap;                /* bytes ftree_set_text may write, the zero included */
	struct fattr *attrs;
	struct fnode *parent, *first, *last, *next, *prev;
	const struct fdef *def;         /* what the form says of it; NULL: nothing */
	uint32_t sent;                  /* fpatch: its ord before it was patched; 0: it was added */
	const char *mark;               /* fpatch: of one that was added, "child[+1@3f…]"; else NULL */
	uint32_t ord;                   /* instances: 1 for the first sibling of this name */
	bool has_twin;                  /* instances: another sibling has this name */
	uint8_t relevant, calculated;   /* memory of the evaluator, see feval.h */
	bool is_absent;                 /* made up by us: not in the document */
	bool is_template;               /* jr:template: never part of a record */
	bool is_excess;                 /* a repeat beyond its count: kept, but irrelevant */
	bool is_computed;               /* its calculation has run at least once */
};

struct ftree_limits {
	size_t bytes, nodes;
	unsigned depth;
	bool mixed;
};

#define FTREE_WHY 256

/*
 * root   out: in arena a; NULL after an error
 * why    out: one English sentence after an error
 *
 * PERR_FORMAT: not well-formed, or a document type declaration.  PERR_LIMIT: over a
 * limit, arena's included.  PERR_NOMEM.
 */
enum perr ftree_parse(struct fnode **root, struct farena *a, const uint8_t *xml,
                      size_t xml_len, const struct ftree_limits *lim, char why[FTREE_WHY]);

/* The value of an attribute; ns NULL: in any namespace.  NULL: not there. */
const char *ftree_attr(const struct fnode *n, const char *ns, const char *name);

/* First child element called name, in any namespace; next one after n.  NULL: none. */
struct fnode *ftree_child(const struct fnode *n, const char *name);
struct fnode *ftree_next(const struct fnode *n, const char *name);

/* A new element without text, not yet linked.  NULL: out of memory. */
struct fnode *ftree_new(struct farena *a, const char *ns, const char *name);

/* A copy of a subtree, not linked; copies definitions, not the evaluator's memory. */
struct fnode *ftree_copy(struct farena *a, const struct fnode *n);

/* Links n into parent before the child `before`, or last when that is NULL. */
void ftree_insert(struct fnode *parent, struct fnode *n, struct fnode *before);
void ftree_unlink(struct fnode *n);

/* Replaces the text; the old one is overwritten.  -1: out of memory, nothing changed. */
int ftree_set_text(struct farena *a, struct fnode *n, const char *text, size_t len);

#endif
