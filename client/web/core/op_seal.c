/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* op_seal: the review, the seal, the slip.  Shapes: app/ops_volunteer.ts. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "fault.h"
#include "wfill.h"
#include "roster.h"
#include "web_ops.h"

/* ---- the review ------------------------------------------------------------------------------ */

struct rows {
	struct interview *iv;
	struct web_out *o;
};

static bool put_row(void *ctx, const struct fill_step *step)
{
	struct rows *r = ctx;

	if (step->kind == FILL_REPEAT || (step->kind == FILL_NOTE && step->value[0] == '\0'))
		return true;
	web_out_map(r->o, NULL);
	wfill_out_brief(r->o, r->iv, step);
	web_out_end(r->o);
	return true;
}

static enum perr put_faults(struct interview *iv, struct web_out *o)
{
	struct faults *l = faults_new();
	enum perr err = l == NULL ? PERR_NOMEM : fill_check(iv->s, l);

	web_out_list(o, "faults");
	for (size_t i = 0; err == PERR_OK && i < faults_count(l); i++) {
		const struct fault *f = faults_at(l, i);

		web_out_map(o, NULL);
		web_out_uint(o, "number", f->number);
		web_out_str(o, "path", f->path);
		web_out_str(o, "text", f->text);
		web_out_end(o);
	}
	web_out_end(o);
	faults_free(l);
	return err;
}

enum perr op_fill_review(struct web *w, struct web_args *a, struct web_out *o)
{
	struct rows r = { .o = o };
	enum perr err = wfill_begin(w, a, &r.iv);

	if (err != PERR_OK)
		return err;
	web_out_list(o, "rows");
	err = fill_review(r.iv->s, put_row, &r);
	web_out_end(o);
	wfill_out_paper(o, r.iv);
	if (err == PERR_OK)
		err = put_faults(r.iv, o);
	return wfill_truth(r.iv, err);
}

enum perr op_fill_check(struct web *w, struct web_args *a, struct web_out *o)
{
	struct interview *iv;
	enum perr err = wfill_begin(w, a, &iv);

	return err == PERR_OK ? put_faults(iv, o) : err;
}

/* ---- the seal ---------------------------------------------------------------------------------- */

/* what a person can mend, in their language; the checks below it speak of commands */
static enum perr is_complete(struct interview *iv, struct web_out *o)
{
	struct faults *l = faults_new();
	enum perr err = l == NULL ? PERR_NOMEM : fill_check(iv->s, l);

	if (err == PERR_OK && faults_count(l) > 0) {
		web_out_why(o, faults_at(l, 0)->text);
		err = PERR_FORMAT;
	}
	faults_free(l);
	return err;
}

static enum perr fits(struct interview *iv)
{
	const struct roster_limits *lim = &iv->c->field->limits;
	uint8_t *xml = NULL;
	size_t len = 0, has, max;
	enum perr err = fill_submission(iv->s, &xml, &len);

	if (xml != NULL)
		sodium_memzero(xml, len);
	free(xml);
	if (err == PERR_OK && len > lim->instance_bytes)
		err = PERR_RANGE;
	/* limits may have come down since they were attached */
	if (err == PERR_OK)
		err = fill_jump_end(iv->s);
	if (err == PERR_OK)
		err = interview_room(iv, &has, &max);
	if (err == PERR_OK && has > max)
		err = PERR_RANGE;
	for (size_t i = 0; err == PERR_OK && i < iv->d->n_files; i++)
		if (iv->d->files[i].size > lim->attachment_bytes)
			err = PERR_RANGE;
	return err;
}

static void put_code(struct web_out *o, const char code[CASE_CODE_LEN + 1])
{
	char shown[CASE_CODE_SHOWN + 1];

	case_code_show(shown, code);
	web_out_str(o, "code", shown);
	sodium_memzero(shown, sizeof shown);
}

