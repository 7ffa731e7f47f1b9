/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "interview.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cache.h"
#include "fold.h"
#include "instance.h"
#include "marks.h"
#include "roster.h"

/* ---- beginning and end -------------------------------------------------------------------- */

enum perr interview_new(struct interview *iv, struct client *c, bool is_paper, int tz_min)
{
	memset(iv, 0, sizeof *iv);
	iv->c = c;
	iv->tz_min = tz_min;
	iv->d = draft_new();
	if (iv->d == NULL)
		return PERR_NOMEM;
	iv->d->head.day = client_day(c);
	iv->d->head.is_paper = is_paper;
	return PERR_OK;
}

void interview_free(struct interview *iv)
{
	fill_free(iv->s);
	draft_free(iv->d);
	cache_form_drop(iv->c, iv->form);
	iv->s = NULL;
	iv->d = NULL;
	iv->form = NULL;
}

enum perr interview_load(struct interview *iv)
{
	cache_form_drop(iv->c, iv->form);
	return cache_form_hold(iv->c, iv->d->head.form_id, iv->d->head.form_version, &iv->form);
}

void interview_choose_lang(struct interview *iv, const char *want)
{
	struct draft_head *h = &iv->d->head;
	bool is_any = want == NULL || want[0] == '\0';
	const char *lang = is_any ? "" : want;

	if (xform_n_langs(iv->form) > 0)
		lang = xform_lang_code(iv->form, xform_find_lang(iv->form, is_any ? NULL : want));
	/* statements have 16 bytes for it */
	if (lang != h->lang)
		snprintf(h->lang, sizeof h->lang, "%.16s", lang);
}

static void env_random(void *ctx, uint8_t *out, size_t n)
{
	struct client *c = ctx;

	rng_fill(c->env.rng, out, n);
}

struct fill_env interview_env(const struct interview *iv)
{
	const struct draft_head *h = &iv->d->head;

	return (struct fill_env){
		.lang = h->lang[0] == '\0' ? NULL : h->lang,
		.now = intake_clock(iv->c, iv->d->visit_day, iv->tz_min),
		.random = env_random, .random_ctx = iv->c,
	};
}

enum perr interview_open(struct interview *iv, char why[FILL_WHY_SIZE])
{
	struct fill_env env = interview_env(iv);

	if (iv->d->answers == NULL)
		return fill_new(&iv->s, iv->form, &env, why);
	return fill_open(&iv->s, iv->form, &env, iv->d->answers, iv->d->answers_len, why);
}

void interview_speak(struct interview *iv, const char *lang)
{
	fill_set_lang(iv->s, lang[0] == '\0' ? NULL : lang);
	if (lang != iv->d->head.lang)
		snprintf(iv->d->head.lang, sizeof iv->d->head.lang, "%.16s", lang);
}

const char *interview_lang(const struct interview *iv)
{
	const char *lang = iv->d->head.lang;

	if (xform_n_langs(iv->form) == 0)
		return lang;
	return xform_lang_code(iv->form, xform_find_lang(iv->form, lang[0] == '\0' ? NULL : lang));
}

void interview_clock(struct interview *iv)
{
	struct fclock now = intake_clock(iv->c, iv->d->visit_day, iv->tz_min);

	fill_set_now(iv->s, &now);
}

const struct roster_form *interview_entry(const struct interview *iv)
{
	return cache_form_entry(iv->c, iv->d->head.form_id, iv->d->head.form_version);
}

enum perr interview_readers(struct interview *iv, struct dispatch_readers *r,
                            char why[DISPATCH_WHY])
{
	const struct roster_form *entry = interview_entry(iv);

	memset(r, 0, sizeof *r);
	why[0] = '\0';
	return entry == NULL ? PERR_NOTFOUND : dispatch_desk(iv->c, entry->desk, true, r, why);
}

/* ---- keeping -------------------------------------------------------------------------------- */

struct count {
	uint32_t answers;
	size_t files;
};

static bool count_one(void *arg, const struct fill_step *step)
{
	struct count *n = arg;

	n->answers += step->kind == FILL_QUESTION && step->value[0] != '\0';
	n->files += step->kind == FILL_QUESTION && step->type == FILL_FILE && step->value[0] != '\0';
	return true;
}

