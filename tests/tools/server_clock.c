/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * server_clock DIR: a server whose clock is wrong.  $AMPAROD is amparod_clock.  Two hours
 * off, either way, change nothing; a jump of ninety days destroys nothing until an
 * administrator names the day, and then exactly what the policy says.
 */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "server_kit.h"

#define HOUR 3600L
#define DAY  86400L

static char clock_file[300];

static void set_clock(long off)
{
	FILE *f = fopen(clock_file, "w");

	fprintf(f, "%ld\n", off);
	fclose(f);
}

static bool put(uint64_t from, uint64_t n)
{
	struct client *c = malloc(sizeof *c);
	uint8_t cell[CELL_SIZE];
	bool ok = daemon_open(&d, &org, RPC_FIELD, c);
	uint64_t i;

	for (i = 0; ok && i < n; i++) {
		client_cell(cell, 3, from + i);
		ok = client_put(c, cell);
	}
	ok = ok && client_commit(c) && c->m.bytes_len == n && c->m.bytes[0] == RPC_STORED;
	client_close(c);
	free(c);
	return ok;
}

static void count(void *arg, const uint8_t *cell)
{
	(void)cell;
	++*(size_t *)arg;
}

/* how many cells a reader gets now */
static size_t readable(void)
{
	struct client *c = malloc(sizeof *c);
	struct rpc_segment seg[64];
	size_t n = 0, i, cells = 0;
	bool ok = daemon_open(&d, &org, RPC_COUNSEL, c) && client_segments(c, seg, 64, &n);

	for (i = 0; ok && i < n; i++)
		ok = client_pull(c, &seg[i], count, &cells);
	client_close(c);
	free(c);
	return ok ? cells : 0;
}

static uint32_t hello_day(void)
{
	struct client *c = malloc(sizeof *c);
	struct rpc_msg m = { .method = RPC_HELLO };
	uint32_t day = 0;

	if (daemon_open(&d, &org, RPC_COUNSEL, c) && client_call(c, &m))
		day = c->m.hello.day;
	client_close(c);
	free(c);
	return day;
}

/* a release order that names a day; false: refused */
static bool order(uint32_t day, enum rpc_error *error)
{
	struct client *c = malloc(sizeof *c);
	struct rpc_msg hello = { .method = RPC_HELLO }, m = { .method = RPC_RELEASE };
	uint8_t *bytes = NULL;
	bool ok;

	ok = daemon_open(&d, &org, RPC_STEWARD, c) && client_call(c, &hello) &&
	     org_order(&org, d.pk, c->m.hello.counter + 1, POLICY_RELEASE, day, NULL, 0, &bytes,
	               &m.bytes_len);
	m.bytes = bytes;
	ok = ok && client_call(c, &m);
	*error = c->m.error;
	free(bytes);
	client_close(c);
	free(c);
	return ok;
}

static bool restart(void)
{
	return daemon_stop(&d) == 0 && daemon_start(&d, NULL);
}

int main(int argc, char **argv)
{
	uint32_t n, today = (uint32_t)(time(NULL) / DAY), recorded;
	size_t kept = 0, before;
	enum rpc_error error;

	if (argc < 2 || sodium_init() < 0)
		return 2;
	snprintf(clock_file, sizeof clock_file, "%s.clock", argv[1]);
	(void)setenv("AMPAROD_TEST_CLOCK", clock_file, 1);
	daemon_remove(argv[1]);
	set_clock(0);
	if (!org_init(&org, 1) || !daemon_init(&d, argv[1]) || !daemon_start(&d, NULL) ||
	    !daemon_setup(&d, &org)) {
		printf("FAIL the server could not be set up\n");
		return 1;
	}
	CLAIM(put(0, 10) && daemon_release(&d, &org, &n) && readable() == 10,
	      "the right clock: cells arrive and are released");
	set_clock(2 * HOUR);
	CLAIM(put(10, 10) && daemon_release(&d, &org, &n) && readable() == 20,
	      "two hours fast: the same");
	set_clock(-2 * HOUR);
	CLAIM(put(20, 10) && daemon_release(&d, &org, &n) && readable() == 30,
	      "two hours slow: the same, no day goes backwards");
	CLAIM(hello_day() >= today, "hello never names an earlier day than was recorded");
	recorded = hello_day();

	/* ninety days: far beyond the retention of sixty */
	set_clock(90 * DAY);
	before = readable();
	CLAIM(put(30, 10), "ninety days ahead: cells are still accepted");
	CLAIM(restart(), "it starts under the wrong clock");
	CLAIM(hello_day() == recorded, "it does not believe the clock");
	CLAIM(daemon_figure(&d, "frozen") == 1, "status says so");
	kept = readable();
	CLAIM(kept >= before, "nothing was settled, erased or expired");
	CLAIM(!order(recorded + 200, &error) && error == RPC_STALE,
	      "an order for a day beyond the clock is refused");
	CLAIM(order(recorded, &error) && readable() == 40,
	      "an order that names the recorded day releases, and destroys nothing");
	kept = readable();
	CLAIM(order(today + 90, &error), "an order that names the clock's day is obeyed");
	CLAIM(hello_day() == today + 90 && daemon_figure(&d, "frozen") == 0,
	      "from then on the clock is believed");
	CLAIM(readable() == 0, "now, and only now, what is past its retention is gone");
	/* and back: the clock was wrong after all */
	set_clock(0);
	CLAIM(put(100, 5) && daemon_release(&d, &org, &n) && readable() == 5 &&
	      hello_day() == today + 90, "a clock set back does not turn the day back");
	printf("figure: clock: +2 h, -2 h, +90 days, back; cells destroyed without an order: "
	       "%zu of 40\n", 40 - kept);
	CLAIM(daemon_stop(&d) == 0, "the server stops in order");
	(void)remove(clock_file);
	return bad != 0;
}
