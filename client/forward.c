/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "forward.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "cache.h"
#include "doc.h"
#include "ledger.h"
#include "pass.h"

static void weight(uint8_t out[32], const uint8_t holder[32], const uint8_t hash[32],
                   const uint8_t whom[32])
{
	uint8_t all[STATEMENT_THING_SIZE + 64];

	memcpy(all, hash, STATEMENT_THING_SIZE);
	memcpy(all + STATEMENT_THING_SIZE, whom, 32);
	memcpy(all + STATEMENT_THING_SIZE + 32, holder, 32);
	doc_hash(out, "amparo client forward", all, sizeof all);
}

uint32_t forward_rank(const uint8_t (*holders)[32], uint32_t n, uint32_t at,
                      const uint8_t hash[32], const uint8_t whom[32])
{
	uint8_t mine[32], other[32];
	uint32_t rank = 0;

	weight(mine, holders[at], hash, whom);
	for (uint32_t i = 0; i < n; i++) {
		weight(other, holders[i], hash, whom);
		rank += i != at && memcmp(other, mine, sizeof mine) < 0;
	}
	return rank;
}

/* ---- one record --------------------------------------------------------------------- */

struct turn_of {
	struct saying *s;
	uint32_t n;                      /* living holders: paper takes no turns */
	uint8_t holders[CHARTER_HOLDERS_MAX][32];
	uint32_t me;                     /* this member's place among them */
	const struct assigned *to;
};

/* not passed on yet, and this device's turn? */
static bool is_my_turn(void *arg, const uint8_t hash[32], const struct case_statement *by)
{
	const struct turn_of *t = arg;
	uint32_t rank;

	if (ledger_has(t->s->file, t->to->key, t->to->turn, hash))
		return false;
	rank = forward_rank((const uint8_t (*)[32])t->holders, t->n, t->me, hash, t->to->key);
	return client_day(t->s->c) >= by->received_day + rank * FORWARD_WAIT_DAYS;
}

static enum perr to_person(struct turn_of *t, struct pass *p)
{
	struct dispatch_readers r;
	enum perr err = saying_reach(t->s, t->to->key, &r);

	if (err == PERR_NOTFOUND)
		return PERR_OK;          /* no member any more, or no prekey yet */
	return err == PERR_OK ? pass_send(p, t->s, t->to, &r, NULL) : err;
}

/* attachments are sealed for all people before the batch begins, which others wait for */
static enum perr forward_record(struct client *c, const uint8_t record[STATEMENT_RECORD_SIZE],
                                bool *sent)
{
	struct pass *p = calloc(CASE_PEOPLE_MAX, sizeof *p);
	char why[DISPATCH_WHY];
	struct turn_of t = { .me = 0 };
	const struct desk *desk;
	struct saying s;
	uint32_t n = 0, i, planned = 0;
	enum perr err = saying_begin(&s, c, record, why);

	*sent = false;
	if (err == PERR_OK && p == NULL)
		err = PERR_NOMEM;
	t.s = &s;
	if (err == PERR_OK)
		err = cache_desk(c, s.file->s.desk, &desk);
	if (err == PERR_OK)
		t.n = charter_living_keys(&desk->now, t.holders);
	for (i = 0; err == PERR_OK && i < t.n; i++)
		if (memcmp(t.holders[i], c->me->sign_pk, 32) == 0)
			t.me = i;
	for (; err == PERR_OK && n < s.file->s.n_people; n++) {
		t.to = &s.file->s.people[n];
		if (cache_is_holder(c, s.file->s.desk, t.to->key))
			continue;
		err = pass_plan(&p[n], &s, t.to, is_my_turn, &t);
		planned += (uint32_t)p[n].n;
	}
	if (err == PERR_OK && planned > 0) {
		err = dispatch_begin(s.d);
		for (i = 0; i < n && err == PERR_OK; i++) {
			t.to = &s.file->s.people[i];
			if (p[i].n > 0)
				err = to_person(&t, &p[i]);
		}
		*sent = s.n_lists > 0;
		if (err == PERR_OK)
			err = saying_receipt(&s);
		if (err == PERR_OK && *sent)
			err = dispatch_commit(s.d, NULL);
	}
	for (i = 0; p != NULL && i < CASE_PEOPLE_MAX; i++)
		pass_free(&p[i]);
	free(p);
	saying_end(&s);
	/* a record that cannot be passed on now is one that waits */
	return err == PERR_REFUSED || err == PERR_NOTFOUND ? PERR_OK : err;
}

/* ---- all of them -------------------------------------------------------------------- */

struct due {
	struct client *c;
	uint8_t (*at)[STATEMENT_RECORD_SIZE];
	size_t n, room;
};

static enum perr one_case(void *arg, const struct case_summary *s)
{
	struct due *d = arg;

	if (!s->copies_due || !cache_is_holder(d->c, s->desk, d->c->me->sign_pk))
		return PERR_OK;
	if (d->n == d->room) {
		size_t room = d->room == 0 ? 16 : 2 * d->room;
		void *more = realloc(d->at, room * sizeof *d->at);

		if (more == NULL)
			return PERR_NOMEM;
		d->at = more;
		d->room = room;
	}
	memcpy(d->at[d->n++], s->record, STATEMENT_RECORD_SIZE);
	return PERR_OK;
}

enum perr forward_run(struct client *c, unsigned *n)
{
	struct due d = { .c = c };
	bool holds, sent;
	enum perr err;

	*n = 0;
	if (c->staff == NULL || c->me->state != CLIENT_MEMBER)
		return PERR_OK;
	err = client_holds(c, NULL, &holds);
	if (err != PERR_OK || !holds)
		return err;
	err = case_each(c, one_case, &d, NULL);
	for (size_t i = 0; i < d.n && err == PERR_OK; i++) {
		err = forward_record(c, d.at[i], &sent);
		*n += sent;
	}
	free(d.at);
	return err;
}
