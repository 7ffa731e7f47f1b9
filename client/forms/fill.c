/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The session: where it stands, what it shows, what an answer changes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fill_int.h"
#include "fold.h"
#include "render_int.h"

/* ---- steps in their order ------------------------------------------------------------ */

struct visit {
	struct fill *s;
	bool (*fn)(struct visit *v, const struct fill_place *p, enum fill_kind kind);
	bool is_stopped;
	/* for those who look for something */
	struct fill_place wanted, found, before;
	unsigned number, passed, total;
	bool is_seen;
	void *ctx;
};

struct fnode *fill_near(const struct fnode *context, const struct fdef *def)
{
	const struct fnode *up;
	struct fnode *n;
	const struct fdef *step;

	/* The nearest node around both, then down again. */
	for (up = context; up != NULL; up = up->parent) {
		for (step = def; step != NULL && step->parent != up->def; step = step->parent)
			;
		if (step != NULL || up->def == def)
			break;
	}
	while (up != NULL && up->def != def) {
		for (step = def; step->parent != up->def; step = step->parent)
			;
		for (n = up->first; n != NULL && n->def != step; n = n->next)
			;
		up = n;
	}
	return (struct fnode *)up;
}

static void visit_controls(struct visit *v, const struct fctl *parent, struct fnode *context);

static void visit_place(struct visit *v, const struct fctl *ctl, struct fnode *n,
                        enum fill_kind kind)
{
	struct fill_place p = {ctl, n};

	if (!v->is_stopped && !v->fn(v, &p, kind))
		v->is_stopped = true;
}

static void visit_repeat(struct visit *v, const struct fctl *ctl, struct fnode *context)
{
	struct fnode *parent = ctl->def->parent == context->def ? context
		: fill_near(context, ctl->def->parent), *n;

	if (parent == NULL || !feval_relevant(&v->s->ev, parent))
		return;
	for (n = parent->first; n != NULL && !v->is_stopped; n = n->next)
		if (n->def == ctl->def && feval_relevant(&v->s->ev, n))
			visit_controls(v, ctl, n);
	/*
	 * Relevance of a repeat may depend on its own instance; with none there, nobody can
	 * tell before one is added, so the offer stands.
	 */
	if (ctl->count_expr == NULL && !ctl->no_add_remove) {
		struct fnode ask;

		memset(&ask, 0, sizeof ask);
		ask.name = ctl->def->name;
		ask.ns = ask.text = "";
		ask.def = ctl->def;
		ask.parent = parent;
		if (feval_relevant(&v->s->ev, &ask))
			visit_place(v, ctl, parent, FILL_REPEAT);
	}
}

static bool is_readonly(struct feval *ev, const struct fctl *ctl, const struct fnode *n)
{
	const struct fdef *def = n->def;

	return ctl->is_note || def->expr[FSLOT_CALCULATE] != NULL
		|| (def->expr[FSLOT_READONLY] != NULL && !ev->is_blind && feval_is_true(ev, def->expr[FSLOT_READONLY], n));
}

static void visit_controls(struct visit *v, const struct fctl *parent, struct fnode *context)
{
	const struct fctl *ctl;
	struct fnode *n;

	for (ctl = parent->first; ctl != NULL && !v->is_stopped; ctl = ctl->next) {
		if (ctl->kind == FCTL_REPEAT) {
			visit_repeat(v, ctl, context);
			continue;
		}
		n = ctl->def == NULL ? context : fill_near(context, ctl->def);
		if (n == NULL || !feval_relevant(&v->s->ev, n))
			continue;
		if (ctl->kind == FCTL_GROUP)
			visit_controls(v, ctl, n);
		else
			visit_place(v, ctl, n, is_readonly(&v->s->ev, ctl, n) ? FILL_NOTE : FILL_QUESTION);
	}
}

static void visit_all(struct visit *v)
{
	/* Fuel is for one call of the interface: what an answer sets off has an end. */
	v->s->ev.fuel = FEVAL_FUEL;
	visit_controls(v, v->s->form->body, v->s->root);
}

static bool same(const struct fill_place *a, const struct fill_place *b)
{
	return a->ctl == b->ctl && a->node == b->node;
}

static const struct fill_place end_place = {NULL, NULL};

/* ---- moving --------------------------------------------------------------------------- */

