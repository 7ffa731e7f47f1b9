/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "fpatch.h"

#include <stdlib.h>
#include <string.h>

#include "fbuf.h"
#include "feval.h"
#include "fill_int.h"
#include "fold.h"
#include "instance_int.h"

#define SCRATCH_MAX ((size_t)64 << 20)
#define OUT_MAX     ((size_t)16 << 20)
#define ABSENT_MAX  100000u

/* one of a repeat that corrections added */
struct added {
	struct fnode *parent, *node;
	const char *token;              /* "child[+1@3f…]" */
	size_t len;
	struct added *next;
};

/* a calculated value, in the document and as the answers before the corrections make it */
struct value {
	struct fnode *node;
	const char *stored, *base;
	struct value *next;
};

struct patch {
	struct instance *in;
	struct added *added;
	struct value *values;
	struct feval ev;
};

static struct fnode *next_node(const struct fnode *n)
{
	if (n->first != NULL)
		return n->first;
	while (n != NULL && n->next == NULL)
		n = n->parent;
	return n == NULL ? NULL : n->next;
}

static bool set_text(struct patch *k, struct fnode *n, const char *text)
{
	return ftree_set_text(k->in->arena, n, text, strlen(text)) == 0;
}

/* ---- finding the place ------------------------------------------------------------------ */

/* what was made up for the expressions' sake becomes an answer, in the form's order */
static void come_true(struct fnode *n)
{
	for (; n != NULL && n->is_absent; n = n->parent) {
		struct fnode *parent = n->parent;

		n->is_absent = false;
		if (parent != NULL && n->def != NULL) {
			ftree_unlink(n);
			fill_insert(parent, n, NULL);
		}
	}
}

static struct fnode *new_child(struct patch *k, struct fnode *parent, const struct fdef *def,
                               const char *name, size_t len)
{
	const char *copy = def != NULL ? def->name : farena_str(k->in->arena, name, len);
	struct fnode *n = copy == NULL ? NULL : ftree_new(k->in->arena, parent->ns, copy), *last;

	if (n == NULL)
		return NULL;
	n->def = def;
	n->ord = 1;
	for (last = parent->last; last != NULL && strcmp(last->name, copy) != 0; last = last->prev)
		;
	if (def == NULL)
		ftree_insert(parent, n, last == NULL ? NULL : last->next);
	else
		fill_insert(parent, n, last);
	return n;
}

static enum perr added_child(struct patch *k, struct fnode *parent, const struct fdef *def,
                             const char *token, size_t len, struct fnode **out)
{
	struct added *a;

	for (a = k->added; a != NULL; a = a->next)
		if (a->parent == parent && a->len == len && memcmp(a->token, token, len) == 0) {
			*out = a->node;
			return PERR_OK;
		}
	a = farena_get(k->in->arena, sizeof *a);
	if (a == NULL || (a->node = new_child(k, parent, def, token, strcspn(token, "["))) == NULL)
		return PERR_NOMEM;
	a->parent = parent;
	a->node->mark = farena_str(k->in->arena, token, len);
	if (a->node->mark == NULL)
		return PERR_NOMEM;
	a->token = token;
	a->len = len;
	a->next = k->added;
	k->added = a;
	*out = a->node;
	return PERR_OK;
}

static bool is_added(const struct patch *k, const struct fnode *n)
{
	const struct added *a;

	for (a = k->added; a != NULL && a->node != n; a = a->next)
		;
	return a != NULL;
}

/* the child of a name that stood at this place among those that were sent */
static struct fnode *sent_child(const struct patch *k, const struct fnode *parent,
                                const char *name, size_t len, unsigned long index)
{
	struct fnode *c;

	for (c = parent->first; c != NULL; c = c->next)
		if (strlen(c->name) == len && memcmp(c->name, name, len) == 0 && !is_added(k, c) &&
		    --index == 0)
			return c;
	return NULL;
}

