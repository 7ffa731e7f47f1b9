/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * arena: memory of one decoded document, freed and wiped at once.
 *
 * Rosters hold keys and names between their strings; single frees would leave some
 * behind.  Blocks come from sodium_malloc.  What is handed out is zeroed and aligned for
 * any type; its sum stays within what was asked for, plus one block.
 */
#ifndef AMPARO_ARENA_H
#define AMPARO_ARENA_H

#include <stddef.h>
#include <stdint.h>

struct arena;

/* NULL: out of memory */
struct arena *arena_new(void);
/* wipes everything; NULL is harmless */
void arena_free(struct arena *a);

/* n items of size bytes, zeroed; NULL: out of memory or n * size overflows; n 0 is fine */
void *arena_alloc(struct arena *a, size_t n, size_t size);
/* a copy of len bytes */
uint8_t *arena_bytes(struct arena *a, const uint8_t *p, size_t len);
/* a copy of len bytes of text, ended with a zero */
char *arena_strn(struct arena *a, const char *s, size_t len);
char *arena_str(struct arena *a, const char *s);
/*
 * A larger copy of an array: n_new >= n_old items, the new ones zeroed.  The old one is
 * wiped and stays where it is until arena_free.  For adding to a decoded document.
 */
void *arena_grow(struct arena *a, void *old, size_t n_old, size_t n_new, size_t size);

#endif
