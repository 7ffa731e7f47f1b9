/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Texts of a form: the itext block, labels with outputs, languages and their fallbacks. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "xform_int.h"

#define LANGS_MAX 64
#define NAME_MAX_CHARS 80

int xparse_nomem(struct xparse *p)
{
	if (farena_is_starved(p->f->arena))
		return xparse_fail(p, PERR_NOMEM, "There is not enough memory to read the form.");
	return xparse_fail(p, PERR_LIMIT, "The form needs more memory than a form may take.");
}

/*
 * Labels may carry HTML for a browser (<span style=...>): the tags are dropped, the text
 * stays.  "<" followed by anything but a letter or "/" is text ("age < 5").
 */
static char *without_tags(struct farena *a, const char *s)
{
	char *out = farena_get(a, strlen(s) + 1), *w = out;
	const char *end;

	if (out == NULL)
		return NULL;
	while (*s != '\0') {
		if (s[0] == '<' && (s[1] == '/' || (s[1] >= 'a' && s[1] <= 'z')
		                    || (s[1] >= 'A' && s[1] <= 'Z'))
		    && (end = strchr(s, '>')) != NULL) {
			s = end + 1;
			continue;
		}
		*w++ = *s++;
	}
	*w = '\0';
	return out;
}

static int parse_parts(struct xparse *p, struct ftext_part **out, const struct fnode *n)
{
	struct farena *a = p->f->arena;
	struct ftext_part **end = out, *part;
	const struct fnode *c;
	const char *value;

	*out = NULL;
	for (c = n->first; c != NULL; c = c->next) {
		part = farena_get(a, sizeof *part);
		if (part == NULL)
			return xparse_nomem(p);
		if (c->name == NULL) {
			part->literal = without_tags(a, c->text);
			if (part->literal == NULL)
				return xparse_nomem(p);
		} else if (strcmp(c->name, "output") == 0) {
			value = ftree_attr(c, NULL, "value");
			if (value == NULL)
				value = ftree_attr(c, NULL, "ref");
			if (value == NULL)
				return xparse_fail(p, PERR_FORMAT, "An <output> in a label does not say "
				                   "which value it shows.");
			part->output = value;
		} else {
			/* Markup a browser would understand: its text is what a person reads. */
			part->literal = without_tags(a, c->text);
			if (part->literal == NULL)
				return xparse_nomem(p);
		}
		*end = part;
		end = &part->next;
	}
	return 0;
}

static const struct fitext *find_itext(struct xparse *p, const char *ref)
{
	char id[1024];
	const char *start = strpbrk(ref, "'\""), *end;

	end = start == NULL ? NULL : strrchr(start + 1, *start);
	if (end == NULL || (size_t)(end - start) > sizeof id)
		return NULL;
	memcpy(id, start + 1, (size_t)(end - start - 1));
	id[end - start - 1] = '\0';
	return fmap_get(&p->f->itext_by_id, NULL, id);
}

static bool is_itext_call(const char *s)
{
	s += strspn(s, " \t\r\n");
	return strncmp(s, "jr:itext", 8) == 0;
}

int xparse_text(struct xparse *p, struct ftext **out, const struct fnode *n,
                const struct fdef *def)
{
	struct farena *a = p->f->arena;
	const char *ref = ftree_attr(n, NULL, "ref");
	struct ftext *t = farena_get(a, sizeof *t);

	*out = NULL;
	if (t == NULL)
		return xparse_nomem(p);
	if (ref != NULL && is_itext_call(ref)) {
		t->itext = find_itext(p, ref);
		if (t->itext == NULL)
			return xparse_fail(p, PERR_FORMAT, "%s refers to the text %s, which the form's "
			                   "translations do not have.", def == NULL ? "A label" : def->path,
			                   ref);
	} else if (ref != NULL && n->first == NULL) {
		t->parts = farena_get(a, sizeof *t->parts);
		if (t->parts == NULL)
			return xparse_nomem(p);
		t->parts->output = ref;
	} else if (parse_parts(p, &t->parts, n) != 0) {
		return -1;
	}
	*out = t;
	return 0;
}

int xparse_message(struct xparse *p, struct ftext **out, const char *value)
{
	struct farena *a = p->f->arena;
	struct ftext *t = farena_get(a, sizeof *t);

	if (t == NULL)
		return xparse_nomem(p);
	if (is_itext_call(value)) {
		t->itext = find_itext(p, value);
		if (t->itext == NULL)
			return xparse_fail(p, PERR_FORMAT, "A message refers to the text %s, which the "
			                   "form's translations do not have.", value);
	} else {
		t->parts = farena_get(a, sizeof *t->parts);
		if (t->parts == NULL)
			return xparse_nomem(p);
		t->parts->literal = value;
	}
	*out = t;
	return 0;
}