/* one step of a path; *out NULL: the fate says why */
static enum perr step(struct patch *k, struct fpatch *p, struct fnode *parent, const char *token,
                      size_t len, struct fnode **out)
{
	const struct xform *form = k->in->form;
	size_t name_len = strcspn(token, "[/");
	bool is_new = name_len + 1 < len && token[name_len + 1] == '+';
	unsigned long index = name_len == len ? 1 : strtoul(token + name_len + 1, NULL, 10);
	char *name = farena_str(k->in->arena, token, name_len);
	const struct fdef *def = form == NULL || parent->def == NULL || name == NULL ? NULL
		: xform_def_child(form, parent->def, name);

	*out = NULL;
	if (name == NULL)
		return PERR_NOMEM;
	p->fate = FPATCH_UNKNOWN;
	if (form != NULL && (def == NULL || def->is_meta || (is_new && !def->is_repeat)))
		return PERR_OK;
	if (is_new) {
		/* without its form only what repeats already is known to repeat */
		if (form == NULL && sent_child(k, parent, name, name_len, 1) == NULL)
			return PERR_OK;
		return added_child(k, parent, def, token, len, out);
	}
	*out = sent_child(k, parent, name, name_len, index);
	if (*out != NULL || form == NULL)
		return PERR_OK;
	if (def->is_repeat)
		p->fate = FPATCH_NO_PLACE;
	else if (index == 1 && (*out = new_child(k, parent, def, name, name_len)) == NULL)
		return PERR_NOMEM;
	return PERR_OK;
}

static enum perr find(struct patch *k, struct fpatch *p)
{
	const char *s = p->path;
	struct fnode *n = NULL;
	enum perr err = PERR_OK;

	p->fate = FPATCH_UNKNOWN;
	while (err == PERR_OK && *s == '/') {
		size_t len = strcspn(++s, "/");

		if (n == NULL) {
			if (strlen(k->in->root->name) != len || memcmp(k->in->root->name, s, len) != 0)
				return PERR_OK;
			n = k->in->root;
		} else {
			err = step(k, p, n, s, len, &n);
			if (n == NULL)
				return err;
		}
		s += len;
	}
	if (n != NULL && *s == '\0' && n != k->in->root)
		p->node = n;
	return err;
}

/* ---- putting it in ----------------------------------------------------------------------- */

static bool is_several(const struct fnode *n)
{
	return n->def != NULL ? n->def->is_repeat : n->first != NULL;
}

static enum perr put(struct patch *k, struct fpatch *p)
{
	struct fnode *n = p->node;
	const char *value = p->value == NULL ? "" : p->value;
	size_t len = p->value == NULL ? 0 : p->len;
	char *text;

	for (; len > 0 && strchr(" \t\r\n", value[0]) != NULL; value++)
		len--;
	while (len > 0 && strchr(" \t\r\n", value[len - 1]) != NULL)
		len--;
	p->fate = FPATCH_UNKNOWN;
	if (is_several(n)) {
		/* it is taken out when all corrections are in */
		if (p->value != NULL && len > 0)
			return PERR_OK;
	} else if (n->first != NULL || (n->def != NULL && n->def->first != NULL)) {
		return PERR_OK;
	} else if (n->def != NULL && n->def->expr[FSLOT_CALCULATE] != NULL) {
		p->fate = FPATCH_COMPUTED;
		return PERR_OK;
	} else {
		text = fold_is_text(value, len) ? farena_str(k->in->arena, value, len) : NULL;
		if (text == NULL)
			return fold_is_text(value, len) ? PERR_NOMEM : PERR_OK;
		p->before = farena_str(k->in->arena, n->text, strlen(n->text));
		if (p->before == NULL || !set_text(k, n, text))
			return PERR_NOMEM;
	}
	p->fate = FPATCH_DONE;
	come_true(n);
	return PERR_OK;
}

/* as if they were beyond the count of their repeat: irrelevant, then gone */
static void take_out(struct fpatch *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i].fate == FPATCH_DONE && p[i].value == NULL && is_several(p[i].node) &&
		    !p[i].keep)
			p[i].node->is_excess = true;
	for (size_t i = 0; i < n; i++) {
		const struct fnode *up = p[i].fate == FPATCH_DONE ? p[i].node : NULL;

		/* the one that is taken out itself is done */
		if (up != NULL && up->is_excess && is_several(up))
			up = up->parent;
		for (; up != NULL; up = up->parent)
			if (up->is_excess)
				p[i].fate = FPATCH_TAKEN_OUT;
	}
	for (size_t i = 0; i < n; i++)
		if (p[i].node != NULL && p[i].node->is_excess && p[i].node->parent != NULL) {
			ftree_unlink(p[i].node);
			p[i].node->parent = NULL;
		}
}

/* one that was to be added, and of which nothing fitted the form, is none */
static void drop_unused(struct patch *k, const struct fpatch *p, size_t n)
{
	for (struct added *a = k->added; a != NULL; a = a->next) {
		bool is_used = false;

		for (size_t i = 0; i < n && !is_used; i++) {
			const struct fnode *up = p[i].fate == FPATCH_DONE ? p[i].node : NULL;

			while (up != NULL && up != a->node)
				up = up->parent;
			is_used = up != NULL;
		}
		if (!is_used && a->node->parent != NULL)
			ftree_unlink(a->node);
	}
}

