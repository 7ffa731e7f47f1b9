/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "rank.h"

#include <math.h>
#include <stdlib.h>

#include "must.h"

struct place {
	float x;
	uint32_t at;
};

static int by_x(const void *a, const void *b)
{
	float x = ((const struct place *)a)->x, y = ((const struct place *)b)->x;

	return (x > y) - (x < y);
}

void rank_twice(const float *x, size_t n, uint32_t *twice)
{
	struct place *p = must_alloc(n + 1, sizeof *p);
	size_t i, j, k;

	for (i = 0; i < n; i++)
		p[i] = (struct place){ x[i], (uint32_t)i };
	qsort(p, n, sizeof *p, by_x);
	for (i = 0; i < n; i = j) {
		for (j = i; j < n && !(p[i].x < p[j].x); j++)
			;
		/* places i+1..j: their mean, twice */
		for (k = i; k < j; k++)
			twice[p[k].at] = (uint32_t)(i + 1 + j);
	}
	free(p);
}

double rank_auc(const float *x, const uint8_t *side, size_t n)
{
	uint32_t *twice = must_alloc(n + 1, sizeof *twice);
	double sum = 0, n1 = 0, n0, auc = 0.5;
	size_t i;

	rank_twice(x, n, twice);
	for (i = 0; i < n; i++) {
		sum += side[i] ? twice[i] / 2.0 : 0;
		n1 += side[i] ? 1 : 0;
	}
	n0 = (double)n - n1;
	if (n0 > 0 && n1 > 0)
		auc = (sum - n1 * (n1 + 1) / 2) / (n0 * n1);
	free(twice);
	return auc;
}

double rank_correlation(const float *x, const float *y, size_t n)
{
	uint32_t *a = must_alloc(n + 1, sizeof *a), *b = must_alloc(n + 1, sizeof *b);
	double sxy = 0, sxx = 0, syy = 0, mid = (double)n + 1;
	size_t i;

	rank_twice(x, n, a);
	rank_twice(y, n, b);
	for (i = 0; i < n; i++) {
		double u = a[i] - mid, v = b[i] - mid;

		sxy += u * v;
		sxx += u * u;
		syy += v * v;
	}
	free(a);
	free(b);
	return sxx > 0 && syy > 0 ? sxy / sqrt(sxx * syy) : 0;
}
