/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "store_test.h"

#include "scrub.h"

#define N_CELLS 120

static unsigned n_found, n_kind[SCRUB_STRAY + 1];
static char last_file[80];

static void on_found(void *arg, const struct scrub_finding *f)
{
	n_found++;
	n_kind[f->kind]++;
	assert_non_null(f->text);
	memcpy(last_file, f->file, sizeof last_file);
}

static enum perr run_scrub(const char *dir, struct scrub_totals *totals)
{
	n_found = 0;
	memset(n_kind, 0, sizeof n_kind);
	return scrub(dir, on_found, NULL, totals);
}

/* A store with something of everything. */
static void fill(char dir[256], struct test_cell *c)
{
	static uint8_t part[5000] = { 1 };
	uint8_t hash[1][STORE_ID];
	struct store_meta meta = { "policy", part, 3000 };
	enum store_status status;
	struct store *st = make_store(dir);
	uint32_t have;
	int i;

	put_cells(st, c, 60, STORE_STORED);
	for (i = 0; i < 5; i++)
		assert_int_equal(store_board_put(st, c[110 + i].cell, c[110 + i].id, NULL, &status),
		                 PERR_OK);
	assert_int_equal(store_join_put(st, c[0].id, c[0].cell, c[0].id, &status), PERR_OK);
	assert_int_equal(store_commit(st), PERR_OK);
	release_on(st, DAY0);
	release_on(st, DAY0 + 3);
	put_cells(st, c + 60, 20, STORE_STORED);
	release_on(st, DAY0 + 3);
	put_cells(st, c + 80, 20, STORE_STORED);
	crypto_generichash(hash[0], STORE_ID, part, sizeof part, NULL, 0);
	assert_int_equal(store_part_put(st, hash[0], sizeof part, 0, part, sizeof part, &have),
	                 PERR_OK);
	assert_int_equal(store_bulletin_commit(st, (const uint8_t (*)[STORE_ID])hash, 1, &meta, 1),
	                 PERR_OK);
	for (i = 0; i < 5; i++)
		assert_int_equal(store_board_put(st, c[115 + i].cell, c[115 + i].id, NULL, &status),
		                 PERR_OK);
	assert_int_equal(store_commit(st), PERR_OK);
	store_close(st);
}

static void scrub_finds_nothing_where_nothing_is_wrong(void **state)
{
	struct test_cell *c = make_cells(0, N_CELLS);
	struct scrub_totals totals;
	char dir[256], path[300];

	fill(dir, c);
	assert_int_equal(run_scrub(dir, &totals), PERR_OK);
	assert_int_equal(totals.findings, 0);
	assert_int_equal(totals.cells, 60 + 20 + 20 + 10 + 1);
	assert_int_equal(totals.files, 5);
	snprintf(path, sizeof path, "%s/segments/check.tmp", dir);
	assert_int_equal(access(path, F_OK), -1);
	rm_tree(dir);
	assert_int_equal(run_scrub(dir, &totals), PERR_NOTFOUND);
	free(c);
}

static void scrub_names_strays_and_missing_files(void **state)
{
	struct test_cell *c = make_cells(0, N_CELLS);
	struct scrub_totals totals;
	char dir[256], path[300];

	fill(dir, c);
	snprintf(path, sizeof path, "%s/notes.txt", dir);
	close(open(path, O_CREAT | O_WRONLY, 0600));
	assert_int_equal(run_scrub(dir, &totals), PERR_CORRUPT);
	assert_int_equal(n_kind[SCRUB_STRAY], 1);
	assert_string_equal(last_file, "notes.txt");
	unlink(path);
	snprintf(path, sizeof path, "%s/segments/20782.mdb", dir);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(run_scrub(dir, &totals), PERR_CORRUPT);
	assert_int_equal(n_kind[SCRUB_SEGMENT], 1);
	assert_string_equal(last_file, "segments/20782.mdb");
	rm_tree(dir);
	free(c);
}

/* After damage the scrub did not see: is everything as it was? */
static bool is_all_there(const char *dir, const struct test_cell *c)
{
	static uint8_t cells[STORE_READ_MAX * STORE_CELL];
	unsigned times[N_CELLS], i;
	struct store *st;
	uint32_t got, total;
	bool is_good;

	if (store_open(&st, dir, &test_config, NULL) != PERR_OK)
		return false;
	release_on(st, DAY0 + 3);
	count_released(st, c, N_CELLS, times);
	is_good = true;
	for (i = 0; i < 100; i++)
		is_good &= times[i] == 1;
	is_good &= store_board_get(st, 0, 64, cells, &got, &total, NULL) == PERR_OK && total == 10;
	is_good &= store_join_has(st, c[0].id);
	store_close(st);
	return is_good;
}

/* Keep and put back: a scrub or a release may change files. */
static void copy_tree(const char *from, const char *to)
{
	char cmd[600];

	rm_tree(to);
	snprintf(cmd, sizeof cmd, "cp -a %s %s", from, to);
	assert_int_equal(system(cmd), 0);
}

static void scrub_notices_every_damage_to_live_data(void **state)
{
	static const char *const names[] = {
		"segments/20782.mdb", "segments/20785.01.mdb", "state.mdb", "pool.mdb"
	};
	struct test_cell *c = make_cells(0, N_CELLS);
	unsigned damages = 0, noticed = 0, dead_bytes = 0, unnoticed = 0, i;
	struct scrub_totals totals;
	char good[256], dir[256], path[300];
	uint8_t sector[512];
	struct stat sb;

	fill(good, c);
	new_dir(dir);
	copy_tree(good, dir);
	for (i = 0; i < 480; i++) {
		const char *name = names[i % 4];
		bool is_sector = i / 4 % 4 == 3;
		size_t len = is_sector ? 512 : 1;
		off_t at;
		int fd;

		snprintf(path, sizeof path, "%s/%s", dir, name);
		fd = open(path, O_RDWR);
		assert_true(fd >= 0);
		assert_int_equal(fstat(fd, &sb), 0);
		at = (off_t)((i * 2654435761u) % (uint32_t)sb.st_size) / (off_t)len * (off_t)len;
		assert_int_equal(pread(fd, sector, len, at), (ssize_t)len);
		if (is_sector) {
			if (sodium_is_zero(sector, len)) {
				close(fd);
				continue;
			}
			memset(sector, 0, len);
		} else {
			sector[0] ^= (uint8_t)(1 << i / 16 % 8);
		}
		assert_int_equal(pwrite(fd, sector, len, at), (ssize_t)len);
		close(fd);
		damages++;
		if (run_scrub(dir, &totals) == PERR_CORRUPT) {
			noticed++;
		} else if (i % 4 < 2) {
			unnoticed++;            /* a segment has no byte that does not count */
			fprintf(stderr, "%s at %ld\n", name, (long)at);
		} else if (is_all_there(dir, c)) {
			dead_bytes++;
		} else {
			unnoticed++;
			fprintf(stderr, "%s at %ld\n", name, (long)at);
		}
		copy_tree(good, dir);
	}
	printf("figure: damages: %u; noticed: %u; on unused bytes: %u; unnoticed on live data: %u\n",
	       damages, noticed, dead_bytes, unnoticed);
	assert_int_equal(unnoticed, 0);
	assert_true(noticed > 240);
	rm_tree(dir);
	rm_tree(good);
	free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scrub_finds_nothing_where_nothing_is_wrong),
		cmocka_unit_test(scrub_names_strays_and_missing_files),
		cmocka_unit_test(scrub_notices_every_damage_to_live_data),
	};

	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
