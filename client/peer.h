/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * peer: the client's end of one connection: requests out, answers in, without I/O.
 * PROTOCOL sections 5 and 6.
 *
 *	peer_new(&p, server_pk, access_key, rng);
 *	peer_call(p, &msg, on_answer, ud);       // may be called before the channel opens
 *	while ((n = peer_pending(p, &out)) > 0)  // whoever moves the bytes
 *		peer_sent(p, write(fd, out, n));
 *	peer_recv(p, in, in_len);                // callbacks run in here
 *	peer_eof(p);                             // the stream has ended
 *
 * Requests may be queued at once: they go out right behind the handshake, so an
 * up-to-date visit is TCP, handshake, hello: three round trips.
 *
 * Order: messages leave in the order in which they were called.  When RPC_INFLIGHT_MAX
 * requests wait for answers, the next request and all behind it stay in the queue.
 *
 * Memory is bounded: queued messages are kept unencrypted, at most PEER_QUEUE_MAX of them;
 * PEER_OUT_FRAMES frames at a time are encrypted into one buffer when somebody asks for
 * bytes.  Nothing received is kept beyond the call.
 *
 * Ends: PEER_ENDED once our bye is out and nothing is awaited any more (the server's bye,
 * which follows, tells nothing new); PEER_FAILED otherwise.  A server that says bye first
 * while answers are awaited counts as PERR_NET: it is closing, try later.
 * In each case every callback that still waits is called once, then never again.
 */
#ifndef AMPARO_PEER_H
#define AMPARO_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cell.h"
#include "perr.h"
#include "rng.h"
#include "rpc.h"

#define PEER_QUEUE_MAX  1024             /* messages; about 4 MiB of puts */
#define PEER_OUT_FRAMES 16

enum peer_state {
	PEER_HANDSHAKE,          /* the server's 48 bytes are awaited */
	PEER_OPEN,
	PEER_LEAVING,            /* peer_bye was called; what is queued still goes out */
	PEER_ENDED,              /* both know that it is over */
	PEER_FAILED              /* peer_error says why */
};

struct peer;

/*
 * What a request came to, called exactly once per peer_call.
 *
 * err      PERR_OK       answer holds the result
 *          PERR_REFUSED  the server said no: answer->error says why
 *          otherwise     the connection is over and answer is NULL (peer_error's value)
 * answer   borrowed until the callback returns
 *
 * The callback may call peer_call, peer_notify and peer_bye; not peer_recv, peer_free.
 */
typedef void peer_cb(void *ud, enum perr err, const struct rpc_msg *answer);
/* One cell of a pull or fetch, in order, before the answer.  Borrowed; same rules. */
typedef void peer_cell_fn(void *ud, const uint8_t cell[CELL_SIZE]);

/*
 * A connection to one server, with the access key of one scope.
 * access_key  in: 32 bytes, not derived
 * PERR_KEY: server_pk is unusable.  PERR_NOMEM.
 */
PERR_MUST_CHECK enum perr peer_new(struct peer **out, const uint8_t server_pk[32],
                                  const uint8_t access_key[32], struct rng rng);
/* Wipes.  Callbacks still waiting are called with PERR_STATE first.  NULL is harmless. */
void peer_free(struct peer *p);

enum peer_state peer_state(const struct peer *p);
/*
 * Why it is over; PERR_OK while it is not, and after a proper end.
 *   PERR_AUTH       in the handshake: the stream ended or what came was not the server's;
 *                   later: a frame was altered
 *   PERR_TRUNCATED  the stream ended without bye
 *   PERR_NET        the server said bye before it had answered
 *   PERR_FORMAT     the server sent what the protocol does not know
 *   PERR_NOMEM
 */
enum perr peer_error(const struct peer *p);

/*
 * Ask.  msg is encoded before the call returns; type and msgid are set here.
 * PERR_LIMIT: the queue is full.  PERR_STATE: leaving or over.  PERR_RANGE: see rpc_encode.
 * The callback is not called after an error.
 */
PERR_MUST_CHECK enum perr peer_call(struct peer *p, const struct rpc_msg *msg,
                                   peer_cb *cb, void *ud);
/* The same for pull and fetch, whose cells go to cell_fn. */
PERR_MUST_CHECK enum perr peer_call_cells(struct peer *p, const struct rpc_msg *msg,
                                         peer_cell_fn *cell_fn, peer_cb *cb, void *ud);
/* put and erase */
PERR_MUST_CHECK enum perr peer_notify(struct peer *p, const struct rpc_msg *msg);
/* Say goodbye behind what is queued; calls that wait are still answered.  Harmless twice. */
void peer_bye(struct peer *p);

/* requests called and not answered yet, queued ones included */
size_t peer_waiting(const struct peer *p);
/* messages in the queue */
size_t peer_queued(const struct peer *p);

/*
 * Bytes to be sent, borrowed until peer_sent or peer_free.  0: nothing now.  Asking again
 * before peer_sent gives the same bytes.
 */
size_t peer_pending(struct peer *p, const uint8_t **out);
/* n of those bytes are gone */
void peer_sent(struct peer *p, size_t n);
/* All of in is taken.  The return value is peer_error's. */
PERR_MUST_CHECK enum perr peer_recv(struct peer *p, const uint8_t *in, size_t in_len);
/* The stream ended: fine after a bye, a truncation otherwise. */
void peer_eof(struct peer *p);
/* Nothing more will come of it, for a reason of the caller's (PERR_TIMEOUT, PERR_NET). */
void peer_abort(struct peer *p, enum perr why);
/* All is over and the last bytes are gone: the caller may close the stream. */
bool peer_done(const struct peer *p);

/* bytes of ciphertext so far, for progress */
uint64_t peer_bytes_out(const struct peer *p);
uint64_t peer_bytes_in(const struct peer *p);
/*
 * Round trips so far: how often something had to be sent after an answer had come.
 * The handshake counts as one, TCP's is not known here.
 */
unsigned peer_round_trips(const struct peer *p);

#endif
