/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Several administrators sign: a change stands nowhere before enough of them have, whoever
 * signs last publishes, one seized vault publishes nothing, and a client that was away checks
 * the newest roster alone.
 */
#include "world.h"

#include <sodium.h>
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

#define OK(call) assert_int_equal((call), PERR_OK)
#define SECOND COUNSEL
#define THIRD  HOLDER1

static unsigned seed = 1;

static const enum world_who admins[3] = { ADMIN, SECOND, THIRD };

static struct client *of(struct world *w, enum world_who who)
{
	return w->p[who].c;
}

static void bring(struct world *w, enum world_who who)
{
	struct bring_result r;

	OK(bring_all(of(w, who), &w->net, STEWARD_PUSH | STEWARD_ANSWERS, &r));
}

/* what `amparo sync` does for an administrator */
static void turn(struct world *w, enum world_who who)
{
	world_sync(w, who);
	bring(w, who);
	if (w->last.more)
		world_sync(w, who);
}

static void release_by(struct world *w, enum world_who who)
{
	for (unsigned i = 0; i < WORLD_SERVERS; i++) {
		struct steward_server r;

		OK(steward_visit(of(w, who), &w->net, i, STEWARD_RELEASE, &r));
	}
}

static void turn_all(struct world *w, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		turn(w, admins[i]);
	world_release(w);
	for (unsigned i = 0; i < n; i++)
		turn(w, admins[i]);
}

static struct world *world_admins(unsigned s, unsigned n)
{
	struct world *w = world_new(s);

	for (unsigned i = 1; i < n; i++)
		world_join_as(w, admins[i], ROLE_ADMINISTRATOR, NULL);
	for (unsigned i = 0; i < n; i++)
		world_sync(w, admins[i]);
	return w;
}

struct first {
	unsigned n;
	struct quorum_view v;
	bool any;                        /* also those that do not wait for this administrator */
};

static enum perr take_first(void *arg, const struct quorum_view *v)
{
	struct first *f = arg;

	if (!f->any && (v->is_mine || v->signed_here || v->refused_here || v->is_stale))
		return PERR_OK;
	if (f->n++ == 0)
		f->v = *v;
	return PERR_OK;
}

/* the proposal that waits for this administrator */
static struct quorum_view waiting(struct world *w, enum world_who who)
{
	struct first f = { 0 };

	OK(quorum_each(of(w, who), take_first, &f));
	assert_int_equal(f.n, 1);
	return f.v;
}

static unsigned n_waiting(struct world *w, enum world_who who)
{
	unsigned n;

	OK(quorum_waiting(of(w, who), &n));
	return n;
}

static bool sign(struct world *w, enum world_who who)
{
	struct quorum_view v = waiting(w, who);
	bool in_force;

	OK(quorum_sign(of(w, who), v.hash, &in_force));
	return in_force;
}

static uint32_t threshold(struct world *w, enum world_who who)
{
	return client_admins(of(w, who))->last.threshold;
}

/* the threshold is raised by two, over the servers */
static void raise_to(struct world *w, uint32_t k, unsigned n)
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

static struct world *world_two_of_three(unsigned s)
{
	struct world *w = world_admins(s, 3);

	raise_to(w, 2, 3);
	return w;
}

static bool has_invitation(struct world *w, enum world_who who, const struct invite *inv)
{
	struct invite_keys k;

	invite_derive(&k, inv->seed);
	return roster_invitation_find(of(w, who)->admin, k.ticket) != NULL;
}

static bool waits(struct world *w, enum world_who who)
{
	bool is;

	OK(org_waits(of(w, who), &is));
	return is;
}

static unsigned n_board(struct world *w, enum world_who who)
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

static void on_raw(void *ud, enum perr err, const struct rpc_msg *m)
{
	struct raw *r = ud;

	r->answered = m != NULL;
	r->err = err;
	r->error = m == NULL ? RPC_OK : m->error;
	r->total = m == NULL ? 0 : m->total;
}

