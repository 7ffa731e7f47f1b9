/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * store_release: the pool becomes a segment, and everything that may only change with it.
 *
 *   1. a fresh pool takes the place of the full one, which is pool.old.mdb from here
 *   2. new files are written as segments/X.new and synced
 *   3. state.new.mdb is written in key order and synced
 *   4. it becomes state.mdb: the commit point
 *   5. each X.new becomes X.mdb; readers see the new list
 *   6. what is retired is overwritten, synced, unlinked: old pool, old state, old segments
 *
 * Killed before 4, everything is as before (the old pool waits, or is put back); killed after
 * it, the next open does 5 and 6.  An error before 4 is no death: the old pool waits.
 */
#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "day.h"
#include "store_file.h"
#include "store_int.h"

/* What becomes of one day's files: at most one file is made of each group of sources. */
struct build {
	struct store_segment out;       /* count 0: nothing is left of it */
	size_t first, n_sources;        /* of the old list; n_sources 0: from the old pool */
	struct store_seg_item *items;
	size_t n_items;
	bool may_drop;                  /* an erasure goes before a damaged neighbour */
	bool is_made;
};

struct source {
	struct store_lease lease;
	bool is_leased;
	uint32_t from, n;               /* positions in the buffer */
	uint8_t *cells;
};

struct plan {
	struct store *st;
	struct store_release *rel;
	struct store_segment *list;     /* new list, malloc'd */
	size_t n_list;
	struct build *builds;
	size_t n_builds;
	bool *is_retired;               /* of the old list */
	uint8_t (*erased)[STORE_ID];    /* due, and taken out by some build */
	uint32_t *erased_day;
	size_t n_erased, max_erased;
	uint8_t (*dropped)[STORE_ID];   /* damaged and not kept */
	size_t n_dropped;
	uint8_t (*due)[STORE_ID];       /* sorted */
	uint32_t *due_where;            /* where they are; sorted by itself */
	size_t n_due, max_due;
	size_t n_expired;
	uint32_t *expired;              /* days */
	bool has_pool;
};

/* ---- collecting ---- */

static bool is_expired(const struct plan *p, uint32_t day)
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
	struct plan *p = arg;

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

static bool is_due(const struct plan *p, const uint8_t id[STORE_ID])
{
	return p->n_due > 0 && bsearch(id, p->due, p->n_due, STORE_ID, by_bytes) != NULL;
}

/* True if some due erasure lies in this segment. */
static bool has_due(const struct plan *p, const struct store_segment *s)
{
	uint32_t where = STORE_WHERE(s->day, s->release);

	return p->n_due > 0 &&
	       bsearch(&where, p->due_where, p->n_due, sizeof where, by_number) != NULL;
}

struct adding {
	struct build *b;
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
static enum perr gather(struct plan *p, struct build *b)
{
	struct store *st = p->st;
	struct adding add = { .b = b };
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
		if (!is_due(p, b->items[i].id)) {
			b->items[kept++] = b->items[i];
			continue;
		}
		memcpy(p->erased[p->n_erased], b->items[i].id, STORE_ID);
		p->erased_day[p->n_erased++] = b->out.day;
	}
	b->n_items = kept;
	return PERR_OK;
}

/* ---- building ---- */

