/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "kv_mem.h"
#include "outbox.h"
#include "roster.h"

#define MANY 700                 /* three parts */

static struct roster_server servers[3];
static struct roster_field field;
static struct client c;
static const uint8_t A[32] = { 1 }, B[32] = { 2 }, X[32] = { 9 };

static int64_t now(void *ctx)
{
	(void)ctx;
	return (int64_t)20000 * 86400;
}

static int begin(void **state)
{
	memset(&c, 0, sizeof c);
	memset(&field, 0, sizeof field);
	memcpy(servers[0].pk, A, 32);
	memcpy(servers[1].pk, B, 32);
	field.servers = servers;
	field.n_servers = 2;
	field.limits.copies = 2;
	c.kv = kv_mem_new();
	c.field = &field;
	c.env.rng = rng_system();
	c.env.now = now;
	return c.kv == NULL;
}

static int end(void **state)
{
	kv_mem_free(c.kv);
	return 0;
}

static uint32_t add(size_t n)
{
	uint8_t *cells = malloc(n * CELL_SIZE);
	uint32_t group;
	size_t i;

	for (i = 0; i < n; i++) {
		memset(cells + i * CELL_SIZE, (int)(i & 0xff), CELL_SIZE);
		cells[i * CELL_SIZE] = (uint8_t)(i >> 8);
	}
	assert_int_equal(kv_begin(c.kv), PERR_OK);
	assert_int_equal(outbox_add(&c, cells, n, &group), PERR_OK);
	assert_int_equal(kv_commit(c.kv), PERR_OK);
	free(cells);
	return group;
}

struct list {
	uint64_t numbers[MANY + 100];
	size_t n;
	bool right;              /* each cell is the one its place names */
};

static enum perr take(void *arg, uint64_t number, const uint8_t cell[CELL_SIZE])
{
	struct list *l = arg;
	uint32_t i = number % OUTBOX_GROUP_MAX;

	l->right = (l->n == 0 || l->right) && cell[0] == (uint8_t)(i >> 8) &&
	           cell[1] == (uint8_t)i && (l->n == 0 || l->numbers[l->n - 1] < number);
	l->numbers[l->n++] = number;
	return PERR_OK;
}

static void next(const uint8_t pk[32], uint64_t after, unsigned max, struct list *l)
{
	l->n = 0;
	assert_int_equal(outbox_next(&c, pk, after, max, take, l), PERR_OK);
}

static void wait_for(unsigned submissions, unsigned cells, unsigned on_one)
{
	struct outbox_counts k;

	assert_int_equal(outbox_counts(&c, &k), PERR_OK);
	assert_int_equal(k.submissions, submissions);
	assert_int_equal(k.cells, cells);
	assert_int_equal(k.on_one, on_one);
}

static enum perr count(void *arg, const char *name)
{
	(*(unsigned *)arg)++;
	return PERR_OK;
}

static unsigned records(void)
{
	unsigned n = 0;

	assert_int_equal(kv_each_name(c.kv, "", count, &n), PERR_OK);
	return n;
}

static void a_submission_is_few_records(void **state)
{
	add(70);
	assert_int_equal(records(), 3);          /* cells, acknowledgements, last number */
	wait_for(1, 70, 0);
}

static void cells_come_in_the_order_of_sending(void **state)
{
	static struct list l;
	uint32_t g = add(3), h = add(MANY);

	next(A, 0, 1000, &l);
	assert_int_equal(l.n, 3 + MANY);
	assert_true(l.right);
	assert_int_equal(l.numbers[0], (uint64_t)g * OUTBOX_GROUP_MAX);
	assert_int_equal(l.numbers[l.n - 1], (uint64_t)h * OUTBOX_GROUP_MAX + MANY - 1);
	next(A, l.numbers[299], 64, &l);
	assert_int_equal(l.n, 64);
	assert_int_equal(l.numbers[0], (uint64_t)h * OUTBOX_GROUP_MAX + 297);
	assert_true(l.right);
}

static void a_cell_leaves_only_when_enough_servers_have_it(void **state)
{
	static struct list l;

	add(5);
	next(A, 0, 100, &l);
	assert_int_equal(outbox_committed(&c, A, l.numbers, 5, NULL), PERR_OK);
	wait_for(1, 5, 1);
	next(A, 0, 100, &l);
	assert_int_equal(l.n, 0);
	next(B, 0, 100, &l);
	assert_int_equal(l.n, 5);
	assert_int_equal(outbox_committed(&c, B, l.numbers, 4, NULL), PERR_OK);
	wait_for(1, 1, 1);
	assert_int_equal(outbox_committed(&c, B, l.numbers + 4, 1, NULL), PERR_OK);
	wait_for(0, 0, 0);
	assert_int_equal(records(), 1);          /* only the last number */
}

