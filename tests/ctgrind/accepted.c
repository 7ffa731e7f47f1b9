/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The wrappers that accepted.supp lists under "declassify", and the reasons stand there. */
#include "ct.h"

#include <sodium.h>
#include <valgrind/memcheck.h>

#include "cell.h"
#include "hpke.h"
#include "noise.h"

void ct_secret(const void *p, size_t len)
{
	(void)VALGRIND_MAKE_MEM_UNDEFINED(p, len);
}

void ct_public(const void *p, size_t len)
{
	(void)VALGRIND_MAKE_MEM_DEFINED(p, len);
}

bool ct_is_secret(const void *p, size_t len)
{
	const uint8_t *at = p;
	uint8_t bits;
	size_t i;

	for (i = 0; i < len; i++)
		if (VALGRIND_GET_VBITS(at + i, &bits, 1) == 1 && bits != 0)
			return true;
	return false;
}

unsigned ct_found(void)
{
	return (unsigned)VALGRIND_COUNT_ERRORS;
}

enum { SCALARMULT, AEAD, MEMCMP, SHORTHASH, NOISE, HPKE, MESSAGE_1, N_WRAPPERS };
static const char *const names[N_WRAPPERS] = {
	"crypto_scalarmult", "crypto_aead_chacha20poly1305_ietf_decrypt", "sodium_memcmp",
	"crypto_shorthash", "noise_decrypt", "hpke_open", "noise_write_1"
};
static unsigned used[N_WRAPPERS];
static bool is_off[N_WRAPPERS];

void ct_accept(unsigned which, bool accepted)
{
	unsigned i;

	for (i = 0; i < N_WRAPPERS; i++)
		if (which == CT_ALL || which == i)
			is_off[i] = !accepted;
}

const char *ct_wrapper(unsigned n, unsigned *times)
{
	if (n >= N_WRAPPERS)
		return NULL;
	*times = used[n];
	return names[n];
}

static void decided(unsigned which, void *p, size_t len)
{
	if (is_off[which] || !ct_is_secret(p, len))
		return;
	used[which]++;
	ct_public(p, len);
}

#define WRAP(type, name, args, call, which) \
	type __real_##name args; \
	type __wrap_##name args; \
	type __wrap_##name args \
	{ \
		type r = __real_##name call; \
		decided(which, &r, sizeof r); \
		return r; \
	}

WRAP(int, crypto_scalarmult,
     (unsigned char *q, const unsigned char *n, const unsigned char *p), (q, n, p), SCALARMULT)
WRAP(int, crypto_aead_chacha20poly1305_ietf_decrypt,
     (unsigned char *m, unsigned long long *m_len, unsigned char *nsec, const unsigned char *c,
      unsigned long long c_len, const unsigned char *ad, unsigned long long ad_len,
      const unsigned char *npub, const unsigned char *k),
     (m, m_len, nsec, c, c_len, ad, ad_len, npub, k), AEAD)
WRAP(int, sodium_memcmp, (const void *a, const void *b, size_t len), (a, b, len), MEMCMP)

int __real_crypto_shorthash(unsigned char *out, const unsigned char *in, unsigned long long len,
                            const unsigned char *k);
int __wrap_crypto_shorthash(unsigned char *out, const unsigned char *in, unsigned long long len,
                            const unsigned char *k);
int __wrap_crypto_shorthash(unsigned char *out, const unsigned char *in, unsigned long long len,
                            const unsigned char *k)
{
	int r = __real_crypto_shorthash(out, in, len, k);

	decided(SHORTHASH, out, crypto_shorthash_BYTES);
	return r;
}

enum perr __real_noise_decrypt(struct noise_cipher *c, uint8_t *pt, const uint8_t *ct,
                               size_t ct_len);
enum perr __wrap_noise_decrypt(struct noise_cipher *c, uint8_t *pt, const uint8_t *ct,
                               size_t ct_len);
enum perr __wrap_noise_decrypt(struct noise_cipher *c, uint8_t *pt, const uint8_t *ct,
                               size_t ct_len)
{
	enum perr err = __real_noise_decrypt(c, pt, ct, ct_len);

	if (err == PERR_OK)
		decided(NOISE, pt, ct_len - NOISE_TAG_SIZE);
	return err;
}

enum perr __real_hpke_open(struct hpke *ctx, uint8_t *pt, const uint8_t *aad, size_t aad_len,
                           const uint8_t *ct, size_t ct_len);
enum perr __wrap_hpke_open(struct hpke *ctx, uint8_t *pt, const uint8_t *aad, size_t aad_len,
                           const uint8_t *ct, size_t ct_len);
enum perr __wrap_hpke_open(struct hpke *ctx, uint8_t *pt, const uint8_t *aad, size_t aad_len,
                           const uint8_t *ct, size_t ct_len)
{
	enum perr err = __real_hpke_open(ctx, pt, aad, aad_len, ct, ct_len);

	if (err == PERR_OK && ct_len == CELL_PLAIN_SIZE + HPKE_TAG_SIZE)
		decided(HPKE, pt, CELL_PLAIN_SIZE);
	return err;
}

enum perr __real_noise_write_1(struct noise *ns, uint8_t *out, const uint8_t *prologue,
                               size_t prologue_len, const uint8_t server_pk[32],
                               const uint8_t psk[32], const uint8_t *payload,
                               size_t payload_len, struct rng rng);
enum perr __wrap_noise_write_1(struct noise *ns, uint8_t *out, const uint8_t *prologue,
                               size_t prologue_len, const uint8_t server_pk[32],
                               const uint8_t psk[32], const uint8_t *payload,
                               size_t payload_len, struct rng rng);
enum perr __wrap_noise_write_1(struct noise *ns, uint8_t *out, const uint8_t *prologue,
                               size_t prologue_len, const uint8_t server_pk[32],
                               const uint8_t psk[32], const uint8_t *payload,
                               size_t payload_len, struct rng rng)
{
	enum perr err = __real_noise_write_1(ns, out, prologue, prologue_len, server_pk, psk,
	                                     payload, payload_len, rng);

	if (err == PERR_OK)
		decided(MESSAGE_1, out, 32);
	return err;
}
