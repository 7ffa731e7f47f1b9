/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The model of a form: instances, definitions, binds. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "fexpr.h"
#include "fold.h"
#include "instance_int.h"

#define ARENA_MAX ((size_t)128 << 20)
#define NODES_MAX 600000
#define DEPTH_MAX 64
#define PATH_MAX_LEN 4096

static const char *const mark_names[XFORM_N_MARKS] = {"urgent", "deadline", "identity", "stat"};

int xparse_fail(struct xparse *p, enum perr err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(p->why, XFORM_WHY_SIZE, fmt, ap);
	va_end(ap);
	fold_tidy(p->why);
	p->err = err;
	return -1;
}

struct fdef *xform_def_child(const struct xform *f, const struct fdef *parent, const char *name)
{
	return fmap_get(&f->def_by_name, parent, name);
}

struct fdef *xform_resolve(const struct xform *f, const struct fdef *from, const char *ref)
{
	const struct fdef *at = from;
	char step[256];
	const char *colon;
	size_t len;
	bool is_first = true;

	ref += strspn(ref, " \t\r\n");
	if (*ref == '/') {
		at = NULL;
		ref++;
	}
	for (;;) {
		len = strcspn(ref, "/ \t\r\n");
		if (len == 0 || len >= sizeof step)
			return NULL;
		memcpy(step, ref, len);
		step[len] = '\0';
		/* Prefixes do not distinguish: no form has orx:meta beside another meta. */
		colon = strchr(step, ':');
		colon = colon == NULL ? step : colon + 1;
		if (strcmp(step, "..") == 0)
			at = at == NULL ? NULL : at->parent;
		else if (strcmp(step, "current()") == 0 && is_first)
			at = from;
		else if (strcmp(step, ".") != 0)
			at = fmap_get(&f->def_by_name, at, colon);
		if (at == NULL)
			return NULL;
		is_first = false;
		ref += len;
		if (*ref != '/')
			break;
		ref++;
	}
	return ref[strspn(ref, " \t\r\n")] == '\0' ? (struct fdef *)at : NULL;
}

struct finst *xform_inst(const struct xform *f, const char *id)
{
	struct finst *i;

	for (i = f->insts; i != NULL; i = i->next)
		if (strcmp(i->id, id) == 0)
			return i;
	return NULL;
}

/* One definition for each path; nodes that repeat in the primary instance share it. */
static int define(struct xparse *p, struct fnode *n, struct fdef *parent)
{
	struct xform *f = p->f;
	struct fdef *def = fmap_get(&f->def_by_name, parent, n->name);
	struct fnode *c, *next;

	if (def == NULL) {
		def = farena_get(f->arena, sizeof *def);
		if (def == NULL)
			return xparse_nomem(p);
		def->name = n->name;
		def->path = farena_fmt(f->arena, "%s/%s", parent == NULL ? "" : parent->path, n->name);
		if (def->path == NULL || fmap_put(&f->def_by_name, parent, n->name, def) != 0)
			return xparse_nomem(p);
		if (strlen(def->path) > PATH_MAX_LEN)
			return xparse_fail(p, PERR_LIMIT, "The names of the form's groups and questions "
			                   "are too long.");
		def->parent = parent;
		def->depth = parent == NULL ? 0 : parent->depth + 1;
		def->is_meta = (parent != NULL && parent->is_meta)
			|| (def->depth == 1 && strcmp(n->name, "meta") == 0);
		def->node = n;
		if (parent == NULL)
			f->root = def;
		else if (parent->last == NULL)
			parent->first = def;
		else
			parent->last->next = def;
		if (parent != NULL)
			parent->last = def;
	}
	n->def = def;
	if (ftree_attr(n, NS_JR, "template") != NULL) {
		n->is_template = true;
		def->tmpl = n;
	}
	for (c = n->first; c != NULL; c = next) {
		next = c->next;
		if (c->name == NULL)
			ftree_unlink(c);        /* text between elements of a primary instance */
		else if (define(p, c, def) != 0)
			return -1;
	}
	/* Indentation is no default answer. */
	if (n->first != NULL)
		n->text = "";
	return 0;
}