static const char *code_of(const char *lang, size_t *len)
{
	const char *open = strrchr(lang, '('), *close = open == NULL ? NULL : strchr(open, ')');

	*len = close == NULL ? 0 : (size_t)(close - open - 1);
	return open == NULL ? lang : open + 1;
}

static struct fitext *itext_get(struct xparse *p, const char *id)
{
	struct xform *f = p->f;
	struct fitext *t = fmap_get(&f->itext_by_id, NULL, id);

	if (t != NULL)
		return t;
	t = farena_get(f->arena, sizeof *t);
	if (t == NULL)
		return NULL;
	t->id = id;
	t->plain = farena_get(f->arena, f->n_langs * sizeof *t->plain);
	t->guidance = farena_get(f->arena, f->n_langs * sizeof *t->guidance);
	if (t->plain == NULL || t->guidance == NULL
	    || fmap_put(&f->itext_by_id, NULL, id, t) != 0)
		return NULL;
	t->next = f->itexts;
	f->itexts = t;
	return t;
}

static int parse_entry(struct xparse *p, const struct fnode *text, size_t lang)
{
	const char *id = ftree_attr(text, NULL, "id"), *form;
	struct ftext_part **to, *parts, *short_parts = NULL;
	const struct fnode *v;
	struct fitext *t;

	if (id == NULL)
		return xparse_fail(p, PERR_FORMAT, "A text of the language %s has no id.",
		                   p->f->langs[lang]);
	t = itext_get(p, id);
	if (t == NULL)
		return xparse_nomem(p);
	for (v = ftree_child(text, "value"); v != NULL; v = ftree_next(v, "value")) {
		form = ftree_attr(v, NULL, "form");
		to = NULL;
		if (form == NULL || strcmp(form, "long") == 0)
			to = &t->plain[lang];
		else if (strcmp(form, "short") == 0)
			to = &short_parts;
		else if (strcmp(form, "guidance") == 0)
			to = &t->guidance[lang];
		else
			t->has_media = true;
		if (to == NULL || v->first == NULL)
			continue;
		if (parse_parts(p, &parts, v) != 0)
			return -1;
		/* A long text wins over a plain one, whichever comes first. */
		if (to == &t->plain[lang] && *to != NULL && form == NULL)
			continue;
		*to = parts;
	}
	/* The short form is for narrow screens; it serves where nothing longer is there. */
	if (t->plain[lang] == NULL)
		t->plain[lang] = short_parts;
	return 0;
}

int xparse_itext(struct xparse *p, const struct fnode *model)
{
	struct xform *f = p->f;
	const struct fnode *itext = ftree_child(model, "itext"), *tr, *text;
	const char *name, *is_default;
	size_t n = 0, i, len;

	if (itext == NULL)
		return 0;
	for (tr = ftree_child(itext, "translation"); tr != NULL; tr = ftree_next(tr, "translation"))
		n++;
	if (n > LANGS_MAX)
		return xparse_fail(p, PERR_LIMIT, "The form has more than %d languages.", LANGS_MAX);
	f->langs = farena_get(f->arena, (n + 1) * sizeof *f->langs);
	f->lang_codes = farena_get(f->arena, (n + 1) * sizeof *f->lang_codes);
	if (f->langs == NULL || f->lang_codes == NULL)
		return xparse_nomem(p);
	f->n_langs = n;
	n = 0;
	for (tr = ftree_child(itext, "translation"); tr != NULL; tr = ftree_next(tr, "translation")) {
		name = ftree_attr(tr, NULL, "lang");
		if (name == NULL)
			return xparse_fail(p, PERR_FORMAT, "A translation does not name its language.");
		for (i = 0; i < n; i++)
			if (strcmp(f->langs[i], name) == 0)
				return xparse_fail(p, PERR_FORMAT, "The language %s stands twice in the "
				                   "translations.", name);
		is_default = ftree_attr(tr, NULL, "default");
		if (is_default != NULL && strncmp(is_default, "false", 5) != 0)
			f->default_lang = n;
		f->langs[n] = name;
		name = code_of(name, &len);
		f->lang_codes[n] = len == 0 ? f->langs[n] : farena_str(f->arena, name, len);
		if (f->lang_codes[n++] == NULL)
			return xparse_nomem(p);
	}
	for (tr = ftree_child(itext, "translation"), i = 0; tr != NULL;
	     tr = ftree_next(tr, "translation"), i++)
		for (text = ftree_child(tr, "text"); text != NULL; text = ftree_next(text, "text"))
			if (parse_entry(p, text, i) != 0)
				return -1;
	return 0;
}

