/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "fetch.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "bulletin.h"
#include "channel.h"
#include "gaps.h"
#include "prekeys.h"
#include "roster.h"

#define LIGHT_DEFAULT ((uint64_t)32 << 20)
#define RATE_DEFAULT  2000000u   /* bytes a second, before anything was measured */
#define RATE_BYTES    ((uint64_t)8 << 20)        /* shorter downloads measure nothing */

static void list_start(struct fetch *f);
static void pull_more(struct fetch *f);

static bool is_after(uint32_t day, uint32_t release, uint32_t than_day, uint32_t than_release)
{
	return day != than_day ? day > than_day : release > than_release;
}

/* ---- what was read whole ---------------------------------------------------------------------- */

/* "A digest of a set of cells is H over their ids joined in rising order" (PROTOCOL 6.1) */
static bool is_as_announced(const struct fetch_segment *s)
{
	crypto_generichash_state h;
	uint8_t digest[32];
	uint32_t i;

	if (s->got != s->count)
		return false;
	crypto_generichash_init(&h, NULL, 0, 32);
	for (i = 0; i < s->count; i++) {
		if (i > 0 && memcmp(s->ids[i - 1], s->ids[i], 32) >= 0)
			return false;
		crypto_generichash_update(&h, s->ids[i], 32);
	}
	crypto_generichash_final(&h, digest, 32);
	return memcmp(digest, s->digest, 32) == 0;
}

static enum perr save(struct fetch *f)
{
	struct visit *v = f->v;
	enum perr err = kv_begin(v->c->kv);

	if (err == PERR_OK)
		err = seen_save(v->c, v->out->pk, &v->seen);
	if (err == PERR_OK && f->digests->n > 0)
		err = seen_digests_save(v->c, f->digests);
	if (err == PERR_OK)
		err = kv_commit(v->c->kv);
	kv_abort(v->c->kv);
	f->has_moved = false;
	return err;
}

/* false: it is not what the list said, and the list is asked for again */
static bool judge(struct fetch *f, struct fetch_segment *s)
{
	if (f->is_light)
		return true;
	if (s->is_damaged) {
		f->is_incomplete = true;
	} else if (is_as_announced(s)) {
		seen_digests_add(f->digests, s->digest);
	} else if (f->tries + 1 < FETCH_TRIES) {
		f->list_again = true;
		return false;
	} else {
		/* an erasure between list and pull looks like this once, not three times; the
		 * position stays before it, so that what was kept back is asked for again */
		f->v->out->notes |= SYNC_N_DIGEST;
		f->is_incomplete = f->is_held = true;
	}
	return true;
}

bool fetch_advance(struct fetch *f)
{
	struct seen *seen = &f->v->seen;
	bool read_any = false;
	enum perr err;

	while (f->n_done < f->n_segs && !f->list_again) {
		struct fetch_segment *s = &f->segs[f->n_done];

		if (!s->skip) {
			if (s->answered < s->count || s->worked < s->got || !judge(f, s))
				break;
			read_any = true;
		}
		free(s->ids);
		s->ids = NULL;
		f->pos_day = s->day;
		f->pos_release = s->release;
		f->n_done++;
		if (!f->is_rescan && !f->is_held &&
		    is_after(s->day, s->release, seen->day, seen->release)) {
			seen->day = s->day;
			seen->release = s->release;
			f->has_moved = true;
		}
	}
	if (!read_any)
		return true;
	/* attachments first, then the position: a kill in between repeats, and loses nothing */
	if (!fetch_assemble(f))
		return false;
	err = save(f);
	if (err != PERR_OK)
		visit_store_failed(f->v, err);
	return err == PERR_OK;
}

void fetch_broken(struct fetch *f, uint32_t seg, enum rpc_error error)
{
	if (error == RPC_DAMAGED) {
		f->segs[seg].is_damaged = true;
		f->v->out->notes |= SYNC_N_DAMAGED;
	} else {
		f->list_again = true;    /* settled, or rebuilt after an erasure */
	}
}

/* ---- pulling ---------------------------------------------------------------------------------- */

struct pull {
	struct fetch *f;
	struct visit *v;
	uint32_t seg, from, n, got;
};

