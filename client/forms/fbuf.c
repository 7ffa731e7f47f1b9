/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fbuf.h"

void fbuf_drop(struct fbuf *b)
{
	if (b->bytes != NULL)
		explicit_bzero(b->bytes, b->cap);
	free(b->bytes);
	b->bytes = NULL;
	b->len = b->cap = 0;
}

void fbuf_add(struct fbuf *b, const void *bytes, size_t len)
{
	uint8_t *bigger;
	size_t cap;

	if (b->is_broken)
		return;
	if (len >= SIZE_MAX / 4 || (b->max != 0 && (len > b->max || b->len > b->max - len))) {
		b->is_broken = true;
		return;
	}
	if (b->cap - b->len < len + 1) {
		cap = b->cap * 2 + len + 256;
		bigger = malloc(cap);
		if (bigger == NULL) {
			b->is_broken = b->is_starved = true;
			return;
		}
		if (b->len > 0)
			memcpy(bigger, b->bytes, b->len);
		if (b->bytes != NULL)
			explicit_bzero(b->bytes, b->cap);
		free(b->bytes);
		b->bytes = bigger;
		b->cap = cap;
	}
	if (len > 0)
		memcpy(b->bytes + b->len, bytes, len);
	b->len += len;
	b->bytes[b->len] = '\0';
}

void fbuf_text(struct fbuf *b, const char *s)
{
	fbuf_add(b, s, strlen(s));
}

void fbuf_fmt(struct fbuf *b, const char *fmt, ...)
{
	char text[512];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof text)
		b->is_broken = true;
	else
		fbuf_add(b, text, (size_t)n);
	explicit_bzero(text, sizeof text);
}

static void escape(struct fbuf *b, const char *s, const char *special)
{
	size_t plain;

	for (;;) {
		plain = strcspn(s, special);
		fbuf_add(b, s, plain);
		s += plain;
		switch (*s) {
		case '\0': return;
		case '<': fbuf_text(b, "&lt;"); break;
		case '>': fbuf_text(b, "&gt;"); break;
		case '&': fbuf_text(b, "&amp;"); break;
		case '"': fbuf_text(b, "&quot;"); break;
		default: fbuf_fmt(b, "&#%d;", *s); break;
		}
		s++;
	}
}

void fbuf_xml(struct fbuf *b, const char *s)
{
	escape(b, s, "<>&\"'\r");
}

void fbuf_attr(struct fbuf *b, const char *s)
{
	/* A parser would make spaces of these. */
	escape(b, s, "<>&\"'\r\n\t");
}

void fbuf_json(struct fbuf *b, const char *s)
{
	fbuf_text(b, "\"");
	for (; *s != '\0'; s++) {
		if (*s == '"' || *s == '\\')
			fbuf_fmt(b, "\\%c", *s);
		else if (*s == '\n')
			fbuf_text(b, "\\n");
		else if ((unsigned char)*s < 32)
			fbuf_fmt(b, "\\u%04x", (unsigned)*s);
		else
			fbuf_add(b, s, 1);
	}
	fbuf_text(b, "\"");
}

void fbuf_csv(struct fbuf *b, const char *s)
{
	if (strpbrk(s, ",\"\r\n") == NULL) {
		fbuf_text(b, s);
		return;
	}
	fbuf_text(b, "\"");
	for (; *s != '\0'; s++) {
		if (*s == '"')
			fbuf_text(b, "\"");
		fbuf_add(b, s, 1);
	}
	fbuf_text(b, "\"");
}

int fbuf_take(struct fbuf *b, uint8_t **out, size_t *len)
{
	fbuf_add(b, "", 0);
	*out = NULL;
	*len = 0;
	if (b->is_broken) {
		fbuf_drop(b);
		return -1;
	}
	*out = b->bytes;
	*len = b->len;
	memset(b, 0, sizeof *b);
	return 0;
}
