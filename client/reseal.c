/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "reseal.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "doc.h"
#include "envelope.h"
#include "prekeys.h"
#include "record.h"

#define KEY_SHOWN 8              /* bytes of an id in a name */
#define MARK_SIZE 8

struct mark {
	uint8_t hash[CUSTODY_HASH];
	uint32_t seen, sealed;           /* days; sealed 0: not by this vault */
};

struct reseal {
	struct client *c;
	struct dispatch *d;
	const struct covaults *v;
	struct reseal_done *done;
	uint32_t max;
	/* of one co-holder */
	const struct covault *co;
	struct dispatch_readers to;      /* n 0: no prekey of hers is known */
	char prefix[96];
	struct mark *marks;              /* by hash, as the store walks */
	size_t n_marks, room;
	uint8_t *is_used;
	/* large, so not on the stack */
	struct envelope env, again;
	struct statement st, original;
};

bool reseal_is_before(const uint8_t hash[CUSTODY_HASH], const uint8_t a[32], const uint8_t b[32])
{
	uint8_t in[CUSTODY_HASH + 32], of_a[32], of_b[32];

	memcpy(in, hash, CUSTODY_HASH);
	memcpy(in + CUSTODY_HASH, a, 32);
	doc_hash(of_a, "amparo/1 custody turn", in, sizeof in);
	memcpy(in + CUSTODY_HASH, b, 32);
	doc_hash(of_b, "amparo/1 custody turn", in, sizeof in);
	return memcmp(of_a, of_b, 32) < 0;
}

/* ---- marks -------------------------------------------------------------------------------- */

static void mark_name(const struct reseal *r, char out[96], const uint8_t hash[CUSTODY_HASH])
{
	client_key_name(out, r->prefix, hash, CUSTODY_HASH);
}

static enum perr one_mark(void *arg, const char *name, const uint8_t *value, size_t len)
{
	struct reseal *r = arg;
	const char *hex = name + strlen(r->prefix);
	struct mark *m;
	size_t n;

	if (r->n_marks == r->room) {
		size_t room = r->room == 0 ? 64 : 2 * r->room;

		m = realloc(r->marks, room * sizeof *m);
		if (m == NULL)
			return PERR_NOMEM;
		r->marks = m;
		r->room = room;
	}
	m = &r->marks[r->n_marks];
	if (len != MARK_SIZE || sodium_hex2bin(m->hash, CUSTODY_HASH, hex, strlen(hex), NULL, &n,
	                                       NULL) != 0 || n != CUSTODY_HASH)
		return PERR_CORRUPT;
	m->seen = doc_get_u32(value);
	m->sealed = doc_get_u32(value + 4);
	r->n_marks++;
	return PERR_OK;
}

static int by_hash(const void *a, const void *b)
{
	return memcmp(a, b, CUSTODY_HASH);
}

static struct mark *find_mark(const struct reseal *r, const uint8_t hash[CUSTODY_HASH])
{
	return r->n_marks == 0 ? NULL
	    : bsearch(hash, r->marks, r->n_marks, sizeof *r->marks, by_hash);
}

static enum perr put_mark(struct reseal *r, const struct mark *m)
{
	uint8_t value[MARK_SIZE];
	char name[96];

	doc_u32(value, m->seen);
	doc_u32(value + 4, m->sealed);
	mark_name(r, name, m->hash);
	r->done->changed = true;
	return kv_put(r->c->kv, name, value, sizeof value);
}

/* what is not lacked any more needs no mark */
static enum perr tidy(struct reseal *r)
{
	enum perr err = PERR_OK;
	char name[96];

	for (size_t i = 0; i < r->n_marks && err == PERR_OK; i++) {
		if (r->is_used[i])
			continue;
		mark_name(r, name, r->marks[i].hash);
		err = kv_del(r->c->kv, name);
		r->done->changed = true;
	}
	return err;
}

/* ---- sealing ------------------------------------------------------------------------------- */

static enum perr fresh_chunks(struct reseal *r, const struct statement_attachments *list)
{
	struct envelope *again = &r->again;
	enum perr err = PERR_OK;
	char name[96];

