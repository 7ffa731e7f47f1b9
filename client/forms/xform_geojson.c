/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * GeoJSON (RFC 7946) as a secondary instance, as ODK Collect reads it: each feature is an
 * <item> with its geometry in ODK's notation, its id and its properties as children.
 *
 * The parser goes over the bytes without recursion but for the fixed nesting of the format;
 * what nobody can ask for (nested properties, names that XPath cannot say) is skipped.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fbuf.h"
#include "fold.h"
#include "xform_int.h"

#define NESTING_MAX 32
#define NODES_MAX 400000

struct json {
	struct farena *arena;
	const char *s, *end;
	char *why;
	size_t n_nodes;
};

static int wrong(struct json *j, const char *what)
{
	snprintf(j->why, XFORM_WHY_SIZE, "The file is no GeoJSON: %s.", what);
	return -1;
}

static void space(struct json *j)
{
	while (j->s < j->end && strchr(" \t\r\n", *j->s) != NULL)
		j->s++;
}

/* The sign c, white space around it taken; false: something else, nothing taken. */
static bool sign(struct json *j, char c)
{
	space(j);
	if (j->s >= j->end || *j->s != c)
		return false;
	j->s++;
	space(j);
	return true;
}

static int must(struct json *j, char c)
{
	char what[] = "\"?\" is missing";

	what[1] = c;
	return sign(j, c) ? 0 : wrong(j, what);
}

/* ---- texts and numbers --------------------------------------------------------------------- */

static int hex4(struct json *j, unsigned *out)
{
	unsigned i, d;

	*out = 0;
	for (i = 0; i < 4; i++, j->s++) {
		char c = j->s < j->end ? *j->s : '\0';

		d = c >= '0' && c <= '9' ? (unsigned)(c - '0') : (c | 32) >= 'a' && (c | 32) <= 'f'
			? (unsigned)((c | 32) - 'a') + 10 : 16;
		if (d == 16)
			return wrong(j, "an escaped character is not complete");
		*out = *out << 4 | d;
	}
	return 0;
}

static char *put_utf8(char *w, unsigned c)
{
	if (c < 0x80) {
		*w++ = (char)c;
	} else if (c < 0x800) {
		*w++ = (char)(0xc0 | c >> 6);
		*w++ = (char)(0x80 | (c & 63));
	} else if (c < 0x10000) {
		*w++ = (char)(0xe0 | c >> 12);
		*w++ = (char)(0x80 | (c >> 6 & 63));
		*w++ = (char)(0x80 | (c & 63));
	} else {
		*w++ = (char)(0xf0 | c >> 18);
		*w++ = (char)(0x80 | (c >> 12 & 63));
		*w++ = (char)(0x80 | (c >> 6 & 63));
		*w++ = (char)(0x80 | (c & 63));
	}
	return w;
}

/* Behind a backslash; *w moves on.  An escape is never shorter than what it stands for. */
static int escape(struct json *j, char **w)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *at = j->s < j->end && *j->s != '\0' ? strchr(from, *j->s) : NULL;
	unsigned c, low;

	if (at != NULL) {
		*(*w)++ = to[at - from];
		j->s++;
		return 0;
	}
	if (j->s >= j->end || *j->s != 'u')
		return wrong(j, "an escaped character is unknown");
	j->s++;
	if (hex4(j, &c) != 0)
		return -1;
	if (c >= 0xd800 && c < 0xdc00) {
		if (j->end - j->s < 6 || j->s[0] != '\\' || j->s[1] != 'u')
			return wrong(j, "half a character stands alone");
		j->s += 2;
		if (hex4(j, &low) != 0)
			return -1;
		if (low < 0xdc00 || low > 0xdfff)
			return wrong(j, "half a character stands alone");
		c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
	}
	*w = put_utf8(*w, c);
	return 0;
}

static int string(struct json *j, char **out)
{
	const char *start, *quote;
	char *w;

	if (!sign(j, '"'))
		return wrong(j, "a text is missing");
	/* sign() took white space that belongs to the text */
	while (j->s[-1] != '"')
		j->s--;
	start = j->s;
	for (quote = start; quote < j->end && *quote != '"'; quote++)
		quote += *quote == '\\';
	if (quote >= j->end)
		return wrong(j, "a text does not end");
	*out = w = farena_get(j->arena, (size_t)(quote - start) + 1);
	if (w == NULL)
		return wrong(j, "it needs too much memory");
	while (j->s < quote) {
		if ((unsigned char)*j->s < 32)
			return wrong(j, "a text holds a control sign");
		if (*j->s != '\\')
			*w++ = *j->s++;
		else if (j->s++, escape(j, &w) != 0)
			return -1;
	}
	j->s = quote + 1;
	if (!fold_is_text(*out, (size_t)(w - *out)))
		return wrong(j, "a text holds a sign that a form cannot");
	space(j);
	return 0;
}

