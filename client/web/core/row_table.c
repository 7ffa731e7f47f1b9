/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "row_table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_SIZE 256

static size_t home(const struct row_table *t, const uint8_t rk[VAULT_RK_SIZE])
{
	uint32_t h;

	memcpy(&h, rk, sizeof h);
	return h & (t->size - 1);
}

/* its place, or the empty one where it would be; the table is never full */
static size_t place(const struct row_table *t, const uint8_t rk[VAULT_RK_SIZE])
{
	size_t i = home(t, rk);

	while (t->at[i].bytes != NULL && memcmp(t->at[i].rk, rk, VAULT_RK_SIZE) != 0)
		i = (i + 1) & (t->size - 1);
	return i;
}

enum perr row_table_reserve(struct row_table *t, size_t n)
{
	struct row_table wide = { .n = t->n, .bytes = t->bytes };
	size_t i;

	/* three quarters full at most */
	wide.size = t->size == 0 ? FIRST_SIZE : t->size;
	while (n > wide.size / 4 * 3) {
		if (wide.size > SIZE_MAX / sizeof *t->at / 2)
			return PERR_NOMEM;
		wide.size *= 2;
	}
	if (wide.size == t->size)
		return PERR_OK;
	wide.at = calloc(wide.size, sizeof *wide.at);
	if (wide.at == NULL)
		return PERR_NOMEM;
	for (i = 0; i < t->size; i++)
		if (t->at[i].bytes != NULL)
			wide.at[place(&wide, t->at[i].rk)] = t->at[i];
	free(t->at);
	*t = wide;
	return PERR_OK;
}

struct row *row_table_find(const struct row_table *t, const uint8_t rk[VAULT_RK_SIZE])
{
	size_t i;

	if (t->size == 0)
		return NULL;
	i = place(t, rk);
	return t->at[i].bytes != NULL ? &t->at[i] : NULL;
}

/* Close the gap: whatever stands behind it and would rather be in it moves up. */
static void close_gap(struct row_table *t, size_t gap)
{
	size_t mask = t->size - 1, i = gap;

	memset(&t->at[gap], 0, sizeof t->at[gap]);
	for (;;) {
		i = (i + 1) & mask;
		if (t->at[i].bytes == NULL)
			return;
		if (((i - home(t, t->at[i].rk)) & mask) >= ((i - gap) & mask)) {
			t->at[gap] = t->at[i];
			memset(&t->at[i], 0, sizeof t->at[i]);
			gap = i;
		}
	}
}

void row_table_swap(struct row_table *t, const uint8_t rk[VAULT_RK_SIZE], uint8_t *bytes,
                    size_t len, uint8_t **before, size_t *before_len)
{
	struct row *row;
	size_t i;

	assert(t->size > 0);
	i = place(t, rk);
	row = &t->at[i];
	*before = row->bytes;
	*before_len = row->len;
	if (*before != NULL) {
		t->n--;
		t->bytes -= row->len;
	}
	if (bytes == NULL) {
		if (*before != NULL)
			close_gap(t, i);
		return;
	}
	assert(t->n < t->size - 1);
	memcpy(row->rk, rk, VAULT_RK_SIZE);
	row->bytes = bytes;
	row->len = len;
	row->is_told = false;
	t->n++;
	t->bytes += len;
}

struct row *row_table_next(const struct row_table *t, const struct row *row)
{
	size_t i = row == NULL ? 0 : (size_t)(row - t->at) + 1;

	while (i < t->size && t->at[i].bytes == NULL)
		i++;
	return i < t->size ? &t->at[i] : NULL;
}

bool row_table_drain(struct row_table *t, size_t *at, struct row *row)
{
	for (; *at < t->size; (*at)++) {
		if (t->at[*at].bytes == NULL)
			continue;
		*row = t->at[*at];
		t->at[*at].bytes = NULL;
		t->n--;
		t->bytes -= row->len;
		return true;
	}
	return false;
}

void row_table_free(struct row_table *t)
{
	size_t i;

	for (i = 0; i < t->size; i++)
		kv_free(t->at[i].bytes);
	free(t->at);
	memset(t, 0, sizeof *t);
}