/* ---- calculated values ------------------------------------------------------------------- */

static void begin_eval(struct patch *k, const struct fclock *now)
{
	k->ev.form = k->in->form;
	k->ev.answers = k->in->arena;
	k->ev.root = k->in->root;
	k->ev.now = *now;
	k->ev.do_calculate = true;
	k->ev.fuel = FEVAL_FUEL;
}

static bool is_calculated(const struct fnode *n)
{
	return n->def != NULL && n->first == NULL && n->def->expr[FSLOT_CALCULATE] != NULL;
}

static enum perr calculate(struct patch *k)
{
	enum perr err;

	for (struct fnode *n = k->in->root; n != NULL; n = next_node(n))
		n->is_computed = false;
	k->ev.fuel = FEVAL_FUEL;
	k->ev.why[0] = '\0';
	feval_forget(&k->ev, k->in->root);
	feval_calculate(&k->ev, k->in->root);
	err = feval_error(&k->ev);
	for (struct fnode *n = k->in->root; n != NULL; n = next_node(n))
		n->is_computed = false;
	return err;
}

/* what the answers as they were sent would give, beside what was stored then */
static enum perr before_values(struct patch *k)
{
	struct farena *a = k->in->arena;
	enum perr err;

	for (struct fnode *n = k->in->root; n != NULL; n = next_node(n)) {
		struct value *v = is_calculated(n) ? farena_get(a, sizeof *v) : NULL;

		if (!is_calculated(n))
			continue;
		if (v == NULL || (v->stored = farena_str(a, n->text, strlen(n->text))) == NULL)
			return PERR_NOMEM;
		v->node = n;
		v->base = "";
		v->next = k->values;
		k->values = v;
	}
	err = calculate(k);
	for (struct value *v = k->values; v != NULL; v = v->next) {
		v->base = farena_str(a, v->node->text, strlen(v->node->text));
		if (v->base == NULL || !set_text(k, v->node, v->stored))
			return PERR_NOMEM;
	}
	return err;
}

/*
 * A value stays as it was stored unless the corrections changed what comes of it: one that
 * reads the clock or made a number by chance was right when it was made.
 */
static enum perr after_values(struct patch *k, bool is_possible)
{
	enum perr err = is_possible ? calculate(k) : PERR_LIMIT;

	if (err != PERR_OK && err != PERR_LIMIT)
		return err;
	for (struct value *v = k->values; v != NULL; v = v->next) {
		v->node->is_computed = err == PERR_OK && strcmp(v->node->text, v->base) != 0;
		if (!v->node->is_computed && !set_text(k, v->node, v->stored))
			return PERR_NOMEM;
	}
	for (struct fnode *n = k->in->root; n != NULL; n = next_node(n))
		if (is_calculated(n) && n->text[0] != '\0' && n->is_absent) {
			n->is_computed = true;
			come_true(n);
		}
	return err;
}

static bool drop_absent(struct fnode *n)
{
	struct fnode *c, *next;

	for (c = n->first; c != NULL; c = next) {
		next = c->next;
		if (drop_absent(c))
			ftree_unlink(c);
	}
	return n->is_absent && n->first == NULL && n->text[0] == '\0';
}

enum perr fpatch_apply(struct instance *in, struct fpatch *p, size_t n, const struct fclock *now)
{
	unsigned budget = ABSENT_MAX;
	struct patch k;
	enum perr err = PERR_OK, calc = PERR_OK;

