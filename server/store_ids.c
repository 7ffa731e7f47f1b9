/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "store_ids.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define START_SLOTS 1024u

struct slot {
	uint32_t fp[3];         /* all zero: empty */
	uint32_t where;
};

struct store_ids {
	struct slot *slots;
	size_t n_slots;         /* a power of two */
	size_t count;
	uint8_t key[crypto_shorthash_siphashx24_KEYBYTES];
};

struct store_ids *store_ids_new(void)
{
	struct store_ids *set = calloc(1, sizeof *set);

	if (set == NULL)
		return NULL;
	set->slots = calloc(START_SLOTS, sizeof *set->slots);
	if (set->slots == NULL) {
		free(set);
		return NULL;
	}
	set->n_slots = START_SLOTS;
	randombytes_buf(set->key, sizeof set->key);
	return set;
}

void store_ids_free(struct store_ids *set)
{
	if (set == NULL)
		return;
	free(set->slots);
	sodium_memzero(set, sizeof *set);
	free(set);
}

size_t store_ids_count(const struct store_ids *set)
{
	return set->count;
}

static bool is_empty(const struct slot *s)
{
	return (s->fp[0] | s->fp[1] | s->fp[2]) == 0;
}

static void fingerprint(const struct store_ids *set, const uint8_t id[32], struct slot *out)
{
	uint8_t hash[crypto_shorthash_siphashx24_BYTES];

	crypto_shorthash_siphashx24(hash, id, 32, set->key);
	memcpy(out->fp, hash, sizeof out->fp);
	if (is_empty(out))
		out->fp[0] = 1;
}

/* The slot that holds fp, or the empty one where it belongs. */
static size_t seek(const struct slot *slots, size_t n_slots, const struct slot *want)
{
	size_t mask = n_slots - 1;
	size_t i = (want->fp[0] | (uint64_t)want->fp[1] << 32) & mask;

	while (!is_empty(&slots[i]) && memcmp(slots[i].fp, want->fp, sizeof want->fp) != 0)
		i = (i + 1) & mask;
	return i;
}

static enum perr resize(struct store_ids *set, size_t n_slots)
{
	struct slot *slots = calloc(n_slots, sizeof *slots);
	size_t i;

	if (slots == NULL)
		return PERR_NOMEM;
	for (i = 0; i < set->n_slots; i++)
		if (!is_empty(&set->slots[i]))
			slots[seek(slots, n_slots, &set->slots[i])] = set->slots[i];
	free(set->slots);
	set->slots = slots;
	set->n_slots = n_slots;
	return PERR_OK;
}

bool store_ids_get(const struct store_ids *set, const uint8_t id[32], uint32_t *where)
{
	struct slot want;
	size_t i;

	if (set->count == 0)
		return false;
	fingerprint(set, id, &want);
	i = seek(set->slots, set->n_slots, &want);
	if (is_empty(&set->slots[i]))
		return false;
	if (where != NULL)
		*where = set->slots[i].where;
	return true;
}

static enum perr put(struct store_ids *set, const uint8_t id[32], uint32_t where,
                     bool may_replace)
{
	struct slot want;
	size_t i;

	if (set->count >= set->n_slots / 4 * 3) {
		enum perr err = resize(set, set->n_slots * 2);

		if (err != PERR_OK)
			return err;
	}
	fingerprint(set, id, &want);
	want.where = where;
	i = seek(set->slots, set->n_slots, &want);
	if (is_empty(&set->slots[i]))
		set->count++;
	else if (!may_replace)
		return PERR_EXISTS;
	set->slots[i] = want;
	return PERR_OK;
}

enum perr store_ids_put(struct store_ids *set, const uint8_t id[32], uint32_t where)
{
	return put(set, id, where, true);
}

enum perr store_ids_add(struct store_ids *set, const uint8_t id[32], uint32_t where)
{
	return put(set, id, where, false);
}

void store_ids_del(struct store_ids *set, const uint8_t id[32])
{
	size_t mask = set->n_slots - 1;
	struct slot want;
	size_t gap, i;

	fingerprint(set, id, &want);
	gap = seek(set->slots, set->n_slots, &want);
	if (is_empty(&set->slots[gap]))
		return;
	set->count--;
	/* Close the gap: an entry may move back to it unless its home lies behind the gap. */
	for (i = (gap + 1) & mask; !is_empty(&set->slots[i]); i = (i + 1) & mask) {
		const struct slot *s = &set->slots[i];
		size_t home = (s->fp[0] | (uint64_t)s->fp[1] << 32) & mask;

		if (((i - home) & mask) >= ((i - gap) & mask)) {
			set->slots[gap] = *s;
			gap = i;
		}
	}
	memset(&set->slots[gap], 0, sizeof set->slots[gap]);
}

void store_ids_filter(struct store_ids *set, bool (*keep)(void *arg, uint32_t *where),
                      void *arg)
{
	size_t i, n = START_SLOTS;
	bool is_thinner = false, has_moved = true;

	for (i = 0; i < set->n_slots; i++) {
		struct slot *s = &set->slots[i];

		if (is_empty(s) || keep(arg, &s->where))
			continue;
		memset(s, 0, sizeof *s);        /* breaks chains: mended below */
		set->count--;
		is_thinner = true;
	}
	if (!is_thinner)
		return;
	while (set->count >= n / 4 * 3)
		n *= 2;
	if (resize(set, n) == PERR_OK)
		return;
	/* No memory for a new table: mend the old one, until every entry is where seek finds it
	 * (a chain may run over the end, so one round is not always enough). */
	while (has_moved) {
		has_moved = false;
		for (i = 0; i < set->n_slots; i++) {
			struct slot s = set->slots[i];
			size_t to;

			if (is_empty(&s))
				continue;
			memset(&set->slots[i], 0, sizeof s);
			to = seek(set->slots, set->n_slots, &s);
			set->slots[to] = s;
			has_moved |= to != i;
		}
	}
}
