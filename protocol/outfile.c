/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "outfile.h"

#include <sodium.h>
#include <string.h>

#include "doc.h"

#define HEAD    4                /* the number of cells */
/* PROTOCOL 3.8: the key hangs on a season, which every member knows and no server */
#define CONTEXT "amparo/1 outbox"

uint32_t outfile_pieces(uint32_t n)
{
	return n == 0 || n > OUTFILE_CELLS_MAX ? 0 : pieces_for(HEAD + (uint64_t)n * CELL_SIZE);
}

bool outfile_size_ok(uint64_t file_size)
{
	return pieces_size_ok(file_size) &&
	       file_size / OUTFILE_PIECE <= outfile_pieces(OUTFILE_CELLS_MAX);
}

/* ---- writing ------------------------------------------------------------------------------ */

enum perr outfile_begin(struct outfile_writer *w, const struct season *season, uint32_t n,
                        struct rng rng, outfile_piece_fn *fn, void *arg)
{
	uint8_t salt[OUTFILE_SALT_SIZE], head[HEAD];
	uint32_t pieces = outfile_pieces(n);

	memset(w, 0, sizeof *w);
	if (pieces == 0)
		return PERR_RANGE;
	w->left = n;
	rng_fill(rng, salt, sizeof salt);
	pieces_begin(&w->w, season->psk, CONTEXT, salt, pieces, fn, arg);
	doc_u32(head, n);
	return pieces_add(&w->w, head, sizeof head);
}

enum perr outfile_cell(struct outfile_writer *w, const uint8_t cell[CELL_SIZE])
{
	if (w->left == 0)
		return PERR_RANGE;
	w->left--;
	return pieces_add(&w->w, cell, CELL_SIZE);
}

enum perr outfile_end(struct outfile_writer *w)
{
	return w->left > 0 ? PERR_RANGE : pieces_end(&w->w);
}

void outfile_writer_wipe(struct outfile_writer *w)
{
	pieces_writer_wipe(&w->w);
	w->left = 0;
}

/* ---- reading ------------------------------------------------------------------------------ */

enum perr outfile_open(struct outfile_reader *r, const struct season *season, uint64_t file_size,
                       const uint8_t first[OUTFILE_PIECE])
{
	memset(r, 0, sizeof *r);
	return outfile_size_ok(file_size)
	     ? pieces_open(&r->r, season->psk, CONTEXT, file_size, first) : PERR_FORMAT;
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
	bool is_first = r->r.at == 0;
	const uint8_t *plain;
	size_t len, i = 0;
	enum perr err = pieces_read(&r->r, piece, &plain, &len);

	if (err == PERR_OK && is_first) {
		/* PROTOCOL 3.8: "for n cells the smallest number of pieces" */
		r->n = doc_get_u32(plain);
		err = outfile_pieces(r->n) == r->r.n ? PERR_OK : PERR_FORMAT;
		i = HEAD;
	}
	while (err == PERR_OK && r->done < r->n && i < len) {
		size_t some = CELL_SIZE - r->have;

		some = some < len - i ? some : len - i;
		if (some == CELL_SIZE) {
			err = give(r, plain + i, fn, arg);
		} else {
			memcpy(r->cell + r->have, plain + i, some);
			r->have += some;
			if (r->have == CELL_SIZE) {
				r->have = 0;
				err = give(r, r->cell, fn, arg);
			}
		}
		i += some;
	}
	if (err == PERR_OK && i < len && !sodium_is_zero(plain + i, len - i))
		err = PERR_FORMAT;
	return err;
}

enum perr outfile_close(const struct outfile_reader *r)
{
	return r->r.at == r->r.n && r->done == r->n ? PERR_OK : PERR_TRUNCATED;
}

void outfile_reader_wipe(struct outfile_reader *r)
{
	sodium_memzero(r, sizeof *r);
}
