/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "export_json.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cache.h"
#include "case_merge.h"
#include "doc.h"
#include "export_names.h"
#include "fbuf.h"
#include "fdate.h"
#include "fexport.h"
#include "instance.h"
#include "render.h"

#define NAME_OF 140              /* client_name_of */

static void day_text(char out[FDATE_SIZE], uint32_t day)
{
	fdate_write(out, (double)day, false, 0);
}

static void json_str(struct fbuf *t, const char *s, size_t n)
{
	fbuf_text(t, "\"");
	for (size_t i = 0, from = 0; i <= n; i++) {
		unsigned char ch = i < n ? (unsigned char)s[i] : 0;

		if (i < n && ch >= 0x20 && ch != '"' && ch != '\\' && ch != 0x7f)
			continue;
		fbuf_add(t, s + from, i - from);
		from = i + 1;
		if (i < n && (ch == '"' || ch == '\\'))
			fbuf_fmt(t, "\\%c", ch);
		else if (i < n)
			fbuf_fmt(t, "\\u%04x", ch);
	}
	fbuf_text(t, "\"");
}

static void json_text(struct fbuf *t, struct doc_text s)
{
	json_str(t, s.p, s.len);
}

/* ,"key": with the comma where it is not the first of its object */
static void key(struct fbuf *t, const char *name)
{
	if (t->len > 0 && t->bytes[t->len - 1] != '{' && t->bytes[t->len - 1] != '[')
		fbuf_text(t, ",");
	json_str(t, name, strlen(name));
	fbuf_text(t, ":");
}

static void key_str(struct fbuf *t, const char *name, const char *s)
{
	key(t, name);
	json_str(t, s, strlen(s));
}

static void key_text(struct fbuf *t, const char *name, struct doc_text s)
{
	key(t, name);
	json_text(t, s);
}

static void key_day(struct fbuf *t, const char *name, uint32_t day)
{
	char out[FDATE_SIZE];

	key(t, name);
	day_text(out, day);
	if (day == 0 || out[0] == '\0')
		fbuf_text(t, "null");
	else
		json_str(t, out, strlen(out));
}

static void key_bool(struct fbuf *t, const char *name, bool v)
{
	key(t, name);
	fbuf_text(t, v ? "true" : "false");
}

static void key_name(struct fbuf *t, struct client *c, const char *name, const uint8_t id[32])
{
	char who[NAME_OF];

	client_name_of(c, id, who, sizeof who);
	key_str(t, name, who);
}

static void key_desk(struct fbuf *t, struct client *c, const char *name, const uint8_t id[32])
{
	const struct desk *d;

	key_str(t, name, cache_desk(c, id, &d) == PERR_OK ? d->now.name : "");
}

static void item(struct fbuf *t)
{
	if (t->len > 0 && t->bytes[t->len - 1] != '[')
		fbuf_text(t, ",");
	fbuf_text(t, "{");
}

const char *export_json_answer_text(enum assigned_state a)
{
	switch (a) {
	case ASSIGNED_OFFERED:
		return "asked";
	case ASSIGNED_ACCEPTED:
		return "accepted";
	case ASSIGNED_DECLINED:
		return "declined";
	case ASSIGNED_WITHDRAWN:
		return "taken back";
	case ASSIGNED_RECUSED:
		return "recused";
	case ASSIGNED_LATE:
		return "too late";
	case ASSIGNED_SILENT:
		return "no answer";
	}
	return "";
}

