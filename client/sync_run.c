/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "sync_run.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decoys.h"
#include "duties.h"
#include "keyring.h"
#include "notices.h"
#include "outbox.h"
#include "post.h"
#include "prekeys.h"
#include "record.h"
#include "record_blobs.h"
#include "revoked.h"
#include "roster.h"
#include "seen.h"
#include "tagmap.h"
#include "visit.h"

#define CONNECTIONS_MAX 5        /* to one server in one sync: answer, guest, field, counsel */
#define PASSES          3        /* over the servers, as newer rosters come */

/* for what connections are opened to the server of now, with one key after the other */
enum stage {
	STAGE_JOIN,                      /* to put the answer to an invitation */
	STAGE_BEST,                      /* with the highest scope */
	STAGE_GUEST,                     /* it does not know that key: the bulletin */
	STAGE_OLDER                      /* it has none newer: older keys */
};

enum goal { GOAL_ALL, GOAL_ONE, GOAL_ROSTER };

struct sync_run {
	struct client *c;
	struct spool *spool;
	const struct sync_hooks *hooks;
	enum goal goal;
	struct tagmap done_ids;          /* what all visits of one sync share */
	struct decoys decoys;
	enum perr err;                   /* of our own store: final */
	bool is_done;
	/* all servers; where things stand in the summary */
	struct sync_summary sum;
	uint8_t under[SYNC_SERVERS_MAX][32];     /* the roster under which it was visited */
	bool visited[SYNC_SERVERS_MAX];
	unsigned pass, at;
	/* the server of now; NULL between two */
	struct sync_server *out, *last;
	enum stage stage;
	enum rpc_scope scope, best;      /* of this stage; of STAGE_BEST */
	uint32_t since;                  /* revoked.h */
	unsigned n_begun;                /* times that it began with the highest scope */
	unsigned before;                 /* the note of a new roster, from before a stage */
	bool is_old_key;                 /* the last visit ended with a roster that has another one */
	/* the keys of the stage, and which of them is next */
	struct keyring *keys;
	size_t key_at, key_end;
	/* the connection of now */
	struct peer *peer;
	struct visit *visit;
};

static const char *why_text(enum perr err, bool reached)
{
	if (err == PERR_AUTH && !reached)
		return "it does not know this device's key, or it is another server";
	if (err == PERR_TRUNCATED)
		return "the connection broke in the middle";
	if (err == PERR_FORMAT)
		return "it sent something that is not of the protocol";
	return perr_text(err);
}

/* ---- one connection --------------------------------------------------------------------------- */

static enum rpc_scope best_scope(const struct client *c)
{
	uint8_t key[32];
	enum rpc_scope s = RPC_GUEST;

	if (client_access(c, RPC_COUNSEL, key) == PERR_OK)
		s = RPC_COUNSEL;
	else if (client_access(c, RPC_FIELD, key) == PERR_OK)
		s = RPC_FIELD;
	sodium_memzero(key, sizeof key);
	return s;
}

static bool not_let_in(const struct sync_server *out)
{
	return !out->complete && !out->reached && out->err == PERR_AUTH;
}

static enum perr connection_open(struct sync_run *r, const uint8_t key[32])
{
	struct sync_server *out = r->out;
	enum perr err;

	out->complete = out->reached = r->is_old_key = false;
	out->err = PERR_OK;
	out->why[0] = '\0';
	err = peer_new(&r->peer, out->pk, key, r->c->env.rng);
	if (err == PERR_OK)
		err = visit_new(&r->visit, r->c, r->peer, r->spool, &r->done_ids, r->hooks, out,
		                r->scope, r->stage == STAGE_JOIN);
	if (err != PERR_OK) {
		peer_free(r->peer);
		r->peer = NULL;
		return err;
	}
	r->visit->decoys = &r->decoys;
	r->visit->only_roster = r->goal == GOAL_ROSTER;
	memcpy(r->visit->access, key, 32);
	visit_start(r->visit);
	return PERR_OK;
}

