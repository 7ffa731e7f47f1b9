/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "store_test.h"

#include <lmdb.h>
#include <malloc.h>
#include <sys/statvfs.h>

/* ---- the file system's free space, as the store sees it ---- */

static uint64_t fake_free;      /* 0: the real one */

int __real_fstatvfs(int fd, struct statvfs *v);
int __wrap_fstatvfs(int fd, struct statvfs *v);
int __wrap_fstatvfs(int fd, struct statvfs *v)
{
	int rc = __real_fstatvfs(fd, v);

	if (fake_free != 0) {
		v->f_frsize = 4096;
		v->f_bavail = fake_free / 4096;
	}
	return rc;
}

/* ---- life ---- */

static int check_mode(const char *path, const struct stat *sb, int type, struct FTW *f)
{
	if (S_ISDIR(sb->st_mode))
		return (sb->st_mode & 07777) != 0700;
	return (sb->st_mode & 07777) != 0600 || strstr(path, "lock") != NULL;
}

static void store_files_are_private_and_without_locks(void **state)
{
	char dir[256];
	struct test_cell *c = make_cells(0, 10);
	struct store *st;
	mode_t before = umask(0);

	st = make_store(dir);
	put_cells(st, c, 10, STORE_STORED);
	release_on(st, DAY0);
	put_cells(st, c, 10, STORE_THERE);
	assert_int_equal(nftw(dir, check_mode, 16, FTW_PHYS), 0);
	umask(before);
	store_close(st);
	rm_tree(dir);
	free(c);
}

static void store_belongs_to_one_process_at_a_time(void **state)
{
	struct store *st, *second;
	const char *why;
	char dir[256];

	st = make_store(dir);
	assert_int_equal(store_open(&second, dir, NULL, &why), PERR_STATE);
	assert_null(second);
	assert_int_equal(store_create(dir, DAY0, NULL, 0), PERR_STATE);
	store_close(st);
	assert_int_equal(store_create(dir, DAY0, NULL, 0), PERR_EXISTS);
	assert_int_equal(store_open(&second, dir, NULL, &why), PERR_OK);
	store_close(second);
	rm_tree(dir);
	assert_int_equal(store_open(&second, dir, NULL, &why), PERR_NOTFOUND);
	assert_int_equal(mkdir(dir, 0755), 0);
	assert_int_equal(store_open(&second, dir, NULL, &why), PERR_NOTFOUND);
	/* A folder made by systemd is fine. */
	assert_int_equal(store_create(dir, DAY0, NULL, 0), PERR_OK);
	rm_tree(dir);
}

static void store_metas_are_set_and_forgotten_together(void **state)
{
	uint8_t big[100000], buf[100000];
	struct store_meta first[] = { { "policy", (const uint8_t *)"abc", 3 },
	                              { "key", big, sizeof big } };
	struct store_meta then[] = { { "policy", NULL, 0 }, { "counter", (const uint8_t *)"", 0 } };
	struct store_meta bad[] = { { "x", big, 1 }, { "", big, 1 } };
	struct store *st;
	char dir[256];
	size_t len;

	randombytes_buf_deterministic(big, sizeof big, (uint8_t[32]){ 9 });
	new_dir(dir);
	assert_int_equal(store_create(dir, DAY0, first, 2), PERR_OK);
	assert_int_equal(store_open(&st, dir, NULL, NULL), PERR_OK);
	assert_int_equal(store_meta_get(st, "policy", buf, sizeof buf, &len), PERR_OK);
	assert_int_equal(len, 3);
	assert_int_equal(store_meta_get(st, "key", NULL, 0, &len), PERR_LIMIT);
	assert_int_equal(len, sizeof big);
	assert_int_equal(store_meta_get(st, "key", buf, sizeof buf, &len), PERR_OK);
	assert_memory_equal(buf, big, sizeof big);
	assert_int_equal(store_meta_set(st, bad, 2), PERR_RANGE);
	assert_int_equal(store_commit(st), PERR_OK);
	assert_int_equal(store_meta_get(st, "x", buf, sizeof buf, &len), PERR_NOTFOUND);
	assert_int_equal(store_meta_set(st, then, 2), PERR_OK);
	assert_int_equal(store_commit(st), PERR_OK);
	release_on(st, DAY0);
	st = reopen(st, dir);
	assert_int_equal(store_meta_get(st, "policy", buf, sizeof buf, &len), PERR_NOTFOUND);
	assert_int_equal(store_meta_get(st, "counter", buf, sizeof buf, &len), PERR_OK);
	assert_int_equal(len, 0);
	assert_int_equal(store_meta_get(st, "key", buf, sizeof buf, &len), PERR_OK);
	assert_memory_equal(buf, big, sizeof big);
	store_close(st);
	rm_tree(dir);
}

