/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "status_erase.h"

#include <stdio.h>
#include <string.h>

#include "case.h"
#include "erasing.h"

#define AUTHORS_MAX 16
#define ALONE_DAYS  2            /* a phone may send a correction before its interview */

struct counts {
	struct client *c;
	unsigned asked, resting, waiting;
	uint32_t next;                   /* day from which the next one is carried out */
	/* orders that rest, by who gave them and when */
	struct {
		uint8_t author[32];
		uint32_t day;
		unsigned n;
	} by[AUTHORS_MAX];
	unsigned n_by;
};

static void count_order(struct counts *k, const struct erasing_order *o)
{
	unsigned at = 0;

	while (at < k->n_by && (k->by[at].day != o->day ||
	                        memcmp(k->by[at].author, o->author, 32) != 0))
		at++;
	if (at == AUTHORS_MAX)
		return;
	if (at == k->n_by) {
		memcpy(k->by[at].author, o->author, 32);
		k->by[at].day = o->day;
		k->n_by++;
	}
	k->by[at].n++;
}

static enum perr one(void *arg, const struct erasing *e)
{
	struct counts *k = arg;
	uint8_t author[32];
	const char *why;
	uint32_t due;

	switch (e->state) {
	case ERASING_ASKED:
		k->asked += client_is_holder(k->c, e->desk);
		break;
	case ERASING_ORDERED:
		due = erasing_due(k->c, e, author, &why);
		if (due == 0)
			break;
		k->resting++;
		if (k->next == 0 || due < k->next)
			k->next = due;
		for (uint32_t i = 0; i < e->n_orders; i++)
			count_order(k, &e->orders[i]);
		break;
	case ERASING_DONE:
		for (uint32_t i = 0; i < e->n_readers; i++)
			if (e->readers[i].step == (enum statement_erase_step)0) {
				k->waiting++;
				break;
			}
		break;
	case ERASING_KEPT:
	case ERASING_STOPPED:
		break;
	}
	return PERR_OK;
}

/* corrections that came by a code whose interview is not here */
struct alone {
	unsigned n, conflicts;
	uint32_t since, today;
};

static enum perr one_case(void *arg, const struct case_summary *s)
{
	struct alone *a = arg;

	a->conflicts += s->n_conflicts > 0;
	if (!s->is_alone || s->received_day + ALONE_DAYS > a->today)
		return PERR_OK;
	a->n++;
	if (a->since == 0 || s->received_day < a->since)
		a->since = s->received_day;
	return PERR_OK;
}

enum perr status_amend(struct client *c, struct list *l)
{
	struct alone a = { .today = client_day(c) };
	char what[200], day[16];
	enum perr err = c->staff == NULL ? PERR_OK : case_each(c, one_case, &a, NULL);

	if (err == PERR_OK && a.n > 0) {
		cli_day(day, a.since);
		snprintf(what, sizeof what, "%u correction%s for the interview of the same code, since %s", a.n,
		         a.n == 1 ? " waits" : "s wait", day);
		status_line(l, false, what, "ask the volunteer whether the interview was sent; `amparo cases` "
		            "has the code");
	}
	if (err == PERR_OK && a.conflicts > 0) {
		snprintf(what, sizeof what, "corrections differ on answers of %u case%s", a.conflicts,
		         a.conflicts == 1 ? "" : "s");
		status_line(l, false, what, "`amparo show CASE` says which; `amparo amend CASE` settles them");
	}
	return err;
}

enum perr status_erase(struct client *c, struct list *l)
{
	struct counts k = { .c = c };
	char what[400], who[140], day[16];
	enum perr err;

	if (c->staff == NULL)
		return PERR_OK;
	err = erasing_each(c, one, &k);
	if (err != PERR_OK)
		return err;
	for (unsigned i = 0; i < k.n_by; i++) {
		if (k.by[i].n <= ERASING_MANY)
			continue;
		client_name_of(c, k.by[i].author, who, sizeof who);
		cli_day(day, k.by[i].day);
		snprintf(what, sizeof what, "MANY ERASURES: %s ordered %u on %s", who, k.by[i].n, day);
		status_line(l, false, what, "ask them by voice; if it was not them, call an administrator now: "
		            "`amparo erasures void --all`, then `amparo revoke`");
	}
	if (k.asked > 0) {
		snprintf(what, sizeof what, "%u famil%s to have a case erased", k.asked,
		         k.asked == 1 ? "y asks" : "ies ask");
		status_line(l, false, what, "`amparo erase` lists them; `amparo erase CASE` orders it, with "
		            "--stop it is not");
	}
	if (k.resting > 0) {
		cli_day(day, k.next);
		snprintf(what, sizeof what, "%u case%s to be erased, the next from %s on", k.resting,
		         k.resting == 1 ? " is" : "s are", day);
		status_line(l, false, what, "`amparo erase` lists them; `amparo erase CASE --stop` stops one");
	}
	if (k.waiting > 0) {
		snprintf(what, sizeof what, "%u erased case%s not gone everywhere yet", k.waiting,
		         k.waiting == 1 ? " is" : "s are");
		status_line(l, false, what, "`amparo erase` says who has not synced since");
	}
	return PERR_OK;
}
