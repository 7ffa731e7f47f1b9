/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * store_list: the list of released segments, and the few of them that are open.
 *
 * Readers lease a segment: find it in the list, open it or take it from the cache, read
 * outside the lock, give it back.  At most STORE_OPEN_MAX stay open, the longest unused goes
 * first.  The writer changes the list in one step and then waits until nobody reads what is
 * to be overwritten, so that a reader never takes zeros for damage.
 */
#ifndef AMPARO_STORE_LIST_H
#define AMPARO_STORE_LIST_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "perr.h"
#include "store.h"
#include "store_seg.h"

#define STORE_NAME_MAX 32

struct store_slot {
	struct store_seg *seg;          /* NULL: free */
	struct store_segment what;
	uint32_t refs;
	uint64_t used;                  /* tick of the last lease */
	bool is_stale;                  /* no longer in the list */
};

struct store_list {
	pthread_mutex_t mu;
	pthread_cond_t given_back;
	int sfd;                        /* borrowed: the folder */
	struct store_segment *v;        /* by (day, release) */
	size_t n;
	uint64_t generation, tick;
	uint32_t uncached;              /* leases beside the cache */
	struct store_slot slots[STORE_OPEN_MAX];
};

struct store_lease {
	struct store_seg *seg;
	struct store_slot *slot;        /* NULL: not from the cache */
};

PERR_MUST_CHECK enum perr store_list_init(struct store_list *l, int sfd);
void store_list_free(struct store_list *l);

/* File name of a segment with the given ending ("mdb", "new", "old"). */
void store_list_name(char name[STORE_NAME_MAX], const struct store_segment *s,
                     const char *ending);

/* PERR_NOTFOUND; PERR_STATE: the digest is not (or no longer) that; PERR_CORRUPT: not as listed. */
PERR_MUST_CHECK enum perr store_list_lease(struct store_list *l, uint32_t day,
                                           uint32_t release, const uint8_t *digest,
                                           struct store_lease *lease);
void store_list_give_back(struct store_list *l, struct store_lease *lease);

/*
 * Change the list: files may be renamed between begin and end.  end takes over v (malloc'd);
 * wait returns when no lease of a segment that left the list is out.
 */
void store_list_begin(struct store_list *l);
void store_list_end(struct store_list *l, struct store_segment *v, size_t n);
void store_list_wait(struct store_list *l);

#endif
