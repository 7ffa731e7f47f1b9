/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * must: a test program without memory, or whose own setting breaks, ends at once and says
 * so; its exit code, 2, is not the one of a broken promise.
 */
#ifndef AMPARO_WORLDS_MUST_H
#define AMPARO_WORLDS_MUST_H

#include <stddef.h>

#include "perr.h"

#define MUST_BROKE 2

/* n × size bytes, zeroed; free() them */
void *must_alloc(size_t n, size_t size);
/* "two-worlds: the setting broke: …" on stderr, exit(MUST_BROKE) */
void must_fail(const char *fmt, ...) __attribute__((noreturn, format(printf, 1, 2)));
/* what  in: what was tried */
void must(enum perr err, const char *what);

#endif
