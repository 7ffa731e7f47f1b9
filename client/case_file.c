/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cache.h"
#include "case_int.h"
#include "case_merge.h"
#include "doc.h"
#include "instance.h"
#include "ledger.h"
#include "render.h"

#define STOP PERR_COUNT          /* ends a walk that has found enough */

enum perr case_record_of(const char *name, uint8_t record[STATEMENT_RECORD_SIZE])
{
	const char *hex = strrchr(name, '/');
	size_t got = 0;

	if (hex == NULL || strlen(hex + 1) != 2 * STATEMENT_RECORD_SIZE ||
	    sodium_hex2bin(record, STATEMENT_RECORD_SIZE, hex + 1, strlen(hex + 1), NULL, &got,
	                   NULL) != 0 || got != STATEMENT_RECORD_SIZE)
		return PERR_CORRUPT;
	return PERR_OK;
}

static void statement_free(struct case_statement *s)
{
	if (s == NULL)
		return;
	if (s->original != NULL)
		sodium_memzero(s->original, sizeof *s->original);
	free(s->original);
	if (s->copy != NULL)
		sodium_memzero(s->copy, sizeof *s->copy);
	free(s->copy);
	if (s->via != NULL)
		sodium_memzero(s->via, sizeof *s->via);
	free(s->via);
	doc_free(s->raw, s->raw_len);
	sodium_memzero(s, sizeof *s);
	free(s);
}

void case_close(struct case_file *f)
{
	if (f == NULL)
		return;
	for (size_t i = 0; i < f->n; i++)
		statement_free(f->at[i]);
	free(f->at);
	free(f->interviews);
	free(f->corrections);
	free(f->attachments);
	sodium_memzero(f, sizeof *f);
	free(f);
}

/* ---- reading ------------------------------------------------------------------------ */

/*
 * A copy of something that was said is that: whoever got it first hand and whoever got a copy
 * merge the same.  Interviews and corrections stay in what they came in, as in an assignment.
 */
static enum perr unwrap(struct case_statement *s)
{
	const struct statement_passed *p = &s->st.body.passed;
	struct doc_bytes bytes = p->original;
	uint8_t sig[SIGNED_SIG_SIZE];

	if (s->original->kind == STATEMENT_INTAKE || s->original->kind == STATEMENT_AMENDMENT)
		return PERR_OK;
	s->copy = malloc(sizeof *s->copy);
	if (s->copy == NULL)
		return PERR_NOMEM;
	memcpy(sig, p->original_sig, sizeof sig);
	*s->copy = s->st;
	s->st = *s->original;
	free(s->original);
	s->original = NULL;
	s->env.statement = bytes;
	memcpy(s->env.sig, sig, sizeof sig);
	s->number = 0;           /* counted towards the copy's reader, and nobody else */
	return PERR_OK;
}

/* s is zero.  What record_take stored has been verified: here it is only taken apart */
static enum perr read_statement(struct case_statement *s, const char *name,
                                const uint8_t *value, size_t len)
{
	enum perr err;

	if (len <= RECORD_HEAD || strlen(name) >= sizeof s->name)
		return PERR_CORRUPT;
	s->raw = malloc(len);
	if (s->raw == NULL)
		return PERR_NOMEM;
	s->raw_len = len;
	memcpy(s->raw, value, len);
	memcpy(s->name, name, strlen(name) + 1);
	s->received_day = doc_get_u32(s->raw);
	s->flags = s->raw[4];
	err = envelope_decode(&s->env, s->raw + RECORD_HEAD, len - RECORD_HEAD);
	if (err == PERR_OK)
		err = statement_decode(&s->st, s->env.statement.p, s->env.statement.len);
	s->is_unknown = err == PERR_UNKNOWN;
	if (s->is_unknown)
		err = PERR_OK;
	if (err == PERR_OK && !s->is_unknown && statement_has_original(s->st.kind)) {
		s->original = malloc(sizeof *s->original);
		if (s->original == NULL)
			return PERR_NOMEM;
		err = statement_decode(s->original, s->st.body.passed.original.p,
		                       s->st.body.passed.original.len);
	}
	if (err == PERR_OK && s->original != NULL && s->original->kind == STATEMENT_REFERRAL) {
		s->via = s->original;
		s->original = malloc(sizeof *s->original);
		if (s->original == NULL)
			return PERR_NOMEM;
		err = statement_decode(s->original, s->via->body.passed.original.p,
		                       s->via->body.passed.original.len);
	}
	if (err != PERR_OK)
		return err == PERR_NOMEM ? err : PERR_CORRUPT;
	s->number = s->env.has_opening ? s->env.number : 0;
	if (!s->is_unknown && s->st.kind == STATEMENT_COPY)
		err = unwrap(s);
	statement_hash(s->hash, s->env.statement.p, s->env.statement.len);
	return err;
}

