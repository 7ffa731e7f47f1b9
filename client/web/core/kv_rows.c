/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "kv_rows.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "row_table.h"
#include "vault_index.h"

/* Names with a full stop first are the vault's own; kv_name_ok refuses them. */
#define OWED ".owed"

/* what a batch replaced, to be put back by an abort */
struct undo {
	uint8_t rk[VAULT_RK_SIZE];
	uint8_t *row;                   /* NULL: there was none */
	size_t len;
};

struct kv_rows {
	struct kv kv;
	struct vault_keys *keys;        /* sodium_malloc */
	struct vault_params params;
	uint8_t header[VAULT_HEADER_SIZE];
	struct row_table table;
	struct vault_index index;
	bool is_open, is_kiosk, is_dead, is_owed;

	bool in_batch;
	enum perr spoilt;
	struct undo *undo;
	size_t n_undo, undo_cap;
	bool owed_before;
	unsigned long changes;          /* counts our own changes, for walks */

	bool say_clear, say_header;     /* the journal begins with these */
	uint8_t (*changed)[VAULT_RK_SIZE];
	size_t n_changed, changed_cap, changed_at;
};

static struct kv_rows *rows_of(struct kv *kv)
{
	return (struct kv_rows *)(void *)kv;
}

/* ---- one record ---- */

static enum perr record_seal(const struct vault_keys *k, const char *name, const uint8_t *value,
                             size_t len, uint8_t rk[VAULT_RK_SIZE], uint8_t **row,
                             size_t *row_len)
{
	*row_len = VAULT_NAME_SIZE + vault_value_size(len);
	*row = kv_alloc(*row_len);
	if (*row == NULL)
		return PERR_NOMEM;
	vault_rk(rk, k, name);
	vault_name_seal(*row, k, rk, name);
	vault_value_seal(*row + VAULT_NAME_SIZE, k, rk, value, len);
	return PERR_OK;
}

static enum perr record_open(const struct kv_rows *v, const char *name, uint8_t **value,
                             size_t *len)
{
	uint8_t rk[VAULT_RK_SIZE];
	const struct row *row;

	vault_rk(rk, v->keys, name);
	row = row_table_find(&v->table, rk);
	if (row == NULL)
		return PERR_NOTFOUND;
	return vault_value_open(value, len, v->keys, rk, row->bytes + VAULT_NAME_SIZE,
	                        row->len - VAULT_NAME_SIZE);
}

static bool record_is_there(const struct kv_rows *v, const char *name)
{
	uint8_t rk[VAULT_RK_SIZE];

	vault_rk(rk, v->keys, name);
	return row_table_find(&v->table, rk) != NULL;
}

/* ---- a batch ---- */

static enum perr op_begin(struct kv *kv)
{
	struct kv_rows *v = rows_of(kv);

	if (v->in_batch || v->is_dead)
		return PERR_STATE;
	v->in_batch = true;
	v->spoilt = PERR_OK;
	v->owed_before = v->is_owed;
	return PERR_OK;
}

/* Room in all lists ahead, so that neither an abort nor a commit can fail. */
static enum perr reserve(struct kv_rows *v)
{
	size_t cap = v->n_undo + 1, need;
	void *p;

	if (v->n_undo == v->undo_cap) {
		cap = v->undo_cap == 0 ? 32 : 2 * v->undo_cap;
		p = realloc(v->undo, cap * sizeof *v->undo);
		if (p == NULL)
			return PERR_NOMEM;
		v->undo = p;
		v->undo_cap = cap;
	}
	need = v->n_changed + v->n_undo + 1;
	if (!v->is_kiosk && need > v->changed_cap) {
		cap = v->changed_cap == 0 ? 64 : 2 * v->changed_cap;
		p = realloc(v->changed, cap * sizeof *v->changed);
		if (p == NULL)
			return PERR_NOMEM;
		v->changed = p;
		v->changed_cap = cap;
	}
	return row_table_reserve(&v->table, v->table.n + 1);
}

/* row  in: taken over in every case; NULL: the record goes */
static enum perr replace(struct kv_rows *v, const char *name, const uint8_t rk[VAULT_RK_SIZE],
                         uint8_t *row, size_t len)
{
	enum perr err = reserve(v);
	struct undo *u;

	if (err == PERR_OK && row != NULL && name[0] != '.')
		err = vault_index_add(&v->index, name);
	if (err != PERR_OK) {
		kv_free(row);
		return err;
	}
	if (row == NULL)
		vault_index_remove(&v->index, name);
	u = &v->undo[v->n_undo++];
	memcpy(u->rk, rk, VAULT_RK_SIZE);
	row_table_swap(&v->table, rk, row, len, &u->row, &u->len);
	return PERR_OK;
}

