/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "outfile.h"

#include <sodium.h>

#include "docs_vec.h"

#define MANY 72

static struct season season, other;

struct file {
	uint8_t *p;
	size_t len;
};

static enum perr take_piece(void *arg, const uint8_t piece[OUTFILE_PIECE])
{
	struct file *f = arg;

	f->p = realloc(f->p, f->len + OUTFILE_PIECE);
	assert_non_null(f->p);
	memcpy(f->p + f->len, piece, OUTFILE_PIECE);
	f->len += OUTFILE_PIECE;
	return PERR_OK;
}

/* a cell that cell_check takes: its E is small, so canonical */
static void make_cell(uint8_t cell[CELL_SIZE], uint32_t i)
{
	memset(cell, (int)(i * 7 + 1), CELL_SIZE);
	memset(cell, 0, 32);
	cell[0] = (uint8_t)(i + 9);
	cell[1] = (uint8_t)(i >> 8);
	cell[2] = 1;
}

static struct file make(const struct season *s, uint32_t n, struct rng rng)
{
	static struct outfile_writer w;
	uint8_t cell[CELL_SIZE];
	struct file f = { 0 };

	assert_int_equal(outfile_begin(&w, s, n, rng, take_piece, &f), PERR_OK);
	for (uint32_t i = 0; i < n; i++) {
		make_cell(cell, i);
		assert_int_equal(outfile_cell(&w, cell), PERR_OK);
	}
	assert_int_equal(outfile_cell(&w, cell), PERR_RANGE);
	assert_int_equal(outfile_end(&w), PERR_OK);
	outfile_writer_wipe(&w);
	return f;
}

static enum perr check_cell(void *arg, const uint8_t cell[CELL_SIZE])
{
	uint32_t *i = arg;
	uint8_t want[CELL_SIZE];

	make_cell(want, (*i)++);
	assert_memory_equal(cell, want, CELL_SIZE);
	return PERR_OK;
}

static enum perr read_all(const struct file *f, const struct season *s, uint32_t *n)
{
	static struct outfile_reader r;
	enum perr err;

	*n = 0;
	if (!outfile_size_ok(f->len))
		return PERR_FORMAT;
	err = outfile_open(&r, s, f->len, f->p);
	for (size_t at = 0; err == PERR_OK && at < f->len; at += OUTFILE_PIECE)
		err = outfile_read(&r, f->p + at, check_cell, n);
	if (err == PERR_OK)
		err = outfile_close(&r);
	outfile_reader_wipe(&r);
	return err;
}

static void cells_come_back_in_their_order(void **state)
{
	static const uint32_t sizes[] = { 1, 2, 15, 16, 17, 18, 31, 32, 33, 64, 65, MANY, 1152 };

	for (size_t k = 0; k < sizeof sizes / sizeof sizes[0]; k++) {
		struct file f = make(&season, sizes[k], rng_system());
		uint32_t n;

		assert_int_equal(f.len, (size_t)outfile_pieces(sizes[k]) * OUTFILE_PIECE);
		assert_int_equal(f.len & (f.len - 1), 0);
		assert_int_equal(read_all(&f, &season, &n), PERR_OK);
		assert_int_equal(n, sizes[k]);
		free(f.p);
	}
}

static void its_size_is_one_of_a_few(void **state)
{
	assert_int_equal(outfile_pieces(0), 0);
	assert_int_equal(outfile_pieces(1), 2);
	assert_int_equal(outfile_pieces(18), 2);
	assert_int_equal(outfile_pieces(32), 2);
	assert_int_equal(outfile_pieces(33), 4);
	assert_int_equal(outfile_pieces(72), 8);
	assert_int_equal(outfile_pieces(OUTFILE_CELLS_MAX), 8192);
	assert_int_equal(outfile_pieces(OUTFILE_CELLS_MAX + 1), 0);
	assert_false(outfile_size_ok(0));
	assert_false(outfile_size_ok(OUTFILE_PIECE));
	assert_true(outfile_size_ok(2 * OUTFILE_PIECE));
	assert_false(outfile_size_ok(3 * OUTFILE_PIECE));
	assert_false(outfile_size_ok(2 * OUTFILE_PIECE + 1));
	assert_false(outfile_size_ok((uint64_t)16384 * OUTFILE_PIECE));
}

static void any_flipped_bit_is_noticed(void **state)
{
	struct file f = make(&season, MANY, rng_system());
	unsigned noticed = 0, tried = 0;
	uint32_t n;

	for (size_t at = 0; at < f.len; at += at < 80 ? 1 : 4099) {
		f.p[at] ^= (uint8_t)(1u << (at % 8));
		noticed += read_all(&f, &season, &n) != PERR_OK;
		f.p[at] ^= (uint8_t)(1u << (at % 8));
		tried++;
	}
	print_message("figure: outbox file, bits flipped %u, noticed %u\n", tried, noticed);
	assert_int_equal(noticed, tried);
	assert_int_equal(read_all(&f, &season, &n), PERR_OK);
	free(f.p);
}

