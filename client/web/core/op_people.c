/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* op_people: who a case can be given to, and the comparing of words.  Shapes: app/ops_desk.ts */
#include <stdlib.h>
#include <string.h>

#include "assign.h"
#include "cache.h"
#include "doc.h"
#include "gone.h"
#include "prekeys.h"
#include "refusal.h"
#include "roster.h"
#include "trust.h"
#include "wdesk.h"
#include "web_ops.h"

struct people {
	struct web *w;
	struct case_summary *s;          /* of the case; NULL: none was named */
	bool i_hold;                     /* its desk */
	bool is_kept;                    /* erased everywhere else: here by a legal hold alone */
	uint32_t n;
	struct person {
		const struct roster_member *m;
		unsigned n_open;
	} *at;
};

static bool may_read(const struct roster_member *m)
{
	return m->role == ROSTER_ATTORNEY || m->role == ROSTER_INTERPRETER;
}

static bool is_me(const struct people *p, const struct roster_member *m)
{
	return memcmp(m->key, p->w->c->me->sign_pk, 32) == 0;
}

static enum perr count_open(void *arg, const struct case_summary *s)
{
	struct people *p = arg;

	for (uint32_t i = 0; s->state != CASE_CLOSED && i < s->n_people; i++)
		for (uint32_t k = 0; assigned_has_it(s->people[i].state) && k < p->n; k++)
			if (memcmp(p->at[k].m->key, s->people[i].key, 32) == 0)
				p->at[k].n_open++;
	return PERR_OK;
}

static int by_name(const void *a, const void *b)
{
	const struct person *x = a, *y = b;
	int name = strcmp(x->m->name, y->m->name);

	return name != 0 ? name : memcmp(x->m->key, y->m->key, 32);
}

static enum perr has_keys(const struct people *p, const struct roster_member *m, bool *has)
{
	uint8_t pk[32];
	enum perr err = is_me(p, m) ? PERR_OK
	                            : prekey_for(p->w->c, m->key, client_day(p->w->c), pk);

	*has = err == PERR_OK;
	return err == PERR_NOTFOUND ? PERR_OK : err;
}

static bool is_holder(const struct people *p, const struct roster_member *m)
{
	const struct roster_field *field = p->w->c->field;

	if (p->s != NULL)
		return cache_is_holder(p->w->c, p->s->desk, m->key);
	for (uint32_t i = 0; field != NULL && i < field->n_desks; i++) {
		struct desk *desk = malloc(sizeof *desk);
		bool is = desk != NULL && client_desk(p->w->c, i, desk) == PERR_OK &&
		          charter_has_holder(&desk->now, m->key);

		free(desk);
		if (is)
			return true;
	}
	return false;
}

/* what case_assign would say, in its order; NULL: nothing stands against it */
static const char *refused(const struct people *p, const struct assigned *now, bool compared,
                           bool keys)
{
	if (p->s != NULL && p->s->is_alone)
		return refusal_text(REFUSAL_ALONE);
	if (p->is_kept)
		return refusal_text(REFUSAL_ERASED);
	if (p->s != NULL && !p->i_hold)
		return refusal_text(REFUSAL_NOT_HOLDER);
	if (p->s != NULL && p->s->state == CASE_CLOSED)
		return refusal_text(REFUSAL_CLOSED);
	if (now != NULL && now->state == ASSIGNED_RECUSED)
		return refusal_text(REFUSAL_RECUSED);
	if (now != NULL && now->state == ASSIGNED_ACCEPTED)
		return refusal_text(REFUSAL_HAS_IT);
	if (now != NULL && now->state == ASSIGNED_OFFERED)
		return refusal_text(REFUSAL_ASKED);
	if (!keys)
		return refusal_text(REFUSAL_NO_KEYS);
	return compared ? NULL : "not_compared";
}

static enum perr put_person(const struct people *p, struct web_out *o, const struct person *at)
{
	const struct assigned *now = p->s == NULL ? NULL : case_person(p->s, at->m->key);
	bool keys = false, compared;
	int known = 0;
	enum perr err = trust_member(p->w->c, at->m->key, &known);