struct fetching {
	struct plan *p;
	struct build *b;
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

static void leave_out(struct plan *p, struct build *b, const struct store_seg_item *bad)
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

/* Write X.new. */
static enum perr make(struct plan *p, struct build *b)
{
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
static enum perr put_off(struct plan *p, struct build *b, size_t n_erased_before,
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
static enum perr add_build(struct plan *p, const struct store_segment *out, size_t first,
                           size_t n, bool is_urgent)
{
	struct store *st = p->st;
	struct build *b = &p->builds[p->n_builds];
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
		/* The reserve is there for releasing and erasing; settling can wait. */
		need = store_seg_bytes(b->n_items) + (is_urgent ? 0 : atomic_load(&st->reserve));
		err = bytes < need ? PERR_FULL : make(p, b);
	}
	if (n > 0 && (err == PERR_FULL || err == PERR_CORRUPT || err == PERR_IO))
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
static enum perr plan_days(struct plan *p)
{
	struct store *st = p->st;
	const struct store_segment *v = st->list.v;
	size_t i, j, n = st->list.n;
	enum perr err = PERR_OK;

	for (i = 0; err == PERR_OK && i < n; i = j) {
		bool is_old = v[i].day + DAY_SETTLE_AGE < p->rel->day && !p->rel->frozen;
		bool is_loose = false, is_touched = false;

		for (j = i; j < n && v[j].day == v[i].day; j++) {
			is_loose |= !v[j].settled;
			is_touched |= has_due(p, &v[j]);
		}
		if (is_expired(p, v[i].day)) {
			p->expired[p->n_expired++] = v[i].day;
			for (; i < j; i++)
				p->is_retired[i] = true;
			continue;
		}
		if (is_old && is_loose) {
			struct store_segment out = v[j - 1];
			uint32_t deferred = p->rel->deferred;

			out.settled = true;
			err = add_build(p, &out, i, j - i, is_touched);
			if (p->rel->deferred == deferred)
				p->rel->settled_days++;
			continue;
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

/* ---- the pool ---- */

/* Step 1.  After an error either nothing has happened, or the store is dead. */
static enum perr swap_pools(struct store *st)
{
	char *fresh = store_path(st, "pool.new.mdb"), *path = store_path(st, "pool.mdb");
	char *old = store_path(st, "pool.old.mdb");
	uint64_t serial = st->pool.serial, bytes = 0, zeros = st->cfg.prewrite_bytes;
	enum perr err = fresh == NULL || path == NULL || old == NULL ? PERR_NOMEM : PERR_OK;

	if (err == PERR_OK)
		err = store_free_bytes(st, &bytes);
	if (err == PERR_OK && bytes < store_release_bytes(st) + zeros + atomic_load(&st->reserve))
		zeros = 0;
	if (err == PERR_OK)
		err = store_file_retire(st->dfd, "pool.new.mdb");
	if (err == PERR_OK)
		err = store_pool_create(fresh, serial + 1, zeros);
	if (err == PERR_OK)
		err = store_file_sync_dir(st->dfd);
	if (err != PERR_OK) {
		if (store_file_retire(st->dfd, "pool.new.mdb") != PERR_OK)
			err = PERR_IO;
		goto out;
	}
	store_pool_close(&st->pool);
	if (store_file_swap(st->dfd, "pool.new.mdb", "pool.mdb", "pool.old.mdb") != PERR_OK) {
		err = store_die(st, "the pools cannot be swapped");
		goto out;
	}
	err = store_pool_open(&st->old_pool, old, st->cfg.pool_max_bytes);
	if (err == PERR_OK)
		err = store_pool_open(&st->pool, path, st->cfg.pool_max_bytes);
	if (err != PERR_OK)
		err = store_die(st, "a pool cannot be opened again");
	else
		st->has_old = true;
out:
	free(fresh);
	free(path);
	free(old);
	return err;
}

/* ---- the state ---- */

struct rewriting {
	struct plan *p;
	struct store_records rs;
	uint8_t (*gone)[STORE_ID];      /* tags of board entries that are replaced */
	size_t n_gone, max_gone;
	struct store_counts counts;
};

static enum perr note_gone(void *arg, const uint8_t *key, size_t key_len, const uint8_t *val,
                           size_t len)
{
	struct rewriting *w = arg;

	if (val == NULL || len != STORE_ID + STORE_CELL)
		return PERR_CORRUPT;
	if (sodium_is_zero(val, STORE_ID))
		return PERR_OK;
	if (w->n_gone == w->max_gone)
		return PERR_LIMIT;
	memcpy(w->gone[w->n_gone++], val, STORE_ID);
	return PERR_OK;
}

/* Replacing goes by tag over everything shown or staged: order of arrival does not matter. */
static enum perr keep_board(struct rewriting *w, const uint8_t *id, const uint8_t *cell)
{
	uint8_t key[1 + STORE_ID] = { 'B' };
	size_t i;

	for (i = 0; i < w->n_gone; i++)
		if (memcmp(w->gone[i], cell + 32, STORE_ID) == 0)
			return PERR_OK;
	memcpy(key + 1, id, STORE_ID);
	w->counts.board++;
	return store_records_add(&w->rs, key, sizeof key, cell, STORE_CELL, 0);
}

static bool is_in(uint8_t (*ids)[STORE_ID], size_t n, const uint8_t *id)
{
	return n > 0 && bsearch(id, ids, n, STORE_ID, by_bytes) != NULL;
}

static bool day_is_gone(const struct plan *p, uint32_t day)
{
	size_t i;

	for (i = 0; i < p->n_expired; i++)
		if (p->expired[i] == day)
			return true;
	return false;
}

static enum perr rewrite_record(void *arg, const uint8_t *key, size_t key_len,
                                const uint8_t *val, size_t len)
{
	struct rewriting *w = arg;
	struct plan *p = w->p;
	uint32_t where;

	if (val == NULL)
		return PERR_CORRUPT;
	switch (key[0]) {
	case 'S':
	case 'V':
		return PERR_OK;         /* from memory */
	case 'B':
		if (len != STORE_CELL)
			return PERR_CORRUPT;
		return keep_board(w, key + 1, val);
	case 'P':
		return keep_board(w, key + 1, val + STORE_ID);
	case 'E':
		/* Done, or there is nothing left to erase: expiry wins over the delay. */
		if (is_in(p->erased, p->n_erased, key + 1) ||
		    is_in(p->dropped, p->n_dropped, key + 1) ||
		    !store_ids_get(p->st->ids, key + 1, &where) ||
		    (where != 0 && day_is_gone(p, STORE_WHERE_DAY(where))))
			return PERR_OK;
		w->counts.erasures++;
		break;
	case 'T':
		if (is_expired(p, store_get32(val)))
			return PERR_OK;
		w->counts.tombstones++;
		break;
	case 'J':
		w->counts.inbox++;
		break;
	default:
		break;
	}
	return store_records_add(&w->rs, key, key_len, val, len, 0);
}

/* Records that the release itself changes. */
static enum perr add_news(struct rewriting *w, uint32_t day, uint32_t release, uint64_t serial)
{
	struct plan *p = w->p;
	uint8_t key[STORE_STATE_KEY_MAX], val[STORE_SEG_VAL], head[STORE_HEAD_VAL];
	enum perr err = PERR_OK;
	size_t i;

	for (i = 0; err == PERR_OK && i < p->n_list; i++) {
		store_seg_record(&p->list[i], key, val);
		w->counts.segments++;
		w->counts.cells += p->list[i].count;
		err = store_records_add(&w->rs, key, STORE_SEG_KEY, val, sizeof val, 1);
	}
	for (i = 0; err == PERR_OK && i < p->n_erased; i++) {
		key[0] = 'T';
		memcpy(key + 1, p->erased[i], STORE_ID);
		store_put32(val, p->erased_day[i]);
		w->counts.tombstones++;
		err = store_records_add(&w->rs, key, 1 + STORE_ID, val, 4, 1);
	}
	for (i = 0; err == PERR_OK && i < p->rel->n_metas; i++) {
		const struct store_meta *m = &p->rel->metas[i];
		size_t len = strlen(m->name);

		key[0] = 'M';
		memcpy(key + 1, m->name, len);
		err = store_records_add(&w->rs, key, 1 + len, m->bytes, m->len, 0);
	}
	store_head_record(day, release, serial, head);
	if (err == PERR_OK)
		err = store_records_add(&w->rs, "V", 1, head, sizeof head, 1);
	return err;
}

/* Erased ids with their days, sorted together. */
static enum perr sort_erased(struct plan *p)
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

/* Steps 3 and 4.  On PERR_OK it is committed; `counts` are the new ones. */
static enum perr write_state(struct plan *p, uint32_t day, uint32_t release, uint64_t serial,
                             struct store_counts *counts)
{
	struct store *st = p->st;
	struct rewriting w = { .p = p };
	char *fresh = store_path(st, "state.new.mdb"), *path = store_path(st, "state.mdb");
	struct store_view view = { 0 };
	enum perr err = PERR_NOMEM;

	w.max_gone = st->counts.board_staged;
	w.gone = malloc((w.max_gone + 1) * STORE_ID);
	if (fresh == NULL || path == NULL || w.gone == NULL)
		goto out;
	err = store_view_open(&view, &st->state, 1);
	if (err != PERR_OK)
		goto out;
	err = store_view_each(&view, 'P', note_gone, &w);
	if (err == PERR_OK)
		err = store_view_each(&view, 0, rewrite_record, &w);
	if (err == PERR_OK)
		err = add_news(&w, day, release, serial);
	if (err == PERR_OK)
		err = store_file_retire(st->dfd, "state.new.mdb");
	if (err == PERR_OK)
		err = store_state_build(fresh, &w.rs);
	store_view_close(&view);
	if (err == PERR_OK)
		err = store_file_sync_dir(st->dfd);
	if (err != PERR_OK) {
		if (store_file_retire(st->dfd, "state.new.mdb") != PERR_OK)
			err = PERR_IO;
		goto out;
	}
	if (store_file_swap(st->dfd, "state.new.mdb", "state.mdb", "state.old.mdb") != PERR_OK) {
		err = store_die(st, "state.mdb cannot be replaced");
		goto out;
	}
	pthread_rwlock_wrlock(&st->state_mu);
	store_state_close(&st->state);
	err = store_state_open(&st->state, path);
	pthread_rwlock_unlock(&st->state_mu);
	if (err != PERR_OK)
		err = store_die(st, "state.mdb cannot be opened again");
	*counts = w.counts;
out:
	store_records_free(&w.rs);
	free(w.gone);
	free(fresh);
	free(path);
	return err;
}

/* ---- after the commit ---- */

/* Step 5. */
static enum perr swap_files(struct plan *p)
{
	struct store *st = p->st;
	char name[STORE_NAME_MAX], fresh[STORE_NAME_MAX], old[STORE_NAME_MAX];
	enum perr err = PERR_OK;
	size_t i;

	store_list_begin(&st->list);
	for (i = 0; err == PERR_OK && i < p->n_builds; i++) {
		if (!p->builds[i].is_made)
			continue;
		store_list_name(name, &p->builds[i].out, "mdb");
		store_list_name(fresh, &p->builds[i].out, "new");
		store_list_name(old, &p->builds[i].out, "old");
		err = store_file_swap(st->sfd, fresh, name, old);
	}
	return err;
}

static bool is_listed(const struct plan *p, const char *name)
{
	char listed[STORE_NAME_MAX];
	size_t i;

	for (i = 0; i < p->n_list; i++) {
		store_list_name(listed, &p->list[i], "mdb");
		if (strcmp(listed, name) == 0)
			return true;
	}
	return false;
}

/* Step 6 for segments. */
static enum perr retire_files(struct plan *p, const struct store_segment *old_list, size_t n)
{
	struct store *st = p->st;
	char name[STORE_NAME_MAX];
	enum perr err = PERR_OK;
	bool has_any = false;
	size_t i;

	for (i = 0; err == PERR_OK && i < n; i++) {
		if (!p->is_retired[i])
			continue;
		has_any = true;
		store_list_name(name, &old_list[i], "mdb");
		if (!is_listed(p, name))        /* else it has been replaced: only .old is left */
			err = store_file_retire(st->sfd, name);
		store_list_name(name, &old_list[i], "old");
		if (err == PERR_OK)
			err = store_file_retire(st->sfd, name);
	}
	if (err == PERR_OK && has_any)
		err = store_file_sync_dir(st->sfd);
	return err;
}

struct moving {
	const struct plan *p;
	const struct store_segment *old_list;
};

/* Where cells are now: days that expired are gone, days that settled have one file. */
static bool move_id(void *arg, uint32_t *where)
{
	const struct moving *m = arg;
	size_t i;

	if (*where == 0)
		return true;
	if (day_is_gone(m->p, STORE_WHERE_DAY(*where)))
		return false;
	for (i = 0; i < m->p->n_builds; i++) {
		const struct store_segment *out = &m->p->builds[i].out;

		if (out->settled && out->day == STORE_WHERE_DAY(*where))
			*where = STORE_WHERE(out->day, out->release);
	}
	return true;
}

static bool keep_tomb(void *arg, uint32_t *where)
{
	return !is_expired(arg, *where);
}

static enum perr update_ids(struct plan *p)
{
	struct store *st = p->st;
	struct moving m = { .p = p };
	enum perr err = PERR_OK;
	size_t i, j;

	if (p->rel->settled_days > 0 || p->n_expired > 0)
		store_ids_filter(st->ids, move_id, &m);
	if (!p->rel->frozen)
		store_ids_filter(st->tombs, keep_tomb, p);
	for (i = 0; i < p->n_builds; i++) {
		const struct build *b = &p->builds[i];

		for (j = 0; b->n_sources == 0 && err == PERR_OK && j < b->n_items; j++)
			err = store_ids_put(st->ids, b->items[j].id,
			                    STORE_WHERE(b->out.day, b->out.release));
	}
	for (i = 0; i < p->n_dropped; i++)
		store_ids_del(st->ids, p->dropped[i]);
	for (i = 0; err == PERR_OK && i < p->n_erased; i++) {
		store_ids_del(st->ids, p->erased[i]);
		err = store_ids_put(st->tombs, p->erased[i], p->erased_day[i]);
	}
	return err;
}

static void plan_free(struct plan *p)
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
static void drop_builds(struct plan *p)
{
	char name[STORE_NAME_MAX];
	size_t i;

	for (i = 0; i < p->n_builds; i++) {
		store_list_name(name, &p->builds[i].out, "new");
		if (store_file_retire(p->st->sfd, name) != PERR_OK)
			return;         /* the next open drops them */
	}
}

static enum perr plan_make(struct plan *p, uint32_t number)
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
	p->erased = malloc((p->n_due + 1) * STORE_ID);
	p->erased_day = malloc((p->n_due + 1) * sizeof *p->erased_day);
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

enum perr store_release(struct store *st, struct store_release *rel)
{
	struct plan p = { .st = st, .rel = rel };
	struct store_segment *old_list = NULL;
	struct store_counts counts;
	uint32_t number, release;
	uint64_t bytes, serial = st->released_serial;
	size_t n_old = st->list.n;
	enum perr err;

	rel->number = rel->released = rel->erased = rel->settled_days = 0;
	rel->expired_days = rel->deferred = rel->damaged = 0;
	if (atomic_load(&st->dead) != NULL)
		return PERR_IO;
	if (store_batch_is_open(st))
		return PERR_STATE;
	if (rel->day < st->day || rel->day > UINT16_MAX || (rel->frozen && rel->day != st->day))
		return PERR_RANGE;
	err = store_metas_check(rel->metas, rel->n_metas);
	if (err == PERR_OK)
		err = store_free_bytes(st, &bytes);
	if (err != PERR_OK)
		return err;
	number = rel->day == st->day ? st->release + 1 : 1;
	if (number > UINT16_MAX)
		return PERR_LIMIT;
	if (bytes < store_release_bytes(st))
		return PERR_FULL;
	if (st->pool.count > 0 && !st->has_old) {
		err = swap_pools(st);
		if (err != PERR_OK)
			return err;
	}
	p.has_pool = st->has_old;
	if (p.has_pool)
		serial = st->old_pool.serial;
	err = plan_make(&p, number);
	if (err == PERR_OK && p.n_builds == 0 && p.n_expired == 0 && !st->is_changed &&
	    rel->day == st->day && rel->n_metas == 0)
		goto out;               /* nothing at all to do */
	old_list = malloc((n_old + 1) * sizeof *old_list);
	if (err == PERR_OK && old_list == NULL)
		err = PERR_NOMEM;
	if (err != PERR_OK) {
		drop_builds(&p);
		goto out;
	}
	if (n_old > 0)
		memcpy(old_list, st->list.v, n_old * sizeof *old_list);
	release = p.n_builds > 0 && p.builds[p.n_builds - 1].n_sources == 0 &&
	          p.builds[p.n_builds - 1].is_made ? number :
	          rel->day == st->day ? st->release : 0;
	err = write_state(&p, rel->day, release, serial, &counts);
	if (err != PERR_OK) {
		if (atomic_load(&st->dead) == NULL)
			drop_builds(&p);
		goto out;
	}
	/* Committed.  From here on an error is death, and the next open finishes the work. */
	err = swap_files(&p);
	store_list_end(&st->list, p.list, p.n_list);
	if (err != PERR_OK)
		store_die(st, "released files cannot be renamed");
	else if (update_ids(&p) != PERR_OK)
		err = store_die(st, "no memory for the ids of a release");
	store_list_wait(&st->list);
	if (err == PERR_OK)
		err = retire_files(&p, old_list, n_old);
	if (err == PERR_OK && p.has_pool) {
		store_pool_close(&st->old_pool);
		st->has_old = false;
		err = store_file_retire(st->dfd, "pool.old.mdb");
	}
	if (err == PERR_OK)
		err = store_file_retire(st->dfd, "state.old.mdb");
	if (err == PERR_OK)
		err = store_file_sync_dir(st->dfd);
	if (err != PERR_OK)
		store_die(st, "after a release, retired files cannot be overwritten");
	rel->number = release == number ? number : 0;
	rel->released = rel->number != 0 ? p.list[p.n_list - 1].count : 0;
	p.list = NULL;          /* the store's now */
	rel->erased = (uint32_t)p.n_erased;
	rel->expired_days = (uint32_t)p.n_expired;
	st->day = rel->day;
	st->release = release;
	st->released_serial = serial;
	st->is_changed = false;
	counts.pool_cells = st->pool.count;
	st->counts = counts;
	store_publish(st);
	if (err != PERR_OK)
		err = PERR_IO;
out:
	plan_free(&p);
	free(old_list);
	return err;
}