struct gather {
	struct case_file *f;
	size_t room;
	bool only_amendments;
};

/* what may come without the record id: corrections, and that it be erased */
static bool is_by_code(const struct case_statement *s)
{
	return !s->is_unknown && (s->st.kind == STATEMENT_AMENDMENT ||
	                          (s->st.kind == STATEMENT_ERASE &&
	                           s->st.body.erase.step == STATEMENT_ERASE_ASK));
}

static enum perr one_statement(void *arg, const char *name, const uint8_t *value, size_t len)
{
	struct gather *g = arg;
	struct case_file *f = g->f;
	struct case_statement *s;
	enum perr err;

	if (f->n == g->room) {
		size_t room = g->room == 0 ? 4 : 2 * g->room;
		struct case_statement **more = realloc(f->at, room * sizeof *more);

		if (more == NULL)
			return PERR_NOMEM;
		f->at = more;
		g->room = room;
	}
	s = calloc(1, sizeof *s);
	if (s == NULL)
		return PERR_NOMEM;
	err = read_statement(s, name, value, len);
	if (err != PERR_OK || (g->only_amendments && !is_by_code(s)))
		statement_free(s);
	else
		f->at[f->n++] = s;
	return err;
}

static enum perr gather(struct client *c, struct gather *g,
                        const uint8_t record[STATEMENT_RECORD_SIZE])
{
	char prefix[96];
	size_t n;

	record_name(prefix, "stmt/", record);
	n = strlen(prefix);
	prefix[n] = '/';
	prefix[n + 1] = '\0';
	return kv_each(c->kv, prefix, one_statement, g);
}

static int in_order(const void *a, const void *b)
{
	const struct case_statement *x = *(struct case_statement *const *)a;
	const struct case_statement *y = *(struct case_statement *const *)b;
	int d;

	if (x->st.day != y->st.day)
		return x->st.day < y->st.day ? -1 : 1;
	d = memcmp(x->st.author, y->st.author, 32);
	if (d != 0)
		return d;
	if (x->number != y->number)
		return x->number < y->number ? -1 : 1;
	return memcmp(x->hash, y->hash, 32);
}

/* ---- sources ------------------------------------------------------------------------ */

static int source_order(const void *a, const void *b)
{
	const struct case_source *x = a, *y = b;
	int d;

	if (x->st->day != y->st->day)
		return x->st->day < y->st->day ? -1 : 1;
	d = memcmp(x->st->author, y->st->author, 32);
	return d != 0 ? d : memcmp(x->hash, y->hash, 32);
}

const struct statement *case_referral(const struct case_statement *s)
{
	if (s->is_unknown || s->original == NULL)
		return NULL;
	return s->st.kind == STATEMENT_REFERRAL ? &s->st : s->via;
}

