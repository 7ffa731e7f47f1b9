/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "night.h"

#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "case.h"
#include "host_int.h"
#include "must.h"
#include "night_int.h"
#include "org.h"
#include "prekeys.h"
#include "roster.h"
#include "rpc.h"
#include "steward.h"

#define DAY      86400
#define DAY_ONE  ((int64_t)20000 * DAY)
#define AT(day, hour, minute) (DAY_ONE + (int64_t)(day) * DAY + (hour) * 3600 + (minute) * 60)
#define ERASED   8u

/* ---- randomness from the seed ------------------------------------------------------------ */

static pthread_mutex_t random_mu = PTHREAD_MUTEX_INITIALIZER;
static struct rng_seeded random_state;
static struct rng random_rng;

static void random_buf(void *const buf, const size_t len)
{
	pthread_mutex_lock(&random_mu);
	rng_fill(random_rng, buf, len);
	pthread_mutex_unlock(&random_mu);
}

static uint32_t random_u32(void)
{
	uint32_t v;

	random_buf(&v, sizeof v);
	return v;
}

static const char *random_name(void)
{
	return "a seed";
}

static struct randombytes_implementation random_seeded = {
	.implementation_name = random_name, .random = random_u32, .buf = random_buf
};

static void random_seed(const uint8_t seed[32])
{
	pthread_mutex_lock(&random_mu);
	memset(&random_state, 0, sizeof random_state);
	random_rng = rng_seeded(&random_state, seed);
	pthread_mutex_unlock(&random_mu);
}

void night_init(void)
{
	static const uint8_t any[32];

	random_seed(any);
	if (randombytes_set_implementation(&random_seeded) != 0 || sodium_init() < 0)
		must_fail("libsodium does not start");
}

/* ---- what somebody asks who has every key ------------------------------------------------ */

struct asking {
	struct night *n;
	struct night_talk t;
	struct rpc_segment segments[64];
	uint32_t n_segments, total;
};

static void take_answer(void *ud, enum perr err, const struct rpc_msg *m)
{
	struct asking *a = ud;

	if (err != PERR_OK)
		must_fail("a question was refused: %s", perr_text(err));
	if (m->method == RPC_SEGMENTS) {
		a->n_segments = m->n;
		memcpy(a->segments, m->segments, m->n * sizeof m->segments[0]);
	}
	if (m->method == RPC_BOARD_GET || m->method == RPC_JOIN_LIST)
		a->total = m->n;
}

static void take_cell(void *ud, const uint8_t cell[CELL_SIZE])
{
	(void)ud;
	(void)cell;
}

static void ask(struct asking *a, const struct rpc_msg *m)
{
	must(m->method == RPC_PULL || m->method == RPC_FETCH
	         ? peer_call_cells(a->t.p, m, take_cell, take_answer, a)
	         : peer_call(a->t.p, m, take_answer, a), "peer_call");
	night_talk_run(&a->t);
}

static void ask_position(struct asking *a, enum rpc_method method)
{
	struct rpc_msg m = { .method = method };

	a->total = 1;
	for (m.from = 0; m.from < a->total; m.from++)
		ask(a, &m);
}

static void ask_segments(struct asking *a)
{
	struct rpc_msg m = { .method = RPC_SEGMENTS, .n = 64 };
	uint8_t positions[4 * 16];
	uint32_t i, j;

	ask(a, &m);
	for (i = 0; i < a->n_segments; i++) {
		m.day = a->segments[i].day;
		m.release = a->segments[i].release;
		for (m.from = 0; m.from < a->segments[i].count; m.from += RPC_BATCH) {
			m.n = RPC_BATCH;
			m.method = RPC_PULL;
			ask(a, &m);
			m.method = RPC_PEEK;
			ask(a, &m);
		}
		for (j = 0; j < 16; j++) {
			uint32_t at = j * 7 % a->segments[i].count;

			positions[4 * j] = positions[4 * j + 1] = 0;
			positions[4 * j + 2] = (uint8_t)(at >> 8);
			positions[4 * j + 3] = (uint8_t)at;
		}
		m.method = RPC_FETCH;
		m.bytes = positions;
		m.bytes_len = sizeof positions;
		ask(a, &m);
	}
}

