/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "covault.h"

#include <stdlib.h>
#include <string.h>

#include "cache.h"
#include "desk.h"
#include "record.h"
#include "roster.h"

#define RETENTION_DEFAULT 60

/* ---- what each said ------------------------------------------------------------------ */

struct hear {
	struct covaults *v;
};

/* a copy of the body: the statement is borrowed */
static enum perr keep(struct covault *co, const struct custody *k)
{
	size_t len = k->ranges.len + k->erased.len, at = 0;

	for (uint32_t i = 0; i < k->n_lists; i++)
		len += k->lists[i].elements.len;
	co->bytes = malloc(len + 1);
	if (co->bytes == NULL)
		return PERR_NOMEM;
	co->said = *k;
#define MOVE(b) do { \
		if ((b).len > 0) \
			memcpy(co->bytes + at, (b).p, (b).len); \
		(b).p = co->bytes + at; \
		at += (b).len; \
	} while (0)
	MOVE(co->said.ranges);
	MOVE(co->said.erased);
	for (uint32_t i = 0; i < k->n_lists; i++)
		MOVE(co->said.lists[i].elements);
#undef MOVE
	return PERR_OK;
}

static enum perr hear_one(void *arg, const struct statement *st, uint32_t number)
{
	struct covaults *v = ((struct hear *)arg)->v;

	if (memcmp(st->to, v->own->desk, 32) != 0)
		return PERR_OK;
	for (uint32_t i = 0; i < v->n; i++) {
		struct covault *co = &v->at[i];

		if (memcmp(co->key, st->author, 32) != 0)
			continue;
		co->has_said = true;
		co->number = number;
		co->day = st->day;
		return keep(co, &st->body.custody);
	}
	return PERR_OK;                  /* a holder of before */
}

enum perr covaults_load(struct client *c, const uint8_t desk_id[32], struct covaults **out)
{
	struct covaults *v = calloc(1, sizeof *v);
	struct hear h = { .v = v };
	const struct desk *desk;
	enum perr err = v == NULL ? PERR_NOMEM : cache_desk(c, desk_id, &desk);

	*out = NULL;
	if (err == PERR_OK && !desk_had_holder(desk, c->me->sign_pk))
		err = PERR_STATE;
	if (err != PERR_OK)
		goto out;
	for (uint32_t i = 0; i < desk->now.n; i++)
		if (memcmp(desk->now.holders[i], c->me->sign_pk, 32) != 0 &&
		    !charter_is_paper(&desk->now, desk->now.holders[i]))
			memcpy(v->at[v->n++].key, desk->now.holders[i], 32);
	v->is_alone = v->n == 0;
	v->today = client_day(c);
	v->retention = c->field->limits.retention_days;
	if (v->retention == 0)
		v->retention = RETENTION_DEFAULT;
	err = holding_load(c, desk_id, &v->own);
	if (err == PERR_OK)
		err = record_custody(c, hear_one, &h);
	for (uint32_t i = 0; err == PERR_OK && i < v->n; i++) {
		v->at[i].words = calloc(v->own->n + 1, sizeof *v->at[i].words);
		err = v->at[i].words == NULL ? PERR_NOMEM : covault_compare(&v->at[i], v->own);
	}
	if (err == PERR_OK) {
		*out = v;
		v = NULL;
	}
out:
	covaults_free(v);
	return err;
}

void covaults_free(struct covaults *v)
{
	if (v == NULL)
		return;
	for (uint32_t i = 0; i < v->n; i++) {
		free(v->at[i].bytes);
		free(v->at[i].words);
		free(v->at[i].dirty);
	}
	holding_free(v->own);
	free(v);
}

/* ---- comparing ------------------------------------------------------------------------ */

static int by_bytes(const void *a, const void *b)
{
	return memcmp(a, b, CUSTODY_ELEMENT);
}

/* is her digest over these days the one that is computed here? */
static enum perr is_same(const struct covault *co, const struct holding *h,
                         const struct custody_range *r, size_t from, size_t to, bool *same)
{
	uint8_t (*elements)[CUSTODY_ELEMENT] = malloc((to - from + 1) * CUSTODY_ELEMENT);
	uint8_t digest[CUSTODY_DIGEST];
	size_t n = 0;

	if (elements == NULL)
		return PERR_NOMEM;
	for (size_t i = from; i < to; i++)
		if (co->words[i].says != COVAULT_ERASED)
			custody_element(elements[n++], h->at[i].hash, h->at[i].missing);
	qsort(elements, n, CUSTODY_ELEMENT, by_bytes);
	custody_digest(digest, (const uint8_t (*)[CUSTODY_ELEMENT])elements, n);
	*same = n == r->count && memcmp(digest, r->digest, sizeof digest) == 0;
	free(elements);
	return PERR_OK;
}

static void word_from_lists(struct covault *co, const struct holding *h, size_t i)
{
	struct covault_word *w = &co->words[i];

	switch (custody_listed(&co->said, h->at[i].day, h->at[i].hash, &w->missing)) {
	case CUSTODY_NOT_LISTED:
		w->says = COVAULT_UNKNOWN;
		break;
	case CUSTODY_LISTED:
		w->says = COVAULT_HOLDS;
		break;
	case CUSTODY_LACKED:
		w->says = COVAULT_LACKS;
		break;
	}
}