void sync_run_over(struct sync_run *r, enum perr net, const char *why)
{
	struct sync_server *out = r->out;
	enum perr err;

	if (r->peer == NULL)
		return;
	if (why != NULL && out->why[0] == '\0')
		snprintf(out->why, sizeof out->why, "%s", why);
	if (!peer_done(r->peer))
		peer_abort(r->peer, net != PERR_OK ? net : PERR_NET);
	r->is_old_key = r->visit->is_old_key;
	err = visit_end(r->visit);
	peer_free(r->peer);
	r->visit = NULL;
	r->peer = NULL;
	if (out->complete) {
		out->err = PERR_OK;
		out->why[0] = '\0';
	} else if (out->why[0] == '\0') {
		snprintf(out->why, sizeof out->why, "%s", why_text(out->err, out->reached));
	}
	if (r->err == PERR_OK)
		r->err = err;
	/* the other keys are for a server that let nobody in with this one */
	if (!not_let_in(out))
		r->key_at = r->key_end;
}

/* ---- one server ------------------------------------------------------------------------------- */

/*
 * With keys number `from` up to `to` of the scope's (keyring.h), one after the other until the
 * server lets one in.
 */
static enum perr stage_begin(struct sync_run *r, enum stage stage, enum rpc_scope scope,
                             size_t from, size_t to)
{
	enum perr err = keyring_of(r->c, scope, r->keys);

	if (err != PERR_OK)
		return err;
	r->stage = stage;
	r->scope = scope;
	r->key_at = from;
	r->key_end = to < r->keys->n ? to : r->keys->n;
	if (from == 0 && r->keys->n == 0) {
		r->out->complete = r->out->reached = false;
		r->out->err = PERR_NOTFOUND;
		snprintf(r->out->why, sizeof r->out->why, "no key for it is known here");
	}
	return PERR_OK;
}

static enum perr is_join(void *arg, const char *slot, const struct post *p)
{
	(void)slot;
	if (p->kind == POST_JOIN)
		*(bool *)arg = true;
	return PERR_OK;
}

static enum perr note_failure(struct sync_run *r)
{
	const struct sync_server *out = r->out;
	struct seen s;
	enum perr err;

	if (r->goal == GOAL_ROSTER || out->reached || out->complete)
		return PERR_OK;
	err = seen_load(r->c, out->pk, &s);
	if (err != PERR_OK)
		return err;
	s.failures += s.failures < 1000 ? 1 : 0;
	err = kv_begin(r->c->kv);
	if (err == PERR_OK)
		err = seen_save(r->c, out->pk, &s);
	if (err == PERR_OK)
		err = kv_commit(r->c->kv);
	kv_abort(r->c->kv);
	return err;
}

static enum perr server_leave(struct sync_run *r)
{
	struct sync_server *out = r->out;
	enum perr err;

	/* a guest's visit is none, for whoever holds more */
	if (out->complete && best_scope(r->c) > RPC_GUEST &&
	    (out->scope == RPC_GUEST || (out->notes & SYNC_N_REVOKED) != 0)) {
		out->complete = false;
		out->err = PERR_AUTH;
		snprintf(out->why, sizeof out->why, (out->notes & SYNC_N_REVOKED) != 0
		         ? "it does not let you in: you are no member any more"
		         : "it does not know this member's keys, and has no newer ones");
	}
	err = note_failure(r);
	if (r->goal == GOAL_ALL) {
		r->visited[r->at] = true;
		memcpy(r->under[r->at], r->c->header_hash, 32);
		r->at++;
	} else {
		r->is_done = true;
	}
	r->out = NULL;
	return err;
}

/* with the highest scope; the roster may have come to open another one since */
static enum perr begin_best(struct sync_run *r)
{
	enum perr err;

	if (r->n_begun++ == CONNECTIONS_MAX)
		return server_leave(r);
	r->before = r->out->notes & SYNC_N_ROSTER_NEW;
	/* who was told to leave looks, as a guest, whether that still stands */
	err = revoked_since(r->c, &r->since);
	if (err != PERR_OK)
		return err;
	r->best = r->since > 0 ? RPC_GUEST : best_scope(r->c);
	return stage_begin(r, STAGE_BEST, r->best, 0, r->best == RPC_GUEST ? KEYRING_MAX : 1);
}

