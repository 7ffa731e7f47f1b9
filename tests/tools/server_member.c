/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * server_member DIR SECONDS: one member turns.  With the field key and as many connections as
 * one source may have he sends cells as fast as he can; meanwhile four honest volunteers go
 * on committing.  How many commits a second are theirs: in calm; under the flood; when the
 * scope's hour is full and the server slows it; and when all come from one address, as
 * behind an onion service.
 */
#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

#include "server_kit.h"

#define HONEST  4
#define CELLS   8                /* of an honest commit */
#define THREADS 4
#define EACH    16               /* connections of a thread: 64 in all, what the policy allows */

static atomic_bool stopping;
static atomic_ulong flooded;     /* cells of the member that were stored */
static unsigned seconds;

static bool open_from(struct client *c, const char *from)
{
	return client_dial(c, d.port, from, 60) &&
	       client_shake(c, d.pk, org.access[RPC_FIELD]);
}

/* ---- honest ------------------------------------------------------------------------------ */

struct honest {
	pthread_t thread;
	struct client c;
	char from[24];
	uint64_t number;
	unsigned commits, failed;
};
static struct honest honest[HONEST];

static void *working(void *arg)
{
	struct honest *h = arg;
	uint64_t until = test_now_us() + seconds * 1000000ull;
	uint8_t cell[CELL_SIZE];
	bool alive = open_from(&h->c, h->from);
	size_t i;

	h->failed += !alive;
	while (alive && test_now_us() < until) {
		for (i = 0; alive && i < CELLS; i++) {
			client_cell(cell, 1, h->number++);
			alive = client_put(&h->c, cell);
		}
		alive = alive && client_commit(&h->c) && h->c.m.bytes_len == CELLS;
		for (i = 0; alive && i < CELLS; i++)
			h->failed += h->c.m.bytes[i] != RPC_STORED;
		h->commits += alive;
		h->failed += !alive;
	}
	client_close(&h->c);
	return NULL;
}

struct figures {
	double per_second;       /* commits of all honest together */
	unsigned least;          /* of the one who had the fewest, in all */
	unsigned failed;
	double flood;            /* cells of the member a second */
};

static struct figures phase(void)
{
	struct figures f = { .least = UINT32_MAX };
	unsigned long before = flooded;
	uint64_t t = test_now_us();
	unsigned i, n = 0;
	double s;

	for (i = 0; i < HONEST; i++) {
		honest[i].commits = honest[i].failed = 0;
		if (pthread_create(&honest[i].thread, NULL, working, &honest[i]) != 0)
			abort();
	}
	for (i = 0; i < HONEST; i++) {
		pthread_join(honest[i].thread, NULL);
		n += honest[i].commits;
		f.failed += honest[i].failed;
		if (honest[i].commits < f.least)
			f.least = honest[i].commits;
	}
	s = (double)(test_now_us() - t) / 1e6;
	f.per_second = n / s;
	f.flood = (double)(flooded - before) / s;
	return f;
}

/* ---- the member -------------------------------------------------------------------------- */

static const char *member_from;

static bool throw(struct client *c, uint64_t *number)
{
	uint8_t cell[CELL_SIZE];
	uint32_t id;
	unsigned i;

	for (i = 0; i < RPC_BATCH; i++) {
		client_cell(cell, 2, (*number)++);
		if (!client_put(c, cell))
			return false;
	}
	return client_commit_begin(c, &id);
}

static struct client conns[THREADS][EACH];

static void *flooding(void *arg)
{
	static atomic_uint lives;        /* no cell is sent twice */
	struct client *c = arg;
	uint64_t number = (uint64_t)++lives << 40;
	bool open[EACH] = { false };
	unsigned i;
	size_t k;

	while (!stopping) {
		for (i = 0; i < EACH && !stopping; i++) {
			if (!open[i]) {
				client_close(&c[i]);
				/* two commits under way: one more than the server looks at */
				open[i] = open_from(&c[i], member_from) && throw(&c[i], &number) &&
				          throw(&c[i], &number);
				continue;
			}
			open[i] = client_next(&c[i], RPC_COMMIT) && c[i].m.method == RPC_COMMIT;
			for (k = 0; open[i] && k < c[i].m.bytes_len; k++)
				flooded += c[i].m.bytes[k] == RPC_STORED;
			open[i] = open[i] && throw(&c[i], &number);
		}
	}
	for (i = 0; i < EACH; i++)
		client_close(&c[i]);
	return NULL;
}

static pthread_t threads[THREADS];

static void flood_start(const char *from)
{
	unsigned long before = flooded;
	size_t i, k;

	member_from = from;
	stopping = false;
	for (i = 0; i < THREADS; i++) {
		for (k = 0; k < EACH; k++)
			conns[i][k].fd = -1;
		if (pthread_create(&threads[i], NULL, flooding, conns[i]) != 0)
			abort();
	}
	/* at full speed before anybody is measured */
	while (flooded - before < 5000)
		(void)nanosleep(&(struct timespec){ .tv_nsec = 5000000 }, NULL);
}

