/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * noise: the handshake Noise_NKpsk0_25519_ChaChaPoly_SHA512, both sides, and its
 * transport ciphers.  The Noise Protocol Framework, revision 34, sections 5, 7, 9.
 *
 *	<- s
 *	...
 *	-> psk, e, es
 *	<- e, ee
 *
 * Bytes in, bytes out.  The psk is a scope's derived access key (PROTOCOL section 5).
 */
#ifndef AMPARO_NOISE_H
#define AMPARO_NOISE_H

#include <stddef.h>
#include <stdint.h>

#include "perr.h"
#include "rng.h"

#define NOISE_KEY_SIZE 32
#define NOISE_TAG_SIZE 16
#define NOISE_MSG_SIZE 48        /* e and the tag of an empty payload */
#define NOISE_HASH_SIZE 64

/* one direction of transport: ChaCha20-Poly1305, nonce 32 zero bits then a 64-bit LE counter */
struct noise_cipher {
	uint8_t key[NOISE_KEY_SIZE];
	uint64_t n;
};

/* a symmetric state in the middle of a handshake; secret, wipe with noise_wipe */
struct noise {
	uint8_t ck[NOISE_HASH_SIZE];
	uint8_t h[NOISE_HASH_SIZE];
	uint8_t key[NOISE_KEY_SIZE]; /* of the next payload, each its own: the nonce is 0 */
	uint8_t e_sk[32], e_pk[32];
	uint8_t rs_pk[32];           /* the responder's static key */
	uint8_t re_pk[32];
};

/*
 * Initiator.  Writes message 1: e, then payload encrypted (payload_len + 48 bytes out).
 * Amparo's payloads are empty; others exist for the published vectors.
 * PERR_KEY: server_pk has small order; ns is wiped and out zero then.
 */
PERR_MUST_CHECK enum perr noise_write_1(struct noise *ns, uint8_t *out,
                                       const uint8_t *prologue, size_t prologue_len,
                                       const uint8_t server_pk[32], const uint8_t psk[32],
                                       const uint8_t *payload, size_t payload_len,
                                       struct rng rng);
/*
 * payload  out: in_len - 48 bytes, zeros after an error; may be NULL when that is 0
 * PERR_AUTH: not from the holder of server_sk, altered, or under 48 bytes; ns is wiped then.
 * PERR_KEY: small-order e; ns is wiped then.
 */
PERR_MUST_CHECK enum perr noise_read_2(struct noise *ns, uint8_t *payload,
                                      const uint8_t *in, size_t in_len);

/*
 * Responder.  The DH with its static key is done once, then each psk is tried.
 * psks, n_psks  in: candidates in any order; all are tried, so that time does not tell which
 * which          out: index of the one that fits, the last one if it is there more than once;
 *                untouched after an error
 * payload        out: in_len - 48 bytes, zeros after an error; may be NULL when that is 0
 * PERR_AUTH: none fits.  PERR_KEY: small-order e.  Both look the same to the peer: silence.
 */
PERR_MUST_CHECK enum perr noise_read_1(struct noise *ns, size_t *which, uint8_t *payload,
                                      const uint8_t *in, size_t in_len,
                                      const uint8_t *prologue, size_t prologue_len,
                                      const uint8_t server_sk[32], const uint8_t server_pk[32],
                                      const uint8_t (*psks)[32], size_t n_psks);
/* message 2: payload_len + 48 bytes out.  PERR_KEY cannot follow a noise_read_1 that succeeded */
PERR_MUST_CHECK enum perr noise_write_2(struct noise *ns, uint8_t *out, const uint8_t *payload,
                                       size_t payload_len, struct rng rng);

/*
 * After message 2: the two ciphers and the handshake hash.
 * to_server is what the initiator sends with and the responder receives with.
 */
void noise_split(const struct noise *ns, struct noise_cipher *to_server,
                 struct noise_cipher *to_client, uint8_t hash[NOISE_HASH_SIZE]);
void noise_wipe(struct noise *ns);

/*
 * ct  out: len + 16 bytes; may be the same pointer as pt
 * PERR_STATE: the counter is used up (2^64 - 1 is reserved); nothing is written
 */
PERR_MUST_CHECK enum perr noise_encrypt(struct noise_cipher *c, uint8_t *ct,
                                       const uint8_t *pt, size_t len);
/*
 * pt  out: ct_len - 16 bytes, zeros after an error; may be the same pointer as ct
 * PERR_AUTH: altered, out of order, or under 16 bytes.  PERR_STATE as above.  The counter
 * moves only on success.
 */
PERR_MUST_CHECK enum perr noise_decrypt(struct noise_cipher *c, uint8_t *pt,
                                       const uint8_t *ct, size_t ct_len);

#endif
