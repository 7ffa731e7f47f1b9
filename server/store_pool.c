/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "store_pool.h"

#include <lmdb.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store_file.h"
#include "store_lmdb.h"
#include "store_page.h"

#define FIRST_MAP   (256ull << 20)
#define POOL_SCHEMA 1u
#define KEY_LEN     (8 + STORE_ID)

/* Sorts before every arrival number: they have eight bytes and start with this one or more. */
static const uint8_t head_key[1] = { 0 };

static void put64(uint8_t *p, uint64_t v)
{
	int i;

	for (i = 7; i >= 0; i--, v >>= 8)
		p[i] = (uint8_t)v;
}

static uint64_t get64(const uint8_t *p)
{
	uint64_t v = 0;
	int i;

	for (i = 0; i < 8; i++)
		v = v << 8 | p[i];
	return v;
}

uint64_t store_pool_bytes(uint64_t n)
{
	return (n + n / 48 + 64) * STORE_PAGE;
}

enum perr store_pool_create(const char *path, uint64_t serial, uint64_t prewrite_bytes)
{
	uint8_t head[12] = { 0, 0, 0, POOL_SCHEMA };
	MDB_env *env = NULL;
	MDB_txn *txn = NULL;
	MDB_val key = { sizeof head_key, (void *)(uintptr_t)head_key };
	MDB_val val = { sizeof head, head };
	MDB_dbi dbi;
	enum perr err;
	int rc, fd = -1;

	err = store_lmdb_open(&env, path, FIRST_MAP, STORE_LMDB_NEW);
	if (err != PERR_OK)
		return err;
	put64(head + 4, serial);
	rc = mdb_txn_begin(env, NULL, 0, &txn);
	if (rc == 0)
		rc = mdb_dbi_open(txn, NULL, 0, &dbi);
	if (rc == 0)
		rc = mdb_put(txn, dbi, &key, &val, 0);
	if (rc == 0) {
		rc = mdb_txn_commit(txn);
		txn = NULL;
	}
	if (rc == 0)
		rc = mdb_env_get_fd(env, &fd);
	err = store_lmdb_err(rc);
	if (err == PERR_OK)     /* pages 0..2 are in use */
		err = store_file_zero(fd, 3 * STORE_PAGE, prewrite_bytes);
	if (err == PERR_OK && fsync(fd) != 0)
		err = PERR_IO;
	if (txn != NULL)
		mdb_txn_abort(txn);
	mdb_env_close(env);
	return err;
}

enum perr store_pool_open(struct store_pool *pool, const char *path, uint64_t max_bytes)
{
	MDB_txn *txn = NULL;
	MDB_cursor *cur = NULL;
	MDB_val key, val;
	MDB_stat st;
	enum perr err;
	int rc;

	memset(pool, 0, sizeof *pool);
	pool->max_bytes = max_bytes;
	pool->map_bytes = max_bytes < FIRST_MAP ? max_bytes : FIRST_MAP;
	err = store_lmdb_open(&pool->env, path, pool->map_bytes, STORE_LMDB_GROWING);
	if (err != PERR_OK)
		return err;
	rc = mdb_txn_begin(pool->env, NULL, MDB_RDONLY, &txn);
	if (rc == 0)
		rc = mdb_dbi_open(txn, NULL, 0, &pool->dbi);
	if (rc == 0)
		rc = mdb_stat(txn, pool->dbi, &st);
	if (rc == 0)
		rc = mdb_cursor_open(txn, pool->dbi, &cur);
	if (rc == 0)
		rc = mdb_cursor_get(cur, &key, &val, MDB_FIRST);
	err = store_lmdb_err(rc);
	if (err == PERR_OK && (key.mv_size != sizeof head_key || val.mv_size != 12))
		err = PERR_CORRUPT;
	if (err == PERR_OK) {
		const uint8_t *head = val.mv_data;

		if (memcmp(head, (uint8_t[4]){ 0, 0, 0, POOL_SCHEMA }, 4) != 0)
			err = PERR_UNKNOWN;
		pool->serial = get64(head + 4);
		pool->count = st.ms_entries - 1;
	}
	if (err == PERR_OK && pool->count > 0) {
		rc = mdb_cursor_get(cur, &key, NULL, MDB_LAST);
		err = store_lmdb_err(rc);
		if (err == PERR_OK && key.mv_size != KEY_LEN)
			err = PERR_CORRUPT;
		if (err == PERR_OK)
			pool->next = get64(key.mv_data) + 1;
	}
	if (cur != NULL)
		mdb_cursor_close(cur);
	/* The handle of the main database stays valid whatever becomes of this transaction. */
	if (txn != NULL)
		mdb_txn_abort(txn);
	if (err != PERR_OK)
		store_pool_close(pool);
	return err;
}

void store_pool_close(struct store_pool *pool)
{
	if (pool->env != NULL)
		mdb_env_close(pool->env);
	pool->env = NULL;
	free(pool->index);
	pool->index = NULL;
	pool->n_index = 0;
}

static int append_txn(struct store_pool *pool, struct store_cell *const *cells, size_t n)
{
	MDB_txn *txn = NULL;
	size_t i;
	int rc = mdb_txn_begin(pool->env, NULL, 0, &txn);

	for (i = 0; rc == 0 && i < n; i++) {
		uint8_t k[KEY_LEN];
		MDB_val key = { KEY_LEN, k };
		MDB_val val = { STORE_CELL, (void *)(uintptr_t)cells[i]->cell };

		put64(k, pool->next + i);
		memcpy(k + 8, cells[i]->id, STORE_ID);
		rc = mdb_put(txn, pool->dbi, &key, &val, MDB_APPEND);
	}
	if (rc != 0) {
		if (txn != NULL)
			mdb_txn_abort(txn);
		return rc;
	}
	/* The transaction is gone, whatever this returns. */
	return mdb_txn_commit(txn);
}

