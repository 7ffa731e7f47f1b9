/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* How a session begins and what it leaves: defaults, preloads, drafts, submissions. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fbuf.h"
#include "fill_int.h"
#include "fold.h"

#define ANSWERS_MAX ((size_t)64 << 20)
#define SCRATCH_MAX ((size_t)64 << 20)
#define OUT_MAX ((size_t)16 << 20)
#define NODES_MAX 100000
#define DRAFT_NS "urn:amparo:draft:1"

/* Instances in the form and in drafts may lack nodes that others of their kind have. */
static int plant_missing(struct farena *a, struct fnode *n)
{
	const struct fdef *d;
	struct fnode *c, *planted;

	for (d = n->def->first; d != NULL; d = d->next) {
		for (c = n->first; c != NULL && c->def != d; c = c->next)
			;
		if (c != NULL || d->is_repeat)
			continue;
		planted = fill_plant(a, d->node);
		if (planted == NULL)
			return -1;
		fill_insert(n, planted, NULL);
	}
	return 0;
}

struct fnode *fill_plant(struct farena *a, const struct fnode *from)
{
	/* Text beside the questions of a group is no answer. */
	const char *text = from->def->first == NULL ? from->text : "";
	struct fnode *n = ftree_new(a, from->ns, from->name), *child, *last;
	const struct fnode *c;

	if (n == NULL || ftree_set_text(a, n, text, strlen(text)) != 0)
		return NULL;
	n->def = from->def;
	n->attrs = from->attrs;
	n->ord = 1;
	for (c = from->first; c != NULL; c = c->next) {
		/* Templates are what new instances look like, not instances. */
		if (c->name == NULL || c->is_template)
			continue;
		child = fill_plant(a, c);
		if (child == NULL)
			return NULL;
		for (last = n->last; last != NULL && last->def != child->def; last = last->prev)
			;
		child->ord = last == NULL ? 1 : last->ord + 1;
		ftree_insert(n, child, NULL);
	}
	return plant_missing(a, n) == 0 ? n : NULL;
}

int fill_complete(struct fill *s, struct fnode *n)
{
	struct fnode *c;

	if (n->def->first != NULL && n->text_cap > 0
	    && ftree_set_text(s->answers, n, "", 0) != 0)
		return -1;
	if (plant_missing(s->answers, n) != 0)
		return -1;
	for (c = n->first; c != NULL; c = c->next)
		if (c->def != NULL && c->def->first != NULL && fill_complete(s, c) != 0)
			return -1;
	return 0;
}

/* ---- first load -------------------------------------------------------------------------- */

static void set(struct fill *s, struct fnode *n, const char *text)
{
	if (text != n->text && ftree_set_text(s->answers, n, text, strlen(text)) != 0)
		feval_lacks(&s->ev, s->answers, "There is not enough memory for the answers.");
}

void fill_act(struct fill *s, const struct faction *a, unsigned event,
              const struct fnode *context)
{
	struct farena_mark m;
	struct fnode *n;
	struct fval v;

	for (; a != NULL; a = a->next) {
		if (!(a->events & event) || (n = fill_near(context, a->target)) == NULL
		    || n->first != NULL)
			continue;
		m = farena_mark(s->scratch);
		if (a->literal != NULL) {
			set(s, n, a->literal);
		} else {
			feval_at(&s->ev, a->expr, n, &v);
			set(s, n, fval_store(&s->ev, &v, a->target));
		}
		farena_release(s->scratch, m);
		feval_forget(&s->ev, s->root);
	}
}

static void act_on_load(struct fill *s, const struct fctl *ctl, struct fnode *context)
{
	const struct fctl *c;
	struct fnode *n;

	for (c = ctl->first; c != NULL; c = c->next) {
		if (c->kind == FCTL_REPEAT) {
			n = fill_near(context, c->def->parent);
			for (n = n == NULL ? NULL : n->first; n != NULL; n = n->next)
				if (n->def == c->def) {
					fill_act(s, c->actions, FEVENT_FIRST_LOAD, n);
					act_on_load(s, c, n);
				}
			continue;
		}
		fill_act(s, c->actions, FEVENT_FIRST_LOAD, context);
		act_on_load(s, c, context);
	}
}

static void write_now(struct fill *s, struct fnode *n)
{
	char text[FDATE_SIZE];

	fdate_write(text, fdate_now(&s->ev.now), n->def->type != FTYPE_DATE, s->ev.now.tz_min);
	set(s, n, text);
}

