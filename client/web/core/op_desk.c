/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * op_desk: what `amparo status` tells an attorney, as codes and numbers; what left this device.
 * Shapes: app/ops_desk.ts.
 */
#include <stdlib.h>
#include <string.h>

#include "backup.h"
#include "bulletin.h"
#include "cache.h"
#include "charters.h"
#include "covault.h"
#include "erasing.h"
#include "gaps.h"
#include "holders.h"
#include "leave.h"
#include "notices.h"
#include "outbox.h"
#include "prekeys.h"
#include "revoked.h"
#include "roster.h"
#include "tally.h"
#include "trust.h"
#include "wdesk.h"
#include "web_ops.h"

struct status {
	struct web *w;
	struct web_out *o;
};

/* ---- cases ---------------------------------------------------------------------------------- */

static enum perr put_cases(struct status *s)
{
	struct tally t;
	enum perr err = tally_make(s->w->c, &t);

	web_out_map(s->o, "cases");
	web_out_uint(s->o, "open", t.n_open);
	web_out_uint(s->o, "urgent", t.n_urgent);
	web_out_uint(s->o, "urgent_unassigned", t.n_urgent_unassigned);
	web_out_uint(s->o, "due", t.n_due);
	web_out_uint(s->o, "overdue", t.n_overdue);
	web_out_uint(s->o, "silent", t.n_silent);
	web_out_uint(s->o, "waiting", t.n_waiting - t.n_silent);
	web_out_uint(s->o, "mine", t.n_mine);
	web_out_uint(s->o, "alone", t.n_alone);
	web_out_uint(s->o, "alone_since", t.alone_since);
	web_out_uint(s->o, "conflicts", t.n_conflicts);
	web_out_end(s->o);
	return err;
}

static enum perr put_erasures(struct status *s)
{
	struct tally_erasures t;
	enum perr err = tally_erasures(s->w->c, &t);

	web_out_map(s->o, "erasures");
	web_out_uint(s->o, "asked", t.n_asked);
	web_out_uint(s->o, "resting", t.n_resting);
	web_out_uint(s->o, "next", t.next);
	web_out_uint(s->o, "waiting", t.n_waiting);
	web_out_list(s->o, "many");
	for (unsigned i = 0; i < t.n_by; i++) {
		if (t.by[i].n <= ERASING_MANY)
			continue;
		web_out_map(s->o, NULL);
		wdesk_put_who(s->w, s->o, "who", t.by[i].author);
		web_out_uint(s->o, "n", t.by[i].n);
		web_out_uint(s->o, "day", t.by[i].day);
		web_out_end(s->o);
	}
	web_out_end(s->o);
	web_out_end(s->o);
	return err;
}

/* ---- keys, vaults --------------------------------------------------------------------------- */

static enum perr put_keys(struct status *s)
{
	struct prekeys_info k;
	enum perr err;

	if (!prekeys_needed(s->w->c)) {
		web_out_nil(s->o, "keys");
		return PERR_OK;
	}
	err = prekeys_info(s->w->c, &k);
	if (err != PERR_OK)
		return err;
	web_out_map(s->o, "keys");
	web_out_uint(s->o, "number", k.number);
	web_out_uint(s->o, "last_day", k.number == 0 ? 0 : k.last_day);
	web_out_bool(s->o, "posted", k.posted);
	web_out_end(s->o);
	return PERR_OK;
}

static enum perr put_vaults(struct status *s, const uint8_t id[32])
{
	struct covaults_sum sum = { .records = 0 };
	const struct desk *desk;
	struct covaults *v = NULL;
	enum perr err = cache_desk(s->w->c, id, &desk);

