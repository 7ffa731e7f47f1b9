/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "feature.h"

#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "must.h"
#include "rank.h"

#define EIGHTHS 8u

const char *feature_group_name(enum feature_group g)
{
	switch (g) {
	case FEATURE_FILES:       return "files";
	case FEATURE_ORDER:       return "order";
	case FEATURE_PAGES:       return "pages";
	case FEATURE_CELL_BITS:   return "cell bits";
	case FEATURE_CELL_VALUES: return "cell values";
	case FEATURE_ANSWERS:     return "answers";
	case FEATURE_GROUPS:      break;
	}
	return "?";
}

void feature_init(struct features *f, int with_names)
{
	memset(f, 0, sizeof *f);
	f->room = 65536;
	f->v = must_alloc(f->room, sizeof *f->v);
	if (with_names)
		f->names = must_alloc(f->room, sizeof *f->names);
}

void feature_free(struct features *f)
{
	free(f->v);
	free(f->names);
	memset(f, 0, sizeof *f);
}

void feature_add(struct features *f, enum feature_group g, double v, const char *fmt, ...)
{
	if (f->n == f->room) {
		f->room *= 2;
		f->v = realloc(f->v, f->room * sizeof *f->v);
		if (f->names != NULL)
			f->names = realloc(f->names, f->room * sizeof *f->names);
		if (f->v == NULL)
			must_fail("out of memory");
	}
	if (f->names != NULL) {
		va_list ap;

		va_start(ap, fmt);
		vsnprintf(f->names[f->n].text, sizeof f->names[f->n].text, fmt, ap);
		va_end(ap);
		f->names[f->n].group = (uint8_t)g;
	}
	f->v[f->n++] = (float)v;
}

double feature_digest(const void *bytes, size_t len)
{
	uint8_t h[16];

	crypto_generichash(h, sizeof h, bytes, len, NULL, 0);
	return h[0] | h[1] << 8 | h[2] << 16;
}

void feature_bits(struct features *f, const uint8_t *pieces, size_t n, size_t size,
                   size_t stride, const char *name)
{
	uint32_t *count = must_alloc(size * 8, sizeof *count);
	size_t i, at;
	unsigned b;

	for (i = 0; i < n; i++)
		for (at = 0; at < size; at++)
			for (b = 0; b < 8; b++)
				count[at * 8 + b] += pieces[i * stride + at] >> b & 1u;
	for (at = 0; at < size; at++)
		for (b = 0; b < 8; b++)
			feature_add(f, FEATURE_CELL_BITS, count[at * 8 + b],
			             "%s: byte %zu bit %u set", name, at, b);
	free(count);
}

void feature_values(struct features *f, const uint8_t *pieces, size_t n, size_t size,
                     size_t stride, const char *name)
{
	size_t i, at;
	unsigned v;

	for (at = 0; at < size; at++) {
		uint32_t seen[256] = { 0 }, most = 0;
		double sum = 0;

		for (i = 0; i < n; i++)
			seen[pieces[i * stride + at]]++;
		for (v = 0; v < 256; v++) {
			sum += (double)seen[v] * seen[v];
			most = seen[v] > most ? seen[v] : most;
		}
		feature_add(f, FEATURE_CELL_VALUES, sum, "%s: byte %zu, repeated values", name, at);
		feature_add(f, FEATURE_CELL_VALUES, most, "%s: byte %zu, most seen value", name,
		            at);
	}
}

void feature_means(struct features *f, const uint8_t *pieces, size_t n, size_t size,
                    size_t stride, size_t bucket, const char *name)
{
	size_t i, at, end;

	for (at = 0; at < size; at = end) {
		double sum = 0, used = 0;

		end = at + bucket < size ? at + bucket : size;
		for (i = 0; i < n; i++) {
			const uint8_t *p = pieces + i * stride + at, *to = p + (end - at);

			for (; p < to; p++) {
				sum += *p;
				used += *p != 0;
			}
		}
		feature_add(f, FEATURE_PAGES, sum, "%s: sum of bytes %zu..%zu", name, at, end - 1);
		feature_add(f, FEATURE_PAGES, used, "%s: used bytes %zu..%zu", name, at, end - 1);
	}
}

void feature_order(struct features *f, const float *arrival, const float *place, size_t n,
                    const char *name)
{
	uint32_t *a = must_alloc(n, sizeof *a), *b = must_alloc(n, sizeof *b);
	double sum[EIGHTHS] = { 0 }, many[EIGHTHS] = { 0 };
	unsigned e;
	size_t i;

	rank_twice(arrival, n, a);
	rank_twice(place, n, b);
	for (i = 0; i < n; i++) {
		e = (unsigned)((a[i] / 2 - 1) * EIGHTHS / n);
		sum[e] += b[i];
		many[e]++;
	}
	feature_add(f, FEATURE_ORDER, rank_correlation(arrival, place, n),
	             "%s: arrival against place", name);
	for (e = 0; e < EIGHTHS; e++)
		feature_add(f, FEATURE_ORDER, many[e] > 0 ? sum[e] / many[e] : 0,
		             "%s: mean place of arrivals %u/8", name, e + 1);
	free(a);
	free(b);
}
