/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "export_list.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "case_view.h"
#include "gone.h"

static enum perr add(struct export_list *l, const struct case_summary *s)
{
	struct export_item *o;

	if (l->n == l->room) {
		size_t room = l->room == 0 ? 64 : 2 * l->room;
		void *more = realloc(l->at, room * sizeof *l->at);

		if (more == NULL)
			return PERR_NOMEM;
		l->at = more;
		l->room = room;
	}
	o = &l->at[l->n++];
	memcpy(o->record, s->record, STATEMENT_RECORD_SIZE);
	memcpy(o->code, s->code, sizeof o->code);
	o->day = s->day;
	return PERR_OK;
}

enum perr export_list_one(struct client *c, struct export_list *l,
                          const uint8_t record[STATEMENT_RECORD_SIZE])
{
	struct case_summary *s = malloc(sizeof *s);
	enum perr err = s == NULL ? PERR_NOMEM : case_summary(c, record, s);

	if (err == PERR_OK)
		err = add(l, s);
	if (s != NULL)
		sodium_memzero(s, sizeof *s);
	free(s);
	return err;
}

struct all {
	struct client *c;
	struct export_list *l;
	bool open_only;
};

static enum perr one_case(void *arg, const struct case_summary *s)
{
	struct all *a = arg;
	enum gone gone;
	enum perr err;

	if (a->open_only && !case_view_may_open(a->c, s))
		return PERR_OK;
	err = gone_of(a->c, s->record, &gone);
	if (err == PERR_OK && gone == GONE_KEPT) {
		a->l->n_kept++;
		return PERR_OK;
	}
	return err == PERR_OK ? add(a->l, s) : err;
}

enum perr export_list_all(struct client *c, struct export_list *l, bool open_only)
{
	struct all a = { .c = c, .l = l, .open_only = open_only };

	return case_each(c, one_case, &a, NULL);
}

static int in_order(const void *a, const void *b)
{
	const struct export_item *x = a, *y = b;
	int by_code = strcmp(x->code, y->code);

	if (x->day != y->day)
		return x->day < y->day ? -1 : 1;
	return by_code != 0 ? by_code : memcmp(x->record, y->record, sizeof x->record);
}

void export_list_sort(struct export_list *l)
{
	if (l->n > 0)
		qsort(l->at, l->n, sizeof *l->at, in_order);
}

unsigned export_list_same(const struct export_list *l, size_t i)
{
	unsigned same = 0;

	for (size_t k = 0; k < i; k++)
		same += strcmp(l->at[k].code, l->at[i].code) == 0;
	return same;
}

void export_list_free(struct export_list *l)
{
	if (l->at != NULL)
		sodium_memzero(l->at, l->n * sizeof *l->at);
	free(l->at);
	memset(l, 0, sizeof *l);
}
