/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "apply_rotate.h"

#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "charter.h"
#include "desk.h"
#include "prekeys.h"
#include "roster.h"
#include "rotate.h"
#include "rpc.h"

#define JITTER_DAYS   3          /* PROTOCOL 10.4: retention + j, j modulo 4 */
#define TOLD_DAYS     400        /* as long as a guest's key reaches the bulletin */
#define GUEST_DAYS    400

static enum perr no(struct applied *d, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
static enum perr no(struct applied *d, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(d->why, sizeof d->why, fmt, ap);
	va_end(ap);
	return PERR_OK;
}

/* ---- seasons -------------------------------------------------------------------------- */

uint32_t season_superseded(const struct roster_field *f, uint32_t i)
{
	return i + 1 < f->n_seasons ? f->seasons[i + 1].number >> 16 : 0;
}

uint32_t season_days(const struct roster_field *f)
{
	return f->limits.retention_days + JITTER_DAYS + f->limits.grace_days;
}

static void drop_oldest(struct roster_field *f)
{
	sodium_memzero(f->seasons[0].psk, 32);
	memmove(f->seasons, f->seasons + 1, (f->n_seasons - 1) * sizeof *f->seasons);
	f->n_seasons--;
}

/* may the oldest go, `after` days from its end on? */
static bool is_over(const struct roster_field *f, uint32_t day, uint32_t after)
{
	return f->n_seasons > 1 && (uint64_t)season_superseded(f, 0) + after < day;
}

/*
 * Room for one more.  A phone that is away may go on sealing under an old season for as long as
 * the prekeys it knows are good; so one is dropped only that long after its end, or sooner if
 * the list is full, and never before a reader can have met the last cell of it.
 */
static void make_room(struct roster_field *f, uint32_t day, uint32_t limit)
{
	while (is_over(f, day, season_days(f) + PREKEYS_AHEAD_DAYS))
		drop_oldest(f);
	while (f->n_seasons >= limit && is_over(f, day, season_days(f)))
		drop_oldest(f);
}

uint32_t season_room_from(const struct roster_field *f, uint32_t day, uint32_t limit)
{
	uint32_t over = f->n_seasons < limit ? 0 : f->n_seasons - limit + 1, from;

	if (over == 0)
		return 0;
	from = season_superseded(f, over - 1) + season_days(f) + 1;
	return from <= day ? 0 : from;
}

uint32_t season_number(struct client *c, uint32_t day)
{
	const struct roster_field *f = c->field;
	uint32_t last = f->seasons[f->n_seasons - 1].number, n;
	uint8_t r[2];

	rng_fill(c->env.rng, r, sizeof r);
	n = (day > UINT16_MAX ? UINT16_MAX : day) << 16 | (uint32_t)r[0] << 8 | r[1];
	return n > last ? n : last + 1;
}

static bool has_season(const struct roster_field *f, uint32_t number, const uint8_t psk[32])
{
	for (uint32_t i = 0; i < f->n_seasons; i++)
		if (f->seasons[i].number == number && sodium_memcmp(f->seasons[i].psk, psk, 32) == 0)
			return true;
	return false;
}

static enum perr insert(struct roster_field *f, uint32_t number, const uint8_t psk[32])
{
	uint32_t at = 0;

	while (at < f->n_seasons && f->seasons[at].number <= number) {
		/* one in 65,536 times, of two on one day */
		if (f->seasons[at].number == number)
			number++;
		at++;
	}
	f->seasons = arena_grow(f->mem, f->seasons, f->n_seasons, f->n_seasons + 1,
	                        sizeof *f->seasons);
	if (f->seasons == NULL)
		return PERR_NOMEM;
	memmove(&f->seasons[at + 1], &f->seasons[at], (f->n_seasons - at) * sizeof *f->seasons);
	f->n_seasons++;
	f->seasons[at].number = number;
	memcpy(f->seasons[at].psk, psk, 32);
	return PERR_OK;
}

/*
 * limit       in: seasons that there may be after it
 * over_all    in: whatever is newest afterwards must not be known to who was revoked: a fresh
 *             one is put above, if this one is not new to everybody (stale) or not the newest
 * full        out: there was no room
 */
static enum perr put_season(struct client *c, const struct pending_op *o, uint32_t limit,
                            bool stale, bool over_all, bool *full, bool *changed)
{
	struct roster_field *f = c->field;
	uint8_t psk[32];
	enum perr err = PERR_OK;
	bool is_newest;

	*full = false;
	if (!has_season(f, o->numbers[0], o->key)) {
		make_room(f, o->day, SEASONS_ORDINARY);
		if (f->n_seasons >= limit) {
			*full = true;
			return PERR_OK;
		}
		err = insert(f, o->numbers[0], o->key);
		*changed = true;
	}
	is_newest = sodium_memcmp(f->seasons[f->n_seasons - 1].psk, o->key, 32) == 0;
	if (err == PERR_OK && ((stale && is_newest) || (over_all && !is_newest))) {
		if (f->n_seasons < ROSTER_SEASONS_MAX) {
			rng_fill(c->env.rng, psk, sizeof psk);
			err = insert(f, season_number(c, o->day), psk);
			sodium_memzero(psk, sizeof psk);
			*changed = true;
		}
	}
	return err;
}

static enum perr season(struct client *c, const struct pending_op *o, struct applied *d)
{
	struct roster_plan *plan = &c->admin->plans[ROSTER_PLAN_SEASON];
	bool full, stale = c->admin->revocations != o->numbers[1];
	enum perr err;

	/* made again it may have been used already: then it has the room that is kept free */
	err = put_season(c, o, SEASONS_FOR_REVOKE, stale, false, &full, &d->changed);
	if (err == PERR_OK && full)
		return no(d, "the season was not changed: %u are kept, and cells sealed under the oldest "
		          "may still be on the servers.", c->field->n_seasons);
	if (plan->last < o->day) {
		plan->last = o->day;
		d->changed = true;
	}
	return err;
}

/* ---- access keys ------------------------------------------------------------------------ */

/* where the current key of a scope stands */
static uint8_t *current(struct client *c, uint32_t scope)
{
	return scope == RPC_FIELD ? c->field->field_access
	     : scope == RPC_COUNSEL ? c->staff->counsel_access : c->admin->steward_access;
}

static void forget_retired(struct roster_admin *a, uint32_t i)
{
	memmove(&a->retired[i], &a->retired[i + 1], (a->n_retired - i - 1) * sizeof *a->retired);
	a->n_retired--;
}

/* those that are of no use any more, not even as a guest's (org_policy) */
static void sweep_retired(struct roster_admin *a, uint32_t day)
{
	for (uint32_t i = a->n_retired; i > 0; i--) {
		const struct roster_retired *r = &a->retired[i - 1];

		if ((uint64_t)r->last_day + TOLD_DAYS < day)
			forget_retired(a, i - 1);
	}
}

static enum perr retire(struct roster_admin *a, uint32_t scope, const uint8_t key[32],
                        uint32_t last_day)
{
	/* full: the oldest goes, whoever still has only that one finds in by a guest's */
	if (a->n_retired == ROSTER_RETIRED_MAX)
		forget_retired(a, 0);
	a->retired = arena_grow(a->mem, a->retired, a->n_retired, a->n_retired + 1,
	                        sizeof *a->retired);
	if (a->retired == NULL)
		return PERR_NOMEM;
	a->retired[a->n_retired].scope = scope;
	memcpy(a->retired[a->n_retired].key, key, 32);
	a->retired[a->n_retired++].last_day = last_day;
	return PERR_OK;
}

/*
 * A key takes the place of the current one, which is admitted for so many days more (0: cut off
 * at the next policy).  With 0, all older ones of the scope are cut off as well.  Afterwards
 * they let in as a guest's.
 */
static enum perr replace(struct client *c, uint32_t scope, const uint8_t key[32], uint32_t day,
                         uint32_t days)
{
	struct roster_admin *a = c->admin;
	uint8_t *now = current(c, scope);
	enum perr err = PERR_OK;

	if (days == 0)
		for (uint32_t i = a->n_retired; i > 0; i--) {
			struct roster_retired *r = &a->retired[i - 1];

			if (r->scope == scope && r->last_day >= day)
				r->last_day = day - 1;
		}
	err = retire(a, scope, now, days > 0 ? day + days : day - 1);
	memcpy(now, key, 32);
	return err;
}

static bool is_retired(const struct roster_admin *a, uint32_t scope, const uint8_t key[32])
{
	for (uint32_t i = 0; i < a->n_retired; i++)
		if (a->retired[i].scope == scope && sodium_memcmp(a->retired[i].key, key, 32) == 0)
			return true;
	return false;
}

/*
 * The key that travelled in a change and was not taken: a server that only its maker reached may
 * have it in force.  Kept, so that the administrators get in there; elsewhere it is a guest's.
 */
static enum perr keep_travelled(struct client *c, uint32_t scope, const uint8_t key[32],
                                uint32_t day)
{
	struct roster_admin *a = c->admin;

	if (is_retired(a, scope, key) || sodium_memcmp(current(c, scope), key, 32) == 0)
		return PERR_OK;
	return retire(a, scope, key, day - 1);
}

/*
 * Guests' keys are printed on slips and stay for 400 days.  Sixteen fit; when they are full the
 * current one stays: it opens what a slip opens, and no more.
 */
static enum perr replace_guest(struct client *c, const uint8_t key[32], uint32_t day,
                               bool *changed)
{
	struct roster_admin *a = c->admin;
	uint32_t kept = 0;

	for (uint32_t i = 0; i < a->n_guests; i++)
		if (a->guests[i].last_day == 0 || a->guests[i].last_day >= day)
			a->guests[kept++] = a->guests[i];
	a->n_guests = kept;
	if (kept == 0 || kept == ROSTER_GUESTS_MAX)
		return PERR_OK;
	a->guests = arena_grow(a->mem, a->guests, kept, kept + 1, sizeof *a->guests);
	if (a->guests == NULL)
		return PERR_NOMEM;
	a->guests[kept - 1].last_day = day + GUEST_DAYS;
	memcpy(a->guests[kept].key, key, 32);
	a->guests[kept].last_day = 0;
	a->n_guests++;
	memcpy(c->field->guest_access, key, 32);
	*changed = true;
	return PERR_OK;
}

/* the key that travels in the change, or one that nobody can know */
static void pick_key(struct client *c, uint8_t key[32], const uint8_t travels[32], bool stale)
{
	if (stale)
		rng_fill(c->env.rng, key, 32);
	else
		memcpy(key, travels, 32);
}

static enum perr access_keys(struct client *c, const struct pending_op *o, struct applied *d)
{
	struct roster_admin *a = c->admin;
	struct roster_plan *plan = &a->plans[ROSTER_PLAN_ACCESS];
	bool stale = a->revocations != o->numbers[1];
	uint8_t key[32];
	enum perr err = PERR_OK;

	if (o->len != ROTATE_ACCESS_SIZE)
		return PERR_CORRUPT;
	sweep_retired(a, o->day);
	for (uint32_t s = RPC_GUEST; s <= RPC_STEWARD && err == PERR_OK; s++) {
		const uint8_t *travels = o->bytes + (s - RPC_GUEST) * 32;

		if ((o->numbers[0] >> s & 1) == 0)
			continue;
		pick_key(c, key, travels, stale);
		if (s == RPC_GUEST) {
			if (sodium_memcmp(c->field->guest_access, travels, 32) != 0)
				err = replace_guest(c, key, o->day, &d->changed);
		} else if (sodium_memcmp(current(c, s), travels, 32) != 0) {
			err = replace(c, s, key, o->day, o->numbers[3]);
			if (err == PERR_OK && stale)
				err = keep_travelled(c, s, travels, o->day);
			d->changed = true;
		}
	}
	sodium_memzero(key, sizeof key);
	if (plan->last < o->day) {
		plan->last = o->day;
		d->changed = true;
	}
	return err;
}

/* ---- prekeys ---------------------------------------------------------------------------- */

static enum perr set_lowest(struct roster_field *f, struct roster_desk *k,
                            const struct charter *now, const uint8_t owner[32], uint32_t number,
                            bool *changed)
{
	uint32_t at = 0, old = 0;

	for (at = 0; at < k->n_lowest; at++)
		if (memcmp(k->lowest[at].owner, owner, 32) == 0)
			break;
	if (at < k->n_lowest && k->lowest[at].number >= number)
		return PERR_OK;
	/* full: somebody's who is no holder any more goes */
	for (old = 0; at == k->n_lowest && at == CHARTER_HOLDERS_MAX && old < at; old++)
		if (!charter_has_holder(now, k->lowest[old].owner))
			break;
	if (at == k->n_lowest && at == CHARTER_HOLDERS_MAX) {
		if (old == at)
			return PERR_LIMIT;
		at = old;
	} else if (at == k->n_lowest) {
		k->lowest = arena_grow(f->mem, k->lowest, at, at + 1, sizeof *k->lowest);
		if (k->lowest == NULL)
			return PERR_NOMEM;
		k->n_lowest++;
	}
	memcpy(k->lowest[at].owner, owner, 32);
	k->lowest[at].number = number;
	*changed = true;
	return PERR_OK;
}

/* at every desk whose charter names the owner, and in the staff body */
static enum perr lowest(struct client *c, const uint8_t owner[32], uint32_t number, bool *changed)
{
	struct roster_field *f = c->field;
	struct desk *desk = malloc(sizeof *desk);
	enum perr err = desk == NULL ? PERR_NOMEM : PERR_OK;

	for (uint32_t i = 0; i < f->n_desks && err == PERR_OK; i++) {
		err = client_desk(c, i, desk);
		if (err == PERR_OK && charter_has_holder(&desk->now, owner))
			err = set_lowest(f, &f->desks[i], &desk->now, owner, number, changed);
		else if (err != PERR_NOMEM)
			err = PERR_OK;
	}
	free(desk);
	for (uint32_t i = 0; i < c->staff->n_members && err == PERR_OK; i++) {
		struct roster_member *m = &c->staff->members[i];

		if (memcmp(m->key, owner, 32) == 0 && m->lowest_batch < number) {
			m->lowest_batch = number;
			*changed = true;
		}
	}
	return err;
}

/* ---- revoking --------------------------------------------------------------------------- */

static enum perr push_key(struct arena *mem, struct roster_board **list, uint32_t *n,
                          const uint8_t sk[32])
{
	if (*n == ROSTER_BOARDS_MAX) {
		memmove(*list, *list + 1, (*n - 1) * sizeof **list);
		(*n)--;
	}
	*list = arena_grow(mem, *list, *n, *n + 1, sizeof **list);
	if (*list == NULL)
		return PERR_NOMEM;
	memcpy((*list)[(*n)++].sk, sk, 32);
	return PERR_OK;
}

static enum perr to_former(struct client *c, const struct roster_enrolled *e, uint32_t day)
{
	struct roster_staff *s = c->staff;
	const struct roster_volunteer *v = roster_volunteer_find(s, e->key);
	struct roster_former *f;

	if (s->n_former == ROSTER_FORMER_MAX) {
		memmove(s->former, s->former + 1, (s->n_former - 1) * sizeof *s->former);
		s->n_former--;
	}
	s->former = arena_grow(s->mem, s->former, s->n_former, s->n_former + 1,
	                       sizeof *s->former);
	if (s->former == NULL)
		return PERR_NOMEM;
	f = &s->former[s->n_former++];
	memcpy(f->key, e->key, 32);
	f->role = e->role;
	f->number = v == NULL ? 0 : v->number;
	/* the staff body names no volunteer */
	f->name = e->role == ROSTER_VOLUNTEER ? "" : arena_str(s->mem, e->name);
	f->day = day;
	return f->name == NULL ? PERR_NOMEM : PERR_OK;
}

static enum perr to_revoked(struct roster_admin *a, const struct roster_enrolled *e, uint32_t day)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < a->n_revoked; i++)
		if ((uint64_t)a->revoked[i].day + TOLD_DAYS >= day)
			a->revoked[kept++] = a->revoked[i];
	a->n_revoked = kept;
	if (kept == ROSTER_REVOKED_MAX)
		memmove(a->revoked, a->revoked + 1, --a->n_revoked * sizeof *a->revoked);
	a->revoked = arena_grow(a->mem, a->revoked, a->n_revoked, a->n_revoked + 1,
	                        sizeof *a->revoked);
	if (a->revoked == NULL)
		return PERR_NOMEM;
	memcpy(a->revoked[a->n_revoked].key, e->key, 32);
	memcpy(a->revoked[a->n_revoked].slot_pk, e->slot_pk, 32);
	memcpy(a->revoked[a->n_revoked].slot_secret, e->slot_secret, 32);
	a->revoked[a->n_revoked++].day = day;
	return PERR_OK;
}