static bool find_neighbours(struct visit *v, const struct fill_place *p, enum fill_kind kind)
{
	if (v->is_seen) {
		v->found = *p;
		return false;
	}
	if (same(p, &v->wanted))
		v->is_seen = true;
	else
		v->before = *p;
	return true;
}

enum perr fill_next(struct fill *s)
{
	struct visit v = {.s = s, .fn = find_neighbours, .wanted = s->at};

	if (s->at.ctl == NULL)
		return PERR_NOTFOUND;
	visit_all(&v);
	s->at = v.found;
	return feval_error(&s->ev);
}

enum perr fill_back(struct fill *s)
{
	struct visit v = {.s = s, .fn = find_neighbours, .wanted = s->at};

	visit_all(&v);
	if (v.before.ctl == NULL)
		return PERR_NOTFOUND;
	s->at = v.before;
	return feval_error(&s->ev);
}

static bool find_number(struct visit *v, const struct fill_place *p, enum fill_kind kind)
{
	if (kind == FILL_REPEAT || p->ctl->number != v->number)
		return true;
	v->found = *p;
	return false;
}

enum perr fill_jump(struct fill *s, unsigned number)
{
	struct visit v = {.s = s, .fn = find_number, .number = number};

	if (number == 0)
		return PERR_NOTFOUND;
	visit_all(&v);
	if (v.found.ctl == NULL)
		return PERR_NOTFOUND;
	s->at = v.found;
	return PERR_OK;
}

static const char *place_path(struct fill *s, const struct fill_place *p, enum fill_kind kind,
                              struct farena *a)
{
	const struct fnode *n;
	unsigned count = 0;
	const char *above;

	if (kind != FILL_REPEAT)
		return instance_path(a, p->node);
	for (n = p->node->first; n != NULL; n = n->next)
		count += n->def == p->ctl->def;
	above = instance_path(a, p->node);
	return above == NULL ? NULL : farena_fmt(a, "%s/%s[%u]", above, p->ctl->def->name, count + 1);
}

static bool find_path(struct visit *v, const struct fill_place *p, enum fill_kind kind)
{
	struct farena_mark m = farena_mark(v->s->scratch);
	const char *path = place_path(v->s, p, kind, v->s->scratch);
	bool is_it = path != NULL && strcmp(path, v->ctx) == 0;

	farena_release(v->s->scratch, m);
	if (is_it)
		v->found = *p;
	return !is_it;
}

struct fill_place fill_place_at(struct fill *s, const char *path)
{
	struct visit v = {.s = s, .fn = find_path, .ctx = (void *)path};

	visit_all(&v);
	return v.found;
}

const char *fill_place_path(struct fill *s, struct farena *a)
{
	if (s->at.ctl == NULL)
		return "";
	return place_path(s, &s->at, s->at.ctl->kind == FCTL_REPEAT ? FILL_REPEAT : FILL_QUESTION, a);
}

enum perr fill_jump_path(struct fill *s, const char *path)
{
	struct fill_place p = fill_place_at(s, path);

	if (p.ctl == NULL)
		return PERR_NOTFOUND;
	s->at = p;
	return PERR_OK;
}

static bool find_first(struct visit *v, const struct fill_place *p, enum fill_kind kind)
{
	v->found = *p;
	return false;
}

struct fill_place fill_first(struct fill *s)
{
	struct visit v = {.s = s, .fn = find_first};

	visit_all(&v);
	return v.found;
}

enum perr fill_jump_end(struct fill *s)
{
	s->at = end_place;
	return PERR_OK;
}

/* ---- showing ---------------------------------------------------------------------------- */

static enum fill_type type_of(const struct fctl *ctl)
{
	static const enum fill_type by_type[] = {
		[FTYPE_STRING] = FILL_TEXT, [FTYPE_INT] = FILL_INT, [FTYPE_DECIMAL] = FILL_DECIMAL,
		[FTYPE_BOOLEAN] = FILL_BOOLEAN, [FTYPE_DATE] = FILL_DATE, [FTYPE_TIME] = FILL_TIME,
		[FTYPE_DATETIME] = FILL_DATETIME, [FTYPE_GEOPOINT] = FILL_PLACE,
		[FTYPE_GEOTRACE] = FILL_TRACE, [FTYPE_GEOSHAPE] = FILL_SHAPE,
		[FTYPE_BINARY] = FILL_FILE, [FTYPE_SELECT] = FILL_TEXT,
	};

