/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "export.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cache.h"
#include "case_merge.h"
#include "doc.h"
#include "fbuf.h"
#include "fdate.h"
#include "fexport.h"
#include "fold.h"
#include "instance.h"
#include "render.h"

#define NAME_OF 140              /* client_name_of */

static void day_text(char out[FDATE_SIZE], uint32_t day)
{
	fdate_write(out, (double)day, false, 0);
}

/* ---- JSON --------------------------------------------------------------------------- */

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

static void item(struct fbuf *t)
{
	if (t->len > 0 && t->bytes[t->len - 1] != '[')
		fbuf_text(t, ",");
	fbuf_text(t, "{");
}

static void desk_name(struct client *c, const uint8_t id[32], char *out, size_t size)
{
	const struct desk *d;

	snprintf(out, size, "%s", cache_desk(c, id, &d) == PERR_OK ? d->now.name : "");
}

const char *export_answer_text(enum assigned_state a)
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
	char code[CASE_CODE_SHOWN + 1], desk[CHARTER_NAME_MAX + 1];
	char id[2 * STATEMENT_RECORD_SIZE + 1];
	const struct marks_deadline *next = case_deadline(s, client_day(c));

	case_code_show(code, s->code);
	sodium_bin2hex(id, sizeof id, s->record, sizeof s->record);
	id[8] = '\0';
	desk_name(c, s->desk, desk, sizeof desk);
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
	key_str(t, "desk", desk);
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
		key_str(t, "answer", export_answer_text(s->people[i].state));
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

const char *export_erase_text(enum statement_erase_step s)
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

const char *export_state_text(enum statement_state s)
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

static void key_desk(struct fbuf *t, struct client *c, const char *name, const uint8_t id[32])
{
	const struct desk *d;

	key_str(t, name, cache_desk(c, id, &d) == PERR_OK ? d->now.name : "");
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
		key_str(t, "kind", export_state_text(st->body.status.state));
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
		key_str(t, "kind", export_erase_text(st->body.erase.step));
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

/* ---- names of files ----------------------------------------------------------------- */

static bool is_ours(const char *name)
{
	size_t n = strlen(name);

	return strcasecmp(name, "case.json") == 0 ||
	       ((strncasecmp(name, "submission", 10) == 0 || strncasecmp(name, "corrected", 9) == 0) &&
	        n > 4 && strcasecmp(name + n - 4, ".xml") == 0);
}

static bool is_bad(unsigned cp)
{
	return cp < 32 || cp == 127 || (cp >= 0x80 && cp < 0xa0) || cp == 0xfffd ||
	       (cp < 128 && strchr("/\\:*?\"<>|", (int)cp) != NULL) ||
	       cp == 0x200e || cp == 0x200f || (cp >= 0x202a && cp <= 0x202e) ||
	       (cp >= 0x2066 && cp <= 0x2069);
}

void export_safe_name(char out[EXPORT_NAME_MAX + 1], const char *name, size_t len)
{
	const char *s = name, *end = name + len;
	size_t n = 0, room = EXPORT_NAME_MAX - 16;       /* for what is added in front or behind */

	while (s < end) {
		const char *from = s;
		unsigned cp = fold_utf8(&s, end);
		size_t k = is_bad(cp) ? 1 : (size_t)(s - from);

		if (n + k > room)
			break;
		if (is_bad(cp))
			out[n] = '_';
		else
			memcpy(out + n, from, k);
		n += k;
	}
	/* some file systems drop these, so two names would be one */
	while (n > 0 && (out[n - 1] == '.' || out[n - 1] == ' '))
		n--;
	out[n] = '\0';
	if (n == 0 || out[0] == '.' || out[0] == '-' || is_ours(out)) {
		memmove(out + 11, out, n + 1);
		memcpy(out, "attachment-", 11);
	}
}

struct file_names {
	size_t n;
	char (*at)[EXPORT_NAME_MAX + 1];
};

/* "foto.jpg" -> "foto-2.jpg" */
static void number_name(char out[EXPORT_NAME_MAX + 1], const char *name, unsigned number)
{
	const char *dot = strrchr(name, '.');
	size_t stem = dot == NULL || dot == name ? strlen(name) : (size_t)(dot - name);

	if (stem + 8 + strlen(name + stem) > EXPORT_NAME_MAX)
		stem = EXPORT_NAME_MAX - 8 - strlen(name + stem);
	snprintf(out, EXPORT_NAME_MAX + 1, "%.*s-%u%s", (int)stem, name, number,
	         dot == NULL || dot == name ? "" : dot);
}

static bool is_taken(const struct file_names *f, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcasecmp(f->at[i], name) == 0)
			return true;
	return false;
}

