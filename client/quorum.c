/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "quorum.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "quorum_int.h"

/* ---- proposing changes ------------------------------------------------------------------ */

struct wanting {
	const struct pending_op *missing, *ops;
	size_t n_missing, n;
};

static const struct pending_op *nth(const struct wanting *w, size_t i)
{
	return i < w->n_missing ? &w->missing[i] : &w->ops[i - w->n_missing];
}

/* counters for the policies of the servers in memory, with room for what comes before */
static enum perr servers_of(struct client *c, struct proposal *p)
{
	enum perr err = PERR_OK;

	for (uint32_t i = 0; i < c->field->n_servers && err == PERR_OK; i++) {
		uint32_t counter;

		memcpy(p->servers[i].pk, c->field->servers[i].pk, 32);
		err = policies_counter(c, p->servers[i].pk, &counter);
		p->servers[i].counter = counter + POLICIES_AHEAD;
		p->n_servers++;
	}
	return err;
}

/* what the proposal says; the changes' bytes are the caller's, doc_free */
static enum perr write_proposal(struct client *c, const struct wanting *w, struct proposal *p)
{
	size_t n = w->n_missing + w->n;
	enum perr err;

	p->kind = PROPOSAL_CHANGES;
	memcpy(p->proposer, c->me->sign_pk, 32);
	memcpy(p->base, c->header_hash, 32);
	rng_fill(c->env.rng, p->seed, 32);
	err = press_next(c, &p->version, &p->day);
	if (n == 0 || n > PROPOSAL_CHANGES_MAX)
		return PERR_LIMIT;
	p->last = nth(w, n - 1)->number;
	for (size_t i = 0; i < n && err == PERR_OK; i++) {
		uint8_t *bytes = NULL;
		size_t len = 0;

		err = pending_op_encode(&bytes, &len, nth(w, i));
		if (err == PERR_OK)
			p->changes[p->n_changes++] = doc_bytes_of(bytes, len);
	}
	return err;
}

static void free_changes(struct proposal *p)
{
	for (uint32_t i = 0; i < p->n_changes; i++)
		doc_free((uint8_t *)p->changes[i].p, p->changes[i].len);
}

/* does a version with these changes list other servers?  Their policies are of it, too */
static enum perr try_changes(struct client *c, const struct wanting *w, struct proposal *p)
{
	enum perr err = PERR_OK, again;

	c->as_of = p->day;
	for (size_t i = 0; i < w->n_missing + w->n && err == PERR_OK; i++) {
		struct applied d;

		err = apply_op(c, nth(w, i), &d);
		if (err == PERR_OK && i >= w->n_missing && !d.changed)
			err = d.why[0] != '\0' ? PERR_LIMIT : PERR_EXISTS;
	}
	c->as_of = 0;
	if (err == PERR_OK)
		err = servers_of(c, p);
	again = client_reload(c);
	return again != PERR_OK ? again : err;
}

/* with this device's signatures: stored, and on its way to the boards */
static enum perr keep_mine(struct client *c, struct quorum_docs *d, const uint8_t *bytes,
                           size_t len, uint32_t revision)
{
	uint8_t *sheet = NULL, *sealed = NULL;
	size_t sheet_len = 0, sealed_len = 0;
	struct proposal_sheet *s = calloc(1, sizeof *s);
	bool is_new;
	enum perr err = s == NULL ? PERR_NOMEM : quorum_own_sheet(c, d, s, &sheet, &sheet_len);

	if (err == PERR_OK)
		err = box_put(c, bytes, len, &is_new);
	if (err == PERR_OK)
		err = box_put_sheet(c, sheet, sheet_len, s, &is_new);
	if (err == PERR_OK)
		err = quorum_bundle(c, d, &sealed, &sealed_len);
	if (err == PERR_OK) {
		err = box_post(c, d->p->kind, revision, sealed, sealed_len);
		/* too large for a board: it travels as a file, and the older one must not */
		if (err == PERR_RANGE)
			err = box_post(c, d->p->kind, revision, NULL, 0);
	}
	doc_free(sheet, sheet_len);
	doc_free(sealed, sealed_len);
	free(s);
	return err;
}

enum perr quorum_propose(struct client *c, const struct pending_op *missing, size_t n_missing,
                         const struct pending_op *ops, size_t n,
                         enum perr (*also)(struct client *c, void *arg), void *arg)
{
	const struct wanting w = { missing, ops, n_missing, n };
	struct proposal *p = calloc(1, sizeof *p);
	struct quorum_docs *d = NULL;
	uint8_t *bytes = NULL;
	struct sign_key key;
	size_t len = 0;
	enum perr err = p == NULL ? PERR_NOMEM : write_proposal(c, &w, p);

