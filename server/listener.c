/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "listener.h"

#include <errno.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "accept.h"
#include "clock.h"
#include "host.h"
#include "sandbox.h"

#define WORK_STACK (64u << 10)   /* more than one piece of work takes */
#define BACKLOG      1024
#define OWN_FILES    96          /* descriptors that are not connections */
#define HURRY_MS     100
#define STATUS_MAX   16          /* local askers at once */

struct server {
	uv_loop_t loop;
	uv_tcp_t listen[CONFIG_LISTEN_MAX];
	size_t n_listen;
	uv_async_t written;              /* the writer has something */
	uv_timer_t tick, leave;
	uv_signal_t term, intr;
	uv_pipe_t status;
	unsigned n_status;
	bool leaving, left;
	unsigned n_work;
	struct host *host;
	struct slab *slab;
	struct conn_set set;
	struct acceptor acceptor;
	const struct config *cfg;
	unsigned abi;                    /* of Landlock, in use */
	unsigned missing;                /* MISS_* */
};

/* what of the sandbox this machine does not grant */
#define MISS_FILES 1u
#define MISS_CALLS 2u

static void say(const char *line)
{
	fprintf(stderr, "amparod: %s\n", line);
}

/* ---- what the host needs ----------------------------------------------------------------- */

static int64_t env_unix_s(void *ctx)
{
	return clock_unix_s();
}

static uint64_t env_now_ms(void *ctx)
{
	return uv_now(&((struct server *)ctx)->loop);
}

static void env_log(void *ctx, const char *line)
{
	say(line);
}

static void tick_on_time(uv_timer_t *t);

static void env_hurry(void *ctx)
{
	struct server *srv = ctx;

	if (uv_timer_get_due_in(&srv->tick) > HURRY_MS)
		(void)uv_timer_start(&srv->tick, tick_on_time, HURRY_MS, 0);
}

static void env_notify(void *ctx)
{
	(void)uv_async_send(&((struct server *)ctx)->written);
}

struct work {
	uv_work_t req;
	struct server *srv;
	struct host_work *work;
};

static void work_on_run(uv_work_t *req)
{
	struct work *w = req->data;

	w->work->run(w->work);
	/* file times, which are the moments of visits, and pages that were read */
	sodium_stackzero(WORK_STACK);
}

static void check_dead(struct server *srv)
{
	if (host_dead(srv->host) != NULL)
		uv_stop(&srv->loop);
}

static void work_on_done(uv_work_t *req, int status)
{
	struct work *w = req->data;
	struct server *srv = w->srv;
	struct host_work *work = w->work;

	free(w);
	srv->n_work--;
	work->done(work);
	check_dead(srv);
}

static enum perr env_offload(void *ctx, struct host_work *work)
{
	struct server *srv = ctx;
	struct work *w = malloc(sizeof *w);

	if (w == NULL)
		return PERR_NOMEM;
	w->req.data = w;
	w->srv = srv;
	w->work = work;
	if (uv_queue_work(&srv->loop, &w->req, work_on_run, work_on_done) != 0) {
		free(w);
		return PERR_NOMEM;
	}
	srv->n_work++;
	return PERR_OK;
}

/* ---- events ------------------------------------------------------------------------------ */

static void tick_on_time(uv_timer_t *t)
{
	struct server *srv = t->data;

	(void)uv_timer_start(t, tick_on_time, host_tick(srv->host), 0);
	check_dead(srv);
}

static void written_on_async(uv_async_t *a)
{
	struct server *srv = a->data;

	host_collect(srv->host);
	check_dead(srv);
}

static uint32_t source_limit(void *arg)
{
	return host_source_limit(((struct server *)arg)->host);
}

static void set_on_emptied(void *arg)
{
	struct server *srv = arg;

	srv->left = true;
	uv_stop(&srv->loop);
}

static void leave_on_time(uv_timer_t *t)
{
	conn_close_all(&((struct server *)t->data)->set);
}

static void close_once(uv_handle_t *h)
{
	if (h->loop != NULL && !uv_is_closing(h))
		uv_close(h, NULL);
}

static void signal_on_leave(uv_signal_t *s, int number)
{
	struct server *srv = s->data;
	size_t i;

	if (srv->leaving) {              /* asked twice: do not wait */
		conn_close_all(&srv->set);
		return;
	}
	srv->leaving = true;
	say("stopping: commits under way are finished first");
	for (i = 0; i < srv->n_listen; i++)
		close_once((uv_handle_t *)&srv->listen[i]);
	(void)uv_timer_start(&srv->leave, leave_on_time, LISTENER_LEAVE_MS, 0);
	conn_leave_all(&srv->set);
}

