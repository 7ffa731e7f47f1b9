/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * channel: one connection's secure channel, client or server side, without I/O.
 * PROTOCOL section 5.
 *
 * Two handshake messages of 48 bytes, then frames of exactly FRAME_SIZE bytes of
 * ciphertext both ways, no length prefix.  Plaintext: u16 BE length, message, zeros.
 * Input may be cut anywhere.  After the first error the channel is DEAD and wiped.
 */
#ifndef AMPARO_CHANNEL_H
#define AMPARO_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "noise.h"
#include "perr.h"
#include "rng.h"

#define FRAME_SIZE      4192             /* on the wire */
#define FRAME_PLAIN     4176
#define FRAME_MSG_MAX   (FRAME_PLAIN - 2)
#define CHANNEL_PROLOGUE "amparo/1"

enum channel_state {
	CHANNEL_AWAIT_1,         /* server: the client's first message */
	CHANNEL_REPLY,           /* server: read, channel_accept not yet called */
	CHANNEL_AWAIT_2,         /* client: the server's answer */
	CHANNEL_OPEN,
	CHANNEL_DEAD
};

/* all that is secret of a channel; zeros when there is none */
struct channel_keys {
	struct noise hs;
	struct noise_cipher tx, rx;
};

struct channel {
	enum channel_state state;
	bool is_client;
	struct channel_keys own;
	struct channel_keys *placed;     /* the keys are there, in the caller's memory; NULL: own */
	uint8_t in[FRAME_SIZE];          /* a partial message */
	size_t in_len;
};

/*
 * access_key derived for one server: BLAKE2b-256(key = access key,
 * "amparo/1 access" || server Noise public key).  DESIGN section 3.
 */
void channel_access(uint8_t derived[32], const uint8_t access_key[32],
                    const uint8_t server_pk[32]);

/* client: out gets the first message at once; it begins like no TLS and no HTTP (PROTOCOL 5.3).  PERR_KEY: server_pk unusable */
PERR_MUST_CHECK enum perr channel_connect(struct channel *c, uint8_t out[NOISE_MSG_SIZE],
                                         const uint8_t server_pk[32],
                                         const uint8_t derived_access[32], struct rng rng);
/* server: a channel that awaits message 1 */
void channel_listen(struct channel *c);
/*
 * The same with its keys in memory of the caller's (locked, for instance), which must outlive
 * the channel and is wiped whenever the channel is DEAD.  NULL: in the channel itself.
 */
void channel_listen_in(struct channel *c, struct channel_keys *placed);

/*
 * Feed bytes.  Takes at most what completes one message.
 * used  out: bytes taken of in
 * Server in CHANNEL_AWAIT_1: returns PERR_MORE until 48 bytes are there, then PERR_OK with
 *   state CHANNEL_REPLY; the caller looks at channel_first() (replay check, key trial) and
 *   calls channel_accept.
 * Client in CHANNEL_AWAIT_2: PERR_OK once when the channel opens (msg_len 0).
 * Open: PERR_OK for each whole frame: *msg points into the channel (valid until the next
 *   call), *msg_len its length (may be 0); PERR_MORE otherwise.
 * PERR_AUTH, PERR_FORMAT (length field over FRAME_MSG_MAX, bytes behind not zero): DEAD.
 * PERR_STATE: DEAD already, or the server has not answered message 1; nothing is taken.
 */
PERR_MUST_CHECK enum perr channel_recv(struct channel *c, const uint8_t *in, size_t in_len,
                                      size_t *used, const uint8_t **msg, size_t *msg_len);

/* server, state CHANNEL_REPLY: the 48 bytes of message 1 (the first 32 are E) */
const uint8_t *channel_first(const struct channel *c);
/*
 * server, state CHANNEL_REPLY: try the derived access keys; on success out gets message 2
 * and the channel is open.  which out: index of the key.  PERR_AUTH: none fits; DEAD; the
 * peer gets no byte.
 */
PERR_MUST_CHECK enum perr channel_accept(struct channel *c, uint8_t out[NOISE_MSG_SIZE],
                                        size_t *which, const uint8_t server_sk[32],
                                        const uint8_t server_pk[32],
                                        const uint8_t (*derived)[32], size_t n_derived,
                                        struct rng rng);

/*
 * One frame out.
 *
 * msg  in: msg_len bytes; may be NULL when that is 0, and may lie inside out
 * PERR_RANGE: msg_len over FRAME_MSG_MAX.  PERR_STATE: not open, or the counter is used up
 * (DEAD then).
 */
PERR_MUST_CHECK enum perr channel_send(struct channel *c, uint8_t out[FRAME_SIZE],
                                      const uint8_t *msg, size_t msg_len);
/* wipes; harmless when dead */
void channel_kill(struct channel *c);

#endif
