/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * seizure_visitor KEYS PLAN CELLS ACTION…: one visit to the server, by somebody who writes
 * down everything that must be forgotten afterwards: own address, the moments, the keys of
 * the session, the first message; and of each cell when it arrived.
 *
 *	put FROM BASE N BATCH        upload cells BASE..BASE+N-1, so many to a commit
 *	crash FROM BASE N            the same, but the answer to the commit is not waited for: prints
 *	                             a line, and ends when the server does
 *	fail FROM                    handshakes that must fail: noise, half a message, a wrong key, a
 *	                             first message that was seen before
 *	erase FROM BASE N FATE       ask for their erasure; FATE, erased or expired, says what their
 *	                            ids will be when the image is taken
 *	pull FROM                    everything that is released
 *	release FROM DAY             order a release; DAY 0: the server's day
 *	hold FROM FROM6 BASE N       open connections, with N cells uploaded and not committed: prints a
 *	                             line, waits for the end of standard input, says goodbye
 *	found CARD                   set up a server of the drill's own: KEYS is made
 *
 * KEYS   server, port, access1..4, admin: as seizure_vault keys prints them
 * PLAN   canaries are added (canary.h)       CELLS   "NUMBER ID" in order of arrival, added
 * $SEIZURE_CELLS: seed of the cells.  $SEIZURE_CLOCK: seconds the server's clock is off.
 */
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "../tools/daemon.h"
#include "cells.h"

static const char *keys_path;
static struct org org;
static uint8_t server_pk[32];
static uint16_t port;
static FILE *plan, *cells;

static void die(const char *what, const struct client *c)
{
	fprintf(stderr, "seizure_visitor: %s%s%s\n", what, c != NULL ? ": " : "",
	        c != NULL ? c->why : "");
	exit(1);
}

/* ---- what is written down ---------------------------------------------------------------- */

static void note_hex(const char *class, const uint8_t *p, size_t len)
{
	char text[257];

	fprintf(plan, "%s\thex\t%s\n", class, sodium_bin2hex(text, sizeof text, p, len));
}