static int number(struct json *j, char **out)
{
	size_t n;

	space(j);
	n = 0;
	while (j->s + n < j->end && strchr("+-.eE0123456789", j->s[n]) != NULL && j->s[n] != '\0')
		n++;
	if (n == 0 || n > 40 || *j->s == '+')
		return wrong(j, "a number is missing");
	*out = farena_str(j->arena, j->s, n);
	j->s += n;
	space(j);
	return *out == NULL ? wrong(j, "it needs too much memory") : 0;
}

static bool word(struct json *j, const char *w)
{
	size_t n = strlen(w);

	space(j);
	if ((size_t)(j->end - j->s) < n || memcmp(j->s, w, n) != 0)
		return false;
	j->s += n;
	space(j);
	return true;
}

/* A value of any kind, passed over; brackets are counted, not entered. */
static int skip(struct json *j)
{
	char open[NESTING_MAX], *ignored;
	unsigned depth = 0;

	do {
		space(j);
		if (j->s >= j->end)
			return wrong(j, "it is cut off");
		switch (*j->s) {
		case '{':
		case '[':
			if (depth == NESTING_MAX)
				return wrong(j, "it is nested too deeply");
			open[depth++] = *j->s++;
			break;
		case '}':
		case ']':
			if (depth == 0 || open[depth - 1] != (*j->s == '}' ? '{' : '['))
				return wrong(j, "a bracket is missing");
			depth--;
			j->s++;
			break;
		case '"':
			if (string(j, &ignored) != 0)
				return -1;
			break;
		case ',':
		case ':':
			if (depth == 0)
				return wrong(j, "a value is missing");
			j->s++;
			break;
		default:
			if (!word(j, "true") && !word(j, "false") && !word(j, "null") &&
			    number(j, &ignored) != 0)
				return -1;
		}
	} while (depth > 0);
	space(j);
	return 0;
}

/* ---- places --------------------------------------------------------------------------------- */

/* [longitude, latitude, altitude] as "latitude longitude altitude 0" */
static int position(struct json *j, struct fbuf *b)
{
	char *at[3] = {NULL, NULL, NULL}, *more;
	unsigned n = 0;

	if (must(j, '[') != 0)
		return -1;
	do {
		if (number(j, n < 3 ? &at[n] : &more) != 0)
			return -1;
		n++;
	} while (n < 8 && sign(j, ','));
	if (n < 2 || must(j, ']') != 0)
		return wrong(j, "a place is not a pair of numbers");
	/* ODK's places have no exponents */
	for (n = 0; n < 3; n++)
		if (at[n] != NULL && strpbrk(at[n], "eE") != NULL
		    && (at[n] = farena_fmt(j->arena, "%.9f", strtod(at[n], NULL))) == NULL)
			return wrong(j, "it needs too much memory");
	fbuf_fmt(b, "%s%s %s %s 0", b->len == 0 ? "" : "; ", at[1], at[0], at[2] == NULL ? "0" : at[2]);
	return 0;
}

static int positions(struct json *j, struct fbuf *b)
{
	if (must(j, '[') != 0)
		return -1;
	do {
		if (position(j, b) != 0)
			return -1;
	} while (sign(j, ','));
	return must(j, ']');
}

static int coordinates(struct json *j, const char *type, struct fbuf *b)
{
	if (strcmp(type, "Point") == 0)
		return position(j, b);
	if (strcmp(type, "LineString") == 0)
		return positions(j, b);
	if (strcmp(type, "Polygon") == 0)       /* its border; holes are not known to ODK */
		return must(j, '[') != 0 ? -1 : positions(j, b);
	return wrong(j, "a geometry is neither Point nor LineString nor Polygon");
}

static int geometry(struct json *j, char **out)
{
	const char *where = NULL, *behind;
	char *type = NULL, *key;
	struct fbuf b = {.max = XFORM_BYTES_MAX};
	int rc = -1;

	*out = farena_str(j->arena, "", 0);
	if (word(j, "null"))
		return *out == NULL ? -1 : 0;
	if (must(j, '{') != 0)
		return -1;
	do {
		if (string(j, &key) != 0 || must(j, ':') != 0)
			return -1;
		if (strcmp(key, "type") == 0) {
			if (string(j, &type) != 0)
				return -1;
			continue;
		}
		/* the type may come behind them */
		if (strcmp(key, "coordinates") == 0)
			where = j->s;
		if (skip(j) != 0)
			return -1;
	} while (sign(j, ','));
	if (must(j, '}') != 0)
		return -1;
	if (type == NULL || where == NULL)
		return wrong(j, "a geometry has no type or no coordinates");
	behind = j->s;
	j->s = where;
	if (coordinates(j, type, &b) == 0 && !b.is_broken) {
		*out = farena_str(j->arena, (const char *)b.bytes, b.len);
		rc = *out == NULL ? wrong(j, "it needs too much memory") : 0;
	}
	fbuf_drop(&b);
	j->s = behind;
	return rc;
}

