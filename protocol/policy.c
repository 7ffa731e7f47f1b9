/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "policy.h"

#include <sodium.h>
#include <stdlib.h>

#define POLICY_MAX SIGNED_DOC_MAX
#define LIMITS     4
#define SCOPE_MAX  4                     /* steward; the setup scope is never in a policy */

void policy_default(struct policy *p)
{
	memset(p, 0, sizeof *p);
	p->version = 1;
	p->release_minutes = 60;
	p->surge_minutes = 10;
	p->retention_days = 60;
	p->settle_days = 2;
	p->erase_delay_hours = 48;
	p->limits = (struct policy_limits){
		.puts_per_minute = 6000,
		.connections_per_source = 64,
		.alert_cells_per_hour = 200000,
		.reserve_mib = 256,
	};
}

void policy_ticket_hash(uint8_t hash[32], const uint8_t ticket[16])
{
	doc_hash(hash, "amparo/1 ticket", ticket, 16);
}

static bool is_power_of_two(uint32_t n)
{
	return n != 0 && (n & (n - 1)) == 0;
}

/* PROTOCOL 10.1: "padded to a power of two with what looks random to a server" */
enum perr policy_pad_tickets(struct policy *p, struct rng rng)
{
	if (p->n_tickets > POLICY_TICKETS_MAX)
		return PERR_RANGE;
	while (p->n_tickets < POLICY_TICKETS_MIN || !is_power_of_two(p->n_tickets))
		rng_fill(rng, p->tickets[p->n_tickets++], 32);
	doc_sort(p->tickets, p->n_tickets);
	return PERR_OK;
}

/* PROTOCOL 10.1: "`H(k_admin, "amparo/1 ticket pad" ‖ server Noise key ‖ u32 i)`" */
enum perr policy_fill_tickets(struct policy *p, const uint8_t k_admin[32])
{
	uint8_t what[36];

	if (p->n_tickets > POLICY_TICKETS_MAX)
		return PERR_RANGE;
	memcpy(what, p->server_pk, 32);
	for (uint32_t i = 0; p->n_tickets < POLICY_TICKETS_MIN || !is_power_of_two(p->n_tickets); i++) {
		doc_u32(what + 32, i);
		doc_hash_keyed(p->tickets[p->n_tickets++], k_admin, 32, "amparo/1 ticket pad", what,
		               sizeof what);
	}
	doc_sort(p->tickets, p->n_tickets);
	return PERR_OK;
}

static bool is_sound(const struct policy *p)
{
	if (p->counter < 1 || p->version < 1 || doc_is_zero(p->link, 32) || p->n_access < 1 ||
	    p->n_access > POLICY_ACCESS_MAX || p->n_tickets < POLICY_TICKETS_MIN ||
	    p->n_tickets > POLICY_TICKETS_MAX || !is_power_of_two(p->n_tickets) ||
	    !doc_is_rising(p->tickets, p->n_tickets))
		return false;
	for (uint32_t i = 0; i < p->n_access; i++)
		if (p->access[i].scope < 1 || p->access[i].scope > SCOPE_MAX)
			return false;
	/* bounds that keep a mistyped policy from destroying what nobody has read */
	return p->release_minutes >= 1 && p->release_minutes <= 1440 && p->surge_minutes >= 1 &&
	       p->surge_minutes <= 1440 && p->retention_days >= 7 && p->retention_days <= 400 &&
	       p->settle_days >= 1 && p->settle_days <= 30 && p->erase_delay_hours <= 720;
}

static void put_access(struct mp_writer *w, const struct policy *p)
{
	mp_put_array(w, p->n_access);
	for (uint32_t i = 0; i < p->n_access; i++) {
		mp_put_array(w, 3);
		mp_put_uint(w, p->access[i].scope);
		mp_put_bin(w, p->access[i].derived, 32);
		mp_put_uint(w, p->access[i].last_day);
	}
}

