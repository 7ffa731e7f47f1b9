/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "assign.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cache.h"
#include "doc.h"
#include "fold.h"
#include "pass.h"
#include "roster.h"
#include "saying.h"

/* ---- people ------------------------------------------------------------------------- */

static bool may_read(const struct roster_member *m)
{
	return m->role == ROSTER_ATTORNEY || m->role == ROSTER_INTERPRETER;
}

enum match { MATCH_EXACT, MATCH_FOLDED, MATCH_BEGINS, MATCH_NONE };

static enum match compare(const char *name, const char *wanted)
{
	char a[FOLD_MAX(ROSTER_NAME_MAX)], b[FOLD_MAX(ROSTER_NAME_MAX)];
	size_t n;

	if (strcmp(name, wanted) == 0)
		return MATCH_EXACT;
	fold_text(a, sizeof a, name, strlen(name));
	n = fold_text(b, sizeof b, wanted, strlen(wanted));
	if (n == 0)
		return MATCH_NONE;
	return strcmp(a, b) == 0 ? MATCH_FOLDED : strncmp(a, b, n) == 0 ? MATCH_BEGINS
	                                                                : MATCH_NONE;
}

enum perr assign_find(struct client *c, const char *name, uint8_t key[32])
{
	const struct roster_staff *s = c->staff;
	enum match best = MATCH_NONE;
	unsigned n = 0;

	if (s == NULL)
		return PERR_STATE;
	if (strlen(name) > ROSTER_NAME_MAX)
		return PERR_NOTFOUND;
	for (uint32_t i = 0; i < s->n_members; i++) {
		enum match m = may_read(&s->members[i]) ? compare(s->members[i].name, name)
		                                        : MATCH_NONE;

		if (m == MATCH_NONE || m > best)
			continue;
		n = m < best ? 1 : n + 1;
		best = m;
		memcpy(key, s->members[i].key, 32);
	}
	return n == 0 ? PERR_NOTFOUND : n == 1 ? PERR_OK : PERR_EXISTS;
}

void assign_words(char out[WORDS_PHRASE_SIZE(ASSIGN_WORDS)], const uint8_t key[32])
{
	uint8_t hash[DOC_HASH_SIZE];

	doc_hash(hash, "amparo/1 key words", key, 32);
	if (words_phrase(out, WORDS_PHRASE_SIZE(ASSIGN_WORDS), ASSIGN_WORDS, hash,
	                 sizeof hash) != PERR_OK)
		out[0] = '\0';           /* never: a hash has bits enough */
}

/* by the first digits of a key, or by name */
static enum match compare_ever(const uint8_t key[32], const char *name, const char *wanted)
{
	char hex[65];

	if (strncmp(wanted, "key:", 4) != 0 || strlen(wanted) < 12)
		return compare(name, wanted);
	sodium_bin2hex(hex, sizeof hex, key, 32);
	return strncmp(hex, wanted + 4, strlen(wanted + 4)) == 0 ? MATCH_EXACT : MATCH_NONE;
}

enum perr assign_find_ever(struct client *c, const char *name, uint8_t key[32])
{
	const struct roster_staff *s = c->staff;
	enum match best = MATCH_NONE;
	unsigned n = 0;

	if (s == NULL)
		return PERR_STATE;
	if (strlen(name) > ROSTER_NAME_MAX)
		return PERR_NOTFOUND;
	for (uint32_t i = 0; i < s->n_members + s->n_former; i++) {
		const struct roster_former *f = i < s->n_members ? NULL
		                                                 : &s->former[i - s->n_members];
		const uint8_t *id = f == NULL ? s->members[i].key : f->key;
		enum match m;

		if (f != NULL && f->role == ROSTER_VOLUNTEER)
			continue;
		m = compare_ever(id, f == NULL ? s->members[i].name : f->name, name);
		if (m == MATCH_NONE || m > best)
			continue;
		n = m < best ? 1 : n + 1;
		best = m;
		memcpy(key, id, 32);
	}
	return n == 0 ? PERR_NOTFOUND : n == 1 ? PERR_OK : PERR_EXISTS;
}

/* ---- giving and taking back --------------------------------------------------------- */

