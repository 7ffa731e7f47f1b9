/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "vault_seal.h"

#include <sodium.h>
#include <string.h>

#define NONCE crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define MAC   crypto_aead_xchacha20poly1305_ietf_ABYTES

/* offsets in the header */
#define H_OPS   4
#define H_MEM   8
#define H_SALT  12
#define H_NONCE 28
#define H_WRAP  (H_NONCE + NONCE)
#define H_HASH  (H_WRAP + 32 + MAC)

/* What a header may ask of this machine; more is damage, not a setting of ours. */
#define OPS_MAX     64
#define MEM_KIB_MIN 8
#define MEM_KIB_MAX (4u << 20)

static void u32_put(uint8_t *p, uint32_t x)
{
	p[0] = (uint8_t)(x >> 24);
	p[1] = (uint8_t)(x >> 16);
	p[2] = (uint8_t)(x >> 8);
	p[3] = (uint8_t)x;
}

static uint32_t u32_get(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

void vault_params_make(struct vault_params *p, enum vault_cost cost)
{
	switch (cost) {
	case VAULT_MODERATE:
		p->ops = 3;
		p->mem_kib = 256u << 10;
		break;
	case VAULT_LIGHT:
		p->ops = 2;
		p->mem_kib = 64u << 10;
		break;
	}
	randombytes_buf(p->salt, sizeof p->salt);
}

enum perr vault_params_derive(struct vault_key *key, const struct vault_params *p,
                              const char *pass, size_t pass_len)
{
	/* Fails only where the memory is not there. */
	if (crypto_pwhash(key->b, sizeof key->b, pass, pass_len, p->salt, p->ops,
	                  (size_t)p->mem_kib << 10, crypto_pwhash_ALG_ARGON2ID13) != 0) {
		sodium_memzero(key, sizeof *key);
		return PERR_NOMEM;
	}
	return PERR_OK;
}

static void keys_derive(struct vault_keys *k)
{
	crypto_kdf_derive_from_key(k->record, sizeof k->record, 1, "ampvault", k->vault);
	crypto_kdf_derive_from_key(k->seal, sizeof k->seal, 2, "ampvault", k->vault);
}

void vault_keys_make(struct vault_keys *k)
{
	randombytes_buf(k->vault, sizeof k->vault);
	keys_derive(k);
}

static void header_hash(uint8_t hash[16], const uint8_t *header)
{
	crypto_generichash(hash, 16, header, H_HASH, NULL, 0);
}

void vault_header_make(uint8_t header[VAULT_HEADER_SIZE], const struct vault_params *p,
                       const struct vault_keys *k)
{
	u32_put(header, VAULT_FORMAT);
	u32_put(header + H_OPS, p->ops);
	u32_put(header + H_MEM, p->mem_kib);
	memcpy(header + H_SALT, p->salt, sizeof p->salt);
	randombytes_buf(header + H_NONCE, NONCE);
	crypto_aead_xchacha20poly1305_ietf_encrypt(header + H_WRAP, NULL, k->vault, sizeof k->vault,
	                                           header, H_NONCE, NULL, header + H_NONCE,
	                                           k->pass.b);
	header_hash(header + H_HASH, header);
}

enum perr vault_header_read(struct vault_params *p, const uint8_t *header, size_t len)
{
	uint8_t hash[16];

	memset(p, 0, sizeof *p);
	if (len < 4)
		return PERR_CORRUPT;
	if (len != VAULT_HEADER_SIZE)
		return u32_get(header) > VAULT_FORMAT ? PERR_UNKNOWN : PERR_CORRUPT;
	header_hash(hash, header);
	if (sodium_memcmp(hash, header + H_HASH, sizeof hash) != 0)
		return PERR_CORRUPT;
	if (u32_get(header) != VAULT_FORMAT)
		return PERR_UNKNOWN;
	p->ops = u32_get(header + H_OPS);
	p->mem_kib = u32_get(header + H_MEM);
	memcpy(p->salt, header + H_SALT, sizeof p->salt);
	if (p->ops < 1 || p->ops > OPS_MAX || p->mem_kib < MEM_KIB_MIN || p->mem_kib > MEM_KIB_MAX)
		return PERR_CORRUPT;
	return PERR_OK;
}

enum perr vault_header_open(struct vault_keys *k, const uint8_t *header, size_t len)
{
	struct vault_params p;
	enum perr err = vault_header_read(&p, header, len);

	if (err != PERR_OK)
		return err;
	/* The hash was right, so the bytes are what was written: the key is wrong. */
	if (crypto_aead_xchacha20poly1305_ietf_decrypt(k->vault, NULL, NULL, header + H_WRAP,
	                                               sizeof k->vault + MAC, header, H_NONCE,
	                                               header + H_NONCE, k->pass.b) != 0) {
		sodium_memzero(k->vault, sizeof k->vault);
		sodium_memzero(k->record, sizeof k->record);
		sodium_memzero(k->seal, sizeof k->seal);
		return PERR_AUTH;
	}
	keys_derive(k);
	return PERR_OK;
}

void vault_rk(uint8_t rk[VAULT_RK_SIZE], const struct vault_keys *k, const char *name)
{
	crypto_generichash(rk, VAULT_RK_SIZE, (const uint8_t *)name, strlen(name), k->record,
	                   sizeof k->record);
}

/* AD: which database, then the record key. */
static void ad_make(uint8_t ad[1 + VAULT_RK_SIZE], char db, const uint8_t rk[VAULT_RK_SIZE])
{
	ad[0] = (uint8_t)db;
	memcpy(ad + 1, rk, VAULT_RK_SIZE);
}

/* Seal what stands at out + NONCE, text_len bytes, in its place. */
static void seal_in_place(uint8_t *out, size_t text_len, const struct vault_keys *k, char db,
                          const uint8_t rk[VAULT_RK_SIZE])
{
	uint8_t ad[1 + VAULT_RK_SIZE];

	ad_make(ad, db, rk);
	randombytes_buf(out, NONCE);
	crypto_aead_xchacha20poly1305_ietf_encrypt(out + NONCE, NULL, out + NONCE, text_len, ad,
	                                           sizeof ad, NULL, out, k->seal);
}

/* text: in_len - NONCE - MAC bytes */
static enum perr unseal(uint8_t *text, const uint8_t *in, size_t in_len,
                        const struct vault_keys *k, char db, const uint8_t rk[VAULT_RK_SIZE])
{
	uint8_t ad[1 + VAULT_RK_SIZE];

	ad_make(ad, db, rk);
	if (crypto_aead_xchacha20poly1305_ietf_decrypt(text, NULL, NULL, in + NONCE,
	                                               in_len - NONCE, ad, sizeof ad, in,
	                                               k->seal) != 0)
		return PERR_CORRUPT;
	return PERR_OK;
}

void vault_name_seal(uint8_t out[VAULT_NAME_SIZE], const struct vault_keys *k,
                     const uint8_t rk[VAULT_RK_SIZE], const char *name)
{
	uint8_t *text = out + NONCE;
	size_t len = strlen(name);

	memset(text, 0, KV_NAME_MAX + 1);
	text[0] = (uint8_t)len;
	memcpy(text + 1, name, len);
	seal_in_place(out, KV_NAME_MAX + 1, k, 'n', rk);
}

enum perr vault_name_open(char name[KV_NAME_MAX + 1], const struct vault_keys *k,
                          const uint8_t rk[VAULT_RK_SIZE], const uint8_t *in, size_t in_len)
{
	uint8_t text[KV_NAME_MAX + 1];
	enum perr err = PERR_CORRUPT;

	name[0] = 0;
	if (in_len != VAULT_NAME_SIZE)
		return err;
	err = unseal(text, in, in_len, k, 'n', rk);
	if (err == PERR_OK && text[0] > KV_NAME_MAX)
		err = PERR_CORRUPT;
	if (err == PERR_OK) {
		memcpy(name, text + 1, text[0]);
		name[text[0]] = 0;
	}
	sodium_memzero(text, sizeof text);
	return err;
}

/* LMDB keeps a value beside its key while two fit on a page; a longer one takes
 * whole pages, of which the first has 16 bytes of its own: padding to the end of
 * the last page costs no space. */
static size_t text_size(size_t len)
{
	static const size_t small[] = { 256, 512, 1024, 1952, 2944 };
	size_t need = len + 4, pages, unit = 1, i;

	for (i = 0; i < sizeof small / sizeof small[0]; i++)
		if (need <= small[i])
			return small[i];
	pages = (need + 16 + NONCE + MAC + 4095) / 4096;
	while (pages / unit >= 16)
		unit *= 2;
	pages = (pages + unit - 1) / unit * unit;
	return pages * 4096 - 16 - NONCE - MAC;
}

size_t vault_value_size(size_t len)
{
	return NONCE + text_size(len) + MAC;
}

void vault_value_seal(uint8_t *out, const struct vault_keys *k, const uint8_t rk[VAULT_RK_SIZE],
                      const uint8_t *value, size_t len)
{
	size_t size = text_size(len);
	uint8_t *text = out + NONCE;

	u32_put(text, (uint32_t)len);
	if (len > 0)
		memcpy(text + 4, value, len);
	memset(text + 4 + len, 0, size - 4 - len);
	seal_in_place(out, size, k, 'v', rk);
}

enum perr vault_value_open(uint8_t **value, size_t *len, const struct vault_keys *k,
                           const uint8_t rk[VAULT_RK_SIZE], const uint8_t *in, size_t in_len)
{
	uint8_t *text = NULL;
	enum perr err = PERR_CORRUPT;
	size_t n;

	*value = NULL;
	*len = 0;
	/* A damaged length must not become an allocation. */
	if (in_len < NONCE + 4 + MAC || in_len > vault_value_size(KV_VALUE_MAX))
		goto out;
	err = PERR_NOMEM;
	text = kv_alloc(in_len - NONCE - MAC);
	if (text == NULL)
		goto out;
	err = unseal(text, in, in_len, k, 'v', rk);
	if (err != PERR_OK)
		goto out;
	err = PERR_CORRUPT;
	n = u32_get(text);
	if (n > KV_VALUE_MAX || vault_value_size(n) != in_len)
		goto out;
	/* The value moves to the front of its own buffer: one copy less to wipe. */
	memmove(text, text + 4, n);
	text[n] = 0;
	*value = text;
	*len = n;
	text = NULL;
	err = PERR_OK;
out:
	kv_free(text);
	return err;
}
