/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Several administrators who change the roster at once: nothing confirmed vanishes. */
#include "admins_kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admins.h"
#include "bring.h"
#include "bulletin.h"
#include "host.h"
#include "join.h"
#include "kv_mem.h"
#include "org.h"
#include "pending.h"
#include "roster.h"

static void bring(struct world *w, enum world_who who)
{
	struct bring_result r;

	OK(bring_all(of(w, who), &w->net, STEWARD_PUSH, &r));
}

static void newest(struct world *w, enum world_who who)
{
	unsigned reached;

	OK(bring_newest(of(w, who), &w->net, &reached));
}

/* everybody brings until nobody has anything left to bring */
static void bring_everything(struct world *w, unsigned n)
{
	for (unsigned round = 0; round < 4; round++)
		for (unsigned i = 0; i < n; i++)
			bring(w, admins[i]);
	for (unsigned i = 1; i < n; i++)
		assert_memory_equal(of(w, admins[i])->header_hash, of(w, ADMIN)->header_hash, 32);
	for (unsigned i = 0; i < n; i++) {
		bool any;

		OK(pending_any(of(w, admins[i]), &any));
		assert_false(any);
	}
}

static bool has_invitation(struct world *w, enum world_who who, const struct invite *inv)
{
	struct invite_keys k;

	invite_derive(&k, inv->seed);
	return roster_invitation_find(of(w, who)->admin, k.ticket) != NULL;
}

static void invite_one(struct world *w, enum world_who who, struct invite *inv)
{
	OK(org_invite(of(w, who), ROLE_VOLUNTEER, 1, NULL, NULL, inv));
}

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

struct said {
	unsigned n;
	char last[300];
};

static void hear(void *arg, const char *sentence)
{
	struct said *s = arg;

	s->n++;
	snprintf(s->last, sizeof s->last, "%s", sentence);
}

static struct said dropped(struct world *w, enum world_who who)
{
	struct said s = { 0 };

	OK(pending_say(of(w, who), hear, &s));
	return s;
}

static bool knows(struct world *w, enum world_who who, const struct join *j)
{
	return roster_admin_find(of(w, who)->admin, j->key) != NULL;
}

/* ---- one case after the other ------------------------------------------------------------- */

static void two_who_publish_at_once_lose_nothing(void **state)
{
	struct world *w = world_admins(seed, 2);
	struct invite a, b, c;

	invite_one(w, ADMIN, &a);
	invite_one(w, SECOND, &b);
	bring(w, ADMIN);
	bring(w, SECOND);
	invite_one(w, ADMIN, &c);        /* behind: composed without having asked */
	bring_everything(w, 2);
	for (unsigned i = 0; i < 2; i++) {
		assert_true(has_invitation(w, admins[i], &a));
		assert_true(has_invitation(w, admins[i], &b));
		assert_true(has_invitation(w, admins[i], &c));
	}
	world_free(w);
}

/* the sync of somebody with a change of their own is no way to lose it either */
static void a_sync_keeps_what_is_pending(void **state)
{
	struct world *w = world_admins(seed, 2);
	struct invite a, b;

	invite_one(w, SECOND, &b);
	invite_one(w, ADMIN, &a);
	bring(w, ADMIN);
	world_sync(w, SECOND);
	assert_true(has_invitation(w, SECOND, &a));
	assert_true(has_invitation(w, SECOND, &b));
	assert_int_equal(w->last.servers[0].notes & SYNC_N_FORK, 0);
	bring_everything(w, 2);
	assert_true(has_invitation(w, ADMIN, &b));
	world_free(w);
}

/* each reaches another server only: two histories, that become one */
static void servers_that_went_apart_come_together(void **state)
{
	struct world *w = world_admins(seed, 2);
	struct invite a[3], b[2];

	world_stop(w, 1);
	for (unsigned i = 0; i < 3; i++)
		invite_one(w, ADMIN, &a[i]);
	bring(w, ADMIN);
	world_start(w, 1);
	world_stop(w, 0);
	for (unsigned i = 0; i < 2; i++)
		invite_one(w, SECOND, &b[i]);
	bring(w, SECOND);
	world_start(w, 0);
	bring_everything(w, 2);
	for (unsigned k = 0; k < 2; k++) {
		for (unsigned i = 0; i < 3; i++)
			assert_true(has_invitation(w, admins[k], &a[i]));
		for (unsigned i = 0; i < 2; i++)
			assert_true(has_invitation(w, admins[k], &b[i]));
	}
	world_free(w);
}