/* ---- status socket ----------------------------------------------------------------------- */

struct asker {
	uv_pipe_t pipe;
	uv_write_t req;
	struct server *srv;
	char text[1400];
};

static void asker_on_close(uv_handle_t *h)
{
	struct asker *a = h->data;

	a->srv->n_status--;
	free(a);
}

static void asker_on_written(uv_write_t *req, int status)
{
	struct asker *a = req->data;

	uv_close((uv_handle_t *)&a->pipe, asker_on_close);
}

static void report_done(void *arg, const struct host_report *r)
{
	struct asker *a = arg;
	const struct conn_set *set = &a->srv->set;
	uv_buf_t buf;
	int n;

	n = snprintf(a->text, sizeof a->text,
	             "day %u\nfrozen %d\npolicy %d\ncounter %u\nbulletin_version %u\n"
	             "cells_waiting %llu\ncells_released %llu\nsegments %u\nboard %u\n"
	             "board_waiting %u\njoins_waiting %u\nerasures_waiting %u\nerase_day %u\n"
	             "tombstones %u\n"
	             "damaged %u\nfree_mib %llu\nreserve_mib %llu\ndisk_full %d\n"
	             "connections %zu\nrefused_for_limits %llu\nrefused_for_space %llu\n"
	             "alerts %llu\nturned_away %llu\n"
	             "next_release_in_seconds %lld\n",
	             r->day, r->frozen, r->has_policy, r->counter, r->bulletin_version,
	             (unsigned long long)r->counts.pool_cells,
	             (unsigned long long)r->counts.cells, r->counts.segments, r->counts.board,
	             r->counts.board_staged, r->counts.inbox, r->counts.erasures,
	             r->counts.erase_day, r->counts.tombstones, r->counts.damaged,
	             (unsigned long long)(r->space.free_bytes >> 20),
	             (unsigned long long)(r->space.reserve_bytes >> 20), r->disk_full, set->n,
	             (unsigned long long)r->refused, (unsigned long long)r->refused_full,
	             (unsigned long long)r->alerts, (unsigned long long)set->n_turned_away,
	             (long long)(r->next_release_s - clock_unix_s()));
	buf = uv_buf_init(a->text, n < 0 ? 0 : (unsigned)n);
	a->req.data = a;
	if (uv_write(&a->req, (uv_stream_t *)&a->pipe, &buf, 1, asker_on_written) != 0)
		uv_close((uv_handle_t *)&a->pipe, asker_on_close);
}

static void status_on_connection(uv_stream_t *server, int status)
{
	struct server *srv = server->data;
	struct asker *a = status < 0 ? NULL : calloc(1, sizeof *a);

	if (a == NULL)
		return;
	a->srv = srv;
	srv->n_status++;
	(void)uv_pipe_init(&srv->loop, &a->pipe, 0);
	a->pipe.data = a;
	if (uv_accept(server, (uv_stream_t *)&a->pipe) != 0 || srv->n_status > STATUS_MAX ||
	    host_report(srv->host, report_done, a) != PERR_OK)
		uv_close((uv_handle_t *)&a->pipe, asker_on_close);
}

static bool start_status(struct server *srv)
{
	const char *path = srv->cfg->status_socket;

	(void)uv_pipe_init(&srv->loop, &srv->status, 0);
	srv->status.data = srv;
	return uv_pipe_bind(&srv->status, path) == 0 && chmod(path, 0600) == 0 &&
	       uv_listen((uv_stream_t *)&srv->status, STATUS_MAX, status_on_connection) == 0;
}

/* ---- start ------------------------------------------------------------------------------- */

/* as many places as there are descriptors for, after the server's own files */
static size_t places(uint32_t wanted)
{
	struct rlimit lim;
	rlim_t need = (rlim_t)wanted + OWN_FILES;

	if (getrlimit(RLIMIT_NOFILE, &lim) != 0)
		return 64;
	if (lim.rlim_cur < need) {
		lim.rlim_cur = lim.rlim_max == RLIM_INFINITY || lim.rlim_max > need ?
		               need : lim.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &lim);
		(void)getrlimit(RLIMIT_NOFILE, &lim);
	}
	if (lim.rlim_cur >= need)
		return wanted;
	return lim.rlim_cur > OWN_FILES + 8 ? (size_t)lim.rlim_cur - OWN_FILES : 8;
}

static bool cannot_listen(const char *text, const char *why)
{
	fprintf(stderr, "amparod: cannot listen on %s: %s\n", text, why);
	return false;
}