static void on_cell(void *ud, const uint8_t cell[CELL_SIZE])
{
	struct pull *p = ud;

	/* too many are refused by the peer */
	if (p->v->is_over || p->f->list_again)
		return;
	p->f->segs[p->seg].got++;
	(void)fetch_cell(p->f, p->seg, p->from + p->got, cell);
	p->got++;
}

static void on_pulled(void *ud, enum perr err, const struct rpc_msg *m)
{
	struct pull p = *(struct pull *)ud;
	struct fetch_segment *s;

	free(ud);
	if (!visit_alive(p.v, err))
		return;
	s = &p.f->segs[p.seg];
	p.f->under_way--;
	if (err == PERR_REFUSED)
		fetch_broken(p.f, p.seg, m->error);
	else if (!p.f->list_again && (m->n != p.got || p.got < p.n))
		fetch_broken(p.f, p.seg, RPC_OK);
	s->answered += p.n;
	if (fetch_advance(p.f))
		pull_more(p.f);
}

static bool pull_one(struct fetch *f)
{
	struct visit *v = f->v;
	struct fetch_segment *s = &f->segs[f->ask_seg];
	struct pull *p = calloc(1, sizeof *p);
	struct rpc_msg *m = calloc(1, sizeof *m);
	enum perr err = PERR_NOMEM;

	if (s->ids == NULL)
		s->ids = calloc(s->count, sizeof *s->ids);
	if (p == NULL || m == NULL || s->ids == NULL)
		goto out;
	p->f = f;
	p->v = v;
	p->seg = f->ask_seg;
	p->from = f->ask_at;
	p->n = s->count - f->ask_at < RPC_BATCH ? s->count - f->ask_at : RPC_BATCH;
	m->method = RPC_PULL;
	m->day = s->day;
	m->release = s->release;
	m->from = p->from;
	m->n = p->n;
	err = peer_call_cells(v->p, m, on_cell, on_pulled, p);
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

static void pull_more(struct fetch *f)
{
	while (!f->list_again && f->under_way < FETCH_PULLS && f->ask_seg < f->n_segs) {
		const struct fetch_segment *s = &f->segs[f->ask_seg];

		if (s->skip || f->ask_at >= s->count) {
			f->ask_seg++;
			f->ask_at = 0;
			continue;
		}
		if (!pull_one(f))
			return;
	}
	if (f->under_way > 0)
		return;
	if (!fetch_work(f) || !fetch_advance(f))
		return;
	if (f->list_again && ++f->tries < FETCH_TRIES) {
		list_start(f);
		return;
	}
	if (f->list_again)               /* not once, but every time */
		f->v->out->notes |= SYNC_N_DIGEST;
	f->is_incomplete |= f->n_done < f->n_segs;
	fetch_finish(f);
}

/* ---- the list of segments --------------------------------------------------------------------- */

static void segments_free(struct fetch *f)
{
	uint32_t i;

	for (i = 0; i < f->n_segs; i++) {
		free(f->segs[i].ids);
		free(f->segs[i].heads);
		free(f->segs[i].picked);
	}
	free(f->segs);
	f->segs = NULL;
	f->n_segs = f->cap_segs = 0;
}

static enum sync_choice choose(struct fetch *f)
{
	struct visit *v = f->v;
	const struct sync_hooks *h = v->hooks;
	uint64_t limit = v->c->field->limits.light_bytes;
	uint64_t rate = v->seen.bytes_per_s > 0 ? v->seen.bytes_per_s : RATE_DEFAULT;
	struct sync_backlog b = {
		.address = v->out->address, .cells = f->total, .bytes = f->total * FRAME_SIZE,
		.light_bytes = (f->total + RPC_BATCH - 1) / RPC_BATCH * FRAME_SIZE,
		.is_rescan = f->is_rescan
	};

	if (limit == 0)
		limit = LIGHT_DEFAULT;
	if (b.bytes <= limit || h == NULL || h->backlog == NULL)
		return SYNC_GO;
	b.minutes = (unsigned)((b.bytes / rate + 59) / 60);
	return h->backlog(h->ctx, &b);
}

/* the newest segment was named at hello, so the list must reach it */
static void hold_against_hello(struct fetch *f)
{
	const struct visit *v = f->v;
	uint32_t day = f->n_segs > 0 ? f->segs[f->n_segs - 1].day : f->pos_day;
	uint32_t release = f->n_segs > 0 ? f->segs[f->n_segs - 1].release : f->pos_release;

	if (v->has_newest && is_after(v->newest_day, v->newest_release, day, release)) {
		v->out->notes |= SYNC_N_DIGEST;
		f->is_incomplete = true;
	}
}

static bool all_keys(struct fetch *f)
{
	enum perr err;

	prekeys_drop(f->keys);
	f->keys = NULL;
	err = prekeys_readers(f->v->c, true, &f->keys, &f->n_keys);
	if (err != PERR_OK)
		visit_store_failed(f->v, err);
	return err == PERR_OK;
}

static void listed(struct fetch *f)
{
	uint32_t i;

	f->total = f->done = 0;
	for (i = 0; i < f->n_segs; i++) {
		struct fetch_segment *s = &f->segs[i];

		s->skip = (uint64_t)s->day + FETCH_MARGIN_DAYS < f->min_day ||
		          (!f->is_rescan && seen_digests_has(f->digests, s->digest));
		f->total += s->skip ? 0 : s->count;
	}
	if (!f->is_rescan)
		hold_against_hello(f);
	if (!f->is_rescan && f->total <= FETCH_ALL_KEYS && !all_keys(f))
		return;
	f->began = f->v->c->env.now(f->v->c->env.ctx);
	f->bytes_before = peer_bytes_in(f->v->p);
	switch (f->tries == 0 ? choose(f) : f->is_light ? SYNC_LIGHT : SYNC_GO) {
	case SYNC_GO:
		pull_more(f);
		return;
	case SYNC_LIGHT:
		f->is_light = true;
		f->v->out->notes |= SYNC_N_LIGHT;
		fetch_light_start(f);
		return;
	case SYNC_STOP:
		f->v->out->notes |= SYNC_N_STOPPED;
		f->is_incomplete = true;
		fetch_finish(f);
		return;
	}
}

static bool add_segments(struct fetch *f, const struct rpc_msg *m)
{
	uint32_t i;

	if (f->n_segs + m->n > f->cap_segs) {
		uint32_t cap = f->cap_segs * 2 + m->n;
		struct fetch_segment *segs;

		if (cap > FETCH_SEGMENTS_MAX)
			return false;
		segs = realloc(f->segs, cap * sizeof *segs);
		if (segs == NULL)
			return false;
		f->segs = segs;
		f->cap_segs = cap;
	}
	for (i = 0; i < m->n; i++) {
		const struct rpc_segment *r = &m->segments[i];
		struct fetch_segment *s = &f->segs[f->n_segs];
		uint32_t day = f->n_segs > 0 ? s[-1].day : f->pos_day;
		uint32_t release = f->n_segs > 0 ? s[-1].release : f->pos_release;

		/* rising, or a dishonest list could go round for ever */
		if (!is_after(r->day, r->release, day, release) || r->count > FETCH_COUNT_MAX)
			return false;
		memset(s, 0, sizeof *s);
		s->day = r->day;
		s->release = r->release;
		s->count = r->count;
		memcpy(s->digest, r->digest, 32);
		f->n_segs++;
	}
	return true;
}

static void list_more(struct fetch *f);

static void on_list(struct visit *v, uint32_t at, enum perr err, const struct rpc_msg *m)
{
	struct fetch *f = v->fetch;

	(void)at;
	if (err != PERR_OK || !add_segments(f, m)) {
		visit_fail(v, err != PERR_OK ? err : PERR_FORMAT,
		           "the server could not list what it holds");
		return;
	}
	if (m->n == RPC_BATCH)
		list_more(f);
	else
		listed(f);
}

static void list_more(struct fetch *f)
{
	struct rpc_msg *m = calloc(1, sizeof *m);

	if (m == NULL) {
		visit_fail(f->v, PERR_NOMEM, "out of memory");
		return;
	}
	m->method = RPC_SEGMENTS;
	m->day = f->n_segs > 0 ? f->segs[f->n_segs - 1].day : f->pos_day;
	m->release = f->n_segs > 0 ? f->segs[f->n_segs - 1].release : f->pos_release;
	m->n = RPC_BATCH;
	(void)visit_ask(f->v, m, 0, on_list);
	free(m);
}

/* from the position on */
static void list_start(struct fetch *f)
{
	segments_free(f);
	f->n_done = f->ask_seg = f->ask_at = 0;
	f->list_again = false;
	list_more(f);
}

/* ---- beginning and end ------------------------------------------------------------------------ */

static bool was_known(const struct seen *s, uint32_t number)
{
	for (uint32_t i = 0; i < s->n_seasons; i++)
		if (s->seasons[i] == number)
			return true;
	return false;
}

/*
 * A roster that came since may open what was passed over: a season we did not hold, a desk
 * we did not know to be ours.  Nobody can have sealed under it before it was signed.
 */
static void rewind_for_roster(struct fetch *f)
{
	struct visit *v = f->v;
	const struct bulletin *b = client_bulletin(v->c);
	uint32_t day = b->day > 0 ? b->day - 1 : 0;
	bool is_new = false;

	/* the day stands in a season's number: several rosters may have passed since it was made */
	for (uint32_t i = 0; v->seen.n_seasons > 0 && i < v->c->n_seasons; i++) {
		uint32_t made = v->c->seasons[i].number >> 16;

		if (was_known(&v->seen, v->c->seasons[i].number))
			continue;
		is_new = true;
		if (made < day + 1)
			day = made > 0 ? made - 1 : 0;
	}
	if (is_new || (v->seen.unplaced && v->seen.version != b->version)) {
		if (v->seen.day >= day) {
			v->seen.day = day;
			v->seen.release = 0;
		}
		v->seen.unplaced = false;
		f->digests->n = 0;
	}
	f->has_moved |= is_new || v->seen.n_seasons != v->c->n_seasons ||
	                v->seen.version != b->version;
	v->seen.n_seasons = (uint32_t)v->c->n_seasons;
	for (uint32_t i = 0; i < v->seen.n_seasons; i++)
		v->seen.seasons[i] = v->c->seasons[i].number;
	v->seen.version = b->version;
}

static void note_top(struct fetch *f)
{
	struct visit *v = f->v;
	struct seen *s = &v->seen;
	uint32_t retention = v->c->field->limits.retention_days;

	if (v->has_newest && is_after(v->newest_day, v->newest_release, s->top_day, s->top_release)) {
		s->top_day = v->newest_day;
		s->top_release = v->newest_release;
		f->has_moved = true;
	} else if (s->top_day > 0 && (uint64_t)s->top_day + retention > v->day &&
	           (!v->has_newest || is_after(s->top_day, s->top_release, v->newest_day,
	                                       v->newest_release))) {
		/* settling keeps the last release's number, so what was shown once is there until
		 * it expires */
		v->out->notes |= SYNC_N_SHRUNK;
	}
}

static bool rescan_is_due(const struct fetch *f)
{
	const struct seen *s = &f->v->seen;
	uint32_t oldest = wants_oldest(f->wants, s->rescan_day);
	/* DESIGN 6: "rescan with all keys before they report one"; the day after, since the
	 * numbers of one evening may come in any order */
	bool has_gap = f->gap_since != 0 && f->gap_since < f->v->day &&
	               s->rescan_day <= f->gap_since;

	return (oldest < f->v->day || has_gap) &&
	       (s->rescan_day == 0 || f->v->day >= s->rescan_day + FETCH_RESCAN_EVERY);
}

static void rescan_start(struct fetch *f)
{
	struct visit *v = f->v;
	uint32_t oldest = wants_oldest(f->wants, v->seen.rescan_day);

	if (!all_keys(f))
		return;
	/* what another server gave in this run was looked at with the same keys */
	if (v->c->n_borrowed == 0)
		f->done_ids = &f->own_ids;
	f->is_rescan = true;
	f->is_light = f->is_incomplete = false;
	f->tries = 0;
	/* of a gap nobody knows how old it is */
	f->pos_day = oldest > FETCH_RESCAN_DAYS && f->gap_since == 0 && v->c->n_borrowed == 0
	           ? oldest - FETCH_RESCAN_DAYS : 0;
	f->pos_release = 0;
	list_start(f);
}

static void measure(struct fetch *f)
{
	uint64_t bytes = peer_bytes_in(f->v->p) - f->bytes_before;
	int64_t s = f->v->c->env.now(f->v->c->env.ctx) - f->began;

	if (bytes < RATE_BYTES)
		return;
	bytes /= s > 0 ? (uint64_t)s : 1;
	f->v->seen.bytes_per_s = bytes > UINT32_MAX ? UINT32_MAX : (uint32_t)bytes;
	f->has_moved = true;
}

void fetch_finish(struct fetch *f)
{
	struct visit *v = f->v;
	int64_t day;
	enum perr err = PERR_OK;

	measure(f);
	if (f->is_rescan && !f->is_incomplete) {
		v->seen.rescan_day = v->day;
		v->out->notes |= SYNC_N_RESCANNED;
		f->has_moved = true;
	}
	/* today may bring more: only whole days count as scanned; and none that has not come
	 * by this device's own clock: what is scanned lets private keys die, and a server may
	 * lie about the day */
	day = v->c->env.now(v->c->env.ctx) / 86400 + 1;
	day = day < (int64_t)v->day ? day : (int64_t)v->day;
	if (!f->is_rescan && !f->is_incomplete && day > 0 &&
	    v->seen.scanned_through < day - 1) {
		v->seen.scanned_through = (uint32_t)(day - 1);
		f->has_moved = true;
	}
	if (f->has_moved)
		err = save(f);
	if (err != PERR_OK) {
		visit_store_failed(v, err);
		return;
	}
	if (!f->is_rescan && !f->is_incomplete && rescan_is_due(f)) {
		rescan_start(f);
		return;
	}
	err = spool_tidy(v->spool, v->day, wants_open(f->wants) > 0);
	if (err != PERR_OK) {
		visit_store_failed(v, err);
		return;
	}
	visit_next(v);
}

static enum perr begin(struct fetch *f)
{
	struct client *c = f->v->c;
	enum perr err = prekeys_readers(c, false, &f->keys, &f->n_keys);

	if (err == PERR_OK)
		err = wants_new(&f->wants, c, f->v->spool);
	/* lent keys are older than one's own: then everything is looked at */
	if (err == PERR_OK && f->n_keys > 0 && c->n_borrowed == 0)
		err = prekeys_first_day(c, &f->min_day);
	if (err == PERR_OK)
		err = seen_digests_load(c, f->digests);
	if (err == PERR_OK)
		err = gaps_since(c, &f->gap_since);
	return err;
}

void fetch_start(struct visit *v)
{
	struct fetch *f;
	enum perr err = PERR_NOMEM;

	if (v->spool == NULL || v->c->field == NULL || !prekeys_needed(v->c)) {
		visit_next(v);
		return;
	}
	f = v->fetch = calloc(1, sizeof *f);
	if (f != NULL) {
		f->v = v;
		f->done_ids = v->done_ids;
		f->digests = malloc(sizeof *f->digests);
		f->batch = calloc(FETCH_BATCH, sizeof *f->batch);
		f->cells = malloc((size_t)FETCH_BATCH * CELL_SIZE);
		if (f->digests != NULL && f->batch != NULL && f->cells != NULL)
			err = tagmap_init(&f->own_ids);
	}
	if (err != PERR_OK) {
		visit_fail(v, err, "out of memory");
		return;
	}
	err = begin(f);
	if (err != PERR_OK) {
		visit_store_failed(v, err);
		return;
	}
	if (f->n_keys == 0) {            /* nothing can be for us, and the position stays */
		visit_next(v);
		return;
	}
	/* a recovery: all that the server holds, whatever was read of it before */
	if (v->c->n_borrowed > 0) {
		rescan_start(f);
		return;
	}
	rewind_for_roster(f);
	note_top(f);
	f->pos_day = v->seen.day;
	f->pos_release = v->seen.release;
	f->bytes_before = peer_bytes_in(v->p);
	if (v->has_newest && is_after(v->newest_day, v->newest_release, f->pos_day, f->pos_release))
		list_start(f);
	else
		fetch_finish(f);
}

void fetch_free(struct visit *v)
{
	struct fetch *f = v->fetch;
	uint32_t i;

	if (f == NULL)
		return;
	for (i = 0; i < f->n_batch; i++)
		free(f->batch[i].payload);
	segments_free(f);
	prekeys_drop(f->keys);
	wants_free(f->wants);
	tagmap_free(&f->own_ids);
	free(f->digests);
	free(f->batch);
	free(f->cells);
	free(f);
	v->fetch = NULL;
}
