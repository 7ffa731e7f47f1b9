/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "custody_say.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

/* ---- ranges ----------------------------------------------------------------------------- */

/*
 * Days back from which blocks are so long: what is young changes daily, what is old hardly
 * ever.  Blocks begin at multiples of their length, so that they stay the same for long.
 */
static const struct { uint32_t back, days; } steps[] = {
	{ 16, 1 }, { 128, 8 }, { 1024, 64 }, { 4096, 512 }
};
#define N_STEPS (sizeof steps / sizeof steps[0])

/* the last day of the block that this day is in */
static uint32_t block_end(uint32_t day, uint32_t today)
{
	uint64_t oldest = 0;

	if (day > today)
		return day == today + 1 ? day : UINT32_MAX;      /* a clock that is ahead */
	for (size_t i = 0; i < N_STEPS; i++) {
		/* where the next, longer blocks begin: at one of their boundaries */
		uint32_t longer = i + 1 < N_STEPS ? steps[i + 1].days : 1;
		uint32_t from = today > steps[i].back ? (today - steps[i].back) / longer * longer : 0;

		if (day >= from) {
			uint32_t end = day / steps[i].days * steps[i].days + steps[i].days - 1;

			return end < today ? end : today;
		}
		oldest = from;
	}
	return (uint32_t)(oldest - 1);   /* all that is older */
}

static int by_bytes(const void *a, const void *b)
{
	return memcmp(a, b, CUSTODY_ELEMENT);
}

/* the elements of items from..to in rising order */
static void collect(uint8_t (*out)[CUSTODY_ELEMENT], const struct holding *h, size_t from,
                    size_t to)
{
	for (size_t i = from; i < to; i++)
		custody_element(out[i - from], h->at[i].hash, h->at[i].missing);
	qsort(out, to - from, CUSTODY_ELEMENT, by_bytes);
}

static enum perr make_ranges(struct custody_body *b, const struct covaults *v)
{
	const struct holding *h = v->own;
	uint8_t (*elements)[CUSTODY_ELEMENT] = malloc((h->n + 1) * CUSTODY_ELEMENT);
	size_t n = 0;

	b->ranges = malloc(CUSTODY_RANGES * CUSTODY_RANGE);
	if (elements == NULL || b->ranges == NULL) {
		free(elements);
		return PERR_NOMEM;
	}
	for (size_t from = 0, to; from < h->n; from = to) {
		struct custody_range r = { .first = h->at[from].day };

		r.last = block_end(r.first, v->today);
		to = r.last == UINT32_MAX ? h->n : holding_from(h, r.last + 1);
		r.count = (uint32_t)(to - from);
		collect(elements, h, from, to);
		custody_digest(r.digest, (const uint8_t (*)[CUSTODY_ELEMENT])elements, to - from);
		custody_put_range(b->ranges + n++ * CUSTODY_RANGE, &r);
	}
	b->k.n_held = (uint32_t)h->n;
	b->k.ranges = doc_bytes_of(b->ranges, n * CUSTODY_RANGE);
	collect(elements, h, 0, h->n);
	crypto_generichash(b->state, sizeof b->state, elements[0], h->n * CUSTODY_ELEMENT,
	                   (const uint8_t *)"amparo custody state", 20);
	free(elements);
	return PERR_OK;
}

/* ---- lists -------------------------------------------------------------------------------- */

static int by_first(const void *a, const void *b)
{
	const struct covault_days *x = a, *y = b;

	return x->first < y->first ? -1 : x->first > y->first;
}

/*
 * Has she some of the days of an own range, and of others nothing?  Over hers both agree then;
 * over this one she will compute another digest, and needs the list to be sure of what she has.
 * (Of an empty vault every day is lacked, and no list helps.)
 */
