/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "case.h"

#include <ctype.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cache.h"
#include "case_int.h"
#include "doc.h"
#include "mp.h"
#include "record_blobs.h"

#define SUMMARY_SIZE 8192
#define STOP         PERR_COUNT  /* ends a walk that has found enough */
#define BATCH_MAX    128         /* records merged in one batch */

const char *case_state_text(enum case_state s)
{
	switch (s) {
	case CASE_OPEN:
		return "open";
	case CASE_ASSIGNED:
		return "assigned";
	case CASE_ACCEPTED:
		return "accepted";
	case CASE_RETURNED:
		return "returned";
	case CASE_HELD:
		return "on hold";
	case CASE_CLOSED:
		return "closed";
	}
	return "?";
}

const struct assigned *case_person(const struct case_summary *s, const uint8_t key[32])
{
	for (uint32_t i = 0; i < s->n_people; i++)
		if (memcmp(s->people[i].key, key, 32) == 0)
			return &s->people[i];
	return NULL;
}

bool case_is_unassigned(const struct case_summary *s)
{
	return s->state == CASE_OPEN || s->state == CASE_RETURNED;
}

const struct marks_deadline *case_deadline(const struct case_summary *s, uint32_t today)
{
	return marks_next(s->deadlines, s->n_deadlines, today);
}

/* ---- the stored summary ------------------------------------------------------------- */

enum { F_URGENT = 1, F_PENDING = 2, F_HIDDEN = 4, F_CONFLICT = 8, F_COPIES = 16, F_ALONE = 32,
       F_ALL = 63 };

#define VERSION 4

static enum perr summary_put(struct client *c, const struct case_summary *s)
{
	uint8_t buf[SUMMARY_SIZE];
	struct mp_writer w;
	char name[96];
	size_t len;
	enum perr err;

	mp_writer_init(&w, buf, sizeof buf);
	mp_put_array(&w, 20);
	mp_put_uint(&w, VERSION);
	mp_put_str(&w, s->code);
	mp_put_str(&w, s->form_id);
	mp_put_str(&w, s->form_version);
	mp_put_str(&w, s->language);
	mp_put_str(&w, s->title);
	mp_put_bin(&w, s->author, 32);
	mp_put_bin(&w, s->desk, 32);
	mp_put_uint(&w, s->day);
	mp_put_uint(&w, s->received_day);
	mp_put_uint(&w, s->deadline);
	mp_put_uint(&w, (uint64_t)s->state);
	mp_put_uint(&w, (s->urgent ? F_URGENT : 0) | (s->pending ? F_PENDING : 0) |
	                (s->hidden ? F_HIDDEN : 0) | (s->conflict ? F_CONFLICT : 0) |
	                (s->copies_due ? F_COPIES : 0) | (s->is_alone ? F_ALONE : 0));
	mp_put_uint(&w, s->n_statements);
	mp_put_uint(&w, s->n_attachments);
	mp_put_uint(&w, s->n_notes);
	mp_put_uint(&w, s->n_corrections);
	mp_put_array(&w, s->n_people);
	for (uint32_t i = 0; i < s->n_people; i++) {
		const struct assigned *p = &s->people[i];

		mp_put_array(&w, 7);
		mp_put_bin(&w, p->key, 32);
		mp_put_uint(&w, (uint64_t)p->state);
		mp_put_uint(&w, (uint64_t)p->role);
		mp_put_uint(&w, p->turn);
		mp_put_uint(&w, p->since);
		mp_put_uint(&w, p->answer_by);
		mp_put_bool(&w, p->had_accepted);
	}
	mp_put_array(&w, s->n_deadlines);
	for (uint32_t i = 0; i < s->n_deadlines; i++) {
		mp_put_array(&w, 2);
		mp_put_uint(&w, s->deadlines[i].day);
		mp_put_str(&w, s->deadlines[i].label);
	}
	mp_put_uint(&w, s->n_conflicts);
	err = mp_written(&w, &len);
	record_name(name, "case/", s->record);
	if (err == PERR_OK)
		err = kv_put(c->kv, name, buf, len);
	sodium_memzero(buf, sizeof buf);
	return err;
}

