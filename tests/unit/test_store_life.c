/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * The life of what is on the server's disk, looked at by somebody who wants it to go wrong:
 * erasures at every stage a cell can be in, expiry against the delay, a disk that is full, and
 * what is left of things that were taken back.
 */
#include "store_test.h"

#include <sys/statvfs.h>

#include "day.h"

/* ---- a disk of our own size -------------------------------------------------------------- */

static uint64_t fake_free;      /* 0: as it is */
static uint64_t capacity;       /* 0: none; else free = capacity - what is used in `used_dir` */
static const char *used_dir;
static uint64_t used;
static unsigned long preads;

static int add_used(const char *path, const struct stat *sb, int type, struct FTW *f)
{
	used += (uint64_t)sb->st_blocks * 512;
	return 0;
}

int __real_fstatvfs(int fd, struct statvfs *v);
int __wrap_fstatvfs(int fd, struct statvfs *v);
int __wrap_fstatvfs(int fd, struct statvfs *v)
{
	int rc = __real_fstatvfs(fd, v);
	uint64_t bytes = fake_free;

	if (rc != 0 || (fake_free == 0 && capacity == 0))
		return rc;
	if (capacity != 0) {
		used = 0;
		nftw(used_dir, add_used, 16, FTW_PHYS);
		bytes = used < capacity ? capacity - used : 0;
	}
	v->f_frsize = 512;
	v->f_bavail = bytes / 512;
	return 0;
}

ssize_t __real_pread(int fd, void *buf, size_t n, off_t at);
ssize_t __wrap_pread(int fd, void *buf, size_t n, off_t at);
ssize_t __wrap_pread(int fd, void *buf, size_t n, off_t at)
{
	preads++;
	return __real_pread(fd, buf, n, at);
}

/* ---- small steps ------------------------------------------------------------------------- */

static enum store_status ask_erase(struct store *st, const struct test_cell *c, uint32_t due)
{
	enum store_status status;

	assert_int_equal(store_erase(st, c->id, c->ds, due, &status), PERR_OK);
	assert_int_equal(store_commit(st), PERR_OK);
	return status;
}

static size_t void_one(struct store *st, const struct test_cell *c)
{
	size_t voided;

	assert_int_equal(store_erase_void(st, (const uint8_t (*)[STORE_ID])c->id, 1, &voided),
	                 PERR_OK);
	assert_int_equal(store_commit(st), PERR_OK);
	return voided;
}

static struct store_counts counts_of(struct store *st)
{
	struct store_counts n;

	store_counts(st, &n);
	return n;
}

static unsigned times_of(struct store *st, const struct test_cell *c)
{
	unsigned times;

	count_released(st, c, 1, &times);
	return times;
}

/* ---- settling ---------------------------------------------------------------------------- */

static void store_settles_after_as_many_days_as_the_policy_says(void **state)
{
	static const uint32_t ages[] = { 1, 2, 5, 30 };
	struct test_cell *c = make_cells(0, 4);
	size_t i;

	for (i = 0; i < 4; i++) {
		struct store_release rel = { .retention_days = 60, .settle_days = ages[i] };
		struct store_segment seg[4];
		struct store *st;
		char dir[256];

		st = make_store(dir);
		put_cells(st, c, 2, STORE_STORED);
		release_on(st, DAY0);
		put_cells(st, c + 2, 2, STORE_STORED);
		release_on(st, DAY0);
		rel.day = DAY0 + ages[i];
		assert_int_equal(store_release(st, &rel), PERR_OK);
		assert_int_equal(rel.settled_days, 0);
		assert_int_equal(store_segments(st, 0, 0, seg, 4), 2);
		rel.day++;
		assert_int_equal(store_release(st, &rel), PERR_OK);
		assert_int_equal(rel.settled_days, 1);
		assert_int_equal(store_segments(st, 0, 0, seg, 4), 1);
		assert_true(seg[0].settled);
		store_close(st);
		rm_tree(dir);
	}
	free(c);
}

/* ---- erasing, at every stage ------------------------------------------------------------- */

