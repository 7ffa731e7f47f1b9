/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * sandbox: what the process gives up, so that whoever breaks into it has a process that can
 * read the data folder and answer those connected, and nothing else.
 *
 * Three steps, none of which can be taken back:
 *
 *	sandbox_begin()     no core file, not dumpable, no new privileges        at once
 *	sandbox_files()     Landlock: only the named folders exist    before any thread is made
 *	sandbox_calls()     seccomp: only the listed system calls      when everything is open
 *
 * Landlock binds the calling thread and those it makes later, hence before the first thread.
 * seccomp binds all threads at once.  A call that is not listed ends the process (SIGSYS): no
 * new socket or connection, no other program, no look into another process, no memory that is
 * both written and run, no new thread.
 *
 * A sanitizer's runtime needs calls that no server needs, and a profiler writes its files
 * anywhere: builds with one, or with -DAMPARO_NO_SANDBOX, have no second and third step, and
 * SANDBOX_BUILT is 0.
 */
#ifndef AMPARO_SANDBOX_H
#define AMPARO_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>

#include "perr.h"

#if defined(AMPARO_NO_SANDBOX) || defined(__SANITIZE_ADDRESS__) || \
    defined(__SANITIZE_THREAD__)
#define SANDBOX_BUILT 0
#else
#define SANDBOX_BUILT 1
#endif

/* what may be done below a folder */
enum sandbox_rights {
	SANDBOX_LIST,            /* open it and read its names, nothing else */
	SANDBOX_SOCKET,          /* make local sockets, remove nothing */
	SANDBOX_STORE            /* read, write, make, rename, remove files and folders */
};

struct sandbox_folder {
	const char *path;        /* NULL: none.  One that is not there grants nothing. */
	enum sandbox_rights rights;
};

enum sandbox_use {
	SANDBOX_SERVE,           /* connections are accepted and answered */
	SANDBOX_COMMAND          /* files and standard output only */
};

/* PERR_UNKNOWN: the kernel refuses one of the three */
PERR_MUST_CHECK enum perr sandbox_begin(void);
/*
 * After this every other path of the machine is closed to this thread, and making or
 * reaching a TCP address, an abstract local socket or a process outside is too, as far as
 * the kernel's Landlock knows these (ABI 4 and 6).
 *
 * max_abi  in: use no newer version; 0 = the kernel's
 * abi      out: the version in use, 0 = none
 * PERR_UNKNOWN: no Landlock here.  PERR_IO: otherwise
 * refused.  After an error nothing is closed.
 */
PERR_MUST_CHECK enum perr sandbox_files(const struct sandbox_folder *folders, size_t n,
                                       unsigned max_abi, unsigned *abi);
/*
 * n_calls  out: how many system calls remain
 * PERR_UNKNOWN: no seccomp filter here.  PERR_NOMEM.  After an error nothing is closed.
 */
PERR_MUST_CHECK enum perr sandbox_calls(enum sandbox_use use, unsigned *n_calls);

#endif
