/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "classify.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "must.h"
#include "permute.h"

int classify_solve(double *a, size_t n, double *b, size_t m)
{
	size_t i, j, k;

	/* A = L Lᵀ, L in the lower half of a */
	for (j = 0; j < n; j++) {
		for (i = j; i < n; i++) {
			double s = a[i * n + j];

			for (k = 0; k < j; k++)
				s -= a[i * n + k] * a[j * n + k];
			if (i == j && !(s > 0))
				return -1;
			a[i * n + j] = i == j ? sqrt(s) : s / a[j * n + j];
		}
	}
	for (i = 0; i < n; i++) {
		for (k = 0; k < i; k++)
			for (j = 0; j < m; j++)
				b[i * m + j] -= a[i * n + k] * b[k * m + j];
		for (j = 0; j < m; j++)
			b[i * m + j] /= a[i * n + i];
	}
	for (i = n; i-- > 0;) {
		for (k = i + 1; k < n; k++)
			for (j = 0; j < m; j++)
				b[i * m + j] -= a[k * n + i] * b[k * m + j];
		for (j = 0; j < m; j++)
			b[i * m + j] /= a[i * n + i];
	}
	return 0;
}

/* mean 0 and variance 1; 0: it never changes */
static int standardise(const float *x, size_t n, float *z)
{
	double mean = 0, var = 0;
	size_t i;

	for (i = 0; i < n; i++)
		mean += x[i];
	mean /= (double)n;
	for (i = 0; i < n; i++)
		var += (x[i] - mean) * (x[i] - mean);
	var /= (double)n;
	if (!(var > 0))
		return 0;
	for (i = 0; i < n; i++)
		z[i] = (float)((x[i] - mean) / sqrt(var));
	return 1;
}

/* the scalar products of all runs over one group, diagonal about 1; NULL: nothing varies */
static double *products(const float *x, const uint8_t *group, unsigned g, size_t n_features,
                        size_t n)
{
	double *k = must_alloc(n * n, sizeof *k);
	float *sum = must_alloc(n * n, sizeof *sum), *z = must_alloc(n, sizeof *z);
	size_t i, j, f, used = 0;

	for (f = 0; f < n_features; f++) {
		if (group[f] != g || !standardise(x + f * n, n, z))
			continue;
		used++;
		for (i = 0; i < n; i++) {
			float *row = sum + i * n, zi = z[i];

			for (j = 0; j <= i; j++)
				row[j] += zi * z[j];
		}
	}
	for (i = 0; i < n; i++)
		for (j = 0; j <= i; j++)
			k[i * n + j] = k[j * n + i] =
			    sum[i * n + j] / (used == 0 ? 1 : (double)used);
	free(sum);
	free(z);
	if (used > 0)
		return k;
	free(k);
	return NULL;
}

/* judge[i][j]: how much the side of run j says about run i, 0 within a fold */
static double *teach(const double *k, const unsigned *fold, unsigned n_folds, size_t n,
                     double ridge)
{
	double *judge = must_alloc(n * n, sizeof *judge);
	double *a = must_alloc(n * n, sizeof *a), *b = must_alloc(n * n, sizeof *b);
	size_t *in = must_alloc(n, sizeof *in), *out = must_alloc(n, sizeof *out), i, j;
	unsigned f;

	for (f = 0; f < n_folds; f++) {
		size_t n_in = 0, n_out = 0;

		for (i = 0; i < n; i++) {
			if (fold[i] == f)
				out[n_out++] = i;
			else
				in[n_in++] = i;
		}
		for (i = 0; i < n_in; i++) {
			for (j = 0; j < n_in; j++)
				a[i * n_in + j] = k[in[i] * n + in[j]] + (i == j ? ridge : 0);
			for (j = 0; j < n_out; j++)
				b[i * n_out + j] = k[in[i] * n + out[j]];
		}
		if (classify_solve(a, n_in, b, n_out) != 0)
			must_fail("the classifier's matrix is not positive");
		for (i = 0; i < n_in; i++)
			for (j = 0; j < n_out; j++)
				judge[out[j] * n + in[i]] = b[i * n_out + j];
	}
	free(a);
	free(b);
	free(in);
	free(out);
	return judge;
}

static double accuracy(const double *judge, const double *y, size_t n)
{
	double right = 0;
	size_t i, j;

	for (i = 0; i < n; i++) {
		double s = 0;

		for (j = 0; j < n; j++)
			s += judge[i * n + j] * y[j];
		right += s * y[i] > 0 ? 1 : s * y[i] < 0 ? 0 : 0.5;
	}
	return right / (double)n;
}

