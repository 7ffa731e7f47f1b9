/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "connection.h"

#include <netinet/in.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define WRITE_BUFS   128
#define PIECE_BUFS   (2 * SESSION_OUT_FRAMES)    /* of one piece, with a WebSocket's heads */
#define SILENT_READ_MAX (256u << 10)     /* bytes swallowed from an outsider */

struct conn {
	uv_tcp_t tcp;
	uv_timer_t timer;
	struct conn_set *set;
	struct session *session;         /* from the first byte on, or the request's end */
	struct browser *web;                 /* NULL: TCP */
	struct quota_source *source;
	struct conn *next, **at;         /* in set->all */
	struct conn *fresh_next, *fresh_prev;
	bool is_fresh, silent, closing, paused, shutting, eof, parting, lingering;
	unsigned open_handles, writes;
	uint8_t *rest;                   /* read, but not yet taken by the session */
	size_t rest_len, rest_at;
	size_t swallowed;
	uint64_t read_ms;                /* when the last byte for the session came */
	uint64_t stuck_ms;               /* since when the write queue has not moved */
	size_t stuck_size;
};

enum write_kind {
	WRITE_SESSION,
	WRITE_ANSWER,            /* what the WebSocket itself says: the 101, */
	WRITE_PONG,
	WRITE_CLOSE              /* the last */
};

struct write {
	uv_write_t req;
	struct conn *c;
	enum write_kind kind;
	struct session_out *pieces;
	size_t len;              /* the session's bytes in it */
};

static void pump(struct conn *c);
static void on_wake(void *user);
static void conn_on_timer(uv_timer_t *timer);
static uint64_t period(const struct conn_set *set);

/* ---- lists ------------------------------------------------------------------------------- */

static void fresh_add(struct conn *c)
{
	struct conn_set *set = c->set;

	c->is_fresh = true;
	c->fresh_prev = set->fresh_last;
	if (set->fresh_last != NULL)
		set->fresh_last->fresh_next = c;
	else
		set->fresh = c;
	set->fresh_last = c;
}

/* the first to make room */
static void fresh_add_first(struct conn *c)
{
	struct conn_set *set = c->set;

	c->is_fresh = true;
	c->fresh_next = set->fresh;
	if (set->fresh != NULL)
		set->fresh->fresh_prev = c;
	else
		set->fresh_last = c;
	set->fresh = c;
}

static void fresh_remove(struct conn *c)
{
	struct conn_set *set = c->set;

	if (!c->is_fresh)
		return;
	c->is_fresh = false;
	if (c->fresh_prev != NULL)
		c->fresh_prev->fresh_next = c->fresh_next;
	else
		set->fresh = c->fresh_next;
	if (c->fresh_next != NULL)
		c->fresh_next->fresh_prev = c->fresh_prev;
	else
		set->fresh_last = c->fresh_prev;
	c->fresh_next = c->fresh_prev = NULL;
}

static void all_add(struct conn *c)
{
	c->next = c->set->all;
	c->at = &c->set->all;
	if (c->next != NULL)
		c->next->at = &c->next;
	c->set->all = c;
}

static void all_remove(struct conn *c)
{
	*c->at = c->next;
	if (c->next != NULL)
		c->next->at = c->at;
}

/* ---- closing ----------------------------------------------------------------------------- */

static void conn_on_close(uv_handle_t *h)
{
	struct conn *c = h->data;
	struct conn_set *set = c->set;

	if (--c->open_handles > 0)
		return;
	/* the only place a connection is freed; its writes were cancelled before this */
	all_remove(c);
	session_free(c->session);
	browser_free(c->web);
	quota_source_leave(set->sources, c->source);
	free(c->rest);
	free(c);
	set->n--;
	if (set->closing && set->n == 0)
		set->emptied(set->arg);
}

static void conn_close(struct conn *c)
{
	if (c->closing)
		return;
	c->closing = true;
	fresh_remove(c);
	uv_close((uv_handle_t *)&c->tcp, conn_on_close);
	uv_close((uv_handle_t *)&c->timer, conn_on_close);
}

static void write_own(struct conn *c, enum write_kind kind, const void *bytes, size_t len);

/* the peer of a WebSocket said Close: nothing further is said, and its end is waited for */
static void conn_linger(struct conn *c)
{
	c->lingering = c->shutting = true;
	(void)uv_timer_start(&c->timer, conn_on_timer, CONN_LINGER_WEB_MS, 0);
}

