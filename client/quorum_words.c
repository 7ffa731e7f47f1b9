/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "quorum_words.h"

#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admins.h"
#include "bulletin.h"
#include "charter.h"
#include "join.h"
#include "roster.h"
#include "words.h"

#define SENTENCE 900

struct telling {
	struct client *c;
	const struct quorum_docs *d;
	const struct roster_field *f0, *f1;      /* before, after */
	const struct roster_staff *s0, *s1;
	const struct roster_admin *a0, *a1;
	const struct admins_link *l0, *l1;
	quorum_words_fn *fn;
	void *arg;
	enum perr err;
	unsigned n;
};

static void tell(struct telling *t, bool grave, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
static void tell(struct telling *t, bool grave, const char *fmt, ...)
{
	char s[SENTENCE];
	va_list ap;

	if (t->err != PERR_OK)
		return;
	va_start(ap, fmt);
	vsnprintf(s, sizeof s, fmt, ap);
	va_end(ap);
	t->n++;
	t->err = t->fn(t->arg, s, grave);
}

static bool differ(const uint8_t *a, const uint8_t *b)
{
	return sodium_memcmp(a, b, 32) != 0;
}

/* of somebody who is a member before or after */
static void name_of(const struct telling *t, const uint8_t key[32], char *out, size_t size)
{
	const struct roster_enrolled *e = roster_admin_find(t->a1, key);

	if (e != NULL)
		snprintf(out, size, "%s", e->name);
	else
		client_name_of(t->c, key, out, size);
}

/* ---- administrators --------------------------------------------------------------------- */

static bool has(const struct admins_link *l, const uint8_t key[32])
{
	return doc_find((const uint8_t (*)[32])l->keys, l->n, key) < l->n;
}

static void tell_admins(struct telling *t)
{
	char who[160];

	for (uint32_t i = 0; i < t->l1->n; i++)
		if (!has(t->l0, t->l1->keys[i])) {
			name_of(t, t->l1->keys[i], who, sizeof who);
			tell(t, true, "%s becomes an administrator.", who);
		}
	for (uint32_t i = 0; i < t->l0->n; i++)
		if (!has(t->l1, t->l0->keys[i])) {
			name_of(t, t->l0->keys[i], who, sizeof who);
			tell(t, true, "%s is an administrator no more.", who);
		}
	if (t->l0->threshold != t->l1->threshold)
		tell(t, true, "A change then takes the signatures of %u of %u administrators; now it is %u "
		     "of %u.", t->l1->threshold, t->l1->n, t->l0->threshold, t->l0->n);
}

/* ---- members ------------------------------------------------------------------------------ */

/* the four words of the answer that enrols this key, if it came with the change */
static void words_of(const struct telling *t, const uint8_t key[32], char *out, size_t size)
{
	size_t n;
	const struct pending_op *ops = quorum_changes(t->d, &n);

	*out = '\0';
	for (size_t i = 0; i < n; i++) {
		uint16_t words[JOIN_WORDS];
		struct join j;

		if (ops[i].kind != PENDING_CONFIRM || memcmp(ops[i].id, key, 32) != 0 ||
		    ops[i].len == 0 || join_open(&j, words, ops[i].bytes, ops[i].len) != PERR_OK)
			continue;
		/* the keys of the change must be those that the words are of */
		if (memcmp(j.key, key, 32) == 0 && memcmp(j.slot_pk, ops[i].slot_pk, 32) == 0 &&
		    memcmp(j.slot_secret, ops[i].slot_secret, 32) == 0)
			snprintf(out, size, "  The words of the answer are: %s %s %s %s.",
			         words_get(words[0]), words_get(words[1]), words_get(words[2]),
			         words_get(words[3]));
		join_wipe(&j);
		return;
	}
}

static bool same_slot(const struct roster_enrolled *a, const struct roster_enrolled *b)
{
	return memcmp(a->slot_pk, b->slot_pk, 32) == 0 && !differ(a->slot_secret, b->slot_secret);
}

static void tell_members(struct telling *t)
{
	char words[200];

	for (uint32_t i = 0; i < t->a1->n_members; i++) {
		const struct roster_enrolled *e = &t->a1->members[i];
		const struct roster_enrolled *old = roster_admin_find(t->a0, e->key);

		if (old == NULL) {
			words_of(t, e->key, words, sizeof words);
			tell(t, e->role != ROSTER_VOLUNTEER, "%s is enrolled as %s.%s", e->name,
			     roster_role_text(e->role), *words != '\0' ? words
			     : "  The answer did not come with it: ask who spoke with them.");
			continue;
		}
		if (old->role != e->role)
			tell(t, true, "%s, %s until now, becomes %s.", e->name,
			     roster_role_text(old->role), roster_role_text(e->role));
		if (strcmp(old->name, e->name) != 0)
			tell(t, true, "%s is called %s from now on.", old->name, e->name);
		if (!same_slot(old, e))
			tell(t, true, "%s opens the roster with another key than before.", e->name);
	}
	for (uint32_t i = 0; i < t->a0->n_members; i++) {
		const struct roster_enrolled *e = &t->a0->members[i];

		if (roster_admin_find(t->a1, e->key) == NULL)
			tell(t, true, "The membership of %s (%s) ends.", e->name,
			     roster_role_text(e->role));
	}
	for (uint32_t i = 0; i < t->s1->n_members; i++) {
		const struct roster_member *m = &t->s1->members[i];
		const struct roster_member *old = roster_staff_find(t->s0, m->key);

		if (roster_admin_find(t->a1, m->key) == NULL)
			tell(t, true, "The staff's part of the roster names %s, whom the "
			     "administrators' part does not have.", m->name);
		if (old != NULL && old->lowest_batch != m->lowest_batch)
			tell(t, true, m->lowest_batch == UINT32_MAX
			     ? "No keys of %s are sealed to any more." :
			     "Older keys of %s are not sealed to any more.", m->name);
	}
}

/* ---- invitations -------------------------------------------------------------------------------- */

static void tell_invitations(struct telling *t)
{
	unsigned made[ROSTER_ADMINISTRATOR + 1] = { 0 }, gone = 0, kept = 0;
	size_t n;
	const struct pending_op *ops = quorum_changes(t->d, &n);

	for (uint32_t i = 0; i < t->a1->n_invitations; i++) {
		const struct roster_invitation *v = &t->a1->invitations[i];
		const struct roster_invitation *old = roster_invitation_find(t->a0, v->ticket);

		if (old == NULL)
			made[v->role]++;
		else if (old->role != v->role || memcmp(old->slot_pk, v->slot_pk, 32) != 0 ||
		         differ(old->slot_secret, v->slot_secret))
			kept++;
	}
	for (uint32_t i = 0; i < t->a0->n_invitations; i++) {
		const uint8_t *ticket = t->a0->invitations[i].ticket;
		bool confirmed = false;

		for (size_t k = 0; k < n; k++)
			confirmed |= ops[k].kind == PENDING_CONFIRM &&
			             memcmp(ops[k].ticket, ticket, 16) == 0;
		gone += roster_invitation_find(t->a1, ticket) == NULL && !confirmed;
	}
	for (int r = ROSTER_VOLUNTEER; r <= ROSTER_ADMINISTRATOR; r++)
		if (made[r] > 0)
			tell(t, r != ROSTER_VOLUNTEER, "%u invitation%s as %s %s made.", made[r],
			     made[r] == 1 ? "" : "s", roster_role_text((enum roster_role)r),
			     made[r] == 1 ? "is" : "are");
	if (gone > 0)
		tell(t, false, "%u open invitation%s withdrawn.", gone, gone == 1 ? " is" : "s are");
	if (kept > 0)
		tell(t, true, "%u open invitation%s another role or key.", kept,
		     kept == 1 ? " gets" : "s get");
}

/* ---- desks --------------------------------------------------------------------------------------- */

static enum perr first_id(const struct roster_desk *d, uint8_t id[32], char name[65])
{
	struct charter_signed ch;
	enum perr err = charter_signed_decode(&ch, d->charters[0].p, d->charters[0].len);

	if (err != PERR_OK)
		return err;
	memcpy(id, ch.hash, 32);
	snprintf(name, 65, "%s", ch.body.name);
	charter_signed_free(&ch);
	return PERR_OK;
}

static const struct roster_desk *desk_of(const struct roster_field *f, const uint8_t id[32])
{
	for (uint32_t i = 0; i < f->n_desks; i++) {
		uint8_t other[32];
		char name[65];

		if (first_id(&f->desks[i], other, name) == PERR_OK && memcmp(other, id, 32) == 0)
			return &f->desks[i];
	}
	return NULL;
}

static void tell_holders(struct telling *t, const struct roster_desk *d, const char *verb)
{
	const struct doc_bytes *last = &d->charters[d->n_charters - 1];
	char list[600] = "", who[160];
	struct charter_signed ch;

	if (charter_signed_decode(&ch, last->p, last->len) != PERR_OK)
		return;
	for (uint32_t i = 0; i < ch.body.n; i++) {
		size_t n = strlen(list);

		name_of(t, ch.body.holders[i], who, sizeof who);
		if (ch.body.has_paper && memcmp(ch.body.holders[i], ch.body.paper, 32) == 0)
			snprintf(who, sizeof who, "a key on paper");
		snprintf(list + n, sizeof list - n, "%s%s", n > 0 ? ", " : "", who);
	}
	tell(t, true, "The desk %s %s: its intakes are read by %s (%u of them change it).",
	     ch.body.name, verb, list, ch.body.threshold);
	charter_signed_free(&ch);
}

static bool same_bytes(const struct doc_bytes *a, const struct doc_bytes *b)
{
	return a->len == b->len && memcmp(a->p, b->p, a->len) == 0;
}

static void tell_one_desk(struct telling *t, const struct roster_desk *d,
                          const struct roster_desk *old, const char *name)
{
	bool changed = d->n_lowest != old->n_lowest ||
	               memcmp(d->lowest, old->lowest, d->n_lowest * sizeof *d->lowest) != 0;

	if (d->n_charters != old->n_charters)
		tell_holders(t, d, "is held by others from now on");
	for (uint32_t i = 0; i < d->n_charters && i < old->n_charters; i++)
		if (!same_bytes(&d->charters[i], &old->charters[i])) {
			tell(t, true, "The desk %s carries other signatures under its charter %u: another "
			     "desk vouches for it, or one does no more.", name, i);
			break;
		}
	if (d->lowest_charter != old->lowest_charter)
		tell(t, true, "The desk %s is not followed back behind its charter %u.", name,
		     d->lowest_charter);
	if (changed)
		tell(t, true, "Older keys of holders of the desk %s are not sealed to any more.", name);
}

static void tell_desks(struct telling *t)
{
	uint8_t id[32];
	char name[65];

	for (uint32_t i = 0; i < t->f1->n_desks; i++) {
		const struct roster_desk *d = &t->f1->desks[i], *old;

		if (first_id(d, id, name) != PERR_OK)
			continue;
		old = desk_of(t->f0, id);
		if (old == NULL)
			tell_holders(t, d, "is listed");
		else
			tell_one_desk(t, d, old, name);
	}
	for (uint32_t i = 0; i < t->f0->n_desks; i++)
		if (first_id(&t->f0->desks[i], id, name) == PERR_OK && desk_of(t->f1, id) == NULL)
			tell(t, true, "The desk %s is taken out of the roster.", name);
}

/* ---- forms ------------------------------------------------------------------------------------------ */

static const struct roster_form *form_of(const struct roster_field *f, const uint8_t part[32])
{
	for (uint32_t i = 0; i < f->n_forms; i++)
		if (memcmp(f->forms[i].part, part, 32) == 0)
			return &f->forms[i];
	return NULL;
}

static void desk_name(const struct telling *t, const uint8_t id[32], char name[65])
{
	const struct roster_desk *d = desk_of(t->f1, id);
	uint8_t other[32];

	if (d == NULL || first_id(d, other, name) != PERR_OK)
		snprintf(name, 65, "that is not listed");
}

static void tell_forms(struct telling *t)
{
	char desk[65];

	for (uint32_t i = 0; i < t->f1->n_forms; i++) {
		const struct roster_form *f = &t->f1->forms[i];
		const struct roster_form *old = form_of(t->f0, f->part);

		desk_name(t, f->desk, desk);
		if (old == NULL)
			tell(t, false, "The form %s, version %s, \"%s\" is published for the desk %s.",
			     f->id, f->version, f->title, desk);
		else if (memcmp(old->desk, f->desk, 32) != 0 || strcmp(old->title, f->title) != 0 ||
		         strcmp(old->id, f->id) != 0 || strcmp(old->version, f->version) != 0)
			tell(t, true, "The form %s, version %s, is now \"%s\" for the desk %s.", f->id,
			     f->version, f->title, desk);
		else if (old->active != f->active)
			tell(t, false, "The form %s, version %s, is %s.", f->id, f->version, f->active
			     ? "used again" : "not used for new intakes any more");
	}
	for (uint32_t i = 0; i < t->f0->n_forms; i++)
		if (form_of(t->f1, t->f0->forms[i].part) == NULL)
			tell(t, true, "The form %s, version %s, is taken out of the roster.",
			     t->f0->forms[i].id, t->f0->forms[i].version);
}

/* ---- servers ------------------------------------------------------------------------------------------ */

static const struct roster_server *server_of(const struct roster_field *f, const uint8_t pk[32])
{
	for (uint32_t i = 0; i < f->n_servers; i++)
		if (memcmp(f->servers[i].pk, pk, 32) == 0)
			return &f->servers[i];
	return NULL;
}

static void tell_servers(struct telling *t)
{
	bool order = false;
	uint32_t at = 0;

	for (uint32_t i = 0; i < t->f1->n_servers; i++) {
		const struct roster_server *s = &t->f1->servers[i];
		const struct roster_server *old = server_of(t->f0, s->pk);

		if (old == NULL)
			tell(t, true, "The server %s is listed.", s->address);
		else if (strcmp(old->address, s->address) != 0)
			tell(t, true, "The server %s is found at %s from now on.", old->address,
			     s->address);
	}
	for (uint32_t i = 0; i < t->f0->n_servers; i++) {
		const struct roster_server *s = &t->f0->servers[i];

		if (server_of(t->f1, s->pk) == NULL) {
			tell(t, true, "The server %s is taken out of the roster.", s->address);
			continue;
		}
		while (at < t->f1->n_servers && memcmp(t->f1->servers[at].pk, s->pk, 32) != 0)
			at++;
		order |= at == t->f1->n_servers;
	}
	if (order)
		tell(t, true, "The servers stand in another order.");
}

/* ---- keys, plans, settings ------------------------------------------------------------------------------ */

static void tell_keys(struct telling *t)
{
	const struct roster_season *s0 = &t->f0->seasons[t->f0->n_seasons - 1];
	const struct roster_season *s1 = &t->f1->seasons[t->f1->n_seasons - 1];
	char what[160] = "";

#define ADD(text) snprintf(what + strlen(what), sizeof what - strlen(what), "%s%s", \
		*what == '\0' ? "" : ", ", text)
	if (differ(t->f0->field_access, t->f1->field_access))
		ADD("field");
	if (differ(t->s0->counsel_access, t->s1->counsel_access))
		ADD("staff");
	if (differ(t->a0->steward_access, t->a1->steward_access))
		ADD("administrators");
	if (differ(t->a0->guests[t->a0->n_guests - 1].key, t->a1->guests[t->a1->n_guests - 1].key) ||
	    differ(t->f0->guest_access, t->f1->guest_access))
		ADD("guests");
	if (*what != '\0')
		tell(t, false, "The access keys change: %s.", what);
	*what = '\0';
	if (differ(t->f0->board_sk, t->f1->board_sk))
		ADD("field");
	if (differ(t->s0->board_sk, t->s1->board_sk))
		ADD("staff");
	if (*what != '\0')
		tell(t, false, "The keys of the board change: %s.", what);
#undef ADD
	if (s0->number != s1->number || differ(s0->psk, s1->psk))
		tell(t, false, "A new season begins.");
	else if (t->f0->n_seasons != t->f1->n_seasons)
		tell(t, false, "Seasons of before are kept otherwise: %u instead of %u.",
		     t->f1->n_seasons, t->f0->n_seasons);
	if (differ(t->a0->inbox_sk, t->a1->inbox_sk) || differ(t->f0->inbox_pk, t->f1->inbox_pk))
		tell(t, false, "Answers to invitations are sealed to a new key.");
	if (differ(t->a0->policy_seed, t->a1->policy_seed))
		tell(t, true, "The servers erase old cells on other days.");
}

