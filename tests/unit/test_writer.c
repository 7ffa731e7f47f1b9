/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "store_test.h"

#include <errno.h>
#include <lmdb.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <time.h>

#include "writer.h"

/* ---- the commit, counted and made to fail ---- */

static _Atomic unsigned commits;
static _Atomic int fail_in;             /* the n-th commit from now fails; 0: none */
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER; /* held: commits wait */

static _Atomic int hold_in;             /* the n-th commit from now waits for `go`; 0: none */
static sem_t held, go;

static bool wait_for(sem_t *s, int seconds)
{
	struct timespec until;

	(void)clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += seconds;
	return sem_timedwait(s, &until) == 0;
}

int __real_mdb_txn_commit(MDB_txn *txn);
int __wrap_mdb_txn_commit(MDB_txn *txn);
int __wrap_mdb_txn_commit(MDB_txn *txn)
{
	if (atomic_load(&hold_in) > 0 && atomic_fetch_sub(&hold_in, 1) == 1) {
		sem_post(&held);
		(void)wait_for(&go, 20);
	}
	pthread_mutex_lock(&gate);
	pthread_mutex_unlock(&gate);
	atomic_fetch_add(&commits, 1);
	if (atomic_load(&fail_in) > 0 && atomic_fetch_sub(&fail_in, 1) == 1) {
		mdb_txn_abort(txn);
		return EIO;
	}
	return __real_mdb_txn_commit(txn);
}

static void on_done(struct writer_job *job)
{
	(*(unsigned *)job->data)++;
}

struct upload {
	struct writer_job job;
	struct store_cell cells[16];
};

static void upload_init(struct upload *u, const struct test_cell *c, size_t n, unsigned *done)
{
	size_t i;

	memset(u, 0, sizeof *u);
	u->job.kind = WRITER_APPEND;
	u->job.u.append.cells = u->cells;
	u->job.u.append.n = n;
	u->job.done = on_done;
	u->job.data = done;
	for (i = 0; i < n; i++) {
		u->cells[i].cell = c[i].cell;
		memcpy(u->cells[i].id, c[i].id, STORE_ID);
	}
}

static void run(struct writer *w, struct writer_job *job)
{
	unsigned done = 0;

	job->done = on_done;
	job->data = &done;
	assert_int_equal(writer_submit(w, job), PERR_OK);
	while (done == 0) {
		writer_wait(w);
		writer_collect(w);
	}
}

static void writer_commits_what_waits_at_once(void **state)
{
	struct test_cell *c = make_cells(0, 1600);
	struct upload *u = calloc(100, sizeof *u);
	unsigned done = 0, before, i, j;
	struct writer *w;
	struct store *st;
	char dir[256];

	st = make_store(dir);
	assert_int_equal(writer_start(&w, st, 0, NULL, NULL), PERR_OK);
	before = atomic_load(&commits);
	pthread_mutex_lock(&gate);
	for (i = 0; i < 100; i++) {
		upload_init(&u[i], c + 16 * i, 16, &done);
		assert_int_equal(writer_submit(w, &u[i].job), PERR_OK);
	}
	/* Nothing is handed back before its commit has returned. */
	assert_int_equal(writer_collect(w), 0);
	assert_int_equal(writer_queued(w), 1600);
	pthread_mutex_unlock(&gate);
	while (done < 100) {
		writer_wait(w);
		writer_collect(w);
	}
	assert_in_range(atomic_load(&commits) - before, 1, 2);
	assert_int_equal(writer_queued(w), 0);
	for (i = 0; i < 100; i++) {
		assert_int_equal(u[i].job.result, PERR_OK);
		for (j = 0; j < 16; j++)
			assert_int_equal(u[i].cells[j].status, STORE_STORED);
	}
	writer_stop(w);
	st = reopen(st, dir);
	put_cells(st, c, 1600, STORE_THERE);
	store_close(st);
	rm_tree(dir);
	free(u);
	free(c);
}

