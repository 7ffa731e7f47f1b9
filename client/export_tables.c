/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "export_tables.h"

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
#include "instance.h"
#include "roster.h"

#define NAME_OF 140              /* client_name_of */
#define PEOPLE_SIZE (CASE_PEOPLE_MAX * (NAME_OF + 2))

static const char *const columns[] = {
	"CaseCode", "InterviewDay", "Language", "Desk", "Author", "State", "AssignedTo", "Urgent",
	"Deadline", "AttachmentsPresent", "AttachmentsExpected", "Edits", "Corrected", "Conflicts"
};
#define N_COLUMNS (sizeof columns / sizeof columns[0])

struct form_tables {
	char id[65];
	struct fexport *x;
	const struct xform *forms[ROSTER_FORMS_MAX];  /* held: cache.h */
	size_t n_forms;
	struct form_tables *next;
};

struct export_tables {
	struct client *c;
	unsigned flags;
	const char *lang;
	struct form_tables *forms, **last;
	struct fbuf corrections;
};

enum perr export_tables_new(struct export_tables **out, struct client *c, unsigned flags,
                            const char *lang)
{
	struct export_tables *x = calloc(1, sizeof *x);

	*out = x;
	if (x == NULL)
		return PERR_NOMEM;
	x->c = c;
	x->flags = flags | FEXPORT_OTHER;
	x->lang = lang;
	x->last = &x->forms;
	fbuf_text(&x->corrections, "CaseCode,Day,Author,FormVersion,Path,Change,Value,State\n");
	return PERR_OK;
}

static void tables_free(struct client *c, struct form_tables *t)
{
	if (t == NULL)
		return;
	fexport_free(t->x);
	for (size_t i = 0; i < t->n_forms; i++)
		cache_form_drop(c, t->forms[i]);
	free(t);
}

void export_tables_free(struct export_tables *x)
{
	struct form_tables *t, *next;

	if (x == NULL)
		return;
	for (t = x->forms; t != NULL; t = next) {
		next = t->next;
		tables_free(x->c, t);
	}
	fbuf_drop(&x->corrections);
	free(x);
}

/* ---- which form ------------------------------------------------------------------------- */

/* The tables of a form, with all its versions that are here, newest first. */
static enum perr tables_of(struct export_tables *x, const char *id, struct fexport **out)
{
	const struct roster_field *f = x->c->field;
	struct form_tables *t;
	enum perr err = PERR_OK;

	for (t = x->forms; t != NULL; t = t->next)
		if (strcmp(t->id, id) == 0) {
			*out = t->x;
			return PERR_OK;
		}
	t = calloc(1, sizeof *t);
	if (t == NULL)
		return PERR_NOMEM;
	snprintf(t->id, sizeof t->id, "%s", id);
	/* the roster lists them in the order they were published */
	for (uint32_t i = f == NULL ? 0 : f->n_forms; i > 0 && err == PERR_OK; i--) {
		if (strcmp(f->forms[i - 1].id, id) != 0)
			continue;
		err = cache_form_hold(x->c, id, f->forms[i - 1].version, &t->forms[t->n_forms]);
		if (err == PERR_OK)
			t->n_forms++;
		else if (err == PERR_NOTFOUND || err == PERR_UNKNOWN)
			err = PERR_OK;
	}
	if (err == PERR_OK) {
		t->x = fexport_new_versions(id, t->forms, t->n_forms, x->flags, x->lang);
		err = t->x == NULL ? PERR_NOMEM : PERR_OK;
	}
	if (err != PERR_OK) {
		tables_free(x->c, t);
		return err;
	}
	fexport_more(t->x, columns, N_COLUMNS);
	*x->last = t;
	x->last = &t->next;
	*out = t->x;
	return PERR_OK;
}

/* ---- rows ------------------------------------------------------------------------------- */

static void day_text(char out[FDATE_SIZE], uint32_t day)
{
	out[0] = '\0';
	if (day != 0)
		fdate_write(out, (double)day, false, 0);
}

struct more {
	const char *at[N_COLUMNS];
	char code[CASE_CODE_SHOWN + 1], day[FDATE_SIZE], deadline[FDATE_SIZE];
	char language[17], desk[CHARTER_NAME_MAX + 1], author[NAME_OF];
	char people[PEOPLE_SIZE];
	char here[24], expected[24], edits[24];
	char *corrected, *conflicts;     /* paths, a blank between */
};