static int parse_instance(struct xparse *p, struct fnode *n)
{
	struct xform *f = p->f;
	const char *id = ftree_attr(n, NULL, "id"), *src = ftree_attr(n, NULL, "src"), *slash;
	struct finst *inst, **end;

	if (id == NULL)
		return xparse_fail(p, PERR_FORMAT, "A secondary instance of the form has no id.");
	if (xform_inst(f, id) != NULL)
		return xparse_fail(p, PERR_FORMAT, "The secondary instance %s stands twice.", id);
	inst = farena_get(f->arena, sizeof *inst);
	if (inst == NULL)
		return xparse_nomem(p);
	inst->id = id;
	inst->src = src;
	inst->root = ftree_child(n, NULL);
	if (src != NULL) {
		/* The placeholder pyxform writes inside is no content. */
		inst->root = NULL;
		slash = strrchr(src, '/');
		if (strcmp(src, "jr://instance/last-saved") == 0) {
			/* Nothing of an earlier intake stays on a device: as at a first one. */
			inst->file = NULL;
		} else if (strncmp(src, "jr://", 5) != 0 || slash == NULL || slash[1] == '\0') {
			return xparse_fail(p, PERR_UNKNOWN, "The secondary instance %s comes from "
			                   "\"%.80s\"; only files handed over with the form are read.",
			                   id, src);
		} else {
			inst->file = slash + 1;
			inst->is_csv = strncmp(src, "jr://file-csv/", 14) == 0;
			inst->is_geojson = strlen(src) > 8
				&& strcasecmp(src + strlen(src) - 8, ".geojson") == 0;
		}
	}
	for (end = &f->insts; *end != NULL; end = &(*end)->next)
		;
	*end = inst;
	return 0;
}

static enum ftype type_of(const char *s)
{
	static const struct {
		const char *name;
		enum ftype type;
	} types[] = {
		{"string", FTYPE_STRING}, {"int", FTYPE_INT}, {"integer", FTYPE_INT},
		{"long", FTYPE_INT}, {"decimal", FTYPE_DECIMAL}, {"double", FTYPE_DECIMAL},
		{"float", FTYPE_DECIMAL}, {"boolean", FTYPE_BOOLEAN}, {"date", FTYPE_DATE},
		{"time", FTYPE_TIME}, {"dateTime", FTYPE_DATETIME}, {"geopoint", FTYPE_GEOPOINT},
		{"geotrace", FTYPE_GEOTRACE}, {"geoshape", FTYPE_GEOSHAPE},
		{"binary", FTYPE_BINARY}, {"select", FTYPE_SELECT}, {"rank", FTYPE_SELECT},
	};
	const char *colon = strchr(s, ':');
	size_t i;

	if (colon != NULL)
		s = colon + 1;
	for (i = 0; i < sizeof types / sizeof types[0]; i++)
		if (strcmp(types[i].name, s) == 0)
			return types[i].type;
	return FTYPE_STRING;            /* "considered string if unknown" */
}

/*
 * A mark that is no expression but what a cell of an XLSForm holds: spreadsheets turn
 * "true" into TRUE, and pyxform translates "yes" only in columns it knows.
 */
static const char *mark_value(const char *s)
{
	static const char *const yes[] = {"yes", "true", "1", NULL}, *const no[] = {"no", "false", "0", NULL};
	size_t i;

	if (s == NULL || s[0] == '\0')
		return NULL;
	for (i = 0; yes[i] != NULL; i++) {
		if (strcasecmp(s, yes[i]) == 0)
			return "true()";
		if (strcasecmp(s, no[i]) == 0)
			return "false()";
	}
	return s;
}

static int parse_bind(struct xparse *p, const struct fnode *n)
{
	static const char *const slots[FSLOT_N] = {"relevant", "required", "constraint",
	                                           "calculate", "readonly"};
	const char *nodeset = ftree_attr(n, "", "nodeset"), *id = ftree_attr(n, "", "id"), *s;
	struct fdef *def;
	size_t i;

	if (nodeset == NULL && (nodeset = ftree_attr(n, "", "ref")) == NULL)
		return xparse_fail(p, PERR_FORMAT, "A <bind> does not say which answer it is for.");
	def = xform_resolve(p->f, p->f->root, nodeset);
	if (def == NULL)
		return xparse_fail(p, PERR_FORMAT, "A <bind> refers to %s, which the form's data "
		                   "does not have.", nodeset);
	if (def->is_bound)
		return xparse_fail(p, PERR_FORMAT, "The question %s has two binds.", def->path);
	def->is_bound = true;
	if (id != NULL && fmap_put(&p->bind_by_id, NULL, id, def) != 0)
		return xparse_nomem(p);
	s = ftree_attr(n, "", "type");
	if (s != NULL && strcmp(s, "intent") == 0)
		return xparse_fail(p, PERR_UNKNOWN, "The question %s is answered by another app "
		                   "(type intent), which is not available here.", def->path);
	if (s != NULL)
		def->type = type_of(s);
	for (i = 0; i < FSLOT_N; i++) {
		s = ftree_attr(n, "", slots[i]);
		if (s != NULL && s[strspn(s, " \t\r\n")] != '\0')
			def->src[i] = s;
	}
	s = ftree_attr(n, NS_JR, "requiredMsg");
	if (s != NULL && xparse_message(p, &def->required_msg, s) != 0)
		return -1;
	s = ftree_attr(n, NS_JR, "constraintMsg");
	if (s != NULL && xparse_message(p, &def->constraint_msg, s) != 0)
		return -1;
	def->preload = ftree_attr(n, NS_JR, "preload");
	def->preload_params = ftree_attr(n, NS_JR, "preloadParams");
	for (i = 0; i < XFORM_N_MARKS; i++)
		def->mark[i] = mark_value(ftree_attr(n, XFORM_NS_AMPARO, mark_names[i]));
	return 0;
}

