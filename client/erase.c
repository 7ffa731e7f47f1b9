/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "erase.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "blob.h"
#include "case.h"
#include "cell.h"
#include "doc.h"
#include "origin.h"
#include "roster.h"

#define TAG_KEPT  16
#define HEAD      (4 + 1 + 32 + 32)
#define PER       9              /* bytes for each server that answered */
#define VALUE_MAX (HEAD + PER * ROSTER_SERVERS_MAX)

static void item_name(char out[96], const uint8_t tag[32])
{
	client_key_name(out, "erase/", tag, TAG_KEPT);
}

/* ---- asking ----------------------------------------------------------------------------------- */

struct asking {
	struct client *c;
	struct erase_sum *sum;
	const struct case_file *file;
	uint8_t *seen;               /* a byte for each statement of the file: a cell is known */
};

static enum perr ask(struct asking *a, const uint8_t ds[32], const uint8_t *id)
{
	uint8_t value[HEAD] = { 0 }, tag[32];
	char name[96];
	enum perr err;

	cell_tag(tag, ds);
	doc_u32(value, client_day(a->c));
	if (id != NULL) {
		value[4] = 1;
		memcpy(value + 5, id, 32);
	}
	memcpy(value + 37, ds, 32);
	item_name(name, tag);
	err = kv_put(a->c->kv, name, value, sizeof value);
	sodium_memzero(value, sizeof value);
	a->sum->cells++;
	a->sum->unnamed += id == NULL ? 1 : 0;
	return err;
}

static enum perr ask_blob(struct asking *a, const struct blob_ref *ref)
{
	uint32_t n = blob_n_chunks(ref->size), i;
	struct origin_chunk *known = NULL;
	uint8_t ds[32];
	enum perr err = origin_chunks(a->c, ref, &known);

	/* larger than the policy allows: it was not noted, and has its key (record.c) */
	if (err == PERR_NOTFOUND)
		err = PERR_OK;
	for (i = 0; err == PERR_OK && i < n; i++) {
		if (known == NULL)
			blob_chunk_ds(ds, ref, i);
		else
			memcpy(ds, known[i].ds, sizeof ds);
		err = ask(a, ds, known == NULL || sodium_is_zero(known[i].id, 32) ? NULL
		                 : known[i].id);
	}
	sodium_memzero(ds, sizeof ds);
	kv_free((uint8_t *)known);
	return err;
}

static enum perr ask_cell(void *arg, const uint8_t hash[ORIGIN_HASH], const struct origin *o)
{
	struct asking *a = arg;
	enum perr err = ask(a, o->ds, o->id);
	size_t i;

	if (err == PERR_OK && o->has_ref)
		err = ask_blob(a, &o->ref);
	for (i = 0; i < a->file->n; i++)
		if (memcmp(a->file->at[i]->hash, hash, ORIGIN_HASH) == 0)
			a->seen[i] = 1;
	return err;
}

/* a correction has a record id of its own: each one's cells stand under it */
static enum perr ask_records(struct asking *a)
{
	const struct case_file *f = a->file;
	enum perr err = PERR_OK;
	size_t i, k;

	for (i = 0; err == PERR_OK && i < f->n; i++) {
		for (k = 0; k < i && memcmp(f->at[k]->st.record, f->at[i]->st.record,
		                            STATEMENT_RECORD_SIZE) != 0; k++)
			;
		if (k == i)
			err = origin_each(a->c, f->at[i]->st.record, ask_cell, a);
	}
	return err;
}

static enum perr ask_all(struct asking *a)
{
	const struct case_file *f = a->file;
	enum perr err = ask_records(a);
	uint32_t k;
	size_t i;

	for (i = 0; err == PERR_OK && i < f->n; i++) {
		/* attachments of what she sent herself are others' copies */
		if (!a->seen[i]) {
			a->sum->untraced++;
			continue;
		}
		a->sum->statements++;
		for (k = 0; err == PERR_OK && !f->at[i]->is_unknown && k < f->at[i]->env.n_refs; k++)
			err = ask_blob(a, &f->at[i]->env.refs[k]);
	}
	return err;
}

enum perr erase_record(struct client *c, const uint8_t record[STATEMENT_RECORD_SIZE],
                       struct erase_sum *sum)
{
	struct case_file *file = NULL;
	struct asking a = { .c = c, .sum = sum };
	enum perr err;

	memset(sum, 0, sizeof *sum);
	err = case_open(c, record, &file);
	if (err != PERR_OK)
		return err;
	a.file = file;
	a.seen = calloc(file->n + 1, 1);
	err = a.seen == NULL ? PERR_NOMEM : kv_begin(c->kv);
	if (err == PERR_OK)
		err = ask_all(&a);
	if (err == PERR_OK)
		err = kv_commit(c->kv);
	kv_abort(c->kv);
	free(a.seen);
	case_close(file);
	return err;
}

