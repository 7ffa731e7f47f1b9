/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * outfile: an outbox as one file, for somebody else to carry.  PROTOCOL 3.8.
 *
 * Inside are sealed cells in their order of sending and nothing else: no author, no count of
 * submissions.  Around them is a seal that every member opens and no server, so that the file,
 * found in a pocket, cannot be held against a server's disk: it is a power of two of random
 * bytes.
 *
 * Without I/O: pieces of OUTFILE_PIECE bytes come and go, each authenticated by itself, its
 * place and the number of pieces.
 */
#ifndef AMPARO_OUTFILE_H
#define AMPARO_OUTFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cell.h"
#include "perr.h"
#include "pieces.h"
#include "rng.h"

#define OUTFILE_PIECE     PIECES_SIZE
#define OUTFILE_SALT_SIZE PIECES_SALT_SIZE
#define OUTFILE_CELLS_MAX 131072u        /* of one file: 512 MiB */

/* pieces of a file with n cells: 2, 4, 8, …; 0: n is 0 or too large */
uint32_t outfile_pieces(uint32_t n);

/* ---- writing ------------------------------------------------------------------------------ */

typedef pieces_fn outfile_piece_fn;

struct outfile_writer {
	struct pieces_writer w;
	uint32_t left;                   /* cells still to come */
};
/*
 * season  in: the newest one known
 * n       in: cells that will come
 * PERR_RANGE: n.  Errors of fn come back.  After an error, and at the end, outfile_writer_wipe.
 */
PERR_MUST_CHECK enum perr outfile_begin(struct outfile_writer *w, const struct season *season,
                                       uint32_t n, struct rng rng, outfile_piece_fn *fn,
                                       void *arg);
PERR_MUST_CHECK enum perr outfile_cell(struct outfile_writer *w, const uint8_t cell[CELL_SIZE]);
/* zeros to the end.  PERR_RANGE: fewer cells came than were announced */
PERR_MUST_CHECK enum perr outfile_end(struct outfile_writer *w);
void outfile_writer_wipe(struct outfile_writer *w);

/* ---- reading ------------------------------------------------------------------------------ */

typedef enum perr outfile_cell_fn(void *arg, const uint8_t cell[CELL_SIZE]);

struct outfile_reader {
	struct pieces_reader r;
	uint32_t n, done;                /* cells: in the file, given out */
	uint8_t cell[CELL_SIZE];         /* cut by the end of a piece */
	size_t have;
};
/* can a file have this length? */
bool outfile_size_ok(uint64_t file_size);
/*
 * file_size  in: of the whole file, one that outfile_size_ok
 * first      in: its first piece
 * PERR_AUTH: not sealed under this season, or of another length once.
 */
PERR_MUST_CHECK enum perr outfile_open(struct outfile_reader *r, const struct season *season,
                                      uint64_t file_size, const uint8_t first[OUTFILE_PIECE]);
/*
 * One piece after the other, from the first on.
 * fn  in: gets each cell, in order; NULL: the file is only verified
 * PERR_AUTH: altered, or not in its place.  PERR_FORMAT: what is inside is not of the table, or
 * a cell is none (cell_check).  Errors of fn come back.
 */
PERR_MUST_CHECK enum perr outfile_read(struct outfile_reader *r, const uint8_t piece[OUTFILE_PIECE],
                                      outfile_cell_fn *fn, void *arg);
/* after the last piece.  PERR_TRUNCATED: it was not the last */
PERR_MUST_CHECK enum perr outfile_close(const struct outfile_reader *r);
void outfile_reader_wipe(struct outfile_reader *r);

#endif
