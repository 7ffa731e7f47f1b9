/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * fbuf: bytes that grow.  They are people's answers, so old blocks are wiped before they
 * are freed.  After the first failure nothing more is added and is_broken is set; is_starved
 * too, if it was for want of memory and not for max.
 */
#ifndef AMPARO_FBUF_H
#define AMPARO_FBUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fbuf {
	uint8_t *bytes;
	size_t len, cap, max;           /* max 0: no limit */
	bool is_broken, is_starved;
};

void fbuf_add(struct fbuf *b, const void *bytes, size_t len);
void fbuf_text(struct fbuf *b, const char *s);
void fbuf_fmt(struct fbuf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Text of XML and HTML; values of attributes, whose line ends must survive. */
void fbuf_xml(struct fbuf *b, const char *s);
void fbuf_attr(struct fbuf *b, const char *s);
/* A JSON string with its quotes. */
void fbuf_json(struct fbuf *b, const char *s);
/* A CSV field, quoted where it must be. */
void fbuf_csv(struct fbuf *b, const char *s);

/*
 * Hands the bytes over, ended by a zero that is not counted; the caller frees them.
 * -1: is_broken; then all is wiped and *out is NULL.
 */
int fbuf_take(struct fbuf *b, uint8_t **out, size_t *len);
void fbuf_drop(struct fbuf *b);

#endif
