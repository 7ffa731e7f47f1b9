/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Seasons and access keys that change under phones that are away, servers that are down, stores
 * that fail and two administrators at once: nothing sealed is lost, and whoever was revoked
 * opens nothing that was sealed afterwards and is let in nowhere.
 */
#include "world.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apply_rotate.h"
#include "bring.h"
#include "bulletin.h"
#include "holders.h"
#include "host.h"
#include "keyring.h"
#include "kv_mem.h"
#include "org.h"
#include "pending.h"
#include "prekeys.h"
#include "quorum.h"
#include "revoke.h"
#include "revoked.h"
#include "roster.h"
#include "rotate.h"
#include "rpc.h"
#include "steward.h"

#define OK(call) assert_int_equal((call), PERR_OK)
#define SECOND INTERPRETER       /* a second administrator, in the stories that have one */
#define SMALL 900                /* bytes of an attachment */

static unsigned seed = 1;

static bool is_long(void)
{
	const char *mode = getenv("AMPARO_TEST_MODE");

	return mode != NULL && strcmp(mode, "long") == 0;
}

static struct client *of(struct world *w, enum world_who who)
{
	return w->p[who].c;
}

static unsigned bring(struct world *w, enum world_who who)
{
	struct bring_result r;

	OK(bring_all(of(w, who), &w->net, STEWARD_PUSH, &r));
	return r.done;
}

static void second_administrator(struct world *w)
{
	world_join_as(w, SECOND, ROLE_ADMINISTRATOR, w->desk);
	world_sync(w, SECOND);
}

/* both holders sync, after a release: every intake so far stands in both vaults */
static void all_read(struct world *w, unsigned n)
{
	enum world_who who;

	world_release(w);
	for (who = HOLDER0; who <= HOLDER1; who++) {
		world_sync(w, who);
		for (unsigned i = 1; i <= n; i++)
			if (!world_has(w, who, SMALL, i))
				fail_msg("holder %d lacks intake %u", (int)who, i);
	}
}

static void revoke_one(struct world *w, enum world_who by, enum world_who who)
{
	uint8_t key[1][32];

	memcpy(key[0], of(w, who)->me->sign_pk, 32);
	OK(revoke_members(of(w, by), (const uint8_t (*)[32])key, 1));
}

static unsigned has_how_many(struct world *w, enum world_who who, unsigned n)
{
	unsigned has = 0;

	for (unsigned i = 1; i <= n; i++)
		has += world_has(w, who, SMALL, i) ? 1 : 0;
	return has;
}

/* the holders sync, so that no prekey runs out and the board is fresh */
static void holders_sync(struct world *w)
{
	world_sync(w, HOLDER0);
	world_sync(w, HOLDER1);
	world_release(w);
}

/* ---- phones that are away ------------------------------------------------------------------ */

/* two rotations of everything, 20 days apart: the overlap of both is over */
static void a_phone_that_was_away_for_weeks_sends_its_queue_in_one_sync(void **state)
{
	struct world *w = world_full(seed);

	(void)state;
	world_submit(w, VOLUNTEER0, SMALL, 1, NULL);
	for (unsigned round = 0; round < 2; round++) {
		OK(rotate_season(of(w, ADMIN)));
		OK(rotate_access(of(w, ADMIN), 10));
		assert_int_equal(bring(w, ADMIN), 2);
		world_day(w, 20);
		world_submit(w, VOLUNTEER0, SMALL, 2 + round, NULL);
		holders_sync(w);
		world_sync(w, ADMIN);
	}
	assert_int_equal(of(w, ADMIN)->field->n_seasons, 3);
	assert_int_equal(of(w, VOLUNTEER0)->field->n_seasons, 1);
	world_sync(w, VOLUNTEER0);
	assert_int_equal(w->last.n_complete, 2);
	assert_int_equal(world_waiting(w, VOLUNTEER0), 0);
	assert_int_equal(of(w, VOLUNTEER0)->field->n_seasons, 3);
	world_submit(w, VOLUNTEER0, SMALL, 4, NULL);
	world_sync(w, VOLUNTEER0);
	all_read(w, 4);
	world_free(w);
}

/* within the overlap the phone needs no second connection */
static void within_the_overlap_the_old_key_lets_in(void **state)
{
	struct world *w = world_full(seed);

	(void)state;
	OK(rotate_access(of(w, ADMIN), ROTATE_OVERLAP_DAYS));
	assert_int_equal(bring(w, ADMIN), 2);
	world_day(w, 25);
	world_submit(w, VOLUNTEER0, SMALL, 1, NULL);
	world_sync(w, VOLUNTEER0);
	assert_int_equal(w->last.servers[0].scope, RPC_FIELD);
	assert_int_equal(world_waiting(w, VOLUNTEER0), 0);
	all_read(w, 1);
	world_free(w);
}

/* a year, thirteen rotations (four in the short run): a guest's key still reaches the bulletin */
static void a_phone_finds_its_way_after_a_year_of_rotations(void **state)
{
	struct world *w = world_full(seed);
	unsigned rounds = is_long() ? 13 : 4;

	(void)state;
	for (unsigned round = 0; round < rounds; round++) {
		OK(rotate_access(of(w, ADMIN), ROTATE_OVERLAP_DAYS));
		world_day(w, 28);
		OK(rotate_season(of(w, ADMIN)));
		assert_int_equal(bring(w, ADMIN), 2);
		holders_sync(w);
		world_sync(w, ADMIN);
	}
	assert_int_equal(of(w, ADMIN)->field->n_seasons, is_long() ? SEASONS_ORDINARY : 1 + rounds);
	assert_true(of(w, ADMIN)->admin->n_guests <= ROSTER_GUESTS_MAX);
	world_sync(w, VOLUNTEER0);
	assert_int_equal(w->last.n_complete, 2);
	world_submit(w, VOLUNTEER0, SMALL, 1, NULL);
	world_sync(w, VOLUNTEER0);
	all_read(w, 1);
	world_free(w);
}

