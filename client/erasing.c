/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "erasing.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cache.h"
#include "case.h"
#include "case_int.h"
#include "doc.h"
#include "draft.h"
#include "erase.h"
#include "forget.h"
#include "gone.h"
#include "mp.h"
#include "record.h"
#include "roster.h"

#define PREFIX   "erasing/"
#define HOLD     "hold/"
#define SIZE_MAX_ 8192
#define RECORDS_MAX (CASE_SAME_CODE_MAX + 1)

/* ---- what is stored --------------------------------------------------------------------- */

static enum perr put(struct client *c, const struct erasing *e)
{
	uint8_t buf[SIZE_MAX_];
	struct mp_writer w;
	char name[96];
	size_t len;
	enum perr err;

	mp_writer_init(&w, buf, sizeof buf);
	mp_put_array(&w, 13);
	mp_put_uint(&w, 1);
	mp_put_str(&w, e->code);
	mp_put_bin(&w, e->desk, 32);
	mp_put_uint(&w, (uint64_t)e->state);
	mp_put_uint(&w, e->day);
	mp_put_uint(&w, e->changed);
	mp_put_uint(&w, e->stopped);
	mp_put_bool(&w, e->said);
	mp_put_bool(&w, e->was_asked);
	mp_put_bool(&w, e->is_snapped);
	mp_put_str(&w, e->reason);
	mp_put_array(&w, e->n_orders);
	for (uint32_t i = 0; i < e->n_orders; i++) {
		mp_put_array(&w, 2);
		mp_put_bin(&w, e->orders[i].author, 32);
		mp_put_uint(&w, e->orders[i].day);
	}
	mp_put_array(&w, e->n_readers);
	for (uint32_t i = 0; i < e->n_readers; i++) {
		mp_put_array(&w, 2);
		mp_put_bin(&w, e->readers[i].key, 32);
		mp_put_uint(&w, (uint64_t)e->readers[i].step);
	}
	err = mp_written(&w, &len);
	record_name(name, PREFIX, e->record);
	if (err == PERR_OK)
		err = kv_put(c->kv, name, buf, len);
	sodium_memzero(buf, sizeof buf);
	return err;
}

static enum perr get(struct erasing *e, const char *name, const uint8_t *value, size_t len)
{
	struct mp_reader r;

	memset(e, 0, sizeof *e);
	if (case_record_of(name, e->record) != PERR_OK)
		return PERR_CORRUPT;
	mp_reader_init(&r, value, len);
	mp_array(&r, 13);
	mp_uint(&r, 1);
	mp_str_copy(&r, e->code, sizeof e->code, 0);
	mp_bin_copy(&r, e->desk, 32);
	e->state = (enum erasing_state)mp_uint(&r, ERASING_STOPPED);
	e->day = (uint32_t)mp_uint(&r, UINT32_MAX);
	e->changed = (uint32_t)mp_uint(&r, UINT32_MAX);
	e->stopped = (uint32_t)mp_uint(&r, UINT32_MAX);
	e->said = mp_bool(&r);
	e->was_asked = mp_bool(&r);
	e->is_snapped = mp_bool(&r);
	mp_str_copy(&r, e->reason, sizeof e->reason, 0);
	e->n_orders = mp_array_var(&r, 0, ERASING_ORDERS_MAX);
	for (uint32_t i = 0; i < e->n_orders; i++) {
		mp_array(&r, 2);
		mp_bin_copy(&r, e->orders[i].author, 32);
		e->orders[i].day = (uint32_t)mp_uint(&r, UINT32_MAX);
	}
	e->n_readers = mp_array_var(&r, 0, ERASING_READERS_MAX);
	for (uint32_t i = 0; i < e->n_readers; i++) {
		mp_array(&r, 2);
		mp_bin_copy(&r, e->readers[i].key, 32);
		e->readers[i].step = (enum statement_erase_step)mp_uint(&r, STATEMENT_ERASE_STOP);
	}
	return kv_decoded(mp_finish(&r));
}

enum perr erasing_get(struct client *c, const uint8_t record[STATEMENT_RECORD_SIZE],
                      struct erasing *e)
{
	uint8_t *value = NULL;
	char name[96];
	size_t len;
	enum perr err;

