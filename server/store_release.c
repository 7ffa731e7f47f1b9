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
#include <signal.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "store_file.h"
#include "store_plan.h"

#define BREATH_MS 5u            /* an end is noticed this late at most */

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

static int by_bytes(const void *a, const void *b)
{
	return memcmp(a, b, STORE_ID);
}

struct rewriting {
	struct store_plan *p;
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

static bool day_is_gone(const struct store_plan *p, uint32_t day)
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
	struct store_plan *p = w->p;
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
		if (len != 4)
			return PERR_CORRUPT;
		store_count_erasure(&w->counts, store_get32(val));
		break;
	case 'T':
		if (store_plan_expires(p, store_get32(val)))
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
	struct store_plan *p = w->p;
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

/* Steps 3 and 4.  On PERR_OK it is committed; `counts` are the new ones. */
static enum perr write_state(struct store_plan *p, uint32_t day, uint32_t release, uint64_t serial,
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

/* ---- beside it ---- */

struct beside {
	enum perr (*work)(void *arg);
	void *arg;
	enum perr result;
	_Atomic bool is_done;
};

static void beside_run(void *arg)
{
	struct beside *b = arg;

	b->result = b->work(b->arg);
	atomic_store(&b->is_done, true);         /* b is gone from here on */
}

enum perr store_beside(struct store *st, const struct store_release *rel,
                       enum perr (*work)(void *arg), void *arg)
{
	struct beside b = { .work = work, .arg = arg };

	if (rel->breathe == NULL || rel->aside == NULL)
		return work(arg);
	rel->aside(rel->arg, beside_run, &b);
	while (!atomic_load(&b.is_done))
		rel->breathe(rel->arg, BREATH_MS);
	return b.result;
}

/* ---- after the commit ---- */

/* Step 5. */
static enum perr swap_files(struct store_plan *p)
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

static bool is_listed(const struct store_plan *p, const char *name)
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

struct retiring {
	struct store_plan *p;
	const struct store_segment *old_list;
	size_t n;
	bool has_pool;
};

/* Step 6. */
static enum perr retire_all(void *arg)
{
	const struct retiring *r = arg;
	const struct store_segment *old_list = r->old_list;
	struct store_plan *p = r->p;
	struct store *st = p->st;
	size_t n = r->n;
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
	if (err == PERR_OK && r->has_pool)
		err = store_file_retire(st->dfd, "pool.old.mdb");
	if (err == PERR_OK)
		err = store_file_retire(st->dfd, "state.old.mdb");
	if (err == PERR_OK)
		err = store_file_sync_dir(st->dfd);
	return err;
}

struct moving {
	const struct store_plan *p;
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
	return !store_plan_expires(arg, *where);
}

static enum perr update_ids(struct store_plan *p)
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
		const struct store_build *b = &p->builds[i];

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

enum perr store_release(struct store *st, struct store_release *rel)
{
	struct store_plan p = { .st = st, .rel = rel };
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
	err = store_plan_make(&p, number);
	if (err == PERR_OK && p.n_builds == 0 && p.n_expired == 0 && !st->is_changed &&
	    rel->day == st->day && rel->n_metas == 0)
		goto out;               /* nothing at all to do */
	old_list = malloc((n_old + 1) * sizeof *old_list);
	if (err == PERR_OK && old_list == NULL)
		err = PERR_NOMEM;
	if (err != PERR_OK) {
		store_plan_drop(&p);
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
			store_plan_drop(&p);
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
	if (err == PERR_OK && p.has_pool) {
		store_pool_close(&st->old_pool);
		st->has_old = false;
	}
	if (err == PERR_OK)
		err = store_beside(st, rel, retire_all,
		                   &(struct retiring){ &p, old_list, n_old, p.has_pool });
	if (err == PERR_OK && atomic_load(&st->dead) != NULL)
		err = PERR_IO;
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
	store_plan_free(&p);
	free(old_list);
	return err;
}
