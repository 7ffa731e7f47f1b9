/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* op_act: what an attorney says of a case.  Shapes and refusals: app/ops_desk.ts. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "assign.h"
#include "erasing.h"
#include "leave.h"
#include "refusal.h"
#include "roster.h"
#include "trust.h"
#include "wdesk.h"
#include "web_ops.h"

/* of a text as it comes: what is too long for a statement is told as that */
#define TEXT_MAX 1048576

/* what came back from the client, as the page has it: a refusal's code, never its sentence */
static enum perr said(struct web *w, struct web_out *o, enum perr err)
{
	/* nobody to seal to is no missing case */
	if (err == PERR_NOTFOUND && w->c->refusal != REFUSAL_NONE)
		err = PERR_REFUSED;
	if (err != PERR_REFUSED)
		return err;
	return wdesk_refuse(o, w->c->refusal == REFUSAL_NONE ? "other"
	                                                     : refusal_text(w->c->refusal));
}

static void put_told(struct web_out *o, const struct assign_told *told, bool gone)
{
	web_out_uint(o, "n_readers", told->n_readers);
	web_out_uint(o, "n_without", told->n_without);
	web_out_bool(o, "gone", gone);
}

struct act {
	uint8_t record[STATEMENT_RECORD_SIZE];
	const char *reason;
};

/* record and reason, which all acts have but the note */
static enum perr begin(struct web *w, struct web_args *a, struct act *act)
{
	struct wdesk *d;
	enum perr err;

	wdesk_arg_id(a, "record", act->record, sizeof act->record, false);
	act->reason = web_arg_text(a, "reason", 0, TEXT_MAX);
	err = web_args_end(a);
	if (err == PERR_OK && strlen(act->reason) > WDESK_REASON_MAX)
		err = PERR_RANGE;
	w->c->refusal = REFUSAL_NONE;
	return err == PERR_OK ? wdesk_open(w, &d) : err;
}

/* ---- notes ---------------------------------------------------------------------------------- */

static bool is_blank(char ch)
{
	return ch == ' ' || ch == '\n' || ch == '\r' || ch == '\t';
}

enum perr op_case_note(struct web *w, struct web_args *a, struct web_out *o)
{
	uint8_t record[STATEMENT_RECORD_SIZE];
	char why[DISPATCH_WHY], *text;
	struct assign_told told;
	struct wdesk *d;
	size_t len;
	enum perr err;

	wdesk_arg_id(a, "record", record, sizeof record, false);
	/* the copy is ours to cut (web_args.h) */
	text = (char *)(uintptr_t)web_arg_text(a, "text", 0, TEXT_MAX);
	err = web_args_end(a);
	if (err == PERR_OK)
		err = wdesk_open(w, &d);
	if (err != PERR_OK)
		return err;
	while (is_blank(*text))
		text++;
	for (len = strlen(text); len > 0 && is_blank(text[len - 1]); len--)
		text[len - 1] = '\0';
	w->c->refusal = REFUSAL_NONE;
	err = said(w, o, assign_note(w->c, record, text, &told, why));
	sodium_memzero(why, sizeof why);         /* the sentence of the terminal may name people */
	if (err == PERR_OK)
		put_told(o, &told, false);
	return err;
}

/* ---- giving ------------------------------------------------------------------------------- */

/* PERR_REFUSED as long as the words of a member's key were not compared by voice */
static enum perr check_compared(struct web *w, struct web_out *o, const uint8_t key[32])
{
	int known = 0;
	enum perr err;

	if (memcmp(key, w->c->me->sign_pk, 32) == 0 || roster_staff_find(w->c->staff, key) == NULL)
		return PERR_OK;
	err = trust_member(w->c, key, &known);
	return err == PERR_OK && known != 2 ? wdesk_refuse(o, "not_compared") : err;
}

enum perr op_case_assign(struct web *w, struct web_args *a, struct web_out *o)
{
	struct assign_what what = { .answer_days = ASSIGN_BY_POLICY };
	char why[DISPATCH_WHY];
	uint8_t to[32], from[32];
	struct assign_done done;
	struct act act;
	enum perr err;

