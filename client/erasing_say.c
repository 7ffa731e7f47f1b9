/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What a person says of an erasure: asked, ordered, stopped. */
#include "erasing.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cache.h"
#include "saying.h"

/* of a case that is on this device */
enum perr erasing_say(struct client *c, const uint8_t record[STATEMENT_RECORD_SIZE],
                      enum statement_erase_step step, const char *reason,
                      struct erasing_told *told, char why[DISPATCH_WHY])
{
	struct saying s;
	enum perr err;

	memset(told, 0, sizeof *told);
	why[0] = '\0';
	if (strlen(reason) > ERASING_REASON_MAX)
		return PERR_RANGE;
	err = saying_begin(&s, c, record, why);
	if (err == PERR_OK && step != STATEMENT_ERASE_ASK && !s.is_holder) {
		c->refusal = REFUSAL_NOT_HOLDER;
		snprintf(why, DISPATCH_WHY, "only the attorneys who hold its desk can order or stop an "
		         "erasure; without --stop this asks them");
		err = PERR_REFUSED;
	}
	if (err == PERR_OK)
		err = dispatch_begin(s.d);
	if (err == PERR_OK) {
		saying_next(&s, STATEMENT_ERASE, s.file->s.desk);
		s.st->body.erase.reason = doc_text_of(reason);
		s.st->body.erase.step = step;
		s.st->body.erase.has_code = true;
		memcpy(s.st->body.erase.code, s.file->s.code, CASE_CODE_LEN + 1);
		err = saying_to_desk(&s, NULL);
	}
	if (err == PERR_OK)
		err = saying_receipt(&s);
	if (err == PERR_OK)
		err = dispatch_commit(s.d, &told->group);
	if (err == PERR_OK) {
		told->n_readers = s.desk.n + s.n_copied;
		told->n_without = s.desk.n_holders - s.desk.n + s.n_unreached;
		told->due = step == STATEMENT_ERASE_ORDER ? client_day(c) + ERASING_REST_DAYS : 0;
	}
	saying_end(&s);
	return err;
}

enum perr erasing_ask(struct client *c, const char code[CASE_CODE_LEN + 1],
                      const uint8_t desk[32], const char *reason, struct erasing_told *told,
                      char why[DISPATCH_WHY])
{
	struct dispatch *d = dispatch_new(c);
	struct statement *st = calloc(1, sizeof *st);
	struct dispatch_readers r;
	enum perr err;

	memset(told, 0, sizeof *told);
	why[0] = '\0';
	err = d == NULL || st == NULL ? PERR_NOMEM : strlen(reason) > ERASING_REASON_MAX ? PERR_RANGE
	    : dispatch_desk(c, desk, false, &r, why);
	if (err == PERR_OK)
		err = dispatch_begin(d);
	if (err == PERR_OK) {
		st->kind = STATEMENT_ERASE;
		st->day = client_day(c);
		memcpy(st->to, desk, 32);
		rng_fill(c->env.rng, st->record, sizeof st->record);
		st->body.erase.reason = doc_text_of(reason);
		st->body.erase.step = STATEMENT_ERASE_ASK;
		st->body.erase.has_code = true;
		memcpy(st->body.erase.code, code, CASE_CODE_LEN + 1);
		err = dispatch_send(d, st, NULL, 0, &r, cache_is_holder(c, desk, c->me->sign_pk));
	}
	if (err == PERR_OK)
		err = dispatch_commit(d, &told->group);
	told->n_readers = err == PERR_OK ? r.n : 0;
	if (st != NULL)
		sodium_memzero(st, sizeof *st);
	free(st);
	dispatch_free(d);
	return err;
}
