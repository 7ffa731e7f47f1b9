/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * The drill's server: amparod with the clock of clock_file.h, at which it looks five times a
 * second instead of every ten, so that days pass quickly.  Linked with --wrap=host_tick.
 */
#include <stdio.h>

#include "clock_file.h"
#include "command.h"
#include "host.h"

#define TICK_MS 200u

uint32_t __real_host_tick(struct host *h);
uint32_t __wrap_host_tick(struct host *h);

/* says so when it has acted on another clock: the drill waits for that line */
uint32_t __wrap_host_tick(struct host *h)
{
	static long long said;
	long long now = clock_file_offset();
	uint32_t ms = __real_host_tick(h);

	if (now != said)
		fprintf(stderr, "drill: the clock is %lld s off\n", now);
	said = now;
	return ms < TICK_MS ? ms : TICK_MS;
}

int main(int argc, char **argv)
{
	clock_file_open();
	return command_main(argc, argv);
}
