/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "apply.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apply_charter.h"
#include "apply_server.h"
#include "apply_rotate.h"
#include "bulletin.h"
#include "charter.h"
#include "desk.h"

/* it cannot be done upon this roster */
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

/* ---- schedule ----------------------------------------------------------------------------- */

static void schedule(struct client *c, const struct pending_op *o, struct applied *d)
{
	struct roster_schedule *s = &c->admin->schedule;
	uint32_t *at[3] = { &s->release_minutes, &s->surge_minutes, &s->surge_until };

	/* only what this administrator meant: another one may have changed the rest */
	for (int i = 0; i < 3; i++)
		if ((o->numbers[0] >> i & 1) != 0 && *at[i] != o->numbers[1 + i]) {
			*at[i] = o->numbers[1 + i];
			d->changed = true;
		}
}

/* ---- invitations and members ---------------------------------------------------------------- */

static bool is_answered(const struct roster_admin *a, const uint8_t ticket[16])
{
	for (uint32_t i = 0; i < a->n_answered; i++)
		if (memcmp(a->answered[i].ticket, ticket, 16) == 0)
			return true;
	return false;
}

static enum perr invite(struct client *c, const struct pending_op *o, struct applied *d)
{
	struct roster_admin *a = c->admin;
	struct roster_invitation *inv;

	/* one that was used or withdrawn meanwhile must not open again */
	if (roster_invitation_find(a, o->ticket) != NULL || is_answered(a, o->ticket))
		return PERR_OK;
	if (a->n_invitations >= ROSTER_INVITES_MAX)
		return no(d, "an invitation (%s) could not be kept: other administrators made some "
		          "meanwhile, and at most %d are open; destroy the slip.",
		          o->text[0][0] == '\0' ? roster_role_text(o->role) : o->text[0],
		          ROSTER_INVITES_MAX);
	a->invitations = arena_grow(a->mem, a->invitations, a->n_invitations,
	                            a->n_invitations + 1, sizeof *a->invitations);
	if (a->invitations == NULL)
		return PERR_NOMEM;
	inv = &a->invitations[a->n_invitations++];
	memcpy(inv->ticket, o->ticket, 16);
	memcpy(inv->slot_pk, o->slot_pk, 32);
	memcpy(inv->slot_secret, o->slot_secret, 32);
	inv->role = o->role;
	inv->day = o->day;
	inv->note = arena_str(a->mem, o->text[0]);
	d->changed = true;
	return inv->note == NULL ? PERR_NOMEM : PERR_OK;
}

/* the invitation's slot and ticket go, and it is noted, so that no other device revives it */
static enum perr use_up(struct roster_admin *a, const uint8_t ticket[16])
{
	for (uint32_t i = 0; i < a->n_invitations; i++)
		if (memcmp(a->invitations[i].ticket, ticket, 16) == 0) {
			a->invitations[i] = a->invitations[--a->n_invitations];
			break;
		}
	if (is_answered(a, ticket))
		return PERR_OK;
	if (a->n_answered >= ROSTER_INVITES_MAX) {
		memmove(a->answered, a->answered + 1,
		        (a->n_answered - 1) * sizeof *a->answered);
		a->n_answered--;
	} else {
		a->answered = arena_grow(a->mem, a->answered, a->n_answered, a->n_answered + 1,
		                         sizeof *a->answered);
		if (a->answered == NULL)
			return PERR_NOMEM;
	}
	memcpy(a->answered[a->n_answered++].ticket, ticket, 16);
	return PERR_OK;
}

static bool name_taken(const struct roster_admin *a, const char *name)
{
	for (uint32_t i = 0; i < a->n_members; i++)
		if (strcmp(a->members[i].name, name) == 0)
			return true;
	return false;
}

static uint32_t n_admins(const struct roster_admin *a)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < a->n_members; i++)
		n += a->members[i].role == ROSTER_ADMINISTRATOR;
	return n;
}

static enum perr enrol_staff(struct client *c, const struct pending_op *o)
{
	struct roster_staff *s = c->staff;
	struct roster_member *m;