static void new_uuid(struct fill *s, struct fnode *n)
{
	uint8_t r[16] = {0};
	char text[64];

	if (s->ev.random == NULL)
		return;
	s->ev.random(s->ev.random_ctx, r, sizeof r);
	snprintf(text, sizeof text, "uuid:%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-"
	         "%02x%02x%02x%02x%02x%02x", r[0], r[1], r[2], r[3], r[4], r[5], (r[6] & 15) | 64,
	         r[7], (r[8] & 63) | 128, r[9], r[10], r[11], r[12], r[13], r[14], r[15]);
	set(s, n, text);
}

/*
 * What identifies a device or its owner (property) is left empty on purpose: a seized
 * record must not say whose phone wrote it.
 */
static void preload(struct fill *s, struct fnode *n, bool at_end)
{
	const char *kind = n->def == NULL ? NULL : n->def->preload;
	const char *params = kind == NULL || n->def->preload_params == NULL ? ""
		: n->def->preload_params;
	struct fnode *c;

	if (kind != NULL && n->first == NULL) {
		bool is_end = strcmp(kind, "timestamp") == 0 && strcmp(params, "end") == 0;

		if (is_end && at_end)
			write_now(s, n);
		else if (!at_end && !is_end && (strcmp(kind, "timestamp") == 0
		         || (strcmp(kind, "date") == 0 && strcmp(params, "today") == 0)))
			write_now(s, n);
		else if (!at_end && strcmp(kind, "uid") == 0)
			new_uuid(s, n);
	}
	for (c = n->first; c != NULL; c = c->next)
		preload(s, c, at_end);
}

/* Every submission has an instanceID, whether the form makes one or not. */
static int name_instance(struct fill *s)
{
	struct fnode *meta = ftree_child(s->root, "meta"), *id;

	if (meta == NULL) {
		meta = ftree_new(s->answers, "http://openrosa.org/xforms", "meta");
		if (meta == NULL)
			return -1;
		ftree_insert(s->root, meta, NULL);
	}
	id = ftree_child(meta, "instanceID");
	if (id == NULL) {
		id = ftree_new(s->answers, meta->ns, "instanceID");
		if (id == NULL)
			return -1;
		ftree_insert(meta, id, NULL);
	}
	if (id->text[0] == '\0')
		new_uuid(s, id);
	return 0;
}

struct fill *fill_session(const struct xform *f, const struct fill_env *env)
{
	struct fill *s = calloc(1, sizeof *s);

	if (s == NULL)
		return NULL;
	s->form = f;
	s->answers = farena_new(ANSWERS_MAX);
	s->scratch = farena_new(SCRATCH_MAX);
	if (s->answers == NULL || s->scratch == NULL) {
		fill_free(s);
		return NULL;
	}
	s->ev.form = f;
	s->ev.answers = s->answers;
	s->ev.scratch = s->scratch;
	s->ev.now = env->now;
	s->ev.random = env->random;
	s->ev.random_ctx = env->random_ctx;
	s->ev.do_calculate = true;
	s->ev.fuel = FEVAL_FUEL;
	fill_set_lang(s, env->lang);
	return s;
}

enum perr fill_ready(struct fill *s, struct fill **out, enum perr err, char why[FILL_WHY_SIZE])
{
	if (err == PERR_OK) {
		why[0] = '\0';
		*out = s;
		return PERR_OK;
	}
	if (err == PERR_NOMEM)
		snprintf(why, FILL_WHY_SIZE, "There is not enough memory to fill in the form.");
	else if (err == PERR_LIMIT)
		snprintf(why, FILL_WHY_SIZE, "%s", s->ev.why);
	fold_tidy(why);
	fill_free(s);
	return err;
}

enum perr fill_new(struct fill **out, const struct xform *f, const struct fill_env *env,
                   char why[FILL_WHY_SIZE])
{
	struct fill *s = fill_session(f, env);
	enum perr err = PERR_NOMEM;

	*out = NULL;
	if (s == NULL || (s->root = fill_plant(s->answers, f->primary)) == NULL)
		return fill_ready(s, out, err, why);
	s->ev.root = s->root;
	preload(s, s->root, false);
	fill_act(s, f->actions, FEVENT_FIRST_LOAD, s->root);
	act_on_load(s, f->body, s->root);
	err = fill_settle(s, NULL);
	if (err == PERR_OK && name_instance(s) != 0)
		err = PERR_NOMEM;
	if (err == PERR_OK) {
		s->at = fill_first(s);
		err = feval_error(&s->ev);
	}
	return fill_ready(s, out, err, why);
}

