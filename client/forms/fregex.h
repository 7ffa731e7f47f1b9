/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * fregex: the regular expressions of forms, as Java writes them.
 *
 * Supported: literals, . [] [^] \d \w \s \D \W \S \b \t \n \r \uXXXX \p{L} \p{Lu} \p{Ll}
 * \p{N} \p{Alpha} and the like, ( ) (?: ) (?= ) (?! ), |, * + ? {m} {m,} {m,n}, each also
 * lazy, ^ and $.  Not: back references, look-behind, flags, possessive quantifiers.  It
 * backtracks, but its steps are counted: a pattern made to hang stops and does not match.
 */
#ifndef AMPARO_FREGEX_H
#define AMPARO_FREGEX_H

#include <stdbool.h>
#include <stddef.h>

#define FREGEX_PATTERN_MAX 2000

/* 1; 0: not, why says; -1: no memory */
int fregex_is_supported(const char *pattern, char *why, size_t why_cap);

/* 1: the pattern matches the whole text; 0: not, or it is not supported; -1: no memory */
int fregex_matches(const char *pattern, const char *text);

#endif
