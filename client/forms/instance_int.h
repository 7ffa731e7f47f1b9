/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The insides of an instance, for the files of the forms library only. */
#ifndef AMPARO_INSTANCE_INT_H
#define AMPARO_INSTANCE_INT_H

#include "instance.h"
#include "xform_int.h"

struct instance {
	struct farena *arena;
	const struct xform *form;
	struct fnode *root;
	const char **files;
	size_t n_files;
};

/* "/data/child[2]/age"; an index stands where the node repeats.  NULL: out of memory. */
const char *instance_path(struct farena *a, const struct fnode *n);

/* Sets ord (1 for the first sibling of a name) and has_twin below root.  -1: no memory. */
int instance_order(struct farena *a, struct fnode *root);

/* Gives each node the form's definition of its path, below n. */
void instance_define(const struct xform *f, struct fnode *n, const struct fdef *def);

/* Orders the tree and lists its attachments anew, after it was changed.  PERR_LIMIT, PERR_NOMEM */
enum perr instance_settle(struct instance *in);

/*
 * instance_full.c: empty nodes, marked is_absent, for what submissions leave out, since
 * expressions still need them.  *budget nodes at most.  -1: more, or no memory.
 */
int instance_add_absent(struct farena *a, struct fnode *n, const struct fdef *def,
                        unsigned *budget);

/* instance_full.c: types, choices, required, constraint, relevance, counts. */
enum perr instance_check_full(struct instance *in, size_t lang, bool is_es,
                              const struct fclock *now, struct faults *faults);

#endif