/* a document in pieces on one connection, and what comes behind it; the last answer */
static struct raw send_all(struct world *w, const uint8_t key[32], enum rpc_method method,
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

static struct raw offer_order(struct world *w, enum world_who who, enum policy_order_kind kind,
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

/* ---- proposing and signing ---------------------------------------------------------------- */

static void raising_the_threshold_takes_as_many_as_it_will(void **state)
{
	struct world *w = world_admins(seed, 3);

	OK(org_admin_threshold(of(w, ADMIN), 2));
	assert_true(waits(w, ADMIN));
	assert_int_equal(threshold(w, ADMIN), 1);
	turn(w, ADMIN);
	assert_int_equal(n_board(w, ADMIN), 0);
	world_release(w);
	turn(w, SECOND);
	assert_int_equal(n_waiting(w, SECOND), 1);
	assert_int_equal(waiting(w, SECOND).needs, 2);
	assert_true(sign(w, SECOND));
	assert_int_equal(threshold(w, SECOND), 2);
	turn(w, SECOND);
	turn(w, ADMIN);
	assert_int_equal(threshold(w, ADMIN), 2);
	assert_false(waits(w, ADMIN));
	turn_all(w, 3);
	assert_int_equal(threshold(w, THIRD), 2);
	world_free(w);
}

static void a_change_stands_nowhere_before_enough_have_signed(void **state)
{
	struct world *w = world_two_of_three(seed);
	uint32_t before = client_bulletin(of(w, ADMIN))->version;
	const char *const languages[] = { "es" };
	struct client *guest;
	struct invite inv;

	OK(org_invite(of(w, ADMIN), ROLE_VOLUNTEER, 1, NULL, NULL, &inv));
	assert_false(has_invitation(w, ADMIN, &inv));
	turn_all(w, 3);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(client_bulletin(of(w, admins[i]))->version, before);
		assert_false(has_invitation(w, admins[i], &inv));
	}
	assert_int_equal(n_waiting(w, SECOND), 1);
	assert_int_equal(n_waiting(w, THIRD), 1);
	assert_true(sign(w, THIRD));
	bring(w, THIRD);
	/* whoever signs last brings it, policies too: the slip works at once */
	world_person(w, VOLUNTEER0);
	guest = of(w, VOLUNTEER0);
	OK(enrol_begin(guest, &inv, "Vera", languages, 1));
	world_sync(w, VOLUNTEER0);
	OK(enrol_answer(guest));
	world_sync(w, VOLUNTEER0);
	assert_int_equal(w->last.servers[0].notes & SYNC_N_TICKET, 0);
	turn_all(w, 3);
	for (unsigned i = 0; i < 3; i++) {
		assert_true(has_invitation(w, admins[i], &inv));
		assert_int_equal(n_waiting(w, admins[i]), 0);
		assert_false(waits(w, admins[i]));
	}
	world_free(w);
}

/* two at once: the second is made again upon the first, and signed again */
static void of_two_proposals_the_second_is_made_again_upon_the_first(void **state)
{
	struct world *w = world_two_of_three(seed);
	struct invite a, b;

	OK(org_invite(of(w, ADMIN), ROLE_VOLUNTEER, 1, NULL, NULL, &a));
	OK(org_invite(of(w, SECOND), ROLE_ATTORNEY, 1, NULL, NULL, &b));
	turn_all(w, 3);
	assert_int_equal(n_waiting(w, THIRD), 2);
	for (unsigned i = 0; i < 2; i++) {
		struct first f = { 0 };
		bool in_force;

		OK(quorum_each(of(w, THIRD), take_first, &f));
		if (i == 1) {            /* stale now, until its proposer has synced */
			assert_int_equal(f.n, 0);
			break;
		}
		OK(quorum_sign(of(w, THIRD), f.v.hash, &in_force));
		assert_true(in_force);
	}
	assert_true(has_invitation(w, THIRD, &a) != has_invitation(w, THIRD, &b));
	turn(w, THIRD);
	turn_all(w, 3);
	assert_int_equal(n_waiting(w, THIRD), 1);
	assert_true(sign(w, THIRD));
	turn(w, THIRD);
	turn_all(w, 3);
	for (unsigned i = 0; i < 3; i++) {
		assert_true(has_invitation(w, admins[i], &a));
		assert_true(has_invitation(w, admins[i], &b));
		assert_false(waits(w, admins[i]));
	}
	world_free(w);
}

/* a file instead of the servers, and back */
static void a_file_carries_a_proposal_and_its_signatures(void **state)
{
	struct world *w = world_admins(seed, 3);
	struct first f = { .any = true };
	uint8_t *file, hash[32];
	struct invite inv;
	bool in_force;
	size_t len;

	raise_to(w, 3, 3);
	OK(org_invite(of(w, ADMIN), ROLE_VOLUNTEER, 1, NULL, NULL, &inv));
	OK(quorum_each(of(w, ADMIN), take_first, &f));
	OK(quorum_save(of(w, ADMIN), f.v.hash, &file, &len));
	OK(quorum_load(of(w, SECOND), file, len, hash));
	assert_memory_equal(hash, f.v.hash, 32);
	doc_free(file, len);
	OK(quorum_sign(of(w, SECOND), hash, &in_force));
	assert_false(in_force);
	OK(quorum_save(of(w, SECOND), hash, &file, &len));
	for (size_t i = 0; i < len; i += len / 64 + 1) {
		file[i] ^= 1;
		assert_int_not_equal(quorum_load(of(w, THIRD), file, len, hash), PERR_OK);
		file[i] ^= 1;
	}
	OK(quorum_load(of(w, THIRD), file, len, hash));
	doc_free(file, len);
	OK(quorum_sign(of(w, THIRD), hash, &in_force));
	assert_true(in_force);
	turn(w, THIRD);
	turn_all(w, 3);
	assert_true(has_invitation(w, ADMIN, &inv));
	world_free(w);
}

/* every server was taken: two administrators meet, and a file shows the rest the new ones */
static void seized_servers_are_replaced_without_any_server(void **state)
{
	struct world *w = world_two_of_three(seed);
	struct first f = { .any = true };
	uint8_t *file, hash[32];
	enum handed_what what;
	struct invite inv;
	bool in_force, ours;
	size_t len;

	for (unsigned i = 0; i < WORLD_SERVERS; i++) {
		struct policy_card card;
		uint8_t old[32];

		memcpy(old, w->s[i].pk, 32);
		world_anew(w, i, &card);
		OK(org_server_replace(of(w, ADMIN), old, &card));
	}
	assert_memory_not_equal(of(w, ADMIN)->field->servers[0].pk, w->s[0].pk, 32);
	OK(quorum_each(of(w, ADMIN), take_first, &f));
	OK(quorum_save(of(w, ADMIN), f.v.hash, &file, &len));
	OK(quorum_load(of(w, SECOND), file, len, hash));
	doc_free(file, len);
	OK(quorum_sign(of(w, SECOND), hash, &in_force));
	assert_true(in_force);
	/* who signed last has the setup keys, and sets them up */
	bring(w, SECOND);
	turn(w, SECOND);
	for (unsigned i = 0; i < WORLD_SERVERS; i++)
		assert_memory_equal(of(w, SECOND)->field->servers[i].pk, w->s[i].pk, 32);
	OK(handed_make(of(w, SECOND), &file, &len));
	OK(handed_take(of(w, ADMIN), file, len, &what, &ours));
	assert_int_equal(what, HANDED_TAKEN);
	OK(handed_take(of(w, THIRD), file, len, &what, &ours));
	assert_int_equal(what, HANDED_TAKEN);
	doc_free(file, len);
	turn_all(w, 3);
	/* and all goes on: a change is proposed over the new boards */
	OK(org_invite(of(w, THIRD), ROLE_VOLUNTEER, 1, NULL, NULL, &inv));
	turn(w, THIRD);
	world_release(w);
	turn(w, ADMIN);
	assert_true(sign(w, ADMIN));
	turn(w, ADMIN);
	turn_all(w, 3);
	assert_true(has_invitation(w, SECOND, &inv));
	world_free(w);
}

static void what_is_refused_or_withdrawn_waits_for_nobody(void **state)
{
	struct world *w = world_two_of_three(seed);
	struct quorum_view v;
	struct first f;
	struct invite inv;

	OK(org_invite(of(w, ADMIN), ROLE_VOLUNTEER, 1, NULL, NULL, &inv));
	turn_all(w, 3);
	v = waiting(w, SECOND);
	OK(quorum_refuse(of(w, SECOND), v.hash));
	assert_int_equal(n_waiting(w, SECOND), 0);
	turn_all(w, 3);
	f = (struct first){ .any = true };
	OK(quorum_each(of(w, ADMIN), take_first, &f));
	assert_int_equal(f.v.n_refused, 1);
	assert_memory_equal(f.v.refusers[0], of(w, SECOND)->me->sign_pk, 32);
	OK(quorum_withdraw(of(w, ADMIN), PROPOSAL_CHANGES));
	assert_int_equal(quorum_withdraw(of(w, ADMIN), PROPOSAL_CHANGES), PERR_NOTFOUND);
	assert_false(waits(w, ADMIN));
	turn_all(w, 3);
	for (unsigned i = 0; i < 3; i++) {
		f = (struct first){ .any = true };
		OK(quorum_each(of(w, admins[i]), take_first, &f));
		assert_int_equal(f.n, 0);
	}
	/* a later one is one again */
	OK(org_invite(of(w, ADMIN), ROLE_VOLUNTEER, 1, NULL, NULL, &inv));
	turn_all(w, 3);
	assert_true(sign(w, SECOND));
	turn(w, SECOND);
	turn_all(w, 3);
	assert_true(has_invitation(w, THIRD, &inv));
	world_free(w);
}

/* the one who is to go neither reads the proposal nor is needed for it */
static void an_administrator_is_removed_without_being_asked(void **state)
{
	struct world *w = world_two_of_three(seed);
	struct first f = { .any = true };
	uint8_t gone[32], *file, hash[32];
	uint32_t links = client_admins(of(w, ADMIN))->n_links;
	size_t len;

	memcpy(gone, of(w, THIRD)->me->sign_pk, 32);
	OK(org_admin_remove(of(w, ADMIN), gone));
	OK(quorum_each(of(w, ADMIN), take_first, &f));
	OK(quorum_save(of(w, ADMIN), f.v.hash, &file, &len));
	assert_int_equal(quorum_load(of(w, THIRD), file, len, hash), PERR_NOTMINE);
	doc_free(file, len);
	turn_all(w, 3);
	assert_int_equal(n_waiting(w, THIRD), 0);
	assert_true(sign(w, SECOND));
	turn(w, SECOND);
	turn_all(w, 2);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(client_admins(of(w, admins[i]))->last.n, 2);
		assert_int_equal(client_admins(of(w, admins[i]))->n_links, links + 1);
		assert_null(roster_admin_find(of(w, admins[i])->admin, gone));
	}
	/* two of two are left: without the threshold lowered nobody else can go */
	assert_int_equal(org_admin_remove(of(w, ADMIN), of(w, SECOND)->me->sign_pk), PERR_LIMIT);
	OK(org_admin_threshold(of(w, ADMIN), 1));
	turn_all(w, 2);
	assert_true(sign(w, SECOND));
	turn(w, SECOND);
	turn_all(w, 2);
	assert_int_equal(threshold(w, ADMIN), 1);
	world_free(w);
}