/* ---- drafts ------------------------------------------------------------------------------- */

static void attribute(struct fbuf *b, const char *name, const char *value)
{
	fbuf_text(b, " ");
	fbuf_text(b, name);
	fbuf_text(b, "=\"");
	fbuf_attr(b, value);
	fbuf_text(b, "\"");
}

static void write_node(struct fill *s, struct fbuf *b, const struct fnode *n, bool is_draft,
                       const char *outer_ns)
{
	const struct fattr *at;
	const struct fnode *c;
	/* Submissions are in no namespace where the form is in that of XForms. */
	const char *ns = !is_draft && strcmp(n->ns, NS_XFORMS) == 0 ? "" : n->ns;

	if (!is_draft && !feval_relevant(&s->ev, n))
		return;
	fbuf_text(b, "<");
	fbuf_text(b, n->name);
	if (strcmp(ns, outer_ns) != 0) {
		attribute(b, "xmlns", ns);
	}
	if (n->parent == NULL) {
		attribute(b, "id", s->form->id);
		if (s->form->version[0] != '\0')
			attribute(b, "version", s->form->version);
	}
	for (at = n->attrs; at != NULL; at = at->next)
		if (at->ns[0] == '\0' && (n->parent != NULL || (strcmp(at->name, "id") != 0
		                         && strcmp(at->name, "version") != 0)))
			attribute(b, at->name, at->value);
	if (n->first == NULL && n->text[0] == '\0') {
		fbuf_text(b, "/>");
		return;
	}
	fbuf_text(b, ">");
	fbuf_xml(b, n->text);
	for (c = n->first; c != NULL; c = c->next)
		write_node(s, b, c, is_draft, ns);
	fbuf_text(b, "</");
	fbuf_text(b, n->name);
	fbuf_text(b, ">");
}

enum perr fill_submission(struct fill *s, uint8_t **xml, size_t *len)
{
	struct fbuf b = {.max = OUT_MAX};

	s->ev.fuel = FEVAL_FUEL;
	s->ev.why[0] = '\0';
	preload(s, s->root, true);
	fbuf_text(&b, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
	write_node(s, &b, s->root, false, "");
	fbuf_text(&b, "\n");
	if (feval_error(&s->ev) != PERR_OK) {
		fbuf_drop(&b);
		return feval_error(&s->ev);
	}
	return fbuf_take(&b, xml, len) == 0 ? PERR_OK : PERR_NOMEM;
}

enum perr fill_draft(struct fill *s, uint8_t **draft, size_t *len)
{
	struct fbuf b = {.max = OUT_MAX};
	struct farena_mark m = farena_mark(s->scratch);
	const char *path = fill_place_path(s, s->scratch);

