/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "quorum_int.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "roster.h"

#define VERSION_LEAP 1000        /* a version further ahead would use up the numbers */
#define DAY_AHEAD    2

void quorum_docs_free(struct quorum_docs *d)
{
	if (d == NULL)
		return;
	for (uint32_t i = 0; d->ops != NULL && i < d->p->n_changes; i++)
		pending_op_free(&d->ops[i]);
	free(d->ops);
	press_free(d->press);
	free(d->orders);
	for (uint32_t i = 0; i < d->n_own; i++)
		doc_free(d->own[i].bytes, d->own[i].len);
	if (d->p != NULL)
		sodium_memzero(d->p, sizeof *d->p);
	free(d->p);
	doc_free(d->bytes, d->bytes_len);
	free(d);
}

const struct press *quorum_press(const struct quorum_docs *d)
{
	return d->press;
}

const struct policy_order *quorum_orders(const struct quorum_docs *d, size_t *n)
{
	*n = d->p->n_orders;
	return d->orders;
}

const struct pending_op *quorum_changes(const struct quorum_docs *d, size_t *n)
{
	*n = d->p->n_changes;
	return d->ops;
}

unsigned quorum_unseen(const struct quorum_docs *d)
{
	return d->n_unseen;
}

/* a document that no press holds; bytes become d's */
static void add_own(struct quorum_docs *d, const char *context, uint8_t *bytes, size_t len)
{
	d->own[d->n_own].bytes = bytes;
	d->own[d->n_own].len = len;
	d->at[d->n++] = (struct quorum_doc){ context, bytes, len, &d->own[d->n_own].sigs };
	d->n_own++;
}

/* ---- orders ----------------------------------------------------------------------------- */

static bool is_listed(const struct client *c, const uint8_t pk[32])
{
	for (uint32_t i = 0; i < c->field->n_servers; i++)
		if (memcmp(c->field->servers[i].pk, pk, 32) == 0)
			return true;
	return false;
}

static bool is_same_order(const struct policy_order *a, const struct policy_order *b)
{
	return a->kind == b->kind && a->day == b->day && a->n_ids == b->n_ids &&
	       memcmp(a->ids, b->ids, (size_t)a->n_ids * 32) == 0;
}

static enum perr make_orders(struct client *c, struct quorum_docs *d, bool trust)
{
	const struct proposal *p = d->p;
	uint32_t today = client_day(c), known;
	enum perr err = PERR_OK;

	if (!trust && (p->day > today + DAY_AHEAD || (uint64_t)p->day + QUORUM_ORDER_DAYS < today))
		return PERR_RANGE;
	d->orders = calloc(p->n_orders, sizeof *d->orders);
	if (d->orders == NULL)
		return PERR_NOMEM;
	for (uint32_t i = 0; i < p->n_orders && err == PERR_OK; i++) {
		struct policy_order *o = &d->orders[i];
		uint8_t *bytes = malloc(p->orders[i].len);

		if (bytes == NULL)
			return PERR_NOMEM;
		memcpy(bytes, p->orders[i].p, p->orders[i].len);
		add_own(d, POLICY_ORDER_CONTEXT, bytes, p->orders[i].len);
		err = policy_order_decode(o, bytes, p->orders[i].len);
		if (err == PERR_OK)
			err = policies_counter(c, o->server_pk, &known);
		/* one thing, said to each server: a signer is shown it once */
		if (err == PERR_OK && !trust &&
		    (o->kind == POLICY_RELEASE || o->day != p->day || !is_listed(c, o->server_pk) ||
		     !is_same_order(o, &d->orders[0]) ||
		     (o->counter > known && o->counter - known > POLICIES_LEAP)))
			err = PERR_RANGE;
	}
	return err;
}

/* ---- changes ------------------------------------------------------------------------------ */

static enum perr check_bounds(struct client *c, const struct proposal *p)
{
	const struct bulletin *b = client_bulletin(c);
	uint32_t today = client_day(c), known;
	enum perr err = PERR_OK;

