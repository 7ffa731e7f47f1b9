/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "fault.h"
#include "fcond.h"
#include "flint.h"
#include "fold.h"

#define SCRATCH_MAX ((size_t)4 << 20)

struct lint {
	const struct xform *f;
	struct farena *a;
	struct faults *faults;
	const struct fctl *consent;     /* the question that asks for it */
	const struct fdef *at;
	bool said_no_consent, said_not_bound;
};

static void say(struct lint *l, const struct fdef *def, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* "Question 4 \"When\" has no hint in …": fmt continues behind the question's name. */
static void say(struct lint *l, const struct fdef *def, const char *fmt, ...)
{
	const char *name = def == NULL ? "" : xform_name(l->a, l->f, def, l->f->default_lang);
	unsigned number = def == NULL || def->ctl == NULL ? 0 : def->ctl->number;
	char text[700];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	if (def == NULL)
		faults_add(l->faults, FAULT_LINT, 0, "", "", "%s", text);
	else if (number != 0)
		faults_add(l->faults, FAULT_LINT, number, def->path, name, "Question %u \"%s\" %s", number,
		           name, text);
	else
		faults_add(l->faults, FAULT_LINT, 0, def->path, name, "\"%s\" %s", name, text);
}

/* ---- translations ------------------------------------------------------------------------ */

static void check_text(struct lint *l, const struct fdef *def, const struct ftext *t,
                       const char *what)
{
	size_t i;

	if (t == NULL || l->f->n_langs < 2)
		return;
	if (t->itext == NULL) {
		/* A label that is only an output or a sign needs no translation. */
		if (t->parts != NULL && t->parts->literal != NULL && t->parts->next == NULL
		    && fold_length(t->parts->literal, strlen(t->parts->literal)) > 3)
			say(l, def, "has its %s in one language only.", what);
		return;
	}
	for (i = 0; i < l->f->n_langs; i++)
		if (t->itext->plain[i] == NULL)
			say(l, def, "has no %s in %s.", what, l->f->langs[i]);
}

static void check_texts(struct lint *l, const struct fctl *ctl)
{
	const struct fchoice *c;
	char what[300];

	if (ctl->label == NULL && ctl->number != 0)
		say(l, ctl->def, "has no label.");
	check_text(l, ctl->def, ctl->label, "label");
	check_text(l, ctl->def, ctl->hint, "hint");
	if (ctl->def == NULL)
		return;
	check_text(l, ctl->def, ctl->def->required_msg, "message for a missing answer");
	check_text(l, ctl->def, ctl->def->constraint_msg, "message for a wrong answer");
	for (c = ctl->choices; c != NULL; c = c->next) {
		snprintf(what, sizeof what, "label for the choice \"%.200s\"", c->value);
		check_text(l, ctl->def, &c->label, what);
		if (c->label.itext == NULL && c->label.parts == NULL)
			say(l, ctl->def, "has no %s.", what);
	}
	if (ctl->label != NULL && ctl->label->itext != NULL && ctl->label->itext->has_media)
		say(l, ctl->def, "has a picture or a sound in its label, which is not shown here.");
}

/* ---- what nobody can reach ----------------------------------------------------------------- */

static void on_impossible(void *ctx, const struct fdef *def, const char *value)
{
	struct lint *l = ctx;

	say(l, l->at, "depends on the answer \"%.80s\" to \"%.120s\", which is not one of its choices.",
	    value, xform_name(l->a, l->f, def, l->f->default_lang));
}

static void check_choices(struct lint *l, const struct fctl *ctl)
{
	const struct fchoice *c, *d;

	if (ctl->kind != FCTL_SELECT1 && ctl->kind != FCTL_SELECT && ctl->kind != FCTL_RANK)
		return;
	if (ctl->choices == NULL && ctl->itemset == NULL)
		say(l, ctl->def, "has no choices.");
	for (c = ctl->choices; c != NULL; c = c->next) {
		for (d = ctl->choices; d != c && strcmp(d->value, c->value) != 0; d = d->next)
			;
		if (d != c)
			say(l, ctl->def, "has two choices with the value \"%.80s\"; the second can never be "
			    "told from the first.", c->value);
	}
	if (ctl->itemset != NULL && ctl->itemset->inst != NULL && ctl->itemset->inst->root != NULL
	    && ctl->itemset->by_value.n_used == 0)
		say(l, ctl->def, "takes its choices from \"%.80s\", where there are none.",
		    ctl->itemset->inst->id);
}

/*
 * Cascades: "item[state = /data/state]" where an item's state is no choice of the question
 * it is compared with.  Only comparisons of a column with one question are understood.
 */
static void check_cascade(struct lint *l, const struct fctl *ctl)
{
	const struct fexpr *path = ctl->itemset == NULL ? NULL : ctl->itemset->nodeset_expr, *p, *q;
	const struct fnode *item, *n;
	const struct fchoice *c;
	const struct fstep *step;
	const char *column;

	if (path == NULL || path->op != FOP_PATH || ctl->itemset->inst == NULL
	    || ctl->itemset->inst->root == NULL)
		return;
	for (step = path->steps; step != NULL && step->predicates == NULL; step = step->next)
		;
	p = step == NULL ? NULL : step->predicates;
	if (p == NULL || p->op != FOP_EQ || p->args->op != FOP_PATH || p->args->next->op != FOP_PATH)
		return;
	q = p->args->next->def != NULL ? p->args->next : p->args;
	p = q == p->args ? p->args->next : p->args;
	if (q->def == NULL || q->def->ctl == NULL || q->def->ctl->choices == NULL
	    || p->start != FSTART_CONTEXT || p->steps == NULL || p->steps->next != NULL
	    || (column = p->steps->name) == NULL)
		return;
	item = step->name == NULL ? NULL : ftree_child(ctl->itemset->inst->root, step->name);
	for (; item != NULL; item = ftree_next(item, step->name)) {
		n = ftree_child(item, column);
		for (c = q->def->ctl->choices; n != NULL && c != NULL && strcmp(c->value, n->text) != 0; )
			c = c->next;
		if (n == NULL || c == NULL) {
			n = ftree_child(item, ctl->itemset->value_ref);
			say(l, ctl->def, "can never offer the choice \"%.80s\": no answer to \"%.120s\" leads "
			    "to it.", n == NULL ? "?" : n->text,
			    xform_name(l->a, l->f, q->def, l->f->default_lang));
		}
	}
}

static void check_reach(struct lint *l, const struct fdef *def)
{
	size_t i;

	l->at = def;
	for (i = 0; i < FSLOT_N; i++)
		if (def->expr[i] != NULL)
			fcond_impossible(l->f, def->expr[i], on_impossible, l);
	if (def->expr[FSLOT_RELEVANT] != NULL
	    && fcond_given(def->expr[FSLOT_RELEVANT], NULL, NULL) == FCOND_FALSE)
		say(l, def, "is never asked: its relevance is always false.");
}

/* ---- consent --------------------------------------------------------------------------------- */

static bool folded_has(struct lint *l, const char *s, const char *const *parts)
{
	size_t cap = FOLD_MAX(strlen(s));
	char *folded = farena_get(l->a, cap);

	if (folded == NULL)
		return false;
	fold_text(folded, cap, s, strlen(s));
	for (; *parts != NULL; parts++)
		if (strstr(folded, *parts) != NULL)
			return true;
	return false;
}

static const char *label_in(struct lint *l, const struct fctl *ctl, size_t lang)
{
	const char *s = ctl->label == NULL ? NULL
		: ftext_show(l->a, l->f, ctl->label, lang, NULL, NULL);

	return s == NULL ? "" : s;
}

static bool mentions(struct lint *l, const struct fctl *ctl, const char *const *parts)
{
	size_t i;

	if (folded_has(l, ctl->def->name, parts))
		return true;
	for (i = 0; i == 0 || i < l->f->n_langs; i++)
		if (folded_has(l, label_in(l, ctl, i), parts))
			return true;
	return false;
}

static void find_consent(struct lint *l)
{
	static const char *const agreed[] = {"consent", "consiente", "do you agree", "agree to",
	                                     "de acuerdo", "autoriza", "permission", "permiso", NULL};
	unsigned i;

	for (i = 0; i < l->f->n_questions && l->consent == NULL; i++) {
		struct farena_mark m = farena_mark(l->a);
		const struct fctl *c = l->f->questions[i];

		if ((c->kind == FCTL_TRIGGER || c->kind == FCTL_SELECT1 || c->kind == FCTL_SELECT
		     || c->def->type == FTYPE_BOOLEAN) && mentions(l, c, agreed))
			l->consent = c;
		farena_release(l->a, m);
	}
}

struct reads {
	const struct fdef *wanted;
	bool found;
};

static void on_read(void *ctx, const struct fdef *def)
{
	struct reads *r = ctx;

	r->found |= def == r->wanted;
}

static bool depends_on(const struct fdef *def, const struct fdef *wanted)
{
	struct reads r = {wanted, false};

	for (; def != NULL; def = def->parent)
		if (def->expr[FSLOT_RELEVANT] != NULL)
			fexpr_reads(def->expr[FSLOT_RELEVANT], on_read, &r);
	return r.found;
}

/* Whether the answer says who somebody is: marked so, or by its name or label. */
static bool is_identity(struct lint *l, const struct fctl *ctl)
{
	static const char *const who[] = {
		"full name", "first name", "last name", "nombre completo", "nombre y apellido",
		"phone", "telefono", "a-number", "alien number", "numero de extranjero", "address",
		"direccion", "date of birth", "fecha de nacimiento", "passport", "pasaporte",
		"social security", "seguro social", NULL
	};

	if (ctl->def->mark[XFORM_IDENTITY] != NULL)
		return strcmp(ctl->def->mark[XFORM_IDENTITY], "false()") != 0;
	return ctl->kind == FCTL_INPUT && !ctl->is_note && mentions(l, ctl, who);
}

static void check_consent(struct lint *l, const struct fctl *ctl)
{
	static const char *const never[] = {"social security", "seguro social", "ssn", "bank account",
	                                    "cuenta bancaria", "credit card", NULL};

	if (ctl->number == 0)
		return;
	if (ctl->kind == FCTL_INPUT && mentions(l, ctl, never))
		say(l, ctl->def, "asks for a number that no intake needs and that is dangerous to keep.");
	if (ctl == l->consent || !is_identity(l, ctl))
		return;
	if (ctl->def->mark[XFORM_IDENTITY] == NULL)
		say(l, ctl->def, "seems to say who somebody is, but is not marked amparo:identity.");
	if (l->consent == NULL) {
		if (!l->said_no_consent)
			say(l, ctl->def, "says who somebody is, but no question of the form asks for consent.");
		l->said_no_consent = true;
	} else if (ctl->number < l->consent->number) {
		say(l, ctl->def, "says who somebody is, but is asked before consent (question %u).",
		    l->consent->number);
	} else if (!l->said_not_bound && !depends_on(ctl->def, l->consent->def)
	           && l->consent->def->expr[FSLOT_CONSTRAINT] == NULL
	           && l->consent->kind != FCTL_TRIGGER) {
		l->said_not_bound = true;
		say(l, ctl->def, "is asked whatever is answered to the question for consent (question %u).",
		    l->consent->number);
	}
}

/* ---- what is ignored -------------------------------------------------------------------------- */

static void check_ignored(struct lint *l, const struct fdef *def)
{
	if (def->preload != NULL && strcmp(def->preload, "property") == 0)
		say(l, def, "asks for a property of the device (%.60s); it is left empty, so that a record "
		    "does not say whose phone wrote it.", def->preload_params == NULL ? "?"
		    : def->preload_params);
	if (def->is_meta && strcmp(def->name, "audit") == 0)
		say(l, def, "asks for a log of how the form was filled in, which is not kept here.");
}

static void walk_defs(struct lint *l, const struct fdef *def)
{
	struct farena_mark m = farena_mark(l->a);
	const struct fdef *c;

	check_reach(l, def);
	check_ignored(l, def);
	farena_release(l->a, m);
	for (c = def->first; c != NULL; c = c->next)
		walk_defs(l, c);
}

static void walk_ctls(struct lint *l, const struct fctl *ctl)
{
	struct farena_mark m = farena_mark(l->a);
	const struct fctl *c;

	for (c = ctl->first; c != NULL; c = c->next) {
		if (c->def != NULL && c->kind != FCTL_GROUP && c->kind != FCTL_REPEAT) {
			check_texts(l, c);
			check_choices(l, c);
			check_cascade(l, c);
			check_consent(l, c);
		} else if (c->def != NULL && c->label != NULL) {
			check_text(l, c->def, c->label, "label");
		}
		farena_release(l->a, m);
		walk_ctls(l, c);
	}
}

enum perr flint_check(const struct xform *f, struct faults *faults)
{
	struct lint l = {.f = f, .faults = faults, .a = farena_new(SCRATCH_MAX)};
	const struct finst *i;

	if (l.a == NULL)
		return PERR_NOMEM;
	find_consent(&l);
	walk_ctls(&l, f->body);
	walk_defs(&l, f->root);
	for (i = f->insts; i != NULL; i = i->next)
		if (i->src != NULL && i->file == NULL)
			say(&l, NULL, "The instance \"%.80s\" takes answers from the last case filled in; here "
			    "nothing of an earlier case stays on a device, so it is always empty.", i->id);
	farena_free(l.a);
	return faults_is_broken(faults) ? PERR_NOMEM : PERR_OK;
}