static void store_refuses_a_late_duplicate_at_every_stage(void **state)
{
	struct test_cell *c = make_cells(0, 6);
	struct store *st;
	char dir[256];
	enum store_status status;
	struct store_cell v;

	st = make_store(dir);
	/* in one batch with its own cell: both count */
	memset(&v, 0, sizeof v);
	v.cell = c[0].cell;
	memcpy(v.id, c[0].id, STORE_ID);
	assert_int_equal(store_append(st, &v, 1), PERR_OK);
	assert_int_equal(store_erase(st, c[0].id, c[0].ds, DAY0, &status), PERR_OK);
	assert_int_equal(status, STORE_STORED);
	assert_int_equal(store_commit(st), PERR_OK);
	assert_int_equal(v.status, STORE_STORED);
	/* while it waits in the pool: there already, and not saved by coming again */
	put_cells(st, c, 1, STORE_THERE);
	put_cells(st, c + 1, 4, STORE_STORED);
	st = reopen(st, dir);
	put_cells(st, c, 1, STORE_THERE);
	assert_int_equal(release_on(st, DAY0).erased, 1);
	/* it was in no segment for a moment, and nobody can bring it back */
	assert_int_equal(times_of(st, c), 0);
	assert_int_equal(in_folder(dir, c[0].cell + 1000), 0);
	put_cells(st, c, 1, STORE_REFUSED);
	/* released, the erasure rests */
	assert_int_equal(ask_erase(st, &c[1], DAY0 + 1), STORE_STORED);
	put_cells(st, &c[1], 1, STORE_THERE);
	assert_int_equal(release_on(st, DAY0).erased, 0);
	assert_int_equal(times_of(st, &c[1]), 1);
	assert_int_equal(release_on(st, DAY0 + 1).erased, 1);
	put_cells(st, &c[1], 1, STORE_REFUSED);
	/* due while its day settles */
	assert_int_equal(ask_erase(st, &c[2], DAY0 + 3), STORE_STORED);
	put_cells(st, &c[2], 1, STORE_THERE);
	assert_int_equal(release_on(st, DAY0 + 3).settled_days, 1);
	put_cells(st, &c[2], 1, STORE_REFUSED);
	assert_int_equal(in_folder(dir, c[2].cell + 1000), 0);
	/* out of the settled day */
	assert_int_equal(ask_erase(st, &c[3], DAY0 + 3), STORE_STORED);
	assert_int_equal(release_on(st, DAY0 + 3).erased, 1);
	put_cells(st, &c[3], 1, STORE_REFUSED);
	st = reopen(st, dir);
	put_cells(st, c, 4, STORE_REFUSED);
	assert_int_equal(times_of(st, &c[4]), 1);
	/* asking again for what is erased says nothing new, with any secret */
	assert_int_equal(ask_erase(st, &c[3], DAY0 + 9), STORE_THERE);
	assert_int_equal(counts_of(st).erasures, 0);
	assert_int_equal(counts_of(st).tombstones, 4);
	store_close(st);
	rm_tree(dir);
	free(c);
}

static void store_voids_what_waits_and_nothing_else(void **state)
{
	struct test_cell *c = make_cells(0, 8);
	struct store *st;
	size_t voided;
	char dir[256];
	int i;

	st = make_store(dir);
	put_cells(st, c, 8, STORE_STORED);
	release_on(st, DAY0);
	assert_int_equal(counts_of(st).erase_day, 0);
	for (i = 0; i < 4; i++)
		assert_int_equal(ask_erase(st, &c[i], DAY0 + 2 + (uint32_t)i), STORE_STORED);
	assert_int_equal(counts_of(st).erase_day, DAY0 + 2);
	assert_int_equal(void_one(st, &c[5]), 0);       /* nobody asked */
	assert_int_equal(void_one(st, &c[0]), 1);
	assert_int_equal(void_one(st, &c[0]), 0);       /* voided already */
	assert_int_equal(counts_of(st).erasures, 3);
	assert_int_equal(counts_of(st).erase_day, DAY0 + 3);
	st = reopen(st, dir);
	assert_int_equal(counts_of(st).erase_day, DAY0 + 3);
	assert_int_equal(release_on(st, DAY0 + 2).erased, 0);
	/* asked again it rests again, from then on */
	assert_int_equal(ask_erase(st, &c[0], DAY0 + 5), STORE_STORED);
	assert_int_equal(release_on(st, DAY0 + 3).erased, 1);
	assert_int_equal(void_one(st, &c[1]), 0);       /* too late */
	put_cells(st, &c[1], 1, STORE_REFUSED);
	assert_int_equal(counts_of(st).erasures, 3);
	assert_int_equal(counts_of(st).erase_day, DAY0 + 4);
	assert_int_equal(store_erase_void(st, NULL, 0, &voided), PERR_OK);
	assert_int_equal(voided, 3);
	assert_int_equal(store_commit(st), PERR_OK);
	assert_int_equal(counts_of(st).erasures, 0);
	assert_int_equal(counts_of(st).erase_day, 0);
	assert_int_equal(release_on(st, DAY0 + 9).erased, 0);
	for (i = 0; i < 8; i++)
		assert_int_equal(times_of(st, &c[i]), i != 1);
	store_close(st);
	rm_tree(dir);
	free(c);
}

