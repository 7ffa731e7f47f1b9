/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "load.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"

struct load_conn {
	struct client c;
	size_t out_at;           /* bytes of c.out that are gone */
	unsigned commits_left;
	bool waits_to_write;
};

struct load {
	int ep;
	size_t n;
	unsigned cells;
	size_t running;
	struct load_conn conns[];
};

/* incompressible, and different in each: the number decides the id */
void load_cell(uint8_t cell[CELL_SIZE])
{
	static uint8_t base[CELL_SIZE];
	static uint64_t number;

	if (number == 0)
		client_cell(base, randombytes_random(), 1);
	number++;
	memcpy(base + 64, &number, sizeof number);
	memcpy(cell, base, CELL_SIZE);
}

struct load *load_new(const struct daemon *d, const struct org *o, enum rpc_scope scope,
                      size_t n)
{
	struct load *l = calloc(1, sizeof *l + n * sizeof l->conns[0]);
	size_t i;

	if (l == NULL)
		bench_broke("out of memory");
	l->n = n;
	l->ep = epoll_create1(EPOLL_CLOEXEC);
	for (i = 0; i < n; i++) {
		struct load_conn *lc = &l->conns[i];
		struct epoll_event ev = { .events = EPOLLIN, .data.ptr = lc };

		if (!daemon_open(d, o, scope, &lc->c))
			bench_broke("connection %zu: %s", i, lc->c.why);
		(void)fcntl(lc->c.fd, F_SETFL, O_NONBLOCK);
		if (epoll_ctl(l->ep, EPOLL_CTL_ADD, lc->c.fd, &ev) != 0)
			bench_broke("epoll_ctl: %s", strerror(errno));
	}
	return l;
}

static void want_write(struct load *l, struct load_conn *lc, bool want)
{
	struct epoll_event ev = { .events = EPOLLIN | (want ? EPOLLOUT : 0u), .data.ptr = lc };

	if (want == lc->waits_to_write)
		return;
	lc->waits_to_write = want;
	(void)epoll_ctl(l->ep, EPOLL_CTL_MOD, lc->c.fd, &ev);
}

static void push(struct load *l, struct load_conn *lc)
{
	struct client *c = &lc->c;

	while (lc->out_at < c->out_len) {
		ssize_t n = send(c->fd, c->out + lc->out_at, c->out_len - lc->out_at,
		                 MSG_NOSIGNAL);

		if (n < 0 && errno == EAGAIN) {
			want_write(l, lc, true);
			return;
		}
		if (n < 0)
			bench_broke("send: %s", strerror(errno));
		lc->out_at += (size_t)n;
	}
	want_write(l, lc, false);
}

/* one burst: puts and their commit */
static void begin(struct load *l, struct load_conn *lc)
{
	struct rpc_msg commit = { .type = RPC_REQUEST, .method = RPC_COMMIT };
	uint8_t cell[CELL_SIZE];
	bool ok = true;
	unsigned i;

	lc->c.out_len = lc->out_at = 0;
	for (i = 0; ok && i < l->cells; i++) {
		load_cell(cell);
		ok = client_put(&lc->c, cell);
	}
	commit.msgid = lc->c.next_id++;
	if (!ok || !client_queue(&lc->c, &commit))
		bench_broke("%s", lc->c.why);
	push(l, lc);
}

static void answered(struct load *l, struct load_conn *lc)
{
	unsigned i;

	if (lc->c.m.type != RPC_RESPONSE || lc->c.m.error != RPC_OK ||
	    lc->c.m.bytes_len != l->cells)
		bench_broke("a commit was refused: error %d", (int)lc->c.m.error);
	for (i = 0; i < l->cells; i++)
		if (lc->c.m.bytes[i] != RPC_STORED)
			bench_broke("a cell was not stored: status %u", lc->c.m.bytes[i]);
	if (--lc->commits_left > 0)
		begin(l, lc);
	else
		l->running--;
}

static void pull_in(struct load *l, struct load_conn *lc)
{
	struct client *c = &lc->c;
	ssize_t n = recv(c->fd, c->in, sizeof c->in, 0);
	const uint8_t *msg;
	size_t at = 0, used, len;

	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0)
		bench_broke("the server closed a connection");
	while (at < (size_t)n) {
		enum perr err = channel_recv(&c->ch, c->in + at, (size_t)n - at, &used, &msg,
		                             &len);

		at += used;
		if (err == PERR_MORE)
			break;
		if (err != PERR_OK ||
		    rpc_decode_response(&c->m, RPC_COMMIT, msg, len) != PERR_OK)
			bench_broke("not an answer to a commit");
		answered(l, lc);
	}
}

double load_run(struct load *l, unsigned commits, unsigned cells)
{
	struct epoll_event evs[64];
	double t = bench_now();
	size_t i;
	int n, k;

	l->cells = cells;
	l->running = l->n;
	for (i = 0; i < l->n; i++) {
		l->conns[i].commits_left = commits;
		begin(l, &l->conns[i]);
	}
	while (l->running > 0) {
		n = epoll_wait(l->ep, evs, 64, 30000);
		if (n == 0)
			bench_broke("the server was silent for 30 seconds");
		for (k = 0; k < n; k++) {
			struct load_conn *lc = evs[k].data.ptr;

			if ((evs[k].events & EPOLLOUT) != 0)
				push(l, lc);
			if ((evs[k].events & ~(uint32_t)EPOLLOUT) != 0)
				pull_in(l, lc);
		}
	}
	return bench_now() - t;
}

void load_free(struct load *l)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		client_close(&l->conns[i].c);
	(void)close(l->ep);
	free(l);
}

void load_daemon(struct daemon *d, struct org *o, const char *name)
{
	char *const extra[] = { (char *)"--source-limits", (char *)"no", (char *)"--max-connections",
	                        (char *)"2000", NULL };

	daemon_remove(bench_path(name));
	if (!org_init(o, 1) || !daemon_init(d, bench_path(name)) || !daemon_start(d, extra) ||
	    !daemon_setup(d, o))
		bench_broke("a server could not be set up in %s", bench_path(name));
}

void load_daemon_end(struct daemon *d)
{
	if (daemon_stop(d) != 0)
		bench_broke("the server did not stop in order; see %s", d->log);
	daemon_remove(d->dir);
}