/* ---- cells ---- */

static void store_keeps_cells_and_says_what_is_there(void **state)
{
	struct test_cell *c = make_cells(0, 300);
	struct store_counts counts;
	unsigned times[300];
	struct store *st;
	char dir[256];
	int i;

	st = make_store(dir);
	put_cells(st, c, 100, STORE_STORED);
	put_cells(st, c, 100, STORE_THERE);
	put_cells(st, c + 100, 100, STORE_STORED);
	st = reopen(st, dir);
	put_cells(st, c, 200, STORE_THERE);
	count_released(st, c, 300, times);
	for (i = 0; i < 300; i++)
		assert_int_equal(times[i], 0);  /* nobody reads the pool */
	assert_int_equal(release_on(st, DAY0).released, 200);
	put_cells(st, c, 200, STORE_THERE);
	put_cells(st, c + 200, 100, STORE_STORED);
	st = reopen(st, dir);
	put_cells(st, c, 300, STORE_THERE);
	assert_int_equal(release_on(st, DAY0).number, 2);
	count_released(st, c, 300, times);
	for (i = 0; i < 300; i++)
		assert_int_equal(times[i], 1);
	store_counts(st, &counts);
	assert_int_equal(counts.cells, 300);
	assert_int_equal(counts.segments, 2);
	assert_int_equal(counts.pool_cells, 0);
	assert_int_equal(counts.damaged, 0);
	store_close(st);
	rm_tree(dir);
	free(c);
}

static void store_takes_a_cell_once_within_a_batch(void **state)
{
	struct test_cell *c = make_cells(0, 1);
	struct store_cell v[3];
	struct store *st;
	char dir[256];
	int i;

	st = make_store(dir);
	for (i = 0; i < 3; i++) {
		v[i].cell = c->cell;
		memcpy(v[i].id, c->id, STORE_ID);
	}
	assert_int_equal(store_append(st, v, 2), PERR_OK);
	assert_int_equal(store_append(st, v + 2, 1), PERR_OK);
	assert_int_equal(store_commit(st), PERR_OK);
	assert_int_equal(v[0].status, STORE_STORED);
	assert_int_equal(v[1].status, STORE_THERE);
	assert_int_equal(v[2].status, STORE_THERE);
	assert_int_equal(release_on(st, DAY0).released, 1);
	store_close(st);
	rm_tree(dir);
	free(c);
}

/* Bytes of the only segment after n cells arrived in the given order and batches. */
static uint8_t *segment_of(const struct test_cell *c, size_t n, uint32_t seed, size_t batch,
                           size_t *len)
{
	struct test_cell *shuffled = malloc(n * sizeof *shuffled), tmp;
	struct store *st;
	char dir[256];
	uint8_t *bytes;
	size_t i, j;

	memcpy(shuffled, c, n * sizeof *c);
	for (i = n - 1; seed != 0 && i > 0; i--) {
		seed = seed * 1664525 + 1013904223;
		j = (seed >> 8) % (i + 1);
		tmp = shuffled[i];
		shuffled[i] = shuffled[j];
		shuffled[j] = tmp;
	}
	st = make_store(dir);
	for (i = 0; i < n; i += batch)
		put_cells(st, shuffled + i, n - i < batch ? n - i : batch, STORE_STORED);
	release_on(st, DAY0);
	store_close(st);
	bytes = slurp(dir, "segments/20782.01.mdb", len);
	rm_tree(dir);
	free(shuffled);
	return bytes;
}

