/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * seizure_carve CELLS GONE PRESENT IMAGE…: what a raw image says about cells that should be
 * gone, and about the order in which the others came.
 *
 * CELLS    "NUMBER ID" a line, in order of arrival (seizure_visitor)
 * GONE     ranges of numbers, "0-399,1000-1039": erased, expired; "-" for none
 * PRESENT  ranges of numbers that a reader can still get
 * $SEIZURE_CELLS: seed of the cells.
 *
 * Recovering: a cell counts as soon as 64 bytes in a row of it stand anywhere, at any
 * alignment: in free blocks, in the journal, in the slack of a page.  A cell that is present
 * may stand in one place; a second copy is one of the pool it came from, and counts too.
 *
 * Ordering: each place at which something of a present cell stands is a guess at the order
 * of arrival: offset of the first copy, of the last copy, page number in its LMDB file,
 * offset of the first and last place with its id; and the places of the ids of gone cells.  Spearman's rank correlation of each
 * with the true order, p by permutation, corrected for their number (Holm).  (Segments have
 * one transaction and one inode for all their cells: neither txn ids nor times can order
 * cells within.)
 *
 * Prints, parted by tabs:
 *	carve	GONE-FOUND GONE	PRESENT-FOUND PRESENT	SECOND-COPIES	IDS-OF-GONE	BYTES
 *	order	RHO	P	FEATURE	N            the one with the smallest p
 *	feature	NAME	RHO	P	N            each
 * Exit code 0 whatever is found, 2: usage or an image cannot be read.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "canary.h"
#include "cells.h"

#define BLOCK     32u                     /* any 64 bytes in a row hold a whole one */
#define BLOCKS    (CELL_SIZE / BLOCK)     /* the last 16 bytes of a cell are in none */
#define RUN       64u
#define STEP      (4u << 20)
#define TAIL      8192u                  /* more than a cell, whole pages */
#define MAP_BITS  24u
#define COPIES    16u                     /* places noted for each cell */
#define SHUFFLES  20000u
#define NOWHERE   INT64_MAX
#define N_FEATURES 7

struct cell {
	uint64_t number;
	uint8_t id[32];
	bool gone, present;
	uint8_t bytes[CELL_SIZE];
	int64_t copies[COPIES];          /* offset at which the cell would begin */
	unsigned n_copies;
	uint64_t page;                   /* number in the page header before its first copy */
	int64_t id_first, id_last;
};

/* eight bytes that begin a block of a cell, or its id */
struct entry {
	uint64_t key;
	uint32_t cell;
	uint32_t at;                     /* CELL_SIZE: the id */
	uint32_t next;                   /* 1-based */
};

static struct cell *cells;
static size_t n_cells;
static struct entry *entries;
static size_t n_entries;
static uint32_t *heads;
static uint8_t *map;
static uint64_t n_bytes;

static uint32_t slot_of(uint64_t key)
{
	return (uint32_t)(key * 0x9e3779b97f4a7c15ull >> (64 - MAP_BITS));
}

static uint64_t load64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof v);
	return v;
}

static bool in_ranges(const char *ranges, uint64_t number)
{
	const char *at = ranges;

	while (*at >= '0' && *at <= '9') {
		char *end;
		uint64_t from = strtoull(at, &end, 10), to = from;

		if (*end == '-')
			to = strtoull(end + 1, &end, 10);
		if (number >= from && number <= to)
			return true;
		at = *end == ',' ? end + 1 : end;
	}
	return false;
}

static void read_cells(const char *path, const char *gone, const char *present)
{
	FILE *f = fopen(path, "r");
	uint64_t number;
	char id[65];
	size_t len;

	if (f == NULL) {
		perror(path);
		exit(2);
	}
	while (fscanf(f, "%" SCNu64 " %64s", &number, id) == 2) {
		struct cell *c;
		bool is_gone = in_ranges(gone, number), is_present = in_ranges(present, number);
		size_t i;

		for (i = 0; i < n_cells && cells[i].number != number; i++)
			;
		if (i < n_cells || (!is_gone && !is_present))
			continue;                /* sent again after a crash: the first time counts */
		cells = need(realloc(cells, (n_cells + 1) * sizeof *cells));
		c = &cells[n_cells++];
		memset(c, 0, sizeof *c);
		c->number = number;
		c->gone = is_gone;
		c->present = is_present && !is_gone;
		c->id_first = c->id_last = NOWHERE;
		drill_cell(c->bytes, NULL, number);
		if (sodium_hex2bin(c->id, 32, id, 64, NULL, &len, NULL) != 0 || len != 32)
			exit(2);
	}
	fclose(f);
}

static void file_under(uint64_t key, uint32_t cell, uint32_t at)
{
	struct entry *e = &entries[n_entries++];
	uint32_t slot = slot_of(key);

	e->key = key;
	e->cell = cell;
	e->at = at;
	e->next = heads[slot >> 4];
	heads[slot >> 4] = (uint32_t)n_entries;
	map[slot >> 3] |= (uint8_t)(1u << (slot & 7));
}

