/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * server_limits DIR: what one source, one connection and one scope may take, how long a
 * connection may waste a place, and how everybody is told goodbye.
 */
#include <poll.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "server_kit.h"

static bool policy(void)
{
	struct client *c = malloc(sizeof *c);
	struct rpc_msg hello = { .method = RPC_HELLO };
	uint8_t *bytes = NULL;
	size_t len;
	bool ok;

	ok = daemon_open(&d, &org, RPC_STEWARD, c) && client_call(c, &hello) &&
	     org_policy(&org, d.pk, c->m.hello.counter + 1, c->m.hello.day, &bytes, &len) &&
	     client_upload(c, NULL, bytes, len) && client_bye(c);
	free(bytes);
	free(c);
	return ok;
}

static bool open_from(struct client *c, const char *from)
{
	return client_dial(c, d.port, from, 10) &&
	       client_shake(c, d.pk, org.access[RPC_COUNSEL]);
}

static void sources(struct client *c)
{
	int i, ok = 0;

	org.limits.connections_per_source = 5;
	if (!policy())
		abort();
	for (i = 0; i < 5; i++)
		ok += open_from(&c[i], "127.0.0.9");
	CLAIM(ok == 5, "one source may have as many connections as the policy says");
	CLAIM(!open_from(&c[5], "127.0.0.9"), "one more gets no byte");
	client_close(&c[5]);
	CLAIM(open_from(&c[5], "127.0.0.10"), "another source is not concerned");
	ok = client_bye(&c[0]);
	for (i = 0; ok == 1 && i < 100 && !open_from(&c[0], "127.0.0.9"); i++) {
		client_close(&c[0]);     /* the server may not have seen the end yet */
		(void)usleep(20000);
	}
	CLAIM(ok == 1 && i < 100, "a place given back is free");
	for (i = 0; i < 6; i++)
		client_close(&c[i]);
	org.limits.connections_per_source = 0;
}

static void connection(struct client *c)
{
	long before;

	org.limits.puts_per_minute = 10;
	if (!policy())
		abort();
	before = daemon_figure(&d, "refused_for_limits");
	CLAIM(open_from(c, NULL) && kit_put(c, 11, 0, 15) && client_commit(c) &&
	      with_status(c, RPC_STORED) == 10 && with_status(c, RPC_OVER_LIMIT) == 5,
	      "puts over a connection's allowance are refused, the others stored");
	CLAIM(daemon_figure(&d, "refused_for_limits") == before + 5, "status counts them");
	client_close(c);
	org.limits.puts_per_minute = 0;
}

static void scope(struct client *c)
{
	uint64_t t = test_now_us();
	unsigned i, stored = 0;

	org.limits.alert_cells_per_hour = 100;
	if (!policy() || !open_from(c, NULL))
		abort();
	for (i = 0; i < 6; i++)
		if (kit_put(c, 11, 1000 + i * 60, 60) && client_commit(c))
			stored += with_status(c, RPC_STORED);
	t = test_now_us() - t;
	CLAIM(stored == 360, "a scope over its hour is refused nothing");
	CLAIM(t > 200000, "but it is slowed down");
	CLAIM(log_says("more than 100 cells from the scope counsel"), "and the operator is told");
	client_close(c);
	org.limits.alert_cells_per_hour = 0;
	if (!policy())
		abort();
}

static void places(struct client *c)
{
	size_t got;

	CLAIM(open_from(c, NULL) && client_next(c, RPC_HELLO) && c->m.method == RPC_BYE &&
	      ends(c, 3000, &got), "an idle connection gets a goodbye");
	client_close(c);
	CLAIM(open_from(c, NULL) && kit_put(c, 11, 5000, 3) && client_flush(c) && ends(c, 5000, &got),
	      "an upload left lying is dropped with its connection");
	client_close(c);
	CLAIM(open_from(c, NULL) && kit_put(c, 11, 5000, 3) && client_commit(c) &&
	      with_status(c, RPC_STORED) == 3, "and was never stored");
	client_close(c);
}

