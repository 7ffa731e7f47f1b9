/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * words: 1024 plain English words, ten bits each, for what people read to each
 * other on the telephone or from paper: charter words, confirmation codes,
 * generated passphrases.  PROTOCOL appendix "words".
 *
 * Lower-case a-z, 3 to 7 letters, in alphabetical order.  The first four letters
 * decide (a word of three letters decides whole).  No two sound alike.
 * The list is part of the protocol: changing one word breaks every sheet of paper.
 */
#ifndef AMPARO_WORDS_H
#define AMPARO_WORDS_H

#include <stddef.h>
#include <stdint.h>

#include "perr.h"

#define WORDS_COUNT   1024
#define WORDS_BITS    10
#define WORDS_LEN_MAX 7

/* Word number i, 0 <= i < WORDS_COUNT; static; NULL outside. */
const char *words_get(unsigned i);

/*
 * The number of a word, or -1.  text_len bytes of text, any case, no spaces: the
 * whole word, or its first four letters or more of it.
 */
int words_find(const char *text, size_t text_len);

/*
 * n words from the leading 10 * n bits of bytes, most significant bit first.
 *
 * words  out: n static strings; may be NULL
 * idx    out: n numbers; may be NULL
 *
 * PERR_RANGE: fewer than 10 * n bits in len bytes.
 */
PERR_MUST_CHECK enum perr words_from_bytes(const char **words, uint16_t *idx, size_t n,
                                           const uint8_t *bytes, size_t len);

/* Bytes, the final 0 included, that words_phrase needs for n words. */
#define WORDS_PHRASE_SIZE(n) ((n) * (WORDS_LEN_MAX + 1) + 1)

/*
 * The same as text: n words with one space between, 0 at the end.
 * out      out: out_size bytes; "" after an error
 * PERR_RANGE: as above, or out_size < WORDS_PHRASE_SIZE(n).
 */
PERR_MUST_CHECK enum perr words_phrase(char *out, size_t out_size, size_t n,
                                       const uint8_t *bytes, size_t len);

#endif
