/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * web_kit: what a page does around web_call, for tests: arguments in, an answer taken apart,
 * and a store that takes the changes of each call as one transaction.  Included once.
 */
#ifndef AMPARO_WEB_KIT_H
#define AMPARO_WEB_KIT_H

#include <msgpack.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kv.h"
#include "mp.h"
#include "vault_seal.h"
#include "web.h"

/* ---- the store ------------------------------------------------------------------------------ */

struct kit_row {
	uint8_t rk[VAULT_RK_SIZE];
	uint8_t *row;
	size_t len;
};
struct kit_store {
	uint8_t header[VAULT_HEADER_SIZE];
	bool has_header;
	struct kit_row *rows;
	size_t n;
};

static inline void kit_store_clear(struct kit_store *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->rows[i].row);
	free(s->rows);
	s->rows = NULL;
	s->n = 0;
}

static inline void kit_store_copy(struct kit_store *to, const struct kit_store *from)
{
	*to = *from;
	to->rows = calloc(from->n + 1, sizeof *to->rows);
	assert_non_null(to->rows);
	for (size_t i = 0; i < from->n; i++) {
		to->rows[i] = from->rows[i];
		to->rows[i].row = malloc(from->rows[i].len);
		assert_non_null(to->rows[i].row);
		memcpy(to->rows[i].row, from->rows[i].row, from->rows[i].len);
	}
}

static inline void kit_drop(struct kit_store *s, const uint8_t rk[VAULT_RK_SIZE])
{
	for (size_t i = 0; i < s->n; i++)
		if (memcmp(s->rows[i].rk, rk, VAULT_RK_SIZE) == 0) {
			free(s->rows[i].row);
			s->rows[i] = s->rows[--s->n];
			return;
		}
}

static inline void kit_change(struct kit_store *s, const uint8_t *p, size_t len)
{
	assert_true(len >= 1);
	if (p[0] == 'c') {
		assert_int_equal(len, 1);
		kit_store_clear(s);
	} else if (p[0] == 'h') {
		assert_int_equal(len, 1 + VAULT_HEADER_SIZE);
		memcpy(s->header, p + 1, VAULT_HEADER_SIZE);
		s->has_header = true;
	} else {
		assert_int_equal(p[0], 'r');
		assert_true(len >= 1 + VAULT_RK_SIZE);
		kit_drop(s, p + 1);
		if (len == 1 + VAULT_RK_SIZE)
			return;
		s->rows = realloc(s->rows, (s->n + 1) * sizeof *s->rows);
		assert_non_null(s->rows);
		memcpy(s->rows[s->n].rk, p + 1, VAULT_RK_SIZE);
		s->rows[s->n].len = len - 1 - VAULT_RK_SIZE;
		s->rows[s->n].row = malloc(s->rows[s->n].len);
		assert_non_null(s->rows[s->n].row);
		memcpy(s->rows[s->n].row, p + 1 + VAULT_RK_SIZE, s->rows[s->n].len);
		s->n++;
	}
}

/* ---- a page ---------------------------------------------------------------------------------- */

struct kit {
	struct web *w;
	struct kit_store store;
	unsigned n_calls, n_changes;     /* of the last call */
	size_t n_bytes;                  /* of the last call's changes */
	/* told after each call whose changes are written; NULL: nobody */
	void (*wrote)(struct kit *k);
	void *ctx;
	/* the last answer */
	uint8_t *raw;
	size_t raw_len;
	msgpack_unpacked answer;
};

static inline void kit_open(struct kit *k, const struct client_env *env)
{
	k->w = web_new(env);
	assert_non_null(k->w);
	msgpack_unpacked_init(&k->answer);
}

static inline void kit_close(struct kit *k)
{
	msgpack_unpacked_destroy(&k->answer);
	kv_free(k->raw);
	web_free(k->w);
	k->raw = NULL;
	k->w = NULL;
}

/* the arguments' bytes as they are; the answer is taken apart, its changes written */
static inline void kit_raw(struct kit *k, const char *op, const uint8_t *args, size_t len)
{
	enum perr err;
	uint8_t *change;
	size_t n;

	kv_free(k->raw);
	k->raw = web_call(k->w, op, strlen(op), args, len, &k->raw_len);
	k->n_calls++;
	k->n_changes = 0;
	k->n_bytes = 0;
	if (k->raw == NULL)
		return;
	msgpack_unpacked_destroy(&k->answer);
	msgpack_unpacked_init(&k->answer);
	assert_int_equal(msgpack_unpack_next(&k->answer, (const char *)k->raw, k->raw_len, NULL),
	                 MSGPACK_UNPACK_SUCCESS);
	while ((change = web_change(k->w, &n, &err)) != NULL) {
		kit_change(&k->store, change, n);
		k->n_changes++;
		k->n_bytes += n;
		kv_free(change);
	}
	assert_int_equal(err, PERR_OK);
	if (k->n_changes > 0 && k->wrote != NULL)
		k->wrote(k);
}

