/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "store_file.h"
#include "store_int.h"
#include "store_page.h"

#define MIB (1ull << 20)

/* ---- small things all files of the store use ---- */

enum perr store_die(struct store *st, const char *reason)
{
	const char *none = NULL;

	atomic_compare_exchange_strong(&st->dead, &none, reason);
	return PERR_IO;
}

char *store_path(const struct store *st, const char *name)
{
	size_t len = strlen(st->dir) + strlen(name) + 2;
	char *path = malloc(len);

	if (path != NULL)
		snprintf(path, len, "%s/%s", st->dir, name);
	return path;
}

void store_put32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 24);
	p[1] = (uint8_t)(v >> 16);
	p[2] = (uint8_t)(v >> 8);
	p[3] = (uint8_t)v;
}

uint32_t store_get32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

void store_tag(uint8_t tag[STORE_ID], const uint8_t ds[STORE_DS])
{
	crypto_generichash_state h;

	crypto_generichash_init(&h, NULL, 0, STORE_ID);
	crypto_generichash_update(&h, (const uint8_t *)"amparo/1 tag", 12);
	crypto_generichash_update(&h, ds, STORE_DS);
	crypto_generichash_final(&h, tag, STORE_ID);
	sodium_memzero(&h, sizeof h);
}

void store_count_erasure(struct store_counts *counts, uint32_t due_day)
{
	counts->erasures++;
	if (counts->erase_day == 0 || due_day < counts->erase_day)
		counts->erase_day = due_day;
}

void store_seg_record(const struct store_segment *s, uint8_t key[STORE_SEG_KEY],
                      uint8_t val[STORE_SEG_VAL])
{
	key[0] = 'S';
	store_put32(key + 1, s->day);
	store_put32(key + 5, s->release);
	val[0] = s->settled;
	store_put32(val + 1, s->count);
	memcpy(val + 5, s->digest, STORE_ID);
}

void store_head_record(uint32_t day, uint32_t release, uint64_t serial,
                       uint8_t val[STORE_HEAD_VAL])
{
	store_put32(val, STORE_SCHEMA);
	store_put32(val + 4, day);
	store_put32(val + 8, release);
	store_put32(val + 12, (uint32_t)(serial >> 32));
	store_put32(val + 16, (uint32_t)serial);
}

enum perr store_metas_check(const struct store_meta *metas, size_t n)
{
	size_t i, len;

	for (i = 0; i < n; i++) {
		len = strlen(metas[i].name);
		if (len < 1 || len > STORE_META_NAME_MAX || metas[i].len > STORE_META_MAX)
			return PERR_RANGE;
	}
	return PERR_OK;
}

/* ---- creating ---- */

/* Take the folder for this process.  The lock is the kernel's; nothing is written. */
static enum perr lock_folder(int *dfd, const char *dir)
{
	*dfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*dfd < 0)
		return errno == ENOENT ? PERR_NOTFOUND : PERR_IO;
	if (flock(*dfd, LOCK_EX | LOCK_NB) != 0)
		return errno == EWOULDBLOCK ? PERR_STATE : PERR_IO;
	return PERR_OK;
}

static enum perr make_folder(int dfd, const char *name)
{
	if (mkdirat(dfd, name, 0700) != 0 && errno != EEXIST)
		return store_file_errno(errno);
	return PERR_OK;
}

static enum perr sync_parent(const char *dir)
{
	char *up = malloc(strlen(dir) + 4);
	enum perr err = PERR_IO;
	int fd;

	if (up == NULL)
		return PERR_NOMEM;
	sprintf(up, "%s/..", dir);
	fd = open(up, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0) {
		err = store_file_sync_dir(fd);
		close(fd);
	}
	free(up);
	return err;
}

enum perr store_create(const char *dir, uint32_t day, const struct store_meta *metas, size_t n)
{
	static const char *const left_over[] = { "state.new.mdb", "pool.mdb" };
	struct store st = { .dir = (char *)(uintptr_t)dir, .dfd = -1 };
	struct store_records rs = { 0 };
	uint8_t head[STORE_HEAD_VAL];
	char *state = store_path(&st, "state.new.mdb"), *pool = store_path(&st, "pool.mdb");
	enum perr err;
	size_t i;

