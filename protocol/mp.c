/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "mp.h"

#include <assert.h>
#include <msgpack.h>
#include <stdlib.h>
#include <string.h>

/* what mp_reader.root points to */
struct tree {
	msgpack_zone zone;
	msgpack_object object;
};

/* Scan: what msgpack-c may see at all. */

struct scan {
	const uint8_t *p, *end;
	size_t need;             /* bytes of msgpack-c objects below the root */
	unsigned depth;
	struct {
		uint64_t left;       /* items still to come; a pair of a map is two */
		bool is_map;
		bool any_key;
		uint64_t last_key;
	} level[MP_DEPTH_MAX + 1];
};

static size_t scan_left(const struct scan *s)
{
	return (size_t)(s->end - s->p);
}

static bool scan_be(struct scan *s, unsigned n, uint64_t *v)
{
	if (scan_left(s) < n)
		return false;
	*v = 0;
	while (n-- > 0)
		*v = *v << 8 | *s->p++;
	return true;
}

/* well-formed UTF-8 (RFC 3629) without U+0000, which would end a C string early */
static bool is_text(const uint8_t *p, size_t len)
{
	const uint8_t *end = p + len;

	while (p < end) {
		uint8_t c = *p++;
		uint8_t low = 0x80, high = 0xbf;
		unsigned more;

		if (c >= 0x01 && c <= 0x7f)
			continue;
		if (c >= 0xc2 && c <= 0xdf) {
			more = 1;
		} else if (c >= 0xe0 && c <= 0xef) {
			more = 2;
			if (c == 0xe0)
				low = 0xa0;      /* shorter forms exist */
			if (c == 0xed)
				high = 0x9f;     /* surrogates */
		} else if (c >= 0xf0 && c <= 0xf4) {
			more = 3;
			if (c == 0xf0)
				low = 0x90;
			if (c == 0xf4)
				high = 0x8f;     /* nothing above U+10FFFF */
		} else {
			return false;
		}
		if ((size_t)(end - p) < more)
			return false;
		for (; more > 0; more--) {
			if (*p < low || *p > high)
				return false;
			p++;
			low = 0x80;
			high = 0xbf;
		}
	}
	return true;
}

static bool scan_bytes(struct scan *s, uint64_t len, bool text)
{
	if (len > scan_left(s))
		return false;
	if (text && !is_text(s->p, (size_t)len))
		return false;
	s->p += len;
	return true;
}

/*
 * A count is believed only when the bytes left could hold that many items, so what
 * msgpack-c allocates stays within a fixed multiple of what was received.
 */
static bool scan_enter(struct scan *s, uint64_t n, bool is_map)
{
	uint64_t items = is_map ? 2 * n : n;

	if (items > scan_left(s))
		return false;
	s->need += (size_t)n * (is_map ? sizeof(msgpack_object_kv) : sizeof(msgpack_object));
	if (s->depth == MP_DEPTH_MAX)
		return false;
	s->depth++;
	s->level[s->depth].left = items;
	s->level[s->depth].is_map = is_map;
	s->level[s->depth].any_key = false;
	return true;
}

static bool scan_uint(struct scan *s, uint8_t first, uint64_t *v)
{
	if (first <= 0x7f) {
		*v = first;
		return true;
	}
	switch (first) {
	case 0xcc: return scan_be(s, 1, v) && *v > 0x7f;
	case 0xcd: return scan_be(s, 2, v) && *v > UINT8_MAX;
	case 0xce: return scan_be(s, 4, v) && *v > UINT16_MAX;
	case 0xcf: return scan_be(s, 8, v) && *v > UINT32_MAX;
	default:   return false;
	}
}

/*
 * One item, or the head of a container.  PROTOCOL 2: "Anything else is refused: floats, `ext`,
 * negative numbers, longer forms than needed, nesting deeper than 8, bytes left over."
 */