/* the peer ended, and has all it was owed */
static void conn_part(struct conn *c)
{
	uint8_t end[WS_CONTROL_MAX];
	size_t len;

	if (c->parting)
		return;
	c->parting = true;
	len = c->web != NULL && browser_is_open(c->web) ? ws_close(end) : 0;
	if (len == 0) {
		conn_close(c);
		return;
	}
	write_own(c, WRITE_CLOSE, end, len);
	if (!c->closing)
		conn_linger(c);
}

/*
 * Both byes are said: wait a little for the peer's end.  It must be the first to close: who
 * does keeps the other's address in a kernel table for a minute (TIME_WAIT), and here that
 * would be a list of everybody who was there lately.  Behind a proxy on this machine it is
 * the proxy that would keep it, since it ends what amparod ends.  Nor is what the peer has
 * not read yet torn away by a reset.
 */
static void conn_end(struct conn *c)
{
	if (c->eof) {
		conn_part(c);
		return;
	}
	if (c->shutting)
		return;
	c->shutting = true;
	(void)uv_timer_start(&c->timer, conn_on_timer, CONN_LINGER_MS, 0);
}

/* ---- writing ----------------------------------------------------------------------------- */

static void write_free(struct write *w)
{
	while (w->pieces != NULL) {
		struct session_out *o = w->pieces;

		w->pieces = o->next;
		free(o);
	}
	free(w);
}

static void write_on_done(uv_write_t *req, int status)
{
	struct write *w = (struct write *)req;
	struct conn *c = w->c;

	enum write_kind kind = w->kind;

	session_written(c->session, w->len);
	write_free(w);
	c->writes--;
	if (kind == WRITE_PONG)
		browser_said(c->web);
	if (c->closing)
		return;
	if (status < 0)
		conn_close(c);
	else
		pump(c);
}

/* what the WebSocket says of itself */
static void write_own(struct conn *c, enum write_kind kind, const void *bytes, size_t len)
{
	struct session_out *o = malloc(sizeof *o + len);
	struct write *w = calloc(1, sizeof *w);
	uv_buf_t buf;

	if (w == NULL || o == NULL) {
		free(w);
		free(o);
		conn_close(c);
		return;
	}
	memcpy(o->bytes, bytes, len);
	o->next = NULL;
	o->len = o->cap = len;
	w->c = c;
	w->kind = kind;
	w->pieces = o;
	buf = uv_buf_init((char *)o->bytes, (unsigned)len);
	if (uv_write(&w->req, (uv_stream_t *)&c->tcp, &buf, 1, write_on_done) != 0) {
		write_free(w);
		conn_close(c);
		return;
	}
	c->writes++;
}

/* the session's piece o as it goes over the wire; returns how many bufs, at most PIECE_BUFS */
static unsigned add_piece(const struct conn *c, struct session_out *o, uv_buf_t *bufs)
{
	struct conn_set *set = c->set;
	unsigned n = 0;
	size_t at, len;

	if (c->web == NULL) {
		bufs[0] = uv_buf_init((char *)o->bytes, (unsigned)o->len);
		return 1;
	}
	/* one message for each frame; the handshake's is shorter and alone in its piece */
	for (at = 0; at < o->len; at += len) {
		bool whole = o->len - at >= FRAME_SIZE;

		len = whole ? FRAME_SIZE : o->len - at;
		bufs[n++] = uv_buf_init((char *)(whole ? set->head_frame : set->head_first),
		                        (unsigned)(whole ? set->head_frame_len :
		                                   set->head_first_len));
		bufs[n++] = uv_buf_init((char *)o->bytes + at, (unsigned)len);
	}
	return n;
}

/* as many pieces of list as go in one write; returns what is left */
static struct session_out *write_some(struct conn *c, struct session_out *list)
{
	struct write *w = malloc(sizeof *w);
	struct session_out **end;
	uv_buf_t bufs[WRITE_BUFS];
	unsigned n = 0;

	if (w == NULL) {
		conn_close(c);
		return list;
	}
	w->c = c;
	w->kind = WRITE_SESSION;
	w->len = 0;
	w->pieces = list;
	for (end = &w->pieces; *end != NULL && n + PIECE_BUFS <= WRITE_BUFS; end = &(*end)->next) {
		n += add_piece(c, *end, bufs + n);
		w->len += (*end)->len;
	}
	list = *end;
	*end = NULL;
	if (uv_write(&w->req, (uv_stream_t *)&c->tcp, bufs, n, write_on_done) != 0) {
		write_free(w);
		conn_close(c);
		return list;
	}
	c->writes++;
	return list;
}

