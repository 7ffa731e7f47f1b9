/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * vault_base: what vault.c (files, opening, rebuilding) and vault_kv.c (records) share.
 *
 * Rules.  LMDB's own locking is off (MDB_NOLOCK): vault.lock does it, for readers
 * too, so that no reader is ever inside a file that vault_compact overwrites, and no
 * lock file tells who read when.  Whatever touches the map stands between enter()
 * and leave(); a batch holds LOCK_EX from begin to commit.  A pointer from LMDB
 * dies before leave().  Flags 0 otherwise: NOSYNC, NOMETASYNC, WRITEMAP and
 * MAPASYNC lose committed data in a power cut; NOMEMINIT writes freed heap to disk.
 */
#ifndef AMPARO_VAULT_BASE_H
#define AMPARO_VAULT_BASE_H

#include <lmdb.h>
#include <sys/types.h>

#include "vault_disk.h"
#include "vault_index.h"
#include "vault_seal.h"

/* Names with a full stop first are the vault's own; kv_name_ok refuses them. */
#define VAULT_OWED ".owed"

/* One open file. */
struct vault_base {
	MDB_env *env;
	MDB_dbi main, n, v;
};

struct vault {
	struct kv kv;
	struct vault_disk disk;
	struct vault_keys *keys;        /* sodium_malloc */
	struct vault_base b;            /* b.env is NULL until the next enter() */
	dev_t dev;
	ino_t ino;
	size_t map_len, room;
	MDB_txn *txn;                   /* the open batch */
	enum perr spoilt;
	struct vault_index index;       /* names, if is_indexed */
	bool is_indexed;
	size_t index_txn;               /* the commit it belongs to; unused inside a batch */
	unsigned long changes;          /* counts our own changes, for walks */
};

extern const struct kv_ops vault_kv_ops;

/* MDB_* or errno, as ours. */
enum perr vault_from_mdb(int rc);

/* Lock (LOCK_SH, LOCK_EX) and see that the right file is open; inside a batch
 * both do nothing. */
PERR_MUST_CHECK enum perr vault_enter(struct vault *v, int how);
void vault_leave(struct vault *v);
/* Closes the file; the next vault_enter opens it again. */
void vault_base_close(struct vault_base *b);

/* A transaction to read with: the batch's, or a new one. */
PERR_MUST_CHECK enum perr vault_read_begin(struct vault *v, MDB_txn **txn);
void vault_read_end(struct vault *v, MDB_txn *txn);

/* One record; value is kv_alloc'd.  PERR_NOTFOUND, PERR_CORRUPT, PERR_NOMEM. */
PERR_MUST_CHECK enum perr vault_record_get(struct vault *v, MDB_txn *txn, const char *name,
                                           uint8_t **value, size_t *len);
PERR_MUST_CHECK enum perr vault_record_put(const struct vault_base *b, const struct vault_keys *k,
                                           MDB_txn *txn, const char *name, const uint8_t *value,
                                           size_t len);

/* All names into v->index, unless it has them.  Between enter and leave. */
PERR_MUST_CHECK enum perr vault_names_load(struct vault *v, MDB_txn *txn);
void vault_names_drop(struct vault *v);

#endif
