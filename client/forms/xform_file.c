/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Files a form takes its choices from: CSV as the specification describes it, XML, or GeoJSON. */
#include <stdio.h>
#include <string.h>

#include "fold.h"
#include "xform_int.h"

#define FILE_BYTES_MAX ((size_t)8 << 20)
#define NODES_MAX 400000
#define COLUMNS_MAX 200

struct csv {
	struct farena *arena;
	const char *s, *end;
	char delimiter;
	char *why;
	unsigned line;
};

static int wrong(struct csv *c, const char *what)
{
	snprintf(c->why, XFORM_WHY_SIZE, "The file is no CSV table: %s (line %u).", what, c->line);
	return -1;
}

/*
 * One field; *is_last: it ends its row.  Quoted fields may hold delimiters and line ends;
 * a quote inside is doubled (RFC 4180).
 */
static char *field(struct csv *c, bool *is_last)
{
	const char *start = c->s;
	char *out, *w;
	bool quoted = c->s < c->end && *c->s == '"';

	if (quoted) {
		for (c->s++; c->s < c->end; c->s++) {
			if (*c->s == '\n')
				c->line++;
			if (*c->s != '"')
				continue;
			if (c->s + 1 < c->end && c->s[1] == '"')
				c->s++;
			else
				break;
		}
		if (c->s >= c->end) {
			wrong(c, "a quote is not closed");
			return NULL;
		}
		start++;
	} else {
		while (c->s < c->end && *c->s != c->delimiter && *c->s != '\n' && *c->s != '\r')
			c->s++;
	}
	out = w = farena_get(c->arena, (size_t)(c->s - start) + 1);
	if (out == NULL) {
		wrong(c, "it needs too much memory");
		return NULL;
	}
	for (; start < c->s; start++) {
		if (quoted && *start == '"')
			start++;
		*w++ = *start;
	}
	c->s += quoted;
	if (c->s < c->end && *c->s == c->delimiter) {
		*is_last = false;
		c->s++;
		return out;
	}
	*is_last = true;
	if (c->s < c->end && *c->s == '\r')
		c->s++;
	if (c->s < c->end && *c->s == '\n')
		c->s++;
	else if (c->s < c->end && quoted && c->s[-1] != '\r') {
		wrong(c, "there is text behind a closing quote");
		return NULL;
	}
	c->line++;
	return out;
}

