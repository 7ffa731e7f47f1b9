/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* op_go: from question to question; each change is kept in the same call. */
#include <sodium.h>
#include <string.h>

#include "wfill.h"
#include "web_ops.h"

#define PAGE_MAX 25
#define LANG_MAX 128

static enum perr moved(struct web *w, struct web_out *o)
{
	enum perr err = wfill_keep_place(w);

	return err == PERR_OK ? wfill_out_at(w, o) : err;
}

/* after a change: kept, or as it was.  What only refused has changed nothing. */
static enum perr changed(struct web *w, struct web_out *o, enum perr err)
{
	err = wfill_truth(wfill_of(w), err);
	if (err == PERR_RANGE || err == PERR_STATE || err == PERR_NOTFOUND)
		return err;
	if (err == PERR_OK)
		err = wfill_keep(w);
	else
		wfill_revert(w);
	return err == PERR_OK ? wfill_out_at(w, o) : err;
}

/* the session stands at this path afterwards */
static enum perr go_to(struct interview *iv, const char *path)
{
	struct fill_step step;
	enum perr err = interview_step(iv, &step);

	if (err != PERR_OK || strcmp(step.path, path) == 0)
		return err;
	err = fill_jump_path(iv->s, path);
	if (err == PERR_OK)
		iv->is_back = false;
	return wfill_truth(iv, err);
}

enum perr op_fill_step(struct web *w, struct web_args *a, struct web_out *o)
{
	struct interview *iv;
	enum perr err = wfill_begin(w, a, &iv);

	return err == PERR_OK ? wfill_out_at(w, o) : err;
}

/* ---- a page ------------------------------------------------------------------------------------- */

struct page {
	struct interview *iv;
	struct web_out *o;
	const char *path;                /* of the current step; a copy */
	enum fill_kind kind;
	char group[FILL_PATH_MAX];       /* where the neighbours stand */
	unsigned at, first, end;         /* of all steps; end 0: not seen yet */
	unsigned n, start;               /* counted so far; where the run of neighbours began */
	bool is_in;
};

/* "/data/child[2]" of "/data/child[2]/age": what stands on one page has it in common */
static size_t group_len(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL ? 0 : (size_t)(slash - path);
}

static bool find_page(void *ctx, const struct fill_step *step)
{
	struct page *p = ctx;
	size_t len = group_len(step->path);
	bool same = strlen(p->group) == len && strncmp(p->group, step->path, len) == 0;

	if (interview_is_silent(step))
		return true;
	/* the offer to add another is a question of its own */
	if (step->kind == FILL_REPEAT || !same) {
		if (p->is_in)
			return false;
		p->start = p->n + 1;
		p->group[0] = '\0';
		if (step->kind != FILL_REPEAT && len < sizeof p->group) {
			memcpy(p->group, step->path, len);
			p->group[len] = '\0';
			p->start = p->n;
		}
	}
	/* a long run is cut into pages that do not depend on where one stands */
	if (step->kind != FILL_REPEAT && p->n - p->start >= PAGE_MAX) {
		if (p->is_in)
			return false;
		p->start = p->n;
	}
	if (!p->is_in && strcmp(step->path, p->path) == 0 && step->kind == p->kind) {
		p->is_in = true;
		p->at = p->n;
		p->first = step->kind == FILL_REPEAT ? p->n : p->start;
	}
	p->n++;
	if (p->is_in)
		p->end = p->n;
	return !(p->is_in && step->kind == FILL_REPEAT);
}

static bool put_page(void *ctx, const struct fill_step *step)
{
	struct page *p = ctx;

	if (interview_is_silent(step))
		return true;
	if (p->n >= p->first && p->n < p->end)
		wfill_out_step(p->o, NULL, p->iv, step);
	return ++p->n < p->end;
}

enum perr op_fill_page(struct web *w, struct web_args *a, struct web_out *o)
{
	char path[FILL_PATH_MAX];
	struct fill_step step;
	struct interview *iv;
	struct page p = { .o = o, .path = path };
	enum perr err = wfill_begin(w, a, &iv);

	if (err == PERR_OK)
		err = wfill_out_at(w, o);
	if (err == PERR_OK)
		err = interview_step(iv, &step);
	if (err == PERR_OK && strlen(step.path) >= sizeof path)
		err = PERR_RANGE;
	if (err != PERR_OK)
		return err;
	p.iv = iv;
	p.kind = step.kind;
	memcpy(path, step.path, strlen(step.path) + 1);
	if (step.kind != FILL_END)
		err = fill_review(iv->s, find_page, &p);
	p.n = 0;
	web_out_uint(o, "at", p.at - p.first);
	web_out_list(o, "steps");
	if (err == PERR_OK && step.kind != FILL_END)
		err = fill_review(iv->s, put_page, &p);
	web_out_end(o);
	return wfill_truth(iv, err);
}