	if (err == PERR_OK)
		err = try_changes(c, &w, p);
	if (err != PERR_OK)
		goto out;
	err = kv_begin(c->kv);
	if (err == PERR_OK)
		err = box_revision(c, &p->revision);
	if (err == PERR_OK) {
		client_sign_key(c, &key);
		err = proposal_sign(&bytes, &len, p, &key);
		signed_key_wipe(&key);
	}
	if (err == PERR_OK)
		err = quorum_docs_make(c, bytes, len, true, &d);
	if (err == PERR_OK)
		err = client_reload(c);
	if (err == PERR_OK && also != NULL)
		err = also(c, arg);
	if (err == PERR_OK)
		err = keep_mine(c, d, bytes, len, p->revision);
	if (err == PERR_OK)
		err = kv_commit(c->kv);
	if (err != PERR_OK) {
		enum perr again;

		kv_abort(c->kv);
		again = client_reload(c);
		err = again != PERR_OK ? again : err;
	}
out:
	quorum_docs_free(d);
	doc_free(bytes, len);
	if (p != NULL) {
		free_changes(p);
		sodium_memzero(p, sizeof *p);
	}
	free(p);
	return err;
}

enum perr quorum_is_proposed(struct client *c, uint32_t last, bool *is)
{
	struct box_entry *e = NULL;
	enum perr err = box_of(c, c->me->sign_pk, PROPOSAL_CHANGES, &e);

	/* one that gets too old to be signed is made anew in time */
	*is = err == PERR_OK && e->p.last == last && memcmp(e->p.base, c->header_hash, 32) == 0 &&
	      (uint64_t)e->p.day + QUORUM_OLD_DAYS / 2 >= client_day(c);
	box_entry_free(e);
	return err == PERR_NOTFOUND ? PERR_OK : err;
}

/* ---- orders ----------------------------------------------------------------------------------- */

enum perr quorum_order(struct client *c, enum policy_order_kind kind, const uint8_t (*ids)[32],
                       uint32_t n_ids)
{
	struct proposal *p = calloc(1, sizeof *p);
	struct policy_order *o = calloc(1, sizeof *o);
	struct quorum_docs *d = NULL;
	uint8_t *bytes = NULL;
	struct sign_key key;
	size_t len = 0;
	enum perr err = p == NULL || o == NULL ? PERR_NOMEM : PERR_OK;

	if (err == PERR_OK && (c->admin == NULL || client_admins(c) == NULL ||
	                       policy_order_needs(client_admins(c), kind) <= 1))
		err = PERR_STATE;
	if (err == PERR_OK && c->field->n_servers == 0)
		err = PERR_NOTFOUND;
	if (err == PERR_OK && n_ids > POLICY_ORDER_IDS_MAX)
		err = PERR_RANGE;
	if (err != PERR_OK)
		goto out;
	p->kind = PROPOSAL_ORDERS;
	memcpy(p->proposer, c->me->sign_pk, 32);
	memcpy(p->base, c->header_hash, 32);
	p->day = client_day(c);
	for (uint32_t i = 0; i < c->field->n_servers && err == PERR_OK; i++) {
		uint8_t *order = NULL;
		size_t order_len = 0;
		uint32_t counter;

		memset(o, 0, sizeof *o);
		memcpy(o->server_pk, c->field->servers[i].pk, 32);
		err = policies_counter(c, o->server_pk, &counter);
		o->counter = counter + POLICIES_ORDERS;
		o->kind = kind;
		o->day = p->day;
		o->n_ids = n_ids;
		if (n_ids > 0)
			memcpy(o->ids, ids, (size_t)n_ids * 32);
		if (err == PERR_OK)
			err = policy_order_encode(&order, &order_len, o);
		if (err == PERR_OK)
			p->orders[p->n_orders++] = doc_bytes_of(order, order_len);
	}
	if (err == PERR_OK)
		err = kv_begin(c->kv);
	if (err != PERR_OK)
		goto out;
	err = box_revision(c, &p->revision);
	if (err == PERR_OK) {
		client_sign_key(c, &key);
		err = proposal_sign(&bytes, &len, p, &key);
		signed_key_wipe(&key);
	}
	if (err == PERR_OK)
		err = quorum_docs_make(c, bytes, len, true, &d);
	if (err == PERR_OK)
		err = keep_mine(c, d, bytes, len, p->revision);
	if (err == PERR_OK)
		err = kv_commit(c->kv);
	if (err != PERR_OK)
		kv_abort(c->kv);
out:
	for (uint32_t i = 0; p != NULL && i < p->n_orders; i++)
		doc_free((uint8_t *)p->orders[i].p, p->orders[i].len);
	quorum_docs_free(d);
	doc_free(bytes, len);
	free(o);
	free(p);
	return err;
}

