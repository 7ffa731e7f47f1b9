/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "record_blobs.h"

#include <sodium.h>
#include <string.h>

#include "doc.h"
#include "mp.h"
#include "roster.h"

#define WANT_SIZE 168

static void blob_name(char out[96], const uint8_t hash[32])
{
	client_key_name(out, "blob/", hash, 32);
}

enum perr record_has_blob(struct client *c, const uint8_t hash[32], bool *has)
{
	uint8_t *value = NULL;
	char name[96];
	enum perr err;

	blob_name(name, hash);
	err = kv_get(c->kv, name, &value, NULL);
	kv_free(value);
	*has = err == PERR_OK;
	return err == PERR_NOTFOUND ? PERR_OK : err;
}

/* the same content may come under several keys: whichever copy is whole first will do */
static void want_name(char out[96], const struct blob_ref *ref)
{
	uint8_t mark[32];
	char prefix[96];

	doc_hash(mark, "amparo client want", ref->sk, sizeof ref->sk);
	client_key_name(prefix, "want/", ref->hash, 32);
	strcat(prefix, "/");
	client_key_name(out, prefix, mark, 8);
}

static enum perr put_want(struct client *c, const struct blob_ref *ref, bool is_envelope,
                          const struct origin *from)
{
	uint8_t buf[WANT_SIZE], raw[BLOB_REF_SIZE], cell[64], *old = NULL;
	struct mp_writer w;
	char name[96];
	size_t len;
	enum perr err;

	want_name(name, ref);
	err = kv_get(c->kv, name, &old, NULL);
	kv_free(old);
	if (err != PERR_NOTFOUND)
		return err;              /* wanted since an earlier day */
	blob_ref_encode(raw, ref);
	mp_writer_init(&w, buf, sizeof buf);
	mp_put_array(&w, from == NULL ? 3 : 4);
	mp_put_bin(&w, raw, sizeof raw);
	mp_put_bool(&w, is_envelope);
	mp_put_uint(&w, client_day(c));
	if (from != NULL) {
		memcpy(cell, from->id, 32);
		memcpy(cell + 32, from->ds, 32);
		mp_put_bin(&w, cell, sizeof cell);
		sodium_memzero(cell, sizeof cell);
	}
	err = mp_written(&w, &len);
	if (err == PERR_OK)
		err = kv_put(c->kv, name, buf, len);
	sodium_memzero(raw, sizeof raw);
	sodium_memzero(buf, sizeof buf);
	return err;
}

enum perr record_want_spilled(struct client *c, const struct origin *from,
                              const struct blob_ref *ref)
{
	/* longer than any envelope: nobody's, and not worth its chunks */
	if (ref->size > ENVELOPE_MAX)
		return PERR_OK;
	return put_want(c, ref, true, from);
}

bool record_is_too_much(const struct client *c, const struct blob_ref *ref, uint32_t at)
{
	return c->field != NULL && (ref->size > c->field->limits.attachment_bytes ||
	                            at >= c->field->limits.attachments);
}

enum perr record_want_attachments(struct client *c, const struct envelope *env,
                                  const struct statement *st, bool is_known)
{
	const struct statement_attachments *list = envelope_attachments(st);
	enum perr err = PERR_OK;

	if (list == NULL)
		return PERR_OK;
	for (uint32_t i = 0; i < list->n && err == PERR_OK; i++) {
		const struct blob_ref *ref = envelope_ref_for(env, &list->at[i]);
		bool has;

		if (ref == NULL || (!is_known && record_is_too_much(c, ref, i)))
			continue;
		err = record_has_blob(c, ref->hash, &has);
		if (err == PERR_OK && !has)
			err = put_want(c, ref, false, NULL);
	}
	return err;
}

struct wants {
	want_fn *fn;
	void *arg;
};

static enum perr one_want(void *arg, const char *name, const uint8_t *value, size_t len)
{
	struct wants *ws = arg;
	struct mp_reader r;
	struct want w = { 0 };
	const uint8_t *raw, *cell;
	enum perr err, bad = PERR_OK;

	mp_reader_init(&r, value, len);
	w.has_cell = mp_array_var(&r, 3, 4) == 4;
	raw = mp_bin(&r, BLOB_REF_SIZE);
	if (raw != NULL)
		bad = blob_ref_decode(&w.ref, raw);
	w.is_envelope = mp_bool(&r);
	w.since_day = (uint32_t)mp_uint(&r, UINT32_MAX);
	if (w.has_cell && (cell = mp_bin(&r, 64)) != NULL) {
		memcpy(w.id, cell, 32);
		memcpy(w.ds, cell + 32, 32);
	}
	err = kv_decoded(mp_finish(&r));
	if (err == PERR_OK)
		err = kv_decoded(bad);
	if (err == PERR_OK)
		err = ws->fn(ws->arg, &w);
	sodium_memzero(&w, sizeof w);
	return err;
}

enum perr record_wants(struct client *c, want_fn *fn, void *arg)
{
	struct wants ws = { .fn = fn, .arg = arg };

	return kv_each(c->kv, "want/", one_want, &ws);
}

static enum perr drop_want(void *arg, const char *name)
{
	struct client *c = arg;

	return kv_del(c->kv, name);
}

enum perr record_have(struct client *c, const struct want *w, const uint8_t *data, size_t len,
                      enum take_result *result)
{
	char name[96];
	enum perr err;

	*result = TAKE_NEW;
	if (w->is_envelope) {
		struct origin from = { .has_ref = true, .ref = w->ref };

		memcpy(from.id, w->id, 32);
		memcpy(from.ds, w->ds, 32);
		want_name(name, &w->ref);
		err = kv_del(c->kv, name);
		if (err == PERR_OK)
			err = record_take_from(c, w->has_cell ? &from : NULL, data, len, result);
		sodium_memzero(&from, sizeof from);
		return err;
	}
	blob_name(name, w->ref.hash);
	err = kv_put(c->kv, name, data, len);
	if (err != PERR_OK)
		return err;
	client_key_name(name, "want/", w->ref.hash, 32);
	return kv_each_name(c->kv, name, drop_want, c);
}
