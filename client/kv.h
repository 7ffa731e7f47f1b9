/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * kv: the storage that the client's core needs, and nothing more.
 *
 * The core never knows where its records lie: on disk in a vault (vault.h), in
 * memory (kv_mem.h), or in a browser.  Whoever supplies one fills struct kv_ops.
 *
 * Names   1..KV_NAME_MAX printable ASCII characters without space, not starting
 *         with a full stop: "case/<hex>", "outbox/000123", "key/sign".  They are
 *         as secret as the values: storage hides them.
 * Values  0..KV_VALUE_MAX bytes.
 * Batch   Every change stands between kv_begin and kv_commit.  A batch is there
 *         whole once kv_commit returned PERR_OK, and durable; after anything
 *         else, a kill included, none of it is there.  Only one batch at a time;
 *         reads inside it see its changes.  Other processes wait while a batch is
 *         open: never wait for a network or a person inside one.  After a failed
 *         kv_put, kv_del or kv_erase the batch is spoilt, and kv_commit gives
 *         back that first error and changes nothing.
 * Thread  One struct kv belongs to one thread at a time, and dies at fork().
 *
 * Errors of all calls:  PERR_RANGE   bad name, or value too long
 *                       PERR_STATE   a change outside a batch, a batch in a batch
 *                       PERR_TIMEOUT another process kept the store for ten seconds
 *                       PERR_CORRUPT what is stored was altered or is incomplete
 *                       PERR_FULL, PERR_IO, PERR_NOMEM
 */
#ifndef AMPARO_KV_H
#define AMPARO_KV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "perr.h"

#define KV_NAME_MAX  95
#define KV_VALUE_MAX ((size_t)64 << 20)

struct kv;

/*
 * One record, for kv_each.  name and value are borrowed until the callback
 * returns; value has a 0 byte behind its last one.  Anything but PERR_OK ends
 * the walk and becomes its result.  The callback may read and may change the
 * store (with a batch of its own, if none is open).
 */
typedef enum perr kv_each_fn(void *arg, const char *name, const uint8_t *value, size_t len);
/* The same for kv_each_name. */
typedef enum perr kv_name_fn(void *arg, const char *name);

struct kv_ops {
	enum perr (*begin)(struct kv *kv);
	enum perr (*commit)(struct kv *kv);
	void      (*abort)(struct kv *kv);
	enum perr (*put)(struct kv *kv, const char *name, const uint8_t *value, size_t len);
	enum perr (*get)(struct kv *kv, const char *name, uint8_t **value, size_t *len);
	enum perr (*del)(struct kv *kv, const char *name);
	enum perr (*erase)(struct kv *kv, const char *name);
	enum perr (*settle)(struct kv *kv);
	enum perr (*each)(struct kv *kv, const char *prefix, kv_each_fn *fn, void *arg);
	enum perr (*each_name)(struct kv *kv, const char *prefix, kv_name_fn *fn, void *arg);
};

/* The first member of whatever implements it. */
struct kv {
	const struct kv_ops *ops;
};

/* Open a batch. */
PERR_MUST_CHECK static inline enum perr kv_begin(struct kv *kv)
{
	return kv->ops->begin(kv);
}

/* Close the batch: all of it durable (PERR_OK), or nothing of it there. */
PERR_MUST_CHECK static inline enum perr kv_commit(struct kv *kv)
{
	return kv->ops->commit(kv);
}

/* Forget the open batch; harmless without one, so fit for every `out:`. */
static inline void kv_abort(struct kv *kv)
{
	kv->ops->abort(kv);
}

/* Write a record, over an older one of that name.  value is copied; it may be
 * NULL if len is 0. */
PERR_MUST_CHECK static inline enum perr kv_put(struct kv *kv, const char *name,
                                               const uint8_t *value, size_t len)
{
	return kv->ops->put(kv, name, value, len);
}

/*
 * Read a record.
 *
 * value  out: the caller's, to be given to kv_free, which wipes it; never NULL
 *        after PERR_OK (a 0 byte stands behind the last); NULL after an error
 * len    out: bytes; may be NULL
 *
 * PERR_NOTFOUND: no such record.
 */
PERR_MUST_CHECK static inline enum perr kv_get(struct kv *kv, const char *name,
                                               uint8_t **value, size_t *len)
{
	return kv->ops->get(kv, name, value, len);
}

/* Remove a record.  PERR_OK also when there is none of that name. */
PERR_MUST_CHECK static inline enum perr kv_del(struct kv *kv, const char *name)
{
	return kv->ops->del(kv, name);
}

/*
 * Remove a record so that it cannot come back: like kv_del, and the batch also
 * notes durably that a kv_settle is owed.  For what a device must not be able to
 * open any more: a volunteer's sent intakes and drafts, retired private prekeys.
 * The note survives a kill, so the settling is never forgotten.
 */
PERR_MUST_CHECK static inline enum perr kv_erase(struct kv *kv, const char *name)
{
	return kv->ops->erase(kv, name);
}

/*
 * Make everything erased so far unrecoverable, even for someone who has the
 * device, the passphrase and every key.  Does nothing, quickly, if nothing was
 * erased since the last time.  Otherwise it may rewrite the whole store (some
 * seconds for a gigabyte, and as much free space): call it once at the end of a
 * command that erased, and once after opening.  Not inside a batch.
 */
PERR_MUST_CHECK static inline enum perr kv_settle(struct kv *kv)
{
	return kv->ops->settle(kv);
}

/*
 * Walk through the records whose name begins with prefix ("" for all), in the
 * byte order of their names.  The set of names is the one at the start; records
 * deleted meanwhile are left out, changed ones come with their new value.
 */
PERR_MUST_CHECK static inline enum perr kv_each(struct kv *kv, const char *prefix,
                                                kv_each_fn *fn, void *arg)
{
	return kv->ops->each(kv, prefix, fn, arg);
}

/* The same walk without reading the values: for lists and counts. */
PERR_MUST_CHECK static inline enum perr kv_each_name(struct kv *kv, const char *prefix,
                                                     kv_name_fn *fn, void *arg)
{
	return kv->ops->each_name(kv, prefix, fn, arg);
}

/* len bytes, followed by a 0 byte; NULL if there is no memory.  For implementers. */
uint8_t *kv_alloc(size_t len);
/* Wipe and free what kv_get or kv_alloc gave; NULL is harmless. */
void kv_free(uint8_t *value);
/* The bytes it was made with, or cut to. */
size_t kv_len(const uint8_t *value);
/* From now on it is this long, not longer than it was; what stood behind is wiped. */
void kv_cut(uint8_t *value, size_t len);
/*
 * What a decoder said of a record that this program wrote itself: no memory is no damage,
 * anything else means that what is stored was altered.
 */
static inline enum perr kv_decoded(enum perr err)
{
	return err == PERR_OK || err == PERR_NOMEM ? err : PERR_CORRUPT;
}
/* Whether a name follows the rule above. */
bool kv_name_ok(const char *name);

#endif
