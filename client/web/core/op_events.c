/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * op_events: what happened to a case, its attachments, what this member may do with it; an
 * attachment's bytes.  Shapes: app/ops_desk.ts.
 */
#include <stdlib.h>
#include <string.h>

#include "cache.h"
#include "case_view.h"
#include "erasing.h"
#include "export_names.h"
#include "gone.h"
#include "media.h"
#include "wrecord.h"
#include "web_ops.h"

/* ---- attachments ---------------------------------------------------------------------------- */

void wrecord_put_attachments(struct wrecord *r)
{
	const struct case_file *f = r->f;
	char (*names)[EXPORT_NAME_MAX + 1] = NULL;
	enum perr err = export_names_of(f, &names);

	web_out_list(r->o, "attachments");
	for (size_t i = 0; err == PERR_OK && i < f->n_attachments; i++) {
		const struct case_attachment *a = &f->attachments[i];

		web_out_map(r->o, NULL);
		wdesk_put_id(r->o, "id", a->a->hash, 32);
		web_out_str(r->o, "name", names[i]);
		web_out_strn(r->o, "type", a->a->type.p, a->a->type.len);
		web_out_uint(r->o, "size", a->a->size);
		web_out_bool(r->o, "here", a->is_here);
		web_out_str(r->o, "label", r->label_of[i] == NULL ? "" : r->label_of[i]);
		web_out_bool(r->o, "correction", a->of->st->kind == STATEMENT_AMENDMENT);
		web_out_end(r->o);
	}
	web_out_end(r->o);
	if (r->err == PERR_OK)
		r->err = err;
	free(names);
}

enum perr op_case_blob(struct web *w, struct web_args *a, struct web_out *o)
{
	uint8_t record[STATEMENT_RECORD_SIZE], hash[32], *data = NULL;
	char (*names)[EXPORT_NAME_MAX + 1] = NULL;
	struct case_file *f = NULL;
	struct wdesk *d;
	size_t len = 0, i = 0;
	enum perr err;

	wdesk_arg_id(a, "record", record, sizeof record, false);
	wdesk_arg_id(a, "id", hash, sizeof hash, false);
	err = web_args_end(a);
	if (err == PERR_OK)
		err = wdesk_open(w, &d);
	if (err == PERR_OK)
		err = wdesk_case(w, o, record, &f);
	if (err != PERR_OK)
		return err;
	while (i < f->n_attachments && memcmp(f->attachments[i].a->hash, hash, sizeof hash) != 0)
		i++;
	err = i == f->n_attachments ? PERR_NOTFOUND : export_names_of(f, &names);
	if (err == PERR_OK)
		err = case_content(w->c, &f->attachments[i], &data, &len);
	if (err == PERR_OK) {
		web_out_str(o, "name", names[i]);
		web_out_str(o, "media", media_of(data, len));
		web_out_bin(o, "bytes", data, len);
	}
	kv_free(data);
	free(names);
	case_close(f);
	return err;
}

/* ---- what happened -------------------------------------------------------------------------- */

struct event {
	const char *kind;
	struct doc_text text;
	const uint8_t *whom;             /* NULL: nobody */
	const uint8_t *desk;             /* NULL: none */
	enum statement_role role;
	uint32_t answer_by;
	const struct statement_consent *consent;
	bool counts;
};

static const char *status_kind(enum statement_state s)
{
	switch (s) {
	case STATEMENT_ASSIGNED:   return "assigned";
	case STATEMENT_UNASSIGNED: return "unassigned";
	case STATEMENT_REFERRED:   return "referred";
	case STATEMENT_RECUSED:    return "recused";
	case STATEMENT_OPEN:       return "reopened";
	case STATEMENT_RETURNED:   return "returned";
	case STATEMENT_CLOSED:     return "closed";
	case STATEMENT_HELD:       return "held";
	}
	return "later";
}

static const char *erase_kind(enum statement_erase_step s)
{
	switch (s) {
	case STATEMENT_ERASE_ASK:   return "erase_asked";
	case STATEMENT_ERASE_ORDER: return "erase_ordered";
	case STATEMENT_ERASE_DONE:  return "erase_done";
	case STATEMENT_ERASE_KEPT:  return "erase_kept";
	case STATEMENT_ERASE_STOP:  return "erase_stopped";
	}
	return "later";
}

