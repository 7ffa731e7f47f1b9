/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "visit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decoys.h"
#include "outbox.h"
#include "post.h"

#define COMMITS   2              /* under way at once: one is stored while the next travels */
#define ACKS_MAX  1024           /* remembered before they are written down */
#define POSTS_MAX 64

/* ---- own documents --------------------------------------------------------------------------- */

struct due {
	char slot[POST_SLOT_MAX + 1];
	struct post post;
	uint8_t id[32];
};
struct commit {
	uint64_t numbers[RPC_BATCH];
	uint32_t n;
};
struct upload {
	struct visit *v;
	/* posts */
	struct due *due;
	uint32_t n_due, asked;
	/* cells */
	struct commit commits[COMMITS];
	bool is_used[COMMITS];
	unsigned under_way;
	uint64_t after;                  /* the last number that was sent */
	uint32_t last_group;             /* what is sealed while this runs is not of it */
	bool at_end, stopped;
	uint64_t acks[ACKS_MAX + RPC_BATCH];
	size_t n_acks;
	uint64_t total, done;
};

static struct upload *upload_of(struct visit *v)
{
	if (v->upload == NULL) {
		v->upload = calloc(1, sizeof *v->upload);
		if (v->upload == NULL)
			visit_fail(v, PERR_NOMEM, "out of memory");
		else
			v->upload->v = v;
	}
	return v->upload;
}

static enum perr collect_due(void *arg, const char *slot, const struct post *p)
{
	struct upload *u = arg;
	enum post_kind wanted = u->v->scope == RPC_GUEST ? POST_JOIN : POST_BOARD;
	struct due *d;

	if (p->kind != wanted || u->n_due == POSTS_MAX)
		return PERR_OK;
	d = &u->due[u->n_due++];
	snprintf(d->slot, sizeof d->slot, "%s", slot);
	d->post = *p;
	cell_id(d->id, p->cell);
	return PERR_OK;
}

static void note_status(struct visit *v, uint8_t status)
{
	switch ((enum rpc_status)status) {
	case RPC_STORED: case RPC_ALREADY: case RPC_ACCEPTED: case RPC_ERASED:
		return;
	case RPC_OVER_LIMIT:
		v->out->notes |= SYNC_N_LIMIT;
		return;
	case RPC_DISK_FULL:
		v->out->notes |= SYNC_N_DISK_FULL;
		return;
	case RPC_NOT_A_CELL:
		v->out->notes |= SYNC_N_REFUSED;
		return;
	case RPC_NOT_KNOWN:
		v->out->notes |= SYNC_N_TICKET;
		return;
	}
	v->out->notes |= SYNC_N_REFUSED;
}

static void on_posted(struct visit *v, uint32_t at, enum perr err, const struct rpc_msg *m)
{
	struct upload *u = v->upload;
	const struct due *d = &u->due[at];
	bool join = d->post.kind == POST_JOIN;

	u->asked--;
	if (err == PERR_REFUSED) {
		v->out->notes |= m->error == RPC_NOSPACE ? SYNC_N_DISK_FULL : SYNC_N_LIMIT;
	} else if (m->status == RPC_STORED || m->status == RPC_ALREADY ||
	           m->status == RPC_ACCEPTED) {
		v->out->posted++;
		err = post_done(v->c, v->out->pk, d->slot, d->id, join ? NULL : v->board_digest);
		if (err != PERR_OK) {
			visit_store_failed(v, err);
			return;
		}
	} else {
		note_status(v, m->status);
	}
	if (u->asked == 0)
		visit_next(v);
}

static bool post_one(struct visit *v, uint32_t at)
{
	struct upload *u = v->upload;
	const struct post *p = &u->due[at].post;
	struct rpc_msg *m = calloc(1, sizeof *m);
	bool ok;

	if (m == NULL) {
		visit_fail(v, PERR_NOMEM, "out of memory");
		return false;
	}
	m->cell = p->cell;
	if (p->kind == POST_JOIN) {
		m->method = RPC_JOIN_PUT;
		m->ticket = p->ticket;
	} else {
		m->method = RPC_BOARD_PUT;
		m->ds = p->has_old ? p->old_ds : NULL;
	}
	ok = visit_ask(v, m, at, on_posted);
	u->asked += ok ? 1 : 0;
	free(m);
	return ok;
}

void visit_posts_start(struct visit *v)
{
	struct upload *u = upload_of(v);
	uint32_t i;
	enum perr err;

	if (u == NULL)
		return;
	u->due = calloc(POSTS_MAX, sizeof *u->due);
	if (u->due == NULL) {
		visit_fail(v, PERR_NOMEM, "out of memory");
		return;
	}
	err = post_each_due(v->c, v->out->pk, collect_due, u);
	if (err != PERR_OK) {
		visit_store_failed(v, err);
		return;
	}
	if (u->n_due == 0) {
		visit_next(v);
		return;
	}
	visit_progress(v, SYNC_POSTING, 0, u->n_due);
	for (i = 0; i < u->n_due; i++)
		if (!post_one(v, i))
			return;
}

/* ---- cells ------------------------------------------------------------------------------------ */

