/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "vault_disk.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#define WAIT_MS 10000

enum perr vault_disk_errno(int e)
{
	switch (e) {
	case 0:
		return PERR_OK;
	case ENOENT:
		return PERR_NOTFOUND;
	case ENOMEM:
		return PERR_NOMEM;
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
		return PERR_FULL;
	default:
		return PERR_IO;
	}
}

static char *path_join(const char *home, const char *name)
{
	char *p;

	return asprintf(&p, "%s/%s", home, name) < 0 ? NULL : p;
}

enum perr vault_disk_open(struct vault_disk *d, const char *home)
{
	char *lock_path = NULL;
	enum perr err = PERR_NOMEM;

	memset(d, 0, sizeof *d);
	d->lock_fd = -1;
	d->lock = LOCK_UN;
	d->wait_ms = WAIT_MS;
	d->home = strdup(home);
	d->mdb = path_join(home, "vault.mdb");
	d->fresh = path_join(home, "vault.new");
	d->old = path_join(home, "vault.old");
	lock_path = path_join(home, "vault.lock");
	if (d->home == NULL || d->mdb == NULL || d->fresh == NULL || d->old == NULL ||
	    lock_path == NULL)
		goto out;
	d->lock_fd = open(lock_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	err = d->lock_fd < 0 ? vault_disk_errno(errno) : PERR_OK;
out:
	free(lock_path);
	return err;
}

void vault_disk_close(struct vault_disk *d)
{
	if (d->lock_fd >= 0)
		close(d->lock_fd);
	free(d->mdb);
	free(d->fresh);
	free(d->old);
	free(d->home);
	memset(d, 0, sizeof *d);
	d->lock_fd = -1;
}

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

enum perr vault_disk_lock(struct vault_disk *d, int how)
{
	uint64_t end = 0;
	long pause_ms = 1;

	while (flock(d->lock_fd, how | LOCK_NB) != 0) {
		struct timespec pause = { 0, pause_ms * 1000000 };

		if (errno == EINTR)
			continue;
		if (errno != EWOULDBLOCK)
			return PERR_IO;
		if (end == 0)
			end = now_ms() + d->wait_ms;
		else if (now_ms() >= end)
			return PERR_TIMEOUT;
		/* flock knows no timeout, and an alarm would belong to the program. */
		nanosleep(&pause, NULL);
		if (pause_ms < 32)
			pause_ms *= 2;
	}
	d->lock = how;
	return PERR_OK;
}

void vault_disk_unlock(struct vault_disk *d)
{
	flock(d->lock_fd, LOCK_UN);
	d->lock = LOCK_UN;
}

enum perr vault_disk_sync(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	enum perr err = PERR_OK;

	if (fd < 0)
		return vault_disk_errno(errno);
	/* Some file systems cannot sync a folder and say EINVAL. */
	if (fsync(fd) != 0 && errno != EINVAL)
		err = PERR_IO;
	close(fd);
	return err;
}

enum perr vault_disk_shred(struct vault_disk *d, const char *path)
{
	static const size_t block_len = 1 << 18;
	uint8_t *block = NULL;
	struct stat st;
	off_t at = 0;
	enum perr err = PERR_IO;
	int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return errno == ENOENT ? PERR_OK : PERR_IO;
	if (fstat(fd, &st) != 0)
		goto out;
	err = PERR_NOMEM;
	block = malloc(block_len);
	if (block == NULL)
		goto out;
	/* Noise, since zeros may become a hole on a file system that compresses. */
	randombytes_buf(block, block_len);
	err = PERR_IO;
	while (at < st.st_size) {
		off_t left = st.st_size - at;
		ssize_t n = pwrite(fd, block, left < (off_t)block_len ? (size_t)left : block_len, at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			goto out;
		at += n;
	}
	if (fsync(fd) != 0 || unlink(path) != 0)
		goto out;
	err = vault_disk_sync(d->home);
out:
	free(block);
	close(fd);
	return err;
}

static bool is_there(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

enum perr vault_disk_recover(struct vault_disk *d)
{
	enum perr err = PERR_OK;

	/* Killed between the two renames of vault_disk_swap: the old one is whole. */
	if (!is_there(d->mdb) && is_there(d->old)) {
		if (rename(d->old, d->mdb) != 0)
			return PERR_IO;
		err = vault_disk_sync(d->home);
	}
	if (err == PERR_OK)
		err = vault_disk_shred(d, d->old);
	if (err == PERR_OK)
		err = vault_disk_shred(d, d->fresh);
	return err;
}

enum perr vault_disk_stat(const struct vault_disk *d, struct stat *st)
{
	return stat(d->mdb, st) == 0 ? PERR_OK : vault_disk_errno(errno);
}

enum perr vault_disk_swap(struct vault_disk *d)
{
	enum perr err = vault_disk_sync(d->fresh);
	bool had = is_there(d->mdb);

	if (err != PERR_OK)
		return err;
	/* Two renames and no hard link: sticks with exFAT have none. */
	if (had) {
		if (rename(d->mdb, d->old) != 0)
			return PERR_IO;
		err = vault_disk_sync(d->home);
	}
	if (err == PERR_OK && rename(d->fresh, d->mdb) != 0)
		err = PERR_IO;
	if (err != PERR_OK) {
		if (had && rename(d->old, d->mdb) != 0)
			return PERR_IO;
		return err;
	}
	return vault_disk_sync(d->home);
}
