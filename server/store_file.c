/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "store_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define ZEROS (256u << 10)
static const uint8_t zeros[ZEROS];

enum perr store_file_errno(int err)
{
	if (err == ENOENT)
		return PERR_NOTFOUND;
	if (err == ENOSPC || err == EDQUOT || err == EFBIG)
		return PERR_FULL;
	if (err == ENOMEM || err == EMFILE || err == ENFILE)
		return PERR_NOMEM;
	return PERR_IO;
}

enum perr store_file_sync_dir(int dfd)
{
	return fsync(dfd) == 0 ? PERR_OK : PERR_IO;
}

enum perr store_file_zero(int fd, uint64_t from, uint64_t to)
{
	while (from < to) {
		size_t len = to - from > ZEROS ? ZEROS : (size_t)(to - from);
		ssize_t n = pwrite(fd, zeros, len, (off_t)from);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n == 0 ? PERR_IO : store_file_errno(errno);
		from += (uint64_t)n;
	}
	return PERR_OK;
}

enum perr store_file_retire(int dfd, const char *name)
{
	int fd = openat(dfd, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	enum perr err = PERR_IO;
	struct stat sb;

	if (fd < 0)
		return errno == ENOENT ? PERR_OK : store_file_errno(errno);
	if (fstat(fd, &sb) != 0 || !S_ISREG(sb.st_mode))
		goto out;
	if (sb.st_nlink == 1) {
		err = store_file_zero(fd, 0, (uint64_t)sb.st_size);
		if (err != PERR_OK)
			goto out;
		/* The zeros must be on the disk before its blocks are anybody's again. */
		if (fdatasync(fd) != 0) {
			err = PERR_IO;
			goto out;
		}
	}
	err = unlinkat(dfd, name, 0) == 0 ? PERR_OK : store_file_errno(errno);
out:
	close(fd);
	return err;
}

bool store_file_is_same(int dfd, const char *a, const char *b)
{
	struct stat sa, sb;

	return fstatat(dfd, a, &sa, AT_SYMLINK_NOFOLLOW) == 0 &&
	       fstatat(dfd, b, &sb, AT_SYMLINK_NOFOLLOW) == 0 &&
	       sa.st_ino == sb.st_ino && sa.st_dev == sb.st_dev;
}

enum perr store_file_swap(int dfd, const char *fresh, const char *current, const char *old)
{
	enum perr err;

	if (store_file_exists(dfd, current) && !store_file_is_same(dfd, current, old)) {
		err = store_file_retire(dfd, old);
		if (err != PERR_OK)
			return err;
		if (linkat(dfd, current, dfd, old, 0) != 0)
			return store_file_errno(errno);
		/* Were the rename durable and the link not, the old bytes would have no name
		 * and could never be overwritten. */
		err = store_file_sync_dir(dfd);
		if (err != PERR_OK)
			return err;
	}
	if (renameat(dfd, fresh, dfd, current) != 0)
		return store_file_errno(errno);
	return store_file_sync_dir(dfd);
}

bool store_file_exists(int dfd, const char *name)
{
	struct stat sb;

	return fstatat(dfd, name, &sb, AT_SYMLINK_NOFOLLOW) == 0;
}
