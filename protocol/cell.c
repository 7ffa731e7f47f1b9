/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "cell.h"

#include <sodium.h>
#include <string.h>

#define CT_AT      CELL_HEAD_SIZE
#define CT_SIZE    (CELL_PLAIN_SIZE + HPKE_TAG_SIZE)
#define PAYLOAD_AT 3             /* behind u8 form and u16 BE length */

_Static_assert(CT_AT + CT_SIZE == CELL_SIZE, "a cell fills one page of the store");

static const char cell_info[] = "amparo/1 cell";
static const char erase_label[] = "amparo/1 erase";
static const char tag_label[] = "amparo/1 tag";

/* Season. */

void season_init(struct season *s, uint32_t number, const uint8_t psk[32])
{
	const uint8_t id[4] = {
		(uint8_t)(number >> 24), (uint8_t)(number >> 16),
		(uint8_t)(number >> 8), (uint8_t)number
	};

	s->number = number;
	memcpy(s->psk, psk, sizeof s->psk);
	/* sizes are right by construction; an unusable season seals nothing, see make_cell */
	if (hpke_params_psk(&s->params, (const uint8_t *)cell_info, sizeof cell_info - 1,
	                    psk, sizeof s->psk, id, sizeof id) != PERR_OK)
		season_wipe(s);
}

void season_wipe(struct season *s)
{
	sodium_memzero(s, sizeof *s);
}

/* Names. */

void cell_id(uint8_t id[CELL_ID_SIZE], const uint8_t cell[CELL_SIZE])
{
	crypto_generichash(id, CELL_ID_SIZE, cell, CELL_SIZE, NULL, 0);
}

void cell_tag(uint8_t tag[CELL_TAG_SIZE], const uint8_t ds[CELL_DS_SIZE])
{
	uint8_t in[sizeof tag_label - 1 + CELL_DS_SIZE];

	memcpy(in, tag_label, sizeof tag_label - 1);
	memcpy(in + sizeof tag_label - 1, ds, CELL_DS_SIZE);
	crypto_generichash(tag, CELL_TAG_SIZE, in, sizeof in, NULL, 0);
	sodium_memzero(in, sizeof in);
}

/* The server's check. */

/*
 * PROTOCOL 1: "must be canonical (bit 255 clear, value below 2^255 − 19) and not of small
 * order": otherwise one content would have two ids.
 *
 * 2^255 - 19, little-endian; E comes from the peer and is public, so time may depend
 * on it.
 */
static bool is_canonical(const uint8_t e[CELL_E_SIZE])
{
	unsigned i;

	if (e[31] != 0x7f)
		return e[31] < 0x7f;
	for (i = 30; i > 0; i--)
		if (e[i] != 0xff)
			return true;
	return e[0] < 0xed;
}

/*
 * The u-coordinates of order 1, 2, 4 and 8 (RFC 7748 section 7 tells to expect them) in
 * their canonical encodings: the other encodings have already failed is_canonical.
 */
static bool is_small_order(const uint8_t e[CELL_E_SIZE])
{
	static const uint8_t points[][CELL_E_SIZE] = {
		{ 0x00 },
		{ 0x01 },
		{ 0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa,
		  0xf1, 0x9f, 0xc4, 0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd,
		  0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00 },
		{ 0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1, 0x55,
		  0x9c, 0x83, 0xef, 0x5b, 0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c, 0x8e, 0x86,
		  0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57 },
		{ 0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		  0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		  0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f },
	};
	size_t i;

	for (i = 0; i < sizeof points / sizeof points[0]; i++)
		if (memcmp(e, points[i], CELL_E_SIZE) == 0)
			return true;
	return false;
}

enum perr cell_check_pk(const uint8_t pk[CELL_E_SIZE])
{
	return !is_canonical(pk) || is_small_order(pk) ? PERR_FORMAT : PERR_OK;
}

enum perr cell_check(const uint8_t cell[CELL_SIZE])
{
	return cell_check_pk(cell);
}

/* Sealing. */

/*
 * Every cell is made here, so that all kinds have one shape.  ds_in NULL: the erase secret is
 * exported from the seal.  ds_out may be NULL.
 */
static enum perr make_cell(uint8_t cell[CELL_SIZE], uint8_t *ds_out, const uint8_t *ds_in,
                           enum cell_form form, const uint8_t *payload, size_t payload_len,
                           const uint8_t reader_pk[32], const struct season *season,
                           struct rng rng)
{
	enum perr err = PERR_RANGE;
	struct hpke ctx;
	uint8_t ds[CELL_DS_SIZE];
	uint8_t *plain = cell + CT_AT;   /* encrypted in place */

