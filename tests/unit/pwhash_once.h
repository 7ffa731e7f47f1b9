/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * pwhash_once: a test that opens the same vault some hundred times computes its Argon2id once.
 * Included by one file of a test program that is linked with --wrap=crypto_pwhash.
 *
 * Everything that goes in is compared, so a wrong passphrase, another salt or another cost is
 * computed by libsodium like the first one.
 */
#ifndef AMPARO_PWHASH_ONCE_H
#define AMPARO_PWHASH_ONCE_H

#include <sodium.h>
#include <stdbool.h>
#include <string.h>

struct pwhash_asked {
	char pass[128];
	unsigned long long pass_len, out_len, ops;
	uint8_t salt[crypto_pwhash_SALTBYTES];
	size_t mem;
	int alg;
};
static struct {
	struct pwhash_asked asked;
	uint8_t out[64];
	bool is_known;
} pwhash_kept[16];
static unsigned pwhash_next;

int __real_crypto_pwhash(unsigned char *out, unsigned long long out_len, const char *pass,
                         unsigned long long pass_len, const unsigned char *salt,
                         unsigned long long ops, size_t mem, int alg);
int __wrap_crypto_pwhash(unsigned char *out, unsigned long long out_len, const char *pass,
                         unsigned long long pass_len, const unsigned char *salt,
                         unsigned long long ops, size_t mem, int alg);

int __wrap_crypto_pwhash(unsigned char *out, unsigned long long out_len, const char *pass,
                         unsigned long long pass_len, const unsigned char *salt,
                         unsigned long long ops, size_t mem, int alg)
{
	struct pwhash_asked a;
	int rc;

	memset(&a, 0, sizeof a);
	if (pass_len > sizeof a.pass || out_len > sizeof pwhash_kept[0].out)
		return __real_crypto_pwhash(out, out_len, pass, pass_len, salt, ops, mem, alg);
	memcpy(a.pass, pass, pass_len);
	memcpy(a.salt, salt, sizeof a.salt);
	a.pass_len = pass_len;
	a.out_len = out_len;
	a.ops = ops;
	a.mem = mem;
	a.alg = alg;
	for (size_t i = 0; i < sizeof pwhash_kept / sizeof pwhash_kept[0]; i++)
		if (pwhash_kept[i].is_known && memcmp(&pwhash_kept[i].asked, &a, sizeof a) == 0) {
			memcpy(out, pwhash_kept[i].out, out_len);
			return 0;
		}
	rc = __real_crypto_pwhash(out, out_len, pass, pass_len, salt, ops, mem, alg);
	if (rc == 0) {
		memcpy(&pwhash_kept[pwhash_next].asked, &a, sizeof a);
		memcpy(pwhash_kept[pwhash_next].out, out, out_len);
		pwhash_kept[pwhash_next].is_known = true;
		pwhash_next = (pwhash_next + 1) % (sizeof pwhash_kept / sizeof pwhash_kept[0]);
	}
	return rc;
}

#endif
