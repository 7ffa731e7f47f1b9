/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "policies.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "admins.h"
#include "bulletin.h"
#include "channel.h"
#include "mp.h"
#include "roster.h"
#include "rpc.h"

#define RECORD_MAX 4096
#define GUEST_DAYS 400           /* that a key of before still reaches the bulletin */

/* ---- making one ---------------------------------------------------------------------- */

static void grant(struct policy *p, uint32_t scope, const uint8_t key[32], uint32_t last_day)
{
	struct policy_access *a = &p->access[p->n_access++];

	a->scope = scope;
	channel_access(a->derived, key, p->server_pk);
	a->last_day = last_day;
}

/*
 * Keys of before: with their scope through their last day, and from then on as a guest's, so
 * that a phone that was away meets the bulletin with the only key it has, and not silence.
 * PROTOCOL 10.1: "Of several entries of one key that are in force on a day the last one counts."
 */
static void grant_retired(struct policy *p, const struct roster_admin *a)
{
	uint32_t n_full = 0;

	for (uint32_t i = 0; i < a->n_retired; i++)
		n_full += a->retired[i].last_day >= p->day;
	/* as many as fit beside those and the current ones, the newest */
	for (uint32_t i = a->n_retired; i > 0 && p->n_access + n_full + 3 < POLICY_ACCESS_MAX; i--)
		grant(p, RPC_GUEST, a->retired[i - 1].key, a->retired[i - 1].last_day + GUEST_DAYS);
	for (uint32_t i = 0; i < a->n_retired && p->n_access + 3 < POLICY_ACCESS_MAX; i++)
		if (a->retired[i].last_day >= p->day)
			grant(p, a->retired[i].scope, a->retired[i].key, a->retired[i].last_day);
}

enum perr policies_make(const struct client *c, size_t at, uint32_t counter, uint32_t day,
                        uint32_t version, const uint8_t link[32], const uint8_t k_admin[32],
                        struct policy *p)
{
	const struct roster_admin *a = c->admin;

	if (a == NULL)
		return PERR_STATE;
	if (at >= c->field->n_servers)
		return PERR_NOTFOUND;
	policy_default(p);
	memcpy(p->server_pk, c->field->servers[at].pk, 32);
	p->counter = counter;
	p->day = day;
	p->version = version;
	memcpy(p->link, link, 32);
	for (uint32_t i = 0; i < a->n_guests; i++)
		grant(p, RPC_GUEST, a->guests[i].key, a->guests[i].last_day);
	grant_retired(p, a);
	grant(p, RPC_FIELD, c->field->field_access, 0);
	grant(p, RPC_COUNSEL, c->staff->counsel_access, 0);
	grant(p, RPC_STEWARD, a->steward_access, 0);
	for (uint32_t i = 0; i < a->n_invitations; i++)
		policy_ticket_hash(p->tickets[p->n_tickets++], a->invitations[i].ticket);
	p->release_minutes = a->schedule.release_minutes;
	p->surge_minutes = a->schedule.surge_minutes;
	p->surge_until = a->schedule.surge_until;
	p->retention_days = c->field->limits.retention_days;
	memcpy(p->seed, a->policy_seed, 32);
	return policy_fill_tickets(p, k_admin);
}

static enum perr make_newest(const struct client *c, size_t at, uint32_t counter, uint32_t day,
                             struct policy *p)
{
	const struct bulletin *b = client_bulletin(c);
	enum perr err;

	if (b == NULL)
		return PERR_STATE;
	err = policies_make(c, at, counter, day, b->version, b->link, c->level_key, p);
	if (err == PERR_OK) {
		p->n_chain = b->n_chain;
		memcpy(p->chain, b->chain, sizeof p->chain);
	}
	return err;
}

/* ---- counters ------------------------------------------------------------------------ */

static enum perr seen(struct client *c, const uint8_t server_pk[32], uint32_t v[2])
{
	uint8_t *value;
	char name[96];
	size_t len;
	enum perr err;

