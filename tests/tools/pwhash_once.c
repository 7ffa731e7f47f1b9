/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * pwhash_once.so: loaded before a program of a story, it computes each passphrase's Argon2id once.
 *
 * A story opens a dozen vaults some hundred times with the same few passphrases, and two thirds of
 * the machine went into hashing them again.  The first time libsodium computes; the result is kept
 * in the folder $PWHASH_ONCE, in a file named by a hash of everything that went in, and the same
 * question is answered from there.  A wrong passphrase, another salt or another cost is another
 * question.  The result opens a vault, so the folder is the story's own and goes with it.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { KEEP_MAX = 64 };

static void name_of(char hex[65], const void *pass, unsigned long long pass_len, const void *salt,
                    unsigned long long ops, size_t mem, int alg, unsigned long long out_len)
{
	crypto_generichash_state st;
	unsigned long long cost[4] = { ops, mem, (unsigned long long)alg, out_len };
	uint8_t hash[32];

	crypto_generichash_init(&st, NULL, 0, sizeof hash);
	crypto_generichash_update(&st, (const void *)cost, sizeof cost);
	crypto_generichash_update(&st, salt, crypto_pwhash_SALTBYTES);
	crypto_generichash_update(&st, pass, pass_len);
	crypto_generichash_final(&st, hash, sizeof hash);
	(void)sodium_bin2hex(hex, 65, hash, sizeof hash);
}

static int take(const char *path, uint8_t *out, size_t len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = -1;

	if (fd < 0)
		return -1;
	n = read(fd, out, len);
	(void)close(fd);
	return n == (ssize_t)len ? 0 : -1;
}

/* whole or not at all: stories kill their programs at any moment */
static void keep(const char *path, const uint8_t *out, size_t len)
{
	char half[600];
	ssize_t n;
	int fd;

	snprintf(half, sizeof half, "%s.%ld", path, (long)getpid());
	fd = open(half, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return;
	n = write(fd, out, len);
	if (close(fd) != 0 || n != (ssize_t)len || rename(half, path) != 0)
		(void)unlink(half);
}

int crypto_pwhash(unsigned char *out, unsigned long long out_len, const char *pass,
                  unsigned long long pass_len, const unsigned char *salt,
                  unsigned long long ops, size_t mem, int alg)
{
	int (*real)(unsigned char *, unsigned long long, const char *, unsigned long long,
	            const unsigned char *, unsigned long long, size_t, int);
	void *found = dlsym(RTLD_NEXT, "crypto_pwhash");
	const char *dir = getenv("PWHASH_ONCE");
	char hex[65], path[512];
	int rc;

	memcpy(&real, &found, sizeof real);
	if (dir == NULL || out_len > KEEP_MAX)
		return real(out, out_len, pass, pass_len, salt, ops, mem, alg);
	name_of(hex, pass, pass_len, salt, ops, mem, alg, out_len);
	snprintf(path, sizeof path, "%s/%s", dir, hex);
	if (take(path, out, out_len) == 0)
		return 0;
	rc = real(out, out_len, pass, pass_len, salt, ops, mem, alg);
	if (rc == 0)
		keep(path, out, out_len);
	return rc;
}
