/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * web_main: what the module gives to JavaScript (exports.txt) and takes from it (imports.txt).
 * Only in the WebAssembly build.
 *
 * Blocks are kv_alloc'd: their length stands before them, and freeing one wipes it.
 */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "web.h"

#define EXPORT(name, proto) __attribute__((export_name(name), used)) proto; proto
#define IMPORT(name) __attribute__((import_module("amparo"), import_name(name)))

/* the browser's crypto.getRandomValues */
IMPORT("random") void amparo_random(uint8_t *out, size_t len);
/* milliseconds since 1970-01-01 UTC, a whole number */
IMPORT("now_ms") double amparo_now_ms(void);

static struct web *web;

/* ---- libsodium's randomness -------------------------------------------------------------- */

static const char *random_name(void)
{
	return "browser";
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

static randombytes_implementation browser_random = {
	.implementation_name = random_name,
	.random = random_one,
	.buf = random_fill,
};

/* ---- the clock ------------------------------------------------------------------------------ */

static int64_t now_ms(void *ctx)
{
	(void)ctx;
	return (int64_t)amparo_now_ms();
}

static int64_t now(void *ctx)
{
	return now_ms(ctx) / 1000;
}

/* ---- exports -------------------------------------------------------------------------------- */

/* Before main would run: nothing works without it. */
__attribute__((constructor)) static void start(void)
{
	struct client_env env = { .now = now, .now_ms = now_ms };

	randombytes_set_implementation(&browser_random);
	if (sodium_init() < 0)
		abort();
	env.rng = rng_system();
	web = web_new(&env);
	if (web == NULL)
		abort();
}

EXPORT("web_alloc", uint8_t *web_alloc(size_t len))
{
	return kv_alloc(len);
}

/* wipes; NULL is harmless */
EXPORT("web_free", void web_release(uint8_t *p))
{
	kv_free(p);
}

EXPORT("web_len", size_t web_len(const uint8_t *p))
{
	return kv_len(p);
}

/* op, args  in: of web_alloc, the caller's.  NULL: no memory for an answer. */
EXPORT("web_run", uint8_t *web_run(const uint8_t *op, const uint8_t *args))
{
	size_t len;

	if (op == NULL || args == NULL)
		return NULL;
	return web_call(web, (const char *)op, kv_len(op), args, kv_len(args), &len);
}

/* The next change of the last call; NULL: there is none left. */
EXPORT("web_next", uint8_t *web_next(void))
{
	enum perr err;
	size_t len;
	uint8_t *out = web_change(web, &len, &err);

	/* half of a journal must never look like a whole one */
	if (err != PERR_OK)
		abort();
	return out;
}
