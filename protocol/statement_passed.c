/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "statement_int.h"

static void get_consent(struct mp_reader *r, struct statement_consent *c)
{
	mp_array(r, 4);
	c->text = doc_get_text(r, 1, TEXT_MAX);
	c->day = doc_get_uint(r, UINT32_MAX);
	c->by = doc_get_text(r, 1, 128);
	c->language = doc_get_text(r, 0, LANGUAGE_MAX);
}

static void put_consent(struct mp_writer *w, const struct statement_consent *c)
{
	mp_put_key(w, 3);
	mp_put_array(w, 4);
	doc_put_text(w, c->text);
	mp_put_uint(w, c->day);
	doc_put_text(w, c->by);
	doc_put_text(w, c->language);
}

/* counts from 1; so does a day that means something */
static uint32_t get_turn(struct mp_reader *r)
{
	uint32_t turn = doc_get_uint(r, UINT32_MAX);

	if (turn == 0)
		mp_fail(r, PERR_FORMAT);
	return turn;
}

static enum statement_role get_role(struct mp_reader *r)
{
	uint32_t role = doc_get_uint(r, STATEMENT_INTERPRETER);

	if (role < STATEMENT_ATTORNEY)
		mp_fail(r, PERR_FORMAT);
	return (enum statement_role)role;
}

void statement_get_passed(struct mp_reader *r, struct doc_map *m, struct statement_passed *p,
                          bool is_referral)
{
	doc_need(m, 0);
	p->reason = doc_get_text(r, 0, TEXT_MAX);
	doc_need(m, 1);
	p->original = doc_get_bytes(r, 1, STATEMENT_MAX);
	doc_need(m, 2);
	p->original_sig = mp_bin(r, SIGNED_SIG_SIZE);
	doc_need(m, 3);
	if (is_referral) {
		get_consent(r, &p->consent);
		return;
	}
	p->turn = get_turn(r);
	doc_need(m, 4);
	p->role = get_role(r);
	if (doc_has(m, 5))
		p->answer_by = get_turn(r);
}

void statement_put_passed(struct mp_writer *w, const struct statement_passed *p, bool is_referral)
{
	mp_put_map(w, is_referral ? 4 : p->answer_by == 0 ? 5 : 6);
	mp_put_key(w, 0);
	doc_put_text(w, p->reason);
	mp_put_key(w, 1);
	doc_put_bytes(w, p->original);
	mp_put_key(w, 2);
	mp_put_bin(w, p->original_sig, SIGNED_SIG_SIZE);
	if (is_referral) {
		put_consent(w, &p->consent);
		return;
	}
	mp_put_key(w, 3);
	mp_put_uint(w, p->turn);
	mp_put_key(w, 4);
	mp_put_uint(w, p->role);
	if (p->answer_by != 0) {
		mp_put_key(w, 5);
		mp_put_uint(w, p->answer_by);
	}
}

void statement_get_copy(struct mp_reader *r, struct doc_map *m, struct statement_passed *p)
{
	doc_need(m, 0);
	p->turn = get_turn(r);
	doc_need(m, 1);
	p->original = doc_get_bytes(r, 1, STATEMENT_MAX);
	doc_need(m, 2);
	p->original_sig = mp_bin(r, SIGNED_SIG_SIZE);
}

void statement_put_copy(struct mp_writer *w, const struct statement_passed *p)
{
	mp_put_map(w, 3);
	mp_put_key(w, 0);
	mp_put_uint(w, p->turn);
	mp_put_key(w, 1);
	doc_put_bytes(w, p->original);
	mp_put_key(w, 2);
	mp_put_bin(w, p->original_sig, SIGNED_SIG_SIZE);
}

void statement_get_answer(struct mp_reader *r, struct doc_map *m, struct statement_answer *a)
{
	uint32_t decision;

	doc_need(m, 0);
	decision = doc_get_uint(r, STATEMENT_DECLINE);
	if (decision < STATEMENT_ACCEPT)
		mp_fail(r, PERR_FORMAT);
	a->decision = (enum statement_decision)decision;
	doc_need(m, 1);
	a->text = doc_get_text(r, 0, TEXT_MAX);
	doc_need(m, 2);
	a->turn = get_turn(r);
}

