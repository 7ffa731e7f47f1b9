/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * A family withdraws its consent: a holder asks two servers to forget a record; it rests, is
 * voided, is asked for again, and goes; a late copy stays out.  The stream is cut on the way.
 */
#include "world.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "blob.h"
#include "case.h"
#include "erase.h"
#include "steward.h"

static unsigned seed = 1;

struct only {
	uint8_t record[STATEMENT_RECORD_SIZE];
	unsigned n;
	const uint8_t *not_this;
};

static enum perr take_first(void *arg, const struct case_summary *s)
{
	struct only *o = arg;

	if (o->not_this != NULL && memcmp(s->record, o->not_this, STATEMENT_RECORD_SIZE) == 0)
		return PERR_OK;
	memcpy(o->record, s->record, STATEMENT_RECORD_SIZE);
	o->n++;
	return PERR_OK;
}

/* the one record of this person, or the one that is not `other` */
static void record_of(struct world *w, enum world_who who, const uint8_t *other,
                      uint8_t record[STATEMENT_RECORD_SIZE])
{
	struct only o = { .not_this = other };

	assert_int_equal(case_refresh(w->p[who].c), PERR_OK);
	assert_int_equal(case_each(w->p[who].c, take_first, &o, NULL), PERR_OK);
	assert_int_equal(o.n, 1);
	memcpy(record, o.record, STATEMENT_RECORD_SIZE);
}

static struct steward_figures figures(struct world *w, unsigned server)
{
	struct steward_server r;

	assert_int_equal(steward_visit(w->p[ADMIN].c, &w->net, server, STEWARD_STATUS, &r), PERR_OK);
	assert_true(r.has_status);
	return r.st;
}

static unsigned waiting(struct world *w, enum world_who who)
{
	unsigned n;

	assert_int_equal(erase_waiting(w->p[who].c, &n), PERR_OK);
	return n;
}

/* the server's clock goes on as it would: a release a day */
static void days(struct world *w, int n)
{
	while (n-- > 0) {
		world_day(w, 1);
		world_release(w);
	}
}

static void an_erasure_rests_is_voided_is_asked_again_and_is_applied(void **state)
{
	struct world *w = world_full(seed);
	uint8_t record[STATEMENT_RECORD_SIZE];
	uint64_t before[WORLD_SERVERS];
	struct steward_server r;
	struct erase_sum sum;
	uint32_t cells = 1 + blob_n_chunks(20000), i;

	world_submit(w, VOLUNTEER0, 20000, 1, NULL);
	world_sync(w, VOLUNTEER0);
	world_release(w);
	world_sync(w, HOLDER0);
	world_sync(w, HOLDER1);
	/* what holders tell each other of it is said the day after */
	days(w, 1);
	world_sync_on(w, HOLDER0);
	world_sync_on(w, HOLDER1);
	world_release(w);
	record_of(w, HOLDER0, NULL, record);
	for (i = 0; i < WORLD_SERVERS; i++)
		before[i] = world_cells(w, i);
	assert_int_equal(erase_record(w->p[HOLDER0].c, record, &sum), PERR_OK);
	assert_int_equal(sum.statements, 1);
	assert_int_equal(sum.untraced, 0);
	assert_int_equal(sum.cells, cells);
	assert_int_equal(sum.unnamed, 0);
	assert_int_equal(waiting(w, HOLDER0), cells);
	world_sync(w, HOLDER0);
	assert_int_equal(w->last.servers[0].erasures, cells);
	assert_int_equal(w->last.servers[1].erasures, cells);
	assert_int_equal(waiting(w, HOLDER0), 0);
	/* asked once: the next sync says nothing of it */
	world_sync(w, HOLDER0);
	assert_int_equal(w->last.servers[0].erasures, 0);
	for (i = 0; i < WORLD_SERVERS; i++) {
		assert_int_equal(figures(w, i).erasures, cells);
		assert_true(figures(w, i).erase_day > figures(w, i).day + 1);
	}
	/* it rests */
	days(w, 2);
	for (i = 0; i < WORLD_SERVERS; i++)
		assert_int_equal(world_cells(w, i), before[i]);
	/* the stewards void it; days later everything is still there */
	for (i = 0; i < WORLD_SERVERS; i++) {
		assert_int_equal(steward_void(w->p[ADMIN].c, &w->net, i, NULL, 0, &r), PERR_OK);
		assert_int_equal(r.voided, cells);
		assert_int_equal(r.st.erasures, 0);
		assert_int_equal(r.st.erase_day, 0);
	}
	days(w, 3);
	for (i = 0; i < WORLD_SERVERS; i++)
		assert_int_equal(world_cells(w, i), before[i]);
	world_sync(w, HOLDER0);
	assert_int_equal(w->last.servers[0].erasures, 0);       /* not by itself */
	/* asked again, it rests again, and goes */
	assert_int_equal(erase_record(w->p[HOLDER0].c, record, &sum), PERR_OK);
	world_sync(w, HOLDER0);
	assert_int_equal(w->last.servers[1].erasures, cells);
	days(w, 1);
	for (i = 0; i < WORLD_SERVERS; i++)
		assert_int_equal(world_cells(w, i), before[i]);
	days(w, 2);
	for (i = 0; i < WORLD_SERVERS; i++) {
		assert_int_equal(world_cells(w, i), before[i] - cells);
		assert_int_equal(figures(w, i).erasures, 0);
		assert_int_equal(steward_void(w->p[ADMIN].c, &w->net, i, NULL, 0, &r), PERR_OK);
		assert_int_equal(r.voided, 0);          /* too late */
	}
	/* the co-holder had it already and keeps it; her own cell is hers to erase */
	assert_int_equal(world_count(w, HOLDER1, "stmt/"), 1);
	assert_true(world_has(w, HOLDER1, 20000, 1));
	record_of(w, HOLDER1, NULL, record);
	assert_int_equal(erase_record(w->p[HOLDER1].c, record, &sum), PERR_OK);
	assert_int_equal(sum.cells, cells);             /* her own one, and the shared chunks */
	world_sync(w, HOLDER1);
	assert_int_equal(figures(w, 0).erasures, 1);    /* the chunks are gone already */
	days(w, 3);
	for (i = 0; i < WORLD_SERVERS; i++)
		assert_int_equal(world_cells(w, i), before[i] - cells - 1);
	world_free(w);
}

