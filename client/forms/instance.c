/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fold.h"
#include "instance_int.h"

#define ARENA_MAX ((size_t)96 << 20)
#define NODES_MAX 50000
#define DEPTH_MAX 64
#define FILES_MAX 500

void instance_define(const struct xform *f, struct fnode *n, const struct fdef *def)
{
	struct fnode *c;

	n->def = def;
	for (c = n->first; c != NULL; c = c->next)
		instance_define(f, c, def == NULL ? NULL : xform_def_child(f, def, c->name));
}

static struct fnode *next_node(const struct fnode *n)
{
	if (n->first != NULL)
		return n->first;
	while (n != NULL && n->next == NULL)
		n = n->parent;
	return n == NULL ? NULL : n->next;
}

/* With a map, because a hostile document has 50,000 siblings of one name. */
int instance_order(struct farena *a, struct fnode *root)
{
	struct fmap last = {a, NULL, 0, 0};
	struct farena_mark m = farena_mark(a);
	struct fnode *n, *twin;
	int ret = -1;

	root->ord = 1;
	for (n = next_node(root); n != NULL; n = next_node(n)) {
		twin = fmap_get(&last, n->parent, n->name);
		n->ord = twin == NULL ? 1 : twin->ord + 1;
		n->has_twin = twin != NULL;
		if (twin != NULL)
			twin->has_twin = true;
		if (fmap_put(&last, n->parent, n->name, n) != 0)
			goto out;
	}
	ret = 0;
out:
	farena_release(a, m);
	return ret;
}

const char *instance_path(struct farena *a, const struct fnode *n)
{
	const char *above = n->parent == NULL ? "" : instance_path(a, n->parent);

	if (above == NULL)
		return NULL;
	if (n->parent != NULL && (n->has_twin || (n->def != NULL && n->def->is_repeat)))
		return farena_fmt(a, "%s/%s[%u]", above, n->name, (unsigned)n->ord);
	return farena_fmt(a, "%s/%s", above, n->name);
}

bool instance_file_name_ok(const char *name)
{
	const char *s = name, *end = name + strlen(name);
	unsigned c;

	if (name[0] == '\0' || name[0] == '.' || end - name > INSTANCE_FILE_NAME_MAX)
		return false;
	while (s < end) {
		c = fold_utf8(&s, end);
		/* The last ones turn the direction of writing and so disguise an extension. */
		if (c < 32 || c == 127 || c == '/' || c == '\\' || c == ':' || c == 0xfffd
		    || (c >= 0x80 && c < 0xa0) || (c >= 0x202a && c <= 0x202e)
		    || (c >= 0x2066 && c <= 0x2069))
			return false;
	}
	return true;
}

static bool is_file(const struct fnode *n)
{
	return n->def != NULL && n->def->type == FTYPE_BINARY && n->first == NULL
		&& n->text[0] != '\0';
}

static enum perr list_files(struct instance *in)
{
	const struct fnode *n;
	size_t i, max = 0;

	for (n = in->root; n != NULL; n = next_node(n))
		max += is_file(n);
	if (max > FILES_MAX)
		return PERR_LIMIT;
	in->files = farena_get(in->arena, (max + 1) * sizeof *in->files);
	if (in->files == NULL)
		return PERR_NOMEM;
	for (n = in->root; n != NULL; n = next_node(n)) {
		if (!is_file(n))
			continue;
		for (i = 0; i < in->n_files; i++)
			if (strcmp(in->files[i], n->text) == 0)
				break;
		if (i == in->n_files)
			in->files[in->n_files++] = n->text;
	}
	return PERR_OK;
}

enum perr instance_settle(struct instance *in)
{
	in->n_files = 0;
	return instance_order(in->arena, in->root) == 0 ? list_files(in) : PERR_NOMEM;
}