static void the_same_server_twice_is_one_copy(void **state)
{
	static struct list l;

	add(5);
	next(A, 0, 100, &l);
	assert_int_equal(outbox_committed(&c, A, l.numbers, 5, NULL), PERR_OK);
	assert_int_equal(outbox_committed(&c, A, l.numbers, 5, NULL), PERR_OK);
	wait_for(1, 5, 1);
}

static void a_server_that_is_not_in_the_roster_is_no_copy(void **state)
{
	static struct list l;

	add(5);
	next(X, 0, 100, &l);
	assert_int_equal(outbox_committed(&c, X, l.numbers, 5, NULL), PERR_OK);
	assert_int_equal(outbox_committed(&c, A, l.numbers, 5, NULL), PERR_OK);
	wait_for(1, 5, 1);
	/* dropped after a seizure: what it had counts no more */
	field.n_servers = 1;
	memcpy(servers[0].pk, B, 32);
	wait_for(1, 5, 0);
	next(B, 0, 100, &l);
	assert_int_equal(l.n, 5);
}

static void fewer_copies_free_what_waits(void **state)
{
	static struct list l;

	add(MANY);
	next(A, 0, 1000, &l);
	assert_int_equal(outbox_committed(&c, A, l.numbers, MANY, NULL), PERR_OK);
	wait_for(1, MANY, 1);
	field.limits.copies = 1;
	assert_int_equal(outbox_tidy(&c), PERR_OK);
	wait_for(0, 0, 0);
	assert_int_equal(records(), 1);
}

static void parts_are_erased_one_by_one(void **state)
{
	static struct list l;
	unsigned before;

	field.limits.copies = 1;
	add(MANY);
	before = records();
	next(A, 0, 1000, &l);
	assert_int_equal(outbox_committed(&c, A, l.numbers, 300, NULL), PERR_OK);
	assert_int_equal(records(), before - 1);
	wait_for(1, MANY - 300, 0);
	next(B, 0, 1000, &l);                    /* the first part is gone for it too */
	assert_int_equal(l.n, MANY - OUTBOX_PART);
	assert_true(l.right);
}

static void a_failed_commit_loses_no_cell(void **state)
{
	static struct list l;

	field.limits.copies = 1;
	add(5);
	next(A, 0, 100, &l);
	kv_mem_fail_commit(c.kv, 1);
	assert_int_equal(outbox_committed(&c, A, l.numbers, 5, NULL), PERR_IO);
	wait_for(1, 5, 0);
	next(A, 0, 100, &l);
	assert_int_equal(l.n, 5);
}

static void unknown_numbers_change_nothing(void **state)
{
	uint64_t far[3] = { 7, 999 * (uint64_t)OUTBOX_GROUP_MAX, UINT64_MAX };
	uint32_t g = add(2);
	uint64_t beyond = (uint64_t)g * OUTBOX_GROUP_MAX + 2;

	assert_int_equal(outbox_committed(&c, A, far, 3, NULL), PERR_OK);
	assert_int_equal(outbox_committed(&c, A, &beyond, 1, NULL), PERR_OK);
	wait_for(1, 2, 0);
}

static void sizes_out_of_range_are_refused(void **state)
{
	uint32_t g;

	assert_int_equal(kv_begin(c.kv), PERR_OK);
	assert_int_equal(outbox_add(&c, (const uint8_t *)"", 0, &g), PERR_RANGE);
	assert_int_equal(outbox_add(&c, (const uint8_t *)"", OUTBOX_GROUP_MAX, &g), PERR_RANGE);
	kv_abort(c.kv);
}

static void damaged_records_are_noticed(void **state)
{
	static struct list l;

	add(2);
	assert_int_equal(kv_begin(c.kv), PERR_OK);
	assert_int_equal(kv_put(c.kv, "outbox/000000000001.0000", (const uint8_t *)"x", 1), PERR_OK);
	assert_int_equal(kv_commit(c.kv), PERR_OK);
	assert_int_equal(outbox_next(&c, A, 0, 10, take, &l), PERR_CORRUPT);
}

