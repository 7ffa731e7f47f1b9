/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * permute: could this difference have come about if the sides had been named at random?
 *
 * The statistic is the rank sum of side 1; p is two-sided: how often sides named at random
 * are at least as far from the middle as the real ones.  Namings come from a seeded
 * generator, each equally likely among those with as many runs on side 1; every feature is
 * held against the same ones, one after the other, and after Besag and Clifford (1991) a
 * feature is done with as soon as PERMUTE_ENOUGH of them went as far: p = ENOUGH / tried,
 * else (went as far + 1) / (tried + 1).  Both are p-values whatever the features' own
 * dependence.  So thousands of dull features cost little.  The few that are left after
 * PERMUTE_SAMPLE namings, which must be known well enough to survive Holm's correction, are
 * counted exactly over all namings where there are few runs, and tried on where there are many.
 */
#ifndef AMPARO_WORLDS_PERMUTE_H
#define AMPARO_WORLDS_PERMUTE_H

#include <stddef.h>
#include <stdint.h>

#define PERMUTE_RUNS_MAX 512
#define PERMUTE_ENOUGH   10
#define PERMUTE_EXACT    64      /* runs for which all namings can be counted */
#define PERMUTE_SAMPLE   16384u
/* From here on only the most remarkable features are tried further; the others' p stays
 * what it is by then, which is never too small. */
#define PERMUTE_CROWD    (1u << 20)
#define PERMUTE_FEW      4

/* xoshiro256**, by Blackman and Vigna, seeded with splitmix64 */
struct permute_rng {
	uint64_t s[4];
};
void permute_seed(struct permute_rng *r, uint64_t seed);
uint64_t permute_next(struct permute_rng *r);
/* 0..n-1, n >= 1, each equally likely */
uint32_t permute_below(struct permute_rng *r, uint32_t n);

/* a naming: bit i says that run i is of side 1.  n1 of n bits are set */
void permute_draw(struct permute_rng *r, size_t n, size_t n1,
                  uint64_t bits[PERMUTE_RUNS_MAX / 64]);

/*
 * The exact share of all namings of n1 among n runs, n <= PERMUTE_EXACT, that are as far from
 * the middle as `side` is.  After Streitberg and Röhmel (1986): rank sums are counted by adding
 * one run after the other; so ties are no approximation either.
 */
double permute_exact(const float *x, const uint8_t *side, size_t n);

/*
 * p of every feature.
 *
 * x        in: n_features × n_runs, one feature after the other
 * side     in: n_runs times 0 or 1, 2..PERMUTE_RUNS_MAX runs
 * max      in: namings tried at most, where they are not counted
 * p, auc   out: n_features
 * returns the namings tried
 */
uint64_t permute_all(const float *x, size_t n_features, const uint8_t *side, size_t n_runs,
                     uint64_t max, uint64_t seed, double *p, double *auc);

/*
 * Holm's step-down correction: out[i] <= a for exactly those that may be rejected with at most
 * the chance a of any false one.  out may be p.
 */
void permute_holm(const double *p, size_t n, double *out);

#endif