static void json_summary(struct fbuf *t, struct client *c, const struct case_summary *s)
{
	char code[CASE_CODE_SHOWN + 1];
	char id[2 * STATEMENT_RECORD_SIZE + 1];
	const struct marks_deadline *next = case_deadline(s, client_day(c));

	case_code_show(code, s->code);
	sodium_bin2hex(id, sizeof id, s->record, sizeof s->record);
	id[8] = '\0';
	key_str(t, "code", code);
	key_str(t, "id", id);
	key_str(t, "title", s->title);
	key_bool(t, "urgent", s->urgent);
	key_day(t, "deadline", next == NULL ? 0 : next->day);
	key(t, "deadlines");
	fbuf_text(t, "[");
	for (uint32_t i = 0; i < s->n_deadlines; i++) {
		item(t);
		key_day(t, "day", s->deadlines[i].day);
		key_str(t, "what", s->deadlines[i].label);
		fbuf_text(t, "}");
	}
	fbuf_text(t, "]");
	key_str(t, "state", case_state_text(s->state));
	key_bool(t, "pending", s->pending);
	key_bool(t, "conflict", s->conflict);
	key(t, "conflicts");
	fbuf_fmt(t, "%u", s->n_conflicts);
	key_day(t, "day", s->day);
	key_day(t, "received", s->received_day);
	key_name(t, c, "author", s->author);
	key_desk(t, c, "desk", s->desk);
	key_str(t, "form", s->form_id);
	key_str(t, "form_version", s->form_version);
	key_str(t, "language", s->language);
	key(t, "assigned");
	fbuf_text(t, "[");
	for (uint32_t i = 0; i < s->n_people; i++) {
		item(t);
		key_name(t, c, "name", s->people[i].key);
		key_str(t, "role", s->people[i].role == STATEMENT_INTERPRETER ? "interpreter"
		                                                              : "attorney");
		key_str(t, "answer", export_json_answer_text(s->people[i].state));
		key_day(t, "since", s->people[i].since);
		key_day(t, "answer_by", s->people[i].answer_by);
		fbuf_text(t, "}");
	}
	fbuf_text(t, "]");
}

struct rows {
	struct fbuf *t;
	struct client *c;
	const struct case_merged *merged;
};

/* who said what of an answer, and what it was before */
static void json_said(struct rows *r, const struct merge_field *f)
{
	struct fbuf *t = r->t;

	key_bool(t, "conflict", f->is_conflict);
	key(t, "corrected");
	fbuf_text(t, "[");
	for (uint32_t i = 0; i < f->n_said; i++) {
		const struct statement *st = case_merged_by(r->merged, &f->said[i]);

		item(t);
		key_day(t, "day", st->day);
		key_name(t, r->c, "author", st->author);
		key(t, "value");
		if (f->said[i].is_gone)
			fbuf_text(t, "null");
		else
			json_text(t, f->said[i].value);
		key_bool(t, "stands", f->said[i].stands);
		fbuf_text(t, "}");
	}
	fbuf_text(t, "]");
	key_str(t, "before", case_merged_patch(r->merged, f)->before);
}

static bool json_row(void *ctx, const struct render_row *row)
{
	struct rows *r = ctx;
	struct fbuf *t = r->t;
	const struct merge_field *f;

	if (row->kind == RENDER_GROUP || row->kind == RENDER_REPEAT || row->kind == RENDER_NOTE ||
	    row->value[0] == '\0')
		return true;
	item(t);
	key_str(t, "path", row->path);
	key_str(t, "question", row->label);
	key_str(t, "value", row->value);
	key_str(t, "shown", row->shown);
	f = case_merged_at(r->merged, row->path);
	if (f != NULL)
		json_said(r, f);
	fbuf_text(t, "}");
	return !t->is_broken;
}

/* the same answers as values with types, nested as in the form */
static enum perr json_data(struct fbuf *t, const struct instance *in)
{
	uint8_t *json;
	size_t len;
	enum perr err = fexport_json(in, &json, &len);

	if (err != PERR_OK)
		return err;
	key(t, "data");
	fbuf_add(t, json, len);
	sodium_memzero(json, len);
	free(json);
	return PERR_OK;
}

static enum perr json_answers(struct fbuf *t, struct client *c, const struct case_merged *merged)
{
	struct rows rows = { t, c, merged };
	enum perr err = PERR_OK;

	key(t, "answers");
	fbuf_text(t, "[");
	/* answers that are no XML stand in submission.xml as they came */
	if (merged->in != NULL)
		err = render_rows(merged->in, NULL, 0, json_row, &rows);
	fbuf_text(t, "]");
	if (err == PERR_OK && merged->in != NULL)
		err = json_data(t, merged->in);
	return err;
}

