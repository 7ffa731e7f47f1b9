/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fbuf.h"
#include "fexport.h"
#include "instance_int.h"
#include "render_int.h"

#define ARENA_MAX ((size_t)16 << 20)
#define TABLE_MAX ((size_t)1 << 30)
#define KEY_MAX 1024

struct table {
	const struct fdef *def;         /* the root, or the repeat */
	struct table *parent, *next;
	const char *name;
	struct fbuf rows;
};

struct fexport {
	const struct xform *form;
	struct farena *arena, *scratch;
	struct table *tables;
	size_t n_tables;
	unsigned flags;
	size_t lang;
	const char *version;            /* of the instance whose rows are being written */
};

/* ---- columns ------------------------------------------------------------------------------ */

static void column(struct fexport *x, struct table *t, const char *path, bool *is_first)
{
	if (!*is_first)
		fbuf_text(&t->rows, ",");
	*is_first = false;
	fbuf_csv(&t->rows, path);
}

static const struct fctl *splits(const struct fexport *x, const struct fdef *d)
{
	return (x->flags & FEXPORT_SPLIT) && d->ctl != NULL && d->ctl->kind == FCTL_SELECT
		&& d->ctl->choices != NULL ? d->ctl : NULL;
}

static const char *const place[4] = {"Latitude", "Longitude", "Altitude", "Accuracy"};

static void columns(struct fexport *x, struct table *t, const struct fdef *group,
                    const char *prefix, bool *is_first)
{
	const struct fctl *ctl;
	const struct fchoice *c;
	const struct fdef *d;
	const char *path, *wide;
	size_t i;

	for (d = group->first; d != NULL; d = d->next) {
		path = farena_fmt(x->arena, "%s%s%s", prefix, *prefix == '\0' ? "" : "-", d->name);
		if (path == NULL) {
			t->rows.is_broken = true;
			return;
		}
		if (d->is_repeat)
			continue;
		if (d->first != NULL) {
			columns(x, t, d, path, is_first);
		} else if (d->type == FTYPE_GEOPOINT) {
			for (i = 0; i < 4; i++) {
				wide = farena_fmt(x->arena, "%s-%s", path, place[i]);
				column(x, t, wide == NULL ? path : wide, is_first);
			}
		} else {
			column(x, t, path, is_first);
			ctl = splits(x, d);
			for (c = ctl == NULL ? NULL : ctl->choices; c != NULL; c = c->next) {
				wide = farena_fmt(x->arena, "%s/%s", path, c->value);
				column(x, t, wide == NULL ? path : wide, is_first);
			}
		}
	}
}

static struct table *add_table(struct fexport *x, const struct fdef *def, struct table *parent,
                               const char *name)
{
	struct table *t = farena_get(x->arena, sizeof *t), **end;
	bool is_first = true;

	if (t == NULL)
		return NULL;
	t->def = def;
	t->parent = parent;
	t->name = farena_fmt(x->arena, "%s.csv", name);
	t->rows.max = TABLE_MAX;
	for (end = &x->tables; *end != NULL; end = &(*end)->next)
		;
	*end = t;
	x->n_tables++;
	if (parent == NULL)
		column(x, t, "SubmissionDate", &is_first);
	columns(x, t, def, "", &is_first);
	if (parent != NULL)
		column(x, t, "PARENT_KEY", &is_first);
	column(x, t, "KEY", &is_first);
	if (parent == NULL)
		column(x, t, "FormVersion", &is_first);
	fbuf_text(&t->rows, "\n");
	return t->name == NULL ? NULL : t;
}

