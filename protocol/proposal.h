/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * proposal: how several administrators come to sign the same documents.  PROTOCOL section 7.5.
 *
 *	proposal   what one of them wants: changes of the roster, or orders to servers, and all
 *	           that another device needs to make the very same documents from them
 *	sheet      one administrator's signatures of those documents; none of them: a refusal
 *	bundle     a proposal with the sheets so far and the forms it publishes, sealed to the
 *	           administrators who stay: what travels, as a file or in parts on the board
 *	part       a piece of a bundle that fits a board cell
 *
 * What a change is stands in bytes that only the administrators' program understands
 * (client/pending.h); here they are opaque.
 */
#ifndef AMPARO_PROPOSAL_H
#define AMPARO_PROPOSAL_H

#include "bulletin.h"
#include "signed.h"

#define PROPOSAL_CONTEXT      "amparo/1 proposal"
#define PROPOSAL_SHEET_CONTEXT "amparo/1 sheet"
#define PROPOSAL_PART_CONTEXT "amparo/1 proposal part"
#define PROPOSAL_SERVERS_MAX  ROSTER_SERVERS_MAX
#define PROPOSAL_CHANGES_MAX  1024
#define PROPOSAL_DOCS_MAX     (2 + PROPOSAL_SERVERS_MAX)
#define PROPOSAL_SHEETS_MAX   ADMINS_MAX
#define PROPOSAL_FORMS_MAX    16
#define PROPOSAL_PARTS_MAX    40
#define PROPOSAL_PART_MAX     3600       /* bytes of a part; so that it fits a cell */
#define PROPOSAL_SEALED_MAX   (16u << 20)
#define PROPOSAL_KEY_SIZE     32

enum proposal_kind {
	PROPOSAL_CHANGES = 1,            /* of the roster: header, link, policies */
	PROPOSAL_ORDERS = 2              /* to servers */
};

struct proposal_server {
	uint8_t pk[32];                  /* Noise key */
	uint32_t counter;                /* of the policy made for it */
};
/* decoded: slices point into the bytes */
struct proposal {
	enum proposal_kind kind;
	uint8_t proposer[32];            /* key id */
	uint32_t revision;               /* of all that this proposer proposed, rising */
	uint8_t base[32];                /* header hash that it stands upon */
	uint32_t version, day;           /* of the header; day of the orders */
	uint8_t seed[32];                /* of rng_seeded: everything random in the documents */
	uint32_t last;                   /* number of the last change (8.1, ext 1 of the admin body) */
	uint32_t n_servers;
	struct proposal_server servers[PROPOSAL_SERVERS_MAX];
	uint32_t n_changes;
	struct doc_bytes changes[PROPOSAL_CHANGES_MAX];
	uint32_t n_orders;
	struct doc_bytes orders[PROPOSAL_SERVERS_MAX];   /* documents of 10.2, not signed */
};
PERR_MUST_CHECK enum perr proposal_encode(uint8_t **out, size_t *out_len,
                                         const struct proposal *p);
PERR_MUST_CHECK enum perr proposal_decode(struct proposal *p, const uint8_t *in, size_t in_len);
/* H("amparo/1 proposal hash" || document) */
void proposal_hash(uint8_t hash[32], const uint8_t *doc, size_t doc_len);
/* [document, sigs] with the proposer's signature; key must be p->proposer's */
PERR_MUST_CHECK enum perr proposal_sign(uint8_t **out, size_t *out_len, const struct proposal *p,
                                       const struct sign_key *key);
/*
 * Decode and verify the proposer's signature.  p borrows from in.
 * PERR_FORMAT.  PERR_SIGS: not signed by the proposer.  Whether the proposer is an
 * administrator is the caller's question.
 */
PERR_MUST_CHECK enum perr proposal_open(struct proposal *p, uint8_t hash[32], const uint8_t *in,
                                       size_t in_len);

/* ---- sheets ------------------------------------------------------------------------------ */

struct proposal_sheet {
	uint8_t signer[32];
	/* of the proposal; or of the header in force, whose policies are signed anew */
	uint8_t hash[32];
	uint32_t n;                      /* signatures, in the order of 7.5; 0 for a proposal: refused */
	uint8_t sigs[PROPOSAL_DOCS_MAX][64];
	uint32_t n_policies;
	struct {
		uint8_t server_pk[32];
		uint32_t counter, day;
		uint8_t sig[64];
	} policies[PROPOSAL_SERVERS_MAX];
};
/* signed by the signer; key must be s->signer's.  Fits a board cell */
PERR_MUST_CHECK enum perr proposal_sheet_sign(uint8_t **out, size_t *out_len,
                                             const struct proposal_sheet *s,
                                             const struct sign_key *key);
/* PERR_FORMAT.  PERR_SIGS.  The signatures inside are verified with what they sign only */
PERR_MUST_CHECK enum perr proposal_sheet_open(struct proposal_sheet *s, const uint8_t *in,
                                             size_t in_len);

/* ---- bundles ----------------------------------------------------------------------------- */

struct proposal_form {
	uint8_t part[32];                /* name of the sealed part; the content is checked by it */
	struct doc_bytes content;
};
struct proposal_bundle {
	struct doc_bytes proposal;       /* signed */
	uint32_t n_sheets;
	struct doc_bytes sheets[PROPOSAL_SHEETS_MAX];    /* signed */
	uint32_t n_forms;
	struct proposal_form forms[PROPOSAL_FORMS_MAX];
};
/*
 * Seal to the slots of n members (slot keys and secrets; slots[i].key is not read).
 * out  out: malloc'd, for doc_free; its length tells a power of two
 * PERR_RANGE: too large, or n is 0 or above ADMINS_MAX.  PERR_KEY: as bulletin_slots_make.
 */
PERR_MUST_CHECK enum perr proposal_seal(uint8_t **out, size_t *out_len,
                                       const struct proposal_bundle *b,
                                       const struct bulletin_slot *slots, size_t n,
                                       struct rng rng);
/*
 * content  out: malloc'd, for doc_free; b borrows from it
 * PERR_NOTMINE: no slot opens.  PERR_AUTH, PERR_FORMAT: damaged.  Verifies no signature.
 */
PERR_MUST_CHECK enum perr proposal_unseal(struct proposal_bundle *b, uint8_t **content,
                                         size_t *content_len, const uint8_t *in, size_t in_len,
                                         const uint8_t slot_sk[32],
                                         const uint8_t slot_secret[32]);

/* ---- parts ------------------------------------------------------------------------------- */

struct proposal_part {
	uint8_t proposer[32];
	enum proposal_kind kind;
	uint32_t revision;
	uint32_t place, of;              /* of 0: nothing of this kind is proposed any more */
	struct doc_bytes bytes;          /* decoded: point into the document */
};
/* key must be p->proposer's.  PERR_RANGE */
PERR_MUST_CHECK enum perr proposal_part_sign(uint8_t **out, size_t *out_len,
                                            const struct proposal_part *p,
                                            const struct sign_key *key);
/* PERR_FORMAT.  PERR_SIGS */
PERR_MUST_CHECK enum perr proposal_part_open(struct proposal_part *p, const uint8_t *in,
                                            size_t in_len);

#endif
