/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * writer: the one thread that writes (DESIGN section 9, "group commit").
 *
 * The loop's thread queues jobs; the writer takes all that wait, puts them into one batch,
 * commits once, and only then hands them back: it calls notify() from its own thread (the
 * server wakes its loop there with uv_async_send), and the loop calls writer_collect(), which
 * runs each job's done() on the loop's thread.  So no answer can leave before its commit.
 *
 * A job and all it points to belong to the writer from writer_submit until done() is called;
 * done() gets it back and may free it.  Jobs finish in the order in which they were queued.
 *
 * After a failed commit the store is dead: the jobs of that batch and all later ones come
 * back with PERR_IO.  For a job of PERR_IO nobody may be told anything; stop the process.
 */
#ifndef AMPARO_WRITER_H
#define AMPARO_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "perr.h"
#include "store.h"

enum writer_kind {
	WRITER_APPEND,          /* u.append */
	WRITER_BOARD_PUT,       /* u.put; ds of the replaced entry or NULL */
	WRITER_BOARD_CLEAR,     /* metas only */
	WRITER_JOIN_PUT,        /* u.put; ticket */
	WRITER_JOIN_DROP,       /* u.ids: tickets */
	WRITER_ERASE,           /* u.erase */
	WRITER_ERASE_VOID,      /* u.ids; n = 0: all */
	WRITER_META,            /* metas only */
	WRITER_PART,            /* u.part */
	WRITER_BULLETIN,        /* u.ids: hashes of the parts; and metas */
	WRITER_RELEASE          /* u.release (its metas, not the job's) */
};

struct writer_erase {
	uint8_t id[STORE_ID];
	uint8_t ds[STORE_DS];
	enum store_status status;      /* out */
};

struct writer_job {
	enum writer_kind kind;
	union {
		struct { struct store_cell *cells; size_t n; } append;
		struct {
			const uint8_t *cell;
			uint8_t id[STORE_ID];
			const uint8_t *ds;
			const uint8_t *ticket;
			enum store_status status;       /* out */
		} put;
		struct { struct writer_erase *items; size_t n; uint32_t due_day; } erase;
		struct { const uint8_t (*ids)[STORE_ID]; size_t n; size_t voided; } ids;
		struct {
			uint8_t hash[STORE_ID];
			uint32_t total, offset;
			const uint8_t *piece;
			size_t len;
			uint32_t have;                  /* out */
		} part;
		struct store_release release;
	} u;
	/* Blobs set in the same commit as the job itself, whatever its kind but RELEASE, APPEND
	 * and PART: so an order and the counter that forbids its replay cannot come apart. */
	const struct store_meta *metas;
	size_t n_metas;

	enum perr result;              /* out; each kind's errors are those of its store_ call */
	void (*done)(struct writer_job *job);   /* on the collecting thread; never NULL */
	void *data;                    /* the caller's */
	struct writer_job *next;       /* the writer's */
};

struct writer;

/*
 * Start the thread.
 *
 * st           in: borrowed until writer_stop returns; from now on only the writer makes its
 *              [W] calls
 * max_cells    in: bound of the queue, in cells and erasures (every other job counts as
 *              one); 0 = 16384.  It bounds the memory of a batch: about 4 KiB per cell.
 * notify, arg  in: called from the writer's thread when there is something to collect;
 *              several finished jobs may share one call.  NULL: poll with writer_wait.
 */
PERR_MUST_CHECK enum perr writer_start(struct writer **out, struct store *st, size_t max_cells,
                                       void (*notify)(void *arg), void *arg);

/*
 * Queue one job.  PERR_LIMIT: the queue is full; nothing was taken, stop reading from peers
 * until jobs come back (a single job larger than the bound is taken when the queue is empty).
 * PERR_STATE: stopping.  Also after death jobs are taken: they come back with PERR_IO.
 */
PERR_MUST_CHECK enum perr writer_submit(struct writer *w, struct writer_job *job);

/* Run done() of all finished jobs on this thread; how many.  done() may submit again. */
size_t writer_collect(struct writer *w);

/* Sleep until there is something to collect or nothing is queued (for tools without a loop). */
void writer_wait(struct writer *w);

/* Cells and other jobs waiting or in the present batch. */
size_t writer_queued(struct writer *w);

/*
 * Finish what is queued, end the thread, run done() of everything left on this thread, free.
 * The store stays open.  NULL is harmless.
 */
void writer_stop(struct writer *w);

#endif
