/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "ledger.h"

#include <string.h>

#include "cache.h"

static bool in_list(const struct statement_list *l, const uint8_t hash[32])
{
	for (size_t at = 0; at < l->things.len; at += STATEMENT_THING_SIZE)
		if (memcmp(l->things.p + at, hash, STATEMENT_THING_SIZE) == 0)
			return true;
	return false;
}

bool ledger_has(const struct case_file *f, const uint8_t whom[32], uint32_t turn,
                const uint8_t hash[32])
{
	for (size_t i = 0; i < f->n; i++) {
		const struct statement_receipt *r = &f->at[i]->st.body.receipt;

		if (f->at[i]->is_unknown || f->at[i]->st.kind != STATEMENT_RECEIPT ||
		    (f->at[i]->flags & RECORD_COUNTS) == 0)
			continue;
		for (uint32_t k = 0; k < r->n; k++)
			if (r->to[k].turn == turn && memcmp(r->to[k].whom, whom, 32) == 0 &&
			    in_list(&r->to[k], hash))
				return true;
	}
	return false;
}

/* whoever was assigned a record has that from the assignment itself */
static bool is_offer_to(const struct statement *st, const struct assigned *p)
{
	return st->kind == STATEMENT_STATUS && st->body.status.state == STATEMENT_ASSIGNED &&
	       memcmp(st->body.status.whom, p->key, 32) == 0;
}

static bool is_withdrawal_of(const struct statement_status *s, const struct assigned *p)
{
	return s->state == STATEMENT_UNASSIGNED && s->turn == p->turn &&
	       memcmp(s->whom, p->key, 32) == 0;
}

/*
 * What was said about a record: those kinds that any reader merges.  Not what only holders
 * exchange among themselves.
 */
static bool is_word(enum statement_kind kind)
{
	return kind == STATEMENT_ANSWER || kind == STATEMENT_NOTE || kind == STATEMENT_STATUS ||
	       kind == STATEMENT_ERASE;
}

bool ledger_wants(const struct case_file *f, const struct assigned *p,
                  const struct case_statement *s)
{
	const struct statement *st = &s->st;

	if (s->is_unknown || s->copy != NULL || !is_word(st->kind) ||
	    (s->flags & (RECORD_KNOWN | RECORD_COUNTS)) != (RECORD_KNOWN | RECORD_COUNTS) ||
	    memcmp(st->author, p->key, 32) == 0 || memcmp(st->to, f->s.desk, 32) != 0 ||
	    is_offer_to(st, p))
		return false;
	switch (p->state) {
	case ASSIGNED_OFFERED:
	case ASSIGNED_ACCEPTED:
		return true;
	case ASSIGNED_SILENT:
	case ASSIGNED_LATE:
		return st->kind == STATEMENT_STATUS || st->kind == STATEMENT_ERASE;
	case ASSIGNED_WITHDRAWN:
		return st->kind == STATEMENT_STATUS && is_withdrawal_of(&st->body.status, p);
	case ASSIGNED_DECLINED:
	case ASSIGNED_RECUSED:
		return false;
	}
	return false;
}

bool ledger_wants_sources(const struct assigned *p)
{
	return assigned_has_it(p->state);
}

static bool source_is_due(const struct case_file *f, const struct assigned *p,
                          const struct case_source *src)
{
	const struct statement_attachments *list = envelope_attachments(src->st);

	if (!ledger_has(f, p->key, p->turn, src->hash))
		return true;
	for (uint32_t i = 0; list != NULL && i < list->n; i++)
		if (!ledger_has(f, p->key, p->turn, list->at[i].hash))
			return true;
	return false;
}

static bool is_due_to(const struct case_file *f, const struct assigned *p)
{
	for (size_t i = 0; i < f->n; i++)
		if (ledger_wants(f, p, f->at[i]) &&
		    !ledger_has(f, p->key, p->turn, f->at[i]->hash))
			return true;
	if (!ledger_wants_sources(p))
		return false;
	for (size_t i = 0; i < f->n_interviews; i++)
		if (source_is_due(f, p, &f->interviews[i]))
			return true;
	for (size_t i = 0; i < f->n_corrections; i++)
		if (source_is_due(f, p, &f->corrections[i]))
			return true;
	return false;
}

bool ledger_is_due(struct client *c, const struct case_file *f)
{
	for (uint32_t i = 0; i < f->s.n_people; i++)
		if (!cache_is_holder(c, f->s.desk, f->s.people[i].key) &&
		    is_due_to(f, &f->s.people[i]))
			return true;
	return false;
}