static int refuse_features(struct xparse *p, const struct fnode *model)
{
	const struct fnode *sub = ftree_child(model, "submission"), *meta;

	if (sub != NULL && ftree_attr(sub, NULL, "base64RsaPublicKey") != NULL)
		return xparse_fail(p, PERR_UNKNOWN, "The form asks for ODK's own encryption "
		                   "(base64RsaPublicKey); every intake is sealed here anyway, so take "
		                   "the key out of the form's settings.");
	meta = ftree_child(p->f->primary, "meta");
	if (meta != NULL && ftree_child(meta, "entity") != NULL)
		return xparse_fail(p, PERR_UNKNOWN, "The form makes or changes entities "
		                   "(meta/entity), which are not supported.");
	return 0;
}

static int parse_model(struct xparse *p, struct fnode *model)
{
	struct xform *f = p->f;
	struct fnode *n = ftree_child(model, "instance"), *c;
	const char *s;

	if (n == NULL || (f->primary = ftree_child(n, NULL)) == NULL)
		return xparse_fail(p, PERR_FORMAT, "The form has no primary instance.");
	/* A tree of its own: what else stands in <instance> is nobody's sibling. */
	ftree_unlink(f->primary);
	f->id = ftree_attr(f->primary, "", "id");
	if (f->id == NULL)
		f->id = f->primary->ns;         /* as in the oldest forms */
	if (f->id[0] == '\0')
		return xparse_fail(p, PERR_FORMAT, "The form has no id.");
	s = ftree_attr(f->primary, NULL, "version");
	f->version = s == NULL ? "" : s;
	if (define(p, f->primary, NULL) != 0)
		return -1;
	if (f->root->first == NULL)
		return xparse_fail(p, PERR_FORMAT, "The form's data has no questions.");
	for (n = ftree_next(n, "instance"); n != NULL; n = ftree_next(n, "instance"))
		if (parse_instance(p, n) != 0)
			return -1;
	if (refuse_features(p, model) != 0 || xparse_itext(p, model) != 0)
		return -1;
	for (c = ftree_child(model, "bind"); c != NULL; c = ftree_next(c, "bind"))
		if (parse_bind(p, c) != 0)
			return -1;
	for (c = ftree_child(model, NULL); c != NULL; c = ftree_next(c, NULL))
		if (xparse_is_action(c) && xparse_action(p, &f->actions, c, f->root) != 0)
			return -1;
	return 0;
}

/* After the body it is known what repeats; other nodes may stand only once. */
static int settle_repeats(struct xparse *p, struct fnode *n)
{
	struct fdef *def = (struct fdef *)n->def;
	struct fnode *c;

	if (def->is_repeat) {
		if (def->tmpl == NULL)
			def->tmpl = def->node;
		def->repeat = def;
	} else {
		def->repeat = def->parent == NULL ? NULL : def->parent->repeat;
		if (n->ord > 1)
			return xparse_fail(p, PERR_FORMAT, "The node %s stands twice in the form's "
			                   "data and is no repeat.", def->path);
	}
	for (c = n->first; c != NULL; c = c->next)
		if (settle_repeats(p, c) != 0)
			return -1;
	return 0;
}

