/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "paper.h"

#include <sodium.h>
#include <stdlib.h>

#include "b64.h"
#include "words.h"

#define HEAD_SIZE   8
#define CHECK_AT    (HEAD_SIZE + PAPER_SEED_SIZE)
#define CHECK_SIZE  (PAPER_SHARE_SIZE - CHECK_AT)
#define TEXT_PREFIX "amparo-share:"
#define TEXT_LEN    60                   /* base64url of 45 bytes, no padding needed */
#define DOC_MAX     1024

/* ---- what follows from the seed ------------------------------------------------------------ */

void paper_sign_key(struct sign_key *k, const uint8_t seed[PAPER_SEED_SIZE])
{
	uint8_t s[32];

	doc_hash_keyed(s, seed, PAPER_SEED_SIZE, "amparo/1 paper sign", NULL, 0);
	signed_key_from_seed(k, s);
	sodium_memzero(s, sizeof s);
}

/* PROTOCOL 7.4: "The keys of its batch follow from a one-way chain" */
void paper_batch(struct batch *b, uint8_t (*sks)[32], const uint8_t seed[PAPER_SEED_SIZE],
                 uint32_t first_day)
{
	struct sign_key k;
	uint8_t s[32], next[32], sk[32];

	memset(b, 0, sizeof *b);
	paper_sign_key(&k, seed);
	memcpy(b->owner, k.id, 32);
	signed_key_wipe(&k);
	b->number = 1;
	b->first_day = first_day;
	b->period = PAPER_PERIOD;
	b->n = PAPER_KEYS;
	memcpy(s, seed, sizeof s);
	for (uint32_t i = 0; i < b->n; i++) {
		doc_hash_keyed(sk, s, sizeof s, "amparo/1 paper prekey", NULL, 0);
		crypto_scalarmult_base(b->keys[i], sk);
		if (sks != NULL)
			memcpy(sks[i], sk, 32);
		doc_hash_keyed(next, s, sizeof s, "amparo/1 paper next", NULL, 0);
		memcpy(s, next, sizeof s);
	}
	sodium_memzero(s, sizeof s);
	sodium_memzero(next, sizeof next);
	sodium_memzero(sk, sizeof sk);
}

void paper_set_id(uint8_t id[PAPER_SET_SIZE], const uint8_t key[32], const uint8_t desk[32])
{
	uint8_t both[64], hash[32];

	memcpy(both, key, 32);
	memcpy(both + 32, desk, 32);
	doc_hash(hash, "amparo/1 paper set", both, sizeof both);
	memcpy(id, hash, PAPER_SET_SIZE);
}

/* ---- a share ------------------------------------------------------------------------------- */

static bool are_sound(uint32_t need, uint32_t of)
{
	/* with one share that is enough alone, every sheet would be the key itself */
	return need >= 2 && need <= of && of <= PAPER_SHARES_MAX;
}

static void check_of(uint8_t check[CHECK_SIZE], const uint8_t share[PAPER_SHARE_SIZE])
{
	uint8_t hash[32];

	doc_hash(hash, "amparo/1 paper check", share, CHECK_AT);
	memcpy(check, hash, CHECK_SIZE);
	sodium_memzero(hash, sizeof hash);
}

/*
 * PROTOCOL 7.4: "`u4 1 ‖ u4 need − 1 ‖ u4 of − 1 ‖ u4 index − 1 ‖ u16 day ‖ set[4] ‖
 * share[32] ‖ check[5]`"
 */
enum perr paper_share_encode(uint8_t out[PAPER_SHARE_SIZE], const struct paper_share *s)
{
	memset(out, 0, PAPER_SHARE_SIZE);
	if (!are_sound(s->need, s->of) || s->index < 1 || s->index > s->of || s->day > UINT16_MAX)
		return PERR_RANGE;
	out[0] = (uint8_t)(1 << 4 | (s->need - 1));
	out[1] = (uint8_t)((s->of - 1) << 4 | (s->index - 1));
	out[2] = (uint8_t)(s->day >> 8);
	out[3] = (uint8_t)s->day;
	memcpy(out + 4, s->set, PAPER_SET_SIZE);
	memcpy(out + HEAD_SIZE, s->bytes, PAPER_SEED_SIZE);
	check_of(out + CHECK_AT, out);
	return PERR_OK;
}

enum perr paper_share_decode(struct paper_share *s, const uint8_t in[PAPER_SHARE_SIZE])
{
	uint8_t check[CHECK_SIZE];
	enum perr err = PERR_OK;

	memset(s, 0, sizeof *s);
	check_of(check, in);
	if (sodium_memcmp(check, in + CHECK_AT, CHECK_SIZE) != 0)
		return PERR_AUTH;
	s->need = (in[0] & 15) + 1u;
	s->of = (in[1] >> 4) + 1u;
	s->index = (in[1] & 15) + 1u;
	s->day = (uint32_t)in[2] << 8 | in[3];
	memcpy(s->set, in + 4, PAPER_SET_SIZE);
	memcpy(s->bytes, in + HEAD_SIZE, PAPER_SEED_SIZE);
	if (in[0] >> 4 != 1 || !are_sound(s->need, s->of) || s->index > s->of)
		err = PERR_FORMAT;
	if (err != PERR_OK)
		sodium_memzero(s, sizeof *s);
	return err;
}

