/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* op_fill: an interview is begun, taken up again, closed; drafts.  Shapes: app/ops_volunteer.ts. */
#include "wfill.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cache.h"
#include "roster.h"
#include "web_ops.h"

#define TZ_ZERO 1440             /* what tzNow adds */
#define TZ_MAX  (14 * 60)        /* no place is farther from UTC */
#define LANG_MAX 128

/* ---- the one that is open -------------------------------------------------------------------- */

struct interview *wfill_of(const struct web *w)
{
	return w->part[WEB_PART_FILL].state;
}

static void shut(void *state)
{
	interview_free(state);
	free(state);
}

void wfill_shut(struct web *w)
{
	web_part_set(w, WEB_PART_FILL, NULL, NULL);
}

void wfill_revert(struct web *w)
{
	if (interview_revert(wfill_of(w)) != PERR_OK)
		wfill_shut(w);
}

static enum perr keep(struct web *w, bool must)
{
	struct interview *iv = wfill_of(w);
	enum perr err = wfill_truth(iv, PERR_OK);

	if (err == PERR_OK)
		err = interview_save(iv, must);
	/* what the page is not told to be saved must not be there */
	if (err != PERR_OK)
		wfill_revert(w);
	return err;
}

enum perr wfill_keep(struct web *w)
{
	return keep(w, true);
}

enum perr wfill_keep_place(struct web *w)
{
	return keep(w, false);
}

enum perr wfill_truth(const struct interview *iv, enum perr err)
{
	return fill_is_starved(iv->s) ? PERR_NOMEM : err;
}

enum perr wfill_begin(struct web *w, struct web_args *a, struct interview **iv)
{
	enum perr err = web_args_end(a);

	*iv = wfill_of(w);
	if (err != PERR_OK)
		return err;
	if (*iv == NULL)
		return PERR_STATE;
	if (fill_is_starved((*iv)->s)) {
		wfill_revert(w);
		*iv = wfill_of(w);
		if (*iv == NULL)
			return PERR_NOMEM;
	}
	/* an interview may last over midnight */
	interview_clock(*iv);
	return PERR_OK;
}

int wfill_arg_tz(struct web_args *a)
{
	int tz = (int)web_arg_uint(a, "tz", 2 * TZ_ZERO) - TZ_ZERO;

	/* a device with a broken clock can take interviews, too */
	return tz < -TZ_MAX || tz > TZ_MAX ? 0 : tz;
}

/* iv is freed or owned by w afterwards */
static enum perr open_it(struct web *w, struct web_out *o, struct interview *iv)
{
	char why[FILL_WHY_SIZE];
	enum perr err = interview_open(iv, why);

	if (err != PERR_OK) {
		web_out_why(o, why);
		sodium_memzero(why, sizeof why);         /* it may quote an answer of the draft */
		shut(iv);
		return err;
	}
	sodium_memzero(why, sizeof why);
	web_part_set(w, WEB_PART_FILL, iv, shut);
	return wfill_out_interview(w, o);
}

enum perr op_fill_begin(struct web *w, struct web_args *a, struct web_out *o)
{
	const char *id = web_arg_text(a, "form", 1, 64);
	const char *lang = web_arg_text(a, "lang", 0, LANG_MAX);
	bool is_paper = web_arg_bool(a, "paper");
	int tz = wfill_arg_tz(a);
	const struct roster_form *entry;
	struct interview *iv;
	enum perr err = web_args_end(a);

	if (err != PERR_OK)
		return err;
	entry = w->c->field == NULL ? NULL : cache_form_entry(w->c, id, NULL);
	if (entry == NULL)
		return PERR_NOTFOUND;
	wfill_shut(w);
	iv = calloc(1, sizeof *iv);
	if (iv == NULL)
		return PERR_NOMEM;
	err = interview_new(iv, w->c, is_paper, tz);
	if (err == PERR_OK) {
		snprintf(iv->d->head.form_id, sizeof iv->d->head.form_id, "%s", entry->id);
		snprintf(iv->d->head.form_version, sizeof iv->d->head.form_version, "%s",
		         entry->version);
		err = interview_load(iv);
	}
	if (err != PERR_OK) {
		shut(iv);
		return err;
	}
	interview_choose_lang(iv, lang);
	return open_it(w, o, iv);
}

