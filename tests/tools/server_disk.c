/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * server_disk DIR CASES [SEED]: a disk that is full, nearly or really.
 *
 * Nearly: the reserve is touched; cells are refused with "disk full", which makes a client
 * keep them; with space again they are taken.  Really: files may not grow any more at a random
 * size; the server answers nothing it could not write, ends with status 4 (or goes on
 * refusing), and after a restart everything acknowledged is there.
 */
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "daemon.h"

#define CELLS_A_CASE 1500u

static struct daemon d;
static struct org org;
static uint64_t seed;
static uint8_t *acked;           /* by number */
static uint32_t next_number;

/* commit n cells from `from`; false: no answer.  stored: how many are durable now */
static bool put(struct client *c, uint32_t from, uint32_t n, uint32_t *stored, uint8_t *first)
{
	uint8_t cell[CELL_SIZE];
	uint32_t i;

	*stored = 0;
	for (i = 0; i < n; i++) {
		client_cell(cell, seed, from + i);
		if (!client_put(c, cell))
			return false;
	}
	if (!client_commit(c) || c->m.bytes_len != n)
		return false;
	for (i = 0; i < n; i++)
		if (c->m.bytes[i] == RPC_STORED || c->m.bytes[i] == RPC_ALREADY) {
			acked[from + i] = 1;
			++*stored;
		}
	*first = c->m.bytes[0];
	return true;
}

/* ---- nearly full ------------------------------------------------------------------------- */

static bool new_policy(uint32_t reserve_mib)
{
	struct client *c = malloc(sizeof *c);
	struct rpc_msg hello = { .method = RPC_HELLO };
	uint8_t *bytes = NULL;
	size_t len;
	bool ok;

	org.limits.reserve_mib = reserve_mib;
	ok = daemon_open(&d, &org, RPC_STEWARD, c) && client_call(c, &hello) &&
	     org_policy(&org, d.pk, c->m.hello.counter + 1, c->m.hello.day, &bytes, &len) &&
	     client_upload(c, NULL, bytes, len);
	free(bytes);
	if (c->fd >= 0)
		client_close(c);
	free(c);
	return ok;
}

static bool nearly(void)
{
	struct client *c = malloc(sizeof *c);
	uint32_t stored;
	uint8_t first = 0;
	bool refused, again, taken;

	refused = new_policy(1u << 30) && daemon_open(&d, &org, RPC_FIELD, c) &&
	          put(c, 0, 10, &stored, &first) && stored == 0 && first == RPC_DISK_FULL;
	printf("%s a nearly full disk refuses, and says why\n", refused ? "ok" : "FAIL");
	again = put(c, 0, 10, &stored, &first) && first == RPC_DISK_FULL;
	printf("%s the connection goes on\n", again ? "ok" : "FAIL");
	taken = new_policy(1) && put(c, 0, 10, &stored, &first) && stored == 10;
	printf("%s with space again the same cells are taken\n", taken ? "ok" : "FAIL");
	next_number = 10;
	client_close(c);
	free(c);
	return refused && again && taken;
}

/* ---- really full ------------------------------------------------------------------------- */

static rlim_t size_of(const char *name)
{
	char path[300];
	struct stat st;

	snprintf(path, sizeof path, "%s/%s", d.dir, name);
	return stat(path, &st) == 0 ? (rlim_t)st.st_size : 0;
}

struct result {
	unsigned died, refused, wrong;
	uint32_t acked;
};

