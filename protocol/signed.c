/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "signed.h"

#include <sodium.h>
#include <stdlib.h>

void signed_key_from_seed(struct sign_key *k, const uint8_t seed[32])
{
	crypto_sign_seed_keypair(k->id, k->sk, seed);
}

void signed_key_new(struct sign_key *k, struct rng rng)
{
	uint8_t seed[crypto_sign_SEEDBYTES];

	rng_fill(rng, seed, sizeof seed);
	signed_key_from_seed(k, seed);
	sodium_memzero(seed, sizeof seed);
}

void signed_key_wipe(struct sign_key *k)
{
	sodium_memzero(k, sizeof *k);
}

/* ---- bare signatures --------------------------------------------------------------------- */

/* context || doc in one piece, as pure Ed25519 needs it; for doc_free */
static uint8_t *joined(size_t *len, const char *context, const uint8_t *doc, size_t doc_len)
{
	size_t context_len = strlen(context);
	uint8_t *buf;

	if (doc_len > SIZE_MAX - context_len)
		return NULL;
	*len = context_len + doc_len;
	buf = malloc(*len > 0 ? *len : 1);
	if (buf == NULL)
		return NULL;
	memcpy(buf, context, context_len);
	if (doc_len > 0)
		memcpy(buf + context_len, doc, doc_len);
	return buf;
}

/*
 * PROTOCOL 1: "Signatures are Ed25519 (RFC 8032, pure) over `context ‖ document`, the context
 * being the text named with the document."
 */
enum perr signed_make(uint8_t sig[SIGNED_SIG_SIZE], const struct sign_key *k,
                      const char *context, const uint8_t *doc, size_t doc_len)
{
	size_t len;
	uint8_t *buf = joined(&len, context, doc, doc_len);

	if (buf == NULL)
		return PERR_NOMEM;
	crypto_sign_detached(sig, NULL, buf, len, k->sk);
	doc_free(buf, len);
	return PERR_OK;
}

enum perr signed_verify(const uint8_t key[SIGNED_KEY_SIZE], const uint8_t sig[SIGNED_SIG_SIZE],
                        const char *context, const uint8_t *doc, size_t doc_len)
{
	enum perr err;
	size_t len;
	uint8_t *buf = joined(&len, context, doc, doc_len);

	if (buf == NULL)
		return PERR_NOMEM;
	/*
	 * PROTOCOL 2: "keys and R of small order, keys in a non-canonical encoding and an S
	 * that is not reduced never verify"
	 */
	err = crypto_sign_verify_detached(sig, buf, len, key) == 0 ? PERR_OK : PERR_AUTH;
	doc_free(buf, len);
	return err;
}

/* ---- sets of signatures ------------------------------------------------------------------ */

/* where key stands or would have to stand */
static uint32_t place(const struct signed_sigs *s, const uint8_t key[32])
{
	uint32_t i = 0;

	while (i < s->n && memcmp(s->at[i].key, key, 32) < 0)
		i++;
	return i;
}

const struct signed_sig *signed_find(const struct signed_sigs *s, const uint8_t key[32])
{
	uint32_t i = place(s, key);

	return i < s->n && memcmp(s->at[i].key, key, 32) == 0 ? &s->at[i] : NULL;
}

static enum perr put(struct signed_sigs *s, const uint8_t key[32], const uint8_t sig[64])
{
	uint32_t i = place(s, key);

	if (i == s->n || memcmp(s->at[i].key, key, 32) != 0) {
		if (s->n == SIGNED_SIGS_MAX)
			return PERR_LIMIT;
		memmove(&s->at[i + 1], &s->at[i], (s->n - i) * sizeof s->at[0]);
		memcpy(s->at[i].key, key, 32);
		s->n++;
	}
	memcpy(s->at[i].sig, sig, 64);
	return PERR_OK;
}

enum perr signed_add(struct signed_sigs *s, const struct sign_key *k, const char *context,
                     const uint8_t *doc, size_t doc_len)
{
	uint8_t sig[SIGNED_SIG_SIZE];
	enum perr err = signed_make(sig, k, context, doc, doc_len);

	return err == PERR_OK ? put(s, k->id, sig) : err;
}

enum perr signed_merge(struct signed_sigs *into, const struct signed_sigs *from,
                       const char *context, const uint8_t *doc, size_t doc_len,
                       const uint8_t (*allowed)[32], size_t n_allowed)
{
	enum perr full = PERR_OK;

	for (uint32_t i = 0; i < from->n; i++) {
		const struct signed_sig *s = &from->at[i];
		enum perr err;

		if (doc_find(allowed, n_allowed, s->key) == n_allowed)
			continue;
		err = signed_verify(s->key, s->sig, context, doc, doc_len);
		if (err == PERR_AUTH)
			continue;
		if (err == PERR_OK)
			err = put(into, s->key, s->sig);
		if (err == PERR_LIMIT)
			full = err;
		else if (err != PERR_OK)
			return err;
	}
	return full;
}

