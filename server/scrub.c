/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "scrub.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store_file.h"
#include "store_int.h"

#define TEMP "check.tmp"

struct scrubbing {
	struct store *st;
	void (*found)(void *arg, const struct scrub_finding *f);
	void *arg;
	struct scrub_totals *totals;
};

static void report(struct scrubbing *s, enum scrub_kind kind, const char *file, uint32_t pos,
                   const char *text)
{
	struct scrub_finding f = { .kind = kind, .position = pos, .text = text };

	snprintf(f.file, sizeof f.file, "%s", file);
	s->totals->findings++;
	s->found(s->arg, &f);
}

static bool is_id_of(const uint8_t *id, const uint8_t *cell)
{
	uint8_t hash[STORE_ID];

	crypto_generichash(hash, sizeof hash, cell, STORE_CELL, NULL, 0);
	return memcmp(hash, id, STORE_ID) == 0;
}

/* ---- state: checksums were seen by store_open; cells in it have their ids besides ---- */

static enum perr check_record(void *arg, const uint8_t *key, size_t key_len,
                              const uint8_t *val, size_t len)
{
	struct scrubbing *s = arg;
	const uint8_t *id = key + 1;

	if (val == NULL) {
		report(s, SCRUB_STATE, "state.mdb", 0, "a record does not have its checksum");
		return PERR_OK;
	}
	switch (key[0]) {
	case 'J':
		id = val;
		break;
	case 'B':
	case 'P':
		break;
	default:
		return PERR_OK;
	}
	if (key_len != 1 + STORE_ID || len < STORE_CELL ||
	    !is_id_of(id, val + len - STORE_CELL))
		report(s, SCRUB_STATE, "state.mdb", 0, "a document does not have its id");
	s->totals->cells++;
	return PERR_OK;
}

static enum perr check_state(struct scrubbing *s)
{
	struct store_view view;
	enum perr err = store_view_open(&view, &s->st->state, 1);

	if (err != PERR_OK)
		return err;
	err = store_view_each(&view, 0, check_record, s);
	store_view_close(&view);
	return err;
}

/* ---- pools ---- */

static enum perr check_pool(struct scrubbing *s, const struct store_pool *pool,
                            const char *name)
{
	struct store_seg_item *items = NULL;
	uint8_t cell[STORE_CELL];
	size_t n = 0, i;
	enum perr err;

	if (pool->env == NULL)
		return PERR_OK;
	err = store_pool_items(pool, &items, &n);
	if (err == PERR_CORRUPT) {
		report(s, SCRUB_POOL, name, 0, "its tree is damaged");
		return PERR_OK;
	}
	for (i = 0; err == PERR_OK && i < n; i++) {
		enum perr one = store_pool_cell(pool, &items[i], cell);

		if (one == PERR_CORRUPT)
			report(s, SCRUB_POOL, name, 0, "a cell does not have its id");
		else
			err = one;
		s->totals->cells++;
	}
	free(items);
	return err;
}

/* ---- segments ---- */

struct rebuild {
	struct store_seg *seg;
	struct store_seg_item *items;
	uint32_t n, max;
	uint8_t *cells;                 /* STORE_READ_MAX of them, from position `from` */
	uint32_t from, have;
};

static enum perr note_item(void *arg, uint32_t pos, const uint8_t *id)
{
	struct rebuild *r = arg;

	if (r->n == r->max)
		return PERR_CORRUPT;
	memcpy(r->items[r->n].id, id, STORE_ID);
	r->items[r->n++].where = pos;
	return PERR_OK;
}

static enum perr read_run(struct rebuild *r, uint32_t from)
{
	uint32_t positions[STORE_READ_MAX], i;

	r->from = from;
	r->have = r->n - from < STORE_READ_MAX ? r->n - from : STORE_READ_MAX;
	for (i = 0; i < r->have; i++)
		positions[i] = from + i;
	return store_seg_read(r->seg, positions, r->have, r->cells);
}

static enum perr fetch_again(void *arg, const struct store_seg_item *item, const uint8_t **cell)
{
	struct rebuild *r = arg;
	uint32_t pos = (uint32_t)item->where;
	enum perr err = PERR_OK;

	if (pos - r->from >= r->have)
		err = read_run(r, pos);
	*cell = r->cells + (size_t)(pos - r->from) * STORE_CELL;
	return err;
}