static void of_status(struct event *e, const struct statement_status *s)
{
	e->kind = status_kind(s->state);
	e->text = s->text;
	if (s->state == STATEMENT_REFERRED)
		e->desk = s->whom;
	else if (s->has_whom)
		e->whom = s->whom;
	e->role = s->role;
	e->answer_by = s->state == STATEMENT_ASSIGNED ? s->answer_by : 0;
	e->consent = s->has_consent ? &s->consent : NULL;
}

static void of_statement(struct event *e, const struct case_statement *s)
{
	const struct statement *st = &s->st;

	memset(e, 0, sizeof *e);
	e->kind = "later";
	e->role = STATEMENT_ATTORNEY;
	e->counts = true;
	if (s->is_unknown)
		return;
	switch (st->kind) {
	case STATEMENT_NOTE:
		e->kind = "note";
		e->text = st->body.note;
		break;
	case STATEMENT_ANSWER:
		e->kind = st->body.answer.decision == STATEMENT_ACCEPT ? "accepted" : "declined";
		e->text = st->body.answer.text;
		break;
	case STATEMENT_STATUS:
		of_status(e, &st->body.status);
		e->counts = (s->flags & RECORD_COUNTS) != 0;
		break;
	case STATEMENT_ASSIGNMENT:
		e->kind = "assigned";
		e->text = st->body.passed.reason;
		e->whom = st->to;
		e->role = st->body.passed.role;
		e->answer_by = st->body.passed.answer_by;
		break;
	case STATEMENT_REFERRAL:
		e->kind = "referred";
		e->text = st->body.passed.reason;
		e->desk = st->to;
		break;
	case STATEMENT_ERASE:
		e->kind = erase_kind(st->body.erase.step);
		e->text = st->body.erase.reason;
		break;
	case STATEMENT_INTAKE:
	case STATEMENT_AMENDMENT:
	case STATEMENT_CUSTODY:
	case STATEMENT_COPY:
	case STATEMENT_RECEIPT:
		break;
	}
}

static void put_text(struct web_out *o, const char *name, struct doc_text t)
{
	web_out_strn(o, name, t.p == NULL ? "" : t.p, t.p == NULL ? 0 : t.len);
}

static void put_consent(struct web_out *o, const char *name, const struct statement_consent *c)
{
	if (c == NULL) {
		web_out_nil(o, name);
		return;
	}
	web_out_map(o, name);
	put_text(o, "text", c->text);
	put_text(o, "by", c->by);
	web_out_uint(o, "day", c->day);
	put_text(o, "language", c->language);
	web_out_end(o);
}

static void put_event(struct wrecord *r, const struct case_statement *s)
{
	struct event e;

	of_statement(&e, s);
	web_out_map(r->o, NULL);
	web_out_str(r->o, "kind", e.kind);
	wdesk_put_who(r->w, r->o, "who", s->st.author);
	web_out_bool(r->o, "enrolled", (s->flags & RECORD_KNOWN) != 0);
	web_out_uint(r->o, "day", s->st.day);
	put_text(r->o, "text", e.text);
	if (e.whom == NULL)
		web_out_nil(r->o, "whom");
	else
		wdesk_put_who(r->w, r->o, "whom", e.whom);
	web_out_str(r->o, "role", wdesk_role(e.role));
	web_out_uint(r->o, "answer_by", e.answer_by);
	if (e.desk == NULL)
		web_out_str(r->o, "desk_name", "");
	else
		wdesk_put_desk_name(r->w, r->o, "desk_name", e.desk);
	web_out_bool(r->o, "counts", e.counts);
	put_consent(r->o, "consent", e.consent);
	web_out_end(r->o);
}

