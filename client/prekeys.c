/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "prekeys.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "batch.h"
#include "charter.h"
#include "doc.h"
#include "notices.h"
#include "post.h"
#include "roster.h"

#define PREFIX      "prekey/"
#define POSTED      "prekey-posted"
#define SLOT        "batch"
#define NUMBER_LEN  8
#define NUMBER_MAX  99999999u
#define HALF_LEN    (sizeof PREFIX - 1 + NUMBER_LEN + 3)   /* "prekey/00000001/07" */
#define PERIOD_DEFAULT 14

bool prekeys_needed(const struct client *c)
{
	/* whoever enrols people publishes no keys: nobody can seal a record to them by mistake */
	return c->field != NULL && (client_is_holder(c, NULL) || c->me->role == ROLE_ATTORNEY ||
	       c->me->role == ROLE_INTERPRETER);
}

uint32_t prekeys_lowest(const struct client *c, const uint8_t owner[32])
{
	const struct roster_member *m;
	uint32_t i, lowest = 0;

	for (i = 0; c->field != NULL && i < c->field->n_desks; i++) {
		uint32_t n = roster_lowest_batch(&c->field->desks[i], owner);

		lowest = n > lowest ? n : lowest;
	}
	m = c->staff == NULL ? NULL : roster_staff_find(c->staff, owner);
	return m != NULL && m->lowest_batch > lowest ? m->lowest_batch : lowest;
}

/* ---- own batches in the store ---------------------------------------------------------------- */

static void batch_name(char name[KV_NAME_MAX + 1], uint32_t number)
{
	snprintf(name, KV_NAME_MAX + 1, PREFIX "%08u", number);
}

static void half_name(char name[KV_NAME_MAX + 1], uint32_t number, uint32_t i)
{
	snprintf(name, KV_NAME_MAX + 1, PREFIX "%08u/%02u", number, i);
}

static bool is_half(const char *name, uint32_t *i)
{
	if (strlen(name) != HALF_LEN)
		return false;
	*i = (uint32_t)strtoul(name + HALF_LEN - 2, NULL, 10);
	return true;
}

/*
 * Own batches and private halves in the order of their names: each batch, then its halves.
 * fn gets the batch each time; sk is NULL for the batch itself.
 */
typedef enum perr walk_fn(void *arg, const struct batch *b, uint32_t i, const uint8_t *sk);
struct walk {
	struct batch b;
	walk_fn *fn;
	void *arg;
};

static enum perr walk_one(void *arg, const char *name, const uint8_t *value, size_t len)
{
	struct walk *w = arg;
	uint32_t i;

	if (!is_half(name, &i)) {
		enum perr err = kv_decoded(batch_open(&w->b, value, len));

		if (err != PERR_OK)
			return err;
		return w->fn(w->arg, &w->b, 0, NULL);
	}
	if (len != 32 || i >= w->b.n)
		return PERR_CORRUPT;
	return w->fn(w->arg, &w->b, i, value);
}

static enum perr walk(struct client *c, walk_fn *fn, void *arg)
{
	struct walk *w = calloc(1, sizeof *w);
	enum perr err;

	if (w == NULL)
		return PERR_NOMEM;
	w->fn = fn;
	w->arg = arg;
	err = kv_each(c->kv, PREFIX, walk_one, w);
	free(w);
	return err;
}

struct newest {
	struct batch b;          /* n 0: none */
	unsigned batches, keys;
	uint32_t first_day;      /* of the oldest key held */
};

static enum perr newest_one(void *arg, const struct batch *b, uint32_t i, const uint8_t *sk)
{
	struct newest *n = arg;
	uint32_t day = b->first_day + i * b->period;

	if (sk == NULL) {
		n->b = *b;
		n->batches++;
		return PERR_OK;
	}
	if (n->keys == 0 || day < n->first_day)
		n->first_day = day;
	n->keys++;
	return PERR_OK;
}

static uint32_t last_day(const struct batch *b, uint32_t i)
{
	uint64_t day = (uint64_t)b->first_day + (uint64_t)(i + 1) * b->period - 1;

	return day > UINT32_MAX ? UINT32_MAX : (uint32_t)day;
}

