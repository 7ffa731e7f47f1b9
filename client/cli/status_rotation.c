/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "status_rotation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admins.h"
#include "apply_rotate.h"
#include "batch.h"
#include "charter.h"
#include "cli.h"
#include "desk.h"
#include "outbox.h"
#include "policies.h"
#include "prekeys.h"
#include "revoked.h"
#include "roster.h"
#include "rotate.h"
#include "status.h"

#define WHAT_SIZE 400
#define JITTER_DAYS 3            /* PROTOCOL 10.4 */

/* ---- this device's own ----------------------------------------------------------------- */

static enum perr own_lines(struct client *c, struct list *l)
{
	char what[WHAT_SIZE], day[16];
	struct outbox_counts out;
	uint32_t since;
	enum perr err = revoked_since(c, &since);

	if (err == PERR_OK && since > 0)
		err = outbox_counts(c, &out);
	if (err != PERR_OK || since == 0)
		return err;
	cli_day(day, since);
	snprintf(what, sizeof what, "you are no member any more since %s; %u sealed submission%s "
	         "wait%s here", day, out.submissions, out.submissions == 1 ? "" : "s",
	         out.submissions == 1 ? "s" : "");
	status_line(l, false, what, out.submissions > 0
	            ? "`amparo outbox save FILE` writes what waits for somebody to carry"
	            : "ask your administrator if that is a mistake");
	return PERR_OK;
}

/* ---- charters that name somebody who was revoked ------------------------------------------ */

static enum perr charter_lines(struct client *c, struct list *l)
{
	struct desk *d = malloc(sizeof *d);
	enum perr err = d == NULL ? PERR_NOMEM : PERR_OK;

	for (uint32_t i = 0; i < c->field->n_desks && err == PERR_OK; i++) {
		bool mine;

		err = client_desk(c, i, d);
		if (err != PERR_OK) {
			err = err == PERR_NOMEM ? err : PERR_OK;
			continue;
		}
		mine = charter_has_holder(&d->now, c->me->sign_pk);
		for (uint32_t k = 0; k < d->now.n && (mine || c->admin != NULL); k++) {
			const struct roster_former *f = roster_former_find(c->staff,
			                                                   d->now.holders[k]);
			char what[WHAT_SIZE], next[WHAT_SIZE], who[160], day[16];

			if (f == NULL)
				continue;
			client_name_of(c, d->now.holders[k], who, sizeof who);
			cli_day(day, f->day);
			snprintf(what, sizeof what, "the charter of desk %s still names %s, whose membership "
			         "ended on %s; nothing is sealed to them", d->now.name, who, day);
			snprintf(next, sizeof next, mine ? "run `amparo desk change \"%s\" --remove \"%s\"`"
			         : "its other holders run `amparo desk change \"%s\" --remove \"%s\"`",
			         d->now.name, who);
			status_line(l, false, what, next);
		}
	}
	free(d);
	return err;
}

/* ---- an administrator's ---------------------------------------------------------------- */

/* servers whose policy follows from the newest roster */
static enum perr count_current(struct client *c, uint32_t *n)
{
	enum perr err = PERR_OK;

	*n = 0;
	for (uint32_t i = 0; i < c->field->n_servers && err == PERR_OK; i++) {
		bool any, newest;

		err = policies_has(c, c->field->servers[i].pk, &any, &newest);
		*n += newest;
	}
	return err;
}

/* the last day on which a server may hold a cell sealed before this one */
static uint32_t expires(const struct client *c, uint32_t day)
{
	return day + c->field->limits.retention_days + JITTER_DAYS;
}

static enum perr revoked_lines(struct client *c, struct list *l)
{
	const struct roster_admin *a = c->admin;
	uint32_t current;
	enum perr err = count_current(c, &current);

	for (uint32_t i = 0; i < a->n_revoked && err == PERR_OK; i++) {
		const struct roster_revoked *r = &a->revoked[i];
		char what[WHAT_SIZE], who[160], day[16], until[16];

		if (expires(c, r->day) < client_day(c))
			continue;        /* nothing sealed before it is left anywhere */
		client_name_of(c, r->key, who, sizeof who);
		cli_day(day, r->day);
		cli_day(until, expires(c, r->day));
		snprintf(what, sizeof what, "%s is no member since %s: %u of %u servers have the policy "
		         "that cuts them off; what was sealed before is gone from the servers by %s",
		         who, day, current, c->field->n_servers, until);
		status_line(l, current == c->field->n_servers, what, "run `amparo sync` when the other "
		            "servers can be reached");
	}
	return err;
}

static enum perr overlap_lines(struct client *c, struct list *l)
{
	const struct roster_admin *a = c->admin;
	const struct roster_field *f = c->field;
	uint32_t n = 0, until = 0, newest = f->seasons[f->n_seasons - 1].number >> 16, last = 0;
	char what[WHAT_SIZE], day[16], next[WHAT_SIZE];

