/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* A vault in a folder of its own, for the programs that test it. */
#ifndef AMPARO_VAULT_TEST_H
#define AMPARO_VAULT_TEST_H

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <sodium.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "kv_contract.h"
#include "kv_mem.h"
#include "vault.h"

#define PASS "lime river cotton basket window seven"

static char root[64];
static char home[80];
static struct vault_key key;

UNUSED static void remove_home(void)
{
	static const char *const files[] = { "vault.mdb", "vault.new", "vault.old", "vault.lock" };
	char path[160];
	size_t i;

	for (i = 0; i < 4; i++) {
		snprintf(path, sizeof path, "%s/%s", home, files[i]);
		unlink(path);
	}
	rmdir(home);
}

UNUSED static char *file_path(const char *name)
{
	static char path[4][160];
	static unsigned i;

	i = (i + 1) % 4;
	snprintf(path[i], sizeof path[i], "%s/%s", home, name);
	return path[i];
}

UNUSED static bool file_is(const char *name)
{
	struct stat st;

	return lstat(file_path(name), &st) == 0;
}

UNUSED static uint8_t *slurp(const char *name, size_t *len)
{
	struct stat st;
	uint8_t *p;
	FILE *f = fopen(file_path(name), "rb");

	assert_non_null(f);
	assert_int_equal(fstat(fileno(f), &st), 0);
	p = malloc((size_t)st.st_size + 1);
	assert_non_null(p);
	*len = fread(p, 1, (size_t)st.st_size, f);
	fclose(f);
	return p;
}

UNUSED static void spill(const char *name, const uint8_t *p, size_t len)
{
	FILE *f = fopen(file_path(name), "wb");

	assert_non_null(f);
	assert_int_equal(fwrite(p, 1, len, f), len);
	fclose(f);
}

/* A fresh vault.  Argon2id runs once, at the light cost: afterwards it is a copy. */
UNUSED static int setup(void **state)
{
	static uint8_t *fresh;
	static size_t fresh_len;

	(void)state;
	remove_home();
	if (fresh == NULL) {
		ok(vault_create(home, PASS, strlen(PASS), VAULT_LIGHT));
		ok(vault_derive(&key, home, PASS, strlen(PASS)));
		fresh = slurp("vault.mdb", &fresh_len);
		return 0;
	}
	assert_int_equal(mkdir(home, 0700), 0);
	spill("vault.mdb", fresh, fresh_len);
	return chmod(file_path("vault.mdb"), 0600);
}

UNUSED static int teardown(void **state)
{
	(void)state;
	remove_home();
	return 0;
}

UNUSED static struct vault *open_vault(void)
{
	struct vault *v;

	ok(vault_open(&v, home, &key));
	return v;
}

/* run the claims in a folder of their own */
UNUSED static int vault_tests(int (*run)(void))
{
	int failed;

	if (sodium_init() < 0)
		return 1;
	/* In memory where possible: kills and damage do not ask for a disk. */
	snprintf(root, sizeof root, "/dev/shm/test_vault.XXXXXX");
	if (mkdtemp(root) == NULL)
		snprintf(root, sizeof root, "/tmp/test_vault.XXXXXX");
	if (strstr(root, "XXXXXX") != NULL && mkdtemp(root) == NULL)
		return 1;
	snprintf(home, sizeof home, "%s/home", root);
	failed = run();
	remove_home();
	rmdir(root);
	return failed;
}

#endif