static void store_segment_is_the_same_bytes_for_any_order_of_arrival(void **state)
{
	static const size_t sizes[] = { 1, 2, 80, 81, 82, 163, 3000 };
	size_t i, k, len, other_len, differing = 0, runs = 0;

	for (i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		struct test_cell *c = make_cells(1000, (uint32_t)sizes[i]);
		uint8_t *first = segment_of(c, sizes[i], 0, 64, &len), *other;

		for (k = 1; k < 5; k++) {
			/* What malloc leaves in fresh memory must not reach the file either. */
			mallopt(M_PERTURB, k == 1 ? 0xFF : k == 2 ? 0x55 : 0);
			other = segment_of(c, sizes[i], (uint32_t)k, k * 37, &other_len);
			mallopt(M_PERTURB, 0);
			assert_int_equal(len, other_len);
			differing += memcmp(first, other, len) != 0;
			runs++;
			free(other);
		}
		if (sizes[i] == 3000) {
			printf("figure: segment_bytes_per_cell: %.1f\n", (double)len / 3000);
			assert_true(len / 3000 <= 4200);
		}
		free(first);
		free(c);
	}
	printf("figure: segments compared: %zu; differing: %zu\n", runs, differing);
	assert_int_equal(differing, 0);
}

static void store_segment_is_plain_lmdb(void **state)
{
	struct test_cell *c = make_cells(0, 500);
	char dir[256], path[300];
	struct store *st;
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi dbi;
	MDB_val k, v;
	int i;

	st = make_store(dir);
	put_cells(st, c, 500, STORE_STORED);
	release_on(st, DAY0);
	store_close(st);
	snprintf(path, sizeof path, "%s/segments/20782.01.mdb", dir);
	assert_int_equal(mdb_env_create(&env), 0);
	assert_int_equal(mdb_env_open(env, path, MDB_NOSUBDIR | MDB_RDONLY | MDB_NOLOCK, 0600), 0);
	assert_int_equal(mdb_txn_begin(env, NULL, MDB_RDONLY, &txn), 0);
	assert_int_equal(mdb_dbi_open(txn, NULL, 0, &dbi), 0);
	for (i = 0; i < 500; i++) {
		k = (MDB_val){ STORE_ID, c[i].id };
		assert_int_equal(mdb_get(txn, dbi, &k, &v), 0);
		assert_int_equal(v.mv_size, STORE_CELL);
		assert_memory_equal(v.mv_data, c[i].cell, STORE_CELL);
	}
	mdb_txn_abort(txn);
	mdb_env_close(env);
	rm_tree(dir);
	free(c);
}