static enum perr server_begin(struct sync_run *r, struct sync_server *out)
{
	bool join_due = false;
	enum perr err = PERR_OK;

	r->out = r->last = out;
	r->n_begun = 0;
	if (r->c->me->state == CLIENT_JOINING)
		err = post_each_due(r->c, out->pk, is_join, &join_due);
	if (err != PERR_OK)
		return err;
	return join_due ? stage_begin(r, STAGE_JOIN, RPC_GUEST, 0, KEYRING_MAX) : begin_best(r);
}

/* after STAGE_BEST: which of the connections of sync.h is next */
static enum perr after_best(struct sync_run *r)
{
	struct sync_server *out = r->out;

	if (out->complete && (r->is_old_key || (best_scope(r->c) > r->scope &&
	    (r->since == 0 || (out->notes & SYNC_N_ROSTER_NEW) != 0))))
		return begin_best(r);    /* the roster that came opens more, or with another key */
	if (!not_let_in(out) || r->scope == RPC_GUEST)
		return server_leave(r);
	/* it does not know our key: guests still reach the bulletin, and the new key */
	out->notes &= ~(unsigned)SYNC_N_ROSTER_NEW;
	return stage_begin(r, STAGE_GUEST, RPC_GUEST, 0, KEYRING_MAX);
}

static enum perr after_guest(struct sync_run *r)
{
	struct sync_server *out = r->out;
	bool is_new = (out->notes & SYNC_N_ROSTER_NEW) != 0;

	out->notes |= r->before;
	if (is_new)
		return begin_best(r);
	if ((out->notes & SYNC_N_REVOKED) != 0 || (!out->complete && !not_let_in(out)))
		return server_leave(r);
	/* it has nothing newer: then it is the one that was away, and knows an older key */
	return stage_begin(r, STAGE_OLDER, r->best, 1, KEYRING_MAX);
}

static enum perr stage_end(struct sync_run *r)
{
	struct sync_server *out = r->out;

	switch (r->stage) {
	case STAGE_JOIN:
		return !out->complete && out->err != PERR_AUTH ? server_leave(r) : begin_best(r);
	case STAGE_BEST:
		return after_best(r);
	case STAGE_GUEST:
		return after_guest(r);
	case STAGE_OLDER:
		return out->complete && (r->is_old_key || best_scope(r->c) > r->scope)
		     ? begin_best(r) : server_leave(r);
	}
	return PERR_STATE;
}

/* ---- all servers ------------------------------------------------------------------------------ */

static struct sync_server *add_server(struct sync_summary *s, const char *address,
                                      const uint8_t pk[32])
{
	struct sync_server *out;
	unsigned i;

	for (i = 0; i < s->n_servers; i++)
		if (memcmp(s->servers[i].pk, pk, 32) == 0)
			return &s->servers[i];
	if (s->n_servers == SYNC_SERVERS_MAX)
		return NULL;
	out = &s->servers[s->n_servers++];
	memcpy(out->pk, pk, 32);
	snprintf(out->address, sizeof out->address, "%s", address);
	return out;
}

/* the servers of the roster as it is now; those already in the summary keep their place */
static void add_roster(const struct client *c, struct sync_summary *s)
{
	uint32_t i;

	for (i = 0; c->field != NULL && i < c->field->n_servers; i++)
		(void)add_server(s, c->field->servers[i].address, c->field->servers[i].pk);
	if (c->field == NULL)
		(void)add_server(s, c->me->first_address, c->me->first_server_pk);
}

/* those that did not answer last time come last: their time limits make nobody wait */
static enum perr order(struct client *c, struct sync_summary *s)
{
	struct sync_server sorted[SYNC_SERVERS_MAX];
	unsigned i, n = 0;
	int late;

