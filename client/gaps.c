/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "gaps.h"

#include "cache.h"
#include "mp.h"
#include "roster.h"
#include "seen.h"

#define NAME "gaps"

struct known {
	uint32_t since;                  /* 0: none */
	uint32_t missing, twice;         /* of all authors */
};

static enum perr known_load(struct client *c, struct known *k)
{
	struct mp_reader r;
	uint8_t *value;
	size_t len;
	enum perr err = kv_get(c->kv, NAME, &value, &len);

	*k = (struct known){ 0 };
	if (err != PERR_OK)
		return err == PERR_NOTFOUND ? PERR_OK : err;
	mp_reader_init(&r, value, len);
	mp_array(&r, 3);
	k->since = (uint32_t)mp_uint(&r, UINT32_MAX);
	k->missing = (uint32_t)mp_uint(&r, UINT32_MAX);
	k->twice = (uint32_t)mp_uint(&r, UINT32_MAX);
	err = mp_finish(&r) == PERR_OK ? PERR_OK : PERR_CORRUPT;
	kv_free(value);
	return err;
}

static enum perr known_save(struct client *c, const struct known *k)
{
	struct mp_writer w;
	uint8_t buf[32];
	size_t len;
	enum perr err;

	mp_writer_init(&w, buf, sizeof buf);
	mp_put_array(&w, 3);
	mp_put_uint(&w, k->since);
	mp_put_uint(&w, k->missing);
	mp_put_uint(&w, k->twice);
	err = mp_written(&w, &len);
	if (err == PERR_OK)
		err = kv_begin(c->kv);
	if (err != PERR_OK)
		return err;
	err = k->since == 0 ? kv_del(c->kv, NAME) : kv_put(c->kv, NAME, buf, len);
	if (err == PERR_OK)
		err = kv_commit(c->kv);
	kv_abort(c->kv);
	return err;
}

static enum perr add_up(void *arg, const struct record_gap *g)
{
	struct known *k = arg;

	k->missing += g->missing;
	k->twice += g->twice;
	return PERR_OK;
}

enum perr gaps_look(struct client *c)
{
	struct known old, now = { 0 };
	const uint8_t (*held)[32];
	size_t n_held;
	enum perr err;

	if (c->field == NULL)
		return PERR_OK;
	err = cache_held(c, &held, &n_held);
	if (err != PERR_OK || n_held == 0)
		return err;
	err = known_load(c, &old);
	if (err == PERR_OK)
		err = record_gaps(c, add_up, &now);
	if (err != PERR_OK)
		return err;
	/* one that shrinks is the same gap, being filled */
	if (now.missing + now.twice > 0)
		now.since = old.since != 0 && now.missing <= old.missing && now.twice <= old.twice
		            ? old.since : client_day(c);
	if (now.since == old.since && now.missing == old.missing && now.twice == old.twice)
		return PERR_OK;
	return known_save(c, &now);
}

enum perr gaps_since(struct client *c, uint32_t *day)
{
	struct known k;
	enum perr err = known_load(c, &k);

	/* a number used twice cannot be searched for */
	*day = err == PERR_OK && k.missing > 0 ? k.since : 0;
	return err;
}

struct each {
	struct gaps_report r;
	gaps_fn *fn;
	void *arg;
};

static enum perr one_gap(void *arg, const struct record_gap *g)
{
	struct each *e = arg;

	e->r.gap = *g;
	return e->fn(e->arg, &e->r);
}

enum perr gaps_each(struct client *c, gaps_fn *fn, void *arg)
{
	struct each e = { .fn = fn, .arg = arg };
	struct known k;
	enum perr err;

	if (c->field == NULL)
		return PERR_OK;
	err = known_load(c, &k);
	e.r.since = k.since;
	e.r.searched = k.since != 0 && c->field->n_servers > 0;
	for (uint32_t i = 0; err == PERR_OK && i < c->field->n_servers; i++) {
		struct seen s;

		err = seen_load(c, c->field->servers[i].pk, &s);
		e.r.searched &= s.rescan_day > k.since;
	}
	return err == PERR_OK ? record_gaps(c, one_gap, &e) : err;
}
