/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * browser: what a connection is before its session knows it: a handshake message over TCP or a
 * browser's request; and, if a request, the WebSocket between the connection's bytes and the
 * session's.  Without I/O.  PROTOCOL section 5.3.
 *
 *	browser_new(&w, origins);
 *	event = browser_recv(w, in, in_len, now_ms, &part);
 *	  BROWSER_BYTES     give part.bytes to the session
 *	  BROWSER_FIRST     the same, a whole first message: if the session opens, browser_open
 *	                    and send what it says; if not, this is an outsider
 *	  BROWSER_PLAIN     no browser: give part.bytes to the session, then everything else;
 *	                    browser_free
 *	  BROWSER_SAY       send part.bytes, an answer to a ping
 *	  BROWSER_END       the peer closes the WebSocket
 *	  BROWSER_OUTSIDER  swallow everything from now on, say nothing
 *	  BROWSER_BROKEN    close
 */
#ifndef AMPARO_BROWSER_H
#define AMPARO_BROWSER_H

#include "upgrade.h"
#include "ws.h"

enum browser_event {
	BROWSER_MORE,
	BROWSER_BYTES,
	BROWSER_FIRST,
	BROWSER_PLAIN,
	BROWSER_SAY,
	BROWSER_END,
	BROWSER_OUTSIDER,
	BROWSER_BROKEN
};

struct browser;

/* could a browser's request begin with this byte? */
bool browser_may_begin(uint8_t byte);
/* origins  in: not copied.  PERR_NOMEM */
PERR_MUST_CHECK enum perr browser_new(struct browser **out, const struct upgrade_origins *origins);
/* NULL is harmless */
void browser_free(struct browser *w);

/*
 * Feed bytes, cut anywhere; part->used of them were taken, at most what makes one event.
 * part->bytes are valid until the next call; pieces of BROWSER_BYTES never reach beyond the end
 * of a frame of the channel.
 */
enum browser_event browser_recv(struct browser *w, const uint8_t *in, size_t in_len,
                                uint64_t now_ms, struct ws_part *part);
/* all of it was used: gives memory back */
void browser_settle(struct browser *w);

/* after BROWSER_FIRST, the session being open: the answer to send before anything else */
size_t browser_open(struct browser *w, char out[UPGRADE_ANSWER_MAX]);
/* it was opened, so messages need heads and the end a close */
bool browser_is_open(const struct browser *w);
/* a BROWSER_SAY is sent, or was lost; until then no other one comes */
void browser_said(struct browser *w);

#endif