enum perr paper_share_text(char out[PAPER_TEXT_SIZE], const struct paper_share *s)
{
	uint8_t raw[PAPER_SHARE_SIZE];
	enum perr err = paper_share_encode(raw, s);

	out[0] = '\0';
	if (err == PERR_OK) {
		memcpy(out, TEXT_PREFIX, sizeof TEXT_PREFIX - 1);
		sodium_bin2base64(out + sizeof TEXT_PREFIX - 1, TEXT_LEN + 1, raw, sizeof raw,
		                  sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	}
	sodium_memzero(raw, sizeof raw);
	return err;
}

enum perr paper_share_from_text(struct paper_share *s, const char *text)
{
	char tight[PAPER_TEXT_SIZE];
	uint8_t raw[PAPER_SHARE_SIZE];
	size_t n = 0, len;
	enum perr err = PERR_FORMAT;

	memset(s, 0, sizeof *s);
	for (; *text != '\0'; text++) {
		if (*text == ' ' || *text == '\t' || *text == '\r' || *text == '\n')
			continue;
		if (n == sizeof tight - 1)
			goto out;
		tight[n++] = *text;
	}
	tight[n] = '\0';
	if (n != sizeof TEXT_PREFIX - 1 + TEXT_LEN ||
	    memcmp(tight, TEXT_PREFIX, sizeof TEXT_PREFIX - 1) != 0)
		goto out;
	/* TEXT_LEN characters are sizeof raw bytes, and no others */
	err = b64_read(raw, sizeof raw, &len, tight + sizeof TEXT_PREFIX - 1, TEXT_LEN,
	               sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	if (err == PERR_OK)
		err = paper_share_decode(s, raw);
out:
	sodium_memzero(tight, sizeof tight);
	sodium_memzero(raw, sizeof raw);
	return err;
}

enum perr paper_share_words(uint16_t words[PAPER_WORDS], const struct paper_share *s)
{
	uint8_t raw[PAPER_SHARE_SIZE];
	enum perr err = paper_share_encode(raw, s);

	if (err == PERR_OK)
		err = words_from_bytes(NULL, words, PAPER_WORDS, raw, sizeof raw);
	sodium_memzero(raw, sizeof raw);
	return err;
}

static void pack(uint8_t raw[PAPER_SHARE_SIZE], const uint16_t words[PAPER_WORDS])
{
	uint32_t acc = 0;
	unsigned bits = 0;
	size_t at = 0;

	for (unsigned i = 0; i < PAPER_WORDS; i++) {
		acc = acc << WORDS_BITS | (words[i] & (WORDS_COUNT - 1));
		for (bits += WORDS_BITS; bits >= 8; bits -= 8)
			raw[at++] = (uint8_t)(acc >> (bits - 8));
	}
	sodium_memzero(&acc, sizeof acc);
}

static enum perr from(struct paper_share *s, const uint16_t words[PAPER_WORDS])
{
	uint8_t raw[PAPER_SHARE_SIZE];
	enum perr err;

	pack(raw, words);
	err = paper_share_decode(s, raw);
	sodium_memzero(raw, sizeof raw);
	return err;
}

static void swap(uint16_t *a, uint16_t *b)
{
	uint16_t t = *a;

	*a = *b;
	*b = t;
}

/* two neighbours in each other's place are more likely than one word that is another's */
static bool is_swap(struct paper_wrong *wrong, uint16_t words[PAPER_WORDS])
{
	struct paper_share s;

	for (unsigned i = 0; i + 1 < PAPER_WORDS; i++) {
		bool fits;

		swap(&words[i], &words[i + 1]);
		fits = from(&s, words) == PERR_OK;
		if (fits)
			*wrong = (struct paper_wrong){ PAPER_SLIP_SWAPPED, i, words[i] };
		swap(&words[i], &words[i + 1]);
		sodium_memzero(&s, sizeof s);
		if (fits)
			return true;
	}
	return false;
}

static bool is_one_word(struct paper_wrong *wrong, uint16_t words[PAPER_WORDS])
{
	struct paper_share s;

	for (unsigned i = 0; i < PAPER_WORDS; i++) {
		uint16_t typed = words[i];

		for (uint16_t w = 0; w < WORDS_COUNT; w++) {
			words[i] = w;
			if (from(&s, words) == PERR_OK) {
				sodium_memzero(&s, sizeof s);
				*wrong = (struct paper_wrong){ PAPER_SLIP_WORD, i, w };
				return true;
			}
		}
		words[i] = typed;
	}
	return false;
}

enum perr paper_share_from_words(struct paper_share *s, struct paper_wrong *wrong,
                                 const uint16_t words[PAPER_WORDS])
{
	uint16_t copy[PAPER_WORDS];
	enum perr err = from(s, words);

	memset(wrong, 0, sizeof *wrong);
	if (err != PERR_AUTH)
		return err;
	memcpy(copy, words, sizeof copy);
	if (!is_swap(wrong, copy))
		(void)is_one_word(wrong, copy);
	sodium_memzero(copy, sizeof copy);
	return err;
}

enum perr paper_proof(uint8_t proof[32], const struct paper_share *s)
{
	uint8_t raw[PAPER_SHARE_SIZE];
	enum perr err = paper_share_encode(raw, s);