/* a member asks for much and reads nothing */
static void never_reading(struct client *c)
{
	struct rpc_msg m = { .type = RPC_REQUEST, .method = RPC_PULL, .n = RPC_BATCH };
	struct rpc_segment seg[8];
	uint64_t until;
	uint32_t n_cells;
	size_t n = 0, i;
	long now = -1;
	int small = 4096;

	if (!daemon_release(&d, &org, &n_cells))
		abort();
	/* those of the tests before */
	none_open();
	if (!client_dial(c, d.port, NULL, 10))
		abort();
	(void)setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
	if (!client_shake(c, d.pk, org.access[RPC_COUNSEL]) || !client_segments(c, seg, 8, &n))
		abort();
	m.day = seg[0].day;
	m.release = seg[0].release;
	for (i = 0; i < RPC_INFLIGHT_MAX; i++) {
		m.msgid = c->next_id++;
		if (!client_queue(c, &m))
			abort();
	}
	(void)client_flush(c);
	CLAIM(daemon_figure(&d, "connections") == 1, "who does not read is kept for a while");
	for (until = test_now_us() + 8000000; test_now_us() < until; (void)usleep(20000))
		if ((now = daemon_figure(&d, "connections")) == 0)
			break;
	CLAIM(now == 0, "and then closed");
	client_close(c);
}

/* who ends a connection first keeps the other's address in the kernel for a minute */
static void last_word(struct client *c)
{
	struct rpc_msg bye = { .type = RPC_NOTIFY, .method = RPC_BYE };
	struct pollfd fd;

	if (!open_from(&c[0], NULL) || !client_queue(&c[0], &bye) || !client_flush(&c[0]))
		abort();
	CLAIM(client_next(&c[0], RPC_HELLO) && c[0].m.method == RPC_BYE,
	      "a goodbye is answered with one");
	fd = (struct pollfd){ .fd = c[0].fd, .events = POLLIN | POLLRDHUP };
	CLAIM(poll(&fd, 1, 300) == 0, "and the client is left to end the connection first");
	client_close(&c[0]);
}

static void farewell(struct client *c)
{
	uint8_t cell[CELL_SIZE];
	uint32_t id;
	int status = -1;

	if (!open_from(&c[0], NULL) || !open_from(&c[1], NULL))
		abort();
	client_cell(cell, 12, 1);
	if (!client_put(&c[0], cell) || !client_commit_begin(&c[0], &id))
		abort();
	/* the answer shows that the commit was under way before the signal */
	CLAIM(client_next(&c[0], RPC_COMMIT) && with_status(&c[0], RPC_STORED) == 1,
	      "a commit is answered");
	(void)kill(d.pid, SIGTERM);
	CLAIM(client_next(&c[0], RPC_HELLO) && c[0].m.method == RPC_BYE &&
	      client_next(&c[1], RPC_HELLO) && c[1].m.method == RPC_BYE,
	      "a server that stops says goodbye to everybody");
	client_close(&c[0]);
	client_close(&c[1]);
	(void)waitpid(d.pid, &status, 0);
	CLAIM(WIFEXITED(status) && WEXITSTATUS(status) == 0, "and ends with 0");
}

int main(int argc, char **argv)
{
	static char args[][24] = { "--idle-seconds", "2", "--stall-seconds", "1" };
	char *const extra[] = { args[0], args[1], args[2], args[3], NULL };
	struct client *c = calloc(6, sizeof *c);

	if (argc < 2 || sodium_init() < 0)
		return 2;
	daemon_remove(argv[1]);
	if (!org_init(&org, 1) || !daemon_init(&d, argv[1]) || !daemon_start(&d, extra) ||
	    !daemon_setup(&d, &org)) {
		printf("FAIL the server could not be set up\n");
		return 1;
	}
	sources(c);
	connection(c);
	scope(c);
	places(c);
	never_reading(c);
	last_word(c);
	farewell(c);
	free(c);
	return bad != 0;
}