/* a name for each attachment, in their order; the same content under one name is one file */
static enum perr name_files(struct file_names *names, const struct case_file *f)
{
	names->n = f->n_attachments;
	names->at = calloc(names->n + 1, sizeof *names->at);
	if (names->at == NULL)
		return PERR_NOMEM;
	for (size_t i = 0; i < names->n; i++) {
		const struct statement_attachment *a = f->attachments[i].a;
		char plain[EXPORT_NAME_MAX + 1];
		size_t same = 0;

		while (same < i && (memcmp(f->attachments[same].a->hash, a->hash, 32) != 0 ||
		                    f->attachments[same].a->name.len != a->name.len ||
		                    memcmp(f->attachments[same].a->name.p, a->name.p,
		                           a->name.len) != 0))
			same++;
		if (same < i) {
			memcpy(names->at[i], names->at[same], sizeof names->at[i]);
			continue;
		}
		export_safe_name(plain, a->name.p, a->name.len);
		memcpy(names->at[i], plain, sizeof plain);
		for (unsigned k = 2; is_taken(names, i, names->at[i]); k++)
			number_name(names->at[i], plain, k);
	}
	return PERR_OK;
}

/* ---- case.json ---------------------------------------------------------------------- */

static void json_attachments(struct fbuf *t, const struct case_file *f,
                             const struct file_names *names)
{
	key(t, "attachments");
	fbuf_text(t, "[");
	for (size_t i = 0; i < f->n_attachments; i++) {
		const struct statement_attachment *a = f->attachments[i].a;

		item(t);
		key_text(t, "name", a->name);
		key_str(t, "file", names->at[i]);
		key_text(t, "type", a->type);
		key(t, "size");
		fbuf_fmt(t, "%u", a->size);
		key_bool(t, "here", f->attachments[i].is_here);
		fbuf_text(t, "}");
	}
	fbuf_text(t, "]");
}

static enum perr json_all(struct fbuf *t, struct client *c, const struct case_file *f,
                          const struct file_names *names)
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

enum perr export_file_names(const struct case_file *f, char (**names)[EXPORT_NAME_MAX + 1])
{
	struct file_names n;
	enum perr err = name_files(&n, f);

	*names = err == PERR_OK ? n.at : NULL;
	return err;
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
	struct file_names names = { .n = 0 };
	struct fbuf t = { .bytes = NULL };
	enum perr err = name_files(&names, f);

	if (err == PERR_OK)
		err = json_all(&t, c, f, &names);
	free(names.at);
	return give(&t, err, out, len);
}

/* ---- folders ------------------------------------------------------------------------ */

static enum perr put_attachments(struct client *c, const struct case_file *f, const char *dir,
                                 const struct file_names *names, const struct export_sink *sink,
                                 struct export_done *done, export_missing_fn *miss, void *arg)
{
	enum perr err = PERR_OK;