	record_name(name, PREFIX, record);
	err = kv_get(c->kv, name, &value, &len);
	if (err == PERR_OK)
		err = get(e, name, value, len);
	kv_free(value);
	return err;
}

struct each {
	erasing_fn *fn;
	void *arg;
};

static enum perr one(void *arg, const char *name, const uint8_t *value, size_t len)
{
	struct each *x = arg;
	struct erasing *e = malloc(sizeof *e);
	enum perr err = e == NULL ? PERR_NOMEM : get(e, name, value, len);

	if (err == PERR_OK)
		err = x->fn(x->arg, e);
	if (e != NULL)
		sodium_memzero(e, sizeof *e);
	free(e);
	return err;
}

enum perr erasing_each(struct client *c, erasing_fn *fn, void *arg)
{
	struct each x = { fn, arg };

	return kv_each(c->kv, PREFIX, one, &x);
}

/* ---- codes of erased cases ---------------------------------------------------------------- */

static void gone_code_name(char out[96], const char *code)
{
	uint8_t hash[32];

	doc_hash(hash, "amparo client gone code", (const uint8_t *)code, CASE_CODE_LEN);
	client_key_name(out, "gonecode/", hash, 16);
}

static enum perr is_there(struct client *c, const char *name, bool *is)
{
	uint8_t *value = NULL;
	enum perr err = kv_get(c->kv, name, &value, NULL);

	kv_free(value);
	*is = err == PERR_OK;
	return err == PERR_NOTFOUND ? PERR_OK : err;
}

static enum perr found(void *arg, const char *name)
{
	(void)name;
	*(bool *)arg = true;
	return PERR_OK;
}

enum perr erasing_is_gone_code(struct client *c, const char *code, bool *is)
{
	char name[96];
	bool is_used = false;
	enum perr err;

	gone_code_name(name, code);
	err = is_there(c, name, is);
	if (err != PERR_OK || !*is)
		return err;
	/* another case that has it as well is alive */
	snprintf(name, sizeof name, "code/%s/", code);
	err = kv_each_name(c->kv, name, found, &is_used);
	*is = !is_used;
	return err;
}

/* ---- what came in --------------------------------------------------------------------------- */

/* the place of one that says nothing, where there is no other: members cannot crowd holders out */
static uint32_t idle_place(struct client *c, const struct erasing *e)
{
	uint32_t at = 0;

	while (at < e->n_orders && cache_was_holder(c, e->desk, e->orders[at].author))
		at++;
	return at;
}

static void add_order(struct client *c, struct erasing *e, const uint8_t author[32], uint32_t day)
{
	uint32_t at;

	for (uint32_t i = 0; i < e->n_orders; i++)
		if (memcmp(e->orders[i].author, author, 32) == 0) {
			/* said again after a stop: it rests anew */
			if (day > e->orders[i].day)
				e->orders[i].day = day;
			return;
		}
	at = e->n_orders < ERASING_ORDERS_MAX ? e->n_orders : idle_place(c, e);
	if (at == ERASING_ORDERS_MAX)
		return;
	memcpy(e->orders[at].author, author, 32);
	e->orders[at].day = day;
	e->n_orders += at == e->n_orders;
}

static void heard(struct erasing *e, const uint8_t key[32], enum statement_erase_step step)
{
	uint32_t at = 0;

	while (at < e->n_readers && memcmp(e->readers[at].key, key, 32) != 0)
		at++;
	if (at == ERASING_READERS_MAX)
		return;
	if (at == e->n_readers)
		memcpy(e->readers[e->n_readers++].key, key, 32);
	e->readers[at].step = step;
}

enum perr erasing_take(struct client *c, const struct statement *st, uint32_t day)
{
	const struct statement_erase *said = &st->body.erase;
	struct erasing *e = calloc(1, sizeof *e);
	size_t len = said->reason.len < ERASING_REASON_MAX ? said->reason.len : ERASING_REASON_MAX;
	enum perr err = e == NULL ? PERR_NOMEM : erasing_get(c, st->record, e);