static bool source_of(const struct case_statement *s, struct case_source *src)
{
	if (s->is_unknown)
		return false;
	if (s->original == NULL) {
		src->st = &s->st;
		src->bytes = s->env.statement;
		src->sig = s->env.sig;
		memcpy(src->hash, s->hash, 32);
		src->pass = src->bytes;
		src->pass_sig = src->sig;
		src->desk = s->st.to;
	} else if ((s->flags & RECORD_COUNTS) != 0) {
		const struct statement_passed *p = s->via != NULL ? &s->via->body.passed
		                                                  : &s->st.body.passed;

		src->st = s->original;
		src->bytes = p->original;
		src->sig = p->original_sig;
		statement_hash(src->hash, src->bytes.p, src->bytes.len);
		src->pass = s->st.body.passed.original;
		src->pass_sig = s->st.body.passed.original_sig;
		src->desk = s->via != NULL ? s->via->to : s->original->to;
		if (s->st.kind == STATEMENT_REFERRAL) {
			src->pass = s->env.statement;
			src->pass_sig = s->env.sig;
			src->desk = s->st.to;
		}
	} else {
		return false;
	}
	src->by = s;
	return src->st->kind == STATEMENT_INTAKE || src->st->kind == STATEMENT_AMENDMENT;
}

static void add_source(struct case_source *list, size_t *n, const struct case_source *src)
{
	for (size_t i = 0; i < *n; i++)
		if (memcmp(list[i].hash, src->hash, 32) == 0) {
			/* received, and assigned or referred as well: what came first hand counts */
			if (src->by->original == NULL)
				list[i] = *src;
			return;
		}
	list[(*n)++] = *src;
}

static enum perr find_sources(struct case_file *f)
{
	free(f->interviews);
	free(f->corrections);
	f->n_interviews = 0;
	f->n_corrections = 0;
	f->interviews = calloc(f->n + 1, sizeof *f->interviews);
	f->corrections = calloc(f->n + 1, sizeof *f->corrections);
	if (f->interviews == NULL || f->corrections == NULL)
		return PERR_NOMEM;
	for (size_t i = 0; i < f->n; i++) {
		struct case_source src;

		if (!source_of(f->at[i], &src))
			continue;
		if (src.st->kind == STATEMENT_INTAKE)
			add_source(f->interviews, &f->n_interviews, &src);
		else
			add_source(f->corrections, &f->n_corrections, &src);
	}
	qsort(f->interviews, f->n_interviews, sizeof *f->interviews, source_order);
	qsort(f->corrections, f->n_corrections, sizeof *f->corrections, source_order);
	return PERR_OK;
}

static void list_attachments(struct case_file *f, const struct case_source *src)
{
	const struct statement_attachments *list = envelope_attachments(src->st);

	for (uint32_t i = 0; list != NULL && i < list->n; i++)
		f->attachments[f->n_attachments++] =
			(struct case_attachment){ .a = &list->at[i], .of = src };
}

static enum perr find_attachments(struct case_file *f)
{
	size_t max = (f->n_interviews + f->n_corrections) * STATEMENT_ATTACHMENTS;

	free(f->attachments);
	f->n_attachments = 0;
	f->attachments = calloc(max + 1, sizeof *f->attachments);
	if (f->attachments == NULL)
		return PERR_NOMEM;
	for (size_t i = 0; i < f->n_interviews; i++)
		list_attachments(f, &f->interviews[i]);
	for (size_t i = 0; i < f->n_corrections; i++)
		list_attachments(f, &f->corrections[i]);
	return PERR_OK;
}

/* ---- corrections from elsewhere ----------------------------------------------------- */

struct elsewhere {
	struct client *c;
	struct gather *g;
	const uint8_t *record;
	unsigned n;
};

/* a phone that corrects an interview knows its code only: the record id is a new one */
static enum perr one_elsewhere(void *arg, const char *name)
{
	struct elsewhere *e = arg;
	uint8_t record[STATEMENT_RECORD_SIZE];
	enum perr err = case_record_of(name, record);

