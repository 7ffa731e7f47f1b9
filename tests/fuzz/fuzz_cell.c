/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * The first byte says what the rest is:
 *	0  a cell from a hostile server: it opens for nobody here
 *	1  the plaintext of a hostile sender, sealed rightly: what opens must seal again to
 *	   the very same cell
 *	2  changes to a good cell: it opens if and only if nothing changed
 *	3  a blob reference and the chunk that came for it
 */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "blob.h"
#include "cell.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

static struct reader_key key;
static struct season season;
static uint8_t good[CELL_SIZE];

static void must(int so)
{
	if (!so)
		abort();
}

static struct rng replay(struct rng_seeded *st)
{
	static const uint8_t seed[32] = { 9 };

	return rng_seeded(st, seed);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const uint8_t psk[32] = { 3 };
	struct rng_seeded st;

	(void)argc;
	(void)argv;
	must(sodium_init() >= 0);
	memset(key.sk, 0x42, sizeof key.sk);
	crypto_scalarmult_base(key.pk, key.sk);
	season_init(&season, 5, psk);
	must(cell_seal(good, NULL, CELL_STATEMENT, (const uint8_t *)"good", 4, key.pk, &season,
	               replay(&st)) == PERR_OK);
	return 0;
}

static void from_server(const uint8_t *data, size_t size)
{
	uint8_t cell[CELL_SIZE] = { 0 }, payload[CELL_PAYLOAD_MAX], ds[CELL_DS_SIZE];
	size_t len, k, s;
	enum cell_form form;
	enum perr err;

	memcpy(cell, data, size < sizeof cell ? size : sizeof cell);
	if (memcmp(cell, good, sizeof cell) == 0)
		return;
	err = cell_check(cell);
	must(err == PERR_OK || err == PERR_FORMAT);
	/* a fuzzer that finds a good head has only kept the sample's */
	err = cell_trial(&k, &s, ds, cell, &key, 1, &season, 1);
	must(err == PERR_NOTMINE || memcmp(cell, good, CELL_HEAD_SIZE) == 0);
	err = cell_open(&form, payload, &len, cell, &key, &season);
	must(err == PERR_NOTMINE || err == PERR_AUTH);
	must(len == 0 && sodium_is_zero(payload, sizeof payload));
	must(cell_open_chunk(payload, &len, cell, &key, &season, 1) == PERR_AUTH);
}

static void from_sender(const uint8_t *data, size_t size)
{
	uint8_t plain[CELL_PLAIN_SIZE] = { 0 }, cell[CELL_SIZE], again[CELL_SIZE], ds[32];
	uint8_t payload[CELL_PAYLOAD_MAX];
	struct rng_seeded st;
	struct hpke ctx;
	enum cell_form form;
	enum perr err;
	size_t len;

	memcpy(plain, data, size < sizeof plain ? size : sizeof plain);
	must(hpke_setup_s(&ctx, cell, &season.params, key.pk, replay(&st)) == PERR_OK);
	must(hpke_export(&ctx, ds, 32, (const uint8_t *)"amparo/1 erase", 14) == PERR_OK);
	cell_tag(cell + CELL_TAG_AT, ds);
	must(hpke_seal(&ctx, cell + CELL_HEAD_SIZE, cell + CELL_TAG_AT, CELL_TAG_SIZE, plain,
	               sizeof plain) == PERR_OK);
	err = cell_open(&form, payload, &len, cell, &key, &season);
	must(err == PERR_OK || err == PERR_FORMAT);
	if (err == PERR_FORMAT) {
		must(len == 0 && sodium_is_zero(payload, sizeof payload));
		return;
	}
	must(cell_seal(again, NULL, form, payload, len, key.pk, &season, replay(&st)) == PERR_OK);
	must(memcmp(again, cell, sizeof cell) == 0);
}

static void changed(const uint8_t *data, size_t size)
{
	uint8_t cell[CELL_SIZE], payload[CELL_PAYLOAD_MAX];
	size_t len, at;
	enum cell_form form;
	enum perr err;

	if (size < 2)
		return;
	at = (size_t)(data[0] << 8 | data[1]) % CELL_SIZE;
	memcpy(cell, good, sizeof cell);
	for (data += 2, size -= 2; size > 0 && at < CELL_SIZE; size--)
		cell[at++] ^= *data++;
	err = cell_open(&form, payload, &len, cell, &key, &season);
	must((err == PERR_OK) == (memcmp(cell, good, sizeof cell) == 0));
	must(err != PERR_OK || (len == 4 && memcmp(payload, "good", 4) == 0));
}

static void reference(const uint8_t *data, size_t size)
{
	static uint8_t content[1 << 16];
	uint8_t bytes[BLOB_REF_SIZE] = { 0 }, again[BLOB_REF_SIZE], ds[32], pk[32], cell[CELL_SIZE];
	struct blob_ref ref;
	struct rng_seeded st;
	size_t have, due;
	uint32_t i;
	enum perr err;

	memcpy(bytes, data, size < sizeof bytes ? size : sizeof bytes);
	if (blob_ref_decode(&ref, bytes) != PERR_OK) {
		must(sodium_is_zero((const uint8_t *)&ref, sizeof ref));
		return;
	}
	blob_ref_encode(again, &ref);
	must(memcmp(again, bytes, sizeof bytes) == 0);
	if (size < BLOB_REF_SIZE + 1 || ref.size > sizeof content)
		return;
	i = data[BLOB_REF_SIZE];
	data += BLOB_REF_SIZE + 1;
	have = size - BLOB_REF_SIZE - 1;
	if (have > CELL_PAYLOAD_MAX)
		have = CELL_PAYLOAD_MAX;
	blob_chunk_ds(ds, &ref, i);
	crypto_scalarmult_base(pk, ref.sk);
	must(cell_seal_chunk(cell, ds, data, have, pk, &season, replay(&st)) == PERR_OK);
	memset(content, 0, sizeof content);
	err = blob_open_chunk(content, &ref, i, cell, &season, 1);
	if (i >= blob_n_chunks(ref.size)) {
		must(err == PERR_RANGE);
		return;
	}
	due = ref.size - (size_t)i * CELL_PAYLOAD_MAX;
	if (due > CELL_PAYLOAD_MAX)
		due = CELL_PAYLOAD_MAX;
	must(err == (have == due ? PERR_OK : PERR_FORMAT));
	if (err == PERR_OK)
		must(memcmp(content + (size_t)i * CELL_PAYLOAD_MAX, data, have) == 0);
	else
		must(sodium_is_zero(content, ref.size));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	switch (data[0] % 4) {
	case 0: from_server(data + 1, size - 1); break;
	case 1: from_sender(data + 1, size - 1); break;
	case 2: changed(data + 1, size - 1); break;
	default: reference(data + 1, size - 1); break;
	}
	return 0;
}
