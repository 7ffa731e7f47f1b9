/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "export.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cache.h"
#include "case_merge.h"
#include "doc.h"
#include "export_json.h"
#include "fbuf.h"
#include "fdate.h"
#include "instance.h"

#define NAME_OF 140              /* client_name_of */

static enum perr put_attachments(struct client *c, const struct case_file *f, const char *dir,
                                 char (*names)[EXPORT_NAME_MAX + 1], const struct export_sink *sink,
                                 struct export_done *done, export_missing_fn *miss, void *arg)
{
	enum perr err = PERR_OK;

	for (size_t i = 0; i < f->n_attachments && err == PERR_OK; i++) {
		const struct case_attachment *a = &f->attachments[i];
		uint8_t *data = NULL;
		size_t len;

		if (export_names_taken(names, i, names[i]))
			continue;        /* the same content, written before */
		err = case_content(c, a, &data, &len);
		if (err == PERR_OK) {
			err = sink->file(sink->ctx, dir, names[i], data, len);
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
	char (*names)[EXPORT_NAME_MAX + 1];
	enum perr err = export_names_of(f, &names);

	memset(done, 0, sizeof *done);
	if (err == PERR_OK)
		err = put_attachments(c, f, "", names, sink, done, miss, arg);
	free(names);
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
	char (*names)[EXPORT_NAME_MAX + 1];
	char *json = NULL;
	size_t len = 0;
	char code[CASE_CODE_SHOWN + 1];
	enum perr err;

	memset(done, 0, sizeof *done);
	case_code_show(code, f->s.code);
	if (same == 0)
		snprintf(done->dir, sizeof done->dir, "%s", code);
	else
		snprintf(done->dir, sizeof done->dir, "%s-%u", code, same + 1);
	err = export_names_of(f, &names);
	if (err == PERR_OK)
		err = put_interviews(c, f, sink, done);
	if (err == PERR_OK)
		err = put_attachments(c, f, done->dir, names, sink, done, miss, arg);
	if (err == PERR_OK)
		err = export_json(c, f, &json, &len);
	if (err == PERR_OK) {
		err = sink->file(sink->ctx, done->dir, "case.json", (const uint8_t *)json, len);
		done->n_files++;
	}
	doc_free((uint8_t *)json, len);
	free(names);
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
		fdate_write(out, (double)day, false, 0);
	csv(t, out);
}

static void csv_number(struct fbuf *t, size_t n)
{
	char out[24];

	snprintf(out, sizeof out, "%zu", n);
	csv(t, out);
}

static void desk_name(struct client *c, const uint8_t id[32], char *out, size_t size)
{
	const struct desk *d;

	snprintf(out, size, "%s", cache_desk(c, id, &d) == PERR_OK ? d->now.name : "");
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
