/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "vec.h"

#include "blob.h"

struct world {
	struct season seasons[2];
	struct blob_ref ref;
	uint8_t *data, *back;
	uint32_t size, n;
	uint8_t (*cells)[CELL_SIZE];
};

static void world_new(struct world *w, uint32_t size)
{
	uint8_t psk[32];
	uint32_t i;

	randombytes_buf(psk, 32);
	season_init(&w->seasons[0], 1, psk);
	randombytes_buf(psk, 32);
	season_init(&w->seasons[1], 2, psk);
	w->size = size;
	w->n = blob_n_chunks(size);
	w->data = malloc(size + 1);
	w->back = calloc(1, size + 1);
	w->cells = malloc(w->n * sizeof *w->cells);
	assert_true(w->data != NULL && w->back != NULL && w->cells != NULL);
	randombytes_buf(w->data, size);
	assert_int_equal(blob_begin(&w->ref, w->data, size, rng_system()), PERR_OK);
	for (i = 0; i < w->n; i++)
		assert_int_equal(blob_seal_chunk(w->cells[i], &w->ref, i, w->data, size,
		                                 &w->seasons[i % 2], rng_system()), PERR_OK);
}

static void world_free(struct world *w)
{
	free(w->data);
	free(w->back);
	free(w->cells);
}

static void published_layout(void **state)
{
	uint8_t data[5000], seed[32], ref_bytes[BLOB_REF_SIZE], psk[32], ds[32], tag[32];
	struct rng_seeded st;
	struct blob_ref ref, again;
	struct season season;
	uint32_t i;

	(void)state;
	vec_sample(data, sizeof data);
	vec_bytes(seed, 32, "blob", "blob", "seed");
	assert_int_equal(blob_begin(&ref, data, sizeof data, rng_seeded(&st, seed)), PERR_OK);
	assert_vec(ref.sk, 32, "blob", "blob", "sk");
	assert_vec(ref.hash, 32, "blob", "blob", "hash");
	blob_ref_encode(ref_bytes, &ref);
	assert_vec(ref_bytes, sizeof ref_bytes, "blob", "blob", "reference");
	assert_int_equal(blob_ref_decode(&again, ref_bytes), PERR_OK);
	assert_memory_equal(&again, &ref, sizeof ref);
	assert_int_equal(blob_n_chunks(ref.size), vec_number("blob", "blob", "n_chunks"));
	for (i = 0; i < 2; i++) {
		char r[16];
		uint8_t cell[CELL_SIZE], back[5000], id[32];

		snprintf(r, sizeof r, "chunk %u", i);
		vec_bytes(psk, 32, "blob", r, "season_psk");
		season_init(&season, (uint32_t)vec_number("blob", r, "season"), psk);
		vec_bytes(seed, 32, "blob", r, "seed");
		blob_chunk_ds(ds, &ref, i);
		assert_vec(ds, 32, "blob", r, "ds");
		blob_chunk_tag(tag, &ref, i);
		assert_vec(tag, 32, "blob", r, "T");
		assert_int_equal(blob_seal_chunk(cell, &ref, i, data, sizeof data, &season,
		                                 rng_seeded(&st, seed)), PERR_OK);
		assert_vec(cell, CELL_SIZE, "blob", r, "cell");
		cell_id(id, cell);
		assert_vec(id, 32, "blob", r, "id");
		assert_int_equal(blob_open_chunk(back, &ref, i, cell, &season, 1), PERR_OK);
		assert_memory_equal(back + i * CELL_PAYLOAD_MAX, data + i * CELL_PAYLOAD_MAX,
		                    i == 0 ? CELL_PAYLOAD_MAX : sizeof data - CELL_PAYLOAD_MAX);
	}
	vec_bytes(seed, 32, "blob", "empty blob", "seed");
	assert_int_equal(blob_begin(&ref, NULL, 0, rng_seeded(&st, seed)), PERR_OK);
	blob_ref_encode(ref_bytes, &ref);
	assert_vec(ref_bytes, sizeof ref_bytes, "blob", "empty blob", "reference");
	assert_vec(ref.hash, 32, "blob", "empty blob", "hash");
	blob_chunk_ds(ds, &ref, 0);
	assert_vec(ds, 32, "blob", "empty blob", "ds_0");
	blob_chunk_tag(tag, &ref, 0);
	assert_vec(tag, 32, "blob", "empty blob", "T_0");
	printf("figure: blob vectors %u/%u\n", vec_checked, vec_checked);
}