/* Tombstones and waiting erasures go with the day of their cell, on the day the jitter says. */
static void store_forgets_an_erased_id_with_its_day(void **state)
{
	struct test_cell *c = make_cells(0, 3);
	struct store_release rel = { .day = DAY0, .retention_days = 30 };
	uint32_t end;
	struct store *st;
	char dir[256];

	memset(rel.seed, 9, sizeof rel.seed);
	end = day_expiry(DAY0, 30, rel.seed);
	st = make_store(dir);
	put_cells(st, c, 3, STORE_STORED);
	release_on(st, DAY0);
	assert_int_equal(ask_erase(st, &c[0], DAY0), STORE_STORED);
	assert_int_equal(ask_erase(st, &c[1], DAY0 + 720), STORE_STORED);
	assert_int_equal(release_on(st, DAY0).erased, 1);
	rel.day = end - 1;
	assert_int_equal(store_release(st, &rel), PERR_OK);
	assert_int_equal(rel.expired_days, 0);
	assert_int_equal(counts_of(st).tombstones, 1);
	put_cells(st, &c[0], 1, STORE_REFUSED);
	assert_int_equal(in_folder(dir, c[0].id), 1);
	rel.day = end;
	assert_int_equal(store_release(st, &rel), PERR_OK);
	assert_int_equal(rel.expired_days, 1);
	assert_int_equal(counts_of(st).tombstones, 0);
	assert_int_equal(counts_of(st).erasures, 0);    /* expiry wins over the delay */
	assert_int_equal(counts_of(st).cells, 0);
	assert_int_equal(in_folder(dir, c[0].id), 0);
	assert_int_equal(in_folder(dir, c[1].id), 0);
	assert_int_equal(in_folder(dir, c[2].id), 0);
	assert_int_equal(void_one(st, &c[1]), 0);
	store_close(st);
	rm_tree(dir);
	free(c);
}

static uint32_t days_of_expiry(const struct test_cell *c, size_t releases, uint8_t seed_byte,
                               uint32_t gone[6])
{
	struct store_release rel = { .day = DAY0, .retention_days = 7 };
	struct store_segment seg[16];
	struct store *st;
	uint32_t day, i, n = 0;
	char dir[256];
	size_t k;

	memset(rel.seed, seed_byte, sizeof rel.seed);
	memset(gone, 0, 6 * sizeof *gone);
	st = make_store(dir);
	for (i = 0; i < 6; i++) {
		for (k = 0; k < releases; k++) {
			put_cells(st, c + i * 2 + k, 1, STORE_STORED);
			rel.day = DAY0 + i;
			assert_int_equal(store_release(st, &rel), PERR_OK);
		}
	}
	for (day = DAY0 + 6; day < DAY0 + 20; day++) {
		size_t left;

		rel.day = day;
		assert_int_equal(store_release(st, &rel), PERR_OK);
		left = store_segments(st, 0, 0, seg, 16);
		for (i = 0; i < 6; i++) {
			bool is_there = false;

			for (k = 0; k < left; k++)
				is_there |= seg[k].day == DAY0 + i;
			if (!is_there && gone[i] == 0) {
				gone[i] = day;
				n++;
			}
		}
	}
	store_close(st);
	rm_tree(dir);
	return n;
}

