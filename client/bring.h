/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * bring: an administrator's visits around a change: fetch what other administrators published
 * before it, bring it to every server after it, and when another one was faster put it upon
 * theirs and try again.  Steps on one server: steward.h, sync_roster; the putting: rebase.h.
 */
#ifndef AMPARO_BRING_H
#define AMPARO_BRING_H

#include "client.h"
#include "perr.h"
#include "steward.h"
#include "sync.h"

#define BRING_TRIES 8            /* rounds: as many times others may be faster in one call */

/*
 * Adopt the newest roster that the servers have.  Also makes again what a kill left over.
 * reached  out: servers that showed what they have; 0: the change goes upon the roster known
 *          here, and is put upon the servers' at the next visit
 * Errors of the own store only.
 */
PERR_MUST_CHECK enum perr bring_newest(struct client *c, const struct sync_net *net,
                                      unsigned *reached);

struct bring_result {
	unsigned n;
	struct steward_server server[SYNC_SERVERS_MAX];  /* the last visit to each, with why */
	unsigned done;                   /* servers that have everything now */
	unsigned tries;                  /* how often another administrator was faster */
};
/*
 * want  in: bits of enum steward_want; PUSH is done again until all have the same roster,
 *       the others once for each server
 * PERR_OK also when some or all servers failed: see the result.  Else the own store's error.
 */
PERR_MUST_CHECK enum perr bring_all(struct client *c, const struct sync_net *net, unsigned want,
                                   struct bring_result *result);

#endif