	switch (ctl->kind) {
	case FCTL_SELECT1: return FILL_SELECT1;
	case FCTL_SELECT: return FILL_SELECT;
	case FCTL_RANK: return FILL_RANK;
	case FCTL_RANGE: return FILL_RANGE;
	case FCTL_UPLOAD: return FILL_FILE;
	case FCTL_TRIGGER: return FILL_CONFIRM;
	case FCTL_GROUP:
	case FCTL_REPEAT:
	case FCTL_INPUT:
		break;
	}
	return by_type[ctl->def->type];
}

static bool is_chosen(const char *list, const char *value)
{
	size_t len = strlen(value), n;

	for (; *(list += strspn(list, " ")) != '\0'; list += n) {
		n = strcspn(list, " ");
		if (n == len && memcmp(list, value, n) == 0)
			return true;
	}
	return false;
}

/* "Children left alone 2 › Medicines 1" and the labels of groups, outermost first. */
static const char *where_of(struct fill *s, const struct fctl *ctl, const struct fnode *n)
{
	const char *out = "", *label;
	const struct fctl *up;
	const struct fnode *at;

	for (up = ctl->parent; up != NULL && up->parent != NULL; up = up->parent) {
		/* The frame of a repeat has lent it its label. */
		if (up->label == NULL || (up->first != NULL && up->first->label == up->label))
			continue;
		label = feval_label(&s->ev, up->label, n);
		for (at = n; up->kind == FCTL_REPEAT && at != NULL && at->def != up->def; at = at->parent)
			;
		if (up->kind == FCTL_REPEAT && at != NULL)
			label = farena_fmt(s->scratch, "%s %u", label, (unsigned)at->ord);
		out = label == NULL ? NULL : farena_fmt(s->scratch, "%s%s%s", label,
		                                        *out == '\0' ? "" : " › ", out);
		if (out == NULL)
			return "";
	}
	return out;
}

static const char *guidance_of(struct fill *s, const struct fctl *ctl, const struct fnode *n)
{
	struct ftext t = {NULL, NULL};
	const struct fitext *i = ctl->hint == NULL ? NULL : ctl->hint->itext;

	if (i == NULL || s->ev.lang >= s->form->n_langs)
		return "";
	t.parts = i->guidance[s->ev.lang];
	if (t.parts == NULL)
		t.parts = i->guidance[s->form->default_lang];
	return feval_label(&s->ev, &t, n);
}

static int fill_options(struct fill *s, const struct fctl *ctl, const struct fnode *n,
                        struct fill_step *out)
{
	struct fill_option *options;
	struct foption *from;
	size_t i;

	if (ctl->kind != FCTL_SELECT1 && ctl->kind != FCTL_SELECT && ctl->kind != FCTL_RANK)
		return 0;
	if (feval_options(&s->ev, ctl, n, &from, &out->n_options) != 0)
		return -1;
	options = farena_get(s->scratch, (out->n_options + 1) * sizeof *options);
	if (options == NULL)
		return -1;
	for (i = 0; i < out->n_options; i++) {
		options[i].value = from[i].value;
		options[i].label = from[i].label;
		options[i].is_chosen = ctl->kind == FCTL_SELECT1 ? strcmp(n->text, from[i].value) == 0
			: is_chosen(n->text, from[i].value);
	}
	out->options = options;
	return 0;
}

static enum perr describe(struct fill *s, const struct fill_place *p, enum fill_kind kind,
                          struct fill_step *out)
{
	const struct fctl *ctl = p->ctl;
	const struct fnode *n;
	const char *why;

