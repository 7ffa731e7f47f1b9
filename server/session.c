/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "session.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "quota.h"

struct session {
	struct session_host *host;
	void (*wake)(void *user);
	void *user;
	enum session_state state;
	enum rpc_scope scope;
	uint32_t serial;
	bool receiving;          /* inside session_recv: no wake */

	struct session_batch *batch;             /* puts since the last commit */
	struct session_call *calls;              /* under way, but for commits */
	struct session_call *commits, **commits_end; /* under way, in order */
	unsigned n_calls, n_commits;
	size_t reserved;                         /* output that calls will make */

	struct session_out *out, *out_last;
	size_t out_bytes;                        /* made and not yet sent */
	struct quota_bucket puts;
	uint64_t source, used;
	void *data;                              /* the host's */
	struct channel_keys *slot;               /* of the host's slab; NULL: none is used */
	struct channel ch;
};

enum perr session_new(struct session **out, struct session_host *host, void (*wake)(void *user),
                      void *user)
{
	struct session *s = calloc(1, sizeof *s);

	*out = NULL;
	if (s == NULL)
		return PERR_NOMEM;
	s->host = host;
	s->wake = wake;
	s->user = user;
	s->commits_end = &s->commits;
	if (host->slab != NULL) {
		s->slot = slab_take(host->slab);
		if (s->slot == NULL) {
			free(s);
			return PERR_NOMEM;
		}
	}
	channel_listen_in(&s->ch, s->slot);
	*out = s;
	return PERR_OK;
}

void session_set_source(struct session *s, uint64_t source)
{
	s->source = source;
}

/* ---- batches ----------------------------------------------------------------------------- */

static void batch_free(const struct session_host *host, struct session_batch *b)
{
	size_t i;

	if (b == NULL)
		return;
	for (i = 0; i < b->n_cells; i++)
		host->cell_give(host->ctx, (uint8_t *)b->cells[i].cell);
	if (b->erases != NULL)
		sodium_memzero(b->erases, b->n_erases * sizeof *b->erases);
	free(b->erases);
	free(b);
}

static bool batch_need(struct session *s)
{
	if (s->batch != NULL)
		return true;
	s->batch = malloc(sizeof *s->batch);
	if (s->batch == NULL)
		return false;
	s->batch->n_how = 0;
	s->batch->n_puts = 0;
	s->batch->n_cells = 0;
	s->batch->n_erases = 0;
	s->batch->erases = NULL;
	return true;
}

/* ---- output ------------------------------------------------------------------------------ */

/* room for `bytes` more; frames: how many are likely to follow */
static uint8_t *out_room(struct session *s, size_t bytes, size_t frames)
{
	struct session_out *o = s->out_last;
	size_t n = frames > SESSION_OUT_FRAMES ? SESSION_OUT_FRAMES : frames;
	size_t cap = n * FRAME_SIZE;

	if (o == NULL || o->cap - o->len < bytes) {
		if (cap < bytes)
			cap = bytes;
		o = malloc(sizeof *o + cap);
		if (o == NULL)
			return NULL;
		o->next = NULL;
		o->len = 0;
		o->cap = cap;
		if (s->out_last != NULL)
			s->out_last->next = o;
		else
			s->out = o;
		s->out_last = o;
	}
	o->len += bytes;
	s->out_bytes += bytes;
	s->host->out_now += bytes;
	return o->bytes + o->len - bytes;
}

static void out_drop(struct session *s)
{
	while (s->out != NULL) {
		struct session_out *o = s->out;

		s->out = o->next;
		free(o);
	}
	s->out_last = NULL;
	s->host->out_now -= s->out_bytes;
	s->out_bytes = 0;
}

struct session_out *session_take(struct session *s)
{
	struct session_out *o = s->out;

	s->out = NULL;
	s->out_last = NULL;
	return o;
}

void session_written(struct session *s, size_t n)
{
	if (n > s->out_bytes)
		n = s->out_bytes;        /* after out_drop */
	s->out_bytes -= n;
	s->host->out_now -= n;
}