/* releases that were ordered meanwhile pass the counters: the policies are signed anew, unasked */
static void policies_whose_counter_was_passed_are_signed_again(void **state)
{
	static const enum world_who one[] = { THIRD };
	struct world *w = world_two_of_three(seed);
	struct steward_server r;
	struct invite inv;
	uint32_t counter;

	OK(org_invite(of(w, ADMIN), ROLE_VOLUNTEER, 1, NULL, NULL, &inv));
	turn_all(w, 3);
	/* releases are ordered by one alone; as if a good thousand had been */
	OK(policies_counter(of(w, THIRD), w->s[0].pk, &counter));
	assert_int_equal(offer_order(w, THIRD, POLICY_RELEASE, RPC_RELEASE, one, 1,
	                             counter + 5000).err, PERR_OK);
	assert_true(sign(w, SECOND));
	bring(w, SECOND);
	OK(steward_visit(of(w, SECOND), &w->net, 0, STEWARD_PUSH, &r));
	assert_true(r.policy_waits);
	turn(w, SECOND);
	world_release(w);
	turn(w, THIRD);
	turn(w, THIRD);
	OK(steward_visit(of(w, THIRD), &w->net, 0, STEWARD_PUSH, &r));
	assert_false(r.policy_waits);
	turn_all(w, 3);
	for (unsigned i = 0; i < 3; i++)
		for (unsigned k = 0; k < WORLD_SERVERS; k++) {
			OK(steward_visit(of(w, admins[i]), &w->net, k, STEWARD_PUSH, &r));
			assert_false(r.policy_waits);
		}
	world_free(w);
}

static void orders_are_signed_by_several_and_brought_by_the_last(void **state)
{
	struct world *w = world_two_of_three(seed);
	struct steward_server r;
	struct bring_result b;
	bool in_force;

	OK(steward_visit(of(w, ADMIN), &w->net, 0, STEWARD_STATUS, &r));
	assert_true(r.st.board > 0);
	assert_int_equal(steward_board_clear(of(w, ADMIN), &w->net, 0, &r), PERR_SIGS);
	OK(quorum_order(of(w, ADMIN), POLICY_CLEAR_BOARD, NULL, 0));
	turn_all(w, 3);
	OK(quorum_sign(of(w, THIRD), waiting(w, THIRD).hash, &in_force));
	assert_true(in_force);
	OK(bring_all(of(w, THIRD), &w->net, STEWARD_PUSH, &b));
	assert_int_equal(b.server[0].orders, 1);
	assert_int_equal(b.server[1].orders, 1);
	assert_true(b.server[0].cleared > 0);
	/* once */
	OK(bring_all(of(w, THIRD), &w->net, STEWARD_PUSH, &b));
	assert_int_equal(b.server[0].orders, 0);
	turn_all(w, 3);
	assert_int_equal(n_waiting(w, SECOND), 0);
	world_free(w);
}

/* ---- what a signer is shown --------------------------------------------------------------------- */

struct heard {
	unsigned n;
	char all[4000];
};

static enum perr hear(void *arg, const char *sentence, bool grave)
{
	struct heard *h = arg;
	size_t n = strlen(h->all);

	h->n++;
	snprintf(h->all + n, sizeof h->all - n, "%s%s\n", grave ? "! " : "", sentence);
	return PERR_OK;
}

static struct roster_admin *adm(struct world *w)
{
	return of(w, ADMIN)->admin;
}

static void m_nothing(struct world *w) { (void)w; }
static void m_threshold(struct world *w) { of(w, ADMIN)->threshold = 2; }
static void m_role(struct world *w) { adm(w)->members[adm(w)->n_members - 1].role = ROSTER_ATTORNEY; }
static void m_member(struct world *w) { adm(w)->n_members--; }
static void m_name(struct world *w) { adm(w)->members[0].name = "Somebody Else"; }
static void m_slot(struct world *w) { adm(w)->members[0].slot_secret[0] ^= 1; }
static void m_invite(struct world *w) { adm(w)->invitations[0].role = ROSTER_ADMINISTRATOR; }
static void m_withdraw(struct world *w) { adm(w)->n_invitations = 0; }
static void m_steward(struct world *w) { adm(w)->steward_access[0] ^= 1; }
static void m_inbox(struct world *w) { adm(w)->inbox_sk[0] ^= 1; }
static void m_seed(struct world *w) { adm(w)->policy_seed[0] ^= 1; }
static void m_schedule(struct world *w) { adm(w)->schedule.release_minutes++; }
static void m_plan(struct world *w) { adm(w)->plans[0].every = 30; }
static void m_organisation(struct world *w) { of(w, ADMIN)->field->organisation = "Another"; }
static void m_desk(struct world *w) { of(w, ADMIN)->field->n_desks = 0; }
static void m_server(struct world *w) { of(w, ADMIN)->field->n_servers--; }
static void m_address(struct world *w) { of(w, ADMIN)->field->servers[0].address = "x.example:1"; }
static void m_season(struct world *w) { of(w, ADMIN)->field->seasons[0].psk[0] ^= 1; }
static void m_field(struct world *w) { of(w, ADMIN)->field->field_access[0] ^= 1; }
static void m_board(struct world *w) { of(w, ADMIN)->field->board_sk[0] ^= 1; }
static void m_limits(struct world *w) { of(w, ADMIN)->field->limits.retention_days = 7; }
static void m_counsel(struct world *w) { of(w, ADMIN)->staff->counsel_access[0] ^= 1; }
static void m_decoys(struct world *w) { of(w, ADMIN)->staff->decoys_per_day++; }
static void m_staff(struct world *w) { of(w, ADMIN)->staff->members[0].name = "Somebody Else"; }