static void writer_queue_is_bounded(void **state)
{
	struct test_cell *c = make_cells(0, 16);
	struct upload u[5];
	unsigned done = 0, i;
	struct writer *w;
	struct store *st;
	char dir[256];

	st = make_store(dir);
	assert_int_equal(writer_start(&w, st, 40, NULL, NULL), PERR_OK);
	pthread_mutex_lock(&gate);
	for (i = 0; i < 5; i++)
		upload_init(&u[i], c, 16, &done);
	assert_int_equal(writer_submit(w, &u[0].job), PERR_OK);
	assert_int_equal(writer_submit(w, &u[1].job), PERR_OK);
	assert_int_equal(writer_submit(w, &u[2].job), PERR_LIMIT);
	u[3].job.u.append.n = 8;
	assert_int_equal(writer_submit(w, &u[3].job), PERR_OK);
	pthread_mutex_unlock(&gate);
	writer_stop(w);         /* finishes what is queued */
	assert_int_equal(done, 3);
	/* A job larger than the bound is taken when nothing waits. */
	assert_int_equal(writer_start(&w, st, 4, NULL, NULL), PERR_OK);
	run(w, &u[4].job);
	assert_int_equal(u[4].job.result, PERR_OK);
	assert_int_equal(u[4].cells[0].status, STORE_THERE);
	writer_stop(w);
	store_close(st);
	rm_tree(dir);
	free(c);
}

static void writer_gives_no_answer_after_a_failed_commit(void **state)
{
	struct test_cell *c = make_cells(0, 64);
	struct upload u[4];
	struct writer_job release = { .kind = WRITER_RELEASE };
	unsigned done = 0, i;
	struct writer *w;
	struct store *st;
	char dir[256];

	st = make_store(dir);
	assert_int_equal(writer_start(&w, st, 0, NULL, NULL), PERR_OK);
	upload_init(&u[0], c, 16, &done);
	run(w, &u[0].job);
	assert_int_equal(u[0].job.result, PERR_OK);
	pthread_mutex_lock(&gate);
	for (i = 1; i < 4; i++) {
		upload_init(&u[i], c + 16 * i, 16, &done);
		assert_int_equal(writer_submit(w, &u[i].job), PERR_OK);
	}
	atomic_store(&fail_in, 1);
	pthread_mutex_unlock(&gate);
	while (done < 3) {
		writer_wait(w);
		writer_collect(w);
	}
	for (i = 1; i < 4; i++)
		assert_int_equal(u[i].job.result, PERR_IO);
	assert_non_null(store_dead_reason(st));
	upload_init(&u[1], c, 16, &done);
	run(w, &u[1].job);
	assert_int_equal(u[1].job.result, PERR_IO);
	run(w, &release);
	assert_int_equal(release.result, PERR_IO);
	writer_stop(w);
	st = reopen(st, dir);
	put_cells(st, c, 16, STORE_THERE);
	put_cells(st, c + 16, 48, STORE_STORED);
	store_close(st);
	rm_tree(dir);
	free(c);
}