struct hunt {
	uint8_t psk[32];
	unsigned found;
};

static enum perr hunt_one(void *arg, const char *name, const uint8_t *value, size_t len)
{
	struct hunt *h = arg;

	(void)name;
	for (size_t i = 0; len >= 32 && i <= len - 32; i++)
		h->found += memcmp(value + i, h->psk, 32) == 0 ? 1 : 0;
	return PERR_OK;
}

static unsigned holds(struct world *w, enum world_who who, const uint8_t psk[32])
{
	struct hunt h = { .found = 0 };

	memcpy(h.psk, psk, 32);
	OK(kv_each(w->p[who].kv, "", hunt_one, &h));
	return h.found;
}

/* eight are kept; the oldest goes when nothing sealed under it can be on a server any more */
static void a_season_that_is_over_is_forgotten_and_none_before(void **state)
{
	struct world *w = world_full(seed);
	uint8_t first[32];
	uint32_t from;

	(void)state;
	of(w, ADMIN)->field->limits.retention_days = 7;
	of(w, ADMIN)->field->limits.grace_days = 2;
	OK(org_publish(of(w, ADMIN)));
	memcpy(first, of(w, ADMIN)->field->seasons[0].psk, 32);
	for (unsigned i = 1; i < SEASONS_ORDINARY; i++)
		OK(rotate_season(of(w, ADMIN)));
	assert_int_equal(of(w, ADMIN)->field->n_seasons, SEASONS_ORDINARY);
	assert_int_equal(rotate_season(of(w, ADMIN)), PERR_LIMIT);
	from = rotate_room(of(w, ADMIN));
	assert_int_equal(from, 20000 + 7 + 3 + 2 + 1);
	assert_int_equal(of(w, ADMIN)->field->n_seasons, SEASONS_ORDINARY);
	bring(w, ADMIN);
	holders_sync(w);
	world_sync(w, VOLUNTEER0);
	/* a revocation has room all the same */
	revoke_one(w, ADMIN, VOLUNTEER1);
	assert_int_equal(of(w, ADMIN)->field->n_seasons, SEASONS_ORDINARY + 1);
	bring(w, ADMIN);
	world_day(w, (int)(from - 20000) - 1);
	assert_int_equal(rotate_season(of(w, ADMIN)), PERR_LIMIT);
	world_day(w, 1);
	holders_sync(w);
	world_sync(w, VOLUNTEER0);
	assert_true(holds(w, HOLDER0, first) > 0);       /* control */
	assert_true(holds(w, ADMIN, first) > 0);
	OK(rotate_season(of(w, ADMIN)));
	assert_int_equal(of(w, ADMIN)->field->n_seasons, SEASONS_ORDINARY);
	bring(w, ADMIN);
	world_sync(w, HOLDER0);
	world_sync(w, VOLUNTEER0);
	assert_int_equal(holds(w, HOLDER0, first), 0);
	assert_int_equal(holds(w, VOLUNTEER0, first), 0);
	assert_int_equal(holds(w, ADMIN, first), 0);
	world_free(w);
}

/* ---- servers that are down ------------------------------------------------------------------ */

static void a_server_that_slept_is_reached_by_the_keys_it_knows(void **state)
{
	struct world *w = world_full(seed);
	struct bring_result r;

	(void)state;
	world_stop(w, 1);
	for (unsigned round = 0; round < 2; round++) {
		OK(rotate_season(of(w, ADMIN)));
		OK(rotate_access(of(w, ADMIN), ROTATE_OVERLAP_DAYS));
		assert_int_equal(bring(w, ADMIN), 1);
		world_submit(w, VOLUNTEER0, SMALL, 1 + round, NULL);
		world_sync(w, VOLUNTEER0);
		assert_true(world_waiting(w, VOLUNTEER0) > 0);   /* one copy is not enough */
		holders_sync(w);
		world_day(w, 20);
	}
	world_start(w, 1);
	/* before any administrator was there */
	world_sync(w, VOLUNTEER0);
	assert_int_equal(w->last.n_complete, 2);
	assert_int_equal(world_waiting(w, VOLUNTEER0), 0);
	world_sync(w, HOLDER0);
	assert_int_equal(w->last.n_complete, 2);
	/* the steward's key of before the first of them brings it both */
	OK(bring_all(of(w, ADMIN), &w->net, STEWARD_PUSH, &r));
	assert_int_equal(r.done, 2);
	assert_true(r.server[0].policy_put || r.server[1].policy_put);
	world_sync(w, VOLUNTEER1);
	assert_int_equal(w->last.n_complete, 2);
	all_read(w, 2);
	world_free(w);
}

/* ---- stores that fail: at each write, then once more ---------------------------------------- */

typedef enum perr act_fn(struct world *w);

static enum perr act_season(struct world *w)
{
	return rotate_season(of(w, ADMIN));
}

static enum perr act_access(struct world *w)
{
	return rotate_access(of(w, ADMIN), ROTATE_OVERLAP_DAYS);
}