	if (err == PERR_NOTFOUND) {
		memcpy(e->record, st->record, sizeof e->record);
		memcpy(e->desk, st->to, 32);
		e->day = e->changed = client_day(c);
		e->state = ERASING_ASKED;
		err = PERR_OK;
	}
	if (err != PERR_OK) {
		free(e);
		return err;
	}
	day = day > st->day ? day : st->day;
	if (said->has_code)
		memcpy(e->code, said->code, sizeof e->code);
	switch (said->step) {
	case STATEMENT_ERASE_ORDER:
		if (e->state == ERASING_ASKED || e->state == ERASING_STOPPED) {
			e->was_asked = e->was_asked || (e->state == ERASING_ASKED && e->n_orders > 0);
			e->state = ERASING_ORDERED;
			e->changed = client_day(c);
			e->n_orders = 0;
			memcpy(e->desk, st->to, 32);
		}
		if (e->state == ERASING_ORDERED)
			add_order(c, e, st->author, day);
		/* fall through */
	case STATEMENT_ERASE_ASK:
		if (said->step == STATEMENT_ERASE_ASK && e->state == ERASING_ASKED)
			add_order(c, e, st->author, day);
		/* UTF-8 may be cut inside a character: then none of it is shown */
		if (len == said->reason.len && e->state <= ERASING_ORDERED && len > 0) {
			memcpy(e->reason, said->reason.p, len);
			e->reason[len] = '\0';
		}
		break;
	case STATEMENT_ERASE_DONE:
	case STATEMENT_ERASE_KEPT:
		heard(e, st->author, said->step);
		break;
	case STATEMENT_ERASE_STOP:
		if (cache_is_holder(c, e->desk, st->author) && day > e->stopped)
			e->stopped = day;
		break;
	}
	err = put(c, e);
	sodium_memzero(e, sizeof *e);
	free(e);
	return err;
}

/* ---- which order counts ------------------------------------------------------------------------ */

static bool is_voided(const struct client *c, const uint8_t author[32], uint32_t day)
{
	static const uint8_t everybody[32];

	for (uint32_t i = 0; c->staff != NULL && i < c->staff->n_voids; i++) {
		const struct roster_void *v = &c->staff->voids[i];

		if (day <= v->day && (memcmp(v->key, everybody, 32) == 0 ||
		                      memcmp(v->key, author, 32) == 0))
			return true;
	}
	return false;
}

uint32_t erasing_due(struct client *c, const struct erasing *e, uint8_t author[32],
                     const char **why)
{
	uint32_t due = 0;

	*why = "";
	for (uint32_t i = 0; i < e->n_orders; i++) {
		const struct erasing_order *o = &e->orders[i];

		if (c->staff == NULL || !cache_is_holder(c, e->desk, o->author) ||
		    roster_staff_find(c->staff, o->author) == NULL) {
			*why = "who ordered it holds the desk no more";
		} else if (is_voided(c, o->author, o->day)) {
			*why = "the administrators voided it";
		} else if (o->day <= e->stopped) {
			*why = "a holder stopped it";
		} else if (due == 0 || o->day + ERASING_REST_DAYS < due) {
			due = o->day + ERASING_REST_DAYS;
			memcpy(author, o->author, 32);
		}
	}
	return due;
}

/* ---- legal holds ---------------------------------------------------------------------------------- */

enum perr erasing_is_held(struct client *c, const uint8_t record[STATEMENT_RECORD_SIZE],
                          bool *is, uint32_t *day)
{
	uint8_t *value = NULL;
	char name[96];
	size_t len = 0;
	enum perr err;

	record_name(name, HOLD, record);
	err = kv_get(c->kv, name, &value, &len);
	*is = err == PERR_OK;
	*day = err == PERR_OK && len >= 4 ? doc_get_u32(value) : 0;
	kv_free(value);
	return err == PERR_NOTFOUND ? PERR_OK : err;
}

