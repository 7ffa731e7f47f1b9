/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include <sodium.h>
#include <stdlib.h>

#include "day.h"
#include "host_int.h"

#define SPARE_MAX 2048u          /* buffers kept for reuse: 8 MiB */
#define DEFAULT_ERASE_HOURS 48u
#define SHARE_MS  50u
#define SHARE_MIN 512u           /* cells and erasures: smaller batches cost more in syncs */
#define SHARE_MAX 16384u

/* ---- memory of cells --------------------------------------------------------------------- */

uint8_t *host_cell_take(void *ctx, size_t held)
{
	struct host *h = ctx;
	uint8_t *cell = h->spare;

	/* the fuller the house, the less for one guest: those who upload and never commit
	 * cannot take the last buffer of those who do */
	if (h->cells_out >= h->cells_max)
		return NULL;
	if (h->cells_out >= h->cells_max / 2 && held >= 16)
		return NULL;
	if (h->cells_out >= h->cells_max / 8 * 7 && held >= 4)
		return NULL;
	if (cell != NULL) {
		memcpy(&h->spare, cell, sizeof h->spare);
		h->cells_spare--;
	} else {
		cell = malloc(STORE_CELL);
		if (cell == NULL)
			return NULL;
	}
	h->cells_out++;
	return cell;
}

void host_cell_give(void *ctx, uint8_t *cell)
{
	struct host *h = ctx;

	h->cells_out--;
	/* buffers go from hand to hand in order of arrival: after a release nothing may show it */
	sodium_memzero(cell, STORE_CELL);
	if (h->cells_spare >= SPARE_MAX) {
		free(cell);
		return;
	}
	memcpy(cell, &h->spare, sizeof h->spare);
	h->spare = cell;
	h->cells_spare++;
}

void host_cells_free(struct host *h)
{
	while (h->spare != NULL) {
		uint8_t *cell = h->spare;

		memcpy(&h->spare, cell, sizeof h->spare);
		free(cell);
	}
}

/* ---- commits ----------------------------------------------------------------------------- */

struct commit {
	struct commit *next;             /* in waiting or slow */
	struct host *h;
	struct session_call *call;
	struct writer_job cells, erases;
	bool cells_due, erases_due;      /* still to be submitted */
	unsigned under_way;
	bool died;
};

/* what the writer has of commits */
static void taken(struct host *h, size_t *in, size_t n)
{
	if (h->in_cells + h->in_erases == 0)
		h->busy_ms = h->env.now_ms(h->env.ctx);
	*in += n;
}

static void given_back(struct host *h, size_t *in, size_t n)
{
	*in -= n;
	h->given_back += n;
}

/* apart from each other: while a release writes, cells are stored and erasures wait for it */
static bool has_room(const struct host *h, const struct commit *c)
{
	return (!c->cells_due || h->in_cells < h->share) &&
	       (!c->erases_due || h->in_erases < h->share);
}

struct turn {
	struct commit *c;
	size_t at;                       /* place in the line */
	size_t rank;                     /* among those of its source */
};

static void commit_finish(struct commit *c)
{
	if (c->under_way > 0 || c->cells_due || c->erases_due)
		return;
	if (c->died)
		session_drop(c->call);
	else
		session_committed(c->call, RPC_OK);
	free(c);
}

static void told_full(struct host *h)
{
	if (!h->told_full)
		host_log(h, "the disk is nearly full: new cells are refused, their senders keep "
		            "them; free some space");
	h->told_full = true;
}

static void cells_done(struct writer_job *job)
{
	struct commit *c = job->data;
	struct session_batch *b = c->call->batch;
	size_t i;
	bool full = false;

	c->under_way--;
	given_back(c->h, &c->h->in_cells, b->n_cells);
	if (host_job_died(c->h, job->result)) {
		c->died = true;
	} else {
		/* whatever else went wrong: none of them is promised */
		for (i = 0; i < b->n_cells; i++) {
			if (job->result != PERR_OK)
				b->cells[i].status = STORE_FULL;
			full = full || b->cells[i].status == STORE_FULL;
			c->h->n_full += b->cells[i].status == STORE_FULL;
		}
		if (full)
			told_full(c->h);
	}
	commit_finish(c);
}

