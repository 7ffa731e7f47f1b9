/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/statvfs.h>

#include "vault_base.h"

/* How much a walk reads under one lock. */
#define AHEAD_N   64
#define AHEAD_LEN ((size_t)1 << 20)

static struct vault *vault_of(struct kv *kv)
{
	return (struct vault *)(void *)kv;
}

/* ---- records ---- */

enum perr vault_record_get(struct vault *v, MDB_txn *txn, const char *name, uint8_t **value,
                            size_t *len)
{
	uint8_t rk[VAULT_RK_SIZE];
	MDB_val key = { sizeof rk, rk }, val;
	enum perr err;

	*value = NULL;
	*len = 0;
	vault_rk(rk, v->keys, name);
	err = vault_from_mdb(mdb_get(txn, v->b.v, &key, &val));
	if (err == PERR_OK)
		return vault_value_open(value, len, v->keys, rk, val.mv_data, val.mv_size);
	/* A value lost to damage would look like one that never was: ask the other
	 * database. */
	if (err == PERR_NOTFOUND && mdb_get(txn, v->b.n, &key, &val) == MDB_SUCCESS)
		return PERR_CORRUPT;
	return err;
}

/* PERR_OK: it is there.  Takes the lock itself. */
static enum perr record_find(struct vault *v, const char *name)
{
	uint8_t rk[VAULT_RK_SIZE];
	MDB_val key = { sizeof rk, rk }, val;
	MDB_txn *txn = NULL;
	enum perr err = vault_enter(v, LOCK_SH);

	if (err != PERR_OK)
		return err;
	vault_rk(rk, v->keys, name);
	err = vault_read_begin(v, &txn);
	if (err == PERR_OK)
		err = vault_from_mdb(mdb_get(txn, v->b.n, &key, &val));
	vault_read_end(v, txn);
	vault_leave(v);
	return err;
}

enum perr vault_record_put(const struct vault_base *b, const struct vault_keys *k, MDB_txn *txn,
                            const char *name, const uint8_t *value, size_t len)
{
	uint8_t rk[VAULT_RK_SIZE], sealed_name[VAULT_NAME_SIZE];
	MDB_val key = { sizeof rk, rk }, val;
	enum perr err;

	vault_rk(rk, k, name);
	vault_name_seal(sealed_name, k, rk, name);
	val.mv_data = sealed_name;
	val.mv_size = sizeof sealed_name;
	err = vault_from_mdb(mdb_put(txn, b->n, &key, &val, 0));
	if (err != PERR_OK)
		return err;
	val.mv_data = NULL;
	val.mv_size = vault_value_size(len);
	err = vault_from_mdb(mdb_put(txn, b->v, &key, &val, MDB_RESERVE));
	if (err == PERR_OK)
		vault_value_seal(val.mv_data, k, rk, value, len);
	return err;
}

static enum perr record_del(struct vault *v, const char *name)
{
	uint8_t rk[VAULT_RK_SIZE];
	MDB_val key = { sizeof rk, rk };
	int rc;

	vault_rk(rk, v->keys, name);
	rc = mdb_del(v->txn, v->b.n, &key, NULL);
	if (rc != MDB_SUCCESS && rc != MDB_NOTFOUND)
		return vault_from_mdb(rc);
	rc = mdb_del(v->txn, v->b.v, &key, NULL);
	return rc == MDB_NOTFOUND ? PERR_OK : vault_from_mdb(rc);
}

/* ---- the index of names ---- */

void vault_names_drop(struct vault *v)
{
	vault_index_clear(&v->index);
	v->is_indexed = false;
}

static enum perr index_read(struct vault *v, MDB_txn *txn)
{
	MDB_cursor *cursor = NULL;
	MDB_stat names, values;
	MDB_val key, val;
	char name[KV_NAME_MAX + 1];
	size_t n = 0;
	int rc = 0;
	enum perr err;

	err = vault_from_mdb(mdb_stat(txn, v->b.n, &names));
	if (err == PERR_OK)
		err = vault_from_mdb(mdb_stat(txn, v->b.v, &values));
	if (err == PERR_OK)
		err = vault_from_mdb(mdb_cursor_open(txn, v->b.n, &cursor));
	while (err == PERR_OK) {
		rc = mdb_cursor_get(cursor, &key, &val, MDB_NEXT);
		if (rc != MDB_SUCCESS)
			break;
		if (key.mv_size != VAULT_RK_SIZE)
			err = PERR_CORRUPT;
		else
			err = vault_name_open(name, v->keys, key.mv_data, val.mv_data, val.mv_size);
		if (err == PERR_OK && name[0] != '.')
			err = vault_index_append(&v->index, name);
		n++;
	}
	if (err == PERR_OK && rc != MDB_NOTFOUND)
		err = vault_from_mdb(rc);
	/* Three counts that agree in a whole file. */
	if (err == PERR_OK && (n != names.ms_entries || n != values.ms_entries))
		err = PERR_CORRUPT;
	if (cursor != NULL)
		mdb_cursor_close(cursor);
	sodium_memzero(name, sizeof name);
	return err;
}