static char *paths_of(const struct case_merged *m, bool conflicts)
{
	size_t room = 1, len = 0;
	char *out;

	for (uint32_t i = 0; i < m->m->n_fields; i++)
		room += strlen(m->m->fields[i].path) + 1;
	out = calloc(1, room);
	for (uint32_t i = 0; out != NULL && i < m->m->n_fields; i++) {
		const struct merge_field *f = &m->m->fields[i];

		if (conflicts ? !f->is_conflict : m->patch[i].fate != FPATCH_DONE)
			continue;
		len += (size_t)sprintf(out + len, "%s%s", len == 0 ? "" : " ", f->path);
	}
	return out;
}

static void fill_more(struct more *m, struct export_tables *x, const struct case_file *f,
                      const struct statement *st)
{
	const struct case_summary *s = &f->s;
	const struct marks_deadline *next = case_deadline(s, client_day(x->c));
	const struct desk *desk;
	size_t n_here = 0, len = 0;

	for (size_t i = 0; i < f->n_attachments; i++)
		n_here += f->attachments[i].is_here;
	case_code_show(m->code, s->code);
	day_text(m->day, st->day);
	day_text(m->deadline, next == NULL ? 0 : next->day);
	snprintf(m->language, sizeof m->language, "%.*s", (int)st->body.intake.language.len,
	         st->body.intake.language.p);
	snprintf(m->desk, sizeof m->desk, "%s",
	         cache_desk(x->c, s->desk, &desk) == PERR_OK ? desk->now.name : "");
	client_name_of(x->c, st->author, m->author, sizeof m->author);
	m->people[0] = '\0';
	for (uint32_t i = 0; i < s->n_people && len < sizeof m->people; i++) {
		char who[NAME_OF];

		if (!assigned_has_it(s->people[i].state))
			continue;

		client_name_of(x->c, s->people[i].key, who, sizeof who);
		len += (size_t)snprintf(m->people + len, sizeof m->people - len, "%s%s",
		                        len == 0 ? "" : "; ", who);
	}
	snprintf(m->here, sizeof m->here, "%zu", n_here);
	snprintf(m->expected, sizeof m->expected, "%zu", f->n_attachments);
	snprintf(m->edits, sizeof m->edits, "%zu", f->n_corrections);
	m->at[0] = m->code;
	m->at[1] = m->day;
	m->at[2] = m->language;
	m->at[3] = m->desk;
	m->at[4] = m->author;
	m->at[5] = case_state_text(s->state);
	m->at[6] = m->people;
	m->at[7] = s->urgent ? "yes" : "";
	m->at[8] = m->deadline;
	m->at[9] = m->here;
	m->at[10] = m->expected;
	m->at[11] = m->edits;
	m->at[12] = m->corrected;
	m->at[13] = m->conflicts;
}

static enum perr add_answers(struct export_tables *x, struct fexport *tables,
                             const struct case_merged *merged, const struct more *m)
{
	char why[INSTANCE_WHY_SIZE];
	struct instance *in = NULL;
	uint8_t *xml = NULL;
	size_t len = 0;
	enum perr err = fexport_add_with(tables, merged->in, m->code, m->at);

	/* a version published while this ran has no columns yet: its answers are kept as others */
	if (err != PERR_STATE || merged->form == NULL)
		return err;
	err = fpatch_write(merged->in, &xml, &len);
	if (err == PERR_OK)
		err = instance_parse(&in, NULL, xml, len, why);
	if (err == PERR_OK)
		err = fexport_add_with(tables, in, m->code, m->at);
	instance_free(in);
	doc_free(xml, len);
	return err;
}

static enum perr add_interview(struct export_tables *x, const struct case_file *f, size_t which,
                               const struct case_merged *merged, struct more *m,
                               unsigned *n_unreadable)
{
	const struct statement *st = f->interviews[which].st;
	const struct statement_intake *intake = &st->body.intake;
	struct fexport *tables = NULL;
	char id[65];
	enum perr err;

	snprintf(id, sizeof id, "%.*s", (int)intake->form_id.len, intake->form_id.p);
	err = tables_of(x, id, &tables);
	if (err != PERR_OK)
		return err;
	if (merged->in == NULL) {
		(*n_unreadable)++;
		return PERR_OK;
	}
	m->corrected = paths_of(merged, false);
	m->conflicts = paths_of(merged, true);
	err = m->corrected == NULL || m->conflicts == NULL ? PERR_NOMEM : PERR_OK;
	if (err == PERR_OK) {
		fill_more(m, x, f, st);
		err = add_answers(x, tables, merged, m);
	}
	free(m->corrected);
	free(m->conflicts);
	return err;
}

