/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "charters.h"

#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "board.h"
#include "cache.h"
#include "doc.h"
#include "mp.h"
#include "notices.h"
#include "org.h"
#include "quorum.h"
#include "post.h"
#include "roster.h"

#define CHARTERS  "charter/"
#define OVERTAKEN "overtaken/"
#define SAID_SIZE (CHARTER_NAME_MAX + 16)

static enum perr no(char why[CHARTERS_WHY], const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
static enum perr no(char why[CHARTERS_WHY], const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, CHARTERS_WHY, fmt, ap);
	va_end(ap);
	return PERR_REFUSED;
}

/* ---- the board ------------------------------------------------------------------------ */

/* only what this member said: what cannot travel together travels alone */
static enum perr own_part(const struct client *c, const struct charter_signed *ch, uint8_t **raw,
                          size_t *len)
{
	const uint8_t *me = c->me->sign_pk;
	struct charter_signed own = *ch;
	const struct signed_sig *s = signed_find(&ch->sigs, me);
	struct charter_counter *counter = calloc(ch->n_counter + 1, sizeof *counter);
	enum perr err = counter == NULL ? PERR_NOMEM : PERR_OK;

	own.counter = counter;
	own.n_counter = 0;
	own.sigs.n = 0;
	if (s != NULL)
		own.sigs.at[own.sigs.n++] = *s;
	for (uint32_t i = 0; counter != NULL && i < ch->n_counter; i++) {
		s = signed_find(&ch->counter[i].sigs, me);
		if (s == NULL)
			continue;
		memcpy(counter[own.n_counter].desk, ch->counter[i].desk, 32);
		counter[own.n_counter].sigs.n = 1;
		counter[own.n_counter++].sigs.at[0] = *s;
	}
	if (err == PERR_OK)
		err = charter_signed_encode(raw, len, &own);
	free(counter);
	return err;
}

enum perr charters_post(struct client *c, const char *slot, const struct charter_signed *ch)
{
	struct post *p = calloc(1, sizeof *p);
	uint8_t *raw = NULL;
	size_t len = 0;
	enum perr err = p == NULL ? PERR_NOMEM : charter_signed_encode(&raw, &len, ch);

	if (err == PERR_OK) {
		p->kind = POST_BOARD;
		err = notices_seal(c, false, BOARD_CHARTER, raw, len, p->cell, p->ds);
	}
	/* PROTOCOL 7.3: "a charter can always travel with a single holder's signature" */
	if (err == PERR_RANGE) {
		doc_free(raw, len);
		err = own_part(c, ch, &raw, &len);
		if (err == PERR_OK)
			err = notices_seal(c, false, BOARD_CHARTER, raw, len, p->cell, p->ds);
	}
	if (err == PERR_OK)
		err = post_add(c, slot, p);
	doc_free(raw, len);
	if (p != NULL)
		sodium_memzero(p, sizeof *p);
	free(p);
	return err;
}

/* ---- what a proposal follows -------------------------------------------------------------- */

enum perr charters_follows(const struct client *c, const struct charter_signed *ch, uint32_t *at,
                           struct charter_signed *tip)
{
	memset(tip, 0, sizeof *tip);
	for (uint32_t i = 0; c->field != NULL && i < c->field->n_desks; i++) {
		const struct roster_desk *d = &c->field->desks[i];
		const struct doc_bytes *last = &d->charters[d->n_charters - 1];
		enum perr err = charter_signed_decode(tip, last->p, last->len);

		if (err == PERR_NOMEM)
			return err;
		if (err == PERR_OK && ch->body.version == tip->body.version + 1 &&
		    memcmp(ch->body.previous, tip->hash, 32) == 0) {
			*at = i;
			return PERR_OK;
		}
		charter_signed_free(tip);
	}
	return PERR_NOTFOUND;
}

static void hash_name(char name[96], const char *prefix, const uint8_t hash[32])
{
	client_key_name(name, prefix, hash, 32);
}

static enum perr load(struct client *c, const uint8_t hash[32], struct charter_signed *ch)
{
	uint8_t *raw = NULL;
	char name[96];
	size_t len;
	enum perr err;

	memset(ch, 0, sizeof *ch);
	hash_name(name, CHARTERS, hash);
	err = kv_get(c->kv, name, &raw, &len);
	if (err == PERR_OK)
		err = kv_decoded(charter_signed_decode(ch, raw, len));
	kv_free(raw);
	return err;
}

