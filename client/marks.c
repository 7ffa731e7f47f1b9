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

/* text into size bytes, never cut inside a character */
static void copy_text(char *out, size_t size, const char *text)
{
	size_t n = strlen(text);

	if (n > size - 1)
		for (n = size - 1; n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80; n--)
			;
	memcpy(out, text, n);
	out[n] = '\0';
}

/*
 * Whom a case is about: the first answer in the group with the most marks of identity.  Who
 * speaks and whom to call are marked too, with one or two answers, and often come first.
 */
static void look_title(struct look *l, const char *path, const char *value)
{
	unsigned w = weight(l->form, path);

	if (w <= l->weight || is_file(l->in, value))
		return;
	l->weight = w;
	copy_text(l->m->title, sizeof l->m->title, value);
}

static void remove_at(struct marks *m, uint32_t i)
{
	m->n_deadlines--;
	memmove(&m->deadlines[i], &m->deadlines[i + 1],
	        (m->n_deadlines - i) * sizeof m->deadlines[0]);
}

static void look_deadline(struct look *l, int64_t days, const char *label)
{
	struct marks *m = l->m;
	uint32_t day, i;

	if (days < 1 || days > UINT32_MAX)
		return;
	day = (uint32_t)days;
	if (day >= l->day && (l->next == 0 || day < l->next))
		l->next = day;
	if (day < l->day && day > l->last)
		l->last = day;
	if (m->n_deadlines == MARKS_DEADLINES_MAX) {
		if (m->deadlines[0].day < l->day && day >= m->deadlines[0].day)
			remove_at(m, 0);
		else if (day >= l->day && day < m->deadlines[MARKS_DEADLINES_MAX - 1].day)
			remove_at(m, MARKS_DEADLINES_MAX - 1);
		else
			return;
	}
	for (i = m->n_deadlines; i > 0 && m->deadlines[i - 1].day > day; i--)
		m->deadlines[i] = m->deadlines[i - 1];
	m->deadlines[i].day = day;
	copy_text(m->deadlines[i].label, sizeof m->deadlines[i].label, label);
	m->n_deadlines++;
}

const struct marks_deadline *marks_next(const struct marks_deadline *at, uint32_t n,
                                        uint32_t today)
{
	for (uint32_t i = 0; i < n; i++)
		if (at[i].day >= today)
			return &at[i];
	return n == 0 ? NULL : &at[n - 1];
}

static bool one_mark(void *ctx, const struct fmark *mark)
{
	struct look *l = ctx;

	switch (mark->mark) {
	case XFORM_URGENT:
		l->m->urgent = true;
		break;
	case XFORM_DEADLINE:
		look_deadline(l, mark->day, mark->label);
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
                     uint32_t day, const char *lang)
{
	struct look l = { .m = m, .form = form, .in = in, .day = day };
	struct fclock noon = { .unix_ms = ((int64_t)day * 24 + 12) * 3600000 };
	enum perr err;

	memset(m, 0, sizeof *m);
	err = fmark_each(in, lang, &noon, one_mark, &l);
	if (err == PERR_LIMIT) {
		m->urgent = true;
		err = PERR_OK;
	}
	m->deadline = l.next != 0 ? l.next : l.last;
	return err;
}