static void drop_member(struct client *c, const uint8_t key[32])
{
	struct roster_admin *a = c->admin;
	struct roster_staff *s = c->staff;

	for (uint32_t i = 0; i < a->n_members; i++)
		if (memcmp(a->members[i].key, key, 32) == 0) {
			memmove(&a->members[i], &a->members[i + 1],
			        (--a->n_members - i) * sizeof *a->members);
			break;
		}
	for (uint32_t i = 0; i < s->n_members; i++)
		if (memcmp(s->members[i].key, key, 32) == 0) {
			memmove(&s->members[i], &s->members[i + 1],
			        (--s->n_members - i) * sizeof *s->members);
			break;
		}
	for (uint32_t i = 0; i < s->n_volunteers; i++)
		if (memcmp(s->volunteers[i].key, key, 32) == 0) {
			memmove(&s->volunteers[i], &s->volunteers[i + 1],
			        (--s->n_volunteers - i) * sizeof *s->volunteers);
			break;
		}
}

/* a private key in use and the list of those before it */
static enum perr renew(struct client *c, struct arena *mem, struct roster_board **list,
                       uint32_t *n, uint8_t sk[32], const uint8_t travels[32], bool stale)
{
	enum perr err;

	/* of several who are revoked in one change the first one has done it */
	if (sodium_memcmp(sk, travels, 32) == 0 && !stale)
		return PERR_OK;
	err = push_key(mem, list, n, sk);
	if (err == PERR_OK)
		pick_key(c, sk, travels, stale);
	return err;
}

