/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "store_plan.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "day.h"
#include "store_file.h"

struct source {
	struct store_lease lease;
	bool is_leased;
	uint32_t from, n;               /* positions in the buffer */
	uint8_t *cells;
};

/* ---- collecting ---- */

bool store_plan_expires(const struct store_plan *p, uint32_t day)
{
	const struct store_release *rel = p->rel;

	return !rel->frozen && rel->retention_days != 0 &&
	       day_expiry(day, rel->retention_days, rel->seed) <= rel->day;
}

static int by_bytes(const void *a, const void *b)
{
	return memcmp(a, b, STORE_ID);
}

static int by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static enum perr note_due(void *arg, const uint8_t *key, size_t key_len, const uint8_t *val,
                          size_t len)
{
	struct store_plan *p = arg;

	if (val == NULL || key_len != 1 + STORE_ID || len != 4)
		return PERR_CORRUPT;
	if (store_get32(val) > p->rel->day)
		return PERR_OK;
	if (p->n_due == p->max_due) {
		size_t max = p->max_due == 0 ? 64 : 2 * p->max_due;
		uint8_t (*due)[STORE_ID] = realloc(p->due, max * STORE_ID);

		if (due == NULL)
			return PERR_NOMEM;
		p->due = due;
		p->max_due = max;
	}
	memcpy(p->due[p->n_due++], key + 1, STORE_ID);
	return PERR_OK;
}

static bool is_due(const struct store_plan *p, const uint8_t id[STORE_ID])
{
	return p->n_due > 0 && bsearch(id, p->due, p->n_due, STORE_ID, by_bytes) != NULL;
}

/* True if some due erasure lies in this segment. */
static bool has_due(const struct store_plan *p, const struct store_segment *s)
{
	uint32_t where = STORE_WHERE(s->day, s->release);

	return p->n_due > 0 &&
	       bsearch(&where, p->due_where, p->n_due, sizeof where, by_number) != NULL;
}

struct adding {
	struct store_build *b;
	size_t source, max;
};

static enum perr add_item(void *arg, uint32_t pos, const uint8_t *id)
{
	struct adding *a = arg;

	if (a->b->n_items == a->max)
		return PERR_CORRUPT;
	memcpy(a->b->items[a->b->n_items].id, id, STORE_ID);
	a->b->items[a->b->n_items++].where = (uint64_t)a->source << 32 | pos;
	return PERR_OK;
}

/* All items of a build, in id order, those due for erasure left out. */
static enum perr gather(struct store_plan *p, struct store_build *b)
{
	struct store *st = p->st;
	struct adding add = { .b = b };
	uint8_t last[STORE_ID];
	size_t i, kept = 0, before;
	enum perr err = PERR_OK;

	if (b->n_sources == 0) {
		err = store_pool_items(&st->old_pool, &b->items, &b->n_items);
		if (err != PERR_OK)
			return err;
	} else {
		for (i = 0; i < b->n_sources; i++)
			add.max += st->list.v[b->first + i].count;
		b->items = malloc((add.max + 1) * sizeof *b->items);
		if (b->items == NULL)
			return PERR_NOMEM;
	}
	for (i = 0; err == PERR_OK && i < b->n_sources; i++) {
		const struct store_segment *s = &st->list.v[b->first + i];
		char name[STORE_NAME_MAX];
		struct store_seg *seg;

		add.source = i;
		before = b->n_items;
		store_list_name(name, s, "mdb");
		err = store_seg_open(&seg, st->sfd, name, add_item, &add);
		if (err == PERR_OK && (b->n_items - before != s->count ||
		                       memcmp(store_seg_ids_digest(seg), s->digest,
		                              STORE_ID) != 0))
			err = PERR_CORRUPT;
		store_seg_close(seg);
		if (err == PERR_NOTFOUND)
			err = PERR_CORRUPT;
	}
	if (err != PERR_OK)
		return err;
	store_seg_sort(b->items, b->n_items);
	for (i = 0; i < b->n_items; i++) {
		/* One cell in two files: its first file could not be read when the server
		 * started, so it was taken again, and now it can. */
		if (i > 0 && memcmp(b->items[i].id, last, STORE_ID) == 0)
			continue;
		memcpy(last, b->items[i].id, STORE_ID);
		if (!is_due(p, b->items[i].id)) {
			b->items[kept++] = b->items[i];
			continue;
		}
		if (p->n_erased == p->max_erased) {
			size_t max = 2 * p->max_erased + 1;
			uint8_t (*ids)[STORE_ID] = realloc(p->erased, max * STORE_ID);
			uint32_t *days;

			if (ids == NULL)
				return PERR_NOMEM;
			p->erased = ids;
			days = realloc(p->erased_day, max * sizeof *days);
			if (days == NULL)
				return PERR_NOMEM;
			p->erased_day = days;
			p->max_erased = max;
		}
		memcpy(p->erased[p->n_erased], b->items[i].id, STORE_ID);
		p->erased_day[p->n_erased++] = b->out.day;
	}
	b->n_items = kept;
	return PERR_OK;
}

