/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "link.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "address.h"

#define READ_SIZE (256 * 1024)
#define TICKS     4              /* a time limit is so many ticks of the timer */
#define WATCH_MS  250

struct link {
	struct link *next;
	struct link_loop *loop;
	struct peer *peer;
	link_end_fn *end;
	void *ud;
	uv_tcp_t tcp;
	uv_timer_t timer;
	uv_getaddrinfo_t resolve;
	uv_connect_t connect;
	uv_write_t write;
	size_t write_len;
	struct addrinfo *found;          /* to be freed */
	const struct addrinfo *next_try;
	unsigned open_handles;
	unsigned ticks;                  /* since the last byte */
	bool tcp_open, is_connected, is_writing, is_resolving, closing;
	enum link_why why;
};

struct link_loop {
	uv_loop_t uv;
	uv_prepare_t prepare;
	uv_timer_t watch;                /* looks at *stop */
	const volatile int *stop;
	unsigned connect_ms, handshake_ms, idle_ms;
	struct link *links;
	uint8_t buf[READ_SIZE];          /* one callback reads at a time */
};

const char *link_text(enum link_why why)
{
	switch (why) {
	case LINK_OK:       return "";
	case LINK_ADDRESS:  return "the server's address is not of the form host:port";
	case LINK_RESOLVE:  return "the server's name was not found; perhaps there is no network";
	case LINK_CONNECT:  return "nobody answers at the server's address";
	case LINK_SLOW:     return "the server did not answer in time: the network is slow";
	case LINK_SILENT:   return "the server says nothing to this device: it does not know its key, "
	                           "or it is another server";
	case LINK_IDLE:     return "the server stopped answering in the middle";
	case LINK_CUT:      return "the connection broke in the middle";
	case LINK_PROTOCOL: return "the server sent something that is not of the protocol";
	case LINK_LOCAL:    return "this device is out of memory or may not open a connection";
	}
	return "";
}

/* ---- the end of a link ---------------------------------------------------------------------- */

static enum link_why why_of(const struct peer *p)
{
	enum perr err = peer_error(p);

	if (err == PERR_OK)
		return LINK_OK;
	/* "A first message that fits none gets no byte in answer" (PROTOCOL 5.1) */
	if (err == PERR_AUTH && peer_bytes_in(p) == 0)
		return LINK_SILENT;
	if (err == PERR_TRUNCATED || err == PERR_NET)
		return LINK_CUT;
	if (err == PERR_TIMEOUT)
		return LINK_IDLE;
	if (err == PERR_NOMEM || err == PERR_STATE)
		return LINK_LOCAL;
	return LINK_PROTOCOL;
}

static void link_finish(struct link *l)
{
	struct link_end end = {
		.bytes_in = peer_bytes_in(l->peer), .bytes_out = peer_bytes_out(l->peer)
	};
	struct link **at = &l->loop->links;

	while (*at != l)
		at = &(*at)->next;
	*at = l->next;
	if (l->found != NULL)
		uv_freeaddrinfo(l->found);
	end.why = l->why != LINK_OK ? l->why : why_of(l->peer);
	end.err = peer_error(l->peer);
	snprintf(end.text, sizeof end.text, "%s", link_text(end.why));
	l->end(l->ud, &end);
	free(l);
}

static void link_on_close(uv_handle_t *h)
{
	struct link *l = h->data;

	l->open_handles--;
	if (l->open_handles == 0 && !l->is_resolving)
		link_finish(l);
}

/* may be called twice.  why: LINK_OK lets the peer say it; err: given to the peer */
static void link_close(struct link *l, enum link_why why, enum perr err)
{
	if (l->closing)
		return;
	l->closing = true;
	l->why = why;
	if (err != PERR_OK)
		peer_abort(l->peer, err);
	if (l->is_resolving)
		uv_cancel((uv_req_t *)&l->resolve);
	if (l->tcp_open)
		uv_close((uv_handle_t *)&l->tcp, link_on_close);
	uv_close((uv_handle_t *)&l->timer, link_on_close);
}

/* ---- bytes ---------------------------------------------------------------------------------- */

static void link_on_write(uv_write_t *req, int status)
{
	struct link *l = req->data;

	l->is_writing = false;
	if (l->closing)
		return;
	if (status < 0) {
		peer_eof(l->peer);
		link_close(l, LINK_OK, PERR_OK);
		return;
	}
	l->ticks = 0;
	peer_sent(l->peer, l->write_len);
}

