/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * vault_seal: the bytes of a vault: its header, its keys, its sealed records.
 * The layout is described in vault.h.  No files here.
 */
#ifndef AMPARO_VAULT_SEAL_H
#define AMPARO_VAULT_SEAL_H

#include "vault.h"

#define VAULT_FORMAT      1u
#define VAULT_HEADER_SIZE 116
#define VAULT_RK_SIZE     32
#define VAULT_NAME_SIZE   (24 + (KV_NAME_MAX + 1) + 16)

/* Lives in sodium_malloc as long as the vault is open. */
struct vault_keys {
	struct vault_key pass;          /* from the passphrase */
	uint8_t vault[32];              /* random; what pass wraps */
	uint8_t record[32];             /* makes record keys; from vault */
	uint8_t seal[32];               /* seals names and values; from vault */
};

struct vault_params {
	uint32_t ops;
	uint32_t mem_kib;
	uint8_t salt[16];
};

/* A fresh salt and the figures of a cost setting. */
void vault_params_make(struct vault_params *p, enum vault_cost cost);

/* Argon2id.  key is all zero after an error.  PERR_NOMEM. */
PERR_MUST_CHECK enum perr vault_params_derive(struct vault_key *key, const struct vault_params *p,
                                              const char *pass, size_t pass_len);

/* A fresh vault key into k (k->pass stays), and what follows from it. */
void vault_keys_make(struct vault_keys *k);

/* Wrap k->vault under k->pass. */
void vault_header_make(uint8_t header[VAULT_HEADER_SIZE], const struct vault_params *p,
                       const struct vault_keys *k);

/* PERR_CORRUPT: wrong length, hash or figures.  PERR_UNKNOWN: a later format. */
PERR_MUST_CHECK enum perr vault_header_read(struct vault_params *p, const uint8_t *header,
                                            size_t len);

/* Unwrap with k->pass; fills the rest of k.  As vault_header_read; PERR_AUTH: wrong
 * passphrase, the rest of k is then zero. */
PERR_MUST_CHECK enum perr vault_header_open(struct vault_keys *k, const uint8_t *header,
                                            size_t len);

/* Where a name's records lie. */
void vault_rk(uint8_t rk[VAULT_RK_SIZE], const struct vault_keys *k, const char *name);

/* name: at most KV_NAME_MAX bytes */
void vault_name_seal(uint8_t out[VAULT_NAME_SIZE], const struct vault_keys *k,
                     const uint8_t rk[VAULT_RK_SIZE], const char *name);
/* name   out: "" after an error.  PERR_CORRUPT: altered, or lies under another rk. */
PERR_MUST_CHECK enum perr vault_name_open(char name[KV_NAME_MAX + 1], const struct vault_keys *k,
                                          const uint8_t rk[VAULT_RK_SIZE],
                                          const uint8_t *in, size_t in_len);

/* Bytes on disk of a value of len bytes, len <= KV_VALUE_MAX: one of few sizes. */
size_t vault_value_size(size_t len);
/* out: vault_value_size(len) bytes */
void vault_value_seal(uint8_t *out, const struct vault_keys *k, const uint8_t rk[VAULT_RK_SIZE],
                      const uint8_t *value, size_t len);
/* value  out: kv_alloc'd, the caller's.  PERR_CORRUPT, PERR_NOMEM. */
PERR_MUST_CHECK enum perr vault_value_open(uint8_t **value, size_t *len,
                                           const struct vault_keys *k,
                                           const uint8_t rk[VAULT_RK_SIZE],
                                           const uint8_t *in, size_t in_len);

#endif
