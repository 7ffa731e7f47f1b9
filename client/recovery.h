/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * recovery: shares brought together again: to rehearse, and to restore a desk that lost every
 * vault.  PROTOCOL section 7.4.
 *
 *	recovery_new      nothing yet
 *	recovery_add …    share by share; one that is wrong, of another set, or there twice is named
 *	recovery_join     the seed, in sodium_malloc, compared with the holder's key
 *	recovery_rehearse or recovery_begin … recovery_end
 *	recovery_free     wipes
 *
 * Nobody sees the seed: it is neither returned nor shown nor stored.
 */
#ifndef AMPARO_RECOVERY_H
#define AMPARO_RECOVERY_H

#include <stdbool.h>
#include <stdint.h>

#include "client.h"
#include "paper.h"
#include "papers.h"
#include "perr.h"

#define RECOVERY_WHY 400         /* one sentence, without a full stop at its end */

struct recovery;

PERR_MUST_CHECK enum perr recovery_new(struct recovery **out, struct client *c);
void recovery_free(struct recovery *r);                 /* wipes; NULL is harmless */

/*
 * A share as typed from its sheet.
 * why  out: after PERR_REFUSED a sentence that names the share and what is wrong with it
 * The first one decides which desk it is about.
 */
PERR_MUST_CHECK enum perr recovery_add(struct recovery *r, const struct paper_share *s,
                                      char why[RECOVERY_WHY]);
/* the desk and its paper holder, after the first share; NULL before */
const struct papers_info *recovery_paper(const struct recovery *r);
uint32_t recovery_have(const struct recovery *r);
uint32_t recovery_need(const struct recovery *r);       /* 0 before the first share */
uint32_t recovery_of(const struct recovery *r);

/*
 * Put the seed together.  A holder's device knows a proof of each share, so that none that is
 * wrong gets here; without the proofs one share more than needed tells which one is.
 * PERR_MORE: too few shares.  PERR_REFUSED: they do not fit each other: why says which one
 * does not, or that one more is needed to tell.
 */
PERR_MUST_CHECK enum perr recovery_join(struct recovery *r, char why[RECOVERY_WHY]);
/* is the seed there?  Also after PERR_REFUSED, when the other shares were enough without it */
bool recovery_is_joined(const struct recovery *r);

/*
 * Do the shares still open what is sealed today?  A canary is sealed as a volunteer would
 * seal it, from what was published, and opened with the keys of the seed; all keys of the batch
 * are compared.  Then the day is published, signed by the paper holder.
 * PERR_STATE: not joined, or this member does not hold the desk.  PERR_NOTFOUND: no batch is
 * known here, so nobody seals to this paper.  PERR_REFUSED: why
 */
PERR_MUST_CHECK enum perr recovery_rehearse(struct recovery *r, char why[RECOVERY_WHY]);

/*
 * Begin to restore: from now on c reads with the paper holder's keys, and every visit to a
 * server (sync.h) goes through all that it holds.  Unless the paper was replaced, or
 * `records_only`, the charter in which this member takes over is signed by the paper holder
 * and queued: one batch.
 *
 * keep    in: n_keep holders whose vaults are not lost: they stay
 * PERR_REFUSED: not an attorney, or why
 */
PERR_MUST_CHECK enum perr recovery_begin(struct recovery *r, const uint8_t (*keep)[32],
                                        uint32_t n_keep, bool records_only,
                                        char why[RECOVERY_WHY]);
/* c reads with its own keys again; the seed is wiped.  Harmless twice */
void recovery_end(struct recovery *r);

/* statements of the desk in this vault */
struct recovery_counts {
	unsigned cases, entries;
};
PERR_MUST_CHECK enum perr recovery_count(struct client *c, const uint8_t desk[32],
                                        struct recovery_counts *out);

#endif
