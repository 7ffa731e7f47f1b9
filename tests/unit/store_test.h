/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* store_test: what the store's tests share: a folder of their own, cells from a number. */
#ifndef AMPARO_STORE_TEST_H
#define AMPARO_STORE_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <sodium.h>

#include "store.h"

#define DAY0 20782u

static inline int rm_one(const char *path, const struct stat *sb, int type, struct FTW *f)
{
	return remove(path);
}

static inline void rm_tree(const char *dir)
{
	nftw(dir, rm_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* A fresh path that does not exist yet, in memory where possible: thousands of syncs. */
static inline void new_dir(char dir[256])
{
	const char *tmp = getenv("TMPDIR");

	if (tmp == NULL)
		tmp = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
	snprintf(dir, 256, "%s/store-XXXXXX", tmp);
	assert_non_null(mkdtemp(dir));
	assert_int_equal(rmdir(dir), 0);
}

struct test_cell {
	uint8_t cell[STORE_CELL];
	uint8_t id[STORE_ID];
	uint8_t ds[STORE_DS];
};

/* The n-th cell: the same in every run. */
static inline void make_cell(struct test_cell *c, uint32_t n)
{
	uint8_t seed[32] = { (uint8_t)n, (uint8_t)(n >> 8), (uint8_t)(n >> 16), 1 };
	crypto_generichash_state h;

	randombytes_buf_deterministic(c->cell, STORE_CELL, seed);
	seed[3] = 2;
	randombytes_buf_deterministic(c->ds, STORE_DS, seed);
	crypto_generichash_init(&h, NULL, 0, STORE_ID);
	crypto_generichash_update(&h, (const uint8_t *)"amparo/1 tag", 12);
	crypto_generichash_update(&h, c->ds, STORE_DS);
	crypto_generichash_final(&h, c->cell + 32, STORE_ID);
	crypto_generichash(c->id, STORE_ID, c->cell, STORE_CELL, NULL, 0);
}

static inline struct test_cell *make_cells(uint32_t from, uint32_t n)
{
	struct test_cell *c = malloc(n * sizeof *c);
	uint32_t i;

	assert_non_null(c);
	for (i = 0; i < n; i++)
		make_cell(&c[i], from + i);
	return c;
}

/* Append and commit one batch; all must get `want`. */
static inline void put_cells(struct store *st, const struct test_cell *c, size_t n,
                             enum store_status want)
{
	struct store_cell *v = calloc(n, sizeof *v);
	size_t i;

	for (i = 0; i < n; i++) {
		v[i].cell = c[i].cell;
		memcpy(v[i].id, c[i].id, STORE_ID);
	}
	assert_int_equal(store_append(st, v, n), PERR_OK);
	assert_int_equal(store_commit(st), PERR_OK);
	for (i = 0; i < n; i++)
		assert_int_equal(v[i].status, want);
	free(v);
}

static inline struct store_release release_on(struct store *st, uint32_t day)
{
	struct store_release rel = { .day = day, .retention_days = 60 };

	assert_int_equal(store_release(st, &rel), PERR_OK);
	return rel;
}

static const struct store_config test_config = { .prewrite_bytes = 1 << 16 };

static inline struct store *make_store(char dir[256])
{
	struct store *st;

	new_dir(dir);
	assert_int_equal(store_create(dir, DAY0, NULL, 0), PERR_OK);
	assert_int_equal(store_open(&st, dir, &test_config, NULL), PERR_OK);
	return st;
}

static inline struct store *reopen(struct store *st, const char *dir)
{
	const char *why = "";
	enum perr err;

	store_close(st);
	err = store_open(&st, dir, &test_config, &why);
	if (err != PERR_OK)
		fail_msg("reopen: %s: %s", perr_name(err), why);
	return st;
}

static inline uint8_t *slurp(const char *dir, const char *name, size_t *len)
{
	char path[512];
	struct stat sb;
	uint8_t *buf;
	int fd;

	snprintf(path, sizeof path, "%s/%s", dir, name);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		fail_msg("no file %s", name);
	assert_int_equal(fstat(fd, &sb), 0);
	buf = malloc((size_t)sb.st_size + 1);
	*len = (size_t)sb.st_size;
	assert_int_equal(read(fd, buf, *len), (ssize_t)*len);
	close(fd);
	return buf;
}

static const uint8_t *needle;
static unsigned needle_found;

static inline int hunt_one(const char *path, const struct stat *sb, int type, struct FTW *f)
{
	size_t len, i;
	uint8_t *buf;

	if (!S_ISREG(sb->st_mode))
		return 0;
	buf = slurp("/", path, &len);
	for (i = 0; i + 16 <= len; i++)
		needle_found += buf[i] == needle[0] && memcmp(buf + i, needle, 16) == 0;
	free(buf);
	return 0;
}

/* How often these 16 bytes stand in all files of the folder. */
static inline unsigned in_folder(const char *dir, const uint8_t *bytes)
{
	needle = bytes;
	needle_found = 0;
	nftw(dir, hunt_one, 16, FTW_PHYS);
	return needle_found;
}

/* How often each of n cells is in the store's segments; reads all of them. */
static inline void count_released(struct store *st, const struct test_cell *c, size_t n,
                                  unsigned *times)
{
	static uint8_t cells[STORE_READ_MAX * STORE_CELL];
	struct store_segment segs[256];
	size_t n_segs = store_segments(st, 0, 0, segs, 256), i, k;
	uint32_t from, got, j;

	memset(times, 0, n * sizeof *times);
	for (i = 0; i < n_segs; i++) {
		for (from = 0; from < segs[i].count; from += got) {
			assert_int_equal(store_read(st, segs[i].day, segs[i].release,
			                            segs[i].digest, from, STORE_READ_MAX,
			                            cells, &got), PERR_OK);
			assert_true(got > 0);
			for (j = 0; j < got; j++)
				for (k = 0; k < n; k++)
					times[k] += memcmp(cells + j * STORE_CELL, c[k].cell,
					                   STORE_CELL) == 0;
		}
	}
}

#endif