	err = state == NULL || pool == NULL ? PERR_NOMEM : store_metas_check(metas, n);
	if (err == PERR_OK && day > UINT16_MAX)
		err = PERR_RANGE;
	if (err == PERR_OK && sysconf(_SC_PAGESIZE) != STORE_PAGE)
		err = PERR_UNKNOWN;
	if (err != PERR_OK)
		goto out;
	if (mkdir(dir, 0700) != 0 && errno != EEXIST) {
		err = store_file_errno(errno);
		goto out;
	}
	err = lock_folder(&st.dfd, dir);
	if (err == PERR_OK && store_file_exists(st.dfd, "state.mdb"))
		err = PERR_EXISTS;
	if (err == PERR_OK && fchmod(st.dfd, 0700) != 0)
		err = PERR_IO;
	for (i = 0; err == PERR_OK && i < 2; i++)
		err = store_file_retire(st.dfd, left_over[i]);
	if (err == PERR_OK)
		err = make_folder(st.dfd, "segments");
	if (err == PERR_OK)
		err = make_folder(st.dfd, "bulletin");
	if (err == PERR_OK)
		err = store_pool_create(pool, 1, 0);    /* zeros come when it is idle */
	store_head_record(day, 0, 0, head);
	if (err == PERR_OK)
		err = store_records_add(&rs, "V", 1, head, sizeof head, 0);
	for (i = 0; err == PERR_OK && i < n; i++) {
		char key[STORE_STATE_KEY_MAX + 1];

		snprintf(key, sizeof key, "M%s", metas[i].name);
		err = store_records_add(&rs, key, strlen(key), metas[i].bytes, metas[i].len, 0);
	}
	if (err == PERR_OK)
		err = store_state_build(state, &rs);
	if (err == PERR_OK)
		err = store_file_sync_dir(st.dfd);
	/* Everything else is durable: with this rename the store exists. */
	if (err == PERR_OK)
		err = store_file_swap(st.dfd, "state.new.mdb", "state.mdb", "state.old.mdb");
	if (err == PERR_OK)
		err = sync_parent(dir);
out:
	if (st.dfd >= 0)
		close(st.dfd);
	store_records_free(&rs);
	free(state);
	free(pool);
	return err;
}

/* ---- opening ---- */

struct loading {
	struct store *st;
	struct store_segment *segs;
	size_t n, max;
	bool has_head;
	const char *why;
};

static enum perr load_record(void *arg, const uint8_t *key, size_t key_len, const uint8_t *val,
                             size_t len)
{
	struct loading *lo = arg;
	struct store *st = lo->st;

	lo->why = "a record of state.mdb is damaged";
	if (val == NULL)
		return PERR_CORRUPT;
	switch (key[0]) {
	case 'B':
		st->counts.board++;
		return PERR_OK;
	case 'P':
		st->counts.board_staged++;
		return PERR_OK;
	case 'E':
		if (len != 4)
			return PERR_CORRUPT;
		store_count_erasure(&st->counts, store_get32(val));
		return PERR_OK;
	case 'J':
		st->counts.inbox++;
		return PERR_OK;
	case 'L':
	case 'M':
		return PERR_OK;
	case 'T':
		if (key_len != 1 + STORE_ID || len != 4)
			return PERR_CORRUPT;
		st->counts.tombstones++;
		return store_ids_put(st->tombs, key + 1, store_get32(val));
	case 'S':
		if (key_len != STORE_SEG_KEY || len != STORE_SEG_VAL)
			return PERR_CORRUPT;
		if (lo->n == lo->max) {
			size_t max = lo->max == 0 ? 64 : lo->max * 2;
			struct store_segment *segs = realloc(lo->segs, max * sizeof *segs);

			if (segs == NULL)
				return PERR_NOMEM;
			lo->segs = segs;
			lo->max = max;
		}
		lo->segs[lo->n].day = store_get32(key + 1);
		lo->segs[lo->n].release = store_get32(key + 5);
		lo->segs[lo->n].settled = val[0] != 0;
		lo->segs[lo->n].count = store_get32(val + 1);
		memcpy(lo->segs[lo->n].digest, val + 5, STORE_ID);
		lo->n++;
		return PERR_OK;
	case 'V':
		if (len < 4)
			return PERR_CORRUPT;
		lo->why = "state.mdb was written by another version";
		if (store_get32(val) != STORE_SCHEMA || len != STORE_HEAD_VAL)
			return PERR_UNKNOWN;
		st->day = store_get32(val + 4);
		st->release = store_get32(val + 8);
		st->released_serial = (uint64_t)store_get32(val + 12) << 32 |
		                      store_get32(val + 16);
		lo->has_head = true;
		return PERR_OK;
	default:
		lo->why = "state.mdb holds a record of an unknown kind";
		return PERR_UNKNOWN;
	}
}

