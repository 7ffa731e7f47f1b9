/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "leave.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cache.h"
#include "case.h"
#include "case_int.h"
#include "erase.h"
#include "gone.h"
#include "mp.h"
#include "origin.h"
#include "record.h"
#include "search.h"

#define PREFIX "left/"
#define SIZE   64

static void left_name(char out[96], const uint8_t record[STATEMENT_RECORD_SIZE])
{
	record_name(out, PREFIX, record);
}

static enum perr put(struct client *c, const struct left *l)
{
	uint8_t buf[SIZE];
	struct mp_writer w;
	char name[96];
	size_t len;
	enum perr err;

	mp_writer_init(&w, buf, sizeof buf);
	mp_put_array(&w, 6);
	mp_put_uint(&w, 1);
	mp_put_str(&w, l->code);
	mp_put_uint(&w, l->turn);
	mp_put_uint(&w, (uint64_t)l->state);
	mp_put_uint(&w, l->day);
	mp_put_bool(&w, l->told);
	err = mp_written(&w, &len);
	left_name(name, l->record);
	return err == PERR_OK ? kv_put(c->kv, name, buf, len) : err;
}

static enum perr get(struct left *l, const char *name, const uint8_t *value, size_t len)
{
	struct mp_reader r;

	memset(l, 0, sizeof *l);
	if (case_record_of(name, l->record) != PERR_OK)
		return PERR_CORRUPT;
	mp_reader_init(&r, value, len);
	mp_array(&r, 6);
	mp_uint(&r, 1);
	mp_str_copy(&r, l->code, sizeof l->code, 0);
	l->turn = (uint32_t)mp_uint(&r, UINT32_MAX);
	l->state = (enum assigned_state)mp_uint(&r, ASSIGNED_LATE);
	l->day = (uint32_t)mp_uint(&r, UINT32_MAX);
	l->told = mp_bool(&r);
	return kv_decoded(mp_finish(&r));
}

enum perr leave_blocks(struct client *c, const uint8_t record[STATEMENT_RECORD_SIZE],
                       uint32_t turn, bool *blocks)
{
	uint8_t *value = NULL;
	struct left l;
	char name[96];
	size_t len;
	enum perr err;

	*blocks = false;
	left_name(name, record);
	err = kv_get(c->kv, name, &value, &len);
	if (err == PERR_OK)
		err = get(&l, name, value, len);
	if (err == PERR_OK)
		*blocks = l.state == ASSIGNED_RECUSED || turn <= l.turn;
	kv_free(value);
	return err == PERR_NOTFOUND ? PERR_OK : err;
}

/* ---- attachments that another record has too ---------------------------------------- */

struct shared {
	struct client *c;
	const struct case_file *f;
	bool *keep;                      /* one for each attachment of f */
};

static void look_at(struct shared *g, const struct case_file *other)
{
	for (size_t i = 0; i < g->f->n_attachments; i++)
		for (size_t k = 0; k < other->n_attachments; k++)
			if (memcmp(g->f->attachments[i].a->hash, other->attachments[k].a->hash,
			           32) == 0)
				g->keep[i] = true;
}

static enum perr one_other(void *arg, const char *name)
{
	struct shared *g = arg;
	uint8_t record[STATEMENT_RECORD_SIZE];
	struct case_file *other = NULL;
	enum perr err = case_record_of(name, record);

	if (err == PERR_OK && memcmp(record, g->f->s.record, sizeof record) != 0)
		err = case_load(g->c, record, &other);
	if (err == PERR_OK && other != NULL)
		look_at(g, other);
	case_close(other);
	return err;
}

/* ---- one record --------------------------------------------------------------------- */

static enum perr erase_one(void *arg, const char *name)
{
	struct client *c = arg;

	return kv_erase(c->kv, name);
}

static enum perr erase_all(struct client *c, const char *prefix,
                           const uint8_t record[STATEMENT_RECORD_SIZE])
{
	char name[96];

	record_name(name, prefix, record);
	return kv_each_name(c->kv, name, erase_one, c);
}

static enum perr erase_attachments(struct client *c, const struct case_file *f,
                                   const bool *keep)
{
	enum perr err = PERR_OK;
	char name[96];

	for (size_t i = 0; i < f->n_attachments && err == PERR_OK; i++) {
		if (keep[i])
			continue;
		client_key_name(name, "blob/", f->attachments[i].a->hash, 32);
		err = kv_erase(c->kv, name);
		client_key_name(name, "want/", f->attachments[i].a->hash, 32);
		if (err == PERR_OK)
			err = kv_each_name(c->kv, name, erase_one, c);
	}
	return err;
}

static enum perr erase_codes(struct client *c, const struct case_file *f)
{
	char prefix[96], name[96];

	snprintf(prefix, sizeof prefix, "code/%s/", f->s.code);
	record_name(name, prefix, f->s.record);
	return kv_erase(c->kv, name);
}

