/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * link: moves a peer's bytes over TCP.  The only file of the client that includes uv.h.
 *
 * One link is one connection.  Several links of one loop run at the same time; callbacks
 * of all their peers run on the thread that is in link_run.
 *
 *	link_loop_new(&loop);
 *	link_open(loop, "mirror.example:4711", peer, on_end, ud);
 *	link_run(loop);                          // until all links have ended
 *	link_loop_free(loop);
 *
 * Time limits: LINK_CONNECT_MS for name and connection, LINK_HANDSHAKE_MS for the handshake
 * from then on (a server is silent to a key that it does not know: the next one may be tried);
 * LINK_IDLE_MS without a byte in either direction while something is awaited.  Time that a
 * peer's callback spends computing does not count.
 */
#ifndef AMPARO_LINK_H
#define AMPARO_LINK_H

#include <stddef.h>
#include <stdint.h>

#include "peer.h"
#include "perr.h"
#include "sync.h"

#define LINK_CONNECT_MS 10000
#define LINK_HANDSHAKE_MS 5000
#define LINK_IDLE_MS    30000

enum link_why {
	LINK_OK = 0,             /* both sides said goodbye */
	LINK_ADDRESS,            /* not host:port */
	LINK_RESOLVE,            /* the name is unknown, or there is no network */
	LINK_CONNECT,            /* nobody listens there */
	LINK_SLOW,               /* no connection in time */
	LINK_SILENT,             /* closed in the handshake, or silent: our key opens nothing there */
	LINK_IDLE,               /* an answer did not come in time */
	LINK_CUT,                /* it ended without a goodbye */
	LINK_PROTOCOL,           /* the server sent what the protocol does not know */
	LINK_LOCAL               /* out of memory or descriptors */
};

struct link_end {
	enum link_why why;
	enum perr err;                   /* what the peer's callbacks were given */
	char text[160];                  /* one sentence for a person, "" for LINK_OK; no address */
	uint64_t bytes_in, bytes_out;
};

struct link_loop;
/* called once per link, when its socket is closed; may open other links on the same loop */
typedef void link_end_fn(void *ud, const struct link_end *end);

PERR_MUST_CHECK enum perr link_loop_new(struct link_loop **out);
void link_loop_free(struct link_loop *l);

/*
 * Connect and move bytes until peer_done.
 * address   in: "host:port" or "[v6]:port"; copied
 * peer      in: borrowed until end was called
 * PERR_NOMEM only; everything else comes through end.
 */
PERR_MUST_CHECK enum perr link_open(struct link_loop *l, const char *address,
                                   struct peer *peer, link_end_fn *end, void *ud);
/* Runs until no link is left. */
void link_run(struct link_loop *l);
/* As link_run, but gives up every link that is still there (LINK_LOCAL) once *stop is not 0,
 * looked at every quarter of a second: for a signal handler. */
void link_run_until(struct link_loop *l, const volatile int *stop);
/* other limits than the above, for tests; 0 leaves one as it is */
void link_set_limits(struct link_loop *l, unsigned connect_ms, unsigned idle_ms);

/* the network that sync.h asks for, over this loop; one connection at a time */
struct sync_net link_net(struct link_loop *l);

/* a sentence for a reason: static */
const char *link_text(enum link_why why);

#endif
