/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * host: what stands behind the sessions: store, writer, policy, bulletin, releases.
 *
 * It has no socket and no loop.  Whoever drives it (listener.c, or a simulator) gives it a
 * clock, a way to run work elsewhere, and a log, and calls host_collect after the writer's
 * notify and host_tick now and then.  All calls on one thread, but for notify.
 *
 * An answer that says "stored" leaves only from the done() of a committed job.  When the
 * disk fails, host_dead says why, every call still under way is dropped unanswered, and
 * the process must end.
 */
#ifndef AMPARO_HOST_H
#define AMPARO_HOST_H

#include "session.h"
#include "store.h"

/* a piece of work for another thread: run() there, then done() here */
struct host_work {
	void (*run)(struct host_work *w);
	void (*done)(struct host_work *w);
};

struct host_env {
	void *ctx;
	int64_t (*unix_s)(void *ctx);            /* wall clock, seconds since 1970 */
	uint64_t (*now_ms)(void *ctx);           /* never runs backwards */
	/* PERR_NOMEM: neither run nor done will be called */
	enum perr (*offload)(void *ctx, struct host_work *w);
	void (*hurry)(void *ctx);                /* host_tick within 100 ms, please */
	void (*notify)(void *ctx);               /* from the writer's thread: host_collect, please */
	void (*log)(void *ctx, const char *line);/* for the operator; no address, no id, no key */
	struct rng rng;
};

struct host_config {
	struct store_config store;
	size_t cells_max;        /* uploaded cells in memory, all sessions; 0 = 16384 */
	size_t out_max;          /* bytes of answers in memory, all sessions; 0 = 64 MiB */
	struct slab *slab;       /* for all keys; outlives the host.  NULL: one of its own, which
	                          * need not be locked, with HOST_SLOTS places */
};
#define HOST_SLOTS 256

struct host;

/* ---- the server's keys on disk ----------------------------------------------------------- */

/*
 * Make the data folder of a new server.
 *
 * server_pk  out: its Noise public key     setup_key  out: for the card; wipe it
 * Errors as store_create.
 */
PERR_MUST_CHECK enum perr host_create(const char *dir, int64_t unix_s, struct rng rng,
                                     uint8_t server_pk[32], uint8_t setup_key[32]);

/* ---- life -------------------------------------------------------------------------------- */

/*
 * Open the folder and start the writer.
 *
 * why  out: for the log when it fails; static
 * Errors as store_open; PERR_CORRUPT also: key or policy on disk is unusable.
 */
PERR_MUST_CHECK enum perr host_open(struct host **out, const char *dir,
                                   const struct host_config *cfg, const struct host_env *env,
                                   const char **why);
/* what slab_keep must have for a host, and the size of the slots of its sessions */
size_t host_slab_keep(void);
#define HOST_SLOT_SIZE sizeof (struct channel_keys)
/* for session_new */
struct session_host *host_sessions(struct host *h);
/* after notify */
void host_collect(struct host *h);
/*
 * Releases that are due, slowed uploads.  Returns in how many milliseconds it wants to be
 * called again, at most 10,000.
 */
uint32_t host_tick(struct host *h);
/* NULL, or why nothing can be promised any more */
const char *host_dead(const struct host *h);
/*
 * Finish what the writer has, answer it, stop the writer, close the store.  Offloaded work
 * must have come back.  NULL is harmless.
 */
void host_close(struct host *h);

/* ---- what an operator may know ----------------------------------------------------------- */

struct host_report {
	enum perr err;
	uint32_t day;
	bool frozen, has_policy, disk_full, release_running;
	uint32_t counter, bulletin_version;
	struct store_counts counts;
	struct store_space space;
	uint64_t refused;                /* for limits, since the start */
	uint64_t refused_full;           /* for want of space */
	uint64_t alerts;                 /* hours in which a scope went over its total */
	int64_t next_release_s;
};
/* gathered on a worker; done is called on this thread with a report of its own lifetime.
 * PERR_NOMEM: done is not called */
PERR_MUST_CHECK enum perr host_report(struct host *h,
                                     void (*done)(void *arg, const struct host_report *r),
                                     void *arg);

/* connections per source that the policy allows; 0: no policy, no limit */
uint32_t host_source_limit(const struct host *h);

#endif