static enum perr refuse(struct saying *s, enum refusal code, const char *sentence)
{
	s->c->refusal = code;
	snprintf(s->why, DISPATCH_WHY, "%s", sentence);
	return PERR_REFUSED;
}

static enum perr begin_as_holder(struct saying *s, struct client *c,
                                 const uint8_t record[STATEMENT_RECORD_SIZE],
                                 char why[DISPATCH_WHY])
{
	enum perr err = saying_begin(s, c, record, why);

	if (err == PERR_OK && !s->is_holder)
		err = refuse(s, REFUSAL_NOT_HOLDER, "only the attorneys who hold its desk can do that; ask one of them");
	return err;
}

/* PROTOCOL 4.7: "Nobody who recused themselves from a record is offered it again." */
static enum perr may_offer(struct saying *s, const uint8_t reader[32])
{
	const struct assigned *p = case_person(&s->file->s, reader);
	char name[140];

	if (s->file->s.state == CASE_CLOSED)
		return refuse(s, REFUSAL_CLOSED, "it is closed; `amparo reopen` opens it again");
	if (p == NULL)
		return PERR_OK;
	client_name_of(s->c, reader, name, sizeof name);
	if (p->state == ASSIGNED_RECUSED) {
		s->c->refusal = REFUSAL_RECUSED;
		snprintf(s->why, DISPATCH_WHY, "%s recused themselves from it, a conflict of interest "
		         "that does not end; ask somebody else", name);
		return PERR_REFUSED;
	}
	if (assigned_has_it(p->state)) {
		s->c->refusal = p->state == ASSIGNED_ACCEPTED ? REFUSAL_HAS_IT : REFUSAL_ASKED;
		snprintf(s->why, DISPATCH_WHY, p->state == ASSIGNED_ACCEPTED ? "%s has it already and "
		         "accepted it" : "%s was asked already and has not answered yet", name);
		return PERR_REFUSED;
	}
	return PERR_OK;
}

/* a member of today, and with a key to seal to; this member needs none */
static enum perr reader_of(struct saying *s, const uint8_t reader[32], struct dispatch_readers *r,
                           enum statement_role *role)
{
	const struct roster_member *m = s->c->staff == NULL ? NULL
	    : roster_staff_find(s->c->staff, reader);

	memset(r, 0, sizeof *r);
	*role = m != NULL && m->role == ROSTER_INTERPRETER ? STATEMENT_INTERPRETER
	                                                   : STATEMENT_ATTORNEY;
	if (memcmp(reader, s->c->me->sign_pk, 32) == 0)
		return PERR_OK;
	if (m == NULL || !may_read(m))
		return refuse(s, REFUSAL_NOT_MEMBER, "this person is not an attorney or interpreter of the organisation "
		              "any more");
	return dispatch_member(s->c, reader, r, s->why);
}

static enum perr say_withdrawn(struct saying *s, const struct assigned *p, const char *reason)
{
	struct statement_status *body = &s->st->body.status;
	struct assigned gone = *p;
	enum perr err;

	saying_next(s, STATEMENT_STATUS, s->file->s.desk);
	body->state = STATEMENT_UNASSIGNED;
	body->text = doc_text_of(reason);
	body->has_whom = true;
	memcpy(body->whom, p->key, 32);
	body->turn = p->turn;
	err = saying_to_desk(s, &gone);
	/* what is said after this is not for them */
	for (uint32_t i = 0; i < s->file->s.n_people; i++)
		if (memcmp(s->file->s.people[i].key, gone.key, 32) == 0)
			s->file->s.people[i].state = ASSIGNED_WITHDRAWN;
	return err;
}

static enum perr say_assigned(struct saying *s, const struct assigned *to, const char *reason)
{
	struct statement_status *body = &s->st->body.status;

	saying_next(s, STATEMENT_STATUS, s->file->s.desk);
	body->state = STATEMENT_ASSIGNED;
	body->text = doc_text_of(reason);
	body->has_whom = true;
	memcpy(body->whom, to->key, 32);
	body->turn = to->turn;
	body->role = to->role;
	body->answer_by = to->answer_by;
	return saying_to_desk(s, NULL);
}

