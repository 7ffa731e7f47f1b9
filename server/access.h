/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * access: who may come in and what is in force: the derived access keys of the policy, the
 * setup key until there is one, open tickets, the counter of orders.  DESIGN sections 3 and
 * 7, PROTOCOL section 10.
 *
 * What is put in was verified before (orders.h) or comes from the server's own disk.
 */
#ifndef AMPARO_ACCESS_H
#define AMPARO_ACCESS_H

#include "policy.h"
#include "rpc.h"
#include "slab.h"

struct access;

/* what slab_keep must have left for one */
size_t access_room(void);
/*
 * server_pk  in: copied
 * slab       in: takes the keys, for as long as it lives
 * PERR_NOMEM: also when the slab has less than access_room() left
 */
PERR_MUST_CHECK enum perr access_new(struct access **out, const uint8_t server_pk[32],
                                    struct slab *slab);
/* wipes; NULL is harmless */
void access_free(struct access *a);

/* the setup key's derived access key admits scope 5; NULL: no longer */
void access_set_setup(struct access *a, const uint8_t *derived);
/*
 * Put a signed policy in force; the setup key is forgotten.  bytes are not kept.  Keys that
 * stay keep their serial, so that connections under them go on.  Errors as policy_open, then
 * nothing changed.
 */
PERR_MUST_CHECK enum perr access_set_policy(struct access *a, const uint8_t *bytes, size_t len);
/* the highest counter of policies and orders; it only rises */
void access_set_counter(struct access *a, uint32_t counter);

/* NULL before the first policy; without its chain and its access keys */
const struct policy *access_policy(const struct access *a);
const struct admins *access_admins(const struct access *a);
/* what policy_accept asks for; counter included */
const struct policy_known *access_known(const struct access *a);

/* the keys that may come in on this day; valid until the next call of any function here */
size_t access_keys(struct access *a, uint32_t day, const uint8_t (**derived)[32]);
/* scope and serial of keys[which] of the last access_keys */
enum rpc_scope access_scope(const struct access *a, size_t which, uint32_t *serial);
/* is the key of this serial still one of them? */
bool access_still(const struct access *a, uint32_t serial, uint32_t day);

/* hash: policy_ticket_hash; is this ticket open? */
bool access_has_ticket(const struct access *a, const uint8_t hash[32]);

#endif