/* ---- building ---- */

struct fetching {
	struct store_plan *p;
	struct store_build *b;
	struct source *sources;
	const struct store_seg_item *bad;       /* the one that could not be read */
	uint8_t cell[STORE_CELL];
};

static enum perr find_cell(struct fetching *f, const struct store_seg_item *item,
                           const uint8_t **cell)
{
	struct store *st = f->p->st;
	uint32_t pos = (uint32_t)item->where, run[STORE_READ_MAX], i, count;
	struct source *src;
	enum perr err;

	*cell = f->cell;
	if (f->b->n_sources == 0)
		return store_pool_cell(&st->old_pool, item, f->cell);
	src = &f->sources[item->where >> 32];
	if (!src->is_leased) {
		const struct store_segment *s = &st->list.v[f->b->first + (item->where >> 32)];

		err = store_list_lease(&st->list, s->day, s->release, s->digest, &src->lease);
		if (err != PERR_OK)
			return err;
		src->is_leased = true;
		src->cells = malloc(STORE_READ_MAX * STORE_CELL);
		if (src->cells == NULL)
			return PERR_NOMEM;
	}
	if (pos - src->from >= src->n) {
		count = store_seg_count(src->lease.seg);
		src->from = pos;
		src->n = count - pos < STORE_READ_MAX ? count - pos : STORE_READ_MAX;
		for (i = 0; i < src->n; i++)
			run[i] = pos + i;
		err = store_seg_read(src->lease.seg, run, src->n, src->cells);
		if (err != PERR_OK && err != PERR_CORRUPT)
			return err;
	}
	*cell = src->cells + (size_t)(pos - src->from) * STORE_CELL;
	/* A damaged cell comes back as zeros, and no sealed cell begins with 64 of them. */
	return sodium_is_zero(*cell, STORE_PEEK) ? PERR_CORRUPT : PERR_OK;
}

static enum perr fetch_cell(void *arg, const struct store_seg_item *item, const uint8_t **cell)
{
	struct fetching *f = arg;
	enum perr err = find_cell(f, item, cell);

	f->bad = err == PERR_CORRUPT ? item : NULL;
	return err;
}

static void leave_out(struct store_plan *p, struct store_build *b, const struct store_seg_item *bad)
{
	size_t i = (size_t)(bad - b->items);
	uint8_t (*dropped)[STORE_ID] = realloc(p->dropped, (p->n_dropped + 1) * STORE_ID);

	if (dropped != NULL) {
		p->dropped = dropped;
		memcpy(p->dropped[p->n_dropped++], bad->id, STORE_ID);
	}
	memmove(b->items + i, b->items + i + 1, (b->n_items - i - 1) * sizeof *b->items);
	b->n_items--;
	p->rel->damaged++;
	atomic_fetch_add(&p->st->damaged, 1);
}

struct making {
	struct store_plan *p;
	struct store_build *b;
};

/* Write X.new.  Beside appends: nothing here looks at the pool that is being filled. */
static enum perr make(void *arg)
{
	struct store_plan *p = ((struct making *)arg)->p;
	struct store_build *b = ((struct making *)arg)->b;
	struct store *st = p->st;
	struct fetching f = { .p = p, .b = b };
	char name[STORE_NAME_MAX], rel_path[STORE_NAME_MAX + 16];
	char *path = NULL;
	enum perr err;
	size_t i;

