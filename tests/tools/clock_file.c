/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "clock_file.h"

#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"

static int file = -1;

int clock_file_named(const char *variable)
{
	const char *path = getenv(variable);

	return path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);
}

void clock_file_open(void)
{
	file = clock_file_named("AMPAROD_TEST_CLOCK");
}

long long clock_file_offset(void)
{
	char text[32] = "";

	if (file >= 0 && pread(file, text, sizeof text - 1, 0) < 0)
		text[0] = '\0';
	return strtoll(text, NULL, 10);
}

int64_t clock_unix_s(void)
{
	return (int64_t)time(NULL) + clock_file_offset();
}