	memset(out, 0, sizeof *out);
	out->kind = kind;
	out->path = out->where = out->label = out->hint = out->guidance = out->value = out->shown = "";
	out->start = out->end = out->by = out->media = out->appearance = "";
	if (kind == FILL_END)
		return PERR_OK;
	out->path = place_path(s, p, kind, s->scratch);
	out->where = where_of(s, ctl, p->node);
	out->label = feval_label(&s->ev, ctl->label, p->node);
	if (out->label[0] == '\0' && kind != FILL_NOTE)
		out->label = ctl->def->name;
	if (kind == FILL_REPEAT) {
		for (n = p->node->first; n != NULL; n = n->next)
			out->n_instances += n->def == ctl->def;
		return out->path == NULL ? PERR_NOMEM : PERR_OK;
	}
	out->type = type_of(ctl);
	out->number = ctl->number;
	out->hint = feval_label(&s->ev, ctl->hint, p->node);
	out->guidance = guidance_of(s, ctl, p->node);
	out->value = p->node->text;
	out->shown = render_value(s->scratch, s->form, p->node->def, p->node->text, s->ev.lang,
	                          s->ev.lang_code);
	out->is_required = kind == FILL_QUESTION && fcheck_required(&s->ev, p->node, &why);
	out->appearance = ctl->appearance == NULL ? "" : ctl->appearance;
	out->media = ctl->mediatype == NULL ? "" : ctl->mediatype;
	if (ctl->kind == FCTL_RANGE) {
		out->start = ctl->start;
		out->end = ctl->end;
		out->by = ctl->step;
	}
	if (fill_options(s, ctl, p->node, out) != 0 || out->path == NULL || out->shown == NULL)
		return feval_error(&s->ev) == PERR_OK ? PERR_NOMEM : feval_error(&s->ev);
	return PERR_OK;
}

static bool count_progress(struct visit *v, const struct fill_place *p, enum fill_kind kind)
{
	if (same(p, &v->wanted)) {
		v->is_seen = true;
		v->passed = v->total;
		v->number = kind;
	}
	if (kind == FILL_QUESTION)
		v->total++;
	return true;
}

static void reset(struct fill *s)
{
	struct farena_mark none = {NULL, 0};

	farena_release(s->scratch, none);
	s->ev.why[0] = '\0';
	s->ev.fuel = FEVAL_FUEL;
}

enum perr fill_current(struct fill *s, struct fill_step *out)
{
	struct visit v = {.s = s, .fn = count_progress, .wanted = s->at};
	enum perr err;

	reset(s);
	visit_all(&v);
	/* An answer elsewhere may have made the current step irrelevant. */
	if (!v.is_seen)
		s->at = end_place;
	err = describe(s, &s->at, v.is_seen ? (enum fill_kind)v.number : FILL_END, out);
	out->done = v.is_seen ? v.passed : v.total;
	out->total = v.total;
	return err;
}

struct review {
	bool (*fn)(void *ctx, const struct fill_step *step);
	void *ctx;
	enum perr err;
};

static bool review_one(struct visit *v, const struct fill_place *p, enum fill_kind kind)
{
	struct farena_mark m = farena_mark(v->s->scratch);
	struct review *r = v->ctx;
	struct fill_step step;
	bool go_on = false;

	r->err = describe(v->s, p, kind, &step);
	if (r->err == PERR_OK)
		go_on = r->fn(r->ctx, &step);
	farena_release(v->s->scratch, m);
	return go_on;
}

enum perr fill_review(struct fill *s, bool (*fn)(void *ctx, const struct fill_step *step),
                      void *ctx)
{
	struct review r = {fn, ctx, PERR_OK};
	struct visit v = {.s = s, .fn = review_one, .ctx = &r};

	reset(s);
	visit_all(&v);
	return r.err;
}

/* ---- answering -------------------------------------------------------------------------- */

/* What people type, made what ODK stores. */
static const char *complete(struct fill *s, const struct fctl *ctl, char *text)
{
	int zone = s->ev.now.tz_min, abs_zone = zone < 0 ? -zone : zone;
	enum fill_type type = type_of(ctl);
	char *comma, offset[16];
	size_t len = strlen(text);
	unsigned words = 0;
	const char *w;

	snprintf(offset, sizeof offset, "%c%02d:%02d", zone < 0 ? '-' : '+', abs_zone / 60 % 24,
	         abs_zone % 60);
	switch (type) {
	case FILL_DECIMAL:
		if ((comma = strchr(text, ',')) != NULL && strchr(text, '.') == NULL)
			*comma = '.';
		break;
	case FILL_TIME:
		if (len == 4 && text[1] == ':')
			return farena_fmt(s->scratch, "0%s:00.000%s", text, offset);
		if (len == 5)
			return farena_fmt(s->scratch, "%s:00.000%s", text, offset);
		break;
	case FILL_DATETIME:
		if (len == 16 && text[10] == ' ')
			text[10] = 'T';
		if (len == 16)
			return farena_fmt(s->scratch, "%s:00.000%s", text, offset);
		break;
	case FILL_PLACE:
		for (w = text; *(w += strspn(w, " ")) != '\0'; w += strcspn(w, " "))
			words++;
		if (words == 2)
			return farena_fmt(s->scratch, "%s 0 0", text);
		break;
	case FILL_CONFIRM:
		if (strcasecmp(text, "ok") == 0)
			return "OK";
		break;
	case FILL_TEXT:
	case FILL_INT:
	case FILL_DATE:
	case FILL_BOOLEAN:
	case FILL_SELECT1:
	case FILL_SELECT:
	case FILL_RANK:
	case FILL_RANGE:
	case FILL_TRACE:
	case FILL_SHAPE:
	case FILL_FILE:
		break;
	}
	return text;
}