static void store_reads_ranges_and_positions_in_id_order(void **state)
{
	static uint8_t cells[STORE_READ_MAX * STORE_CELL], more[STORE_READ_MAX * STORE_CELL];
	struct test_cell *c = make_cells(0, 1000);
	uint8_t last[STORE_ID] = { 0 }, id[STORE_ID], peek[STORE_READ_MAX * STORE_PEEK];
	struct store_segment seg;
	uint32_t got, from, i, positions[STORE_READ_MAX], seen = 0;
	struct store *st;
	char dir[256];

	st = make_store(dir);
	put_cells(st, c, 1000, STORE_STORED);
	release_on(st, DAY0);
	assert_int_equal(store_segments(st, 0, 0, &seg, 1), 1);
	assert_int_equal(seg.count, 1000);
	assert_int_equal(store_segments(st, DAY0, 1, &seg, 1), 0);
	assert_int_equal(store_segments(st, DAY0, 0, &seg, 1), 1);
	for (from = 0; from < 1000; from += got) {
		assert_int_equal(store_read(st, DAY0, 1, seg.digest, from, 61, cells, &got),
		                 PERR_OK);
		assert_int_equal(got, 1000 - from < 61 ? 1000 - from : 61);
		assert_int_equal(store_peek(st, DAY0, 1, NULL, from, 61, peek, &got), PERR_OK);
		for (i = 0; i < got; i++) {
			crypto_generichash(id, STORE_ID, cells + i * STORE_CELL, STORE_CELL,
			                   NULL, 0);
			assert_true(memcmp(id, last, STORE_ID) > 0);
			memcpy(last, id, STORE_ID);
			assert_memory_equal(peek + i * STORE_PEEK, cells + i * STORE_CELL,
			                    STORE_PEEK);
			seen++;
		}
	}
	assert_int_equal(seen, 1000);
	for (i = 0; i < STORE_READ_MAX; i++)
		positions[i] = (i * 7919 + 13) % 1000;
	positions[3] = positions[4] = 999;
	assert_int_equal(store_fetch(st, DAY0, 1, seg.digest, positions, STORE_READ_MAX, cells),
	                 PERR_OK);
	for (i = 0; i < STORE_READ_MAX; i++) {
		assert_int_equal(store_read(st, DAY0, 1, NULL, positions[i], 1, more, &got),
		                 PERR_OK);
		assert_memory_equal(more, cells + i * STORE_CELL, STORE_CELL);
	}
	/* Lies about numbers. */
	assert_int_equal(store_read(st, DAY0, 1, NULL, 1000, 64, cells, &got), PERR_OK);
	assert_int_equal(got, 0);
	assert_int_equal(store_read(st, DAY0, 1, NULL, UINT32_MAX, 64, cells, &got), PERR_OK);
	assert_int_equal(got, 0);
	assert_int_equal(store_read(st, DAY0, 1, NULL, 0, 65, cells, &got), PERR_RANGE);
	assert_int_equal(store_read(st, DAY0, 1, NULL, 0, UINT32_MAX, cells, &got), PERR_RANGE);
	positions[5] = 1000;
	assert_int_equal(store_fetch(st, DAY0, 1, NULL, positions, 6, cells), PERR_RANGE);
	assert_int_equal(store_read(st, DAY0, 2, NULL, 0, 1, cells, &got), PERR_NOTFOUND);
	assert_int_equal(store_read(st, DAY0, 1, id, 0, 1, cells, &got), PERR_STATE);
	store_close(st);
	rm_tree(dir);
	free(c);
}

static void store_map_grows_when_it_is_full(void **state)
{
	/* The first map is as large as the limit at most: fill a small pool to its limit. */
	struct store_config cfg = { .pool_max_bytes = 6 << 20 };
	struct test_cell *c = make_cells(0, 2000);
	struct store_cell v[100];
	size_t stored = 0, full = 0, i, j;
	struct store *st;
	char dir[256];

	new_dir(dir);
	assert_int_equal(store_create(dir, DAY0, NULL, 0), PERR_OK);
	assert_int_equal(store_open(&st, dir, &cfg, NULL), PERR_OK);
	for (i = 0; i < 2000; i += 100) {
		for (j = 0; j < 100; j++) {
			v[j].cell = c[i + j].cell;
			memcpy(v[j].id, c[i + j].id, STORE_ID);
		}
		assert_int_equal(store_append(st, v, 100), PERR_OK);
		assert_int_equal(store_commit(st), PERR_OK);
		for (j = 0; j < 100; j++) {
			stored += v[j].status == STORE_STORED;
			full += v[j].status == STORE_FULL;
		}
	}
	assert_int_equal(stored + full, 2000);
	assert_in_range(stored, 1000, 1450);
	assert_int_equal(release_on(st, DAY0).released, stored);
	put_cells(st, c + 2000 - full, 100, STORE_STORED);      /* and on it goes */
	store_close(st);
	rm_tree(dir);
	free(c);
}