	if (memcmp(p->base, c->header_hash, 32) != 0)
		return PERR_OLD;
	if (p->version <= b->version || p->version - b->version > VERSION_LEAP ||
	    p->day > today + DAY_AHEAD || (uint64_t)p->day + QUORUM_OLD_DAYS < today ||
	    p->day < b->day || p->last <= pending_made(c->admin, p->proposer))
		return PERR_RANGE;
	for (uint32_t i = 0; i < p->n_servers && err == PERR_OK; i++) {
		err = policies_counter(c, p->servers[i].pk, &known);
		if (err == PERR_OK && p->servers[i].counter > known &&
		    p->servers[i].counter - known > POLICIES_LEAP)
			err = PERR_RANGE;
	}
	return err;
}

static enum perr has_content(struct client *c, const uint8_t part[32], bool *has)
{
	static const char *const where[] = { "form/", "quorum/f/" };
	enum perr err = PERR_OK;

	*has = false;
	for (int i = 0; i < 2 && err == PERR_OK && !*has; i++) {
		uint8_t *value;
		char name[96];

		client_key_name(name, where[i], part, 32);
		err = kv_get(c->kv, name, &value, NULL);
		*has = err == PERR_OK;
		if (err == PERR_OK)
			kv_free(value);
		err = err == PERR_NOTFOUND ? PERR_OK : err;
	}
	return err;
}

/* what a peer's change makes of itself here: only our own store's errors are ours */
static enum perr of_change(enum perr err)
{
	switch (err) {
	case PERR_OK: case PERR_NOMEM: case PERR_IO: case PERR_FULL: case PERR_TIMEOUT:
		return err;
	default:
		return PERR_UNKNOWN;
	}
}

static enum perr do_changes(struct client *c, struct quorum_docs *d)
{
	const struct proposal *p = d->p;
	enum perr err = PERR_OK;

	d->ops = calloc(p->n_changes, sizeof *d->ops);
	if (d->ops == NULL)
		return PERR_NOMEM;
	for (uint32_t i = 0; i < p->n_changes && err == PERR_OK; i++) {
		struct applied done;

		err = pending_op_decode(&d->ops[i], p->changes[i].p, p->changes[i].len);
		err = of_change(err);
		if (err == PERR_OK)
			err = of_change(apply_op(c, &d->ops[i], &done));
		if (err == PERR_OK && done.why[0] != '\0')
			err = PERR_LIMIT;
		if (err == PERR_OK && d->ops[i].kind == PENDING_FORM) {
			bool has;

			err = has_content(c, d->ops[i].part, &has);
			d->n_unseen += err == PERR_OK && !has;
		}
	}
	return err == PERR_OK ? pending_mark_for(c, p->proposer, p->last) : err;
}

static enum perr add_policies(struct client *c, struct quorum_docs *d)
{
	const struct proposal *p = d->p;
	struct policy *pol = calloc(1, sizeof *pol);
	enum perr err = pol == NULL ? PERR_NOMEM : PERR_OK;

	for (uint32_t i = 0; i < p->n_servers && err == PERR_OK; i++) {
		uint8_t *bytes = NULL;
		uint32_t at = 0;
		size_t len = 0;

		while (at < c->field->n_servers &&
		       memcmp(c->field->servers[at].pk, p->servers[i].pk, 32) != 0)
			at++;
		/* a policy for a server that the version does not list follows from nothing */
		err = at == c->field->n_servers ? PERR_RANGE
		    : policies_make(c, at, p->servers[i].counter, p->day, p->version,
		                    press_bulletin(d->press)->link, press_key(d->press), pol);
		if (err == PERR_OK)
			err = policy_encode(&bytes, &len, pol);
		if (err == PERR_OK)
			add_own(d, POLICY_CONTEXT, bytes, len);
		sodium_memzero(pol, sizeof *pol);
	}
	free(pol);
	return err;
}

static enum perr make_changes(struct client *c, struct quorum_docs *d, bool trust)
{
	struct press_doc docs[PRESS_DOCS];
	struct rng own = c->env.rng;
	struct rng_seeded seeded;
	enum perr err = trust ? PERR_OK : check_bounds(c, d->p);

