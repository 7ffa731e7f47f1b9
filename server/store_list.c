/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "store_list.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum perr store_list_init(struct store_list *l, int sfd)
{
	memset(l, 0, sizeof *l);
	l->sfd = sfd;
	if (pthread_mutex_init(&l->mu, NULL) != 0)
		return PERR_NOMEM;
	if (pthread_cond_init(&l->given_back, NULL) != 0) {
		pthread_mutex_destroy(&l->mu);
		return PERR_NOMEM;
	}
	return PERR_OK;
}

void store_list_free(struct store_list *l)
{
	size_t i;

	for (i = 0; i < STORE_OPEN_MAX; i++)
		store_seg_close(l->slots[i].seg);
	free(l->v);
	pthread_cond_destroy(&l->given_back);
	pthread_mutex_destroy(&l->mu);
}

void store_list_name(char name[STORE_NAME_MAX], const struct store_segment *s,
                     const char *ending)
{
	if (s->settled)
		snprintf(name, STORE_NAME_MAX, "%u.%s", s->day, ending);
	else
		snprintf(name, STORE_NAME_MAX, "%u.%02u.%s", s->day, s->release, ending);
}

static bool is_same(const struct store_segment *a, const struct store_segment *b)
{
	return a->day == b->day && a->release == b->release && a->settled == b->settled &&
	       memcmp(a->digest, b->digest, STORE_ID) == 0;
}

static const struct store_segment *find(const struct store_list *l, uint32_t day,
                                        uint32_t release)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		if (l->v[i].day == day && l->v[i].release == release)
			return &l->v[i];
	return NULL;
}

/* Put an opened segment into the cache; under the lock. */
static void keep(struct store_list *l, struct store_seg *seg, const struct store_segment *what,
                 struct store_lease *lease)
{
	struct store_slot *best = NULL;
	size_t i;

	for (i = 0; i < STORE_OPEN_MAX; i++) {
		struct store_slot *s = &l->slots[i];

		if (s->seg == NULL) {
			best = s;
			break;
		}
		if (s->refs == 0 && (best == NULL || s->used < best->used))
			best = s;
	}
	lease->seg = seg;
	lease->slot = best;
	if (best == NULL) {
		l->uncached++;
		return;
	}
	store_seg_close(best->seg);
	*best = (struct store_slot){ .seg = seg, .what = *what, .refs = 1, .used = ++l->tick };
}

enum perr store_list_lease(struct store_list *l, uint32_t day, uint32_t release,
                           const uint8_t *digest, struct store_lease *lease)
{
	const struct store_segment *s;
	struct store_segment want;
	struct store_seg *seg;
	char name[STORE_NAME_MAX];
	uint64_t generation;
	enum perr err;
	size_t i;

	pthread_mutex_lock(&l->mu);
	for (;;) {
		err = PERR_NOTFOUND;
		s = find(l, day, release);
		if (s == NULL)
			break;
		err = PERR_STATE;
		if (digest != NULL && memcmp(digest, s->digest, STORE_ID) != 0)
			break;
		err = PERR_OK;
		for (i = 0; i < STORE_OPEN_MAX; i++) {
			struct store_slot *slot = &l->slots[i];

			if (slot->seg == NULL || !is_same(&slot->what, s))
				continue;
			slot->refs++;
			slot->used = ++l->tick;
			lease->seg = slot->seg;
			lease->slot = slot;
			goto out;
		}
		/* Walking a large file takes a while: not under the lock. */
		want = *s;
		generation = l->generation;
		pthread_mutex_unlock(&l->mu);
		store_list_name(name, &want, "mdb");
		err = store_seg_open(&seg, l->sfd, name, NULL, NULL);
		if (err == PERR_NOTFOUND)
			err = PERR_CORRUPT;
		if (err == PERR_OK && (store_seg_count(seg) != want.count ||
		                       memcmp(store_seg_ids_digest(seg), want.digest,
		                              STORE_ID) != 0))
			err = PERR_CORRUPT;
		pthread_mutex_lock(&l->mu);
		if (generation == l->generation) {
			if (err == PERR_OK)
				keep(l, seg, &want, lease);
			else
				store_seg_close(seg);
			break;
		}
		store_seg_close(seg);   /* the file was being changed: look again */
	}
out:
	pthread_mutex_unlock(&l->mu);
	return err;
}

void store_list_give_back(struct store_list *l, struct store_lease *lease)
{
	pthread_mutex_lock(&l->mu);
	if (lease->slot != NULL) {
		lease->slot->refs--;
	} else {
		store_seg_close(lease->seg);
		l->uncached--;
	}
	pthread_cond_broadcast(&l->given_back);
	pthread_mutex_unlock(&l->mu);
}

void store_list_begin(struct store_list *l)
{
	pthread_mutex_lock(&l->mu);
}

void store_list_end(struct store_list *l, struct store_segment *v, size_t n)
{
	size_t i, j;

	free(l->v);
	l->v = v;
	l->n = n;
	l->generation++;
	for (i = 0; i < STORE_OPEN_MAX; i++) {
		struct store_slot *slot = &l->slots[i];

		for (j = 0; j < n && !is_same(&slot->what, &v[j]); j++)
			;
		slot->is_stale = slot->seg != NULL && j == n;
	}
	pthread_mutex_unlock(&l->mu);
}

void store_list_wait(struct store_list *l)
{
	size_t i;

	pthread_mutex_lock(&l->mu);
	for (i = 0; i < STORE_OPEN_MAX; i++) {
		struct store_slot *slot = &l->slots[i];

		while (slot->seg != NULL && slot->is_stale && slot->refs > 0)
			pthread_cond_wait(&l->given_back, &l->mu);
		if (slot->seg != NULL && slot->is_stale) {
			store_seg_close(slot->seg);
			memset(slot, 0, sizeof *slot);
		}
	}
	while (l->uncached > 0)
		pthread_cond_wait(&l->given_back, &l->mu);
	pthread_mutex_unlock(&l->mu);
}
