/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * origin: which cells on the servers brought a record to this reader.
 *
 * Whoever opened a cell knows its id and its erase secret (PROTOCOL 3.1, 3.4), and only
 * then: the secret follows from the seal, and the prekey that opened it is destroyed after
 * some weeks.  So both are written down with the record, for the day on which a family
 * withdraws its consent (erase.h).
 *
 * In the store:
 *	cell/<record hex>/<first 16 bytes of the cell's id, hex>
 *	                       id ‖ ds ‖ first 20 bytes of the statement's hash [‖ reference]
 *	chunks/<first 16 bytes of the stand-in of the blob's key, hex>
 *	                       of each chunk: its cell's id (zeros: not put together yet) ‖ ds
 *
 * THE KEY OF A BLOB DOES NOT STAY.  It would open the blob's cells in an old image of a server,
 * long after the prekeys are gone.  What is wanted keeps it until it has arrived (want/…); in
 * everything that is stored for good a hash of it stands in its place (origin_blind).
 */
#ifndef AMPARO_ORIGIN_H
#define AMPARO_ORIGIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "blob.h"
#include "client.h"
#include "perr.h"
#include "statement.h"

#define ORIGIN_HASH 20           /* bytes of a statement's hash, as in stmt/… */

/* the cell that a statement came in */
struct origin {
	uint8_t id[32], ds[32];
	uint32_t day;                /* of the segment it stood in; 0: not known; not stored */
	bool has_ref;                /* it was spilled: the cell held this reference */
	struct blob_ref ref;         /* as it came; as it is read back, with its stand-in */
};

/* inside a batch of the caller's; a repeat is harmless */
PERR_MUST_CHECK enum perr origin_note(struct client *c,
                                     const uint8_t record[STATEMENT_RECORD_SIZE],
                                     const uint8_t hash[32], const struct origin *o);
/*
 * Note the chunks of a blob; ref has its key.  Inside a batch.
 * ids  in: of the cells of all of them, in their order; NULL: they are not here yet (what is
 *      noted already stays)
 */
PERR_MUST_CHECK enum perr origin_note_chunks(struct client *c, const struct blob_ref *ref,
                                            const uint8_t (*ids)[32]);
/* put the stand-in in the place of the key */
void origin_blind(struct blob_ref *ref);

/* hash: the first ORIGIN_HASH bytes of the statement's */
typedef enum perr origin_fn(void *arg, const uint8_t hash[ORIGIN_HASH], const struct origin *o);
PERR_MUST_CHECK enum perr origin_each(struct client *c,
                                     const uint8_t record[STATEMENT_RECORD_SIZE],
                                     origin_fn *fn, void *arg);
/*
 * Ids and erase secrets of a blob's chunks.
 * ref    in: with its key or its stand-in
 * chunks out: for kv_free; blob_n_chunks(ref->size) of them
 * PERR_NOTFOUND: not known.
 */
struct origin_chunk {
	uint8_t id[32];              /* zeros: not known */
	uint8_t ds[32];
};
PERR_MUST_CHECK enum perr origin_chunks(struct client *c, const struct blob_ref *ref,
                                       struct origin_chunk **chunks);
/*
 * Forget both, when a record leaves this vault (inside a batch of the caller's); origin_forget
 * also forgets the chunks of statements that were spilled.
 */
PERR_MUST_CHECK enum perr origin_forget_chunks(struct client *c, const struct blob_ref *ref);
PERR_MUST_CHECK enum perr origin_forget(struct client *c,
                                       const uint8_t record[STATEMENT_RECORD_SIZE]);

#endif