	for (size_t i = 0; i < f->n_attachments && err == PERR_OK; i++) {
		const struct case_attachment *a = &f->attachments[i];
		uint8_t *data = NULL;
		size_t len;

		if (is_taken(names, i, names->at[i]))
			continue;        /* the same content, written before */
		err = case_content(c, a, &data, &len);
		if (err == PERR_OK) {
			err = sink->file(sink->ctx, dir, names->at[i], data, len);
			done->n_files++;
		} else if (err == PERR_NOTFOUND || err == PERR_CORRUPT) {
			err = PERR_OK;
			done->n_missing++;
			if (miss != NULL)
				miss(arg, a->a->name.p, a->a->name.len);
		}
		kv_free(data);
	}
	return err;
}

enum perr export_attachments(struct client *c, const struct case_file *f,
                             const struct export_sink *sink, struct export_done *done,
                             export_missing_fn *miss, void *arg)
{
	struct file_names names = { .n = 0 };
	enum perr err = name_files(&names, f);

	memset(done, 0, sizeof *done);
	if (err == PERR_OK)
		err = put_attachments(c, f, "", &names, sink, done, miss, arg);
	free(names.at);
	return err;
}

/* the answers after the corrections; where there are none, submission.xml says it all */
static enum perr put_corrected(struct client *c, const struct case_file *f, size_t which,
                               const struct export_sink *sink, struct export_done *done)
{
	struct case_merged *merged;
	uint8_t *xml = NULL;
	char name[64] = "corrected.xml";
	size_t len = 0;
	enum perr err = case_merge(c, f, which, &merged);

	if (which > 0)
		snprintf(name, sizeof name, "corrected-%zu.xml", which + 1);
	if (err == PERR_OK && merged->m->n_fields > 0 && merged->in != NULL) {
		err = fpatch_write(merged->in, &xml, &len);
		if (err == PERR_OK)
			err = sink->file(sink->ctx, done->dir, name, xml, len);
		done->n_files++;
	}
	doc_free(xml, len);
	case_merged_free(merged);
	return err;
}

static enum perr put_interviews(struct client *c, const struct case_file *f,
                                const struct export_sink *sink, struct export_done *done)
{
	enum perr err = PERR_OK;

	for (size_t i = 0; i < f->n_interviews && err == PERR_OK; i++) {
		const struct doc_bytes *xml = &f->interviews[i].st->body.intake.instance;
		char name[64] = "submission.xml";

		if (i > 0)
			snprintf(name, sizeof name, "submission-%zu.xml", i + 1);
		err = sink->file(sink->ctx, done->dir, name, xml->p, xml->len);
		done->n_files++;
		if (err == PERR_OK)
			err = put_corrected(c, f, i, sink, done);
	}
	return err;
}

enum perr export_case(struct client *c, const struct case_file *f, unsigned same,
                      const struct export_sink *sink, struct export_done *done,
                      export_missing_fn *miss, void *arg)
{
	struct file_names names = { .n = 0 };
	struct fbuf t = { .bytes = NULL };
	char code[CASE_CODE_SHOWN + 1];
	enum perr err;

	memset(done, 0, sizeof *done);
	case_code_show(code, f->s.code);
	if (same == 0)
		snprintf(done->dir, sizeof done->dir, "%s", code);
	else
		snprintf(done->dir, sizeof done->dir, "%s-%u", code, same + 1);
	err = name_files(&names, f);
	if (err == PERR_OK)
		err = put_interviews(c, f, sink, done);
	if (err == PERR_OK)
		err = put_attachments(c, f, done->dir, &names, sink, done, miss, arg);
	if (err == PERR_OK)
		err = json_all(&t, c, f, &names);
	if (err == PERR_OK) {
		err = sink->file(sink->ctx, done->dir, "case.json", t.bytes, t.len);
		done->n_files++;
	}
	fbuf_drop(&t);
	free(names.at);
	return err;
}

/* ---- index.csv ---------------------------------------------------------------------- */

struct export_index {
	struct fbuf t;
};

struct export_index *export_index_new(void)
{
	struct export_index *x = calloc(1, sizeof *x);

