/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* One instance as JSON; tables are in fexport.c. */
#include <stdio.h>
#include <string.h>

#include "fbuf.h"
#include "fexport.h"
#include "instance_int.h"

#define JSON_MAX ((size_t)1 << 30)

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
	struct fbuf b = {.max = JSON_MAX};

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