/* ---- arguments ---------------------------------------------------------------------------------- */

struct kit_bytes {
	const void *p;
	size_t len;
};

/*
 * shape  in: "path:s go:b n:u bytes:x list:l nothing:n", with a value for each behind it: s
 *        const char *, b int, u unsigned long, x const struct kit_bytes *, l const char *const *
 *        ended by NULL, L const unsigned * ended by 0
 */
static inline size_t kit_vargs(uint8_t *buf, size_t size, const char *shape, va_list ap)
{
	static uint8_t inner[1 << 16];
	struct mp_writer w, in;
	uint32_t n = 0;
	size_t len;

	for (const char *p = shape; *p != '\0'; p++)
		n += *p == ':';
	mp_writer_init(&w, buf, size);
	mp_put_array(&w, 2 * n);
	for (const char *p = shape; *p != '\0';) {
		const char *colon = strchr(p, ':');
		char kind = colon[1];

		mp_put_strn(&w, p, (size_t)(colon - p));
		p = colon + 2 + strspn(colon + 2, " ");
		if (kind == 's') {
			mp_put_str(&w, va_arg(ap, const char *));
		} else if (kind == 'b') {
			mp_put_bool(&w, va_arg(ap, int) != 0);
		} else if (kind == 'u') {
			mp_put_uint(&w, va_arg(ap, unsigned long));
		} else if (kind == 'x') {
			const struct kit_bytes *b = va_arg(ap, const struct kit_bytes *);

			mp_put_bin(&w, b->p, b->len);
		} else if (kind == 'l' || kind == 'L') {
			const char *const *s = kind == 'l' ? va_arg(ap, const char *const *) : NULL;
			const unsigned *u = kind == 'L' ? va_arg(ap, const unsigned *) : NULL;
			uint32_t m = 0;

			while (s != NULL ? s[m] != NULL : u[m] != 0)
				m++;
			mp_writer_init(&in, inner, sizeof inner);
			mp_put_array(&in, m);
			for (uint32_t i = 0; i < m; i++) {
				if (s != NULL)
					mp_put_str(&in, s[i]);
				else
					mp_put_uint(&in, u[i]);
			}
			assert_int_equal(mp_written(&in, &len), PERR_OK);
			mp_put_bin(&w, inner, len);
		} else {
			assert_int_equal(kind, 'n');
			mp_put_nil(&w);
		}
	}
	assert_int_equal(mp_written(&w, &len), PERR_OK);
	return len;
}

static inline size_t kit_args(uint8_t *buf, size_t size, const char *shape, ...)
{
	va_list ap;
	size_t len;

	va_start(ap, shape);
	len = kit_vargs(buf, size, shape, ap);
	va_end(ap);
	return len;
}

static inline void kit_vcall(struct kit *k, const char *op, const char *shape, va_list ap)
{
	static uint8_t buf[1 << 21];

	kit_raw(k, op, buf, kit_vargs(buf, sizeof buf, shape, ap));
}

/* ---- answers -------------------------------------------------------------------------------------- */

static inline const msgpack_object *kit_field(const msgpack_object *o, const char *name, size_t len)
{
	if (o->type == MSGPACK_OBJECT_ARRAY) {
		unsigned long i = strtoul(name, NULL, 10);

		return i < o->via.array.size ? &o->via.array.ptr[i] : NULL;
	}
	if (o->type != MSGPACK_OBJECT_MAP)
		return NULL;
	for (uint32_t i = 0; i < o->via.map.size; i++) {
		const msgpack_object *key = &o->via.map.ptr[i].key;

		assert_int_equal(key->type, MSGPACK_OBJECT_STR);
		if (key->via.str.size == len && memcmp(key->via.str.ptr, name, len) == 0)
			return &o->via.map.ptr[i].val;
	}
	return NULL;
}

/* "step.options.0.label" of the last answer's "ok"; NULL: not there */
static inline const msgpack_object *kit_at(const struct kit *k, const char *path)
{
	const msgpack_object *o = kit_field(&k->answer.data, "ok", 2);

	while (o != NULL && *path != '\0') {
		size_t n = strcspn(path, ".");

		o = kit_field(o, path, n);
		path += n + (path[n] == '.');
	}
	return o;
}

static inline const msgpack_object *kit_need(const struct kit *k, const char *path)
{
	const msgpack_object *o = kit_at(k, path);

	if (o == NULL)
		fail_msg("the answer has no %s", path);
	return o;
}

