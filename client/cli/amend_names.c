/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What the questions of an amendment are called, by path and by label. */
#include <stdlib.h>
#include <string.h>

#include "amending.h"
#include "xform.h"

#define T(en, es) ASK_T(&a->f.ask, en, es)

/* positions left aside, "/data/child[2]/age" -> "/data/child/age"; for free; NULL: out of memory */
static char *without_places(const char *path)
{
	char *out = strdup(path), *to = out;

	while (out != NULL && *path != '\0') {
		if (*path == '[') {
			path += strcspn(path, "]");
			path += *path == ']';
		} else {
			*to++ = *path++;
		}
	}
	if (out != NULL)
		*to = '\0';
	return out;
}

unsigned amending_question(struct amending *a, const char *path)
{
	char *plain = without_places(path);
	unsigned number = 0;

	for (unsigned i = 1; plain != NULL && number == 0 && i <= xform_n_questions(a->f.iv.form); i++)
		if (strcmp(plain, xform_question_path(a->f.iv.form, i)) == 0)
			number = i;
	free(plain);
	return number;
}

bool amending_is_repeat(struct amending *a, const char *path, char *label)
{
	char *plain = without_places(path);
	const char *prefix;
	bool is_it = false;

	for (unsigned q = 1; plain != NULL && !is_it && q <= xform_n_questions(a->f.iv.form); q++)
		for (size_t k = 0; !is_it && (prefix = xform_question_repeat(a->f.iv.form, q, k,
		     a->f.iv.d->head.lang, label)) != NULL; k++)
			is_it = strcmp(prefix, plain) == 0;
	free(plain);
	return is_it;
}

char *amending_blind_path(struct amending *a, unsigned number)
{
	const char *path = xform_question_path(a->f.iv.form, number), *prefix;
	size_t n = strlen(path), at = 0, k = 0;
	char *out = malloc(n + 16 * 3 + 1);

	prefix = xform_question_repeat(a->f.iv.form, number, 0, NULL, NULL);
	for (size_t i = 0; out != NULL && i < n; i++) {
		out[at++] = path[i];
		if (prefix != NULL && i + 1 == strlen(prefix) && k < 16) {
			memcpy(out + at, "[1]", 3);
			at += 3;
			prefix = xform_question_repeat(a->f.iv.form, number, ++k, NULL, NULL);
		}
	}
	if (out != NULL)
		out[at] = '\0';
	return out;
}

/* "/data/child[2]/age" -> 2 of the step behind this repeat's path; 0: it is added */
static unsigned index_in(const char *path, const char *repeat, bool *is_added)
{
	const char *r = repeat, *p = path;

	while (*r != '\0' && *p != '\0') {
		if (*p == '[' && *r != '[') {
			p += strcspn(p, "]");
			p += *p == ']';
			continue;
		}
		if (*p != *r)
			break;
		p++;
		r++;
	}
	*is_added = *p == '[' && p[1] == '+';
	return *p == '[' ? (unsigned)strtoul(p + 1 + *is_added, NULL, 10) : 1;
}

char *amending_label(struct amending *a, const char *path)
{
	char label[XFORM_LABEL_SIZE] = "", repeat[XFORM_LABEL_SIZE], *out = NULL, *more;
	unsigned number = amending_question(a, path);
	const char *prefix;
	bool is_added;

	if (number == 0 && amending_is_repeat(a, path, repeat)) {
		char *plain = without_places(path);
		unsigned at = plain == NULL ? 0 : index_in(path, plain, &is_added);
		int n = plain == NULL ? -1 : asprintf(&out, is_added ? T("%s: one more (%u)", "%s: otra más (%u)")
		                                                     : "%s %u", repeat, at);

		free(plain);
		return n < 0 ? NULL : out;
	}
	if (number == 0)
		return strdup(path);
	xform_question_label(a->f.iv.form, number, a->f.iv.d->head.lang, label);
	if (asprintf(&out, "%u. %s", number, label) < 0)
		return NULL;
	for (size_t k = 0; out != NULL && (prefix = xform_question_repeat(a->f.iv.form, number, k,
	     a->f.iv.d->head.lang, repeat)) != NULL; k++) {
		unsigned at = index_in(path, prefix, &is_added);

		if (asprintf(&more, is_added ? T("%s (%s, new %u)", "%s (%s, nueva %u)") : "%s (%s %u)", out,
		             repeat, at) < 0)
			more = NULL;
		free(out);
		out = more;
	}
	return out;
}
