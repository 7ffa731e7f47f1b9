/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "permute.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "must.h"
#include "rank.h"

#define CHUNK_FIRST 256u
#define CHUNK_MAX   16384u

/* ---- the generator ---- */

void permute_seed(struct permute_rng *r, uint64_t seed)
{
	size_t i;

	for (i = 0; i < 4; i++) {
		uint64_t z = seed += 0x9e3779b97f4a7c15u;

		z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
		z = (z ^ z >> 27) * 0x94d049bb133111ebu;
		r->s[i] = z ^ z >> 31;
	}
}

static uint64_t rotl(uint64_t x, int k)
{
	return x << k | x >> (64 - k);
}

uint64_t permute_next(struct permute_rng *r)
{
	uint64_t *s = r->s, out = rotl(s[1] * 5, 7) * 9, t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotl(s[3], 45);
	return out;
}

uint32_t permute_below(struct permute_rng *r, uint32_t n)
{
	uint64_t v = (permute_next(r) >> 32) * n;

	/* Lemire 2019: of the 2^32 values those are left out that n does not divide evenly */
	if ((uint32_t)v < n) {
		uint32_t odd = -n % n;

		while ((uint32_t)v < odd)
			v = (permute_next(r) >> 32) * n;
	}
	return (uint32_t)(v >> 32);
}

/*
 * Random bits, then as many random ones of the too many taken away: by symmetry every naming
 * with n1 bits comes about equally often.
 */
void permute_draw(struct permute_rng *r, size_t n, size_t n1,
                  uint64_t bits[PERMUTE_RUNS_MAX / 64])
{
	size_t words = (n + 63) / 64, have = 0, i;
	int is_many;

	for (i = 0; i < words; i++)
		bits[i] = permute_next(r);
	if (n % 64 != 0)
		bits[words - 1] &= (1ull << n % 64) - 1;
	for (i = 0; i < words; i++)
		have += (size_t)__builtin_popcountll(bits[i]);
	is_many = have > n1;
	while (have != n1) {
		uint32_t at = permute_below(r, (uint32_t)n);
		uint64_t bit = 1ull << at % 64;

		if (((bits[at / 64] & bit) != 0) != is_many)
			continue;
		bits[at / 64] ^= bit;
		have = is_many ? have - 1 : have + 1;
	}
}

/* ---- one feature ---- */

struct feature {
	size_t at;
	int64_t far;            /* |rank sum − its mean|, doubled */
	double z;               /* how remarkable */
	uint64_t n_as_far;
};

/* of a doubled rank sum of n1 among n runs from its mean, which is whole */
static int64_t distance(int64_t sum, size_t n, size_t n1)
{
	int64_t d = sum - (int64_t)(n1 * (n + 1));

	return d < 0 ? -d : d;
}

static void observe(struct feature *f, const uint16_t *twice, const uint8_t *side, size_t n,
                    size_t n1, double *auc)
{
	double var = 0, mid = (double)n + 1, pairs = (double)n1 * (double)(n - n1);
	int64_t sum = 0;
	size_t i;

	for (i = 0; i < n; i++) {
		sum += side[i] ? twice[i] : 0;
		var += (twice[i] - mid) * (twice[i] - mid);
	}
	f->far = distance(sum, n, n1);
	var *= pairs / ((double)n * (double)(n - 1));
	f->z = var > 0 ? (double)f->far / sqrt(var) : 0;
	*auc = pairs > 0 ? ((double)sum / 2 - (double)(n1 * (n1 + 1)) / 2) / pairs : 0.5;
}

/* doubled ranks, which are below 2^16 for as many runs as there may be */
static void rank_runs(uint16_t *twice, const float *x, size_t n)
{
	uint32_t wide[PERMUTE_RUNS_MAX];
	size_t i;

	rank_twice(x, n, wide);
	for (i = 0; i < n; i++)
		twice[i] = (uint16_t)wide[i];
}

double permute_exact(const float *x, const uint8_t *side, size_t n)
{
	uint16_t twice[PERMUTE_EXACT];
	size_t n1 = 0, top = n * (n + 1) + 1, i, j, s;
	double *ways, all = 0, far = 0, auc;
	struct feature f;

	if (n < 2 || n > PERMUTE_EXACT)
		must_fail("%zu runs cannot be counted", n);
	for (i = 0; i < n; i++)
		n1 += side[i] != 0;
	rank_runs(twice, x, n);
	observe(&f, twice, side, n, n1, &auc);
	/* ways[j][s]: choices of j runs whose doubled ranks sum to s */
	ways = must_alloc((n1 + 1) * top, sizeof *ways);
	ways[0] = 1;
	for (i = 0; i < n; i++)
		for (j = i + 1 < n1 ? i + 1 : n1; j > 0; j--)
			for (s = top; s-- > twice[i];)
				ways[j * top + s] += ways[(j - 1) * top + s - twice[i]];
	for (s = 0; s < top; s++) {
		all += ways[n1 * top + s];
		if (distance((int64_t)s, n, n1) >= f.far)
			far += ways[n1 * top + s];
	}
	free(ways);
	return far / all;
}