/* ---- making one ------------------------------------------------------------------------------ */

/* named by a charter that still collects signatures: its volunteers will look for the batch */
static enum perr named_one(void *arg, const char *name, const uint8_t *value, size_t len)
{
	struct charter_signed ch;
	const uint8_t *me = arg;
	bool named;
	enum perr err;

	(void)name;
	err = charter_signed_decode(&ch, value, len);
	if (err != PERR_OK)
		return err == PERR_NOMEM ? err : PERR_OK;
	named = charter_has_holder(&ch.body, me);
	charter_signed_free(&ch);
	return named ? PERR_EXISTS : PERR_OK;
}

static enum perr goes_to_field(struct client *c, bool *field)
{
	enum perr err = client_holds(c, NULL, field);

	*field |= c->staff == NULL;
	if (err == PERR_OK && !*field)
		err = kv_each(c->kv, "charter/", named_one, c->me->sign_pk);
	if (err == PERR_EXISTS) {
		*field = true;
		err = PERR_OK;
	}
	return err;
}

/* which board key and season a cell is sealed under, to notice when they change */
static void mark(const struct client *c, bool field, uint8_t out[37])
{
	out[0] = field ? 1 : 2;
	doc_hash(out + 1, "amparo board mark", field ? c->field->board_sk : c->staff->board_sk,
	         32);
	doc_u32(out + 33, c->seasons[c->n_seasons - 1].number);
}

static enum perr queue(struct client *c, const uint8_t *doc, size_t doc_len)
{
	struct post *p = calloc(1, sizeof *p);
	uint8_t m[37];
	bool field;
	enum perr err;

	if (p == NULL)
		return PERR_NOMEM;
	p->kind = POST_BOARD;
	err = goes_to_field(c, &field);
	if (err == PERR_OK)
		err = notices_seal(c, !field, 1, doc, doc_len, p->cell, p->ds);
	if (err == PERR_OK)
		err = post_add(c, SLOT, p);
	if (err == PERR_OK) {
		mark(c, field, m);
		err = kv_put(c->kv, POSTED, m, sizeof m);
	}
	sodium_memzero(p, sizeof *p);
	free(p);
	return err;
}

/*
 * number   out: the highest one known under this key
 * foreign  out: somebody's document has that number, not the one made here
 */
static enum perr highest_known(struct client *c, const struct newest *n, uint32_t *number,
                               bool *foreign)
{
	char name[96];
	struct batch *b = NULL;
	uint8_t *value, *own = NULL;
	size_t len, own_len = 0;
	enum perr err;

	*number = n->b.n > 0 ? n->b.number : 0;
	*foreign = false;
	/* what the board has shown under this key, from before a restored backup */
	client_key_name(name, "batch/", c->me->sign_pk, 32);
	err = kv_get(c->kv, name, &value, &len);
	if (err == PERR_NOTFOUND)
		return PERR_OK;
	if (err != PERR_OK)
		return err;
	b = malloc(sizeof *b);
	err = b == NULL ? PERR_NOMEM : kv_decoded(batch_open(b, value, len));
	if (err == PERR_OK && b->number > *number) {
		*number = b->number;
		*foreign = true;
	} else if (err == PERR_OK && b->number == *number) {
		batch_name(name, *number);
		err = kv_get(c->kv, name, &own, &own_len);
		*foreign = err == PERR_OK && (own_len != len || memcmp(own, value, len) != 0);
	}
	kv_free(own);
	free(b);
	kv_free(value);
	return err;
}

static enum perr store_halves(struct client *c, const struct batch *b, uint8_t (*sks)[32])
{
	char name[KV_NAME_MAX + 1];
	enum perr err = PERR_OK;
	uint32_t i;

	for (i = 0; err == PERR_OK && i < b->n; i++) {
		half_name(name, b->number, i);
		err = kv_put(c->kv, name, sks[i], 32);
	}
	return err;
}

