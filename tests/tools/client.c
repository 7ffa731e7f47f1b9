/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sodium.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static bool fail(struct client *c, const char *why)
{
	c->why = why;
	return false;
}

bool client_dial(struct client *c, uint16_t port, const char *from, int seconds)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct sockaddr_in own = { .sin_family = AF_INET };
	struct sockaddr_in6 to6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	struct sockaddr_in6 own6 = { .sin6_family = AF_INET6 };
	bool is_v6 = from != NULL && strchr(from, ':') != NULL;
	const struct sockaddr *own_sa = (struct sockaddr *)&own, *to_sa = (struct sockaddr *)&to;
	socklen_t sa_len = is_v6 ? sizeof to6 : sizeof to;
	struct timeval tv = { .tv_sec = seconds };
	int one = 1;

	if (is_v6) {
		own_sa = (struct sockaddr *)&own6;
		to_sa = (struct sockaddr *)&to6;
		to6.sin6_addr = in6addr_loopback;
	}

	c->why = "";
	c->next_id = 1;
	c->in_len = c->in_at = c->out_len = 0;
	c->bytes_in = 0;
	c->write = NULL;
	c->read = NULL;
	c->ch.state = CHANNEL_DEAD;
	c->fd = socket(is_v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0)
		return fail(c, "no socket");
	(void)setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	(void)setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv);
	(void)setsockopt(c->fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof tv);
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (from != NULL) {
		(void)inet_pton(is_v6 ? AF_INET6 : AF_INET, from,
		                is_v6 ? (void *)&own6.sin6_addr : (void *)&own.sin_addr);
		(void)setsockopt(c->fd, SOL_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
		if (bind(c->fd, own_sa, sa_len) != 0) {
			client_close(c);
			return fail(c, "cannot bind");
		}
	}
	if (connect(c->fd, to_sa, sa_len) != 0) {
		client_close(c);
		return fail(c, "cannot connect");
	}
	return true;
}

