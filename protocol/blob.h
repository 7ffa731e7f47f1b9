/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * blob: what does not fit one cell.  PROTOCOL section 3.4.
 *
 * A blob is cut into chunks of CELL_PAYLOAD_MAX bytes, each sealed to the blob's own
 * fresh X25519 key.  Its reference {key, size, hash} is all a reader needs: the erase
 * secret of chunk i, hence its tag T, follows from the key,
 *
 *	ds_i = BLAKE2b-256(key = blob sk, "amparo/1 chunk erase" || u32 BE i)
 *	T_i  = BLAKE2b-256("amparo/1 tag" || ds_i)
 *
 * so no list of tags travels, and a reference is 68 bytes however long the blob.
 */
#ifndef AMPARO_BLOB_H
#define AMPARO_BLOB_H

#include <stddef.h>
#include <stdint.h>

#include "cell.h"

#define BLOB_SIZE_MAX   (64u << 20)      /* 64 MiB: more is refused before any allocation */
#define BLOB_REF_SIZE   68               /* sk[32] | u32 BE size | hash[32] */

struct blob_ref {
	uint8_t sk[32];
	uint32_t size;                   /* bytes */
	uint8_t hash[32];                /* BLAKE2b-256 of the content */
};

void blob_ref_encode(uint8_t out[BLOB_REF_SIZE], const struct blob_ref *ref);
/* PERR_FORMAT: size over BLOB_SIZE_MAX */
PERR_MUST_CHECK enum perr blob_ref_decode(struct blob_ref *ref, const uint8_t in[BLOB_REF_SIZE]);

/* how many chunks a blob of size bytes has; an empty blob has one */
uint32_t blob_n_chunks(uint32_t size);

/* a fresh reference for this content: new key, its size and hash.  PERR_RANGE: too large */
PERR_MUST_CHECK enum perr blob_begin(struct blob_ref *ref, const uint8_t *data, size_t len,
                                    struct rng rng);
/*
 * Chunk i of the content as a cell.
 *
 * data, len  in: the whole content, as it was given to blob_begin
 * PERR_RANGE: no chunk i, or len is not the reference's size; cell is all zero then
 */
PERR_MUST_CHECK enum perr blob_seal_chunk(uint8_t cell[CELL_SIZE], const struct blob_ref *ref,
                                         uint32_t i, const uint8_t *data, size_t len,
                                         const struct season *season, struct rng rng);

/*
 * The blob's key pair.  Its public half costs a third of a chunk: whoever seals or opens
 * many works it out once and calls the _with variants below.  key is secret: wipe.
 */
void blob_key(struct reader_key *key, const struct blob_ref *ref);
PERR_MUST_CHECK enum perr blob_seal_chunk_with(uint8_t cell[CELL_SIZE],
                                              const struct blob_ref *ref,
                                              const struct reader_key *key, uint32_t i,
                                              const uint8_t *data, size_t len,
                                              const struct season *season, struct rng rng);
PERR_MUST_CHECK enum perr blob_open_chunk_with(uint8_t *data, const struct blob_ref *ref,
                                              const struct reader_key *key, uint32_t i,
                                              const uint8_t cell[CELL_SIZE],
                                              const struct season *seasons, size_t n_seasons);

void blob_chunk_ds(uint8_t ds[CELL_DS_SIZE], const struct blob_ref *ref, uint32_t i);
void blob_chunk_tag(uint8_t tag[CELL_TAG_SIZE], const struct blob_ref *ref, uint32_t i);

/*
 * Put chunk i, opened from cell, at its place in data (ref->size bytes).
 * PERR_AUTH: this cell is not that chunk (another cell with the same T may be).
 * PERR_FORMAT: its length is not what chunk i of this size must have.
 * PERR_RANGE: there is no chunk i.  data is touched on success only.
 */
PERR_MUST_CHECK enum perr blob_open_chunk(uint8_t *data, const struct blob_ref *ref, uint32_t i,
                                         const uint8_t cell[CELL_SIZE],
                                         const struct season *seasons, size_t n_seasons);
/* PERR_CORRUPT: the content does not have the reference's hash */
PERR_MUST_CHECK enum perr blob_check(const struct blob_ref *ref, const uint8_t *data, size_t len);

#endif