static enum perr make(struct client *c, uint32_t number)
{
	uint32_t period = c->field->limits.period_days, n;
	uint8_t (*sks)[32] = sodium_malloc(PREKEYS_MAX * 32);
	struct batch *b = malloc(sizeof *b);
	struct sign_key k;
	char name[KV_NAME_MAX + 1];
	uint8_t *doc = NULL;
	size_t len = 0;
	enum perr err = PERR_NOMEM;

	client_sign_key(c, &k);
	if (sks == NULL || b == NULL)
		goto out;
	if (period == 0 || period > BATCH_PERIOD_MAX)
		period = PERIOD_DEFAULT;
	n = (PREKEYS_AHEAD_DAYS + period - 1) / period;
	n = n > PREKEYS_MAX ? PREKEYS_MAX : n;
	err = batch_make(b, sks, c->me->sign_pk, number, client_own_day(c), period, n, c->env.rng);
	if (err == PERR_OK)
		err = batch_sign(&doc, &len, b, &k);
	if (err != PERR_OK)
		goto out;
	batch_name(name, number);
	err = kv_begin(c->kv);
	if (err == PERR_OK)
		err = kv_put(c->kv, name, doc, len);
	if (err == PERR_OK)
		err = store_halves(c, b, sks);
	if (err == PERR_OK) {
		client_key_name(name, "batch/", c->me->sign_pk, 32);
		err = kv_put(c->kv, name, doc, len);
	}
	if (err == PERR_OK)
		err = queue(c, doc, len);
	if (err == PERR_OK)
		err = kv_commit(c->kv);
	kv_abort(c->kv);
out:
	signed_key_wipe(&k);
	if (sks != NULL) {
		sodium_memzero(sks, PREKEYS_MAX * 32);
		sodium_free(sks);
	}
	free(b);
	doc_free(doc, len);
	return err;
}

enum perr prekeys_renew(struct client *c, bool force, bool *made)
{
	struct newest *n = calloc(1, sizeof *n);
	uint32_t number, lowest, today = client_own_day(c);
	bool enough, foreign;
	enum perr err = PERR_NOMEM;

	if (made != NULL)
		*made = false;
	if (n == NULL)
		return err;
	err = PERR_STATE;
	if (!prekeys_needed(c) || c->n_seasons == 0)
		goto out;
	err = walk(c, newest_one, n);
	if (err == PERR_OK)
		err = highest_known(c, n, &number, &foreign);
	if (err != PERR_OK)
		goto out;
	lowest = prekeys_lowest(c, c->me->sign_pk);
	/* a batch of somebody's under one's own number is what others may have taken: overtake it */
	enough = n->b.n > 0 && !foreign && n->b.number >= lowest &&
	         (uint64_t)today + (uint64_t)n->b.n * n->b.period / 2 <= last_day(&n->b, n->b.n - 1);
	if (enough && !force)
		goto out;
	number = number + 1 > lowest ? number + 1 : lowest;
	err = number == 0 || number > NUMBER_MAX ? PERR_RANGE : make(c, number);
	if (made != NULL)
		*made = err == PERR_OK;
out:
	free(n);
	return err;
}

enum perr prekeys_repost(struct client *c)
{
	struct newest *n = calloc(1, sizeof *n);
	char name[KV_NAME_MAX + 1];
	uint8_t m[37], *old = NULL, *doc = NULL;
	size_t old_len = 0, len;
	bool field;
	enum perr err = PERR_NOMEM;

	if (n == NULL)
		return err;
	err = PERR_OK;
	if (!prekeys_needed(c) || c->n_seasons == 0)
		goto out;
	err = walk(c, newest_one, n);
	if (err != PERR_OK || n->b.n == 0)
		goto out;
	err = goes_to_field(c, &field);
	if (err != PERR_OK)
		goto out;
	mark(c, field, m);
	err = kv_get(c->kv, POSTED, &old, &old_len);
	if (err == PERR_OK && old_len == sizeof m && memcmp(old, m, sizeof m) == 0)
		goto out;
	if (err != PERR_OK && err != PERR_NOTFOUND)
		goto out;
	batch_name(name, n->b.number);
	err = kv_get(c->kv, name, &doc, &len);
	if (err != PERR_OK)
		goto out;
	err = kv_begin(c->kv);
	if (err == PERR_OK)
		err = queue(c, doc, len);
	if (err == PERR_OK)
		err = kv_commit(c->kv);
	kv_abort(c->kv);
out:
	kv_free(old);
	kv_free(doc);
	free(n);
	return err;
}

