/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * server_proxy DIR SCRIPT CERT: a server behind a program that ends TLS.  SCRIPT is called with
 * the server's port, starts that program, and prints the port where it listens.  Through it
 * come a browser (over TLS, by `openssl s_client`, which checks CERT), a native client, and
 * strangers of both kinds; all from addresses that nobody may write down, 127.0.0.76 to 79.
 */
#include <poll.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "server_kit.h"
#include "web_client.h"

#define ORIGIN "https://forms.example.org"
#define FROM_WEB   "127.0.0.76"
#define FROM       "127.0.0.77"
#define FROM_OTHER "127.0.0.78"
#define FROM_MANY  "127.0.0.79"
#define LIMIT  64                        /* connections of one address, nginx-server.conf */

static uint16_t port;
static const char *cert;

static void die(const char *what, const struct client *c)
{
	printf("FAIL %s: %s\n", what, c->why);
	exit(1);
}

/* TLS to the port; c->fd is what is inside.  The child ends when that is closed. */
static char tls_said[256];               /* what openssl had to say of the last connection */

static void tls_tell(void)
{
	char line[300];
	FILE *f = fopen(tls_said, "r");

	while (f != NULL && fgets(line, sizeof line, f) != NULL)
		printf("  openssl: %s", line);
	if (f != NULL)
		(void)fclose(f);
}

static pid_t tls_dial(struct client *c)
{
	struct timeval tv = { .tv_sec = 20 };
	char where[40];
	int fds[2];
	pid_t pid;

	/* fields that a dial sets; this one fails, since nothing listens on port 0 */
	(void)client_dial(c, 0, NULL, 1);
	snprintf(where, sizeof where, "127.0.0.1:%u", port);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0)
		abort();
	pid = fork();
	if (pid == 0) {
		(void)dup2(fds[1], 0);
		(void)dup2(fds[1], 1);
		if (freopen(tls_said, "w", stderr) == NULL)
			_exit(127);
		(void)execlp("openssl", "openssl", "s_client", "-quiet", "-no_ign_eof",
		             "-nocommands", "-verify_return_error", "-CAfile", cert, "-servername",
		             "cells.example.org", "-verify_hostname", "cells.example.org",
		             "-bind", FROM_WEB ":0",
		             "-connect", where, (char *)NULL);
		_exit(127);
	}
	(void)close(fds[1]);
	(void)setsockopt(fds[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv);
	c->fd = fds[0];
	return pid;
}

static void tls_end(pid_t pid)
{
	(void)kill(pid, SIGTERM);
	(void)waitpid(pid, NULL, 0);
}

static bool put(struct client *c, uint64_t seed, unsigned n)
{
	uint8_t cell[CELL_SIZE];
	unsigned i;

	for (i = 0; i < n; i++) {
		client_cell(cell, seed, i);
		if (!client_put(c, cell) || (i % 60 == 59 && !client_commit(c)))
			return false;
	}
	return client_commit(c);
}

static size_t n_cells;

static void on_cell(void *arg, const uint8_t *cell)
{
	(void)arg;
	(void)cell;
	n_cells++;
}

static bool pull_all(struct client *c)
{
	struct rpc_segment seg[8];
	size_t n, i;

	n_cells = 0;
	if (!client_segments(c, seg, 8, &n))
		return false;
	for (i = 0; i < n; i++)
		if (!client_pull(c, &seg[i], on_cell, NULL))
			return false;
	return true;
}

static void members(struct client *c)
{
	uint8_t end[125];
	uint32_t released;
	size_t len;
	pid_t pid = tls_dial(c);
	struct rpc_msg bye = { .type = RPC_NOTIFY, .method = RPC_BYE };
	bool ok;

	ok = web_shake(c, d.pk, org.access[RPC_COUNSEL], ORIGIN);
	CLAIM(ok, "a browser is let in through TLS");
	if (!ok) {
		tls_tell();
		die("its connection", c);
	}
	CLAIM(put(c, 31, 300), "its cells are stored");
	if (!daemon_release(&d, &org, &released))
		die("a release", c);
	CLAIM(pull_all(c) && n_cells == 300, "and come back");
	CLAIM(client_queue(c, &bye) && client_flush(c) && client_next(c, RPC_HELLO) &&
	      c->m.method == RPC_BYE && web_send(c, 0x88, true, (const uint8_t *)"\x03\xe8", 2) &&
	      web_control(c, end, &len) == 0x08, "goodbyes and closes are said on both sides");
	/* its end comes first; as Chromium ends it, with no word of TLS before */
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
	client_close(c);
	web_forget(c);
	none_open();
	CLAIM(!daemon_remembers(port, FROM_WEB), "and nobody keeps the browser's address");
	CLAIM(client_dial(c, port, FROM, 20) && client_shake(c, d.pk, org.access[RPC_COUNSEL]) &&
	      put(c, 32, 300), "a native client is let in at the same port");
	if (!daemon_release(&d, &org, &released))
		die("a release", c);
	CLAIM(pull_all(c) && n_cells == 600 && client_bye(c), "and sees what both have sent");
	none_open();
	CLAIM(!daemon_remembers(port, FROM), "nobody keeps its address either");
}