/* whatever is changed in a roster has a sentence; nothing changed has another */
static void every_part_of_a_roster_has_its_sentence(void **state)
{
	static const struct {
		void (*change)(struct world *w);
		const char *says;
	} at[] = {
		{ m_nothing, "Nothing of it can be seen" },
		{ m_threshold, "! A change then takes the signatures of 2 of 2 administrators; now it is 1" },
		{ m_role, "is an administrator no more" },
		{ m_member, "The membership of" },
		{ m_name, "is called Somebody Else from now on" },
		{ m_slot, "opens the roster with another key" },
		{ m_invite, "1 open invitation gets another role or key" },
		{ m_withdraw, "1 open invitation is withdrawn" },
		{ m_steward, "The access keys change: administrators." },
		{ m_inbox, "Answers to invitations are sealed to a new key" },
		{ m_seed, "The servers erase old cells on other days" },
		{ m_schedule, "Minutes between two releases: 61, until now 60" },
		{ m_plan, "The season change every 30 days" },
		{ m_organisation, "The organisation is called Another" },
		{ m_desk, "is taken out of the roster" },
		{ m_server, "The server server1" },
		{ m_address, "is found at x.example:1 from now on" },
		{ m_season, "A new season begins" },
		{ m_field, "The access keys change: field." },
		{ m_board, "The keys of the board change: field." },
		{ m_limits, "! Days that servers keep cells: 7, until now 60" },
		{ m_counsel, "The access keys change: staff." },
		{ m_decoys, "Decoys a day: 1, until now 0" },
		{ m_staff, "The staff sees Somebody Else" },
	};
	struct world *w = world_full(seed);
	struct client *c = of(w, ADMIN);
	unsigned told = 0;
	struct invite inv;

	world_join_as(w, INTERPRETER, ROLE_ADMINISTRATOR, NULL);
	OK(org_invite(c, ROLE_VOLUNTEER, 1, w->desk, NULL, &inv));
	world_push(w);
	for (size_t i = 0; i < sizeof at / sizeof at[0]; i++) {
		struct quorum_docs d = { .p = calloc(1, sizeof *d.p) };
		struct heard h = { 0 };
		uint32_t version, day;

		assert_non_null(d.p);
		OK(press_next(c, &version, &day));
		at[i].change(w);
		OK(press_make(&d.press, c, version, day, w->rng));
		OK(client_reload(c));
		OK(quorum_words(c, &d, hear, &h));
		if (strstr(h.all, at[i].says) == NULL)
			fail_msg("change %zu says: %s", i, h.all);
		if (i > 0 && strstr(h.all, "Nothing of it can be seen") != NULL)
			fail_msg("change %zu is not seen", i);
		told += i > 0;
		press_free(d.press);
		free(d.p);
	}
	print_message("figure: parts of a roster changed: %u; without a sentence: 0\n", told);
	world_free(w);
}

/* ---- proposals of a program of one's own -------------------------------------------------------- */

/* a schedule of 30 minutes, as THIRD's program would propose it; to be spoilt */
static struct proposal *honest(struct world *w, struct pending_op *o, uint8_t **op, size_t *op_len)
{
	struct client *c = of(w, THIRD);
	struct proposal *p = calloc(1, sizeof *p);

	assert_non_null(p);
	memset(o, 0, sizeof *o);
	o->kind = PENDING_SCHEDULE;
	o->numbers[0] = 1;
	o->numbers[1] = 30;
	OK(pending_op_encode(op, op_len, o));
	p->kind = PROPOSAL_CHANGES;
	memcpy(p->proposer, c->me->sign_pk, 32);
	p->revision = 1;
	memcpy(p->base, c->header_hash, 32);
	OK(press_next(c, &p->version, &p->day));
	p->last = pending_made(c->admin, c->me->sign_pk) + 1;
	p->n_servers = 1;
	memcpy(p->servers[0].pk, w->s[0].pk, 32);
	OK(policies_counter(c, w->s[0].pk, &p->servers[0].counter));
	p->servers[0].counter += 1000;
	p->n_changes = 1;
	p->changes[0] = doc_bytes_of(*op, *op_len);
	return p;
}

static enum perr offered(struct world *w, const struct proposal *p, enum world_who signer)
{
	struct proposal_bundle b = { .n_sheets = 0 };
	const struct roster_admin *a = of(w, THIRD)->admin;
	struct bulletin_slot slots[ADMINS_MAX];
	struct quorum_docs *d = NULL;
	uint8_t *doc, *file, hash[32];
	struct sign_key key;
	size_t len, file_len, n = 0;
	enum perr err;

	for (uint32_t i = 0; i < a->n_members; i++)
		if (a->members[i].role == ROSTER_ADMINISTRATOR) {
			memcpy(slots[n].pk, a->members[i].slot_pk, 32);
			memcpy(slots[n++].secret, a->members[i].slot_secret, 32);
		}
	client_sign_key(of(w, signer), &key);
	OK(proposal_sign(&doc, &len, p, &key));
	b.proposal = doc_bytes_of(doc, len);
	OK(proposal_seal(&file, &file_len, &b, slots, n, w->rng));
	err = quorum_load(of(w, SECOND), file, file_len, hash);
	if (err == PERR_OK)
		err = quorum_make(of(w, SECOND), hash, &d);
	if (err == PERR_OK)
		assert_int_equal(press_bulletin(quorum_press(d))->version, p->version);
	quorum_docs_free(d);
	doc_free(doc, len);
	doc_free(file, file_len);
	return err;
}

static void a_proposal_out_of_bounds_is_signed_by_nobody(void **state)
{
	struct world *w = world_admins(seed, 3);
	struct pending_op o;
	uint8_t *op;
	size_t op_len;
	unsigned revision = 1;

	world_join_as(w, VOLUNTEER0, ROLE_VOLUNTEER, NULL);
	raise_to(w, 2, 3);
#define OFFERED(want, spoil) do { \
		struct proposal *p = honest(w, &o, &op, &op_len); \
		p->revision = revision++; \
		spoil; \
		assert_int_equal(offered(w, p, THIRD), want); \
		doc_free(op, op_len); \
		free(p); \
	} while (0)
	OFFERED(PERR_OK, (void)0);               /* the control */
	OFFERED(PERR_OLD, p->base[0] ^= 1);
	OFFERED(PERR_RANGE, p->version += 2000);
	OFFERED(PERR_RANGE, p->version = client_bulletin(of(w, SECOND))->version);
	OFFERED(PERR_RANGE, p->day += 10);
	OFFERED(PERR_RANGE, p->day -= 100);
	OFFERED(PERR_RANGE, p->last--);
	OFFERED(PERR_RANGE, p->servers[0].counter = UINT32_MAX);
	OFFERED(PERR_RANGE, p->servers[0].pk[0] ^= 1);
	OFFERED(PERR_UNKNOWN, p->changes[0].len--);
	OFFERED(PERR_UNKNOWN, op[3] = 60);       /* a kind of another version */
	OFFERED(PERR_OK, (void)0);
	{
		/* in another administrator's name, and of somebody who is none */
		struct proposal *p = honest(w, &o, &op, &op_len);

		p->revision = revision++;
		assert_int_equal(offered(w, p, ADMIN), PERR_SIGS);
		memcpy(p->proposer, of(w, VOLUNTEER0)->me->sign_pk, 32);
		assert_int_equal(offered(w, p, VOLUNTEER0), PERR_SIGS);
		/* an older revision than one seen */
		memcpy(p->proposer, of(w, THIRD)->me->sign_pk, 32);
		p->revision = 1;
		assert_int_equal(offered(w, p, THIRD), PERR_OLD);
		doc_free(op, op_len);
		free(p);
	}
#undef OFFERED
	world_free(w);
}

/* ---- kills -------------------------------------------------------------------------------------- */

static void is_verified(struct world *w, enum world_who who)
{
	struct bulletin *b = malloc(sizeof *b);
	struct admins *a = malloc(sizeof *a);
	const uint8_t *header;
	uint8_t hash[32];
	size_t len;

	assert_true(b != NULL && a != NULL);
	header = client_header_bytes(of(w, who), &len);
	OK(bulletin_open(b, a, hash, header, len));
	free(b);
	free(a);
}