	v[0] = v[1] = 0;
	client_key_name(name, "counter/", server_pk, 32);
	err = kv_get(c->kv, name, &value, &len);
	if (err != PERR_OK)
		return err == PERR_NOTFOUND ? PERR_OK : err;
	if (len == 8) {
		v[0] = doc_get_u32(value);
		v[1] = doc_get_u32(value + 4);
	} else {
		err = PERR_CORRUPT;
	}
	kv_free(value);
	return err;
}

enum perr policies_counter(struct client *c, const uint8_t server_pk[32], uint32_t *counter)
{
	uint32_t v[2];
	enum perr err = seen(c, server_pk, v);

	*counter = v[0];
	return err;
}

enum perr policies_has(struct client *c, const uint8_t server_pk[32], bool *any, bool *newest)
{
	const struct bulletin *b = client_bulletin(c);
	uint32_t v[2];
	enum perr err = seen(c, server_pk, v);

	*any = v[1] > 0;
	*newest = b != NULL && v[1] >= b->version;
	return err;
}

enum perr policies_is_news(struct client *c, const uint8_t server_pk[32], uint32_t counter,
                           uint32_t version, bool *is)
{
	uint32_t v[2];
	enum perr err = seen(c, server_pk, v);

	*is = v[0] < counter || v[1] != version;
	return err;
}

enum perr policies_saw(struct client *c, const uint8_t server_pk[32], uint32_t counter,
                       uint32_t version)
{
	uint8_t value[8];
	char name[96];
	uint32_t v[2];
	enum perr err = seen(c, server_pk, v);

	client_key_name(name, "counter/", server_pk, 32);
	/* a counter never goes back; of the policy it has what it says */
	doc_u32(value, counter > v[0] ? counter : v[0]);
	doc_u32(value + 4, version);
	return err == PERR_OK ? kv_put(c->kv, name, value, sizeof value) : err;
}

/* ---- signatures so far ---------------------------------------------------------------- */

struct record {
	uint8_t header[32];              /* of which roster */
	uint32_t counter, day;
	struct signed_sigs sigs;
};

static enum perr load(struct client *c, const uint8_t server_pk[32], struct record *r)
{
	struct mp_reader m;
	uint8_t *value;
	char name[96];
	size_t len;
	enum perr err;

	memset(r, 0, sizeof *r);
	client_key_name(name, "polsig/", server_pk, 32);
	err = kv_get(c->kv, name, &value, &len);
	if (err != PERR_OK)
		return err;
	mp_reader_init(&m, value, len);
	mp_array(&m, 4);
	mp_bin_copy(&m, r->header, 32);
	r->counter = (uint32_t)mp_uint(&m, UINT32_MAX);
	r->day = (uint32_t)mp_uint(&m, UINT32_MAX);
	signed_get_sigs(&m, &r->sigs);
	err = kv_decoded(mp_finish(&m));
	kv_free(value);
	/* of a roster before: of no use */
	if (err == PERR_OK && memcmp(r->header, c->header_hash, 32) != 0)
		err = PERR_NOTFOUND;
	return err;
}

static enum perr save(struct client *c, const uint8_t server_pk[32], const struct record *r)
{
	uint8_t buf[RECORD_MAX];
	struct mp_writer w;
	char name[96];
	size_t len;
	enum perr err;

	mp_writer_init(&w, buf, sizeof buf);
	mp_put_array(&w, 4);
	mp_put_bin(&w, r->header, 32);
	mp_put_uint(&w, r->counter);
	mp_put_uint(&w, r->day);
	signed_put_sigs(&w, &r->sigs);
	err = mp_written(&w, &len);
	client_key_name(name, "polsig/", server_pk, 32);
	return err == PERR_OK ? kv_put(c->kv, name, buf, len) : err;
}

enum perr policies_keep(struct client *c, const uint8_t header[32], const uint8_t server_pk[32],
                        uint32_t counter, uint32_t day, const struct signed_sigs *sigs)
{
	struct record r = { .counter = counter, .day = day, .sigs = *sigs };

	memcpy(r.header, header, 32);
	return save(c, server_pk, &r);
}

/* add this device's signature of the policy that the record is about */
static enum perr sign(struct client *c, size_t at, struct record *r)
{
	struct policy *p = calloc(1, sizeof *p);
	uint8_t *doc = NULL;
	struct sign_key key;
	size_t len = 0;
	enum perr err = p == NULL ? PERR_NOMEM : make_newest(c, at, r->counter, r->day, p);