/* Answers are trimmed: indentation around them is the writer's, not the family's. */
static void trim(struct fnode *n)
{
	char *s = (char *)n->text, *start = s + strspn(s, " \t\r\n");
	size_t len = strlen(start);

	while (len > 0 && strchr(" \t\r\n", start[len - 1]) != NULL)
		len--;
	if (start != s || s[len] != '\0') {
		memmove(s, start, len);
		s[len] = '\0';
	}
}

enum perr instance_parse(struct instance **out, const struct xform *form, const uint8_t *xml,
                         size_t xml_len, char why[INSTANCE_WHY_SIZE])
{
	static const struct ftree_limits limits = {INSTANCE_BYTES_MAX, NODES_MAX, DEPTH_MAX, false};
	struct instance *in = calloc(1, sizeof *in);
	enum perr err = PERR_NOMEM;
	struct fnode *n;

	*out = NULL;
	snprintf(why, INSTANCE_WHY_SIZE, "There is not enough memory to read the answers.");
	if (in == NULL || (in->arena = farena_new(ARENA_MAX)) == NULL)
		goto out;
	in->form = form;
	err = ftree_parse(&in->root, in->arena, xml, xml_len, &limits, why);
	if (err != PERR_OK)
		goto out;
	for (n = in->root; n != NULL; n = next_node(n))
		if (n->text_cap > 0)
			trim(n);
	if (form != NULL)
		instance_define(form, in->root, form->root);
	err = instance_settle(in);
	if (err != PERR_OK) {
		snprintf(why, INSTANCE_WHY_SIZE, err == PERR_LIMIT ? "The document names more than "
		         "%d attachments." : "There is not enough memory to read the answers.",
		         FILES_MAX);
		goto out;
	}
	why[0] = '\0';
	*out = in;
	in = NULL;
out:
	instance_free(in);
	return err;
}

void instance_free(struct instance *in)
{
	if (in != NULL)
		farena_free(in->arena);
	free(in);
}

const char *instance_form_id(const struct instance *in)
{
	const char *id = ftree_attr(in->root, "", "id");

	return id != NULL ? id : in->root->ns;
}

const char *instance_form_version(const struct instance *in)
{
	const char *v = ftree_attr(in->root, NULL, "version");

	return v == NULL ? "" : v;
}

const char *instance_id(const struct instance *in)
{
	const struct fnode *meta = ftree_child(in->root, "meta");
	const struct fnode *id = meta == NULL ? NULL : ftree_child(meta, "instanceID");

	if (id != NULL)
		return id->text;
	return ftree_attr(in->root, "", "instanceID") == NULL ? ""
		: ftree_attr(in->root, "", "instanceID");
}

static void check_node(struct instance *in, const struct fnode *n, size_t lang,
                       struct faults *faults)
{
	struct farena_mark m = farena_mark(in->arena);
	const struct fdef *def = n->def;
	const char *path = instance_path(in->arena, n), *name;

	if (path == NULL)
		path = "?";
	if (def == NULL) {
		/* Said once, at the top of what is unknown, or at the question it stands in. */
		if (n->parent != NULL && n->parent->def != NULL && n->parent->def->first != NULL
		    && !(n->parent->def->is_meta && n->parent->def->depth == 1)
		    && !(n->parent->parent == NULL && strcmp(n->name, "meta") == 0))
			faults_add(faults, FAULT_UNKNOWN, 0, path, n->name, "The form has no question "
			           "\"%s\" (%s).", n->name, path);
		goto out;
	}
	name = xform_name(in->arena, in->form, def, lang);
	if (!def->is_repeat && n->parent != NULL && n->ord > 1)
		faults_add(faults, FAULT_REPEATED, def->ctl == NULL ? 0 : def->ctl->number, path, name,
		           "\"%s\" stands more than once (%s).", name, path);
	/* An empty <meta/> in the form leaves to the client what stands in it. */
	if (def->first == NULL && n->first != NULL && !(def->is_meta && def->depth == 1))
		faults_add(faults, FAULT_UNKNOWN, def->ctl == NULL ? 0 : def->ctl->number, path, name,
		           "\"%s\" is a question, but the answers have a group there (%s).", name,
		           path);
	if (def->first != NULL && n->text[0] != '\0')
		faults_add(faults, FAULT_UNKNOWN, 0, path, name, "\"%s\" is a group, but the answers "
		           "have text there (%s).", name, path);
	if (is_file(n) && !instance_file_name_ok(n->text))
		faults_add(faults, FAULT_FILE, def->ctl == NULL ? 0 : def->ctl->number, path, name,
		           "The attachment of \"%s\" has a name that is not accepted: no folder, no "
		           "leading dot and no control characters, at most %d bytes.", name,
		           INSTANCE_FILE_NAME_MAX);
out:
	farena_release(in->arena, m);
}