static void put_policy(struct mp_writer *w, const void *what)
{
	const struct policy *p = what;
	const uint32_t limits[LIMITS] = {
		p->limits.puts_per_minute, p->limits.connections_per_source,
		p->limits.alert_cells_per_hour, p->limits.reserve_mib
	};

	mp_put_array(w, 16);
	mp_put_uint(w, 1);
	mp_put_bin(w, p->server_pk, 32);
	mp_put_uint(w, p->counter);
	mp_put_uint(w, p->day);
	mp_put_uint(w, p->version);
	mp_put_bin(w, p->link, 32);
	put_access(w, p);
	mp_put_array(w, p->n_tickets);
	for (uint32_t i = 0; i < p->n_tickets; i++)
		mp_put_bin(w, p->tickets[i], 32);
	mp_put_uint(w, p->release_minutes);
	mp_put_uint(w, p->surge_minutes);
	mp_put_uint(w, p->surge_until);
	mp_put_uint(w, p->retention_days);
	mp_put_uint(w, p->settle_days);
	mp_put_uint(w, p->erase_delay_hours);
	mp_put_bin(w, p->seed, 32);
	mp_put_map(w, LIMITS);
	for (uint32_t i = 0; i < LIMITS; i++) {
		mp_put_key(w, i);
		mp_put_uint(w, limits[i]);
	}
}

enum perr policy_encode(uint8_t **out, size_t *out_len, const struct policy *p)
{
	*out = NULL;
	*out_len = 0;
	if (!is_sound(p))
		return PERR_RANGE;
	return doc_write(out, out_len, POLICY_MAX, put_policy, p);
}

static void get_access(struct mp_reader *r, struct policy *p)
{
	p->n_access = mp_array_var(r, 1, POLICY_ACCESS_MAX);
	for (uint32_t i = 0; i < p->n_access; i++) {
		mp_array(r, 3);
		p->access[i].scope = doc_get_uint(r, SCOPE_MAX);
		mp_bin_copy(r, p->access[i].derived, 32);
		p->access[i].last_day = doc_get_uint(r, UINT32_MAX);
	}
}

static void get_limits(struct mp_reader *r, struct policy_limits *l)
{
	uint32_t *const at[LIMITS] = {
		&l->puts_per_minute, &l->connections_per_source, &l->alert_cells_per_hour,
		&l->reserve_mib
	};
	struct doc_map m;

	doc_map_begin(&m, r);
	for (uint32_t i = 0; i < LIMITS; i++) {
		doc_need(&m, i);
		*at[i] = doc_get_uint(r, UINT32_MAX);
	}
	doc_map_end(&m);
}

/*
 * PROTOCOL 10.1: "`[1, server Noise key bin32, counter, day, version of the roster, last link
 * hash bin32, access array 1..64 of [scope, derived access key bin32, last day or 0],"
 */
enum perr policy_decode(struct policy *p, const uint8_t *in, size_t in_len)
{
	struct mp_reader r;
	enum perr err;

	memset(p, 0, sizeof *p);
	if (in_len > POLICY_MAX)
		return PERR_FORMAT;
	mp_reader_init(&r, in, in_len);
	mp_array(&r, 16);
	if (mp_uint(&r, 1) != 1)
		mp_fail(&r, PERR_FORMAT);
	mp_bin_copy(&r, p->server_pk, 32);
	p->counter = doc_get_uint(&r, UINT32_MAX);
	p->day = doc_get_uint(&r, UINT32_MAX);
	p->version = doc_get_uint(&r, UINT32_MAX);
	mp_bin_copy(&r, p->link, 32);
	get_access(&r, p);
	p->n_tickets = mp_array_var(&r, POLICY_TICKETS_MIN, POLICY_TICKETS_MAX);
	for (uint32_t i = 0; i < p->n_tickets; i++)
		mp_bin_copy(&r, p->tickets[i], 32);
	p->release_minutes = doc_get_uint(&r, UINT32_MAX);
	p->surge_minutes = doc_get_uint(&r, UINT32_MAX);
	p->surge_until = doc_get_uint(&r, UINT32_MAX);
	p->retention_days = doc_get_uint(&r, UINT32_MAX);
	p->settle_days = doc_get_uint(&r, UINT32_MAX);
	p->erase_delay_hours = doc_get_uint(&r, UINT32_MAX);
	mp_bin_copy(&r, p->seed, 32);
	get_limits(&r, &p->limits);
	err = mp_finish(&r);
	if (err == PERR_OK && !is_sound(p))
		err = PERR_FORMAT;
	if (err != PERR_OK)
		memset(p, 0, sizeof *p);
	return err;
}