static enum perr is_same_file(int dfd, const char *a, const char *b, bool *is_same)
{
	static uint8_t x[65536], y[65536];
	int fa = openat(dfd, a, O_RDONLY | O_CLOEXEC), fb = openat(dfd, b, O_RDONLY | O_CLOEXEC);
	enum perr err = fa < 0 || fb < 0 ? PERR_IO : PERR_OK;
	struct stat sa, sb;
	off_t at = 0;

	*is_same = false;
	if (err == PERR_OK && (fstat(fa, &sa) != 0 || fstat(fb, &sb) != 0))
		err = PERR_IO;
	if (err == PERR_OK)
		*is_same = sa.st_size == sb.st_size;
	while (err == PERR_OK && *is_same && at < sa.st_size) {
		ssize_t n = pread(fa, x, sizeof x, at), m = pread(fb, y, sizeof y, at);

		if (n <= 0 || m != n)
			err = PERR_IO;
		else
			*is_same = memcmp(x, y, (size_t)n) == 0;
		at += n;
	}
	if (fa >= 0)
		close(fa);
	if (fb >= 0)
		close(fb);
	return err;
}

/* Every byte that is no cell's: as when it is built anew? */
static enum perr check_canonical(struct scrubbing *s, struct rebuild *r, const char *name,
                                 const char *file)
{
	struct store *st = s->st;
	char *path = store_path(st, "segments/" TEMP);
	uint64_t bytes;
	bool is_same;
	enum perr err = path == NULL ? PERR_NOMEM : store_free_bytes(st, &bytes);

	if (err == PERR_OK && bytes < store_seg_bytes(r->n) + atomic_load(&st->reserve))
		err = PERR_FULL;
	if (err == PERR_OK)
		err = store_file_retire(st->sfd, TEMP);
	if (err != PERR_OK)
		goto out;
	r->have = 0;
	err = store_seg_build(path, r->items, r->n, fetch_again, r);
	if (err == PERR_OK)
		err = is_same_file(st->sfd, TEMP, name, &is_same);
	if (err == PERR_OK && !is_same)
		report(s, SCRUB_NOT_CANONICAL, file, 0, "bytes beside its cells are damaged");
	if (store_file_retire(st->sfd, TEMP) != PERR_OK)
		err = PERR_IO;
out:
	free(path);
	return err;
}

static enum perr check_segment(struct scrubbing *s, const struct store_segment *what)
{
	struct rebuild r = { .max = what->count };
	char name[STORE_NAME_MAX], file[STORE_NAME_MAX + 16];
	bool is_whole = true;
	uint32_t from, i;
	struct stat sb;
	enum perr err;

	store_list_name(name, what, "mdb");
	snprintf(file, sizeof file, "segments/%s", name);
	if (fstatat(s->st->sfd, name, &sb, AT_SYMLINK_NOFOLLOW) == 0)
		s->totals->bytes += (uint64_t)sb.st_size;
	r.items = malloc(((size_t)what->count + 1) * sizeof *r.items);
	r.cells = malloc(STORE_READ_MAX * STORE_CELL);
	err = r.items == NULL || r.cells == NULL ? PERR_NOMEM :
	      store_seg_open(&r.seg, s->st->sfd, name, note_item, &r);
	if (err == PERR_NOTFOUND || err == PERR_CORRUPT || err == PERR_IO) {
		report(s, SCRUB_SEGMENT, file, 0, err == PERR_NOTFOUND ? "it is missing" :
		       err == PERR_IO ? "it cannot be read" : "its tree is damaged");
		err = PERR_OK;
		goto out;
	}
	if (err != PERR_OK)
		goto out;
	if (r.n != what->count ||
	    memcmp(store_seg_ids_digest(r.seg), what->digest, STORE_ID) != 0) {
		report(s, SCRUB_SEGMENT, file, 0, "its ids are not those of the list");
		goto out;
	}
	for (from = 0; from < r.n; from += STORE_READ_MAX) {
		err = read_run(&r, from);
		for (i = 0; err != PERR_OK && i < r.have; i++) {
			if (is_id_of(r.items[from + i].id, r.cells + (size_t)i * STORE_CELL))
				continue;
			report(s, SCRUB_CELL, file, from + i, "a cell does not have its id");
		}
		is_whole &= err == PERR_OK;
		s->totals->cells += r.have;
	}
	err = is_whole ? check_canonical(s, &r, name, file) : PERR_OK;
out:
	store_seg_close(r.seg);
	free(r.items);
	free(r.cells);
	return err;
}

/* ---- bulletin and strays ---- */

