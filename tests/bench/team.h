/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * team: a whole organisation for benchmarks: one real amparod, an administrator, two
 * holders of a desk with the raid-intake form published, and volunteers; the client's core
 * over the client's own link and loopback.
 *
 * Stores are real vaults on the disk (in $BENCH_DIR), on request with those of the
 * volunteers in memory.  Everything ends the program if it fails.
 */
#ifndef AMPARO_BENCH_TEAM_H
#define AMPARO_BENCH_TEAM_H

#include "client.h"
#include "serve.h"
#include "spool.h"
#include "sync.h"

struct member {
	char name[32];
	struct vault *vault;             /* NULL: in memory */
	struct vault_key *key;           /* of the vault */
	struct kv *kv;
	struct client *c;
	struct spool *spool;             /* NULL: downloads nothing */
	struct sync_summary last;        /* of the last sync */
};

struct team {
	struct serve server;
	struct member admin, holders[2];
	uint8_t desk[32];
	struct member *volunteers;
	size_t n_volunteers;
};

/* in_memory: the volunteers' stores, where their speed is not the question */
struct team *team_new(size_t n_volunteers, bool in_memory);
void team_free(struct team *t);

/* sync, to the end; on any thread, one at a time for each member */
void team_sync(struct member *m);
/* close the store and open it again, the key being known */
void team_reopen(struct member *m);
/* the administrator orders a release; cells released */
uint32_t team_release(struct team *t);

/* a whole file of the sources, malloc'd */
uint8_t *team_source(const char *path, size_t *len);

#endif
