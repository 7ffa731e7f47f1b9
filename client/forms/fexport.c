/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fbuf.h"
#include "fexport.h"
#include "instance_int.h"
#include "render_int.h"

#define ARENA_MAX ((size_t)256 << 20)
#define SCRATCH_MAX ((size_t)16 << 20)
#define TABLE_MAX ((size_t)1 << 30)
#define KEY_MAX 1024
#define NO_FORM SIZE_MAX

enum kind { LEAF, PLACE, GROUP, REPEAT };

struct word {
	const char *value;
	struct word *next;
};

/*
 * What all versions together say about one path: the children of the newest one in its
 * order, behind them those that only older ones have.  A path that changed its kind (a
 * text that became a place) is two of these, so nothing is forced into columns of another
 * shape.
 */
struct col {
	const char *name;
	enum kind kind;
	const struct fdef **defs;       /* [n_forms]; NULL entry: this version lacks it */
	struct word *split;             /* FEXPORT_SPLIT: choices of all versions */
	struct col *first, *last, *next;
	struct table *table;            /* the root and repeats */
};

struct table {
	struct col *col;
	struct table *parent, *next;
	const char *name;
	struct fbuf rows;
};

struct fexport {
	const struct xform *const *forms;       /* in the arena; newest first */
	size_t *langs;                          /* [n_forms] */
	size_t n_forms;
	struct farena *arena, *scratch;
	struct col *root;
	struct table *tables, **last_table;
	size_t n_tables;
	const char *const *more;                /* names of the caller's columns */
	size_t n_more;
	unsigned flags;
	struct fmap keys;                       /* those given out */
	bool has_header;
	/* of the instance whose rows are being written */
	size_t at;                              /* its form, or NO_FORM */
	const char *version;
};

/* ---- what the versions have together ------------------------------------------------------- */

static enum kind kind_of(const struct fdef *d)
{
	return d->is_repeat ? REPEAT : d->first != NULL ? GROUP
		: d->type == FTYPE_GEOPOINT ? PLACE : LEAF;
}

static struct col *new_col(struct fexport *x, const char *name, enum kind kind)
{
	struct col *c = farena_get(x->arena, sizeof *c);

	if (c == NULL)
		return NULL;
	c->name = name;
	c->kind = kind;
	c->defs = farena_get(x->arena, (x->n_forms + 1) * sizeof *c->defs);
	return c->defs == NULL ? NULL : c;
}

static int add_splits(struct fexport *x, struct col *col, const struct fdef *d)
{
	const struct fchoice *c;
	struct word **end;

	if (!(x->flags & FEXPORT_SPLIT) || d->ctl == NULL || d->ctl->kind != FCTL_SELECT)
		return 0;
	for (c = d->ctl->choices; c != NULL; c = c->next) {
		for (end = &col->split; *end != NULL && strcmp((*end)->value, c->value) != 0; )
			end = &(*end)->next;
		if (*end != NULL)
			continue;
		*end = farena_get(x->arena, sizeof **end);
		if (*end == NULL)
			return -1;
		(*end)->value = c->value;
	}
	return 0;
}

/* Children of a group of version number at, merged into what newer versions have. */
static int merge(struct fexport *x, struct col *col, const struct fdef *group, size_t at)
{
	const struct fdef *d;
	struct col *c, *from = col->first;

	col->defs[at] = group;
	for (d = group->first; d != NULL; d = d->next) {
		/* mostly in the order of the newer version */
		for (c = from; c != NULL && (c->kind != kind_of(d) || strcmp(c->name, d->name) != 0); )
			c = c->next;
		for (c = c == NULL ? col->first : c;
		     c != NULL && (c->kind != kind_of(d) || strcmp(c->name, d->name) != 0); )
			c = c->next;
		if (c == NULL) {
			c = new_col(x, d->name, kind_of(d));
			if (c == NULL)
				return -1;
			if (col->last == NULL)
				col->first = c;
			else
				col->last->next = c;
			col->last = c;
		}
		from = c->next;
		c->defs[at] = d;
		if (add_splits(x, c, d) != 0 || (d->first != NULL && merge(x, c, d, at) != 0))
			return -1;
	}
	return 0;
}

