/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * serve: one amparod for benchmarks that use the client's core, whose names the blocking
 * client of tests/tools shares.
 */
#ifndef AMPARO_BENCH_SERVE_H
#define AMPARO_BENCH_SERVE_H

#include <sys/types.h>

#include "policy.h"

struct serve {
	char bin[256], dir[256];
	pid_t pid;
	struct policy_card card;         /* with the address it listens on */
};

/* made in $BENCH_DIR/name and started; ends the program if that fails */
void serve_start(struct serve *s, const char *name);
/* stopped in order, its folder removed */
void serve_end(struct serve *s);

/* a folder with everything in it */
void serve_remove(const char *dir);

#endif
