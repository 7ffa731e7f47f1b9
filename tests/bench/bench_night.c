/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * bench_night: 680 intakes, one photograph of 200 KiB each, sealed and sent by 40 volunteers
 * at once; a release; then one holder's sync with everything decrypted and all photographs
 * in the vault.  Real sockets, a real server, real vaults on the same disk.  Nights with
 * decoys and without take turns.
 */
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "cell.h"
#include "intake.h"
#include "outbox.h"
#include "prekeys.h"
#include "team.h"

#define VOLUNTEERS 40
#define INTAKES    17            /* each: 680 */
#define PHOTO      (200u << 10)

/* filled forms of the end-to-end tests that name one photograph */
static const char *const forms[][2] = {
	{ "tests/e2e/data/intake-02.xml", "insulina-caja-lucrecia.jpg" },
	{ "tests/e2e/data/intake-05.xml", "talon-pago-pelicanfork.jpg" },
	{ "tests/e2e/data/intake-08.xml", "1731425512043.jpg" },
	{ "tests/e2e/data/intake-09.xml", "carta-poder-yesenia.jpg" }
};
#define FORMS (sizeof forms / sizeof forms[0])

static uint8_t *xml[FORMS];
static size_t xml_len[FORMS];
static pthread_barrier_t begin, sealed, sent;
static unsigned n_nights;

/* photo: incompressible, made another one each time by its number */
static void seal_one(struct member *m, unsigned which, uint8_t *photo, uint64_t number)
{
	struct intake_file file = { .name = forms[which][1], .data = photo, .len = PHOTO };
	struct intake in = { .xml = xml[which], .xml_len = xml_len[which], .files = &file,
	                     .n_files = 1, .language = "es" };
	struct intake_receipt r;
	char why[DISPATCH_WHY] = "";
	enum perr err;

	memcpy(photo, &number, sizeof number);
	err = intake_seal(m->c, &in, &r, why);
	if (err != PERR_OK)
		bench_broke("intake_seal: %s: %s", perr_text(err), why);
	if (r.n_readers != 2)
		bench_broke("sealed to %u holders", r.n_readers);
}

/* what was sealed counts as topped up already */
static void without_decoys(struct member *m)
{
	enum perr err = kv_begin(m->c->kv);

	if (err == PERR_OK)
		err = outbox_mix(m->c, OUTBOX_GROUP_MAX, NULL, 0);
	if (err == PERR_OK)
		err = kv_commit(m->c->kv);
	if (err != PERR_OK)
		bench_broke("outbox_mix: %s", perr_text(err));
}

static void *volunteer(void *arg)
{
	struct member *m = arg;
	struct outbox_counts left;
	uint8_t *photo = malloc(PHOTO);
	unsigned night, i;

	if (photo == NULL)
		bench_broke("out of memory");
	randombytes_buf(photo, PHOTO);
	for (night = 0; night < 2 * n_nights; night++) {
		(void)pthread_barrier_wait(&begin);
		for (i = 0; i < INTAKES; i++)
			seal_one(m, i % FORMS, photo, (uint64_t)night * INTAKES + i);
		(void)pthread_barrier_wait(&sealed);
		if (night % 2 == 1)
			without_decoys(m);
		team_sync(m);
		if (outbox_counts(m->c, &left) != PERR_OK || left.cells != 0)
			bench_broke("cells are left in an outbox");
		(void)pthread_barrier_wait(&sent);
	}
	free(photo);
	return NULL;
}

/* seconds for one cell: sealing it, and one X25519 for each of the holder's keys */
static double unavoidable(const struct member *holder)
{
	struct reader_key *keys, *other = sodium_malloc(sizeof *other);
	uint8_t cell[CELL_SIZE], payload[CELL_PAYLOAD_MAX] = { 0 }, out[32];
	size_t n_keys, i, k;
	double t;

	if (other == NULL || prekeys_readers(holder->c, false, &keys, &n_keys) != PERR_OK)
		bench_broke("the holder's keys cannot be read");
	(void)crypto_box_keypair(other->pk, other->sk);
	t = bench_now();
	for (i = 0; i < 500; i++) {
		if (cell_seal(cell, NULL, CELL_STATEMENT, payload, sizeof payload, other->pk,
		              &holder->c->seasons[0], rng_system()) != PERR_OK)
			bench_broke("cell_seal failed");
		for (k = 0; k < n_keys; k++)
			if (crypto_scalarmult(out, keys[k].sk, cell) != 0)
				bench_broke("X25519 failed");
	}
	t = (bench_now() - t) / 500;
	prekeys_drop(keys);
	sodium_free(other);
	return t;
}