/* ---- columns ------------------------------------------------------------------------------ */

static void column(struct fexport *x, struct table *t, const char *path, bool *is_first)
{
	if (!*is_first)
		fbuf_text(&t->rows, ",");
	*is_first = false;
	fbuf_csv(&t->rows, path);
}

static const char *const place[4] = {"Latitude", "Longitude", "Altitude", "Accuracy"};

static void columns(struct fexport *x, struct table *t, const struct col *group,
                    const char *prefix, bool *is_first)
{
	const struct word *w;
	const struct col *c;
	const char *path, *wide;
	size_t i;

	for (c = group->first; c != NULL; c = c->next) {
		if (c->kind == REPEAT)
			continue;
		path = farena_fmt(x->arena, "%s%s%s", prefix, *prefix == '\0' ? "" : "-", c->name);
		if (path == NULL) {
			t->rows.is_broken = true;
			return;
		}
		if (c->kind == GROUP) {
			columns(x, t, c, path, is_first);
			continue;
		}
		for (i = 0; c->kind == PLACE && i < 4; i++) {
			wide = farena_fmt(x->arena, "%s-%s", path, place[i]);
			column(x, t, wide == NULL ? path : wide, is_first);
		}
		if (c->kind == PLACE)
			continue;
		column(x, t, path, is_first);
		for (w = c->split; w != NULL; w = w->next) {
			wide = farena_fmt(x->arena, "%s/%s", path, w->value);
			column(x, t, wide == NULL ? path : wide, is_first);
		}
	}
}

static void header(struct fexport *x, struct table *t)
{
	bool is_first = true;
	size_t i;

	if (t->parent == NULL)
		column(x, t, "SubmissionDate", &is_first);
	columns(x, t, t->col, "", &is_first);
	if (t->parent != NULL)
		column(x, t, "PARENT_KEY", &is_first);
	column(x, t, "KEY", &is_first);
	if (t->parent == NULL) {
		column(x, t, "FormVersion", &is_first);
		if (x->flags & FEXPORT_OTHER)
			column(x, t, "OtherAnswers", &is_first);
		for (i = 0; i < x->n_more; i++)
			column(x, t, x->more[i], &is_first);
	}
	fbuf_text(&t->rows, "\n");
}

static void headers(struct fexport *x)
{
	struct table *t;

	for (t = x->has_header ? NULL : x->tables; t != NULL; t = t->next)
		header(x, t);
	x->has_header = true;
}

/* Names of groups may hold the sign that joins them, so two tables could have one name. */
static const char *table_name(struct fexport *x, const char *name)
{
	/* 200: file systems take 255 bytes */
	char *file = farena_fmt(x->arena, "%.200s.csv", name);
	const struct table *t = x->tables;
	unsigned n = 1;

	while (file != NULL && t != NULL)
		if (strcmp(t->name, file) == 0) {
			file = farena_fmt(x->arena, "%.200s-%u.csv", name, ++n);
			t = x->tables;
		} else {
			t = t->next;
		}
	return file;
}

static struct table *add_table(struct fexport *x, struct col *col, struct table *parent,
                               const char *name)
{
	struct table *t = farena_get(x->arena, sizeof *t);

	if (t == NULL || (t->name = table_name(x, name)) == NULL)
		return NULL;
	t->col = col;
	t->parent = parent;
	t->rows.max = TABLE_MAX;
	col->table = t;
	*x->last_table = t;
	x->last_table = &t->next;
	x->n_tables++;
	return t;
}

static int add_repeats(struct fexport *x, struct table *t, const struct col *group,
                       const char *name)
{
	struct col *c;
	struct table *sub;
	char *sub_name;

	for (c = group->first; c != NULL; c = c->next) {
		if (c->kind != GROUP && c->kind != REPEAT)
			continue;
		sub_name = farena_fmt(x->arena, "%s-%s", name, c->name);
		if (sub_name == NULL)
			return -1;
		sub = c->kind == REPEAT ? add_table(x, c, t, sub_name) : t;
		if (sub == NULL || add_repeats(x, sub, c, sub_name) != 0)
			return -1;
	}
	return 0;
}