enum perr op_fill_seal(struct web *w, struct web_args *a, struct web_out *o)
{
	char why[DISPATCH_WHY];
	struct intake_receipt r;
	struct interview *iv;
	uint32_t number;
	bool had_files, is_urgent;
	enum perr err = wfill_begin(w, a, &iv);

	if (err != PERR_OK)
		return err;
	if (!interview_paper_ready(iv))
		return PERR_STATE;
	err = is_complete(iv, o);
	if (err == PERR_OK && interview_entry(iv) == NULL)
		err = PERR_NOTFOUND;
	if (err == PERR_OK)
		err = fits(iv);
	if (err == PERR_OK)
		err = interview_is_urgent(iv, &is_urgent);
	if (err == PERR_OK)
		err = wfill_tally(w, false);
	/* what is sealed is what stands in the draft; one without an answer has no number yet */
	if (err == PERR_OK)
		err = wfill_keep(w);
	if (err != PERR_OK)
		return err;
	number = iv->d->head.number;
	had_files = iv->d->n_files > 0;
	err = interview_seal(iv, &r, why);
	if (err == PERR_FORMAT)
		web_out_why(o, why);
	sodium_memzero(why, sizeof why);
	if (err != PERR_OK)
		return err;
	wfill_shut(w);
	/* sealed it is, whether or not there is memory to count it */
	if (wfill_tally(w, true) != PERR_OK)
		web_part_set(w, WEB_PART_OUTBOX, NULL, NULL);
	web_out_uint(o, "draft", number);
	put_code(o, r.code);
	web_out_str(o, "desk_name", r.desk_name);
	web_out_uint(o, "n_readers", r.n_readers);
	web_out_uint(o, "n_holders", r.n_holders);
	web_out_bool(o, "had_files", had_files);
	web_out_bool(o, "is_urgent", is_urgent);
	sodium_memzero(&r, sizeof r);
	return PERR_OK;
}

/* ---- the slip ------------------------------------------------------------------------------------ */

/* d  out: for draft_free */
static enum perr open_slip(struct web *w, struct web_args *a, struct draft **d)
{
	uint32_t number = (uint32_t)web_arg_uint(a, "draft", DRAFT_NUMBER_MAX);
	enum perr err = a->err;

	*d = NULL;
	if (err == PERR_OK)
		err = draft_open(w->kv, number, d);
	return err == PERR_OK && !(*d)->head.is_sealed ? PERR_NOTFOUND : err;
}

enum perr op_slip(struct web *w, struct web_args *a, struct web_out *o)
{
	struct draft *d;
	enum perr err = open_slip(w, a, &d), args = web_args_end(a);

	if (args != PERR_OK)
		err = args;
	if (err == PERR_OK) {
		web_out_uint(o, "draft", d->head.number);
		put_code(o, d->code);
		web_out_str(o, "desk_name", d->desk_name);
		web_out_bool(o, "is_paper", d->head.is_paper);
	}
	draft_free(d);
	return err;
}

enum perr op_slip_check(struct web *w, struct web_args *a, struct web_out *o)
{
	const char *text = web_arg_text(a, "text", 0, 256);
	char code[CASE_CODE_LEN + 1];
	struct draft *d;
	enum perr err = open_slip(w, a, &d), args = web_args_end(a);

	if (args != PERR_OK)
		err = args;
	if (err == PERR_OK)
		web_out_bool(o, "ok", case_code_parse(code, text) == PERR_OK &&
		             strcmp(code, d->code) == 0);
	sodium_memzero(code, sizeof code);
	draft_free(d);
	return err;
}

enum perr op_slip_done(struct web *w, struct web_args *a, struct web_out *o)
{
	struct draft *d;
	enum perr err = open_slip(w, a, &d), args = web_args_end(a);

	if (args != PERR_OK)
		err = args;
	if (err == PERR_OK)
		err = draft_drop(w->kv, d->head.number);
	draft_free(d);
	return err;
}
