/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * fold: two spellings of one name become the same bytes, for searching.
 *
 * Case, accents and glottal marks fall away: "Q'anjob'al", "qanjob’al" and "QANJOBʼAL"
 * all fold to "qanjobal", "Xʼẍajaẍ" to "xxajax", "José" written with one code point or
 * two to "jose".  White space of any kind and length becomes one space.  The tables are
 * our own, so the result is the same on every machine whatever its locale.  Letters
 * outside Latin, Greek and Cyrillic stay as they are.  Bytes that are not UTF-8 become '?'.
 */
#ifndef AMPARO_FOLD_H
#define AMPARO_FOLD_H

#include <stdbool.h>
#include <stddef.h>

/* The folded text of len bytes needs at most FOLD_MAX(len) bytes, the zero included. */
#define FOLD_MAX(len) (2 * (len) + 1)

/*
 * out   out: the folded text and a zero; out_cap >= 1; never cut inside a character
 * returns the bytes written, without the zero
 */
size_t fold_text(char *out, size_t out_cap, const char *text, size_t len);

/*
 * Decodes one code point of UTF-8 at *s, which ends at end, and moves *s behind it.
 * Overlong forms, surrogates and cut sequences give U+FFFD and move one byte.
 */
unsigned fold_utf8(const char **s, const char *end);

/*
 * Makes s one line that a terminal may print: control characters, line ends and signs that
 * turn the direction of writing become spaces, bytes that are not UTF-8 go away.
 */
void fold_tidy(char *s);

/* Whether s is UTF-8 that an XML document can hold: no control signs but tab and line ends. */
bool fold_is_text(const char *s, size_t len);

/* Code points of s[0..len) */
size_t fold_length(const char *s, size_t len);

#endif