	if (o->role == ROSTER_VOLUNTEER) {
		s->volunteers = arena_grow(s->mem, s->volunteers, s->n_volunteers,
		                           s->n_volunteers + 1, sizeof *s->volunteers);
		if (s->volunteers == NULL)
			return PERR_NOMEM;
		memcpy(s->volunteers[s->n_volunteers].key, o->id, 32);
		s->volunteers[s->n_volunteers++].number = c->admin->next_volunteer++;
		return PERR_OK;
	}
	s->members = arena_grow(s->mem, s->members, s->n_members, s->n_members + 1,
	                        sizeof *s->members);
	if (s->members == NULL)
		return PERR_NOMEM;
	m = &s->members[s->n_members++];
	memcpy(m->key, o->id, 32);
	m->role = o->role;
	m->name = arena_str(s->mem, o->text[0]);
	m->n_languages = o->n_languages;
	m->languages = arena_alloc(s->mem, o->n_languages + 1, sizeof *m->languages);
	if (m->name == NULL || m->languages == NULL)
		return PERR_NOMEM;
	for (uint32_t i = 0; i < o->n_languages; i++) {
		m->languages[i] = arena_str(s->mem, o->languages[i]);
		if (m->languages[i] == NULL)
			return PERR_NOMEM;
	}
	return PERR_OK;
}

static enum perr confirm(struct client *c, const struct pending_op *o, struct applied *d)
{
	struct roster_admin *a = c->admin;
	struct roster_enrolled *e;
	enum perr err;

	if (roster_admin_find(a, o->id) != NULL)
		return PERR_OK;
	/*
	 * An invitation that is not there although nobody used it was made by an administrator
	 * whose changes this roster lacks: it is used up before it comes.
	 */
	if (roster_invitation_find(a, o->ticket) == NULL && is_answered(a, o->ticket))
		return no(d, "%s was not enrolled: another administrator withdrew the invitation "
		          "meanwhile; speak with them, and invite %s anew if it was a mistake.",
		          o->text[0], o->text[0]);
	if (name_taken(a, o->text[0]))
		return no(d, "%s was not enrolled: another administrator gave this name to somebody "
		          "else meanwhile; `amparo confirm` with --as gives another one.",
		          o->text[0]);
	if (a->n_members >= ROSTER_MEMBERS_MAX ||
	    (o->role == ROSTER_ADMINISTRATOR && n_admins(a) >= ADMINS_MAX))
		return no(d, "%s was not enrolled: the roster is full.", o->text[0]);
	a->members = arena_grow(a->mem, a->members, a->n_members, a->n_members + 1,
	                        sizeof *a->members);
	if (a->members == NULL)
		return PERR_NOMEM;
	e = &a->members[a->n_members++];
	memcpy(e->key, o->id, 32);
	e->role = o->role;
	e->name = arena_str(a->mem, o->text[0]);
	memcpy(e->slot_pk, o->slot_pk, 32);
	memcpy(e->slot_secret, o->slot_secret, 32);
	e->day = o->day;
	err = e->name == NULL ? PERR_NOMEM : enrol_staff(c, o);
	if (err == PERR_OK)
		err = use_up(a, o->ticket);
	d->changed = true;
	return err;
}

static enum perr refuse(struct client *c, const struct pending_op *o, struct applied *d)
{
	const struct roster_enrolled *e = roster_admin_find(c->admin, o->id);

	if (e != NULL)
		return no(d, "the invitation that %s answered was not withdrawn: another administrator "
		          "enrolled them meanwhile; speak with each other now.", e->name);
	if (is_answered(c->admin, o->ticket))
		return PERR_OK;
	d->changed = true;
	return use_up(c->admin, o->ticket);
}

/* ---- administrators ------------------------------------------------------------------------ */

static uint32_t threshold_of(const struct client *c)
{
	return c->threshold != 0 ? c->threshold : client_admins(c)->last.threshold;
}

bool apply_admin_may_go(struct client *c, const struct roster_enrolled *e, struct applied *d)
{
	if (e->role != ROSTER_ADMINISTRATOR || n_admins(c->admin) > threshold_of(c))
		return true;
	(void)no(d, "%s was not revoked: a change takes the signatures of %u, and so many "
	         "administrators would not be left; `amparo admin threshold` lowers it first.",
	         e->name, threshold_of(c));
	return false;
}

