/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include <sodium.h>
#include <stdlib.h>

#include "day.h"
#include "host_int.h"

#define UPLOADS_MAX 16u          /* documents being uploaded at once, all connections */
#define CHANGES_MAX 16u          /* changes that wait for the one before */
/* how long one waits before it is told to come again: less than clients wait for an answer */
#define WAIT_MS     10000u

/*
 * One change at a time (h->changing): so what was judged on a worker is still true when it
 * is written, and a counter cannot be used twice.  Whoever comes meanwhile waits for its turn:
 * the hour's own release takes it too, and nobody should meet a refusal for that.
 */
struct change {
	struct host_work w;
	struct writer_job job;
	struct host *h;
	struct session_call *call;       /* NULL: the server's own release */
	struct change *next;             /* while it waits */
	void (*start)(struct change *c);
	uint64_t since_ms;
	enum perr err;
	uint8_t *bytes;                  /* a policy, a header or an order */
	size_t len;
	uint8_t hash[32], instead_of[32];
	bool locked;
	union {
		struct policy policy;
		struct bulletin bulletin;
		struct policy_order order;
	} u;
	struct admins who;
	struct store_meta metas[3];
	uint8_t counter[4];
	uint8_t (*ids)[32];
	size_t n_ids;
	uint32_t n;                      /* for the answer */
};

static bool change_lock(struct change *c)
{
	if (c->h->changing)
		return false;
	c->locked = true;
	c->h->changing = true;
	return true;
}

static struct change *change_new(struct host *h, struct session_call *call)
{
	struct change *c;

	if (h->dead != NULL)
		return NULL;
	c = calloc(1, sizeof *c);
	if (c == NULL)
		return NULL;
	c->h = h;
	c->call = call;
	c->job.data = c;
	return c;
}

static struct change *change_first(struct host *h)
{
	struct change *c = h->changes;

	if (c == NULL)
		return NULL;
	h->changes = c->next;
	if (h->changes == NULL)
		h->changes_end = &h->changes;
	h->n_changes--;
	return c;
}

static void change_next(struct host *h)
{
	struct change *c;

	if (h->changing || h->dead != NULL || h->closing)
		return;
	/* before those who wait: a member who never lets the line end must not hold it up */
	if (h->release_due)
		host_release_due(h);
	if (!h->changing && (c = change_first(h)) != NULL && change_lock(c))
		c->start(c);
}

static void change_free(struct change *c)
{
	struct host *h = c->h;
	bool locked = c->locked;

	doc_free(c->bytes, c->len);
	free(c->ids);
	sodium_memzero(c, sizeof *c);
	free(c);
	if (locked) {
		h->changing = false;
		change_next(h);
	}
}

static void change_fail(struct change *c, enum rpc_error error)
{
	if (c->call != NULL)
		session_fail(c->call, error);
	change_free(c);
}

/* with the lock: at once, or when those before it are done; start() sees to its end */
static void change_begin(struct change *c, void (*start)(struct change *c))
{
	struct host *h = c->h;

	c->start = start;
	if (change_lock(c)) {
		start(c);
		return;
	}
	if (h->n_changes == CHANGES_MAX) {
		change_fail(c, RPC_LATER);
		return;
	}
	c->since_ms = h->env.now_ms(h->env.ctx);
	c->next = NULL;
	*h->changes_end = c;
	h->changes_end = &c->next;
	h->n_changes++;
}

void host_tick_changes(struct host *h)
{
	uint64_t now = h->env.now_ms(h->env.ctx);

	/* in the order in which they came */
	while (h->changes != NULL && now - h->changes->since_ms >= WAIT_MS)
		change_fail(change_first(h), RPC_LATER);
}

void host_drop_changes(struct host *h)
{
	struct change *c;

	while ((c = change_first(h)) != NULL) {
		session_drop(c->call);
		change_free(c);
	}
}

/* the writer has it; or not */
static void change_submit(struct change *c)
{
	if (host_submit(c->h, &c->job) != PERR_OK)
		change_fail(c, RPC_LATER);
}

/* true: the disk failed and the change is gone without an answer */
static bool change_died(struct change *c)
{
	if (!host_job_died(c->h, c->job.result))
		return false;
	if (c->call != NULL)
		session_drop(c->call);
	change_free(c);
	return true;
}

