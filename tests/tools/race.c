/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * The control of `make tsan`: the client's own threads, with a race planted in their work.
 * ThreadSanitizer has to find it; a run in which it does not proves nothing.
 *	race [sound]    "sound": the same without the race, which must end with 0
 */
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"

struct sum {
	bool sound;
	atomic_uint right;
	unsigned wrong;
};

static void work(void *arg, size_t i)
{
	struct sum *s = arg;

	/* long enough that two are at it at once, also on a busy machine */
	for (unsigned k = 0; k < 2000; k++) {
		if (s->sound)
			atomic_fetch_add(&s->right, (unsigned)i);
		else
			s->wrong += (unsigned)i;
		if (k % 100 == 0)
			sched_yield();
	}
}

int main(int argc, char **argv)
{
	struct client_env env = cli_env();
	struct sum s = { .sound = argc > 1 && strcmp(argv[1], "sound") == 0 };

	for (int round = 0; round < 200; round++)
		env.parallel(env.ctx, 64, work, &s);
	printf("%u\n", s.sound ? atomic_load(&s.right) : s.wrong);
	return 0;
}
