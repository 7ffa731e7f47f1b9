/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * seen: what is known of one server, in the store under server/<Noise key hex>; and the
 * digests of segments read lately from any server, under segdone.
 */
#ifndef AMPARO_SEEN_H
#define AMPARO_SEEN_H

#include <stdbool.h>
#include <stdint.h>

#include "client.h"
#include "perr.h"
#include "roster.h"

struct seen {
	uint32_t day, release;           /* everything up to here is stored; 0, 0: nothing yet */
	uint32_t scanned_through;        /* whole days; 0: never */
	uint32_t top_day, top_release;   /* the newest segment it ever announced */
	uint8_t board_digest[32];        /* the board as taken in last */
	uint8_t board_header[32];        /* and the roster under which it was */
	uint32_t rescan_day;             /* of the last rescan; 0: none */
	uint32_t failures;               /* visits in a row that did not reach it */
	uint32_t bytes_per_s;            /* of the last long download; 0: unknown */
	/*
	 * Under what it was read.  A sender may have had a newer roster than we: a season we did
	 * not hold, a desk of which we did not know to be a holder.
	 */
	uint32_t n_seasons;              /* of the roster then */
	uint32_t seasons[ROSTER_SEASONS_MAX];
	uint32_t version;                /* of the roster then */
	bool unplaced;                   /* something opened that seemed not to be for us */
};

/* all zero if nothing is known */
PERR_MUST_CHECK enum perr seen_load(struct client *c, const uint8_t server_pk[32],
                                   struct seen *s);
/* inside a batch of the caller's */
PERR_MUST_CHECK enum perr seen_save(struct client *c, const uint8_t server_pk[32],
                                   const struct seen *s);

/*
 * Segments are the same bytes wherever their set of cells is the same: one that was read
 * whole from one server is not read again from another.
 */
#define SEEN_DIGESTS 512
struct seen_digests {
	uint32_t n;
	uint8_t at[SEEN_DIGESTS][32];    /* oldest first */
};
PERR_MUST_CHECK enum perr seen_digests_load(struct client *c, struct seen_digests *d);
/* inside a batch of the caller's */
PERR_MUST_CHECK enum perr seen_digests_save(struct client *c, const struct seen_digests *d);
bool seen_digests_has(const struct seen_digests *d, const uint8_t digest[32]);
void seen_digests_add(struct seen_digests *d, const uint8_t digest[32]);

#endif
