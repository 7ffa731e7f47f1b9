/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The answers of a case on a page, as they stand after the corrections. */
#include "show.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "cache.h"
#include "case_view.h"
#include "cmd_record.h"
#include "fault.h"
#include "fmark.h"
#include "instance.h"
#include "render.h"
#include "term.h"

void show_paragraph(const struct show_page *p, unsigned indent, const char *text, size_t len)
{
	char *safe = term_safe(text, len, TERM_TEXT);

	term_wrap(stdout, p->width, indent, safe != NULL ? safe : "(out of memory)");
	free(safe);
}

void show_labelled(const struct show_page *p, unsigned indent, const char *label,
                   size_t label_len, const char *value, size_t value_len)
{
	char *l = term_safe(label, label_len, TERM_LINE), *v = term_safe(value, value_len, TERM_TEXT);

	if (l == NULL || v == NULL) {
		puts("(out of memory)");
	} else if (strchr(v, '\n') == NULL &&
	           indent + term_columns(l) + 2 + term_columns(v) <= p->width) {
		printf("%*s%s: %s\n", (int)indent, "", l, v);
	} else {
		term_wrap(stdout, p->width, indent, l);
		term_wrap(stdout, p->width, indent + 4, v);
	}
	free(l);
	free(v);
}

/* ---- who corrected what ------------------------------------------------------------ */

/* "7 (2026-11-24, volunteer 3)"; for free; NULL: out of memory */
static char *said_text(struct show_page *p, const struct merge_field *f,
                       const struct merge_said *s)
{
	const struct statement *st = case_merged_by(p->merged, s);
	char who[140], day[16], *shown = NULL, *out = NULL;

	cli_day(day, st->day);
	client_name_of(p->c, st->author, who, sizeof who);
	if (case_view_said(p->merged, f, s, p->lang, &shown) != PERR_OK)
		return NULL;
	if (asprintf(&out, "%s (%s, %s)", s->is_gone ? "taken away" : shown[0] == '\0' ? "blank" : shown,
	             day, who) < 0)
		out = NULL;
	if (shown != NULL)
		sodium_memzero(shown, strlen(shown));
	free(shown);
	return out;
}

static void say(const struct show_page *p, unsigned indent, const char *text)
{
	show_paragraph(p, indent, text, strlen(text));
}

static void print_free(struct show_page *p, unsigned indent, char *text)
{
	if (text == NULL) {
		puts("(out of memory)");
		return;
	}
	show_paragraph(p, indent, text, strlen(text));
	sodium_memzero(text, strlen(text));
	free(text);
}

static void show_before(struct show_page *p, unsigned indent, const struct merge_field *f)
{
	char *shown = NULL, *out = NULL;

	if (case_view_before(p->merged, f, p->lang, &shown) != PERR_OK)
		return;
	if (shown[0] == '\0') {
		free(shown);
		return;
	}
	if (asprintf(&out, "at the interview: %s", shown) < 0)
		out = NULL;
	sodium_memzero(shown, strlen(shown));
	free(shown);
	print_free(p, indent, out);
}

static void show_said(struct show_page *p, unsigned indent, const struct merge_field *f)
{
	char *said = NULL, *text = NULL;

	if (f->is_kept) {
		say(p, indent, "IN DOUBT: somebody takes this out, somebody else corrects "
		    "something in it");
	} else if (f->is_conflict) {
		say(p, indent, "CONFLICT: these corrections differ; `amparo amend` with the "
		    "right answer settles it");
	}
	for (uint32_t i = 0; f->is_conflict && i < f->n_said; i++)
		if (f->said[i].stands) {
			said = said_text(p, f, &f->said[i]);
			if (said == NULL || asprintf(&text, "- %s", said) < 0)
				text = NULL;
			if (said != NULL)
				sodium_memzero(said, strlen(said));
			free(said);
			print_free(p, indent, text);
		}
	if (!f->is_conflict) {
		const struct statement *st = case_merged_by(p->merged, merge_now(f));
		char who[140], day[16];

		cli_day(day, st->day);
		client_name_of(p->c, st->author, who, sizeof who);
		if (asprintf(&text, "%s %s by %s", case_view_how(f) == CASE_VIEW_ADDED ? "added" : "corrected", day, who) < 0)
			text = NULL;
		print_free(p, indent, text);
	}
	show_before(p, indent, f);
}

