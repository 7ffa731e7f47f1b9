/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "saying.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cache.h"
#include "doc.h"
#include "gone.h"
#include "ledger.h"
#include "roster.h"

void saying_end(struct saying *s)
{
	dispatch_free(s->d);
	if (s->st != NULL)
		sodium_memzero(s->st, sizeof *s->st);
	free(s->st);
	for (size_t i = 0; i < s->n_lists; i++)
		free(s->lists[i].things);
	free(s->lists);
	case_close(s->file);
	sodium_memzero(s, sizeof *s);
}

enum perr saying_begin(struct saying *s, struct client *c,
                       const uint8_t record[STATEMENT_RECORD_SIZE], char why[DISPATCH_WHY])
{
	enum gone gone;
	enum perr err;

	memset(s, 0, sizeof *s);
	s->c = c;
	s->why = why;
	why[0] = '\0';
	c->refusal = REFUSAL_NONE;
	err = case_open(c, record, &s->file);
	if (err == PERR_OK && s->file->n_interviews == 0) {
		c->refusal = REFUSAL_ALONE;
		snprintf(why, DISPATCH_WHY, "the interview itself has not arrived yet; "
		         "run `amparo sync`");
		err = PERR_REFUSED;
	}
	if (err != PERR_OK)
		return err;
	err = gone_of(c, record, &gone);
	if (err == PERR_OK && gone == GONE_KEPT) {
		c->refusal = REFUSAL_ERASED;
		snprintf(why, DISPATCH_WHY, "this case was erased everywhere else, and is kept here under a "
		         "legal hold only; nothing of it is passed on");
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
		c->refusal = REFUSAL_NONE;
		err = PERR_OK;
	}
	return err;
}

void saying_next(struct saying *s, enum statement_kind kind, const uint8_t to[32])
{
	sodium_memzero(s->st, sizeof *s->st);
	s->st->kind = kind;
	s->st->day = client_day(s->c);
	memcpy(s->st->to, to, 32);
	memcpy(s->st->record, s->file->s.record, STATEMENT_RECORD_SIZE);
}

/* ---- people ------------------------------------------------------------------------- */

enum perr saying_reach(struct saying *s, const uint8_t whom[32], struct dispatch_readers *r)
{
	if (memcmp(whom, s->c->me->sign_pk, 32) == 0 ||
	    cache_is_holder(s->c, s->file->s.desk, whom))
		return PERR_NOTFOUND;
	/* nothing is sealed to who was revoked, whatever prekeys are still about */
	if (s->c->staff == NULL || roster_staff_find(s->c->staff, whom) == NULL)
		return PERR_NOTFOUND;
	return dispatch_member(s->c, whom, r, s->why);
}

/* ---- the receipt -------------------------------------------------------------------- */

static struct saying_list *list_of(struct saying *s, const uint8_t whom[32], uint32_t turn)
{
	struct saying_list *l;

	for (size_t i = 0; i < s->n_lists; i++) {
		l = &s->lists[i];
		if (l->turn == turn && l->n < STATEMENT_THINGS && memcmp(l->whom, whom, 32) == 0)
			return l;
	}
	l = realloc(s->lists, (s->n_lists + 1) * sizeof *l);
	if (l == NULL)
		return NULL;
	s->lists = l;
	l = &s->lists[s->n_lists];
	memset(l, 0, sizeof *l);
	l->things = malloc(STATEMENT_THINGS * STATEMENT_THING_SIZE);
	if (l->things == NULL)
		return NULL;
	memcpy(l->whom, whom, 32);
	l->turn = turn;
	s->n_lists++;
	return l;
}

enum perr saying_passed(struct saying *s, const uint8_t whom[32], uint32_t turn,
                        const uint8_t hash[32])
{
	struct saying_list *l = list_of(s, whom, turn);

	if (l == NULL)
		return PERR_NOMEM;
	memcpy(l->things + l->n++ * STATEMENT_THING_SIZE, hash, STATEMENT_THING_SIZE);
	return PERR_OK;
}

enum perr saying_receipt(struct saying *s)
{
	enum perr err = PERR_OK;

	for (size_t at = 0; at < s->n_lists && err == PERR_OK;) {
		struct statement_receipt *r = &s->st->body.receipt;

		saying_next(s, STATEMENT_RECEIPT, s->file->s.desk);
		for (; at < s->n_lists && r->n < STATEMENT_LISTS; at++, r->n++) {
			const struct saying_list *l = &s->lists[at];

			memcpy(r->to[r->n].whom, l->whom, 32);
			r->to[r->n].turn = l->turn;
			r->to[r->n].things = doc_bytes_of(l->things, l->n * STATEMENT_THING_SIZE);
		}
		err = dispatch_send(s->d, s->st, NULL, 0, &s->desk, true);
	}
	for (size_t i = 0; i < s->n_lists; i++)
		free(s->lists[i].things);
	s->n_lists = 0;
	return err;
}

/* ---- copies ------------------------------------------------------------------------- */

enum perr saying_copy(struct saying *s, const uint8_t whom[32], uint32_t turn,
                      struct doc_bytes bytes, const uint8_t *sig, const struct blob_ref *refs,
                      size_t n_refs, const struct dispatch_readers *r)
{
	saying_next(s, STATEMENT_COPY, whom);
	s->st->body.passed.turn = turn;
	s->st->body.passed.original = bytes;
	s->st->body.passed.original_sig = sig;
	return dispatch_send(s->d, s->st, refs, n_refs, r, false);
}

static enum perr copy_to(struct saying *s, const struct assigned *p, const struct dispatch_made *m)
{
	struct dispatch_readers r;
	enum perr err = saying_reach(s, p->key, &r);

	if (err == PERR_NOTFOUND) {
		s->n_unreached += !cache_is_holder(s->c, s->file->s.desk, p->key);
		s->why[0] = '\0';
		return PERR_OK;          /* forward.h does it once there is a prekey */
	}
	if (err == PERR_OK)
		err = saying_copy(s, p->key, p->turn, doc_bytes_of(m->bytes, m->len), m->sig,
		                  NULL, 0, &r);
	if (err == PERR_OK)
		err = saying_passed(s, p->key, p->turn, m->hash);
	s->n_copied++;
	return err;
}

enum perr saying_to_desk(struct saying *s, const struct assigned *also)
{
	const struct case_summary *sum = &s->file->s;
	struct dispatch_made made = { .bytes = NULL };
	struct case_statement *as = calloc(1, sizeof *as);
	enum perr err = as == NULL ? PERR_NOMEM
	    : dispatch_send_made(s->d, s->st, NULL, 0, &s->desk, true, &made);

	if (err == PERR_OK && s->is_holder) {
		as->st = *s->st;
		as->flags = RECORD_KNOWN | RECORD_COUNTS;
		for (uint32_t i = 0; i < sum->n_people && err == PERR_OK; i++)
			if ((also == NULL || memcmp(also->key, sum->people[i].key, 32) != 0) &&
			    ledger_wants(s->file, &sum->people[i], as))
				err = copy_to(s, &sum->people[i], &made);
		if (err == PERR_OK && also != NULL)
			err = copy_to(s, also, &made);
	}
	dispatch_made_wipe(&made);
	if (as != NULL)
		sodium_memzero(as, sizeof *as);
	free(as);
	return err;
}
