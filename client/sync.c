/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "sync.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decoys.h"
#include "duties.h"
#include "keyring.h"
#include "notices.h"
#include "outbox.h"
#include "prekeys.h"
#include "record.h"
#include "revoked.h"
#include "roster.h"
#include "seen.h"
#include "tagmap.h"
#include "visit.h"

#define CONNECTIONS_MAX 5        /* to one server in one sync: answer, guest, field, counsel */

/* what all visits of one sync share */
struct run {
	struct client *c;
	const struct sync_net *net;
	struct spool *spool;
	const struct sync_hooks *hooks;
	struct tagmap done_ids;
	struct decoys decoys;
	bool only_roster;
	bool is_old_key;                 /* the last visit ended with a roster that has another one */
};

const char *sync_note_text(unsigned note)
{
	static const char *const texts[] = {
		"it brought a newer roster",
		("it shows another bulletin under the same version, signed by the administrators: "
		 "two histories exist; speak with a holder of your desk before you go on"),
		"its bulletin is older than the one already known",
		"its bulletin does not verify",
		"its disk is full: what was not taken stays here",
		"it takes no more for now: what was not taken stays here",
		"it refused a cell for good: the cell stays here",
		"it gave other cells than it had announced",
		"its backlog was put off",
		"only the own cells were fetched, among others",
		"everything was looked through once more for missing attachments",
		("none of its slots opens for this member, and none says that the membership ended: "
		 "it may be of before your enrolment; sync again, and ask your administrator if it "
		 "stays so"),
		"it no longer shows segments that it showed before",
		"its date is more than a day from this device's",
		"its board had something new",
		"it does not know the ticket of this invitation, or has another answer to it",
		"it could not read some of its cells",
		("its roster and this one each hold changes that the other lacks; they come together "
		 "when the administrators who made them have synced"),
		"its bulletin says that you are no member any more"
	};
	unsigned i;

	for (i = 0; i < sizeof texts / sizeof texts[0]; i++)
		if ((note >> i & 1) != 0)
			return texts[i];
	return "";
}

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

/* returns the error of our own store; what the network did stands in out */
static enum perr connect_with(struct run *r, struct sync_server *out, enum rpc_scope scope,
                              const uint8_t key[32], bool only_join)
{
	struct client *c = r->c;
	struct peer *p = NULL;
	struct visit *v = NULL;
	enum perr err, net;

	out->complete = out->reached = r->is_old_key = false;
	out->err = PERR_OK;
	out->why[0] = '\0';
	err = peer_new(&p, out->pk, key, c->env.rng);
	if (err == PERR_OK)
		err = visit_new(&v, c, p, r->spool, &r->done_ids, r->hooks, out, scope, only_join);
	if (err != PERR_OK)
		goto out;
	v->decoys = &r->decoys;
	v->only_roster = r->only_roster;
	memcpy(v->access, key, 32);
	visit_start(v);
	net = r->net->run(r->net->ctx, out->address, p, out->why, sizeof out->why);
	if (!peer_done(p))
		peer_abort(p, net != PERR_OK ? net : PERR_NET);
	r->is_old_key = v->is_old_key;
	err = visit_end(v);
	if (out->complete) {
		out->err = PERR_OK;
		out->why[0] = '\0';
	} else if (out->why[0] == '\0') {
		snprintf(out->why, sizeof out->why, "%s", why_text(out->err, out->reached));
	}
out:
	peer_free(p);
	return err;
}

static bool not_let_in(const struct sync_server *out)
{
	return !out->complete && !out->reached && out->err == PERR_AUTH;
}

/*
 * With keys number `from` up to `to` of the scope's (keyring.h), one after the other until the
 * server lets one in.
 */
static enum perr connect_any(struct run *r, struct sync_server *out, enum rpc_scope scope,
                             size_t from, size_t to, bool only_join)
{
	struct keyring *k = sodium_malloc(sizeof *k);
	enum perr err = k == NULL ? PERR_NOMEM : keyring_of(r->c, scope, k);

	if (err == PERR_OK && from == 0 && k->n == 0) {
		out->complete = out->reached = false;
		out->err = PERR_NOTFOUND;
		snprintf(out->why, sizeof out->why, "no key for it is known here");
	}
	for (size_t i = from; err == PERR_OK && i < to && i < k->n; i++) {
		err = connect_with(r, out, scope, k->at[i], only_join);
		if (!not_let_in(out))
			break;
	}
	if (k != NULL)
		keyring_wipe(k);
	sodium_free(k);
	return err;
}