	for (late = 0; late < 2; late++) {
		for (i = 0; i < s->n_servers; i++) {
			struct seen seen;
			enum perr err = seen_load(c, s->servers[i].pk, &seen);

			if (err != PERR_OK)
				return err;
			if ((seen.failures > 0) == (late == 1))
				sorted[n++] = s->servers[i];
		}
	}
	memcpy(s->servers, sorted, n * sizeof sorted[0]);
	return PERR_OK;
}

static bool is_in_roster(const struct client *c, const uint8_t pk[32])
{
	uint32_t i;

	if (c->field == NULL)
		return true;
	for (i = 0; i < c->field->n_servers; i++)
		if (memcmp(c->field->servers[i].pk, pk, 32) == 0)
			return true;
	return false;
}

/* one that the roster which came meanwhile no longer names: nobody has to go there again */
static void leave_out_dropped(const struct client *c, struct sync_summary *s)
{
	unsigned i, n = 0;

	for (i = 0; i < s->n_servers; i++)
		if (s->servers[i].complete || is_in_roster(c, s->servers[i].pk))
			s->servers[n++] = s->servers[i];
	s->n_servers = n;
}

static enum perr count_want(void *arg, const struct want *w)
{
	(void)w;
	(*(unsigned *)arg)++;
	return PERR_OK;
}

static enum perr count_alarm(void *arg, const struct notices_alarm *a)
{
	(void)a;
	(*(unsigned *)arg)++;
	return PERR_OK;
}

static enum perr sum_up(struct client *c, struct sync_summary *s)
{
	struct outbox_counts counts;
	unsigned i;
	enum perr err = outbox_counts(c, &counts);

	s->waiting = counts.cells;
	s->to_send = counts.to_send;
	s->submissions = counts.submissions;
	for (i = 0; i < s->n_servers; i++) {
		s->n_complete += s->servers[i].complete ? 1 : 0;
		s->roster_new |= (s->servers[i].notes & SYNC_N_ROSTER_NEW) != 0;
		s->fresh += s->servers[i].taken.fresh + s->servers[i].taken.pending;
	}
	if (err == PERR_OK)
		err = record_wants(c, count_want, &s->wants);
	if (err == PERR_OK)
		err = notices_alarms(c, count_alarm, &s->alarms);
	return err;
}

static enum perr duties(struct client *c, struct sync_summary *s)
{
	struct duties_sync d = {
		.all_complete = s->n_complete == s->n_servers, .any_complete = s->n_complete > 0,
		.fresh = s->fresh
	};
	enum perr err = sync_scanned_through(c, &d.scanned_through);

	for (unsigned i = 0; i < s->n_servers; i++)
		d.told += s->servers[i].taken.told;

	return err == PERR_OK ? duties_run(c, &d, &s->more) : err;
}

static enum perr run_end(struct sync_run *r)
{
	enum perr err;

	leave_out_dropped(r->c, &r->sum);
	err = sum_up(r->c, &r->sum);
	return err == PERR_OK ? duties(r->c, &r->sum) : err;
}

/*
 * Until every server was visited under the newest roster: one that came from the second
 * server may name a third, or have given this member something to put on the first.
 */
static enum perr next_server(struct sync_run *r)
{
	for (; r->pass < PASSES; r->pass++, r->at = 0) {
		if (r->at == 0)
			add_roster(r->c, &r->sum);
		for (; r->at < r->sum.n_servers; r->at++) {
			struct sync_server *out = &r->sum.servers[r->at];

			if (r->visited[r->at] && (!out->reached ||
			                          memcmp(r->under[r->at], r->c->header_hash, 32) == 0))
				continue;
			if (is_in_roster(r->c, out->pk))
				return server_begin(r, out);
		}
	}
	r->is_done = true;
	r->last = NULL;
	return run_end(r);
}

enum perr sync_run_next(struct sync_run *r, struct sync_want *want)
{
	*want = (struct sync_want){ .peer = NULL };
	while (r->err == PERR_OK && !r->is_done && r->peer == NULL) {
		if (r->out == NULL)
			r->err = next_server(r);
		else if (r->key_at < r->key_end)
			r->err = connection_open(r, r->keys->at[r->key_at++]);
		else
			r->err = stage_end(r);
	}
	if (r->err == PERR_OK && r->peer != NULL)
		*want = (struct sync_want){ r->out->address, r->out->pk, r->peer };
	return r->err;
}

