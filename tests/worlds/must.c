/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "must.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void *must_alloc(size_t n, size_t size)
{
	void *p = calloc(n == 0 ? 1 : n, size == 0 ? 1 : size);

	if (p == NULL)
		must_fail("out of memory");
	return p;
}

void must_fail(const char *fmt, ...)
{
	va_list ap;

	fflush(stdout);
	fputs("two-worlds: the setting broke: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputs("\n", stderr);
	exit(MUST_BROKE);
}

void must(enum perr err, const char *what)
{
	if (err != PERR_OK)
		must_fail("%s: %s (%s)", what, perr_text(err), perr_name(err));
}