/* the proposer, or the one who signs last, is killed at each write; it is done or it is not */
static void a_kill_at_any_write_leaves_nothing_half_signed(void **state)
{
	struct world *w = world_two_of_three(seed);
	unsigned kills[2] = { 0 };

	for (unsigned side = 0; side < 2; side++) {
		bool whole = false;

		for (unsigned cut = 1; !whole; cut++) {
			enum world_who who = side == 0 ? ADMIN : SECOND;
			struct first f = { .any = true };
			struct bring_result r;
			struct invite inv;
			bool in_force, proposed = side == 1;
			enum perr err;

			if (side == 1) {
				uint8_t *file, hash[32];
				size_t len;

				OK(org_invite(of(w, ADMIN), ROLE_VOLUNTEER, 1, NULL, NULL, &inv));
				OK(quorum_each(of(w, ADMIN), take_first, &f));
				OK(quorum_save(of(w, ADMIN), f.v.hash, &file, &len));
				OK(quorum_load(of(w, SECOND), file, len, hash));
				doc_free(file, len);
			}
			kv_mem_fail_commit(w->p[who].kv, cut);
			if (side == 0) {
				err = org_invite(of(w, ADMIN), ROLE_VOLUNTEER, 1, NULL, NULL, &inv);
				proposed = err == PERR_OK;
				if (err == PERR_OK)
					err = sync_all(of(w, ADMIN), &w->net, w->p[ADMIN].spool, NULL,
					               &w->last);
			} else {
				err = quorum_sign(of(w, SECOND), f.v.hash, &in_force);
				if (err == PERR_OK)
					err = bring_all(of(w, SECOND), &w->net, STEWARD_PUSH, &r);
			}
			whole = err == PERR_OK;
			if (!whole)
				assert_int_equal(err, PERR_IO);
			kills[side] += !whole;
			kv_mem_fail_commit(w->p[who].kv, 0);
			world_reopen(w, who);
			is_verified(w, who);
			/* what was told to be proposed is; it goes on as if nothing had been */
			assert_true(!proposed || side == 1 || waits(w, ADMIN));
			turn_all(w, 3);
			if (n_waiting(w, THIRD) > 0)
				assert_true(sign(w, THIRD));
			turn(w, THIRD);
			turn_all(w, 3);
			assert_true(!proposed || has_invitation(w, ADMIN, &inv));
			for (unsigned i = 0; i < 3; i++) {
				assert_false(waits(w, admins[i]));
				assert_memory_equal(of(w, admins[i])->header_hash,
				                    of(w, ADMIN)->header_hash, 32);
			}
		}
	}
	print_message("figure: kills of the proposer: %u, of the last signer: %u; half done: 0\n",
	              kills[0], kills[1]);
	assert_true(kills[0] >= 2 && kills[1] >= 3);
	world_free(w);
}

static enum perr forget_name(void *arg, const char *name)
{
	return kv_del(arg, name);
}

/* a vault that came back from a backup numbers from below; and one that lay for two months */
static void a_restored_or_old_proposal_is_made_anew(void **state)
{
	static const char *const lost[] = { "quorum/", "post/" };
	struct world *w = world_two_of_three(seed);
	struct invite inv[3];

	for (unsigned i = 0; i < 2; i++) {
		OK(org_invite(of(w, ADMIN), ROLE_VOLUNTEER, 1, NULL, NULL, &inv[i]));
		turn_all(w, 3);
	}
	OK(kv_begin(w->p[ADMIN].kv));
	for (unsigned i = 0; i < 2; i++)
		OK(kv_each_name(w->p[ADMIN].kv, lost[i], forget_name, w->p[ADMIN].kv));
	OK(kv_commit(w->p[ADMIN].kv));
	world_reopen(w, ADMIN);
	assert_true(waits(w, ADMIN));
	OK(org_invite(of(w, ADMIN), ROLE_VOLUNTEER, 1, NULL, NULL, &inv[2]));
	turn_all(w, 3);
	turn_all(w, 3);
	assert_true(sign(w, SECOND));
	turn(w, SECOND);
	turn_all(w, 3);
	for (unsigned i = 0; i < 3; i++)
		assert_true(has_invitation(w, THIRD, &inv[i]));
	OK(org_invite(of(w, ADMIN), ROLE_VOLUNTEER, 1, NULL, NULL, &inv[0]));
	turn_all(w, 3);
	world_day(w, QUORUM_OLD_DAYS + 5);
	for (unsigned i = 0; i < 2; i++)
		turn_all(w, 3);
	assert_true(sign(w, SECOND));
	turn(w, SECOND);
	turn_all(w, 3);
	assert_true(has_invitation(w, THIRD, &inv[0]));
	world_free(w);
}

/* what is over comes off the boards: slots are not used up */
static void boards_do_not_fill_with_what_is_over(void **state)
{
	struct world *w = world_two_of_three(seed);
	struct steward_server r;
	uint32_t before, after;

	turn_all(w, 3);
	turn_all(w, 3);
	OK(steward_visit(of(w, ADMIN), &w->net, 0, STEWARD_STATUS, &r));
	before = r.st.board;
	for (unsigned i = 0; i < 3; i++) {
		struct invite inv[40];

		/* some cells of it: invitations for a whole training */
		OK(org_invite(of(w, ADMIN), ROLE_VOLUNTEER, 40, NULL, NULL, inv));
		turn_all(w, 3);
		OK(steward_visit(of(w, ADMIN), &w->net, 0, STEWARD_STATUS, &r));
		assert_true(r.st.board > before + 3);
		assert_true(sign(w, SECOND));
		turn(w, SECOND);
		turn_all(w, 3);
	}
	turn_all(w, 3);
	turn_all(w, 3);
	OK(steward_visit(of(w, ADMIN), &w->net, 0, STEWARD_STATUS, &r));
	after = r.st.board;
	print_message("figure: board entries before three proposals: %u, after: %u\n", before, after);
	assert_true(after <= before + 1);
	world_free(w);
}

/* ---- changes of administrators made apart from each other ----------------------------------- */

/* what somebody would answer to an invitation */
static void answer(struct world *w, const struct invite *inv, const char *name, struct join *j)
{
	uint8_t payload[CELL_PAYLOAD_MAX];
	uint16_t words[JOIN_WORDS];
	struct invite_keys keys;
	struct sign_key k;
	size_t len;

	memset(j, 0, sizeof *j);
	invite_derive(&keys, inv->seed);
	memcpy(j->ticket, keys.ticket, 16);
	snprintf(j->name, sizeof j->name, "%s", name);
	memcpy(j->slot_pk, keys.slot_pk, 32);
	rng_fill(w->rng, j->slot_secret, 32);
	signed_key_new(&k, w->rng);
	OK(join_sign(payload, &len, words, j, &k, w->rng));
	signed_key_wipe(&k);
}

