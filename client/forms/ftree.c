/* SPDX-License-Identifier: AGPL-3.0-or-later */
#ifdef __wasm__
/* one thread: once is a flag */
typedef int pthread_once_t;
#define PTHREAD_ONCE_INIT 0
#define pthread_once(once, fn) do { if (!*(once)) { *(once) = 1; (fn)(); } } while (0)
#else
#include <pthread.h>
#endif
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libxml/parser.h>
#include <libxml/xmlerror.h>
#include <libxml/xmlmemory.h>

#include "farena.h"
#include "ftree.h"

#define DEPTH_MAX 96
#define ATTRS_MAX 64
/* Namespaces in scope: libxml2 looks through all of them for every name. */
#define NAMESPACES_MAX 64
/*
 * One tag, comment or instruction.  libxml2 reads a tag whole, and compares each attribute
 * with all before it: half a million of them took it two minutes.
 */
#define MARKUP_MAX (128u << 10)

struct textbuf {
	char *bytes;
	size_t len, cap;
};

struct parse {
	struct farena *a;
	const struct ftree_limits *lim;
	xmlParserCtxtPtr ctxt;
	struct fnode *root, *at;
	unsigned depth, n_spaces;
	size_t n_nodes;
	enum perr err;
	char *why;
	unsigned spaces_at[DEPTH_MAX + 1];      /* namespaces in scope around it */
	struct textbuf text[DEPTH_MAX + 1];     /* all text of the element at this depth */
	size_t run_start[DEPTH_MAX + 1];        /* where its current run began */
};

static void stop(struct parse *p, enum perr err, const char *why)
{
	if (p->err == PERR_OK) {
		p->err = err;
		snprintf(p->why, FTREE_WHY, "%s", why);
	}
	xmlStopParser(p->ctxt);
}

static void out_of_room(struct parse *p)
{
	if (farena_is_starved(p->a))
		stop(p, PERR_NOMEM, "There is not enough memory to read the document.");
	else
		stop(p, PERR_LIMIT, "The document needs more memory than a form may take.");
}

static bool count_node(struct parse *p)
{
	if (++p->n_nodes <= p->lim->nodes)
		return true;
	stop(p, PERR_LIMIT, "The document has too many elements.");
	return false;
}

static bool is_blank_line(const char *s, size_t len)
{
	bool newline = false;
	size_t i;

	for (i = 0; i < len; i++) {
		if (s[i] != ' ' && s[i] != '\t' && s[i] != '\n' && s[i] != '\r')
			return false;
		newline |= s[i] == '\n';
	}
	return newline || len == 0;
}

/* Indentation between elements is no text; a space between two outputs is. */
static void end_run(struct parse *p)
{
	struct textbuf *t = &p->text[p->depth];
	size_t start = p->run_start[p->depth];
	struct fnode *n;

	if (!p->lim->mixed || p->at == NULL || t->len == start || is_blank_line(t->bytes + start, t->len - start))
		return;
	if (!count_node(p))
		return;
	n = farena_get(p->a, sizeof *n);
	if (n == NULL || (n->text = farena_str(p->a, t->bytes + start, t->len - start)) == NULL) {
		out_of_room(p);
		return;
	}
	n->ns = "";
	ftree_insert(p->at, n, NULL);
	p->run_start[p->depth] = t->len;
}

