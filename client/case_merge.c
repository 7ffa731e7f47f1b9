/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "case_merge.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cache.h"
#include "case_int.h"

#define VARIANTS_MAX 32          /* of the marks; more conflicts than a family has */

static void copy_text(char *out, size_t size, struct doc_text t)
{
	size_t n = t.len < size ? t.len : size - 1;

	memcpy(out, t.p, n);
	out[n] = '\0';
}

/* today() is the day of the interview: all readers get the same whenever they look */
static struct fclock noon_of(const struct statement *st)
{
	const struct statement_intake *in = &st->body.intake;
	uint32_t day = in->has_visit_day ? in->visit_day : st->day;

	return (struct fclock){ .unix_ms = ((int64_t)day * 24 + 12) * 3600000 };
}

/* raw answers are better than none: what cannot be read leaves *in NULL */
static enum perr parse(const struct xform *form, const struct statement_intake *intake,
                       struct instance **in, char why[INSTANCE_WHY_SIZE])
{
	enum perr err = instance_parse(in, form, intake->instance.p, intake->instance.len, why);

	return err == PERR_FORMAT || err == PERR_LIMIT ? PERR_OK : err;
}

static enum perr find_form(struct client *c, const struct statement_intake *intake,
                           const struct xform **form)
{
	char id[65], version[33];
	enum perr err;

	copy_text(id, sizeof id, intake->form_id);
	copy_text(version, sizeof version, intake->form_version);
	*form = NULL;
	err = cache_form(c, id, version, form);
	return err == PERR_NOTFOUND || err == PERR_UNKNOWN ? PERR_OK : err;
}

/*
 * Whoever amends has to be somebody: a code can be seen on a family's slip.  What came in
 * another statement was looked at by record_judge as well.
 */
static bool is_known(const struct case_source *src)
{
	return (src->by->flags & (src->by->original == NULL ? RECORD_KNOWN : RECORD_WRITER)) != 0;
}

static enum case_left judge(const struct case_source *src, const struct statement_intake *intake,
                            size_t n)
{
	const struct statement_amendment *am = &src->st->body.amendment;

	if (am->form_id.len != intake->form_id.len ||
	    memcmp(am->form_id.p, intake->form_id.p, am->form_id.len) != 0)
		return CASE_LEFT_FORM;
	if (!is_known(src))
		return CASE_LEFT_PENDING;
	return n == MERGE_MAX ? CASE_LEFT_MANY : CASE_LEFT_NOT;
}

/* what counts of each field, but of field `at` what was said in place `said` */
static void set_patches(const struct merge *m, struct fpatch *p, uint32_t at, uint32_t said)
{
	for (uint32_t i = 0; i < m->n_fields; i++) {
		const struct merge_field *f = &m->fields[i];
		const struct merge_said *s = i == at ? &f->said[said] : merge_now(f);

		p[i] = (struct fpatch){
			/* a place that is not known yet is none */
			.path = f->is_path && !f->is_waiting ? f->path : "",
			.value = s->is_gone ? NULL : s->value.p, .len = s->value.len,
			.keep = f->is_kept
		};
	}
}

enum perr case_merge(struct client *c, const struct case_file *f, size_t which,
                     struct case_merged **out)
{
	struct case_merged *m = calloc(1, sizeof *m);
	const struct statement *st;
	struct fclock noon;
	size_t n = 0;
	enum perr err = PERR_NOMEM;

