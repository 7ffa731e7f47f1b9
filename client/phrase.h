/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * phrase: what a passphrase is, wherever it was typed: its spelling, its strength, a fresh one.
 *
 * How it gets here from a terminal or a file is passphrase.h's; a browser gives its bytes.
 *
 * A text of exactly six words of words.h (any case, any spaces, four letters are
 * enough for each) is brought to one spelling, so that what was written on paper
 * works however it is typed.  Any other text is taken byte by byte.
 */
#ifndef AMPARO_PHRASE_H
#define AMPARO_PHRASE_H

#include <stdbool.h>
#include <stddef.h>

#include "perr.h"

#define PHRASE_MAX   511    /* bytes */
#define PHRASE_WORDS 6      /* of a generated one: 60 bits */
/*
 * The least strength of a passphrase of one's own, in bits, as zxcvbn sees it.
 * A thousand large graphics cards try some 2^19 passphrases a second against the
 * vault's usual cost: 50 bits are about 30 years for them.
 */
#define PHRASE_MIN_BITS 50.0

/* In sodium_malloc.  text has a 0 byte at text[len]. */
struct phrase {
	size_t len;
	char text[PHRASE_MAX + 1];
};

/* An empty one; NULL: out of memory. */
struct phrase *phrase_new(void);
/* Wipes and frees; NULL is harmless. */
void phrase_free(struct phrase *p);

/*
 * One that was typed, in its one spelling.
 * out   out: to be given to phrase_free; NULL after an error
 * text  in: len bytes; not kept
 * PERR_RANGE: empty, longer than PHRASE_MAX, or holds a 0 byte.  PERR_NOMEM.
 */
PERR_MUST_CHECK enum perr phrase_of(struct phrase **out, const char *text, size_t len);

/* Six words of the list become those words with one space between; anything else stays as
 * it is.  Returns whether they were six words of the list. */
bool phrase_canon(struct phrase *p);

/* A fresh one of six words, which phrase_is_enough. */
PERR_MUST_CHECK enum perr phrase_generate(struct phrase **out);

/* Its strength in bits, as zxcvbn sees it (0 if there is no memory to look). */
double phrase_bits(const struct phrase *p);

/*
 * Its strength in bits, without a dictionary: for a page, which has no room for one that is
 * larger than the rest of it.  So every word counts as one that everybody knows:
 *
 *	a word of four letters or more   10: one of a thousand; what follows a digit or a sign
 *	                                 inside of it, or a change to capitals, 2 each
 *	a shorter one                    5; 10 if all six are of the list, as they are offered
 *	digits alone, or at its ends     3 and 2 for each but the first, at most 12: years, days
 *	what stood there before          1
 *
 * Blanks part words.  It asks for more than phrase_bits does, and refuses what that would
 * take rather than the reverse: test_passphrase compares them.
 */
unsigned phrase_least(const struct phrase *p);
/* Whether that is enough for a new vault: PHRASE_MIN_BITS. */
bool phrase_is_enough(const struct phrase *p);

/* Are they the same, in their one spelling? */
bool phrase_is_same(const struct phrase *a, const struct phrase *b);

#endif
