/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "quorum_int.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "post.h"
#include "roster.h"

#define BASE      "quorum/base"
#define LINK      "quorum/link"
#define ORDERS    "quorum/o/"
#define POLICIES  "quorum/policies"
#define SAID      "quorum/said"
#define KEPT_MAX  64

/* ---- with enough signatures ------------------------------------------------------------ */

/* what is valid on a sheet goes to the documents; a sheet of another version of them is nothing */
static enum perr add_sheet(struct quorum_docs *d, const struct proposal_sheet *s)
{
	enum perr err = PERR_OK;

	if (s->n != d->n)
		return PERR_OK;
	for (uint32_t i = 0; i < d->n && err == PERR_OK; i++) {
		struct signed_sigs one = { .n = 1 };

		memcpy(one.at[0].key, s->signer, 32);
		memcpy(one.at[0].sig, s->sigs[i], 64);
		/* merge takes it only if it verifies */
		err = signed_merge(d->at[i].sigs, &one, d->at[i].context, d->at[i].bytes,
		                   d->at[i].len, (const uint8_t (*)[32])s->signer, 1);
	}
	return err;
}

/* the move of what the changes bring with them, in the batch that adopts the version */
static enum perr note_change(struct client *c, const struct pending_op *o)
{
	char from[96], to[96];
	uint8_t *value;
	size_t len;
	enum perr err = PERR_OK;

	switch (o->kind) {
	case PENDING_FORM:
		client_key_name(from, "quorum/f/", o->part, 32);
		client_key_name(to, "form/", o->part, 32);
		err = kv_get(c->kv, from, &value, &len);
		if (err != PERR_OK)
			return err == PERR_NOTFOUND ? PERR_OK : err;
		err = kv_put(c->kv, to, value, len);
		kv_free(value);
		return err;
	case PENDING_SERVER:
	case PENDING_SERVER_REPLACE:
		/* whoever is first there gives it its first policy */
		client_key_name(to, "setup/", o->id, 32);
		err = kv_get(c->kv, to, &value, NULL);
		if (err == PERR_OK)
			kv_free(value);
		return err != PERR_NOTFOUND || sodium_is_zero(o->key, 32) ? (err == PERR_NOTFOUND ? PERR_OK
		       : err) : kv_put(c->kv, to, o->key, 32);
	case PENDING_CONFIRM:
	case PENDING_REFUSE:
		client_key_name(to, "answer/", o->ticket, 16);
		err = kv_erase(c->kv, to);
		client_key_name(to, "invited/", o->ticket, 16);
		return err == PERR_OK ? kv_erase(c->kv, to) : err;
	default:
		return PERR_OK;
	}
}

struct completing {
	const struct box_entry *e;
	struct quorum_docs *d;
};

/* the proposal is over: also on the board, if it was this device's */
static enum perr over(struct client *c, const struct box_entry *e)
{
	uint32_t revision;
	enum perr err = box_drop(c, e);

	if (err != PERR_OK || memcmp(e->p.proposer, c->me->sign_pk, 32) != 0)
		return err;
	err = box_revision(c, &revision);
	return err == PERR_OK ? box_post(c, e->p.kind, revision, NULL, 0) : err;
}

static enum perr keep_base(struct client *c)
{
	const uint8_t *header;
	uint8_t *value;
	size_t len;
	enum perr err = kv_get(c->kv, BASE, &value, NULL);

	if (err == PERR_OK)
		kv_free(value);
	if (err != PERR_NOTFOUND)
		return err;
	header = client_header_bytes(c, &len);
	return kv_put(c->kv, BASE, header, len);
}

static enum perr note_adopted(struct client *c, void *arg)
{
	struct completing *k = arg;
	struct quorum_docs *d = k->d;
	enum perr err = keep_base(c);

	for (uint32_t i = 0; i < d->p->n_changes && err == PERR_OK; i++)
		err = note_change(c, &d->ops[i]);
	for (uint32_t i = 0; i < d->p->n_servers && err == PERR_OK; i++)
		err = policies_keep(c, press_hash(d->press), d->p->servers[i].pk,
		                    d->p->servers[i].counter, d->p->day, &d->own[i].sigs);
	return err == PERR_OK ? over(c, k->e) : err;
}

static void order_name(char name[96], const uint8_t server_pk[32], const uint8_t hash[32])
{
	char hex[17];
	size_t n;

	client_key_name(name, ORDERS, server_pk, 32);
	n = strlen(name);
	sodium_bin2hex(hex, sizeof hex, hash, 8);
	snprintf(name + n, 96 - n, ".%s", hex);
}