	doc_hash(proof, "amparo/1 paper proof", raw, sizeof raw);
	sodium_memzero(raw, sizeof raw);
	return err;
}

/* ---- the document on the board --------------------------------------------------------------- */

/*
 * PROTOCOL 7.3: "`[1, paper key bin32, desk id bin32, day, need, of, proofs array 2..16 of
 * bin32, rehearsed day or 0]`"
 */
static void put_doc(struct mp_writer *w, const void *what)
{
	const struct paper_doc *d = what;

	mp_put_array(w, 8);
	mp_put_uint(w, 1);
	mp_put_bin(w, d->key, 32);
	mp_put_bin(w, d->desk, 32);
	mp_put_uint(w, d->day);
	mp_put_uint(w, d->need);
	mp_put_uint(w, d->of);
	mp_put_array(w, d->of);
	for (uint32_t i = 0; i < d->of; i++)
		mp_put_bin(w, d->proofs[i], 32);
	mp_put_uint(w, d->rehearsed);
}

static bool is_sound(const struct paper_doc *d)
{
	return are_sound(d->need, d->of) && d->day <= UINT16_MAX &&
	       (d->rehearsed == 0 || d->rehearsed >= d->day);
}

enum perr paper_doc_encode(uint8_t **out, size_t *out_len, const struct paper_doc *d)
{
	*out = NULL;
	*out_len = 0;
	return is_sound(d) ? doc_write(out, out_len, DOC_MAX, put_doc, d) : PERR_RANGE;
}

enum perr paper_doc_decode(struct paper_doc *d, const uint8_t *in, size_t in_len)
{
	struct mp_reader r;
	enum perr err;

	memset(d, 0, sizeof *d);
	mp_reader_init(&r, in, in_len);
	mp_array(&r, 8);
	if (mp_uint(&r, 1) != 1)
		mp_fail(&r, PERR_FORMAT);
	mp_bin_copy(&r, d->key, 32);
	mp_bin_copy(&r, d->desk, 32);
	d->day = doc_get_uint(&r, UINT16_MAX);
	d->need = doc_get_uint(&r, PAPER_SHARES_MAX);
	d->of = doc_get_uint(&r, PAPER_SHARES_MAX);
	if (mp_array_var(&r, 2, PAPER_SHARES_MAX) != d->of)
		mp_fail(&r, PERR_FORMAT);
	for (uint32_t i = 0; i < d->of; i++)
		mp_bin_copy(&r, d->proofs[i], 32);
	d->rehearsed = doc_get_uint(&r, UINT32_MAX);
	err = mp_finish(&r);
	if (err == PERR_OK && !is_sound(d))
		err = PERR_FORMAT;
	if (err != PERR_OK)
		memset(d, 0, sizeof *d);
	return err;
}

enum perr paper_doc_sign(uint8_t **out, size_t *out_len, const struct paper_doc *d,
                         const struct sign_key *k)
{
	struct signed_doc doc = { 0 };
	enum perr err = memcmp(k->id, d->key, 32) == 0 ? PERR_OK : PERR_KEY;

	*out = NULL;
	*out_len = 0;
	if (err == PERR_OK)
		err = paper_doc_encode(&doc.bytes, &doc.len, d);
	if (err == PERR_OK)
		err = signed_add(&doc.sigs, k, PAPER_CONTEXT, doc.bytes, doc.len);
	if (err == PERR_OK)
		err = signed_encode(out, out_len, &doc);
	signed_doc_free(&doc);
	return err;
}

enum perr paper_doc_open(struct paper_doc *d, const uint8_t *in, size_t in_len)
{
	struct signed_sigs *sigs = calloc(1, sizeof *sigs);
	struct doc_bytes doc;
	enum perr err = sigs == NULL ? PERR_NOMEM : signed_view(&doc, sigs, in, in_len);

	memset(d, 0, sizeof *d);
	if (err == PERR_OK)
		err = paper_doc_decode(d, doc.p, doc.len);
	if (err == PERR_OK && sigs->n != 1)
		err = PERR_SIGS;
	if (err == PERR_OK)
		err = signed_check(sigs, 1, PAPER_CONTEXT, doc.p, doc.len,
		                   (const uint8_t (*)[32])&d->key, 1);
	free(sigs);
	if (err != PERR_OK)
		memset(d, 0, sizeof *d);
	return err;
}

bool paper_doc_supersedes(const struct paper_doc *a, const struct paper_doc *b)
{
	return b == NULL || (memcmp(a->key, b->key, 32) == 0 && a->rehearsed > b->rehearsed);
}
