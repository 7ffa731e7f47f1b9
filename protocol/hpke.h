/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * hpke: Hybrid Public Key Encryption, RFC 9180, modes base and psk, with
 * DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20Poly1305.
 *
 * The primitives are libsodium's; this file is the composition the RFC gives, held
 * to the vectors of its appendix A.2.  Nothing is allocated or kept.
 */
#ifndef AMPARO_HPKE_H
#define AMPARO_HPKE_H

#include <stddef.h>
#include <stdint.h>

#include "perr.h"
#include "rng.h"

#define HPKE_PK_SIZE     32
#define HPKE_SK_SIZE     32
#define HPKE_ENC_SIZE    32
#define HPKE_TAG_SIZE    16
#define HPKE_PSK_MIN     32
#define HPKE_EXPORT_MAX  255

/* a context after key schedule (RFC 9180 section 5.1); the caller wipes it with hpke_wipe */
struct hpke {
	uint8_t key[32];
	uint8_t base_nonce[12];
	uint8_t exporter_secret[32];
	uint64_t seq;
};

/*
 * The part of the key schedule that is the same for every message under one info
 * and psk: made once, used for each cell tried.  Secret: wipe with hpke_params_wipe.
 */
struct hpke_params {
	uint8_t mode;                /* 0 base, 1 psk */
	uint8_t context[65];         /* mode || psk_id_hash || info_hash */
	uint8_t psk[64];
	size_t psk_len;
};

/* info_len any; no psk */
void hpke_params_base(struct hpke_params *p, const uint8_t *info, size_t info_len);
/* PERR_RANGE: psk_len not HPKE_PSK_MIN..64, or psk_id_len 0 */
PERR_MUST_CHECK enum perr hpke_params_psk(struct hpke_params *p,
                                         const uint8_t *info, size_t info_len,
                                         const uint8_t *psk, size_t psk_len,
                                         const uint8_t *psk_id, size_t psk_id_len);
void hpke_params_wipe(struct hpke_params *p);

/*
 * Sender: a fresh ephemeral key from rng.
 * ctx  out: ready at sequence 0     enc  out: HPKE_ENC_SIZE, the ephemeral public key
 * PERR_KEY: reader_pk has small order (the shared secret would be zero); ctx is zero then
 */
PERR_MUST_CHECK enum perr hpke_setup_s(struct hpke *ctx, uint8_t enc[HPKE_ENC_SIZE],
                                      const struct hpke_params *p,
                                      const uint8_t reader_pk[HPKE_PK_SIZE], struct rng rng);
/* the same with a given ephemeral private key: vectors only */
PERR_MUST_CHECK enum perr hpke_setup_s_with(struct hpke *ctx, uint8_t enc[HPKE_ENC_SIZE],
                                           const struct hpke_params *p,
                                           const uint8_t reader_pk[HPKE_PK_SIZE],
                                           const uint8_t eph_sk[HPKE_SK_SIZE]);
/*
 * Reader.  reader_pk must belong to reader_sk (it enters the KEM context; computing it
 * each time would double the cost of a trial).  PERR_KEY: enc has small order.
 */
PERR_MUST_CHECK enum perr hpke_setup_r(struct hpke *ctx, const uint8_t enc[HPKE_ENC_SIZE],
                                      const struct hpke_params *p,
                                      const uint8_t reader_sk[HPKE_SK_SIZE],
                                      const uint8_t reader_pk[HPKE_PK_SIZE]);
/*
 * The two halves of hpke_setup_r, so that one DH serves several params (seasons):
 * hpke_decap is the DH and the KEM's extract-and-expand, hpke_schedule the rest.
 */
PERR_MUST_CHECK enum perr hpke_decap(uint8_t shared[32], const uint8_t enc[HPKE_ENC_SIZE],
                                    const uint8_t reader_sk[HPKE_SK_SIZE],
                                    const uint8_t reader_pk[HPKE_PK_SIZE]);
void hpke_schedule(struct hpke *ctx, const struct hpke_params *p, const uint8_t shared[32]);
/*
 * Only the exporter secret of the schedule, then Export(exporter_context, 32): what a
 * trial needs before it knows that a cell is its own (fewer HMACs than hpke_schedule).
 */
void hpke_trial_export(uint8_t out[32], const struct hpke_params *p, const uint8_t shared[32],
                       const uint8_t *exporter_context, size_t exporter_context_len);

/*
 * ct  out: pt_len + HPKE_TAG_SIZE; may overlap pt exactly or not at all
 * PERR_LIMIT: the sequence number is used up (nothing written)
 */
PERR_MUST_CHECK enum perr hpke_seal(struct hpke *ctx, uint8_t *ct, const uint8_t *aad,
                                   size_t aad_len, const uint8_t *pt, size_t pt_len);
/*
 * pt  out: ct_len - HPKE_TAG_SIZE, zeros after an error; may overlap ct exactly
 * PERR_AUTH: altered, or another key or aad.  PERR_LIMIT as above.  seq moves only on success
 */
PERR_MUST_CHECK enum perr hpke_open(struct hpke *ctx, uint8_t *pt, const uint8_t *aad,
                                   size_t aad_len, const uint8_t *ct, size_t ct_len);
/* PERR_RANGE: out_len over HPKE_EXPORT_MAX * 32 */
PERR_MUST_CHECK enum perr hpke_export(const struct hpke *ctx, uint8_t *out, size_t out_len,
                                     const uint8_t *exporter_context,
                                     size_t exporter_context_len);
void hpke_wipe(struct hpke *ctx);

#endif
