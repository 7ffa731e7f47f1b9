/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "spool_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct dir {
	struct spool_store ops;
	int fd;                  /* of the folder */
	int file;                /* the day used last, or -1 */
	uint32_t day;
};

static struct dir *dir_of(struct spool_store *s)
{
	return (struct dir *)(void *)s;
}

static enum perr failed(void)
{
	if (errno == ENOSPC || errno == EDQUOT || errno == EFBIG)
		return PERR_FULL;
	return PERR_IO;
}

/* the file of this day; *fd -1 if there is none and make is false */
static enum perr use(struct dir *d, uint32_t day, bool make, int *fd)
{
	char name[16];

	*fd = -1;
	if (d->file < 0 || d->day != day) {
		if (d->file >= 0)
			close(d->file);
		snprintf(name, sizeof name, "%u", day);
		d->day = day;
		d->file = openat(d->fd, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW | (make ? O_CREAT : 0),
		                 0600);
		if (d->file < 0)
			return errno == ENOENT ? PERR_OK : failed();
	}
	*fd = d->file;
	return PERR_OK;
}

static enum perr dir_days(struct spool_store *s, uint32_t *days, size_t max, size_t *n)
{
	struct dir *d = dir_of(s);
	const struct dirent *de;
	DIR *list;
	int fd = openat(d->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	*n = 0;
	list = fd < 0 ? NULL : fdopendir(fd);
	if (list == NULL) {
		if (fd >= 0)
			close(fd);
		return failed();
	}
	while (*n < max && (de = readdir(list)) != NULL) {
		char *rest;
		unsigned long day = strtoul(de->d_name, &rest, 10);

		if (de->d_name[0] >= '0' && de->d_name[0] <= '9' && *rest == '\0' &&
		    day < UINT32_MAX)
			days[(*n)++] = (uint32_t)day;
	}
	closedir(list);
	return PERR_OK;
}

static enum perr dir_count(struct spool_store *s, uint32_t day, uint32_t *n)
{
	struct stat st;
	int fd;
	enum perr err = use(dir_of(s), day, false, &fd);

	*n = 0;
	if (err != PERR_OK || fd < 0)
		return err;
	if (fstat(fd, &st) != 0)
		return failed();
	/* a torn end after a kill is no cell; the next one is written over it */
	*n = (uint32_t)(st.st_size / CELL_SIZE);
	return PERR_OK;
}

static enum perr dir_append(struct spool_store *s, uint32_t day, const uint8_t *cells, size_t n)
{
	size_t left = n * CELL_SIZE;
	uint32_t at;
	off_t off;
	int fd;
	enum perr err = use(dir_of(s), day, true, &fd);

	if (err == PERR_OK)
		err = dir_count(s, day, &at);
	if (err != PERR_OK)
		return err;
	off = (off_t)at * CELL_SIZE;
	while (left > 0) {
		ssize_t some = pwrite(fd, cells, left, off);

		if (some < 0 && errno == EINTR)
			continue;
		if (some <= 0)
			return failed();
		cells += some;
		off += some;
		left -= (size_t)some;
	}
	return PERR_OK;
}

static enum perr read_at(int fd, uint8_t *out, size_t len, off_t off)
{
	while (len > 0) {
		ssize_t some = pread(fd, out, len, off);

		if (some < 0 && errno == EINTR)
			continue;
		if (some <= 0)
			return PERR_IO;
		out += some;
		off += some;
		len -= (size_t)some;
	}
	return PERR_OK;
}

static enum perr dir_heads(struct spool_store *s, uint32_t day, uint32_t from, uint32_t n,
                           uint8_t *heads)
{
	int fd;
	enum perr err = use(dir_of(s), day, false, &fd);
	uint32_t i;

	if (err == PERR_OK && fd < 0)
		err = PERR_RANGE;
	for (i = 0; err == PERR_OK && i < n; i++)
		err = read_at(fd, heads + (size_t)i * CELL_HEAD_SIZE, CELL_HEAD_SIZE,
		              (off_t)(from + i) * CELL_SIZE);
	return err;
}

static enum perr dir_read(struct spool_store *s, uint32_t day, uint32_t at,
                          uint8_t cell[CELL_SIZE])
{
	int fd;
	enum perr err = use(dir_of(s), day, false, &fd);

	if (err != PERR_OK)
		return err;
	return fd < 0 ? PERR_RANGE : read_at(fd, cell, CELL_SIZE, (off_t)at * CELL_SIZE);
}

static enum perr dir_drop(struct spool_store *s, uint32_t day)
{
	struct dir *d = dir_of(s);
	char name[16];

	if (d->file >= 0 && d->day == day) {
		close(d->file);
		d->file = -1;
	}
	snprintf(name, sizeof name, "%u", day);
	return unlinkat(d->fd, name, 0) == 0 || errno == ENOENT ? PERR_OK : failed();
}

static void dir_free(struct spool_store *s)
{
	struct dir *d = dir_of(s);

	if (d->file >= 0)
		close(d->file);
	close(d->fd);
	free(d);
}

enum perr spool_dir_new(struct spool_store **out, const char *dir)
{
	struct dir *d;

	*out = NULL;
	if (mkdir(dir, 0700) != 0 && errno != EEXIST)
		return failed();
	d = calloc(1, sizeof *d);
	if (d == NULL)
		return PERR_NOMEM;
	d->ops = (struct spool_store){ dir_days, dir_count, dir_append, dir_heads, dir_read,
	                               dir_drop, dir_free };
	d->file = -1;
	d->fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (d->fd < 0) {
		free(d);
		return failed();
	}
	*out = &d->ops;
	return PERR_OK;
}
