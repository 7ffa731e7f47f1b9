/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "peer.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "channel.h"

/* a request that waits for its answer */
struct call {
	struct call *next;
	uint32_t msgid;
	enum rpc_method method;
	uint32_t cells_left;             /* pull, fetch: how many may still come */
	bool is_sent;
	peer_cb *cb;
	peer_cell_fn *cell_fn;
	void *ud;
};

/* a message that was not encrypted yet */
struct message {
	struct message *next;
	struct call *call;               /* of a request; NULL for a notification */
	size_t len;
	uint8_t bytes[];
};

struct peer {
	enum peer_state state;
	enum perr error;
	struct channel ch;
	struct message *head, **tail;
	size_t n_queued;
	struct call *calls, **calls_tail;
	size_t n_calls, n_sent;
	uint32_t next_msgid;
	bool in_callback;
	/* what goes out: the first handshake message, later whole frames */
	uint8_t out[PEER_OUT_FRAMES * FRAME_SIZE];
	size_t out_at, out_len;
	uint64_t bytes_in, bytes_out;
	unsigned round_trips;
	bool heard;                      /* something came since the last time we sent */
};

static void drop_queue(struct peer *p)
{
	while (p->head != NULL) {
		struct message *m = p->head;

		p->head = m->next;
		/* erase secrets and tickets stand in some of them */
		sodium_memzero(m->bytes, m->len);
		free(m);
	}
	p->tail = &p->head;
	p->n_queued = 0;
}

/* the one way into an end; callbacks see a peer that takes nothing more */
static void end(struct peer *p, enum peer_state state, enum perr err)
{
	struct call *calls = p->calls;

	if (p->state == PEER_ENDED || p->state == PEER_FAILED)
		return;
	p->state = state;
	p->error = err;
	p->calls = NULL;
	p->calls_tail = &p->calls;
	p->n_calls = p->n_sent = 0;
	channel_kill(&p->ch);
	drop_queue(p);
	if (state == PEER_FAILED)
		p->out_len = p->out_at = 0;
	p->in_callback = true;
	while (calls != NULL) {
		struct call *c = calls;

		calls = c->next;
		c->cb(c->ud, err, NULL);
		free(c);
	}
	p->in_callback = false;
}

enum perr peer_new(struct peer **out, const uint8_t server_pk[32], const uint8_t access_key[32],
                   struct rng rng)
{
	enum perr err = PERR_NOMEM;
	uint8_t derived[32];
	struct peer *p = calloc(1, sizeof *p);

	*out = NULL;
	if (p == NULL)
		goto out;
	p->tail = &p->head;
	p->calls_tail = &p->calls;
	p->state = PEER_HANDSHAKE;
	channel_access(derived, access_key, server_pk);
	err = channel_connect(&p->ch, p->out, server_pk, derived, rng);
	if (err != PERR_OK)
		goto out;
	p->out_len = NOISE_MSG_SIZE;
	p->round_trips = 1;
	*out = p;
	p = NULL;
out:
	sodium_memzero(derived, sizeof derived);
	if (p != NULL)
		channel_kill(&p->ch);
	free(p);
	return err;
}

void peer_free(struct peer *p)
{
	if (p == NULL)
		return;
	assert(!p->in_callback);
	end(p, PEER_FAILED, PERR_STATE);
	sodium_memzero(p, sizeof *p);
	free(p);
}

enum peer_state peer_state(const struct peer *p)
{
	return p->state;
}

enum perr peer_error(const struct peer *p)
{
	return p->error;
}

static bool takes(const struct peer *p)
{
	return p->state == PEER_HANDSHAKE || p->state == PEER_OPEN;
}

static enum perr queue(struct peer *p, const struct rpc_msg *msg, struct call *call)
{
	uint8_t buf[FRAME_MSG_MAX];
	struct message *m;
	size_t len;
	enum perr err = rpc_encode(buf, &len, msg);

	if (err != PERR_OK)
		goto out;
	err = PERR_NOMEM;
	m = malloc(sizeof *m + len);
	if (m == NULL)
		goto out;
	memcpy(m->bytes, buf, len);
	m->len = len;
	m->call = call;
	m->next = NULL;
	*p->tail = m;
	p->tail = &m->next;
	p->n_queued++;
	err = PERR_OK;
out:
	sodium_memzero(buf, sizeof buf);
	return err;
}