static void on_start(void *ctx, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri,
                     int n_ns, const xmlChar **ns, int n_attrs, int n_defaulted,
                     const xmlChar **attrs)
{
	struct parse *p = ctx;
	struct fnode *n;
	int i;

	if (p->err != PERR_OK)
		return;
	if (p->at != NULL)
		end_run(p);
	if (p->depth >= p->lim->depth || p->depth >= DEPTH_MAX) {
		stop(p, PERR_LIMIT, "The elements of the document are nested too deeply.");
		return;
	}
	if (n_attrs > ATTRS_MAX) {
		stop(p, PERR_LIMIT, "An element of the document has too many attributes.");
		return;
	}
	if (n_ns > NAMESPACES_MAX || p->n_spaces + (unsigned)n_ns > NAMESPACES_MAX) {
		stop(p, PERR_LIMIT, "The document declares too many namespaces.");
		return;
	}
	if (!count_node(p))
		return;
	n = farena_get(p->a, sizeof *n);
	if (n == NULL)
		goto room;
	n->text = "";
	n->ns = uri == NULL ? "" : farena_str(p->a, (const char *)uri, strlen((const char *)uri));
	n->name = farena_str(p->a, (const char *)name, strlen((const char *)name));
	if (n->ns == NULL || n->name == NULL)
		goto room;
	/* libxml2 gives five pointers an attribute: name, prefix, URI, value, end of value. */
	for (i = n_attrs - 1; i >= 0; i--) {
		const char *const *at = (const char *const *)(attrs + 5 * i);
		struct fattr *f = farena_get(p->a, sizeof *f);

		if (f == NULL)
			goto room;
		f->name = farena_str(p->a, at[0], strlen(at[0]));
		f->ns = at[2] == NULL ? "" : farena_str(p->a, at[2], strlen(at[2]));
		f->value = farena_str(p->a, at[3], (size_t)(at[4] - at[3]));
		if (f->name == NULL || f->ns == NULL || f->value == NULL)
			goto room;
		f->next = n->attrs;
		n->attrs = f;
	}
	if (p->at == NULL)
		p->root = n;
	else
		ftree_insert(p->at, n, NULL);
	p->at = n;
	p->depth++;
	p->spaces_at[p->depth] = p->n_spaces;
	p->n_spaces += (unsigned)n_ns;
	p->text[p->depth].len = 0;
	p->run_start[p->depth] = 0;
	return;
room:
	out_of_room(p);
}

static void on_end(void *ctx, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
	struct parse *p = ctx;
	struct textbuf *t;
	char *text;

	if (p->err != PERR_OK || p->at == NULL)
		return;
	end_run(p);
	if (p->err != PERR_OK)
		return;
	t = &p->text[p->depth];
	if (t->len > 0) {
		text = farena_str(p->a, t->bytes, t->len);
		if (text == NULL) {
			out_of_room(p);
			return;
		}
		p->at->text = text;
		p->at->text_cap = t->len + 1;
	}
	p->at = p->at->parent;
	p->n_spaces = p->spaces_at[p->depth];
	p->depth--;
	p->run_start[p->depth] = p->text[p->depth].len;
}

static void on_text(void *ctx, const xmlChar *s, int len)
{
	struct parse *p = ctx;
	struct textbuf *t = &p->text[p->depth];
	size_t cap;
	char *bytes;

	if (p->err != PERR_OK || p->at == NULL || len <= 0)
		return;
	if (t->cap - t->len < (size_t)len) {
		cap = t->cap * 2 + (size_t)len + 64;
		bytes = realloc(t->bytes, cap);
		if (bytes == NULL) {
			stop(p, PERR_NOMEM, "There is not enough memory to read the document.");
			return;
		}
		t->bytes = bytes;
		t->cap = cap;
	}
	memcpy(t->bytes + t->len, s, (size_t)len);
	t->len += (size_t)len;
}

static void on_doctype(void *ctx, const xmlChar *name, const xmlChar *id, const xmlChar *sys)
{
	stop(ctx, PERR_FORMAT, "The document has a document type declaration (DOCTYPE), "
	     "which could hide entities; none is accepted.");
}

static xmlEntityPtr on_entity(void *ctx, const xmlChar *name)
{
	return xmlGetPredefinedEntity(name);
}

static void on_reference(void *ctx, const xmlChar *name)
{
	stop(ctx, PERR_FORMAT, "The document refers to an entity that is not one of XML's own five.");
}

