/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * mp: canonical MessagePack, a strict reader and a bounded writer over
 * msgpack-c.  PROTOCOL section 2.
 *
 * What is admitted: nil, bool, unsigned integers (shortest form), bin, str
 * (valid UTF-8 without U+0000), arrays, and maps whose keys are unsigned
 * integers in rising order.  Nothing else: no floats, ext, negative numbers.
 *
 * Reader.  mp_reader_init() scans the whole input before msgpack-c sees it:
 * depth <= MP_DEPTH_MAX, every announced count and length against the bytes
 * left, canonical form throughout, no trailing bytes.  What it allocates is
 * bounded by MP_COST * buf_len.  After the first error every getter returns a
 * harmless value (0, NULL, empty) and the error is kept: check once, at the end.
 *
 *	mp_reader_init(&r, buf, buf_len);
 *	mp_array(&r, 3);
 *	kind  = mp_uint(&r, KIND_MAX);
 *	token = mp_bin(&r, TOKEN_SIZE);
 *	text  = mp_str(&r, 1, 80, &text_len);
 *	err   = mp_finish(&r);           (always called; frees)
 *
 * Pointers returned point into buf and live as long as buf does; an empty bin or str is
 * an empty string.  NULL means an error.
 */
#ifndef AMPARO_MP_H
#define AMPARO_MP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "perr.h"

#define MP_DEPTH_MAX 8
#define MP_COST      64

struct mp_reader {
	enum perr err;
	void *root;              /* msgpack-c's tree; freed by mp_finish */
	struct {
		const void *items;   /* msgpack_object* or msgpack_object_kv* */
		uint32_t n, at;
		bool is_map, value_next;
	} stack[MP_DEPTH_MAX + 1];
	unsigned depth;
};

/* buf may be NULL only with buf_len 0 (an error: empty input is no message) */
void mp_reader_init(struct mp_reader *r, const uint8_t *buf, size_t buf_len);

/* enter an array of exactly n items; they are read next; it closes by itself */
void mp_array(struct mp_reader *r, uint32_t n);
/* enter an array of min..max items; returns the count (0 after an error) */
uint32_t mp_array_var(struct mp_reader *r, uint32_t min, uint32_t max);
/* enter a map of at most max pairs; returns the count; read mp_key, then a value */
uint32_t mp_map(struct mp_reader *r, uint32_t max);
/* the next key of the map entered last */
uint64_t mp_key(struct mp_reader *r);
uint64_t mp_uint(struct mp_reader *r, uint64_t max);
bool mp_bool(struct mp_reader *r);
/* exactly len bytes; borrowed */
const uint8_t *mp_bin(struct mp_reader *r, size_t len);
/* min..max bytes; borrowed; *len is 0 after an error */
const uint8_t *mp_bin_var(struct mp_reader *r, size_t min, size_t max, size_t *len);
/* UTF-8 of min..max bytes, not ended by a zero; borrowed */
const char *mp_str(struct mp_reader *r, size_t min, size_t max, size_t *len);
/* copies a str of min..size-1 bytes into out and ends it with a zero */
void mp_str_copy(struct mp_reader *r, char *out, size_t size, size_t min);
/* copies exactly len bytes of bin into out (zeros after an error) */
void mp_bin_copy(struct mp_reader *r, uint8_t *out, size_t len);
/* true and taken if the next item is nil; otherwise false, nothing taken, no error */
bool mp_nil(struct mp_reader *r);
/* skip one item whole, whatever it is */
void mp_skip(struct mp_reader *r);
/* mark the input wrong by a rule of the caller's own; keeps an earlier error */
void mp_fail(struct mp_reader *r, enum perr err);
/*
 * The first error, or PERR_FORMAT if items are left over.  Frees what the reader
 * holds; harmless to call twice.
 */
PERR_MUST_CHECK enum perr mp_finish(struct mp_reader *r);

/*
 * Writer into the caller's buffer.  After its first error nothing more is written and
 * mp_written returns it.  Maps: the caller writes keys in rising order
 * (asserted).  Arrays and maps are announced with their exact count; mp_written
 * asserts that what was announced was written.
 */
struct mp_writer {
	uint8_t *buf;
	size_t size, len;
	enum perr err;
	struct {
		uint32_t left;           /* items still to come at this level */
		bool is_map;
		uint64_t last_key;
		bool any_key;
	} stack[MP_DEPTH_MAX + 1];
	unsigned depth;
};

void mp_writer_init(struct mp_writer *w, uint8_t *buf, size_t size);
void mp_put_array(struct mp_writer *w, uint32_t n);
void mp_put_map(struct mp_writer *w, uint32_t n);
void mp_put_key(struct mp_writer *w, uint64_t key);
void mp_put_uint(struct mp_writer *w, uint64_t v);
void mp_put_bool(struct mp_writer *w, bool v);
void mp_put_nil(struct mp_writer *w);
void mp_put_bin(struct mp_writer *w, const uint8_t *p, size_t len);
void mp_put_str(struct mp_writer *w, const char *s);            /* ended by a zero */
void mp_put_strn(struct mp_writer *w, const char *s, size_t len);
/*
 * len  out: bytes written, 0 after an error.  PERR_RANGE: the buffer was too small.
 * PERR_FORMAT: a str was not UTF-8 or held U+0000.
 */
PERR_MUST_CHECK enum perr mp_written(const struct mp_writer *w, size_t *len);

#endif
