/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "blob.h"

#include <sodium.h>
#include <string.h>

static const char erase_label[] = "amparo/1 chunk erase";

static void put_u32(uint8_t out[4], uint32_t v)
{
	out[0] = (uint8_t)(v >> 24);
	out[1] = (uint8_t)(v >> 16);
	out[2] = (uint8_t)(v >> 8);
	out[3] = (uint8_t)v;
}

void blob_ref_encode(uint8_t out[BLOB_REF_SIZE], const struct blob_ref *ref)
{
	memcpy(out, ref->sk, 32);
	put_u32(out + 32, ref->size);
	memcpy(out + 36, ref->hash, 32);
}

enum perr blob_ref_decode(struct blob_ref *ref, const uint8_t in[BLOB_REF_SIZE])
{
	uint32_t size = (uint32_t)in[32] << 24 | (uint32_t)in[33] << 16 |
	                (uint32_t)in[34] << 8 | in[35];

	sodium_memzero(ref, sizeof *ref);
	/* whoever reads on allocates this much */
	if (size > BLOB_SIZE_MAX)
		return PERR_FORMAT;
	memcpy(ref->sk, in, 32);
	ref->size = size;
	memcpy(ref->hash, in + 36, 32);
	return PERR_OK;
}

uint32_t blob_n_chunks(uint32_t size)
{
	if (size == 0)
		return 1;
	return (size - 1) / CELL_PAYLOAD_MAX + 1;
}

/* false if there is no chunk i; otherwise where it stands in the content */
static bool chunk_place(uint32_t size, uint32_t i, size_t *at, size_t *len)
{
	if (i >= blob_n_chunks(size))
		return false;
	*at = (size_t)i * CELL_PAYLOAD_MAX;
	*len = size - *at < CELL_PAYLOAD_MAX ? size - *at : CELL_PAYLOAD_MAX;
	return true;
}

static void content_hash(uint8_t hash[32], const uint8_t *data, size_t len)
{
	crypto_generichash(hash, 32, data, len, NULL, 0);
}

enum perr blob_begin(struct blob_ref *ref, const uint8_t *data, size_t len, struct rng rng)
{
	sodium_memzero(ref, sizeof *ref);
	if (len > BLOB_SIZE_MAX)
		return PERR_RANGE;
	rng_fill(rng, ref->sk, sizeof ref->sk);
	ref->size = (uint32_t)len;
	content_hash(ref->hash, data, len);
	return PERR_OK;
}

void blob_chunk_ds(uint8_t ds[CELL_DS_SIZE], const struct blob_ref *ref, uint32_t i)
{
	uint8_t in[sizeof erase_label - 1 + 4];

	memcpy(in, erase_label, sizeof erase_label - 1);
	put_u32(in + sizeof erase_label - 1, i);
	crypto_generichash(ds, CELL_DS_SIZE, in, sizeof in, ref->sk, sizeof ref->sk);
}

void blob_chunk_tag(uint8_t tag[CELL_TAG_SIZE], const struct blob_ref *ref, uint32_t i)
{
	uint8_t ds[CELL_DS_SIZE];

	blob_chunk_ds(ds, ref, i);
	cell_tag(tag, ds);
	sodium_memzero(ds, sizeof ds);
}

void blob_key(struct reader_key *key, const struct blob_ref *ref)
{
	memcpy(key->sk, ref->sk, sizeof key->sk);
	crypto_scalarmult_base(key->pk, key->sk);
}

enum perr blob_seal_chunk_with(uint8_t cell[CELL_SIZE], const struct blob_ref *ref,
                               const struct reader_key *key, uint32_t i, const uint8_t *data,
                               size_t len, const struct season *season, struct rng rng)
{
	enum perr err;
	uint8_t ds[CELL_DS_SIZE];
	size_t at, n;

	if (len != ref->size || !chunk_place(ref->size, i, &at, &n)) {
		sodium_memzero(cell, CELL_SIZE);
		return PERR_RANGE;
	}
	blob_chunk_ds(ds, ref, i);
	err = cell_seal_chunk(cell, ds, n > 0 ? data + at : NULL, n, key->pk, season, rng);
	sodium_memzero(ds, sizeof ds);
	return err;
}

enum perr blob_seal_chunk(uint8_t cell[CELL_SIZE], const struct blob_ref *ref, uint32_t i,
                          const uint8_t *data, size_t len, const struct season *season,
                          struct rng rng)
{
	struct reader_key key;
	enum perr err;

	blob_key(&key, ref);
	err = blob_seal_chunk_with(cell, ref, &key, i, data, len, season, rng);
	sodium_memzero(&key, sizeof key);
	return err;
}

enum perr blob_open_chunk_with(uint8_t *data, const struct blob_ref *ref,
                               const struct reader_key *key, uint32_t i,
                               const uint8_t cell[CELL_SIZE],
                               const struct season *seasons, size_t n_seasons)
{
	enum perr err;
	uint8_t payload[CELL_PAYLOAD_MAX], tag[CELL_TAG_SIZE];
	size_t at, n, got;

	sodium_memzero(payload, sizeof payload);
	err = PERR_RANGE;
	if (!chunk_place(ref->size, i, &at, &n))
		goto out;
	/*
	 * PROTOCOL 3.4: "A reader checks the length of each chunk against its place and the hash
	 * of the whole."  T is the chunk's number: the key is one for the whole blob, so without
	 * this a server could hand over chunk 2 where chunk 1 was asked for.
	 */
	err = PERR_AUTH;
	blob_chunk_tag(tag, ref, i);
	if (sodium_memcmp(tag, cell + CELL_TAG_AT, CELL_TAG_SIZE) != 0)
		goto out;
	err = cell_open_chunk(payload, &got, cell, key, seasons, n_seasons);
	if (err == PERR_OK && got != n)
		err = PERR_FORMAT;
	if (err == PERR_OK && n > 0)
		memcpy(data + at, payload, n);
out:
	sodium_memzero(payload, sizeof payload);
	return err;
}

enum perr blob_open_chunk(uint8_t *data, const struct blob_ref *ref, uint32_t i,
                          const uint8_t cell[CELL_SIZE],
                          const struct season *seasons, size_t n_seasons)
{
	struct reader_key key;
	enum perr err;

	blob_key(&key, ref);
	err = blob_open_chunk_with(data, ref, &key, i, cell, seasons, n_seasons);
	sodium_memzero(&key, sizeof key);
	return err;
}

enum perr blob_check(const struct blob_ref *ref, const uint8_t *data, size_t len)
{
	uint8_t hash[32];

	if (len != ref->size)
		return PERR_CORRUPT;
	content_hash(hash, data, len);
	return sodium_memcmp(hash, ref->hash, sizeof hash) == 0 ? PERR_OK : PERR_CORRUPT;
}
