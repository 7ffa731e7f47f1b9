/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * op_me: who this member is, the invitation, and which desks this device trusts.
 * Shapes: app/ops_volunteer.ts.
 */
#include <sodium.h>
#include <string.h>
#include <strings.h>

#include "assign.h"
#include "bulletin.h"
#include "cache.h"
#include "desk.h"
#include "draft.h"
#include "enrol.h"
#include "holders.h"
#include "notices.h"
#include "revoked.h"
#include "roster.h"
#include "trust.h"
#include "web_ops.h"
#include "words.h"

/* of what is pasted: an invitation, or a link that has it behind # */
#define PASTED_MAX 4096
/* places of a desk's words, as people count them */
#define FIRST_PLACE 1

static void put_words(struct web_out *o, const char *name, const uint16_t *words, size_t n)
{
	web_out_list(o, name);
	for (size_t i = 0; i < n; i++)
		web_out_str(o, NULL, words_get(words[i]));
	web_out_end(o);
}

/* ---- me ------------------------------------------------------------------------------------ */

static const char *state_name(enum client_state s)
{
	switch (s) {
	case CLIENT_NOBODY:  return "nobody";
	case CLIENT_JOINING: return "joining";
	case CLIENT_MEMBER:  return "member";
	}
	return "nobody";
}

static const char *role_name(enum client_role r)
{
	switch (r) {
	case ROLE_NONE:          return "";
	case ROLE_VOLUNTEER:     return "volunteer";
	case ROLE_ATTORNEY:      return "attorney";
	case ROLE_INTERPRETER:   return "interpreter";
	case ROLE_ADMINISTRATOR: return "administrator";
	}
	return "";
}

static const char *trust_name(enum trust_how how)
{
	switch (how) {
	case TRUST_UNKNOWN:       return "unknown";
	case TRUST_ANCHOR:        return "invitation";
	case TRUST_HOLDER:        return "holder";
	case TRUST_COUNTERSIGNED: return "countersigned";
	case TRUST_WORDS:         return "words";
	}
	return "unknown";
}

struct listing {
	struct web *w;
	struct web_out *o;
};

static enum perr put_desk(void *arg, const struct holders_desk *d)
{
	struct listing *l = arg;
	struct client *c = l->w->c;
	const struct desk *desk;
	uint16_t words[DESK_WORDS];
	enum trust_how how;
	bool holds;
	enum perr err;

	/* one that is still signed by its holders concerns nobody else yet */
	if (!d->listed)
		return PERR_OK;
	err = trust_desk(c, d->id, &how);
	if (err == PERR_OK)
		err = client_holds(c, d->id, &holds);
	if (err == PERR_OK)
		err = cache_desk(c, d->id, &desk);
	if (err != PERR_OK)
		return err;
	desk_words(words, d->id);
	web_out_map(l->o, NULL);
	web_out_bin(l->o, "id", d->id, 32);
	web_out_str(l->o, "name", d->charter->name);
	web_out_str(l->o, "organisation", d->charter->organisation);
	put_words(l->o, "words", words, DESK_WORDS);
	web_out_str(l->o, "trust", trust_name(how));
	web_out_uint(l->o, "n_holders", d->charter->n);
	web_out_bool(l->o, "i_hold", holds);
	web_out_uint(l->o, "n_changes", desk->now.version);
	web_out_end(l->o);
	return PERR_OK;
}

static enum perr count_draft(void *arg, const struct draft_head *head)
{
	(void)head;
	++*(unsigned *)arg;
	return PERR_OK;
}

static enum perr count_alarm(void *arg, const struct notices_alarm *alarm)
{
	(void)alarm;
	++*(unsigned *)arg;
	return PERR_OK;
}

/* the words for the phone, while an administrator waits for them */
static enum perr put_join_words(struct web *w, struct web_out *o)
{
	uint16_t words[JOIN_WORDS];
	enum perr err = w->c->me->state == CLIENT_JOINING ? enrol_words(w->c, words)
	                                                  : PERR_NOTFOUND;

