/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* quorum_kit: three administrators in a world, for the simulations of what several sign. */
#ifndef AMPARO_SIM_QUORUM_KIT_H
#define AMPARO_SIM_QUORUM_KIT_H

#include "admins_kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bring.h"
#include "handed.h"
#include "bulletin.h"
#include "enrol.h"
#include "kv_mem.h"
#include "org.h"
#include "pending.h"
#include "peer.h"
#include "policies.h"
#include "post.h"
#include "press.h"
#include "quorum.h"
#include "quorum_int.h"
#include "quorum_words.h"
#include "roster.h"
#include "steward.h"

static inline void bring(struct world *w, enum world_who who)
{
	struct bring_result r;

	OK(bring_all(of(w, who), &w->net, STEWARD_PUSH | STEWARD_ANSWERS, &r));
}

/* what `amparo sync` does for an administrator */
static inline void turn(struct world *w, enum world_who who)
{
	world_sync(w, who);
	bring(w, who);
	if (w->last.more)
		world_sync(w, who);
}

static inline void release_by(struct world *w, enum world_who who)
{
	for (unsigned i = 0; i < WORLD_SERVERS; i++) {
		struct steward_server r;

		OK(steward_visit(of(w, who), &w->net, i, STEWARD_RELEASE, &r));
	}
}

static inline void turn_all(struct world *w, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		turn(w, admins[i]);
	world_release(w);
	for (unsigned i = 0; i < n; i++)
		turn(w, admins[i]);
}

struct first {
	unsigned n;
	struct quorum_view v;
	bool any;                        /* also those that do not wait for this administrator */
};

static inline enum perr take_first(void *arg, const struct quorum_view *v)
{
	struct first *f = arg;

	if (!f->any && (v->is_mine || v->signed_here || v->refused_here || v->is_stale))
		return PERR_OK;
	if (f->n++ == 0)
		f->v = *v;
	return PERR_OK;
}

/* the proposal that waits for this administrator */
static inline struct quorum_view waiting(struct world *w, enum world_who who)
{
	struct first f = { 0 };

	OK(quorum_each(of(w, who), take_first, &f));
	assert_int_equal(f.n, 1);
	return f.v;
}

static inline unsigned n_waiting(struct world *w, enum world_who who)
{
	unsigned n;

	OK(quorum_waiting(of(w, who), &n));
	return n;
}

static inline bool sign(struct world *w, enum world_who who)
{
	struct quorum_view v = waiting(w, who);
	bool in_force;

	OK(quorum_sign(of(w, who), v.hash, &in_force));
	return in_force;
}

static inline uint32_t threshold(struct world *w, enum world_who who)
{
	return client_admins(of(w, who))->last.threshold;
}

/* the threshold is raised by two, over the servers */
static inline void raise_to(struct world *w, uint32_t k, unsigned n)
{
	OK(org_admin_threshold(of(w, ADMIN), k));
	turn(w, ADMIN);
	world_release(w);
	for (unsigned i = 1; i < n && threshold(w, admins[i - 1]) != k; i++) {
		turn(w, admins[i]);
		if (threshold(w, admins[i]) != k)
			(void)sign(w, admins[i]);
		turn(w, admins[i]);
	}
	turn_all(w, n);
	for (unsigned i = 0; i < n; i++)
		assert_int_equal(threshold(w, admins[i]), k);
}

static inline struct world *world_two_of_three(unsigned s)
{
	struct world *w = world_admins(s, 3);

	raise_to(w, 2, 3);
	return w;
}

static inline bool has_invitation(struct world *w, enum world_who who, const struct invite *inv)
{
	struct invite_keys k;

	invite_derive(&k, inv->seed);
	return roster_invitation_find(of(w, who)->admin, k.ticket) != NULL;
}

static inline bool waits(struct world *w, enum world_who who)
{
	bool is;

	OK(org_waits(of(w, who), &is));
	return is;
}

static inline unsigned n_board(struct world *w, enum world_who who)
{
	unsigned n;

	OK(post_count_due(of(w, who), &n));
	return n;
}

/* ---- a program of one's own, at the first server ------------------------------------------ */

struct raw {
	bool answered;
	enum perr err;
	enum rpc_error error;
	uint32_t total;
};

static inline void on_raw(void *ud, enum perr err, const struct rpc_msg *m)
{
	struct raw *r = ud;

	r->answered = m != NULL;
	r->err = err;
	r->error = m == NULL ? RPC_OK : m->error;
	r->total = m == NULL ? 0 : m->total;
}

/* a document in pieces on one connection, and what comes behind it; the last answer */
static inline struct raw send_all(struct world *w, const uint8_t key[32], enum rpc_method method,
                           const uint8_t name[32], const uint8_t *bytes, size_t len,
                           const struct rpc_msg *last)
{
	struct raw r = { 0 };
	struct peer *p;
	char why[200] = "";

	OK(peer_new(&p, w->s[0].pk, key, w->rng));
	for (size_t at = 0; at < len; at += 4000) {
		static struct rpc_msg m;

		memset(&m, 0, sizeof m);
		m.method = method;
		m.total = (uint32_t)len;
		m.offset = (uint32_t)at;
		m.bytes = bytes + at;
		m.bytes_len = len - at < 4000 ? len - at : 4000;
		if (name != NULL)
			memcpy(m.hash, name, 32);
		OK(peer_call(p, &m, on_raw, &r));
	}
	if (last != NULL)
		OK(peer_call(p, last, on_raw, &r));
	peer_bye(p);
	(void)!w->net.run(w->net.ctx, w->s[0].address, p, why, sizeof why);
	peer_free(p);
	return r;
}

static inline struct raw offer_order(struct world *w, enum world_who who, enum policy_order_kind kind,
                              enum rpc_method method, const enum world_who *signers, unsigned n,
                              uint32_t counter)
{
	static struct rpc_msg m;
	struct client *c = of(w, who);
	struct policy_order *o = calloc(1, sizeof *o);
	struct sign_key keys[3];
	const struct sign_key *at[3];
	uint8_t *out;
	size_t len;
	struct raw r;

	assert_non_null(o);
	memcpy(o->server_pk, w->s[0].pk, 32);
	o->counter = counter;
	o->kind = kind;
	o->day = client_day(c);
	for (unsigned s = 0; s < n; s++) {
		client_sign_key(of(w, signers[s]), &keys[s]);
		at[s] = &keys[s];
	}
	OK(policy_order_sign(&out, &len, o, at, n));
	memset(&m, 0, sizeof m);
	m.method = method;
	m.bytes = out;
	m.bytes_len = len;
	r = send_all(w, c->admin->steward_access, method, NULL, NULL, 0, &m);
	doc_free(out, len);
	free(o);
	return r;
}

#endif