static void store_expires_on_the_same_day_on_every_mirror(void **state)
{
	struct test_cell *c = make_cells(0, 12);
	uint32_t one[6], two[6], other[6], i, jitters = 0;

	assert_int_equal(days_of_expiry(c, 1, 5, one), 6);
	assert_int_equal(days_of_expiry(c, 2, 5, two), 6);
	assert_int_equal(days_of_expiry(c, 1, 6, other), 6);
	assert_memory_equal(one, two, sizeof one);
	/* the control: it is the seed that decides */
	assert_memory_not_equal(one, other, sizeof one);
	for (i = 0; i < 6; i++) {
		assert_in_range(one[i], DAY0 + i + 7, DAY0 + i + 7 + DAY_JITTER_MAX);
		jitters |= 1u << (one[i] - (DAY0 + i + 7));
	}
	assert_true((jitters & (jitters - 1)) != 0);    /* not one and the same for all */
	free(c);
}

/* An attorney may name cells of the pool by the thousand: the pool is read once for them. */
static void store_erasures_of_the_pool_cost_one_walk(void **state)
{
	enum { N = 4000 };
	struct test_cell *c = make_cells(0, N);
	unsigned long before;
	enum store_status status;
	struct store *st;
	char dir[256];
	int i;

	st = make_store(dir);
	put_cells(st, c, N, STORE_STORED);
	before = preads;
	for (i = 0; i < N; i++) {
		assert_int_equal(store_erase(st, c[i].id, i % 2 == 0 ? c[i].ds : c[i ^ 1].ds, DAY0,
		                             &status), PERR_OK);
		assert_int_equal(status, i % 2 == 0 ? STORE_STORED : STORE_REFUSED);
	}
	assert_int_equal(store_commit(st), PERR_OK);
	printf("figure: erasures of a pool of %d cells: %d; disk reads for each: %.1f\n", N, N,
	       (double)(preads - before) / N);
	assert_true(preads - before < 2 * N);
	put_cells(st, c, 1, STORE_THERE);
	assert_int_equal(release_on(st, DAY0).erased, N / 2);
	store_close(st);
	rm_tree(dir);
	free(c);
}

/* ---- one cell in two files --------------------------------------------------------------- */

static void flip(const char *dir, const char *name, off_t at)
{
	char path[300];
	uint8_t b;
	int fd;

	snprintf(path, sizeof path, "%s/%s", dir, name);
	fd = open(path, O_RDWR);
	assert_true(fd >= 0);
	assert_int_equal(__real_pread(fd, &b, 1, at), 1);
	b ^= 1;
	assert_int_equal(pwrite(fd, &b, 1, at), 1);
	close(fd);
}

/*
 * A segment that cannot be read at start is left where it is and its cells are taken when they
 * come again.  If it can be read the next time, each is there twice.
 */
static void store_erases_a_cell_from_all_files_that_have_it(void **state)
{
	struct test_cell *c = make_cells(0, 10);
	struct store *st;
	char dir[256];
	int i;

	st = make_store(dir);
	put_cells(st, c, 10, STORE_STORED);
	release_on(st, DAY0);
	flip(dir, "segments/20782.01.mdb", 2 * 4096 + 1);       /* the root page's number */
	st = reopen(st, dir);
	assert_true(counts_of(st).damaged > 0);
	put_cells(st, c, 10, STORE_STORED);
	release_on(st, DAY0);
	flip(dir, "segments/20782.01.mdb", 2 * 4096 + 1);
	st = reopen(st, dir);
	assert_int_equal(times_of(st, &c[0]), 2);
	for (i = 0; i < 3; i++)
		assert_int_equal(ask_erase(st, &c[i], DAY0 + 3), STORE_STORED);
	assert_int_equal(release_on(st, DAY0 + 3).settled_days, 1);
	for (i = 0; i < 10; i++) {
		assert_int_equal(times_of(st, &c[i]), i >= 3);
		assert_int_equal(in_folder(dir, c[i].cell + 1000), i >= 3);
	}
	store_close(st);
	rm_tree(dir);
	free(c);
}

/* ---- order of arrival -------------------------------------------------------------------- */

