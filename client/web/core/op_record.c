/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * op_record: one case as a page shows it: what it is about, its answers in the form's order
 * with what corrections did to them.  Shapes: app/ops_desk.ts.  What happened since is
 * op_events.c.
 */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "cache.h"
#include "case_merge.h"
#include "case_view.h"
#include "doc.h"
#include "erasing.h"
#include "fmark.h"
#include "render.h"
#include "wrecord.h"
#include "web_ops.h"

static void wipe_free(char *text)
{
	if (text != NULL)
		sodium_memzero(text, strlen(text));
	free(text);
}

/* ---- corrections of an answer --------------------------------------------------------------- */

static void put_said(struct wrecord *r, const struct merge_field *f, const struct merge_said *s)
{
	const struct statement *st = case_merged_by(r->merged, s);
	char *shown = NULL;
	enum perr err = case_view_said(r->merged, f, s, r->lang, &shown);

	if (err != PERR_OK) {
		r->err = err;
		return;
	}
	web_out_map(r->o, NULL);
	wdesk_put_who(r->w, r->o, "who", st->author);
	web_out_uint(r->o, "day", st->day);
	web_out_str(r->o, "shown", shown);
	web_out_end(r->o);
	wipe_free(shown);
}

static void put_changed(struct wrecord *r, const struct merge_field *f)
{
	static const char *const names[] = { "corrected", "added", "conflict", "doubt" };
	char *before = NULL;
	enum perr err = case_view_before(r->merged, f, r->lang, &before);

	if (err != PERR_OK) {
		r->err = err;
		return;
	}
	web_out_map(r->o, "changed");
	web_out_str(r->o, "how", names[case_view_how(f)]);
	web_out_list(r->o, "said");
	for (uint32_t i = 0; f->is_conflict && i < f->n_said; i++)
		if (f->said[i].stands)
			put_said(r, f, &f->said[i]);
	if (!f->is_conflict)
		put_said(r, f, merge_now(f));
	web_out_end(r->o);
	web_out_str(r->o, "before", before);
	web_out_end(r->o);
	wipe_free(before);
}

/* ---- answers -------------------------------------------------------------------------------- */

static const char *kind_name(enum render_kind k)
{
	switch (k) {
	case RENDER_GROUP:    return "group";
	case RENDER_REPEAT:   return "repeat";
	case RENDER_QUESTION: return "question";
	case RENDER_NOTE:     return "note";
	case RENDER_HIDDEN:   return "hidden";
	case RENDER_UNKNOWN:  return "unknown";
	}
	return "unknown";
}

/*
 * The attachment that an answer names: of the correction it comes from, else of the interview,
 * else any of this name.  -1: none
 */
static int attachment_of(const struct wrecord *r, const struct merge_field *f, const char *name)
{
	const struct statement *by = f == NULL ? NULL : case_merged_by(r->merged, merge_now(f));
	size_t len = strlen(name);
	int found = -1;

	for (size_t i = 0; i < r->f->n_attachments; i++) {
		const struct case_attachment *a = &r->f->attachments[i];

		if (a->a->name.len != len || memcmp(a->a->name.p, name, len) != 0)
			continue;
		if (a->of->st == by)
			return (int)i;
		if (found < 0 || a->of == &r->f->interviews[r->which])
			found = (int)i;
	}
	return found;
}