static bool is_mixed(const struct covault *co, const struct holding *h,
                     const struct custody_range *r)
{
	bool lacks = false, other = false;

	for (size_t i = holding_from(h, r->first); i < h->n && h->at[i].day <= r->last; i++) {
		lacks |= co->words[i].says == COVAULT_LACKS;
		other |= co->words[i].says != COVAULT_LACKS;
	}
	return lacks && other;
}

/*
 * The days over which somebody's digest is another one, joined where they meet.  Not those
 * that she or this vault has not scanned yet: what differs there may be on its way.  Days that
 * have not come are of clocks that are ahead, and no reason to wait.
 */
static enum perr differing(const struct covaults *v, const struct custody *own,
                           struct covault_days **out, size_t *n_out)
{
	uint32_t scanned = own->through_day;
	struct covault_days *d;
	size_t n = 0, k = 0;

	*out = NULL;
	*n_out = 0;
	for (uint32_t i = 0; i < v->n; i++)
		n += v->at[i].n_dirty + custody_n_ranges(own);
	d = calloc(n + 1, sizeof *d);
	if (d == NULL)
		return PERR_NOMEM;
	n = 0;
	for (uint32_t i = 0; i < v->n; i++) {
		const struct covault *co = &v->at[i];
		uint32_t both = co->said.through_day < scanned ? co->said.through_day : scanned;

		for (size_t j = 0; j < co->n_dirty; j++)
			if (co->dirty[j].first <= both || co->dirty[j].first > v->today + 1)
				d[n++] = co->dirty[j];
		for (size_t j = 0; co->has_said && j < custody_n_ranges(own); j++) {
			struct custody_range r = custody_range(own, j);

			if (is_mixed(co, v->own, &r) && (r.first <= both || r.first > v->today + 1))
				d[n++] = (struct covault_days){ r.first, r.last };
		}
	}
	if (n > 0)
		qsort(d, n, sizeof *d, by_first);
	for (size_t i = 0; i < n; i++) {
		if (k > 0 && d[i].first <= d[k - 1].last) {
			if (d[i].last > d[k - 1].last)
				d[k - 1].last = d[i].last;
		} else {
			d[k++] = d[i];
		}
	}
	*out = d;
	*n_out = k;
	return PERR_OK;
}

struct lists {
	struct custody_body *b;
	const struct holding *h;
	uint32_t today;
	size_t n;                        /* elements so far */
};

static void put_list(struct lists *l, uint32_t first, uint32_t last, size_t from, size_t to,
                     uint8_t low, uint8_t high)
{
	uint8_t (*at)[CUSTODY_ELEMENT] = (uint8_t (*)[CUSTODY_ELEMENT])l->b->elements + l->n;
	struct custody_list *list = &l->b->k.lists[l->b->k.n_lists++];
	size_t n = 0;

	for (size_t i = from; i < to; i++)
		if (l->h->at[i].hash[0] >= low && l->h->at[i].hash[0] <= high)
			custody_element(at[n++], l->h->at[i].hash, l->h->at[i].missing);
	qsort(at, n, CUSTODY_ELEMENT, by_bytes);
	*list = (struct custody_list){ .first = first, .last = last, .low = low, .high = high,
	                               .elements = doc_bytes_of(at, n * CUSTODY_ELEMENT) };
	l->n += n;
}

/* a day with more than fits: some of its first bytes, others tomorrow */
static void put_part(struct lists *l, uint32_t day, size_t from, size_t to)
{
	size_t count[256] = { 0 }, n;
	unsigned low = l->today * 61 % 256, high;

	for (size_t i = from; i < to; i++)
		count[l->h->at[i].hash[0]]++;
	n = l->n + count[low];
	if (n > CUSTODY_ELEMENTS)
		return;
	for (high = low; high < 255 && n + count[high + 1] <= CUSTODY_ELEMENTS; high++)
		n += count[high + 1];
	put_list(l, day, day, from, to, (uint8_t)low, (uint8_t)high);
}

