/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "export_names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "fold.h"

static bool is_ours(const char *name)
{
	size_t n = strlen(name);

	return strcasecmp(name, "case.json") == 0 ||
	       ((strncasecmp(name, "submission", 10) == 0 || strncasecmp(name, "corrected", 9) == 0) &&
	        n > 4 && strcasecmp(name + n - 4, ".xml") == 0);
}

static bool is_bad(unsigned cp)
{
	return cp < 32 || cp == 127 || (cp >= 0x80 && cp < 0xa0) || cp == 0xfffd ||
	       (cp < 128 && strchr("/\\:*?\"<>|", (int)cp) != NULL) ||
	       cp == 0x200e || cp == 0x200f || (cp >= 0x202a && cp <= 0x202e) ||
	       (cp >= 0x2066 && cp <= 0x2069);
}

void export_names_safe(char out[EXPORT_NAME_MAX + 1], const char *name, size_t len)
{
	const char *s = name, *end = name + len;
	size_t n = 0, room = EXPORT_NAME_MAX - 16;       /* for what is added in front or behind */

	while (s < end) {
		const char *from = s;
		unsigned cp = fold_utf8(&s, end);
		size_t k = is_bad(cp) ? 1 : (size_t)(s - from);

		if (n + k > room)
			break;
		if (is_bad(cp))
			out[n] = '_';
		else
			memcpy(out + n, from, k);
		n += k;
	}
	/* some file systems drop these, so two names would be one */
	while (n > 0 && (out[n - 1] == '.' || out[n - 1] == ' '))
		n--;
	out[n] = '\0';
	if (n == 0 || out[0] == '.' || out[0] == '-' || is_ours(out)) {
		memmove(out + 11, out, n + 1);
		memcpy(out, "attachment-", 11);
	}
}

/* "foto.jpg" -> "foto-2.jpg" */
static void number_name(char out[EXPORT_NAME_MAX + 1], const char *name, unsigned number)
{
	const char *dot = strrchr(name, '.');
	size_t stem = dot == NULL || dot == name ? strlen(name) : (size_t)(dot - name);

	if (stem + 8 + strlen(name + stem) > EXPORT_NAME_MAX)
		stem = EXPORT_NAME_MAX - 8 - strlen(name + stem);
	snprintf(out, EXPORT_NAME_MAX + 1, "%.*s-%u%s", (int)stem, name, number,
	         dot == NULL || dot == name ? "" : dot);
}

bool export_names_taken(char (*names)[EXPORT_NAME_MAX + 1], size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcasecmp(names[i], name) == 0)
			return true;
	return false;
}

enum perr export_names_of(const struct case_file *f, char (**names)[EXPORT_NAME_MAX + 1])
{
	char (*at)[EXPORT_NAME_MAX + 1] = calloc(f->n_attachments + 1, sizeof *at);

	*names = at;
	if (at == NULL)
		return PERR_NOMEM;
	for (size_t i = 0; i < f->n_attachments; i++) {
		const struct statement_attachment *a = f->attachments[i].a;
		char plain[EXPORT_NAME_MAX + 1];
		size_t same = 0;

		while (same < i && (memcmp(f->attachments[same].a->hash, a->hash, 32) != 0 ||
		                    f->attachments[same].a->name.len != a->name.len ||
		                    memcmp(f->attachments[same].a->name.p, a->name.p,
		                           a->name.len) != 0))
			same++;
		if (same < i) {
			memcpy(at[i], at[same], sizeof at[i]);
			continue;
		}
		export_names_safe(plain, a->name.p, a->name.len);
		memcpy(at[i], plain, sizeof plain);
		for (unsigned k = 2; export_names_taken(at, i, at[i]); k++)
			number_name(at[i], plain, k);
	}
	return PERR_OK;
}
