/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * trust: which desks this device seals to, which members it has compared by voice.
 * PROTOCOL 7.2.
 */
#ifndef AMPARO_TRUST_H
#define AMPARO_TRUST_H

#include <stdbool.h>
#include <stdint.h>

#include "client.h"
#include "desk.h"
#include "perr.h"

enum trust_how {
	TRUST_UNKNOWN = 0,
	TRUST_ANCHOR = 1,            /* the invitation names it */
	TRUST_HOLDER = 2,            /* this member signed its charter */
	TRUST_COUNTERSIGNED = 3,     /* a trusted desk vouches for it */
	TRUST_WORDS = 4              /* two of its words were typed from paper */
};

/* how this desk is trusted; TRUST_UNKNOWN if it is not */
PERR_MUST_CHECK enum perr trust_desk(struct client *c, const uint8_t desk_id[32],
                                    enum trust_how *how);
/* pin a desk (inside a batch of the caller's) */
PERR_MUST_CHECK enum perr trust_pin(struct client *c, const uint8_t desk_id[32],
                                   enum trust_how how);
/*
 * Pin a desk by words that were typed from paper.  One batch.
 * at, typed  in: as of desk_words_ask and desk_words_match
 * PERR_AUTH: they are not this desk's: nothing will be sealed to it.
 */
PERR_MUST_CHECK enum perr trust_by_words(struct client *c, const uint8_t desk_id[32],
                                        const unsigned at[DESK_WORDS_ASK],
                                        const uint16_t typed[DESK_WORDS_ASK]);
/*
 * After a new roster: pin what countersignatures and the anchor allow, remember the highest
 * charter version and lowest batch numbers.  Called by client_adopt, inside its batch.
 * PERR_CHAIN: a pinned desk's chain went back or no longer verifies: the roster is refused.
 */
PERR_MUST_CHECK enum perr trust_follow(struct client *c);

/* a member before the first assignment: 0 never seen, 1 seen, 2 compared by voice */
PERR_MUST_CHECK enum perr trust_member(struct client *c, const uint8_t key_id[32], int *known);
PERR_MUST_CHECK enum perr trust_member_set(struct client *c, const uint8_t key_id[32], int known);
/* somebody compared the words of this key by voice: remembered, in a batch of its own */
PERR_MUST_CHECK enum perr trust_member_compared(struct client *c, const uint8_t key_id[32]);

#endif
