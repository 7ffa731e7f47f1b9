/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * fmap: text to pointer, in an arena.  Keys are a parent pointer and a name, so that one
 * map serves every "child of X called Y"; pass NULL where there is no parent.
 * The hash is not keyed: a table a hostile form fills with colliding names costs at most
 * FMAP_PROBES steps a look-up, because a crowded place makes the table grow, and a table
 * that may not grow any more refuses.
 */
#ifndef AMPARO_FMAP_H
#define AMPARO_FMAP_H

#include <stddef.h>

struct farena;

struct fmap_slot {
	const void *parent;
	const char *key;
	void *value;
};

struct fmap {
	struct farena *arena;
	struct fmap_slot *slots;
	size_t n_slots, n_used;
};

#define FMAP_PROBES 64

/* Borrows key.  Returns 0; -1: out of memory, or too many keys collide. */
int fmap_put(struct fmap *m, const void *parent, const char *key, void *value);

/* NULL: not there. */
void *fmap_get(const struct fmap *m, const void *parent, const char *key);

#endif
