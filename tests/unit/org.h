/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * org: administrators made from a seed, and what they sign, for tests of the server.
 * Included once; everything is static.
 */
#ifndef AMPARO_TEST_ORG_H
#define AMPARO_TEST_ORG_H

#include <stdlib.h>

#include "bulletin.h"
#include "hex.h"
#include "policy.h"
#include "rpc.h"

#define ORG_ADMINS 3             /* threshold 2 */

struct org {
	struct sign_key admin[ORG_ADMINS];
	uint8_t *link;
	size_t link_len;
	uint8_t access[6][32];
	uint8_t ticket[2][16];
	/* of the policy; 0: as policy_default */
	uint32_t alert_cells_per_hour, reserve_mib, settle_days;
};

static inline void org_init(struct org *o, uint8_t seed)
{
	uint8_t s[32], ids[ORG_ADMINS][32];
	struct signed_doc link;
	int i;

	memset(o, 0, sizeof *o);
	for (i = 0; i < ORG_ADMINS; i++) {
		memset(s, seed, sizeof s);
		s[1] = (uint8_t)i;
		signed_key_from_seed(&o->admin[i], s);
		memcpy(ids[i], o->admin[i].id, 32);
	}
	for (i = 1; i <= 4; i++)
		memset(o->access[i], 16 * seed + i, 32);
	memset(o->ticket[0], seed, 16);
	memset(o->ticket[1], seed + 100, 16);
	memset(&link, 0, sizeof link);
	assert_int_equal(admins_genesis(&link, 2, (const uint8_t (*)[32])ids, ORG_ADMINS), PERR_OK);
	for (i = 0; i < ORG_ADMINS; i++)
		assert_int_equal(signed_add(&link.sigs, &o->admin[i], ADMINS_CONTEXT, link.bytes,
		                            link.len), PERR_OK);
	assert_int_equal(signed_encode(&o->link, &o->link_len, &link), PERR_OK);
	signed_doc_free(&link);
}

static inline void org_free(struct org *o)
{
	doc_free(o->link, o->link_len);
}

/* scopes: bit s admits scope s; tickets: how many of the two are open; signers: how many */
static inline void org_policy(const struct org *o, const uint8_t server_pk[32],
                              uint32_t counter, unsigned scopes, unsigned tickets,
                              unsigned signers, uint8_t **out, size_t *len)
{
	struct policy *p = malloc(sizeof *p);
	const struct sign_key *keys[ORG_ADMINS];
	uint32_t i;

	policy_default(p);
	memcpy(p->server_pk, server_pk, 32);
	p->counter = counter;
	p->day = 20000;
	p->n_chain = 1;
	p->chain[0] = doc_bytes_of(o->link, o->link_len);
	p->n_access = 0;
	for (i = 1; i <= 4; i++)
		if (scopes >> i & 1) {
			p->access[p->n_access].scope = i;
			channel_access(p->access[p->n_access++].derived, o->access[i], server_pk);
		}
	for (i = 0; i < tickets; i++)
		policy_ticket_hash(p->tickets[i], o->ticket[i]);
	p->n_tickets = tickets;
	p->erase_delay_hours = 48;
	if (o->alert_cells_per_hour != 0)
		p->limits.alert_cells_per_hour = o->alert_cells_per_hour;
	if (o->reserve_mib != 0)
		p->limits.reserve_mib = o->reserve_mib;
	if (o->settle_days != 0)
		p->settle_days = o->settle_days;
	for (i = 0; i < ORG_ADMINS; i++)
		keys[i] = &o->admin[i];
	assert_int_equal(policy_pad_tickets(p, rng_system()), PERR_OK);
	assert_int_equal(policy_sign(out, len, p, keys, signers), PERR_OK);
	free(p);
}

static inline void org_order(const struct org *o, const uint8_t server_pk[32], uint32_t counter,
                             enum policy_order_kind kind, uint32_t day, const uint8_t *id,
                             unsigned signers, uint8_t **out, size_t *len)
{
	struct policy_order order;
	const struct sign_key *keys[ORG_ADMINS];
	uint32_t i;

	memset(&order, 0, sizeof order);
	memcpy(order.server_pk, server_pk, 32);
	order.counter = counter;
	order.kind = kind;
	order.day = day;
	if (id != NULL) {
		order.n_ids = 1;
		memcpy(order.ids[0], id, 32);
	}
	for (i = 0; i < ORG_ADMINS; i++)
		keys[i] = &o->admin[i];
	assert_int_equal(policy_order_sign(out, len, &order, keys, signers), PERR_OK);
}

/* a header over four parts of PART_LEN bytes each, filled with version + which */
#define ORG_PART_LEN 8192
static inline void org_part(uint8_t part[ORG_PART_LEN], uint32_t version, int which,
                            uint8_t name[32])
{
	size_t i;

	for (i = 0; i < ORG_PART_LEN; i++)
		part[i] = (uint8_t)(i * 31 + version * 7 + (uint32_t)which);
	bulletin_part_name(name, part, ORG_PART_LEN);
}

static inline void org_header(const struct org *o, uint32_t version, const uint8_t previous[32],
                              unsigned signers, uint8_t **out, size_t *len, uint8_t hash[32])
{
	struct bulletin *b = calloc(1, sizeof *b);
	const struct sign_key *keys[ORG_ADMINS];
	uint8_t part[ORG_PART_LEN];
	struct admins_doc d;
	int i;

	b->version = version;
	b->day = 20000;
	b->last_day = 20100;
	memcpy(b->previous, previous, 32);
	b->n_chain = 1;
	b->chain[0] = doc_bytes_of(o->link, o->link_len);
	for (i = 0; i < 3; i++) {
		org_part(part, version, i, b->bodies[i].part.name);
		b->bodies[i].part.size = ORG_PART_LEN;
	}
	/* slots: n * 80 bytes, n a power of two */
	org_part(part, version, 3, b->slots.name);
	bulletin_part_name(b->slots.name, part, 16 * BULLETIN_SLOT_SIZE);
	b->slots.size = 16 * BULLETIN_SLOT_SIZE;
	for (i = 0; i < ORG_ADMINS; i++)
		keys[i] = &o->admin[i];
	assert_int_equal(bulletin_sign(out, len, b, keys, signers), PERR_OK);
	assert_int_equal(admins_view(&d, *out, *len), PERR_OK);
	bulletin_hash(hash, d.doc.p, d.doc.len);
	free(b);
}

#endif