static void change_counter(struct change *c, struct store_meta *meta, uint32_t counter)
{
	doc_u32(c->counter, counter);
	meta->name = META_COUNTER;
	meta->bytes = c->counter;
	meta->len = sizeof c->counter;
}

/* ---- uploads ----------------------------------------------------------------------------- */

static bool in_use(const struct host_upload *u)
{
	return u->part.bytes != NULL || u->policy.bytes != NULL;
}

void host_upload_free(struct host *h, struct host_upload *u)
{
	if (in_use(u))
		h->stagings--;
	orders_clear(&u->part);
	orders_clear(&u->policy);
	free(u);
}

static void answer_received(struct session_call *call, uint32_t received)
{
	struct rpc_msg m;

	memset(&m, 0, offsetof(struct rpc_msg, segments));
	m.total = received;
	session_answer(call, &m);
}

/* one piece of a part or of a policy; true: now complete and not yet answered */
static bool piece(struct host *h, struct session_call *call, const struct rpc_msg *m,
                  void **data, bool is_policy)
{
	struct host_upload *u = *data;
	struct orders_staging *s;
	enum perr err;
	uint32_t have;
	bool was;

	if (u == NULL) {
		u = *data = calloc(1, sizeof *u);
		if (u == NULL) {
			session_fail(call, RPC_LATER);
			return false;
		}
	}
	was = in_use(u);
	if (!was && h->stagings >= UPLOADS_MAX) {
		session_fail(call, RPC_LATER);
		return false;
	}
	s = is_policy ? &u->policy : &u->part;
	err = orders_piece(s, m->hash, m->total, m->offset, m->bytes, m->bytes_len, &have);
	if (in_use(u) && !was)
		h->stagings++;
	if (err != PERR_OK) {
		session_fail(call, err == PERR_RANGE ? RPC_LIMIT : RPC_LATER);
		return false;
	}
	if (orders_complete(s))
		return true;
	answer_received(call, have);
	return false;
}

static void take(struct host *h, struct host_upload *u, struct orders_staging *s,
                 struct change *c)
{
	c->bytes = orders_take(s, &c->len);
	if (!in_use(u))
		h->stagings--;
}

/* ---- bulletin ---------------------------------------------------------------------------- */

static void header_keep(struct host_header *to, struct change *c)
{
	doc_free(to->bytes, to->len);
	to->bytes = c->bytes;
	to->len = c->len;
	memcpy(to->hash, c->hash, 32);
	c->bytes = NULL;
	c->len = 0;
}

enum perr host_header_load(struct host *h, uint8_t *bytes, size_t len)
{
	struct bulletin *b = malloc(sizeof *b);
	struct admins *who = malloc(sizeof *who);
	enum perr err = PERR_NOMEM;

	if (b != NULL && who != NULL)
		err = bulletin_open(b, who, h->header.hash, bytes, len);
	if (err == PERR_OK) {
		h->header.bytes = bytes;
		h->header.len = len;
		bulletin_known_set(&h->known, b, who, h->header.hash);
	}
	free(b);
	free(who);
	return err;
}

static void part_done(struct writer_job *job)
{
	struct change *c = job->data;
	uint32_t have = job->u.part.have;

	if (change_died(c))
		return;
	if (job->result != PERR_OK) {
		change_fail(c, host_error(job->result));
		return;
	}
	answer_received(c->call, have);
	change_free(c);
}

/* on a worker: what it is, a part named by its hash or a header named by its own */
static void upload_run(struct host_work *w)
{
	struct change *c = (struct change *)w;
	uint8_t hash[32];

	crypto_generichash(hash, sizeof hash, c->bytes, c->len, NULL, 0);
	c->err = memcmp(hash, c->hash, 32) == 0 ? PERR_OK : PERR_FORMAT;
}

/* on a worker, under the lock: nobody changes policy or bulletin meanwhile */
static void header_run(struct host_work *w)
{
	struct change *c = (struct change *)w;
	uint8_t hash[32];

	c->err = orders_bulletin(&c->u.bulletin, &c->who, hash, c->h->access, &c->h->known,
	                         c->bytes, c->len);
	if (c->err == PERR_OK && memcmp(hash, c->hash, 32) != 0)
		c->err = PERR_FORMAT;
}

static void header_done(struct host_work *w)
{
	struct change *c = (struct change *)w;
	uint32_t len = (uint32_t)c->len;

	if (c->err != PERR_OK) {
		change_fail(c, host_error(c->err));
		return;
	}
	header_keep(&c->h->offered, c);
	answer_received(c->call, len);
	change_free(c);
}

