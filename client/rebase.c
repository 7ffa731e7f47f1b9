/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "rebase.h"

#include <stdlib.h>
#include <string.h>

#include "apply.h"
#include "bulletin.h"
#include "join.h"
#include "pending.h"
#include "press.h"
#include "roster.h"

/* the answer is there again, so that the person can be enrolled in another way */
static enum perr put_answer_back(struct client *c, const struct pending_op *o)
{
	char name[96];

	if (o->kind != PENDING_CONFIRM || o->len == 0)
		return PERR_OK;
	client_key_name(name, "answer/", o->ticket, 16);
	return kv_put(c->kv, name, o->bytes, o->len);
}

static enum perr drop(struct client *c, const struct pending_op *o, const char *why)
{
	enum perr err = kv_begin(c->kv);

	if (err == PERR_OK)
		err = pending_drop(c, o, why);
	if (err == PERR_OK)
		err = put_answer_back(c, o);
	if (err == PERR_OK)
		err = kv_commit(c->kv);
	if (err != PERR_OK)
		kv_abort(c->kv);
	return err;
}

static enum perr settle(struct client *c, const struct pending_list *l, unsigned *redone)
{
	uint32_t held = c->admin == NULL ? 0 : pending_made(c->admin, c->me->sign_pk);
	bool dirty = false;
	enum perr err = PERR_OK;

	for (size_t i = 0; i < l->n && err == PERR_OK; i++) {
		struct applied d;

		if (l->at[i].number <= held)
			continue;
		err = apply_op(c, &l->at[i], &d);
		if (err == PERR_OK && d.why[0] != '\0')
			err = drop(c, &l->at[i], d.why);
		/* done, found done or dropped: this roster has dealt with it */
		if (err == PERR_OK && c->admin != NULL) {
			err = pending_mark(c, l->at[i].number);
			dirty = true;
			(*redone)++;
		}
	}
	if (err == PERR_OK && dirty)
		err = press_publish(c, NULL, NULL);
	if (err != PERR_OK) {
		enum perr again = client_reload(c);

		err = again != PERR_OK ? again : err;
	}
	return err;
}

enum perr rebase_settle(struct client *c, unsigned *redone)
{
	struct pending_list l;
	bool any;
	enum perr err = pending_any(c, &any);

	*redone = 0;
	if (err != PERR_OK || !any)
		return err;
	err = pending_load(c, &l);
	if (err == PERR_OK)
		err = settle(c, &l, redone);
	pending_list_free(&l);
	return err;
}

static enum perr take_base(struct client *c, void *arg)
{
	const struct roster_bytes *r = arg;

	return pending_rebase(c, r->header, r->header_len);
}

/* can this device make again everything of its own that theirs lacks? */
static enum perr own_are_at_hand(struct client *c, const struct roster_admin *theirs, bool *are)
{
	uint32_t ours = pending_made(c->admin, c->me->sign_pk);
	uint32_t at = pending_made(theirs, c->me->sign_pk);
	struct pending_list l;
	enum perr err = pending_load(c, &l);

	for (size_t i = 0; i < l.n && err == PERR_OK; i++)
		if (l.at[i].number == at + 1)
			at++;
	*are = at >= ours;
	pending_list_free(&l);
	return err;
}

static enum perr take(struct client *c, const struct roster_bytes *r, unsigned *redone)
{
	struct bulletin_known *base = malloc(sizeof *base);
	struct roster_bytes mine = *r;
	enum perr err = base == NULL ? PERR_NOMEM : pending_base(c, base);

	/*
	 * Held against what lay below one's own changes: one's own version was never more than
	 * a proposal to a server that has taken another one.
	 */
	if (err == PERR_OK) {
		mine.also = take_base;
		mine.also_arg = &mine;
	} else if (err == PERR_NOTFOUND) {
		client_known(c, base);
		err = PERR_OK;
	}
	if (err == PERR_OK) {
		/* which of two is newer is a question of the changes they hold */
		base->version = 0;
		mine.known = base;
		err = client_adopt(c, &mine);
	}
	if (err == PERR_OK)
		err = rebase_settle(c, redone);
	free(base);
	return err;
}

static enum perr look_at(struct client *c, uint32_t version, const uint8_t hash[32],
                         const struct roster_admin *theirs)
{
	enum perr err = kv_begin(c->kv);

	if (err == PERR_OK)
		err = pending_saw(c, version, hash, theirs);
	if (err == PERR_OK)
		err = kv_commit(c->kv);
	if (err != PERR_OK)
		kv_abort(c->kv);
	return err;
}

enum perr rebase_adopt(struct client *c, const struct roster_bytes *r, uint32_t version,
                       const uint8_t hash[32], enum rebase_how *how, unsigned *redone)
{
	struct roster_admin *theirs = NULL;
	enum pending_order order;
	uint32_t ours = client_bulletin(c)->version;
	bool at_hand = false;
	enum perr err = roster_admin_decode(&theirs, r->admin, r->admin_len);

	*redone = 0;
	*how = REBASE_KEPT;
	if (err != PERR_OK)
		return err;
	order = pending_compare(c->admin, theirs);
	/* the same changes: a version that only has new keys, or signatures */
	if (order == PENDING_WITHIN && pending_compare(theirs, c->admin) == PENDING_WITHIN) {
		if (version == ours && memcmp(hash, c->header_hash, 32) != 0)
			err = PERR_FORK;
		else if (version > ours)
			order = PENDING_BEYOND;
	}
	if (err == PERR_OK && order == PENDING_APART) {
		err = own_are_at_hand(c, theirs, &at_hand);
		*how = REBASE_APART;
		if (pending_made(c->admin, c->me->sign_pk) <= pending_made(theirs, c->me->sign_pk))
			at_hand = false;         /* nothing here that only this device could do */
	}
	if (err == PERR_OK && (order == PENDING_BEYOND || at_hand)) {
		*how = REBASE_ADOPTED;
		err = take(c, r, redone);
	} else if (err == PERR_OK) {
		err = look_at(c, version, hash, theirs);
		/* what contains it takes its place, so it needs a higher number */
		if (err == PERR_OK && order == PENDING_WITHIN && version >= ours)
			err = press_publish(c, NULL, NULL);
	}
	roster_admin_free(theirs);
	return err;
}
