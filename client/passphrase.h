/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * passphrase: how a passphrase gets from a person to the vault.
 *
 * From the terminal (/dev/tty, nothing shown while typing) or from the first line
 * of a file (--passphrase-file).  Never from argv and never from the environment:
 * other processes can read both.  The terminal is put back as it was when the
 * person types Ctrl-C or the process is stopped or ended by a signal.  Buffers are in
 * sodium_malloc and wiped.
 */
#ifndef AMPARO_PASSPHRASE_H
#define AMPARO_PASSPHRASE_H

#include "perr.h"
#include "phrase.h"

/*
 * The passphrase of a vault that exists.
 *
 * out   out: to be given to phrase_free; NULL after an error
 * file  in: path given by --passphrase-file, or NULL for the terminal
 *
 * Says on stderr what is wrong, in one sentence.
 * PERR_STATE: no terminal (use --passphrase-file).  PERR_TRUNCATED: the person
 * typed Ctrl-D.  PERR_NOTFOUND, PERR_IO: the file.  PERR_RANGE: empty, longer than
 * PHRASE_MAX, or holds a 0 byte.  PERR_NOMEM.  A file that others can read: a
 * warning.
 */
PERR_MUST_CHECK enum perr passphrase_ask(struct phrase **out, const char *file);

/*
 * A passphrase for a new vault.  On the terminal a generated one of six words is
 * offered first (Enter takes it); it, or the person's own, is asked a second time,
 * and a weak one is refused with a reason, up to five rounds.  From a file:
 * a weak one is refused too.
 * PERR_KEY: too weak, or not typed the same twice in five rounds.  Else as passphrase_ask.
 */
PERR_MUST_CHECK enum perr passphrase_choose(struct phrase **out, const char *file);

#endif
