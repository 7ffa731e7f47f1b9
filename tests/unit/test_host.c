/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * The server without its sockets: sessions, host, writer and a real store in a temporary
 * folder; a clock made here; what is offloaded runs at once.  All requests of PROTOCOL
 * section 6 go through it, by all scopes that may.
 */
#include "host.h"

#include <ftw.h>
#include <lmdb.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

#include "org.h"

#define DAY0 20000

static struct world {
	char dir[64];
	struct host *h;
	struct host_env env;
	int64_t unix_s;
	uint64_t now_ms;
	struct org org;
	uint8_t pk[32], setup[32];
	char logged[4096];
	sem_t notified;
} w;

static int64_t env_unix_s(void *ctx)
{
	return w.unix_s;
}

static uint64_t env_now_ms(void *ctx)
{
	return w.now_ms;
}

static enum perr env_offload(void *ctx, struct host_work *work)
{
	work->run(work);
	work->done(work);
	return PERR_OK;
}

static void env_hurry(void *ctx)
{
}

static void env_notify(void *ctx)
{
	sem_post(&w.notified);
}

/* until the writer has something, then take it */
static void collect(void)
{
	struct timespec until;

	(void)clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 20;
	assert_int_equal(sem_timedwait(&w.notified, &until), 0);
	host_collect(w.h);
}

static void env_log(void *ctx, const char *line)
{
	strncat(w.logged, line, sizeof w.logged - strlen(w.logged) - 2);
	strcat(w.logged, "\n");
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	return remove(path);
}

static void open_host(void)
{
	struct host_config cfg = { .cells_max = 0 };
	const char *why;

	assert_int_equal(host_open(&w.h, w.dir, &cfg, &w.env, &why), PERR_OK);
}

static void world_new(void)
{
	memset(&w, 0, sizeof w);
	(void)sem_init(&w.notified, 0, 0);
	strcpy(w.dir, "/tmp/amparo-host-XXXXXX");
	assert_non_null(mkdtemp(w.dir));
	w.unix_s = (int64_t)DAY0 * 86400 + 1000;
	w.now_ms = 1000000;
	w.env.unix_s = env_unix_s;
	w.env.now_ms = env_now_ms;
	w.env.offload = env_offload;
	w.env.hurry = env_hurry;
	w.env.notify = env_notify;
	w.env.log = env_log;
	w.env.rng = rng_system();
	org_init(&w.org, 1);
	assert_int_equal(host_create(w.dir, w.unix_s, rng_system(), w.pk, w.setup), PERR_OK);
	open_host();
}

