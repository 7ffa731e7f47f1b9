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
/* lives in its own oldest block */
struct arena {
	struct block *first;     /* the block being filled */
};

static size_t round_up(size_t n)
{
	return (n + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
}

static struct block *block_new(size_t room)
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
	return b;
}

static void *block_take(struct block *b, size_t len)
{
	void *p = (uint8_t *)b + b->used;

	b->used += len;
	return p;
}

struct arena *arena_new(void)
{
	struct block *b = block_new(0);
	struct arena *a = b == NULL ? NULL : block_take(b, round_up(sizeof *a));

	if (a != NULL)
		a->first = b;
	return a;
}

void arena_free(struct arena *a)
{
	struct block *b = a == NULL ? NULL : a->first, *next;

	for (; b != NULL; b = next) {
		next = b->next;
		sodium_memzero(b, b->size);
		sodium_free(b);
	}
}

/* a large item gets a block of its own, behind the one being filled */
static void block_insert(struct arena *a, struct block *b)
{
	if (b->size > ARENA_BLOCK) {
		b->next = a->first->next;
		a->first->next = b;
	} else {
		b->next = a->first;
		a->first = b;
	}
}

void *arena_alloc(struct arena *a, size_t n, size_t size)
{
	struct block *b = a->first;
	size_t len;

	if (size != 0 && n > (SIZE_MAX - 2 * ARENA_BLOCK) / size)
		return NULL;
	len = round_up(n * size > 0 ? n * size : 1);
	if (b->size - b->used < len) {
		b = block_new(len);
		if (b == NULL)
			return NULL;
		block_insert(a, b);
	}
	return block_take(b, len);
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
