/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "rotate.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "admins.h"
#include "apply_rotate.h"
#include "batch.h"
#include "org.h"
#include "pending.h"
#include "prekeys.h"
#include "quorum.h"
#include "rpc.h"

#define TURNS_MAX 3              /* days that an administrator waits for others, at most */

bool rotate_has_scope(enum roster_role role, uint32_t scope)
{
	switch (role) {
	case ROSTER_VOLUNTEER:
		return scope <= RPC_FIELD;
	case ROSTER_ATTORNEY:
	case ROSTER_INTERPRETER:
		return scope <= RPC_COUNSEL;
	case ROSTER_ADMINISTRATOR:
		return scope <= RPC_STEWARD;
	}
	return false;
}

static enum perr make(struct client *c, struct pending_op *o)
{
	enum perr err = org_change(c, o, 1);

	pending_op_free(o);
	return err;
}

uint32_t rotate_room(const struct client *c)
{
	return season_room_from(c->field, client_own_day(c), SEASONS_ORDINARY);
}

enum perr rotate_season(struct client *c)
{
	struct pending_op o = { .kind = PENDING_SEASON };

	if (c->admin == NULL)
		return PERR_STATE;
	if (rotate_room(c) != 0)
		return PERR_LIMIT;
	o.day = client_own_day(c);
	o.numbers[0] = season_number(c, client_own_day(c));
	o.numbers[1] = c->admin->revocations;
	rng_fill(c->env.rng, o.key, 32);
	return make(c, &o);
}

enum perr rotate_access(struct client *c, uint32_t overlap_days)
{
	struct pending_op o = { .kind = PENDING_ACCESS };

	if (c->admin == NULL)
		return PERR_STATE;
	if (overlap_days < 1 || overlap_days > 400)
		return PERR_RANGE;
	o.bytes = malloc(ROTATE_ACCESS_SIZE);
	if (o.bytes == NULL)
		return PERR_NOMEM;
	o.len = ROTATE_ACCESS_SIZE;
	rng_fill(c->env.rng, o.bytes, o.len);
	o.day = client_own_day(c);
	o.numbers[0] = 1u << RPC_GUEST | 1u << RPC_FIELD | 1u << RPC_COUNSEL | 1u << RPC_STEWARD;
	o.numbers[1] = c->admin->revocations;
	o.numbers[3] = overlap_days;
	return make(c, &o);
}

/* the number of the newest batch known here */
static enum perr known_batch(struct client *c, const uint8_t owner[32], uint32_t *number)
{
	struct batch *b = malloc(sizeof *b);
	uint8_t *value = NULL;
	char name[96];
	size_t len;
	enum perr err = PERR_NOMEM;

	if (b == NULL)
		return err;
	client_key_name(name, "batch/", owner, 32);
	err = kv_get(c->kv, name, &value, &len);
	if (err == PERR_OK)
		err = kv_decoded(batch_open(b, value, len));
	if (err == PERR_OK)
		*number = b->number;
	kv_free(value);
	free(b);
	return err;
}

enum perr rotate_prekeys_of(struct client *c, const uint8_t owner[32], uint32_t *number)
{
	struct pending_op o = { .kind = PENDING_LOWEST };
	uint32_t known = 0, lowest;
	enum perr err;

	if (c->admin == NULL)
		return PERR_STATE;
	err = known_batch(c, owner, &known);
	if (err != PERR_OK)
		return err;
	lowest = prekeys_lowest(c, owner);
	memcpy(o.id, owner, 32);
	o.numbers[0] = known + 1 > lowest ? known + 1 : lowest;
	if (number != NULL)
		*number = o.numbers[0];
	/* asked for before, and the owner has not synced since */
	return o.numbers[0] == lowest ? PERR_OK : make(c, &o);
}

/* ---- plans ------------------------------------------------------------------------------ */

enum perr rotate_plan(struct client *c, enum roster_plan_what what, uint32_t every)
{
	struct pending_op o = { .kind = PENDING_PLAN };

	if (c->admin == NULL)
		return PERR_STATE;
	if (every != 0 && (every < ROSTER_EVERY_MIN || every > ROSTER_EVERY_MAX))
		return PERR_RANGE;
	if (c->admin->plans[what].every == every)
		return PERR_OK;
	o.day = client_own_day(c);
	o.numbers[0] = what;
	o.numbers[1] = every;
	return make(c, &o);
}

uint32_t rotate_next(const struct client *c, enum roster_plan_what what)
{
	const struct roster_plan *p = c->admin == NULL ? NULL : &c->admin->plans[what];

	return p == NULL || p->every == 0 ? 0 : p->last + p->every;
}

/* this administrator's place in the chain: so many days the others go first */
static uint32_t turn(const struct client *c)
{
	const struct admins *a = client_admins(c);
	uint32_t i = 0;

	while (i < a->last.n && memcmp(a->last.keys[i], c->me->sign_pk, 32) != 0)
		i++;
	return i < TURNS_MAX ? i : TURNS_MAX;
}

static bool is_due(const struct client *c, enum roster_plan_what what)
{
	uint32_t next = rotate_next(c, what);

	return next != 0 && next + turn(c) <= client_own_day(c);
}

enum perr rotate_due(struct client *c, unsigned *n)
{
	bool wait = false;
	enum perr err;

	*n = 0;
	if (c->admin == NULL || client_admins(c) == NULL)
		return PERR_OK;
	err = quorum_is_busy(c, &wait);
	if (err != PERR_OK || wait)
		return err;
	if (is_due(c, ROSTER_PLAN_SEASON) && rotate_room(c) == 0) {
		err = rotate_season(c);
		*n += err == PERR_OK;
	}
	if (err == PERR_OK && is_due(c, ROSTER_PLAN_ACCESS)) {
		err = rotate_access(c, ROTATE_OVERLAP_DAYS);
		*n += err == PERR_OK;
	}
	return err;
}