static enum perr load_state(struct store *st, const char **why)
{
	struct loading lo = { .st = st };
	struct store_view view;
	char *path = store_path(st, "state.mdb");
	enum perr err = path == NULL ? PERR_NOMEM : store_state_open(&st->state, path);

	free(path);
	*why = "state.mdb cannot be read";
	if (err == PERR_OK)
		err = store_view_open(&view, &st->state, 1);
	if (err != PERR_OK)
		return err;
	err = store_view_each(&view, 0, load_record, &lo);
	store_view_close(&view);
	if (err == PERR_OK && !lo.has_head) {
		lo.why = "state.mdb lacks its head";
		err = PERR_CORRUPT;
	}
	if (err != PERR_OK) {
		free(lo.segs);
		*why = lo.why;
		return err;
	}
	store_list_begin(&st->list);
	store_list_end(&st->list, lo.segs, lo.n);
	return PERR_OK;
}

struct id_array {
	uint8_t (*ids)[STORE_ID];
	uint32_t max;
};

static enum perr note_id(void *arg, uint32_t pos, const uint8_t *id)
{
	struct id_array *a = arg;

	if (pos >= a->max)
		return PERR_CORRUPT;
	memcpy(a->ids[pos], id, STORE_ID);
	return PERR_OK;
}

/*
 * The ids of all segments.  A damaged segment does not keep the server from starting: it is
 * counted, and its ids are not taken, so that its cells are accepted when they come again.
 */
static enum perr load_segments(struct store *st)
{
	size_t i;
	uint32_t j;

	for (i = 0; i < st->list.n; i++) {
		const struct store_segment *s = &st->list.v[i];
		struct id_array a = { malloc(((size_t)s->count + 1) * STORE_ID), s->count };
		struct store_seg *seg = NULL;
		char name[STORE_NAME_MAX];
		enum perr err = PERR_NOMEM;
		bool is_good;

		store_list_name(name, s, "mdb");
		if (a.ids != NULL)
			err = store_seg_open(&seg, st->sfd, name, note_id, &a);
		is_good = err == PERR_OK && store_seg_count(seg) == s->count &&
		          memcmp(store_seg_ids_digest(seg), s->digest, STORE_ID) == 0;
		store_seg_close(seg);
		if (err == PERR_NOMEM) {
			free(a.ids);
			return err;
		}
		if (!is_good)
			atomic_fetch_add(&st->damaged, 1);
		err = PERR_OK;
		for (j = 0; is_good && err == PERR_OK && j < s->count; j++)
			err = store_ids_put(st->ids, a.ids[j], STORE_WHERE(s->day, s->release));
		free(a.ids);
		if (err != PERR_OK)
			return err;
		st->counts.segments++;
		st->counts.cells += s->count;
	}
	return PERR_OK;
}

static enum perr load_pool(struct store *st, const struct store_pool *pool)
{
	struct store_seg_item *items = NULL;
	size_t n = 0, i;
	enum perr err = store_pool_items(pool, &items, &n);

