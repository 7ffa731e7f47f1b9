/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * admins: the chain of administrators' keys, each change signed by the old threshold and
 * by the new one.  PROTOCOL section 7.1.
 *
 * The whole chain travels in each bulletin and policy, so that any client checks the
 * newest version alone.  What it trusts is the genesis hash (from its invitation's
 * anchor) and the links it has seen.
 */
#ifndef AMPARO_ADMINS_H
#define AMPARO_ADMINS_H

#include "signed.h"

#define ADMINS_MAX        16
#define ADMINS_CHAIN_MAX  64
#define ADMINS_CONTEXT    "amparo/1 admins"
#define ADMINS_LINK_MAX   4096           /* bytes of one signed link, more than any has */

/* one link */
struct admins_link {
	uint32_t index;
	uint32_t threshold;              /* 1..n */
	uint32_t n;                      /* 1..ADMINS_MAX */
	uint8_t keys[ADMINS_MAX][32];    /* sorted */
	uint8_t previous[32];            /* hash of the link before; zeros in link 0 */
};
/* a verified chain */
struct admins {
	uint8_t genesis[32];             /* hash of link 0 */
	struct admins_link last;         /* who may sign now */
	uint32_t n_links;
	uint8_t hashes[ADMINS_CHAIN_MAX][32];
};

PERR_MUST_CHECK enum perr admins_link_encode(uint8_t **out, size_t *out_len,
                                            const struct admins_link *l);
PERR_MUST_CHECK enum perr admins_link_decode(struct admins_link *l, const uint8_t *in,
                                            size_t in_len);
/* H("amparo/1 admins hash" || document) */
void admins_hash(uint8_t hash[32], const uint8_t *doc, size_t doc_len);

/*
 * Make link 0, or the link after a verified chain; not signed yet: signed_add with
 * ADMINS_CONTEXT on out->bytes and out->sigs, then signed_encode.
 * keys need not be sorted.  PERR_RANGE: threshold, n, a repeated key, a full chain.
 */
PERR_MUST_CHECK enum perr admins_genesis(struct signed_doc *out, uint32_t threshold,
                                        const uint8_t (*keys)[32], uint32_t n);
PERR_MUST_CHECK enum perr admins_next(struct signed_doc *out, const struct admins *now,
                                     uint32_t threshold, const uint8_t (*keys)[32], uint32_t n);

/*
 * Verify a chain of n signed links, 1..ADMINS_CHAIN_MAX.
 * PERR_FORMAT.  PERR_SIGS: a link lacks signatures.  PERR_CHAIN: index or previous hash.
 */
PERR_MUST_CHECK enum perr admins_verify(struct admins *a, const struct doc_bytes *chain,
                                       size_t n);
/*
 * Does it start where what is known started, and hold every link known, each at its
 * place?  PERR_CHAIN otherwise.  known: hashes from link 0 on, n_known >= 1.
 */
PERR_MUST_CHECK enum perr admins_continues(const struct admins *a, const uint8_t (*known)[32],
                                          size_t n_known);
/* the threshold of the last link signed it.  PERR_SIGS */
PERR_MUST_CHECK enum perr admins_check(const struct admins *a, const struct signed_sigs *sigs,
                                      const char *context, const uint8_t *doc, size_t doc_len);
/* is this key one of the last link? */
bool admins_has(const struct admins *a, const uint8_t key[32]);

/* ---- documents signed under a chain ------------------------------------------------------ */

/*
 * A header and a policy travel as [document, sigs, chain]; the document names the hash of the
 * chain's last link.  So the signatures of a new link can be collected together with those of
 * the document that is the first to stand upon it: none of them covers another.
 */
struct admins_doc {
	struct doc_bytes doc;            /* borrows */
	struct signed_sigs sigs;
	uint32_t n_chain;                /* 1..ADMINS_CHAIN_MAX signed links */
	struct doc_bytes chain[ADMINS_CHAIN_MAX];    /* borrow */
};
/* hash of a signed link, as it travels.  PERR_FORMAT */
PERR_MUST_CHECK enum perr admins_link_hash(uint8_t hash[32], struct doc_bytes link);
/* out: malloc'd, for doc_free.  PERR_RANGE: too large, no document, no chain */
PERR_MUST_CHECK enum perr admins_pack(uint8_t **out, size_t *out_len, const struct admins_doc *d);
/* PERR_FORMAT.  Verifies nothing; *d borrows from in */
PERR_MUST_CHECK enum perr admins_view(struct admins_doc *d, const uint8_t *in, size_t in_len);
/*
 * Verify d's chain, that `link` is the hash of its last one, and that the threshold of the
 * last one signed the document.  PERR_FORMAT, PERR_SIGS, PERR_CHAIN.
 */
PERR_MUST_CHECK enum perr admins_open(struct admins *a, const struct admins_doc *d,
                                     const uint8_t link[32], const char *context);

#endif