	*out = NULL;
	if (which >= f->n_interviews) {
		free(m);
		return PERR_RANGE;
	}
	st = f->interviews[which].st;
	if (m == NULL)
		goto out;
	m->given = calloc(f->n_corrections + 1, sizeof *m->given);
	m->left = calloc(f->n_corrections + 1, sizeof *m->left);
	if (m->given == NULL || m->left == NULL)
		goto out;
	for (size_t i = 0; i < f->n_corrections; i++) {
		m->left[i] = judge(&f->corrections[i], &st->body.intake, n);
		if (m->left[i] != CASE_LEFT_NOT) {
			m->n_left++;
			continue;
		}
		m->given[n].st = f->corrections[i].st;
		memcpy(m->given[n++].hash, f->corrections[i].hash, 32);
	}
	err = merge_make(&m->m, m->given, n);
	if (err == PERR_OK)
		err = find_form(c, &st->body.intake, &m->form);
	if (err == PERR_OK)
		err = parse(m->form, &st->body.intake, &m->in, m->why);
	if (err != PERR_OK)
		goto out;
	m->patch = calloc(m->m->n_fields + 1, sizeof *m->patch);
	if (m->patch == NULL) {
		err = PERR_NOMEM;
		goto out;
	}
	set_patches(m->m, m->patch, m->m->n_fields, 0);
	noon = noon_of(st);
	if (m->m->n_fields > 0 && m->in != NULL)
		err = fpatch_apply(m->in, m->patch, m->m->n_fields, &noon);
	else
		for (uint32_t i = 0; i < m->m->n_fields; i++) {
			m->patch[i].fate = FPATCH_UNKNOWN;
			m->patch[i].before = m->patch[i].at = "";
		}
	m->is_endless = err == PERR_LIMIT;
	err = err == PERR_LIMIT ? PERR_OK : err;
	for (uint32_t i = 0; i < m->m->n_fields; i++)
		m->n_conflicts += m->m->fields[i].is_conflict;
	if (err == PERR_OK) {
		*out = m;
		m = NULL;
	}
out:
	case_merged_free(m);
	return err;
}

void case_merged_free(struct case_merged *m)
{
	if (m == NULL)
		return;
	instance_free(m->in);
	merge_free(m->m);
	free(m->patch);
	free(m->given);
	free(m->left);
	sodium_memzero(m, sizeof *m);
	free(m);
}

const struct merge_field *case_merged_at(const struct case_merged *m, const char *path)
{
	for (uint32_t i = 0; i < m->m->n_fields; i++)
		if (m->patch[i].fate == FPATCH_DONE && m->patch[i].at[0] != '\0' &&
		    strcmp(m->patch[i].at, path) == 0)
			return &m->m->fields[i];
	return NULL;
}

const struct fpatch *case_merged_patch(const struct case_merged *m, const struct merge_field *f)
{
	return &m->patch[f - m->m->fields];
}

const struct statement *case_merged_by(const struct case_merged *m, const struct merge_said *s)
{
	return m->m->at[s->by]->st;
}

/* ---- each change ----------------------------------------------------------------------- */

static enum case_change of_field(const struct merge_field *f, const struct merge_said *s,
                                 enum fpatch_fate fate)
{
	if (f->is_waiting)
		return CASE_CHANGE_WAITING;
	if (!s->stands)
		return CASE_CHANGE_REPLACED;
	switch (fate) {
	case FPATCH_DONE:
		break;
	case FPATCH_UNKNOWN:
		return CASE_CHANGE_UNKNOWN;
	case FPATCH_COMPUTED:
		return CASE_CHANGE_COMPUTED;
	case FPATCH_NO_PLACE:
		return CASE_CHANGE_NO_PLACE;
	case FPATCH_TAKEN_OUT:
		return CASE_CHANGE_TAKEN_OUT;
	}
	return f->is_conflict ? CASE_CHANGE_CONFLICT : CASE_CHANGE_COUNTS;
}

enum case_change case_change_of(const struct case_file *f, const struct case_merged *merged,
                                size_t which, uint32_t nth)
{
	if (merged == NULL)
		return CASE_CHANGE_WAITING;
	switch (merged->left[which]) {
	case CASE_LEFT_NOT:
		break;
	case CASE_LEFT_PENDING:
		return CASE_CHANGE_PENDING;
	case CASE_LEFT_FORM:
		return CASE_CHANGE_FORM;
	case CASE_LEFT_MANY:
		return CASE_CHANGE_MANY;
	}
	for (uint32_t i = 0; i < merged->m->n_fields; i++) {
		const struct merge_field *x = &merged->m->fields[i];

		for (uint32_t s = 0; s < x->n_said; s++)
			if (x->said[s].nth == nth &&
			    memcmp(merged->m->at[x->said[s].by]->hash, f->corrections[which].hash, 32) == 0)
				return of_field(x, &x->said[s], merged->patch[i].fate);
	}
	return CASE_CHANGE_UNKNOWN;
}

