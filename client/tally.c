/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "tally.h"

#include <string.h>

#include "cache.h"
#include "case.h"
#include "erasing.h"

struct counting {
	struct client *c;
	struct tally *t;
	uint32_t today;
};

static void count_corrections(struct counting *k, const struct case_summary *s)
{
	k->t->n_conflicts += s->n_conflicts > 0;
	if (!s->is_alone || s->received_day + TALLY_ALONE_DAYS > k->today)
		return;
	k->t->n_alone++;
	if (k->t->alone_since == 0 || s->received_day < k->t->alone_since)
		k->t->alone_since = s->received_day;
}

static enum perr one_case(void *arg, const struct case_summary *s)
{
	struct counting *k = arg;
	struct tally *t = k->t;
	const struct assigned *me = case_person(s, k->c->me->sign_pk);

	count_corrections(k, s);
	if (s->state == CASE_CLOSED)
		return PERR_OK;
	t->n_open++;
	for (uint32_t i = 0; i < s->n_deadlines; i++) {
		t->n_overdue += s->deadlines[i].day < k->today;
		t->n_due += s->deadlines[i].day >= k->today &&
		            s->deadlines[i].day <= k->today + TALLY_DUE_DAYS;
	}
	t->n_urgent += s->urgent;
	t->n_urgent_unassigned += s->urgent && case_is_unassigned(s);
	t->n_mine += me != NULL && (me->state == ASSIGNED_OFFERED || me->state == ASSIGNED_SILENT);
	/* by the cache: thousands of cases, and each look at a charter is a chain of signatures */
	if (!cache_is_holder(k->c, s->desk, k->c->me->sign_pk))
		return PERR_OK;
	t->n_silent += s->unanswered;
	t->n_waiting += case_is_unassigned(s);
	return PERR_OK;
}

enum perr tally_make(struct client *c, struct tally *t)
{
	struct counting k = { .c = c, .t = t, .today = client_day(c) };

	memset(t, 0, sizeof *t);
	return case_each(c, one_case, &k, NULL);
}

/* ---- erasures --------------------------------------------------------------------------- */

static void count_order(struct tally_erasures *k, const struct erasing_order *o)
{
	unsigned at = 0;

	while (at < k->n_by && (k->by[at].day != o->day ||
	                        memcmp(k->by[at].author, o->author, 32) != 0))
		at++;
	if (at == TALLY_AUTHORS_MAX)
		return;
	if (at == k->n_by) {
		memcpy(k->by[at].author, o->author, 32);
		k->by[at].day = o->day;
		k->n_by++;
	}
	k->by[at].n++;
}

struct erasures {
	struct client *c;
	struct tally_erasures *t;
};

static enum perr one_erasing(void *arg, const struct erasing *e)
{
	struct erasures *x = arg;
	struct tally_erasures *k = x->t;
	uint8_t author[32];
	const char *why;
	uint32_t due;

	switch (e->state) {
	case ERASING_ASKED:
		k->n_asked += cache_is_holder(x->c, e->desk, x->c->me->sign_pk);
		break;
	case ERASING_ORDERED:
		due = erasing_due(x->c, e, author, &why);
		if (due == 0)
			break;
		k->n_resting++;
		if (k->next == 0 || due < k->next)
			k->next = due;
		for (uint32_t i = 0; i < e->n_orders; i++)
			count_order(k, &e->orders[i]);
		break;
	case ERASING_DONE:
		for (uint32_t i = 0; i < e->n_readers; i++)
			if (e->readers[i].step == (enum statement_erase_step)0) {
				k->n_waiting++;
				break;
			}
		break;
	case ERASING_KEPT:
	case ERASING_STOPPED:
		break;
	}
	return PERR_OK;
}

enum perr tally_erasures(struct client *c, struct tally_erasures *t)
{
	struct erasures x = { .c = c, .t = t };

	memset(t, 0, sizeof *t);
	return erasing_each(c, one_erasing, &x);
}