enum perr interview_save(struct interview *iv, bool must)
{
	struct draft *d = iv->d;
	struct count n = { 0 };
	uint8_t *bytes = NULL;
	size_t len = 0;
	enum perr err;

	if (!must && d->head.number == 0)
		return PERR_OK;
	err = fill_review(iv->s, count_one, &n);
	if (err == PERR_OK)
		err = fill_draft(iv->s, &bytes, &len);
	d->head.n_answers = n.answers;
	if (err == PERR_OK && (must || d->answers == NULL || len != d->answers_len ||
	                       memcmp(bytes, d->answers, len) != 0))
		err = draft_save(iv->c->kv, d, bytes, len);
	if (bytes != NULL)
		sodium_memzero(bytes, len);
	free(bytes);
	return err;
}

enum perr interview_revert(struct interview *iv)
{
	struct draft_head head = iv->d->head;
	struct draft *d = NULL;
	char why[FILL_WHY_SIZE];
	enum perr err = PERR_OK;

	fill_free(iv->s);
	iv->s = NULL;
	if (head.number != 0)
		err = draft_open(iv->c->kv, head.number, &d);
	else if ((d = draft_new()) == NULL)
		err = PERR_NOMEM;
	else
		d->head = head;
	if (err != PERR_OK)
		return err;
	draft_free(iv->d);
	iv->d = d;
	err = interview_load(iv);
	if (err != PERR_OK)
		return err;
	err = interview_open(iv, why);
	sodium_memzero(why, sizeof why);         /* it may quote an answer of the draft */
	return err;
}

/* ---- from step to step --------------------------------------------------------------------- */

bool interview_is_silent(const struct fill_step *step)
{
	return step->kind == FILL_NOTE && step->label[0] == '\0' && step->value[0] == '\0';
}

enum perr interview_step(struct interview *iv, struct fill_step *step)
{
	enum perr err = fill_current(iv->s, step);

	while (err == PERR_OK && interview_is_silent(step)) {
		err = iv->is_back ? fill_back(iv->s) : fill_next(iv->s);
		if (err == PERR_NOTFOUND && iv->is_back) {
			iv->is_back = false;
			err = fill_next(iv->s);
		}
		if (err == PERR_OK || err == PERR_NOTFOUND)
			err = fill_current(iv->s, step);
	}
	return err;
}

enum perr interview_next(struct interview *iv)
{
	enum perr err;

	iv->is_back = false;
	if (iv->d->from_review) {
		iv->d->from_review = false;
		err = fill_jump_end(iv->s);
	} else {
		err = fill_next(iv->s);
	}
	return err == PERR_NOTFOUND ? PERR_OK : err;
}

enum perr interview_back(struct interview *iv)
{
	enum perr err = fill_back(iv->s);

	iv->d->from_review = false;
	iv->is_back = err == PERR_OK;
	return err;
}

enum perr interview_answer(struct interview *iv, const char *text, size_t len,
                           char why[FILL_WHY_SIZE])
{
	struct fill_step step;
	unsigned total;
	enum perr err = fill_current(iv->s, &step);

	why[0] = '\0';
	if (err != PERR_OK)
		return err;
	total = step.total;
	err = fill_answer(iv->s, text, len, why);
	if (err == PERR_OK && iv->d->from_review && fill_current(iv->s, &step) == PERR_OK &&
	    step.total > total)
		iv->d->from_review = false;
	return err;
}

enum perr interview_clear(struct interview *iv, char why[FILL_WHY_SIZE])
{
	struct fill_step step;
	char *name = NULL;
	enum perr err = fill_current(iv->s, &step);

	why[0] = '\0';
	if (err != PERR_OK)
		return err;
	if (step.kind == FILL_QUESTION && step.type == FILL_FILE) {
		name = strdup(step.value);
		if (name == NULL)
			return PERR_NOMEM;
	}
	err = fill_answer(iv->s, "", 0, why);
	if (err == PERR_OK && name != NULL)
		draft_detach(iv->d, name);
	free(name);
	return err;
}

struct inside {
	struct interview *iv;
	const char *path;
	size_t len;
};

static bool detach_row(void *arg, const struct fill_step *step)
{
	struct inside *in = arg;

	if (step->type == FILL_FILE && strncmp(step->path, in->path, in->len) == 0 &&
	    step->value[0] != '\0')
		draft_detach(in->iv->d, step->value);
	return true;
}

