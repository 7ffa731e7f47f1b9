/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "feval.h"

void feval_stop(struct feval *ev, const char *why)
{
	if (ev->why[0] == '\0')
		snprintf(ev->why, sizeof ev->why, "%s", why);
	ev->fuel = 0;
}

void feval_lacks(struct feval *ev, const struct farena *a, const char *why)
{
	ev->is_starved |= a == NULL || farena_is_starved(a);
	feval_stop(ev, why);
}

enum perr feval_error(const struct feval *ev)
{
	if (ev->is_starved || (ev->scratch != NULL && farena_is_starved(ev->scratch)) ||
	    (ev->answers != NULL && farena_is_starved(ev->answers)))
		return PERR_NOMEM;
	return ev->why[0] == '\0' ? PERR_OK : PERR_LIMIT;
}

bool feval_spend(struct feval *ev, size_t n)
{
	if (ev->fuel >= n) {
		ev->fuel -= (unsigned)n;
		return true;
	}
	feval_stop(ev, "The form asks for more computation than an answer may take.");
	return false;
}

static void *scratch(struct feval *ev, size_t n)
{
	void *p = farena_get(ev->scratch, n);

	if (p == NULL)
		feval_lacks(ev, ev->scratch, "The form asks for more memory than an answer may take.");
	return p;
}

/* ---- memory of relevance and calculations ------------------------------------------- */

void feval_forget(struct feval *ev, struct fnode *n)
{
	struct fnode *c;

	n->relevant = FEVAL_UNKNOWN;
	n->calculated = FEVAL_UNKNOWN;
	for (c = n->first; c != NULL; c = c->next)
		feval_forget(ev, c);
}

bool feval_relevant(struct feval *ev, const struct fnode *node)
{
	struct fnode *n = (struct fnode *)node;
	const struct fexpr *e = n->def == NULL ? NULL : n->def->expr[FSLOT_RELEVANT];
	bool yes;

	if (n->relevant == FEVAL_YES || n->relevant == FEVAL_NO)
		return n->relevant == FEVAL_YES;
	if (n->relevant == FEVAL_BUSY) {
		ev->is_circular = true;
		return true;
	}
	n->relevant = FEVAL_BUSY;
	yes = !n->is_excess && (n->parent == NULL || feval_relevant(ev, n->parent));
	if (yes && e != NULL && !ev->is_blind)
		yes = feval_is_true(ev, e, n);
	n->relevant = yes ? FEVAL_YES : FEVAL_NO;
	return yes;
}

struct reads {
	const struct fdef *changed;
	bool found;
};

static void on_read(void *ctx, const struct fdef *def)
{
	struct reads *r = ctx;

	r->found |= def == r->changed || def->expr[FSLOT_CALCULATE] != NULL;
}

static bool is_due(const struct feval *ev, const struct fnode *n, const struct fexpr *e)
{
	struct reads r = {ev->changed, false};

	if (!e->is_volatile || !n->is_computed)
		return true;
	fexpr_reads(e, on_read, &r);
	return r.found && ev->changed != NULL;
}

static void calculate_one(struct feval *ev, struct fnode *n)
{
	struct farena_mark m;
	struct fval v;
	const char *s;

	if (n->calculated != FEVAL_UNKNOWN) {
		if (n->calculated == FEVAL_BUSY)
			ev->is_circular = true;
		return;
	}
	n->calculated = FEVAL_BUSY;
	if (feval_relevant(ev, n) && ev->fuel > 0
	    && is_due(ev, n, n->def->expr[FSLOT_CALCULATE])) {
		m = farena_mark(ev->scratch);
		feval_at(ev, n->def->expr[FSLOT_CALCULATE], n, &v);
		s = fval_store(ev, &v, n->def);
		/* Out of fuel the value is unknown: the old one is worth more. */
		if (ev->why[0] == '\0' && strcmp(s, n->text) != 0
		    && ftree_set_text(ev->answers, n, s, strlen(s)) != 0)
			feval_lacks(ev, ev->answers, "There is not enough memory for a calculated value.");
		n->is_computed = true;
		farena_release(ev->scratch, m);
	}
	n->calculated = FEVAL_YES;
}

static bool is_calculated(const struct feval *ev, const struct fnode *n)
{
	return ev->do_calculate && n->def != NULL && n->def->expr[FSLOT_CALCULATE] != NULL
		&& n->first == NULL;
}