static enum perr summary_get(struct case_summary *s, const char *name, const uint8_t *value,
                             size_t len)
{
	struct mp_reader r;
	size_t got = 0;
	unsigned flags;

	memset(s, 0, sizeof *s);
	if (strlen(name) != 5 + 2 * STATEMENT_RECORD_SIZE ||
	    sodium_hex2bin(s->record, sizeof s->record, name + 5, strlen(name) - 5, NULL, &got,
	                   NULL) != 0 || got != sizeof s->record)
		return PERR_CORRUPT;
	mp_reader_init(&r, value, len);
	mp_array(&r, 20);
	if (mp_uint(&r, UINT32_MAX) != VERSION)
		mp_fail(&r, PERR_FORMAT);
	mp_str_copy(&r, s->code, sizeof s->code, 0);
	mp_str_copy(&r, s->form_id, sizeof s->form_id, 0);
	mp_str_copy(&r, s->form_version, sizeof s->form_version, 0);
	mp_str_copy(&r, s->language, sizeof s->language, 0);
	mp_str_copy(&r, s->title, sizeof s->title, 0);
	mp_bin_copy(&r, s->author, 32);
	mp_bin_copy(&r, s->desk, 32);
	s->day = (uint32_t)mp_uint(&r, UINT32_MAX);
	s->received_day = (uint32_t)mp_uint(&r, UINT32_MAX);
	s->deadline = (uint32_t)mp_uint(&r, UINT32_MAX);
	s->state = (enum case_state)mp_uint(&r, CASE_CLOSED);
	flags = (unsigned)mp_uint(&r, F_ALL);
	s->urgent = (flags & F_URGENT) != 0;
	s->pending = (flags & F_PENDING) != 0;
	s->hidden = (flags & F_HIDDEN) != 0;
	s->conflict = (flags & F_CONFLICT) != 0;
	s->copies_due = (flags & F_COPIES) != 0;
	s->is_alone = (flags & F_ALONE) != 0;
	s->n_statements = (uint32_t)mp_uint(&r, UINT32_MAX);
	s->n_attachments = (uint32_t)mp_uint(&r, UINT32_MAX);
	s->n_notes = (uint32_t)mp_uint(&r, UINT32_MAX);
	s->n_corrections = (uint32_t)mp_uint(&r, UINT32_MAX);
	s->n_people = mp_array_var(&r, 0, CASE_PEOPLE_MAX);
	for (uint32_t i = 0; i < s->n_people; i++) {
		struct assigned *p = &s->people[i];

		mp_array(&r, 7);
		mp_bin_copy(&r, p->key, 32);
		p->state = (enum assigned_state)mp_uint(&r, ASSIGNED_LATE);
		p->role = (enum statement_role)mp_uint(&r, STATEMENT_INTERPRETER);
		p->turn = (uint32_t)mp_uint(&r, UINT32_MAX);
		p->since = (uint32_t)mp_uint(&r, UINT32_MAX);
		p->answer_by = (uint32_t)mp_uint(&r, UINT32_MAX);
		p->had_accepted = mp_bool(&r);
	}
	s->n_deadlines = mp_array_var(&r, 0, MARKS_DEADLINES_MAX);
	for (uint32_t i = 0; i < s->n_deadlines; i++) {
		mp_array(&r, 2);
		s->deadlines[i].day = (uint32_t)mp_uint(&r, UINT32_MAX);
		mp_str_copy(&r, s->deadlines[i].label, sizeof s->deadlines[i].label, 0);
	}
	s->n_conflicts = (uint32_t)mp_uint(&r, UINT32_MAX);
	return kv_decoded(mp_finish(&r));
}

/* what a day makes of what is stored: silence, and what follows from it */
static void as_of_today(const struct client *c, struct case_summary *s)
{
	uint32_t today = client_day(c);
	enum case_state by_people = CASE_OPEN;
	bool silent = false;

	for (uint32_t i = 0; i < s->n_people; i++) {
		struct assigned *p = &s->people[i];

		p->state = assigned_on(p, today);
		if (memcmp(p->key, c->me->sign_pk, 32) == 0)
			s->is_mine = assigned_has_it(p->state) || p->state == ASSIGNED_SILENT;
		if (p->role != STATEMENT_ATTORNEY)
			continue;
		silent = silent || p->state == ASSIGNED_SILENT;
		if (p->state == ASSIGNED_ACCEPTED)
			by_people = CASE_ACCEPTED;
		else if (p->state == ASSIGNED_OFFERED && by_people != CASE_ACCEPTED)
			by_people = CASE_ASSIGNED;
		else if (p->state != ASSIGNED_WITHDRAWN && by_people == CASE_OPEN)
			by_people = CASE_RETURNED;
	}
	if (s->state == CASE_OPEN)
		s->state = by_people;
	s->unanswered = silent && s->state == CASE_RETURNED;
}