	if (err == PERR_OK)
		err = has_keys(p, at->m, &keys);
	if (err != PERR_OK)
		return err;
	compared = known == 2 || is_me(p, at->m);
	wdesk_begin_who(p->w, o, NULL, at->m->key);
	web_out_str(o, "role", at->m->role == ROSTER_INTERPRETER ? "interpreter" : "attorney");
	web_out_list(o, "languages");
	for (uint32_t i = 0; i < at->m->n_languages; i++)
		web_out_str(o, NULL, at->m->languages[i]);
	web_out_end(o);
	web_out_bool(o, "holder", is_holder(p, at->m));
	web_out_bool(o, "compared", compared);
	web_out_bool(o, "keys", keys);
	web_out_uint(o, "n_open", at->n_open);
	web_out_str(o, "state", now == NULL ? NULL : wdesk_person_state(now->state));
	web_out_str(o, "refused", refused(p, now, compared, keys));
	web_out_end(o);
	return PERR_OK;
}

static enum perr put_people(struct people *p, struct web_out *o)
{
	const struct roster_staff *staff = p->w->c->staff;
	enum perr err;

	p->at = calloc((size_t)staff->n_members + 1, sizeof *p->at);
	if (p->at == NULL)
		return PERR_NOMEM;
	for (uint32_t i = 0; i < staff->n_members; i++)
		if (may_read(&staff->members[i]))
			p->at[p->n++].m = &staff->members[i];
	qsort(p->at, p->n, sizeof *p->at, by_name);
	err = case_each(p->w->c, count_open, p, NULL);
	web_out_list(o, "people");
	for (int mine = 1; mine >= 0; mine--)    /* oneself first */
		for (uint32_t i = 0; err == PERR_OK && i < p->n; i++)
			if (is_me(p, p->at[i].m) == (mine == 1))
				err = put_person(p, o, &p->at[i]);
	web_out_end(o);
	return err;
}

enum perr op_people(struct web *w, struct web_args *a, struct web_out *o)
{
	uint8_t record[STATEMENT_RECORD_SIZE];
	struct people p = { .w = w };
	enum gone gone = GONE_NOT;
	bool is_given = wdesk_arg_id(a, "record", record, sizeof record, true);
	struct wdesk *d;
	enum perr err = web_args_end(a);

	if (err == PERR_OK)
		err = wdesk_open(w, &d);
	if (err == PERR_OK && is_given) {
		p.s = malloc(sizeof *p.s);
		err = p.s == NULL ? PERR_NOMEM : case_summary(w->c, record, p.s);
	}
	if (err == PERR_OK && is_given) {
		err = gone_of(w->c, record, &gone);
		p.is_kept = gone == GONE_KEPT;
	}
	if (err == PERR_OK) {
		p.i_hold = p.s != NULL && client_is_holder(w->c, p.s->desk);
		err = put_people(&p, o);
	}
	free(p.at);
	doc_free((uint8_t *)p.s, p.s == NULL ? 0 : sizeof *p.s);
	return err;
}

/* ---- words ---------------------------------------------------------------------------------- */

static enum perr arg_person(struct web *w, struct web_args *a, uint8_t key[32])
{
	struct wdesk *d;
	enum perr err;

	wdesk_arg_id(a, "key", key, 32, false);
	err = web_args_end(a);
	if (err == PERR_OK)
		err = wdesk_open(w, &d);
	if (err == PERR_OK && roster_staff_find(w->c->staff, key) == NULL)
		err = PERR_NOTFOUND;
	return err;
}

enum perr op_person_words(struct web *w, struct web_args *a, struct web_out *o)
{
	char phrase[WORDS_PHRASE_SIZE(ASSIGN_WORDS)];
	uint8_t key[32];
	int known = 0;
	enum perr err = arg_person(w, a, key);

	if (err == PERR_OK)
		err = trust_member(w->c, key, &known);
	if (err != PERR_OK)
		return err;
	assign_words(phrase, key);
	wdesk_put_who(w, o, "who", key);
	web_out_words(o, "words", phrase);
	web_out_bool(o, "compared", known == 2 || memcmp(key, w->c->me->sign_pk, 32) == 0);
	return PERR_OK;
}

enum perr op_person_compared(struct web *w, struct web_args *a, struct web_out *o)
{
	uint8_t key[32];
	enum perr err = arg_person(w, a, key);

	(void)o;
	return err == PERR_OK ? trust_member_compared(w->c, key) : err;
}
