/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * The erasures of a visit: collect what this server is to be asked, name the cells of which
 * only T is known, ask, write down what it said.
 *
 * A chunk without an id is looked for in the spool, and then among the heads of everything the
 * server holds (64 bytes a cell); what fits is fetched, since an id is the hash of the whole.
 * That shows the server which cells are meant, as the erasure does a moment later.
 */
#include "visit.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "doc.h"
#include "erase.h"
#include "spool.h"
#include "tagmap.h"

#define ONCE     512             /* erasures of one commit */
#define SLOTS    8               /* peeks under way */
#define SEGS_MAX  (1u << 17)
#define COUNT_MAX (1u << 22)     /* cells of one segment: 17 GB */

struct request {
	uint32_t item;
	uint8_t id[32];
};
struct segment {
	uint32_t day, release, count;
};
struct hit {
	uint32_t seg, at, item;
};

struct visit_erase {
	struct visit *v;
	struct erase_item *items;
	uint8_t *answers;                /* enum erase_answer */
	uint32_t n, cap;
	struct request *req;
	uint32_t n_req, cap_req, sent, asked;    /* asked: in the commit under way */
	/* looking for ids */
	struct tagmap unnamed;           /* T -> item */
	struct segment *segs;
	uint32_t n_segs, seg, at;        /* where the next peek begins */
	uint32_t last_day, last_release; /* of the list so far */
	struct { uint32_t seg, at; } slots[SLOTS];
	bool busy[SLOTS], is_partial;
	unsigned under_way;
	struct hit *hits;
	uint32_t n_hits, cap_hits, fetched, fetching;
};

static void peek_more(struct visit_erase *e);
static void fetch_next(struct visit_erase *e);
static void send_next(struct visit_erase *e);

/* room for one more of `size` bytes */
static bool grow(void *array, uint32_t n, uint32_t *cap, size_t size)
{
	void **at = array;
	uint32_t more = *cap == 0 ? 256 : *cap * 2;
	void *p;

	if (n < *cap)
		return true;
	p = realloc(*at, more * size);
	if (p == NULL)
		return false;
	*at = p;
	*cap = more;
	return true;
}

static bool add_request(struct visit_erase *e, uint32_t item, const uint8_t id[32])
{
	if (!grow(&e->req, e->n_req, &e->cap_req, sizeof *e->req)) {
		visit_fail(e->v, PERR_NOMEM, "out of memory");
		return false;
	}
	e->req[e->n_req].item = item;
	memcpy(e->req[e->n_req++].id, id, 32);
	return true;
}

/* ---- asking ------------------------------------------------------------------------------- */

static void finish(struct visit_erase *e)
{
	struct visit *v = e->v;
	enum perr err = erase_answered(v->c, v->out->pk, e->items, e->answers, e->n);
	uint32_t i;

	for (i = 0; i < e->n; i++)
		v->out->erasures += e->answers[i] == ERASE_RESTS ? 1 : 0;
	if (err != PERR_OK) {
		visit_store_failed(v, err);
		return;
	}
	visit_erase_free(v);
	visit_next(v);
}

static void on_asked(struct visit *v, uint32_t at, enum perr err, const struct rpc_msg *m)
{
	struct visit_erase *e = v->erase;
	bool more = true;
	uint32_t i;

	(void)at;
	if (err == PERR_REFUSED || m->bytes_len != e->asked) {
		if (err != PERR_REFUSED)
			visit_fail(v, PERR_FORMAT, "the server answered for other erasures");
		else
			v->out->notes |= m->error == RPC_NOSPACE ? SYNC_N_DISK_FULL : SYNC_N_LIMIT;
		if (!v->is_over)
			finish(e);
		return;
	}
	for (i = 0; i < e->asked; i++) {
		uint8_t *answer = &e->answers[e->req[e->sent - e->asked + i].item];

		switch (m->bytes[i]) {
		case RPC_ACCEPTED: case RPC_ALREADY: case RPC_ERASED:
			*answer = ERASE_RESTS;
			break;
		case RPC_NOT_KNOWN:
			/* of several cells with one T any will do */
			if (*answer == ERASE_NO_ANSWER)
				*answer = ERASE_UNKNOWN;
			break;
		default:
			v->out->notes |= m->bytes[i] == RPC_DISK_FULL ? SYNC_N_DISK_FULL
			                                              : SYNC_N_LIMIT;
			more = false;
		}
	}
	if (more)
		send_next(e);
	else
		finish(e);
}