static enum perr summary_load(struct client *c, const uint8_t record[STATEMENT_RECORD_SIZE],
                              struct case_summary *s)
{
	uint8_t *value = NULL;
	char name[96];
	size_t len;
	enum perr err;

	record_name(name, "case/", record);
	err = kv_get(c->kv, name, &value, &len);
	if (err == PERR_OK)
		err = summary_get(s, name, value, len);
	kv_free(value);
	if (err == PERR_OK)
		as_of_today(c, s);
	return err;
}

/* ---- merging what came in ----------------------------------------------------------- */

/*
 * Statements whose author nobody knew, looked at under the roster of today.  One that turns
 * out to be of somebody who may not say it is dropped.
 */
static enum perr judge_again(struct client *c, struct case_file *f, bool *dropped)
{
	const unsigned done = RECORD_KNOWN | RECORD_COUNTS;
	enum perr err = PERR_OK;

	for (size_t i = 0; i < f->n && err == PERR_OK; i++) {
		struct case_statement *s = f->at[i];
		unsigned flags = 0;

		if ((s->flags & done) == done &&
		    (s->original == NULL || (s->flags & RECORD_WRITER) != 0))
			continue;
		err = s->copy != NULL ? record_judge(c, s->copy, &s->st, &flags)
		                      : record_judge(c, &s->st, s->original, &flags);
		if (err == PERR_AUTH) {
			*dropped = true;
			err = kv_erase(c->kv, s->name);
			continue;
		}
		if (err == PERR_OK && (flags | s->flags) != s->flags) {
			s->flags |= flags;
			s->raw[4] = (uint8_t)s->flags;
			err = kv_put(c->kv, s->name, s->raw, s->raw_len);
		}
	}
	return err;
}

static enum perr put_text(struct client *c, struct case_file *f)
{
	struct search_text t = { 0 };
	enum perr err;

	if (!f->s.hidden)
		case_text(c, f, &t);
	err = t.err;
	if (err == PERR_OK)
		err = search_put(c, f->s.record, t.p, t.len);
	search_text_free(&t);
	return err;
}

static enum perr merge(struct client *c, const uint8_t record[STATEMENT_RECORD_SIZE],
                       char code[CASE_CODE_LEN + 1])
{
	struct case_file *f = NULL;
	bool dropped = false;
	char name[96];
	enum perr err = case_load(c, record, &f);

	if (err == PERR_OK)
		err = judge_again(c, f, &dropped);
	if (err == PERR_OK && dropped) {
		case_close(f);
		f = NULL;
		err = case_load(c, record, &f);
	}
	if (err == PERR_OK && f->n == 0) {
		record_name(name, "case/", record);
		err = kv_erase(c->kv, name);
		if (err == PERR_OK)
			err = search_put(c, record, NULL, 0);
	} else if (err == PERR_OK) {
		err = case_summarise(c, f);
		if (err == PERR_OK)
			err = summary_put(c, &f->s);
		if (err == PERR_OK)
			err = put_text(c, f);
		if (err == PERR_OK)
			memcpy(code, f->s.code, CASE_CODE_LEN + 1);
	}
	case_close(f);
	return err;
}

struct others {
	const uint8_t *record;
	uint8_t (*at)[STATEMENT_RECORD_SIZE];
	size_t n;
};

static enum perr one_other(void *arg, const char *name)
{
	struct others *o = arg;

	if (case_record_of(name, o->at[o->n]) != PERR_OK)
		return PERR_CORRUPT;
	if (memcmp(o->at[o->n], o->record, STATEMENT_RECORD_SIZE) != 0)
		o->n++;
	return o->n == CASE_SAME_CODE_MAX ? STOP : PERR_OK;
}

/* a correction and its interview have only the code in common: both change together */
static enum perr merge_with_others(struct client *c, const uint8_t record[STATEMENT_RECORD_SIZE])
{
	uint8_t at[CASE_SAME_CODE_MAX][STATEMENT_RECORD_SIZE];
	struct others o = { .record = record, .at = at };
	char code[CASE_CODE_LEN + 1] = "", ignored[CASE_CODE_LEN + 1], prefix[96];
	enum perr err = merge(c, record, code);

	if (err != PERR_OK || code[0] == '\0')
		return err;
	snprintf(prefix, sizeof prefix, "code/%s/", code);
	err = kv_each_name(c->kv, prefix, one_other, &o);
	if (err == STOP)
		err = PERR_OK;
	for (size_t i = 0; i < o.n && err == PERR_OK; i++) {
		err = merge(c, at[i], ignored);
		record_name(prefix, "fresh/", at[i]);
		if (err == PERR_OK)
			err = kv_del(c->kv, prefix);
	}
	return err;
}