bool xform_is_name(const char *s)
{
	if (!((*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') || *s == '_'
	      || (unsigned char)*s >= 0x80))
		return false;
	for (; *s != '\0'; s++)
		if (!((*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') || (*s >= '0' && *s <= '9')
		      || strchr("_-.", *s) != NULL || (unsigned char)*s >= 0x80))
			return false;
	return true;
}

static int header(struct csv *c, const char *columns[COLUMNS_MAX], size_t *n_columns)
{
	bool is_last = false;
	char *name;
	size_t i;

	while (!is_last) {
		if (*n_columns == COLUMNS_MAX)
			return wrong(c, "it has too many columns");
		if ((name = field(c, &is_last)) == NULL)
			return -1;
		name += strspn(name, " ");
		for (i = strlen(name); i > 0 && name[i - 1] == ' '; i--)
			name[i - 1] = '\0';
		for (i = 0; i < *n_columns; i++)
			if (strcmp(columns[i], name) == 0)
				return wrong(c, "two columns have one name");
		/* Spreadsheets leave empty columns behind; nobody can ask for them. */
		if (name[0] != '\0' && !xform_is_name(name))
			return wrong(c, "a column's name is not one that forms can use");
		columns[(*n_columns)++] = name;
	}
	return 0;
}

static struct fnode *read_csv(struct csv *c)
{
	struct fnode *root = ftree_new(c->arena, "", "root"), *item, *cell;
	const char *columns[COLUMNS_MAX], *start;
	size_t n_columns = 0, i, n_nodes = 0;
	bool is_last;
	char *text;

	if (root == NULL || header(c, columns, &n_columns) != 0)
		return NULL;
	while (c->s < c->end) {
		if (*c->s == '\n' || *c->s == '\r') {
			c->s++;
			continue;
		}
		item = ftree_new(c->arena, "", "item");
		if (item == NULL)
			return NULL;
		for (i = 0, is_last = false; !is_last; i++) {
			start = c->s;
			text = field(c, &is_last);
			if (text == NULL)
				return NULL;
			if (i >= n_columns || columns[i][0] == '\0') {
				if (c->s - start > 1 && i >= n_columns && text[0] != '\0') {
					wrong(c, "a row has more fields than the header");
					return NULL;
				}
				continue;
			}
			if (++n_nodes > NODES_MAX || (cell = ftree_new(c->arena, "", columns[i])) == NULL) {
				wrong(c, "it is too large");
				return NULL;
			}
			cell->text = text;
			ftree_insert(item, cell, NULL);
		}
		for (; i < n_columns; i++)
			if (columns[i][0] != '\0' && (cell = ftree_new(c->arena, "", columns[i])) != NULL)
				ftree_insert(item, cell, NULL);
		ftree_insert(root, item, NULL);
	}
	return root;
}

/* Comma, semicolon, tab: the first one that is in the header. */
static char delimiter_of(const char *s, const char *end)
{
	const char *d, *line = memchr(s, '\n', (size_t)(end - s));

	line = line == NULL ? end : line;
	for (d = ",;\t"; *d != '\0'; d++)
		if (memchr(s, *d, (size_t)(line - s)) != NULL)
			return *d;
	return ',';
}

static enum perr parse_file(struct xform *f, struct finst *inst, const uint8_t *bytes, size_t len,
                            char why[XFORM_WHY_SIZE])
{
	static const struct ftree_limits limits = {FILE_BYTES_MAX, NODES_MAX, 16, true};
	struct csv c = {f->arena, (const char *)bytes, (const char *)bytes + len, ',', why, 1};
	struct fnode *root, *top = ftree_new(f->arena, "", "instance");
	enum perr err;

	if (top == NULL)
		return PERR_NOMEM;
	if (inst->is_csv) {
		if (len >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0)
			c.s += 3;
		if (!fold_is_text(c.s, (size_t)(c.end - c.s))) {
			wrong(&c, "it is not text in UTF-8");
			return PERR_FORMAT;
		}
		c.delimiter = delimiter_of(c.s, c.end);
		root = read_csv(&c);
		if (root == NULL)
			return PERR_FORMAT;
	} else if (inst->is_geojson) {
		root = xform_read_geojson(f->arena, (const char *)bytes, len, why);
		if (root == NULL)
			return PERR_FORMAT;
	} else {
		err = ftree_parse(&root, f->arena, bytes, len, &limits, why);
		if (err != PERR_OK)
			return err;
	}
	ftree_insert(top, root, NULL);
	inst->root = root;
	return PERR_OK;
}

enum perr xform_supply(struct xform *f, const char *name, const uint8_t *bytes, size_t len,
                       char why[XFORM_WHY_SIZE])
{
	struct xparse p = {.f = f, .why = why, .err = PERR_NOMEM};
	bool is_known = false;
	struct finst *inst;
	enum perr err;

	snprintf(why, XFORM_WHY_SIZE, "The form does not name a file \"%.100s\".", name);
	fold_tidy(why);
	if (len == 0 || len > FILE_BYTES_MAX) {
		snprintf(why, XFORM_WHY_SIZE, len == 0 ? "The file is empty."
		         : "The file is larger than %zu MiB.", FILE_BYTES_MAX >> 20);
		return len == 0 ? PERR_FORMAT : PERR_LIMIT;
	}
	for (inst = f->insts; inst != NULL; inst = inst->next) {
		if (inst->file == NULL || strcmp(inst->file, name) != 0)
			continue;
		is_known = true;
		if (inst->root != NULL) {
			snprintf(why, XFORM_WHY_SIZE, "The file has been handed over already.");
			return PERR_EXISTS;
		}
		err = parse_file(f, inst, bytes, len, why);
		if (err != PERR_OK)
			return err;
	}
	if (!is_known)
		return PERR_NOTFOUND;
	if (xform_index_choices(&p) != 0)
		return p.err;
	why[0] = '\0';
	return PERR_OK;
}