enum perr peer_call_cells(struct peer *p, const struct rpc_msg *msg, peer_cell_fn *cell_fn,
                          peer_cb *cb, void *ud)
{
	enum perr err = PERR_NOMEM;
	struct rpc_msg *m = NULL;
	struct call *c = NULL;

	if (!takes(p))
		return PERR_STATE;
	if (p->n_queued >= PEER_QUEUE_MAX)
		return PERR_LIMIT;
	m = malloc(sizeof *m);
	c = calloc(1, sizeof *c);
	if (m == NULL || c == NULL)
		goto out;
	*m = *msg;
	m->type = RPC_REQUEST;
	m->msgid = p->next_msgid++;
	c->msgid = m->msgid;
	c->method = m->method;
	if (m->method == RPC_PULL)
		c->cells_left = m->n;
	else if (m->method == RPC_FETCH)
		c->cells_left = (uint32_t)(m->bytes_len / 4);
	c->cb = cb;
	c->cell_fn = cell_fn;
	c->ud = ud;
	err = queue(p, m, c);
	if (err != PERR_OK)
		goto out;
	*p->calls_tail = c;
	p->calls_tail = &c->next;
	p->n_calls++;
	c = NULL;
out:
	free(c);
	free(m);
	return err;
}

enum perr peer_call(struct peer *p, const struct rpc_msg *msg, peer_cb *cb, void *ud)
{
	return peer_call_cells(p, msg, NULL, cb, ud);
}

enum perr peer_notify(struct peer *p, const struct rpc_msg *msg)
{
	enum perr err;
	struct rpc_msg *m;

	if (!takes(p))
		return PERR_STATE;
	if (p->n_queued >= PEER_QUEUE_MAX)
		return PERR_LIMIT;
	m = malloc(sizeof *m);
	if (m == NULL)
		return PERR_NOMEM;
	*m = *msg;
	m->type = RPC_NOTIFY;
	err = queue(p, m, NULL);
	free(m);
	return err;
}

void peer_bye(struct peer *p)
{
	struct rpc_msg *m;

	if (!takes(p))
		return;
	m = calloc(1, sizeof *m);
	if (m == NULL) {
		end(p, PEER_FAILED, PERR_NOMEM);
		return;
	}
	m->type = RPC_NOTIFY;
	m->method = RPC_BYE;
	/* goes past PEER_QUEUE_MAX: it is one message, and a full queue must be able to end */
	if (queue(p, m, NULL) != PERR_OK)
		end(p, PEER_FAILED, PERR_NOMEM);
	else
		p->state = PEER_LEAVING;
	free(m);
}

size_t peer_waiting(const struct peer *p)
{
	return p->n_calls;
}

size_t peer_queued(const struct peer *p)
{
	return p->n_queued;
}

static enum perr encrypt_some(struct peer *p)
{
	size_t frames;

	for (frames = 0; frames < PEER_OUT_FRAMES && p->head != NULL; frames++) {
		struct message *m = p->head;
		enum perr err;

		/* "at most 32 requests wait for an answer" (PROTOCOL 6); what stands behind
		 * a request must not overtake it: a commit counts the puts before it */
		if (m->call != NULL && p->n_sent >= RPC_INFLIGHT_MAX)
			break;
		err = channel_send(&p->ch, p->out + p->out_len, m->bytes, m->len);
		if (err != PERR_OK)
			return err;
		p->out_len += FRAME_SIZE;
		if (m->call != NULL) {
			m->call->is_sent = true;
			p->n_sent++;
		}
		p->head = m->next;
		if (p->head == NULL)
			p->tail = &p->head;
		p->n_queued--;
		sodium_memzero(m->bytes, m->len);
		free(m);
	}
	return PERR_OK;
}

/* leaving, all sent, all answered */
static void maybe_ended(struct peer *p)
{
	if (p->state == PEER_LEAVING && p->head == NULL && p->out_len == 0 && p->calls == NULL)
		end(p, PEER_ENDED, PERR_OK);
}

size_t peer_pending(struct peer *p, const uint8_t **out)
{
	if (p->out_len == 0 && p->ch.state == CHANNEL_OPEN) {
		enum perr err = encrypt_some(p);

		if (err != PERR_OK)
			end(p, PEER_FAILED, err);
		else if (p->out_len > 0 && p->heard && (p->n_sent > 0)) {
			p->round_trips++;
			p->heard = false;
		}
	}
	*out = p->out + p->out_at;
	return p->out_len - p->out_at;
}

void peer_sent(struct peer *p, size_t n)
{
	if (p->state == PEER_FAILED)
		return;
	assert(n <= p->out_len - p->out_at);
	p->bytes_out += n;
	p->out_at += n;
	if (p->out_at == p->out_len)
		p->out_at = p->out_len = 0;
	maybe_ended(p);
}

