/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "upgrade.h"

#include <http_parser.h>
#include <sha1.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "b64.h"

#define FIRST_TEXT 64            /* 48 bytes in base64url */
#define KEY_TEXT   24            /* 16 bytes in base64 */
#define NAME_MAX_  32            /* longer names are nobody's that counts */

/* the header lines that count; each may come once */
enum field {
	FIELD_UPGRADE,
	FIELD_VERSION,
	FIELD_KEY,
	FIELD_PROTOCOL,
	FIELD_ORIGIN,
	FIELD_OTHER
};

static const char *const field_names[FIELD_OTHER] = {
	[FIELD_UPGRADE] = "upgrade",
	[FIELD_VERSION] = "sec-websocket-version",
	[FIELD_KEY] = "sec-websocket-key",
	[FIELD_PROTOCOL] = "sec-websocket-protocol",
	[FIELD_ORIGIN] = "origin",
};

struct upgrade {
	const struct upgrade_origins *origins;
	http_parser parser;
	size_t total;                    /* bytes so far */
	unsigned lines;
	bool refused, whole;
	bool in_value;
	enum field field;                /* whose value is read */
	unsigned seen;                   /* 1 << field */
	size_t name_len, value_len;
	char name[NAME_MAX_];
	char value[UPGRADE_ORIGIN_MAX];
	char key[KEY_TEXT], protocol[FIRST_TEXT];
	uint8_t first[NOISE_MSG_SIZE];
};

/* ---- origins ----------------------------------------------------------------------------- */

static bool is_host_char(char ch)
{
	return (ch >= 'a' && ch <= 'z') || (ch >= '0' && ch <= '9') || strchr("-.:[]", ch) != NULL;
}

/* a rough look: it is compared byte by byte with what browsers write, so a mistyped one lets
 * nobody in */
static bool is_origin(const char *word, size_t len)
{
	size_t i, at = 0;

	if (len > 8 && memcmp(word, "https://", 8) == 0)
		at = 8;
	else if (len > 7 && memcmp(word, "http://", 7) == 0)
		at = 7;
	for (i = at; i < len; i++)
		if (word[i] == '\0' || !is_host_char(word[i]))
			return false;
	return at > 0;
}

static bool is_word(const char *word, size_t len, const char *which)
{
	return len == strlen(which) && memcmp(word, which, len) == 0;
}

enum perr upgrade_origins_add(struct upgrade_origins *o, const char *word, size_t len)
{
	if (len > UPGRADE_ORIGIN_MAX ||
	    !(is_origin(word, len) || is_word(word, len, "null") || is_word(word, len, "any")))
		return PERR_FORMAT;
	if (o->n == UPGRADE_ORIGINS_MAX)
		return PERR_LIMIT;
	memcpy(o->text[o->n], word, len);
	o->text[o->n++][len] = '\0';
	return PERR_OK;
}

/* given: what the request says; NULL: nothing */
static bool is_allowed(const struct upgrade_origins *o, const char *given, size_t len)
{
	size_t i;

	for (i = 0; i < o->n; i++) {
		if (strcmp(o->text[i], "any") == 0)
			return true;
		if (given == NULL)
			continue;
		if (is_word(given, len, o->text[i]))
			return true;
		if (strcmp(o->text[i], "null") == 0 && is_word(given, len, "file://"))
			return true;
	}
	return false;
}

/* ---- the parser's calls ------------------------------------------------------------------ */

/* anything but 0 stops the parser */
static int refuse(struct upgrade *u)
{
	u->refused = true;
	return 1;
}

/* exactly out_len bytes */
static bool decode(uint8_t *out, size_t out_len, const char *text, size_t len, int variant)
{
	size_t n;

	return b64_read(out, out_len, &n, text, len, variant) == PERR_OK && n == out_len;
}

/* the value of a line that counts is whole */
static int end_value(struct upgrade *u)
{
	const char *v = u->value;
	size_t len = u->value_len;

	if (u->field == FIELD_OTHER)
		return 0;
	if (u->seen & 1u << u->field)
		return refuse(u);
	u->seen |= 1u << u->field;
	switch (u->field) {
	case FIELD_UPGRADE:
		return len == 9 && strncasecmp(v, "websocket", 9) == 0 ? 0 : refuse(u);
	case FIELD_VERSION:
		return is_word(v, len, "13") ? 0 : refuse(u);
	case FIELD_KEY: {
		uint8_t nonce[16];

		if (!decode(nonce, sizeof nonce, v, len, sodium_base64_VARIANT_ORIGINAL))
			return refuse(u);
		memcpy(u->key, v, KEY_TEXT);
		return 0;
	}
	case FIELD_PROTOCOL:
		if (!decode(u->first, sizeof u->first, v, len,
		            sodium_base64_VARIANT_URLSAFE_NO_PADDING))
			return refuse(u);
		memcpy(u->protocol, v, FIRST_TEXT);
		return 0;
	case FIELD_ORIGIN:
		return is_allowed(u->origins, v, len) ? 0 : refuse(u);
	case FIELD_OTHER:
		break;
	}
	return 0;
}

static int end_line(struct upgrade *u)
{
	int stop = u->in_value ? end_value(u) : 0;

	u->in_value = false;
	u->name_len = u->value_len = 0;
	return stop;
}