static bool send_all(struct client *c, const uint8_t *p, size_t len)
{
	if (c->write != NULL)
		return c->write(c, p, len);
	while (len > 0) {
		ssize_t n = send(c->fd, p, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return fail(c, "cannot send");
		p += n;
		len -= (size_t)n;
	}
	return true;
}

static bool fill(struct client *c)
{
	ssize_t n;

	do {
		n = c->read != NULL ? c->read(c, c->in, sizeof c->in) :
		    recv(c->fd, c->in, sizeof c->in, 0);
	} while (n < 0 && errno == EINTR);
	if (n == 0)
		return fail(c, "the server closed");
	if (n < 0)
		return fail(c, "nothing came");
	c->in_at = 0;
	c->in_len = (size_t)n;
	c->bytes_in += (size_t)n;
	return true;
}

/* one whole message of the channel */
bool client_receive(struct client *c, const uint8_t **msg, size_t *len)
{
	for (;;) {
		size_t used;
		enum perr err = channel_recv(&c->ch, c->in + c->in_at, c->in_len - c->in_at, &used,
		                             msg, len);

		c->in_at += used;
		if (err == PERR_OK)
			return true;
		if (err != PERR_MORE)
			return fail(c, "a frame did not open");
		if (!fill(c))
			return false;
	}
}

bool client_shake(struct client *c, const uint8_t server_pk[32], const uint8_t access[32])
{
	uint8_t derived[32], first[NOISE_MSG_SIZE];
	const uint8_t *msg;
	size_t len;

	channel_access(derived, access, server_pk);
	if (channel_connect(&c->ch, first, server_pk, derived, rng_system()) != PERR_OK)
		return fail(c, "no handshake");
	return send_all(c, first, sizeof first) && client_receive(c, &msg, &len);
}

bool client_open(struct client *c, uint16_t port, const uint8_t server_pk[32],
                 const uint8_t access[32])
{
	if (!client_dial(c, port, NULL, 20))
		return false;
	if (client_shake(c, server_pk, access))
		return true;
	client_close(c);
	return false;
}

void client_close(struct client *c)
{
	if (c->fd >= 0)
		(void)close(c->fd);
	c->fd = -1;
	channel_kill(&c->ch);
}

bool client_flush(struct client *c)
{
	size_t len = c->out_len;

	c->out_len = 0;
	return send_all(c, c->out, len);
}

bool client_queue(struct client *c, const struct rpc_msg *m)
{
	uint8_t *frame;
	size_t len;

	if (c->out_len == sizeof c->out && !client_flush(c))
		return false;
	frame = c->out + c->out_len;
	if (rpc_encode(frame + 2, &len, m) != PERR_OK ||
	    channel_send(&c->ch, frame, frame + 2, len) != PERR_OK)
		return fail(c, "cannot encode");
	c->out_len += FRAME_SIZE;
	return true;
}

bool client_next(struct client *c, enum rpc_method asked)
{
	const uint8_t *msg;
	size_t len;
	enum rpc_type type;
	uint32_t msgid;
	enum perr err;

	if (!client_receive(c, &msg, &len))
		return false;
	if (rpc_peek(&type, &msgid, msg, len) != PERR_OK)
		return fail(c, "not a message");
	if (type == RPC_NOTIFY)
		err = rpc_decode_notify(&c->m, msg, len);
	else
		err = rpc_decode_response(&c->m, asked, msg, len);
	return err == PERR_OK || fail(c, "not in the table");
}

bool client_call(struct client *c, struct rpc_msg *m)
{
	m->type = RPC_REQUEST;
	m->msgid = c->next_id++;
	if (!client_queue(c, m) || !client_flush(c) || !client_next(c, m->method))
		return false;
	if (c->m.type != RPC_RESPONSE)
		return fail(c, "said goodbye");
	if (c->m.msgid != m->msgid)
		return fail(c, "another answer");
	return c->m.error == RPC_OK || fail(c, "refused");
}

bool client_put(struct client *c, const uint8_t *cell)
{
	struct rpc_msg m = { .type = RPC_NOTIFY, .method = RPC_PUT, .cell = cell };

	return client_queue(c, &m);
}

bool client_commit_begin(struct client *c, uint32_t *msgid)
{
	struct rpc_msg m = { .type = RPC_REQUEST, .method = RPC_COMMIT };

	*msgid = m.msgid = c->next_id++;
	return client_queue(c, &m) && client_flush(c);
}

bool client_commit(struct client *c)
{
	struct rpc_msg m = { .method = RPC_COMMIT };

	return client_call(c, &m);
}

bool client_bye(struct client *c)
{
	struct rpc_msg m = { .type = RPC_NOTIFY, .method = RPC_BYE };
	bool ok = client_queue(c, &m) && client_flush(c);

	while (ok && client_next(c, RPC_HELLO) && c->m.method != RPC_BYE)
		;
	ok = ok && c->m.method == RPC_BYE;
	client_close(c);
	return ok;
}

bool client_upload(struct client *c, const uint8_t *hash, const uint8_t *bytes, size_t len)
{
	struct rpc_msg m = { .method = hash != NULL ? RPC_BULLETIN_PART : RPC_POLICY_PUT };
	size_t at = 0;

	m.total = (uint32_t)len;
	if (hash != NULL)
		memcpy(m.hash, hash, 32);
	while (at < len) {
		m.offset = (uint32_t)at;
		m.bytes = bytes + at;
		m.bytes_len = len - at < RPC_PART_PUT ? len - at : RPC_PART_PUT;
		if (!client_call(c, &m))
			return false;
		if (c->m.total <= at)
			return fail(c, "the upload does not move");
		at = c->m.total;
	}
	return true;
}

bool client_pull(struct client *c, const struct rpc_segment *seg,
                 void (*each)(void *arg, const uint8_t *cell), void *arg)
{
	struct rpc_msg m = { .type = RPC_REQUEST, .method = RPC_PULL, .n = RPC_BATCH };
	uint32_t asked = 0, got = 0, open = 0;

	m.day = seg->day;
	m.release = seg->release;
	while (got < seg->count) {
		/* two requests under way keep both ends busy */
		while (open < 2 && asked < seg->count) {
			m.msgid = c->next_id++;
			m.from = asked;
			asked += RPC_BATCH;
			open++;
			if (!client_queue(c, &m))
				return false;
		}
		if (c->out_len > 0 && !client_flush(c))
			return false;
		if (!client_next(c, RPC_PULL))
			return false;
		if (c->m.type == RPC_NOTIFY && c->m.method == RPC_CELL) {
			each(arg, c->m.cell);
			got++;
		} else if (c->m.type == RPC_RESPONSE && c->m.error == RPC_OK) {
			open--;
		} else {
			return fail(c, "pull refused");
		}
	}
	while (open-- > 0)
		if (!client_next(c, RPC_PULL))
			return false;
	return true;
}

bool client_segments(struct client *c, struct rpc_segment *out, size_t max, size_t *n)
{
	struct rpc_msg m = { .method = RPC_SEGMENTS, .n = RPC_BATCH };
	uint32_t i;

	*n = 0;
	do {
		if (!client_call(c, &m))
			return false;
		for (i = 0; i < c->m.n && *n < max; i++)
			out[(*n)++] = c->m.segments[i];
		if (*n > 0) {
			m.day = out[*n - 1].day;
			m.release = out[*n - 1].release;
		}
	} while (c->m.n == RPC_BATCH && *n < max);
	return true;
}

void client_cell(uint8_t cell[CELL_SIZE], uint64_t seed, uint64_t number)
{
	uint8_t key[32] = { 0 };

	memcpy(key, &seed, sizeof seed);
	memcpy(key + 8, &number, sizeof number);
	randombytes_buf_deterministic(cell, CELL_SIZE, key);
	cell[31] &= 0x7f;                /* a canonical E; 2^255-19 and more is never met */
}
