/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "assigned.h"

#include <stdlib.h>
#include <string.h>

bool assigned_has_it(enum assigned_state s)
{
	return s == ASSIGNED_OFFERED || s == ASSIGNED_ACCEPTED;
}

bool assigned_is_over(enum assigned_state s)
{
	return s == ASSIGNED_DECLINED || s == ASSIGNED_WITHDRAWN || s == ASSIGNED_RECUSED ||
	       s == ASSIGNED_LATE;
}

enum assigned_state assigned_on(const struct assigned *a, uint32_t today)
{
	bool silent = a->state == ASSIGNED_OFFERED && a->answer_by != 0 && today > a->answer_by;

	return silent ? ASSIGNED_SILENT : a->state;
}

static int by_person(const void *a, const void *b)
{
	return memcmp(((const struct assigned_said *)a)->whom,
	              ((const struct assigned_said *)b)->whom, 32);
}

/* everything said in one turn: a set, so that order and repeats make no difference */
struct turn {
	bool offered, accepted, declined, withdrawn;
	uint32_t offer_day, answer_by, accept_day, decline_day, withdraw_day;
	bool no_end;
	enum statement_role role;
};

static uint32_t first(bool any, uint32_t day, uint32_t other)
{
	return !any || other < day ? other : day;
}

static void add(struct turn *t, const struct assigned_said *s)
{
	switch (s->word) {
	case ASSIGNED_OFFER:
		/* of two holders who offered the same turn the more generous counts */
		if (!t->offered || s->day > t->offer_day)
			t->offer_day = s->day;
		if (s->answer_by > t->answer_by)
			t->answer_by = s->answer_by;
		t->no_end = t->no_end || s->answer_by == 0;
		if (!t->offered || s->role < t->role)
			t->role = s->role;
		t->offered = true;
		break;
	case ASSIGNED_ACCEPT:
		t->accept_day = first(t->accepted, t->accept_day, s->day);
		t->accepted = true;
		break;
	case ASSIGNED_DECLINE:
		t->decline_day = first(t->declined, t->decline_day, s->day);
		t->declined = true;
		break;
	case ASSIGNED_WITHDRAW:
		t->withdraw_day = first(t->withdrawn, t->withdraw_day, s->day);
		t->withdrawn = true;
		break;
	case ASSIGNED_RECUSE:
		break;
	}
}

/*
 * PROTOCOL 4.7: "An acceptance after the last day counts unless a holder had offered the
 * record to another person in the same role after that day and not after the acceptance."
 */
static bool given_meanwhile(const struct assigned_said *said, size_t n, const struct assigned *a,
                            uint32_t accepted)
{
	for (size_t i = 0; i < n; i++)
		if (said[i].word == ASSIGNED_OFFER && said[i].role == a->role &&
		    said[i].day > a->answer_by && said[i].day <= accepted &&
		    memcmp(said[i].whom, a->key, 32) != 0)
			return true;
	return false;
}

static void judge(struct assigned *a, const struct turn *t, const struct assigned_said *all,
                  size_t n_all)
{
	a->role = t->role;
	a->answer_by = t->no_end ? 0 : t->answer_by;
	a->had_accepted = t->accepted;
	a->state = ASSIGNED_OFFERED;
	a->since = t->offer_day;
	if (t->accepted) {
		bool late = a->answer_by != 0 && t->accept_day > a->answer_by;

		a->state = late && given_meanwhile(all, n_all, a, t->accept_day)
		    ? ASSIGNED_LATE : ASSIGNED_ACCEPTED;
		a->since = t->accept_day;
	}
	if (t->declined) {
		a->state = ASSIGNED_DECLINED;
		a->since = t->decline_day;
	}
	if (t->withdrawn) {
		a->state = ASSIGNED_WITHDRAWN;
		a->since = t->withdraw_day;
	}
}

/* what was said of one person: n of all; false: nothing that counts */
static bool one_person(const struct assigned_said *s, size_t n, const struct assigned_said *all,
                       size_t n_all, struct assigned *a)
{
	struct turn t = { .offered = false };
	bool recused = false;
	uint32_t day = 0;

	memset(a, 0, sizeof *a);
	memcpy(a->key, s->whom, 32);
	for (size_t i = 0; i < n; i++) {
		if (s[i].word == ASSIGNED_OFFER && s[i].turn > a->turn)
			a->turn = s[i].turn;
		if (s[i].word == ASSIGNED_RECUSE) {
			day = first(recused, day, s[i].day);
			recused = true;
		}
	}
	for (size_t i = 0; i < n; i++)
		if (a->turn != 0 && s[i].turn == a->turn)
			add(&t, &s[i]);
	if (a->turn != 0)
		judge(a, &t, all, n_all);
	if (recused) {
		a->state = ASSIGNED_RECUSED;
		a->since = day;
	}
	return a->turn != 0 || recused;
}

static int class_of(const struct assigned *a)
{
	return a->state == ASSIGNED_ACCEPTED ? 0 : a->state == ASSIGNED_OFFERED ? 1
	     : a->state == ASSIGNED_RECUSED ? 2 : 3;
}

static int in_order(const void *x, const void *y)
{
	const struct assigned *a = x, *b = y;

	if (class_of(a) != class_of(b))
		return class_of(a) - class_of(b);
	if (a->since != b->since)
		return a->since < b->since ? -1 : 1;
	return memcmp(a->key, b->key, 32);
}

/* into its place; what falls off the end is what would stand last */
static size_t insert(struct assigned *out, size_t n, size_t max, const struct assigned *a)
{
	size_t at = n;

	while (at > 0 && in_order(a, &out[at - 1]) < 0)
		at--;
	if (at >= max)
		return n;
	n = n < max ? n + 1 : max;
	memmove(&out[at + 1], &out[at], (n - at - 1) * sizeof *out);
	out[at] = *a;
	return n;
}

size_t assigned_merge(struct assigned_said *said, size_t n, struct assigned *out, size_t max)
{
	struct assigned a;
	size_t n_out = 0, k;

	if (n > 1)
		qsort(said, n, sizeof *said, by_person);
	for (size_t i = 0; i < n; i += k) {
		for (k = 1; i + k < n && by_person(&said[i], &said[i + k]) == 0; k++)
			;
		if (one_person(&said[i], k, said, n, &a))
			n_out = insert(out, n_out, max, &a);
	}
	return n_out;
}
