/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * vault: a member's records on disk, sealed behind a passphrase.
 *
 * The only file of the client that knows LMDB.  In the home folder (0700):
 *
 *   vault.mdb   everything (0600)
 *   vault.lock  empty; flock: shared by readers, exclusive for a batch
 *   vault.new   being built; garbage if found, overwritten and removed
 *   vault.old   retired; overwritten and removed, also after a kill
 *
 * KEYS.  passphrase --Argon2id--> passphrase key --wraps--> vault key (random).
 * Two keys come from the vault key: one for record keys and one to seal.
 * The passphrase key stays the same over vault_compact, so it is what an agent
 * holds (agent.h).  All of them live in sodium_malloc.
 *
 * BYTES.  Main database: one record "amparo":
 *   u32 format = 1 | u32 ops | u32 KiB | salt 16 | nonce 24 | wrapped key 32+16 |
 *   BLAKE2b-128 of all before             (big-endian; AD of the wrap: first 28 bytes)
 * The hash has no secret: it tells a damaged file from a wrong passphrase.
 * Databases "n" and "v", both under rk = BLAKE2b-256(key = record key, name):
 *   n: rk -> nonce 24 | seal(u8 length, name, zeros to 96) 
 *   v: rk -> nonce 24 | seal(u32 length, value, zeros to the bucket)
 * Seal = XChaCha20-Poly1305, random nonce, AD = "n" or "v", then rk: a sealed
 * value cannot be moved to another name.  Buckets of the padded text: 256, 512,
 * 1024, 1952, 2944 bytes, afterwards what fills whole 4 KiB pages, the number of
 * pages rounded up to four leading bits (at most 1/8 more).
 *
 * WHAT A READER OF THE DISK SEES WITHOUT THE PASSPHRASE.  How many records there
 * are, the bucket of each, how many batches were committed since the last
 * vault_compact, the cost setting, file times.  Not the names, nor how many
 * records are of one sort: nothing in rk tells a case from a key.
 * Not noticed: the whole file put back to an older state, or one record's old
 * value put back by someone who can write to the disk.
 *
 * WHAT SOMEONE WITH THE DISK AND THE PASSPHRASE SEES.  Everything stored, and
 * what was deleted or replaced since the last vault_compact: LMDB leaves it in
 * free pages.  Hence kv_erase and kv_settle (kv.h): the settling is vault_compact,
 * which moves the live records under a new vault key into a new file, and
 * overwrites and removes the old one, and with it the only copy of the old vault
 * key.  It MUST run after a volunteer's cells are committed (the device can open
 * nothing any more) and after private prekeys are retired; kv_settle does it if
 * kv_erase was used.  What a flash drive's own spare blocks, a file system with
 * snapshots or a backup keep, no program can overwrite (docs/THREATS.md).
 *
 * KILLS AND DAMAGE.  A kill at any moment leaves every committed batch whole and
 * no other; vault_open finishes or undoes an interrupted vault_compact.  Altered
 * values, names, header: PERR_CORRUPT.  LMDB has no checksums over its own tree and
 * trusts it, so the tree is walked before LMDB opens the file (vault_page.h):
 * PERR_CORRUPT, never a crash and never wrong data.  Any number of processes may have one vault open; each
 * reads under the shared lock, and sees another's vault_compact by itself.
 */
#ifndef AMPARO_VAULT_H
#define AMPARO_VAULT_H

#include "kv.h"

#define VAULT_KEY_SIZE 32

/* The passphrase key.  Keep it in sodium_malloc, wipe it after use. */
struct vault_key {
	uint8_t b[VAULT_KEY_SIZE];
};

enum vault_cost {
	VAULT_MODERATE,         /* Argon2id, 3 passes over 256 MiB: about a second */
	VAULT_LIGHT             /* 2 passes over 64 MiB: for old devices */
};

struct vault;

/* Whether there is a vault in home (also one whose compaction was interrupted). */
bool vault_exists(const char *home);

/*
 * Make a new, empty vault, and home (0700) if it is missing; its parent must be
 * there.  A home that others may read is closed to them (chmod 0700).
 *
 * pass, pass_len   in: the passphrase, 1 byte or more; not kept
 *
 * Nothing is left behind after an error or a kill except perhaps an empty home
 * and a vault.new that the next attempt removes.
 * PERR_EXISTS: there is one already; it is untouched.  PERR_NOMEM: not enough
 * memory for the chosen cost (VAULT_LIGHT needs less).  PERR_IO, PERR_FULL,
 * PERR_TIMEOUT.
 */
PERR_MUST_CHECK enum perr vault_create(const char *home, const char *pass, size_t pass_len,
                                       enum vault_cost cost);

/*
 * Turn a passphrase into the passphrase key with the vault's salt and cost.
 * Takes about a second; does not know whether the passphrase is right: vault_open
 * does.  key is all zero after an error.
 * PERR_NOTFOUND: no vault in home.  PERR_CORRUPT: damaged header.  PERR_UNKNOWN: a
 * later format.  PERR_NOMEM.
 */
PERR_MUST_CHECK enum perr vault_derive(struct vault_key *key, const char *home,
                                       const char *pass, size_t pass_len);

/*
 * Open the vault.  *out: to be given to vault_close; NULL after an error.
 * key is copied.
 * PERR_AUTH: wrong passphrase.  PERR_NOTFOUND, PERR_CORRUPT, PERR_UNKNOWN,
 * PERR_TIMEOUT (another amparo is busy with it for ten seconds), PERR_IO,
 * PERR_NOMEM.  vault_explain() has the sentence.
 */
PERR_MUST_CHECK enum perr vault_open(struct vault **out, const char *home,
                                     const struct vault_key *key);

/* PERR_AUTH: the vault was opened with another passphrase key than this. */
PERR_MUST_CHECK enum perr vault_check(const struct vault *v, const struct vault_key *key);

/* Aborts an open batch, wipes, frees; NULL is harmless. */
void vault_close(struct vault *v);

/* The storage interface over this vault; borrowed, dies with the vault. */
struct kv *vault_kv(struct vault *v);

/* Whether kv_erase was used since the last vault_compact (kv_settle will work). */
bool vault_owes_compact(struct vault *v);

/*
 * Move everything live into a new file under a new vault key; overwrite and
 * remove the old file.  See the head of this file for when.  PERR_STATE: a batch
 * is open.  After an error the vault is as it was, and usable.
 */
PERR_MUST_CHECK enum perr vault_compact(struct vault *v);

/*
 * A new passphrase: vault_compact under a new passphrase key and salt.  *key, if
 * not NULL, is set to the new passphrase key (give it to agent_update).
 */
PERR_MUST_CHECK enum perr vault_change_passphrase(struct vault *v, const char *pass,
                                                  size_t pass_len, enum vault_cost cost,
                                                  struct vault_key *key);

/*
 * Room kept free in the address space, hence the largest batch, in bytes, that
 * certainly fits (default 4 GiB, 256 MiB where addresses have 32 bits).  A larger
 * one may end in PERR_FULL.  Not inside a batch.
 */
void vault_batch_room(struct vault *v, size_t bytes);

/* How long to wait for another process, in milliseconds (default 10,000). */
void vault_lock_wait(struct vault *v, unsigned ms);

/* One sentence for a person after vault_*, kv_* of a vault failed; static. */
const char *vault_explain(enum perr err);

#endif