void feval_calculate(struct feval *ev, struct fnode *n)
{
	struct fnode *c;

	if (is_calculated(ev, n))
		calculate_one(ev, n);
	for (c = n->first; c != NULL; c = c->next)
		feval_calculate(ev, c);
}

const char *feval_node_text(struct feval *ev, const struct fnode *n)
{
	if (n == ev->candidate)
		return ev->candidate_text;
	/* A calculation that reads its own node reads the value it had: once(). */
	if (is_calculated(ev, n) && n != ev->node)
		calculate_one(ev, (struct fnode *)n);
	return n->text;
}

/* ---- paths -------------------------------------------------------------------------- */

struct nodes {
	const struct fnode **at;
	size_t n, cap;
};

static bool add(struct feval *ev, struct nodes *l, const struct fnode *n)
{
	const struct fnode **at;
	size_t cap;

	if (!feval_spend(ev, 1))
		return false;
	if (l->n == l->cap) {
		cap = l->cap == 0 ? 8 : l->cap * 2;
		at = scratch(ev, cap * sizeof *at);
		if (at == NULL)
			return false;
		if (l->n > 0)
			memcpy(at, l->at, l->n * sizeof *at);
		l->at = at;
		l->cap = cap;
	}
	l->at[l->n++] = n;
	return true;
}

static void descend(struct feval *ev, struct nodes *l, const struct fnode *n, const char *name)
{
	const struct fnode *c;

	for (c = n->first; c != NULL && feval_spend(ev, 1); c = c->next) {
		if (c->name == NULL)
			continue;
		if (name == NULL || strcmp(c->name, name) == 0)
			add(ev, l, c);
		descend(ev, l, c, name);
	}
}

static void filter(struct feval *ev, struct nodes *l, const struct fexpr *predicates)
{
	const struct fnode *node = ev->node;
	size_t position = ev->position, i, n;
	struct farena_mark m;
	struct fval v;
	bool keep;

	for (; predicates != NULL && !ev->no_filter; predicates = predicates->next) {
		for (i = n = 0; i < l->n; i++) {
			m = farena_mark(ev->scratch);
			ev->node = l->at[i];
			ev->position = i + 1;
			feval_expr(ev, predicates, &v);
			keep = v.kind == FVAL_NUMBER ? v.number == (double)(i + 1) : fval_boolean(ev, &v);
			farena_release(ev->scratch, m);
			if (keep)
				l->at[n++] = l->at[i];
		}
		l->n = n;
	}
	ev->node = node;
	ev->position = position;
}

static const struct fnode *attribute(struct feval *ev, const struct fnode *n, const char *name)
{
	const char *value = name == NULL ? NULL : ftree_attr(n, NULL, name);
	struct fnode *a;

	if (value == NULL || (a = scratch(ev, sizeof *a)) == NULL)
		return NULL;
	a->ns = "";
	a->name = name;
	a->text = value;
	a->parent = (struct fnode *)n;
	a->relevant = FEVAL_YES;
	return a;
}

static void take_step(struct feval *ev, struct nodes *to, const struct fnode *n,
                      const struct fstep *step, bool is_deep)
{
	const struct fnode *c;

	switch (step->axis) {
	case FAXIS_SELF:
		add(ev, to, n);
		break;
	case FAXIS_PARENT:
		/* Siblings share their parent: it is added once. */
		if (n->parent != NULL && (to->n == 0 || to->at[to->n - 1] != n->parent))
			add(ev, to, n->parent);
		break;
	case FAXIS_CHILD:
		if (is_deep) {
			descend(ev, to, n, step->name);
			break;
		}
		for (c = n->first; c != NULL && feval_spend(ev, 1); c = c->next)
			if (c->name != NULL && (step->name == NULL || strcmp(c->name, step->name) == 0))
				add(ev, to, c);
		break;
	case FAXIS_ATTRIBUTE:
		c = attribute(ev, n, step->name);
		if (c != NULL)
			add(ev, to, c);
		break;
	case FAXIS_DESCENDANT:
		break;
	}
}

