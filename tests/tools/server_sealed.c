/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * server_sealed DIR: a running amparod looked at from outside: what the kernel says it gave
 * up, which descriptors it has, how much of it is locked, and where in its memory the keys of
 * its connections are.  Each connection's two keys are known to the client: they must be in
 * locked memory and nowhere else, and gone when the connection is.
 */
#include <dirent.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "accept.h"
#include "daemon.h"
#include "host.h"
#include "sandbox.h"

#define CLIENTS 48

static struct daemon d;
static struct org org;
static struct client clients[CLIENTS];
static int bad;

static void claim(bool ok, const char *text)
{
	printf("%s %s\n", ok ? "ok" : "FAIL", text);
	bad += !ok;
}

/* ---- memory ------------------------------------------------------------------------------ */

struct needle {
	uint8_t key[32];
	unsigned locked, file, elsewhere;        /* times found, by kind of memory */
};

static void count(struct needle *n, size_t n_n, const uint8_t *p, size_t len, bool locked,
                  bool file)
{
	size_t i;

	for (i = 0; i < n_n; i++) {
		const uint8_t *at = p, *end = p + len;

		while ((at = memmem(at, (size_t)(end - at), n[i].key, 32)) != NULL) {
			if (locked)
				n[i].locked++;
			else if (file)
				n[i].file++;
			else
				n[i].elsewhere++;
			at++;
		}
	}
}

#define PIECE (8u << 20)

static uint64_t search_mapping(int mem, uint64_t from, uint64_t to, bool locked, bool file,
                               struct needle *n, size_t n_n)
{
	uint8_t *p = malloc(PIECE);
	uint64_t total = 0;

	/* each piece begins with the end of the last: a key may lie across */
	while (p != NULL && from < to) {
		size_t len = to - from < PIECE ? (size_t)(to - from) : PIECE;
		ssize_t got = pread(mem, p, len, (off_t)from);

		if (got <= 0)
			break;
		count(n, n_n, p, (size_t)got, locked, file);
		total += (uint64_t)got;
		if ((size_t)got < PIECE)
			break;
		from += PIECE - 31;
	}
	free(p);
	return total;
}

/* bytes searched; 0: it cannot be looked into */
static uint64_t search(pid_t pid, struct needle *n, size_t n_n)
{
	char path[64], line[600], name[300] = "";
	unsigned long long from = 0, to = 0;
	uint64_t total = 0;
	FILE *f;
	int mem;
	size_t i;

	for (i = 0; i < n_n; i++)
		n[i].locked = n[i].file = n[i].elsewhere = 0;
	snprintf(path, sizeof path, "/proc/%d/mem", (int)pid);
	mem = open(path, O_RDONLY | O_CLOEXEC);
	snprintf(path, sizeof path, "/proc/%d/smaps", (int)pid);
	f = fopen(path, "r");
	while (mem >= 0 && f != NULL && fgets(line, sizeof line, f) != NULL) {
		unsigned long long a, b;
		char rights[8];

		name[0] = sscanf(line, "%llx-%llx %7s", &a, &b, rights) == 3 ? '\0' : name[0];
		if (sscanf(line, "%llx-%llx %7s %*s %*s %*s %299s", &a, &b, rights, name) >= 3) {
			from = a;
			to = b;
			continue;
		}
		/* the last line of a mapping; "lo": locked */
		if (strncmp(line, "VmFlags:", 8) == 0 && strstr(line, " rd") != NULL) {
			total += search_mapping(mem, from, to, strstr(line, " lo") != NULL,
			                        name[0] == '/', n, n_n);
		}
	}
	if (f != NULL)
		fclose(f);
	if (mem >= 0)
		(void)close(mem);
	return total;
}

static void keys_of(struct needle *n, const struct client *c)
{
	memcpy(n[0].key, c->ch.own.tx.key, 32);
	memcpy(n[1].key, c->ch.own.rx.key, 32);
}

/* the first `gone` connections are over */
static bool look_for_keys(struct needle *n, size_t gone, unsigned *in_slab, unsigned *outside)
{
	size_t i;

	*in_slab = *outside = 0;
	if (search(d.pid, n, 2 * CLIENTS) == 0)
		return false;
	for (i = 0; i < 2 * CLIENTS; i++) {
		*in_slab += n[i].locked;
		*outside += n[i].file + n[i].elsewhere;
		if (i < 2 * gone && n[i].locked != 0)
			return false;
	}
	return *in_slab == 2 * (CLIENTS - gone) && *outside == 0;
}

