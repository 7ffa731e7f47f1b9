/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "web_client.h"

#include <errno.h>
#include <sha1.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <wslay/wslay.h>

#define LINKS 64

/* one WebSocket; found by its client, which has no room for it */
struct link {
	struct client *c;
	wslay_frame_context_ptr in, out;
	uint8_t opcode;                  /* of the frame being read; 0: between two */
	uint64_t got, whole;
	uint8_t control[125];
	size_t n_control;
	bool has_control;
};
static __thread struct link links[LINKS];

static struct link *link_of(struct client *c)
{
	size_t i;

	for (i = 0; i < LINKS; i++)
		if (links[i].c == c)
			return &links[i];
	abort();
}

static ssize_t on_recv(uint8_t *buf, size_t len, int flags, void *user)
{
	ssize_t n;

	(void)flags;
	do {
		n = recv(((struct link *)user)->c->fd, buf, len, 0);
	} while (n < 0 && errno == EINTR);
	return n > 0 ? n : -1;
}

static ssize_t on_send(const uint8_t *bytes, size_t len, int flags, void *user)
{
	ssize_t n;

	(void)flags;
	do {
		n = send(((struct link *)user)->c->fd, bytes, len, MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	return n > 0 ? n : -1;
}

static int on_mask(uint8_t *buf, size_t len, void *user)
{
	(void)user;
	randombytes_buf(buf, len);
	return 0;
}

/* a piece of a message; a whole control frame is put aside and returns 0 */
static ssize_t piece(struct link *l, uint8_t *p, size_t max)
{
	struct wslay_frame_iocb io = { 0 };
	ssize_t n = wslay_frame_recv(l->in, &io);

	if (n < 0)
		return -1;
	if (io.mask || io.rsv != 0 || !io.fin)
		return -1;               /* a server's frames are whole and not masked */
	l->got += (size_t)n;
	if (wslay_is_ctrl_frame(io.opcode)) {
		memcpy(l->control + l->n_control, io.data, (size_t)n);
		l->n_control += (size_t)n;
		l->opcode = io.opcode;
		l->has_control = l->got == io.payload_length;
		if (l->has_control)
			l->got = 0;
		return 0;
	}
	if (io.opcode != WSLAY_BINARY_FRAME || (size_t)n > max ||
	    (io.payload_length != FRAME_SIZE && io.payload_length != NOISE_MSG_SIZE))
		return -1;
	memcpy(p, io.data, (size_t)n);
	if (l->got == io.payload_length)
		l->got = 0;
	return n;
}

static ssize_t web_read(struct client *c, uint8_t *p, size_t max)
{
	struct link *l = link_of(c);
	ssize_t n;

	for (;;) {
		n = piece(l, p, max);
		if (n != 0)
			return n;
		if (l->has_control && l->opcode == WSLAY_CONNECTION_CLOSE)
			return 0;
		l->has_control = false;
		l->n_control = 0;
	}
}

bool web_send(struct client *c, uint8_t first_byte, bool mask, const uint8_t *bytes, size_t len)
{
	struct link *l = link_of(c);
	uint8_t head[14], key[4], *masked = malloc(len + 1);
	size_t n = 0, i;
	bool ok;

	head[n++] = first_byte;
	if (len < 126) {
		head[n++] = (uint8_t)len;
	} else if (len < 65536) {
		head[n++] = 126;
		head[n++] = (uint8_t)(len >> 8);
		head[n++] = (uint8_t)len;
	} else {
		head[n++] = 127;
		for (i = 0; i < 8; i++)
			head[n++] = (uint8_t)((uint64_t)len >> (56 - 8 * i));
	}
	head[1] |= mask ? 0x80 : 0;
	randombytes_buf(key, sizeof key);
	for (i = 0; mask && i < 4; i++)
		head[n++] = key[i];
	for (i = 0; i < len; i++)
		masked[i] = bytes[i] ^ (mask ? key[i % 4] : 0);
	ok = send(l->c->fd, head, n, MSG_NOSIGNAL) == (ssize_t)n &&
	     (len == 0 || send(l->c->fd, masked, len, MSG_NOSIGNAL) == (ssize_t)len);
	free(masked);
	return ok;
}

static bool web_write(struct client *c, const uint8_t *p, size_t len)
{
	struct link *l = link_of(c);

	for (; len > 0; p += FRAME_SIZE, len -= FRAME_SIZE) {
		struct wslay_frame_iocb io = {
			.fin = 1, .opcode = WSLAY_BINARY_FRAME, .payload_length = FRAME_SIZE,
			.mask = 1, .data = p, .data_length = FRAME_SIZE
		};
		ssize_t n;

		while (io.data_length > 0) {
			n = wslay_frame_send(l->out, &io);
			if (n < 0)
				return false;
			io.data += n;
			io.data_length -= (size_t)n;
		}
	}
	return true;
}

uint8_t web_control(struct client *c, uint8_t *bytes, size_t *len)
{
	struct link *l = link_of(c);
	uint8_t skipped[4096];

	while (!l->has_control)
		if (piece(l, skipped, sizeof skipped) < 0)
			return 0;
	memcpy(bytes, l->control, l->n_control);
	*len = l->n_control;
	l->n_control = 0;
	l->has_control = false;
	return l->opcode;
}

size_t web_request(char out[WEB_REQUEST_MAX], const uint8_t first[NOISE_MSG_SIZE],
                   const char *origin, const char *more)
{
	char text[80];
	int n;

	sodium_bin2base64(text, sizeof text, first, NOISE_MSG_SIZE,
	                  sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	/* as Chromium says it, in its order */
	n = snprintf(out, WEB_REQUEST_MAX,
	             "GET / HTTP/1.1\r\nHost: 127.0.0.1:4711\r\nConnection: Upgrade\r\n"
	             "Pragma: no-cache\r\nCache-Control: no-cache\r\n"
	             "User-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\nUpgrade: websocket\r\n"
	             "%s%s%sSec-WebSocket-Version: 13\r\n"
	             "Accept-Encoding: gzip, deflate, br\r\nAccept-Language: es-MX,es;q=0.9\r\n"
	             "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
	             "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"
	             "Sec-WebSocket-Protocol: %s\r\n%s\r\n",
	             origin != NULL ? "Origin: " : "", origin != NULL ? origin : "",
	             origin != NULL ? "\r\n" : "", text, more);
	return (size_t)n;
}

/* the 101 must be this one, byte for byte */
static bool answered(struct client *c, const uint8_t first[NOISE_MSG_SIZE])
{
	char want[512], text[80], got[512];
	size_t n = 0, len;

	sodium_bin2base64(text, sizeof text, first, NOISE_MSG_SIZE,
	                  sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	/* the example of RFC 6455 section 1.3 */
	len = (size_t)snprintf(want, sizeof want,
	                       "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
	                       "Connection: Upgrade\r\n"
	                       "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
	                       "Sec-WebSocket-Protocol: %s\r\n\r\n", text);
	while (n < len) {
		ssize_t r = recv(c->fd, got + n, len - n, 0);

		if (r <= 0) {
			c->why = "the server closed";
			return false;
		}
		n += (size_t)r;
	}
	c->why = "another answer than 101";
	return memcmp(got, want, len) == 0;
}

bool web_shake(struct client *c, const uint8_t server_pk[32], const uint8_t access[32],
               const char *origin)
{
	const struct wslay_frame_callbacks calls = { on_send, on_recv, on_mask };
	static __thread char request[WEB_REQUEST_MAX];
	uint8_t derived[32], first[NOISE_MSG_SIZE];
	const uint8_t *msg;
	size_t len, i;

	channel_access(derived, access, server_pk);
	if (channel_connect(&c->ch, first, server_pk, derived, rng_system()) != PERR_OK)
		return false;
	len = web_request(request, first, origin, "");
	if (send(c->fd, request, len, MSG_NOSIGNAL) != (ssize_t)len || !answered(c, first))
		return false;
	for (i = 0; i < LINKS && links[i].c != NULL; i++)
		;
	if (i == LINKS)
		abort();
	memset(&links[i], 0, sizeof links[i]);
	links[i].c = c;
	if (wslay_frame_context_init(&links[i].in, &calls, &links[i]) != 0 ||
	    wslay_frame_context_init(&links[i].out, &calls, &links[i]) != 0)
		abort();
	c->read = web_read;
	c->write = web_write;
	return client_receive(c, &msg, &len);
}

void web_forget(struct client *c)
{
	size_t i;

	for (i = 0; i < LINKS; i++) {
		if (links[i].c != c)
			continue;
		wslay_frame_context_free(links[i].in);
		wslay_frame_context_free(links[i].out);
		memset(&links[i], 0, sizeof links[i]);
	}
}
