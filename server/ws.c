/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "ws.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <wslay/wslay.h>

#define CONTROL_PAYLOAD 125

struct ws_frame {
	wslay_frame_context_ptr ctx;
	const uint8_t *in;               /* what may be read now */
	size_t in_len;
	uint64_t got, whole;             /* of its payload; whole counts once it is known */
	bool known;
	size_t n_control;
	uint8_t control[CONTROL_PAYLOAD];
};

/*
 * wslay reads ahead as far as it is let: so it gets a byte at a time until the length is known
 * (that is when the first byte of payload is there), then no more than this frame.  After it
 * nothing is left in wslay, and the connection may stop between any two frames.
 */
static ssize_t on_want(uint8_t *buf, size_t len, int flags, void *user)
{
	struct ws_frame *f = user;
	uint64_t left = f->known ? f->whole - f->got : 1;

	if (len > f->in_len)
		len = f->in_len;
	if (len > left)
		len = (size_t)left;
	memcpy(buf, f->in, len);
	f->in += len;
	f->in_len -= len;
	return len > 0 ? (ssize_t)len : -1;
}

static struct ws_frame *frame_new(void)
{
	const struct wslay_frame_callbacks calls = { .recv_callback = on_want };
	struct ws_frame *f = calloc(1, sizeof *f);

	if (f != NULL && wslay_frame_context_init(&f->ctx, &calls, f) != 0) {
		free(f);
		f = NULL;
	}
	return f;
}

static void frame_free(struct ws_frame *f)
{
	if (f == NULL)
		return;
	wslay_frame_context_free(f->ctx);
	free(f);
}

void ws_init(struct ws *w)
{
	memset(w, 0, sizeof *w);
}

void ws_settle(struct ws *w)
{
	struct ws_frame *f = w->frame;

	if (f == NULL || !f->known || f->got < f->whole)
		return;
	frame_free(f);
	w->frame = NULL;
}

void ws_end(struct ws *w)
{
	frame_free(w->frame);
	w->frame = NULL;
	w->ended = true;
}

static enum ws_event broken(struct ws *w)
{
	ws_end(w);
	return WS_BROKEN;
}

/* PROTOCOL 5.3: "binary, 4,192 bytes, not fragmented, no extension bits; a client's are
 * masked." */
static bool is_allowed(const struct wslay_frame_iocb *io)
{
	if (!io->fin || io->rsv != WSLAY_RSV_NONE || !io->mask)
		return false;
	switch (io->opcode) {
	case WSLAY_BINARY_FRAME:
		return io->payload_length == FRAME_SIZE;
	case WSLAY_PING:
	case WSLAY_PONG:
		return io->payload_length <= CONTROL_PAYLOAD;
	case WSLAY_CONNECTION_CLOSE:
		/* a status has two bytes */
		return io->payload_length <= CONTROL_PAYLOAD && io->payload_length != 1;
	default:
		return false;
	}
}

/* a whole ping, pong or close is there: its bytes are kept for the answer */
static enum ws_event on_control(struct ws *w, uint8_t opcode, uint64_t now_ms,
                                struct ws_part *part)
{
	struct ws_frame *f = w->frame;

	if (opcode == WSLAY_CONNECTION_CLOSE) {
		ws_end(w);
		return WS_CLOSE;
	}
	if (!quota_take(&w->controls, WS_PINGS, WS_PINGS, now_ms))
		return broken(w);
	if (opcode == WSLAY_PONG)
		return WS_MORE;
	part->bytes = f->control;
	part->len = f->n_control;
	return WS_PING;
}

/* one step of wslay's; WS_MORE with *again: nothing to tell yet, but not for want of bytes */
static enum ws_event step(struct ws *w, uint64_t now_ms, struct ws_part *part, bool *again)
{
	struct ws_frame *f = w->frame;
	struct wslay_frame_iocb io;
	size_t before = f->in_len;
	ssize_t n;

	memset(&io, 0, sizeof io);
	n = wslay_frame_recv(f->ctx, &io);
	if (n == WSLAY_ERR_WANT_READ) {
		*again = before > f->in_len;
		return WS_MORE;
	}
	if (n < 0 || !is_allowed(&io))
		return broken(w);
	f->known = true;
	f->whole = io.payload_length;
	f->got += (size_t)n;
	*again = true;
	if (!wslay_is_ctrl_frame(io.opcode)) {
		part->bytes = io.data;
		part->len = (size_t)n;
		return WS_PAYLOAD;
	}
	if (n > 0)
		memcpy(f->control + f->n_control, io.data, (size_t)n);
	f->n_control += (size_t)n;
	return f->got == f->whole ? on_control(w, io.opcode, now_ms, part) : WS_MORE;
}

enum ws_event ws_recv(struct ws *w, const uint8_t *in, size_t in_len, uint64_t now_ms,
                      struct ws_part *part)
{
	enum ws_event event = WS_MORE;
	bool again = true;

	part->used = 0;
	part->bytes = NULL;
	part->len = 0;
	if (w->ended)
		return WS_BROKEN;
	while (event == WS_MORE && again && part->used < in_len) {
		ws_settle(w);
		if (w->frame == NULL) {
			w->frame = frame_new();
			if (w->frame == NULL) {
				w->ended = true;
				return WS_NOMEM;
			}
		}
		w->frame->in = in + part->used;
		w->frame->in_len = in_len - part->used;
		event = step(w, now_ms, part, &again);
		if (w->frame == NULL)
			part->used = in_len;
		else
			part->used = in_len - w->frame->in_len;
	}
	return event;
}

/* ---- what a server sends ----------------------------------------------------------------- */

struct sent {
	uint8_t *out;
	size_t len, max;
};

static ssize_t on_send(const uint8_t *bytes, size_t len, int flags, void *user)
{
	struct sent *s = user;

	if (len > s->max - s->len)
		return -1;
	memcpy(s->out + s->len, bytes, len);
	s->len += len;
	return (ssize_t)len;
}

/* payload: of it `data_len` bytes are written too; 0: the head alone */
static size_t write_frame(uint8_t *out, size_t max, uint8_t opcode, size_t payload,
                          const uint8_t *data, size_t data_len)
{
	const struct wslay_frame_callbacks calls = { .send_callback = on_send };
	struct wslay_frame_iocb io = {
		.fin = 1, .opcode = opcode, .payload_length = payload, .data = data,
		.data_length = data_len
	};
	struct sent s = { .out = out, .max = max };
	wslay_frame_context_ptr ctx;
	ssize_t n;

	if (wslay_frame_context_init(&ctx, &calls, &s) != 0)
		return 0;
	n = wslay_frame_send(ctx, &io);
	wslay_frame_context_free(ctx);
	return n == (ssize_t)data_len ? s.len : 0;
}

size_t ws_head(uint8_t out[WS_HEAD_MAX], size_t len)
{
	return write_frame(out, WS_HEAD_MAX, WSLAY_BINARY_FRAME, len, NULL, 0);
}

size_t ws_pong(uint8_t out[WS_CONTROL_MAX], const uint8_t *bytes, size_t len)
{
	return write_frame(out, WS_CONTROL_MAX, WSLAY_PONG, len, bytes, len);
}

size_t ws_close(uint8_t out[WS_CONTROL_MAX])
{
	static const uint8_t normal[2] = { 1000 >> 8, 1000 & 0xff };

	return write_frame(out, WS_CONTROL_MAX, WSLAY_CONNECTION_CLOSE, sizeof normal, normal,
	                   sizeof normal);
}
