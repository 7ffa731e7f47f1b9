/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "wants.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "blob.h"
#include "doc.h"
#include "envelope.h"
#include "record.h"
#include "record_blobs.h"
#include "tagmap.h"

#define GROUP_BYTES (8u << 20)   /* put together at once, in memory */

enum state { LOOKING, DONE, NEVER };

struct one {
	struct want want;
	uint32_t n_chunks, n_seen;
	uint8_t *seen;           /* a bit for each chunk whose T passed */
	bool is_stuck;           /* a chunk's T passed, but no cell of it opens: until more pass */
	enum state state;
};

struct wants {
	struct client *c;
	struct spool *spool;
	struct one **at;
	uint32_t n, cap;
	uint32_t n_chunks;       /* in the table */
	struct tagmap by_tag;    /* T -> place << 32 | chunk */
	struct tagmap by_key;    /* H(sk) -> place */
};

static void mark_of(uint8_t mark[32], const struct want *w)
{
	uint8_t both[64];

	memcpy(both, w->ref.sk, 32);
	memcpy(both + 32, w->ref.hash, 32);
	doc_hash(mark, "amparo wanted blob", both, sizeof both);
	sodium_memzero(both, sizeof both);
}

enum perr wants_new(struct wants **out, struct client *c, struct spool *spool)
{
	struct wants *w = calloc(1, sizeof *w);
	enum perr err = PERR_NOMEM;

	*out = NULL;
	if (w == NULL)
		return err;
	w->c = c;
	w->spool = spool;
	err = tagmap_init(&w->by_tag);
	if (err == PERR_OK)
		err = tagmap_init(&w->by_key);
	if (err == PERR_OK)
		err = wants_refresh(w);
	if (err == PERR_OK)
		*out = w;
	else
		wants_free(w);
	return err;
}

void wants_free(struct wants *w)
{
	uint32_t i;

	if (w == NULL)
		return;
	for (i = 0; i < w->n; i++) {
		free(w->at[i]->seen);
		sodium_memzero(w->at[i], sizeof *w->at[i]);
		free(w->at[i]);
	}
	free(w->at);
	tagmap_free(&w->by_tag);
	tagmap_free(&w->by_key);
	free(w);
}

static void saw(struct one *o, uint32_t chunk)
{
	uint8_t bit = (uint8_t)(1u << (chunk % 8));

	o->is_stuck = false;
	if ((o->seen[chunk / 8] & bit) != 0)
		return;
	o->seen[chunk / 8] |= bit;
	o->n_seen++;
}

static enum perr is_never(struct client *c, const uint8_t mark[32], bool *never)
{
	char name[96];
	uint8_t *value;
	enum perr err;

	client_key_name(name, "unwant/", mark, 32);
	err = kv_get(c->kv, name, &value, NULL);
	*never = err == PERR_OK;
	if (err == PERR_OK)
		kv_free(value);
	return err == PERR_NOTFOUND ? PERR_OK : err;
}

static enum perr add(struct wants *w, const struct want *want, const uint8_t mark[32])
{
	uint32_t n = blob_n_chunks(want->ref.size), i;
	struct one *o;
	bool never;
	enum perr err = is_never(w->c, mark, &never);