static int on_field(http_parser *p, const char *at, size_t len)
{
	struct upgrade *u = p->data;
	size_t take;

	if (u->in_value && end_line(u) != 0)
		return 1;
	if (u->name_len == 0 && ++u->lines > UPGRADE_LINES_MAX)
		return refuse(u);
	/* one that does not fit is filled up, and then equal to none */
	take = len < sizeof u->name - u->name_len ? len : sizeof u->name - u->name_len;
	memcpy(u->name + u->name_len, at, take);
	u->name_len += take;
	return 0;
}

static enum field field_of(const struct upgrade *u)
{
	unsigned i;

	for (i = 0; i < FIELD_OTHER; i++)
		if (u->name_len == strlen(field_names[i]) &&
		    strncasecmp(u->name, field_names[i], u->name_len) == 0)
			break;
	return (enum field)i;
}

static int on_value(http_parser *p, const char *at, size_t len)
{
	struct upgrade *u = p->data;

	if (!u->in_value) {
		u->in_value = true;
		u->field = field_of(u);
	}
	if (u->field == FIELD_OTHER)
		return 0;
	if (len > sizeof u->value - u->value_len)
		return refuse(u);
	memcpy(u->value + u->value_len, at, len);
	u->value_len += len;
	return 0;
}

static int on_headers(http_parser *p)
{
	const unsigned must = 1u << FIELD_UPGRADE | 1u << FIELD_VERSION | 1u << FIELD_KEY |
	                      1u << FIELD_PROTOCOL;
	struct upgrade *u = p->data;

	if (end_line(u) != 0)
		return -1;
	/* both the line Upgrade and the word in the line Connection */
	if (!p->upgrade || (u->seen & must) != must ||
	    (p->flags & F_CONTENTLENGTH) != 0 || p->uses_transfer_encoding)
		u->refused = true;
	if (!(u->seen & 1u << FIELD_ORIGIN) && !is_allowed(u->origins, NULL, 0))
		u->refused = true;
	return u->refused ? -1 : 0;
}

static int on_complete(http_parser *p)
{
	((struct upgrade *)p->data)->whole = true;
	return 0;
}

static const http_parser_settings calls = {
	.on_header_field = on_field,
	.on_header_value = on_value,
	.on_headers_complete = on_headers,
	.on_message_complete = on_complete,
};

/* ---- the request ------------------------------------------------------------------------- */

enum perr upgrade_new(struct upgrade **out, const struct upgrade_origins *origins)
{
	struct upgrade *u = calloc(1, sizeof *u);

	*out = u;
	if (u == NULL)
		return PERR_NOMEM;
	u->origins = origins;
	u->field = FIELD_OTHER;
	http_parser_init(&u->parser, HTTP_REQUEST);
	u->parser.data = u;
	return PERR_OK;
}

void upgrade_free(struct upgrade *u)
{
	if (u != NULL)
		sodium_memzero(u, sizeof *u);
	free(u);
}

/* PROTOCOL 5.3: "The request is `GET / HTTP/1.1` with version 13" */
static const char first_line[] = UPGRADE_START "/ HTTP/1.1\r\n";

/* http-parser would take more blanks, other paths and other versions */
static bool begins_right(const struct upgrade *u, const uint8_t *in, size_t in_len)
{
	size_t i;

	for (i = 0; i < in_len && u->total + i < sizeof first_line - 1; i++)
		if (in[i] != (uint8_t)first_line[u->total + i])
			return false;
	return true;
}

enum perr upgrade_recv(struct upgrade *u, const uint8_t *in, size_t in_len)
{
	size_t used;

	/* PROTOCOL 5.3: "The request has at most 8,192 bytes and 64 header lines, no body, and
	 * nothing follows it before the answer." */
	if (u->refused || u->whole || in_len > UPGRADE_REQUEST_MAX - u->total)
		goto refused;
	if (!begins_right(u, in, in_len))
		goto refused;
	u->total += in_len;
	used = http_parser_execute(&u->parser, &calls, (const char *)in, in_len);
	if (u->refused || used != in_len)
		goto refused;
	if (HTTP_PARSER_ERRNO(&u->parser) != HPE_OK)
		goto refused;
	return u->whole ? PERR_OK : PERR_MORE;
refused:
	u->refused = true;
	return PERR_FORMAT;
}

const uint8_t *upgrade_first(const struct upgrade *u)
{
	return u->first;
}

size_t upgrade_answer(const struct upgrade *u, char out[UPGRADE_ANSWER_MAX])
{
	/* RFC 6455 section 4.2.2; nothing of the channel's safety rests on this SHA-1 */
	static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
	uint8_t digest[SHA1_DIGEST_LENGTH];
	char accept[sodium_base64_ENCODED_LEN(SHA1_DIGEST_LENGTH,
	                                      sodium_base64_VARIANT_ORIGINAL)];
	SHA1_CTX sha;
	int n;

	SHA1Init(&sha);
	SHA1Update(&sha, (const uint8_t *)u->key, KEY_TEXT);
	SHA1Update(&sha, (const uint8_t *)guid, sizeof guid - 1);
	SHA1Final(digest, &sha);
	sodium_bin2base64(accept, sizeof accept, digest, sizeof digest,
	                  sodium_base64_VARIANT_ORIGINAL);
	n = snprintf(out, UPGRADE_ANSWER_MAX,
	             "HTTP/1.1 101 Switching Protocols\r\n"
	             "Upgrade: websocket\r\n"
	             "Connection: Upgrade\r\n"
	             "Sec-WebSocket-Accept: %s\r\n"
	             "Sec-WebSocket-Protocol: %.*s\r\n"
	             "\r\n", accept, FIRST_TEXT, u->protocol);
	return (size_t)n;
}
