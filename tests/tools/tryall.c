/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * tryall: what an administrator who wants to read could do at most: take every 32-byte
 * string of his own vault for a private key and try it on every cell of a server's folder.
 *
 *	tryall HOME PASSPHRASE-FILE SERVER-FOLDER [CONTROL-HOME CONTROL-PASSPHRASE-FILE]
 *	tryall --keys HOME PASSPHRASE-FILE     how many private halves of prekeys it holds
 *
 * Prints how many candidates and cells there were and how many cells of records opened
 * (board documents and answers to invitations are his to read).  With a control home, a
 * reader's vault, the same search must open something there, or the exit code is 3.
 * Exit code 0: nothing opened, 1: something did, 2: usage or damage.
 */
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cell.h"
#include "home.h"
#include "store.h"

struct candidates {
	struct reader_key *keys;
	size_t n;
};

static void die(const char *what)
{
	fprintf(stderr, "tryall: %s\n", what);
	exit(2);
}

static void candidate(struct candidates *c, const uint8_t sk[32])
{
	for (size_t i = 0; i < c->n; i++)
		if (memcmp(c->keys[i].sk, sk, 32) == 0)
			return;
	if (sodium_is_zero(sk, 32))
		return;
	c->keys = realloc(c->keys, (c->n + 1) * sizeof *c->keys);
	if (c->keys == NULL)
		die("out of memory");
	memcpy(c->keys[c->n].sk, sk, 32);
	if (crypto_scalarmult_base(c->keys[c->n].pk, sk) == 0)
		c->n++;
}

/* a whole value of 32 bytes, and each 32 or 64 bytes that MessagePack marks as bin */
static enum perr gather(void *arg, const char *name, const uint8_t *v, size_t len)
{
	struct candidates *c = arg;

	/* ciphertext and parts on their way to servers hold no keys of one's own */
	if (strncmp(name, "outbox/", 7) == 0 || strncmp(name, "part/", 5) == 0 ||
	    strncmp(name, "form/", 5) == 0 || strncmp(name, "blob/", 5) == 0)
		return PERR_OK;
	if (len == 32 || len == 33)
		candidate(c, v + len - 32);
	for (size_t i = 0; i + 34 <= len; i++)
		if (v[i] == 0xc4 && (v[i + 1] == 32 || v[i + 1] == 64))
			candidate(c, v + i + 2);
	return PERR_OK;
}

struct opened {
	struct candidates cand;
	struct home home;
};

static void open_home(struct opened *o, const char *home, const char *passfile)
{
	memset(o, 0, sizeof *o);
	home_open(&o->home, home, passfile);
	if (kv_each(vault_kv(o->home.vault), "", gather, &o->cand) != PERR_OK)
		die("the vault cannot be read");
}

static void close_home(struct opened *o)
{
	home_close(&o->home);
	free(o->cand.keys);
}

/* cells opened as records; others (board, answers) are counted apart */
static void try_cell(const struct opened *o, const uint8_t *cell, unsigned *records,
                     unsigned *others)
{
	uint8_t payload[CELL_PAYLOAD_MAX];
	size_t k, s, len;
	enum cell_form form;

	if (cell_trial(&k, &s, NULL, cell, o->cand.keys, o->cand.n, o->home.client->seasons,
	               o->home.client->n_seasons) != PERR_OK)
		return;
	if (cell_open(&form, payload, &len, cell, &o->cand.keys[k],
	              &o->home.client->seasons[s]) != PERR_OK)
		return;
	if (form == CELL_BOARD || form == CELL_JOIN)
		(*others)++;
	else
		(*records)++;
}

/* every released cell of the folder (the server must not be running) */
static unsigned try_folder(const struct opened *o, const char *dir, unsigned *n_cells,
                           unsigned *others)
{
	struct store_segment segs[64];
	struct store *st;
	const char *why = "";
	uint8_t *cells = malloc((size_t)STORE_READ_MAX * STORE_CELL);
	uint32_t day = 0, release = 0;
	unsigned records = 0;
	size_t n;

	if (cells == NULL || store_open(&st, dir, NULL, &why) != PERR_OK)
		die("the server's folder cannot be opened");
	*n_cells = 0;
	while ((n = store_segments(st, day, release, segs, 64)) > 0) {
		for (size_t i = 0; i < n; i++) {
			for (uint32_t at = 0; at < segs[i].count;) {
				uint32_t got;

				if (store_read(st, segs[i].day, segs[i].release, NULL, at,
				               STORE_READ_MAX, cells, &got) != PERR_OK || got == 0)
					die("a segment cannot be read");
				for (uint32_t k = 0; k < got; k++)
					try_cell(o, cells + (size_t)k * STORE_CELL, &records,
					         others);
				at += got;
				*n_cells += got;
			}
			day = segs[i].day;
			release = segs[i].release;
		}
	}
	store_close(st);
	free(cells);
	return records;
}

static enum perr count_half(void *arg, const char *name)
{
	*(unsigned *)arg += strlen(name) == strlen("prekey/00000001/00");
	return PERR_OK;
}

static int print_keys(const char *home, const char *passfile)
{
	struct opened o;
	unsigned n = 0;

	open_home(&o, home, passfile);
	if (kv_each_name(vault_kv(o.home.vault), "prekey/", count_half, &n) != PERR_OK)
		die("the vault cannot be read");
	printf("%u\n", n);
	close_home(&o);
	return 0;
}

int main(int argc, char **argv)
{
	struct opened o;
	unsigned n_cells, others = 0, records, control;
	int code;

	if ((argc != 4 && argc != 6) || sodium_init() < 0) {
		fputs("Use: tryall HOME PASSFILE SERVER-FOLDER [CONTROL-HOME CONTROL-PASSFILE]\n",
		      stderr);
		return 2;
	}
	if (argc == 4 && strcmp(argv[1], "--keys") == 0)
		return print_keys(argv[2], argv[3]);
	open_home(&o, argv[1], argv[2]);
	records = try_folder(&o, argv[3], &n_cells, &others);
	printf("%zu keys tried on %u cells: %u records opened\n", o.cand.n, n_cells, records);
	code = records > 0 ? 1 : 0;
	close_home(&o);
	if (argc == 6) {
		open_home(&o, argv[4], argv[5]);
		control = try_folder(&o, argv[3], &n_cells, &others);
		printf("control: a reader's vault opens %u\n", control);
		close_home(&o);
		if (control == 0)
			code = 3;
	}
	return code;
}
