/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * A file of released cells is a function of the set of cells alone.  Histories are made up
 * from a seed: order of arrival, sizes of batches, cells that come twice, in how many
 * releases, restarts, kills (the process ends at some call to LMDB or the file system, before
 * or after it happened), cells that were erased in between at any stage.  Whatever the history,
 * the segment and the settled file are those of a store that was handed the set in one go and
 * never held the erased cells.
 *
 * Controls, whose files must differ: a store that puts cells down as they arrive; one that
 * erases by deleting in place.
 *
 * AMPARO_TEST_MODE=long: more histories.  AMPARO_SEED=n begins with history n.
 */
#include "store_test.h"

#include <lmdb.h>
#include <sys/wait.h>

#include "store_seg.h"

#define N_KEPT   90
#define N_ERASED 14
#define N_CELLS  (N_KEPT + N_ERASED)
#define OPS_MAX  512

static struct test_cell *cell;   /* those that stay, then those that are erased */

/* ---- kills, and a store that keeps the order of arrival ---- */

static int kill_at = -1;         /* calls left; -1: live on */
static bool kill_after;
static unsigned n_kills;
static bool as_they_come;

static void may_die(bool after)
{
	if (kill_at < 0 || after != kill_after)
		return;
	if (kill_at-- == 0)
		_exit(9);
}

#define DIES(type, name, args, call) \
	type __real_##name args; \
	type __wrap_##name args; \
	type __wrap_##name args \
	{ \
		type rc; \
		may_die(false); \
		rc = __real_##name call; \
		may_die(true); \
		return rc; \
	}

DIES(int, mdb_txn_commit, (MDB_txn *txn), (txn))
DIES(int, mdb_env_sync, (MDB_env *env, int force), (env, force))
DIES(int, renameat, (int a, const char *b, int c, const char *d), (a, b, c, d))
DIES(int, linkat, (int a, const char *b, int c, const char *d, int e), (a, b, c, d, e))
DIES(int, unlinkat, (int a, const char *b, int c), (a, b, c))
DIES(int, fdatasync, (int fd), (fd))
DIES(int, fsync, (int fd), (fd))

void __real_store_seg_sort(struct store_seg_item *items, size_t n);
void __wrap_store_seg_sort(struct store_seg_item *items, size_t n);
void __wrap_store_seg_sort(struct store_seg_item *items, size_t n)
{
	if (!as_they_come)
		__real_store_seg_sort(items, n);
}

int __real_mdb_put(MDB_txn *txn, MDB_dbi dbi, MDB_val *key, MDB_val *val, unsigned flags);
int __wrap_mdb_put(MDB_txn *txn, MDB_dbi dbi, MDB_val *key, MDB_val *val, unsigned flags);
int __wrap_mdb_put(MDB_txn *txn, MDB_dbi dbi, MDB_val *key, MDB_val *val, unsigned flags)
{
	return __real_mdb_put(txn, dbi, key, val, as_they_come ? flags & ~(unsigned)MDB_APPEND
	                                                       : flags);
}

/* ---- chance, from a seed ---- */

static uint64_t chance_state;

static uint32_t below(uint32_t n)
{
	uint64_t z = chance_state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return (uint32_t)((z ^ z >> 31) >> 32) % n;
}

/* ---- histories ---- */

enum what { PUT, ERASE, RELEASE, REOPEN };
struct op {
	enum what what;
	uint16_t cells[N_CELLS];
	unsigned n;
	uint32_t day, due;
};
struct history {
	struct op op[OPS_MAX];
	unsigned n;
	uint32_t n_releases;     /* of the day, at least */
};

static struct op *add(struct history *h, enum what what)
{
	struct op *o = &h->op[h->n++];

	assert_true(h->n < OPS_MAX);
	memset(o, 0, sizeof *o);
	o->what = what;
	return o;
}

static void add_release(struct history *h, uint32_t day)
{
	add(h, RELEASE)->day = day;
}

static void add_erase(struct history *h, unsigned which, uint32_t due)
{
	struct op *o = add(h, ERASE);

	o->cells[0] = (uint16_t)which;
	o->due = due;
}

/*
 * All cells of [0, n), in one release or several; each of those from N_KEPT on is erased:
 * before its release, after it, or while its day settles.
 */
