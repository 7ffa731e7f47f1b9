/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Clients against servers in memory; the stream is cut everywhere. */
#include "world.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decoys.h"
#include "kv_mem.h"
#include "org.h"
#include "outbox.h"
#include "roster.h"

static unsigned seed = 1;

static void an_organisation_is_founded_and_a_record_arrives(void **state)
{
	struct world *w = world_full(seed);

	world_submit(w, VOLUNTEER0, 20000, 1, NULL);
	assert_int_equal(world_waiting(w, VOLUNTEER0), 8);
	world_sync(w, VOLUNTEER0);
	assert_int_equal(world_waiting(w, VOLUNTEER0), 0);
	world_release(w);
	world_sync(w, HOLDER0);
	assert_int_equal(world_count(w, HOLDER0, "stmt/"), 1);
	assert_true(world_has(w, HOLDER0, 20000, 1));
	world_sync(w, HOLDER1);
	assert_true(world_has(w, HOLDER1, 20000, 1));
	world_sync(w, COUNSEL);
	assert_int_equal(world_count(w, COUNSEL, "stmt/"), 0);
	world_free(w);
}

/* TCP, handshake, hello */
static void up_to_date_is_three_round_trips(void **state)
{
	struct world *w = world_full(seed);
	enum world_who who;
	unsigned i;

	world_release(w);
	for (who = ADMIN; who <= VOLUNTEER1; who++) {
		world_sync(w, who);
		world_sync(w, who);
		for (i = 0; i < WORLD_SERVERS; i++) {
			assert_int_equal(w->last.servers[i].round_trips, 3);
			assert_true(w->last.servers[i].bytes_in < 9000);
			assert_true(w->last.servers[i].bytes_out < 9000);
		}
	}
	world_free(w);
}

static void one_dead_server_stops_nobody(void **state)
{
	struct world *w = world_full(seed);

	world_stop(w, 0);
	world_submit(w, VOLUNTEER0, 9000, 1, NULL);
	world_sync(w, VOLUNTEER0);
	assert_int_equal(w->last.n_complete, 1);
	assert_string_not_equal(w->last.servers[0].why, "");
	assert_int_equal(world_waiting(w, VOLUNTEER0), 5);
	world_release(w);
	world_sync(w, HOLDER0);
	assert_true(world_has(w, HOLDER0, 9000, 1));
	/* the one that failed comes last the next time */
	world_sync(w, HOLDER0);
	assert_string_equal(w->last.servers[1].address, w->s[0].address);
	world_start(w, 0);
	world_sync(w, VOLUNTEER0);
	assert_int_equal(w->last.n_complete, 2);
	assert_int_equal(world_waiting(w, VOLUNTEER0), 0);
	world_free(w);
}

static void nobody_is_told_that_all_is_well_when_no_server_answers(void **state)
{
	struct world *w = world_full(seed);

	world_stop(w, 0);
	world_stop(w, 1);
	assert_int_equal(world_try(w, VOLUNTEER0), PERR_NET);
	assert_int_equal(w->last.n_complete, 0);
	world_free(w);
}

static unsigned to_send(struct world *w, enum world_who who)
{
	struct outbox_counts k;

	assert_int_equal(outbox_counts(w->p[who].c, &k), PERR_OK);
	return k.to_send;
}

/* bytes of one connection that a sync of `who` needs */
static uint64_t length_of(struct world *w, enum world_who who)
{
	w->longest = 0;
	world_sync(w, who);
	return w->longest;
}

/*
 * Every connection of a volunteer's sync is cut after `cut` bytes, the device is killed,
 * and syncs again: each cell is on each server exactly once, and nothing waits.
 */