/* ---- one server ------------------------------------------------------------------------------- */

static enum perr is_join(void *arg, const char *slot, const struct post *p)
{
	(void)slot;
	if (p->kind == POST_JOIN)
		*(bool *)arg = true;
	return PERR_OK;
}

/* the connections of sync.h, in their order */
static enum perr visit_server(struct run *r, struct sync_server *out)
{
	struct client *c = r->c;
	enum rpc_scope scope;
	bool join_due = false;
	uint32_t since;
	unsigned n;
	enum perr err = PERR_OK;

	if (c->me->state == CLIENT_JOINING)
		err = post_each_due(c, out->pk, is_join, &join_due);
	if (err == PERR_OK && join_due) {
		err = connect_any(r, out, RPC_GUEST, 0, KEYRING_MAX, true);
		if (err != PERR_OK || (!out->complete && out->err != PERR_AUTH))
			return err;
	}
	for (n = 0; err == PERR_OK && n < CONNECTIONS_MAX; n++) {
		unsigned before = out->notes & SYNC_N_ROSTER_NEW;
		bool is_new;

		/* who was told to leave looks, as a guest, whether that still stands */
		if (err == PERR_OK)
			err = revoked_since(c, &since);
		if (err != PERR_OK)
			break;
		scope = since > 0 ? RPC_GUEST : best_scope(c);
		err = connect_any(r, out, scope, 0, scope == RPC_GUEST ? KEYRING_MAX : 1, false);
		if (err != PERR_OK)
			break;
		if (out->complete && (r->is_old_key || (best_scope(c) > scope &&
		    (since == 0 || (out->notes & SYNC_N_ROSTER_NEW) != 0))))
			continue;        /* the roster that came opens more, or with another key */
		if (!not_let_in(out) || scope == RPC_GUEST)
			break;
		/* it does not know our key: guests still reach the bulletin, and the new key */
		out->notes &= ~(unsigned)SYNC_N_ROSTER_NEW;
		err = connect_any(r, out, RPC_GUEST, 0, KEYRING_MAX, false);
		is_new = (out->notes & SYNC_N_ROSTER_NEW) != 0;
		out->notes |= before;
		if (err != PERR_OK || is_new || (out->notes & SYNC_N_REVOKED) != 0 ||
		    (!out->complete && !not_let_in(out))) {
			if (err == PERR_OK && is_new)
				continue;
			break;
		}
		/* it has nothing newer: then it is the one that was away, and knows an older key */
		err = connect_any(r, out, scope, 1, KEYRING_MAX, false);
		if (err == PERR_OK && out->complete && (r->is_old_key || best_scope(c) > scope))
			continue;
		break;
	}
	/* a guest's visit is none, for whoever holds more */
	if (err == PERR_OK && out->complete && best_scope(c) > RPC_GUEST &&
	    (out->scope == RPC_GUEST || (out->notes & SYNC_N_REVOKED) != 0)) {
		out->complete = false;
		out->err = PERR_AUTH;
		snprintf(out->why, sizeof out->why, (out->notes & SYNC_N_REVOKED) != 0
		         ? "it does not let you in: you are no member any more"
		         : "it does not know this member's keys, and has no newer ones");
	}
	return err;
}

static enum perr note_failure(struct run *r, const struct sync_server *out)
{
	struct seen s;
	enum perr err;

	if (out->reached || out->complete)
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

/* ---- all servers ------------------------------------------------------------------------------ */

static enum perr run_begin(struct run *r, struct client *c, const struct sync_net *net,
                           struct spool *spool, const struct sync_hooks *hooks)
{
	enum perr err;