static void writer_runs_every_kind_of_job(void **state)
{
	struct test_cell *c = make_cells(0, 8);
	uint8_t ticket[STORE_ID] = { 5 }, buf[100], part[100] = { 3 };
	uint8_t hash[1][STORE_ID], policy[32];
	struct store_meta meta = { "counter", (const uint8_t *)"7", 1 };
	struct store_meta bad = { "", (const uint8_t *)"7", 1 };
	struct writer_erase erase = { .status = STORE_FULL };
	struct upload u;
	struct writer_job job;
	unsigned done = 0;
	struct writer *w;
	struct store *st;
	uint32_t got, total;
	char dir[256];
	size_t len;

	st = make_store(dir);
	assert_int_equal(writer_start(&w, st, 0, NULL, NULL), PERR_OK);
	upload_init(&u, c, 4, &done);
	run(w, &u.job);
	job = (struct writer_job){ .kind = WRITER_BOARD_PUT, .u.put.cell = c[5].cell };
	memcpy(job.u.put.id, c[5].id, STORE_ID);
	run(w, &job);
	assert_int_equal(job.u.put.status, STORE_STORED);
	job = (struct writer_job){ .kind = WRITER_JOIN_PUT, .u.put.cell = c[6].cell,
	                           .u.put.ticket = ticket };
	memcpy(job.u.put.id, c[6].id, STORE_ID);
	run(w, &job);
	assert_int_equal(job.u.put.status, STORE_STORED);
	job = (struct writer_job){ .kind = WRITER_RELEASE };
	job.u.release = (struct store_release){ .day = DAY0, .metas = &meta, .n_metas = 1 };
	run(w, &job);
	assert_int_equal(job.result, PERR_OK);
	assert_int_equal(job.u.release.released, 4);
	assert_int_equal(store_meta_get(st, "counter", buf, sizeof buf, &len), PERR_OK);
	assert_int_equal(store_board_get(st, 0, 0, NULL, &got, &total, NULL), PERR_OK);
	assert_int_equal(total, 1);
	memcpy(erase.id, c[0].id, STORE_ID);
	memcpy(erase.ds, c[0].ds, STORE_DS);
	job = (struct writer_job){ .kind = WRITER_ERASE };
	job.u.erase.items = &erase;
	job.u.erase.n = 1;
	job.u.erase.due_day = DAY0;
	run(w, &job);
	assert_int_equal(erase.status, STORE_STORED);
	job = (struct writer_job){ .kind = WRITER_ERASE_VOID, .metas = &meta, .n_metas = 1 };
	run(w, &job);
	assert_int_equal(job.u.ids.voided, 1);
	job = (struct writer_job){ .kind = WRITER_BOARD_CLEAR, .metas = &bad, .n_metas = 1 };
	run(w, &job);
	assert_int_equal(job.result, PERR_RANGE);
	crypto_generichash(hash[0], STORE_ID, part, sizeof part, NULL, 0);
	job = (struct writer_job){ .kind = WRITER_BULLETIN };
	job.u.ids.ids = (const uint8_t (*)[STORE_ID])hash;
	job.u.ids.n = 1;
	run(w, &job);
	assert_int_equal(job.result, PERR_NOTFOUND);
	job = (struct writer_job){ .kind = WRITER_PART };
	memcpy(job.u.part.hash, hash[0], STORE_ID);
	job.u.part.total = job.u.part.len = sizeof part;
	job.u.part.piece = part;
	run(w, &job);
	assert_int_equal(job.u.part.have, sizeof part);
	meta = (struct store_meta){ "header", policy, sizeof policy };
	memset(policy, 9, sizeof policy);
	job = (struct writer_job){ .kind = WRITER_BULLETIN, .metas = &meta, .n_metas = 1 };
	job.u.ids.ids = (const uint8_t (*)[STORE_ID])hash;
	job.u.ids.n = 1;
	run(w, &job);
	assert_int_equal(job.result, PERR_OK);
	assert_int_equal(store_part_get(st, hash[0], 0, buf, sizeof buf, &len, &total), PERR_OK);
	assert_memory_equal(buf, part, sizeof part);
	assert_int_equal(store_meta_get(st, "header", buf, sizeof buf, &len), PERR_OK);
	job = (struct writer_job){ .kind = WRITER_JOIN_DROP, .metas = &meta, .n_metas = 1 };
	job.u.ids.ids = (const uint8_t (*)[STORE_ID])ticket;
	job.u.ids.n = 1;
	run(w, &job);
	assert_false(store_join_has(st, ticket));
	job = (struct writer_job){ .kind = WRITER_META, .metas = &meta, .n_metas = 1 };
	run(w, &job);
	assert_int_equal(job.result, PERR_OK);
	writer_stop(w);
	store_close(st);
	rm_tree(dir);
	free(c);
}

/* ---- readers beside the writer ---- */

struct reader {
	struct store *st;
	_Atomic bool *is_over;
	unsigned reads, faults;
	uint32_t seed;
};

