/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * store_file: the few things the store does to whole files, each safe at any kill.  Names are
 * relative to the folder descriptor dfd.  Errors: PERR_NOTFOUND, PERR_FULL, PERR_IO.
 */
#ifndef AMPARO_STORE_FILE_H
#define AMPARO_STORE_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "perr.h"

/* The class of an errno value. */
enum perr store_file_errno(int err);

PERR_MUST_CHECK enum perr store_file_sync_dir(int dfd);

/* Write zeros from byte `from` up to `to`. */
PERR_MUST_CHECK enum perr store_file_zero(int fd, uint64_t from, uint64_t to);

/*
 * Overwrite the whole file with zeros, sync, unlink; the caller syncs the folder once for
 * all.  A file that has a second name is only unlinked: its bytes are still in use there.
 * A missing file is PERR_OK.
 */
PERR_MUST_CHECK enum perr store_file_retire(int dfd, const char *name);

/*
 * Put `fresh` in the place of `current`, keeping what was there under `old`, so that it can be
 * overwritten.  At every moment `current` exists.  If `current` does not exist it is a plain
 * rename.  May be repeated after a kill at any step.
 */
PERR_MUST_CHECK enum perr store_file_swap(int dfd, const char *fresh, const char *current,
                                          const char *old);

/* Two names of one file? */
bool store_file_is_same(int dfd, const char *a, const char *b);

bool store_file_exists(int dfd, const char *name);

#endif