	if (err != PERR_OK)
		return err;
	/* no envelope is that long */
	never |= want->is_envelope && want->ref.size > ENVELOPE_MAX;
	if (!never && n > WANTS_CHUNKS_MAX - w->n_chunks)
		return PERR_OK;          /* later */
	if (w->n == w->cap) {
		uint32_t cap = w->cap == 0 ? 64 : w->cap * 2;
		struct one **at = realloc(w->at, cap * sizeof *at);

		if (at == NULL)
			return PERR_NOMEM;
		w->at = at;
		w->cap = cap;
	}
	err = tagmap_reserve(&w->by_key, 1);
	if (err == PERR_OK && !never)
		err = tagmap_reserve(&w->by_tag, n);
	if (err != PERR_OK)
		return err;
	o = calloc(1, sizeof *o);
	if (o != NULL)
		o->seen = calloc(1, n / 8 + 1);
	if (o == NULL || o->seen == NULL) {
		free(o);
		return PERR_NOMEM;
	}
	o->want = *want;
	o->n_chunks = n;
	o->state = never ? NEVER : LOOKING;
	tagmap_add(&w->by_key, mark, w->n);
	for (i = 0; !never && i < n; i++) {
		uint8_t tag[CELL_TAG_SIZE];

		blob_chunk_tag(tag, &want->ref, i);
		tagmap_add(&w->by_tag, tag, (uint64_t)w->n << 32 | i);
		if (spool_has(w->spool, tag))
			saw(o, i);
	}
	w->n_chunks += never ? 0 : n;
	w->at[w->n++] = o;
	return PERR_OK;
}

static enum perr refresh_one(void *arg, const struct want *want)
{
	struct wants *w = arg;
	uint8_t mark[32];

	mark_of(mark, want);
	return tagmap_has(&w->by_key, mark) ? PERR_OK : add(w, want, mark);
}

enum perr wants_refresh(struct wants *w)
{
	return record_wants(w->c, refresh_one, w);
}

bool wants_tag(const struct wants *w, const uint8_t tag[CELL_TAG_SIZE])
{
	return tagmap_has(&w->by_tag, tag);
}

void wants_saw(struct wants *w, const uint8_t tag[CELL_TAG_SIZE])
{
	uint32_t i;

	for (i = tagmap_first(&w->by_tag, tag); i != TAGMAP_NONE; i = tagmap_next(&w->by_tag, i)) {
		uint64_t v = tagmap_value(&w->by_tag, i);

		saw(w->at[v >> 32], (uint32_t)v);
	}
}

size_t wants_open(const struct wants *w)
{
	size_t n = 0;
	uint32_t i;

	for (i = 0; i < w->n; i++)
		n += w->at[i]->state == LOOKING ? 1 : 0;
	return n;
}

uint32_t wants_oldest(const struct wants *w, uint32_t from)
{
	uint32_t i, day = UINT32_MAX;

	for (i = 0; i < w->n; i++)
		if (w->at[i]->state == LOOKING && w->at[i]->want.since_day >= from &&
		    w->at[i]->want.since_day < day)
			day = w->at[i]->want.since_day;
	return day;
}

void wants_each_missing(const struct wants *w, wants_tag_fn *fn, void *arg)
{
	uint32_t i, k;

	for (i = 0; i < w->n; i++) {
		const struct one *o = w->at[i];

		for (k = 0; o->state == LOOKING && k < o->n_chunks; k++) {
			uint8_t tag[CELL_TAG_SIZE];

			if ((o->seen[k / 8] >> (k % 8) & 1) != 0)
				continue;
			blob_chunk_tag(tag, &o->want.ref, k);
			fn(arg, tag);
		}
	}
}

void wants_count(struct sync_taken *taken, int take_result)
{
	switch ((enum take_result)take_result) {
	case TAKE_NEW:        taken->fresh++; return;
	case TAKE_KNOWN:      taken->known++; return;
	case TAKE_PENDING:    taken->pending++; return;
	case TAKE_NOT_FOR_ME: taken->not_for_me++; return;
	case TAKE_TOLD:       taken->told++; return;
	case TAKE_BAD:        taken->bad++; return;
	}
}

/* ---- putting together ------------------------------------------------------------------------ */

/* one blob of a group: its cells in the order of chunks, opened side by side into data */
struct piece {
	struct one *o;
	uint8_t *data;
	uint8_t *cells;
	uint8_t *failed;         /* a byte for each chunk: threads do not share bytes */
	uint8_t (*ids)[32];      /* of the cells that opened */
	struct reader_key key;
	uint32_t first;          /* number of its first chunk in the group */
	bool is_whole;
};
struct group {
	struct wants *w;
	struct piece *p;
	uint32_t n, n_chunks;
	uint64_t bytes;
};

