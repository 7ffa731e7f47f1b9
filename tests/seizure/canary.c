/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "canary.h"

#include <arpa/inet.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *need(void *p)
{
	if (p == NULL) {
		fputs("seizure: out of memory\n", stderr);
		exit(2);
	}
	return p;
}

static void bad_line(const char *path, unsigned at)
{
	fprintf(stderr, "seizure: %s, line %u is no canary\n", path, at);
	exit(2);
}

static bool read_value(struct canary *c, const char *type, char *value)
{
	size_t len = strlen(value);
	unsigned long long from, to;

	c->v = need(malloc(len + 17));
	if (strcmp(type, "text") == 0) {
		c->type = CANARY_TEXT;
		memcpy(c->v, value, len + 1);
		c->len = len;
		return len > 0;
	}
	if (strcmp(type, "hex") == 0) {
		c->type = CANARY_HEX;
		return sodium_hex2bin(c->v, len, value, len, NULL, &c->len, NULL) == 0 &&
		       c->len * 2 == len && c->len > 0;
	}
	if (strcmp(type, "ip") == 0) {
		c->type = CANARY_IP;
		c->text = need(strdup(value));
		c->len = strchr(value, ':') != NULL ? 16 : 4;
		return inet_pton(c->len == 16 ? AF_INET6 : AF_INET, value, c->v) == 1;
	}
	if (strcmp(type, "time") == 0 && sscanf(value, "%llu %llu", &from, &to) == 2) {
		c->type = CANARY_TIME;
		c->from_us = from;
		c->to_us = to;
		return from > 0 && to >= from;
	}
	return false;
}

void plan_read(struct plan *p, const char *path)
{
	FILE *f = fopen(path, "r");
	char *line = NULL;
	size_t room = 0;
	unsigned at = 0;
	ssize_t n;

	memset(p, 0, sizeof *p);
	if (f == NULL) {
		fprintf(stderr, "seizure: %s cannot be read\n", path);
		exit(2);
	}
	while ((n = getline(&line, &room, f)) > 0) {
		struct canary c = { 0 };
		char *type, *value;

		at++;
		while (n > 0 && (line[n - 1] == '\n' || line[n - 1] == '\r'))
			line[--n] = '\0';
		if (n == 0 || line[0] == '#')
			continue;
		type = strchr(line, '\t');
		value = type != NULL ? strchr(type + 1, '\t') : NULL;
		if (value == NULL)
			bad_line(path, at);
		*type++ = '\0';
		*value++ = '\0';
		c.class = need(strdup(line));
		if (!read_value(&c, type, value))
			bad_line(path, at);
		if ((p->n & (p->n + 1)) == 0 || p->v == NULL)
			p->v = need(realloc(p->v, (2 * p->n + 2) * sizeof *p->v));
		p->v[p->n++] = c;
	}
	free(line);
	fclose(f);
}

void plan_free(struct plan *p)
{
	for (size_t i = 0; i < p->n; i++) {
		free(p->v[i].class);
		free(p->v[i].v);
		free(p->v[i].text);
	}
	free(p->v);
}

const char *shape_text(enum shape s)
{
	static const char *const texts[SHAPE_N] = {
		"as it is", "lower case", "upper case", "UTF-16LE", "UTF-16BE", "hex", "HEX",
		"base64 +0", "base64 +1", "base64 +2", "base64url +0", "base64url +1",
		"base64url +2", "reversed", "words reversed", "words reversed, HEX",
		"binary", "binary, other order", "binary, hex",
		"s LE", "s BE", "ms LE", "ms BE", "us LE", "us BE", "ns LE", "ns BE",
		"ns since 1901 LE", "ns since 1901 BE",
		"decimal digits", "date and time"
	};

	return texts[s];
}

/* UTF-8 to UTF-16; canaries are valid UTF-8 */
static size_t utf16(uint8_t *out, const uint8_t *s, size_t len, bool big)
{
	size_t n = 0;

	for (size_t i = 0; i < len;) {
		unsigned c = s[i], more = c < 0x80 ? 0 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
		unsigned units[2], n_units = 1;

		c &= more == 0 ? 0x7f : more == 1 ? 0x1f : more == 2 ? 0x0f : 0x07;
		for (i++; more > 0 && i < len; more--)
			c = c << 6 | (s[i++] & 0x3f);
		units[0] = c;
		if (c > 0xffff) {
			units[0] = 0xd800 + ((c - 0x10000) >> 10);
			units[1] = 0xdc00 + ((c - 0x10000) & 0x3ff);
			n_units = 2;
		}
		for (unsigned k = 0; k < n_units; k++) {
			out[n++] = (uint8_t)(big ? units[k] >> 8 : units[k]);
			out[n++] = (uint8_t)(big ? units[k] : units[k] >> 8);
		}
	}
	return n;
}

