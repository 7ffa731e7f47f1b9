/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * The light mode: only E and T of every cell are read (64 a frame), tried, and what fits is
 * fetched among others chosen at random, as many as make a power of two.  A dishonest
 * server may guess which are whose: docs/THREATS.md.
 */
#include "fetch.h"

#include <stdlib.h>
#include <string.h>

#include "doc.h"

#define PADDED_MIN 64            /* cells fetched from a segment, if anything is */
#define SLICE      64

enum { PICK_NO = 0, PICK_WANTED = 1, PICK_ASKED = 2 };

static void peek_more(struct fetch *f);
static void take_more(struct fetch *f);

/* ---- what is ours among the heads ------------------------------------------------------------- */

struct slices {
	struct fetch *f;
	struct fetch_segment *s;
};

static void try_heads(void *arg, size_t slice)
{
	struct slices *sl = arg;
	struct fetch *f = sl->f;
	const struct client *c = f->v->c;
	uint32_t i, end = (uint32_t)(slice + 1) * SLICE;

	for (i = (uint32_t)slice * SLICE; i < end && i < sl->s->count; i++) {
		const uint8_t *head = sl->s->heads[i];
		size_t key_at, season_at;

		if (wants_tag(f->wants, head + CELL_TAG_AT) ||
		    cell_trial(&key_at, &season_at, NULL, head, f->keys, f->n_keys, c->seasons,
		               c->n_seasons) == PERR_OK)
			sl->s->picked[i] = PICK_WANTED;
	}
}

/* add random others until the number of new ones is a power of two */
static void pad(struct fetch *f, struct fetch_segment *s)
{
	uint32_t i, n = 0, left = 0, goal = PADDED_MIN;

	for (i = 0; i < s->count; i++) {
		n += s->picked[i] == PICK_WANTED ? 1 : 0;
		left += s->picked[i] == PICK_NO ? 1 : 0;
	}
	if (n == 0)
		return;
	while (goal < n)
		goal *= 2;
	/* each of the remaining is taken with the chance that makes the number right */
	for (i = 0; i < s->count && n < goal; i++) {
		uint8_t r[4];

		if (s->picked[i] != PICK_NO)
			continue;
		rng_fill(f->v->c->env.rng, r, sizeof r);
		if ((uint64_t)doc_get_u32(r) * left < (uint64_t)(goal - n) << 32) {
			s->picked[i] = PICK_WANTED;
			n++;
		}
		left--;
	}
}

static void pick_all(struct fetch *f)
{
	uint32_t i;

	for (i = 0; i < f->n_segs; i++) {
		struct slices sl = { f, &f->segs[i] };

		if (f->segs[i].skip || f->segs[i].count == 0)
			continue;
		fetch_parallel(f, (f->segs[i].count + SLICE - 1) / SLICE, try_heads, &sl);
		pad(f, &f->segs[i]);
	}
}

struct lookup {
	struct fetch *f;
	struct tagmap by_tag;    /* T -> segment << 32 | position */
};

static void pick_chunk(void *arg, const uint8_t tag[CELL_TAG_SIZE])
{
	struct lookup *l = arg;
	uint32_t i;

	for (i = tagmap_first(&l->by_tag, tag); i != TAGMAP_NONE; i = tagmap_next(&l->by_tag, i)) {
		uint64_t v = tagmap_value(&l->by_tag, i);
		uint8_t *p = &l->f->segs[v >> 32].picked[(uint32_t)v];

		if (*p == PICK_NO)
			*p = PICK_WANTED;
	}
}

/* the chunks named by statements that were found */
static enum perr pick_chunks(struct fetch *f)
{
	struct lookup l = { .f = f };
	uint32_t i, k;
	enum perr err = tagmap_init(&l.by_tag);

	for (i = 0; err == PERR_OK && i < f->n_segs; i++) {
		const struct fetch_segment *s = &f->segs[i];

		if (s->skip)
			continue;
		err = tagmap_reserve(&l.by_tag, s->count);
		for (k = 0; err == PERR_OK && k < s->count; k++)
			tagmap_add(&l.by_tag, s->heads[k] + CELL_TAG_AT, (uint64_t)i << 32 | k);
	}
	if (err == PERR_OK) {
		wants_each_missing(f->wants, pick_chunk, &l);
		for (i = 0; i < f->n_segs; i++)
			if (!f->segs[i].skip)
				pad(f, &f->segs[i]);
	}
	tagmap_free(&l.by_tag);
	return err;
}

/* ---- fetching what was picked ----------------------------------------------------------------- */

struct take {
	struct fetch *f;
	struct visit *v;
	uint32_t seg, n, got;
	uint32_t at[RPC_BATCH];
};

static void on_taken_cell(void *ud, const uint8_t cell[CELL_SIZE])
{
	struct take *t = ud;

	if (t->v->is_over)
		return;
	t->f->segs[t->seg].got++;
	(void)fetch_cell(t->f, t->seg, t->at[t->got], cell);
	t->got++;
}

static void on_taken(void *ud, enum perr err, const struct rpc_msg *m)
{
	struct take t = *(struct take *)ud;

	free(ud);
	if (!visit_alive(t.v, err))
		return;
	t.f->under_way--;
	if (err == PERR_REFUSED)
		fetch_broken(t.f, t.seg, m->error);
	else if (t.got != t.n)
		fetch_broken(t.f, t.seg, RPC_OK);
	take_more(t.f);
}