	memset(&k, 0, sizeof k);
	k.in = in;
	for (size_t i = 0; i < n; i++) {
		p[i].before = p[i].at = "";
		p[i].node = NULL;
	}
	k.ev.scratch = farena_new(SCRATCH_MAX);
	if (k.ev.scratch == NULL)
		return PERR_NOMEM;
	if (in->form != NULL) {
		begin_eval(&k, now);
		if (instance_add_absent(in->arena, in->root, in->form->root, &budget) != 0)
			err = PERR_NOMEM;
		else
			calc = before_values(&k);
		if (calc != PERR_OK && calc != PERR_LIMIT)
			err = calc;
	}
	for (struct fnode *x = in->root; x != NULL; x = next_node(x))
		x->sent = x->ord;
	for (size_t i = 0; i < n && err == PERR_OK; i++) {
		err = find(&k, &p[i]);
		if (err == PERR_OK && p[i].node != NULL)
			err = put(&k, &p[i]);
	}
	if (err == PERR_OK) {
		drop_unused(&k, p, n);
		take_out(p, n);
	}
	if (err == PERR_OK && in->form != NULL) {
		if (instance_add_absent(in->arena, in->root, in->form->root, &budget) != 0)
			err = PERR_NOMEM;
		else
			err = after_values(&k, calc == PERR_OK);
		calc = err == PERR_LIMIT ? err : calc;
		err = err == PERR_LIMIT ? PERR_OK : err;
	}
	drop_absent(in->root);
	if (err == PERR_OK)
		err = instance_settle(in);
	for (size_t i = 0; i < n && err == PERR_OK; i++)
		if (p[i].fate == FPATCH_DONE && p[i].node->parent != NULL) {
			p[i].at = instance_path(in->arena, p[i].node);
			err = p[i].at == NULL ? PERR_NOMEM : PERR_OK;
		}
	farena_free(k.ev.scratch);
	return err != PERR_OK ? err : calc;
}

/* ---- names ------------------------------------------------------------------------------- */

static const char *sent_path(struct farena *a, const struct fnode *n)
{
	const char *above = n->parent == NULL ? "" : sent_path(a, n->parent);
	uint32_t at = n->sent != 0 ? n->sent : n->ord;

	if (above == NULL)
		return NULL;
	if (n->mark != NULL)
		return farena_fmt(a, "%s/%s", above, n->mark);
	return at > 1 ? farena_fmt(a, "%s/%s[%u]", above, n->name, (unsigned)at)
	              : farena_fmt(a, "%s/%s", above, n->name);
}

enum perr fpatch_sent_path(const struct instance *in, const char *path, char **out)
{
	enum perr err = PERR_NOTFOUND;

	*out = NULL;
	for (const struct fnode *n = in->root; n != NULL && err == PERR_NOTFOUND; n = next_node(n)) {
		struct farena_mark m = farena_mark(in->arena);
		const char *at = instance_path(in->arena, n);

		if (at == NULL) {
			err = PERR_NOMEM;
		} else if (strcmp(at, path) == 0) {
			at = sent_path(in->arena, n);
			*out = at == NULL ? NULL : strdup(at);
			err = *out == NULL ? PERR_NOMEM : PERR_OK;
		}
		farena_release(in->arena, m);
	}
	return err;
}

/* ---- afterwards --------------------------------------------------------------------------- */

bool fpatch_is_anew(const struct instance *in, const char *path)
{
	for (const struct fnode *n = in->root; n != NULL; n = next_node(n)) {
		struct farena_mark m = farena_mark(in->arena);
		const char *at = n->is_computed ? instance_path(in->arena, n) : NULL;
		bool is_it = at != NULL && strcmp(at, path) == 0;

		farena_release(in->arena, m);
		if (is_it)
			return true;
	}
	return false;
}

static void write_node(struct fbuf *b, const struct fnode *n, const char *outer_ns)
{
	fbuf_text(b, "<");
	fbuf_text(b, n->name);
	if (strcmp(n->ns, outer_ns) != 0) {
		fbuf_text(b, " xmlns=\"");
		fbuf_attr(b, n->ns);
		fbuf_text(b, "\"");
	}
	for (const struct fattr *at = n->attrs; at != NULL; at = at->next)
		if (at->ns[0] == '\0') {
			fbuf_text(b, " ");
			fbuf_text(b, at->name);
			fbuf_text(b, "=\"");
			fbuf_attr(b, at->value);
			fbuf_text(b, "\"");
		}
	if (n->first == NULL && n->text[0] == '\0') {
		fbuf_text(b, "/>");
		return;
	}
	fbuf_text(b, ">");
	fbuf_xml(b, n->text);
	for (const struct fnode *c = n->first; c != NULL; c = c->next)
		write_node(b, c, n->ns);
	fbuf_text(b, "</");
	fbuf_text(b, n->name);
	fbuf_text(b, ">");
}

enum perr fpatch_write(const struct instance *in, uint8_t **xml, size_t *len)
{
	struct fbuf b = {.max = OUT_MAX};

	fbuf_text(&b, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
	write_node(&b, in->root, "");
	fbuf_text(&b, "\n");
	return fbuf_take(&b, xml, len) == 0 ? PERR_OK : PERR_NOMEM;
}