static void *reader_thread(void *arg)
{
	struct reader *r = arg;
	uint8_t *cells = malloc(STORE_READ_MAX * STORE_CELL), digest[STORE_ID];
	struct store_segment segs[64];
	uint32_t got, total;
	size_t n, len;
	enum perr err;

	while (!atomic_load(r->is_over)) {
		n = store_segments(r->st, 0, 0, segs, 64);
		r->seed = r->seed * 1664525 + 1013904223;
		if (n > 0) {
			struct store_segment *s = &segs[(r->seed >> 8) % n];

			err = store_read(r->st, s->day, s->release, s->digest,
			                 (r->seed >> 4) % s->count, STORE_READ_MAX, cells, &got);
			/* It may have settled or changed in between, but never looks damaged. */
			r->faults += err != PERR_OK && err != PERR_STATE && err != PERR_NOTFOUND;
			r->reads++;
		}
		err = store_board_get(r->st, 0, 4, cells, &got, &total, digest);
		r->faults += err != PERR_OK;
		err = store_meta_get(r->st, "counter", cells, 100, &len);
		r->faults += err != PERR_OK && err != PERR_NOTFOUND;
		(void)store_join_has(r->st, digest);
	}
	free(cells);
	return NULL;
}

static void writer_and_readers_do_not_disturb_each_other(void **state)
{
	struct test_cell *c = make_cells(0, 1600);
	struct store_counts counts;
	struct reader readers[3];
	pthread_t threads[3];
	_Atomic bool is_over = false;
	struct upload u;
	struct writer_job job;
	struct writer_erase erase;
	unsigned done = 0, i, reads = 0, faults = 0;
	uint8_t n[4];
	struct store_meta meta = { "counter", n, sizeof n };
	struct writer *w;
	struct store *st;
	char dir[256];

	st = make_store(dir);
	assert_int_equal(writer_start(&w, st, 0, NULL, NULL), PERR_OK);
	for (i = 0; i < 3; i++) {
		readers[i] = (struct reader){ .st = st, .is_over = &is_over, .seed = i };
		assert_int_equal(pthread_create(&threads[i], NULL, reader_thread, &readers[i]), 0);
	}
	for (i = 0; i < 100; i++) {
		memcpy(n, &i, 4);
		upload_init(&u, c + 16 * i, 16, &done);
		run(w, &u.job);
		job = (struct writer_job){ .kind = WRITER_BOARD_PUT, .metas = &meta, .n_metas = 1,
		                           .u.put.cell = c[i].cell };
		memcpy(job.u.put.id, c[i].id, STORE_ID);
		run(w, &job);
		if (i % 5 != 4)
			continue;
		memcpy(erase.id, c[16 * (i - 1)].id, STORE_ID);
		memcpy(erase.ds, c[16 * (i - 1)].ds, STORE_DS);
		job = (struct writer_job){ .kind = WRITER_ERASE };
		job.u.erase.items = &erase;
		job.u.erase.n = 1;
		job.u.erase.due_day = DAY0 + i / 5 + 1;
		run(w, &job);
		job = (struct writer_job){ .kind = WRITER_RELEASE };
		job.u.release.day = DAY0 + i / 10;
		job.u.release.retention_days = 5;
		run(w, &job);
		assert_int_equal(job.result, PERR_OK);
	}
	atomic_store(&is_over, true);
	for (i = 0; i < 3; i++) {
		pthread_join(threads[i], NULL);
		reads += readers[i].reads;
		faults += readers[i].faults;
	}
	store_counts(st, &counts);
	printf("figure: reads beside 20 releases: %u; faults: %u\n", reads, faults);
	assert_int_equal(faults, 0);
	assert_int_equal(counts.damaged, 0);
	writer_stop(w);
	store_close(st);
	rm_tree(dir);
	free(c);
}

/* collect until the n-th of these is done, at most ten seconds */
static bool done_within(struct writer *w, const unsigned *done)
{
	struct timespec ts = { .tv_nsec = 1000000 };
	int i;

	for (i = 0; i < 10000 && *done == 0; i++) {
		writer_collect(w);
		(void)nanosleep(&ts, NULL);
	}
	return *done > 0;
}

/*
 * A release of a night's cells takes longer than a sender waits.  Its segment is held back
 * here in its commit; cells are stored all the same, and nothing else overtakes.
 */