static enum perr refuse(char why[FILL_WHY_SIZE], const char *text)
{
	snprintf(why, FILL_WHY_SIZE, "%s", text);
	/* A message may have line ends, and may have been cut inside a character. */
	fold_tidy(why);
	return PERR_RANGE;
}

enum perr fill_answer(struct fill *s, const char *text, size_t len, char why[FILL_WHY_SIZE])
{
	struct fnode *n = s->at.node;
	const char *stored, *message;
	enum fault_kind kind;
	char *copy;

	why[0] = '\0';
	reset(s);
	s->ev.was_unchecked = false;
	if (s->at.ctl == NULL || s->at.ctl->kind == FCTL_REPEAT || is_readonly(&s->ev, s->at.ctl, n)
	    || !feval_relevant(&s->ev, n)) {
		refuse(why, FCHECK_SAY(&s->ev, "There is no question to answer here.",
		                       "Aquí no hay ninguna pregunta que contestar."));
		return PERR_STATE;
	}
	for (; len > 0 && strchr(" \t\r\n", text[0]) != NULL; text++)
		len--;
	while (len > 0 && strchr(" \t\r\n", text[len - 1]) != NULL)
		len--;
	if (len > FILL_ANSWER_MAX)
		return refuse(why, FCHECK_SAY(&s->ev, "The answer is too long.",
		                              "La respuesta es demasiado larga."));
	if (memchr(text, '\r', len) != NULL || !fold_is_text(text, len))
		return refuse(why, FCHECK_SAY(&s->ev, "The answer holds a sign that cannot be stored.",
		                              "La respuesta tiene un signo que no se puede guardar."));
	copy = farena_str(s->scratch, text, len);
	if (copy == NULL)
		return PERR_NOMEM;
	stored = complete(s, s->at.ctl, copy);
	if (stored == NULL)
		return PERR_NOMEM;
	if (stored[0] != '\0' && !fcheck_answer(&s->ev, n, stored, &kind, &message)) {
		copy = kind == FAULT_CONSTRAINT ? farena_fmt(s->scratch, "%s", message)
			: farena_fmt(s->scratch, FCHECK_SAY(&s->ev, "This %s.", "Esta respuesta %s."),
			             message);
		return refuse(why, copy == NULL ? message : copy);
	}
	if (strcmp(stored, n->text) == 0)
		return PERR_OK;
	if (ftree_set_text(s->answers, n, stored, strlen(stored)) != 0)
		return PERR_NOMEM;
	if (s->ev.is_blind)
		return feval_error(&s->ev);
	feval_forget(&s->ev, s->root);
	fill_act(s, s->at.ctl->actions, FEVENT_CHANGED, n);
	return fill_settle(s, n->def);
}

/* ---- repeats ---------------------------------------------------------------------------- */

static bool find_inside(struct visit *v, const struct fill_place *p, enum fill_kind kind)
{
	const struct fnode *n;

	for (n = p->node; n != NULL; n = n->parent)
		if (n == v->wanted.node) {
			v->found = *p;
			return false;
		}
	return true;
}

enum perr fill_add_repeat(struct fill *s)
{
	struct visit v = {.s = s, .fn = find_inside};
	const struct fctl *ctl = s->at.ctl;
	struct fnode *parent = s->at.node, *n, *last = NULL;
	unsigned have = 0;
	enum perr err;