static enum perr keep_orders(struct client *c, const struct box_entry *e, struct quorum_docs *d)
{
	enum perr err = kv_begin(c->kv);

	for (uint32_t i = 0; i < d->n && err == PERR_OK; i++) {
		uint8_t *bytes = NULL;
		char name[96];
		size_t len = 0;

		order_name(name, d->orders[i].server_pk, d->hash);
		err = signed_pack(&bytes, &len, d->at[i].bytes, d->at[i].len, d->at[i].sigs);
		if (err == PERR_OK)
			err = kv_put(c->kv, name, bytes, len);
		doc_free(bytes, len);
	}
	/* somebody else's stays, with this device's sheet, until the proposer has seen it */
	if (err == PERR_OK)
		err = memcmp(e->p.proposer, c->me->sign_pk, 32) == 0 ? over(c, e)
		                                                     : box_done(c, e->hash);
	if (err == PERR_OK)
		err = kv_commit(c->kv);
	if (err != PERR_OK)
		kv_abort(c->kv);
	return err;
}

static enum perr is_ordered(const struct client *c, const struct quorum_docs *d, bool *is)
{
	enum perr err = PERR_OK;

	*is = true;
	for (uint32_t i = 0; i < d->n && err == PERR_OK && *is; i++) {
		err = admins_check(client_admins(c), d->at[i].sigs, d->at[i].context,
		                   d->at[i].bytes, d->at[i].len);
		*is = err == PERR_OK;
		err = err == PERR_SIGS ? PERR_OK : err;
	}
	return err;
}

static bool of_our_store(enum perr err)
{
	return err == PERR_NOMEM || err == PERR_IO || err == PERR_FULL || err == PERR_CORRUPT ||
	       err == PERR_TIMEOUT;
}

static unsigned n_signatures(const struct box_sheets *s)
{
	unsigned n = 0;

	for (uint32_t i = 0; i < s->n; i++)
		n += s->at[i].n > 0;
	return n;
}

enum perr quorum_complete(struct client *c, const uint8_t hash[32], bool *done, bool *adopted)
{
	struct quorum_docs *d = NULL;
	struct box_entry *e = NULL;
	struct box_sheets *s = NULL;
	struct completing k;
	bool memory = false, is = false;
	enum perr err = box_is_done(c, hash, &is);

	*done = *adopted = false;
	if (err != PERR_OK || is)
		return err;
	err = box_get(c, hash, &e);
	if (err == PERR_OK)
		err = box_sheets(c, hash, &s);
	if (err != PERR_OK || n_signatures(s) < client_admins(c)->last.threshold)
		goto out;
	memory = e->p.kind == PROPOSAL_CHANGES;
	err = quorum_docs_make(c, e->bytes, e->len, false, &d);
	/* not upon this roster, or not by this version of the program: somebody else's will do */
	if (err != PERR_OK) {
		err = of_our_store(err) ? err : PERR_OK;
		goto out;
	}
	for (uint32_t i = 0; i < s->n && err == PERR_OK; i++)
		err = add_sheet(d, &s->at[i]);
	if (err == PERR_OK)
		err = d->press != NULL ? press_is_signed(d->press, client_admins(c), &is)
		                       : is_ordered(c, d, &is);
	if (err != PERR_OK || !is)
		goto out;
	if (d->press == NULL) {
		err = keep_orders(c, e, d);
		*done = err == PERR_OK;
		goto out;
	}
	k.e = e;
	k.d = d;
	err = press_adopt(c, d->press, note_adopted, &k);
	if (err == PERR_OK)
		*done = *adopted = true;
	memory = err != PERR_OK;
out:
	if (memory) {
		enum perr again = client_reload(c);

		err = again != PERR_OK ? again : err;
	}
	quorum_docs_free(d);
	box_entry_free(e);
	free(s);
	return err;
}

/* ---- settling -------------------------------------------------------------------------------- */

struct hashes {
	struct client *c;
	uint8_t at[KEPT_MAX][32];
	unsigned n;
};

static enum perr add_hash(void *arg, const struct box_entry *e)
{
	struct hashes *h = arg;

	if (h->n < KEPT_MAX)
		memcpy(h->at[h->n++], e->hash, 32);
	return PERR_OK;
}