/* every question of every scope that changes nothing */
static void ask_all(struct night *n)
{
	enum rpc_scope scope;
	uint8_t key[32];

	for (scope = RPC_GUEST; scope <= RPC_STEWARD; scope++) {
		struct asking *a = must_alloc(1, sizeof *a);
		struct rpc_msg hello = { .method = RPC_HELLO }, status = { .method = RPC_STATUS };
		struct rpc_msg get = { .method = RPC_BULLETIN_GET };

		a->n = n;
		must(client_access(n->p[ADMIN].c, scope, key), "client_access");
		night_talk_open(n, &a->t, key);
		ask(a, &hello);
		memcpy(get.hash, n->p[ADMIN].c->header_hash, 32);
		ask(a, &get);
		if (rpc_allowed(RPC_BOARD_GET, scope))
			ask_position(a, RPC_BOARD_GET);
		if (rpc_allowed(RPC_SEGMENTS, scope))
			ask_segments(a);
		if (rpc_allowed(RPC_JOIN_LIST, scope))
			ask_position(a, RPC_JOIN_LIST);
		if (rpc_allowed(RPC_STATUS, scope))
			ask(a, &status);
		night_talk_close(&a->t);
		free(a);
	}
}

static void erase_some(struct night *n)
{
	struct night_cell cells[ERASED];
	uint8_t list[ERASED * 64], key[32];
	struct rpc_msg erase = { .method = RPC_ERASE, .bytes = list, .bytes_len = sizeof list };
	struct rpc_msg commit = { .method = RPC_COMMIT };
	struct asking *a = must_alloc(1, sizeof *a);
	size_t i;

	night_to_erase(n, cells, ERASED);
	for (i = 0; i < ERASED; i++) {
		memcpy(list + 64 * i, cells[i].id, 32);
		memcpy(list + 64 * i + 32, cells[i].ds, 32);
	}
	must(client_access(n->p[HOLDER0].c, RPC_COUNSEL, key), "client_access");
	night_talk_open(n, &a->t, key);
	must(peer_notify(a->t.p, &erase), "peer_notify");
	ask(a, &commit);
	night_talk_close(&a->t);
	free(a);
}

/* ---- measuring --------------------------------------------------------------------------- */

struct measure {
	struct night *n;
	struct features f;
	int with_leaks;
	struct {
		size_t start;
		struct features f;
	} leak[NIGHT_LEAKS];
};

/* the newest one: at the time of the surge it holds what the holders sent */
static const struct image_file *last_segment(const struct image *im)
{
	size_t i;

	for (i = im->n; i > 0; i--)
		if (strncmp(im->v[i - 1].name, "segments/", 9) == 0)
			return &im->v[i - 1];
	must_fail("nothing was released");
}

/* the same folder with one file replaced */
static void leak_file(struct measure *m, enum night_leak leak, size_t start, struct image *im,
                      const struct image_file *old, struct image_file leaky, const char *label)
{
	struct image_file *at = &im->v[old - im->v], kept = *at;

	m->leak[leak].start = start;
	feature_init(&m->leak[leak].f, 0);
	*at = leaky;
	image_features(&m->leak[leak].f, im, &m->n->arrivals, label);
	*at = kept;
	free(leaky.bytes);
}

static void cell_features(struct features *f, const uint8_t *cells, size_t n)
{
	feature_bits(f, cells, n, CELL_SIZE, CELL_SIZE, "released cells");
	feature_values(f, cells, n, CELL_SIZE, CELL_SIZE, "released cells");
	feature_means(f, cells, n, CELL_SIZE, CELL_SIZE, 16, "released cells");
}

static void leak_cells(struct measure *m, enum night_leak leak, size_t start,
                       const uint8_t *cells, size_t n,
                       void (*spoil)(const struct night *n, uint8_t *cells, size_t n_cells))
{
	uint8_t *copy = must_alloc(n, CELL_SIZE);

	m->leak[leak].start = start;
	feature_init(&m->leak[leak].f, 0);
	memcpy(copy, cells, n * CELL_SIZE);
	spoil(m->n, copy, n);
	cell_features(&m->leak[leak].f, copy, n);
	free(copy);
}

enum moment { EVENING, SURGE, RESTING, SETTLED, RESTARTED, STOPPED };
static const char *const moments[] = {
	"evening", "surge", "resting", "settled", "restarted", "stopped"
};

