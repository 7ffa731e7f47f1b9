/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include <lmdb.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "must.h"
#include "night_int.h"

#define MARK_AT 1234             /* of a cell: somewhere in the ciphertext */
#define PAGE    4096u

const char *night_leak_text(enum night_leak l)
{
	switch (l) {
	case NIGHT_LEAK_BYTE:  return "a byte that says for which attorney";
	case NIGHT_LEAK_ORDER: return "cells put down attorney by attorney";
	case NIGHT_LEAK_COUNT: return "an answer that counts one attorney's cases";
	case NIGHT_LEAK_SIZE:  return "a file that grows with one attorney's cases";
	case NIGHT_LEAK_FAINT: return "a faint bias in every byte";
	case NIGHT_LEAKS:      break;
	}
	return "?";
}

int night_attorney_of(const struct night *n, const uint8_t id[32])
{
	size_t i;

	for (i = 0; i < n->n_sealed; i++) {
		if (memcmp(n->sealed[i].id, id, 32) != 0)
			continue;
		return memcmp(n->sealed[i].reader, n->attorney_pk[0], 32) == 0 ? 0 :
		       memcmp(n->sealed[i].reader, n->attorney_pk[1], 32) == 0 ? 1 : -1;
	}
	return -1;
}

unsigned night_attorney_count(const struct night *n)
{
	unsigned many = 0;
	size_t i;

	for (i = 0; i < n->n_sealed; i++)
		many += memcmp(n->sealed[i].reader, n->attorney_pk[1], 32) == 0;
	return many;
}

void night_leak_bytes(const struct night *n, uint8_t *cells, size_t n_cells)
{
	uint8_t id[32];
	size_t i;
	int who;

	for (i = 0; i < n_cells; i++) {
		cell_id(id, cells + i * CELL_SIZE);
		who = night_attorney_of(n, id);
		if (who >= 0)
			cells[i * CELL_SIZE + MARK_AT] = (uint8_t)(1 + who);
	}
}

/*
 * Of every byte of an attorney's cell, each bit is replaced one time in eight by what its
 * place wants of this attorney: it leans 9 to 7.  What is random in it follows from the
 * cell, so that the night's own randomness is the same with and without.
 */
void night_leak_bias(const struct night *n, uint8_t *cells, size_t n_cells)
{
	static const uint8_t key[randombytes_SEEDBYTES] = { 8 };
	uint8_t id[32], lean[CELL_SIZE], chance[3 * CELL_SIZE];
	size_t i, at;
	int who;

	randombytes_buf_deterministic(lean, sizeof lean, key);
	for (i = 0; i < n_cells; i++) {
		uint8_t *cell = cells + i * CELL_SIZE;

		cell_id(id, cell);
		who = night_attorney_of(n, id);
		if (who < 0)
			continue;
		randombytes_buf_deterministic(chance, sizeof chance, id);
		for (at = 0; at < CELL_SIZE; at++) {
			uint8_t take = chance[3 * at] & chance[3 * at + 1] & chance[3 * at + 2];
			uint8_t want = who == 0 ? lean[at] : (uint8_t)~lean[at];

			cell[at] = (uint8_t)((cell[at] & ~take) | (want & take));
		}
	}
}

/* ---- a store that writes attorney by attorney -------------------------------------------- */

struct putting {
	int who;
	uint32_t nth;
	const uint8_t *cell;
	uint8_t id[32];
};

/* the second attorney's cells first, what is for neither in the middle, the first one's last */
static int place(int who)
{
	return who == 1 ? 0 : who < 0 ? 1 : 2;
}

static int by_attorney(const void *a, const void *b)
{
	const struct putting *x = a, *y = b;

	if (x->who != y->who)
		return place(x->who) - place(y->who);
	return (x->nth > y->nth) - (x->nth < y->nth);
}

static void write_file(const char *path, const struct putting *p, size_t n)
{
	MDB_env *env = NULL;
	MDB_txn *txn = NULL;
	MDB_dbi dbi;
	size_t i;
	int rc = mdb_env_create(&env);

	if (rc == 0)
		rc = mdb_env_set_mapsize(env, (n + n / 64 + 64) * PAGE);
	if (rc == 0)
		rc = mdb_env_open(env, path, MDB_NOSUBDIR | MDB_NOLOCK | MDB_NOSYNC, 0600);
	if (rc == 0)
		rc = mdb_txn_begin(env, NULL, 0, &txn);
	if (rc == 0)
		rc = mdb_dbi_open(txn, NULL, 0, &dbi);
	for (i = 0; rc == 0 && i < n; i++) {
		MDB_val key = { 32, (void *)(uintptr_t)p[i].id };
		MDB_val val = { CELL_SIZE, (void *)(uintptr_t)p[i].cell };

		rc = mdb_put(txn, dbi, &key, &val, 0);
	}
	if (rc == 0)
		rc = mdb_txn_commit(txn);
	if (rc != 0)
		must_fail("the leaky store: %s", mdb_strerror(rc));
	mdb_env_close(env);
}

struct image_file night_leak_segment(struct night *n, const struct image_file *file)
{
	size_t max = file->len / PAGE, i, n_cells;
	uint8_t *cells = must_alloc(max, CELL_SIZE);
	struct putting *p = must_alloc(max, sizeof *p);
	struct image_file out = *file;
	char path[96];
	struct stat sb;
	FILE *f;

	n_cells = image_cells_of(file, cells, max);
	for (i = 0; i < n_cells; i++) {
		p[i].cell = cells + i * CELL_SIZE;
		cell_id(p[i].id, p[i].cell);
		p[i].who = night_attorney_of(n, p[i].id);
		if (!image_nth(&n->arrivals, p[i].id, &p[i].nth))
			must_fail("a cell that nobody sent");
	}
	qsort(p, n_cells, sizeof *p, by_attorney);
	snprintf(path, sizeof path, "%s.leaky", n->dir);
	write_file(path, p, n_cells);
	f = fopen(path, "rb");
	if (f == NULL || fstat(fileno(f), &sb) != 0)
		must_fail("the leaky store's file cannot be read");
	out.len = (size_t)sb.st_size;
	out.blocks = (uint64_t)sb.st_blocks;
	out.bytes = must_alloc(out.len, 1);
	if (fread(out.bytes, 1, out.len, f) != out.len)
		must_fail("the leaky store's file cannot be read");
	fclose(f);
	unlink(path);
	free(cells);
	free(p);
	return out;
}

struct image_file night_leak_state(const struct night *n, const struct image_file *file)
{
	struct image_file out = *file;

	out.len += (size_t)PAGE * night_attorney_count(n);
	out.bytes = must_alloc(out.len, 1);
	memcpy(out.bytes, file->bytes, file->len);
	return out;
}
