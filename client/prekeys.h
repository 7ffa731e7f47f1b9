/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * prekeys: the short-lived keys to which cells are sealed.  PROTOCOL 7.3, DESIGN 8 and 11.
 *
 * Whoever reads publishes batches of public keys ahead of time, one key per period
 * (roster limits: 14 days), half a year of them; and keeps the private halves until they
 * are certainly not needed any more.
 *
 * In the store:  prekey/<number, 8 digits>          the signed batch, raw
 *                prekey/<number, 8 digits>/<index, 2 digits>   one private half, 32 bytes:
 *                a record of its own, so that destroying one is one kv_erase
 *                prekey-posted                      what the queued cell was sealed under
 */
#ifndef AMPARO_PREKEYS_H
#define AMPARO_PREKEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cell.h"
#include "client.h"
#include "perr.h"

#define PREKEYS_AHEAD_DAYS 182           /* half a year: 13 keys of 14 days */
#define PREKEYS_MAX        64            /* keys in one batch */

/* does this member publish prekeys at all: holders, attorneys, interpreters */
bool prekeys_needed(const struct client *c);
/* the roster's lowest acceptable batch number for an owner, from every desk and the staff body */
uint32_t prekeys_lowest(const struct client *c, const uint8_t owner[32]);

/*
 * Make sure of a batch with at least half of its days ahead; otherwise (none yet, more than
 * half used, the roster's lowest number above ours, or force) make the next one, store its
 * private halves and queue it for the board under the slot "batch": one batch of the store.
 * made  out: whether one was made; may be NULL
 * PERR_STATE: this member publishes none, or no roster is known.
 */
PERR_MUST_CHECK enum perr prekeys_renew(struct client *c, bool force, bool *made);

/*
 * Seal the newest batch for the board again if the board key or season it was sealed under
 * is not today's (a new roster; this member became a holder): holders' batches go under the
 * field board key, where volunteers read them, those of other staff under the staff board
 * key.  PERR_OK also if there is nothing to do.  One batch of the store, or none.
 */
PERR_MUST_CHECK enum perr prekeys_repost(struct client *c);

/*
 * The private keys to try on cells: of every batch those not destroyed up to the one after
 * today's; newest batch first.  all: every one not destroyed (a rescan: a sender's clock may
 * have been far ahead).  While a recovery is under way, also the keys it lends (recovery.h).
 * keys  out: in sodium_malloc, *n of them; give back with prekeys_drop
 */
PERR_MUST_CHECK enum perr prekeys_readers(struct client *c, bool all,
                                         struct reader_key **keys, size_t *n);
void prekeys_drop(struct reader_key *keys);
/*
 * The first day of the oldest key still held: nothing older on a server can open.
 * PERR_NOTFOUND: no key is held.
 */
PERR_MUST_CHECK enum perr prekeys_first_day(struct client *c, uint32_t *day);

/*
 * The public key to seal to for this owner on this day: from the highest batch accepted
 * (notices.h stored it; its signature is checked again here), at least the roster's lowest
 * number.  PERR_NOTFOUND: there is none: the owner has not published yet.
 */
PERR_MUST_CHECK enum perr prekey_for(struct client *c, const uint8_t owner[32], uint32_t day,
                                    uint8_t pk[32]);

/*
 * May a private half be destroyed?  A pure rule, so that it can be tested: DESIGN 8 "only
 * after a sync that scanned, on every server, all segments up to its last day + grace,
 * with all attachments in the vault, and, for holders, the records in two vaults by
 * custody".  Every doubt keeps the key.
 */
struct prekey_life {
	uint32_t last_day;               /* on which a sender would use it */
	bool is_final;                   /* last of its batch: used for ever after */
	bool is_newest_batch;
	uint32_t newest_first_day;       /* first day of the newest batch, for is_final */
	/* what is known */
	uint32_t scanned_through;        /* on every server; 0: some server never */
	uint32_t grace_days;
	unsigned wants;                  /* attachments missing */
	bool is_holder;
	uint32_t custody_through;        /* co-holders confirmed records up to this day; 0: never */
};
bool prekey_may_die(const struct prekey_life *l);

/*
 * Destroy what the rule allows (kv_erase, one batch; the caller settles).
 * scanned_through  in: sync_scanned_through
 * wants            in: attachments still missing (retire_wants)
 * custody_through  in: retire_custody
 */
PERR_MUST_CHECK enum perr prekeys_retire(struct client *c, uint32_t scanned_through,
                                        unsigned wants, uint32_t custody_through,
                                        unsigned *destroyed);

/* how many it would destroy if custody allowed every one of them */
PERR_MUST_CHECK enum perr prekeys_count_due(struct client *c, uint32_t scanned_through,
                                           unsigned wants, unsigned *due);

/* for `status` */
struct prekeys_info {
	unsigned batches, keys;          /* private halves held */
	uint32_t number;                 /* of the newest batch; 0: none */
	uint32_t last_day;               /* up to which the newest batch has a key of its own */
	bool posted;                     /* every server accepted it */
};
PERR_MUST_CHECK enum perr prekeys_info(struct client *c, struct prekeys_info *out);

#endif
