/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * upgrade: the HTTP request by which a browser asks for a WebSocket, without I/O.  PROTOCOL
 * section 5.3, RFC 6455 section 4.  http-parser reads it; what counts is decided here.
 *
 *	upgrade_new(&u, origins);
 *	while (upgrade_recv(u, in, in_len) == PERR_MORE) …
 *	upgrade_first(u)                        // to the session; if that is one of ours:
 *	len = upgrade_answer(u, out);           // the 101
 *	upgrade_free(u);
 *
 * There is no other answer than the 101: whoever asks for anything else, or carries no message
 * that authenticates, hears nothing.  This code runs before anybody has authenticated, so it
 * keeps nothing but what it compares: five header values, each bounded.  Whatever else a proxy
 * or browser says of whom it speaks for (X-Forwarded-For, Forwarded, User-Agent, Cookie) is
 * counted and skipped.
 */
#ifndef AMPARO_UPGRADE_H
#define AMPARO_UPGRADE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "noise.h"
#include "perr.h"

#define UPGRADE_START       "GET "       /* what tells a request from a handshake message */
#define UPGRADE_START_LEN   4
#define UPGRADE_REQUEST_MAX 8192         /* bytes; a browser's has some 600 */
#define UPGRADE_LINES_MAX   64
#define UPGRADE_ANSWER_MAX  256

#define UPGRADE_ORIGINS_MAX 16
#define UPGRADE_ORIGIN_MAX  120

/* whose pages may open a WebSocket; zeros: nobody's */
struct upgrade_origins {
	size_t n;
	char text[UPGRADE_ORIGINS_MAX][UPGRADE_ORIGIN_MAX + 1];
};

/*
 * word  in: "https://forms.example.org", "http://…", with a port or without, as a browser writes
 *   it: lower case, no path; "null": a page opened from a file, for which browsers say null or
 *   file://; "any": every page, and who names none
 * PERR_FORMAT: none of these.  PERR_LIMIT: one too many.
 */
PERR_MUST_CHECK enum perr upgrade_origins_add(struct upgrade_origins *o, const char *word,
                                             size_t len);

struct upgrade;

/* origins  in: not copied.  PERR_NOMEM */
PERR_MUST_CHECK enum perr upgrade_new(struct upgrade **out,
                                     const struct upgrade_origins *origins);
/* NULL is harmless; wipes what a browser said */
void upgrade_free(struct upgrade *u);

/*
 * Feed bytes, cut anywhere, all of them.
 * PERR_OK: the request is whole and as it should be; nothing may follow.
 * PERR_MORE: not yet.  PERR_FORMAT: refused, for good.
 */
PERR_MUST_CHECK enum perr upgrade_recv(struct upgrade *u, const uint8_t *in, size_t in_len);

/* after PERR_OK: the handshake message it carried, valid until upgrade_free */
const uint8_t *upgrade_first(const struct upgrade *u);
/* after PERR_OK: the answer, which is not ended with a zero; returns its length */
size_t upgrade_answer(const struct upgrade *u, char out[UPGRADE_ANSWER_MAX]);

#endif