	for (uint32_t i = 0; i < a->n_retired; i++) {
		if (a->retired[i].last_day < client_day(c))
			continue;
		n++;
		until = a->retired[i].last_day > until ? a->retired[i].last_day : until;
	}
	if (n > 0) {
		cli_day(day, until);
		snprintf(what, sizeof what, "%u older access key%s still let%s in, the last until %s", n,
		         n == 1 ? "" : "s", n == 1 ? "s" : "", day);
		status_line(l, true, what, "");
	}
	if (f->n_seasons > 1 && expires(c, newest) >= client_day(c)) {
		cli_day(day, expires(c, newest));
		snprintf(what, sizeof what, "%u older season%s kept for what was sealed under %s; what "
		         "was on a server before the newest one expires by %s", f->n_seasons - 1,
		         f->n_seasons == 2 ? " is" : "s are", f->n_seasons == 2 ? "it" : "them", day);
		status_line(l, true, what, "");
	}
	for (uint32_t i = 0; i < a->n_revoked; i++)
		last = a->revoked[i].day > last ? a->revoked[i].day : last;
	if (last > newest) {
		cli_day(day, rotate_room(c));
		snprintf(next, sizeof next, rotate_room(c) == 0 ? "run `amparo rotate season`"
		         : "run `amparo rotate season` from %s on", day);
		status_line(l, false, "the season is older than the last revocation: there was no room "
		            "for a new one", next);
	}
	return PERR_OK;
}

static enum perr newest_batch(struct client *c, const uint8_t owner[32], uint32_t *number)
{
	struct batch *b = malloc(sizeof *b);
	uint8_t *value = NULL;
	char name[96];
	size_t len;
	enum perr err = b == NULL ? PERR_NOMEM : PERR_OK;

	*number = 0;
	client_key_name(name, "batch/", owner, 32);
	if (err == PERR_OK)
		err = kv_get(c->kv, name, &value, &len);
	if (err == PERR_OK)
		err = kv_decoded(batch_open(b, value, len));
	if (err == PERR_OK)
		*number = b->number;
	kv_free(value);
	free(b);
	return err == PERR_NOTFOUND ? PERR_OK : err;
}

static enum perr renewal_lines(struct client *c, struct list *l)
{
	const struct roster_staff *s = c->staff;
	enum perr err = PERR_OK;

	for (uint32_t i = 0; i < s->n_members && err == PERR_OK; i++) {
		uint32_t number, lowest = prekeys_lowest(c, s->members[i].key);
		char what[WHAT_SIZE];

		if (lowest == 0 || lowest == ROTATE_NO_BATCH)
			continue;
		err = newest_batch(c, s->members[i].key, &number);
		if (err != PERR_OK || number == 0 || number >= lowest)
			continue;
		snprintf(what, sizeof what, "%s has not renewed keys that do not count any more: nobody "
		         "can seal to them", s->members[i].name);
		status_line(l, false, what, "they run `amparo sync`; then run `amparo sync` here after a "
		            "release");
	}
	return err;
}

static void due_line(struct client *c, struct list *l, enum roster_plan_what what)
{
	static const char *const names[] = { "the season", "the access keys" };
	uint32_t due = rotate_next(c, what);
	char text[WHAT_SIZE], next[WHAT_SIZE], day[16], room[16];

	if (due == 0 || due > client_own_day(c))
		return;
	cli_day(day, due);
	snprintf(text, sizeof text, "%s %s due to change since %s", names[what],
	         what == ROSTER_PLAN_SEASON ? "is" : "are", day);
	if (what == ROSTER_PLAN_SEASON && rotate_room(c) != 0) {
		cli_day(room, rotate_room(c));
		snprintf(next, sizeof next, "wait: it has room again from %s on", room);
	} else if (client_admins(c)->last.threshold > 1) {
		snprintf(next, sizeof next, "run `amparo sync`, which proposes it; it takes the signatures "
		         "of %u administrators", client_admins(c)->last.threshold);
	} else {
		snprintf(next, sizeof next, "run `amparo sync`");
	}
	status_line(l, false, text, next);
}

enum perr status_rotation(struct client *c, struct list *l)
{
	enum perr err = own_lines(c, l);

	if (err == PERR_OK && c->staff != NULL)
		err = charter_lines(c, l);
	if (err != PERR_OK || c->admin == NULL)
		return err;
	err = revoked_lines(c, l);
	if (err == PERR_OK)
		err = renewal_lines(c, l);
	if (err == PERR_OK)
		err = overlap_lines(c, l);
	for (int i = 0; i < ROSTER_PLANS && err == PERR_OK; i++)
		due_line(c, l, (enum roster_plan_what)i);
	return err;
}