static bool scan_item(struct scan *s)
{
	uint8_t first = *s->p++;
	uint64_t n;

	if (first <= 0x7f || (first >= 0xcc && first <= 0xcf))
		return scan_uint(s, first, &n);
	if (first <= 0x8f)
		return scan_enter(s, first & 0x0f, true);
	if (first <= 0x9f)
		return scan_enter(s, first & 0x0f, false);
	if (first <= 0xbf)
		return scan_bytes(s, first & 0x1f, true);
	switch (first) {
	case 0xc0: case 0xc2: case 0xc3: return true;
	case 0xc4: return scan_be(s, 1, &n) && scan_bytes(s, n, false);
	case 0xc5: return scan_be(s, 2, &n) && n > UINT8_MAX && scan_bytes(s, n, false);
	case 0xc6: return scan_be(s, 4, &n) && n > UINT16_MAX && scan_bytes(s, n, false);
	case 0xd9: return scan_be(s, 1, &n) && n > 31 && scan_bytes(s, n, true);
	case 0xda: return scan_be(s, 2, &n) && n > UINT8_MAX && scan_bytes(s, n, true);
	case 0xdb: return scan_be(s, 4, &n) && n > UINT16_MAX && scan_bytes(s, n, true);
	case 0xdc: return scan_be(s, 2, &n) && n > 15 && scan_enter(s, n, false);
	case 0xdd: return scan_be(s, 4, &n) && n > UINT16_MAX && scan_enter(s, n, false);
	case 0xde: return scan_be(s, 2, &n) && n > 15 && scan_enter(s, n, true);
	case 0xdf: return scan_be(s, 4, &n) && n > UINT16_MAX && scan_enter(s, n, true);
	default:   return false;         /* float, ext, negative, the unused 0xc1 */
	}
}

static bool scan_key(struct scan *s)
{
	uint64_t key;
	unsigned d = s->depth;

	if (!scan_uint(s, *s->p++, &key))
		return false;
	if (s->level[d].any_key && key <= s->level[d].last_key)
		return false;
	s->level[d].any_key = true;
	s->level[d].last_key = key;
	return true;
}

static bool scan_all(struct scan *s, const uint8_t *buf, size_t buf_len)
{
	s->p = buf;
	s->end = buf + buf_len;
	s->need = 0;
	s->depth = 0;
	s->level[0].left = 1;
	s->level[0].is_map = false;
	for (;;) {
		while (s->depth > 0 && s->level[s->depth].left == 0)
			s->depth--;
		if (s->level[s->depth].left == 0)
			return s->p == s->end;
		if (s->p == s->end)
			return false;
		s->level[s->depth].left--;
		if (s->level[s->depth].is_map && s->level[s->depth].left % 2 == 1) {
			if (!scan_key(s))
				return false;
		} else if (!scan_item(s)) {
			return false;
		}
	}
}

/* Reader. */

static enum perr tree_build(struct tree **out, const uint8_t *buf, size_t buf_len, size_t need)
{
	struct tree *t = malloc(sizeof *t);
	size_t off = 0;
	msgpack_unpack_return got;

	*out = NULL;
	if (t == NULL)
		return PERR_NOMEM;
	/* one chunk that holds every object: msgpack-c's default would be 8 KiB a message */
	if (!msgpack_zone_init(&t->zone, need + 2 * sizeof(msgpack_object))) {
		free(t);
		return PERR_NOMEM;
	}
	/* msgpack_unpack_next is this call with a zone of its own choosing */
	got = msgpack_unpack((const char *)buf, buf_len, &off, &t->zone, &t->object);
	if (got != MSGPACK_UNPACK_SUCCESS || off != buf_len) {
		msgpack_zone_destroy(&t->zone);
		free(t);
		return got == MSGPACK_UNPACK_NOMEM_ERROR ? PERR_NOMEM : PERR_FORMAT;
	}
	*out = t;
	return PERR_OK;
}

