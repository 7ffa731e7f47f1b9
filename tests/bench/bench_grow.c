/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * bench_grow COUNT…: what is flat and what grows with the cells a server holds: start,
 * memory, commit, release, pull, check; and the bytes of file for each cell of a segment.
 *
 * Cells arrive in releases of 10,000.  Each figure is the median of several.
 */
#include <dirent.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "bench.h"
#include "load.h"

#define STEP     10000u
#define SIZES    4
#define REPEATS  5

enum what { START, MEMORY, COMMIT, RELEASE, PULL, CHECK, WHATS };
static const struct { const char *name, *unit, *text; } whats[WHATS] = {
	[START]   = { "grow_start", "ms", "start of amparod until it accepts" },
	[MEMORY]  = { "grow_memory", "KiB", "resident memory after the start" },
	[COMMIT]  = { "grow_commit", "ms", "a commit of 16 cells, one client" },
	[RELEASE] = { "grow_release", "ms", "release of 1,000 new cells" },
	[PULL]    = { "grow_pull", "ms", "pull of a segment of 1,000 cells" },
	[CHECK]   = { "grow_check", "ms", "amparod check (server stopped)" },
};
static double table[WHATS][SIZES];

static struct daemon d;
static struct org o;
static char *const extra[] = { (char *)"--source-limits", (char *)"no", NULL };

static void put(unsigned cells)
{
	struct load *l = load_new(&d, &o, RPC_FIELD, 10);

	(void)load_run(l, cells / 500, 50);
	load_free(l);
}

static double release(uint32_t expected)
{
	double t = bench_now();
	uint32_t n;

	if (!daemon_release(&d, &o, &n) || n != expected)
		bench_broke("a release of %u cells failed", expected);
	return (bench_now() - t) * 1e3;
}

static double commit(void)
{
	struct load *l = load_new(&d, &o, RPC_FIELD, 1);
	double t = load_run(l, 25, 16);

	load_free(l);
	return t / 25 * 1e3;
}

static void nothing(void *arg, const uint8_t *cell)
{
	(void)arg;
	(void)cell;
}

/* the segment released last */
static double pull(void)
{
	struct rpc_segment *seg = calloc(512, sizeof *seg);
	struct client *c = malloc(sizeof *c);
	size_t n = 0;
	double t;

	if (c == NULL || seg == NULL || !daemon_open(&d, &o, RPC_COUNSEL, c) ||
	    !client_segments(c, seg, 512, &n) || n == 0)
		bench_broke("no segment");
	t = bench_now();
	if (!client_pull(c, &seg[n - 1], nothing, NULL))
		bench_broke("pull: %s", c->why);
	t = (bench_now() - t) * 1e3;
	client_close(c);
	free(c);
	free(seg);
	return t;
}

static double start(void)
{
	double t;

	if (daemon_stop(&d) != 0)
		bench_broke("the server did not stop in order");
	t = bench_now();
	if (!daemon_start(&d, extra))
		bench_broke("the server did not start again");
	return (bench_now() - t) * 1e3;
}

static double check(void)
{
	char cmd[700];
	double t;
	int rc;

	if (daemon_stop(&d) != 0)
		bench_broke("the server did not stop in order");
	snprintf(cmd, sizeof cmd, "'%s' check --data '%s' >/dev/null", d.bin, d.dir);
	t = bench_now();
	rc = system(cmd);
	t = (bench_now() - t) * 1e3;
	if (rc == -1 || WEXITSTATUS(rc) != 0)
		bench_broke("amparod check ended with %d", WEXITSTATUS(rc));
	if (!daemon_start(&d, extra))
		bench_broke("the server did not start again");
	return t;
}

static void measure(size_t at)
{
	struct bench_series s[WHATS];
	unsigned i;
	int k;

	memset(s, 0, sizeof s);
	for (i = 0; i < REPEATS; i++) {
		bench_add(&s[START], start());
		bench_add(&s[MEMORY], (double)daemon_memory(&d, "VmRSS"));
		bench_add(&s[COMMIT], commit());
		put(500);
		(void)commit();                  /* 400 + 500 + 400 cells wait now */
		(void)release(1300);
		put(1000);
		bench_add(&s[RELEASE], release(1000));
		bench_add(&s[PULL], pull());
	}
	bench_add(&s[CHECK], check());
	for (k = 0; k < WHATS; k++)
		table[k][at] = bench_median(&s[k]);
}

/* bytes of all segment files, by their size and by what they take on the disk */
static void segment_bytes(double *size, double *taken)
{
	char path[600];
	struct dirent *e;
	struct stat st;
	DIR *dir;

	snprintf(path, sizeof path, "%s/segments", d.dir);
	dir = opendir(path);
	if (dir == NULL)
		bench_broke("%s cannot be read", path);
	*size = *taken = 0;
	while ((e = readdir(dir)) != NULL) {
		snprintf(path, sizeof path, "%s/segments/%s", d.dir, e->d_name);
		if (e->d_name[0] == '.' || stat(path, &st) != 0)
			continue;
		*size += (double)st.st_size;
		*taken += (double)st.st_blocks * 512;
	}
	closedir(dir);
}

static void tell(const unsigned long *counts, size_t n)
{
	size_t i;
	int k;

	printf("%-36s", "cells stored");
	for (i = 0; i < n; i++)
		printf("%12lu", counts[i]);
	printf("\n");
	for (k = 0; k < WHATS; k++) {
		double times = table[k][n - 1] / table[k][0];

		printf("  %-34s", whats[k].text);
		for (i = 0; i < n; i++)
			printf("%12.1f", table[k][i]);
		printf(" %-4s %s (%.1f times)\n", whats[k].unit, times < 1.5 ? "flat" : "grows",
		       times);
	}
}

int main(int argc, char **argv)
{
	unsigned long counts[SIZES] = { 0 }, have = 0;
	double size = 0, taken = 0;
	size_t n = 0, i;

	for (i = 1; (int)i < argc && n < SIZES; i++)
		counts[n++] = strtoul(argv[i], NULL, 10);
	if (n == 0 || counts[0] < STEP || sodium_init() < 0)
		return 2;
	load_daemon(&d, &o, "grow");
	for (i = 0; i < n; i++) {
		for (; have + STEP <= counts[i]; have += STEP) {
			put(STEP);
			(void)release(STEP);
			if (have == 0) {
				segment_bytes(&size, &taken);
				bench_figure("segment_bytes_per_cell", size / STEP, "bytes",
				             CELL_SIZE, "the cell itself; a segment of 10,000",
				             BENCH_VALUE_MAX, 4200);
				bench_note("%.0f bytes on the disk", taken / STEP);
			}
		}
		measure(i);
		have += REPEATS * 2300;
	}
	tell(counts, n);
	load_daemon_end(&d);
	free(o.link);
	return 0;
}