	if (err == PERR_OK)
		err = covaults_load(s->w->c, id, &v);
	if (err == PERR_OK)
		err = covaults_sum(v, &sum);
	if (err == PERR_OK) {
		web_out_map(s->o, NULL);
		wdesk_put_id(s->o, "desk", id, 32);
		web_out_str(s->o, "desk_name", desk->now.name);
		web_out_bool(s->o, "alone", v->is_alone);
		web_out_uint(s->o, "records", sum.records);
		web_out_uint(s->o, "in_one", sum.in_one);
		web_out_uint(s->o, "in_one_old", sum.in_one_old);
		web_out_uint(s->o, "half_days", v->retention / 2);
		web_out_list(s->o, "others");
		for (uint32_t i = 0; i < v->n; i++) {
			web_out_map(s->o, NULL);
			wdesk_put_who(s->w, s->o, "who", v->at[i].key);
			web_out_uint(s->o, "said", v->at[i].has_said ? v->at[i].day : 0);
			web_out_bool(s->o, "fresh", covault_is_fresh(v, &v->at[i]));
			web_out_end(s->o);
		}
		web_out_end(s->o);
		web_out_end(s->o);
	}
	covaults_free(v);
	return err;
}

static enum perr put_custody(struct status *s)
{
	const uint8_t (*held)[32];
	size_t n = 0;
	enum perr err = cache_held(s->w->c, &held, &n);

	web_out_list(s->o, "custody");
	for (size_t i = 0; i < n && err == PERR_OK; i++)
		err = put_vaults(s, held[i]);
	web_out_end(s->o);
	return err;
}

static enum perr put_backup(struct status *s)
{
	char name[CHARTER_NAME_MAX + 1] = "";
	bool is;
	enum perr err = backup_is_sole_holder(s->w->c, &is, name, sizeof name);

	web_out_map(s->o, "backup");
	web_out_str(s->o, "sole_holder", err == PERR_OK && is ? name : "");
	web_out_end(s->o);
	return err;
}

/* ---- what may be wrong ---------------------------------------------------------------------- */

static enum perr one_gap(void *arg, const struct gaps_report *r)
{
	struct status *s = arg;

	web_out_map(s->o, NULL);
	wdesk_put_who(s->w, s->o, "who", r->gap.author);
	web_out_uint(s->o, "missing", r->gap.missing);
	web_out_uint(s->o, "highest", r->gap.highest);
	web_out_uint(s->o, "since", r->since);
	web_out_bool(s->o, "searched", r->searched);
	web_out_uint(s->o, "twice", r->gap.twice);
	web_out_uint(s->o, "restored", r->gap.two_devices ? r->gap.restored : 0);
	web_out_end(s->o);
	return PERR_OK;
}

static enum perr put_gaps(struct status *s)
{
	enum perr err;

	web_out_list(s->o, "gaps");
	err = gaps_each(s->w->c, one_gap, s);
	web_out_end(s->o);
	return err;
}

static enum perr one_alarm(void *arg, const struct notices_alarm *a)
{
	static const char *const kinds[] = { "document", "keys", "charter", "rekey" };
	struct status *s = arg;

	web_out_map(s->o, NULL);
	web_out_str(s->o, "kind", kinds[a->type <= 3 ? a->type : 0]);
	web_out_uint(s->o, "day", a->day);
	web_out_end(s->o);
	return PERR_OK;
}

static enum perr put_alarms(struct status *s)
{
	enum perr err;

	web_out_list(s->o, "alarms");
	err = notices_alarms(s->w->c, one_alarm, s);
	web_out_end(s->o);
	return err;
}

/* members who were listed and whose words nobody here has compared */
static enum perr put_to_compare(struct status *s)
{
	const struct roster_staff *staff = s->w->c->staff;
	enum perr err = PERR_OK;

	web_out_list(s->o, "to_compare");
	for (uint32_t i = 0; i < staff->n_members && err == PERR_OK; i++) {
		const struct roster_member *m = &staff->members[i];
		int known = 0;

		if ((m->role != ROSTER_ATTORNEY && m->role != ROSTER_INTERPRETER) ||
		    memcmp(m->key, s->w->c->me->sign_pk, 32) == 0)
			continue;
		err = trust_member(s->w->c, m->key, &known);
		if (err == PERR_OK && known != 2)
			wdesk_put_who(s->w, s->o, NULL, m->key);
	}
	web_out_end(s->o);
	return err;
}