/* Body and data must agree on what repeats, or an answer would have no place of its own. */
static int check_places(struct xparse *p, const struct fctl *parent, const struct fdef *repeat)
{
	const struct fdef *around;
	const struct fctl *c;

	for (c = parent->first; c != NULL; c = c->next) {
		around = c->kind != FCTL_REPEAT ? repeat : c->def;
		if (c->def != NULL && c->kind != FCTL_REPEAT && c->def->repeat != repeat)
			return xparse_fail(p, PERR_FORMAT, "%s does not stand in the same repeat in the "
			                   "body and in the form's data.", c->def->path);
		if (c->kind == FCTL_REPEAT && c->def->parent->repeat != repeat)
			return xparse_fail(p, PERR_FORMAT, "The repeat %s does not stand in the same "
			                   "repeat in the body and in the form's data.", c->def->path);
		if (check_places(p, c, around) != 0)
			return -1;
	}
	return 0;
}

/*
 * "instance('towns')/root/item[...]", perhaps inside randomize(): the nodes the list could
 * ever offer, by value, so that a label is found whatever was filtered when it was chosen.
 */
static int index_itemset(struct xparse *p, struct fitemset *set)
{
	const char *s = strstr(set->nodeset, "instance("), *quote;
	struct fnode *item, *value;
	char id[256], step[256];
	size_t len;

	if (s == NULL || (quote = strpbrk(s, "'\"")) == NULL)
		return 0;
	len = strcspn(quote + 1, "'\"");
	if (len >= sizeof id)
		return 0;
	memcpy(id, quote + 1, len);
	id[len] = '\0';
	set->inst = xform_inst(p->f, id);
	if (set->inst == NULL)
		return xparse_fail(p, PERR_FORMAT, "A list of choices comes from instance('%s'), "
		                   "which the form does not have.", id);
	if (set->inst->root == NULL || (s = strchr(quote, ')')) == NULL)
		return 0;
	/* The first step is the document element; the next names its items. */
	s = strchr(s + 1 + (s[1] == '/'), '/');
	len = s == NULL ? 0 : strcspn(s + 1, "[,/) \t\r\n");
	if (len == 0 || len >= sizeof step)
		return 0;
	memcpy(step, s + 1, len);
	step[len] = '\0';
	for (item = ftree_child(set->inst->root, step); item != NULL;
	     item = ftree_next(item, step)) {
		value = ftree_child(item, set->value_ref);
		if (value != NULL && fmap_get(&set->by_value, NULL, value->text) == NULL
		    && fmap_put(&set->by_value, NULL, value->text, item) != 0)
			return xparse_nomem(p);
	}
	return 0;
}

int xform_index_choices(struct xparse *p)
{
	unsigned i;

	for (i = 0; i < p->f->n_questions; i++)
		if (p->f->questions[i]->itemset != NULL
		    && index_itemset(p, p->f->questions[i]->itemset) != 0)
			return -1;
	return 0;
}

const char *xform_choice_label(struct farena *a, const struct xform *f, const struct fctl *ctl,
                               const char *value, size_t len, size_t lang)
{
	const struct fchoice *c;
	const struct fnode *item, *n;
	struct ftext t = {NULL, NULL};
	char *key;

	for (c = ctl->choices; c != NULL; c = c->next)
		if (strlen(c->value) == len && memcmp(c->value, value, len) == 0)
			return ftext_show(a, f, &c->label, lang, NULL, NULL);
	key = ctl->itemset == NULL ? NULL : farena_str(a, value, len);
	item = key == NULL ? NULL : fmap_get(&ctl->itemset->by_value, NULL, key);
	n = item == NULL ? NULL : ftree_child(item, ctl->itemset->label_ref);
	if (n == NULL)
		return NULL;
	if (!ctl->itemset->label_is_itext)
		return n->text;
	t.itext = fmap_get(&f->itext_by_id, NULL, n->text);
	return t.itext == NULL ? NULL : ftext_show(a, f, &t, lang, NULL, NULL);
}

