/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "doc.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>

#define DOC_FIRST_BUFFER 1024u

bool doc_text_is(struct doc_text t, const char *s)
{
	return t.len == strlen(s) && (t.len == 0 || memcmp(t.p, s, t.len) == 0);
}

void doc_hash_keyed(uint8_t out[DOC_HASH_SIZE], const uint8_t *key, size_t key_len,
                    const char *context, const uint8_t *p, size_t len)
{
	crypto_generichash_state st;

	assert(key == NULL || (key_len >= crypto_generichash_KEYBYTES_MIN &&
	                       key_len <= crypto_generichash_KEYBYTES_MAX));
	crypto_generichash_init(&st, key, key_len, DOC_HASH_SIZE);
	crypto_generichash_update(&st, (const uint8_t *)context, strlen(context));
	if (len > 0)
		crypto_generichash_update(&st, p, len);
	crypto_generichash_final(&st, out, DOC_HASH_SIZE);
	sodium_memzero(&st, sizeof st);
}

void doc_hash(uint8_t out[DOC_HASH_SIZE], const char *context, const uint8_t *p, size_t len)
{
	doc_hash_keyed(out, NULL, 0, context, p, len);
}

void doc_u32(uint8_t out[4], uint32_t v)
{
	out[0] = (uint8_t)(v >> 24);
	out[1] = (uint8_t)(v >> 16);
	out[2] = (uint8_t)(v >> 8);
	out[3] = (uint8_t)v;
}

uint32_t doc_get_u32(const uint8_t in[4])
{
	return (uint32_t)in[0] << 24 | (uint32_t)in[1] << 16 | (uint32_t)in[2] << 8 | in[3];
}

void doc_free(uint8_t *p, size_t len)
{
	if (p == NULL)
		return;
	sodium_memzero(p, len);
	free(p);
}

bool doc_is_rising(const uint8_t (*keys)[32], size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (memcmp(keys[i - 1], keys[i], 32) >= 0)
			return false;
	return true;
}

static int compare_keys(const void *a, const void *b)
{
	return memcmp(a, b, 32);
}

void doc_sort(uint8_t (*keys)[32], size_t n)
{
	if (n > 1)
		qsort(keys, n, 32, compare_keys);
}

size_t doc_find(const uint8_t (*keys)[32], size_t n, const uint8_t key[32])
{
	size_t i;

	for (i = 0; i < n; i++)
		if (memcmp(keys[i], key, 32) == 0)
			break;
	return i;
}

bool doc_is_zero(const uint8_t *p, size_t len)
{
	return sodium_is_zero(p, len) == 1;
}

/* ---- maps -------------------------------------------------------------------------------- */

void doc_map_begin(struct doc_map *m, struct mp_reader *r)
{
	m->r = r;
	m->left = mp_map(r, UINT32_MAX);
	m->have = false;
	m->key = 0;
}

bool doc_has(struct doc_map *m, uint64_t key)
{
	if (!m->have && m->left > 0) {
		m->key = mp_key(m->r);
		m->left--;
		m->have = true;
	}
	if (m->r->err != PERR_OK || !m->have || m->key != key)
		return false;
	m->have = false;
	return true;
}

void doc_need(struct doc_map *m, uint64_t key)
{
	if (!doc_has(m, key))
		mp_fail(m->r, PERR_FORMAT);
}

/*
 * PROTOCOL 2: "a reader skips odd keys it does not know and refuses a document with an even
 * key it does not know"
 */
bool doc_ext(struct doc_map *m, uint64_t key)
{
	uint32_t n;

	if (!doc_has(m, key))
		return false;
	for (n = mp_map(m->r, UINT32_MAX); n > 0 && m->r->err == PERR_OK; n--) {
		if (mp_key(m->r) % 2 == 0)
			mp_fail(m->r, PERR_UNKNOWN);
		mp_skip(m->r);
	}
	return m->r->err == PERR_OK;
}

void doc_map_end(struct doc_map *m)
{
	if (m->have || m->left > 0)
		mp_fail(m->r, PERR_FORMAT);
}

struct doc_text doc_get_text(struct mp_reader *r, size_t min, size_t max)
{
	struct doc_text t;

	t.p = mp_str(r, min, max, &t.len);
	return t;
}

struct doc_bytes doc_get_bytes(struct mp_reader *r, size_t min, size_t max)
{
	struct doc_bytes b;

	b.p = mp_bin_var(r, min, max, &b.len);
	return b;
}

uint32_t doc_get_uint(struct mp_reader *r, uint32_t max)
{
	return (uint32_t)mp_uint(r, max);
}

void doc_put_text(struct mp_writer *w, struct doc_text t)
{
	mp_put_strn(w, t.len > 0 ? t.p : "", t.len);
}

void doc_put_bytes(struct mp_writer *w, struct doc_bytes b)
{
	mp_put_bin(w, b.p, b.len);
}

enum perr doc_write(uint8_t **out, size_t *out_len, size_t max,
                    void (*put)(struct mp_writer *w, const void *what), const void *what)
{
	size_t size = DOC_FIRST_BUFFER < max ? DOC_FIRST_BUFFER : max;

	*out = NULL;
	*out_len = 0;
	for (;;) {
		struct mp_writer w;
		enum perr err;
		uint8_t *buf = malloc(size);

		if (buf == NULL)
			return PERR_NOMEM;
		mp_writer_init(&w, buf, size);
		put(&w, what);
		err = mp_written(&w, out_len);
		if (err == PERR_OK) {
			*out = buf;
			return PERR_OK;
		}
		doc_free(buf, size);
		if (err != PERR_RANGE || size == max)
			return err;
		size = size > max / 4 ? max : size * 4;
	}
}
