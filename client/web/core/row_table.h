/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * row_table: sealed rows by their rk, in memory.
 *
 * An rk is a keyed hash, so its first bytes spread evenly and are the place in the table; who
 * can write to the store could crowd them and would make a slow table, no wrong one.
 */
#ifndef AMPARO_ROW_TABLE_H
#define AMPARO_ROW_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vault_seal.h"

struct row {
	uint8_t rk[VAULT_RK_SIZE];
	uint8_t *bytes;                 /* kv_alloc'd; NULL: an empty place */
	size_t len;
	bool is_told;                   /* its bytes were given to the store */
};

struct row_table {
	struct row *at;
	size_t n, size;                 /* size: a power of two, or 0 */
	size_t bytes;                   /* of all rows */
};

/* room for n rows: row_table_swap then never fails.  PERR_NOMEM: nothing has changed. */
PERR_MUST_CHECK enum perr row_table_reserve(struct row_table *t, size_t n);
/* valid until the next swap or pop; NULL: there is none */
struct row *row_table_find(const struct row_table *t, const uint8_t rk[VAULT_RK_SIZE]);
/*
 * Put a row (bytes taken over), or take one away (bytes NULL).
 * before  out: what was there, the caller's now; NULL if nothing
 */
void row_table_swap(struct row_table *t, const uint8_t rk[VAULT_RK_SIZE], uint8_t *bytes,
                    size_t len, uint8_t **before, size_t *before_len);
/* the row after this one, in no order that means anything; NULL: from the start; NULL: end */
struct row *row_table_next(const struct row_table *t, const struct row *row);
/*
 * Take the rows out, one after another, their bytes now the caller's; *at begins at 0.  false:
 * that was all.  A table that was begun to be drained is good for more draining and for
 * row_table_free only.
 */
bool row_table_drain(struct row_table *t, size_t *at, struct row *row);
/* wipes and frees; empty and reusable afterwards */
void row_table_free(struct row_table *t);

#endif