	if (err == PERR_OK)
		err = policy_encode(&doc, &len, p);
	if (err == PERR_OK) {
		client_sign_key(c, &key);
		err = signed_add(&r->sigs, &key, POLICY_CONTEXT, doc, len);
		signed_key_wipe(&key);
	}
	doc_free(doc, len);
	if (p != NULL)
		sodium_memzero(p, sizeof *p);
	free(p);
	return err;
}

static enum perr batch_save(struct client *c, const uint8_t server_pk[32], const struct record *r)
{
	enum perr err = kv_begin(c->kv);

	if (err == PERR_OK)
		err = save(c, server_pk, r);
	if (err == PERR_OK)
		err = kv_commit(c->kv);
	if (err != PERR_OK)
		kv_abort(c->kv);
	return err;
}

static enum perr pack(struct client *c, size_t at, const struct record *r, uint8_t **out,
                      size_t *out_len)
{
	const struct admins *now = client_admins(c);
	struct policy *p = calloc(1, sizeof *p);
	uint8_t *doc = NULL;
	size_t len = 0;
	enum perr err = p == NULL ? PERR_NOMEM : make_newest(c, at, r->counter, r->day, p);

	if (err == PERR_OK)
		err = policy_encode(&doc, &len, p);
	if (err == PERR_OK)
		err = admins_check(now, &r->sigs, POLICY_CONTEXT, doc, len);
	if (err == PERR_OK)
		err = policy_pack(out, out_len, p, &r->sigs);
	doc_free(doc, len);
	if (p != NULL)
		sodium_memzero(p, sizeof *p);
	free(p);
	return err;
}

enum perr policies_ready(struct client *c, size_t at, uint32_t *counter, uint8_t **out,
                         size_t *out_len)
{
	const struct admins *now = client_admins(c);
	const uint8_t *pk;
	struct record r;
	enum perr err;

	*out = NULL;
	*out_len = 0;
	if (c->admin == NULL || now == NULL)
		return PERR_STATE;
	if (at >= c->field->n_servers)
		return PERR_NOTFOUND;
	pk = c->field->servers[at].pk;
	if (now->last.threshold == 1) {
		memset(&r, 0, sizeof r);
		r.counter = ++*counter;
		r.day = client_day(c);
		err = sign(c, at, &r);
		return err == PERR_OK ? pack(c, at, &r, out, out_len) : err;
	}
	err = load(c, pk, &r);
	if (err != PERR_OK && err != PERR_NOTFOUND)
		return err;
	if (err == PERR_OK && r.counter > *counter) {
		err = pack(c, at, &r, out, out_len);
		if (err == PERR_OK)
			*counter = r.counter;
		if (err != PERR_SIGS || signed_find(&r.sigs, c->me->sign_pk) != NULL)
			return err;
	} else {
		/* the counter has passed them, or there are none: begin anew */
		memset(&r, 0, sizeof r);
		memcpy(r.header, c->header_hash, 32);
		r.counter = *counter + POLICIES_AHEAD;
		r.day = client_day(c);
	}
	err = sign(c, at, &r);
	if (err == PERR_OK)
		err = batch_save(c, pk, &r);
	/* others may have signed before */
	if (err == PERR_OK)
		err = pack(c, at, &r, out, out_len);
	if (err == PERR_OK)
		*counter = r.counter;
	return err;
}

/* ---- between administrators ------------------------------------------------------------- */

static bool is_plausible(uint32_t counter, uint32_t day, uint32_t known, uint32_t today)
{
	uint32_t apart = day > today ? day - today : today - day;

	/* a counter at its end would close the server for ever */
	return counter > known && counter - known <= POLICIES_LEAP && apart <= POLICIES_DAYS;
}