static void send_next(struct visit_erase *e)
{
	struct visit *v = e->v;
	struct rpc_msg *m = calloc(1, sizeof *m);
	uint8_t list[64 * RPC_BATCH];
	uint32_t n = 0;
	enum perr err = m == NULL ? PERR_NOMEM : PERR_OK;

	if (e->sent == e->n_req) {
		free(m);
		finish(e);
		return;
	}
	e->asked = 0;
	while (err == PERR_OK && e->sent < e->n_req && e->asked < ONCE) {
		for (n = 0; n < RPC_BATCH && e->sent < e->n_req && e->asked < ONCE; n++) {
			const struct request *r = &e->req[e->sent++];

			memcpy(list + (size_t)n * 64, r->id, 32);
			memcpy(list + (size_t)n * 64 + 32, e->items[r->item].ds, 32);
			e->asked++;
		}
		m->method = RPC_ERASE;
		m->bytes = list;
		m->bytes_len = (size_t)n * 64;
		err = peer_notify(v->p, m);
	}
	sodium_memzero(list, sizeof list);
	if (err != PERR_OK) {
		visit_fail(v, err, "an erasure could not be asked for");
	} else {
		memset(m, 0, sizeof *m);
		m->method = RPC_COMMIT;
		(void)visit_ask(v, m, 0, on_asked);
	}
	free(m);
}

/* ---- naming cells by their T ----------------------------------------------------------------- */

/* the cells of a look that came to its end, or was broken off, are known now */
static void named(struct visit_erase *e)
{
	uint8_t *has = calloc(e->n + 1, 1);
	uint32_t i;

	if (has == NULL) {
		visit_fail(e->v, PERR_NOMEM, "out of memory");
		return;
	}
	for (i = 0; i < e->n_req; i++)
		has[e->req[i].item] = 1;
	for (i = 0; i < e->n; i++)
		if (!has[i] && !e->is_partial)
			e->answers[i] = ERASE_UNKNOWN;
	free(has);
	send_next(e);
}

static void on_fetched_cell(void *ud, const uint8_t cell[CELL_SIZE])
{
	struct visit_erase *e = ud;
	uint8_t id[32];

	if (e->v->is_over || e->fetched + e->fetching >= e->n_hits)
		return;
	cell_id(id, cell);
	(void)add_request(e, e->hits[e->fetched + e->fetching++].item, id);
}

static void on_fetched(void *ud, enum perr err, const struct rpc_msg *m)
{
	struct visit_erase *e = ud;
	uint32_t asked = e->asked;

	if (!visit_alive(e->v, err))
		return;
	/* rebuilt since the list: the next visit looks again */
	if (err != PERR_OK || e->fetching != asked)
		e->is_partial = true;
	e->fetched += asked;
	fetch_next(e);
}

static void fetch_next(struct visit_erase *e)
{
	struct visit *v = e->v;
	struct rpc_msg *m;
	uint8_t positions[4 * RPC_BATCH];
	uint32_t n = 0;
	enum perr err;

	if (e->fetched == e->n_hits) {
		named(e);
		return;
	}
	m = calloc(1, sizeof *m);
	if (m == NULL) {
		visit_fail(v, PERR_NOMEM, "out of memory");
		return;
	}
	for (; n < RPC_BATCH && e->fetched + n < e->n_hits &&
	       e->hits[e->fetched + n].seg == e->hits[e->fetched].seg; n++)
		doc_u32(positions + (size_t)n * 4, e->hits[e->fetched + n].at);
	m->method = RPC_FETCH;
	m->day = e->segs[e->hits[e->fetched].seg].day;
	m->release = e->segs[e->hits[e->fetched].seg].release;
	m->bytes = positions;
	m->bytes_len = (size_t)n * 4;
	e->asked = n;
	e->fetching = 0;
	err = peer_call_cells(v->p, m, on_fetched_cell, on_fetched, e);
	free(m);
	if (err != PERR_OK)
		visit_fail(v, err, "a request could not be made");
}

