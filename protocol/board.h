/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * board: what members publish about themselves, sealed to a board key in ordinary cells.
 * PROTOCOL section 7.3.
 *
 * A charter with many signatures and countersignatures may be larger than a cell.  A
 * holder then publishes a copy with only its own signature; charter_merge gathers them.
 */
#ifndef AMPARO_BOARD_H
#define AMPARO_BOARD_H

#include "cell.h"
#include "signed.h"

#define BOARD_ENTRIES_MAX    512
#define BOARD_REKEY_CONTEXT  "amparo/1 rekey"

enum board_type {
	BOARD_BATCH   = 1,               /* batch.h: a signed document */
	BOARD_CHARTER = 2,               /* charter.h: a signed charter, signatures so far */
	BOARD_REKEY   = 3,               /* below */
	BOARD_PROPOSAL = 4,              /* proposal.h: a part */
	BOARD_SHEET   = 5,               /* proposal.h: a sheet */
	BOARD_PAPER   = 6                /* paper.h: a signed document */
};
struct board_entry {
	enum board_type type;
	struct doc_bytes doc;            /* decoded: points into the payload */
};

/* payload out: for cell_seal with CELL_BOARD.  PERR_RANGE: does not fit one cell */
PERR_MUST_CHECK enum perr board_encode(uint8_t payload[CELL_PAYLOAD_MAX], size_t *len,
                                      const struct board_entry *e);
/* PERR_FORMAT.  PERR_UNKNOWN: a type of a later version */
PERR_MUST_CHECK enum perr board_decode(struct board_entry *e, const uint8_t *payload,
                                      size_t len);
/* the key pair of a board, of an inbox or of a slot from its private half */
void board_key(struct reader_key *key, const uint8_t sk[32]);

/* change of a signing key, signed by both */
struct board_rekey {
	uint8_t old_key[32], new_key[32];
	uint32_t number;                 /* counts a member's changes from 1 */
};
/* the bare document.  PERR_RANGE: number 0, or both keys the same */
PERR_MUST_CHECK enum perr board_rekey_encode(uint8_t **out, size_t *out_len,
                                            const struct board_rekey *rk);
PERR_MUST_CHECK enum perr board_rekey_decode(struct board_rekey *rk, const uint8_t *in,
                                            size_t in_len);
PERR_MUST_CHECK enum perr board_rekey_sign(uint8_t **out, size_t *out_len,
                                          const struct board_rekey *rk,
                                          const struct sign_key *old_key,
                                          const struct sign_key *new_key);
/* PERR_FORMAT.  PERR_SIGS: not signed by both */
PERR_MUST_CHECK enum perr board_rekey_open(struct board_rekey *rk, const uint8_t *in,
                                          size_t in_len);

#endif
