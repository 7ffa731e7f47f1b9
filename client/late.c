/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "late.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "cache.h"
#include "dispatch.h"
#include "doc.h"
#include "envelope.h"
#include "mp.h"
#include "record.h"

#define LATE      "late/"
#define HASH_KEPT 20
#define HEAD_MAX  256            /* of a record, before the envelope */

/* secret: the envelope, and what erases the cell it came in */
struct late {
	bool is_handed;                  /* then nothing else is kept but the day */
	uint32_t day;
	bool has_from;
	struct origin from;
	const uint8_t *envelope;         /* borrowed */
	size_t len;
};

static void late_name(char name[96], const uint8_t hash[32])
{
	client_key_name(name, LATE, hash, HASH_KEPT);
}

static enum perr put(struct client *c, const char *name, const struct late *l)
{
	size_t size = HEAD_MAX + l->len, len;
	uint8_t *buf = malloc(size), raw[BLOB_REF_SIZE] = { 0 };
	struct mp_writer w;
	enum perr err;

	if (buf == NULL)
		return PERR_NOMEM;
	if (l->has_from && l->from.has_ref)
		blob_ref_encode(raw, &l->from.ref);
	mp_writer_init(&w, buf, size);
	mp_put_array(&w, 7);
	mp_put_bool(&w, l->is_handed);
	mp_put_uint(&w, l->day);
	mp_put_bool(&w, l->has_from);
	mp_put_bin(&w, l->from.id, 32);
	mp_put_bin(&w, l->from.ds, 32);
	mp_put_bin(&w, raw, l->has_from && l->from.has_ref ? sizeof raw : 0);
	mp_put_bin(&w, l->len > 0 ? l->envelope : raw, l->len);
	err = mp_written(&w, &len);
	if (err == PERR_OK)
		err = kv_put(c->kv, name, buf, len);
	sodium_memzero(buf, size);
	sodium_memzero(raw, sizeof raw);
	free(buf);
	return err;
}

static enum perr get(struct late *l, const uint8_t *value, size_t value_len)
{
	struct mp_reader r;
	const uint8_t *ref;
	enum perr bad = PERR_OK, err;
	size_t n;

	memset(l, 0, sizeof *l);
	mp_reader_init(&r, value, value_len);
	mp_array(&r, 7);
	l->is_handed = mp_bool(&r);
	l->day = (uint32_t)mp_uint(&r, UINT32_MAX);
	l->has_from = mp_bool(&r);
	mp_bin_copy(&r, l->from.id, 32);
	mp_bin_copy(&r, l->from.ds, 32);
	ref = mp_bin_var(&r, 0, BLOB_REF_SIZE, &n);
	l->from.has_ref = ref != NULL && n == BLOB_REF_SIZE;
	if (l->from.has_ref)
		bad = blob_ref_decode(&l->from.ref, ref);
	l->envelope = mp_bin_var(&r, 0, ENVELOPE_MAX, &l->len);
	err = kv_decoded(mp_finish(&r));
	return err == PERR_OK ? kv_decoded(bad) : err;
}

/* ---- noting ------------------------------------------------------------------------------- */

static enum perr count_name(void *arg, const char *name)
{
	(void)name;
	(*(unsigned *)arg)++;
	return PERR_OK;
}

enum perr late_note(struct client *c, const struct statement *st, const uint8_t hash[32],
                    const struct origin *from, const uint8_t *envelope, size_t len)
{
	struct late l = { .day = client_day(c), .has_from = from != NULL, .envelope = envelope,
	                  .len = len };
	uint8_t *old = NULL;
	unsigned n = 0;
	char name[96];
	enum perr err;

	/* what holders tell each other of their vaults is over with that; what was sent to
	 * another member is that member's, whoever sealed it here */
	if (st->kind == STATEMENT_CUSTODY || cache_is_member(c, st->to))
		return PERR_OK;
	late_name(name, hash);
	err = kv_get(c->kv, name, &old, NULL);
	kv_free(old);
	if (err != PERR_NOTFOUND)
		return err;              /* waits here, or was handed on */
	err = kv_each_name(c->kv, LATE, count_name, &n);
	if (err != PERR_OK || n >= LATE_MAX)
		return err;
	if (from != NULL)
		l.from = *from;
	err = put(c, name, &l);
	sodium_memzero(&l, sizeof l);
	return err;
}

/* ---- the duty ------------------------------------------------------------------------------- */

struct names {
	char (*at)[96];
	size_t n;
};

static enum perr take_name(void *arg, const char *name)
{
	struct names *l = arg;

	if (l->n < LATE_MAX)
		memcpy(l->at[l->n++], name, strlen(name) + 1);
	return PERR_OK;
}

static enum perr forget(struct client *c, const char *name)
{
	enum perr err = kv_begin(c->kv);

