/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * The same client with another clock: as many seconds off as AMPARO_TEST_CLOCK says.  It
 * takes the place of client/cli/now.c when linked.
 */
#include <stdlib.h>
#include <time.h>

#include "cli.h"
#include "now.h"

int64_t now_unix_s(void)
{
	const char *off = getenv("AMPARO_TEST_CLOCK");

	return (int64_t)time(NULL) + (off != NULL ? atoll(off) : 0);
}

int main(int argc, char **argv)
{
	return cli_main(argc, argv);
}
