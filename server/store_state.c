/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "store_state.h"

#include <errno.h>
#include <lmdb.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "store_lmdb.h"

#define STATE_MAP (1ull << 30)  /* address space only; the limits in store.h keep it small */

enum perr store_records_add(struct store_records *rs, const void *key, size_t key_len,
                            const void *val, size_t len, int copy)
{
	struct store_record *r;

	if (rs->n == rs->max) {
		size_t max = rs->max == 0 ? 64 : rs->max * 2;
		struct store_record *v = realloc(rs->v, max * sizeof *v);

		if (v == NULL)
			return PERR_NOMEM;
		rs->v = v;
		rs->max = max;
	}
	r = &rs->v[rs->n];
	memset(r, 0, sizeof *r);
	memcpy(r->key, key, key_len);
	r->key_len = (uint8_t)key_len;
	r->val = val;
	r->len = len;
	if (copy && val != NULL) {
		r->owned = malloc(len + 1);
		if (r->owned == NULL)
			return PERR_NOMEM;
		memcpy(r->owned, val, len);
		r->val = r->owned;
	}
	rs->n++;
	return PERR_OK;
}

void store_records_free(struct store_records *rs)
{
	size_t i;

	for (i = 0; i < rs->n; i++) {
		if (rs->v[i].owned != NULL) {
			sodium_memzero(rs->v[i].owned, rs->v[i].len);
			free(rs->v[i].owned);
		}
	}
	free(rs->v);
	memset(rs, 0, sizeof *rs);
}

static void checksum(uint8_t sum[STORE_STATE_SUM], const void *key, size_t key_len,
                     const void *a, size_t a_len, const void *b, size_t b_len)
{
	uint8_t n = (uint8_t)key_len;
	crypto_generichash_state h;

	crypto_generichash_init(&h, NULL, 0, STORE_STATE_SUM);
	crypto_generichash_update(&h, &n, 1);
	crypto_generichash_update(&h, key, key_len);
	crypto_generichash_update(&h, a, a_len);
	crypto_generichash_update(&h, b, b_len);
	crypto_generichash_final(&h, sum, STORE_STATE_SUM);
}

static int put_record(MDB_txn *txn, MDB_dbi dbi, const void *key, size_t key_len,
                      const void *a, size_t a_len, const void *b, size_t b_len, unsigned flags)
{
	MDB_val k = { key_len, (void *)(uintptr_t)key };
	MDB_val v = { a_len + b_len + STORE_STATE_SUM, NULL };
	int rc = mdb_put(txn, dbi, &k, &v, flags | MDB_RESERVE);
	uint8_t *p = v.mv_data;

	if (rc != 0)
		return rc;
	if (a_len > 0)
		memcpy(p, a, a_len);
	if (b_len > 0)
		memcpy(p + a_len, b, b_len);
	checksum(p + a_len + b_len, key, key_len, a, a_len, b, b_len);
	return 0;
}

/* By key, and for one key in the order in which they were added: those lie in one array. */
static int by_key(const void *x, const void *y)
{
	const struct store_record *a = *(struct store_record *const *)x;
	const struct store_record *b = *(struct store_record *const *)y;
	size_t min = a->key_len < b->key_len ? a->key_len : b->key_len;
	int cmp = memcmp(a->key, b->key, min);

	if (cmp == 0)
		cmp = (a->key_len > b->key_len) - (a->key_len < b->key_len);
	return cmp != 0 ? cmp : (a > b) - (a < b);
}

enum perr store_state_build(const char *path, struct store_records *rs)
{
	struct store_record **order = NULL;
	MDB_env *env = NULL;
	MDB_txn *txn = NULL;
	MDB_dbi dbi;
	enum perr err;
	size_t i;
	int rc;

	err = store_lmdb_open(&env, path, STATE_MAP, STORE_LMDB_NEW);
	if (err != PERR_OK)
		goto out;
	err = PERR_NOMEM;
	order = malloc((rs->n + 1) * sizeof *order);
	if (order == NULL)
		goto out;
	for (i = 0; i < rs->n; i++)
		order[i] = &rs->v[i];
	qsort(order, rs->n, sizeof *order, by_key);
	rc = mdb_txn_begin(env, NULL, 0, &txn);
	if (rc == 0)
		rc = mdb_dbi_open(txn, NULL, 0, &dbi);
	for (i = 0; rc == 0 && i < rs->n; i++) {
		const struct store_record *r = order[i];

		if (i + 1 < rs->n && order[i + 1]->key_len == r->key_len &&
		    memcmp(order[i + 1]->key, r->key, r->key_len) == 0)
			continue;       /* overruled */
		if (r->val != NULL)
			rc = put_record(txn, dbi, r->key, r->key_len, r->val, r->len, NULL, 0,
			                MDB_APPEND);
	}
	if (rc == 0) {
		rc = mdb_txn_commit(txn);
		txn = NULL;
	}
	if (rc == 0)
		rc = mdb_env_sync(env, 1);
	err = store_lmdb_err(rc);
out:
	free(order);
	if (txn != NULL)
		mdb_txn_abort(txn);
	if (env != NULL)
		mdb_env_close(env);
	return err;
}

