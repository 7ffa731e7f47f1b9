/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "wdesk.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "cache.h"
#include "case_view.h"
#include "erasing.h"

static void desk_free(void *state)
{
	struct wdesk *d = state;

	if (d == NULL)
		return;
	free(d->picks);
	case_list_free(d->list);
	if (d->text != NULL)
		sodium_memzero(d->text, strlen(d->text));
	free(d->text);
	wdesk_export_free(d->export);
	sodium_memzero(d, sizeof *d);
	free(d);
}

enum perr wdesk_open(struct web *w, struct wdesk **d)
{
	*d = w->part[WEB_PART_DESK].state;
	if (w->c->me->state == CLIENT_JOINING || w->c->staff == NULL)
		return PERR_STATE;
	if (*d != NULL)
		return PERR_OK;
	*d = calloc(1, sizeof **d);
	if (*d == NULL)
		return PERR_NOMEM;
	web_part_set(w, WEB_PART_DESK, *d, desk_free);
	return PERR_OK;
}

/* ---- arguments ------------------------------------------------------------------------------ */

enum perr wdesk_unhex(uint8_t *id, size_t len, const char *hex, size_t hex_len)
{
	size_t got = 0;

	if (hex_len != 2 * len || strspn(hex, "0123456789abcdef") < hex_len ||
	    sodium_hex2bin(id, len, hex, hex_len, NULL, &got, NULL) != 0 || got != len)
		return PERR_FORMAT;
	return PERR_OK;
}

bool wdesk_arg_id(struct web_args *a, const char *name, uint8_t *id, size_t len, bool may_be_nil)
{
	const char *hex;

	memset(id, 0, len);
	if (may_be_nil && !web_arg_has(a, name))
		return false;
	hex = web_arg_text(a, name, 2 * len, 2 * len);
	if (a->err == PERR_OK)
		web_args_fail(a, wdesk_unhex(id, len, hex, strlen(hex)));
	return a->err == PERR_OK;
}

const char *wdesk_arg_lang(struct web_args *a)
{
	const char *lang = web_arg_text(a, "lang", 0, WDESK_LANG_MAX);

	return lang[0] == '\0' ? NULL : lang;
}

/* ---- answers ------------------------------------------------------------------------------- */

void wdesk_put_id(struct web_out *o, const char *name, const uint8_t *id, size_t len)
{
	char hex[2 * 32 + 1];

	sodium_bin2hex(hex, sizeof hex, id, len > 32 ? 32 : len);
	web_out_str(o, name, hex);
}

void wdesk_begin_who(struct web *w, struct web_out *o, const char *name, const uint8_t key[32])
{
	char who[140];

	client_name_of(w->c, key, who, sizeof who);
	web_out_map(o, name);
	wdesk_put_id(o, "key", key, 32);
	web_out_str(o, "name", who);
	web_out_bool(o, "me", memcmp(key, w->c->me->sign_pk, 32) == 0);
}

void wdesk_put_who(struct web *w, struct web_out *o, const char *name, const uint8_t key[32])
{
	wdesk_begin_who(w, o, name, key);
	web_out_end(o);
}

const char *wdesk_person_state(enum assigned_state s)
{
	switch (s) {
	case ASSIGNED_OFFERED:   return "offered";
	case ASSIGNED_ACCEPTED:  return "accepted";
	case ASSIGNED_DECLINED:  return "declined";
	case ASSIGNED_WITHDRAWN: return "withdrawn";
	case ASSIGNED_RECUSED:   return "recused";
	case ASSIGNED_LATE:      return "late";
	case ASSIGNED_SILENT:    return "silent";
	}
	return "";
}

const char *wdesk_role(enum statement_role r)
{
	return r == STATEMENT_INTERPRETER ? "interpreter" : "attorney";
}

void wdesk_put_person(struct web *w, struct web_out *o, const char *name,
                      const struct assigned *p)
{
	wdesk_begin_who(w, o, name, p->key);
	web_out_str(o, "role", wdesk_role(p->role));
	web_out_str(o, "state", wdesk_person_state(p->state));
	web_out_uint(o, "since", p->since);
	web_out_uint(o, "answer_by", p->answer_by);
	web_out_end(o);
}