	for (i = 0; err == PERR_OK && i < n; i++)
		err = store_ids_put(st->ids, items[i].id, 0);
	free(items);
	st->counts.pool_cells += n;
	return err;
}

static enum perr open_pools(struct store *st, const char **why)
{
	char *path = store_path(st, "pool.mdb"), *old = store_path(st, "pool.old.mdb");
	enum perr err = path == NULL || old == NULL ? PERR_NOMEM :
	                store_pool_open(&st->pool, path, st->cfg.pool_max_bytes);

	*why = "pool.mdb is damaged or missing";
	if (err == PERR_NOTFOUND)
		err = PERR_CORRUPT;
	if (err == PERR_OK && st->pool.serial <= st->released_serial) {
		*why = "pool.mdb is older than state.mdb";
		err = PERR_CORRUPT;
	}
	if (err == PERR_OK)
		err = load_pool(st, &st->pool);
	if (err == PERR_OK && store_file_exists(st->dfd, "pool.old.mdb")) {
		*why = "pool.old.mdb cannot be read";
		/* The pool before this one: its serial is known without looking, and if it was
		 * released it may be half overwritten. */
		if (st->released_serial + 1 >= st->pool.serial) {
			err = store_file_retire(st->dfd, "pool.old.mdb");
			if (err == PERR_OK)
				err = store_file_sync_dir(st->dfd);
		} else {
			err = store_pool_open(&st->old_pool, old, st->cfg.pool_max_bytes);
			if (err == PERR_OK)
				err = load_pool(st, &st->old_pool);
			st->has_old = err == PERR_OK;
		}
	}
	free(path);
	free(old);
	return err;
}

static uint64_t or_default(uint64_t v, uint64_t d)
{
	return v == 0 ? d : v;
}

