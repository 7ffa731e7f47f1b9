/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "case_list.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "search.h"

/* ---- the whole list --------------------------------------------------------------------- */

struct loading {
	struct client *c;
	struct case_list *l;
	size_t room;
};

static enum perr one_case(void *arg, const struct case_summary *s)
{
	struct loading *k = arg;
	struct case_list *l = k->l;
	const struct assigned *me = case_person(s, k->c->me->sign_pk);
	struct case_entry *e;

	if (l->n == k->room) {
		size_t room = k->room == 0 ? 256 : 2 * k->room;
		struct case_entry *more = calloc(room, sizeof *more);

		if (more == NULL)
			return PERR_NOMEM;
		if (l->n > 0) {
			memcpy(more, l->at, l->n * sizeof *more);
			sodium_memzero(l->at, l->n * sizeof *l->at);
		}
		free(l->at);
		l->at = more;
		k->room = room;
	}
	e = &l->at[l->n++];
	memcpy(e->record, s->record, sizeof e->record);
	memcpy(e->desk, s->desk, sizeof e->desk);
	memcpy(e->code, s->code, sizeof e->code);
	e->day = s->day;
	e->n_statements = s->n_statements;
	e->state = s->state;
	e->urgent = s->urgent;
	e->unanswered = s->unanswered;
	e->is_mine = s->is_mine;
	e->is_recused = me != NULL && me->state == ASSIGNED_RECUSED;
	e->is_unassigned = case_is_unassigned(s);
	e->n_deadlines = (uint8_t)s->n_deadlines;
	for (uint32_t i = 0; i < s->n_deadlines; i++)
		e->deadlines[i] = s->deadlines[i].day;
	return PERR_OK;
}

enum perr case_list_load(struct client *c, struct case_list **out)
{
	struct loading k = { .c = c, .l = calloc(1, sizeof *k.l) };
	enum perr err = PERR_NOMEM;

	*out = NULL;
	if (k.l == NULL)
		return err;
	k.l->today = client_day(c);
	err = case_each(c, one_case, &k, &k.l->n_hidden);
	if (err == PERR_OK) {
		*out = k.l;
		k.l = NULL;
	}
	case_list_free(k.l);
	return err;
}

void case_list_free(struct case_list *l)
{
	if (l == NULL)
		return;
	if (l->at != NULL)
		sodium_memzero(l->at, l->n * sizeof *l->at);
	free(l->at);
	free(l);
}

/* ---- choosing --------------------------------------------------------------------------- */

static int by_record(const void *a, const void *b)
{
	return memcmp(a, b, STATEMENT_RECORD_SIZE);
}

static bool is_meant(const struct case_entry *e, const struct case_filter *f)
{
	if (f->state != 0 && e->state != f->state)
		return false;
	if (f->desk != NULL && memcmp(f->desk, e->desk, sizeof e->desk) != 0)
		return false;
	if (f->hits != NULL &&
	    (e->is_recused || f->hits->n == 0 ||
	     bsearch(e->record, f->hits->at, f->hits->n, sizeof *f->hits->at, by_record) == NULL))
		return false;
	if (f->mine && !e->is_mine)
		return false;
	if (f->unassigned && !e->is_unassigned)
		return false;
	if (f->waiting && !e->is_unassigned && e->state != CASE_ASSIGNED)
		return false;
	return !f->by_due || e->state != CASE_CLOSED;
}

/* of what waits for an attorney: whose turn it is to act has waited longest */
static uint32_t waits(const struct case_entry *e)
{
	return e->unanswered ? 0 : e->state == CASE_RETURNED ? 1 : e->state == CASE_OPEN ? 2 : 3;
}

/* the deadline to look at today, as marks_next chooses it; -1: there is none */
static int next_due(const struct case_entry *e, uint32_t today)
{
	for (unsigned i = 0; i < e->n_deadlines; i++)
		if (e->deadlines[i] >= today)
			return (int)i;
	return (int)e->n_deadlines - 1;
}

