/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "org.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apply.h"
#include "bulletin.h"
#include "charter.h"
#include "charters.h"
#include "holders.h"
#include "pending.h"
#include "press.h"
#include "quorum.h"
#include "rebase.h"
#include "revoke.h"
#include "rpc.h"

static enum perr missing(struct client *c, struct pending_list *l);

/* ---- changes ------------------------------------------------------------------------- */

/* after a failed change: what is in memory must be what is stored */
static enum perr undo(struct client *c, enum perr err)
{
	enum perr again = client_reload(c);

	return again != PERR_OK ? again : err;
}

enum perr org_waits(struct client *c, bool *wait)
{
	struct pending_list l = { 0 };
	enum perr err = c->admin == NULL ? PERR_OK : missing(c, &l);

	*wait = err == PERR_OK && l.n > 0;
	pending_list_free(&l);
	return err;
}

enum perr org_publish(struct client *c)
{
	enum perr err;

	if (c->admin == NULL || client_admins(c) == NULL)
		return PERR_STATE;
	err = press_publish(c, NULL, NULL);
	return err == PERR_OK ? err : undo(c, err);
}

struct change {
	struct pending_op *ops;
	size_t n;
	bool is_proposed;                /* in nobody's roster until others have signed */
	const struct invite *invites;    /* of as many invitations, or NULL */
};

/*
 * What belongs to a change, in the batch that adopts the roster which holds it, or that proposes
 * it: the note of it; the invitations' texts, so that a slip that could not be written or printed
 * is not lost; an answer that was dealt with goes.
 */
static enum perr note_change(struct client *c, void *arg)
{
	const struct change *k = arg;
	enum perr err = pending_add(c, k->ops, k->n);

	for (size_t i = 0; i < k->n && err == PERR_OK; i++) {
		const struct pending_op *o = &k->ops[i];
		bool is_dealt_with = !k->is_proposed && (o->kind == PENDING_CONFIRM ||
		                                         o->kind == PENDING_REFUSE);
		char name[96], text[INVITE_TEXT_MAX + 1];

		client_key_name(name, "answer/", o->ticket, 16);
		if (is_dealt_with)
			err = kv_erase(c->kv, name);
		client_key_name(name, "invited/", o->ticket, 16);
		if (err == PERR_OK && is_dealt_with)
			err = kv_erase(c->kv, name);
		if (err == PERR_OK && o->kind == PENDING_INVITE && k->invites != NULL) {
			err = invite_encode(text, &k->invites[i]);
			if (err == PERR_OK)
				err = kv_put(c->kv, name, (const uint8_t *)text, strlen(text));
			sodium_memzero(text, sizeof text);
		}
	}
	return err;
}

/* changes of this device that wait for signatures: they come first in what is made here */
static enum perr missing(struct client *c, struct pending_list *l)
{
	uint32_t held = pending_made(c->admin, c->me->sign_pk);
	size_t n = 0;
	enum perr err = pending_load(c, l);

	for (size_t i = 0; i < l->n; i++) {
		struct pending_op o = l->at[i];

		sodium_memzero(&l->at[i], sizeof l->at[i]);
		if (err == PERR_OK && o.number > held && o.kind != PENDING_DROPPED)
			l->at[n++] = o;
		else
			pending_op_free(&o);
		sodium_memzero(&o, sizeof o);
	}
	l->n = n;
	return err;
}

/*
 * Make n changes and publish them as one version; or propose them, if this administrator's
 * signature is not enough.  PERR_LIMIT: one is not possible
 */
static enum perr change(struct client *c, struct change *k)
{
	struct pending_list l = { 0 };
	unsigned redone;
	/* what a kill left over comes first: numbers say "everything up to here" */
	enum perr err = rebase_settle(c, &redone), again;

	if (err == PERR_OK)
		err = pending_number(c, k->ops, k->n);
	if (err == PERR_OK)
		err = missing(c, &l);
	for (size_t i = 0; i < l.n + k->n && err == PERR_OK; i++) {
		struct applied d;

		err = apply_op(c, i < l.n ? &l.at[i] : &k->ops[i - l.n], &d);
		if (err == PERR_OK && i >= l.n && !d.changed)
			err = d.why[0] != '\0' ? PERR_LIMIT : PERR_EXISTS;
	}
	if (err == PERR_OK)
		err = pending_mark(c, k->ops[k->n - 1].number);
	k->is_proposed = err == PERR_OK && !press_alone(c);
	if (err == PERR_OK && k->is_proposed) {
		err = client_reload(c);
		if (err == PERR_OK)
			err = quorum_propose(c, l.at, l.n, k->ops, k->n, note_change, k);
	} else if (err == PERR_OK) {
		err = press_publish(c, note_change, k);
	}
	pending_list_free(&l);
	if (err == PERR_OK)
		return err;
	again = client_reload(c);
	return again != PERR_OK ? again : err;
}

