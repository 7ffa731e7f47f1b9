/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * bare: the unavoidable work of storing cells, in one process without a network: the limit
 * that the server is held against.
 */
#ifndef AMPARO_BENCH_BARE_H
#define AMPARO_BENCH_BARE_H

#include <stddef.h>

enum bare_how {
	BARE_COMMIT,     /* only LMDB: append and commit, keys given */
	BARE_WORK        /* decrypt the frames and hash the cells first, on the same thread */
};

/*
 * Store `batches` commits of `cells` new cells each into a fresh LMDB file, which is
 * removed afterwards: seconds it took.  The file has its zeros written ahead, as the
 * server's pool has, and the same flags.
 */
double bare_run(enum bare_how how, unsigned batches, unsigned cells);

#endif
