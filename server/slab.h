/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * slab: one piece of locked memory for every secret key of a running server: its own, which
 * are kept until the end, and those of its connections, in slots of one size.
 *
 * Made once at start, before anything secret is known: nothing is locked later, so nothing
 * can fail to be.  It is never swapped, is left out of a core file and of a child process, and
 * has a page on each side that cannot be touched.  A slot is all zero when it is handed out
 * and again when it is given back.
 *
 * One thread only.
 */
#ifndef AMPARO_SLAB_H
#define AMPARO_SLAB_H

#include <stdbool.h>
#include <stddef.h>

#include "perr.h"

struct slab;

/*
 * keep       in: bytes for what stays, all slab_keep together (each takes up to 64 more)
 * n_slots    in: at least 1
 * slot_size  in: bytes of a slot, 1..65536
 *
 * PERR_LIMIT: the memory could not be locked; it is usable all the same, *out is set, and
 * the caller decides.  PERR_NOMEM, PERR_RANGE: *out is NULL.
 */
PERR_MUST_CHECK enum perr slab_new(struct slab **out, size_t keep, size_t n_slots,
                                  size_t slot_size);
/* wipes all of it; NULL is harmless */
void slab_free(struct slab *s);
/* bytes that had to be locked: what LimitMEMLOCK has to allow */
size_t slab_size(size_t keep, size_t n_slots, size_t slot_size);
bool slab_is_locked(const struct slab *s);
/* slots that are handed out */
size_t slab_taken(const struct slab *s);

/* len zeroed bytes for as long as the slab lives; NULL: `keep` is used up */
void *slab_keep(struct slab *s, size_t len);
/* a slot; NULL: none is left */
void *slab_take(struct slab *s);
/* wipes; NULL is harmless */
void slab_give(struct slab *s, void *slot);

#endif
