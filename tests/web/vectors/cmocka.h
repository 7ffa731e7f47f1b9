/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * What the tests of published vectors use of cmocka, for WebAssembly: the same test files are
 * compiled with this in its place and run under node and in the browser.  There is no longjmp:
 * the first failure is told and ends the module by a trap.
 */
#ifndef AMPARO_WEB_CMOCKA_H
#define AMPARO_WEB_CMOCKA_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct CMUnitTest {
	const char *name;
	void (*run)(void **state);
};
#define cmocka_unit_test(fn) { #fn, fn }

/* the test file's main, whichever of its two shapes it has */
#define main(...) test_main(int argc, char **argv)
int test_main(int argc, char **argv);

_Noreturn void vector_fail(const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
int vector_run(const struct CMUnitTest *tests, size_t n, int (*up)(void **), int (*down)(void **));
/* a file below tests/vectors, given by whoever runs the module */
FILE *vector_open(const char *path, const char *mode);

#define FAIL_(...) vector_fail(__FILE__, __LINE__, __VA_ARGS__)
#define fail_msg(...) FAIL_(__VA_ARGS__)
#define print_message(...) ((void)0)
#define assert_true(c) do { if (!(c)) FAIL_("%s", #c); } while (0)
#define assert_false(c) assert_true(!(c))
#define assert_null(p) assert_true((p) == NULL)
#define assert_non_null(p) assert_true((p) != NULL)
#define assert_int_equal(a, b) do { \
	long long a_ = (long long)(a), b_ = (long long)(b); \
	if (a_ != b_) FAIL_("%s = %lld, not %lld", #a, a_, b_); } while (0)
#define assert_int_not_equal(a, b) assert_true((long long)(a) != (long long)(b))
#define assert_memory_equal(a, b, n) assert_true(memcmp(a, b, n) == 0)
#define assert_memory_not_equal(a, b, n) assert_true(memcmp(a, b, n) != 0)
#define assert_string_equal(a, b) assert_true(strcmp(a, b) == 0)
#define assert_ptr_equal(a, b) assert_true((const void *)(a) == (const void *)(b))
#define cmocka_run_group_tests(tests, up, down) vector_run(tests, sizeof(tests) / sizeof(tests)[0], up, down)
#define cmocka_run_group_tests_name(name, tests, up, down) cmocka_run_group_tests(tests, up, down)
#define fopen vector_open

#endif
