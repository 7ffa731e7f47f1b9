/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The native half of what tests/web/vectors.test.mjs compares: prints the digest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../web/vectors/digest.h"

/* of Debian's libsodium 1.0.18 on amd64; the page's must be the same */
#define DIGEST "19f4f8dd76d07080deebad66242f1ea7058000ac5b1de441dc154eb2af17c912"

static void libsodium_answers_as_in_the_page(void **state)
{
	uint8_t out[32];
	char hex[65];

	(void)state;
	sodium_digest(out);
	sodium_bin2hex(hex, sizeof hex, out, sizeof out);
	print_message("figure: web digest: %s\n", hex);
	assert_string_equal(hex, DIGEST);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(libsodium_answers_as_in_the_page) };

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
