/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "web_out.h"

#include <assert.h>
#include <msgpack.h>
#include <sodium.h>
#include <string.h>

#include "kv.h"

#define FIRST_SIZE 1024

/* A larger buffer: the old one is wiped, so no copy of an answer stays behind. */
static bool grow(struct web_out *o, size_t more)
{
	size_t size = o->size == 0 ? FIRST_SIZE : o->size;
	uint8_t *buf;

	if (o->err != PERR_OK)
		return false;
	more += o->spare;
	if (more <= o->size - o->len)
		return true;
	while (size - o->len < more) {
		if (size > SIZE_MAX / 4) {
			o->err = PERR_NOMEM;
			return false;
		}
		size *= 2;
	}
	buf = kv_alloc(size);
	if (buf == NULL) {
		o->err = PERR_NOMEM;
		return false;
	}
	if (o->len > 0)
		memcpy(buf, o->buf, o->len);
	kv_free(o->buf);
	o->buf = buf;
	o->size = size;
	return true;
}

static int append(void *data, const char *p, size_t len)
{
	struct web_out *o = data;

	if (!grow(o, len))
		return -1;
	if (len > 0)
		memcpy(o->buf + o->len, p, len);
	o->len += len;
	return 0;
}

static msgpack_packer packer(struct web_out *o)
{
	msgpack_packer pk;

	msgpack_packer_init(&pk, o, append);
	return pk;
}

static void text(struct web_out *o, const char *s, size_t len)
{
	msgpack_packer pk = packer(o);

	msgpack_pack_str_with_body(&pk, s, len);
}

/* one more item where we are, with its name */
static void item(struct web_out *o, const char *name)
{
	if (o->depth == 0) {
		assert(name == NULL && o->len == 0);
		return;
	}
	assert(o->open[o->depth - 1].is_map == (name != NULL));
	o->open[o->depth - 1].n++;
	if (name != NULL)
		text(o, name, strlen(name));
}

/* The count is not known yet: the form with four bytes, filled in at the end. */
static void enter(struct web_out *o, const char *name, bool is_map)
{
	const char head[5] = { (char)(is_map ? 0xdf : 0xdd), 0, 0, 0, 0 };

	item(o, name);
	assert(o->depth < WEB_OUT_DEPTH);
	o->open[o->depth].at = o->len + 1;
	o->open[o->depth].n = 0;
	o->open[o->depth].is_map = is_map;
	o->depth++;
	append(o, head, sizeof head);
}

void web_out_map(struct web_out *o, const char *name)
{
	enter(o, name, true);
}

void web_out_list(struct web_out *o, const char *name)
{
	enter(o, name, false);
}

void web_out_end(struct web_out *o)
{
	uint32_t n;
	uint8_t *p;

	assert(o->depth > 0);
	o->depth--;
	if (o->err != PERR_OK)
		return;
	n = o->open[o->depth].n;
	p = o->buf + o->open[o->depth].at;
	p[0] = (uint8_t)(n >> 24);
	p[1] = (uint8_t)(n >> 16);
	p[2] = (uint8_t)(n >> 8);
	p[3] = (uint8_t)n;
}

void web_out_strn(struct web_out *o, const char *name, const char *s, size_t len)
{
	item(o, name);
	text(o, s, len);
}

void web_out_str(struct web_out *o, const char *name, const char *s)
{
	if (s == NULL)
		web_out_nil(o, name);
	else
		web_out_strn(o, name, s, strlen(s));
}

void web_out_bin(struct web_out *o, const char *name, const uint8_t *p, size_t len)
{
	msgpack_packer pk = packer(o);

	item(o, name);
	/* room at once: a photograph is not copied from one buffer to the next */
	grow(o, len + 5);
	msgpack_pack_bin_with_body(&pk, p, len);
}

void web_out_uint(struct web_out *o, const char *name, uint64_t v)
{
	msgpack_packer pk = packer(o);

	assert(v <= UINT64_C(1) << 53);
	item(o, name);
	msgpack_pack_uint64(&pk, v);
}

void web_out_bool(struct web_out *o, const char *name, bool v)
{
	msgpack_packer pk = packer(o);

	item(o, name);
	if (v)
		msgpack_pack_true(&pk);
	else
		msgpack_pack_false(&pk);
}

void web_out_nil(struct web_out *o, const char *name)
{
	msgpack_packer pk = packer(o);

	item(o, name);
	msgpack_pack_nil(&pk);
}

void web_out_err(struct web_out *o, const char *name, enum perr err)
{
	const char *text = err == PERR_OK ? "" : perr_name(err) + strlen("PERR_");
	char low[32];
	size_t i;

	for (i = 0; text[i] != '\0' && i < sizeof low - 1; i++)
		low[i] = (char)(text[i] >= 'A' && text[i] <= 'Z' ? text[i] - 'A' + 'a' : text[i]);
	web_out_strn(o, name, low, i);
}

void web_out_words(struct web_out *o, const char *name, const char *phrase)
{
	size_t n;

	web_out_list(o, name);
	for (const char *p = phrase + strspn(phrase, " "); *p != '\0'; p += n + strspn(p + n, " ")) {
		n = strcspn(p, " ");
		web_out_strn(o, NULL, p, n);
	}
	web_out_end(o);
}

void web_out_why(struct web_out *o, const char *sentence)
{
	size_t len = strlen(sentence);

	if (len > sizeof o->why - 1) {
		len = sizeof o->why - 1;
		while (len > 0 && ((unsigned char)sentence[len] & 0xc0) == 0x80)
			len--;
	}
	memcpy(o->why, sentence, len);
	o->why[len] = 0;
}

void web_out_spare(struct web_out *o, size_t len)
{
	o->spare = 0;
	grow(o, len);
	o->spare = len;
}

void web_out_init(struct web_out *o)
{
	memset(o, 0, sizeof *o);
}

void web_out_clear(struct web_out *o)
{
	o->len = 0;
	o->depth = 0;
}

enum perr web_out_take(struct web_out *o, uint8_t **buf, size_t *len)
{
	assert(o->err != PERR_OK || o->depth == 0);
	*buf = NULL;
	*len = 0;
	if (o->err != PERR_OK)
		return o->err;
	kv_cut(o->buf, o->len);
	*buf = o->buf;
	*len = o->len;
	o->buf = NULL;
	o->len = o->size = 0;
	return PERR_OK;
}

void web_out_free(struct web_out *o)
{
	kv_free(o->buf);
	/* it may tell of an answer */
	sodium_memzero(o->why, sizeof o->why);
	o->buf = NULL;
	o->len = o->size = 0;
}
