/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * web: what a connection is before its session knows it: a handshake message over TCP or a
 * browser's request; and, if a request, the WebSocket between the connection's bytes and the
 * session's.  Without I/O.  PROTOCOL section 5.3.
 *
 *	web_new(&w, origins);
 *	event = web_recv(w, in, in_len, now_ms, &part);
 *	  WEB_BYTES    give part.bytes to the session
 *	  WEB_FIRST    the same, a whole first message: if the session opens, web_open and send
 *	               what it says; if not, this is an outsider
 *	  WEB_PLAIN    no browser: give part.bytes to the session, then everything else; web_free
 *	  WEB_SAY      send part.bytes, an answer to a ping
 *	  WEB_END      the peer closes the WebSocket
 *	  WEB_OUTSIDER swallow everything from now on, say nothing
 *	  WEB_BROKEN   close
 */
#ifndef AMPARO_WEB_H
#define AMPARO_WEB_H

#include "upgrade.h"
#include "ws.h"

enum web_event {
	WEB_MORE,
	WEB_BYTES,
	WEB_FIRST,
	WEB_PLAIN,
	WEB_SAY,
	WEB_END,
	WEB_OUTSIDER,
	WEB_BROKEN
};

struct web;

/* could a browser's request begin with this byte? */
bool web_may_begin(uint8_t byte);
/* origins  in: not copied.  PERR_NOMEM */
PERR_MUST_CHECK enum perr web_new(struct web **out, const struct upgrade_origins *origins);
/* NULL is harmless */
void web_free(struct web *w);

/*
 * Feed bytes, cut anywhere; part->used of them were taken, at most what makes one event.
 * part->bytes are valid until the next call; pieces of WEB_BYTES never reach beyond the end
 * of a frame of the channel.
 */
enum web_event web_recv(struct web *w, const uint8_t *in, size_t in_len, uint64_t now_ms,
                        struct ws_part *part);
/* all of it was used: gives memory back */
void web_settle(struct web *w);

/* after WEB_FIRST, the session being open: the answer to send before anything else */
size_t web_open(struct web *w, char out[UPGRADE_ANSWER_MAX]);
/* it was opened, so messages need heads and the end a close */
bool web_is_open(const struct web *w);
/* a WEB_SAY is sent, or was lost; until then no other one comes */
void web_said(struct web *w);

#endif