/* The address is taken before the sandbox, which lets nobody take one; nobody gets in yet. */
static bool start_bind(struct server *srv, const char *text)
{
	uv_tcp_t *tcp = &srv->listen[srv->n_listen];
	char host[ADDRESS_TEXT_MAX + 1];
	struct sockaddr_storage ss;
	uint16_t port;
	int err;

	if (config_listen(text, host, &port) != PERR_OK)
		return false;
	(void)uv_tcp_init(&srv->loop, tcp);
	srv->n_listen++;
	tcp->data = &srv->acceptor;
	if (uv_ip4_addr(host, port, (struct sockaddr_in *)&ss) != 0 &&
	    uv_ip6_addr(host, port, (struct sockaddr_in6 *)&ss) != 0)
		return cannot_listen(text, "give a numeric address");
	err = uv_tcp_bind(tcp, (struct sockaddr *)&ss, 0);
	return err == 0 || cannot_listen(text, uv_strerror(err));
}

static bool start_listen(uv_tcp_t *tcp, const char *text)
{
	char host[ADDRESS_TEXT_MAX + 1];
	struct sockaddr_storage ss;
	uint16_t port;
	int len = sizeof ss, err;

	err = uv_listen((uv_stream_t *)tcp, BACKLOG, accept_on_connection);
	/* without this libuv sleeps after every accept, for the sake of sibling processes */
	if (err == 0)
		(void)uv_tcp_simultaneous_accepts(tcp, 1);
	if (err == 0)
		err = uv_tcp_getsockname(tcp, (struct sockaddr *)&ss, &len);
	if (err != 0 || config_listen(text, host, &port) != PERR_OK)
		return cannot_listen(text, uv_strerror(err));
	/* sin_port and sin6_port are at the same place */
	port = ntohs(((struct sockaddr_in *)&ss)->sin_port);
	fprintf(stderr, strchr(host, ':') ? "amparod: listening on [%s]:%u\n" :
	        "amparod: listening on %s:%u\n", host, port);
	return true;
}

static bool start_events(struct server *srv)
{
	if (uv_timer_init(&srv->loop, &srv->tick) != 0 ||
	    uv_timer_init(&srv->loop, &srv->leave) != 0 ||
	    uv_signal_init(&srv->loop, &srv->term) != 0 ||
	    uv_signal_init(&srv->loop, &srv->intr) != 0)
		return false;
	srv->tick.data = srv->leave.data = srv->term.data = srv->intr.data = srv;
	return uv_timer_start(&srv->tick, tick_on_time, 0, 0) == 0 &&
	       uv_signal_start(&srv->term, signal_on_leave, SIGTERM) == 0 &&
	       uv_signal_start(&srv->intr, signal_on_leave, SIGINT) == 0;
}

static enum exit_code open_host(struct server *srv)
{
	struct host_config hc = {
		.out_max = (size_t)srv->cfg->memory_mib << 19, .slab = srv->slab
	};
	struct host_env env = {
		.ctx = srv, .unix_s = env_unix_s, .now_ms = env_now_ms, .offload = env_offload,
		.hurry = env_hurry, .notify = env_notify, .log = env_log, .rng = rng_system()
	};
	const char *why = "the store", *dir = srv->cfg->data;
	enum perr err;

	/* half for uploads, half for answers */
	hc.cells_max = ((size_t)srv->cfg->memory_mib << 19) / STORE_CELL;
	err = host_open(&srv->host, srv->cfg->data, &hc, &env, &why);
	if (err == PERR_OK)
		return EXIT_CODE_OK;
	if (err == PERR_NOTFOUND)
		fprintf(stderr, "amparod: there is no server in %s: make one with amparod init\n",
		        dir);
	else if (err == PERR_STATE)
		fprintf(stderr, "amparod: another process uses %s\n", dir);
	else
		fprintf(stderr, "amparod: cannot start: %s: %s\n", why, perr_text(err));
	if (err == PERR_CORRUPT) {
		say("keep the folder as it is; amparod check says more");
		return EXIT_CODE_DAMAGED;
	}
	return EXIT_CODE_FAILED;
}

static bool set_conns(struct server *srv)
{
	struct conn_set *set = &srv->set;
	const struct config *cfg = srv->cfg;

	set->loop = &srv->loop;
	set->sessions = host_sessions(srv->host);
	set->handshake_ms = cfg->handshake_seconds * 1000;
	set->idle_ms = cfg->idle_seconds * 1000;
	set->stall_ms = cfg->stall_seconds * 1000;
	set->per_minute = cfg->source_per_minute;
	set->origins = cfg->origins.n > 0 ? &cfg->origins : NULL;
	set->source_limit = source_limit;
	set->arg = srv;
	set->emptied = set_on_emptied;
	srv->acceptor.set = set;
	return conn_set_start(set) && accept_start(&srv->acceptor);
}