	if (x != NULL)
		fbuf_text(&x->t, "code,id,folder,day,received,title,urgent,deadline,state,assigned,author,"
		           "desk,form,version,language,attachments,missing,notes,corrections\r\n");
	return x;
}

void export_index_free(struct export_index *x)
{
	if (x == NULL)
		return;
	fbuf_drop(&x->t);
	free(x);
}

/*
 * RFC 4180; and a cell that a spreadsheet would take for a formula is kept a text: names
 * come from strangers, and "=HYPERLINK(…)" would send what stands beside it away.
 */
static void csv(struct fbuf *t, const char *s)
{
	if (t->len > 0 && t->bytes[t->len - 1] != '\n')
		fbuf_text(t, ",");
	fbuf_text(t, "\"");
	if (*s != '\0' && strchr("=+-@\t\r", *s) != NULL)
		fbuf_text(t, "'");
	for (; *s != '\0'; s++)
		fbuf_add(t, *s == '"' ? "\"\"" : s, *s == '"' ? 2 : 1);
	fbuf_text(t, "\"");
}

static void csv_day(struct fbuf *t, uint32_t day)
{
	char out[FDATE_SIZE] = "";

	if (day != 0)
		day_text(out, day);
	csv(t, out);
}

static void csv_number(struct fbuf *t, size_t n)
{
	char out[24];

	snprintf(out, sizeof out, "%zu", n);
	csv(t, out);
}

static void csv_people(struct fbuf *t, struct client *c, const struct case_summary *s)
{
	struct fbuf people = { .bytes = NULL };
	char who[NAME_OF];

	for (uint32_t i = 0; i < s->n_people; i++) {
		if (!assigned_has_it(s->people[i].state))
			continue;
		client_name_of(c, s->people[i].key, who, sizeof who);
		fbuf_text(&people, people.len == 0 ? "" : "; ");
		fbuf_text(&people, who);
	}
	/* half of the names would pass for all of them */
	t->is_broken = t->is_broken || people.is_broken;
	csv(t, people.bytes == NULL ? "" : (const char *)people.bytes);
	fbuf_drop(&people);
}

enum perr export_index_add(struct export_index *x, struct client *c, const struct case_file *f,
                           const char *dir)
{
	const struct case_summary *s = &f->s;
	const struct marks_deadline *next = case_deadline(s, client_day(c));
	struct fbuf *t = &x->t;
	char buf[NAME_OF], id[2 * STATEMENT_RECORD_SIZE + 1];
	size_t missing = 0;

	for (size_t i = 0; i < f->n_attachments; i++)
		missing += !f->attachments[i].is_here;
	case_code_show(buf, s->code);
	csv(t, buf);
	sodium_bin2hex(id, sizeof id, s->record, sizeof s->record);
	id[8] = '\0';
	csv(t, id);
	csv(t, dir);
	csv_day(t, s->day);
	csv_day(t, s->received_day);
	csv(t, s->title);
	csv(t, s->urgent ? "yes" : "");
	csv_day(t, next == NULL ? 0 : next->day);
	csv(t, case_state_text(s->state));
	csv_people(t, c, s);
	client_name_of(c, s->author, buf, sizeof buf);
	csv(t, buf);
	desk_name(c, s->desk, buf, sizeof buf);
	csv(t, buf);
	csv(t, s->form_id);
	csv(t, s->form_version);
	csv(t, s->language);
	csv_number(t, f->n_attachments);
	csv_number(t, missing);
	csv_number(t, s->n_notes);
	csv_number(t, s->n_corrections);
	fbuf_text(t, "\r\n");
	return t->is_broken ? PERR_NOMEM : PERR_OK;
}

enum perr export_index_write(struct export_index *x, const struct export_sink *sink)
{
	if (x->t.is_broken)
		return PERR_NOMEM;
	return sink->file(sink->ctx, "", "index.csv", x->t.bytes, x->t.len);
}