static void every_size_near_a_boundary_comes_back(void **state)
{
	static const uint32_t sizes[] = {
		0, 1, CELL_PAYLOAD_MAX - 1, CELL_PAYLOAD_MAX, CELL_PAYLOAD_MAX + 1,
		2 * CELL_PAYLOAD_MAX, 2 * CELL_PAYLOAD_MAX + 1, 100000
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		struct world w;
		uint32_t k;

		world_new(&w, sizes[i]);
		for (k = w.n; k-- > 0;)          /* any order */
			assert_int_equal(blob_open_chunk(w.back, &w.ref, k, w.cells[k],
			                                 w.seasons, 2), PERR_OK);
		assert_memory_equal(w.back, w.data, w.size);
		assert_int_equal(w.back[w.size], 0);
		assert_int_equal(blob_check(&w.ref, w.back, w.size), PERR_OK);
		world_free(&w);
	}
}

static void chunk_counts_are_those_of_the_section(void **state)
{
	(void)state;
	assert_int_equal(blob_n_chunks(0), 1);
	assert_int_equal(blob_n_chunks(1), 1);
	assert_int_equal(blob_n_chunks(CELL_PAYLOAD_MAX), 1);
	assert_int_equal(blob_n_chunks(CELL_PAYLOAD_MAX + 1), 2);
	assert_int_equal(blob_n_chunks(BLOB_SIZE_MAX), 16790);
	assert_int_equal(blob_n_chunks(UINT32_MAX), 1074548);
}

/* all chunks have one key: only T keeps a server from handing out one for another */
static void a_chunk_in_anothers_place_is_refused(void **state)
{
	struct world w;
	uint32_t i, k;

	(void)state;
	world_new(&w, 3 * CELL_PAYLOAD_MAX);
	for (i = 0; i < 3; i++)
		for (k = 0; k < 3; k++)
			if (i != k)
				assert_int_equal(blob_open_chunk(w.back, &w.ref, k, w.cells[i],
				                                 w.seasons, 2), PERR_AUTH);
	assert_zero(w.back, w.size);
	assert_int_equal(blob_open_chunk(w.back, &w.ref, 3, w.cells[0], w.seasons, 2), PERR_RANGE);
	assert_int_equal(blob_open_chunk(w.back, &w.ref, UINT32_MAX, w.cells[0], w.seasons, 2),
	                 PERR_RANGE);
	world_free(&w);
}

/* a member who saw the reference makes cells with the same T: only the seal can be right */
static void another_cell_with_the_same_tag_is_refused(void **state)
{
	struct world w;
	uint8_t ds[32], pk[32], cell[CELL_SIZE], stranger[32];

	(void)state;
	world_new(&w, 100);
	blob_chunk_ds(ds, &w.ref, 0);
	randombytes_buf(stranger, 32);
	crypto_scalarmult_base(pk, stranger);
	assert_int_equal(cell_seal_chunk(cell, ds, w.data, 100, pk, &w.seasons[0], rng_system()),
	                 PERR_OK);
	assert_int_equal(blob_open_chunk(w.back, &w.ref, 0, cell, w.seasons, 2), PERR_AUTH);
	/* with the blob's own key, which the reference holds, length and hash remain */
	crypto_scalarmult_base(pk, w.ref.sk);
	assert_int_equal(cell_seal_chunk(cell, ds, w.data, 99, pk, &w.seasons[0], rng_system()),
	                 PERR_OK);
	assert_int_equal(blob_open_chunk(w.back, &w.ref, 0, cell, w.seasons, 2), PERR_FORMAT);
	assert_zero(w.back, 100);
	w.data[0] ^= 1;
	assert_int_equal(cell_seal_chunk(cell, ds, w.data, 100, pk, &w.seasons[0], rng_system()),
	                 PERR_OK);
	assert_int_equal(blob_open_chunk(w.back, &w.ref, 0, cell, w.seasons, 2), PERR_OK);
	assert_int_equal(blob_check(&w.ref, w.back, 100), PERR_CORRUPT);
	world_free(&w);
}