enum perr op_fill_resume(struct web *w, struct web_args *a, struct web_out *o)
{
	uint32_t number = (uint32_t)web_arg_uint(a, "draft", DRAFT_NUMBER_MAX);
	int tz = wfill_arg_tz(a);
	struct interview *iv;
	enum perr err = web_args_end(a);

	if (err != PERR_OK)
		return err;
	wfill_shut(w);
	if (w->c->field == NULL)
		return PERR_UNKNOWN;
	iv = calloc(1, sizeof *iv);
	if (iv == NULL)
		return PERR_NOMEM;
	iv->c = w->c;
	iv->tz_min = tz;
	err = draft_open(w->kv, number, &iv->d);
	if (err == PERR_OK && iv->d->head.is_sealed)
		err = PERR_EXISTS;
	if (err == PERR_OK && iv->d->head.is_amendment)
		err = PERR_REFUSED;
	if (err == PERR_OK) {
		err = interview_load(iv);
		/* not here, or not readable: the page says the same of both */
		if (err == PERR_NOTFOUND)
			err = PERR_UNKNOWN;
	}
	if (err != PERR_OK) {
		shut(iv);
		return err;
	}
	return open_it(w, o, iv);
}

enum perr op_fill_close(struct web *w, struct web_args *a, struct web_out *o)
{
	enum perr err = web_args_end(a);

	if (err == PERR_OK)
		wfill_shut(w);
	return err;
}

enum perr op_fill_open(struct web *w, struct web_args *a, struct web_out *o)
{
	struct interview *iv;
	enum perr err = wfill_begin(w, a, &iv);

	return err == PERR_OK ? wfill_out_interview(w, o) : err;
}

/* ---- drafts ----------------------------------------------------------------------------------- */

struct drafts {
	struct web *w;
	struct web_out *o;
};

static enum perr put_draft(void *arg, const struct draft_head *h)
{
	struct drafts *l = arg;
	struct client *c = l->w->c;
	const struct roster_form *entry = NULL;
	const struct xform *form = NULL;
	enum perr err = PERR_NOTFOUND;

	if (c->field != NULL && h->form_id[0] != '\0') {
		entry = cache_form_entry(c, h->form_id, h->form_version);
		err = cache_form(c, h->form_id, h->form_version, &form);
	}
	if (err != PERR_OK && err != PERR_NOTFOUND && err != PERR_UNKNOWN)
		return err;
	web_out_map(l->o, NULL);
	web_out_uint(l->o, "draft", h->number);
	web_out_uint(l->o, "day", h->day);
	web_out_str(l->o, "form", h->form_id);
	web_out_str(l->o, "version", h->form_version);
	web_out_str(l->o, "title", form == NULL ? h->form_id : xform_title(form));
	web_out_str(l->o, "lang", h->lang);
	web_out_uint(l->o, "n_answers", h->n_answers);
	web_out_uint(l->o, "n_files", h->n_files);
	web_out_bool(l->o, "is_paper", h->is_paper);
	web_out_bool(l->o, "is_amendment", h->is_amendment);
	web_out_bool(l->o, "is_sealed", h->is_sealed);
	web_out_bool(l->o, "is_replaced", entry != NULL && !entry->active);
	web_out_bool(l->o, "can_open", form != NULL && !h->is_amendment && !h->is_sealed);
	web_out_end(l->o);
	return PERR_OK;
}

enum perr op_draft_list(struct web *w, struct web_args *a, struct web_out *o)
{
	struct drafts l = { w, o };
	enum perr err = web_args_end(a);

	web_out_list(o, "drafts");
	if (err == PERR_OK)
		err = draft_each(w->kv, put_draft, &l);
	web_out_end(o);
	return err;
}

enum perr op_draft_drop(struct web *w, struct web_args *a, struct web_out *o)
{
	uint32_t number = (uint32_t)web_arg_uint(a, "draft", DRAFT_NUMBER_MAX);
	struct interview *iv = wfill_of(w);
	struct draft *d = NULL;
	enum perr err = web_args_end(a);

	if (err == PERR_OK)
		err = draft_open(w->kv, number, &d);
	if (err == PERR_OK && d->head.is_sealed)
		err = PERR_EXISTS;
	if (err == PERR_OK)
		err = draft_drop(w->kv, number);
	draft_free(d);
	if (err == PERR_OK && iv != NULL && iv->d->head.number == number)
		wfill_shut(w);
	return err;
}