static void pause_ms(long ms)
{
	struct timespec ts = { .tv_nsec = ms * 1000000 };

	(void)nanosleep(&ts, NULL);
}

static bool wait_connections(long n)
{
	uint64_t until = test_now_us() + 10000000;

	while (daemon_figure(&d, "connections") != n && test_now_us() < until)
		pause_ms(5);
	return daemon_figure(&d, "connections") == n;
}

static void keys_in_the_slab(void)
{
	static struct needle n[2 * CLIENTS], own[2 * CLIENTS], access[4];
	unsigned in_slab, outside, later_slab, later_out, i, found = 0, stray = 0, kept = 0;
	uint64_t bytes;
	bool ok;

	if (!SANDBOX_BUILT) {
		printf("SKIP a sanitizer keeps terabytes of memory of its own: keys are not looked "
		       "for\n");
		return;
	}
	for (i = 0; i < CLIENTS; i++)
		keys_of(&n[2 * i], &clients[i]);
	memcpy(own, n, sizeof own);
	bytes = search(d.pid, n, 1);
	if (bytes == 0) {
		printf("SKIP the memory of the server can be read by root only: run this as root\n");
		return;
	}
	ok = look_for_keys(n, 0, &in_slab, &outside);
	claim(ok, "the keys of every connection are in locked memory, once, and nowhere else");
	for (i = 0; i < CLIENTS / 2; i++)
		ok = ok && client_bye(&clients[i]);
	ok = ok && wait_connections(CLIENTS / 2);
	claim(ok && look_for_keys(n, CLIENTS / 2, &later_slab, &later_out),
	      "the keys of a connection that ended are nowhere");
	for (i = 0; i < 4; i++)
		channel_access(access[i].key, org.access[i + 1], d.pk);
	(void)search(d.pid, access, 4);
	for (i = 0; i < 4; i++) {
		kept += access[i].locked > 0;
		stray += access[i].elsewhere;
	}
	claim(kept == 4 && stray == 0, "derived access keys are in locked memory, and otherwise "
	                               "only in the mapped store");
	(void)search(getpid(), own, 2 * CLIENTS);
	for (i = 0; i < 2 * CLIENTS; i++)
		found += own[i].elsewhere > 0;
	printf("figure: keys of %d connections in %llu bytes of the server's memory: in the slab "
	       "%u of %d, elsewhere %u; after half of them left: %u and %u; access keys in the "
	       "slab: %u/4, elsewhere %u; control (the clients' own memory): %u found\n", CLIENTS,
	       (unsigned long long)bytes, in_slab, 2 * CLIENTS, outside, later_slab, later_out,
	       kept, stray, found);
	claim(found == 2 * CLIENTS, "control: the same search finds every key where the clients are");
}

/* ---- what the kernel says ---------------------------------------------------------------- */

static long status_of(const char *path, const char *what)
{
	char line[200];
	size_t len = strlen(what);
	FILE *f = fopen(path, "r");
	long v = -1;

	while (f != NULL && fgets(line, sizeof line, f) != NULL)
		if (strncmp(line, what, len) == 0 && line[len] == ':')
			v = strtol(line + len + 1, NULL, 10);
	if (f != NULL)
		fclose(f);
	return v;
}

static void every_thread(void)
{
	char path[300];
	unsigned n = 0, shut = 0, no_new = 0;
	struct dirent *e;
	DIR *dir;

	snprintf(path, sizeof path, "/proc/%d/task", (int)d.pid);
	dir = opendir(path);
	while (dir != NULL && (e = readdir(dir)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof path, "/proc/%d/task/%.20s/status", (int)d.pid, e->d_name);
		n++;
		shut += status_of(path, "Seccomp") == 2;
		no_new += status_of(path, "NoNewPrivs") == 1;
	}
	if (dir != NULL)
		closedir(dir);
	snprintf(path, sizeof path, "/proc/self/status");
	printf("figure: threads: %u; no new privileges: %u, seccomp filter: %u; control (this "
	       "test itself): %ld\n", n, no_new, shut, status_of(path, "Seccomp"));
	claim(n >= 6 && no_new == n, "no thread can gain privileges");
	if (SANDBOX_BUILT)
		claim(shut == n && status_of(path, "Seccomp") != 2,
		      "every thread is behind the filter of system calls");
	else
		printf("SKIP a sanitizer's build has no filter of system calls\n");
}