static enum perr act_revoke(struct world *w)
{
	const struct roster_enrolled *e = revoke_find(of(w, ADMIN), of(w, VOLUNTEER1)->me->name);
	uint8_t key[1][32];

	if (e == NULL)
		return PERR_OK;
	memcpy(key[0], e->key, 32);
	return revoke_members(of(w, ADMIN), (const uint8_t (*)[32])key, 1);
}

static void leave(struct world *w, enum world_who who)
{
	client_free(w->p[who].c);
	spool_free(w->p[who].spool);
	kv_mem_free(w->p[who].kv);
	memset(&w->p[who], 0, sizeof w->p[who]);
}

/* returns at how many writes it was killed: at each, or at every third */
static unsigned killed_at_each_write(struct world *w, act_fn *act, unsigned *n, bool rejoin)
{
	unsigned kills = 0, step = is_long() ? 1 : 3;

	bool whole = false;

	for (unsigned cut = 1 + seed % step; !whole; cut += step) {
		enum perr err;
		struct bring_result r;

		world_submit(w, VOLUNTEER0, SMALL, ++*n, NULL);
		kv_mem_fail_commit(w->p[ADMIN].kv, cut);
		err = act(w);
		if (err == PERR_OK)
			err = bring_all(of(w, ADMIN), &w->net, STEWARD_PUSH, &r);
		whole = err == PERR_OK;
		if (!whole)
			assert_int_equal(err, PERR_IO);
		kills += whole ? 0 : 1;
		kv_mem_fail_commit(w->p[ADMIN].kv, 0);
		world_reopen(w, ADMIN);
		/* whoever meets a half of it: the phone, a holder */
		world_sync(w, VOLUNTEER0);
		world_sync(w, HOLDER0);
		OK(act(w));
		assert_int_equal(bring(w, ADMIN), 2);
		world_sync(w, VOLUNTEER0);
		assert_int_equal(world_waiting(w, VOLUNTEER0), 0);
		all_read(w, *n);
		world_day(w, 35);
		holders_sync(w);
		if (rejoin) {
			assert_int_not_equal(world_try(w, VOLUNTEER1), PERR_OK);
			leave(w, VOLUNTEER1);
			world_join(w, VOLUNTEER1, w->desk);
		}
	}
	return kills;
}

static void a_kill_at_any_write_leaves_it_undone_or_done(void **state)
{
	static act_fn *const acts[] = { act_season, act_access, act_revoke };
	unsigned kills = 0, n = 0;

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		struct world *w = world_full(seed + i);

		n = 0;
		kills += killed_at_each_write(w, acts[i], &n, acts[i] == act_revoke);
		world_free(w);
	}
	print_message("figure: kills at writes of a rotation or revocation: %u; intakes lost: 0\n",
	              kills);
	assert_true(kills >= 4);
}

/* the phone's store fails at each write while it meets the new keys */
static void a_phone_killed_at_any_write_sends_everything_all_the_same(void **state)
{
	struct world *w = world_full(seed);
	unsigned n = 0, kills = 0, step = is_long() ? 1 : 3;
	bool whole = false;

	(void)state;
	for (unsigned cut = 1 + seed % step; !whole; cut += step) {
		enum perr err;

		OK(rotate_season(of(w, ADMIN)));
		OK(rotate_access(of(w, ADMIN), 1));      /* over when the phone comes */
		assert_int_equal(bring(w, ADMIN), 2);
		world_submit(w, VOLUNTEER0, SMALL, ++n, NULL);
		world_day(w, 14);
		holders_sync(w);
		kv_mem_fail_commit(w->p[VOLUNTEER0].kv, cut);
		err = world_try(w, VOLUNTEER0);
		whole = err == PERR_OK && world_waiting(w, VOLUNTEER0) == 0;
		kills += whole ? 0 : 1;
		kv_mem_fail_commit(w->p[VOLUNTEER0].kv, 0);
		world_reopen(w, VOLUNTEER0);
		world_sync(w, VOLUNTEER0);
		assert_int_equal(world_waiting(w, VOLUNTEER0), 0);
		all_read(w, n);
	}
	print_message("figure: kills at writes of a phone that meets new keys: %u; intakes lost: 0\n",
	              kills);
	assert_true(kills >= 2);
	world_free(w);
}

/* ---- two administrators ------------------------------------------------------------------- */

/* a server that only one of them reaches, and the other way round */
static void only_server(struct world *w, unsigned server)
{
	for (unsigned i = 0; i < WORLD_SERVERS; i++) {
		if (i == server && w->s[i].host == NULL)
			world_start(w, i);
		if (i != server && w->s[i].host != NULL)
			world_stop(w, i);
	}
}

static void both_servers(struct world *w)
{
	for (unsigned i = 0; i < WORLD_SERVERS; i++)
		if (w->s[i].host == NULL)
			world_start(w, i);
}

static void come_together(struct world *w, bool second_first)
{
	for (unsigned round = 0; round < 3; round++) {
		bring(w, second_first ? SECOND : ADMIN);
		bring(w, second_first ? ADMIN : SECOND);
	}
	assert_memory_equal(of(w, SECOND)->header_hash, of(w, ADMIN)->header_hash, 32);
}