static void pieces_have_their_places(void **state)
{
	struct file f = make(&season, MANY, rng_system()), half;
	uint8_t *swap = malloc(OUTFILE_PIECE);
	uint32_t n;

	assert_non_null(swap);
	memcpy(swap, f.p + OUTFILE_PIECE, OUTFILE_PIECE);
	memcpy(f.p + OUTFILE_PIECE, f.p + 2 * OUTFILE_PIECE, OUTFILE_PIECE);
	memcpy(f.p + 2 * OUTFILE_PIECE, swap, OUTFILE_PIECE);
	assert_int_equal(read_all(&f, &season, &n), PERR_AUTH);
	memcpy(f.p + 2 * OUTFILE_PIECE, f.p + OUTFILE_PIECE, OUTFILE_PIECE);
	memcpy(f.p + OUTFILE_PIECE, swap, OUTFILE_PIECE);
	assert_int_equal(read_all(&f, &season, &n), PERR_OK);
	/* cut to a length that a file may have: the first piece tells */
	half = (struct file){ f.p, f.len / 2 };
	assert_int_equal(read_all(&half, &season, &n), PERR_AUTH);
	assert_int_equal(n, 0);
	half.len = f.len - 1;
	assert_int_equal(read_all(&half, &season, &n), PERR_FORMAT);
	free(swap);
	free(f.p);
}

static void another_season_opens_nothing(void **state)
{
	struct file f = make(&season, 18, rng_system());
	uint32_t n;

	assert_int_equal(read_all(&f, &other, &n), PERR_AUTH);
	free(f.p);
}

/* what a raid finds: two files with the same cells have nothing in common but their length */
static void it_tells_nothing_but_its_size(void **state)
{
	struct file a = make(&season, 18, rng_system()), b = make(&season, 20, rng_system());
	uint64_t same = 0, bits = 0;

	assert_int_equal(a.len, b.len);
	for (size_t i = 0; i < a.len; i++) {
		same += a.p[i] == b.p[i] ? 1 : 0;
		for (unsigned k = 0; k < 8; k++)
			bits += a.p[i] >> k & 1;
	}
	/* 131072 bytes: 512 ± 23 alike, 524288 ± 512 bits set; six times that is never */
	assert_true(same > 512 - 136 && same < 512 + 136);
	assert_true(bits > 524288 - 3072 && bits < 524288 + 3072);
	free(a.p);
	free(b.p);
}

static void vectors(void)
{
	struct rng_seeded s;
	uint8_t seed[32], hash[32];
	struct file f;

	memset(seed, 5, sizeof seed);
	f = make(&season, 1, rng_seeded(&s, seed));
	crypto_generichash(hash, 32, f.p, f.len, NULL, 0);
	vec_note("season 3, psk 32 times 11; rng_seeded(05); one cell: E = 09 00 01 and zeros, then bytes 01");
	vec("salt", f.p, OUTFILE_SALT_SIZE);
	vec("first_64_sealed", f.p + OUTFILE_SALT_SIZE, 64);
	vec("tag_of_the_last_piece", f.p + f.len - 16, 16);
	vec("blake2b_of_the_file", hash, 32);
	free(f.p);
	/* what the fuzzer starts from is the inside: a number of cells, and cells */
	uint8_t inside[4 + CELL_SIZE] = { 0, 0, 0, 1 };
	make_cell(inside + 4, 0);
	kit_corpus("outfile", "one-cell", inside, sizeof inside);
	inside[3] = 0;
	kit_corpus("outfile", "none", inside, 4);
	inside[3] = 33;
	kit_corpus("outfile", "too-many", inside, sizeof inside);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_layout_has_its_vector),
		cmocka_unit_test(cells_come_back_in_their_order),
		cmocka_unit_test(its_size_is_one_of_a_few),
		cmocka_unit_test(any_flipped_bit_is_noticed),
		cmocka_unit_test(pieces_have_their_places),
		cmocka_unit_test(another_season_opens_nothing),
		cmocka_unit_test(it_tells_nothing_but_its_size),
	};
	uint8_t psk[32];

	if (sodium_init() < 0)
		return 1;
	memset(psk, 0x11, sizeof psk);
	season_init(&season, 3, psk);
	psk[0] ^= 1;
	season_init(&other, 3, psk);
	if (kit_written(argc, argv, "outfile"))
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