static void writer_stores_cells_while_a_release_writes(void **state)
{
	struct test_cell *c = make_cells(0, 100);
	unsigned released = 0, stored = 0, meta_set = 0, times[100], i;
	struct writer_job release = { .kind = WRITER_RELEASE, .done = on_done, .data = &released };
	struct writer_job meta = { .kind = WRITER_META, .done = on_done, .data = &meta_set };
	struct store_meta m = { "policy", c[0].cell, 10 };
	struct store_counts counts;
	struct upload u;
	struct writer *w;
	struct store *st;
	char dir[256];

	st = make_store(dir);
	put_cells(st, c, 80, STORE_STORED);
	assert_int_equal(writer_start(&w, st, 0, NULL, NULL), PERR_OK);
	release.u.release.day = DAY0;
	meta.metas = &m;
	meta.n_metas = 1;
	atomic_store(&hold_in, 2);              /* the fresh pool's, then the segment's */
	assert_int_equal(writer_submit(w, &release), PERR_OK);
	assert_true(wait_for(&held, 10));
	assert_int_equal(writer_submit(w, &meta), PERR_OK);
	upload_init(&u, c + 80, 16, &stored);
	assert_int_equal(writer_submit(w, &u.job), PERR_OK);
	assert_true(done_within(w, &stored));
	assert_int_equal(u.job.result, PERR_OK);
	for (i = 0; i < 16; i++)
		assert_int_equal(u.cells[i].status, STORE_STORED);
	assert_int_equal(released, 0);
	assert_int_equal(meta_set, 0);
	/* what is being released is there already, and is not stored twice */
	stored = 0;
	upload_init(&u, c, 16, &stored);
	assert_int_equal(writer_submit(w, &u.job), PERR_OK);
	assert_true(done_within(w, &stored));
	assert_int_equal(u.cells[0].status, STORE_THERE);
	sem_post(&go);
	assert_true(done_within(w, &released));
	assert_int_equal(release.result, PERR_OK);
	assert_int_equal(release.u.release.released, 80);
	assert_true(done_within(w, &meta_set));
	store_counts(st, &counts);
	assert_int_equal(counts.pool_cells, 16);
	assert_int_equal(counts.cells, 80);
	writer_stop(w);
	st = reopen(st, dir);
	release_on(st, DAY0);
	count_released(st, c, 100, times);
	for (i = 0; i < 100; i++)
		assert_int_equal(times[i], i < 96);
	store_close(st);
	rm_tree(dir);
	free(c);
}

static void writer_ends_a_release_when_a_commit_beside_it_fails(void **state)
{
	struct test_cell *c = make_cells(0, 100);
	unsigned released = 0, stored = 0, times[100], i;
	struct writer_job release = { .kind = WRITER_RELEASE, .done = on_done, .data = &released };
	struct upload u;
	struct writer *w;
	struct store *st;
	char dir[256];

	st = make_store(dir);
	put_cells(st, c, 80, STORE_STORED);
	assert_int_equal(writer_start(&w, st, 0, NULL, NULL), PERR_OK);
	release.u.release.day = DAY0;
	atomic_store(&hold_in, 2);
	assert_int_equal(writer_submit(w, &release), PERR_OK);
	assert_true(wait_for(&held, 10));
	atomic_store(&fail_in, 1);
	upload_init(&u, c + 80, 16, &stored);
	assert_int_equal(writer_submit(w, &u.job), PERR_OK);
	assert_true(done_within(w, &stored));
	assert_int_equal(u.job.result, PERR_IO);
	sem_post(&go);
	assert_true(done_within(w, &released));
	assert_int_equal(release.result, PERR_IO);
	writer_stop(w);
	/* as after a kill: what was acknowledged is there, once */
	st = reopen(st, dir);
	release_on(st, DAY0);
	count_released(st, c, 100, times);
	for (i = 0; i < 80; i++)
		assert_int_equal(times[i], 1);
	store_close(st);
	rm_tree(dir);
	free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writer_commits_what_waits_at_once),
		cmocka_unit_test(writer_queue_is_bounded),
		cmocka_unit_test(writer_stores_cells_while_a_release_writes),
		cmocka_unit_test(writer_ends_a_release_when_a_commit_beside_it_fails),
		cmocka_unit_test(writer_gives_no_answer_after_a_failed_commit),
		cmocka_unit_test(writer_runs_every_kind_of_job),
		cmocka_unit_test(writer_and_readers_do_not_disturb_each_other),
	};

	(void)sem_init(&held, 0, 0);
	(void)sem_init(&go, 0, 0);
	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