/* runs in random order, then one after the other into the folds, side by side */
static void deal(unsigned *fold, const uint8_t *side, size_t n, unsigned n_folds,
                 struct permute_rng *r)
{
	size_t *order = must_alloc(n, sizeof *order), i;
	unsigned next[2] = { 0, 0 };

	for (i = 0; i < n; i++)
		order[i] = i;
	for (i = n; i > 1; i--) {
		size_t j = permute_below(r, (uint32_t)i), t = order[i - 1];

		order[i - 1] = order[j];
		order[j] = t;
	}
	for (i = 0; i < n; i++)
		fold[order[i]] = next[side[order[i]] != 0]++ % n_folds;
	free(order);
}

/* exchange sides within each fold; order: the runs, fold by fold */
static void exchange(double *y, const size_t *order, const unsigned *fold, size_t n,
                     struct permute_rng *r)
{
	size_t first, end, i;

	for (first = 0; first < n; first = end) {
		for (end = first; end < n && fold[order[end]] == fold[order[first]]; end++)
			;
		for (i = end; i > first + 1; i--) {
			size_t j = first + permute_below(r, (uint32_t)(i - first));
			double t = y[order[i - 1]];

			y[order[i - 1]] = y[order[j]];
			y[order[j]] = t;
		}
	}
}

/* judges of each group, and of all of them, the last one */
struct judges {
	double *v[CLASSIFY_GROUPS_MAX + 1];
	int group[CLASSIFY_GROUPS_MAX + 1];
	unsigned n;
};

static void appoint(struct judges *js, const float *x, const uint8_t *group, unsigned n_groups,
                    size_t n_features, const unsigned *fold, unsigned n_folds, size_t n,
                    double ridge)
{
	double *all = must_alloc(n * n, sizeof *all);
	unsigned g;
	size_t i;

	js->n = 0;
	for (g = 0; g < n_groups; g++) {
		double *k = products(x, group, g, n_features, n);

		if (k == NULL)
			continue;
		for (i = 0; i < n * n; i++)
			all[i] += k[i];
		js->group[js->n] = (int)g;
		js->v[js->n++] = teach(k, fold, n_folds, n, ridge);
		free(k);
	}
	for (i = 0; js->n > 0 && i < n * n; i++)
		all[i] /= js->n;
	js->group[js->n] = -1;
	js->v[js->n++] = teach(all, fold, n_folds, n, ridge);
	free(all);
}

static double best_of(const struct judges *js, const double *y, size_t n, int *group, double *all)
{
	double best = 0, a = 0;
	unsigned i;

	for (i = 0; i < js->n; i++) {
		a = accuracy(js->v[i], y, n);
		if (a >= best) {
			best = a;
			*group = js->group[i];
		}
	}
	*all = a;
	return best;
}

struct classify_result classify(const float *x, const uint8_t *group, unsigned n_groups,
                                size_t n_features, const uint8_t *side, size_t n_runs,
                                unsigned n_folds, double ridge, unsigned n_perm, uint64_t seed)
{
	unsigned *fold = must_alloc(n_runs, sizeof *fold), i, as_good = 0;
	size_t *order = must_alloc(n_runs, sizeof *order), n = 0, j;
	double *y = must_alloc(n_runs, sizeof *y), all;
	struct classify_result out;
	struct permute_rng r;
	struct judges js;
	int any;

	if (n_groups > CLASSIFY_GROUPS_MAX)
		must_fail("%u groups of features are too many", n_groups);
	permute_seed(&r, seed);
	deal(fold, side, n_runs, n_folds, &r);
	appoint(&js, x, group, n_groups, n_features, fold, n_folds, n_runs, ridge);
	for (i = 0; i < n_folds; i++)
		for (j = 0; j < n_runs; j++)
			if (fold[j] == i)
				order[n++] = j;
	for (i = 0; i < n_runs; i++)
		y[i] = side[i] ? 1 : -1;
	out.best = best_of(&js, y, n_runs, &out.best_group, &out.accuracy);
	for (i = 0; i < n_perm; i++) {
		exchange(y, order, fold, n_runs, &r);
		as_good += best_of(&js, y, n_runs, &any, &all) >= out.best;
	}
	out.p = (as_good + 1.0) / (n_perm + 1.0);
	for (i = 0; i < js.n; i++)
		free(js.v[i]);
	free(fold);
	free(order);
	free(y);
	return out;
}