static enum perr record_put(struct kv_rows *v, const char *name, const uint8_t *value, size_t len)
{
	uint8_t rk[VAULT_RK_SIZE], *row;
	size_t row_len;
	enum perr err = record_seal(v->keys, name, value, len, rk, &row, &row_len);

	return err == PERR_OK ? replace(v, name, rk, row, row_len) : err;
}

/* The names again, from the sealed ones: after an abort. */
static enum perr index_read(struct kv_rows *v)
{
	char name[KV_NAME_MAX + 1];
	const struct row *row = NULL;
	enum perr err = PERR_OK;

	vault_index_clear(&v->index);
	v->is_owed = false;
	while (err == PERR_OK && (row = row_table_next(&v->table, row)) != NULL) {
		err = vault_name_open(name, v->keys, row->rk, row->bytes, VAULT_NAME_SIZE);
		if (err != PERR_OK)
			break;
		if (name[0] != '.')
			err = vault_index_append(&v->index, name);
		else if (strcmp(name, OWED) == 0)
			v->is_owed = true;
	}
	sodium_memzero(name, sizeof name);
	if (err == PERR_OK)
		vault_index_sort(&v->index);
	return err;
}

/* Back in reverse order; a name whose record came or went goes or comes in the index. */
static void op_abort(struct kv *kv)
{
	struct kv_rows *v = rows_of(kv);

	if (!v->in_batch)
		return;
	v->in_batch = false;
	if (v->n_undo == 0)
		return;
	while (v->n_undo > 0) {
		struct undo *u = &v->undo[--v->n_undo];
		uint8_t *now;
		size_t now_len;

		row_table_swap(&v->table, u->rk, u->row, u->len, &now, &now_len);
		kv_free(now);
	}
	v->changes++;
	/* Without memory for its names it cannot be walked through: no half answers. */
	if (index_read(v) != PERR_OK)
		v->is_dead = true;
	v->is_owed = v->owed_before;
}

static enum perr op_commit(struct kv *kv)
{
	struct kv_rows *v = rows_of(kv);
	size_t i;

	if (!v->in_batch)
		return PERR_STATE;
	if (v->spoilt != PERR_OK) {
		op_abort(kv);
		return v->spoilt;
	}
	for (i = 0; i < v->n_undo; i++) {
		kv_free(v->undo[i].row);
		if (!v->is_kiosk)
			memcpy(v->changed[v->n_changed++], v->undo[i].rk, VAULT_RK_SIZE);
	}
	v->n_undo = 0;
	v->in_batch = false;
	return PERR_OK;
}

static enum perr change(struct kv_rows *v, enum perr err)
{
	v->changes++;
	if (err != PERR_OK && v->spoilt == PERR_OK)
		v->spoilt = err;
	return err;
}

static enum perr op_put(struct kv *kv, const char *name, const uint8_t *value, size_t len)
{
	struct kv_rows *v = rows_of(kv);

	if (!v->in_batch)
		return PERR_STATE;
	if (v->spoilt != PERR_OK)
		return v->spoilt;
	if (!kv_name_ok(name) || len > KV_VALUE_MAX)
		return change(v, PERR_RANGE);
	return change(v, record_put(v, name, value, len));
}

static enum perr op_del(struct kv *kv, const char *name)
{
	struct kv_rows *v = rows_of(kv);
	uint8_t rk[VAULT_RK_SIZE];

	if (!v->in_batch)
		return PERR_STATE;
	if (v->spoilt != PERR_OK)
		return v->spoilt;
	if (!kv_name_ok(name))
		return change(v, PERR_RANGE);
	vault_rk(rk, v->keys, name);
	if (row_table_find(&v->table, rk) == NULL)
		return PERR_OK;
	return change(v, replace(v, name, rk, NULL, 0));
}

static enum perr op_erase(struct kv *kv, const char *name)
{
	struct kv_rows *v = rows_of(kv);
	enum perr err = op_del(kv, name);

	if (err != PERR_OK || v->is_owed || v->is_kiosk)
		return err;
	err = record_put(v, OWED, NULL, 0);
	v->is_owed = err == PERR_OK;
	return change(v, err);
}

