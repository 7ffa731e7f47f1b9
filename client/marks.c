/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "marks.h"

#include <string.h>

#include "fmark.h"

struct look {
	struct marks *m;
	const struct xform *form;
	const struct instance *in;
	uint32_t day;
	uint32_t next, last;             /* deadlines: on or after day; before it */
	unsigned weight;                 /* of the title */
};

static bool is_file(const struct instance *in, const char *v)
{
	for (size_t i = 0; i < instance_n_files(in); i++)
		if (strcmp(instance_file(in, i), v) == 0)
			return true;
	return false;
}

static size_t group_len(const char *path)
{
	const char *last = strrchr(path, '/');

	return last == NULL ? 0 : (size_t)(last - path);
}

/* marks of identity in the group of this path; 1 in a repeat: those are relatives */
static unsigned weight(const struct xform *f, const char *path)
{
	const char *other, *value;
	size_t n = group_len(path);
	unsigned w = 0;

	if (strchr(path, '[') != NULL)
		return 1;
	for (size_t i = 0; (other = xform_marked(f, XFORM_IDENTITY, i, &value)) != NULL; i++)
		w += group_len(other) == n && memcmp(other, path, n) == 0 ? 1 : 0;
	return w;
}

/*
 * Whom a case is about: the first answer in the group with the most marks of identity.  Who
 * speaks and whom to call are marked too, with one or two answers, and often come first.
 */
static void look_title(struct look *l, const char *path, const char *value)
{
	unsigned w = weight(l->form, path);
	size_t n = strlen(value);

	if (w <= l->weight || is_file(l->in, value))
		return;
	l->weight = w;
	if (n > MARKS_TITLE_MAX)
		for (n = MARKS_TITLE_MAX; n > 0 && ((unsigned char)value[n] & 0xc0) == 0x80; n--)
			;
	memcpy(l->m->title, value, n);
	l->m->title[n] = '\0';
}

static void look_deadline(struct look *l, int64_t days)
{
	uint32_t day;

	if (days < 1 || days > UINT32_MAX)
		return;
	day = (uint32_t)days;
	if (day >= l->day && (l->next == 0 || day < l->next))
		l->next = day;
	if (day < l->day && day > l->last)
		l->last = day;
}

static bool one_mark(void *ctx, const struct fmark *mark)
{
	struct look *l = ctx;

	switch (mark->mark) {
	case XFORM_URGENT:
		l->m->urgent = true;
		break;
	case XFORM_DEADLINE:
		look_deadline(l, mark->day);
		break;
	case XFORM_IDENTITY:
		look_title(l, mark->path, mark->value);
		break;
	case XFORM_STAT:
	case XFORM_N_MARKS:
		break;
	}
	return true;
}

enum perr marks_read(struct marks *m, const struct xform *form, struct instance *in,
                     uint32_t day)
{
	struct look l = { .m = m, .form = form, .in = in, .day = day };
	struct fclock noon = { .unix_ms = ((int64_t)day * 24 + 12) * 3600000 };
	enum perr err;

	memset(m, 0, sizeof *m);
	err = fmark_each(in, NULL, &noon, one_mark, &l);
	if (err == PERR_LIMIT) {
		m->urgent = true;
		err = PERR_OK;
	}
	m->deadline = l.next != 0 ? l.next : l.last;
	return err;
}
