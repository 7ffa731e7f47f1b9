/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * scan: many patterns against much data, once.  Each pattern is filed under four of its own
 * bytes, those that fewest others share; a bit map says for each offset of the data whether
 * four bytes there belong to any pattern, and only then anything is compared.  Pages of zeros
 * are stepped over.
 *
 * Times are not patterns but ranges: numbers of 4 and 8 bytes in both orders are read at
 * every offset and held against the visits.
 */
#ifndef AMPARO_SEIZURE_SCAN_H
#define AMPARO_SEIZURE_SCAN_H

#include "canary.h"

struct scan;

/* every shape of every canary; borrows the plan */
struct scan *scan_new(const struct plan *p);
void scan_free(struct scan *s);
size_t scan_patterns(const struct scan *s);      /* how many, ranges counted as one each */

/*
 * base  in: what offset p[0] has; the callback is told base + its own
 * Hits are told for matches that begin in p[0..own), those behind are only looked into.
 */
void scan_data(struct scan *s, const uint8_t *p, size_t len, size_t own, uint64_t base,
               void (*hit)(void *arg, size_t canary, enum shape shape, uint64_t at), void *arg);

/*
 * A whole file, holes stepped over; bytes: its length is added.  hit as above.
 * False: it cannot be read.
 */
bool scan_file(struct scan *s, const char *path, uint64_t *bytes,
               void (*hit)(void *arg, size_t canary, enum shape shape, uint64_t at), void *arg);

#endif
