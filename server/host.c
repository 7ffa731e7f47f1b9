/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "day.h"
#include "host_int.h"

#define TICK_MAX_MS   10000u
#define TICK_SLOW_MS  100u
#define CELLS_DEFAULT 16384u
#define OUT_DEFAULT   (64u << 20)
#define LOOP_STACK    (64u << 10)     /* more than the loop's callbacks take */
#define SHARE_FIRST   2048u      /* before anything was measured */

uint32_t host_day(const struct host *h)
{
	return day_now(h->view.day, h->env.unix_s(h->env.ctx));
}

void host_log(struct host *h, const char *fmt, ...)
{
	char line[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof line, fmt, ap);
	va_end(ap);
	h->env.log(h->env.ctx, line);
}

void host_die(struct host *h, const char *why)
{
	if (h->dead == NULL)
		h->dead = why != NULL ? why : "the disk reported an error";
}

bool host_job_died(struct host *h, enum perr result)
{
	if (result != PERR_IO)
		return false;
	host_die(h, store_dead_reason(h->store));
	return true;
}

enum rpc_error host_error(enum perr err)
{
	switch (err) {
	case PERR_OK:       return RPC_OK;
	case PERR_NOTFOUND:
	case PERR_RANGE:
	case PERR_UNKNOWN:  return RPC_UNKNOWN;
	case PERR_FORMAT:   return RPC_MALFORMED;
	case PERR_SIGS:
	case PERR_AUTH:
	case PERR_KEY:
	case PERR_CHAIN:    return RPC_SIGNATURE;
	case PERR_OLD:
	case PERR_FORK:
	case PERR_STATE:    return RPC_STALE;
	case PERR_FULL:     return RPC_NOSPACE;
	case PERR_CORRUPT:
	case PERR_IO:       return RPC_DAMAGED;
	case PERR_LIMIT:
	case PERR_NOMEM:
	case PERR_MORE: case PERR_NOTMINE: case PERR_TRUNCATED: case PERR_REFUSED:
	case PERR_REPLAY: case PERR_EXISTS: case PERR_NET: case PERR_TIMEOUT: case PERR_COUNT:
		break;
	}
	return RPC_LATER;
}

enum perr host_submit(struct host *h, struct writer_job *job)
{
	return h->dead != NULL ? PERR_STATE : writer_submit(h->writer, job);
}

/* ---- keys on disk ------------------------------------------------------------------------ */

enum perr host_create(const char *dir, int64_t unix_s, struct rng rng, uint8_t server_pk[32],
                      uint8_t setup_key[32])
{
	uint8_t sk[32], derived[32];
	struct store_meta metas[2] = {
		{ .name = META_KEY, .bytes = sk, .len = sizeof sk },
		{ .name = META_SETUP, .bytes = derived, .len = sizeof derived },
	};
	enum perr err;

	rng_fill(rng, sk, sizeof sk);
	rng_fill(rng, setup_key, 32);
	(void)crypto_scalarmult_base(server_pk, sk);
	channel_access(derived, setup_key, server_pk);
	err = store_create(dir, day_of(unix_s), metas, 2);
	if (err != PERR_OK)
		sodium_memzero(setup_key, 32);
	sodium_memzero(sk, sizeof sk);
	sodium_memzero(derived, sizeof derived);
	return err;
}

/* malloc'd; PERR_NOTFOUND: no such blob */
static enum perr meta_load(struct store *st, const char *name, uint8_t **out, size_t *len)
{
	enum perr err = store_meta_get(st, name, NULL, 0, len);

	*out = NULL;
	if (err == PERR_OK)
		return PERR_CORRUPT;     /* no blob of ours is empty */
	if (err != PERR_LIMIT)
		return err;
	*out = malloc(*len);
	if (*out == NULL)
		return PERR_NOMEM;
	err = store_meta_get(st, name, *out, *len, len);
	if (err != PERR_OK) {
		doc_free(*out, *len);
		*out = NULL;
	}
	return err;
}

static enum perr load_key(struct host *h)
{
	size_t len;
	enum perr err;