/* ---- mixing ------------------------------------------------------------------------------------- */

#define DECOY 0xd0               /* the first byte of what is no real cell here */

static void mix(size_t n_decoys)
{
	uint8_t *decoys = malloc((n_decoys + 1) * CELL_SIZE);

	memset(decoys, DECOY, (n_decoys + 1) * CELL_SIZE);
	assert_int_equal(kv_begin(c.kv), PERR_OK);
	assert_int_equal(outbox_mix(&c, 10000, decoys, n_decoys), PERR_OK);
	assert_int_equal(kv_commit(c.kv), PERR_OK);
	free(decoys);
}

struct order {
	uint64_t numbers[MANY + 400];
	uint8_t first[MANY + 400][2];    /* the first two bytes of each cell */
	size_t n;
};

static enum perr see_order(void *arg, uint64_t number, const uint8_t cell[CELL_SIZE])
{
	struct order *o = arg;

	o->numbers[o->n] = number;
	memcpy(o->first[o->n++], cell, 2);
	return PERR_OK;
}

static void order(const uint8_t pk[32], struct order *o)
{
	o->n = 0;
	assert_int_equal(outbox_next(&c, pk, 0, 10000, see_order, o), PERR_OK);
}

static unsigned fresh(unsigned max)
{
	unsigned n;

	assert_int_equal(outbox_fresh(&c, max, &n), PERR_OK);
	return n;
}

/* the real cells of `add` in their order, submission after submission; decoys anywhere */
static void expect_order(const struct order *o, const unsigned *sizes, unsigned n_sizes,
                         size_t n_decoys)
{
	size_t i, real = 0, decoys = 0;
	unsigned s = 0;

	for (i = 0; i < o->n; i++) {
		if (o->first[i][0] == DECOY) {
			decoys++;
			continue;
		}
		assert_true(s < n_sizes);
		assert_int_equal(o->first[i][0] << 8 | o->first[i][1], real);
		if (++real == sizes[s]) {
			real = 0;
			s++;
		}
	}
	assert_int_equal(s, n_sizes);
	assert_int_equal(decoys, n_decoys);
}

static void real_cells_keep_their_order_among_the_decoys(void **state)
{
	static const unsigned sizes[] = { 3, MANY, 1 };
	static struct order o, again;

	add(3);
	add(MANY);
	add(1);
	assert_int_equal(fresh(10000), MANY + 4);
	mix(300);
	assert_int_equal(fresh(10000), 0);
	order(A, &o);
	assert_int_equal(o.n, MANY + 304);
	expect_order(&o, sizes, 3, 300);
	/* the same ones in the same order for another server, and after a cut */
	order(B, &again);
	assert_memory_equal(&o, &again, sizeof o);
	/* parts of one group, its acknowledgements, the last number: nothing of before is left */
	assert_int_equal(records(), 4 + 1 + 1);
}

/* chi square of how often a decoy stood at each of six places, two decoys a run */
static double spread(const unsigned at[6], unsigned runs)
{
	double chi = 0, expect = runs / 3.0;
	unsigned k;

	for (k = 0; k < 6; k++)
		chi += (at[k] - expect) * (at[k] - expect) / expect;
	return chi;
}

static void a_decoy_is_equally_likely_at_every_place(void **state)
{
	const unsigned runs = 3000;
	unsigned at[6] = { 0 }, i, k;
	static struct order o;
	unsigned behind[6] = { 0, 0, 0, 0, runs, runs };

	field.limits.copies = 1;
	for (i = 0; i < runs; i++) {
		add(4);
		mix(2);
		order(A, &o);
		assert_int_equal(o.n, 6);
		for (k = 0; k < 6; k++)
			at[k] += o.first[k][0] == DECOY;
		assert_int_equal(outbox_committed(&c, A, o.numbers, 6, NULL), PERR_OK);
	}
	/* 5 degrees of freedom and fewer: 30 comes once in 7e4 runs */
	assert_true(spread(at, runs) < 30);
	assert_true(spread(behind, runs) > 30);  /* control: decoys behind the real cells */
}