/* The form's id as a file name that is one everywhere. */
static char *safe_name(struct farena *a, const char *id)
{
	char *name = farena_str(a, id, strlen(id) > 80 ? 80 : strlen(id)), *s;

	for (s = name; s != NULL && *s != '\0'; s++)
		if (!((*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') || (*s >= '0' && *s <= '9')
		      || *s == '_' || *s == '-' || (*s == '.' && s != name)))
			*s = '_';
	return name;
}

static int build(struct fexport *x, const char *id, const struct xform *const *forms,
                 const char *lang)
{
	const struct xform **copy = farena_get(x->arena, (x->n_forms + 1) * sizeof *copy);
	char *name = safe_name(x->arena, id);
	struct table *t;
	size_t i;

	x->langs = farena_get(x->arena, (x->n_forms + 1) * sizeof *x->langs);
	x->root = new_col(x, "", GROUP);
	if (copy == NULL || name == NULL || x->langs == NULL || x->root == NULL)
		return -1;
	x->forms = copy;
	for (i = 0; i < x->n_forms; i++) {
		copy[i] = forms[i];
		x->langs[i] = xform_find_lang(forms[i], lang);
		if (merge(x, x->root, forms[i]->root, i) != 0)
			return -1;
	}
	t = add_table(x, x->root, NULL, name);
	return t == NULL ? -1 : add_repeats(x, t, x->root, name);
}

struct fexport *fexport_new_versions(const char *id, const struct xform *const *forms,
                                     size_t n_forms, unsigned flags, const char *lang)
{
	struct fexport *x = calloc(1, sizeof *x);

	if (x == NULL)
		return NULL;
	x->flags = flags;
	x->n_forms = n_forms;
	x->last_table = &x->tables;
	x->arena = farena_new(ARENA_MAX);
	x->scratch = farena_new(SCRATCH_MAX);
	x->keys.arena = x->arena;
	if (x->arena == NULL || x->scratch == NULL || build(x, id, forms, lang) != 0) {
		fexport_free(x);
		return NULL;
	}
	return x;
}

struct fexport *fexport_new(const struct xform *f, unsigned flags, const char *lang)
{
	return fexport_new_versions(f->id, &f, 1, flags, lang);
}

void fexport_more(struct fexport *x, const char *const *names, size_t n)
{
	x->more = names;
	x->n_more = n;
}

void fexport_free(struct fexport *x)
{
	struct table *t;

	if (x == NULL)
		return;
	for (t = x->tables; t != NULL; t = t->next)
		fbuf_drop(&t->rows);
	farena_free(x->arena);
	farena_free(x->scratch);
	free(x);
}

/* ---- rows ----------------------------------------------------------------------------------- */

static bool looks_like_formula(const char *s)
{
	if (*s == '\0' || strchr("=+-@\t\r", *s) == NULL)
		return false;
	/* -91.47 and 14.5 -91.4 0 0 are numbers, not formulas. */
	return *s == '=' || *s == '@' || s[strspn(s, "+-.0123456789 ")] != '\0' || s[1] == '\0';
}

static void field(struct fexport *x, struct table *t, const char *s, bool *is_first)
{
	if (!*is_first)
		fbuf_text(&t->rows, ",");
	*is_first = false;
	if ((x->flags & FEXPORT_SAFE) && looks_like_formula(s)) {
		const char *safe = farena_fmt(x->scratch, "'%s", s);

		if (safe == NULL)
			t->rows.is_broken = true;
		else
			s = safe;
	}
	fbuf_csv(&t->rows, s);
}

static bool has_choice(const char *list, const char *value)
{
	size_t len = strlen(value), n;

	for (; *(list += strspn(list, " ")) != '\0'; list += n) {
		n = strcspn(list, " ");
		if (n == len && memcmp(list, value, n) == 0)
			return true;
	}
	return false;
}

static const struct fdef *def_of(const struct fexport *x, const struct col *c)
{
	return x->at == NO_FORM ? NULL : c->defs[x->at];
}

static void value(struct fexport *x, struct table *t, const struct col *col, const struct fnode *n,
                  bool *is_first)
{
	const struct fdef *d = def_of(x, col);
	const char *s = n == NULL ? "" : n->text;
	const struct word *w;
	char *part;
	size_t i, len;

	for (i = 0; col->kind == PLACE && i < 4; i++) {
		s += strspn(s, " ");
		len = strcspn(s, " ");
		part = farena_str(x->scratch, s, len);
		field(x, t, part == NULL ? "" : part, is_first);
		s += len;
	}
	if (col->kind == PLACE)
		return;
	if ((x->flags & FEXPORT_LABELS) && d != NULL && d->ctl != NULL
	    && (d->ctl->choices != NULL || d->ctl->itemset != NULL)) {
		const struct xform *f = x->forms[x->at];

		s = render_value(x->scratch, f, d, s, x->langs[x->at],
		                 xform_lang_code(f, x->langs[x->at]));
		if (s == NULL)
			t->rows.is_broken = true;
	}
	field(x, t, s == NULL ? "" : s, is_first);
	for (w = col->split; w != NULL; w = w->next)
		field(x, t, n != NULL && has_choice(n->text, w->value) ? "1" : "0", is_first);
}

static void row(struct fexport *x, struct table *t, const struct fnode *n, const char *key,
                const char *parent_key);

/*
 * Fields of a group; n NULL: it is not there, but its columns are.  Children are mostly in
 * the form's order, so the search for the next one begins where the last one ended.
 */
static void fields(struct fexport *x, struct table *t, const struct col *group,
                   const struct fnode *n, const char *key, const char *path, bool *is_first)
{
	const struct fnode *c, *from = n == NULL ? NULL : n->first;
	const struct col *col;
	const struct fdef *d;
	char *below, *sub_key;
	unsigned count;

	for (col = group->first; col != NULL; col = col->next) {
		d = def_of(x, col);
		for (c = d == NULL ? NULL : from; c != NULL && c->def != d; c = c->next)
			;
		if (c == NULL && d != NULL && n != NULL)
			for (c = n->first; c != NULL && c->def != d; c = c->next)
				;
		if (c != NULL)
			from = c;
		if (col->kind == LEAF || col->kind == PLACE) {
			value(x, t, col, c, is_first);
			continue;
		}
		below = farena_fmt(x->scratch, "%s/%s", path, col->name);
		if (below == NULL) {
			t->rows.is_broken = true;
			return;
		}
		if (col->kind == GROUP) {
			fields(x, t, col, c, key, below, is_first);
			continue;
		}
		for (count = 0; c != NULL; c = c->next) {
			if (c->def != d)
				continue;
			sub_key = farena_fmt(x->scratch, "%s%s[%u]", key, below, ++count);
			if (sub_key == NULL || strlen(sub_key) > KEY_MAX)
				t->rows.is_broken = true;
			else
				row(x, col->table, c, sub_key, key);
			from = c;
		}
	}
}

static void row(struct fexport *x, struct table *t, const struct fnode *n, const char *key,
                const char *parent_key)
{
	bool is_first = true;

	/* No date of arrival: nobody here knows it, and it would say when a family came. */
	if (parent_key == NULL)
		field(x, t, "", &is_first);
	fields(x, t, t->col, n, key, "", &is_first);
	if (parent_key != NULL)
		field(x, t, parent_key, &is_first);
	field(x, t, key, &is_first);
	if (parent_key != NULL)
		fbuf_text(&t->rows, "\n");
}

/* ---- answers without a column --------------------------------------------------------------- */

/* What no column of the versions holds: a JSON object of path and answer. */
static void others(struct fexport *x, struct fbuf *b, const struct fnode *n, bool is_lost)
{
	const struct fnode *c;
	const char *path;

	/* a question stands once; what stands again is no row either */
	is_lost |= x->at == NO_FORM || n->def == NULL || (n->ord > 1 && !n->def->is_repeat);
	for (c = n->first; c != NULL; c = c->next)
		others(x, b, c, is_lost);
	if (n->first != NULL || n->text[0] == '\0' || !(is_lost || n->def->first != NULL))
		return;
	path = instance_path(x->scratch, n);
	if (path == NULL) {
		b->is_broken = true;
		return;
	}
	fbuf_text(b, b->len == 0 ? "{" : ",");
	fbuf_json(b, path);
	fbuf_text(b, ":");
	fbuf_json(b, n->text);
}

static void behind(struct fexport *x, const struct instance *in, const char *const *more)
{
	struct table *t = x->tables;
	struct fbuf b = {.max = TABLE_MAX};
	uint8_t *json = NULL;
	bool is_first = false;
	size_t i, len;

	field(x, t, x->version, &is_first);
	if (x->flags & FEXPORT_OTHER) {
		others(x, &b, in->root, false);
		if (b.len > 0)
			fbuf_text(&b, "}");
		if (fbuf_take(&b, &json, &len) != 0) {
			t->rows.is_broken = true;
			t->rows.is_starved = b.is_starved;
		} else {
			field(x, t, (const char *)json, &is_first);
		}
		if (json != NULL)
			explicit_bzero(json, len);
		free(json);
	}
	for (i = 0; i < x->n_more; i++)
		field(x, t, more == NULL ? "" : more[i], &is_first);
	fbuf_text(&t->rows, "\n");
}

/* ---- one instance --------------------------------------------------------------------------- */

/* why a row could not be written: no memory is not too much */
static enum perr lacks(const struct fexport *x, const struct table *t)
{
	if (farena_is_starved(x->scratch) || farena_is_starved(x->arena) ||
	    (t != NULL && t->rows.is_starved))
		return PERR_NOMEM;
	return PERR_LIMIT;
}

/* The instanceID; where it is missing or another row has it, with the case's key. */
static enum perr key_of(struct fexport *x, const struct instance *in, const char *key,
                        const char **row_key)
{
	const char *id = instance_id(in), *out = id[0] != '\0' ? id : key == NULL ? "" : key;
	size_t n = 0;

	out = farena_str(x->arena, out, strlen(out));
	while (out != NULL && fmap_get(&x->keys, NULL, out) != NULL) {
		out = n == 0 ? farena_fmt(x->arena, "%s~%s", id, key == NULL ? "" : key)
			: farena_fmt(x->arena, "%s~%s~%zu", id, key == NULL ? "" : key, n);
		/* from the number of rows on: many of one key must not be counted through */
		n = n == 0 ? x->keys.n_used : n + 1;
	}
	*row_key = out;
	if (out == NULL)
		return lacks(x, NULL);
	return fmap_put(&x->keys, NULL, out, x) == 0 ? PERR_OK : lacks(x, NULL);
}

enum perr fexport_add_with(struct fexport *x, const struct instance *in, const char *key,
                           const char *const *more)
{
	struct farena_mark none = {NULL, 0};
	const char *row_key;
	struct table *t;
	enum perr err;

	for (x->at = 0; x->at < x->n_forms && x->forms[x->at] != in->form; x->at++)
		;
	if (x->at == x->n_forms) {
		if (in->form != NULL || !(x->flags & FEXPORT_OTHER))
			return PERR_STATE;
		x->at = NO_FORM;
	}
	headers(x);
	err = key_of(x, in, key, &row_key);
	if (err != PERR_OK)
		return err;
	x->version = instance_form_version(in);
	row(x, x->tables, in->root, row_key, NULL);
	behind(x, in, more);
	farena_release(x->scratch, none);
	for (t = x->tables; t != NULL; t = t->next)
		if (t->rows.is_broken)
			return lacks(x, t);
	return PERR_OK;
}

enum perr fexport_add(struct fexport *x, const struct instance *in, const char *key)
{
	return fexport_add_with(x, in, key, NULL);
}

size_t fexport_n_tables(const struct fexport *x)
{
	return x->n_tables;
}

static const struct table *nth(const struct fexport *x, size_t i)
{
	const struct table *t = x->tables;

	while (t != NULL && i-- > 0)
		t = t->next;
	return t;
}

const char *fexport_name(const struct fexport *x, size_t i)
{
	const struct table *t = nth(x, i);

	return t == NULL ? NULL : t->name;
}

const uint8_t *fexport_bytes(struct fexport *x, size_t i, size_t *len)
{
	const struct table *t = nth(x, i);

	headers(x);
	*len = t == NULL ? 0 : t->rows.len;
	return t == NULL ? NULL : t->rows.bytes;
}