	store_list_name(name, &b->out, "new");
	memcpy(rel_path, "segments/", 9);
	memcpy(rel_path + 9, name, sizeof name);
	path = store_path(st, rel_path);
	f.sources = calloc(b->n_sources + 1, sizeof *f.sources);
	err = path == NULL || f.sources == NULL ? PERR_NOMEM : store_file_retire(st->sfd, name);
	while (err == PERR_OK && b->n_items > 0) {
		f.bad = NULL;
		err = store_seg_build(path, b->items, b->n_items, fetch_cell, &f);
		if (err != PERR_CORRUPT || f.bad == NULL || !b->may_drop)
			break;
		leave_out(p, b, f.bad);
		err = store_file_retire(st->sfd, name);
	}
	for (i = 0; f.sources != NULL && i < b->n_sources; i++) {
		if (f.sources[i].is_leased)
			store_list_give_back(&st->list, &f.sources[i].lease);
		free(f.sources[i].cells);
	}
	free(f.sources);
	free(path);
	b->out.count = (uint32_t)b->n_items;
	b->is_made = b->n_items > 0;
	store_seg_digest(b->items, b->n_items, b->out.digest);
	return err;
}

/* Put off what this build would have done; its sources stay. */
static enum perr put_off(struct store_plan *p, struct store_build *b, size_t n_erased_before,
                         size_t n_dropped_before)
{
	char name[STORE_NAME_MAX];
	enum perr err;
	size_t i;

	p->n_erased = n_erased_before;
	p->n_dropped = n_dropped_before;
	store_list_name(name, &b->out, "new");
	err = store_file_retire(p->st->sfd, name);
	for (i = 0; i < b->n_sources; i++)
		p->list[p->n_list++] = p->st->list.v[b->first + i];
	free(b->items);
	b->items = NULL;
	b->n_items = 0;
	p->rel->deferred++;
	return err;
}

/* One build: from sources [first, first+n) of the old list, or the pool. */
static enum perr add_build(struct store_plan *p, const struct store_segment *out, size_t first,
                           size_t n, bool is_urgent)
{
	struct store *st = p->st;
	struct store_build *b = &p->builds[p->n_builds];
	size_t n_erased = p->n_erased, n_dropped = p->n_dropped, i;
	uint64_t bytes, need;
	enum perr err;

	memset(b, 0, sizeof *b);
	b->out = *out;
	b->first = first;
	b->n_sources = n;
	b->may_drop = is_urgent;
	err = gather(p, b);
	if (err == PERR_OK)
		err = store_free_bytes(st, &bytes);
	if (err == PERR_OK) {
		/* The reserve is there for releasing and erasing; settling can wait.  And what
		 * is rebuilt must not take the place of what has to be released: a disk full of
		 * erasures would never again release anything. */
		need = store_seg_bytes(b->n_items);
		if (n > 0)
			need += store_release_bytes(st);
		if (!is_urgent)
			need += atomic_load(&st->reserve);
		err = bytes < need ? PERR_FULL :
		      store_beside(st, p->rel, make, &(struct making){ p, b });
	}
	if (atomic_load(&st->dead) != NULL)
		err = PERR_IO;
	if (n > 0 && atomic_load(&st->dead) == NULL &&
	    (err == PERR_FULL || err == PERR_CORRUPT || err == PERR_IO))
		return put_off(p, b, n_erased, n_dropped);
	p->n_builds++;          /* from here the plan frees it */
	if (err != PERR_OK)
		return err;
	for (i = 0; i < n; i++)
		p->is_retired[first + i] = true;
	if (b->n_items > 0)
		p->list[p->n_list++] = b->out;
	return PERR_OK;
}

/* Decide about each day of the old list. */
static enum perr plan_days(struct store_plan *p)
{
	struct store *st = p->st;
	const struct store_segment *v = st->list.v;
	size_t i, j, n = st->list.n;
	enum perr err = PERR_OK;

	for (i = 0; err == PERR_OK && i < n; i = j) {
		uint32_t age = p->rel->settle_days != 0 ? p->rel->settle_days : DAY_SETTLE_AGE;
		bool is_old = (uint64_t)v[i].day + age < p->rel->day && !p->rel->frozen;
		bool is_loose = false, is_touched = false;

		for (j = i; j < n && v[j].day == v[i].day; j++) {
			is_loose |= !v[j].settled;
			is_touched |= has_due(p, &v[j]);
		}
		if (store_plan_expires(p, v[i].day)) {
			p->expired[p->n_expired++] = v[i].day;
			for (; i < j; i++)
				p->is_retired[i] = true;
			continue;
		}
		if (is_old && is_loose) {
			struct store_segment out = v[j - 1];
			uint32_t deferred = p->rel->deferred;
			size_t n_list = p->n_list;

			out.settled = true;
			err = add_build(p, &out, i, j - i, is_touched);
			if (p->rel->deferred == deferred)
				p->rel->settled_days++;
			if (p->rel->deferred == deferred || err != PERR_OK || !is_touched)
				continue;
			/* no room for the whole day: at least what is due leaves its own file */
			p->n_list = n_list;
		}
		for (; err == PERR_OK && i < j; i++) {
			if (has_due(p, &v[i]))
				err = add_build(p, &v[i], i, 1, true);
			else
				p->list[p->n_list++] = v[i];
		}
	}
	return err;
}