static void tell_numbers(struct telling *t)
{
	static const char *const plans[ROSTER_PLANS] = { "season", "access keys" };
	const struct roster_limits *l0 = &t->f0->limits, *l1 = &t->f1->limits;
	const struct {
		const char *what;
		uint32_t before, after;
		bool grave;
	} at[] = {
		{ "Minutes between two releases", t->a0->schedule.release_minutes,
		  t->a1->schedule.release_minutes, false },
		{ "Minutes between two releases in a surge", t->a0->schedule.surge_minutes,
		  t->a1->schedule.surge_minutes, false },
		{ "Hour (since 1970) until which the surge lasts", t->a0->schedule.surge_until,
		  t->a1->schedule.surge_until, false },
		{ "Decoys a day", t->s0->decoys_per_day, t->s1->decoys_per_day, false },
		{ "Days after which an unanswered assignment returns", t->s0->answer_days,
		  t->s1->answer_days, false },
		{ "Bytes of an attachment", l0->attachment_bytes, l1->attachment_bytes, false },
		{ "Attachments of a record", l0->attachments, l1->attachments, false },
		{ "Bytes of a filled form", l0->instance_bytes, l1->instance_bytes, false },
		{ "Servers that must have a cell before a device forgets it", l0->copies, l1->copies,
		  true },
		{ "Bytes above which the light mode is offered", l0->light_bytes, l1->light_bytes,
		  false },
		{ "Days that servers keep cells", l0->retention_days, l1->retention_days, true },
		{ "Days that a prekey is used", l0->period_days, l1->period_days, true },
		{ "Days that prekeys are kept for the late", l0->grace_days, l1->grace_days, true },
	};

	for (size_t i = 0; i < sizeof at / sizeof at[0]; i++)
		if (at[i].before != at[i].after)
			tell(t, at[i].grave, "%s: %u, until now %u.", at[i].what, at[i].after,
			     at[i].before);
	for (int i = 0; i < ROSTER_PLANS; i++)
		if (t->a0->plans[i].every != t->a1->plans[i].every)
			tell(t, false, t->a1->plans[i].every == 0
			     ? "The %s change by no plan any more."
			     : "The %s change every %u days from now on.", plans[i],
			     t->a1->plans[i].every);
	if (strcmp(t->f0->organisation, t->f1->organisation) != 0)
		tell(t, true, "The organisation is called %s from now on; it was %s.",
		     t->f1->organisation, t->f0->organisation);
	if (t->s0->n_voids != t->s1->n_voids ||
	    (t->s1->n_voids > 0 && memcmp(t->s0->voids, t->s1->voids,
	                                  t->s1->n_voids * sizeof *t->s1->voids) != 0))
		tell(t, true, "Erasures in members' vaults that were ordered before are not carried out "
		     "any more.");
}

