/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* the slots part of a bulletin: the body keys, one sealed for each member */
#include <sodium.h>
#include <stdlib.h>

#include "bulletin.h"
#include "cell.h"
#include "hpke.h"

static enum perr slot_params(struct hpke_params *p, const uint8_t secret[32])
{
	static const char info[] = "amparo/1 slot", id[] = "slot";

	return hpke_params_psk(p, (const uint8_t *)info, sizeof info - 1, secret, 32,
	                       (const uint8_t *)id, sizeof id - 1);
}

/*
 * PROTOCOL 8.3: "to the slot public key: `enc[32] ‖ ciphertext of the key (32) ‖ tag[16]`"
 */
static enum perr slot_seal(uint8_t out[BULLETIN_SLOT_SIZE], uint32_t version,
                           const struct bulletin_slot *slot, struct rng rng)
{
	struct hpke_params params;
	struct hpke ctx;
	uint8_t aad[4];
	enum perr err = slot_params(&params, slot->secret);

	if (err == PERR_OK)
		err = hpke_setup_s(&ctx, out, &params, slot->pk, rng);
	if (err == PERR_OK) {
		doc_u32(aad, version);
		err = hpke_seal(&ctx, out + HPKE_ENC_SIZE, aad, sizeof aad, slot->key, 32);
		hpke_wipe(&ctx);
	}
	hpke_params_wipe(&params);
	return err;
}

/* PROTOCOL 8.3: "Unused places hold slots made the same way for keys nobody has." */
static void slot_nobody(struct bulletin_slot *slot, struct rng rng)
{
	uint8_t sk[32];

	rng_fill(rng, sk, sizeof sk);
	rng_fill(rng, slot->secret, sizeof slot->secret);
	rng_fill(rng, slot->key, sizeof slot->key);
	crypto_scalarmult_base(slot->pk, sk);
	sodium_memzero(sk, sizeof sk);
}

/* PROTOCOL 8.3: "`"amparo/1 revoked"` ‖ u32 day ‖ 12 zeros" */
static const char ended[16] = "amparo/1 revoked";

void bulletin_slot_ended(uint8_t key[32], uint32_t day)
{
	memset(key, 0, 32);
	memcpy(key, ended, sizeof ended);
	doc_u32(key + sizeof ended, day);
}

bool bulletin_slot_is_ended(const uint8_t key[32], uint32_t *day)
{
	*day = doc_get_u32(key + sizeof ended);
	return memcmp(key, ended, sizeof ended) == 0 && sodium_is_zero(key + 20, 12);
}

static int compare_slots(const void *a, const void *b)
{
	return memcmp(a, b, BULLETIN_SLOT_SIZE);
}

enum perr bulletin_slots_make(uint8_t **out, size_t *out_len, uint8_t name[32],
                              uint32_t version, const struct bulletin_slot *slots, size_t n,
                              struct rng rng)
{
	struct bulletin_slot nobody;
	size_t total = BULLETIN_SLOTS_MIN;
	uint8_t *part = NULL;
	enum perr err = PERR_OK;

	*out = NULL;
	*out_len = 0;
	if (n > BULLETIN_SLOTS_MAX)
		return PERR_RANGE;
	while (total < n)
		total *= 2;
	part = malloc(total * BULLETIN_SLOT_SIZE);
	if (part == NULL)
		return PERR_NOMEM;
	for (size_t i = 0; i < total && err == PERR_OK; i++) {
		const struct bulletin_slot *slot = i < n ? &slots[i] : &nobody;

		if (i >= n)
			slot_nobody(&nobody, rng);
		else
			err = cell_check_pk(slot->pk) == PERR_OK ? PERR_OK : PERR_KEY;
		if (err == PERR_OK)
			err = slot_seal(part + i * BULLETIN_SLOT_SIZE, version, slot, rng);
	}
	sodium_memzero(&nobody, sizeof nobody);
	if (err != PERR_OK) {
		free(part);
		return err;
	}
	/* in the order of the roster, a slot's place would tell how long somebody is in it */
	qsort(part, total, BULLETIN_SLOT_SIZE, compare_slots);
	*out = part;
	*out_len = total * BULLETIN_SLOT_SIZE;
	bulletin_part_name(name, *out, *out_len);
	return PERR_OK;
}

static enum perr slot_open(uint8_t key[32], const uint8_t in[BULLETIN_SLOT_SIZE],
                           uint32_t version, const struct hpke_params *params,
                           const uint8_t sk[32], const uint8_t pk[32])
{
	struct hpke ctx;
	uint8_t aad[4];
	enum perr err = hpke_setup_r(&ctx, in, params, sk, pk);

	if (err != PERR_OK)
		return err;
	doc_u32(aad, version);
	err = hpke_open(&ctx, key, aad, sizeof aad, in + HPKE_ENC_SIZE,
	                BULLETIN_SLOT_SIZE - HPKE_ENC_SIZE);
	hpke_wipe(&ctx);
	return err;
}

enum perr bulletin_slots_find(uint8_t key[32], const uint8_t *part, size_t part_len,
                              uint32_t version, const uint8_t slot_sk[32],
                              const uint8_t slot_secret[32])
{
	size_t n = part_len / BULLETIN_SLOT_SIZE;
	struct hpke_params params;
	uint8_t pk[32], one[32];
	enum perr err;

	memset(key, 0, 32);
	/* PROTOCOL 8.3: "n a power of two ≥ 16, sorted as bytes" */
	if (part_len % BULLETIN_SLOT_SIZE != 0 || n < BULLETIN_SLOTS_MIN ||
	    n > BULLETIN_SLOTS_MAX || (n & (n - 1)) != 0)
		return PERR_FORMAT;
	for (size_t i = 1; i < n; i++)
		if (compare_slots(part + (i - 1) * BULLETIN_SLOT_SIZE,
		                  part + i * BULLETIN_SLOT_SIZE) >= 0)
			return PERR_FORMAT;
	err = slot_params(&params, slot_secret);
	if (err != PERR_OK)
		return err;
	crypto_scalarmult_base(pk, slot_sk);
	err = PERR_NOTMINE;
	/* all of them, so that the time does not tell the server which slot is whose */
	for (size_t i = 0; i < n; i++)
		if (slot_open(one, part + i * BULLETIN_SLOT_SIZE, version, &params, slot_sk,
		              pk) == PERR_OK) {
			memcpy(key, one, 32);
			err = PERR_OK;
		}
	sodium_memzero(one, sizeof one);
	hpke_params_wipe(&params);
	return err;
}
