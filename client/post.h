/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * post: own documents that wait to be put on the board, or in the stewards' inbox.
 *
 * Each stands in a slot ("batch", "charter/<desk id hex>", "rekey", "join"): a newer
 * document of the same slot takes the place of the older one, here and on the servers'
 * boards, by showing the erase secret of the cell put there before.  For each server is
 * kept what it holds; a board that has lost a document (a clear by the stewards) gets it
 * again.
 *
 * In the store: post/<slot>.
 */
#ifndef AMPARO_POST_H
#define AMPARO_POST_H

#include <stdbool.h>
#include <stdint.h>

#include "cell.h"
#include "client.h"
#include "perr.h"

#define POST_SLOT_MAX 80

enum post_kind {
	POST_BOARD = 1, POST_JOIN = 2,
	POST_GONE = 3                /* was on the board and is to be taken off; in the store only */
};

struct post {
	enum post_kind kind;
	uint8_t cell[CELL_SIZE];
	uint8_t ds[32];              /* of this cell: kept to replace it later (board) */
	bool has_old;                /* board: put in the place of the cell with old_ds; out only */
	uint8_t old_ds[32];
	uint8_t ticket[16];          /* join */
};

/* queue it for every server (inside a batch of the caller's) */
PERR_MUST_CHECK enum perr post_add(struct client *c, const char *slot, const struct post *p);
/* forget a slot (inside a batch of the caller's); what servers hold stays there */
PERR_MUST_CHECK enum perr post_drop(struct client *c, const char *slot);

/*
 * Take a slot's document off every board that holds it (inside a batch of the caller's), and
 * forget the slot then.  A board entry cannot be erased, only replaced; what takes the place of
 * this one has the same T, so that it is replaced by itself (PROTOCOL 6, board.put).
 * PERR_OK also if there is no such slot.
 */
PERR_MUST_CHECK enum perr post_retire(struct client *c, const char *slot);
/* the slots that begin so, in order; those that are being taken off left out */
typedef enum perr post_slot_fn(void *arg, const char *slot);
PERR_MUST_CHECK enum perr post_slots(struct client *c, const char *prefix, post_slot_fn *fn,
                                    void *arg);

typedef enum perr post_fn(void *arg, const char *slot, const struct post *p);
/* posts this server has not accepted yet */
PERR_MUST_CHECK enum perr post_each_due(struct client *c, const uint8_t server_pk[32],
                                       post_fn *fn, void *arg);
/*
 * Accepted.  Remembers what this server holds, so that the next one replaces it.
 * cell_id       in: of the cell that was put; if the slot has a newer one by now, that
 *               stays due
 * board_digest  in: of the board as it was shown then; NULL for a join
 * One batch.
 */
PERR_MUST_CHECK enum perr post_done(struct client *c, const uint8_t server_pk[32],
                                   const char *slot, const uint8_t cell_id[32],
                                   const uint8_t board_digest[32]);
/*
 * The board as it is shown now: what was put there under another digest was to appear since
 * (changes show at releases); what has not is due again.  One batch, or none.
 * ids  in: n ids, in rising order
 */
PERR_MUST_CHECK enum perr post_check_board(struct client *c, const uint8_t server_pk[32],
                                          const uint8_t board_digest[32],
                                          const uint8_t (*ids)[32], size_t n);
/* has every server of the roster accepted this slot's document?  false also if there is none */
PERR_MUST_CHECK enum perr post_is_everywhere(struct client *c, const char *slot, bool *yes);
/* documents that some server of the roster still lacks */
PERR_MUST_CHECK enum perr post_count_due(struct client *c, unsigned *n);

#endif