static void two_who_rotate_at_once_keep_both_seasons(void **state)
{
	struct world *w = world_full(seed);

	(void)state;
	second_administrator(w);
	only_server(w, 0);
	OK(rotate_season(of(w, ADMIN)));
	OK(rotate_access(of(w, ADMIN), ROTATE_OVERLAP_DAYS));
	bring(w, ADMIN);
	world_sync(w, VOLUNTEER0);
	world_submit(w, VOLUNTEER0, SMALL, 1, NULL);
	world_sync(w, VOLUNTEER0);
	only_server(w, 1);
	OK(rotate_season(of(w, SECOND)));
	OK(rotate_access(of(w, SECOND), ROTATE_OVERLAP_DAYS));
	bring(w, SECOND);
	world_sync(w, VOLUNTEER1);
	world_submit(w, VOLUNTEER1, SMALL, 2, NULL);
	world_sync(w, VOLUNTEER1);
	both_servers(w);
	come_together(w, false);
	assert_int_equal(of(w, ADMIN)->field->n_seasons, 3);
	world_sync(w, VOLUNTEER0);
	world_sync(w, VOLUNTEER1);
	assert_int_equal(world_waiting(w, VOLUNTEER0) + world_waiting(w, VOLUNTEER1), 0);
	all_read(w, 2);
	world_free(w);
}

struct knock {
	struct peer *p;
	bool opened, more;
};

static void on_hello(void *ud, enum perr err, const struct rpc_msg *m)
{
	(void)m;
	((struct knock *)ud)->opened |= err == PERR_OK;
}

static void on_board(void *ud, enum perr err, const struct rpc_msg *m)
{
	struct knock *k = ud;

	/* a guest is told that this is not in its scope */
	if (err == PERR_REFUSED)
		assert_int_equal(m->error, RPC_SCOPE);
	k->more |= err == PERR_OK;
	peer_bye(k->p);
}

/* into more than a guest's scope */
static bool let_in(struct world *w, unsigned server, const uint8_t key[32])
{
	struct rpc_msg *m = calloc(1, sizeof *m);
	char why[200] = "";
	struct knock k = { 0 };

	assert_non_null(m);
	m->method = RPC_HELLO;
	OK(peer_new(&k.p, w->s[server].pk, key, rng_system()));
	OK(peer_call(k.p, m, on_hello, &k));
	m->method = RPC_BOARD_GET;
	OK(peer_call(k.p, m, on_board, &k));
	(void)!w->net.run(w->net.ctx, w->s[server].address, k.p, why, sizeof why);
	peer_free(k.p);
	free(m);
	return k.opened && k.more;
}

/* keys of this device, of a scope, that some server admits */
static unsigned admitted(struct world *w, enum world_who who, uint32_t scope)
{
	struct keyring k;
	unsigned n = 0;

	OK(keyring_of(of(w, who), scope, &k));
	for (size_t i = 0; i < k.n; i++)
		for (unsigned s = 0; s < WORLD_SERVERS; s++)
			n += w->s[s].host != NULL && let_in(w, s, k.at[i]) ? 1 : 0;
	keyring_wipe(&k);
	return n;
}

static bool knows_newest_season(struct world *w, enum world_who who)
{
	const struct roster_field *f = of(w, ADMIN)->field, *his = of(w, who)->field;

	for (uint32_t i = 0; i < his->n_seasons; i++)
		if (memcmp(his->seasons[i].psk, f->seasons[f->n_seasons - 1].psk, 32) == 0)
			return true;
	return false;
}

static void revoke_name(struct world *w, const char *name)
{
	const struct roster_enrolled *e = revoke_find(of(w, ADMIN), name);
	uint8_t key[1][32];

	assert_non_null(e);
	memcpy(key[0], e->key, 32);
	OK(revoke_members(of(w, ADMIN), (const uint8_t (*)[32])key, 1));
}

/*
 * One revokes where the other does not see it and rotates: the one who is revoked reads the
 * other's version.  Whatever comes together then holds keys that this person cannot have.
 */
static void a_rotation_beside_a_revocation_gives_the_revoked_nothing(void **state)
{
	(void)state;
	/* in the short run each administrator once */
	for (unsigned order = 1; order < 5; order += is_long() ? 1 : 2) {
		struct world *w = world_full(seed + order);
		bool by_second = (order & 2) != 0;

		second_administrator(w);
		only_server(w, 0);
		revoke_one(w, by_second ? SECOND : ADMIN, VOLUNTEER1);
		bring(w, by_second ? SECOND : ADMIN);
		only_server(w, 1);
		OK(rotate_season(of(w, by_second ? ADMIN : SECOND)));
		OK(rotate_access(of(w, by_second ? ADMIN : SECOND), ROTATE_OVERLAP_DAYS));
		bring(w, by_second ? ADMIN : SECOND);
		world_sync(w, VOLUNTEER1);
		world_sync(w, VOLUNTEER0);
		world_submit(w, VOLUNTEER0, SMALL, 1, NULL);     /* under the season both know */
		assert_true(admitted(w, VOLUNTEER1, RPC_FIELD) > 0);     /* control */
		both_servers(w);
		come_together(w, (order & 1) != 0);
		assert_int_equal(admitted(w, VOLUNTEER1, RPC_FIELD), 0);
		assert_false(knows_newest_season(w, VOLUNTEER1));
		assert_null(roster_admin_find(of(w, ADMIN)->admin, of(w, VOLUNTEER1)->me->sign_pk));
		world_sync(w, VOLUNTEER0);
		assert_int_equal(world_waiting(w, VOLUNTEER0), 0);
		all_read(w, 1);
		world_free(w);
	}
}

/* ---- plans -------------------------------------------------------------------------------- */

