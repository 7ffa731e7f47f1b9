/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * world: real clients and real servers in one process, for simulations.  Servers are a
 * struct host each, on a folder of their own; between them and the clients is memory
 * instead of a network.  The clock is a number.
 *
 * What is adverse by itself: a server answers requests that read its disk in random order
 * (by seed), bytes arrive in pieces of random length.  What is adverse on demand: the
 * stream is cut after so many bytes, counted over both directions.
 *
 * Everything fails the running test by itself.
 */
#ifndef AMPARO_SIM_WORLD_H
#define AMPARO_SIM_WORLD_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "client.h"
#include "host.h"
#include "invite.h"
#include "policy.h"
#include "spool.h"
#include "sync.h"

#define WORLD_SERVERS 2
#define WORLD_PEOPLE  7
#define WORLD_NO_CUT  UINT64_MAX

enum world_who { ADMIN, HOLDER0, HOLDER1, COUNSEL, VOLUNTEER0, VOLUNTEER1, INTERPRETER };

struct world_server {
	struct world *w;
	char dir[64];
	struct host *host;               /* NULL: down */
	uint8_t pk[32], setup_key[32];
	char address[32];
	struct host_work **works;
	size_t n_works;
};

struct world_person {
	struct kv *kv;
	struct client *c;
	struct spool *spool;
};

/* whoever has bytes for a server and takes its: a peer, or a page that holds one */
struct world_mouth {
	void *ctx;
	size_t (*pending)(void *ctx, const uint8_t **out);
	void (*sent)(void *ctx, size_t n);
	void (*recv)(void *ctx, const uint8_t *in, size_t len);
	bool (*done)(void *ctx);
};

struct world {
	int64_t now;
	struct rng_seeded seed;
	struct rng rng;
	struct world_server s[WORLD_SERVERS];
	struct world_person p[WORLD_PEOPLE];
	uint8_t desk[32];
	struct sync_net net;
	uint64_t cut_at, moved;          /* of one connection */
	uint64_t longest;                /* moved by the longest connection since it was set to 0 */
	bool was_cut;
	uint32_t readers;                /* to whom an intake must be sealed; 0: to two */
	size_t instance;                 /* bytes by which intakes are longer than they need be */
	uint8_t record[16];              /* of the intake submitted last */
	/* told when the server begins to work (true) and the client again; NULL: nobody */
	void (*turn)(bool server);
	/* told between any two pieces of bytes, when no call of the client's runs; NULL: nobody */
	void (*between)(struct world *w);
	/* the client goes: its connection is left as it stands, and its peer is told nothing */
	bool leaves;
	/* the last sync's words */
	struct sync_summary last;
};

/* servers are made and named in the roster; nobody but the administrator is there yet */
struct world *world_new(unsigned seed);
/* the same with two holders and a listed desk, an attorney, and two volunteers; nobody is the
 * interpreter yet (world_join) */
struct world *world_full(unsigned seed);
/* the same with the attorney as a third holder, and these limits in the roster */
struct roster_limits;
struct world *world_desk(unsigned seed, unsigned holders, const struct roster_limits *limits);
void world_free(struct world *w);

/* an empty store for somebody who is nobody yet */
void world_person(struct world *w, enum world_who who);
/*
 * One connection, as w->net makes it.  PERR_OK: the mouth was done.  PERR_NET: the server is
 * down.  PERR_TRUNCATED: it was cut, or both were silent: the mouth is to be told.
 */
enum perr world_talk(struct world *w, const char *address, const struct world_mouth *m);
/* sync and expect it to work */
void world_sync(struct world *w, enum world_who who);
/* sync; what came of it */
enum perr world_try(struct world *w, enum world_who who);
/* the administrator brings roster and policy to all servers and takes the answers */
void world_push(struct world *w);
/* both servers release now */
void world_release(struct world *w);
void world_day(struct world *w, int days);
/* a server stops, as if killed; and starts again on the same folder */
void world_stop(struct world *w, unsigned server);
void world_start(struct world *w, unsigned server);
/* a server was taken away for good: stopped, its folder gone (copy it before, if it matters);
 * in its place, at the same address, stands a new one with another key, listed nowhere */
void world_anew(struct world *w, unsigned server, struct policy_card *card);
/* this server takes so many puts a minute from one connection, until its next policy */
void world_limit(struct world *w, unsigned server, uint32_t puts_per_minute);
/* an invitation is answered and confirmed; the person is a member afterwards */
void world_join(struct world *w, enum world_who who, const uint8_t *desk);
/* the same in another role than this place usually has */
void world_join_as(struct world *w, enum world_who who, enum client_role role,
                   const uint8_t *desk);
/* forget what is in memory and open the store again, as after a kill */
void world_reopen(struct world *w, enum world_who who);

/* sync, and again at once if the duties ask for it, as the command does */
void world_sync_on(struct world *w, enum world_who who);
/*
 * A vault is lost with everything in it; the person begins anew with the same signing key and
 * slot (a backup holds these, and no record, no prekey).
 */
void world_lose_vault(struct world *w, enum world_who who);

/*
 * A volunteer seals an intake with one attachment of so many bytes, made of `seed`.
 * hash  out: of the attachment
 */
void world_submit(struct world *w, enum world_who who, size_t attachment, unsigned seed,
                  uint8_t hash[32]);
/* records in this vault by prefix ("stmt/", "blob/") */
unsigned world_count(struct world *w, enum world_who who, const char *prefix);
/* is the attachment there, byte for byte? */
bool world_has(struct world *w, enum world_who who, size_t attachment, unsigned seed);
unsigned world_waiting(struct world *w, enum world_who who);
/* cells in segments and in the pool */
uint64_t world_cells(struct world *w, unsigned server);

#endif