	for (uint32_t i = 0; list != NULL && i < list->n && err == PERR_OK; i++) {
		uint8_t *data = NULL;
		uint32_t same = 0;
		size_t len;

		while (same < again->n_refs &&
		       memcmp(again->refs[same].hash, list->at[i].hash, 32) != 0)
			same++;
		if (same < again->n_refs)
			continue;        /* the same content twice in one list */
		client_key_name(name, "blob/", list->at[i].hash, 32);
		err = kv_get(r->c->kv, name, &data, &len);
		if (err == PERR_NOTFOUND) {
			err = PERR_OK;   /* not here either: the statement goes without it */
			continue;
		}
		if (err == PERR_OK)
			err = dispatch_blob(r->d, data, len, &again->refs[again->n_refs]);
		again->n_refs += err == PERR_OK;
		kv_free(data);
	}
	return err;
}

static enum perr seal_item(struct reseal *r, const struct holding_item *it)
{
	const struct statement *of = &r->st;
	uint8_t *value = NULL, *bytes = NULL;
	char name[96];
	size_t len, bytes_len = 0;
	enum perr err;

	holding_name(name, it);
	err = kv_get(r->c->kv, name, &value, &len);
	if (err == PERR_OK && len <= RECORD_HEAD)
		err = PERR_CORRUPT;
	if (err == PERR_OK)
		err = envelope_decode(&r->env, value + RECORD_HEAD, len - RECORD_HEAD);
	if (err == PERR_OK)
		err = statement_decode(&r->st, r->env.statement.p, r->env.statement.len);
	if (err == PERR_UNKNOWN)
		err = PERR_OK;           /* of a later version: its attachments are not known */
	else if (err == PERR_OK && r->st.kind == STATEMENT_REFERRAL) {
		err = statement_original(&r->original, &r->st);
		of = &r->original;
	}
	if (err == PERR_OK) {
		r->again = r->env;
		r->again.n_refs = 0;
		err = fresh_chunks(r, envelope_attachments(of));
	}
	if (err == PERR_OK)
		err = envelope_encode(&bytes, &bytes_len, &r->again);
	if (err == PERR_OK)
		err = dispatch_envelope(r->d, bytes, bytes_len, &r->to);
	doc_free(bytes, bytes_len);
	sodium_memzero(&r->env, sizeof r->env);
	sodium_memzero(&r->again, sizeof r->again);
	kv_free(value);
	return err == PERR_FORMAT || err == PERR_AUTH ? PERR_CORRUPT : err;
}

/* how many of those who hold it come before this vault */
static uint32_t rank(const struct reseal *r, size_t i)
{
	const struct covaults *v = r->v;
	const uint8_t *hash = v->own->at[i].hash;
	uint32_t n = 0;

	for (uint32_t k = 0; k < v->n; k++) {
		const struct covault *co = &v->at[k];

		n += co != r->co && covault_is_fresh(v, co) && co->words[i].says == COVAULT_HOLDS &&
		     co->words[i].missing == 0 && reseal_is_before(hash, co->key, r->c->me->sign_pk);
	}
	return n;
}

/*
 * It is in this vault only, for half of the retention already, and she has been silent since it
 * came: before the servers forget her own cell she gets a fresh one, so that she finds it even
 * if this vault is lost meanwhile.  Up to the days for which her prekeys were published.
 */
static bool is_running_out(const struct reseal *r, size_t i, uint32_t sealed)
{
	const struct holding_item *it = &r->v->own->at[i];
	uint32_t half = r->v->retention / 2, today = r->v->today;

	return (uint64_t)it->received + half < today &&
	       today < (uint64_t)it->received + PREKEYS_AHEAD_DAYS &&
	       (sealed == 0 || (uint64_t)sealed + half < today) && !covaults_in_two(r->v, i, false);
}

static enum perr one_item(struct reseal *r, size_t i)
{
	const struct holding_item *it = &r->v->own->at[i];
	struct mark *old = find_mark(r, it->hash), m = { .seen = r->v->today };
	size_t before = dispatch_cells(r->d);
	uint32_t today = r->v->today;
	enum perr err;