static void what_is_planned_is_done_once_by_whoever_is_there(void **state)
{
	struct world *w = world_full(seed);
	uint32_t before, version;
	enum world_who first = ADMIN, other = SECOND;

	(void)state;
	second_administrator(w);
	bring(w, ADMIN);
	if (memcmp(of(w, ADMIN)->me->sign_pk, of(w, SECOND)->me->sign_pk, 32) > 0) {
		first = SECOND;
		other = ADMIN;
	}
	OK(rotate_plan(of(w, ADMIN), ROSTER_PLAN_SEASON, 30));
	OK(rotate_plan(of(w, ADMIN), ROSTER_PLAN_ACCESS, 30));
	assert_int_equal(rotate_plan(of(w, ADMIN), ROSTER_PLAN_ACCESS, 6), PERR_RANGE);
	bring(w, ADMIN);
	world_sync(w, SECOND);
	before = of(w, ADMIN)->field->n_seasons;
	version = client_bulletin(of(w, ADMIN))->version;
	world_day(w, 29);
	world_sync(w, ADMIN);
	world_sync(w, SECOND);
	assert_int_equal(client_bulletin(of(w, ADMIN))->version, version);       /* not due */
	world_day(w, 1);
	holders_sync(w);
	world_sync(w, other);                    /* not this one's turn */
	assert_int_equal(of(w, other)->field->n_seasons, before);
	world_sync(w, first);
	world_sync(w, other);                    /* both at once: nothing was brought yet */
	assert_int_equal(of(w, first)->field->n_seasons, before + 1);
	bring(w, first);
	world_sync(w, other);
	world_sync(w, first);
	assert_int_equal(of(w, other)->field->n_seasons, before + 1);
	assert_int_equal(of(w, first)->admin->n_retired, 3);
	/* the first one is on holiday: a day later the other does it */
	world_day(w, 31);
	holders_sync(w);
	world_sync(w, other);
	bring(w, other);
	assert_int_equal(of(w, other)->field->n_seasons, before + 2);
	world_sync(w, first);
	assert_int_equal(of(w, first)->field->n_seasons, before + 2);
	OK(rotate_plan(of(w, first), ROSTER_PLAN_SEASON, 0));
	OK(rotate_plan(of(w, first), ROSTER_PLAN_ACCESS, 0));
	bring(w, first);
	world_day(w, 60);
	holders_sync(w);
	world_sync(w, first);
	assert_int_equal(of(w, first)->field->n_seasons, before + 2);
	world_free(w);
}

/* what `amparo sync` does for an administrator */
static void turn(struct world *w, enum world_who who)
{
	world_sync(w, who);
	bring(w, who);
	if (w->last.more)
		world_sync(w, who);
}

static void both_turn(struct world *w)
{
	for (unsigned i = 0; i < 2; i++) {
		turn(w, ADMIN);
		turn(w, SECOND);
		world_release(w);
	}
}

struct to_sign {
	struct quorum_view v;
	bool any;
};

static enum perr to_sign(void *arg, const struct quorum_view *v)
{
	struct to_sign *s = arg;

	if (v->is_mine || v->signed_here || v->is_stale)
		return PERR_OK;
	s->v = *v;
	s->any = true;
	return PERR_OK;
}

/* signs what waits for this administrator; false: nothing does */
static bool sign_what_waits(struct world *w, enum world_who who)
{
	struct to_sign s = { .any = false };
	bool in_force;

	OK(quorum_each(of(w, who), to_sign, &s));
	if (!s.any)
		return false;
	OK(quorum_sign(of(w, who), s.v.hash, &in_force));
	assert_true(in_force);
	bring(w, who);
	return true;
}

static void what_is_planned_is_proposed_once_where_two_must_sign(void **state)
{
	struct world *w = world_full(seed);
	uint32_t before;
	unsigned n[2];

	(void)state;
	second_administrator(w);
	OK(rotate_plan(of(w, ADMIN), ROSTER_PLAN_SEASON, 30));
	bring(w, ADMIN);
	OK(org_admin_threshold(of(w, ADMIN), 2));
	both_turn(w);
	assert_true(sign_what_waits(w, SECOND));
	both_turn(w);
	assert_int_equal(client_admins(of(w, ADMIN))->last.threshold, 2);
	before = of(w, ADMIN)->field->n_seasons;
	world_day(w, 30);
	holders_sync(w);
	both_turn(w);
	both_turn(w);
	world_day(w, 1);                 /* the other one's turn: it is proposed already */
	both_turn(w);
	assert_int_equal(of(w, ADMIN)->field->n_seasons, before);
	OK(quorum_waiting(of(w, ADMIN), &n[0]));
	OK(quorum_waiting(of(w, SECOND), &n[1]));
	assert_int_equal(n[0] + n[1], 1);
	/* one of them proposed it, the other has it to sign */
	if (!sign_what_waits(w, SECOND))
		assert_true(sign_what_waits(w, ADMIN));
	both_turn(w);
	assert_int_equal(of(w, ADMIN)->field->n_seasons, before + 1);
	assert_false(sign_what_waits(w, SECOND));
	assert_false(sign_what_waits(w, ADMIN));
	both_turn(w);
	assert_int_equal(of(w, SECOND)->field->n_seasons, before + 1);
	/* a revocation likewise: nothing changes before the second signature */
	revoke_one(w, ADMIN, VOLUNTEER1);
	assert_non_null(roster_admin_find(of(w, ADMIN)->admin, of(w, VOLUNTEER1)->me->sign_pk));
	both_turn(w);
	assert_true(admitted(w, VOLUNTEER1, RPC_FIELD) > 0);     /* control */
	assert_true(sign_what_waits(w, SECOND));
	both_turn(w);
	assert_int_equal(admitted(w, VOLUNTEER1, RPC_FIELD), 0);
	world_submit(w, VOLUNTEER0, SMALL, 1, NULL);
	world_sync(w, VOLUNTEER0);
	all_read(w, 1);
	world_free(w);
}