static enum perr store(struct client *c, const struct charter_signed *ch)
{
	uint8_t *raw = NULL;
	char name[96];
	size_t len = 0;
	enum perr err = charter_signed_encode(&raw, &len, ch);

	hash_name(name, CHARTERS, ch->hash);
	if (err == PERR_OK)
		err = kv_put(c->kv, name, raw, len);
	doc_free(raw, len);
	return err;
}

static enum perr sign(struct client *c, struct charter_signed *ch)
{
	struct sign_key key;
	enum perr err;

	client_sign_key(c, &key);
	err = charter_sign(ch, &key);
	signed_key_wipe(&key);
	return err;
}

/* one slot for each desk: a later proposal of this member's takes the place of an earlier one */
static enum perr store_and_post(struct client *c, const uint8_t desk_id[32],
                                const struct charter_signed *ch)
{
	char slot[96];
	enum perr err = store(c, ch);

	hash_name(slot, CHARTERS, desk_id);
	return err == PERR_OK ? charters_post(c, slot, ch) : err;
}

/* ---- looking through the proposals ------------------------------------------------------- */

struct walk {
	struct client *c;
	charters_fn *fn;
	void *arg;
};

static void compare_holders(struct charters_change *k, const struct charter *now)
{
	for (uint32_t i = 0; i < k->next->n; i++)
		if (!charter_has_holder(now, k->next->holders[i]))
			memcpy(k->added[k->n_added++], k->next->holders[i], 32);
	for (uint32_t i = 0; i < now->n; i++)
		if (!charter_has_holder(k->next, now->holders[i]))
			memcpy(k->removed[k->n_removed++], now->holders[i], 32);
}

static enum perr one_change(void *arg, const char *name, const uint8_t *value, size_t len)
{
	struct walk *w = arg;
	const uint8_t *me = w->c->me->sign_pk;
	struct charter_signed ch, tip = { 0 };
	struct charters_change *k = NULL;
	struct desk *desk = NULL;
	uint32_t at;
	enum perr err = kv_decoded(charter_signed_decode(&ch, value, len));

	(void)name;
	if (err != PERR_OK || ch.body.version == 0)
		goto out;
	err = charters_follows(w->c, &ch, &at, &tip);
	if (err != PERR_OK) {
		err = err == PERR_NOTFOUND ? PERR_OK : err;
		goto out;
	}
	desk = malloc(sizeof *desk);
	k = calloc(1, sizeof *k);
	err = desk == NULL || k == NULL ? PERR_NOMEM : client_desk(w->c, at, desk);
	if (err != PERR_OK)
		goto out;
	memcpy(k->hash, ch.hash, 32);
	k->desk = desk;
	k->next = &ch.body;
	k->sigs = &ch.sigs;
	k->may_sign = charter_has_holder(&desk->now, me);
	k->signed_by_me = k->may_sign && signed_find(&ch.sigs, me) != NULL;
	compare_holders(k, &desk->now);
	err = charter_progress(&k->n_signed, &k->n_needed, &ch, &tip);
	if (err == PERR_OK)
		err = w->fn(w->arg, k);
out:
	charter_signed_free(&ch);
	charter_signed_free(&tip);
	free(desk);
	free(k);
	return err;
}

enum perr charters_each(struct client *c, charters_fn *fn, void *arg)
{
	struct walk w = { .c = c, .fn = fn, .arg = arg };

	return c->field == NULL ? PERR_OK : kv_each(c->kv, CHARTERS, one_change, &w);
}

/* ---- proposing -------------------------------------------------------------------------- */

