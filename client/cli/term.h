/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * term: the terminal, for a program whose texts come from strangers.
 *
 * Everything is UTF-8, whatever LANG says.  Text from a record, a member's name, a
 * file name or a server MUST go through term_safe before it is printed: an
 * ESC in a name could otherwise rewrite the screen, a bidi override swap digits of
 * an alien number, and an invisible character make two names look the same.
 */
#ifndef AMPARO_TERM_H
#define AMPARO_TERM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "perr.h"

#define TERM_WIDTH_MIN 40

/* Whether the file descriptor is a terminal. */
bool term_is_tty(int fd);

/* Columns of the terminal, 40 or more; 80 where fd is none. */
unsigned term_width(int fd);

enum term_mode {
	TERM_LINE,      /* line ends and tabs become one space: for cells of a table */
	TERM_TEXT       /* line ends stay, a tab becomes four spaces */
};

/*
 * A harmless form of untrusted text.
 *
 * text, len   in: any bytes; may be NULL if len is 0
 *
 * Result: malloc'd, 0 at its end, valid UTF-8 (kept byte for byte where it is harmless: accents,
 * glottal marks, emoji); the caller frees it; NULL if there is no memory.
 * Control characters, ESC, bidi controls, invisible and format characters are
 * shown as <1B>, <202E>; bytes that are not UTF-8 as U+FFFD.
 */
char *term_safe(const char *text, size_t len, enum term_mode mode);

/* term_safe and print to f, without a line end.  False if memory or writing failed. */
bool term_print(FILE *f, const char *text, size_t len, enum term_mode mode);

/*
 * Print text (0-terminated, trusted or already from term_safe) wrapped at words to `width`
 * columns, every line after `indent` spaces, line ends in the text kept; ends with
 * a line end.  A word longer than the line is cut between characters.
 */
void term_wrap(FILE *f, unsigned width, unsigned indent, const char *text);

/*
 * The next code point of len bytes of text.
 * cp   out: code point; U+FFFD for a byte that is not UTF-8 (then 1 is returned)
 * Result: bytes taken; 0 only if len is 0.
 */
size_t term_next(const char *text, size_t len, uint32_t *cp);

/* Columns of one code point: 0 (combining, zero width), 1 or 2 (wide). */
unsigned term_cp_width(uint32_t cp);

/* Columns of a 0-terminated text. */
unsigned term_columns(const char *text);

/*
 * Bytes of text that fit into max columns, whole characters with their combining
 * marks; *columns, if not NULL: how many columns they take.
 */
size_t term_fit(const char *text, unsigned max, unsigned *columns);

/*
 * Print prompt on out (if in is a terminal) and read one line from in.
 *
 * line   out: malloc'd, without its line end, 0 at the end; the caller frees it;
 *        NULL after an error.  Not for passphrases.
 * PERR_TRUNCATED: end of input before any byte.  PERR_LIMIT: longer than 64 KiB.
 */
PERR_MUST_CHECK enum perr term_ask(FILE *in, FILE *out, const char *prompt, char **line);

/*
 * A question answered by yes or no (y, yes, s, si, sí, n, no; any case).  An empty
 * line means deflt; anything else asks again, three times, then it is no.
 * The end of the input is no: a script that answers nothing agrees to nothing.
 */
bool term_yes(FILE *in, FILE *out, const char *question, bool deflt);

#endif
