/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * store_plan: step 2 of a release.  Decide for each day what becomes of its files (stay,
 * settle, lose cells to erasures, expire) and write the new ones as segments/X.new, synced.
 * Nothing that is listed is touched; a plan that is not carried out is dropped.
 */
#ifndef AMPARO_STORE_PLAN_H
#define AMPARO_STORE_PLAN_H

#include "store_int.h"

/* What becomes of one day's files: at most one file is made of each group of sources. */
struct store_build {
	struct store_segment out;       /* count 0: nothing is left of it */
	size_t first, n_sources;        /* of the old list; n_sources 0: from the old pool */
	struct store_seg_item *items;
	size_t n_items;
	bool may_drop;                  /* an erasure goes before a damaged neighbour */
	bool is_made;
};

struct store_plan {
	struct store *st;
	struct store_release *rel;
	struct store_segment *list;     /* new list, malloc'd */
	size_t n_list;
	struct store_build *builds;
	size_t n_builds;
	bool *is_retired;               /* of the old list */
	uint8_t (*erased)[STORE_ID];    /* due, and taken out by some build */
	uint32_t *erased_day;
	size_t n_erased, max_erased;
	uint8_t (*dropped)[STORE_ID];   /* damaged and not kept */
	size_t n_dropped;
	uint8_t (*due)[STORE_ID];       /* sorted */
	uint32_t *due_where;            /* where they are; sorted by itself */
	size_t n_due, max_due;
	size_t n_expired;
	uint32_t *expired;              /* days */
	bool has_pool;
};

/*
 * Make the plan.  The caller sets st, rel and has_pool (old_pool is to be released, under
 * `number`) and frees the plan whatever this returns.  Days for which there is no space, or
 * whose files are damaged, are put off; only errors about the pool's own cells are errors.
 */
PERR_MUST_CHECK enum perr store_plan_make(struct store_plan *p, uint32_t number);

/* Retire the .new files of a plan that came to nothing; what fails is left to the next open. */
void store_plan_drop(struct store_plan *p);

void store_plan_free(struct store_plan *p);

/* True if this release ends the given day. */
bool store_plan_expires(const struct store_plan *p, uint32_t day);

#endif
