/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* assign_kit: two holders and two attorneys in a world, and what they do with a case. */
#ifndef AMPARO_TEST_ASSIGN_KIT_H
#define AMPARO_TEST_ASSIGN_KIT_H

#include "world.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "assign.h"
#include "bring.h"
#include "case.h"
#include "dispatch.h"
#include "erasing.h"
#include "forward.h"
#include "kv_mem.h"
#include "leave.h"
#include "revoke.h"
#include "roster.h"
#include "steward.h"


#define OK(call) assert_int_equal((call), PERR_OK)
#define SECOND INTERPRETER       /* a second attorney, in the stories that have one */
#define PHOTO  20000

static unsigned seed = 1;

static inline struct client *of(struct world *w, enum world_who who)
{
	return w->p[who].c;
}

static inline const uint8_t *key_of(struct world *w, enum world_who who)
{
	return of(w, who)->me->sign_pk;
}

struct found {
	uint8_t record[8][STATEMENT_RECORD_SIZE];
	unsigned n;
};

static inline enum perr one_found(void *arg, const struct case_summary *s)
{
	struct found *f = arg;

	assert_true(f->n < 8);
	memcpy(f->record[f->n++], s->record, STATEMENT_RECORD_SIZE);
	return PERR_OK;
}

static inline struct found cases_of(struct world *w, enum world_who who)
{
	struct found f = { .n = 0 };

	OK(case_each(of(w, who), one_found, &f, NULL));
	return f;
}

static inline bool has_case(struct world *w, enum world_who who, const uint8_t *record)
{
	struct case_file *file = NULL;
	enum perr err = case_open(of(w, who), record, &file);

	case_close(file);
	assert_true(err == PERR_OK || err == PERR_NOTFOUND);
	return err == PERR_OK;
}

static inline struct case_summary *summary(struct world *w, enum world_who who, const uint8_t *record)
{
	static struct case_summary s;

	OK(case_summary(of(w, who), record, &s));
	return &s;
}

static inline enum assigned_state state_at(struct world *w, enum world_who at, const uint8_t *record,
                                    enum world_who whom)
{
	const struct assigned *p = case_person(summary(w, at, record), key_of(w, whom));

	assert_non_null(p);
	return p->state;
}

static inline enum perr try_give(struct world *w, enum world_who by, const uint8_t *record,
                          enum world_who to, uint32_t days, const uint8_t *from,
                          struct assign_done *done)
{
	const struct assign_what what = { .reader = key_of(w, to), .reason = "because",
	                                  .answer_days = days, .from = from };
	char why[DISPATCH_WHY];

	return assign_record(of(w, by), record, &what, done, why);
}

static inline struct assign_done give(struct world *w, enum world_who by, const uint8_t *record,
                               enum world_who to)
{
	struct assign_done done;

	OK(try_give(w, by, record, to, ASSIGN_BY_POLICY, NULL, &done));
	return done;
}

static inline enum perr answer(struct world *w, enum world_who who, const uint8_t *record,
                        enum statement_decision d)
{
	struct assign_told told;
	char why[DISPATCH_WHY];

	return assign_answer(of(w, who), record, d, "", &told, why);
}

static inline enum perr note(struct world *w, enum world_who who, const uint8_t *record,
                      const char *text)
{
	struct assign_told told;
	char why[DISPATCH_WHY];

	return assign_note(of(w, who), record, text, &told, why);
}

static inline enum perr withdraw(struct world *w, enum world_who by, const uint8_t *record,
                          enum world_who whom)
{
	struct assign_told told;
	char why[DISPATCH_WHY];

	return assign_withdraw(of(w, by), record, key_of(w, whom), "", &told, why);
}

/* what they said goes out, is released, and comes in */
static inline void round_of(struct world *w, const enum world_who *who, size_t n)
{
	for (size_t i = 0; i < n; i++)
		world_sync(w, who[i]);
	world_release(w);
	for (size_t i = 0; i < n; i++)
		world_sync(w, who[i]);
}
#define ROUND(w, ...) \
	round_of(w, (const enum world_who[]){ __VA_ARGS__ }, \
	         sizeof (enum world_who[]){ __VA_ARGS__ } / sizeof(enum world_who))