static bool undo_row(void *arg, const struct fill_step *step)
{
	struct inside *in = arg;

	if (step->type == FILL_FILE && step->value[0] != '\0')
		draft_undo_detach(in->iv->d, step->value);
	return true;
}

enum perr interview_remove(struct interview *iv, const char *path)
{
	struct inside in = { .iv = iv, .path = path, .len = strlen(path) };
	enum perr err = path[0] == '\0' ? PERR_STATE : fill_review(iv->s, detach_row, &in);

	if (err == PERR_OK)
		err = fill_remove_repeat(iv->s, path);
	/* still there, and so are its files */
	if (err == PERR_STATE && path[0] != '\0' && fill_review(iv->s, undo_row, &in) != PERR_OK)
		return PERR_NOMEM;
	if (err == PERR_OK)
		iv->d->from_review = false;
	return err;
}

/* ---- files ----------------------------------------------------------------------------------- */

size_t interview_scans(const struct interview *iv)
{
	size_t n = 0;

	for (size_t i = 0; i < iv->d->n_files; i++)
		n += iv->d->files[i].is_scan && !iv->d->files[i].is_gone;
	return n;
}

enum perr interview_room(struct interview *iv, size_t *has, size_t *max)
{
	uint32_t limit = iv->c->field->limits.attachments;
	struct count n = { 0 };
	struct fill_step step;
	enum perr err = fill_review(iv->s, count_one, &n);

	*max = limit < DRAFT_FILES_MAX ? limit : DRAFT_FILES_MAX;
	*has = n.files + interview_scans(iv);
	/* the one that this answer has already makes room for the new one */
	if (err == PERR_OK && fill_current(iv->s, &step) == PERR_OK && step.type == FILL_FILE &&
	    step.kind == FILL_QUESTION && step.value[0] != '\0')
		--*has;
	return err;
}

static enum perr attach_answer(struct interview *iv, const char *wish, const uint8_t *data,
                               size_t len, char name[DRAFT_NAME_MAX + 1], char why[FILL_WHY_SIZE])
{
	char undo[FILL_WHY_SIZE], *old;
	struct fill_step step;
	enum perr err = fill_current(iv->s, &step);

	if (err != PERR_OK)
		return err;
	if (step.kind != FILL_QUESTION || step.type != FILL_FILE)
		return PERR_STATE;
	old = strdup(step.value);
	if (old == NULL)
		return PERR_NOMEM;
	/*
	 * The file it had goes with the save that brings the new one, and leaves its name:
	 * the same photograph given twice is the same answer.
	 */
	draft_detach(iv->d, old);
	draft_name(iv->d, wish, name);
	err = interview_answer(iv, name, strlen(name), why);
	if (err == PERR_OK) {
		err = draft_attach(iv->d, name, data, len, false);
		/* the answer that stood there was accepted before */
		if (err != PERR_OK && fill_answer(iv->s, old, strlen(old), undo) != PERR_OK)
			err = PERR_NOMEM;
	}
	if (err != PERR_OK)
		draft_undo_detach(iv->d, old);
	free(old);
	return err;
}

enum perr interview_attach(struct interview *iv, const char *wish, const uint8_t *data, size_t len,
                           bool is_scan, char name[DRAFT_NAME_MAX + 1], char why[FILL_WHY_SIZE])
{
	why[0] = '\0';
	if (!is_scan)
		return attach_answer(iv, wish, data, len, name, why);
	draft_name(iv->d, wish, name);
	return draft_attach(iv->d, name, data, len, true);
}

void interview_unattach(struct interview *iv, const char *name)
{
	draft_detach(iv->d, name);
}

/* ---- paper ------------------------------------------------------------------------------------ */

enum perr interview_visit(struct interview *iv, int64_t day)
{
	/* a day ahead may be today here and tomorrow in UTC, not more */
	if (day < 1 || day > (int64_t)client_day(iv->c) + 1)
		return PERR_RANGE;
	iv->d->visit_day = (uint32_t)day;
	interview_clock(iv);
	return PERR_OK;
}

enum perr interview_transcriber(struct interview *iv, const char *name)
{
	size_t len = strlen(name);