/* ---- prekeys ------------------------------------------------------------------------------ */

static void a_holder_whose_batch_is_refused_makes_the_next_one_by_herself(void **state)
{
	struct world *w = world_full(seed);
	uint32_t number;

	(void)state;
	world_sync(w, ADMIN);
	OK(rotate_prekeys_of(of(w, ADMIN), of(w, HOLDER1)->me->sign_pk, &number));
	assert_int_equal(bring(w, ADMIN), 2);
	world_sync(w, VOLUNTEER0);
	w->readers = 1;                  /* nobody seals to her meanwhile */
	world_submit(w, VOLUNTEER0, SMALL, 1, NULL);
	world_sync(w, HOLDER1);
	world_sync(w, HOLDER1);          /* the new batch goes out with the next visit at the latest */
	world_release(w);
	world_sync(w, VOLUNTEER0);
	w->readers = 2;
	world_submit(w, VOLUNTEER0, SMALL, 2, NULL);
	world_sync(w, VOLUNTEER0);
	world_release(w);
	world_sync(w, HOLDER0);
	world_sync(w, HOLDER1);
	assert_int_equal(has_how_many(w, HOLDER0, 2), 2);
	assert_true(world_has(w, HOLDER1, SMALL, 2));
	/* asked for again before she came: nothing more happens */
	world_sync(w, ADMIN);
	OK(rotate_prekeys_of(of(w, ADMIN), of(w, HOLDER1)->me->sign_pk, &number));
	assert_true(number > 1);
	world_free(w);
}

/* ---- revoking ------------------------------------------------------------------------------ */

static void a_revoked_volunteer_is_told_and_keeps_the_queue(void **state)
{
	struct world *w = world_full(seed);
	unsigned waiting;
	uint32_t day;

	(void)state;
	world_submit(w, VOLUNTEER1, SMALL, 1, NULL);
	waiting = world_waiting(w, VOLUNTEER1);
	assert_true(waiting > 0);
	assert_true(admitted(w, VOLUNTEER1, RPC_FIELD) == 2);    /* control */
	revoke_one(w, ADMIN, VOLUNTEER1);
	assert_int_equal(bring(w, ADMIN), 2);
	assert_int_equal(admitted(w, VOLUNTEER1, RPC_FIELD), 0);
	assert_int_not_equal(world_try(w, VOLUNTEER1), PERR_OK);
	assert_true((w->last.servers[0].notes & SYNC_N_REVOKED) != 0);
	OK(revoked_since(of(w, VOLUNTEER1), &day));
	assert_int_equal(day, (uint32_t)(w->now / 86400));
	assert_int_equal(world_waiting(w, VOLUNTEER1), waiting);
	world_reopen(w, VOLUNTEER1);
	assert_int_not_equal(world_try(w, VOLUNTEER1), PERR_OK);
	assert_int_equal(world_waiting(w, VOLUNTEER1), waiting);
	/* a year later it is still told */
	world_day(w, is_long() ? 380 : 60);
	holders_sync(w);
	world_sync(w, ADMIN);
	OK(org_publish(of(w, ADMIN)));
	bring(w, ADMIN);
	assert_int_not_equal(world_try(w, VOLUNTEER1), PERR_OK);
	OK(revoked_since(of(w, VOLUNTEER1), &day));
	assert_int_equal(day, 20000);
	/* the other one, who was away all the time, is not */
	world_sync(w, VOLUNTEER0);
	OK(revoked_since(of(w, VOLUNTEER0), &day));
	assert_int_equal(day, 0);
	world_free(w);
}

/* what a server alone can do: keep the newest back, show one of before the enrolment */
static void no_server_can_make_a_member_believe_it(void **state)
{
	struct world *w = world_full(seed);
	uint32_t day;

	(void)state;
	/* honestly signed, newer, and none of its slots is this member's */
	OK(org_publish(of(w, ADMIN)));
	bring(w, ADMIN);
	of(w, VOLUNTEER1)->me->slot.sk[7] ^= 1;
	(void)!world_try(w, VOLUNTEER1);
	assert_true((w->last.servers[0].notes & SYNC_N_NO_SLOT) != 0);
	OK(revoked_since(of(w, VOLUNTEER1), &day));
	assert_int_equal(day, 0);
	world_submit(w, VOLUNTEER1, SMALL, 1, NULL);
	of(w, VOLUNTEER1)->me->slot.sk[7] ^= 1;
	world_sync(w, VOLUNTEER1);
	assert_int_equal(of(w, VOLUNTEER1)->me->state, CLIENT_MEMBER);
	world_free(w);
}

/* cells that this device opened at the last sync, and how many it saw */
static uint64_t opened(struct world *w, uint64_t *pulled)
{
	uint64_t own = 0;

	*pulled = 0;
	for (unsigned i = 0; i < w->last.n_servers; i++) {
		own += w->last.servers[i].own;
		*pulled += w->last.servers[i].pulled;
	}
	return own;
}