static void upload_cut_at(struct world *w, uint64_t cut, size_t attachment, unsigned n)
{
	uint64_t before[WORLD_SERVERS];
	unsigned cells, i, tries;

	world_submit(w, VOLUNTEER0, attachment, n, NULL);
	/* topped up once, however often it is tried */
	cells = decoys_size(world_waiting(w, VOLUNTEER0));
	for (i = 0; i < WORLD_SERVERS; i++)
		before[i] = world_cells(w, i);
	w->cut_at = cut;
	(void)!world_try(w, VOLUNTEER0);
	w->cut_at = WORLD_NO_CUT;
	/* what was acknowledged is there, at once */
	for (i = 0; i < WORLD_SERVERS; i++)
		assert_true(world_cells(w, i) - before[i] >= w->last.servers[i].uploaded);
	if (to_send(w, VOLUNTEER0) == 0)
		for (i = 0; i < WORLD_SERVERS; i++)
			assert_int_equal(world_cells(w, i) - before[i], cells);
	world_reopen(w, VOLUNTEER0);
	for (tries = 0; tries < 3 && to_send(w, VOLUNTEER0) > 0; tries++)
		world_sync(w, VOLUNTEER0);
	assert_int_equal(to_send(w, VOLUNTEER0), 0);
	for (i = 0; i < WORLD_SERVERS; i++)
		assert_int_equal(world_cells(w, i) - before[i], cells);
}

static void an_upload_survives_a_cut_at_every_byte(void **state)
{
	struct world *w = world_full(seed);
	uint64_t length, cut;
	unsigned n = 100, cuts = 0;

	world_submit(w, VOLUNTEER0, 100, 1, NULL);
	length = length_of(w, VOLUNTEER0);
	/* samples, and both sides of every frame's end; AMPARO_LONG: every single byte */
	for (cut = 0; cut <= length + 1; cuts++) {
		uint64_t in_frame = cut < 96 ? cut % 48 : (cut - 96) % 4192;

		upload_cut_at(w, cut, 100, n++);
		cut += getenv("AMPARO_LONG") != NULL || in_frame < 2 || in_frame > 4189 ? 1
		     : cut < 96 ? 5 : 2087;
	}
	print_message("cuts: %u; cells twice or lost: 0\n", cuts);
	/* and all of it arrives, once */
	world_release(w);
	world_sync(w, HOLDER0);
	assert_int_equal(world_count(w, HOLDER0, "stmt/"), cuts + 1);
	assert_int_equal(w->last.wants, 0);
	world_free(w);
}

/*
 * What a server counts is a size, whatever was submitted; and both servers have the same
 * cells, so that none stands out for being on one of them only.
 */
static void servers_count_sizes_and_have_the_same_decoys(void **state)
{
	static const size_t photos[] = { 0, 20000, 200000, 262144, 500000 };
	static const unsigned sizes[] = { 18, 18, 72, 72, 144 };
	struct world *w = world_full(seed);
	uint64_t before, pulled, own, founding = world_cells(w, 0);
	unsigned i, k;

	for (i = 0; i < 5; i++) {
		before = world_cells(w, 0);
		world_submit(w, VOLUNTEER0, photos[i], i + 1, NULL);
		world_sync(w, VOLUNTEER0);
		for (k = 0; k < WORLD_SERVERS; k++)
			assert_int_equal(world_cells(w, k) - before, sizes[i]);
		assert_int_equal(w->last.servers[0].submissions, 1);
	}
	/* one that one server missed, and another one after it */
	world_stop(w, 1);
	world_submit(w, VOLUNTEER0, 20000, 10, NULL);
	world_sync(w, VOLUNTEER0);
	world_submit(w, VOLUNTEER0, 200000, 11, NULL);
	world_sync(w, VOLUNTEER0);
	world_start(w, 1);
	world_sync(w, VOLUNTEER0);
	assert_int_equal(to_send(w, VOLUNTEER0), 0);
	assert_int_equal(world_cells(w, 0), world_cells(w, 1));
	/* the cells of the second are known by id when the first was pulled: not one is new */
	world_release(w);
	world_sync(w, HOLDER0);
	pulled = w->last.servers[0].pulled + w->last.servers[1].pulled;
	own = w->last.servers[0].own + w->last.servers[1].own;
	assert_int_equal(pulled, world_cells(w, 0) - founding);
	assert_int_equal(world_count(w, HOLDER0, "stmt/"), 7);
	print_message("figure: 7 intakes in %llu cells on each of two servers, %llu opened by a "
	              "holder; ids on one server only: 0\n", (unsigned long long)pulled,
	              (unsigned long long)own);
	world_free(w);
}