/* state.mdb after a release, of the same things put in another order, in commits of their own */
static uint8_t *state_of(const struct test_cell *c, bool is_reversed, bool is_released, size_t *len)
{
	enum store_status status;
	struct store *st;
	uint8_t *bytes;
	char dir[256];
	int i;

	st = make_store(dir);
	put_cells(st, c, 60, STORE_STORED);
	release_on(st, DAY0);
	for (i = 0; i < 20; i++) {
		int k = is_reversed ? 19 - i : i;

		assert_int_equal(store_board_put(st, c[100 + k].cell, c[100 + k].id, NULL, &status),
		                 PERR_OK);
		assert_int_equal(store_commit(st), PERR_OK);
		assert_int_equal(store_join_put(st, c[200 + k].id, c[150 + k].cell, c[150 + k].id,
		                                &status), PERR_OK);
		assert_int_equal(store_commit(st), PERR_OK);
		assert_int_equal(ask_erase(st, &c[k], DAY0 + 2), STORE_STORED);
	}
	if (is_released)
		release_on(st, DAY0);
	store_close(st);
	bytes = slurp(dir, "state.mdb", len);
	rm_tree(dir);
	return bytes;
}

/* Who answered an invitation first, whose keys came first: not on the disk after a release. */
static void store_state_is_the_same_bytes_for_any_order_of_arrival(void **state)
{
	struct test_cell *c = make_cells(0, 250);
	uint8_t *one, *other;
	size_t len, other_len;

	one = state_of(c, false, true, &len);
	other = state_of(c, true, true, &other_len);
	assert_int_equal(len, other_len);
	assert_memory_equal(one, other, len);
	free(one);
	free(other);
	/* the control: before the release the order can be seen */
	one = state_of(c, false, false, &len);
	other = state_of(c, true, false, &other_len);
	assert_true(len != other_len || memcmp(one, other, len) != 0);
	free(one);
	free(other);
	free(c);
}

/* A commit changes neither the length of the pool nor, so, the blocks it lies on. */
static void store_pool_is_written_with_zeros_ahead_of_its_use(void **state)
{
	struct store_config cfg = { .prewrite_bytes = 4 << 20 };
	struct test_cell *c = make_cells(0, 200);
	struct stat before, after;
	char dir[256], path[300];
	struct store *st;
	int round;

	new_dir(dir);
	assert_int_equal(store_create(dir, DAY0, NULL, 0), PERR_OK);
	assert_int_equal(store_open(&st, dir, &cfg, NULL), PERR_OK);
	snprintf(path, sizeof path, "%s/pool.mdb", dir);
	for (round = 0; round < 2; round++) {
		while (store_idle(st))
			;
		assert_int_equal(stat(path, &before), 0);
		assert_true(before.st_size >= 4 << 20);
		assert_true(before.st_blocks * 512 >= 4 << 20);         /* not a hole */
		put_cells(st, c + 100 * round, 100, STORE_STORED);
		assert_int_equal(stat(path, &after), 0);
		assert_int_equal(after.st_size, before.st_size);
		assert_int_equal(after.st_blocks, before.st_blocks);
		release_on(st, DAY0);
		/* the next one comes so at once */
		assert_int_equal(stat(path, &after), 0);
		assert_int_not_equal(after.st_ino, before.st_ino);
		assert_true(after.st_blocks * 512 >= 4 << 20);
	}
	store_close(st);
	rm_tree(dir);
	free(c);
}

/* ---- what was taken back ----------------------------------------------------------------- */