void wdesk_put_desk_name(struct web *w, struct web_out *o, const char *name,
                         const uint8_t desk[32])
{
	const struct desk *d;

	web_out_str(o, name, cache_desk(w->c, desk, &d) == PERR_OK ? d->now.name : "");
}

void wdesk_put_due(struct web *w, struct web_out *o, const char *name,
                   const struct marks_deadline *d)
{
	web_out_map(o, name);
	web_out_uint(o, "day", d->day);
	web_out_str(o, "label", d->label);
	web_out_bool(o, "overdue", d->day < client_day(w->c));
	web_out_end(o);
}

/* "open"; the word of case_state_text may change with what people read */
static const char *state_name(enum case_state s)
{
	switch (s) {
	case CASE_OPEN:     return "open";
	case CASE_ASSIGNED: return "assigned";
	case CASE_ACCEPTED: return "accepted";
	case CASE_RETURNED: return "returned";
	case CASE_HELD:     return "held";
	case CASE_CLOSED:   return "closed";
	}
	return "";
}

/* who is out of it is named only while nobody else has it: then the desk needs to know */
static void put_people(struct web *w, struct web_out *o, const struct case_summary *s)
{
	web_out_list(o, "people");
	for (uint32_t i = 0; i < s->n_people; i++) {
		const struct assigned *p = &s->people[i];

		if (assigned_has_it(p->state) ||
		    (p->state != ASSIGNED_WITHDRAWN && case_is_unassigned(s)))
			wdesk_put_person(w, o, NULL, p);
	}
	web_out_end(o);
}

enum perr wdesk_put_row(struct web *w, struct web_out *o, const char *name,
                        const struct case_summary *s, int due)
{
	const struct assigned *me = case_person(s, w->c->me->sign_pk);
	bool is_recused = !case_view_may_open(w->c, s), is_held;
	char code[CASE_CODE_SHOWN + 1];
	uint32_t since;
	enum perr err = erasing_is_held(w->c, s->record, &is_held, &since);

	if (err != PERR_OK)
		return err;
	case_code_show(code, s->code);
	web_out_map(o, name);
	wdesk_put_id(o, "record", s->record, sizeof s->record);
	web_out_str(o, "code", code);
	web_out_str(o, "title", is_recused ? "" : s->title);
	web_out_bool(o, "recused", is_recused);
	web_out_uint(o, "day", s->day);
	web_out_uint(o, "received", s->received_day);
	wdesk_put_id(o, "desk", s->desk, 32);
	wdesk_put_desk_name(w, o, "desk_name", s->desk);
	web_out_str(o, "form_id", s->form_id);
	web_out_str(o, "language", s->language);
	web_out_str(o, "state", state_name(s->state));
	web_out_bool(o, "urgent", s->urgent);
	if (due >= 0 && (uint32_t)due < s->n_deadlines)
		wdesk_put_due(w, o, "due", &s->deadlines[due]);
	else
		web_out_nil(o, "due");
	web_out_bool(o, "mine", s->is_mine);
	web_out_str(o, "my_state", me == NULL ? NULL : wdesk_person_state(me->state));
	web_out_bool(o, "unanswered", s->unanswered);
	web_out_bool(o, "pending", s->pending);
	web_out_bool(o, "twice", s->conflict);
	web_out_bool(o, "alone", s->is_alone);
	web_out_bool(o, "held", is_held);
	web_out_uint(o, "n_attachments", s->n_attachments);
	web_out_uint(o, "n_notes", s->n_notes);
	web_out_uint(o, "n_corrections", s->n_corrections);
	web_out_uint(o, "n_conflicts", s->n_conflicts);
	put_people(w, o, s);
	web_out_end(o);
	return PERR_OK;
}

enum perr wdesk_refuse(struct web_out *o, const char *refusal)
{
	web_out_why(o, refusal);
	return PERR_REFUSED;
}

enum perr wdesk_case(struct web *w, struct web_out *o,
                     const uint8_t record[STATEMENT_RECORD_SIZE], struct case_file **f)
{
	enum perr err = case_open(w->c, record, f);

	if (err != PERR_OK || case_view_may_open(w->c, &(*f)->s))
		return err;
	/* the device keeps it for the desk only */
	case_close(*f);
	*f = NULL;
	return wdesk_refuse(o, "recused");
}
