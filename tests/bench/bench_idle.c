/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * bench_idle: resident memory of the server for each idle connection, handshake done and
 * one request answered, at 1,000 of them.
 */
#include <sodium.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "bench.h"
#include "load.h"

#define CONNS 1000

static double once(void)
{
	struct rpc_msg hello = { .method = RPC_HELLO };
	struct client *c = calloc(CONNS, sizeof *c);
	struct daemon d;
	struct org o;
	long before, after;
	size_t i;

	if (c == NULL)
		bench_broke("out of memory");
	load_daemon(&d, &o, "idle");
	/* a few first, so that what is made once is made */
	for (i = 0; i < 8; i++)
		if (!daemon_open(&d, &o, RPC_FIELD, &c[i]) || !client_call(&c[i], &hello))
			bench_broke("connection %zu: %s", i, c[i].why);
	before = daemon_memory(&d, "VmRSS");
	for (; i < CONNS; i++)
		if (!daemon_open(&d, &o, RPC_FIELD, &c[i]) || !client_call(&c[i], &hello))
			bench_broke("connection %zu: %s", i, c[i].why);
	after = daemon_memory(&d, "VmRSS");
	if (before <= 0 || after < before)
		bench_broke("the server's memory cannot be read");
	/* still there, all of them */
	for (i = 0; i < CONNS; i++)
		if (!client_call(&c[i], &hello))
			bench_broke("connection %zu: %s", i, c[i].why);
	for (i = 0; i < CONNS; i++)
		client_close(&c[i]);
	load_daemon_end(&d);
	free(o.link);
	free(c);
	return (double)(after - before) * 1024 / (CONNS - 8);
}

int main(void)
{
	struct bench_series s = { .n = 0 };
	struct rlimit lim;
	unsigned i;

	if (sodium_init() < 0 || getrlimit(RLIMIT_NOFILE, &lim) != 0)
		return 1;
	lim.rlim_cur = lim.rlim_max < 4096 ? lim.rlim_max : 4096;
	(void)setrlimit(RLIMIT_NOFILE, &lim);
	for (i = 0; i < bench_number("BENCH_RUNS", 3); i++)
		bench_add(&s, once());
	bench_figure("idle_connection_bytes", bench_median(&s), "bytes", 32768,
	             "the aim; at 1,000 connections", BENCH_VALUE_MAX, 32768);
	return 0;
}