enum perr store_state_open(struct store_state *s, const char *path)
{
	MDB_txn *txn = NULL;
	enum perr err;
	int rc;

	memset(s, 0, sizeof *s);
	err = store_lmdb_open(&s->env, path, STATE_MAP, STORE_LMDB_ANY);
	if (err != PERR_OK)
		return err;
	rc = mdb_txn_begin(s->env, NULL, MDB_RDONLY, &txn);
	if (rc == 0)
		rc = mdb_dbi_open(txn, NULL, 0, &s->dbi);
	if (txn != NULL)
		mdb_txn_abort(txn);
	if (rc != 0)
		store_state_close(s);
	return store_lmdb_err(rc);
}

void store_state_close(struct store_state *s)
{
	store_state_abort(s);
	if (s->env != NULL)
		mdb_env_close(s->env);
	s->env = NULL;
}

enum perr store_state_begin(struct store_state *s)
{
	int rc = s->txn != NULL ? 0 : mdb_txn_begin(s->env, NULL, 0, &s->txn);

	if (rc != 0)
		s->txn = NULL;
	return rc == 0 ? PERR_OK : rc == ENOMEM ? PERR_NOMEM : PERR_IO;
}

enum perr store_state_commit(struct store_state *s)
{
	int rc = mdb_txn_commit(s->txn);

	s->txn = NULL;
	if (rc == MDB_MAP_FULL)
		return PERR_FULL;
	return rc == 0 ? PERR_OK : PERR_IO;
}

void store_state_abort(struct store_state *s)
{
	if (s->txn != NULL)
		mdb_txn_abort(s->txn);
	s->txn = NULL;
}

enum perr store_state_put(struct store_state *s, const void *key, size_t key_len,
                          const void *a, size_t a_len, const void *b, size_t b_len)
{
	return store_lmdb_err(put_record(s->txn, s->dbi, key, key_len, a, a_len, b, b_len, 0));
}

enum perr store_state_del(struct store_state *s, const void *key, size_t key_len)
{
	MDB_val k = { key_len, (void *)(uintptr_t)key };

	return store_lmdb_err(mdb_del(s->txn, s->dbi, &k, NULL));
}

enum perr store_view_open(struct store_view *v, struct store_state *s, int is_writer)
{
	v->dbi = s->dbi;
	v->is_batch = is_writer && s->txn != NULL;
	v->txn = v->is_batch ? s->txn : NULL;
	if (v->is_batch)
		return PERR_OK;
	return store_lmdb_err(mdb_txn_begin(s->env, NULL, MDB_RDONLY, &v->txn));
}

void store_view_close(struct store_view *v)
{
	if (!v->is_batch && v->txn != NULL)
		mdb_txn_abort(v->txn);
	v->txn = NULL;
}

/* The value without its checksum, or NULL if that does not fit. */
static const uint8_t *checked(const MDB_val *k, const MDB_val *v, size_t *len)
{
	uint8_t sum[STORE_STATE_SUM];

	*len = 0;
	if (v->mv_size < STORE_STATE_SUM)
		return NULL;
	checksum(sum, k->mv_data, k->mv_size, v->mv_data, v->mv_size - STORE_STATE_SUM, NULL, 0);
	if (memcmp(sum, (uint8_t *)v->mv_data + v->mv_size - STORE_STATE_SUM, sizeof sum) != 0)
		return NULL;
	*len = v->mv_size - STORE_STATE_SUM;
	return v->mv_data;
}

enum perr store_view_get(const struct store_view *v, const void *key, size_t key_len,
                         const uint8_t **val, size_t *len)
{
	MDB_val k = { key_len, (void *)(uintptr_t)key }, d;
	int rc = mdb_get(v->txn, v->dbi, &k, &d);

	if (rc != 0)
		return store_lmdb_err(rc);
	*val = checked(&k, &d, len);
	return *val != NULL ? PERR_OK : PERR_CORRUPT;
}

enum perr store_view_each(const struct store_view *v, uint8_t kind,
                          enum perr (*each)(void *arg, const uint8_t *key, size_t key_len,
                                            const uint8_t *val, size_t len),
                          void *arg)
{
	MDB_cursor *cur = NULL;
	MDB_val k = { 1, &kind }, d;
	enum perr err = PERR_OK;
	int rc = mdb_cursor_open(v->txn, v->dbi, &cur);

	if (rc == 0)
		rc = mdb_cursor_get(cur, &k, &d, kind == 0 ? MDB_FIRST : MDB_SET_RANGE);
	while (rc == 0 && err == PERR_OK) {
		const uint8_t *key = k.mv_data, *val;
		size_t len;

		if (kind != 0 && key[0] != kind)
			break;
		val = checked(&k, &d, &len);
		err = each(arg, key, k.mv_size, val, len);
		if (err == PERR_OK)
			rc = mdb_cursor_get(cur, &k, &d, MDB_NEXT);
	}
	if (cur != NULL)
		mdb_cursor_close(cur);
	if (err != PERR_OK)
		return err == PERR_MORE ? PERR_OK : err;
	return rc == 0 || rc == MDB_NOTFOUND ? PERR_OK : store_lmdb_err(rc);
}
