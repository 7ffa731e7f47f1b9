/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "access.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

struct entry {
	enum rpc_scope scope;
	uint8_t derived[32];
	uint32_t last_day;       /* 0: no end */
	uint32_t serial;
};

/* derived keys are as good as the keys themselves at this server: locked memory */
struct keys {
	struct entry at[POLICY_ACCESS_MAX + 1];
	size_t n;
	uint8_t now[POLICY_ACCESS_MAX + 1][32];  /* those of the day asked for last */
	size_t now_at[POLICY_ACCESS_MAX + 1];    /* their place in at[] */
	size_t n_now;
};

struct access {
	uint8_t server_pk[32];
	struct keys *keys, *next;        /* in force; room for those that will be */
	uint32_t last_serial;
	bool has_policy;
	struct policy policy;
	struct admins admins;
	struct policy_known known;
};

size_t access_room(void)
{
	return 2 * (sizeof (struct keys) + 64);  /* slab_keep may take so much more */
}

enum perr access_new(struct access **out, const uint8_t server_pk[32], struct slab *slab)
{
	struct access *a = calloc(1, sizeof *a);

	*out = NULL;
	if (a == NULL)
		return PERR_NOMEM;
	a->keys = slab_keep(slab, sizeof *a->keys);
	a->next = slab_keep(slab, sizeof *a->next);
	if (a->keys == NULL || a->next == NULL) {
		free(a);
		return PERR_NOMEM;
	}
	memcpy(a->server_pk, server_pk, sizeof a->server_pk);
	*out = a;
	return PERR_OK;
}

void access_free(struct access *a)
{
	if (a == NULL)
		return;
	sodium_memzero(a->keys, sizeof *a->keys);
	sodium_memzero(a->next, sizeof *a->next);
	sodium_memzero(a, sizeof *a);
	free(a);
}

void access_set_setup(struct access *a, const uint8_t *derived)
{
	struct entry *e = &a->keys->at[0];

	if (a->has_policy)
		return;
	sodium_memzero(a->keys, sizeof *a->keys);
	if (derived == NULL)
		return;
	e->scope = RPC_SETUP;
	memcpy(e->derived, derived, sizeof e->derived);
	e->serial = ++a->last_serial;
	a->keys->n = 1;
}

static uint32_t serial_of(const struct keys *k, const struct policy_access *p)
{
	size_t i;

	for (i = 0; i < k->n; i++)
		if (k->at[i].scope == (enum rpc_scope)p->scope &&
		    sodium_memcmp(k->at[i].derived, p->derived, 32) == 0)
			return k->at[i].serial;
	return 0;
}

enum perr access_set_policy(struct access *a, const uint8_t *bytes, size_t len)
{
	enum perr err = PERR_NOMEM;
	struct policy *p = malloc(sizeof *p);
	struct admins *who = malloc(sizeof *who);
	struct keys *k = a->next;
	uint32_t i;

	if (p == NULL || who == NULL)
		goto out;
	err = policy_open(p, who, bytes, len);
	if (err != PERR_OK)
		goto out;
	for (i = 0; i < p->n_access; i++) {
		struct entry *e = &k->at[k->n++];

		e->scope = (enum rpc_scope)p->access[i].scope;
		memcpy(e->derived, p->access[i].derived, 32);
		e->last_day = p->access[i].last_day;
		e->serial = serial_of(a->keys, &p->access[i]);
		if (e->serial == 0)
			e->serial = ++a->last_serial;
	}
	a->next = a->keys;
	a->keys = k;
	i = a->known.counter;
	policy_known_set(&a->known, p, who);
	access_set_counter(a, i);
	/* the keys stay in locked memory only, and the chain is somebody else's bytes */
	sodium_memzero(p->access, sizeof p->access);
	p->n_access = 0;
	p->n_chain = 0;
	a->policy = *p;
	a->admins = *who;
	a->has_policy = true;
out:
	if (p != NULL)
		sodium_memzero(p, sizeof *p);
	sodium_memzero(a->next, sizeof *a->next);
	free(p);
	free(who);
	return err;
}

void access_set_counter(struct access *a, uint32_t counter)
{
	if (counter > a->known.counter)
		a->known.counter = counter;
}

const struct policy *access_policy(const struct access *a)
{
	return a->has_policy ? &a->policy : NULL;
}

const struct admins *access_admins(const struct access *a)
{
	return a->has_policy ? &a->admins : NULL;
}

const struct policy_known *access_known(const struct access *a)
{
	return &a->known;
}

static bool good_on(const struct entry *e, uint32_t day)
{
	return e->last_day == 0 || day <= e->last_day;
}

size_t access_keys(struct access *a, uint32_t day, const uint8_t (**derived)[32])
{
	struct keys *k = a->keys;
	size_t i;

	k->n_now = 0;
	for (i = 0; i < k->n; i++) {
		if (!good_on(&k->at[i], day))
			continue;
		memcpy(k->now[k->n_now], k->at[i].derived, 32);
		k->now_at[k->n_now++] = i;
	}
	*derived = (const uint8_t (*)[32])k->now;
	return k->n_now;
}

enum rpc_scope access_scope(const struct access *a, size_t which, uint32_t *serial)
{
	const struct entry *e = &a->keys->at[a->keys->now_at[which]];

	*serial = e->serial;
	return e->scope;
}

bool access_still(const struct access *a, uint32_t serial, uint32_t day)
{
	size_t i;

	for (i = 0; i < a->keys->n; i++)
		if (a->keys->at[i].serial == serial)
			return good_on(&a->keys->at[i], day);
	return false;
}

bool access_has_ticket(const struct access *a, const uint8_t hash[32])
{
	if (!a->has_policy)
		return false;
	return doc_find((const uint8_t (*)[32])a->policy.tickets, a->policy.n_tickets, hash) <
	       a->policy.n_tickets;
}
