/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "spool.h"
#include "spool_dir.h"

static char dir[64];
static bool in_memory;

static void fill(uint8_t cell[CELL_SIZE], uint8_t tag, uint8_t body)
{
	memset(cell, body, CELL_SIZE);
	memset(cell + CELL_TAG_AT, tag, CELL_TAG_SIZE);
}

static void tag_of(uint8_t tag[32], uint8_t v)
{
	memset(tag, v, 32);
}

static struct spool *open_it(void)
{
	struct spool_store *store;
	struct spool *s;

	if (in_memory)
		store = spool_mem_new();
	else
		assert_int_equal(spool_dir_new(&store, dir), PERR_OK);
	assert_int_equal(spool_open(&s, store), PERR_OK);
	return s;
}

static int begin(void **state)
{
	snprintf(dir, sizeof dir, "/tmp/amparo-spool-XXXXXX");
	return mkdtemp(dir) == NULL;
}

static int end(void **state)
{
	struct spool *s;

	in_memory = false;
	s = open_it();
	assert_int_equal(spool_clear(s), PERR_OK);
	spool_free(s);
	return rmdir(dir);
}

static void add(struct spool *s, uint32_t day, uint8_t tag, uint8_t body)
{
	uint8_t cell[CELL_SIZE];

	fill(cell, tag, body);
	assert_int_equal(spool_add(s, day, cell, 1), PERR_OK);
}

static void finds_by_tag(bool memory)
{
	uint8_t tag[32], cell[CELL_SIZE], *many = malloc(3000 * CELL_SIZE);
	struct spool *s;
	unsigned i, got = 0;

	in_memory = memory;
	s = open_it();
	for (i = 0; i < 3000; i++)
		randombytes_buf(many + (size_t)i * CELL_SIZE, CELL_SIZE);
	assert_int_equal(spool_add(s, 100, many, 2000), PERR_OK);
	assert_int_equal(spool_add(s, 101, many + (size_t)2000 * CELL_SIZE, 1000), PERR_OK);
	for (i = 0; i < 3000; i++) {
		assert_int_equal(spool_find(s, many + (size_t)i * CELL_SIZE + 32, 0, cell), PERR_OK);
		assert_memory_equal(cell, many + (size_t)i * CELL_SIZE, CELL_SIZE);
		assert_int_equal(spool_find(s, many + (size_t)i * CELL_SIZE + 32, 1, cell),
		                 PERR_NOTFOUND);
	}
	/* three cells of one tag: each is found once */
	for (i = 1; i <= 3; i++)
		add(s, 100 + i, 7, (uint8_t)i);
	tag_of(tag, 7);
	for (i = 0; spool_find(s, tag, i, cell) == PERR_OK; i++)
		got |= 1u << cell[0];
	assert_int_equal(i, 3);
	assert_int_equal(got, 2 + 4 + 8);
	tag_of(tag, 8);
	assert_false(spool_has(s, tag));
	assert_int_equal(spool_cells(s), 3003);
	spool_free(s);
	free(many);
}

static void a_cell_is_found_by_its_tag_in_memory(void **state)
{
	finds_by_tag(true);
}

static void a_cell_is_found_by_its_tag_in_files(void **state)
{
	finds_by_tag(false);
}

static void cells_are_there_after_reopening(void **state)
{
	uint8_t tag[32], cell[CELL_SIZE];
	struct spool *s;

	in_memory = false;
	s = open_it();
	add(s, 5, 1, 11);
	add(s, 6, 2, 22);
	spool_free(s);
	s = open_it();
	tag_of(tag, 2);
	assert_int_equal(spool_find(s, tag, 0, cell), PERR_OK);
	assert_int_equal(cell[0], 22);
	assert_int_equal(spool_cells(s), 2);
	spool_free(s);
}