static void index_cells(void)
{
	entries = need(malloc(n_cells * (BLOCKS + 1) * sizeof *entries));
	heads = need(calloc(1u << (MAP_BITS - 4), sizeof *heads));
	map = need(calloc(1u << (MAP_BITS - 3), 1));
	for (size_t i = 0; i < n_cells; i++) {
		for (uint32_t b = 0; b < BLOCKS; b++)
			file_under(load64(cells[i].bytes + b * BLOCK), (uint32_t)i, b * BLOCK);
		file_under(load64(cells[i].id), (uint32_t)i, CELL_SIZE);
	}
}

/* a copy that would begin at `start`; each is noted once.  page: of the header before it */
static void note_copy(struct cell *c, int64_t start, uint64_t page)
{
	for (unsigned k = 0; k < c->n_copies; k++)
		if (c->copies[k] == start)
			return;
	if (c->n_copies == 0)
		c->page = page;
	if (c->n_copies < COPIES)
		c->copies[c->n_copies++] = start;
}

static void look(const uint8_t *buf, size_t len, size_t at, int64_t base)
{
	uint64_t key = load64(buf + at);

	for (uint32_t k = heads[slot_of(key) >> 4]; k != 0; k = entries[k - 1].next) {
		const struct entry *e = &entries[k - 1];
		struct cell *c = &cells[e->cell];
		size_t back = 0, ahead = 0;

		if (e->key != key)
			continue;
		if (e->at == CELL_SIZE) {
			int64_t where = base + (int64_t)at;

			if (at + 32 > len || memcmp(buf + at, c->id, 32) != 0)
				continue;
			if (c->id_first == NOWHERE)
				c->id_first = where;
			c->id_last = where;
			continue;
		}
		while (back < at && back < e->at && buf[at - back - 1] == c->bytes[e->at - back - 1])
			back++;
		while (at + ahead < len && e->at + ahead < CELL_SIZE &&
		       buf[at + ahead] == c->bytes[e->at + ahead])
			ahead++;
		if (back + ahead >= RUN)
			note_copy(c, base + (int64_t)at - (int64_t)e->at, at >= e->at + 16 ?
			          load64(buf + at - e->at - 16) : 0);
	}
}

static void search(const uint8_t *buf, size_t len, size_t from, size_t own, int64_t base)
{
	size_t at = from;

	while (at + 8 <= len && at < own) {
		uint32_t slot;

		if ((at & 4095) == 0 && at + 4096 <= len && buf[at] == 0 &&
		    memcmp(buf + at, buf + at + 1, 4095) == 0) {
			at += 4096;
			continue;
		}
		slot = slot_of(load64(buf + at));
		if (map[slot >> 3] >> (slot & 7) & 1)
			look(buf, len, at, base);
		at++;
	}
}

/* each step sees TAIL bytes of the one before and of the one behind */
static void carve(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint8_t *buf = need(malloc(STEP + 2 * TAIL));
	struct stat st;
	uint64_t at = 0;

	if (fd < 0 || fstat(fd, &st) != 0) {
		perror(path);
		exit(2);
	}
	while (at < (uint64_t)st.st_size) {
		off_t data = lseek(fd, (off_t)at, SEEK_DATA);
		uint64_t base;
		size_t got = 0, from;

		if (data < 0)
			break;
		if ((uint64_t)data > at)
			at = (uint64_t)data & ~4095ull;
		base = at >= TAIL ? at - TAIL : 0;
		from = (size_t)(at - base);
		while (got < from + STEP + TAIL) {
			ssize_t n = pread(fd, buf + got, from + STEP + TAIL - got,
			                  (off_t)(base + got));

			if (n < 0 && errno == EINTR)
				continue;
			if (n < 0) {
				perror(path);
				exit(2);
			}
			if (n == 0)
				break;
			got += (size_t)n;
		}
		search(buf, got, from, from + STEP, (int64_t)base);
		at += STEP;
	}
	n_bytes += (uint64_t)st.st_size;
	free(buf);
	(void)close(fd);
}

/* ---- order ------------------------------------------------------------------------------- */

struct feature {
	const char *name;
	double rho, p;
	size_t n;
};

struct pair {
	double value;
	size_t at;
};

static int by_value(const void *a, const void *b)
{
	double x = ((const struct pair *)a)->value, y = ((const struct pair *)b)->value;

	return (x > y) - (x < y);
}

static void ranks(double *out, const double *v, size_t n)
{
	struct pair *p = need(malloc((n + 1) * sizeof *p));

	for (size_t i = 0; i < n; i++)
		p[i] = (struct pair){ v[i], i };
	qsort(p, n, sizeof *p, by_value);
	for (size_t i = 0; i < n;) {
		size_t k = i;

		while (k < n && p[k].value == p[i].value)
			k++;
		for (size_t m = i; m < k; m++)
			out[p[m].at] = (double)(i + k - 1) / 2;
		i = k;
	}
	free(p);
}

