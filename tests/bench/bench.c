/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "bench.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

double bench_now(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

void bench_add(struct bench_series *s, double v)
{
	if (s->n < BENCH_RUNS_MAX)
		s->v[s->n++] = v;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double bench_median(const struct bench_series *s)
{
	double v[BENCH_RUNS_MAX];

	if (s->n == 0)
		bench_broke("nothing was measured");
	memcpy(v, s->v, s->n * sizeof *v);
	qsort(v, s->n, sizeof *v, by_value);
	return s->n % 2 == 1 ? v[s->n / 2] : (v[s->n / 2 - 1] + v[s->n / 2]) / 2;
}

/* short for a person: 12,345 or 12.3 */
static const char *figure_text(char out[40], double v)
{
	char digits[40];
	size_t i, n, at = 0;

	if (v < 1000) {
		snprintf(out, 40, v < 10 ? "%.2f" : v < 100 ? "%.1f" : "%.0f", v);
		return out;
	}
	n = (size_t)snprintf(digits, sizeof digits, "%.0f", v);
	for (i = 0; i < n && at < 38; i++) {
		if (i > 0 && (n - i) % 3 == 0)
			out[at++] = ',';
		out[at++] = digits[i];
	}
	out[at] = '\0';
	return out;
}

static void record(const char *name, double value, const char *unit, double limit, double ratio)
{
	const char *path = getenv("BENCH_OUT");
	FILE *f = path == NULL ? NULL : fopen(path, "a");

	if (f == NULL)
		return;
	fprintf(f, "\"%s\": {\"value\": %.6g, \"unit\": \"%s\", \"limit\": %.6g, \"ratio\": %.4g}\n",
	        name, value, unit, limit, ratio);
	if (fclose(f) != 0)
		bench_broke("%s cannot be written", path);
}

void bench_figure(const char *name, double value, const char *unit, double limit,
                  const char *limit_what, enum bench_aim kind, double aim)
{
	static const char *const aims[] = { "ratio >= ", "ratio <= ", "<= " };
	double ratio = limit > 0 ? value / limit : 0;
	bool met = kind == BENCH_RATIO_MIN ? ratio >= aim :
	           kind == BENCH_RATIO_MAX ? ratio <= aim : value <= aim;
	char v[40], l[40], a[40];

	printf("%-22s %12s %-15s limit %12s   ratio %6.2f   aim %s%s: %s\n", name,
	       figure_text(v, value), unit, figure_text(l, limit), ratio, aims[kind],
	       figure_text(a, aim), met ? "met" : "MISSED");
	printf("    limit: %s\n", limit_what);
	(void)fflush(stdout);
	record(name, value, unit, limit, ratio);
}

void bench_note(const char *fmt, ...)
{
	va_list ap;

	printf("    ");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	(void)fflush(stdout);
}

void bench_broke(const char *fmt, ...)
{
	va_list ap;

	(void)fflush(stdout);
	fprintf(stderr, "BROKEN: ");
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, "\n");
	exit(1);
}

const char *bench_path(const char *name)
{
	static char path[256];
	const char *dir = getenv("BENCH_DIR");

	snprintf(path, sizeof path, "%s/%s", dir != NULL ? dir : "/var/tmp", name);
	return path;
}

unsigned bench_number(const char *env, unsigned otherwise)
{
	const char *v = getenv(env);

	return v != NULL && atoi(v) > 0 ? (unsigned)atoi(v) : otherwise;
}