static void decoys_count_as_nothing_for_a_person(void **state)
{
	struct outbox_counts k;
	static struct order o;
	unsigned whole;
	size_t i, first = 0;

	add(2);
	add(3);
	mix(13);
	wait_for(2, 5, 0);
	assert_int_equal(outbox_counts(&c, &k), PERR_OK);
	assert_int_equal(k.to_send, 18);
	order(A, &o);
	/* up to the last cell of the first submission */
	for (i = 0; first < 2; i++)
		first += o.first[i][0] != DECOY;
	assert_int_equal(outbox_committed(&c, A, o.numbers, i, &whole), PERR_OK);
	assert_int_equal(whole, 1);
	wait_for(2, 5, 1);
	assert_int_equal(outbox_committed(&c, B, o.numbers, i, &whole), PERR_OK);
	assert_int_equal(whole, 1);
	wait_for(1, 3, 0);
	assert_int_equal(outbox_committed(&c, A, o.numbers, 18, &whole), PERR_OK);
	assert_int_equal(whole, 1);
	assert_int_equal(outbox_committed(&c, B, o.numbers, 18, &whole), PERR_OK);
	wait_for(0, 0, 0);
	assert_int_equal(records(), 1);
	/* decoys alone are no submission */
	mix(18);
	wait_for(0, 0, 0);
	order(A, &o);
	assert_int_equal(o.n, 18);
	assert_int_equal(outbox_committed(&c, A, o.numbers, 18, &whole), PERR_OK);
	assert_int_equal(whole, 0);
}

static void what_a_server_has_a_part_of_is_not_mixed_again(void **state)
{
	static struct order o;

	add(5);
	order(A, &o);
	assert_int_equal(outbox_committed(&c, A, o.numbers, 2, NULL), PERR_OK);
	assert_int_equal(fresh(10000), 0);
	add(7);
	assert_int_equal(fresh(10000), 7);
	mix(11);
	order(A, &o);
	assert_int_equal(o.n, 3 + 18);
	assert_int_equal(fresh(10000), 0);
	mix(0);                                  /* nothing is fresh: nothing happens */
	order(A, &o);
	assert_int_equal(o.n, 3 + 18);
}

static void a_long_queue_is_several_uploads(void **state)
{
	unsigned i;

	for (i = 0; i < 4; i++)
		add(10);
	assert_int_equal(fresh(35), 30);
	assert_int_equal(fresh(5), 10);          /* one at least */
	assert_int_equal(kv_begin(c.kv), PERR_OK);
	assert_int_equal(outbox_mix(&c, 35, NULL, 0), PERR_OK);
	assert_int_equal(kv_commit(c.kv), PERR_OK);
	assert_int_equal(fresh(35), 10);
	wait_for(4, 40, 0);
}

static void a_failed_mixing_changes_nothing(void **state)
{
	static struct order o;
	uint8_t *decoys = calloc(13, CELL_SIZE);

	add(5);
	assert_int_equal(kv_begin(c.kv), PERR_OK);
	assert_int_equal(outbox_mix(&c, 100, decoys, 13), PERR_OK);
	kv_mem_fail_commit(c.kv, 1);
	assert_int_equal(kv_commit(c.kv), PERR_IO);
	kv_abort(c.kv);
	assert_int_equal(fresh(100), 5);
	order(A, &o);
	assert_int_equal(o.n, 5);
	assert_int_equal(kv_begin(c.kv), PERR_OK);
	assert_int_equal(outbox_mix(&c, 100, decoys, OUTBOX_GROUP_MAX - 5), PERR_RANGE);
	kv_abort(c.kv);
	free(decoys);
}

/* ---- own documents ---------------------------------------------------------------------------- */

struct seen {
	unsigned n;
	struct post last;
	char slot[POST_SLOT_MAX + 1];
};

static enum perr see(void *arg, const char *slot, const struct post *p)
{
	struct seen *s = arg;

	s->n++;
	s->last = *p;
	snprintf(s->slot, sizeof s->slot, "%s", slot);
	return PERR_OK;
}

static unsigned due(const uint8_t pk[32], struct seen *s)
{
	memset(s, 0, sizeof *s);
	assert_int_equal(post_each_due(&c, pk, see, s), PERR_OK);
	return s->n;
}

static void post(const char *slot, int fill, uint8_t id[32])
{
	struct post p = { .kind = POST_BOARD };

	memset(p.cell, fill, sizeof p.cell);
	memset(p.ds, fill, sizeof p.ds);
	cell_id(id, p.cell);
	assert_int_equal(kv_begin(c.kv), PERR_OK);
	assert_int_equal(post_add(&c, slot, &p), PERR_OK);
	assert_int_equal(kv_commit(c.kv), PERR_OK);
}