static void make_up(struct history *h, unsigned n, bool one_release)
{
	bool waits[N_CELLS] = { false };
	uint16_t order[N_CELLS];
	unsigned i, j, at, many, left;

	memset(h, 0, sizeof *h);
	for (i = 0; i < n; i++)
		order[i] = (uint16_t)i;
	for (i = n; i > 1; i--) {
		uint16_t t = order[i - 1];

		j = below(i);
		order[i - 1] = order[j];
		order[j] = t;
	}
	for (at = 0; at < n; at += many) {
		struct op *o = add(h, PUT);

		many = 1 + below(below(3) == 0 ? 40 : 4);
		many = many < n - at ? many : n - at;
		for (i = 0; i < many; i++) {
			o->cells[o->n++] = order[at + i];
			waits[order[at + i]] = order[at + i] >= N_KEPT;
		}
		/* somebody sends again what the server has, or had */
		for (i = below(3); at > 0 && i > 0 && o->n < N_CELLS; i--)
			o->cells[o->n++] = order[below(at)];
		if (below(8) == 0)
			add(h, REOPEN);
		if (!one_release && below(10) == 0)
			add_release(h, DAY0);
		for (i = N_KEPT; i < n; i++) {
			if (waits[i] && below(12) == 0) {
				add_erase(h, i, DAY0 + below(2));
				waits[i] = false;
			}
		}
	}
	add_release(h, DAY0);
	if (one_release)
		return;
	for (i = N_KEPT, left = n; i < left; i++)
		if (waits[i])
			add_erase(h, i, DAY0 + below(4));
	if (below(2) == 0)
		add_release(h, DAY0 + 1);
	if (below(2) == 0)
		add(h, REOPEN);
	add_release(h, DAY0 + 3);
	/* once more: what a kill put off */
	add_release(h, DAY0 + 3);
}

static enum perr put(struct store *st, const struct op *o)
{
	struct store_cell v[N_CELLS];
	enum perr err;
	unsigned i;

	for (i = 0; i < o->n; i++) {
		v[i].cell = cell[o->cells[i]].cell;
		memcpy(v[i].id, cell[o->cells[i]].id, STORE_ID);
	}
	err = store_append(st, v, o->n);
	return err == PERR_OK ? store_commit(st) : err;
}

static enum perr erase(struct store *st, const struct op *o)
{
	const struct test_cell *c = &cell[o->cells[0]];
	enum store_status status;
	enum perr err = store_erase(st, c->id, c->ds, o->due, &status);

	return err == PERR_OK ? store_commit(st) : err;
}

/* from op `from` on, in a process that may be killed; tells each op that is done */
static void tell(const char *dir, const struct history *h, unsigned from, int fd)
{
	struct store *st = NULL;
	unsigned i;

	if (store_open(&st, dir, &test_config, NULL) != PERR_OK)
		_exit(3);
	for (i = from; i < h->n; i++) {
		const struct op *o = &h->op[i];
		struct store_release rel = { .day = o->day, .retention_days = 60 };
		enum perr err = PERR_OK;

		switch (o->what) {
		case PUT:     err = put(st, o); break;
		case ERASE:   err = erase(st, o); break;
		case RELEASE: err = store_release(st, &rel); break;
		case REOPEN:
			store_close(st);
			err = store_open(&st, dir, &test_config, NULL);
			break;
		}
		if (err != PERR_OK || write(fd, "", 1) != 1)
			_exit(4);
	}
	store_close(st);
	_exit(0);
}

/* until the history is over; every kill begins again with the op that was not acknowledged */
static void live(const char *dir, const struct history *h, unsigned kills)
{
	unsigned done = 0;
	int status, ends[2];
	char c;

	assert_int_equal(store_create(dir, DAY0, NULL, 0), PERR_OK);
	for (;;) {
		bool dies = kills > 0 && below(3) > 0;
		uint32_t at = below(30), after = below(2);
		pid_t pid;

		assert_int_equal(pipe(ends), 0);
		fflush(stdout);
		pid = fork();
		assert_true(pid >= 0);
		if (pid == 0) {
			close(ends[0]);
			kill_at = dies ? (int)at : -1;
			kill_after = after != 0;
			tell(dir, h, done, ends[1]);
		}
		close(ends[1]);
		while (read(ends[0], &c, 1) == 1)
			done++;
		close(ends[0]);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFEXITED(status));
		if (WEXITSTATUS(status) == 0)
			break;
		if (WEXITSTATUS(status) != 9)
			fail_msg("op %u of %u failed (%d)", done, h->n, WEXITSTATUS(status));
		n_kills++;
		kills = kills > 0 ? kills - 1 : 0;
	}
	assert_int_equal(done, h->n);
}

/* the only file among the segments; its name */
static uint8_t *only_segment(const char *dir, char name[64], size_t *len)
{
	char path[300];
	const struct dirent *de;
	unsigned n = 0;
	DIR *d;

	snprintf(path, sizeof path, "%s/segments", dir);
	d = opendir(path);
	assert_non_null(d);
	while ((de = readdir(d)) != NULL) {
		if (de->d_name[0] == '.')
			continue;
		n++;
		snprintf(name, 64, "segments/%.50s", de->d_name);
	}
	closedir(d);
	if (n != 1)
		fail_msg("%u files of released cells instead of one", n);
	return slurp(dir, name, len);
}

static uint8_t *file_of(const struct history *h, unsigned kills, char name[64], size_t *len)
{
	uint8_t *bytes;
	char dir[256];

	new_dir(dir);
	live(dir, h, kills);
	bytes = only_segment(dir, name, len);
	rm_tree(dir);
	return bytes;
}

/* the plainest history of the cells [0, N_KEPT) */
static void plainest(struct history *h, bool settles)
{
	struct op *o;
	unsigned i;

	memset(h, 0, sizeof *h);
	o = add(h, PUT);
	for (i = 0; i < N_KEPT; i++)
		o->cells[o->n++] = (uint16_t)i;
	add_release(h, DAY0);
	if (settles)
		add_release(h, DAY0 + 3);
}