static enum perr check_basic(struct instance *in, size_t lang, struct faults *faults)
{
	const struct xform *f = in->form;
	const char *id = instance_form_id(in), *version = instance_form_version(in);
	const struct fnode *n;

	if (strcmp(id, f->id) != 0) {
		faults_add(faults, FAULT_FORM, 0, "", "", "The answers belong to the form \"%s\", not "
		           "to \"%s\".", id, f->id);
		return PERR_OK;
	}
	if (strcmp(version, f->version) != 0)
		faults_add(faults, FAULT_FORM, 0, "", "", "The answers are for version \"%s\" of the "
		           "form, but its version is \"%s\".", version, f->version);
	if (strcmp(in->root->name, f->root->name) != 0)
		faults_add(faults, FAULT_FORM, 0, "", "", "The answers begin with \"%s\", but the form "
		           "begins with \"%s\".", in->root->name, f->root->name);
	for (n = in->root; n != NULL; n = next_node(n))
		check_node(in, n, lang, faults);
	return PERR_OK;
}

enum perr instance_check(struct instance *in, enum instance_level level, const char *lang,
                         const struct fclock *now, struct faults *faults)
{
	size_t before = faults_total(faults), l;
	enum perr err;

	if (in->form == NULL)
		return PERR_STATE;
	l = xform_find_lang(in->form, lang);
	err = check_basic(in, l, faults);
	/* Where nodes do not fit, their values have no meaning to check. */
	if (err == PERR_OK && level == INSTANCE_FULL && faults_total(faults) == before)
		err = instance_check_full(in, l, xform_says_es(in->form, lang), now, faults);
	if (err == PERR_OK && faults_is_broken(faults))
		err = PERR_NOMEM;
	return err;
}

size_t instance_n_files(const struct instance *in)
{
	return in->n_files;
}

const char *instance_file(const struct instance *in, size_t i)
{
	return i < in->n_files ? in->files[i] : NULL;
}

static const struct fnode *step_down(const struct fnode *parent, const char *name, size_t len,
                                     unsigned long index)
{
	const struct fnode *c;

	for (c = parent->first; c != NULL; c = c->next)
		if (strlen(c->name) == len && memcmp(c->name, name, len) == 0 && --index == 0)
			return c;
	return NULL;
}

const char *instance_value(const struct instance *in, const char *path)
{
	const struct fnode *n = NULL;
	unsigned long index;
	size_t len;
	char *end;

	while (*path == '/') {
		path++;
		len = strcspn(path, "/[");
		index = 1;
		end = (char *)path + len;
		if (*end == '[') {
			index = strtoul(end + 1, &end, 10);
			if (*end != ']' || index == 0)
				return NULL;
			end++;
		}
		if (n == NULL)
			n = index == 1 && strlen(in->root->name) == len
				&& memcmp(in->root->name, path, len) == 0 ? in->root : NULL;
		else
			n = step_down(n, path, len, index);
		if (n == NULL)
			return NULL;
		path = end;
	}
	return n == NULL || *path != '\0' ? NULL : n->text;
}
