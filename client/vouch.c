/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "vouch.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "board.h"
#include "charters.h"
#include "desk.h"
#include "doc.h"
#include "org.h"
#include "quorum.h"
#include "roster.h"

#define COUNTER "counter/"

/* the desks of the roster, verified: few, and large */
struct desks {
	struct desk *at;
	size_t n;
};

static enum perr desks_load(const struct client *c, struct desks *d)
{
	enum perr err = PERR_OK;

	d->n = c->field == NULL ? 0 : c->field->n_desks;
	d->at = calloc(d->n + 1, sizeof *d->at);
	if (d->at == NULL)
		return PERR_NOMEM;
	for (size_t i = 0; i < d->n && err == PERR_OK; i++)
		err = client_desk(c, i, &d->at[i]);
	return err;
}

static const struct desk *desks_find(const struct desks *d, const uint8_t id[32])
{
	for (size_t i = 0; i < d->n; i++)
		if (memcmp(d->at[i].id, id, 32) == 0)
			return &d->at[i];
	return NULL;
}

static enum perr first_charter(const struct client *c, size_t at, struct charter_signed *ch)
{
	const struct doc_bytes *b = &c->field->desks[at].charters[0];

	return charter_signed_decode(ch, b->p, b->len);
}

/* signatures that verify and whose key holds the vouching desk now, and no other */
static enum perr sift(struct signed_sigs *out, const struct charter_signed *ch,
                      const struct charter_counter *from, const struct desk *by)
{
	uint8_t text[CHARTER_COUNTER_TEXT_MAX];
	size_t len = charter_counter_text(text, by->id, ch);

	return signed_merge(out, &from->sigs, CHARTER_COUNTER_CONTEXT, text, len,
	                    (const uint8_t (*)[32])by->now.holders, by->now.n);
}

static const struct charter_counter *counter_of(const struct charter_signed *ch,
                                                const uint8_t by[32])
{
	for (uint32_t i = 0; i < ch->n_counter; i++)
		if (memcmp(ch->counter[i].desk, by, 32) == 0)
			return &ch->counter[i];
	return NULL;
}

/* the entry of `by` becomes these signatures; made where it is missing */
static enum perr set_counter(struct charter_signed *ch, const uint8_t by[32],
                             const struct signed_sigs *sigs)
{
	struct charter_counter *more;
	uint32_t i = 0;

	while (i < ch->n_counter && memcmp(ch->counter[i].desk, by, 32) < 0)
		i++;
	if (i == ch->n_counter || memcmp(ch->counter[i].desk, by, 32) != 0) {
		if (ch->n_counter == CHARTER_COUNTER_MAX)
			return PERR_LIMIT;
		more = realloc(ch->counter, (ch->n_counter + 1) * sizeof *more);
		if (more == NULL)
			return PERR_NOMEM;
		ch->counter = more;
		memmove(&more[i + 1], &more[i], (ch->n_counter - i) * sizeof *more);
		ch->n_counter++;
		memcpy(more[i].desk, by, 32);
	}
	ch->counter[i].sigs = *sigs;
	return PERR_OK;
}

static bool same_sigs(const struct signed_sigs *a, const struct signed_sigs *b)
{
	if (a->n != b->n)
		return false;
	for (uint32_t i = 0; i < a->n; i++)
		if (memcmp(a->at[i].key, b->at[i].key, 32) != 0)
			return false;
	return true;
}

/* both sets together, as far as they are of holders in force.  out is { 0 } */
static enum perr together(struct signed_sigs *out, const struct charter_signed *first,
                          const struct charter_signed *more, const struct desk *by)
{
	const struct charter_counter *a = counter_of(first, by->id), *b = counter_of(more, by->id);
	enum perr err = a == NULL ? PERR_OK : sift(out, first, a, by);

	if (err == PERR_OK && b != NULL)
		err = sift(out, first, b, by);
	return err;
}

enum perr vouch_merge(const struct client *c, uint32_t at, const struct charter_signed *more,
                      uint8_t **out, size_t *len)
{
	struct charter_signed first = { 0 };
	struct desks d;
	bool changed = false;
	enum perr err = desks_load(c, &d);

	*out = NULL;
	*len = 0;
	if (err == PERR_OK)
		err = first_charter(c, at, &first);
	for (uint32_t i = 0; i < more->n_counter && err == PERR_OK; i++) {
		const struct desk *by = desks_find(&d, more->counter[i].desk);
		const struct charter_counter *have;
		struct signed_sigs sigs = { 0 };

		if (by == NULL || memcmp(by->id, first.hash, 32) == 0)
			continue;
		err = together(&sigs, &first, more, by);
		have = counter_of(&first, by->id);
		if (err != PERR_OK || sigs.n < by->now.threshold ||
		    (have != NULL && same_sigs(&have->sigs, &sigs)))
			continue;
		err = set_counter(&first, by->id, &sigs);
		changed = true;
	}
	if (err == PERR_OK && changed)
		err = charter_signed_encode(out, len, &first);
	charter_signed_free(&first);
	free(d.at);
	return err;
}