	h->keys = slab_keep(h->slab, sizeof *h->keys);
	if (h->keys == NULL)
		return PERR_NOMEM;
	err = store_meta_get(h->store, META_KEY, h->keys->sk, sizeof h->keys->sk, &len);
	if (err != PERR_OK)
		return err == PERR_NOTFOUND ? PERR_CORRUPT : err;
	if (len != sizeof h->keys->sk)
		return PERR_CORRUPT;
	return crypto_scalarmult_base(h->keys->pk, h->keys->sk) == 0 ? PERR_OK : PERR_CORRUPT;
}

static enum perr load_access(struct host *h)
{
	uint8_t *bytes = NULL, derived[32];
	size_t len = 0;
	enum perr err;

	err = access_new(&h->access, h->keys->pk, h->slab);
	if (err != PERR_OK)
		return err;
	err = store_meta_get(h->store, META_SETUP, derived, sizeof derived, &len);
	if (err == PERR_OK && len == sizeof derived)
		access_set_setup(h->access, derived);
	sodium_memzero(derived, sizeof derived);
	if (err != PERR_OK && err != PERR_NOTFOUND)
		return err;

	err = meta_load(h->store, META_POLICY, &bytes, &len);
	if (err == PERR_NOTFOUND)
		return PERR_OK;
	if (err != PERR_OK)
		return err;
	err = access_set_policy(h->access, bytes, len);
	doc_free(bytes, len);
	if (err != PERR_OK)
		return err == PERR_NOMEM ? err : PERR_CORRUPT;
	err = meta_load(h->store, META_COUNTER, &bytes, &len);
	if (err != PERR_OK)
		return err == PERR_NOTFOUND ? PERR_CORRUPT : err;
	if (len != 4)
		err = PERR_CORRUPT;
	else
		access_set_counter(h->access, doc_get_u32(bytes));
	doc_free(bytes, len);
	return err;
}

static enum perr load_header(struct host *h)
{
	uint8_t *bytes;
	size_t len;
	enum perr err = meta_load(h->store, META_BULLETIN, &bytes, &len);

	if (err == PERR_NOTFOUND)
		return PERR_OK;
	if (err != PERR_OK)
		return err;
	err = host_header_load(h, bytes, len);
	if (err != PERR_OK) {
		doc_free(bytes, len);
		return err == PERR_NOMEM ? err : PERR_CORRUPT;
	}
	return PERR_OK;
}

/* ---- the view ---------------------------------------------------------------------------- */

void host_look(struct store *st, struct host_view *out)
{
	struct store_segment *seg = malloc(64 * sizeof *seg);
	uint32_t day = 0, release = 0, got;
	size_t n;

	memset(out, 0, sizeof *out);
	out->day = store_day(st);
	if (store_board_get(st, 0, 0, NULL, &got, &out->board_total, out->board_digest) != PERR_OK)
		memset(out->board_digest, 0, sizeof out->board_digest);
	while (seg != NULL && (n = store_segments(st, day, release, seg, 64)) > 0) {
		out->has_newest = true;
		day = out->newest_day = seg[n - 1].day;
		release = out->newest_release = seg[n - 1].release;
	}
	free(seg);
}

struct look {
	struct host_work w;
	struct host *h;
	struct host_view view;
	void (*then_)(void *arg);
	void *arg;
};

static void look_run(struct host_work *w)
{
	struct look *l = (struct look *)w;

	host_look(l->h->store, &l->view);
}

static void look_done(struct host_work *w)
{
	struct look *l = (struct look *)w;

	l->h->view = l->view;
	l->then_(l->arg);
	free(l);
}

enum perr host_refresh(struct host *h, void (*then_)(void *arg), void *arg)
{
	struct look *l = calloc(1, sizeof *l);
	enum perr err = PERR_NOMEM;

	if (l == NULL)
		return err;
	l->w.run = look_run;
	l->w.done = look_done;
	l->h = h;
	l->then_ = then_;
	l->arg = arg;
	if (h->closing) {                /* no worker is left: host_close may wait */
		look_run(&l->w);
		look_done(&l->w);
		return PERR_OK;
	}
	err = h->env.offload(h->env.ctx, &l->w);
	if (err != PERR_OK)
		free(l);
	return err;
}

/* ---- for the sessions -------------------------------------------------------------------- */

static size_t on_keys(void *ctx, const uint8_t (**derived)[32])
{
	struct host *h = ctx;

	return access_keys(h->access, host_day(h), derived);
}

