/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * fetch: the download of a visit: segments, cells, trial, records.  Inside of sync.c.
 *
 *	fetch.c        which segments; pulling them; what was read whole; the position
 *	fetch_batch.c  a batch of cells: ids, trial, spool, records
 *	fetch_light.c  the light mode: heads first, then hits among others
 *
 * Cells are worked on FETCH_BATCH at a time, spread over cores, and stored with one commit.
 * Whatever is stored is stored before the position moves.
 */
#ifndef AMPARO_FETCH_H
#define AMPARO_FETCH_H

#include <stdbool.h>
#include <stdint.h>

#include "seen.h"
#include "tagmap.h"
#include "visit.h"
#include "wants.h"

#define FETCH_BATCH   2048       /* cells */
#define FETCH_PULLS   8          /* requests under way */
#define FETCH_TRIES   3          /* lists asked for again when the server rebuilt something */
#define FETCH_SEGMENTS_MAX (1u << 17)
#define FETCH_COUNT_MAX    (1u << 22)    /* cells of one segment: 17 GB */
#define FETCH_MARGIN_DAYS 2      /* clocks of senders, before one's first key */
#define FETCH_RESCAN_DAYS 30     /* how far before a statement its chunks are looked for */
#define FETCH_RESCAN_EVERY 3     /* days between two rescans of a server */
/*
 * Up to so many cells all private keys are tried, also those of later periods: a server that
 * lies about the day makes a sender use one of them.
 */
#define FETCH_ALL_KEYS 8192

struct fetch_segment {
	uint32_t day, release, count;
	uint8_t digest[32];
	bool skip;               /* read already, or older than any key */
	bool is_damaged;         /* the server could not read all of it */
	uint32_t answered;       /* positions whose request was answered */
	uint32_t got, worked;    /* cells */
	uint8_t (*ids)[32];      /* by position; only while it is being read */
	/* light mode */
	uint8_t (*heads)[CELL_HEAD_SIZE];
	uint8_t *picked;         /* a byte for each position: to be fetched, or was */
};

/* a cell of the batch */
struct fetch_cell {
	uint32_t seg, at;
	bool is_chunk, is_repeat;
	/* opened */
	bool is_own;
	enum cell_form form;
	uint8_t ds[CELL_DS_SIZE];
	uint8_t *payload;        /* CELL_PAYLOAD_MAX bytes, or NULL */
	size_t len;
};

struct fetch {
	struct visit *v;
	struct reader_key *keys;
	size_t n_keys;
	struct wants *wants;
	struct seen_digests *digests;
	struct tagmap *done_ids;         /* cells worked on: from any server, or in this rescan */
	struct tagmap own_ids;
	bool is_rescan, is_light, is_incomplete;
	bool is_held;                    /* a segment was not what was announced: stay before it */
	bool list_again;                 /* a segment is not what the list said */
	unsigned tries;
	uint32_t min_day;                /* nothing older can be ours */
	uint32_t gap_since;              /* gaps.h; 0: none is known */
	struct fetch_segment *segs;
	uint32_t n_segs, cap_segs;
	uint32_t n_done;                 /* segments from the first that are read and stored */
	uint32_t pos_day, pos_release;   /* of the last of them */
	uint32_t ask_seg, ask_at;        /* where the next request begins */
	unsigned under_way;
	uint64_t total, done;            /* cells */
	int64_t began;
	uint64_t bytes_before;
	bool has_moved;                  /* something is to be written down */
	uint8_t *cells;                  /* FETCH_BATCH of them */
	struct fetch_cell *batch;
	uint32_t n_batch;
	bool is_second;                  /* light: fetching the chunks named by what was found */
};

void fetch_start(struct visit *v);
void fetch_free(struct visit *v);

/* ---- between the three files ---------------------------------------------------------------- */

/* a cell came: it is copied; false: the visit is over */
bool fetch_cell(struct fetch *f, uint32_t seg, uint32_t at, const uint8_t cell[CELL_SIZE]);
/* work on what is in the batch.  false: our own store failed, the visit is over */
bool fetch_work(struct fetch *f);
/* put together what is complete.  false: as above */
bool fetch_assemble(struct fetch *f);
/* run fn over slices on all cores */
void fetch_parallel(struct fetch *f, size_t n, void (*fn)(void *arg, size_t i), void *arg);
void fetch_light_start(struct fetch *f);
/* the cells of a request were promised and did not come so: list again */
void fetch_broken(struct fetch *f, uint32_t seg, enum rpc_error error);
/* all that could be read is stored: write it down and go on */
void fetch_finish(struct fetch *f);
/* segments up to the last are read: the position moves.  false: our own store failed */
bool fetch_advance(struct fetch *f);

#endif
