/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include <stdint.h>
#include <string.h>

#include "farena.h"
#include "fmap.h"

#define SLOTS_MAX ((size_t)1 << 22)

static size_t hash(const void *parent, const char *key)
{
	uint64_t h = 1469598103934665603u ^ (uint64_t)(uintptr_t)parent;

	while (*key != '\0')
		h = (h ^ (unsigned char)*key++) * 1099511628211u;
	h ^= h >> 29;
	h *= 0x9e3779b97f4a7c15u;
	return (size_t)(h ^ h >> 32);
}

static struct fmap_slot *place(struct fmap_slot *slots, size_t n_slots,
                               const void *parent, const char *key)
{
	size_t i, at = hash(parent, key);

	for (i = 0; i < FMAP_PROBES && i < n_slots; i++) {
		struct fmap_slot *s = &slots[(at + i) & (n_slots - 1)];

		if (s->key == NULL || (s->parent == parent && strcmp(s->key, key) == 0))
			return s;
	}
	return NULL;
}

static int grow(struct fmap *m)
{
	size_t i, n = m->n_slots == 0 ? 64 : m->n_slots * 2;
	struct fmap_slot *slots, *s;

again:
	if (n > SLOTS_MAX)
		return -1;
	slots = farena_get(m->arena, n * sizeof *slots);
	if (slots == NULL)
		return -1;
	for (i = 0; i < m->n_slots; i++) {
		if (m->slots[i].key == NULL)
			continue;
		s = place(slots, n, m->slots[i].parent, m->slots[i].key);
		if (s == NULL) {
			n *= 2;
			goto again;
		}
		*s = m->slots[i];
	}
	m->slots = slots;
	m->n_slots = n;
	return 0;
}

int fmap_put(struct fmap *m, const void *parent, const char *key, void *value)
{
	struct fmap_slot *s;

	if (m->n_used * 2 >= m->n_slots && grow(m) != 0)
		return -1;
	while ((s = place(m->slots, m->n_slots, parent, key)) == NULL)
		if (grow(m) != 0)
			return -1;
	if (s->key == NULL)
		m->n_used++;
	s->parent = parent;
	s->key = key;
	s->value = value;
	return 0;
}

void *fmap_get(const struct fmap *m, const void *parent, const char *key)
{
	struct fmap_slot *s;

	if (m->n_slots == 0)
		return NULL;
	s = place(m->slots, m->n_slots, parent, key);
	return s == NULL || s->key == NULL ? NULL : s->value;
}