/* ---- is that all? -------------------------------------------------------------------------------------------- */

/*
 * What the sentences spoke of, or what follows from it (numbers, keys of before, used
 * tickets), is taken over; then both must be the same bytes.
 */
static bool is_all_field(const struct telling *t)
{
	struct roster_field x = *t->f0;
	uint8_t *a = NULL, *b = NULL;
	size_t na = 0, nb = 0;
	bool same;

	x.organisation = t->f1->organisation;
	x.n_desks = t->f1->n_desks;
	x.desks = t->f1->desks;
	x.n_forms = t->f1->n_forms;
	x.forms = t->f1->forms;
	x.n_servers = t->f1->n_servers;
	x.servers = t->f1->servers;
	x.n_seasons = t->f1->n_seasons;
	x.seasons = t->f1->seasons;
	memcpy(x.field_access, t->f1->field_access, 32);
	memcpy(x.board_sk, t->f1->board_sk, 32);
	memcpy(x.inbox_pk, t->f1->inbox_pk, 32);
	memcpy(x.guest_access, t->f1->guest_access, 32);
	x.limits = t->f1->limits;
	x.n_boards = t->f1->n_boards;
	x.boards = t->f1->boards;
	x.has_ext = t->f1->has_ext;
	same = roster_field_encode(&a, &na, &x) == PERR_OK &&
	       roster_field_encode(&b, &nb, t->f1) == PERR_OK && na == nb && memcmp(a, b, na) == 0;
	doc_free(a, na);
	doc_free(b, nb);
	sodium_memzero(&x, sizeof x);
	return same;
}