/* ---- answers --------------------------------------------------------------------------------------- */

enum perr op_fill_answer(struct web *w, struct web_args *a, struct web_out *o)
{
	const char *path = web_arg_text(a, "path", 1, FILL_PATH_MAX);
	const char *text = web_arg_text(a, "text", 0, FILL_ANSWER_MAX);
	bool go = web_arg_bool(a, "go");
	char why[FILL_WHY_SIZE] = "";
	struct fill_step step;
	struct interview *iv;
	enum perr err = wfill_begin(w, a, &iv);

	if (err == PERR_OK)
		err = go_to(iv, path);
	if (err == PERR_OK)
		err = interview_step(iv, &step);
	if (err != PERR_OK)
		return err;
	/* passing over a silent note leads elsewhere */
	if (strcmp(step.path, path) != 0)
		return wfill_truth(iv, PERR_NOTFOUND);
	if (step.kind != FILL_QUESTION || (step.type == FILL_FILE && text[0] != '\0'))
		return wfill_truth(iv, PERR_STATE);
	err = text[0] == '\0' ? interview_clear(iv, why)
	                      : interview_answer(iv, text, strlen(text), why);
	if (err == PERR_RANGE)
		web_out_why(o, why);
	sodium_memzero(why, sizeof why);         /* it may quote the answer */
	if (err == PERR_OK && go)
		err = interview_next(iv);
	return changed(w, o, err);
}

enum perr op_fill_next(struct web *w, struct web_args *a, struct web_out *o)
{
	struct interview *iv;
	enum perr err = wfill_begin(w, a, &iv);

	if (err == PERR_OK)
		err = interview_next(iv);
	return err == PERR_OK ? moved(w, o) : err;
}

enum perr op_fill_back(struct web *w, struct web_args *a, struct web_out *o)
{
	struct interview *iv;
	enum perr err = wfill_begin(w, a, &iv);

	if (err == PERR_OK)
		err = wfill_truth(iv, interview_back(iv));
	return err == PERR_OK ? moved(w, o) : err;
}

enum perr op_fill_jump(struct web *w, struct web_args *a, struct web_out *o)
{
	const char *path = web_arg_text(a, "path", 1, FILL_PATH_MAX);
	bool review = web_arg_bool(a, "review");
	struct interview *iv;
	enum perr err = wfill_begin(w, a, &iv);

	if (err == PERR_OK)
		err = go_to(iv, path);
	if (err != PERR_OK)
		return err;
	iv->d->from_review = review;
	return moved(w, o);
}

enum perr op_fill_end(struct web *w, struct web_args *a, struct web_out *o)
{
	struct interview *iv;
	enum perr err = wfill_begin(w, a, &iv);

	if (err != PERR_OK)
		return err;
	iv->d->from_review = false;
	err = fill_jump_end(iv->s);
	return err == PERR_OK ? moved(w, o) : err;
}

/* ---- repeats, language -------------------------------------------------------------------------------- */

/* a question and the offer behind it may have one path: the offer is meant */
enum perr op_fill_add_repeat(struct web *w, struct web_args *a, struct web_out *o)
{
	const char *path = web_arg_text(a, "path", 1, FILL_PATH_MAX);
	struct interview *iv;
	enum perr err = wfill_begin(w, a, &iv);

	if (err == PERR_OK)
		err = go_to(iv, path);
	if (err != PERR_OK)
		return err;
	iv->d->from_review = false;
	iv->is_back = false;
	return changed(w, o, fill_add_repeat(iv->s));
}

enum perr op_fill_remove_repeat(struct web *w, struct web_args *a, struct web_out *o)
{
	const char *path = web_arg_text(a, "path", 1, FILL_PATH_MAX);
	struct interview *iv;
	enum perr err = wfill_begin(w, a, &iv);

	return err == PERR_OK ? changed(w, o, interview_remove(iv, path)) : err;
}

enum perr op_fill_lang(struct web *w, struct web_args *a, struct web_out *o)
{
	const char *lang = web_arg_text(a, "lang", 0, LANG_MAX);
	struct interview *iv;
	enum perr err = wfill_begin(w, a, &iv);

	if (err != PERR_OK)
		return err;
	interview_choose_lang(iv, lang);
	interview_speak(iv, iv->d->head.lang);
	/* the language stands in the draft's head, not in its answers */
	if (iv->d->head.number != 0)
		err = wfill_keep(w);
	return err == PERR_OK ? wfill_out_interview(w, o) : err;
}
