/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include <sodium.h>
#include <stdlib.h>

#include "day.h"
#include "host_int.h"

#define SPARE_TASKS 8u
#define READ_STACK  (64u << 10)     /* more than reading a file takes */

/* one request that reads the disk: runs on a worker, which touches nothing else */
struct task {
	struct host_work w;
	struct host *h;
	struct task *next;               /* among the spare ones */
	struct session_call *call;
	enum rpc_method method;
	uint32_t day, release, from, n;
	uint8_t hash[32];
	uint32_t positions[RPC_BATCH];
	/* out */
	enum perr err;
	uint32_t got, total;
	uint8_t digest[32];
	struct store_counts counts;
	struct store_space space;
	_Alignas(max_align_t) uint8_t room[];    /* as the method needs: room_of */
};

static struct store_segment *segments(struct task *t)
{
	return (struct store_segment *)(void *)t->room;
}

static size_t room_of(const struct rpc_msg *m)
{
	switch (m->method) {
	case RPC_BULLETIN_GET: return RPC_PART_GET;
	case RPC_BOARD_GET:
	case RPC_JOIN_LIST:    return STORE_CELL;
	case RPC_SEGMENTS:     return RPC_BATCH * sizeof(struct store_segment);
	case RPC_PULL:
	case RPC_FETCH:        return RPC_BATCH * STORE_CELL;
	case RPC_PEEK:         return RPC_BATCH * STORE_PEEK;
	case RPC_HELLO: case RPC_JOIN_PUT: case RPC_BOARD_PUT: case RPC_PUT: case RPC_ERASE:
	case RPC_COMMIT: case RPC_CELL: case RPC_BULLETIN_PART: case RPC_BULLETIN_COMMIT:
	case RPC_POLICY_PUT: case RPC_RELEASE: case RPC_ERASE_VOID: case RPC_BOARD_CLEAR:
	case RPC_STATUS: case RPC_BYE: case RPC_N_METHODS:
		break;
	}
	return 0;
}

static bool is_large(const struct task *t)
{
	return t->method == RPC_PULL || t->method == RPC_FETCH;
}

/* the large ones go from hand to hand: fresh pages would cost as much as the copying */
static struct task *task_new(struct host *h, const struct rpc_msg *m)
{
	struct task *t = h->spare_task;
	bool large = m->method == RPC_PULL || m->method == RPC_FETCH;

	if (large && t != NULL) {
		h->spare_task = t->next;
		h->n_spare_tasks--;
	} else {
		t = malloc(sizeof *t + room_of(m));
	}
	if (t != NULL) {
		memset(t, 0, offsetof(struct task, room));
		t->h = h;
		t->method = m->method;
	}
	return t;
}

static void task_free(struct task *t)
{
	struct host *h = t->h;

	if (!is_large(t) || h->n_spare_tasks >= SPARE_TASKS) {
		free(t);
		return;
	}
	/* a cell that is erased or expires now must not outlive its file in here */
	memset(t->room, 0, (size_t)(t->method == RPC_FETCH ? t->n : t->got) * STORE_CELL);
	t->next = h->spare_task;
	h->spare_task = t;
	h->n_spare_tasks++;
}

void host_tasks_free(struct host *h)
{
	while (h->spare_task != NULL) {
		struct task *t = h->spare_task;

		h->spare_task = t->next;
		free(t);
	}
}

static void read_disk(struct task *t)
{
	struct store *st = t->h->store;
	uint8_t *room = t->room;
	size_t got = 0;

	switch (t->method) {
	case RPC_BULLETIN_GET:
		t->err = store_part_get(st, t->hash, t->from, room, RPC_PART_GET, &got, &t->total);
		t->got = (uint32_t)got;
		return;
	case RPC_BOARD_GET:
		t->err = store_board_get(st, t->from, 1, room, &t->got, &t->total, t->digest);
		return;
	case RPC_JOIN_LIST:
		t->err = store_join_list(st, t->from, 1, NULL, room, &t->got);
		store_counts(st, &t->counts);
		return;
	case RPC_SEGMENTS:
		t->got = (uint32_t)store_segments(st, t->day, t->release, segments(t), t->n);
		t->err = PERR_OK;
		return;
	case RPC_PULL:
		t->err = store_read(st, t->day, t->release, NULL, t->from, t->n, room, &t->got);
		return;
	case RPC_PEEK:
		t->err = store_peek(st, t->day, t->release, NULL, t->from, RPC_BATCH, room, &t->got);
		return;
	case RPC_FETCH:
		t->got = t->n;
		t->err = store_fetch(st, t->day, t->release, NULL, t->positions, t->n, room);
		return;
	case RPC_STATUS:
		store_counts(st, &t->counts);
		t->err = store_space(st, &t->space);
		return;
	case RPC_HELLO: case RPC_JOIN_PUT: case RPC_BOARD_PUT: case RPC_PUT: case RPC_ERASE:
	case RPC_COMMIT: case RPC_CELL: case RPC_BULLETIN_PART: case RPC_BULLETIN_COMMIT:
	case RPC_POLICY_PUT: case RPC_RELEASE: case RPC_ERASE_VOID: case RPC_BOARD_CLEAR:
	case RPC_BYE: case RPC_N_METHODS:
		break;
	}
	t->err = PERR_UNKNOWN;
}

static void task_run(struct host_work *w)
{
	read_disk((struct task *)w);
	/* pages with the ids of what may expire tomorrow; a worker's stack stays for ever */
	sodium_stackzero(READ_STACK);
}

static bool is_zero_cell(const uint8_t *cell)
{
	return cell[0] == 0 && memcmp(cell, cell + 1, STORE_CELL - 1) == 0;
}