static void change_offload(struct change *c, void (*run)(struct host_work *w),
                           void (*done)(struct host_work *w))
{
	c->w.run = run;
	c->w.done = done;
	if (c->h->env.offload(c->h->env.ctx, &c->w) != PERR_OK)
		change_fail(c, RPC_LATER);
}

static void header_start(struct change *c)
{
	change_offload(c, header_run, header_done);
}

static void upload_done(struct host_work *w)
{
	struct change *c = (struct change *)w;

	if (c->err != PERR_OK) {
		change_begin(c, header_start);
		return;
	}
	c->job.kind = WRITER_PART;
	memcpy(c->job.u.part.hash, c->hash, 32);
	c->job.u.part.total = (uint32_t)c->len;
	c->job.u.part.piece = c->bytes;
	c->job.u.part.len = c->len;
	c->job.done = part_done;
	change_submit(c);
}

void host_part(struct host *h, struct session_call *call, const struct rpc_msg *m, void **data)
{
	struct host_upload *u;
	struct change *c;

	if (!piece(h, call, m, data, false))
		return;
	u = *data;
	c = change_new(h, call);
	if (c == NULL) {
		session_fail(call, RPC_LATER);
		return;
	}
	take(h, u, &u->part, c);
	memcpy(c->hash, m->hash, 32);
	change_offload(c, upload_run, upload_done);
}

/* it did not come into force; once what was missing is there it need not be sent again */
static void bulletin_fail(struct change *c, enum perr err)
{
	if (err == PERR_NOTFOUND && c->h->offered.bytes == NULL)
		header_keep(&c->h->offered, c);
	change_fail(c, host_error(err));
}

static void bulletin_done(struct writer_job *job)
{
	struct change *c = job->data;
	struct rpc_msg m;

	if (change_died(c))
		return;
	if (job->result != PERR_OK) {
		bulletin_fail(c, job->result);
		return;
	}
	bulletin_known_set(&c->h->known, &c->u.bulletin, &c->who, c->hash);
	header_keep(&c->h->header, c);
	memset(&m, 0, offsetof(struct rpc_msg, segments));
	m.status = RPC_STORED;
	session_answer(c->call, &m);
	change_free(c);
}

static void bulletin_judged(struct host_work *w)
{
	struct change *c = (struct change *)w;

	c->ids = malloc((4 + BULLETIN_FORMS_MAX) * sizeof *c->ids);
	if (c->err != PERR_OK || c->ids == NULL) {
		change_fail(c, c->err != PERR_OK ? host_error(c->err) : RPC_LATER);
		return;
	}
	c->n_ids = orders_parts(c->ids, &c->u.bulletin);
	c->metas[0].name = META_BULLETIN;
	c->metas[0].bytes = c->bytes;
	c->metas[0].len = c->len;
	c->job.kind = WRITER_BULLETIN;
	c->job.u.ids.ids = (const uint8_t (*)[STORE_ID])c->ids;
	c->job.u.ids.n = c->n_ids;
	c->job.metas = c->metas;
	c->job.n_metas = 1;
	c->job.done = bulletin_done;
	change_submit(c);
}

/*
 * PROTOCOL 6: "Refused as stale unless the second is the header hash now in force (zeros if
 * there is none) and the version is higher"
 */
static void bulletin_start(struct change *c)
{
	static const uint8_t none[32];
	struct host *h = c->h;
	const uint8_t *current = h->header.bytes != NULL ? h->header.hash : none;

	if (memcmp(c->instead_of, current, 32) != 0) {
		change_fail(c, RPC_STALE);
		return;
	}
	if (h->offered.bytes == NULL || memcmp(h->offered.hash, c->hash, 32) != 0) {
		change_fail(c, RPC_UNKNOWN);
		return;
	}
	c->bytes = h->offered.bytes;
	c->len = h->offered.len;
	memset(&h->offered, 0, sizeof h->offered);
	/* judged again: another may have come into force since it was uploaded */
	change_offload(c, header_run, bulletin_judged);
}

void host_bulletin(struct host *h, struct session_call *call, const struct rpc_msg *m)
{
	struct change *c = change_new(h, call);

	if (c == NULL) {
		session_fail(call, RPC_LATER);
		return;
	}
	memcpy(c->hash, m->hash, 32);
	memcpy(c->instead_of, m->digest, 32);
	change_begin(c, bulletin_start);
}

