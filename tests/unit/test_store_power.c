/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * The power is cut.  Every write, sync, rename, link and unlink of a store's life is recorded
 * (LMDB's own too: these functions stand in for libc's in this process), and every moment at
 * which something was acknowledged.  Then disks are made as they may look after a cut at some
 * point: synced writes are there; of each unsynced one any subset of its 512-byte sectors; a
 * file's length old or new; of each folder's unsynced steps any number, in order.  A child
 * opens each disk, tells the story on to its end, and looks whether all is there.
 *
 * Controls, each of which must lose something: data is never synced (LMDB's NOSYNC); the disk
 * ignores every flush; the answer leaves before its commit.
 */
#include "store_story.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>

#define SECTOR   512u
#define MAX_FD   256
#define MAX_INO  128
#define MAX_NAME 80

enum kind { EV_WRITE, EV_TRUNCATE, EV_SYNC, EV_SYNC_DIR, EV_ADD, EV_DEL, EV_MOVE, EV_ACK };

struct event {
	enum kind kind;
	int ino, dir;           /* dir: 0 = the folder, 1 = segments, 2 = bulletin */
	off_t at;
	size_t len;
	uint8_t *data;
	bool is_durable;        /* through an O_DSYNC descriptor */
	bool is_data_sync;      /* fdatasync, as LMDB calls it */
	char name[MAX_NAME], to[MAX_NAME];
};

static struct event *events;
static size_t n_events, max_events;
static bool is_recording;
static char root[256];
static struct { ino_t real; } inodes[MAX_INO];
static int n_inodes;
static struct { int ino; bool is_dsync; int dir; } fds[MAX_FD];

static struct event *add(enum kind kind)
{
	if (n_events == max_events) {
		max_events = max_events == 0 ? 1024 : 2 * max_events;
		events = realloc(events, max_events * sizeof *events);
		assert_non_null(events);
	}
	memset(&events[n_events], 0, sizeof *events);
	events[n_events].kind = kind;
	return &events[n_events++];
}

/* Which of the three folders, and the name in it; -1: none of ours. */
static int place(int dfd, const char *path, char name[MAX_NAME])
{
	char full[PATH_MAX], link[64];
	const char *rest;
	ssize_t n;

	if (path[0] == '/') {
		snprintf(full, sizeof full, "%s", path);
	} else {
		if (dfd == AT_FDCWD)
			return -1;
		snprintf(link, sizeof link, "/proc/self/fd/%d", dfd);
		n = readlink(link, full, sizeof full / 2);
		if (n < 0)
			return -1;
		snprintf(full + n, sizeof full - (size_t)n, "/%s", path);
	}
	if (strncmp(full, root, strlen(root)) != 0 || full[strlen(root)] != '/')
		return -1;
	rest = full + strlen(root) + 1;
	if (strncmp(rest, "segments/", 9) == 0) {
		snprintf(name, MAX_NAME, "%s", rest + 9);
		return 1;
	}
	if (strncmp(rest, "bulletin/", 9) == 0) {
		snprintf(name, MAX_NAME, "%s", rest + 9);
		return 2;
	}
	snprintf(name, MAX_NAME, "%s", rest);
	return 0;
}

static int inode_of(int fd)
{
	struct stat sb;
	int i;

	if (fstat(fd, &sb) != 0 || !S_ISREG(sb.st_mode))
		return -1;
	for (i = n_inodes - 1; i >= 0; i--)
		if (inodes[i].real == sb.st_ino)
			return i;
	return -1;
}

#define REAL(ret, name, params) \
	static ret (*real_##name) params; \
	if (real_##name == NULL) \
		real_##name = (ret (*) params)dlsym(RTLD_NEXT, #name)

static int opened(int dfd, const char *path, int flags, bool was_there, int fd)
{
	char name[MAX_NAME];
	struct stat sb;
	int dir;

	if (!is_recording || fd < 0 || fd >= MAX_FD)
		return fd;
	fds[fd].ino = fds[fd].dir = -1;
	fds[fd].is_dsync = (flags & O_DSYNC) != 0;
	if (fstat(fd, &sb) != 0)
		return fd;
	if (S_ISDIR(sb.st_mode)) {
		char slash[PATH_MAX];

		/* The folder itself, by its own path, or one of the two in it. */
		if (strcmp(path, root) == 0)
			fds[fd].dir = 0;
		else if (snprintf(slash, sizeof slash, "%s/.", path) > 0)
			fds[fd].dir = strcmp(path, "segments") == 0 ? 1 :
			              strcmp(path, "bulletin") == 0 ? 2 : -1;
		return fd;
	}
	dir = place(dfd, path, name);
	if (dir < 0)
		return fd;
	if (!was_there) {
		struct event *e = add(EV_ADD);

		assert_true(n_inodes < MAX_INO);
		inodes[n_inodes].real = sb.st_ino;
		e->ino = n_inodes++;
		e->dir = dir;
		memcpy(e->name, name, sizeof e->name);
	}
	fds[fd].ino = inode_of(fd);
	return fd;
}

int open(const char *path, int flags, ...)
{
	bool was_there = access(path, F_OK) == 0;
	mode_t mode = 0;
	va_list ap;

	REAL(int, open, (const char *, int, ...));
	if (flags & O_CREAT) {
		va_start(ap, flags);
		mode = va_arg(ap, mode_t);
		va_end(ap);
	}
	return opened(AT_FDCWD, path, flags, was_there, real_open(path, flags, mode));
}

int openat(int dfd, const char *path, int flags, ...)
{
	bool was_there = faccessat(dfd, path, F_OK, 0) == 0;
	mode_t mode = 0;
	va_list ap;

	REAL(int, openat, (int, const char *, int, ...));
	if (flags & O_CREAT) {
		va_start(ap, flags);
		mode = va_arg(ap, mode_t);
		va_end(ap);
	}
	return opened(dfd, path, flags, was_there, real_openat(dfd, path, flags, mode));
}

static bool is_ours(int fd)
{
	return is_recording && fd >= 0 && fd < MAX_FD && fds[fd].ino >= 0;
}

static void wrote(int fd, const void *data, size_t len, off_t at)
{
	struct event *e = add(EV_WRITE);

	e->ino = fds[fd].ino;
	e->at = at;
	e->len = len;
	e->is_durable = fds[fd].is_dsync;
	e->data = malloc(len);
	memcpy(e->data, data, len);
}

ssize_t pwrite(int fd, const void *data, size_t len, off_t at)
{
	ssize_t n;

	REAL(ssize_t, pwrite, (int, const void *, size_t, off_t));
	n = real_pwrite(fd, data, len, at);
	if (n > 0 && is_ours(fd))
		wrote(fd, data, (size_t)n, at);
	return n;
}

ssize_t writev(int fd, const struct iovec *v, int n_iov)
{
	off_t at = lseek(fd, 0, SEEK_CUR);
	ssize_t n, left;
	int i;

	REAL(ssize_t, writev, (int, const struct iovec *, int));
	n = left = real_writev(fd, v, n_iov);
	for (i = 0; i < n_iov && left > 0 && is_ours(fd); i++) {
		size_t len = (size_t)left < v[i].iov_len ? (size_t)left : v[i].iov_len;

		wrote(fd, v[i].iov_base, len, at);
		at += (off_t)len;
		left -= (ssize_t)len;
	}
	return n;
}

int ftruncate(int fd, off_t len)
{
	REAL(int, ftruncate, (int, off_t));
	if (is_ours(fd)) {
		struct event *e = add(EV_TRUNCATE);

		e->ino = fds[fd].ino;
		e->at = len;
	}
	return real_ftruncate(fd, len);
}

static void synced(int fd, bool is_data_sync)
{
	struct event *e;

	if (!is_recording || fd < 0 || fd >= MAX_FD)
		return;
	if (fds[fd].ino >= 0) {
		e = add(EV_SYNC);
		e->ino = fds[fd].ino;
		e->is_data_sync = is_data_sync;
	} else if (fds[fd].dir >= 0) {
		e = add(EV_SYNC_DIR);
		e->dir = fds[fd].dir;
	}
}

int fsync(int fd)
{
	synced(fd, false);
	return 0;               /* what it means is modelled, not waited for */
}

int fdatasync(int fd)
{
	synced(fd, true);
	return 0;
}

static void dir_event(enum kind kind, int dfd, const char *name, const char *to, int ino)
{
	char place_name[MAX_NAME];
	int dir = is_recording ? place(dfd, name, place_name) : -1;
	struct event *e;

	if (dir < 0)
		return;
	e = add(kind);
	e->dir = dir;
	e->ino = ino;
	memcpy(e->name, place_name, sizeof e->name);
	if (to != NULL)
		snprintf(e->to, sizeof e->to, "%s", to);
}

int renameat(int a, const char *from, int b, const char *to)
{
	REAL(int, renameat, (int, const char *, int, const char *));
	dir_event(EV_MOVE, a, from, to, -1);
	return real_renameat(a, from, b, to);
}

int linkat(int a, const char *from, int b, const char *to, int flags)
{
	int rc, fd;

	REAL(int, linkat, (int, const char *, int, const char *, int));
	rc = real_linkat(a, from, b, to, flags);
	if (rc == 0 && is_recording) {
		fd = openat(b, to, O_RDONLY);
		dir_event(EV_ADD, b, to, NULL, inode_of(fd));
		close(fd);
	}
	return rc;
}

int unlinkat(int a, const char *name, int flags)
{
	REAL(int, unlinkat, (int, const char *, int));
	dir_event(EV_DEL, a, name, NULL, -1);
	return real_unlinkat(a, name, flags);
}

/* ---- the disk after a cut ---- */

struct file {
	uint8_t *durable;
	size_t len, max;
	size_t *pending;        /* events */
	size_t n_pending, max_pending;
};

struct entry { char name[MAX_NAME]; int ino; };

struct folder {
	struct entry v[64];
	int n;
	size_t pending[4096];
	size_t n_pending;
};

enum flaw { NONE, NO_DATA_SYNC, NO_FLUSH };

static struct file files[MAX_INO];
static struct folder folders[3];

static void put(struct file *f, off_t at, const uint8_t *data, size_t len)
{
	size_t end = (size_t)at + len;

	if (end > f->max) {
		f->durable = realloc(f->durable, end * 2);
		memset(f->durable + f->max, 0, end * 2 - f->max);
		f->max = end * 2;
	}
	if (end > f->len)
		f->len = end;
	memcpy(f->durable + at, data, len);
}

static void cut_to(struct file *f, size_t len)
{
	if (len < f->len)
		memset(f->durable + len, 0, f->len - len);
	else if (len > f->len)
		put(f, (off_t)len - 1, (const uint8_t *)"", 1);
	f->len = len;
}

static void settle(struct file *f)
{
	size_t i;

	for (i = 0; i < f->n_pending; i++) {
		const struct event *e = &events[f->pending[i]];

		if (e->kind == EV_TRUNCATE)
			cut_to(f, (size_t)e->at);
		else
			put(f, e->at, e->data, e->len);
	}
	f->n_pending = 0;
}

static struct entry *find(struct folder *d, const char *name)
{
	int i;

	for (i = 0; i < d->n; i++)
		if (strcmp(d->v[i].name, name) == 0)
			return &d->v[i];
	return NULL;
}

static void set_entry(struct folder *d, const char *name, int ino)
{
	struct entry *e = find(d, name);

	if (e == NULL)
		e = &d->v[d->n++];
	snprintf(e->name, sizeof e->name, "%s", name);
	e->ino = ino;
}

static void del_entry(struct folder *d, const char *name)
{
	struct entry *e = find(d, name);

	if (e != NULL)
		*e = d->v[--d->n];
}

static void dir_step(struct folder *d, const struct event *e)
{
	struct entry *from;

	if (e->kind == EV_ADD) {
		set_entry(d, e->name, e->ino);
	} else if (e->kind == EV_DEL) {
		del_entry(d, e->name);
	} else {
		from = find(d, e->name);
		if (from != NULL) {
			int ino = from->ino;

			del_entry(d, e->name);
			set_entry(d, e->to, ino);
		}
	}
}

static uint32_t rnd_state;

static uint32_t rnd(uint32_t n)
{
	rnd_state = rnd_state * 1664525 + 1013904223;
	return (uint32_t)(((uint64_t)rnd_state * n) >> 32);
}

/* Everything up to event k has been asked for; then the power goes. */
static void replay(size_t k, enum flaw flaw)
{
	size_t i;
	int j;

	for (j = 0; j < MAX_INO; j++) {
		files[j].len = files[j].n_pending = 0;
		if (files[j].durable != NULL)
			memset(files[j].durable, 0, files[j].max);
	}
	memset(folders, 0, sizeof folders);
	for (i = 0; i < k; i++) {
		const struct event *e = &events[i];
		struct file *f = &files[e->ino >= 0 ? e->ino : 0];
		struct folder *d = &folders[e->dir];

		switch (e->kind) {
		case EV_WRITE:
			if (e->is_durable && flaw != NO_FLUSH) {
				put(f, e->at, e->data, e->len);
				break;
			}
			/* fall through */
		case EV_TRUNCATE:
			if (f->n_pending == f->max_pending) {
				f->max_pending = f->max_pending == 0 ? 64 : 2 * f->max_pending;
				f->pending = realloc(f->pending,
				                     f->max_pending * sizeof *f->pending);
			}
			f->pending[f->n_pending++] = i;
			break;
		case EV_SYNC:
			if (flaw == NO_FLUSH || (flaw == NO_DATA_SYNC && e->is_data_sync))
				break;
			settle(f);
			break;
		case EV_SYNC_DIR:
			for (j = 0; flaw != NO_FLUSH && j < (int)d->n_pending; j++)
				dir_step(d, &events[d->pending[j]]);
			if (flaw != NO_FLUSH)
				d->n_pending = 0;
			break;
		case EV_ADD:
		case EV_DEL:
		case EV_MOVE:
			assert_true(d->n_pending < 4096);
			d->pending[d->n_pending++] = i;
			break;
		case EV_ACK:
			break;
		}
	}
}

/* Choose what of the unsynced has reached the disk. */
static void choose(void)
{
	size_t i, s, n;
	int j;

	for (j = 0; j < n_inodes; j++) {
		struct file *f = &files[j];
		uint32_t how = rnd(4), length_lags = rnd(2);
		size_t old_len = f->len;

		for (i = 0; i < f->n_pending; i++) {
			const struct event *e = &events[f->pending[i]];

			/* 0: nothing, 1: everything, 2: any sectors, 3: mostly everything */
			if (how == 0)
				break;
			if (e->kind == EV_TRUNCATE) {
				if (how == 1 || rnd(2) == 0)
					cut_to(f, (size_t)e->at);
				continue;
			}
			for (s = 0; s < e->len; s += n) {
				n = SECTOR - (size_t)(e->at + (off_t)s) % SECTOR;
				if (n > e->len - s)
					n = e->len - s;
				if (how == 1 || rnd(how == 2 ? 2 : 12) != 0)
					put(f, e->at + (off_t)s, e->data + s, n);
			}
		}
		f->n_pending = 0;
		if (length_lags && how != 1 && f->len > old_len)
			cut_to(f, old_len);
	}
	for (j = 0; j < 3; j++) {
		struct folder *d = &folders[j];
		size_t take = rnd(3) == 0 ? d->n_pending : rnd((uint32_t)d->n_pending + 1);

		for (i = 0; i < take; i++)
			dir_step(d, &events[d->pending[i]]);
	}
}

static void make_disk(const char *dir)
{
	static const char *const sub[] = { "", "segments/", "bulletin/" };
	char path[512];
	int j, i, fd;

	rm_tree(dir);
	for (j = 0; j < 3; j++) {
		snprintf(path, sizeof path, "%s/%s", dir, sub[j]);
		mkdir(path, 0700);
		for (i = 0; i < folders[j].n; i++) {
			struct file *f = &files[folders[j].v[i].ino];

			snprintf(path, sizeof path, "%s/%s%s", dir, sub[j], folders[j].v[i].name);
			fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0600);
			assert_true(fd >= 0);
			assert_int_equal(write(fd, f->durable, f->len), (ssize_t)f->len);
			close(fd);
		}
	}
}

/* ---- the test ---- */

static size_t ready;            /* events before this belong to making the store */
static uint32_t seed;

static void acked(int i)
{
	add(EV_ACK)->ino = i;
}

static void record(void)
{
	struct store *st;
	const char *why;

	story_init();
	new_dir(root);
	is_recording = true;
	memset(fds, 0xff, sizeof fds);
	assert_int_equal(store_create(root, DAY0, NULL, 0), PERR_OK);
	ready = n_events;
	assert_int_equal(store_open(&st, root, &test_config, &why), PERR_OK);
	on_ack = acked;
	st = tell(st, root, 0, -1);
	is_recording = false;
	on_ack = NULL;
	store_close(st);
	rm_tree(root);
	seed = getenv("SEED") != NULL ? (uint32_t)atol(getenv("SEED")) : (uint32_t)time(NULL);
	printf("recorded events: %zu; seed: %u\n", n_events, seed);
	assert_int_equal(lost + wrong, 0);
}

/* 0: all is there; 1: lost or wrong; 2: cannot be opened.  is_making: it may not be there yet. */
static int judge(const char *dir, int from, bool is_making)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct store *st;
		const char *why;
		enum perr err;

		lost = wrong = left_over = 0;
		err = store_open(&st, dir, &test_config, &why);
		if (err == PERR_NOTFOUND && is_making) {
			err = store_create(dir, DAY0, NULL, 0);
			if (err == PERR_OK)
				err = store_open(&st, dir, &test_config, &why);
		}
		if (err != PERR_OK) {
			if (getenv("VERBOSE") != NULL)
				fprintf(stderr, "unopenable: %s\n", why);
			_exit(2);
		}
		{
			struct store_cell v[N_CELLS];
			int n = from > 14 ? 20 : from > 10 ? 18 : from > 6 ? 14 : from > 0 ? 8 : 0, i;

			for (i = 0; i < n; i++) {
				v[i].cell = cell[i].cell;
				memcpy(v[i].id, cell[i].id, STORE_ID);
			}
			if (store_append(st, v, (size_t)n) != PERR_OK || store_commit(st) != PERR_OK)
				_exit(1);
			for (i = 0; i < n; i++)
				lost += v[i].status != STORE_THERE && v[i].status != STORE_REFUSED;
		}
		st = tell(st, dir, from, -1);
		check_end(st, dir);
		_exit(lost + wrong + left_over > 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 2;
}

/* Acknowledged ops before event k; early: those acknowledged by one op later. */
static int acked_before(size_t k, bool too_early)
{
	int from = 0;
	size_t i;

	for (i = 0; i < k; i++)
		if (events[i].kind == EV_ACK)
			from = events[i].ino + 1;
	return too_early && from < N_OPS ? from + 1 : from;
}

static void run_images(unsigned images, enum flaw flaw, bool too_early, unsigned *n_lost,
                       unsigned *n_unopenable)
{
	char dir[256];
	unsigned i;

	*n_lost = *n_unopenable = 0;
	new_dir(dir);
	for (i = 0; i < images; i++) {
		size_t k;
		int verdict;

		rnd_state = seed + i * 7919;
		rnd(2);
		k = 1 + rnd((uint32_t)n_events);
		replay(k, flaw);
		choose();
		make_disk(dir);
		verdict = judge(dir, acked_before(k, too_early), k <= ready);
		*n_lost += verdict == 1;
		*n_unopenable += verdict > 1;   /* an assertion of the child's included */
		if (verdict != 0 && flaw == NONE && !too_early)
			fail_msg("image %u (SEED=%u, event %zu): %s", i, seed, k,
			         verdict == 1 ? "acked lost" : "unopenable");
		if (verdict != 0)
			break;          /* a control has done its duty */
	}
	rm_tree(dir);
}

static void store_survives_a_power_cut_at_any_moment(void **state)
{
	const char *test_mode = getenv("AMPARO_TEST_MODE");
	const char *wanted = getenv("IMAGES");
	unsigned images = wanted != NULL ? (unsigned)atol(wanted) : test_mode != NULL && strcmp(test_mode, "long") == 0 ? 20000 : 100;
	unsigned n_lost, unopenable, control_lost[3], control_dead[3], failed = 0, i;

	record();
	run_images(images, NONE, false, &n_lost, &unopenable);
	/* a control ends at its first failure; how many images that takes is chance */
	run_images(5000, NO_DATA_SYNC, false, &control_lost[0], &control_dead[0]);
	run_images(5000, NO_FLUSH, false, &control_lost[1], &control_dead[1]);
	run_images(5000, NONE, true, &control_lost[2], &control_dead[2]);
	for (i = 0; i < 3; i++)
		failed += control_lost[i] + control_dead[i] > 0;
	printf("figure: crash images tried: %u; acked cells lost: %u; unopenable: %u; "
	       "controls that failed as they must: %u/3\n", images, n_lost, unopenable, failed);
	assert_int_equal(failed, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(store_survives_a_power_cut_at_any_moment),
	};

	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