/*
 * Somebody gives the revoked device the access key of today, so that it sees every cell; and it
 * does not listen to what its slot says.
 */
static void with_todays_key(struct world *w, enum world_who who)
{
	memset(of(w, who)->me->slot.sk + 8, 7, 8);
	memcpy(of(w, who)->staff->counsel_access, of(w, ADMIN)->staff->counsel_access, 32);
	(void)!world_try(w, who);
}

static void a_revoked_holder_opens_nothing_that_was_sealed_afterwards(void **state)
{
	struct world *w = world_full(seed);
	uint64_t own, pulled;

	(void)state;
	world_submit(w, VOLUNTEER0, SMALL, 1, NULL);
	world_sync(w, VOLUNTEER0);
	world_release(w);
	world_sync(w, HOLDER1);
	assert_true(opened(w, &pulled) > 0);             /* control: a member opens */
	revoke_one(w, ADMIN, HOLDER1);
	assert_int_equal(bring(w, ADMIN), 2);
	assert_int_equal(admitted(w, HOLDER1, RPC_COUNSEL), 0);
	assert_int_equal(admitted(w, HOLDER1, RPC_FIELD), 0);
	assert_true(admitted(w, HOLDER0, RPC_COUNSEL) == 0);     /* has to sync, as everybody */
	world_submit(w, VOLUNTEER1, SMALL, 3, NULL);     /* has not heard of it */
	world_sync(w, VOLUNTEER0);
	w->readers = 1;
	world_submit(w, VOLUNTEER0, SMALL, 2, NULL);
	world_sync(w, VOLUNTEER0);
	world_release(w);
	world_sync(w, HOLDER0);
	assert_true(world_has(w, HOLDER0, SMALL, 2));
	with_todays_key(w, HOLDER1);
	own = opened(w, &pulled);
	assert_true(pulled > 0);
	assert_int_equal(own, 0);
	/* control: what a phone sealed that had not heard of it does open, if it can be fetched */
	world_sync(w, VOLUNTEER1);
	world_release(w);
	with_todays_key(w, HOLDER1);
	assert_true(opened(w, &pulled) > 0);
	print_message("figure: cells seen by the revoked holder's device after the revocation: %llu, "
	              "opened: %llu; of a phone that had not heard: opened (control)\n",
	              (unsigned long long)pulled, (unsigned long long)own);
	world_sync(w, HOLDER0);
	assert_true(world_has(w, HOLDER0, SMALL, 3));
	world_free(w);
}

/* a new volunteer, while a holder is on holiday whose keys stand under the board key of before */
static void who_joins_after_a_revocation_finds_the_holder_who_is_away(void **state)
{
	struct world *w = world_full(seed);

	(void)state;
	revoke_one(w, ADMIN, COUNSEL);
	assert_int_equal(bring(w, ADMIN), 2);
	world_sync(w, HOLDER0);
	world_release(w);
	leave(w, VOLUNTEER1);
	revoke_name(w, "Q’anil Méndez");
	bring(w, ADMIN);
	world_join(w, VOLUNTEER1, w->desk);
	world_sync(w, VOLUNTEER1);
	w->readers = 2;
	world_submit(w, VOLUNTEER1, SMALL, 1, NULL);
	world_sync(w, VOLUNTEER1);
	all_read(w, 1);
	world_free(w);
}

/* ---- any order ------------------------------------------------------------------------------ */

static unsigned pick(struct world *w, unsigned n)
{
	uint8_t b[4];

	rng_fill(w->rng, b, sizeof b);
	return ((unsigned)b[0] << 16 | (unsigned)b[1] << 8 | b[2]) % n;
}

struct sum {
	unsigned intakes, rotations, days, failed, lost;
};

static enum perr outcome(struct world *w, enum world_who who, enum perr err, struct sum *sum)
{
	kv_mem_fail_commit(w->p[who].kv, 0);
	if (err == PERR_IO) {
		sum->failed++;
		world_reopen(w, who);
	}
	return err;
}

/* the control: a season is gone as soon as there is a newer one */
static void forget_older(struct world *w, enum world_who who)
{
	struct roster_field *f = of(w, who)->field;

	f->seasons += f->n_seasons - 1;
	f->n_seasons = 1;
	OK(org_publish(of(w, who)));
}

/* of the control's two rosters neither is everywhere; a server that was down doubts its clock */
static void release_by_anybody(struct world *w)
{
	struct steward_server r;

	for (size_t i = 0; i < WORLD_SERVERS; i++)
		if (steward_visit(of(w, ADMIN), &w->net, i, STEWARD_RELEASE, &r) != PERR_OK)
			(void)!steward_visit(of(w, SECOND), &w->net, i, STEWARD_RELEASE, &r);
}