/* everything of it, and the mark in its place */
static enum perr forget(struct client *c, const struct case_file *f, const bool *keep,
                        const struct left *l)
{
	enum perr err = kv_begin(c->kv);

	if (err == PERR_OK)
		err = erase_attachments(c, f, keep);
	if (err == PERR_OK)
		err = erase_codes(c, f);
	if (err == PERR_OK)
		err = erase_all(c, "stmt/", f->s.record);
	if (err == PERR_OK)
		err = origin_forget(c, f->s.record);
	for (size_t i = 0; i < f->n && err == PERR_OK; i++)
		for (uint32_t k = 0; k < f->at[i]->env.n_refs && err == PERR_OK; k++)
			err = origin_forget_chunks(c, &f->at[i]->env.refs[k]);
	if (err == PERR_OK)
		err = erase_all(c, "case/", f->s.record);
	if (err == PERR_OK)
		err = erase_all(c, "fresh/", f->s.record);
	if (err == PERR_OK)
		err = search_put(c, f->s.record, NULL, 0);
	if (err == PERR_OK)
		err = put(c, l);
	if (err == PERR_OK)
		err = kv_commit(c->kv);
	kv_abort(c->kv);
	return err;
}

static enum perr leave(struct client *c, const struct left *l)
{
	struct shared g = { .c = c };
	struct case_file *f = NULL;
	struct erase_sum sum;
	enum perr err = erase_record(c, l->record, &sum);

	if (err == PERR_OK)
		err = case_open(c, l->record, &f);
	if (err == PERR_OK) {
		g.f = f;
		g.keep = calloc(f->n_attachments + 1, sizeof *g.keep);
		err = g.keep == NULL ? PERR_NOMEM : kv_each_name(c->kv, "case/", one_other, &g);
	}
	if (err == PERR_OK)
		err = forget(c, f, g.keep, l);
	free(g.keep);
	case_close(f);
	return err;
}

/* ---- which -------------------------------------------------------------------------- */

struct over {
	struct client *c;
	struct left *at;
	size_t n, room;
};

static enum perr add(struct over *o, const struct case_summary *s, const struct assigned *me)
{
	struct left *l;

	if (o->n == o->room) {
		size_t room = o->room == 0 ? 8 : 2 * o->room;
		void *more = realloc(o->at, room * sizeof *o->at);

		if (more == NULL)
			return PERR_NOMEM;
		o->at = more;
		o->room = room;
	}
	l = &o->at[o->n++];
	memset(l, 0, sizeof *l);
	memcpy(l->record, s->record, sizeof l->record);
	memcpy(l->code, s->code, sizeof l->code);
	l->state = me->state;
	l->turn = me->turn;
	l->day = client_day(o->c);
	/* who said no need not be told that they did */
	l->told = me->state == ASSIGNED_DECLINED || me->state == ASSIGNED_RECUSED;
	return PERR_OK;
}

static enum perr one_case(void *arg, const struct case_summary *s)
{
	struct over *o = arg;
	const struct assigned *me = case_person(s, o->c->me->sign_pk);
	enum gone gone;
	enum perr err;

	if (me == NULL || !assigned_is_over(me->state) ||
	    cache_is_holder(o->c, s->desk, o->c->me->sign_pk))
		return PERR_OK;
	err = gone_of(o->c, s->record, &gone);
	if (err != PERR_OK || gone == GONE_KEPT)
		return err;              /* a legal hold keeps it */
	return add(o, s, me);
}

enum perr leave_tidy(struct client *c, unsigned *n)
{
	struct over o = { .c = c };
	enum perr err = PERR_OK;

	*n = 0;
	if (c->staff == NULL || c->me->state != CLIENT_MEMBER)
		return PERR_OK;
	err = case_each(c, one_case, &o, NULL);
	for (size_t i = 0; i < o.n && err == PERR_OK; i++) {
		err = leave(c, &o.at[i]);
		*n += err == PERR_OK;
	}
	free(o.at);
	return err;
}

/* ---- saying so ---------------------------------------------------------------------- */

static enum perr one_untold(void *arg, const char *name, const uint8_t *value, size_t len)
{
	struct left l;
	enum perr err = get(&l, name, value, len);

	*(bool *)arg = *(bool *)arg || (err == PERR_OK && !l.told);
	return err;
}

struct telling {
	struct client *c;
	left_fn *fn;
	void *arg;
};

static enum perr one_left(void *arg, const char *name, const uint8_t *value, size_t len)
{
	struct telling *t = arg;
	struct left l;
	enum perr err = get(&l, name, value, len);

	if (err != PERR_OK || l.told)
		return err;
	l.told = true;
	err = put(t->c, &l);
	if (err == PERR_OK)
		t->fn(t->arg, &l);
	return err;
}

enum perr leave_tell(struct client *c, left_fn *fn, void *arg)
{
	struct telling t = { .c = c, .fn = fn, .arg = arg };
	bool any = false;
	enum perr err = kv_each(c->kv, PREFIX, one_untold, &any);

	if (err != PERR_OK || !any)
		return err;
	err = kv_begin(c->kv);
	if (err == PERR_OK)
		err = kv_each(c->kv, PREFIX, one_left, &t);
	if (err == PERR_OK)
		err = kv_commit(c->kv);
	kv_abort(c->kv);
	return err;
}