/* ---- features --------------------------------------------------------------------------------- */

static int child(struct json *j, struct fnode *item, const char *name, const char *text,
                 struct fnode *before)
{
	struct fnode *n;

	if (text == NULL || !xform_is_name(name))
		return 0;
	if (++j->n_nodes > NODES_MAX || (n = ftree_new(j->arena, "", name)) == NULL)
		return wrong(j, "it is too large");
	n->text = text;
	ftree_insert(item, n, before);
	return 0;
}

/* A text, a number, true or false; NULL: nothing a question could show. */
static int scalar(struct json *j, char **out)
{
	*out = NULL;
	space(j);
	if (j->s < j->end && *j->s == '"')
		return string(j, out);
	if (j->s < j->end && (*j->s == '-' || (*j->s >= '0' && *j->s <= '9')))
		return number(j, out);
	if (word(j, "true")) {
		*out = farena_str(j->arena, "true", 4);
		return 0;
	}
	if (word(j, "false")) {
		*out = farena_str(j->arena, "false", 5);
		return 0;
	}
	return skip(j);
}

static int properties(struct json *j, struct fnode *item)
{
	char *key, *text;

	if (word(j, "null"))
		return 0;
	if (must(j, '{') != 0)
		return -1;
	if (sign(j, '}'))
		return 0;
	do {
		if (string(j, &key) != 0 || must(j, ':') != 0 || scalar(j, &text) != 0)
			return -1;
		/* the feature's own geometry and id go before its properties */
		if (strcmp(key, "geometry") != 0 && child(j, item, key, text, NULL) != 0)
			return -1;
	} while (sign(j, ','));
	return must(j, '}');
}

static int feature(struct json *j, struct fnode *root)
{
	struct fnode *item = ftree_new(j->arena, "", "item"), *old;
	char *key, *type = NULL, *place = NULL, *id = NULL;

	if (item == NULL || ++j->n_nodes > NODES_MAX)
		return wrong(j, "it is too large");
	if (must(j, '{') != 0)
		return -1;
	do {
		if (string(j, &key) != 0 || must(j, ':') != 0)
			return -1;
		if (strcmp(key, "type") == 0 ? string(j, &type) != 0
		    : strcmp(key, "geometry") == 0 ? geometry(j, &place) != 0
		    : strcmp(key, "id") == 0 ? scalar(j, &id) != 0
		    : strcmp(key, "properties") == 0 ? properties(j, item) != 0 : skip(j) != 0)
			return -1;
	} while (sign(j, ','));
	if (must(j, '}') != 0)
		return -1;
	if (type == NULL || strcmp(type, "Feature") != 0)
		return wrong(j, "what stands in its list is not a feature");
	if (id != NULL && (old = ftree_child(item, "id")) != NULL)
		ftree_unlink(old);
	if (child(j, item, "id", id, item->first) != 0
	    || child(j, item, "geometry", place == NULL ? "" : place, item->first) != 0)
		return -1;
	ftree_insert(root, item, NULL);
	return 0;
}

static int collection(struct json *j, struct fnode *root)
{
	char *key, *type = NULL;
	bool has_features = false;

	if (must(j, '{') != 0)
		return -1;
	do {
		if (string(j, &key) != 0 || must(j, ':') != 0)
			return -1;
		if (strcmp(key, "type") == 0) {
			if (string(j, &type) != 0)
				return -1;
		} else if (strcmp(key, "features") == 0 && !has_features) {
			has_features = true;
			if (must(j, '[') != 0)
				return -1;
			if (sign(j, ']'))
				continue;
			do {
				if (feature(j, root) != 0)
					return -1;
			} while (sign(j, ','));
			if (must(j, ']') != 0)
				return -1;
		} else if (skip(j) != 0) {
			return -1;
		}
	} while (sign(j, ','));
	if (must(j, '}') != 0)
		return -1;
	if (j->s != j->end)
		return wrong(j, "something stands behind its end");
	if (type == NULL || strcmp(type, "FeatureCollection") != 0 || !has_features)
		return wrong(j, "it is not a collection of features");
	return 0;
}

struct fnode *xform_read_geojson(struct farena *a, const char *s, size_t len,
                                 char why[XFORM_WHY_SIZE])
{
	struct json j = {.arena = a, .s = s, .end = s + len, .why = why};
	struct fnode *root = ftree_new(a, "", "root");

	if (len >= 3 && memcmp(s, "\xef\xbb\xbf", 3) == 0)
		j.s += 3;
	if (root == NULL) {
		wrong(&j, "it needs too much memory");
		return NULL;
	}
	if (!fold_is_text(j.s, (size_t)(j.end - j.s))) {
		wrong(&j, "it is not text in UTF-8");
		return NULL;
	}
	return collection(&j, root) == 0 ? root : NULL;
}
