/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * bulletin: how a roster travels: sealed parts, a signed header, slots with the keys.
 * PROTOCOL sections 8.1 to 8.3.
 *
 * The server sees sizes padded to powers of two, the version, and administrators' public
 * keys; nothing else.
 */
#ifndef AMPARO_BULLETIN_H
#define AMPARO_BULLETIN_H

#include "admins.h"
#include "roster.h"

#define BULLETIN_PART_MIN    4096u
#define BULLETIN_PART_MAX    1048576u
#define BULLETIN_CONTENT_MAX (BULLETIN_PART_MAX - 20)
#define BULLETIN_FORMS_MAX   64
#define BULLETIN_CONTEXT     "amparo/1 bulletin"
#define BULLETIN_SLOT_SIZE   80
#define BULLETIN_SLOTS_MIN   16
#define BULLETIN_SLOTS_MAX   8192        /* the power of two that still fits one part */

enum bulletin_which {
	BULLETIN_FIELD = 0, BULLETIN_STAFF = 1, BULLETIN_ADMIN = 2, BULLETIN_FORM = 3
};

/* ---- sealed parts ------------------------------------------------------------------------ */

/* the size of the sealed part for this content, or 0: too large */
size_t bulletin_part_size(size_t content_len);
/*
 * key must be fresh for this (which, version, content): the nonce is zero.
 * out  out: malloc'd, for doc_free        name  out: H(sealed part)
 * version  in: of the bulletin; 0 for a form.  PERR_RANGE: content too large.
 */
PERR_MUST_CHECK enum perr bulletin_part_seal(uint8_t **out, size_t *out_len, uint8_t name[32],
                                            const uint8_t key[32], enum bulletin_which which,
                                            uint32_t version, const uint8_t *content,
                                            size_t content_len);
/*
 * name     in: what the header (or the form's entry) calls it
 * content  out: malloc'd, for doc_free
 * PERR_CORRUPT: not the part of that name.  PERR_AUTH: another key, place or version.
 * PERR_FORMAT: padding.
 */
PERR_MUST_CHECK enum perr bulletin_part_open(uint8_t **content, size_t *content_len,
                                            const uint8_t name[32], const uint8_t key[32],
                                            enum bulletin_which which, uint32_t version,
                                            const uint8_t *part, size_t part_len);
/* H(part): what a server stores it under (slots and forms too) */
void bulletin_part_name(uint8_t name[32], const uint8_t *part, size_t part_len);

/* ---- header ------------------------------------------------------------------------------ */

struct bulletin_part {
	uint8_t name[32];
	uint32_t size;                   /* bytes, sealed */
};
struct bulletin_body {
	struct bulletin_part part;
	uint8_t commitment[32];          /* roster_commit of its key */
};
struct bulletin {
	uint32_t version;                /* from 1 */
	uint32_t day, last_day;
	uint8_t previous[32];            /* header hash before; zeros in version 1 */
	uint8_t link[32];                /* hash of the last link; bulletin_sign sets it */
	uint32_t n_chain;                /* 1..ADMINS_CHAIN_MAX signed links; beside the document */
	struct doc_bytes chain[ADMINS_CHAIN_MAX];    /* opened: point into the bytes */
	struct bulletin_body bodies[3];  /* by enum bulletin_which */
	struct bulletin_part slots;
	uint32_t n_forms;
	struct bulletin_part forms[BULLETIN_FORMS_MAX];  /* sorted by name */
};
/* the bare document: without the chain, of which it names the last link */
PERR_MUST_CHECK enum perr bulletin_encode(uint8_t **out, size_t *out_len,
                                         const struct bulletin *b);
PERR_MUST_CHECK enum perr bulletin_decode(struct bulletin *b, const uint8_t *in, size_t in_len);
/* H("amparo/1 bulletin hash" || document): the header hash */
void bulletin_hash(uint8_t hash[32], const uint8_t *doc, size_t doc_len);

/*
 * Encode and sign: [document, sigs, chain].  PERR_RANGE also: no chain.
 */
PERR_MUST_CHECK enum perr bulletin_sign(uint8_t **out, size_t *out_len, const struct bulletin *b,
                                       const struct sign_key *const *keys, size_t n_keys);