int main(void)
{
	struct bench_series total = { .n = 0 }, seal = { .n = 0 }, send = { .n = 0 },
	                    rel = { .n = 0 }, sync = { .n = 0 }, floor = { .n = 0 },
	                    plain = { .n = 0 }, plain_sync = { .n = 0 };
	pthread_t threads[VOLUNTEERS];
	struct team *t;
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	uint32_t n = 0, n_plain = 0;
	unsigned i;

	n_nights = bench_number("BENCH_RUNS", 3);
	for (i = 0; i < FORMS; i++)
		xml[i] = team_source(forms[i][0], &xml_len[i]);
	t = team_new(VOLUNTEERS, false);
	(void)pthread_barrier_init(&begin, NULL, VOLUNTEERS + 1);
	(void)pthread_barrier_init(&sealed, NULL, VOLUNTEERS + 1);
	(void)pthread_barrier_init(&sent, NULL, VOLUNTEERS + 1);
	for (i = 0; i < VOLUNTEERS; i++)
		if (pthread_create(&threads[i], NULL, volunteer, &t->volunteers[i]) != 0)
			bench_broke("no thread");
	for (i = 0; i < 2 * n_nights; i++) {
		const struct sync_server *got = &t->holders[0].last.servers[0];
		double at[5];
		uint32_t released;

		at[0] = bench_now();
		(void)pthread_barrier_wait(&begin);
		(void)pthread_barrier_wait(&sealed);
		at[1] = bench_now();
		(void)pthread_barrier_wait(&sent);
		at[2] = bench_now();
		released = team_release(t);
		at[3] = bench_now();
		team_sync(&t->holders[0]);
		at[4] = bench_now();
		if (got->taken.fresh != VOLUNTEERS * INTAKES ||
		    got->blobs != VOLUNTEERS * INTAKES || t->holders[0].last.wants != 0)
			bench_broke("the holder has %u of %u intakes and %u photographs",
			            got->taken.fresh, VOLUNTEERS * INTAKES, got->blobs);
		if (i % 2 == 1) {
			n_plain = released;
			bench_add(&plain, at[4] - at[0]);
			bench_add(&plain_sync, at[4] - at[3]);
			continue;
		}
		n = released;
		bench_add(&floor, n * unavoidable(&t->holders[0]) / (double)cores);
		bench_add(&seal, at[1] - at[0]);
		bench_add(&send, at[2] - at[1]);
		bench_add(&rel, at[3] - at[2]);
		bench_add(&sync, at[4] - at[3]);
		bench_add(&total, at[4] - at[0]);
	}
	for (i = 0; i < VOLUNTEERS; i++)
		pthread_join(threads[i], NULL);
	bench_figure("night_seconds", bench_median(&total), "s", bench_median(&floor),
	             "sealing every cell once and one X25519 for each cell and held key, on all "
	             "cores", BENCH_VALUE_MAX, 20);
	bench_note("%u intakes, %u cells: sealing %.1f s, sending %.1f s, release %.1f s, the "
	           "holder's sync with all photographs in the vault %.1f s",
	           VOLUNTEERS * INTAKES, n, bench_median(&seal), bench_median(&send),
	           bench_median(&rel), bench_median(&sync));
	bench_figure("night_decoys", bench_median(&total), "s", bench_median(&plain),
	             "the same night without decoys", BENCH_RATIO_MAX, 1.5);
	bench_note("%u cells instead of %u (%.2f times); the holder's sync %.1f s instead of %.1f s",
	           n, n_plain, (double)n / n_plain, bench_median(&sync), bench_median(&plain_sync));
	team_free(t);
	for (i = 0; i < FORMS; i++)
		free(xml[i]);
	return 0;
}