static void erases_done(struct writer_job *job)
{
	struct commit *c = job->data;
	struct session_batch *b = c->call->batch;
	size_t i;

	c->under_way--;
	given_back(c->h, &c->h->in_erases, b->n_erases);
	if (host_job_died(c->h, job->result))
		c->died = true;
	else if (job->result != PERR_OK)
		for (i = 0; i < b->n_erases; i++)
			b->erases[i].status = STORE_FULL;
	commit_finish(c);
}

/* PERR_LIMIT: the writer's queue is full, nothing or only the first was taken */
static enum perr commit_submit(struct commit *c)
{
	enum perr err = PERR_OK;

	if (c->cells_due) {
		err = host_submit(c->h, &c->cells);
		if (err != PERR_OK)
			return err;
		c->cells_due = false;
		c->under_way++;
		taken(c->h, &c->h->in_cells, c->call->batch->n_cells);
	}
	if (c->erases_due) {
		err = host_submit(c->h, &c->erases);
		if (err != PERR_OK)
			return err;
		c->erases_due = false;
		c->under_way++;
		taken(c->h, &c->h->in_erases, c->call->batch->n_erases);
	}
	return PERR_OK;
}

static void append(struct commit ***end, struct commit *c)
{
	c->next = NULL;
	**end = c;
	*end = &c->next;
}

static struct commit *first_of(struct commit **list, struct commit ***end)
{
	struct commit *c = *list;

	if (c != NULL) {
		*list = c->next;
		if (*list == NULL)
			*end = list;
	}
	return c;
}

static void abandon(struct commit *c)
{
	c->cells_due = false;
	c->erases_due = false;
	c->died = true;
	commit_finish(c);
}

/*
 * The writer gets as much as it writes in a twentieth of a second (host_paced), and the next share
 * is made up when that is done: whoever commits little waits a moment behind those who commit
 * all the time, and not until their whole heap is written.
 */
static void enqueue(struct commit *c)
{
	struct host *h = c->h;
	enum perr err = h->waiting == NULL && has_room(h, c) ? commit_submit(c) : PERR_LIMIT;

	if (err != PERR_LIMIT) {
		if (err != PERR_OK)
			abandon(c);
		return;
	}
	append(&h->waiting_end, c);
	if (has_room(h, c))
		host_retry(h);           /* those before it wait for something else */
}

/* by source, and of one source who has sent the least, first come first */
static int by_source(const void *x, const void *y)
{
	const struct turn *a = x, *b = y;

	if (a->c->call->source != b->c->call->source)
		return a->c->call->source < b->c->call->source ? -1 : 1;
	if (a->c->call->used != b->c->call->used)
		return a->c->call->used < b->c->call->used ? -1 : 1;
	return a->at < b->at ? -1 : 1;
}

/* every source's first, then every source's second, and so on */
static int by_turn(const void *x, const void *y)
{
	const struct turn *a = x, *b = y;

	if (a->rank != b->rank)
		return a->rank < b->rank ? -1 : 1;
	if (a->c->call->used != b->c->call->used)
		return a->c->call->used < b->c->call->used ? -1 : 1;
	return a->at < b->at ? -1 : 1;
}

static int by_arrival(const void *x, const void *y)
{
	const struct turn *a = x, *b = y;

	return a->at < b->at ? -1 : 1;
}

/* take a whole line, in the order of turns; NULL: it is empty, or no memory */
static struct turn *turns_of(struct commit **list, struct commit ***end, size_t *n)
{
	struct turn *turns;
	struct commit *c;
	size_t i;

	*n = 0;
	for (c = *list; c != NULL; c = c->next)
		++*n;
	turns = *n == 0 ? NULL : malloc(*n * sizeof *turns);
	if (turns == NULL)
		return NULL;
	for (*n = 0; (c = first_of(list, end)) != NULL; ++*n)
		turns[*n] = (struct turn){ .c = c, .at = *n };
	qsort(turns, *n, sizeof *turns, by_source);
	for (i = 1; i < *n; i++)
		if (turns[i].c->call->source == turns[i - 1].c->call->source)
			turns[i].rank = turns[i - 1].rank + 1;
	qsort(turns, *n, sizeof *turns, by_turn);
	return turns;
}

static void put_back(struct commit ***end, struct turn *turns, size_t n)
{
	size_t i;

	qsort(turns, n, sizeof *turns, by_arrival);
	for (i = 0; i < n; i++)
		append(end, turns[i].c);
}