void mp_reader_init(struct mp_reader *r, const uint8_t *buf, size_t buf_len)
{
	struct scan s;
	struct tree *t = NULL;

	r->err = PERR_FORMAT;
	r->root = NULL;
	r->depth = 0;
	r->stack[0].items = NULL;
	r->stack[0].n = 0;
	r->stack[0].at = 0;
	r->stack[0].is_map = false;
	r->stack[0].value_next = false;
	if (buf_len == 0 || !scan_all(&s, buf, buf_len))
		return;
	r->err = tree_build(&t, buf, buf_len, s.need);
	if (r->err != PERR_OK)
		return;
	r->root = t;
	r->stack[0].items = &t->object;
	r->stack[0].n = 1;
}

/* leave every container whose last item was taken */
static void close_full(struct mp_reader *r)
{
	while (r->depth > 0 && r->stack[r->depth].at == r->stack[r->depth].n)
		r->depth--;
}

static const msgpack_object *peek(struct mp_reader *r)
{
	unsigned d;
	uint32_t at;

	if (r->err != PERR_OK)
		return NULL;
	close_full(r);
	d = r->depth;
	at = r->stack[d].at;
	if (at == r->stack[d].n)
		return NULL;
	if (!r->stack[d].is_map)
		return (const msgpack_object *)r->stack[d].items + at;
	if (!r->stack[d].value_next)
		return NULL;             /* the caller has not asked for the key */
	return &((const msgpack_object_kv *)r->stack[d].items)[at].val;
}

static void took(struct mp_reader *r)
{
	r->stack[r->depth].at++;
	r->stack[r->depth].value_next = false;
}

/* the next item if it has this type, taken; otherwise the error is set */
static const msgpack_object *take(struct mp_reader *r, msgpack_object_type type)
{
	const msgpack_object *o = peek(r);

	if (o == NULL || o->type != type) {
		mp_fail(r, PERR_FORMAT);
		return NULL;
	}
	took(r);
	return o;
}

static void push(struct mp_reader *r, const void *items, uint32_t n, bool is_map)
{
	assert(r->depth < MP_DEPTH_MAX); /* the scan admitted no deeper nesting */
	r->depth++;
	r->stack[r->depth].items = items;
	r->stack[r->depth].n = n;
	r->stack[r->depth].at = 0;
	r->stack[r->depth].is_map = is_map;
	r->stack[r->depth].value_next = false;
}

uint32_t mp_array_var(struct mp_reader *r, uint32_t min, uint32_t max)
{
	const msgpack_object *o = take(r, MSGPACK_OBJECT_ARRAY);

	if (o == NULL)
		return 0;
	if (o->via.array.size < min || o->via.array.size > max) {
		mp_fail(r, PERR_FORMAT);
		return 0;
	}
	push(r, o->via.array.ptr, o->via.array.size, false);
	return o->via.array.size;
}

void mp_array(struct mp_reader *r, uint32_t n)
{
	(void)mp_array_var(r, n, n);
}

uint32_t mp_map(struct mp_reader *r, uint32_t max)
{
	const msgpack_object *o = take(r, MSGPACK_OBJECT_MAP);

	if (o == NULL)
		return 0;
	if (o->via.map.size > max) {
		mp_fail(r, PERR_FORMAT);
		return 0;
	}
	push(r, o->via.map.ptr, o->via.map.size, true);
	return o->via.map.size;
}

uint64_t mp_key(struct mp_reader *r)
{
	unsigned d;

	if (r->err != PERR_OK)
		return 0;
	close_full(r);
	d = r->depth;
	if (!r->stack[d].is_map || r->stack[d].value_next ||
	    r->stack[d].at == r->stack[d].n) {
		mp_fail(r, PERR_FORMAT);
		return 0;
	}
	r->stack[d].value_next = true;
	return ((const msgpack_object_kv *)r->stack[d].items)[r->stack[d].at].key.via.u64;
}

