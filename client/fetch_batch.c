/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "fetch.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "blob.h"
#include "record.h"
#include "record_blobs.h"

#define SLICE 32                 /* cells of one task */

void fetch_parallel(struct fetch *f, size_t n, void (*fn)(void *arg, size_t i), void *arg)
{
	const struct client_env *env = &f->v->c->env;
	size_t i;

	if (env->parallel != NULL && n > 1) {
		env->parallel(env->ctx, n, fn, arg);
		return;
	}
	for (i = 0; i < n; i++)
		fn(arg, i);
}

/* ---- on any core ------------------------------------------------------------------------------ */

static void try_cell(struct fetch *f, struct fetch_cell *fc, const uint8_t *cell)
{
	const struct client *c = f->v->c;
	size_t key_at, season_at;

	if (cell_trial(&key_at, &season_at, fc->ds, cell, f->keys, f->n_keys, c->seasons,
	               c->n_seasons) != PERR_OK)
		return;
	fc->payload = malloc(CELL_PAYLOAD_MAX);
	if (fc->payload == NULL) {
		fc->is_own = true;       /* without payload: take_batch does not pass it over */
		return;
	}
	fc->is_own = cell_open(&fc->form, fc->payload, &fc->len, cell, &f->keys[key_at],
	                       &c->seasons[season_at]) == PERR_OK;
	if (!fc->is_own) {               /* T right, seal wrong: noise */
		free(fc->payload);
		fc->payload = NULL;
	}
}

static void work_slice(void *arg, size_t slice)
{
	struct fetch *f = arg;
	uint32_t i, end = (uint32_t)(slice + 1) * SLICE;

	for (i = (uint32_t)slice * SLICE; i < end && i < f->n_batch; i++) {
		struct fetch_cell *fc = &f->batch[i];
		const uint8_t *cell = f->cells + (size_t)i * CELL_SIZE;
		struct fetch_segment *s = &f->segs[fc->seg];
		uint8_t id[32];

		cell_id(id, cell);
		if (s->ids != NULL)
			memcpy(s->ids[fc->at], id, 32);
		fc->is_repeat = tagmap_has(f->done_ids, id);
		if (fc->is_repeat)
			continue;
		/* "Cells whose T is expected as a chunk's are not tried" (PROTOCOL 3.6) */
		fc->is_chunk = wants_tag(f->wants, cell + CELL_TAG_AT);
		if (!fc->is_chunk)
			try_cell(f, fc, cell);
	}
}

/* ---- storing ---------------------------------------------------------------------------------- */

/* the same cell of another server, or of before a rescan, is not kept twice */
static enum perr is_spooled(struct fetch *f, const uint8_t *cell, bool *yes)
{
	uint8_t old[CELL_SIZE];
	unsigned nth;
	enum perr err = PERR_OK;

	*yes = false;
	for (nth = 0; !*yes && err == PERR_OK; nth++) {
		err = spool_find(f->v->spool, cell + CELL_TAG_AT, nth, old);
		*yes = err == PERR_OK && memcmp(old, cell, CELL_SIZE) == 0;
	}
	return err == PERR_NOTFOUND ? PERR_OK : err;
}

/* every cell, own or not: which are kept must not tell which are own */
static enum perr spool_batch(struct fetch *f)
{
	uint32_t i, from = 0;
	enum perr err = tagmap_reserve(f->done_ids, f->n_batch);

	for (i = 0; err == PERR_OK && i <= f->n_batch; i++) {
		bool cut = i == f->n_batch || f->batch[i].is_repeat ||
		           f->segs[f->batch[i].seg].day != f->segs[f->batch[from].seg].day;

		if (!cut && f->is_rescan) {
			err = is_spooled(f, f->cells + (size_t)i * CELL_SIZE, &cut);
			if (err != PERR_OK)
				break;
			f->batch[i].is_repeat |= cut;
		}
		if (!cut)
			continue;
		if (i > from)
			err = spool_add(f->v->spool, f->segs[f->batch[from].seg].day,
			                f->cells + (size_t)from * CELL_SIZE, i - from);
		from = i < f->n_batch && f->batch[i].is_repeat ? i + 1 : i;
	}
	return err;
}

static enum perr take_one(struct fetch *f, struct fetch_cell *fc, const uint8_t *cell)
{
	struct client *c = f->v->c;
	struct sync_server *out = f->v->out;
	struct origin from = { .has_ref = false };
	enum take_result result;
	struct blob_ref ref;
	enum perr err = PERR_OK;

