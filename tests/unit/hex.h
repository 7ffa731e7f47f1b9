/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* hex: what the tests of protocol/ share for reading figures typed as hex. */
#ifndef AMPARO_TEST_HEX_H
#define AMPARO_TEST_HEX_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

/* decodes hex into out (size bytes of room); the test fails on anything else; returns the length */
static inline size_t unhex(uint8_t *out, size_t size, const char *hex)
{
	size_t len;
	const char *end;

	assert_int_equal(sodium_hex2bin(out, size, hex, strlen(hex), NULL, &len, &end), 0);
	assert_true(*end == '\0');
	return len;
}

/* p[0..len) is exactly what hex says */
static inline void assert_hex(const uint8_t *p, size_t len, const char *hex)
{
	uint8_t want[8192];

	assert_int_equal(unhex(want, sizeof want, hex), len);
	assert_memory_equal(p, want, len);
}

static inline void assert_zero(const uint8_t *p, size_t len)
{
	assert_int_equal(sodium_is_zero(p, len), 1);
}

#endif