/* ---- policy ------------------------------------------------------------------------------ */

/* waiting join answers whose ticket the new policy no longer has: they are dropped with it */
static enum perr closed_tickets(struct change *c)
{
	const struct policy *p = &c->u.policy;
	uint8_t (*have)[32] = malloc(STORE_INBOX_MAX * sizeof *have);
	uint32_t i, got;
	enum perr err = PERR_NOMEM;

	if (have == NULL)
		return err;
	err = store_join_list(c->h->store, 0, STORE_INBOX_MAX, have, NULL, &got);
	if (err == PERR_OK) {
		for (i = 0; i < got; i++)
			if (doc_find((const uint8_t (*)[32])p->tickets, p->n_tickets, have[i]) ==
			    p->n_tickets)
				memcpy(have[c->n_ids++], have[i], 32);
		c->ids = have;
		have = NULL;
	}
	free(have);
	return err;
}

static void policy_run(struct host_work *w)
{
	struct change *c = (struct change *)w;

	c->err = orders_policy(&c->u.policy, c->h->access, c->h->keys->pk, c->bytes, c->len);
	if (c->err == PERR_OK)
		c->err = closed_tickets(c);
}

static void policy_done(struct writer_job *job)
{
	struct change *c = job->data;
	struct host *h = c->h;
	enum perr err;

	if (change_died(c))
		return;
	if (job->result != PERR_OK) {
		change_fail(c, host_error(job->result));
		return;
	}
	err = access_set_policy(h->access, c->bytes, c->len);
	if (err != PERR_OK) {
		/* it is on the disk but could not be loaded: only memory can be the cause.
		 * Going on under the old one would ignore a revocation. */
		host_die(h, "no memory for the new policy");
		session_drop(c->call);
		change_free(c);
		return;
	}
	host_apply_limits(h);
	host_log(h, "a new policy is in force");
	answer_received(c->call, (uint32_t)c->len);
	change_free(c);
}

static void policy_judged(struct host_work *w)
{
	struct change *c = (struct change *)w;

	if (c->err != PERR_OK) {
		change_fail(c, host_error(c->err));
		return;
	}
	c->metas[0].name = META_POLICY;
	c->metas[0].bytes = c->bytes;
	c->metas[0].len = c->len;
	change_counter(c, &c->metas[1], c->u.policy.counter);
	/* PROTOCOL 10.1: "The first policy, admitted once by the setup key": forget the key in
	 * the same commit */
	c->metas[2].name = META_SETUP;
	c->job.kind = c->n_ids > 0 ? WRITER_JOIN_DROP : WRITER_META;
	c->job.u.ids.ids = (const uint8_t (*)[STORE_ID])c->ids;
	c->job.u.ids.n = c->n_ids;
	c->job.metas = c->metas;
	c->job.n_metas = 3;
	c->job.done = policy_done;
	change_submit(c);
}

static void policy_start(struct change *c)
{
	change_offload(c, policy_run, policy_judged);
}

void host_policy(struct host *h, struct session_call *call, const struct rpc_msg *m, void **data)
{
	struct host_upload *u;
	struct change *c;

	if (!piece(h, call, m, data, true))
		return;
	u = *data;
	c = change_new(h, call);
	if (c == NULL) {
		/* the last piece again, please: what is there is kept */
		session_fail(call, RPC_LATER);
		return;
	}
	take(h, u, &u->policy, c);
	change_begin(c, policy_start);
}

/* ---- releases and orders ----------------------------------------------------------------- */

static void order_answer(void *arg)
{
	struct change *c = arg;
	struct rpc_msg m;

	if (c->call != NULL) {
		memset(&m, 0, offsetof(struct rpc_msg, segments));
		m.n = c->n;
		if (c->job.kind == WRITER_RELEASE) {
			m.day = c->job.u.release.day;
			m.release = c->job.u.release.number;
		}
		session_answer(c->call, &m);
	}
	change_free(c);
}

static void log_release(struct host *h, const struct store_release *r)
{
	if (r->released + r->erased + r->settled_days + r->expired_days > 0)
		host_log(h, "released %u cells; %u erased, %u days settled, %u days expired",
		         r->released, r->erased, r->settled_days, r->expired_days);
	if (r->deferred > 0)
		host_log(h, "%u files were not rebuilt, for want of space or because they are "
		            "damaged; the next release tries again", r->deferred);
}

