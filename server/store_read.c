/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* store_read: the [R] calls that copy cells and records out. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "store_int.h"

/* ---- segments ---- */

size_t store_segments(struct store *st, uint32_t day, uint32_t release,
                      struct store_segment *out, size_t max)
{
	struct store_list *l = &st->list;
	size_t i, n = 0;

	pthread_mutex_lock(&l->mu);
	for (i = 0; i < l->n && n < max; i++)
		if (l->v[i].day > day || (l->v[i].day == day && l->v[i].release > release))
			out[n++] = l->v[i];
	pthread_mutex_unlock(&l->mu);
	return n;
}

/* n positions, or if positions is NULL the n from `from` on that are there. */
static enum perr read_cells(struct store *st, uint32_t day, uint32_t release,
                            const uint8_t *digest, const uint32_t *positions, uint32_t from,
                            uint32_t n, uint8_t *cells, uint32_t *got)
{
	uint32_t run[STORE_READ_MAX], count, i;
	struct store_lease lease;
	enum perr err;

	*got = 0;
	if (n > STORE_READ_MAX)
		return PERR_RANGE;
	err = store_list_lease(&st->list, day, release, digest, &lease);
	if (err == PERR_CORRUPT)
		atomic_fetch_add(&st->damaged, 1);
	if (err != PERR_OK)
		return err;
	if (positions == NULL) {
		count = store_seg_count(lease.seg);
		if (from >= count)
			n = 0;
		else if (n > count - from)
			n = count - from;
		for (i = 0; i < n; i++)
			run[i] = from + i;
		positions = run;
	}
	err = store_seg_read(lease.seg, positions, n, cells);
	store_list_give_back(&st->list, &lease);
	if (err == PERR_CORRUPT)
		atomic_fetch_add(&st->damaged, 1);
	*got = n;
	return err;
}

enum perr store_read(struct store *st, uint32_t day, uint32_t release, const uint8_t *digest,
                     uint32_t from, uint32_t n, uint8_t *cells, uint32_t *got)
{
	return read_cells(st, day, release, digest, NULL, from, n, cells, got);
}

enum perr store_peek(struct store *st, uint32_t day, uint32_t release, const uint8_t *digest,
                     uint32_t from, uint32_t n, uint8_t *peeks, uint32_t *got)
{
	uint8_t *cells;
	enum perr err;
	uint32_t i;

	*got = 0;
	if (n > STORE_READ_MAX)
		return PERR_RANGE;
	/* The whole cell is read, for its hash: half of a cell vouches for nothing. */
	cells = malloc((size_t)n * STORE_CELL + 1);
	if (cells == NULL)
		return PERR_NOMEM;
	err = read_cells(st, day, release, digest, NULL, from, n, cells, got);
	for (i = 0; (err == PERR_OK || err == PERR_CORRUPT) && i < *got; i++)
		memcpy(peeks + (size_t)i * STORE_PEEK, cells + (size_t)i * STORE_CELL, STORE_PEEK);
	free(cells);
	return err;
}

enum perr store_fetch(struct store *st, uint32_t day, uint32_t release, const uint8_t *digest,
                      const uint32_t *positions, uint32_t n, uint8_t *cells)
{
	uint32_t got;

	return read_cells(st, day, release, digest, positions, 0, n, cells, &got);
}

/* ---- state ---- */

static enum perr begin(struct store *st, struct store_view *view)
{
	enum perr err;

	pthread_rwlock_rdlock(&st->state_mu);
	err = store_view_open(view, &st->state, 0);
	if (err != PERR_OK)
		pthread_rwlock_unlock(&st->state_mu);
	return err;
}

static enum perr end(struct store *st, struct store_view *view, enum perr err)
{
	store_view_close(view);
	pthread_rwlock_unlock(&st->state_mu);
	if (err == PERR_CORRUPT)
		atomic_fetch_add(&st->damaged, 1);
	return err;
}