/* ---- states ------------------------------------------------------------------------------ */

static void detach(struct session_call *c)
{
	for (; c != NULL; c = c->next)
		c->session = NULL;
}

/* kept for the host too: what all sessions will say counts before it is said */
static void reserve(struct session *s, size_t bytes)
{
	s->reserved += bytes;
	s->host->out_reserved += bytes;
}

static void unreserve(struct session *s, size_t bytes)
{
	s->reserved -= bytes;
	s->host->out_reserved -= bytes;
}

/* nobody is left to answer to */
static void forget_calls(struct session *s)
{
	detach(s->calls);
	detach(s->commits);
	s->calls = NULL;
	s->commits = NULL;
	s->commits_end = &s->commits;
	s->n_calls = 0;
	s->n_commits = 0;
	unreserve(s, s->reserved);
	batch_free(s->host, s->batch);
	s->batch = NULL;
}

static void die(struct session *s)
{
	forget_calls(s);
	out_drop(s);
	channel_kill(&s->ch);
	s->state = SESSION_DEAD;
}

/* encode straight into the frame: channel_send finds the message in its place */
static bool say(struct session *s, const struct rpc_msg *m, size_t frames)
{
	uint8_t *frame = out_room(s, FRAME_SIZE, frames);
	size_t len;

	if (frame == NULL || rpc_encode(frame + 2, &len, m) != PERR_OK ||
	    channel_send(&s->ch, frame, frame + 2, len) != PERR_OK) {
		die(s);
		return false;
	}
	return true;
}

static void say_bye(struct session *s)
{
	const struct rpc_msg bye = { .type = RPC_NOTIFY, .method = RPC_BYE };

	if (say(s, &bye, 1))
		s->state = SESSION_DONE;
}

/* PROTOCOL 5.2: "Each side ends with a `bye`"; after what was asked before is answered */
static void leave_if_ready(struct session *s)
{
	if (s->state == SESSION_LEAVING && s->n_calls == 0 && s->n_commits == 0)
		say_bye(s);
}

void session_leave(struct session *s)
{
	if (s->state != SESSION_OPEN)
		return;
	s->state = SESSION_LEAVING;
	batch_free(s->host, s->batch);   /* without its commit it was never promised */
	s->batch = NULL;
	leave_if_ready(s);
}

/* PROTOCOL 6: "A message that is not in the table below ends the connection." */
static void violation(struct session *s)
{
	forget_calls(s);
	say_bye(s);
}

void session_free(struct session *s)
{
	if (s == NULL)
		return;
	forget_calls(s);
	out_drop(s);
	s->host->closed(s->host->ctx, s->data);
	channel_kill(&s->ch);
	if (s->slot != NULL)
		slab_give(s->host->slab, s->slot);
	free(s);
}

enum session_state session_state(const struct session *s)
{
	return s->state;
}

size_t session_holds(const struct session *s)
{
	return s->batch == NULL ? 0 : s->batch->n_how;
}

bool session_is_idle(const struct session *s)
{
	return s->n_calls == 0 && s->n_commits == 0 && s->out_bytes == 0;
}

bool session_is_blocked(const struct session *s)
{
	if (s->state != SESSION_OPEN)
		return false;            /* whatever comes is swallowed */
	return s->n_calls + s->n_commits >= RPC_INFLIGHT_MAX ||
	       s->n_commits >= SESSION_COMMITS ||
	       s->out_bytes + s->reserved > SESSION_OUT_HIGH;
}

static void wake(struct session *s)
{
	if (!s->receiving)
		s->wake(s->user);
}

/* ---- calls ------------------------------------------------------------------------------- */

static struct session_call *call_new(struct session *s, const struct rpc_msg *m, size_t frames)
{
	struct session_call *c = calloc(1, sizeof *c);

	if (c == NULL) {
		die(s);
		return NULL;
	}
	c->session = s;
	c->host = s->host;
	c->method = m->method;
	c->scope = s->scope;
	c->msgid = m->msgid;
	c->reserved = frames * FRAME_SIZE;
	reserve(s, c->reserved);
	return c;
}