/* A field that a spreadsheet would take for a formula is kept a text, as in fexport. */
static void field(struct export_tables *x, const char *s, bool is_last)
{
	bool formula = (x->flags & FEXPORT_SAFE) && *s != '\0' && strchr("=+-@\t\r", *s) != NULL;
	char *safe = NULL;

	if (formula && asprintf(&safe, "'%s", s) < 0) {
		safe = NULL;
		x->corrections.is_broken = true;
	}
	fbuf_csv(&x->corrections, safe != NULL ? safe : s);
	fbuf_text(&x->corrections, is_last ? "\n" : ",");
	if (safe != NULL)
		sodium_memzero(safe, strlen(safe));
	free(safe);
}

static void text_field(struct export_tables *x, struct doc_text t, bool is_last)
{
	char *s = malloc(t.len + 1);

	if (s == NULL) {
		x->corrections.is_broken = true;
		return;
	}
	if (t.len > 0)
		memcpy(s, t.p, t.len);
	s[t.len] = '\0';
	field(x, s, is_last);
	sodium_memzero(s, t.len);
	free(s);
}

static void add_correction(struct export_tables *x, const struct case_file *f, size_t which,
                           const struct case_merged *merged)
{
	const struct statement *st = f->corrections[which].st;
	const struct statement_amendment *am = &st->body.amendment;
	char code[CASE_CODE_SHOWN + 1], day[FDATE_SIZE], author[NAME_OF];

	case_code_show(code, f->s.code);
	day_text(day, st->day);
	client_name_of(x->c, st->author, author, sizeof author);
	for (uint32_t i = 0; i < am->n_changes; i++) {
		field(x, code, false);
		field(x, day, false);
		field(x, author, false);
		text_field(x, am->form_version, false);
		text_field(x, am->changes[i].path, false);
		field(x, am->changes[i].is_gone ? "taken away" : "answer", false);
		text_field(x, am->changes[i].value, false);
		field(x, case_change_text(case_change_of(f, merged, which, i)), true);
	}
}

enum perr export_tables_add(struct export_tables *x, const struct case_file *f,
                            unsigned *n_unreadable)
{
	struct case_merged *first = NULL;
	struct more *m = malloc(sizeof *m);
	enum perr err = m == NULL ? PERR_NOMEM : PERR_OK;

	*n_unreadable = 0;
	for (size_t i = 0; i < f->n_interviews && err == PERR_OK; i++) {
		struct case_merged *merged;

		err = case_merge(x->c, f, i, &merged);
		if (err == PERR_OK)
			err = add_interview(x, f, i, merged, m, n_unreadable);
		if (i == 0)
			first = merged;
		else
			case_merged_free(merged);
	}
	for (size_t i = 0; i < f->n_corrections && err == PERR_OK; i++)
		add_correction(x, f, i, first);
	case_merged_free(first);
	if (m != NULL)
		sodium_memzero(m, sizeof *m);
	free(m);
	return err == PERR_OK && x->corrections.is_broken ? PERR_NOMEM : err;
}

/* Names that stand already: forms "a b" and "a_b" have one name, form "a-b" that of a's repeat. */
struct names {
	char (*at)[EXPORT_NAME_MAX + 60];
	size_t n, room;
};

static const char *own_name(struct names *l, const char *name)
{
	const char *dot = strrchr(name, '.');
	int stem = dot == NULL ? (int)strlen(name) : (int)(dot - name);

	if (l->n == l->room) {
		size_t room = l->room == 0 ? 32 : 2 * l->room;
		void *more = realloc(l->at, room * sizeof *l->at);

		if (more == NULL)
			return NULL;
		l->at = more;
		l->room = room;
	}
	snprintf(l->at[l->n], sizeof l->at[0], "%s", name);
	for (size_t i = 0, k = 2; i < l->n; i++)
		if (strcasecmp(l->at[i], l->at[l->n]) == 0) {
			snprintf(l->at[l->n], sizeof l->at[0], "%.*s~%zu%s", stem, name, k++,
			         dot == NULL ? "" : dot);
			i = SIZE_MAX;    /* from the first one again */
		}
	return l->at[l->n++];
}

enum perr export_tables_write(struct export_tables *x, const struct export_sink *sink,
                              unsigned *n_files)
{
	struct names names = { .n = 0 };
	const char *name = own_name(&names, "corrections.csv");
	enum perr err = name == NULL ? PERR_NOMEM
	    : sink->file(sink->ctx, "", name, x->corrections.bytes, x->corrections.len);

	*n_files = 1;
	for (struct form_tables *t = x->forms; t != NULL; t = t->next)
		for (size_t i = 0; i < fexport_n_tables(t->x) && err == PERR_OK; i++) {
			size_t len;
			const uint8_t *bytes = fexport_bytes(t->x, i, &len);

			name = own_name(&names, fexport_name(t->x, i));
			err = name == NULL ? PERR_NOMEM
			    : sink->file(sink->ctx, "", name, bytes, len);
			(*n_files)++;
		}
	free(names.at);
	return err;
}
