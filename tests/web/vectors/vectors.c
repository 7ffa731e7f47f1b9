/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * vectors: one module around one file of tests/unit.  Exports run(): how many tests passed; a
 * failure is told by amparo.say and traps.  Also digest(): one hash over libsodium's answers
 * to fixed inputs, the same wherever it is computed.
 */
#include "cmocka.h"

#include <sodium.h>
#include <stdlib.h>

#include "digest.h"

#undef fopen
#define IMPORT(name) __attribute__((import_module("amparo"), import_name(name)))

IMPORT("say") void amparo_say(const char *text, size_t len);
IMPORT("random") void amparo_random(uint8_t *out, size_t len);
/* bytes of the file, at most size of them copied; 0: there is none */
IMPORT("file") size_t amparo_file(const char *path, size_t path_len, uint8_t *out, size_t size);

static int passed;

void vector_fail(const char *file, int line, const char *format, ...)
{
	char text[512];
	int n = snprintf(text, sizeof text, "%s:%d: ", file, line);
	va_list args;

	va_start(args, format);
	vsnprintf(text + n, sizeof text - (size_t)n, format, args);
	va_end(args);
	amparo_say(text, strlen(text));
	__builtin_trap();
}

int vector_run(const struct CMUnitTest *tests, size_t n, int (*up)(void **), int (*down)(void **))
{
	void *group = NULL;

	if (up != NULL && up(&group) != 0)
		vector_fail(__FILE__, __LINE__, "the tests could not be set up");
	for (size_t i = 0; i < n; i++) {
		void *state = group;

		tests[i].run(&state);
		passed++;
	}
	return down != NULL ? down(&group) : 0;
}

FILE *vector_open(const char *path, const char *mode)
{
	static uint8_t text[1 << 20];
	size_t len = amparo_file(path, strlen(path), text, sizeof text);

	(void)mode;
	return len == 0 || len > sizeof text ? NULL : fmemopen(text, len, "r");
}

static const char *random_name(void)
{
	return "host";
}

static void random_fill(void *const out, const size_t len)
{
	amparo_random(out, len);
}

static uint32_t random_one(void)
{
	uint32_t v;

	amparo_random((uint8_t *)&v, sizeof v);
	return v;
}

static randombytes_implementation host_random = {
	.implementation_name = random_name, .random = random_one, .buf = random_fill,
};

__attribute__((export_name("run"))) int run(void);
int run(void)
{
	char name[] = "vectors", *argv[] = { name, NULL };

	randombytes_set_implementation(&host_random);
	if (sodium_init() < 0 || test_main(1, argv) != 0)
		return -1;
	return passed;
}

static char hex[65];
__attribute__((export_name("digest"))) const char *digest(void);
const char *digest(void)
{
	uint8_t out[32];

	randombytes_set_implementation(&host_random);
	if (sodium_init() < 0)
		return NULL;
	sodium_digest(out);
	sodium_bin2hex(hex, sizeof hex, out, sizeof out);
	return hex;
}