/* the organisation's target: attorneys' syncs bring decoys, nobody is told of any */
static void attorneys_fill_the_target_of_the_day(void **state)
{
	struct world *w = world_full(seed);
	uint64_t before, added = 0;
	unsigned day;

	assert_int_equal(org_decoys(w->p[ADMIN].c, 600), PERR_OK);
	world_push(w);
	for (day = 0; day < 6; day++) {
		enum world_who who;

		before = world_cells(w, 0);
		for (who = HOLDER0; who <= VOLUNTEER1; who++) {
			world_sync(w, who);
			assert_int_equal(w->last.servers[0].submissions, 0);
			assert_int_equal(w->last.submissions, 0);
			assert_int_equal(w->last.fresh, 0);
			assert_int_equal(to_send(w, who), 0);
		}
		/* the first sync under the new roster only begins to count the time */
		if (day == 0)
			assert_int_equal(world_cells(w, 0), before);
		added += world_cells(w, 0) - before;
		assert_int_equal(world_cells(w, 0), world_cells(w, 1));
		world_day(w, 1);
	}
	/* 200 a day and attorney on average, and the topping up */
	assert_true(added > 0 && added % 18 == 0);
	world_free(w);
}

static void a_long_upload_goes_on_where_it_was_cut(void **state)
{
	struct world *w = world_full(seed);
	uint64_t length, cut;
	unsigned n = 1;

	world_submit(w, VOLUNTEER0, 700000, 1, NULL);    /* three commits */
	length = length_of(w, VOLUNTEER0);
	for (cut = length / 7; cut < length; cut += length / 7)
		upload_cut_at(w, cut, 700000, ++n);
	world_free(w);
}

/* a holder's download, cut and killed anywhere: everything is there in the end, once */
static void a_download_survives_cuts(void **state)
{
	struct world *w = world_full(seed);
	uint64_t length, step;
	unsigned n, cuts = 0;

	world_submit(w, VOLUNTEER0, 5000, 1, NULL);
	world_sync(w, VOLUNTEER0);
	world_release(w);
	length = length_of(w, HOLDER1);
	for (n = 2, step = 0; step <= length; n++, cuts++) {
		world_submit(w, VOLUNTEER0, 5000, n, NULL);
		world_sync(w, VOLUNTEER0);
		world_release(w);
		w->cut_at = step;
		(void)!world_try(w, HOLDER0);
		w->cut_at = WORLD_NO_CUT;
		world_reopen(w, HOLDER0);
		world_sync(w, HOLDER0);
		assert_true(world_has(w, HOLDER0, 5000, n));
		step += step < 96 ? 13 : 1 + length / 40;
	}
	assert_true(world_has(w, HOLDER0, 5000, 1));
	assert_int_equal(world_count(w, HOLDER0, "stmt/"), n - 1);
	assert_int_equal(world_count(w, HOLDER0, "want/"), 0);
	print_message("cuts: %u; records lost or twice: 0\n", cuts);
	world_free(w);
}

/* the store fails at its n-th commit: reported, and nothing is lost */
static void a_failing_store_loses_nothing(void **state)
{
	struct world *w = world_full(seed);
	unsigned n, failed = 0;

	for (n = 1; n <= 12; n++) {
		enum perr err;

		world_submit(w, VOLUNTEER0, 5000, n, NULL);
		world_sync(w, VOLUNTEER0);
		world_release(w);
		kv_mem_fail_commit(w->p[HOLDER0].kv, n);
		err = world_try(w, HOLDER0);
		failed += err == PERR_IO ? 1 : 0;
		assert_true(err == PERR_OK || err == PERR_IO);
		kv_mem_fail_commit(w->p[HOLDER0].kv, 0);
		world_reopen(w, HOLDER0);
		world_sync(w, HOLDER0);
		assert_true(world_has(w, HOLDER0, 5000, n));
		assert_int_equal(world_count(w, HOLDER0, "stmt/"), n);
	}
	assert_true(failed >= 3);
	world_free(w);
}

