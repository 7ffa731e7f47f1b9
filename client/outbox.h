/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * outbox: sealed cells that wait until enough servers have committed them.
 *
 * A cell in the outbox is as sealed as on a server: the device cannot open it.  It stays
 * until `copies` servers committed it (roster limits), chunks going before the statements
 * that need them.  What the outbox tells whoever seizes the unlocked device: how many
 * cells wait, in how many submissions, since which day, and which servers have some of them
 * already.  When they have left, nothing of that is left.
 *
 * FRESH AND MIXED.  A submission is stored as one group when it is sealed (fresh).  Before
 * the first of its cells goes to any server, all fresh groups become one new group, with
 * decoys at random places among the real cells, whose own order stays (outbox_mix): an
 * upload.  From then on nothing here tells a decoy from a real cell; both go to the same
 * servers, are put again as the same cells after a cut, and leave together.  Decoys made
 * anew for each server or each attempt would be just those ids that do not come twice.
 *
 * In the store, for each group:
 *	outbox/<group, 12 digits>.<part, 4 digits>   OUTBOX_PART cells or fewer, never changed:
 *	                                             storing 70 cells is one record, one commit
 *	outack/<group, 12 digits>                    which server has which of them; since which
 *	                                             day they wait; whether they are in a file
 *	                                             that was saved (outbox_file.h); of a mixed
 *	                                             one also where each submission ends and how
 *	                                             many cells it had
 *	outlast                                      the last group number given
 *
 * A cell's number is group * OUTBOX_GROUP_MAX + its place; rising numbers are the order of
 * sending.
 */
#ifndef AMPARO_OUTBOX_H
#define AMPARO_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cell.h"
#include "client.h"
#include "perr.h"
#include "post.h"
#include "roster.h"

#define OUTBOX_PART      256
#define OUTBOX_GROUP_MAX 65536           /* cells of one group, less one */
#define OUTBOX_MIX_MAX   4096            /* submissions mixed into one group */

/* what a person is told */
struct outbox_counts {
	unsigned submissions;        /* submissions with a cell still waiting */
	unsigned cells;              /* cells in them, decoys not counted */
	unsigned to_send;            /* all cells that wait, decoys counted: not for a person */
	unsigned on_one;             /* submissions whole on at least one server, not on all needed */
	unsigned needed;             /* copies wanted: min(limit, number of servers) */
	unsigned lacks[ROSTER_SERVERS_MAX];  /* submissions of which this server of the roster
	                                        lacks a cell */
	unsigned saved;              /* submissions that are in a saved file, too */
	uint32_t since;              /* day since which the oldest waits; 0: nothing waits */
};

/*
 * Add cells of one submission (inside a batch of the caller's).
 * cells     in: n × CELL_SIZE; chunks first, statements last: they are sent in this order
 * group     out: its number, new; it holds until the submission is mixed into an upload
 * PERR_RANGE: n is 0 or OUTBOX_GROUP_MAX or more.
 */
PERR_MUST_CHECK enum perr outbox_add(struct client *c, const uint8_t *cells, size_t n,
                                    uint32_t *group);
/* the last group number given; 0: none yet */
PERR_MUST_CHECK enum perr outbox_last(struct client *c, uint32_t *group);
PERR_MUST_CHECK enum perr outbox_counts(struct client *c, struct outbox_counts *out);

/*
 * The first fresh submissions, as many as have at most max cells together, but one at
 * least.  n_cells  out: their cells; 0: none is fresh
 */
PERR_MUST_CHECK enum perr outbox_fresh(struct client *c, unsigned max, unsigned *n_cells);
/*
 * Make one group of those submissions and of n_decoys decoys (inside a batch of the
 * caller's).  Every order in which the real cells follow each other as they were added is
 * equally likely.  Nothing happens when there are neither cells nor decoys.
 *
 * max     in: as for outbox_fresh
 * decoys  in: n_decoys × CELL_SIZE
 * PERR_RANGE: more than a group holds.
 */
PERR_MUST_CHECK enum perr outbox_mix(struct client *c, unsigned max, const uint8_t *decoys,
                                    size_t n_decoys);

/*
 * Cells this server has not committed yet, in sending order, after `after` (0 at first).
 * fn gets the number and the cell; it may copy it.  At most max of them.
 */
typedef enum perr outbox_fn(void *arg, uint64_t number, const uint8_t cell[CELL_SIZE]);
PERR_MUST_CHECK enum perr outbox_next(struct client *c, const uint8_t server_pk[32],
                                     uint64_t after, unsigned max, outbox_fn *fn, void *arg);
/*
 * This server has committed these cells (durable there).  Those with enough copies are
 * erased from the store (kv_erase).  One batch; numbers rising; unknown ones are skipped.
 * whole  out: submissions of which this server lacked a cell before and has all now; may be
 *        NULL
 */
PERR_MUST_CHECK enum perr outbox_committed(struct client *c, const uint8_t server_pk[32],
                                          const uint64_t *numbers, size_t n, unsigned *whole);
/* all groups up to this one are in a file now (outbox_file.h).  One batch */
PERR_MUST_CHECK enum perr outbox_saved(struct client *c, uint32_t last_group);
/*
 * Erase what waits: those that are in a saved file, or all.  One batch.
 * cleared  out: submissions that are gone; what no server and no file has is lost
 */
PERR_MUST_CHECK enum perr outbox_clear(struct client *c, bool unsaved_too, unsigned *cleared);
/* make the record of the last group number, if there is none (in a batch of the caller's) */
PERR_MUST_CHECK enum perr outbox_level(struct client *c);
/*
 * Look through all groups again: what is wanted changes with the roster (fewer copies, a
 * server dropped).  One batch: for after a new roster.
 */
PERR_MUST_CHECK enum perr outbox_tidy(struct client *c);

#endif