	if (err != PERR_OK && err != PERR_NOTFOUND)
		return err;
	put_words(o, "words", words, err == PERR_OK ? JOIN_WORDS : 0);
	return PERR_OK;
}

/* as `amparo about` shows them */
static void put_key_words(struct web *w, struct web_out *o)
{
	char words[WORDS_PHRASE_SIZE(ASSIGN_WORDS)] = "";

	if (w->c->staff != NULL)
		assign_words(words, w->c->me->sign_pk);
	web_out_words(o, "key_words", words);
}

static enum perr put_roster(struct web *w, struct web_out *o)
{
	struct client *c = w->c;
	const struct bulletin *b = client_bulletin(c);
	struct listing l = { w, o };
	enum perr err = PERR_OK;

	web_out_str(o, "organisation", c->field == NULL ? "" : c->field->organisation);
	web_out_uint(o, "roster", b == NULL ? 0 : b->version);
	web_out_bool(o, "roster_is_past", b != NULL && client_day(c) > b->last_day);
	web_out_uint(o, "attachment_bytes", c->field == NULL ? 0 : c->field->limits.attachment_bytes);
	web_out_uint(o, "attachments", c->field == NULL ? 0
	             : c->field->limits.attachments < DRAFT_FILES_MAX ? c->field->limits.attachments
	             : DRAFT_FILES_MAX);
	web_out_uint(o, "grace_days", c->field == NULL ? 0 : c->field->limits.grace_days);
	web_out_list(o, "desks");
	if (c->field != NULL)
		err = holders_each(c, put_desk, &l);
	web_out_end(o);
	return err;
}

enum perr op_me(struct web *w, struct web_args *a, struct web_out *o)
{
	struct client *c = w->c;
	unsigned drafts = 0, alarms = 0;
	uint32_t day;
	enum perr err = web_args_end(a);

	if (err == PERR_OK)
		err = draft_each(w->kv, count_draft, &drafts);
	if (err == PERR_OK)
		err = notices_alarms(c, count_alarm, &alarms);
	if (err == PERR_OK)
		err = revoked_since(c, &day);
	if (err != PERR_OK)
		return err;
	web_out_str(o, "state", state_name(c->me->state));
	web_out_str(o, "name", c->me->name);
	web_out_str(o, "role", role_name(c->me->role));
	web_out_list(o, "languages");
	for (unsigned i = 0; i < c->me->n_languages; i++)
		web_out_str(o, NULL, c->me->languages[i]);
	web_out_end(o);
	web_out_uint(o, "today", client_day(c));
	web_out_uint(o, "revoked", day);
	web_out_bool(o, "is_doubled", alarms > 0);
	web_out_bool(o, "reads", c->level >= LEVEL_STAFF || client_is_holder(c, NULL));
	web_out_uint(o, "n_drafts", drafts);
	put_key_words(w, o);
	err = put_join_words(w, o);
	return err == PERR_OK ? put_roster(w, o) : err;
}

/* ---- joining --------------------------------------------------------------------------------- */

/* what stands before it in a link, or in a message, is no part of it */
static const char *invitation_in(const char *text)
{
	for (const char *p = text; *p != '\0'; p++)
		if (strncasecmp(p, INVITE_PREFIX, sizeof INVITE_PREFIX - 1) == 0)
			return p;
	return text;
}

static enum perr read_invitation(struct web_args *a, struct invite *inv)
{
	const char *text = web_arg_text(a, "text", 0, PASTED_MAX);

	memset(inv, 0, sizeof *inv);
	return a->err == PERR_OK ? invite_decode(inv, invitation_in(text)) : a->err;
}

/* the page tells two faults apart, and every other one is a damaged text */
static enum perr invitation_fault(const struct web_args *a, enum perr err)
{
	return a->err != PERR_OK || err == PERR_OK || err == PERR_UNKNOWN || err == PERR_NOMEM
	       ? err : PERR_CORRUPT;
}

enum perr op_invite_read(struct web *w, struct web_args *a, struct web_out *o)
{
	struct invite inv;
	enum perr err = read_invitation(a, &inv), args;

