/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * bench_decoys: what decoys cost a reader: seconds and bytes of a holder's sync over 1,000 of
 * them, which open for nobody; over real sockets, a real server, a real vault.
 */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "cell.h"
#include "fetch.h"
#include "outbox.h"
#include "prekeys.h"
#include "team.h"

#define N 4608                   /* a size of its own: nothing is topped up */

static void queue_decoys(struct member *m)
{
	const struct season *season = &m->c->seasons[m->c->n_seasons - 1];
	uint8_t *cells = malloc((size_t)N * CELL_SIZE);
	enum perr err;
	size_t i;

	if (cells == NULL)
		bench_broke("out of memory");
	for (i = 0; i < N; i++)
		if (cell_seal_decoy(cells + i * CELL_SIZE, season, rng_system()) != PERR_OK)
			bench_broke("no decoy");
	err = kv_begin(m->c->kv);
	if (err == PERR_OK)
		err = outbox_mix(m->c, 1, cells, N);
	if (err == PERR_OK)
		err = kv_commit(m->c->kv);
	if (err != PERR_OK)
		bench_broke("the decoys could not be queued: %s", perr_text(err));
	free(cells);
}

/*
 * seconds of one bare X25519 for each decoy and key tried, on all cores; a small sync tries
 * every key held, a large one those of today (fetch.h)
 */
static double bare(const struct member *holder, size_t *n_keys)
{
	struct reader_key *keys;
	uint8_t point[32], sk[32], out[32];
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	size_t n, i, k;
	double t;

	if (prekeys_readers(holder->c, N <= FETCH_ALL_KEYS, &keys, &n) != PERR_OK)
		bench_broke("the holder's keys cannot be read");
	randombytes_buf(sk, sizeof sk);
	(void)crypto_scalarmult_base(point, sk);
	t = bench_now();
	for (i = 0; i < 500; i++)
		for (k = 0; k < n; k++)
			if (crypto_scalarmult(out, keys[k].sk, point) != 0)
				bench_broke("X25519 failed");
	t = (bench_now() - t) / 500 * N / (double)(cores < 1 ? 1 : cores);
	prekeys_drop(keys);
	*n_keys = n;
	return t;
}

int main(void)
{
	struct bench_series seconds = { .n = 0 }, floor = { .n = 0 }, bytes = { .n = 0 },
	                    idle = { .n = 0 };
	unsigned runs = bench_number("BENCH_RUNS", 5), i;
	size_t n_keys = 0;
	struct team *t = team_new(1, true);
	struct member *holder = &t->holders[0];
	const struct sync_server *got = &holder->last.servers[0];

	for (i = 0; i < runs; i++) {
		double at[3];
		uint64_t quiet;

		queue_decoys(&t->volunteers[0]);
		team_sync(&t->volunteers[0]);
		at[0] = bench_now();
		team_sync(holder);
		at[1] = bench_now();
		quiet = got->bytes_in + got->bytes_out;
		bench_add(&idle, at[1] - at[0]);
		if (team_release(t) != N)
			bench_broke("not just the decoys were released");
		at[1] = bench_now();
		team_sync(holder);
		at[2] = bench_now();
		if (got->pulled != N || got->own != 0 || holder->last.fresh != 0)
			bench_broke("%llu cells were pulled, %llu opened",
			            (unsigned long long)got->pulled, (unsigned long long)got->own);
		bench_add(&seconds, (at[2] - at[1]) * 1000 / N);
		bench_add(&floor, bare(holder, &n_keys) * 1000 / N);
		bench_add(&bytes, (double)(got->bytes_in + got->bytes_out - quiet) / N);
	}
	bench_figure("decoys_seconds", bench_median(&seconds), "s/1,000 decoys",
	             bench_median(&floor), "one bare X25519 for each decoy and key tried, on all cores",
	             BENCH_RATIO_MAX, 3.5);
	bench_figure("decoys_bytes", bench_median(&bytes), "bytes/decoy", CELL_SIZE,
	             "the cell's own bytes", BENCH_RATIO_MAX, 1.08);
	bench_note("a reader's sync over 1,000 decoys, %zu keys tried on each: %.2f s and %.2f MB "
	           "more than one without (%.3f s)", n_keys, bench_median(&seconds),
	           bench_median(&bytes) / 1000, bench_median(&idle));
	team_free(t);
	return 0;
}