/* what everybody of this role had: new ones, the old are good for nothing from now on */
static enum perr new_keys(struct client *c, const struct pending_op *o, enum roster_role role,
                          bool stale)
{
	struct roster_field *f = c->field;
	struct roster_admin *a = c->admin;
	uint8_t key[32];
	enum perr err = PERR_OK;

	for (uint32_t s = RPC_FIELD; s <= RPC_STEWARD && err == PERR_OK; s++) {
		const uint8_t *travels = o->bytes + (s - RPC_FIELD) * 32;

		if (!rotate_has_scope(role, s) ||
		    (sodium_memcmp(current(c, s), travels, 32) == 0 && !stale))
			continue;
		pick_key(c, key, travels, stale);
		err = replace(c, s, key, o->day, 0);
		if (err == PERR_OK && stale)
			err = keep_travelled(c, s, travels, o->day);
	}
	if (err == PERR_OK)
		err = renew(c, f->mem, &f->boards, &f->n_boards, f->board_sk, o->bytes + 96, stale);
	if (err == PERR_OK && rotate_has_scope(role, RPC_COUNSEL))
		err = renew(c, c->staff->mem, &c->staff->boards, &c->staff->n_boards,
		            c->staff->board_sk, o->bytes + 128, stale);
	if (err == PERR_OK && rotate_has_scope(role, RPC_STEWARD)) {
		err = renew(c, a->mem, &a->inboxes, &a->n_inboxes, a->inbox_sk, o->bytes + 160,
		            stale);
		if (err == PERR_OK &&
		    crypto_scalarmult_base(f->inbox_pk, a->inbox_sk) != 0)
			err = PERR_KEY;
		/* an administrator may have kept the seed of any invitation that is still open */
		a->n_invitations = 0;
	}
	sodium_memzero(key, sizeof key);
	return err;
}