static void check_part(struct scrubbing *s, const uint8_t hash[STORE_ID])
{
	uint8_t buf[16384], got[STORE_ID];
	char name[2 * STORE_ID + 1], file[80];
	crypto_generichash_state h;
	ssize_t n;
	int fd;

	sodium_bin2hex(name, sizeof name, hash, STORE_ID);
	snprintf(file, sizeof file, "bulletin/%s", name);
	fd = openat(s->st->bfd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0) {
		report(s, SCRUB_PART, file, 0, "it is missing");
		return;
	}
	crypto_generichash_init(&h, NULL, 0, STORE_ID);
	while ((n = read(fd, buf, sizeof buf)) > 0) {
		crypto_generichash_update(&h, buf, (size_t)n);
		s->totals->bytes += (uint64_t)n;
	}
	crypto_generichash_final(&h, got, STORE_ID);
	close(fd);
	if (n < 0 || memcmp(got, hash, STORE_ID) != 0)
		report(s, SCRUB_PART, file, 0, "it does not have its hash");
}

static bool belongs(const struct store *st, int dfd, const char *name,
                    const uint8_t (*hashes)[STORE_ID], size_t n)
{
	static const char *const top[] = {
		"state.mdb", "pool.mdb", "pool.old.mdb", "segments", "bulletin"
	};
	char known[2 * STORE_ID + 1];
	size_t i;

	if (dfd == st->dfd) {
		for (i = 0; i < sizeof top / sizeof *top; i++)
			if (strcmp(name, top[i]) == 0)
				return true;
	} else if (dfd == st->sfd) {
		for (i = 0; i < st->list.n; i++) {
			store_list_name(known, &st->list.v[i], "mdb");
			if (strcmp(name, known) == 0)
				return true;
		}
	} else {
		for (i = 0; i < n; i++) {
			sodium_bin2hex(known, sizeof known, hashes[i], STORE_ID);
			if (strcmp(name, known) == 0)
				return true;
		}
	}
	return false;
}

static enum perr check_strays(struct scrubbing *s, int dfd, const char *folder,
                              const uint8_t (*hashes)[STORE_ID], size_t n)
{
	int fd = openat(dfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;
	char file[80];

	if (d == NULL) {
		if (fd >= 0)
			close(fd);
		return PERR_IO;
	}
	while ((e = readdir(d)) != NULL) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		s->totals->files += e->d_type != DT_DIR;
		if (belongs(s->st, dfd, e->d_name, hashes, n))
			continue;
		snprintf(file, sizeof file, "%s%.60s", folder, e->d_name);
		report(s, SCRUB_STRAY, file, 0, "it does not belong there");
	}
	closedir(d);
	return PERR_OK;
}

enum perr scrub(const char *dir, void (*found)(void *arg, const struct scrub_finding *f),
                void *arg, struct scrub_totals *totals)
{
	struct scrubbing s = { .found = found, .arg = arg, .totals = totals };
	uint8_t (*hashes)[STORE_ID] = NULL;
	const char *why;
	size_t n = 0, i;
	enum perr err;

	memset(totals, 0, sizeof *totals);
	err = store_open(&s.st, dir, NULL, &why);
	if (err == PERR_CORRUPT || err == PERR_UNKNOWN) {
		/* Without its list nothing else can be judged. */
		report(&s, strncmp(why, "pool", 4) == 0 ? SCRUB_POOL : SCRUB_STATE,
		       strncmp(why, "pool", 4) == 0 ? "pool.mdb" : "state.mdb", 0, why);
		return PERR_CORRUPT;
	}
	if (err != PERR_OK)
		return err;
	err = check_state(&s);
	if (err == PERR_OK)
		err = check_pool(&s, &s.st->pool, "pool.mdb");
	if (err == PERR_OK)
		err = check_pool(&s, &s.st->old_pool, "pool.old.mdb");
	for (i = 0; err == PERR_OK && i < s.st->list.n; i++)
		err = check_segment(&s, &s.st->list.v[i]);
	if (err == PERR_OK)
		err = store_part_list(s.st, &hashes, &n);
	for (i = 0; err == PERR_OK && i < n; i++)
		check_part(&s, hashes[i]);
	if (err == PERR_OK)
		err = check_strays(&s, s.st->dfd, "", NULL, 0);
	if (err == PERR_OK)
		err = check_strays(&s, s.st->sfd, "segments/", NULL, 0);
	if (err == PERR_OK)
		err = check_strays(&s, s.st->bfd, "bulletin/",
		                   (const uint8_t (*)[STORE_ID])hashes, n);
	free(hashes);
	store_close(s.st);
	if (err == PERR_OK && totals->findings > 0)
		err = PERR_CORRUPT;
	return err;
}
