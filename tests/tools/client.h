/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * client: the smallest client of the protocol, over a blocking socket.  For tests and
 * benchmarks; every call fails with false and leaves why in the struct.
 */
#ifndef AMPARO_TEST_CLIENT_H
#define AMPARO_TEST_CLIENT_H

#include <sys/types.h>

#include "channel.h"
#include "rpc.h"

struct client {
	int fd;
	struct channel ch;
	uint32_t next_id;
	const char *why;
	uint8_t in[16 * FRAME_SIZE];     /* received, not yet fed to the channel */
	size_t in_len, in_at;
	uint8_t out[64 * FRAME_SIZE];    /* sealed, not yet sent: client_flush */
	size_t out_len;
	uint64_t bytes_in;
	/* another way than the socket's own, as web_client.h sets it; NULL: none */
	bool (*write)(struct client *c, const uint8_t *p, size_t len);
	ssize_t (*read)(struct client *c, uint8_t *p, size_t len);
	struct rpc_msg m;                /* the last message received; borrows from ch */
};

/* TCP only: nothing is said.  from: own address, NULL for any; one of IPv6 reaches ::1 instead
 * of 127.0.0.1.  seconds: no call blocks longer */
bool client_dial(struct client *c, uint16_t port, const char *from, int seconds);
/* the handshake on a dialled connection; access: the scope's key, not yet derived */
bool client_shake(struct client *c, const uint8_t server_pk[32], const uint8_t access[32]);
/* both */
bool client_open(struct client *c, uint16_t port, const uint8_t server_pk[32],
                 const uint8_t access[32]);
/* seal-level parts, for web_client.c: the next whole message of the channel */
bool client_receive(struct client *c, const uint8_t **msg, size_t *len);
void client_close(struct client *c);     /* without a bye */
bool client_bye(struct client *c);       /* bye, wait for the server's, close */

/* seal into the buffer; sent when it is full or at client_flush */
bool client_queue(struct client *c, const struct rpc_msg *m);
bool client_flush(struct client *c);
/* one more message from the server; pull's cells have method RPC_CELL.  `asked` decodes answers */
bool client_next(struct client *c, enum rpc_method asked);
/* send one request, wait for its answer in c->m; false also when it carries an error */
bool client_call(struct client *c, struct rpc_msg *m);

bool client_put(struct client *c, const uint8_t *cell);
/* queue commit and flush; returns its msgid */
bool client_commit_begin(struct client *c, uint32_t *msgid);
/* commit and wait: statuses in c->m.bytes */
bool client_commit(struct client *c);
/* upload a document in pieces: policy (hash NULL) or part */
bool client_upload(struct client *c, const uint8_t *hash, const uint8_t *bytes, size_t len);
/* whole segment: cells one by one to each(); false when one is missing */
bool client_pull(struct client *c, const struct rpc_segment *seg,
                 void (*each)(void *arg, const uint8_t *cell), void *arg);
/* all segments, at most max; *n of them */
bool client_segments(struct client *c, struct rpc_segment *out, size_t max, size_t *n);

/* a cell that a server accepts and nobody can open: number and a seed decide its bytes */
void client_cell(uint8_t cell[CELL_SIZE], uint64_t seed, uint64_t number);

#endif