static uint64_t now_us(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

/* by both clocks: what the kernel writes down is the file system's, the rest is ours */
static void note_visit(uint64_t from, uint64_t to)
{
	const char *off = getenv("SEIZURE_CLOCK");
	int64_t shift = off != NULL ? atoll(off) * 1000000 : 0;

	fprintf(plan, "visit, kernel's clock\ttime\t%" PRIu64 " %" PRIu64 "\n", from, to);
	if (shift != 0)
		fprintf(plan, "visit, server's clock\ttime\t%" PRIu64 " %" PRIu64 "\n",
		        (uint64_t)((int64_t)from + shift), (uint64_t)((int64_t)to + shift));
}

static void note_session(const struct client *c, bool open)
{
	const char *class = open ? "key of an open session" : "key of an ended session";

	note_hex(class, c->ch.own.tx.key, 32);
	note_hex(class, c->ch.own.rx.key, 32);
}

static void note_address(const char *from, const char *what)
{
	fprintf(plan, "%s\tip\t%s\n", what, from);
}

/* ---- keys -------------------------------------------------------------------------------- */

static bool unhex(uint8_t *out, size_t len, const char *text)
{
	size_t got;

	return sodium_hex2bin(out, len, text, strlen(text), NULL, &got, NULL) == 0 && got == len;
}

static void keys_read(void)
{
	FILE *f = fopen(keys_path, "r");
	char key[32], value[260];
	uint8_t sk[64];
	bool ok = f != NULL;

	while (ok && fscanf(f, "%31s %259s", key, value) == 2) {
		if (strcmp(key, "server") == 0)
			ok = unhex(server_pk, 32, value);
		else if (strcmp(key, "port") == 0)
			port = (uint16_t)atoi(value);
		else if (strncmp(key, "access", 6) == 0 && key[6] >= '1' && key[6] <= '4')
			ok = unhex(org.access[key[6] - '0'], 32, value);
		else if (strcmp(key, "admin") == 0) {
			ok = unhex(sk, 64, value);
			signed_key_from_seed(&org.admin, sk);
		}
	}
	if (!ok || port == 0)
		die("the keys cannot be read", NULL);
	fclose(f);
}

static void keys_write(void)
{
	FILE *f = fopen(keys_path, "w");
	char text[129];

	if (f == NULL)
		die("the keys cannot be written", NULL);
	fprintf(f, "server %s\nport %u\n", sodium_bin2hex(text, sizeof text, server_pk, 32), port);
	for (int i = 1; i <= 4; i++)
		fprintf(f, "access%d %s\n", i, sodium_bin2hex(text, sizeof text, org.access[i], 32));
	fprintf(f, "admin %s\n", sodium_bin2hex(text, sizeof text, org.admin.sk, 64));
	fclose(f);
}

/* ---- visits ------------------------------------------------------------------------------ */

static struct client *come(const char *from, enum rpc_scope scope)
{
	struct client *c = malloc(sizeof *c);

	if (c == NULL || !client_dial(c, port, from, 30) ||
	    !client_shake(c, server_pk, org.access[scope]))
		die("no connection", c);
	return c;
}

static void leave(struct client *c, const char *from, uint64_t since)
{
	note_session(c, false);
	if (!client_bye(c))
		die("no goodbye", c);
	note_address(from, "address of an ended connection");
	note_visit(since, now_us());
	free(c);
}

static void put(const char *from, uint64_t base, uint64_t n, uint64_t batch, bool crash)
{
	uint64_t since = now_us(), i;
	struct client *c = come(from, RPC_FIELD);
	uint8_t cell[CELL_SIZE], id[32];
	char text[65];
	uint32_t msgid;

	for (i = 0; i < n; i++) {
		drill_cell(cell, NULL, base + i);
		cell_id(id, cell);
		if (!crash)
			fprintf(cells, "%" PRIu64 " %s\n", base + i,
			        sodium_bin2hex(text, sizeof text, id, 32));
		if (!client_put(c, cell))
			die("put", c);
		if ((i + 1) % batch != 0 && i + 1 < n)
			continue;
		if (!crash && !client_commit(c))
			die("commit", c);
	}
	if (!crash) {
		leave(c, from, since);
		return;
	}
	note_session(c, false);
	/* the server's death ends it, not this side */
	note_address(from, "address of a connection that the server ended");
	note_visit(since, now_us());
	fflush(plan);
	if (!client_commit_begin(c, &msgid))
		die("commit", c);
	puts("sent");
	fflush(stdout);
	while (client_next(c, RPC_COMMIT))
		;
	client_close(c);
	free(c);
}

static void fail_handshakes(const char *from)
{
	uint8_t first[NOISE_MSG_SIZE], wrong[32], derived[32];
	struct client *c = malloc(sizeof *c);
	uint64_t since = now_us();
	int kind;

	for (kind = 0; kind < 4; kind++) {
		if (c == NULL || !client_dial(c, port, from, 30))
			die("no connection", c);
		randombytes_buf(first, sizeof first);
		randombytes_buf(wrong, sizeof wrong);
		if (kind >= 2) {
			channel_access(derived, kind == 2 ? wrong : org.access[RPC_FIELD], server_pk);
			if (channel_connect(&c->ch, first, server_pk, derived,
			                    rng_system()) != PERR_OK)
				die("no first message", NULL);
		}
		note_hex("first message of a failed handshake", first, 32);
		if (send(c->fd, first, kind == 1 ? 20 : sizeof first, MSG_NOSIGNAL) < 0)
			die("send", c);
		if (kind == 3) {
			/* it was good the first time; said again it must be met with silence */
			uint8_t answer[NOISE_MSG_SIZE];

			if (recv(c->fd, answer, sizeof answer, MSG_WAITALL) != sizeof answer)
				die("the first of both was not answered", NULL);
			client_close(c);
			if (!client_dial(c, port, from, 30) ||
			    send(c->fd, first, sizeof first, MSG_NOSIGNAL) < 0)
				die("no connection", c);
		}
		/* the peer's end is waited for, so that the server has met it */
		(void)shutdown(c->fd, SHUT_WR);
		if (recv(c->fd, first, 1, 0) > 0)
			die("a handshake that must fail was answered", NULL);
		client_close(c);
	}
	note_address(from, "address of a failed handshake");
	note_visit(since, now_us());
	free(c);
}

/* fate: what becomes of the id, "erased" or "expired" */
static void erase(const char *from, uint64_t base, uint64_t n, const char *fate)
{
	uint64_t since = now_us(), i, k;
	struct client *c = come(from, RPC_COUNSEL);
	uint8_t list[64 * 64], cell[CELL_SIZE];
	char class[64];

	for (i = 0; i < n; i += k) {
		struct rpc_msg m = { .type = RPC_NOTIFY, .method = RPC_ERASE, .bytes = list };

		for (k = 0; k < 64 && i + k < n; k++) {
			drill_cell(cell, list + 64 * k + 32, base + i + k);
			cell_id(list + 64 * k, cell);
			note_hex("erase secret", list + 64 * k + 32, 32);
			snprintf(class, sizeof class, "id of an %s cell", fate);
			note_hex(class, list + 64 * k, 32);
		}
		m.bytes_len = 64 * k;
		if (!client_queue(c, &m) || !client_commit(c) || c->m.bytes_len != k ||
		    c->m.bytes[0] != RPC_ACCEPTED)
			die("the erasure is not accepted", c);
	}
	leave(c, from, since);
}

static void count(void *arg, const uint8_t *cell)
{
	++*(uint64_t *)arg;
}

static void pull(const char *from)
{
	uint64_t since = now_us(), n_cells = 0;
	struct client *c = come(from, RPC_COUNSEL);
	struct rpc_segment *seg = malloc(1024 * sizeof *seg);
	size_t n = 0, i;
	bool ok = seg != NULL && client_segments(c, seg, 1024, &n);

	for (i = 0; ok && i < n; i++)
		ok = client_pull(c, &seg[i], count, &n_cells);
	if (!ok)
		die("pull", c);
	printf("pulled\t%" PRIu64 "\t%zu\n", n_cells, n);
	free(seg);
	leave(c, from, since);
}

/* one by schedule may be under way: "not now" is asked again */
static void release(const char *from, uint32_t day)
{
	uint64_t since = now_us();
	struct client *c = come(from, RPC_STEWARD);
	struct rpc_msg hello = { .method = RPC_HELLO };
	struct timespec pause = { .tv_nsec = 20000000 };
	uint8_t *bytes = NULL;
	bool ok = false;

	for (int i = 0; i < 500 && !ok; i++) {
		struct rpc_msg m = { .method = RPC_RELEASE };

		if (!client_call(c, &hello) ||
		    !org_order(&org, server_pk, c->m.hello.counter + 1, POLICY_RELEASE,
		               day != 0 ? day : c->m.hello.day, NULL, 0, &bytes, &m.bytes_len))
			die("no order", c);
		m.bytes = bytes;
		ok = client_call(c, &m);
		free(bytes);
		if (!ok && c->m.error != RPC_LATER)
			die("the release is refused", c);
		if (!ok)
			(void)nanosleep(&pause, NULL);
	}
	if (!ok)
		die("no release", c);
	printf("released\t%u\t%u\t%u\n", c->m.day, c->m.release, c->m.n);
	leave(c, from, since);
}

static void hold(const char *from, const char *from6, uint64_t base, uint64_t n)
{
	struct client *a = come(from, RPC_FIELD), *b = come(from6, RPC_COUNSEL);
	struct rpc_msg hello = { .method = RPC_HELLO };
	uint8_t cell[CELL_SIZE], id[32];
	uint64_t i, since = now_us();
	int ch;

	for (i = 0; i < n; i++) {
		drill_cell(cell, NULL, base + i);
		cell_id(id, cell);
		note_hex("cell in a frame", cell, 48);
		if (!client_put(a, cell))
			die("put", a);
	}
	/* answered in order: the cells are in the server's memory then */
	if (!client_call(a, &hello) || !client_call(b, &hello))
		die("hello", a);
	note_session(a, true);
	note_session(b, true);
	note_address(from, "address of an open connection");
	note_address(from6, "address of an open connection");
	fflush(plan);
	puts("holding");
	fflush(stdout);
	while ((ch = getchar()) != EOF)
		;
	if (!client_bye(a) || !client_bye(b))
		die("no goodbye", a);
	note_visit(since, now_us());
	free(a);
	free(b);
}

static void found(const char *card_path)
{
	struct policy_card card;
	struct daemon d = { 0 };
	char text[512];
	FILE *f = fopen(card_path, "r");

	if (f == NULL || fgets(text, sizeof text, f) == NULL)
		die("the card cannot be read", NULL);
	fclose(f);
	text[strcspn(text, "\r\n")] = '\0';
	if (policy_card_decode(&card, text) != PERR_OK || !org_init(&org, 1))
		die("not a card", NULL);
	memcpy(server_pk, card.server_pk, 32);
	memcpy(d.pk, card.server_pk, 32);
	memcpy(d.setup, card.setup_key, 32);
	port = (uint16_t)atoi(strrchr(card.address, ':') + 1);
	d.port = port;
	if (!daemon_setup(&d, &org))
		die("the server cannot be set up", NULL);
	keys_write();
}

int main(int argc, char **argv)
{
	const char *act;
	char **arg = argv + 5;
	int n = argc - 5;

	if (argc < 6 || sodium_init() < 0)
		goto usage;
	keys_path = argv[1];
	plan = fopen(argv[2], "a");
	cells = fopen(argv[3], "a");
	act = argv[4];
	if (plan == NULL || cells == NULL)
		die("plan or cells cannot be written", NULL);
	if (strcmp(act, "found") == 0) {
		found(arg[0]);
		return 0;
	}
	keys_read();
	if (strcmp(act, "put") == 0 && n == 4)
		put(arg[0], strtoull(arg[1], NULL, 10), strtoull(arg[2], NULL, 10),
		    strtoull(arg[3], NULL, 10), false);
	else if (strcmp(act, "crash") == 0 && n == 3)
		put(arg[0], strtoull(arg[1], NULL, 10), strtoull(arg[2], NULL, 10), 64, true);
	else if (strcmp(act, "fail") == 0 && n == 1)
		fail_handshakes(arg[0]);
	else if (strcmp(act, "erase") == 0 && n == 4)
		erase(arg[0], strtoull(arg[1], NULL, 10), strtoull(arg[2], NULL, 10), arg[3]);
	else if (strcmp(act, "pull") == 0 && n == 1)
		pull(arg[0]);
	else if (strcmp(act, "release") == 0 && n == 2)
		release(arg[0], (uint32_t)strtoul(arg[1], NULL, 10));
	else if (strcmp(act, "hold") == 0 && n == 4)
		hold(arg[0], arg[1], strtoull(arg[2], NULL, 10), strtoull(arg[3], NULL, 10));
	else
		goto usage;
	return fclose(plan) == 0 && fclose(cells) == 0 ? 0 : 1;
usage:
	fputs("Use: seizure_visitor KEYS PLAN CELLS put|crash|fail|erase|pull|release|hold|found …\n",
	      stderr);
	return 2;
}
