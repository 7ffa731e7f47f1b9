/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * kv_mem: the storage interface of kv.h in memory, for simulations and tests.
 * Keeps every rule of kv.h (atomic batches, order, spoilt batches) except that
 * it is gone at the end.  Values are wiped when they are freed.
 */
#ifndef AMPARO_KV_MEM_H
#define AMPARO_KV_MEM_H

#include "kv.h"

/* out: an empty store, to be given to kv_mem_free; NULL if there is no memory */
struct kv *kv_mem_new(void);
/* NULL is harmless */
void kv_mem_free(struct kv *kv);
/* The n-th commit from now on fails with PERR_IO and changes nothing, once; 0: none. */
void kv_mem_fail_commit(struct kv *kv, unsigned n);

#endif