/* an invitation that was never in force opens nothing: its text goes, a form's content too */
static enum perr forget_texts(void *arg, const struct pending_op *o)
{
	struct client *c = arg;
	char name[96];

	if (o->kind == PENDING_INVITE) {
		client_key_name(name, "invited/", o->ticket, 16);
		return kv_erase(c->kv, name);
	}
	if (o->kind == PENDING_FORM) {
		client_key_name(name, "form/", o->part, 32);
		return kv_erase(c->kv, name);
	}
	return PERR_OK;
}

enum perr quorum_withdraw(struct client *c, enum proposal_kind kind)
{
	struct box_entry *e = NULL;
	uint32_t revision;
	enum perr err = box_of(c, c->me->sign_pk, kind, &e);

	if (err != PERR_OK)
		return err;
	err = kv_begin(c->kv);
	if (err == PERR_OK && kind == PROPOSAL_CHANGES)
		err = pending_withdraw(c, forget_texts, c);
	if (err == PERR_OK)
		err = box_drop(c, e);
	if (err == PERR_OK)
		err = box_revision(c, &revision);
	if (err == PERR_OK)
		err = box_post(c, kind, revision, NULL, 0);
	if (err == PERR_OK)
		err = kv_commit(c->kv);
	if (err != PERR_OK)
		kv_abort(c->kv);
	box_entry_free(e);
	return err;
}

/* ---- looking -------------------------------------------------------------------------------------- */

static uint32_t needed(const struct client *c, const struct box_entry *e)
{
	uint32_t n = client_admins(c)->last.threshold;

	/* a higher threshold needs as many for the link that sets it */
	for (uint32_t i = 0; i < e->p.n_changes; i++) {
		struct pending_op o;

		if (pending_op_decode(&o, e->p.changes[i].p, e->p.changes[i].len) != PERR_OK)
			continue;
		if (o.kind == PENDING_THRESHOLD && o.numbers[0] > n)
			n = o.numbers[0];
		pending_op_free(&o);
	}
	return n;
}

struct viewing {
	struct client *c;
	quorum_fn *fn;
	void *arg;
	unsigned n;
};

static enum perr view_one(void *arg, const struct box_entry *e)
{
	struct viewing *w = arg;
	struct client *c = w->c;
	struct quorum_view v = { .kind = e->p.kind, .day = e->p.day };
	struct box_sheets *s;
	bool is_done;
	enum perr err = box_is_done(c, e->hash, &is_done);

	if (err != PERR_OK || is_done)
		return err;
	err = box_sheets(c, e->hash, &s);
	if (err != PERR_OK)
		return err;
	memcpy(v.hash, e->hash, 32);
	memcpy(v.proposer, e->p.proposer, 32);
	v.is_mine = memcmp(v.proposer, c->me->sign_pk, 32) == 0;
	v.is_stale = v.kind == PROPOSAL_CHANGES && memcmp(e->p.base, c->header_hash, 32) != 0;
	v.needs = needed(c, e);
	for (uint32_t i = 0; i < s->n; i++) {
		bool me = memcmp(s->at[i].signer, c->me->sign_pk, 32) == 0;

		if (s->at[i].n > 0) {
			memcpy(v.signers[v.n_signed++], s->at[i].signer, 32);
			v.signed_here |= me;
		} else {
			memcpy(v.refusers[v.n_refused++], s->at[i].signer, 32);
			v.refused_here |= me;
		}
	}
	free(s);
	if (v.is_mine)
		err = quorum_is_too_large(c, v.kind, &v.is_too_large);
	return err == PERR_OK ? w->fn(w->arg, &v) : err;
}

enum perr quorum_each(struct client *c, quorum_fn *fn, void *arg)
{
	struct viewing w = { .c = c, .fn = fn, .arg = arg };

	return c->admin == NULL ? PERR_OK : box_each(c, view_one, &w);
}

