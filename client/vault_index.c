/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "vault_index.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "kv.h"

void vault_index_clear(struct vault_index *x)
{
	size_t i;

	for (i = 0; i < x->n; i++)
		kv_free((uint8_t *)x->names[i]);
	free(x->names);
	memset(x, 0, sizeof *x);
}

static enum perr insert(struct vault_index *x, size_t at, const char *name)
{
	size_t len = strlen(name);
	char *copy;

	if (x->n == x->cap) {
		size_t cap = x->cap ? 2 * x->cap : 256;
		char **names = realloc(x->names, cap * sizeof *names);

		if (names == NULL)
			return PERR_NOMEM;
		x->names = names;
		x->cap = cap;
	}
	copy = (char *)kv_alloc(len);
	if (copy == NULL)
		return PERR_NOMEM;
	memcpy(copy, name, len);
	memmove(&x->names[at + 1], &x->names[at], (x->n - at) * sizeof *x->names);
	x->names[at] = copy;
	x->n++;
	return PERR_OK;
}

enum perr vault_index_append(struct vault_index *x, const char *name)
{
	return insert(x, x->n, name);
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void vault_index_sort(struct vault_index *x)
{
	if (x->n > 1)
		qsort(x->names, x->n, sizeof *x->names, compare);
}

/* The first name that is not before `name`. */
static size_t lower(const struct vault_index *x, const char *name)
{
	size_t lo = 0, hi = x->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (strcmp(x->names[mid], name) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static bool stands_at(const struct vault_index *x, size_t at, const char *name)
{
	return at < x->n && strcmp(x->names[at], name) == 0;
}

enum perr vault_index_add(struct vault_index *x, const char *name)
{
	size_t at = lower(x, name);

	return stands_at(x, at, name) ? PERR_OK : insert(x, at, name);
}

void vault_index_remove(struct vault_index *x, const char *name)
{
	size_t at = lower(x, name);

	if (!stands_at(x, at, name))
		return;
	kv_free((uint8_t *)x->names[at]);
	memmove(&x->names[at], &x->names[at + 1], (x->n - at - 1) * sizeof *x->names);
	x->n--;
}

size_t vault_index_range(const struct vault_index *x, const char *prefix, size_t *from)
{
	size_t len = strlen(prefix), n = 0;

	*from = lower(x, prefix);
	while (*from + n < x->n && strncmp(x->names[*from + n], prefix, len) == 0)
		n++;
	return n;
}

enum perr vault_index_walk(const struct vault_index *x, const char *prefix,
                           struct vault_index_walk *w)
{
	size_t from, i;
	char *p;

	memset(w, 0, sizeof *w);
	w->n = vault_index_range(x, prefix, &from);
	for (i = 0; i < w->n; i++)
		w->text_len += strlen(x->names[from + i]) + 1;
	if (w->n == 0)
		return PERR_OK;
	w->text = p = malloc(w->text_len);
	if (p == NULL)
		return PERR_NOMEM;
	for (i = 0; i < w->n; i++) {
		size_t size = strlen(x->names[from + i]) + 1;

		memcpy(p, x->names[from + i], size);
		p += size;
	}
	return PERR_OK;
}

void vault_index_walk_free(struct vault_index_walk *w)
{
	if (w->text != NULL)
		sodium_memzero(w->text, w->text_len);
	free(w->text);
	w->text = NULL;
}