/* before the loop sleeps: whatever any callback queued goes out */
static void link_flush(struct link *l)
{
	const uint8_t *out;
	uv_buf_t buf;

	if (!l->is_connected || l->is_writing || l->closing)
		return;
	l->write_len = peer_pending(l->peer, &out);
	if (l->write_len == 0) {
		if (peer_done(l->peer))
			link_close(l, LINK_OK, PERR_OK);
		return;
	}
	buf = uv_buf_init((char *)(uintptr_t)out, (unsigned)l->write_len);
	l->write.data = l;
	if (uv_write(&l->write, (uv_stream_t *)&l->tcp, &buf, 1, link_on_write) != 0) {
		link_close(l, LINK_LOCAL, PERR_NET);
		return;
	}
	l->is_writing = true;
}

static void link_on_alloc(uv_handle_t *h, size_t size, uv_buf_t *buf)
{
	struct link *l = h->data;

	(void)size;
	*buf = uv_buf_init((char *)l->loop->buf, READ_SIZE);
}

static void link_on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *buf)
{
	struct link *l = s->data;

	if (l->closing || n == 0)
		return;
	if (n < 0) {
		peer_eof(l->peer);
		link_close(l, LINK_OK, PERR_OK);
		return;
	}
	l->ticks = 0;
	if (peer_recv(l->peer, (const uint8_t *)buf->base, (size_t)n) != PERR_OK)
		link_close(l, LINK_OK, PERR_OK);
}

/*
 * A limit counts ticks, each of which needs a turn of the loop: so the seconds that some
 * callback spent computing, on this link or another, are not held against the server.
 */
static void link_on_tick(uv_timer_t *t)
{
	struct link *l = t->data;
	bool opening = peer_state(l->peer) == PEER_HANDSHAKE;

	if (l->closing)
		return;
	l->ticks++;
	if (!opening && uv_timer_get_repeat(t) != l->loop->idle_ms / TICKS) {
		uv_timer_set_repeat(t, l->loop->idle_ms / TICKS);
		l->ticks = 0;
	}
	if (l->ticks >= TICKS)
		link_close(l, !opening ? LINK_IDLE : l->is_connected ? LINK_SILENT : LINK_SLOW,
		           opening && l->is_connected ? PERR_AUTH : PERR_TIMEOUT);
}

/* ---- connecting ----------------------------------------------------------------------------- */

static void link_try(struct link *l);

/* the address that did not answer is closed; its memory is used again for the next */
static void link_on_retry(uv_handle_t *h)
{
	struct link *l = h->data;

	l->open_handles--;
	if (!l->closing)
		link_try(l);
	else if (l->open_handles == 0 && !l->is_resolving)
		link_finish(l);
}

static void link_on_connect(uv_connect_t *req, int status)
{
	struct link *l = req->data;

	if (l->closing)
		return;
	if (status < 0) {
		l->tcp_open = false;
		uv_close((uv_handle_t *)&l->tcp, link_on_retry);
		return;
	}
	l->is_connected = true;
	l->ticks = 0;
	uv_timer_set_repeat(&l->timer, l->loop->handshake_ms / TICKS);
	uv_timer_again(&l->timer);
	uv_tcp_nodelay(&l->tcp, 1);
	if (uv_read_start((uv_stream_t *)&l->tcp, link_on_alloc, link_on_read) != 0)
		link_close(l, LINK_LOCAL, PERR_NET);
}

static void link_try(struct link *l)
{
	const struct addrinfo *a = l->next_try;

	if (a == NULL) {
		link_close(l, LINK_CONNECT, PERR_NET);
		return;
	}
	l->next_try = a->ai_next;
	if (uv_tcp_init(&l->loop->uv, &l->tcp) != 0) {
		link_close(l, LINK_LOCAL, PERR_NET);
		return;
	}
	l->tcp.data = l;
	l->tcp_open = true;
	l->open_handles++;
	l->connect.data = l;
	if (uv_tcp_connect(&l->connect, &l->tcp, a->ai_addr, link_on_connect) != 0) {
		l->tcp_open = false;
		uv_close((uv_handle_t *)&l->tcp, link_on_retry);
	}
}

static void link_on_resolve(uv_getaddrinfo_t *req, int status, struct addrinfo *res)
{
	struct link *l = req->data;

	l->is_resolving = false;
	l->found = res;
	if (l->closing) {
		if (l->open_handles == 0)
			link_finish(l);
		return;
	}
	if (status < 0 || res == NULL) {
		link_close(l, LINK_RESOLVE, PERR_NET);
		return;
	}
	l->next_try = res;
	link_try(l);
}