static void mark_row(struct show_page *p, unsigned indent, const struct render_row *row)
{
	const struct merge_field *f = p->merged == NULL ? NULL : case_merged_at(p->merged, row->path);

	if (f != NULL)
		show_said(p, indent + 4, f);
	else if (p->merged != NULL && p->merged->m->n_fields > 0 &&
	         fpatch_is_anew(p->merged->in, row->path))
		printf("%*s(calculated anew)\n", (int)indent + 4, "");
}

/* ---- answers ------------------------------------------------------------------------ */

static bool one_row(void *ctx, const struct render_row *row)
{
	struct show_page *p = ctx;
	unsigned indent = 2 * (row->depth > 10 ? 10 : row->depth);
	size_t n = strlen(row->label);

	switch (row->kind) {
	case RENDER_GROUP:
		if (row->depth == 0 && p->any)
			putchar('\n');
		show_paragraph(p, indent, row->label, n);
		break;
	case RENDER_REPEAT:
		printf("%*s", (int)indent, "");
		if (n > 0) {
			cmd_print(row->label, n);
			putchar(' ');
		}
		printf("%u/%u\n", row->index, row->n_of);
		mark_row(p, indent, row);
		break;
	case RENDER_QUESTION:
	case RENDER_HIDDEN:
		show_labelled(p, indent, row->label, n, row->shown, strlen(row->shown));
		mark_row(p, indent, row);
		break;
	case RENDER_UNKNOWN:
		show_labelled(p, indent, row->label, n, row->value, strlen(row->value));
		mark_row(p, indent, row);
		break;
	case RENDER_NOTE:
		break;                   /* read aloud at the interview; nobody answered it */
	}
	p->any = true;
	return true;
}

/* what has no row any more: answers taken away, children taken out */
static void show_taken(struct show_page *p)
{
	const struct case_merged *m = p->merged;
	bool any = false;

	for (uint32_t i = 0; i < m->m->n_fields; i++) {
		const struct merge_field *f = &m->m->fields[i];
		char label[XFORM_LABEL_SIZE];

		if (!case_view_is_taken(m, i))
			continue;
		if (!any)
			puts("\nTaken away or left blank by corrections");
		any = true;
		case_view_label(m->form, f->path, strlen(f->path), p->lang, label);
		show_paragraph(p, 2, label[0] != '\0' ? label : f->path,
		               strlen(label[0] != '\0' ? label : f->path));
		show_said(p, 4, f);
	}
}

static enum perr show_faults(struct show_page *p, const struct case_file *f, size_t which)
{
	struct faults *l = NULL;
	enum perr err = case_view_faults(f, which, p->merged, p->lang, &l);

	if (l != NULL && faults_count(l) > 0)
		puts("\nWith the corrections the form would say");
	for (size_t i = 0; l != NULL && i < faults_count(l); i++)
		show_paragraph(p, 2, faults_at(l, i)->text, strlen(faults_at(l, i)->text));
	faults_free(l);
	return err;
}

static enum perr show_answers(struct show_page *p, const struct case_file *f, size_t which)
{
	const struct statement_intake *intake = &f->interviews[which].st->body.intake;
	const struct case_merged *m = p->merged;
	enum perr err = PERR_OK;

	if (m->form == NULL)
		puts("(The form is not on this device, so questions have their short names.)\n");
	else if (p->lang != NULL && !xform_has_lang(m->form, p->lang))
		printf("(The form has no language \"%s\"; its own is used.)\n\n", p->lang);
	if (m->in != NULL) {
		p->any = false;
		err = render_rows(m->in, p->lang, 0, one_row, p);
		if (err == PERR_OK)
			show_taken(p);
		if (err == PERR_OK)
			err = show_faults(p, f, which);
	} else {
		printf("The answers cannot be read as a form: %s\n", m->why);
		show_paragraph(p, 0, (const char *)intake->instance.p, intake->instance.len);
	}
	return err;
}

/* ---- corrections -------------------------------------------------------------------- */

static void show_change(struct show_page *p, const struct xform *form,
                        const struct statement_change *ch, enum case_change what)
{
	char label[XFORM_LABEL_SIZE];
	const char *value = ch->is_gone ? "(taken away)" : ch->value.len == 0 ? "(blank)"
	                  : ch->value.p;
	size_t len = ch->is_gone || ch->value.len == 0 ? strlen(value) : ch->value.len;
	const char *why = case_change_why(what);

	case_view_label(form, ch->path.p, ch->path.len, p->lang, label);
	if (label[0] != '\0')
		show_labelled(p, 2, label, strlen(label), value, len);
	else
		show_labelled(p, 2, ch->path.p, ch->path.len, value, len);
	if (label[0] != '\0' && memchr(ch->path.p, '[', ch->path.len) != NULL)
		show_paragraph(p, 6, ch->path.p, ch->path.len);
	if (why[0] != '\0')
		show_labelled(p, 6, "not the answer now", 18, why, strlen(why));
}