enum perr org_change(struct client *c, struct pending_op *ops, size_t n)
{
	struct change k = { .ops = ops, .n = n };

	if (c->admin == NULL)
		return PERR_STATE;
	return change(c, &k);
}

static enum perr change_one(struct client *c, struct pending_op *o)
{
	enum perr err = org_change(c, o, 1);

	pending_op_free(o);
	return err;
}

static enum perr copy_bytes(struct pending_op *o, const uint8_t *p, size_t len)
{
	o->bytes = malloc(len > 0 ? len : 1);
	if (o->bytes == NULL)
		return PERR_NOMEM;
	memcpy(o->bytes, p, len);
	o->len = len;
	return PERR_OK;
}

/* ---- servers ------------------------------------------------------------------------ */

static bool server_is_listed(const struct client *c, const uint8_t pk[32])
{
	for (uint32_t i = 0; i < c->field->n_servers; i++)
		if (memcmp(c->field->servers[i].pk, pk, 32) == 0)
			return true;
	return false;
}

/* before the server is listed: without it a listed one could never be set up */
static enum perr keep_setup_key(struct client *c, const struct policy_card *card)
{
	char name[96];
	enum perr err = kv_begin(c->kv);

	client_key_name(name, "setup/", card->server_pk, 32);
	if (err == PERR_OK)
		err = kv_put(c->kv, name, card->setup_key, 32);
	if (err == PERR_OK)
		err = kv_commit(c->kv);
	if (err != PERR_OK)
		kv_abort(c->kv);
	return err;
}

enum perr org_server_add(struct client *c, const struct policy_card *card)
{
	struct pending_op o = { .kind = PENDING_SERVER };
	enum perr err;

	if (c->admin == NULL)
		return PERR_STATE;
	if (server_is_listed(c, card->server_pk))
		return PERR_EXISTS;
	if (c->field->n_servers >= ROSTER_SERVERS_MAX)
		return PERR_LIMIT;
	err = keep_setup_key(c, card);
	if (err != PERR_OK)
		return err;
	memcpy(o.id, card->server_pk, 32);
	/* where several sign, whoever is last gives the server its first policy */
	memcpy(o.key, card->setup_key, 32);
	snprintf(o.text[0], sizeof o.text[0], "%s", card->address);
	return change_one(c, &o);
}

enum perr org_server_drop(struct client *c, const uint8_t server_pk[32])
{
	struct pending_op o = { .kind = PENDING_SERVER_DROP };

	if (c->admin == NULL)
		return PERR_STATE;
	if (!server_is_listed(c, server_pk))
		return PERR_NOTFOUND;
	if (c->field->n_servers == 1)
		return PERR_RANGE;
	memcpy(o.id, server_pk, 32);
	return change_one(c, &o);
}

enum perr org_server_replace(struct client *c, const uint8_t old_pk[32],
                             const struct policy_card *card)
{
	struct pending_op o = { .kind = PENDING_SERVER_REPLACE };
	enum perr err;

	if (c->admin == NULL)
		return PERR_STATE;
	if (!server_is_listed(c, old_pk))
		return PERR_NOTFOUND;
	if (server_is_listed(c, card->server_pk))
		return PERR_EXISTS;
	err = keep_setup_key(c, card);
	if (err != PERR_OK)
		return err;
	memcpy(o.id, card->server_pk, 32);
	memcpy(o.key, card->setup_key, 32);
	memcpy(o.part, old_pk, 32);
	snprintf(o.text[0], sizeof o.text[0], "%s", card->address);
	return change_one(c, &o);
}

enum perr org_schedule(struct client *c, const struct roster_schedule *s)
{
	const uint32_t want[3] = { s->release_minutes, s->surge_minutes, s->surge_until };
	struct pending_op o = { .kind = PENDING_SCHEDULE };
	uint32_t is[3];