static void pick(struct case_pick *p, const struct case_list *l, const struct case_filter *f,
                 const struct case_entry *e, int due)
{
	p->e = e;
	p->due = due;
	p->due_day = due < 0 ? 0 : e->deadlines[due];
	p->next = p->due_day >= l->today && p->due_day != 0 ? p->due_day : UINT32_MAX;
	p->rank = f->waiting || f->unassigned ? waits(e) : 0;
}

/* of several under one code the order is that of their ids: a page must not jump */
static int by_name(const struct case_pick *x, const struct case_pick *y)
{
	int code = memcmp(x->e->code, y->e->code, sizeof x->e->code);

	return code != 0 ? code : by_record(x->e->record, y->e->record);
}

static int by_due(const void *a, const void *b)
{
	const struct case_pick *x = a, *y = b;

	if (x->due_day != y->due_day)
		return x->due_day < y->due_day ? -1 : 1;
	if (x->e->urgent != y->e->urgent)
		return x->e->urgent ? -1 : 1;
	return by_name(x, y);
}

static int in_order(const void *a, const void *b)
{
	const struct case_pick *x = a, *y = b;
	bool closed_x = x->e->state == CASE_CLOSED, closed_y = y->e->state == CASE_CLOSED;

	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	if (closed_x != closed_y)
		return closed_x ? 1 : -1;
	if (x->e->urgent != y->e->urgent)
		return x->e->urgent ? -1 : 1;
	if (x->next != y->next)
		return x->next < y->next ? -1 : 1;
	if (x->e->day != y->e->day)
		return x->e->day > y->e->day ? -1 : 1;
	return by_name(x, y);
}

enum perr case_list_pick(const struct case_list *l, const struct case_filter *f,
                         struct case_pick **out, size_t *n)
{
	size_t most = f->by_due ? MARKS_DEADLINES_MAX : 1;
	struct case_pick *p = calloc(l->n * most + 1, sizeof *p);

	*n = 0;
	*out = p;
	if (p == NULL)
		return PERR_NOMEM;
	for (size_t i = 0; i < l->n; i++) {
		const struct case_entry *e = &l->at[i];

		if (!is_meant(e, f))
			continue;
		if (!f->by_due)
			pick(&p[(*n)++], l, f, e, next_due(e, l->today));
		for (unsigned k = 0; f->by_due && k < e->n_deadlines; k++)
			if (e->deadlines[k] <= f->until)
				pick(&p[(*n)++], l, f, e, (int)k);
	}
	qsort(p, *n, sizeof *p, f->by_due ? by_due : in_order);
	return PERR_OK;
}

/* ---- searching -------------------------------------------------------------------------- */

struct finding {
	struct case_hits *hits;
	size_t room;
};

static enum perr one_hit(void *arg, const uint8_t record[STATEMENT_RECORD_SIZE])
{
	struct finding *k = arg;

	if (k->hits->n == k->room) {
		size_t room = k->room == 0 ? 64 : 2 * k->room;
		void *more = realloc(k->hits->at, room * sizeof *k->hits->at);

		if (more == NULL)
			return PERR_NOMEM;
		k->hits->at = more;
		k->room = room;
	}
	memcpy(k->hits->at[k->hits->n++], record, STATEMENT_RECORD_SIZE);
	return PERR_OK;
}

enum perr case_list_search(struct client *c, const char *query, struct case_hits *hits)
{
	struct finding k = { .hits = hits };
	enum perr err;

	memset(hits, 0, sizeof *hits);
	err = search_run(c, query, one_hit, &k);
	if (err == PERR_OK && hits->n > 0)
		qsort(hits->at, hits->n, sizeof *hits->at, by_record);
	return err;
}

void case_hits_free(struct case_hits *hits)
{
	free(hits->at);
	memset(hits, 0, sizeof *hits);
}