static void upload_more(struct upload *u);

/* durable here; a kill before only means that the server is asked again and says "already" */
static bool write_acks(struct upload *u)
{
	struct visit *v = u->v;
	unsigned whole;
	enum perr err = outbox_committed(v->c, v->out->pk, u->acks, u->n_acks, &whole);

	u->n_acks = 0;
	v->out->submissions += whole;
	if (err != PERR_OK)
		visit_store_failed(v, err);
	return err == PERR_OK;
}

static void on_commit(struct visit *v, uint32_t at, enum perr err, const struct rpc_msg *m)
{
	struct upload *u = v->upload;
	struct commit *k = &u->commits[at];
	uint32_t i;

	u->is_used[at] = false;
	u->under_way--;
	if (err == PERR_REFUSED) {
		v->out->notes |= m->error == RPC_NOSPACE ? SYNC_N_DISK_FULL : SYNC_N_LIMIT;
		u->stopped = true;
	} else if (m->bytes_len != k->n) {
		visit_fail(v, PERR_FORMAT, "the server answered for other cells than were sent");
		return;
	} else {
		for (i = 0; i < k->n; i++) {
			uint8_t s = m->bytes[i];

			note_status(v, s);
			/* "erased before" is as good as stored: whoever could erase it, did */
			if (s == RPC_STORED || s == RPC_ALREADY || s == RPC_ERASED)
				u->acks[u->n_acks++] = k->numbers[i];
			else if (s != RPC_NOT_A_CELL)
				u->stopped = true;
			v->out->uploaded += s == RPC_STORED || s == RPC_ALREADY ? 1 : 0;
		}
		u->done += k->n;
		visit_progress(v, SYNC_UPLOADING, u->done, u->total);
	}
	if (u->n_acks >= ACKS_MAX && !write_acks(u))
		return;
	upload_more(u);
}

struct filling {
	struct upload *u;
	struct commit *k;
	struct rpc_msg *m;
	bool is_past;                    /* the next one is not of this upload */
	enum perr err;
};

static enum perr send_cell(void *arg, uint64_t number, const uint8_t cell[CELL_SIZE])
{
	struct filling *f = arg;

	/* it has no decoys yet, and would show by its number how large an intake is */
	f->is_past = number / OUTBOX_GROUP_MAX > f->u->last_group;
	if (f->is_past)
		return PERR_MORE;
	f->m->method = RPC_PUT;
	f->m->cell = cell;
	f->err = peer_notify(f->u->v->p, f->m);
	if (f->err != PERR_OK)
		return f->err;
	f->k->numbers[f->k->n++] = number;
	f->u->after = number;
	return PERR_OK;
}

/* false: nothing was sent */
static bool send_commit(struct upload *u, uint32_t at)
{
	struct visit *v = u->v;
	struct filling f = { .u = u, .k = &u->commits[at], .m = calloc(1, sizeof *f.m) };
	bool ok = false;
	enum perr err;

	if (f.m == NULL) {
		visit_fail(v, PERR_NOMEM, "out of memory");
		return false;
	}
	f.k->n = 0;
	err = outbox_next(v->c, v->out->pk, u->after, v->puts_per_commit, send_cell, &f);
	if (f.err != PERR_OK) {
		visit_fail(v, f.err, "a cell could not be sent");
	} else if (err != PERR_OK && !f.is_past) {
		visit_store_failed(v, err);
	} else if (f.k->n == 0) {
		u->at_end = true;
	} else {
		memset(f.m, 0, sizeof *f.m);
		f.m->method = RPC_COMMIT;
		ok = visit_ask(v, f.m, at, on_commit);
		u->is_used[at] = ok;
		u->under_way += ok ? 1 : 0;
	}
	free(f.m);
	return ok;
}

static void upload_more(struct upload *u)
{
	struct visit *v = u->v;
	uint32_t at;

	for (at = 0; at < COMMITS && !u->at_end && !u->stopped; at++)
		if (!u->is_used[at] && !send_commit(u, at) && v->is_over)
			return;
	if (u->under_way > 0)
		return;
	if (u->n_acks > 0 && !write_acks(u))
		return;
	visit_next(v);
}

void visit_upload_start(struct visit *v)
{
	struct upload *u = upload_of(v);
	struct outbox_counts counts;
	enum perr err = PERR_OK;

	if (u == NULL)
		return;
	if (v->decoys != NULL)
		err = decoys_mix(v->c, v->decoys);
	if (err == PERR_OK)
		err = outbox_last(v->c, &u->last_group);
	if (err == PERR_OK)
		err = outbox_counts(v->c, &counts);
	if (err != PERR_OK) {
		visit_store_failed(v, err);
		return;
	}
	u->total = counts.to_send;
	if (counts.to_send > 0)
		upload_more(u);
	else
		visit_next(v);
}

void visit_upload_free(struct visit *v)
{
	if (v->upload == NULL)
		return;
	/* what was acknowledged before the connection broke is not to be sent again */
	if (v->upload->n_acks > 0 && v->store_err == PERR_OK)
		(void)write_acks(v->upload);
	free(v->upload->due);
	free(v->upload);
	v->upload = NULL;
}
