/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* record_kit: an organisation of devices in memory, and statements made by hand. */
#ifndef AMPARO_TEST_RECORD_KIT_H
#define AMPARO_TEST_RECORD_KIT_H

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fixture_org.h"

#include "assign.h"
#include "case.h"
#include "doc.h"
#include "envelope.h"
#include "gone.h"
#include "kv_mem.h"

#define OK(call) assert_int_equal((call), PERR_OK)

static struct fixture *f;

static inline int setup(void **state)
{
	f = fixture_new();
	return 0;
}

static inline int teardown(void **state)
{
	fixture_free(f);
	return 0;
}

/* ---- statements made by hand -------------------------------------------------------- */

/* signed by `who` with this number, as an envelope; the caller frees it */
static inline uint8_t *make(enum fixture_who who, struct statement *st, uint32_t number, size_t *len)
{
	struct sign_key key;
	uint8_t *env;

	client_sign_key(fix(f, who), &key);
	OK(envelope_make(&env, len, NULL, st, number, NULL, 0, &key, rng_system()));
	signed_key_wipe(&key);
	return env;
}

static inline struct statement *note_on(const uint8_t record[16], const uint8_t to[32], const char *text)
{
	struct statement *st = calloc(1, sizeof *st);

	assert_non_null(st);
	st->kind = STATEMENT_NOTE;
	st->day = 20782;
	memcpy(st->to, to, 32);
	memcpy(st->record, record, 16);
	st->body.note = doc_text_of(text);
	return st;
}

static inline enum take_result take(enum fixture_who who, const uint8_t *env, size_t len)
{
	struct client *c = fix(f, who);
	enum take_result result;

	OK(kv_begin(c->kv));
	OK(record_take(c, env, len, &result));
	OK(kv_commit(c->kv));
	return result;
}

static inline enum take_result take_statement(enum fixture_who by, struct statement *st,
                                       uint32_t number, enum fixture_who to)
{
	size_t len;
	uint8_t *env = make(by, st, number, &len);
	enum take_result result = take(to, env, len);

	doc_free(env, len);
	free(st);
	return result;
}

/* the stored envelope number i of a case; the caller frees it */
static inline uint8_t *stored(enum fixture_who who, const uint8_t record[16], size_t i, size_t *len)
{
	struct case_file *file;
	uint8_t *env;

	OK(case_open(fix(f, who), record, &file));
	assert_true(i < file->n);
	*len = file->at[i]->raw_len - RECORD_HEAD;
	env = malloc(*len);
	assert_non_null(env);
	memcpy(env, file->at[i]->raw + RECORD_HEAD, *len);
	case_close(file);
	return env;
}

static inline void submit_one(unsigned which, uint8_t record[16])
{
	fixture_submit(f, FIX_VOLUNTEER0, which, 0, NULL);
	fixture_sync(f, FIX_HOLDER0);
	fixture_only_case(f, FIX_HOLDER0, record);
}

static inline enum perr assign_by(enum fixture_who by, const uint8_t record[16], enum fixture_who to,
                           const char *reason, struct assign_done *done, char why[DISPATCH_WHY])
{
	const struct assign_what what = { .reader = fix(f, to)->me->sign_pk, .reason = reason,
	                                  .answer_days = ASSIGN_BY_POLICY };

	return assign_record(fix(f, by), record, &what, done, why);
}

static inline void assign_to_counsel(const uint8_t record[16])
{
	struct assign_done done;
	char why[DISPATCH_WHY];

	if (assign_by(FIX_HOLDER0, record, FIX_COUNSEL, "speaks Mam", &done, why) != PERR_OK)
		fail_msg("not assigned: %s", why);
	fixture_upload(f, FIX_HOLDER0);
}

#endif
