/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "case_view.h"

#include <stdlib.h>
#include <string.h>

#include "doc.h"
#include "instance.h"
#include "render.h"

/* "/data/kids[2]/age" and "/data/kids/age" */
static bool same_path(const char *a, size_t len, const char *b)
{
	size_t i = 0;

	while (i < len) {
		if (a[i] == '[') {
			while (i < len && a[i] != ']')
				i++;
			i += i < len;
		} else if (a[i] != *b) {
			return false;
		} else {
			i++;
			b++;
		}
	}
	return *b == '\0';
}

void case_view_label(const struct xform *form, const char *path, size_t len, const char *lang,
                     char *out)
{
	out[0] = '\0';
	for (unsigned i = 1; form != NULL && i <= xform_n_questions(form); i++)
		if (same_path(path, len, xform_question_path(form, i))) {
			xform_question_label(form, i, lang, out);
			return;
		}
}

/* ---- corrections ------------------------------------------------------------------------ */

enum case_view_how case_view_how(const struct merge_field *f)
{
	const char *last = strrchr(f->path, '/');

	if (f->is_kept)
		return CASE_VIEW_DOUBT;
	if (f->is_conflict)
		return CASE_VIEW_CONFLICT;
	return last != NULL && strstr(last, "[+") != NULL ? CASE_VIEW_ADDED : CASE_VIEW_CORRECTED;
}

static enum perr shown_of(const struct case_merged *m, const char *at, const char *value,
                          size_t len, const char *lang, char **out)
{
	*out = NULL;
	if (m->in == NULL || len == 0) {
		*out = strdup("");
		return *out == NULL ? PERR_NOMEM : PERR_OK;
	}
	return render_shown(m->in, at, value, len, lang, out);
}

enum perr case_view_said(const struct case_merged *m, const struct merge_field *f,
                         const struct merge_said *s, const char *lang, char **out)
{
	*out = NULL;
	return s->is_gone ? PERR_OK
	                  : shown_of(m, case_merged_patch(m, f)->at, s->value.p, s->value.len, lang,
	                             out);
}

enum perr case_view_before(const struct case_merged *m, const struct merge_field *f,
                           const char *lang, char **out)
{
	const struct fpatch *patch = case_merged_patch(m, f);

	return shown_of(m, patch->at, patch->before, strlen(patch->before), lang, out);
}

bool case_view_is_taken(const struct case_merged *m, uint32_t i)
{
	const struct merge_field *f = &m->m->fields[i];
	const struct merge_said *now = merge_now(f);

	if (m->patch[i].fate != FPATCH_DONE || (now->value.len > 0 && !now->is_gone))
		return false;
	/* one that stays in doubt has its row */
	return m->in == NULL || m->patch[i].at[0] == '\0' ||
	       instance_value(m->in, m->patch[i].at) == NULL || !f->is_kept;
}

enum perr case_view_faults(const struct case_file *f, size_t which, const struct case_merged *m,
                           const char *lang, struct faults **out)
{
	const struct statement *st = f->interviews[which].st;
	uint32_t day = st->body.intake.has_visit_day ? st->body.intake.visit_day : st->day;
	struct fclock noon = { .unix_ms = ((int64_t)day * 24 + 12) * 3600000 };
	char why[INSTANCE_WHY_SIZE];
	struct instance *in = NULL;
	struct faults *l = NULL;
	uint8_t *xml = NULL;
	size_t len = 0;
	enum perr err;

	*out = NULL;
	if (m->m->n_fields == 0 || m->form == NULL || m->in == NULL)
		return PERR_OK;
	err = fpatch_write(m->in, &xml, &len);
	if (err == PERR_OK)
		err = instance_parse(&in, m->form, xml, len, why);
	if (err == PERR_OK && (l = faults_new()) == NULL)
		err = PERR_NOMEM;
	if (err == PERR_OK)
		err = instance_check(in, INSTANCE_FULL, lang, &noon, l);
	if (err == PERR_OK) {
		*out = l;
		l = NULL;
	}
	faults_free(l);
	instance_free(in);
	doc_free(xml, len);
	return err == PERR_FORMAT || err == PERR_LIMIT ? PERR_OK : err;
}

/* ---- what happened ---------------------------------------------------------------------- */

bool case_view_is_event(const struct case_statement *s)
{
	if (s->is_unknown)
		return true;
	switch (s->st.kind) {
	case STATEMENT_ASSIGNMENT:
		return s->original->kind == STATEMENT_INTAKE;    /* corrections come with it */
	case STATEMENT_ANSWER:
	case STATEMENT_NOTE:
	case STATEMENT_STATUS:
	case STATEMENT_ERASE:
	case STATEMENT_REFERRAL:
		return true;
	case STATEMENT_INTAKE:
	case STATEMENT_AMENDMENT:
	case STATEMENT_CUSTODY:
	case STATEMENT_COPY:
	case STATEMENT_RECEIPT:
		break;
	}
	return false;
}

bool case_view_may_open(const struct client *c, const struct case_summary *s)
{
	const struct assigned *me = case_person(s, c->me->sign_pk);

	return me == NULL || me->state != ASSIGNED_RECUSED;
}