/* chunks released before their statement, and seen by the holder before it */
static void chunks_of_an_earlier_release_are_found_in_the_spool(void **state)
{
	struct world *w = world_full(seed);
	uint64_t length;

	world_submit(w, VOLUNTEER0, 600000, 1, NULL);
	length = length_of(w, VOLUNTEER0);
	world_release(w);
	world_sync(w, HOLDER0);
	world_submit(w, VOLUNTEER0, 600000, 2, NULL);
	w->cut_at = length * 2 / 3;
	(void)!world_try(w, VOLUNTEER0);
	w->cut_at = WORLD_NO_CUT;
	world_release(w);
	world_sync(w, HOLDER0);
	assert_int_equal(world_count(w, HOLDER0, "stmt/"), 1);
	assert_true(w->last.servers[0].pulled > 60);
	world_day(w, 1);
	world_sync(w, VOLUNTEER0);
	world_release(w);
	world_sync(w, HOLDER0);
	assert_int_equal(world_count(w, HOLDER0, "stmt/"), 2);
	assert_true(world_has(w, HOLDER0, 600000, 2));
	assert_int_equal(w->last.wants, 0);
	assert_int_equal(w->last.servers[0].notes & SYNC_N_RESCANNED, 0);
	world_free(w);
}

static void a_lost_spool_costs_one_rescan_a_day_later(void **state)
{
	struct world *w = world_full(seed);
	uint64_t length;

	world_submit(w, VOLUNTEER0, 600000, 1, NULL);
	length = length_of(w, VOLUNTEER0);
	world_release(w);
	world_sync(w, HOLDER0);
	world_submit(w, VOLUNTEER0, 600000, 2, NULL);
	w->cut_at = length * 2 / 3;
	(void)!world_try(w, VOLUNTEER0);
	w->cut_at = WORLD_NO_CUT;
	world_release(w);
	world_sync(w, HOLDER0);
	assert_int_equal(spool_clear(w->p[HOLDER0].spool), PERR_OK);
	world_sync(w, VOLUNTEER0);
	world_release(w);
	world_sync(w, HOLDER0);
	assert_int_equal(world_count(w, HOLDER0, "stmt/"), 2);
	assert_int_equal(w->last.wants, 1);
	assert_false(world_has(w, HOLDER0, 600000, 2));
	world_day(w, 1);
	world_sync(w, HOLDER0);
	assert_true(world_has(w, HOLDER0, 600000, 2));
	assert_int_equal(w->last.wants, 0);
	assert_true((w->last.servers[0].notes & SYNC_N_RESCANNED) != 0);
	world_sync(w, HOLDER0);
	assert_int_equal(w->last.servers[0].notes & SYNC_N_RESCANNED, 0);
	assert_int_equal(w->last.servers[0].pulled, 0);
	world_free(w);
}

static enum sync_choice answer;
static unsigned asked;
static struct sync_backlog asked_for;

static enum sync_choice on_backlog(void *ctx, const struct sync_backlog *b)
{
	asked++;
	asked_for = *b;
	return answer;
}

static enum perr sync_asking(struct world *w, enum world_who who, enum sync_choice a)
{
	struct sync_hooks hooks = { .backlog = on_backlog };

	answer = a;
	asked = 0;
	w->p[who].c->field->limits.light_bytes = 1;
	return sync_all(w->p[who].c, &w->net, w->p[who].spool, &hooks, &w->last);
}