static void open_chunk(void *arg, size_t i)
{
	struct group *g = arg;
	struct piece *p;
	uint32_t lo = 0, hi = g->n, chunk;

	while (hi - lo > 1) {            /* the piece whose chunk number i is */
		uint32_t mid = lo + (hi - lo) / 2;

		if (g->p[mid].first <= i)
			lo = mid;
		else
			hi = mid;
	}
	p = &g->p[lo];
	chunk = (uint32_t)i - p->first;
	p->failed[chunk] = blob_open_chunk_with(p->data, &p->o->want.ref, &p->key, chunk,
	                                        p->cells + (size_t)chunk * CELL_SIZE,
	                                        g->w->c->seasons, g->w->c->n_seasons) != PERR_OK;
	if (p->failed[chunk] == 0)
		cell_id(p->ids[chunk], p->cells + (size_t)chunk * CELL_SIZE);
}

static void check_one(void *arg, size_t i)
{
	struct group *g = arg;
	struct piece *p = &g->p[i];

	p->is_whole = p->is_whole &&
	              blob_check(&p->o->want.ref, p->data, p->o->want.ref.size) == PERR_OK;
}

static void each(struct client *c, size_t n, void (*fn)(void *arg, size_t i), void *arg)
{
	size_t i;

	if (c->env.parallel != NULL) {
		c->env.parallel(c->env.ctx, n, fn, arg);
		return;
	}
	for (i = 0; i < n; i++)
		fn(arg, i);
}

/* "Of several cells with the same T, the one that opens is the chunk" (PROTOCOL 3.4) */
static enum perr try_others(struct wants *w, struct piece *p, uint32_t chunk)
{
	uint8_t tag[CELL_TAG_SIZE], cell[CELL_SIZE];
	unsigned nth;
	enum perr err = PERR_OK;

	blob_chunk_tag(tag, &p->o->want.ref, chunk);
	for (nth = 1; p->failed[chunk] != 0; nth++) {
		err = spool_find(w->spool, tag, nth, cell);
		if (err != PERR_OK)
			return err == PERR_NOTFOUND ? PERR_OK : err;
		p->failed[chunk] = blob_open_chunk_with(p->data, &p->o->want.ref, &p->key, chunk,
		                                        cell, w->c->seasons,
		                                        w->c->n_seasons) != PERR_OK;
		if (p->failed[chunk] == 0)
			cell_id(p->ids[chunk], cell);
	}
	return err;
}

static enum perr read_cells(struct wants *w, struct piece *p)
{
	uint32_t i, n = p->o->n_chunks;
	enum perr err;

	p->data = malloc(p->o->want.ref.size + 1);
	p->cells = malloc((size_t)n * CELL_SIZE);
	p->failed = calloc(n, 1);
	p->ids = calloc(n, sizeof *p->ids);
	if (p->data == NULL || p->cells == NULL || p->failed == NULL || p->ids == NULL)
		return PERR_NOMEM;
	blob_key(&p->key, &p->o->want.ref);
	for (i = 0; i < n; i++) {
		uint8_t tag[CELL_TAG_SIZE];

		blob_chunk_tag(tag, &p->o->want.ref, i);
		err = spool_find(w->spool, tag, 0, p->cells + (size_t)i * CELL_SIZE);
		if (err == PERR_NOTFOUND) {
			/* dropped from the spool meanwhile: zeros open for nobody */
			memset(p->cells + (size_t)i * CELL_SIZE, 0, CELL_SIZE);
			err = PERR_OK;
		}
		if (err != PERR_OK)
			return err;
	}
	return PERR_OK;
}

static enum perr never_again(struct wants *w, struct one *o)
{
	uint8_t mark[32];
	char name[96];

	o->state = NEVER;
	mark_of(mark, &o->want);
	client_key_name(name, "unwant/", mark, 32);
	return kv_put(w->c->kv, name, NULL, 0);
}