static unsigned n_histories(void)
{
	const char *mode = getenv("AMPARO_TEST_MODE");

	return mode != NULL && strcmp(mode, "long") == 0 ? 2000 : 40;
}

static uint64_t first_seed(void)
{
	const char *s = getenv("AMPARO_SEED");

	return s == NULL ? 1 : strtoull(s, NULL, 10);
}

static void any_history(bool settles, const char *what)
{
	static struct history h;
	uint64_t seed = first_seed();
	unsigned i, n = n_histories(), differing = 0;
	char name[64], name0[64];
	uint8_t *first, *other;
	size_t len, other_len;

	n_kills = 0;
	plainest(&h, settles);
	chance_state = 0;
	first = file_of(&h, 0, name0, &len);
	for (i = 0; i < n; i++) {
		chance_state = seed + i;
		make_up(&h, settles ? N_CELLS : N_KEPT, !settles);
		other = file_of(&h, i % 2 == 0 ? 0 : 1 + i % 5, name, &other_len);
		if (strcmp(name, name0) != 0 || len != other_len ||
		    memcmp(first, other, len) != 0) {
			printf("history %llu (%s) differs: %s, %zu bytes\n",
			       (unsigned long long)(seed + i), what, name, other_len);
			differing++;
		}
		free(other);
	}
	free(first);
	printf("figure: %s: %u histories, %u kills; differing: %u\n", what, n, n_kills, differing);
	assert_int_equal(differing, 0);
	assert_true(n_kills > n / 4);
}

static void a_segment_is_the_same_bytes_after_any_history(void **state)
{
	any_history(false, "segments");
}

static void a_settled_day_is_the_same_bytes_after_any_history(void **state)
{
	any_history(true, "settled days");
}

static void a_store_that_keeps_the_order_of_arrival_is_noticed(void **state)
{
	static struct history h;
	uint8_t *first, *other;
	size_t len, other_len;
	char name[64];

	as_they_come = true;
	plainest(&h, false);
	chance_state = 0;
	first = file_of(&h, 0, name, &len);
	chance_state = 1;
	make_up(&h, N_KEPT, true);
	other = file_of(&h, 0, name, &other_len);
	as_they_come = false;
	assert_true(len != other_len || memcmp(first, other, len) != 0);
	free(first);
	free(other);
}

/* open a copy of the file and put or take cells as LMDB does it */
static uint8_t *in_place(const uint8_t *bytes, size_t len, size_t *out_len)
{
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi dbi;
	uint8_t *out;
	char dir[256], path[300];
	unsigned i, round;
	FILE *f;

	new_dir(dir);
	assert_int_equal(mkdir(dir, 0700), 0);
	snprintf(path, sizeof path, "%s/f", dir);
	f = fopen(path, "wb");
	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, len, f), len);
	fclose(f);
	assert_int_equal(mdb_env_create(&env), 0);
	assert_int_equal(mdb_env_set_mapsize(env, 1 << 24), 0);
	assert_int_equal(mdb_env_open(env, path, MDB_NOSUBDIR | MDB_NOLOCK, 0600), 0);
	for (round = 0; round < 2; round++) {
		assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
		assert_int_equal(mdb_dbi_open(txn, NULL, 0, &dbi), 0);
		for (i = N_KEPT; i < N_CELLS; i++) {
			MDB_val key = { STORE_ID, cell[i].id }, val = { STORE_CELL, cell[i].cell };

			assert_int_equal(round == 0 ? mdb_put(txn, dbi, &key, &val, 0)
			                            : mdb_del(txn, dbi, &key, NULL), 0);
		}
		assert_int_equal(mdb_txn_commit(txn), 0);
	}
	mdb_env_close(env);
	out = slurp(dir, "f", out_len);
	rm_tree(dir);
	return out;
}

static void a_store_that_erases_in_place_is_noticed(void **state)
{
	static struct history h;
	uint8_t *first, *other;
	size_t len, other_len, i;
	char name[64];
	bool found = false;

	plainest(&h, false);
	first = file_of(&h, 0, name, &len);
	other = in_place(first, len, &other_len);
	assert_true(len != other_len || memcmp(first, other, len) != 0);
	/* and not for a trifle: the erased are still in there */
	for (i = 0; i + STORE_ID <= other_len && !found; i++)
		found = memcmp(other + i, cell[N_KEPT].cell + 100, STORE_ID) == 0;
	assert_true(found);
	free(first);
	free(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_segment_is_the_same_bytes_after_any_history),
		cmocka_unit_test(a_settled_day_is_the_same_bytes_after_any_history),
		cmocka_unit_test(a_store_that_keeps_the_order_of_arrival_is_noticed),
		cmocka_unit_test(a_store_that_erases_in_place_is_noticed)
	};

	if (sodium_init() < 0)
		return 1;
	cell = make_cells(0, N_CELLS);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
