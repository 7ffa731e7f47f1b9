/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* the first version of a roster */
#include "org.h"

#include <sodium.h>
#include <string.h>

#include "press.h"

static enum perr first_bodies(struct client *c, const char *organisation)
{
	struct rng rng = c->env.rng;
	struct roster_field *f = c->field = roster_field_new();
	struct roster_staff *s = c->staff = roster_staff_new();
	struct roster_admin *a = c->admin = roster_admin_new();
	struct reader_key inbox;

	if (f == NULL || s == NULL || a == NULL)
		return PERR_NOMEM;
	f->organisation = arena_str(f->mem, organisation);
	f->seasons = arena_alloc(f->mem, 1, sizeof *f->seasons);
	s->members = arena_alloc(s->mem, 1, sizeof *s->members);
	a->members = arena_alloc(a->mem, 1, sizeof *a->members);
	a->guests = arena_alloc(a->mem, 1, sizeof *a->guests);
	if (f->organisation == NULL || f->seasons == NULL || s->members == NULL ||
	    a->members == NULL || a->guests == NULL)
		return PERR_NOMEM;
	f->n_seasons = 1;
	f->seasons[0].number = 1;
	rng_fill(rng, f->seasons[0].psk, 32);
	rng_fill(rng, f->field_access, 32);
	rng_fill(rng, f->board_sk, 32);
	rng_fill(rng, s->counsel_access, 32);
	rng_fill(rng, s->board_sk, 32);
	rng_fill(rng, a->steward_access, 32);
	rng_fill(rng, a->inbox_sk, 32);
	rng_fill(rng, a->policy_seed, 32);
	a->n_guests = 1;
	rng_fill(rng, a->guests[0].key, 32);
	memcpy(f->guest_access, a->guests[0].key, 32);
	a->next_volunteer = 1;
	if (crypto_scalarmult_base(inbox.pk, a->inbox_sk) != 0)
		return PERR_KEY;
	memcpy(f->inbox_pk, inbox.pk, 32);

	s->n_members = 1;
	memcpy(s->members[0].key, c->me->sign_pk, 32);
	s->members[0].role = ROSTER_ADMINISTRATOR;
	s->members[0].name = arena_str(s->mem, c->me->name);
	a->n_members = 1;
	memcpy(a->members[0].key, c->me->sign_pk, 32);
	a->members[0].role = ROSTER_ADMINISTRATOR;
	a->members[0].name = arena_str(a->mem, c->me->name);
	memcpy(a->members[0].slot_pk, c->me->slot.pk, 32);
	memcpy(a->members[0].slot_secret, c->me->slot_secret, 32);
	a->members[0].day = client_day(c);
	return s->members[0].name != NULL && a->members[0].name != NULL ? PERR_OK : PERR_NOMEM;
}

enum perr org_found(struct client *c, const char *organisation, const char *name)
{
	size_t name_len = strlen(name), org_len = strlen(organisation);
	enum perr err;

	if (c->me->state != CLIENT_NOBODY)
		return PERR_STATE;
	if (name_len == 0 || name_len > ROSTER_NAME_MAX || org_len == 0 || org_len > 64)
		return PERR_RANGE;
	client_new_keys(c);
	memcpy(c->me->name, name, name_len + 1);
	c->me->state = CLIENT_MEMBER;
	c->me->role = ROLE_ADMINISTRATOR;
	err = first_bodies(c, organisation);
	if (err == PERR_OK)
		err = press_publish(c, NULL, NULL);
	if (err != PERR_OK) {
		/* what is in memory must be what is stored */
		enum perr again = client_reload(c);

		err = again != PERR_OK ? again : err;
	}
	return err;
}