static enum perr op_get(struct kv *kv, const char *name, uint8_t **value, size_t *len)
{
	struct kv_rows *v = rows_of(kv);
	size_t n = 0;
	enum perr err;

	*value = NULL;
	if (len != NULL)
		*len = 0;
	if (!kv_name_ok(name))
		return PERR_RANGE;
	if (v->is_dead)
		return PERR_STATE;
	err = record_open(v, name, value, &n);
	if (len != NULL)
		*len = n;
	return err;
}

/* ---- walks ---- */

static enum perr walk(struct kv_rows *v, const char *prefix, kv_each_fn *fn, kv_name_fn *name_fn,
                      void *arg)
{
	unsigned long changes = v->changes;
	struct vault_index_walk w;
	const char *name;
	enum perr err;

	if (v->is_dead)
		return PERR_STATE;
	err = vault_index_walk(&v->index, prefix, &w);
	for (name = w.text; err == PERR_OK && w.n > 0; w.n--, name += strlen(name) + 1) {
		uint8_t *value;
		size_t len;

		if (fn == NULL) {
			/* An earlier callback may have deleted it. */
			if (v->changes == changes || record_is_there(v, name))
				err = name_fn(arg, name);
			continue;
		}
		err = op_get(&v->kv, name, &value, &len);
		if (err == PERR_OK)
			err = fn(arg, name, value, len);
		else if (err == PERR_NOTFOUND)
			err = PERR_OK;
		kv_free(value);
	}
	vault_index_walk_free(&w);
	return err;
}

static enum perr op_each(struct kv *kv, const char *prefix, kv_each_fn *fn, void *arg)
{
	return walk(rows_of(kv), prefix, fn, NULL, arg);
}

static enum perr op_each_name(struct kv *kv, const char *prefix, kv_name_fn *fn, void *arg)
{
	return walk(rows_of(kv), prefix, NULL, fn, arg);
}

/* ---- settling ---- */

/* One row from old keys to new ones, in its own bytes: its length stays. */
static enum perr reseal(struct row *row, const struct vault_keys *old,
                        const struct vault_keys *fresh, bool *is_own)
{
	char name[KV_NAME_MAX + 1];
	uint8_t *value = NULL;
	size_t len;
	enum perr err = vault_name_open(name, old, row->rk, row->bytes, VAULT_NAME_SIZE);

	if (err == PERR_OK)
		err = vault_value_open(&value, &len, old, row->rk, row->bytes + VAULT_NAME_SIZE,
		                       row->len - VAULT_NAME_SIZE);
	if (err == PERR_OK) {
		*is_own = name[0] == '.';
		vault_rk(row->rk, fresh, name);
		vault_name_seal(row->bytes, fresh, row->rk, name);
		vault_value_seal(row->bytes + VAULT_NAME_SIZE, fresh, row->rk, value, len);
	}
	kv_free(value);
	sodium_memzero(name, sizeof name);
	return err;
}

/*
 * Everything under a new vault key.  keys->pass and params are the new ones already; the old
 * vault key is in k.  Rows go over one at a time, so that a vault of hundreds of megabytes
 * needs no second room; hence a failure in the middle is the end of this kv.
 */
static enum perr settle(struct kv_rows *v, struct vault_keys *fresh)
{
	struct row_table table = { 0 };
	struct row row;
	size_t at = 0;
	enum perr err = row_table_reserve(&table, v->table.n + 1);

	if (err == PERR_OK && v->table.n > v->changed_cap) {
		void *p = realloc(v->changed, v->table.n * sizeof *v->changed);

		if (p == NULL)
			err = PERR_NOMEM;
		else {
			v->changed = p;
			v->changed_cap = v->table.n;
		}
	}
	if (err != PERR_OK) {
		row_table_free(&table);
		return err;                     /* nothing has changed yet */
	}
	v->n_changed = v->changed_at = 0;
	while (err == PERR_OK && row_table_drain(&v->table, &at, &row)) {
		bool is_own = false;

		err = reseal(&row, v->keys, fresh, &is_own);
		if (err != PERR_OK || is_own) {
			kv_free(row.bytes);
			continue;
		}
		memcpy(v->changed[v->n_changed++], row.rk, VAULT_RK_SIZE);
		row_table_swap(&table, row.rk, row.bytes, row.len, &row.bytes, &row.len);
		assert(row.bytes == NULL);
	}
	row_table_free(&v->table);
	v->table = table;
	v->changes++;
	if (err != PERR_OK) {
		v->is_dead = true;
		return err;
	}
	memcpy(v->keys, fresh, sizeof *fresh);
	vault_header_make(v->header, &v->params, v->keys);
	v->say_clear = v->say_header = true;
	v->is_owed = false;
	return PERR_OK;
}

