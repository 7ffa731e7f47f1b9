/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * session: one connection's protocol on the server's side, without I/O.  PROTOCOL
 * sections 5 and 6.
 *
 * Bytes of the peer go in, frames for the peer come out; what is asked goes to a
 * struct session_host, which answers at once or later.  The same code is driven by the
 * connection (libuv), by the simulator and by tests.
 *
 *	s = session_new(host, wake, user);
 *	used = session_recv(s, in, in_len, now_ms);     // may take less: blocked
 *	b = session_take(s);                            // send these, in order
 *	session_written(s, n);                          // n bytes are gone
 *	session_free(s);
 *
 * Whoever does not authenticate meets SESSION_SILENT: everything is swallowed and not one
 * byte is said, whether the key was wrong, the bytes garbage or the message a replay.
 *
 * Bounds.  At most RPC_INFLIGHT_MAX requests and SESSION_COMMITS commits are worked on;
 * while more, or SESSION_OUT_HIGH bytes of answers, are waiting, nothing further is taken
 * from the peer.  All sessions of a host share its cells and its out_max.
 *
 * One thread only.
 */
#ifndef AMPARO_SESSION_H
#define AMPARO_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "channel.h"
#include "rng.h"
#include "rpc.h"
#include "slab.h"
#include "writer.h"

#define SESSION_COMMITS   2              /* commits of one connection under way */
/* Bytes of answers that wait to be sent or will be made: enough that one pull is read from the
 * disk while another is sealed and a third is on its way. */
#define SESSION_OUT_HIGH  (640u << 10)

#define SESSION_OUT_FRAMES 16             /* frames in one piece of output, at most */

enum session_state {
	SESSION_AWAIT_FIRST,     /* the first handshake message */
	SESSION_SILENT,          /* not one of ours: swallow, say nothing, close at the deadline */
	SESSION_OPEN,
	SESSION_LEAVING,         /* no more requests; answers under way, then bye */
	SESSION_DONE,            /* bye is among the output: close once it is sent */
	SESSION_DEAD             /* close at once */
};

struct session;

/* a piece of output; whoever took it frees it with free() */
struct session_out {
	struct session_out *next;
	size_t len, cap;
	uint8_t bytes[];
};

/*
 * What one commit carries.  Each put and each erase has one entry in how[], in order.
 * The host stores cells[] and erases[] and sets their statuses.
 */
#define SESSION_HOW_CELL  0x80           /* the next of cells[] */
#define SESSION_HOW_ERASE 0x81           /* the next of erases[]; other values: the answer */
struct session_batch {
	size_t n_how, n_puts, n_cells, n_erases;
	struct store_cell cells[RPC_BATCH];      /* buffers from host->cell_take */
	struct writer_erase *erases;
	uint8_t how[RPC_STATUSES_MAX];
};

/*
 * One request that waits for its answer.  The host holds it until it calls exactly one of
 * session_answer, session_fail, session_committed, session_drop; the session it came from
 * may be gone by then, which is harmless.
 */
struct session_call {
	struct session *session;         /* NULL: nobody waits any more */
	enum rpc_method method;
	enum rpc_scope scope;
	uint32_t msgid;
	struct session_batch *batch;     /* RPC_COMMIT only */
	uint64_t source;                 /* as session_set_source said */
	uint64_t used;                   /* cells and erasures this session sent, with these */
	/* the session's own */
	const struct session_host *host;
	struct session_call *next;
	size_t reserved;                 /* bytes of output expected */
	bool committed;
	enum rpc_error error;
};

struct session_host {
	void *ctx;
	struct rng rng;
	struct slab *slab;               /* where connections' keys live; NULL: with the session */
	const uint8_t *server_sk, *server_pk;
	uint32_t puts_per_commit;        /* 1..RPC_BATCH */
	uint32_t puts_per_minute;        /* of one connection; 0 = no limit */
	size_t out_max;                  /* answers of all sessions together */
	size_t out_now;                  /* kept by the sessions */
	size_t out_reserved;             /* what requests under way will add; kept by them too */
	uint64_t n_refused;              /* puts refused for limits; kept by the sessions */

	/* the derived access keys that may come in now; valid until the loop is left */
	size_t (*keys)(void *ctx, const uint8_t (**derived)[32]);
	/*
	 * The message with this E fits keys[which].  False: it was seen before.
	 * serial  out: stands for the key in `still`
	 */
	bool (*admit)(void *ctx, size_t which, const uint8_t e[32], uint32_t *serial,
	              enum rpc_scope *scope);
	/* is that key still admitted? */
	bool (*still)(void *ctx, uint32_t serial);
	/* STORE_CELL bytes, or NULL: none is left; held: how many this session has */
	uint8_t *(*cell_take)(void *ctx, size_t held);
	void (*cell_give)(void *ctx, uint8_t *cell);
	/* store call->batch; then session_committed */
	void (*commit)(void *ctx, struct session_call *call);
	/* any other request; m and what it borrows are valid only during the call.
	 * data: the host's own for this session, NULL at first */
	void (*request)(void *ctx, struct session_call *call, const struct rpc_msg *m,
	                void **data);
	/* a session ends: free its data (may be NULL) */
	void (*closed)(void *ctx, void *data);
};

/*
 * wake(user) is called when a later answer has made output or let the session go on, never
 * from inside session_recv.  It must not free the session.  PERR_NOMEM, also when the slab
 * has no slot left.
 */
PERR_MUST_CHECK enum perr session_new(struct session **out, struct session_host *host,
                                     void (*wake)(void *user), void *user);
/* whom it shares its turns with when there are not enough for all; 0, the default: unknown */
void session_set_source(struct session *s, uint64_t source);
/* wipes; requests under way lose their session; NULL is harmless */
void session_free(struct session *s);

/*
 * Feed bytes; returns how many were taken.  Fewer than in_len: the session is blocked; keep
 * the rest, stop reading, call again after a wake or session_written.
 */
size_t session_recv(struct session *s, const uint8_t *in, size_t in_len, uint64_t now_ms);
/* nothing would be taken now */
bool session_is_blocked(const struct session *s);
/* the output so far, oldest first, now the caller's; NULL: none */
struct session_out *session_take(struct session *s);
void session_written(struct session *s, size_t n);

enum session_state session_state(const struct session *s);
/* nothing is asked of the server and nothing is half sent: only then idleness counts */
bool session_is_idle(const struct session *s);
/* puts that wait for their commit */
size_t session_holds(const struct session *s);
/* say goodbye after the answers under way; harmless when not open */
void session_leave(struct session *s);

/* ---- for the host ------------------------------------------------------------------------ */

/* result fields in m; its type, msgid, method are set here.  The call is gone afterwards. */
void session_answer(struct session_call *call, struct rpc_msg *m);
void session_fail(struct session_call *call, enum rpc_error error);
/* one cell of a pull or fetch, before its session_answer */
void session_cell(struct session_call *call, const uint8_t *cell);
/*
 * The batch is decided.  Answers to commits leave in the order they were asked, whatever the
 * order of these calls.  error: RPC_OK, or why none of it was looked at.
 */
void session_committed(struct session_call *call, enum rpc_error error);
/* no answer will ever leave (the disk failed) */
void session_drop(struct session_call *call);

#endif