static void take_steps(struct feval *ev, struct nodes *l, const struct fstep *step)
{
	struct nodes to;
	bool is_deep = false;
	size_t i;

	for (; step != NULL; step = step->next) {
		if (step->axis == FAXIS_DESCENDANT) {
			is_deep = true;
			continue;
		}
		memset(&to, 0, sizeof to);
		for (i = 0; i < l->n; i++) {
			struct nodes one = {to.at, to.n, to.cap};
			size_t before = to.n;

			take_step(ev, &one, l->at[i], step, is_deep);
			/* Predicates count within what one parent gave. */
			if (step->predicates != NULL && one.n > before) {
				struct nodes part = {one.at + before, one.n - before, 0};

				filter(ev, &part, step->predicates);
				one.n = before + part.n;
			}
			to = one;
		}
		*l = to;
		is_deep = false;
	}
}

static bool in_answers(const struct feval *ev, const struct fnode *n)
{
	for (; n != NULL; n = n->parent)
		if (n == ev->root)
			return true;
	return false;
}

/*
 * An absolute path shares its first steps with the context as long as names agree and no
 * predicate chooses otherwise: inside child[2], /data/child/age is the age of child[2].
 * Within a predicate the last step stays free, so that in
 * /data/child[position() = count(/data/child)] the count is that of all.
 */
static const struct fstep *bind_to_context(struct feval *ev, struct nodes *l,
                                           const struct fstep *step)
{
	const struct fnode *context = in_answers(ev, ev->node) ? ev->node : ev->current;
	const struct fnode *chain[80];
	const struct fnode *n;
	size_t depth = 0, i;

	for (n = context; n != NULL && depth < 80; n = n->parent)
		chain[depth++] = n;
	if (step == NULL) {
		add(ev, l, ev->root);
		return NULL;
	}
	if (step->axis != FAXIS_CHILD) {
		add(ev, l, ev->root);
		/* "//name" also finds the root itself; nobody writes that. */
		return step;
	}
	if (step->name != NULL && strcmp(step->name, ev->root->name) != 0)
		return NULL;
	n = ev->root;
	if (depth > 0 && chain[depth - 1] == ev->root && step->predicates == NULL) {
		step = step->next;
		for (i = depth - 1; i > 0 && step != NULL && step->axis == FAXIS_CHILD
		     && step->predicates == NULL && step->name != NULL
		     && !(step->next == NULL && ev->position > 0)
		     && strcmp(step->name, chain[i - 1]->name) == 0; i--) {
			n = chain[i - 1];
			step = step->next;
		}
	} else {
		step = step->next;
	}
	add(ev, l, n);
	return step;
}

static void eval_path(struct feval *ev, const struct fexpr *e, struct fval *out)
{
	const struct fstep *steps = e->steps;
	struct nodes l = {NULL, 0, 0};
	struct fval v;
	size_t i, n;

	switch (e->start) {
	case FSTART_ROOT:
		steps = bind_to_context(ev, &l, steps);
		break;
	case FSTART_CONTEXT:
		if (ev->node != NULL)
			add(ev, &l, ev->node);
		break;
	case FSTART_EXPR:
		feval_expr(ev, e->args, &v);
		if (v.kind == FVAL_NODES) {
			l.at = v.nodes;
			l.n = l.cap = v.n_nodes;
		}
		filter(ev, &l, e->predicates);
		break;
	}
	take_steps(ev, &l, steps);
	/* What is not relevant is not there; other instances always are. */
	for (i = n = 0; i < l.n; i++) {
		const struct fnode *at = l.at[i];

		if (at->def == NULL || at == ev->candidate || at == ev->current
		    || feval_relevant(ev, at))
			l.at[n++] = at;
	}
	memset(out, 0, sizeof *out);
	out->kind = FVAL_NODES;
	out->nodes = l.at;
	out->n_nodes = n;
}

/* ---- operators ---------------------------------------------------------------------- */

/* Dates compare by day unless both have a time. */
static bool compare_dates(struct feval *ev, const struct fval *a, const struct fval *b,
                          double *x, double *y)
{
	bool a_time, b_time;

	if (a->kind != FVAL_DATE && b->kind != FVAL_DATE)
		if (a->kind != FVAL_STRING || b->kind != FVAL_STRING)
			return false;
	if (a->kind == FVAL_NUMBER || b->kind == FVAL_NUMBER || !fval_date(ev, a, x, &a_time)
	    || !fval_date(ev, b, y, &b_time))
		return false;
	if (!a_time || !b_time) {
		*x = floor(*x);
		*y = floor(*y);
	}
	return true;
}