/* Between enter and leave. */
enum perr vault_names_load(struct vault *v, MDB_txn *txn)
{
	size_t id = mdb_txn_id(txn);
	enum perr err;

	if (v->is_indexed && (v->txn != NULL || v->index_txn == id))
		return PERR_OK;
	vault_names_drop(v);
	err = index_read(v, txn);
	if (err != PERR_OK) {
		vault_names_drop(v);
		return err;
	}
	vault_index_sort(&v->index);
	v->is_indexed = true;
	v->index_txn = id;
	return PERR_OK;
}

/* ---- the interface of kv.h ---- */

static enum perr op_begin(struct kv *kv)
{
	struct vault *v = vault_of(kv);
	enum perr err;

	if (v->txn != NULL)
		return PERR_STATE;
	err = vault_enter(v, LOCK_EX);
	if (err != PERR_OK)
		return err;
	err = vault_from_mdb(mdb_txn_begin(v->b.env, NULL, 0, &v->txn));
	if (err != PERR_OK) {
		v->txn = NULL;
		vault_leave(v);
		return err;
	}
	v->spoilt = PERR_OK;
	/* The batch works on the index from here: is it of the state it starts with? */
	if (v->is_indexed && v->index_txn != mdb_txn_id(v->txn) - 1)
		vault_names_drop(v);
	return PERR_OK;
}

static void op_abort(struct kv *kv)
{
	struct vault *v = vault_of(kv);

	if (v->txn == NULL)
		return;
	mdb_txn_abort(v->txn);
	v->txn = NULL;
	v->changes++;
	vault_names_drop(v);
	vault_leave(v);
}

static enum perr op_commit(struct kv *kv)
{
	struct vault *v = vault_of(kv);
	struct statvfs fs;
	size_t id;
	enum perr err;

	if (v->txn == NULL)
		return PERR_STATE;
	if (v->spoilt != PERR_OK) {
		op_abort(kv);
		return v->spoilt;
	}
	id = mdb_txn_id(v->txn);
	err = vault_from_mdb(mdb_txn_commit(v->txn));
	v->txn = NULL;                  /* gone, whatever commit said */
	v->index_txn = id;
	if (err != PERR_OK) {
		/* The environment may be in panic; the file is what it was. */
		vault_names_drop(v);
		vault_base_close(&v->b);
		v->changes++;
		/* A full disk comes as a short write, which LMDB calls EIO. */
		if (err == PERR_IO && statvfs(v->disk.home, &fs) == 0 &&
		    fs.f_bavail < (1u << 20) / fs.f_frsize)
			err = PERR_FULL;
	}
	vault_leave(v);
	return err;
}

static enum perr change(struct vault *v, enum perr err)
{
	v->changes++;
	if (err != PERR_OK && v->spoilt == PERR_OK)
		v->spoilt = err;
	return err;
}

static enum perr op_put(struct kv *kv, const char *name, const uint8_t *value, size_t len)
{
	struct vault *v = vault_of(kv);
	enum perr err;

	if (v->txn == NULL)
		return PERR_STATE;
	if (v->spoilt != PERR_OK)
		return v->spoilt;
	if (!kv_name_ok(name) || len > KV_VALUE_MAX)
		return change(v, PERR_RANGE);
	err = vault_record_put(&v->b, v->keys, v->txn, name, value, len);
	if (err == PERR_OK && v->is_indexed)
		err = vault_index_add(&v->index, name);
	return change(v, err);
}

static enum perr op_get(struct kv *kv, const char *name, uint8_t **value, size_t *len)
{
	struct vault *v = vault_of(kv);
	MDB_txn *txn = NULL;
	size_t n = 0;
	enum perr err;

	*value = NULL;
	if (len != NULL)
		*len = 0;
	if (!kv_name_ok(name))
		return PERR_RANGE;
	err = vault_enter(v, LOCK_SH);
	if (err != PERR_OK)
		return err;
	err = vault_read_begin(v, &txn);
	if (err == PERR_OK)
		err = vault_record_get(v, txn, name, value, &n);
	vault_read_end(v, txn);
	vault_leave(v);
	if (len != NULL)
		*len = n;
	return err;
}

static enum perr op_del(struct kv *kv, const char *name)
{
	struct vault *v = vault_of(kv);
	enum perr err;

