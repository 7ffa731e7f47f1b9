/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * vault_disk: the files of a vault (vault.h), without what is in them: the lock,
 * replacing one file by another so that a kill leaves one of them whole, and
 * overwriting what is retired.
 */
#ifndef AMPARO_VAULT_DISK_H
#define AMPARO_VAULT_DISK_H

#include <stdbool.h>
#include <sys/stat.h>

#include "perr.h"

struct vault_disk {
	char *mdb, *fresh, *old;        /* paths of vault.mdb, vault.new, vault.old */
	char *home;
	int lock_fd;
	int lock;                       /* LOCK_UN, LOCK_SH, LOCK_EX */
	unsigned wait_ms;
};

/* PERR_NOTFOUND: no such folder.  PERR_IO, PERR_NOMEM.  d is fit for
 * vault_disk_close also after an error. */
PERR_MUST_CHECK enum perr vault_disk_open(struct vault_disk *d, const char *home);
void vault_disk_close(struct vault_disk *d);

/*
 * how   LOCK_SH, or LOCK_EX; held until vault_disk_unlock
 * PERR_TIMEOUT: not within d->wait_ms.
 */
PERR_MUST_CHECK enum perr vault_disk_lock(struct vault_disk *d, int how);
void vault_disk_unlock(struct vault_disk *d);

/* Finish or undo what a kill interrupted.  Under LOCK_EX. */
PERR_MUST_CHECK enum perr vault_disk_recover(struct vault_disk *d);

/* PERR_NOTFOUND: no vault.mdb. */
PERR_MUST_CHECK enum perr vault_disk_stat(const struct vault_disk *d, struct stat *st);

/*
 * Put the finished vault.new in the place of vault.mdb, which becomes vault.old
 * if there was one.  Durable when it returns PERR_OK; after an error vault.mdb is
 * one of the two, whole.  Under LOCK_EX.
 */
PERR_MUST_CHECK enum perr vault_disk_swap(struct vault_disk *d);

/* Overwrite with noise, sync, remove, sync the folder.  PERR_OK if it is not there. */
PERR_MUST_CHECK enum perr vault_disk_shred(struct vault_disk *d, const char *path);

/* Sync one file by path.  PERR_IO */
PERR_MUST_CHECK enum perr vault_disk_sync(const char *path);

/* The error of the last system call, as ours. */
enum perr vault_disk_errno(int e);

#endif