/* ---- the store -------------------------------------------------------------------------- */

static enum perr load(struct client *c, const uint8_t desk[32], struct charter_signed *ch)
{
	uint8_t *raw = NULL;
	char name[96];
	size_t len;
	enum perr err;

	memset(ch, 0, sizeof *ch);
	client_key_name(name, COUNTER, desk, 32);
	err = kv_get(c->kv, name, &raw, &len);
	if (err == PERR_OK)
		err = kv_decoded(charter_signed_decode(ch, raw, len));
	kv_free(raw);
	return err;
}

/* the charter with countersignatures alone: its holders' own stand in the roster */
static enum perr store(struct client *c, struct charter_signed *ch)
{
	uint8_t *raw = NULL;
	char name[96];
	size_t len = 0;
	enum perr err;

	memset(&ch->sigs, 0, sizeof ch->sigs);
	err = charter_signed_encode(&raw, &len, ch);
	client_key_name(name, COUNTER, ch->hash, 32);
	if (err == PERR_OK)
		err = kv_put(c->kv, name, raw, len);
	doc_free(raw, len);
	return err;
}

/* what is on its way for a desk; a copy without countersignatures where nothing is */
static enum perr load_or_begin(struct client *c, size_t at, struct charter_signed *ch)
{
	struct charter_signed have;
	enum perr err = first_charter(c, at, ch);

	if (err != PERR_OK)
		return err;
	free(ch->counter);
	ch->counter = NULL;
	ch->n_counter = 0;
	err = load(c, ch->hash, &have);
	if (err == PERR_OK) {
		charter_signed_free(ch);
		*ch = have;
	}
	return err == PERR_NOTFOUND ? PERR_OK : err;
}

static enum perr place_of(const struct desks *d, const uint8_t id[32], size_t *at)
{
	for (*at = 0; *at < d->n; (*at)++)
		if (memcmp(d->at[*at].id, id, 32) == 0)
			return PERR_OK;
	return PERR_NOTFOUND;
}

/* ---- signing ------------------------------------------------------------------------------ */

enum perr vouch_sign(struct client *c, const uint8_t desk[32], const uint8_t by[32])
{
	struct charter_signed ch = { 0 };
	const struct desk *own;
	struct sign_key key;
	struct desks d;
	char slot[96];
	size_t at;
	enum perr err = desks_load(c, &d);

	if (err == PERR_OK)
		err = place_of(&d, desk, &at);
	own = err == PERR_OK ? desks_find(&d, by) : NULL;
	if (err == PERR_OK && own == NULL)
		err = PERR_NOTFOUND;
	if (err == PERR_OK && memcmp(desk, by, 32) == 0)
		err = PERR_RANGE;
	if (err == PERR_OK && !charter_has_holder(&own->now, c->me->sign_pk))
		err = PERR_KEY;
	if (err == PERR_OK)
		err = load_or_begin(c, at, &ch);
	if (err != PERR_OK)
		goto out;
	client_sign_key(c, &key);
	err = charter_countersign(&ch, by, &key);
	signed_key_wipe(&key);
	if (err == PERR_OK)
		err = kv_begin(c->kv);
	if (err != PERR_OK)
		goto out;
	/* one slot for each desk that is vouched for: a holder of two desks signs for both in it */
	client_key_name(slot, COUNTER, desk, 32);
	err = store(c, &ch);
	if (err == PERR_OK)
		err = charters_post(c, slot, &ch);
	if (err == PERR_OK)
		err = kv_commit(c->kv);
	kv_abort(c->kv);
out:
	charter_signed_free(&ch);
	free(d.at);
	return err;
}

/* ---- the board ---------------------------------------------------------------------------- */

static bool has_own(const struct charter_signed *ch, const struct desk *by, const uint8_t me[32])
{
	const struct charter_counter *k = counter_of(ch, by->id);

	return k != NULL && signed_find(&k->sigs, me) != NULL;
}

enum perr vouch_take(struct client *c, const struct charter_signed *ch,
                     enum notices_taken *taken)
{
	const uint8_t *me = c->me->sign_pk;
	struct charter_signed have = { 0 }, listed = { 0 };
	struct desks d = { 0 };
	bool changed = false, foreign = false;
	size_t at;
	enum perr err;

