/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "web_args.h"

#include <string.h>

#include "kv.h"

#define NAME_MAX_LEN 32

void web_args_fail(struct web_args *a, enum perr err)
{
	if (a->err == PERR_OK)
		a->err = err;
}

void web_args_init(struct web_args *a, const uint8_t *args, size_t args_len)
{
	struct mp_reader r;
	uint32_t items, i;

	memset(a, 0, sizeof *a);
	a->buf = args;
	a->len = args_len;
	mp_reader_init(&r, args, args_len);
	items = mp_array_var(&r, 0, 2 * WEB_ARGS_N);
	if (items % 2 != 0)
		mp_fail(&r, PERR_FORMAT);
	for (i = 0; i < items / 2; i++) {
		size_t len;

		mp_str(&r, 1, NAME_MAX_LEN, &len);
		mp_skip(&r);
	}
	a->n = items / 2;
	a->err = mp_finish(&r);
}

enum perr web_args_end(struct web_args *a)
{
	if (a->err == PERR_OK && a->n_read != a->n)
		a->err = PERR_FORMAT;
	return a->err;
}

void web_args_free(struct web_args *a)
{
	while (a->n_own > 0)
		kv_free(a->own[--a->n_own]);
}

/* *r stands before the value; false: there is none of that name.  mp_finish either way. */
static bool find(struct web_args *a, const char *name, struct mp_reader *r)
{
	size_t name_len = strlen(name);
	uint32_t i;

	mp_reader_init(r, a->buf, a->len);
	mp_array(r, 2 * a->n);
	for (i = 0; i < a->n; i++) {
		size_t len;
		const char *p = mp_str(r, 1, NAME_MAX_LEN, &len);

		if (p != NULL && len == name_len && memcmp(p, name, len) == 0)
			return true;
		mp_skip(r);
	}
	return false;
}

/*
 * Whatever stands behind the value was looked at when the arguments came; here only the
 * value counts, so what is left over is no error.
 */
static void done(struct web_args *a, struct mp_reader *r, bool found)
{
	enum perr err = r->err;

	(void)!mp_finish(r);
	/* without memory to look it is not known to be missing */
	if (!found && err == PERR_OK)
		err = PERR_FORMAT;
	web_args_fail(a, err);
	a->n_read++;
}

bool web_arg_has(struct web_args *a, const char *name)
{
	struct mp_reader r;
	bool found, is_nil;

	if (a->err != PERR_OK)
		return false;
	found = find(a, name, &r);
	/* without memory to look it is not known to be missing */
	web_args_fail(a, found ? PERR_OK : r.err);
	is_nil = found && mp_nil(&r);
	(void)!mp_finish(&r);
	if (is_nil)
		a->n_read++;
	return found && !is_nil;
}

/* a copy with a zero behind it, ours; NULL without memory */
static uint8_t *own(struct web_args *a, const void *p, size_t len)
{
	uint8_t *copy = a->n_own < WEB_ARGS_N ? kv_alloc(len) : NULL;

	if (copy == NULL) {
		web_args_fail(a, PERR_NOMEM);
		return NULL;
	}
	if (len > 0)
		memcpy(copy, p, len);
	a->own[a->n_own++] = copy;
	return copy;
}

const char *web_arg_text(struct web_args *a, const char *name, size_t min, size_t max)
{
	struct mp_reader r;
	const char *p = NULL;
	size_t len = 0;
	bool found;

	if (a->err != PERR_OK)
		return "";
	found = find(a, name, &r);
	if (found)
		p = mp_str(&r, min, max, &len);
	done(a, &r, found);
	if (a->err == PERR_OK)
		p = (const char *)own(a, p, len);
	return a->err == PERR_OK ? p : "";
}

const uint8_t *web_arg_bytes(struct web_args *a, const char *name, size_t min, size_t max,
                             size_t *len)
{
	struct mp_reader r;
	const uint8_t *p = NULL;
	bool found;

	*len = 0;
	if (a->err != PERR_OK)
		return NULL;
	found = find(a, name, &r);
	if (found)
		p = mp_bin_var(&r, min, max, len);
	done(a, &r, found);
	if (a->err != PERR_OK) {
		*len = 0;
		return NULL;
	}
	return p;
}

const uint8_t *web_arg_bin(struct web_args *a, const char *name, size_t len)
{
	size_t got;

	return web_arg_bytes(a, name, len, len, &got);
}

uint64_t web_arg_uint(struct web_args *a, const char *name, uint64_t max)
{
	struct mp_reader r;
	uint64_t v = 0;
	bool found;

	if (a->err != PERR_OK)
		return 0;
	found = find(a, name, &r);
	if (found)
		v = mp_uint(&r, max);
	done(a, &r, found);
	return a->err == PERR_OK ? v : 0;
}

bool web_arg_bool(struct web_args *a, const char *name)
{
	struct mp_reader r;
	bool v = false, found;

	if (a->err != PERR_OK)
		return false;
	found = find(a, name, &r);
	if (found)
		v = mp_bool(&r);
	done(a, &r, found);
	return a->err == PERR_OK && v;
}

uint32_t web_arg_list(struct web_args *a, const char *name, uint32_t min, uint32_t max,
                      struct mp_reader *r)
{
	size_t len;
	const uint8_t *p = web_arg_bytes(a, name, 1, a->len, &len);

	mp_reader_init(r, p, len);
	if (a->err != PERR_OK)
		mp_fail(r, a->err);
	return mp_array_var(r, min, max);
}