static enum perr add_over(void *arg, const struct box_entry *e)
{
	struct hashes *h = arg;
	const struct client *c = h->c;
	bool is_over = e->p.kind == PROPOSAL_CHANGES
	             ? pending_made(c->admin, e->p.proposer) >= e->p.last
	             : (uint64_t)e->p.day + QUORUM_ORDER_DAYS < client_day(c);

	/* of somebody who is no administrator any more */
	is_over |= !admins_has(client_admins(c), e->p.proposer);
	return is_over ? add_hash(h, e) : PERR_OK;
}

static enum perr drop_over(struct client *c)
{
	struct hashes h = { .c = c };
	enum perr err = box_each(c, add_over, &h);

	if (err != PERR_OK || h.n == 0)
		return err;
	err = kv_begin(c->kv);
	for (unsigned i = 0; i < h.n && err == PERR_OK; i++) {
		struct box_entry *e = NULL;

		err = box_get(c, h.at[i], &e);
		if (err == PERR_OK)
			err = over(c, e);
		box_entry_free(e);
	}
	if (err == PERR_OK)
		err = box_tidy(c);
	if (err == PERR_OK)
		err = kv_commit(c->kv);
	if (err != PERR_OK)
		kv_abort(c->kv);
	return err;
}

/* publish it, or take the one off that says nothing any more */
static enum perr say_policies(struct client *c, const uint8_t *doc, size_t len,
                              const uint8_t hash[32])
{
	enum perr err = kv_begin(c->kv);

	if (err == PERR_OK)
		err = doc != NULL ? box_post_sheet(c, POLICIES, doc, len) : post_retire(c, POLICIES);
	if (err == PERR_OK)
		err = doc != NULL ? kv_put(c->kv, SAID, hash, 32) : kv_del(c->kv, SAID);
	if (err == PERR_OK)
		err = kv_commit(c->kv);
	if (err != PERR_OK)
		kv_abort(c->kv);
	return err;
}

/* the sheet about policies on the board is what this device would say now */
static enum perr post_policies(struct client *c)
{
	struct proposal_sheet *s = calloc(1, sizeof *s);
	uint8_t hash[32], *doc = NULL, *old = NULL;
	struct sign_key key;
	size_t len = 0, old_len = 0;
	enum perr err = s == NULL ? PERR_NOMEM : policies_sheet(c, s);

	if (err == PERR_OK) {
		err = kv_get(c->kv, SAID, &old, &old_len);
		err = err == PERR_NOTFOUND ? PERR_OK : err;
	}
	if (err == PERR_OK && s->n_policies == 0 && old != NULL)
		err = say_policies(c, NULL, 0, NULL);
	if (err != PERR_OK || s->n_policies == 0)
		goto out;
	client_sign_key(c, &key);
	err = proposal_sheet_sign(&doc, &len, s, &key);
	signed_key_wipe(&key);
	if (err == PERR_OK)
		doc_hash(hash, "", doc, len);
	if (err == PERR_OK && (old == NULL || old_len != 32 || memcmp(old, hash, 32) != 0))
		err = say_policies(c, doc, len, hash);
out:
	kv_free(old);
	doc_free(doc, len);
	free(s);
	return err;
}

enum perr quorum_settle(struct client *c, bool *adopted)
{
	enum perr err = PERR_OK;
	bool again = true;

	*adopted = false;
	/* one that comes into force makes the others stale: look again from the beginning */
	while (again && err == PERR_OK) {
		struct hashes h = { .c = c };

		again = false;
		if (c->admin == NULL || client_admins(c) == NULL)
			return PERR_OK;
		err = box_each(c, add_hash, &h);
		for (unsigned i = 0; i < h.n && err == PERR_OK && !again; i++) {
			bool done;

			err = quorum_complete(c, h.at[i], &done, &again);
			*adopted |= again;
		}
	}
	if (err == PERR_OK)
		err = drop_over(c);
	return err == PERR_OK ? post_policies(c) : err;
}

enum perr quorum_is_too_large(struct client *c, enum proposal_kind kind, bool *is)
{
	struct box_entry *e = NULL;
	uint8_t *value = NULL;
	char name[40];
	size_t len;
	enum perr err = box_of(c, c->me->sign_pk, kind, &e);

	*is = false;
	if (err != PERR_OK)
		return err == PERR_NOTFOUND ? PERR_OK : err;
	snprintf(name, sizeof name, "quorum/posted.%u", (unsigned)kind);
	err = kv_get(c->kv, name, &value, &len);
	if (err == PERR_OK)
		*is = len != 4 || doc_get_u32(value) != e->p.revision;
	else if (err == PERR_NOTFOUND)
		*is = true;
	kv_free(value);
	box_entry_free(e);
	return err == PERR_NOTFOUND ? PERR_OK : err;
}