static void json_correction(struct fbuf *t, struct client *c, const struct case_file *f,
                            size_t which, const struct case_merged *merged)
{
	const struct statement *st = f->corrections[which].st;
	const struct statement_amendment *am = &st->body.amendment;

	item(t);
	key_day(t, "day", st->day);
	key_name(t, c, "author", st->author);
	key(t, "changes");
	fbuf_text(t, "[");
	for (uint32_t i = 0; i < am->n_changes; i++) {
		item(t);
		key_text(t, "path", am->changes[i].path);
		key(t, "value");
		if (am->changes[i].is_gone)
			fbuf_text(t, "null");
		else
			json_text(t, am->changes[i].value);
		key_str(t, "state", case_change_text(case_change_of(f, merged, which, i)));
		fbuf_text(t, "}");
	}
	fbuf_text(t, "]}");
}

const char *export_json_erase_text(enum statement_erase_step s)
{
	switch (s) {
	case STATEMENT_ERASE_ASK:
		return "asks that it be erased";
	case STATEMENT_ERASE_ORDER:
		return "orders that it be erased";
	case STATEMENT_ERASE_STOP:
		return "it is not to be erased";
	case STATEMENT_ERASE_DONE:
		return "erased it";
	case STATEMENT_ERASE_KEPT:
		return "keeps it under a legal hold";
	}
	return "";
}

const char *export_json_state_text(enum statement_state s)
{
	switch (s) {
	case STATEMENT_OPEN:
		return "open";
	case STATEMENT_ASSIGNED:
		return "assigned";
	case STATEMENT_RETURNED:
		return "returned";
	case STATEMENT_RECUSED:
		return "recused";
	case STATEMENT_CLOSED:
		return "closed";
	case STATEMENT_HELD:
		return "on hold";
	case STATEMENT_UNASSIGNED:
		return "unassigned";
	case STATEMENT_REFERRED:
		return "referred";
	}
	return "";
}

static void key_consent(struct fbuf *t, const struct statement_consent *con)
{
	key(t, "consent");
	fbuf_text(t, "{");
	key_text(t, "text", con->text);
	key_day(t, "day", con->day);
	key_text(t, "recorded_by", con->by);
	key_text(t, "language", con->language);
	fbuf_text(t, "}");
}

static void json_event(struct fbuf *t, struct client *c, const struct case_statement *s)
{
	const struct statement *st = &s->st, *via;

	if (!s->is_unknown && s->original == NULL &&
	    (st->kind == STATEMENT_INTAKE || st->kind == STATEMENT_AMENDMENT))
		return;
	item(t);
	key_day(t, "day", st->day);
	key_name(t, c, "author", st->author);
	key_bool(t, "pending", (s->flags & RECORD_KNOWN) == 0);
	if (s->is_unknown) {
		key_str(t, "kind", "of a later version of amparo");
		fbuf_text(t, "}");
		return;
	}
	switch (st->kind) {
	case STATEMENT_NOTE:
		key_str(t, "kind", "note");
		key_text(t, "text", st->body.note);
		break;
	case STATEMENT_ANSWER:
		key_str(t, "kind", st->body.answer.decision == STATEMENT_ACCEPT ? "accepted"
		                                                               : "declined");
		key_text(t, "text", st->body.answer.text);
		break;
	case STATEMENT_STATUS:
		key_str(t, "kind", export_json_state_text(st->body.status.state));
		if (st->body.status.state == STATEMENT_REFERRED)
			key_desk(t, c, "to_desk", st->body.status.whom);
		else if (st->body.status.has_whom)
			key_name(t, c, "whom", st->body.status.whom);
		key_text(t, "text", st->body.status.text);
		if (st->body.status.has_consent)
			key_consent(t, &st->body.status.consent);
		break;
	case STATEMENT_ASSIGNMENT:
	case STATEMENT_REFERRAL:
		key_str(t, "kind", st->kind == STATEMENT_ASSIGNMENT ? "assigned" : "referred");
		if (st->kind == STATEMENT_REFERRAL)
			key_desk(t, c, "to_desk", st->to);
		else
			key_name(t, c, "whom", st->to);
		key_text(t, "text", st->body.passed.reason);
		via = case_referral(s);
		if (via != NULL) {
			key_desk(t, c, "from_desk", s->original->to);
			key_consent(t, &via->body.passed.consent);
		}
		break;
	case STATEMENT_ERASE:
		key_str(t, "kind", export_json_erase_text(st->body.erase.step));
		key_text(t, "text", st->body.erase.reason);
		break;
	case STATEMENT_INTAKE:
	case STATEMENT_AMENDMENT:
	case STATEMENT_CUSTODY:
	case STATEMENT_COPY:
	case STATEMENT_RECEIPT:
		break;
	}
	fbuf_text(t, "}");
}