static enum perr threshold(struct client *c, const struct pending_op *o, struct applied *d)
{
	uint32_t n = n_admins(c->admin);

	if (o->numbers[0] == threshold_of(c))
		return PERR_OK;
	if (o->numbers[0] < 1 || o->numbers[0] > n)
		return no(d, "the threshold was not changed to %u: there are %u administrators now.",
		          o->numbers[0], n);
	c->threshold = o->numbers[0];
	d->changed = true;
	return PERR_OK;
}

/* ---- desks and forms -------------------------------------------------------------------------- */

/* a listed desk of this id, or of this name */
static enum perr desk_among(const struct client *c, const uint8_t *id, const char *name, bool *is)
{
	struct desk *d = malloc(sizeof *d);
	enum perr err = d == NULL ? PERR_NOMEM : PERR_OK;

	*is = false;
	for (uint32_t i = 0; i < c->field->n_desks && err == PERR_OK && !*is; i++) {
		err = client_desk(c, i, d);
		if (err == PERR_OK)
			*is = id != NULL ? memcmp(d->id, id, 32) == 0 : strcmp(d->now.name, name) == 0;
	}
	free(d);
	return err;
}

enum perr apply_desk_listed(const struct client *c, const uint8_t id[32], bool *is)
{
	return desk_among(c, id, NULL, is);
}

static enum perr desk(struct client *c, const struct pending_op *o, struct applied *d)
{
	struct roster_field *f = c->field;
	struct roster_desk *n;
	struct charter_signed ch = { 0 };
	bool is;
	enum perr err = charter_signed_decode(&ch, o->bytes, o->len);

	if (err == PERR_OK)
		err = desk_among(c, ch.hash, NULL, &is);
	if (err != PERR_OK || is)
		goto out;
	err = desk_among(c, NULL, ch.body.name, &is);
	if (err == PERR_OK && is) {
		err = no(d, "the desk %s was not listed: another desk of this name is in the roster; "
		         "two that are called the same could be mistaken for each other.",
		         ch.body.name);
		goto out;
	}
	if (err == PERR_OK && f->n_desks >= ROSTER_DESKS_MAX) {
		err = no(d, "the desk %s was not listed: an organisation has at most %d.",
		         ch.body.name, ROSTER_DESKS_MAX);
		goto out;
	}
	if (err != PERR_OK)
		goto out;
	d->changed = true;
	err = PERR_NOMEM;
	f->desks = arena_grow(f->mem, f->desks, f->n_desks, f->n_desks + 1, sizeof *f->desks);
	if (f->desks == NULL)
		goto out;
	n = &f->desks[f->n_desks];
	n->charters = arena_alloc(f->mem, 1, sizeof *n->charters);
	if (n->charters == NULL)
		goto out;
	n->n_charters = 1;
	n->charters[0] = doc_bytes_of(arena_bytes(f->mem, o->bytes, o->len), o->len);
	if (n->charters[0].p == NULL)
		goto out;
	f->n_desks++;
	err = PERR_OK;
out:
	charter_signed_free(&ch);
	return err;
}

static enum perr form(struct client *c, const struct pending_op *o, struct applied *d)
{
	struct roster_field *f = c->field;
	struct roster_form n = { .active = true, .size = o->size };
	bool is;
	enum perr err;

