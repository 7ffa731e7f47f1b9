/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "origin.h"

#include <sodium.h>
#include <string.h>

#include "doc.h"

#define ID_KEPT    16            /* bytes of an id in a name */
#define CELL_SHORT (32 + 32 + ORIGIN_HASH)
#define CELL_LONG  (CELL_SHORT + BLOB_REF_SIZE)

static void cells_of(char out[96], const uint8_t record[STATEMENT_RECORD_SIZE])
{
	size_t n;

	client_key_name(out, "cell/", record, STATEMENT_RECORD_SIZE);
	n = strlen(out);
	out[n] = '/';
	out[n + 1] = '\0';
}

static void stand_in(uint8_t out[32], const struct blob_ref *ref)
{
	doc_hash(out, "amparo client chunks", ref->sk, sizeof ref->sk);
}

void origin_blind(struct blob_ref *ref)
{
	uint8_t hash[32];

	stand_in(hash, ref);
	memcpy(ref->sk, hash, sizeof ref->sk);
}

static void chunks_name(char out[96], const uint8_t hash[32])
{
	client_key_name(out, "chunks/", hash, ID_KEPT);
}

enum perr origin_note(struct client *c, const uint8_t record[STATEMENT_RECORD_SIZE],
                      const uint8_t hash[32], const struct origin *o)
{
	uint8_t value[CELL_LONG];
	char prefix[96], name[96];
	enum perr err;

	cells_of(prefix, record);
	client_key_name(name, prefix, o->id, ID_KEPT);
	memcpy(value, o->id, 32);
	memcpy(value + 32, o->ds, 32);
	memcpy(value + 64, hash, ORIGIN_HASH);
	if (o->has_ref) {
		struct blob_ref ref = o->ref;

		origin_blind(&ref);
		blob_ref_encode(value + CELL_SHORT, &ref);
		sodium_memzero(&ref, sizeof ref);
	}
	err = kv_put(c->kv, name, value, o->has_ref ? CELL_LONG : CELL_SHORT);
	sodium_memzero(value, sizeof value);
	return err;
}

enum perr origin_note_chunks(struct client *c, const struct blob_ref *ref,
                             const uint8_t (*ids)[32])
{
	uint32_t n = blob_n_chunks(ref->size);
	struct origin_chunk *at;
	uint8_t hash[32], *old = NULL;
	char name[96];
	enum perr err;

	stand_in(hash, ref);
	chunks_name(name, hash);
	if (ids == NULL) {
		err = kv_get(c->kv, name, &old, NULL);
		kv_free(old);
		if (err != PERR_NOTFOUND)
			return err;
	}
	at = calloc(n, sizeof *at);
	if (at == NULL)
		return PERR_NOMEM;
	for (uint32_t i = 0; i < n; i++) {
		if (ids != NULL)
			memcpy(at[i].id, ids[i], 32);
		blob_chunk_ds(at[i].ds, ref, i);
	}
	err = kv_put(c->kv, name, (const uint8_t *)at, n * sizeof *at);
	sodium_memzero(at, n * sizeof *at);
	free(at);
	return err;
}

struct each {
	origin_fn *fn;
	void *arg;
};

static enum perr one_cell(void *arg, const char *name, const uint8_t *value, size_t len)
{
	struct each *e = arg;
	struct origin o;
	enum perr err;

	memset(&o, 0, sizeof o);
	if (len != CELL_SHORT && len != CELL_LONG)
		return PERR_CORRUPT;
	memcpy(o.id, value, 32);
	memcpy(o.ds, value + 32, 32);
	o.has_ref = len == CELL_LONG;
	err = o.has_ref ? blob_ref_decode(&o.ref, value + CELL_SHORT) : PERR_OK;
	err = err != PERR_OK ? PERR_CORRUPT : e->fn(e->arg, value + 64, &o);
	sodium_memzero(&o, sizeof o);
	return err;
}

enum perr origin_each(struct client *c, const uint8_t record[STATEMENT_RECORD_SIZE],
                      origin_fn *fn, void *arg)
{
	struct each e = { fn, arg };
	char prefix[96];

	cells_of(prefix, record);
	return kv_each(c->kv, prefix, one_cell, &e);
}

enum perr origin_chunks(struct client *c, const struct blob_ref *ref,
                        struct origin_chunk **chunks)
{
	uint8_t hash[32], *value = NULL;
	char name[96];
	size_t len = 0;
	enum perr err;

	*chunks = NULL;
	stand_in(hash, ref);
	chunks_name(name, hash);
	err = kv_get(c->kv, name, &value, &len);
	if (err == PERR_NOTFOUND) {
		chunks_name(name, ref->sk);
		err = kv_get(c->kv, name, &value, &len);
	}
	if (err == PERR_OK && len != blob_n_chunks(ref->size) * sizeof **chunks) {
		kv_free(value);
		value = NULL;
		err = PERR_CORRUPT;
	}
	*chunks = (struct origin_chunk *)value;
	return err;
}

enum perr origin_forget_chunks(struct client *c, const struct blob_ref *ref)
{
	uint8_t hash[32];
	char name[96];
	enum perr err;

	stand_in(hash, ref);
	chunks_name(name, hash);
	err = kv_erase(c->kv, name);
	chunks_name(name, ref->sk);
	return err == PERR_OK ? kv_erase(c->kv, name) : err;
}

static enum perr forget_spilled(void *arg, const uint8_t hash[ORIGIN_HASH], const struct origin *o)
{
	(void)hash;
	return o->has_ref ? origin_forget_chunks(arg, &o->ref) : PERR_OK;
}

static enum perr forget_cell(void *arg, const char *name)
{
	struct client *c = arg;

	return kv_erase(c->kv, name);
}

enum perr origin_forget(struct client *c, const uint8_t record[STATEMENT_RECORD_SIZE])
{
	char prefix[96];
	enum perr err = origin_each(c, record, forget_spilled, c);

	cells_of(prefix, record);
	return err == PERR_OK ? kv_each_name(c->kv, prefix, forget_cell, c) : err;
}