	if (err != PERR_OK)
		return err;
	if (memcmp(record, e->record, sizeof record) != 0)
		err = gather(e->c, e->g, record);
	return err == PERR_OK && ++e->n == CASE_SAME_CODE_MAX ? STOP : err;
}

static enum perr gather_corrections(struct client *c, struct gather *g,
                                    const uint8_t record[STATEMENT_RECORD_SIZE])
{
	struct elsewhere e = { .c = c, .g = g, .record = record };
	char prefix[96];
	enum perr err;

	snprintf(prefix, sizeof prefix, "code/%s/", g->f->interviews[0].st->body.intake.code);
	g->only_amendments = true;
	err = kv_each_name(c->kv, prefix, one_elsewhere, &e);
	return err == STOP ? PERR_OK : err;
}

static bool is_better(const struct case_statement *a, const struct case_statement *b)
{
	if ((a->copy == NULL) != (b->copy == NULL))
		return a->copy == NULL;
	return (a->flags & ~b->flags) != 0;
}

/* one statement may come itself and as a copy, from several */
static void drop_repeats(struct case_file *f)
{
	for (size_t i = 0; i < f->n; i++) {
		for (size_t k = i + 1; f->at[i]->copy != NULL && k < f->n; k++) {
			struct case_statement *worse = f->at[k];

			if (memcmp(f->at[i]->hash, f->at[k]->hash, 32) != 0)
				continue;
			if (is_better(f->at[k], f->at[i])) {
				worse = f->at[i];
				f->at[i] = f->at[k];
			}
			statement_free(worse);
			f->at[k--] = f->at[--f->n];
		}
		for (size_t k = i + 1; f->at[i]->copy == NULL && k < f->n; k++)
			if (f->at[k]->copy != NULL && memcmp(f->at[i]->hash, f->at[k]->hash, 32) == 0) {
				statement_free(f->at[k]);
				f->at[k--] = f->at[--f->n];
			}
	}
}

static void put_in_order(struct case_file *f)
{
	drop_repeats(f);
	if (f->n > 1)
		qsort(f->at, f->n, sizeof *f->at, in_order);
}

enum perr case_load(struct client *c, const uint8_t record[STATEMENT_RECORD_SIZE],
                    struct case_file **out)
{
	struct case_file *f = calloc(1, sizeof *f);
	struct gather g = { .f = f };
	enum perr err;

	*out = NULL;
	if (f == NULL)
		return PERR_NOMEM;
	memcpy(f->s.record, record, STATEMENT_RECORD_SIZE);
	err = gather(c, &g, record);
	put_in_order(f);
	if (err == PERR_OK)
		err = find_sources(f);
	if (err == PERR_OK && f->n_interviews > 0) {
		err = gather_corrections(c, &g, record);
		put_in_order(f);
		if (err == PERR_OK)
			err = find_sources(f);
	}
	if (err == PERR_OK)
		err = find_attachments(f);
	if (err == PERR_OK) {
		*out = f;
		f = NULL;
	}
	case_close(f);
	return err;
}

/* ---- summary ------------------------------------------------------------------------ */

static void copy_text(char *out, size_t size, struct doc_text t)
{
	size_t n = t.len < size ? t.len : size - 1;

	memcpy(out, t.p, n);
	out[n] = '\0';
}

/* ---- who has it --------------------------------------------------------------------- */

