/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "b64.h"

#define MOST 200                 /* over several of b64.c's steps */

static const int variants[] = {
	sodium_base64_VARIANT_ORIGINAL,
	sodium_base64_VARIANT_ORIGINAL_NO_PADDING,
	sodium_base64_VARIANT_URLSAFE,
	sodium_base64_VARIANT_URLSAFE_NO_PADDING,
};
#define N_VARIANTS (sizeof variants / sizeof variants[0])

static void what_libsodium_wrote_comes_back_at_every_length(void **state)
{
	uint8_t bytes[MOST], back[MOST];
	char text[MOST * 2];
	size_t n, v, len;

	(void)state;
	randombytes_buf(bytes, sizeof bytes);
	for (v = 0; v < N_VARIANTS; v++)
		for (n = 0; n <= MOST; n++) {
			sodium_bin2base64(text, sizeof text, bytes, n, variants[v]);
			assert_int_equal(b64_read(back, n, &len, text, strlen(text), variants[v]),
			                 PERR_OK);
			assert_int_equal(len, n);
			assert_memory_equal(back, bytes, n);
			if (n == 0)
				continue;
			/* a byte of room too few, a character more, one fewer */
			assert_int_equal(b64_read(back, n - 1, &len, text, strlen(text),
			                          variants[v]), PERR_FORMAT);
			assert_int_equal(len, 0);
			assert_int_equal(b64_read(back, sizeof back, &len, text, strlen(text) + 1,
			                          variants[v]), PERR_FORMAT);
			if (strlen(text) % 4 != 1 && b64_read(back, sizeof back, &len, text,
			                                      strlen(text) - 1, variants[v]) == PERR_OK)
				assert_true(len < n);
		}
}

/* every byte in every place: read only if it is what those bytes are written as */
static void bytes_have_one_spelling(void **state)
{
	uint8_t bytes[50], back[sizeof bytes], zero[sizeof bytes] = { 0 };
	char text[80], again[80];
	size_t v, i, n, len, more = 0;
	unsigned c, refused = 0;

	(void)state;
	randombytes_buf(bytes, sizeof bytes);
	for (v = 0; v < N_VARIANTS; v++)
		for (i = 0; i < (n = strlen(sodium_bin2base64(text, sizeof text, bytes,
		                                              sizeof bytes, variants[v]))); i++)
			for (c = 0; c < 256; c++) {
				text[i] = (char)c;
				/* the control: libsodium alone lets some of them through */
				more += c > 0x7f && sodium_base642bin(back, sizeof back, text, n, NULL,
				                                      &len, NULL, variants[v]) == 0;
				if (b64_read(back, sizeof back, &len, text, n, variants[v]) == PERR_OK) {
					assert_true(c < 0x80);
					sodium_bin2base64(again, sizeof again, back, len, variants[v]);
					assert_int_equal(strlen(again), n);
					assert_memory_equal(again, text, n);
				} else {
					refused++;
					assert_int_equal(len, 0);
					assert_memory_equal(back, zero, sizeof back);
				}
			}
	printf("base64: %u spellings refused, of which libsodium alone reads %zu\n", refused, more);
	assert_true(more > 0);
}

static void blanks_and_bits_left_over_are_refused(void **state)
{
	static const char *const bad[] = {
		"=", "A", "AA", "AAA", "AA=", "AA==A", "AA===", "AB==", "AAB=", "AAAA ", " AAAA",
		"AA\nAA", "AA AA", "AAAA====", "AAAA=", "AA-_",
	};
	uint8_t out[16];
	size_t i, len;

	(void)state;
	for (i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_int_equal(b64_read(out, sizeof out, &len, bad[i], strlen(bad[i]),
		                          sodium_base64_VARIANT_ORIGINAL), PERR_FORMAT);
	assert_int_equal(b64_read(out, sizeof out, &len, "AA/+", 4, sodium_base64_VARIANT_ORIGINAL),
	                 PERR_OK);
	assert_int_equal(b64_read(out, sizeof out, &len, "AA/+", 4, sodium_base64_VARIANT_URLSAFE),
	                 PERR_FORMAT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_libsodium_wrote_comes_back_at_every_length),
		cmocka_unit_test(bytes_have_one_spelling),
		cmocka_unit_test(blanks_and_bits_left_over_are_refused),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