enum perr xform_parse(struct xform **out, const uint8_t *xml, size_t xml_len,
                      char why[XFORM_WHY_SIZE])
{
	static const struct ftree_limits limits = {XFORM_BYTES_MAX, NODES_MAX, DEPTH_MAX, true};
	struct xparse p = {NULL, why, PERR_NOMEM, {NULL, NULL, 0, 0}, 0};
	struct fnode *html, *head, *body, *model;
	struct xform *f = calloc(1, sizeof *f);

	*out = NULL;
	snprintf(why, XFORM_WHY_SIZE, "There is not enough memory to read the form.");
	if (f == NULL || (f->arena = farena_new(ARENA_MAX)) == NULL)
		goto out;
	p.f = f;
	p.bind_by_id.arena = f->arena;
	f->itext_by_id.arena = f->def_by_name.arena = f->arena;
	p.err = ftree_parse(&html, f->arena, xml, xml_len, &limits, why);
	if (p.err != PERR_OK)
		goto out;
	p.err = PERR_FORMAT;
	head = ftree_child(html, "head");
	body = ftree_child(html, "body");
	model = head == NULL ? NULL : ftree_child(head, "model");
	if (strcmp(html->name, "html") != 0 || model == NULL || body == NULL) {
		snprintf(why, XFORM_WHY_SIZE, "The document is no XForm: it has no %s.",
		         model == NULL ? "model in its head" : "body");
		goto out;
	}
	f->title = ftree_child(head, "title") == NULL ? "" : ftree_child(head, "title")->text;
	if (parse_model(&p, model) != 0 || xparse_body(&p, body) != 0)
		goto out;
	if (instance_order(f->arena, f->primary) != 0) {
		xparse_nomem(&p);
		goto out;
	}
	if (settle_repeats(&p, f->primary) != 0 || check_places(&p, f->body, NULL) != 0
	    || xform_index_choices(&p) != 0
	    || fexpr_compile_form(&p) != 0)
		goto out;
	if (f->title[0] == '\0')
		f->title = f->id;
	p.err = PERR_OK;
	why[0] = '\0';
	*out = f;
	f = NULL;
out:
	xform_free(f);
	return p.err;
}

void xform_free(struct xform *f)
{
	if (f != NULL)
		farena_free(f->arena);
	free(f);
}

const char *xform_id(const struct xform *f)
{
	return f->id;
}

const char *xform_version(const struct xform *f)
{
	return f->version;
}

const char *xform_title(const struct xform *f)
{
	return f->title;
}

unsigned xform_n_questions(const struct xform *f)
{
	return f->n_questions;
}

const char *xform_question_path(const struct xform *f, unsigned number)
{
	return number == 0 || number > f->n_questions ? NULL : f->questions[number - 1]->def->path;
}

void xform_question_label(const struct xform *f, unsigned number, const char *lang,
                          char out[XFORM_LABEL_SIZE])
{
	struct farena *a = farena_new(1 << 20);

	out[0] = '\0';
	if (a != NULL && number > 0 && number <= f->n_questions)
		snprintf(out, XFORM_LABEL_SIZE, "%s", xform_name(a, f, f->questions[number - 1]->def,
		         xform_find_lang(f, lang)));
	farena_free(a);
}

const char *xform_question_repeat(const struct xform *f, unsigned number, size_t i,
                                  const char *lang, char *label)
{
	const struct fdef *d = number == 0 || number > f->n_questions ? NULL
		: f->questions[number - 1]->def->repeat, *up;
	struct farena *a;
	size_t above = 0;

	for (up = d; up != NULL; up = up->parent == NULL ? NULL : up->parent->repeat)
		above++;
	if (i >= above)
		return NULL;
	for (; above > i + 1; above--)
		d = d->parent->repeat;
	if (label != NULL) {
		label[0] = '\0';
		a = farena_new(1 << 20);
		if (a != NULL)
			snprintf(label, XFORM_LABEL_SIZE, "%s", xform_name(a, f, d, xform_find_lang(f, lang)));
		farena_free(a);
	}
	return d->path;
}

size_t xform_n_files(const struct xform *f)
{
	const struct finst *i;
	size_t n = 0;

	for (i = f->insts; i != NULL; i = i->next)
		n += i->file != NULL;
	return n;
}

const char *xform_file(const struct xform *f, size_t i)
{
	const struct finst *inst;

	for (inst = f->insts; inst != NULL; inst = inst->next)
		if (inst->file != NULL && i-- == 0)
			return inst->file;
	return NULL;
}

static const struct fdef *next_def(const struct fdef *d)
{
	if (d->first != NULL)
		return d->first;
	while (d != NULL && d->next == NULL)
		d = d->parent;
	return d == NULL ? NULL : d->next;
}

const char *xform_marked(const struct xform *f, enum xform_mark mark, size_t i,
                         const char **value)
{
	const struct fdef *d;

	*value = NULL;
	for (d = f->root; d != NULL; d = next_def(d))
		if (d->mark[mark] != NULL && i-- == 0) {
			*value = d->mark[mark];
			return d->path;
		}
	return NULL;
}