enum perr store_meta_get(struct store *st, const char *name, uint8_t *buf, size_t cap,
                         size_t *len)
{
	uint8_t key[STORE_STATE_KEY_MAX] = { 'M' };
	size_t name_len = strlen(name);
	struct store_view view;
	const uint8_t *val;
	enum perr err;

	*len = 0;
	if (name_len < 1 || name_len > STORE_META_NAME_MAX)
		return PERR_RANGE;
	memcpy(key + 1, name, name_len);
	err = begin(st, &view);
	if (err != PERR_OK)
		return err;
	err = store_view_get(&view, key, 1 + name_len, &val, len);
	if (err == PERR_OK && *len > cap)
		err = PERR_LIMIT;
	else if (err == PERR_OK && *len > 0)
		memcpy(buf, val, *len);
	return end(st, &view, err);
}

struct paging {
	uint32_t from, n, got, total;
	uint8_t *cells;
	uint8_t (*tickets)[STORE_ID];
	crypto_generichash_state hash;
};

static enum perr page_board(void *arg, const uint8_t *key, size_t key_len, const uint8_t *val,
                            size_t len)
{
	struct paging *p = arg;

	if (val == NULL || key_len != 1 + STORE_ID || len != STORE_CELL)
		return PERR_CORRUPT;
	crypto_generichash_update(&p->hash, key + 1, STORE_ID);
	if (p->total >= p->from && p->got < p->n)
		memcpy(p->cells + (size_t)p->got++ * STORE_CELL, val, STORE_CELL);
	p->total++;
	return PERR_OK;
}

enum perr store_board_get(struct store *st, uint32_t from, uint32_t n, uint8_t *cells,
                          uint32_t *got, uint32_t *total, uint8_t digest[STORE_ID])
{
	struct paging p = { .from = from, .n = n, .cells = cells };
	struct store_view view;
	enum perr err = begin(st, &view);

	*got = 0;
	if (err != PERR_OK)
		return err;
	crypto_generichash_init(&p.hash, NULL, 0, STORE_ID);
	err = store_view_each(&view, 'B', page_board, &p);
	err = end(st, &view, err);
	*got = p.got;
	if (total != NULL)
		*total = p.total;
	if (digest != NULL)
		crypto_generichash_final(&p.hash, digest, STORE_ID);
	return err;
}

static enum perr page_inbox(void *arg, const uint8_t *key, size_t key_len, const uint8_t *val,
                            size_t len)
{
	struct paging *p = arg;

	if (p->got == p->n)
		return PERR_MORE;
	if (p->total++ < p->from)
		return PERR_OK;
	if (val == NULL || key_len != 1 + STORE_ID || len != STORE_ID + STORE_CELL)
		return PERR_CORRUPT;
	if (p->tickets != NULL)
		memcpy(p->tickets[p->got], key + 1, STORE_ID);
	if (p->cells != NULL)
		memcpy(p->cells + (size_t)p->got * STORE_CELL, val + STORE_ID, STORE_CELL);
	p->got++;
	return PERR_OK;
}

enum perr store_join_list(struct store *st, uint32_t from, uint32_t n,
                          uint8_t (*tickets)[STORE_ID], uint8_t *cells, uint32_t *got)
{
	struct paging p = { .from = from, .n = n, .cells = cells, .tickets = tickets };
	struct store_view view;
	enum perr err = begin(st, &view);

	*got = 0;
	if (err != PERR_OK)
		return err;
	err = store_view_each(&view, 'J', page_inbox, &p);
	err = end(st, &view, err);
	*got = p.got;
	return err;
}

bool store_join_has(struct store *st, const uint8_t ticket[STORE_ID])
{
	uint8_t key[1 + STORE_ID] = { 'J' };
	struct store_view view;
	const uint8_t *val;
	size_t len;
	enum perr err;

	memcpy(key + 1, ticket, STORE_ID);
	if (begin(st, &view) != PERR_OK)
		return false;
	err = store_view_get(&view, key, sizeof key, &val, &len);
	return end(st, &view, err) != PERR_NOTFOUND;
}
