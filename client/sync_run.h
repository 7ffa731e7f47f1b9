/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * sync_run: a sync (sync.h) that somebody else moves on: no network, and nothing waits in it.
 *
 *	sync_run_new(&r, c, spool, hooks);
 *	while (sync_run_next(r, &want) == PERR_OK && want.peer != NULL) {
 *		…connect to want.address, move want.peer's bytes as peer.h says…
 *		sync_run_over(r, PERR_OK or why it could not be, "");
 *	}
 *	err = sync_run_summary(r, &summary);
 *	sync_run_free(r);
 *
 * Between any two calls, also between two pieces of bytes of one connection, everything else
 * may be done with the same struct client: a draft saved, an intake sealed, a case assigned, a
 * newer roster adopted.  Each call begins and ends its own batches.  What is sealed while an
 * upload runs waits for the next one, where it is mixed with its decoys (decoys.h).
 * sync_run_free may come at any time, and has to come before the client or its kv go.
 */
#ifndef AMPARO_SYNC_RUN_H
#define AMPARO_SYNC_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "client.h"
#include "peer.h"
#include "perr.h"
#include "spool.h"
#include "sync.h"

struct sync_run;

/* a connection that is wanted; borrowed until the next sync_run call */
struct sync_want {
	const char *address;
	const uint8_t *pk;               /* 32 bytes: the server's key */
	struct peer *peer;               /* NULL: nothing more is wanted, the sync is over */
};

/*
 * Begin a sync of all servers.
 * c, spool, hooks  in: borrowed until sync_run_free; spool and hooks may be NULL (sync.h)
 * PERR_STATE: nobody joined in this store.  Errors of the own store, PERR_NOMEM.
 */
PERR_MUST_CHECK enum perr sync_run_new(struct sync_run **out, struct client *c,
                                      struct spool *spool, const struct sync_hooks *hooks);
/* One server only (sync_one). */
PERR_MUST_CHECK enum perr sync_run_new_one(struct sync_run **out, struct client *c,
                                          struct spool *spool, const struct sync_hooks *hooks,
                                          const char *address, const uint8_t server_pk[32]);
/* One server, and of it the bulletin and the forms only (sync_roster). */
PERR_MUST_CHECK enum perr sync_run_new_roster(struct sync_run **out, struct client *c,
                                             const char *address, const uint8_t server_pk[32]);

/*
 * What is wanted now.  While a connection is under way: the same one.
 * An error of the own store ends everything: want->peer is NULL, and each later call says it
 * again.
 */
PERR_MUST_CHECK enum perr sync_run_next(struct sync_run *r, struct sync_want *want);
/* the peer of the connection that is under way; NULL: none is.  Opens none */
struct peer *sync_run_peer(const struct sync_run *r);
/*
 * The connection has ended; its peer is gone afterwards.
 * net  in: PERR_OK after a proper end, else the reason, which an unfinished peer is told
 *      (peer_abort); PERR_AUTH: the handshake failed
 * why  in: a sentence, or "" or NULL
 * Without a connection nothing happens.
 */
void sync_run_over(struct sync_run *r, enum perr net, const char *why);
/* the server that is visited, or was last; NULL before the first one */
const struct sync_server *sync_run_server(const struct sync_run *r);
/*
 * What came of it, whole once nothing more is wanted, and what there is before that.
 * returns as sync_all, sync_one and sync_roster do; PERR_MORE: it is not over
 */
PERR_MUST_CHECK enum perr sync_run_summary(const struct sync_run *r, struct sync_summary *out);
/*
 * Frees and wipes; NULL is harmless.  In the middle: the connection is given up, and what
 * servers acknowledged so far is written down.  All that was stored stays; what was not is
 * asked for again by the next sync.
 */
void sync_run_free(struct sync_run *r);

#endif