/* each reaches another server only, and each enrols an administrator */
static void links_made_apart_do_not_fork_the_chain(void **state)
{
	struct world *w = world_admins(seed, 2);
	struct bring_result r;
	struct invite x, y;
	struct join jx, jy;

	OK(org_invite(of(w, ADMIN), ROLE_ADMINISTRATOR, 1, NULL, NULL, &x));
	OK(org_invite(of(w, ADMIN), ROLE_ADMINISTRATOR, 1, NULL, NULL, &y));
	turn_all(w, 2);
	answer(w, &x, "Zoe", &jx);
	answer(w, &y, "Yolanda", &jy);
	world_stop(w, 0);
	OK(org_confirm(of(w, SECOND), &jy, NULL));
	OK(bring_all(of(w, SECOND), &w->net, STEWARD_PUSH, &r));
	assert_int_equal(r.done, 0);     /* the first server is not there: it waits */
	assert_non_null(strstr(r.server[1].why, "goes to the first server before any other"));
	world_start(w, 0);
	world_stop(w, 1);
	OK(org_confirm(of(w, ADMIN), &jx, NULL));
	OK(bring_all(of(w, ADMIN), &w->net, STEWARD_PUSH, &r));
	assert_int_equal(r.done, 1);
	world_start(w, 1);
	turn(w, SECOND);
	turn_all(w, 2);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(client_admins(of(w, admins[i]))->last.n, 4);
		assert_non_null(roster_admin_find(of(w, admins[i])->admin, jx.key));
		assert_non_null(roster_admin_find(of(w, admins[i])->admin, jy.key));
		assert_memory_equal(of(w, admins[i])->header_hash, of(w, ADMIN)->header_hash, 32);
	}
	OK(bring_all(of(w, ADMIN), &w->net, STEWARD_PUSH, &r));
	assert_int_equal(r.done, 2);
	world_free(w);
}

/* ---- one seized vault ------------------------------------------------------------------------- */

/* the next version of the roster in memory, signed by those named, as it would travel */
struct forged {
	uint8_t *header, hash[32];
	size_t len;
	struct press *press;
	uint8_t *link;
	size_t link_len;
};

static void forge(struct world *w, enum world_who who, const enum world_who *signers, unsigned n,
                  struct forged *f)
{
	struct client *c = of(w, who);
	struct press_doc docs[PRESS_DOCS];
	struct bulletin *b = malloc(sizeof *b);
	uint32_t version, day;
	size_t k;

	assert_non_null(b);
	memset(f, 0, sizeof *f);
	OK(press_next(c, &version, &day));
	OK(press_make(&f->press, c, version, day, w->rng));
	k = press_docs(f->press, docs);
	for (size_t i = 0; i < k; i++)
		for (unsigned s = 0; s < n; s++) {
			struct sign_key key;

			client_sign_key(of(w, signers[s]), &key);
			OK(signed_add(docs[i].sigs, &key, docs[i].context, docs[i].bytes,
			              docs[i].len));
		}
	*b = *press_bulletin(f->press);
	if (k == 2) {
		OK(signed_pack(&f->link, &f->link_len, docs[1].bytes, docs[1].len, docs[1].sigs));
		b->chain[b->n_chain++] = doc_bytes_of(f->link, f->link_len);
	}
	OK(bulletin_pack(&f->header, &f->len, b, docs[0].sigs));
	memcpy(f->hash, press_hash(f->press), 32);
	free(b);
}

static void forged_free(struct forged *f)
{
	doc_free(f->header, f->len);
	doc_free(f->link, f->link_len);
	press_free(f->press);
}

/* does the server take the header? */
static struct raw offer(struct world *w, enum world_who who, const struct forged *f)
{
	return send_all(w, of(w, who)->admin->steward_access, RPC_BULLETIN_PART, f->hash, f->header,
	                f->len, NULL);
}

static enum perr client_takes(struct world *w, enum world_who who, const struct forged *f)
{
	struct bulletin *b = malloc(sizeof *b);
	struct admins *a = malloc(sizeof *a);
	struct bulletin_known known;
	uint8_t hash[32];
	enum perr err;

	assert_true(b != NULL && a != NULL);
	client_known(of(w, who), &known);
	err = bulletin_open(b, a, hash, f->header, f->len);
	if (err == PERR_OK)
		err = bulletin_accept(&known, b, a, hash);
	free(b);
	free(a);
	return err;
}

static struct raw offer_policy(struct world *w, enum world_who who, const enum world_who *signers,
                               unsigned n)
{
	struct client *c = of(w, who);
	struct policy *p = calloc(1, sizeof *p);
	const struct bulletin *b = client_bulletin(c);
	struct signed_sigs sigs = { 0 };
	uint8_t *doc, *out;
	size_t doc_len, len;
	struct raw r;

	assert_non_null(p);
	OK(policies_make(c, 0, 1000000, client_day(c), b->version, b->link, c->level_key, p));
	p->n_chain = b->n_chain;
	memcpy(p->chain, b->chain, sizeof p->chain);
	OK(policy_encode(&doc, &doc_len, p));
	for (unsigned s = 0; s < n; s++) {
		struct sign_key key;

		client_sign_key(of(w, signers[s]), &key);
		OK(signed_add(&sigs, &key, POLICY_CONTEXT, doc, doc_len));
	}
	OK(policy_pack(&out, &len, p, &sigs));
	r = send_all(w, c->admin->steward_access, RPC_POLICY_PUT, NULL, out, len, NULL);
	doc_free(doc, doc_len);
	doc_free(out, len);
	free(p);
	return r;
}

static void no_change(struct world *w)
{
	(void)w;
}

static void less(struct world *w)
{
	of(w, THIRD)->threshold = 1;
}

/* everybody but the thief is no administrator any more */
static void alone(struct world *w)
{
	struct roster_admin *a = of(w, THIRD)->admin;

	for (uint32_t i = 0; i < a->n_members; i++)
		if (memcmp(a->members[i].key, of(w, THIRD)->me->sign_pk, 32) != 0)
			a->members[i].role = ROSTER_ATTORNEY;
	of(w, THIRD)->threshold = 1;
}