static void show_correction(struct show_page *p, const struct case_file *f, size_t which,
                            const struct case_merged *first)
{
	const struct statement *st = f->corrections[which].st;
	const struct statement_amendment *am = &st->body.amendment;
	const struct xform *form = NULL;
	char id[65], version[33], day[16];

	snprintf(id, sizeof id, "%.*s", (int)am->form_id.len, am->form_id.p);
	snprintf(version, sizeof version, "%.*s", (int)am->form_version.len, am->form_version.p);
	if (cache_form(p->c, id, version, &form) != PERR_OK)
		form = NULL;
	cli_day(day, st->day);
	printf("\nCorrection of %s by ", day);
	cmd_print_name(p->c, st->author);
	puts(":");
	for (uint32_t i = 0; i < am->n_changes; i++)
		show_change(p, form, &am->changes[i], case_change_of(f, first, which, i));
}

enum perr show_interviews(struct show_page *p, const struct case_file *f)
{
	struct case_merged *first = NULL;
	enum perr err = PERR_OK;

	for (size_t i = 0; i < f->n_interviews && err == PERR_OK; i++) {
		const struct statement *st = f->interviews[i].st;
		struct case_merged *merged;

		putchar('\n');
		if (i > 0) {
			char day[16];

			cli_day(day, st->day);
			printf("Another interview, of %s, by ", day);
			cmd_print_name(p->c, st->author);
			puts("\n");
		}
		err = case_merge(p->c, f, i, &merged);
		p->merged = merged;
		if (err == PERR_OK)
			err = show_answers(p, f, i);
		p->merged = NULL;
		if (i == 0)
			first = merged;
		else
			case_merged_free(merged);
	}
	for (size_t i = 0; i < f->n_corrections && err == PERR_OK; i++)
		show_correction(p, f, i, first);
	case_merged_free(first);
	return err;
}

/* ---- marks: why it is urgent, what is due ------------------------------------------------ */

static bool one_urgent(void *ctx, const struct fmark *m)
{
	struct show_page *p = ctx;
	char *label, *shown;

	if (m->mark != XFORM_URGENT)
		return true;
	label = term_safe(m->label, strlen(m->label), TERM_LINE);
	shown = term_safe(m->shown, strlen(m->shown), TERM_LINE);
	if (label != NULL && shown != NULL) {
		printf("Urgent: %s%s%s\n", label, *shown == '\0' ? "" : ": ", shown);
		p->any = true;
	}
	free(label);
	free(shown);
	return true;
}

static void one_deadline(struct show_page *p, const struct marks_deadline *d)
{
	uint32_t today = client_day(p->c);
	char day[16];

	cli_day(day, d->day);
	printf("Deadline %s", day);
	if (d->day < today)
		fputs(", overdue", stdout);
	else if (d->day == today)
		fputs(", today", stdout);
	else
		printf(", in %u day%s", d->day - today, d->day - today == 1 ? "" : "s");
	if (d->label[0] != '\0') {
		fputs(": ", stdout);
		cmd_print(d->label, strlen(d->label));
	}
	putchar('\n');
}

enum perr show_marks(struct show_page *p, const struct case_file *f)
{
	struct fclock noon = { .unix_ms = ((int64_t)f->s.day * 24 + 12) * 3600000 };
	struct case_merged *merged = NULL;
	struct marks *m = calloc(1, sizeof *m);
	enum perr err = m == NULL ? PERR_NOMEM : PERR_OK;

	if (err == PERR_OK && f->n_interviews > 0)
		err = case_merge(p->c, f, 0, &merged);
	if (err == PERR_OK && merged != NULL && merged->form != NULL && merged->in != NULL) {
		err = fmark_each(merged->in, p->lang, &noon, one_urgent, p);
		if (err == PERR_OK || err == PERR_LIMIT)
			err = case_marks(f, merged, p->lang, m);
	} else if (err == PERR_OK) {
		m->n_deadlines = f->s.n_deadlines;
		memcpy(m->deadlines, f->s.deadlines, sizeof m->deadlines);
	}
	for (uint32_t i = 0; err == PERR_OK && i < m->n_deadlines; i++)
		one_deadline(p, &m->deadlines[i]);
	case_merged_free(merged);
	if (m != NULL)
		sodium_memzero(m, sizeof *m);
	free(m);
	return err;
}