static const struct {
	const char *text, *why;
} change_texts[] = {
	[CASE_CHANGE_COUNTS]    = { "counts", "" },
	[CASE_CHANGE_CONFLICT]  = { "conflict", "another correction says otherwise" },
	[CASE_CHANGE_REPLACED]  = { "replaced", "a later correction replaced it" },
	[CASE_CHANGE_UNKNOWN]   = { "unknown question", "the form of the interview has no such question" },
	[CASE_CHANGE_COMPUTED]  = { "calculated", "it is calculated from other answers" },
	[CASE_CHANGE_NO_PLACE]  = { "no such place", "the interview has not so many of these" },
	[CASE_CHANGE_TAKEN_OUT] = { "taken out", "it stands in one that was taken out" },
	[CASE_CHANGE_WAITING]   = { "waiting", "what it belongs to has not arrived yet" },
	[CASE_CHANGE_PENDING]   = { "pending", "who sent it is not enrolled (yet)" },
	[CASE_CHANGE_FORM]      = { "another form", "it is for another form than the interview's" },
	[CASE_CHANGE_MANY]      = { "too many", "there are more corrections than can be merged" },
};

const char *case_change_text(enum case_change c)
{
	return change_texts[c].text;
}

const char *case_change_why(enum case_change c)
{
	return change_texts[c].why;
}

/* ---- marks ---------------------------------------------------------------------------- */

static void add_marks(struct marks *m, const struct marks *other)
{
	m->urgent = m->urgent || other->urgent;
	for (uint32_t i = 0; i < other->n_deadlines; i++) {
		const struct marks_deadline *d = &other->deadlines[i];
		uint32_t at = 0, same = 0;

		for (; same < m->n_deadlines; same++)
			if (m->deadlines[same].day == d->day &&
			    strcmp(m->deadlines[same].label, d->label) == 0)
				break;
		if (same < m->n_deadlines || m->n_deadlines == MARKS_DEADLINES_MAX)
			continue;
		while (at < m->n_deadlines && m->deadlines[at].day <= d->day)
			at++;
		memmove(&m->deadlines[at + 1], &m->deadlines[at],
		        (m->n_deadlines - at) * sizeof m->deadlines[0]);
		m->deadlines[at] = *d;
		m->n_deadlines++;
	}
	if (other->deadline != 0 && (m->deadline == 0 || other->deadline < m->deadline))
		m->deadline = other->deadline;
}

/* the marks if what was said in this place were the answer */
static enum perr one_variant(const struct statement *st, const struct case_merged *merged,
                             uint32_t at, uint32_t said, const char *lang, struct marks *m)
{
	struct fpatch *p = calloc(merged->m->n_fields, sizeof *p);
	struct fclock noon = noon_of(st);
	char why[INSTANCE_WHY_SIZE];
	struct instance *in = NULL;
	struct marks *other = calloc(1, sizeof *other);
	enum perr err = p == NULL || other == NULL ? PERR_NOMEM
	              : parse(merged->form, &st->body.intake, &in, why);

	if (err == PERR_OK && in != NULL) {
		set_patches(merged->m, p, at, said);
		err = fpatch_apply(in, p, merged->m->n_fields, &noon);
		if (err == PERR_OK || err == PERR_LIMIT)
			err = marks_read(other, merged->form, in, (uint32_t)(noon.unix_ms / 86400000), lang);
		if (err == PERR_OK)
			add_marks(m, other);
	}
	instance_free(in);
	free(p);
	if (other != NULL)
		sodium_memzero(other, sizeof *other);
	free(other);
	return err;
}

enum perr case_marks(const struct case_file *f, const struct case_merged *merged,
                     const char *lang, struct marks *m)
{
	const struct statement *st = f->interviews[0].st;
	unsigned variants = 0;
	enum perr err = PERR_OK;

	memset(m, 0, sizeof *m);
	if (merged->form == NULL || merged->in == NULL)
		return PERR_OK;
	err = marks_read(m, merged->form, merged->in, f->s.day, lang);
	for (uint32_t i = 0; i < merged->m->n_fields && err == PERR_OK; i++) {
		const struct merge_field *x = &merged->m->fields[i];

		if (!x->is_conflict || merged->patch[i].fate != FPATCH_DONE)
			continue;
		for (uint32_t s = 0; s + 1 < x->n_said && err == PERR_OK; s++)
			if (x->said[s].stands && variants++ < VARIANTS_MAX)
				err = one_variant(st, merged, i, s, lang, m);
	}
	return err;
}