	if (c->admin == NULL)
		return PERR_STATE;
	is[0] = c->admin->schedule.release_minutes;
	is[1] = c->admin->schedule.surge_minutes;
	is[2] = c->admin->schedule.surge_until;
	if (s->release_minutes < 1 || s->release_minutes > 1440 || s->surge_minutes < 1 ||
	    s->surge_minutes > 1440)
		return PERR_RANGE;
	for (int i = 0; i < 3; i++) {
		o.numbers[1 + i] = want[i];
		o.numbers[0] |= want[i] != is[i] ? 1u << i : 0;
	}
	return o.numbers[0] == 0 ? PERR_OK : change_one(c, &o);
}

enum perr org_decoys(struct client *c, uint32_t per_day)
{
	struct pending_op o = { .kind = PENDING_DECOYS };

	if (c->admin == NULL)
		return PERR_STATE;
	if (per_day > ROSTER_DECOYS_MAX)
		return PERR_RANGE;
	if (per_day == c->staff->decoys_per_day)
		return PERR_OK;
	o.numbers[0] = per_day;
	return change_one(c, &o);
}

enum perr org_answer_days(struct client *c, uint32_t days)
{
	struct pending_op o = { .kind = PENDING_ANSWER_DAYS };

	if (c->admin == NULL)
		return PERR_STATE;
	if (days > ROSTER_ANSWER_MAX)
		return PERR_RANGE;
	if (days == c->staff->answer_days)
		return PERR_OK;
	o.numbers[0] = days;
	return change_one(c, &o);
}

enum perr org_void_erasures(struct client *c, const uint8_t (*keys)[32], size_t n)
{
	static const uint8_t everybody[1][32];
	enum perr err = c->admin == NULL ? PERR_STATE : PERR_OK;

	if (n == 0) {
		keys = everybody;
		n = 1;
	}
	for (size_t i = 0; i < n && err == PERR_OK; i++) {
		struct pending_op o = { .kind = PENDING_VOID, .day = client_day(c) };

		memcpy(o.id, keys[i], 32);
		err = change_one(c, &o);
	}
	return err;
}

/* ---- invitations and answers -------------------------------------------------------- */

static void new_invitation(struct client *c, unsigned at, enum client_role role,
                           const uint8_t *desk_id, const char *note, struct invite *out,
                           struct pending_op *o)
{
	/* spread over the servers, so that one that is down does not stop everybody */
	const struct roster_server *s = &c->field->servers[at % c->field->n_servers];
	const struct roster_admin *a = c->admin;
	struct invite_keys keys;

	memset(out, 0, sizeof *out);
	memcpy(out->address, s->address, strlen(s->address) + 1);
	memcpy(out->server_pk, s->pk, 32);
	invite_anchor(out->anchor, c->me->genesis, desk_id);
	memcpy(out->guest_key, a->guests[a->n_guests - 1].key, 32);
	invite_seed_new(out->seed, c->env.rng);
	invite_derive(&keys, out->seed);
	o->kind = PENDING_INVITE;
	memcpy(o->ticket, keys.ticket, 16);
	memcpy(o->slot_pk, keys.slot_pk, 32);
	memcpy(o->slot_secret, keys.slot_secret, 32);
	invite_keys_wipe(&keys);
	o->role = (enum roster_role)role;
	o->day = client_day(c);
	snprintf(o->text[0], sizeof o->text[0], "%s", note == NULL ? "" : note);
}

enum perr org_invite(struct client *c, enum client_role role, unsigned n,
                     const uint8_t *desk_id, const char *const *notes, struct invite *out)
{
	const struct roster_admin *a = c->admin;
	struct change k = { .n = n, .invites = out };
	enum perr err;

	if (a == NULL)
		return PERR_STATE;
	if (c->field->n_servers == 0)
		return PERR_NOTFOUND;
	if (n == 0 || n > ROSTER_INVITES_MAX || a->n_invitations + n > ROSTER_INVITES_MAX)
		return PERR_LIMIT;
	k.ops = calloc(n, sizeof *k.ops);
	if (k.ops == NULL)
		return PERR_NOMEM;
	for (unsigned i = 0; i < n; i++)
		new_invitation(c, i, role, desk_id, notes == NULL ? NULL : notes[i], &out[i],
		               &k.ops[i]);
	err = change(c, &k);
	sodium_memzero(k.ops, n * sizeof *k.ops);
	free(k.ops);
	return err;
}

static enum perr is_stored(struct client *c, const char *prefix, const uint8_t ticket[16],
                           uint8_t **value)
{
	char name[96];
	enum perr err;

	*value = NULL;
	client_key_name(name, prefix, ticket, 16);
	err = kv_get(c->kv, name, value, NULL);
	return err == PERR_NOTFOUND ? PERR_OK : err;
}