static enum perr count_waiting(void *arg, const struct quorum_view *v)
{
	if (!v->is_mine && !v->signed_here && !v->refused_here && !v->is_stale)
		(*(unsigned *)arg)++;
	return PERR_OK;
}

enum perr quorum_waiting(struct client *c, unsigned *n)
{
	*n = 0;
	return quorum_each(c, count_waiting, n);
}

enum perr quorum_is_busy(struct client *c, bool *is)
{
	unsigned n = 0;
	enum perr err = PERR_OK;

	*is = false;
	if (c->admin == NULL || client_admins(c)->last.threshold == 1)
		return PERR_OK;
	err = org_waits(c, is);
	if (err == PERR_OK && !*is) {
		err = quorum_waiting(c, &n);
		*is = n > 0;
	}
	return err;
}

/* ---- signing ------------------------------------------------------------------------------------------ */

enum perr quorum_sign(struct client *c, const uint8_t hash[32], bool *in_force)
{
	struct proposal_sheet *s = calloc(1, sizeof *s);
	struct quorum_docs *d = NULL;
	uint8_t *sheet = NULL;
	char slot[40];
	size_t len = 0;
	bool is_new, adopted;
	enum perr err = s == NULL ? PERR_NOMEM : quorum_make(c, hash, &d);

	*in_force = false;
	if (err == PERR_OK && d->n_unseen > 0)
		err = PERR_STATE;
	if (err == PERR_OK)
		err = quorum_own_sheet(c, d, s, &sheet, &len);
	if (err == PERR_OK)
		err = kv_begin(c->kv);
	if (err != PERR_OK)
		goto out;
	/* on its way before it comes into force: a kill in between loses nothing */
	err = box_put_sheet(c, sheet, len, s, &is_new);
	box_sheet_slot(slot, hash);
	if (err == PERR_OK)
		err = box_post_sheet(c, slot, sheet, len);
	if (err == PERR_OK)
		err = kv_commit(c->kv);
	if (err != PERR_OK)
		kv_abort(c->kv);
	if (err == PERR_OK)
		err = quorum_complete(c, hash, in_force, &adopted);
out:
	quorum_docs_free(d);
	doc_free(sheet, len);
	free(s);
	return err;
}

enum perr quorum_refuse(struct client *c, const uint8_t hash[32])
{
	struct proposal_sheet s = { .n = 0 };
	struct box_entry *e = NULL;
	struct sign_key key;
	uint8_t *sheet = NULL;
	char slot[40];
	size_t len = 0;
	bool is_new;
	enum perr err = box_get(c, hash, &e);

	if (err != PERR_OK)
		return err;
	memcpy(s.signer, c->me->sign_pk, 32);
	memcpy(s.hash, hash, 32);
	client_sign_key(c, &key);
	err = proposal_sheet_sign(&sheet, &len, &s, &key);
	signed_key_wipe(&key);
	if (err == PERR_OK)
		err = kv_begin(c->kv);
	if (err == PERR_OK) {
		err = box_put_sheet(c, sheet, len, &s, &is_new);
		if (err == PERR_OK && !is_new)
			err = PERR_EXISTS;       /* signed before: that cannot be taken back */
		box_sheet_slot(slot, hash);
		if (err == PERR_OK)
			err = box_post_sheet(c, slot, sheet, len);
		if (err == PERR_OK)
			err = kv_commit(c->kv);
		if (err != PERR_OK)
			kv_abort(c->kv);
	}
	doc_free(sheet, len);
	box_entry_free(e);
	return err;
}

/* ---- travelling ---------------------------------------------------------------------------------------- */

enum perr quorum_save(struct client *c, const uint8_t hash[32], uint8_t **out, size_t *len)
{
	struct quorum_docs *d = NULL;
	enum perr err = quorum_make(c, hash, &d);

	*out = NULL;
	*len = 0;
	if (err == PERR_OK)
		err = quorum_bundle(c, d, out, len);
	quorum_docs_free(d);
	return err;
}