static void tell(unsigned from, bool careless, struct sum *sum)
{
	static const enum world_who people[] = { VOLUNTEER0, VOLUNTEER1, HOLDER0, HOLDER1, ADMIN,
	                                         SECOND };
	struct world *w = world_full(from);
	unsigned n = 0, since = 0, has;
	struct bring_result r;

	second_administrator(w);
	bring(w, ADMIN);
	for (unsigned i = 0; i < 45; i++) {
		enum world_who who = people[pick(w, 6)], boss = pick(w, 2) == 0 ? ADMIN : SECOND;
		unsigned days = 0;

		if (!careless && pick(w, 4) == 0)
			kv_mem_fail_commit(w->p[who].kv, 1 + pick(w, 8));
		switch (pick(w, 8)) {
		case 0: case 1:
			kv_mem_fail_commit(w->p[who].kv, 0);
			world_submit(w, pick(w, 2) == 0 ? VOLUNTEER0 : VOLUNTEER1, SMALL, ++n, NULL);
			break;
		case 2:
			if (outcome(w, boss, rotate_season(of(w, boss)), sum) == PERR_OK) {
				sum->rotations++;
				if (careless)
					forget_older(w, boss);
			}
			break;
		case 3:
			sum->rotations += outcome(w, boss, rotate_access(of(w, boss), 1 + pick(w, 5)),
			                          sum) == PERR_OK;
			break;
		case 4:
			(void)outcome(w, boss, bring_all(of(w, boss), &w->net, STEWARD_PUSH, &r), sum);
			break;
		case 5:
			days = 1 + pick(w, 6);
			break;
		case 6:
			has = pick(w, WORLD_SERVERS);
			if (w->s[has].host == NULL)
				world_start(w, has);
			else
				world_stop(w, has);
			break;
		default:
			(void)outcome(w, who, world_try(w, who), sum);
			break;
		}
		for (unsigned k = 0; k < 6; k++)
			kv_mem_fail_commit(w->p[people[k]].kv, 0);
		world_day(w, (int)days);
		sum->days += days;
		since += days;
		/* readers look in from time to time, with both servers there */
		if (since > 20 && !careless) {
			both_servers(w);
			world_day(w, 1);         /* what its start left to do */
			come_together(w, false);
			world_sync(w, HOLDER0);
			world_sync(w, HOLDER1);
			release_by_anybody(w);
			since = 0;
		}
	}
	both_servers(w);
	world_day(w, 1);
	for (unsigned round = 0; round < 3; round++) {
		(void)!bring_all(of(w, ADMIN), &w->net, STEWARD_PUSH, &r);
		(void)!bring_all(of(w, SECOND), &w->net, STEWARD_PUSH, &r);
	}
	for (unsigned k = 0; k < 2; k++) {
		(void)!world_try(w, VOLUNTEER0);
		(void)!world_try(w, VOLUNTEER1);
		release_by_anybody(w);
		(void)!world_try(w, HOLDER0);
		(void)!world_try(w, HOLDER1);
	}
	has = has_how_many(w, HOLDER0, n) < has_how_many(w, HOLDER1, n)
	    ? has_how_many(w, HOLDER0, n) : has_how_many(w, HOLDER1, n);
	if (has < n && !careless)
		print_message("story %u: %u of %u intakes lost\n", from, n - has, n);
	sum->lost += n - has;
	sum->intakes += n;
	world_free(w);
}

static void nothing_sealed_is_lost_in_any_order(void **state)
{
	unsigned stories = is_long() ? 150 : 2, controls = is_long() ? 3 : 2, caught = 0;
	struct sum sum = { 0 };

	(void)state;
	for (unsigned i = 0; i < stories; i++)
		tell(seed * 1000 + i, false, &sum);
	for (unsigned i = 0; i < controls; i++) {
		struct sum s = { 0 };

		tell(seed * 1000 + i, true, &s);
		caught += s.lost > 0;
	}
	print_message("figure: stories: %u; rotations: %u; days: %u; failed writes: %u; intakes: %u; "
	              "lost: %u; controls that lost some: %u/%u\n", stories, sum.rotations, sum.days,
	              sum.failed, sum.intakes, sum.lost, caught, controls);
	assert_int_equal(sum.lost, 0);
	assert_true(sum.rotations > 0 && (sum.failed > 0 || !is_long()));
	assert_true(caught > 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_phone_that_was_away_for_weeks_sends_its_queue_in_one_sync),
		cmocka_unit_test(within_the_overlap_the_old_key_lets_in),
		cmocka_unit_test(a_phone_finds_its_way_after_a_year_of_rotations),
		cmocka_unit_test(a_season_that_is_over_is_forgotten_and_none_before),
		cmocka_unit_test(a_server_that_slept_is_reached_by_the_keys_it_knows),
		cmocka_unit_test(a_kill_at_any_write_leaves_it_undone_or_done),
		cmocka_unit_test(a_phone_killed_at_any_write_sends_everything_all_the_same),
		cmocka_unit_test(two_who_rotate_at_once_keep_both_seasons),
		cmocka_unit_test(a_rotation_beside_a_revocation_gives_the_revoked_nothing),
		cmocka_unit_test(what_is_planned_is_done_once_by_whoever_is_there),
		cmocka_unit_test(what_is_planned_is_proposed_once_where_two_must_sign),
		cmocka_unit_test(a_holder_whose_batch_is_refused_makes_the_next_one_by_herself),
		cmocka_unit_test(a_revoked_volunteer_is_told_and_keeps_the_queue),
		cmocka_unit_test(no_server_can_make_a_member_believe_it),
		cmocka_unit_test(a_revoked_holder_opens_nothing_that_was_sealed_afterwards),
		cmocka_unit_test(who_joins_after_a_revocation_finds_the_holder_who_is_away),
		cmocka_unit_test(nothing_sealed_is_lost_in_any_order),
	};

	(void)argc;
	(void)argv;
	if (sodium_init() < 0)
		return 1;
	if (getenv("AMPARO_SEED") != NULL)
		seed = (unsigned)strtoul(getenv("AMPARO_SEED"), NULL, 10);
	print_message("seed %u\n", seed);
	if (getenv("AMPARO_ONLY") != NULL)
		cmocka_set_test_filter(getenv("AMPARO_ONLY"));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