static void store_release_leaves_no_trace_of_what_was_taken_back(void **state)
{
	struct test_cell *c = make_cells(0, 60);
	uint8_t ticket[STORE_ID] = { 5, 1, 4 };
	struct store_meta metas[2] = {
		{ "setup", c[50].cell, 32 }, { "policy", c[51].cell, 900 }
	};
	enum store_status status;
	unsigned before = 0, after = 0;
	const uint8_t *gone[8];
	struct store *st;
	size_t voided, i;
	char dir[256];

	memcpy(ticket, c[52].id, STORE_ID);
	st = make_store(dir);
	put_cells(st, c, 10, STORE_STORED);
	release_on(st, DAY0);
	assert_int_equal(store_meta_set(st, metas, 2), PERR_OK);
	assert_int_equal(store_commit(st), PERR_OK);
	for (i = 20; i < 24; i++)
		assert_int_equal(store_board_put(st, c[i].cell, c[i].id, NULL, &status), PERR_OK);
	assert_int_equal(store_commit(st), PERR_OK);
	assert_int_equal(store_join_put(st, ticket, c[30].cell, c[30].id, &status), PERR_OK);
	assert_int_equal(store_commit(st), PERR_OK);
	assert_int_equal(ask_erase(st, &c[3], DAY0 + 2), STORE_STORED);
	/* and back again, each in a commit of its own */
	metas[0].bytes = NULL;
	metas[0].len = 0;
	metas[1].bytes = c[53].cell;
	assert_int_equal(store_meta_set(st, metas, 2), PERR_OK);
	assert_int_equal(store_commit(st), PERR_OK);
	assert_int_equal(store_board_clear(st), PERR_OK);
	assert_int_equal(store_commit(st), PERR_OK);
	assert_int_equal(store_join_drop(st, (const uint8_t (*)[STORE_ID])ticket, 1), PERR_OK);
	assert_int_equal(store_commit(st), PERR_OK);
	assert_int_equal(store_erase_void(st, NULL, 0, &voided), PERR_OK);
	assert_int_equal(voided, 1);
	assert_int_equal(store_commit(st), PERR_OK);
	gone[0] = c[50].cell;           /* the setup key's derivation */
	gone[1] = c[51].cell + 100;     /* the old policy */
	gone[2] = c[20].cell + 100;     /* board */
	gone[3] = c[21].id;
	gone[4] = ticket;
	gone[5] = c[30].cell + 100;     /* the answer */
	gone[6] = c[30].id;
	gone[7] = c[22].cell + 2000;
	for (i = 0; i < 8; i++)
		before += in_folder(dir, gone[i]) > 0;
	/* the id of the voided erasure: once in its segment, and as often in freed pages */
	before += in_folder(dir, c[3].id) > 1;
	assert_int_equal(release_on(st, DAY0).erased, 0);
	for (i = 0; i < 8; i++)
		after += in_folder(dir, gone[i]) > 0;
	after += in_folder(dir, c[3].id) > 1;
	printf("figure: taken back and still in free pages: before the release %u of 9, after it "
	       "%u\n", before, after);
	assert_true(before > 0);        /* LMDB keeps it: the hunt can find */
	assert_int_equal(after, 0);
	assert_int_equal(in_folder(dir, c[53].cell + 100), 1);
	store_close(st);
	rm_tree(dir);
	free(c);
}

static void put_part(struct store *st, const uint8_t hash[STORE_ID], const uint8_t *part,
                     uint32_t total, uint32_t len)
{
	uint32_t have;

	assert_int_equal(store_part_put(st, hash, total, 0, part, len, &have), PERR_OK);
}

static int open_part(const char *dir, const uint8_t hash[STORE_ID], const char *ending)
{
	char path[400], hex[2 * STORE_ID + 1];
	int fd;

	snprintf(path, sizeof path, "%s/bulletin/%s%s", dir,
	         sodium_bin2hex(hex, sizeof hex, hash, STORE_ID), ending);
	fd = open(path, O_RDONLY);
	assert_true(fd >= 0);
	return fd;
}

/* gone from the folder, and nothing but zeros in what it was */
static void assert_wiped(int fd)
{
	uint8_t buf[65536];
	struct stat sb;
	ssize_t n;
	size_t total = 0;

	assert_int_equal(fstat(fd, &sb), 0);
	assert_int_equal(sb.st_nlink, 0);
	while ((n = read(fd, buf, sizeof buf)) > 0) {
		assert_true(sodium_is_zero(buf, (size_t)n));
		total += (size_t)n;
	}
	assert_true(total > 8000);
	close(fd);
}

