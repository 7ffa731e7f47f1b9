/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * store_int: what the store's own files share.  Nobody else but scrub.c includes this.
 *
 * Rules.  One environment per file, opened once.  Only the writing thread begins and commits
 * write transactions.  A read transaction opens, copies out and aborts inside one function,
 * under state_mu; the writer holds state_mu from the first change of a batch until its commit
 * (without LMDB's lock table a page that a reader still needs could be written over).  An
 * answer leaves only after its commit returned.  A transaction is gone even if commit failed.
 */
#ifndef AMPARO_STORE_INT_H
#define AMPARO_STORE_INT_H

#include <pthread.h>
#include <stdatomic.h>

#include "store.h"
#include "store_ids.h"
#include "store_list.h"
#include "store_pool.h"
#include "store_state.h"

#define STORE_SCHEMA 1u

/* Where a cell is, in the id set: 0 = pool, else day and release of its segment. */
#define STORE_WHERE(day, release) ((uint32_t)(day) << 16 | (uint32_t)(release))
#define STORE_WHERE_DAY(w)        ((w) >> 16)
#define STORE_WHERE_RELEASE(w)    ((w) & 0xffff)

struct store {
	char *dir;
	int dfd, sfd, bfd;              /* the folder (locked), segments/, bulletin/ */
	struct store_config cfg;
	_Atomic uint64_t reserve;        /* cfg.reserve_bytes, or what store_set_reserve said */
	_Atomic(const char *) dead;

	pthread_rwlock_t state_mu;      /* state, and files in bulletin/ */
	struct store_state state;
	bool is_changed;                /* since state.mdb was last written anew */
	enum perr broken;               /* the batch's state part failed with this */

	struct store_list list;
	struct store_pool pool, old_pool;
	bool has_old;                   /* old_pool waits to be released */
	struct store_ids *ids, *tombs;  /* where: STORE_WHERE; day of the erased cell */

	/* the batch */
	struct store_cell **batch;
	size_t n_batch, max_batch;
	bool is_room_known;
	uint64_t room;                  /* new cells this batch may still take */

	/* the writer's own, and as published to readers under mu */
	uint32_t day, release;
	uint64_t released_serial;
	struct store_counts counts, counts_before;
	pthread_mutex_t mu;
	uint32_t pub_day, pub_release;
	struct store_counts pub;
	_Atomic uint32_t damaged;
	_Atomic bool is_full;
	_Atomic uint64_t pub_pool_bytes, pub_needed;
};

/* Enter death, once; gives PERR_IO. */
enum perr store_die(struct store *st, const char *reason);

/* Open the batch's state transaction.  Errors stand for the calling function. */
PERR_MUST_CHECK enum perr store_batch_begin(struct store *st);
/* A change in it failed: what the caller gives back. */
PERR_MUST_CHECK enum perr store_batch_failed(struct store *st, enum perr err);
/* True while anything of a batch is open. */
bool store_batch_is_open(const struct store *st);

/* Set metas in the batch. */
PERR_MUST_CHECK enum perr store_metas_check(const struct store_meta *metas, size_t n);

/* Show day, release and counts to the other threads. */
void store_publish(struct store *st);

/* "dir/name", malloc'd */
char *store_path(const struct store *st, const char *name);

/* Free bytes of the file system.  PERR_IO. */
PERR_MUST_CHECK enum perr store_free_bytes(const struct store *st, uint64_t *bytes);
/* Bytes the next release writes: segment, state, fresh pool. */
uint64_t store_release_bytes(const struct store *st);

/* One more erasure waits. */
void store_count_erasure(struct store_counts *counts, uint32_t due_day);

/* The tag an erase secret belongs to. */
void store_tag(uint8_t tag[STORE_ID], const uint8_t ds[STORE_DS]);

void store_put32(uint8_t *p, uint32_t v);
uint32_t store_get32(const uint8_t *p);

/* Key and value of a segment's record. */
#define STORE_SEG_KEY 9u
#define STORE_SEG_VAL 37u
void store_seg_record(const struct store_segment *s, uint8_t key[STORE_SEG_KEY],
                      uint8_t val[STORE_SEG_VAL]);
#define STORE_HEAD_VAL 20u
void store_head_record(uint32_t day, uint32_t release, uint64_t serial,
                       uint8_t val[STORE_HEAD_VAL]);

/* The hashes of the present bulletin's parts; malloc'd.  Called by the writing thread. */
PERR_MUST_CHECK enum perr store_part_list(struct store *st, uint8_t (**hashes)[STORE_ID],
                                          size_t *n);

/* Retire every part the present bulletin does not list; nobody reads. */
PERR_MUST_CHECK enum perr store_bulletin_tidy(struct store *st);

/*
 * Do work(arg), which touches files only, beside rel->breathe if there is one.  The store may
 * be dead afterwards: an append failed meanwhile.
 */
PERR_MUST_CHECK enum perr store_beside(struct store *st, const struct store_release *rel,
                                       enum perr (*work)(void *arg), void *arg);

/* Drop what a kill left in the folders; the list is loaded. */
PERR_MUST_CHECK enum perr store_recover(struct store *st, const char **why);

#endif
