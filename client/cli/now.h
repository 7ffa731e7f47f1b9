/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * now: the wall clock, alone in its file, so that a test build can link another one and
 * the real program has no switch for it.
 */
#ifndef AMPARO_NOW_H
#define AMPARO_NOW_H

#include <stdint.h>

/* seconds since 1970-01-01 UTC */
int64_t now_unix_s(void);

#endif