/* Larger map, within the limit.  No transaction is open and nobody reads this file. */
static int grow(struct store_pool *pool)
{
	uint64_t bytes = pool->map_bytes;
	int rc;

	if (bytes >= pool->max_bytes)
		return MDB_MAP_FULL;
	bytes = bytes > pool->max_bytes / 2 ? pool->max_bytes : bytes * 2;
	rc = mdb_env_set_mapsize(pool->env, bytes);
	if (rc == 0)
		pool->map_bytes = bytes;
	return rc;
}

enum perr store_pool_append(struct store_pool *pool, struct store_cell *const *cells, size_t n)
{
	int rc = append_txn(pool, cells, n);

	while (rc == MDB_MAP_FULL && grow(pool) == 0)
		rc = append_txn(pool, cells, n);
	if (rc == MDB_MAP_FULL)
		return PERR_FULL;
	if (rc != 0)
		/* Even "no space" is death here: LMDB may have written half a commit. */
		return PERR_IO;
	pool->next += n;
	pool->count += n;
	return PERR_OK;
}

enum perr store_pool_prewrite(struct store_pool *pool, uint64_t ahead, uint64_t step,
                              bool *has_more)
{
	MDB_envinfo info;
	struct stat sb;
	uint64_t used, want;
	int fd;

	*has_more = false;
	if (mdb_env_info(pool->env, &info) != 0 || mdb_env_get_fd(pool->env, &fd) != 0 ||
	    fstat(fd, &sb) != 0)
		return PERR_IO;
	used = (info.me_last_pgno + 1) * (uint64_t)STORE_PAGE;
	want = used + ahead;
	if (used < (uint64_t)sb.st_size)
		used = (uint64_t)sb.st_size;
	if (want > pool->max_bytes)
		want = pool->max_bytes;
	if (used >= want)
		return PERR_OK;
	*has_more = want - used > step;
	return store_file_zero(fd, used, *has_more ? used + step : want);
}

struct gather {
	struct store_seg_item *items;
	size_t n, max;
};

static enum perr gather_leaf(void *arg, uint64_t pgno, const uint8_t *page, uint32_t n)
{
	struct gather *g = arg;
	struct store_node node;
	uint32_t i;

	for (i = 0; i < n; i++) {
		store_pages_node(page, i, &node);
		if (node.key_len == sizeof head_key)
			continue;
		if (node.key_len != KEY_LEN || node.val != NULL || node.val_len != STORE_CELL ||
		    g->n == g->max)
			return PERR_CORRUPT;
		memcpy(g->items[g->n].id, node.key + 8, STORE_ID);
		g->items[g->n++].where = node.page;
	}
	return PERR_OK;
}

enum perr store_pool_items(const struct store_pool *pool, struct store_seg_item **items,
                           size_t *n)
{
	struct gather g = { .max = pool->count };
	struct store_pages ps;
	enum perr err;
	int fd;

	*items = NULL;
	*n = 0;
	if (mdb_env_get_fd(pool->env, &fd) != 0)
		return PERR_IO;
	g.items = malloc((g.max + 1) * sizeof *g.items);
	if (g.items == NULL)
		return PERR_NOMEM;
	err = store_pages_open(&ps, fd);
	if (err == PERR_OK)
		err = store_pages_walk(&ps, &ps.main_tree, 1, gather_leaf, &g);
	if (err == PERR_OK && g.n != g.max)
		err = PERR_CORRUPT;
	if (err != PERR_OK) {
		free(g.items);
		return err;
	}
	*items = g.items;
	*n = g.n;
	return PERR_OK;
}

static int by_id(const void *a, const void *b)
{
	return memcmp(((const struct store_seg_item *)a)->id,
	              ((const struct store_seg_item *)b)->id, STORE_ID);
}

enum perr store_pool_find(struct store_pool *pool, const uint8_t id[STORE_ID],
                          struct store_seg_item *item)
{
	struct store_seg_item want, *found;
	enum perr err;

	if (pool->index == NULL || pool->n_index != pool->count) {
		free(pool->index);
		pool->index = NULL;
		err = store_pool_items(pool, &pool->index, &pool->n_index);
		if (err != PERR_OK)
			return err;
		store_seg_sort(pool->index, pool->n_index);
	}
	memcpy(want.id, id, STORE_ID);
	found = pool->n_index == 0 ? NULL : bsearch(&want, pool->index, pool->n_index,
	                                            sizeof want, by_id);
	if (found == NULL)
		return PERR_NOTFOUND;
	*item = *found;
	return PERR_OK;
}

enum perr store_pool_cell(const struct store_pool *pool, const struct store_seg_item *item,
                          uint8_t cell[STORE_CELL])
{
	uint8_t page[STORE_PAGE], id[STORE_ID];
	ssize_t got;
	int fd;

	if (mdb_env_get_fd(pool->env, &fd) != 0)
		return PERR_IO;
	got = pread(fd, page, sizeof page, (off_t)(item->where * STORE_PAGE));
	if (got != sizeof page || !store_pages_is_overflow(page, item->where, 1))
		return PERR_CORRUPT;
	memcpy(cell, page + STORE_PAGE_HDR, STORE_CELL);
	crypto_generichash(id, sizeof id, cell, STORE_CELL, NULL, 0);
	return memcmp(id, item->id, STORE_ID) == 0 ? PERR_OK : PERR_CORRUPT;
}
