/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "kv_mem.h"
#include "outbox.h"
#include "outbox_file.h"
#include "roster.h"

static struct roster_server servers[2];
static struct roster_field field;
static struct season season;
static struct client c, d;       /* who saves, who carries */
static const uint8_t A[32] = { 1 }, B[32] = { 2 }, X[32] = { 9 };

struct file {
	uint8_t *p;
	size_t len, room, limit;
	unsigned fails_at;               /* the n-th read from now; 0: none */
};

static enum perr write_piece(void *arg, const uint8_t piece[OUTFILE_PIECE])
{
	struct file *f = arg;

	if (f->limit > 0 && f->len + OUTFILE_PIECE > f->limit)
		return PERR_LIMIT;
	if (f->len + OUTFILE_PIECE > f->room) {
		f->room = f->room > 0 ? 2 * f->room : 16 * OUTFILE_PIECE;
		f->p = realloc(f->p, f->room);
		assert_non_null(f->p);
	}
	memcpy(f->p + f->len, piece, OUTFILE_PIECE);
	f->len += OUTFILE_PIECE;
	return PERR_OK;
}

static enum perr read_piece(void *arg, uint32_t at, uint8_t piece[OUTFILE_PIECE])
{
	struct file *f = arg;

	if (f->fails_at > 0 && --f->fails_at == 0)
		return PERR_IO;
	memcpy(piece, f->p + (size_t)at * OUTFILE_PIECE, OUTFILE_PIECE);
	return PERR_OK;
}

static int64_t now(void *ctx)
{
	(void)ctx;
	return (int64_t)20000 * 86400;
}

static int begin(void **state)
{
	uint8_t psk[32] = { 5 };

	memset(&c, 0, sizeof c);
	memset(&field, 0, sizeof field);
	memcpy(servers[0].pk, A, 32);
	memcpy(servers[1].pk, B, 32);
	field.servers = servers;
	field.n_servers = 2;
	field.limits.copies = 2;
	season_init(&season, 1, psk);
	c.field = &field;
	c.seasons = &season;
	c.n_seasons = 1;
	c.env.rng = rng_system();
	c.env.now = now;
	d = c;
	c.kv = kv_mem_new();
	d.kv = kv_mem_new();
	return c.kv == NULL || d.kv == NULL;
}

static int end(void **state)
{
	kv_mem_free(c.kv);
	kv_mem_free(d.kv);
	return 0;
}

static enum perr count(void *arg, const char *name)
{
	(void)name;
	(*(unsigned *)arg)++;
	return PERR_OK;
}

static unsigned records(struct kv *kv)
{
	unsigned n = 0;

	assert_int_equal(kv_each_name(kv, "", count, &n), PERR_OK);
	return n;
}

/* cells that a file takes: their E is canonical */
static uint32_t add_sealed(unsigned from, size_t n)
{
	uint8_t *cells = calloc(n, CELL_SIZE);
	uint32_t group;

	for (size_t i = 0; i < n; i++) {
		uint8_t *p = cells + i * CELL_SIZE;

		memset(p + 32, (int)i, CELL_SIZE - 32);
		p[0] = (uint8_t)((from + i) & 0xff);
		p[1] = (uint8_t)((from + i) >> 8);
		p[2] = 7;
	}
	assert_int_equal(kv_begin(c.kv), PERR_OK);
	assert_int_equal(outbox_add(&c, cells, n, &group), PERR_OK);
	assert_int_equal(kv_commit(c.kv), PERR_OK);
	free(cells);
	return group;
}

struct ids {
	uint8_t at[9000][32];
	size_t n;
};

static enum perr note_id(void *arg, uint64_t number, const uint8_t cell[CELL_SIZE])
{
	struct ids *l = arg;

	(void)number;
	assert_true(l->n < 9000);
	cell_id(l->at[l->n++], cell);
	return PERR_OK;
}