/* ---- start: what the process locks and gives up ------------------------------------------ */

/* one slot for each connection, those of one turn that push out others included */
static enum exit_code start_slab(struct server *srv)
{
	size_t keep = host_slab_keep() + QUOTA_KEY + 64, n = srv->set.max + ACCEPT_TURN;
	enum perr err = slab_new(&srv->slab, keep, n, HOST_SLOT_SIZE);
	bool must = srv->cfg->lock_memory == CONFIG_REQUIRED;

	if (err == PERR_LIMIT)
		fprintf(stderr, "amparod: %s: %zu bytes for the keys of %zu connections cannot be "
		                "locked in memory; set LimitMEMLOCK=%zu (ulimit -l %zu), or lower "
		                "max-connections\n",
		        must ? "cannot start" : "KEYS MAY REACH THE SWAP",
		        slab_size(keep, n, HOST_SLOT_SIZE), srv->set.max,
		        slab_size(keep, n, HOST_SLOT_SIZE), slab_size(keep, n, HOST_SLOT_SIZE) >> 10);
	else if (err != PERR_OK)
		say("cannot start: out of memory");
	return err == PERR_OK || (err == PERR_LIMIT && !must) ? EXIT_CODE_OK : EXIT_CODE_FAILED;
}

/* before the first thread: only those made later are bound too */
static void close_files(struct server *srv)
{
	const struct config *cfg = srv->cfg;
	char up[CONFIG_SOCKET_MAX + 1], *slash;
	struct sandbox_folder folders[] = {
		{ cfg->data, SANDBOX_STORE },
		{ up, SANDBOX_SOCKET },
	};

	if (!SANDBOX_BUILT || cfg->sandbox == CONFIG_OFF)
		return;
	snprintf(up, sizeof up, "%s", cfg->status_socket);
	slash = strrchr(up, '/');
	if (slash == NULL)
		strcpy(up, ".");
	else
		slash[slash == up ? 1 : 0] = '\0';
	if (sandbox_files(folders, 2, 0, &srv->abi) != PERR_OK) {
		srv->missing |= MISS_FILES;
		say("SANDBOX INCOMPLETE: no Landlock on this kernel (5.13 or later has it, with "
		    "landlock among lsm=): files outside the data folder are protected by their "
		    "permissions only");
	}
}

static void nothing_to_do(uv_work_t *req)
{
	(void)req;
}

static void pool_on_ready(uv_work_t *req, int status)
{
	struct server *srv = req->data;

	(void)status;
	srv->n_work--;
}

/* libuv makes its threads, all at once, when the first work comes: later none can be made */
static bool start_pool(struct server *srv)
{
	static uv_work_t first;

	first.data = srv;
	if (uv_queue_work(&srv->loop, &first, nothing_to_do, pool_on_ready) != 0)
		return false;
	srv->n_work++;
	return true;
}

/* when everything is open and every thread is there */
static enum exit_code close_calls(struct server *srv)
{
	enum config_need need = srv->cfg->sandbox;
	unsigned n = 0;

	if (!SANDBOX_BUILT)
		say("NO SANDBOX: this build has none (a sanitizer, or AMPARO_NO_SANDBOX); it is "
		    "for tests");
	else if (need == CONFIG_OFF)
		say("NO SANDBOX: switched off by the configuration");
	else if (sandbox_calls(SANDBOX_SERVE, &n) != PERR_OK) {
		srv->missing |= MISS_CALLS;
		say("SANDBOX INCOMPLETE: no seccomp filter on this kernel: whoever breaks into the "
		    "server can make connections and start programs");
	}
	if (need == CONFIG_REQUIRED && (!SANDBOX_BUILT || srv->missing != 0)) {
		say("cannot start: the configuration requires the whole sandbox");
		return EXIT_CODE_FAILED;
	}
	if (n > 0 && srv->abi > 0)
		fprintf(stderr, "amparod: sandbox: no file outside the data folder (Landlock ABI "
		                "%u), %u system calls, no new connection, program or thread\n",
		        srv->abi, n);
	return EXIT_CODE_OK;
}

static bool start_sources(struct server *srv)
{
	uint8_t *key = slab_keep(srv->slab, QUOTA_KEY);

	if (!srv->cfg->source_limits)
		return true;
	return key != NULL &&
	       quota_sources_new(&srv->set.sources, srv->set.max, key, rng_system()) == PERR_OK;
}

