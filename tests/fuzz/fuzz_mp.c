/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Any bytes as a message.  What the reader admits, msgpack-c's own reader must read as the
 * same tree, our getters must walk to its end, and our writer must write to the very same
 * bytes.  Then a script drawn from the bytes asks for things in any order: no order of
 * getters may crash, and after an error all of them are harmless.
 */
#include <msgpack.h>
#include <stdlib.h>
#include <string.h>

#include "mp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int so)
{
	if (!so)
		abort();
}

/* the depth is bounded by MP_DEPTH_MAX: the reader has admitted the bytes */
static void walk(struct mp_reader *r, struct mp_writer *w, const msgpack_object *o)
{
	const char *s;
	const uint8_t *b;
	size_t len;
	uint32_t i;

	switch (o->type) {
	case MSGPACK_OBJECT_NIL:
		must(mp_nil(r));
		mp_put_nil(w);
		break;
	case MSGPACK_OBJECT_BOOLEAN:
		must(mp_bool(r) == o->via.boolean);
		mp_put_bool(w, o->via.boolean);
		break;
	case MSGPACK_OBJECT_POSITIVE_INTEGER:
		must(mp_uint(r, UINT64_MAX) == o->via.u64);
		mp_put_uint(w, o->via.u64);
		break;
	case MSGPACK_OBJECT_STR:
		s = mp_str(r, 0, SIZE_MAX, &len);
		must(s != NULL && len == o->via.str.size && (len == 0 || s == o->via.str.ptr));
		must(memchr(s, 0, len) == NULL);
		mp_put_strn(w, s, len);
		break;
	case MSGPACK_OBJECT_BIN:
		b = mp_bin_var(r, 0, SIZE_MAX, &len);
		must(b != NULL && len == o->via.bin.size);
		must(len == 0 || (const char *)b == o->via.bin.ptr);
		mp_put_bin(w, b, len);
		break;
	case MSGPACK_OBJECT_ARRAY:
		must(mp_array_var(r, 0, UINT32_MAX) == o->via.array.size);
		mp_put_array(w, o->via.array.size);
		for (i = 0; i < o->via.array.size; i++)
			walk(r, w, &o->via.array.ptr[i]);
		break;
	case MSGPACK_OBJECT_MAP:
		must(mp_map(r, UINT32_MAX) == o->via.map.size);
		mp_put_map(w, o->via.map.size);
		for (i = 0; i < o->via.map.size; i++) {
			must(mp_key(r) == o->via.map.ptr[i].key.via.u64);
			mp_put_key(w, o->via.map.ptr[i].key.via.u64);
			walk(r, w, &o->via.map.ptr[i].val);
		}
		break;
	default:                         /* a kind the reader has to refuse */
		abort();
	}
}

static void round_trip(const uint8_t *data, size_t size)
{
	struct mp_reader r;
	struct mp_writer w;
	msgpack_unpacked tree;
	uint8_t *again = malloc(size);
	size_t off = 0, len;

	must(again != NULL);
	msgpack_unpacked_init(&tree);
	must(msgpack_unpack_next(&tree, (const char *)data, size, &off) ==
	     MSGPACK_UNPACK_SUCCESS && off == size);
	mp_reader_init(&r, data, size);
	mp_writer_init(&w, again, size);
	walk(&r, &w, &tree.data);
	must(mp_finish(&r) == PERR_OK);
	must(mp_finish(&r) == PERR_OK);
	must(mp_written(&w, &len) == PERR_OK);
	must(len == size && memcmp(again, data, size) == 0);
	msgpack_unpacked_destroy(&tree);
	free(again);
}

static int inside(const void *p, size_t len, const uint8_t *data, size_t size)
{
	const uint8_t *b = p;

	return len == 0 || (b >= data && len <= (size_t)(data + size - b));
}

static void any_script(const uint8_t *data, size_t size)
{
	struct mp_reader r;
	char text[8];
	uint8_t fixed[4];
	const void *p;
	size_t i, len = 0;
	enum perr err;

	mp_reader_init(&r, data, size);
	for (i = 0; i < size && i < 200; i++) {
		int dead = r.err != PERR_OK;
		uint64_t got = 0;

		switch (data[size - 1 - i] % 12) {
		case 0: got = mp_array_var(&r, 0, data[i]); break;
		case 1: got = mp_map(&r, data[i]); break;
		case 2: got = mp_key(&r); break;
		case 3: got = mp_uint(&r, UINT64_MAX); break;
		case 4: got = mp_bool(&r); break;
		case 5:
			p = mp_bin(&r, data[i]);
			must(p == NULL || inside(p, data[i], data, size));
			got = p != NULL;
			break;
		case 6:
			p = mp_bin_var(&r, 0, data[i], &len);
			must(inside(p, len, data, size));
			got = p != NULL;
			break;
		case 7:
			p = mp_str(&r, 0, data[i], &len);
			must(inside(p, len, data, size));
			got = p != NULL;
			break;
		case 8:
			mp_str_copy(&r, text, sizeof text, 0);
			must(memchr(text, 0, sizeof text) != NULL);
			break;
		case 9:
			mp_bin_copy(&r, fixed, sizeof fixed);
			break;
		case 10: got = mp_nil(&r); break;
		default: mp_skip(&r); break;
		}
		must(!dead || (got == 0 && r.err != PERR_OK));
	}
	err = mp_finish(&r);
	must(mp_finish(&r) == err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mp_reader r;

	mp_reader_init(&r, data, size);
	if (r.err == PERR_OK)
		round_trip(data, size);
	else
		must(r.root == NULL);
	mp_skip(&r);
	if (mp_finish(&r) == PERR_OK)
		must(r.root == NULL);
	any_script(data, size);
	return 0;
}