/* ---- reading --------------------------------------------------------------------------------- */

struct readers {
	uint32_t today;
	bool all;
	struct reader_key *keys;
	size_t n, cap;
};

static enum perr reader_one(void *arg, const struct batch *b, uint32_t i, const uint8_t *sk)
{
	struct readers *r = arg;

	if (sk == NULL || (!r->all && i > batch_index(b, r->today) + 1))
		return PERR_OK;
	if (r->keys != NULL) {
		if (r->n == r->cap)
			return PERR_CORRUPT;
		memcpy(r->keys[r->n].sk, sk, 32);
		memcpy(r->keys[r->n].pk, b->keys[i], 32);
	}
	r->n++;
	return PERR_OK;
}

enum perr prekeys_readers(struct client *c, bool all, struct reader_key **keys, size_t *n)
{
	struct readers r = { .today = client_day(c), .all = all };
	size_t i;
	enum perr err = walk(c, reader_one, &r);

	*keys = NULL;
	*n = 0;
	if (err != PERR_OK || r.n + c->n_borrowed == 0)
		return err;
	r.cap = r.n;
	r.n = 0;
	r.keys = sodium_malloc((r.cap + c->n_borrowed) * sizeof *r.keys);
	if (r.keys == NULL)
		return PERR_NOMEM;
	err = walk(c, reader_one, &r);
	if (err != PERR_OK) {
		sodium_free(r.keys);
		return err;
	}
	/* newest first: most cells of today are for the newest */
	for (i = 0; i < r.n / 2; i++) {
		struct reader_key k = r.keys[i];

		r.keys[i] = r.keys[r.n - 1 - i];
		r.keys[r.n - 1 - i] = k;
		sodium_memzero(&k, sizeof k);
	}
	if (c->n_borrowed > 0)
		memcpy(r.keys + r.n, c->borrowed, c->n_borrowed * sizeof *r.keys);
	*keys = r.keys;
	*n = r.n + c->n_borrowed;
	return PERR_OK;
}

enum perr prekeys_first_day(struct client *c, uint32_t *day)
{
	struct newest *n = calloc(1, sizeof *n);
	enum perr err = PERR_NOMEM;

	*day = 0;
	if (n == NULL)
		return err;
	err = walk(c, newest_one, n);
	if (err == PERR_OK && n->keys == 0)
		err = PERR_NOTFOUND;
	if (err == PERR_OK)
		*day = n->first_day;
	free(n);
	return err;
}

void prekeys_drop(struct reader_key *keys)
{
	sodium_free(keys);               /* wipes */
}

enum perr prekey_for(struct client *c, const uint8_t owner[32], uint32_t day, uint8_t pk[32])
{
	struct batch *b = malloc(sizeof *b);
	char name[96];
	uint8_t *value = NULL;
	size_t len;
	enum perr err = PERR_NOMEM;

	memset(pk, 0, 32);
	if (b == NULL)
		return err;
	client_key_name(name, "batch/", owner, 32);
	err = kv_get(c->kv, name, &value, &len);
	if (err != PERR_OK)
		goto out;
	/* checked once more where it is used: the store is not the place to trust */
	err = kv_decoded(batch_open(b, value, len));
	if (err == PERR_OK && memcmp(b->owner, owner, 32) != 0)
		err = PERR_CORRUPT;
	if (err == PERR_OK && b->number < prekeys_lowest(c, owner))
		err = PERR_NOTFOUND;
	if (err == PERR_OK)
		memcpy(pk, batch_key(b, day), 32);
out:
	kv_free(value);
	free(b);
	return err;
}

/* ---- destroying ------------------------------------------------------------------------------ */