static void one_seized_administrators_vault_publishes_nothing(void **state)
{
	static const enum world_who thief[] = { THIRD }, two[] = { SECOND, THIRD };
	static void (*const wishes[])(struct world *w) = { no_change, less, alone };
	struct world *w = world_admins(seed, 3);
	unsigned refused = 0, tried = 0, taken = 0;
	struct forged f;
	struct raw r;
	struct bring_result b;
	bool done, adopted;

	world_join_as(w, VOLUNTEER0, ROLE_VOLUNTEER, NULL);
	raise_to(w, 2, 3);
	for (size_t i = 0; i < sizeof wishes / sizeof wishes[0]; i++) {
		/* header, and a link of one's own making */
		wishes[i](w);
		forge(w, THIRD, thief, 1, &f);
		r = offer(w, THIRD, &f);
		assert_int_equal(r.err, PERR_REFUSED);
		assert_int_equal(r.error, RPC_SIGNATURE);
		assert_int_equal(client_takes(w, VOLUNTEER0, &f), PERR_SIGS);
		assert_int_equal(client_takes(w, ADMIN, &f), PERR_SIGS);
		tried += 3;
		refused += 3;
		forged_free(&f);
		OK(client_reload(of(w, THIRD)));
		/* the control: with a second vault's key */
		wishes[i](w);
		forge(w, THIRD, two, 2, &f);
		r = offer(w, THIRD, &f);
		assert_int_equal(r.err, PERR_OK);
		OK(client_takes(w, VOLUNTEER0, &f));
		taken += 2;
		forged_free(&f);
		OK(client_reload(of(w, THIRD)));
	}
	r = offer_order(w, THIRD, POLICY_VOID, RPC_ERASE_VOID, thief, 1, 3000010);
	assert_int_equal(r.error, RPC_SIGNATURE);
	r = offer_order(w, THIRD, POLICY_CLEAR_BOARD, RPC_BOARD_CLEAR, thief, 1, 3000020);
	assert_int_equal(r.error, RPC_SIGNATURE);
	r = offer_policy(w, THIRD, thief, 1);
	assert_int_equal(r.error, RPC_SIGNATURE);
	/* the same administrator twice is one */
	r = offer_order(w, THIRD, POLICY_VOID, RPC_ERASE_VOID, (const enum world_who[]){ THIRD, THIRD },
	                2, 3000030);
	assert_int_equal(r.error, RPC_SIGNATURE);
	tried += 4;
	refused += 4;
	r = offer_policy(w, THIRD, two, 2);
	assert_int_equal(r.err, PERR_OK);
	r = offer_order(w, THIRD, POLICY_VOID, RPC_ERASE_VOID, two, 2, 3000040);
	assert_int_equal(r.err, PERR_OK);
	r = offer_order(w, THIRD, POLICY_CLEAR_BOARD, RPC_BOARD_CLEAR, two, 2, 3000050);
	assert_int_equal(r.err, PERR_OK);
	taken += 3;
	/* the vault's own program does not get further either */
	OK(org_admin_remove(of(w, THIRD), of(w, ADMIN)->me->sign_pk));
	OK(bring_all(of(w, THIRD), &w->net, STEWARD_PUSH, &b));
	OK(quorum_settle(of(w, THIRD), &adopted));
	assert_false(adopted);
	{
		struct first one = { .any = true };

		OK(quorum_each(of(w, THIRD), take_first, &one));
		OK(quorum_sign(of(w, THIRD), one.v.hash, &done));
		assert_false(done);
	}
	turn(w, ADMIN);
	assert_int_equal(client_admins(of(w, ADMIN))->last.n, 3);
	print_message("figure: one vault of three, threshold 2: tried: %u; refused by servers and "
	              "clients: %u; controls with two vaults: %u taken\n", tried, refused, taken);
	world_free(w);
}

/* ---- a client that was away ------------------------------------------------------------------------ */

/* the chain grows, thresholds change, in the end nobody of the first ones is left */
static void a_client_that_was_away_checks_the_newest_roster_alone(void **state)
{
	struct world *w = world_admins(seed, 1);
	struct bulletin *b = malloc(sizeof *b);
	struct admins *a = malloc(sizeof *a);
	struct bulletin_known known[8];
	const uint8_t *header;
	uint8_t hash[32], first[32];
	unsigned n = 0;
	size_t len;

	assert_true(b != NULL && a != NULL);
	memcpy(first, of(w, ADMIN)->me->sign_pk, 32);
	world_join_as(w, VOLUNTEER0, ROLE_VOLUNTEER, NULL);
	bulletin_known_begin(&known[n++], of(w, ADMIN)->me->genesis);
	client_known(of(w, ADMIN), &known[n++]);
	world_join_as(w, SECOND, ROLE_ADMINISTRATOR, NULL);
	client_known(of(w, ADMIN), &known[n++]);
	world_join_as(w, THIRD, ROLE_ADMINISTRATOR, NULL);
	turn_all(w, 3);
	raise_to(w, 2, 3);
	client_known(of(w, SECOND), &known[n++]);
	/* the founder goes */
	OK(org_admin_remove(of(w, SECOND), first));
	turn_all(w, 3);
	assert_true(sign(w, THIRD));
	turn(w, THIRD);
	turn(w, SECOND);
	turn(w, THIRD);
	client_known(of(w, SECOND), &known[n++]);
	OK(org_admin_threshold(of(w, SECOND), 1));
	turn(w, SECOND);
	release_by(w, SECOND);
	turn(w, THIRD);
	assert_true(sign(w, THIRD));
	turn(w, THIRD);
	turn(w, SECOND);
	header = client_header_bytes(of(w, SECOND), &len);
	for (unsigned i = 0; i < n; i++) {
		struct bulletin_known other = known[i];

		OK(bulletin_open(b, a, hash, header, len));
		OK(bulletin_accept(&known[i], b, a, hash));
		/* the control: a link that it knows and that is not in the chain */
		other.links[other.n_links - 1][0] ^= 1;
		assert_int_equal(bulletin_accept(&other, b, a, hash), PERR_CHAIN);
		other.links[other.n_links - 1][0] ^= 1;
		if (other.n_links < a->n_links) {
			memset(other.links[other.n_links++], 7, 32);
			assert_int_equal(bulletin_accept(&other, b, a, hash), PERR_CHAIN);
		}
	}
	assert_false(admins_has(a, first));
	/* the volunteer knows the version of the day they joined */
	assert_int_equal(client_admins(of(w, VOLUNTEER0))->n_links, 1);
	world_sync(w, VOLUNTEER0);
	assert_int_equal(client_admins(of(w, VOLUNTEER0))->n_links, a->n_links);
	print_message("figure: versions behind: %u; links in the newest chain: %u; verified alone: "
	              "%u; refused with a link missing: %u\n", b->version - 2, a->n_links, n, n);
	free(b);
	free(a);
	world_free(w);
}

/* ---- any order, failing stores, servers that come and go ------------------------------------------- */

#define MADE_MAX 200

struct story {
	struct world *w;
	struct invite made[MADE_MAX];
	bool withdrawn[MADE_MAX];
	enum world_who by[MADE_MAX];
	unsigned n, n_signed, n_in_force, n_failed, n_refused;
};

static unsigned pick(struct world *w, unsigned n)
{
	uint8_t b[4];

	rng_fill(w->rng, b, sizeof b);
	return ((unsigned)b[0] << 16 | (unsigned)b[1] << 8 | b[2]) % n;
}

/* a store that failed is there as before or as after, never in between */
static enum perr outcome(struct story *s, enum world_who who, enum perr err)
{
	if (err != PERR_IO)
		return err;
	s->n_failed++;
	kv_mem_fail_commit(s->w->p[who].kv, 0);
	world_reopen(s->w, who);
	return err;
}

/* nothing half-signed is in force anywhere: what a device adopted verifies */
static void all_is_signed(struct story *s)
{
	for (unsigned i = 0; i < 3; i++) {
		struct bulletin *b = malloc(sizeof *b);
		struct admins *a = malloc(sizeof *a);
		const uint8_t *header;
		uint8_t hash[32];
		size_t len;

		assert_true(b != NULL && a != NULL);
		header = client_header_bytes(of(s->w, admins[i]), &len);
		OK(bulletin_open(b, a, hash, header, len));
		assert_int_equal(a->last.threshold, 2);
		free(b);
		free(a);
	}
}