	if (len == 0 || len >= sizeof iv->d->transcriber || !fold_is_text(name, len))
		return PERR_RANGE;
	memcpy(iv->d->transcriber, name, len + 1);
	return PERR_OK;
}

bool interview_paper_ready(const struct interview *iv)
{
	return !iv->d->head.is_paper || (iv->d->visit_day != 0 && iv->d->transcriber[0] != '\0' &&
	                                 iv->d->has_scans);
}

enum perr interview_is_urgent(struct interview *iv, bool *urgent)
{
	uint32_t day = iv->d->visit_day != 0 ? iv->d->visit_day : client_day(iv->c);
	char why[INSTANCE_WHY_SIZE];
	struct instance *in = NULL;
	struct marks m = { .urgent = false };
	uint8_t *xml = NULL;
	size_t len = 0;
	enum perr err = fill_submission(iv->s, &xml, &len);

	*urgent = false;
	if (err == PERR_OK)
		err = instance_parse(&in, iv->form, xml, len, why);
	if (err == PERR_OK)
		err = marks_read(&m, iv->form, in, day, NULL);
	if (err == PERR_OK)
		*urgent = m.urgent;
	instance_free(in);
	if (xml != NULL)
		sodium_memzero(xml, len);
	free(xml);
	sodium_memzero(why, sizeof why);
	sodium_memzero(&m, sizeof m);
	return err;
}

/* ---- sealing ----------------------------------------------------------------------------------- */

struct names {
	const struct draft *d;
	bool is_named[DRAFT_FILES_MAX];
};

static bool name_row(void *arg, const struct fill_step *step)
{
	struct names *n = arg;

	for (size_t i = 0; step->type == FILL_FILE && i < n->d->n_files; i++)
		if (strcmp(n->d->files[i].name, step->value) == 0)
			n->is_named[i] = true;
	return true;
}

struct sealing {
	struct interview *iv;
	struct intake in;
	struct intake_file files[DRAFT_FILES_MAX];
	uint8_t *data[DRAFT_FILES_MAX];
	uint8_t *xml;
};

static void sealing_free(struct sealing *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < DRAFT_FILES_MAX; i++)
		kv_free(s->data[i]);
	if (s->xml != NULL)
		sodium_memzero(s->xml, s->in.xml_len);
	free(s->xml);
	free(s);
}

/* the draft goes in the batch that seals: never both, never neither */
static enum perr replace_draft(void *ctx, const struct intake_receipt *r)
{
	struct interview *iv = ctx;

	return draft_finish(iv->c->kv, iv->d, r->code, r->desk_name);
}

static enum perr gather(struct interview *iv, struct sealing *s)
{
	struct draft *d = iv->d;
	struct names names = { .d = d };
	enum perr err = fill_review(iv->s, name_row, &names);

	for (size_t i = 0; i < d->n_files && err == PERR_OK; i++) {
		const struct draft_file *file = &d->files[i];
		size_t n = s->in.n_files;

		if (file->is_gone || (!file->is_scan && !names.is_named[i]))
			continue;
		err = draft_read(iv->c->kv, d, file->name, &s->data[n], &s->files[n].len);
		s->files[n].name = file->name;
		s->files[n].data = s->data[n];
		s->files[n].is_scan = file->is_scan;
		s->in.n_files++;
	}
	if (err == PERR_OK)
		err = fill_submission(iv->s, &s->xml, &s->in.xml_len);
	s->in.files = s->files;
	s->in.xml = s->xml;
	s->in.language = d->head.lang;
	s->in.form_id = d->head.form_id;
	s->in.visit_day = d->visit_day;
	s->in.transcriber = d->transcriber;
	s->in.tz_min = iv->tz_min;
	s->in.allow_replaced = true;
	s->in.in_batch = replace_draft;
	s->in.in_batch_ctx = iv;
	return err;
}

enum perr interview_seal(struct interview *iv, struct intake_receipt *r, char why[DISPATCH_WHY])
{
	struct sealing *s = calloc(1, sizeof *s);
	enum perr err = s == NULL ? PERR_NOMEM : gather(iv, s);

	memset(r, 0, sizeof *r);
	why[0] = '\0';
	if (err == PERR_OK)
		err = intake_seal(iv->c, &s->in, r, why);
	sealing_free(s);
	if (err == PERR_OK) {
		fill_free(iv->s);
		iv->s = NULL;
	}
	return err;
}