static void both_enrol_and_both_are_members(void **state)
{
	struct world *w = world_admins(seed, 2);
	struct invite x, y;
	struct join jx, jy;

	invite_one(w, ADMIN, &x);
	invite_one(w, ADMIN, &y);
	bring_everything(w, 2);
	answer(w, &x, "Zoe", &jx);
	answer(w, &y, "Yolanda", &jy);
	OK(org_confirm(of(w, ADMIN), &jx, NULL));
	OK(org_confirm(of(w, SECOND), &jy, NULL));
	bring_everything(w, 2);
	for (unsigned k = 0; k < 2; k++) {
		assert_true(knows(w, admins[k], &jx));
		assert_true(knows(w, admins[k], &jy));
		assert_int_equal(dropped(w, admins[k]).n, 0);
	}
	/* numbers of volunteers stay unique */
	assert_int_not_equal(roster_volunteer_find(of(w, ADMIN)->staff, jx.key)->number,
	                     roster_volunteer_find(of(w, ADMIN)->staff, jy.key)->number);
	world_free(w);
}

static void the_same_answer_confirmed_by_both_is_one_member(void **state)
{
	struct world *w = world_admins(seed, 2);
	unsigned before;
	struct invite x;
	struct join j;

	invite_one(w, ADMIN, &x);
	bring_everything(w, 2);
	before = of(w, ADMIN)->admin->n_members;
	answer(w, &x, "Zoe", &j);
	OK(org_confirm(of(w, ADMIN), &j, NULL));
	OK(org_confirm(of(w, SECOND), &j, NULL));
	bring_everything(w, 2);
	assert_int_equal(of(w, ADMIN)->admin->n_members, before + 1);
	assert_int_equal(dropped(w, SECOND).n, 0);
	world_free(w);
}

static void a_name_given_away_drops_that_change_alone(void **state)
{
	struct world *w = world_admins(seed, 2);
	struct invite x, y, z;
	struct join jx, jy;
	struct said s;

	invite_one(w, ADMIN, &x);
	invite_one(w, ADMIN, &y);
	bring_everything(w, 2);
	answer(w, &x, "Zoe", &jx);
	answer(w, &y, "Zoe", &jy);
	OK(org_confirm(of(w, ADMIN), &jx, NULL));
	OK(org_confirm(of(w, SECOND), &jy, NULL));
	invite_one(w, SECOND, &z);
	bring(w, ADMIN);
	bring(w, SECOND);
	s = dropped(w, SECOND);
	assert_int_equal(s.n, 1);
	assert_non_null(strstr(s.last, "Zoe was not enrolled"));
	assert_non_null(strstr(s.last, "--as"));
	assert_int_equal(dropped(w, SECOND).n, 0);       /* said once */
	bring_everything(w, 2);
	assert_true(knows(w, SECOND, &jx));
	assert_false(knows(w, SECOND, &jy));
	assert_true(has_invitation(w, ADMIN, &y));       /* and can be enrolled otherwise */
	assert_true(has_invitation(w, ADMIN, &z));
	OK(org_confirm(of(w, SECOND), &jy, "Zoe the younger"));
	bring_everything(w, 2);
	assert_true(knows(w, ADMIN, &jy));
	world_free(w);
}

static void what_one_withdrew_the_other_does_not_revive(void **state)
{
	struct world *w = world_admins(seed, 2);
	struct invite x, y;
	struct invite_keys k;
	struct join j;
	struct said s;

	world_stop(w, 1);                /* so that the change stays pending */
	invite_one(w, ADMIN, &x);
	bring(w, ADMIN);
	newest(w, SECOND);
	invite_derive(&k, x.seed);
	OK(org_refuse(of(w, SECOND), k.ticket));
	bring(w, SECOND);
	invite_one(w, ADMIN, &y);
	bring(w, ADMIN);
	assert_false(has_invitation(w, ADMIN, &x));
	assert_true(has_invitation(w, ADMIN, &y));
	world_start(w, 1);
	bring_everything(w, 2);
	assert_false(has_invitation(w, SECOND, &x));
	/* and who is enrolled by one while the other withdraws is said to be */
	answer(w, &y, "Zoe", &j);
	invite_derive(&k, y.seed);
	OK(org_confirm(of(w, ADMIN), &j, NULL));
	OK(org_refuse(of(w, SECOND), k.ticket));
	bring(w, SECOND);
	bring(w, ADMIN);
	s = dropped(w, ADMIN);
	assert_int_equal(s.n, 1);
	assert_non_null(strstr(s.last, "withdrew"));
	bring_everything(w, 2);
	assert_false(knows(w, SECOND, &j));
	world_free(w);
}

