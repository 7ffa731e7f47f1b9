/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * server_kit: what programs that try one server share: the server, its organisation, claims
 * that are printed and counted, and some things that each of them does.
 */
#ifndef AMPARO_TEST_SERVER_KIT_H
#define AMPARO_TEST_SERVER_KIT_H

#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon.h"

static struct daemon d;
static struct org org;
static int bad;                          /* claims that do not hold */

#define CLAIM(ok, text) \
	do { \
		bool ok_ = (ok); \
		bad += !ok_; \
		printf("%s %s\n", ok_ ? "ok" : "FAIL", text); \
	} while (0)

/* cells number from..from + n - 1 of this seed, without a commit */
static inline bool kit_put(struct client *c, uint64_t seed, uint64_t from, unsigned n)
{
	uint8_t cell[CELL_SIZE];
	unsigned i;

	for (i = 0; i < n; i++) {
		client_cell(cell, seed, from + i);
		if (!client_put(c, cell))
			return false;
	}
	return true;
}

/* how many statuses of the last commit are this one */
static inline unsigned with_status(const struct client *c, uint8_t status)
{
	unsigned n = 0;
	size_t i;

	for (i = 0; i < c->m.bytes_len; i++)
		n += c->m.bytes[i] == status;
	return n;
}

/* the server ends this connection within ms, whatever it says before; *got: bytes it said */
static inline bool ends(struct client *c, int ms, size_t *got)
{
	struct pollfd p = { .fd = c->fd, .events = POLLIN };
	uint64_t until = test_now_us() + (uint64_t)ms * 1000;
	uint8_t buf[4096];
	ssize_t n = 1;

	*got = 0;
	while (n > 0 && test_now_us() < until)
		if (poll(&p, 1, 100) == 1) {
			n = recv(c->fd, buf, sizeof buf, 0);
			*got += n > 0 ? (size_t)n : 0;
		}
	return n <= 0;
}

/* a line of its log has this in it */
static inline bool log_says(const char *what)
{
	FILE *f = fopen(d.log, "r");
	char line[400];
	bool found = false;

	while (f != NULL && fgets(line, sizeof line, f) != NULL)
		found = found || strstr(line, what) != NULL;
	if (f != NULL)
		fclose(f);
	return found;
}

/* until the server has seen the end of every connection */
static inline void none_open(void)
{
	while (daemon_figure(&d, "connections") > 0)
		(void)usleep(20000);
}

#endif