static void flood_stop(void)
{
	size_t i, k;

	stopping = true;
	/* whoever waits for his turn in a slowed scope waits for seconds */
	for (i = 0; i < THREADS; i++)
		for (k = 0; k < EACH; k++)
			if (conns[i][k].fd >= 0)
				(void)shutdown(conns[i][k].fd, SHUT_RDWR);
	for (i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
}

static bool policy(uint32_t alert)
{
	struct client *c = malloc(sizeof *c);
	struct rpc_msg hello = { .method = RPC_HELLO };
	uint8_t *bytes = NULL;
	size_t len;
	bool ok;

	org.limits.alert_cells_per_hour = alert;
	ok = daemon_open(&d, &org, RPC_STEWARD, c) && client_call(c, &hello) &&
	     org_policy(&org, d.pk, c->m.hello.counter + 1, c->m.hello.day, &bytes, &len) &&
	     client_upload(c, NULL, bytes, len) && client_bye(c);
	free(bytes);
	free(c);
	return ok;
}

static void sources(bool own)
{
	unsigned i;

	for (i = 0; i < HONEST; i++)
		snprintf(honest[i].from, sizeof honest[i].from, "127.0.0.%u", own ? 20 + i : 2);
}

int main(int argc, char **argv)
{
	static char args[][24] = { "--source-limits", "no" };
	char *const no_sources[] = { args[0], args[1], NULL };
	struct figures calm, flood, slow, one;
	unsigned i;

	if (argc < 3 || sodium_init() < 0)
		return 2;
	seconds = (unsigned)atoi(argv[2]);
	for (i = 0; i < HONEST; i++) {
		honest[i].number = (uint64_t)(i + 1) << 32;
		honest[i].c.fd = -1;
	}
	daemon_remove(argv[1]);
	if (!org_init(&org, 1)) {
		printf("FAIL no organisation\n");
		return 1;
	}
	/* no allowance of a connection, which would hold him back (and the volunteers, who
	 * here commit without a pause): what is left is the sharing */
	org.limits = (struct policy_limits){ .puts_per_minute = 0,
	                                     .connections_per_source = EACH * THREADS,
	                                     .alert_cells_per_hour = 0, .reserve_mib = 1 };
	/* started anew, it has known its schedule from the first moment: no release in between */
	if (!daemon_init(&d, argv[1]) || !daemon_start(&d, NULL) || !daemon_setup(&d, &org) ||
	    daemon_stop(&d) != 0 || !daemon_start(&d, NULL)) {
		printf("FAIL the server could not be set up\n");
		return 1;
	}
	sources(true);
	calm = phase();
	flood_start("127.0.0.66");
	flood = phase();
	CLAIM(policy(1000), "a steward comes through the flood and changes the policy");
	slow = phase();
	flood_stop();
	CLAIM(daemon_figure(&d, "alerts") > 0, "the steward sees that a scope went over its total");
	/* the same from one address: no limit of connections can hold then */
	CLAIM(daemon_stop(&d) == 0 && daemon_start(&d, no_sources), "the server starts anew");
	sources(false);
	if (!policy(0))
		bad++;
	flood_start("127.0.0.2");
	if (!policy(1000))
		bad++;
	one = phase();
	flood_stop();
	printf("figure: honest commits per second: calm %.0f; one member floods with %d connections "
	       "and %.0f cells/s: %.0f (ratio %.2f); his scope slowed: %.0f (ratio %.2f; he %.0f "
	       "cells/s); slowed and all from one address: %.0f (he %.0f cells/s)\n",
	       calm.per_second, EACH * THREADS, flood.flood, flood.per_second,
	       flood.per_second / calm.per_second, slow.per_second,
	       slow.per_second / calm.per_second, slow.flood, one.per_second, one.flood);
	printf("figure: fewest commits of one volunteer in %u s: calm %u; flooded %u; slowed %u; one "
	       "address %u; refused or unanswered: %u\n", seconds, calm.least, flood.least,
	       slow.least, one.least, calm.failed + flood.failed + slow.failed + one.failed);
	CLAIM(calm.failed == 0, "calm: every honest cell is stored");
	CLAIM(flood.failed == 0, "under the flood every honest cell is stored");
	CLAIM(flood.least >= seconds, "and every volunteer has a commit a second or more");
	CLAIM(slow.failed == 0, "slowed, every honest cell is stored");
	CLAIM(slow.least >= 2 * seconds, "and every volunteer has two commits a second or more");
	CLAIM(slow.flood < flood.flood, "and the member is held back");
	CLAIM(one.failed == 0, "all from one address: every honest cell is stored");
	CLAIM(one.least >= seconds, "and every volunteer has a commit a second or more");
	CLAIM(daemon_stop(&d) == 0, "the server stops in order");
	return bad != 0;
}