/* languages and volunteers' numbers are told by nobody: they give nobody anything */
static bool is_all_staff(const struct telling *t)
{
	struct roster_staff x = *t->s0;
	uint8_t *a = NULL, *b = NULL;
	size_t na = 0, nb = 0;
	bool same;

	x.n_members = t->s1->n_members;
	x.members = t->s1->members;
	x.n_volunteers = t->s1->n_volunteers;
	x.volunteers = t->s1->volunteers;
	memcpy(x.counsel_access, t->s1->counsel_access, 32);
	memcpy(x.board_sk, t->s1->board_sk, 32);
	x.decoys_per_day = t->s1->decoys_per_day;
	x.answer_days = t->s1->answer_days;
	x.n_boards = t->s1->n_boards;
	x.boards = t->s1->boards;
	x.n_former = t->s1->n_former;
	x.former = t->s1->former;
	x.n_voids = t->s1->n_voids;
	x.voids = t->s1->voids;
	x.has_ext = t->s1->has_ext;
	same = roster_staff_encode(&a, &na, &x) == PERR_OK &&
	       roster_staff_encode(&b, &nb, t->s1) == PERR_OK && na == nb && memcmp(a, b, na) == 0;
	doc_free(a, na);
	doc_free(b, nb);
	sodium_memzero(&x, sizeof x);
	return same;
}