/* a copy in one of some buffers, good for a printf of several */
static inline const char *kit_str(const struct kit *k, const char *path)
{
	static char bufs[8][4096];
	static unsigned at;
	const msgpack_object *o = kit_need(k, path);
	char *buf = bufs[at++ % 8];

	assert_int_equal(o->type, MSGPACK_OBJECT_STR);
	snprintf(buf, sizeof bufs[0], "%.*s", (int)o->via.str.size, o->via.str.ptr);
	return buf;
}

static inline unsigned long kit_uint(const struct kit *k, const char *path)
{
	const msgpack_object *o = kit_need(k, path);

	assert_int_equal(o->type, MSGPACK_OBJECT_POSITIVE_INTEGER);
	return (unsigned long)o->via.u64;
}

static inline bool kit_bool(const struct kit *k, const char *path)
{
	const msgpack_object *o = kit_need(k, path);

	assert_int_equal(o->type, MSGPACK_OBJECT_BOOLEAN);
	return o->via.boolean;
}

static inline bool kit_is_nil(const struct kit *k, const char *path)
{
	return kit_need(k, path)->type == MSGPACK_OBJECT_NIL;
}

static inline uint32_t kit_count(const struct kit *k, const char *path)
{
	const msgpack_object *o = kit_need(k, path);

	assert_int_equal(o->type, MSGPACK_OBJECT_ARRAY);
	return o->via.array.size;
}

/* "" for an answer that is none */
static inline const char *kit_err(const struct kit *k)
{
	static char buf[64];
	const msgpack_object *o = k->raw == NULL ? NULL : kit_field(&k->answer.data, "err", 3);

	if (k->raw == NULL)
		return "no answer";
	if (o == NULL)
		return "";
	snprintf(buf, sizeof buf, "%.*s", (int)o->via.str.size, o->via.str.ptr);
	return buf;
}

static inline const char *kit_why(const struct kit *k)
{
	static char buf[600];
	const msgpack_object *o = kit_field(&k->answer.data, "why", 3);

	if (o == NULL)
		return "";
	snprintf(buf, sizeof buf, "%.*s", (int)o->via.str.size, o->via.str.ptr);
	return buf;
}

static inline bool kit_owed(const struct kit *k)
{
	const msgpack_object *o = kit_field(&k->answer.data, "owed", 4);

	return o != NULL && o->via.boolean;
}

/* a call that must work */
static inline void kit_call(struct kit *k, const char *op, const char *shape, ...)
{
	va_list ap;

	va_start(ap, shape);
	kit_vcall(k, op, shape, ap);
	va_end(ap);
	if (kit_err(k)[0] != '\0')
		fail_msg("%s: %s (%s)", op, kit_err(k), kit_why(k));
}

/* a call that must be refused with this code */
static inline void kit_refused(struct kit *k, const char *code, const char *op, const char *shape,
                               ...)
{
	va_list ap;

	va_start(ap, shape);
	kit_vcall(k, op, shape, ap);
	va_end(ap);
	if (strcmp(kit_err(k), code) != 0)
		fail_msg("%s: \"%s\" (%s) instead of %s", op, kit_err(k), kit_why(k), code);
}

/* unlock what the store holds, in a new core */
static inline void kit_reload(struct kit *k, const struct client_env *env, const char *pass)
{
	struct kit_bytes header = { k->store.header, VAULT_HEADER_SIZE };

	kit_close(k);
	kit_open(k, env);
	kit_call(k, "vault_unlock", "header:x pass:s", &header, pass);
	for (size_t i = 0; i < k->store.n;) {
		static uint8_t buf[1 << 21], list[1 << 21];
		struct mp_writer w, in;
		size_t len, at = i, sum = 0;

		for (; at < k->store.n && at - i < 64 && sum + k->store.rows[at].len < sizeof list / 2;
		     at++)
			sum += k->store.rows[at].len + 100;
		mp_writer_init(&in, list, sizeof list);
		mp_put_array(&in, (uint32_t)(at - i));
		for (; i < at; i++) {
			uint8_t *row = malloc(VAULT_RK_SIZE + k->store.rows[i].len);

			assert_non_null(row);
			memcpy(row, k->store.rows[i].rk, VAULT_RK_SIZE);
			memcpy(row + VAULT_RK_SIZE, k->store.rows[i].row, k->store.rows[i].len);
			mp_put_bin(&in, row, VAULT_RK_SIZE + k->store.rows[i].len);
			free(row);
		}
		assert_int_equal(mp_written(&in, &len), PERR_OK);
		mp_writer_init(&w, buf, sizeof buf);
		mp_put_array(&w, 2);
		mp_put_str(&w, "rows");
		mp_put_bin(&w, list, len);
		assert_int_equal(mp_written(&w, &len), PERR_OK);
		kit_raw(k, "vault_load", buf, len);
		assert_string_equal(kit_err(k), "");
	}
	kit_call(k, "vault_open", "");
}

#endif