static enum perr take_one(struct client *c, size_t at, const struct proposal_sheet *s, size_t i,
                          bool *changed)
{
	const uint8_t *pk = c->field->servers[at].pk;
	struct policy *p = calloc(1, sizeof *p);
	uint8_t *doc = NULL;
	struct record r;
	uint32_t known;
	size_t len = 0;
	bool have;
	enum perr err = p == NULL ? PERR_NOMEM : policies_counter(c, pk, &known);

	if (err != PERR_OK)
		goto out;
	if (!is_plausible(s->policies[i].counter, s->policies[i].day, known, client_day(c)))
		goto out;
	err = load(c, pk, &r);
	have = err == PERR_OK;
	if (err != PERR_OK && err != PERR_NOTFOUND)
		goto out;
	err = PERR_OK;
	/* of two that two devices began the higher one: everybody comes to the same */
	if (have && (r.counter > s->policies[i].counter ||
	             (r.counter == s->policies[i].counter && r.day > s->policies[i].day) ||
	             (r.counter == s->policies[i].counter && r.day == s->policies[i].day &&
	              signed_find(&r.sigs, s->signer) != NULL)))
		goto out;
	err = make_newest(c, at, s->policies[i].counter, s->policies[i].day, p);
	if (err == PERR_OK)
		err = policy_encode(&doc, &len, p);
	if (err == PERR_OK)
		err = signed_verify(s->signer, s->policies[i].sig, POLICY_CONTEXT, doc, len);
	if (err == PERR_AUTH) {
		err = PERR_OK;
		goto out;
	}
	if (err != PERR_OK)
		goto out;
	if (!have || r.counter != s->policies[i].counter || r.day != s->policies[i].day) {
		memset(&r, 0, sizeof r);
		memcpy(r.header, c->header_hash, 32);
		r.counter = s->policies[i].counter;
		r.day = s->policies[i].day;
	}
	if (signed_find(&r.sigs, s->signer) == NULL && r.sigs.n < SIGNED_SIGS_MAX) {
		struct signed_sigs one = { .n = 1 };

		memcpy(one.at[0].key, s->signer, 32);
		memcpy(one.at[0].sig, s->policies[i].sig, 64);
		err = signed_merge(&r.sigs, &one, POLICY_CONTEXT, doc, len,
		                   (const uint8_t (*)[32])s->signer, 1);
	}
	if (err == PERR_OK && signed_find(&r.sigs, c->me->sign_pk) == NULL)
		err = sign(c, at, &r);
	if (err == PERR_OK)
		err = save(c, pk, &r);
	*changed = true;
out:
	doc_free(doc, len);
	if (p != NULL)
		sodium_memzero(p, sizeof *p);
	free(p);
	return err;
}

enum perr policies_take(struct client *c, const struct proposal_sheet *s, bool *changed)
{
	enum perr err = PERR_OK;

	*changed = false;
	if (c->admin == NULL || memcmp(s->hash, c->header_hash, 32) != 0 ||
	    !admins_has(client_admins(c), s->signer))
		return PERR_OK;
	for (uint32_t i = 0; i < s->n_policies && err == PERR_OK; i++)
		for (uint32_t at = 0; at < c->field->n_servers && err == PERR_OK; at++)
			if (memcmp(c->field->servers[at].pk, s->policies[i].server_pk, 32) == 0)
				err = take_one(c, at, s, i, changed);
	return err;
}

enum perr policies_sheet(struct client *c, struct proposal_sheet *s)
{
	enum perr err = PERR_OK;

	memset(s, 0, sizeof *s);
	memcpy(s->signer, c->me->sign_pk, 32);
	memcpy(s->hash, c->header_hash, 32);
	for (uint32_t at = 0; at < c->field->n_servers && err == PERR_OK; at++) {
		const uint8_t *pk = c->field->servers[at].pk;
		const struct signed_sig *own;
		struct record r;
		bool any, has;

		err = policies_has(c, pk, &any, &has);
		if (err == PERR_OK && !has)
			err = load(c, pk, &r);
		if (err == PERR_NOTFOUND || has) {
			err = err == PERR_NOTFOUND ? PERR_OK : err;
			continue;
		}
		own = err == PERR_OK ? signed_find(&r.sigs, c->me->sign_pk) : NULL;
		if (own == NULL)
			continue;
		memcpy(s->policies[s->n_policies].server_pk, pk, 32);
		s->policies[s->n_policies].counter = r.counter;
		s->policies[s->n_policies].day = r.day;
		memcpy(s->policies[s->n_policies++].sig, own->sig, 64);
	}
	return err;
}
