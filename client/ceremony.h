/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * ceremony: how a desk gets its paper holder.  PROTOCOL section 7.4, DESIGN 11.
 *
 *	ceremony_new      makes a seed, its keys and its shares, in memory alone
 *	…                 every share is printed, and read back from its paper
 *	ceremony_read     … until each one was
 *	ceremony_publish  only then: batch, proofs and the charter that names the new holder
 *	ceremony_free     wipes
 *
 * The seed is never written anywhere but on paper.  A ceremony that ends before it was
 * published has left nothing but sheets that open nothing: it is held again from its beginning.
 */
#ifndef AMPARO_CEREMONY_H
#define AMPARO_CEREMONY_H

#include <stdbool.h>
#include <stdint.h>

#include "charters.h"
#include "client.h"
#include "paper.h"
#include "perr.h"

struct ceremony;

/*
 * why  out: after PERR_REFUSED a sentence, without a full stop at its end
 * PERR_REFUSED: this member does not hold the desk; need or of is impossible; another change of
 * the desk waits for signatures; the desk can have no more holders or changes.
 * PERR_NOTFOUND: no such desk in the roster.  PERR_NOMEM
 */
PERR_MUST_CHECK enum perr ceremony_new(struct ceremony **out, struct client *c,
                                      const uint8_t desk[32], uint32_t need, uint32_t of,
                                      char why[CHARTERS_WHY]);
void ceremony_free(struct ceremony *m);                 /* wipes; NULL is harmless */

/* share 1..of, to be printed; secret, borrowed */
const struct paper_share *ceremony_share(const struct ceremony *m, uint32_t index);
/* the new holder's key: its words are compared by the co-holders who sign the charter */
const uint8_t *ceremony_key(const struct ceremony *m);

/*
 * A share as it was read from its sheet.
 * why  out: after PERR_REFUSED which share or word is not as it was printed
 */
PERR_MUST_CHECK enum perr ceremony_read(struct ceremony *m, uint32_t index,
                                       const struct paper_share *typed, char why[CHARTERS_WHY]);
/* the same from typed words: any number of wrong ones is named */
PERR_MUST_CHECK enum perr ceremony_read_words(struct ceremony *m, uint32_t index,
                                             const uint16_t words[PAPER_WORDS],
                                             char why[CHARTERS_WHY]);

/*
 * Publish: one batch of the store.
 * PERR_STATE: a share was not read back yet.  PERR_REFUSED: as charters_propose.
 * PERR_CORRUPT: the shares that were read back do not give the seed (never, unless this
 * machine computes wrongly): nothing was published.
 */
PERR_MUST_CHECK enum perr ceremony_publish(struct ceremony *m, char why[CHARTERS_WHY]);

#endif