void host_retry(struct host *h)
{
	struct turn *turns;
	enum perr err = PERR_OK;
	size_t n, i, left = 0;

	if (h->waiting == NULL || (h->in_cells >= h->share && h->in_erases >= h->share))
		return;
	turns = turns_of(&h->waiting, &h->waiting_end, &n);
	if (turns == NULL) {
		/* no memory to be fair with: one, so that what is done asks for the next */
		err = commit_submit(h->waiting);
		if (err != PERR_LIMIT) {
			struct commit *c = first_of(&h->waiting, &h->waiting_end);

			if (err != PERR_OK)
				abandon(c);
		}
		return;
	}
	for (i = 0; i < n; i++) {
		/* once the writer's own queue is full, everybody waits */
		if (err != PERR_LIMIT)
			err = has_room(h, turns[i].c) ? commit_submit(turns[i].c) : PERR_MORE;
		if (err == PERR_LIMIT || err == PERR_MORE)
			turns[left++] = turns[i];
		else if (err != PERR_OK)
			abandon(turns[i].c);
	}
	put_back(&h->waiting_end, turns, left);
	free(turns);
}

/* what came back since the last look, and how long it took: a twentieth of a second is a share */
void host_paced(struct host *h)
{
	uint64_t now = h->env.now_ms(h->env.ctx), ms = now - h->busy_ms, share;

	if (h->given_back == 0)
		return;
	share = (uint64_t)h->given_back * SHARE_MS / (ms == 0 ? 1 : ms);
	/* slowly, so that one slow sync does not make small shares, which are slow themselves */
	share = ((uint64_t)h->share * 3 + share) / 4;
	h->share = share < SHARE_MIN ? SHARE_MIN : share > SHARE_MAX ? SHARE_MAX : (size_t)share;
	h->given_back = 0;
	h->busy_ms = now;
}

/*
 * One slowed commit of each source a tick; true: there are more.  Not one of all in the order
 * in which they came: whoever has a hundred connections would have a hundred times the turns,
 * and everybody else would wait behind them until they give up.  Of one source, which may be
 * the proxy of a whole onion service, those go first who have sent the least.
 */
bool host_tick_slow(struct host *h)
{
	size_t n, i, first;
	struct turn *turns = turns_of(&h->slow, &h->slow_end, &n);

	if (turns == NULL)
		return n > 0;            /* no memory: the next tick */
	for (first = 0; first < n && turns[first].rank == 0; first++)
		;
	put_back(&h->slow_end, turns + first, n - first);
	for (i = 0; i < first; i++)
		enqueue(turns[i].c);
	free(turns);
	return h->slow != NULL;
}

void host_drop_waiting(struct host *h)
{
	struct commit *c;

	while ((c = first_of(&h->waiting, &h->waiting_end)) != NULL)
		abandon(c);
	while ((c = first_of(&h->slow, &h->slow_end)) != NULL)
		abandon(c);
}

static uint32_t erase_hours(const struct host *h)
{
	const struct policy *p = access_policy(h->access);

	return p == NULL ? DEFAULT_ERASE_HOURS : p->erase_delay_hours;
}

static const char *scope_name(enum rpc_scope scope)
{
	switch (scope) {
	case RPC_GUEST:   return "guest";
	case RPC_FIELD:   return "field";
	case RPC_COUNSEL: return "counsel";
	case RPC_STEWARD: return "steward";
	case RPC_SETUP:   break;
	}
	return "setup";
}

/* is this scope's hour so full that its uploads shall wait? */
static bool is_slow(struct host *h, enum rpc_scope scope, size_t n)
{
	const struct policy *p = access_policy(h->access);
	uint32_t per_hour = p == NULL ? 0 : p->limits.alert_cells_per_hour;

	switch (quota_count(&h->meters[scope], per_hour, n, h->env.now_ms(h->env.ctx))) {
	case QUOTA_FINE:
		return false;
	case QUOTA_SLOW_AND_TELL:
		h->n_alerts++;
		host_log(h, "more than %u cells from the scope %s within an hour: it is slowed "
		            "down, nothing is refused", per_hour, scope_name(scope));
		return true;
	case QUOTA_SLOW:
		return true;
	}
	return true;
}