	/* of one who never said anything everything may be lacked */
	if (r->co->has_said && !covault_needs(r->co, r->v->own, i))
		return PERR_OK;
	if (old != NULL) {
		m = *old;
		r->is_used[old - r->marks] = 1;
	}
	memcpy(m.hash, it->hash, CUSTODY_HASH);
	/* its own cell may be on the way to her; and later, what was sealed from here */
	if ((r->co->said.through_day <= it->received ||
	     (m.sealed != 0 && r->co->said.through_day < (uint64_t)m.sealed + 2)) &&
	    !is_running_out(r, i, m.sealed))
		return PERR_OK;
	if (r->to.n == 0 || today < (uint64_t)m.seen + RESEAL_TURN_DAYS * rank(r, i))
		return old == NULL ? put_mark(r, &m) : PERR_OK;
	if (r->done->cells >= r->max) {
		r->done->left++;
		return old == NULL ? put_mark(r, &m) : PERR_OK;
	}
	err = seal_item(r, it);
	if (err == PERR_RANGE) {         /* with what is there it is too much for one upload */
		r->done->left++;
		return old == NULL ? put_mark(r, &m) : PERR_OK;
	}
	if (err != PERR_OK)
		return err;
	r->done->cells += (uint32_t)(dispatch_cells(r->d) - before);
	r->done->statements++;
	m.sealed = today;
	return put_mark(r, &m);
}

/* "reseal/<desk>/", or with a co-holder "reseal/<desk>/<key>/" */
static void prefix_of(const struct reseal *r, char out[96], const uint8_t *key)
{
	char desk[96];

	client_key_name(desk, "reseal/", r->v->own->desk, KEY_SHOWN);
	strcat(desk, "/");
	if (key == NULL) {
		strcpy(out, desk);
		return;
	}
	client_key_name(out, desk, key, KEY_SHOWN);
	strcat(out, "/");
}

static enum perr forget_one(void *arg, const char *name)
{
	struct reseal *r = arg;
	char prefix[96];

	for (uint32_t i = 0; i < r->v->n; i++) {
		prefix_of(r, prefix, r->v->at[i].key);
		if (strncmp(name, prefix, strlen(prefix)) == 0)
			return PERR_OK;
	}
	r->done->changed = true;
	return kv_del(r->c->kv, name);
}

/* marks of those who hold the desk no more */
static enum perr forget_former(struct reseal *r)
{
	char prefix[96];

	prefix_of(r, prefix, NULL);
	return kv_each_name(r->c->kv, prefix, forget_one, r);
}

static enum perr for_co_holder(struct reseal *r, const struct covault *co)
{
	enum perr err;

	r->co = co;
	r->n_marks = 0;
	prefix_of(r, r->prefix, co->key);
	err = kv_each(r->c->kv, r->prefix, one_mark, r);
	if (err != PERR_OK)
		return err;
	free(r->is_used);
	r->is_used = calloc(r->n_marks + 1, 1);
	if (r->is_used == NULL)
		return PERR_NOMEM;
	memset(&r->to, 0, sizeof r->to);
	err = prekey_for(r->c, co->key, client_day(r->c), r->to.pk[0]);
	r->to.n = err == PERR_OK;
	if (err == PERR_NOTFOUND)
		err = PERR_OK;
	/* the newest first: families wait on them */
	for (size_t i = r->v->own->n; i-- > 0 && err == PERR_OK;)
		err = one_item(r, i);
	return err == PERR_OK ? tidy(r) : err;
}

enum perr reseal_item(struct client *c, struct dispatch *d, const struct holding_item *it,
                      const struct dispatch_readers *to)
{
	struct reseal *r = calloc(1, sizeof *r);
	enum perr err;

	if (r == NULL)
		return PERR_NOMEM;
	r->c = c;
	r->d = d;
	r->to = *to;
	err = seal_item(r, it);
	sodium_memzero(r, sizeof *r);
	free(r);
	return err;
}

enum perr reseal_lacking(struct client *c, struct dispatch *d, const struct covaults *v,
                         uint32_t max, struct reseal_done *done)
{
	struct reseal *r = calloc(1, sizeof *r);
	enum perr err = PERR_OK;

	memset(done, 0, sizeof *done);
	if (r == NULL)
		return PERR_NOMEM;
	r->c = c;
	r->d = d;
	r->v = v;
	r->done = done;
	r->max = max;
	err = forget_former(r);
	for (uint32_t i = 0; i < v->n && err == PERR_OK; i++)
		err = for_co_holder(r, &v->at[i]);
	free(r->marks);
	free(r->is_used);
	sodium_memzero(r, sizeof *r);
	free(r);
	return err;
}
