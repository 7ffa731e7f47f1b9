/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * outbox: sealed cells that wait until enough servers have committed them, and own
 * documents that wait to be put on the board or in the stewards' inbox.
 *
 * A cell in the outbox is as sealed as on a server: the device cannot open it.  It stays
 * until `copies` servers committed it (roster limits), chunks going before the statements
 * that need them.  What the outbox tells whoever seizes the unlocked device: how many
 * cells wait, in how many submissions.
 */
#ifndef AMPARO_OUTBOX_H
#define AMPARO_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cell.h"
#include "client.h"
#include "perr.h"

/* what a person is told */
struct outbox_counts {
	unsigned submissions;        /* groups with a cell still waiting */
	unsigned cells;              /* cells in them */
	unsigned on_one;             /* submissions committed by at least one server, not by all needed */
	unsigned needed;             /* copies wanted: min(limit, number of servers) */
};

/*
 * Add cells of one submission (inside a batch of the caller's).
 * cells     in: n × CELL_SIZE; chunks first, statements last: they are sent in this order
 * ds        in: n × 32 erase secrets, or NULL; not stored
 * The group number is new; it is returned for outbox_group_waits.
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
 * erased from the store (kv_erase).  One batch.
 */
PERR_MUST_CHECK enum perr outbox_committed(struct client *c, const uint8_t server_pk[32],
                                          const uint64_t *numbers, size_t n);

/* documents to be put: a board document as a sealed cell with the ds it replaces, or a join answer */
enum post_kind { POST_BOARD = 1, POST_JOIN = 2 };
struct post {
	enum post_kind kind;
	uint8_t cell[CELL_SIZE];
	uint8_t ds[32];              /* of this cell: kept to replace it later (board) */
	bool has_old;
	uint8_t old_ds[32];          /* board: of the one it replaces */
	uint8_t ticket[16];          /* join */
};
/* queue it for every server (inside a batch of the caller's); slot: "batch", "charter/<desk>",
 * "rekey", "join": a newer document of the same slot replaces the older, on the board too */
PERR_MUST_CHECK enum perr post_add(struct client *c, const char *slot, const struct post *p);
typedef enum perr post_fn(void *arg, const char *slot, const struct post *p);
/* posts this server has not accepted yet */
PERR_MUST_CHECK enum perr post_each_due(struct client *c, const uint8_t server_pk[32],
                                       post_fn *fn, void *arg);
/* accepted: remembers ds per slot and server, so that the next one replaces it */
PERR_MUST_CHECK enum perr post_done(struct client *c, const uint8_t server_pk[32],
                                   const char *slot, const uint8_t cell_id[32]);
/* servers whose board lacks this slot's cell (from board.get): due again */
PERR_MUST_CHECK enum perr post_again(struct client *c, const uint8_t server_pk[32],
                                    const char *slot);

#endif
