/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * classify: can the sides be told apart by everything together, though by nothing alone?
 *
 * Ridge regression of the side on all features, which is linear discriminant analysis with
 * the covariance shrunk towards its diagonal: features are scaled to variance 1 (over both
 * sides, so no label is used), each group of features weighs the same however many it has,
 * and the solution is sought in the space of runs, so that tens of thousands of features
 * cost no more than their scalar products.
 *
 * Weighing groups alike drowns what is faint in a large group by what is coarse in a small
 * one, so each group is also judged alone, and the best of these judges counts; its p is that
 * of the best of as many.
 *
 * Accuracy is measured on runs that were not learnt from: the runs are dealt into folds
 * with both sides in equal parts, each fold is judged by what the others taught.  Its p:
 * the same with the sides exchanged at random within each fold.
 */
#ifndef AMPARO_WORLDS_CLASSIFY_H
#define AMPARO_WORLDS_CLASSIFY_H

#include <stddef.h>
#include <stdint.h>

#define CLASSIFY_GROUPS_MAX 16

struct classify_result {
	double accuracy;        /* 0..1, by all features */
	double best;            /* by all, or by one group alone, whichever is best */
	int best_group;         /* that group; -1: all */
	double p;               /* of `best`: how often the best of them is as good by chance */
};

/*
 * x        in: n_features × n_runs, one feature after the other; those that never change
 *          are left out
 * group    in: of each feature, 0..n_groups-1, n_groups <= CLASSIFY_GROUPS_MAX
 * side     in: n_runs times 0 or 1, as many of each, at least n_folds of each
 * ridge    in: > 0; of the size of a run's mean square, which is 1
 * n_perm   in: exchanges tried
 */
struct classify_result classify(const float *x, const uint8_t *group, unsigned n_groups,
                                size_t n_features, const uint8_t *side, size_t n_runs,
                                unsigned n_folds, double ridge, unsigned n_perm, uint64_t seed);

/* Solve A X = B for symmetric positive A (n × n, row by row; destroyed), in place of B (n × m).
 * 0, or -1: A is not positive. */
int classify_solve(double *a, size_t n, double *b, size_t m);

#endif