enum perr store_open(struct store **out, const char *dir, const struct store_config *cfg,
                     const char **why)
{
	struct store *st = calloc(1, sizeof *st);
	pthread_rwlockattr_t attr;
	const char *unused;
	enum perr err = PERR_NOMEM;

	*out = NULL;
	if (why == NULL)
		why = &unused;
	*why = "out of memory";
	if (st == NULL)
		return PERR_NOMEM;
	st->dfd = st->sfd = st->bfd = -1;
	if (cfg != NULL)
		st->cfg = *cfg;
	st->cfg.pool_max_bytes = or_default(st->cfg.pool_max_bytes, 8192 * MIB);
	store_set_reserve(st, st->cfg.reserve_bytes);
	st->cfg.bulletin_max_bytes = or_default(st->cfg.bulletin_max_bytes, 256 * MIB);
	st->cfg.prewrite_bytes = (uint32_t)or_default(st->cfg.prewrite_bytes, 8 * MIB);
	if (st->cfg.pool_max_bytes < 4 * MIB)
		st->cfg.pool_max_bytes = 4 * MIB;
	/* A stream of readers must not keep the writer from its commit. */
	pthread_rwlockattr_init(&attr);
	pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(&st->state_mu, &attr);
	pthread_rwlockattr_destroy(&attr);
	pthread_mutex_init(&st->mu, NULL);
	if (store_list_init(&st->list, -1) != PERR_OK) {
		free(st);
		return PERR_NOMEM;
	}
	st->dir = realpath(dir, NULL);
	st->ids = store_ids_new();
	st->tombs = store_ids_new();
	if (st->dir == NULL) {
		*why = "the folder is not there";
		err = errno == ENOENT ? PERR_NOTFOUND : PERR_IO;
		goto out;
	}
	if (st->ids == NULL || st->tombs == NULL)
		goto out;
	*why = "memory pages are not 4096 bytes here";
	err = PERR_UNKNOWN;
	if (sysconf(_SC_PAGESIZE) != STORE_PAGE)
		goto out;
	*why = "another process has the folder open";
	err = lock_folder(&st->dfd, st->dir);
	if (err != PERR_OK)
		goto out;
	*why = "there is no store in the folder";
	err = PERR_NOTFOUND;
	if (!store_file_exists(st->dfd, "state.mdb"))
		goto out;
	*why = "segments/ or bulletin/ is missing";
	err = PERR_CORRUPT;
	st->sfd = openat(st->dfd, "segments", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	st->bfd = openat(st->dfd, "bulletin", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (st->sfd < 0 || st->bfd < 0)
		goto out;
	st->list.sfd = st->sfd;
	err = load_state(st, why);
	if (err == PERR_OK)
		err = store_recover(st, why);
	if (err == PERR_OK)
		err = open_pools(st, why);
	if (err == PERR_OK) {
		*why = "segments cannot be read";
		err = load_segments(st);
	}
	if (err != PERR_OK)
		goto out;
	*why = "";
	st->is_changed = true;
	store_publish(st);
	*out = st;
	st = NULL;
out:
	store_close(st);
	return err;
}

void store_close(struct store *st)
{
	if (st == NULL)
		return;
	store_state_close(&st->state);
	store_pool_close(&st->pool);
	store_pool_close(&st->old_pool);
	store_list_free(&st->list);
	store_ids_free(st->ids);
	store_ids_free(st->tombs);
	free(st->batch);
	if (st->sfd >= 0)
		close(st->sfd);
	if (st->bfd >= 0)
		close(st->bfd);
	if (st->dfd >= 0)
		close(st->dfd);         /* and with it the lock */
	pthread_rwlock_destroy(&st->state_mu);
	pthread_mutex_destroy(&st->mu);
	free(st->dir);
	free(st);
}

/* ---- what is there ---- */

const char *store_dead_reason(struct store *st)
{
	return atomic_load(&st->dead);
}

void store_publish(struct store *st)
{
	pthread_mutex_lock(&st->mu);
	st->pub_day = st->day;
	st->pub_release = st->release;
	st->pub = st->counts;
	pthread_mutex_unlock(&st->mu);
	atomic_store(&st->pub_pool_bytes, store_pool_bytes(st->pool.count) +
	             (st->has_old ? store_pool_bytes(st->old_pool.count) : 0));
	atomic_store(&st->pub_needed, store_release_bytes(st));
}

uint32_t store_day(struct store *st)
{
	uint32_t day;

	pthread_mutex_lock(&st->mu);
	day = st->pub_day;
	pthread_mutex_unlock(&st->mu);
	return day;
}

uint32_t store_release_number(struct store *st)
{
	uint32_t release;

	pthread_mutex_lock(&st->mu);
	release = st->pub_release;
	pthread_mutex_unlock(&st->mu);
	return release;
}

void store_counts(struct store *st, struct store_counts *out)
{
	pthread_mutex_lock(&st->mu);
	*out = st->pub;
	pthread_mutex_unlock(&st->mu);
	out->damaged = atomic_load(&st->damaged);
}

enum perr store_free_bytes(const struct store *st, uint64_t *bytes)
{
	struct statvfs vfs;

	if (fstatvfs(st->dfd, &vfs) != 0)
		return PERR_IO;
	*bytes = (uint64_t)vfs.f_bavail * vfs.f_frsize;
	return PERR_OK;
}

void store_set_reserve(struct store *st, uint64_t bytes)
{
	atomic_store(&st->reserve, or_default(bytes, 64 * MIB));
}

uint64_t store_release_bytes(const struct store *st)
{
	struct stat sb;
	uint64_t bytes = store_seg_bytes(st->counts.pool_cells) + STORE_PAGE * 64;

	if (fstatat(st->dfd, "state.mdb", &sb, 0) == 0)
		bytes += (uint64_t)sb.st_size;
	return bytes;
}

enum perr store_space(struct store *st, struct store_space *out)
{
	memset(out, 0, sizeof *out);
	out->reserve_bytes = atomic_load(&st->reserve);
	out->pool_max_bytes = st->cfg.pool_max_bytes;
	out->pool_bytes = atomic_load(&st->pub_pool_bytes);
	out->needed_bytes = atomic_load(&st->pub_needed);
	out->is_full = atomic_load(&st->is_full);
	return store_free_bytes(st, &out->free_bytes);
}
