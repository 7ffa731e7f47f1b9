/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * The same server with another clock: as many seconds off as the file named by
 * AMPAROD_TEST_CLOCK says.  It takes the place of server/clock.c when linked.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "clock.h"
#include "command.h"

int64_t clock_unix_s(void)
{
	const char *path = getenv("AMPAROD_TEST_CLOCK");
	FILE *f = path != NULL ? fopen(path, "r") : NULL;
	long long off = 0;

	if (f != NULL) {
		if (fscanf(f, "%lld", &off) != 1)
			off = 0;
		fclose(f);
	}
	return (int64_t)time(NULL) + off;
}

int main(int argc, char **argv)
{
	return command_main(argc, argv);
}
