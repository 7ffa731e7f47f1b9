/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "handout.h"

#include "bulletin.h"
#include "docs_vec.h"

static const uint8_t bytes[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };

static struct handout small(void)
{
	return (struct handout){ .header = doc_bytes_of(bytes, 3), .slots = doc_bytes_of(bytes, 8),
	        .bodies = { doc_bytes_of(bytes + 1, 1), doc_bytes_of(bytes + 2, 2),
	                    doc_bytes_of(bytes + 3, 5) } };
}

static void its_parts_come_back(void **state)
{
	struct handout h = small(), back;
	uint8_t *out;
	size_t len;

	assert_int_equal(handout_encode(&out, &len, &h), PERR_OK);
	assert_int_equal(handout_decode(&back, out, len), PERR_OK);
	assert_int_equal(back.header.len, 3);
	assert_memory_equal(back.slots.p, bytes, 8);
	assert_int_equal(back.bodies[2].len, 5);
	assert_memory_equal(back.bodies[2].p, bytes + 3, 5);
	doc_free(out, len);
}

static void every_shorter_longer_or_later_one_is_refused(void **state)
{
	struct handout h = small(), back;
	uint8_t *out, more[128];
	size_t len;

	assert_int_equal(handout_encode(&out, &len, &h), PERR_OK);
	for (size_t n = 0; n < len; n++)
		assert_int_equal(handout_decode(&back, out, n), PERR_FORMAT);
	memcpy(more, out, len);
	more[len] = 0xc0;
	assert_int_equal(handout_decode(&back, more, len + 1), PERR_FORMAT);
	more[1] = 2;                     /* of a later version */
	assert_int_equal(handout_decode(&back, more, len), PERR_FORMAT);
	doc_free(out, len);
}

static void a_part_that_is_none_is_not_packed(void **state)
{
	struct handout h;
	uint8_t *out;
	size_t len;

	for (int i = 0; i < 10; i++) {
		struct doc_bytes *p[5] = { &h.header, &h.slots, &h.bodies[0], &h.bodies[1],
		                           &h.bodies[2] };

		h = small();
		p[i / 2]->len = i % 2 == 0 ? 0 : BULLETIN_PART_MAX + 1;
		assert_int_equal(handout_encode(&out, &len, &h), PERR_RANGE);
		assert_null(out);
	}
}

static void vectors(void)
{
	struct handout h = small();
	uint8_t *out;
	size_t len;

	assert_int_equal(handout_encode(&out, &len, &h), PERR_OK);
	vec_note("header 010203, slots 0102030405060708, bodies 02, 0304, 0405060708");
	vec("handout", out, len);
	kit_corpus("handout", "small", out, len);
	doc_free(out, len);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_layout_has_its_vector),
		cmocka_unit_test(its_parts_come_back),
		cmocka_unit_test(every_shorter_longer_or_later_one_is_refused),
		cmocka_unit_test(a_part_that_is_none_is_not_packed),
	};

	if (kit_written(argc, argv, "handout"))
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