static bool equal(struct feval *ev, struct fval *a, struct fval *b)
{
	double x, y;

	fval_unpack(ev, a);
	fval_unpack(ev, b);
	if (a->kind == FVAL_BOOLEAN || b->kind == FVAL_BOOLEAN)
		return fval_boolean(ev, a) == fval_boolean(ev, b);
	if (a->kind == FVAL_NUMBER || b->kind == FVAL_NUMBER)
		return fabs(fval_number(ev, a) - fval_number(ev, b)) < 1e-12;
	if ((a->kind == FVAL_DATE || b->kind == FVAL_DATE) && compare_dates(ev, a, b, &x, &y))
		return fabs(x - y) < 1e-9;
	return strcmp(fval_string(ev, a), fval_string(ev, b)) == 0;
}

static bool ordered(struct feval *ev, enum fop op, struct fval *a, struct fval *b)
{
	double x, y;

	fval_unpack(ev, a);
	fval_unpack(ev, b);
	if (!compare_dates(ev, a, b, &x, &y)) {
		x = fval_number(ev, a);
		y = fval_number(ev, b);
	}
	switch (op) {
	case FOP_LT: return x < y;
	case FOP_LE: return x <= y;
	case FOP_GT: return x > y;
	default: return x >= y;
	}
}

static void eval_union(struct feval *ev, struct fval *a, const struct fval *b, struct fval *out)
{
	struct nodes l = {NULL, 0, 0};
	size_t i, k;

	for (i = 0; a->kind == FVAL_NODES && i < a->n_nodes; i++)
		add(ev, &l, a->nodes[i]);
	for (i = 0; b->kind == FVAL_NODES && i < b->n_nodes; i++) {
		for (k = 0; k < l.n && l.at[k] != b->nodes[i]; k++)
			feval_spend(ev, 1);
		if (k == l.n)
			add(ev, &l, b->nodes[i]);
	}
	memset(out, 0, sizeof *out);
	out->kind = FVAL_NODES;
	out->nodes = l.at;
	out->n_nodes = l.n;
}

static void eval_binary(struct feval *ev, const struct fexpr *e, struct fval *out)
{
	const struct fexpr *right = e->args->next;
	struct fval a, b;
	double x, y;

	feval_expr(ev, e->args, &a);
	if (e->op == FOP_AND || e->op == FOP_OR) {
		if (fval_boolean(ev, &a) == (e->op == FOP_OR)) {
			fval_set_boolean(out, e->op == FOP_OR);
			return;
		}
		feval_expr(ev, right, &b);
		fval_set_boolean(out, fval_boolean(ev, &b));
		return;
	}
	feval_expr(ev, right, &b);
	switch (e->op) {
	case FOP_EQ:
	case FOP_NE:
		fval_set_boolean(out, equal(ev, &a, &b) == (e->op == FOP_EQ));
		return;
	case FOP_LT:
	case FOP_LE:
	case FOP_GT:
	case FOP_GE:
		fval_set_boolean(out, ordered(ev, e->op, &a, &b));
		return;
	case FOP_UNION:
		eval_union(ev, &a, &b, out);
		return;
	default:
		break;
	}
	x = fval_number(ev, &a);
	y = fval_number(ev, &b);
	switch (e->op) {
	case FOP_ADD: x += y; break;
	case FOP_SUB: x -= y; break;
	case FOP_MUL: x *= y; break;
	case FOP_DIV: x /= y; break;
	default: x = fmod(x, y); break;
	}
	fval_set_number(out, x);
}

void feval_expr(struct feval *ev, const struct fexpr *e, struct fval *out)
{
	struct fval v;

	fval_set_string(out, "");
	if (!feval_spend(ev, 1))
		return;
	if (++ev->depth > FEVAL_DEPTH_MAX) {
		feval_stop(ev, "The answers of the form depend on each other too deeply.");
	} else switch (e->op) {
	case FOP_NUMBER:
		fval_set_number(out, e->number);
		break;
	case FOP_STRING:
		fval_set_string(out, e->string);
		break;
	case FOP_PATH:
		eval_path(ev, e, out);
		break;
	case FOP_CALL:
		e->func->eval(ev, e, out);
		break;
	case FOP_NEG:
		feval_expr(ev, e->args, &v);
		fval_set_number(out, -fval_number(ev, &v));
		break;
	case FOP_OR:
	case FOP_AND:
	case FOP_EQ:
	case FOP_NE:
	case FOP_LT:
	case FOP_LE:
	case FOP_GT:
	case FOP_GE:
	case FOP_ADD:
	case FOP_SUB:
	case FOP_MUL:
	case FOP_DIV:
	case FOP_MOD:
	case FOP_UNION:
		eval_binary(ev, e, out);
		break;
	}
	ev->depth--;
}

