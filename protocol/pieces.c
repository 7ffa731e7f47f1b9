/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "pieces.h"

#include <sodium.h>
#include <string.h>

#include "doc.h"

#define MAC      crypto_aead_chacha20poly1305_IETF_ABYTES
#define ROOM(at) (PIECES_SIZE - MAC - ((at) == 0 ? PIECES_SALT_SIZE : 0))

uint32_t pieces_for(uint64_t len)
{
	uint32_t n = 2;

	if (len == 0)
		return 0;
	while (n <= PIECES_MAX && (uint64_t)n * ROOM(1) - PIECES_SALT_SIZE < len)
		n *= 2;
	return n <= PIECES_MAX ? n : 0;
}

bool pieces_size_ok(uint64_t file_size)
{
	uint64_t n = file_size / PIECES_SIZE;

	return file_size % PIECES_SIZE == 0 && n >= 2 && n <= PIECES_MAX && (n & (n - 1)) == 0;
}

/* PROTOCOL 3.8: "nonce = u64 0 ‖ u32 i, aad = u32 pieces" */
static void place(uint8_t nonce[12], uint8_t aad[4], uint32_t at, uint32_t n)
{
	memset(nonce, 0, 12);
	doc_u32(nonce + 8, at);
	doc_u32(aad, n);
}

static size_t begin_of(uint32_t at)
{
	return at == 0 ? PIECES_SALT_SIZE : 0;
}

/* ---- writing ------------------------------------------------------------------------------ */

void pieces_begin(struct pieces_writer *w, const uint8_t secret[32], const char *context,
                  const uint8_t salt[PIECES_SALT_SIZE], uint32_t n, pieces_fn *fn, void *arg)
{
	memset(w, 0, sizeof *w);
	w->n = n;
	w->fn = fn;
	w->arg = arg;
	memcpy(w->piece, salt, PIECES_SALT_SIZE);
	doc_hash_keyed(w->key, secret, 32, context, salt, PIECES_SALT_SIZE);
}

static enum perr flush(struct pieces_writer *w)
{
	size_t from = begin_of(w->at);
	uint8_t nonce[12], aad[4];

	place(nonce, aad, w->at, w->n);
	crypto_aead_chacha20poly1305_ietf_encrypt(w->piece + from, NULL, w->piece + from,
	                                          ROOM(w->at), aad, sizeof aad, NULL, nonce,
	                                          w->key);
	w->at++;
	w->fill = 0;
	return w->fn(w->arg, w->piece);
}

enum perr pieces_add(struct pieces_writer *w, const void *from, size_t len)
{
	const uint8_t *p = from;
	enum perr err = PERR_OK;

	while (len > 0 && err == PERR_OK) {
		size_t some = ROOM(w->at) - w->fill;

		if (w->at == w->n)
			return PERR_RANGE;
		some = some < len ? some : len;
		memcpy(w->piece + begin_of(w->at) + w->fill, p, some);
		w->fill += some;
		p += some;
		len -= some;
		if (w->fill == ROOM(w->at))
			err = flush(w);
	}
	return err;
}

enum perr pieces_end(struct pieces_writer *w)
{
	enum perr err = PERR_OK;

	while (err == PERR_OK && w->at < w->n) {
		memset(w->piece + begin_of(w->at) + w->fill, 0, ROOM(w->at) - w->fill);
		err = flush(w);
	}
	return err;
}

void pieces_writer_wipe(struct pieces_writer *w)
{
	sodium_memzero(w, sizeof *w);
}

/* ---- reading ------------------------------------------------------------------------------ */

static enum perr unseal(struct pieces_reader *r, const uint8_t piece[PIECES_SIZE], uint32_t at)
{
	size_t from = begin_of(at);
	uint8_t nonce[12], aad[4];

	place(nonce, aad, at, r->n);
	return crypto_aead_chacha20poly1305_ietf_decrypt(r->piece, NULL, NULL, piece + from,
	                                                 ROOM(at) + MAC, aad, sizeof aad, nonce,
	                                                 r->key) == 0 ? PERR_OK : PERR_AUTH;
}

enum perr pieces_open(struct pieces_reader *r, const uint8_t secret[32], const char *context,
                      uint64_t file_size, const uint8_t first[PIECES_SIZE])
{
	memset(r, 0, sizeof *r);
	if (!pieces_size_ok(file_size))
		return PERR_FORMAT;
	r->n = (uint32_t)(file_size / PIECES_SIZE);
	doc_hash_keyed(r->key, secret, 32, context, first, PIECES_SALT_SIZE);
	return unseal(r, first, 0);
}

enum perr pieces_read(struct pieces_reader *r, const uint8_t piece[PIECES_SIZE],
                      const uint8_t **plain, size_t *len)
{
	enum perr err = r->at < r->n ? unseal(r, piece, r->at) : PERR_FORMAT;

	*plain = r->piece;
	*len = err == PERR_OK ? ROOM(r->at) : 0;
	r->at++;
	return err;
}

void pieces_reader_wipe(struct pieces_reader *r)
{
	sodium_memzero(r, sizeof *r);
}
