/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * policy: what administrators tell a server: its policy, single orders, and the card a
 * new server prints.  PROTOCOL section 10.
 *
 * Everything is bound to one server's Noise key and to a counter that rises over policies
 * and orders alike, so that nothing can be replayed, here or on a mirror.
 */
#ifndef AMPARO_POLICY_H
#define AMPARO_POLICY_H

#include "address.h"
#include "admins.h"

#define POLICY_CONTEXT        "amparo/1 policy"
#define POLICY_ORDER_CONTEXT  "amparo/1 order"
#define POLICY_ACCESS_MAX     64
#define POLICY_TICKETS_MIN    16
#define POLICY_TICKETS_MAX    512
#define POLICY_ORDER_IDS_MAX  64
#define POLICY_CARD_PREFIX    "amparo-server:"
#define POLICY_CARD_TEXT_MAX  180

struct policy_access {
	uint32_t scope;                  /* enum rpc_scope: 1 guest .. 4 steward */
	uint8_t derived[32];             /* channel_access for this server */
	uint32_t last_day;               /* 0: no end */
};
struct policy_limits {
	uint32_t puts_per_minute;        /* of a connection */
	uint32_t connections_per_source;
	uint32_t alert_cells_per_hour;   /* of a scope */
	uint32_t reserve_mib;            /* disk kept free for erasure and release */
};
struct policy {
	uint8_t server_pk[32];
	uint32_t counter;
	uint32_t day;
	uint32_t version;                /* of the roster that it follows from; from 1 */
	uint8_t link[32];                /* hash of the last link; policy_sign sets it */
	uint32_t n_chain;                /* beside the document */
	struct doc_bytes chain[ADMINS_CHAIN_MAX];    /* opened: point into the bytes */
	uint32_t n_access;               /* 1..POLICY_ACCESS_MAX */
	struct policy_access access[POLICY_ACCESS_MAX];
	uint32_t n_tickets;              /* a power of two: policy_pad_tickets */
	uint8_t tickets[POLICY_TICKETS_MAX][32];     /* policy_ticket_hash, sorted */
	uint32_t release_minutes;        /* 1..1440 */
	uint32_t surge_minutes;          /* 1..1440 */
	uint32_t surge_until;            /* hours since 1970-01-01; 0: no surge */
	uint32_t retention_days;         /* 7..400 */
	uint32_t settle_days;            /* 1..30 */
	uint32_t erase_delay_hours;      /* 0..720 */
	uint8_t seed[32];
	struct policy_limits limits;
};
/* 60 and 10 minutes, no surge, 60 days, 2 days, 48 hours; limits; version 1; the rest zero */
void policy_default(struct policy *p);
/* H("amparo/1 ticket" || ticket): what the server knows of a ticket */
void policy_ticket_hash(uint8_t hash[32], const uint8_t ticket[16]);
/*
 * Fill p->tickets up with random ones to a power of two, at least 16, and sort them: the
 * server does not learn how many invitations are open.  PERR_RANGE: n_tickets over 512
 */
PERR_MUST_CHECK enum perr policy_pad_tickets(struct policy *p, struct rng rng);
/*
 * The same with tickets that follow from the roster's k_admin (which no server knows) and the
 * server: every administrator's device makes the same policy.
 */
PERR_MUST_CHECK enum perr policy_fill_tickets(struct policy *p, const uint8_t k_admin[32]);

/* the bare document: without the chain, of which it names the last link */
PERR_MUST_CHECK enum perr policy_encode(uint8_t **out, size_t *out_len, const struct policy *p);
PERR_MUST_CHECK enum perr policy_decode(struct policy *p, const uint8_t *in, size_t in_len);
/* encode and sign: [document, sigs, chain]; malloc'd.  PERR_RANGE also: no chain */
PERR_MUST_CHECK enum perr policy_sign(uint8_t **out, size_t *out_len, const struct policy *p,
                                     const struct sign_key *const *keys, size_t n_keys);