static void both_change_another_part_of_the_schedule(void **state)
{
	struct world *w = world_admins(seed, 2);
	struct roster_schedule a = of(w, ADMIN)->admin->schedule, b = a;

	a.release_minutes = 30;
	b.surge_minutes = 5;
	OK(org_schedule(of(w, ADMIN), &a));
	OK(org_schedule(of(w, SECOND), &b));
	bring_everything(w, 2);
	assert_int_equal(of(w, SECOND)->admin->schedule.release_minutes, 30);
	assert_int_equal(of(w, ADMIN)->admin->schedule.surge_minutes, 5);
	world_free(w);
}

/* both enrol an administrator: two links upon the same link */
static void both_enrol_an_administrator(void **state)
{
	struct world *w = world_admins(seed, 2);
	struct invite x, y;
	struct join jx, jy;

	OK(org_invite(of(w, ADMIN), ROLE_ADMINISTRATOR, 1, NULL, NULL, &x));
	OK(org_invite(of(w, ADMIN), ROLE_ADMINISTRATOR, 1, NULL, NULL, &y));
	bring_everything(w, 2);
	answer(w, &x, "Zoe", &jx);
	answer(w, &y, "Yolanda", &jy);
	OK(org_confirm(of(w, ADMIN), &jx, NULL));
	OK(org_confirm(of(w, SECOND), &jy, NULL));
	bring_everything(w, 2);
	assert_int_equal(client_admins(of(w, ADMIN))->last.n, 4);
	assert_true(knows(w, ADMIN, &jy));
	assert_true(knows(w, SECOND, &jx));
	world_free(w);
}

/* two changes of administrators upon the same link become one chain, and a removal is one */
static void a_removed_administrator_signs_nothing_more(void **state)
{
	struct world *w = world_admins(seed, 3);
	uint32_t links = client_admins(of(w, ADMIN))->n_links;
	uint8_t gone[32];
	struct invite x;
	struct bring_result r;

	memcpy(gone, of(w, THIRD)->me->sign_pk, 32);
	OK(org_admin_remove(of(w, ADMIN), gone));
	assert_int_equal(org_admin_remove(of(w, ADMIN), gone), PERR_NOTFOUND);
	bring_everything(w, 2);
	assert_int_equal(client_admins(of(w, SECOND))->last.n, 2);
	assert_int_equal(client_admins(of(w, SECOND))->n_links, links + 1);
	assert_false(admins_has(client_admins(of(w, SECOND)), gone));
	/* the one who went still has a roster and keys of the day before */
	invite_one(w, THIRD, &x);
	assert_int_not_equal(bring_all(of(w, THIRD), &w->net, STEWARD_PUSH, &r), PERR_NOMEM);
	assert_int_equal(r.done, 0);
	newest(w, ADMIN);
	assert_false(has_invitation(w, ADMIN, &x));
	/* the last ones stay */
	OK(org_admin_remove(of(w, ADMIN), of(w, SECOND)->me->sign_pk));
	assert_int_equal(org_admin_remove(of(w, ADMIN), of(w, ADMIN)->me->sign_pk), PERR_LIMIT);
	world_free(w);
}

/* who brings it need not be who made it */
static void one_administrator_brings_anothers_roster_to_a_server_that_was_down(void **state)
{
	struct world *w = world_admins(seed, 2);
	struct bring_result r;
	struct invite x;

	world_stop(w, 1);
	invite_one(w, ADMIN, &x);
	bring(w, ADMIN);
	newest(w, SECOND);
	world_start(w, 1);
	OK(bring_all(of(w, SECOND), &w->net, STEWARD_PUSH, &r));
	assert_int_equal(r.done, 2);
	assert_true(r.server[1].bulletin_put);
	world_free(w);
}

/* ---- any order, failing stores, servers that come and go ------------------------------------ */

#define MADE_MAX 600

struct made {
	struct invite inv;
	uint8_t ticket[16];
	bool refused;                    /* by anybody, in a version that was published */
	bool confirmed;
	struct join j;
	bool dropped;
};
struct story {
	struct world *w;
	struct made made[MADE_MAX];
	unsigned n, n_changes, n_dropped, n_failed, n_tries;
};

