/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * farena: memory of the forms library, given out in pieces and given back as a whole.
 *
 * A form, a filled instance or one evaluation owns an arena.  Its limit, in bytes, is
 * known when it is made: however hostile the input, an arena never holds more.  What
 * was in it is wiped when it is released or freed, because it held people's answers.
 */
#ifndef AMPARO_FARENA_H
#define AMPARO_FARENA_H

#include <stdbool.h>
#include <stddef.h>

struct farena;

struct farena_mark {
	void *block;
	size_t used;
};

/* limit   bytes the arena may hold.  NULL: out of memory. */
struct farena *farena_new(size_t limit);

/* Wipes and frees; NULL is harmless. */
void farena_free(struct farena *a);

/* n zeroed bytes, aligned for any type.  NULL: out of memory or over the limit. */
void *farena_get(struct farena *a, size_t n);

/* A copy of len bytes of s, ended by a zero.  NULL as above. */
char *farena_str(struct farena *a, const char *s, size_t len);

/* printf into the arena.  NULL as above. */
char *farena_fmt(struct farena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Everything got after the mark is wiped and given back by farena_release. */
struct farena_mark farena_mark(const struct farena *a);
void farena_release(struct farena *a, struct farena_mark m);

/*
 * Whether the machine had no memory for it, at least once: then a NULL says nothing about
 * what was asked for, and nobody's form or answers are to blame.
 */
bool farena_is_starved(const struct farena *a);

/* bytes the arena holds now */
size_t farena_held(const struct farena *a);

#endif
