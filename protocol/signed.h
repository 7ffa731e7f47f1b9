/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * signed: Ed25519 signatures over documents, one or several.  PROTOCOL sections 1 and 2.
 *
 * A signature covers context || document, the document's bytes as they stand.  A signed
 * document is [document bin, sigs]; sigs are sorted by key id, each key id once, at most
 * SIGNED_SIGS_MAX.  A key id is the Ed25519 public key.
 *
 * What counts: a signature that verifies, under a key of the list the caller names, each
 * key once.  libsodium refuses keys that are not canonical or of small order, R of small
 * order, and S that is not reduced; so nobody counts twice through a second encoding.
 */
#ifndef AMPARO_SIGNED_H
#define AMPARO_SIGNED_H

#include "doc.h"
#include "rng.h"

#define SIGNED_KEY_SIZE  32
#define SIGNED_SIG_SIZE  64
#define SIGNED_SIGS_MAX  32
#define SIGNED_DOC_MAX   (1u << 20)      /* no signed document is larger */

/* a signing key with its key id; long-lived ones live in sodium_malloc */
struct sign_key {
	uint8_t id[SIGNED_KEY_SIZE];
	uint8_t sk[64];                  /* libsodium's form: seed || id */
};
void signed_key_new(struct sign_key *k, struct rng rng);
void signed_key_from_seed(struct sign_key *k, const uint8_t seed[32]);
void signed_key_wipe(struct sign_key *k);

struct signed_sig {
	uint8_t key[SIGNED_KEY_SIZE];
	uint8_t sig[SIGNED_SIG_SIZE];
};
/* starts as { 0 } */
struct signed_sigs {
	uint32_t n;
	struct signed_sig at[SIGNED_SIGS_MAX];   /* sorted by key */
};

/* ---- bare signatures --------------------------------------------------------------------- */

/* PERR_NOMEM (the signed bytes are put together in memory, and wiped) */
PERR_MUST_CHECK enum perr signed_make(uint8_t sig[SIGNED_SIG_SIZE], const struct sign_key *k,
                                     const char *context, const uint8_t *doc, size_t doc_len);
/* PERR_AUTH: not a signature of that key.  PERR_NOMEM */
PERR_MUST_CHECK enum perr signed_verify(const uint8_t key[SIGNED_KEY_SIZE],
                                       const uint8_t sig[SIGNED_SIG_SIZE], const char *context,
                                       const uint8_t *doc, size_t doc_len);

/* ---- sets of signatures ------------------------------------------------------------------ */

/* put k's signature into the set (replacing one of the same key).  PERR_LIMIT: set full */
PERR_MUST_CHECK enum perr signed_add(struct signed_sigs *s, const struct sign_key *k,
                                    const char *context, const uint8_t *doc, size_t doc_len);
/*
 * Take over from another set for the same document what is valid and of an allowed key.
 * A wrong signature that came first does not keep the right one out.
 * PERR_LIMIT: set full; what fitted was taken
 */
PERR_MUST_CHECK enum perr signed_merge(struct signed_sigs *into, const struct signed_sigs *from,
                                      const char *context, const uint8_t *doc, size_t doc_len,
                                      const uint8_t (*allowed)[32], size_t n_allowed);
/* n out: how many of the allowed keys have a valid signature in the set */
PERR_MUST_CHECK enum perr signed_count(uint32_t *n, const struct signed_sigs *s,
                                      const char *context, const uint8_t *doc, size_t doc_len,
                                      const uint8_t (*allowed)[32], size_t n_allowed);
/* PERR_SIGS: fewer than threshold, or threshold is 0 */
PERR_MUST_CHECK enum perr signed_check(const struct signed_sigs *s, uint32_t threshold,
                                      const char *context, const uint8_t *doc, size_t doc_len,
                                      const uint8_t (*allowed)[32], size_t n_allowed);
/* has this key an entry in the set?  Says nothing about its validity */
const struct signed_sig *signed_find(const struct signed_sigs *s, const uint8_t key[32]);

/* ---- the signed document [document bin, sigs] -------------------------------------------- */

struct signed_doc {
	uint8_t *bytes;                  /* malloc'd; owned */
	size_t len;
	struct signed_sigs sigs;
};
void signed_doc_free(struct signed_doc *d);      /* wipes; leaves { 0 } */

/* out: malloc'd, for doc_free */
PERR_MUST_CHECK enum perr signed_encode(uint8_t **out, size_t *out_len,
                                       const struct signed_doc *d);
/* PERR_FORMAT; PERR_NOMEM.  d is { 0 } after an error.  Verifies nothing */
PERR_MUST_CHECK enum perr signed_decode(struct signed_doc *d, const uint8_t *in, size_t in_len);
/* the same without a copy: *doc points into in */
PERR_MUST_CHECK enum perr signed_view(struct doc_bytes *doc, struct signed_sigs *sigs,
                                     const uint8_t *in, size_t in_len);
/* [document, sigs] in one step: malloc'd; the usual end of an X_sign */
PERR_MUST_CHECK enum perr signed_pack(uint8_t **out, size_t *out_len, const uint8_t *doc,
                                     size_t doc_len, const struct signed_sigs *sigs);

/* the bare sigs array, inside another document */
void signed_get_sigs(struct mp_reader *r, struct signed_sigs *s);
void signed_put_sigs(struct mp_writer *w, const struct signed_sigs *s);

#endif