	for (uint32_t i = 0; i < f->n_forms; i++) {
		if (strcmp(f->forms[i].id, o->text[0]) != 0 ||
		    strcmp(f->forms[i].version, o->text[1]) != 0)
			continue;
		if (memcmp(f->forms[i].part, o->part, 32) == 0)
			return PERR_OK;
		return no(d, "form %s was not published: another administrator published another one as "
		          "version %s meanwhile; give yours a new version.", o->text[0], o->text[1]);
	}
	err = apply_desk_listed(c, o->id, &is);
	if (err != PERR_OK)
		return err;
	if (!is)
		return no(d, "form %s was not published: its desk is not in the roster.", o->text[0]);
	if (f->n_forms >= ROSTER_FORMS_MAX)
		return no(d, "form %s was not published: an organisation has at most %d.", o->text[0],
		          ROSTER_FORMS_MAX);
	n.id = arena_str(f->mem, o->text[0]);
	n.version = arena_str(f->mem, o->text[1]);
	n.title = arena_str(f->mem, o->text[2]);
	memcpy(n.desk, o->id, 32);
	memcpy(n.part, o->part, 32);
	memcpy(n.key, o->key, 32);
	f->forms = arena_grow(f->mem, f->forms, f->n_forms, f->n_forms + 1, sizeof *f->forms);
	if (f->forms == NULL || n.id == NULL || n.version == NULL || n.title == NULL)
		return PERR_NOMEM;
	for (uint32_t i = 0; i < f->n_forms; i++)
		if (strcmp(f->forms[i].id, o->text[0]) == 0)
			f->forms[i].active = false;
	f->forms[f->n_forms++] = n;
	d->changed = true;
	return PERR_OK;
}

/* of one holder, or of everybody, the latest day counts */
static enum perr void_orders(struct client *c, const struct pending_op *o, struct applied *d)
{
	struct roster_staff *s = c->staff;
	uint32_t at = 0;

	while (at < s->n_voids && memcmp(s->voids[at].key, o->id, 32) != 0)
		at++;
	if (at == s->n_voids) {
		/* the oldest of them says nothing any more */
		if (s->n_voids == ROSTER_VOIDS_MAX)
			memmove(s->voids, s->voids + 1, --s->n_voids * sizeof *s->voids);
		s->voids = arena_grow(s->mem, s->voids, s->n_voids, s->n_voids + 1, sizeof *s->voids);
		if (s->voids == NULL)
			return PERR_NOMEM;
		at = s->n_voids++;
		memcpy(s->voids[at].key, o->id, 32);
		s->voids[at].day = 0;
		d->changed = true;
	}
	d->changed = d->changed || o->day > s->voids[at].day;
	if (o->day > s->voids[at].day)
		s->voids[at].day = o->day;
	return PERR_OK;
}

enum perr apply_op(struct client *c, const struct pending_op *o, struct applied *done)
{
	memset(done, 0, sizeof *done);
	if (c->admin == NULL && o->kind != PENDING_DROPPED)
		return no(done, "this device's owner is no administrator any more: a change that was "
		          "not on a server yet is dropped.");
	switch (o->kind) {
	case PENDING_SERVER:
		return apply_server_add(c, o, done);
	case PENDING_SERVER_DROP:
		return apply_server_drop(c, o, done);
	case PENDING_SERVER_REPLACE:
		return apply_server_replace(c, o, done);
	case PENDING_SCHEDULE:
		schedule(c, o, done);
		return PERR_OK;
	case PENDING_INVITE:
		return invite(c, o, done);
	case PENDING_CONFIRM:
		return confirm(c, o, done);
	case PENDING_REFUSE:
		return refuse(c, o, done);
	case PENDING_DESK:
		return desk(c, o, done);
	case PENDING_FORM:
		return form(c, o, done);
	case PENDING_DECOYS:
		done->changed = c->staff->decoys_per_day != o->numbers[0];
		c->staff->decoys_per_day = o->numbers[0];
		return PERR_OK;
	case PENDING_CHARTER:
		return apply_charter(c, o, done);
	case PENDING_COUNTERSIGN:
		return apply_countersign(c, o, done);
	case PENDING_ANSWER_DAYS:
		done->changed = c->staff->answer_days != o->numbers[0];
		c->staff->answer_days = o->numbers[0];
		return PERR_OK;
	case PENDING_VOID:
		return void_orders(c, o, done);
	case PENDING_SEASON:
	case PENDING_ACCESS:
	case PENDING_LOWEST:
	case PENDING_PLAN:
	case PENDING_REVOKE:
		return apply_rotate(c, o, done);
	case PENDING_DROPPED:
		return PERR_OK;
	case PENDING_THRESHOLD:
		return threshold(c, o, done);
	}
	return PERR_CORRUPT;
}
