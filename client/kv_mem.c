/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "kv_mem.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

struct entry {
	char name[KV_NAME_MAX + 1];
	uint8_t *value;         /* kv_alloc */
	size_t len;
};

struct list {
	struct entry *e;        /* in the order of their names */
	size_t n, cap;
};

struct kv_mem {
	struct kv kv;
	struct list live;
	struct list work;       /* a copy of live while a batch is open */
	bool in_batch;
	enum perr spoilt;
	unsigned fail_at;
};

static struct kv_mem *mem_of(struct kv *kv)
{
	return (struct kv_mem *)(void *)kv;
}

static struct list *view(struct kv_mem *m)
{
	return m->in_batch ? &m->work : &m->live;
}

static void list_clear(struct list *l)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		kv_free(l->e[i].value);
	if (l->e != NULL)
		sodium_memzero(l->e, l->cap * sizeof *l->e);
	free(l->e);
	memset(l, 0, sizeof *l);
}

/* Where name stands, or where it would have to stand. */
static size_t list_find(const struct list *l, const char *name, bool *is_there)
{
	size_t lo = 0, hi = l->n;

	*is_there = false;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int c = strcmp(l->e[mid].name, name);

		if (c == 0) {
			*is_there = true;
			return mid;
		}
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static enum perr list_put(struct list *l, const char *name, const uint8_t *value, size_t len)
{
	bool is_there;
	size_t i = list_find(l, name, &is_there);
	uint8_t *copy = kv_alloc(len);

	if (copy == NULL)
		return PERR_NOMEM;
	if (len > 0)
		memcpy(copy, value, len);
	if (is_there) {
		kv_free(l->e[i].value);
	} else {
		if (l->n == l->cap) {
			size_t cap = l->cap ? 2 * l->cap : 64;
			struct entry *e = realloc(l->e, cap * sizeof *e);

			if (e == NULL) {
				kv_free(copy);
				return PERR_NOMEM;
			}
			l->e = e;
			l->cap = cap;
		}
		memmove(&l->e[i + 1], &l->e[i], (l->n - i) * sizeof *l->e);
		l->n++;
		memset(&l->e[i], 0, sizeof l->e[i]);
		memcpy(l->e[i].name, name, strlen(name) + 1);
	}
	l->e[i].value = copy;
	l->e[i].len = len;
	return PERR_OK;
}

static void mem_abort(struct kv *kv)
{
	struct kv_mem *m = mem_of(kv);

	list_clear(&m->work);
	m->in_batch = false;
}

static enum perr mem_begin(struct kv *kv)
{
	struct kv_mem *m = mem_of(kv);
	enum perr err = PERR_OK;
	size_t i;

	if (m->in_batch)
		return PERR_STATE;
	m->in_batch = true;
	m->spoilt = PERR_OK;
	for (i = 0; i < m->live.n && err == PERR_OK; i++)
		err = list_put(&m->work, m->live.e[i].name, m->live.e[i].value, m->live.e[i].len);
	if (err != PERR_OK)
		mem_abort(kv);
	return err;
}

static enum perr mem_commit(struct kv *kv)
{
	struct kv_mem *m = mem_of(kv);
	enum perr err;

	if (!m->in_batch)
		return PERR_STATE;
	err = m->spoilt;
	if (err == PERR_OK && m->fail_at > 0 && --m->fail_at == 0)
		err = PERR_IO;
	if (err == PERR_OK) {
		struct list old = m->live;

		m->live = m->work;
		m->work = old;
	}
	mem_abort(kv);
	return err;
}

static enum perr mem_put(struct kv *kv, const char *name, const uint8_t *value, size_t len)
{
	struct kv_mem *m = mem_of(kv);
	enum perr err = PERR_OK;

	if (!m->in_batch)
		return PERR_STATE;
	if (!kv_name_ok(name) || len > KV_VALUE_MAX)
		err = PERR_RANGE;
	else
		err = list_put(&m->work, name, value, len);
	if (err != PERR_OK && m->spoilt == PERR_OK)
		m->spoilt = err;
	return err;
}

static enum perr mem_get(struct kv *kv, const char *name, uint8_t **value, size_t *len)
{
	struct list *l = view(mem_of(kv));
	bool is_there;
	size_t i;

	*value = NULL;
	if (len != NULL)
		*len = 0;
	if (!kv_name_ok(name))
		return PERR_RANGE;
	i = list_find(l, name, &is_there);
	if (!is_there)
		return PERR_NOTFOUND;
	*value = kv_alloc(l->e[i].len);
	if (*value == NULL)
		return PERR_NOMEM;
	memcpy(*value, l->e[i].value, l->e[i].len);
	if (len != NULL)
		*len = l->e[i].len;
	return PERR_OK;
}

static enum perr mem_del(struct kv *kv, const char *name)
{
	struct kv_mem *m = mem_of(kv);
	struct list *l = &m->work;
	bool is_there;
	size_t i;

	if (!m->in_batch)
		return PERR_STATE;
	if (!kv_name_ok(name)) {
		if (m->spoilt == PERR_OK)
			m->spoilt = PERR_RANGE;
		return PERR_RANGE;
	}
	i = list_find(l, name, &is_there);
	if (is_there) {
		kv_free(l->e[i].value);
		memmove(&l->e[i], &l->e[i + 1], (l->n - i - 1) * sizeof *l->e);
		l->n--;
	}
	return PERR_OK;
}

static enum perr mem_settle(struct kv *kv)
{
	return mem_of(kv)->in_batch ? PERR_STATE : PERR_OK;
}

/* The callback may change the store, so names are copied before the first call. */
static enum perr mem_walk(struct kv *kv, const char *prefix, kv_each_fn *fn, kv_name_fn *name_fn,
                          void *arg)
{
	struct list *l = view(mem_of(kv));
	size_t prefix_len = strlen(prefix), n = 0, i;
	char (*names)[KV_NAME_MAX + 1] = NULL;
	enum perr err = PERR_OK;
	bool is_there;
	size_t from = list_find(l, prefix, &is_there);

	while (from + n < l->n && strncmp(l->e[from + n].name, prefix, prefix_len) == 0)
		n++;
	if (n == 0)
		return PERR_OK;
	names = malloc(n * sizeof *names);
	if (names == NULL)
		return PERR_NOMEM;
	for (i = 0; i < n; i++)
		memcpy(names[i], l->e[from + i].name, sizeof names[i]);
	for (i = 0; i < n && err == PERR_OK; i++) {
		uint8_t *value;
		size_t len;

		if (fn == NULL) {
			list_find(view(mem_of(kv)), names[i], &is_there);
			if (is_there)
				err = name_fn(arg, names[i]);
			continue;
		}
		err = mem_get(kv, names[i], &value, &len);
		if (err == PERR_NOTFOUND) {
			err = PERR_OK;
			continue;
		}
		if (err == PERR_OK)
			err = fn(arg, names[i], value, len);
		kv_free(value);
	}
	free(names);
	return err;
}

static enum perr mem_each(struct kv *kv, const char *prefix, kv_each_fn *fn, void *arg)
{
	return mem_walk(kv, prefix, fn, NULL, arg);
}

static enum perr mem_each_name(struct kv *kv, const char *prefix, kv_name_fn *fn, void *arg)
{
	return mem_walk(kv, prefix, NULL, fn, arg);
}

static const struct kv_ops mem_ops = {
	.begin = mem_begin,
	.commit = mem_commit,
	.abort = mem_abort,
	.put = mem_put,
	.get = mem_get,
	.del = mem_del,
	.erase = mem_del,       /* memory that was freed was wiped: nothing is owed */
	.settle = mem_settle,
	.each = mem_each,
	.each_name = mem_each_name,
};

struct kv *kv_mem_new(void)
{
	struct kv_mem *m = calloc(1, sizeof *m);

	if (m == NULL)
		return NULL;
	m->kv.ops = &mem_ops;
	return &m->kv;
}

void kv_mem_free(struct kv *kv)
{
	if (kv == NULL)
		return;
	mem_abort(kv);
	list_clear(&mem_of(kv)->live);
	free(mem_of(kv));
}

void kv_mem_fail_commit(struct kv *kv, unsigned n)
{
	mem_of(kv)->fail_at = n;
}
