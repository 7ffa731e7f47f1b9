/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * policies: what each server is told of the roster: made of it, and signed by as many
 * administrators as it takes.  PROTOCOL sections 7.5 and 10.1.
 *
 * A policy follows from the roster, the server, a counter and a day: every administrator's
 * device makes the same bytes.  So where one signature is not enough nothing but signatures
 * has to travel.  Those of a new roster's policies are given together with the roster's own
 * (quorum.h).  If a server's counter has passed them meanwhile (somebody ordered releases), or it
 * was not listed then, the administrators' devices sign anew at their next syncs, unasked: it is
 * the roster in force that they sign, which was agreed upon already.
 *
 * In the store:
 *	polsig/<Noise key hex>    counter, day and signatures of a policy of the newest roster
 *	counter/<Noise key hex>   the highest counter that this server named, and the version of the
 *	                          roster that its policy follows from
 */
#ifndef AMPARO_POLICIES_H
#define AMPARO_POLICIES_H

#include "client.h"
#include "perr.h"
#include "policy.h"
#include "proposal.h"

/*
 * Room for what comes before: so many releases may be ordered until a policy that waits for
 * signatures is stale; an order is given below the policy that may be waiting with it.
 */
#define POLICIES_AHEAD   1000
#define POLICIES_ORDERS  500
#define POLICIES_LEAP    1000000     /* a counter further ahead is not signed */
#define POLICIES_DAYS    7           /* … and not for a day further away */

/*
 * The policy for server number `at` of the roster in memory.
 * version, link, k_admin  in: of the roster that it is for
 * p  out: the chain is left empty: policy_pack needs it
 * PERR_NOTFOUND: there is no such server.
 */
PERR_MUST_CHECK enum perr policies_make(const struct client *c, size_t at, uint32_t counter,
                                       uint32_t day, uint32_t version, const uint8_t link[32],
                                       const uint8_t k_admin[32], struct policy *p);

/* the highest counter that this server named to this device; 0: none yet */
PERR_MUST_CHECK enum perr policies_counter(struct client *c, const uint8_t server_pk[32],
                                          uint32_t *counter);
/* is it new that it named this one, and that its policy is of this version? */
PERR_MUST_CHECK enum perr policies_is_news(struct client *c, const uint8_t server_pk[32],
                                          uint32_t counter, uint32_t version, bool *is);
/* has this server, as far as is known here, the policy of the newest roster?  any: a policy? */
PERR_MUST_CHECK enum perr policies_has(struct client *c, const uint8_t server_pk[32], bool *any,
                                      bool *newest);

/*
 * What to put to server number `at` for the newest roster.
 * counter  in: it has to go above this; out: the one it has
 * out      out: malloc'd, for doc_free
 * PERR_SIGS: signatures of others are missing.  This device's own is noted then, and published
 * with policies_post; a batch of its own.
 */
PERR_MUST_CHECK enum perr policies_ready(struct client *c, size_t at, uint32_t *counter,
                                        uint8_t **out, size_t *out_len);

/* ---- inside a batch of the caller's ------------------------------------------------------- */

/* a server named this counter, and the version its policy is of */
PERR_MUST_CHECK enum perr policies_saw(struct client *c, const uint8_t server_pk[32],
                                      uint32_t counter, uint32_t version);
/* signatures of a policy that were given with its roster, whose header hash this is */
PERR_MUST_CHECK enum perr policies_keep(struct client *c, const uint8_t header[32],
                                       const uint8_t server_pk[32], uint32_t counter, uint32_t day,
                                       const struct signed_sigs *sigs);
/*
 * Another administrator's sheet about the policies of the newest roster: take over what is
 * valid, and sign the same.  Anything else in it is passed over.
 * changed  out: something new is known here
 */
PERR_MUST_CHECK enum perr policies_take(struct client *c, const struct proposal_sheet *s,
                                       bool *changed);
/* this device's signatures that others may lack, as a sheet.  s->n_policies 0: there are none */
PERR_MUST_CHECK enum perr policies_sheet(struct client *c, struct proposal_sheet *s);

#endif
