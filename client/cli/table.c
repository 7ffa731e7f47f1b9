/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "table.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "term.h"

#define GAP 2                   /* spaces between two columns */
#define LEAST 4                 /* a column is not cut below */

struct column {
	char *head;
	unsigned width;         /* of its widest cell */
	bool is_right, is_whole;
};

struct table {
	struct column col[TABLE_COLUMNS_MAX];
	unsigned n_cols, n_rows;
	size_t cap;
	char **cells;           /* n_rows * n_cols, each harmless already */
};

struct table *table_new(unsigned n_cols, const char *const *heads)
{
	struct table *t;
	unsigned i;

	if (n_cols < 1 || n_cols > TABLE_COLUMNS_MAX)
		return NULL;
	t = calloc(1, sizeof *t);
	if (t == NULL)
		return NULL;
	t->n_cols = n_cols;
	for (i = 0; i < n_cols; i++) {
		struct column *c = &t->col[i];
		const char *head = heads[i];

		for (; *head == '>' || *head == '!'; head++) {
			c->is_right |= *head == '>';
			c->is_whole |= *head == '!';
		}
		c->head = term_safe(head, strlen(head), TERM_LINE);
		if (c->head == NULL) {
			table_free(t);
			return NULL;
		}
		c->width = term_columns(c->head);
	}
	return t;
}

enum perr table_row(struct table *t, const char *const *cells)
{
	size_t at = (size_t)t->n_rows * t->n_cols;
	unsigned i;

	if (at + t->n_cols > t->cap) {
		size_t cap = t->cap * 2 + 16 * (size_t)t->n_cols;
		char **grown = realloc(t->cells, cap * sizeof *grown);

		if (grown == NULL)
			return PERR_NOMEM;
		t->cells = grown;
		t->cap = cap;
	}
	for (i = 0; i < t->n_cols; i++) {
		const char *text = cells[i] != NULL ? cells[i] : "";

		t->cells[at + i] = term_safe(text, strlen(text), TERM_LINE);
		if (t->cells[at + i] == NULL) {
			while (i-- > 0)
				free(t->cells[at + i]);
			return PERR_NOMEM;
		}
	}
	for (i = 0; i < t->n_cols; i++) {
		unsigned w = term_columns(t->cells[at + i]);

		if (w > t->col[i].width)
			t->col[i].width = w;
	}
	t->n_rows++;
	return PERR_OK;
}

unsigned table_rows(const struct table *t)
{
	return t->n_rows;
}

/* Take columns from the widest until all fit, or nothing more can be taken. */
static void shares(const struct table *t, unsigned width, unsigned share[TABLE_COLUMNS_MAX])
{
	unsigned total = GAP * (t->n_cols - 1), i;

	for (i = 0; i < t->n_cols; i++) {
		share[i] = t->col[i].width;
		total += share[i];
	}
	while (width > 0 && total > width) {
		unsigned widest = TABLE_COLUMNS_MAX;

		for (i = 0; i < t->n_cols; i++)
			if (!t->col[i].is_whole && share[i] > LEAST &&
			    (widest == TABLE_COLUMNS_MAX || share[i] > share[widest]))
				widest = i;
		if (widest == TABLE_COLUMNS_MAX)
			return;
		share[widest]--;
		total--;
	}
}

static void put_spaces(FILE *f, unsigned n)
{
	fprintf(f, "%*s", (int)n, "");
}

static void put_row(const struct table *t, FILE *f, const unsigned *share, char *const *cells)
{
	unsigned i, owed = 0;   /* spaces wait until something follows: no blank line ends */

	for (i = 0; i < t->n_cols; i++) {
		const char *text = cells[i];
		unsigned used = term_columns(text);
		bool is_cut = used > share[i];
		size_t len = strlen(text);
		unsigned before = 0;

		if (is_cut) {
			len = term_fit(text, share[i] - 1, &used);
			used++;
		}
		if (t->col[i].is_right)
			before = share[i] - used;
		if (len > 0 || is_cut) {
			put_spaces(f, owed + before);
			fwrite(text, 1, len, f);
			if (is_cut)
				fputs("\xe2\x80\xa6", f);
			owed = share[i] - used - before + GAP;
		} else {
			owed += share[i] + GAP;
		}
	}
	fputc('\n', f);
}

void table_print(const struct table *t, FILE *f, unsigned width)
{
	unsigned share[TABLE_COLUMNS_MAX], i, j;
	char *heads[TABLE_COLUMNS_MAX];

	if (t->n_rows == 0)
		return;
	shares(t, width, share);
	for (i = 0; i < t->n_cols; i++)
		heads[i] = t->col[i].head;
	put_row(t, f, share, heads);
	for (i = 0; i < t->n_cols; i++) {
		if (i > 0)
			put_spaces(f, GAP);
		for (j = 0; j < share[i]; j++)
			fputc('-', f);
	}
	fputc('\n', f);
	for (i = 0; i < t->n_rows; i++)
		put_row(t, f, share, t->cells + (size_t)i * t->n_cols);
}

void table_free(struct table *t)
{
	size_t i;

	if (t == NULL)
		return;
	for (i = 0; i < t->n_cols; i++)
		free(t->col[i].head);
	for (i = 0; i < (size_t)t->n_rows * t->n_cols; i++)
		free(t->cells[i]);
	free(t->cells);
	free(t);
}