static enum perr store_group(struct group *g, struct sync_taken *taken, uint32_t *blobs)
{
	struct wants *w = g->w;
	uint32_t i;
	enum perr err = kv_begin(w->c->kv);

	for (i = 0; err == PERR_OK && i < g->n; i++) {
		struct piece *p = &g->p[i];
		enum take_result result;

		if (p->o->is_stuck)
			continue;
		if (!p->is_whole) {
			err = never_again(w, p->o);
			continue;
		}
		err = record_have(w->c, &p->o->want, p->data, p->o->want.ref.size, &result);
		if (err == PERR_OK)
			err = origin_note_chunks(w->c, &p->o->want.ref,
			                         (const uint8_t (*)[32])p->ids);
		if (err == PERR_OK && p->o->want.is_envelope)
			wants_count(taken, (int)result);
		p->o->state = DONE;
		*blobs += 1;
	}
	if (err == PERR_OK)
		err = kv_commit(w->c->kv);
	kv_abort(w->c->kv);
	return err;
}

static void group_free(struct group *g)
{
	uint32_t i;

	for (i = 0; i < g->n; i++) {
		if (g->p[i].data != NULL)
			sodium_memzero(g->p[i].data, g->p[i].o->want.ref.size);
		sodium_memzero(&g->p[i].key, sizeof g->p[i].key);
		free(g->p[i].data);
		free(g->p[i].cells);
		free(g->p[i].failed);
		free(g->p[i].ids);
	}
	free(g->p);
}

static enum perr put_together(struct group *g, struct sync_taken *taken, uint32_t *blobs)
{
	uint32_t i, k;
	enum perr err = PERR_OK;

	for (i = 0; err == PERR_OK && i < g->n; i++)
		err = read_cells(g->w, &g->p[i]);
	if (err != PERR_OK)
		return err;
	each(g->w->c, g->n_chunks, open_chunk, g);
	for (i = 0; err == PERR_OK && i < g->n; i++) {
		struct piece *p = &g->p[i];

		for (k = 0; err == PERR_OK && k < p->o->n_chunks; k++) {
			if (p->failed[k] != 0)
				err = try_others(g->w, p, k);
			p->o->is_stuck |= p->failed[k] != 0;
		}
		p->is_whole = !p->o->is_stuck;
	}
	if (err != PERR_OK)
		return err;
	each(g->w->c, g->n, check_one, g);
	return store_group(g, taken, blobs);
}

static bool is_ready(const struct one *o)
{
	return o->state == LOOKING && o->n_seen == o->n_chunks && !o->is_stuck;
}

/* the next group: *from moves on.  n 0: there is nothing more */
static enum perr next_group(struct wants *w, uint32_t *from, struct group *g)
{
	memset(g, 0, sizeof *g);
	g->w = w;
	g->p = calloc(w->n - *from + 1, sizeof *g->p);
	if (g->p == NULL)
		return PERR_NOMEM;
	for (; *from < w->n && (g->n == 0 || g->bytes < GROUP_BYTES); ++*from) {
		struct one *o = w->at[*from];

		if (!is_ready(o))
			continue;
		g->p[g->n].o = o;
		g->p[g->n].first = g->n_chunks;
		g->n++;
		g->n_chunks += o->n_chunks;
		g->bytes += o->want.ref.size;
	}
	return PERR_OK;
}

enum perr wants_assemble(struct wants *w, struct sync_taken *taken, uint32_t *blobs)
{
	uint32_t from = 0, n_before;
	enum perr err = PERR_OK;

	do {
		struct group g;

		n_before = w->n;
		err = next_group(w, &from, &g);
		if (err == PERR_OK && g.n > 0)
			err = put_together(&g, taken, blobs);
		if (err == PERR_OK && g.n > 0)
			err = wants_refresh(w);  /* a spilled statement names attachments */
		group_free(&g);
	} while (err == PERR_OK && (from < n_before || w->n > n_before));
	return err;
}
