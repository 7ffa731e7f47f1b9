/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * The drill's server: amparod with another clock, as many seconds off as the file named by
 * AMPAROD_TEST_CLOCK says, which it looks at five times a second instead of every ten, so
 * that days pass quickly.  It takes the place of server/clock.c and is linked with
 * --wrap=host_tick.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "command.h"
#include "host.h"

#define TICK_MS 200u

uint32_t __real_host_tick(struct host *h);
uint32_t __wrap_host_tick(struct host *h);

/* opened before the sandbox closes everything outside the data folder */
static int file = -1;

static long long offset(void)
{
	char text[32] = "";

	if (file >= 0 && pread(file, text, sizeof text - 1, 0) < 0)
		text[0] = '\0';
	return strtoll(text, NULL, 10);
}

/* says so when it has acted on another clock: the drill waits for that line */
uint32_t __wrap_host_tick(struct host *h)
{
	static long long said;
	long long now = offset();
	uint32_t ms = __real_host_tick(h);

	if (now != said)
		fprintf(stderr, "drill: the clock is %lld s off\n", now);
	said = now;
	return ms < TICK_MS ? ms : TICK_MS;
}

int64_t clock_unix_s(void)
{
	return (int64_t)time(NULL) + offset();
}

int main(int argc, char **argv)
{
	const char *path = getenv("AMPAROD_TEST_CLOCK");

	if (path != NULL)
		file = open(path, O_RDONLY | O_CLOEXEC);
	return command_main(argc, argv);
}