/*
 * The server that a slip names may have been dropped since.  Everything else on it still
 * holds, so its text is made anew with a server that is listed, and is to be handed out again.
 */
static enum perr readdress(const struct client *c, unsigned at, struct org_invited *o,
                           char text[INVITE_TEXT_MAX + 1])
{
	const struct roster_field *f = c->field;
	struct invite inv;
	enum perr err = kv_decoded(invite_decode(&inv, o->text));

	if (err != PERR_OK)
		return err;
	memcpy(o->server_pk, inv.server_pk, 32);
	if (!server_is_listed(c, inv.server_pk) && f->n_servers > 0) {
		const struct roster_server *s = &f->servers[at % f->n_servers];

		memcpy(inv.address, s->address, strlen(s->address) + 1);
		memcpy(inv.server_pk, s->pk, 32);
		err = invite_encode(text, &inv);
		o->text = err == PERR_OK ? text : NULL;
		o->is_moved = true;
		/* too long for a slip: there is no text, as if it had been made elsewhere */
		err = err == PERR_RANGE ? PERR_OK : err;
	}
	invite_wipe(&inv);
	return err;
}

enum perr org_invited(struct client *c, org_invited_fn *fn, void *arg)
{
	const struct roster_admin *a = c->admin;
	enum perr err = a == NULL ? PERR_STATE : PERR_OK;

	for (uint32_t i = 0; err == PERR_OK && i < a->n_invitations; i++) {
		const struct roster_invitation *v = &a->invitations[i];
		struct org_invited o = { .role = (enum client_role)v->role, .day = v->day,
		                         .note = v->note };
		char anew[INVITE_TEXT_MAX + 1] = "";
		uint8_t *text, *answer;

		memcpy(o.ticket, v->ticket, 16);
		err = is_stored(c, "invited/", v->ticket, &text);
		if (err != PERR_OK)
			break;
		err = is_stored(c, "answer/", v->ticket, &answer);
		o.text = (const char *)text;     /* a 0 byte stands behind it */
		o.answered = answer != NULL;
		if (err == PERR_OK && o.text != NULL)
			err = readdress(c, i, &o, anew);
		if (err == PERR_OK)
			err = fn(arg, &o);
		sodium_memzero(anew, sizeof anew);
		kv_free(text);
		kv_free(answer);
	}
	return err;
}

struct answers {
	struct client *c;
	org_answer_fn *fn;
	void *arg;
};

static enum perr one_answer(void *arg, const char *name, const uint8_t *value, size_t len)
{
	struct answers *s = arg;
	const struct roster_invitation *inv;
	struct org_answer a;
	enum perr err = join_open(&a.join, a.words, value, len);

	if (err != PERR_OK)
		return kv_decoded(err);  /* steward.c stored only what opened */
	inv = roster_invitation_find(s->c->admin, a.join.ticket);
	if (inv != NULL) {
		a.role = (enum client_role)inv->role;
		a.note = inv->note;
		err = s->fn(s->arg, &a);
	}
	join_wipe(&a.join);
	return err;
}

enum perr org_answers(struct client *c, org_answer_fn *fn, void *arg)
{
	struct answers s = { .c = c, .fn = fn, .arg = arg };

	return c->admin == NULL ? PERR_STATE : kv_each(c->kv, "answer/", one_answer, &s);
}

static bool name_taken(const struct roster_admin *a, const char *name)
{
	for (uint32_t i = 0; i < a->n_members; i++)
		if (strcmp(a->members[i].name, name) == 0)
			return true;
	return false;
}

/* the answer as it came, if one is stored */
static enum perr stored_answer(struct client *c, const uint8_t ticket[16], struct pending_op *o)
{
	uint8_t *raw = NULL;
	char name[96];
	size_t len;
	enum perr err;

	client_key_name(name, "answer/", ticket, 16);
	err = kv_get(c->kv, name, &raw, &len);
	if (err == PERR_OK)
		err = copy_bytes(o, raw, len);
	kv_free(raw);
	return err == PERR_NOTFOUND ? PERR_OK : err;
}

enum perr org_confirm(struct client *c, const struct join *j, const char *as)
{
	const char *name = as != NULL ? as : j->name;
	const struct roster_invitation *inv;
	struct pending_op o = { .kind = PENDING_CONFIRM };
	enum perr err;