bool prekey_may_die(const struct prekey_life *l)
{
	uint64_t last = l->last_day, end;

	/* "The last private half of the newest batch is never destroyed" (DESIGN 8) */
	if (l->is_final && l->is_newest_batch)
		return false;
	/* the last key of a batch has no end: whoever has not seen the next batch goes on with
	 * it.  Half a year after that one began is as long as we wait for them */
	if (l->is_final && (uint64_t)l->newest_first_day + PREKEYS_AHEAD_DAYS > last)
		last = (uint64_t)l->newest_first_day + PREKEYS_AHEAD_DAYS;
	end = last + l->grace_days;
	if (l->wants > 0 || l->scanned_through < end)
		return false;
	return !l->is_holder || l->custody_through >= end;
}

struct retire {
	struct client *c;
	struct prekey_life life;
	uint32_t newest;         /* number */
	bool only_count;
	unsigned n;
};

static enum perr retire_one(void *arg, const struct batch *b, uint32_t i, const uint8_t *sk)
{
	struct retire *r = arg;
	struct prekey_life l = r->life;
	char name[KV_NAME_MAX + 1];

	if (sk == NULL)
		return PERR_OK;
	l.last_day = last_day(b, i);
	l.is_final = i == b->n - 1;
	l.is_newest_batch = b->number == r->newest;
	if (!prekey_may_die(&l))
		return PERR_OK;
	r->n++;
	if (r->only_count)
		return PERR_OK;
	half_name(name, b->number, i);
	return kv_erase(r->c->kv, name);
}

/* PERR_NOTFOUND: there is nothing to destroy */
static enum perr retire_begin(struct retire *r, struct client *c, uint32_t scanned_through,
                              unsigned wants, uint32_t custody_through)
{
	struct newest *n = calloc(1, sizeof *n);
	enum perr err = n == NULL ? PERR_NOMEM : walk(c, newest_one, n);

	if (err == PERR_OK && (n->b.n == 0 || c->field == NULL))
		err = PERR_NOTFOUND;
	if (err == PERR_OK) {
		r->newest = n->b.number;
		r->life.newest_first_day = n->b.first_day;
		r->life.scanned_through = scanned_through;
		r->life.grace_days = c->field->limits.grace_days;
		r->life.wants = wants;
		r->life.custody_through = custody_through;
		err = client_holds(c, NULL, &r->life.is_holder);
	}
	free(n);
	return err;
}

enum perr prekeys_count_due(struct client *c, uint32_t scanned_through, unsigned wants,
                            unsigned *due)
{
	struct retire r = { .c = c, .only_count = true };
	enum perr err = retire_begin(&r, c, scanned_through, wants, UINT32_MAX);

	if (err == PERR_OK)
		err = walk(c, retire_one, &r);
	*due = err == PERR_OK ? r.n : 0;
	return err == PERR_NOTFOUND ? PERR_OK : err;
}

enum perr prekeys_retire(struct client *c, uint32_t scanned_through, unsigned wants,
                         uint32_t custody_through, unsigned *destroyed)
{
	struct retire r = { .c = c };
	enum perr err = retire_begin(&r, c, scanned_through, wants, custody_through);

	*destroyed = 0;
	if (err != PERR_OK)
		return err == PERR_NOTFOUND ? PERR_OK : err;
	err = kv_begin(c->kv);
	if (err == PERR_OK)
		err = walk(c, retire_one, &r);
	if (err == PERR_OK && r.n > 0)
		err = kv_commit(c->kv);
	kv_abort(c->kv);
	if (err == PERR_OK)
		*destroyed = r.n;
	return err;
}

enum perr prekeys_info(struct client *c, struct prekeys_info *out)
{
	struct newest *n = calloc(1, sizeof *n);
	enum perr err = PERR_NOMEM;

	memset(out, 0, sizeof *out);
	if (n == NULL)
		return err;
	err = walk(c, newest_one, n);
	if (err == PERR_OK)
		err = post_is_everywhere(c, SLOT, &out->posted);
	if (err == PERR_OK) {
		out->batches = n->batches;
		out->keys = n->keys;
		if (n->b.n > 0) {
			out->number = n->b.number;
			out->last_day = last_day(&n->b, n->b.n - 1);
		}
	}
	free(n);
	return err;
}