static bool on_admit(void *ctx, size_t which, const uint8_t e[32], uint32_t *serial,
                     enum rpc_scope *scope)
{
	struct host *h = ctx;

	*scope = access_scope(h->access, which, serial);
	return !replay_seen(h->replay, e);
}

static bool on_still(void *ctx, uint32_t serial)
{
	struct host *h = ctx;

	return access_still(h->access, serial, host_day(h));
}

static void on_closed(void *ctx, void *data)
{
	if (data != NULL)
		host_upload_free(ctx, data);
}

static void hello(struct host *h, struct session_call *call)
{
	struct rpc_msg m;
	bool steward = call->scope == RPC_STEWARD || call->scope == RPC_SETUP;

	memset(&m, 0, offsetof(struct rpc_msg, segments));
	m.hello.day = host_day(h);
	m.hello.bulletin_version = h->known.version;
	if (h->header.bytes != NULL)
		memcpy(m.hello.header_hash, h->header.hash, 32);
	memcpy(m.hello.board_digest, h->view.board_digest, 32);
	if (call->scope == RPC_COUNSEL && h->view.has_newest) {
		m.hello.has_newest = true;
		m.hello.newest_day = h->view.newest_day;
		m.hello.newest_release = h->view.newest_release;
	}
	m.hello.counter = steward ? access_known(h->access)->counter : 0;
	m.hello.puts_per_commit = h->sessions.puts_per_commit;
	if (steward && access_policy(h->access) != NULL)
		m.hello.policy_version = access_policy(h->access)->version;
	session_answer(call, &m);
}

static void on_request(void *ctx, struct session_call *call, const struct rpc_msg *m,
                       void **data)
{
	struct host *h = ctx;

	if (h->dead != NULL) {
		session_drop(call);
		return;
	}
	switch (call->method) {
	case RPC_HELLO:           hello(h, call); return;
	case RPC_BULLETIN_GET: case RPC_BOARD_GET: case RPC_SEGMENTS: case RPC_PULL:
	case RPC_FETCH: case RPC_PEEK: case RPC_JOIN_LIST: case RPC_STATUS:
		host_read(h, call, m);
		return;
	case RPC_BOARD_PUT:       host_board_put(h, call, m); return;
	case RPC_JOIN_PUT:        host_join_put(h, call, m); return;
	case RPC_BULLETIN_PART:   host_part(h, call, m, data); return;
	case RPC_BULLETIN_COMMIT: host_bulletin(h, call, m); return;
	case RPC_POLICY_PUT:      host_policy(h, call, m, data); return;
	case RPC_RELEASE: case RPC_ERASE_VOID: case RPC_BOARD_CLEAR:
		host_order(h, call, m);
		return;
	case RPC_PUT: case RPC_ERASE: case RPC_COMMIT: case RPC_CELL: case RPC_BYE:
	case RPC_N_METHODS:
		break;           /* the session's own */
	}
	session_fail(call, RPC_UNKNOWN);
}

struct session_host *host_sessions(struct host *h)
{
	return &h->sessions;
}

void host_apply_limits(struct host *h)
{
	const struct policy *p = access_policy(h->access);

	if (p == NULL)
		return;
	h->sessions.puts_per_minute = p->limits.puts_per_minute;
	store_set_reserve(h->store, (uint64_t)p->limits.reserve_mib << 20);
}

uint32_t host_source_limit(const struct host *h)
{
	const struct policy *p = access_policy(h->access);

	return p == NULL ? 0 : p->limits.connections_per_source;
}

/* ---- life -------------------------------------------------------------------------------- */

static void notify(void *arg)
{
	struct host *h = arg;

	h->env.notify(h->env.ctx);
}

static void set_sessions(struct host *h, const struct host_config *cfg)
{
	struct session_host *s = &h->sessions;

	s->ctx = h;
	s->rng = h->env.rng;
	s->slab = h->slab;
	s->server_sk = h->keys->sk;
	s->server_pk = h->keys->pk;
	s->puts_per_commit = RPC_BATCH;
	s->out_max = cfg->out_max != 0 ? cfg->out_max : OUT_DEFAULT;
	s->keys = on_keys;
	s->admit = on_admit;
	s->still = on_still;
	s->cell_take = host_cell_take;
	s->cell_give = host_cell_give;
	s->commit = host_commit;
	s->request = on_request;
	s->closed = on_closed;
}