static void flush(struct conn *c)
{
	struct session_out *list = session_take(c->session);

	while (list != NULL && !c->closing)
		list = write_some(c, list);
	while (list != NULL) {
		struct session_out *o = list;

		list = o->next;
		free(o);
	}
}

/* ---- reading ----------------------------------------------------------------------------- */

static void conn_on_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *buf)
{
	struct conn *c = h->data;

	/* used up before the loop reads for anybody else */
	*buf = uv_buf_init(c->set->read_buf, sizeof c->set->read_buf);
}

static void conn_on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf);

/* what the session did not take waits here and reading stops */
static void keep(struct conn *c, const uint8_t *in, size_t len)
{
	c->rest = malloc(len);
	if (c->rest == NULL) {
		conn_close(c);
		return;
	}
	memcpy(c->rest, in, len);
	c->rest_len = len;
	c->rest_at = 0;
}

static void set_reading(struct conn *c)
{
	bool want = c->lingering || (c->rest == NULL && !c->eof &&
	            (c->session == NULL || !session_is_blocked(c->session)));

	if (want == !c->paused)
		return;
	c->paused = !want;
	if (want) {
		if (uv_read_start((uv_stream_t *)&c->tcp, conn_on_alloc, conn_on_read) != 0)
			conn_close(c);
	} else {
		(void)uv_read_stop((uv_stream_t *)&c->tcp);
	}
}

/* nothing more is said to it or kept of it but its place; it stays among the fresh until its
 * time is over, and is the first to make room */
static void silence(struct conn *c)
{
	c->silent = true;
	session_free(c->session);
	c->session = NULL;
	browser_free(c->web);
	c->web = NULL;
	fresh_remove(c);
	fresh_add_first(c);
}

/* bytes for the session; returns how many it took.  0 with no session: no memory, closing */
static size_t feed_session(struct conn *c, const uint8_t *in, size_t len)
{
	if (c->session == NULL) {
		if (session_new(&c->session, c->set->sessions, on_wake, c) != PERR_OK) {
			conn_close(c);
			return 0;
		}
		session_set_source(c->session, quota_source_tag(c->source));
	}
	c->read_ms = uv_now(c->set->loop);
	return session_recv(c->session, in, len, c->read_ms);
}

/* the request of a browser is whole; its first message decides */
static void ask(struct conn *c, const uint8_t *first)
{
	char answer[UPGRADE_ANSWER_MAX];
	size_t len;

	(void)feed_session(c, first, NOISE_MSG_SIZE);
	if (c->closing)
		return;
	if (session_state(c->session) != SESSION_OPEN) {
		silence(c);
		return;
	}
	len = browser_open(c->web, answer);
	write_own(c, WRITE_ANSWER, answer, len);
}

/* one event of the WebSocket; what it hands out never is more than the session takes at once */
static void on_event(struct conn *c, enum browser_event event, const struct ws_part *part)
{
	switch (event) {
	case BROWSER_MORE:
		break;
	case BROWSER_BYTES:
		(void)feed_session(c, part->bytes, part->len);
		break;
	case BROWSER_FIRST:
		ask(c, part->bytes);
		break;
	case BROWSER_PLAIN:
		if (part->len > 0)
			(void)feed_session(c, part->bytes, part->len);
		browser_free(c->web);
		c->web = NULL;
		break;
	case BROWSER_SAY:
		write_own(c, WRITE_PONG, part->bytes, part->len);
		break;
	case BROWSER_END:
		c->eof = true;
		break;
	case BROWSER_OUTSIDER:
		silence(c);
		break;
	case BROWSER_BROKEN:
		conn_close(c);
		break;
	}
}

/* bytes of the peer; returns how many were taken: all, unless the session is blocked */
static size_t feed(struct conn *c, const uint8_t *in, size_t len)
{
	struct ws_part part;
	size_t at = 0;

	while (c->web != NULL && at < len && !c->closing && !c->eof &&
	       (c->session == NULL || !session_is_blocked(c->session))) {
		enum browser_event event = browser_recv(c->web, in + at, len - at, uv_now(c->set->loop),
		                                &part);

		at += part.used;
		on_event(c, event, &part);
	}
	if (c->closing || c->eof || c->silent)
		return len;
	if (c->web == NULL)
		return at + feed_session(c, in + at, len - at);
	browser_settle(c->web);
	return at;
}

