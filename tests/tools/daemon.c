/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "daemon.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

uint64_t test_now_us(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

/* ---- organisation ------------------------------------------------------------------------ */

bool org_init(struct org *o, uint8_t seed)
{
	uint8_t s[32];
	struct signed_doc link;
	bool ok = false;
	int i;

	memset(o, 0, sizeof *o);
	memset(s, seed, sizeof s);
	signed_key_from_seed(&o->admin, s);
	for (i = 1; i <= 4; i++) {
		s[0] = (uint8_t)i;
		crypto_generichash(o->access[i], 32, s, sizeof s, NULL, 0);
	}
	memset(o->ticket, seed, sizeof o->ticket);
	memset(&link, 0, sizeof link);
	if (admins_genesis(&link, 1, (const uint8_t (*)[32])&o->admin.id, 1) == PERR_OK &&
	    signed_add(&link.sigs, &o->admin, ADMINS_CONTEXT, link.bytes, link.len) == PERR_OK)
		ok = signed_encode(&o->link, &o->link_len, &link) == PERR_OK;
	signed_doc_free(&link);
	return ok;
}

bool org_policy(const struct org *o, const uint8_t server_pk[32], uint32_t counter,
                uint32_t day, uint8_t **out, size_t *len)
{
	struct policy *p = malloc(sizeof *p);
	const struct sign_key *key = &o->admin;
	bool ok;
	uint32_t i;

	policy_default(p);
	memcpy(p->server_pk, server_pk, 32);
	p->counter = counter;
	p->day = day;
	p->n_chain = 1;
	p->chain[0] = doc_bytes_of(o->link, o->link_len);
	p->n_access = 4;
	for (i = 0; i < 4; i++) {
		p->access[i].scope = i + 1;
		channel_access(p->access[i].derived, o->access[i + 1], server_pk);
	}
	p->n_tickets = 1;
	policy_ticket_hash(p->tickets[0], o->ticket);
	p->release_minutes = 1440;       /* tests release by order */
	p->erase_delay_hours = o->erase_delay_hours;
	p->limits = o->limits;
	memset(p->seed, 7, sizeof p->seed);
	ok = policy_pad_tickets(p, rng_system()) == PERR_OK &&
	     policy_sign(out, len, p, &key, 1) == PERR_OK;
	free(p);
	return ok;
}

bool org_order(const struct org *o, const uint8_t server_pk[32], uint32_t counter,
               enum policy_order_kind kind, uint32_t day, const uint8_t (*ids)[32], size_t n,
               uint8_t **out, size_t *len)
{
	struct policy_order order;
	const struct sign_key *key = &o->admin;

	memset(&order, 0, sizeof order);
	memcpy(order.server_pk, server_pk, 32);
	order.counter = counter;
	order.kind = kind;
	order.day = day;
	order.n_ids = (uint32_t)n;
	if (n > 0)
		memcpy(order.ids, ids, n * 32);
	return policy_order_sign(out, len, &order, &key, 1) == PERR_OK;
}

/* ---- process ----------------------------------------------------------------------------- */

static bool read_card(struct daemon *d, FILE *f)
{
	struct policy_card card;
	char line[512];

	while (fgets(line, sizeof line, f) != NULL) {
		if (strncmp(line, POLICY_CARD_PREFIX, strlen(POLICY_CARD_PREFIX)) != 0)
			continue;
		if (policy_card_decode(&card, line) != PERR_OK)
			return false;
		memcpy(d->pk, card.server_pk, 32);
		memcpy(d->setup, card.setup_key, 32);
		return true;
	}
	return false;
}

bool daemon_init(struct daemon *d, const char *dir)
{
	const char *own = getenv("AMPAROD"), *b = getenv("B");
	char cmd[700];
	FILE *f;
	bool ok;

	memset(d, 0, sizeof *d);
	if (own != NULL)
		snprintf(d->bin, sizeof d->bin, "%s", own);
	else
		snprintf(d->bin, sizeof d->bin, "%s/amparod", b != NULL ? b : "build");
	snprintf(d->dir, sizeof d->dir, "%s", dir);
	snprintf(d->log, sizeof d->log, "%s.log", dir);
	snprintf(cmd, sizeof cmd, "'%s' init --data '%s' --address 127.0.0.1:4711", d->bin, dir);
	f = popen(cmd, "r");
	if (f == NULL)
		return false;
	ok = read_card(d, f);
	while (fgetc(f) != EOF)
		;
	return pclose(f) == 0 && ok;
}

static void run_child(struct daemon *d, int ready, char *const *extra)
{
	char listen[40], fd[16];
	char *argv[40] = { d->bin, (char *)"run", (char *)"--data", d->dir, (char *)"--listen",
	                   listen, (char *)"--ready-fd", fd };
	size_t n = 8;
	int log = open(d->log, O_WRONLY | O_CREAT | O_APPEND, 0600);

	snprintf(listen, sizeof listen, "127.0.0.1:%u", d->port);
	snprintf(fd, sizeof fd, "%d", ready);
	while (extra != NULL && *extra != NULL && n < 39)
		argv[n++] = *extra++;
	argv[n] = NULL;
	/* a test that fails half-way leaves no server behind */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)dup2(log, 2);
	(void)dup2(log, 1);
	execv(d->bin, argv);
	_exit(127);
}