static bool is_all_admin(const struct telling *t)
{
	struct roster_admin x = *t->a0;
	uint8_t *a = NULL, *b = NULL;
	size_t na = 0, nb = 0;
	bool same;

	x.n_members = t->a1->n_members;
	x.members = t->a1->members;
	x.n_invitations = t->a1->n_invitations;
	x.invitations = t->a1->invitations;
	memcpy(x.steward_access, t->a1->steward_access, 32);
	x.n_guests = t->a1->n_guests;
	x.guests = t->a1->guests;
	memcpy(x.inbox_sk, t->a1->inbox_sk, 32);
	memcpy(x.policy_seed, t->a1->policy_seed, 32);
	x.next_volunteer = t->a1->next_volunteer;
	x.n_answered = t->a1->n_answered;
	x.answered = t->a1->answered;
	x.schedule = t->a1->schedule;
	x.n_made = t->a1->n_made;
	x.made = t->a1->made;
	x.n_retired = t->a1->n_retired;
	x.retired = t->a1->retired;
	x.revocations = t->a1->revocations;
	x.n_revoked = t->a1->n_revoked;
	x.revoked = t->a1->revoked;
	x.n_inboxes = t->a1->n_inboxes;
	x.inboxes = t->a1->inboxes;
	memcpy(x.plans, t->a1->plans, sizeof x.plans);
	x.has_ext = t->a1->has_ext;
	same = roster_admin_encode(&a, &na, &x) == PERR_OK &&
	       roster_admin_encode(&b, &nb, t->a1) == PERR_OK && na == nb && memcmp(a, b, na) == 0;
	doc_free(a, na);
	doc_free(b, nb);
	sodium_memzero(&x, sizeof x);
	return same;
}

