/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* store_batch: the [W] calls between two commits, and the commit. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "store_int.h"
#include "store_page.h"

/* What a new cell may cost in all: its place in the pool, and in the segment of its release. */
#define CELL_BYTES (2 * (STORE_PAGE + STORE_PAGE / 48))
#define SLACK_BYTES (1u << 20)

bool store_batch_is_open(const struct store *st)
{
	return st->n_batch > 0 || st->state.txn != NULL || st->broken != PERR_OK;
}

enum perr store_batch_begin(struct store *st)
{
	enum perr err;

	if (atomic_load(&st->dead) != NULL)
		return PERR_IO;
	if (st->broken != PERR_OK)
		return st->broken;
	if (st->state.txn != NULL)
		return PERR_OK;
	pthread_rwlock_wrlock(&st->state_mu);
	st->counts_before = st->counts;
	err = store_state_begin(&st->state);
	if (err != PERR_OK)
		pthread_rwlock_unlock(&st->state_mu);
	if (err == PERR_IO)
		return store_die(st, "state.mdb: a transaction cannot be begun");
	return err;
}

enum perr store_batch_failed(struct store *st, enum perr err)
{
	/* After an error LMDB's transaction is good for nothing but to be aborted. */
	if (err == PERR_FULL || err == PERR_NOMEM)
		return st->broken = PERR_FULL;
	return store_die(st, "state.mdb: a record cannot be written");
}

/* How many new cells this batch may take, so that the release of all of them still fits. */
static uint64_t measure_room(struct store *st)
{
	uint64_t used = store_pool_bytes(st->pool.count) + SLACK_BYTES, bytes, pool_room;
	uint64_t kept = atomic_load(&st->reserve) + store_release_bytes(st) + SLACK_BYTES;

	if (store_free_bytes(st, &bytes) != PERR_OK || bytes <= kept ||
	    used >= st->pool.max_bytes)
		return 0;
	pool_room = (st->pool.max_bytes - used) / (STORE_PAGE + STORE_PAGE / 48);
	bytes = (bytes - kept) / CELL_BYTES;
	return bytes < pool_room ? bytes : pool_room;
}

/*
 * Is the disk so full that what is not a cell must wait as well?  "a reserve of free disk for
 * erasure and release": an erasure may use the reserve, but never what the next release has to
 * write, or the disk would stay full for ever.
 */
static bool is_short(struct store *st, bool may_use_reserve)
{
	uint64_t kept = store_release_bytes(st) + SLACK_BYTES, bytes;

	if (!may_use_reserve)
		kept += atomic_load(&st->reserve);
	return store_free_bytes(st, &bytes) != PERR_OK || bytes <= kept;
}

static enum store_status append_one(struct store *st, struct store_cell *c)
{
	enum perr err;

	if (store_ids_get(st->tombs, c->id, NULL))
		return STORE_REFUSED;           /* what was erased stays erased */
	if (st->room == 0)
		return store_ids_get(st->ids, c->id, NULL) ? STORE_THERE : STORE_FULL;
	err = store_ids_add(st->ids, c->id, 0);
	if (err != PERR_OK)
		return err == PERR_EXISTS ? STORE_THERE : STORE_FULL;
	st->room--;
	st->batch[st->n_batch++] = c;
	return STORE_STORED;
}

enum perr store_append(struct store *st, struct store_cell *cells, size_t n)
{
	size_t i;

	if (atomic_load(&st->dead) != NULL)
		return PERR_IO;
	if (!st->is_room_known) {
		st->room = measure_room(st);
		st->is_room_known = true;
	}
	if (st->max_batch - st->n_batch < n) {
		size_t max = st->n_batch + n + 1024;
		struct store_cell **batch = realloc(st->batch, max * sizeof *batch);

		if (batch == NULL)
			return PERR_NOMEM;
		st->batch = batch;
		st->max_batch = max;
	}
	for (i = 0; i < n; i++)
		cells[i].status = append_one(st, &cells[i]);
	atomic_store(&st->is_full, st->room == 0);
	return PERR_OK;
}

/* ---- board ---- */

struct board_scan {
	const uint8_t *id, *tag;        /* tag: NULL if none is replaced */
	uint32_t left;                  /* entries that would be there at the release */
	uint8_t gone[2 * STORE_BOARD_MAX][STORE_ID]; /* tags replaced by staged entries */
	uint32_t n_gone;
	bool is_there;
};

