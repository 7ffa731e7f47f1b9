/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * desk: a verified chain of charters, the six words of a desk, and whether a client may
 * seal to it.  PROTOCOL section 7.2.
 *
 * The roster is the administrators' word; which desks exist, who holds them and where a
 * form goes stand in it.  So nothing of that is enough to seal: a desk must be pinned,
 * by something no administrator can make: the anchor of the paper invitation, one's own
 * signature as a holder, the countersignature of a pinned desk, or words typed from paper.
 */
#ifndef AMPARO_DESK_H
#define AMPARO_DESK_H

#include "charter.h"

#define DESK_WORDS      6
#define DESK_WORDS_ASK  2
#define DESK_FORMER_MAX ((CHARTER_CHAIN_MAX - 1) * CHARTER_HOLDERS_MAX)

/* what a verified chain says */
struct desk {
	uint8_t id[32];                  /* hash of version 0 */
	struct charter now;              /* the charter in force: the last of the chain */
	uint32_t n_hashes;               /* now.version + 1 */
	uint8_t hashes[CHARTER_CHAIN_MAX][32];
	/* who held the desk under an earlier charter and does not any more */
	uint32_t n_former;
	uint8_t former[DESK_FORMER_MAX][32];
	bool own_signed;                 /* some version of the chain carries a valid
	                                  * signature of the key given to desk_verify */
};

/*
 * chain    in: n signed charters from version 0 on, 1..CHARTER_CHAIN_MAX
 * own      in: the client's own key id, or NULL
 * PERR_FORMAT.  PERR_SIGS: a charter lacks signatures.  PERR_CHAIN: a version or previous
 * hash is wrong.
 */
PERR_MUST_CHECK enum perr desk_verify(struct desk *d, const struct doc_bytes *chain, size_t n,
                                     const uint8_t own[32]);

/*
 * Did this key ever hold the desk?  What a holder said stays said after a change of holders,
 * and late intakes still reach whoever held it.
 */
bool desk_had_holder(const struct desk *d, const uint8_t key[32]);

/* ---- trust ------------------------------------------------------------------------------- */

enum desk_trust {
	DESK_UNKNOWN = 0,                /* never sealed to */
	DESK_PINNED_ANCHOR,              /* the client's invitation is anchored to it */
	DESK_PINNED_HOLDER,              /* the client is a holder and signed a charter of it */
	DESK_PINNED_COUNTERSIGNED,       /* by the threshold of a pinned desk */
	DESK_PINNED_WORDS                /* two of its words were typed from paper */
};
/* what a client keeps of a desk, for ever: the newest charter it has followed */
struct desk_pin {
	uint8_t id[32];
	enum desk_trust trust;           /* why; never DESK_UNKNOWN */
	uint32_t version;
	uint8_t hash[32];                /* of that version */
};
struct desk_verdict {
	enum desk_trust trust;
	enum perr err;                   /* PERR_OLD, PERR_FORK: a pinned desk's chain went back
	                                  * or sideways; trust is DESK_UNKNOWN then, and the
	                                  * charter kept with the pin stays in force.
	                                  * PERR_OLD also: below lowest */
};

/*
 * Judge all desks of a roster at once, since one may vouch for another.
 *
 * verdicts  out: n_desks
 * desks     in: verified
 * firsts    in: the signed charter of version 0 of each, as desk_verify saw it:
 *           countersignatures stand under it
 * lowest    in: n_desks lowest acceptable charter versions of the roster, or NULL
 * pins      in: what the client keeps
 * own       in: own key id, or NULL
 *
 * The caller then stores a pin (desk_pin_of) for each desk judged pinned.
 * PERR_NOMEM.  PERR_FORMAT: firsts do not belong to desks.
 */
PERR_MUST_CHECK enum perr desk_judge(struct desk_verdict *verdicts, const struct desk *desks,
                                    const struct doc_bytes *firsts, size_t n_desks,
                                    const uint32_t *lowest, const struct desk_pin *pins,
                                    size_t n_pins, const uint8_t own[32]);
/* the pin to store for a desk judged pinned, or anchored, or whose words were typed */
void desk_pin_of(struct desk_pin *pin, const struct desk *d, enum desk_trust trust);
/*
 * Follow a pinned desk to a later charter.  PERR_OLD: a lower version.  PERR_FORK: the
 * version followed so far is not in this chain, or it is another desk.
 */
PERR_MUST_CHECK enum perr desk_pin_follow(struct desk_pin *pin, const struct desk *d);

/* "pinned by its invitation"; static */
const char *desk_trust_text(enum desk_trust t);

/* ---- words ------------------------------------------------------------------------------- */

/*
 * words out: six indices 0..1023 into the list of words.h.  Of a desk's id they are what the
 * training sheet says, whoever holds the desk now; of the hash of its charter in force
 * (hashes[n_hashes - 1]) they are for people who want to compare who holds it now.
 */
void desk_words(uint16_t words[DESK_WORDS], const uint8_t desk_id[32]);
/* which words to ask for: two different places 0..5, in random order */
void desk_words_ask(unsigned at[DESK_WORDS_ASK], struct rng rng);
/* were both typed right?  typed: indices, in the order of at */
bool desk_words_match(const uint8_t desk_id[32], const unsigned at[DESK_WORDS_ASK],
                      const uint16_t typed[DESK_WORDS_ASK]);

#endif