/* the holders as they would be; PERR_REFUSED with a sentence */
static enum perr next_holders(const struct charter *now, const struct charters_wish *w,
                              uint8_t out[CHARTER_HOLDERS_MAX][32], uint32_t *n,
                              char why[CHARTERS_WHY])
{
	uint32_t stay = 0;

	*n = 0;
	for (uint32_t i = 0; i < w->n_remove; i++)
		if (!charter_has_holder(now, w->remove[i]))
			return no(why, "somebody who is to be removed does not hold the desk \"%s\"",
			          now->name);
	for (uint32_t i = 0; i < now->n; i++) {
		bool paper = charter_is_paper(now, now->holders[i]);

		if (doc_find(w->remove, w->n_remove, now->holders[i]) < w->n_remove ||
		    (paper && w->paper != NULL))
			continue;
		memcpy(out[(*n)++], now->holders[i], 32);
		/* paper passes on no records */
		stay += paper ? 0 : 1;
	}
	if (stay == 0)
		return no(why, "somebody who holds the desk \"%s\" now has to stay: who is new gets its "
		          "records from who stays; add first, remove later", now->name);
	for (uint32_t i = 0; i < w->n_add; i++) {
		if (doc_find((const uint8_t (*)[32])out, *n, w->add[i]) < *n)
			return no(why, "somebody who is to be added holds the desk \"%s\" already, or is "
			          "named twice", now->name);
		if (*n == CHARTER_HOLDERS_MAX)
			return no(why, "a desk has at most %d holders", CHARTER_HOLDERS_MAX);
		memcpy(out[(*n)++], w->add[i], 32);
	}
	if (w->paper != NULL) {
		if (*n == CHARTER_HOLDERS_MAX)
			return no(why, "a desk has at most %d holders", CHARTER_HOLDERS_MAX);
		memcpy(out[(*n)++], w->paper, 32);
	}
	return PERR_OK;
}

static uint32_t fitting(uint32_t threshold, uint32_t living)
{
	uint32_t most = charter_threshold_max(living);

	return threshold < most ? threshold : most;
}

/* a proposal for this desk that nobody but this member has signed */
struct alone {
	struct client *c;
	const uint8_t *desk;
	uint8_t hash[NOTICES_CHARTERS_MAX][32];
	unsigned n;
};

static enum perr find_alone(void *arg, const struct charters_change *k)
{
	struct alone *a = arg;

	if (memcmp(k->desk->id, a->desk, 32) == 0 && k->signed_by_me && k->n_signed == 1 &&
	    a->n < NOTICES_CHARTERS_MAX)
		memcpy(a->hash[a->n++], k->hash, 32);
	return PERR_OK;
}

static enum perr take_back(struct client *c, const struct alone *a)
{
	enum perr err = PERR_OK;

	for (unsigned i = 0; i < a->n && err == PERR_OK; i++) {
		char name[96];

		hash_name(name, CHARTERS, a->hash[i]);
		err = kv_erase(c->kv, name);
	}
	return err;
}

static enum perr find_desk(const struct client *c, const uint8_t desk_id[32], struct desk *d,
                           struct charter_signed *tip)
{
	for (uint32_t i = 0; c->field != NULL && i < c->field->n_desks; i++) {
		const struct roster_desk *rd = &c->field->desks[i];
		const struct doc_bytes *last = &rd->charters[rd->n_charters - 1];
		enum perr err = client_desk(c, i, d);

		if (err != PERR_OK)
			return err;
		if (memcmp(d->id, desk_id, 32) == 0)
			return charter_signed_decode(tip, last->p, last->len);
	}
	return PERR_NOTFOUND;
}

/* the next charter as it is wished for, not signed.  ch out: for charter_signed_free */
static enum perr draft(struct client *c, const uint8_t desk_id[32],
                       const struct charters_wish *wish, struct charter_signed *ch,
                       char why[CHARTERS_WHY])
{
	uint8_t holders[CHARTER_HOLDERS_MAX][32];
	struct charter_signed tip = { 0 };
	struct desk *d = malloc(sizeof *d);
	const uint8_t *paper = wish->paper;
	uint32_t n = 0, living, threshold;
	enum perr err = d == NULL ? PERR_NOMEM : find_desk(c, desk_id, d, &tip);

	memset(ch, 0, sizeof *ch);
	why[0] = '\0';
	if (err != PERR_OK)
		goto out;
	err = PERR_REFUSED;
	if (!charter_has_holder(&d->now, c->me->sign_pk))
		no(why, "only who holds the desk \"%s\" can change who does", d->now.name);
	else if (d->now.version + 1 >= CHARTER_CHAIN_MAX)
		no(why, "the desk \"%s\" was changed %d times, the most that is possible: found a new "
		   "desk, have this one vouch for it, and publish the forms for the new one",
		   d->now.name, CHARTER_CHAIN_MAX - 1);
	else
		err = next_holders(&d->now, wish, holders, &n, why);
	if (err != PERR_OK)
		goto out;
	if (paper == NULL && d->now.has_paper &&
	    doc_find((const uint8_t (*)[32])holders, n, d->now.paper) < n)
		paper = d->now.paper;
	living = n - (paper != NULL ? 1 : 0);
	threshold = wish->threshold != 0 ? wish->threshold : fitting(d->now.threshold, living);
	if (threshold != fitting(threshold, living))
		err = no(why, living == 1 ? "with one holder the threshold is 1" : "the threshold has to lie "
		         "below the number of holders, so that one who is ill or taken cannot freeze "
		         "the desk");
	else if (wish->n_add == 0 && wish->n_remove == 0 && wish->paper == NULL &&
	         threshold == d->now.threshold)
		err = no(why, "nothing would change");
	if (err == PERR_OK)
		err = charter_make_paper(ch, d->now.name, d->now.organisation, threshold,
		                         (const uint8_t (*)[32])holders, n, paper, &tip);
out:
	charter_signed_free(&tip);
	free(d);
	return err;
}