	reset(s);
	if (ctl == NULL || ctl->kind != FCTL_REPEAT)
		return PERR_STATE;
	for (n = parent->first; n != NULL; n = n->next)
		if (n->def == ctl->def) {
			last = n;
			have++;
		}
	if (have >= FILL_REPEATS_MAX)
		return PERR_LIMIT;
	n = fill_plant(s->answers, ctl->def->tmpl);
	if (n == NULL)
		return PERR_NOMEM;
	fill_insert(parent, n, last);
	n->ord = have + 1;
	feval_forget(&s->ev, s->root);
	fill_act(s, ctl->actions, FEVENT_NEW_REPEAT, n);
	err = fill_settle(s, NULL);
	v.wanted.node = n;
	visit_all(&v);
	if (v.found.ctl != NULL)
		s->at = v.found;
	return err;
}

static struct fnode *find_node(struct farena *a, struct fnode *n, const char *path)
{
	struct farena_mark m = farena_mark(a);
	const char *at = instance_path(a, n);
	bool is_it = at != NULL && strcmp(at, path) == 0;
	struct fnode *c, *found;

	farena_release(a, m);
	if (is_it)
		return n;
	for (c = n->first; c != NULL; c = c->next)
		if ((found = find_node(a, c, path)) != NULL)
			return found;
	return NULL;
}

static void wipe(struct fnode *n)
{
	struct fnode *c;

	for (c = n->first; c != NULL; c = c->next)
		wipe(c);
	if (n->text_cap > 0)
		explicit_bzero((char *)n->text, n->text_cap);
}

enum perr fill_remove_repeat(struct fill *s, const char *path)
{
	struct fnode *n, *parent, *c;
	const struct fctl *ctl;

	reset(s);
	if (path[0] == '\0')
		for (n = s->at.node; n != NULL && !n->def->is_repeat; n = n->parent)
			;
	else
		n = find_node(s->scratch, s->root, path);
	if (n == NULL || n->def == NULL || !n->def->is_repeat || n->def->ctl == NULL)
		return PERR_STATE;
	ctl = n->def->ctl;
	if (ctl->count_expr != NULL || ctl->no_add_remove)
		return PERR_STATE;
	parent = n->parent;
	for (c = n->next; c != NULL; c = c->next)
		if (c->def == n->def)
			c->ord--;
	ftree_unlink(n);
	wipe(n);
	s->at.ctl = ctl;
	s->at.node = parent;
	return fill_settle(s, NULL);
}

/* ---- beginning and end ------------------------------------------------------------------- */

struct check_ctx {
	struct faults *faults;
};

static bool check_one(struct visit *v, const struct fill_place *p, enum fill_kind kind)
{
	struct check_ctx *c = v->ctx;
	struct farena_mark m = farena_mark(v->s->scratch);
	struct feval *ev = &v->s->ev;
	const struct fnode *n = p->node;
	enum fault_kind fault = FAULT_REQUIRED;
	const char *why = NULL, *path;
	bool wrong;

	if (kind != FILL_QUESTION)
		return true;
	wrong = n->text[0] == '\0' ? fcheck_required(ev, n, &why)
		: !fcheck_answer(ev, n, n->text, &fault, &why);
	if (wrong && ev->why[0] == '\0') {
		path = instance_path(v->s->scratch, n);
		faults_add(c->faults, fault, p->ctl->number, path == NULL ? "?" : path,
		           fcheck_label(ev, n), "%s: %s%s", fcheck_name(ev, n), why,
		           *why != '\0' && strchr(".!?", why[strlen(why) - 1]) != NULL ? "" : ".");
	}
	farena_release(v->s->scratch, m);
	return true;
}

enum perr fill_check(struct fill *s, struct faults *faults)
{
	struct check_ctx c = {faults};
	struct visit v = {.s = s, .fn = check_one, .ctx = &c};

	reset(s);
	visit_all(&v);
	if (feval_error(&s->ev) != PERR_OK)
		return feval_error(&s->ev);
	return faults_is_broken(faults) ? PERR_NOMEM : PERR_OK;
}

bool fill_is_starved(const struct fill *s)
{
	return feval_error(&s->ev) == PERR_NOMEM;
}

void fill_set_lang(struct fill *s, const char *lang)
{
	s->ev.lang = xform_find_lang(s->form, lang);
	s->ev.lang_code = xform_lang_code(s->form, s->ev.lang);
	s->ev.is_es = xform_says_es(s->form, lang);
}

void fill_set_now(struct fill *s, const struct fclock *now)
{
	s->ev.now = *now;
}

void fill_free(struct fill *s)
{
	if (s != NULL) {
		farena_free(s->answers);
		farena_free(s->scratch);
	}
	free(s);
}