/* ---- full disk ---- */

static void store_refuses_cells_before_the_reserve_is_touched(void **state)
{
	struct test_cell *c = make_cells(0, 400);
	struct store_space space;
	struct store_cell v[100];
	uint64_t mib = 1 << 20;
	unsigned cases = 0, resumed = 0;
	struct store *st;
	char dir[256];
	size_t j;

	st = make_store(dir);
	put_cells(st, c, 100, STORE_STORED);
	for (fake_free = mib; fake_free <= 64 * mib; fake_free += 9 * mib) {
		for (j = 0; j < 100; j++) {
			v[j].cell = c[100 + j].cell;
			memcpy(v[j].id, c[100 + j].id, STORE_ID);
		}
		assert_int_equal(store_append(st, v, 100), PERR_OK);
		assert_int_equal(store_commit(st), PERR_OK);
		for (j = 0; j < 100; j++)
			assert_int_equal(v[j].status, STORE_FULL);
		assert_int_equal(store_space(st, &space), PERR_OK);
		assert_true(space.is_full);
		cases++;
		put_cells(st, c, 100, STORE_THERE);     /* what is there needs no space */
	}
	/* Half a batch fits. */
	fake_free = 66 * mib + mib / 2;
	assert_int_equal(store_append(st, v, 100), PERR_OK);
	assert_int_equal(store_commit(st), PERR_OK);
	assert_int_equal(v[0].status, STORE_STORED);
	assert_int_equal(v[99].status, STORE_FULL);
	/* Releasing and erasing may use the reserve. */
	fake_free = 20 * mib;
	assert_true(release_on(st, DAY0).released > 100);
	resumed++;
	fake_free = 0;
	put_cells(st, c + 200, 200, STORE_STORED);
	assert_int_equal(release_on(st, DAY0).released, 200);
	resumed++;
	/* Not even the reserve is there: nothing is lost, and it comes later. */
	{
		struct test_cell *d = make_cells(5000, 300);
		struct store_release rel = { .day = DAY0 };
		unsigned times[300];

		put_cells(st, d, 300, STORE_STORED);
		fake_free = 100000;
		assert_int_equal(store_release(st, &rel), PERR_FULL);
		assert_null(store_dead_reason(st));
		fake_free = 0;
		put_cells(st, d, 300, STORE_THERE);
		assert_int_equal(release_on(st, DAY0).released, 300);
		count_released(st, d, 300, times);
		for (j = 0; j < 300; j++)
			assert_int_equal(times[j], 1);
		resumed++;
		free(d);
	}
	printf("figure: full-disk cases: %u; acked lost: 0; resumed: %u/3\n", cases, resumed);
	store_close(st);
	rm_tree(dir);
	free(c);
}

/* ---- erasing, settling, expiring ---- */

static enum store_status erase(struct store *st, const struct test_cell *c, const uint8_t *ds,
                               uint32_t due)
{
	enum store_status status;

	assert_int_equal(store_erase(st, c->id, ds, due, &status), PERR_OK);
	assert_int_equal(store_commit(st), PERR_OK);
	return status;
}

/* Without a commit of its own. */
static void erase_later(struct store *st, const struct test_cell *c, uint32_t due)
{
	enum store_status status;

	assert_int_equal(store_erase(st, c->id, c->ds, due, &status), PERR_OK);
	assert_int_equal(status, STORE_STORED);
}

