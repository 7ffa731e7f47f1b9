/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * cell: the only stored unit.  PROTOCOL section 3.
 *
 *	E[32] | T[32] | ct[4000] | mac[16]                      = 4080 bytes
 *
 * E is a real fresh X25519 public key in every cell, decoys and chunks included; the
 * rest is indistinguishable from random bytes to whoever holds neither the reader's
 * key nor the season's.  One function makes all of them.
 */
#ifndef AMPARO_CELL_H
#define AMPARO_CELL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hpke.h"
#include "perr.h"
#include "rng.h"

#define CELL_SIZE        4080
#define CELL_ID_SIZE     32
#define CELL_E_SIZE      32
#define CELL_TAG_SIZE    32
#define CELL_TAG_AT      32              /* offset of T */
#define CELL_HEAD_SIZE   64              /* E and T: what peek serves */
#define CELL_DS_SIZE     32
#define CELL_PLAIN_SIZE  4000
#define CELL_PAYLOAD_MAX (CELL_PLAIN_SIZE - 3)

/* the first byte of the plaintext */
enum cell_form {
	CELL_STATEMENT = 0,          /* payload: an envelope (envelope.h), inline */
	CELL_SPILLED   = 1,          /* payload: a blob reference to an envelope */
	CELL_CHUNK     = 2,          /* payload: one chunk of a blob */
	CELL_BOARD     = 3,          /* payload: a board document */
	CELL_JOIN      = 4,          /* payload: an answer to an invitation */
	CELL_FORM_MAX  = 4
};

/* a season: number and PSK, with the HPKE parameters made from them once */
struct season {
	uint32_t number;
	uint8_t psk[32];
	struct hpke_params params;
};
void season_init(struct season *s, uint32_t number, const uint8_t psk[32]);
void season_wipe(struct season *s);

/* a reader's private key with its public half */
struct reader_key {
	uint8_t sk[32];
	uint8_t pk[32];
};

/* id out: BLAKE2b-256 of the whole cell */
void cell_id(uint8_t id[CELL_ID_SIZE], const uint8_t cell[CELL_SIZE]);

/* T = BLAKE2b-256("amparo/1 tag" || ds) */
void cell_tag(uint8_t tag[CELL_TAG_SIZE], const uint8_t ds[CELL_DS_SIZE]);

/*
 * What a server checks without any key: E canonical (bit 255 clear and < 2^255 - 19) and
 * not one of the small-order points.  PERR_FORMAT otherwise.
 */
PERR_MUST_CHECK enum perr cell_check(const uint8_t cell[CELL_SIZE]);
/* the same rule for any X25519 public key that a document names */
PERR_MUST_CHECK enum perr cell_check_pk(const uint8_t pk[CELL_E_SIZE]);

/*
 * Seal one payload to one reader.
 *
 * cell       out: CELL_SIZE bytes; all zero after an error
 * ds         out: the erase secret, exported from the seal; may be NULL
 * payload    in: payload_len <= CELL_PAYLOAD_MAX; must not overlap cell
 * reader_pk  in: X25519 public key
 * PERR_RANGE: payload_len or form, or season was wiped.  PERR_KEY: reader_pk has small order.
 */
PERR_MUST_CHECK enum perr cell_seal(uint8_t cell[CELL_SIZE], uint8_t ds[CELL_DS_SIZE],
                                   enum cell_form form, const uint8_t *payload,
                                   size_t payload_len, const uint8_t reader_pk[32],
                                   const struct season *season, struct rng rng);
/*
 * The same with an erase secret given from outside: chunks of a blob only, whose ds is
 * derived from the blob's key (blob.h).
 */
PERR_MUST_CHECK enum perr cell_seal_chunk(uint8_t cell[CELL_SIZE],
                                         const uint8_t ds[CELL_DS_SIZE],
                                         const uint8_t *payload, size_t payload_len,
                                         const uint8_t reader_pk[32],
                                         const struct season *season, struct rng rng);
/* an empty statement to a key that is forgotten at once; all zero after an error */
PERR_MUST_CHECK enum perr cell_seal_decoy(uint8_t cell[CELL_SIZE], const struct season *season,
                                         struct rng rng);

/*
 * Is this cell for one of these keys?  Needs only its head: one DH per key, then a few
 * HMACs per season, then T is compared in constant time.
 *
 * key_at, season_at  out: which fits        ds  out: the erase secret; may be NULL
 * PERR_NOTMINE: none; ds is zero then.  Says nothing about the rest of the cell.
 */
PERR_MUST_CHECK enum perr cell_trial(size_t *key_at, size_t *season_at, uint8_t ds[CELL_DS_SIZE],
                                    const uint8_t head[CELL_HEAD_SIZE],
                                    const struct reader_key *keys, size_t n_keys,
                                    const struct season *seasons, size_t n_seasons);
/*
 * Open a cell whose key and season are known, in this order: T must fit the exported ds
 * (PERR_NOTMINE otherwise, also for an E that cell_check refuses); the AEAD (PERR_AUTH: T
 * right, seal wrong: noise, drop it); form, length, zeros behind the payload (PERR_FORMAT).
 *
 * payload  out: CELL_PAYLOAD_MAX bytes of room, zeros behind payload_len; all zero after an error
 */
PERR_MUST_CHECK enum perr cell_open(enum cell_form *form, uint8_t payload[CELL_PAYLOAD_MAX],
                                   size_t *payload_len, const uint8_t cell[CELL_SIZE],
                                   const struct reader_key *key, const struct season *season);
/*
 * Open a chunk, whose T the caller matched against the blob's.  The seasons are tried in
 * turn.  PERR_AUTH: the key opens it in none of them.  PERR_FORMAT: as cell_open, or the form
 * is not CELL_CHUNK.
 */
PERR_MUST_CHECK enum perr cell_open_chunk(uint8_t payload[CELL_PAYLOAD_MAX], size_t *payload_len,
                                         const uint8_t cell[CELL_SIZE],
                                         const struct reader_key *key,
                                         const struct season *seasons, size_t n_seasons);

#endif