enum perr charters_look(struct client *c, const uint8_t desk_id[32],
                        const struct charters_wish *wish, struct charter *next,
                        char why[CHARTERS_WHY])
{
	struct charter_signed ch;
	enum perr err = draft(c, desk_id, wish, &ch, why);

	*next = ch.body;
	charter_signed_free(&ch);
	return err;
}

enum perr charters_propose(struct client *c, const uint8_t desk_id[32],
                           const struct charters_wish *wish, uint8_t hash[32],
                           char why[CHARTERS_WHY])
{
	struct charter_signed ch;
	struct alone alone = { .c = c, .desk = desk_id };
	enum perr err = draft(c, desk_id, wish, &ch, why);

	if (err == PERR_OK)
		err = sign(c, &ch);
	if (err == PERR_OK)
		err = charters_each(c, find_alone, &alone);
	if (err == PERR_OK)
		err = kv_begin(c->kv);
	if (err != PERR_OK)
		goto out;
	err = take_back(c, &alone);
	if (err == PERR_OK && wish->also != NULL)
		err = wish->also(c, wish->also_arg);
	if (err == PERR_OK)
		err = store_and_post(c, desk_id, &ch);
	if (err == PERR_OK)
		err = kv_commit(c->kv);
	kv_abort(c->kv);
	if (err == PERR_OK && hash != NULL)
		memcpy(hash, ch.hash, 32);
out:
	charter_signed_free(&ch);
	return err;
}

enum perr charters_sign(struct client *c, const uint8_t hash[32])
{
	struct charter_signed ch = { 0 }, tip = { 0 };
	struct charter_signed first = { 0 };
	uint32_t at;
	enum perr err = load(c, hash, &ch);

	if (err == PERR_OK)
		err = charters_follows(c, &ch, &at, &tip);
	if (err == PERR_OK && !charter_has_holder(&tip.body, c->me->sign_pk))
		err = PERR_KEY;
	if (err == PERR_OK)
		err = charter_signed_decode(&first, c->field->desks[at].charters[0].p,
		                            c->field->desks[at].charters[0].len);
	if (err == PERR_OK)
		err = sign(c, &ch);
	if (err == PERR_OK)
		err = kv_begin(c->kv);
	if (err == PERR_OK) {
		err = store_and_post(c, first.hash, &ch);
		if (err == PERR_OK)
			err = kv_commit(c->kv);
		kv_abort(c->kv);
	}
	charter_signed_free(&ch);
	charter_signed_free(&tip);
	charter_signed_free(&first);
	return err;
}

/* ---- once more ---------------------------------------------------------------------------- */

struct stored {
	unsigned n;
	uint8_t hash[NOTICES_CHARTERS_MAX][32];
};

static enum perr one_stored(void *arg, const char *name, const uint8_t *value, size_t len)
{
	struct stored *s = arg;
	struct charter_signed ch;
	enum perr err = kv_decoded(charter_signed_decode(&ch, value, len));

	(void)name;
	if (err == PERR_OK && s->n < NOTICES_CHARTERS_MAX)
		memcpy(s->hash[s->n++], ch.hash, 32);
	charter_signed_free(&ch);
	return err;
}

