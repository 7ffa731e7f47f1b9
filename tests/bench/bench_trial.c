/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * bench_trial: what it costs to find that a cell is for somebody else: a cell's head against
 * held prekeys, for each key, against one bare X25519; and on all cores at once.
 */
#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "cell.h"

#define KEYS    3                /* two batches not destroyed yet, and the next one */
#define HEADS   512
#define TURN    16
#define THREADS_MAX 8

static struct reader_key keys[KEYS];
static struct season season;
static uint8_t (*heads)[CELL_HEAD_SIZE];

static void trials(size_t from, size_t n)
{
	size_t i, k, s;

	for (i = from; i < from + n; i++)
		if (cell_trial(&k, &s, NULL, heads[i], keys, KEYS, &season, 1) != PERR_NOTMINE)
			bench_broke("a foreign cell was taken for an own one");
}

static void dhs(size_t from, size_t n)
{
	uint8_t out[32];
	size_t i, k;

	for (i = from; i < from + n; i++)
		for (k = 0; k < KEYS; k++)
			if (crypto_scalarmult(out, keys[k].sk, heads[i]) != 0)
				bench_broke("X25519 failed");
}

/* seconds for one key, both ways; they take turns every few milliseconds */
static void both(double *trial, double *dh)
{
	double t[3];
	size_t i;

	*trial = *dh = 0;
	for (i = 0; i < HEADS; i += TURN) {
		t[0] = bench_now();
		trials(i, TURN);
		t[1] = bench_now();
		dhs(i, TURN);
		t[2] = bench_now();
		*trial += (t[1] - t[0]) / (HEADS * KEYS);
		*dh += (t[2] - t[1]) / (HEADS * KEYS);
	}
}

static void *trial_thread(void *arg)
{
	trials(0, HEADS);
	return NULL;
}

/* trials a second on n threads */
static double trial_spread(unsigned n)
{
	pthread_t th[THREADS_MAX];
	double t = bench_now();
	unsigned i;

	for (i = 0; i < n; i++)
		if (pthread_create(&th[i], NULL, trial_thread, NULL) != 0)
			bench_broke("no thread");
	for (i = 0; i < n; i++)
		pthread_join(th[i], NULL);
	return n * HEADS * KEYS / (bench_now() - t);
}

int main(void)
{
	struct bench_series trial = { .n = 0 }, dh = { .n = 0 }, one = { .n = 0 }, all = { .n = 0 };
	unsigned runs = bench_number("BENCH_RUNS", 15), i;
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned n = cores < 1 ? 1 : cores > THREADS_MAX ? THREADS_MAX : (unsigned)cores;
	uint8_t psk[32], cell[CELL_SIZE];

	heads = malloc(HEADS * sizeof *heads);
	if (sodium_init() < 0 || heads == NULL)
		return 1;
	randombytes_buf(psk, sizeof psk);
	season_init(&season, 1, psk);
	for (i = 0; i < KEYS; i++)
		(void)crypto_box_keypair(keys[i].pk, keys[i].sk);
	for (i = 0; i < HEADS; i++) {
		if (cell_seal_decoy(cell, &season, rng_system()) != PERR_OK)
			bench_broke("no cell");
		memcpy(heads[i], cell, CELL_HEAD_SIZE);
	}
	for (i = 0; i < runs; i++) {
		double a, b;

		both(&a, &b);
		bench_add(&trial, a * 1e6);
		bench_add(&dh, b * 1e6);
		bench_add(&one, trial_spread(1));
		bench_add(&all, trial_spread(n));
	}
	bench_figure("trial", bench_median(&trial), "us/key", bench_median(&dh),
	             "one bare X25519 (libsodium)", BENCH_RATIO_MAX, 1.25);
	bench_note("on one core %.0f trials/s, on %u cores %.0f: %.2f times as many",
	           bench_median(&one), n, bench_median(&all),
	           bench_median(&all) / bench_median(&one));
	season_wipe(&season);
	free(heads);
	return 0;
}
