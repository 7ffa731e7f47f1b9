/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * bench_ingest: durable cells a second over the wire, 64 connections with 16 cells a
 * commit, the load generator on the same cores, against one process that does the
 * unavoidable work without a network.
 */
#include <sodium.h>
#include <stdlib.h>

#include "bare.h"
#include "bench.h"
#include "load.h"

#define CONNS   64
#define CELLS   16
#define COMMITS 24u

static double over_the_wire(void)
{
	struct daemon d;
	struct org o;
	struct load *l;
	double t;

	load_daemon(&d, &o, "ingest");
	l = load_new(&d, &o, RPC_FIELD, CONNS);
	t = load_run(l, COMMITS, CELLS);
	load_free(l);
	load_daemon_end(&d);
	free(o.link);
	return t;
}

int main(void)
{
	struct bench_series wire = { .n = 0 }, work = { .n = 0 }, commit = { .n = 0 };
	unsigned runs = bench_number("BENCH_RUNS", 5), i;
	const double n = (double)CONNS * CELLS * COMMITS;

	if (sodium_init() < 0)
		return 1;
	for (i = 0; i < runs; i++) {
		bench_add(&wire, n / over_the_wire());
		bench_add(&work, n / bare_run(BARE_WORK, COMMITS, CONNS * CELLS));
		bench_add(&commit, n / bare_run(BARE_COMMIT, COMMITS, CONNS * CELLS));
	}
	bench_figure("ingest_batched", bench_median(&wire), "cells/s", bench_median(&work),
	             "one process: decrypt, hash, append, commit 1,024 at a time",
	             BENCH_RATIO_MIN, 0.5);
	bench_note("a bare LMDB group commit of 1,024 cells: %.0f cells/s; ratio to it %.2f",
	           bench_median(&commit), bench_median(&wire) / bench_median(&commit));
	return 0;
}
