/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "invite.h"

#include <assert.h>
#include <sodium.h>

#define INVITE_BYTES_MAX (1 + ADDRESS_BYTES_MAX + 32 + 32 + 32 + INVITE_SEED_SIZE)
#define INVITE_TAIL      (32 + 32 + 32 + INVITE_SEED_SIZE)

/* an invitation must fit a QR code that a cheap phone reads from a slip */
static_assert(sizeof INVITE_PREFIX - 1 +
              ((INVITE_BYTES_MAX + ADDRESS_CHECK_SIZE) * 4 + 2) / 3 <= INVITE_TEXT_MAX,
              "the longest invitation is longer than INVITE_TEXT_MAX");

enum perr invite_encode(char text[INVITE_TEXT_MAX + 1], const struct invite *inv)
{
	uint8_t bytes[INVITE_BYTES_MAX];
	size_t len;
	enum perr err;

	text[0] = '\0';
	bytes[0] = 1;
	err = address_encode(bytes + 1, &len, inv->address);
	if (err != PERR_OK)
		return err;
	len += 1;
	memcpy(bytes + len, inv->server_pk, 32);
	memcpy(bytes + len + 32, inv->anchor, 32);
	memcpy(bytes + len + 64, inv->guest_key, 32);
	memcpy(bytes + len + 96, inv->seed, INVITE_SEED_SIZE);
	err = address_armor(text, INVITE_TEXT_MAX + 1, INVITE_PREFIX, bytes, len + INVITE_TAIL);
	sodium_memzero(bytes, sizeof bytes);
	return err;
}

/*
 * PROTOCOL 9.1: "`u8 1 ‖ address ‖ Noise key[32] ‖ anchor[32] ‖ guest access key[32] ‖
 * seed[16] ‖ check[4]`"
 */
enum perr invite_decode(struct invite *inv, const char *text)
{
	uint8_t bytes[INVITE_BYTES_MAX];
	size_t len = sizeof bytes, at;
	enum perr err;

	memset(inv, 0, sizeof *inv);
	err = address_unarmor(bytes, &len, INVITE_PREFIX, text);
	if (err != PERR_OK)
		goto out;
	err = PERR_FORMAT;
	if (len < 1)
		goto out;
	err = PERR_UNKNOWN;
	if (bytes[0] != 1)
		goto out;
	err = address_decode(inv->address, &at, bytes + 1, len - 1);
	if (err != PERR_OK)
		goto out;
	at += 1;
	err = PERR_FORMAT;
	if (len - at != INVITE_TAIL)
		goto out;
	memcpy(inv->server_pk, bytes + at, 32);
	memcpy(inv->anchor, bytes + at + 32, 32);
	memcpy(inv->guest_key, bytes + at + 64, 32);
	memcpy(inv->seed, bytes + at + 96, INVITE_SEED_SIZE);
	err = PERR_OK;
out:
	sodium_memzero(bytes, sizeof bytes);
	if (err != PERR_OK)
		invite_wipe(inv);
	return err;
}

void invite_wipe(struct invite *inv)
{
	sodium_memzero(inv, sizeof *inv);
}

void invite_seed_new(uint8_t seed[INVITE_SEED_SIZE], struct rng rng)
{
	rng_fill(rng, seed, INVITE_SEED_SIZE);
}

/* PROTOCOL 9.1: "From the seed (as BLAKE2b key)" */
void invite_derive(struct invite_keys *keys, const uint8_t seed[INVITE_SEED_SIZE])
{
	uint8_t ticket[32];

	doc_hash_keyed(keys->slot_sk, seed, INVITE_SEED_SIZE, "amparo/1 slot key", NULL, 0);
	crypto_scalarmult_base(keys->slot_pk, keys->slot_sk);
	doc_hash_keyed(keys->slot_secret, seed, INVITE_SEED_SIZE, "amparo/1 slot secret", NULL,
	               0);
	doc_hash_keyed(ticket, seed, INVITE_SEED_SIZE, "amparo/1 ticket", NULL, 0);
	memcpy(keys->ticket, ticket, INVITE_TICKET_SIZE);
	sodium_memzero(ticket, sizeof ticket);
}

void invite_keys_wipe(struct invite_keys *keys)
{
	sodium_memzero(keys, sizeof *keys);
}

void invite_anchor(uint8_t anchor[32], const uint8_t genesis[32], const uint8_t *desk_id)
{
	uint8_t both[64] = { 0 };

	memcpy(both, genesis, 32);
	if (desk_id != NULL)
		memcpy(both + 32, desk_id, 32);
	doc_hash(anchor, "amparo/1 anchor", both, sizeof both);
}

/*
 * PROTOCOL 9.1: "The joining client checks the header's chain against the anchor, with each
 * desk of the field body in turn and with zeros; a desk that fits is pinned."
 */
enum perr invite_anchor_match(size_t *at, const uint8_t anchor[32], const uint8_t genesis[32],
                              const uint8_t (*desk_ids)[32], size_t n)
{
	uint8_t want[32];

	for (*at = 0; *at <= n; ++*at) {
		invite_anchor(want, genesis, *at < n ? desk_ids[*at] : NULL);
		if (memcmp(want, anchor, 32) == 0)
			return PERR_OK;
	}
	*at = n;
	return PERR_CHAIN;
}