uint64_t mp_uint(struct mp_reader *r, uint64_t max)
{
	const msgpack_object *o = take(r, MSGPACK_OBJECT_POSITIVE_INTEGER);

	if (o == NULL)
		return 0;
	if (o->via.u64 > max) {
		mp_fail(r, PERR_FORMAT);
		return 0;
	}
	return o->via.u64;
}

bool mp_bool(struct mp_reader *r)
{
	const msgpack_object *o = take(r, MSGPACK_OBJECT_BOOLEAN);

	return o != NULL && o->via.boolean;
}

const uint8_t *mp_bin_var(struct mp_reader *r, size_t min, size_t max, size_t *len)
{
	const msgpack_object *o = take(r, MSGPACK_OBJECT_BIN);

	*len = 0;
	if (o == NULL)
		return NULL;
	if (o->via.bin.size < min || o->via.bin.size > max) {
		mp_fail(r, PERR_FORMAT);
		return NULL;
	}
	*len = o->via.bin.size;
	/* msgpack-c leaves no pointer with an empty one; NULL is kept for errors */
	return *len > 0 ? (const uint8_t *)o->via.bin.ptr : (const uint8_t *)"";
}

const uint8_t *mp_bin(struct mp_reader *r, size_t len)
{
	size_t got;

	return mp_bin_var(r, len, len, &got);
}

const char *mp_str(struct mp_reader *r, size_t min, size_t max, size_t *len)
{
	const msgpack_object *o = take(r, MSGPACK_OBJECT_STR);

	*len = 0;
	if (o == NULL)
		return NULL;
	if (o->via.str.size < min || o->via.str.size > max) {
		mp_fail(r, PERR_FORMAT);
		return NULL;
	}
	*len = o->via.str.size;
	return *len > 0 ? o->via.str.ptr : "";
}

void mp_str_copy(struct mp_reader *r, char *out, size_t size, size_t min)
{
	size_t len;
	const char *s;

	assert(size > 0);
	s = mp_str(r, min, size - 1, &len);
	if (len > 0)
		memcpy(out, s, len);
	out[len] = '\0';
}

void mp_bin_copy(struct mp_reader *r, uint8_t *out, size_t len)
{
	const uint8_t *p = mp_bin(r, len);

	if (len == 0)
		return;
	if (p != NULL)
		memcpy(out, p, len);
	else
		memset(out, 0, len);
}

bool mp_nil(struct mp_reader *r)
{
	const msgpack_object *o = peek(r);

	if (o == NULL || o->type != MSGPACK_OBJECT_NIL)
		return false;
	took(r);
	return true;
}

void mp_skip(struct mp_reader *r)
{
	if (peek(r) == NULL)
		mp_fail(r, PERR_FORMAT);
	else
		took(r);
}

void mp_fail(struct mp_reader *r, enum perr err)
{
	if (r->err == PERR_OK)
		r->err = err;
}

enum perr mp_finish(struct mp_reader *r)
{
	struct tree *t = r->root;

	if (t == NULL)
		return r->err;
	close_full(r);
	if (r->depth > 0 || r->stack[0].at != 1)
		mp_fail(r, PERR_FORMAT);
	msgpack_zone_destroy(&t->zone);
	free(t);
	r->root = NULL;
	/* nothing can be asked of a finished reader: its pointers are gone */
	r->depth = 0;
	r->stack[0].items = NULL;
	r->stack[0].n = 0;
	r->stack[0].at = 0;
	return r->err;
}

/* Writer. */

void mp_writer_init(struct mp_writer *w, uint8_t *buf, size_t size)
{
	w->buf = buf;
	w->size = size;
	w->len = 0;
	w->err = PERR_OK;
	w->depth = 0;
	w->stack[0].left = 1;
	w->stack[0].is_map = false;
	w->stack[0].last_key = 0;
	w->stack[0].any_key = false;
}

/* msgpack_packer_write */
static int append(void *data, const char *p, size_t len)
{
	struct mp_writer *w = data;

	if (len > w->size - w->len) {
		w->err = PERR_RANGE;
		return -1;
	}
	if (len > 0)
		memcpy(w->buf + w->len, p, len);
	w->len += len;
	return 0;
}