enum perr link_open(struct link_loop *loop, const char *address, struct peer *peer,
                    link_end_fn *end, void *ud)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	char host[ADDRESS_TEXT_MAX + 1], service[8];
	uint16_t port;
	struct link *l = calloc(1, sizeof *l);

	if (l == NULL)
		return PERR_NOMEM;
	l->loop = loop;
	l->peer = peer;
	l->end = end;
	l->ud = ud;
	l->next = loop->links;
	loop->links = l;
	uv_timer_init(&loop->uv, &l->timer);
	l->timer.data = l;
	l->open_handles = 1;
	uv_update_time(&loop->uv);
	uv_timer_start(&l->timer, link_on_tick, loop->connect_ms / TICKS,
	               loop->connect_ms / TICKS);
	if (address_split(host, &port, address) != PERR_OK) {
		link_close(l, LINK_ADDRESS, PERR_NET);
		return PERR_OK;
	}
	snprintf(service, sizeof service, "%u", port);
	l->resolve.data = l;
	if (uv_getaddrinfo(&loop->uv, &l->resolve, link_on_resolve, host, service, &hints) != 0)
		link_close(l, LINK_RESOLVE, PERR_NET);
	else
		l->is_resolving = true;
	return PERR_OK;
}

/* ---- the loop ------------------------------------------------------------------------------- */

static void link_on_prepare(uv_prepare_t *h)
{
	struct link_loop *loop = h->data;
	struct link *l, *next;

	for (l = loop->links; l != NULL; l = next) {
		next = l->next;
		link_flush(l);
	}
}

static void link_on_watch(uv_timer_t *t)
{
	struct link_loop *loop = t->data;
	struct link *l, *next;

	if (*loop->stop == 0)
		return;
	for (l = loop->links; l != NULL; l = next) {
		next = l->next;
		link_close(l, LINK_LOCAL, PERR_STATE);
	}
}

enum perr link_loop_new(struct link_loop **out)
{
	struct link_loop *loop = calloc(1, sizeof *loop);

	*out = NULL;
	if (loop == NULL)
		return PERR_NOMEM;
	if (uv_loop_init(&loop->uv) != 0) {
		free(loop);
		return PERR_NOMEM;
	}
	/* a server that goes away must show as an error of the write, not end the program */
	signal(SIGPIPE, SIG_IGN);
	loop->connect_ms = LINK_CONNECT_MS;
	loop->handshake_ms = LINK_HANDSHAKE_MS;
	loop->idle_ms = LINK_IDLE_MS;
	uv_prepare_init(&loop->uv, &loop->prepare);
	loop->prepare.data = loop;
	uv_prepare_start(&loop->prepare, link_on_prepare);
	uv_unref((uv_handle_t *)&loop->prepare);
	uv_timer_init(&loop->uv, &loop->watch);
	loop->watch.data = loop;
	uv_unref((uv_handle_t *)&loop->watch);
	*out = loop;
	return PERR_OK;
}

void link_loop_free(struct link_loop *loop)
{
	if (loop == NULL)
		return;
	uv_close((uv_handle_t *)&loop->prepare, NULL);
	uv_close((uv_handle_t *)&loop->watch, NULL);
	uv_run(&loop->uv, UV_RUN_DEFAULT);
	uv_loop_close(&loop->uv);
	free(loop);
}

void link_run(struct link_loop *loop)
{
	uv_run(&loop->uv, UV_RUN_DEFAULT);
}

void link_run_until(struct link_loop *loop, const volatile int *stop)
{
	loop->stop = stop;
	uv_timer_start(&loop->watch, link_on_watch, WATCH_MS, WATCH_MS);
	uv_run(&loop->uv, UV_RUN_DEFAULT);
	uv_timer_stop(&loop->watch);
}

void link_set_limits(struct link_loop *loop, unsigned connect_ms, unsigned idle_ms)
{
	if (connect_ms != 0)
		loop->connect_ms = loop->handshake_ms = connect_ms;
	if (idle_ms != 0)
		loop->idle_ms = idle_ms;
}

/* ---- for sync.h ----------------------------------------------------------------------------- */

struct one {
	char *why;
	size_t why_size;
	enum perr err;
};

static void one_on_end(void *ud, const struct link_end *end)
{
	struct one *o = ud;

	snprintf(o->why, o->why_size, "%s", end->text);
	o->err = end->err;
}

static enum perr net_run(void *ctx, const char *address, struct peer *p, char *why,
                         size_t why_size)
{
	struct one o = { .why = why, .why_size = why_size };
	enum perr err = link_open(ctx, address, p, one_on_end, &o);

	if (err != PERR_OK)
		return err;
	link_run(ctx);
	return o.err;
}

struct sync_net link_net(struct link_loop *loop)
{
	return (struct sync_net){ .run = net_run, .ctx = loop };
}