/* members that the two parts of the roster name must be the same people in the same roles */
static void tell_disagreement(struct telling *t)
{
	for (uint32_t i = 0; i < t->s1->n_members; i++) {
		const struct roster_member *m = &t->s1->members[i];
		const struct roster_enrolled *e = roster_admin_find(t->a1, m->key);

		if (e != NULL && (e->role != m->role || strcmp(e->name, m->name) != 0))
			tell(t, true, "The staff sees %s (%s), whom the administrators' part calls %s (%s).",
			     m->name, roster_role_text(m->role), e->name, roster_role_text(e->role));
	}
}

/* ---- orders ------------------------------------------------------------------------------------------------------ */

static void tell_orders(struct telling *t)
{
	size_t n;
	const struct policy_order *o = quorum_orders(t->d, &n);

	if (n == 0)
		return;
	if (o[0].kind == POLICY_VOID && o[0].n_ids == 0)
		tell(t, true, "Every erasure that waits on the servers is voided; the cells stay.");
	else if (o[0].kind == POLICY_VOID)
		tell(t, true, "%u erasure%s that wait%s on the servers %s voided; the cells stay.",
		     o[0].n_ids, o[0].n_ids == 1 ? "" : "s", o[0].n_ids == 1 ? "s" : "",
		     o[0].n_ids == 1 ? "is" : "are");
	else
		tell(t, true, "The servers' boards are cleared; members' devices put theirs there again.");
	for (size_t i = 0; i < n; i++)
		for (uint32_t k = 0; k < t->c->field->n_servers; k++)
			if (memcmp(t->c->field->servers[k].pk, o[i].server_pk, 32) == 0)
				tell(t, false, "The order goes to %s.", t->c->field->servers[k].address);
}

