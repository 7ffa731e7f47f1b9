/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "export_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEMPORARY ".amparo-export.part"

struct export_dir {
	int fd;
	bool force;
	char where[2 * EXPORT_NAME_MAX + 2];
};

enum perr export_dir_open(struct export_dir **out, const char *path, bool force)
{
	struct export_dir *d = calloc(1, sizeof *d);

	*out = NULL;
	if (d == NULL)
		return PERR_NOMEM;
	d->force = force;
	d->fd = -1;
	if (mkdir(path, 0700) == 0 || errno == EEXIST)
		d->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (d->fd < 0) {
		free(d);
		return PERR_IO;
	}
	*out = d;
	return PERR_OK;
}

void export_dir_close(struct export_dir *d)
{
	if (d == NULL)
		return;
	close(d->fd);
	free(d);
}

const char *export_dir_where(const struct export_dir *d)
{
	return d->where;
}

static enum perr fail(void)
{
	return errno == ENOSPC || errno == EDQUOT ? PERR_FULL : PERR_IO;
}

/* NOTFOUND: no such name; OK: exactly this content; EXISTS: anything else */
static enum perr look(int dir, const char *name, const uint8_t *data, size_t len)
{
	int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	enum perr err = PERR_EXISTS;
	uint8_t buf[16384];
	struct stat st;
	size_t at = 0;
	ssize_t k = 0;

	if (fd < 0)
		return errno == ENOENT ? PERR_NOTFOUND : errno == ELOOP ? PERR_EXISTS : fail();
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (uint64_t)st.st_size == len) {
		while (at < len && (k = read(fd, buf, sizeof buf)) > 0 &&
		       (size_t)k <= len - at && memcmp(buf, data + at, (size_t)k) == 0)
			at += (size_t)k;
		if (at == len)
			err = PERR_OK;
	}
	explicit_bzero(buf, sizeof buf);
	close(fd);
	return err;
}

static enum perr write_all(int fd, const uint8_t *data, size_t len)
{
	while (len > 0) {
		ssize_t k = write(fd, data, len);

		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return fail();
		data += k;
		len -= (size_t)k;
	}
	return fsync(fd) == 0 ? PERR_OK : fail();
}

static enum perr write_new(int dir, const char *name, const uint8_t *data, size_t len)
{
	enum perr err;
	int fd;

	/* one that was left behind by a kill */
	if (unlinkat(dir, TEMPORARY, 0) != 0 && errno != ENOENT)
		return fail();
	fd = openat(dir, TEMPORARY, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return fail();
	err = write_all(fd, data, len);
	if (close(fd) != 0 && err == PERR_OK)
		err = fail();
	if (err == PERR_OK && renameat(dir, TEMPORARY, dir, name) != 0)
		err = fail();
	if (err != PERR_OK) {
		int saved = errno;

		unlinkat(dir, TEMPORARY, 0);
		errno = saved;
	}
	return err;
}

/* a folder inside d; never through a symbolic link that somebody put there */
static int enter(const struct export_dir *d, const char *dir)
{
	if (*dir == '\0')
		return dup(d->fd);
	if (mkdirat(d->fd, dir, 0700) != 0 && errno != EEXIST)
		return -1;
	return openat(d->fd, dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static bool is_plain(const char *name)
{
	return strchr(name, '/') == NULL && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

static enum perr put_file(void *ctx, const char *dir, const char *name, const uint8_t *data,
                          size_t len)
{
	struct export_dir *d = ctx;
	enum perr err;
	int fd;

	snprintf(d->where, sizeof d->where, "%s%s%s", dir, *dir == '\0' ? "" : "/", name);
	if (!is_plain(dir) || !is_plain(name) || *name == '\0')
		return PERR_RANGE;
	fd = enter(d, dir);
	if (fd < 0)
		return fail();
	err = look(fd, name, data, len);
	if (err == PERR_NOTFOUND || (err == PERR_EXISTS && d->force))
		err = write_new(fd, name, data, len);
	close(fd);
	if (err == PERR_OK)
		d->where[0] = '\0';
	return err;
}

struct export_sink export_dir_sink(struct export_dir *d)
{
	return (struct export_sink){ .file = put_file, .ctx = d };
}
