/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * batch: a reader's prekeys, signed by the reader.  PROTOCOL section 7.3.
 *
 * Key i of a batch is for the days first + i * period ... first + (i + 1) * period - 1;
 * the last one has no end.  Nobody but the owner ever chooses or holds a private half.
 */
#ifndef AMPARO_BATCH_H
#define AMPARO_BATCH_H

#include "signed.h"

#define BATCH_KEYS_MAX    64
#define BATCH_PERIOD_MAX  90
#define BATCH_CONTEXT     "amparo/1 batch"

struct batch {
	uint8_t owner[32];               /* signing key id */
	uint32_t number;                 /* the highest of one owner counts */
	uint32_t first_day;
	uint32_t period;                 /* days, 1..BATCH_PERIOD_MAX */
	uint32_t n;                      /* 1..BATCH_KEYS_MAX */
	uint8_t keys[BATCH_KEYS_MAX][32];
};

/*
 * n fresh key pairs.  sks out: n private halves, apart from the batch; the caller keeps
 * them in memory of its own and wipes.  PERR_RANGE: n or period.
 */
PERR_MUST_CHECK enum perr batch_make(struct batch *b, uint8_t (*sks)[32],
                                    const uint8_t owner[32], uint32_t number,
                                    uint32_t first_day, uint32_t period, uint32_t n,
                                    struct rng rng);

PERR_MUST_CHECK enum perr batch_encode(uint8_t **out, size_t *out_len, const struct batch *b);
/* PERR_FORMAT also: a key is not canonical, or of small order */
PERR_MUST_CHECK enum perr batch_decode(struct batch *b, const uint8_t *in, size_t in_len);
/* out: the signed document, malloc'd.  PERR_KEY: k is not the owner's */
PERR_MUST_CHECK enum perr batch_sign(uint8_t **out, size_t *out_len, const struct batch *b,
                                    const struct sign_key *k);
/* decode the signed document and verify it.  PERR_FORMAT.  PERR_SIGS: not by its owner */
PERR_MUST_CHECK enum perr batch_open(struct batch *b, const uint8_t *in, size_t in_len);

/* min(max(0, (day - first) / period), n - 1) */
uint32_t batch_index(const struct batch *b, uint32_t day);
/* the public key to seal to on this day; points into b */
const uint8_t *batch_key(const struct batch *b, uint32_t day);

/*
 * Which private halves a reader tries on a day: those whose time and grace are not over,
 * and the next one (senders' clocks run ahead).  from..to-1.
 */
void batch_in_use(const struct batch *b, uint32_t day, uint32_t grace, uint32_t *from,
                  uint32_t *to);
/*
 * Private halves 0..result-1 may be destroyed once every segment of every server is
 * scanned through `scanned_day` (DESIGN section 8).  Never the last one.
 */
uint32_t batch_n_dead(const struct batch *b, uint32_t scanned_day, uint32_t grace);
/*
 * Does a count instead of b?  Same owner, and a higher number, not below lowest.  b may be
 * NULL.
 */
bool batch_supersedes(const struct batch *a, const struct batch *b, uint32_t lowest);

#endif