enum perr signed_count(uint32_t *n, const struct signed_sigs *s, const char *context,
                       const uint8_t *doc, size_t doc_len, const uint8_t (*allowed)[32],
                       size_t n_allowed)
{
	*n = 0;
	for (uint32_t i = 0; i < s->n; i++) {
		enum perr err;

		/* a set built in memory is sorted like a decoded one; a second entry of
		 * the same key would be the one way to count twice */
		if (i > 0 && memcmp(s->at[i - 1].key, s->at[i].key, 32) >= 0)
			return PERR_FORMAT;
		if (doc_find(allowed, n_allowed, s->at[i].key) == n_allowed)
			continue;
		err = signed_verify(s->at[i].key, s->at[i].sig, context, doc, doc_len);
		if (err == PERR_OK)
			++*n;
		else if (err != PERR_AUTH)
			return err;
	}
	return PERR_OK;
}

enum perr signed_check(const struct signed_sigs *s, uint32_t threshold, const char *context,
                       const uint8_t *doc, size_t doc_len, const uint8_t (*allowed)[32],
                       size_t n_allowed)
{
	uint32_t n;
	enum perr err = signed_count(&n, s, context, doc, doc_len, allowed, n_allowed);

	if (err != PERR_OK)
		return err;
	return threshold > 0 && n >= threshold ? PERR_OK : PERR_SIGS;
}

/* ---- the signed document ----------------------------------------------------------------- */

void signed_doc_free(struct signed_doc *d)
{
	doc_free(d->bytes, d->len);
	sodium_memzero(d, sizeof *d);
}

/*
 * PROTOCOL 2: "`sigs` is an array 0..32 of `[key id bin32, signature bin64]`, sorted by key
 * id, each key id once."
 */
void signed_get_sigs(struct mp_reader *r, struct signed_sigs *s)
{
	s->n = mp_array_var(r, 0, SIGNED_SIGS_MAX);
	for (uint32_t i = 0; i < s->n; i++) {
		mp_array(r, 2);
		mp_bin_copy(r, s->at[i].key, SIGNED_KEY_SIZE);
		mp_bin_copy(r, s->at[i].sig, SIGNED_SIG_SIZE);
		if (i > 0 && memcmp(s->at[i - 1].key, s->at[i].key, 32) >= 0)
			mp_fail(r, PERR_FORMAT);
	}
	if (r->err != PERR_OK)
		s->n = 0;
}

void signed_put_sigs(struct mp_writer *w, const struct signed_sigs *s)
{
	mp_put_array(w, s->n);
	for (uint32_t i = 0; i < s->n; i++) {
		mp_put_array(w, 2);
		mp_put_bin(w, s->at[i].key, SIGNED_KEY_SIZE);
		mp_put_bin(w, s->at[i].sig, SIGNED_SIG_SIZE);
	}
}

struct packed {
	struct doc_bytes doc;
	const struct signed_sigs *sigs;
};

static void put_signed(struct mp_writer *w, const void *what)
{
	const struct packed *p = what;

	mp_put_array(w, 2);
	doc_put_bytes(w, p->doc);
	signed_put_sigs(w, p->sigs);
}

enum perr signed_pack(uint8_t **out, size_t *out_len, const uint8_t *doc, size_t doc_len,
                      const struct signed_sigs *sigs)
{
	struct packed p = { .doc = doc_bytes_of(doc, doc_len), .sigs = sigs };

	*out = NULL;
	*out_len = 0;
	if (doc_len == 0 || sigs->n > SIGNED_SIGS_MAX)
		return PERR_RANGE;
	return doc_write(out, out_len, SIGNED_DOC_MAX, put_signed, &p);
}

enum perr signed_encode(uint8_t **out, size_t *out_len, const struct signed_doc *d)
{
	return signed_pack(out, out_len, d->bytes, d->len, &d->sigs);
}

enum perr signed_view(struct doc_bytes *doc, struct signed_sigs *sigs, const uint8_t *in,
                      size_t in_len)
{
	struct mp_reader r;
	enum perr err;

	*doc = (struct doc_bytes){ 0 };
	sigs->n = 0;
	if (in_len > SIGNED_DOC_MAX)
		return PERR_FORMAT;
	mp_reader_init(&r, in, in_len);
	mp_array(&r, 2);
	*doc = doc_get_bytes(&r, 1, SIGNED_DOC_MAX);
	signed_get_sigs(&r, sigs);
	err = mp_finish(&r);
	if (err != PERR_OK) {
		*doc = (struct doc_bytes){ 0 };
		sigs->n = 0;
	}
	return err;
}

enum perr signed_decode(struct signed_doc *d, const uint8_t *in, size_t in_len)
{
	struct doc_bytes doc;
	enum perr err;

	memset(d, 0, sizeof *d);
	err = signed_view(&doc, &d->sigs, in, in_len);
	if (err != PERR_OK)
		return err;
	d->bytes = malloc(doc.len);
	if (d->bytes == NULL) {
		memset(d, 0, sizeof *d);
		return PERR_NOMEM;
	}
	memcpy(d->bytes, doc.p, doc.len);
	d->len = doc.len;
	return PERR_OK;
}
