/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * rank: what can be said of numbers by their order alone.  Equal numbers share the mean of
 * the places they take; places are kept doubled, so that they stay whole.
 */
#ifndef AMPARO_WORLDS_RANK_H
#define AMPARO_WORLDS_RANK_H

#include <stddef.h>
#include <stdint.h>

/* twice  out: for each x twice its place, counted from 1: 2..2n, summing to n(n+1) */
void rank_twice(const float *x, size_t n, uint32_t *twice);

/*
 * The chance that a number of side 1 exceeds one of side 0, equal ones counted half: 0.5
 * says nothing, 0 and 1 everything.  0.5 too if a side is empty.
 * side  in: n times 0 or 1
 */
double rank_auc(const float *x, const uint8_t *side, size_t n);

/* Spearman's correlation, -1..1; 0 if one of the two never changes, or n < 2 */
double rank_correlation(const float *x, const float *y, size_t n);

#endif