static void check_notices_every_flipped_bit_and_length(void **state)
{
	struct world w;
	size_t bit;

	(void)state;
	world_new(&w, 200);
	for (bit = 0; bit < 8 * 200; bit++) {
		w.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_equal(blob_check(&w.ref, w.data, 200), PERR_CORRUPT);
		w.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	for (bit = 0; bit < 200; bit++)
		assert_int_equal(blob_check(&w.ref, w.data, bit), PERR_CORRUPT);
	assert_int_equal(blob_check(&w.ref, w.data, 200), PERR_OK);
	world_free(&w);
}

static void sizes_beyond_the_limit_are_refused(void **state)
{
	struct world w;
	struct blob_ref ref;
	uint8_t bytes[BLOB_REF_SIZE] = { 0 }, cell[CELL_SIZE];

	(void)state;
	memset(bytes, 0x11, sizeof bytes);
	bytes[32] = (uint8_t)(BLOB_SIZE_MAX >> 24);
	bytes[33] = bytes[34] = bytes[35] = 0;
	assert_int_equal(blob_ref_decode(&ref, bytes), PERR_OK);
	assert_int_equal(ref.size, BLOB_SIZE_MAX);
	bytes[35] = 1;
	assert_int_equal(blob_ref_decode(&ref, bytes), PERR_FORMAT);
	assert_zero((const uint8_t *)&ref, sizeof ref);
	memset(bytes + 32, 0xff, 4);
	assert_int_equal(blob_ref_decode(&ref, bytes), PERR_FORMAT);
	world_new(&w, 10);
	/* the length is looked at before the first byte of the content */
	assert_int_equal(blob_begin(&ref, w.data, (size_t)BLOB_SIZE_MAX + 1, rng_system()),
	                 PERR_RANGE);
	assert_zero((const uint8_t *)&ref, sizeof ref);
	memset(cell, 0xee, sizeof cell);
	assert_int_equal(blob_seal_chunk(cell, &w.ref, 1, w.data, 10, &w.seasons[0], rng_system()),
	                 PERR_RANGE);
	assert_zero(cell, sizeof cell);
	assert_int_equal(blob_seal_chunk(cell, &w.ref, 0, w.data, 9, &w.seasons[0], rng_system()),
	                 PERR_RANGE);
	world_free(&w);
}

/* who passes a record on seals again: the copies must have nothing in common */
static void two_blobs_of_one_content_are_unlinkable(void **state)
{
	struct world w;
	struct blob_ref other;
	uint8_t a[32], b[32];

	(void)state;
	world_new(&w, 100);
	assert_int_equal(blob_begin(&other, w.data, 100, rng_system()), PERR_OK);
	assert_memory_not_equal(other.sk, w.ref.sk, 32);
	blob_chunk_tag(a, &w.ref, 0);
	blob_chunk_tag(b, &other, 0);
	assert_memory_not_equal(a, b, 32);
	world_free(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(published_layout),
		cmocka_unit_test(every_size_near_a_boundary_comes_back),
		cmocka_unit_test(chunk_counts_are_those_of_the_section),
		cmocka_unit_test(a_chunk_in_anothers_place_is_refused),
		cmocka_unit_test(another_cell_with_the_same_tag_is_refused),
		cmocka_unit_test(check_notices_every_flipped_bit_and_length),
		cmocka_unit_test(sizes_beyond_the_limit_are_refused),
		cmocka_unit_test(two_blobs_of_one_content_are_unlinkable),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests_name("blob", tests, NULL, NULL);
}
