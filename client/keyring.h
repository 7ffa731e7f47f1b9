/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * keyring: which access keys this member may try at a server, and in which order.
 *
 * A server that was away while the keys changed knows only older ones; a phone that was away
 * knows only older ones itself.  So the last few of each scope are kept, and tried after the
 * current one.  Whoever seizes the unlocked device finds old keys beside the current ones: they
 * open no more than those, and nothing at a server that has its policy.
 *
 * In the store: access/<scope>, at most KEYRING_OLD keys of 32 bytes, newest first.
 */
#ifndef AMPARO_KEYRING_H
#define AMPARO_KEYRING_H

#include <stddef.h>
#include <stdint.h>

#include "client.h"
#include "perr.h"

#define KEYRING_OLD 4
#define KEYRING_MAX 24          /* an administrator knows all that are in force */

struct keyring {                 /* wipe: keyring_wipe */
	size_t n;
	uint8_t at[KEYRING_MAX][32];
};
/*
 * Keys to try for a scope (rpc.h), each once: the current one (client_access), then older ones.
 * n is 0 if this member never held one of this scope.
 */
PERR_MUST_CHECK enum perr keyring_of(struct client *c, uint32_t scope, struct keyring *k);
void keyring_wipe(struct keyring *k);
/*
 * A roster is about to take the place of the present one: what it changes is kept; of a scope
 * that it does not give to this member any more, nothing is.  Inside a batch of the caller's
 * (client_adopt); with the roster of before still in memory.
 * field, staff  in: of the new one; staff NULL: it does not reach so far
 */
PERR_MUST_CHECK enum perr keyring_keep(struct client *c, const struct roster_field *field,
                                      const struct roster_staff *staff);

/*
 * A server is silent to a key that it does not know, and each such try costs seconds; so an
 * administrator's device notes which steward's key it put in force there (inside a batch of the
 * caller's), and tries that one first.
 * In the store: letin/<Noise key hex>, a hash of it.
 */
PERR_MUST_CHECK enum perr keyring_put_in_force(struct client *c, const uint8_t server_pk[32],
                                              const uint8_t key[32]);
PERR_MUST_CHECK enum perr keyring_known_first(struct client *c, const uint8_t server_pk[32],
                                             struct keyring *k);

#endif