static bool one_row(void *ctx, const struct render_row *row)
{
	struct wrecord *r = ctx;
	const struct merge_field *f = case_merged_at(r->merged, row->path);
	int at = row->is_attachment && row->value[0] != '\0' ? attachment_of(r, f, row->value) : -1;

	web_out_map(r->o, NULL);
	web_out_str(r->o, "kind", kind_name(row->kind));
	web_out_uint(r->o, "depth", row->depth);
	web_out_uint(r->o, "index", row->kind == RENDER_REPEAT ? row->index : 0);
	web_out_uint(r->o, "of", row->kind == RENDER_REPEAT ? row->n_of : 0);
	web_out_uint(r->o, "number", row->kind == RENDER_QUESTION ? row->number : 0);
	web_out_str(r->o, "label", row->label);
	web_out_str(r->o, "value", row->value);
	web_out_str(r->o, "shown", row->kind == RENDER_UNKNOWN ? row->value : row->shown);
	web_out_str(r->o, "path", row->path);
	if (at < 0) {
		web_out_nil(r->o, "file");
	} else {
		wdesk_put_id(r->o, "file", r->f->attachments[at].a->hash, 32);
		if (r->label_of[at] == NULL && (r->label_of[at] = strdup(row->label)) == NULL)
			r->err = PERR_NOMEM;
	}
	if (f == NULL)
		web_out_nil(r->o, "changed");
	else
		put_changed(r, f);
	web_out_bool(r->o, "anew", f == NULL && r->merged->m->n_fields > 0 &&
	             fpatch_is_anew(r->merged->in, row->path));
	web_out_end(r->o);
	return r->err == PERR_OK && r->o->err == PERR_OK;
}

static void put_taken(struct wrecord *r)
{
	web_out_list(r->o, "taken");
	for (uint32_t i = 0; i < r->merged->m->n_fields && r->err == PERR_OK; i++) {
		const struct merge_field *f = &r->merged->m->fields[i];
		char label[XFORM_LABEL_SIZE];

		if (!case_view_is_taken(r->merged, i))
			continue;
		case_view_label(r->merged->form, f->path, strlen(f->path), r->lang, label);
		web_out_map(r->o, NULL);
		web_out_str(r->o, "label", label[0] != '\0' ? label : f->path);
		web_out_str(r->o, "path", f->path);
		put_changed(r, f);
		web_out_end(r->o);
	}
	web_out_end(r->o);
}

static void put_faults(struct wrecord *r)
{
	struct faults *l = NULL;
	enum perr err = case_view_faults(r->f, r->which, r->merged, r->lang, &l);

	if (r->err == PERR_OK)
		r->err = err;
	web_out_list(r->o, "faults");
	for (size_t i = 0; l != NULL && i < faults_count(l); i++)
		web_out_str(r->o, NULL, faults_at(l, i)->text);
	web_out_end(r->o);
	faults_free(l);
}

static bool is_enrolled(const struct wrecord *r, const struct case_source *s)
{
	return (s->by->flags & (s->by->original == NULL ? RECORD_KNOWN : RECORD_WRITER)) != 0 ||
	       cache_is_member(r->w->c, s->st->author);
}

static void put_interview(struct wrecord *r)
{
	const struct case_source *s = &r->f->interviews[r->which];
	const struct statement_intake *in = &s->st->body.intake;
	bool is_read = r->merged->in != NULL;

	web_out_map(r->o, NULL);
	wdesk_put_who(r->w, r->o, "who", s->st->author);
	web_out_bool(r->o, "enrolled", is_enrolled(r, s));
	web_out_uint(r->o, "day", in->has_visit_day ? in->visit_day : s->st->day);
	web_out_strn(r->o, "transcriber", in->transcriber.p == NULL ? "" : in->transcriber.p,
	             in->transcriber.p == NULL ? 0 : in->transcriber.len);
	web_out_list(r->o, "answers");
	if (is_read && r->err == PERR_OK) {
		enum perr err = render_rows(r->merged->in, r->lang, r->empty ? RENDER_EMPTY : 0,
		                            one_row, r);

		r->err = r->err == PERR_OK ? err : r->err;
	}
	web_out_end(r->o);
	put_taken(r);
	put_faults(r);
	/* what cannot be read as answers is still the family's word */
	if (!is_read)
		web_out_strn(r->o, "raw", (const char *)in->instance.p, in->instance.len);
	else
		web_out_str(r->o, "raw", "");
	web_out_end(r->o);
}

/* ---- corrections one by one ----------------------------------------------------------------- */