void feval_at(struct feval *ev, const struct fexpr *e, const struct fnode *n, struct fval *out)
{
	const struct fnode *node = ev->node, *current = ev->current;
	size_t position = ev->position;

	ev->node = ev->current = n;
	ev->position = 0;
	feval_expr(ev, e, out);
	ev->node = node;
	ev->current = current;
	ev->position = position;
}

bool feval_is_true(struct feval *ev, const struct fexpr *e, const struct fnode *n)
{
	struct farena_mark m = farena_mark(ev->scratch);
	struct fval v;
	bool yes;

	feval_at(ev, e, n, &v);
	yes = fval_boolean(ev, &v);
	farena_release(ev->scratch, m);
	return yes;
}

const char *feval_text_at(struct feval *ev, const struct fexpr *e, const struct fnode *n)
{
	struct fval v;

	feval_at(ev, e, n, &v);
	return fval_string(ev, &v);
}

/* ---- labels and choices ------------------------------------------------------------- */

struct label_ctx {
	struct feval *ev;
	const struct fnode *n;
};

static const char *label_output(void *ctx, const struct ftext_part *part)
{
	struct label_ctx *l = ctx;
	struct fval v;

	if (part->expr == NULL)
		return "…";
	feval_at(l->ev, part->expr, l->n, &v);
	return l->ev->is_blind && fval_string(l->ev, &v)[0] == '\0' ? "…" : fval_string(l->ev, &v);
}

const char *feval_label(struct feval *ev, const struct ftext *t, const struct fnode *n)
{
	struct label_ctx l = {ev, n};
	const char *s = t == NULL ? "" : ftext_show(ev->scratch, ev->form, t, ev->lang, label_output, &l);

	return s == NULL ? "" : s;
}

static const char *item_text(struct feval *ev, const struct fexpr *e, const struct fnode *item)
{
	const char *s = e == NULL ? "" : feval_text_at(ev, e, item);
	char *copy = farena_str(ev->scratch, s, strlen(s));

	return copy == NULL ? "" : copy;
}

int feval_options(struct feval *ev, const struct fctl *ctl, const struct fnode *n,
                  struct foption **out, size_t *n_out)
{
	const struct fitemset *set = ctl->itemset;
	const struct fchoice *c;
	struct fval v;
	struct ftext t = {NULL, NULL};
	size_t count = 0, i = 0;

	*out = NULL;
	*n_out = 0;
	for (c = ctl->choices; c != NULL; c = c->next)
		count++;
	fval_set_string(&v, "");
	ev->no_filter = ev->is_blind;
	if (set != NULL && set->nodeset_expr != NULL)
		feval_at(ev, set->nodeset_expr, n, &v);
	ev->no_filter = false;
	if (v.kind == FVAL_NODES)
		count += v.n_nodes;
	*out = scratch(ev, (count + 1) * sizeof **out);
	if (*out == NULL || ev->fuel == 0)
		return -1;
	for (c = ctl->choices; c != NULL; c = c->next, i++) {
		(*out)[i].value = c->value;
		(*out)[i].label = feval_label(ev, &c->label, n);
	}
	for (count = 0; v.kind == FVAL_NODES && count < v.n_nodes; count++) {
		const char *label = item_text(ev, set->label_expr, v.nodes[count]);

		(*out)[i].value = item_text(ev, set->value_expr, v.nodes[count]);
		/* Repeats not yet answered offer nothing to choose. */
		if ((*out)[i].value[0] == '\0')
			continue;
		if (set->label_is_itext) {
			t.itext = fmap_get(&ev->form->itext_by_id, NULL, label);
			label = feval_label(ev, &t, n);
		}
		(*out)[i].label = label[0] == '\0' ? (*out)[i].value : label;
		i++;
	}
	*n_out = i;
	return ev->fuel == 0 ? -1 : 0;
}
