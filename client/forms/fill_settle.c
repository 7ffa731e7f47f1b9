/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What follows from an answer: calculations, and repeats that have a count. */
#include "fill_int.h"

#define ROUNDS_MAX 8

void fill_insert(struct fnode *parent, struct fnode *n, struct fnode *after)
{
	const struct fdef *d;
	struct fnode *before = after == NULL ? NULL : after->next;

	/* The first one takes the place the form gives it among the others. */
	for (d = n->def->next; after == NULL && before == NULL && d != NULL; d = d->next)
		for (before = parent->first; before != NULL && before->def != d; before = before->next)
			;
	ftree_insert(parent, n, before);
}

/* Repeats with a count follow it; what is beyond is kept but does not count. */
static bool follow_counts(struct fill *s, const struct fctl *parent, struct fnode *context)
{
	const struct fctl *ctl;
	struct fnode *n, *last, *at;
	bool is_changed = false;
	long want, have;

	for (ctl = parent->first; ctl != NULL; ctl = ctl->next) {
		if (ctl->kind == FCTL_GROUP) {
			at = ctl->def == NULL ? context : fill_near(context, ctl->def);
			if (at != NULL)
				is_changed |= follow_counts(s, ctl, at);
		}
		if (ctl->kind != FCTL_REPEAT)
			continue;
		at = ctl->def->parent == context->def ? context : fill_near(context, ctl->def->parent);
		if (at == NULL)
			continue;
		want = fcheck_count(&s->ev, ctl, at);
		for (have = 0, last = NULL, n = at->first; n != NULL; n = n->next) {
			if (n->def != ctl->def)
				continue;
			last = n;
			have++;
			if (want >= 0 && n->is_excess != (have > want)) {
				n->is_excess = have > want;
				is_changed = true;
			}
		}
		for (; want >= 0 && have < want && feval_spend(&s->ev, 50); have++, is_changed = true) {
			n = fill_plant(s->answers, ctl->def->tmpl);
			if (n == NULL) {
				feval_lacks(&s->ev, s->answers, "There is not enough memory for so many repeats.");
				break;
			}
			fill_insert(at, n, last);
			n->ord = (uint32_t)have + 1;
			last = n;
			fill_act(s, ctl->actions, FEVENT_NEW_REPEAT, n);
		}
		for (n = at->first; n != NULL; n = n->next)
			if (n->def == ctl->def)
				is_changed |= follow_counts(s, ctl, n);
	}
	return is_changed;
}

enum perr fill_settle(struct fill *s, const struct fdef *changed)
{
	unsigned round;

	s->ev.changed = changed;
	for (round = 0; round < ROUNDS_MAX; round++) {
		feval_forget(&s->ev, s->root);
		feval_calculate(&s->ev, s->root);
		if (!follow_counts(s, s->form->body, s->root))
			break;
		s->ev.changed = NULL;
	}
	feval_forget(&s->ev, s->root);
	feval_calculate(&s->ev, s->root);
	s->ev.changed = NULL;
	return feval_error(&s->ev);
}