static void a_backlog_can_be_put_off(void **state)
{
	struct world *w = world_full(seed);
	unsigned n;

	world_sync(w, HOLDER0);                  /* the roster of today */
	for (n = 1; n <= 5; n++)
		world_submit(w, VOLUNTEER0, 40000, n, NULL);
	world_sync(w, VOLUNTEER0);
	world_release(w);
	assert_int_equal(sync_asking(w, HOLDER0, SYNC_STOP), PERR_OK);
	assert_int_equal(asked, 2);
	assert_true(asked_for.cells >= 65 && asked_for.bytes == asked_for.cells * 4192);
	assert_true((w->last.servers[0].notes & SYNC_N_STOPPED) != 0);
	assert_int_equal(world_count(w, HOLDER0, "stmt/"), 0);
	assert_int_equal(sync_asking(w, HOLDER0, SYNC_GO), PERR_OK);
	assert_int_equal(world_count(w, HOLDER0, "stmt/"), 5);
	for (n = 1; n <= 5; n++)
		assert_true(world_has(w, HOLDER0, 40000, n));
	world_free(w);
}

/* heads, hits among others, then the chunks that the hits name */
static void the_light_mode_brings_the_same(void **state)
{
	struct world *w = world_full(seed);
	unsigned n;

	world_sync(w, HOLDER0);
	world_sync(w, COUNSEL);
	for (n = 1; n <= 30; n++)
		world_submit(w, n % 2 ? VOLUNTEER0 : VOLUNTEER1, n == 3 ? 50000 : 100, n, NULL);
	world_sync(w, VOLUNTEER0);
	world_sync(w, VOLUNTEER1);
	world_release(w);
	assert_int_equal(sync_asking(w, HOLDER0, SYNC_LIGHT), PERR_OK);
	assert_true((w->last.servers[0].notes & SYNC_N_LIGHT) != 0);
	assert_int_equal(world_count(w, HOLDER0, "stmt/"), 30);
	for (n = 1; n <= 30; n++)
		assert_true(world_has(w, HOLDER0, n == 3 ? 50000 : 100, n));
	/* and somebody for whom there is nothing fetches nothing */
	assert_int_equal(sync_asking(w, COUNSEL, SYNC_LIGHT), PERR_OK);
	assert_int_equal(w->last.servers[0].pulled, 0);
	world_free(w);
}

/* the same cells on two servers are worked on once */
static void two_servers_bring_each_record_once(void **state)
{
	struct world *w = world_full(seed);
	unsigned n;

	for (n = 1; n <= 8; n++)
		world_submit(w, VOLUNTEER0, 5000, n, NULL);
	world_sync(w, VOLUNTEER0);
	world_release(w);
	world_sync(w, HOLDER0);
	assert_int_equal(w->last.fresh, 8);
	assert_int_equal(w->last.servers[0].taken.fresh, 8);
	/* segments with the same cells are known by their digest */
	assert_int_equal(w->last.servers[1].pulled, 0);
	assert_int_equal(world_count(w, HOLDER0, "stmt/"), 8);
	world_free(w);
}

/* a phone whose keys are out of date reaches the bulletin as a guest, and goes on */
static void a_phone_with_retired_keys_finds_its_way(void **state)
{
	struct world *w = world_full(seed);

	world_sync(w, VOLUNTEER0);
	world_submit(w, VOLUNTEER0, 100, 1, NULL);
	memset(w->p[VOLUNTEER0].c->field->field_access, 0x55, 32);
	/* nothing newer there: it says so */
	assert_int_equal(world_try(w, VOLUNTEER0), PERR_AUTH);
	assert_string_not_equal(w->last.servers[0].why, "");
	assert_int_equal(world_waiting(w, VOLUNTEER0), 3);
	assert_int_equal(org_publish(w->p[ADMIN].c), PERR_OK);
	world_push(w);
	world_sync(w, VOLUNTEER0);
	assert_int_equal(world_waiting(w, VOLUNTEER0), 0);
	world_free(w);
}