static void call_free(struct session_call *c)
{
	batch_free(c->host, c->batch);
	free(c);
}

/* take it off its session, if that still lives */
static struct session *call_end(struct session_call *c)
{
	struct session *s = c->session;
	struct session_call **at;

	if (s == NULL)
		return NULL;
	for (at = &s->calls; *at != c; at = &(*at)->next)
		assert(*at != NULL);
	*at = c->next;
	s->n_calls--;
	unreserve(s, c->reserved);
	return s;
}

static void reply(struct session *s, const struct session_call *c, struct rpc_msg *m)
{
	m->type = RPC_RESPONSE;
	m->method = c->method;
	m->msgid = c->msgid;
	if (say(s, m, 1))
		leave_if_ready(s);
}

void session_answer(struct session_call *c, struct rpc_msg *m)
{
	struct session *s = call_end(c);

	if (s != NULL) {
		reply(s, c, m);
		wake(s);
	}
	call_free(c);
}

void session_fail(struct session_call *c, enum rpc_error error)
{
	struct rpc_msg m;

	memset(&m, 0, offsetof(struct rpc_msg, segments));
	m.error = error;
	session_answer(c, &m);
}

void session_cell(struct session_call *c, const uint8_t *cell)
{
	struct rpc_msg m;
	struct session *s = c->session;

	if (s == NULL)
		return;
	memset(&m, 0, offsetof(struct rpc_msg, segments));
	m.type = RPC_NOTIFY;
	m.method = RPC_CELL;
	m.msgid = c->msgid;
	m.cell = cell;
	/* what was reserved is now real */
	c->reserved -= FRAME_SIZE;
	unreserve(s, FRAME_SIZE);
	(void)say(s, &m, 1 + c->reserved / FRAME_SIZE);
}

void session_drop(struct session_call *c)
{
	struct session *s = c->session;

	if (s != NULL) {
		forget_calls(s);         /* also of its neighbours: the server stops */
		die(s);
		wake(s);
	}
	call_free(c);
}

/* ---- commits ----------------------------------------------------------------------------- */

static uint8_t status_of(enum store_status st, bool erase)
{
	switch (st) {
	case STORE_STORED:   return erase ? RPC_ACCEPTED : RPC_STORED;
	case STORE_THERE:    return RPC_ALREADY;
	case STORE_REFUSED:  return erase ? RPC_NOT_KNOWN : RPC_ERASED;
	case STORE_FULL:     return erase ? RPC_OVER_LIMIT : RPC_DISK_FULL;
	case STORE_NOTFOUND: return RPC_NOT_KNOWN;
	}
	return RPC_NOT_KNOWN;
}

/* PROTOCOL 6: "one byte for each put and each erase since the last commit of this
 * connection, in order" */
static void report(struct session *s, struct session_call *c)
{
	struct session_batch *b = c->batch;
	size_t i, cell = 0, erase = 0;
	struct rpc_msg m;

	memset(&m, 0, offsetof(struct rpc_msg, segments));
	m.error = c->error;
	for (i = 0; i < b->n_how; i++) {
		if (b->how[i] == SESSION_HOW_CELL)
			b->how[i] = status_of(b->cells[cell++].status, false);
		else if (b->how[i] == SESSION_HOW_ERASE)
			b->how[i] = status_of(b->erases[erase++].status, true);
	}
	if (c->error == RPC_OK) {
		m.bytes = b->how;
		m.bytes_len = b->n_how;
	}
	reply(s, c, &m);
}

void session_committed(struct session_call *c, enum rpc_error error)
{
	struct session *s = c->session;

	c->committed = true;
	c->error = error;
	if (s == NULL) {
		call_free(c);
		return;
	}
	while (s->commits != NULL && s->commits->committed) {
		struct session_call *first = s->commits;

		s->commits = first->next;
		if (s->commits == NULL)
			s->commits_end = &s->commits;
		s->n_commits--;
		unreserve(s, first->reserved);
		report(s, first);
		call_free(first);
	}
	wake(s);
}

