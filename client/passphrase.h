/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * passphrase: how a passphrase gets from a person to the vault.
 *
 * From the terminal (/dev/tty, nothing shown while typing) or from the first line
 * of a file (--passphrase-file).  Never from argv and never from the environment:
 * other processes can read both.  The terminal is put back as it was when the
 * person types Ctrl-C or the process is stopped or ended by a signal.  Buffers are in
 * sodium_malloc and wiped.
 *
 * A text of exactly six words of words.h (any case, any spaces, four letters are
 * enough for each) is brought to one spelling, so that what was written on paper
 * works however it is typed.  Any other text is taken byte by byte.
 */
#ifndef AMPARO_PASSPHRASE_H
#define AMPARO_PASSPHRASE_H

#include <stddef.h>

#include "perr.h"

#define PASSPHRASE_MAX   511    /* bytes */
#define PASSPHRASE_WORDS 6      /* of a generated one: 60 bits */
/*
 * The least strength of a passphrase of one's own, in bits, as zxcvbn sees it.
 * A thousand large graphics cards try some 2^19 passphrases a second against the
 * vault's usual cost: 50 bits are about 30 years for them.
 */
#define PASSPHRASE_MIN_BITS 50.0

/* In sodium_malloc.  text has a 0 byte at text[len]. */
struct passphrase {
	size_t len;
	char text[PASSPHRASE_MAX + 1];
};

/* Wipes and frees; NULL is harmless. */
void passphrase_free(struct passphrase *p);

/*
 * The passphrase of a vault that exists.
 *
 * out   out: to be given to passphrase_free; NULL after an error
 * file  in: path given by --passphrase-file, or NULL for the terminal
 *
 * Says on stderr what is wrong, in one sentence.
 * PERR_STATE: no terminal (use --passphrase-file).  PERR_TRUNCATED: the person
 * typed Ctrl-D.  PERR_NOTFOUND, PERR_IO: the file.  PERR_RANGE: empty, longer than
 * PASSPHRASE_MAX, or holds a 0 byte.  PERR_NOMEM.  A file that others can read: a
 * warning.
 */
PERR_MUST_CHECK enum perr passphrase_ask(struct passphrase **out, const char *file);

/*
 * A passphrase for a new vault.  On the terminal a generated one of six words is
 * offered first (Enter takes it); it, or the person's own, is asked a second time,
 * and a weak one is refused with a reason, up to five rounds.  From a file:
 * a weak one is refused too.
 * PERR_KEY: too weak, or not typed the same twice in five rounds.  Else as passphrase_ask.
 */
PERR_MUST_CHECK enum perr passphrase_choose(struct passphrase **out, const char *file);

/* A fresh one of six words. */
PERR_MUST_CHECK enum perr passphrase_generate(struct passphrase **out);

/* Its strength in bits, as zxcvbn sees it (0 if there is no memory to look). */
double passphrase_bits(const struct passphrase *p);

#endif