static void take_rest(struct conn *c)
{
	if (c->rest == NULL)
		return;
	c->rest_at += feed(c, c->rest + c->rest_at, c->rest_len - c->rest_at);
	if (c->rest_at < c->rest_len)
		return;
	free(c->rest);
	c->rest = NULL;
}

/* from the handshake's deadline to regular looks at what it does */
static void admitted(struct conn *c)
{
	if (!c->is_fresh)
		return;
	fresh_remove(c);
	(void)uv_timer_start(&c->timer, conn_on_timer, period(c->set), period(c->set));
}

/* a Close without a bye: what was not answered yet never is */
static void conn_cut(struct conn *c)
{
	if (c->web == NULL) {
		conn_close(c);
		return;
	}
	conn_linger(c);
	set_reading(c);
}

/* everything that may have become possible */
static void pump(struct conn *c)
{
	if (c->closing || c->lingering || c->session == NULL)
		return;
	take_rest(c);
	if (c->closing || c->session == NULL)
		return;
	flush(c);
	if (c->closing)
		return;
	switch (session_state(c->session)) {
	case SESSION_AWAIT_FIRST:
		break;
	case SESSION_SILENT:
		silence(c);
		break;
	case SESSION_OPEN:
		admitted(c);
		if (c->eof) {
			conn_cut(c);
			return;
		}
		break;
	case SESSION_LEAVING:
		admitted(c);
		break;
	case SESSION_DONE:
		admitted(c);
		if (c->writes == 0)
			conn_end(c);
		break;
	case SESSION_DEAD:
		conn_close(c);
		return;
	}
	if (!c->closing)
		set_reading(c);
}

static void on_wake(void *user)
{
	pump(user);
}

static void swallow(struct conn *c, size_t n)
{
	/* the rest of a request may be in it */
	sodium_memzero(c->set->read_buf, n);
	c->swallowed += n;
	if (c->swallowed > SILENT_READ_MAX) {
		c->paused = true;
		(void)uv_read_stop((uv_stream_t *)&c->tcp);
	}
}

/* who said bye and closed its direction may still be owed answers; anybody else is gone */
static void on_end(struct conn *c, bool in_order)
{
	enum session_state st = c->session == NULL ? SESSION_DEAD : session_state(c->session);

	c->eof = true;
	/* all is said on both sides; or it is gone */
	if (!in_order || c->shutting || (st != SESSION_LEAVING && st != SESSION_DONE)) {
		conn_close(c);
		return;
	}
	c->paused = true;
	(void)uv_read_stop((uv_stream_t *)&c->tcp);
	pump(c);
}

static void conn_on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct conn *c = stream->data;
	const uint8_t *in = (const uint8_t *)buf->base;
	size_t used;
	bool stranger = c->is_fresh;

	if (c->closing || n == 0)
		return;
	if (n < 0) {
		on_end(c, n == UV_EOF);
		return;
	}
	if (c->silent || c->lingering) {
		swallow(c, (size_t)n);
		return;
	}
	if (c->session == NULL && c->web == NULL && c->set->origins != NULL &&
	    browser_may_begin(in[0]) && browser_new(&c->web, c->set->origins) != PERR_OK) {
		conn_close(c);
		return;
	}
	used = feed(c, in, (size_t)n);
	if (!c->closing && used < (size_t)n)
		keep(c, in + used, (size_t)n - used);
	/* a proxy may have written there for whom it asks, in a request or before it */
	if (stranger)
		sodium_memzero(c->set->read_buf, (size_t)n);
	pump(c);
}

/* ---- time -------------------------------------------------------------------------------- */

static bool is_stuck(struct conn *c, uint64_t now)
{
	size_t size = uv_stream_get_write_queue_size((uv_stream_t *)&c->tcp);

	if (size == 0 || size != c->stuck_size) {
		c->stuck_size = size;
		c->stuck_ms = now;
		return false;
	}
	return now - c->stuck_ms >= c->set->stall_ms;
}

