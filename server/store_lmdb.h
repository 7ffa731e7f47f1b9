/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * store_lmdb: how an LMDB file is opened here, and the one switch from MDB_* to PERR_*.
 */
#ifndef AMPARO_STORE_LMDB_H
#define AMPARO_STORE_LMDB_H

#include <stdint.h>

#include "perr.h"

struct MDB_env;

enum store_lmdb_how { STORE_LMDB_NEW, STORE_LMDB_ANY, STORE_LMDB_GROWING };

/*
 * Open `path` as a single file without a lock file: one process has the folder (flock), one
 * thread writes, and readers in the same process are kept apart by the store's own lock.
 * Measured: NOSYNC, NOMETASYNC, MAPASYNC and WRITEMAP lose acknowledged data at a power cut,
 * NOMEMINIT writes freed heap to disk.  That none of them is set is checked on the open
 * environment, not on what was asked for.
 *
 * how   in: NEW must not exist; the others must, and are walked first (store_page.h).
 *       GROWING: values are only ever added, so headers of value pages need not be right.
 *
 * PERR_NOTFOUND, PERR_EXISTS, PERR_CORRUPT, PERR_UNKNOWN, PERR_NOMEM, PERR_FULL, PERR_IO.
 */
PERR_MUST_CHECK enum perr store_lmdb_open(struct MDB_env **out, const char *path,
                                          uint64_t map_bytes, enum store_lmdb_how how);

/* PERR_* of an LMDB return code or errno value. */
enum perr store_lmdb_err(int rc);

#endif