static enum perr scan_staged(void *arg, const uint8_t *key, size_t key_len, const uint8_t *val,
                             size_t len)
{
	struct board_scan *b = arg;

	if (val == NULL || key_len != 1 + STORE_ID || len != STORE_ID + STORE_CELL)
		return PERR_CORRUPT;
	b->is_there |= memcmp(key + 1, b->id, STORE_ID) == 0;
	if (!sodium_is_zero(val, STORE_ID) && b->n_gone < 2 * STORE_BOARD_MAX)
		memcpy(b->gone[b->n_gone++], val, STORE_ID);
	return PERR_OK;
}

static enum perr scan_left(void *arg, const uint8_t *key, size_t key_len, const uint8_t *val,
                           size_t len)
{
	struct board_scan *b = arg;
	const uint8_t *tag;
	uint32_t i;

	if (val == NULL || key_len != 1 + STORE_ID || len < STORE_CELL)
		return PERR_CORRUPT;
	b->is_there |= memcmp(key + 1, b->id, STORE_ID) == 0;
	tag = val + (len - STORE_CELL) + 32;
	for (i = 0; i < b->n_gone; i++)
		if (memcmp(b->gone[i], tag, STORE_ID) == 0)
			return PERR_OK;
	if (b->tag == NULL || memcmp(b->tag, tag, STORE_ID) != 0)
		b->left++;
	return PERR_OK;
}

enum perr store_board_put(struct store *st, const uint8_t *cell, const uint8_t id[STORE_ID],
                          const uint8_t ds[STORE_DS], enum store_status *status)
{
	struct board_scan *scan = NULL;
	uint8_t key[1 + STORE_ID] = { 'P' }, tag[STORE_ID] = { 0 };
	struct store_view view;
	enum perr err = store_batch_begin(st);

	if (err != PERR_OK)
		return err;
	scan = calloc(1, sizeof *scan);
	if (scan == NULL)
		return PERR_NOMEM;
	scan->id = id;
	if (ds != NULL) {
		store_tag(tag, ds);
		scan->tag = tag;
	}
	err = store_view_open(&view, &st->state, 1);
	if (err == PERR_OK)
		err = store_view_each(&view, 'P', scan_staged, scan);
	if (err == PERR_OK)
		err = store_view_each(&view, 'P', scan_left, scan);
	if (err == PERR_OK)
		err = store_view_each(&view, 'B', scan_left, scan);
	if (err != PERR_OK)
		goto out;
	*status = STORE_THERE;
	if (scan->is_there)
		goto out;
	/* Staged entries are bounded too: someone may replace the same entry all day long. */
	*status = STORE_FULL;
	if (scan->left >= STORE_BOARD_MAX || st->counts.board_staged >= STORE_BOARD_MAX ||
	    is_short(st, false))
		goto out;
	memcpy(key + 1, id, STORE_ID);
	err = store_state_put(&st->state, key, sizeof key, tag, sizeof tag, cell, STORE_CELL);
	if (err != PERR_OK) {
		err = store_batch_failed(st, err);
		goto out;
	}
	st->counts.board_staged++;
	*status = STORE_STORED;
out:
	free(scan);
	return err;
}

/* ---- deleting many ---- */

struct collect {
	struct store_records rs;
};

static enum perr collect_key(void *arg, const uint8_t *key, size_t key_len, const uint8_t *val,
                             size_t len)
{
	struct collect *c = arg;

	return store_records_add(&c->rs, key, key_len, NULL, 0, 0);
}

static enum perr delete_kind(struct store *st, uint8_t kind, size_t *n)
{
	struct collect c = { { 0 } };
	struct store_view view;
	enum perr err = store_view_open(&view, &st->state, 1);
	size_t i;

	if (err == PERR_OK)
		err = store_view_each(&view, kind, collect_key, &c);
	for (i = 0; err == PERR_OK && i < c.rs.n; i++) {
		err = store_state_del(&st->state, c.rs.v[i].key, c.rs.v[i].key_len);
		if (err != PERR_OK)
			err = store_batch_failed(st, err);
	}
	*n = c.rs.n;
	store_records_free(&c.rs);
	return err;
}

/* Delete kind ‖ id for each of n ids; how many were there. */
static enum perr delete_ids(struct store *st, uint8_t kind, const uint8_t (*ids)[STORE_ID],
                            size_t n, size_t *gone)
{
	uint8_t key[1 + STORE_ID] = { kind };
	enum perr err = PERR_OK;
	size_t i;

	*gone = 0;
	for (i = 0; i < n; i++) {
		memcpy(key + 1, ids[i], STORE_ID);
		err = store_state_del(&st->state, key, sizeof key);
		if (err == PERR_OK)
			(*gone)++;
		else if (err != PERR_NOTFOUND)
			return store_batch_failed(st, err);
	}
	return PERR_OK;
}

enum perr store_board_clear(struct store *st)
{
	enum perr err = store_batch_begin(st);
	size_t n;