enum perr erase_late(struct client *c, const struct origin *from, const struct blob_ref *refs,
                     size_t n_refs)
{
	struct erase_sum sum = { 0 };
	struct asking a = { .c = c, .sum = &sum };
	enum perr err = ask(&a, from->ds, from->id);

	if (err == PERR_OK && from->has_ref)
		err = ask_blob(&a, &from->ref);
	for (size_t i = 0; err == PERR_OK && i < n_refs; i++)
		err = ask_blob(&a, &refs[i]);
	return err;
}

/* ---- what is due ------------------------------------------------------------------------------ */

/* what this server said, if anything; value is a whole one */
static enum erase_answer answer_of(const uint8_t *value, size_t len, const uint8_t pk[32])
{
	size_t at;

	for (at = HEAD; at + PER <= len; at += PER)
		if (memcmp(value + at, pk, 8) == 0)
			return (enum erase_answer)value[at + 8];
	return ERASE_NO_ANSWER;
}

static bool is_whole(const uint8_t *value, size_t len)
{
	return len >= HEAD && (len - HEAD) % PER == 0 && value[4] <= 1;
}

static bool is_late(const struct client *c, const uint8_t *value)
{
	return client_day(c) > (uint64_t)doc_get_u32(value) + ERASE_AGAIN_DAYS;
}

static bool is_due(const struct client *c, const uint8_t *value, size_t len, const uint8_t pk[32])
{
	switch (answer_of(value, len, pk)) {
	case ERASE_NO_ANSWER: return true;
	case ERASE_RESTS:     return false;
	case ERASE_UNKNOWN:   break;
	}
	return !is_late(c, value);
}

struct due {
	struct client *c;
	const uint8_t *pk;
	erase_fn *fn;
	void *arg;
};

static enum perr one_due(void *arg, const char *name, const uint8_t *value, size_t len)
{
	struct due *d = arg;
	struct erase_item it;
	enum perr err;

	if (!is_whole(value, len))
		return PERR_CORRUPT;
	if (!is_due(d->c, value, len, d->pk))
		return PERR_OK;
	it.has_id = value[4] != 0;
	memcpy(it.id, value + 5, 32);
	memcpy(it.ds, value + 37, 32);
	cell_tag(it.tag, it.ds);
	err = d->fn(d->arg, &it);
	sodium_memzero(&it, sizeof it);
	return err;
}

enum perr erase_each_due(struct client *c, const uint8_t server_pk[32], erase_fn *fn, void *arg)
{
	struct due d = { c, server_pk, fn, arg };

	return kv_each(c->kv, "erase/", one_due, &d);
}

struct waiting {
	struct client *c;
	unsigned n;
};

static enum perr one_waiting(void *arg, const char *name, const uint8_t *value, size_t len)
{
	struct waiting *w = arg;
	uint32_t i;

	if (!is_whole(value, len))
		return PERR_CORRUPT;
	for (i = 0; i < w->c->field->n_servers; i++)
		if (answer_of(value, len, w->c->field->servers[i].pk) == ERASE_NO_ANSWER) {
			w->n++;
			break;
		}
	return PERR_OK;
}

enum perr erase_waiting(struct client *c, unsigned *n)
{
	struct waiting w = { .c = c };
	enum perr err = c->field == NULL ? PERR_OK : kv_each(c->kv, "erase/", one_waiting, &w);

	*n = w.n;
	return err;
}

/* ---- answers ---------------------------------------------------------------------------------- */

static bool is_done(const struct client *c, const uint8_t *value, size_t len)
{
	uint32_t i;

	for (i = 0; i < c->field->n_servers; i++)
		if (is_due(c, value, len, c->field->servers[i].pk))
			return false;
	return true;
}

static enum perr note(struct client *c, const uint8_t pk[32], const struct erase_item *it,
                      uint8_t answer)
{
	uint8_t value[VALUE_MAX + PER], *old;
	size_t len, at;
	char name[96];
	enum perr err;

	item_name(name, it->tag);
	err = kv_get(c->kv, name, &old, &len);
	if (err != PERR_OK)
		return err == PERR_NOTFOUND ? PERR_OK : err;
	if (!is_whole(old, len) || len > VALUE_MAX) {
		kv_free(old);
		return PERR_CORRUPT;
	}
	memcpy(value, old, len);
	kv_free(old);
	for (at = HEAD; at < len && memcmp(value + at, pk, 8) != 0; at += PER)
		;
	if (at == len && len + PER <= VALUE_MAX)
		len += PER;
	else if (at == len)
		at = HEAD;               /* servers came and went: one of them makes place */
	memcpy(value + at, pk, 8);
	value[at + 8] = answer;
	err = is_done(c, value, len) ? kv_del(c->kv, name) : kv_put(c->kv, name, value, len);
	sodium_memzero(value, sizeof value);
	return err;
}

enum perr erase_answered(struct client *c, const uint8_t server_pk[32],
                         const struct erase_item *items, const uint8_t *answers, size_t n)
{
	enum perr err = kv_begin(c->kv);
	size_t i;

	for (i = 0; err == PERR_OK && i < n; i++)
		if (answers[i] != ERASE_NO_ANSWER)
			err = note(c, server_pk, &items[i], answers[i]);
	if (err == PERR_OK)
		err = kv_commit(c->kv);
	kv_abort(c->kv);
	return err;
}