/* ---- what no server has yet --------------------------------------------------------------------- */

static enum perr is_there(struct client *c, const char *name, bool *is)
{
	uint8_t *value;
	enum perr err = kv_get(c->kv, name, &value, NULL);

	*is = err == PERR_OK;
	if (err == PERR_OK)
		kv_free(value);
	return err == PERR_NOTFOUND ? PERR_OK : err;
}

enum perr quorum_public(struct client *c, bool is_first)
{
	bool base, link = false;
	enum perr err = is_there(c, BASE, &base);

	if (err == PERR_OK && is_first)
		err = is_there(c, LINK, &link);
	if (err != PERR_OK || (!base && !link))
		return err;
	err = kv_begin(c->kv);
	if (err == PERR_OK)
		err = kv_erase(c->kv, BASE);
	if (err == PERR_OK && link)
		err = kv_erase(c->kv, LINK);
	if (err == PERR_OK)
		err = kv_commit(c->kv);
	if (err != PERR_OK)
		kv_abort(c->kv);
	return err;
}

enum perr quorum_first_only(struct client *c, bool *is)
{
	return is_there(c, LINK, is);
}

enum perr quorum_give_way(struct client *c)
{
	enum perr err = kv_erase(c->kv, BASE);

	return err == PERR_OK ? kv_erase(c->kv, LINK) : err;
}

enum perr quorum_base(struct client *c, struct bulletin_known *k)
{
	struct bulletin *b = malloc(sizeof *b);
	struct admins *a = malloc(sizeof *a);
	uint8_t hash[32], *header = NULL;
	size_t len;
	enum perr err = b == NULL || a == NULL ? PERR_NOMEM : kv_get(c->kv, BASE, &header, &len);

	if (err == PERR_OK)
		err = kv_decoded(bulletin_open(b, a, hash, header, len));
	if (err == PERR_OK) {
		memset(k, 0, sizeof *k);
		bulletin_known_set(k, b, a, hash);
	}
	free(b);
	free(a);
	kv_free(header);
	return err;
}

/* ---- orders to be brought ------------------------------------------------------------------------- */

static enum perr first_due(void *arg, const char *name, const uint8_t *value, size_t len)
{
	struct quorum_due *due = arg;

	due->bytes = malloc(len);
	if (due->bytes == NULL)
		return PERR_NOMEM;
	memcpy(due->bytes, value, len);
	due->len = len;
	snprintf(due->name, sizeof due->name, "%s", name);
	return PERR_EXISTS;              /* found: ends the walk */
}

enum perr quorum_order_due(struct client *c, const uint8_t server_pk[32], struct quorum_due *due)
{
	struct policy_order *o = malloc(sizeof *o);
	struct signed_sigs sigs;
	struct doc_bytes doc;
	char prefix[96];
	enum perr err = PERR_NOMEM;

	memset(due, 0, sizeof *due);
	if (o == NULL)
		return err;
	client_key_name(prefix, ORDERS, server_pk, 32);
	err = kv_each(c->kv, prefix, first_due, due);
	err = err == PERR_OK ? PERR_NOTFOUND : err == PERR_EXISTS ? PERR_OK : err;
	if (err == PERR_OK)
		err = kv_decoded(signed_view(&doc, &sigs, due->bytes, due->len));
	if (err == PERR_OK)
		err = kv_decoded(policy_order_decode(o, doc.p, doc.len));
	if (err == PERR_OK) {
		due->kind = o->kind;
		due->counter = o->counter;
	} else {
		doc_free(due->bytes, due->len);
	}
	free(o);
	return err;
}

enum perr quorum_order_done(struct client *c, const struct quorum_due *due, const char *why)
{
	char name[96];
	enum perr err = kv_begin(c->kv);

	if (err == PERR_OK)
		err = kv_erase(c->kv, due->name);
	/* a sentence of its own, among those about changes */
	snprintf(name, sizeof name, "pend/dropped/o%.64s", due->name + strlen(ORDERS));
	if (err == PERR_OK && why != NULL)
		err = kv_put(c->kv, name, (const uint8_t *)why, strlen(why));
	if (err == PERR_OK)
		err = kv_commit(c->kv);
	if (err != PERR_OK)
		kv_abort(c->kv);
	return err;
}