/* nobody but a program of this machine can reach it */
static bool all_from_here(const struct config *cfg)
{
	char host[ADDRESS_TEXT_MAX + 1];
	uint16_t port;
	size_t i;

	for (i = 0; i < cfg->n_listen; i++)
		if (config_listen(cfg->listen[i], host, &port) != PERR_OK ||
		    (strncmp(host, "127.", 4) != 0 && strcmp(host, "::1") != 0))
			return false;
	return true;
}

/* the order matters: addresses, locked memory, Landlock, threads, sockets, seccomp */
static enum exit_code start(struct server *srv)
{
	enum exit_code code;
	size_t i;

	for (i = 0; i < srv->cfg->n_listen; i++)
		if (!start_bind(srv, srv->cfg->listen[i]))
			return EXIT_CODE_ADDRESS;
	srv->set.max = places(srv->cfg->max_connections);
	code = start_slab(srv);
	if (code != EXIT_CODE_OK)
		return code;
	close_files(srv);
	code = open_host(srv);
	if (code != EXIT_CODE_OK)
		return code;
	if (!set_conns(srv) || !start_sources(srv) || !start_pool(srv)) {
		say("cannot start: out of memory");
		return EXIT_CODE_FAILED;
	}
	if (!start_status(srv)) {
		fprintf(stderr, "amparod: cannot make the local socket %s\n",
		        srv->cfg->status_socket);
		return EXIT_CODE_FAILED;
	}
	for (i = 0; i < srv->n_listen; i++)
		if (!start_listen(&srv->listen[i], srv->cfg->listen[i]))
			return EXIT_CODE_ADDRESS;
	if (srv->set.origins != NULL) {
		fprintf(stderr, "amparod: browsers may come from %zu origins\n",
		        srv->set.origins->n);
		if (srv->cfg->source_limits && all_from_here(srv->cfg))
			say("SOURCE LIMITS ARE ON, and everybody comes from this machine: behind a "
			    "proxy all are one source and shut each other out; say source-limits = no");
	}
	return start_events(srv) ? close_calls(srv) : EXIT_CODE_FAILED;
}

/* ---- end --------------------------------------------------------------------------------- */

static void close_walk(uv_handle_t *h, void *arg)
{
	(void)arg;
	close_once(h);
}

/* connections, then workers, then the writer, then the handles they used */
static enum exit_code stop(struct server *srv, enum exit_code code)
{
	const char *why;
	size_t i;

	for (i = 0; i < srv->n_listen; i++)
		close_once((uv_handle_t *)&srv->listen[i]);
	/* takes its name along, where the sandbox lets it: in the data folder */
	close_once((uv_handle_t *)&srv->status);
	if (srv->set.loop != NULL && !srv->left) {
		conn_close_all(&srv->set);
		while (!srv->left)
			(void)uv_run(&srv->loop, UV_RUN_ONCE);
	}
	while (srv->n_work > 0 || srv->n_status > 0)
		(void)uv_run(&srv->loop, UV_RUN_ONCE);
	why = srv->host != NULL ? host_dead(srv->host) : NULL;
	if (why != NULL) {
		fprintf(stderr, "amparod: stopped: %s; what was not answered is not promised. "
		                "Look at the disk, then start again\n", why);
		code = EXIT_CODE_DISK;
	}
	host_close(srv->host);
	uv_walk(&srv->loop, close_walk, NULL);
	/* a stop asked for earlier ends the first run before the handles are closed */
	while (uv_run(&srv->loop, UV_RUN_DEFAULT) != 0)
		;
	quota_sources_free(srv->set.sources);
	slab_free(srv->slab);
	(void)uv_loop_close(&srv->loop);
	return code;
}

enum exit_code listener_run(const struct config *cfg, int ready_fd)
{
	struct server *srv = calloc(1, sizeof *srv);
	enum exit_code code;

	if (srv == NULL || uv_loop_init(&srv->loop) != 0) {
		free(srv);
		return EXIT_CODE_FAILED;
	}
	srv->cfg = cfg;
	srv->written.data = srv;
	if (uv_async_init(&srv->loop, &srv->written, written_on_async) != 0) {
		(void)uv_loop_close(&srv->loop);
		free(srv);
		return EXIT_CODE_FAILED;
	}
	code = start(srv);
	if (code == EXIT_CODE_OK) {
		if (ready_fd >= 0 && write(ready_fd, "\n", 1) != 1)
			say("nobody waits at --ready-fd");
		if (ready_fd > 2)
			(void)close(ready_fd);
		(void)uv_run(&srv->loop, UV_RUN_DEFAULT);
	}
	code = stop(srv, code);
	if (code == EXIT_CODE_OK)
		say("stopped");
	free(srv);
	return code;
}
