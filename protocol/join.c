/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "join.h"

#include <assert.h>
#include <sodium.h>

#include "words.h"

#define JOIN_DOC_MAX 2048

/*
 * PROTOCOL 9.2: "`[1, ticket bin16, name str 1..128, languages array 0..16 of str 1..35, signing
 * key bin32, slot public key bin32, slot secret bin32, nonce bin16]`"
 */
static void put_join(struct mp_writer *w, const void *what)
{
	const struct join *j = what;

	mp_put_array(w, 8);
	mp_put_uint(w, 1);
	mp_put_bin(w, j->ticket, sizeof j->ticket);
	mp_put_str(w, j->name);
	mp_put_array(w, j->n_languages);
	for (uint32_t i = 0; i < j->n_languages; i++)
		mp_put_str(w, j->languages[i]);
	mp_put_bin(w, j->key, 32);
	mp_put_bin(w, j->slot_pk, 32);
	mp_put_bin(w, j->slot_secret, 32);
	mp_put_bin(w, j->nonce, sizeof j->nonce);
}

static bool is_sound(const struct join *j)
{
	if (j->name[0] == '\0' || j->n_languages > ROSTER_LANGUAGES_MAX)
		return false;
	for (uint32_t i = 0; i < j->n_languages; i++)
		if (j->languages[i][0] == '\0')
			return false;
	/* an unusable slot key would make the next bulletin impossible for everybody */
	return cell_check_pk(j->slot_pk) == PERR_OK;
}

void join_words(uint16_t words[JOIN_WORDS], const uint8_t *doc, size_t doc_len)
{
	uint8_t hash[32];
	enum perr err;

	doc_hash(hash, "amparo/1 join words", doc, doc_len);
	err = words_from_bytes(NULL, words, JOIN_WORDS, hash, sizeof hash);
	assert(err == PERR_OK);
	(void)err;
}

enum perr join_encode(uint8_t **out, size_t *out_len, const struct join *j)
{
	*out = NULL;
	*out_len = 0;
	if (!is_sound(j))
		return PERR_RANGE;
	return doc_write(out, out_len, JOIN_DOC_MAX, put_join, j);
}

enum perr join_decode(struct join *j, const uint8_t *in, size_t in_len)
{
	struct mp_reader r;
	enum perr err;

	memset(j, 0, sizeof *j);
	mp_reader_init(&r, in, in_len);
	mp_array(&r, 8);
	if (mp_uint(&r, 1) != 1)
		mp_fail(&r, PERR_FORMAT);
	mp_bin_copy(&r, j->ticket, sizeof j->ticket);
	mp_str_copy(&r, j->name, sizeof j->name, 1);
	j->n_languages = mp_array_var(&r, 0, ROSTER_LANGUAGES_MAX);
	for (uint32_t i = 0; i < j->n_languages; i++)
		mp_str_copy(&r, j->languages[i], sizeof j->languages[i], 1);
	mp_bin_copy(&r, j->key, 32);
	mp_bin_copy(&r, j->slot_pk, 32);
	mp_bin_copy(&r, j->slot_secret, 32);
	mp_bin_copy(&r, j->nonce, sizeof j->nonce);
	err = mp_finish(&r);
	if (err == PERR_OK && !is_sound(j))
		err = PERR_FORMAT;
	if (err != PERR_OK)
		join_wipe(j);
	return err;
}

enum perr join_sign(uint8_t payload[CELL_PAYLOAD_MAX], size_t *len, uint16_t words[JOIN_WORDS],
                    struct join *j, const struct sign_key *k, struct rng rng)
{
	struct signed_sigs sigs = { 0 };
	uint8_t *doc = NULL, *packed = NULL;
	size_t doc_len = 0, packed_len = 0;
	enum perr err;

	*len = 0;
	memcpy(j->key, k->id, 32);
	rng_fill(rng, j->nonce, sizeof j->nonce);
	err = join_encode(&doc, &doc_len, j);
	if (err == PERR_OK)
		err = signed_add(&sigs, k, JOIN_CONTEXT, doc, doc_len);
	if (err == PERR_OK)
		err = signed_pack(&packed, &packed_len, doc, doc_len, &sigs);
	if (err == PERR_OK && packed_len > CELL_PAYLOAD_MAX)
		err = PERR_RANGE;
	if (err == PERR_OK) {
		memcpy(payload, packed, packed_len);
		*len = packed_len;
		join_words(words, doc, doc_len);
	}
	doc_free(doc, doc_len);
	doc_free(packed, packed_len);
	return err;
}

enum perr join_open(struct join *j, uint16_t words[JOIN_WORDS], const uint8_t *payload,
                    size_t len)
{
	struct signed_sigs sigs;
	struct doc_bytes doc;
	enum perr err = PERR_FORMAT;

	memset(j, 0, sizeof *j);
	memset(words, 0, JOIN_WORDS * sizeof *words);
	if (len <= CELL_PAYLOAD_MAX)
		err = signed_view(&doc, &sigs, payload, len);
	if (err == PERR_OK)
		err = join_decode(j, doc.p, doc.len);
	if (err == PERR_OK && sigs.n != 1)
		err = PERR_SIGS;
	if (err == PERR_OK)
		err = signed_check(&sigs, 1, JOIN_CONTEXT, doc.p, doc.len,
		                   (const uint8_t (*)[32])j->key, 1);
	if (err == PERR_OK)
		join_words(words, doc.p, doc.len);
	else
		join_wipe(j);
	return err;
}

void join_wipe(struct join *j)
{
	sodium_memzero(j, sizeof *j);
}