static enum perr settle_under(struct kv_rows *v, const struct vault_key *pass)
{
	struct vault_keys *fresh;
	enum perr err;

	if (v->in_batch || v->is_dead)
		return PERR_STATE;
	fresh = sodium_malloc(sizeof *fresh);
	if (fresh == NULL)
		return PERR_NOMEM;
	fresh->pass = *pass;
	vault_keys_make(fresh);
	err = settle(v, fresh);
	sodium_memzero(fresh, sizeof *fresh);
	sodium_free(fresh);
	return err;
}

static enum perr op_settle(struct kv *kv)
{
	struct kv_rows *v = rows_of(kv);

	if (v->in_batch || v->is_dead)
		return PERR_STATE;
	return v->is_owed ? settle_under(v, &v->keys->pass) : PERR_OK;
}

static const struct kv_ops rows_ops = {
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

/* ---- making and opening ---- */

static struct kv_rows *rows_new(void)
{
	struct kv_rows *v = calloc(1, sizeof *v);

	if (v == NULL)
		return NULL;
	v->kv.ops = &rows_ops;
	v->keys = sodium_malloc(sizeof *v->keys);
	if (v->keys == NULL) {
		free(v);
		return NULL;
	}
	memset(v->keys, 0, sizeof *v->keys);
	return v;
}

void kv_rows_free(struct kv_rows *v)
{
	if (v == NULL)
		return;
	op_abort(&v->kv);
	vault_index_clear(&v->index);
	row_table_free(&v->table);
	free(v->undo);
	free(v->changed);
	sodium_memzero(v->keys, sizeof *v->keys);
	sodium_free(v->keys);
	sodium_memzero(v, sizeof *v);
	free(v);
}

enum perr kv_rows_create(struct kv_rows **out, const char *pass, size_t pass_len,
                         enum vault_cost cost)
{
	struct kv_rows *v;
	enum perr err;

	*out = NULL;
	if (pass_len == 0)
		return PERR_RANGE;
	v = rows_new();
	if (v == NULL)
		return PERR_NOMEM;
	vault_params_make(&v->params, cost);
	err = vault_params_derive(&v->keys->pass, &v->params, pass, pass_len);
	if (err != PERR_OK) {
		kv_rows_free(v);
		return err;
	}
	vault_keys_make(v->keys);
	vault_header_make(v->header, &v->params, v->keys);
	v->is_open = v->say_clear = v->say_header = true;
	*out = v;
	return PERR_OK;
}

enum perr kv_rows_new_kiosk(struct kv_rows **out)
{
	struct kv_rows *v = rows_new();

	*out = v;
	if (v == NULL)
		return PERR_NOMEM;
	vault_keys_make(v->keys);
	v->is_open = v->is_kiosk = true;
	return PERR_OK;
}

enum perr kv_rows_unlock(struct kv_rows **out, const uint8_t *header, size_t header_len,
                         const char *pass, size_t pass_len)
{
	struct kv_rows *v = rows_new();
	enum perr err = PERR_NOMEM;

	*out = NULL;
	if (v == NULL)
		return err;
	err = vault_header_read(&v->params, header, header_len);
	if (err == PERR_OK)
		err = vault_params_derive(&v->keys->pass, &v->params, pass, pass_len);
	if (err == PERR_OK)
		err = vault_header_open(v->keys, header, header_len);
	if (err != PERR_OK) {
		kv_rows_free(v);
		return err;
	}
	memcpy(v->header, header, sizeof v->header);
	*out = v;
	return PERR_OK;
}

enum perr kv_rows_load(struct kv_rows *v, const uint8_t rk[VAULT_RK_SIZE], const uint8_t *row,
                       size_t row_len)
{
	uint8_t *copy, *before;
	size_t before_len;
	enum perr err;

	if (v->is_open)
		return PERR_STATE;
	if (row_len < VAULT_NAME_SIZE + vault_value_size(0) ||
	    row_len > VAULT_NAME_SIZE + vault_value_size(KV_VALUE_MAX) ||
	    row_table_find(&v->table, rk) != NULL)
		return PERR_CORRUPT;
	err = row_table_reserve(&v->table, v->table.n + 1);
	if (err != PERR_OK)
		return err;
	copy = kv_alloc(row_len);
	if (copy == NULL)
		return PERR_NOMEM;
	memcpy(copy, row, row_len);
	row_table_swap(&v->table, rk, copy, row_len, &before, &before_len);
	assert(before == NULL);
	return PERR_OK;
}

enum perr kv_rows_open(struct kv_rows *v)
{
	enum perr err;

	if (v->is_open)
		return PERR_STATE;
	err = index_read(v);
	if (err == PERR_OK)
		v->is_open = true;
	return err;
}

struct kv *kv_rows_kv(struct kv_rows *v)
{
	return v->is_open ? &v->kv : NULL;
}

bool kv_rows_owes(const struct kv_rows *v)
{
	return v->is_owed;
}

size_t kv_rows_bytes(const struct kv_rows *v)
{
	return v->table.bytes;
}

unsigned long kv_rows_stamp(const struct kv_rows *v)
{
	return v->changes;
}

bool kv_rows_is_dead(const struct kv_rows *v)
{
	return v->is_dead;
}

enum perr kv_rows_check(const struct kv_rows *v, const char *pass, size_t pass_len)
{
	struct vault_key *key;
	enum perr err;

	if (v->is_kiosk)
		return PERR_STATE;
	key = sodium_malloc(sizeof *key);
	if (key == NULL)
		return PERR_NOMEM;
	err = vault_params_derive(key, &v->params, pass, pass_len);
	if (err == PERR_OK && sodium_memcmp(key->b, v->keys->pass.b, sizeof key->b) != 0)
		err = PERR_AUTH;
	sodium_memzero(key, sizeof *key);
	sodium_free(key);
	return err;
}

enum perr kv_rows_passphrase(struct kv_rows *v, const char *pass, size_t pass_len,
                             enum vault_cost cost)
{
	struct vault_params params, old = v->params;
	struct vault_key *key;
	enum perr err;

	if (v->is_kiosk || v->in_batch || v->is_dead)
		return PERR_STATE;
	if (pass_len == 0)
		return PERR_RANGE;
	key = sodium_malloc(sizeof *key);
	if (key == NULL)
		return PERR_NOMEM;
	vault_params_make(&params, cost);
	err = vault_params_derive(key, &params, pass, pass_len);
	if (err == PERR_OK) {
		v->params = params;
		err = settle_under(v, key);
		if (err != PERR_OK)
			v->params = old;
	}
	sodium_memzero(key, sizeof *key);
	sodium_free(key);
	return err;
}

/* ---- the journal ---- */

size_t kv_rows_changes(const struct kv_rows *v)
{
	return (size_t)v->say_clear + v->say_header + v->n_changed - v->changed_at;
}

static enum perr change_make(uint8_t kind, const uint8_t *a, size_t a_len, const uint8_t *b,
                             size_t b_len, uint8_t **out, size_t *len)
{
	*out = kv_alloc(1 + a_len + b_len);
	if (*out == NULL)
		return PERR_NOMEM;
	(*out)[0] = kind;
	if (a_len > 0)
		memcpy(*out + 1, a, a_len);
	if (b_len > 0)
		memcpy(*out + 1 + a_len, b, b_len);
	*len = 1 + a_len + b_len;
	return PERR_OK;
}

static enum perr change_next(struct kv_rows *v, uint8_t **out, size_t *len)
{
	if (v->say_clear) {
		v->say_clear = false;
		return change_make('c', NULL, 0, NULL, 0, out, len);
	}
	if (v->say_header) {
		v->say_header = false;
		return change_make('h', v->header, sizeof v->header, NULL, 0, out, len);
	}
	while (v->changed_at < v->n_changed) {
		const uint8_t *rk = v->changed[v->changed_at++];
		struct row *row = row_table_find(&v->table, rk);

		/* changed twice: told once, as it is now */
		if (row != NULL && row->is_told)
			continue;
		if (row == NULL)
			return change_make('r', rk, VAULT_RK_SIZE, NULL, 0, out, len);
		row->is_told = true;
		return change_make('r', rk, VAULT_RK_SIZE, row->bytes, row->len, out, len);
	}
	v->n_changed = v->changed_at = 0;
	return PERR_OK;
}

enum perr kv_rows_change(struct kv_rows *v, uint8_t **out, size_t *len)
{
	enum perr err;

	*out = NULL;
	*len = 0;
	if (v->is_dead)
		return PERR_STATE;
	assert(!v->in_batch);
	err = change_next(v, out, len);
	if (err != PERR_OK)
		v->is_dead = true;
	return err;
}