enum perr erasing_hold(struct client *c, const uint8_t record[STATEMENT_RECORD_SIZE],
                       const char *reason)
{
	uint8_t value[4 + ERASING_REASON_MAX];
	size_t len = strlen(reason);
	char name[96];
	enum perr err;

	if (len > ERASING_REASON_MAX)
		return PERR_RANGE;
	doc_u32(value, client_day(c));
	memcpy(value + 4, reason, len);
	record_name(name, HOLD, record);
	err = kv_begin(c->kv);
	if (err == PERR_OK)
		err = kv_put(c->kv, name, value, 4 + len);
	if (err == PERR_OK)
		err = kv_commit(c->kv);
	kv_abort(c->kv);
	return err;
}

enum perr erasing_unhold(struct client *c, const uint8_t record[STATEMENT_RECORD_SIZE])
{
	struct erasing *e = calloc(1, sizeof *e);
	char name[96];
	uint32_t day;
	bool is = false;
	enum perr err = e == NULL ? PERR_NOMEM : erasing_is_held(c, record, &is, &day);

	if (err == PERR_OK && !is)
		err = PERR_NOTFOUND;
	if (err == PERR_OK)
		err = kv_begin(c->kv);
	record_name(name, HOLD, record);
	if (err == PERR_OK)
		err = kv_erase(c->kv, name);
	/* what was only kept is ordered again, and due since long */
	if (err == PERR_OK) {
		err = erasing_get(c, record, e);
		if (err == PERR_OK && e->state == ERASING_KEPT) {
			e->state = ERASING_ORDERED;
			e->said = false;
			err = put(c, e);
		}
		err = err == PERR_NOTFOUND ? PERR_OK : err;
	}
	if (err == PERR_OK)
		err = kv_commit(c->kv);
	kv_abort(c->kv);
	free(e);
	return err;
}

/* ---- carrying out ------------------------------------------------------------------------------------ */

struct going {
	struct client *c;
	struct erasing *e;
	size_t n;                        /* records of the case */
	uint8_t records[RECORDS_MAX][STATEMENT_RECORD_SIZE];
	enum gone how;
};

static enum perr set_state(struct client *c, struct erasing *e, enum erasing_state state)
{
	e->state = state;
	e->changed = client_day(c);
	e->said = false;
	e->reason[0] = '\0';
	return put(c, e);
}

/* in the batch in which the case goes, or stays and is marked */
static enum perr mark(void *arg)
{
	struct going *g = arg;
	struct client *c = g->c;
	char name[96];
	enum perr err = PERR_OK;

	for (size_t i = 0; i < g->n && err == PERR_OK; i++) {
		err = gone_mark(c, g->records[i], g->how);
		record_name(name, "fresh/", g->records[i]);
		if (err == PERR_OK && g->how == GONE_KEPT)
			err = kv_put(c->kv, name, NULL, 0);
	}
	if (err == PERR_OK && g->e->code[0] != '\0' && g->how == GONE_ERASED) {
		gone_code_name(name, g->e->code);
		err = kv_put(c->kv, name, NULL, 0);
		if (err == PERR_OK)
			err = draft_forget_code(c->kv, g->e->code);
	}
	return err == PERR_OK ? set_state(c, g->e, g->how == GONE_KEPT ? ERASING_KEPT : ERASING_DONE)
	                      : err;
}

static void note_record(struct going *g, const uint8_t record[STATEMENT_RECORD_SIZE])
{
	for (size_t i = 0; i < g->n; i++)
		if (memcmp(g->records[i], record, STATEMENT_RECORD_SIZE) == 0)
			return;
	if (g->n < RECORDS_MAX)
		memcpy(g->records[g->n++], record, STATEMENT_RECORD_SIZE);
}

static enum perr list_records(struct going *g)
{
	struct case_file *f = NULL;
	enum perr err = case_open(g->c, g->e->record, &f);

	note_record(g, g->e->record);
	for (size_t i = 0; err == PERR_OK && i < f->n; i++)
		note_record(g, f->at[i]->st.record);
	if (err == PERR_OK)
		memcpy(g->e->code, f->s.code, sizeof g->e->code);
	case_close(f);
	return err;
}

static enum perr only_mark(struct going *g)
{
	enum perr err = kv_begin(g->c->kv);

	if (err == PERR_OK)
		err = mark(g);
	if (err == PERR_OK)
		err = kv_commit(g->c->kv);
	kv_abort(g->c->kv);
	return err;
}

