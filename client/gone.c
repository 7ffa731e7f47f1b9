/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "gone.h"

#include <sodium.h>
#include <string.h>

#include "doc.h"

#define PREFIX "gone/"
#define SIZE   5

enum perr gone_mark(struct client *c, const uint8_t record[STATEMENT_RECORD_SIZE], enum gone how)
{
	uint8_t value[SIZE];
	char name[96];

	client_key_name(name, PREFIX, record, STATEMENT_RECORD_SIZE);
	if (how == GONE_NOT)
		return kv_del(c->kv, name);
	doc_u32(value, client_day(c));
	value[4] = (uint8_t)how;
	return kv_put(c->kv, name, value, sizeof value);
}

static bool is_mark(const uint8_t *value, size_t len)
{
	return len == SIZE && (value[4] == GONE_ERASED || value[4] == GONE_KEPT);
}

enum perr gone_of(struct client *c, const uint8_t record[STATEMENT_RECORD_SIZE], enum gone *how)
{
	uint8_t *value = NULL;
	char name[96];
	size_t len = 0;
	enum perr err;

	*how = GONE_NOT;
	client_key_name(name, PREFIX, record, STATEMENT_RECORD_SIZE);
	err = kv_get(c->kv, name, &value, &len);
	if (err == PERR_OK && !is_mark(value, len))
		err = PERR_CORRUPT;
	if (err == PERR_OK)
		*how = (enum gone)value[4];
	kv_free(value);
	return err == PERR_NOTFOUND ? PERR_OK : err;
}

struct each {
	gone_fn *fn;
	void *arg;
};

static enum perr one(void *arg, const char *name, const uint8_t *value, size_t len)
{
	const struct each *e = arg;
	uint8_t record[STATEMENT_RECORD_SIZE];
	size_t n;

	if (sodium_hex2bin(record, sizeof record, name + strlen(PREFIX),
	                   strlen(name + strlen(PREFIX)), NULL, &n, NULL) != 0 ||
	    n != sizeof record || !is_mark(value, len))
		return PERR_CORRUPT;
	return e->fn(e->arg, record, (enum gone)value[4], doc_get_u32(value));
}

enum perr gone_each(struct client *c, gone_fn *fn, void *arg)
{
	struct each e = { .fn = fn, .arg = arg };

	return kv_each(c->kv, PREFIX, one, &e);
}
