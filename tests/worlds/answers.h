/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * answers: everything the server says, overheard where it is encoded (rpc_encode is wrapped
 * by the linker): order, kind, counts and lengths.  When it was said is left out: moments
 * are the same on both sides by construction, and durations are the machine's.
 *
 * One run is cut into scenes; in each, what was said to each scope is counted by method.
 * One thread only.
 */
#ifndef AMPARO_WORLDS_ANSWERS_H
#define AMPARO_WORLDS_ANSWERS_H

#include "feature.h"
#include "image.h"
#include "rpc.h"

#define ANSWERS_SCENES 8
#define ANSWERS_CONNECTIONS 160

struct answers {
	struct image_arrivals *arrivals;         /* what clients put, in order */
	unsigned scene;
	enum rpc_scope scope;
	unsigned n_connections;
	struct answers_count {
		double n, bytes, counts, totals, errors, statuses[8];
	} count[ANSWERS_SCENES][RPC_SETUP + 1][RPC_N_METHODS];
	double connection_messages[ANSWERS_CONNECTIONS], connection_bytes[ANSWERS_CONNECTIONS];
	uint8_t sequence[ANSWERS_SCENES][RPC_SETUP + 1][32];    /* chained hash */
	/* cells in the order in which they were answered, of the scopes that ask for all */
	struct answers_order {
		float *arrival;
		size_t n, room;
	} order[ANSWERS_SCENES];
	/* a server that leaks: added to what `status` counts */
	double leaky_more;
};

/*
 * Begin to listen.  leaky: the same for a server that leaks, or NULL; arrivals: borrowed, kept
 * up here.  a NULL: stop.
 */
void answers_listen(struct answers *a, struct answers *leaky, struct image_arrivals *arrivals);
void answers_free(struct answers *a);
/* of all that listen: the next scene begins */
void answers_scene(unsigned scene);
/* a connection begins; its scope */
void answers_connection(enum rpc_scope scope);
/* n bytes went to the client of the present connection */
void answers_sent(size_t n);

void answers_features(struct features *f, struct answers *a);

#endif