	if (c->admin == NULL)
		return PERR_STATE;
	inv = roster_invitation_find(c->admin, j->ticket);
	if (inv == NULL)
		return PERR_NOTFOUND;
	if (name_taken(c->admin, name) || roster_admin_find(c->admin, j->key) != NULL)
		return PERR_EXISTS;
	if (*name == '\0' || strlen(name) > ROSTER_NAME_MAX)
		return PERR_RANGE;
	memcpy(o.id, j->key, 32);
	memcpy(o.ticket, j->ticket, 16);
	memcpy(o.slot_pk, j->slot_pk, 32);
	memcpy(o.slot_secret, j->slot_secret, 32);
	o.role = inv->role;
	o.day = client_day(c);
	memcpy(o.text[0], name, strlen(name) + 1);
	o.n_languages = j->n_languages;
	memcpy(o.languages, j->languages, sizeof o.languages);
	err = stored_answer(c, j->ticket, &o);
	if (err != PERR_OK) {
		pending_op_free(&o);
		return err;
	}
	return change_one(c, &o);
}

enum perr org_refuse(struct client *c, const uint8_t ticket[16])
{
	struct pending_op o = { .kind = PENDING_REFUSE };
	uint16_t words[JOIN_WORDS];
	struct join j;
	enum perr err;

	if (c->admin == NULL)
		return PERR_STATE;
	if (roster_invitation_find(c->admin, ticket) == NULL)
		return PERR_NOTFOUND;
	memcpy(o.ticket, ticket, 16);
	/* whose answer it was: somebody else may enrol exactly this person meanwhile */
	err = stored_answer(c, ticket, &o);
	if (err == PERR_OK && o.len > 0) {
		err = kv_decoded(join_open(&j, words, o.bytes, o.len));
		memcpy(o.id, j.key, 32);
		join_wipe(&j);
	}
	if (err != PERR_OK) {
		pending_op_free(&o);
		return err;
	}
	return change_one(c, &o);
}

/* ---- administrators ------------------------------------------------------------------- */

enum perr org_admin_remove(struct client *c, const uint8_t key[32])
{
	const struct roster_enrolled *e;
	uint8_t one[1][32];

	if (c->admin == NULL)
		return PERR_STATE;
	e = roster_admin_find(c->admin, key);
	if (e == NULL || e->role != ROSTER_ADMINISTRATOR)
		return PERR_NOTFOUND;
	memcpy(one[0], key, 32);
	return revoke_members(c, (const uint8_t (*)[32])one, 1);
}

enum perr org_admin_threshold(struct client *c, uint32_t threshold)
{
	struct pending_op o = { .kind = PENDING_THRESHOLD };

	if (c->admin == NULL)
		return PERR_STATE;
	if (threshold < 1 || threshold > client_admins(c)->last.n)
		return PERR_RANGE;
	o.numbers[0] = threshold;
	return change_one(c, &o);
}

/* ---- desks and forms ---------------------------------------------------------------- */

struct same_name {
	const char *name;
	bool found;
};

static enum perr has_name(void *arg, const struct holders_desk *d)
{
	struct same_name *s = arg;

	s->found |= d->listed && strcmp(d->charter->name, s->name) == 0;
	return PERR_OK;
}

enum perr org_desk_list(struct client *c, const uint8_t desk_id[32])
{
	struct pending_op o = { .kind = PENDING_DESK };
	struct charter_signed ch = { 0 };
	struct same_name same = { 0 };
	uint8_t *raw = NULL;
	uint32_t valid, needed;
	char name[96];
	size_t len;
	bool is;
	enum perr err;

	if (c->admin == NULL)
		return PERR_STATE;
	err = apply_desk_listed(c, desk_id, &is);
	if (err == PERR_OK && is)
		err = PERR_EXISTS;
	if (err == PERR_OK && c->field->n_desks >= ROSTER_DESKS_MAX)
		err = PERR_LIMIT;
	if (err != PERR_OK)
		return err;
	client_key_name(name, "charter/", desk_id, 32);
	err = kv_get(c->kv, name, &raw, &len);
	if (err == PERR_OK)
		err = charter_signed_decode(&ch, raw, len);
	if (err == PERR_OK)
		err = charter_progress(&valid, &needed, &ch, NULL);
	if (err == PERR_OK && valid < needed)
		err = PERR_SIGS;
	if (err == PERR_OK) {
		same.name = ch.body.name;
		err = holders_each(c, has_name, &same);
	}
	if (err == PERR_OK && same.found)
		err = PERR_RANGE;
	if (err == PERR_OK)
		err = copy_bytes(&o, raw, len);
	charter_signed_free(&ch);
	kv_free(raw);
	return err == PERR_OK ? change_one(c, &o) : err;
}