/* the last "listening on 127.0.0.1:PORT" of the log */
static bool find_port(struct daemon *d)
{
	FILE *f = fopen(d->log, "r");
	char line[300];
	unsigned port;

	if (f == NULL)
		return false;
	while (fgets(line, sizeof line, f) != NULL)
		if (sscanf(line, "amparod: listening on 127.0.0.1:%u", &port) == 1)
			d->port = (uint16_t)port;
	fclose(f);
	return d->port != 0;
}

bool daemon_start(struct daemon *d, char *const *extra)
{
	int fds[2];
	char byte;
	bool ok;

	if (pipe(fds) != 0)
		return false;
	d->pid = fork();
	if (d->pid == 0) {
		(void)close(fds[0]);
		run_child(d, fds[1], extra);
	}
	(void)close(fds[1]);
	ok = d->pid > 0 && read(fds[0], &byte, 1) == 1;
	(void)close(fds[0]);
	if (ok && d->port == 0)
		ok = find_port(d);
	if (!ok && d->pid > 0)
		daemon_kill(d);
	return ok;
}

void daemon_kill(struct daemon *d)
{
	int status;

	if (d->pid <= 0)
		return;
	(void)kill(d->pid, SIGKILL);
	while (waitpid(d->pid, &status, 0) < 0 && errno == EINTR)
		;
	d->pid = 0;
}

int daemon_stop(struct daemon *d)
{
	int status;

	if (d->pid <= 0)
		return -1;
	(void)kill(d->pid, SIGTERM);
	while (waitpid(d->pid, &status, 0) < 0 && errno == EINTR)
		;
	d->pid = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

bool daemon_open(const struct daemon *d, const struct org *o, enum rpc_scope scope,
                 struct client *c)
{
	return client_open(c, d->port, d->pk, o->access[scope]);
}

bool daemon_setup(struct daemon *d, const struct org *o)
{
	struct client *c = malloc(sizeof *c);
	struct rpc_msg hello = { .method = RPC_HELLO };
	uint8_t *bytes = NULL;
	size_t len;
	bool ok;

	ok = client_open(c, d->port, d->pk, d->setup) && client_call(c, &hello) &&
	     c->m.hello.policy_version == 0 &&
	     org_policy(o, d->pk, c->m.hello.counter + 1, c->m.hello.day, &bytes, &len) &&
	     client_upload(c, NULL, bytes, len);
	if (!ok)
		fprintf(stderr, "set-up failed: %s, error %d\n", c->why, (int)c->m.error);
	free(bytes);
	client_close(c);
	free(c);
	return ok;
}

bool daemon_release(struct daemon *d, const struct org *o, uint32_t *n)
{
	struct client *c = malloc(sizeof *c);
	struct rpc_msg hello = { .method = RPC_HELLO }, order = { .method = RPC_RELEASE };
	uint8_t *bytes = NULL;
	bool ok;

	ok = daemon_open(d, o, RPC_STEWARD, c) && client_call(c, &hello) &&
	     org_order(o, d->pk, c->m.hello.counter + 1, POLICY_RELEASE, c->m.hello.day, NULL, 0,
	               &bytes, &order.bytes_len);
	order.bytes = bytes;
	ok = ok && client_call(c, &order);
	if (ok)
		*n = c->m.n;
	else
		fprintf(stderr, "release failed: %s, error %d\n", c->why, (int)c->m.error);
	free(bytes);
	if (c->fd >= 0)
		client_close(c);
	free(c);
	return ok;
}

long daemon_memory(const struct daemon *d, const char *what)
{
	char path[64], line[128];
	size_t len = strlen(what);
	long kib = -1;
	FILE *f;

	snprintf(path, sizeof path, "/proc/%d/status", (int)d->pid);
	f = fopen(path, "r");
	while (f != NULL && fgets(line, sizeof line, f) != NULL)
		if (strncmp(line, what, len) == 0 && line[len] == ':')
			kib = strtol(line + len + 1, NULL, 10);
	if (f != NULL)
		fclose(f);
	return kib;
}

bool daemon_remembers(uint16_t port, const char *from)
{
	FILE *f = fopen("/proc/net/tcp", "r");
	unsigned at, peer, state, who = inet_addr(from);
	char line[300];
	bool found = false;

	while (f != NULL && fgets(line, sizeof line, f) != NULL)
		found = found || (sscanf(line, " %*d: %*x:%x %x:%*x %x", &at, &peer, &state) == 3 &&
		                  at == port && peer == who && state == TCP_TIME_WAIT);
	if (f != NULL)
		fclose(f);
	return found;
}

int daemon_files(const struct daemon *d)
{
	char path[64];
	DIR *dir;
	int n = 0;

	snprintf(path, sizeof path, "/proc/%d/fd", (int)d->pid);
	dir = opendir(path);
	if (dir == NULL)
		return -1;
	while (readdir(dir) != NULL)
		n++;
	closedir(dir);
	return n - 2;
}

long daemon_figure(const struct daemon *d, const char *key)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	char name[64], value[64];
	long v = -1;
	FILE *f;

	snprintf(un.sun_path, sizeof un.sun_path, "%.90s/status.sock", d->dir);
	if (connect(fd, (struct sockaddr *)&un, sizeof un) != 0) {
		(void)close(fd);
		return -1;
	}
	f = fdopen(fd, "r");
	while (fscanf(f, "%63s %63s", name, value) == 2)
		if (strcmp(name, key) == 0)
			v = strtol(value, NULL, 10);
	fclose(f);
	return v;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	return remove(path);
}

void daemon_remove(const char *dir)
{
	char log[280];

	(void)nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	snprintf(log, sizeof log, "%s.log", dir);
	(void)unlink(log);
}
