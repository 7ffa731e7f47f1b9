/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "outfile.h"

#include <sodium.h>
#include <string.h>

#include "doc.h"

#define MAC       crypto_aead_chacha20poly1305_IETF_ABYTES
#define HEAD      4              /* the number of cells */
#define ROOM(at)  (OUTFILE_PIECE - MAC - ((at) == 0 ? OUTFILE_SALT_SIZE : 0))
#define PIECES_MAX 8192u

uint32_t outfile_pieces(uint32_t n)
{
	uint64_t size = HEAD + (uint64_t)n * CELL_SIZE;
	uint32_t p = 2;

	if (n == 0 || n > OUTFILE_CELLS_MAX)
		return 0;
	while ((uint64_t)p * ROOM(1) - OUTFILE_SALT_SIZE < size)
		p *= 2;
	return p;
}

bool outfile_size_ok(uint64_t file_size)
{
	uint64_t p = file_size / OUTFILE_PIECE;

	return file_size % OUTFILE_PIECE == 0 && p >= 2 && p <= PIECES_MAX && (p & (p - 1)) == 0;
}

/* PROTOCOL 3.8: the key hangs on a season, which every member knows and no server */
static void file_key(uint8_t key[32], const struct season *s, const uint8_t salt[OUTFILE_SALT_SIZE])
{
	doc_hash_keyed(key, s->psk, 32, "amparo/1 outbox", salt, OUTFILE_SALT_SIZE);
}

/* PROTOCOL 3.8: "nonce = u64 0 ‖ u32 i, aad = u32 pieces" */
static void place(uint8_t nonce[12], uint8_t aad[4], uint32_t at, uint32_t pieces)
{
	memset(nonce, 0, 12);
	doc_u32(nonce + 8, at);
	doc_u32(aad, pieces);
}

/* ---- writing ------------------------------------------------------------------------------ */

/* the first piece begins with the salt, in the clear */
static size_t begin_of(uint32_t at)
{
	return at == 0 ? OUTFILE_SALT_SIZE : 0;
}

static enum perr flush(struct outfile_writer *w)
{
	size_t from = begin_of(w->at);
	uint8_t nonce[12], aad[4];

	place(nonce, aad, w->at, w->pieces);
	crypto_aead_chacha20poly1305_ietf_encrypt(w->piece + from, NULL, w->piece + from, ROOM(w->at),
	                                          aad, sizeof aad, NULL, nonce, w->key);
	w->at++;
	w->fill = 0;
	return w->fn(w->arg, w->piece);
}

static enum perr add(struct outfile_writer *w, const uint8_t *p, size_t len)
{
	enum perr err = PERR_OK;

	while (len > 0 && err == PERR_OK) {
		size_t some = ROOM(w->at) - w->fill;

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

enum perr outfile_begin(struct outfile_writer *w, const struct season *season, uint32_t n,
                        struct rng rng, outfile_piece_fn *fn, void *arg)
{
	uint8_t head[HEAD];

	memset(w, 0, sizeof *w);
	w->pieces = outfile_pieces(n);
	if (w->pieces == 0)
		return PERR_RANGE;
	w->left = n;
	w->fn = fn;
	w->arg = arg;
	rng_fill(rng, w->piece, OUTFILE_SALT_SIZE);
	file_key(w->key, season, w->piece);
	doc_u32(head, n);
	return add(w, head, sizeof head);
}

enum perr outfile_cell(struct outfile_writer *w, const uint8_t cell[CELL_SIZE])
{
	if (w->left == 0)
		return PERR_RANGE;
	w->left--;
	return add(w, cell, CELL_SIZE);
}

enum perr outfile_end(struct outfile_writer *w)
{
	enum perr err = w->left > 0 ? PERR_RANGE : PERR_OK;

	while (err == PERR_OK && w->at < w->pieces) {
		memset(w->piece + begin_of(w->at) + w->fill, 0, ROOM(w->at) - w->fill);
		err = flush(w);
	}
	return err;
}

void outfile_writer_wipe(struct outfile_writer *w)
{
	sodium_memzero(w, sizeof *w);
}

/* ---- reading ------------------------------------------------------------------------------ */

static enum perr unseal(struct outfile_reader *r, const uint8_t piece[OUTFILE_PIECE], uint32_t at)
{
	size_t from = begin_of(at);
	uint8_t nonce[12], aad[4];

	place(nonce, aad, at, r->pieces);
	return crypto_aead_chacha20poly1305_ietf_decrypt(r->piece, NULL, NULL, piece + from,
	                                                 ROOM(at) + MAC, aad, sizeof aad, nonce,
	                                                 r->key) == 0 ? PERR_OK : PERR_AUTH;
}

enum perr outfile_open(struct outfile_reader *r, const struct season *season, uint64_t file_size,
                       const uint8_t first[OUTFILE_PIECE])
{
	memset(r, 0, sizeof *r);
	if (!outfile_size_ok(file_size))
		return PERR_FORMAT;
	r->pieces = (uint32_t)(file_size / OUTFILE_PIECE);
	file_key(r->key, season, first);
	return unseal(r, first, 0);
}

/* PROTOCOL 3.8: "for n cells the smallest number of pieces" */
static enum perr take_head(struct outfile_reader *r)
{
	r->n = doc_get_u32(r->piece);
	return outfile_pieces(r->n) == r->pieces ? PERR_OK : PERR_FORMAT;
}

static enum perr give(struct outfile_reader *r, const uint8_t *cell, outfile_cell_fn *fn, void *arg)
{
	if (cell_check(cell) != PERR_OK)
		return PERR_FORMAT;
	r->done++;
	return fn == NULL ? PERR_OK : fn(arg, cell);
}

enum perr outfile_read(struct outfile_reader *r, const uint8_t piece[OUTFILE_PIECE],
                       outfile_cell_fn *fn, void *arg)
{
	size_t len = ROOM(r->at), i = 0;
	enum perr err;

	if (r->at >= r->pieces)
		return PERR_FORMAT;
	err = unseal(r, piece, r->at);
	if (err == PERR_OK && r->at == 0) {
		err = take_head(r);
		i = HEAD;
	}
	r->at++;
	while (err == PERR_OK && r->done < r->n && i < len) {
		size_t some = CELL_SIZE - r->have;

		some = some < len - i ? some : len - i;
		if (r->have == 0 && some == CELL_SIZE) {
			err = give(r, r->piece + i, fn, arg);
		} else {
			memcpy(r->cell + r->have, r->piece + i, some);
			r->have += some;
			if (r->have == CELL_SIZE) {
				r->have = 0;
				err = give(r, r->cell, fn, arg);
			}
		}
		i += some;
	}
	if (err == PERR_OK && i < len && !sodium_is_zero(r->piece + i, len - i))
		err = PERR_FORMAT;
	return err;
}

enum perr outfile_close(const struct outfile_reader *r)
{
	return r->at == r->pieces && r->done == r->n ? PERR_OK : PERR_TRUNCATED;
}

void outfile_reader_wipe(struct outfile_reader *r)
{
	sodium_memzero(r, sizeof *r);
}