static enum perr say_answer(struct saying *s, uint32_t turn, enum statement_decision decision,
                            const char *reason)
{
	saying_next(s, STATEMENT_ANSWER, s->file->s.desk);
	s->st->body.answer.decision = decision;
	s->st->body.answer.text = doc_text_of(reason);
	s->st->body.answer.turn = turn;
	return saying_to_desk(s, NULL);
}

/* the turn that comes next, as if it were offered already */
static void next_turn(const struct saying *s, const struct assign_what *what,
                      enum statement_role role, struct assigned *to)
{
	const struct assigned *before = case_person(&s->file->s, what->reader);
	uint32_t days = what->answer_days;

	memset(to, 0, sizeof *to);
	memcpy(to->key, what->reader, 32);
	to->state = ASSIGNED_OFFERED;
	to->role = role;
	to->turn = before == NULL ? 1 : before->turn + 1;
	if (days == ASSIGN_BY_POLICY)
		days = s->c->staff == NULL ? ROSTER_ANSWER_DAYS : s->c->staff->answer_days;
	/* one's own yes comes with it */
	if (days > 0 && memcmp(what->reader, s->c->me->sign_pk, 32) != 0)
		to->answer_by = client_day(s->c) + days;
}

static enum perr give(struct saying *s, const struct assign_what *what,
                      const struct assigned *to, const struct dispatch_readers *r,
                      struct pass *p)
{
	struct pass_offer offer = { .reason = what->reason, .role = to->role,
	                            .answer_by = to->answer_by };
	const struct assigned *from = what->from == NULL ? NULL
	    : case_person(&s->file->s, what->from);
	enum perr err = PERR_OK;

	if (from != NULL && !assigned_is_over(from->state))
		err = say_withdrawn(s, from, "");
	if (err == PERR_OK)
		err = say_assigned(s, to, what->reason);
	if (err == PERR_OK && r->n > 0)
		err = pass_send(p, s, to, r, &offer);
	if (err == PERR_OK && r->n == 0)
		err = say_answer(s, to->turn, STATEMENT_ACCEPT, "");
	return err == PERR_OK ? saying_receipt(s) : err;
}

enum perr assign_record(struct client *c, const uint8_t record[STATEMENT_RECORD_SIZE],
                        const struct assign_what *what, struct assign_done *done,
                        char why[DISPATCH_WHY])
{
	struct pass p = { .n = 0 };
	struct dispatch_readers r;
	enum statement_role role;
	struct assigned to;
	struct saying s;
	enum perr err;

	memset(done, 0, sizeof *done);
	err = begin_as_holder(&s, c, record, why);
	if (err == PERR_OK)
		err = may_offer(&s, what->reader);
	if (err == PERR_OK)
		err = reader_of(&s, what->reader, &r, &role);
	if (err != PERR_OK)
		goto out;
	next_turn(&s, what, role, &to);
	if (r.n > 0)
		err = pass_plan(&p, &s, &to, NULL, NULL);
	if (err == PERR_OK)
		err = dispatch_begin(s.d);
	if (err == PERR_OK)
		err = give(&s, what, &to, &r, &p);
	if (err == PERR_OK)
		err = dispatch_commit(s.d, &done->group);
	done->n_attachments = p.n_attachments;
	done->n_missing = p.n_missing;
	done->n_told = s.desk.n;
	done->n_untold = s.desk.n_holders - s.desk.n;
	done->answer_by = to.answer_by;
	done->is_interpreter = role == STATEMENT_INTERPRETER;
out:
	pass_free(&p);
	saying_end(&s);
	return err;
}

/* ---- what is said, and nothing else ------------------------------------------------- */

/* in the batch that was begun: the receipt, the commit, the count */
static enum perr finish(struct saying *s, enum perr err, struct assign_told *told)
{
	if (err == PERR_OK)
		err = saying_receipt(s);
	if (err == PERR_OK)
		err = dispatch_commit(s->d, &told->group);
	if (err == PERR_OK) {
		told->n_readers = s->desk.n + s->n_copied;
		told->n_without = s->desk.n_holders - s->desk.n + s->n_unreached;
	}
	saying_end(s);
	return err;
}

