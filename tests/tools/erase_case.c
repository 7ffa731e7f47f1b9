/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * What 50-erase.sh needs beside the commands:
 *
 *	erase_case ask HOME PASSFILE CODE            a reader asks for a case's erasure (erase.h)
 *	erase_case cells HOME PASSFILE STORE OUT     those cells, as the server's folder has them
 *	erase_case put HOME PASSFILE CELLS SERVER    sends them once more; how each was answered
 *	erase_case plant FOLDER CELLS                a file that was only unlinked: the control
 *	erase_case hunt CELLS FILE...                how many of them a raw disk still shows
 *
 * Each prints one line of figures.
 */
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "case.h"
#include "cell.h"
#include "erase.h"
#include "home.h"
#include "link.h"
#include "roster.h"
#include "store.h"

#define CELLS_MAX 4096u

static void die(const char *what)
{
	fprintf(stderr, "erase_case: %s\n", what);
	exit(2);
}

/* ---- ask ------------------------------------------------------------------------------------- */

static int ask(const char *home, const char *passfile, const char *code)
{
	uint8_t record[STATEMENT_RECORD_SIZE];
	struct erase_sum sum;
	struct home o;
	enum perr err;

	home_open(&o, home, passfile);
	err = case_refresh(o.client);
	if (err == PERR_OK)
		err = case_find(o.client, code, record, NULL);
	if (err == PERR_OK)
		err = erase_record(o.client, record, &sum);
	if (err != PERR_OK)
		die(perr_text(err));
	printf("cells %u statements %u untraced %u unnamed %u\n", sum.cells, sum.statements,
	       sum.untraced, sum.unnamed);
	home_close(&o);
	return 0;
}

/* ---- cells ----------------------------------------------------------------------------------- */

struct ids {
	uint8_t (*at)[32];
	uint32_t n;
};

static enum perr take_id(void *arg, const struct erase_item *it)
{
	struct ids *ids = arg;

	if (ids->n == CELLS_MAX)
		return PERR_LIMIT;
	memcpy(ids->at[ids->n++], it->id, 32);
	return PERR_OK;
}

static uint32_t take_cells(const struct ids *ids, const uint8_t *cells, uint32_t n, FILE *out)
{
	uint32_t i, k, found = 0;
	uint8_t id[32];

	for (i = 0; i < n; i++) {
		cell_id(id, cells + (size_t)i * STORE_CELL);
		for (k = 0; k < ids->n && memcmp(ids->at[k], id, 32) != 0; k++)
			;
		if (k < ids->n && fwrite(cells + (size_t)i * STORE_CELL, STORE_CELL, 1, out) == 1)
			found++;
	}
	return found;
}

static int cells(const char *home, const char *passfile, const char *folder, const char *file)
{
	static const uint8_t nobody[32];         /* no server has answered under this key */
	uint8_t *buf = malloc((size_t)STORE_READ_MAX * STORE_CELL);
	struct ids ids = { malloc(CELLS_MAX * 32), 0 };
	struct store_segment seg[64];
	uint32_t day = 0, release = 0, at, got, found = 0;
	struct home o;
	struct store *st;
	const char *why = "";
	FILE *out = fopen(file, "w");
	size_t n, i;

	home_open(&o, home, passfile);
	if (buf == NULL || ids.at == NULL || out == NULL ||
	    erase_each_due(o.client, nobody, take_id, &ids) != PERR_OK)
		die("the requests cannot be read");
	home_close(&o);
	if (store_open(&st, folder, NULL, &why) != PERR_OK)
		die("the server's folder cannot be opened");
	while ((n = store_segments(st, day, release, seg, 64)) > 0) {
		for (i = 0; i < n; i++) {
			for (at = 0; at < seg[i].count; at += got) {
				if (store_read(st, seg[i].day, seg[i].release, NULL, at, STORE_READ_MAX,
				               buf, &got) != PERR_OK || got == 0)
					die("a segment cannot be read");
				found += take_cells(&ids, buf, got, out);
			}
		}
		day = seg[n - 1].day;
		release = seg[n - 1].release;
	}
	store_close(st);
	if (fclose(out) != 0)
		die("the cells cannot be written");
	printf("asked %u found %u\n", ids.n, found);
	free(buf);
	free(ids.at);
	return 0;
}