static void waiting_ids(struct client *of, struct ids *l)
{
	l->n = 0;
	assert_int_equal(outbox_next(of, X, 0, UINT32_MAX, note_id, l), PERR_OK);
}

static void a_saved_outbox_is_carried_in_its_order(void **state)
{
	static struct ids here, there;
	struct outbox_counts n;
	struct outbox_carry k;
	struct outbox_save s;
	struct file f = { 0 };
	unsigned cleared;

	assert_int_equal(outbox_save(&c, write_piece, &f, &s), PERR_NOTFOUND);
	add_sealed(0, 3);
	add_sealed(3, 60);
	assert_int_equal(outbox_save(&c, write_piece, &f, &s), PERR_OK);
	/* fresh ones were mixed with their decoys before, up to a size */
	assert_int_equal(s.cells, 72);
	free(f.p);
	f = (struct file){ 0 };

	assert_int_equal(outbox_clear(&c, true, &cleared), PERR_OK);
	assert_int_equal(cleared, 2);
	assert_int_equal(records(c.kv), 1);
	add_sealed(0, 300);
	assert_int_equal(outbox_save(&c, write_piece, &f, &s), PERR_OK);
	assert_int_equal(s.cells, 576);
	assert_false(s.more);
	assert_int_equal(s.pieces * OUTFILE_PIECE, f.len);
	assert_int_equal(outbox_saved(&c, s.last_group), PERR_OK);
	add_sealed(300, 4);
	waiting_ids(&c, &here);
	assert_int_equal(here.n, 580);
	assert_int_equal(outbox_carry(&d, f.len, read_piece, &f, &k), PERR_OK);
	assert_int_equal(k.cells, 576);
	assert_int_equal(k.fresh, 576);
	waiting_ids(&d, &there);
	assert_int_equal(there.n, 576);
	assert_memory_equal(here.at, there.at, 576 * 32);
	/* twice is harmless, and so is one's own */
	assert_int_equal(outbox_carry(&d, f.len, read_piece, &f, &k), PERR_OK);
	assert_int_equal(k.fresh, 0);
	assert_int_equal(outbox_carry(&c, f.len, read_piece, &f, &k), PERR_OK);
	assert_int_equal(k.fresh, 0);
	waiting_ids(&d, &there);
	assert_int_equal(there.n, 576);
	/* what came after the file was written is not in it, and is not cleared */
	assert_int_equal(outbox_counts(&c, &n), PERR_OK);
	assert_int_equal(n.submissions, 2);
	assert_int_equal(n.saved, 1);
	assert_int_equal(n.since, 20000);
	assert_int_equal(n.lacks[0], 2);
	assert_int_equal(outbox_clear(&c, false, &cleared), PERR_OK);
	assert_int_equal(cleared, 1);
	waiting_ids(&c, &here);
	assert_int_equal(here.n, 4);
	free(f.p);
}

static void a_file_of_many_groups_is_carried_whole(void **state)
{
	static struct ids here, there;
	struct outbox_carry k;
	struct outbox_save s;
	struct file f = { 0 };

	add_sealed(0, 4500);
	/* a server has a part: it goes on as it began, without more decoys */
	waiting_ids(&c, &here);
	assert_int_equal(outbox_committed(&c, A, (const uint64_t[]){ OUTBOX_GROUP_MAX }, 1, NULL),
	                 PERR_OK);
	add_sealed(4500, 4400);
	assert_int_equal(outbox_committed(&c, A, (const uint64_t[]){ 2 * OUTBOX_GROUP_MAX }, 1, NULL),
	                 PERR_OK);
	assert_int_equal(outbox_save(&c, write_piece, &f, &s), PERR_OK);
	assert_int_equal(s.cells, 8900);
	assert_int_equal(outbox_carry(&d, f.len, read_piece, &f, &k), PERR_OK);
	assert_int_equal(k.fresh, 8900);
	waiting_ids(&c, &here);
	waiting_ids(&d, &there);
	assert_int_equal(there.n, 8900);
	assert_memory_equal(here.at, there.at, 8900 * 32);
	free(f.p);
}