	if (err != PERR_OK)
		return err;
	c->env.rng = rng_seeded(&seeded, d->p->seed);
	c->as_of = d->p->day;
	err = do_changes(c, d);
	if (err == PERR_OK)
		err = of_change(press_make(&d->press, c, d->p->version, d->p->day, c->env.rng));
	c->env.rng = own;
	c->as_of = 0;
	sodium_memzero(&seeded, sizeof seeded);
	if (err != PERR_OK)
		return err;
	d->n = (uint32_t)press_docs(d->press, docs);
	for (uint32_t i = 0; i < d->n; i++)
		d->at[i] = (struct quorum_doc){ docs[i].context, docs[i].bytes, docs[i].len,
		                                docs[i].sigs };
	return add_policies(c, d);
}

enum perr quorum_docs_make(struct client *c, const uint8_t *bytes, size_t len, bool trust,
                           struct quorum_docs **out)
{
	struct quorum_docs *d = calloc(1, sizeof *d);
	enum perr err = PERR_NOMEM;

	*out = NULL;
	if (d == NULL)
		return err;
	d->p = calloc(1, sizeof *d->p);
	d->bytes = malloc(len);
	d->bytes_len = len;
	if (d->p != NULL && d->bytes != NULL) {
		memcpy(d->bytes, bytes, len);
		err = proposal_open(d->p, d->hash, d->bytes, len);
	}
	if (err == PERR_OK)
		err = d->p->kind == PROPOSAL_ORDERS ? make_orders(c, d, trust)
		                                    : make_changes(c, d, trust);
	if (err == PERR_OK) {
		*out = d;
		d = NULL;
	}
	quorum_docs_free(d);
	return err;
}

enum perr quorum_make(struct client *c, const uint8_t hash[32], struct quorum_docs **out)
{
	struct box_entry *e = NULL;
	enum perr err, again;

	*out = NULL;
	if (c->admin == NULL)
		return PERR_STATE;
	err = box_get(c, hash, &e);
	if (err != PERR_OK)
		return err;
	err = quorum_docs_make(c, e->bytes, e->len, false, out);
	box_entry_free(e);
	again = client_reload(c);
	if (again != PERR_OK) {
		quorum_docs_free(*out);
		*out = NULL;
		return again;
	}
	return err;
}

/* ---- signatures -------------------------------------------------------------------------------- */

enum perr quorum_own_sheet(struct client *c, struct quorum_docs *d, struct proposal_sheet *s,
                           uint8_t **out, size_t *len)
{
	struct sign_key key;
	enum perr err = PERR_OK;

	*out = NULL;
	*len = 0;
	if (d->press != NULL && doc_find((const uint8_t (*)[32])press_last(d->press)->keys,
	                                 press_last(d->press)->n, c->me->sign_pk) ==
	    press_last(d->press)->n)
		return PERR_AUTH;
	memset(s, 0, sizeof *s);
	memcpy(s->signer, c->me->sign_pk, 32);
	memcpy(s->hash, d->hash, 32);
	client_sign_key(c, &key);
	for (uint32_t i = 0; i < d->n && err == PERR_OK; i++)
		err = signed_make(s->sigs[s->n++], &key, d->at[i].context, d->at[i].bytes,
		                  d->at[i].len);
	if (err == PERR_OK)
		err = proposal_sheet_sign(out, len, s, &key);
	signed_key_wipe(&key);
	return err;
}

/* ---- bundles -------------------------------------------------------------------------------------- */

struct bundling {
	struct proposal_bundle *b;
	enum perr err;
};

static enum perr add_sheet(void *arg, const uint8_t *bytes, size_t len)
{
	struct proposal_bundle *b = arg;
	uint8_t *copy;

	if (b->n_sheets == PROPOSAL_SHEETS_MAX)
		return PERR_OK;
	copy = malloc(len);
	if (copy == NULL)
		return PERR_NOMEM;
	memcpy(copy, bytes, len);
	b->sheets[b->n_sheets++] = doc_bytes_of(copy, len);
	return PERR_OK;
}

