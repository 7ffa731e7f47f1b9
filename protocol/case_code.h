/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * case_code: the ten characters on a family's slip.  PROTOCOL section 4.3.
 *
 * Crockford's base 32, nine random characters (45 bits) and one check over GF(32): one
 * wrong character, or two exchanged ones, are always noticed.
 *
 * Nothing here takes a time that depends on the characters of a code: only on the length of the
 * text, and on what is returned.
 */
#ifndef AMPARO_CASE_CODE_H
#define AMPARO_CASE_CODE_H

#include <stdbool.h>
#include <stddef.h>

#include "perr.h"
#include "rng.h"

#define CASE_CODE_LEN    10              /* characters, without the ending zero */
#define CASE_CODE_SHOWN  11              /* XXXXX-XXXXX */

/* code out: canonical, ended with a zero */
void case_code_new(char code[CASE_CODE_LEN + 1], struct rng rng);
/*
 * Read what a person typed: lower case, blanks, hyphens, O for 0, I and L for 1.
 * code  out: canonical; empty after an error      text  in: ended with a zero
 * PERR_FORMAT: not ten characters of the alphabet.  PERR_AUTH: the check does not fit, so
 * at least one character is wrong.
 */
PERR_MUST_CHECK enum perr case_code_parse(char code[CASE_CODE_LEN + 1], const char *text);
/*
 * The same for the first characters of a code.
 * part  out: canonical, zeros behind; all zero after an error
 * Returns how many there are, 0..10; 0 also when one is not of the alphabet or there are more.
 */
size_t case_code_part(char part[CASE_CODE_LEN + 1], const char *text);
/* does the code begin with what case_code_part read? */
bool case_code_begins(const char code[CASE_CODE_LEN], const char part[CASE_CODE_LEN + 1]);
/* are these len bytes a code in canonical form? */
bool case_code_is_canonical(const char *s, size_t len);
/* out: XXXXX-XXXXX and a zero; code must be canonical */
void case_code_show(char out[CASE_CODE_SHOWN + 1], const char code[CASE_CODE_LEN + 1]);

#endif
