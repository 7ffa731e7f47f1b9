/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * listener: `amparod run`.  The loop: sockets, workers, timers, signals, the local status
 * socket.  With connection.c the only file that includes uv.h.
 *
 * Runs until SIGTERM or SIGINT: then nothing is accepted any more, commits under way are
 * finished and answered, everybody is told goodbye, at most LISTENER_LEAVE_MS long.
 * When the disk fails it stops at once and nobody is told anything.
 */
#ifndef AMPARO_LISTENER_H
#define AMPARO_LISTENER_H

#include "config.h"

#define LISTENER_LEAVE_MS 5000

/* what a process gets back, amparod(8) "EXIT STATUS" */
enum exit_code {
	EXIT_CODE_OK = 0,
	EXIT_CODE_FAILED = 1,    /* could not start; memory, permission, in use */
	EXIT_CODE_USAGE = 2,
	EXIT_CODE_ADDRESS = 3,   /* cannot listen there */
	EXIT_CODE_DISK = 4,      /* a commit failed: nothing was answered */
	EXIT_CODE_DAMAGED = 5    /* what is stored is damaged */
};

/*
 * ready_fd  in: one byte is written there once connections are accepted; -1 = nobody waits
 * Logs on stderr.
 */
enum exit_code listener_run(const struct config *cfg, int ready_fd);

#endif