/* one thing that was said about who has the record; false: it was about something else */
static bool said_in(const struct case_statement *s, struct assigned_said *out)
{
	const struct statement *st = &s->st;
	const struct statement_status *status = &st->body.status;

	memset(out, 0, sizeof *out);
	if (s->is_unknown || (s->flags & RECORD_COUNTS) == 0)
		return false;
	memcpy(out->whom, st->author, 32);
	out->day = st->day;
	if (st->kind == STATEMENT_ASSIGNMENT) {
		memcpy(out->whom, st->to, 32);
		out->word = ASSIGNED_OFFER;
		out->turn = st->body.passed.turn;
		out->role = st->body.passed.role;
		out->answer_by = st->body.passed.answer_by;
		return true;
	}
	if (st->kind == STATEMENT_ANSWER) {
		out->word = st->body.answer.decision == STATEMENT_ACCEPT ? ASSIGNED_ACCEPT
		                                                         : ASSIGNED_DECLINE;
		out->turn = st->body.answer.turn;
		return true;
	}
	if (st->kind != STATEMENT_STATUS)
		return false;
	out->turn = status->turn;
	switch (status->state) {
	case STATEMENT_ASSIGNED:
		memcpy(out->whom, status->whom, 32);
		out->word = ASSIGNED_OFFER;
		out->role = status->role;
		out->answer_by = status->answer_by;
		return true;
	case STATEMENT_UNASSIGNED:
		memcpy(out->whom, status->whom, 32);
		out->word = ASSIGNED_WITHDRAW;
		return true;
	case STATEMENT_RETURNED:
		out->word = ASSIGNED_DECLINE;
		return true;
	case STATEMENT_RECUSED:
		out->word = ASSIGNED_RECUSE;
		return true;
	case STATEMENT_OPEN:
	case STATEMENT_CLOSED:
	case STATEMENT_HELD:
	case STATEMENT_REFERRED:
		break;
	}
	return false;
}

static enum perr sum_up_people(struct case_file *f)
{
	struct assigned_said *said = calloc(f->n + 1, sizeof *said);
	size_t n = 0;

	if (said == NULL)
		return PERR_NOMEM;
	for (size_t i = 0; i < f->n; i++)
		if (said_in(f->at[i], &said[n]))
			n++;
	f->s.n_people = (uint32_t)assigned_merge(said, n, f->s.people, CASE_PEOPLE_MAX);
	free(said);
	return PERR_OK;
}

/*
 * What the desk says of the record as a whole.  As with turns: the highest number counts, so
 * that neither the order of arrival nor a clock decides; of two with one number, the later
 * day, then the hash.
 */
static enum case_state state_of(const struct case_file *f)
{
	const struct case_statement *last = NULL;

	for (size_t i = 0; i < f->n; i++) {
		const struct case_statement *s = f->at[i];
		const struct statement_status *status = &s->st.body.status;

		if (s->is_unknown || s->st.kind != STATEMENT_STATUS ||
		    (s->flags & RECORD_COUNTS) == 0 ||
		    (status->state != STATEMENT_CLOSED && status->state != STATEMENT_HELD &&
		     status->state != STATEMENT_OPEN))
			continue;
		if (last == NULL || status->turn > last->st.body.status.turn ||
		    (status->turn == last->st.body.status.turn &&
		     (s->st.day > last->st.day ||
		      (s->st.day == last->st.day && memcmp(s->hash, last->hash, 32) > 0))))
			last = s;
	}
	if (last == NULL || last->st.body.status.state == STATEMENT_OPEN)
		return CASE_OPEN;
	return last->st.body.status.state == STATEMENT_CLOSED ? CASE_CLOSED : CASE_HELD;
}

static void first_received(struct case_summary *s, const struct case_source *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (s->received_day == 0 || list[i].by->received_day < s->received_day)
			s->received_day = list[i].by->received_day;
}

static void sum_up_statements(struct case_file *f)
{
	struct case_summary *s = &f->s;

	s->n_statements = (uint32_t)f->n;
	s->n_corrections = (uint32_t)f->n_corrections;
	s->n_attachments = (uint32_t)f->n_attachments;
	first_received(s, f->interviews, f->n_interviews);
	if (f->n_interviews == 0)
		first_received(s, f->corrections, f->n_corrections);
	for (size_t i = 0; i < f->n; i++) {
		const struct case_statement *st = f->at[i];

		if ((st->flags & RECORD_KNOWN) == 0)
			s->pending = true;
		if (!st->is_unknown && st->st.kind == STATEMENT_NOTE)
			s->n_notes++;
	}
}

