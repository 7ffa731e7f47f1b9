/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * server_disk DIR CASES [SEED]: a disk that is full, nearly or really.
 * server_disk DIR small: a small disk of its own, to be filled to the reserve: cells are
 * refused, erasures and releases go on, and what they give back is used again.
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
#include <string.h>
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

/* ---- a small disk ------------------------------------------------------------------------ */

#define SMALL_RESERVE 12u        /* MiB */
#define SMALL_BATCH   1000u      /* cells of a release: far below the reserve */
#define SMALL_MAX     40000u

/* a cell whose erase secret is known */
static void erasable(uint8_t cell[CELL_SIZE], uint8_t ds[CELL_DS_SIZE], uint32_t number)
{
	client_cell(cell, seed, number);
	memset(ds, 0, CELL_DS_SIZE);
	memcpy(ds, &number, sizeof number);
	ds[31] = 0x5a;
	cell_tag(cell + CELL_TAG_AT, ds);
}

/* up to n cells from `from`; how many were stored before the first was refused for space */
static uint32_t fill(struct client *c, uint32_t from, uint32_t n, bool *refused)
{
	uint8_t cell[CELL_SIZE], ds[CELL_DS_SIZE];
	uint32_t i, at, stored = 0;

	*refused = false;
	for (at = 0; at < n && !*refused; at += RPC_BATCH) {
		uint32_t k = n - at < RPC_BATCH ? n - at : RPC_BATCH;

		for (i = 0; i < k; i++) {
			erasable(cell, ds, from + at + i);
			if (!client_put(c, cell))
				return stored;
		}
		if (!client_commit(c) || c->m.bytes_len != k)
			return stored;
		for (i = 0; i < k; i++) {
			*refused = *refused || c->m.bytes[i] == RPC_DISK_FULL;
			/* in order: the first refusal is followed by others only */
			if (!*refused && c->m.bytes[i] == RPC_STORED)
				stored++;
		}
	}
	return stored;
}

/* ask for the erasure of n cells; how many were accepted */
static uint32_t erase(struct client *c, uint32_t from, uint32_t n)
{
	uint8_t list[64 * RPC_BATCH], cell[CELL_SIZE];
	uint32_t i, at, accepted = 0;

	for (at = 0; at < n; at += RPC_BATCH) {
		struct rpc_msg m = { .type = RPC_NOTIFY, .method = RPC_ERASE, .bytes = list };
		uint32_t k = n - at < RPC_BATCH ? n - at : RPC_BATCH;

		for (i = 0; i < k; i++) {
			erasable(cell, list + i * 64 + 32, from + at + i);
			cell_id(list + i * 64, cell);
		}
		m.bytes_len = (size_t)k * 64;
		if (!client_queue(c, &m) || !client_commit(c) || c->m.bytes_len != k)
			return accepted;
		for (i = 0; i < k; i++)
			accepted += c->m.bytes[i] == RPC_ACCEPTED;
	}
	return accepted;
}

static void tally(void *arg, const uint8_t *cell)
{
	++*(uint32_t *)arg;
}

static uint32_t readable(struct client *c)
{
	struct rpc_segment *seg = malloc(4096 * sizeof *seg);
	uint32_t n = 0;
	size_t n_seg = 0, i;
	bool ok = seg != NULL && client_segments(c, seg, 4096, &n_seg);

	for (i = 0; ok && i < n_seg; i++)
		ok = client_pull(c, &seg[i], tally, &n);
	free(seg);
	return ok ? n : UINT32_MAX;
}

static int small(const char *dir)
{
	struct client *c = malloc(sizeof *c);
	uint32_t n = 0, released, got, before, erased, again, i, rounds = 0;
	bool refused = false, ok;
	int bad = 0;

#define CLAIM(good, text) (ok = (good), bad += !ok, printf("%s %s\n", ok ? "ok" : "FAIL", text))
	seed = 77;
	org.limits.reserve_mib = SMALL_RESERVE;
	if (!daemon_init(&d, dir) || !daemon_start(&d, NULL) || !daemon_setup(&d, &org) ||
	    !daemon_open(&d, &org, RPC_COUNSEL, c)) {
		printf("FAIL the server could not be set up\n");
		return 1;
	}
	/* until a release gives nothing back any more */
	do {
		got = fill(c, n, SMALL_BATCH, &refused);
		n += got;
		if (!daemon_release(&d, &org, &released) || released != got)
			bad++;
		rounds++;
	} while (got > 0 && n + SMALL_BATCH < SMALL_MAX && bad == 0);
	CLAIM(got == 0 && refused && n > 2 * SMALL_BATCH, "a full disk refuses cells for want of space");
	CLAIM(daemon_figure(&d, "disk_full") == 1 && daemon_figure(&d, "refused_for_space") > 0,
	      "status says so, and how many");
	CLAIM(daemon_figure(&d, "free_mib") >= SMALL_RESERVE - 2, "with the reserve untouched");
	before = readable(c);
	CLAIM(before == n, "every cell stored until then can be read");
	/* all of the first two releases, and some of the third */
	erased = erase(c, 0, 2 * SMALL_BATCH + 100);
	CLAIM(erased == 2 * SMALL_BATCH + 100, "erasures are taken on a full disk");
	for (i = 0; i < 5 && daemon_figure(&d, "erasures_waiting") > 0; i++)
		if (!daemon_release(&d, &org, &released))
			bad++;
	CLAIM(daemon_figure(&d, "erasures_waiting") == 0, "and applied by a release");
	CLAIM(readable(c) == n - erased, "exactly these are gone");
	again = fill(c, n, SMALL_BATCH, &refused);
	CLAIM(again == SMALL_BATCH && !refused, "their space is used again");
	got = fill(c, 0, 1, &refused);
	CLAIM(got == 0 && c->m.bytes[0] == RPC_ERASED, "a late duplicate stays out");
	CLAIM(daemon_release(&d, &org, &released) && released == again, "a release goes on");
	CLAIM(daemon_figure(&d, "disk_full") == 0, "status says that there is space");
	client_close(c);
	CLAIM(daemon_stop(&d) == 0, "the server stops in order");
	printf("figure: small disk: filled in %u releases with %u cells, %u erased while it was full, %u "
	       "stored again; lost: 0\n", rounds, n, erased, again);
	free(c);
	return bad != 0;
}

int main(int argc, char **argv)
{
	struct result r = { 0 };
	unsigned cases, i;
	uint32_t missing;
	bool ok;

	if (argc < 3 || sodium_init() < 0)
		return 2;
	if (strcmp(argv[2], "small") == 0) {
		/* the folder may be a mount: it is emptied, not removed, by whoever made it */
		if (!org_init(&org, 1)) {
			printf("FAIL no organisation\n");
			return 1;
		}
		return small(argv[1]);
	}
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