void host_commit(void *ctx, struct session_call *call)
{
	struct host *h = ctx;
	struct session_batch *b = call->batch;
	struct commit *c;

	if (h->dead != NULL) {
		session_drop(call);
		return;
	}
	if (b->n_cells == 0 && b->n_erases == 0) {
		session_committed(call, RPC_OK);
		return;
	}
	c = calloc(1, sizeof *c);
	if (c == NULL) {
		session_committed(call, RPC_LATER);
		return;
	}
	c->h = h;
	c->call = call;
	c->cells_due = b->n_cells > 0;
	c->erases_due = b->n_erases > 0;
	c->cells.kind = WRITER_APPEND;
	c->cells.u.append.cells = b->cells;
	c->cells.u.append.n = b->n_cells;
	c->cells.done = cells_done;
	c->cells.data = c;
	c->erases.kind = WRITER_ERASE;
	c->erases.u.erase.items = b->erases;
	c->erases.u.erase.n = b->n_erases;
	c->erases.u.erase.due_day = day_erase_due(host_day(h), erase_hours(h));
	c->erases.done = erases_done;
	c->erases.data = c;
	if (is_slow(h, call->scope, b->n_cells)) {
		append(&h->slow_end, c);
		h->env.hurry(h->env.ctx);
	} else {
		enqueue(c);
	}
}

/* ---- board and inbox --------------------------------------------------------------------- */

struct put {
	struct writer_job job;
	struct host *h;
	struct session_call *call;
	uint8_t cell[STORE_CELL];
	uint8_t ds[STORE_DS];
	uint8_t ticket[STORE_ID];
};

static uint8_t put_status(const struct writer_job *job)
{
	bool join = job->kind == WRITER_JOIN_PUT;

	if (job->result != PERR_OK)
		return RPC_DISK_FULL;
	switch (job->u.put.status) {
	case STORE_STORED:   return join ? RPC_STORED : RPC_ACCEPTED;
	case STORE_THERE:    return RPC_ALREADY;
	case STORE_FULL:     return join ? RPC_DISK_FULL : RPC_OVER_LIMIT;
	case STORE_REFUSED:          /* PROTOCOL 9.2: "one answer per ticket" */
	case STORE_NOTFOUND: break;
	}
	return RPC_NOT_KNOWN;
}

static void answer_status(struct session_call *call, uint8_t status)
{
	struct rpc_msg m;

	memset(&m, 0, offsetof(struct rpc_msg, segments));
	m.status = status;
	session_answer(call, &m);
}

static void put_done(struct writer_job *job)
{
	struct put *p = job->data;

	if (host_job_died(p->h, job->result))
		session_drop(p->call);
	else
		answer_status(p->call, put_status(job));
	sodium_memzero(p->ds, sizeof p->ds);
	free(p);
}

static void put_start(struct host *h, struct session_call *call, const struct rpc_msg *m,
                      enum writer_kind kind, const uint8_t *ticket)
{
	struct put *p = calloc(1, sizeof *p);

	if (p == NULL) {
		session_fail(call, RPC_LATER);
		return;
	}
	p->h = h;
	p->call = call;
	memcpy(p->cell, m->cell, STORE_CELL);
	p->job.kind = kind;
	p->job.u.put.cell = p->cell;
	cell_id(p->job.u.put.id, p->cell);
	if (m->ds != NULL) {
		memcpy(p->ds, m->ds, STORE_DS);
		p->job.u.put.ds = p->ds;
	}
	if (ticket != NULL) {
		memcpy(p->ticket, ticket, STORE_ID);
		p->job.u.put.ticket = p->ticket;
	}
	p->job.done = put_done;
	p->job.data = p;
	if (host_submit(h, &p->job) != PERR_OK) {
		session_fail(call, RPC_LATER);
		sodium_memzero(p->ds, sizeof p->ds);
		free(p);
	}
}

void host_board_put(struct host *h, struct session_call *call, const struct rpc_msg *m)
{
	if (cell_check(m->cell) != PERR_OK)
		answer_status(call, RPC_NOT_A_CELL);
	else
		put_start(h, call, m, WRITER_BOARD_PUT, NULL);
}

void host_join_put(struct host *h, struct session_call *call, const struct rpc_msg *m)
{
	uint8_t ticket[STORE_ID];

	policy_ticket_hash(ticket, m->ticket);
	if (cell_check(m->cell) != PERR_OK)
		answer_status(call, RPC_NOT_A_CELL);
	else if (!access_has_ticket(h->access, ticket))
		answer_status(call, RPC_NOT_KNOWN);
	else
		put_start(h, call, m, WRITER_JOIN_PUT, ticket);
}
