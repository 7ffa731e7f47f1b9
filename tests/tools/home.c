/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "home.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int64_t today(void *ctx)
{
	const char *off = getenv("AMPARO_TEST_CLOCK");

	(void)ctx;
	return (int64_t)time(NULL) + (off != NULL ? atoll(off) : 0);
}

static void die(const char *home, const char *what)
{
	fprintf(stderr, "%s: %s\n", home, what);
	exit(2);
}

void home_open(struct home *h, const char *home, const char *passfile)
{
	struct client_env env = { .rng = rng_system(), .now = today };
	struct vault_key key;
	char pass[512];
	FILE *f = fopen(passfile, "r");

	if (f == NULL || fgets(pass, sizeof pass, f) == NULL)
		die(home, "the passphrase file cannot be read");
	fclose(f);
	pass[strcspn(pass, "\r\n")] = '\0';
	if (vault_derive(&key, home, pass, strlen(pass)) != PERR_OK ||
	    vault_open(&h->vault, home, &key) != PERR_OK ||
	    client_open(&h->client, vault_kv(h->vault), &env) != PERR_OK)
		die(home, "the vault cannot be opened");
	sodium_memzero(&key, sizeof key);
	sodium_memzero(pass, sizeof pass);
}

void home_close(struct home *h)
{
	client_free(h->client);
	vault_close(h->vault);
}
