/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "visit.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fetch.h"

enum perr visit_new(struct visit **out, struct client *c, struct peer *p, struct spool *spool,
                    struct tagmap *done_ids, const struct sync_hooks *hooks, struct sync_server *result,
                    enum rpc_scope scope, bool only_join)
{
	struct visit *v = calloc(1, sizeof *v);
	enum perr err;

	*out = NULL;
	if (v == NULL)
		return PERR_NOMEM;
	v->c = c;
	v->p = p;
	v->spool = spool;
	v->done_ids = done_ids;
	v->hooks = hooks;
	v->out = result;
	v->scope = scope;
	v->only_join = only_join;
	result->scope = scope;
	err = seen_load(c, result->pk, &v->seen);
	if (err != PERR_OK) {
		free(v);
		return err;
	}
	*out = v;
	return PERR_OK;
}

/* ---- ends ----------------------------------------------------------------------------------- */

void visit_fail(struct visit *v, enum perr err, const char *why)
{
	if (v->is_over)
		return;
	v->is_over = true;
	v->out->err = err;
	if (v->out->why[0] == '\0' && why != NULL)
		snprintf(v->out->why, sizeof v->out->why, "%s", why);
	peer_bye(v->p);
}

void visit_store_failed(struct visit *v, enum perr err)
{
	v->store_err = err;
	visit_fail(v, err, "this device's own store failed");
}

bool visit_alive(struct visit *v, enum perr err)
{
	if (v->is_over)
		return false;
	if (err == PERR_OK || err == PERR_REFUSED)
		return true;
	v->is_over = true;
	v->out->err = err;
	return false;
}

void visit_progress(struct visit *v, enum sync_phase phase, uint64_t done, uint64_t total)
{
	struct sync_progress p = {
		.phase = phase, .address = v->out->address, .done = done, .total = total,
		.bytes = peer_bytes_in(v->p) + peer_bytes_out(v->p)
	};

	if (v->hooks != NULL && v->hooks->progress != NULL)
		v->hooks->progress(v->hooks->ctx, &p);
}

enum perr visit_save_seen(struct visit *v)
{
	enum perr err = kv_begin(v->c->kv);

	if (err == PERR_OK)
		err = seen_save(v->c, v->out->pk, &v->seen);
	if (err == PERR_OK)
		err = kv_commit(v->c->kv);
	kv_abort(v->c->kv);
	return err;
}

struct asked {
	struct visit *v;
	uint32_t at;
	visit_fn *fn;
};

static void on_answer(void *ud, enum perr err, const struct rpc_msg *m)
{
	struct asked a = *(struct asked *)ud;

	free(ud);
	if (visit_alive(a.v, err))
		a.fn(a.v, a.at, err, m);
}

bool visit_ask(struct visit *v, const struct rpc_msg *m, uint32_t at, visit_fn *fn)
{
	struct asked *a;
	enum perr err = PERR_NOMEM;

	if (v->is_over)
		return false;
	a = malloc(sizeof *a);
	if (a != NULL) {
		*a = (struct asked){ .v = v, .at = at, .fn = fn };
		err = peer_call(v->p, m, on_answer, a);
	}
	if (err != PERR_OK) {
		free(a);
		visit_fail(v, err, "a request could not be made");
	}
	return err == PERR_OK;
}

/* ---- hello ---------------------------------------------------------------------------------- */