/* the form's XML and the answers; *in and *form may be NULL where they cannot be read */
static enum perr open_instance(struct client *c, const struct statement_intake *intake,
                               const struct xform **form, struct instance **in)
{
	char id[65], version[33], why[INSTANCE_WHY_SIZE];
	enum perr err;

	copy_text(id, sizeof id, intake->form_id);
	copy_text(version, sizeof version, intake->form_version);
	err = cache_form(c, id, version, form);
	if (err == PERR_NOTFOUND || err == PERR_UNKNOWN)
		err = PERR_OK;           /* raw answers are better than none */
	if (err == PERR_OK) {
		err = instance_parse(in, *form, intake->instance.p, intake->instance.len, why);
		if (err == PERR_FORMAT || err == PERR_LIMIT)
			err = PERR_OK;
	}
	return err;
}

/* a correction by somebody who may still be enrolled: to be looked at again */
static bool is_any_left(const struct case_file *f, const struct case_merged *m)
{
	for (size_t i = 0; i < f->n_corrections; i++)
		if (m->left[i] == CASE_LEFT_PENDING)
			return true;
	return false;
}

static enum perr sum_up_interview(struct client *c, struct case_file *f)
{
	const struct statement *st = f->interviews[0].st;
	const struct statement_intake *intake = &st->body.intake;
	struct case_summary *s = &f->s;
	struct case_merged *merged = NULL;
	struct marks m;
	enum perr err;

	memcpy(s->code, intake->code, sizeof s->code);
	copy_text(s->form_id, sizeof s->form_id, intake->form_id);
	copy_text(s->form_version, sizeof s->form_version, intake->form_version);
	copy_text(s->language, sizeof s->language, intake->language);
	memcpy(s->author, st->author, 32);
	memcpy(s->desk, f->interviews[0].desk, 32);
	s->day = intake->has_visit_day ? intake->visit_day : st->day;
	case_code_show(s->title, s->code);
	err = case_merge(c, f, 0, &merged);
	if (err == PERR_OK) {
		err = case_marks(f, merged, NULL, &m);
		if (m.title[0] != '\0')
			memcpy(s->title, m.title, sizeof m.title);
		s->urgent = m.urgent;
		s->deadline = m.deadline;
		s->n_deadlines = m.n_deadlines;
		memcpy(s->deadlines, m.deadlines, sizeof s->deadlines);
		s->n_conflicts = merged->n_conflicts;
		s->pending = s->pending || is_any_left(f, merged);
		sodium_memzero(&m, sizeof m);
	}
	case_merged_free(merged);
	return err;
}

struct interviews_with {
	struct client *c;
	const uint8_t *record;
	unsigned n;
};

static enum perr one_with(void *arg, const char *name)
{
	struct interviews_with *w = arg;
	struct case_file f = { .n = 0 };
	struct gather g = { .f = &f };
	uint8_t record[STATEMENT_RECORD_SIZE];
	struct case_source src;
	enum perr err = case_record_of(name, record);

	if (err == PERR_OK && memcmp(record, w->record, sizeof record) != 0)
		err = gather(w->c, &g, record);
	for (size_t i = 0; i < f.n; i++) {
		if (source_of(f.at[i], &src) && src.st->kind == STATEMENT_INTAKE)
			w->n++;
		statement_free(f.at[i]);
	}
	free(f.at);
	return err == PERR_OK && w->n > 0 ? STOP : err;
}

/* a correction without its interview: shown by itself, until that arrives */
static enum perr sum_up_correction(struct client *c, struct case_file *f)
{
	const struct statement *st = f->corrections[0].st;
	const struct statement_amendment *am = &st->body.amendment;
	struct interviews_with w = { .c = c, .record = f->s.record };
	struct case_summary *s = &f->s;
	char prefix[96];
	enum perr err;