	fbuf_text(&b, "<draft xmlns=\"" DRAFT_NS "\" form=\"");
	fbuf_attr(&b, s->form->id);
	fbuf_text(&b, "\" version=\"");
	fbuf_attr(&b, s->form->version);
	fbuf_text(&b, "\" lang=\"");
	fbuf_attr(&b, s->form->n_langs == 0 ? "" : s->form->langs[s->ev.lang]);
	fbuf_text(&b, "\" at=\"");
	fbuf_attr(&b, path == NULL ? "" : path);
	fbuf_text(&b, "\">");
	write_node(s, &b, s->root, true, DRAFT_NS);
	fbuf_text(&b, "</draft>\n");
	farena_release(s->scratch, m);
	return fbuf_take(&b, draft, len) == 0 ? PERR_OK : PERR_NOMEM;
}

/* The instanceID of a form that has none itself. */
static bool is_own_id(const struct fnode *n)
{
	if (strcmp(n->name, "instanceID") == 0 && n->first == NULL)
		n = n->parent;
	return strcmp(n->name, "meta") == 0 && n->parent != NULL && n->parent->parent == NULL;
}

/* Nodes a draft cannot have are dropped: it is ours, but it has been stored. */
static void prune(struct fnode *n)
{
	struct fnode *c, *next;

	for (c = n->first; c != NULL; c = next) {
		next = c->next;
		if (c->def == NULL ? !is_own_id(c) : (!c->def->is_repeat && c->ord > 1)
		    || (c->def->first == NULL && c->first != NULL && !is_own_id(c))) {
			ftree_unlink(c);
			continue;
		}
		c->is_computed = c->text[0] != '\0';
		prune(c);
	}
}

/* the tree read becomes the session's, completed by what the form has beyond it */
static int adopt_tree(struct fill *s)
{
	s->root->parent = NULL;
	s->ev.root = s->root;
	instance_define(s->form, s->root, s->form->root);
	if (instance_order(s->answers, s->root) != 0)
		return -1;
	prune(s->root);
	return fill_complete(s, s->root) != 0 || name_instance(s) != 0 ? -1 : 0;
}

enum perr fill_open_answers(struct fill **out, const struct xform *f, const struct fill_env *env,
                            const uint8_t *xml, size_t xml_len, char why[FILL_WHY_SIZE])
{
	static const struct ftree_limits limits = {OUT_MAX, NODES_MAX, 80, false};
	struct fill *s = fill_session(f, env);
	char tree_why[FTREE_WHY];
	enum perr err;

	*out = NULL;
	if (s == NULL)
		return fill_ready(s, out, PERR_NOMEM, why);
	err = ftree_parse(&s->root, s->answers, xml, xml_len, &limits, tree_why);
	if (err == PERR_OK && strcmp(s->root->name, f->root->name) != 0) {
		snprintf(tree_why, sizeof tree_why, "they begin with another name.");
		err = PERR_FORMAT;
	}
	if (err != PERR_OK) {
		snprintf(why, FILL_WHY_SIZE, "The answers cannot be read: %s", tree_why);
		fill_free(s);
		return err == PERR_NOMEM ? err : PERR_FORMAT;
	}
	if (adopt_tree(s) != 0)
		return fill_ready(s, out, PERR_NOMEM, why);
	err = fill_settle(s, NULL);
	if (err == PERR_OK)
		s->at = fill_first(s);
	return fill_ready(s, out, err, why);
}

enum perr fill_open(struct fill **out, const struct xform *f, const struct fill_env *env,
                    const uint8_t *draft, size_t draft_len, char why[FILL_WHY_SIZE])
{
	static const struct ftree_limits limits = {OUT_MAX, NODES_MAX, 80, false};
	struct fill *s = fill_session(f, env);
	const char *form, *version, *at;
	char tree_why[FTREE_WHY];
	struct fnode *top;
	enum perr err;

	*out = NULL;
	if (s == NULL)
		return fill_ready(s, out, PERR_NOMEM, why);
	err = ftree_parse(&top, s->answers, draft, draft_len, &limits, tree_why);
	if (err != PERR_OK) {
		snprintf(why, FILL_WHY_SIZE, "The draft cannot be read: %s", tree_why);
		fill_free(s);
		return err == PERR_NOMEM ? err : PERR_FORMAT;
	}
	form = ftree_attr(top, "", "form");
	version = ftree_attr(top, "", "version");
	at = ftree_attr(top, "", "at");
	s->root = top->first;
	if (strcmp(top->ns, DRAFT_NS) != 0 || form == NULL || version == NULL || at == NULL
	    || s->root == NULL || s->root->next != NULL
	    || strcmp(s->root->name, f->root->name) != 0) {
		snprintf(why, FILL_WHY_SIZE, "This is no draft.");
		return fill_ready(s, out, PERR_FORMAT, why);
	}
	if (strcmp(form, f->id) != 0 || strcmp(version, f->version) != 0) {
		snprintf(why, FILL_WHY_SIZE, "The draft belongs to version \"%.80s\" of the form "
		         "\"%.80s\".", version, form);
		return fill_ready(s, out, PERR_STATE, why);
	}
	if (env->lang == NULL && ftree_attr(top, "", "lang") != NULL)
		fill_set_lang(s, ftree_attr(top, "", "lang"));
	if (adopt_tree(s) != 0)
		return fill_ready(s, out, PERR_NOMEM, why);
	err = fill_settle(s, NULL);
	if (err == PERR_OK && at[0] != '\0') {
		s->at = fill_place_at(s, at);
		/* The step is gone: begin again rather than at the end. */
		if (s->at.ctl == NULL)
			s->at = fill_first(s);
	}
	return fill_ready(s, out, err, why);
}
