/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * store_state: state.mdb, the small records.  Each value ends in a 16-byte BLAKE2b over key
 * and value, since LMDB has no checksums.  Integers are big-endian.
 *
 *   'B' id                 cell                        a board entry that is shown
 *   'E' id                 due day u32                 an erasure that waits
 *   'J' ticket             id ‖ cell                   an inbox cell
 *   'L'                    n × hash                    parts of the present bulletin
 *   'M' name               bytes                       a named blob
 *   'P' id                 T replaced or zeros ‖ cell  a board entry for the next release
 *   'S' day u32 release u32  settled u8, count u32, digest   a segment
 *   'T' id                 day u32                     a tombstone, with the day of its cell
 *   'V'                    schema u32, day u32, release u32, pool serial u64, 'V' comes last
 *
 * Between releases it changes in place, by the store's batches.  At a release it is written
 * anew in key order, so that neither page order nor page slack keeps a history.
 */
#ifndef AMPARO_STORE_STATE_H
#define AMPARO_STORE_STATE_H

#include <stddef.h>
#include <stdint.h>

#include "perr.h"
#include "store.h"

#define STORE_STATE_KEY_MAX (1 + STORE_META_NAME_MAX)
#define STORE_STATE_SUM 16u

struct MDB_env;
struct MDB_txn;

struct store_state {
	struct MDB_env *env;
	struct MDB_txn *txn;    /* the batch's, NULL if none */
	unsigned dbi;
};

/* A record in memory: val is borrowed unless owned is set. */
struct store_record {
	uint8_t key[STORE_STATE_KEY_MAX];
	uint8_t key_len;
	const uint8_t *val;
	size_t len;
	uint8_t *owned;         /* freed with the list */
};

struct store_records {
	struct store_record *v;
	size_t n, max;
};

/* Add a record; val is copied if copy is set, else borrowed. */
PERR_MUST_CHECK enum perr store_records_add(struct store_records *rs, const void *key,
                                            size_t key_len, const void *val, size_t len,
                                            int copy);
void store_records_free(struct store_records *rs);

/*
 * Write a new state file `path` with these records (sorted here), synced.  Two records with
 * the same key: the one added last counts; a val of NULL leaves the key out.
 */
PERR_MUST_CHECK enum perr store_state_build(const char *path, struct store_records *rs);

PERR_MUST_CHECK enum perr store_state_open(struct store_state *s, const char *path);
void store_state_close(struct store_state *s);

/* Begin the batch's transaction if there is none. */
PERR_MUST_CHECK enum perr store_state_begin(struct store_state *s);
/* PERR_FULL: aborted, as before.  Else not PERR_OK: dead. */
PERR_MUST_CHECK enum perr store_state_commit(struct store_state *s);
void store_state_abort(struct store_state *s);

/* In the batch's transaction. */
PERR_MUST_CHECK enum perr store_state_put(struct store_state *s, const void *key,
                                          size_t key_len, const void *a, size_t a_len,
                                          const void *b, size_t b_len);
PERR_MUST_CHECK enum perr store_state_del(struct store_state *s, const void *key,
                                          size_t key_len);

/* A snapshot to read from: the batch's transaction if it is open and ours, else a new one. */
struct store_view {
	struct MDB_txn *txn;
	unsigned dbi;
	int is_batch;
};
/* is_writer: called by the writing thread, which sees its own open batch. */
PERR_MUST_CHECK enum perr store_view_open(struct store_view *v, struct store_state *s,
                                          int is_writer);
void store_view_close(struct store_view *v);

/*
 * Look one record up; val is valid until the view closes or its batch writes.
 * PERR_NOTFOUND, PERR_CORRUPT (checksum).
 */
PERR_MUST_CHECK enum perr store_view_get(const struct store_view *v, const void *key,
                                         size_t key_len, const uint8_t **val, size_t *len);

/*
 * Visit, in key order, records whose key starts with `kind` (0: all).  each() says PERR_OK to
 * go on; PERR_MORE ends it early without error; others are passed on.  A record that fails
 * its checksum is given with val = NULL.
 */
PERR_MUST_CHECK enum perr store_view_each(const struct store_view *v, uint8_t kind,
                                          enum perr (*each)(void *arg, const uint8_t *key,
                                                            size_t key_len,
                                                            const uint8_t *val, size_t len),
                                          void *arg);

#endif
