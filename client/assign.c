/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "assign.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cache.h"
#include "case.h"
#include "doc.h"
#include "fold.h"
#include "roster.h"

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

/* ---- what the three have in common -------------------------------------------------- */

struct say {
	struct client *c;
	struct case_file *file;
	struct dispatch *d;
	struct statement *st;            /* large: not on the stack */
	struct dispatch_readers desk;    /* its holders, this member left out */
	bool is_holder;
	char *why;
};

static void say_end(struct say *s)
{
	dispatch_free(s->d);
	if (s->st != NULL)
		sodium_memzero(s->st, sizeof *s->st);
	free(s->st);
	case_close(s->file);
	sodium_memzero(s, sizeof *s);
}

static enum perr say_begin(struct say *s, struct client *c,
                           const uint8_t record[STATEMENT_RECORD_SIZE], char why[DISPATCH_WHY])
{
	enum perr err;

	memset(s, 0, sizeof *s);
	s->c = c;
	s->why = why;
	why[0] = '\0';
	err = case_open(c, record, &s->file);
	if (err == PERR_OK && s->file->n_interviews == 0) {
		snprintf(why, DISPATCH_WHY, "the interview itself has not arrived yet; "
		         "run `amparo sync`");
		err = PERR_REFUSED;
	}
	if (err != PERR_OK)
		return err;
	s->is_holder = cache_is_holder(c, s->file->s.desk, c->me->sign_pk);
	s->d = dispatch_new(c);
	s->st = calloc(1, sizeof *s->st);
	if (s->d == NULL || s->st == NULL)
		return PERR_NOMEM;
	err = dispatch_desk(c, s->file->s.desk, false, &s->desk, why);
	/* co-holders without keys do not stop a holder: the others' vaults will ask for it */
	if (err == PERR_NOTFOUND && s->is_holder && s->desk.n_holders > 0) {
		why[0] = '\0';
		err = PERR_OK;
	}
	return err;
}

static void next_statement(struct say *s, enum statement_kind kind, const uint8_t to[32])
{
	sodium_memzero(s->st, sizeof *s->st);
	s->st->kind = kind;
	s->st->day = client_day(s->c);
	memcpy(s->st->to, to, 32);
	memcpy(s->st->record, s->file->s.record, STATEMENT_RECORD_SIZE);
}

/* ---- assigning ---------------------------------------------------------------------- */

/* fresh chunks under fresh keys: each reader erases only its own copy */
static enum perr reseal(struct say *s, const struct case_source *src, struct blob_ref *refs,
                        size_t *n_refs, struct assign_done *done)
{
	const struct statement_attachments *list = envelope_attachments(src->st);
	enum perr err = PERR_OK;

	*n_refs = 0;
	for (uint32_t i = 0; list != NULL && i < list->n && err == PERR_OK; i++) {
		struct case_attachment a = { .a = &list->at[i], .of = src };
		uint8_t *data = NULL;
		size_t len, same = 0;

		while (same < *n_refs && memcmp(refs[same].hash, a.a->hash, 32) != 0)
			same++;
		if (same < *n_refs) {
			done->n_attachments++;
			continue;
		}
		err = case_content(s->c, &a, &data, &len);
		if (err == PERR_NOTFOUND) {
			done->n_missing++;
			err = PERR_OK;
			continue;
		}
		if (err == PERR_OK)
			err = dispatch_blob(s->d, data, len, &refs[(*n_refs)++]);
		kv_free(data);
		if (err == PERR_OK)
			done->n_attachments++;
	}
	return err;
}

/* the interview or correction i of the case, with what was sealed for it */
struct passing {
	const struct case_source *src;
	struct blob_ref refs[STATEMENT_ATTACHMENTS];
	size_t n_refs;
};

