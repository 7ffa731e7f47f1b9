/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "revoke.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admins.h"
#include "apply_rotate.h"
#include "case.h"
#include "charter.h"
#include "desk.h"
#include "org.h"
#include "pending.h"
#include "rotate.h"

const struct roster_enrolled *revoke_find(const struct client *c, const char *name)
{
	for (uint32_t i = 0; c->admin != NULL && i < c->admin->n_members; i++)
		if (strcmp(c->admin->members[i].name, name) == 0)
			return &c->admin->members[i];
	return NULL;
}

static enum perr has_batch(struct client *c, const uint8_t key[32], bool *has)
{
	uint8_t *value;
	char name[96];
	enum perr err;

	client_key_name(name, "batch/", key, 32);
	err = kv_get(c->kv, name, &value, NULL);
	*has = err == PERR_OK;
	if (err == PERR_OK)
		kv_free(value);
	return err == PERR_NOTFOUND ? PERR_OK : err;
}

static enum perr look_at_desk(struct client *c, const struct charter *now, const uint8_t key[32],
                              struct revoke_desk *d)
{
	enum perr err = PERR_OK;

	snprintf(d->name, sizeof d->name, "%s", now->name);
	for (uint32_t i = 0; i < now->n && err == PERR_OK; i++) {
		bool has;

		if (memcmp(now->holders[i], key, 32) == 0 ||
		    roster_admin_find(c->admin, now->holders[i]) == NULL)
			continue;
		d->others++;
		err = has_batch(c, now->holders[i], &has);
		d->able += err == PERR_OK && has;
	}
	return err;
}

struct counting {
	struct revoke_facts *f;
	const uint8_t *key;
};

static enum perr count_case(void *arg, const struct case_summary *s)
{
	struct counting *k = arg;

	k->f->sees_cases = true;
	for (uint32_t i = 0; i < s->n_people; i++)
		if (memcmp(s->people[i].key, k->key, 32) == 0 &&
		    !assigned_is_over(s->people[i].state) &&
		    s->state != CASE_CLOSED) {
			k->f->n_cases++;
			break;
		}
	return PERR_OK;
}

enum perr revoke_look(struct client *c, const uint8_t key[32], struct revoke_facts *f)
{
	const struct roster_volunteer *v;
	const struct roster_enrolled *e;
	const struct admins *chain = client_admins(c);
	struct counting k = { .f = f, .key = key };
	struct desk *desk;
	enum perr err;

	memset(f, 0, sizeof *f);
	if (c->admin == NULL || chain == NULL)
		return PERR_STATE;
	e = roster_admin_find(c->admin, key);
	if (e == NULL)
		return PERR_NOTFOUND;
	f->role = e->role;
	snprintf(f->name, sizeof f->name, "%s", e->name);
	f->day = e->day;
	f->is_me = memcmp(key, c->me->sign_pk, 32) == 0;
	v = roster_volunteer_find(c->staff, key);
	f->number = v == NULL ? 0 : v->number;
	for (uint32_t i = 0; i < chain->last.n; i++)
		f->signs |= memcmp(chain->last.keys[i], key, 32) == 0;
	f->n_signers = chain->last.n;
	f->threshold = chain->last.threshold;
	f->n_staff = c->staff->n_members;
	f->n_members = c->admin->n_members;
	f->n_listed = c->field->n_desks;
	f->n_servers = c->field->n_servers;
	f->n_invitations = c->admin->n_invitations;
	f->season_from = season_room_from(c->field, client_own_day(c), SEASONS_FOR_REVOKE);
	desk = malloc(sizeof *desk);
	err = desk == NULL ? PERR_NOMEM : has_batch(c, key, &f->has_batch);
	for (uint32_t i = 0; i < c->field->n_desks && err == PERR_OK; i++) {
		err = client_desk(c, i, desk);
		if (err == PERR_OK && charter_has_holder(&desk->now, key))
			err = look_at_desk(c, &desk->now, key, &f->desks[f->n_desks++]);
		else if (err != PERR_NOMEM)
			err = PERR_OK;
	}
	free(desk);
	return err == PERR_OK ? case_each(c, count_case, &k, NULL) : err;
}

enum perr revoke_members(struct client *c, const uint8_t (*keys)[32], uint32_t n)
{
	struct pending_op *ops;
	uint32_t number, made = 0;
	uint8_t psk[32], fresh[ROTATE_REVOKE_SIZE];
	enum perr err = PERR_OK;

	if (c->admin == NULL)
		return PERR_STATE;
	if (n == 0 || n > REVOKE_MAX)
		return PERR_RANGE;
	ops = calloc(n, sizeof *ops);
	if (ops == NULL)
		err = PERR_NOMEM;
	/* the same keys for all: they come into force together */
	number = season_number(c, client_own_day(c));
	rng_fill(c->env.rng, psk, sizeof psk);
	rng_fill(c->env.rng, fresh, sizeof fresh);
	for (; made < n && err == PERR_OK; made++) {
		struct pending_op *o = &ops[made];

		if (roster_admin_find(c->admin, keys[made]) == NULL)
			err = PERR_NOTFOUND;
		if (err != PERR_OK)
			break;
		o->kind = PENDING_REVOKE;
		o->day = client_own_day(c);
		memcpy(o->id, keys[made], 32);
		memcpy(o->key, psk, 32);
		o->numbers[0] = number;
		o->numbers[1] = c->admin->revocations + made;
		o->bytes = malloc(sizeof fresh);
		if (o->bytes == NULL)
			err = PERR_NOMEM;
		else
			memcpy(o->bytes, fresh, o->len = sizeof fresh);
	}
	if (err == PERR_OK)
		err = org_change(c, ops, n);
	sodium_memzero(psk, sizeof psk);
	sodium_memzero(fresh, sizeof fresh);
	for (uint32_t i = 0; ops != NULL && i < n; i++)
		pending_op_free(&ops[i]);
	free(ops);
	return err;
}