static unsigned pick(struct world *w, unsigned n)
{
	uint8_t b[4];

	rng_fill(w->rng, b, sizeof b);
	return ((unsigned)b[0] << 16 | (unsigned)b[1] << 8 | b[2]) % n;
}

static void one_dropped(void *arg, const char *sentence)
{
	struct story *s = arg;
	char name[16];
	const char *end = strchr(sentence, ' ');

	s->n_dropped++;
	/* names are "p17" */
	snprintf(name, sizeof name, "%.*s", end == NULL ? 0 : (int)(end - sentence), sentence);
	for (unsigned i = 0; i < s->n; i++)
		if (s->made[i].confirmed && strcmp(s->made[i].j.name, name) == 0)
			s->made[i].dropped = true;
}

/* after each act: what was dropped was dropped for a reason, which the end checks */
static void listen(struct story *s, enum world_who who)
{
	OK(pending_say(of(s->w, who), one_dropped, s));
}

/* a change whose store failed is there whole or not at all */
static enum perr outcome(struct story *s, enum world_who who, enum perr err)
{
	if (err == PERR_OK || err == PERR_NOTFOUND || err == PERR_EXISTS || err == PERR_LIMIT)
		return err;
	assert_int_equal(err, PERR_IO);
	s->n_failed++;
	kv_mem_fail_commit(s->w->p[who].kv, 0);
	world_reopen(s->w, who);
	return err;
}

static void act(struct story *s, enum world_who who)
{
	struct world *w = s->w;
	struct made *m = s->n == 0 ? NULL : &s->made[pick(w, s->n)];
	char name[16];
	struct roster_schedule sch = of(w, who)->admin->schedule;
	struct bring_result r;
	unsigned reached;
	enum perr err;

	if (pick(w, 5) == 0)
		kv_mem_fail_commit(w->p[who].kv, 1 + pick(w, 6));
	switch (pick(w, 10)) {
	case 0: case 1: case 2:
		if (s->n == MADE_MAX)
			break;
		m = &s->made[s->n];
		memset(m, 0, sizeof *m);
		err = outcome(s, who, org_invite(of(w, who), ROLE_VOLUNTEER, 1, NULL, NULL, &m->inv));
		if (err == PERR_OK || has_invitation(w, who, &m->inv)) {
			struct invite_keys k;

			invite_derive(&k, m->inv.seed);
			memcpy(m->ticket, k.ticket, 16);
			s->n++;
			s->n_changes++;
		}
		break;
	case 3: case 4:
		if (m == NULL || m->confirmed)
			break;
		snprintf(name, sizeof name, "p%u", (unsigned)(m - s->made));
		answer(w, &m->inv, name, &m->j);
		err = outcome(s, who, org_confirm(of(w, who), &m->j, NULL));
		m->confirmed = err == PERR_OK || knows(w, who, &m->j);
		s->n_changes += m->confirmed ? 1 : 0;
		break;
	case 5:
		if (m == NULL)
			break;
		err = outcome(s, who, org_refuse(of(w, who), m->ticket));
		m->refused |= err == PERR_OK || err == PERR_IO;
		s->n_changes += err == PERR_OK ? 1 : 0;
		break;
	case 6:
		sch.release_minutes = 1 + pick(w, 1000);
		(void)outcome(s, who, org_schedule(of(w, who), &sch));
		s->n_changes++;
		break;
	case 7:
		err = bring_newest(of(w, who), &w->net, &reached);
		(void)outcome(s, who, err);
		break;
	case 8:
		memset(&r, 0, sizeof r);
		err = bring_all(of(w, who), &w->net, STEWARD_PUSH, &r);
		s->n_tries += r.tries;
		(void)outcome(s, who, err);
		break;
	default:
		reached = pick(w, WORLD_SERVERS);
		if (w->s[reached].host == NULL)
			world_start(w, reached);
		else
			world_stop(w, reached);
		break;
	}
	kv_mem_fail_commit(w->p[who].kv, 0);
	listen(s, who);
}

