/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The word list: its rules, and the bits behind the words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "words.h"

static void the_list_keeps_its_rules(void **state)
{
	unsigned i;
	size_t j;

	(void)state;
	for (i = 0; i < WORDS_COUNT; i++) {
		const char *w = words_get(i);

		assert_non_null(w);
		assert_in_range(strlen(w), 3, WORDS_LEN_MAX);
		for (j = 0; w[j] != 0; j++)
			assert_in_range(w[j], 'a', 'z');
		/* In order; the first four letters already decide, and no word of three
		 * letters begins another. */
		if (i > 0)
			assert_true(strncmp(words_get(i - 1), w, 4) < 0);
		if (strlen(w) == 3 && i + 1 < WORDS_COUNT)
			assert_int_not_equal(strncmp(words_get(i + 1), w, 3), 0);
	}
	assert_null(words_get(WORDS_COUNT));
	assert_null(words_get(~0u));
}

/* Changing one word breaks paper: the whole list, as one number (FNV-1a 64). */
static void the_list_is_the_one_on_paper(void **state)
{
	uint64_t h = 14695981039346656037u;
	unsigned i;
	const char *p;

	(void)state;
	for (i = 0; i < WORDS_COUNT; i++)
		for (p = words_get(i);; p++) {
			h = (h ^ (uint8_t)*p) * 1099511628211u;
			if (*p == 0)
				break;
		}
	print_message("list hash: %016llx\n", (unsigned long long)h);
	assert_true(h == 0xe576b66e40893b29);
}

static void each_word_is_found_whole_and_by_four_letters(void **state)
{
	unsigned i;
	size_t len, n;

	(void)state;
	for (i = 0; i < WORDS_COUNT; i++) {
		const char *w = words_get(i);
		char up[WORDS_LEN_MAX];

		len = strlen(w);
		for (n = 0; n < len; n++)
			up[n] = (char)(n % 2 ? w[n] : w[n] - 'a' + 'A');
		for (n = 0; n <= len; n++)
			assert_int_equal(words_find(up, n), n == len || n >= 4 ? (int)i : -1);
	}
	assert_int_equal(words_find("acornx", 6), -1);
	assert_int_equal(words_find("acorn ", 6), -1);
	assert_int_equal(words_find("aco\0", 4), -1);
	assert_int_equal(words_find("zzzz", 4), -1);
	assert_int_equal(words_find("aaaa", 4), -1);
	assert_int_equal(words_find("\xc3\xa1" "cor", 5), -1);
	assert_int_equal(words_find("avocados", 8), -1);
}

static void words_are_the_leading_bits(void **state)
{
	/* 0000000001 0000000010 1111111111 1000000000 */
	static const uint8_t bytes[5] = { 0x00, 0x40, 0x2f, 0xfe, 0x00 };
	const char *w[4];
	uint16_t idx[4];
	char text[WORDS_PHRASE_SIZE(4)], expected[64];

	(void)state;
	assert_int_equal(words_from_bytes(w, idx, 4, bytes, 5), PERR_OK);
	assert_int_equal(idx[0], 1);
	assert_int_equal(idx[1], 2);
	assert_int_equal(idx[2], 1023);
	assert_int_equal(idx[3], 512);
	assert_string_equal(w[2], words_get(1023));
	assert_int_equal(words_phrase(text, sizeof text, 4, bytes, 5), PERR_OK);
	snprintf(expected, sizeof expected, "%s %s %s %s", w[0], w[1], w[2], w[3]);
	assert_string_equal(text, expected);
	assert_int_equal(words_from_bytes(w, idx, 4, bytes, 4), PERR_RANGE);
	assert_int_equal(words_phrase(text, sizeof text, 4, bytes, 4), PERR_RANGE);
	assert_string_equal(text, "");
	assert_int_equal(words_phrase(text, sizeof text - 1, 4, bytes, 5), PERR_RANGE);
	assert_int_equal(words_from_bytes(NULL, NULL, 0, NULL, 0), PERR_OK);
	assert_int_equal(words_from_bytes(NULL, NULL, SIZE_MAX / 2, bytes, 5), PERR_RANGE);
}

static void phrase_and_numbers_agree_at_every_bit(void **state)
{
	uint8_t bytes[32];
	char text[WORDS_PHRASE_SIZE(25)], *p;
	uint16_t idx[25];
	unsigned round, i;
	uint32_t x = 1;

	(void)state;
	for (round = 0; round < 200; round++) {
		for (i = 0; i < sizeof bytes; i++)
			bytes[i] = (uint8_t)((x = x * 1664525u + 1013904223u) >> 24);
		assert_int_equal(words_from_bytes(NULL, idx, 25, bytes, 32), PERR_OK);
		assert_int_equal(words_phrase(text, sizeof text, 25, bytes, 32), PERR_OK);
		for (p = text, i = 0; i < 25; i++) {
			size_t len = strcspn(p, " ");

			assert_int_equal(words_find(p, len), idx[i]);
			p += len + 1;
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_list_keeps_its_rules),
		cmocka_unit_test(the_list_is_the_one_on_paper),
		cmocka_unit_test(each_word_is_found_whole_and_by_four_letters),
		cmocka_unit_test(words_are_the_leading_bits),
		cmocka_unit_test(phrase_and_numbers_agree_at_every_bit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
