/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * feature: the numbers that describe one run, in an order that is the same in every run.
 * A number that is missing in one run (a file that is not there) is added as 0 there.
 */
#ifndef AMPARO_WORLDS_FEATURE_H
#define AMPARO_WORLDS_FEATURE_H

#include <stddef.h>
#include <stdint.h>

/* what kind of thing it was seen in; the classifier gives each the same weight */
enum feature_group {
	FEATURE_FILES,          /* sizes, page kinds, fill, free lists, transactions */
	FEATURE_ORDER,          /* order of arrival against order on the disk or in an answer */
	FEATURE_PAGES,          /* bytes of tree pages and of whole files by position */
	FEATURE_CELL_BITS,      /* of released cells, by position */
	FEATURE_CELL_VALUES,
	FEATURE_ANSWERS,        /* order, counts, lengths */
	FEATURE_GROUPS
};
const char *feature_group_name(enum feature_group g);

struct features {
	float *v;               /* owned */
	size_t n, room;
	/* NULL: names are not wanted */
	struct feature_name *names;
};
struct feature_name {
	char text[72];
	uint8_t group;          /* enum feature_group */
};

void feature_init(struct features *f, int with_names);
void feature_free(struct features *f);
void feature_add(struct features *f, enum feature_group g, double v, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/*
 * A number that stands for a text or a sequence: equal ones give equal numbers, others
 * hardly ever.  Whole, below 2^24, so that a float holds it.
 */
double feature_digest(const void *bytes, size_t len);

/*
 * How bytes of n pieces of the same size are spread, position by position.
 *
 * pieces   in: n × size bytes, stride bytes from one to the next
 * bits     each position gives eight features: in how many pieces the bit is set
 * values   each position gives two: the sum over byte values of (times seen)², which grows
 *          with every value that comes up more often than chance has it, and how often the
 *          most frequent one is seen
 * means    each bucket of positions gives two: the mean byte, and how many are not zero
 */
void feature_bits(struct features *f, const uint8_t *pieces, size_t n, size_t size,
                   size_t stride, const char *name);
void feature_values(struct features *f, const uint8_t *pieces, size_t n, size_t size,
                     size_t stride, const char *name);
void feature_means(struct features *f, const uint8_t *pieces, size_t n, size_t size,
                    size_t stride, size_t bucket, const char *name);

/*
 * Two orders of the same n things held against each other.
 * arrival, place  in: of each thing
 * Gives the rank correlation, and for each eighth of the arrivals its mean place.
 */
void feature_order(struct features *f, const float *arrival, const float *place, size_t n,
                    const char *name);

#endif
