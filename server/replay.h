/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * replay: which first handshake messages were seen already.  DESIGN section 8.
 *
 * Kept are 8-byte hashes of E under a key made at start, in memory only: a seized machine
 * shows nothing that could be matched with recorded traffic once the key is gone.  Only
 * messages that authenticated are remembered, so an outsider cannot push entries out.
 *
 * Bounded: two generations of REPLAY_GENERATION entries; when the younger is full, the
 * older is forgotten.  A message is thus refused for at least the next REPLAY_GENERATION
 * handshakes.  An older one, replayed, earns 48 bytes and nothing else: without the
 * ephemeral key nobody can go on.  1 MiB altogether.
 */
#ifndef AMPARO_REPLAY_H
#define AMPARO_REPLAY_H

#include <stdbool.h>
#include <stdint.h>

#include "perr.h"
#include "rng.h"

#define REPLAY_GENERATION 49152

struct replay;

#define REPLAY_KEY 16            /* bytes */

/* key  in: REPLAY_KEY bytes of the caller's, in locked memory; filled here, wiped by
 *      replay_free, which comes before they go */
PERR_MUST_CHECK enum perr replay_new(struct replay **out, uint8_t key[REPLAY_KEY],
                                    struct rng rng);
/* wipes; NULL is harmless */
void replay_free(struct replay *r);
/* true: e was seen before.  Otherwise it is remembered from now on. */
bool replay_seen(struct replay *r, const uint8_t e[32]);

#endif