static void store_erasure_rests_then_leaves_nothing_but_the_id(void **state)
{
	struct test_cell *c = make_cells(0, 200);
	struct store_counts counts;
	unsigned times[200], i;
	struct store *st;
	size_t voided;
	char dir[256];

	st = make_store(dir);
	put_cells(st, c, 100, STORE_STORED);
	release_on(st, DAY0);
	put_cells(st, c + 100, 50, STORE_STORED);
	assert_int_equal(erase(st, &c[3], c[4].ds, DAY0), STORE_REFUSED);
	assert_int_equal(erase(st, &c[199], c[199].ds, DAY0), STORE_NOTFOUND);
	assert_int_equal(erase(st, &c[3], c[3].ds, DAY0 + 2), STORE_STORED);
	assert_int_equal(erase(st, &c[3], c[3].ds, DAY0), STORE_THERE);
	assert_int_equal(erase(st, &c[120], c[120].ds, DAY0), STORE_STORED); /* still in the pool */
	assert_int_equal(erase(st, &c[5], c[5].ds, DAY0), STORE_STORED);
	assert_int_equal(store_erase_void(st, (const uint8_t (*)[STORE_ID])c[5].id, 1, &voided),
	                 PERR_OK);
	assert_int_equal(voided, 1);
	assert_int_equal(store_commit(st), PERR_OK);
	st = reopen(st, dir);
	assert_int_equal(release_on(st, DAY0).erased, 1);
	assert_int_equal(in_folder(dir, c[120].cell + 1000), 0);
	assert_int_equal(in_folder(dir, c[3].cell + 1000), 1);    /* the hunt can find */
	assert_int_equal(release_on(st, DAY0 + 1).erased, 0);
	assert_int_equal(release_on(st, DAY0 + 2).erased, 1);
	assert_int_equal(in_folder(dir, c[3].cell + 1000), 0);
	assert_int_equal(in_folder(dir, c[3].cell + 32), 0);
	count_released(st, c, 200, times);
	for (i = 0; i < 150; i++)
		assert_int_equal(times[i], i != 3 && i != 120);
	/* A late duplicate is refused, also after a restart. */
	put_cells(st, &c[3], 1, STORE_REFUSED);
	st = reopen(st, dir);
	put_cells(st, &c[3], 1, STORE_REFUSED);
	put_cells(st, &c[120], 1, STORE_REFUSED);
	assert_int_equal(erase(st, &c[3], c[3].ds, DAY0), STORE_THERE);
	store_counts(st, &counts);
	assert_int_equal(counts.tombstones, 2);
	assert_int_equal(counts.erasures, 0);
	/* Settling with an erasure in it, then the last of a day: the file goes. */
	for (i = 0; i < 150; i++)
		if (i != 3 && i != 120)
			erase_later(st, &c[i], DAY0 + 4);
	assert_int_equal(store_commit(st), PERR_OK);
	assert_int_equal(release_on(st, DAY0 + 4).erased, 148);
	assert_int_equal(store_segments(st, 0, 0, NULL, 0), 0);
	store_counts(st, &counts);
	assert_int_equal(counts.segments, 0);
	assert_int_equal(counts.tombstones, 150);
	/* Tombstones end with their day. */
	release_on(st, DAY0 + 63);
	store_counts(st, &counts);
	assert_int_equal(counts.tombstones, 0);
	put_cells(st, &c[3], 1, STORE_STORED);
	store_close(st);
	rm_tree(dir);
	free(c);
}

/* The settled file of 600 cells that came in `n` releases, with `erased` of them erased before
 * (when: 0) or after settling (1) or never stored at all (2). */