static enum perr add_form(struct client *c, struct proposal_bundle *b, const uint8_t part[32])
{
	static const char *const where[] = { "form/", "quorum/f/" };
	enum perr err = PERR_NOTFOUND;

	if (b->n_forms == PROPOSAL_FORMS_MAX)
		return PERR_LIMIT;
	for (int i = 0; i < 2 && err == PERR_NOTFOUND; i++) {
		uint8_t *value;
		char name[96];
		size_t len;

		client_key_name(name, where[i], part, 32);
		err = kv_get(c->kv, name, &value, &len);
		if (err == PERR_OK) {
			memcpy(b->forms[b->n_forms].part, part, 32);
			b->forms[b->n_forms++].content = doc_bytes_of(value, len);
		}
	}
	return err == PERR_NOTFOUND ? PERR_OK : err;
}

/* administrators now, who are still afterwards */
static size_t readers(const struct client *c, const struct quorum_docs *d,
                      struct bulletin_slot slots[ADMINS_MAX])
{
	const struct admins_link *last = d->press != NULL ? press_last(d->press)
	                                                  : &client_admins(c)->last;
	size_t n = 0;

	for (uint32_t i = 0; i < c->admin->n_members && n < ADMINS_MAX; i++) {
		const struct roster_enrolled *e = &c->admin->members[i];

		if (e->role != ROSTER_ADMINISTRATOR ||
		    doc_find((const uint8_t (*)[32])last->keys, last->n, e->key) == last->n)
			continue;
		memcpy(slots[n].pk, e->slot_pk, 32);
		memcpy(slots[n++].secret, e->slot_secret, 32);
	}
	return n;
}

enum perr quorum_bundle(struct client *c, const struct quorum_docs *d, uint8_t **out,
                        size_t *len)
{
	struct proposal_bundle *b = calloc(1, sizeof *b);
	struct bulletin_slot slots[ADMINS_MAX];
	enum perr err = b == NULL ? PERR_NOMEM : PERR_OK;

	*out = NULL;
	*len = 0;
	if (err == PERR_OK) {
		b->proposal = doc_bytes_of(d->bytes, d->bytes_len);
		err = box_each_sheet(c, d->hash, add_sheet, b);
	}
	for (uint32_t i = 0; err == PERR_OK && i < d->p->n_changes; i++)
		if (d->ops[i].kind == PENDING_FORM)
			err = add_form(c, b, d->ops[i].part);
	if (err == PERR_OK)
		err = proposal_seal(out, len, b, slots, readers(c, d, slots), c->env.rng);
	sodium_memzero(slots, sizeof slots);
	for (uint32_t i = 0; b != NULL && i < b->n_sheets; i++)
		doc_free((uint8_t *)b->sheets[i].p, b->sheets[i].len);
	for (uint32_t i = 0; b != NULL && i < b->n_forms; i++)
		kv_free((uint8_t *)b->forms[i].content.p);
	free(b);
	return err;
}

enum perr quorum_keep_form(struct client *c, const struct proposal *p,
                           const struct proposal_form *f)
{
	enum perr err = PERR_OK;
	bool kept = false;

	for (uint32_t i = 0; i < p->n_changes && err == PERR_OK && !kept; i++) {
		uint8_t name[32], *part = NULL;
		struct pending_op o;
		char key[96];
		size_t len = 0;

		err = pending_op_decode(&o, p->changes[i].p, p->changes[i].len);
		if (err == PERR_FORMAT) {
			err = PERR_OK;   /* of a later version of the program */
			continue;
		}
		if (err == PERR_OK && o.kind == PENDING_FORM && memcmp(o.part, f->part, 32) == 0) {
			err = bulletin_part_seal(&part, &len, name, o.key, BULLETIN_FORM, 0,
			                         f->content.p, f->content.len);
			kept = err == PERR_OK && memcmp(name, o.part, 32) == 0;
			doc_free(part, len);
		}
		client_key_name(key, "quorum/f/", f->part, 32);
		if (err == PERR_OK && kept)
			err = kv_put(c->kv, key, f->content.p, f->content.len);
		pending_op_free(&o);
	}
	return err;
}
