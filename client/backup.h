/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * backup: a vault in one file, under a passphrase; and a vault out of it.  PROTOCOL 12.
 *
 * In it: records with their attachments, the signing key, the slot keys, the roster, what an
 * administrator needs.  Not in it: private halves of prekeys and keys of attachments (an old
 * image of a server must not open for whoever finds a backup), cells that wait to be sent (a
 * record that was erased since would come back), unfinished interviews, positions on servers.
 * Whoever restores it publishes new prekeys, and co-holders give back what is missing
 * (custody_say.h).
 *
 * A desk with a single living holder has nobody who gives anything back: with_keys puts the
 * private halves in, at the price named.
 */
#ifndef AMPARO_BACKUP_H
#define AMPARO_BACKUP_H

#include <stdbool.h>
#include <stdint.h>

#include "client.h"
#include "perr.h"
#include "pieces.h"
#include "vault.h"

struct backup_sum {
	uint32_t pieces;                 /* of PIECES_SIZE bytes */
	uint32_t records;                /* of the store */
	uint32_t day;                    /* on which it was made */
	uint32_t halves;                 /* private halves of prekeys in it */
};
/*
 * Is there a desk of which this member is the only holder who is a member of the organisation?
 * name  out: its name, size >= 65
 */
PERR_MUST_CHECK enum perr backup_is_sole_holder(struct client *c, bool *is, char *name,
                                               size_t size);
/*
 * pass  in: of pass_len bytes; the file opens with it
 * cost  in: as for a vault
 * fn    in: gets the pieces in order
 * PERR_RANGE: the store changed while it was read: again.  PERR_LIMIT: larger than a file can
 * be.  Errors of fn come back.
 */
PERR_MUST_CHECK enum perr backup_write(struct client *c, const char *pass, size_t pass_len,
                                      enum vault_cost cost, bool with_keys, pieces_fn *fn,
                                      void *arg, struct backup_sum *sum);

/* piece number `at` of the file; asked for in order, twice each, the first one more often */
typedef enum perr backup_read_fn(void *arg, uint32_t at, uint8_t piece[PIECES_SIZE]);
struct backup;
/*
 * Open a file and verify it whole.
 * sum   out: what is in it
 * PERR_FORMAT: not such a file.  PERR_AUTH: another passphrase, or its beginning is altered or
 * its end missing.  PERR_CORRUPT: altered further on.  PERR_UNKNOWN: of a later version.
 */
PERR_MUST_CHECK enum perr backup_open(struct backup **out, const char *pass, size_t pass_len,
                                     uint64_t file_size, backup_read_fn *fn, void *arg,
                                     struct backup_sum *sum);
/* the same with the key that the passphrase gives: for the fuzzer */
PERR_MUST_CHECK enum perr backup_open_key(struct backup **out, const struct vault_key *key,
                                         uint64_t file_size, backup_read_fn *fn, void *arg,
                                         struct backup_sum *sum);
/* wipes; NULL is harmless */
void backup_close(struct backup *b);
/*
 * Write everything into a store that belongs to nobody; what is in it goes.  Whose it is is
 * written last: after a kill it still belongs to nobody, and this is done again.
 * today  in: the day of restoring (restored.h)
 */
PERR_MUST_CHECK enum perr backup_restore(struct backup *b, struct kv *kv, uint32_t today);

#endif
