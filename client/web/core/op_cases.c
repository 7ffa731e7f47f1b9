/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * op_cases: the list of cases, page by page, and the search.  Shapes: app/ops_desk.ts.
 *
 * The list is loaded once after each change of the store and chosen from once for each filter,
 * so that a later page costs its rows alone.
 */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "cache.h"
#include "kv_rows.h"
#include "search.h"
#include "wdesk.h"
#include "web_ops.h"

#define ROWS_MAX 500
#define DAYS_MAX 3650

/* ---- the list ------------------------------------------------------------------------------- */

static bool is_same(const struct case_list *a, const struct case_list *b)
{
	return a != NULL && a->today == b->today && a->n == b->n && a->n_hidden == b->n_hidden &&
	       (a->n == 0 || memcmp(a->at, b->at, a->n * sizeof *a->at) == 0);
}

static void drop_choice(struct wdesk *d)
{
	free(d->picks);
	d->picks = NULL;
	if (d->text != NULL)
		sodium_memzero(d->text, strlen(d->text));
	free(d->text);
	d->text = NULL;
}

/* the list of today and of the store as it is now */
static enum perr fresh_list(struct web *w, struct wdesk *d)
{
	struct case_list *l;
	enum perr err;

	if (d->list != NULL && w->rows != NULL && d->stamp == kv_rows_stamp(w->rows) &&
	    d->list->today == client_day(w->c))
		return PERR_OK;
	err = case_list_load(w->c, &l);
	if (err != PERR_OK)
		return err;
	/* loading merges what came in; nothing has changed since */
	d->stamp = w->rows == NULL ? 0 : kv_rows_stamp(w->rows);
	if (is_same(d->list, l)) {
		case_list_free(l);
		return PERR_OK;
	}
	drop_choice(d);
	case_list_free(d->list);
	d->list = l;
	d->version++;
	return PERR_OK;
}

static bool is_chosen(const struct wdesk *d, const struct case_filter *f, const char *text)
{
	const struct case_filter *g = &d->filter;

	return d->picks != NULL && f->mine == g->mine && f->waiting == g->waiting &&
	       f->unassigned == g->unassigned && f->by_due == g->by_due && f->until == g->until &&
	       f->state == g->state && d->has_desk == (f->desk != NULL) &&
	       (f->desk == NULL || memcmp(f->desk, d->desk, sizeof d->desk) == 0) &&
	       (text == NULL) == (d->text == NULL) && (text == NULL || strcmp(text, d->text) == 0);
}

static void count(struct wdesk *d)
{
	d->n_urgent = d->n_overdue = 0;
	for (size_t i = 0; i < d->n_picks; i++) {
		d->n_urgent += d->picks[i].e->urgent;
		d->n_overdue += d->picks[i].due_day != 0 && d->picks[i].due_day < d->list->today;
	}
}

static enum perr choose(struct web *w, struct wdesk *d, struct case_filter *f, const char *text)
{
	struct case_hits hits = { .n = 0 };
	enum perr err = PERR_OK;

	if (is_chosen(d, f, text))
		return PERR_OK;
	drop_choice(d);
	if (text != NULL) {
		err = case_list_search(w->c, text, &hits);
		f->hits = &hits;
		if (err == PERR_OK && (d->text = strdup(text)) == NULL)
			err = PERR_NOMEM;
	}
	if (err == PERR_OK)
		err = case_list_pick(d->list, f, &d->picks, &d->n_picks);
	case_hits_free(&hits);
	d->filter = *f;
	d->filter.hits = NULL;
	d->filter.desk = NULL;
	d->has_desk = f->desk != NULL;
	if (f->desk != NULL)
		memcpy(d->desk, f->desk, sizeof d->desk);
	if (err == PERR_OK)
		count(d);
	else
		drop_choice(d);
	return err;
}

static enum perr put_rows(struct web *w, struct web_out *o, const struct wdesk *d, size_t from,
                          size_t n)
{
	struct case_summary *s = malloc(sizeof *s);
	enum perr err = s == NULL ? PERR_NOMEM : PERR_OK;

	web_out_list(o, "rows");
	for (size_t i = from; err == PERR_OK && i < d->n_picks && i - from < n; i++) {
		err = case_summary(w->c, d->picks[i].e->record, s);
		if (err == PERR_OK)
			err = wdesk_put_row(w, o, NULL, s, d->picks[i].due);
	}
	web_out_end(o);
	if (s != NULL)
		sodium_memzero(s, sizeof *s);
	free(s);
	return err;
}

/* ---- arguments ------------------------------------------------------------------------------ */

static void arg_view(struct web_args *a, struct case_filter *f)
{
	const char *view = web_arg_text(a, "view", 1, 16);

	if (a->err != PERR_OK)
		return;
	f->mine = strcmp(view, "mine") == 0;
	f->waiting = strcmp(view, "waiting") == 0;
	f->unassigned = strcmp(view, "unassigned") == 0;
	f->by_due = strcmp(view, "due") == 0;
	if (!f->mine && !f->waiting && !f->unassigned && !f->by_due && strcmp(view, "all") != 0)
		web_args_fail(a, PERR_FORMAT);
}