	if (err == PERR_OK)
		err = delete_kind(st, 'B', &n);
	if (err == PERR_OK)
		err = delete_kind(st, 'P', &n);
	if (err == PERR_OK)
		st->counts.board = st->counts.board_staged = 0;
	return err;
}

/* ---- inbox ---- */

enum perr store_join_put(struct store *st, const uint8_t ticket[STORE_ID], const uint8_t *cell,
                         const uint8_t id[STORE_ID], enum store_status *status)
{
	uint8_t key[1 + STORE_ID] = { 'J' };
	struct store_view view;
	const uint8_t *val;
	size_t len;
	enum perr err = store_batch_begin(st);

	if (err != PERR_OK)
		return err;
	memcpy(key + 1, ticket, STORE_ID);
	err = store_view_open(&view, &st->state, 1);
	if (err == PERR_OK)
		err = store_view_get(&view, key, sizeof key, &val, &len);
	if (err == PERR_OK) {
		*status = len == STORE_ID + STORE_CELL && memcmp(val, id, STORE_ID) == 0 ?
		          STORE_THERE : STORE_REFUSED;
		return PERR_OK;
	}
	if (err != PERR_NOTFOUND)
		return err;
	*status = STORE_FULL;
	if (st->counts.inbox >= STORE_INBOX_MAX || is_short(st, false))
		return PERR_OK;
	err = store_state_put(&st->state, key, sizeof key, id, STORE_ID, cell, STORE_CELL);
	if (err != PERR_OK)
		return store_batch_failed(st, err);
	st->counts.inbox++;
	*status = STORE_STORED;
	return PERR_OK;
}

enum perr store_join_drop(struct store *st, const uint8_t (*tickets)[STORE_ID], size_t n)
{
	enum perr err = store_batch_begin(st);
	size_t gone = 0;

	if (err == PERR_OK)
		err = delete_ids(st, 'J', tickets, n, &gone);
	st->counts.inbox -= (uint32_t)gone;
	return err;
}

/* ---- erasures ---- */

/* The tag of a stored cell, from where the id set says it is. */
static enum perr tag_of(struct store *st, const uint8_t id[STORE_ID], uint32_t where,
                        uint8_t tag[STORE_ID])
{
	uint8_t cell[STORE_CELL];
	struct store_lease lease;
	uint32_t pos;
	enum perr err;
	size_t i, n;

	if (where != 0) {
		err = store_list_lease(&st->list, STORE_WHERE_DAY(where),
		                       STORE_WHERE_RELEASE(where), NULL, &lease);
		if (err != PERR_OK)
			return err;
		err = store_seg_find(lease.seg, id, &pos);
		if (err == PERR_OK)
			err = store_seg_read(lease.seg, &pos, 1, cell);
		store_list_give_back(&st->list, &lease);
		memcpy(tag, cell + 32, STORE_ID);
		return err;
	}
	for (i = 0; i < st->n_batch; i++) {
		if (memcmp(st->batch[i]->id, id, STORE_ID) == 0) {
			memcpy(tag, st->batch[i]->cell + 32, STORE_ID);
			return PERR_OK;
		}
	}
	for (n = 0; n < 2; n++) {
		struct store_pool *pool = n == 0 ? &st->pool : &st->old_pool;
		struct store_seg_item item;

		if (pool->env == NULL)
			continue;
		err = store_pool_find(pool, id, &item);
		if (err == PERR_OK)
			err = store_pool_cell(pool, &item, cell);
		if (err != PERR_NOTFOUND) {
			memcpy(tag, cell + 32, STORE_ID);
			return err;
		}
	}
	return PERR_NOTFOUND;
}

enum perr store_erase(struct store *st, const uint8_t id[STORE_ID], const uint8_t ds[STORE_DS],
                      uint32_t due_day, enum store_status *status)
{
	uint8_t key[1 + STORE_ID] = { 'E' }, want[STORE_ID], tag[STORE_ID], due[4];
	struct store_view view;
	const uint8_t *val;
	uint32_t where;
	size_t len;
	enum perr err = store_batch_begin(st);

	if (err != PERR_OK)
		return err;
	*status = STORE_THERE;
	if (store_ids_get(st->tombs, id, NULL))
		return PERR_OK;
	*status = STORE_NOTFOUND;
	if (!store_ids_get(st->ids, id, &where))
		return PERR_OK;
	store_tag(want, ds);
	*status = STORE_REFUSED;
	err = tag_of(st, id, where, tag);
	if (err == PERR_NOMEM)
		return err;
	/* A damaged cell has no tag to compare with: refused, until it is repaired or expires. */
	if (err != PERR_OK || sodium_memcmp(tag, want, STORE_ID) != 0)
		return PERR_OK;
	memcpy(key + 1, id, STORE_ID);
	err = store_view_open(&view, &st->state, 1);
	if (err == PERR_OK)
		err = store_view_get(&view, key, sizeof key, &val, &len);
	*status = STORE_THERE;
	if (err != PERR_NOTFOUND)
		return err;
	*status = STORE_FULL;
	if (st->counts.erasures >= STORE_ERASE_MAX || is_short(st, true))
		return PERR_OK;
	store_put32(due, due_day);
	err = store_state_put(&st->state, key, sizeof key, due, sizeof due, NULL, 0);
	if (err != PERR_OK)
		return store_batch_failed(st, err);
	store_count_erasure(&st->counts, due_day);
	*status = STORE_STORED;
	return PERR_OK;
}

