/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * quorum_words: what a proposal would change, in sentences for the administrator who is asked
 * to sign it.  They come from the roster in force here and from the version that this device
 * made of the proposal; nothing in them was written by the proposer, except the names, notes and
 * titles that are part of the change itself (not made harmless: term.h).
 *
 * Nothing is left out: the two rosters are made equal in all that the sentences speak of, and
 * if they still differ a last sentence says that something changes that this program has no
 * words for.
 */
#ifndef AMPARO_QUORUM_WORDS_H
#define AMPARO_QUORUM_WORDS_H

#include "client.h"
#include "perr.h"
#include "quorum.h"

/* grave: administrators, who reads, keys of a desk: what cannot be taken back easily */
typedef enum perr quorum_words_fn(void *arg, const char *sentence, bool grave);
/* c as stored, with the roster that the proposal stands upon */
PERR_MUST_CHECK enum perr quorum_words(struct client *c, const struct quorum_docs *d,
                                      quorum_words_fn *fn, void *arg);

#endif
