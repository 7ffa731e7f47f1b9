/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * starve: the n-th request for memory fails, once.  Included by one file of a test program
 * that is linked with --wrap for malloc, calloc, realloc and sodium_malloc.
 *
 * Without a sanitizer malloc itself is replaced, so that requests of libxml2, LMDB, libuv and
 * the C library count too; under one, those of the program and its static libraries.
 */
#ifndef AMPARO_STARVE_H
#define AMPARO_STARVE_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

static bool starve_armed, starve_tripped;
static unsigned long starve_left, starve_seen;

static bool starve_now(void)
{
	if (!starve_armed)
		return false;
	starve_seen++;
	if (starve_left == 0 || --starve_left > 0)
		return false;
	starve_armed = false;            /* one failure a run: the clean-up must work */
	starve_tripped = true;
	errno = ENOMEM;
	return true;
}

/* n 0: count only */
static void starve_arm(unsigned long n)
{
	starve_left = n;
	starve_seen = 0;
	starve_tripped = false;
	starve_armed = true;
}

/* true: a request failed */
static bool starve_disarm(void)
{
	starve_armed = false;
	return starve_tripped;
}

void *__real_sodium_malloc(size_t size);
void *__wrap_sodium_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);
void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);

void *__wrap_sodium_malloc(size_t size)
{
	return starve_now() ? NULL : __real_sodium_malloc(size);
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
void *__wrap_malloc(size_t size)
{
	return starve_now() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return starve_now() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t size)
{
	return starve_now() ? NULL : __real_realloc(p, size);
}
#else
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);

void *malloc(size_t size)
{
	return starve_now() ? NULL : __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
	return starve_now() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *p, size_t size)
{
	return starve_now() ? NULL : __libc_realloc(p, size);
}

void *__wrap_malloc(size_t size)
{
	return malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return calloc(n, size);
}

void *__wrap_realloc(void *p, size_t size)
{
	return realloc(p, size);
}
#endif

#endif
