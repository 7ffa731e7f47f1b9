/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * orders: may this signed document change the server?  Pure judgement over policy.h and
 * bulletin.h; nothing is changed, nothing is read from the disk.  PROTOCOL sections 6, 8.2,
 * 10.
 *
 * Also the reassembly of documents that come in pieces.
 */
#ifndef AMPARO_ORDERS_H
#define AMPARO_ORDERS_H

#include "access.h"
#include "bulletin.h"

/* ---- pieces ------------------------------------------------------------------------------ */

/* policies and headers: chains of 64 links at most; parts have BULLETIN_PART_MAX */
#define ORDERS_TOTAL_MAX BULLETIN_PART_MAX

/* one document on its way in; starts as { 0 } */
struct orders_staging {
	uint8_t hash[32];        /* its announced name; zeros for a policy */
	uint32_t total, have;
	uint8_t *bytes;          /* malloc'd; total bytes */
};
/*
 * One piece.  A piece at offset 0 under another name or total begins anew and forgets what was
 * there; a repeat is harmless; behind a gap nothing is taken.
 * have  out: how many bytes are there: go on from there.  PERR_RANGE: total is 0 or too
 * large, or the piece goes beyond it.  PERR_NOMEM.
 */
PERR_MUST_CHECK enum perr orders_piece(struct orders_staging *s, const uint8_t hash[32],
                                      uint32_t total, uint32_t offset, const uint8_t *piece,
                                      size_t len, uint32_t *have);
bool orders_complete(const struct orders_staging *s);
/* hand the bytes over; the staging is empty again */
uint8_t *orders_take(struct orders_staging *s, size_t *len);
void orders_clear(struct orders_staging *s);

/* ---- judgement --------------------------------------------------------------------------- */

/*
 * A signed policy at this server.  p borrows from bytes.
 * PERR_FORMAT, PERR_SIGS, PERR_CHAIN (another server or genesis), PERR_OLD (counter).
 */
PERR_MUST_CHECK enum perr orders_policy(struct policy *p, const struct access *a,
                                       const uint8_t server_pk[32], const uint8_t *bytes,
                                       size_t len);
/*
 * A signed order of this kind.  Before the first policy nobody can sign one: PERR_SIGS.
 * Errors as policy_order_open; PERR_UNKNOWN also for another kind than expected.
 */
PERR_MUST_CHECK enum perr orders_order(struct policy_order *o, const struct access *a,
                                      const uint8_t server_pk[32],
                                      enum policy_order_kind kind, const uint8_t *bytes,
                                      size_t len);
/*
 * A signed bulletin header: its chain continues the one of the policy and the one of the
 * header in force, its version is higher.  b borrows from bytes.
 *
 * known  in: of the header in force; version 0 if there is none
 * hash   out: its header hash
 * PERR_FORMAT, PERR_SIGS, PERR_CHAIN, PERR_OLD (or no policy yet: PERR_STATE).
 */
PERR_MUST_CHECK enum perr orders_bulletin(struct bulletin *b, struct admins *who,
                                         uint8_t hash[32], const struct access *a,
                                         const struct bulletin_known *known,
                                         const uint8_t *bytes, size_t len);
/* names of all its parts; out: room for 4 + BULLETIN_FORMS_MAX; each name once */
size_t orders_parts(uint8_t (*out)[32], const struct bulletin *b);

#endif
