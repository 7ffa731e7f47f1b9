/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What a store keeps beside cells: the board, answers to invitations, the bulletin. */
#include "store_test.h"

/* ---- board and inbox ---- */

static enum store_status board_put(struct store *st, const struct test_cell *c,
                                   const struct test_cell *replaced)
{
	enum store_status status;

	assert_int_equal(store_board_put(st, c->cell, c->id, replaced ? replaced->ds : NULL,
	                                 &status), PERR_OK);
	assert_int_equal(store_commit(st), PERR_OK);
	return status;
}

static void store_board_changes_at_releases_and_replaces_by_secret(void **state)
{
	static uint8_t cells[STORE_READ_MAX * STORE_CELL];
	struct test_cell *c = make_cells(0, 10);
	uint8_t digest[STORE_ID], digest2[STORE_ID];
	uint32_t got, total;
	struct store *st;
	char dir[256];

	st = make_store(dir);
	assert_int_equal(board_put(st, &c[0], NULL), STORE_STORED);
	assert_int_equal(board_put(st, &c[1], NULL), STORE_STORED);
	assert_int_equal(board_put(st, &c[0], NULL), STORE_THERE);
	assert_int_equal(store_board_get(st, 0, 64, cells, &got, &total, digest), PERR_OK);
	assert_int_equal(total, 0);
	st = reopen(st, dir);
	release_on(st, DAY0);
	assert_int_equal(store_board_get(st, 0, 64, cells, &got, &total, digest), PERR_OK);
	assert_int_equal(total, 2);
	assert_int_equal(got, 2);
	/* Replace twice within an hour, in the wrong order too. */
	assert_int_equal(board_put(st, &c[3], &c[2]), STORE_STORED);
	assert_int_equal(board_put(st, &c[2], &c[0]), STORE_STORED);
	assert_int_equal(board_put(st, &c[0], NULL), STORE_THERE);
	release_on(st, DAY0);
	assert_int_equal(store_board_get(st, 0, 64, cells, &got, &total, digest2), PERR_OK);
	assert_int_equal(total, 2);
	assert_memory_not_equal(digest, digest2, STORE_ID);
	for (got = 0; got < 2; got++)
		assert_true(memcmp(cells + got * STORE_CELL, c[1].cell, STORE_CELL) == 0 ||
		            memcmp(cells + got * STORE_CELL, c[3].cell, STORE_CELL) == 0);
	/* Paging, and a wrong secret only adds. */
	assert_int_equal(board_put(st, &c[4], &c[9]), STORE_STORED);
	st = reopen(st, dir);
	release_on(st, DAY0);
	assert_int_equal(store_board_get(st, 1, 1, cells, &got, &total, digest), PERR_OK);
	assert_int_equal(total, 3);
	assert_int_equal(got, 1);
	assert_int_equal(store_board_get(st, 3, 64, cells, &got, NULL, NULL), PERR_OK);
	assert_int_equal(got, 0);
	assert_int_equal(board_put(st, &c[5], NULL), STORE_STORED);
	assert_int_equal(store_board_clear(st), PERR_OK);
	assert_int_equal(store_commit(st), PERR_OK);
	release_on(st, DAY0);
	assert_int_equal(store_board_get(st, 0, 64, cells, &got, &total, digest), PERR_OK);
	assert_int_equal(total, 0);
	store_close(st);
	rm_tree(dir);
	free(c);
}

static void store_board_is_bounded(void **state)
{
	struct test_cell *c = make_cells(0, STORE_BOARD_MAX + 5);
	enum store_status status;
	uint32_t got, total, i;
	struct store *st;
	char dir[256];

	st = make_store(dir);
	for (i = 0; i < STORE_BOARD_MAX; i++) {
		assert_int_equal(store_board_put(st, c[i].cell, c[i].id, NULL, &status), PERR_OK);
		assert_int_equal(status, STORE_STORED);
	}
	assert_int_equal(store_board_put(st, c[i].cell, c[i].id, NULL, &status), PERR_OK);
	assert_int_equal(status, STORE_FULL);
	assert_int_equal(store_commit(st), PERR_OK);
	release_on(st, DAY0);
	assert_int_equal(board_put(st, &c[i], NULL), STORE_FULL);
	assert_int_equal(board_put(st, &c[i], &c[7]), STORE_STORED);
	release_on(st, DAY0);
	assert_int_equal(store_board_get(st, 0, 0, NULL, &got, &total, NULL), PERR_OK);
	assert_int_equal(total, STORE_BOARD_MAX);
	store_close(st);
	rm_tree(dir);
	free(c);
}