static bool take_one(struct fetch *f)
{
	struct visit *v = f->v;
	struct fetch_segment *s = &f->segs[f->ask_seg];
	struct take *t = calloc(1, sizeof *t);
	struct rpc_msg *m = calloc(1, sizeof *m);
	uint8_t positions[4 * RPC_BATCH];
	enum perr err = PERR_NOMEM;

	if (t == NULL || m == NULL)
		goto out;
	t->f = f;
	t->v = v;
	t->seg = f->ask_seg;
	for (; f->ask_at < s->count && t->n < RPC_BATCH; f->ask_at++) {
		if (s->picked[f->ask_at] != PICK_WANTED)
			continue;
		s->picked[f->ask_at] = PICK_ASKED;
		doc_u32(positions + (size_t)t->n * 4, f->ask_at);
		t->at[t->n++] = f->ask_at;
	}
	err = PERR_OK;
	if (t->n == 0)
		goto out;
	m->method = RPC_FETCH;
	m->day = s->day;
	m->release = s->release;
	m->bytes = positions;
	m->bytes_len = (size_t)t->n * 4;
	err = peer_call_cells(v->p, m, on_taken_cell, on_taken, t);
	if (err != PERR_OK)
		goto out;
	f->under_way++;
	t = NULL;
out:
	free(t);
	free(m);
	if (err != PERR_OK)
		visit_fail(v, err, "a request could not be made");
	return err == PERR_OK;
}

static void light_end(struct fetch *f)
{
	uint32_t i;

	for (i = 0; i < f->n_segs; i++)
		f->segs[i].answered = f->segs[i].count;
	if (f->list_again) {
		f->is_incomplete = true;         /* next time; what was found is stored */
		if (fetch_assemble(f))
			fetch_finish(f);
		return;
	}
	if (fetch_advance(f))
		fetch_finish(f);
}

static void take_more(struct fetch *f)
{
	enum perr err;

	while (!f->list_again && f->under_way < FETCH_PULLS && f->ask_seg < f->n_segs) {
		if (f->segs[f->ask_seg].skip || f->ask_at >= f->segs[f->ask_seg].count) {
			f->ask_seg++;
			f->ask_at = 0;
		} else if (!take_one(f)) {
			return;
		}
	}
	if (f->under_way > 0 || !fetch_work(f))
		return;
	if (f->is_second || f->list_again) {
		light_end(f);
		return;
	}
	f->is_second = true;
	err = pick_chunks(f);
	if (err != PERR_OK) {
		visit_fail(f->v, err, "out of memory");
		return;
	}
	f->ask_seg = f->ask_at = 0;
	take_more(f);
}

/* ---- heads ------------------------------------------------------------------------------------ */

struct peek {
	struct fetch *f;
	struct visit *v;
	uint32_t seg, from, n;
};

static void on_peeked(void *ud, enum perr err, const struct rpc_msg *m)
{
	struct peek p = *(struct peek *)ud;

	free(ud);
	if (!visit_alive(p.v, err))
		return;
	p.f->under_way--;
	if (err == PERR_REFUSED)
		fetch_broken(p.f, p.seg, m->error);
	else if (m->bytes_len != (size_t)p.n * CELL_HEAD_SIZE)
		fetch_broken(p.f, p.seg, RPC_OK);
	else
		memcpy(p.f->segs[p.seg].heads[p.from], m->bytes, m->bytes_len);
	p.f->done += p.n;
	visit_progress(p.v, SYNC_DOWNLOADING, p.f->done, p.f->total);
	peek_more(p.f);
}

static bool peek_one(struct fetch *f)
{
	struct visit *v = f->v;
	struct fetch_segment *s = &f->segs[f->ask_seg];
	struct peek *p = calloc(1, sizeof *p);
	struct rpc_msg *m = calloc(1, sizeof *m);
	enum perr err = PERR_NOMEM;

	if (s->heads == NULL)
		s->heads = calloc(s->count, sizeof *s->heads);
	if (s->picked == NULL)
		s->picked = calloc(s->count, 1);
	if (p == NULL || m == NULL || s->heads == NULL || s->picked == NULL)
		goto out;
	p->f = f;
	p->v = v;
	p->seg = f->ask_seg;
	p->from = f->ask_at;
	p->n = s->count - f->ask_at < RPC_BATCH ? s->count - f->ask_at : RPC_BATCH;
	m->method = RPC_PEEK;
	m->day = s->day;
	m->release = s->release;
	m->from = p->from;
	err = peer_call(v->p, m, on_peeked, p);
	if (err != PERR_OK)
		goto out;
	f->ask_at += p->n;
	f->under_way++;
	p = NULL;
out:
	free(p);
	free(m);
	if (err != PERR_OK)
		visit_fail(v, err, "a request could not be made");
	return err == PERR_OK;
}

static void peek_more(struct fetch *f)
{
	while (!f->list_again && f->under_way < FETCH_PULLS && f->ask_seg < f->n_segs) {
		if (f->segs[f->ask_seg].skip || f->ask_at >= f->segs[f->ask_seg].count) {
			f->ask_seg++;
			f->ask_at = 0;
		} else if (!peek_one(f)) {
			return;
		}
	}
	if (f->under_way > 0)
		return;
	if (f->list_again) {
		f->is_incomplete = true;
		fetch_finish(f);
		return;
	}
	pick_all(f);
	f->ask_seg = f->ask_at = 0;
	f->is_second = false;
	take_more(f);
}

void fetch_light_start(struct fetch *f)
{
	peek_more(f);
}