static enum perr revoke(struct client *c, const struct pending_op *o, struct applied *d)
{
	struct roster_admin *a = c->admin;
	const struct roster_enrolled *e = roster_admin_find(a, o->id);
	const struct roster_former *f;
	bool stale = a->revocations != o->numbers[1], full;
	enum roster_role role;
	enum perr err;

	if (o->len != ROTATE_REVOKE_SIZE)
		return PERR_CORRUPT;
	if (e == NULL) {
		/* another administrator did, and rotated as well */
		f = roster_former_find(c->staff, o->id);
		if (f == NULL || !rotate_has_scope(f->role, RPC_STEWARD) ||
		    is_retired(a, RPC_STEWARD, o->bytes + 64))
			return PERR_OK;
		d->changed = true;
		return keep_travelled(c, RPC_STEWARD, o->bytes + 64, o->day);
	}
	/* the chain's next link follows from who is left (press.h) */
	if (!apply_admin_may_go(c, e, d))
		return PERR_OK;
	role = e->role;
	d->changed = true;
	err = to_former(c, e, o->day);
	if (err == PERR_OK)
		err = to_revoked(a, e, o->day);
	if (err == PERR_OK)
		err = lowest(c, o->id, ROTATE_NO_BATCH, &d->changed);
	if (err == PERR_OK) {
		drop_member(c, o->id);
		a->revocations++;
		sweep_retired(a, o->day);
		err = new_keys(c, o, role, stale);
	}
	/* without room the season stays: it opens nothing without somebody's prekey, and the
	 * status says that it is due */
	if (err == PERR_OK)
		err = put_season(c, o, SEASONS_FOR_REVOKE, stale, true, &full, &d->changed);
	if (err == PERR_OK && !full)
		a->plans[ROSTER_PLAN_SEASON].last = o->day;
	return err;
}

static void plan(struct roster_admin *a, const struct pending_op *o, struct applied *d)
{
	struct roster_plan *p = &a->plans[o->numbers[0] % ROSTER_PLANS];

	d->changed = p->every != o->numbers[1];
	p->every = o->numbers[1];
	/* the first one is due so many days after the plan was made */
	if (p->last == 0)
		p->last = o->day;
}

enum perr apply_rotate(struct client *c, const struct pending_op *o, struct applied *d)
{
	if (o->kind == PENDING_SEASON)
		return season(c, o, d);
	if (o->kind == PENDING_ACCESS)
		return access_keys(c, o, d);
	if (o->kind == PENDING_LOWEST)
		return lowest(c, o->id, o->numbers[0], &d->changed);
	if (o->kind == PENDING_REVOKE)
		return revoke(c, o, d);
	if (o->kind != PENDING_PLAN)
		return PERR_CORRUPT;
	plan(c->admin, o, d);
	return PERR_OK;
}
