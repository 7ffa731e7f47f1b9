/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "spool.h"

#include <stdlib.h>
#include <string.h>

#include "tagmap.h"

#define DAYS_MAX   512
#define HEADS_ONCE 1024

struct spool {
	struct spool_store *store;
	struct tagmap by_tag;            /* T -> day << 32 | place in the day's file */
	uint64_t bound;                  /* bytes; 0: none */
};

static void index_one(struct spool *s, uint32_t day, uint32_t at, const uint8_t *head)
{
	tagmap_add(&s->by_tag, head + CELL_TAG_AT, (uint64_t)day << 32 | at);
}

static enum perr index_day(struct spool *s, uint32_t day)
{
	uint32_t n, at, i;
	uint8_t *heads = malloc(HEADS_ONCE * CELL_HEAD_SIZE);
	enum perr err;

	if (heads == NULL)
		return PERR_NOMEM;
	err = s->store->count(s->store, day, &n);
	if (err == PERR_OK)
		err = tagmap_reserve(&s->by_tag, n);
	for (at = 0; err == PERR_OK && at < n; at += HEADS_ONCE) {
		uint32_t some = n - at < HEADS_ONCE ? n - at : HEADS_ONCE;

		err = s->store->heads(s->store, day, at, some, heads);
		for (i = 0; err == PERR_OK && i < some; i++)
			index_one(s, day, at + i, heads + (size_t)i * CELL_HEAD_SIZE);
	}
	free(heads);
	return err;
}

enum perr spool_open(struct spool **out, struct spool_store *store)
{
	uint32_t days[DAYS_MAX];
	size_t n = 0, i;
	enum perr err = PERR_NOMEM;
	struct spool *s = calloc(1, sizeof *s);

	*out = NULL;
	if (s == NULL) {
		store->free(store);
		return err;
	}
	s->store = store;
	err = tagmap_init(&s->by_tag);
	if (err == PERR_OK)
		err = store->days(store, days, DAYS_MAX, &n);
	for (i = 0; err == PERR_OK && i < n; i++)
		err = index_day(s, days[i]);
	if (err == PERR_OK) {
		*out = s;
		s = NULL;
	}
	spool_free(s);
	return err;
}

void spool_free(struct spool *s)
{
	if (s == NULL)
		return;
	s->store->free(s->store);
	tagmap_free(&s->by_tag);
	free(s);
}

bool spool_has(const struct spool *s, const uint8_t tag[CELL_TAG_SIZE])
{
	return tagmap_has(&s->by_tag, tag);
}

enum perr spool_find(struct spool *s, const uint8_t tag[CELL_TAG_SIZE], unsigned nth,
                     uint8_t cell[CELL_SIZE])
{
	uint32_t i;

	for (i = tagmap_first(&s->by_tag, tag); i != TAGMAP_NONE; i = tagmap_next(&s->by_tag, i)) {
		uint64_t at = tagmap_value(&s->by_tag, i);
		enum perr err;

		if (nth-- > 0)
			continue;
		err = s->store->read(s->store, (uint32_t)(at >> 32), (uint32_t)at, cell);
		/* the file is not trusted: what does not fit is passed over */
		if (err != PERR_OK || memcmp(cell + CELL_TAG_AT, tag, CELL_TAG_SIZE) == 0)
			return err;
		nth = 0;
	}
	return PERR_NOTFOUND;
}

uint64_t spool_cells(const struct spool *s)
{
	return s->by_tag.n;
}

static bool not_of_day(void *arg, uint64_t value)
{
	return (uint32_t)(value >> 32) != *(uint32_t *)arg;
}

static enum perr drop_day(struct spool *s, uint32_t day)
{
	enum perr err = s->store->drop(s->store, day);

	if (err == PERR_OK)
		tagmap_filter(&s->by_tag, not_of_day, &day);
	return err;
}

void spool_bound(struct spool *s, uint64_t bytes)
{
	s->bound = bytes;
}

/* room for n more cells; a single batch may be larger than the bound */
static enum perr make_room(struct spool *s, size_t n)
{
	enum perr err = PERR_OK;

	while (err == PERR_OK && s->bound != 0 && s->by_tag.n > 0 &&
	       ((uint64_t)s->by_tag.n + n) * CELL_SIZE > s->bound) {
		uint32_t days[DAYS_MAX], oldest;
		size_t n_days, i;

		err = s->store->days(s->store, days, DAYS_MAX, &n_days);
		if (err != PERR_OK || n_days == 0)
			break;
		for (oldest = days[0], i = 1; i < n_days; i++)
			oldest = days[i] < oldest ? days[i] : oldest;
		err = drop_day(s, oldest);
	}
	return err;
}

enum perr spool_add(struct spool *s, uint32_t day, const uint8_t *cells, size_t n)
{
	uint32_t at;
	size_t i;
	enum perr err = make_room(s, n);

	if (err == PERR_OK)
		err = s->store->count(s->store, day, &at);
	if (err == PERR_OK)
		err = tagmap_reserve(&s->by_tag, n);
	if (err == PERR_OK)
		err = s->store->append(s->store, day, cells, n);
	for (i = 0; err == PERR_OK && i < n; i++)
		index_one(s, day, at + (uint32_t)i, cells + i * CELL_SIZE);
	return err;
}