static void on_error(void *ctx, const char *fmt, ...)
{
}

/*
 * libxml2 gives up without memory as it does over a wrong bracket, and does not always say
 * which it was.  So its requests are watched.
 */
static _Thread_local bool xml_is_starved;

static void *watched(void *p)
{
	xml_is_starved |= p == NULL;
	return p;
}

static void *xml_malloc(size_t n)
{
	return watched(malloc(n));
}

static void *xml_realloc(void *p, size_t n)
{
	return watched(realloc(p, n));
}

static char *xml_strdup(const char *s)
{
	return watched(strdup(s));
}

static pthread_once_t watch_once = PTHREAD_ONCE_INIT;

static void watch_memory(void)
{
	(void)!xmlMemSetup(free, xml_malloc, xml_realloc, xml_strdup);
}

enum perr ftree_parse(struct fnode **root, struct farena *a, const uint8_t *xml, size_t xml_len,
                      const struct ftree_limits *lim, char why[FTREE_WHY])
{
	enum perr err = PERR_NOMEM;
	struct parse *p = calloc(1, sizeof *p);
	xmlSAXHandler sax;
	const xmlError *e;
	size_t i;

	pthread_once(&watch_once, watch_memory);
	xml_is_starved = false;
	*root = NULL;
	snprintf(why, FTREE_WHY, "There is not enough memory to read the document.");
	if (p == NULL)
		goto out;
	if (xml_len == 0 || xml_len > lim->bytes) {
		err = xml_len == 0 ? PERR_FORMAT : PERR_LIMIT;
		snprintf(why, FTREE_WHY, xml_len == 0 ? "The document is empty."
		         : "The document is larger than %zu KiB.", lim->bytes / 1024);
		goto out;
	}
	memset(&sax, 0, sizeof sax);
	sax.initialized = XML_SAX2_MAGIC;
	sax.startElementNs = on_start;
	sax.endElementNs = on_end;
	sax.characters = on_text;
	sax.ignorableWhitespace = on_text;
	sax.cdataBlock = on_text;
	sax.internalSubset = on_doctype;
	sax.getEntity = on_entity;
	sax.reference = on_reference;
	sax.warning = on_error;
	sax.error = on_error;
	sax.fatalError = on_error;
	p->a = a;
	p->lim = lim;
	p->why = why;
	p->err = PERR_OK;
	p->ctxt = xmlCreatePushParserCtxt(&sax, p, NULL, 0, NULL);
	if (p->ctxt == NULL)
		goto out;
	/*
	 * NOENT, because without it an &amp; in an attribute arrives as "&#38;".  It cannot do
	 * harm: on_entity knows only XML's own five.
	 */
	xmlCtxtUseOptions(p->ctxt, XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING
	                  | XML_PARSE_NOCDATA | XML_PARSE_NOENT);
	/* In slices, because xmlStopParser only takes effect between them. */
	for (i = 0; i < xml_len && p->err == PERR_OK; i += 4096) {
		xmlParseChunk(p->ctxt, (const char *)xml + i,
		              (int)(xml_len - i < 4096 ? xml_len - i : 4096), 0);
		/* what waits for the end of its tag */
		if (p->ctxt->input != NULL
		    && (size_t)(p->ctxt->input->end - p->ctxt->input->cur) > MARKUP_MAX)
			stop(p, PERR_LIMIT, "A tag or a comment of the document is too long.");
	}
	if (p->err == PERR_OK)
		xmlParseChunk(p->ctxt, NULL, 0, 1);
	err = p->err;
	if (err != PERR_OK)
		goto out;
	if (xml_is_starved) {
		err = PERR_NOMEM;
		goto out;
	}
	/* A prefix nobody declared would be part of a name. */
	if (!p->ctxt->wellFormed || !p->ctxt->nsWellFormed || p->root == NULL || p->at != NULL) {
		err = PERR_FORMAT;
		e = xmlCtxtGetLastError(p->ctxt);
		snprintf(why, FTREE_WHY, "The document is not well-formed XML (line %d).",
		         e != NULL && e->line > 0 ? e->line : 1);
		goto out;
	}
	why[0] = '\0';
	*root = p->root;
out:
	if (p != NULL) {
		if (p->ctxt != NULL) {
			if (p->ctxt->myDoc != NULL)
				xmlFreeDoc(p->ctxt->myDoc);
			p->ctxt->myDoc = NULL;
			xmlFreeParserCtxt(p->ctxt);
		}
		for (i = 0; i <= DEPTH_MAX; i++) {
			if (p->text[i].bytes != NULL)
				explicit_bzero(p->text[i].bytes, p->text[i].cap);
			free(p->text[i].bytes);
		}
	}
	free(p);
	return err;
}