/* the highest turn of an assignment to this person that is known here; 0: none */
static uint32_t last_turn(const struct case_file *f, const uint8_t whom[32])
{
	uint32_t turn = 0;

	for (size_t i = 0; i < f->n; i++) {
		const struct statement *st = &f->at[i]->st;
		uint32_t t = 0;

		if (f->at[i]->is_unknown)
			continue;
		if (st->kind == STATEMENT_ASSIGNMENT && memcmp(st->to, whom, 32) == 0)
			t = st->body.passed.turn;
		else if (st->kind == STATEMENT_STATUS && st->body.status.has_whom &&
		         memcmp(st->body.status.whom, whom, 32) == 0)
			t = st->body.status.turn;
		turn = t > turn ? t : turn;
	}
	return turn;
}

static enum perr pass_on(struct say *s, const struct passing *p, const uint8_t reader[32],
                         const struct dispatch_readers *to, const char *reason)
{
	struct statement_passed *body = &s->st->body.passed;

	next_statement(s, STATEMENT_ASSIGNMENT, reader);
	body->reason = doc_text_of(reason);
	body->original = p->src->pass;
	body->original_sig = p->src->pass_sig;
	body->turn = last_turn(s->file, reader) + 1;
	body->role = STATEMENT_ATTORNEY;
	return dispatch_send(s->d, s->st, p->refs, p->n_refs, to, false);
}

static enum perr tell_desk(struct say *s, const uint8_t reader[32], const char *reason)
{
	struct statement_status *body = &s->st->body.status;

	next_statement(s, STATEMENT_STATUS, s->file->s.desk);
	body->state = STATEMENT_ASSIGNED;
	body->text = doc_text_of(reason);
	body->has_whom = true;
	memcpy(body->whom, reader, 32);
	body->turn = last_turn(s->file, reader) + 1;
	body->role = STATEMENT_ATTORNEY;
	return dispatch_send(s->d, s->st, NULL, 0, &s->desk, true);
}

static enum perr seal_all(struct say *s, struct passing *p, size_t n, bool partial,
                          struct assign_done *done)
{
	enum perr err = PERR_OK;

	for (size_t i = 0; i < n && err == PERR_OK; i++) {
		p[i].src = i < s->file->n_interviews ? &s->file->interviews[i]
		    : &s->file->corrections[i - s->file->n_interviews];
		err = reseal(s, p[i].src, p[i].refs, &p[i].n_refs, done);
	}
	if (err == PERR_OK && done->n_missing > 0 && !partial) {
		snprintf(s->why, DISPATCH_WHY, "%u of its attachments %s not on this device yet; "
		         "run `amparo sync` first, or pass it on without with --partial",
		         done->n_missing, done->n_missing == 1 ? "is" : "are");
		err = PERR_REFUSED;
	}
	return err;
}

enum perr assign_record(struct client *c, const uint8_t record[STATEMENT_RECORD_SIZE],
                        const uint8_t reader[32], const char *reason, bool partial,
                        struct assign_done *done, char why[DISPATCH_WHY])
{
	struct dispatch_readers to;
	struct passing *p = NULL;
	struct say s;
	size_t n = 0;
	enum perr err;

	memset(done, 0, sizeof *done);
	err = say_begin(&s, c, record, why);
	if (err == PERR_OK && !s.is_holder) {
		snprintf(why, DISPATCH_WHY, "only the attorneys who hold its desk can pass this case "
		         "on; ask one of them");
		err = PERR_REFUSED;
	}
	if (err == PERR_OK && memcmp(reader, c->me->sign_pk, 32) == 0) {
		snprintf(why, DISPATCH_WHY, "you have this case already; `amparo note` tells the "
		         "others that you work on it");
		err = PERR_REFUSED;
	}
	if (err == PERR_OK)
		err = dispatch_member(c, reader, &to, why);
	if (err != PERR_OK)
		goto out;
	n = s.file->n_interviews + s.file->n_corrections;
	p = calloc(n, sizeof *p);
	err = p == NULL ? PERR_NOMEM : seal_all(&s, p, n, partial, done);
	if (err == PERR_OK)
		err = dispatch_begin(s.d);
	for (size_t i = 0; i < n && err == PERR_OK; i++)
		err = pass_on(&s, &p[i], reader, &to, reason);
	if (err == PERR_OK)
		err = tell_desk(&s, reader, reason);
	if (err == PERR_OK)
		err = dispatch_commit(s.d, &done->group);
	done->n_told = s.desk.n;
	done->n_untold = s.desk.n_holders - s.desk.n;
out:
	if (p != NULL)
		sodium_memzero(p, n * sizeof *p);
	free(p);
	say_end(&s);
	return err;
}

