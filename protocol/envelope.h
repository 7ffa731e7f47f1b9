/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * envelope: a statement with its signature, the opening of its sequence number, and the
 * references of its attachments.  PROTOCOL section 4.1.  Payload of cell forms 0 and 1.
 */
#ifndef AMPARO_ENVELOPE_H
#define AMPARO_ENVELOPE_H

#include "blob.h"
#include "statement.h"

#define ENVELOPE_REFS_MAX    64
#define ENVELOPE_INLINE_MAX  CELL_PAYLOAD_MAX    /* longer ones travel as a blob */
#define ENVELOPE_MAX         (STATEMENT_MAX + 8192)

struct envelope {
	struct doc_bytes statement;      /* borrowed */
	uint8_t sig[SIGNED_SIG_SIZE];
	bool has_opening;
	uint32_t number;
	uint8_t salt[STATEMENT_SALT_SIZE];
	uint32_t n_refs;
	struct blob_ref refs[ENVELOPE_REFS_MAX];     /* hold keys: wipe */
};

/* out: malloc'd, for doc_free.  PERR_RANGE: a limit */
PERR_MUST_CHECK enum perr envelope_encode(uint8_t **out, size_t *out_len,
                                         const struct envelope *env);
/* env->statement points into in.  PERR_FORMAT.  Verifies nothing: see envelope_open */
PERR_MUST_CHECK enum perr envelope_decode(struct envelope *env, const uint8_t *in,
                                         size_t in_len);
void envelope_wipe(struct envelope *env);

/*
 * What a reader does with an opened cell: decode the envelope and its statement, verify
 * the author's signature, and the opening if there is one.
 * st borrows from in.  PERR_FORMAT, PERR_AUTH as in their parts.  PERR_UNKNOWN: well
 * signed, of a later version; env and st's head are filled.  Whether it is addressed to
 * the reader is the caller's next question: statement_addressed_to.
 */
PERR_MUST_CHECK enum perr envelope_open(struct envelope *env, struct statement *st,
                                       const uint8_t *in, size_t in_len);

/*
 * Encode a statement, sign it, and wrap it with an opening: what an author does.
 *
 * st        in/out: seq_commit and author are set here
 * number    in: from 1, counted for each pair of author and st->to
 * refs      in: n_refs references for the attachments, or NULL
 * hash      out: statement_hash, may be NULL
 */
PERR_MUST_CHECK enum perr envelope_make(uint8_t **out, size_t *out_len, uint8_t hash[32],
                                       struct statement *st, uint32_t number,
                                       const struct blob_ref *refs, size_t n_refs,
                                       const struct sign_key *author, struct rng rng);

/* forget number and salt: nobody but the desk learns how many records an author sent */
void envelope_strip_opening(struct envelope *env);
/* the reference that belongs to an attachment of the signed list, by hash and size; or NULL */
const struct blob_ref *envelope_ref_for(const struct envelope *env,
                                        const struct statement_attachment *att);
/*
 * The attachment list of an intake or amendment; NULL: this kind has none.  For an assignment,
 * referral or copy ask with its original (statement_original).
 */
const struct statement_attachments *envelope_attachments(const struct statement *st);

#endif