static void world_free(void)
{
	host_close(w.h);
	org_free(&w.org);
	(void)nftw(w.dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* ---- a client ---------------------------------------------------------------------------- */

struct peer {
	struct session *s;
	struct channel ch;
	struct rpc_msg m;                /* the last answer */
	uint8_t kept[FRAME_SIZE];        /* what m borrows from */
	uint8_t cells[64][CELL_SIZE];    /* of a pull */
	uint32_t n_cells, next_id;
	bool bye;
};

static void on_wake(void *user)
{
}

/* swallow the session's output; true: an answer (or bye) is in p->m */
static bool listen(struct peer *p, enum rpc_method asked)
{
	struct session_out *o = session_take(p->s), *next;
	bool answered = false;
	size_t total = 0;

	for (; o != NULL; o = next) {
		size_t at = 0;

		next = o->next;
		while (at < o->len) {
			const uint8_t *msg;
			size_t used, len;
			enum rpc_type type;
			uint32_t id;

			assert_int_equal(channel_recv(&p->ch, o->bytes + at, o->len - at, &used,
			                              &msg, &len), PERR_OK);
			at += used;
			if (msg == NULL)
				continue;
			memcpy(p->kept, msg, len);
			assert_int_equal(rpc_peek(&type, &id, p->kept, len), PERR_OK);
			if (type == RPC_RESPONSE) {
				assert_int_equal(rpc_decode_response(&p->m, asked, p->kept, len),
				                 PERR_OK);
				answered = true;
				continue;
			}
			assert_int_equal(rpc_decode_notify(&p->m, p->kept, len), PERR_OK);
			if (p->m.method == RPC_BYE)
				p->bye = answered = true;
			else
				memcpy(p->cells[p->n_cells++], p->m.cell, CELL_SIZE);
		}
		total += o->len;
		free(o);
	}
	session_written(p->s, total);
	return answered;
}

/* false: silence */
static bool peer_new(struct peer *p, const uint8_t access[32])
{
	uint8_t first[NOISE_MSG_SIZE], derived[32];

	memset(p, 0, sizeof *p);
	channel_access(derived, access, w.pk);
	assert_int_equal(session_new(&p->s, host_sessions(w.h), on_wake, p), PERR_OK);
	assert_int_equal(channel_connect(&p->ch, first, w.pk, derived, rng_system()), PERR_OK);
	(void)session_recv(p->s, first, sizeof first, w.now_ms);
	(void)listen(p, RPC_HELLO);
	return session_state(p->s) == SESSION_OPEN;
}

static void peer_open(struct peer *p, enum rpc_scope scope)
{
	assert_true(peer_new(p, w.org.access[scope]));
}

static void peer_close(struct peer *p)
{
	session_free(p->s);
	channel_kill(&p->ch);
}

static void tell(struct peer *p, const struct rpc_msg *m)
{
	uint8_t frame[FRAME_SIZE];
	size_t len;

	assert_int_equal(rpc_encode(frame + 2, &len, m), PERR_OK);
	assert_int_equal(channel_send(&p->ch, frame, frame + 2, len), PERR_OK);
	assert_int_equal(session_recv(p->s, frame, sizeof frame, w.now_ms), sizeof frame);
}

/* RPC_OK or the error; the answer is in p->m */
static enum rpc_error ask(struct peer *p, struct rpc_msg *m)
{
	unsigned tries;

	m->type = RPC_REQUEST;
	m->msgid = ++p->next_id;
	p->n_cells = 0;
	tell(p, m);
	for (tries = 0; !listen(p, m->method); tries++) {
		assert_true(tries < 100);
		collect();
	}
	return p->m.error;
}

static enum rpc_error simple(struct peer *p, enum rpc_method method)
{
	struct rpc_msg m = { .method = method };

	return ask(p, &m);
}

static enum rpc_error upload(struct peer *p, const uint8_t *hash, const uint8_t *bytes,
                             size_t len)
{
	struct rpc_msg m = { .method = hash != NULL ? RPC_BULLETIN_PART : RPC_POLICY_PUT };
	size_t at = 0;
	enum rpc_error err = RPC_OK;

	m.total = (uint32_t)len;
	if (hash != NULL)
		memcpy(m.hash, hash, 32);
	while (at < len && err == RPC_OK) {
		m.offset = (uint32_t)at;
		m.bytes = bytes + at;
		m.bytes_len = len - at < RPC_PART_PUT ? len - at : RPC_PART_PUT;
		err = ask(p, &m);
		if (err == RPC_OK)
			at = p->m.total;
	}
	return err;
}

static enum rpc_error put_policy(const uint8_t access[32], uint32_t counter, unsigned scopes,
                                 unsigned tickets, unsigned signers)
{
	struct peer p;
	uint8_t *bytes;
	size_t len;
	enum rpc_error err;

	assert_true(peer_new(&p, access));
	org_policy(&w.org, w.pk, counter, scopes, tickets, signers, &bytes, &len);
	err = upload(&p, NULL, bytes, len);
	doc_free(bytes, len);
	peer_close(&p);
	return err;
}

static void world_with_policy(void)
{
	world_new();
	assert_int_equal(put_policy(w.setup, 1, 0x1e, 2, 2), RPC_OK);
}

static enum rpc_error order(enum rpc_method method, enum policy_order_kind kind, uint32_t counter,
                            const uint8_t *id, unsigned signers, uint32_t *n)
{
	struct peer p;
	struct rpc_msg m = { .method = method };
	uint8_t *bytes;
	enum rpc_error err;

	peer_open(&p, RPC_STEWARD);
	org_order(&w.org, w.pk, counter, kind, DAY0, id, signers, &bytes, &m.bytes_len);
	m.bytes = bytes;
	err = ask(&p, &m);
	if (n != NULL)
		*n = p.m.n;
	free(bytes);
	peer_close(&p);
	return err;
}

static void make_cell(uint8_t cell[CELL_SIZE], uint8_t ds[32], uint32_t number)
{
	uint8_t seed[32] = { 0 };

	memcpy(seed, &number, sizeof number);
	randombytes_buf_deterministic(cell, CELL_SIZE, seed);
	cell[31] &= 0x7f;
	memset(ds, (int)number + 1, 32);
	cell_tag(cell + CELL_TAG_AT, ds);
}

static uint8_t commit_one(struct peer *p, uint32_t number)
{
	uint8_t cell[CELL_SIZE], ds[32];
	struct rpc_msg m = { .type = RPC_NOTIFY, .method = RPC_PUT, .cell = cell };

	make_cell(cell, ds, number);
	tell(p, &m);
	assert_int_equal(simple(p, RPC_COMMIT), RPC_OK);
	assert_int_equal(p->m.bytes_len, 1);
	return p->m.bytes[0];
}

/* ---- founding ---------------------------------------------------------------------------- */

static void host_admits_the_setup_key_once(void **state)
{
	struct peer p, q;

	world_new();
	assert_false(peer_new(&q, w.org.access[RPC_STEWARD]));
	peer_close(&q);
	assert_true(peer_new(&p, w.setup));
	assert_int_equal(simple(&p, RPC_HELLO), RPC_OK);
	assert_int_equal(p.m.hello.policy_version, 0);
	assert_int_equal(p.m.hello.day, DAY0);
	assert_int_equal(simple(&p, RPC_STATUS), RPC_SCOPE);
	/* one signature of two is not enough, and does not use the key up */
	assert_int_equal(put_policy(w.setup, 1, 0x1e, 1, 1), RPC_SIGNATURE);
	assert_int_equal(put_policy(w.setup, 1, 0x1e, 1, 2), RPC_OK);
	/* the connection under the old key gets a goodbye, a new one silence */
	assert_int_equal(simple(&p, RPC_HELLO), RPC_OK);
	assert_true(p.bye);
	peer_close(&p);
	assert_false(peer_new(&q, w.setup));
	peer_close(&q);
	/* also after a restart */
	host_close(w.h);
	open_host();
	assert_false(peer_new(&q, w.setup));
	peer_close(&q);
	peer_open(&p, RPC_STEWARD);
	assert_int_equal(simple(&p, RPC_HELLO), RPC_OK);
	assert_int_equal(p.m.hello.policy_version, 1);
	assert_int_equal(p.m.hello.counter, 1);
	peer_close(&p);
	world_free();
}

static void host_follows_policies_with_rising_counters_only(void **state)
{
	struct peer field;

	world_with_policy();
	peer_open(&field, RPC_FIELD);
	assert_int_equal(commit_one(&field, 1), RPC_STORED);
	assert_int_equal(put_policy(w.org.access[RPC_STEWARD], 1, 0x1e, 1, 2), RPC_STALE);
	/* the field's key goes: its connections end, others go on */
	assert_int_equal(put_policy(w.org.access[RPC_STEWARD], 2, 0x1a, 1, 2), RPC_OK);
	assert_int_equal(simple(&field, RPC_HELLO), RPC_OK);
	assert_true(field.bye);
	peer_close(&field);
	assert_false(peer_new(&field, w.org.access[RPC_FIELD]));
	peer_close(&field);
	peer_open(&field, RPC_COUNSEL);
	peer_close(&field);
	world_free();
}

/* ---- cells ------------------------------------------------------------------------------- */

static void host_serves_cells_after_a_release_and_not_before(void **state)
{
	struct peer p;
	struct rpc_msg m;
	uint8_t cell[CELL_SIZE], ds[32], positions[8] = { 0, 0, 0, 2, 0, 0, 0, 0 };
	uint32_t i, n;

	world_with_policy();
	peer_open(&p, RPC_COUNSEL);
	for (i = 0; i < 3; i++)
		assert_int_equal(commit_one(&p, i), RPC_STORED);
	assert_int_equal(commit_one(&p, 1), RPC_ALREADY);
	m = (struct rpc_msg){ .method = RPC_SEGMENTS, .n = 64 };
	assert_int_equal(ask(&p, &m), RPC_OK);
	assert_int_equal(p.m.n, 0);
	assert_int_equal(order(RPC_RELEASE, POLICY_RELEASE, 2, NULL, 1, &n), RPC_OK);
	assert_int_equal(n, 3);
	assert_int_equal(simple(&p, RPC_HELLO), RPC_OK);
	assert_true(p.m.hello.has_newest);
	assert_int_equal(p.m.hello.newest_day, DAY0);
	assert_int_equal(ask(&p, &m), RPC_OK);
	assert_int_equal(p.m.n, 1);
	assert_int_equal(p.m.segments[0].count, 3);
	m = (struct rpc_msg){ .method = RPC_PULL, .day = DAY0,
	                      .release = p.m.segments[0].release, .n = 64 };
	n = m.release;
	assert_int_equal(ask(&p, &m), RPC_OK);
	assert_int_equal(p.n_cells, 3);
	assert_int_equal(p.m.n, 3);
	for (i = 0; i < 3; i++) {
		unsigned k, found = 0;

		make_cell(cell, ds, i);
		for (k = 0; k < 3; k++)
			found += memcmp(p.cells[k], cell, CELL_SIZE) == 0;
		assert_int_equal(found, 1);
	}
	memcpy(cell, p.cells[2], CELL_SIZE);
	m = (struct rpc_msg){ .method = RPC_FETCH, .day = DAY0, .release = n, .bytes = positions,
	                      .bytes_len = 8 };
	assert_int_equal(ask(&p, &m), RPC_OK);
	assert_int_equal(p.n_cells, 2);
	assert_memory_equal(p.cells[0], cell, CELL_SIZE);
	positions[3] = 3;                        /* beyond the end */
	assert_int_equal(ask(&p, &m), RPC_UNKNOWN);
	m = (struct rpc_msg){ .method = RPC_PEEK, .day = DAY0, .release = n, .from = 2 };
	assert_int_equal(ask(&p, &m), RPC_OK);
	assert_int_equal(p.m.bytes_len, 64);
	assert_memory_equal(p.m.bytes, cell, 64);
	m.release++;
	assert_int_equal(ask(&p, &m), RPC_UNKNOWN);
	m = (struct rpc_msg){ .method = RPC_PULL, .day = DAY0, .release = n, .from = 3, .n = 1 };
	assert_int_equal(ask(&p, &m), RPC_OK);
	assert_int_equal(p.m.n, 0);
	assert_int_equal(commit_one(&p, 2), RPC_ALREADY);
	peer_close(&p);
	world_free();
}

static uint8_t erase(struct peer *p, uint32_t number, bool right)
{
	uint8_t cell[CELL_SIZE], list[64];
	struct rpc_msg m = { .type = RPC_NOTIFY, .method = RPC_ERASE, .bytes = list,
	                     .bytes_len = 64 };

	make_cell(cell, list + 32, number);
	cell_id(list, cell);
	list[32] ^= !right;
	tell(p, &m);
	assert_int_equal(simple(p, RPC_COMMIT), RPC_OK);
	assert_int_equal(p->m.bytes_len, 1);
	return p->m.bytes[0];
}

static void host_erases_after_the_delay_unless_it_is_voided(void **state)
{
	struct peer p, steward;
	uint8_t cell[CELL_SIZE], ds[32], id[32];
	uint32_t n, i;

	world_with_policy();
	peer_open(&p, RPC_COUNSEL);
	for (i = 0; i < 3; i++)
		(void)commit_one(&p, i);
	assert_int_equal(order(RPC_RELEASE, POLICY_RELEASE, 2, NULL, 1, &n), RPC_OK);
	assert_int_equal(erase(&p, 0, false), RPC_NOT_KNOWN);
	assert_int_equal(erase(&p, 99, true), RPC_NOT_KNOWN);
	assert_int_equal(erase(&p, 0, true), RPC_ACCEPTED);
	assert_int_equal(erase(&p, 0, true), RPC_ALREADY);
	assert_int_equal(erase(&p, 1, true), RPC_ACCEPTED);
	make_cell(cell, ds, 1);
	cell_id(id, cell);
	peer_open(&steward, RPC_STEWARD);
	assert_int_equal(simple(&steward, RPC_STATUS), RPC_OK);
	assert_int_equal(steward.m.st.erasures, 2);
	assert_int_equal(steward.m.st.erase_day, DAY0 + 3);
	assert_int_equal(order(RPC_ERASE_VOID, POLICY_VOID, 3, id, 1, &n), RPC_SIGNATURE);
	assert_int_equal(order(RPC_ERASE_VOID, POLICY_VOID, 3, id, 2, &n), RPC_OK);
	assert_int_equal(n, 1);
	/* a day later nothing is gone; after 48 hours the one that was not voided */
	w.unix_s += 86400;
	assert_int_equal(order(RPC_RELEASE, POLICY_RELEASE, 4, NULL, 1, &n), RPC_OK);
	assert_int_equal(commit_one(&p, 0), RPC_ALREADY);
	w.unix_s += 2 * 86400;
	assert_int_equal(order(RPC_RELEASE, POLICY_RELEASE, 5, NULL, 1, &n), RPC_OK);
	assert_int_equal(commit_one(&p, 0), RPC_ERASED);
	assert_int_equal(commit_one(&p, 1), RPC_ALREADY);
	/* what was erased is not told from what was never there by those who do not know it;
	 * it was "already" for whoever asks again */
	assert_int_equal(erase(&p, 0, true), RPC_ALREADY);
	/* too late to void; and what was voided can be asked again, and rests again */
	make_cell(cell, ds, 0);
	cell_id(id, cell);
	assert_int_equal(order(RPC_ERASE_VOID, POLICY_VOID, 6, id, 2, &n), RPC_OK);
	assert_int_equal(n, 0);
	assert_int_equal(simple(&steward, RPC_STATUS), RPC_OK);
	assert_int_equal(steward.m.st.erasures, 0);
	assert_int_equal(steward.m.st.erase_day, 0);
	assert_int_equal(erase(&p, 1, true), RPC_ACCEPTED);
	assert_int_equal(simple(&steward, RPC_STATUS), RPC_OK);
	assert_int_equal(steward.m.st.erase_day, DAY0 + 6);
	w.unix_s += 2 * 86400;
	assert_int_equal(order(RPC_RELEASE, POLICY_RELEASE, 7, NULL, 1, &n), RPC_OK);
	assert_int_equal(commit_one(&p, 1), RPC_ALREADY);
	w.unix_s += 86400;
	assert_int_equal(order(RPC_RELEASE, POLICY_RELEASE, 8, NULL, 1, &n), RPC_OK);
	assert_int_equal(commit_one(&p, 1), RPC_ERASED);
	peer_close(&steward);
	peer_close(&p);
	world_free();
}

/* ---- limits ------------------------------------------------------------------------------ */

/* put one cell and ask for the commit; the answer is not waited for */
static void begin_commit(struct peer *p, uint32_t number, unsigned cells)
{
	uint8_t cell[CELL_SIZE], ds[32];
	struct rpc_msg m = { .type = RPC_NOTIFY, .method = RPC_PUT, .cell = cell };
	unsigned i;

	for (i = 0; i < cells; i++) {
		make_cell(cell, ds, number + i);
		tell(p, &m);
	}
	m = (struct rpc_msg){ .type = RPC_REQUEST, .method = RPC_COMMIT, .msgid = ++p->next_id };
	tell(p, &m);
}

/*
 * One turn of the slow line, which gives so many commits to the writer: which of n peers have
 * their answer afterwards.  Nothing else can answer before the next turn.
 */
static void one_turn(struct peer *p, size_t n, bool *answered, unsigned expected)
{
	size_t i;

	(void)host_tick(w.h);
	while (expected > 0) {
		collect();
		for (i = 0; i < n; i++) {
			if (!listen(&p[i], RPC_COMMIT))
				continue;
			assert_true(expected-- > 0);
			answered[i] = true;
		}
	}
}

#define FLOOD 20
static void host_gives_every_source_its_turn_when_a_scope_is_slowed(void **state)
{
	static struct peer p[FLOOD + 2];
	bool answered[FLOOD + 2] = { false };
	struct peer steward;
	unsigned i, n;

	world_new();
	w.org.alert_cells_per_hour = 1;
	assert_int_equal(put_policy(w.setup, 1, 0x1e, 2, 2), RPC_OK);
	for (i = 0; i < FLOOD + 2; i++) {
		peer_open(&p[i], RPC_FIELD);
		session_set_source(p[i].s, i < FLOOD ? 7 : 8 + i);
	}
	(void)host_tick(w.h);
	assert_int_equal(commit_one(&p[0], 1000), RPC_STORED);  /* the hour's allowance */
	assert_null(strstr(w.logged, "is slowed down"));
	/* one member with many connections, all before the two who have one each */
	for (i = 0; i < FLOOD + 2; i++)
		begin_commit(&p[i], i * 10, i < FLOOD ? 3 : 1);
	one_turn(p, FLOOD + 2, answered, 3);
	assert_true(answered[FLOOD] && answered[FLOOD + 1]);
	for (i = n = 0; i < FLOOD; i++)
		n += answered[i];
	assert_int_equal(n, 1);
	/* nobody is refused, and the flood has its turns */
	for (i = 1; i < FLOOD; i++)
		one_turn(p, FLOOD, answered, 1);
	for (i = 0; i < FLOOD; i++) {
		assert_true(answered[i]);
		assert_int_equal(p[i].m.bytes[0], RPC_STORED);
	}
	assert_non_null(strstr(w.logged, "it is slowed down, nothing is refused"));
	peer_open(&steward, RPC_STEWARD);
	assert_int_equal(simple(&steward, RPC_STATUS), RPC_OK);
	assert_int_equal(steward.m.st.alerts, 1);
	assert_int_equal(steward.m.st.refused, 0);
	assert_false(steward.m.st.full);
	/* all from one address, as behind an onion service: who sent the least goes first */
	memset(answered, 0, sizeof answered);
	for (i = 0; i < FLOOD + 1; i++) {
		session_set_source(p[i].s, 0);
		begin_commit(&p[i], 5000 + i * 10, 1);
	}
	one_turn(p, FLOOD + 1, answered, 1);
	assert_true(answered[FLOOD]);
	for (i = 0; i < FLOOD; i++)
		assert_false(answered[i]);
	peer_close(&steward);
	for (i = 0; i < FLOOD + 2; i++)
		peer_close(&p[i]);
	world_free();
}

/* a commit of the disk, held back */
static _Atomic int hold_in;
static sem_t held, go;

int __real_mdb_txn_commit(MDB_txn *txn);
int __wrap_mdb_txn_commit(MDB_txn *txn);
int __wrap_mdb_txn_commit(MDB_txn *txn)
{
	if (atomic_load(&hold_in) > 0 && atomic_fetch_sub(&hold_in, 1) == 1) {
		sem_post(&held);
		sem_wait(&go);
	}
	return __real_mdb_txn_commit(txn);
}

static void begin_erasures(struct peer *p, unsigned n)
{
	uint8_t list[64 * 64];
	struct rpc_msg m = { .type = RPC_NOTIFY, .method = RPC_ERASE, .bytes = list };
	unsigned k;

	randombytes_buf(list, sizeof list);
	for (; n > 0; n -= k) {
		k = n < 64 ? n : 64;
		m.bytes_len = (size_t)k * 64;
		tell(p, &m);
	}
	m = (struct rpc_msg){ .type = RPC_REQUEST, .method = RPC_COMMIT, .msgid = ++p->next_id };
	tell(p, &m);
}

/* Erasures wait for the release that is being written; were they counted with the cells, so
 * would everybody's. */
static void host_stores_cells_while_a_release_writes_and_erasures_wait(void **state)
{
	static struct peer p[4];
	struct peer f;
	unsigned i;

	world_with_policy();
	peer_open(&f, RPC_FIELD);
	(void)host_tick(w.h);
	assert_int_equal(commit_one(&f, 1), RPC_STORED);
	for (i = 0; i < 4; i++)
		peer_open(&p[i], RPC_COUNSEL);
	atomic_store(&hold_in, 2);               /* the fresh pool's, then the segment's */
	w.unix_s += 3600;
	(void)host_tick(w.h);
	assert_int_equal(sem_wait(&held), 0);
	/* more than a share can ever be */
	for (i = 0; i < 4; i++) {
		begin_erasures(&p[i], 3000);
		begin_erasures(&p[i], 3000);
	}
	begin_commit(&f, 100, 3);
	while (!listen(&f, RPC_COMMIT))
		collect();
	assert_int_equal(f.m.bytes_len, 3);
	assert_int_equal(f.m.bytes[0], RPC_STORED);
	for (i = 0; i < 4; i++)
		assert_false(listen(&p[i], RPC_COMMIT));
	sem_post(&go);
	for (i = 0; i < 4; i++) {
		while (!listen(&p[i], RPC_COMMIT))
			collect();
		assert_int_equal(p[i].m.bytes[0], RPC_NOT_KNOWN);
		peer_close(&p[i]);
	}
	peer_close(&f);
	world_free();
}

static void host_counts_what_a_full_disk_refuses(void **state)
{
	struct peer p, steward;
	uint32_t n;

	world_with_policy();
	peer_open(&p, RPC_COUNSEL);
	assert_int_equal(commit_one(&p, 0), RPC_STORED);
	assert_int_equal(order(RPC_RELEASE, POLICY_RELEASE, 2, NULL, 1, &n), RPC_OK);
	w.org.reserve_mib = 1u << 30;
	assert_int_equal(put_policy(w.org.access[RPC_STEWARD], 3, 0x1e, 2, 2), RPC_OK);
	assert_int_equal(commit_one(&p, 1), RPC_DISK_FULL);
	assert_int_equal(commit_one(&p, 2), RPC_DISK_FULL);
	assert_int_equal(erase(&p, 0, true), RPC_ACCEPTED);
	peer_open(&steward, RPC_STEWARD);
	assert_int_equal(simple(&steward, RPC_STATUS), RPC_OK);
	assert_int_equal(steward.m.st.refused_full, 2);
	assert_int_equal(steward.m.st.reserve_mib, 1u << 30);
	assert_true(steward.m.st.full);
	w.unix_s += 86400;
	assert_int_equal(order(RPC_RELEASE, POLICY_RELEASE, 4, NULL, 1, &n), RPC_OK);
	w.unix_s += 2 * 86400;
	assert_int_equal(order(RPC_RELEASE, POLICY_RELEASE, 5, NULL, 1, &n), RPC_OK);
	assert_int_equal(commit_one(&p, 0), RPC_ERASED);
	w.org.reserve_mib = 1;
	assert_int_equal(put_policy(w.org.access[RPC_STEWARD], 6, 0x1e, 2, 2), RPC_OK);
	assert_int_equal(commit_one(&p, 1), RPC_STORED);
	assert_int_equal(simple(&steward, RPC_STATUS), RPC_OK);
	assert_false(steward.m.st.full);
	peer_close(&steward);
	peer_close(&p);
	world_free();
}

static void host_settles_when_the_policy_says(void **state)
{
	struct peer p, steward;
	uint32_t n, i;

	world_new();
	w.org.settle_days = 4;
	assert_int_equal(put_policy(w.setup, 1, 0x1e, 2, 2), RPC_OK);
	peer_open(&p, RPC_FIELD);
	peer_open(&steward, RPC_STEWARD);
	for (i = 0; i < 2; i++) {
		assert_int_equal(commit_one(&p, i), RPC_STORED);
		assert_int_equal(order(RPC_RELEASE, POLICY_RELEASE, 2 + i, NULL, 1, &n), RPC_OK);
	}
	/* in steps the clock may take */
	for (i = 0; i < 5; i++) {
		w.unix_s += 86400;
		assert_int_equal(order(RPC_RELEASE, POLICY_RELEASE, 4 + i, NULL, 1, &n), RPC_OK);
		assert_int_equal(simple(&steward, RPC_STATUS), RPC_OK);
		assert_int_equal(steward.m.st.segments, i < 4 ? 2 : 1);
	}
	peer_close(&steward);
	peer_close(&p);
	world_free();
}

/* ---- orders ------------------------------------------------------------------------------ */

static void host_refuses_replayed_and_forged_orders(void **state)
{
	struct peer p;
	struct rpc_msg m = { .method = RPC_RELEASE };
	uint8_t *bytes;
	uint32_t n;

	world_with_policy();
	peer_open(&p, RPC_STEWARD);
	org_order(&w.org, w.pk, 7, POLICY_RELEASE, DAY0, NULL, 1, &bytes, &m.bytes_len);
	m.bytes = bytes;
	assert_int_equal(ask(&p, &m), RPC_OK);
	assert_int_equal(p.m.release, 0);        /* there was nothing to release */
	assert_int_equal(ask(&p, &m), RPC_STALE);
	m.method = RPC_BOARD_CLEAR;
	assert_int_equal(ask(&p, &m), RPC_STALE);
	m.method = RPC_RELEASE;
	bytes[m.bytes_len - 1] ^= 1;
	assert_int_not_equal(ask(&p, &m), RPC_OK);
	free(bytes);
	/* also after a restart */
	peer_close(&p);
	host_close(w.h);
	open_host();
	assert_int_equal(order(RPC_RELEASE, POLICY_RELEASE, 7, NULL, 1, &n), RPC_STALE);
	assert_int_equal(order(RPC_RELEASE, POLICY_RELEASE, 8, NULL, 1, &n), RPC_OK);
	world_free();
}

/* ---- board ------------------------------------------------------------------------------- */

static uint8_t board_put(struct peer *p, uint32_t number, const uint8_t *ds_of_old)
{
	uint8_t cell[CELL_SIZE], ds[32];
	struct rpc_msg m = { .method = RPC_BOARD_PUT, .cell = cell, .ds = ds_of_old };

	make_cell(cell, ds, number);
	assert_int_equal(ask(p, &m), RPC_OK);
	return p->m.status;
}

static uint32_t board_count(struct peer *p)
{
	struct rpc_msg m = { .method = RPC_BOARD_GET };
	uint32_t n, i;

	assert_int_equal(ask(p, &m), RPC_OK);
	n = p->m.n;
	for (i = 0; i <= n; i++) {
		m.from = i;
		assert_int_equal(ask(p, &m), RPC_OK);
		assert_int_equal(p->m.cell != NULL, i < n);
	}
	return n;
}

static void host_changes_the_board_at_releases(void **state)
{
	struct peer p;
	uint8_t cell[CELL_SIZE], ds[32], before[32];
	uint32_t n;

	world_with_policy();
	peer_open(&p, RPC_COUNSEL);
	assert_int_equal(board_put(&p, 1, NULL), RPC_ACCEPTED);
	assert_int_equal(board_put(&p, 1, NULL), RPC_ALREADY);
	assert_int_equal(board_put(&p, 2, NULL), RPC_ACCEPTED);
	assert_int_equal(board_count(&p), 0);
	assert_int_equal(simple(&p, RPC_HELLO), RPC_OK);
	memcpy(before, p.m.hello.board_digest, 32);
	assert_int_equal(order(RPC_RELEASE, POLICY_RELEASE, 2, NULL, 1, &n), RPC_OK);
	assert_int_equal(board_count(&p), 2);
	assert_int_equal(simple(&p, RPC_HELLO), RPC_OK);
	assert_memory_not_equal(before, p.m.hello.board_digest, 32);
	make_cell(cell, ds, 1);
	assert_int_equal(board_put(&p, 3, ds), RPC_ACCEPTED);
	assert_int_equal(order(RPC_RELEASE, POLICY_RELEASE, 3, NULL, 1, &n), RPC_OK);
	assert_int_equal(board_count(&p), 2);
	assert_int_equal(order(RPC_BOARD_CLEAR, POLICY_CLEAR_BOARD, 4, NULL, 1, &n), RPC_SIGNATURE);
	assert_int_equal(order(RPC_BOARD_CLEAR, POLICY_CLEAR_BOARD, 4, NULL, 2, &n), RPC_OK);
	assert_int_equal(n, 2);
	assert_int_equal(board_count(&p), 0);
	peer_close(&p);
	world_free();
}

/* ---- joining ----------------------------------------------------------------------------- */

static uint8_t join_put(const uint8_t ticket[16], uint32_t number)
{
	uint8_t cell[CELL_SIZE], ds[32], status;
	struct rpc_msg m = { .method = RPC_JOIN_PUT, .cell = cell, .ticket = ticket };
	struct peer p;

	peer_open(&p, RPC_GUEST);
	make_cell(cell, ds, number);
	assert_int_equal(ask(&p, &m), RPC_OK);
	status = p.m.status;
	peer_close(&p);
	return status;
}

static uint32_t join_count(void)
{
	struct rpc_msg m = { .method = RPC_JOIN_LIST };
	struct peer p;
	uint32_t n;

	peer_open(&p, RPC_STEWARD);
	assert_int_equal(ask(&p, &m), RPC_OK);
	n = p.m.n;
	assert_int_equal(p.m.cell != NULL, n > 0);
	m.from = n;
	assert_int_equal(ask(&p, &m), RPC_OK);
	assert_null(p.m.cell);
	peer_close(&p);
	return n;
}

static void host_keeps_one_join_answer_per_open_ticket(void **state)
{
	static const uint8_t unknown[16] = { 9 };

	world_with_policy();
	assert_int_equal(join_put(unknown, 1), RPC_NOT_KNOWN);
	assert_int_equal(join_put(w.org.ticket[0], 1), RPC_STORED);
	assert_int_equal(join_put(w.org.ticket[0], 1), RPC_ALREADY);
	assert_int_equal(join_put(w.org.ticket[0], 2), RPC_NOT_KNOWN);
	assert_int_equal(join_put(w.org.ticket[1], 3), RPC_STORED);
	assert_int_equal(join_count(), 2);
	/* the second ticket is closed: its answer goes with it */
	assert_int_equal(put_policy(w.org.access[RPC_STEWARD], 2, 0x1e, 1, 2), RPC_OK);
	assert_int_equal(join_count(), 1);
	assert_int_equal(join_put(w.org.ticket[1], 3), RPC_NOT_KNOWN);
	world_free();
}

/* ---- bulletin ---------------------------------------------------------------------------- */

static void upload_parts(struct peer *p, uint32_t version)
{
	uint8_t part[ORG_PART_LEN], name[32];
	int i;

	for (i = 0; i < 3; i++) {
		org_part(part, version, i, name);
		assert_int_equal(upload(p, name, part, sizeof part), RPC_OK);
	}
	org_part(part, version, 3, name);
	bulletin_part_name(name, part, 16 * BULLETIN_SLOT_SIZE);
	assert_int_equal(upload(p, name, part, 16 * BULLETIN_SLOT_SIZE), RPC_OK);
}

static enum rpc_error publish(struct peer *p, uint32_t version, const uint8_t previous[32],
                              const uint8_t current[32], unsigned signers, uint8_t hash[32])
{
	struct rpc_msg m = { .method = RPC_BULLETIN_COMMIT };
	uint8_t *bytes;
	size_t len;
	enum rpc_error err;

	org_header(&w.org, version, previous, signers, &bytes, &len, hash);
	err = upload(p, hash, bytes, len);
	free(bytes);
	if (err != RPC_OK)
		return err;
	memcpy(m.hash, hash, 32);
	memcpy(m.digest, current, 32);
	return ask(p, &m);
}

static size_t download(struct peer *p, const uint8_t hash[32], uint8_t *out, size_t size)
{
	struct rpc_msg m = { .method = RPC_BULLETIN_GET };
	size_t at = 0;

	memcpy(m.hash, hash, 32);
	do {
		m.offset = (uint32_t)at;
		if (ask(p, &m) != RPC_OK)
			return 0;
		assert_true(at + p->m.bytes_len <= size);
		memcpy(out + at, p->m.bytes, p->m.bytes_len);
		at += p->m.bytes_len;
	} while (p->m.bytes_len > 0 && at < p->m.total);
	return at;
}

static void host_switches_the_bulletin_when_all_of_it_is_there(void **state)
{
	static const uint8_t zeros[32];
	uint8_t part[ORG_PART_LEN], name[32], got[65536], h1[32], h2[32], other[32];
	struct peer p, guest;
	struct bulletin *b = malloc(sizeof *b);
	struct admins *who = malloc(sizeof *who);

	world_with_policy();
	peer_open(&p, RPC_STEWARD);
	assert_int_equal(publish(&p, 1, zeros, zeros, 1, h1), RPC_SIGNATURE);
	assert_int_equal(publish(&p, 1, zeros, zeros, 2, h1), RPC_UNKNOWN);     /* no part is there */
	upload_parts(&p, 1);
	assert_int_equal(publish(&p, 1, zeros, zeros, 2, h1), RPC_OK);
	assert_int_equal(p.m.status, RPC_STORED);

	peer_open(&guest, RPC_GUEST);
	assert_int_equal(simple(&guest, RPC_HELLO), RPC_OK);
	assert_int_equal(guest.m.hello.bulletin_version, 1);
	assert_memory_equal(guest.m.hello.header_hash, h1, 32);
	assert_int_equal(bulletin_open(b, who, other, got, download(&guest, h1, got, sizeof got)),
	                 PERR_OK);
	assert_memory_equal(other, h1, 32);
	org_part(part, 1, 0, name);
	assert_int_equal(download(&guest, name, got, sizeof got), ORG_PART_LEN);
	assert_memory_equal(got, part, ORG_PART_LEN);

	/* two administrators at once: the second is told that it builds on an old one */
	upload_parts(&p, 2);
	assert_int_equal(publish(&p, 2, h1, zeros, 2, h2), RPC_STALE);
	assert_int_equal(publish(&p, 2, h1, h1, 2, h2), RPC_OK);
	assert_int_equal(publish(&p, 2, h2, h2, 2, other), RPC_STALE);   /* not a higher version */
	/* the parts of the first are gone */
	assert_int_equal(download(&guest, name, got, sizeof got), 0);

	peer_close(&p);
	peer_close(&guest);
	host_close(w.h);
	open_host();
	peer_open(&guest, RPC_FIELD);
	assert_int_equal(simple(&guest, RPC_HELLO), RPC_OK);
	assert_int_equal(guest.m.hello.bulletin_version, 2);
	assert_memory_equal(guest.m.hello.header_hash, h2, 32);
	assert_true(download(&guest, h2, got, sizeof got) > 0);
	peer_close(&guest);
	free(b);
	free(who);
	world_free();
}

static void host_refuses_parts_that_are_not_what_they_are_called(void **state)
{
	uint8_t part[ORG_PART_LEN], name[32];
	struct rpc_msg m = { .method = RPC_BULLETIN_PART };
	struct peer p;

	world_with_policy();
	peer_open(&p, RPC_STEWARD);
	org_part(part, 1, 0, name);
	part[77] ^= 1;
	assert_int_equal(upload(&p, name, part, sizeof part), RPC_MALFORMED);
	part[77] ^= 1;
	assert_int_equal(upload(&p, name, part, sizeof part), RPC_OK);
	m.total = BULLETIN_PART_MAX + 1;
	m.bytes = part;
	m.bytes_len = 10;
	assert_int_equal(ask(&p, &m), RPC_LIMIT);
	peer_close(&p);
	world_free();
}

/* ---- time -------------------------------------------------------------------------------- */

static void host_releases_on_schedule_once(void **state)
{
	struct peer p, f;
	uint32_t i;

	world_with_policy();
	peer_open(&p, RPC_STEWARD);
	peer_open(&f, RPC_FIELD);
	(void)host_tick(w.h);
	for (i = 0; i < 3; i++) {
		assert_int_equal(commit_one(&f, i), RPC_STORED);
		/* within the hour nothing happens; jobs are done in order, so the answer to
		 * this commit would come after a release */
		w.unix_s += 60;
		(void)host_tick(w.h);
		assert_int_equal(commit_one(&f, i), RPC_ALREADY);
		assert_int_equal(simple(&p, RPC_STATUS), RPC_OK);
		assert_int_equal(p.m.st.cells_waiting, 1);
		w.unix_s += 3600;
		(void)host_tick(w.h);
		/* commits may overtake a release, a change of the board waits for it */
		assert_int_equal(order(RPC_BOARD_CLEAR, POLICY_CLEAR_BOARD, 2 + i, NULL, 2, NULL),
		                 RPC_OK);
		assert_int_equal(simple(&p, RPC_STATUS), RPC_OK);
		assert_int_equal(p.m.st.cells_waiting, 0);
		assert_int_equal(p.m.st.segments, i + 1);
	}
	assert_true(host_tick(w.h) <= 10000);
	peer_close(&p);
	peer_close(&f);
	world_free();
}

/* an order that is on its way; its answer is not awaited */
static void give(struct peer *p, uint32_t counter)
{
	struct rpc_msg m = { .type = RPC_REQUEST, .method = RPC_BOARD_CLEAR };
	uint8_t *bytes;

	peer_open(p, RPC_STEWARD);
	org_order(&w.org, w.pk, counter, POLICY_CLEAR_BOARD, DAY0, NULL, 2, &bytes, &m.bytes_len);
	m.bytes = bytes;
	m.msgid = ++p->next_id;
	tell(p, &m);
	free(bytes);
}

#define WAITERS 17                       /* 16 that wait, one too many */

/* the writer holds the release of the hour; until it is collected nothing else can begin */
static void host_lets_changes_wait_their_turn_in_order(void **state)
{
	static struct peer p[WAITERS];
	unsigned i, n;

	world_with_policy();
	w.unix_s += 3600;
	(void)host_tick(w.h);
	w.unix_s += 3600;
	(void)host_tick(w.h);
	for (i = 0; i < WAITERS; i++) {
		give(&p[i], 2 + i);
		assert_int_equal(listen(&p[i], RPC_BOARD_CLEAR), i == 16);
	}
	assert_int_equal(p[16].m.error, RPC_LATER);
	/* who went away meanwhile was heard all the same */
	peer_close(&p[3]);
	for (n = 0; !listen(&p[15], RPC_BOARD_CLEAR); n++) {
		assert_true(n < 200);
		collect();
	}
	assert_int_equal(p[15].m.error, RPC_OK);
	for (i = 0; i < 15; i++)
		if (i != 3) {
			assert_true(listen(&p[i], RPC_BOARD_CLEAR));
			assert_int_equal(p[i].m.error, RPC_OK);
		}
	/* each took its number, in the order in which they came */
	assert_int_equal(order(RPC_BOARD_CLEAR, POLICY_CLEAR_BOARD, 17, NULL, 2, NULL), RPC_STALE);
	assert_int_equal(order(RPC_BOARD_CLEAR, POLICY_CLEAR_BOARD, 18, NULL, 2, NULL), RPC_OK);
	for (i = 0; i < WAITERS; i++)
		if (i != 3)
			peer_close(&p[i]);
	world_free();
}

static void host_tells_changes_that_waited_long_to_come_again(void **state)
{
	struct peer p, q;

	world_with_policy();
	w.unix_s += 3600;
	(void)host_tick(w.h);
	w.unix_s += 3600;
	(void)host_tick(w.h);
	give(&p, 2);
	w.now_ms += 9999;
	(void)host_tick(w.h);
	assert_false(listen(&p, RPC_BOARD_CLEAR));
	w.now_ms += 1;
	(void)host_tick(w.h);
	assert_true(listen(&p, RPC_BOARD_CLEAR));
	assert_int_equal(p.m.error, RPC_LATER);
	/* its number is not used up */
	assert_int_equal(order(RPC_BOARD_CLEAR, POLICY_CLEAR_BOARD, 2, NULL, 2, NULL), RPC_OK);
	/* the server stops while one waits: it is not carried out */
	w.unix_s += 3600;
	(void)host_tick(w.h);
	give(&q, 3);
	peer_close(&p);
	peer_close(&q);
	host_close(w.h);
	open_host();
	assert_int_equal(order(RPC_BOARD_CLEAR, POLICY_CLEAR_BOARD, 3, NULL, 2, NULL), RPC_OK);
	world_free();
}

static void host_gives_no_buffer_on_with_a_cell_in_it(void **state)
{
	struct session_host *sh;
	uint8_t *cell, *again;

	world_new();
	sh = host_sessions(w.h);
	cell = sh->cell_take(sh->ctx, 0);
	assert_non_null(cell);
	memset(cell, 0xc5, STORE_CELL);
	sh->cell_give(sh->ctx, cell);
	/* the same one; its first bytes linked it to others meanwhile */
	again = sh->cell_take(sh->ctx, 0);
	assert_ptr_equal(again, cell);
	assert_true(sodium_is_zero(again + sizeof(void *), STORE_CELL - sizeof(void *)));
	sh->cell_give(sh->ctx, again);
	world_free();
}

static void host_logs_neither_ids_nor_addresses(void **state)
{
	struct peer p;
	uint32_t n;

	world_with_policy();
	peer_open(&p, RPC_FIELD);
	(void)commit_one(&p, 1);
	assert_int_equal(order(RPC_RELEASE, POLICY_RELEASE, 2, NULL, 1, &n), RPC_OK);
	peer_close(&p);
	host_close(w.h);
	/* no run of 16 hex digits, no dotted quad */
	for (n = 0; w.logged[n] != '\0'; n++)
		assert_true(strspn(w.logged + n, "0123456789abcdef") < 16);
	assert_non_null(strstr(w.logged, "released 1 cells"));
	open_host();
	world_free();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(host_admits_the_setup_key_once),
		cmocka_unit_test(host_follows_policies_with_rising_counters_only),
		cmocka_unit_test(host_serves_cells_after_a_release_and_not_before),
		cmocka_unit_test(host_erases_after_the_delay_unless_it_is_voided),
		cmocka_unit_test(host_gives_every_source_its_turn_when_a_scope_is_slowed),
		cmocka_unit_test(host_stores_cells_while_a_release_writes_and_erasures_wait),
		cmocka_unit_test(host_counts_what_a_full_disk_refuses),
		cmocka_unit_test(host_settles_when_the_policy_says),
		cmocka_unit_test(host_refuses_replayed_and_forged_orders),
		cmocka_unit_test(host_changes_the_board_at_releases),
		cmocka_unit_test(host_keeps_one_join_answer_per_open_ticket),
		cmocka_unit_test(host_switches_the_bulletin_when_all_of_it_is_there),
		cmocka_unit_test(host_refuses_parts_that_are_not_what_they_are_called),
		cmocka_unit_test(host_releases_on_schedule_once),
		cmocka_unit_test(host_lets_changes_wait_their_turn_in_order),
		cmocka_unit_test(host_tells_changes_that_waited_long_to_come_again),
		cmocka_unit_test(host_gives_no_buffer_on_with_a_cell_in_it),
		cmocka_unit_test(host_logs_neither_ids_nor_addresses),
	};

	(void)sem_init(&held, 0, 0);
	(void)sem_init(&go, 0, 0);
	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