static enum perr compare_range(struct covault *co, const struct holding *h,
                               const struct custody_range *r)
{
	size_t from = holding_from(h, r->first);
	size_t to = r->last == UINT32_MAX ? h->n : holding_from(h, r->last + 1);
	bool same, any_erased = false;
	enum perr err = is_same(co, h, r, from, to, &same);

	if (err != PERR_OK)
		return err;
	for (size_t i = from; i < to; i++) {
		if (co->words[i].says == COVAULT_ERASED) {
			any_erased = true;
		} else if (same) {
			co->words[i].says = COVAULT_HOLDS;
			co->words[i].missing = h->at[i].missing;
		} else {
			word_from_lists(co, h, i);
		}
	}
	/* of what was erased there she sees a difference, and needs the list to tell the rest */
	if (!same || any_erased)
		co->dirty[co->n_dirty++] = (struct covault_days){ r->first, r->last };
	co->differs |= !same || any_erased;
	return PERR_OK;
}

enum perr covault_compare(struct covault *co, const struct holding *h)
{
	size_t n = co->has_said ? custody_n_ranges(&co->said) : 0;
	enum perr err = PERR_OK;

	if (!co->has_said)
		return PERR_OK;
	co->dirty = calloc(n + 1, sizeof *co->dirty);
	if (co->dirty == NULL)
		return PERR_NOMEM;
	for (size_t i = 0; i < h->n; i++)
		co->words[i].says = custody_says_erased(&co->said, h->at[i].record)
		    ? COVAULT_ERASED : COVAULT_LACKS;
	for (size_t i = 0; i < n && err == PERR_OK; i++) {
		struct custody_range r = custody_range(&co->said, i);

		err = compare_range(co, h, &r);
	}
	for (size_t i = 0; i < h->n; i++)
		co->differs |= co->words[i].says == COVAULT_LACKS;
	return err;
}

bool covault_needs(const struct covault *co, const struct holding *h, size_t i)
{
	const struct covault_word *w = &co->words[i];

	return co->has_said && (w->says == COVAULT_LACKS ||
	                        (w->says == COVAULT_HOLDS && (w->missing & ~h->at[i].missing) != 0));
}

/* ---- what follows from it --------------------------------------------------------------- */

bool covault_is_fresh(const struct covaults *v, const struct covault *co)
{
	return co->has_said && (uint64_t)co->day + v->retention / 2 >= v->today;
}

/* no server can have a cell of it any more */
static bool is_past(const struct covaults *v, const struct holding_item *it)
{
	return (uint64_t)it->received + v->retention + COVAULT_EXPIRY_SLACK < v->today;
}

bool covaults_in_two(const struct covaults *v, size_t i, bool fresh)
{
	const struct holding_item *it = &v->own->at[i];

	for (uint32_t k = 0; k < v->n; k++) {
		const struct covault *co = &v->at[k];

		if (!co->has_said || co->words[i].says != COVAULT_HOLDS ||
		    (fresh && !covault_is_fresh(v, co)))
			continue;
		if ((co->words[i].missing | it->missing) == 0 ||
		    (is_past(v, it) && co->words[i].missing == it->missing))
			return true;
	}
	return false;
}

uint32_t covaults_through(const struct covaults *v, uint32_t scanned_through)
{
	uint32_t wait = v->retention + COVAULT_EXPIRY_SLACK, through = UINT32_MAX;

	if (v->is_alone)
		return scanned_through > wait ? scanned_through - wait : 0;
	for (size_t i = 0; i < v->own->n; i++) {
		const struct holding_item *it = &v->own->at[i];
		uint32_t day = it->day < it->received ? it->day : it->received;

		if (day <= through && !covaults_in_two(v, i, true))
			through = day == 0 ? 0 : day - 1;
	}
	return through;
}

struct seen_record {
	uint8_t record[CUSTODY_RECORD];
	uint8_t one, old;
};

static int by_record(const void *a, const void *b)
{
	return memcmp(a, b, CUSTODY_RECORD);
}

enum perr covaults_sum(const struct covaults *v, struct covaults_sum *sum)
{
	size_t n = v->own->n;
	struct seen_record *r = calloc(n + 1, sizeof *r);

	memset(sum, 0, sizeof *sum);
	if (r == NULL)
		return PERR_NOMEM;
	for (size_t i = 0; i < n; i++) {
		const struct holding_item *it = &v->own->at[i];

		memcpy(r[i].record, it->record, CUSTODY_RECORD);
		r[i].one = !covaults_in_two(v, i, false);
		r[i].old = r[i].one && (uint64_t)it->received + v->retention / 2 < v->today;
	}
	qsort(r, n, sizeof *r, by_record);
	for (size_t i = 0, k; i < n; i = k) {
		bool one = false, old = false;

		for (k = i; k < n && memcmp(r[k].record, r[i].record, CUSTODY_RECORD) == 0; k++) {
			one |= r[k].one;
			old |= r[k].old;
		}
		sum->records++;
		sum->in_one += one;
		sum->in_one_old += old;
	}
	free(r);
	return PERR_OK;
}