static void arg_state(struct web_args *a, struct case_filter *f)
{
	static const char *const names[] = { "open", "assigned", "accepted", "returned", "held",
	                                     "closed" };
	const char *text;

	f->state = (enum case_state)0;
	if (!web_arg_has(a, "state"))
		return;
	text = web_arg_text(a, "state", 1, 16);
	for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++)
		if (strcmp(text, names[i]) == 0)
			f->state = (enum case_state)(CASE_OPEN + i);
	if (f->state == 0)
		web_args_fail(a, PERR_FORMAT);
}

static enum perr list(struct web *w, struct web_args *a, struct web_out *o, bool is_search)
{
	const char *text = is_search ? web_arg_text(a, "text", 0, 65536) : NULL;
	struct case_filter f = { .until = 0 };
	struct wdesk *d;
	uint8_t desk[32];
	uint64_t days, from, n;
	enum perr err;

	arg_view(a, &f);
	arg_state(a, &f);
	if (wdesk_arg_id(a, "desk", desk, sizeof desk, true))
		f.desk = desk;
	days = web_arg_uint(a, "days", DAYS_MAX);
	from = web_arg_uint(a, "from", UINT32_MAX);
	n = web_arg_uint(a, "n", ROWS_MAX);
	err = web_args_end(a);
	if (err == PERR_OK)
		err = wdesk_open(w, &d);
	if (err == PERR_OK)
		err = fresh_list(w, d);
	if (err != PERR_OK)
		return err;
	if (f.by_due)
		f.until = d->list->today + (uint32_t)days;
	err = choose(w, d, &f, text);
	if (err != PERR_OK)
		return err;
	web_out_uint(o, "total", d->n_picks);
	web_out_uint(o, "n_urgent", d->n_urgent);
	web_out_uint(o, "n_overdue", d->n_overdue);
	web_out_uint(o, "n_hidden", is_search || f.by_due ? 0 : d->list->n_hidden);
	web_out_uint(o, "stamp", d->version);
	return put_rows(w, o, d, (size_t)from, (size_t)n);
}

enum perr op_cases(struct web *w, struct web_args *a, struct web_out *o)
{
	return list(w, a, o, false);
}

enum perr op_case_search(struct web *w, struct web_args *a, struct web_out *o)
{
	return list(w, a, o, true);
}

enum perr op_case_find(struct web *w, struct web_args *a, struct web_out *o)
{
	const char *code = web_arg_text(a, "code", 0, 256);
	uint8_t record[STATEMENT_RECORD_SIZE];
	struct wdesk *d;
	enum perr err = web_args_end(a);

	if (err == PERR_OK)
		err = wdesk_open(w, &d);
	if (err == PERR_OK)
		err = case_find(w->c, code, record, NULL);
	if (err == PERR_OK)
		wdesk_put_id(o, "record", record, sizeof record);
	return err;
}

/* ---- desks ---------------------------------------------------------------------------------- */

static void put_holders(struct web *w, struct web_out *o, const struct desk *desk)
{
	web_out_list(o, "holders");
	for (uint32_t i = 0; i < desk->now.n; i++)
		wdesk_put_who(w, o, NULL, desk->now.holders[i]);
	web_out_end(o);
}

enum perr op_desks(struct web *w, struct web_args *a, struct web_out *o)
{
	const struct roster_field *field = w->c->field;
	struct wdesk *d;
	enum perr err = web_args_end(a);

	if (err == PERR_OK)
		err = wdesk_open(w, &d);
	if (err == PERR_OK)
		err = fresh_list(w, d);
	if (err != PERR_OK)
		return err;
	web_out_list(o, "desks");
	for (uint32_t i = 0; field != NULL && i < field->n_desks && err == PERR_OK; i++) {
		struct desk *desk = malloc(sizeof *desk);
		size_t n = 0;
		bool holds = false;

		err = desk == NULL ? PERR_NOMEM : client_desk(w->c, i, desk);
		if (err == PERR_OK)
			err = client_holds(w->c, desk->id, &holds);
		for (size_t k = 0; err == PERR_OK && k < d->list->n; k++)
			n += memcmp(d->list->at[k].desk, desk->id, 32) == 0;
		if (err == PERR_OK && (holds || n > 0)) {
			web_out_map(o, NULL);
			wdesk_put_id(o, "id", desk->id, 32);
			web_out_str(o, "name", desk->now.name);
			web_out_str(o, "organisation", desk->now.organisation);
			web_out_bool(o, "i_hold", holds);
			put_holders(w, o, desk);
			web_out_uint(o, "n_cases", n);
			web_out_end(o);
		}
		free(desk);
		/* one that does not verify (any more) is no desk */
		err = err == PERR_NOMEM ? err : PERR_OK;
	}
	web_out_end(o);
	return err;
}

enum perr op_holders(struct web *w, struct web_args *a, struct web_out *o)
{
	const struct desk *desk;
	struct wdesk *d;
	uint8_t id[32];
	enum perr err;

	wdesk_arg_id(a, "desk", id, sizeof id, false);
	err = web_args_end(a);
	if (err == PERR_OK)
		err = wdesk_open(w, &d);
	if (err == PERR_OK)
		err = cache_desk(w->c, id, &desk);
	if (err == PERR_OK)
		put_holders(w, o, desk);
	return err;
}