static const char *fate_name(enum case_change c)
{
	switch (c) {
	case CASE_CHANGE_COUNTS:    return "counts";
	case CASE_CHANGE_CONFLICT:  return "conflict";
	case CASE_CHANGE_REPLACED:  return "replaced";
	case CASE_CHANGE_UNKNOWN:   return "unknown";
	case CASE_CHANGE_COMPUTED:  return "computed";
	case CASE_CHANGE_NO_PLACE:  return "no_place";
	case CASE_CHANGE_TAKEN_OUT: return "taken_out";
	case CASE_CHANGE_WAITING:   return "waiting";
	case CASE_CHANGE_PENDING:   return "pending";
	case CASE_CHANGE_FORM:      return "form";
	case CASE_CHANGE_MANY:      return "many";
	}
	return "unknown";
}

static void put_correction(struct wrecord *r, size_t which, const struct case_merged *first)
{
	const struct case_source *s = &r->f->corrections[which];
	const struct statement_amendment *am = &s->st->body.amendment;
	char id[65], version[33], label[XFORM_LABEL_SIZE];
	const struct xform *form = NULL;

	snprintf(id, sizeof id, "%.*s", (int)am->form_id.len, am->form_id.p);
	snprintf(version, sizeof version, "%.*s", (int)am->form_version.len, am->form_version.p);
	if (cache_form(r->w->c, id, version, &form) != PERR_OK)
		form = NULL;
	web_out_map(r->o, NULL);
	wdesk_put_who(r->w, r->o, "who", s->st->author);
	web_out_bool(r->o, "enrolled", is_enrolled(r, s));
	web_out_uint(r->o, "day", s->st->day);
	web_out_list(r->o, "changes");
	for (uint32_t i = 0; i < am->n_changes; i++) {
		const struct statement_change *ch = &am->changes[i];

		case_view_label(form, ch->path.p, ch->path.len, r->lang, label);
		web_out_map(r->o, NULL);
		web_out_str(r->o, "label", label);
		web_out_strn(r->o, "path", ch->path.p, ch->path.len);
		if (ch->is_gone)
			web_out_nil(r->o, "value");
		else
			web_out_strn(r->o, "value", ch->value.p, ch->value.len);
		web_out_str(r->o, "fate", fate_name(case_change_of(r->f, first, which, i)));
		web_out_end(r->o);
	}
	web_out_end(r->o);
	web_out_end(r->o);
}

/* ---- marks ---------------------------------------------------------------------------------- */

static bool one_urgent(void *ctx, const struct fmark *m)
{
	struct wrecord *r = ctx;

	if (m->mark != XFORM_URGENT)
		return true;
	web_out_map(r->o, NULL);
	web_out_str(r->o, "label", m->label);
	web_out_str(r->o, "shown", m->shown);
	web_out_end(r->o);
	return true;
}

/* why it is urgent, and what is due, in the language */
static void put_marks(struct wrecord *r, const struct case_merged *first)
{
	const struct case_summary *s = &r->f->s;
	struct fclock noon = { .unix_ms = ((int64_t)s->day * 24 + 12) * 3600000 };
	struct marks *m = calloc(1, sizeof *m);
	enum perr err = m == NULL ? PERR_NOMEM : PERR_OK;
	bool is_read = first != NULL && first->form != NULL && first->in != NULL;

	web_out_list(r->o, "urgent");
	if (err == PERR_OK && is_read)
		err = fmark_each(first->in, r->lang, &noon, one_urgent, r);
	web_out_end(r->o);
	if (err == PERR_LIMIT)
		err = PERR_OK;
	if (err == PERR_OK && is_read) {
		err = case_marks(r->f, first, r->lang, m);
	} else if (err == PERR_OK) {
		m->n_deadlines = s->n_deadlines;
		memcpy(m->deadlines, s->deadlines, sizeof m->deadlines);
	}
	web_out_list(r->o, "due");
	for (uint32_t i = 0; err == PERR_OK && i < m->n_deadlines; i++)
		wdesk_put_due(r->w, r->o, NULL, &m->deadlines[i]);
	web_out_end(r->o);
	if (r->err == PERR_OK)
		r->err = err;
	if (m != NULL)
		sodium_memzero(m, sizeof *m);
	free(m);
}