static double correlation(const double *a, const double *b, size_t n)
{
	double ma = 0, mb = 0, ab = 0, aa = 0, bb = 0;

	for (size_t i = 0; i < n; i++) {
		ma += a[i] / (double)n;
		mb += b[i] / (double)n;
	}
	for (size_t i = 0; i < n; i++) {
		ab += (a[i] - ma) * (b[i] - mb);
		aa += (a[i] - ma) * (a[i] - ma);
		bb += (b[i] - mb) * (b[i] - mb);
	}
	return aa == 0 || bb == 0 ? 0 : ab / sqrt(aa * bb);
}

/* the shuffles of a run are those of every other run */
static uint32_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return (uint32_t)(*state >> 32);
}

static void judge(struct feature *f, const double *v, size_t n)
{
	double *arrival = need(malloc((n + 1) * sizeof *arrival));
	double *guess = need(malloc((n + 1) * sizeof *guess));
	uint64_t state = 88172645463325252ull;
	unsigned as_good = 0;

	f->n = n;
	f->rho = 0;
	f->p = 1;
	if (n >= 20) {
		for (size_t i = 0; i < n; i++)
			arrival[i] = (double)i;
		ranks(guess, v, n);
		f->rho = correlation(arrival, guess, n);
		for (unsigned s = 0; s < SHUFFLES; s++) {
			for (size_t i = n - 1; i > 0; i--) {
				size_t k = next_random(&state) % (i + 1);
				double t = arrival[i];

				arrival[i] = arrival[k];
				arrival[k] = t;
			}
			as_good += fabs(correlation(arrival, guess, n)) >= fabs(f->rho) - 1e-12;
		}
		f->p = (double)(as_good + 1) / (SHUFFLES + 1);
	}
	free(arrival);
	free(guess);
}

static int by_p(const void *a, const void *b)
{
	double x = ((const struct feature *)a)->p, y = ((const struct feature *)b)->p;

	return (x > y) - (x < y);
}

static double feature_of(const struct cell *c, size_t which, bool *has)
{
	int64_t first = c->copies[0], last = c->copies[0];

	for (unsigned k = 1; k < c->n_copies; k++) {
		first = c->copies[k] < first ? c->copies[k] : first;
		last = c->copies[k] > last ? c->copies[k] : last;
	}
	*has = which < 3 ? c->n_copies > 0 : c->id_first != NOWHERE;
	switch (which) {
	case 0:  return (double)first;
	case 1:  return (double)last;
	case 2:  return (double)c->page;
	case 3:
	case 5:  return (double)c->id_first;
	default: return (double)c->id_last;
	}
}

static void order(void)
{
	struct feature f[N_FEATURES] = { { .name = "offset of the first copy" },
	                        { .name = "offset of the last copy" },
	                        { .name = "page number" },
	                        { .name = "first place of the id" },
	                        { .name = "last place of the id" },
	                        { .name = "first place of a deleted cell's id" },
	                        { .name = "last place of a deleted cell's id" } };
	double *v = need(malloc((n_cells + 1) * sizeof *v));
	double highest = 0;

	for (size_t k = 0; k < N_FEATURES; k++) {
		size_t n = 0;

		for (size_t i = 0; i < n_cells; i++) {
			bool has;
			double value = feature_of(&cells[i], k, &has);

			if ((k < 5 ? cells[i].present : cells[i].gone) && has)
				v[n++] = value;
		}
		judge(&f[k], v, n);
	}
	qsort(f, N_FEATURES, sizeof *f, by_p);
	for (size_t k = 0; k < N_FEATURES; k++) {
		double corrected = f[k].p * (double)(N_FEATURES - k);

		highest = corrected > highest ? corrected : highest;
		f[k].p = highest > 1 ? 1 : highest;
	}
	printf("order\t%.3f\t%.4f\t%s\t%zu\n", fabs(f[0].rho), f[0].p, f[0].name, f[0].n);
	for (size_t k = 0; k < N_FEATURES; k++)
		printf("feature\t%s\t%.3f\t%.4f\t%zu\n", f[k].name, f[k].rho, f[k].p, f[k].n);
	free(v);
}

int main(int argc, char **argv)
{
	size_t gone = 0, gone_found = 0, present = 0, present_found = 0, second = 0, ids = 0;

	if (argc < 5 || sodium_init() < 0) {
		fputs("Use: seizure_carve CELLS GONE PRESENT IMAGE…\n", stderr);
		return 2;
	}
	read_cells(argv[1], argv[2], argv[3]);
	index_cells();
	for (int i = 4; i < argc; i++)
		carve(argv[i]);
	for (size_t i = 0; i < n_cells; i++) {
		gone += cells[i].gone;
		present += cells[i].present;
		gone_found += cells[i].gone && cells[i].n_copies > 0;
		present_found += cells[i].present && cells[i].n_copies > 0;
		second += cells[i].present && cells[i].n_copies > 1;
		ids += cells[i].gone && cells[i].id_first != NOWHERE;
	}
	printf("carve\t%zu\t%zu\t%zu\t%zu\t%zu\t%zu\t%" PRIu64 "\n", gone_found, gone, present_found,
	       present, second, ids, n_bytes);
	order();
	free(cells);
	free(entries);
	free(heads);
	free(map);
	return 0;
}