/* as much of these days as fits, newest first; false: nothing more fits */
static bool put_days(struct lists *l, const struct covault_days *d)
{
	size_t from = holding_from(l->h, d->first), first_of_day;
	size_t to = d->last == UINT32_MAX ? l->h->n : holding_from(l->h, d->last + 1), at = to;
	uint32_t first = d->last;

	if (l->b->k.n_lists == CUSTODY_LISTS)
		return false;
	/* whole days from the newest back */
	while (at > from) {
		first_of_day = holding_from(l->h, l->h->at[at - 1].day);
		if (l->n + (to - first_of_day) > CUSTODY_ELEMENTS)
			break;
		at = first_of_day;
		first = l->h->at[at].day;
	}
	if (at == from) {
		put_list(l, d->first, d->last, from, to, 0, 255);
		return true;
	}
	if (at < to)
		put_list(l, first, d->last, at, to, 0, 255);
	else
		put_part(l, l->h->at[at - 1].day, holding_from(l->h, l->h->at[at - 1].day), to);
	return false;
}

static enum perr make_lists(struct custody_body *b, const struct covaults *v)
{
	struct lists l = { .b = b, .h = v->own, .today = v->today };
	size_t most = v->own->n < CUSTODY_ELEMENTS ? v->own->n : CUSTODY_ELEMENTS, n;
	struct covault_days *d;
	enum perr err = differing(v, &b->k, &d, &n);

	b->elements = err == PERR_OK ? malloc((most + 1) * CUSTODY_ELEMENT) : NULL;
	if (err == PERR_OK && b->elements == NULL)
		err = PERR_NOMEM;
	while (err == PERR_OK && n > 0 && put_days(&l, &d[n - 1]))
		n--;
	free(d);
	return err;
}

/* ---- erased ---------------------------------------------------------------------------------- */

static int newest_first(const void *a, const void *b)
{
	const struct holding_gone *x = a, *y = b;

	return x->day > y->day ? -1 : x->day < y->day;
}

static int by_record(const void *a, const void *b)
{
	return memcmp(a, b, CUSTODY_RECORD);
}

static enum perr make_erased(struct custody_body *b, const struct holding *h)
{
	size_t n = h->n_gone < CUSTODY_ERASED ? h->n_gone : CUSTODY_ERASED;
	struct holding_gone *g = calloc(h->n_gone + 1, sizeof *g);

	b->erased = malloc((n + 1) * CUSTODY_RECORD);
	if (g == NULL || b->erased == NULL) {
		free(g);
		return PERR_NOMEM;
	}
	if (h->n_gone > 0) {
		memcpy(g, h->gone, h->n_gone * sizeof *g);
		qsort(g, h->n_gone, sizeof *g, newest_first);
	}
	for (size_t i = 0; i < n; i++)
		memcpy(b->erased + i * CUSTODY_RECORD, g[i].record, CUSTODY_RECORD);
	qsort(b->erased, n, CUSTODY_RECORD, by_record);
	b->k.erased = doc_bytes_of(b->erased, n * CUSTODY_RECORD);
	free(g);
	return PERR_OK;
}

enum perr custody_body_make(struct custody_body *b, const struct covaults *v,
                            uint32_t scanned_through)
{
	enum perr err;

	memset(b, 0, sizeof *b);
	b->k.through_day = scanned_through;
	err = make_ranges(b, v);
	if (err == PERR_OK)
		err = make_lists(b, v);
	if (err == PERR_OK)
		err = make_erased(b, v->own);
	/* an erasure changes what is said even where nothing of it was held */
	for (size_t i = 0; err == PERR_OK && i < b->k.erased.len; i++)
		b->state[i % sizeof b->state] ^= b->erased[i];
	return err;
}

void custody_body_free(struct custody_body *b)
{
	free(b->ranges);
	free(b->elements);
	free(b->erased);
	memset(b, 0, sizeof *b);
}