static void act(struct story *s, enum world_who who)
{
	struct world *w = s->w;
	struct client *c = of(w, who);
	struct first f = { 0 };
	struct bring_result r;
	bool in_force = false;
	unsigned at;
	enum perr err;

	if (pick(w, 4) == 0)
		kv_mem_fail_commit(w->p[who].kv, 1 + pick(w, 8));
	switch (pick(w, 12)) {
	case 0: case 1:
		if (s->n == MADE_MAX)
			break;
		err = outcome(s, who, org_invite(c, ROLE_VOLUNTEER, 1, NULL, NULL, &s->made[s->n]));
		c = of(w, who);
		/* it may be there although the last commit of the call failed */
		if (err == PERR_OK) {
			s->by[s->n] = who;
			s->n++;
		}
		break;
	case 2: case 3: case 4:
		OK(quorum_each(c, take_first, &f));
		if (f.n == 0)
			break;
		err = outcome(s, who, quorum_sign(c, f.v.hash, &in_force));
		s->n_signed += err == PERR_OK;
		s->n_in_force += in_force;
		break;
	case 5:
		OK(quorum_each(c, take_first, &f));
		if (f.n == 0 || pick(w, 3) != 0)
			break;
		(void)outcome(s, who, quorum_refuse(c, f.v.hash));
		s->n_refused++;
		break;
	case 6: case 7:
		err = sync_all(c, &w->net, w->p[who].spool, NULL, &w->last);
		if (err == PERR_IO)
			(void)outcome(s, who, err);
		c = of(w, who);
		memset(&r, 0, sizeof r);
		(void)outcome(s, who, bring_all(c, &w->net, STEWARD_PUSH, &r));
		break;
	case 8:
		at = pick(w, WORLD_SERVERS);
		if (w->s[at].host == NULL)
			world_start(w, at);
		else
			world_stop(w, at);
		break;
	default:
		at = 0;
		while (at < WORLD_SERVERS && w->s[at].host != NULL)
			at++;
		kv_mem_fail_commit(w->p[who].kv, 0);
		if (at == WORLD_SERVERS) {
			world_release(w);
			for (unsigned i = 0; i < 3; i++)
				world_sync(w, admins[i]);
		}
	}
	kv_mem_fail_commit(w->p[who].kv, 0);
	all_is_signed(s);
}

/* everybody syncs and signs until nothing waits */
static void finish(struct story *s)
{
	struct world *w = s->w;
	bool any = true;

	for (unsigned i = 0; i < WORLD_SERVERS; i++)
		if (w->s[i].host == NULL)
			world_start(w, i);
	for (unsigned round = 0; round < 30 && any; round++) {
		turn_all(w, 3);
		any = false;
		for (unsigned i = 0; i < 3; i++) {
			struct first f = { 0 };
			bool in_force;

			OK(quorum_each(of(w, admins[i]), take_first, &f));
			if (f.n > 0)
				OK(quorum_sign(of(w, admins[i]), f.v.hash, &in_force));
			any |= f.n > 0;
			turn(w, admins[i]);
		}
		for (unsigned i = 0; i < 3; i++)
			any |= waits(w, admins[i]);
		/* who refused it is in the way of nobody: a further change makes a new proposal */
		for (unsigned i = 0; i < 3 && round % 6 == 5; i++)
			if (waits(w, admins[i])) {
				struct roster_schedule sch = of(w, admins[i])->admin->schedule;

				sch.release_minutes = 20 + round + i;
				OK(org_schedule(of(w, admins[i]), &sch));
			}
	}
	assert_false(any);
}

static unsigned tell(unsigned from, unsigned acts, bool forgetful, struct story *sum)
{
	struct story *s = calloc(1, sizeof *s);
	unsigned lost = 0;

	assert_non_null(s);
	s->w = world_two_of_three(from);
	for (unsigned i = 0; i < acts; i++)
		act(s, admins[pick(s->w, 3)]);
	if (forgetful)                   /* the control: proposers who forget what they proposed */
		for (unsigned i = 0; i < 3; i++)
			if (waits(s->w, admins[i]))
				OK(quorum_withdraw(of(s->w, admins[i]), PROPOSAL_CHANGES));
	finish(s);
	for (unsigned i = 1; i < 3; i++)
		assert_memory_equal(of(s->w, admins[i])->header_hash, of(s->w, ADMIN)->header_hash, 32);
	for (unsigned i = 0; i < s->n; i++)
		lost += !has_invitation(s->w, ADMIN, &s->made[i]);
	sum->n += s->n;
	sum->n_signed += s->n_signed;
	sum->n_in_force += s->n_in_force;
	sum->n_failed += s->n_failed;
	sum->n_refused += s->n_refused;
	world_free(s->w);
	free(s);
	return lost;
}

static void nothing_proposed_is_lost_in_any_order(void **state)
{
	const char *mode = getenv("AMPARO_TEST_MODE");
	bool is_long = mode != NULL && strcmp(mode, "long") == 0;
	unsigned stories = is_long ? 150 : 3, lost = 0, caught = 0;
	struct story *sum = calloc(1, sizeof *sum), *ignore = calloc(1, sizeof *ignore);

	assert_true(sum != NULL && ignore != NULL);
	for (unsigned i = 0; i < stories; i++) {
		unsigned n = tell(seed * 1000 + i, 60, false, sum);

		if (n > 0)
			print_message("story %u lost %u\n", seed * 1000 + i, n);
		lost += n;
	}
	for (unsigned i = 0; i < 2; i++)
		caught += tell(seed * 1000 + 500 + i, 25, true, ignore) > 0;
	print_message("figure: administrators: 3, threshold 2; stories: %u; proposed: %u; signed: %u; "
	              "in force by it: %u; refused: %u; failed commits: %u; lost: %u; controls that "
	              "lost some: %u/2\n", stories, sum->n, sum->n_signed, sum->n_in_force,
	              sum->n_refused, sum->n_failed, lost, caught);
	assert_int_equal(lost, 0);
	assert_true(sum->n_in_force > 0 && sum->n_failed > 0);
	assert_int_not_equal(caught, 0);
	free(sum);
	free(ignore);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(raising_the_threshold_takes_as_many_as_it_will),
		cmocka_unit_test(a_change_stands_nowhere_before_enough_have_signed),
		cmocka_unit_test(of_two_proposals_the_second_is_made_again_upon_the_first),
		cmocka_unit_test(a_file_carries_a_proposal_and_its_signatures),
		cmocka_unit_test(seized_servers_are_replaced_without_any_server),
		cmocka_unit_test(what_is_refused_or_withdrawn_waits_for_nobody),
		cmocka_unit_test(an_administrator_is_removed_without_being_asked),
		cmocka_unit_test(policies_whose_counter_was_passed_are_signed_again),
		cmocka_unit_test(orders_are_signed_by_several_and_brought_by_the_last),
		cmocka_unit_test(every_part_of_a_roster_has_its_sentence),
		cmocka_unit_test(a_proposal_out_of_bounds_is_signed_by_nobody),
		cmocka_unit_test(a_kill_at_any_write_leaves_nothing_half_signed),
		cmocka_unit_test(a_restored_or_old_proposal_is_made_anew),
		cmocka_unit_test(boards_do_not_fill_with_what_is_over),
		cmocka_unit_test(links_made_apart_do_not_fork_the_chain),
		cmocka_unit_test(one_seized_administrators_vault_publishes_nothing),
		cmocka_unit_test(a_client_that_was_away_checks_the_newest_roster_alone),
		cmocka_unit_test(nothing_proposed_is_lost_in_any_order),
	};

	if (sodium_init() < 0)
		return 1;
	if (getenv("AMPARO_SEED") != NULL)
		seed = (unsigned)strtoul(getenv("AMPARO_SEED"), NULL, 10);
	print_message("seed %u\n", seed);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