static msgpack_packer packer(struct mp_writer *w)
{
	msgpack_packer pk;

	msgpack_packer_init(&pk, w, append);
	return pk;
}

/* account for one item; false if the writer already failed */
static bool put_item(struct mp_writer *w, bool is_key)
{
	unsigned d;

	if (w->err != PERR_OK)
		return false;
	while (w->depth > 0 && w->stack[w->depth].left == 0)
		w->depth--;
	d = w->depth;
	assert(w->stack[d].left > 0);
	assert(is_key == (w->stack[d].is_map && w->stack[d].left % 2 == 0));
	w->stack[d].left--;
	return true;
}

static void put_level(struct mp_writer *w, uint32_t left, bool is_map)
{
	assert(w->depth < MP_DEPTH_MAX);
	w->depth++;
	w->stack[w->depth].left = left;
	w->stack[w->depth].is_map = is_map;
	w->stack[w->depth].any_key = false;
	w->stack[w->depth].last_key = 0;
}

void mp_put_array(struct mp_writer *w, uint32_t n)
{
	msgpack_packer pk = packer(w);

	if (!put_item(w, false))
		return;
	msgpack_pack_array(&pk, n);
	put_level(w, n, false);
}

void mp_put_map(struct mp_writer *w, uint32_t n)
{
	msgpack_packer pk = packer(w);

	assert(n <= UINT32_MAX / 2);
	if (!put_item(w, false))
		return;
	msgpack_pack_map(&pk, n);
	put_level(w, 2 * n, true);
}

void mp_put_key(struct mp_writer *w, uint64_t key)
{
	msgpack_packer pk = packer(w);
	unsigned d;

	if (!put_item(w, true))
		return;
	d = w->depth;
	assert(!w->stack[d].any_key || key > w->stack[d].last_key);
	w->stack[d].any_key = true;
	w->stack[d].last_key = key;
	msgpack_pack_uint64(&pk, key);
}

void mp_put_uint(struct mp_writer *w, uint64_t v)
{
	msgpack_packer pk = packer(w);

	if (put_item(w, false))
		msgpack_pack_uint64(&pk, v);
}

void mp_put_bool(struct mp_writer *w, bool v)
{
	msgpack_packer pk = packer(w);

	if (!put_item(w, false))
		return;
	if (v)
		msgpack_pack_true(&pk);
	else
		msgpack_pack_false(&pk);
}

void mp_put_nil(struct mp_writer *w)
{
	msgpack_packer pk = packer(w);

	if (put_item(w, false))
		msgpack_pack_nil(&pk);
}

void mp_put_bin(struct mp_writer *w, const uint8_t *p, size_t len)
{
	msgpack_packer pk = packer(w);

	if (!put_item(w, false))
		return;
	if (len > UINT32_MAX) {
		w->err = PERR_RANGE;
		return;
	}
	msgpack_pack_bin_with_body(&pk, p, len);
}

void mp_put_strn(struct mp_writer *w, const char *s, size_t len)
{
	msgpack_packer pk = packer(w);

	if (!put_item(w, false))
		return;
	if (len > UINT32_MAX) {
		w->err = PERR_RANGE;
		return;
	}
	/* our own reader would refuse it, and so would every other member's */
	if (!is_text((const uint8_t *)s, len)) {
		w->err = PERR_FORMAT;
		return;
	}
	msgpack_pack_str_with_body(&pk, s, len);
}

void mp_put_str(struct mp_writer *w, const char *s)
{
	mp_put_strn(w, s, strlen(s));
}

enum perr mp_written(const struct mp_writer *w, size_t *len)
{
	unsigned d;

	*len = 0;
	if (w->err != PERR_OK)
		return w->err;
	for (d = 0; d <= w->depth; d++)
		assert(w->stack[d].left == 0);
	*len = w->len;
	return PERR_OK;
}
