/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "outbox_file.h"

#include <stdlib.h>
#include <string.h>

#include "decoys.h"
#include "outbox.h"
#include "outbox_ack.h"

#define CARRY_GROUP 4096         /* cells added as one: what is in memory at a time */

/* no server has this key: all that waits */
static const uint8_t nobody[32];

/* ---- saving ------------------------------------------------------------------------------- */

static enum perr mix(struct client *c)
{
	struct decoys d = { 0 };
	enum perr err = decoys_make(c, &d);

	if (err == PERR_OK)
		err = decoys_mix(c, &d);
	decoys_free(&d);
	return err;
}

struct counting {
	uint32_t n, whole;               /* cells so far; before the group at hand */
	uint32_t group, group_before;
};

static enum perr count_cell(void *arg, uint64_t number, const uint8_t cell[CELL_SIZE])
{
	struct counting *k = arg;

	(void)cell;
	if (number / OUTBOX_GROUP_MAX != k->group) {
		k->whole = k->n;
		k->group_before = k->group;
		k->group = (uint32_t)(number / OUTBOX_GROUP_MAX);
	}
	if (k->n == OUTFILE_CELLS_MAX)
		return PERR_LIMIT;
	k->n++;
	return PERR_OK;
}

static enum perr write_cell(void *arg, uint64_t number, const uint8_t cell[CELL_SIZE])
{
	(void)number;
	return outfile_cell(arg, cell);
}

enum perr outbox_save(struct client *c, outfile_piece_fn *fn, void *arg, struct outbox_save *s)
{
	struct counting k = { 0 };
	struct outfile_writer *w;
	enum perr err;

	memset(s, 0, sizeof *s);
	if (c->n_seasons == 0)
		return PERR_STATE;
	err = mix(c);
	if (err == PERR_OK)
		err = outbox_next(c, nobody, 0, UINT32_MAX, count_cell, &k);
	if (err != PERR_OK && err != PERR_LIMIT)
		return err;
	/* cut between groups, so that each is in the file whole or not at all */
	s->more = err == PERR_LIMIT;
	s->cells = s->more ? k.whole : k.n;
	s->last_group = s->more ? k.group_before : k.group;
	if (s->cells == 0)
		return s->more ? PERR_RANGE : PERR_NOTFOUND;
	s->pieces = outfile_pieces(s->cells);
	w = malloc(sizeof *w);
	if (w == NULL)
		return PERR_NOMEM;
	err = outfile_begin(w, &c->seasons[c->n_seasons - 1], s->cells, c->env.rng, fn, arg);
	if (err == PERR_OK)
		err = outbox_next(c, nobody, 0, s->cells, write_cell, w);
	if (err == PERR_OK)
		err = outfile_end(w);
	outfile_writer_wipe(w);
	free(w);
	return err;
}

/* ---- carrying ------------------------------------------------------------------------------- */

struct ids {
	uint8_t (*at)[32];
	size_t n, room;
};

static int by_id(const void *a, const void *b)
{
	return memcmp(a, b, 32);
}

static enum perr note_id(void *arg, uint64_t number, const uint8_t cell[CELL_SIZE])
{
	struct ids *l = arg;

	(void)number;
	if (l->n == l->room) {
		size_t room = l->room == 0 ? 1024 : 2 * l->room;
		uint8_t (*more)[32] = realloc(l->at, room * sizeof *more);

		if (more == NULL)
			return PERR_NOMEM;
		l->at = more;
		l->room = room;
	}
	cell_id(l->at[l->n++], cell);
	return PERR_OK;
}

struct carrying {
	struct client *c;
	struct ids waiting;              /* here before */
	uint8_t *cells;                  /* up to CARRY_GROUP */
	size_t n;
	struct outbox_carry *k;
};

static enum perr add_group(struct carrying *y)
{
	uint32_t group;
	enum perr err = y->n == 0 ? PERR_OK : outbox_add(y->c, y->cells, y->n, &group);

	y->n = 0;
	return err;
}

static enum perr take_cell(void *arg, const uint8_t cell[CELL_SIZE])
{
	struct carrying *y = arg;
	uint8_t id[32];

	cell_id(id, cell);
	if (y->waiting.n > 0 &&
	    bsearch(id, y->waiting.at, y->waiting.n, sizeof *y->waiting.at, by_id) != NULL)
		return PERR_OK;
	memcpy(y->cells + y->n++ * CELL_SIZE, cell, CELL_SIZE);
	y->k->fresh++;
	return y->n == CARRY_GROUP ? add_group(y) : PERR_OK;
}

/* under whichever season it was sealed: who could not sync for long has an old one */
static enum perr open_file(struct client *c, struct outfile_reader *r, uint64_t file_size,
                           const uint8_t *first)
{
	enum perr err = PERR_AUTH;

	for (size_t i = c->n_seasons; i-- > 0 && err == PERR_AUTH;)
		err = outfile_open(r, &c->seasons[i], file_size, first);
	return err;
}

/* read it whole; y NULL: only verify */
static enum perr read_file(struct client *c, uint64_t file_size, outbox_read_fn *fn, void *arg,
                           struct carrying *y, uint32_t *cells)
{
	struct outfile_reader *r = calloc(1, sizeof *r);
	uint8_t *piece = malloc(OUTFILE_PIECE);
	uint32_t at, pieces = (uint32_t)(file_size / OUTFILE_PIECE);
	enum perr err = r == NULL || piece == NULL ? PERR_NOMEM : PERR_OK;

	for (at = 0; err == PERR_OK && at < pieces; at++) {
		err = fn(arg, at, piece);
		if (err == PERR_OK && at == 0)
			err = open_file(c, r, file_size, piece);
		if (err != PERR_OK)
			break;
		err = outfile_read(r, piece, y == NULL ? NULL : take_cell, y);
		if (err == PERR_AUTH)
			err = PERR_CORRUPT;
	}
	if (err == PERR_OK)
		err = outfile_close(r);
	if (err == PERR_OK)
		*cells = r->n;
	if (r != NULL)
		outfile_reader_wipe(r);
	free(r);
	free(piece);
	return err;
}

enum perr outbox_carry(struct client *c, uint64_t file_size, outbox_read_fn *fn, void *arg,
                       struct outbox_carry *k)
{
	struct carrying y = { .c = c, .k = k };
	enum perr err;

	memset(k, 0, sizeof *k);
	if (c->n_seasons == 0)
		return PERR_STATE;
	if (!outfile_size_ok(file_size))
		return PERR_FORMAT;
	/* a file with a fault at its end adds nothing, and says so before the store is touched */
	err = read_file(c, file_size, fn, arg, NULL, &k->cells);
	if (err == PERR_OK)
		err = outbox_next(c, nobody, 0, UINT32_MAX, note_id, &y.waiting);
	if (err == PERR_OK) {
		if (y.waiting.n > 1)
			qsort(y.waiting.at, y.waiting.n, sizeof *y.waiting.at, by_id);
		y.cells = malloc((size_t)CARRY_GROUP * CELL_SIZE);
		err = y.cells == NULL ? PERR_NOMEM : kv_begin(c->kv);
	}
	if (err != PERR_OK)
		goto out;
	err = read_file(c, file_size, fn, arg, &y, &k->cells);
	if (err == PERR_OK)
		err = add_group(&y);
	if (err == PERR_OK)
		err = kv_commit(c->kv);
	kv_abort(c->kv);
out:
	free(y.cells);
	free(y.waiting.at);
	return err;
}