	memcpy(s->code, am->code, sizeof s->code);
	copy_text(s->form_id, sizeof s->form_id, am->form_id);
	copy_text(s->form_version, sizeof s->form_version, am->form_version);
	memcpy(s->author, st->author, 32);
	memcpy(s->desk, f->corrections[0].desk, 32);
	s->day = st->day;
	case_code_show(s->title, s->code);
	snprintf(prefix, sizeof prefix, "code/%s/", s->code);
	err = kv_each_name(c->kv, prefix, one_with, &w);
	s->hidden = w.n > 0;
	s->is_alone = w.n == 0;
	return err == STOP ? PERR_OK : err;
}

enum perr case_summarise(struct client *c, struct case_file *f)
{
	enum perr err = PERR_OK;
	uint8_t record[STATEMENT_RECORD_SIZE];

	memcpy(record, f->s.record, sizeof record);
	memset(&f->s, 0, sizeof f->s);
	memcpy(f->s.record, record, sizeof record);
	err = find_sources(f);           /* flags may have changed */
	if (err == PERR_OK)
		err = find_attachments(f);
	if (err != PERR_OK)
		return err;
	f->s.conflict = f->n_interviews > 1;
	if (f->n_interviews > 0)
		err = sum_up_interview(c, f);
	else if (f->n_corrections > 0)
		err = sum_up_correction(c, f);
	else
		f->s.hidden = true;
	sum_up_statements(f);
	if (err == PERR_OK)
		err = sum_up_people(f);
	f->s.state = state_of(f);
	f->s.copies_due = ledger_is_due(c, f);
	return err;
}

/* ---- text for the search ------------------------------------------------------------ */

static void add_text(struct search_text *t, struct doc_text s)
{
	search_text_add(t, s.p, s.len);
}

static void add_answers(struct client *c, const struct statement_intake *intake,
                        struct search_text *t)
{
	const struct xform *form = NULL;
	struct instance *in = NULL;
	char *text = NULL;
	size_t len = 0;
	enum perr err = open_instance(c, intake, &form, &in);

	if (err == PERR_OK && in != NULL)
		err = render_text(in, &text, &len);
	if (text != NULL) {
		search_text_add(t, text, len);
		sodium_memzero(text, len);
	}
	free(text);
	instance_free(in);
	if (err != PERR_OK && t->err == PERR_OK)
		t->err = err;
}

static void add_words(const struct case_statement *s, struct search_text *t)
{
	switch (s->st.kind) {
	case STATEMENT_NOTE:
		add_text(t, s->st.body.note);
		break;
	case STATEMENT_ANSWER:
		add_text(t, s->st.body.answer.text);
		break;
	case STATEMENT_STATUS:
		add_text(t, s->st.body.status.text);
		break;
	case STATEMENT_ERASE:
		add_text(t, s->st.body.erase.reason);
		break;
	case STATEMENT_ASSIGNMENT:
	case STATEMENT_REFERRAL:
		add_text(t, s->st.body.passed.reason);
		break;
	case STATEMENT_INTAKE:
	case STATEMENT_AMENDMENT:
	case STATEMENT_CUSTODY:
	case STATEMENT_COPY:
	case STATEMENT_RECEIPT:
		break;
	}
}

void case_text(struct client *c, const struct case_file *f, struct search_text *t)
{
	char shown[CASE_CODE_SHOWN + 1];

	case_code_show(shown, f->s.code);
	search_text_add(t, f->s.code, strlen(f->s.code));
	search_text_add(t, shown, strlen(shown));
	for (size_t i = 0; i < f->n_interviews; i++)
		add_answers(c, &f->interviews[i].st->body.intake, t);
	for (size_t i = 0; i < f->n_corrections; i++) {
		const struct statement_amendment *am = &f->corrections[i].st->body.amendment;

		for (uint32_t k = 0; k < am->n_changes; k++)
			add_text(t, am->changes[k].value);
	}
	for (size_t i = 0; i < f->n; i++)
		if (!f->at[i]->is_unknown)
			add_words(f->at[i], t);
}