/* invitations and members that somebody made and nobody took away: are they there? */
static unsigned missing(struct story *s, bool tell_which)
{
	const struct roster_admin *a = of(s->w, ADMIN)->admin;
	unsigned n = 0;

	for (unsigned i = 0; i < s->n; i++) {
		const struct made *m = &s->made[i];
		bool member = m->confirmed && roster_admin_find(a, m->j.key) != NULL;

		bool gone = m->confirmed ? !member && !(m->dropped && m->refused)
		          : !m->refused && roster_invitation_find(a, m->ticket) == NULL;

		if (gone && tell_which)
			print_message("lost: %u, confirmed %d, refused %d, dropped %d\n", i,
			              m->confirmed, m->refused, m->dropped);
		n += gone ? 1 : 0;
		/* never both a member and an invitation that still opens */
		if (member)
			assert_null(roster_invitation_find(a, m->ticket));
	}
	return n;
}

static enum perr wipe(void *arg, const char *name)
{
	return kv_del(arg, name);
}

static unsigned tell(unsigned from, bool forgetful, unsigned acts, struct story *sum)
{
	struct story *s = calloc(1, sizeof *s);
	unsigned lost;

	assert_non_null(s);
	s->w = world_admins(from, 3);
	for (unsigned i = 0; i < acts; i++) {
		enum world_who who = admins[pick(s->w, 3)];

		/* the control: a client without the memory of its changes */
		if (forgetful) {
			OK(kv_begin(s->w->p[who].kv));
			OK(kv_each_name(s->w->p[who].kv, "pend/op/", wipe, s->w->p[who].kv));
			OK(kv_commit(s->w->p[who].kv));
		}
		act(s, who);
	}
	for (unsigned i = 0; i < WORLD_SERVERS; i++)
		if (s->w->s[i].host == NULL)
			world_start(s->w, i);
	if (!forgetful) {
		bring_everything(s->w, 3);
	} else {
		for (unsigned i = 0; i < 6; i++) {
			struct bring_result r;

			assert_int_not_equal(bring_all(of(s->w, admins[i % 3]), &s->w->net, STEWARD_PUSH,
			                               &r), PERR_NOMEM);
		}
	}
	for (unsigned i = 0; i < 3; i++)
		listen(s, admins[i]);
	lost = missing(s, !forgetful);
	sum->n_changes += s->n_changes;
	sum->n_dropped += s->n_dropped;
	sum->n_failed += s->n_failed;
	sum->n_tries += s->n_tries;
	world_free(s->w);
	free(s);
	return lost;
}

static void nothing_is_lost_in_any_order(void **state)
{
	const char *mode = getenv("AMPARO_TEST_MODE");
	bool is_long = mode != NULL && strcmp(mode, "long") == 0;
	unsigned stories = is_long ? 200 : 12, lost = 0, caught = 0;
	struct story *sum = calloc(1, sizeof *sum), *ignore = calloc(1, sizeof *ignore);

	assert_true(sum != NULL && ignore != NULL);
	for (unsigned i = 0; i < stories; i++) {
		unsigned n = tell(seed * 1000 + i, false, 60, sum);

		if (n > 0)
			print_message("story %u lost %u\n", seed * 1000 + i, n);
		lost += n;
	}
	for (unsigned i = 0; i < 3; i++)
		caught += tell(seed * 1000 + i, true, 60, ignore) > 0;
	print_message("figure: administrators: 3; stories: %u; changes: %u; put upon another's: %u; "
	              "failed commits: %u; dropped with a reason: %u; lost: %u; controls that lost "
	              "some: %u/3\n", stories, sum->n_changes, sum->n_tries, sum->n_failed,
	              sum->n_dropped, lost, caught);
	assert_int_equal(lost, 0);
	assert_true(sum->n_tries > 0 && sum->n_failed > 0);
	assert_int_equal(caught, 3);
	free(sum);
	free(ignore);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_who_publish_at_once_lose_nothing),
		cmocka_unit_test(a_sync_keeps_what_is_pending),
		cmocka_unit_test(servers_that_went_apart_come_together),
		cmocka_unit_test(both_enrol_and_both_are_members),
		cmocka_unit_test(the_same_answer_confirmed_by_both_is_one_member),
		cmocka_unit_test(a_name_given_away_drops_that_change_alone),
		cmocka_unit_test(what_one_withdrew_the_other_does_not_revive),
		cmocka_unit_test(both_change_another_part_of_the_schedule),
		cmocka_unit_test(both_enrol_an_administrator),
		cmocka_unit_test(a_removed_administrator_signs_nothing_more),
		cmocka_unit_test(one_administrator_brings_anothers_roster_to_a_server_that_was_down),
		cmocka_unit_test(nothing_is_lost_in_any_order),
	};

	if (!admins_begin())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
