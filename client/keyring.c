/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "keyring.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "doc.h"
#include "roster.h"
#include "rpc.h"

static void store_name(char name[96], uint32_t scope)
{
	snprintf(name, 96, "access/%u", scope);
}

static void add(struct keyring *k, const uint8_t key[32])
{
	if (sodium_is_zero(key, 32) || k->n == KEYRING_MAX)
		return;
	for (size_t i = 0; i < k->n; i++)
		if (sodium_memcmp(k->at[i], key, 32) == 0)
			return;
	memcpy(k->at[k->n++], key, 32);
}

/* those kept, behind what k has already */
static enum perr add_kept(struct client *c, uint32_t scope, struct keyring *k)
{
	uint8_t *value;
	char name[96];
	size_t len;
	enum perr err;

	store_name(name, scope);
	err = kv_get(c->kv, name, &value, &len);
	if (err != PERR_OK)
		return err == PERR_NOTFOUND ? PERR_OK : err;
	if (len % 32 != 0 || len > KEYRING_OLD * 32)
		err = PERR_CORRUPT;
	for (size_t i = 0; err == PERR_OK && i < len / 32; i++)
		add(k, value + i * 32);
	kv_free(value);
	return err;
}

enum perr keyring_of(struct client *c, uint32_t scope, struct keyring *k)
{
	uint8_t key[32];
	enum perr err = client_access(c, (int)scope, key);

	memset(k, 0, sizeof *k);
	if (err != PERR_OK)
		return err == PERR_NOTFOUND ? PERR_OK : err;
	add(k, key);
	sodium_memzero(key, sizeof key);
	if (scope == RPC_GUEST && c->field != NULL)
		add(k, c->field->guest_access);
	/* the slip's is the oldest of all: a server that was away longest knows it */
	if (scope == RPC_GUEST)
		add(k, c->me->guest_key);
	for (uint32_t i = c->admin == NULL || scope != RPC_GUEST ? 0 : c->admin->n_guests; i > 0; i--)
		add(k, c->admin->guests[i - 1].key);
	for (uint32_t i = c->admin == NULL ? 0 : c->admin->n_retired; i > 0; i--)
		if (c->admin->retired[i - 1].scope == scope)
			add(k, c->admin->retired[i - 1].key);
	return add_kept(c, scope, k);
}

void keyring_wipe(struct keyring *k)
{
	sodium_memzero(k, sizeof *k);
}

static enum perr keep(struct client *c, uint32_t scope, const uint8_t *old, const uint8_t *now)
{
	struct keyring k = { 0 };
	char name[96];
	enum perr err = PERR_OK;

	if (old == NULL || sodium_is_zero(old, 32) ||
	    (now != NULL && sodium_memcmp(old, now, 32) == 0))
		return PERR_OK;
	store_name(name, scope);
	if (now != NULL) {
		add(&k, old);
		err = add_kept(c, scope, &k);
	}
	/* what stood there before is to be gone, not only written over */
	if (err == PERR_OK)
		err = kv_erase(c->kv, name);
	if (err == PERR_OK && k.n > 0)
		err = kv_put(c->kv, name, k.at[0], 32 * (k.n < KEYRING_OLD ? k.n : KEYRING_OLD));
	keyring_wipe(&k);
	return err;
}

enum perr keyring_keep(struct client *c, const struct roster_field *field,
                       const struct roster_staff *staff)
{
	enum perr err = PERR_OK;

	if (c->field != NULL && field != NULL) {
		err = keep(c, RPC_FIELD, c->field->field_access, field->field_access);
		if (err == PERR_OK)
			err = keep(c, RPC_GUEST, c->field->guest_access, field->guest_access);
	}
	if (err == PERR_OK && c->staff != NULL)
		err = keep(c, RPC_COUNSEL, c->staff->counsel_access,
		           staff == NULL ? NULL : staff->counsel_access);
	return err;
}

/* ---- an administrator's ------------------------------------------------------------------ */

/* a hash, so that no copy of the key lies there */
static void in_force(uint8_t hash[32], const uint8_t key[32])
{
	doc_hash(hash, "amparo steward key", key, 32);
}

enum perr keyring_put_in_force(struct client *c, const uint8_t server_pk[32],
                               const uint8_t key[32])
{
	uint8_t hash[32];
	char name[96];

	in_force(hash, key);
	client_key_name(name, "letin/", server_pk, 32);
	return kv_put(c->kv, name, hash, sizeof hash);
}

enum perr keyring_known_first(struct client *c, const uint8_t server_pk[32], struct keyring *k)
{
	uint8_t *want, hash[32], key[32];
	char name[96];
	size_t len;
	enum perr err;

	client_key_name(name, "letin/", server_pk, 32);
	err = kv_get(c->kv, name, &want, &len);
	if (err != PERR_OK)
		return err == PERR_NOTFOUND ? PERR_OK : err;
	for (size_t i = 1; i < k->n && len == 32; i++) {
		in_force(hash, k->at[i]);
		if (memcmp(hash, want, 32) != 0)
			continue;
		memcpy(key, k->at[i], 32);
		memmove(k->at[1], k->at[0], i * 32);
		memcpy(k->at[0], key, 32);
		break;
	}
	sodium_memzero(key, sizeof key);
	kv_free(want);
	return PERR_OK;
}