/* sums of ranks over each eight runs, by which of them are named */
static void tabulate(int32_t (*sums)[256], const uint16_t *twice, size_t n)
{
	size_t i, at;
	unsigned m;

	for (i = 0; i < (n + 7) / 8; i++) {
		sums[i][0] = 0;
		for (m = 1; m < 256; m++) {
			at = 8 * i + (size_t)__builtin_ctz(m);
			sums[i][m] = sums[i][m & (m - 1)] + (at < n ? twice[at] : 0);
		}
	}
}

/* hold it against namings; true: done with it, *p is set */
static int hold(struct feature *f, const uint16_t *twice, size_t n, size_t n1,
                const uint8_t *namings, size_t n_namings, uint64_t tried, double *p)
{
	int32_t sums[PERMUTE_RUNS_MAX / 8][256];
	size_t bytes = (n + 7) / 8, i, j;

	tabulate(sums, twice, n);
	for (i = 0; i < n_namings; i++) {
		const uint8_t *bits = namings + i * (PERMUTE_RUNS_MAX / 8);
		int64_t sum = 0;

		for (j = 0; j < bytes; j++)
			sum += sums[j][bits[j]];
		if (distance(sum, n, n1) < f->far)
			continue;
		if (++f->n_as_far == PERMUTE_ENOUGH) {
			*p = (double)PERMUTE_ENOUGH / (double)(tried + i + 1);
			return 1;
		}
	}
	return 0;
}

static int by_z(const void *a, const void *b)
{
	double x = ((const struct feature *)a)->z, y = ((const struct feature *)b)->z;

	return (x < y) - (x > y);
}

uint64_t permute_all(const float *x, size_t n_features, const uint8_t *side, size_t n_runs,
                     uint64_t max, uint64_t seed, double *p, double *auc)
{
	struct feature *f = must_alloc(n_features, sizeof *f);
	uint8_t *namings = must_alloc(CHUNK_MAX, PERMUTE_RUNS_MAX / 8);
	size_t n1 = 0, alive = 0, kept, chunk = CHUNK_FIRST, i;
	uint16_t *twice = must_alloc(n_features * n_runs, sizeof *twice);
	uint64_t tried = 0;
	struct permute_rng r;

	if (n_runs < 2 || n_runs > PERMUTE_RUNS_MAX)
		must_fail("%zu runs cannot be permuted", n_runs);
	permute_seed(&r, seed);
	for (i = 0; i < n_runs; i++)
		n1 += side[i] != 0;
	for (i = 0; i < n_features; i++) {
		struct feature *g = &f[alive];

		p[i] = 1;
		g->at = i;
		g->n_as_far = 0;
		rank_runs(twice + i * n_runs, x + i * n_runs, n_runs);
		observe(g, twice + i * n_runs, side, n_runs, n1, &auc[i]);
		/* nothing is nearer to the middle: every naming goes as far */
		alive += g->far > 0;
	}
	while (alive > 0 && tried < max) {
		if (chunk > max - tried)
			chunk = (size_t)(max - tried);
		for (i = 0; i < chunk; i++) {
			uint64_t bits[PERMUTE_RUNS_MAX / 64] = { 0 };

			permute_draw(&r, n_runs, n1, bits);
			memcpy(namings + i * sizeof bits, bits, sizeof bits);
		}
		for (i = 0, kept = 0; i < alive; i++) {
			const uint16_t *ranks = twice + f[i].at * n_runs;

			if (!hold(&f[i], ranks, n_runs, n1, namings, chunk, tried, &p[f[i].at]))
				f[kept++] = f[i];
		}
		alive = kept;
		tried += chunk;
		for (i = 0; i < alive; i++)
			p[f[i].at] = (double)(f[i].n_as_far + 1) / (double)(tried + 1);
		if (tried >= PERMUTE_SAMPLE && n_runs <= PERMUTE_EXACT) {
			for (i = 0; i < alive; i++)
				p[f[i].at] = permute_exact(x + f[i].at * n_runs, side, n_runs);
			alive = 0;
		}
		if (tried >= PERMUTE_CROWD && alive > PERMUTE_FEW) {
			qsort(f, alive, sizeof *f, by_z);
			alive = PERMUTE_FEW;
		}
		chunk = 2 * chunk < CHUNK_MAX ? 2 * chunk : CHUNK_MAX;
	}
	free(f);
	free(twice);
	free(namings);
	return tried;
}

/* ---- many at once ---- */

struct ordered {
	double p;
	size_t at;
};

static int by_p(const void *a, const void *b)
{
	double x = ((const struct ordered *)a)->p, y = ((const struct ordered *)b)->p;

	return (x > y) - (x < y);
}

void permute_holm(const double *p, size_t n, double *out)
{
	struct ordered *o = must_alloc(n, sizeof *o);
	double worst = 0;
	size_t i;

	for (i = 0; i < n; i++)
		o[i] = (struct ordered){ p[i], i };
	qsort(o, n, sizeof *o, by_p);
	for (i = 0; i < n; i++) {
		double c = o[i].p * (double)(n - i);

		worst = c > worst ? c : worst;
		out[o[i].at] = worst < 1 ? worst : 1;
	}
	free(o);
}