static void log_start(struct host *h)
{
	struct store_counts n;

	store_counts(h->store, &n);
	host_log(h, "started: %llu cells in %u segments, %llu waiting for the next release%s",
	         (unsigned long long)n.cells, n.segments, (unsigned long long)n.pool_cells,
	         access_policy(h->access) == NULL ? "; no policy yet, only the setup key of the "
	         "card is admitted" : "");
}

size_t host_slab_keep(void)
{
	return sizeof (struct host_keys) + access_room() + REPLAY_KEY + 3 * 64;
}

/* tests and benches bring none */
static enum perr need_slab(struct host *h, struct slab *given)
{
	enum perr err;

	h->slab = given;
	if (given != NULL)
		return PERR_OK;
	err = slab_new(&h->own_slab, host_slab_keep(), HOST_SLOTS, HOST_SLOT_SIZE);
	h->slab = h->own_slab;
	return err == PERR_LIMIT ? PERR_OK : err;
}

static enum perr start_replay(struct host *h)
{
	uint8_t *key = slab_keep(h->slab, REPLAY_KEY);

	return key == NULL ? PERR_NOMEM : replay_new(&h->replay, key, h->env.rng);
}

enum perr host_open(struct host **out, const char *dir, const struct host_config *cfg,
                    const struct host_env *env, const char **why)
{
	struct host *h = calloc(1, sizeof *h);
	enum perr err = PERR_NOMEM;

	*out = NULL;
	*why = "out of memory";
	if (h == NULL)
		return err;
	h->env = *env;
	h->waiting_end = &h->waiting;
	h->slow_end = &h->slow;
	h->changes_end = &h->changes;
	h->share = SHARE_FIRST;
	h->cells_max = cfg->cells_max != 0 ? cfg->cells_max : CELLS_DEFAULT;

	err = need_slab(h, cfg->slab);
	if (err != PERR_OK)
		goto out;
	err = store_open(&h->store, dir, &cfg->store, why);
	if (err != PERR_OK)
		goto out;
	*why = "the server's key could not be loaded";
	err = load_key(h);
	if (err != PERR_OK)
		goto out;
	*why = "the policy on disk is unusable";
	err = load_access(h);
	if (err != PERR_OK)
		goto out;
	*why = "the bulletin on disk is unusable";
	err = load_header(h);
	if (err != PERR_OK)
		goto out;
	*why = "out of memory";
	err = start_replay(h);
	if (err != PERR_OK)
		goto out;
	host_look(h->store, &h->view);
	set_sessions(h, cfg);
	host_apply_limits(h);
	*why = "the writing thread could not be started";
	err = writer_start(&h->writer, h->store, 0, notify, h);
	if (err != PERR_OK)
		goto out;
	*why = NULL;
	log_start(h);
	*out = h;
	h = NULL;
out:
	host_close(h);
	return err;
}

void host_collect(struct host *h)
{
	(void)writer_collect(h->writer);
	host_paced(h);
	if (h->dead != NULL) {
		host_drop_waiting(h);
		host_drop_changes(h);
	} else {
		host_retry(h);
	}
}

const char *host_dead(const struct host *h)
{
	return h->dead;
}

void host_close(struct host *h)
{
	if (h == NULL)
		return;
	h->closing = true;
	writer_stop(h->writer);
	h->writer = NULL;
	host_drop_waiting(h);
	host_drop_changes(h);
	store_close(h->store);
	replay_free(h->replay);
	access_free(h->access);
	host_cells_free(h);
	host_tasks_free(h);
	free(h->header.bytes);
	free(h->offered.bytes);
	if (h->keys != NULL)
		sodium_memzero(h->keys, sizeof *h->keys);
	slab_free(h->own_slab);
	sodium_memzero(h, sizeof *h);
	free(h);
}

/* ---- releases ---------------------------------------------------------------------------- */

static struct day_schedule schedule(const struct host *h)
{
	const struct policy *p = access_policy(h->access);
	struct day_schedule s = { .interval_min = 60 };

	if (p != NULL) {
		s.interval_min = p->release_minutes;
		if (p->surge_until != 0) {
			s.surge_interval_min = p->surge_minutes;
			s.surge_until_s = (int64_t)p->surge_until * 3600;
		}
	}
	return s;
}

