/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * load: many clients of one server at once, on one thread: each puts some cells, asks for
 * the commit, waits for its answer, and goes on.  Cells are new each time; sealing their
 * frames is part of the measured time, as it is of a client's work.
 */
#ifndef AMPARO_BENCH_LOAD_H
#define AMPARO_BENCH_LOAD_H

#include "daemon.h"

struct load;

/* n connections, handshakes done; ends the program if one fails */
struct load *load_new(const struct daemon *d, const struct org *o, enum rpc_scope scope,
                      size_t n);
/* each connection makes `commits` commits of `cells` cells; seconds it took */
double load_run(struct load *l, unsigned commits, unsigned cells);
void load_free(struct load *l);

/* a server of the benchmark's own, in its folder, set up for o; ends the program if it fails */
void load_daemon(struct daemon *d, struct org *o, const char *name);
/* stopped, its folder removed */
void load_daemon_end(struct daemon *d);

/* the next new cell of this process */
void load_cell(uint8_t cell[CELL_SIZE]);

#endif