enum perr quorum_words(struct client *c, const struct quorum_docs *d, quorum_words_fn *fn,
                       void *arg)
{
	struct telling t = { .c = c, .d = d, .fn = fn, .arg = arg };
	const struct press *p = quorum_press(d);
	struct roster_field *f = NULL;
	struct roster_staff *s = NULL;
	struct roster_admin *a = NULL;
	const uint8_t *body;
	size_t len;

	if (p == NULL) {
		tell_orders(&t);
		return t.err;
	}
	body = press_body(p, BULLETIN_FIELD, &len);
	t.err = roster_field_decode(&f, body, len);
	body = press_body(p, BULLETIN_STAFF, &len);
	if (t.err == PERR_OK)
		t.err = roster_staff_decode(&s, body, len);
	body = press_body(p, BULLETIN_ADMIN, &len);
	if (t.err == PERR_OK)
		t.err = roster_admin_decode(&a, body, len);
	if (t.err == PERR_OK) {
		t.f0 = c->field;
		t.s0 = c->staff;
		t.a0 = c->admin;
		t.f1 = f;
		t.s1 = s;
		t.a1 = a;
		t.l0 = &client_admins(c)->last;
		t.l1 = press_last(p);
		tell_admins(&t);
		tell_members(&t);
		tell_invitations(&t);
		tell_desks(&t);
		tell_forms(&t);
		tell_servers(&t);
		tell_keys(&t);
		tell_numbers(&t);
		tell_disagreement(&t);
		if (!is_all_field(&t) || !is_all_staff(&t) || !is_all_admin(&t))
			tell(&t, true, "Something else changes for which this version of the program has "
			     "no words.  Do not sign; update the program first.");
		else if (t.n == 0)
			tell(&t, false, "Nothing of it can be seen: the same roster under new keys.");
	}
	roster_field_free(f);
	roster_staff_free(s);
	roster_admin_free(a);
	return t.err;
}
