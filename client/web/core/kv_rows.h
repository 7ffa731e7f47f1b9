/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * kv_rows: the storage of kv.h over sealed rows in memory, for a browser.
 *
 * A browser's store can only be reached between two calls, so all rows lie in memory while
 * the vault is open, still sealed as they lie in the store: rk -> sealed name, sealed value
 * (vault_seal.h).  A record is opened when it is read and sealed when it is written.  The
 * keys and the names are in memory, too.  What somebody sees of the store without the
 * passphrase: as of vault.h's file: how many rows, the bucket of each value, the cost.
 *
 * JOURNAL.  What commits change is noted, and taken out with kv_rows_change; the caller
 * writes all that was taken since the last call in one transaction of its store, durably, and
 * only then believes in it.  A store that got any number of whole journals in their order
 * opens, and holds what was committed up to there.
 *
 * SETTLING.  kv_erase notes durably (in the batch) that a settling is owed.  kv_settle makes
 * a new vault key, seals every row anew under it, and the journal then says first that all
 * rows go.  Whoever has the store afterwards, the passphrase and every key opens nothing that
 * was erased.  The browser's own files may keep old sealed rows for a time; store.ts sees to
 * it that they do not keep the old header, without which nothing opens them: docs/THREATS.md.
 * A failure in the middle (memory) leaves this kv dead: every call PERR_STATE, the store as
 * it was; it has to be loaded again.
 *
 * KIOSK.  kv_rows_new_kiosk: the same under a random key that is kept nowhere; no journal, no
 * header; what is erased is wiped at once, so nothing is ever owed.
 */
#ifndef AMPARO_KV_ROWS_H
#define AMPARO_KV_ROWS_H

#include "kv.h"
#include "vault_seal.h"

struct kv_rows;

/* A new, empty vault in memory; its journal holds the header.  PERR_RANGE: no passphrase.
 * PERR_NOMEM.  *out: kv_rows_free; NULL after an error. */
PERR_MUST_CHECK enum perr kv_rows_create(struct kv_rows **out, const char *pass, size_t pass_len,
                                         enum vault_cost cost);
PERR_MUST_CHECK enum perr kv_rows_new_kiosk(struct kv_rows **out);

/*
 * A vault that is in a store: first its header and the passphrase, then its rows in any order
 * (kv_rows_load), then kv_rows_open.
 * PERR_AUTH: wrong passphrase.  PERR_CORRUPT: damaged header.  PERR_UNKNOWN: later format.
 */
PERR_MUST_CHECK enum perr kv_rows_unlock(struct kv_rows **out, const uint8_t *header,
                                         size_t header_len, const char *pass, size_t pass_len);
/*
 * row  in: sealed name and sealed value, copied
 * PERR_CORRUPT: too short, too long, or there is one of this rk already.  PERR_STATE: open.
 */
PERR_MUST_CHECK enum perr kv_rows_load(struct kv_rows *v, const uint8_t rk[VAULT_RK_SIZE],
                                       const uint8_t *row, size_t row_len);
/* PERR_CORRUPT: a name was altered, or lies under another rk */
PERR_MUST_CHECK enum perr kv_rows_open(struct kv_rows *v);

/* Aborts, wipes, frees; NULL is harmless. */
void kv_rows_free(struct kv_rows *v);

/* borrowed; after kv_rows_create, _new_kiosk or _open */
struct kv *kv_rows_kv(struct kv_rows *v);
bool kv_rows_owes(const struct kv_rows *v);
/* bytes of all rows, for the choice of when to settle */
size_t kv_rows_bytes(const struct kv_rows *v);
bool kv_rows_is_dead(const struct kv_rows *v);
/* as long as it is the same, nothing in the store has changed */
unsigned long kv_rows_stamp(const struct kv_rows *v);

/* PERR_AUTH: it is not the passphrase this vault has */
PERR_MUST_CHECK enum perr kv_rows_check(const struct kv_rows *v, const char *pass,
                                        size_t pass_len);
/* A new passphrase, a new salt, and a settling under it.  Not inside a batch.  PERR_STATE: a
 * kiosk has none. */
PERR_MUST_CHECK enum perr kv_rows_passphrase(struct kv_rows *v, const char *pass,
                                             size_t pass_len, enum vault_cost cost);

/* how many changes the journal holds, at most (a row that changed and went is one) */
size_t kv_rows_changes(const struct kv_rows *v);
/*
 * The next change; its bytes are described in web.h.
 * out  out: kv_alloc'd; NULL: there is none left (PERR_OK), or PERR_NOMEM, after which the
 *      journal is incomplete and this kv is dead
 */
PERR_MUST_CHECK enum perr kv_rows_change(struct kv_rows *v, uint8_t **out, size_t *len);

#endif
