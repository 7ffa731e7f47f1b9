/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * host_int: what the files host*.c share; nobody else includes it.
 *
 *	host.c         life, keys, handshakes, releases, report
 *	host_put.c     what writes for members: commits, board, inbox; memory of cells
 *	host_read.c    what reads: on workers, never on the loop
 *	host_order.c   what stewards change: policy, bulletin, signed orders
 */
#ifndef AMPARO_HOST_INT_H
#define AMPARO_HOST_INT_H

#include <string.h>

#include "access.h"
#include "bulletin.h"
#include "host.h"
#include "quota.h"
#include "orders.h"
#include "replay.h"

/* names of the server's own blobs in the store */
#define META_KEY      "noise-key"        /* private key, 32 bytes */
#define META_SETUP    "setup"            /* derived setup key, 32 bytes; gone after the policy */
#define META_POLICY   "policy"           /* signed policy */
#define META_COUNTER  "counter"          /* u32 BE, highest of policies and orders */
#define META_BULLETIN "bulletin"         /* signed header */

struct host_keys {
	uint8_t sk[32], pk[32];
};

/* what hello says of the disk, read on a worker after each change */
struct host_view {
	uint32_t day;                    /* last recorded */
	uint8_t board_digest[32];
	uint32_t board_total;
	bool has_newest;
	uint32_t newest_day, newest_release;
};

/* a bulletin header: in force, or uploaded and waiting for bulletin.commit */
struct host_header {
	uint8_t *bytes;
	size_t len;
	uint8_t hash[32];
};

struct change;
struct commit;
struct task;

struct host {
	struct host_env env;
	struct session_host sessions;
	struct store *store;
	struct writer *writer;
	struct slab *slab, *own_slab;
	struct host_keys *keys;          /* in the slab */
	struct access *access;
	struct replay *replay;
	const char *dead;
	bool closing;

	struct host_view view;
	struct host_header header;       /* in force; bytes NULL if none */
	struct bulletin_known known;     /* of it */
	struct host_header offered;      /* verified, not yet committed */
	bool changing;                   /* one change of policy, bulletin, board, release at a time */
	struct change *changes, **changes_end;           /* the others wait */
	unsigned n_changes;
	unsigned stagings;

	int64_t last_slot;               /* number of the release interval seen last */
	uint32_t last_interval_s;
	bool release_due;
	bool told_frozen, told_full;

	size_t cells_max, cells_out, cells_spare;
	uint8_t *spare;                  /* free buffers, linked through their first bytes */
	struct task *spare_task;
	size_t n_spare_tasks;
	struct commit *waiting, **waiting_end;           /* the writer has its share */
	size_t in_cells, in_erases;      /* of commits, with the writer */
	size_t share;                    /* as much as it writes in a twentieth of a second */
	size_t given_back;               /* since busy_ms */
	uint64_t busy_ms;
	struct commit *slow, **slow_end;
	struct quota_meter meters[RPC_SETUP + 1];
	uint64_t n_full, n_alerts;       /* puts refused for want of space; hours over a scope's total */
};

/* what a steward's connection is uploading: session data of the host */
struct host_upload {
	struct orders_staging part, policy;
};

uint32_t host_day(const struct host *h);
void host_log(struct host *h, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* remember the first reason */
void host_die(struct host *h, const char *why);
/* PERR_IO from the writer: nobody is told anything */
bool host_job_died(struct host *h, enum perr result);
enum rpc_error host_error(enum perr err);
/* read the view on this thread (start) or on a worker (later; then_ runs on the loop) */
void host_look(struct store *st, struct host_view *out);
enum perr host_refresh(struct host *h, void (*then_)(void *arg), void *arg);
/* what the policy in force limits */
void host_apply_limits(struct host *h);
/* submit, or PERR_LIMIT/PERR_STATE */
enum perr host_submit(struct host *h, struct writer_job *job);

/* host_put.c */
uint8_t *host_cell_take(void *ctx, size_t held);
void host_cell_give(void *ctx, uint8_t *cell);
void host_cells_free(struct host *h);
void host_commit(void *ctx, struct session_call *call);
void host_retry(struct host *h);
void host_paced(struct host *h);
bool host_tick_slow(struct host *h);
void host_drop_waiting(struct host *h);
void host_board_put(struct host *h, struct session_call *call, const struct rpc_msg *m);
void host_join_put(struct host *h, struct session_call *call, const struct rpc_msg *m);

/* host_read.c */
void host_tasks_free(struct host *h);
void host_read(struct host *h, struct session_call *call, const struct rpc_msg *m);

/* host_order.c */
void host_upload_free(struct host *h, struct host_upload *u);
void host_part(struct host *h, struct session_call *call, const struct rpc_msg *m, void **data);
void host_bulletin(struct host *h, struct session_call *call, const struct rpc_msg *m);
void host_policy(struct host *h, struct session_call *call, const struct rpc_msg *m, void **data);
void host_order(struct host *h, struct session_call *call, const struct rpc_msg *m);
/* whoever has waited too long for its turn is told to come again */
void host_tick_changes(struct host *h);
/* nobody is told anything */
void host_drop_changes(struct host *h);
/* a release on schedule */
void host_release(struct host *h);
/* the one that waits for its turn (h->release_due); nothing else may be changing */
void host_release_due(struct host *h);
/* take over a header whose bytes came from the own disk */
enum perr host_header_load(struct host *h, uint8_t *bytes, size_t len);

#endif