static void a_bad_file_adds_nothing(void **state)
{
	struct outbox_carry k;
	struct outbox_save s;
	struct file f = { 0 };
	unsigned before, tried = 0;

	add_sealed(0, 60);
	assert_int_equal(outbox_save(&c, write_piece, &f, &s), PERR_OK);
	assert_int_equal(f.len, 8 * OUTFILE_PIECE);
	before = records(d.kv);
	for (size_t at = 0; at < f.len; at += OUTFILE_PIECE / 2 + 77, tried++) {
		enum perr err;

		f.p[at] ^= 4;
		err = outbox_carry(&d, f.len, read_piece, &f, &k);
		assert_int_equal(err, at < OUTFILE_PIECE ? PERR_AUTH : PERR_CORRUPT);
		f.p[at] ^= 4;
		assert_int_equal(records(d.kv), before);
	}
	assert_true(tried > 12);
	for (size_t len = 0; len < f.len; len += OUTFILE_PIECE) {
		assert_int_not_equal(outbox_carry(&d, len, read_piece, &f, &k), PERR_OK);
		assert_int_equal(records(d.kv), before);
	}
	season.psk[0] ^= 1;
	assert_int_equal(outbox_carry(&d, f.len, read_piece, &f, &k), PERR_AUTH);
	season.psk[0] ^= 1;
	d.n_seasons = 0;
	assert_int_equal(outbox_carry(&d, f.len, read_piece, &f, &k), PERR_STATE);
	d.n_seasons = 1;
	assert_int_equal(outbox_carry(&d, f.len, read_piece, &f, &k), PERR_OK);
	free(f.p);
}

static void a_file_that_cannot_be_written_leaves_all_here(void **state)
{
	struct outbox_counts n;
	struct outbox_save s;
	struct file f = { .limit = 3 * OUTFILE_PIECE };

	add_sealed(0, 60);
	assert_int_equal(outbox_save(&c, write_piece, &f, &s), PERR_LIMIT);
	assert_int_equal(outbox_counts(&c, &n), PERR_OK);
	assert_int_equal(n.submissions, 1);
	assert_int_equal(n.cells, 60);
	assert_int_equal(n.saved, 0);
	free(f.p);
}

/* the disk of the file goes away in the middle, or the store fails: all of it is here, or nothing */
static void a_carrying_that_is_cut_adds_all_or_nothing(void **state)
{
	static struct ids there;
	struct outbox_carry k;
	struct outbox_save s;
	struct file f = { 0 };
	unsigned cuts = 0;
	enum perr err = PERR_IO;

	add_sealed(0, 60);
	assert_int_equal(outbox_save(&c, write_piece, &f, &s), PERR_OK);
	kv_mem_fail_commit(d.kv, 1);
	assert_int_equal(outbox_carry(&d, f.len, read_piece, &f, &k), PERR_IO);
	waiting_ids(&d, &there);
	assert_int_equal(there.n, 0);
	for (; err != PERR_OK; cuts++) {
		f.fails_at = cuts + 1;
		err = outbox_carry(&d, f.len, read_piece, &f, &k);
		waiting_ids(&d, &there);
		assert_int_equal(there.n, err == PERR_OK ? 72 : 0);
		assert_true(cuts < 100);
	}
	print_message("figure: carrying cut at %u reads of the file; half taken over: 0\n", cuts - 1);
	assert_int_equal(cuts, 2 * 8 + 1);
	free(f.p);
}

#define CLAIM(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLAIM(a_saved_outbox_is_carried_in_its_order),
		CLAIM(a_file_of_many_groups_is_carried_whole),
		CLAIM(a_bad_file_adds_nothing),
		CLAIM(a_file_that_cannot_be_written_leaves_all_here),
		CLAIM(a_carrying_that_is_cut_adds_all_or_nothing),
	};

	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