static void order_done(struct writer_job *job)
{
	struct change *c = job->data;
	struct host *h = c->h;

	if (change_died(c))
		return;
	if (job->result != PERR_OK) {
		if (job->kind == WRITER_RELEASE && job->result == PERR_FULL)
			host_log(h, "no space for a release: cells stay where they are until some "
			            "is freed");
		change_fail(c, host_error(job->result));
		return;
	}
	if (job->kind == WRITER_RELEASE) {
		c->n = job->u.release.released;
		log_release(h, &job->u.release);
	} else if (job->kind == WRITER_ERASE_VOID) {
		c->n = (uint32_t)job->u.ids.voided;
	}
	/* the answer waits for the view, so that the next hello already shows the release */
	if (host_refresh(h, order_answer, c) != PERR_OK)
		order_answer(c);
}

static void set_release(struct change *c, uint32_t day, bool frozen)
{
	const struct policy *p = access_policy(c->h->access);
	struct store_release *r = &c->job.u.release;

	c->job.kind = WRITER_RELEASE;
	c->job.done = order_done;
	r->day = day;
	r->frozen = frozen;
	if (p != NULL) {
		r->retention_days = p->retention_days;
		r->settle_days = p->settle_days;
		memcpy(r->seed, p->seed, 32);
	}
}

void host_release(struct host *h)
{
	int64_t now_s = h->env.unix_s(h->env.ctx);
	struct change *c = change_new(h, NULL);

	if (c == NULL)
		return;          /* the next tick tries again only if it is due then */
	if (!change_lock(c)) {
		change_free(c);
		return;
	}
	set_release(c, day_now(h->view.day, now_s), day_is_frozen(h->view.day, now_s));
	change_submit(c);
}

static enum policy_order_kind kind_of(enum rpc_method m)
{
	if (m == RPC_RELEASE)
		return POLICY_RELEASE;
	return m == RPC_ERASE_VOID ? POLICY_VOID : POLICY_CLEAR_BOARD;
}

/*
 * PROTOCOL 10.2: "*day* is the day named to a server whose clock is in doubt".  A server
 * that trusts its clock goes by it: an administrator's laptop may be hours off.
 */
static bool order_day(struct host *h, const struct policy_order *o, uint32_t *day)
{
	int64_t now_s = h->env.unix_s(h->env.ctx);

	*day = day_now(h->view.day, now_s);
	if (!day_is_frozen(h->view.day, now_s))
		return true;
	*day = o->day;
	return day_order_ok(h->view.day, now_s, o->day);
}

static void order_start(struct change *c)
{
	struct host *h = c->h;
	enum rpc_method method = c->call->method;
	uint32_t day = 0;
	enum perr err;

	err = orders_order(&c->u.order, h->access, h->keys->pk, kind_of(method), c->bytes, c->len);
	if (err == PERR_OK && method == RPC_RELEASE && !order_day(h, &c->u.order, &day))
		err = PERR_STATE;
	if (err != PERR_OK) {
		change_fail(c, host_error(err));
		return;
	}
	/* used up from this moment, whatever becomes of it */
	access_set_counter(h->access, c->u.order.counter);
	change_counter(c, &c->metas[0], c->u.order.counter);
	if (method == RPC_RELEASE) {
		set_release(c, day, false);
		c->job.u.release.metas = c->metas;
		c->job.u.release.n_metas = 1;
	} else {
		c->job.kind = method == RPC_ERASE_VOID ? WRITER_ERASE_VOID : WRITER_BOARD_CLEAR;
		c->job.done = order_done;
		c->job.metas = c->metas;
		c->job.n_metas = 1;
		c->n = h->view.board_total;
	}
	if (method == RPC_ERASE_VOID) {
		c->job.u.ids.ids = (const uint8_t (*)[STORE_ID])c->u.order.ids;
		c->job.u.ids.n = c->u.order.n_ids;
	}
	change_submit(c);
}

void host_order(struct host *h, struct session_call *call, const struct rpc_msg *m)
{
	struct change *c = change_new(h, call);

	if (c == NULL) {
		session_fail(call, RPC_LATER);
		return;
	}
	c->bytes = malloc(m->bytes_len);
	if (c->bytes == NULL) {
		change_fail(c, RPC_LATER);
		return;
	}
	memcpy(c->bytes, m->bytes, m->bytes_len);
	c->len = m->bytes_len;
	change_begin(c, order_start);
}