/* the signatures that count, and no others: what a roster carries is bounded */
static enum perr only_valid(struct charter_signed *ch, const struct charter_signed *previous)
{
	struct signed_sigs sigs = { 0 };
	enum perr err = signed_merge(&sigs, &ch->sigs, CHARTER_CONTEXT, ch->doc, ch->doc_len,
	                             (const uint8_t (*)[32])previous->body.holders,
	                             previous->body.n);

	ch->sigs = sigs;
	free(ch->counter);
	ch->counter = NULL;
	ch->n_counter = 0;
	return err;
}

enum perr org_charter(struct client *c, const uint8_t hash[32])
{
	struct pending_op o = { .kind = PENDING_CHARTER };
	struct charter_signed ch = { 0 }, tip = { 0 };
	uint32_t at, valid = 0, needed = 1;
	uint8_t *raw = NULL;
	char name[96];
	size_t len = 0;
	enum perr err;

	if (c->admin == NULL)
		return PERR_STATE;
	client_key_name(name, "charter/", hash, 32);
	err = kv_get(c->kv, name, &raw, &len);
	if (err == PERR_OK)
		err = kv_decoded(charter_signed_decode(&ch, raw, len));
	kv_free(raw);
	raw = NULL;
	if (err == PERR_OK)
		err = charters_follows(c, &ch, &at, &tip);
	if (err == PERR_OK)
		err = charter_progress(&valid, &needed, &ch, &tip);
	if (err == PERR_OK && valid < needed)
		err = PERR_SIGS;
	if (err == PERR_OK)
		err = only_valid(&ch, &tip);
	if (err == PERR_OK)
		err = charter_signed_encode(&raw, &len, &ch);
	if (err == PERR_OK)
		err = copy_bytes(&o, raw, len);
	doc_free(raw, len);
	charter_signed_free(&ch);
	charter_signed_free(&tip);
	return err == PERR_OK ? change_one(c, &o) : err;
}

enum perr org_countersign(struct client *c, const uint8_t desk_id[32], const uint8_t *doc,
                          size_t len)
{
	struct pending_op o = { .kind = PENDING_COUNTERSIGN };
	enum perr err;

	if (c->admin == NULL)
		return PERR_STATE;
	memcpy(o.id, desk_id, 32);
	err = copy_bytes(&o, doc, len);
	return err == PERR_OK ? change_one(c, &o) : err;
}

enum perr org_form_publish(struct client *c, const char *id, const char *version,
                           const char *title, const uint8_t desk_id[32],
                           const uint8_t *content, size_t content_len)
{
	struct roster_field *f = c->field;
	struct pending_op o = { .kind = PENDING_FORM };
	uint8_t *part = NULL;
	size_t len = 0;
	bool is;
	enum perr err;

	if (c->admin == NULL)
		return PERR_STATE;
	err = apply_desk_listed(c, desk_id, &is);
	if (err != PERR_OK)
		return err;
	if (!is)
		return PERR_NOTFOUND;
	if (f->n_forms >= ROSTER_FORMS_MAX)
		return PERR_LIMIT;
	for (uint32_t i = 0; i < f->n_forms; i++)
		if (strcmp(f->forms[i].id, id) == 0 && strcmp(f->forms[i].version, version) == 0)
			return PERR_EXISTS;
	if (strlen(id) > 64 || strlen(version) > 32 || strlen(title) > 128)
		return PERR_RANGE;
	rng_fill(c->env.rng, o.key, 32);
	err = bulletin_part_seal(&part, &len, o.part, o.key, BULLETIN_FORM, 0, content, content_len);
	if (err == PERR_OK)
		err = kv_begin(c->kv);
	if (err == PERR_OK) {
		char name[96];

		client_key_name(name, "form/", o.part, 32);
		err = kv_put(c->kv, name, content, content_len);
		if (err == PERR_OK)
			err = kv_commit(c->kv);
		if (err != PERR_OK)
			kv_abort(c->kv);
	}
	doc_free(part, len);
	if (err != PERR_OK) {
		pending_op_free(&o);
		return err;
	}
	o.size = (uint32_t)len;
	memcpy(o.id, desk_id, 32);
	snprintf(o.text[0], sizeof o.text[0], "%s", id);
	snprintf(o.text[1], sizeof o.text[1], "%s", version);
	snprintf(o.text[2], sizeof o.text[2], "%s", title);
	return change_one(c, &o);
}