/*
 * The same with signatures that several administrators made, under BULLETIN_CONTEXT, of the
 * document that bulletin_encode gives.
 */
PERR_MUST_CHECK enum perr bulletin_pack(uint8_t **out, size_t *out_len, const struct bulletin *b,
                                       const struct signed_sigs *sigs);
/*
 * Open a signed header as it came from a server: decode it, verify its chain, verify the
 * signatures of the chain's last threshold.  b borrows from in.
 * a     out: the administrators it names; may not be NULL      hash  out: the header hash
 * PERR_FORMAT; PERR_SIGS; PERR_CHAIN.  Is it newer, and the right organisation's?
 * That is bulletin_accept.
 */
PERR_MUST_CHECK enum perr bulletin_open(struct bulletin *b, struct admins *a, uint8_t hash[32],
                                       const uint8_t *in, size_t in_len);

/* what a client (or a server) keeps of the newest header it accepted */
struct bulletin_known {
	uint32_t version;                /* 0: none yet */
	uint8_t hash[32];
	uint32_t n_links;                /* at least 1 once the genesis is known */
	uint8_t links[ADMINS_CHAIN_MAX][32];
};
/* a client that knows only the genesis hash (a joining one, an organisation's founder) */
void bulletin_known_begin(struct bulletin_known *k, const uint8_t genesis[32]);
/*
 * May an opened header take the place of what is known?
 * PERR_OK: newer, or the same one again.  PERR_OLD: a lower version.  PERR_FORK: the same
 * version with another hash.  PERR_CHAIN: another genesis, or a known link is missing.
 */
PERR_MUST_CHECK enum perr bulletin_accept(const struct bulletin_known *k,
                                         const struct bulletin *b, const struct admins *a,
                                         const uint8_t hash[32]);
/*
 * Two histories show even in an acceptable header: it is the next version, and names
 * another one than the known as its previous.  To be shown, not refused.
 */
bool bulletin_breaks_history(const struct bulletin_known *k, const struct bulletin *b);
/* remember an accepted header */
void bulletin_known_set(struct bulletin_known *k, const struct bulletin *b,
                        const struct admins *a, const uint8_t hash[32]);

/* ---- slots ------------------------------------------------------------------------------- */

struct bulletin_slot {
	uint8_t pk[32];                  /* slot public key of a member or open invitation */
	uint8_t secret[32];              /* its slot secret */
	uint8_t key[32];                 /* k_field, k_staff or k_admin */
};
/*
 * The slots part of one version: n slots, filled up with slots nobody opens to a power of
 * two, sorted.  out: malloc'd, for doc_free.  name out: H(part).
 * PERR_RANGE: more than BULLETIN_SLOTS_MAX.  PERR_KEY: a slot public key is unusable.
 */
PERR_MUST_CHECK enum perr bulletin_slots_make(uint8_t **out, size_t *out_len, uint8_t name[32],
                                             uint32_t version, const struct bulletin_slot *slots,
                                             size_t n, struct rng rng);
/*
 * Find one's own slot and open it; all are tried, whichever it is.
 * key out: the body key.  PERR_NOTMINE: none of them.  PERR_FORMAT: not a slots part.
 */
PERR_MUST_CHECK enum perr bulletin_slots_find(uint8_t key[32], const uint8_t *part,
                                             size_t part_len, uint32_t version,
                                             const uint8_t slot_sk[32],
                                             const uint8_t slot_secret[32]);
/*
 * What the slot of somebody who was revoked holds instead of a key: that the membership ended,
 * and on which day.  PROTOCOL 8.3.
 */
void bulletin_slot_ended(uint8_t key[32], uint32_t day);
/* is this it?  day out */
bool bulletin_slot_is_ended(const uint8_t key[32], uint32_t *day);
/*
 * Which level a key is, by the commitments of the header, and the keys of the levels below
 * it.  keys out: roster_keys.  PERR_UNKNOWN: none of the three.  PERR_CHAIN: the keys
 * derived for the levels below do not fit their commitments.
 */
PERR_MUST_CHECK enum perr bulletin_level(enum bulletin_which *which, struct roster_keys *keys,
                                        const struct bulletin *b, const uint8_t key[32]);

#endif
