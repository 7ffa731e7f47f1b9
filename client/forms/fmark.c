/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include <math.h>
#include <string.h>

#include "fcheck.h"
#include "fmark.h"
#include "instance_int.h"
#include "render_int.h"

#define SCRATCH_MAX ((size_t)32 << 20)

struct walk {
	struct feval ev;
	fmark_fn *fn;
	void *ctx;
	bool is_stopped;
};

static void deadline(struct walk *w, const struct fnode *n, const struct fval *v,
                     struct fmark *m, bool *holds)
{
	struct fval own;
	double days;
	bool has_time;

	*holds = false;
	/* true() marks the answer itself as the day. */
	if (v->kind == FVAL_BOOLEAN) {
		if (!v->boolean)
			return;
		fval_set_string(&own, n->text);
		v = &own;
	}
	if (fval_date(&w->ev, v, &days, &has_time)) {
		m->day = (int64_t)floor(days);
		*holds = true;
	}
}

static void mark_node(struct walk *w, const struct fnode *n)
{
	struct farena_mark mark = farena_mark(w->ev.scratch);
	const struct fexpr *e;
	struct fmark m;
	struct fval v;
	bool holds;
	size_t i;

	for (i = 0; i < XFORM_N_MARKS && !w->is_stopped; i++) {
		e = n->def->mark_expr[i];
		if (e == NULL)
			continue;
		memset(&m, 0, sizeof m);
		feval_at(&w->ev, e, n, &v);
		holds = fval_boolean(&w->ev, &v);
		if (i == XFORM_DEADLINE)
			deadline(w, n, &v, &m, &holds);
		/* Nothing is said by an answer that was not given. */
		if ((i == XFORM_IDENTITY || i == XFORM_STAT) && n->text[0] == '\0')
			holds = false;
		if (!holds || w->ev.why[0] != '\0')
			continue;
		m.mark = (enum xform_mark)i;
		m.path = instance_path(w->ev.scratch, n);
		m.label = fcheck_label(&w->ev, n);
		m.value = n->text;
		m.shown = render_value(w->ev.scratch, w->ev.form, n->def, n->text, w->ev.lang,
		                       w->ev.lang_code);
		if (m.path == NULL || m.shown == NULL)
			feval_lacks(&w->ev, w->ev.scratch, "There is not enough memory for the marks of a case.");
		else if (!w->fn(w->ctx, &m))
			w->is_stopped = true;
	}
	farena_release(w->ev.scratch, mark);
}

static void walk(struct walk *w, const struct fnode *n)
{
	const struct fnode *c;

	if (n->def == NULL || w->is_stopped || w->ev.why[0] != '\0' || !feval_relevant(&w->ev, n))
		return;
	mark_node(w, n);
	for (c = n->first; c != NULL; c = c->next)
		walk(w, c);
}

enum perr fmark_each(struct instance *in, const char *lang, const struct fclock *now,
                     fmark_fn *fn, void *ctx)
{
	struct walk w;
	enum perr err;

	if (in->form == NULL)
		return PERR_STATE;
	memset(&w, 0, sizeof w);
	w.fn = fn;
	w.ctx = ctx;
	w.ev.form = in->form;
	w.ev.answers = in->arena;
	w.ev.root = in->root;
	w.ev.now = *now;
	w.ev.lang = xform_find_lang(in->form, lang);
	w.ev.lang_code = xform_lang_code(in->form, w.ev.lang);
	w.ev.fuel = FEVAL_FUEL;
	w.ev.scratch = farena_new(SCRATCH_MAX);
	if (w.ev.scratch == NULL)
		return PERR_NOMEM;
	feval_forget(&w.ev, in->root);
	walk(&w, in->root);
	err = feval_error(&w.ev);
	farena_free(w.ev.scratch);
	return err;
}