static enum perr carry_out(struct client *c, struct erasing *e)
{
	struct going *g = calloc(1, sizeof *g);
	struct erase_sum sum;
	uint32_t day;
	bool is_held;
	enum perr err;

	if (g == NULL)
		return PERR_NOMEM;
	g->c = c;
	g->e = e;
	err = erasing_is_held(c, e->record, &is_held, &day);
	g->how = is_held ? GONE_KEPT : GONE_ERASED;
	if (err == PERR_OK)
		err = list_records(g);
	if (err == PERR_NOTFOUND) {
		/* it never arrived here, and is not to */
		err = only_mark(g);
	} else if (err == PERR_OK) {
		/* first what asks the servers: the secrets for that go with the record */
		err = erase_record(c, e->record, &sum);
		if (err == PERR_OK)
			err = is_held ? only_mark(g) : forget_case(c, e->record, mark, g);
	}
	sodium_memzero(g, sizeof *g);
	free(g);
	return err;
}

/* who has the case, so that it can be said who is waited for */
static enum perr snap_readers(struct client *c, struct erasing *e)
{
	struct case_summary *s = calloc(1, sizeof *s);
	const struct desk *desk;
	uint8_t keys[CHARTER_HOLDERS_MAX][32];
	uint32_t n;
	enum perr err = s == NULL ? PERR_NOMEM : case_summary(c, e->record, s);

	if (err == PERR_OK)
		memcpy(e->code, s->code, sizeof e->code);
	for (uint32_t i = 0; err == PERR_OK && i < s->n_people; i++)
		if (!assigned_is_over(s->people[i].state) &&
		    memcmp(s->people[i].key, c->me->sign_pk, 32) != 0)
			heard(e, s->people[i].key, (enum statement_erase_step)0);
	if (err == PERR_NOTFOUND)
		err = PERR_OK;
	if (err == PERR_OK && cache_desk(c, e->desk, &desk) == PERR_OK) {
		n = charter_living_keys(&desk->now, keys);
		for (uint32_t i = 0; i < n; i++)
			if (memcmp(keys[i], c->me->sign_pk, 32) != 0)
				heard(e, keys[i], (enum statement_erase_step)0);
	}
	e->is_snapped = true;
	if (err == PERR_OK)
		err = kv_begin(c->kv);
	if (err == PERR_OK)
		err = put(c, e);
	if (err == PERR_OK)
		err = kv_commit(c->kv);
	kv_abort(c->kv);
	if (s != NULL)
		sodium_memzero(s, sizeof *s);
	free(s);
	return err;
}

static enum perr store_state(struct client *c, struct erasing *e, enum erasing_state state)
{
	enum perr err = kv_begin(c->kv);

	if (err == PERR_OK)
		err = set_state(c, e, state);
	if (err == PERR_OK)
		err = kv_commit(c->kv);
	kv_abort(c->kv);
	return err;
}

/* done or kept, to the desk; once */
static enum perr say_so(struct client *c, struct erasing *e, unsigned *n)
{
	struct dispatch *d = dispatch_new(c);
	struct statement *st = calloc(1, sizeof *st);
	struct dispatch_readers r;
	char why[DISPATCH_WHY];
	enum perr err = d == NULL || st == NULL ? PERR_NOMEM
	              : dispatch_desk(c, e->desk, false, &r, why), sent;

	/* nobody to tell: the only holder, or one without co-holders' keys */
	if (err == PERR_NOTFOUND || err == PERR_REFUSED) {
		memset(&r, 0, sizeof r);
		err = PERR_OK;
	}
	if (err == PERR_OK)
		err = dispatch_begin(d);
	if (err == PERR_OK) {
		st->kind = STATEMENT_ERASE;
		st->day = client_day(c);
		memcpy(st->to, e->desk, 32);
		memcpy(st->record, e->record, STATEMENT_RECORD_SIZE);
		st->body.erase.reason = doc_text_of("");
		st->body.erase.step = e->state == ERASING_KEPT ? STATEMENT_ERASE_KEPT
		                                               : STATEMENT_ERASE_DONE;
		sent = r.n > 0 ? dispatch_send(d, st, NULL, 0, &r, false) : PERR_OK;
		e->said = true;
		err = sent == PERR_OK ? put(c, e) : sent;
	}
	if (err == PERR_OK)
		err = dispatch_commit(d, NULL);
	*n += err == PERR_OK && r.n > 0;
	free(st);
	dispatch_free(d);
	return err;
}