/* ---- requests ---------------------------------------------------------------------------- */

static void decided(struct session *s, uint8_t status)
{
	s->batch->how[s->batch->n_how++] = status;
}

static void on_put(struct session *s, const uint8_t *cell, uint64_t now_ms)
{
	struct session_host *h = s->host;
	struct store_cell *slot;
	uint8_t *room;

	if (!batch_need(s)) {
		die(s);
		return;
	}
	/* PROTOCOL 6: "`put` beyond *puts per commit* ends the connection." */
	if (s->batch->n_puts >= h->puts_per_commit || s->batch->n_how >= RPC_STATUSES_MAX) {
		violation(s);
		return;
	}
	s->batch->n_puts++;
	if (cell_check(cell) != PERR_OK) {
		decided(s, RPC_NOT_A_CELL);
		return;
	}
	if (!quota_take(&s->puts, h->puts_per_minute, h->puts_per_minute, now_ms)) {
		h->n_refused++;
		decided(s, RPC_OVER_LIMIT);
		return;
	}
	room = h->cell_take(h->ctx, s->batch->n_cells);
	if (room == NULL) {
		h->n_refused++;
		decided(s, RPC_OVER_LIMIT);
		return;
	}
	memcpy(room, cell, STORE_CELL);
	slot = &s->batch->cells[s->batch->n_cells++];
	slot->cell = room;
	slot->status = STORE_FULL;
	cell_id(slot->id, room);
	decided(s, SESSION_HOW_CELL);
}

static void on_erase(struct session *s, const uint8_t *list, size_t len, uint64_t now_ms)
{
	const struct session_host *h = s->host;
	size_t i, n = len / (STORE_ID + STORE_DS);
	struct writer_erase *grown;

	if (!batch_need(s)) {
		die(s);
		return;
	}
	/* the answer to a commit has room for 4,096 statuses */
	if (s->batch->n_how + n > RPC_STATUSES_MAX) {
		violation(s);
		return;
	}
	/* as copies are made by hand, no erase secret stays in freed memory */
	grown = malloc((s->batch->n_erases + n) * sizeof *grown);
	if (grown == NULL) {
		die(s);
		return;
	}
	if (s->batch->n_erases > 0) {
		memcpy(grown, s->batch->erases, s->batch->n_erases * sizeof *grown);
		sodium_memzero(s->batch->erases, s->batch->n_erases * sizeof *grown);
	}
	free(s->batch->erases);
	s->batch->erases = grown;
	for (i = 0; i < n; i++, list += STORE_ID + STORE_DS) {
		struct writer_erase *e;

		/* each costs the writer a look at the cell: no dearer and no cheaper than a put */
		if (!quota_take(&s->puts, h->puts_per_minute, h->puts_per_minute, now_ms)) {
			s->host->n_refused++;
			decided(s, RPC_OVER_LIMIT);
			continue;
		}
		e = &s->batch->erases[s->batch->n_erases++];
		memcpy(e->id, list, STORE_ID);
		memcpy(e->ds, list + STORE_ID, STORE_DS);
		e->status = STORE_FULL;
		decided(s, SESSION_HOW_ERASE);
	}
}

static void on_commit(struct session *s, const struct rpc_msg *m)
{
	struct session_call *c;

	if (!batch_need(s)) {
		die(s);
		return;
	}
	c = call_new(s, m, 1);
	if (c == NULL)
		return;
	c->batch = s->batch;
	s->batch = NULL;
	s->used += c->batch->n_cells + c->batch->n_erases;
	c->source = s->source;
	c->used = s->used;
	*s->commits_end = c;
	s->commits_end = &c->next;
	s->n_commits++;
	s->host->commit(s->host->ctx, c);
}

