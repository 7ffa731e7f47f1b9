/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * doc: what the documents of PROTOCOL sections 4 to 10 share: slices, hashes with a
 * context, maps read by table, buffers that grow and are wiped.
 */
#ifndef AMPARO_DOC_H
#define AMPARO_DOC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "mp.h"
#include "perr.h"

#define DOC_HASH_SIZE 32

/* bytes and text that belong to somebody else; text is UTF-8 without an ending zero */
struct doc_bytes {
	const uint8_t *p;
	size_t len;
};
struct doc_text {
	const char *p;
	size_t len;
};

static inline struct doc_text doc_text_of(const char *s)
{
	return (struct doc_text){ .p = s, .len = strlen(s) };
}
static inline struct doc_bytes doc_bytes_of(const void *p, size_t len)
{
	return (struct doc_bytes){ .p = p, .len = len };
}
/* is the slice exactly this text? */
bool doc_text_is(struct doc_text t, const char *s);

/* out = H(context || p): BLAKE2b-256; context is its ASCII bytes without the ending zero */
void doc_hash(uint8_t out[DOC_HASH_SIZE], const char *context, const uint8_t *p, size_t len);
/* out = H(key, context || p); key_len 16..64 */
void doc_hash_keyed(uint8_t out[DOC_HASH_SIZE], const uint8_t *key, size_t key_len,
                    const char *context, const uint8_t *p, size_t len);

void doc_u32(uint8_t out[4], uint32_t v);        /* big-endian */
uint32_t doc_get_u32(const uint8_t in[4]);

/* wipes, then frees what an encoder or decoder returned from malloc; NULL is harmless */
void doc_free(uint8_t *p, size_t len);

/* are n keys of 32 bytes strictly rising (so sorted, each once)? */
bool doc_is_rising(const uint8_t (*keys)[32], size_t n);
/* sort n keys of 32 bytes as bytes */
void doc_sort(uint8_t (*keys)[32], size_t n);
/* place of key among n, or n */
size_t doc_find(const uint8_t (*keys)[32], size_t n, const uint8_t key[32]);
bool doc_is_zero(const uint8_t *p, size_t len);

/*
 * A map read like its table in PROTOCOL: keys come in rising order, so each field is
 * asked for once, in order.
 *
 *	doc_map_begin(&m, r);
 *	doc_need(&m, 0);  version = mp_uint(r, 1);
 *	if (doc_has(&m, 6))  day = mp_uint(r, UINT32_MAX);
 *	ext = doc_ext(&m, 9);
 *	doc_map_end(&m);
 *
 * A key that is not asked for makes the reader fail with PERR_FORMAT.
 */
struct doc_map {
	struct mp_reader *r;
	uint32_t left;
	bool have;
	uint64_t key;
};
void doc_map_begin(struct doc_map *m, struct mp_reader *r);
void doc_need(struct doc_map *m, uint64_t key);
bool doc_has(struct doc_map *m, uint64_t key);
/* the optional field ext: skips odd keys; an even one fails with PERR_UNKNOWN; was it there? */
bool doc_ext(struct doc_map *m, uint64_t key);
void doc_map_end(struct doc_map *m);

struct doc_text doc_get_text(struct mp_reader *r, size_t min, size_t max);
struct doc_bytes doc_get_bytes(struct mp_reader *r, size_t min, size_t max);
uint32_t doc_get_uint(struct mp_reader *r, uint32_t max);
void doc_put_text(struct mp_writer *w, struct doc_text t);
void doc_put_bytes(struct mp_writer *w, struct doc_bytes b);

/*
 * Run an encoder into a buffer that grows to at most max bytes; smaller buffers are wiped.
 * out  out: malloc'd, for doc_free; NULL after an error
 * PERR_RANGE: more than max bytes.  PERR_NOMEM.  PERR_FORMAT: text that is not UTF-8.
 */
PERR_MUST_CHECK enum perr doc_write(uint8_t **out, size_t *out_len, size_t max,
                                   void (*put)(struct mp_writer *w, const void *what),
                                   const void *what);

#endif