/* ---- notes and answers -------------------------------------------------------------- */

static enum perr note_to(struct say *s, const uint8_t to[32], const struct dispatch_readers *r,
                         const char *text, bool keep)
{
	next_statement(s, STATEMENT_NOTE, to);
	s->st->body.note = doc_text_of(text);
	return dispatch_send(s->d, s->st, NULL, 0, r, keep);
}

/* a holder's note also goes to whom the case was assigned; they see no desk's cells */
static enum perr note_to_people(struct say *s, const char *text, struct assign_told *told)
{
	const struct case_summary *sum = &s->file->s;
	char why[DISPATCH_WHY];
	enum perr err = PERR_OK;

	for (uint32_t i = 0; s->is_holder && i < sum->n_people && err == PERR_OK; i++) {
		const struct case_person *p = &sum->people[i];
		struct dispatch_readers r;

		if (p->answer == CASE_NO || p->answer == CASE_GAVE_BACK ||
		    cache_is_holder(s->c, sum->desk, p->key))
			continue;
		err = dispatch_member(s->c, p->key, &r, why);
		if (err == PERR_NOTFOUND) {
			told->n_without++;
			err = PERR_OK;
		} else if (err == PERR_OK) {
			err = note_to(s, p->key, &r, text, false);
			told->n_readers++;
		}
	}
	return err;
}

enum perr assign_note(struct client *c, const uint8_t record[STATEMENT_RECORD_SIZE],
                      const char *text, struct assign_told *told, char why[DISPATCH_WHY])
{
	size_t len = strlen(text);
	struct say s;
	enum perr err;

	memset(told, 0, sizeof *told);
	why[0] = '\0';
	if (len == 0 || len > 65536)
		return PERR_RANGE;
	err = say_begin(&s, c, record, why);
	if (err == PERR_OK)
		err = dispatch_begin(s.d);
	if (err == PERR_OK)
		err = note_to(&s, s.file->s.desk, &s.desk, text, true);
	if (err == PERR_OK) {
		told->n_readers = s.desk.n;
		told->n_without = s.desk.n_holders - s.desk.n;
		err = note_to_people(&s, text, told);
	}
	if (err == PERR_OK)
		err = dispatch_commit(s.d, &told->group);
	say_end(&s);
	return err;
}

enum perr assign_answer(struct client *c, const uint8_t record[STATEMENT_RECORD_SIZE],
                        enum statement_decision decision, const char *reason,
                        struct assign_told *told, char why[DISPATCH_WHY])
{
	bool asked = false;
	struct say s;
	enum perr err;

	memset(told, 0, sizeof *told);
	err = say_begin(&s, c, record, why);
	for (uint32_t i = 0; err == PERR_OK && i < s.file->s.n_people; i++)
		asked = asked || memcmp(s.file->s.people[i].key, c->me->sign_pk, 32) == 0;
	if (err == PERR_OK && !asked) {
		snprintf(why, DISPATCH_WHY, "this case was not assigned to you, so there is nothing to "
		         "answer");
		err = PERR_REFUSED;
	}
	if (err == PERR_OK)
		err = dispatch_begin(s.d);
	if (err == PERR_OK) {
		next_statement(&s, STATEMENT_ANSWER, s.file->s.desk);
		s.st->body.answer.decision = decision;
		s.st->body.answer.text = doc_text_of(reason);
		s.st->body.answer.turn = last_turn(s.file, c->me->sign_pk);
		err = dispatch_send(s.d, s.st, NULL, 0, &s.desk, true);
	}
	if (err == PERR_OK) {
		told->n_readers = s.desk.n;
		told->n_without = s.desk.n_holders - s.desk.n;
		err = dispatch_commit(s.d, &told->group);
	}
	say_end(&s);
	return err;
}