static int by_place(const void *a, const void *b)
{
	const struct hit *x = a, *y = b;

	if (x->seg != y->seg)
		return x->seg < y->seg ? -1 : 1;
	return x->at < y->at ? -1 : x->at > y->at;
}

static void on_peek(struct visit *v, uint32_t slot, enum perr err, const struct rpc_msg *m)
{
	struct visit_erase *e = v->erase;
	uint32_t i, k;

	e->busy[slot] = false;
	e->under_way--;
	if (err != PERR_OK)
		e->is_partial = true;
	for (i = 0; err == PERR_OK && i < m->bytes_len / CELL_HEAD_SIZE; i++) {
		const uint8_t *tag = m->bytes + (size_t)i * CELL_HEAD_SIZE + CELL_TAG_AT;

		for (k = tagmap_first(&e->unnamed, tag); k != TAGMAP_NONE;
		     k = tagmap_next(&e->unnamed, k)) {
			if (!grow(&e->hits, e->n_hits, &e->cap_hits, sizeof *e->hits)) {
				visit_fail(v, PERR_NOMEM, "out of memory");
				return;
			}
			e->hits[e->n_hits++] = (struct hit){
				e->slots[slot].seg, e->slots[slot].at + i,
				(uint32_t)tagmap_value(&e->unnamed, k)
			};
		}
	}
	peek_more(e);
}

static void peek_more(struct visit_erase *e)
{
	struct visit *v = e->v;
	uint32_t slot;

	for (slot = 0; slot < SLOTS && e->seg < e->n_segs && !v->is_over; slot++) {
		struct rpc_msg *m;

		if (e->busy[slot])
			continue;
		m = calloc(1, sizeof *m);
		if (m == NULL) {
			visit_fail(v, PERR_NOMEM, "out of memory");
			return;
		}
		m->method = RPC_PEEK;
		m->day = e->segs[e->seg].day;
		m->release = e->segs[e->seg].release;
		m->from = e->at;
		e->slots[slot].seg = e->seg;
		e->slots[slot].at = e->at;
		e->busy[slot] = visit_ask(v, m, slot, on_peek);
		e->under_way += e->busy[slot] ? 1 : 0;
		free(m);
		e->at += RPC_BATCH;
		if (e->at >= e->segs[e->seg].count) {
			e->seg++;
			e->at = 0;
		}
	}
	if (e->under_way > 0 || v->is_over)
		return;
	if (e->n_hits > 1)
		qsort(e->hits, e->n_hits, sizeof *e->hits, by_place);
	fetch_next(e);
}

static void list_more(struct visit_erase *e);

static void on_list(struct visit *v, uint32_t at, enum perr err, const struct rpc_msg *m)
{
	struct visit_erase *e = v->erase;
	struct segment *segs;
	uint32_t i;

	(void)at;
	if (err != PERR_OK || e->n_segs > SEGS_MAX) {
		e->is_partial = true;
		peek_more(e);
		return;
	}
	segs = realloc(e->segs, (e->n_segs + m->n + 1) * sizeof *segs);
	if (segs == NULL) {
		visit_fail(v, PERR_NOMEM, "out of memory");
		return;
	}
	e->segs = segs;
	for (i = 0; i < m->n; i++) {
		const struct rpc_segment *r = &m->segments[i];

		/* rising, or a dishonest list could go round for ever */
		if (r->day < e->last_day || (r->day == e->last_day && r->release <= e->last_release) ||
		    r->count > COUNT_MAX) {
			visit_fail(v, PERR_FORMAT, "the server lists its segments wrongly");
			return;
		}
		e->last_day = r->day;
		e->last_release = r->release;
		if (r->count > 0)
			e->segs[e->n_segs++] = (struct segment){ r->day, r->release, r->count };
	}
	if (m->n == RPC_BATCH)
		list_more(e);
	else
		peek_more(e);
}