/* the same with signatures made under POLICY_CONTEXT, of what policy_encode gives */
PERR_MUST_CHECK enum perr policy_pack(uint8_t **out, size_t *out_len, const struct policy *p,
                                     const struct signed_sigs *sigs);
/*
 * Decode, verify the chain, verify the threshold of its last link.  p borrows from in.
 * PERR_FORMAT, PERR_SIGS, PERR_CHAIN.
 */
PERR_MUST_CHECK enum perr policy_open(struct policy *p, struct admins *a, const uint8_t *in,
                                     size_t in_len);

/* what a server keeps of its newest policy and order */
struct policy_known {
	uint32_t counter;                /* highest of policies and orders; 0: none */
	uint32_t n_links;                /* 0: no policy yet, any genesis is taken */
	uint8_t links[ADMINS_CHAIN_MAX][32];
};
/*
 * May an opened policy come into force at the server with this Noise key?
 * PERR_CHAIN: for another server, another genesis, or a known link is missing.
 * PERR_OLD: the counter did not rise.
 */
PERR_MUST_CHECK enum perr policy_accept(const struct policy_known *k, const uint8_t server_pk[32],
                                       const struct policy *p, const struct admins *a);
void policy_known_set(struct policy_known *k, const struct policy *p, const struct admins *a);

/* ---- orders ------------------------------------------------------------------------------ */

enum policy_order_kind {
	POLICY_RELEASE = 1, POLICY_VOID = 2, POLICY_CLEAR_BOARD = 3
};
struct policy_order {
	uint8_t server_pk[32];
	uint32_t counter;
	enum policy_order_kind kind;
	uint32_t day;
	uint32_t n_ids;
	uint8_t ids[POLICY_ORDER_IDS_MAX][32];       /* void: cell ids; none: all */
};
PERR_MUST_CHECK enum perr policy_order_encode(uint8_t **out, size_t *out_len,
                                             const struct policy_order *o);
PERR_MUST_CHECK enum perr policy_order_decode(struct policy_order *o, const uint8_t *in,
                                             size_t in_len);
PERR_MUST_CHECK enum perr policy_order_sign(uint8_t **out, size_t *out_len,
                                           const struct policy_order *o,
                                           const struct sign_key *const *keys, size_t n_keys);
/*
 * Add one more administrator's signature to a signed order: who orders sends it round, and
 * whoever signs last brings it to the server.  in is not changed; a second signature under
 * the same key takes the place of the first.
 * o  out: what is being signed, to be shown to a person first; may be NULL
 * PERR_FORMAT, PERR_UNKNOWN: not an order, or of a kind not known here.  Verifies nothing: the
 * server does.
 */
PERR_MUST_CHECK enum perr policy_order_cosign(uint8_t **out, size_t *out_len,
                                             struct policy_order *o, const uint8_t *in,
                                             size_t in_len, const struct sign_key *key);
/* how many administrators must sign an order of this kind */
uint32_t policy_order_needs(const struct admins *a, enum policy_order_kind kind);
/*
 * Decode and judge a signed order at the server with this key, under the administrators
 * of its policy.  One administrator's signature is enough for POLICY_RELEASE.
 * PERR_FORMAT; PERR_SIGS; PERR_CHAIN: for another server; PERR_OLD: counter not above
 * `counter`; PERR_UNKNOWN: kind.
 */
PERR_MUST_CHECK enum perr policy_order_open(struct policy_order *o, const struct admins *a,
                                           const uint8_t server_pk[32], uint32_t counter,
                                           const uint8_t *in, size_t in_len);

/* ---- server card ------------------------------------------------------------------------- */

struct policy_card {
	char address[ADDRESS_TEXT_MAX + 1];
	uint8_t server_pk[32];
	uint8_t setup_key[32];
};
PERR_MUST_CHECK enum perr policy_card_encode(char text[POLICY_CARD_TEXT_MAX + 1],
                                            const struct policy_card *card);
/* errors as invite_decode */
PERR_MUST_CHECK enum perr policy_card_decode(struct policy_card *card, const char *text);
void policy_card_wipe(struct policy_card *card);

#endif