static void store_bulletin_overwrites_every_part_it_retires(void **state)
{
	static uint8_t part[4][20000];
	uint8_t hash[4][STORE_ID];
	struct store *st;
	int fd[3], i;
	char dir[256];

	st = make_store(dir);
	for (i = 0; i < 4; i++) {
		memset(part[i], 'a' + i, sizeof part[i]);
		crypto_generichash(hash[i], STORE_ID, part[i], sizeof part[i], NULL, 0);
		/* the third is never finished */
		put_part(st, hash[i], part[i], 20000, i == 2 ? 9000 : 20000);
		if (i == 0)
			assert_int_equal(store_bulletin_commit(st, (const uint8_t (*)[STORE_ID])hash,
			                                       1, NULL, 0), PERR_OK);
	}
	fd[0] = open_part(dir, hash[0], "");
	fd[1] = open_part(dir, hash[2], ".part");
	fd[2] = open_part(dir, hash[3], "");            /* uploaded, and then not listed */
	assert_int_equal(store_bulletin_commit(st, (const uint8_t (*)[STORE_ID])hash[1], 1, NULL,
	                                       0), PERR_OK);
	for (i = 0; i < 3; i++)
		assert_wiped(fd[i]);
	assert_int_equal(in_folder(dir, part[0]), 0);
	assert_true(in_folder(dir, part[1]) > 0);
	/* one that is replaced while the server is down goes at the start */
	put_part(st, hash[3], part[3], 20000, 12000);
	fd[0] = open_part(dir, hash[3], ".part");
	st = reopen(st, dir);
	assert_wiped(fd[0]);
	store_close(st);
	rm_tree(dir);
}

/* ---- a full disk ------------------------------------------------------------------------- */

static void store_reserve_is_for_erasures_and_releases_alone(void **state)
{
	struct test_cell *c = make_cells(0, 300);
	uint8_t ticket[STORE_ID] = { 1 };
	enum store_status status;
	struct store_space space;
	struct store_cell v;
	struct store *st;
	char dir[256];
	uint32_t have;

	st = make_store(dir);
	put_cells(st, c, 100, STORE_STORED);
	release_on(st, DAY0);
	put_cells(st, c + 100, 100, STORE_STORED);
	fake_free = 40ull << 20;        /* 64 MiB are to be kept */
	memset(&v, 0, sizeof v);
	v.cell = c[200].cell;
	memcpy(v.id, c[200].id, STORE_ID);
	assert_int_equal(store_append(st, &v, 1), PERR_OK);
	assert_int_equal(v.status, STORE_FULL);
	assert_int_equal(store_board_put(st, c[201].cell, c[201].id, NULL, &status), PERR_OK);
	assert_int_equal(status, STORE_FULL);
	assert_int_equal(store_join_put(st, ticket, c[202].cell, c[202].id, &status), PERR_OK);
	assert_int_equal(status, STORE_FULL);
	assert_int_equal(store_part_put(st, c[0].id, 4080, 0, c[0].cell, 4080, &have), PERR_FULL);
	assert_int_equal(store_commit(st), PERR_OK);
	assert_int_equal(store_space(st, &space), PERR_OK);
	assert_true(space.is_full);
	assert_int_equal(ask_erase(st, &c[0], DAY0), STORE_STORED);
	assert_int_equal(ask_erase(st, &c[150], DAY0), STORE_STORED);
	/* an order can always be told, the policy among them that names another reserve */
	assert_int_equal(store_meta_set(st, &(struct store_meta){ "policy", c[9].cell, 500 }, 1),
	                 PERR_OK);
	assert_int_equal(store_commit(st), PERR_OK);
	assert_int_equal(release_on(st, DAY0).erased, 2);
	assert_int_equal(counts_of(st).cells, 198);
	/* what the release itself needs is not for erasures either */
	put_cells(st, c, 1, STORE_REFUSED);
	fake_free = 1 << 20;
	assert_int_equal(ask_erase(st, &c[1], DAY0), STORE_FULL);
	fake_free = 0;
	assert_int_equal(ask_erase(st, &c[1], DAY0), STORE_STORED);
	put_cells(st, c + 200, 100, STORE_STORED);
	store_close(st);
	rm_tree(dir);
	free(c);
}

/*
 * Enough space for the pool or for rebuilding a large day, not for both: were the day rebuilt
 * first, no release could ever succeed again.
 */
