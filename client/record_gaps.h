/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * record_gaps: what an author sent to a desk and this member did not get.
 */
#ifndef AMPARO_RECORD_GAPS_H
#define AMPARO_RECORD_GAPS_H

#include <stdbool.h>
#include <stdint.h>

#include "client.h"
#include "perr.h"

/*
 * Sequence numbers towards the desks this member holds.  A gap is a statement that did not
 * arrive (yet); two statements under one number are two devices with one key.  Before a gap
 * is reported as a loss, rescan with all keys.
 */
struct record_gap {
	uint8_t author[32], desk[32];
	uint32_t highest;            /* number seen; of several stretches, together */
	uint32_t missing;            /* numbers below it that were not */
	uint32_t twice;              /* numbers used for two statements */
	uint32_t restored;           /* day on which the device was restored from a backup last, 0: never */
	bool two_devices;            /* the one from before went on after that */
};
typedef enum perr record_gap_fn(void *arg, const struct record_gap *g);
/* only authors with something missing or used twice, or with two devices */
PERR_MUST_CHECK enum perr record_gaps(struct client *c, record_gap_fn *fn, void *arg);

#endif