static size_t frames_of(const struct rpc_msg *m)
{
	if (m->method == RPC_PULL)
		return m->n + 1;
	if (m->method == RPC_FETCH)
		return m->bytes_len / 4 + 1;
	return 1;
}

static void on_request(struct session *s, const struct rpc_msg *m)
{
	struct session_call *c = call_new(s, m, frames_of(m));

	if (c == NULL)
		return;
	c->next = s->calls;
	s->calls = c;
	s->n_calls++;
	/* those who do not read their answers must not take the memory of those who do */
	if (frames_of(m) > 1 &&
	    s->host->out_now + s->host->out_reserved > s->host->out_max) {
		s->host->n_refused++;
		session_fail(c, RPC_LATER);
		return;
	}
	s->host->request(s->host->ctx, c, m, &s->data);
}

static void on_message(struct session *s, const uint8_t *msg, size_t len, uint64_t now_ms)
{
	struct rpc_msg m;
	struct session_call *c;

	if (rpc_decode_request(&m, msg, len) != PERR_OK) {
		violation(s);
		return;
	}
	if (!s->host->still(s->host->ctx, s->serial)) {
		session_leave(s);        /* its key was retired meanwhile */
		return;
	}
	if (!rpc_allowed(m.method, s->scope)) {
		/* a notification cannot be answered, so it can only be the end */
		if (m.type != RPC_REQUEST) {
			violation(s);
			return;
		}
		c = call_new(s, &m, 1);
		if (c == NULL)
			return;
		c->next = s->calls;
		s->calls = c;
		s->n_calls++;
		session_fail(c, RPC_SCOPE);
		return;
	}
	if (m.method == RPC_PUT)
		on_put(s, m.cell, now_ms);
	else if (m.method == RPC_ERASE)
		on_erase(s, m.bytes, m.bytes_len, now_ms);
	else if (m.method == RPC_COMMIT)
		on_commit(s, &m);
	else if (m.method == RPC_BYE)
		session_leave(s);
	else
		on_request(s, &m);
}

/* ---- handshake --------------------------------------------------------------------------- */

static void on_first(struct session *s)
{
	struct session_host *h = s->host;
	const uint8_t (*keys)[32];
	uint8_t e[32], answer[NOISE_MSG_SIZE], *room;
	size_t which, n = h->keys(h->ctx, &keys);
	enum perr err;

	memcpy(e, channel_first(&s->ch), sizeof e);
	err = channel_accept(&s->ch, answer, &which, h->server_sk, h->server_pk, keys, n, h->rng);
	/*
	 * Asked only now, so that an outsider cannot fill the memory of what was seen:
	 * PROTOCOL 5.1: "A first message that fits none gets no byte in answer. A first
	 * message whose E was seen before gets none either."
	 */
	if (err != PERR_OK || !h->admit(h->ctx, which, e, &s->serial, &s->scope)) {
		/* a stranger's may be anything: a proxy's line with somebody's address */
		sodium_memzero(e, sizeof e);
		channel_kill(&s->ch);
		s->state = SESSION_SILENT;
		return;
	}
	room = out_room(s, NOISE_MSG_SIZE, 0);
	if (room == NULL) {
		die(s);
		return;
	}
	memcpy(room, answer, sizeof answer);
	s->state = SESSION_OPEN;
}

size_t session_recv(struct session *s, const uint8_t *in, size_t in_len, uint64_t now_ms)
{
	size_t at = 0, used, len;
	const uint8_t *msg;
	enum perr err;

	s->receiving = true;
	while (at < in_len && !session_is_blocked(s)) {
		if (s->state != SESSION_OPEN && s->state != SESSION_AWAIT_FIRST) {
			at = in_len;
			break;
		}
		err = channel_recv(&s->ch, in + at, in_len - at, &used, &msg, &len);
		at += used;
		if (err == PERR_MORE)
			continue;
		if (err != PERR_OK)
			die(s);
		else if (s->state == SESSION_AWAIT_FIRST)
			on_first(s);
		else
			on_message(s, msg, len, now_ms);
	}
	s->receiving = false;
	return at;
}
