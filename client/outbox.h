/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * outbox: sealed cells that wait until enough servers have committed them.
 *
 * A cell in the outbox is as sealed as on a server: the device cannot open it.  It stays
 * until `copies` servers committed it (roster limits), chunks going before the statements
 * that need them.  What the outbox tells whoever seizes the unlocked device: how many
 * cells wait, in how many submissions, and which servers have some of them already.
 *
 * In the store, for each submission (group):
 *	outbox/<group, 12 digits>.<part, 4 digits>   OUTBOX_PART cells or fewer, never changed:
 *	                                             storing 70 cells is one record, one commit
 *	outack/<group, 12 digits>                    which server has which of them
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

#define OUTBOX_PART      256
#define OUTBOX_GROUP_MAX 65536           /* cells of one submission */

/* what a person is told */
struct outbox_counts {
	unsigned submissions;        /* groups with a cell still waiting */
	unsigned cells;              /* cells in them */
	unsigned on_one;             /* submissions whole on at least one server, not on all needed */
	unsigned needed;             /* copies wanted: min(limit, number of servers) */
};

/*
 * Add cells of one submission (inside a batch of the caller's).
 * cells     in: n × CELL_SIZE; chunks first, statements last: they are sent in this order
 * The group number is new; it is returned for outbox_group_waits.
 * PERR_RANGE: n is 0 or OUTBOX_GROUP_MAX or more.
 */
PERR_MUST_CHECK enum perr outbox_add(struct client *c, const uint8_t *cells, size_t n,
                                    uint32_t *group);
/* how many cells of this group still wait (0: safe, or never was) */
PERR_MUST_CHECK enum perr outbox_group_waits(struct client *c, uint32_t group, unsigned *n);
PERR_MUST_CHECK enum perr outbox_counts(struct client *c, struct outbox_counts *out);

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
 */
PERR_MUST_CHECK enum perr outbox_committed(struct client *c, const uint8_t server_pk[32],
                                          const uint64_t *numbers, size_t n);
/*
 * Look through all groups again: what is wanted changes with the roster (fewer copies, a
 * server dropped).  One batch: for after a new roster.
 */
PERR_MUST_CHECK enum perr outbox_tidy(struct client *c);

#endif