/* the characters of the base64 text that depend on s alone, s standing `skip` bytes in */
static size_t base64_inner(uint8_t *out, const uint8_t *s, size_t len, unsigned skip, int variant)
{
	size_t room = len + 4, first, last, text_room;
	uint8_t *buf = need(calloc(1, room));
	char *b64;

	text_room = sodium_base64_ENCODED_LEN(room, sodium_base64_VARIANT_ORIGINAL);
	b64 = need(malloc(text_room));
	memcpy(buf + skip, s, len);
	sodium_bin2base64(b64, text_room, buf, skip + len, variant);
	first = (8 * skip + 5) / 6;
	last = 8 * (skip + len) / 6;
	memcpy(out, b64 + first, last - first);
	free(buf);
	free(b64);
	return last - first;
}

static size_t hex(uint8_t *out, const uint8_t *s, size_t len, bool upper)
{
	for (size_t i = 0; i < len; i++)
		snprintf((char *)out + 2 * i, 3, upper ? "%02X" : "%02x", s[i]);
	return 2 * len;
}

/* 0 when it would be the plain text again */
static size_t cased(uint8_t *out, const uint8_t *s, size_t len, bool up)
{
	for (size_t i = 0; i < len; i++)
		out[i] = s[i] >= 'A' && s[i] <= 'Z' && !up ? s[i] + 32
		       : s[i] >= 'a' && s[i] <= 'z' && up ? s[i] - 32 : s[i];
	return memcmp(out, s, len) == 0 ? 0 : len;
}

static size_t reversed(uint8_t *out, const uint8_t *s, size_t len, size_t unit)
{
	for (size_t i = 0; i < len; i++)
		out[i] = s[i - i % unit + (unit - 1 - i % unit)];
	return len;
}

size_t shape_room(const struct canary *c)
{
	return 4 * (c->len > 64 ? c->len : 64) + 16;
}

/* of a text, or of bytes where the shape makes sense for them */
static size_t make(uint8_t *out, const uint8_t *s, size_t len, bool is_text, enum shape shape)
{
	switch (shape) {
	case SHAPE_PLAIN:
		memcpy(out, s, len);
		return len;
	case SHAPE_LOWER:
	case SHAPE_UPPER:
		return is_text ? cased(out, s, len, shape == SHAPE_UPPER) : 0;
	case SHAPE_UTF16LE:
	case SHAPE_UTF16BE:
		return is_text ? utf16(out, s, len, shape == SHAPE_UTF16BE) : 0;
	case SHAPE_HEX:
	case SHAPE_HEX_UPPER:
		return hex(out, s, len, shape == SHAPE_HEX_UPPER);
	case SHAPE_BASE64_0:
	case SHAPE_BASE64_1:
	case SHAPE_BASE64_2:
		return base64_inner(out, s, len, shape - SHAPE_BASE64_0,
		                    sodium_base64_VARIANT_ORIGINAL);
	case SHAPE_BASE64URL_0:
	case SHAPE_BASE64URL_1:
	case SHAPE_BASE64URL_2:
		return base64_inner(out, s, len, shape - SHAPE_BASE64URL_0,
		                    sodium_base64_VARIANT_URLSAFE);
	case SHAPE_REVERSED:
		return reversed(out, s, len, len);
	default:
		return 0;
	}
}

size_t shape_make(uint8_t *out, const struct canary *c, enum shape s)
{
	uint8_t words[16];

	if (c->type == CANARY_TIME)
		return 0;
	if (c->type != CANARY_IP)
		return make(out, c->v, c->len, c->type == CANARY_TEXT, s);
	switch (s) {
	case SHAPE_BINARY:
		memcpy(out, c->v, c->len);
		return c->len;
	case SHAPE_BINARY_LE:
		return reversed(out, c->v, c->len, c->len);
	case SHAPE_BINARY_HEX:
		return hex(out, c->v, c->len, false);
	case SHAPE_WORDS:
		return c->len == 16 ? reversed(out, c->v, 16, 4) : 0;
	case SHAPE_WORDS_HEX:
		reversed(words, c->v, c->len, 4);
		return hex(out, words, c->len, true);
	default:
		return make(out, (const uint8_t *)c->text, strlen(c->text), true, s);
	}
}