enum perr assign_withdraw(struct client *c, const uint8_t record[STATEMENT_RECORD_SIZE],
                          const uint8_t whom[32], const char *reason, struct assign_told *told,
                          char why[DISPATCH_WHY])
{
	const struct assigned *p = NULL;
	struct saying s;
	enum perr err;

	memset(told, 0, sizeof *told);
	err = begin_as_holder(&s, c, record, why);
	if (err == PERR_OK) {
		p = case_person(&s.file->s, whom);
		if (p == NULL || assigned_is_over(p->state))
			err = refuse(&s, REFUSAL_HAS_IT_NOT, p != NULL && p->state == ASSIGNED_WITHDRAWN
			             ? "it was taken back from this person already"
			             : "this person does not have it");
	}
	if (err == PERR_OK)
		err = dispatch_begin(s.d);
	if (err == PERR_OK)
		err = say_withdrawn(&s, p, reason);
	return finish(&s, err, told);
}

enum perr assign_note(struct client *c, const uint8_t record[STATEMENT_RECORD_SIZE],
                      const char *text, struct assign_told *told, char why[DISPATCH_WHY])
{
	size_t len = strlen(text);
	struct saying s;
	enum perr err;

	memset(told, 0, sizeof *told);
	why[0] = '\0';
	if (len == 0 || len > 65536)
		return PERR_RANGE;
	err = saying_begin(&s, c, record, why);
	if (err == PERR_OK)
		err = dispatch_begin(s.d);
	if (err == PERR_OK) {
		saying_next(&s, STATEMENT_NOTE, s.file->s.desk);
		s.st->body.note = doc_text_of(text);
		err = saying_to_desk(&s, NULL);
	}
	return finish(&s, err, told);
}

enum perr assign_move(struct client *c, const uint8_t record[STATEMENT_RECORD_SIZE],
                      const struct assign_what *what, struct assign_done *done,
                      char why[DISPATCH_WHY])
{
	struct case_summary *s = malloc(sizeof *s);
	const struct assigned *to = NULL;
	struct assign_told told;
	enum perr err = s == NULL ? PERR_NOMEM : case_summary(c, record, s);

	memset(done, 0, sizeof *done);
	why[0] = '\0';
	if (err == PERR_OK)
		to = case_person(s, what->reader);
	if (err == PERR_OK && to != NULL && assigned_has_it(to->state))
		err = assign_withdraw(c, record, what->from, what->reason, &told, why);
	else if (err == PERR_OK)
		err = assign_record(c, record, what, done, why);
	if (s != NULL)
		sodium_memzero(s, sizeof *s);
	free(s);
	return err;
}

static enum perr may_answer(struct saying *s, enum statement_decision decision, uint32_t *turn)
{
	const struct assigned *p = case_person(&s->file->s, s->c->me->sign_pk);

	if (p == NULL)
		return refuse(s, REFUSAL_NOT_ASSIGNED, "this case was not assigned to you, so there is nothing to answer");
	*turn = p->turn;
	switch (p->state) {
	case ASSIGNED_OFFERED:
	case ASSIGNED_SILENT:
		break;
	case ASSIGNED_ACCEPTED:
		if (decision == STATEMENT_ACCEPT)
			return refuse(s, REFUSAL_ANSWERED, "you accepted it already");
		break;
	case ASSIGNED_DECLINED:
		return refuse(s, REFUSAL_ANSWERED, "you declined it; the desk would have to assign it to you anew");
	case ASSIGNED_WITHDRAWN:
		return refuse(s, REFUSAL_WITHDRAWN, "the desk took it back");
	case ASSIGNED_RECUSED:
		return refuse(s, REFUSAL_RECUSED, "you recused yourself from it");
	case ASSIGNED_LATE:
		return refuse(s, REFUSAL_TOO_LATE, "the time to answer was over, and the desk has given it to somebody "
		              "else");
	}
	return PERR_OK;
}