static enum perr count_again(void *arg, const uint8_t *key, size_t key_len, const uint8_t *val,
                             size_t len)
{
	if (val == NULL || len != 4)
		return PERR_CORRUPT;
	store_count_erasure(arg, store_get32(val));
	return PERR_OK;
}

enum perr store_erase_void(struct store *st, const uint8_t (*ids)[STORE_ID], size_t n,
                           size_t *voided)
{
	struct store_view view;
	enum perr err = store_batch_begin(st);

	*voided = 0;
	if (err == PERR_OK)
		err = n == 0 ? delete_kind(st, 'E', voided) :
		               delete_ids(st, 'E', ids, n, voided);
	if (err != PERR_OK || *voided == 0)
		return err;
	st->counts.erasures = st->counts.erase_day = 0;
	if (n == 0)
		return PERR_OK;
	err = store_view_open(&view, &st->state, 1);
	return err == PERR_OK ? store_view_each(&view, 'E', count_again, &st->counts) : err;
}

/* ---- metas and the commit ---- */

enum perr store_meta_set(struct store *st, const struct store_meta *metas, size_t n)
{
	enum perr err = store_metas_check(metas, n);
	size_t i;

	if (err == PERR_OK)
		err = store_batch_begin(st);
	for (i = 0; err == PERR_OK && i < n; i++) {
		uint8_t key[STORE_STATE_KEY_MAX] = { 'M' };
		size_t len = strlen(metas[i].name);

		memcpy(key + 1, metas[i].name, len);
		if (metas[i].bytes != NULL)
			err = store_state_put(&st->state, key, 1 + len, metas[i].bytes,
			                      metas[i].len, NULL, 0);
		else
			err = store_state_del(&st->state, key, 1 + len);
		if (err == PERR_NOTFOUND)
			err = PERR_OK;
		if (err != PERR_OK)
			err = store_batch_failed(st, err);
	}
	return err;
}

enum perr store_commit(struct store *st)
{
	enum perr err = atomic_load(&st->dead) != NULL ? PERR_IO : PERR_OK;
	bool has_state = st->state.txn != NULL;

	/* The pool goes first: an erasure in the same batch may name one of its cells. */
	if (err == PERR_OK && st->n_batch > 0 &&
	    store_pool_append(&st->pool, st->batch, st->n_batch) != PERR_OK)
		err = store_die(st, "pool.mdb: a commit failed");
	if (err == PERR_OK)
		st->counts.pool_cells += st->n_batch;
	st->n_batch = 0;
	st->is_room_known = false;
	if (has_state && (err != PERR_OK || st->broken != PERR_OK)) {
		store_state_abort(&st->state);
	} else if (has_state) {
		err = store_state_commit(&st->state);
		if (err == PERR_IO)
			store_die(st, "state.mdb: a commit failed");
		else if (err != PERR_OK)
			st->broken = err;
		else
			st->is_changed = true;
	}
	if (has_state && (err != PERR_OK || st->broken != PERR_OK)) {
		uint64_t pool_cells = st->counts.pool_cells;

		st->counts = st->counts_before;
		st->counts.pool_cells = pool_cells;
		if (err == PERR_OK)
			err = st->broken;
	}
	if (has_state)
		pthread_rwlock_unlock(&st->state_mu);
	st->broken = PERR_OK;
	store_publish(st);
	return err;
}

bool store_idle(struct store *st)
{
	bool has_more = false;
	uint64_t bytes;

	/* Only a comfort: never at the cost of the reserve, and no error to die of. */
	if (atomic_load(&st->dead) != NULL || store_batch_is_open(st) ||
	    store_free_bytes(st, &bytes) != PERR_OK ||
	    bytes < atomic_load(&st->reserve) + 2 * st->cfg.prewrite_bytes)
		return false;
	if (store_pool_prewrite(&st->pool, st->cfg.prewrite_bytes, 1u << 20, &has_more) !=
	    PERR_OK)
		return false;
	return has_more;
}
