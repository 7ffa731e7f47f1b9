/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "holders.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "charters.h"
#include "roster.h"
#include "trust.h"

/* keep the charter and put it, as it stands, on the board (inside a batch) */
static enum perr keep_and_post(struct client *c, const struct charter_signed *ch,
                               const uint8_t id[32])
{
	uint8_t *raw = NULL;
	char name[96];
	size_t len = 0;
	enum perr err = charter_signed_encode(&raw, &len, ch);

	client_key_name(name, "charter/", id, 32);
	if (err == PERR_OK)
		err = kv_put(c->kv, name, raw, len);
	if (err == PERR_OK)
		err = charters_post(c, name, ch);
	doc_free(raw, len);
	return err;
}

static enum perr sign_it(struct client *c, struct charter_signed *ch)
{
	struct sign_key key;
	enum perr err;

	client_sign_key(c, &key);
	err = charter_sign(ch, &key);
	signed_key_wipe(&key);
	return err;
}

enum perr holders_propose(struct client *c, const char *name, const char *organisation,
                          uint32_t threshold, const uint8_t (*holders)[32], uint32_t n,
                          uint8_t desk_id[32])
{
	struct charter_signed ch = { 0 };
	uint8_t id[32];
	enum perr err;

	if (c->field == NULL)
		return PERR_STATE;
	err = charter_make(&ch, name, organisation, threshold, holders, n, NULL);
	if (err != PERR_OK)
		return err;
	memcpy(id, ch.hash, 32);
	if (charter_has_holder(&ch.body, c->me->sign_pk))
		err = sign_it(c, &ch);
	if (err == PERR_OK)
		err = kv_begin(c->kv);
	if (err == PERR_OK) {
		err = keep_and_post(c, &ch, id);
		if (err == PERR_OK && charter_has_holder(&ch.body, c->me->sign_pk))
			err = trust_pin(c, id, TRUST_HOLDER);
		if (err == PERR_OK)
			err = kv_commit(c->kv);
		if (err != PERR_OK)
			kv_abort(c->kv);
	}
	charter_signed_free(&ch);
	if (err == PERR_OK && desk_id != NULL)
		memcpy(desk_id, id, 32);
	return err;
}

enum perr holders_sign(struct client *c, const uint8_t desk_id[32])
{
	struct charter_signed ch = { 0 };
	uint8_t *raw = NULL;
	char name[96];
	size_t len;
	enum perr err;

	client_key_name(name, "charter/", desk_id, 32);
	err = kv_get(c->kv, name, &raw, &len);
	if (err == PERR_OK)
		err = charter_signed_decode(&ch, raw, len);
	kv_free(raw);
	if (err != PERR_OK)
		return err;
	if (!charter_has_holder(&ch.body, c->me->sign_pk)) {
		err = PERR_KEY;
		goto out;
	}
	err = sign_it(c, &ch);
	if (err == PERR_OK)
		err = kv_begin(c->kv);
	if (err != PERR_OK)
		goto out;
	err = keep_and_post(c, &ch, desk_id);
	if (err == PERR_OK)
		err = trust_pin(c, desk_id, TRUST_HOLDER);
	if (err == PERR_OK)
		err = kv_commit(c->kv);
	if (err != PERR_OK)
		kv_abort(c->kv);
out:
	charter_signed_free(&ch);
	return err;
}

struct walk {
	struct client *c;
	holders_fn *fn;
	void *arg;
	uint8_t (*listed)[32];
	size_t n_listed;
};

static enum perr one_proposal(void *arg, const char *name, const uint8_t *value, size_t len)
{
	struct walk *w = arg;
	struct charter_signed ch = { 0 };
	struct holders_desk d = { 0 };
	enum perr err = charter_signed_decode(&ch, value, len);

	if (err != PERR_OK)
		return err == PERR_NOMEM ? err : PERR_CORRUPT;
	/* a proposal is a first version: a later one belongs to a desk that is listed */
	if (ch.body.version != 0 ||
	    doc_find((const uint8_t (*)[32])w->listed, w->n_listed, ch.hash) < w->n_listed)
		goto out;
	memcpy(d.id, ch.hash, 32);
	d.charter = &ch.body;
	d.sigs = &ch.sigs;
	err = charter_progress(&d.n_signed, &d.n_needed, &ch, NULL);
	if (err == PERR_OK) {
		d.signed_by_me = signed_find(&ch.sigs, w->c->me->sign_pk) != NULL;
		err = w->fn(w->arg, &d);
	}
out:
	charter_signed_free(&ch);
	return err;
}

enum perr holders_each(struct client *c, holders_fn *fn, void *arg)
{
	size_t n = c->field == NULL ? 0 : c->field->n_desks;
	struct walk w = { .c = c, .fn = fn, .arg = arg };
	struct desk *d = malloc(sizeof *d);
	enum perr err = PERR_OK;

	w.listed = calloc(n + 1, 32);
	if (d == NULL || w.listed == NULL)
		err = PERR_NOMEM;
	for (size_t i = 0; i < n && err == PERR_OK; i++) {
		struct holders_desk hd = { .listed = true };

		err = client_desk(c, i, d);
		if (err != PERR_OK)
			break;
		memcpy(w.listed[w.n_listed++], d->id, 32);
		memcpy(hd.id, d->id, 32);
		hd.charter = &d->now;
		err = fn(arg, &hd);
	}
	if (err == PERR_OK)
		err = kv_each(c->kv, "charter/", one_proposal, &w);
	free(w.listed);
	free(d);
	return err;
}

struct search {
	const char *name;
	bool only_listed;
	unsigned n;
	uint8_t *id;
};

static enum perr match(void *arg, const struct holders_desk *d)
{
	struct search *s = arg;

	if ((s->only_listed && !d->listed) ||
	    (s->name != NULL && strcmp(s->name, d->charter->name) != 0))
		return PERR_OK;
	memcpy(s->id, d->id, 32);
	s->n++;
	return PERR_OK;
}

enum perr holders_find(struct client *c, const char *name, bool only_listed, uint8_t desk_id[32])
{
	struct search s = { .name = name, .only_listed = only_listed, .id = desk_id };
	enum perr err = holders_each(c, match, &s);

	if (err != PERR_OK)
		return err;
	return s.n == 0 ? PERR_NOTFOUND : s.n == 1 ? PERR_OK : PERR_EXISTS;
}