	if (ch->n_counter == 0)
		return PERR_OK;
	err = desks_load(c, &d);
	if (err == PERR_OK && place_of(&d, ch->hash, &at) != PERR_OK)
		goto out;
	if (err == PERR_OK)
		err = load_or_begin(c, at, &have);
	if (err == PERR_OK)
		err = first_charter(c, at, &listed);
	for (uint32_t i = 0; i < ch->n_counter && err == PERR_OK; i++) {
		const struct desk *by = desks_find(&d, ch->counter[i].desk);
		const struct charter_counter *old;
		struct signed_sigs sigs = { 0 }, in_roster = { 0 };

		if (by == NULL || memcmp(by->id, ch->hash, 32) == 0)
			continue;
		err = together(&sigs, &have, ch, by);
		old = counter_of(&listed, by->id);
		if (err == PERR_OK && old != NULL)
			err = sift(&in_roster, &listed, old, by);
		if (err != PERR_OK)
			break;
		foreign |= signed_find(&sigs, me) != NULL && !has_own(&have, by, me) &&
		           !has_own(&listed, by, me);
		old = counter_of(&have, by->id);
		/* what the roster has already is not collected once more */
		if (sigs.n == 0 || same_sigs(&sigs, &in_roster) ||
		    (old != NULL && same_sigs(&old->sigs, &sigs)))
			continue;
		err = set_counter(&have, by->id, &sigs);
		changed |= err == PERR_OK;
		err = err == PERR_LIMIT ? PERR_OK : err;
	}
	if (err == PERR_OK && foreign)
		err = notices_raise(c, BOARD_CHARTER, 0, ch->doc, ch->doc_len, taken);
	if (err == PERR_OK && changed) {
		err = store(c, &have);
		if (*taken == NOTICE_NOTHING)
			*taken = NOTICE_CHARTER;
	}
out:
	charter_signed_free(&have);
	charter_signed_free(&listed);
	free(d.at);
	return err;
}

/* ---- what there is ------------------------------------------------------------------------ */

static enum perr say(struct client *c, const struct desk *desk, const struct desk *by,
                     const struct charter_signed *listed, const struct charter_signed *coming,
                     vouch_fn *fn, void *arg)
{
	const struct charter_counter *old = counter_of(listed, by->id);
	struct signed_sigs sigs = { 0 }, in_roster = { 0 };
	struct vouch v = { .n_needed = by->now.threshold };
	enum perr err = together(&sigs, listed, coming, by);

	if (err == PERR_OK && old != NULL)
		err = sift(&in_roster, listed, old, by);
	if (err != PERR_OK || (old == NULL && sigs.n == 0))
		return err;
	memcpy(v.desk, desk->id, 32);
	memcpy(v.by, by->id, 32);
	memcpy(v.desk_name, desk->now.name, sizeof v.desk_name);
	memcpy(v.by_name, by->now.name, sizeof v.by_name);
	v.n_signed = sigs.n;
	v.listed = in_roster.n >= v.n_needed;
	v.may_sign = charter_has_holder(&by->now, c->me->sign_pk);
	v.signed_by_me = signed_find(&sigs, c->me->sign_pk) != NULL;
	return fn(arg, &v);
}

enum perr vouch_each(struct client *c, vouch_fn *fn, void *arg)
{
	struct desks d;
	enum perr err = desks_load(c, &d);

	for (size_t i = 0; i < d.n && err == PERR_OK; i++) {
		struct charter_signed listed = { 0 }, coming = { 0 };

		err = first_charter(c, i, &listed);
		if (err == PERR_OK)
			err = load_or_begin(c, i, &coming);
		for (size_t k = 0; k < d.n && err == PERR_OK; k++)
			if (k != i)
				err = say(c, &d.at[i], &d.at[k], &listed, &coming, fn, arg);
		charter_signed_free(&listed);
		charter_signed_free(&coming);
	}
	free(d.at);
	return err;
}

enum perr vouch_duty(struct client *c, bool *more)
{
	struct desks d = { 0 };
	bool busy;
	enum perr err;

	if (c->admin == NULL || c->field == NULL)
		return PERR_OK;
	err = quorum_is_busy(c, &busy);
	if (err != PERR_OK || busy)
		return err;
	err = desks_load(c, &d);
	for (uint32_t i = 0; i < d.n && err == PERR_OK && c->admin != NULL; i++) {
		struct charter_signed coming = { 0 };
		uint8_t *out = NULL;
		size_t len = 0;

		err = load(c, d.at[i].id, &coming);
		if (err == PERR_OK && i < c->field->n_desks)
			err = vouch_merge(c, i, &coming, &out, &len);
		charter_signed_free(&coming);
		if (err == PERR_OK && out != NULL) {
			err = org_countersign(c, d.at[i].id, out, len);
			*more |= err == PERR_OK;
		}
		doc_free(out, len);
		/* not possible, done by somebody else meanwhile, or others have to sign it too */
		if (err == PERR_NOTFOUND || err == PERR_LIMIT || err == PERR_EXISTS ||
		    err == PERR_SIGS)
			err = PERR_OK;
	}
	free(d.at);
	return err;
}

enum perr vouch_repost(struct client *c, unsigned *n)
{
	struct desks d = { 0 };
	enum perr err = desks_load(c, &d);

	for (size_t i = 0; i < d.n && err == PERR_OK; i++) {
		struct charter_signed ch;
		bool own = false;
		char slot[96];

		err = load(c, d.at[i].id, &ch);
		for (size_t k = 0; err == PERR_OK && k < d.n; k++)
			own |= has_own(&ch, &d.at[k], c->me->sign_pk);
		client_key_name(slot, COUNTER, d.at[i].id, 32);
		if (own) {
			err = charters_post(c, slot, &ch);
			*n += 1;
		}
		charter_signed_free(&ch);
		err = err == PERR_NOTFOUND ? PERR_OK : err;
	}
	free(d.at);
	return err;
}