/* the slot a stored proposal has on the board; PERR_NOTFOUND: it is over, or not this member's */
static enum perr slot_of(struct client *c, const struct charter_signed *ch, char slot[96])
{
	struct charter_signed tip = { 0 }, first = { 0 };
	char name[96 + 8];
	uint8_t *post;
	uint32_t at;
	enum perr err;

	if (ch->body.version == 0) {     /* whoever proposed a new desk need not be one of its holders */
		hash_name(slot, CHARTERS, ch->hash);
		snprintf(name, sizeof name, "post/%s", slot);
		err = kv_get(c->kv, name, &post, NULL);
		if (err == PERR_OK)
			kv_free(post);
		return err;
	}
	if (signed_find(&ch->sigs, c->me->sign_pk) == NULL)
		return PERR_NOTFOUND;
	err = charters_follows(c, ch, &at, &tip);
	if (err == PERR_OK)
		err = charter_signed_decode(&first, c->field->desks[at].charters[0].p,
		                            c->field->desks[at].charters[0].len);
	if (err == PERR_OK)
		hash_name(slot, CHARTERS, first.hash);
	charter_signed_free(&tip);
	charter_signed_free(&first);
	return err;
}

enum perr charters_repost(struct client *c, unsigned *n)
{
	struct stored *s = calloc(1, sizeof *s);
	enum perr err = s == NULL ? PERR_NOMEM : kv_each(c->kv, CHARTERS, one_stored, s);

	/* new desks first: a listed desk's change has the slot that its first charter had */
	for (int later = 0; later < 2; later++)
		for (unsigned i = 0; err == PERR_OK && i < s->n; i++) {
			struct charter_signed ch;
			char slot[96];

			err = load(c, s->hash[i], &ch);
			if (err == PERR_OK && (ch.body.version > 0) == (later == 1)) {
				err = slot_of(c, &ch, slot);
				if (err == PERR_OK) {
					err = charters_post(c, slot, &ch);
					*n += 1;
				}
			}
			charter_signed_free(&ch);
			err = err == PERR_NOTFOUND ? PERR_OK : err;
		}
	free(s);
	return err;
}

/* ---- the duty: what is over ------------------------------------------------------------- */

/* proposals that follow no charter in force any more; a day by which to forget */
struct over {
	struct client *c;
	unsigned n;
	struct {
		uint8_t hash[32];
		char name[CHARTER_NAME_MAX + 1];
		bool tell;
	} at[NOTICES_CHARTERS_MAX];
};

/* is this document in the chain of some desk? */
static enum perr is_listed(const struct client *c, const uint8_t hash[32], bool *is)
{
	struct desk *d = malloc(sizeof *d);
	enum perr err = d == NULL ? PERR_NOMEM : PERR_OK;

	*is = false;
	for (uint32_t i = 0; i < c->field->n_desks && err == PERR_OK && !*is; i++) {
		err = client_desk(c, i, d);
		if (err == PERR_OK)
			*is = doc_find((const uint8_t (*)[32])d->hashes, d->n_hashes, hash) <
			      d->n_hashes;
	}
	free(d);
	return err;
}

static enum perr one_over(void *arg, const char *name, const uint8_t *value, size_t len)
{
	struct over *o = arg;
	struct charter_signed ch, tip = { 0 };
	uint32_t at;
	bool listed = false;
	enum perr err = kv_decoded(charter_signed_decode(&ch, value, len));

	(void)name;
	if (err == PERR_OK && ch.body.version > 0 && o->n < NOTICES_CHARTERS_MAX) {
		err = charters_follows(o->c, &ch, &at, &tip);
		if (err == PERR_NOTFOUND) {
			err = is_listed(o->c, ch.hash, &listed);
			memcpy(o->at[o->n].hash, ch.hash, 32);
			memcpy(o->at[o->n].name, ch.body.name, sizeof ch.body.name);
			o->at[o->n++].tell = !listed && signed_find(&ch.sigs, o->c->me->sign_pk) != NULL;
		}
	}
	charter_signed_free(&ch);
	charter_signed_free(&tip);
	return err;
}

static enum perr tell(struct client *c, const uint8_t hash[32], const char *desk_name)
{
	uint8_t buf[SAID_SIZE];
	struct mp_writer w;
	char name[96];
	size_t len;
	enum perr err;