static void put_langs(struct wrecord *r, const struct xform *form)
{
	size_t n = form == NULL ? 0 : xform_n_langs(form), used = 0;

	web_out_str(r->o, "form_title", form == NULL ? "" : xform_title(form));
	web_out_list(r->o, "langs");
	for (size_t i = 0; i < n; i++) {
		web_out_map(r->o, NULL);
		web_out_str(r->o, "code", xform_lang_code(form, i));
		web_out_str(r->o, "name", xform_lang(form, i));
		web_out_end(r->o);
	}
	web_out_end(r->o);
	if (n > 0)
		used = xform_find_lang(form, r->lang);
	web_out_str(r->o, "lang", n > 0 ? xform_lang_code(form, used) : "");
}

/* ---- the case ------------------------------------------------------------------------------- */

static int next_due(const struct case_summary *s, uint32_t today)
{
	const struct marks_deadline *d = case_deadline(s, today);

	return d == NULL ? -1 : (int)(d - s->deadlines);
}

static void put_head(struct wrecord *r, const struct case_merged *first)
{
	const struct case_summary *s = &r->f->s;
	const struct xform *form = first == NULL ? NULL : first->form;
	enum perr err = wdesk_put_row(r->w, r->o, "row", s, next_due(s, client_day(r->w->c)));

	if (r->err == PERR_OK)
		r->err = err;
	wdesk_put_who(r->w, r->o, "who", s->author);
	web_out_str(r->o, "form_version", s->form_version);
	put_langs(r, form);
	put_marks(r, first);
	web_out_list(r->o, "people");
	for (uint32_t i = 0; i < s->n_people; i++)
		wdesk_put_person(r->w, r->o, NULL, &s->people[i]);
	web_out_end(r->o);
}

static void put_interviews(struct wrecord *r, struct case_merged *first)
{
	web_out_list(r->o, "interviews");
	for (r->which = 0; r->which < r->f->n_interviews && r->err == PERR_OK; r->which++) {
		struct case_merged *another = NULL;

		r->merged = first;
		if (r->which > 0) {
			r->err = case_merge(r->w->c, r->f, r->which, &another);
			r->merged = another;
		}
		if (r->err == PERR_OK)
			put_interview(r);
		r->merged = NULL;
		case_merged_free(another);
	}
	web_out_end(r->o);
	web_out_list(r->o, "corrections");
	for (size_t i = 0; i < r->f->n_corrections && r->err == PERR_OK; i++)
		put_correction(r, i, first);
	web_out_end(r->o);
}

enum perr op_case_show(struct web *w, struct web_args *a, struct web_out *o)
{
	struct wrecord r = { .w = w, .o = o };
	uint8_t record[STATEMENT_RECORD_SIZE];
	struct case_merged *first = NULL;
	struct case_file *f = NULL;
	struct wdesk *d;
	enum perr err;

	wdesk_arg_id(a, "record", record, sizeof record, false);
	r.lang = wdesk_arg_lang(a);
	r.empty = web_arg_bool(a, "empty");
	err = web_args_end(a);
	if (err == PERR_OK)
		err = wdesk_open(w, &d);
	if (err == PERR_OK)
		err = wdesk_case(w, o, record, &f);
	if (err != PERR_OK)
		return err;
	r.f = f;
	r.label_of = calloc(f->n_attachments + 1, sizeof *r.label_of);
	if (r.label_of == NULL)
		err = PERR_NOMEM;
	if (err == PERR_OK && f->n_interviews > 0)
		err = case_merge(w->c, f, 0, &first);
	if (err == PERR_OK) {
		put_head(&r, first);
		put_interviews(&r, first);
		wrecord_put_attachments(&r);
		wrecord_put_events(&r);
		wrecord_put_may(&r);
		err = r.err;
	}
	for (size_t i = 0; r.label_of != NULL && i < f->n_attachments; i++)
		wipe_free(r.label_of[i]);
	free(r.label_of);
	case_merged_free(first);
	case_close(f);
	return err;
}