static enum perr sign_all(uint8_t **out, size_t *out_len, struct signed_doc *d,
                          const char *context, const struct sign_key *const *keys, size_t n_keys)
{
	enum perr err = PERR_OK;

	for (size_t i = 0; i < n_keys && err == PERR_OK; i++)
		err = signed_add(&d->sigs, keys[i], context, d->bytes, d->len);
	return err == PERR_OK ? signed_encode(out, out_len, d) : err;
}

enum perr policy_pack(uint8_t **out, size_t *out_len, const struct policy *p,
                      const struct signed_sigs *sigs)
{
	struct admins_doc *d = calloc(1, sizeof *d);
	uint8_t *doc = NULL;
	size_t len = 0;
	enum perr err = d == NULL ? PERR_NOMEM : policy_encode(&doc, &len, p);

	*out = NULL;
	*out_len = 0;
	if (err == PERR_OK) {
		d->doc = doc_bytes_of(doc, len);
		d->sigs = *sigs;
		d->n_chain = p->n_chain;
		memcpy(d->chain, p->chain, sizeof d->chain);
		err = admins_pack(out, out_len, d);
	}
	doc_free(doc, len);
	free(d);
	return err;
}

enum perr policy_sign(uint8_t **out, size_t *out_len, const struct policy *p,
                      const struct sign_key *const *keys, size_t n_keys)
{
	struct policy *copy = malloc(sizeof *copy);
	struct signed_sigs sigs = { 0 };
	uint8_t *doc = NULL;
	size_t len = 0;
	enum perr err = copy == NULL ? PERR_NOMEM : PERR_OK;

	*out = NULL;
	*out_len = 0;
	if (err == PERR_OK && (p->n_chain < 1 || p->n_chain > ADMINS_CHAIN_MAX))
		err = PERR_RANGE;
	if (err == PERR_OK) {
		*copy = *p;
		err = admins_link_hash(copy->link, p->chain[p->n_chain - 1]);
	}
	if (err == PERR_OK)
		err = policy_encode(&doc, &len, copy);
	for (size_t i = 0; i < n_keys && err == PERR_OK; i++)
		err = signed_add(&sigs, keys[i], POLICY_CONTEXT, doc, len);
	if (err == PERR_OK)
		err = policy_pack(out, out_len, copy, &sigs);
	doc_free(doc, len);
	if (copy != NULL)
		sodium_memzero(copy, sizeof *copy);
	free(copy);
	return err;
}

/* PROTOCOL 10.1: "Signed by the threshold of the last link." */
enum perr policy_open(struct policy *p, struct admins *a, const uint8_t *in, size_t in_len)
{
	struct admins_doc *d = malloc(sizeof *d);
	enum perr err = PERR_NOMEM;

	memset(p, 0, sizeof *p);
	memset(a, 0, sizeof *a);
	if (d != NULL)
		err = admins_view(d, in, in_len);
	if (err == PERR_OK)
		err = policy_decode(p, d->doc.p, d->doc.len);
	if (err == PERR_OK)
		err = admins_open(a, d, p->link, POLICY_CONTEXT);
	if (err == PERR_OK) {
		p->n_chain = d->n_chain;
		memcpy(p->chain, d->chain, sizeof p->chain);
	} else {
		memset(p, 0, sizeof *p);
	}
	free(d);
	return err;
}

/*
 * PROTOCOL 10.1: "The first policy, admitted once by the setup key, fixes the chain's genesis;
 * later ones must continue it. The counter rises strictly over policies and orders."
 */
