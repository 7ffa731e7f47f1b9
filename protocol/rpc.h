/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * rpc: the typed requests, answers and notifications.  PROTOCOL section 6.
 *
 * One struct rpc_msg holds any message of either direction.  Decoding borrows from the
 * input; encoding writes into one frame's message (at most FRAME_MSG_MAX bytes).  A table
 * in rpc.c gives each method its name, its scopes and its two shapes, and nothing else
 * knows them.
 */
#ifndef AMPARO_RPC_H
#define AMPARO_RPC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cell.h"
#include "channel.h"
#include "perr.h"

#define RPC_INFLIGHT_MAX  32             /* requests that may wait for an answer */
#define RPC_BATCH         64             /* puts of a commit, cells of a pull */
#define RPC_STATUSES_MAX  4096
#define RPC_PART_GET      4096           /* bytes of a part in one answer */
#define RPC_PART_PUT      4000           /* bytes of a part in one request */

enum rpc_scope {
	RPC_GUEST = 1, RPC_FIELD = 2, RPC_COUNSEL = 3, RPC_STEWARD = 4, RPC_SETUP = 5
};

/* error field of a response */
enum rpc_error {
	RPC_OK = 0, RPC_MALFORMED = 1, RPC_SCOPE = 2, RPC_UNKNOWN = 3, RPC_LATER = 4,
	RPC_LIMIT = 5, RPC_STALE = 6, RPC_SIGNATURE = 7, RPC_NOSPACE = 8, RPC_DAMAGED = 9
};

/* status byte of a put, an erase, a board.put or a join.put */
enum rpc_status {
	RPC_STORED = 0, RPC_ALREADY = 1, RPC_OVER_LIMIT = 2, RPC_DISK_FULL = 3,
	RPC_NOT_A_CELL = 4, RPC_ERASED = 5, RPC_ACCEPTED = 6, RPC_NOT_KNOWN = 7
};

enum rpc_method {
	RPC_HELLO, RPC_BULLETIN_GET, RPC_JOIN_PUT, RPC_BOARD_GET, RPC_BOARD_PUT,
	RPC_PUT, RPC_ERASE, RPC_COMMIT, RPC_SEGMENTS, RPC_PULL, RPC_FETCH, RPC_PEEK,
	RPC_CELL, RPC_JOIN_LIST, RPC_BULLETIN_PART, RPC_BULLETIN_COMMIT, RPC_POLICY_PUT,
	RPC_RELEASE, RPC_ERASE_VOID, RPC_BOARD_CLEAR, RPC_STATUS, RPC_BYE,
	RPC_N_METHODS
};

enum rpc_type { RPC_REQUEST = 0, RPC_RESPONSE = 1, RPC_NOTIFY = 2 };

struct rpc_segment {
	uint32_t day, release, count;
	uint8_t digest[32];
};

/* one structure for the fields of every method; which are used stands at each */
struct rpc_msg {
	enum rpc_type type;
	uint32_t msgid;                  /* requests and responses; RPC_CELL: of its pull */
	enum rpc_method method;          /* of a response: what was asked; set by the caller */
	enum rpc_error error;            /* responses */

	/* hello result */
	struct {
		uint32_t day, bulletin_version, counter, puts_per_commit, policy_version;
		uint8_t header_hash[32], board_digest[32];
		bool has_newest;
		uint32_t newest_day, newest_release;
	} hello;

	uint32_t day, release;           /* segments, pull, fetch, peek params; release result */
	uint32_t from;                   /* pull, peek, board.get, join.list: position */
	uint32_t n;                      /* segments, pull params; pull, fetch: n sent; counts */
	uint32_t total, offset;          /* bulletin.get, .part, policy.put; results: received in total */
	uint8_t hash[32];                /* bulletin.get, .part, .commit */
	uint8_t digest[32];              /* board.get result; bulletin.commit: expected current header */
	uint8_t status;                  /* join.put, board.put, bulletin.commit results */
	const uint8_t *ticket;           /* join.put: 16 bytes */
	const uint8_t *cell;             /* CELL_SIZE bytes or NULL where nil is allowed */
	const uint8_t *ds;               /* board.put: 32 bytes or NULL */
	const uint8_t *bytes;            /* parts, statuses, positions, erase list, heads, order */
	size_t bytes_len;
	struct rpc_segment segments[64]; /* segments result; n of them */
	struct {
		uint32_t day, cells_waiting, cells_released, segments, board, joins, erasures,
		         erase_day, free_mib, reserve_mib, refused, refused_full, alerts;
		bool frozen, full;
	} st;                            /* status result */
};

/* "board.get"; never NULL */
const char *rpc_name(enum rpc_method m);
/* may this scope call this method? */
bool rpc_allowed(enum rpc_method m, enum rpc_scope scope);

/*
 * Decode a message that a server receives (requests and notifications) or a client
 * receives (responses and notifications).  For a response the shape depends on what was
 * asked: first rpc_peek_msgid gives the id, the caller looks up the method, then
 * rpc_decode_response reads it.
 * PERR_FORMAT: not of the table; the connection must end.  PERR_UNKNOWN: well-formed, but
 * the method's name is unknown.
 */
PERR_MUST_CHECK enum perr rpc_decode_request(struct rpc_msg *m, const uint8_t *in, size_t in_len);
PERR_MUST_CHECK enum perr rpc_peek(enum rpc_type *type, uint32_t *msgid,
                                  const uint8_t *in, size_t in_len);
PERR_MUST_CHECK enum perr rpc_decode_response(struct rpc_msg *m, enum rpc_method asked,
                                             const uint8_t *in, size_t in_len);
/* notifications to a client: RPC_CELL and RPC_BYE */
PERR_MUST_CHECK enum perr rpc_decode_notify(struct rpc_msg *m, const uint8_t *in, size_t in_len);

/* out: FRAME_MSG_MAX bytes of room.  PERR_RANGE: a field is larger than the table allows */
PERR_MUST_CHECK enum perr rpc_encode(uint8_t out[FRAME_MSG_MAX], size_t *out_len,
                                    const struct rpc_msg *m);

#endif