	mp_writer_init(&w, buf, sizeof buf);
	mp_put_array(&w, 2);
	mp_put_uint(&w, client_day(c));
	mp_put_str(&w, desk_name);
	err = mp_written(&w, &len);
	hash_name(name, OVERTAKEN, hash);
	return err == PERR_OK ? kv_put(c->kv, name, buf, len) : err;
}

struct told {
	charters_overtaken_fn *fn;
	void *arg;
	uint32_t before;                 /* forget what is from before this day */
	unsigned n_old;
	char old[NOTICES_CHARTERS_MAX][96];
};

static enum perr one_told(void *arg, const char *name, const uint8_t *value, size_t len)
{
	struct told *t = arg;
	struct mp_reader r;
	char desk[CHARTER_NAME_MAX + 1];
	uint32_t day;
	enum perr err;

	mp_reader_init(&r, value, len);
	mp_array(&r, 2);
	day = (uint32_t)mp_uint(&r, UINT32_MAX);
	mp_str_copy(&r, desk, sizeof desk, 0);
	err = kv_decoded(mp_finish(&r));
	if (err == PERR_OK && t->fn != NULL)
		err = t->fn(t->arg, desk, day);
	if (err == PERR_OK && day < t->before && t->n_old < NOTICES_CHARTERS_MAX)
		snprintf(t->old[t->n_old++], sizeof t->old[0], "%s", name);
	return err;
}

enum perr charters_overtaken(struct client *c, charters_overtaken_fn *fn, void *arg)
{
	struct told t = { .fn = fn, .arg = arg };

	return kv_each(c->kv, OVERTAKEN, one_told, &t);
}

static enum perr forget(struct client *c)
{
	struct over *o = calloc(1, sizeof *o);
	struct told *t = calloc(1, sizeof *t);
	uint32_t day = client_day(c);
	char name[96];
	enum perr err = o == NULL || t == NULL ? PERR_NOMEM : PERR_OK;

	if (err == PERR_OK) {
		o->c = c;
		t->before = day > CHARTERS_TOLD_DAYS ? day - CHARTERS_TOLD_DAYS : 0;
		err = kv_each(c->kv, CHARTERS, one_over, o);
	}
	if (err == PERR_OK)
		err = kv_each(c->kv, OVERTAKEN, one_told, t);
	if (err != PERR_OK || o->n + t->n_old == 0)
		goto out;
	err = kv_begin(c->kv);
	for (unsigned i = 0; i < o->n && err == PERR_OK; i++) {
		hash_name(name, CHARTERS, o->at[i].hash);
		err = kv_erase(c->kv, name);
		if (err == PERR_OK && o->at[i].tell)
			err = tell(c, o->at[i].hash, o->at[i].name);
	}
	for (unsigned i = 0; i < t->n_old && err == PERR_OK; i++)
		err = kv_erase(c->kv, t->old[i]);
	if (err == PERR_OK)
		err = kv_commit(c->kv);
	kv_abort(c->kv);
out:
	free(o);
	free(t);
	return err;
}

/* ---- the duty: listing ------------------------------------------------------------------ */

/* the first complete one; in the order of hashes, so that two administrators take the same */
static enum perr find_complete(void *arg, const struct charters_change *k)
{
	if (k->n_signed < k->n_needed)
		return PERR_OK;
	memcpy(arg, k->hash, 32);
	return PERR_EXISTS;
}

enum perr charters_duty(struct client *c, bool *more)
{
	uint8_t hash[32], last[32] = { 0 };
	bool busy = false;
	enum perr err = PERR_OK;

	if (c->field == NULL || c->staff == NULL)
		return PERR_OK;
	while (c->admin != NULL) {
		err = quorum_is_busy(c, &busy);
		if (err != PERR_OK || busy)
			break;
		err = charters_each(c, find_complete, hash);
		/* one that is still there was only proposed to the other administrators */
		if (err != PERR_EXISTS || memcmp(hash, last, 32) == 0)
			break;
		memcpy(last, hash, 32);
		err = org_charter(c, hash);
		if (err != PERR_OK)
			break;
		*more = true;
	}
	/* somebody was faster, or it is not possible upon this roster: the next sync looks again */
	if (err == PERR_EXISTS || err == PERR_LIMIT || err == PERR_NOTFOUND || err == PERR_SIGS)
		err = PERR_OK;
	return err == PERR_OK ? forget(c) : err;
}