static void store_inbox_holds_one_cell_for_a_ticket(void **state)
{
	struct test_cell *c = make_cells(0, 5);
	uint8_t tickets[4][STORE_ID] = { { 1 }, { 2 }, { 3 }, { 4 } }, out[4][STORE_ID];
	static uint8_t cells[4 * STORE_CELL];
	enum store_status status;
	struct store *st;
	uint32_t got;
	char dir[256];
	int i;

	st = make_store(dir);
	for (i = 3; i >= 0; i--) {
		assert_int_equal(store_join_put(st, tickets[i], c[i].cell, c[i].id, &status),
		                 PERR_OK);
		assert_int_equal(status, STORE_STORED);
	}
	assert_int_equal(store_join_put(st, tickets[1], c[1].cell, c[1].id, &status), PERR_OK);
	assert_int_equal(status, STORE_THERE);
	assert_int_equal(store_join_put(st, tickets[1], c[4].cell, c[4].id, &status), PERR_OK);
	assert_int_equal(status, STORE_REFUSED);
	assert_int_equal(store_commit(st), PERR_OK);
	assert_true(store_join_has(st, tickets[1]));
	st = reopen(st, dir);
	assert_int_equal(store_join_list(st, 1, 2, out, cells, &got), PERR_OK);
	assert_int_equal(got, 2);
	assert_memory_equal(out[0], tickets[1], STORE_ID);
	assert_memory_equal(cells + STORE_CELL, c[2].cell, STORE_CELL);
	assert_int_equal(store_join_drop(st, (const uint8_t (*)[STORE_ID])tickets, 2), PERR_OK);
	assert_int_equal(store_commit(st), PERR_OK);
	release_on(st, DAY0);
	assert_false(store_join_has(st, tickets[1]));
	assert_int_equal(store_join_list(st, 0, 4, out, cells, &got), PERR_OK);
	assert_int_equal(got, 2);
	assert_memory_equal(out[0], tickets[2], STORE_ID);
	store_close(st);
	rm_tree(dir);
	free(c);
}

/* ---- bulletin ---- */

static void store_bulletin_switches_whole_sets_of_parts(void **state)
{
	static uint8_t part[3][200000], buf[200000];
	uint8_t hash[3][STORE_ID];
	struct store_meta header = { "header", (const uint8_t *)"v1", 2 };
	struct store *st;
	uint32_t have, total;
	char dir[256];
	size_t got, len;
	int i;

	st = make_store(dir);
	for (i = 0; i < 3; i++) {
		randombytes_buf_deterministic(part[i], sizeof part[i], (uint8_t[32]){ 40 + i });
		crypto_generichash(hash[i], STORE_ID, part[i], sizeof part[i], NULL, 0);
	}
	/* Pieces out of order, beyond the end, with another total. */
	assert_int_equal(store_part_put(st, hash[0], 200000, 1, part[0], 10, &have), PERR_RANGE);
	assert_int_equal(have, 0);
	assert_int_equal(store_part_put(st, hash[0], 200000, 0, part[0], 3900, &have), PERR_OK);
	assert_int_equal(store_part_put(st, hash[0], 200000, 3901, part[0], 10, &have), PERR_RANGE);
	assert_int_equal(have, 3900);
	assert_int_equal(store_part_put(st, hash[0], 200000, 199999, part[0], 2, &have), PERR_RANGE);
	assert_int_equal(store_part_put(st, hash[0], STORE_PART_MAX + 1, 0, part[0], 1, &have),
	                 PERR_RANGE);
	assert_int_equal(store_part_put(st, hash[0], 0, 0, part[0], 0, &have), PERR_RANGE);
	assert_int_equal(store_bulletin_commit(st, (const uint8_t (*)[STORE_ID])hash, 1, NULL, 0),
	                 PERR_NOTFOUND);
	for (i = 0; i < 3; i++) {
		for (have = 0; have < 200000;) {
			uint32_t n = 200000 - have < 3907 ? 200000 - have : 3907;

			assert_int_equal(store_part_put(st, hash[i], 200000, have,
			                                part[i] + have, n, &have), PERR_OK);
		}
	}
	assert_int_equal(store_part_put(st, hash[0], 200000, 0, part[0], 10, &have), PERR_OK);
	assert_int_equal(have, 200000);
	assert_int_equal(store_part_get(st, hash[0], 0, buf, sizeof buf, &got, &total),
	                 PERR_NOTFOUND);
	assert_int_equal(store_bulletin_commit(st, (const uint8_t (*)[STORE_ID])hash, 2, &header,
	                                       1), PERR_OK);
	assert_int_equal(store_meta_get(st, "header", buf, sizeof buf, &len), PERR_OK);
	assert_int_equal(store_part_get(st, hash[2], 0, buf, sizeof buf, &got, &total),
	                 PERR_NOTFOUND);
	st = reopen(st, dir);
	assert_int_equal(store_part_get(st, hash[1], 5, buf, 1000, &got, &total), PERR_OK);
	assert_int_equal(got, 1000);
	assert_int_equal(total, 200000);
	assert_memory_equal(buf, part[1] + 5, 1000);
	assert_int_equal(store_part_get(st, hash[1], 199990, buf, 1000, &got, &total), PERR_OK);
	assert_int_equal(got, 10);
	assert_int_equal(in_folder(dir, part[2]), 0);
	assert_int_equal(in_folder(dir, part[1]), 1);
	/* A part whose bytes are not its hash's. */
	assert_int_equal(store_part_put(st, hash[2], 200000, 0, part[1], 200000, &have),
	                 PERR_FORMAT);
	assert_int_equal(store_part_put(st, hash[2], 200000, 0, NULL, 0, &have), PERR_OK);
	assert_int_equal(have, 0);
	/* Released state carries the list on. */
	release_on(st, DAY0);
	assert_int_equal(store_part_get(st, hash[1], 5, buf, 1000, &got, &total), PERR_OK);
	store_close(st);
	rm_tree(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(store_board_changes_at_releases_and_replaces_by_secret),
		cmocka_unit_test(store_board_is_bounded),
		cmocka_unit_test(store_inbox_holds_one_cell_for_a_ticket),
		cmocka_unit_test(store_bulletin_switches_whole_sets_of_parts),
	};

	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
