/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * rng: where randomness comes from.
 *
 * Everything in protocol/ that needs random bytes takes a struct rng, so that a
 * vector or a simulated run can be replayed.  In the programs it is always
 * rng_system().  A rng never fails; libsodium aborts when the system has none.
 */
#ifndef AMPARO_RNG_H
#define AMPARO_RNG_H

#include <stddef.h>
#include <stdint.h>

struct rng {
	/* fill out with len random bytes */
	void (*fill)(void *ctx, uint8_t *out, size_t len);
	void *ctx;
};

/* libsodium's randombytes; sodium_init() must have been called once before */
struct rng rng_system(void);

/*
 * A replayable stream for tests and vectors: bytes of ChaCha20 under seed.
 * state  in: storage owned by the caller, which lives as long as the rng
 */
struct rng_seeded {
	uint8_t seed[32];
	uint64_t drawn;
};
struct rng rng_seeded(struct rng_seeded *state, const uint8_t seed[32]);

static inline void rng_fill(struct rng rng, uint8_t *out, size_t len)
{
	rng.fill(rng.ctx, out, len);
}

#endif
