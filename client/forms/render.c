/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "feval.h"
#include "instance_int.h"
#include "render_int.h"

#define SCRATCH_MAX ((size_t)32 << 20)
#define CHOSEN_MAX 4096
#define LABEL_FUEL 200000

struct walk {
	const struct instance *in;
	const struct xform *form;
	struct farena *a;               /* scratch, released after each row */
	size_t lang;
	const char *lang_code;
	struct feval ev;
	unsigned flags;
	render_fn *fn;
	void *ctx;
	bool is_stopped;
	enum perr err;
};

/* Choices of a select as labels, joined by commas; a value without a label stays itself. */
static const char *show_choices(struct farena *a, const struct xform *f,
                                const struct fctl *ctl, const char *value, size_t lang)
{
	const char *out = "", *label;
	size_t len;

	while (*(value += strspn(value, " ")) != '\0') {
		len = ctl->kind == FCTL_SELECT1 ? strlen(value) : strcspn(value, " ");
		label = xform_choice_label(a, f, ctl, value, len, lang);
		if (label == NULL || label[0] == '\0')
			label = farena_str(a, value, len);
		if (label == NULL)
			return NULL;
		out = farena_fmt(a, "%s%s%s", out, *out == '\0' ? "" : ", ", label);
		if (out == NULL)
			return NULL;
		value += len;
	}
	return out;
}

/* Dates keep the offset they were written with: the reader is told what the family said. */
static const char *show_date(struct farena *a, const char *value, const char *lang_code)
{
	char out[FDATE_SIZE];
	char *plain = farena_str(a, value, strlen(value)), *zone;
	double days;
	bool has_time;

	if (plain == NULL)
		return NULL;
	zone = strchr(plain, 'T');
	if (zone != NULL && (zone = strpbrk(zone, "Z+-")) != NULL)
		*zone = '\0';
	if (!fdate_parse(plain, 0, &days, &has_time))
		return value;
	fdate_show(out, days, has_time, lang_code);
	return farena_str(a, out, strlen(out));
}

const char *render_value(struct farena *a, const struct xform *f, const struct fdef *def,
                         const char *value, size_t lang, const char *lang_code)
{
	const struct fctl *ctl = def == NULL ? NULL : def->ctl;

	/* Labels only for what a person can have chosen: a longer list is somebody's attack. */
	if (ctl != NULL && (ctl->choices != NULL || ctl->itemset != NULL)
	    && strlen(value) <= CHOSEN_MAX)
		return show_choices(a, f, ctl, value, lang);
	if (def == NULL)
		return value;
	if (def->type == FTYPE_DATE || def->type == FTYPE_DATETIME)
		return show_date(a, value, lang_code);
	if (def->type == FTYPE_TIME && strlen(value) > 5 && value[2] == ':')
		return farena_str(a, value, 5);
	return value;
}

/* The node of a definition, in the same instance of each repeat as context. */
static const struct fnode *node_in(const struct fnode *context, const struct fdef *def)
{
	const struct fnode *n, *c;
	const struct fdef *step;

	for (n = context; n != NULL; n = n->parent) {
		for (step = def; step != NULL && step->parent != n->def; step = step->parent)
			;
		if (n->def == NULL || step == NULL)
			continue;
		for (c = n; c != NULL && c->def != def; ) {
			for (step = def; step->parent != c->def; step = step->parent)
				;
			for (c = c->first; c != NULL && c->def != step; c = c->next)
				;
		}
		return c;
	}
	return NULL;
}

struct output_ctx {
	struct walk *w;
	const struct fnode *context;
};

/* Outputs that are plain paths show choices and dates as the rows do. */
static const char *output(void *ctx, const struct ftext_part *part)
{
	struct output_ctx *o = ctx;
	const struct fdef *def = part->expr == NULL || part->expr->op != FOP_PATH ? NULL
		: part->expr->def;
	const char *s = part->expr == NULL ? "" : feval_text_at(&o->w->ev, part->expr, o->context);

	if (def != NULL)
		s = render_value(o->w->a, o->w->form, def, s, o->w->lang, o->w->lang_code);
	return s == NULL || s[0] == '\0' ? "…" : s;
}

static const char *label_of(struct walk *w, const struct fctl *ctl, const struct fnode *context)
{
	struct output_ctx o = {w, context};
	const char *s = NULL;

	/* Each label has its own fuel: one that computes without end spoils only itself. */
	w->ev.fuel = LABEL_FUEL;
	w->ev.why[0] = '\0';
	if (ctl != NULL && ctl->label != NULL)
		s = ftext_show(w->a, w->form, ctl->label, w->lang, output, &o);
	return s == NULL ? "" : s;
}

