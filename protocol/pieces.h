/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * pieces: a file under a 32-byte secret: a power of two of bytes that look random, sealed in
 * pieces, each in its place.  PROTOCOL 3.8.  What stands inside is somebody else's: outfile.h,
 * and a vault's backup.
 *
 * Without I/O: pieces of PIECES_SIZE bytes come and go in order.
 */
#ifndef AMPARO_PIECES_H
#define AMPARO_PIECES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "perr.h"
#include "rng.h"

#define PIECES_SIZE      65536u
#define PIECES_SALT_SIZE 32      /* the file begins with it */
#define PIECES_MAX       1048576u        /* 64 GiB */

/* pieces of a file that holds so many bytes: 2, 4, 8, …; 0: none, or more than PIECES_MAX hold */
uint32_t pieces_for(uint64_t len);
/* can a file have this size? */
bool pieces_size_ok(uint64_t file_size);

/* ---- writing ------------------------------------------------------------------------------ */

/* one whole piece */
typedef enum perr pieces_fn(void *arg, const uint8_t piece[PIECES_SIZE]);

struct pieces_writer {
	uint8_t key[32];
	uint32_t n, at;
	uint8_t piece[PIECES_SIZE];      /* being filled, plain */
	size_t fill;
	pieces_fn *fn;
	void *arg;
};
/*
 * secret   in: 32 bytes
 * context  in: what the file is, ASCII: another one makes another key
 * salt     in: PIECES_SALT_SIZE random bytes, never used before with this secret
 * n        in: pieces_for(what will be added)
 * Errors of fn come back, here and below.  At the end, also after an error,
 * pieces_writer_wipe.
 */
void pieces_begin(struct pieces_writer *w, const uint8_t secret[32], const char *context,
                  const uint8_t salt[PIECES_SALT_SIZE], uint32_t n, pieces_fn *fn, void *arg);
/* PERR_RANGE: more than n pieces hold */
PERR_MUST_CHECK enum perr pieces_add(struct pieces_writer *w, const void *p, size_t len);
/* zeros to the end */
PERR_MUST_CHECK enum perr pieces_end(struct pieces_writer *w);
void pieces_writer_wipe(struct pieces_writer *w);

/* ---- reading ------------------------------------------------------------------------------ */

struct pieces_reader {
	uint8_t key[32];
	uint32_t n, at;                  /* pieces; the next one */
	uint8_t piece[PIECES_SIZE];      /* plain */
};
/*
 * first  in: the first piece of a file of this size
 * PERR_FORMAT: no file has this size.  PERR_AUTH: another secret, context or size.
 */
PERR_MUST_CHECK enum perr pieces_open(struct pieces_reader *r, const uint8_t secret[32],
                                     const char *context, uint64_t file_size,
                                     const uint8_t first[PIECES_SIZE]);
/*
 * One piece after the other, the first one too.
 * plain  out: what stands in it; borrowed until the next call
 * PERR_AUTH: altered, or not in its place.  PERR_FORMAT: there is no further one.
 */
PERR_MUST_CHECK enum perr pieces_read(struct pieces_reader *r, const uint8_t piece[PIECES_SIZE],
                                     const uint8_t **plain, size_t *len);
void pieces_reader_wipe(struct pieces_reader *r);

#endif