/* bytes that come back within some time; *over: it was closed */
static size_t hear(int fd, bool *over)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	uint8_t buf[4096];
	size_t got = 0;
	ssize_t n = 1;

	while (n > 0 && poll(&p, 1, 20000) == 1) {
		n = recv(fd, buf, sizeof buf, 0);
		got += n > 0 ? (size_t)n : 0;
	}
	*over = n <= 0;
	return got;
}

static void strangers(struct client *c)
{
	static const char *const said[] = {
		"GET / HTTP/1.1\r\nHost: cells.example.org\r\n\r\n", "HEAD / HTTP/1.0\r\n\r\n",
		"\x16\x03\x01 no TLS", "SSH-2.0-OpenSSH_9.2\r\n",
	};
	static char request[WEB_REQUEST_MAX];
	uint8_t first[NOISE_MSG_SIZE];
	int fds[7];
	pid_t pids[7] = { 0 }, pid;
	size_t i, got[2] = { 0, 0 }, len;
	bool over, all = true;

	randombytes_buf(first, sizeof first);
	len = web_request(request, first, ORIGIN, "");
	/* all at once: each waits until the time for a handshake is over */
	for (i = 0; i < 7; i++) {
		const char *text = i == 2 ? request : said[i < 2 ? i : i - 3];

		if (i < 3)
			pids[i] = tls_dial(c);
		else if (!client_dial(c, port, i < 6 ? FROM : FROM_OTHER, 20))
			die("a connection", c);
		(void)send(c->fd, text, i == 2 ? len : strlen(text), MSG_NOSIGNAL);
		/* the last one leaves it to the other side to end first */
		if (i >= 3 && i < 6)
			(void)shutdown(c->fd, SHUT_WR);
		fds[i] = c->fd;
	}
	for (i = 0; i < 7; i++) {
		got[i >= 3] += hear(fds[i], &over);
		all = all && over;
		(void)close(fds[i]);
		if (pids[i] > 0)
			tls_end(pids[i]);
	}
	CLAIM(got[0] == 0 && all, "inside TLS a stranger gets no byte, and the end");
	CLAIM(got[1] == 0 && all, "outside TLS neither");
	CLAIM(daemon_remembers(port, FROM_OTHER), "control: whom nginx ends is remembered a minute");
	CLAIM((pid = tls_dial(c)) > 0 && web_shake(c, d.pk, org.access[RPC_COUNSEL], ORIGIN),
	      "control: a member gets an answer");
	client_close(c);
	web_forget(c);
	tls_end(pid);
}

static void sources(void)
{
	struct client *c = calloc(1, sizeof *c);
	int fds[LIMIT + 6];
	unsigned i, n = 0;

	for (i = 0; i < LIMIT + 6; i++) {
		n += client_dial(c, port, FROM_MANY, 20) &&
		     client_shake(c, d.pk, org.access[RPC_FIELD]);
		fds[i] = c->fd;
	}
	CLAIM(n == LIMIT, "one address may have 64 connections at once");
	CLAIM(client_dial(c, port, FROM_OTHER, 20) &&
	      client_shake(c, d.pk, org.access[RPC_FIELD]), "another address is not concerned");
	client_close(c);
	for (i = 0; i < LIMIT + 6; i++)
		if (fds[i] >= 0)
			(void)close(fds[i]);
	free(c);
}

/* what makes nginx complain, each from an address that it would name */
static void troubles(struct client *c)
{
	bool over;

	if (!client_dial(c, port, FROM, 5))
		die("a connection", c);
	(void)send(c->fd, "\x16\x03\x01\x00\x05hello", 10, MSG_NOSIGNAL);
	(void)hear(c->fd, &over);
	client_close(c);
	(void)daemon_stop(&d);
	if (!client_dial(c, port, FROM, 5))
		die("a connection", c);
	(void)send(c->fd, "nobody is there", 15, MSG_NOSIGNAL);
	CLAIM(hear(c->fd, &over) == 0 && over, "a server that is away is an end without a word");
	client_close(c);
}

int main(int argc, char **argv)
{
	static char args[][32] = { "--source-limits", "no", "--web-origins", ORIGIN,
	                           "--handshake-seconds", "6" };
	char *const extra[] = { args[0], args[1], args[2], args[3], args[4], args[5], NULL };
	struct client *c = calloc(1, sizeof *c);
	char command[600];
	unsigned n = 0;
	FILE *f;

	if (argc < 4 || sodium_init() < 0)
		return 2;
	cert = argv[3];
	snprintf(tls_said, sizeof tls_said, "%s.openssl", argv[1]);
	(void)signal(SIGPIPE, SIG_IGN);
	daemon_remove(argv[1]);
	if (!org_init(&org, 1) || !daemon_init(&d, argv[1]) || !daemon_start(&d, extra) ||
	    !daemon_setup(&d, &org)) {
		printf("FAIL the server could not be set up\n");
		return 1;
	}
	snprintf(command, sizeof command, "%s %u", argv[2], d.port);
	f = popen(command, "r");
	if (f == NULL || fscanf(f, "%u", &n) != 1 || pclose(f) != 0) {
		printf("FAIL there is nothing before the server\n");
		return 1;
	}
	port = (uint16_t)n;
	CLAIM(log_says("browsers may come") && !log_says("SOURCE LIMITS ARE ON"),
	      "the server has nothing to say about this configuration");
	members(c);
	strangers(c);
	sources();
	troubles(c);
	free(c);
	return bad != 0;
}