static inline void days(struct world *w, int n)
{
	while (n-- > 0) {
		world_day(w, 1);
		world_release(w);
	}
}

/* one intake with a photograph, at both holders */
static inline void one_case(struct world *w, size_t photo, unsigned which,
                     uint8_t record[STATEMENT_RECORD_SIZE])
{
	struct found before = cases_of(w, HOLDER0), after;

	world_submit(w, VOLUNTEER0, photo, which, NULL);
	world_sync(w, VOLUNTEER0);
	ROUND(w, HOLDER0, HOLDER1);
	after = cases_of(w, HOLDER0);
	assert_int_equal(after.n, before.n + 1);
	for (unsigned i = 0; i < after.n; i++) {
		bool old = false;

		for (unsigned k = 0; k < before.n; k++)
			old = old || memcmp(after.record[i], before.record[k],
			                    STATEMENT_RECORD_SIZE) == 0;
		if (!old)
			memcpy(record, after.record[i], STATEMENT_RECORD_SIZE);
	}
}

/* a volunteer corrects an answer, knowing the code only */
static inline void correct(struct world *w, enum world_who who, const uint8_t *record)
{
	struct client *c = of(w, who);
	struct statement *st = calloc(1, sizeof *st);
	struct dispatch *d = dispatch_new(c);
	struct dispatch_readers r;
	struct case_summary *s = summary(w, HOLDER0, record);
	char why[DISPATCH_WHY];

	assert_non_null(st);
	assert_non_null(d);
	OK(dispatch_desk(c, s->desk, true, &r, why));
	st->kind = STATEMENT_AMENDMENT;
	st->day = client_day(c);
	memcpy(st->to, s->desk, 32);
	randombytes_buf(st->record, sizeof st->record);
	memcpy(st->body.amendment.code, s->code, sizeof st->body.amendment.code);
	st->body.amendment.form_id = doc_text_of(s->form_id);
	st->body.amendment.form_version = doc_text_of(s->form_version);
	st->body.amendment.n_changes = 1;
	st->body.amendment.changes[0].path = doc_text_of("/data/name");
	st->body.amendment.changes[0].value = doc_text_of("Xwan");
	OK(dispatch_begin(d));
	OK(dispatch_send(d, st, NULL, 0, &r, false));
	OK(dispatch_commit(d, NULL));
	dispatch_free(d);
	free(st);
}

struct kinds {
	unsigned copies, all;
	const uint8_t *by;               /* copies made by this one only; NULL: anybody */
};

/* copies as they are stored, before they are merged */
static inline enum perr count_kinds(void *arg, const char *name, const uint8_t *value, size_t len)
{
	struct kinds *k = arg;
	struct envelope env;
	struct statement *st = malloc(sizeof *st);

	(void)name;
	assert_non_null(st);
	OK(envelope_decode(&env, value + RECORD_HEAD, len - RECORD_HEAD));
	OK(statement_decode(st, env.statement.p, env.statement.len));
	k->all++;
	k->copies += st->kind == STATEMENT_COPY &&
	             (k->by == NULL || memcmp(st->author, k->by, 32) == 0);
	envelope_wipe(&env);
	free(st);
	return PERR_OK;
}

static inline unsigned copies_at(struct world *w, enum world_who who, const uint8_t *by)
{
	struct kinds k = { .by = by };

	OK(kv_each(w->p[who].kv, "stmt/", count_kinds, &k));
	return k.copies;
}

/* ---- attachments --------------------------------------------------------------------------------- */

static inline enum perr drop(void *arg, const char *name)
{
	return kv_del(arg, name);
}

/* before the tests of a program; false: no libsodium */
static inline bool assign_begin(int argc, char **argv)
{
	if (sodium_init() < 0)
		return false;
	if (argc > 1)
		seed = (unsigned)strtoul(argv[1], NULL, 10);
	printf("seed: %u\n", seed);
	return true;
}

#endif
