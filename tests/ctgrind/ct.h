/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * ct: secrets as memcheck sees them.  A secret is marked undefined; a branch, an address or a
 * system call that depends on it is then an error that memcheck counts (the idea is
 * Adam Langley's ctgrind).  Outside valgrind everything runs and nothing is found.
 */
#ifndef AMPARO_TEST_CT_H
#define AMPARO_TEST_CT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void ct_secret(const void *p, size_t len);
void ct_public(const void *p, size_t len);
/* does any bit of it depend on a secret? */
bool ct_is_secret(const void *p, size_t len);
/* branches and addresses found so far */
unsigned ct_found(void);
/*
 * The wrappers of accepted.c: with false a decision stays secret, so that a branch on it
 * must be found.  n: which, as in ct_wrapper; ct_all: every one.
 */
#define CT_ALL (~0u)
void ct_accept(unsigned which, bool accepted);
/* name of wrapper n, NULL behind the last; *used: how often its result was a secret */
const char *ct_wrapper(unsigned n, unsigned *used);

#endif