void store_plan_free(struct store_plan *p)
{
	size_t i;

	for (i = 0; i < p->n_builds; i++)
		free(p->builds[i].items);
	free(p->builds);
	free(p->list);
	free(p->is_retired);
	free(p->erased);
	free(p->erased_day);
	free(p->dropped);
	free(p->due);
	free(p->due_where);
	free(p->expired);
}

/* Drop the .new files of a plan that came to nothing. */
void store_plan_drop(struct store_plan *p)
{
	char name[STORE_NAME_MAX];
	size_t i;

	for (i = 0; i < p->n_builds; i++) {
		store_list_name(name, &p->builds[i].out, "new");
		if (store_file_retire(p->st->sfd, name) != PERR_OK)
			return;         /* the next open drops them */
	}
}

/* Erased ids with their days, sorted together. */
static enum perr sort_erased(struct store_plan *p)
{
	struct pair { uint8_t id[STORE_ID]; uint32_t day; } *v;
	size_t i;

	v = malloc((p->n_erased + 1) * sizeof *v);
	if (v == NULL)
		return PERR_NOMEM;
	for (i = 0; i < p->n_erased; i++) {
		memcpy(v[i].id, p->erased[i], STORE_ID);
		v[i].day = p->erased_day[i];
	}
	qsort(v, p->n_erased, sizeof *v, by_bytes);
	for (i = 0; i < p->n_erased; i++) {
		memcpy(p->erased[i], v[i].id, STORE_ID);
		p->erased_day[i] = v[i].day;
	}
	free(v);
	if (p->n_dropped > 0)
		qsort(p->dropped, p->n_dropped, STORE_ID, by_bytes);
	return PERR_OK;
}

enum perr store_plan_make(struct store_plan *p, uint32_t number)
{
	struct store *st = p->st;
	struct store_segment out = { .day = p->rel->day, .release = number };
	struct store_view view;
	size_t n = st->list.n + 2, i;
	enum perr err;

	p->list = calloc(n, sizeof *p->list);
	p->builds = calloc(n, sizeof *p->builds);
	p->is_retired = calloc(n, sizeof *p->is_retired);
	p->expired = calloc(n, sizeof *p->expired);
	if (p->list == NULL || p->builds == NULL || p->is_retired == NULL || p->expired == NULL)
		return PERR_NOMEM;
	err = store_view_open(&view, &st->state, 1);
	if (err == PERR_OK && !p->rel->frozen)
		err = store_view_each(&view, 'E', note_due, p);
	store_view_close(&view);
	if (err != PERR_OK)
		return err;
	p->due_where = calloc(p->n_due + 1, sizeof *p->due_where);
	p->max_erased = p->n_due + 1;
	p->erased = malloc(p->max_erased * STORE_ID);
	p->erased_day = malloc(p->max_erased * sizeof *p->erased_day);
	if (p->due_where == NULL || p->erased == NULL || p->erased_day == NULL)
		return PERR_NOMEM;
	for (i = 0; i < p->n_due; i++)
		if (!store_ids_get(st->ids, p->due[i], &p->due_where[i]))
			p->due_where[i] = 0;
	if (p->n_due > 0)       /* qsort wants no NULL */
		qsort(p->due, p->n_due, STORE_ID, by_bytes);
	qsort(p->due_where, p->n_due, sizeof *p->due_where, by_number);
	err = plan_days(p);
	/* Its day is the newest: it goes to the end of the list. */
	if (err == PERR_OK && p->has_pool)
		err = add_build(p, &out, 0, 0, true);
	if (err == PERR_OK)
		err = sort_erased(p);
	if (err == PERR_OK && p->n_builds > 0)
		err = store_file_sync_dir(st->sfd);
	return err;
}