	sodium_memzero(cell, CELL_SIZE);
	sodium_memzero(&ctx, sizeof ctx);
	sodium_memzero(ds, sizeof ds);
	if (payload_len > CELL_PAYLOAD_MAX || (unsigned)form > CELL_FORM_MAX)
		goto out;
	/* a wiped season has mode 0: sealing under it would leave the seal to the key alone */
	if (season->params.psk_len != sizeof season->psk)
		goto out;
	err = hpke_setup_s(&ctx, cell, &season->params, reader_pk, rng);
	if (err != PERR_OK)
		goto out;
	if (ds_in != NULL)
		memcpy(ds, ds_in, sizeof ds);
	else
		err = hpke_export(&ctx, ds, sizeof ds, (const uint8_t *)erase_label,
		                  sizeof erase_label - 1);
	if (err != PERR_OK)
		goto out;
	cell_tag(cell + CELL_TAG_AT, ds);

	plain[0] = (uint8_t)form;
	plain[1] = (uint8_t)(payload_len >> 8);
	plain[2] = (uint8_t)payload_len;
	if (payload_len > 0)
		memcpy(plain + PAYLOAD_AT, payload, payload_len);
	err = hpke_seal(&ctx, plain, cell + CELL_TAG_AT, CELL_TAG_SIZE, plain, CELL_PLAIN_SIZE);
out:
	if (err != PERR_OK) {
		sodium_memzero(cell, CELL_SIZE);
		sodium_memzero(ds, sizeof ds);
	}
	if (ds_out != NULL)
		memcpy(ds_out, ds, sizeof ds);
	hpke_wipe(&ctx);
	sodium_memzero(ds, sizeof ds);
	return err;
}

enum perr cell_seal(uint8_t cell[CELL_SIZE], uint8_t ds[CELL_DS_SIZE], enum cell_form form,
                    const uint8_t *payload, size_t payload_len, const uint8_t reader_pk[32],
                    const struct season *season, struct rng rng)
{
	return make_cell(cell, ds, NULL, form, payload, payload_len, reader_pk, season, rng);
}

enum perr cell_seal_chunk(uint8_t cell[CELL_SIZE], const uint8_t ds[CELL_DS_SIZE],
                          const uint8_t *payload, size_t payload_len,
                          const uint8_t reader_pk[32], const struct season *season,
                          struct rng rng)
{
	return make_cell(cell, NULL, ds, CELL_CHUNK, payload, payload_len, reader_pk, season, rng);
}

enum perr cell_seal_decoy(uint8_t cell[CELL_SIZE], const struct season *season, struct rng rng)
{
	uint8_t sk[32], pk[32];
	enum perr err;

	rng_fill(rng, sk, sizeof sk);
	crypto_scalarmult_base(pk, sk);
	sodium_memzero(sk, sizeof sk);
	err = make_cell(cell, NULL, NULL, CELL_STATEMENT, NULL, 0, pk, season, rng);
	sodium_memzero(pk, sizeof pk);
	return err;
}

/* Opening. */

enum perr cell_trial(size_t *key_at, size_t *season_at, uint8_t ds[CELL_DS_SIZE],
                     const uint8_t head[CELL_HEAD_SIZE],
                     const struct reader_key *keys, size_t n_keys,
                     const struct season *seasons, size_t n_seasons)
{
	enum perr err = PERR_NOTMINE;
	uint8_t shared[32], mine[CELL_DS_SIZE], tag[CELL_TAG_SIZE];
	size_t k, s;

	/* a foreign cell costs the same whatever the keys are; only one's own ends early */
	for (k = 0; k < n_keys; k++) {
		if (hpke_decap(shared, head, keys[k].sk, keys[k].pk) != PERR_OK)
			goto out;        /* E has small order: for every key the same */
		for (s = 0; s < n_seasons; s++) {
			hpke_trial_export(mine, &seasons[s].params, shared,
			                  (const uint8_t *)erase_label, sizeof erase_label - 1);
			cell_tag(tag, mine);
			if (sodium_memcmp(tag, head + CELL_TAG_AT, CELL_TAG_SIZE) != 0)
				continue;
			*key_at = k;
			*season_at = s;
			if (ds != NULL)
				memcpy(ds, mine, CELL_DS_SIZE);
			err = PERR_OK;
			goto out;
		}
	}
out:
	if (err != PERR_OK && ds != NULL)
		sodium_memzero(ds, CELL_DS_SIZE);
	sodium_memzero(shared, sizeof shared);
	sodium_memzero(mine, sizeof mine);
	sodium_memzero(tag, sizeof tag);
	return err;
}

/* sodium_is_zero takes its time byte by byte; these zeros are no secret to their reader */
static bool is_zero(const uint8_t *p, size_t len)
{
	return len == 0 || (p[0] == 0 && memcmp(p, p + 1, len - 1) == 0);
}

