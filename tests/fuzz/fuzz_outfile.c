/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * An outbox in a file.  The input is what stands inside the seal of a file of two pieces, as
 * somebody who holds the season could make it; and once as the file itself.  What is read
 * whole has as many cells as it says, and makes the same file again.
 */
#include "fuzz_docs.h"
#include "outfile.h"

#define SIZE (2u * OUTFILE_PIECE)

static uint8_t file[SIZE], again[SIZE], cells[32 * CELL_SIZE];
static size_t at;

static enum perr keep(void *arg, const uint8_t piece[OUTFILE_PIECE])
{
	if (at + OUTFILE_PIECE > SIZE)
		abort();
	memcpy((uint8_t *)arg + at, piece, OUTFILE_PIECE);
	at += OUTFILE_PIECE;
	return PERR_OK;
}

static enum perr collect(void *arg, const uint8_t cell[CELL_SIZE])
{
	uint32_t *n = arg;

	if (*n == 32)
		abort();
	memcpy(cells + (size_t)(*n)++ * CELL_SIZE, cell, CELL_SIZE);
	return PERR_OK;
}

/* seal anything: as outfile.c does, by the text of PROTOCOL 3.8 */
static void seal(const struct season *s, const uint8_t *data, size_t size)
{
	uint8_t key[32], nonce[12] = { 0 }, aad[4] = { 0, 0, 0, 2 };
	static uint8_t plain[SIZE];
	size_t from = 0;

	memset(plain, 0, sizeof plain);
	memcpy(plain, data, size < SIZE - 64 ? size : SIZE - 64);
	memset(file, 0x33, OUTFILE_SALT_SIZE);
	doc_hash_keyed(key, s->psk, 32, "amparo/1 outbox", file, OUTFILE_SALT_SIZE);
	for (unsigned i = 0; i < 2; i++) {
		size_t head = i == 0 ? OUTFILE_SALT_SIZE : 0, len = OUTFILE_PIECE - 16 - head;

		nonce[11] = (uint8_t)i;
		crypto_aead_chacha20poly1305_ietf_encrypt(file + i * OUTFILE_PIECE + head, NULL,
		                                          plain + from, len, aad, sizeof aad, NULL,
		                                          nonce, key);
		from += len;
	}
}

static enum perr read_file(const struct season *s, uint32_t *n)
{
	static struct outfile_reader r;
	enum perr err = outfile_open(&r, s, SIZE, file);

	*n = 0;
	for (unsigned i = 0; i < 2 && err == PERR_OK; i++)
		err = outfile_read(&r, file + i * OUTFILE_PIECE, collect, n);
	return err == PERR_OK ? outfile_close(&r) : err;
}

static void fixed(void *ctx, uint8_t *out, size_t len)
{
	(void)ctx;
	memset(out, 0x33, len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct outfile_writer w;
	struct rng rng = { .fill = fixed };
	uint8_t psk[32] = { 1 };
	struct season s;
	uint32_t n, i;

	season_init(&s, 1, psk);
	memset(file, 0, sizeof file);
	memcpy(file, data, size < SIZE ? size : SIZE);
	if (read_file(&s, &n) == PERR_OK)
		abort();                 /* a seal was forged */
	seal(&s, data, size);
	if (read_file(&s, &n) != PERR_OK)
		return 0;
	at = 0;
	if (n == 0 || outfile_begin(&w, &s, n, rng, keep, again) != PERR_OK)
		abort();
	for (i = 0; i < n; i++)
		if (outfile_cell(&w, cells + (size_t)i * CELL_SIZE) != PERR_OK)
			abort();
	if (outfile_end(&w) != PERR_OK || memcmp(file, again, SIZE) != 0)
		abort();
	return 0;
}
