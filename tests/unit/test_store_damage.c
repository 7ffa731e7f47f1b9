/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Damage on a server's disk is noticed, costs only itself and is never served; the id set. */
#include "store_test.h"

#include "store_ids.h"

/* ---- damage ---- */

static void flip(const char *dir, const char *name, off_t at, uint8_t bits)
{
	char path[300];
	uint8_t b;
	int fd;

	snprintf(path, sizeof path, "%s/%s", dir, name);
	fd = open(path, O_RDWR);
	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &b, 1, at), 1);
	b ^= bits;
	assert_int_equal(pwrite(fd, &b, 1, at), 1);
	close(fd);
}

/* What was read once is known again by a checksum, which must notice what the hash would. */
static void store_notices_what_rots_after_it_was_read(void **state)
{
	static uint8_t cells[STORE_READ_MAX * STORE_CELL];
	struct test_cell *c = make_cells(0, STORE_READ_MAX);
	unsigned hits = 0, i;
	char dir[256], path[300];
	struct store *st;
	struct stat sb;
	uint32_t got, j;

	st = make_store(dir);
	put_cells(st, c, STORE_READ_MAX, STORE_STORED);
	release_on(st, DAY0);
	snprintf(path, sizeof path, "%s/segments/20782.01.mdb", dir);
	assert_int_equal(stat(path, &sb), 0);
	assert_int_equal(store_read(st, DAY0, 1, NULL, 0, STORE_READ_MAX, cells, &got), PERR_OK);
	for (i = 0; i < 400; i++) {
		/* cells lie on whole pages behind the tree's first three */
		off_t at = 4 * 4096 + (off_t)((i * 2654435761u) % (uint32_t)(sb.st_size - 4 * 4096));
		enum perr err;

		flip(dir, "segments/20782.01.mdb", at, (uint8_t)(1 << i % 8));
		err = store_read(st, DAY0, 1, NULL, 0, STORE_READ_MAX, cells, &got);
		if (err == PERR_CORRUPT)
			hits++;
		else
			assert_int_equal(err, PERR_OK);
		for (j = 0; err == PERR_OK && j < got; j++) {
			unsigned k, same = 0;

			for (k = 0; k < STORE_READ_MAX; k++)
				same += memcmp(c[k].cell, cells + j * STORE_CELL, STORE_CELL) == 0;
			assert_int_equal(same, 1);
		}
		flip(dir, "segments/20782.01.mdb", at, (uint8_t)(1 << i % 8));
		assert_int_equal(store_read(st, DAY0, 1, NULL, 0, STORE_READ_MAX, cells, &got),
		                 PERR_OK);
	}
	printf("figure: flips after the first reading: 400; on live data and noticed: %u\n", hits);
	assert_true(hits > 300);
	store_close(st);
	rm_tree(dir);
	free(c);
}

static void store_damage_in_a_segment_is_never_served(void **state)
{
	static uint8_t cells[STORE_READ_MAX * STORE_CELL];
	struct test_cell *c = make_cells(0, 300);
	unsigned flips = 0, noticed = 0, dead = 0, i;
	char dir[256];
	struct store *st;
	struct stat sb;
	char path[300];
	uint32_t from, got, j;
	enum perr err;

	st = make_store(dir);
	put_cells(st, c, 300, STORE_STORED);
	release_on(st, DAY0);
	snprintf(path, sizeof path, "%s/segments/20782.01.mdb", dir);
	assert_int_equal(stat(path, &sb), 0);
	for (i = 0; i < 600; i++) {
		/* a third in the tree pages, the rest anywhere */
		off_t at = (off_t)((i * 2654435761u) % (uint32_t)sb.st_size);
		bool is_noticed = false;
		unsigned good = 0;

		if (i % 3 == 0)
			at = 2 * 4096 + at % 4096;
		flip(dir, "segments/20782.01.mdb", at, (uint8_t)(1 << i % 8));
		st = reopen(st, dir);
		for (from = 0; from < 300; from += STORE_READ_MAX) {
			err = store_read(st, DAY0, 1, NULL, from, STORE_READ_MAX, cells, &got);
			is_noticed |= err == PERR_CORRUPT;
			if (err != PERR_OK && err != PERR_CORRUPT)
				fail_msg("%s", perr_name(err));
			for (j = 0; j < got; j++) {
				uint8_t *cell = cells + j * STORE_CELL;
				unsigned k;

				if (sodium_is_zero(cell, STORE_CELL))
					continue;
				for (k = 0; k < 300; k++)
					good += memcmp(c[k].cell, cell, STORE_CELL) == 0;
			}
		}
		/* Everything served is right; if something is missing, it was said. */
		assert_true(good == 300 || is_noticed);
		flips++;
		noticed += is_noticed;
		dead += good != 300;
		flip(dir, "segments/20782.01.mdb", at, (uint8_t)(1 << i % 8));
	}
	printf("figure: flips in a segment: %u; on live data: %u; noticed: %u; wrong cells served: 0\n",
	       flips, dead, noticed);
	assert_true(dead > 500);
	store_close(st);
	rm_tree(dir);
	free(c);
}

