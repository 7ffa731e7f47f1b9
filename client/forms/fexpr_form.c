/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* All expressions of a form: compiled once, checked for circles. */
#include <stdio.h>
#include <string.h>

#include "fexpr.h"

static int compile(struct xparse *p, struct fexpr **out, const char *source,
                   const struct fdef *context, const char *kind)
{
	char what[256];

	snprintf(what, sizeof what, "the %s of %.200s", kind, context == NULL ? "the form"
	         : context->path);
	return fexpr_compile(p, out, source, context, what);
}

static int compile_parts(struct xparse *p, struct ftext_part *part, const struct fdef *context)
{
	for (; part != NULL; part = part->next)
		if (part->output != NULL && part->expr == NULL
		    && compile(p, &part->expr, part->output, context, "label") != 0)
			return -1;
	return 0;
}

/*
 * One text may serve several questions, so an absolute path in it is what counts; its
 * context is the first question that uses it.
 */
static int compile_text(struct xparse *p, const struct ftext *t, const struct fdef *context)
{
	size_t i;

	if (t == NULL)
		return 0;
	if (t->itext == NULL)
		return compile_parts(p, t->parts, context);
	for (i = 0; i < p->f->n_langs; i++)
		if (compile_parts(p, t->itext->plain[i], context) != 0
		    || compile_parts(p, t->itext->guidance[i], context) != 0)
			return -1;
	return 0;
}

static int compile_def(struct xparse *p, struct fdef *def)
{
	static const char *const kinds[FSLOT_N] = {"relevance", "required mark", "constraint",
	                                           "calculation", "read-only mark"};
	struct fdef *c;
	size_t i;

	for (i = 0; i < FSLOT_N; i++)
		if (def->src[i] != NULL && compile(p, &def->expr[i], def->src[i], def, kinds[i]) != 0)
			return -1;
	for (i = 0; i < XFORM_N_MARKS; i++)
		if (def->mark[i] != NULL && def->mark[i][0] != '\0'
		    && compile(p, &def->mark_expr[i], def->mark[i], def, "amparo mark") != 0)
			return -1;
	if (compile_text(p, def->required_msg, def) != 0
	    || compile_text(p, def->constraint_msg, def) != 0)
		return -1;
	for (c = def->first; c != NULL; c = c->next)
		if (compile_def(p, c) != 0)
			return -1;
	return 0;
}

static int compile_actions(struct xparse *p, struct faction *a)
{
	for (; a != NULL; a = a->next)
		if (a->literal == NULL && compile(p, &a->expr, a->src, a->target, "setvalue") != 0)
			return -1;
	return 0;
}

static int compile_ctl(struct xparse *p, struct fctl *ctl, const struct fdef *context)
{
	const struct fdef *here = ctl->def == NULL ? context : ctl->def;
	struct fitemset *set = ctl->itemset;
	struct fchoice *choice;
	struct fctl *c;

	if (compile_text(p, ctl->label, here) != 0 || compile_text(p, ctl->hint, here) != 0
	    || compile_actions(p, ctl->actions) != 0)
		return -1;
	for (choice = ctl->choices; choice != NULL; choice = choice->next)
		if (compile_text(p, &choice->label, here) != 0)
			return -1;
	/* The count stands at the repeat but is evaluated where the repeat stands. */
	if (ctl->count != NULL && compile(p, &ctl->count_expr, ctl->count, ctl->def, "count") != 0)
		return -1;
	if (set != NULL) {
		if (compile(p, &set->nodeset_expr, set->nodeset, here, "choices") != 0)
			return -1;
		/* Relative to an item: only known when the items are nodes of this form. */
		if (compile(p, &set->value_expr, set->value_ref, set->nodeset_expr->def, "choices") != 0
		    || compile(p, &set->label_expr, set->label_ref, set->nodeset_expr->def,
		               "choices") != 0)
			return -1;
	}
	for (c = ctl->first; c != NULL; c = c->next)
		if (compile_ctl(p, c, here) != 0)
			return -1;
	return 0;
}

/* ---- circles: a calculation that needs its own result ------------------------------- */

struct circle {
	struct fmap state;              /* def -> &busy or &done */
	const struct fdef *start;
	const struct fdef *found;
	unsigned depth;
	bool no_memory;
};

static char busy, done;

static void visit_def(struct circle *c, const struct fdef *def);

static void on_read(void *ctx, const struct fdef *def)
{
	struct circle *c = ctx;

	if (c->found == NULL && def != c->start)
		visit_def(c, def);
}

static void visit_def(struct circle *c, const struct fdef *def)
{
	const struct fdef *outer = c->start;
	void *state = fmap_get(&c->state, def, "");

	if (def->expr[FSLOT_CALCULATE] == NULL || state == &done)
		return;
	if (state == &busy) {
		c->found = def;
		return;
	}
	/* A chain this long is no circle; the evaluator bounds it. */
	if (c->depth >= 1000)
		return;
	if (fmap_put(&c->state, def, "", &busy) != 0)
		c->no_memory = true;
	c->depth++;
	c->start = def;
	fexpr_reads(def->expr[FSLOT_CALCULATE], on_read, c);
	c->start = outer;
	c->depth--;
	if (fmap_put(&c->state, def, "", &done) != 0)
		c->no_memory = true;
}

static int find_circles(struct xparse *p, struct circle *c, const struct fdef *def)
{
	const struct fdef *child;

	visit_def(c, def);
	if (c->no_memory)
		return xparse_nomem(p);
	if (c->found != NULL)
		return xparse_fail(p, PERR_FORMAT, "The calculation of %s needs its own result.",
		                   c->found->path);
	for (child = def->first; child != NULL; child = child->next)
		if (find_circles(p, c, child) != 0)
			return -1;
	return 0;
}

int fexpr_compile_form(struct xparse *p)
{
	struct circle c = {{p->f->arena, NULL, 0, 0}, NULL, NULL, 0, false};
	struct ftext t = {NULL, NULL};

	if (compile_def(p, p->f->root) != 0 || compile_ctl(p, p->f->body, p->f->root) != 0
	    || compile_actions(p, p->f->actions) != 0)
		return -1;
	/* Labels of choices in secondary instances are found by id only when they are shown. */
	for (t.itext = p->f->itexts; t.itext != NULL; t.itext = t.itext->next)
		if (compile_text(p, &t, p->f->root) != 0)
			return -1;
	return find_circles(p, &c, p->f->root);
}