const char *ftree_attr(const struct fnode *n, const char *ns, const char *name)
{
	const struct fattr *f;

	for (f = n->attrs; f != NULL; f = f->next)
		if (strcmp(f->name, name) == 0 && (ns == NULL || strcmp(f->ns, ns) == 0))
			return f->value;
	return NULL;
}

static struct fnode *named(struct fnode *c, const char *name)
{
	while (c != NULL && (c->name == NULL || (name != NULL && strcmp(c->name, name) != 0)))
		c = c->next;
	return c;
}

struct fnode *ftree_child(const struct fnode *n, const char *name)
{
	return named(n->first, name);
}

struct fnode *ftree_next(const struct fnode *n, const char *name)
{
	return named(n->next, name);
}

struct fnode *ftree_new(struct farena *a, const char *ns, const char *name)
{
	struct fnode *n = farena_get(a, sizeof *n);

	if (n != NULL) {
		n->ns = ns;
		n->name = name;
		n->text = "";
	}
	return n;
}

struct fnode *ftree_copy(struct farena *a, const struct fnode *n)
{
	struct fnode *copy = ftree_new(a, n->ns, n->name), *child;
	const struct fnode *c;

	if (copy == NULL || ftree_set_text(a, copy, n->text, strlen(n->text)) != 0)
		return NULL;
	copy->attrs = n->attrs;
	copy->def = n->def;
	copy->is_template = n->is_template;
	copy->is_absent = n->is_absent;
	for (c = n->first; c != NULL; c = c->next) {
		child = ftree_copy(a, c);
		if (child == NULL)
			return NULL;
		ftree_insert(copy, child, NULL);
	}
	return copy;
}

void ftree_insert(struct fnode *parent, struct fnode *n, struct fnode *before)
{
	n->parent = parent;
	n->next = before;
	n->prev = before == NULL ? parent->last : before->prev;
	if (n->prev == NULL)
		parent->first = n;
	else
		n->prev->next = n;
	if (before == NULL)
		parent->last = n;
	else
		before->prev = n;
}

void ftree_unlink(struct fnode *n)
{
	if (n->prev == NULL)
		n->parent->first = n->next;
	else
		n->prev->next = n->next;
	if (n->next == NULL)
		n->parent->last = n->prev;
	else
		n->next->prev = n->prev;
	n->parent = n->next = n->prev = NULL;
}

int ftree_set_text(struct farena *a, struct fnode *n, const char *text, size_t len)
{
	char *to = (char *)n->text;
	size_t cap = n->text_cap;

	if (len == 0 && cap == 0)
		return 0;
	if (len >= cap) {
		cap = cap * 2 > len + 1 ? cap * 2 : len + 1;
		to = farena_get(a, cap);
		if (to == NULL)
			return -1;
		memcpy(to, text, len);
		if (n->text_cap > 0)
			explicit_bzero((char *)n->text, n->text_cap);
	} else {
		memmove(to, text, len);
		explicit_bzero(to + len, cap - len);
	}
	to[len] = '\0';
	n->text = to;
	n->text_cap = cap;
	return 0;
}
