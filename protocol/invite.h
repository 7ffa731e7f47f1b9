/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * invite: an invitation, as a QR code or a text of at most 220 characters.  PROTOCOL
 * section 9.1.
 *
 * It is the client's first knowledge: what it trusts afterwards hangs on the anchor, so
 * an administrator who mints one for another desk makes a client that shows other desk
 * words than the training sheet.
 */
#ifndef AMPARO_INVITE_H
#define AMPARO_INVITE_H

#include "address.h"
#include "doc.h"
#include "rng.h"

#define INVITE_TEXT_MAX   220
#define INVITE_SEED_SIZE  16
#define INVITE_TICKET_SIZE 16
#define INVITE_PREFIX     "amparo:"

struct invite {
	char address[ADDRESS_TEXT_MAX + 1];
	uint8_t server_pk[32];           /* Noise key */
	uint8_t anchor[32];
	uint8_t guest_key[32];           /* access key of the guest scope */
	uint8_t seed[INVITE_SEED_SIZE];
};
/* what follows from the seed; secret, wipe */
struct invite_keys {
	uint8_t slot_sk[32], slot_pk[32];
	uint8_t slot_secret[32];
	uint8_t ticket[INVITE_TICKET_SIZE];
};

/* text out: ended with a zero.  PERR_FORMAT, PERR_RANGE: the address */
PERR_MUST_CHECK enum perr invite_encode(char text[INVITE_TEXT_MAX + 1], const struct invite *inv);
/*
 * Blanks and line ends inside are ignored.  PERR_UNKNOWN: not an invitation, or a later
 * version.  PERR_CORRUPT: the check does not fit: a character is wrong or missing.
 * PERR_FORMAT.  inv is zero after an error.
 */
PERR_MUST_CHECK enum perr invite_decode(struct invite *inv, const char *text);
void invite_wipe(struct invite *inv);

void invite_seed_new(uint8_t seed[INVITE_SEED_SIZE], struct rng rng);
void invite_derive(struct invite_keys *keys, const uint8_t seed[INVITE_SEED_SIZE]);
void invite_keys_wipe(struct invite_keys *keys);

/* H("amparo/1 anchor" || genesis || desk id, or 32 zeros where desk_id is NULL) */
void invite_anchor(uint8_t anchor[32], const uint8_t genesis[32], const uint8_t *desk_id);
/*
 * Which desk the anchor names: at out = 0..n-1; n: it names none, only the genesis.
 * PERR_CHAIN: neither; this is another organisation, or its desk is not in the roster.
 */
PERR_MUST_CHECK enum perr invite_anchor_match(size_t *at, const uint8_t anchor[32],
                                             const uint8_t genesis[32],
                                             const uint8_t (*desk_ids)[32], size_t n);

#endif