static void store_damaged_pool_cell_costs_only_itself(void **state)
{
	struct test_cell *c = make_cells(0, 50);
	struct store_release rel;
	unsigned times[50], i;
	size_t len, at;
	uint8_t *bytes;
	struct store *st;
	char dir[256];

	st = make_store(dir);
	put_cells(st, c, 50, STORE_STORED);
	bytes = slurp(dir, "pool.mdb", &len);
	for (at = 0; memcmp(bytes + at, c[17].cell, 64) != 0; at++)
		;
	free(bytes);
	flip(dir, "pool.mdb", (off_t)at + 2000, 4);
	rel = release_on(st, DAY0);
	assert_int_equal(rel.released, 49);
	assert_int_equal(rel.damaged, 1);
	count_released(st, c, 50, times);
	for (i = 0; i < 50; i++)
		assert_int_equal(times[i], i != 17);
	put_cells(st, &c[17], 1, STORE_STORED);         /* taken again when it comes again */
	store_close(st);
	rm_tree(dir);
	free(c);
}

static void rich_store(char dir[256], const struct test_cell *c)
{
	struct store *st = make_store(dir);
	enum store_status status;
	int i;

	for (i = 0; i < 30; i++)
		assert_int_equal(store_board_put(st, c[i].cell, c[i].id, NULL, &status), PERR_OK);
	for (i = 0; i < 300; i++)
		assert_int_equal(store_meta_set(st, &(struct store_meta){
			(char[4]){ 'a', (char)(i / 20 + 'a'), (char)(i % 20 + 'a'), 0 },
			c[i % 200].cell, (size_t)i }, 1), PERR_OK);
	put_cells(st, c, 200, STORE_STORED);
	store_close(st);
}

static void store_open_refuses_damaged_state_and_pool_without_crashing(void **state)
{
	static const char *const names[] = { "state.mdb", "pool.mdb" };
	struct test_cell *c = make_cells(0, 200);
	unsigned refused = 0, opened = 0, i;
	struct store *st;
	char dir[256];

	rich_store(dir, c);
	for (i = 0; i < 2000; i++) {
		const char *name = names[i % 2];
		char path[300];
		struct stat sb;
		off_t at;

		snprintf(path, sizeof path, "%s/%s", dir, name);
		assert_int_equal(stat(path, &sb), 0);
		at = (off_t)(i * 2654435761u % (uint32_t)(i % 4 < 2 ? 32768 : sb.st_size));
		flip(dir, name, at, (uint8_t)(1 << i / 2 % 8));
		if (store_open(&st, dir, &test_config, NULL) == PERR_OK) {
			struct store_release rel = { .day = DAY0 };

			opened++;
			if (i % 50 == 0)
				assert_true(store_release(st, &rel) != PERR_STATE);
			store_close(st);
		} else {
			refused++;
		}
		if (i % 50 != 0) {
			flip(dir, name, at, (uint8_t)(1 << i / 2 % 8));
			continue;
		}
		rm_tree(dir);           /* a release has changed everything: begin again */
		rich_store(dir, c);
	}
	printf("figure: flips in state and pool: 2000; refused: %u; opened: %u; crashes: 0\n", refused,
	       opened);
	rm_tree(dir);
	free(c);
}

/* ---- the id set ---- */

static bool keep_even(void *arg, uint32_t *where)
{
	*where += 1000000;
	return *where % 2 == 0;
}

static void store_ids_hold_what_was_put_through_growth_and_deletion(void **state)
{
	struct store_ids *set = store_ids_new();
	uint8_t id[STORE_ID] = { 0 };
	uint32_t i, where;

	for (i = 0; i < 100000; i++) {
		memcpy(id, &i, 4);
		assert_int_equal(store_ids_put(set, id, i), PERR_OK);
	}
	for (i = 0; i < 100000; i += 3) {
		memcpy(id, &i, 4);
		store_ids_del(set, id);
	}
	for (i = 0; i < 120000; i++) {
		memcpy(id, &i, 4);
		assert_int_equal(store_ids_get(set, id, &where), i < 100000 && i % 3 != 0);
		if (i < 100000 && i % 3 != 0)
			assert_int_equal(where, i);
	}
	store_ids_filter(set, keep_even, NULL);
	for (i = 0; i < 100000; i++) {
		memcpy(id, &i, 4);
		assert_int_equal(store_ids_get(set, id, &where), i % 2 == 0 && i % 3 != 0);
	}
	assert_int_equal(store_ids_count(set), 33333);
	store_ids_free(set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(store_notices_what_rots_after_it_was_read),
		cmocka_unit_test(store_damage_in_a_segment_is_never_served),
		cmocka_unit_test(store_damaged_pool_cell_costs_only_itself),
		cmocka_unit_test(store_open_refuses_damaged_state_and_pool_without_crashing),
		cmocka_unit_test(store_ids_hold_what_was_put_through_growth_and_deletion),
	};

	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