static void how_much_is_locked(void)
{
	size_t want = slab_size(host_slab_keep() + QUOTA_KEY + 64, 4096 + ACCEPT_TURN,
	                        HOST_SLOT_SIZE);
	long kib = daemon_memory(&d, "VmLck"), self;

	self = status_of("/proc/self/status", "VmLck");
	printf("figure: VmLck of amparod with %d connections: %ld KiB; its slab: %zu KiB; control "
	       "(this test itself): %ld KiB\n", CLIENTS, kib, want >> 10, self);
	claim(kib == (long)(want >> 10), "the slab for all connections is locked");
}

static void descriptors(void)
{
	char path[300], to[400];
	unsigned n = 0, sockets = 0, strange = 0;
	struct dirent *e;
	DIR *dir;

	snprintf(path, sizeof path, "/proc/%d/fd", (int)d.pid);
	dir = opendir(path);
	if (dir == NULL) {
		printf("SKIP the descriptors of the server can be seen by root only\n");
		return;
	}
	while ((e = readdir(dir)) != NULL) {
		ssize_t len;
		bool known;

		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof path, "/proc/%d/fd/%.20s", (int)d.pid, e->d_name);
		len = readlink(path, to, sizeof to - 1);
		to[len < 0 ? 0 : len] = '\0';
		n++;
		sockets += strncmp(to, "socket:", 7) == 0;
		known = strncmp(to, "socket:", 7) == 0 || strncmp(to, "pipe:", 5) == 0 ||
		        strcmp(to, "anon_inode:[eventpoll]") == 0 ||
		        strcmp(to, "anon_inode:[eventfd]") == 0 || strcmp(to, "/dev/null") == 0 ||
		        strcmp(to, d.log) == 0 || strncmp(to, d.dir, strlen(d.dir)) == 0 ||
		        /* what the test was started with */
		        atoi(e->d_name) == 0;
		if (!known) {
			printf("FAIL an unexpected descriptor: %s\n", to);
			strange++;
		}
	}
	closedir(dir);
	printf("figure: descriptors: %u, of these sockets %u (%d connections, 1 address, 1 local); "
	       "unexpected: %u\n", n, sockets, CLIENTS, strange);
	claim(strange == 0 && sockets == CLIENTS + 2,
	      "no descriptor but connections, the listening ones, the store and the log");
}

static bool start(const char *dir)
{
	unsigned i;

	if (!org_init(&org, 1) || !daemon_init(&d, dir) || !daemon_start(&d, NULL) ||
	    !daemon_setup(&d, &org))
		return false;
	/* LMDB keeps the page it wrote the policy to, as it is on the disk: begin anew */
	if (daemon_stop(&d) != 0 || !daemon_start(&d, NULL))
		return false;
	for (i = 0; i < CLIENTS; i++) {
		struct rpc_msg hello = { .method = RPC_HELLO };
		uint8_t cell[CELL_SIZE];
		enum rpc_scope scope = i % 2 == 0 ? RPC_FIELD : RPC_COUNSEL;

		if (!daemon_open(&d, &org, scope, &clients[i]) || !client_call(&clients[i], &hello))
			return false;
		client_cell(cell, 3, i);
		if (!client_put(&clients[i], cell) || !client_commit(&clients[i]))
			return false;
	}
	return wait_connections(CLIENTS);
}

int main(int argc, char **argv)
{
	int code;

	if (argc != 2 || sodium_init() < 0)
		return 2;
	if (!start(argv[1])) {
		printf("FAIL the server could not be set up\n");
		return 1;
	}
	every_thread();
	how_much_is_locked();
	descriptors();
	keys_in_the_slab();
	code = daemon_stop(&d);
	claim(code == 0, "the server stops in order");
	return bad != 0;
}