/* the cells themselves; of a damaged batch those that are whole */
static uint32_t send_cells(struct task *t)
{
	uint32_t i, sent = 0;

	for (i = 0; i < t->got; i++) {
		const uint8_t *cell = t->room + (size_t)i * STORE_CELL;

		if (t->err == PERR_CORRUPT && is_zero_cell(cell))
			continue;
		session_cell(t->call, cell);
		sent++;
	}
	return sent;
}

static uint32_t u32(uint64_t v)
{
	return v > UINT32_MAX ? UINT32_MAX : (uint32_t)v;
}

static void put_status(struct task *t, struct rpc_msg *m)
{
	memset(&m->st, 0, sizeof m->st);
	m->st.day = host_day(t->h);
	m->st.cells_waiting = u32(t->counts.pool_cells);
	m->st.cells_released = u32(t->counts.cells);
	m->st.segments = t->counts.segments;
	m->st.board = t->counts.board;
	m->st.joins = t->counts.inbox;
	m->st.erasures = t->counts.erasures;
	m->st.erase_day = t->counts.erase_day;
	m->st.free_mib = u32(t->space.free_bytes >> 20);
	m->st.reserve_mib = u32(t->space.reserve_bytes >> 20);
	m->st.refused = u32(t->h->sessions.n_refused);
	m->st.refused_full = u32(t->h->n_full);
	m->st.alerts = u32(t->h->n_alerts);
	m->st.full = t->space.is_full;
	m->st.frozen = day_is_frozen(t->h->view.day, t->h->env.unix_s(t->h->env.ctx));
}

static void put_segments(struct task *t, struct rpc_msg *m)
{
	uint32_t i;

	for (i = 0; i < t->got; i++) {
		m->segments[i].day = segments(t)[i].day;
		m->segments[i].release = segments(t)[i].release;
		m->segments[i].count = segments(t)[i].count;
		memcpy(m->segments[i].digest, segments(t)[i].digest, 32);
	}
}

static void task_done(struct host_work *w)
{
	struct task *t = (struct task *)w;
	struct rpc_msg m;

	memset(&m, 0, offsetof(struct rpc_msg, segments));
	if (is_large(t) && (t->err == PERR_OK || t->err == PERR_CORRUPT))
		m.n = send_cells(t);
	if (t->err != PERR_OK) {
		session_fail(t->call, host_error(t->err));
		task_free(t);
		return;
	}
	switch (t->method) {
	case RPC_BULLETIN_GET:
		m.total = t->total;
		m.bytes = t->room;
		m.bytes_len = t->got;
		break;
	case RPC_BOARD_GET:
		m.n = t->total;
		memcpy(m.digest, t->digest, 32);
		m.cell = t->got == 1 ? t->room : NULL;
		break;
	case RPC_JOIN_LIST:
		m.n = t->counts.inbox;
		m.cell = t->got == 1 ? t->room : NULL;
		break;
	case RPC_SEGMENTS:
		m.n = t->got;
		put_segments(t, &m);
		break;
	case RPC_PEEK:
		m.bytes = t->room;
		m.bytes_len = (size_t)t->got * STORE_PEEK;
		break;
	case RPC_STATUS:
		put_status(t, &m);
		break;
	case RPC_PULL: case RPC_FETCH:
	case RPC_HELLO: case RPC_JOIN_PUT: case RPC_BOARD_PUT: case RPC_PUT: case RPC_ERASE:
	case RPC_COMMIT: case RPC_CELL: case RPC_BULLETIN_PART: case RPC_BULLETIN_COMMIT:
	case RPC_POLICY_PUT: case RPC_RELEASE: case RPC_ERASE_VOID: case RPC_BOARD_CLEAR:
	case RPC_BYE: case RPC_N_METHODS:
		break;
	}
	session_answer(t->call, &m);
	task_free(t);
}

/* PROTOCOL 6: "the signed header by the header hash"; it is in memory */
static void header_get(struct host *h, struct session_call *call, uint32_t offset)
{
	struct rpc_msg m;

	if (offset > h->header.len) {
		session_fail(call, RPC_UNKNOWN);
		return;
	}
	memset(&m, 0, offsetof(struct rpc_msg, segments));
	m.total = (uint32_t)h->header.len;
	m.bytes = h->header.bytes + offset;
	m.bytes_len = h->header.len - offset;
	if (m.bytes_len > RPC_PART_GET)
		m.bytes_len = RPC_PART_GET;
	session_answer(call, &m);
}

void host_read(struct host *h, struct session_call *call, const struct rpc_msg *m)
{
	struct task *t;
	uint32_t i;

	if (m->method == RPC_BULLETIN_GET && h->header.bytes != NULL &&
	    memcmp(m->hash, h->header.hash, 32) == 0) {
		header_get(h, call, m->offset);
		return;
	}
	t = task_new(h, m);
	if (t == NULL) {
		session_fail(call, RPC_LATER);
		return;
	}
	t->w.run = task_run;
	t->w.done = task_done;
	t->call = call;
	t->day = m->day;
	t->release = m->release;
	t->from = m->method == RPC_BULLETIN_GET ? m->offset : m->from;
	t->n = m->n;
	memcpy(t->hash, m->hash, 32);
	if (m->method == RPC_FETCH) {
		t->n = (uint32_t)(m->bytes_len / 4);
		for (i = 0; i < t->n; i++)
			t->positions[i] = doc_get_u32(m->bytes + (size_t)i * 4);
	}
	if (h->env.offload(h->env.ctx, &t->w) != PERR_OK) {
		task_free(t);
		session_fail(call, RPC_LATER);
	}
}