const struct ftext_part *ftext_parts(const struct xform *f, const struct ftext *t, size_t lang)
{
	size_t i;

	if (t == NULL)
		return NULL;
	if (t->itext == NULL)
		return t->parts;
	if (lang < f->n_langs && t->itext->plain[lang] != NULL)
		return t->itext->plain[lang];
	if (t->itext->plain[f->default_lang] != NULL)
		return t->itext->plain[f->default_lang];
	for (i = 0; i < f->n_langs; i++)
		if (t->itext->plain[i] != NULL)
			return t->itext->plain[i];
	return NULL;
}

static void squeeze(char *s)
{
	char *w = s, *r = s;

	r += strspn(r, " \t\r\n");
	for (; *r != '\0'; r++)
		*w++ = *r == '\t' || *r == '\r' ? ' ' : *r;
	while (w > s && (w[-1] == ' ' || w[-1] == '\n'))
		w--;
	*w = '\0';
}

char *ftext_show(struct farena *a, const struct xform *f, const struct ftext *t, size_t lang,
                 ftext_output *fn, void *ctx)
{
	const struct ftext_part *part;
	char *all = farena_str(a, "", 0);

	for (part = ftext_parts(f, t, lang); part != NULL && all != NULL; part = part->next)
		all = farena_fmt(a, "%s%s", all, part->literal != NULL ? part->literal
		                 : fn != NULL ? fn(ctx, part) : "…");
	if (all != NULL)
		squeeze(all);
	return all;
}

const char *xform_name(struct farena *a, const struct xform *f, const struct fdef *def,
                       size_t lang)
{
	const struct fctl *ctl = def->ctl;
	char *label = NULL;
	size_t n = 0;
	char *s;

	if (ctl != NULL && ctl->label != NULL)
		label = ftext_show(a, f, ctl->label, lang, NULL, NULL);
	if (label == NULL || label[0] == '\0')
		return def->name;
	for (s = label; *s != '\0'; s++) {
		if (*s == '\n')
			*s = ' ';
		if (((unsigned char)*s & 0xc0) != 0x80 && ++n > NAME_MAX_CHARS) {
			*s = '\0';
			s = farena_fmt(a, "%s…", label);
			return s == NULL ? "?" : s;
		}
	}
	return label;
}

static bool is_lang(const char *have, const char *want)
{
	const char *have_code, *want_code;
	size_t have_len, want_len;

	if (strcasecmp(have, want) == 0)
		return true;
	have_code = code_of(have, &have_len);
	want_code = code_of(want, &want_len);
	if (want_len == 0) {
		want_code = want;
		want_len = strlen(want);
	}
	if (have_len == 0) {
		have_code = have;
		have_len = strlen(have);
	}
	return have_len == want_len && strncasecmp(have_code, want_code, have_len) == 0;
}

bool xform_has_lang(const struct xform *f, const char *lang)
{
	size_t i;

	for (i = 0; lang != NULL && i < f->n_langs; i++)
		if (is_lang(f->langs[i], lang))
			return true;
	return false;
}

size_t xform_find_lang(const struct xform *f, const char *lang)
{
	size_t i;

	for (i = 0; lang != NULL && i < f->n_langs; i++)
		if (strcmp(f->langs[i], lang) == 0)
			return i;
	for (i = 0; lang != NULL && i < f->n_langs; i++)
		if (is_lang(f->langs[i], lang))
			return i;
	return f->default_lang;
}

const char *xform_lang_code(const struct xform *f, size_t lang)
{
	return lang < f->n_langs ? f->lang_codes[lang] : "en";
}

bool xform_says_es(const struct xform *f, const char *lang)
{
	if (lang == NULL || xform_has_lang(f, lang))
		lang = f->n_langs == 0 && lang != NULL ? lang
			: xform_lang_code(f, xform_find_lang(f, lang));
	return strncasecmp(lang, "es", 2) == 0 && (lang[2] == '\0' || strchr("-_ ", lang[2]) != NULL);
}

size_t xform_n_langs(const struct xform *f)
{
	return f->n_langs;
}

const char *xform_lang(const struct xform *f, size_t i)
{
	return i < f->n_langs ? f->langs[i] : NULL;
}

const char *xform_default_lang(const struct xform *f)
{
	return f->n_langs == 0 ? "" : f->langs[f->default_lang];
}