/* by whom it was referred to this desk */
static void put_from(struct wrecord *r)
{
	const struct case_file *f = r->f;
	const struct statement *from = f->n_interviews == 0 ? NULL
	                             : case_referral(f->interviews[0].by);

	if (from == NULL) {
		web_out_nil(r->o, "from");
		return;
	}
	web_out_map(r->o, "from");
	web_out_uint(r->o, "day", from->day);
	wdesk_put_who(r->w, r->o, "who", from->author);
	wdesk_put_desk_name(r->w, r->o, "desk_name", f->interviews[0].st->to);
	put_consent(r->o, "consent", &from->body.passed.consent);
	web_out_end(r->o);
}

static void put_erasing(struct wrecord *r)
{
	struct client *c = r->w->c;
	struct erasing *e = calloc(1, sizeof *e);
	enum perr err = e == NULL ? PERR_NOMEM : erasing_get(c, r->f->s.record, e);
	uint8_t author[32];
	const char *why;
	uint32_t due = 0;

	if (err == PERR_OK && e->state == ERASING_ORDERED)
		due = erasing_due(c, e, author, &why);
	if (err != PERR_OK || !(due > 0 || e->state == ERASING_ASKED || e->state == ERASING_KEPT)) {
		web_out_nil(r->o, "erasing");
	} else {
		web_out_map(r->o, "erasing");
		web_out_str(r->o, "state", e->state == ERASING_ASKED ? "asked"
		            : e->state == ERASING_KEPT ? "kept" : "ordered");
		web_out_uint(r->o, "due", due);
		if (due > 0)
			wdesk_put_who(r->w, r->o, "by", author);
		else
			web_out_nil(r->o, "by");
		web_out_end(r->o);
	}
	free(e);
	if (r->err == PERR_OK && err != PERR_NOTFOUND)
		r->err = err;
}

void wrecord_put_events(struct wrecord *r)
{
	bool is_held = false;
	uint32_t since = 0;
	enum perr err = erasing_is_held(r->w->c, r->f->s.record, &is_held, &since);

	if (r->err == PERR_OK)
		r->err = err;
	web_out_list(r->o, "events");
	for (size_t i = 0; i < r->f->n; i++)
		if (case_view_is_event(r->f->at[i]))
			put_event(r, r->f->at[i]);
	web_out_end(r->o);
	put_from(r);
	web_out_uint(r->o, "hold", is_held ? since : 0);
	put_erasing(r);
}

/* ---- what this member may do ---------------------------------------------------------------- */

void wrecord_put_may(struct wrecord *r)
{
	const struct case_summary *s = &r->f->s;
	struct client *c = r->w->c;
	const struct assigned *me = case_person(s, c->me->sign_pk);
	bool holds = client_is_holder(c, s->desk), has = false, is_held = false;
	bool asked = me != NULL && (me->state == ASSIGNED_OFFERED || me->state == ASSIGNED_SILENT);
	enum gone gone = GONE_NOT;
	enum perr err = gone_of(c, s->record, &gone);
	uint32_t since;
	bool can;

	if (err == PERR_OK)
		err = erasing_is_held(c, s->record, &is_held, &since);
	if (r->err == PERR_OK)
		r->err = err;
	for (uint32_t i = 0; i < s->n_people; i++)
		has = has || !assigned_is_over(s->people[i].state);
	/* what saying_begin asks for */
	can = r->f->n_interviews > 0 && gone != GONE_KEPT;
	web_out_map(r->o, "may");
	web_out_bool(r->o, "note", can);
	web_out_bool(r->o, "assign", can && holds && s->state != CASE_CLOSED);
	web_out_bool(r->o, "unassign", can && holds && has);
	web_out_bool(r->o, "accept", can && asked);
	web_out_bool(r->o, "decline", can && (asked || (me != NULL &&
	             me->state == ASSIGNED_ACCEPTED)));
	web_out_bool(r->o, "recuse", can && (holds || me != NULL));
	web_out_bool(r->o, "close", can && holds && s->state != CASE_CLOSED);
	web_out_bool(r->o, "reopen", can && holds && s->state == CASE_CLOSED);
	web_out_bool(r->o, "hold", !is_held);
	web_out_bool(r->o, "unhold", is_held);
	web_out_end(r->o);
}