static struct call *find(struct peer *p, uint32_t msgid, struct call ***link)
{
	struct call **at = &p->calls;

	while (*at != NULL && (*at)->msgid != msgid)
		at = &(*at)->next;
	if (link != NULL)
		*link = at;
	return *at != NULL && (*at)->is_sent ? *at : NULL;
}

static enum perr on_notify(struct peer *p, struct rpc_msg *m, const uint8_t *in, size_t len)
{
	struct call *c;
	enum perr err = rpc_decode_notify(m, in, len);

	if (err != PERR_OK)
		return PERR_FORMAT;
	if (m->method == RPC_BYE) {
		if (p->calls != NULL)
			return PERR_NET;
		end(p, PEER_ENDED, PERR_OK);
		return PERR_OK;
	}
	c = find(p, m->msgid, NULL);
	/* more cells than were asked for, or none asked: not of the protocol */
	if (m->method != RPC_CELL || c == NULL || c->cell_fn == NULL || c->cells_left == 0)
		return PERR_FORMAT;
	c->cells_left--;
	p->in_callback = true;
	c->cell_fn(c->ud, m->cell);
	p->in_callback = false;
	return PERR_OK;
}

static enum perr on_response(struct peer *p, struct rpc_msg *m, const uint8_t *in, size_t len)
{
	enum rpc_type type;
	struct call *c, **link;
	uint32_t msgid;
	enum perr err = rpc_peek(&type, &msgid, in, len);

	if (err != PERR_OK || type != RPC_RESPONSE)
		return PERR_FORMAT;
	c = find(p, msgid, &link);
	if (c == NULL || rpc_decode_response(m, c->method, in, len) != PERR_OK)
		return PERR_FORMAT;
	*link = c->next;
	if (p->calls_tail == &c->next)
		p->calls_tail = link;
	p->n_calls--;
	p->n_sent--;
	p->in_callback = true;
	c->cb(c->ud, m->error == RPC_OK ? PERR_OK : PERR_REFUSED, m);
	p->in_callback = false;
	free(c);
	return PERR_OK;
}

static enum perr on_message(struct peer *p, const uint8_t *in, size_t len)
{
	struct rpc_msg m;

	/* canonical form: an array of three can only be a notification.  Asking rpc_peek
	 * would read each of ten thousands of cells twice */
	if (len > 0 && in[0] == 0x93)
		return on_notify(p, &m, in, len);
	return on_response(p, &m, in, len);
}

enum perr peer_recv(struct peer *p, const uint8_t *in, size_t in_len)
{
	bool over = false;

	p->bytes_in += in_len;
	while (!over && p->state != PEER_ENDED && p->state != PEER_FAILED) {
		bool was_open = p->ch.state == CHANNEL_OPEN;
		const uint8_t *msg;
		size_t used, msg_len;
		enum perr err = channel_recv(&p->ch, in, in_len, &used, &msg, &msg_len);

		in += used;
		in_len -= used;
		if (err == PERR_MORE) {
			over = in_len == 0;
			continue;
		}
		if (err == PERR_OK) {
			p->heard = true;
			if (was_open)
				err = on_message(p, msg, msg_len);
			else if (p->state == PEER_HANDSHAKE)
				p->state = PEER_OPEN;
		}
		if (err != PERR_OK)
			end(p, PEER_FAILED, err);
	}
	maybe_ended(p);
	return p->error;
}

void peer_eof(struct peer *p)
{
	if (p->state == PEER_LEAVING && p->calls == NULL)
		end(p, PEER_ENDED, PERR_OK);
	else if (p->ch.state != CHANNEL_OPEN)
		/* a server that knows the key answers; whoever is silent does not */
		end(p, PEER_FAILED, PERR_AUTH);
	else
		end(p, PEER_FAILED, PERR_TRUNCATED);
}

void peer_abort(struct peer *p, enum perr why)
{
	end(p, PEER_FAILED, why);
}

bool peer_done(const struct peer *p)
{
	return p->state == PEER_FAILED || (p->state == PEER_ENDED && p->out_len == 0);
}

uint64_t peer_bytes_out(const struct peer *p)
{
	return p->bytes_out;
}

uint64_t peer_bytes_in(const struct peer *p)
{
	return p->bytes_in;
}

unsigned peer_round_trips(const struct peer *p)
{
	return p->round_trips;
}