	cell_id(from.id, cell);
	memcpy(from.ds, fc->ds, sizeof from.ds);
	from.day = f->segs[fc->seg].day;
	if (fc->form == CELL_STATEMENT && fc->len > 0) {
		err = record_take_from(c, &from, fc->payload, fc->len, &result);
		if (err == PERR_OK)
			wants_count(&out->taken, (int)result);
		f->v->seen.unplaced |= err == PERR_OK && result == TAKE_NOT_FOR_ME;
	} else if (fc->form == CELL_SPILLED) {
		if (fc->len == BLOB_REF_SIZE && blob_ref_decode(&ref, fc->payload) == PERR_OK)
			err = record_want_spilled(c, &from, &ref);
		else
			out->taken.bad++;
		sodium_memzero(&ref, sizeof ref);
	}
	sodium_memzero(&from, sizeof from);
	return err;
}

static enum perr take_batch(struct fetch *f)
{
	struct client *c = f->v->c;
	uint32_t i, n_own = 0;
	enum perr err = PERR_OK;

	for (i = 0; i < f->n_batch; i++) {
		/* no memory for it: not to be passed over in silence */
		if (f->batch[i].is_own && f->batch[i].payload == NULL)
			return PERR_NOMEM;
		n_own += f->batch[i].is_own ? 1 : 0;
	}
	f->v->out->own += n_own;
	if (n_own == 0)
		return PERR_OK;
	err = kv_begin(c->kv);
	for (i = 0; err == PERR_OK && i < f->n_batch; i++)
		if (f->batch[i].is_own)
			err = take_one(f, &f->batch[i], f->cells + (size_t)i * CELL_SIZE);
	if (err == PERR_OK)
		err = kv_commit(c->kv);
	kv_abort(c->kv);
	if (err == PERR_OK)
		err = wants_refresh(f->wants);
	return err;
}

/* is_stored: false after an error of our own store; then only memory is given back */
static void note_batch(struct fetch *f, bool is_stored)
{
	uint32_t i;

	for (i = 0; i < f->n_batch; i++) {
		const uint8_t *cell = f->cells + (size_t)i * CELL_SIZE;
		struct fetch_segment *s = &f->segs[f->batch[i].seg];
		uint8_t id[32];

		s->worked++;
		if (is_stored && !f->batch[i].is_repeat) {
			if (s->ids != NULL)
				memcpy(id, s->ids[f->batch[i].at], 32);
			else
				cell_id(id, cell);
			tagmap_add(f->done_ids, id, 0);
		}
		if (is_stored)
			wants_saw(f->wants, cell + CELL_TAG_AT);
		sodium_memzero(f->batch[i].ds, sizeof f->batch[i].ds);
		if (f->batch[i].payload != NULL) {
			sodium_memzero(f->batch[i].payload, CELL_PAYLOAD_MAX);
			free(f->batch[i].payload);
		}
	}
	f->n_batch = 0;
}

bool fetch_work(struct fetch *f)
{
	enum perr err;

	if (f->n_batch == 0)
		return !f->v->is_over;
	fetch_parallel(f, (f->n_batch + SLICE - 1) / SLICE, work_slice, f);
	/* into the spool first: what a statement names is then looked for there */
	err = spool_batch(f);
	if (err == PERR_OK)
		err = take_batch(f);
	note_batch(f, err == PERR_OK);
	visit_progress(f->v, SYNC_DOWNLOADING, f->done, f->total);
	if (err != PERR_OK)
		visit_store_failed(f->v, err);
	return err == PERR_OK;
}

bool fetch_cell(struct fetch *f, uint32_t seg, uint32_t at, const uint8_t cell[CELL_SIZE])
{
	struct fetch_cell *fc;

	if (f->v->is_over)
		return false;
	fc = &f->batch[f->n_batch];
	memset(fc, 0, sizeof *fc);
	fc->seg = seg;
	fc->at = at;
	memcpy(f->cells + (size_t)f->n_batch * CELL_SIZE, cell, CELL_SIZE);
	f->n_batch++;
	f->done++;
	f->v->out->pulled++;
	return f->n_batch < FETCH_BATCH || fetch_work(f);
}

bool fetch_assemble(struct fetch *f)
{
	enum perr err;

	visit_progress(f->v, SYNC_STORING, f->done, f->total);
	err = wants_assemble(f->wants, &f->v->out->taken, &f->v->out->blobs);
	if (err != PERR_OK)
		visit_store_failed(f->v, err);
	return err == PERR_OK;
}