	if (v->txn == NULL)
		return PERR_STATE;
	if (v->spoilt != PERR_OK)
		return v->spoilt;
	if (!kv_name_ok(name))
		return change(v, PERR_RANGE);
	err = record_del(v, name);
	if (err == PERR_OK && v->is_indexed)
		vault_index_remove(&v->index, name);
	return change(v, err);
}

static enum perr op_erase(struct kv *kv, const char *name)
{
	struct vault *v = vault_of(kv);
	enum perr err = op_del(kv, name);

	if (err != PERR_OK || vault_owes_compact(v))
		return err;
	return change(v, vault_record_put(&v->b, v->keys, v->txn, VAULT_OWED, NULL, 0));
}

static enum perr op_settle(struct kv *kv)
{
	struct vault *v = vault_of(kv);

	if (v->txn != NULL)
		return PERR_STATE;
	return vault_owes_compact(v) ? vault_compact(v) : PERR_OK;
}

static enum perr walk_take(struct vault *v, const char *prefix, struct vault_index_walk *w)
{
	MDB_txn *txn = NULL;
	enum perr err = vault_enter(v, LOCK_SH);

	memset(w, 0, sizeof *w);
	if (err != PERR_OK)
		return err;
	err = vault_read_begin(v, &txn);
	if (err == PERR_OK)
		err = vault_names_load(v, txn);
	vault_read_end(v, txn);
	vault_leave(v);
	return err == PERR_OK ? vault_index_walk(&v->index, prefix, w) : err;
}

struct ahead {
	const char *name;
	uint8_t *value;
	size_t len;
	enum perr err;
};

/* Read on from name, at most max records; *n: how many. */
static enum perr read_ahead(struct vault *v, const char *name, size_t max, struct ahead *a,
                            size_t *n)
{
	MDB_txn *txn = NULL;
	size_t len = 0;
	enum perr err = vault_enter(v, LOCK_SH);

	*n = 0;
	if (err != PERR_OK)
		return err;
	err = vault_read_begin(v, &txn);
	while (err == PERR_OK && *n < max && *n < AHEAD_N && len < AHEAD_LEN) {
		a->name = name;
		a->err = vault_record_get(v, txn, name, &a->value, &a->len);
		len += a->len;
		name += strlen(name) + 1;
		a++;
		(*n)++;
	}
	vault_read_end(v, txn);
	vault_leave(v);
	return err;
}

static enum perr op_each(struct kv *kv, const char *prefix, kv_each_fn *fn, void *arg)
{
	struct vault *v = vault_of(kv);
	struct ahead a[AHEAD_N];
	struct vault_index_walk w;
	const char *name;
	size_t left, n, i;
	enum perr err = walk_take(v, prefix, &w);

	name = w.text;
	left = w.n;
	while (err == PERR_OK && left > 0) {
		unsigned long changes = v->changes;

		err = read_ahead(v, name, left, a, &n);
		for (i = 0; i < n; i++) {
			/* A change by the callback makes what was read ahead stale. */
			if (err == PERR_OK && v->changes != changes) {
				kv_free(a[i].value);
				a[i].err = op_get(kv, a[i].name, &a[i].value, &a[i].len);
			}
			if (err == PERR_OK && a[i].err == PERR_OK)
				err = fn(arg, a[i].name, a[i].value, a[i].len);
			else if (err == PERR_OK && a[i].err != PERR_NOTFOUND)
				err = a[i].err;
			kv_free(a[i].value);
			name = a[i].name + strlen(a[i].name) + 1;
		}
		left -= n;
	}
	vault_index_walk_free(&w);
	return err;
}

static enum perr op_each_name(struct kv *kv, const char *prefix, kv_name_fn *fn, void *arg)
{
	struct vault *v = vault_of(kv);
	struct vault_index_walk w;
	const char *name;
	unsigned long changes = v->changes;
	size_t i;
	enum perr err = walk_take(v, prefix, &w);

	name = w.text;
	for (i = 0; i < w.n && err == PERR_OK; i++) {
		/* An earlier callback may have deleted it. */
		enum perr found = v->changes != changes ? record_find(v, name) : PERR_OK;

		if (found == PERR_OK)
			err = fn(arg, name);
		else if (found != PERR_NOTFOUND)
			err = found;
		name += strlen(name) + 1;
	}
	vault_index_walk_free(&w);
	return err;
}

const struct kv_ops vault_kv_ops = {
	.begin = op_begin,
	.commit = op_commit,
	.abort = op_abort,
	.put = op_put,
	.get = op_get,
	.del = op_del,
	.erase = op_erase,
	.settle = op_settle,
	.each = op_each,
	.each_name = op_each_name,
};