static void store_full_disk_releases_first_and_erases_next(void **state)
{
	struct test_cell *c = make_cells(0, 3500);
	unsigned times[3500], releases = 0, i;
	struct store_release rel;
	struct store *st;
	char dir[256];

	st = make_store(dir);
	used_dir = dir;
	store_set_reserve(st, 1);
	put_cells(st, c, 2000, STORE_STORED);
	release_on(st, DAY0);
	assert_int_equal(ask_erase(st, &c[7], DAY0), STORE_STORED);
	assert_int_equal(ask_erase(st, &c[1999], DAY0), STORE_STORED);
	put_cells(st, c + 2000, 1500, STORE_STORED);
	used = 0;
	nftw(dir, add_used, 16, FTW_PHYS);
	capacity = used + (10ull << 20);
	do {
		memset(&rel, 0, sizeof rel);
		rel.day = DAY0;
		rel.retention_days = 60;
		assert_int_equal(store_release(st, &rel), PERR_OK);
		if (releases == 0) {
			assert_int_equal(rel.released, 1500);
			assert_int_equal(rel.erased, 0);
			assert_int_equal(rel.deferred, 1);
			assert_int_equal(counts_of(st).erasures, 2);
		}
		releases++;
	} while (rel.erased == 0 && releases < 5);
	capacity = 0;
	assert_int_equal(rel.erased, 2);
	assert_int_equal(counts_of(st).erasures, 0);
	count_released(st, c, 3500, times);
	for (i = 0; i < 3500; i++)
		assert_int_equal(times[i], i != 7 && i != 1999);
	printf("figure: full disk with a release and an erasure due: released at once, erased at "
	       "release %u\n", releases);
	store_close(st);
	rm_tree(dir);
	free(c);
}

/* The whole of a day does not fit a second time, one of its files does. */
static void store_full_disk_erases_what_it_cannot_settle(void **state)
{
	struct test_cell *c = make_cells(0, 3000);
	struct store_release rel = { .day = DAY0 + 3, .retention_days = 60 };
	struct store *st;
	char dir[256];
	int i;

	st = make_store(dir);
	used_dir = dir;
	store_set_reserve(st, 1);
	for (i = 0; i < 3; i++) {
		put_cells(st, c + 1000 * i, 1000, STORE_STORED);
		release_on(st, DAY0);
	}
	assert_int_equal(ask_erase(st, &c[1500], DAY0 + 3), STORE_STORED);
	used = 0;
	nftw(dir, add_used, 16, FTW_PHYS);
	capacity = used + (7ull << 20);
	assert_int_equal(store_release(st, &rel), PERR_OK);
	capacity = 0;
	assert_int_equal(rel.erased, 1);
	assert_int_equal(rel.settled_days, 0);
	assert_int_equal(rel.deferred, 1);
	assert_int_equal(times_of(st, &c[1500]), 0);
	assert_int_equal(in_folder(dir, c[1500].cell + 1000), 0);
	assert_int_equal(times_of(st, &c[1499]), 1);
	rel.day = DAY0 + 3;
	assert_int_equal(store_release(st, &rel), PERR_OK);
	assert_int_equal(rel.settled_days, 1);
	assert_int_equal(counts_of(st).cells, 2999);
	store_close(st);
	rm_tree(dir);
	free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(store_settles_after_as_many_days_as_the_policy_says),
		cmocka_unit_test(store_refuses_a_late_duplicate_at_every_stage),
		cmocka_unit_test(store_voids_what_waits_and_nothing_else),
		cmocka_unit_test(store_forgets_an_erased_id_with_its_day),
		cmocka_unit_test(store_expires_on_the_same_day_on_every_mirror),
		cmocka_unit_test(store_erasures_of_the_pool_cost_one_walk),
		cmocka_unit_test(store_erases_a_cell_from_all_files_that_have_it),
		cmocka_unit_test(store_state_is_the_same_bytes_for_any_order_of_arrival),
		cmocka_unit_test(store_pool_is_written_with_zeros_ahead_of_its_use),
		cmocka_unit_test(store_release_leaves_no_trace_of_what_was_taken_back),
		cmocka_unit_test(store_bulletin_overwrites_every_part_it_retires),
		cmocka_unit_test(store_reserve_is_for_erasures_and_releases_alone),
		cmocka_unit_test(store_full_disk_releases_first_and_erases_next),
		cmocka_unit_test(store_full_disk_erases_what_it_cannot_settle),
	};

	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