/* killed while appending: at any byte the whole cells before it stay, and the next fits */
static void a_torn_end_costs_only_itself(void **state)
{
	size_t cut;

	in_memory = false;
	for (cut = CELL_SIZE; cut < 2 * CELL_SIZE; cut += 509) {
		uint8_t tag[32], cell[CELL_SIZE];
		struct spool *s = open_it();
		char path[96];

		add(s, 5, 1, 11);
		add(s, 5, 2, 22);
		spool_free(s);
		snprintf(path, sizeof path, "%s/5", dir);
		assert_int_equal(truncate(path, (off_t)cut), 0);
		s = open_it();
		assert_int_equal(spool_cells(s), 1);
		add(s, 5, 3, 33);
		spool_free(s);
		s = open_it();
		assert_int_equal(spool_cells(s), 2);
		tag_of(tag, 3);
		assert_int_equal(spool_find(s, tag, 0, cell), PERR_OK);
		assert_int_equal(cell[CELL_SIZE - 1], 33);
		tag_of(tag, 2);
		assert_int_equal(spool_find(s, tag, 0, cell), PERR_NOTFOUND);
		assert_int_equal(spool_clear(s), PERR_OK);
		spool_free(s);
	}
}

static void days_go_when_the_rule_says(void **state)
{
	uint8_t tag[32];
	struct spool *s;
	uint32_t day;

	in_memory = true;
	s = open_it();
	for (day = 1; day <= 20; day++)
		add(s, day, (uint8_t)day, 0);
	/* attachments missing: only the outer limit */
	assert_int_equal(spool_tidy(s, 20, true), PERR_OK);
	assert_int_equal(spool_cells(s), SPOOL_DAYS_MAX + 1);
	tag_of(tag, 20 - SPOOL_DAYS_MAX - 1);
	assert_false(spool_has(s, tag));
	tag_of(tag, 20 - SPOOL_DAYS_MAX);
	assert_true(spool_has(s, tag));
	assert_int_equal(spool_tidy(s, 20, false), PERR_OK);
	assert_int_equal(spool_cells(s), SPOOL_DAYS + 1);
	/* a day in the future (a server's clock) is kept */
	assert_int_equal(spool_tidy(s, 3, false), PERR_OK);
	assert_int_equal(spool_cells(s), SPOOL_DAYS + 1);
	assert_int_equal(spool_clear(s), PERR_OK);
	assert_int_equal(spool_cells(s), 0);
	spool_free(s);
}

static void files_are_for_their_owner_alone(void **state)
{
	struct spool *s;
	struct stat st;
	char path[96];

	in_memory = false;
	s = open_it();
	add(s, 5, 1, 11);
	snprintf(path, sizeof path, "%s/5", dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(st.st_size, CELL_SIZE);
	spool_free(s);
}

static void other_files_are_left_alone(void **state)
{
	struct spool *s;
	char path[96];
	FILE *f;

	in_memory = false;
	snprintf(path, sizeof path, "%s/5x", dir);
	f = fopen(path, "w");
	assert_non_null(f);
	fclose(f);
	s = open_it();
	assert_int_equal(spool_cells(s), 0);
	assert_int_equal(spool_clear(s), PERR_OK);
	spool_free(s);
	assert_int_equal(unlink(path), 0);
}

/* a bound holds while cells are added: the oldest days go, what is added stays */
static void a_bound_lets_the_oldest_days_go(void **state)
{
	struct spool *s;
	uint8_t tag[32], cell[CELL_SIZE];
	unsigned i;

	(void)state;
	in_memory = true;
	s = open_it();
	for (i = 0; i < 10; i++)
		add(s, 100 + i / 2, (uint8_t)(i + 1), 7);
	assert_int_equal(spool_cells(s), 10);    /* none without a bound */
	spool_bound(s, 6 * CELL_SIZE);
	add(s, 103, 11, 7);
	assert_int_equal(spool_cells(s), 5);
	for (i = 1; i <= 11; i++) {
		tag_of(tag, (uint8_t)i);
		assert_int_equal(spool_find(s, tag, 0, cell), i <= 6 ? PERR_NOTFOUND : PERR_OK);
	}
	for (i = 0; i < 100; i++) {
		add(s, 105, (uint8_t)(20 + i), 7);
		assert_true(spool_cells(s) <= 6);
		tag_of(tag, (uint8_t)(20 + i));
		assert_true(spool_has(s, tag));
	}
	spool_free(s);
}

#define CLAIM(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLAIM(a_cell_is_found_by_its_tag_in_memory),
		CLAIM(a_cell_is_found_by_its_tag_in_files),
		CLAIM(cells_are_there_after_reopening),
		CLAIM(a_torn_end_costs_only_itself),
		CLAIM(days_go_when_the_rule_says),
		CLAIM(files_are_for_their_owner_alone),
		CLAIM(other_files_are_left_alone),
		CLAIM(a_bound_lets_the_oldest_days_go),
	};

	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
