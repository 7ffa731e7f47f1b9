/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "say.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "term.h"

void say(FILE *f, unsigned indent, const char *fmt, ...)
{
	char line[SAY_MAX], *safe;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof line, fmt, ap);
	va_end(ap);
	safe = term_safe(line, strlen(line), TERM_LINE);
	if (safe != NULL)
		term_wrap(f, term_width(f == stdout ? STDOUT_FILENO : STDERR_FILENO), indent, safe);
	free(safe);
}