	err = invitation_fault(a, err);
	args = web_args_end(a);
	if (args != PERR_OK)
		err = args;
	if (err == PERR_OK)
		web_out_str(o, "address", inv.address);
	invite_wipe(&inv);
	return err;
}

enum perr op_join(struct web *w, struct web_args *a, struct web_out *o)
{
	char languages[16][2 * JOIN_LANGUAGE_MAX];
	const char *list[16], *name;
	struct mp_reader r;
	struct invite inv;
	uint32_t n;
	enum perr err = read_invitation(a, &inv), args;

	err = invitation_fault(a, err);
	/* longer ones are refused as a range below, by the module that knows */
	name = web_arg_text(a, "name", 0, 1024);
	n = web_arg_list(a, "languages", 0, 16, &r);
	for (uint32_t i = 0; i < n; i++) {
		mp_str_copy(&r, languages[i], sizeof languages[i], 1);
		list[i] = languages[i];
	}
	web_args_fail(a, mp_finish(&r));
	args = web_args_end(a);
	if (args != PERR_OK)
		err = args;
	if (err == PERR_OK)
		err = enrol_begin(w->c, &inv, name, list, n);
	invite_wipe(&inv);
	return err;
}

/* ---- trust ------------------------------------------------------------------------------------ */

enum perr op_desk_ask(struct web *w, struct web_args *a, struct web_out *o)
{
	const uint8_t *id = web_arg_bin(a, "desk", 32);
	unsigned at[DESK_WORDS_ASK];
	const struct desk *desk;
	enum perr err = web_args_end(a);

	if (err == PERR_OK)
		err = cache_desk(w->c, id, &desk);
	if (err != PERR_OK)
		return err;
	desk_words_ask(at, w->env.rng);
	web_out_list(o, "places");
	for (size_t i = 0; i < DESK_WORDS_ASK; i++)
		web_out_uint(o, NULL, at[i] + FIRST_PLACE);
	web_out_end(o);
	return PERR_OK;
}

/* two words as typed; any case, blanks around, four letters are enough */
static enum perr read_typed(struct web_args *a, uint16_t typed[DESK_WORDS_ASK])
{
	struct mp_reader r;
	uint32_t n = web_arg_list(a, "words", DESK_WORDS_ASK, DESK_WORDS_ASK, &r);
	enum perr err = PERR_OK;

	for (uint32_t i = 0; i < n; i++) {
		char text[64];
		const char *s = text;
		size_t len;
		int word;

		mp_str_copy(&r, text, sizeof text, 0);
		s += strspn(s, " \t\r\n");
		len = strcspn(s, " \t\r\n");
		word = words_find(s, len);
		if (word < 0)
			err = PERR_UNKNOWN;
		typed[i] = word < 0 ? 0 : (uint16_t)word;
	}
	web_args_fail(a, mp_finish(&r));
	return err;
}

enum perr op_desk_trust(struct web *w, struct web_args *a, struct web_out *o)
{
	const uint8_t *id = web_arg_bin(a, "desk", 32);
	uint16_t typed[DESK_WORDS_ASK] = { 0 };
	unsigned at[DESK_WORDS_ASK] = { 0 };
	const struct desk *desk;
	struct mp_reader r;
	enum perr err, wrong;
	uint32_t n;

	n = web_arg_list(a, "places", DESK_WORDS_ASK, DESK_WORDS_ASK, &r);
	for (uint32_t i = 0; i < n; i++) {
		uint64_t place = mp_uint(&r, DESK_WORDS);

		if (place < FIRST_PLACE)
			mp_fail(&r, PERR_FORMAT);
		else
			at[i] = (unsigned)place - FIRST_PLACE;
	}
	web_args_fail(a, mp_finish(&r));
	wrong = read_typed(a, typed);
	err = web_args_end(a);
	/* one word typed twice is one word */
	if (err == PERR_OK && at[0] == at[1])
		err = PERR_FORMAT;
	if (err == PERR_OK)
		err = cache_desk(w->c, id, &desk);
	if (err == PERR_OK)
		err = wrong;
	return err == PERR_OK ? trust_by_words(w->c, id, at, typed) : err;
}
