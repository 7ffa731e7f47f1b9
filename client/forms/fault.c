/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "farena.h"
#include "fault.h"
#include "fold.h"

#define TEXT_MAX 1024
#define BYTES_MAX ((size_t)8 << 20)

struct faults {
	struct farena *arena;
	size_t n, total;
	bool is_broken;
	struct fault at[FAULTS_MAX];
};

struct faults *faults_new(void)
{
	struct faults *l = calloc(1, sizeof *l);

	if (l != NULL && (l->arena = farena_new(BYTES_MAX)) == NULL) {
		free(l);
		l = NULL;
	}
	return l;
}

void faults_free(struct faults *l)
{
	if (l != NULL)
		farena_free(l->arena);
	free(l);
}

/* Cut to TEXT_MAX bytes, but never inside a character. */
static const char *keep(struct faults *l, const char *s)
{
	size_t len = strlen(s);
	char *copy;

	if (len > TEXT_MAX) {
		len = TEXT_MAX;
		while (len > 0 && ((unsigned char)s[len] & 0xc0) == 0x80)
			len--;
	}
	copy = farena_str(l->arena, s, len);
	if (copy == NULL)
		l->is_broken = true;
	else
		/* Labels and answers of strangers end up on a terminal. */
		fold_tidy(copy);
	return copy;
}

void faults_add(struct faults *l, enum fault_kind kind, unsigned number, const char *path,
                const char *label, const char *fmt, ...)
{
	struct fault *f = &l->at[l->n];
	char text[2 * TEXT_MAX];
	va_list ap;

	l->total++;
	if (l->n == FAULTS_MAX)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	f->kind = kind;
	f->number = number;
	f->path = keep(l, path);
	f->label = keep(l, label);
	f->text = keep(l, text);
	if (f->path != NULL && f->label != NULL && f->text != NULL)
		l->n++;
	explicit_bzero(text, sizeof text);
}

size_t faults_count(const struct faults *l)
{
	return l->n;
}

size_t faults_total(const struct faults *l)
{
	return l->total;
}

bool faults_is_broken(const struct faults *l)
{
	return l->is_broken;
}

const struct fault *faults_at(const struct faults *l, size_t i)
{
	return i < l->n ? &l->at[i] : NULL;
}
