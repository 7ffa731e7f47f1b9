/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * shares: a seed cut into n shares of which any k give it back, by libgfshare with libsodium's
 * randomness.  What a share looks like on paper is in paper.h.
 *
 * libgfshare authenticates nothing: of a wrong share it makes a wrong seed, in silence.  So
 * every share has a check and a public proof (paper.h), and what was put together is compared
 * with the paper holder's signing key before it is used.
 */
#ifndef AMPARO_SHARES_H
#define AMPARO_SHARES_H

#include <stdint.h>

#include "paper.h"
#include "perr.h"

/*
 * Share 1..of.
 * shares  out: secret; `of` of them; two calls with one seed have nothing in common
 * PERR_RANGE: need below 2 or above of, of above PAPER_SHARES_MAX.  PERR_NOMEM
 */
PERR_MUST_CHECK enum perr shares_split(uint8_t (*shares)[PAPER_SEED_SIZE],
                                      const uint8_t seed[PAPER_SEED_SIZE], unsigned need,
                                      unsigned of);
/*
 * n shares, exactly as many as were needed, in any order.
 * index  in: their numbers, different, 1..PAPER_SHARES_MAX
 * seed   out: secret; of wrong shares a wrong one
 * PERR_RANGE: a number is 0, too high or there twice; n below 2.  PERR_NOMEM
 */
PERR_MUST_CHECK enum perr shares_join(uint8_t seed[PAPER_SEED_SIZE],
                                     const uint8_t (*shares)[PAPER_SEED_SIZE],
                                     const uint8_t *index, unsigned n);

#endif
