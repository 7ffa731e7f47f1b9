/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* store_bulletin: parts by hash in bulletin/, and the switch from one set of them to the next. */
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

#define NAME_LEN (2 * STORE_ID)
#define PART_NAME_MAX (NAME_LEN + 6)

static void part_name(char name[PART_NAME_MAX], const uint8_t hash[STORE_ID], bool is_staged)
{
	sodium_bin2hex(name, NAME_LEN + 1, hash, STORE_ID);
	if (is_staged)
		memcpy(name + NAME_LEN, ".part", 6);
}

/* <hex> or <hex>.part, and its hash. */
static bool is_part_name(const char *name, uint8_t hash[STORE_ID])
{
	size_t len = strspn(name, "0123456789abcdef");

	return len == NAME_LEN && (name[len] == 0 || strcmp(name + len, ".part") == 0) &&
	       sodium_hex2bin(hash, STORE_ID, name, NAME_LEN, NULL, NULL, NULL) == 0;
}

/* Visit our files in bulletin/. */
static enum perr each_part(struct store *st,
                           enum perr (*each)(void *arg, const char *name,
                                             const uint8_t hash[STORE_ID], uint64_t size),
                           void *arg)
{
	int fd = openat(st->bfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	uint8_t hash[STORE_ID];
	enum perr err = PERR_OK;
	struct dirent *e;
	struct stat sb;

	if (d == NULL) {
		if (fd >= 0)
			close(fd);
		return PERR_IO;
	}
	while (err == PERR_OK && (e = readdir(d)) != NULL)
		if (is_part_name(e->d_name, hash) &&
		    fstatat(st->bfd, e->d_name, &sb, AT_SYMLINK_NOFOLLOW) == 0)
			err = each(arg, e->d_name, hash, (uint64_t)sb.st_size);
	closedir(d);
	return err;
}

static enum perr add_size(void *arg, const char *name, const uint8_t hash[STORE_ID],
                          uint64_t size)
{
	*(uint64_t *)arg += size;
	return PERR_OK;
}

/* Read the whole staged file back: what counts is what the disk gives. */
static enum perr check_hash(int fd, uint32_t total, const uint8_t hash[STORE_ID])
{
	uint8_t buf[16384], got_hash[STORE_ID];
	crypto_generichash_state h;
	uint32_t at = 0;

	crypto_generichash_init(&h, NULL, 0, STORE_ID);
	while (at < total) {
		size_t len = total - at < sizeof buf ? total - at : sizeof buf;
		ssize_t n = pread(fd, buf, len, at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return PERR_IO;
		crypto_generichash_update(&h, buf, (size_t)n);
		at += (uint32_t)n;
	}
	crypto_generichash_final(&h, got_hash, STORE_ID);
	return memcmp(got_hash, hash, STORE_ID) == 0 ? PERR_OK : PERR_FORMAT;
}

static enum perr write_piece(int fd, uint32_t offset, const uint8_t *piece, size_t len)
{
	while (len > 0) {
		ssize_t n = pwrite(fd, piece, len, offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n == 0 ? PERR_IO : store_file_errno(errno);
		piece += n;
		len -= (size_t)n;
		offset += (uint32_t)n;
	}
	return PERR_OK;
}

static enum perr room_for(struct store *st, uint64_t len)
{
	uint64_t bytes, all = 0;
	enum perr err = each_part(st, add_size, &all);

	if (err == PERR_OK)
		err = store_free_bytes(st, &bytes);
	if (err != PERR_OK)
		return err;
	if (all + len > st->cfg.bulletin_max_bytes ||
	    bytes < atomic_load(&st->reserve) + store_release_bytes(st) + len)
		return PERR_FULL;
	return PERR_OK;
}

enum perr store_part_put(struct store *st, const uint8_t hash[STORE_ID], uint32_t total,
                         uint32_t offset, const uint8_t *piece, size_t len, uint32_t *have)
{
	char name[PART_NAME_MAX], staged[PART_NAME_MAX];
	struct stat sb;
	enum perr err;
	int fd = -1;

	*have = 0;
	if (atomic_load(&st->dead) != NULL)
		return PERR_IO;
	if (total < 1 || total > STORE_PART_MAX || offset > total || len > total - offset)
		return PERR_RANGE;
	part_name(name, hash, false);
	part_name(staged, hash, true);
	if (fstatat(st->bfd, name, &sb, AT_SYMLINK_NOFOLLOW) == 0) {
		*have = (uint32_t)sb.st_size;
		return *have == total ? PERR_OK : PERR_RANGE;
	}
	if (fstatat(st->bfd, staged, &sb, AT_SYMLINK_NOFOLLOW) != 0)
		sb.st_size = 0;
	/* Its pieces cannot be of this part, or it was cut: from the beginning. */
	if (sb.st_size >= total) {
		err = store_file_retire(st->bfd, staged);
		if (err != PERR_OK)
			return err;
		sb.st_size = 0;
	}
	*have = (uint32_t)sb.st_size;
	if (offset > *have)
		return PERR_RANGE;
	if (len == 0 || offset + len <= *have)
		return PERR_OK;
	err = room_for(st, offset + len - *have);
	if (err != PERR_OK)
		return err;
	fd = openat(st->bfd, staged, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return store_file_errno(errno);
	err = write_piece(fd, offset, piece, len);
	if (err != PERR_OK)
		goto out;
	*have = offset + (uint32_t)len;
	if (*have < total)
		goto out;
	err = check_hash(fd, total, hash);
	if (err == PERR_OK && fsync(fd) != 0)
		err = store_die(st, "bulletin: a part cannot be synced");
	if (err == PERR_OK && renameat(st->bfd, staged, st->bfd, name) != 0)
		err = PERR_IO;
	if (err == PERR_OK && store_file_sync_dir(st->bfd) != PERR_OK)
		err = store_die(st, "bulletin: the folder cannot be synced");
	if (err == PERR_FORMAT) {
		*have = 0;
		if (store_file_retire(st->bfd, staged) != PERR_OK)
			err = PERR_IO;
	}
out:
	close(fd);
	return err;
}

struct keep {
	struct store *st;
	const uint8_t (*hashes)[STORE_ID];
	size_t n;
};

static enum perr retire_unlisted(void *arg, const char *name, const uint8_t hash[STORE_ID],
                                 uint64_t size)
{
	const struct keep *k = arg;
	size_t i;

	for (i = 0; name[NAME_LEN] == 0 && i < k->n; i++)
		if (memcmp(k->hashes[i], hash, STORE_ID) == 0)
			return PERR_OK;
	return store_file_retire(k->st->bfd, name);
}

enum perr store_part_list(struct store *st, uint8_t (**hashes)[STORE_ID], size_t *n)
{
	struct store_view view;
	const uint8_t *val;
	size_t len = 0;
	enum perr err = store_view_open(&view, &st->state, 1);

	*hashes = NULL;
	*n = 0;
	if (err != PERR_OK)
		return err;
	err = store_view_get(&view, "L", 1, &val, &len);
	if (err == PERR_OK || err == PERR_NOTFOUND) {
		*hashes = malloc(len + STORE_ID);
		if (*hashes != NULL && len > 0)
			memcpy(*hashes, val, len);
		*n = len / STORE_ID;
		err = *hashes != NULL ? PERR_OK : PERR_NOMEM;
	}
	store_view_close(&view);
	return err;
}

/*
 * A kill between the switch and the overwriting leaves parts nobody may have any more; they
 * cannot be told from staged ones, so both go, and an upload begins again.
 */
enum perr store_bulletin_tidy(struct store *st)
{
	uint8_t (*hashes)[STORE_ID];
	struct keep keep = { .st = st };
	enum perr err = store_part_list(st, &hashes, &keep.n);

	if (err != PERR_OK)
		return err;
	keep.hashes = (const uint8_t (*)[STORE_ID])hashes;
	err = each_part(st, retire_unlisted, &keep);
	free(hashes);
	if (err == PERR_OK)
		err = store_file_sync_dir(st->bfd);
	return err;
}

enum perr store_bulletin_commit(struct store *st, const uint8_t (*hashes)[STORE_ID], size_t n,
                                const struct store_meta *metas, size_t n_metas)
{
	struct keep keep = { st, hashes, n };
	char name[PART_NAME_MAX];
	enum perr err;
	size_t i;

	if (atomic_load(&st->dead) != NULL)
		return PERR_IO;
	if (store_batch_is_open(st))
		return PERR_STATE;
	if (n > STORE_PARTS_MAX)
		return PERR_RANGE;
	for (i = 0; i < n; i++) {
		part_name(name, hashes[i], false);
		if (!store_file_exists(st->bfd, name))
			return PERR_NOTFOUND;
	}
	err = store_meta_set(st, metas, n_metas);
	if (err == PERR_OK) {
		err = store_state_put(&st->state, "L", 1, hashes, n * STORE_ID, NULL, 0);
		if (err != PERR_OK)
			err = store_batch_failed(st, err);
	}
	if (store_batch_is_open(st)) {
		enum perr commit = store_commit(st);

		if (err == PERR_OK)
			err = commit;
	}
	if (err != PERR_OK)
		return err;
	/* Nobody may read a part while it is overwritten. */
	pthread_rwlock_wrlock(&st->state_mu);
	if (each_part(st, retire_unlisted, &keep) != PERR_OK ||
	    store_file_sync_dir(st->bfd) != PERR_OK)
		err = store_die(st, "bulletin: a retired part cannot be overwritten");
	pthread_rwlock_unlock(&st->state_mu);
	return err;
}

enum perr store_part_get(struct store *st, const uint8_t hash[STORE_ID], uint32_t offset,
                         uint8_t *buf, size_t cap, size_t *got, uint32_t *total)
{
	char name[PART_NAME_MAX];
	struct store_view view;
	const uint8_t *val;
	struct stat sb;
	enum perr err;
	size_t len, i;
	ssize_t n;
	int fd = -1;

	*got = 0;
	*total = 0;
	pthread_rwlock_rdlock(&st->state_mu);
	err = store_view_open(&view, &st->state, 0);
	if (err != PERR_OK)
		goto out;
	err = store_view_get(&view, "L", 1, &val, &len);
	if (err == PERR_OK) {
		for (i = 0; i + STORE_ID <= len && memcmp(val + i, hash, STORE_ID) != 0;
		     i += STORE_ID)
			;
		if (i + STORE_ID > len)
			err = PERR_NOTFOUND;
	}
	store_view_close(&view);
	if (err != PERR_OK)
		goto out;
	part_name(name, hash, false);
	err = PERR_CORRUPT;             /* listed, so it must be there */
	fd = openat(st->bfd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &sb) != 0 || sb.st_size > STORE_PART_MAX)
		goto out;
	*total = (uint32_t)sb.st_size;
	do
		n = pread(fd, buf, cap, offset);
	while (n < 0 && errno == EINTR);
	err = n < 0 ? PERR_IO : PERR_OK;
	if (n > 0)
		*got = (size_t)n;
out:
	if (fd >= 0)
		close(fd);
	pthread_rwlock_unlock(&st->state_mu);
	if (err == PERR_CORRUPT)
		atomic_fetch_add(&st->damaged, 1);
	return err;
}
