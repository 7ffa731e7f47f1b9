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
#include "erasing.h"
#include "forget.h"
#include "mp.h"
#include "record.h"

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

/* ---- one record --------------------------------------------------------------------- */

struct marking {
	struct client *c;
	const struct left *l;
};

static enum perr mark(void *arg)
{
	const struct marking *m = arg;

	return put(m->c, m->l);
}

static enum perr leave(struct client *c, const struct left *l)
{
	struct marking m = { c, l };
	struct erase_sum sum;
	enum perr err = erase_record(c, l->record, &sum);

	return err == PERR_OK ? forget_case(c, l->record, mark, &m) : err;
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
	bool is_held;
	uint32_t day;
	enum perr err;

	if (me == NULL || !assigned_is_over(me->state) ||
	    cache_is_taken(o->c, s->desk))
		return PERR_OK;
	err = erasing_is_held(o->c, s->record, &is_held, &day);
	if (err != PERR_OK || is_held)
		return err;
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