/* whoever takes the disk at this moment */
static void seize(struct measure *m, enum moment when)
{
	const char *label = moments[when];
	size_t start = m->f.n, n;
	uint8_t *cells;
	struct image im;

	if (m->n->host != NULL)
		night_settle(m->n);
	image_read(&im, m->n->dir);
	image_features(&m->f, &im, &m->n->arrivals, label);
	if (m->with_leaks && when == SURGE)
		leak_file(m, NIGHT_LEAK_ORDER, start, &im, last_segment(&im),
		          night_leak_segment(m->n, last_segment(&im)), label);
	if (m->with_leaks && when == SETTLED)
		leak_file(m, NIGHT_LEAK_SIZE, start, &im, image_find(&im, "state.mdb"),
		          night_leak_state(m->n, image_find(&im, "state.mdb")), label);
	if (when == EVENING) {
		const struct image_file *pool = image_find(&im, "pool.mdb");

		cells = must_alloc(pool->len / 4096, CELL_SIZE);
		n = image_cells_of(pool, cells, pool->len / 4096);
		feature_values(&m->f, cells, n, CELL_SIZE, CELL_SIZE, "pool cells");
		feature_means(&m->f, cells, n, CELL_SIZE, CELL_SIZE, 16, "pool cells");
		free(cells);
	}
	if (when == SETTLED) {
		cells = image_cells(&im, &n);
		start = m->f.n;
		cell_features(&m->f, cells, n);
		if (m->with_leaks) {
			leak_cells(m, NIGHT_LEAK_BYTE, start, cells, n, night_leak_bytes);
			leak_cells(m, NIGHT_LEAK_FAINT, start, cells, n, night_leak_bias);
		}
		free(cells);
	}
	image_free(&im);
}

/* ---- the schedule ------------------------------------------------------------------------ */

static void go(struct night *n, enum night_who who, enum night_step step, unsigned quota)
{
	night_act(n, who, step, quota);
	night_sync(n, who);
}

static void before_the_night(struct night *n)
{
	struct roster_schedule schedule = {
		.release_minutes = 60, .surge_minutes = 10,
		.surge_until = (uint32_t)(AT(0, 22, 0) / 3600)
	};
	struct steward_server r;
	int i;

	n->now = AT(0, 1, 0);
	night_server_new(n);
	answers_scene(0);
	night_found(n);
	must(org_schedule(n->p[ADMIN].c, &schedule), "org_schedule");
	must(steward_visit(n->p[ADMIN].c, &n->net, 0, STEWARD_PUSH, &r), "steward_visit");
	for (i = HOLDER0; i < PEOPLE; i++)
		night_sync(n, (enum night_who)i);
	for (i = 0; i < 2; i++)
		must(prekey_for(n->p[HOLDER0].c, n->p[ATTORNEY0 + i].c->me->sign_pk,
		                client_day(n->p[HOLDER0].c), n->attorney_pk[i]), "prekey_for");
	n->n_sealed = 0;
}

static void the_night(struct night *n, struct measure *m)
{
	night_until(n, AT(0, 18, 0));
	answers_scene(1);
	night_until(n, AT(0, 18, 3));
	go(n, VOLUNTEER0, STEP_EVENING0, 72);
	night_until(n, AT(0, 18, 5));
	go(n, VOLUNTEER1, STEP_EVENING1, 24);
	night_until(n, AT(0, 18, 7));
	go(n, VOLUNTEER2, STEP_EVENING2, 12);
	seize(m, EVENING);
	night_until(n, AT(0, 18, 10));

	answers_scene(2);
	night_until(n, AT(0, 18, 12));
	night_sync(n, HOLDER0);
	night_sync(n, HOLDER1);
	night_until(n, AT(0, 18, 16));
	go(n, HOLDER0, STEP_HOLDER0, 48);
	go(n, HOLDER1, STEP_HOLDER1, 16);
	night_until(n, AT(0, 18, 18));
	go(n, VOLUNTEER0, STEP_LATER0, 16);
	night_until(n, AT(0, 18, 20));
	n->leaky_answers.leaky_more = night_attorney_count(n);
	ask_all(n);
	seize(m, SURGE);
}