/* one of those merged already with another of its code is not any more */
static enum perr is_fresh(struct client *c, const char *name, bool *yes)
{
	uint8_t *value = NULL;
	enum perr err = kv_get(c->kv, name, &value, NULL);

	kv_free(value);
	*yes = err == PERR_OK;
	return err == PERR_NOTFOUND ? PERR_OK : err;
}

struct fresh {
	uint8_t at[BATCH_MAX][STATEMENT_RECORD_SIZE];
	size_t n;
};

static enum perr one_fresh(void *arg, const char *name)
{
	struct fresh *f = arg;

	if (case_record_of(name, f->at[f->n]) != PERR_OK)
		return PERR_CORRUPT;
	return ++f->n == BATCH_MAX ? STOP : PERR_OK;
}

static enum perr merge_some(struct client *c, size_t *n)
{
	struct fresh f = { .n = 0 };
	char name[96];
	enum perr err = kv_each_name(c->kv, "fresh/", one_fresh, &f);

	*n = f.n;
	if ((err != PERR_OK && err != STOP) || f.n == 0)
		return err == STOP ? PERR_OK : err;
	err = kv_begin(c->kv);
	for (size_t i = 0; i < f.n && err == PERR_OK; i++) {
		bool yes;

		record_name(name, "fresh/", f.at[i]);
		err = is_fresh(c, name, &yes);
		if (err == PERR_OK && yes)
			err = merge_with_others(c, f.at[i]);
		if (err == PERR_OK && yes)
			err = kv_del(c->kv, name);
	}
	if (err == PERR_OK)
		err = kv_commit(c->kv);
	kv_abort(c->kv);
	return err;
}

static enum perr one_review(void *arg, const char *name, const uint8_t *value, size_t len)
{
	struct client *c = arg;
	struct case_summary s;
	char fresh[96];
	enum perr err = summary_get(&s, name, value, len);

	/* who left the desk or joined it may change what is due to them (ledger.h) */
	if (err == PERR_OK && (s.pending || s.hidden || s.n_people > 0)) {
		record_name(fresh, "fresh/", s.record);
		err = kv_put(c->kv, fresh, NULL, 0);
	}
	sodium_memzero(&s, sizeof s);
	return err;
}

/* a roster not seen before may name whom nobody knew */
static enum perr review(struct client *c)
{
	uint8_t *value = NULL;
	size_t len = 0;
	enum perr err = kv_get(c->kv, "reviewed", &value, &len);
	bool done = err == PERR_OK && len == 32 && memcmp(value, c->header_hash, 32) == 0;

	kv_free(value);
	if (done || (err != PERR_OK && err != PERR_NOTFOUND))
		return done ? PERR_OK : err;
	err = kv_begin(c->kv);
	if (err == PERR_OK)
		err = kv_each(c->kv, "case/", one_review, c);
	if (err == PERR_OK)
		err = kv_put(c->kv, "reviewed", c->header_hash, 32);
	if (err == PERR_OK)
		err = kv_commit(c->kv);
	kv_abort(c->kv);
	return err;
}

enum perr case_refresh(struct client *c)
{
	size_t n = 0;
	enum perr err = c->header == NULL ? PERR_OK : review(c);

	do {
		if (err == PERR_OK)
			err = merge_some(c, &n);
	} while (err == PERR_OK && n == BATCH_MAX);
	return err;
}

/* ---- looking up --------------------------------------------------------------------- */

struct each {
	struct client *c;
	case_fn *fn;
	void *arg;
	unsigned n_hidden;
};

static enum perr one_case(void *arg, const char *name, const uint8_t *value, size_t len)
{
	struct each *e = arg;
	struct case_summary s;
	enum perr err = summary_get(&s, name, value, len);

	if (err == PERR_OK && s.hidden) {
		e->n_hidden++;
	} else if (err == PERR_OK) {
		as_of_today(e->c, &s);
		err = e->fn(e->arg, &s);
	}
	sodium_memzero(&s, sizeof s);
	return err;
}

enum perr case_each(struct client *c, case_fn *fn, void *arg, unsigned *n_hidden)
{
	struct each e = { .c = c, .fn = fn, .arg = arg };
	enum perr err = case_refresh(c);

	if (err == PERR_OK)
		err = kv_each(c->kv, "case/", one_case, &e);
	if (n_hidden != NULL)
		*n_hidden = e.n_hidden;
	return err;
}