enum perr policy_accept(const struct policy_known *k, const uint8_t server_pk[32],
                        const struct policy *p, const struct admins *a)
{
	if (memcmp(p->server_pk, server_pk, 32) != 0)
		return PERR_CHAIN;
	if (k->n_links > 0 && admins_continues(a, k->links, k->n_links) != PERR_OK)
		return PERR_CHAIN;
	return p->counter > k->counter ? PERR_OK : PERR_OLD;
}

void policy_known_set(struct policy_known *k, const struct policy *p, const struct admins *a)
{
	k->counter = p->counter;
	k->n_links = a->n_links;
	memcpy(k->links, a->hashes, sizeof k->links);
}

/* ---- orders ------------------------------------------------------------------------------ */

static void put_order(struct mp_writer *w, const void *what)
{
	const struct policy_order *o = what;

	mp_put_array(w, 6);
	mp_put_uint(w, 1);
	mp_put_bin(w, o->server_pk, 32);
	mp_put_uint(w, o->counter);
	mp_put_uint(w, o->kind);
	mp_put_uint(w, o->day);
	mp_put_array(w, o->n_ids);
	for (uint32_t i = 0; i < o->n_ids; i++)
		mp_put_bin(w, o->ids[i], 32);
}

enum perr policy_order_encode(uint8_t **out, size_t *out_len, const struct policy_order *o)
{
	*out = NULL;
	*out_len = 0;
	if (o->counter < 1 || o->kind < POLICY_RELEASE || o->kind > POLICY_CLEAR_BOARD ||
	    o->n_ids > POLICY_ORDER_IDS_MAX)
		return PERR_RANGE;
	return doc_write(out, out_len, POLICY_MAX, put_order, o);
}

/*
 * PROTOCOL 10.2: "`[1, server Noise key bin32, counter, kind, day, ids array 0..64 of bin32]`"
 */
enum perr policy_order_decode(struct policy_order *o, const uint8_t *in, size_t in_len)
{
	struct mp_reader r;
	uint32_t kind;
	enum perr err;

	memset(o, 0, sizeof *o);
	mp_reader_init(&r, in, in_len);
	mp_array(&r, 6);
	if (mp_uint(&r, 1) != 1)
		mp_fail(&r, PERR_FORMAT);
	mp_bin_copy(&r, o->server_pk, 32);
	o->counter = doc_get_uint(&r, UINT32_MAX);
	kind = doc_get_uint(&r, UINT32_MAX);
	o->day = doc_get_uint(&r, UINT32_MAX);
	o->n_ids = mp_array_var(&r, 0, POLICY_ORDER_IDS_MAX);
	for (uint32_t i = 0; i < o->n_ids; i++)
		mp_bin_copy(&r, o->ids[i], 32);
	err = mp_finish(&r);
	if (err == PERR_OK && o->counter < 1)
		err = PERR_FORMAT;
	if (err == PERR_OK && (kind < POLICY_RELEASE || kind > POLICY_CLEAR_BOARD))
		err = PERR_UNKNOWN;
	if (err != PERR_OK)
		memset(o, 0, sizeof *o);
	else
		o->kind = (enum policy_order_kind)kind;
	return err;
}

enum perr policy_order_sign(uint8_t **out, size_t *out_len, const struct policy_order *o,
                            const struct sign_key *const *keys, size_t n_keys)
{
	struct signed_doc d = { 0 };
	enum perr err = policy_order_encode(&d.bytes, &d.len, o);

	*out = NULL;
	*out_len = 0;
	if (err == PERR_OK)
		err = sign_all(out, out_len, &d, POLICY_ORDER_CONTEXT, keys, n_keys);
	signed_doc_free(&d);
	return err;
}

enum perr policy_order_cosign(uint8_t **out, size_t *out_len, struct policy_order *o,
                              const uint8_t *in, size_t in_len, const struct sign_key *key)
{
	struct signed_doc d = { 0 };
	struct policy_order order;
	enum perr err = signed_decode(&d, in, in_len);

	*out = NULL;
	*out_len = 0;
	if (err == PERR_OK)
		err = policy_order_decode(&order, d.bytes, d.len);
	if (err == PERR_OK)
		err = signed_add(&d.sigs, key, POLICY_ORDER_CONTEXT, d.bytes, d.len);
	if (err == PERR_OK)
		err = signed_encode(out, out_len, &d);
	if (err == PERR_OK && o != NULL)
		*o = order;
	signed_doc_free(&d);
	return err;
}

