/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "store_lmdb.h"

#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <stdbool.h>
#include <unistd.h>

#include "store_file.h"
#include "store_page.h"

#define FORBIDDEN (MDB_NOSYNC | MDB_NOMETASYNC | MDB_MAPASYNC | MDB_WRITEMAP | MDB_NOMEMINIT)

enum perr store_lmdb_err(int rc)
{
	switch (rc) {
	case MDB_SUCCESS:
		return PERR_OK;
	case MDB_NOTFOUND:
		return PERR_NOTFOUND;
	case MDB_KEYEXIST:
		return PERR_EXISTS;
	case MDB_MAP_FULL:
	case MDB_TXN_FULL:
		return PERR_FULL;
	case MDB_PAGE_NOTFOUND:
	case MDB_CORRUPTED:
	case MDB_INVALID:
	case MDB_CURSOR_FULL:
		return PERR_CORRUPT;
	case MDB_VERSION_MISMATCH:
		return PERR_UNKNOWN;
	case ENOMEM:
		return PERR_NOMEM;
	case EEXIST:
		return PERR_EXISTS;
	default:                /* MDB_PANIC, EIO and whatever else: our disk */
		return rc > 0 ? store_file_errno(rc) : PERR_IO;
	}
}

enum perr store_lmdb_open(struct MDB_env **out, const char *path, uint64_t map_bytes,
                          enum store_lmdb_how how)
{
	/* LMDB would create a missing file and accept a present one: be exact instead. */
	bool is_new = how == STORE_LMDB_NEW;
	int fd = open(path, is_new ? O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW :
	                             O_RDONLY | O_CLOEXEC | O_NOFOLLOW, 0600);
	unsigned flags = 0;
	MDB_env *env = NULL;
	enum perr err = PERR_OK;
	int rc;

	*out = NULL;
	if (fd < 0)
		return errno == EEXIST ? PERR_EXISTS : store_file_errno(errno);
	if (!is_new)
		err = store_pages_check(fd, how == STORE_LMDB_ANY);
	close(fd);
	if (err != PERR_OK)
		return err;
	rc = mdb_env_create(&env);
	if (rc == 0)
		rc = mdb_env_set_mapsize(env, map_bytes);
	if (rc == 0)
		rc = mdb_env_open(env, path, MDB_NOSUBDIR | MDB_NOLOCK | MDB_NOTLS |
		                             MDB_NORDAHEAD, 0600);
	if (rc == 0)
		rc = mdb_env_get_flags(env, &flags);
	if (rc == 0 && (flags & FORBIDDEN) != 0)
		rc = EINVAL;
	if (rc != 0) {
		mdb_env_close(env);
		return store_lmdb_err(rc);
	}
	*out = env;
	return PERR_OK;
}