/* ---- charters ------------------------------------------------------------------------------- */

static enum perr one_new(void *arg, const struct holders_desk *d)
{
	struct status *s = arg;

	if (!d->listed && !d->signed_by_me &&
	    charter_has_holder(d->charter, s->w->c->me->sign_pk))
		web_out_str(s->o, NULL, d->charter->name);
	return PERR_OK;
}

static enum perr one_change(void *arg, const struct charters_change *ch)
{
	struct status *s = arg;

	if (ch->may_sign && !ch->signed_by_me && ch->n_signed < ch->n_needed)
		web_out_str(s->o, NULL, ch->desk->now.name);
	return PERR_OK;
}

static enum perr put_charters(struct status *s)
{
	enum perr err;

	web_out_map(s->o, "charters");
	web_out_list(s->o, "to_sign");
	err = holders_each(s->w->c, one_new, s);
	if (err == PERR_OK)
		err = charters_each(s->w->c, one_change, s);
	web_out_end(s->o);
	web_out_end(s->o);
	return err;
}

/* ---- all of it ------------------------------------------------------------------------------ */

static enum perr put_own(struct status *s)
{
	const struct bulletin *b = client_bulletin(s->w->c);
	uint32_t today = client_day(s->w->c), since = 0;
	struct outbox_counts out;
	enum perr err = outbox_counts(s->w->c, &out);

	if (err == PERR_OK)
		err = revoked_since(s->w->c, &since);
	if (err != PERR_OK)
		return err;
	web_out_uint(s->o, "today", today);
	web_out_map(s->o, "roster");
	web_out_uint(s->o, "version", b == NULL ? 0 : b->version);
	web_out_bool(s->o, "past", b != NULL && today > b->last_day);
	web_out_end(s->o);
	web_out_uint(s->o, "outbox", out.submissions);
	web_out_uint(s->o, "revoked", since);
	return PERR_OK;
}

enum perr op_desk_status(struct web *w, struct web_args *a, struct web_out *o)
{
	static enum perr (*const parts[])(struct status *s) = {
		put_own, put_cases, put_erasures, put_keys, put_custody, put_backup, put_gaps,
		put_alarms, put_to_compare, put_charters
	};
	struct status s = { .w = w, .o = o };
	struct wdesk *d;
	enum perr err = web_args_end(a);

	if (err == PERR_OK)
		err = wdesk_open(w, &d);
	for (size_t i = 0; i < sizeof parts / sizeof parts[0] && err == PERR_OK; i++)
		err = parts[i](&s);
	return err;
}

enum perr op_alarms_seen(struct web *w, struct web_args *a, struct web_out *o)
{
	enum perr err = web_args_end(a);

	(void)o;
	return err == PERR_OK ? notices_alarms_seen(w->c) : err;
}

static void one_left(void *arg, const struct left *l)
{
	struct web_out *o = arg;
	char code[CASE_CODE_SHOWN + 1];

	case_code_show(code, l->code);
	web_out_map(o, NULL);
	web_out_str(o, "code", code);
	web_out_bool(o, "late", l->state == ASSIGNED_LATE);
	web_out_uint(o, "day", l->day);
	web_out_end(o);
}

enum perr op_cases_left(struct web *w, struct web_args *a, struct web_out *o)
{
	struct wdesk *d;
	enum perr err = web_args_end(a);

	if (err == PERR_OK)
		err = wdesk_open(w, &d);
	if (err != PERR_OK)
		return err;
	web_out_list(o, "left");
	err = leave_tell(w->c, one_left, o);
	web_out_end(o);
	return err;
}