/* a proposal with what came beside it, from a file or a board (inside a batch) */
static enum perr take_bundle(struct client *c, const uint8_t *in, size_t len, uint8_t hash[32],
                             bool *is_new)
{
	struct proposal_bundle *b = calloc(1, sizeof *b);
	struct proposal *p = calloc(1, sizeof *p);
	struct proposal_sheet *s = calloc(1, sizeof *s);
	struct box_entry *have = NULL;
	uint8_t *content = NULL;
	size_t content_len = 0;
	bool fresh;
	enum perr err = b == NULL || p == NULL || s == NULL ? PERR_NOMEM : PERR_OK;

	*is_new = false;
	if (err == PERR_OK)
		err = proposal_unseal(b, &content, &content_len, in, len, c->me->slot.sk,
		                      c->me->slot_secret);
	if (err == PERR_OK)
		err = proposal_open(p, hash, b->proposal.p, b->proposal.len);
	if (err == PERR_OK && !admins_has(client_admins(c), p->proposer))
		err = PERR_SIGS;
	if (err == PERR_OK)
		err = box_put(c, b->proposal.p, b->proposal.len, is_new);
	if (err == PERR_OK && !*is_new) {
		/* the same again may bring signatures; an older one nothing */
		err = box_get(c, hash, &have);
		box_entry_free(have);
		err = err == PERR_NOTFOUND ? PERR_OLD : err;
	}
	for (uint32_t i = 0; err == PERR_OK && i < b->n_sheets; i++) {
		err = proposal_sheet_open(s, b->sheets[i].p, b->sheets[i].len);
		if (err == PERR_OK && memcmp(s->hash, hash, 32) == 0 &&
		    admins_has(client_admins(c), s->signer)) {
			err = box_put_sheet(c, b->sheets[i].p, b->sheets[i].len, s, &fresh);
			*is_new |= fresh;
		}
		err = err == PERR_FORMAT || err == PERR_SIGS ? PERR_OK : err;
	}
	for (uint32_t i = 0; err == PERR_OK && i < b->n_forms; i++)
		err = quorum_keep_form(c, p, &b->forms[i]);
	doc_free(content, content_len);
	free(b);
	free(p);
	free(s);
	return err;
}

enum perr quorum_load(struct client *c, const uint8_t *in, size_t len, uint8_t hash[32])
{
	bool is_new;
	enum perr err;

	if (c->admin == NULL)
		return PERR_STATE;
	err = kv_begin(c->kv);
	if (err == PERR_OK)
		err = take_bundle(c, in, len, hash, &is_new);
	if (err == PERR_OK)
		err = kv_commit(c->kv);
	if (err != PERR_OK)
		kv_abort(c->kv);
	return err;
}

static enum perr take_part(struct client *c, const uint8_t *doc, size_t len, bool *is_new)
{
	struct proposal_part p;
	uint8_t hash[32], *all = NULL;
	size_t all_len = 0;
	enum perr err = proposal_part_open(&p, doc, len);

	if (err == PERR_OK && memcmp(p.proposer, c->me->sign_pk, 32) == 0)
		return box_saw_own(c, p.kind, p.revision);
	if (err != PERR_OK || !admins_has(client_admins(c), p.proposer))
		return err;
	err = box_put_part(c, &p, &all, &all_len);
	if (err == PERR_OK && all != NULL) {
		err = take_bundle(c, all, all_len, hash, is_new);
		/* sealed to others: this administrator is the one who is to go.  Or rubbish */
		if (err != PERR_NOMEM && err != PERR_IO && err != PERR_FULL && err != PERR_CORRUPT)
			err = PERR_OK;
	}
	doc_free(all, all_len);
	return err;
}

static enum perr take_sheet(struct client *c, const uint8_t *doc, size_t len, bool *is_new)
{
	struct proposal_sheet *s = calloc(1, sizeof *s);
	enum perr err = s == NULL ? PERR_NOMEM : proposal_sheet_open(s, doc, len);

	if (err == PERR_OK && memcmp(s->signer, c->me->sign_pk, 32) != 0 &&
	    admins_has(client_admins(c), s->signer))
		err = s->n_policies > 0 ? policies_take(c, s, is_new)
		                        : box_put_sheet(c, doc, len, s, is_new);
	free(s);
	return err;
}

enum perr quorum_take(struct client *c, bool is_sheet, const uint8_t *doc, size_t len,
                      bool *is_new)
{
	enum perr err;

	*is_new = false;
	if (c->admin == NULL || client_admins(c) == NULL)
		return PERR_OK;
	err = is_sheet ? take_sheet(c, doc, len, is_new) : take_part(c, doc, len, is_new);
	/* whatever a board holds, what is wrong in it is passed over */
	return err == PERR_FORMAT || err == PERR_SIGS || err == PERR_UNKNOWN || err == PERR_RANGE
	     ? PERR_OK : err;
}