static void list_more(struct visit_erase *e)
{
	struct rpc_msg *m = calloc(1, sizeof *m);

	if (m == NULL) {
		visit_fail(e->v, PERR_NOMEM, "out of memory");
		return;
	}
	m->method = RPC_SEGMENTS;
	m->day = e->last_day;
	m->release = e->last_release;
	m->n = RPC_BATCH;
	(void)visit_ask(e->v, m, 0, on_list);
	free(m);
}

/* every cell of that T: one that somebody else sealed with it is nobody's loss */
static enum perr name_from_spool(struct visit_erase *e, uint32_t item, bool *is_named)
{
	struct visit *v = e->v;
	uint8_t cell[CELL_SIZE], id[32];
	unsigned nth;
	enum perr err = PERR_OK;

	*is_named = false;
	for (nth = 0; v->spool != NULL && err == PERR_OK; nth++) {
		err = spool_find(v->spool, e->items[item].tag, nth, cell);
		if (err != PERR_OK)
			break;
		cell_id(id, cell);
		if (!add_request(e, item, id))
			return PERR_NOMEM;
		*is_named = true;
	}
	return err == PERR_NOTFOUND ? PERR_OK : err;
}

/* ---- beginning and end ----------------------------------------------------------------------- */

static enum perr count(void *arg, const struct erase_item *it)
{
	((struct visit_erase *)arg)->cap++;
	return PERR_OK;
}

/* into room made at once: an array that grew would leave secrets behind in freed memory */
static enum perr collect(void *arg, const struct erase_item *it)
{
	struct visit_erase *e = arg;

	if (e->n < e->cap)
		e->items[e->n++] = *it;
	return PERR_OK;
}

static enum perr name_all(struct visit_erase *e, bool *is_missing)
{
	uint32_t i;
	bool is_named;
	enum perr err = PERR_OK;

	for (i = 0; err == PERR_OK && i < e->n; i++) {
		if (e->items[i].has_id) {
			if (!add_request(e, i, e->items[i].id))
				return PERR_NOMEM;
			continue;
		}
		err = name_from_spool(e, i, &is_named);
		if (err != PERR_OK || is_named)
			continue;
		err = tagmap_reserve(&e->unnamed, 1);
		if (err == PERR_OK)
			tagmap_add(&e->unnamed, e->items[i].tag, i);
		*is_missing = true;
	}
	return err;
}

void visit_erase_start(struct visit *v)
{
	struct visit_erase *e = v->erase = calloc(1, sizeof *e);
	bool is_missing = false;
	enum perr err = PERR_NOMEM;

	if (e != NULL) {
		e->v = v;
		err = erase_each_due(v->c, v->out->pk, count, e);
	}
	if (err == PERR_OK && e->cap == 0) {
		visit_erase_free(v);
		visit_next(v);
		return;
	}
	if (err == PERR_OK) {
		e->items = calloc(e->cap, sizeof *e->items);
		e->answers = calloc(e->cap, 1);
		err = e->items == NULL || e->answers == NULL ? PERR_NOMEM
		                                             : tagmap_init(&e->unnamed);
	}
	if (err == PERR_OK)
		err = erase_each_due(v->c, v->out->pk, collect, e);
	if (err == PERR_OK)
		err = name_all(e, &is_missing);
	if (err != PERR_OK)
		visit_store_failed(v, err);
	else if (is_missing)
		list_more(e);
	else
		send_next(e);
}

void visit_erase_free(struct visit *v)
{
	struct visit_erase *e = v->erase;

	if (e == NULL)
		return;
	if (e->items != NULL)
		sodium_memzero(e->items, e->cap * sizeof *e->items);
	free(e->items);
	free(e->answers);
	free(e->req);
	free(e->segs);
	free(e->hits);
	tagmap_free(&e->unnamed);
	free(e);
	v->erase = NULL;
}