static void conn_on_timer(uv_timer_t *timer)
{
	struct conn *c = timer->data;
	uint64_t now = uv_now(c->set->loop);

	if (c->closing)
		return;
	/* not authenticated in time; or said goodbye, and the peer does not end */
	if (c->is_fresh || c->shutting || c->session == NULL) {
		conn_close(c);
		return;
	}
	if (is_stuck(c, now)) {
		conn_close(c);
		return;
	}
	/* an upload begun and left lying holds memory that others need */
	if (session_holds(c->session) > 0 && now - c->read_ms >= c->set->stall_ms) {
		conn_close(c);
		return;
	}
	if (session_is_idle(c->session) && now - c->read_ms >= c->set->idle_ms) {
		session_leave(c->session);
		pump(c);
	}
}

static uint64_t period(const struct conn_set *set)
{
	uint64_t ms = set->stall_ms < set->idle_ms ? set->stall_ms : set->idle_ms;

	return ms / 2 < 250 ? 250 : ms / 2 > 10000 ? 10000 : ms / 2;
}

/* ---- accept ------------------------------------------------------------------------------ */

static bool source_enter(struct conn *c)
{
	struct conn_set *set = c->set;
	struct sockaddr_storage ss;
	int len = sizeof ss;
	const uint8_t *addr;
	size_t addr_len;

	if (set->sources == NULL)
		return true;
	if (uv_tcp_getpeername(&c->tcp, (struct sockaddr *)&ss, &len) != 0)
		return false;            /* gone already */
	if (ss.ss_family == AF_INET6) {
		const struct in6_addr *in6 = &((struct sockaddr_in6 *)&ss)->sin6_addr;
		bool mapped = IN6_IS_ADDR_V4MAPPED(in6);

		/* IPv4 on a socket for both: its first 8 bytes would be the same for all */
		addr = mapped ? in6->s6_addr + 12 : in6->s6_addr;
		addr_len = mapped ? 4 : 16;
	} else {
		addr = (uint8_t *)&((struct sockaddr_in *)&ss)->sin_addr;
		addr_len = 4;
	}
	return quota_source_enter(set->sources, &c->source, addr, addr_len,
	                           set->source_limit(set->arg), set->per_minute,
	                           uv_now(set->loop));
}

bool conn_set_start(struct conn_set *set)
{
	if (set->origins == NULL)
		return true;
	set->head_first_len = ws_head(set->head_first, NOISE_MSG_SIZE);
	set->head_frame_len = ws_head(set->head_frame, FRAME_SIZE);
	return set->head_first_len > 0 && set->head_frame_len > 0;
}

bool conn_take(struct conn_set *set, uv_stream_t *server)
{
	struct conn *c = calloc(1, sizeof *c);

	if (c == NULL)
		return false;
	c->set = set;
	c->read_ms = uv_now(set->loop);
	(void)uv_tcp_init(set->loop, &c->tcp);
	(void)uv_timer_init(set->loop, &c->timer);
	c->tcp.data = c;
	c->timer.data = c;
	c->open_handles = 2;
	set->n++;
	all_add(c);
	if (uv_accept(server, (uv_stream_t *)&c->tcp) != 0) {
		conn_close(c);           /* nothing was there */
		return true;
	}
	if (set->closing || !source_enter(c)) {
		set->n_turned_away++;
		conn_close(c);
		return true;
	}
	if (set->n > set->max) {
		set->n_turned_away++;
		if (set->fresh == NULL) {
			conn_close(c);
			return true;
		}
		conn_close(set->fresh);
	}
	fresh_add(c);
	(void)uv_tcp_nodelay(&c->tcp, 1);
	/* the deadline counts from accept and no byte moves it */
	(void)uv_timer_start(&c->timer, conn_on_timer, set->handshake_ms, 0);
	if (uv_read_start((uv_stream_t *)&c->tcp, conn_on_alloc, conn_on_read) != 0)
		conn_close(c);
	return true;
}

void conn_leave_all(struct conn_set *set)
{
	struct conn *c, *next;

	set->closing = true;
	for (c = set->all; c != NULL; c = next) {
		next = c->next;
		if (c->is_fresh || c->session == NULL) {
			conn_close(c);
			continue;
		}
		session_leave(c->session);
		pump(c);
	}
	if (set->n == 0)
		set->emptied(set->arg);
}

void conn_close_all(struct conn_set *set)
{
	struct conn *c;

	set->closing = true;
	for (c = set->all; c != NULL; c = c->next)
		conn_close(c);
	if (set->n == 0)
		set->emptied(set->arg);
}