static uint8_t *settled_of(const struct test_cell *c, size_t n_releases, int when, size_t *len)
{
	struct test_cell *shuffled = malloc(600 * sizeof *shuffled);
	size_t i, n = 0, per = 600 / n_releases;
	struct store_segment seg;
	struct store *st;
	char dir[256];
	uint8_t *bytes;

	st = make_store(dir);
	for (i = 0; i < 600; i++) {
		/* rotate: which release a cell comes in depends on the history */
		size_t k = (i * 7 + n_releases * 13) % 600;

		if (when != 2 || k % 10 != 0)
			shuffled[n++] = c[k];
		if (i % per == per - 1) {
			put_cells(st, shuffled, n, STORE_STORED);
			release_on(st, DAY0);
			n = 0;
		}
	}
	free(shuffled);
	for (i = 0; when == 0 && i < 600; i += 10)
		erase_later(st, &c[i], DAY0);
	assert_int_equal(store_commit(st), PERR_OK);
	release_on(st, DAY0 + 2);
	assert_true(store_segments(st, 0, 0, &seg, 1) == 1 && !seg.settled);
	assert_int_equal(release_on(st, DAY0 + 3).settled_days, 1);
	for (i = 0; when == 1 && i < 600; i += 10)
		erase_later(st, &c[i], DAY0);
	assert_int_equal(store_commit(st), PERR_OK);
	release_on(st, DAY0 + 3);
	assert_int_equal(store_segments(st, 0, 0, &seg, 1), 1);
	assert_true(seg.settled);
	assert_int_equal(seg.release, n_releases);
	assert_int_equal(seg.count, 540);
	/* Who had read everything before settling misses nothing. */
	assert_int_equal(store_segments(st, DAY0, (uint32_t)n_releases, &seg, 1), 0);
	put_cells(st, c + 1, 1, STORE_THERE);
	st = reopen(st, dir);
	put_cells(st, c + 1, 1, STORE_THERE);
	store_close(st);
	bytes = slurp(dir, "segments/20782.mdb", len);
	rm_tree(dir);
	return bytes;
}

static void store_settled_day_is_the_same_bytes_for_any_history(void **state)
{
	struct test_cell *c = make_cells(0, 600);
	size_t len, other_len, histories = 0, differing = 0;
	uint8_t *first = settled_of(c, 1, 2, &len), *other;
	static const size_t releases[] = { 1, 2, 5, 20 };
	size_t i;
	int when;

	for (i = 0; i < 4; i++) {
		for (when = 0; when < 2; when++) {
			other = settled_of(c, releases[i], when, &other_len);
			differing += len != other_len || memcmp(first, other, len) != 0;
			histories++;
			free(other);
		}
	}
	printf("figure: settled histories: %zu; differing: %zu\n", histories, differing);
	assert_int_equal(differing, 0);
	free(first);
	free(c);
}

static void store_days_expire_with_everything_of_theirs(void **state)
{
	struct test_cell *c = make_cells(0, 20);
	struct store_segment segs[8];
	struct store *st;
	uint32_t day;
	char dir[256];

	st = make_store(dir);
	put_cells(st, c, 10, STORE_STORED);
	release_on(st, DAY0);
	put_cells(st, c + 10, 10, STORE_STORED);
	release_on(st, DAY0 + 1);
	assert_int_equal(erase(st, &c[0], c[0].ds, DAY0 + 200), STORE_STORED);
	for (day = DAY0 + 1; day < DAY0 + 60; day++) {
		assert_int_equal(release_on(st, day).expired_days, 0);
		assert_int_equal(store_segments(st, 0, 0, segs, 8), 2);
	}
	for (; day < DAY0 + 65; day++)
		release_on(st, day);
	assert_int_equal(store_segments(st, 0, 0, segs, 8), 0);
	assert_int_equal(in_folder(dir, c[0].cell + 1000), 0);
	assert_int_equal(in_folder(dir, c[0].id), 0);     /* nor its waiting erasure */
	put_cells(st, c, 20, STORE_STORED);
	store_close(st);
	rm_tree(dir);
	free(c);
}

