/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "slab.h"

#include <assert.h>
#include <sodium.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LINE 64                  /* pieces begin at one, so that no two share it */
#define SLOT_MAX 65536u

struct slab {
	uint8_t *map, *keep, *slots;     /* guard page, keep, slots, guard page */
	size_t map_len, size;            /* size: without the guards */
	size_t keep_len, keep_used;
	size_t n_slots, slot_size, n_free;
	uint32_t *free;                  /* a stack of their numbers */
	bool *taken;
	bool locked;
};

static size_t up(size_t n, size_t to)
{
	return (n + to - 1) / to * to;
}

static size_t page(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

size_t slab_size(size_t keep, size_t n_slots, size_t slot_size)
{
	return up(up(keep, LINE) + n_slots * up(slot_size, LINE), page());
}

static enum perr map(struct slab *s)
{
	void *p = mmap(NULL, s->map_len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return PERR_NOMEM;
	s->map = p;
	s->keep = s->map + page();
	s->slots = s->keep + s->keep_len;
	if (mprotect(s->keep, s->size, PROT_READ | PROT_WRITE) != 0)
		return PERR_NOMEM;
	/* a kernel without one of these still has the lock and no core file */
	(void)madvise(s->map, s->map_len, MADV_DONTDUMP);
	(void)madvise(s->keep, s->size, MADV_WIPEONFORK);
	/* the kernel itself is asked: a sanitizer's mlock() says yes and does nothing */
	s->locked = syscall(SYS_mlock, s->keep, s->size) == 0;
	return s->locked ? PERR_OK : PERR_LIMIT;
}

enum perr slab_new(struct slab **out, size_t keep, size_t n_slots, size_t slot_size)
{
	struct slab *s;
	enum perr err;
	size_t i;

	*out = NULL;
	if (n_slots < 1 || n_slots > UINT32_MAX / SLOT_MAX || slot_size < 1 ||
	    slot_size > SLOT_MAX || keep > UINT32_MAX)
		return PERR_RANGE;
	s = calloc(1, sizeof *s);
	if (s == NULL)
		return PERR_NOMEM;
	s->keep_len = up(keep, LINE);
	s->slot_size = up(slot_size, LINE);
	s->n_slots = n_slots;
	s->size = slab_size(keep, n_slots, slot_size);
	s->map_len = s->size + 2 * page();
	s->free = malloc(n_slots * sizeof *s->free);
	s->taken = calloc(n_slots, sizeof *s->taken);
	err = s->free == NULL || s->taken == NULL ? PERR_NOMEM : map(s);
	if (err != PERR_OK && err != PERR_LIMIT) {
		slab_free(s);
		return err;
	}
	for (i = 0; i < n_slots; i++)    /* the lowest is handed out first */
		s->free[i] = (uint32_t)(n_slots - 1 - i);
	s->n_free = n_slots;
	*out = s;
	return err;
}

void slab_free(struct slab *s)
{
	if (s == NULL)
		return;
	if (s->map != NULL) {
		if (s->slots != NULL && mprotect(s->keep, s->size, PROT_READ | PROT_WRITE) == 0)
			sodium_memzero(s->keep, s->size);
		(void)munmap(s->map, s->map_len);
	}
	free(s->free);
	free(s->taken);
	free(s);
}

bool slab_is_locked(const struct slab *s)
{
	return s->locked;
}

size_t slab_taken(const struct slab *s)
{
	return s->n_slots - s->n_free;
}

void *slab_keep(struct slab *s, size_t len)
{
	size_t at = s->keep_used;

	if (len > s->keep_len || up(len, LINE) > s->keep_len - at)
		return NULL;
	s->keep_used += up(len, LINE);
	return s->keep + at;
}

void *slab_take(struct slab *s)
{
	uint32_t i;

	if (s->n_free == 0)
		return NULL;
	i = s->free[--s->n_free];
	s->taken[i] = true;
	return s->slots + i * s->slot_size;
}

void slab_give(struct slab *s, void *slot)
{
	size_t off, i;

	if (slot == NULL)
		return;
	off = (size_t)((uint8_t *)slot - s->slots);
	i = off / s->slot_size;
	/* anything else is a bug of ours that would hand one connection another's keys */
	assert(off % s->slot_size == 0 && i < s->n_slots && s->taken[i]);
	sodium_memzero(slot, s->slot_size);
	s->taken[i] = false;
	s->free[s->n_free++] = (uint32_t)i;
}