/* ---- put ------------------------------------------------------------------------------------- */

static uint8_t *load_cells(const char *file, uint32_t *n)
{
	uint8_t *buf = malloc((size_t)CELLS_MAX * CELL_SIZE);
	FILE *f = fopen(file, "r");

	if (buf == NULL || f == NULL)
		die("the cells cannot be read");
	*n = (uint32_t)fread(buf, CELL_SIZE, CELLS_MAX, f);
	fclose(f);
	return buf;
}

struct putting {
	struct peer *p;
	unsigned by_status[16], n_left;
};

static void on_commit(void *ud, enum perr err, const struct rpc_msg *m)
{
	struct putting *u = ud;
	size_t i;

	for (i = 0; err == PERR_OK && i < m->bytes_len; i++)
		u->by_status[m->bytes[i] & 15]++;
	if (--u->n_left == 0)
		peer_bye(u->p);
}

static int put(const char *home, const char *passfile, const char *file, unsigned server)
{
	uint32_t n, i;
	uint8_t *buf = load_cells(file, &n), key[32];
	struct rpc_msg *m = calloc(1, sizeof *m);
	struct putting u = { .n_left = (n + RPC_BATCH - 1) / RPC_BATCH };
	struct link_loop *loop = NULL;
	struct sync_net net;
	struct home o;
	char why[200];
	bool ok;

	home_open(&o, home, passfile);
	ok = n > 0 && m != NULL && server < o.client->field->n_servers &&
	     client_access(o.client, RPC_COUNSEL, key) == PERR_OK &&
	     peer_new(&u.p, o.client->field->servers[server].pk, key, rng_system()) == PERR_OK &&
	     link_loop_new(&loop) == PERR_OK;
	for (i = 0; ok && i < n; i++) {
		memset(m, 0, sizeof *m);
		m->method = RPC_PUT;
		m->cell = buf + (size_t)i * CELL_SIZE;
		ok = peer_notify(u.p, m) == PERR_OK;
		if (ok && (i % RPC_BATCH == RPC_BATCH - 1 || i == n - 1)) {
			memset(m, 0, sizeof *m);
			m->method = RPC_COMMIT;
			ok = peer_call(u.p, m, on_commit, &u) == PERR_OK;
		}
	}
	if (!ok)
		die("the cells cannot be sent");
	net = link_net(loop);
	if (net.run(net.ctx, o.client->field->servers[server].address, u.p, why, sizeof why) !=
	    PERR_OK)
		die("the server cannot be reached");
	printf("sent %u stored %u already %u erased %u other %u\n", n, u.by_status[RPC_STORED],
	       u.by_status[RPC_ALREADY], u.by_status[RPC_ERASED],
	       n - u.by_status[RPC_STORED] - u.by_status[RPC_ALREADY] - u.by_status[RPC_ERASED]);
	peer_free(u.p);
	link_loop_free(loop);
	sodium_memzero(key, sizeof key);
	free(m);
	free(buf);
	home_close(&o);
	return 0;
}

/* ---- plant and hunt -------------------------------------------------------------------------- */

static int plant(const char *folder, const char *file)
{
	uint8_t buf[64 * CELL_SIZE];
	char path[300];
	FILE *f = fopen(file, "w");
	int fd;

	randombytes_buf(buf, sizeof buf);
	snprintf(path, sizeof path, "%s/planted", folder);
	fd = open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
	if (f == NULL || fwrite(buf, sizeof buf, 1, f) != 1 || fclose(f) != 0 || fd < 0 ||
	    write(fd, buf, sizeof buf) != sizeof buf || fsync(fd) != 0 || close(fd) != 0 ||
	    unlink(path) != 0)
		die("the control cannot be planted");
	printf("planted 64\n");
	return 0;
}