struct peer *sync_run_peer(const struct sync_run *r)
{
	return r->peer;
}

const struct sync_server *sync_run_server(const struct sync_run *r)
{
	return r->last;
}

enum perr sync_run_summary(const struct sync_run *r, struct sync_summary *out)
{
	*out = r->sum;
	if (r->err != PERR_OK)
		return r->err;
	if (!r->is_done)
		return PERR_MORE;
	if (r->goal == GOAL_ALL ? r->sum.n_complete > 0 : r->sum.servers[0].complete)
		return PERR_OK;
	return r->sum.n_servers > 0 && r->sum.servers[0].err != PERR_OK
	     ? r->sum.servers[0].err : PERR_NET;
}

/* ---- beginning and end ------------------------------------------------------------------------ */

static enum perr run_new(struct sync_run **out, struct client *c, struct spool *spool,
                         const struct sync_hooks *hooks, enum goal goal)
{
	struct sync_run *r;
	enum perr err = PERR_NOMEM;

	*out = NULL;
	if (c->me->state == CLIENT_NOBODY)
		return PERR_STATE;
	r = calloc(1, sizeof *r);
	if (r == NULL)
		return err;
	r->c = c;
	r->spool = spool;
	r->hooks = hooks;
	r->goal = goal;
	r->keys = sodium_malloc(sizeof *r->keys);
	if (r->keys != NULL) {
		memset(r->keys, 0, sizeof *r->keys);
		err = tagmap_init(&r->done_ids);
	}
	/* whoever only looks at a roster sends nothing */
	if (err == PERR_OK && goal != GOAL_ROSTER && prekeys_needed(c)) {
		err = prekeys_renew(c, false, NULL);
		if (err == PERR_OK)
			err = prekeys_repost(c);
	}
	if (err == PERR_OK && goal != GOAL_ROSTER)
		err = decoys_make(c, &r->decoys);
	if (err == PERR_OK)
		*out = r;
	else
		sync_run_free(r);
	return err;
}

enum perr sync_run_new(struct sync_run **out, struct client *c, struct spool *spool,
                       const struct sync_hooks *hooks)
{
	struct sync_run *r;
	enum perr err = run_new(&r, c, spool, hooks, GOAL_ALL);

	*out = NULL;
	if (err != PERR_OK)
		return err;
	add_roster(c, &r->sum);
	err = order(c, &r->sum);
	if (err == PERR_OK)
		*out = r;
	else
		sync_run_free(r);
	return err;
}

static enum perr new_one(struct sync_run **out, struct client *c, struct spool *spool,
                         const struct sync_hooks *hooks, enum goal goal, const char *address,
                         const uint8_t server_pk[32])
{
	struct sync_run *r;
	enum perr err = run_new(&r, c, spool, hooks, goal);

	*out = NULL;
	if (err != PERR_OK)
		return err;
	err = server_begin(r, add_server(&r->sum, address, server_pk));
	if (err == PERR_OK)
		*out = r;
	else
		sync_run_free(r);
	return err;
}

enum perr sync_run_new_one(struct sync_run **out, struct client *c, struct spool *spool,
                           const struct sync_hooks *hooks, const char *address,
                           const uint8_t server_pk[32])
{
	return new_one(out, c, spool, hooks, GOAL_ONE, address, server_pk);
}

enum perr sync_run_new_roster(struct sync_run **out, struct client *c, const char *address,
                              const uint8_t server_pk[32])
{
	return new_one(out, c, NULL, NULL, GOAL_ROSTER, address, server_pk);
}

void sync_run_free(struct sync_run *r)
{
	if (r == NULL)
		return;
	sync_run_over(r, PERR_STATE, NULL);
	if (r->keys != NULL)
		keyring_wipe(r->keys);
	sodium_free(r->keys);
	tagmap_free(&r->done_ids);
	decoys_free(&r->decoys);
	free(r);
}