/* A photograph that came before under another key: its chunks have no id in the vault. */
static void chunks_without_an_id_are_found(void **state)
{
	int lost_spool;

	for (lost_spool = 0; lost_spool < 2; lost_spool++) {
		struct world *w = world_full(seed);
		uint8_t first[STATEMENT_RECORD_SIZE], record[STATEMENT_RECORD_SIZE];
		uint64_t before[WORLD_SERVERS];
		uint32_t cells = 1 + blob_n_chunks(30000), i;
		struct erase_sum sum;

		world_submit(w, VOLUNTEER0, 30000, 1, NULL);
		world_sync(w, VOLUNTEER0);
		world_release(w);
		world_sync(w, HOLDER0);
		record_of(w, HOLDER0, NULL, first);
		world_submit(w, VOLUNTEER1, 30000, 1, NULL);
		world_sync(w, VOLUNTEER1);
		world_release(w);
		world_sync(w, HOLDER0);
		record_of(w, HOLDER0, first, record);
		for (i = 0; i < WORLD_SERVERS; i++)
			before[i] = world_cells(w, i);
		if (lost_spool)
			assert_int_equal(spool_clear(w->p[HOLDER0].spool), PERR_OK);
		assert_int_equal(erase_record(w->p[HOLDER0].c, record, &sum), PERR_OK);
		assert_int_equal(sum.cells, cells);
		assert_int_equal(sum.unnamed, cells - 1);
		world_sync(w, HOLDER0);
		for (i = 0; i < WORLD_SERVERS; i++) {
			assert_int_equal(w->last.servers[i].erasures, cells);
			assert_int_equal(figures(w, i).erasures, cells);
		}
		assert_int_equal(waiting(w, HOLDER0), 0);
		days(w, 3);
		for (i = 0; i < WORLD_SERVERS; i++)
			assert_int_equal(world_cells(w, i), before[i] - cells);
		/* the other family's is whole */
		assert_true(world_has(w, HOLDER0, 30000, 1));
		world_sync(w, HOLDER1);
		assert_int_equal(world_count(w, HOLDER1, "stmt/"), 2);
		assert_true(world_has(w, HOLDER1, 30000, 1));
		world_free(w);
	}
}

/* A record too long for one cell: the cell that names it, its chunks, and the photograph's. */
static void all_cells_of_a_spilled_record_go(void **state)
{
	struct world *w = world_full(seed);
	uint8_t record[STATEMENT_RECORD_SIZE];
	struct erase_sum sum;
	uint64_t before = world_cells(w, 0), added;
	unsigned real;

	w->instance = 9000;
	world_submit(w, VOLUNTEER0, 5000, 1, NULL);
	real = world_waiting(w, VOLUNTEER0);
	world_sync(w, VOLUNTEER0);
	added = world_cells(w, 0) - before;
	assert_true(real > 2 + blob_n_chunks(5000) + 2);
	world_release(w);
	world_sync(w, HOLDER0);
	record_of(w, HOLDER0, NULL, record);
	assert_int_equal(erase_record(w->p[HOLDER0].c, record, &sum), PERR_OK);
	assert_int_equal(sum.untraced, 0);
	assert_int_equal(sum.unnamed, 0);
	assert_int_equal(sum.cells, real - 1);          /* all but the co-holder's own */
	world_sync(w, HOLDER0);
	days(w, 3);
	/* hers and the decoys of the upload stay */
	assert_int_equal(world_cells(w, 0), before + added - sum.cells);
	world_free(w);
}

