/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * bench: what the benchmarks share: time, medians, and the way a figure is told.
 *
 * The machine is shared and noisy.  Hence each figure stands beside a limit that was
 * measured in the same run, both are medians, and subject and limit take turns.
 */
#ifndef AMPARO_BENCH_H
#define AMPARO_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BENCH_RUNS_MAX 64

double bench_now(void);                  /* seconds, monotonic */

struct bench_series {
	double v[BENCH_RUNS_MAX];
	size_t n;
};
void bench_add(struct bench_series *s, double v);
double bench_median(const struct bench_series *s);

enum bench_aim {
	BENCH_RATIO_MIN,         /* value / limit is at least aim */
	BENCH_RATIO_MAX,
	BENCH_VALUE_MAX          /* value is at most aim */
};
/*
 * Tell one figure: a line for people, and a line of JSON into the file $BENCH_OUT.
 * limit_what  what the limit is, in a few words
 */
void bench_figure(const char *name, double value, const char *unit, double limit,
                  const char *limit_what, enum bench_aim kind, double aim);
/* a line under the figure before */
void bench_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* the measurement itself broke: say what, end non-zero */
void bench_broke(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));

/* $BENCH_DIR/name, which is not there yet; in a static buffer until the next call */
const char *bench_path(const char *name);
/* a number from the environment, or the given one */
unsigned bench_number(const char *env, unsigned otherwise);

#endif