static int by_day(const void *a, const void *b)
{
	uint32_t x, y;

	memcpy(&x, a, sizeof x);
	memcpy(&y, b, sizeof y);
	return x < y ? -1 : x > y;
}

enum perr spool_tidy(struct spool *s, uint32_t today, bool is_wanted)
{
	uint32_t days[DAYS_MAX];
	uint64_t left = (uint64_t)s->by_tag.n * CELL_SIZE;
	size_t n, i;
	enum perr err = s->store->days(s->store, days, DAYS_MAX, &n);

	if (err != PERR_OK)
		return err;
	qsort(days, n, sizeof days[0], by_day);
	for (i = 0; err == PERR_OK && i < n; i++) {
		uint32_t count, age = today > days[i] ? today - days[i] : 0;

		err = s->store->count(s->store, days[i], &count);
		if (err != PERR_OK)
			return err;
		if (age > (is_wanted ? SPOOL_DAYS_MAX : SPOOL_DAYS) || left > SPOOL_BYTES_MAX) {
			err = drop_day(s, days[i]);
			left -= (uint64_t)count * CELL_SIZE;
		}
	}
	return err;
}

enum perr spool_clear(struct spool *s)
{
	uint32_t days[DAYS_MAX];
	size_t n, i;
	enum perr err = s->store->days(s->store, days, DAYS_MAX, &n);

	for (i = 0; err == PERR_OK && i < n; i++)
		err = drop_day(s, days[i]);
	return err;
}

/* ---- in memory ------------------------------------------------------------------------------ */

struct mem_day {
	uint32_t day, n, cap;
	uint8_t *cells;
};
struct mem {
	struct spool_store ops;
	struct mem_day *d;
	size_t n;
};

static struct mem *mem_of(struct spool_store *s)
{
	return (struct mem *)(void *)s;
}

static struct mem_day *mem_find(struct mem *m, uint32_t day)
{
	size_t i;

	for (i = 0; i < m->n; i++)
		if (m->d[i].day == day)
			return &m->d[i];
	return NULL;
}

static enum perr mem_days(struct spool_store *s, uint32_t *days, size_t max, size_t *n)
{
	struct mem *m = mem_of(s);
	size_t i;

	for (i = 0; i < m->n && i < max; i++)
		days[i] = m->d[i].day;
	*n = i;
	return PERR_OK;
}

static enum perr mem_count(struct spool_store *s, uint32_t day, uint32_t *n)
{
	struct mem_day *d = mem_find(mem_of(s), day);

	*n = d == NULL ? 0 : d->n;
	return PERR_OK;
}

static enum perr mem_append(struct spool_store *s, uint32_t day, const uint8_t *cells, size_t n)
{
	struct mem *m = mem_of(s);
	struct mem_day *d = mem_find(m, day);

	if (d == NULL) {
		d = realloc(m->d, (m->n + 1) * sizeof *d);
		if (d == NULL)
			return PERR_NOMEM;
		m->d = d;
		d = &m->d[m->n++];
		memset(d, 0, sizeof *d);
		d->day = day;
	}
	if (d->cap - d->n < n) {
		uint32_t cap = d->n + (uint32_t)n + d->cap / 2;
		uint8_t *cells_new = realloc(d->cells, (size_t)cap * CELL_SIZE);

		if (cells_new == NULL)
			return PERR_NOMEM;
		d->cells = cells_new;
		d->cap = cap;
	}
	memcpy(d->cells + (size_t)d->n * CELL_SIZE, cells, n * CELL_SIZE);
	d->n += (uint32_t)n;
	return PERR_OK;
}

static enum perr mem_heads(struct spool_store *s, uint32_t day, uint32_t from, uint32_t n,
                           uint8_t *heads)
{
	struct mem_day *d = mem_find(mem_of(s), day);
	uint32_t i;

	if (d == NULL || from > d->n || n > d->n - from)
		return PERR_RANGE;
	for (i = 0; i < n; i++)
		memcpy(heads + (size_t)i * CELL_HEAD_SIZE, d->cells + (size_t)(from + i) * CELL_SIZE,
		       CELL_HEAD_SIZE);
	return PERR_OK;
}

static enum perr mem_read(struct spool_store *s, uint32_t day, uint32_t at,
                          uint8_t cell[CELL_SIZE])
{
	struct mem_day *d = mem_find(mem_of(s), day);

	if (d == NULL || at >= d->n)
		return PERR_RANGE;
	memcpy(cell, d->cells + (size_t)at * CELL_SIZE, CELL_SIZE);
	return PERR_OK;
}

static enum perr mem_drop(struct spool_store *s, uint32_t day)
{
	struct mem *m = mem_of(s);
	struct mem_day *d = mem_find(m, day);

	if (d != NULL) {
		free(d->cells);
		*d = m->d[--m->n];
	}
	return PERR_OK;
}

static void mem_free(struct spool_store *s)
{
	struct mem *m = mem_of(s);
	size_t i;

	for (i = 0; i < m->n; i++)
		free(m->d[i].cells);
	free(m->d);
	free(m);
}

struct spool_store *spool_mem_new(void)
{
	struct mem *m = calloc(1, sizeof *m);

	if (m == NULL)
		return NULL;
	m->ops = (struct spool_store){ mem_days, mem_count, mem_append, mem_heads, mem_read,
	                               mem_drop, mem_free };
	return &m->ops;
}