/*
 * PROTOCOL 10.2: "kind 1 release (one administrator's signature is enough; *day* is the day named
 * to a server whose clock is in doubt), 2 void waiting erasures (threshold; no ids = all), 3
 * clear the board (threshold)"
 */
uint32_t policy_order_needs(const struct admins *a, enum policy_order_kind kind)
{
	switch (kind) {
	case POLICY_RELEASE:
		return 1;
	case POLICY_VOID:
	case POLICY_CLEAR_BOARD:
		break;
	}
	return a->last.threshold;
}

enum perr policy_order_open(struct policy_order *o, const struct admins *a,
                            const uint8_t server_pk[32], uint32_t counter, const uint8_t *in,
                            size_t in_len)
{
	struct signed_sigs sigs;
	struct doc_bytes doc;
	enum perr err;

	memset(o, 0, sizeof *o);
	err = signed_view(&doc, &sigs, in, in_len);
	if (err == PERR_OK)
		err = policy_order_decode(o, doc.p, doc.len);
	if (err == PERR_OK)
		err = signed_check(&sigs, policy_order_needs(a, o->kind), POLICY_ORDER_CONTEXT, doc.p,
		                   doc.len, a->last.keys, a->last.n);
	if (err == PERR_OK && memcmp(o->server_pk, server_pk, 32) != 0)
		err = PERR_CHAIN;
	if (err == PERR_OK && o->counter <= counter)
		err = PERR_OLD;
	if (err != PERR_OK)
		memset(o, 0, sizeof *o);
	return err;
}

/* ---- server card ------------------------------------------------------------------------- */

#define CARD_BYTES_MAX (1 + ADDRESS_BYTES_MAX + 32 + 32)

enum perr policy_card_encode(char text[POLICY_CARD_TEXT_MAX + 1], const struct policy_card *card)
{
	uint8_t bytes[CARD_BYTES_MAX];
	size_t len;
	enum perr err;

	text[0] = '\0';
	bytes[0] = 1;
	err = address_encode(bytes + 1, &len, card->address);
	if (err != PERR_OK)
		return err;
	len += 1;
	memcpy(bytes + len, card->server_pk, 32);
	memcpy(bytes + len + 32, card->setup_key, 32);
	err = address_armor(text, POLICY_CARD_TEXT_MAX + 1, POLICY_CARD_PREFIX, bytes, len + 64);
	sodium_memzero(bytes, sizeof bytes);
	return err;
}

/*
 * PROTOCOL 10.3: "`u8 1 ‖ address as in 9.1 ‖ Noise key[32] ‖ setup key[32] ‖ check[4]`"
 */
enum perr policy_card_decode(struct policy_card *card, const char *text)
{
	uint8_t bytes[CARD_BYTES_MAX];
	size_t len = sizeof bytes, at;
	enum perr err;

	memset(card, 0, sizeof *card);
	err = address_unarmor(bytes, &len, POLICY_CARD_PREFIX, text);
	if (err == PERR_OK && len < 1)
		err = PERR_FORMAT;
	if (err == PERR_OK && bytes[0] != 1)
		err = PERR_UNKNOWN;
	if (err == PERR_OK)
		err = address_decode(card->address, &at, bytes + 1, len - 1);
	if (err == PERR_OK && len - 1 - at != 64)
		err = PERR_FORMAT;
	if (err == PERR_OK) {
		memcpy(card->server_pk, bytes + 1 + at, 32);
		memcpy(card->setup_key, bytes + 1 + at + 32, 32);
	} else {
		policy_card_wipe(card);
	}
	sodium_memzero(bytes, sizeof bytes);
	return err;
}

void policy_card_wipe(struct policy_card *card)
{
	sodium_memzero(card, sizeof *card);
}
