/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include <stdarg.h>
#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "farena.h"

#define BLOCK_MIN 8192

struct block {
	struct block *older;
	size_t size, used;
	alignas(max_align_t) unsigned char bytes[];
};

struct farena {
	struct block *newest;
	size_t held, limit;
	bool is_starved;
};

struct farena *farena_new(size_t limit)
{
	struct farena *a = calloc(1, sizeof *a);

	if (a != NULL)
		a->limit = limit;
	return a;
}

static void drop_newest(struct farena *a)
{
	struct block *b = a->newest;

	a->newest = b->older;
	a->held -= b->size;
	explicit_bzero(b->bytes, b->used);
	free(b);
}

void farena_free(struct farena *a)
{
	if (a == NULL)
		return;
	while (a->newest != NULL)
		drop_newest(a);
	free(a);
}

void *farena_get(struct farena *a, size_t n)
{
	struct block *b = a->newest;
	size_t size;
	void *p;

	if (n > a->limit)
		return NULL;
	n = (n + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
	if (b == NULL || b->size - b->used < n) {
		/* Blocks grow with what is held, so that a large form takes few of them. */
		size = a->held / 2 < BLOCK_MIN ? BLOCK_MIN : a->held / 2;
		if (size > a->limit - a->held)
			size = a->limit - a->held;
		if (size < n)
			size = n;
		if (size > a->limit - a->held)
			return NULL;
		b = malloc(sizeof *b + size);
		if (b == NULL) {
			a->is_starved = true;
			return NULL;
		}
		b->older = a->newest;
		b->size = size;
		b->used = 0;
		a->newest = b;
		a->held += size;
	}
	p = b->bytes + b->used;
	b->used += n;
	return memset(p, 0, n);
}

char *farena_str(struct farena *a, const char *s, size_t len)
{
	char *copy = len == SIZE_MAX ? NULL : farena_get(a, len + 1);

	if (copy != NULL && len > 0)
		memcpy(copy, s, len);
	return copy;
}

char *farena_fmt(struct farena *a, const char *fmt, ...)
{
	va_list ap;
	char *s;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		return NULL;
	s = farena_get(a, (size_t)n + 1);
	if (s == NULL)
		return NULL;
	va_start(ap, fmt);
	vsnprintf(s, (size_t)n + 1, fmt, ap);
	va_end(ap);
	return s;
}

struct farena_mark farena_mark(const struct farena *a)
{
	struct farena_mark m = {a->newest, a->newest == NULL ? 0 : a->newest->used};

	return m;
}

void farena_release(struct farena *a, struct farena_mark m)
{
	while (a->newest != m.block)
		drop_newest(a);
	if (a->newest != NULL) {
		explicit_bzero(a->newest->bytes + m.used, a->newest->used - m.used);
		a->newest->used = m.used;
	}
}

bool farena_is_starved(const struct farena *a)
{
	return a->is_starved;
}

size_t farena_held(const struct farena *a)
{
	return a->held;
}