void statement_put_answer(struct mp_writer *w, const struct statement_answer *a)
{
	mp_put_map(w, 3);
	mp_put_key(w, 0);
	mp_put_uint(w, a->decision);
	mp_put_key(w, 1);
	doc_put_text(w, a->text);
	mp_put_key(w, 2);
	mp_put_uint(w, a->turn);
}

/*
 * PROTOCOL 4.2: "State 2 has fields 2, 4 and 5, and 6 if there is an end; 7 has fields 2 and
 * 4; the others have neither 5 nor 6."
 */
static bool status_is_whole(const struct statement_status *s)
{
	if (s->state == STATEMENT_ASSIGNED)
		return s->has_whom && s->turn != 0 && s->role != STATEMENT_NO_ROLE;
	if (s->role != STATEMENT_NO_ROLE || s->answer_by != 0)
		return false;
	return s->state != STATEMENT_UNASSIGNED || (s->has_whom && s->turn != 0);
}

void statement_get_status(struct mp_reader *r, struct doc_map *m, struct statement_status *s)
{
	uint32_t state;

	doc_need(m, 0);
	state = doc_get_uint(r, STATEMENT_REFERRED);
	if (state < STATEMENT_OPEN)
		mp_fail(r, PERR_FORMAT);
	s->state = (enum statement_state)state;
	doc_need(m, 1);
	s->text = doc_get_text(r, 0, TEXT_MAX);
	s->has_whom = doc_has(m, 2);
	if (s->has_whom)
		mp_bin_copy(r, s->whom, sizeof s->whom);
	s->has_consent = doc_has(m, 3);
	if (s->has_consent)
		get_consent(r, &s->consent);
	if (doc_has(m, 4))
		s->turn = get_turn(r);
	if (doc_has(m, 5))
		s->role = get_role(r);
	if (doc_has(m, 6))
		s->answer_by = get_turn(r);
	if ((state == STATEMENT_REFERRED) != s->has_consent ||
	    (s->has_consent && !s->has_whom) ||
	    !status_is_whole(s))
		mp_fail(r, PERR_FORMAT);
}

/* a number where it is not 0 */
static void put_given(struct mp_writer *w, unsigned key, uint32_t n)
{
	if (n == 0)
		return;
	mp_put_key(w, key);
	mp_put_uint(w, n);
}

void statement_put_status(struct mp_writer *w, const struct statement_status *s)
{
	mp_put_map(w, 2u + s->has_whom + s->has_consent + (s->turn != 0) +
	              (s->role != STATEMENT_NO_ROLE) + (s->answer_by != 0));
	mp_put_key(w, 0);
	mp_put_uint(w, s->state);
	mp_put_key(w, 1);
	doc_put_text(w, s->text);
	if (s->has_whom) {
		mp_put_key(w, 2);
		mp_put_bin(w, s->whom, sizeof s->whom);
	}
	if (s->has_consent)
		put_consent(w, &s->consent);
	put_given(w, 4, s->turn);
	put_given(w, 5, s->role);
	put_given(w, 6, s->answer_by);
}

void statement_get_receipt(struct mp_reader *r, struct doc_map *m, struct statement_receipt *p)
{
	doc_need(m, 0);
	p->n = mp_array_var(r, 1, STATEMENT_LISTS);
	for (uint32_t i = 0; i < p->n; i++) {
		struct statement_list *l = &p->to[i];

		mp_array(r, 3);
		mp_bin_copy(r, l->whom, sizeof l->whom);
		l->turn = get_turn(r);
		l->things = doc_get_bytes(r, STATEMENT_THING_SIZE,
		                          STATEMENT_THINGS * STATEMENT_THING_SIZE);
		if (l->things.len % STATEMENT_THING_SIZE != 0)
			mp_fail(r, PERR_FORMAT);
	}
}

void statement_put_receipt(struct mp_writer *w, const struct statement_receipt *p)
{
	mp_put_map(w, 1);
	mp_put_key(w, 0);
	mp_put_array(w, p->n);
	for (uint32_t i = 0; i < p->n; i++) {
		mp_put_array(w, 3);
		mp_put_bin(w, p->to[i].whom, sizeof p->to[i].whom);
		mp_put_uint(w, p->to[i].turn);
		doc_put_bytes(w, p->to[i].things);
	}
}
