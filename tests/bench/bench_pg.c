/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * bench_pg SOCKET_DIR: 32 connections, one cell a commit, against PostgreSQL inserting the
 * same 4,080 bytes with synchronous_commit on: 32 connections too, one prepared statement
 * on each, all driven by one thread.  The cluster is run.sh's own.
 */
#include <libpq-fe.h>
#include <poll.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bare.h"
#include "bench.h"
#include "load.h"

#define CONNS 32

static PGconn *pg[CONNS];

static void pg_check(PGconn *c, PGresult *r, ExecStatusType want)
{
	if (PQresultStatus(r) != want)
		bench_broke("PostgreSQL: %s", PQerrorMessage(c));
	PQclear(r);
}

static void pg_open(const char *dir)
{
	char info[300];
	PGresult *r;
	size_t i;

	snprintf(info, sizeof info, "host=%.200s dbname=postgres user=postgres", dir);
	for (i = 0; i < CONNS; i++) {
		pg[i] = PQconnectdb(info);
		if (PQstatus(pg[i]) != CONNECTION_OK)
			bench_broke("PostgreSQL: %s", PQerrorMessage(pg[i]));
		if (i == 0)
			pg_check(pg[i], PQexec(pg[i], "create table cell (cell bytea not null)"),
			         PGRES_COMMAND_OK);
		pg_check(pg[i], PQprepare(pg[i], "put", "insert into cell values ($1)", 1, NULL),
		         PGRES_COMMAND_OK);
	}
	r = PQexec(pg[0], "show synchronous_commit");
	if (strcmp(PQgetvalue(r, 0, 0), "on") != 0)
		bench_broke("synchronous_commit is %s", PQgetvalue(r, 0, 0));
	PQclear(r);
	r = PQexec(pg[0], "show fsync");
	if (strcmp(PQgetvalue(r, 0, 0), "on") != 0)
		bench_broke("fsync is %s", PQgetvalue(r, 0, 0));
	PQclear(r);
}

static void pg_insert(PGconn *c)
{
	uint8_t cell[CELL_SIZE];
	const char *value = (const char *)cell;
	const int len = CELL_SIZE, binary = 1;

	load_cell(cell);
	if (!PQsendQueryPrepared(c, "put", 1, &value, &len, &binary, 1))
		bench_broke("PostgreSQL: %s", PQerrorMessage(c));
	if (PQflush(c) < 0)
		bench_broke("PostgreSQL: %s", PQerrorMessage(c));
}

static double pg_run(unsigned each)
{
	struct pollfd fds[CONNS];
	unsigned left[CONNS];
	size_t running = CONNS, i;
	double t = bench_now();

	for (i = 0; i < CONNS; i++) {
		left[i] = each;
		fds[i].fd = PQsocket(pg[i]);
		fds[i].events = POLLIN;
		pg_insert(pg[i]);
	}
	while (running > 0) {
		if (poll(fds, CONNS, 30000) <= 0)
			bench_broke("PostgreSQL was silent for 30 seconds");
		for (i = 0; i < CONNS; i++) {
			if (fds[i].revents == 0)
				continue;
			if (!PQconsumeInput(pg[i]))
				bench_broke("PostgreSQL: %s", PQerrorMessage(pg[i]));
			if (PQisBusy(pg[i]))
				continue;
			pg_check(pg[i], PQgetResult(pg[i]), PGRES_COMMAND_OK);
			while (PQgetResult(pg[i]) != NULL)
				;
			if (--left[i] > 0) {
				pg_insert(pg[i]);
			} else {
				fds[i].fd = -1;
				running--;
			}
		}
	}
	t = bench_now() - t;
	pg_check(pg[0], PQexec(pg[0], "truncate cell"), PGRES_COMMAND_OK);
	pg_check(pg[0], PQexec(pg[0], "checkpoint"), PGRES_COMMAND_OK);
	return t;
}

int main(int argc, char **argv)
{
	struct bench_series ours = { .n = 0 }, theirs = { .n = 0 }, commit = { .n = 0 };
	unsigned runs = bench_number("BENCH_RUNS", 5), i;
	struct daemon d;
	struct org o;
	struct load *l;

	if (argc != 2 || sodium_init() < 0)
		return 2;
	pg_open(argv[1]);
	load_daemon(&d, &o, "pg-ours");
	l = load_new(&d, &o, RPC_FIELD, CONNS);
	(void)pg_run(20);
	(void)load_run(l, 20, 1);
	for (i = 0; i < runs; i++) {
		bench_add(&ours, CONNS * 300 / load_run(l, 300, 1));
		bench_add(&theirs, CONNS * 100 / pg_run(100));
		bench_add(&commit, CONNS * 300 / bare_run(BARE_COMMIT, 300, CONNS));
	}
	bench_figure("ingest_vs_postgresql", bench_median(&ours), "cells/s",
	             bench_median(&theirs),
	             "PostgreSQL, 32 connections, one insert a transaction, synchronous_commit on",
	             BENCH_RATIO_MIN, 4);
	bench_note("a bare LMDB group commit of 32 cells: %.0f cells/s; ours is %.2f of it",
	           bench_median(&commit), bench_median(&ours) / bench_median(&commit));
	load_free(l);
	load_daemon_end(&d);
	free(o.link);
	for (i = 0; i < CONNS; i++)
		PQfinish(pg[i]);
	return 0;
}