	if (err == PERR_OK)
		err = kv_erase(c->kv, name);
	if (err == PERR_OK)
		err = kv_commit(c->kv);
	kv_abort(c->kv);
	return err;
}

/* this member holds the desk now, and the device knows it */
static enum perr take_in(struct client *c, const char *name, const struct late *l)
{
	enum take_result result;
	enum perr err = kv_begin(c->kv);

	if (err == PERR_OK)
		err = kv_erase(c->kv, name);
	if (err == PERR_OK)
		err = record_take_from(c, l->has_from ? &l->from : NULL, l->envelope, l->len,
		                       &result);
	if (err == PERR_OK)
		err = kv_commit(c->kv);
	kv_abort(c->kv);
	return err;
}

/* the same envelope, signature and references, to those who hold the desk now */
static enum perr hand_on(struct client *c, const char *name, const struct late *l,
                         const uint8_t desk[32], bool *more)
{
	struct late handed = { .is_handed = true, .day = client_day(c) };
	struct dispatch_readers readers;
	struct dispatch *d = NULL;
	char why[DISPATCH_WHY];
	enum perr err = dispatch_desk(c, desk, false, &readers, why);

	if (err == PERR_NOTFOUND || err == PERR_REFUSED)
		return PERR_OK;          /* without their keys: at a later sync */
	if (err == PERR_OK && readers.n == 0)
		return PERR_OK;
	if (err == PERR_OK) {
		d = dispatch_new(c);
		err = d == NULL ? PERR_NOMEM : dispatch_begin(d);
	}
	if (err == PERR_OK)
		err = dispatch_envelope(d, l->envelope, l->len, &readers);
	if (err == PERR_OK)
		err = kv_erase(c->kv, name);
	if (err == PERR_OK)
		err = put(c, name, &handed);
	if (err == PERR_OK)
		err = dispatch_commit(d, NULL);
	if (err == PERR_OK)
		*more = true;
	dispatch_free(d);
	return err;
}

static enum perr look_at(struct client *c, const char *name, const struct late *l, bool *more)
{
	const uint8_t (*held)[32], (*left)[32];
	struct envelope *env = malloc(sizeof *env);
	struct statement *st = malloc(sizeof *st);
	size_t n_held, n_left;
	enum perr err = env == NULL || st == NULL ? PERR_NOMEM : PERR_OK;

	if (err == PERR_OK)
		err = envelope_open(env, st, l->envelope, l->len);
	if (err == PERR_UNKNOWN)
		err = PERR_OK;           /* of a later version: its head says for whom it is */
	if (err == PERR_OK)
		err = cache_held(c, &held, &n_held);
	if (err == PERR_OK)
		err = cache_left(c, &left, &n_left);
	if (err != PERR_OK)
		err = err == PERR_NOMEM ? err : PERR_CORRUPT;
	else if (doc_find(held, n_held, st->to) < n_held)
		err = take_in(c, name, l);
	else if (doc_find(left, n_left, st->to) < n_left)
		err = hand_on(c, name, l, st->to, more);
	if (env != NULL)
		sodium_memzero(env, sizeof *env);
	if (st != NULL)
		sodium_memzero(st, sizeof *st);
	free(env);
	free(st);
	return err;
}

enum perr late_duty(struct client *c, bool *more)
{
	struct names names = { .at = calloc(LATE_MAX, sizeof *names.at) };
	uint32_t today = client_day(c);
	enum perr err = names.at == NULL ? PERR_NOMEM
	                                 : kv_each_name(c->kv, LATE, take_name, &names);

	for (size_t i = 0; i < names.n && err == PERR_OK; i++) {
		uint8_t *value = NULL;
		struct late l = { .len = 0 };
		size_t len;

		err = kv_get(c->kv, names.at[i], &value, &len);
		if (err == PERR_OK)
			err = get(&l, value, len);
		if (err == PERR_OK && !l.is_handed)
			err = look_at(c, names.at[i], &l, more);
		if (err == PERR_OK && l.day + LATE_DAYS < today)
			err = forget(c, names.at[i]);
		sodium_memzero(&l, sizeof l);
		kv_free(value);
	}
	free(names.at);
	return err;
}

struct counts {
	unsigned waiting, handed;
};

static enum perr count_one(void *arg, const char *name, const uint8_t *value, size_t len)
{
	struct counts *k = arg;
	struct late l;
	enum perr err = get(&l, value, len);

	(void)name;
	if (err == PERR_OK && l.is_handed)
		k->handed++;
	else if (err == PERR_OK)
		k->waiting++;
	sodium_memzero(&l, sizeof l);
	return err;
}

enum perr late_count(struct client *c, unsigned *waiting, unsigned *handed)
{
	struct counts k = { 0 };
	enum perr err = kv_each(c->kv, LATE, count_one, &k);

	*waiting = k.waiting;
	*handed = k.handed;
	return err;
}