static void a_newer_document_replaces_the_older_on_each_server(void **state)
{
	static const uint8_t d0[32] = { 1 };
	uint8_t id1[32], id2[32];
	struct seen s;
	bool everywhere;

	post("batch", 1, id1);
	assert_int_equal(due(A, &s), 1);
	assert_false(s.last.has_old);
	assert_string_equal(s.slot, "batch");
	assert_int_equal(post_done(&c, A, "batch", id1, d0), PERR_OK);
	assert_int_equal(due(A, &s), 0);
	assert_int_equal(due(B, &s), 1);
	post("batch", 2, id2);
	assert_int_equal(due(A, &s), 1);
	assert_true(s.last.has_old);
	assert_int_equal(s.last.old_ds[0], 1);
	assert_int_equal(due(B, &s), 1);
	assert_false(s.last.has_old);
	/* an answer for the older one, that came late */
	assert_int_equal(post_done(&c, B, "batch", id1, d0), PERR_OK);
	assert_int_equal(due(B, &s), 1);
	assert_int_equal(post_done(&c, A, "batch", id2, d0), PERR_OK);
	assert_int_equal(post_is_everywhere(&c, "batch", &everywhere), PERR_OK);
	assert_false(everywhere);
	assert_int_equal(post_done(&c, B, "batch", id2, d0), PERR_OK);
	assert_int_equal(post_is_everywhere(&c, "batch", &everywhere), PERR_OK);
	assert_true(everywhere);
}

static void a_cleared_board_gets_its_documents_again(void **state)
{
	static const uint8_t d0[32] = { 1 }, d1[32] = { 2 };
	uint8_t id[32];
	struct seen s;

	post("batch", 1, id);
	assert_int_equal(post_done(&c, A, "batch", id, d0), PERR_OK);
	/* not shown yet, but nothing was released since */
	assert_int_equal(post_check_board(&c, A, d0, NULL, 0), PERR_OK);
	assert_int_equal(due(A, &s), 0);
	assert_int_equal(post_check_board(&c, A, d1, (const uint8_t (*)[32])&id, 1), PERR_OK);
	assert_int_equal(due(A, &s), 0);
	assert_int_equal(post_check_board(&c, A, d1, NULL, 0), PERR_OK);
	assert_int_equal(due(A, &s), 1);
	assert_true(s.last.has_old);
}

static void slots_do_not_disturb_each_other(void **state)
{
	uint8_t id1[32], id2[32];
	struct seen s;
	unsigned n;

	post("batch", 1, id1);
	post("charter/00", 2, id2);
	assert_int_equal(due(A, &s), 2);
	assert_int_equal(post_done(&c, A, "batch", id2, A), PERR_OK);
	assert_int_equal(due(A, &s), 2);
	assert_int_equal(kv_begin(c.kv), PERR_OK);
	assert_int_equal(post_drop(&c, "batch"), PERR_OK);
	assert_int_equal(kv_commit(c.kv), PERR_OK);
	assert_int_equal(due(A, &s), 1);
	assert_int_equal(post_count_due(&c, &n), PERR_OK);
	assert_int_equal(n, 1);
	assert_int_equal(post_done(&c, A, "batch", id1, A), PERR_OK);
}

#define CLAIM(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLAIM(a_submission_is_few_records),
		CLAIM(cells_come_in_the_order_of_sending),
		CLAIM(a_cell_leaves_only_when_enough_servers_have_it),
		CLAIM(the_same_server_twice_is_one_copy),
		CLAIM(a_server_that_is_not_in_the_roster_is_no_copy),
		CLAIM(fewer_copies_free_what_waits),
		CLAIM(parts_are_erased_one_by_one),
		CLAIM(a_failed_commit_loses_no_cell),
		CLAIM(unknown_numbers_change_nothing),
		CLAIM(sizes_out_of_range_are_refused),
		CLAIM(damaged_records_are_noticed),
		CLAIM(real_cells_keep_their_order_among_the_decoys),
		CLAIM(a_decoy_is_equally_likely_at_every_place),
		CLAIM(decoys_count_as_nothing_for_a_person),
		CLAIM(what_a_server_has_a_part_of_is_not_mixed_again),
		CLAIM(a_long_queue_is_several_uploads),
		CLAIM(a_failed_mixing_changes_nothing),
		CLAIM(a_newer_document_replaces_the_older_on_each_server),
		CLAIM(a_cleared_board_gets_its_documents_again),
		CLAIM(slots_do_not_disturb_each_other),
	};

	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
