/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * join: the answer to an invitation, and the four words spoken on the phone.  PROTOCOL
 * section 9.2.
 */
#ifndef AMPARO_JOIN_H
#define AMPARO_JOIN_H

#include "cell.h"
#include "invite.h"
#include "roster.h"
#include "signed.h"

#define JOIN_WORDS        4
#define JOIN_LANGUAGE_MAX 35
#define JOIN_CONTEXT      "amparo/1 join"

struct join {
	uint8_t ticket[INVITE_TICKET_SIZE];
	char name[ROSTER_NAME_MAX + 1];  /* 1..128 bytes */
	uint32_t n_languages;            /* 0..16 */
	char languages[ROSTER_LANGUAGES_MAX][JOIN_LANGUAGE_MAX + 1];
	uint8_t key[32];                 /* signing key id */
	uint8_t slot_pk[32];             /* fresh: the paper opens nothing newer */
	uint8_t slot_secret[32];
	uint8_t nonce[16];
};

/* the bare document.  out: malloc'd, for doc_free.  PERR_RANGE: a field */
PERR_MUST_CHECK enum perr join_encode(uint8_t **out, size_t *out_len, const struct join *j);
/* PERR_FORMAT also: the slot key is unusable.  Verifies nothing */
PERR_MUST_CHECK enum perr join_decode(struct join *j, const uint8_t *in, size_t in_len);

/*
 * payload  out: for cell_seal with CELL_JOIN     words  out: indices into words.h
 * j->key and j->nonce are set here, from k and rng.  PERR_RANGE: a field, or no room.
 */
PERR_MUST_CHECK enum perr join_sign(uint8_t payload[CELL_PAYLOAD_MAX], size_t *len,
                                   uint16_t words[JOIN_WORDS], struct join *j,
                                   const struct sign_key *k, struct rng rng);
/* PERR_FORMAT.  PERR_SIGS: not signed by the key it names */
PERR_MUST_CHECK enum perr join_open(struct join *j, uint16_t words[JOIN_WORDS],
                                   const uint8_t *payload, size_t len);
void join_wipe(struct join *j);

/* the first 40 bits of H("amparo/1 join words" || document), ten bits a word */
void join_words(uint16_t words[JOIN_WORDS], const uint8_t *doc, size_t doc_len);

#endif