static enum perr drop(struct client *c, const struct erasing *e)
{
	char name[96];
	enum perr err = kv_begin(c->kv);

	record_name(name, PREFIX, e->record);
	if (err == PERR_OK)
		err = kv_erase(c->kv, name);
	if (err == PERR_OK)
		err = kv_commit(c->kv);
	kv_abort(c->kv);
	return err;
}

struct all {
	struct client *c;
	struct erasing *at;
	size_t n, room;
};

static enum perr gather(void *arg, const struct erasing *e)
{
	struct all *l = arg;

	if (l->n == l->room) {
		size_t room = l->room == 0 ? 8 : 2 * l->room;
		void *more = realloc(l->at, room * sizeof *l->at);

		if (more == NULL)
			return PERR_NOMEM;
		l->at = more;
		l->room = room;
	}
	l->at[l->n++] = *e;
	return PERR_OK;
}

/* an asking that was answered: by an order that counts, by a no, or because it is done */
static bool is_answered(const struct all *l, const struct erasing *e)
{
	uint8_t author[32];
	const char *why;

	for (size_t i = 0; i < l->n; i++) {
		const struct erasing *o = &l->at[i];

		if (e->code[0] == '\0' || strcmp(o->code, e->code) != 0)
			continue;
		if (o->stopped >= e->day || o->state == ERASING_DONE || o->state == ERASING_KEPT ||
		    (o->state == ERASING_ORDERED && erasing_due(l->c, o, author, &why) != 0))
			return true;
	}
	return e->stopped > 0;
}

static enum perr look_at(struct all *l, struct erasing *e, bool all_seen, unsigned *n)
{
	struct client *c = l->c;
	uint8_t author[32];
	const char *why;
	/* no server's date makes it due */
	uint32_t due, today = client_own_day(c);
	enum perr err = PERR_OK;

	switch (e->state) {
	case ERASING_ASKED:
		return is_answered(l, e) ? drop(c, e) : PERR_OK;
	case ERASING_STOPPED:
		return today > e->changed + ERASING_KEPT_DAYS ? drop(c, e) : PERR_OK;
	case ERASING_ORDERED:
		if (!e->is_snapped)
			err = snap_readers(c, e);
		due = erasing_due(c, e, author, &why);
		if (err == PERR_OK && due == 0)
			/* an order that does not count takes away nobody's asking */
			return why[0] == '\0' ? PERR_OK
			     : store_state(c, e, e->was_asked && e->stopped == 0 ? ERASING_ASKED
			                                                          : ERASING_STOPPED);
		if (err != PERR_OK || today < due || (!all_seen && today < due + ERASING_ALONE_DAYS))
			return err;
		err = carry_out(c, e);
		*n += err == PERR_OK;
		return err == PERR_OK && !e->said ? say_so(c, e, n) : err;
	case ERASING_DONE:
	case ERASING_KEPT:
		if (!e->said)
			return say_so(c, e, n);
		return e->state == ERASING_DONE && today > e->changed + ERASING_KEPT_DAYS ? drop(c, e)
		                                                                         : PERR_OK;
	}
	return PERR_OK;
}

enum perr erasing_run(struct client *c, bool all_seen, unsigned *n)
{
	struct all l = { .c = c };
	enum perr err;

	*n = 0;
	if (c->staff == NULL || c->me->state != CLIENT_MEMBER)
		return PERR_OK;
	err = erasing_each(c, gather, &l);
	for (size_t i = 0; i < l.n && err == PERR_OK; i++)
		err = look_at(&l, &l.at[i], all_seen, n);
	if (l.at != NULL)
		sodium_memzero(l.at, l.n * sizeof *l.at);
	free(l.at);
	return err;
}