static int add_repeats(struct fexport *x, struct table *t, const struct fdef *group,
                       const char *name)
{
	const struct fdef *d;
	struct table *sub;
	char *sub_name;

	for (d = group->first; d != NULL; d = d->next) {
		if (d->first == NULL)
			continue;
		sub_name = farena_fmt(x->arena, "%s-%s", name, d->name);
		if (sub_name == NULL)
			return -1;
		sub = d->is_repeat ? add_table(x, d, t, sub_name) : t;
		if (sub == NULL || add_repeats(x, sub, d, sub_name) != 0)
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

struct fexport *fexport_new(const struct xform *f, unsigned flags, const char *lang)
{
	struct fexport *x = calloc(1, sizeof *x);
	struct table *t;
	char *name;

	if (x == NULL)
		return NULL;
	x->form = f;
	x->flags = flags;
	x->lang = xform_find_lang(f, lang);
	x->arena = farena_new(ARENA_MAX);
	x->scratch = farena_new(ARENA_MAX);
	if (x->arena == NULL || x->scratch == NULL || (name = safe_name(x->arena, f->id)) == NULL
	    || (t = add_table(x, f->root, NULL, name)) == NULL
	    || add_repeats(x, t, f->root, name) != 0) {
		fexport_free(x);
		return NULL;
	}
	return x;
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

static void value(struct fexport *x, struct table *t, const struct fdef *d, const struct fnode *n,
                  bool *is_first)
{
	const struct fctl *ctl = splits(x, d);
	const char *s = n == NULL ? "" : n->text;
	const struct fchoice *c;
	char *part;
	size_t i, len;

	for (i = 0; d->type == FTYPE_GEOPOINT && i < 4; i++) {
		s += strspn(s, " ");
		len = strcspn(s, " ");
		part = farena_str(x->scratch, s, len);
		field(x, t, part == NULL ? "" : part, is_first);
		s += len;
	}
	if (d->type == FTYPE_GEOPOINT)
		return;
	if ((x->flags & FEXPORT_LABELS) && d->ctl != NULL
	    && (d->ctl->choices != NULL || d->ctl->itemset != NULL)) {
		s = render_value(x->scratch, x->form, d, s, x->lang, xform_lang_code(x->form, x->lang));
		if (s == NULL)
			t->rows.is_broken = true;
	}
	field(x, t, s == NULL ? "" : s, is_first);
	for (c = ctl == NULL ? NULL : ctl->choices; c != NULL; c = c->next)
		field(x, t, n != NULL && has_choice(n->text, c->value) ? "1" : "0", is_first);
}

static struct table *table_of(struct fexport *x, const struct fdef *def)
{
	struct table *t;

	for (t = x->tables; t != NULL && t->def != def; t = t->next)
		;
	return t;
}

static void row(struct fexport *x, struct table *t, const struct fnode *n, const char *key,
                const char *parent_key);

/*
 * Fields of a group; n NULL: it is not there, but its columns are.  Children are mostly in
 * the form's order, so the search for the next one begins where the last one ended.
 */
static void fields(struct fexport *x, struct table *t, const struct fdef *group,
                   const struct fnode *n, const char *key, const char *path, bool *is_first)
{
	const struct fnode *c, *from = n == NULL ? NULL : n->first;
	const struct fdef *d;
	char *below, *sub_key;
	unsigned count;

	for (d = group->first; d != NULL; d = d->next) {
		for (c = from; c != NULL && c->def != d; c = c->next)
			;
		for (c = c == NULL && n != NULL ? n->first : c; c != NULL && c->def != d; c = c->next)
			;
		if (c != NULL)
			from = c;
		if (d->first == NULL) {
			value(x, t, d, c, is_first);
			continue;
		}
		below = farena_fmt(x->scratch, "%s/%s", path, d->name);
		if (below == NULL) {
			t->rows.is_broken = true;
			return;
		}
		if (!d->is_repeat) {
			fields(x, t, d, c, key, below, is_first);
			continue;
		}
		for (count = 0; c != NULL; c = c->next) {
			if (c->def != d)
				continue;
			sub_key = farena_fmt(x->scratch, "%s%s[%u]", key, below, ++count);
			if (sub_key == NULL || strlen(sub_key) > KEY_MAX)
				t->rows.is_broken = true;
			else
				row(x, table_of(x, d), c, sub_key, key);
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
	fields(x, t, t->def, n, key, "", &is_first);
	if (parent_key != NULL)
		field(x, t, parent_key, &is_first);
	field(x, t, key, &is_first);
	if (parent_key == NULL)
		field(x, t, x->version, &is_first);
	fbuf_text(&t->rows, "\n");
}

enum perr fexport_add(struct fexport *x, const struct instance *in, const char *key)
{
	struct farena_mark none = {NULL, 0};
	const char *id = instance_id(in);
	struct table *t;

	if (in->form != x->form)
		return PERR_STATE;
	x->version = instance_form_version(in);
	row(x, x->tables, in->root, id[0] != '\0' ? id : key == NULL ? "" : key, NULL);
	farena_release(x->scratch, none);
	for (t = x->tables; t != NULL; t = t->next)
		if (t->rows.is_broken)
			return PERR_LIMIT;
	return PERR_OK;
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

const uint8_t *fexport_bytes(const struct fexport *x, size_t i, size_t *len)
{
	const struct table *t = nth(x, i);

	*len = t == NULL ? 0 : t->rows.len;
	return t == NULL ? NULL : t->rows.bytes;
}

/* ---- JSON ----------------------------------------------------------------------------------- */

/* A number of JSON is a number of ODK, but for signs and leading zeros. */
static bool is_json_number(const char *s)
{
	size_t whole;

	s += *s == '-';
	whole = strspn(s, "0123456789");
	if (whole == 0 || whole > 15 || (whole > 1 && s[0] == '0'))
		return false;
	s += whole;
	if (*s == '.') {
		whole = strspn(++s, "0123456789");
		if (whole == 0)
			return false;
		s += whole;
	}
	return *s == '\0';
}

static bool has_answer(const struct fnode *n)
{
	const struct fnode *c;

	if (n->is_absent)
		return false;
	if (n->first == NULL)
		return n->text[0] != '\0';
	for (c = n->first; c != NULL; c = c->next)
		if (has_answer(c))
			return true;
	return false;
}

static void json_value(struct fbuf *b, const struct fnode *n);

static void json_list(struct fbuf *b, const char *s)
{
	size_t len;
	char word[256];
	bool is_first = true;

	fbuf_text(b, "[");
	while (*(s += strspn(s, " ")) != '\0') {
		len = strcspn(s, " ");
		snprintf(word, sizeof word, "%.*s", len > 250 ? 250 : (int)len, s);
		fbuf_text(b, is_first ? "" : ",");
		fbuf_json(b, word);
		is_first = false;
		s += len;
	}
	fbuf_text(b, "]");
}

static void json_object(struct fbuf *b, const struct fnode *n)
{
	const struct fnode *c, *s;
	bool is_first = true, is_array;

	fbuf_text(b, "{");
	for (c = n->first; c != NULL; c = c->next) {
		/* Siblings of one name are one array, told where the first one stands. */
		if (!has_answer(c) || c->ord > 1)
			continue;
		is_array = c->has_twin || (c->def != NULL && c->def->is_repeat);
		fbuf_text(b, is_first ? "" : ",");
		is_first = false;
		fbuf_json(b, c->name);
		fbuf_text(b, is_array ? ":[" : ":");
		json_value(b, c);
		for (s = c->next; is_array && s != NULL; s = s->next)
			if (s->ord > 1 && strcmp(s->name, c->name) == 0) {
				fbuf_text(b, ",");
				json_value(b, s);
			}
		fbuf_text(b, is_array ? "]" : "");
	}
	fbuf_text(b, "}");
}

static void json_value(struct fbuf *b, const struct fnode *n)
{
	enum ftype type = n->def == NULL ? FTYPE_STRING : n->def->type;

	if (n->first != NULL)
		json_object(b, n);
	else if ((type == FTYPE_INT || type == FTYPE_DECIMAL) && is_json_number(n->text))
		fbuf_text(b, n->text);
	else if (type == FTYPE_BOOLEAN && (strcmp(n->text, "true") == 0
	         || strcmp(n->text, "false") == 0))
		fbuf_text(b, n->text);
	else if (type == FTYPE_SELECT && strlen(n->text) < 4096)
		json_list(b, n->text);
	else
		fbuf_json(b, n->text);
}

enum perr fexport_json(const struct instance *in, uint8_t **json, size_t *len)
{
	struct fbuf b = {.max = TABLE_MAX};

	fbuf_text(&b, "{\"form\":");
	fbuf_json(&b, instance_form_id(in));
	fbuf_text(&b, ",\"version\":");
	fbuf_json(&b, instance_form_version(in));
	fbuf_text(&b, ",\"instanceID\":");
	fbuf_json(&b, instance_id(in));
	fbuf_text(&b, ",\"answers\":");
	json_object(&b, in->root);
	fbuf_text(&b, "}");
	return fbuf_take(&b, json, len) == 0 ? PERR_OK : PERR_NOMEM;
}
