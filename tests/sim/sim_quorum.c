/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Several administrators sign: a change stands nowhere before enough of them have, whoever signs
 * last publishes, and nothing proposed is lost, over kills and servers that come and go.
 */
#include "quorum_kit.h"

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
		cmocka_unit_test(a_kill_at_any_write_leaves_nothing_half_signed),
		cmocka_unit_test(a_restored_or_old_proposal_is_made_anew),
		cmocka_unit_test(boards_do_not_fill_with_what_is_over),
		cmocka_unit_test(links_made_apart_do_not_fork_the_chain),
		cmocka_unit_test(nothing_proposed_is_lost_in_any_order),
	};

	if (!admins_begin())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