static void the_days_after(struct night *n, struct measure *m)
{
	answers_scene(3);
	night_until(n, AT(0, 18, 22));
	night_sync(n, ATTORNEY0);
	night_sync(n, ATTORNEY1);
	night_until(n, AT(0, 18, 25));
	go(n, ATTORNEY0, STEP_ATTORNEY0, 4);
	go(n, ATTORNEY1, STEP_ATTORNEY1, 4);
	night_until(n, AT(0, 22, 30));
	go(n, VOLUNTEER1, STEP_LATE1, 16);
	night_until(n, AT(0, 23, 0));

	answers_scene(4);
	night_until(n, AT(0, 23, 10));
	erase_some(n);
	night_until(n, AT(1, 9, 0));
	go(n, VOLUNTEER2, STEP_MORNING2, 12);
	night_until(n, AT(1, 10, 0));
	night_sync(n, HOLDER0);
	seize(m, RESTING);

	answers_scene(5);
	night_until(n, AT(2, 9, 0));
	night_sync(n, HOLDER1);
	night_until(n, AT(3, 9, 0));
	night_until(n, AT(4, 9, 0));
	ask_all(n);
	seize(m, SETTLED);

	answers_scene(6);
	night_server_stop(n);
	night_server_start(n);
	go(n, VOLUNTEER1, STEP_LAST1, 6);
	seize(m, RESTARTED);

	answers_scene(7);
	ask_all(n);
}

/* So a test that lives through less than it says is noticed.  Clients may send more than they
 * are told to, by duties of their own: that it is as much on both sides, the caller checks. */
static void check(struct night *n, struct night_result *out)
{
	const unsigned told = 72 + 24 + 12 + 48 + 16 + 16 + 4 + 4 + 16 + 12 - ERASED, last = 6;
	struct store_counts k;

	store_counts(n->host->store, &k);
	out->n_cells = (unsigned)(k.cells + k.pool_cells);
	out->n_waiting = (unsigned)k.pool_cells;
	if (k.cells < told || k.pool_cells < last || k.erasures != 0 || k.tombstones != ERASED ||
	    k.segments != 2)
		must_fail("the night ended with %u cells in %u segments, %u in the pool, %u "
		          "erasures, %u tombstones", (unsigned)k.cells, k.segments,
		          (unsigned)k.pool_cells, k.erasures, k.tombstones);
}

void night_live(struct night_result *out, int side, const uint8_t seed[32], int with_names,
                int with_leaks)
{
	struct night *n = must_alloc(1, sizeof *n);
	struct measure m = { .n = n, .with_leaks = with_leaks };
	size_t at;
	int i;

	memset(out, 0, sizeof *out);
	random_seed(seed);
	n->side = side;
	n->sealed = must_alloc(NIGHT_CELLS, sizeof *n->sealed);
	feature_init(&m.f, with_names);
	answers_listen(&n->answers, &n->leaky_answers, &n->arrivals);
	before_the_night(n);
	the_night(n, &m);
	the_days_after(n, &m);
	check(n, out);
	night_server_stop(n);
	seize(&m, STOPPED);
	at = m.f.n;
	answers_features(&m.f, &n->answers);
	if (with_leaks) {
		m.leak[NIGHT_LEAK_COUNT].start = at;
		feature_init(&m.leak[NIGHT_LEAK_COUNT].f, 0);
		answers_features(&m.leak[NIGHT_LEAK_COUNT].f, &n->leaky_answers);
	}
	for (i = 0; with_leaks && i < NIGHT_LEAKS; i++) {
		feature_init(&out->leaky[i], 0);
		for (at = 0; at < m.f.n; at++)
			feature_add(&out->leaky[i], FEATURE_FILES, m.f.v[at], "%s", "");
		memcpy(out->leaky[i].v + m.leak[i].start, m.leak[i].f.v,
		       m.leak[i].f.n * sizeof *m.f.v);
		feature_free(&m.leak[i].f);
	}
	out->plain = m.f;
	answers_listen(NULL, NULL, NULL);
	answers_free(&n->answers);
	answers_free(&n->leaky_answers);
	image_arrivals_free(&n->arrivals);
	night_people_free(n);
	night_server_remove(n);
	free(n->sealed);
	free(n);
}

void night_result_free(struct night_result *r)
{
	int i;

	feature_free(&r->plain);
	for (i = 0; i < NIGHT_LEAKS; i++)
		feature_free(&r->leaky[i]);
}
