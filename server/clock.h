/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * clock: the wall clock, alone in its file, so that a test build can link another one and
 * the real program has no switch for it.
 */
#ifndef AMPARO_CLOCK_H
#define AMPARO_CLOCK_H

#include <stdint.h>

/* seconds since 1970-01-01 UTC */
int64_t clock_unix_s(void);

#endif
