/* SPDX-License-Identifier: AGPL-3.0-or-later */
#ifndef AMPARO_FILL_INT_H
#define AMPARO_FILL_INT_H

#include "fcheck.h"
#include "fill.h"
#include "instance_int.h"

/*
 * A place in the form: node for a question or note; parent and repeat for the offer to
 * add an instance; all NULL for the end.
 */
struct fill_place {
	const struct fctl *ctl;
	struct fnode *node;             /* FILL_REPEAT: the node the instances are children of */
};

struct fill {
	const struct xform *form;
	struct farena *answers;         /* the tree; grows with every answer that gets longer */
	struct farena *scratch;         /* of the evaluator; emptied at each call */
	struct fnode *root;
	struct feval ev;
	struct fill_place at;
	const char *lang;
};

/* fill_io.c: a session without a tree; NULL: no memory. */
struct fill *fill_session(const struct xform *f, const struct fill_env *env);
/* Hands it out, or after an error wipes it and says why. */
enum perr fill_ready(struct fill *s, struct fill **out, enum perr err, char why[FILL_WHY_SIZE]);

/* Recalculates everything after a change of def (NULL: of the structure). */
enum perr fill_settle(struct fill *s, const struct fdef *changed);

/* The tree of a new session, or the one read from a draft completed by what is missing. */
struct fnode *fill_plant(struct farena *a, const struct fnode *primary);
int fill_complete(struct fill *s, struct fnode *n);

/* Links an instance behind `after`, or where the form has it when that is NULL. */
void fill_insert(struct fnode *parent, struct fnode *n, struct fnode *after);

/* Runs a control's actions for an event, with targets near context. */
void fill_act(struct fill *s, const struct faction *a, unsigned event,
              const struct fnode *context);

/* The node of a definition in the same instances of repeats as context; NULL: none. */
struct fnode *fill_near(const struct fnode *context, const struct fdef *def);

struct fill_place fill_first(struct fill *s);
/* ctl NULL: no such step now */
struct fill_place fill_place_at(struct fill *s, const char *path);
const char *fill_place_path(struct fill *s, struct farena *a);

#endif