enum perr case_summary(struct client *c, const uint8_t record[STATEMENT_RECORD_SIZE],
                       struct case_summary *s)
{
	enum perr err = case_refresh(c);

	return err == PERR_OK ? summary_load(c, record, s) : err;
}

#define CODE_PREFIX "code/"

struct find {
	struct client *c;
	uint8_t *record;
	unsigned n;
	char part[CASE_CODE_LEN + 1];    /* what was typed of a code */
};

static enum perr one_found(void *arg, const char *name)
{
	struct find *f = arg;
	struct case_summary s;
	uint8_t record[STATEMENT_RECORD_SIZE];
	enum perr err = case_record_of(name, record);

	if (err == PERR_OK)
		err = summary_load(f->c, record, &s);
	if (err == PERR_NOTFOUND)
		return PERR_OK;
	if (err == PERR_OK && !s.hidden) {
		memcpy(f->record, record, sizeof record);
		f->n++;
	}
	sodium_memzero(&s, sizeof s);
	return err;
}

/*
 * Of every code, whatever was typed: going to the place where it would stand in the order of
 * names takes a time that tells of it.
 */
static enum perr one_code(void *arg, const char *name)
{
	struct find *f = arg;
	const char *code = name + sizeof CODE_PREFIX - 1;

	if (strlen(code) < CASE_CODE_LEN || !case_code_begins(code, f->part))
		return PERR_OK;
	return one_found(arg, name);
}

enum perr case_find(struct client *c, const char *text, uint8_t record[STATEMENT_RECORD_SIZE],
                    unsigned *n)
{
	struct find f = { .c = c, .record = record };
	kv_name_fn *found = one_found;
	char prefix[96] = CODE_PREFIX;
	enum perr err;

	if (n != NULL)
		*n = 0;
	if (strncmp(text, "id:", 3) == 0) {
		size_t len = strlen(text + 3);

		if (len < 8 || len > 2 * STATEMENT_RECORD_SIZE ||
		    strspn(text + 3, "0123456789abcdef") != len)
			return PERR_FORMAT;
		snprintf(prefix, sizeof prefix, "case/%s", text + 3);
	} else {
		size_t len = case_code_part(f.part, text);

		if (len < 4)
			return PERR_FORMAT;
		if (len == CASE_CODE_LEN && !case_code_is_canonical(f.part, len))
			return PERR_AUTH;
		found = one_code;
	}
	err = case_refresh(c);
	if (err == PERR_OK)
		err = kv_each_name(c->kv, prefix, found, &f);
	sodium_memzero(f.part, sizeof f.part);
	if (n != NULL)
		*n = f.n;
	if (err != PERR_OK)
		return err;
	return f.n == 0 ? PERR_NOTFOUND : f.n == 1 ? PERR_OK : PERR_EXISTS;
}

/* ---- the whole file ----------------------------------------------------------------- */

enum perr case_open(struct client *c, const uint8_t record[STATEMENT_RECORD_SIZE],
                    struct case_file **out)
{
	struct case_file *f = NULL;
	enum perr err = case_refresh(c);

	*out = NULL;
	if (err == PERR_OK)
		err = case_load(c, record, &f);
	if (err == PERR_OK && f->n == 0)
		err = PERR_NOTFOUND;
	if (err == PERR_OK)
		err = summary_load(c, record, &f->s);
	if (err == PERR_OK && f->s.hidden)
		err = PERR_NOTFOUND;
	for (size_t i = 0; err == PERR_OK && i < f->n_attachments; i++)
		err = record_has_blob(c, f->attachments[i].a->hash, &f->attachments[i].is_here);
	if (err == PERR_OK) {
		*out = f;
		f = NULL;
	}
	case_close(f);
	return err;
}

enum perr case_content(struct client *c, const struct case_attachment *a, uint8_t **data,
                       size_t *len)
{
	uint8_t hash[32];
	char name[96];
	enum perr err;

	client_key_name(name, "blob/", a->a->hash, 32);
	err = kv_get(c->kv, name, data, len);
	if (err != PERR_OK)
		return err;
	/* it goes out as the family's own document: what the statement signed, or nothing */
	crypto_generichash(hash, sizeof hash, *data, *len, NULL, 0);
	if (*len == a->a->size && memcmp(hash, a->a->hash, 32) == 0)
		return PERR_OK;
	kv_free(*data);
	*data = NULL;
	return PERR_CORRUPT;
}
