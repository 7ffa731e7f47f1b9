/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * connection: moves bytes between one TCP connection and its session, through a WebSocket if
 * the connection begins as one (browser.h).  It decides nothing but when to stop reading and when
 * to close.
 *
 * Silence.  A connection that has not authenticated gets no byte, whatever it sends, and is
 * closed a fixed time after accept (or as soon as the peer closes): wrong key, garbage, a
 * replay, half a message, any HTTP request and nothing at all look the same.  Until the first
 * byte arrives it costs no more than its handles.
 *
 * Ends.  The peer is left to end first, for two seconds after both byes and four after a
 * WebSocket's Close: whoever does not, or was never let in, is ended here.
 *
 * Bounds.  Reading stops while the session is blocked; what was read already is kept (at
 * most CONN_READ bytes).  Who does not read answers for stall_ms is closed.  When all places
 * are taken, one that has not authenticated makes room: first those whose first message was
 * wrong, then the oldest.  An honest client needs one round trip; a flood has to push it out
 * within that time.
 */
#ifndef AMPARO_CONNECTION_H
#define AMPARO_CONNECTION_H

#include <uv.h>

#include "quota.h"
#include "session.h"
#include "browser.h"

#define CONN_READ   (16 * FRAME_SIZE)    /* one read buffer for all connections */
#define CONN_LINGER_MS 2000              /* for the peer's own end after both byes */
/* the same after both have said Close: a browser waits some two seconds for the server's */
#define CONN_LINGER_WEB_MS 4000

struct conn;

/* what all connections share; zeroed by the owner, then filled in */
struct conn_set {
	uv_loop_t *loop;
	struct session_host *sessions;
	struct quota_sources *sources;  /* NULL: all come from one address */
	const struct upgrade_origins *origins;   /* NULL: no browsers */
	uint32_t handshake_ms, idle_ms, stall_ms;
	uint32_t per_minute;             /* new connections of one source */
	uint32_t (*source_limit)(void *arg);
	void *arg;
	size_t max;
	void (*emptied)(void *arg);      /* while closing: the last one is gone */

	/* connection.c's own */
	size_t n;
	bool closing;
	struct conn *all, *fresh, *fresh_last;   /* fresh: not authenticated, oldest first */
	uint64_t n_turned_away;          /* for limits of source or places */
	uint8_t head_first[WS_HEAD_MAX], head_frame[WS_HEAD_MAX];
	size_t head_first_len, head_frame_len;
	char read_buf[CONN_READ];
};

/* before listening; false: out of memory */
bool conn_set_start(struct conn_set *set);
/* Accept what waits at `server`, and let it in or end it.  false: out of memory, nothing was
 * accepted. */
bool conn_take(struct conn_set *set, uv_stream_t *server);
/* goodbye to all that authenticated, close the others; then `emptied` */
void conn_leave_all(struct conn_set *set);
/* close whatever is left, now; `emptied` follows */
void conn_close_all(struct conn_set *set);

#endif