/* PROTOCOL 4.7, as a device knows it before it says yes: saves a yes that would not count */
static bool another_has_it(const struct saying *s)
{
	const struct case_summary *sum = &s->file->s;
	const struct assigned *me = case_person(sum, s->c->me->sign_pk);

	for (uint32_t i = 0; me->state == ASSIGNED_SILENT && i < sum->n_people; i++)
		if (&sum->people[i] != me && sum->people[i].role == me->role &&
		    assigned_has_it(sum->people[i].state) && sum->people[i].since > me->answer_by)
			return true;
	return false;
}

enum perr assign_answer(struct client *c, const uint8_t record[STATEMENT_RECORD_SIZE],
                        enum statement_decision decision, const char *reason,
                        struct assign_told *told, char why[DISPATCH_WHY])
{
	struct saying s;
	uint32_t turn = 0;
	enum perr err;

	memset(told, 0, sizeof *told);
	err = saying_begin(&s, c, record, why);
	if (err == PERR_OK)
		err = may_answer(&s, decision, &turn);
	if (err == PERR_OK && decision == STATEMENT_ACCEPT && another_has_it(&s))
		err = refuse(&s, REFUSAL_TOO_LATE, "the time to answer was over, and the desk has given it to somebody "
		             "else");
	if (err == PERR_OK)
		err = dispatch_begin(s.d);
	if (err == PERR_OK)
		err = say_answer(&s, turn, decision, reason);
	return finish(&s, err, told);
}

enum perr assign_recuse(struct client *c, const uint8_t record[STATEMENT_RECORD_SIZE],
                        const char *reason, struct assign_told *told, char why[DISPATCH_WHY])
{
	const struct assigned *p = NULL;
	struct saying s;
	enum perr err;

	memset(told, 0, sizeof *told);
	err = saying_begin(&s, c, record, why);
	if (err == PERR_OK) {
		p = case_person(&s.file->s, c->me->sign_pk);
		if (p == NULL && !s.is_holder)
			err = refuse(&s, REFUSAL_NOT_ASSIGNED, "this case was not assigned to you");
		else if (p != NULL && p->state == ASSIGNED_RECUSED)
			err = refuse(&s, REFUSAL_RECUSED, "you recused yourself from it already");
	}
	if (err == PERR_OK)
		err = dispatch_begin(s.d);
	if (err == PERR_OK) {
		saying_next(&s, STATEMENT_STATUS, s.file->s.desk);
		s.st->body.status.state = STATEMENT_RECUSED;
		s.st->body.status.text = doc_text_of(reason);
		s.st->body.status.turn = p == NULL ? 0 : p->turn;
		err = saying_to_desk(&s, NULL);
	}
	return finish(&s, err, told);
}

/* the highest number of a statement about the record as a whole */
static uint32_t last_change(const struct case_file *f)
{
	uint32_t turn = 0;

	for (size_t i = 0; i < f->n; i++) {
		const struct statement_status *s = &f->at[i]->st.body.status;

		if (!f->at[i]->is_unknown && f->at[i]->st.kind == STATEMENT_STATUS &&
		    (s->state == STATEMENT_OPEN || s->state == STATEMENT_CLOSED ||
		     s->state == STATEMENT_HELD) && s->turn > turn)
			turn = s->turn;
	}
	return turn;
}

enum perr assign_close(struct client *c, const uint8_t record[STATEMENT_RECORD_SIZE],
                       enum statement_state state, const char *reason,
                       struct assign_told *told, char why[DISPATCH_WHY])
{
	struct saying s;
	enum perr err;

	memset(told, 0, sizeof *told);
	err = begin_as_holder(&s, c, record, why);
	if (err == PERR_OK && (s.file->s.state == CASE_CLOSED) == (state == STATEMENT_CLOSED))
		err = state == STATEMENT_CLOSED
		    ? refuse(&s, REFUSAL_CLOSED, "it is closed already")
		    : refuse(&s, REFUSAL_NOT_CLOSED, "it is not closed");
	if (err == PERR_OK)
		err = dispatch_begin(s.d);
	if (err == PERR_OK) {
		saying_next(&s, STATEMENT_STATUS, s.file->s.desk);
		s.st->body.status.state = state;
		s.st->body.status.text = doc_text_of(reason);
		s.st->body.status.turn = last_change(s.file) + 1;
		err = saying_to_desk(&s, NULL);
	}
	return finish(&s, err, told);
}
