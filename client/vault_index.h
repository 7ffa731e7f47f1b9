/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * vault_index: the names of an open vault in their order, in memory.
 *
 * On disk names stand under keyed hashes, in no order that means anything.  A walk
 * over a prefix needs them sorted; opening 10,000 of them takes some 10 ms, so it
 * is done once and then kept in step.
 */
#ifndef AMPARO_VAULT_INDEX_H
#define AMPARO_VAULT_INDEX_H

#include <stddef.h>

#include "perr.h"

struct vault_index {
	char **names;           /* each from kv_alloc */
	size_t n, cap;
};

/* Wipes the names; the index is empty and reusable afterwards. */
void vault_index_clear(struct vault_index *x);
/* At the end, unsorted: to be followed by vault_index_sort. */
PERR_MUST_CHECK enum perr vault_index_append(struct vault_index *x, const char *name);
void vault_index_sort(struct vault_index *x);
/* In its place, unless it is there. */
PERR_MUST_CHECK enum perr vault_index_add(struct vault_index *x, const char *name);
/* Harmless if it is not there. */
void vault_index_remove(struct vault_index *x, const char *name);
/* How many names begin with prefix; *from: the first of them. */
size_t vault_index_range(const struct vault_index *x, const char *prefix, size_t *from);

/* A copy of the names of a walk: the index may change under its callback. */
struct vault_index_walk {
	char *text;             /* n names, each with its 0; NULL: none */
	size_t text_len, n;
};
/* *w: to be given to vault_index_walk_free, after an error too.  PERR_NOMEM. */
PERR_MUST_CHECK enum perr vault_index_walk(const struct vault_index *x, const char *prefix,
                                           struct vault_index_walk *w);
/* Wipes and frees; harmless twice. */
void vault_index_walk_free(struct vault_index_walk *w);

#endif