static void one_case(struct result *r, bool sure)
{
	struct client *c = malloc(sizeof *c);
	struct rlimit lim = { RLIM_INFINITY, RLIM_INFINITY };
	uint32_t stored = 0, end = next_number + CELLS_A_CASE, released;
	uint8_t first = 0;
	int status = 0;
	bool alive = daemon_open(&d, &org, RPC_FIELD, c);

	/* somewhere around what the files have now */
	lim.rlim_cur = randombytes_uniform(2) ? size_of("pool.mdb") : size_of("state.mdb");
	lim.rlim_cur += randombytes_uniform(1u << 20);
	if (sure)
		lim.rlim_cur = 4096;     /* no write can succeed */
	(void)prlimit(d.pid, RLIMIT_FSIZE, &lim, NULL);
	while (alive && next_number < end) {
		uint32_t n = 1 + randombytes_uniform(64);

		alive = put(c, next_number, n, &stored, &first);
		r->acked += stored;
		next_number += n;
	}
	if (alive)
		(void)daemon_release(&d, &org, &released);
	client_close(c);
	free(c);
	/* a dead one ends by itself; one that lives is told to */
	if (alive)
		(void)kill(d.pid, SIGTERM);
	(void)waitpid(d.pid, &status, 0);
	d.pid = 0;
	if (!WIFEXITED(status) || (WEXITSTATUS(status) != 4 && WEXITSTATUS(status) != 0))
		r->wrong++;
	else if (WEXITSTATUS(status) == 4)
		r->died++;
	else
		r->refused++;
	if (!daemon_start(&d, NULL))
		r->wrong++;
}

static void see(void *arg, const uint8_t *cell)
{
	uint32_t *found = arg, i;

	/* few enough to look for one by one, by its first bytes */
	for (i = 0; i < next_number; i++)
		if (memcmp(&found[2 * i], cell, 8) == 0) {
			acked[i] &= 0xfe;
			return;
		}
}

static uint32_t lost(void)
{
	struct client *c = malloc(sizeof *c);
	struct rpc_segment *seg = malloc(4096 * sizeof *seg);
	uint32_t *heads = malloc((size_t)next_number * 8), n, i, left = 0;
	uint8_t cell[CELL_SIZE];
	size_t n_seg = 0, k;
	bool ok;

	for (i = 0; i < next_number; i++) {
		client_cell(cell, seed, i);
		memcpy(&heads[2 * i], cell, 8);
	}
	ok = daemon_release(&d, &org, &n) && daemon_open(&d, &org, RPC_COUNSEL, c) &&
	     client_segments(c, seg, 4096, &n_seg);
	for (k = 0; ok && k < n_seg; k++)
		ok = client_pull(c, &seg[k], see, heads);
	for (i = 0; i < next_number; i++)
		left += acked[i];
	client_close(c);
	free(heads);
	free(seg);
	free(c);
	return ok ? left : UINT32_MAX;
}

int main(int argc, char **argv)
{
	struct result r = { 0 };
	unsigned cases, i;
	uint32_t missing;
	bool ok;

	if (argc < 3 || sodium_init() < 0)
		return 2;
	cases = (unsigned)atoi(argv[2]);
	seed = argc > 3 ? strtoull(argv[3], NULL, 10) : randombytes_random();
	printf("seed %llu\n", (unsigned long long)seed);
	acked = calloc((size_t)(cases + 1) * (CELLS_A_CASE + 64) + 100, 1);
	daemon_remove(argv[1]);
	if (!org_init(&org, 1) || !daemon_init(&d, argv[1]) || !daemon_start(&d, NULL) ||
	    !daemon_setup(&d, &org)) {
		printf("FAIL the server could not be set up\n");
		return 1;
	}
	ok = nearly();
	for (i = 0; i < cases; i++)
		one_case(&r, i == 0);
	missing = lost();
	printf("figure: full-disk cases: %u (stopped %u, refused %u); acknowledged: %u; acked lost: "
	       "%u; resumed: %u/%u\n", cases, r.died, r.refused, r.acked, missing,
	       cases - r.wrong, cases);
	printf("%s nothing acknowledged is lost on a full disk\n", missing == 0 ? "ok" : "FAIL");
	printf("%s a failed commit ends the server with status 4, and it starts again\n",
	       r.wrong == 0 && r.died > 0 ? "ok" : "FAIL");
	ok = ok && missing == 0 && r.wrong == 0 && r.died > 0 && daemon_stop(&d) == 0;
	return !ok;
}