static void json_attachments(struct fbuf *t, const struct case_file *f,
                             char (*names)[EXPORT_NAME_MAX + 1])
{
	key(t, "attachments");
	fbuf_text(t, "[");
	for (size_t i = 0; i < f->n_attachments; i++) {
		const struct statement_attachment *a = f->attachments[i].a;

		item(t);
		key_text(t, "name", a->name);
		key_str(t, "file", names[i]);
		key_text(t, "type", a->type);
		key(t, "size");
		fbuf_fmt(t, "%u", a->size);
		key_bool(t, "here", f->attachments[i].is_here);
		fbuf_text(t, "}");
	}
	fbuf_text(t, "]");
}

static enum perr json_all(struct fbuf *t, struct client *c, const struct case_file *f,
                          char (*names)[EXPORT_NAME_MAX + 1])
{
	struct case_merged *first = NULL;
	enum perr err = PERR_OK;

	fbuf_text(t, "{");
	json_summary(t, c, &f->s);
	key(t, "interviews");
	fbuf_text(t, "[");
	for (size_t i = 0; i < f->n_interviews && err == PERR_OK; i++) {
		const struct statement *st = f->interviews[i].st;
		struct case_merged *merged;

		err = case_merge(c, f, i, &merged);
		if (err != PERR_OK)
			break;
		item(t);
		key_day(t, "day", st->day);
		key_name(t, c, "author", st->author);
		key_text(t, "form", st->body.intake.form_id);
		key_text(t, "form_version", st->body.intake.form_version);
		if (st->body.intake.transcriber.p != NULL)
			key_text(t, "transcriber", st->body.intake.transcriber);
		err = json_answers(t, c, merged);
		fbuf_text(t, "}");
		if (i == 0)
			first = merged;
		else
			case_merged_free(merged);
	}
	fbuf_text(t, "]");
	key(t, "corrections");
	fbuf_text(t, "[");
	for (size_t i = 0; i < f->n_corrections; i++)
		json_correction(t, c, f, i, first);
	case_merged_free(first);
	fbuf_text(t, "]");
	json_attachments(t, f, names);
	key(t, "history");
	fbuf_text(t, "[");
	for (size_t i = 0; i < f->n; i++)
		json_event(t, c, f->at[i]);
	fbuf_text(t, "]}\n");
	return err != PERR_OK ? err : t->is_broken ? PERR_NOMEM : PERR_OK;
}

static enum perr give(struct fbuf *t, enum perr err, char **out, size_t *len)
{
	uint8_t *bytes = NULL;

	*len = 0;
	if (err == PERR_OK && fbuf_take(t, &bytes, len) != 0)
		err = PERR_NOMEM;
	fbuf_drop(t);
	*out = (char *)bytes;
	return err;
}

enum perr export_json_summary(struct client *c, const struct case_summary *s, char **out,
                              size_t *len)
{
	struct fbuf t = { .bytes = NULL };

	fbuf_text(&t, "{");
	json_summary(&t, c, s);
	fbuf_text(&t, "}");
	return give(&t, PERR_OK, out, len);
}

enum perr export_json(struct client *c, const struct case_file *f, char **out, size_t *len)
{
	char (*names)[EXPORT_NAME_MAX + 1];
	struct fbuf t = { .bytes = NULL };
	enum perr err = export_names_of(f, &names);

	if (err == PERR_OK)
		err = json_all(&t, c, f, names);
	free(names);
	return give(&t, err, out, len);
}