static void a_server_that_was_down_is_asked_when_it_is_back(void **state)
{
	struct world *w = world_full(seed);
	uint8_t record[STATEMENT_RECORD_SIZE];
	struct erase_sum sum;
	uint64_t before;

	world_submit(w, VOLUNTEER0, 9000, 1, NULL);
	world_sync(w, VOLUNTEER0);
	world_release(w);
	world_sync(w, HOLDER0);
	record_of(w, HOLDER0, NULL, record);
	before = world_cells(w, 1);
	world_stop(w, 1);
	assert_int_equal(erase_record(w->p[HOLDER0].c, record, &sum), PERR_OK);
	world_sync(w, HOLDER0);
	assert_int_equal(waiting(w, HOLDER0), sum.cells);
	days(w, 3);
	world_start(w, 1);
	world_reopen(w, HOLDER0);
	world_sync(w, HOLDER0);
	assert_int_equal(waiting(w, HOLDER0), 0);
	/* it rests there from the day on which it was asked for there */
	assert_int_equal(figures(w, 1).erasures, sum.cells);
	assert_int_equal(figures(w, 0).erasures, 0);
	days(w, 3);
	assert_int_equal(world_cells(w, 1), before - sum.cells);
	world_free(w);
}

/* The second copy arrives after the erasure was asked for: that server is asked again. */
static void a_second_copy_that_comes_late_is_erased_too(void **state)
{
	struct world *w = world_full(seed);
	uint8_t record[STATEMENT_RECORD_SIZE];
	struct erase_sum sum;
	uint64_t before, added;

	before = world_cells(w, 1);
	world_stop(w, 1);
	world_submit(w, VOLUNTEER0, 9000, 1, NULL);
	world_sync(w, VOLUNTEER0);
	world_release(w);
	world_sync(w, HOLDER0);
	record_of(w, HOLDER0, NULL, record);
	world_start(w, 1);
	assert_int_equal(erase_record(w->p[HOLDER0].c, record, &sum), PERR_OK);
	world_sync(w, HOLDER0);
	assert_int_equal(figures(w, 0).erasures, sum.cells);
	assert_int_equal(figures(w, 1).erasures, 0);
	assert_int_equal(waiting(w, HOLDER0), 0);
	/* here it comes */
	world_sync(w, VOLUNTEER0);
	added = world_cells(w, 1) - before;
	assert_true(added > sum.cells);
	world_release(w);
	world_sync(w, HOLDER0);
	assert_int_equal(figures(w, 1).erasures, sum.cells);
	days(w, 3);
	world_sync(w, HOLDER0);
	/* the co-holder's own, and decoys */
	assert_int_equal(world_cells(w, 1), before + added - sum.cells);
	/* after a while nobody is asked any more and nothing is kept of it */
	assert_int_equal(world_count(w, HOLDER0, "erase/"), 0);
	world_free(w);
}

static void erasing_survives_a_cut_at_every_frame(void **state)
{
	struct world *w = world_full(seed);
	uint8_t record[STATEMENT_RECORD_SIZE];
	struct steward_server r;
	struct erase_sum sum;
	unsigned cuts = 0, i;
	uint64_t length, cut;

	/* more than one frame of erasures */
	world_submit(w, VOLUNTEER0, 400000, 1, NULL);
	world_sync(w, VOLUNTEER0);
	world_release(w);
	world_sync(w, HOLDER0);
	record_of(w, HOLDER0, NULL, record);
	assert_int_equal(erase_record(w->p[HOLDER0].c, record, &sum), PERR_OK);
	assert_int_equal(sum.cells, 1 + blob_n_chunks(400000));
	w->longest = 0;
	world_sync(w, HOLDER0);
	length = w->longest;
	for (cut = 1; cut <= length + 1; cut += 1371, cuts++) {
		for (i = 0; i < WORLD_SERVERS; i++)
			assert_int_equal(steward_void(w->p[ADMIN].c, &w->net, i, NULL, 0, &r), PERR_OK);
		assert_int_equal(erase_record(w->p[HOLDER0].c, record, &sum), PERR_OK);
		w->cut_at = cut;
		(void)!world_try(w, HOLDER0);
		w->cut_at = WORLD_NO_CUT;
		world_reopen(w, HOLDER0);
		world_sync(w, HOLDER0);
		assert_int_equal(waiting(w, HOLDER0), 0);
		for (i = 0; i < WORLD_SERVERS; i++)
			assert_int_equal(figures(w, i).erasures, sum.cells);
	}
	printf("figure: cuts while erasing: %u; erasures lost: 0\n", cuts);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_erasure_rests_is_voided_is_asked_again_and_is_applied),
		cmocka_unit_test(chunks_without_an_id_are_found),
		cmocka_unit_test(all_cells_of_a_spilled_record_go),
		cmocka_unit_test(a_server_that_was_down_is_asked_when_it_is_back),
		cmocka_unit_test(a_second_copy_that_comes_late_is_erased_too),
		cmocka_unit_test(erasing_survives_a_cut_at_every_frame),
	};

	if (sodium_init() < 0)
		return 1;
	if (getenv("SEED") != NULL)
		seed = (unsigned)strtoul(getenv("SEED"), NULL, 10);
	printf("seed %u\n", seed);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
