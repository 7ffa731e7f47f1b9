/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * image: a server's data folder as somebody finds it who takes the disk, and what can be
 * counted in it.  Files are read as bytes and their LMDB pages picked apart here, without
 * LMDB and without the server's own reader: also what no tree leads to is looked at.
 */
#ifndef AMPARO_WORLDS_IMAGE_H
#define AMPARO_WORLDS_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#include "feature.h"

#define IMAGE_FILES    128
#define IMAGE_SEGMENTS 8        /* places for them in the features */
#define IMAGE_ID       32u

struct image_file {
	char name[80];          /* "state.mdb", "segments/20000.01.mdb", "bulletin/…" */
	uint8_t *bytes;
	size_t len;
	uint64_t blocks;        /* of 512 bytes */
	unsigned mode;
};
struct image {
	struct image_file *v;   /* by name */
	size_t n;
};

/* all of it; a file that cannot be read, or too many, ends the program */
void image_read(struct image *im, const char *dir);
void image_free(struct image *im);
const struct image_file *image_find(const struct image *im, const char *name);

/* in which order cells arrived */
struct image_arrivals {
	struct image_arrival {
		uint8_t id[IMAGE_ID];
		uint32_t nth;
	} *v;                   /* by id, once sorted */
	size_t n, room;
	int is_sorted;
};
void image_arrived(struct image_arrivals *a, const uint8_t id[IMAGE_ID]);
/* 0: not one of them */
int image_nth(struct image_arrivals *a, const uint8_t id[IMAGE_ID], uint32_t *nth);
void image_arrivals_free(struct image_arrivals *a);

/*
 * Sizes, page kinds, fill, free list, transactions, headers, slack, order of cells: of one
 * file; all zero if it is NULL.  label: how its features are called.
 */
void image_structure(struct features *f, const struct image_file *file,
                     struct image_arrivals *a, const char *label);
/* Bytes of its tree and meta pages by position in the page, in buckets. */
void image_pages(struct features *f, const struct image_file *file, size_t bucket,
                 const char *label);
/*
 * All of the folder: names, sizes and the two above of state, pool and each segment; the
 * bulletin's parts; files nobody expects.
 */
void image_features(struct features *f, const struct image *im, struct image_arrivals *a,
                    const char *label);

/* Copies of all cells in segments, in file and page order: 4,080 bytes each; free() them. */
uint8_t *image_cells(const struct image *im, size_t *n);
/* the cells of one file, at most max, in page order; how many */
size_t image_cells_of(const struct image_file *file, uint8_t *cells, size_t max);

#endif
