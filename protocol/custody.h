/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * custody: what a holder says of the statements in its vault, so that two vaults find out
 * in what they differ without telling each other everything.  PROTOCOL 4.2 kind 8, 4.4.
 *
 * What is held is a set of elements, one for each statement addressed to the desk:
 *
 *	first 20 bytes of H(statement) ‖ u64 attachments missing, bit i for the i-th of its list
 *
 * A custody statement gives, for ranges of days (field 4 of the statements), count and
 * digest of the elements.  Whoever computes another digest over the same days lists the
 * elements of those days in the next custody statement.  No state is kept between two:
 * each one says all.
 *
 * Nothing is allocated here; everything points into bytes of the caller's.
 */
#ifndef AMPARO_CUSTODY_H
#define AMPARO_CUSTODY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "doc.h"

#define CUSTODY_HASH      20             /* bytes of a statement's hash */
#define CUSTODY_ELEMENT   28             /* bytes of an element */
#define CUSTODY_DIGEST    16
#define CUSTODY_RANGE     28             /* u32 first ‖ u32 last ‖ u32 count ‖ digest */
#define CUSTODY_RANGES    512
#define CUSTODY_LISTS     64
#define CUSTODY_ELEMENTS  32768          /* in all lists of one statement */
#define CUSTODY_ERASED    4096
#define CUSTODY_RECORD    16

/* the elements of some days, all of them whose first byte is in low..high */
struct custody_list {
	uint32_t first, last;            /* days */
	uint8_t low, high;
	struct doc_bytes elements;       /* CUSTODY_ELEMENT each, rising */
};

/* the body of a custody statement */
struct custody {
	uint32_t through_day;            /* some server was scanned whole up to it; 0: none */
	uint32_t n_held;                 /* elements */
	struct doc_bytes ranges;         /* CUSTODY_RANGE each, rising; no day elsewhere is held */
	uint32_t n_lists;
	struct custody_list lists[CUSTODY_LISTS];
	struct doc_bytes erased;         /* record ids, rising: not held because erased */
};

struct custody_range {
	uint32_t first, last, count;
	uint8_t digest[CUSTODY_DIGEST];
};

/* is it in the order and within the limits that PROTOCOL 4.2 asks for? */
bool custody_is_sound(const struct custody *k);

size_t custody_n_ranges(const struct custody *k);
struct custody_range custody_range(const struct custody *k, size_t i);
void custody_put_range(uint8_t out[CUSTODY_RANGE], const struct custody_range *r);
/* the range that holds this day, or false: nothing is held there */
bool custody_range_of(const struct custody *k, uint32_t day, struct custody_range *r);

void custody_element(uint8_t out[CUSTODY_ELEMENT], const uint8_t hash[CUSTODY_HASH],
                     uint64_t missing);
/* the first 16 bytes of H over n elements joined, which must be rising (asserted) */
void custody_digest(uint8_t digest[CUSTODY_DIGEST], const uint8_t (*elements)[CUSTODY_ELEMENT],
                    size_t n);

/* what the lists say of one statement */
enum custody_listed { CUSTODY_NOT_LISTED, CUSTODY_LISTED, CUSTODY_LACKED };
/* missing  out: of the listed one */
enum custody_listed custody_listed(const struct custody *k, uint32_t day,
                                   const uint8_t hash[CUSTODY_HASH], uint64_t *missing);
/* is this record among the erased ones? */
bool custody_says_erased(const struct custody *k, const uint8_t record[CUSTODY_RECORD]);

/*
 * The body of a custody statement, read and written; as in statement_int.h.
 */
void custody_get(struct mp_reader *r, struct doc_map *m, struct custody *k);
void custody_put(struct mp_writer *w, const struct custody *k);

#endif
