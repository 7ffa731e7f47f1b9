/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * A sync with the n-th request for memory of the client failing, for each n (a sample of
 * them in the short run): it never says that something is damaged, never ends the process,
 * and the next sync brings everything.
 */
#include "world.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "kv_mem.h"
#include "outbox.h"
#include "starve.h"

#define OK(call) assert_int_equal((call), PERR_OK)

static bool was_armed;

/* the server's memory is another machine's */
static void turn(bool server)
{
	if (server) {
		was_armed = starve_armed;
		starve_armed = false;
	} else {
		starve_armed = was_armed && !starve_tripped;
	}
}

static enum perr copy_record(void *arg, const char *name, const uint8_t *value, size_t len)
{
	return kv_put(arg, name, value, len);
}

static struct kv *copy_of(struct kv *from)
{
	struct kv *to = kv_mem_new();

	assert_non_null(to);
	OK(kv_begin(to));
	OK(kv_each(from, "", copy_record, to));
	OK(kv_commit(to));
	return to;
}

static void put_back(struct world *w, enum world_who who, struct kv *saved)
{
	struct world_person *p = &w->p[who];

	client_free(p->c);
	p->c = NULL;
	kv_mem_free(p->kv);
	spool_free(p->spool);
	p->kv = copy_of(saved);
	OK(spool_open(&p->spool, spool_mem_new()));
	world_reopen(w, who);
}

static unsigned long sample(unsigned long all, unsigned long most)
{
	const char *mode = getenv("AMPARO_TEST_MODE");

	return mode != NULL && strcmp(mode, "long") == 0 ? 1 : all / most + 1;
}

/* does anything of what a person is told call it damage? */
static bool says_damage(const struct sync_summary *s, enum perr err)
{
	bool says = err == PERR_CORRUPT;

	for (unsigned i = 0; i < s->n_servers; i++)
		says |= s->servers[i].err == PERR_CORRUPT ||
		        (s->servers[i].notes & (SYNC_N_BAD_BULLETIN | SYNC_N_FORK | SYNC_N_DIGEST |
		                                SYNC_N_DAMAGED | SYNC_N_REFUSED)) != 0 ||
		        s->servers[i].taken.bad > 0;
	return says;
}

/* sync with failures in turn; `whole` tells whether the next sync made up for it */
static void sweep(struct world *w, enum world_who who, const char *what, unsigned long most,
                  bool (*whole)(struct world *w, enum world_who who))
{
	struct kv *saved = copy_of(w->p[who].kv);
	unsigned long all, n, tried = 0, failed = 0, step;
	enum perr err;

	put_back(w, who, saved);
	w->turn = turn;
	starve_arm(0);
	OK(world_try(w, who));
	starve_disarm();
	all = starve_seen;
	assert_true(whole(w, who));
	step = sample(all, most);
	for (n = 1; n <= all; n += step, tried++) {
		bool tripped;

		put_back(w, who, saved);
		starve_arm(n);
		err = world_try(w, who);
		tripped = starve_disarm();
		if (says_damage(&w->last, err))
			fail_msg("%s: request %lu of %lu failed, and it says %s, %s (notes %x)", what, n,
			         all, perr_name(err), w->last.servers[0].why, w->last.servers[0].notes);
		failed += tripped && (err != PERR_OK || w->last.n_complete < w->last.n_servers);
		if (tried % 2 == 0)
			world_reopen(w, who);
		err = world_try(w, who);
		if (err != PERR_OK || !whole(w, who))
			fail_msg("%s: after request %lu of %lu failed the next sync says %s and is not whole",
			         what, n, all, perr_name(err));
	}
	w->turn = NULL;
	kv_mem_free(saved);
	print_message("figure: %s: requests for memory: %lu; failed in turn: %lu; noticed: %lu; "
	              "called damage: 0; lost: 0\n", what, all, tried, failed);
	assert_true(failed > 0);
}

static bool has_it(struct world *w, enum world_who who)
{
	return world_count(w, who, "stmt/") == 1 && world_has(w, who, 9000, 1);
}

static bool all_sent(struct world *w, enum world_who who)
{
	return world_waiting(w, who) == 0 && world_cells(w, 0) == world_cells(w, 1) &&
	       world_cells(w, 0) >= 5;
}

static void a_holders_sync_without_memory_loses_nothing(void **state)
{
	struct world *w = world_full(1);

	world_submit(w, VOLUNTEER0, 9000, 1, NULL);
	world_sync(w, VOLUNTEER0);
	world_release(w);
	sweep(w, HOLDER0, "a holder's sync", 250, has_it);
	world_free(w);
}

static void a_volunteers_sync_without_memory_loses_nothing(void **state)
{
	struct world *w = world_full(2);

	world_submit(w, VOLUNTEER1, 9000, 1, NULL);
	sweep(w, VOLUNTEER1, "a volunteer's sync", 170, all_sent);
	world_free(w);
}

static bool knows_batches(struct world *w, enum world_who who)
{
	return world_count(w, who, "batch/") >= 2 && w->p[who].c->me->state == CLIENT_MEMBER;
}

/* roster, forms and board for the first time */
static void a_first_sync_without_memory_loses_nothing(void **state)
{
	struct world *w = world_full(3);

	world_release(w);
	sweep(w, COUNSEL, "an attorney's sync with a new roster and board", 125, knows_batches);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_holders_sync_without_memory_loses_nothing),
		cmocka_unit_test(a_volunteers_sync_without_memory_loses_nothing),
		cmocka_unit_test(a_first_sync_without_memory_loses_nothing),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