	wdesk_arg_id(a, "to", to, sizeof to, false);
	if (wdesk_arg_id(a, "from", from, sizeof from, true))
		what.from = from;
	if (web_arg_has(a, "answer_days"))
		what.answer_days = (uint32_t)web_arg_uint(a, "answer_days", ROSTER_ANSWER_MAX);
	err = begin(w, a, &act);
	if (err != PERR_OK)
		return err;
	what.reader = to;
	what.reason = act.reason;
	if (what.from != NULL && memcmp(from, to, sizeof to) == 0)
		return wdesk_refuse(o, "same_person");
	err = check_compared(w, o, to);
	if (err != PERR_OK)
		return err;
	err = said(w, o, what.from != NULL ? assign_move(w->c, act.record, &what, &done, why)
	                                   : assign_record(w->c, act.record, &what, &done, why));
	sodium_memzero(why, sizeof why);
	if (err != PERR_OK)
		return err;
	web_out_uint(o, "n_attachments", done.n_attachments);
	web_out_uint(o, "n_missing", done.n_missing);
	web_out_uint(o, "n_told", done.n_told);
	web_out_uint(o, "n_untold", done.n_untold);
	web_out_uint(o, "answer_by", done.answer_by);
	web_out_str(o, "role", done.is_interpreter ? "interpreter" : "attorney");
	return PERR_OK;
}

/* ---- answers, taking back, closing ---------------------------------------------------------- */

/* what this member said no to leaves the device with the same call */
static void let_go(struct web *w, struct web_out *o, const struct act *act,
                   const struct assign_told *told)
{
	struct case_summary *s = malloc(sizeof *s);
	bool is_gone = false;
	unsigned n;

	/* it was said, whatever becomes of the copy here: the next sync tidies as well */
	if (s != NULL && leave_tidy(w->c, &n) == PERR_OK) {
		is_gone = case_summary(w->c, act->record, s) == PERR_NOTFOUND;
		sodium_memzero(s, sizeof *s);
	}
	free(s);
	put_told(o, told, is_gone);
}

enum saying { WITHDRAW, ACCEPT, DECLINE, RECUSE, CLOSE, REOPEN };

/* an act with a reason and nothing else, but for whom it is taken back from */
static enum perr say(struct web *w, struct web_args *a, struct web_out *o, enum saying what)
{
	char why[DISPATCH_WHY];
	struct assign_told told;
	uint8_t whom[32];
	struct act act;
	enum perr err;

	if (what == WITHDRAW)
		wdesk_arg_id(a, "whom", whom, sizeof whom, false);
	err = begin(w, a, &act);
	if (err != PERR_OK)
		return err;
	switch (what) {
	case WITHDRAW:
		err = assign_withdraw(w->c, act.record, whom, act.reason, &told, why);
		break;
	case ACCEPT:
		err = assign_answer(w->c, act.record, STATEMENT_ACCEPT, act.reason, &told, why);
		break;
	case DECLINE:
		err = assign_answer(w->c, act.record, STATEMENT_DECLINE, act.reason, &told, why);
		break;
	case RECUSE:
		err = assign_recuse(w->c, act.record, act.reason, &told, why);
		break;
	case CLOSE:
		err = assign_close(w->c, act.record, STATEMENT_CLOSED, act.reason, &told, why);
		break;
	case REOPEN:
		err = assign_close(w->c, act.record, STATEMENT_OPEN, act.reason, &told, why);
		break;
	}
	err = said(w, o, err);
	sodium_memzero(why, sizeof why);
	if (err == PERR_OK && (what == DECLINE || what == RECUSE))
		let_go(w, o, &act, &told);
	else if (err == PERR_OK)
		put_told(o, &told, false);
	return err;
}

#define SAYING(op, what) \
	enum perr op(struct web *w, struct web_args *a, struct web_out *o) \
	{ \
		return say(w, a, o, what); \
	}
SAYING(op_case_unassign, WITHDRAW)
SAYING(op_case_accept, ACCEPT)
SAYING(op_case_decline, DECLINE)
SAYING(op_case_recuse, RECUSE)
SAYING(op_case_close, CLOSE)
SAYING(op_case_reopen, REOPEN)

/* ---- holding -------------------------------------------------------------------------------- */

enum perr op_case_hold(struct web *w, struct web_args *a, struct web_out *o)
{
	bool on = web_arg_bool(a, "on");
	struct case_file *f = NULL;
	struct act act;
	enum perr err = begin(w, a, &act);

	if (err != PERR_OK)
		return err;
	if (on && act.reason[0] == '\0')
		return PERR_RANGE;
	err = wdesk_case(w, o, act.record, &f);
	case_close(f);
	if (err == PERR_OK)
		err = on ? erasing_hold(w->c, act.record, act.reason)
		         : erasing_unhold(w->c, act.record);
	return err;
}