/*
 * Due when the present interval is another one than at the last look, forwards or
 * backwards: so a clock that was set neither skips a release for hours nor repeats it.
 */
static bool release_is_due(struct host *h, int64_t now_s, int64_t *next_s)
{
	struct day_schedule s = schedule(h);
	bool due;

	*next_s = day_next_release(&s, now_s);
	due = h->last_slot != 0 && *next_s != h->last_slot;
	h->last_slot = *next_s;
	return due;
}

static void watch_disk(struct host *h)
{
	struct store_space space;

	if (store_space(h->store, &space) != PERR_OK)
		return;
	if (space.is_full && !h->told_full)
		host_log(h, "the disk is nearly full: new cells are refused until space is "
		            "freed (%llu MiB free, %llu MiB kept for release and erasure)",
		         (unsigned long long)(space.free_bytes >> 20),
		         (unsigned long long)(space.reserve_bytes >> 20));
	else if (!space.is_full && h->told_full)
		host_log(h, "there is space on the disk again: cells are accepted");
	h->told_full = space.is_full;
}

static void watch_clock(struct host *h, int64_t now_s)
{
	bool frozen = day_is_frozen(h->view.day, now_s);

	if (frozen && !h->told_frozen)
		host_log(h, "the clock is more than %d days ahead of the last release: cells are "
		            "accepted and released, nothing is settled, erased or expired until "
		            "an administrator's release order names the day", DAY_LEAP_MAX);
	h->told_frozen = frozen;
}

void host_release_due(struct host *h)
{
	h->release_due = false;
	watch_disk(h);
	host_release(h);
}

uint32_t host_tick(struct host *h)
{
	int64_t now_s, next_s, wait_s;
	bool slow;

	/* the moments of earlier visits, which any look at the clock left on this stack */
	sodium_stackzero(LOOP_STACK);
	now_s = h->env.unix_s(h->env.ctx);
	if (h->dead != NULL)
		return TICK_MAX_MS;
	slow = host_tick_slow(h);
	host_tick_changes(h);
	if (release_is_due(h, now_s, &next_s))
		h->release_due = true;
	if (h->release_due && !h->changing && !h->closing)
		host_release_due(h);
	watch_clock(h, now_s);
	if (slow)
		return TICK_SLOW_MS;
	if (h->release_due)
		return 1000;
	wait_s = next_s - now_s;
	if (wait_s <= 0)
		return 1000;
	return wait_s * 1000 < TICK_MAX_MS ? (uint32_t)wait_s * 1000 + 20 : TICK_MAX_MS;
}

/* ---- report ------------------------------------------------------------------------------ */

struct reporting {
	struct host_work w;
	struct host *h;
	struct host_report r;
	void (*done)(void *arg, const struct host_report *r);
	void *arg;
};

static void report_run(struct host_work *w)
{
	struct reporting *g = (struct reporting *)w;

	store_counts(g->h->store, &g->r.counts);
	g->r.err = store_space(g->h->store, &g->r.space);
}

static void report_done(struct host_work *w)
{
	struct reporting *g = (struct reporting *)w;
	struct host *h = g->h;
	struct day_schedule s = schedule(h);
	int64_t now_s = h->env.unix_s(h->env.ctx);

	g->r.day = host_day(h);
	g->r.frozen = day_is_frozen(h->view.day, now_s);
	g->r.has_policy = access_policy(h->access) != NULL;
	g->r.disk_full = g->r.space.is_full;
	g->r.release_running = h->changing;
	g->r.counter = access_known(h->access)->counter;
	g->r.bulletin_version = h->known.version;
	g->r.refused = h->sessions.n_refused;
	g->r.refused_full = h->n_full;
	g->r.alerts = h->n_alerts;
	g->r.next_release_s = day_next_release(&s, now_s);
	g->done(g->arg, &g->r);
	free(g);
}

enum perr host_report(struct host *h, void (*done)(void *arg, const struct host_report *r),
                      void *arg)
{
	struct reporting *g = calloc(1, sizeof *g);
	enum perr err = PERR_NOMEM;

	if (g == NULL)
		return err;
	g->w.run = report_run;
	g->w.done = report_done;
	g->h = h;
	g->done = done;
	g->arg = arg;
	err = h->env.offload(h->env.ctx, &g->w);
	if (err != PERR_OK)
		free(g);
	return err;
}