/* behind the AEAD everything was written by the sender, who may still be hostile */
static enum perr parse_plain(enum cell_form *form, uint8_t payload[CELL_PAYLOAD_MAX],
                             size_t *payload_len, const uint8_t plain[CELL_PLAIN_SIZE])
{
	size_t len = (size_t)plain[1] << 8 | plain[2];

	if (plain[0] > CELL_FORM_MAX || len > CELL_PAYLOAD_MAX)
		return PERR_FORMAT;
	if (!is_zero(plain + PAYLOAD_AT + len, CELL_PAYLOAD_MAX - len))
		return PERR_FORMAT;
	*form = (enum cell_form)plain[0];
	memcpy(payload, plain + PAYLOAD_AT, CELL_PAYLOAD_MAX);
	*payload_len = len;
	return PERR_OK;
}

static enum perr open_with(enum cell_form *form, uint8_t payload[CELL_PAYLOAD_MAX],
                           size_t *payload_len, const uint8_t cell[CELL_SIZE],
                           struct hpke *ctx)
{
	enum perr err;
	uint8_t plain[CELL_PLAIN_SIZE];

	err = hpke_open(ctx, plain, cell + CELL_TAG_AT, CELL_TAG_SIZE, cell + CT_AT, CT_SIZE);
	if (err == PERR_OK)
		err = parse_plain(form, payload, payload_len, plain);
	sodium_memzero(plain, sizeof plain);
	return err;
}

static void open_failed(enum cell_form *form, uint8_t payload[CELL_PAYLOAD_MAX],
                        size_t *payload_len)
{
	*form = CELL_STATEMENT;
	*payload_len = 0;
	sodium_memzero(payload, CELL_PAYLOAD_MAX);
}

enum perr cell_open(enum cell_form *form, uint8_t payload[CELL_PAYLOAD_MAX],
                    size_t *payload_len, const uint8_t cell[CELL_SIZE],
                    const struct reader_key *key, const struct season *season)
{
	enum perr err;
	struct hpke ctx;
	uint8_t ds[CELL_DS_SIZE], tag[CELL_TAG_SIZE];

	sodium_memzero(&ctx, sizeof ctx);
	sodium_memzero(ds, sizeof ds);
	sodium_memzero(tag, sizeof tag);
	err = PERR_NOTMINE;
	if (cell_check(cell) != PERR_OK ||
	    hpke_setup_r(&ctx, cell, &season->params, key->sk, key->pk) != PERR_OK)
		goto out;
	/*
	 * PROTOCOL 3.6: "Only on a match the AEAD."  T commits to the key, the AEAD does not: one
	 * ciphertext can be built that authenticates under many.
	 */
	err = hpke_export(&ctx, ds, sizeof ds, (const uint8_t *)erase_label,
	                  sizeof erase_label - 1);
	if (err != PERR_OK)
		goto out;
	cell_tag(tag, ds);
	err = PERR_NOTMINE;
	if (sodium_memcmp(tag, cell + CELL_TAG_AT, CELL_TAG_SIZE) != 0)
		goto out;
	err = open_with(form, payload, payload_len, cell, &ctx);
out:
	if (err != PERR_OK)
		open_failed(form, payload, payload_len);
	hpke_wipe(&ctx);
	sodium_memzero(ds, sizeof ds);
	sodium_memzero(tag, sizeof tag);
	return err;
}

enum perr cell_open_chunk(uint8_t payload[CELL_PAYLOAD_MAX], size_t *payload_len,
                          const uint8_t cell[CELL_SIZE], const struct reader_key *key,
                          const struct season *seasons, size_t n_seasons)
{
	enum perr err = PERR_AUTH;
	enum cell_form form = CELL_STATEMENT;
	struct hpke ctx;
	uint8_t shared[32];
	size_t s;

	sodium_memzero(&ctx, sizeof ctx);
	sodium_memzero(shared, sizeof shared);
	if (cell_check(cell) != PERR_OK ||
	    hpke_decap(shared, cell, key->sk, key->pk) != PERR_OK)
		goto out;
	for (s = 0; s < n_seasons; s++) {
		hpke_schedule(&ctx, &seasons[s].params, shared);
		err = open_with(&form, payload, payload_len, cell, &ctx);
		if (err != PERR_AUTH)
			break;
	}
	if (err == PERR_OK && form != CELL_CHUNK)
		err = PERR_FORMAT;
out:
	if (err != PERR_OK)
		open_failed(&form, payload, payload_len);
	hpke_wipe(&ctx);
	sodium_memzero(shared, sizeof shared);
	return err;
}
