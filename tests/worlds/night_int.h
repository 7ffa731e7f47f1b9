/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * night_int: what the files night*.c share.
 *
 *	night.c          the schedule and what is measured
 *	night_server.c   the host on its folder, the network, people, founding
 *	night_inside.c   who the clients are and what is done about them
 *	night_leak.c     the controls
 */
#ifndef AMPARO_WORLDS_NIGHT_INT_H
#define AMPARO_WORLDS_NIGHT_INT_H

#include "client.h"
#include "host.h"
#include "night.h"
#include "peer.h"
#include "spool.h"
#include "sync.h"

#define NIGHT_CELLS 1024

enum night_who {
	ADMIN, HOLDER0, HOLDER1, ATTORNEY0, ATTORNEY1, VOLUNTEER0, VOLUNTEER1, VOLUNTEER2, PEOPLE
};

/* a cell as it was sealed */
struct night_cell {
	uint8_t id[32], ds[32], reader[32];
	int is_chunk;
};

struct night {
	int side;
	int64_t now;
	char dir[64];
	struct host *host;
	struct host_work **works;
	size_t n_works;
	uint8_t pk[32], setup_key[32];
	struct {
		struct kv *kv;
		struct client *c;
		struct spool *spool;
	} p[PEOPLE];
	uint8_t desk[32];
	struct sync_net net;
	struct answers answers, leaky_answers;
	struct image_arrivals arrivals;
	struct night_cell *sealed;       /* in order */
	size_t n_sealed;
	uint8_t attorney_pk[2][32];      /* prekeys of that day */
	unsigned n_families;
};

/* ---- night_server.c ---- */

void night_server_new(struct night *n);          /* a fresh folder, running */
void night_server_start(struct night *n);
void night_server_stop(struct night *n);
void night_server_remove(struct night *n);
/* all that the server has to do, the writing ahead included */
void night_settle(struct night *n);
/* the clock goes on to this second; releases that are due happen */
void night_until(struct night *n, int64_t then_);

/* a connection of our own, to ask what a client would not */
struct night_talk {
	struct night *n;
	struct session *s;
	struct peer *p;
};
void night_talk_open(struct night *n, struct night_talk *t, const uint8_t access[32]);
/* until everything asked is answered */
void night_talk_run(struct night_talk *t);
void night_talk_close(struct night_talk *t);

void night_found(struct night *n);
void night_people_free(struct night *n);
void night_sync(struct night *n, enum night_who who);

/* ---- night_inside.c ---- */

struct night_side {
	const char *organisation, *desk, *people[PEOPLE];
};
const struct night_side *night_side_of(const struct night *n);
void night_publish_forms(struct night *n);

/* what one person has to send at one moment; the rest of the quota is decoys */
enum night_step {
	STEP_EVENING0, STEP_EVENING1, STEP_EVENING2, STEP_HOLDER0, STEP_HOLDER1, STEP_LATER0,
	STEP_ATTORNEY0, STEP_ATTORNEY1, STEP_LATE1, STEP_MORNING2, STEP_LAST1
};
void night_act(struct night *n, enum night_who who, enum night_step step, unsigned quota);
/* which cells are erased: `want` of those sealed for the first evening */
size_t night_to_erase(const struct night *n, struct night_cell *out, size_t want);

/* ---- night_leak.c ---- */

/* 0, 1: that attorney's cell; -1: nobody's */
int night_attorney_of(const struct night *n, const uint8_t id[32]);
/* cells of attorney 1 */
unsigned night_attorney_count(const struct night *n);
void night_leak_bytes(const struct night *n, uint8_t *cells, size_t n_cells);
void night_leak_bias(const struct night *n, uint8_t *cells, size_t n_cells);
/* the same cells in a segment written by attorney and arrival; to be freed with its bytes */
struct image_file night_leak_segment(struct night *n, const struct image_file *file);
struct image_file night_leak_state(const struct night *n, const struct image_file *file);

#endif
