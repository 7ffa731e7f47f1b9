/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "rebase.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "apply.h"
#include "bulletin.h"
#include "join.h"
#include "pending.h"
#include "press.h"
#include "quorum.h"
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

/* changes that have no effect any more need nobody's signature */
static enum perr forget_all(struct client *c)
{
	enum perr err = kv_begin(c->kv);

	if (err == PERR_OK)
		err = pending_withdraw(c, NULL, NULL);
	if (err == PERR_OK)
		err = kv_commit(c->kv);
	if (err != PERR_OK)
		kv_abort(c->kv);
	return err;
}

/* propose what this roster does not hold: again, if another version came into force meanwhile */
static enum perr propose(struct client *c, struct pending_list *l, bool any_effect)
{
	uint32_t held = pending_made(c->admin, c->me->sign_pk), last = 0;
	size_t n = 0;
	bool is;
	enum perr err;

	if (!any_effect)
		return forget_all(c);
	for (size_t i = 0; i < l->n; i++)
		if (l->at[i].number > held && l->at[i].kind != PENDING_DROPPED) {
			struct pending_op o = l->at[n];

			l->at[n++] = l->at[i];
			l->at[i] = o;
			last = l->at[n - 1].number;
			sodium_memzero(&o, sizeof o);
		}
	err = quorum_is_proposed(c, last, &is);
	return err != PERR_OK || is ? err : quorum_propose(c, l->at, n, NULL, 0, NULL, NULL);
}

static enum perr settle(struct client *c, struct pending_list *l, unsigned *redone)
{
	uint32_t held = c->admin == NULL ? 0 : pending_made(c->admin, c->me->sign_pk);
	bool dirty = false, any_effect = false, alone;
	enum perr err = PERR_OK;

	for (size_t i = 0; i < l->n && err == PERR_OK; i++) {
		struct applied d;

		if (l->at[i].number <= held)
			continue;
		err = apply_op(c, &l->at[i], &d);
		if (err == PERR_OK && d.why[0] != '\0') {
			err = drop(c, &l->at[i], d.why);
			l->at[i].kind = PENDING_DROPPED;
		}
		any_effect |= d.changed;
		/* done, found done or dropped: this roster has dealt with it */
		if (err == PERR_OK && c->admin != NULL) {
			err = pending_mark(c, l->at[i].number);
			dirty = true;
			(*redone)++;
		}
	}
	alone = c->admin == NULL || press_alone(c);
	if (err == PERR_OK && dirty && alone) {
		err = press_publish(c, NULL, NULL);
	} else if (err == PERR_OK && dirty) {
		*redone = 0;             /* nothing newer stands here before others have signed */
		err = client_reload(c);
		if (err == PERR_OK)
			err = propose(c, l, any_effect);
	}
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

static enum perr give_way(struct client *c, void *arg)
{
	(void)arg;
	return quorum_give_way(c);
}

static enum perr take_base(struct client *c, void *arg)
{
	const struct roster_bytes *r = arg;
	enum perr err = pending_rebase(c, r->header, r->header_len);

	return err == PERR_OK ? quorum_give_way(c) : err;
}

/*
 * What lies below what only this device has: its own changes, and versions of others that came
 * into force here.  None of it was ever more than a proposal to a server that has taken another.
 */
enum perr rebase_known(struct client *c, struct bulletin_known *known)
{
	struct bulletin_known *base = malloc(sizeof *base);
	bool any = false;
	enum perr err = base == NULL ? PERR_NOMEM : pending_base(c, base);

	client_known(c, known);
	if (err == PERR_OK) {
		*known = *base;
		any = true;
	}
	if (err == PERR_OK || err == PERR_NOTFOUND)
		err = quorum_base(c, base);
	if (err == PERR_OK && (!any || base->version < known->version))
		*known = *base;
	free(base);
	return err == PERR_NOTFOUND ? PERR_OK : err;
}

/* does only this device have its version? */
static enum perr is_unpublished(struct client *c, bool *is)
{
	struct bulletin_known *base = malloc(sizeof *base);
	enum perr err = base == NULL ? PERR_NOMEM : quorum_base(c, base);

	*is = err == PERR_OK;
	free(base);
	return err == PERR_NOTFOUND ? PERR_OK : err;
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
	bool is_pending = false;
	enum perr err = base == NULL ? PERR_NOMEM : rebase_known(c, base);

	if (err == PERR_OK)
		err = pending_any(c, &is_pending);
	mine.also = is_pending ? take_base : give_way;
	mine.also_arg = &mine;
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
		/* what was signed here and no server has, its proposer makes again upon theirs */
		if (err == PERR_OK && !at_hand)
			err = is_unpublished(c, &at_hand);
	}
	if (err == PERR_OK && (order == PENDING_BEYOND || at_hand)) {
		*how = REBASE_ADOPTED;
		err = take(c, r, redone);
	} else if (err == PERR_OK) {
		err = look_at(c, version, hash, theirs);
		/* what contains it takes its place, so it needs a higher number */
		if (err == PERR_OK && order == PENDING_WITHIN && version >= ours && press_alone(c))
			err = press_publish(c, NULL, NULL);
	}
	roster_admin_free(theirs);
	return err;
}
