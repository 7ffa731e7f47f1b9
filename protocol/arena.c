/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "arena.h"

#include <sodium.h>
#include <stdalign.h>
#include <string.h>

#define ARENA_BLOCK 16384u

/* the items of a block follow it directly */
struct block {
	alignas(max_align_t) struct block *next;
	size_t size;             /* of the whole block */
	size_t used;
};
struct arena {
	struct block *first;     /* the block being filled */
};

static size_t round_up(size_t n)
{
	return (n + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
}

struct arena *arena_new(void)
{
	struct arena *a = sodium_malloc(sizeof *a + (-sizeof *a % alignof(max_align_t)));

	if (a != NULL)
		a->first = NULL;
	return a;
}

void arena_free(struct arena *a)
{
	struct block *b, *next;

	if (a == NULL)
		return;
	for (b = a->first; b != NULL; b = next) {
		next = b->next;
		sodium_memzero(b, b->size);
		sodium_free(b);
	}
	a->first = NULL;
	sodium_free(a);
}

static struct block *block_new(struct arena *a, size_t room)
{
	size_t size = round_up(sizeof(struct block) + room);
	struct block *b;

	if (size < ARENA_BLOCK)
		size = ARENA_BLOCK;
	/* sodium_malloc ends its memory at a page: a size that is a multiple of the
	 * alignment gives an aligned beginning */
	b = sodium_malloc(size);
	if (b == NULL)
		return NULL;
	memset(b, 0, size);
	b->size = size;
	b->used = sizeof *b;
	if (a->first != NULL && size > ARENA_BLOCK) {
		/* a large item gets a block of its own; the one being filled stays */
		b->next = a->first->next;
		a->first->next = b;
	} else {
		b->next = a->first;
		a->first = b;
	}
	return b;
}

void *arena_alloc(struct arena *a, size_t n, size_t size)
{
	struct block *b = a->first;
	size_t len;
	void *p;

	if (size != 0 && n > (SIZE_MAX - 2 * ARENA_BLOCK) / size)
		return NULL;
	len = round_up(n * size > 0 ? n * size : 1);
	if (b == NULL || b->size - b->used < len)
		b = block_new(a, len);
	if (b == NULL)
		return NULL;
	p = (uint8_t *)b + b->used;
	b->used += len;
	return p;
}

uint8_t *arena_bytes(struct arena *a, const uint8_t *p, size_t len)
{
	uint8_t *copy = arena_alloc(a, len, 1);

	if (copy != NULL && len > 0)
		memcpy(copy, p, len);
	return copy;
}

char *arena_strn(struct arena *a, const char *s, size_t len)
{
	char *copy = len == SIZE_MAX ? NULL : arena_alloc(a, len + 1, 1);

	if (copy != NULL && len > 0)
		memcpy(copy, s, len);
	return copy;
}

char *arena_str(struct arena *a, const char *s)
{
	return arena_strn(a, s, strlen(s));
}

void *arena_grow(struct arena *a, void *old, size_t n_old, size_t n_new, size_t size)
{
	void *copy = n_new < n_old ? NULL : arena_alloc(a, n_new, size);

	if (copy != NULL && n_old > 0) {
		memcpy(copy, old, n_old * size);
		sodium_memzero(old, n_old * size);
	}
	return copy;
}