static void emit(struct walk *w, struct render_row *row, const struct fnode *n)
{
	struct farena_mark m = farena_mark(w->a);

	if (w->is_stopped || w->err != PERR_OK)
		return;
	row->path = n == NULL ? "" : instance_path(w->a, n);
	row->shown = n == NULL || n->first != NULL ? ""
		: render_value(w->a, w->form, n->def, n->text, w->lang, w->lang_code);
	row->value = n == NULL || n->first != NULL ? "" : n->text;
	row->is_attachment = n != NULL && n->def != NULL && n->def->type == FTYPE_BINARY
		&& n->text[0] != '\0';
	if (row->path == NULL || row->shown == NULL)
		w->err = PERR_NOMEM;
	else if (!w->fn(w->ctx, row))
		w->is_stopped = true;
	farena_release(w->a, m);
}

static void walk_leftovers(struct walk *w, const struct fnode *n, unsigned depth)
{
	const struct fnode *c;

	for (c = n->first; c != NULL; c = c->next) {
		struct render_row row = {RENDER_UNKNOWN, depth, 0, 0, 0, c->name, "", "", "", false};
		bool has_ctl = c->def != NULL && c->def->ctl != NULL;

		if (c->def != NULL && c->def->is_meta && !(w->flags & RENDER_META))
			continue;
		if (c->first != NULL && has_ctl)
			continue;                       /* shown with its own leftovers already */
		if (c->first != NULL) {
			walk_leftovers(w, c, depth);
			continue;
		}
		if (c->text[0] == '\0' || (has_ctl && c->ord == 1))
			continue;
		if (c->def != NULL)
			row.kind = RENDER_HIDDEN;
		emit(w, &row, c);
	}
}

static void walk_controls(struct walk *w, const struct fctl *parent, const struct fnode *context,
                          unsigned depth);

static void walk_repeat(struct walk *w, const struct fctl *ctl, const struct fnode *context,
                        unsigned depth)
{
	const struct fnode *n, *first = node_in(context, ctl->def);
	struct farena_mark m = farena_mark(w->a);
	unsigned n_of = 0;

	for (n = first; n != NULL; n = n->next)
		n_of += n->def == ctl->def;
	for (n = first; n != NULL && !w->is_stopped; n = n->next) {
		struct render_row row = {RENDER_REPEAT, depth, n->ord, n_of, 0, "", "", "", "", false};

		if (n->def != ctl->def)
			continue;
		row.label = label_of(w, ctl, n);
		emit(w, &row, n);
		walk_controls(w, ctl, n, depth + 1);
		walk_leftovers(w, n, depth + 1);
		farena_release(w->a, m);
	}
}

static bool has_answer(const struct fnode *n)
{
	const struct fnode *c;

	if (n->first == NULL)
		return n->text[0] != '\0';
	for (c = n->first; c != NULL; c = c->next)
		if (has_answer(c))
			return true;
	return false;
}

static void walk_group(struct walk *w, const struct fctl *ctl, const struct fnode *context,
                       unsigned depth)
{
	struct render_row row = {RENDER_GROUP, depth, 0, 0, 0, "", "", "", "", false};
	const struct fnode *n = ctl->def == NULL ? context : node_in(context, ctl->def);

	if (n == NULL)
		return;
	if (ctl->def != NULL && !has_answer(n) && !(w->flags & RENDER_EMPTY))
		return;
	row.label = label_of(w, ctl, n);
	/* The frame of a repeat gives its label to every instance instead. */
	if (row.label[0] != '\0' && !(ctl->first != NULL && ctl->first->label == ctl->label)) {
		emit(w, &row, ctl->def == NULL ? NULL : n);
		depth++;
	}
	walk_controls(w, ctl, n, depth);
	if (ctl->def != NULL)
		walk_leftovers(w, n, depth);
}

static void walk_controls(struct walk *w, const struct fctl *parent, const struct fnode *context,
                          unsigned depth)
{
	struct farena_mark m = farena_mark(w->a);
	const struct fctl *ctl;
	const struct fnode *n;

	for (ctl = parent->first; ctl != NULL && !w->is_stopped; ctl = ctl->next) {
		struct render_row row = {RENDER_QUESTION, depth, 0, 0, ctl->number, "", "", "", "",
		                         false};

		if (ctl->kind == FCTL_GROUP) {
			walk_group(w, ctl, context, depth);
		} else if (ctl->kind == FCTL_REPEAT) {
			walk_repeat(w, ctl, context, depth);
		} else {
			n = node_in(context, ctl->def);
			if ((n == NULL || n->text[0] == '\0') && !(w->flags & RENDER_EMPTY))
				continue;
			/* One answer has one row, however often its control stands in the body. */
			if (ctl->def->ctl != ctl)
				continue;
			if (ctl->is_note)
				row.kind = RENDER_NOTE;
			row.label = label_of(w, ctl, n == NULL ? context : n);
			if (row.label[0] == '\0')
				row.label = ctl->def->name;
			emit(w, &row, n);
		}
		farena_release(w->a, m);
	}
}

