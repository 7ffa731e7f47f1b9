/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * ws: the frames of a WebSocket, server's side, without I/O.  PROTOCOL section 5.3, RFC 6455
 * section 5; wslay reads and writes them.
 *
 * A peer's messages are each one frame of the channel in one binary, masked frame: anything
 * else (text, fragments, another length, extension bits, no mask) is WS_BROKEN before one byte
 * of it is handed out.  Pings are to be answered; pings and pongs are counted.
 *
 * Between two messages a struct ws holds no memory of its own: what wslay needs, some 4 KiB,
 * lives from a message's first byte to its last, so that a connection that waits costs what it
 * costs over TCP.
 */
#ifndef AMPARO_WS_H
#define AMPARO_WS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "channel.h"
#include "quota.h"

#define WS_HEAD_MAX      4               /* before what a server sends */
#define WS_CONTROL_MAX   127             /* a whole ping, pong or close, with its head */
#define WS_PINGS         60              /* pings and pongs in a minute */

enum ws_event {
	WS_MORE,                 /* nothing yet; all was taken */
	WS_PAYLOAD,              /* a piece of a message */
	WS_PING,                 /* answer it: ws_pong */
	WS_CLOSE,                /* the peer ends; nothing further is taken */
	WS_BROKEN,               /* not allowed; for good */
	WS_NOMEM                 /* the same for us */
};

struct ws {
	struct ws_frame *frame;          /* while one is under way */
	struct quota_bucket controls;
	bool ended;
};

struct ws_part {
	size_t used;                     /* bytes taken of in */
	const uint8_t *bytes;            /* WS_PAYLOAD, WS_PING: unmasked, valid until the next */
	size_t len;                      /* call; never beyond the end of a message */
};

/* one that awaits its first message */
void ws_init(struct ws *w);
/* for good; it takes nothing more */
void ws_end(struct ws *w);
/* what was handed out last is used: between two messages this gives the memory back */
void ws_settle(struct ws *w);

/* Feed bytes, cut anywhere.  Takes at most what makes one event. */
enum ws_event ws_recv(struct ws *w, const uint8_t *in, size_t in_len, uint64_t now_ms,
                      struct ws_part *part);

/*
 * What stands before a binary message of `len` bytes, at most 65,535; returns its length,
 * 0: out of memory
 */
size_t ws_head(uint8_t out[WS_HEAD_MAX], size_t len);
/* a whole pong to a ping with these bytes, at most 125; returns its length, 0: no memory */
size_t ws_pong(uint8_t out[WS_CONTROL_MAX], const uint8_t *bytes, size_t len);
/* a whole close, status 1000; the same */
size_t ws_close(uint8_t out[WS_CONTROL_MAX]);

#endif