static void on_hello(struct visit *v, uint32_t at, enum perr err, const struct rpc_msg *m)
{
	int64_t device;

	(void)at;
	if (err == PERR_REFUSED) {
		visit_fail(v, err, "the server refused to say hello");
		return;
	}
	v->out->reached = true;
	v->day = m->hello.day;
	v->bulletin_version = m->hello.bulletin_version;
	memcpy(v->header_hash, m->hello.header_hash, 32);
	memcpy(v->board_digest, m->hello.board_digest, 32);
	v->has_newest = m->hello.has_newest;
	v->newest_day = m->hello.newest_day;
	v->newest_release = m->hello.newest_release;
	v->puts_per_commit = m->hello.puts_per_commit;
	if (v->puts_per_commit == 0 || v->puts_per_commit > RPC_BATCH)
		v->puts_per_commit = RPC_BATCH;
	device = v->c->env.now(v->c->env.ctx) / 86400;
	if (device > (int64_t)v->day + 1 || device + 1 < (int64_t)v->day)
		v->out->notes |= SYNC_N_CLOCK;
	err = client_saw_day(v->c, v->day);
	if (err != PERR_OK) {
		visit_store_failed(v, err);
		return;
	}
	visit_next(v);
}

void visit_start(struct visit *v)
{
	struct rpc_msg *m = calloc(1, sizeof *m);

	if (m == NULL) {
		visit_fail(v, PERR_NOMEM, "out of memory");
		return;
	}
	m->method = RPC_HELLO;
	visit_progress(v, SYNC_CONNECTING, 0, 0);
	(void)visit_ask(v, m, 0, on_hello);
	free(m);
}

/* ---- the chain of steps ---------------------------------------------------------------------- */

static void leave(struct visit *v)
{
	bool failed_before = v->seen.failures > 0;

	v->seen.failures = 0;
	v->is_over = true;
	v->out->complete = true;
	peer_bye(v->p);
	/* nothing to write in the common case that nothing changed */
	if (failed_before) {
		enum perr err = visit_save_seen(v);

		if (err != PERR_OK)
			v->store_err = v->out->err = err;
	}
}

void visit_next(struct visit *v)
{
	if (v->is_over)
		return;
	v->step++;
	if (v->only_join && v->step == VISIT_BULLETIN)
		v->step = VISIT_POSTS;
	if (v->only_roster && v->step == VISIT_BOARD)
		v->step = VISIT_BYE;
	if (v->scope == RPC_GUEST && v->step == VISIT_BOARD)
		v->step = v->only_join ? VISIT_POSTS : VISIT_BYE;
	if (v->scope == RPC_GUEST && v->step == VISIT_UPLOAD)
		v->step = VISIT_BYE;
	if (v->scope == RPC_FIELD && v->step == VISIT_POSTS)
		v->step++;
	if (v->scope == RPC_FIELD && v->step == VISIT_DOWNLOAD)
		v->step = VISIT_BYE;
	switch (v->step) {
	case VISIT_HELLO:
		return;
	case VISIT_BULLETIN:
		visit_bulletin_start(v);
		return;
	case VISIT_FORMS:
		visit_forms_start(v);
		return;
	case VISIT_BOARD:
		visit_board_start(v);
		return;
	case VISIT_POSTS:
		visit_posts_start(v);
		return;
	case VISIT_UPLOAD:
		visit_upload_start(v);
		return;
	case VISIT_DOWNLOAD:
		fetch_start(v);
		return;
	case VISIT_ERASE:
		visit_erase_start(v);
		return;
	case VISIT_BYE:
		leave(v);
		return;
	}
}

enum perr visit_end(struct visit *v)
{
	enum perr err;

	if (v == NULL)
		return PERR_OK;
	/* the connection ended before the steps did */
	if (!v->is_over && v->out->err == PERR_OK)
		v->out->err = peer_error(v->p) != PERR_OK ? peer_error(v->p) : PERR_NET;
	v->out->bytes_in += peer_bytes_in(v->p);
	v->out->bytes_out += peer_bytes_out(v->p);
	v->out->round_trips += peer_round_trips(v->p) + 1;       /* TCP's own */
	visit_bulletin_free(v);
	visit_board_free(v);
	visit_upload_free(v);
	fetch_free(v);
	visit_erase_free(v);
	err = v->store_err;
	sodium_memzero(v->access, sizeof v->access);
	free(v);
	return err;
}