static void store_clock_that_jumps_destroys_nothing(void **state)
{
	struct test_cell *c = make_cells(0, 40);
	struct store_release rel = { .day = DAY0 + 90, .frozen = true, .retention_days = 60 };
	unsigned times[40], i;
	struct store *st;
	char dir[256];

	st = make_store(dir);
	put_cells(st, c, 20, STORE_STORED);
	release_on(st, DAY0);
	assert_int_equal(erase(st, &c[3], c[3].ds, DAY0), STORE_STORED);
	put_cells(st, c + 20, 20, STORE_STORED);
	/* Frozen, another day than the recorded one cannot be named at all. */
	assert_int_equal(store_release(st, &rel), PERR_RANGE);
	rel.day = DAY0 - 1;
	assert_int_equal(store_release(st, &rel), PERR_RANGE);
	rel.day = DAY0;
	assert_int_equal(store_release(st, &rel), PERR_OK);
	assert_int_equal(rel.released, 20);
	assert_int_equal(rel.erased + rel.expired_days + rel.settled_days, 0);
	assert_int_equal(store_day(st), DAY0);
	count_released(st, c, 40, times);
	for (i = 0; i < 40; i++)
		assert_int_equal(times[i], 1);
	/* A steward's order names the day; now it is meant. */
	rel = release_on(st, DAY0 + 90);
	assert_int_equal(rel.expired_days, 1);
	assert_int_equal(store_day(st), DAY0 + 90);
	store_close(st);
	rm_tree(dir);
	free(c);
}

static void store_retired_files_are_overwritten(void **state)
{
	static const char *const names[] = {
		"pool.mdb", "state.mdb", "segments/20782.01.mdb", "segments/20782.02.mdb"
	};
	struct test_cell *c = make_cells(0, 100);
	char dir[256], path[300];
	uint8_t buf[65536];
	struct store *st;
	int fd[4], i;
	ssize_t n;

	st = make_store(dir);
	put_cells(st, c, 40, STORE_STORED);
	release_on(st, DAY0);
	put_cells(st, c + 40, 40, STORE_STORED);
	release_on(st, DAY0);
	put_cells(st, c + 80, 20, STORE_STORED);
	for (i = 0; i < 4; i++) {
		snprintf(path, sizeof path, "%s/%s", dir, names[i]);
		fd[i] = open(path, O_RDONLY);
		assert_true(fd[i] >= 0);
	}
	assert_int_equal(release_on(st, DAY0 + 3).settled_days, 1);
	for (i = 0; i < 4; i++) {
		struct stat sb;
		size_t total = 0;

		assert_int_equal(fstat(fd[i], &sb), 0);
		assert_int_equal(sb.st_nlink, 0);
		while ((n = read(fd[i], buf, sizeof buf)) > 0) {
			assert_true(sodium_is_zero(buf, (size_t)n));
			total += (size_t)n;
		}
		assert_true(total > 8000);
		close(fd[i]);
	}
	store_close(st);
	rm_tree(dir);
	free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(store_files_are_private_and_without_locks),
		cmocka_unit_test(store_belongs_to_one_process_at_a_time),
		cmocka_unit_test(store_metas_are_set_and_forgotten_together),
		cmocka_unit_test(store_keeps_cells_and_says_what_is_there),
		cmocka_unit_test(store_takes_a_cell_once_within_a_batch),
		cmocka_unit_test(store_segment_is_the_same_bytes_for_any_order_of_arrival),
		cmocka_unit_test(store_segment_is_plain_lmdb),
		cmocka_unit_test(store_reads_ranges_and_positions_in_id_order),
		cmocka_unit_test(store_map_grows_when_it_is_full),
		cmocka_unit_test(store_refuses_cells_before_the_reserve_is_touched),
		cmocka_unit_test(store_erasure_rests_then_leaves_nothing_but_the_id),
		cmocka_unit_test(store_settled_day_is_the_same_bytes_for_any_history),
		cmocka_unit_test(store_days_expire_with_everything_of_theirs),
		cmocka_unit_test(store_clock_that_jumps_destroys_nothing),
		cmocka_unit_test(store_retired_files_are_overwritten),
	};

	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
