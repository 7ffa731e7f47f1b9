/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The full check of a submission: every answer against its question. */
#include <string.h>

#include "fcheck.h"
#include "instance_int.h"

#define SCRATCH_MAX ((size_t)64 << 20)

int instance_add_absent(struct farena *a, struct fnode *n, const struct fdef *def,
                        unsigned *budget)
{
	const struct fdef *d;
	struct fnode *c;
	bool there;

	for (d = def->first; d != NULL; d = d->next) {
		there = false;
		for (c = n->first; c != NULL; c = c->next) {
			if (c->def != d)
				continue;
			there = true;
			if (c->ord == 1 || d->is_repeat)
				if (d->first != NULL && instance_add_absent(a, c, d, budget) != 0)
					return -1;
		}
		if (there || d->is_repeat || d->is_meta)
			continue;
		if ((*budget)-- == 0 || (c = ftree_new(a, n->ns, d->name)) == NULL)
			return -1;
		c->def = d;
		c->ord = 1;
		c->is_absent = true;
		ftree_insert(n, c, NULL);
		if (d->first != NULL && instance_add_absent(a, c, d, budget) != 0)
			return -1;
	}
	return 0;
}

struct check {
	struct feval ev;
	struct instance *in;
	struct faults *faults;
};

static void report(struct check *c, enum fault_kind kind, const struct fnode *n,
                   const char *why, bool is_message)
{
	const char *path = instance_path(c->ev.scratch, n);

	/* What was concluded without fuel means nothing. */
	if (c->ev.why[0] != '\0')
		return;
	faults_add(c->faults, kind, n->def->ctl == NULL ? 0 : n->def->ctl->number,
	           path == NULL ? "?" : path, fcheck_label(&c->ev, n), is_message ? "%s: %s%s" : "%s %s%s",
	           fcheck_name(&c->ev, n), why,
	           *why != '\0' && strchr(".!?", why[strlen(why) - 1]) != NULL ? "" : ".");
}

static void check_leaf(struct check *c, const struct fnode *n)
{
	const struct fdef *def = n->def;
	enum fault_kind kind;
	const char *why;

	if (def->ctl == NULL)
		return;
	if (!feval_relevant(&c->ev, n)) {
		if (n->text[0] != '\0' && !def->ctl->is_note && def->expr[FSLOT_CALCULATE] == NULL)
			report(c, FAULT_IRRELEVANT, n, FCHECK_SAY(&c->ev, "is answered, although the other "
			       "answers make it irrelevant", "tiene respuesta, aunque por las demás "
			       "respuestas no corresponde"), false);
		return;
	}
	if (n->text[0] == '\0') {
		if (fcheck_required(&c->ev, n, &why))
			report(c, FAULT_REQUIRED, n, why, !fcheck_is_ours(why));
	} else if (!fcheck_answer(&c->ev, n, n->text, &kind, &why)) {
		report(c, kind, n, why, kind == FAULT_CONSTRAINT && def->constraint_msg != NULL);
	}
}

static void check_repeats(struct check *c, const struct fnode *parent)
{
	const struct fdef *d;
	const struct fnode *s;
	long want, have;
	const char *path;

	for (d = parent->def->first; d != NULL; d = d->next) {
		if (!d->is_repeat || d->ctl == NULL || d->ctl->count_expr == NULL)
			continue;
		want = fcheck_count(&c->ev, d->ctl, parent);
		for (have = 0, s = parent->first; s != NULL; s = s->next)
			have += s->def == d;
		path = instance_path(c->ev.scratch, parent);
		if (want != have && c->ev.why[0] == '\0')
			faults_add(c->faults, FAULT_COUNT, 0, path == NULL ? "?" : path, d->name,
			           FCHECK_SAY(&c->ev, "\"%s\" must be filled in %ld times, but is there "
			           "%ld times.", "«%s» debe llenarse %ld veces, pero está %ld veces."),
			           xform_name(c->ev.scratch, c->in->form, d, c->ev.lang), want, have);
	}
}

static void check_node(struct check *c, const struct fnode *n)
{
	struct farena_mark m = farena_mark(c->ev.scratch);
	const struct fnode *child;

	if (n->def == NULL)
		return;
	if (n->def->first == NULL)
		check_leaf(c, n);
	else if (feval_relevant(&c->ev, n))
		check_repeats(c, n);
	farena_release(c->ev.scratch, m);
	for (child = n->first; child != NULL && c->ev.why[0] == '\0'; child = child->next)
		check_node(c, child);
}

enum perr instance_check_full(struct instance *in, size_t lang, bool is_es,
                              const struct fclock *now, struct faults *faults)
{
	unsigned budget = 100000;
	struct check c;
	enum perr err;

	memset(&c, 0, sizeof c);
	if (instance_add_absent(in->arena, in->root, in->form->root, &budget) != 0)
		return PERR_NOMEM;
	c.in = in;
	c.faults = faults;
	c.ev.form = in->form;
	c.ev.answers = in->arena;
	c.ev.root = in->root;
	c.ev.now = *now;
	c.ev.lang = lang;
	c.ev.lang_code = xform_lang_code(in->form, lang);
	c.ev.is_es = is_es;
	c.ev.fuel = FEVAL_FUEL;
	c.ev.scratch = farena_new(SCRATCH_MAX);
	if (c.ev.scratch == NULL)
		return PERR_NOMEM;
	feval_forget(&c.ev, in->root);
	check_node(&c, in->root);
	err = feval_error(&c.ev);
	if (err == PERR_LIMIT) {
		faults_add(faults, FAULT_EXPRESSION, 0, "", "", "%s", c.ev.why);
		err = PERR_OK;
	}
	farena_free(c.ev.scratch);
	return err;
}