	memset(r, 0, sizeof *r);
	if (c->me->state == CLIENT_NOBODY)
		return PERR_STATE;
	r->c = c;
	r->net = net;
	r->spool = spool;
	r->hooks = hooks;
	err = tagmap_init(&r->done_ids);
	if (err == PERR_OK && prekeys_needed(c)) {
		err = prekeys_renew(c, false, NULL);
		if (err == PERR_OK)
			err = prekeys_repost(c);
	}
	if (err == PERR_OK)
		err = decoys_make(c, &r->decoys);
	return err;
}

static void run_end(struct run *r)
{
	tagmap_free(&r->done_ids);
	decoys_free(&r->decoys);
}

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

/*
 * Until every server was visited under the newest roster: one that came from the second
 * server may name a third, or have given this member something to put on the first.
 */
static enum perr visit_all(struct run *r, struct sync_summary *s)
{
	uint8_t under[SYNC_SERVERS_MAX][32];
	bool visited[SYNC_SERVERS_MAX] = { false };
	unsigned i, pass;
	enum perr err = PERR_OK;

	for (pass = 0; err == PERR_OK && pass < 3; pass++) {
		add_roster(r->c, s);
		for (i = 0; err == PERR_OK && i < s->n_servers; i++) {
			struct sync_server *out = &s->servers[i];

			if (visited[i] && (!out->reached ||
			                   memcmp(under[i], r->c->header_hash, 32) == 0))
				continue;
			if (!is_in_roster(r->c, out->pk))
				continue;
			err = visit_server(r, out);
			if (err == PERR_OK)
				err = note_failure(r, out);
			visited[i] = true;
			memcpy(under[i], r->c->header_hash, 32);
		}
	}
	return err;
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

enum perr sync_all(struct client *c, const struct sync_net *net, struct spool *spool,
                   const struct sync_hooks *hooks, struct sync_summary *summary)
{
	struct run r;
	enum perr err;

	memset(summary, 0, sizeof *summary);
	err = run_begin(&r, c, net, spool, hooks);
	if (err == PERR_OK) {
		add_roster(c, summary);
		err = order(c, summary);
	}
	if (err == PERR_OK)
		err = visit_all(&r, summary);
	leave_out_dropped(c, summary);
	if (err == PERR_OK)
		err = sum_up(c, summary);
	if (err == PERR_OK)
		err = duties(c, summary);
	run_end(&r);
	if (err == PERR_OK && summary->n_complete == 0)
		err = summary->n_servers > 0 && summary->servers[0].err != PERR_OK
		    ? summary->servers[0].err : PERR_NET;
	return err;
}

enum perr sync_one(struct client *c, const struct sync_net *net, struct spool *spool,
                   const struct sync_hooks *hooks, const char *address,
                   const uint8_t server_pk[32], struct sync_server *result)
{
	struct run r;
	enum perr err;

	memset(result, 0, sizeof *result);
	memcpy(result->pk, server_pk, 32);
	snprintf(result->address, sizeof result->address, "%s", address);
	err = run_begin(&r, c, net, spool, hooks);
	if (err == PERR_OK)
		err = visit_server(&r, result);
	if (err == PERR_OK)
		err = note_failure(&r, result);
	run_end(&r);
	if (err == PERR_OK && !result->complete)
		err = result->err != PERR_OK ? result->err : PERR_NET;
	return err;
}

enum perr sync_roster(struct client *c, const struct sync_net *net, const char *address,
                      const uint8_t server_pk[32], struct sync_server *result)
{
	struct run r = { .c = c, .net = net, .only_roster = true };
	enum perr err;

	memset(result, 0, sizeof *result);
	memcpy(result->pk, server_pk, 32);
	snprintf(result->address, sizeof result->address, "%s", address);
	if (c->me->state == CLIENT_NOBODY)
		return PERR_STATE;
	err = tagmap_init(&r.done_ids);
	if (err == PERR_OK)
		err = visit_server(&r, result);
	tagmap_free(&r.done_ids);
	if (err == PERR_OK && !result->complete)
		err = result->err != PERR_OK ? result->err : PERR_NET;
	return err;
}

enum perr sync_scanned_through(struct client *c, uint32_t *day)
{
	uint32_t i, least = UINT32_MAX;

	*day = 0;
	for (i = 0; c->field != NULL && i < c->field->n_servers; i++) {
		struct seen s;
		enum perr err = seen_load(c, c->field->servers[i].pk, &s);

		if (err != PERR_OK)
			return err;
		least = s.scanned_through < least ? s.scanned_through : least;
	}
	*day = least == UINT32_MAX ? 0 : least;
	return PERR_OK;
}
