/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* doc and arena: what every document stands on */
#include "doc.h"

#include "arena.h"
#include "docs_vec.h"

/* reads {0: uint, [1: uint], [2: ext]} */
static enum perr read_map(const uint8_t *in, size_t len, bool *has_ext)
{
	struct mp_reader r;
	struct doc_map m;

	mp_reader_init(&r, in, len);
	doc_map_begin(&m, &r);
	doc_need(&m, 0);
	mp_uint(&r, UINT32_MAX);
	if (doc_has(&m, 1))
		mp_uint(&r, UINT32_MAX);
	*has_ext = doc_ext(&m, 2);
	doc_map_end(&m);
	return mp_finish(&r);
}

static enum perr read_hex(const char *hex, bool *has_ext)
{
	uint8_t buf[64];

	return read_map(buf, unhex(buf, sizeof buf, hex), has_ext);
}

static void a_map_is_read_like_its_table(void **state)
{
	bool ext;

	(void)state;
	assert_int_equal(read_hex("810005", &ext), PERR_OK);
	assert_false(ext);
	assert_int_equal(read_hex("8200050106", &ext), PERR_OK);
	assert_int_equal(read_hex("820005010680", &ext), PERR_FORMAT);
	assert_int_equal(read_hex("80", &ext), PERR_FORMAT);       /* key 0 is missing */
	assert_int_equal(read_hex("810106", &ext), PERR_FORMAT);
	assert_int_equal(read_hex("8200050306", &ext), PERR_FORMAT); /* key 3 is not known */
	assert_int_equal(read_hex("8201060005", &ext), PERR_FORMAT); /* falling */
}

static void unknown_odd_keys_of_ext_are_skipped_and_even_ones_refused(void **state)
{
	bool ext;

	(void)state;
	assert_int_equal(read_hex("8200050280", &ext), PERR_OK);
	assert_true(ext);
	assert_int_equal(read_hex("8200050282019301020305a0", &ext), PERR_OK);
	assert_true(ext);
	assert_int_equal(read_hex("82000502810000", &ext), PERR_UNKNOWN);
	assert_int_equal(read_hex("8200050282010004c0", &ext), PERR_UNKNOWN);
	assert_int_equal(read_hex("82000502c0", &ext), PERR_FORMAT); /* ext is a map */
}

static void put_much(struct mp_writer *w, const void *what)
{
	size_t len = *(const size_t *)what;
	uint8_t *p = calloc(1, len);

	assert_non_null(p);
	mp_put_bin(w, p, len);
	free(p);
}

static void a_buffer_grows_up_to_its_limit_and_not_beyond(void **state)
{
	uint8_t *out;
	size_t len, n = 65536;

	(void)state;
	assert_int_equal(doc_write(&out, &len, n + 5, put_much, &n), PERR_OK);
	assert_int_equal(len, n + 5);
	doc_free(out, len);
	assert_int_equal(doc_write(&out, &len, n + 4, put_much, &n), PERR_RANGE);
	assert_null(out);
	assert_int_equal(len, 0);
}

static void an_arena_gives_zeroed_aligned_memory_of_any_size(void **state)
{
	struct arena *a = arena_new();
	uint8_t *p[64];

	(void)state;
	assert_non_null(a);
	for (size_t i = 0; i < 64; i++) {
		size_t len = i * i * 17;

		p[i] = arena_alloc(a, len, 1);
		assert_non_null(p[i]);
		assert_int_equal((uintptr_t)p[i] % 16, 0);
		assert_true(len == 0 || doc_is_zero(p[i], len));
		memset(p[i], 0xa5, len);
	}
	for (size_t i = 0; i < 64; i++)
		for (size_t k = 0; k < i * i * 17; k++)
			assert_int_equal(p[i][k], 0xa5);
	assert_null(arena_alloc(a, SIZE_MAX / 2, 3));
	assert_null(arena_alloc(a, SIZE_MAX, 1));
	arena_free(a);
}

static void growing_an_array_keeps_what_it_held_and_wipes_the_old_one(void **state)
{
	struct arena *a = arena_new();
	uint32_t *old, *more;

	(void)state;
	old = arena_alloc(a, 2, sizeof *old);
	old[0] = 7;
	old[1] = 8;
	more = arena_grow(a, old, 2, 5, sizeof *old);
	assert_int_equal(more[0], 7);
	assert_int_equal(more[1], 8);
	assert_int_equal(more[4], 0);
	assert_int_equal(old[0], 0);
	assert_null(arena_grow(a, more, 5, 4, sizeof *old));
	assert_string_equal(arena_str(a, "ʼ"), "ʼ");
	arena_free(a);
}

static void vectors(void)
{
	uint8_t hash[32], key[16], list[3][32] = { { 3 }, { 1 }, { 2 } };

	vec_note("H(\"amparo/1 test\" || 00 01 02) and the same keyed with 16 x 07");
	doc_hash(hash, "amparo/1 test", (const uint8_t *)"\x00\x01\x02", 3);
	vec("hash", hash, 32);
	memset(key, 7, sizeof key);
	doc_hash_keyed(hash, key, sizeof key, "amparo/1 test", (const uint8_t *)"\x00\x01\x02", 3);
	vec("keyed", hash, 32);
	doc_sort(list, 3);
	assert_true(doc_is_rising(list, 3));
	assert_int_equal(doc_find(list, 3, (const uint8_t[32]){ 2 }), 1);
	assert_int_equal(doc_find(list, 3, (const uint8_t[32]){ 4 }), 3);
	memcpy(list[1], list[2], 32);
	assert_false(doc_is_rising(list, 3));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_layout_has_its_vector),
		cmocka_unit_test(a_map_is_read_like_its_table),
		cmocka_unit_test(unknown_odd_keys_of_ext_are_skipped_and_even_ones_refused),
		cmocka_unit_test(a_buffer_grows_up_to_its_limit_and_not_beyond),
		cmocka_unit_test(an_arena_gives_zeroed_aligned_memory_of_any_size),
		cmocka_unit_test(growing_an_array_keeps_what_it_held_and_wipes_the_old_one),
	};

	if (kit_written(argc, argv, "doc"))
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
