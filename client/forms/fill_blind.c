/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Sessions that correct: of an interview nobody has here, and of one that is here. */
#include <stdio.h>
#include <string.h>

#include "fill_int.h"
#include "fold.h"

/* what the form begins with says nothing of the interview */
static int empty(struct farena *a, struct fnode *n)
{
	struct fnode *c;

	if (n->text_cap > 0 && ftree_set_text(a, n, "", 0) != 0)
		return -1;
	for (c = n->first; c != NULL; c = c->next)
		if (empty(a, c) != 0)
			return -1;
	return 0;
}

/* one of each repeat, so that its questions can be asked */
static int plant_repeats(struct farena *a, struct fnode *n)
{
	const struct fdef *d;
	struct fnode *c;

	for (d = n->def->first; d != NULL; d = d->next) {
		for (c = n->first; c != NULL && c->def != d; c = c->next)
			;
		if (c != NULL || !d->is_repeat)
			continue;
		c = fill_plant(a, d->tmpl);
		if (c == NULL)
			return -1;
		c->ord = 1;
		fill_insert(n, c, NULL);
	}
	for (c = n->first; c != NULL; c = c->next)
		if (c->def != NULL && c->def->first != NULL && plant_repeats(a, c) != 0)
			return -1;
	return 0;
}

enum perr fill_new_blind(struct fill **out, const struct xform *f, const struct fill_env *env,
                         char why[FILL_WHY_SIZE])
{
	struct fill *s = fill_session(f, env);

	*out = NULL;
	if (s == NULL || (s->root = fill_plant(s->answers, f->primary)) == NULL)
		return fill_ready(s, out, PERR_NOMEM, why);
	s->ev.root = s->root;
	s->ev.is_blind = true;
	s->ev.do_calculate = false;
	if (plant_repeats(s->answers, s->root) != 0 || empty(s->answers, s->root) != 0)
		return fill_ready(s, out, PERR_NOMEM, why);
	s->at = fill_first(s);
	return fill_ready(s, out, feval_error(&s->ev), why);
}

struct look {
	const char *path, *value;
	struct farena *a;
};

static bool look_at(void *ctx, const struct fill_step *step)
{
	struct look *l = ctx;

	if (step->kind == FILL_REPEAT || strcmp(step->path, l->path) != 0)
		return true;
	l->value = farena_str(l->a, step->value, strlen(step->value));
	return false;
}

const char *fill_value(struct fill *s, const char *path)
{
	struct look l = { path, NULL, s->answers };

	return fill_review(s, look_at, &l) == PERR_OK ? l.value : NULL;
}

bool fill_was_unchecked(const struct fill *s)
{
	return s->ev.was_unchecked;
}