/* eight bytes here are as good as the cell: ciphertext repeats nowhere */
static const uint16_t places[] = { 0, 32, 100, 1000, 2000, 3000, 4064 };
#define N_PLACES (sizeof places / sizeof places[0])

struct probe {
	uint64_t bytes;
	uint32_t cell;
};
static struct probe *probes;
static size_t n_probes;
static uint8_t seen_prefix[1 << 16];

static int by_bytes(const void *a, const void *b)
{
	const struct probe *x = a, *y = b;

	return x->bytes < y->bytes ? -1 : x->bytes > y->bytes;
}

static void hunt_in(const char *name, uint8_t *hit, uint64_t *total)
{
	static uint8_t buf[(4u << 20) + 8];
	FILE *f = fopen(name, "r");
	size_t keep = 0, n, i;

	if (f == NULL)
		die("a file to hunt in cannot be opened");
	while ((n = fread(buf + keep, 1, 4u << 20, f)) > 0) {
		*total += n;
		n += keep;
		/* most of a young disk */
		if (buf[0] == 0 && memcmp(buf, buf + 1, n - 1) == 0) {
			keep = 0;
			continue;
		}
		for (i = 0; i + 8 <= n; i++) {
			struct probe want, *p;

			if (!seen_prefix[buf[i] << 8 | buf[i + 1]])
				continue;
			memcpy(&want.bytes, buf + i, 8);
			p = bsearch(&want, probes, n_probes, sizeof *probes, by_bytes);
			if (p != NULL)
				hit[p->cell] = 1;
		}
		keep = n < 7 ? n : 7;
		memmove(buf, buf + n - keep, keep);
	}
	fclose(f);
}

static int hunt(const char *file, int n_files, char **files)
{
	uint32_t n, i, found = 0;
	uint8_t *buf = load_cells(file, &n), *hit = calloc(n + 1, 1);
	uint64_t total = 0;
	size_t k;

	probes = malloc((size_t)n * N_PLACES * sizeof *probes + 1);
	if (hit == NULL || probes == NULL || n == 0)
		die("there is nothing to hunt for");
	for (i = 0; i < n; i++) {
		for (k = 0; k < N_PLACES; k++) {
			const uint8_t *at = buf + (size_t)i * CELL_SIZE + places[k];

			memcpy(&probes[n_probes].bytes, at, 8);
			probes[n_probes++].cell = i;
			seen_prefix[at[0] << 8 | at[1]] = 1;
		}
	}
	qsort(probes, n_probes, sizeof *probes, by_bytes);
	for (i = 0; i < (uint32_t)n_files; i++)
		hunt_in(files[i], hit, &total);
	for (i = 0; i < n; i++)
		found += hit[i];
	printf("cells %u found %u in %llu bytes\n", n, found, (unsigned long long)total);
	free(probes);
	free(hit);
	free(buf);
	return 0;
}

int main(int argc, char **argv)
{
	if (sodium_init() < 0)
		return 2;
	if (argc == 5 && strcmp(argv[1], "ask") == 0)
		return ask(argv[2], argv[3], argv[4]);
	if (argc == 6 && strcmp(argv[1], "cells") == 0)
		return cells(argv[2], argv[3], argv[4], argv[5]);
	if (argc == 6 && strcmp(argv[1], "put") == 0)
		return put(argv[2], argv[3], argv[4], (unsigned)atoi(argv[5]));
	if (argc == 4 && strcmp(argv[1], "plant") == 0)
		return plant(argv[2], argv[3]);
	if (argc >= 4 && strcmp(argv[1], "hunt") == 0)
		return hunt(argv[2], argc - 3, argv + 3);
	fputs("Use: erase_case ask|cells|put|plant|hunt ...\n", stderr);
	return 2;
}