/* what a record is sealed to is the key of the day, for half a year and after it */
static void prekeys_are_renewed_and_old_ones_still_open(void **state)
{
	struct world *w = world_full(seed);
	unsigned n;

	for (n = 1; n <= 8; n++) {
		world_submit(w, VOLUNTEER0, 100, n, NULL);
		world_sync(w, VOLUNTEER0);
		world_release(w);
		world_day(w, 2);
		world_sync(w, HOLDER0);
		world_sync(w, HOLDER1);
		assert_int_equal(world_count(w, HOLDER0, "stmt/"), n);
		world_release(w);
		for (unsigned d = 0; d < 14; d += 2) {
			world_day(w, 2);
			world_release(w);
		}
		world_sync(w, ADMIN);
		world_sync(w, VOLUNTEER0);
	}
	assert_true(world_count(w, HOLDER0, "prekey/") > 14);     /* a second batch */
	world_free(w);
}

/* so many cells a minute from one connection: the rest stays, and goes out in its time */
static void a_server_that_asks_to_wait_gets_the_rest_later(void **state)
{
	struct world *w = world_full(seed);
	unsigned i, left, all = 0, rounds = 0;

	for (i = 0; i < WORLD_SERVERS; i++)
		world_limit(w, i, 10);
	world_submit(w, VOLUNTEER0, 100000, 1, NULL);
	assert_true(world_waiting(w, VOLUNTEER0) > 25);
	/* the first visit tops the upload up with decoys (PROTOCOL 3.7), so all cells are counted */
	for (left = 0; world_waiting(w, VOLUNTEER0) > 0 && rounds < 20; left = w->last.to_send) {
		world_sync(w, VOLUNTEER0);
		for (i = 0; i < w->last.n_servers; i++)
			assert_true(w->last.servers[i].complete);
		if (world_waiting(w, VOLUNTEER0) > 0)
			assert_true((w->last.servers[0].notes & SYNC_N_LIMIT) != 0);
		/* each round is at least the allowance further on, and none is lost on the way */
		if (rounds++ == 0)
			all = w->last.to_send + 10;
		else
			assert_true(w->last.to_send <= left - (left < 10 ? left : 10));
		w->now += 60;
	}
	print_message("figure: asked to wait: %u cells in %u visits of 10; lost: 0\n", all, rounds);
	assert_int_equal(world_waiting(w, VOLUNTEER0), 0);
	assert_int_equal(world_cells(w, 0), world_cells(w, 1));
	world_release(w);
	world_sync(w, HOLDER0);
	assert_true(world_has(w, HOLDER0, 100000, 1));
	world_free(w);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_organisation_is_founded_and_a_record_arrives),
		cmocka_unit_test(up_to_date_is_three_round_trips),
		cmocka_unit_test(one_dead_server_stops_nobody),
		cmocka_unit_test(nobody_is_told_that_all_is_well_when_no_server_answers),
		cmocka_unit_test(an_upload_survives_a_cut_at_every_byte),
		cmocka_unit_test(servers_count_sizes_and_have_the_same_decoys),
		cmocka_unit_test(attorneys_fill_the_target_of_the_day),
		cmocka_unit_test(a_long_upload_goes_on_where_it_was_cut),
		cmocka_unit_test(a_download_survives_cuts),
		cmocka_unit_test(a_failing_store_loses_nothing),
		cmocka_unit_test(a_server_that_asks_to_wait_gets_the_rest_later),
		cmocka_unit_test(chunks_of_an_earlier_release_are_found_in_the_spool),
		cmocka_unit_test(a_lost_spool_costs_one_rescan_a_day_later),
		cmocka_unit_test(a_backlog_can_be_put_off),
		cmocka_unit_test(the_light_mode_brings_the_same),
		cmocka_unit_test(two_servers_bring_each_record_once),
		cmocka_unit_test(a_phone_with_retired_keys_finds_its_way),
		cmocka_unit_test(prekeys_are_renewed_and_old_ones_still_open),
	};

	if (sodium_init() < 0)
		return 1;
	if (getenv("AMPARO_SEED") != NULL)
		seed = (unsigned)strtoul(getenv("AMPARO_SEED"), NULL, 10);
	print_message("seed %u\n", seed);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