enum perr render_rows(const struct instance *in, const char *lang, unsigned flags,
                      render_fn *fn, void *ctx)
{
	struct walk w;

	memset(&w, 0, sizeof w);
	w.in = in;
	w.form = in->form;
	w.lang_code = "";
	w.flags = flags;
	w.fn = fn;
	w.ctx = ctx;
	w.a = farena_new(SCRATCH_MAX);
	if (w.a == NULL)
		return PERR_NOMEM;
	if (in->form != NULL) {
		w.ev.form = in->form;
		w.ev.root = in->root;
		w.ev.scratch = w.a;
		/* What the reader sees is what was answered: nothing is calculated anew. */
		w.ev.fuel = LABEL_FUEL;
		feval_forget(&w.ev, in->root);
		w.lang = xform_find_lang(in->form, lang);
		w.lang_code = xform_lang_code(in->form, w.lang);
		w.ev.lang = w.lang;
		w.ev.lang_code = w.lang_code;
		walk_controls(&w, in->form->body, in->root, 0);
	}
	walk_leftovers(&w, in->root, 0);
	farena_free(w.a);
	return w.err;
}

static const struct fnode *node_at(struct farena *a, const struct fnode *n, const char *path)
{
	struct farena_mark m = farena_mark(a);
	const char *at = instance_path(a, n);
	bool is_it = at != NULL && strcmp(at, path) == 0;
	const struct fnode *c, *found;

	farena_release(a, m);
	if (is_it)
		return n;
	for (c = n->first; c != NULL; c = c->next)
		if ((found = node_at(a, c, path)) != NULL)
			return found;
	return NULL;
}

enum perr render_shown(const struct instance *in, const char *path, const char *value, size_t len,
                       const char *lang, char **out)
{
	struct farena *a = farena_new(SCRATCH_MAX);
	const char *text = a == NULL ? NULL : farena_str(a, value, len);
	const struct fnode *n = text == NULL ? NULL : node_at(a, in->root, path);
	size_t at;

	if (text != NULL && n != NULL && in->form != NULL) {
		at = xform_find_lang(in->form, lang);
		text = render_value(a, in->form, n->def, text, at, xform_lang_code(in->form, at));
	}
	*out = text == NULL ? NULL : strdup(text);
	farena_free(a);
	return *out == NULL ? PERR_NOMEM : PERR_OK;
}

struct text {
	char *bytes;
	size_t len, cap;
	enum perr err;
};

static void add_line(struct text *t, const char *s)
{
	size_t len = strlen(s), cap;
	char *bytes;

	if (len == 0 || t->err != PERR_OK)
		return;
	if (t->cap - t->len < len + 2) {
		cap = t->cap * 2 + len + 1024;
		bytes = malloc(cap);
		if (bytes == NULL) {
			t->err = PERR_NOMEM;
			return;
		}
		/* Not realloc: the old block held answers and is wiped. */
		if (t->bytes != NULL) {
			memcpy(bytes, t->bytes, t->len);
			explicit_bzero(t->bytes, t->len);
			free(t->bytes);
		}
		t->bytes = bytes;
		t->cap = cap;
	}
	memcpy(t->bytes + t->len, s, len);
	t->len += len;
	t->bytes[t->len++] = '\n';
}

static void add_answers(struct text *t, struct farena *a, const struct xform *f,
                        const struct fnode *n)
{
	const struct fdef *def = n->def;
	struct farena_mark m = farena_mark(a);
	const struct fnode *c;
	const char *s;
	size_t i;

	if (def != NULL && def->is_meta)
		return;
	for (c = n->first; c != NULL; c = c->next)
		add_answers(t, a, f, c);
	if (n->first != NULL || n->text[0] == '\0' || (def != NULL && def->type == FTYPE_BINARY))
		return;
	add_line(t, n->text);
	if (def == NULL || def->ctl == NULL || strlen(n->text) > CHOSEN_MAX
	    || (def->ctl->choices == NULL && def->ctl->itemset == NULL))
		return;
	for (i = 0; i == 0 || i < f->n_langs; i++) {
		s = show_choices(a, f, def->ctl, n->text, i);
		if (s == NULL)
			t->err = PERR_NOMEM;
		else if (strcmp(s, n->text) != 0)
			add_line(t, s);
	}
	farena_release(a, m);
}

enum perr render_text(const struct instance *in, char **out, size_t *len)
{
	struct text t = {NULL, 0, 0, PERR_OK};
	struct farena *a = farena_new(SCRATCH_MAX);

	*out = NULL;
	*len = 0;
	if (a == NULL)
		return PERR_NOMEM;
	add_answers(&t, a, in->form, in->root);
	farena_free(a);
	if (t.err == PERR_OK && t.bytes == NULL && (t.bytes = malloc(1)) == NULL)
		t.err = PERR_NOMEM;
	if (t.err != PERR_OK) {
		if (t.bytes != NULL)
			explicit_bzero(t.bytes, t.len);
		free(t.bytes);
		return t.err;
	}
	t.bytes[t.len] = '\0';
	*out = t.bytes;
	*len = t.len;
	return PERR_OK;
}
